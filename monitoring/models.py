"""What was measured, seen and booked; and what a centre has changed about the rules."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.models import Fact, PeriodQuerySet, not_before, one_of, within
from patients.models import Sex


@pghistory.track()
class Source(models.Model):
    """Where results come from: a laboratory's file, a feed. Its name and the source's own id make a result unique."""

    centre = models.ForeignKey("accounts.Centre", models.PROTECT, related_name="sources")
    name = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["centre", "name"], name="source_once")]

    def __str__(self) -> str:
        return self.name


class Comparator(models.TextChoices):
    NONE = "", _("=")
    BELOW = "<", _("<")
    AT_MOST = "<=", _("≤")
    ABOVE = ">", _(">")
    AT_LEAST = ">=", _("≥")


@pghistory.track()
class Result(Fact):
    """One laboratory result: as received, and converted to the analyte's canonical unit.

    `value` is empty where the unit cannot be converted; such a result is shown and never judged. The laboratory's own
    limits are frozen with it, in the canonical unit.
    """

    analyte = models.CharField(max_length=32, help_text="A code of monitoring/analytes.py")
    value = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    comparator = models.CharField(max_length=2, choices=Comparator.choices, default="", blank=True)
    low = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="Lower limit of normal",
    )
    uln = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="Upper limit of normal",
    )
    value_received = models.CharField(max_length=64, help_text="As received, comparator included")
    unit_received = models.CharField(max_length=32, blank=True)
    low_received = models.CharField(max_length=32, blank=True)
    uln_received = models.CharField(max_length=32, blank=True)
    taken_on = models.DateField(help_text="Day of the sample, in the centre's time zone")
    taken_at = models.DateTimeField(null=True, blank=True, help_text="Moment of the sample, where known")
    reported_at = models.DateTimeField(null=True, blank=True)
    laboratory = models.CharField(max_length=60, blank=True)
    source = models.ForeignKey(Source, models.PROTECT, null=True, blank=True, related_name="results")
    source_key = models.CharField(max_length=120, blank=True, help_text="The source's own id of this result")
    note = models.CharField(max_length=200, blank=True)

    has_own_correction = True  # its value is converted again

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.UniqueConstraint(
                fields=["source", "source_key"],
                condition=Q(retired_at__isnull=True, source__isnull=False),
                name="result_once_from_source",
            ),
            models.CheckConstraint(
                condition=Q(source__isnull=True, source_key="") | (Q(source__isnull=False) & ~Q(source_key="")),
                name="result_source_has_key",
            ),
            models.CheckConstraint(
                condition=Q(comparator__in=["", "<", "<=", ">", ">="]),
                name="result_comparator",
            ),
            models.CheckConstraint(
                condition=Q(low__isnull=True) | Q(uln__isnull=True) | Q(low__lte=models.F("uln")),
                name="result_limits",
            ),
        ]
        indexes = [
            models.Index(
                fields=["patient", "analyte", "-taken_on"],
                name="result_by_patient",
                condition=Q(retired_at__isnull=True),
            ),
            # What became of a row that a source sends again: corrected since, or withdrawn by a person.
            models.Index(
                fields=["source", "source_key"],
                name="result_retired_source",
                condition=Q(retired_at__isnull=False, source__isnull=False),
            ),
            # What was known on a day of the past is what is current and older, or was retired since: with this small
            # index for the second, the first finds its way by the other indexes.
            models.Index(fields=["retired_at"], name="result_retired_at", condition=Q(retired_at__isnull=False)),
            # A rule reads one analyte over some months of the whole clinic: from the index alone.
            models.Index(
                fields=["analyte", "taken_on"],
                include=["patient", "value", "uln", "taken_at", "id", "comparator"],
                name="result_by_analyte",
                condition=Q(retired_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.analyte} on {self.taken_on}"


@pghistory.track()
class ReferenceRange(models.Model):
    """A centre's range for an analyte: used where the laboratory printed none."""

    centre = models.ForeignKey("accounts.Centre", models.PROTECT, related_name="reference_ranges")
    analyte = models.CharField(max_length=32)
    sex = models.CharField(max_length=8, choices=Sex.choices, blank=True, help_text="Empty: for everybody")
    low = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    uln = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="Last day")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["centre", "analyte", "sex", "starts_on"], name="range_once"),
            not_before("ends_on", "starts_on", "range_days"),
            models.CheckConstraint(
                condition=Q(low__isnull=True) | Q(uln__isnull=True) | Q(low__lte=models.F("uln")),
                name="range_limits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.analyte} {self.low}-{self.uln}"


@pghistory.track()
class PersonalBaseline(Fact):
    """This person's own normal, set by a clinician: it stands in for the nadir."""

    analyte = models.CharField(max_length=32)
    value = models.DecimalField(max_digits=18, decimal_places=6)
    set_on = models.DateField()
    reason = models.CharField(max_length=200)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            within("value", 0, None, "baseline_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.analyte} baseline {self.value}"


class ConfounderKind(models.TextChoices):
    EXERCISE = "exercise", _("Hard exercise")
    INJECTION = "injection", _("Intramuscular injection")
    EMG = "emg", _("Electromyography")
    BIOPSY = "biopsy", _("Muscle biopsy")
    SEIZURE = "seizure", _("Seizure")
    FALL = "fall", _("Fall")
    SURGERY = "surgery", _("Surgery")
    STATIN = "statin", _("New statin")
    FIBRATE = "fibrate", _("New fibrate")
    COLCHICINE = "colchicine", _("New colchicine")
    HYDROXYCHLOROQUINE = "hydroxychloroquine", _("New hydroxychloroquine")
    CHECKPOINT_INHIBITOR = "checkpoint_inhibitor", _("New checkpoint inhibitor")


@pghistory.track()
class Confounder(Fact):
    """Something other than disease that can raise a creatine kinase."""

    kind = models.CharField(max_length=24, choices=ConfounderKind.choices)
    happened_on = models.DateField()
    note = models.CharField(max_length=200, blank=True)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            one_of("kind", ConfounderKind, "confounder_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.happened_on}"


@pghistory.track()
class Assessment(Fact):
    """One visit's core set measures. VAS in cm of a 10 cm line; each may be missing.

    The totals of MMT8 and HAQ-DI are worked out from their cells and items (monitoring/scores) when recorded.
    """

    assessed_on = models.DateField()
    physician_vas = models.DecimalField(max_digits=3, decimal_places=1, null=True, blank=True)
    patient_vas = models.DecimalField(max_digits=3, decimal_places=1, null=True, blank=True)
    extramuscular_vas = models.DecimalField(max_digits=3, decimal_places=1, null=True, blank=True)
    haq_di = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    haq_answers = models.JSONField(
        null=True,
        blank=True,
        help_text="Items, aids and help, as monitoring/scores/haq_di",
    )
    mmt8_150 = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Both sides, 0-150")
    mmt8_80 = models.PositiveSmallIntegerField(null=True, blank=True, help_text="One side, 0-80")
    mmt8_side = models.CharField(
        max_length=5,
        blank=True,
        help_text="Side of the one-sided total: right, left or mixed",
    )
    note = models.TextField(blank=True, max_length=2000)

    has_own_correction = True  # its totals are worked out again

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            within("physician_vas", 0, 10, "assessment_physician_vas"),
            within("patient_vas", 0, 10, "assessment_patient_vas"),
            within("extramuscular_vas", 0, 10, "assessment_extramuscular_vas"),
            within("haq_di", 0, 3, "assessment_haq_di"),
            within("mmt8_150", 0, 150, "assessment_mmt8_150"),
            within("mmt8_80", 0, 80, "assessment_mmt8_80"),
            models.CheckConstraint(
                condition=Q(mmt8_side__in=["", "right", "left", "mixed"]),
                name="assessment_side",
            ),
        ]
        indexes = [
            models.Index(
                fields=["patient", "-assessed_on"],
                include=[
                    "id",
                    "physician_vas",
                    "patient_vas",
                    "extramuscular_vas",
                    "haq_di",
                    "mmt8_150",
                    "mmt8_80",
                ],
                name="assessment_by_patient",
                condition=Q(retired_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"assessment on {self.assessed_on}"


class MuscleGrade(models.Model):
    """One cell of an MMT8: part of its assessment, replaced with it."""

    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="grades")
    muscle = models.CharField(max_length=24, help_text="A code of monitoring/scores/mmt8.py")
    side = models.CharField(max_length=5, help_text="axial, right or left")
    grade = models.PositiveSmallIntegerField(help_text="0 to 10 (Kendall)")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assessment", "muscle", "side"], name="muscle_grade_once"),
            within("grade", 0, 10, "muscle_grade_range"),
            models.CheckConstraint(
                condition=Q(side__in=["axial", "right", "left"]),
                name="muscle_grade_side",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.muscle} {self.side} {self.grade}"


class Instrument(models.TextChoices):
    FI2 = "fi2", _("Functional Index 2")
    FI3 = "fi3", _("Functional Index 3")
    IBMFRS = "ibmfrs", _("IBM Functional Rating Scale")
    WALK_2MIN = "walk_2min", _("2-minute walk (m)")
    WALK_6MIN = "walk_6min", _("6-minute walk (m)")
    GRIP = "grip", _("Grip strength (kg)")
    TUG = "tug", _("Timed up and go (s)")
    CHAIR_STAND = "chair_stand", _("30-second chair stand")


@pghistory.track()
class FunctionalTest(Fact):
    instrument = models.CharField(max_length=16, choices=Instrument.choices)
    tested_on = models.DateField()
    score = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    answers = models.JSONField(null=True, blank=True, help_text="Items or tasks, as monitoring/scores")
    is_complete = models.BooleanField(help_text="Every task of the instrument was done")

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            one_of("instrument", Instrument, "functional_test_instrument"),
            within("score", 0, None, "functional_test_score"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} on {self.tested_on}"


@pghistory.track()
class BodySize(Fact):
    measured_on = models.DateField()
    weight_kg = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    height_cm = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            within("weight_kg", 1, 500, "body_weight"),
            within("height_cm", 30, 260, "body_height"),
            models.CheckConstraint(
                condition=Q(weight_kg__isnull=False) | Q(height_cm__isnull=False),
                name="body_size_something",
            ),
        ]
        indexes = [
            models.Index(
                fields=["patient", "measured_on"],
                name="body_by_patient",
                condition=Q(retired_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"body size on {self.measured_on}"


@pghistory.track()
class LungFunction(Fact):
    """Spirometry, diffusion capacity, or both. A full test has both, or both within 7 days."""

    tested_on = models.DateField()
    fvc_l = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    fvc_percent_predicted = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    dlco_percent_predicted = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    dlco_hb_corrected = models.CharField(
        max_length=8,
        choices=[("yes", _("Yes")), ("no", _("No")), ("unknown", _("Not stated"))],
        default="unknown",
    )
    reference_set = models.CharField(max_length=40, blank=True, help_text="Such as GLI-2012")

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            within("fvc_l", 0, 12, "lung_fvc_l"),
            within("fvc_percent_predicted", 0, 250, "lung_fvc_percent"),
            within("dlco_percent_predicted", 0, 250, "lung_dlco_percent"),
            models.CheckConstraint(
                condition=Q(dlco_hb_corrected__in=["yes", "no", "unknown"]),
                name="lung_hb",
            ),
            models.CheckConstraint(
                condition=Q(fvc_l__isnull=False)
                | Q(fvc_percent_predicted__isnull=False)
                | Q(dlco_percent_predicted__isnull=False),
                name="lung_something",
            ),
        ]
        indexes = [
            models.Index(
                fields=["patient", "tested_on"],
                name="lung_by_patient",
                condition=Q(retired_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"lung function on {self.tested_on}"


class Modality(models.TextChoices):
    HRCT = "hrct", _("High-resolution CT of the chest")
    CT_CHEST = "ct_chest", _("CT of the chest")
    CHEST_XRAY = "chest_xray", _("Chest X-ray")
    MRI_MUSCLE = "mri_muscle", _("MRI of muscle")
    ECHO = "echo", _("Echocardiography")


@pghistory.track()
class Imaging(Fact):
    class Ild(models.TextChoices):
        PRESENT = "present", _("Interstitial lung disease seen")
        ABSENT = "absent", _("No interstitial lung disease")
        INDETERMINATE = "indeterminate", _("Indeterminate")
        NOT_REPORTED = "not_reported", _("No report yet")
        NOT_APPLICABLE = "not_applicable", _("Not asked")

    modality = models.CharField(max_length=16, choices=Modality.choices)
    done_on = models.DateField()
    ild = models.CharField(max_length=16, choices=Ild.choices, default=Ild.NOT_REPORTED)
    progression = models.CharField(
        max_length=10,
        choices=[("yes", _("Fibrosis has progressed")), ("no", _("No progression")), ("not_stated", _("Not stated"))],
        default="not_stated",
    )
    report = models.TextField(blank=True, max_length=4000)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            one_of("modality", Modality, "imaging_modality"),
            models.CheckConstraint(
                condition=Q(
                    ild__in=[
                        "present",
                        "absent",
                        "indeterminate",
                        "not_reported",
                        "not_applicable",
                    ]
                ),
                name="imaging_ild",
            ),
            models.CheckConstraint(
                condition=Q(progression__in=["yes", "no", "not_stated"]),
                name="imaging_progression",
            ),
        ]
        indexes = [
            models.Index(
                fields=["patient", "done_on"],
                name="imaging_by_patient",
                condition=Q(retired_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.modality} on {self.done_on}"


class ScreeningKind(models.TextChoices):
    """Looked for on a day. What a laboratory measures (IgG, hepatitis serology, IGRA, TPMT activity) is a `Result`; a
    report without its numbers, from elsewhere, can be one of these.
    """

    FRACTURE_RISK = "fracture_risk", _("Fracture risk assessment")
    DXA = "dxa", _("Bone density (DXA)")
    EYE = "eye", _("Eye examination")
    ECG = "ecg", _("Electrocardiogram")
    SWALLOW = "swallow", _("Swallowing")
    PREGNANCY_TEST = "pregnancy_test", _("Pregnancy test")
    TUBERCULOSIS = "tuberculosis", _("Tuberculosis")
    HEPATITIS_B = "hepatitis_b", _("Hepatitis B")
    HEPATITIS_C = "hepatitis_c", _("Hepatitis C")
    HIV = "hiv", _("HIV")
    VARICELLA = "varicella", _("Varicella immunity")
    TPMT = "tpmt", _("TPMT")
    IGA = "iga", _("Immunoglobulin A")
    IGG = "igg", _("Immunoglobulin G")
    VACCINATION = "vaccination", _("Vaccinations looked through")
    URINALYSIS = "urinalysis", _("Urinalysis")
    CANCER_BASIC = "cancer_basic", _("Cancer: basic panel")
    CANCER_ENHANCED = "cancer_enhanced", _("Cancer: enhanced panel")
    PET_CT = "pet_ct", _("PET-CT")
    ENDOSCOPY = "endoscopy", _("Upper and lower endoscopy")
    NASOENDOSCOPY = "nasoendoscopy", _("Nasoendoscopy")


@pghistory.track()
class Screening(Fact):
    """Something was looked for, and what came of it."""

    class Outcome(models.TextChoices):
        NORMAL = "normal", _("Normal, or negative")
        ABNORMAL = "abnormal", _("Abnormal, or positive")
        INDETERMINATE = "indeterminate", _("Indeterminate")
        NOT_STATED = "not_stated", _("Done, outcome not stated")

    kind = models.CharField(max_length=20, choices=ScreeningKind.choices)
    done_on = models.DateField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.NOT_STATED)
    score = models.DecimalField(
        max_digits=6,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="EAT-10, FRAX in percent, T-score: where the screening has a number",
    )
    note = models.CharField(max_length=200, blank=True)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            one_of("kind", ScreeningKind, "screening_kind"),
            models.CheckConstraint(
                condition=Q(outcome__in=["normal", "abnormal", "indeterminate", "not_stated"]),
                name="screening_outcome",
            ),
        ]
        indexes = [
            models.Index(
                fields=["patient", "kind", "done_on"],
                include=["outcome"],
                name="screening_by_patient",
                condition=Q(retired_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.done_on}"


class TestKind(models.TextChoices):
    PFT = "pft", _("Full lung function")
    HRCT = "hrct", _("High-resolution CT")
    BLOODS = "bloods", _("Blood tests")
    ASSESSMENT = "assessment", _("Core set assessment")
    VISIT = "visit", _("Clinic visit")
    INFUSION = "infusion", _("Infusion")


@pghistory.track()
class Booking(Fact):
    """A test booked for a day. Cancelled: retired, with the reason."""

    kind = models.CharField(max_length=12, choices=TestKind.choices)
    booked_for = models.DateField()

    class Meta(Fact.Meta):
        constraints = [*Fact.Meta.constraints, one_of("kind", TestKind, "booking_kind")]
        indexes = [
            models.Index(
                fields=["patient", "kind"],
                name="booking_by_patient",
                condition=Q(retired_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} booked for {self.booked_for}"


A_YEAR_LATER = models.ExpressionWrapper(
    models.F("starts_on") + models.Value(dt.timedelta(days=365), output_field=models.DurationField()),
    output_field=models.DateTimeField(),
)


@pghistory.track()
class Waiver(Fact):
    """A screening test that is not asked for, for a reason, for at most 365 days."""

    class Reason(models.TextChoices):
        DECLINED = "declined", _("Declined by the patient")
        NOT_POSSIBLE = "not_possible", _("Not possible")
        PREGNANCY = "pregnancy", _("Pregnancy")
        DONE_ELSEWHERE = "done_elsewhere", _("Done elsewhere")

    test = models.CharField(
        max_length=4,
        choices=[("pft", _("Full lung function")), ("hrct", _("High-resolution CT"))],
    )
    reason = models.CharField(max_length=16, choices=Reason.choices)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="Last day, at most 365 days")

    objects: ClassVar = PeriodQuerySet.as_manager()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.CheckConstraint(condition=Q(test__in=["pft", "hrct"]), name="waiver_test"),
            models.CheckConstraint(
                condition=Q(reason__in=["declined", "not_possible", "done_elsewhere"])
                | Q(reason="pregnancy", test="hrct"),
                name="waiver_reason",
            ),
            not_before("ends_on", "starts_on", "waiver_days"),
            models.CheckConstraint(condition=Q(ends_on__lt=A_YEAR_LATER), name="waiver_at_most_a_year"),
        ]

    def __str__(self) -> str:
        return f"{self.test} waived until {self.ends_on}"


class Mode(models.TextChoices):
    """What a centre does with what a rule finds."""

    ON = "on", _("On")
    SHADOW = "shadow", _("In the shadow")
    OFF = "off", _("Off")


class ChangeKind(models.TextChoices):
    MODE = "mode", _("Mode")
    PARAMETERS = "parameters", _("Parameters")
    SIGN_OFF = "sign_off", _("Sign-off")


# Only what became of a proposal is added to it, and only once. A signature may be taken back: its rule then says so.
WRITTEN_ONCE = """
IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a change of a rule is kept';
ELSIF TG_OP = 'INSERT' THEN
    IF NEW.confirmed_at IS NOT NULL OR NEW.withdrawn_at IS NOT NULL OR NEW.is_carried_over THEN
        RAISE EXCEPTION 'a change of a rule begins as a proposal';
    END IF;
    RETURN NEW;
END IF;
IF to_jsonb(NEW) - ARRAY['confirmed_by_id', 'confirmed_at', 'withdrawn_by_id', 'withdrawn_at', 'withdrawn_reason']
   <> to_jsonb(OLD) - ARRAY['confirmed_by_id', 'confirmed_at', 'withdrawn_by_id', 'withdrawn_at', 'withdrawn_reason']
THEN
    RAISE EXCEPTION 'what was proposed is not changed';
END IF;
IF OLD.withdrawn_at IS NOT NULL
   OR (OLD.confirmed_at IS NOT NULL AND (OLD.kind <> 'sign_off'
       OR (NEW.confirmed_at, NEW.confirmed_by_id) IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by_id)))
THEN
    RAISE EXCEPTION 'what became of a proposal is not changed';
END IF;
IF NEW.confirmed_at IS NOT NULL AND OLD.confirmed_at IS NULL AND (NEW.kind = 'parameters' OR NEW.mode = 'on')
   AND NOT EXISTS (SELECT 1 FROM monitoring_rulebacktest b WHERE b.change_id = NEW.id AND b.finished_at IS NOT NULL)
THEN
    RAISE EXCEPTION 'its back-test has not finished';
END IF;
RETURN NEW;
"""


class RuleChange(models.Model):
    """A centre's change of a rule, proposed by one person and confirmed by another. Every one is kept.

    In force is the newest confirmed of its kind; without one the rule is on, with its own numbers, and not signed off.
    `parameters` are all those that are to differ from the rule's own. A sign-off is of `rule_version` alone.
    """

    centre = models.ForeignKey("accounts.Centre", models.PROTECT, related_name="rule_changes")
    rule = models.CharField(max_length=48)
    rule_version = models.PositiveSmallIntegerField(null=True, help_text="The version that was looked at")
    kind = models.CharField(max_length=10, choices=ChangeKind.choices)
    mode = models.CharField(max_length=6, choices=Mode.choices, blank=True)
    parameters = models.JSONField(default=dict, blank=True, help_text="{name: value}, numbers as text")
    reason = models.CharField(max_length=200)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True)
    is_carried_over = models.BooleanField(
        default=False, help_text="Made by one person, before two were asked for. No new row may be"
    )

    class Meta:
        constraints = [
            one_of("kind", ChangeKind, "rule_change_kind"),
            models.CheckConstraint(
                condition=Q(kind="mode", mode__in=Mode.values) | (~Q(kind="mode") & Q(mode="")), name="rule_change_mode"
            ),
            models.CheckConstraint(condition=Q(kind="parameters") | Q(parameters={}), name="rule_change_parameters"),
            models.CheckConstraint(condition=~Q(reason=""), name="rule_change_reason"),
            models.CheckConstraint(
                condition=Q(is_carried_over=True) | Q(proposed_by__isnull=False, rule_version__isnull=False),
                name="rule_change_proposed_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(is_carried_over=True, kind="mode")
                | Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | (Q(confirmed_by__isnull=False, confirmed_at__isnull=False) & ~Q(confirmed_by=F("proposed_by"))),
                name="rule_change_by_two_people",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_by__isnull=True, withdrawn_at__isnull=True, withdrawn_reason="")
                | (Q(withdrawn_by__isnull=False, withdrawn_at__isnull=False) & ~Q(withdrawn_reason="")),
                name="rule_change_withdrawn_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(confirmed_at__isnull=True) | Q(kind="sign_off"),
                name="rule_change_confirmed_stays",
            ),
            # What was back-tested against today's setting goes live on top of that setting and no other.
            models.UniqueConstraint(
                fields=["centre", "rule", "kind"],
                condition=Q(confirmed_at__isnull=True, withdrawn_at__isnull=True),
                name="rule_change_pending_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["centre", "rule", "kind", "-confirmed_at", "-id"],
                name="rule_change_in_force",
                condition=Q(confirmed_at__isnull=False),
            )
        ]
        triggers = [
            pgtrigger.Trigger(
                name="written_once",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=WRITTEN_ONCE,
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.kind} {self.mode}".strip()

    @property
    def is_pending(self) -> bool:
        return self.confirmed_at is None and self.withdrawn_at is None


class RuleBackTest(models.Model):
    """What a proposed change would have meant: asked week by week of the centre's own past, as today and as proposed.

    `today` and `proposed`: counts, see alerts/backtesting.py. Rewritten from the start where a worker was lost.
    """

    change = models.OneToOneField(RuleChange, models.PROTECT, related_name="back_test")
    first_on = models.DateField(help_text="The first day asked")
    last_on = models.DateField()
    weeks = models.PositiveSmallIntegerField(help_text="How often each setting is asked")
    weeks_done = models.PositiveSmallIntegerField(default=0)
    requested_at = models.DateTimeField()
    sent_at = models.DateTimeField(help_text="When it was newest handed to the workers, or gave a sign of life")
    finished_at = models.DateTimeField(null=True)
    today = models.JSONField(null=True)
    proposed = models.JSONField(null=True)
    error = models.CharField(max_length=80, blank=True, help_text="Class of the newest error")

    class Meta:
        constraints = [
            not_before("last_on", "first_on", "rule_back_test_days"),
            models.CheckConstraint(condition=Q(weeks_done__lte=F("weeks")), name="rule_back_test_weeks"),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True)
                | Q(weeks_done=F("weeks"), today__isnull=False, proposed__isnull=False),
                name="rule_back_test_finished_has_counts",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="finished_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__finished_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"back-test of {self.change_id}, {self.percent} %"

    @property
    def percent(self) -> int:
        return 100 if self.finished_at else 100 * self.weeks_done // (self.weeks or 1)
