"""`dose-out-of-range` and `pre-treatment-checks`, against the formulary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from tests.naive import steroid
from tests.naive.drugs import in_force
from tests.naive.record import BodySize, Dose, Imaging, Infusion, Record, RiskFactor, Said, Screening, days
from tests.naive.record import in_force as holds
from therapy.formulary import CHECKS, FORMULARY, Check, DoseRange, Every, Kind, Per, Phase, Valid

HORIZON = 28
EVERY = {Every.DAY: 1, Every.WEEK: 7, Every.FOUR_WEEKS: 28}


def size(record: Record, as_of: dt.date) -> tuple[Fraction | None, Decimal | None]:
    """Weight of the last 90 days, and height of any time; the newest of each."""
    sizes = sorted((b for b in record[BodySize] if b.measured_on <= as_of), key=lambda b: (b.measured_on, b.id))
    weights = [b.weight_kg for b in sizes if b.weight_kg is not None and (as_of - b.measured_on).days <= 90]
    heights = [b.height_cm for b in sizes if b.height_cm is not None]
    return (Fraction(weights[-1]) if weights else None), (heights[-1] if heights else None)


def in_terms(of: DoseRange, dose: Dose, weight: Fraction | None, height: Decimal | None) -> tuple[Fraction, int] | None:
    """The dose in the terms of the range, and the power it is raised to (2 for per m2: a square root is not exact)."""
    value = Fraction(dose.amount)
    if of.every in EVERY:
        value *= Fraction(dose.times * EVERY[of.every], dose.every_days)
    elif of.every is Every.COURSE:
        value *= dose.times
    if of.per is Per.ABSOLUTE:
        return value, 1
    if weight is None:
        return None
    if of.per is Per.KG:
        return value / weight, 1
    return None if height is None else (value**2 * 3600 / (weight * Fraction(height)), 2)


def out_of_range(record: Record, as_of: dt.date) -> list[Said]:
    weight, height = size(record, as_of)
    said = []
    for course, dose in in_force(record, set(FORMULARY), as_of):
        drug = FORMULARY[course.drug]
        ranges = [r for r in drug.ranges if course.route in (r.routes or drug.routes)]
        if drug.kind is Kind.SUPPORTIVE or course.route in steroid.NOT_SYSTEMIC or not ranges:
            continue
        began = min(d.starts_on for d in record[Dose] if d.course_id == course.id and d.amount > 0)
        titrating = (as_of - began).days < 56
        target = [r for r in ranges if r.phase is Phase.TARGET]
        values = [(r, in_terms(r, dose, weight, height)) for r in ranges]
        above = of_all(None if v is None else exceeds(v, r.highest) for r, v in values)
        ask = of_all(None if v is None else exceeds(v, r.ask_above) for r, v in values)
        below = of_all(None if v is None else v[0] < Fraction(r.lowest) ** v[1] for r, v in values if r in target)
        a_day = Fraction(dose.amount) * dose.times / dose.every_days
        level, missing = None, False
        if any(r.cap is not None and a_day > r.cap for r in ranges) or (above and ask):
            level = "INFO" if dose.out_of_range_reason else "TASK"
        elif above or (below and not titrating):
            level = "INFO"
        else:
            missing = above is None or (below is None and not titrating)
        if level or missing:
            said.append(Said(f"course:{course.id}", level, None, missing))
    return said


def exceeds(value: tuple[Fraction, int], limit: Decimal | None) -> bool:
    return limit is not None and value[0] > Fraction(limit) ** value[1]


def of_all(answers: Iterable[bool | None]) -> bool | None:
    """Where a drug has several ranges a dose is beyond them only if it is beyond all; one that fits is enough."""
    listed = list(answers)
    if not listed or False in listed:
        return False
    return None if None in listed else True


# --------------------------------------------------------------------------------------------------- before a drug

AGE = {Valid.BLOODS: 90, Valid.SEROLOGY: 365, Valid.EXAMINATION: 365, Valid.PREGNANCY: 28, Valid.EVER: None}


def starts(record: Record, as_of: dt.date, drug: str) -> list[tuple[dt.date, int, bool]]:
    """First days of the courses of the drug, and whether each goes on; not where another was taken 28 days before."""
    stopped = steroid.last_days(record)
    spans = [
        (dose.starts_on, last, dose.id, c.id)
        for c, dose, last in steroid.periods(record, {drug})
        if c.route not in steroid.NOT_SYSTEMIC and dose.amount > 0 and (last is None or last >= dose.starts_on)
    ]
    of = {c.id: c for c in record.facts.get(steroid.Course, []) if c.drug == drug}
    spans += [
        (i.given_on, i.given_on, i.id, i.course_id)
        for i in record[Infusion]
        if i.given_on <= as_of
        and i.course_id in of
        and of[i.course_id].route not in steroid.NOT_SYSTEMIC
        and i.amount > 0
    ]
    # A course lasts from its first dose to its last, pauses included.
    extents = sorted(
        (
            min(s[0] for s in spans if s[3] == course),
            course,
            max(s[1] or dt.date.max for s in spans if s[3] == course),
        )
        for course in {s[3] for s in spans}
    )
    return [
        (first, course, course not in stopped or stopped[course] >= as_of)
        for n, (first, course, _) in enumerate(extents)
        if not any(last >= first - days(28) for _, _, last in extents[:n])
    ]


def pre_treatment(record: Record, as_of: dt.date) -> list[Said]:
    said = []
    for drug in FORMULARY.values():
        checks = [CHECKS[code] for code in drug.baseline if CHECKS[code].is_recorded_here]
        if not checks:
            continue
        for start, course, goes_on in starts(record, as_of, drug.code):
            ahead = (start - as_of).days
            if not goes_on or not -180 <= ahead <= HORIZON:
                continue
            needed = [is_needed(record, check, as_of) for check in checks]
            done = [is_done(record, check, start, as_of) for check in checks]
            lacks = any(n is True and not d for n, d in zip(needed, done, strict=True))
            unknown = any(n is None and not d for n, d in zip(needed, done, strict=True))
            if lacks:
                said.append(Said(f"course:{course}", "TASK" if ahead <= 14 else None, start, unknown and ahead <= 14))
            elif unknown:
                said.append(Said(f"course:{course}", None, None, True))
    return said


def is_needed(record: Record, check: Check, as_of: dt.date) -> bool | None:
    if not check.for_childbearing:
        return True
    told = sorted(
        (r.starts_on, r.id, r)
        for r in record[RiskFactor]
        if r.kind in ("childbearing", "no_childbearing") and r.starts_on <= as_of
    )
    if told:
        newest = told[-1][2]
        if holds(as_of, newest.starts_on, newest.ends_on):
            return newest.kind == "childbearing"
        if newest.kind == "childbearing":
            return False  # no longer being able to is an answer, no longer being unable is none
    if record.sex == "male":
        return False
    born = record.born_on
    age = as_of.year - born.year - ((as_of.month, as_of.day) < (born.month, born.day))
    return None if 12 <= age < 55 else False


def is_number(text: str) -> bool:
    """In a unit that cannot be converted: it was done."""
    return any(letter.isdigit() for letter in text)


def is_done(record: Record, check: Check, start: dt.date, as_of: dt.date) -> bool:
    limit = AGE[check.valid]

    def counts(day: dt.date) -> bool:
        return day <= as_of and (limit is None or day >= start - days(limit))

    def answered(analyte: str) -> bool:
        return any(
            counts(r.taken_on)
            and (r.value is not None or r.value_received in ("negative", "positive") or is_number(r.value_received))
            for r in record.results(analyte, as_of)
        )

    if check.results and all(any(answered(a) for a in group) for group in check.results):
        return True
    screens = [
        s.done_on
        for s in record[Screening]
        if s.kind in check.screenings and s.outcome != "indeterminate" and counts(s.done_on)
    ]
    if check.twice:
        return any(8 <= (b - a).days <= 10 for a in screens for b in screens)
    return bool(screens) or any(i.modality in check.imaging and counts(i.done_on) for i in record[Imaging])
