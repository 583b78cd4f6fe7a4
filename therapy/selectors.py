"""Named questions about treatment. Doses are few; the arithmetic is plain Python over rows (therapy/dosing.py)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import F, FilteredRelation, Min, Q, QuerySet, Sum

from common.prepared import prepared
from patients.models import Patient
from therapy import dosing
from therapy.dosing import DoseRow
from therapy.formulary import FORMULARY, GLUCOCORTICOIDS, Drug, Severity, clashes
from therapy.lines import Stop
from therapy.models import (
    Course,
    CourseStop,
    Dose,
    EscalationDecision,
    Infusion,
    PhysioDecline,
    PhysioPlan,
    PhysioSession,
    Route,
    SessionWord,
    TaperHold,
    TaperPlan,
    TaperStep,
)
from therapy.prednisone_equivalent import as_decimal

DECLINE_LASTS_DAYS = 183


def dose_rows(patient: Patient, as_of: dt.date | None = None) -> list[DoseRow]:
    """Every current dose of the current courses, begun by `as_of` where given, oldest first. One query."""
    return [DoseRow(*row) for row in (_all_doses(patient) if as_of is None else _doses_by(patient, as_of))]


@prepared
def _all_doses(patient: Patient) -> QuerySet[Dose, tuple[Any, ...]]:
    found = Dose.objects.current().filter(patient=patient, course__retired_at__isnull=True)
    return found.order_by("starts_on", "id").values_list(
        "id", "course_id", "course__drug", "course__route", "starts_on", "ends_on", "amount", "times", "every_days"
    )


@prepared
def _doses_by(patient: Patient, as_of: dt.date) -> QuerySet[Dose, tuple[Any, ...]]:
    found: QuerySet[Dose, tuple[Any, ...]] = _all_doses.ask(patient)
    return found.filter(starts_on__lte=as_of)


def taken_between(patient: Patient, first: dt.date, last: dt.date | None) -> set[str]:
    """Drugs with a dose on some day from `first` to `last` (None: from then on), and those given as single infusions
    that were not stopped before. Two queries.
    """
    doses = Dose.objects.current().filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=first), patient=patient, course__retired_at__isnull=True
    )
    if last is not None:
        doses = doses.filter(starts_on__lte=last)
    stopped = CourseStop.objects.current().filter(patient=patient, stopped_on__lt=first)
    infused = Course.objects.current().filter(patient=patient, route=Route.INTRAVENOUS)
    infused = infused.exclude(pk__in=stopped.values("course"))
    return {*doses.values_list("course__drug", flat=True), *infused.values_list("drug", flat=True)}


def to_avoid(patient: Patient, drug: Drug, first: dt.date, last: dt.date | None) -> list[str]:
    """Pairs that `drug` would make from `first` to `last` and better does not, each with what happens."""
    return [
        dosing.clash_in_words(drug, clash.other, clash.interaction)
        for clash in clashes(drug, taken_between(patient, first, last))
        if clash.other and clash.interaction.severity is Severity.AVOID
    ]


def glucocorticoid_rows(patient: Patient, as_of: dt.date) -> list[DoseRow]:
    """Every current dose of a systemic glucocorticoid by `as_of`, pulses given as infusions included: what the rules
    count. Infusions of one drug on one day are one. Two queries.
    """
    given = (
        Infusion.objects.current()
        .filter(
            patient=patient, given_on__lte=as_of, course__retired_at__isnull=True, course__drug__in=GLUCOCORTICOIDS,
            course__route=Route.INTRAVENOUS,
        )
        .values_list("course__drug", "course__route", "given_on")
        .annotate(total=Sum("amount"), first=Min("id"), of_course=Min("course_id"))
    )  # fmt: skip
    pulses = [
        DoseRow(first, course, drug, route, day, day, total, given=True)
        for drug, route, day, total, first, course in given
    ]
    return [*(row for row in dose_rows(patient, as_of) if row.is_systemic_glucocorticoid), *pulses]


def line_rows(patient: Patient, as_of: dt.date) -> tuple[list[DoseRow], list[Stop]]:
    """What therapy/lines.py asks for: doses by `as_of` that outlast no stop of their course, infusions into a vein, and
    the stops by then. Three queries.
    """
    stops = [
        Stop(*row)
        for row in CourseStop.objects.current()
        .filter(patient=patient, stopped_on__lte=as_of, course__retired_at__isnull=True)
        .order_by("stopped_on", "id")
        .values_list("course_id", "course__drug", "stopped_on", "reason", "note")
    ]
    stopped = {stop.course_id: stop.on for stop in stops}
    rows = []
    for row in dose_rows(patient, as_of):
        until = min(filter(None, [row.ends_on, stopped.get(row.course_id)]), default=None)
        if until is None or until >= row.starts_on:
            rows.append(replace(row, ends_on=until))
    given = (
        Infusion.objects.current()
        .filter(
            patient=patient, given_on__lte=as_of, course__retired_at__isnull=True, course__route=Route.INTRAVENOUS
        )
        .values_list("course__drug", "course__route", "given_on")
        .annotate(total=Sum("amount"), first=Min("id"), of_course=Min("course_id"))
    )  # fmt: skip
    infused = [
        DoseRow(first, course, drug, route, day, day, total, given=True)
        for drug, route, day, total, first, course in given
    ]
    return [*rows, *infused], stops


def escalation_decisions(patient: Patient, as_of: dt.date) -> list[EscalationDecision]:
    """Newest first. One query."""
    rows = EscalationDecision.objects.current().filter(patient=patient, decided_on__lte=as_of)
    return list(rows.select_related("recorded_by").order_by("-decided_on", "-id"))


def pulses_of(infusions: Iterable[Infusion]) -> list[DoseRow]:
    """The doses of `glucocorticoid_rows` among infusions that are already read, with their courses."""
    by_day: dict[tuple[str, dt.date], list[Infusion]] = {}
    for infusion in infusions:
        course = infusion.course
        if course.drug in GLUCOCORTICOIDS and course.route == Route.INTRAVENOUS:
            by_day.setdefault((course.drug, infusion.given_on), []).append(infusion)
    return [
        DoseRow(
            min(i.pk for i in given), given[0].course_id, drug, Route.INTRAVENOUS, day, day,
            sum((i.amount for i in given), Decimal(0)), given=True,
        )
        for (drug, day), given in by_day.items()
    ]  # fmt: skip


def pe_on_day(patient: Patient, day: dt.date) -> Fraction:
    """Prednisone-equivalent mg/day on `day`, exact. One query."""
    return dosing.pe_on(dose_rows(patient, day), day)


@dataclass(frozen=True)
class TreatmentLine:
    """One drug as it is taken on a day. `per_kg` is its unit per kg a day; `since` the first day of the course."""

    course_id: int
    drug: str
    name: str
    route: str
    dose: str
    since: dt.date
    dose_since: dt.date
    ends_on: dt.date | None
    unit: str
    per_kg: Decimal | None
    pe_mg: Decimal | None


def treatment_lines(rows: Sequence[DoseRow], as_of: dt.date, weight_kg: Decimal | None = None) -> list[TreatmentLine]:
    """What is taken on `as_of`, from `dose_rows`; with mg/kg where the weight is known. No query."""
    lines = []
    for row in dosing.newest_of_each(rows, as_of):
        drug = FORMULARY.get(row.drug)
        lines.append(
            TreatmentLine(
                course_id=row.course_id,
                drug=row.drug,
                name=dosing.name_of(row.drug),
                route=str(Route(row.route).label),
                dose=dosing.in_words(drug, row.amount, row.times, row.every_days) if drug else str(row.amount),
                since=min(r.starts_on for r in rows if r.course_id == row.course_id),
                dose_since=row.starts_on,
                ends_on=row.ends_on,
                unit=drug.unit if drug else "",
                per_kg=dosing.per_kg(row, weight_kg),
                pe_mg=as_decimal(dosing.pe_on([row], as_of)) if row.is_systemic_glucocorticoid else None,
            )
        )
    return sorted(lines, key=lambda line: (line.since, line.course_id))


@dataclass(frozen=True)
class CourseView:
    """A course with its doses, oldest first, and its stop where it has one."""

    course: Course
    name: str
    doses: Sequence[Dose]
    stop: CourseStop | None

    @property
    def starts_on(self) -> dt.date | None:
        return self.doses[0].starts_on if self.doses else None


def courses(patient: Patient) -> list[CourseView]:
    """All current courses, newest first. Three queries."""
    doses: dict[int, list[Dose]] = {}
    for dose in _doses(patient):
        doses.setdefault(dose.course_id, []).append(dose)
    stops = {stop.course_id: stop for stop in _stops(patient)}
    views = [CourseView(c, dosing.name_of(c.drug), doses.get(c.pk, []), stops.get(c.pk)) for c in _courses(patient)]
    return sorted(views, key=lambda view: (view.starts_on or dt.date.min, view.course.pk), reverse=True)


@prepared
def _courses(patient: Patient) -> QuerySet[Course]:
    return Course.objects.current().filter(patient=patient)


@prepared
def _doses(patient: Patient) -> QuerySet[Dose]:
    return Dose.objects.current().filter(patient=patient).order_by("starts_on", "id")


@prepared
def _stops(patient: Patient) -> QuerySet[CourseStop]:
    return CourseStop.objects.current().filter(patient=patient)


@prepared
def infusions(patient: Patient, as_of: dt.date, *, limit: int = 50) -> QuerySet[Infusion]:
    """The newest `limit` infusions given by `as_of`, newest first, with their courses."""
    found = Infusion.objects.current().filter(patient=patient, given_on__lte=as_of, course__retired_at__isnull=True)
    return found.select_related("course").order_by("-given_on", "-id")[:limit]


# -------------------------------------------------------------------------------------------------------------- taper


@dataclass(frozen=True)
class StepView:
    step: TaperStep
    confirmed_on: dt.date | None


@dataclass(frozen=True)
class TaperView:
    """A plan that is not over. `next_step` is the earliest unconfirmed step; `hold` the one in force."""

    plan: TaperPlan
    steps: Sequence[StepView]
    hold: TaperHold | None

    @property
    def next_step(self) -> TaperStep | None:
        return next((view.step for view in self.steps if view.confirmed_on is None), None)


def steps_of(plan: TaperPlan) -> list[StepView]:
    """Current steps by day, each with the day it was confirmed. One query."""
    return _views(_steps_of(plan)).get(plan.pk, [])


@prepared
def _steps_of(plan: TaperPlan) -> QuerySet[TaperStep]:
    return _with_confirmations().filter(plan=plan)


def _with_confirmations() -> QuerySet[TaperStep]:
    """A step stands as often as it was confirmed, also wrongly."""
    found: QuerySet[TaperStep] = (
        TaperStep.objects.current()
        .annotate(confirmed=F("confirmations__confirmed_on"), unconfirmed_at=F("confirmations__retired_at"))
        .order_by("step_on", "id", F("confirmations__id").asc(nulls_first=True))
    )
    return found


def _views(rows: Iterable[Any]) -> dict[int, list[StepView]]:
    views: dict[int, dict[int, StepView]] = {}
    for step in rows:
        counts = step.confirmed is not None and step.unconfirmed_at is None
        of_plan = views.setdefault(step.plan_id, {})
        if step.pk not in of_plan or counts:
            of_plan[step.pk] = StepView(step, step.confirmed if counts else None)
    return {plan: list(steps.values()) for plan, steps in views.items()}


def active_tapers(patient: Patient, as_of: dt.date) -> list[TaperView]:
    """Plans neither ended by `as_of` nor confirmed to their last step, newest first; on hold or not. Three queries."""
    plans = _taper_plans(patient, as_of)
    if not plans:
        return []
    steps = _views(_taper_steps(patient, as_of))
    holds = {hold.plan_id: hold for hold in _taper_holds(patient, as_of)}  # the newest stays
    return [
        TaperView(plan, steps[plan.pk], holds.get(plan.pk))
        for plan in plans
        if any(view.confirmed_on is None for view in steps.get(plan.pk, []))
    ]


@prepared
def _taper_plans(patient: Patient, as_of: dt.date) -> QuerySet[TaperPlan]:
    # "Not ended" must look at the ends that count: a retired one does not end a plan.
    ended = TaperPlan.objects.filter(patient=patient, ends__retired_at__isnull=True, ends__ended_on__lt=as_of)
    return TaperPlan.objects.current().filter(patient=patient).exclude(pk__in=ended.values("pk")).order_by("-id")


def _plans(patient: Patient, as_of: dt.date) -> QuerySet[TaperPlan, Any]:
    found: QuerySet[TaperPlan] = _taper_plans.ask(patient, as_of)
    return found.order_by().values("pk")


@prepared
def _taper_steps(patient: Patient, as_of: dt.date) -> QuerySet[TaperStep]:
    return _with_confirmations().filter(plan__in=_plans(patient, as_of))


@prepared
def _taper_holds(patient: Patient, as_of: dt.date) -> QuerySet[TaperHold]:
    return TaperHold.objects.active_on(as_of).filter(plan__in=_plans(patient, as_of)).order_by("id")


def active_taper(patient: Patient, as_of: dt.date) -> TaperView | None:
    """The newest of `active_tapers`."""
    return next(iter(active_tapers(patient, as_of)), None)


# ------------------------------------------------------------------------------------------------------ physiotherapy


@prepared
def active_physio_plans(patient: Patient, as_of: dt.date) -> QuerySet[PhysioPlan]:
    """Plans begun and not ended by `as_of`, newest first; paused or not."""
    ended = PhysioPlan.objects.filter(patient=patient, ends__retired_at__isnull=True, ends__ended_on__lt=as_of).values(
        "pk"
    )
    return (
        PhysioPlan.objects.current()
        .filter(patient=patient, starts_on__lte=as_of)
        .exclude(pk__in=ended)
        .order_by("-starts_on", "-id")
    )


@dataclass(frozen=True)
class SessionView:
    """A session and what became of it; `word` is empty while nothing is recorded."""

    session: PhysioSession
    word: str
    outcome_id: int | None

    @property
    def label(self) -> str:
        return str(SessionWord(self.word).label) if self.word else ""


def sessions(plan: PhysioPlan, limit: int = 60) -> list[SessionView]:
    """The newest `limit` sessions, booked ones ahead included, newest first. One query."""
    found: list[Any] = _sessions(plan, limit=limit)
    return [SessionView(session, session.recorded or "", session.recorded_as) for session in found]


@prepared
def _sessions(plan: PhysioPlan, *, limit: int) -> QuerySet[PhysioSession]:
    outcome = FilteredRelation("outcomes", condition=Q(outcomes__retired_at__isnull=True))  # one at most
    found: QuerySet[PhysioSession] = PhysioSession.objects.current().filter(plan=plan).alias(outcome=outcome)
    found = found.annotate(recorded=F("outcome__word"), recorded_as=F("outcome__id"))
    return found.order_by("-held_on", "-id")[:limit]


def decline_on(patient: Patient, as_of: dt.date) -> PhysioDecline | None:
    """The refusal of physiotherapy in force on `as_of`: until its end, or 183 days where it has none."""
    long_ago = as_of - dt.timedelta(days=DECLINE_LASTS_DAYS)
    return (
        PhysioDecline.objects.current()
        .filter(
            Q(ends_on__gte=as_of) | Q(ends_on__isnull=True, declined_on__gte=long_ago),
            patient=patient,
            declined_on__lte=as_of,
        )
        .order_by("-declined_on", "-id")
        .first()
    )
