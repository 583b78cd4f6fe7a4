"""What a rule would have raised in the past, with its numbers or with others. Read only: each day asked is rolled back.

An alert of the past closes as one of today does, by the same SQL: for whoever left the population, what is no longer
found, or the rule's own closing condition.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction

from accounts.models import Centre
from alerts import statements
from common.dates import day_bounds
from monitoring.asking import ask
from monitoring.levels import Level
from monitoring.rules.base import Parameters, Question, Rule


@dataclasses.dataclass(frozen=True)
class BackTest:
    """Asked every few days with what was known at the end of each."""

    days: int  # days asked
    opened: int  # alerts that would have been opened: found, with none open
    standing: int  # of these, on the first day: what had been waiting until then, and not the work of a week
    patients: int  # who would have had one
    levels: dict[str, int]  # `opened` by the level at opening
    raised: int  # open ones whose level rose from one day asked to the next
    listed: int  # `opened` above INFO, which reaches no worklist, after the first day

    def per_week(self, people: int) -> float | None:
        """New on a worklist, for each of `people` and week; None where there is nobody, or one day was asked."""
        return None if not people or self.days < 2 else self.listed / people / (self.days - 1)


@dataclasses.dataclass
class _Open:
    level: str
    evidence: str
    as_of: dt.date


Subject = tuple[int, str]


def backtest(
    rule: Rule,
    centre: Centre,
    days: list[dt.date],
    parameters: Parameters | None = None,
    *,
    others: Mapping[str, Parameters] = MappingProxyType({}),
    progress: Callable[[int], None] = lambda done: None,
) -> BackTest:
    """Ask `rule` about `centre` on each of `days`, oldest first, with `parameters` or its own, on or off.

    `progress` is told after each day, outside of any transaction, how many are done.
    """
    opened: dict[Subject, _Open] = {}
    levels = dict.fromkeys((str(level) for level in Level), 0)
    patients: set[int] = set()
    raised = standing = listed = 0
    for nth, day in enumerate(days):
        known_at = day_bounds(day, centre.zone)[1] - dt.timedelta(microseconds=1)
        with transaction.atomic():
            ask(
                rule,
                as_of=day,
                centre_id=centre.pk,
                known_at=known_at,
                parameters=parameters,
                others=others,
                even_if_off=True,
            )
            found = _found(with_evidence=rule.closes is not None)
            question = Question(as_of=day, known_at=known_at)
            for subject in _closed(rule, question, rule.values(question, parameters, others), opened):
                del opened[subject]
            transaction.set_rollback(True)
        for subject, (level, evidence) in found.items():
            before = opened.get(subject)
            if before is None:
                levels[level] += 1
                patients.add(subject[0])
                standing += nth == 0
                listed += nth > 0 and level != Level.INFO
            elif Level(level).rank < Level(before.level).rank:
                raised += 1
            if before is None or (before.level, before.evidence) != (level, evidence):
                opened[subject] = _Open(level, evidence, day)
        progress(nth + 1)
    return BackTest(len(days), sum(levels.values()), standing, len(patients), levels, raised, listed)


def _found(*, with_evidence: bool) -> dict[Subject, tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT patient_id, subject, level, CASE WHEN %s THEN evidence::text ELSE '{}' END "
            "FROM finding WHERE level IS NOT NULL",
            [with_evidence],
        )
        return {(patient, subject): (level, text) for patient, subject, level, text in cursor.fetchall()}


def _closed(rule: Rule, question: Question, values: dict[str, Any], opened: Mapping[Subject, _Open]) -> list[Subject]:
    """Those of the open ones that close on this day."""
    if not opened:
        return []
    subjects = list(opened)
    with connection.cursor() as cursor:
        cursor.execute(statements.TABLES)
        cursor.execute(
            "INSERT INTO open_alert SELECT n - 1, patient_id, subject, level, 'open', evidence::jsonb, as_of "
            "FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::date[]) "
            "WITH ORDINALITY AS o (patient_id, subject, level, evidence, as_of, n)",
            [
                [patient for patient, _ in subjects],
                [subject for _, subject in subjects],
                [each.level for each in opened.values()],
                [each.evidence for each in opened.values()],
                [each.as_of for each in opened.values()],
            ],
        )
        cursor.execute("ANALYZE finding, open_alert")
        cursor.execute(statements.CLOSE_LEFT)
        if rule.closes is None:
            cursor.execute(statements.CLOSE_GONE)
        else:
            cursor.execute(statements.close_by(rule.closes(question)), values)
        cursor.execute("SELECT alert_id FROM closing")
        return [subjects[n] for (n,) in cursor.fetchall()]
