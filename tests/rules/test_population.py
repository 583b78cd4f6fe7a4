"""Who a rule is asked about: under follow-up, at a centre that has it switched on, and without an exception."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Centre
from monitoring.asking import ask
from monitoring.rules import RULES
from patients.models import FollowUpStatus, Patient, RuleException
from tests import factories
from tests.factories import AS_OF, NOW, fact
from tests.rules.examples import day

pytestmark = pytest.mark.django_db

RULE = RULES["physio-no-plan"]


@pytest.fixture
def clinic() -> Centre:
    return factories.centre()


def patient(clinic: Centre, **fields: Any) -> Patient:
    return factories.patient(clinic, factories.person(clinic), **fields)


def is_asked(patient: Patient, **question: Any) -> bool:
    with transaction.atomic():
        ask(RULE, as_of=AS_OF, **question)
        with connection.cursor() as cursor:
            cursor.execute("SELECT patient_id FROM asked")
            return (patient.pk,) in cursor.fetchall()


@pytest.mark.parametrize(("diagnosed", "asked"), [(-1, True), (0, True), (1, False), (None, True)])
def test_follow_up_begins_on_the_day_of_diagnosis(clinic: Centre, diagnosed: int | None, asked: bool) -> None:
    who = patient(clinic, diagnosed_on=None if diagnosed is None else day(diagnosed))
    assert is_asked(who) is asked


@pytest.mark.parametrize("word", ["dead", "discharged", "transferred", "withdrawn"])
def test_it_ends_the_day_before(clinic: Centre, word: str) -> None:
    today, tomorrow = patient(clinic), patient(clinic)
    fact(FollowUpStatus, today, word=word, starts_on=AS_OF)
    fact(FollowUpStatus, tomorrow, word=word, starts_on=day(1))
    assert not is_asked(today)
    assert is_asked(tomorrow)


def test_the_latest_status_counts_and_a_withdrawn_one_does_not(clinic: Centre) -> None:
    back, in_error = patient(clinic), patient(clinic)
    fact(FollowUpStatus, back, word="active", starts_on=day(-5))
    fact(FollowUpStatus, back, word="discharged", starts_on=day(-90))
    fact(
        FollowUpStatus, in_error, word="dead", starts_on=day(-9),
        status="entered_in_error", retired_at=NOW, retired_by=in_error.created_by,
    )  # fmt: skip
    assert is_asked(back)
    assert is_asked(in_error)


@pytest.mark.parametrize(
    ("rule", "starts", "ends", "asked"),
    [
        (RULE.id, -9, 0, False),
        (RULE.id, 0, 9, False),
        (RULE.id, -9, -1, True),
        (RULE.id, 1, 9, True),
        ("*", -9, 0, False),
        ("physio-missed", -9, 9, True),
    ],
)
def test_an_exception_holds_from_its_first_day_to_its_last(
    clinic: Centre, rule: str, starts: int, ends: int, asked: bool
) -> None:
    who = patient(clinic)
    fact(RuleException, who, rule=rule, reason="agreed", starts_on=day(starts), ends_on=day(ends))
    assert is_asked(who) is asked


@pytest.mark.parametrize(
    ("rule", "mode", "asked"),
    [(RULE.id, "off", False), (RULE.id, "on", True), (RULE.id, "shadow", True), ("physio-missed", "off", True)],
)
def test_a_centre_switches_each_rule_by_itself(clinic: Centre, rule: str, mode: str, asked: bool) -> None:
    who, elsewhere = patient(clinic), patient(factories.centre())
    factories.rule_change(clinic, rule, mode=mode)
    assert is_asked(who) is asked
    assert is_asked(who, even_if_off=True)
    assert is_asked(elsewhere)


def test_the_newest_of_what_was_agreed_on_counts(clinic: Centre) -> None:
    who = patient(clinic)
    factories.rule_change(clinic, RULE.id, mode="off", moment=NOW)
    factories.rule_change(clinic, RULE.id, mode="on", moment=NOW - dt.timedelta(seconds=1))
    factories.rule_change(clinic, RULE.id, mode="on", moment=NOW + dt.timedelta(seconds=1), confirmed=False)
    assert not is_asked(who)


def test_a_back_test_asks_about_whoever_was_on_record_and_as_it_stood(clinic: Centre) -> None:
    later = patient(clinic, created_at=NOW + dt.timedelta(seconds=1))
    same_moment = patient(clinic, created_at=NOW)
    discharged_since, excepted_since = patient(clinic), patient(clinic)
    told = NOW + dt.timedelta(days=3)
    fact(FollowUpStatus, discharged_since, word="discharged", starts_on=day(-5), recorded_at=told)
    days = {"starts_on": day(-5), "ends_on": day(5)}
    fact(RuleException, excepted_since, rule=RULE.id, reason="agreed", recorded_at=told, **days)
    assert [is_asked(who, known_at=NOW) for who in (later, same_moment, discharged_since, excepted_since)] == [
        False, True, True, True,
    ]  # fmt: skip
    assert [is_asked(who) for who in (later, same_moment, discharged_since, excepted_since)] == [
        True, True, False, False,
    ]  # fmt: skip
