"""Base classes of every recorded fact. No tables of its own.

A fact is never edited. It is *retired*, by a successor that corrects it or because it was entered in error, and the
moment of retirement is kept. Two moments (`recorded_at`, `retired_at`) are all that is needed to say what is current
and what was known at any earlier time.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.dates import centre_day

# Days on which something happened. None of them can lie ahead; days of plans and bookings, and last days, can.
HAPPENED = frozenset(
    {
        "assessed_on", "confirmed_on", "decided_on", "declined_on", "done_on", "found_on", "given_on", "happened_on",
        "measured_on", "onset_on", "set_on", "taken_on", "tested_on",
    }
)  # fmt: skip
# No plan reaches further; a day beyond it is a slip in typing the year.
FURTHEST_AHEAD = dt.timedelta(days=5 * 366)


def one_of(field: str, words: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """A choice is stored as a word; the database refuses any other word."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": words.values}), name=name)


def not_before(later: str, earlier: str, name: str) -> models.CheckConstraint:
    """`later` is empty or on/after `earlier`."""
    return models.CheckConstraint(
        condition=Q(**{f"{later}__isnull": True}) | Q(**{f"{later}__gte": models.F(earlier)}),
        name=name,
    )


def within(field: str, low: Any, high: Any, name: str) -> models.CheckConstraint:
    """`field` is empty or lies in [low, high]; None leaves that side open."""
    bounds = Q()
    if low is not None:
        bounds &= Q(**{f"{field}__gte": low})
    if high is not None:
        bounds &= Q(**{f"{field}__lte": high})
    return models.CheckConstraint(condition=Q(**{f"{field}__isnull": True}) | bounds, name=name)


def touch_triggers(patient_column: str = "patient_id") -> list[pgtrigger.Trigger]:
    """Note in `patients_touched`, in the same transaction, whose facts changed.

    A trigger and not code: a bulk insert, a COPY or plain SQL must not slip past the rules.
    """
    func = (
        "INSERT INTO patients_touched (patient_id, touched_at) "  # noqa: S608 - the column is ours
        f"SELECT DISTINCT {patient_column}, now() FROM new_rows; RETURN NULL;"
    )
    return [
        pgtrigger.Trigger(
            name=f"touch_{word}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=pgtrigger.Referencing(new="new_rows"),
            func=func,
        )
        for word, operation in (
            ("insert", pgtrigger.Insert),
            ("update", pgtrigger.Update),
        )
    ]


def only_added_to() -> list[pgtrigger.Trigger]:
    """Rows of a trail are written once: PostgreSQL refuses to change or remove one, whichever code tries."""
    return [pgtrigger.Protect(name="only_added_to", operation=pgtrigger.Update | pgtrigger.Delete)]


class FactQuerySet(models.QuerySet):
    def current(self) -> Self:
        """Neither superseded nor entered in error."""
        return self.filter(retired_at__isnull=True)

    def known_at(self, moment: dt.datetime) -> Self:
        """What a reader of the record saw at `moment`."""
        return self.filter(recorded_at__lte=moment).filter(Q(retired_at__isnull=True) | Q(retired_at__gt=moment))


class PeriodQuerySet(FactQuerySet):
    """Facts that hold from `starts_on` to `ends_on`, both included; no end: until further notice."""

    def active_on(self, day: dt.date) -> Self:
        """Current facts in force on `day`."""
        return self.current().filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day)


class Status(models.TextChoices):
    """Where a fact stands. Whether it is current says `retired_at`."""

    FINAL = "final", _("Final")
    AMENDED = "amended", _("Amended")
    ENTERED_IN_ERROR = "entered_in_error", _("Entered in error")


# Names carry the table, so that one list serves every table of facts.
FACT_CONSTRAINTS: list[models.BaseConstraint] = [
    one_of("status", Status, "%(app_label)s_%(class)s_status"),
    models.CheckConstraint(
        condition=~Q(status="entered_in_error") | Q(retired_at__isnull=False),
        name="%(app_label)s_%(class)s_error_is_retired",
    ),
    models.CheckConstraint(
        condition=Q(retired_at__isnull=True, retired_by__isnull=True)
        | Q(retired_at__isnull=False, retired_by__isnull=False),
        name="%(app_label)s_%(class)s_retired_by_someone",
    ),
    models.CheckConstraint(
        condition=Q(retired_at__isnull=True) | Q(retired_at__gte=models.F("recorded_at")),
        name="%(app_label)s_%(class)s_retired_later",
    ),
]


class Fact(models.Model):
    """Something recorded about a patient. Appended and superseded, never edited."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="%(class)ss")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.FINAL)
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="successor")
    change_reason = models.CharField(max_length=200, blank=True, help_text="Why it was corrected or withdrawn")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    # True where a correction needs more than new values (something is worked out from them): the app of the fact has
    # an action for it, and the general one refuses.
    has_own_correction: ClassVar[bool] = False

    objects = FactQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = FACT_CONSTRAINTS
        triggers = touch_triggers()

    @property
    def is_current(self) -> bool:
        return self.retired_at is None

    def clean(self) -> None:
        """Refuse days that cannot be: what happened lies between birth and the day it is recorded."""
        super().clean()
        errors: dict[str, str] = {}
        today = centre_day(self.recorded_at, self.patient.centre.zone)
        for field in self._meta.concrete_fields:
            value = getattr(self, field.attname)
            if isinstance(field, models.DateTimeField):
                if field.name in ("taken_at", "reported_at") and value is not None and value > self.recorded_at:
                    errors[field.name] = "This moment lies in the future."
            elif isinstance(field, models.DateField) and isinstance(value, dt.date):
                if field.name in HAPPENED and value > today:
                    errors[field.name] = "This day lies in the future."
                elif value > today + FURTHEST_AHEAD:
                    errors[field.name] = "This day is more than five years ahead. Check the year."
                elif value < self.patient.born_on:
                    errors[field.name] = "This day lies before the patient's birth. Check the year."
        if errors:
            raise ValidationError(errors)
