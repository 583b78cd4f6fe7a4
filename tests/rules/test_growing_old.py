"""An urgent finding is not over because time went by: its alert closes on something new."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from audit.facts import withdraw
from monitoring.asking import findings
from monitoring.models import LungFunction, Result
from monitoring.rules import RULES
from monitoring.rules.base import Question
from patients.models import AntibodyResult, Manifestation, Patient
from tests import factories
from tests.factories import AS_OF, NOW, fact
from tests.rules.columns_safety import results
from tests.rules.columns_therapy import doses
from tests.rules.examples import day
from therapy.models import Course, CourseStop, StopReason

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    clinic = factories.centre()
    return factories.patient(clinic, factories.person(clinic))


def closed(rule: str, patient: Patient, subject: str = "patient", raised_on: int = -120) -> bool:
    """Whether the alert raised on that day, with its evidence, closes by itself on `AS_OF`."""
    found = findings(RULES[rule], as_of=day(raised_on), patient_ids=[patient.pk])
    (evidence,) = [f.evidence for f in found if f.subject == subject and f.level]
    return closing(rule, patient, subject, evidence)


def closing(rule: str, patient: Patient, subject: str, evidence: Any) -> bool:
    about = RULES[rule]
    assert about.closes is not None
    assert not [f for f in findings(about, as_of=AS_OF, patient_ids=[patient.pk]) if f.subject == subject and f.level]
    question = Question(as_of=AS_OF)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE open_alert (patient_id bigint, subject text, level text, evidence jsonb, as_of date)"
        )
        cursor.execute(
            "INSERT INTO open_alert VALUES (%s, %s, 'URGENT', %s::jsonb, %s)",
            [patient.pk, subject, json.dumps(evidence, default=str), AS_OF],
        )
        cursor.execute(about.closes(question), about.values(question))
        rows = cursor.fetchall()
        cursor.execute("DROP TABLE open_alert")
    assert rows in ([], [(patient.pk, subject)])
    return bool(rows)


@pytest.mark.parametrize(
    ("later", "closes"),
    [
        ("", False),
        ("-1 neutrophils 1.6", True),
        ("-1 neutrophils ?", False),
        ("-100 neutrophils ?", False),  # too old as well
        ("1 neutrophils 3", False),  # still to come
        ("-1 wbc 9", False),  # another test
    ],
)
def test_a_value_beyond_its_limit_waits_for_the_next(patient: Patient, later: str, closes: bool) -> None:
    doses(patient, "-400.. methotrexate 15 /7")
    results(patient, "-125 neutrophils 0.9")
    evidence = findings(RULES["labs-action-limit"], as_of=day(-120), patient_ids=[patient.pk])[0].evidence
    results(patient, later)
    assert closing("labs-action-limit", patient, "analyte:neutrophils", evidence) is closes


def test_it_closes_when_it_was_withdrawn_or_the_drug_stopped_long_ago(patient: Patient) -> None:
    doses(patient, "-400.. methotrexate 15 /7")
    results(patient, "-125 neutrophils 0.9, -200 neutrophils 3")
    subject = "analyte:neutrophils"
    evidence = findings(RULES["labs-action-limit"], as_of=day(-120), patient_ids=[patient.pk])[0].evidence
    with transaction.atomic():
        stop = fact(CourseStop, patient, course=Course.objects.get(), stopped_on=day(-90), reason=StopReason.OTHER)
        assert not closing("labs-action-limit", patient, subject, evidence)
        CourseStop.objects.filter(pk=stop.pk).update(stopped_on=day(-91))
        assert closing("labs-action-limit", patient, subject, evidence)
        transaction.set_rollback(True)
    withdraw(Result.objects.get(taken_on=day(-125)), reason="another patient's", by=patient.created_by, now=NOW)
    assert closing("labs-action-limit", patient, subject, evidence)


@pytest.mark.parametrize(
    ("first", "later", "closes"),
    [
        ("-125 spo2 88", "", False),
        ("-125 spo2 88", "-1 spo2 96", True),
        ("-125 spo2 88", "-40 spo2 96", True),  # old by now, and better
        ("-125 spo2 88", "-1 spo2 ?", False),
        ("-130 spo2 98, -125 spo2 94", "", False),
        ("-130 spo2 98, -125 spo2 94", "-1 spo2 95", True),
    ],
)
def test_a_low_saturation_waits_for_the_next(patient: Patient, first: str, later: str, closes: bool) -> None:
    results(patient, first)
    evidence = findings(RULES["ild-rapid"], as_of=day(-120), patient_ids=[patient.pk])[0].evidence
    results(patient, later)
    assert closing("ild-rapid", patient, "patient", evidence) is closes


@pytest.mark.parametrize("first", ["-125 ferritin 900", "-150 ferritin 150, -125 ferritin 300", "-125 kl6 2000"])
def test_a_marker_with_anti_mda5_waits_for_the_next(patient: Patient, first: str) -> None:
    antibody = fact(AntibodyResult, patient, antibody="mda5", result="positive", taken_on=day(-900))
    results(patient, first)
    assert not closed("ild-rapid", patient)
    evidence = findings(RULES["ild-rapid"], as_of=day(-120), patient_ids=[patient.pk])[0].evidence
    withdraw(antibody, reason="another patient's", by=patient.created_by, now=NOW)
    assert closing("ild-rapid", patient, "patient", evidence)


def test_a_fall_of_the_vital_capacity_waits_for_the_next_test(patient: Patient) -> None:
    dyspnoea = fact(Manifestation, patient, kind="dyspnoea", onset_on=day(-150))
    for on, litres in ((-180, "3.00"), (-125, "2.00")):
        fact(LungFunction, patient, tested_on=day(on), fvc_l=Decimal(litres))
    evidence = findings(RULES["ild-rapid"], as_of=day(-120), patient_ids=[patient.pk])[0].evidence
    assert not closing("ild-rapid", patient, "patient", evidence)
    with transaction.atomic():
        fact(LungFunction, patient, tested_on=day(-1), fvc_l=Decimal("3.00"))
        assert closing("ild-rapid", patient, "patient", evidence)
        transaction.set_rollback(True)
    withdraw(dyspnoea, reason="another patient's", by=patient.created_by, now=NOW)
    assert closing("ild-rapid", patient, "patient", evidence)


def test_oxygen_that_is_no_longer_new_closes_it(patient: Patient) -> None:
    fact(Manifestation, patient, kind="oxygen", onset_on=day(-125))
    assert closed("ild-rapid", patient)


# ------------------------------------------------------------------------- what a person closed does not open again


def told(rule: str, patient: Patient, on: int) -> dict[str, Any]:
    """What is found on that day, without what makes no other finding."""
    (found,) = [f for f in findings(RULES[rule], as_of=day(on), patient_ids=[patient.pk]) if f.level]
    assert found.evidence is not None
    return {name: value for name, value in found.evidence.items() if name not in RULES[rule].aside}


def test_a_normal_value_that_grows_old_beside_another_reason_is_no_other_finding(patient: Patient) -> None:
    fact(Manifestation, patient, kind="oxygen", onset_on=day(-40))
    before = told("ild-rapid", patient, -40)
    results(patient, "-35 spo2 97")
    assert told("ild-rapid", patient, -30) == told("ild-rapid", patient, 0) == before


def test_nor_is_a_lung_function_that_did_not_fall(patient: Patient) -> None:
    fact(Manifestation, patient, kind="ild", onset_on=day(-900))
    fact(LungFunction, patient, tested_on=day(-370), fvc_l=Decimal("3.00"))
    fact(Manifestation, patient, kind="cough", onset_on=day(-60))
    assert told("ild-progression", patient, -50) == told("ild-progression", patient, 0)


def test_nor_is_a_drug_that_was_stopped_long_ago(patient: Patient) -> None:
    doses(patient, "-400.. methotrexate 15 /7, -400..-100 azathioprine 100")
    results(patient, "-20 mcv 106")
    assert told("labs-action-limit", patient, -15) == told("labs-action-limit", patient, 0)


def test_nor_is_a_planned_run_that_was_taken(patient: Patient) -> None:
    doses(patient, "-30.. prednisone 30")
    assert told("pneumocystis-prophylaxis", patient, -20) == told("pneumocystis-prophylaxis", patient, 0)
