"""The list of the centre's patients, and what stands beside each name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, DecimalField, Exists, F, Min, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Round

from accounts.models import Centre, Membership, Role
from alerts.models import Alert, Upcoming
from clinic.selectors import remission
from clinic.selectors.worklist import ANY, ON_LISTS
from monitoring.analytes import ANALYTES
from monitoring.levels import Level
from monitoring.models import Booking, Result, TestKind
from patients import selectors as patients
from patients.antibodies import POSITIVE_RESULTS
from patients.models import AntibodyResult, FollowUpStatus, Patient
from therapy.formulary import FORMULARY, Kind
from therapy.models import Dose
from therapy.prednisone_equivalent import EQUIVALENT_MG, REFERENCE_MG, SYSTEMIC_ROUTES

STEROID_TARGET_MG = 7.5  # prednisone-equivalent a day, above which a long-term dose is to be questioned
STEROID_LOW_MG = 5
ACTIVE = FollowUpStatus.Word.ACTIVE
NONE = "none"
# Bookings by which somebody of the clinic sees the patient. A scan or a blood test alone is no visit.
SEEN_AT = (TestKind.VISIT, TestKind.ASSESSMENT, TestKind.INFUSION)
# What treats the disease; a statin or a vitamin is no treatment in this sense.
TREATMENTS = {
    code: drug
    for code, drug in FORMULARY.items()
    if drug.kind
    in (Kind.GLUCOCORTICOID, Kind.CONVENTIONAL, Kind.CALCINEURIN, Kind.BIOLOGIC, Kind.IMMUNOGLOBULIN, Kind.JAK)
}
_FOLLOWED = Q(follow_up__isnull=True) | Q(follow_up=ACTIVE)  # whoever has no status on record is


@dataclass(frozen=True)
class PatientFilters:
    """Empty means any.

    status     a word of FollowUpStatus, or "all"
    subtype    a word of Subtype
    antibody   a code of patients/antibodies.py that was ever positive; "none": none ever was
    treatment  a code of the formulary in force today; "none": nothing in force that treats the disease
    steroid    prednisone-equivalent today: "none", "low" (up to 5 mg), "middle" (above 5, up to 7.5), "high" (above)
    clinician  id of the user who follows the patient; "none": nobody
    remission  "yes", "no", "unknown" (clinic/selectors/remission.py)
    next_visit "none": nothing booked ahead at which the patient is seen; "booked"
    sampled    a result was taken in the seven days from this day
    on         a day of the past, by which all of these are judged; without it today
    """

    subtype: str = ""
    status: str = ACTIVE
    antibody: str = ""
    treatment: str = ""
    steroid: str = ""
    clinician: str = ""
    remission: str = ""
    next_visit: str = ""
    sampled: dt.date | None = None
    on: dt.date | None = None


def _everybody(centre: Centre, as_of: dt.date) -> Any:
    """The type checker knows no columns that a query adds, such as `follow_up` here."""
    return patients.with_follow_up(centre.patients.all(), as_of)


def followed(centre: Centre, as_of: dt.date) -> QuerySet[Patient]:
    """Under follow-up on `as_of`; whoever has no status on record is."""
    found: QuerySet[Patient] = _everybody(centre, as_of).filter(_FOLLOWED)
    return found


def listed(centre: Centre, filters: PatientFilters, as_of: dt.date) -> QuerySet[Patient]:
    """Who the filters leave, by name; each with `follow_up`."""
    as_of = min(filters.on or as_of, as_of)
    if filters.status == ACTIVE:
        found = followed(centre, as_of)
    else:
        found = _everybody(centre, as_of)
        if filters.status != ANY:
            found = found.filter(follow_up=filters.status)
    if filters.subtype:
        found = found.filter(subtype=filters.subtype)
    if filters.antibody:
        found = _with_antibody(found, filters.antibody, as_of)
    if filters.treatment:
        found = _on_treatment(found, filters.treatment, as_of)
    if filters.steroid:
        found = _on_steroid(found, centre, filters.steroid, as_of)
    if filters.clinician:
        found = found.filter(clinician=None if filters.clinician == NONE else int(filters.clinician))
    if filters.remission:
        found = remission.of_state(found, centre, filters.remission, as_of)
    if filters.next_visit:
        ahead = Exists(_visits_ahead(as_of).filter(patient=OuterRef("pk")))
        found = found.filter(~ahead if filters.next_visit == NONE else ahead)
    if filters.sampled:
        taken = Result.objects.current().filter(
            patient=OuterRef("pk"),
            analyte__in=[*ANALYTES],
            taken_on__gte=filters.sampled,
            taken_on__lt=filters.sampled + dt.timedelta(days=7),
        )
        found = found.filter(Exists(taken))
    return found.order_by("family_name", "given_name", "id")


def _visits_ahead(as_of: dt.date) -> QuerySet[Booking]:
    return Booking.objects.current().filter(kind__in=SEEN_AT, booked_for__gte=as_of)


def _with_antibody(found: QuerySet[Patient], code: str, as_of: dt.date) -> QuerySet[Patient]:
    positive = AntibodyResult.objects.current().filter(
        patient=OuterRef("pk"), result__in=POSITIVE_RESULTS, taken_on__lte=as_of
    )
    return found.filter(~Exists(positive) if code == NONE else Exists(positive.filter(antibody=code)))


def _on_treatment(found: QuerySet[Patient], code: str, as_of: dt.date) -> QuerySet[Patient]:
    drugs = [*TREATMENTS] if code == NONE else [code]
    taken = Dose.objects.active_on(as_of).filter(
        patient=OuterRef("pk"), amount__gt=0, course__retired_at__isnull=True, course__drug__in=drugs
    )
    return found.filter(~Exists(taken) if code == NONE else Exists(taken))


_STEROID_BANDS = {
    "low": f"pe > 0 AND pe <= {STEROID_LOW_MG}",
    "middle": f"pe > {STEROID_LOW_MG} AND pe <= {STEROID_TARGET_MG}",
    "high": f"pe > {STEROID_TARGET_MG}",
    NONE: "pe > 0",  # whoever is not among these
}


def _on_steroid(found: QuerySet[Patient], centre: Centre, band: str, as_of: dt.date) -> QuerySet[Patient]:
    """By what `dosing.pe_on` says of each: of every drug and route the newest dose in force, added up."""
    factors = Case(
        *(When(course__drug=drug, then=Value(mg)) for drug, mg in EQUIVALENT_MG.items()), output_field=DecimalField()
    )
    newest = (
        Dose.objects.active_on(as_of)
        .filter(
            patient__centre=centre, course__retired_at__isnull=True, course__drug__in=[*EQUIVALENT_MG],
            course__route__in=[*SYSTEMIC_ROUTES],
        )
        .annotate(
            # Twelve decimals tell the smallest differences that doses of three decimals can make.
            pe=Round(F("amount") * F("times") * Value(REFERENCE_MG) / (factors * F("every_days")), precision=12)
        )
        .order_by("patient", "course__drug", "course__route", "-starts_on", "-id")
        .distinct("patient", "course__drug", "course__route")
        .values("patient_id", "pe")
    )  # fmt: skip
    sql, values = newest.query.sql_with_params()
    total = f"SELECT patient_id FROM (SELECT patient_id, sum(pe) AS pe FROM ({sql}) d GROUP BY 1) t WHERE "  # noqa: S608
    chosen = Q(pk__in=RawSQL(total + _STEROID_BANDS[band], values))  # noqa: S611 - the text is ours
    return found.filter(~chosen if band == NONE else chosen)


def clinicians(centre: Centre) -> list[tuple[str, str]]:
    """(id, name) of whoever can follow a patient: the clinicians of the centre, by name."""
    members = Membership.objects.filter(centre=centre, role=Role.CLINICIAN, is_active=True).select_related("user")
    return sorted(((str(m.user_id), str(m.user)) for m in members), key=lambda each: each[1])


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
