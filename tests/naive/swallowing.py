"""`dysphagia-screen`."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from tests.naive.record import Assessment, BodySize, Manifestation, Record, Said, Screening, days, in_force

HORIZON = 28


def is_positive(screening: Screening) -> bool:
    return screening.outcome == "abnormal" or (screening.score is not None and screening.score >= 3)


def has_now(record: Record, kind: str, as_of: dt.date) -> list[Manifestation]:
    return [m for m in record[Manifestation] if m.kind == kind and in_force(as_of, m.onset_on, m.ended_on)]


def lost_weight(record: Record, as_of: dt.date) -> bool:
    sizes = sorted(
        (b.measured_on, b.id, b.weight_kg)
        for b in record[BodySize]
        if b.weight_kg is not None and b.measured_on <= as_of
    )
    if not sizes or (as_of - sizes[-1][0]).days > 90:
        return False
    on, _, now = sizes[-1]
    before = [kg for day, _, kg in sizes if day < on and (on - day).days <= 90]
    return bool(before) and Fraction(max(before) - now) / Fraction(max(before)) >= Fraction(5, 100)


def interval(record: Record, as_of: dt.date, last: dt.date) -> int:
    if record.subtype in ("inclusion_body", "necrotising") or record.positive({"nxp2"}, as_of):
        return 91
    if record.subtype in ("dermatomyositis", "juvenile"):
        seen = sorted(
            (a.assessed_on, a.id, a.physician_vas)
            for a in record[Assessment]
            if a.physician_vas is not None and a.assessed_on <= last and (last - a.assessed_on).days <= 183
        )
        if seen and seen[-1][2] >= 2:
            return 91
    return 183


def screen(record: Record, as_of: dt.date) -> list[Said]:
    done = sorted((s.done_on, s.id, s) for s in record[Screening] if s.kind == "swallow" and s.done_on <= as_of)
    latest = done[-1][2] if done else None
    first = None if record.diagnosed_on is None else record.diagnosed_on + days(28)
    level, due, missing = None, None, False
    if latest is not None and is_positive(latest):
        due = latest.done_on + days(14)
        level = "ACTION" if as_of > due else "TASK"
    else:
        if latest is not None:
            due = latest.done_on + days(interval(record, as_of, latest.done_on))
            due = due if first is None else max(due, first)
        elif first is not None:
            due = first
        else:
            missing = True
        if due is not None and due < as_of:
            level = "TASK"
        elif due is not None and due > as_of + days(HORIZON):
            due = None
    swallows_badly = bool(has_now(record, "dysphagia", as_of)) or (latest is not None and is_positive(latest))
    aspirates = any((as_of - m.onset_on).days <= 90 for m in has_now(record, "aspiration", as_of))
    if aspirates or (swallows_badly and lost_weight(record, as_of)):
        level, due, missing = "URGENT", None, False  # no day to wait for, and nothing that could make it worse
    if level is None and due is None and not missing:
        return []
    return [Said("patient", level, due, missing)]
