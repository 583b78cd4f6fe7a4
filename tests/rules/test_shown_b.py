"""What a finding shows: values reckoned by hand. Whether and how urgently something is said does not depend on them."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.asking import findings
from monitoring.rules import RULES, first_dose
from patients.models import Patient
from tests import factories
from tests.factories import AS_OF
from tests.rules import columns
from tests.rules.examples import COLUMNS, day

assert columns  # registers the columns

pytestmark = pytest.mark.django_db


def on(offset: int) -> str:
    return day(offset).isoformat()


def recorded(cells: dict[str, str]) -> Patient:
    clinic = factories.centre()
    patient = factories.patient(clinic, factories.person(clinic))
    for name, cell in cells.items():
        COLUMNS[name](patient, cell)
    return patient


# (rule, what is recorded, {name in the evidence: value})
SHOWN: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    # Known since the first of two records.
    (
        "ild-methotrexate",
        {"doses": "-100.. methotrexate 15 /7", "manifestations": "-200 ild", "imaging": "-50 hrct present"},
        {"ild_on": on(-200), "began_on": on(-100)},
    ),
    # The best of each, on its newest day: of litres the test that has some, of DLCO the later of two equal ones.
    (
        "ild-progression",
        {
            "manifestations": "-900 ild",
            "pft": "-300 fvc=3.00 fvc%=95 dlco=80, -200 fvc%=90 dlco=90, -150 fvc=2.80 fvc%=90 dlco=90, "
            "-5 fvc=2.70 fvc%=85 dlco=72",
        },
        {
            "fvc": "85.0", "fvc_best": "95.0", "fvc_best_on": on(-300), "fvc_on": on(-5),
            "fvc_now": "2.70", "fvc_before": "3.00", "fvc_before_on": on(-300), "fvc_unit": "litres",
            "dlco": "72.0", "dlco_best": "90.0", "dlco_best_on": on(-150), "dlco_on": on(-5),
            "reasons": ["fvc", "fvc-relative", "dlco", "dlco-relative"], "criteria": 1,
        },
    ),
    # The highest before it, on the later of its two days.
    (
        "ild-rapid",
        {"values": "-25 spo2 98, -20 spo2 98, -10 spo2 96, -5 spo2 85"},
        {"spo2": 85, "spo2_on": on(-5), "spo2_before": 98, "spo2_before_on": on(-20)},
    ),
    (
        "physio-missed",
        {"physio plan": "-50", "sessions": "-45 attended, -35 attended, -14 dna, -7 dna"},
        {
            "missed": 2, "dates": [on(-7), on(-14)], "attended_on": on(-35), "counted_in_window": 4,
            "attended_in_window": 2,
        },
    ),
    (
        "physio-review-due",
        {"physio plan": "-200", "mmt8": "-100 100/150", "functional": "-120 fi2"},
        {"measured_on": on(-100), "mmt8_on": on(-100), "functional_on": on(-120)},
    ),
    # Due since three days ago, and not yet overdue.
    (
        "labs-overdue",
        {"doses": "-17.. methotrexate 15 /7"},
        {
            "coming": ["blood count", "renal function", "liver enzymes", "albumin"], "due_on": on(-3),
            "drugs": ["Methotrexate"],
        },
    ),
    # Every 28 days for the one, every 84 for the other.
    (
        "labs-overdue",
        {"doses": "-400.. methotrexate 15 /7, -400.. tacrolimus 4", "panels": "-8 all"},
        {"due_on": on(20), "drugs": ["Tacrolimus"]},
    ),
    # In the order in which the formulary asks for it.
    (
        "pre-treatment-checks",
        {"sex": "male", "infusions": "-10 cyclophosphamide 750"},
        {
            "lacks": [
                "Full blood count", "Creatinine or eGFR", "ALT or AST", "Urinalysis",
                "Hepatitis B (HBsAg and anti-HBc)",
            ],
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "cells", "expected"), SHOWN, ids=[rule for rule, *_ in SHOWN])
def test_a_finding_shows_what_is_recorded(rule: str, cells: dict[str, str], expected: dict[str, Any]) -> None:
    patient = recorded(cells)
    (found,) = findings(RULES[rule], as_of=AS_OF, patient_ids=[patient.pk])
    assert found.evidence is not None
    assert {name: found.evidence[name] for name in expected} == expected


def test_an_infusion_that_nothing_is_wrong_with_has_no_evidence() -> None:
    """Only the weight is missing: there is nothing to be said, and no list of reasons."""
    cells = {"given": "-20..-19 ivig 70", "before infusions": "-5 creatinine 80, -300 iga 2"}
    (found,) = findings(RULES["infusion-check"], as_of=AS_OF, patient_ids=[recorded(cells).pk])
    assert (found.level, found.evidence) == (None, None)
    assert found.missing == ["a weight within 90 days of the newest course of immunoglobulin"]


def test_of_a_course_without_a_dose_it_is_said_which() -> None:
    patient = recorded({"courses": "methotrexate, azathioprine"})
    (found,) = findings(RULES["labs-overdue"], as_of=AS_OF, patient_ids=[patient.pk])
    assert found.missing == ["the first dose of azathioprine", "the first dose of methotrexate"]


def test_a_check_of_several_parts_is_as_old_as_its_oldest() -> None:
    patient = recorded({"before": "-20 haemoglobin 140, -30 wbc 5, -25 neutrophils 3, -20 platelets 200"})
    done = first_dose.checks(patient.pk, "azathioprine", AS_OF, AS_OF, first_dose.Parameters())
    assert {check.code: check.done_on for check in done}["blood-count"] == day(-30)
