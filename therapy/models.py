"""Courses of drugs, their doses, taper plans, infusions, physiotherapy.

Each child row repeats its patient, so that scope, history and the rules need no join; a trigger refuses a child whose
patient is not its parent's.
"""

from __future__ import annotations

from typing import ClassVar

import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    BigIntegerRangeField,
    DateRangeField,
    RangeOperators,
)
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from common.models import Fact, PeriodQuerySet, not_before, one_of, within


def same_patient(parent_table: str, parent_column: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="same_patient",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=(
            f"IF NEW.patient_id <> (SELECT patient_id FROM {parent_table} "  # noqa: S608 - our own names
            f"WHERE id = NEW.{parent_column}) THEN "
            "RAISE EXCEPTION 'this row belongs to another patient than its parent' USING ERRCODE = '23514'; "
            "END IF; RETURN NEW;"
        ),
    )


class Route(models.TextChoices):
    ORAL = "oral", _("By mouth")
    SUBCUTANEOUS = "subcutaneous", _("Subcutaneous")
    INTRAVENOUS = "intravenous", _("Intravenous")
    INTRAMUSCULAR = "intramuscular", _("Intramuscular")
    TOPICAL = "topical", _("Topical")
    INHALED = "inhaled", _("Inhaled")
    EXTRACORPOREAL = "extracorporeal", _("Extracorporeal")


class StopReason(models.TextChoices):
    INEFFECTIVE = "ineffective", _("Not effective")
    TOXICITY = "toxicity", _("Toxicity or intolerance")
    REMISSION = "remission", _("Remission")
    COMPLETED = "completed", _("Completed as planned")
    PATIENT_CHOICE = "patient_choice", _("Patient's choice")
    PREGNANCY = "pregnancy", _("Pregnancy or wish for it")
    INTERACTION = "interaction", _("Interaction or new contraindication")
    SWITCHED = "switched", _("Changed to another drug")
    OTHER = "other", _("Other")


@pghistory.track()
class Course(Fact):
    """One drug by one route. It begins with its first dose period and ends with its stop."""

    drug = models.CharField(max_length=32, help_text="A code of therapy/formulary.py")
    route = models.CharField(max_length=16, choices=Route.choices)
    indication = models.CharField(max_length=120, blank=True)
    clash_reason = models.CharField(
        max_length=200, blank=True, default="", db_default="",
        help_text="Why it was started beside a drug it is better not given with",
    )  # fmt: skip

    class Meta(Fact.Meta):
        constraints = [*Fact.Meta.constraints, one_of("route", Route, "course_route")]
        indexes = [
            models.Index(
                fields=["drug", "patient"],
                name="course_by_drug",
                condition=Q(retired_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.drug} {self.route}"


@pghistory.track()
class CourseStop(Fact):
    course = models.ForeignKey(Course, models.PROTECT, related_name="stops")
    stopped_on = models.DateField(help_text="Last day of the course")
    reason = models.CharField(max_length=16, choices=StopReason.choices)
    note = models.CharField(max_length=200, blank=True)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            one_of("reason", StopReason, "course_stop_reason"),
            models.UniqueConstraint(
                fields=["course"],
                condition=Q(retired_at__isnull=True),
                name="course_stops_once",
            ),
        ]
        triggers = [*Fact.Meta.triggers, same_patient("therapy_course", "course_id")]

    def __str__(self) -> str:
        return f"stopped on {self.stopped_on}: {self.reason}"


@pghistory.track()
class Dose(Fact):
    """`amount` in the drug's unit, `times` in every `every_days` days, from `starts_on` to `ends_on` inclusive."""

    course = models.ForeignKey(Course, models.PROTECT, related_name="doses")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="Last day; empty while it goes on")
    amount = models.DecimalField(max_digits=10, decimal_places=3, validators=[MinValueValidator(0)])
    times = models.PositiveSmallIntegerField(default=1)
    every_days = models.PositiveSmallIntegerField(default=1)
    out_of_range_reason = models.CharField(max_length=200, blank=True)

    has_own_correction = True  # the limits of its drug are looked at again

    objects: ClassVar = PeriodQuerySet.as_manager()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            within("amount", 0, None, "dose_not_negative"),
            within("times", 1, 24, "dose_times"),
            within("every_days", 1, 366, "dose_every_days"),
            not_before("ends_on", "starts_on", "dose_days"),
            # Each range type brings its own index operators, so that no extension is needed.
            ExclusionConstraint(
                name="dose_no_overlap",
                expressions=[
                    (
                        Func(
                            F("course"), F("course"), Value("[]"),
                            function="int8range", output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(
                            F("starts_on"), F("ends_on"), Value("[]"),
                            function="daterange", output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(retired_at__isnull=True),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["patient", "starts_on"],
                name="dose_by_patient",
                condition=Q(retired_at__isnull=True),
            ),
        ]
        triggers = [
            *Fact.Meta.triggers,
            same_patient("therapy_course", "course_id"),
            # Daily methotrexate kills. Whatever wrote the row, it is refused.
            pgtrigger.Trigger(
                name="methotrexate_weekly",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=(
                    "IF NEW.times * 7 > NEW.every_days AND EXISTS (SELECT 1 FROM therapy_course "
                    "WHERE id = NEW.course_id AND drug = 'methotrexate') THEN "
                    "RAISE EXCEPTION 'methotrexate is given once a week, never more often' USING ERRCODE = '23514'; "
                    "END IF; RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} x {self.times} every {self.every_days} d from {self.starts_on}"


@pghistory.track()
class Infusion(Fact):
    """One infusion given: IVIG, rituximab, pulse steroid, cyclophosphamide."""

    has_own_correction = True  # it is held against its course again

    class Reaction(models.TextChoices):
        NONE = "none", _("None")
        MILD = "mild", _("Mild")
        MODERATE = "moderate", _("Moderate: slowed or paused")
        SEVERE = "severe", _("Severe: stopped")
        NOT_RECORDED = "not_recorded", _("Not recorded")

    course = models.ForeignKey(Course, models.PROTECT, related_name="infusions")
    given_on = models.DateField()
    amount = models.DecimalField(max_digits=10, decimal_places=3, help_text="In the drug's unit")
    batch = models.CharField(max_length=40, blank=True)
    max_rate_ml_per_hour = models.DecimalField(max_digits=7, decimal_places=1, null=True, blank=True)
    reaction = models.CharField(max_length=12, choices=Reaction.choices, default=Reaction.NOT_RECORDED)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            within("amount", 0, None, "infusion_not_negative"),
            within("max_rate_ml_per_hour", 0, None, "infusion_rate_not_negative"),
            models.CheckConstraint(
                condition=Q(reaction__in=["none", "mild", "moderate", "severe", "not_recorded"]),
                name="infusion_reaction",
            ),
        ]
        triggers = [*Fact.Meta.triggers, same_patient("therapy_course", "course_id")]

    def __str__(self) -> str:
        return f"{self.amount} on {self.given_on}"


class Option(models.TextChoices):
    """What can be decided when second-line treatment is reviewed."""

    IVIG = "ivig", _("Intravenous immunoglobulin")
    RITUXIMAB = "rituximab", _("Rituximab")
    TACROLIMUS = "tacrolimus", _("Tacrolimus")
    PULSE = "pulse", _("Pulse methylprednisolone")
    OTHER = "other", _("Another treatment")
    NO_CHANGE = "no_change", _("No change now")


@pghistory.track()
class EscalationDecision(Fact):
    """What was decided about second-line treatment, why, and when to look again."""

    decided_on = models.DateField()
    option = models.CharField(max_length=12, choices=Option.choices)
    reason = models.CharField(max_length=1000)
    look_again_on = models.DateField(null=True, blank=True)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            one_of("option", Option, "escalation_option"),
            not_before("look_again_on", "decided_on", "escalation_look_again"),
            models.CheckConstraint(condition=~Q(reason=""), name="escalation_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.option} decided on {self.decided_on}"


@pghistory.track()
class StockedTablet(models.Model):
    """A strength of tablet that a centre's pharmacy has."""

    centre = models.ForeignKey("accounts.Centre", models.CASCADE, related_name="stocked_tablets")
    drug = models.CharField(max_length=32, help_text="A code of therapy/formulary.py")
    strength_mg = models.DecimalField(max_digits=7, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["centre", "drug", "strength_mg"], name="stocked_tablet_once"),
            models.CheckConstraint(condition=Q(strength_mg__gt=0), name="stocked_tablet_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.drug} {self.strength_mg} mg"


@pghistory.track()
class TaperPlan(Fact):
    """A list of steps. Nothing advances by itself: each step is confirmed by a person."""

    template = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"taper plan {self.pk}"


@pghistory.track()
class TaperStep(Fact):
    plan = models.ForeignKey(TaperPlan, models.PROTECT, related_name="steps")
    step_on = models.DateField(help_text="First day at this dose")
    dose_pe_mg = models.DecimalField(max_digits=7, decimal_places=2, help_text="Prednisone-equivalent mg a day")

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            within("dose_pe_mg", 0, None, "taper_step_not_negative"),
            models.UniqueConstraint(
                fields=["plan", "step_on"],
                condition=Q(retired_at__isnull=True),
                name="taper_step_one_a_day",
            ),
        ]
        triggers = [*Fact.Meta.triggers, same_patient("therapy_taperplan", "plan_id")]

    def __str__(self) -> str:
        return f"{self.dose_pe_mg} mg from {self.step_on}"


@pghistory.track()
class TaperConfirmation(Fact):
    """A clinician confirmed that the step was taken."""

    step = models.ForeignKey(TaperStep, models.PROTECT, related_name="confirmations")
    confirmed_on = models.DateField()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.UniqueConstraint(
                fields=["step"],
                condition=Q(retired_at__isnull=True),
                name="step_confirmed_once",
            ),
        ]
        triggers = [*Fact.Meta.triggers, same_patient("therapy_taperstep", "step_id")]

    def __str__(self) -> str:
        return f"confirmed on {self.confirmed_on}"


@pghistory.track()
class TaperHold(Fact):
    """The plan waits. It raises no step alert and its days do not move."""

    plan = models.ForeignKey(TaperPlan, models.PROTECT, related_name="holds")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="Last day; empty until released")
    reason = models.CharField(max_length=200)

    objects: ClassVar = PeriodQuerySet.as_manager()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            not_before("ends_on", "starts_on", "taper_hold_days"),
        ]
        triggers = [*Fact.Meta.triggers, same_patient("therapy_taperplan", "plan_id")]

    def __str__(self) -> str:
        return f"held from {self.starts_on}"


@pghistory.track()
class TaperEnd(Fact):
    plan = models.ForeignKey(TaperPlan, models.PROTECT, related_name="ends")
    ended_on = models.DateField(help_text="Last day")
    reason = models.CharField(max_length=200)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.UniqueConstraint(
                fields=["plan"],
                condition=Q(retired_at__isnull=True),
                name="taper_ends_once",
            ),
        ]
        triggers = [*Fact.Meta.triggers, same_patient("therapy_taperplan", "plan_id")]

    def __str__(self) -> str:
        return f"ended on {self.ended_on}"


@pghistory.track()
class PhysioPlan(Fact):
    starts_on = models.DateField()
    sessions_per_week = models.PositiveSmallIntegerField(default=2)
    goal = models.CharField(max_length=200, blank=True)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            within("sessions_per_week", 1, 14, "physio_sessions_per_week"),
        ]

    def __str__(self) -> str:
        return f"physiotherapy from {self.starts_on}"


@pghistory.track()
class PhysioPause(Fact):
    plan = models.ForeignKey(PhysioPlan, models.PROTECT, related_name="pauses")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="Last day; empty until resumed")
    reason = models.CharField(max_length=200)

    objects: ClassVar = PeriodQuerySet.as_manager()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            not_before("ends_on", "starts_on", "physio_pause_days"),
        ]
        triggers = [*Fact.Meta.triggers, same_patient("therapy_physioplan", "plan_id")]

    def __str__(self) -> str:
        return f"paused from {self.starts_on}"


@pghistory.track()
class PhysioEnd(Fact):
    plan = models.ForeignKey(PhysioPlan, models.PROTECT, related_name="ends")
    ended_on = models.DateField(help_text="Last day")
    reason = models.CharField(max_length=200)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.UniqueConstraint(
                fields=["plan"],
                condition=Q(retired_at__isnull=True),
                name="physio_ends_once",
            ),
        ]
        triggers = [*Fact.Meta.triggers, same_patient("therapy_physioplan", "plan_id")]

    def __str__(self) -> str:
        return f"ended on {self.ended_on}"


@pghistory.track()
class PhysioDecline(Fact):
    """The patient does not want physiotherapy now. Asked again after 183 days where no end is given."""

    declined_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="Last day")

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            not_before("ends_on", "declined_on", "physio_decline_days"),
        ]

    def __str__(self) -> str:
        return f"declined on {self.declined_on}"


@pghistory.track()
class PhysioSession(Fact):
    """A session booked. `recorded_at` is when it was booked; what became of it is an outcome."""

    plan = models.ForeignKey(PhysioPlan, models.PROTECT, related_name="sessions")
    held_on = models.DateField()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.UniqueConstraint(
                fields=["plan", "held_on"],
                condition=Q(retired_at__isnull=True),
                name="physio_session_one_a_day",
            ),
        ]
        indexes = [
            # The latest sessions of a patient, from the index alone. Those of a plan have that of the constraint.
            models.Index(
                fields=["patient", "-held_on"],
                include=["id"],
                name="session_by_patient",
                condition=Q(retired_at__isnull=True),
            ),
        ]
        triggers = [*Fact.Meta.triggers, same_patient("therapy_physioplan", "plan_id")]

    def __str__(self) -> str:
        return f"session on {self.held_on}"


class SessionWord(models.TextChoices):
    ATTENDED = "attended", _("Attended")
    ATTENDED_REMOTE = "attended_remote", _("Attended remotely")
    HOME_DONE = "home_done", _("Home exercise done")
    DID_NOT_ATTEND = "did_not_attend", _("Not recorded as attended")
    CANCELLED_BY_PATIENT = "cancelled_by_patient", _("Cancelled by the patient")
    CANCELLED_BY_CLINIC = "cancelled_by_clinic", _("Cancelled by the clinic")
    EXCUSED = "excused", _("Excused: in hospital, acutely ill, infusion day")


@pghistory.track()
class SessionOutcome(Fact):
    session = models.ForeignKey(PhysioSession, models.PROTECT, related_name="outcomes")
    word = models.CharField(max_length=24, choices=SessionWord.choices)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            one_of("word", SessionWord, "session_outcome_word"),
            models.UniqueConstraint(
                fields=["session"],
                # A sweep reads them from the index alone.
                include=["word", "recorded_at"],
                condition=Q(retired_at__isnull=True),
                name="session_one_outcome",
            ),
        ]
        triggers = [
            *Fact.Meta.triggers,
            same_patient("therapy_physiosession", "session_id"),
        ]

    def __str__(self) -> str:
        return self.word
