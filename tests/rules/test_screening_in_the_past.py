"""Lung screening and physiotherapy as the record stood: what was recorded, corrected or booked later does not count."""

from __future__ import annotations

import datetime as dt

import pytest

from audit.facts import supersede, withdraw
from monitoring.asking import findings
from monitoring.models import Booking, FunctionalTest, Imaging, LungFunction
from monitoring.rules import RULES
from patients.models import AntibodyResult, Manifestation, Patient
from tests import factories
from tests.factories import AS_OF, NOW, fact
from tests.rules.examples import day
from therapy.models import PhysioDecline, PhysioEnd, PhysioPlan

pytestmark = pytest.mark.django_db

KNOWN_AT = dt.datetime(2025, 6, 15, 22, 0, tzinfo=dt.UTC)
AFTER = NOW + dt.timedelta(days=5)


@pytest.fixture
def patient() -> Patient:
    clinic = factories.centre()
    return factories.patient(clinic, factories.person(clinic), diagnosed_on=day(-100))


def level(rule: str, patient: Patient, known_at: dt.datetime | None = None) -> str | None:
    found = findings(RULES[rule], as_of=AS_OF, patient_ids=[patient.pk], known_at=known_at)
    assert len(found) <= 1
    return found[0].level if found else None


def test_a_test_recorded_later_was_missing(patient: Patient) -> None:
    fact(Imaging, patient, modality="hrct", ild="absent", done_on=day(-50))
    fact(LungFunction, patient, tested_on=day(-50), fvc_l=3, dlco_percent_predicted=80, recorded_at=AFTER)
    assert level("ild-screening-gap", patient) is None
    assert level("ild-screening-gap", patient, KNOWN_AT) == "TASK"


def test_a_report_that_came_later_was_no_result(patient: Patient) -> None:
    fact(LungFunction, patient, tested_on=day(-50), fvc_l=3, dlco_percent_predicted=80)
    scan = fact(Imaging, patient, modality="hrct", ild="not_reported", done_on=day(-50))
    supersede(scan, by=patient.created_by, now=AFTER, reason="reported", ild="absent")
    assert level("ild-screening-gap", patient) is None
    assert level("ild-screening-gap", patient, KNOWN_AT) == "TASK"


def test_a_booking_cancelled_later_still_stood(patient: Patient) -> None:
    bookings = [fact(Booking, patient, kind=kind, booked_for=day(10)) for kind in ("pft", "hrct")]
    withdraw(bookings[0], by=patient.created_by, now=AFTER, reason="cancelled")
    assert level("ild-screening-gap", patient) == "TASK"
    assert level("ild-screening-gap", patient, KNOWN_AT) == "INFO"


def test_risk_recorded_later_was_not_known(patient: Patient) -> None:
    fact(AntibodyResult, patient, antibody="mda5", result="positive", taken_on=day(-60), recorded_at=AFTER)
    assert level("ild-screening-gap", patient) == "ACTION"
    assert level("ild-screening-gap", patient, KNOWN_AT) == "TASK"


def test_lung_disease_withdrawn_later_was_known(patient: Patient) -> None:
    patient.subtype = "inclusion_body"
    patient.save()
    ild = fact(Manifestation, patient, kind="ild", onset_on=day(-60))
    withdraw(ild, by=patient.created_by, now=AFTER, reason="other person's report")
    assert level("ild-screening-gap", patient) is None
    assert level("ild-screening-gap", patient, KNOWN_AT) == "TASK"


@pytest.mark.parametrize(
    ("model", "fields"), [(PhysioPlan, {"starts_on": day(-20)}), (PhysioDecline, {"declined_on": day(-20)})]
)
def test_a_plan_or_decline_recorded_later_was_missing(patient: Patient, model: type, fields: dict) -> None:
    fact(model, patient, recorded_at=AFTER, **fields)
    assert level("physio-no-plan", patient) is None
    assert level("physio-no-plan", patient, KNOWN_AT) == "TASK"


def test_a_plan_whose_end_was_recorded_later_was_active(patient: Patient) -> None:
    plan = fact(PhysioPlan, patient, starts_on=day(-90))
    fact(PhysioEnd, patient, plan=plan, ended_on=day(-1), reason="moved", recorded_at=AFTER)
    assert level("physio-review-due", patient) is None
    assert level("physio-review-due", patient, KNOWN_AT) == "TASK"


def test_a_review_recorded_later_was_missing(patient: Patient) -> None:
    fact(PhysioPlan, patient, starts_on=day(-90))
    fact(FunctionalTest, patient, tested_on=day(-5), instrument="fi3", is_complete=True, recorded_at=AFTER)
    assert level("physio-review-due", patient) is None
    assert level("physio-review-due", patient, KNOWN_AT) == "TASK"


def test_each_active_plan_is_reviewed_by_itself(patient: Patient) -> None:
    plans = [fact(PhysioPlan, patient, starts_on=day(start)) for start in (-90, -60, -10)]
    found = findings(RULES["physio-review-due"], as_of=AS_OF)
    assert [(f.subject, f.level, f.due_on) for f in sorted(found, key=lambda f: f.due_on)] == [
        (f"plan:{plans[0].pk}", "TASK", day(-6)),
        (f"plan:{plans[1].pk}", None, day(24)),
    ]
