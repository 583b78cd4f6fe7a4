"""Answers prepared once for several rules of a sweep: as fresh, and as safe, as if each rule asked by itself."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from alerts import tasks
from alerts.actions import judging, sweeps, touched
from alerts.models import Alert, AlertEvent, RuleRun, Sweep
from monitoring.asking import ask, findings
from monitoring.rules import RULES
from monitoring.rules.base import Prepared, Question, Rule
from monitoring.sharing import groups, is_shared, sharing
from patients.models import FollowUpStatus, RuleException, Touched
from tests import factories
from tests.alerts import rules
from tests.alerts.support import Clinic, later
from tests.alerts.test_at_once_and_killed import at_once
from tests.factories import AS_OF, NOW, fact

pytestmark = pytest.mark.django_db


def _latest(q: Question) -> str:
    return f"""
    SELECT DISTINCT ON (a.patient_id) a.patient_id, r.value >= %(task)s AS is_high, r.value
    FROM asked a JOIN monitoring_result r ON r.patient_id = a.patient_id AND {q.known("r")}
    WHERE r.analyte = 'ck' AND r.taken_on <= %(as_of)s
    ORDER BY a.patient_id, r.taken_on DESC, r.id DESC
    """


LATEST = Prepared("latest_ck", _latest)


def from_latest(q: Question) -> str:
    table = q.shared(LATEST)
    return f"""
    SELECT l.patient_id, 'patient'::text AS subject, 'TASK' AS level, NULL::date AS due_on,
        jsonb_build_object('reasons', ARRAY['high'], 'value', l.value) AS evidence, NULL::text[] AS missing
    FROM ({f"SELECT * FROM {table}" if table else _latest(q)}) l WHERE l.is_high
    """


def make(name: str, **changes: object) -> Rule:
    return rules.make(name, **{"findings": from_latest, **changes})


def made(queries: CaptureQueriesContext) -> int:
    return sum("CREATE TEMP TABLE prepared_" in query["sql"] for query in queries)


def test_rules_that_share_an_answer_are_a_group(only_test_rules: dict[str, Rule]) -> None:
    only_test_rules.update({"a": rules.make("a"), "b": make("b"), "c": rules.make("c"), "d": make("d")})
    assert groups(RULES) == [["b", "d"], ["a"], ["c"]]


def test_an_answer_is_prepared_once_and_again_for_other_numbers(clinic: Clinic) -> None:
    for value in (500, 250, 20):
        clinic.patient(value)
    higher = dataclasses.replace(rules.Parameters(), task=400)
    about = {"as_of": AS_OF, "centre_id": clinic.centre.pk}
    with sharing(**about) as shared, CaptureQueriesContext(connection) as queries:
        assert len(findings(make("a"), shared=shared, **about)) == 2
        assert len(findings(make("b"), shared=shared, **about)) == 2
        assert made(queries) == 1
        assert len(findings(make("c"), shared=shared, parameters=higher, **about)) == 1
        assert made(queries) == 2
    with CaptureQueriesContext(connection) as queries:
        assert len(findings(make("a"), **about)) == 2
    assert made(queries) == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relname ~ 'prepared'")
        assert cursor.fetchall() == []


def test_what_is_shared_is_about_one_centre_and_day(clinic: Clinic) -> None:
    with sharing(centre_id=clinic.centre.pk, as_of=AS_OF) as shared, transaction.atomic():
        for other in (
            {"as_of": AS_OF - dt.timedelta(days=1)},
            {"centre_id": None},
            {"patient_ids": [1]},
            {"known_at": NOW},
        ):
            with pytest.raises(ValueError, match="one centre"):
                ask(make("a"), shared=shared, **{"as_of": AS_OF, "centre_id": clinic.centre.pk, **other})


def test_whom_a_rule_excepts_another_is_told_of(clinic: Clinic) -> None:
    patient, other = clinic.patient(500), clinic.patient(500)
    fact(RuleException, patient, rule="a", starts_on=AS_OF, ends_on=AS_OF, reason="not here")
    factories.rule_change(clinic.centre, "c", mode="off")
    about = {"as_of": AS_OF, "centre_id": clinic.centre.pk}
    with sharing(**about) as shared:
        assert [f.patient_id for f in findings(make("a"), shared=shared, **about)] == [other.pk]
        assert [f.patient_id for f in findings(make("b"), shared=shared, **about)] == [patient.pk, other.pk]
        with transaction.atomic():
            assert ask(make("c"), shared=shared, **about) == 0
            assert ask(make("c"), shared=shared, even_if_off=True, **about) == 2


def test_what_was_recorded_since_is_in_the_answer(clinic: Clinic) -> None:
    """A result, its retirement, a newcomer, a discharge and an exception, after everything was prepared."""
    worse, better, leaving, excepted = (clinic.patient(value) for value in (20, 500, 500, 500))
    about = {"as_of": AS_OF, "centre_id": clinic.centre.pk}
    with sharing(**about) as shared:
        assert len(findings(make("a"), shared=shared, **about)) == 3
        rules.ck(worse, 500)
        better.results.update(retired_at=NOW, retired_by=clinic.doctor)
        fact(FollowUpStatus, leaving, word="discharged", starts_on=AS_OF)
        fact(RuleException, excepted, rule="a", starts_on=AS_OF, ends_on=AS_OF, reason="not here")
        newcomer = clinic.patient(500)
        found = findings(make("a"), shared=shared, **about)
    assert [f.patient_id for f in found] == [worse.pk, newcomer.pk]
    assert found == findings(make("a"), **about)


def test_a_rule_that_fails_leaves_nothing_half_prepared(clinic: Clinic) -> None:
    clinic.patient(500)

    def breaks(q: Question) -> str:
        return f"SELECT * FROM ({from_latest(q)}) f WHERE 1 / (f.patient_id - f.patient_id) = 1"

    about = {"as_of": AS_OF, "centre_id": clinic.centre.pk}
    with sharing(**about) as shared:
        with pytest.raises(judging.RuleFailed):
            clinic.judge(make("a", findings=breaks), shared=shared)
        assert clinic.judge(make("b"), shared=shared).opened == 1
    assert Alert.objects.get().rule == "b"


def test_a_worker_takes_each_rule_once_and_leaves_one_that_fails(
    clinic: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    clinic.patient(500)
    only_test_rules.update({"a": make("a"), "b": rules.make("b", findings=rules.breaks), "c": make("c")})
    sweep = Sweep.objects.create(centre=clinic.centre, as_of=AS_OF, started_at=NOW)
    with CaptureQueriesContext(connection) as queries:
        tasks.sweep(sweep.pk)
    assert made(queries) == 1
    tasks.sweep(sweep.pk)
    assert sorted(RuleRun.objects.values_list("rule", "error")) == [("a", ""), ("b", "DataError"), ("c", "")]
    only_test_rules["b"] = rules.make("b")  # repaired, and the workers are called again
    RuleRun.objects.update(started_at=LATELY)
    tasks.sweep(sweep.pk)
    sweep.refresh_from_db()
    assert sweep.finished_at is not None
    assert set(Alert.objects.values_list("rule", flat=True)) == {"a", "b", "c"}


LATELY = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_ask_every_rule_once_and_leave_nothing_in_the_outbox(
    clinic_committed: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    clinic = clinic_committed
    only_test_rules.update({name: make(name) for name in "ab"})
    only_test_rules.update({name: rules.make(name) for name in "cdef"})
    for value in (500, 500, 20):
        clinic.patient(value)
    sweep = Sweep.objects.create(centre=clinic.centre, as_of=AS_OF, started_at=NOW)
    assert at_once([lambda: tasks.sweep(sweep.pk)] * 3 + [lambda: touched.judge_touched(now=NOW)] * 2) == []
    assert sorted(RuleRun.objects.filter(sweep=sweep).values_list("rule", flat=True)) == [*"abcdef"]
    sweep.refresh_from_db()
    assert sweep.finished_at is not None
    assert Alert.objects.count() == 12
    touched.judge_touched(now=NOW)
    assert not Touched.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_fact_judged_while_a_sweep_runs_is_not_undone_by_older_answers(
    clinic_committed: Clinic, only_test_rules: dict[str, Rule]
) -> None:
    """Prepared, then recorded and judged by another worker, then the sweep asks the next rule."""
    clinic = clinic_committed
    only_test_rules.update({name: make(name) for name in "ab"})
    patient = clinic.patient(20)
    touched.judge_touched(now=NOW)
    sweep = Sweep.objects.create(centre=clinic.centre, as_of=AS_OF, started_at=NOW)

    def meanwhile() -> None:
        rules.ck(patient, 500)
        assert is_shared(clinic.centre.pk)
        assert touched.judge_touched(now=NOW) == 1
        assert Alert.objects.count() == 2
        assert Touched.objects.exists()  # it stays: the sweep still holds what was before

    with sweeps.share_of_sweep(sweep_id=sweep.pk, now=NOW) as to_ask:
        for rule, shared in to_ask:
            sweeps.evaluate_in_sweep(sweep_id=sweep.pk, rule_id=rule, now=NOW, shared=shared)
            if rule == "a":
                assert at_once([meanwhile]) == []
    assert not is_shared(clinic.centre.pk)
    assert sorted(AlertEvent.objects.values_list("alert__rule", "kind")) == [("a", "opened"), ("b", "opened")]
    assert touched.judge_touched(now=later(minutes=1)) == 1
    assert not Touched.objects.exists()
    assert Alert.objects.filter(closed_at=None).count() == 2
