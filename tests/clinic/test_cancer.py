"""The page of cancer screening, on a fixed day."""

from __future__ import annotations

import datetime as dt
import html
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from audit.models import Access
from clinic.selectors import cancer
from monitoring.asking import findings
from monitoring.models import Imaging, Result, Screening
from monitoring.rules import RULES
from patients.models import AntibodyResult, FollowUpStatus, Manifestation, RiskFactor, RuleException
from tests import factories
from tests.clinic.test_treatment import keep_count
from tests.factories import AS_OF, fact


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def url(patient: Any) -> str:
    return f"/patients/{patient.public_id}/cancer-screening/"


def text(browser: Any, patient: Any) -> str:
    """The words of the page, without its tags."""
    answer = browser.get(url(patient))
    assert answer.status_code == 200
    body = answer.content.decode().split("<main", 1)[1]
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", body).split()))


@pytest.fixture
def patient(clinic, clinician) -> Any:
    """Dermatomyositis with anti-TIF1-gamma, 400 days since the diagnosis; both panels done then, none since."""
    one = factories.patient(
        clinic,
        clinician,
        family_name="Lindqvist",
        born_on=dt.date(1960, 3, 1),
        onset_on=ago(450),
        diagnosed_on=ago(400),
    )
    fact(AntibodyResult, one, antibody="tif1-gamma", result="positive", taken_on=ago(395))
    fact(Screening, one, kind="cancer_basic", outcome="normal", done_on=ago(390))
    fact(Screening, one, kind="cancer_enhanced", outcome="normal", done_on=ago(380))
    return one


def standing(patient: Any) -> cancer.Standing:
    found = cancer.page(patient, AS_OF).standing
    assert found is not None
    return found


def test_the_page_says_what_the_rule_says(patient) -> None:
    (finding,) = findings(RULES["cancer-screening"], as_of=AS_OF, patient_ids=[patient.pk])
    evidence = finding.evidence or {}
    shown = standing(patient)
    assert shown.next_item is not None
    assert (shown.next_item.due_on, shown.next_item.closes_on) == (finding.due_on, ago(-25))
    assert str(shown.tier) == evidence["tier"]
    assert {*shown.high, *shown.intermediate} == set(evidence["factors"])
    assert (shown.tier_on, shown.stop_on) == tuple(dt.date.fromisoformat(evidence[k]) for k in ("tier_on", "stop_on"))


def test_tier_reasons_panels_and_days_are_told(patient, signed_in) -> None:
    words = text(signed_in(), patient)
    for told in (
        "Risk by the IMACS guideline High",
        "Dermatomyositis high risk",
        "Anti-TIF1-gamma high risk",
        "Age at the first symptom high risk",
        "Basic panel yearly, in the high tier 11 May 2025",
        "Due, in time",
        "11 May 2026",  # the next year, as long as the tier stays
        "None recorded",
    ):
        assert told in words
    assert "Tier until now" not in words


def test_states_of_the_panels(patient) -> None:
    items = [(item.name, item.state, (AS_OF - item.due_on).days) for item in standing(patient).items]
    assert items == [
        ("basic panel", "done", 400),
        ("enhanced panel", "done", 400),
        ("basic panel", "due", 35),
        ("basic panel", "ahead", -330),
    ]
    fact(Screening, patient, kind="cancer_basic", outcome="normal", done_on=ago(1))
    assert [item.state for item in standing(patient).items] == ["done", "done", "done", "ahead"]


def test_a_red_flag_asks_at_once(patient, signed_in) -> None:
    fact(RiskFactor, patient, kind="night_sweats", starts_on=ago(3))
    late = [(item.name, item.closes_on) for item in standing(patient).items if item.state == "late"]
    assert late == [("basic panel", None), ("enhanced panel", None)]
    following = standing(patient).next_item  # before the yearly panel, which is in time still
    assert following is not None
    assert following.due_on == ago(3)
    words = text(signed_in(), patient)
    assert "Red flags Night sweats" in words
    assert "red flag, whatever the tier" in words


def test_the_tier_until_now(patient, signed_in) -> None:
    patient.subtype = "antisynthetase"
    patient.save()
    fact(Manifestation, patient, kind="necrosis", onset_on=ago(100), ended_on=ago(50))
    # Age and antibody are high factors all along.
    assert standing(patient).history == [(ago(395), cancer.Tier.HIGH), (ago(400), cancer.Tier.MODERATE)]
    assert "Tier until now Newest first High from 16 May 2024 Moderate from 11 May 2024" in text(signed_in(), patient)


def test_what_the_record_has_of_a_panel(patient) -> None:
    for code, days in (("haemoglobin", 9), ("wbc", 8), ("platelets", 7), ("alt", 6), ("esr", 5), ("psa", 4)):
        fact(Result, patient, analyte=code, value=Decimal(5), value_received="5", taken_on=ago(days))
    fact(Imaging, patient, modality="chest_xray", done_on=ago(3))
    fact(Imaging, patient, modality="chest_xray", done_on=ago(-3))
    fact(Screening, patient, kind="urinalysis", done_on=ago(2))
    page = cancer.page(patient, AS_OF)
    assert {part.name: part.latest for part in (*page.basic, *page.enhanced) if part.latest} == {
        "full blood count": ago(9),
        "liver tests": ago(6),
        "PSA": ago(4),
        "chest X-ray": ago(3),
        "urinalysis": ago(2),
    }


def test_what_is_unknown_is_asked_for(patient, signed_in) -> None:
    patient.onset_on = None
    patient.save()
    words = text(signed_in(), patient)
    assert "Cannot be judged Missing: the day of the first symptom." in words
    assert "Normal, or negative" in words  # what was recorded is shown all the same
    patient.onset_on, patient.subtype = ago(450), "unknown"
    patient.save()
    assert "at least, as the subtype is unknown" not in text(signed_in(), patient)  # high by age and antibody anyway
    AntibodyResult.objects.filter(patient=patient).update(result="negative")
    assert "at least, as not known: the subtype" in text(signed_in(), patient)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"subtype": "juvenile"}, "began in childhood"),
        ({"born_on": ago(450 + 17 * 365)}, "began in childhood"),
        ({"onset_on": ago(1500)}, "three years have passed since the first symptom"),
        ({"onset_on": None, "diagnosed_on": ago(1500)}, "three years have passed since the diagnosis"),
    ],
)
def test_why_nothing_is_asked(patient, signed_in, fields: dict[str, Any], told: str) -> None:
    for name, value in fields.items():
        setattr(patient, name, value)
    patient.save()
    words = text(signed_in(), patient)
    assert "Not asked about" in words
    assert told in words


def test_who_is_not_asked_about(patient, clinician, signed_in) -> None:
    fact(RuleException, patient, rule="cancer-screening", reason="under oncology", starts_on=ago(5), ends_on=ago(-5))
    assert "not under follow-up, or excepted" in text(signed_in(), patient)
    RuleException.objects.all().delete()
    fact(FollowUpStatus, patient, word="discharged", starts_on=ago(5))
    assert "not under follow-up, or excepted" in text(signed_in(), patient)


def test_inclusion_body_myositis_is_outside_the_table(patient, signed_in) -> None:
    patient.subtype = "inclusion_body"
    patient.save()
    words = text(signed_in(), patient)
    assert "Risk by the IMACS guideline Standard" in words
    assert "outside the guideline's table" in words


def test_who_may_see_it(patient, signed_in, clinic) -> None:
    for role, status in ((Role.NURSE, 200), (Role.PHYSIOTHERAPIST, 200), (Role.RESEARCHER, 403)):
        assert signed_in(role=role).get(url(patient)).status_code == status
    elsewhere = factories.person(factories.centre(), Role.CLINICIAN)
    assert signed_in(elsewhere).get(url(patient)).status_code == 404


def test_looking_is_written_down_and_costs_the_same(patient, clinic, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    browser.get(url(patient))
    assert Access.objects.filter(page="clinic:cancer", patient=patient, by=clinician).count() == 1
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            browser.get(url(patient))
        asked.append(len(queries))
        for days in range(20, 80):
            fact(Screening, patient, kind="cancer_basic", outcome="normal", done_on=ago(days))
    assert asked[0] == asked[1]
    keep_count("clinic:cancer", asked[0])


def test_the_patients_page_leads_there(patient, signed_in) -> None:
    answer = signed_in().get(f"/patients/{patient.public_id}/")
    assert url(patient) in answer.content.decode()
