"""Whom a rule is asked about."""

from __future__ import annotations

import datetime as dt

from tests.naive.record import FollowUpStatus, Record, RuleException, in_force


def is_asked(record: Record, rule: str, as_of: dt.date) -> bool:
    if record.diagnosed_on is not None and record.diagnosed_on > as_of:
        return False  # follow-up begins on the day of diagnosis
    words = [(s.starts_on, s.id, s.word) for s in record[FollowUpStatus] if s.starts_on <= as_of]
    if words and max(words)[2] != "active":
        return False
    return not any(e.rule in (rule, "*") and in_force(as_of, e.starts_on, e.ends_on) for e in record[RuleException])
