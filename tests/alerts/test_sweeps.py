"""The nightly check, the judgement right after new facts, and what is said about both."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from django.db import connection, transaction

from accounts.models import Role
from alerts import selectors
from alerts.actions import judging, sweeps, touched
from alerts.models import Alert, Delivery, DeliveryKind, RuleRun, Sweep, Trigger
from monitoring.rules import RULES
from monitoring.rules.base import Rule
from patients.models import Touched
from tests import factories
from tests.alerts import rules
from tests.alerts.support import Clinic, later
from tests.factories import AS_OF, NOW
from tests.rules.columns_therapy import doses

pytestmark = pytest.mark.django_db

LABS_OVERDUE = RULES["labs-overdue"]


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_a_sweep_is_claimed_once_a_day_after_the_hour_on_the_centres_clock(clinic: Clinic) -> None:
    assert sweeps.claim_sweeps(now=at("2025-06-15 03:59")) == []  # 05:59 in Berlin
    [sweep] = sweeps.claim_sweeps(now=at("2025-06-15 04:00"))
    assert (sweep.centre, sweep.as_of) == (clinic.centre, AS_OF)
    assert sweeps.claim_sweeps(now=at("2025-06-15 21:59")) == []
    assert sweeps.claim_sweeps(now=at("2025-06-15 22:30")) == []  # the 16th, before its hour


def test_days_that_were_missed_are_not_made_up_for(clinic: Clinic) -> None:
    sweeps.claim_sweeps(now=at("2025-06-12 05:00"))
    [sweep] = sweeps.claim_sweeps(now=at("2025-06-15 12:00"))
    assert sweep.as_of == AS_OF
    assert Sweep.objects.count() == 2


def test_what_came_to_be_overdue_while_nothing_ran_is_found_once(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    """The job runs three days late, and again the day after: one alert, due on the day it was."""
    only_test_rules[LABS_OVERDUE.id] = LABS_OVERDUE
    patient = clinic.patient()
    doses(patient, "-14.. methotrexate 15 /7")  # overdue in four days
    for days, opened in ((0, 0), (7, 1), (8, 0)):
        now = later(days=days)
        for sweep in sweeps.claim_sweeps(now=now):
            sweeps.evaluate_in_sweep(sweep_id=sweep.pk, rule_id=LABS_OVERDUE.id, now=now)
        judging.evaluate(
            rule=LABS_OVERDUE, as_of=AS_OF + dt.timedelta(days=days), now=now, centre=clinic.centre,
            trigger=Trigger.COMMAND,
        )  # fmt: skip
        assert Alert.objects.filter(opened_at=now).count() == opened
    alert = Alert.objects.get(patient=patient)
    assert (alert.opened_at, alert.due_on) == (later(days=7), AS_OF)
    assert list(alert.life.values_list("kind", flat=True)) == ["opened"]


def test_workers_are_called_and_again_after_a_while_until_every_rule_has_finished(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    for name in ("a", "b"):
        only_test_rules[name] = rules.make(name)
    [sweep] = sweeps.claim_sweeps(now=NOW)
    called: list[int] = []
    assert sweeps.dispatch_sweeps(now=NOW, send=called.append) == 2
    assert called == [sweep.pk, sweep.pk]  # no more than there are rules
    assert sweeps.dispatch_sweeps(now=later(minutes=19), send=called.append) == 0
    sweeps.evaluate_in_sweep(sweep_id=sweep.pk, rule_id="a", now=later(minutes=1))
    sweeps.evaluate_in_sweep(sweep_id=sweep.pk, rule_id="a", now=later(minutes=2))  # by two workers
    assert RuleRun.objects.filter(sweep=sweep).count() == 1
    assert sweeps.dispatch_sweeps(now=later(minutes=20), send=called.append) == 1
    sweep.refresh_from_db()
    assert sweep.finished_at is None
    sweeps.evaluate_in_sweep(sweep_id=sweep.pk, rule_id="b", now=later(minutes=21))
    sweep.refresh_from_db()
    assert sweep.finished_at == later(minutes=21)
    assert sweeps.dispatch_sweeps(now=later(hours=5), send=called.append) == 0


def test_of_many_rules_some_workers_are_called(clinic: Clinic, only_test_rules: dict[str, Rule]) -> None:
    for name in "abcdefgh":
        only_test_rules[name] = rules.make(name)
    sweeps.claim_sweeps(now=NOW)
    called: list[int] = []
    assert sweeps.dispatch_sweeps(now=NOW, send=called.append) == sweeps.WORKERS_OF_A_SWEEP == len(called)


def test_yesterdays_sweep_does_not_undo_todays(clinic: Clinic, only_test_rules: dict[str, Rule]) -> None:
    only_test_rules["a"] = rules.make("a")
    [old] = sweeps.claim_sweeps(now=later(days=-1))
    [new] = sweeps.claim_sweeps(now=NOW)
    assert sweeps.evaluate_in_sweep(sweep_id=old.pk, rule_id="a", now=NOW) is None
    called: list[int] = []
    sweeps.dispatch_sweeps(now=NOW, send=called.append)
    assert called == [new.pk]


def test_one_broken_rule_leaves_the_sweep_unfinished_and_is_told_once(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    administrator = factories.person(clinic.centre, Role.ADMINISTRATOR)
    clinic.patient(500)
    only_test_rules.update({"a": rules.make("a"), "b": rules.make("b", findings=rules.breaks)})
    [sweep] = sweeps.claim_sweeps(now=NOW)
    sweeps.evaluate_in_sweep(sweep_id=sweep.pk, rule_id="a", now=NOW)
    for _ in range(2):
        with pytest.raises(judging.RuleFailed):
            sweeps.evaluate_in_sweep(sweep_id=sweep.pk, rule_id="b", now=NOW)
    sweep.refresh_from_db()
    assert sweep.finished_at is None
    assert Alert.objects.get().rule == "a"
    assert Delivery.objects.get(kind=DeliveryKind.OPERATOR).person == administrator
    checked = selectors.checked(clinic.centre, NOW)
    assert (checked.failing, checked.at, checked.is_stale) == (["b"], None, True)


def test_freshness_says_when_how_many_rules_and_patients_and_turns_stale_after_26_hours(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    only_test_rules.update({"a": rules.make("a"), "b": rules.make("b")})
    for value in (500, 20, 20):
        clinic.patient(value)
    assert selectors.last_finished_sweep() is None
    [sweep] = sweeps.claim_sweeps(now=NOW)
    for name in ("a", "b"):
        sweeps.evaluate_in_sweep(sweep_id=sweep.pk, rule_id=name, now=NOW)
    checked = selectors.checked(clinic.centre, later(hours=26))
    assert (checked.at, checked.rules, checked.patients) == (NOW, 2, 3)
    assert (checked.is_stale, checked.failing, checked.held_back) == (False, [], [])
    assert selectors.checked(clinic.centre, later(hours=26, seconds=1)).is_stale
    assert selectors.last_finished_sweep() == NOW
    assert sweeps.report_stale(now=later(hours=26)) == 0
    assert sweeps.report_stale(now=later(hours=27)) == 1
    assert sweeps.report_stale(now=later(hours=28)) == 1
    assert Delivery.objects.filter(kind=DeliveryKind.OPERATOR).count() == 1


def test_a_run_that_hangs_counts_as_failing(clinic: Clinic, only_test_rules: dict[str, Rule]) -> None:
    only_test_rules["a"] = rules.make("a")
    RuleRun.objects.create(
        centre=clinic.centre, rule="a", rule_version=1, as_of=AS_OF, trigger=Trigger.SWEEP, started_at=NOW
    )
    assert selectors.checked(clinic.centre, later(minutes=15)).failing == []
    assert selectors.checked(clinic.centre, later(minutes=16)).failing == ["a"]


# ------------------------------------------------------------------------------------------------------ new facts


def test_new_facts_are_judged_and_the_outbox_is_empty_after(clinic: Clinic, only_test_rules: dict[str, Rule]) -> None:
    only_test_rules["a"] = rules.make("a")
    patient = clinic.patient(500)
    assert Touched.objects.filter(patient=patient).exists()
    assert touched.judge_touched(now=NOW) == 1
    assert not Touched.objects.exists()
    run = RuleRun.objects.get()
    assert (run.trigger, run.asked, run.opened) == (Trigger.TOUCHED, 1, 1)
    assert touched.judge_touched(now=NOW) == 0
    assert RuleRun.objects.count() == 1


def test_the_day_judged_is_the_centres(clinic: Clinic, only_test_rules: dict[str, Rule]) -> None:
    only_test_rules["a"] = rules.make("a")
    clinic.patient(500, on=1)
    elsewhere = factories.centre(time_zone="America/New_York")
    there = factories.patient(elsewhere, clinic.doctor)
    rules.ck(there, 500, on=1)
    touched.judge_touched(now=at("2025-06-15 22:30"))  # the 16th in Berlin, the 15th in New York
    assert Alert.objects.get().centre == clinic.centre
    assert dict(RuleRun.objects.values_list("centre", "as_of")) == {
        clinic.centre.pk: AS_OF + dt.timedelta(days=1),
        elsewhere.pk: AS_OF,
    }


def test_a_rule_that_fails_keeps_its_patients_and_keeps_no_other_rule_from_judging(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    only_test_rules.update({"a": rules.make("a", findings=rules.breaks), "b": rules.make("b")})
    patient = clinic.patient(500)
    touched.judge_touched(now=NOW)
    assert Alert.objects.get().rule == "b"
    left = Touched.objects.get()
    assert (left.patient, left.rule) == (patient, "a")
    touched.judge_touched(now=later(seconds=10))  # not again and again: at the next tick
    assert RuleRun.objects.count() == 2
    only_test_rules["a"] = rules.make("a")  # repaired
    touched.judge_touched(now=later(minutes=1))
    assert not Touched.objects.exists()
    assert RuleRun.objects.filter(rule="b").count() == 1
    assert set(Alert.objects.values_list("rule", flat=True)) == {"a", "b"}


@pytest.mark.django_db(transaction=True)
def test_who_finds_a_centre_being_judged_leaves_it_to_the_one_who_judges(
    clinic_committed: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    only_test_rules["a"] = rules.make("a")
    clinic_committed.patient(500)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            name = f"alerts.judge_touched {clinic_committed.centre.pk}"
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        assert touched.judge_touched(now=NOW) == 0
        assert Touched.objects.exists()
    finally:
        other.close()  # as when its process is killed; the server notices within a moment
    give_up_at = time.monotonic() + 60
    while not touched.judge_touched(now=NOW):
        assert time.monotonic() < give_up_at
    assert not Touched.objects.exists()


def test_a_fact_that_is_rolled_back_touches_nobody(clinic: Clinic) -> None:
    touched.judge_touched(now=NOW)
    patient = clinic.patient()
    Touched.objects.all().delete()
    with transaction.atomic():
        rules.ck(patient, 500)
        transaction.set_rollback(True)
    assert not Touched.objects.exists()


def test_old_runs_and_sent_mail_are_pruned_and_nothing_else(clinic: Clinic) -> None:
    alert = clinic.alert(1500)
    clinic.judge(trigger=Trigger.TOUCHED, patients=[alert.patient_id])
    Delivery.objects.update(sent_at=NOW)
    sweeps.prune(now=later(days=14))
    assert RuleRun.objects.count() == 2
    sweeps.prune(now=later(days=15))
    assert RuleRun.objects.get().trigger == Trigger.SWEEP
    sweeps.prune(now=later(days=401))
    assert not RuleRun.objects.exists()
    assert not Delivery.objects.exists()
    assert alert.life.count() == 1
