"""What a centre has agreed on about a rule is what its evaluation does: numbers, off, the shadow. And the back-test."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from alerts import backtest_actions, selectors, tasks
from alerts.actions import life, touched
from alerts.backtesting import BackTest, backtest
from alerts.models import Alert, AlertEvent, Delivery, NotEvaluable, RuleRun, ShadowFinding, State, Trigger, Upcoming
from common.dates import day_bounds
from monitoring import governance, rule_actions
from monitoring.models import Result, RuleBackTest, RuleChange
from monitoring.rules import RULES
from monitoring.rules.base import Question, Rule
from patients.models import FollowUpStatus, Patient
from tests import factories
from tests.alerts import rules
from tests.alerts.support import Clinic, later
from tests.alerts.test_tasks import eventually
from tests.factories import AS_OF, NOW, fact

CK = RULES["ck-rising"]
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def rule_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up rule is one of those a centre can change."""
    made = rules.make()
    monkeypatch.setitem(RULES, made.id, made)


def agree(clinic: Clinic, **change: Any) -> RuleChange:
    return factories.rule_change(clinic.centre, change.pop("rule", clinic.rule.id), **change)


def shadow(clinic: Clinic) -> list[tuple[int, str, dt.date, dt.date, dt.date | None]]:
    rows = ShadowFinding.objects.filter(centre=clinic.centre).order_by("id")
    return list(rows.values_list("patient_id", "level", "first_on", "last_on", "gone_on"))


def rising(clinic: Clinic, first: int = 200, then: int = 420) -> Patient:
    """CK of `first` 40 days ago and of `then` yesterday, over a limit of 200; long diagnosed."""
    patient = factories.patient(clinic.centre, clinic.doctor, diagnosed_on=AS_OF - 2000 * DAY)
    for on, value in ((-40, first), (-1, then)):
        fact(
            Result, patient, analyte="ck", value=Decimal(value), uln=Decimal(200), value_received=str(value),
            unit_received="U/L", taken_on=AS_OF + on * DAY,
        )  # fmt: skip
    return patient


# ---------------------------------------------------------------------------------------------------------- numbers


def test_a_centres_threshold_changes_what_is_found_there_and_nowhere_else(clinic: Clinic) -> None:
    from tests.alerts.support import make_clinic

    elsewhere = make_clinic()
    here, there = rising(clinic), rising(elsewhere)
    agree(clinic, rule=CK.id, parameters={"action_ratio": "2.2"})
    for each in (clinic, elsewhere):
        each.judge(CK)
    levels = dict(Alert.objects.values_list("patient_id", "level"))
    assert levels == {here.pk: "INFO", there.pk: "ACTION"}
    alert = Alert.objects.get(patient=here)
    assert Decimal(alert.evidence["parameters"]["action_ratio"]) == Decimal("2.2")
    assert alert.evidence["parameters"]["info_ratio"] == str(CK.parameters.info_ratio)


def test_new_facts_are_judged_by_them_too(clinic_committed: Clinic) -> None:
    clinic = clinic_committed
    agree(clinic, rule=CK.id, parameters={"action_ratio": "2.2"})
    here = rising(clinic)
    touched.judge_touched(now=NOW)
    assert Alert.objects.get(patient=here, rule=CK.id).level == "INFO"


def test_a_rule_that_asks_it_judges_by_them_too_and_replays(clinic: Clinic) -> None:
    from therapy.models import TaperPlan, TaperStep

    # A taper runs, so the threshold of 1.7 applies; with 2.2 the same CK is no sign of activity.
    asking = RULES["taper-step-due"]
    patient = rising(clinic)
    plan = fact(TaperPlan, patient)
    for on in (0, 30):
        fact(TaperStep, patient, plan=plan, step_on=AS_OF + on * DAY, dose_pe_mg=Decimal(40 - on))
    clinic.judge(asking)
    alert = Alert.objects.get(patient=patient)
    assert alert.evidence["ck_level"] == "ACTION"
    assert "parameters_asked" not in alert.evidence
    agree(clinic, rule=CK.id, parameters={"action_ratio_sensitive": "2.2"})
    clinic.judge(asking, now=later(minutes=1))
    alert.refresh_from_db()
    assert alert.evidence["ck_level"] is None
    assert set(alert.evidence["parameters_asked"]) == {CK.id}
    agree(clinic, rule=CK.id, parameters={"action_ratio_sensitive": "1.9"}, moment=NOW)
    replayed = selectors.replay(alert)
    assert replayed.same, "an old alert replays by the numbers of then"
    agree(clinic, rule=asking.id, mode="off", moment=NOW)
    assert selectors.replay(alert).same


def test_numbers_of_an_older_agreement_replay(clinic: Clinic) -> None:
    agree(clinic, rule=CK.id, parameters={"info_ratio": "1.9"})
    patient = rising(clinic)
    clinic.judge(CK)
    agree(clinic, rule=CK.id, parameters={}, moment=NOW)
    assert governance.numbers(clinic.centre, CK).parameters == CK.parameters
    assert selectors.replay(Alert.objects.get(patient=patient)).same


def test_what_a_person_closed_stays_closed_when_a_number_changes(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    life.close(alert=alert, by=clinic.nurse, now=NOW, reason="acted")
    agree(clinic, parameters={"task": "250"})
    assert clinic.judge(now=later(hours=1)).opened == 0
    agree(clinic, parameters={"urgent": "500"}, moment=NOW)
    assert clinic.judge(now=later(hours=2)).opened == 1  # by these it is urgent: worse


@pytest.mark.parametrize("touched_first", [False, True])
def test_numbers_agreed_on_may_close_many_once(clinic: Clinic, touched_first: bool) -> None:
    alerts = [clinic.alert(210) for _ in range(12)]
    clinic.judge()
    agree(clinic, parameters={"task": "220"}, moment=later(hours=1))
    if touched_first:
        clinic.judge(patients=[alerts[0].patient_id], trigger=Trigger.TOUCHED, now=later(hours=2))
    run = clinic.judge(now=later(hours=3))
    assert (run.held_back, run.closed) == ("", 0)  # between 100 and TASK it is INFO: nothing closes
    for alert in alerts:
        rules.ck(alert.patient, 20)
    held = clinic.judge(now=later(hours=4))
    assert held.held_back, "a second time it is not believed"


def test_a_looser_number_closes_and_is_believed_the_first_time(clinic: Clinic) -> None:
    for _ in range(12):
        rising(clinic)
    clinic.judge(CK)
    assert Alert.objects.filter(state=State.OPEN).count() == 12
    agree(clinic, rule=CK.id, parameters={"info_ratio": "2.5", "action_ratio": "2.5"}, moment=later(hours=1))
    run = clinic.judge(dataclasses.replace(CK, closes=None), now=later(hours=2))
    assert (run.held_back, run.closed) == ("", 12)


# ----------------------------------------------------------------------------------------------------------- shadow


def test_a_rule_in_the_shadow_counts_and_raises_nothing(clinic: Clinic) -> None:
    urgent, *_ = [clinic.patient(value) for value in (1200, 60, "unknown")]  # coming up, not evaluable
    agree(clinic, mode="shadow")
    run = clinic.judge()
    assert (run.asked, run.found, run.not_evaluable, run.opened, run.closed, run.held_back) == (3, 1, 1, 0, 0, "")
    for model in (Alert, AlertEvent, Delivery, NotEvaluable, Upcoming):
        assert not model.objects.exists(), model.__name__
    assert shadow(clinic) == [(urgent.pk, "URGENT", AS_OF, AS_OF, None)]
    kept = ShadowFinding.objects.get()
    assert kept.evidence["value"] == 1200
    assert (kept.rule, kept.rule_version) == (clinic.rule.id, 1)


def test_a_new_version_stays_in_the_shadow(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is changed and delivered anew does not step out of the shadow by that."""
    clinic.patient(1200)
    agree(clinic, mode="shadow")
    clinic.judge()
    newer = dataclasses.replace(clinic.rule, version=2)
    monkeypatch.setitem(RULES, newer.id, newer)
    run = clinic.judge(newer, now=later(days=1))
    assert (run.rule_version, run.found, run.opened) == (2, 1, 0)
    assert not Alert.objects.exists()
    assert not Delivery.objects.exists()


def test_a_finding_in_the_shadow_is_one_row_until_it_is_gone(clinic: Clinic) -> None:
    patient = clinic.patient(500)
    agree(clinic, mode="shadow")
    clinic.judge()
    clinic.judge()
    rules.ck(patient, 1200)
    clinic.judge(as_of=AS_OF + DAY)
    assert shadow(clinic) == [(patient.pk, "URGENT", AS_OF, AS_OF + DAY, None)]
    rules.ck(patient, 20)
    clinic.judge(as_of=AS_OF + 2 * DAY, patients=[patient.pk], trigger=Trigger.TOUCHED)
    rules.ck(patient, 300)
    clinic.judge(as_of=AS_OF + 4 * DAY)
    assert shadow(clinic) == [
        (patient.pk, "URGENT", AS_OF, AS_OF + DAY, AS_OF + 2 * DAY),
        (patient.pk, "TASK", AS_OF + 4 * DAY, AS_OF + 4 * DAY, None),
    ]


def test_only_those_asked_about_are_gone_from_the_shadow(clinic: Clinic) -> None:
    one, other = clinic.patient(500), clinic.patient(500)
    agree(clinic, mode="shadow")
    clinic.judge()
    for patient in (one, other):
        rules.ck(patient, 20)
    clinic.judge(patients=[one.pk], trigger=Trigger.TOUCHED)
    assert [gone for *_, gone in shadow(clinic)] == [AS_OF, None]


def test_putting_a_rule_into_the_shadow_closes_its_alerts_however_many(clinic: Clinic) -> None:
    alerts = [clinic.alert(500) for _ in range(12)]
    clinic.patient("unknown")
    clinic.judge()
    agree(clinic, mode="shadow")
    run = clinic.judge(now=later(minutes=1))
    assert (run.closed, run.held_back, run.found) == (12, "", 12)
    assert not Alert.objects.exclude(state=State.CLOSED).exists()
    assert AlertEvent.objects.filter(alert=alerts[0], kind="closed").get().text == "The rule was put in the shadow"
    assert not NotEvaluable.objects.exists()
    # And back: everything opens, and nothing is left in the shadow.
    agree(clinic, mode="on", moment=NOW)
    assert clinic.judge(as_of=AS_OF + DAY, now=later(days=1)).opened == 12
    assert {gone for *_, gone in shadow(clinic)} == {AS_OF + DAY}


def test_a_rule_that_is_off_leaves_the_shadow_too(clinic: Clinic) -> None:
    clinic.patient(500)
    agree(clinic, mode="shadow")
    clinic.judge()
    agree(clinic, mode="off", moment=NOW)
    run = clinic.judge(as_of=AS_OF + DAY)
    assert (run.asked, run.found) == (0, 0)
    assert [gone for *_, gone in shadow(clinic)] == [AS_OF + DAY]


def test_the_shadow_of_one_centre_is_not_that_of_another(clinic: Clinic) -> None:
    from tests.alerts.support import make_clinic

    elsewhere = make_clinic()
    for each in (clinic, elsewhere):
        each.patient(500)
        agree(each, mode="shadow")
        each.judge()
    for each in (clinic, elsewhere):
        assert len(shadow(each)) == 1


def test_a_dry_run_keeps_nothing_in_the_shadow(clinic: Clinic) -> None:
    clinic.patient(500)
    agree(clinic, mode="shadow")
    assert clinic.judge(dry_run=True).found == 1
    assert not ShadowFinding.objects.exists()


# -------------------------------------------------------------------------------------------------------- back-test


def days(n: int) -> list[dt.date]:
    return [AS_OF - (n - 1 - d) * DAY for d in range(n)]


def known(patient: Patient, value: int, on: int) -> Result:
    """A CK that was recorded on its day."""
    day = AS_OF + on * DAY
    return rules.ck(patient, value, on, recorded_at=day_bounds(day, patient.centre.zone)[0] + dt.timedelta(hours=9))


def test_a_back_test_counts_what_opens_what_stood_and_what_rises(clinic: Clinic) -> None:
    stands, opens, rises, twice = (factories.patient(clinic.centre, clinic.doctor) for _ in range(4))
    known(stands, 250, -9)
    known(opens, 250, -3)
    known(rises, 150, -3)
    known(rises, 1200, -1)
    for on, value in ((-4, 600), (-3, 20), (-2, 600)):
        known(twice, value, on)
    found = backtest(clinic.rule, clinic.centre, days(7))
    assert found == BackTest(
        days=7, opened=5, standing=1, patients=4, raised=1, listed=3,
        levels={"URGENT": 0, "ACTION": 2, "TASK": 2, "INFO": 1},
    )  # fmt: skip
    assert found.per_week(2) == pytest.approx(3 / 2 / 6)
    assert found.per_week(0) is None
    assert not Alert.objects.exists()
    # Off, in the shadow, or on: the question is what it would have meant.
    agree(clinic, mode="off")
    assert backtest(clinic.rule, clinic.centre, days(7)) == found


def closes_below_100(q: Question) -> str:
    """When a value is below 100."""
    return f"""
    SELECT o.patient_id, o.subject FROM open_alert o JOIN monitoring_result r ON r.patient_id = o.patient_id
    WHERE {q.known("r")} AND r.taken_on = %(as_of)s AND r.value < 100 AND (o.evidence ->> 'value')::numeric > r.value
    """


def test_a_back_test_closes_as_alerts_close(clinic: Clinic) -> None:
    patient, unknown, left = (factories.patient(clinic.centre, clinic.doctor) for _ in range(3))
    gone_at_99 = dataclasses.replace(
        clinic.rule, closes=closes_below_100, parameters=rules.Parameters(task=300),
        findings=lambda q: f"SELECT * FROM ({rules.found(q)}) f WHERE level IS NOT NULL AND level <> 'INFO'",
    )  # fmt: skip
    for on, value in ((-6, 600), (-5, 250), (-4, 600), (-3, 99), (-2, 600)):
        known(patient, value, on)
    # 250 on day -5 is found no more and does not close it; 99 on day -3 does.
    assert backtest(gone_at_99, clinic.centre, days(7)).opened == 2
    assert backtest(dataclasses.replace(gone_at_99, closes=None), clinic.centre, days(7)).opened == 3
    # What cannot be judged for a day is not over; whoever left is.
    for on, value in ((-6, 600), (-4, 600)):
        known(unknown, value, on)
    when = day_bounds(AS_OF - 5 * DAY, clinic.centre.zone)[0]
    rules.ck(unknown, "unknown", -5, recorded_at=when)
    assert backtest(clinic.rule, clinic.centre, days(7)).patients == 2
    assert backtest(clinic.rule, clinic.centre, days(7)).opened == 2 + 1
    known(left, 600, -6)
    for on, word in ((-5, "discharged"), (-3, "active")):
        moment = day_bounds(AS_OF + on * DAY, clinic.centre.zone)[0]
        fact(FollowUpStatus, left, word=word, starts_on=AS_OF + on * DAY, recorded_at=moment)
    assert backtest(clinic.rule, clinic.centre, days(7)).opened == 2 + 1 + 2


def proposed(clinic: Clinic, **values: str) -> RuleBackTest:
    change = rule_actions.propose_parameters(
        centre=clinic.centre, rule=clinic.rule.id, values=values, reason="r", by=clinic.doctor, now=NOW
    )
    return change.back_test


def run(test: RuleBackTest, now: dt.datetime = NOW) -> bool:
    done = backtest_actions.run_back_test(change_id=test.change_id, now=now, clock=lambda: now)
    test.refresh_from_db()
    return done


def test_a_proposal_is_compared_with_today_over_a_year(clinic: Clinic) -> None:
    for on, value in ((-400, 550), (-100, 700), (-50, 550)):
        known(factories.patient(clinic.centre, clinic.doctor), value, on)
    test = proposed(clinic, action="600")
    assert run(test)
    assert (test.percent, test.weeks_done, test.error) == (100, 52, "")
    assert test.today is not None
    assert test.proposed is not None
    assert test.today["levels"] == {"URGENT": 0, "ACTION": 3, "TASK": 0, "INFO": 0}
    assert test.proposed["levels"] == {"URGENT": 0, "ACTION": 1, "TASK": 2, "INFO": 0}
    assert (test.today["opened"], test.today["standing"], test.today["patients"], test.today["people"]) == (3, 1, 3, 1)
    assert test.today["per_person_week"] == pytest.approx(2 / 51)
    assert not run(test), "what has finished stays"


@pytest.mark.parametrize(
    ("before", "to", "today", "then"), [("on", "off", 1, 0), ("off", "on", 0, 1), ("off", "shadow", 0, 0)]
)
def test_switching_is_compared_with_what_it_is_today(
    clinic: Clinic, before: str, to: str, today: int, then: int
) -> None:
    known(factories.patient(clinic.centre, clinic.doctor), 700, -100)
    if before != "on":
        agree(clinic, mode=before)
    change = rule_actions.propose_mode(
        centre=clinic.centre, rule=clinic.rule.id, mode=to, reason="r", by=clinic.doctor, now=NOW
    )
    test = change.back_test
    assert run(test)
    assert test.today is not None
    assert test.proposed is not None
    assert (test.today["opened"], test.proposed["opened"]) == (today, then)


def test_its_progress_is_told_and_a_withdrawn_one_is_not_asked(clinic_committed: Clinic) -> None:
    clinic = clinic_committed
    known(factories.patient(clinic.centre, clinic.doctor), 700, -100)
    test = proposed(clinic, action="600")
    seen = []

    def clock() -> dt.datetime:
        seen.append(RuleBackTest.objects.get(pk=test.pk).percent)
        assert not connection.in_atomic_block
        return NOW

    assert backtest_actions.run_back_test(change_id=test.change_id, now=NOW, clock=clock)
    assert seen == sorted(seen)
    assert len(set(seen)) > 40
    rule_actions.withdraw(change=test.change, reason="no", by=clinic.doctor, now=NOW)
    again = proposed(clinic, action="700")
    rule_actions.withdraw(change=again.change, reason="no", by=clinic.doctor, now=NOW)
    assert not run(again)
    assert again.finished_at is None


def test_a_rule_that_breaks_leaves_its_class_and_is_tried_again(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    only_test_rules[clinic.rule.id] = rules.make(findings=rules.breaks)
    known(factories.patient(clinic.centre, clinic.doctor), 500, -100)
    test = proposed(clinic, action="600")
    with transaction.atomic(), pytest.raises(backtest_actions.BackTestFailed, match="DataError"):
        run(test)
    test.refresh_from_db()
    assert (test.error, test.weeks_done, test.finished_at) == ("DataError", 0, None)
    sent: list[int] = []
    for minutes in (19, 20, 25):
        backtest_actions.dispatch_back_tests(now=later(minutes=minutes), send=sent.append)
    assert sent == [test.change_id]
    only_test_rules[clinic.rule.id] = rules.make()
    assert run(test)
    assert test.error == ""
    assert backtest_actions.dispatch_back_tests(now=later(days=9), send=sent.append) == 0


@pytest.mark.slow
def test_a_worker_back_tests_and_then_it_can_be_confirmed(clinic_committed: Clinic, celery_worker_process: Any) -> None:
    """With a rule the worker knows; its clock is today's, so nothing here depends on the day."""
    clinic, now = clinic_committed, timezone.now()
    rising(clinic)
    other = factories.person(clinic.centre)
    change = rule_actions.propose_parameters(
        centre=clinic.centre, rule=CK.id, values={"action_ratio": "2.2"}, reason="r", by=clinic.doctor, now=now
    )
    eventually(lambda: RuleBackTest.objects.filter(change=change, finished_at__isnull=False).exists())
    rule_actions.confirm(change=change, by=other, now=timezone.now())
    assert governance.numbers(clinic.centre, CK).parameters.action_ratio == Decimal("2.2")
    # One that nobody was told of is found by the tick.
    lost = rule_actions.propose_parameters(
        centre=clinic.centre, rule="physio-missed", values={"missed_task": "3"}, reason="r", by=clinic.doctor,
        now=now - dt.timedelta(hours=1),
    )  # fmt: skip
    tasks.tick.delay()
    eventually(lambda: RuleBackTest.objects.filter(change=lost, finished_at__isnull=False).exists())
    assert RuleRun.objects.filter(error="").count() == RuleRun.objects.count()
