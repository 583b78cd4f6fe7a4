"""What was taken on each day, one day at a time."""

from __future__ import annotations

import datetime as dt
import itertools
from fractions import Fraction

from tests.naive.record import (
    Course,
    CourseStop,
    Dose,
    Infusion,
    Record,
    TaperConfirmation,
    TaperEnd,
    TaperPlan,
    TaperStep,
    days,
)

# mg that equal 5 mg of prednisone.
EQUIVALENT = {
    "prednisone": Fraction(5),
    "prednisolone": Fraction(5),
    "methylprednisolone": Fraction(4),
    "triamcinolone": Fraction(4),
    "hydrocortisone": Fraction(20),
    "cortisone": Fraction(25),
    "dexamethasone": Fraction(3, 4),
    "betamethasone": Fraction(3, 5),
    "deflazacort": Fraction(6),
}
NOT_SYSTEMIC = ("topical", "inhaled")
VEIN = "intravenous"  # what is given into it is a pulse
GAP = 14
APART = 90


def last_days(record: Record) -> dict[int, dt.date]:
    """The last day of each course that was stopped."""
    return {s.course_id: s.stopped_on for s in record[CourseStop]}


def periods(record: Record, drugs: set[str]) -> list[tuple[Course, Dose, dt.date | None]]:
    """Doses of these drugs with the last day of each: its own, or that of its course."""
    courses = {c.id: c for c in record[Course] if c.drug in drugs}
    stopped = last_days(record)
    found = []
    for dose in record[Dose]:
        course = courses.get(dose.course_id)
        if course is None:
            continue
        ends = [d for d in (dose.ends_on, stopped.get(course.id)) if d is not None]
        found.append((course, dose, min(ends) if ends else None))
    return found


def by_day(record: Record, as_of: dt.date, *, pulses: bool = True) -> dict[dt.date, Fraction]:
    """Prednisone equivalent of every day up to `as_of` that had some."""
    key = ("pe", as_of, pulses)
    if key not in record.cache:
        record.cache[key] = daily(record, as_of, {drug: 5 / mg for drug, mg in EQUIVALENT.items()}, pulses=pulses)
    return record.cache[key]


def daily(
    record: Record, as_of: dt.date, factors: dict[str, Fraction], *, pulses: bool = True
) -> dict[dt.date, Fraction]:
    """Amount a day of these drugs together, times the factor of each, on every day up to `as_of` that had some.

    Of each drug and route the newest dose period counts, and routes add. An infusion is a dose of its day.
    """
    # (drug, route) -> day -> the newest there: (first day, is an infusion, id, amount)
    newest: dict[tuple[str, str], dict[dt.date, tuple[dt.date, bool, int, Fraction]]] = {}
    for course, dose, last in periods(record, set(factors)):
        if course.route in NOT_SYSTEMIC or (course.route == VEIN and not pulses):
            continue
        amount = Fraction(dose.amount) * dose.times / dose.every_days * factors[course.drug]
        here = newest.setdefault((course.drug, course.route), {})
        candidate = (dose.starts_on, False, dose.id, amount)
        for n in range((min(last or as_of, as_of) - dose.starts_on).days + 1):
            day = dose.starts_on + days(n)
            if day not in here or here[day] < candidate:
                here[day] = candidate
    if pulses:
        courses = {c.id: c for c in record[Course] if c.drug in factors and c.route not in NOT_SYSTEMIC}
        given: dict[tuple[str, str, dt.date], Fraction] = {}
        for infusion in record[Infusion]:
            course = courses.get(infusion.course_id)
            if course is not None and infusion.given_on <= as_of:
                name = (course.drug, course.route, infusion.given_on)
                amount = Fraction(infusion.amount) * factors[course.drug]
                given[name] = given.get(name, Fraction(0)) + amount  # several on one day add
        for (drug, route, day), amount in given.items():
            here = newest.setdefault((drug, route), {})
            candidate = (day, True, 0, amount)
            if day not in here or here[day] < candidate:
                here[day] = candidate
    total: dict[dt.date, Fraction] = {}
    for here in newest.values():
        for day, (_, _, _, amount) in here.items():
            if amount:
                total[day] = total.get(day, Fraction(0)) + amount
    return total


def courses(doses: dict[dt.date, Fraction]) -> list[list[dt.date]]:
    """Days with a dose, course by course: no gap of more than 14 days without one."""
    found: list[list[dt.date]] = []
    for day in sorted(doses):
        if found and (day - found[-1][-1]).days - 1 <= GAP:
            found[-1].append(day)
        else:
            found.append([day])
    return found


def episode(record: Record, as_of: dt.date) -> tuple[dt.date, dt.date] | None:
    """First and last day with a dose of the present episode; it lasts until 90 days after its last dose."""
    doses = sorted(by_day(record, as_of))
    if not doses or (as_of - doses[-1]).days > APART:
        return None
    first = doses[-1]
    for day in reversed(doses):
        if (first - day).days >= APART:
            break
        first = day
    return first, doses[-1]


def rises(all_doses: dict[dt.date, Fraction], doses: dict[dt.date, Fraction]) -> list[tuple[dt.date, Fraction]]:
    """Days whose dose is above that of the day with a dose before it in the same course, and by how much.

    `doses` may leave some out (pulses) that make up the courses all the same.
    """
    found = []
    for course in courses(all_doses):
        for before, day in itertools.pairwise(day for day in course if day in doses):
            if doses[day] > doses[before]:
                found.append((day, doses[day] - doses[before]))
    return found


def taper_runs(record: Record, day: dt.date) -> bool:
    """From a plan's first step until its last step is confirmed or the plan ended, also on hold."""
    return any(plan_runs(record, plan_id, day) for plan_id in {p.id for p in record[TaperPlan]})


def plan_runs(record: Record, plan_id: int, day: dt.date) -> bool:
    steps = sorted((s.step_on, s.id) for s in record[TaperStep] if s.plan_id == plan_id)
    if not steps or steps[0][0] > day:
        return False
    if any(c.step_id == steps[-1][1] and c.confirmed_on <= day for c in record[TaperConfirmation]):
        return False
    return not any(e.plan_id == plan_id and e.ended_on < day for e in record[TaperEnd])


def runs_at_least(doses: dict[dt.date, Fraction], least: Fraction, first: dt.date | None = None) -> int:
    """The longest unbroken run of days, from `first` on, with `least` or more."""
    longest = run = 0
    before = None
    for day in sorted(doses):
        if first is not None and day < first:
            continue
        if doses[day] < least:
            run = 0
        else:
            run = run + 1 if before == day - days(1) else 1
        before = day
        longest = max(longest, run)
    return longest
