"""What is due, as pages ask: the same schedule as the rule's."""

from __future__ import annotations

import datetime as dt

import pytest

from monitoring.asking import findings
from monitoring.lab_schedule import DueTest, Standing, due_between, due_of
from monitoring.rules import RULES
from patients.models import FollowUpStatus, Patient
from tests import factories
from tests.factories import AS_OF, fact
from tests.rules import columns
from tests.rules.columns_safety import panels
from tests.rules.columns_therapy import doses
from tests.rules.examples import COLUMNS, day, parse

assert columns  # registers the columns

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    clinic = factories.centre()
    return factories.patient(clinic, factories.person(clinic))


def told(patient: Patient, as_of: dt.date = AS_OF) -> dict[str, DueTest]:
    return {test.test: test for test in due_of(patient.centre, patient.pk, as_of)}


def test_nothing_is_due_without_a_monitored_drug(patient: Patient) -> None:
    doses(patient, "-300.. prednisone 40")
    assert due_of(patient.centre, patient.pk, AS_OF) == []


def test_each_test_says_when_it_was_done_when_it_is_due_and_why(patient: Patient) -> None:
    doses(patient, "-300.. methotrexate 15 /7, -30.. azathioprine 50")
    panels(patient, "-40 albumin, -10 haemoglobin, -10 wbc, -10 neutrophils, -10 platelets")
    tests = told(patient)
    assert list(tests) == ["blood count", "renal function", "liver enzymes", "albumin"]
    count, albumin = tests["blood count"], tests["albumin"]
    assert (count.last_on, count.due_on, count.interval, count.standing) == (day(-10), day(4), 14, Standing.PLANNED)
    assert count.names == "Azathioprine, Methotrexate"
    assert count.why == f"every 14 days, dose not raised since {day(-30).day} {day(-30):%b %Y}"
    # The albumin was before azathioprine: due 14 days after its start, and overdue for it.
    assert (albumin.last_on, albumin.due_on, albumin.standing) == (day(-40), day(-16), Standing.OVERDUE)
    assert (tests["renal function"].last_on, tests["renal function"].standing) == (None, Standing.LONG_OVERDUE)


def test_within_its_grace_a_test_is_due_and_not_overdue(patient: Patient) -> None:
    doses(patient, "-400.. methotrexate 15 /7")
    panels(patient, "-98")
    assert {test.standing for test in told(patient).values()} == {Standing.DUE}
    assert {test.standing for test in told(patient, day(1)).values()} == {Standing.OVERDUE}


def test_who_is_not_followed_has_nothing_due(patient: Patient) -> None:
    doses(patient, "-400.. methotrexate 15 /7")
    fact(FollowUpStatus, patient, word="discharged", starts_on=day(-1))
    assert due_of(patient.centre, patient.pk, AS_OF) == []


def test_the_calendar_holds_the_days_from_first_to_last_of_its_own_centre(patient: Patient) -> None:
    elsewhere = factories.patient(factories.centre(), patient.created_by)
    beside = factories.patient(patient.centre, patient.created_by)
    for who, days in ((patient, "-64"), (beside, "-54"), (elsewhere, "-64")):
        doses(who, "-400.. methotrexate 15 /7")
        panels(who, days)

    def on(first: int, last: int) -> list[tuple[int, int]]:
        found = due_between(patient.centre, day(first), day(last), AS_OF)
        return sorted({(test.patient_id, (test.due_on - AS_OF).days) for test in found})

    assert on(0, 19) == []
    assert on(20, 20) == [(patient.pk, 20)]
    assert on(0, 29) == [(patient.pk, 20)]
    assert on(20, 30) == [(patient.pk, 20), (beside.pk, 30)]
    assert on(21, 30) == [(beside.pk, 30)]
    assert on(31, 365) == []


def test_the_page_and_the_rule_say_the_same_of_every_example() -> None:
    rule = RULES["labs-overdue"]
    clinic = factories.centre()
    clerk = factories.person(clinic)
    for example in parse(rule.examples):
        patient = factories.patient(clinic, clerk)
        for name, cell in example.cells.items():
            COLUMNS[name](patient, cell)
        found = {f.subject: f for f in findings(rule, as_of=AS_OF, patient_ids=[patient.pk])}
        of_page = due_of(clinic, patient.pk, AS_OF)
        standings = {test.standing for test in of_page}
        level = found["patient"].level if found else None
        assert (level is not None) == bool(standings & {Standing.OVERDUE, Standing.LONG_OVERDUE}), example.case
        assert (level == "ACTION") == (Standing.LONG_OVERDUE in standings), example.case
        if level is None and found and found["patient"].due_on:
            assert min(test.due_on for test in of_page) == found["patient"].due_on, example.case
