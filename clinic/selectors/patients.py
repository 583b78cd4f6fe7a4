"""The list of the centre's patients, and what stands beside each name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Case, Count, DecimalField, Exists, F, Min, OuterRef, Q, QuerySet, Sum, Value, When

from accounts.models import Centre
from alerts.models import Alert, Upcoming
from clinic.selectors.worklist import ANY, ON_LISTS
from monitoring.analytes import ANALYTES
from monitoring.levels import Level
from monitoring.models import Result
from patients import selectors as patients
from patients.models import FollowUpStatus, Patient
from therapy import dosing
from therapy.dosing import DoseRow
from therapy.models import Dose
from therapy.prednisone_equivalent import EQUIVALENT_MG, REFERENCE_MG

STEROID_TARGET_MG = 7.5  # prednisone-equivalent a day, above which a long-term dose is to be questioned
ACTIVE = FollowUpStatus.Word.ACTIVE
_FOLLOWED = Q(follow_up__isnull=True) | Q(follow_up=ACTIVE)  # whoever has no status on record is


@dataclass(frozen=True)
class PatientFilters:
    """Empty means any. `status` knows "all"; `steroid` asks for more than the target dose today; `sampled` for a result
    taken in the seven days from this day."""

    subtype: str = ""
    status: str = ACTIVE
    steroid: bool = False
    sampled: dt.date | None = None


def _everybody(centre: Centre, as_of: dt.date) -> Any:
    """The type checker knows no columns that a query adds, such as `follow_up` here."""
    return patients.with_follow_up(centre.patients.all(), as_of)


def followed(centre: Centre, as_of: dt.date) -> QuerySet[Patient]:
    """Under follow-up on `as_of`; whoever has no status on record is."""
    found: QuerySet[Patient] = _everybody(centre, as_of).filter(_FOLLOWED)
    return found


def listed(centre: Centre, filters: PatientFilters, as_of: dt.date) -> QuerySet[Patient]:
    """Who the filters leave, by name; each with `follow_up`."""
    if filters.status == ACTIVE:
        found = followed(centre, as_of)
    else:
        found = _everybody(centre, as_of)
        if filters.status != ANY:
            found = found.filter(follow_up=filters.status)
    if filters.subtype:
        found = found.filter(subtype=filters.subtype)
    if filters.steroid:
        found = found.filter(pk__in=[*above_steroid_target(centre, as_of)])
    if filters.sampled:
        taken = Result.objects.current().filter(
            patient=OuterRef("pk"),
            analyte__in=[*ANALYTES],
            taken_on__gte=filters.sampled,
            taken_on__lt=filters.sampled + dt.timedelta(days=7),
        )
        found = found.filter(Exists(taken))
    return found.order_by("family_name", "given_name", "id")


def above_steroid_target(centre: Centre, as_of: dt.date) -> dict[int, Fraction]:
    """Patients who take more prednisone-equivalent than the target today, with their mg a day. One query."""
    doses = Dose.objects.current().filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=as_of),
        patient__centre=centre,
        course__retired_at__isnull=True,
        course__drug__in=[*EQUIVALENT_MG],
        starts_on__lte=as_of,
    )
    # Of most people the doses do not reach it even if all of them counted: those stay in the database.
    factor = Case(*(When(course__drug=drug, then=Value(REFERENCE_MG / mg)) for drug, mg in EQUIVALENT_MG.items()))
    most = Sum(F("amount") * F("times") * factor / F("every_days"), output_field=DecimalField())
    rounded = Decimal("0.001")  # what the factors may lack
    possible = (
        doses.order_by()
        .values("patient")
        .annotate(most=most)
        .filter(most__gt=Decimal(str(STEROID_TARGET_MG)) - rounded)
    )
    rows: dict[int, list[DoseRow]] = {}
    for row in doses.filter(patient__in=possible.values("patient")).values_list(
        "patient_id", "id", "course_id", "course__drug", "course__route", "starts_on", "ends_on", "amount", "times",
        "every_days",
    ):  # fmt: skip
        rows.setdefault(row[0], []).append(DoseRow(*row[1:]))
    taken = {patient: dosing.pe_on(own, as_of) for patient, own in rows.items()}
    return {patient: mg for patient, mg in taken.items() if mg > Fraction(str(STEROID_TARGET_MG))}


@dataclass(frozen=True)
class PatientRow:
    patient: Patient
    age: int
    status: str
    is_followed: bool
    level: str
    alerts: int
    due_on: dt.date | None


def patient_rows(found: Sequence[Patient], as_of: dt.date) -> list[PatientRow]:
    """What stands beside the names of one page. Two queries."""
    ids = [patient.pk for patient in found]
    waiting = Alert.objects.filter(patient__in=ids, closed_at__isnull=True, level__in=ON_LISTS)
    levels: dict[int, dict[str, int]] = {}
    for pk, level, number in waiting.order_by().values_list("patient", "level").annotate(n=Count("pk")):
        levels.setdefault(pk, {})[level] = number
    due = dict(Upcoming.objects.filter(patient__in=ids).order_by().values_list("patient").annotate(on=Min("due_on")))
    words = dict(FollowUpStatus.Word.choices)
    rows = []
    for patient in found:
        own = levels.get(patient.pk, {})
        status = getattr(patient, "follow_up", None) or ACTIVE
        rows.append(
            PatientRow(
                patient=patient,
                age=patient.age_on(as_of),
                status=str(words[status]),
                is_followed=status == ACTIVE,
                level=min(own, key=lambda level: Level(level).rank, default=""),
                alerts=sum(own.values()),
                due_on=due.get(patient.pk),
            )
        )
    return rows


def found_by_name(centre: Centre, text: str, as_of: dt.date, limit: int) -> list[Patient]:
    """At most `limit` whose name or number begins with `text`, whatever their status; each with `follow_up`."""
    return list(patients.with_follow_up(patients.matching(centre, text), as_of)[:limit])
