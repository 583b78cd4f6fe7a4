"""The list of the centre's patients, and what stands beside each name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, DecimalField, Exists, F, Min, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Round
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.models import Centre, Membership, Role
from alerts.models import ON_LISTS, Alert, Upcoming
from clinic.selectors import remission
from clinic.selectors.worklist import ANY
from common.prepared import prepared
from monitoring.analytes import ANALYTES
from monitoring.levels import Level
from monitoring.models import Booking, Result, TestKind
from patients import selectors as patients
from patients.antibodies import ANTIBODIES, POSITIVE_RESULTS
from patients.models import AntibodyResult, FollowUpStatus, Patient, Subtype
from therapy.dosing import name_of
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
    """Under follow-up on `as_of`; whoever has no status on record is.

    Those who are not are few, and found at once: the newest status of each of 100,000 would be looked up one by one.
    """
    known = FollowUpStatus.objects.current().filter(patient__centre=centre, starts_on__lte=as_of)
    newest = known.order_by("patient", "-starts_on", "-id").distinct("patient")
    left = FollowUpStatus.objects.filter(pk__in=newest.values("pk")).exclude(word=ACTIVE)
    found: QuerySet[Patient] = centre.patients.annotate(follow_up=Value(ACTIVE.value))
    return found.exclude(pk__in=left.values("patient"))


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
        found = found.filter(on_steroid(centre, filters.steroid, as_of))
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
    listed: QuerySet[Patient] = found.select_related("clinician").order_by("family_name", "given_name", "id")
    return listed


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


def on_steroid(centre: Centre, band: str, as_of: dt.date) -> Q:
    """Takes a dose of this band, by what `dosing.pe_on` says of each: of every drug and route the newest dose in force,
    added up.
    """
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
    return ~chosen if band == NONE else chosen


def clinicians(centre: Centre) -> list[tuple[str, str]]:
    """(id, name) of whoever can follow a patient: the clinicians of the centre, by name."""
    return sorted(((str(m.user_id), str(m.user)) for m in _members(centre, Role.CLINICIAN)), key=lambda each: each[1])


@prepared
def _members(centre: Centre, role: str) -> QuerySet[Membership]:
    return Membership.objects.filter(centre=centre, role=role, is_active=True).select_related("user")


def definition(filters: PatientFilters, centre: Centre) -> list[str]:
    """What the list is of, in words: one phrase for each filter."""
    words = dict(FollowUpStatus.Word.choices)
    if filters.status == ANY:
        said = [_("everybody registered")]
    elif filters.status == ACTIVE:
        said = [_("under follow-up today")]
    else:
        said = [_("with the status “%(status)s” today") % {"status": words.get(filters.status, filters.status)}]
    if filters.subtype:
        said.append(_("with the subtype “%(subtype)s”") % {"subtype": dict(Subtype.choices)[filters.subtype]})
    if filters.antibody == NONE:
        said.append(_("without any antibody that was ever positive"))
    elif filters.antibody:
        said.append(_("ever positive for %(antibody)s") % {"antibody": ANTIBODIES[filters.antibody].name})
    if filters.treatment == NONE:
        said.append(_("with nothing in force today that treats the disease"))
    elif filters.treatment:
        said.append(_("with a dose of %(drug)s in force today") % {"drug": _(name_of(filters.treatment))})
    if filters.steroid:
        said.append(_STEROID_WORDS[filters.steroid]() % {"low": STEROID_LOW_MG, "high": STEROID_TARGET_MG})
    if filters.clinician == NONE:
        said.append(_("followed by nobody in particular"))
    elif filters.clinician:
        said.append(_("followed by %(name)s") % {"name": dict(clinicians(centre)).get(filters.clinician, "")})
    if filters.remission:
        said.append(_REMISSION_WORDS[filters.remission]())
    if filters.next_visit == NONE:
        said.append(_("without a visit, assessment or infusion booked for today or later"))
    elif filters.next_visit:
        said.append(_("with a visit, assessment or infusion booked for today or later"))
    if filters.sampled:
        day = formats.date_format(filters.sampled, "DATE_FORMAT")
        said.append(_("with a result taken in the week from %(day)s") % {"day": day})
    if filters.on:
        said.append(_("all as the record says of %(day)s") % {"day": formats.date_format(filters.on, "DATE_FORMAT")})
    return said


_STEROID_WORDS = {
    NONE: lambda: _("taking no systemic glucocorticoid today"),
    "low": lambda: _("taking up to %(low)s mg of prednisone-equivalent today"),
    "middle": lambda: _("taking more than %(low)s and up to %(high)s mg of prednisone-equivalent today"),
    "high": lambda: _("taking more than %(high)s mg of prednisone-equivalent today"),
}
_REMISSION_WORDS = {
    remission.YES: lambda: _("in remission"),
    remission.NO: lambda: _("not in remission"),
    remission.ASSESSED: lambda: _("with an assessment of the last 12 months that says whether in remission"),
    remission.UNKNOWN: lambda: _("without an assessment of the last 12 months that could say whether in remission"),
}


@dataclass(frozen=True)
class PatientRow:
    patient: Patient
    age: int
    status: str
    is_followed: bool
    level: str
    alerts: int
    due_on: dt.date | None
    visit_on: dt.date | None


def patient_rows(found: Sequence[Patient], as_of: dt.date) -> list[PatientRow]:
    """What stands beside the names of one page. Three queries."""
    ids = [patient.pk for patient in found]
    waiting = Alert.objects.filter(patient__in=ids, closed_at__isnull=True, level__in=ON_LISTS)
    levels: dict[int, dict[str, int]] = {}
    for pk, level, number in waiting.order_by().values_list("patient", "level").annotate(n=Count("pk")):
        levels.setdefault(pk, {})[level] = number
    due = dict(Upcoming.objects.filter(patient__in=ids).order_by().values_list("patient").annotate(on=Min("due_on")))
    visits = dict(
        _visits_ahead(as_of).filter(patient__in=ids).order_by().values_list("patient").annotate(on=Min("booked_for"))
    )
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
                visit_on=visits.get(patient.pk),
            )
        )
    return rows


def found_by_name(centre: Centre, text: str, as_of: dt.date, limit: int) -> list[Patient]:
    """At most `limit` whose name or number begins with `text`, whatever their status; each with `follow_up`."""
    found = patients.matching(centre, text, limit).select_related("clinician")
    return list(patients.with_follow_up(found, as_of)[:limit])


def booked_ahead(found: Sequence[Patient], as_of: dt.date) -> dict[int, list[Booking]]:
    """What is booked for each from today on, the soonest first. One query."""
    ahead: dict[int, list[Booking]] = {}
    rows = Booking.objects.current().filter(patient__in=[p.pk for p in found], booked_for__gte=as_of)
    for booking in rows.order_by("booked_for", "id"):
        ahead.setdefault(booking.patient_id, []).append(booking)
    return ahead


def antibodies_of(found: Sequence[Patient], as_of: dt.date) -> dict[int, list[str]]:
    """Names of the antibodies that were ever positive, of each. One query."""
    rows = (
        AntibodyResult.objects.current()
        .filter(patient__in=[p.pk for p in found], result__in=POSITIVE_RESULTS, taken_on__lte=as_of)
        .order_by("patient", "antibody")
        .values_list("patient", "antibody")
        .distinct()
    )
    names: dict[int, list[str]] = {}
    for pk, code in rows:
        names.setdefault(pk, []).append(ANTIBODIES[code].name if code in ANTIBODIES else code)
    return names


def treatment_of(found: Sequence[Patient], as_of: dt.date) -> dict[int, list[str]]:
    """Names of the drugs that treat the disease and have a dose in force, of each. One query."""
    rows = (
        Dose.objects.active_on(as_of)
        .filter(
            patient__in=[p.pk for p in found], amount__gt=0, course__retired_at__isnull=True,
            course__drug__in=[*TREATMENTS],
        )
        .order_by("patient", "course__drug")
        .values_list("patient", "course__drug")
        .distinct()
    )  # fmt: skip
    names: dict[int, list[str]] = {}
    for pk, code in rows:
        names.setdefault(pk, []).append(_(name_of(code)))
    return names
