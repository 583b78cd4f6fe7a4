"""GET patients/{id}/responses: the improvement of every visit, with what got worse."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine

from accounts.models import Centre, Role, Scope
from audit.models import Access
from monitoring.models import Assessment, Result
from patients.models import Patient
from tests import factories
from tests.api.clients import Clients
from tests.factories import AS_OF, NOW, fact
from therapy.models import Course, Dose


@pytest.fixture(autouse=True)
def _on_the_day() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def treated(patient: Patient) -> None:
    """Example 5 of the rule book, by ALT: 40 points, three measures worse."""
    start, later = AS_OF - dt.timedelta(days=100), AS_OF - dt.timedelta(days=10)
    course = fact(Course, patient, drug="prednisolone", route="oral")
    fact(Dose, patient, course=course, starts_on=start, amount="40")
    for day, mdg, ptg, exm, mmt8, haq, alt in (
        (start, "6.0", "4.0", "6.0", 140, "0.625", "120"),
        (later, "3.0", "5.5", "2.5", 138, "0.75", "60"),
    ):
        fact(
            Assessment, patient, assessed_on=day, physician_vas=mdg, patient_vas=ptg, extramuscular_vas=exm,
            mmt8_150=mmt8, haq_di=haq,
        )  # fmt: skip
        fact(Result, patient, analyte="alt", taken_on=day, value=alt, uln="40", value_received=alt, unit_received="U/L")


def test_the_responses_of_a_patient(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.CLINICIAN, Scope.READ)
    patient = factories.patient(centre, client.user)
    treated(patient)
    answer = client.get(f"/api/v1/patients/{patient.public_id}/responses")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["patient"], told["population"], told["is_validated"]) == (str(patient.public_id), "adult", True)
    newest, first = told["visits"]
    assert newest["tis"]["total"] == "40.0"
    assert newest["tis"]["category"] == "moderate"
    assert newest["tis"]["worse"] == ["patient_vas", "mmt", "haq_di"]
    assert newest["tis"]["measures"][0] == {
        "measure": "physician_vas", "improvement_percent": "30.00", "points": "17.5", "maximum": "20.0",
        "why_missing": "",
    }  # fmt: skip
    assert newest["tis"]["measures"][2]["improvement_percent"] == "-1.33"
    assert (newest["enzyme"], newest["baseline_on"], newest["why_no_tis"]) == ("alt", first["assessed_on"], None)
    assert newest["deterioration"] == {"status": "none", "evaluable": True, "reasons": [], "worse": ["patient_vas"]}
    assert (first["is_baseline"], first["tis"], first["why_no_tis"]) == (True, None, "is_baseline")
    seen = Access.objects.filter(by=client.user, page="api.responses").get()
    assert (seen.patient_id, seen.rows) == (patient.pk, 2)


def test_nothing_was_assessed(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.NURSE, Scope.READ)
    patient = factories.patient(centre, client.user, subtype="juvenile")
    told = client.get(f"/api/v1/patients/{patient.public_id}/responses").json()
    assert told["visits"] == []
    assert told["population"] == "juvenile"


def test_a_stranger_and_another_role(centre: Centre, elsewhere: Centre, client_of: Clients) -> None:
    theirs = factories.patient(elsewhere, factories.person(elsewhere))
    assert (
        client_of(Role.CLINICIAN, Scope.READ).get(f"/api/v1/patients/{theirs.public_id}/responses").status_code == 404
    )
    ours = factories.patient(centre, factories.person(centre))
    address = f"/api/v1/patients/{ours.public_id}/responses"
    assert client_of(Role.RESEARCHER, Scope.RESEARCH).get(address).status_code == 403
    assert client_of(Role.CLINICIAN, Scope.WRITE).post(address, {}).status_code in (403, 405)
