"""The back-test of a proposed change of a rule: a year of the centre's past, week by week, as today and as proposed."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import structlog
from django.db import connection

from alerts import selectors
from alerts.backtesting import BackTest, backtest
from audit.attribution import job
from monitoring import governance
from monitoring.governance import Numbers
from monitoring.levels import Level
from monitoring.models import ChangeKind, Mode, RuleBackTest, RuleChange
from monitoring.rules import RULES
from monitoring.rules.base import Rule

log = structlog.get_logger(__name__)

# Longer than a task that gave no sign of life can still be at work on one day of it.
SEND_AGAIN_AFTER = dt.timedelta(minutes=20)


class BackTestFailed(Exception):
    """Carries the rule and the class of the error; its text could name a patient."""

    def __init__(self, rule: str, error: str) -> None:
        super().__init__(f"{rule}: {error}")
        self.rule, self.error = rule, error


@job("alerts.dispatch_back_tests")
def dispatch_back_tests(*, now: dt.datetime, send: Callable[[int], object]) -> int:
    """Hand those that nobody works on to `send(change id)`; gives how many. Sending one twice is harmless."""
    lost = RuleBackTest.objects.filter(
        finished_at__isnull=True, sent_at__lte=now - SEND_AGAIN_AFTER, change__withdrawn_at__isnull=True
    )
    sent = 0
    for test in lost.order_by("pk"):
        RuleBackTest.objects.filter(pk=test.pk).update(sent_at=now)
        send(test.change_id)
        sent += 1
    return sent


@job("alerts.run_back_test")
def run_back_test(*, change_id: int, now: dt.datetime, clock: Callable[[], dt.datetime]) -> bool:
    """Whether it was finished by this call. One worker at a time works on it; whoever comes meanwhile leaves.

    `clock` gives the moment: it takes minutes at a large centre, and what is shown as its progress is its sign of life.
    """
    name = {"name": f"alerts.run_back_test {change_id}"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0))", name)
        if not cursor.fetchone()[0]:
            return False
        try:
            test = RuleBackTest.objects.select_related("change__centre").get(change=change_id)
            rule = RULES.get(test.change.rule)
            if test.finished_at is not None or not test.change.is_pending or rule is None:
                return False
            return _run(test, rule, clock)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%(name)s, 0))", name)


def _run(test: RuleBackTest, rule: Rule, clock: Callable[[], dt.datetime]) -> bool:
    change, row = test.change, RuleBackTest.objects.filter(pk=test.pk, finished_at__isnull=True)
    days = [test.last_on - dt.timedelta(days=7 * n) for n in reversed(range(test.weeks))]
    today, proposed = _settings(change, rule)
    asked = [setting for setting in (today, proposed) if setting is not None]
    people = len(selectors.people(change.centre, rule.audience))
    results = []
    try:
        for n, setting in enumerate(asked):

            def progress(done: int, before: int = n * test.weeks) -> None:
                # Both settings fill one bar.
                row.update(weeks_done=(before + done) // len(asked), sent_at=clock())

            numbers = {"parameters": setting.parameters, "others": setting.others}
            results.append(_counts(backtest(rule, change.centre, days, progress=progress, **numbers), people))
    except Exception as error:
        row.update(error=type(error).__name__[:80], weeks_done=0)
        raise BackTestFailed(rule.id, type(error).__name__) from error
    nothing = _counts(BackTest(len(days), 0, 0, 0, dict.fromkeys(map(str, Level), 0), 0, 0), people)
    told = [results.pop(0) if setting is not None else nothing for setting in (today, proposed)]
    done = row.update(weeks_done=test.weeks, finished_at=clock(), error="", today=told[0], proposed=told[1])
    log.info("back_test_finished", rule=rule.id, centre=change.centre_id)
    return bool(done)


def _settings(change: RuleChange, rule: Rule) -> tuple[Numbers | None, Numbers | None]:
    """(as today, as proposed): the numbers to ask by; None where the rule raises nothing."""
    numbers = governance.numbers(change.centre, rule)
    if change.kind == ChangeKind.PARAMETERS:  # of a rule that is off, too: it is the numbers that are compared
        return numbers, governance.proposed(change.centre, change, rule)
    is_on = governance.mode(change.centre, rule.id) == Mode.ON
    return numbers if is_on else None, numbers if change.mode == Mode.ON else None


def _counts(test: BackTest, people: int) -> dict[str, Any]:
    """As it is kept with the proposal. `people`: members of the centre whose worklist the rule's alerts are on."""
    return {**dataclasses.asdict(test), "people": people, "per_person_week": test.per_week(people)}
