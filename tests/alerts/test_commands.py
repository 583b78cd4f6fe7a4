"""manage.py evaluate and backtest."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from alerts.models import Alert, RuleRun
from monitoring.rules import RULES
from monitoring.rules.base import Rule
from tests import factories
from tests.alerts import rules
from tests.alerts.support import Clinic, everything_kept
from tests.factories import AS_OF, fact
from therapy.models import PhysioPlan, PhysioSession, SessionOutcome

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> Any:
    output = io.StringIO()
    call_command(*arguments, "--json", stdout=output)
    return json.loads(output.getvalue())


def missing_physio(clinic: Clinic) -> None:
    """Two sessions missed, one and two weeks ago, recorded on their days."""
    patient = clinic.patient()
    plan = fact(PhysioPlan, patient, starts_on=AS_OF - dt.timedelta(days=20))
    for ago in (14, 7):
        day = AS_OF - dt.timedelta(days=ago)
        session = fact(PhysioSession, patient, plan=plan, held_on=day)
        noon = dt.datetime.combine(day, dt.time(12), dt.UTC)
        fact(SessionOutcome, patient, session=session, word="did_not_attend", recorded_at=noon)


def test_evaluate_asks_every_rule_of_the_library_and_twice_changes_nothing(clinic: Clinic) -> None:
    missing_physio(clinic)
    rows = run("evaluate", "--as-of", AS_OF.isoformat())
    assert [row["rule"] for row in rows] == list(RULES)
    assert not any("error" in row for row in rows)
    [physio] = [row for row in rows if row["rule"] == "physio-missed"]
    assert (physio["asked"], physio["found"], physio["opened"]) == (1, 1, 1)
    before = everything_kept()
    rows = run("evaluate", "--as-of", AS_OF.isoformat())
    assert everything_kept() == before
    assert {(row["opened"], row["changed"], row["closed"]) for row in rows} == {(0, 0, 0)}


def test_evaluate_can_be_narrowed_and_tried_out(clinic: Clinic) -> None:
    missing_physio(clinic)
    arguments = ("evaluate", "--as-of", AS_OF.isoformat(), "--rule", "physio-missed", "--centre", clinic.centre.name)
    [row] = run(*arguments, "--dry-run")
    assert row["opened"] == 1
    assert not Alert.objects.exists()
    assert not RuleRun.objects.exists()
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    assert "physio-missed" in output.getvalue()
    assert Alert.objects.get().level == "TASK"
    with pytest.raises(CommandError, match="no centre"):
        run("evaluate", "--centre", "Nowhere")


def test_a_mass_closing_is_held_back_until_somebody_accepts_it(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    only_test_rules[clinic.rule.id] = clinic.rule
    for alert in [clinic.alert(500) for _ in range(10)]:
        rules.ck(alert.patient, 20)
    [row] = run("evaluate", "--as-of", AS_OF.isoformat())
    assert (row["closed"], row["held_back"]) == (0, "10 of 10 open alerts would have closed")
    [row] = run("evaluate", "--as-of", AS_OF.isoformat(), "--accept-closing")
    assert (row["closed"], row["held_back"]) == (10, "")


def test_a_rule_that_breaks_does_not_keep_the_others_from_being_asked(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    clinic.patient(500)
    only_test_rules.update({"a": rules.make("a", findings=rules.breaks), "b": rules.make("b")})
    with pytest.raises(CommandError, match="1 of 2"):
        call_command("evaluate", "--as-of", AS_OF.isoformat(), stdout=io.StringIO())
    assert Alert.objects.get().rule == "b"


def test_backtest_counts_what_would_have_opened_with_what_was_known_each_day(clinic: Clinic) -> None:
    missing_physio(clinic)
    arguments = ("--from", (AS_OF - dt.timedelta(days=20)).isoformat(), "--to", AS_OF.isoformat())
    before = everything_kept()
    found = run("backtest", "physio-missed", *arguments, "--every", "1", "--set", "missed_task=3")
    assert everything_kept() == before
    today, proposed = found["today"], found["proposed"]
    assert (today["opened"], today["patients"], today["raised"]) == (1, 1, 1)
    assert today["levels"] == {"URGENT": 0, "ACTION": 0, "TASK": 0, "INFO": 1}
    assert (proposed["opened"], proposed["raised"], proposed["parameters"]["missed_task"]) == (1, 0, 3)


def test_backtest_sees_a_result_only_from_the_day_it_was_recorded(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    only_test_rules[clinic.rule.id] = clinic.rule
    patient = factories.patient(clinic.centre, clinic.doctor)
    late_evening = dt.datetime(2025, 6, 10, 21, 59, tzinfo=dt.UTC)  # 23:59 in Berlin
    rules.ck(patient, 500, on=-9, recorded_at=late_evening)
    for day, opened in (("2025-06-09", 0), ("2025-06-10", 1)):
        assert run("backtest", clinic.rule.id, "--from", day, "--to", day)["today"]["opened"] == opened


@pytest.mark.parametrize("setting", ["nonsense=1", "missed_task=many", "attended_share=x"])
def test_backtest_refuses_numbers_the_rule_does_not_have(clinic: Clinic, setting: str) -> None:
    with pytest.raises(CommandError, match="--set"):
        run("backtest", "physio-missed", "--from", "2025-01-01", "--to", "2025-01-02", "--set", setting)
