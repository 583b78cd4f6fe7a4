"""`deterioration` and `assessment-due`."""

from __future__ import annotations

import datetime as dt

from monitoring.scores.worsening import Status
from tests.naive import steroid, visits
from tests.naive.record import FunctionalTest, Record, Said, days

HORIZON = 28


def deterioration(record: Record, as_of: dt.date) -> list[Said]:
    episode = steroid.episode(record, as_of)
    baseline = visits.baseline_of(record, as_of, episode[0]) if episode else None
    judged = visits.deterioration(record, as_of, baseline.assessed_on if baseline else None)
    if judged.status is Status.NONE or judged.newest is None:
        return []
    level = "ACTION" if judged.status is Status.CONFIRMED else "TASK"
    return [Said("patient", level, judged.newest.visit.day + days(28))]


def assessment_due(record: Record, as_of: dt.date) -> list[Said]:
    said = [_core_set(record, as_of)]
    if record.subtype == "inclusion_body":
        done = [
            t.tested_on
            for t in record[FunctionalTest]
            if t.instrument == "ibmfrs" and t.is_complete and t.tested_on <= as_of
        ]
        last = max(done) if done else record.diagnosed_on
        said.append(Said("ibmfrs", missing=True) if last is None else _by("ibmfrs", last + days(182), as_of))
    return [s for s in said if s is not None]


def _core_set(record: Record, as_of: dt.date) -> Said | None:
    if record.diagnosed_on is None:
        return Said("core-set", missing=True)
    complete = [v.assessed_on for v in visits.visits(record, as_of) if all(visits.has(v, m) for m in visits.FIVE)]
    last = max(complete) if complete else record.diagnosed_on
    in_first_year = (last - record.diagnosed_on).days <= 365
    is_high = steroid.by_day(record, as_of).get(last, 0) > 7.5
    return _by("core-set", last + days(84 if in_first_year or is_high else 182), as_of)


def _by(subject: str, due: dt.date, as_of: dt.date) -> Said | None:
    if due < as_of:
        return Said(subject, "TASK", due)
    return Said(subject, None, due) if due <= as_of + days(HORIZON) else None
