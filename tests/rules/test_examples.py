"""Every rule's own table of patients, against the record in PostgreSQL."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from monitoring.asking import ask, findings
from monitoring.rules import RULES
from monitoring.rules.base import Rule
from monitoring.sharing import sharing
from tests import factories
from tests.factories import AS_OF
from tests.rules import columns  # noqa: F401 - registers the columns
from tests.rules.examples import COLUMNS, agrees, one_of_each, parse, said

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_of_its_example_patients_what_its_table_says(rule: Rule) -> None:
    clinic = factories.centre()
    clerk = factories.person(clinic)
    examples = parse(rule.examples)
    assert examples
    people = {}
    for example in examples:
        patient = factories.patient(clinic, clerk)
        people[patient.pk] = example
        for name, cell in example.cells.items():
            COLUMNS[name](patient, cell)

    said_of: dict[int, list] = {pk: [] for pk in people}
    for finding in findings(rule, as_of=AS_OF):
        said_of[finding.patient_id].append(finding)
        if finding.level:
            assert finding.evidence is not None
            assert rule.sentence(finding.evidence)

    wrong = [
        f"{example.case}: expected {example.expect}, got {said(said_of[pk])}"
        for pk, example in people.items()
        if not agrees(example.expect, said(said_of[pk]))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_the_same_from_answers_that_are_shared(rule: Rule) -> None:
    """Asked by itself; from answers brought up to date for every patient; and from answers prepared for all at once."""
    clinic = factories.centre()
    clerk = factories.person(clinic)
    about = {"as_of": AS_OF, "centre_id": clinic.pk}
    with sharing(**about) as shared:
        assert findings(rule, shared=shared, **about) == []
        for example in parse(rule.examples):
            patient = factories.patient(clinic, clerk)
            for name, cell in example.cells.items():
                COLUMNS[name](patient, cell)
        brought_up_to_date = findings(rule, shared=shared, **about)
    with sharing(**about) as shared:
        prepared = findings(rule, shared=shared, **about)
    alone = findings(rule, **about)
    assert alone
    assert prepared == alone
    assert brought_up_to_date == alone


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_the_same_of_a_patient_who_is_asked_about_alone(rule: Rule) -> None:
    """Beside others who are not: the question right after a result, and a patient's page."""
    clinic = factories.centre()
    clerk = factories.person(clinic)
    people = {}
    for example in one_of_each(parse(rule.examples)):
        patient = factories.patient(clinic, clerk)
        people[patient.pk] = example
        for name, cell in example.cells.items():
            COLUMNS[name](patient, cell)
    for pk, example in people.items():
        found = findings(rule, as_of=AS_OF, patient_ids=[pk])
        assert {finding.patient_id for finding in found} <= {pk}
        assert agrees(example.expect, said(found)), example.case


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_asks_in_a_bounded_number_of_statements_and_reads_the_past(rule: Rule) -> None:
    """Whatever the population; and its query also runs as of a moment in the past."""
    with CaptureQueriesContext(connection) as few, transaction.atomic():
        ask(rule, as_of=AS_OF)
    with CaptureQueriesContext(connection) as past, transaction.atomic():
        ask(rule, as_of=AS_OF, known_at=factories.NOW, patient_ids=[1, 2, 3])
    assert max(len(few), len(past)) <= 7  # two savepoint statements among them


def test_the_tables_of_all_rules_reach_every_level_they_can_give() -> None:
    """A table without a quiet patient cannot show that a rule is ever silent."""
    for rule in RULES.values():
        expected = {example.expect.split()[0] for example in parse(rule.examples)}
        assert "quiet" in expected, rule.id
        assert expected & {"URGENT", "ACTION", "TASK", "INFO"}, rule.id
