"""The page that tells the response of every visit."""

from __future__ import annotations

import datetime as dt
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Access
from monitoring.models import Assessment
from patients.models import ClassificationItems, Patient
from tests import factories
from tests.clinic.one_patient import full
from tests.factories import AS_OF, fact

pytestmark = pytest.mark.django_db
COUNTS = Path(__file__).parent / "query_counts.json"


def url(patient: Patient) -> str:
    return reverse("clinic:responses", args=[patient.public_id])


def test_every_visit_with_its_score_and_what_got_worse(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    fact(
        Assessment, patient, assessed_on=AS_OF - dt.timedelta(days=2), mmt8_150=100, haq_di=Decimal("1.500"),
        physician_vas=Decimal("5.0"), patient_vas=Decimal("5.0"), extramuscular_vas=Decimal("4.0"),
    )  # fmt: skip
    browser = signed_in(clinician)
    answer = browser.get(url(patient))
    page = answer.content.decode()
    newest, good, *_, first = answer.context["page"].rows
    assert first.is_baseline
    assert good.category in ("Moderate", "Major")
    assert newest.deterioration == "Once"
    assert "extramuscular VAS" in newest.because
    assert "<strong>worse</strong>" in page
    assert "Minimal from 20, moderate from 40, major from 60" in page
    assert "Outside validation" not in page
    assert Access.objects.filter(page="clinic:responses", patient=patient, by=clinician).exists()
    assert url(patient) in browser.get(reverse("clinic:patient-history", args=[patient.public_id])).content.decode()


def test_a_confirmed_deterioration_is_marked(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    for days in (4, 2):
        fact(Assessment, patient, assessed_on=AS_OF - dt.timedelta(days=days), extramuscular_vas=Decimal("4.0"))
    rows = signed_in(clinician).get(url(patient)).context["page"].rows
    assert [row.deterioration for row in rows[:3]] == ["Confirmed", "Once", ""]
    assert rows[0].confirmed


@pytest.mark.parametrize(
    ("subtype", "said"),
    [
        ("inclusion_body", "not computed in inclusion body myositis"),
        ("antisynthetase", "Outside validation"),
        ("juvenile", "moderate from 45"),
    ],
)
def test_what_the_subtype_changes(clinic, clinician, signed_in, subtype: str, said: str) -> None:
    patient = full(clinic, clinician, AS_OF, subtype=subtype)
    assert said in signed_in(clinician).get(url(patient)).content.decode()


def test_nothing_yet(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    assert "No assessment yet" in signed_in(clinician).get(url(patient)).content.decode()


def test_who_may(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    assert signed_in(role="physiotherapist").get(url(patient)).status_code == 200
    assert signed_in(role="researcher").get(url(patient)).status_code == 403
    assert signed_in().post(url(patient)).status_code == 405
    elsewhere = factories.centre()
    assert signed_in().get(url(factories.patient(elsewhere, factories.person(elsewhere)))).status_code == 404


@pytest.mark.parametrize("route", ["clinic:responses", "clinic:classification", "clinic:enter-classification"])
def test_a_page_asks_no_more_for_a_long_history_than_for_a_short_one(route, clinic, clinician, signed_in) -> None:
    """The number is a ratchet: WRITE_QUERY_COUNTS=1 writes it anew."""
    few = full(clinic, clinician, AS_OF, many=30)
    lots = full(clinic, clinician, AS_OF, many=3000, every_days=3)
    for number in range(40):
        day = AS_OF - dt.timedelta(days=300 + 10 * number)
        fact(Assessment, lots, assessed_on=day, mmt8_150=110, physician_vas=Decimal(5))
    fact(ClassificationItems, few, found_on=AS_OF, heliotrope=True)
    for number in range(5):
        fact(ClassificationItems, lots, found_on=AS_OF - dt.timedelta(days=number), heliotrope=True)
    browser = signed_in(clinician)
    asked = []
    browser.get(reverse(route, args=[few.public_id]))  # what is asked once for a session
    for patient in (few, lots):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(reverse(route, args=[patient.public_id])).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
    known = json.loads(COUNTS.read_text())
    if os.environ.get("WRITE_QUERY_COUNTS"):
        known[route] = asked[0]
        COUNTS.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")
    assert asked[0] <= known[route], f"{route} asks {asked[0]} times"
