"""What the taper pages show: the plan beside what was taken, and what speaks against the next step."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from accounts.models import Centre
from alerts.models import Alert
from clinic.selectors.patient import Address, AlertLine, open_alerts
from clinic.selectors.treatment import Weight, weight
from clinic.templatetags.days import plain
from common.dates import days_since
from monitoring.levels import Level
from monitoring.rules import RULES
from patients.models import Patient
from therapy import dosing, tablets
from therapy import selectors as therapy
from therapy.dosing import DoseRow
from therapy.formulary import FORMULARY
from therapy.models import Course, Route, StockedTablet, TaperConfirmation, TaperEnd, TaperHold, TaperPlan, TaperStep
from therapy.prednisone_equivalent import as_decimal
from therapy.taper_templates import TEMPLATES, cumulative_mg
from therapy.totals import cumulative_pe

ACTIVITY = frozenset({"ck-rising", "deterioration"})
FLARE = ACTIVITY | {"taper-dose-raised"}
USUAL_DRUG = "prednisolone"  # where nobody takes a glucocorticoid by mouth yet
LAST_STEP_SHOWN_DAYS = 27  # the last dose goes on; a calendar ends after four weeks of it
MOST_MONTHS = 24
OVERDUE_AFTER_DAYS = 7  # as the rule taper-step-overdue counts
PAST_PLANS = 20


@dataclass(frozen=True)
class Flare:
    """A sign of activity that came up while a step was in force, `days` after its first day."""

    title: str
    on: dt.date
    days: int
    alert: Alert


@dataclass(frozen=True)
class TabletPlan:
    """A glucocorticoid by mouth and the strengths of its tablets at hand; `strengths` empty: nobody has said."""

    drug: str
    name: str
    strengths: Sequence[Decimal]

    def words(self, dose_pe_mg: Decimal) -> str:
        """ "3 x 5 mg + 1 x 2.5 mg" for a step, or what could be made instead; empty where nobody has said what is at
        hand.
        """
        amount = self._amount(dose_pe_mg)
        if amount is None:
            return ""
        made = tablets.fewest(amount, self.strengths)
        if made is not None:
            return " + ".join(f"{count} × {plain(strength)} mg" for strength, count in made.counts) or _("none")
        return _("not possible with whole tablets; %(nearest)s") % {"nearest": self._nearest(amount)}

    def not_made(self, doses_pe_mg: Iterable[Decimal]) -> list[str]:
        """Doses that these tablets do not make, each once, with the nearest that they do."""
        found = []
        for dose in dict.fromkeys(doses_pe_mg):
            amount = self._amount(dose)
            if amount is not None and tablets.fewest(amount, self.strengths) is None:
                found.append(_("%(mg)s mg, %(nearest)s") % {"mg": plain(dose), "nearest": self._nearest(amount)})
        return found

    def _amount(self, dose_pe_mg: Decimal) -> Decimal | None:
        """mg of the drug; None where no tablets can be told."""
        amount = dosing.drug_amount_for_pe(FORMULARY[self.drug], dose_pe_mg)
        return amount if self.strengths and amount is not None and 0 <= amount <= tablets.MOST_MG else None

    def _nearest(self, amount: Decimal) -> str:
        below, above = tablets.nearest(amount, self.strengths)
        if below and above:
            return _("nearest %(below)s mg or %(above)s mg") % {"below": plain(below), "above": plain(above)}
        return _("nearest %(mg)s mg") % {"mg": plain(below or above or Decimal(0))}


@dataclass(frozen=True)
class StepLine:
    """A step beside what was taken. `taken` is the prednisone-equivalent on the last day of the step so far; None while
    the step lies ahead. `state`: confirmed, due, overdue, ahead. `is_next`: the one that can be confirmed.
    """

    step: TaperStep
    until: dt.date | None
    taken: Decimal | None
    confirmed_on: dt.date | None
    state: str
    is_next: bool
    tablets: str
    flares: Sequence[Flare]

    @property
    def differs(self) -> str:
        """Whether more or less was taken than planned."""
        if self.taken is None or self.taken == self.step.dose_pe_mg:
            return ""
        return "more" if self.taken > self.step.dose_pe_mg else "less"


@dataclass(frozen=True)
class CourseChoice:
    """A glucocorticoid that is taken now. `follows`: taken once a day, so that a step can set its dose."""

    course_id: int
    words: str
    follows: bool


@dataclass(frozen=True)
class RunningPlan:
    plan: TaperPlan
    name: str
    lines: Sequence[StepLine]
    hold: TaperHold | None
    ends_on: dt.date | None
    planned_mg: Decimal
    taken_mg: Decimal

    @property
    def next(self) -> StepLine | None:
        return next((line for line in self.lines if line.is_next), None)


@dataclass(frozen=True)
class PastPlan:
    plan: TaperPlan
    name: str
    starts_on: dt.date | None
    last_on: dt.date | None
    doses: Sequence[Decimal]
    confirmed: int
    why: str


@dataclass(frozen=True)
class TaperPage:
    running: RunningPlan | None
    past: Sequence[PastPlan]
    signs: Sequence[AlertLine]
    choices: Sequence[CourseChoice]
    pe_mg: Decimal
    weight: Weight | None
    tablets: TabletPlan


@dataclass(frozen=True)
class CalendarDay:
    day: dt.date
    dose_pe_mg: Decimal
    is_first: bool  # the dose changes on this day


@dataclass(frozen=True)
class Calendar:
    """The doses of a plan by month, weeks from Monday; None where a day lies outside the month or the plan, and no week
    without a day of the plan. `hold` is the hold in force: while it lasts, the doses are not as planned.
    """

    months: Sequence[tuple[dt.date, Sequence[Sequence[CalendarDay | None]]]]
    steps: Sequence[tuple[dt.date, dt.date | None, Decimal, str]]  # from, until, mg, tablets
    drug: str
    hold: TaperHold | None = None

    @property
    def weekdays(self) -> list[str]:
        return [str(WEEKDAYS_ABBR[number]) for number in range(7)]


def name_of(template: str) -> str:
    return _(TEMPLATES[template].name) if template in TEMPLATES else _("Steps of its own")


def signs_of_activity(patient: Patient, address: Address) -> list[AlertLine]:
    """Open alerts that speak against going down: a rise of creatine kinase or a deterioration, at ACTION or worse."""

    def speaks(line: AlertLine) -> bool:
        alert = line.alert
        if "signs-open" in (alert.evidence.get("reasons") or ()):
            return True  # the rule of the step has found them itself
        return alert.rule in ACTIVITY and alert.level in (Level.URGENT, Level.ACTION)

    return [line for line in open_alerts(patient, address) if speaks(line)]


def page(patient: Patient, as_of: dt.date, address: Address) -> TaperPage:
    """A bounded number of queries: nothing is asked for each plan or step."""
    rows = therapy.dose_rows(patient)
    view = therapy.active_taper(patient, as_of)
    choices = course_choices(patient, rows, as_of)
    pills = tablet_plan(patient.centre, rows, as_of)
    return TaperPage(
        running=_running(view, rows, as_of, pills, flares(patient)) if view is not None else None,
        past=_past(patient, view.plan.pk if view is not None else None),
        signs=signs_of_activity(patient, address),
        choices=choices,
        tablets=pills,
        pe_mg=as_decimal(dosing.pe_on(rows, as_of)),
        weight=weight(patient, as_of),
    )


def tablet_plan(centre: Centre, rows: Sequence[DoseRow], as_of: dt.date) -> TabletPlan:
    """The glucocorticoid taken by mouth on `as_of`, or the usual one, and the strengths this centre has of it."""
    taken = [
        row.drug
        for row in dosing.newest_of_each(rows, as_of)
        if row.is_systemic_glucocorticoid and row.route == Route.ORAL
    ]
    drug = taken[0] if taken else USUAL_DRUG
    return TabletPlan(drug, dosing.name_of(drug), stocked(centre).get(drug, []))


def stocked(centre: Centre) -> Mapping[str, Sequence[Decimal]]:
    """Strengths of tablets at hand by drug, weakest first."""
    found: dict[str, list[Decimal]] = {}
    rows = StockedTablet.objects.filter(centre=centre).order_by("drug", "strength_mg")
    for drug, strength in rows.values_list("drug", "strength_mg"):
        found.setdefault(drug, []).append(strength)
    return found


def flares(patient: Patient) -> list[Alert]:
    """Signs of activity ever found, and doses raised, oldest first: each belongs to the step it came up under."""
    found = Alert.objects.filter(patient=patient, rule__in=FLARE).exclude(level=Level.INFO, rule__in=ACTIVITY)
    signs = list(found.only("public_id", "rule", "level", "opened_at", "patient").order_by("opened_at", "pk"))
    for sign in signs:
        sign.patient = patient  # the same row, already read
    return signs


def running_calendar(patient: Patient, as_of: dt.date) -> Calendar | None:
    """The plan that runs, for the patient to take home; None where none does."""
    view = therapy.active_taper(patient, as_of)
    if view is None or not view.steps:
        return None
    pills = tablet_plan(patient.centre, therapy.dose_rows(patient), as_of)
    steps = [(entry.step.step_on, entry.step.dose_pe_mg) for entry in view.steps]
    return replace(calendar_of(steps, pills, as_of), hold=view.hold)


def calendar_of(steps: Sequence[tuple[dt.date, Decimal]], pills: TabletPlan, as_of: dt.date) -> Calendar:
    """Days from the month of `as_of` (of the first step, where that is later) to four weeks of the last dose."""
    one = dt.timedelta(days=1)
    last = steps[-1][0] + LAST_STEP_SHOWN_DAYS * one
    begin = max(steps[0][0], as_of)
    month = begin.replace(day=1)
    months: list[tuple[dt.date, list[list[CalendarDay | None]]]] = []
    while month <= last and len(months) < MOST_MONTHS:
        weeks = [
            [_of_day(day, month, steps, last) for day in week]
            for week in calendar.Calendar().monthdatescalendar(month.year, month.month)
        ]
        months.append((month, [week for week in weeks if any(week)]))
        month = (month + 32 * one).replace(day=1)
    listed = []
    for index, (on, dose) in enumerate(steps):
        until = steps[index + 1][0] - one if index + 1 < len(steps) else None
        if until is None or until >= as_of:
            listed.append((on, until, dose, pills.words(dose)))
    return Calendar(months, listed, pills.name)


def _of_day(
    day: dt.date, month: dt.date, steps: Sequence[tuple[dt.date, Decimal]], last: dt.date
) -> CalendarDay | None:
    if day.month != month.month or not steps[0][0] <= day <= last:
        return None
    on, dose = max((step for step in steps if step[0] <= day), key=lambda step: step[0])
    return CalendarDay(day, dose, on == day)


def _running(
    view: therapy.TaperView, rows: Sequence[DoseRow], as_of: dt.date, pills: TabletPlan, signs: Sequence[Alert]
) -> RunningPlan:
    waiting = view.next_step
    lines = []
    for index, entry in enumerate(view.steps):
        step = entry.step
        after = view.steps[index + 1].step.step_on if index + 1 < len(view.steps) else None
        until = after - dt.timedelta(days=1) if after is not None else None
        taken = None
        if step.step_on <= as_of:
            taken = as_decimal(dosing.pe_on(rows, min(as_of, until or as_of)))
        lines.append(
            StepLine(
                step, until, taken, entry.confirmed_on, _state(entry, as_of),
                waiting is not None and step.pk == waiting.pk, pills.words(step.dose_pe_mg),
                _flares_of(step, until, signs, as_of),
            )
        )  # fmt: skip
    first = view.steps[0].step.step_on if view.steps else as_of
    stretches = [
        (max(start, first), end, dose)
        for start, end, dose in dosing.pe_stretches(rows, as_of)
        if end is None or end >= first
    ]
    end = TaperEnd.objects.current().filter(plan=view.plan).first()
    return RunningPlan(
        plan=view.plan,
        name=name_of(view.plan.template),
        lines=lines,
        hold=view.hold,
        ends_on=end.ended_on if end else None,
        planned_mg=cumulative_mg([(entry.step.step_on, entry.step.dose_pe_mg) for entry in view.steps], as_of),
        taken_mg=as_decimal(cumulative_pe(stretches, as_of), 1) if first <= as_of else Decimal(0),
    )


def _flares_of(step: TaperStep, until: dt.date | None, signs: Sequence[Alert], as_of: dt.date) -> list[Flare]:
    """A sign found on the day of a step speaks of the dose before it: the step in force the day before has it."""
    return [
        Flare(_(RULES[sign.rule].title) if sign.rule in RULES else sign.rule, day, (day - step.step_on).days, sign)
        for sign in signs
        if step.step_on < (day := found_on(sign)) <= (until + dt.timedelta(days=1) if until else as_of)
    ]


def found_on(alert: Alert) -> dt.date:
    """The day the alert was first found, where the patient is followed."""
    return alert.patient.day_at(alert.opened_at)


def _state(entry: therapy.StepView, as_of: dt.date) -> str:
    if entry.confirmed_on is not None:
        return "confirmed"
    past = days_since(entry.step.step_on, as_of)
    return "overdue" if past > OVERDUE_AFTER_DAYS else "due" if past >= 0 else "ahead"


def _past(patient: Patient, running: int | None) -> list[PastPlan]:
    """The newest plans that are over, in four queries."""
    others = TaperPlan.objects.current().filter(patient=patient)
    if running is not None:
        others = others.exclude(pk=running)
    plans = list(others.order_by("-id")[:PAST_PLANS])
    if not plans:
        return []
    steps: dict[int, list[TaperStep]] = {}
    for step in TaperStep.objects.current().filter(plan__in=plans).order_by("step_on", "id"):
        steps.setdefault(step.plan_id, []).append(step)
    confirmed: dict[int, int] = {}
    for plan_id in (
        TaperConfirmation.objects.current().filter(step__plan__in=plans).values_list("step__plan", flat=True)
    ):
        confirmed[plan_id] = confirmed.get(plan_id, 0) + 1
    ends = {end.plan_id: end for end in TaperEnd.objects.current().filter(plan__in=plans)}
    found = []
    for plan in plans:
        own, end = steps.get(plan.pk, []), ends.get(plan.pk)
        found.append(
            PastPlan(
                plan=plan,
                name=name_of(plan.template),
                starts_on=own[0].step_on if own else None,
                last_on=end.ended_on if end else own[-1].step_on if own else None,
                doses=[step.dose_pe_mg for step in own],
                confirmed=confirmed.get(plan.pk, 0),
                why=end.reason if end else _("All steps confirmed"),
            )
        )
    return found


def course_choices(patient: Patient, rows: Sequence[DoseRow], as_of: dt.date) -> list[CourseChoice]:
    """Glucocorticoids taken on `as_of` by a systemic route. Only what is taken once a day can follow a step."""
    stopped = {view.course.pk for view in therapy.courses(patient) if view.stop is not None}
    found = []
    for row in dosing.newest_of_each(rows, as_of):
        if not row.is_systemic_glucocorticoid or row.course_id in stopped:
            continue
        drug = FORMULARY[row.drug]
        words = _("%(drug)s, %(route)s: now %(dose)s") % {
            "drug": dosing.name_of(row.drug),
            "route": str(Route(row.route).label).lower(),
            "dose": dosing.in_words(drug, row.amount, row.times, row.every_days),
        }
        found.append(CourseChoice(row.course_id, words, (row.times, row.every_days) == (1, 1)))
    return found


def course_of(patient: Patient, pk: int | None) -> Course | None:
    return Course.objects.current().filter(patient=patient, pk=pk).first() if pk else None
