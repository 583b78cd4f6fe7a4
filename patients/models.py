"""The person, the disease, and what was agreed with them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.dates import age_on, centre_day
from common.models import Fact, PeriodQuerySet, not_before, one_of, touch_triggers
from patients.folding import Fold


class Sex(models.TextChoices):
    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Not recorded")


class Subtype(models.TextChoices):
    DERMATOMYOSITIS = "dermatomyositis", _("Dermatomyositis")
    AMYOPATHIC = "amyopathic", _("Amyopathic dermatomyositis")
    POLYMYOSITIS = "polymyositis", _("Polymyositis")
    NECROTISING = "necrotising", _("Necrotising myopathy")
    ANTISYNTHETASE = "antisynthetase", _("Antisynthetase syndrome")
    INCLUSION_BODY = "inclusion_body", _("Inclusion body myositis")
    JUVENILE = "juvenile", _("Juvenile dermatomyositis")
    OVERLAP = "overlap", _("Overlap myositis")
    UNKNOWN = "unknown", _("Not yet classified")


class Registered(models.Manager["Patient"]):
    """Whoever has a record of their own. One that was merged into another is on no list and in no search."""

    def get_queryset(self) -> models.QuerySet[Patient]:
        return super().get_queryset().filter(merged_into__isnull=True)


@pghistory.track()
class Patient(models.Model):
    """A person under a centre's care. The address of their page is `public_id`, which says nothing about them."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    centre = models.ForeignKey("accounts.Centre", models.PROTECT, related_name="patients")
    record_number = models.CharField(max_length=32)
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    born_on = models.DateField()
    sex = models.CharField(max_length=8, choices=Sex.choices)
    subtype = models.CharField(max_length=16, choices=Subtype.choices, default=Subtype.UNKNOWN)
    onset_on = models.DateField(null=True, blank=True, help_text="First symptom")
    diagnosed_on = models.DateField(null=True, blank=True)
    clinician = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", help_text="Who follows the patient"
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="absorbed",
        help_text="The record that took this one in, always one with no other above it",
    )  # fmt: skip

    objects: ClassVar = Registered()
    everybody: ClassVar = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(merged_into=models.F("id")), name="patient_not_merged_into_itself"),
            models.UniqueConstraint(fields=["centre", "record_number"], name="patient_number_once_in_centre"),
            models.CheckConstraint(condition=~Q(record_number=""), name="patient_has_number"),
            one_of("sex", Sex, "patient_sex"),
            one_of("subtype", Subtype, "patient_subtype"),
            not_before("onset_on", "born_on", "patient_onset_after_birth"),
            not_before("diagnosed_on", "born_on", "patient_diagnosis_after_birth"),
        ]
        indexes = [
            models.Index(fields=["centre", "family_name", "given_name"], name="patient_by_name"),
            # Search as you type, by the beginning of a name or number or the day of birth, among 100,000.
            # The first few come out of an index in its order, however many begin alike.
            models.Index("centre", Fold("family_name"), Fold("given_name"), "id", name="patient_search_family"),
            models.Index("centre", Fold("given_name"), Fold("family_name"), "id", name="patient_search_given"),
            models.Index("centre", Fold("record_number"), "id", name="patient_search_number"),
            models.Index(fields=["centre", "born_on"], name="patient_by_birth"),
            models.Index(fields=["centre", "clinician", "family_name"], name="patient_by_clinician"),
            models.Index(fields=["merged_into"], name="patient_merged", condition=Q(merged_into__isnull=False)),
        ]
        triggers = touch_triggers("id")

    def __str__(self) -> str:
        return f"Patient {self.public_id}"  # never the name: this text ends up in logs and tracebacks

    @property
    def name(self) -> str:
        return f"{self.family_name}, {self.given_name}"

    def day_at(self, moment: dt.datetime) -> dt.date:
        """The calendar day of `moment` where the patient is followed: "today", when `moment` is now."""
        return centre_day(moment, self.centre.zone)

    def age_on(self, day: dt.date) -> int:
        return age_on(self.born_on, day)


class Touched(models.Model):
    """An outbox: whose facts changed since the rules last asked. Written by triggers in the fact's own transaction."""

    id = models.BigAutoField(primary_key=True)
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="+")
    touched_at = models.DateTimeField()
    rule = models.CharField(
        max_length=48,
        default="",
        db_default="",
        help_text="Empty for all rules; else the one that failed and is to be asked again",
    )

    class Meta:
        triggers = [
            # Whatever writes a fact touches its patient. One about a record that was merged into another would be seen
            # by nobody, so it is refused; and whoever merges waits here until what is being written is there to move.
            pgtrigger.Trigger(
                name="not_of_merged",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("kept", "bigint")],
                func=(
                    "IF NEW.rule = '' AND current_setting('patients.merging', true) IS DISTINCT FROM 'on' THEN "
                    "SELECT merged_into_id INTO kept FROM patients_patient WHERE id = NEW.patient_id FOR KEY SHARE; "
                    "IF kept IS NOT NULL THEN "
                    "RAISE EXCEPTION 'this record was merged into another' USING ERRCODE = '23M01'; "
                    "END IF; END IF; RETURN NEW;"
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} at {self.touched_at}"


class Merge(models.Model):
    """Two records of one person were made one, until it was taken back. `moved` says which rows changed sides."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kept = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    absorbed = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    moved = models.JSONField(help_text="Ids of the rows that changed sides, by table and column")
    filled = models.JSONField(help_text="Details taken over where the kept record said nothing, with what stood there")
    reason = models.CharField(max_length=200)
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    taken_back_at = models.DateTimeField(null=True, blank=True)
    taken_back_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    taken_back_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["absorbed"], condition=Q(taken_back_at__isnull=True), name="merge_standing_once"
            ),
            models.CheckConstraint(condition=~Q(kept=models.F("absorbed")), name="merge_of_two"),
            models.CheckConstraint(condition=~Q(reason=""), name="merge_has_reason"),
            models.CheckConstraint(
                condition=Q(taken_back_at__isnull=True, taken_back_by__isnull=True, taken_back_reason="")
                | (Q(taken_back_at__isnull=False, taken_back_by__isnull=False) & ~Q(taken_back_reason="")),
                name="merge_taken_back_by_someone",
            ),
        ]
        indexes = [models.Index(fields=["kept", "-merged_at"], name="merge_by_kept")]

    def __str__(self) -> str:
        return f"merge {self.public_id}"


@pghistory.track()
class FollowUpStatus(Fact):
    """Status from a day on. The latest on or before a day tells whether rules ask about the patient that day."""

    class Word(models.TextChoices):
        ACTIVE = "active", _("Under follow-up")
        DISCHARGED = "discharged", _("Discharged")
        TRANSFERRED = "transferred", _("Transferred")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        DEAD = "dead", _("Died")

    word = models.CharField(max_length=12, choices=Word.choices)
    starts_on = models.DateField(help_text="First day of this status")

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.UniqueConstraint(
                fields=["patient", "starts_on"],
                condition=Q(retired_at__isnull=True),
                name="follow_up_one_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.word} from {self.starts_on}"


@pghistory.track()
class AntibodyResult(Fact):
    class Result(models.TextChoices):
        NEGATIVE = "negative", _("Negative")
        WEAK = "weak", _("Weak positive")
        POSITIVE = "positive", _("Positive")
        STRONG = "strong", _("Strong positive")

    antibody = models.CharField(max_length=24, help_text="A code of patients/antibodies.py")
    result = models.CharField(max_length=8, choices=Result.choices)
    assay = models.CharField(max_length=60, blank=True)
    titre = models.CharField(max_length=40, blank=True)
    taken_on = models.DateField()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.CheckConstraint(
                condition=Q(result__in=["negative", "weak", "positive", "strong"]),
                name="antibody_result_word",
            ),
        ]
        indexes = [models.Index(fields=["patient", "antibody", "taken_on"], name="antibody_by_patient")]

    def __str__(self) -> str:
        return f"{self.antibody} {self.result} on {self.taken_on}"


class ManifestationKind(models.TextChoices):
    ILD = "ild", _("Interstitial lung disease")
    MECHANICS_HANDS = "mechanics_hands", _("Mechanic's hands")
    ARTHRITIS = "arthritis", _("Arthritis")
    ULCERATION = "ulceration", _("Ulcerating lesions")
    NECROSIS = "necrosis", _("Cutaneous necrosis")
    HELIOTROPE = "heliotrope", _("Heliotrope rash")
    GOTTRON = "gottron", _("Gottron's papules or sign")
    CALCINOSIS = "calcinosis", _("Calcinosis")
    DYSPHAGIA = "dysphagia", _("Dysphagia")
    MYOCARDITIS = "myocarditis", _("Myocarditis")
    RAYNAUD = "raynaud", _("Raynaud's phenomenon")
    DYSPNOEA = "dyspnoea", _("Dyspnoea")
    COUGH = "cough", _("Cough")
    OXYGEN = "oxygen", _("Needs oxygen")
    ASPIRATION = "aspiration", _("Choking or aspiration")
    RESPIRATORY_WEAKNESS = "respiratory_weakness", _("Respiratory muscle weakness")
    CANCER = "cancer", _("Cancer")
    THROMBOSIS = "thrombosis", _("Thrombosis")


@pghistory.track()
class Manifestation(Fact):
    """An organ involved, from its onset (for interstitial lung disease: its diagnosis) to its end."""

    kind = models.CharField(max_length=24, choices=ManifestationKind.choices)
    severity = models.CharField(
        max_length=8,
        choices=[("mild", _("Mild")), ("moderate", _("Moderate")), ("severe", _("Severe"))],
        blank=True,
    )
    onset_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True, help_text="Last day")
    note = models.CharField(max_length=200, blank=True)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            one_of("kind", ManifestationKind, "manifestation_kind"),
            models.CheckConstraint(
                condition=Q(severity__in=["", "mild", "moderate", "severe"]),
                name="manifestation_severity",
            ),
            not_before("ended_on", "onset_on", "manifestation_days"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} from {self.onset_on}"


class RiskKind(models.TextChoices):
    CHILDBEARING = "childbearing", _("Can become pregnant")
    NO_CHILDBEARING = "no_childbearing", _("Cannot become pregnant")
    DIABETES = "diabetes", _("Diabetes")
    RENAL = "renal", _("Renal insufficiency")
    THROMBOSIS = "thrombosis", _("Risk of thrombosis")
    PARAPROTEIN = "paraprotein", _("Paraprotein")
    NEPHROTOXIN = "nephrotoxin", _("Takes a nephrotoxic drug")
    VOLUME_DEPLETION = "volume_depletion", _("Volume depletion")
    SEPSIS = "sepsis", _("Sepsis")
    WEIGHT_LOSS = "weight_loss", _("Unexplained weight loss")
    FAMILY_CANCER = "family_cancer", _("Cancer in the family")
    SMOKING = "smoking", _("Smoking")
    FEVER = "fever", _("Unexplained fever")
    NIGHT_SWEATS = "night_sweats", _("Night sweats")


@pghistory.track()
class RiskFactor(Fact):
    """Something about the person that changes what is safe or what is looked for, from a day on."""

    kind = models.CharField(max_length=24, choices=RiskKind.choices)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="Last day; empty while it holds")

    objects: ClassVar = PeriodQuerySet.as_manager()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            one_of("kind", RiskKind, "risk_factor_kind"),
            not_before("ends_on", "starts_on", "risk_factor_days"),
        ]
        indexes = [
            models.Index(
                fields=["patient", "kind"],
                name="risk_factor_by_patient",
                condition=Q(retired_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} from {self.starts_on}"


@pghistory.track()
class ClassificationItems(Fact):
    """What the 2017 EULAR/ACR classification criteria ask, as found on a day. Empty: not looked at.

    Age comes from the day of the first symptom, anti-Jo-1 and the enzymes from their results.
    """

    found_on = models.DateField()
    weak_upper_proximal = models.BooleanField(null=True, blank=True)
    weak_lower_proximal = models.BooleanField(null=True, blank=True)
    neck_flexors_weaker = models.BooleanField(null=True, blank=True)
    legs_proximal_weaker = models.BooleanField(null=True, blank=True)
    heliotrope = models.BooleanField(null=True, blank=True)
    gottron_papules = models.BooleanField(null=True, blank=True)
    gottron_sign = models.BooleanField(null=True, blank=True)
    dysphagia = models.BooleanField(null=True, blank=True)
    has_biopsy = models.BooleanField(default=False)
    endomysial_infiltrate = models.BooleanField(null=True, blank=True)
    perimysial_infiltrate = models.BooleanField(null=True, blank=True)
    perifascicular_atrophy = models.BooleanField(null=True, blank=True)
    rimmed_vacuoles = models.BooleanField(null=True, blank=True)
    finger_flexor_weakness = models.BooleanField(null=True, blank=True)
    improved_on_treatment = models.BooleanField(null=True, blank=True)

    class Meta(Fact.Meta):
        constraints = [*Fact.Meta.constraints]

    def __str__(self) -> str:
        return f"classification items of {self.found_on}"


@pghistory.track()
class Consent(Fact):
    """What the patient said about research, from a day on. The latest on or before a day counts."""

    class Decision(models.TextChoices):
        GIVEN = "given", _("Given")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Scope(models.TextChoices):
        RESEARCH = "research", _("Pseudonymised research within the clinic's studies")
        RESEARCH_SHARING = "research_sharing", _("Also sharing with other institutions")

    scope = models.CharField(max_length=20, choices=Scope.choices)
    decision = models.CharField(max_length=12, choices=Decision.choices)
    decided_on = models.DateField()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.CheckConstraint(
                condition=Q(decision__in=["given", "withdrawn"]),
                name="consent_decision",
            ),
            models.CheckConstraint(
                condition=Q(scope__in=["research", "research_sharing"]),
                name="consent_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.decision} on {self.decided_on}"


@pghistory.track()
class RuleException(Fact):
    """This rule is not asked about this patient, for a reason, until a day."""

    rule = models.CharField(max_length=48, help_text="Id of a rule, or * for all")
    reason = models.CharField(max_length=200)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="Last day")

    objects: ClassVar = PeriodQuerySet.as_manager()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            not_before("ends_on", "starts_on", "rule_exception_days"),
            models.CheckConstraint(condition=~Q(reason=""), name="rule_exception_reason"),
        ]
        indexes = [models.Index(fields=["patient", "rule"], name="exception_by_patient")]

    def __str__(self) -> str:
        return f"no {self.rule} until {self.ends_on}"
