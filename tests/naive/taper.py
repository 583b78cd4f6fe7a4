"""Milestones of a steroid taper."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from tests.naive import steroid
from tests.naive.record import (
    Record,
    Said,
    TaperConfirmation,
    TaperEnd,
    TaperHold,
    TaperPlan,
    TaperStep,
    days,
    in_force,
)

HORIZON = 28


def open_steps(record: Record, as_of: dt.date) -> list[tuple[int, dt.date]]:
    """Of each plan that has not ended and is not on hold, the earliest step not confirmed."""
    confirmed = {c.step_id for c in record[TaperConfirmation] if c.confirmed_on <= as_of}
    held = {h.plan_id for h in record[TaperHold] if in_force(as_of, h.starts_on, h.ends_on)}
    over = {e.plan_id for e in record[TaperEnd] if e.ended_on < as_of}
    found = []
    for plan in record[TaperPlan]:
        steps = [s.step_on for s in record[TaperStep] if s.plan_id == plan.id and s.id not in confirmed]
        if steps and plan.id not in held | over:
            found.append((plan.id, min(steps)))
    return found


def step_due(record: Record, as_of: dt.date) -> list[Said]:
    said = []
    for plan, day in open_steps(record, as_of):
        ahead = (day - as_of).days
        if -7 <= ahead <= 3:
            said.append(Said(f"plan:{plan}", "TASK", day))
        elif 3 < ahead <= HORIZON:
            said.append(Said(f"plan:{plan}", None, day))
    return said


def step_overdue(record: Record, as_of: dt.date) -> list[Said]:
    return [Said(f"plan:{plan}", "ACTION", day) for plan, day in open_steps(record, as_of) if (as_of - day).days > 7]


def high_at_12_weeks(record: Record, as_of: dt.date) -> list[Said]:
    return _high(record, as_of, 84, Fraction(20), until=168)


def high_at_24_weeks(record: Record, as_of: dt.date) -> list[Said]:
    return _high(record, as_of, 168, Fraction(15, 2))


def _high(record: Record, as_of: dt.date, after: int, above: Fraction, until: int | None = None) -> list[Said]:
    doses = steroid.by_day(record, as_of)
    if doses.get(as_of, 0) <= above:
        return []
    began = steroid.courses(doses)[-1][0]
    age = (as_of - began).days
    due = began + days(after)
    if until is not None and age >= until:
        return []  # there the dose is above the limit of the later milestone too, which speaks instead
    if age >= after:
        return [Said(f"course:{began}", "ACTION", due)]
    return [Said(f"course:{began}", None, due)] if due <= as_of + days(HORIZON) else []


def dose_raised(record: Record, as_of: dt.date) -> list[Said]:
    doses = steroid.by_day(record, as_of)
    during = [
        day for day, _ in steroid.rises(doses, doses) if (as_of - day).days <= 30 and steroid.taper_runs(record, day)
    ]
    return [Said(f"rise:{max(during)}", "INFO")] if during else []
