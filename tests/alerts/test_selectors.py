"""Replaying an alert, and how rules behave."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from alerts import selectors
from alerts.actions import life
from alerts.models import Reason
from audit.facts import withdraw
from monitoring.rules.base import Rule
from tests.alerts import rules
from tests.alerts.support import Clinic, later
from tests.factories import AS_OF, NOW

pytestmark = pytest.mark.django_db


def test_an_alert_replays_to_the_same_verdict_whatever_was_recorded_since(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    only_test_rules[clinic.rule.id] = clinic.rule
    alert = clinic.alert(500)
    rules.ck(alert.patient, 20, recorded_at=later(seconds=1))
    withdraw(alert.patient.results.earliest("pk"), by=clinic.nurse, now=later(hours=1), reason="another patient's")
    again = selectors.replay(alert)
    assert (again.same, again.level, again.evidence) == (True, "ACTION", alert.evidence)


def test_a_replay_uses_the_numbers_of_then_and_names_the_version_of_now(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    alert = clinic.alert(500)
    only_test_rules[clinic.rule.id] = rules.make(version=2, parameters=rules.Parameters(urgent=Decimal(400)))
    again = selectors.replay(alert)
    assert (again.same, again.version_then, again.version_now) == (True, 1, 2)


def test_a_replay_says_when_the_record_does_not_bear_the_alert_out(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    only_test_rules[clinic.rule.id] = clinic.rule
    alert = clinic.alert(500)
    rules.ck(alert.patient, 1500, recorded_at=NOW)
    again = selectors.replay(alert)
    assert (again.same, again.level, again.evidence["value"]) == (False, "URGENT", 1500)
    rules.ck(alert.patient, 20, recorded_at=NOW)
    again = selectors.replay(alert)
    assert (again.same, again.level, again.evidence) == (False, None, None)


def test_what_was_acted_on_and_what_was_overridden_is_counted_by_rule(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    only_test_rules[clinic.rule.id] = clinic.rule
    clinic.alert(150)  # for information only: nobody is asked to act
    alerts = [clinic.alert(500) for _ in range(6)]
    life.acknowledge(alert=alerts[0], by=clinic.nurse, now=later(hours=1))
    life.close(alert=alerts[1], by=clinic.nurse, now=later(hours=3), reason=Reason.ACTED)
    until = AS_OF + dt.timedelta(days=2)
    life.snooze(alert=alerts[2], by=clinic.nurse, now=later(hours=5), until=until, reason=Reason.WILL_MONITOR)
    life.close(alert=alerts[3], by=clinic.nurse, now=later(hours=7), reason=Reason.NOT_APPLICABLE)
    life.close(alert=alerts[4], by=clinic.nurse, now=later(hours=9), reason=Reason.DATA_WRONG)
    life.reopen(alert=alerts[4], by=clinic.nurse, now=later(hours=9, minutes=1))
    [numbers] = selectors.rule_statistics(clinic.centre, NOW)
    assert (numbers.fired, numbers.acted, numbers.overridden) == (6, 2, 2)
    assert numbers.reasons == {"will_monitor": 1, "not_applicable": 1}
    assert numbers.acted_share == numbers.overridden_share == Decimal(2) / 6
    assert numbers.median_time_to_act == dt.timedelta(hours=4)
    [nothing] = selectors.rule_statistics(clinic.centre, later(seconds=1))
    assert (nothing.fired, nothing.acted_share, nothing.median_time_to_act) == (0, None, None)


@pytest.mark.parametrize(("acted", "proposed"), [(0, True), (1, False)])
def test_a_rule_hardly_acted_on_for_two_months_is_proposed_for_review(
    clinic: Clinic, only_test_rules: dict[str, Rule], acted: int, proposed: bool
) -> None:
    only_test_rules[clinic.rule.id] = clinic.rule
    clinic.alert(500)
    alerts = []
    for _ in range(5):
        patient = clinic.patient(500)
        clinic.judge(patients=[patient.pk], now=later(days=30))
        alerts.append(patient.alerts.get())
    for alert in alerts[:acted]:
        life.acknowledge(alert=alert, by=clinic.nurse, now=later(days=31))
    assert selectors.rules_to_review(clinic.centre, later(days=60)) == []
    found = selectors.rules_to_review(clinic.centre, later(days=62))
    assert [numbers.rule for numbers in found] == ([clinic.rule.id] if proposed else [])
