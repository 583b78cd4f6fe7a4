"""Several at once, and killed at any moment: nothing is lost and nothing is doubled."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from alerts.actions import life, outbox, sweeps, touched
from alerts.models import Alert, AlertEvent, Delivery, RuleRun, State, Sweep
from monitoring.rules import RULES
from monitoring.rules.base import Rule
from patients.models import Touched
from tests.alerts import rules
from tests.alerts.support import Clinic, everything_kept, later
from tests.factories import AS_OF, NOW

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(jobs: list[Callable[[], object]]) -> list[BaseException]:
    """Run each in a thread and a connection of its own; what they raised."""
    barrier = threading.Barrier(len(jobs))
    raised: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            barrier.wait()
            job()
        except Exception as error:  # noqa: BLE001 - handed to the test, which looks at it
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_four_evaluations_at_once_leave_one_alert_for_each_subject(clinic_committed: Clinic) -> None:
    clinic = clinic_committed
    for value in (1500, 1500, 500, 300, 60, "unknown") * 5:
        clinic.patient(value)
    assert at_once([clinic.judge] * 4) == []
    assert Alert.objects.count() == AlertEvent.objects.count() == 20
    assert Delivery.objects.count() == 10
    assert RuleRun.objects.filter(finished_at=NOW).count() == 4
    assert sorted(RuleRun.objects.values_list("opened", flat=True)) == [0, 0, 0, 20]
    before = everything_kept()
    clinic.judge()
    assert everything_kept() == before


def test_new_facts_and_a_sweep_at_once_leave_one_alert(
    clinic_committed: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    clinic = clinic_committed
    only_test_rules.update({name: rules.make(name) for name in ("a", "b")})
    for _ in range(10):
        clinic.patient(500)
    [sweep] = sweeps.claim_sweeps(now=NOW)
    jobs: list[Callable[[], object]] = [lambda: touched.judge_touched(now=NOW)] * 2
    jobs += [lambda name=name: sweeps.evaluate_in_sweep(sweep_id=sweep.pk, rule_id=name, now=NOW) for name in "abab"]
    assert at_once(jobs) == []
    assert Alert.objects.count() == 20
    assert RuleRun.objects.filter(sweep=sweep).count() == 2
    assert not Touched.objects.exists()


def test_of_two_people_at_once_one_is_told_that_it_changed(clinic_committed: Clinic) -> None:
    clinic = clinic_committed
    alert = clinic.alert(300)
    until = AS_OF + dt.timedelta(days=3)
    raised = at_once(
        [
            lambda: life.acknowledge(alert=Alert.objects.get(pk=alert.pk), by=clinic.nurse, now=NOW),
            lambda: life.snooze(
                alert=Alert(**{f.attname: getattr(alert, f.attname) for f in Alert._meta.concrete_fields}),
                by=clinic.doctor,
                now=NOW,
                until=until,
                reason="acted",
            ),
        ]
    )
    assert alert.life.count() == 3 - len(raised)
    assert all(isinstance(error, life.Stale) for error in raised)
    alert.refresh_from_db()
    newest = alert.life.latest("pk")
    assert newest.kind == alert.state


def test_two_ticks_at_once_claim_a_sweep_and_a_digest_once(clinic_committed: Clinic) -> None:
    jobs: list[Callable[[], object]] = [
        lambda: sweeps.claim_sweeps(now=NOW),
        lambda: outbox.queue_digests(now=NOW),
    ] * 3
    assert at_once(jobs) == []
    assert Sweep.objects.count() == 1
    assert Delivery.objects.count() == 2


# ------------------------------------------------------------------------------------------------------------ killed


def in_a_process(job: Callable[[], object]) -> int:
    """Start `job` in a process of its own, with a connection of its own; gives its id. It leaves without a word."""
    connections.close_all()  # a forked connection would be one socket with two owners
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        job()
        status = 0
    finally:
        os._exit(status)


def work_of_a_day(now: dt.datetime) -> None:
    """All that workers do on one day: their shares of the sweep, and the judgement of new facts."""
    sweeps.claim_sweeps(now=now)
    called: list[int] = []
    sweeps.dispatch_sweeps(now=now, send=called.append)
    for sweep in called:
        with sweeps.share_of_sweep(sweep_id=sweep, now=now) as to_ask:
            for rule, shared in to_ask:
                sweeps.evaluate_in_sweep(sweep_id=sweep, rule_id=rule, now=now, shared=shared)
    touched.judge_touched(now=now)


@pytest.mark.slow
def test_killed_twenty_times_at_any_moment_loses_and_doubles_nothing(
    clinic_committed: Clinic, only_test_rules: dict[str, Rule], monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = clinic_committed
    monkeypatch.setattr(outbox, "send_soon", lambda task: None)  # there is no worker; the outbox is what is looked at
    only_test_rules.update({name: rules.make(name) for name in ("a", "b", "c", "d")})
    chance = random.Random(20250615)
    people = [clinic.patient(20) for _ in range(30)]
    # What a whole day takes here decides when to kill.
    started = time.monotonic()
    os.waitpid(in_a_process(lambda: work_of_a_day(later(days=-1))), 0)
    longest = time.monotonic() - started
    killed_in_mid_work = n = 0
    now = NOW
    while killed_in_mid_work < 20:
        assert n < 60, "it was hardly ever killed in mid-work"
        now = later(days=n)
        for patient in chance.sample(people, 10):
            rules.ck(patient, chance.choice([20, 60, 150, 300, 500, 1500, "unknown"]), on=n, recorded_at=now)
        pid = in_a_process(lambda now=now: work_of_a_day(now))
        time.sleep(chance.uniform(0, longest))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        was_killed = os.WIFSIGNALED(status)
        killed_in_mid_work += was_killed
        longest *= 1.1 if was_killed else 0.8  # the machine is not always as fast as when that was measured
        n += 1
    today = AS_OF + dt.timedelta(days=n - 1)

    # The workers come back, on the same day: what was not dispatched again yet is after a while.
    now += sweeps.DISPATCH_AGAIN_AFTER
    give_up_at = time.monotonic() + 60
    while not Sweep.objects.filter(as_of=today, finished_at__isnull=False).exists():
        assert time.monotonic() < give_up_at
        work_of_a_day(now)
    while Touched.objects.exists():  # the lock of the killed one ends when the server notices
        assert time.monotonic() < give_up_at
        work_of_a_day(now)

    expected = {}
    for patient in people:
        expected[patient.pk] = newest = patient.results.latest("taken_on", "pk")
        level = None if newest.value is None else level_of(int(newest.value))
        for rule in RULES:
            found = Alert.objects.filter(patient=patient, rule=rule, closed_at=None)
            if newest.value is not None:
                assert list(found.values_list("level", flat=True)) == ([level] if level else [])
                assert level is None or found.get().evidence["value"] == newest.value
    for alert in Alert.objects.all():
        assert_life_is_whole(alert)
    urgent = AlertEvent.objects.filter(level="URGENT", kind__in=["opened", "raised"])
    assert Delivery.objects.filter(kind="urgent").count() == urgent.count() > 0
    finished = RuleRun.objects.filter(sweep__isnull=False, finished_at__isnull=False)
    assert finished.count() == finished.values("sweep", "rule").distinct().count()
    before = everything_kept()
    for rule in RULES.values():
        clinic.judge(rule, as_of=today, now=now)
    assert everything_kept() == before


def level_of(value: int) -> str | None:
    levels = ((1000, "URGENT"), (500, "ACTION"), (200, "TASK"), (100, "INFO"))
    return next((level for least, level in levels if value >= least), None)


def assert_life_is_whole(alert: Alert) -> None:
    """One opening, every change of level told once, one closing if it is closed."""
    events: list[Any] = list(alert.life.order_by("pk"))
    kinds = [event.kind for event in events]
    assert kinds[0] == "opened"
    assert kinds.count("opened") == 1
    assert kinds.count("closed") == (alert.state == State.CLOSED)
    level = events[0].level
    for event in events[1:]:
        if event.kind in ("raised", "lowered"):
            assert event.level != level
        level = event.level
    assert level == alert.level
