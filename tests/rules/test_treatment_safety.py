"""The rules about what is safe to take, beyond their tables: in the past, when an alert closes, and what is kept."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from audit.facts import supersede, withdraw
from monitoring.asking import Finding, findings
from monitoring.models import BodySize, Screening
from monitoring.rules import RULES
from monitoring.rules.base import Question
from patients.models import AntibodyResult, Manifestation, Patient, RiskFactor
from tests import factories
from tests.factories import AS_OF, NOW, fact
from tests.rules.columns_therapy import doses, taper_plan, weight
from tests.rules.examples import day
from therapy.models import Dose, TaperStep

pytestmark = pytest.mark.django_db

KNOWN_AT = dt.datetime(2025, 6, 15, 22, 0, tzinfo=dt.UTC)  # the end of the day judged, in Berlin
AFTER = NOW + dt.timedelta(days=5)


@pytest.fixture
def patient() -> Patient:
    clinic = factories.centre()
    return factories.patient(clinic, factories.person(clinic))


def one(rule: str, patient: Patient, as_of: dt.date = AS_OF, known_at: dt.datetime | None = None) -> Finding | None:
    found = findings(RULES[rule], as_of=as_of, patient_ids=[patient.pk], known_at=known_at)
    assert len(found) <= 1
    return found[0] if found else None


def level(*question: Any, **more: Any) -> str | None:
    found = one(*question, **more)
    return found.level if found else None


# ------------------------------------------------------------------------------------------------- what was known when


def corrected(fact: Any, **fields: Any) -> Any:
    return supersede(fact, by=fact.recorded_by, now=AFTER, reason="typing", **fields)


@pytest.mark.parametrize(
    ("rule", "cell"),
    [
        ("pneumocystis-prophylaxis", "-40.. prednisone 40"),
        ("bone-protection", "-200.. prednisone 5"),
        ("dose-out-of-range", "-100.. methotrexate 30 /7"),
        ("pre-treatment-checks", "-10.. azathioprine 100"),
    ],
)
def test_a_dose_corrected_later_counts_today_and_not_in_the_back_test(rule: str, cell: str, patient: Patient) -> None:
    doses(patient, cell)
    assert level(rule, patient) == "TASK"
    dose = Dose.objects.get()
    if rule == "pre-treatment-checks":
        withdraw(dose, by=dose.recorded_by, now=AFTER, reason="never taken")
    else:
        corrected(dose, amount=Decimal(15) if rule == "dose-out-of-range" else Decimal(1))
    assert one(rule, patient) is None
    assert level(rule, patient, known_at=KNOWN_AT) == "TASK"


def test_a_statin_is_judged_by_the_antibody_as_it_was_known(patient: Patient) -> None:
    doses(patient, "-100.. atorvastatin 20")
    positive = fact(AntibodyResult, patient, antibody="hmgcr", result="positive", taken_on=day(-30))
    corrected(positive, result="negative")
    assert one("statin-in-necrotising", patient) is None
    assert level("statin-in-necrotising", patient, known_at=KNOWN_AT) == "ACTION"


def test_lung_disease_recorded_late_is_not_in_the_back_test(patient: Patient) -> None:
    doses(patient, "-100.. methotrexate 15 /7")
    fact(Manifestation, patient, kind="ild", onset_on=day(-200), recorded_at=AFTER)
    assert level("ild-methotrexate", patient) == "INFO"
    assert one("ild-methotrexate", patient, known_at=KNOWN_AT) is None


@pytest.mark.parametrize(
    ("rule", "cell", "model", "fields"),
    [
        ("bone-protection", "-200.. prednisone 5", Screening, {"kind": "fracture_risk", "done_on": day(-3)}),
        ("pre-treatment-checks", "-10.. hydroxychloroquine 200", Screening, {"kind": "eye", "done_on": day(-3)}),
    ],
)
def test_what_was_done_counts_in_the_past_from_the_day_it_was_recorded(
    rule: str, cell: str, model: Any, fields: dict[str, Any], patient: Patient
) -> None:
    doses(patient, cell)
    fact(model, patient, **fields, recorded_at=AFTER)
    assert one(rule, patient) is None
    assert level(rule, patient, known_at=KNOWN_AT) == "TASK"


def test_a_weight_recorded_late_is_not_in_the_back_test(patient: Patient) -> None:
    doses(patient, "-100.. azathioprine 140")
    fact(BodySize, patient, measured_on=day(-3), weight_kg=Decimal(70), recorded_at=AFTER)
    assert one("dose-out-of-range", patient) is None
    past = one("dose-out-of-range", patient, known_at=KNOWN_AT)
    assert past is not None
    assert past.missing == ["a weight of the last 90 days"]


def test_a_word_about_pregnancy_recorded_late_is_not_in_the_back_test(patient: Patient) -> None:
    patient.born_on = day(-30 * 365)
    patient.save()
    doses(patient, "-10.. mycophenolate-mofetil 1000 x2")
    fact(RiskFactor, patient, kind="childbearing", starts_on=day(-400), recorded_at=AFTER)
    tests = "Two pregnancy tests 8 to 10 days apart"
    now, past = (one("pre-treatment-checks", patient, known_at=moment) for moment in (None, KNOWN_AT))
    assert now is not None
    assert now.evidence is not None
    assert tests in now.evidence["lacks"]
    assert now.missing is None
    assert past is not None
    assert past.evidence is not None
    assert tests not in past.evidence["lacks"]
    assert past.missing == ["whether she can become pregnant"]


def test_the_plan_of_the_day_counts_in_the_past(patient: Patient) -> None:
    doses(patient, "-10.. prednisone 40")
    taper_plan(patient, "-10 40 ok@-10, 5 10")
    corrected(TaperStep.objects.get(step_on=day(5)), step_on=day(30))
    assert level("pneumocystis-prophylaxis", patient) == "TASK"
    assert one("pneumocystis-prophylaxis", patient, known_at=KNOWN_AT) is None


# ----------------------------------------------------------------------------------------------------- what is written


@pytest.mark.parametrize(
    ("rule", "cell"),
    [
        ("pneumocystis-prophylaxis", "-40.. prednisone 40"),
        ("bone-protection", "-200.. prednisone 5"),
        ("dose-out-of-range", "-100.. prednisone 90"),
        ("pre-treatment-checks", "-10.. azathioprine 100"),
    ],
)
def test_a_day_more_is_no_other_evidence(rule: str, cell: str, patient: Patient) -> None:
    """Else every alert would be written again every night."""
    doses(patient, cell)
    weight(patient, "-1 60")
    today, tomorrow = one(rule, patient), one(rule, patient, as_of=day(1))
    assert today is not None
    assert tomorrow is not None
    assert (today.level, today.due_on, today.evidence) == (tomorrow.level, tomorrow.due_on, tomorrow.evidence)


@pytest.mark.parametrize(
    ("rule", "cell", "said"),
    [
        (
            "dose-out-of-range",
            "-100.. azathioprine 105 x2",
            (
                "Azathioprine, 105 mg twice a day since 7 Mar 2025: that is 3.5 mg/kg a day, above the usual 2. "
                "At 60 kg, measured on 14 Jun 2025. No reason is recorded."
            ),
        ),
        (
            "dose-out-of-range",
            "-100.. methotrexate 10 /7",
            (
                "Methotrexate, 10 mg a week since 7 Mar 2025: that is 10 mg a week, below the usual 15 once a "
                "dose is built up."
            ),
        ),
        (
            "dose-out-of-range",
            "-100.. prednisone 90",
            "Prednisone, 90 mg a day since 7 Mar 2025: that is more than 80 mg a day. No reason is recorded.",
        ),
        (
            "pre-treatment-checks",
            "-10.. hydroxychloroquine 200",
            "Hydroxychloroquine began on 5 Jun 2025. Not on record: Eye examination.",
        ),
        (
            "pneumocystis-prophylaxis",
            "-10.. prednisone 40",
            (
                "Takes 20 mg of prednisone equivalent a day or more since 5 Jun 2025 (40 mg today), planned for 28 "
                "days or more, and no prophylaxis against pneumocystis is prescribed."
            ),
        ),
    ],
)
def test_the_sentence_names_what_it_found(rule: str, cell: str, said: str, patient: Patient) -> None:
    doses(patient, cell)
    weight(patient, "-1 60")
    found = one(rule, patient)
    assert found is not None
    assert found.evidence is not None
    assert RULES[rule].sentence(found.evidence) == said


# ------------------------------------------------------------------------------------------------------------- closing

PROPHYLAXIS = RULES["pneumocystis-prophylaxis"]


def closed(patient: Patient, **numbers: Any) -> bool:
    """Whether an open alert about a run that began 60 days ago closes by itself on `AS_OF`."""
    assert PROPHYLAXIS.closes is not None
    question = Question(as_of=AS_OF)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE open_alert (patient_id bigint, subject text, level text, evidence jsonb, as_of date)"
        )
        cursor.execute(
            "INSERT INTO open_alert VALUES (%s, 'patient', 'TASK', %s::jsonb, %s)",
            [patient.pk, json.dumps({"began_on": str(day(-60))}), AS_OF],
        )
        cursor.execute(PROPHYLAXIS.closes(question), {**PROPHYLAXIS.values(question), **numbers})
        rows = cursor.fetchall()
        cursor.execute("DROP TABLE open_alert")
    assert rows in ([], [(patient.pk, "patient")])
    return bool(rows)


@pytest.mark.parametrize(
    ("cell", "closes"),
    [
        ("-60..-28 prednisone 20, -27.. prednisone 14.999", True),  # 28 days
        ("-60..-27 prednisone 20, -26.. prednisone 14.999", False),  # 27 days
        ("-60..-29 prednisone 20, -28.. prednisone 14.999", True),
        ("-60..-28 prednisone 20, -27.. prednisone 15", False),
        ("-60..-28 prednisone 20", True),  # none at all since
        ("-60..-27 prednisone 20", False),
        ("-60..-28 prednisone 20, -27..-9 prednisone 10, -8..-8 prednisone 15, -7.. prednisone 5", False),
        ("-60..-10 prednisone 20, -9.. prednisone 17.5", False),  # quiet, and not yet over
        ("-60..-10 prednisone 20, -9.. prednisone 17.5, -1.. co-trimoxazole 480", True),
        ("-60..-10 prednisone 20, -9.. prednisone 17.5, 5.. co-trimoxazole 480", True),
        ("-60..-10 prednisone 20, -9.. prednisone 17.5, -5..-1 co-trimoxazole 480", False),
        ("-60.. prednisone 19.999", True),  # what was recorded was corrected: there was no such run
        ("-90..-61 prednisone 40, -60.. prednisone 17.5", True),
        ("", True),
    ],
)
def test_it_closes_after_low_doses_a_prescription_or_a_correction(cell: str, closes: bool, patient: Patient) -> None:
    doses(patient, cell)
    assert closed(patient) is closes


def test_the_numbers_of_its_closing_are_its_parameters(patient: Patient) -> None:
    doses(patient, "-60..-28 prednisone 20, -27.. prednisone 14.99")
    assert closed(patient)
    assert not closed(patient, closing_pe_below_mg=Decimal("14.99"))
    assert not closed(patient, closing_days=29)


def test_nobody_elses_prescription_closes_it(patient: Patient) -> None:
    doses(patient, "-60.. prednisone 17.5, -70..-61 prednisone@2 5, -60..-60 prednisone@3 25")
    other = factories.patient(patient.centre, patient.created_by)
    doses(other, "-60.. co-trimoxazole 480")
    assert not closed(patient)
