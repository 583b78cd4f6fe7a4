"""Findings become alerts: opened, raised, lowered, closed, held back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from alerts import statements
from alerts.actions import judging, life
from alerts.models import (
    Alert,
    AlertEvent,
    Delivery,
    DeliveryKind,
    EventKind,
    NotEvaluable,
    Reason,
    RuleRun,
    State,
    Trigger,
    Upcoming,
)
from audit.models import Entry
from monitoring.rules import RULES
from monitoring.rules.base import Question
from patients.models import FollowUpStatus, RuleException
from tests import factories
from tests.alerts import rules
from tests.alerts.support import Clinic, everything_kept, later
from tests.factories import AS_OF, NOW
from tests.rules.columns_safety import results
from tests.rules.columns_therapy import doses

pytestmark = pytest.mark.django_db


def kinds(alert: Alert) -> list[str]:
    return list(alert.life.order_by("pk").values_list("kind", flat=True))


def test_a_finding_opens_an_alert_with_its_evidence(clinic: Clinic) -> None:
    patient = clinic.patient(500)
    clinic.patient(20)
    run = clinic.judge()
    alert = Alert.objects.get()
    assert (alert.patient, alert.level, alert.state, alert.audience) == (patient, "ACTION", State.OPEN, Role.NURSE)
    assert (alert.evidence["value"], alert.evidence["parameters"]["urgent"]) == (500, "1000")
    assert (alert.opened_at, alert.level_since, alert.as_of) == (NOW, NOW, AS_OF)
    event = alert.life.get()
    assert (event.kind, event.by, event.level, event.evidence) == (EventKind.OPENED, None, "ACTION", alert.evidence)
    assert (run.asked, run.found, run.opened, run.changed, run.closed) == (2, 1, 1, 0, 0)
    assert (run.finished_at, run.held_back, run.error) == (NOW, "", "")


def test_the_row_history_says_what_wrote_it(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    context = alert.events.get().pgh_context
    assert context.metadata["action"] == "alerts.evaluate"
    assert context.metadata["run"] == RuleRun.objects.get().pk


def test_twice_changes_nothing_at_all(clinic: Clinic) -> None:
    for value in (1500, 500, 200, 100, 60, 20, "unknown"):
        clinic.patient(value)
    clinic.judge()
    before = everything_kept()
    assert all(before[table] for table in before)
    run = clinic.judge(now=later(hours=1))
    assert everything_kept() == before
    assert (run.opened, run.changed, run.closed) == (0, 0, 0)
    clinic.judge(now=later(days=1), as_of=AS_OF + dt.timedelta(days=1))  # nor on the next day, with the same facts
    assert everything_kept() == before


def test_a_level_that_rises_takes_the_acknowledgement_back(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    life.acknowledge(alert=alert, by=clinic.nurse, now=NOW)
    rules.ck(alert.patient, 1200)
    clinic.judge(now=later(hours=2))
    alert.refresh_from_db()
    assert (alert.level, alert.state, alert.acknowledged_at) == ("URGENT", State.OPEN, None)
    assert alert.level_since == later(hours=2)
    assert alert.opened_at == NOW
    assert kinds(alert) == ["opened", "acknowledged", "raised"]


def test_a_level_that_falls_keeps_the_acknowledgement(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    life.acknowledge(alert=alert, by=clinic.nurse, now=NOW)
    rules.ck(alert.patient, 250)
    clinic.judge(now=later(hours=2))
    alert.refresh_from_db()
    assert (alert.level, alert.state) == ("TASK", State.ACKNOWLEDGED)
    assert kinds(alert) == ["opened", "acknowledged", "lowered"]


def test_new_evidence_at_the_same_level_is_no_event_and_leaves_the_acknowledgement(clinic: Clinic) -> None:
    alert = clinic.alert(1200)
    life.acknowledge(alert=alert, by=clinic.nurse, now=NOW)
    rules.ck(alert.patient, 1300)
    assert clinic.judge(now=later(hours=2)).changed == 1
    alert.refresh_from_db()
    assert (alert.evidence["value"], alert.state, alert.level_since) == (1300, State.ACKNOWLEDGED, NOW)
    assert alert.evidence_at == later(hours=2)
    assert kinds(alert) == ["opened", "acknowledged"]


def test_a_rise_wakes_a_snoozed_alert_and_the_same_level_does_not(clinic: Clinic) -> None:
    alert = clinic.alert(300)
    life.snooze(alert=alert, by=clinic.nurse, now=NOW, until=AS_OF + dt.timedelta(days=20), reason=Reason.WILL_MONITOR)
    rules.ck(alert.patient, 400)
    clinic.judge()
    alert.refresh_from_db()
    assert alert.state == State.SNOOZED
    rules.ck(alert.patient, 700)
    clinic.judge()
    alert.refresh_from_db()
    assert (alert.state, alert.snoozed_until, alert.level) == (State.OPEN, None, "ACTION")
    assert kinds(alert)[2:] == ["raised", "woke"]


def test_a_snoozed_blood_count_that_turns_severe_is_back_before_its_day_and_told_at_once(clinic: Clinic) -> None:
    """An ACTION whose value crosses the next level while it is snoozed, by a real rule."""
    patient = clinic.patient()
    doses(patient, "-400.. methotrexate 15 /7")
    results(patient, "-5 neutrophils 1.59")
    clinic.judge(RULES["labs-action-limit"])
    alert = Alert.objects.get()
    until = AS_OF + dt.timedelta(days=14)
    life.snooze(alert=alert, by=clinic.doctor, now=NOW, until=until, reason=Reason.WILL_MONITOR)
    results(patient, "-3 neutrophils 1")  # lower, and not yet severe
    clinic.judge(RULES["labs-action-limit"])
    alert.refresh_from_db()
    assert (alert.level, alert.state, alert.snoozed_until) == ("ACTION", State.SNOOZED, until)
    results(patient, "-2 neutrophils 0.99")
    clinic.judge(RULES["labs-action-limit"], as_of=AS_OF + dt.timedelta(days=1), now=later(days=1))
    alert.refresh_from_db()
    assert (alert.level, alert.state, alert.snoozed_until) == ("URGENT", State.OPEN, None)
    assert Delivery.objects.filter(kind=DeliveryKind.URGENT).exists()


def test_a_snooze_ends_after_its_last_day_if_the_rule_still_finds_it(clinic: Clinic) -> None:
    still, gone = clinic.alert(300), clinic.alert(300)
    until = AS_OF + dt.timedelta(days=3)
    for alert in (still, gone):
        life.snooze(alert=alert, by=clinic.nurse, now=NOW, until=until, reason=Reason.WILL_MONITOR)
    rules.ck(gone.patient, 20)
    clinic.judge(as_of=until)
    still.refresh_from_db(), gone.refresh_from_db()
    assert (still.state, gone.state) == (State.SNOOZED, State.CLOSED)
    clinic.judge(as_of=until + dt.timedelta(days=1), now=later(days=4))
    still.refresh_from_db()
    assert (still.state, still.level_since) == (State.OPEN, later(days=4))
    assert kinds(still)[-1] == "woke"


def test_what_is_no_longer_found_closes_and_found_again_is_a_new_alert(clinic: Clinic) -> None:
    first = clinic.alert(500)
    rules.ck(first.patient, 20)
    assert clinic.judge().closed == 1
    first.refresh_from_db()
    assert (first.state, first.closed_at) == (State.CLOSED, NOW)
    closing = first.life.latest("pk")
    assert (closing.kind, closing.by, closing.text) == ("closed", None, statements.NO_LONGER_FOUND)
    rules.ck(first.patient, 500)
    assert clinic.judge().opened == 1
    assert Alert.objects.filter(patient=first.patient).count() == 2


def test_what_a_person_closed_stays_closed_while_it_is_the_same(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    life.close(alert=alert, by=clinic.nurse, now=NOW, reason=Reason.ALREADY_KNOWN)
    assert clinic.judge().opened == 0
    rules.ck(alert.patient, 510)  # another value at the same level is another finding
    assert clinic.judge().opened == 1
    assert clinic.judge().opened == 0


def test_what_a_person_closed_and_that_passed_is_new_when_it_comes_back_the_same(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    life.close(alert=alert, by=clinic.nurse, now=NOW, reason=Reason.ACTED)
    rules.ck(alert.patient, 20)
    clinic.judge()
    rules.ck(alert.patient, 500)
    assert clinic.judge().opened == 1


def test_what_cannot_be_judged_any_more_is_not_known_to_be_over(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    rules.ck(alert.patient, "unknown")
    run = clinic.judge()
    alert.refresh_from_db()
    assert (run.not_evaluable, run.closed, alert.state) == (1, 0, State.OPEN)
    assert NotEvaluable.objects.get().missing == ["a value"]
    rules.ck(alert.patient, 20)
    clinic.judge()
    alert.refresh_from_db()
    assert alert.state == State.CLOSED
    assert not NotEvaluable.objects.exists()


def test_a_finding_of_which_a_part_cannot_be_told_is_an_alert_and_on_the_list_of_gaps(clinic: Clinic) -> None:
    def partly(q: Question) -> str:
        return f"""
        SELECT f.patient_id, f.subject, f.level, f.due_on, f.evidence,
            CASE WHEN f.level <> 'URGENT' THEN ARRAY['a weight', 'a weight', 'a limit'] END AS missing
        FROM ({rules.found(q)}) f WHERE f.level IS NOT NULL"""

    rule = rules.make(findings=partly)
    patient = clinic.patient(500)
    run = clinic.judge(rule)
    assert (run.found, run.not_evaluable, run.opened) == (1, 1, 1)
    assert Alert.objects.get().level == "ACTION"
    assert NotEvaluable.objects.get().missing == ["a limit", "a weight"]
    before = everything_kept()
    clinic.judge(rule, now=later(hours=1))
    assert everything_kept() == before
    rules.ck(patient, 1200)
    clinic.judge(rule)
    assert Alert.objects.get().level == "URGENT"
    assert not NotEvaluable.objects.exists()


def test_what_is_coming_up_is_rewritten(clinic: Clinic) -> None:
    patient = clinic.patient(60)
    clinic.judge()
    assert Upcoming.objects.get().due_on == AS_OF + dt.timedelta(days=14)
    rules.ck(patient, 60, on=1)
    clinic.judge(as_of=AS_OF + dt.timedelta(days=1))
    assert Upcoming.objects.get().due_on == AS_OF + dt.timedelta(days=15)
    rules.ck(patient, 20, on=2)
    clinic.judge(as_of=AS_OF + dt.timedelta(days=2))
    assert not Upcoming.objects.exists()


@pytest.mark.parametrize("touched", [False, True])
def test_whoever_leaves_the_population_has_no_open_alert(clinic: Clinic, touched: bool) -> None:
    discharged, excepted, stays = clinic.alert(500), clinic.alert(500), clinic.alert(500)
    clinic.patient("unknown")
    factories.fact(FollowUpStatus, discharged.patient, word="discharged", starts_on=AS_OF)
    factories.fact(
        RuleException, excepted.patient, rule=clinic.rule.id, reason="agreed", starts_on=AS_OF, ends_on=AS_OF
    )
    clinic.judge(patients=[discharged.patient_id, excepted.patient_id] if touched else None)
    for alert in (discharged, excepted, stays):
        alert.refresh_from_db()
    assert (discharged.state, excepted.state, stays.state) == (State.CLOSED, State.CLOSED, State.OPEN)
    assert discharged.life.latest("pk").text == statements.NO_LONGER_ASKED


def test_only_the_patients_asked_about_are_touched(clinic: Clinic) -> None:
    one, other = clinic.alert(500), clinic.alert(500)
    for alert in (one, other):
        rules.ck(alert.patient, 20)
    clinic.judge(patients=[one.patient_id])
    one.refresh_from_db(), other.refresh_from_db()
    assert (one.state, other.state) == (State.CLOSED, State.OPEN)


def test_another_centre_is_another_world(clinic: Clinic) -> None:
    elsewhere = factories.centre()
    patient = factories.patient(elsewhere, clinic.doctor)
    rules.ck(patient, 500)
    clinic.alert(500)
    clinic.judge(centre=elsewhere)
    clinic.judge()
    assert Alert.objects.filter(state=State.OPEN).count() == 2
    assert Alert.objects.get(patient=patient).centre == elsewhere


def test_a_rule_closes_by_its_own_condition_where_it_has_one(clinic: Clinic) -> None:
    def closes(q: Question) -> str:
        return f"""
        SELECT o.patient_id, o.subject FROM open_alert o
        JOIN monitoring_result r ON r.patient_id = o.patient_id AND {q.known("r")} AND r.analyte = 'ck'
        WHERE r.value < (o.evidence->>'value')::numeric / 10"""

    rule = rules.make(closes=closes)
    alert = clinic.alert(500)
    rules.ck(alert.patient, 51)
    clinic.judge(rule)
    alert.refresh_from_db()
    assert alert.state == State.OPEN  # merely gone is not enough
    rules.ck(alert.patient, 49)
    clinic.judge(rule)
    alert.refresh_from_db()
    assert alert.state == State.CLOSED
    again = clinic.alert(500)
    rules.ck(again.patient, 30, on=-5)  # the condition holds, and so does the finding: it is not closed to be opened
    before = everything_kept()
    clinic.judge(rule)
    assert everything_kept() == before


# ------------------------------------------------------------------------------------------------------- the guard


def test_a_judgement_that_would_close_most_closes_nothing_and_says_so(clinic: Clinic) -> None:
    administrator = factories.person(clinic.centre, Role.ADMINISTRATOR)
    alerts = [clinic.alert(500) for _ in range(12)]
    clinic.patient("unknown")
    rising = clinic.patient(60)
    clinic.judge()
    for alert in alerts[:10]:
        rules.ck(alert.patient, 20)
    rules.ck(rising, 500)
    run = clinic.judge()
    assert run.held_back == "10 of 12 open alerts would have closed"
    assert (run.closed, run.opened) == (0, 1)  # what is new is opened all the same
    assert Alert.objects.filter(state=State.OPEN).count() == 13
    assert Delivery.objects.get(kind=DeliveryKind.OPERATOR).person == administrator
    assert clinic.judge(accept_closing=True, by=administrator, trigger=Trigger.COMMAND).closed == 10
    assert Entry.objects.get(action="alerts.evaluate").by == administrator


@pytest.mark.parametrize(("closing", "of", "held"), [(9, 9, False), (10, 20, False), (10, 19, True), (11, 20, True)])
def test_the_guard_stands_at_more_than_half_and_at_ten(clinic: Clinic, closing: int, of: int, held: bool) -> None:
    alerts = [clinic.alert(500) for _ in range(of)]
    for alert in alerts[:closing]:
        rules.ck(alert.patient, 20)
    assert bool(clinic.judge().held_back) is held


def test_an_empty_population_closes_nothing(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    factories.fact(FollowUpStatus, alert.patient, word="transferred", starts_on=AS_OF)
    run = clinic.judge()
    assert (run.asked, run.closed, run.held_back[:6]) == (0, 0, "Nobody")
    assert clinic.judge(accept_closing=True).closed == 1


def test_a_rule_that_somebody_switched_off_closes_its_alerts(clinic: Clinic) -> None:
    clinic.alert(500)
    factories.rule_change(clinic.centre, clinic.rule.id, mode="off")
    run = clinic.judge()
    assert (run.asked, run.closed, run.held_back) == (0, 1, "")


def test_an_empty_centre_has_nothing_to_hold_back(clinic: Clinic) -> None:
    assert not clinic.judge().held_back


# --------------------------------------------------------------------------------------------- runs and their failure


def test_a_dry_run_counts_and_keeps_nothing(clinic: Clinic) -> None:
    clinic.patient(1200)
    run = clinic.judge(dry_run=True)
    assert (run.pk, run.opened) == (None, 1)
    assert not Alert.objects.exists()
    assert not RuleRun.objects.exists()
    assert not Delivery.objects.exists()


def test_a_rule_that_breaks_leaves_an_unfinished_run_and_the_alerts_as_they_were(clinic: Clinic) -> None:
    clinic.alert(500)
    before = everything_kept()
    with pytest.raises(judging.RuleFailed) as failure:
        clinic.judge(rules.make(findings=rules.breaks))
    assert str(failure.value) == "test-level: DataError"
    run = RuleRun.objects.latest("pk")
    assert (run.finished_at, run.error) == (None, "DataError")
    assert everything_kept() == before


def test_the_statements_do_not_grow_with_the_patients(clinic: Clinic) -> None:
    def statements_for(more: int) -> int:
        for value in range(more):
            clinic.patient(480 + value)
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            clinic.judge()
        return len(queries)

    assert statements_for(1) == statements_for(40)


def test_urgent_is_told_at_once_to_whoever_is_on_call_else_to_all_clinicians(clinic: Clinic) -> None:
    colleague = factories.person(clinic.centre)
    clinic.alert(1200)
    told = Delivery.objects.filter(kind=DeliveryKind.URGENT)
    assert set(told.values_list("person", flat=True)) == {clinic.doctor.pk, colleague.pk}
    colleague.memberships.update(is_on_call=True)
    alert = clinic.alert(500)
    rules.ck(alert.patient, 2000)
    clinic.judge()
    event = AlertEvent.objects.get(alert=alert, kind=EventKind.RAISED)
    assert told.get(key=f"event:{event.pk}").person == colleague
    clinic.judge()
    assert told.count() == 3
