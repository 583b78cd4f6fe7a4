"""The rules about physiotherapy."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from zoneinfo import ZoneInfo

from tests.naive.record import (
    Assessment,
    FunctionalTest,
    PhysioDecline,
    PhysioEnd,
    PhysioPause,
    PhysioPlan,
    PhysioSession,
    Record,
    Said,
    SessionOutcome,
    days,
    in_force,
)

HORIZON = 28
ATTENDED = ("attended", "attended_remote", "home_done")
NEVER_COUNTS = ("cancelled_by_clinic", "excused")


def declined(record: Record, as_of: dt.date) -> bool:
    return any(in_force(as_of, d.declined_on, d.ends_on or d.declined_on + days(183)) for d in record[PhysioDecline])


def active_plans(record: Record, as_of: dt.date) -> list[PhysioPlan]:
    over = {e.plan_id for e in record[PhysioEnd] if e.ended_on < as_of}
    return [p for p in record[PhysioPlan] if p.starts_on <= as_of and p.id not in over]


def paused(record: Record, plan: PhysioPlan, as_of: dt.date) -> bool:
    return any(p.plan_id == plan.id and in_force(as_of, p.starts_on, p.ends_on) for p in record[PhysioPause])


def counted(record: Record, plan: PhysioPlan, as_of: dt.date) -> list[tuple[dt.date, bool]]:
    """The sessions that count, in order of date, and whether each was attended."""
    zone = ZoneInfo(record.centre.zone)
    sessions = [s for s in record[PhysioSession] if s.plan_id == plan.id]
    words = {o.session_id: o.word for o in record[SessionOutcome]}
    found = []
    for session in sorted(sessions, key=lambda s: s.held_on):
        word = words.get(session.id)
        past = (as_of - session.held_on).days
        if past < 0 or word in NEVER_COUNTS:
            continue
        if word in ATTENDED:
            found.append((session.held_on, True))
        elif word == "did_not_attend" or (word is None and past > 3):
            found.append((session.held_on, False))
        elif word == "cancelled_by_patient" and past > 14:
            booked_again = any(
                0 <= (other.recorded_at.astimezone(zone).date() - session.held_on).days <= 14
                for other in sessions
                if other.id != session.id
            )
            if not booked_again:
                found.append((session.held_on, False))
    return found


def missed(record: Record, as_of: dt.date) -> list[Said]:
    if declined(record, as_of):
        return []
    said = []
    for plan in active_plans(record, as_of):
        if paused(record, plan, as_of):
            continue
        level = _missed(counted(record, plan, as_of), plan, as_of)
        if level:
            said.append(Said(f"plan:{plan.id}", level))
    return said


def _missed(sessions: list[tuple[dt.date, bool]], plan: PhysioPlan, as_of: dt.date) -> str | None:
    row = 0
    for _, attended in reversed(sessions):
        if attended:
            break
        row += 1
    last_28 = [attended for day, attended in sessions if (as_of - day).days <= 28]
    last_56 = [attended for day, attended in sessions if (as_of - day).days <= 56]
    if row >= 3 or ((as_of - plan.starts_on).days >= 28 and last_28 and not any(last_28)):
        return "ACTION"
    if row == 2 or (len(last_56) >= 4 and Fraction(sum(last_56), len(last_56)) < Fraction(7, 10)):
        return "TASK"
    return "INFO" if row == 1 else None


def no_plan(record: Record, as_of: dt.date) -> list[Said]:
    if declined(record, as_of) or active_plans(record, as_of):
        return []
    started = {p.id for p in record[PhysioPlan] if p.starts_on <= as_of}
    if any(e.plan_id in started and 0 <= (as_of - e.ended_on).days <= 365 for e in record[PhysioEnd]):
        return []
    if record.diagnosed_on is None:
        return [Said("patient", missing=True)]
    due = record.diagnosed_on + days(42)
    if due <= as_of:
        return [Said("patient", "TASK", due)]
    return [Said("patient", None, due)] if due <= as_of + days(HORIZON) else []


def review_due(record: Record, as_of: dt.date) -> list[Said]:
    if declined(record, as_of):
        return []
    measured = [a.assessed_on for a in record[Assessment] if a.mmt8_150 is not None or a.mmt8_80 is not None]
    measured += [t.tested_on for t in record[FunctionalTest] if t.instrument in ("fi2", "fi3") and t.is_complete]
    measured = [day for day in measured if day <= as_of]
    said = []
    for plan in active_plans(record, as_of):
        if paused(record, plan, as_of):
            continue
        due = (max(measured) if measured else plan.starts_on) + days(84)
        if due < as_of:
            said.append(Said(f"plan:{plan.id}", "TASK", due))
        elif due <= as_of + days(HORIZON):
            said.append(Said(f"plan:{plan.id}", None, due))
    return said
