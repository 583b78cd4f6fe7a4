"""Infusions on pages: what was given, what is next and missing; a plan; recording one, the unusual said first."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from audit.models import Access
from clinic.selectors import infusions as questions
from monitoring.models import BodySize, Booking, Result, Screening
from patients.models import RiskFactor
from tests import factories
from tests.clinic.test_treatment import keep_count
from tests.factories import AS_OF, fact
from therapy.models import Course, CourseStop, Infusion

D = Decimal


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def url(patient: Any, rest: str = "infusions/") -> str:
    return f"/patients/{patient.public_id}/{rest}"


def text(answer: Any) -> str:
    """What a reader sees, as one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", answer.content.decode()))


@pytest.fixture
def infused(clinic, clinician) -> Any:
    """70 kg; a course of immunoglobulin 30 days ago, one before it that was too little, and nothing else recorded."""
    patient = factories.patient(clinic, clinician)
    fact(BodySize, patient, measured_on=ago(31), weight_kg=D(70))
    course = fact(Course, patient, drug="ivig", route="intravenous")
    for days, amount, rate, reaction in (
        (60, 60, None, "none"), (59, 60, None, "severe"), (30, 70, 120, "none"), (29, 70, "168", "not_recorded"),
    ):  # fmt: skip
        fact(
            Infusion, patient, course=course, given_on=ago(days), amount=D(amount), reaction=reaction, batch=f"B{days}",
            max_rate_ml_per_hour=rate and D(rate),
        )  # fmt: skip
    return patient


def course_of(patient: Any, drug: str = "ivig") -> Course:
    return Course.objects.get(patient=patient, drug=drug)


def record_url(patient: Any, drug: str = "ivig") -> str:
    return url(patient, f"treatment/{course_of(patient, drug).pk}/infusion/")


# ------------------------------------------------------------------------------------------------------------ the page


def test_the_page_says_what_was_given_and_what_is_next(infused, clinician, signed_in) -> None:
    page = text(signed_in(clinician).get(url(infused)))
    for words in (
        "70 kg", "168 mL/h", "0.04 mL/kg/min", "None recorded", "Next course: 13 Jun 2025", "No later than 20 Jun 2025",
        "Nothing is booked", "30 days after the one before", "140 g", "2 g/kg at 70 kg", "120 g", "1.71 g/kg at 70 kg",
        "120 g, 1.71 g/kg: more than 5 % below 2 g/kg.", "Severe: stopped", "to 120 mL/h, batch B30",
        "None recorded; 1 not recorded", "CreatinineNot recorded.", "IgANot recorded", "until 15 Aug 2025"
    ):  # fmt: skip
        assert words in page, words
    assert "168 mL/h is above" not in page
    assert Access.objects.get().page == "clinic:infusions"


def test_at_risk_the_cap_is_lower_and_what_was_faster_is_said(infused, signed_in) -> None:
    fact(RiskFactor, infused, kind="diabetes", starts_on=ago(400))
    page = text(signed_in().get(url(infused)))
    assert "126 mL/h" in page
    assert "168 mL/h is above the highest rate at risk, 126 mL/h." in page
    assert "At risk: Diabetes. At most 0.03 mL/kg/min, 126 mL/h." in page


def test_a_booking_and_what_is_known_are_said(infused, signed_in) -> None:
    fact(Booking, infused, kind="infusion", booked_for=AS_OF + dt.timedelta(days=2))
    fact(Result, infused, analyte="creatinine", value=D(80), value_received="80", taken_on=ago(3))
    fact(Screening, infused, kind="iga", outcome="normal", done_on=ago(300))
    page = text(signed_in().get(url(infused)))
    for words in ("Due, booked", "booked for 17 Jun 2025", "80 µmol/L 12 Jun 2025", "Normal, without a number"):
        assert words in page, words


def test_rituximab(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    course = fact(Course, patient, drug="rituximab", route="intravenous")
    fact(Infusion, patient, course=course, given_on=ago(20), amount=D(1000))
    browser = signed_in(clinician)
    page = text(browser.get(url(patient)))
    assert "Second infusion: 9 Jun 2025" in page
    assert "HBsAg and anti-HBc are not both recorded as negative." in page
    fact(Infusion, patient, course=course, given_on=ago(6), amount=D(1000))
    for code, value in (("hbsag", "negative"), ("anti-hbc", "positive")):
        fact(Result, patient, analyte=code, value_received=value, taken_on=ago(40))
    fact(Result, patient, analyte="igg", value=D("3.8"), value_received="3.8", taken_on=ago(4))
    page = text(browser.get(url(patient)))
    assert "A further cycle from 10 Nov 2025" in page
    assert "Positive, and no note on prophylaxis." in page
    assert "3.8 g/L, below 4 g/L: not without an immunologist." in page
    fact(CourseStop, patient, course=course, stopped_on=ago(1), reason="completed")
    assert "Stopped. Nothing is due." in text(browser.get(url(patient)))


def test_without_infusions_it_says_what_to_do(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    assert "Start the drug first" in text(signed_in(clinician).get(url(patient)))
    assert "Clinicians start the drug" in text(signed_in(role=Role.NURSE).get(url(patient)))
    other = fact(Course, patient, drug="methylprednisolone", route="intravenous")
    fact(Infusion, patient, course=other, given_on=ago(6), amount=D(500))
    assert "Methylprednisolone, 500 mg" in text(signed_in(clinician).get(url(patient)))


def test_who_sees_it(infused, clinic, signed_in) -> None:
    assert signed_in(role=Role.NURSE).get(url(infused)).status_code == 200
    assert signed_in(role=Role.NURSE).post(url(infused, "infusions/plan/"), {}).status_code == 422
    assert signed_in(role=Role.PHYSIOTHERAPIST).get(record_url(infused)).status_code == 403
    nurse = signed_in(role=Role.NURSE)
    assert "Record an infusion" in text(nurse.get(url(infused)))
    sent = {"given_on": "2025-06-14", "amount": "140", "reaction": "none", "confirmed": "on"}
    assert nurse.post(record_url(infused), sent).status_code == 302
    assert Infusion.objects.get(given_on=ago(1)).amount == 140
    assert "Start a drug" not in text(nurse.get(url(infused, "treatment/")))
    assert signed_in(role=Role.RESEARCHER).get(url(infused)).status_code == 403
    stranger = signed_in(factories.person(factories.centre()))
    for path in (url(infused), url(infused, "infusions/plan/"), record_url(infused)):
        assert stranger.get(path).status_code == 404


def test_the_pages_ask_no_more_for_a_long_history(infused, clinic, clinician, signed_in) -> None:
    lots = factories.patient(clinic, clinician)
    for n in range(40):
        course = fact(Course, lots, drug="ivig", route="intravenous")
        fact(CourseStop, lots, course=course, stopped_on=ago(90 + n * 60), reason="completed")
        for days in (0, 30):
            fact(Infusion, lots, course=course, given_on=ago(90 + n * 60 + days), amount=D(20))
        fact(BodySize, lots, measured_on=ago(n * 60), weight_kg=D(70))
        fact(Result, lots, analyte="creatinine", value=D(80), value_received="80", taken_on=ago(n))
    fact(Course, lots, drug="ivig", route="intravenous")
    browser = signed_in(clinician)
    browser.get(url(infused))
    for name, rest in (("clinic:infusions", "infusions/"), ("clinic:infusion-plan", "infusions/plan/")):
        asked = []
        for patient in (infused, lots):
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(url(patient, rest)).status_code == 200
            asked.append(len(queries))
        assert asked[0] == asked[1]
        keep_count(name, asked[0])
    assert "56 earlier courses are not shown" in text(browser.get(url(lots)))
    with CaptureQueriesContext(connection) as queries:
        browser.get(record_url(infused))
    keep_count("clinic:treatment-infusion", len(queries))


def test_the_page_judges_as_the_rules_do(infused) -> None:
    """Weight within 90 days of the course, nearest; the risk in force then."""
    of = questions.record(infused, AS_OF)
    assert (of.weight_near(ago(30)), of.weight_near(ago(121)), of.weight_near(ago(122))) == (70, 70, None)
    fact(RiskFactor, infused, kind="sepsis", starts_on=ago(60), ends_on=ago(31))
    fact(RiskFactor, infused, kind="smoking", starts_on=ago(60))
    of = questions.record(infused, AS_OF)
    assert of.risks_in(ago(30), ago(29)) == []
    assert of.risks_in(ago(31), ago(29)) == ["Sepsis"]


# ---------------------------------------------------------------------------------------------------------------- plan

PLAN = {"weight_kg": "68", "days": "2", "sizes": ["10", "20"]}


def test_a_plan_stands_there_at_once_and_follows_what_is_typed(infused, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    first = text(browser.get(url(infused, "infusions/plan/")))
    for words in ("140 g over 5 days", "1 × 30 g", "42 mL/h", "84 mL/h", "Never above 168 mL/h", "exactly that"):
        assert words in first, words
    answer = browser.post(url(infused, "infusions/plan/"), PLAN)
    typed = text(answer)
    assert answer.status_code == 200
    for words in (
        "140 g over 2 days", "3 × 20 g, 1 × 10 g", "700 mL", "2 g/kg at 68 kg is 136 g.", "Rounded up by 4 g (2.9 %)",
        "Of the whole course: 6 × 20 g, 2 × 10 g", "68 kg × 0.04 mL/kg/min × 60", "not the one on record",
    ):  # fmt: skip
        assert words in typed, words
    boxes = re.findall(r'<input[^>]*name="sizes"[^>]*>', answer.content.decode())
    assert [re.search(r'value="([^"]+)"', box)[1] for box in boxes if " checked" in box] == ["10", "20"]
    assert Infusion.objects.count() == 4


def test_a_risk_on_record_counts_whatever_is_ticked(infused, signed_in) -> None:
    assert "Never above 122.4 mL/h" in text(
        signed_in().post(url(infused, "infusions/plan/"), {**PLAN, "at_risk": "on"})
    )
    fact(RiskFactor, infused, kind="renal", starts_on=ago(9))
    assert "Never above 122.4 mL/h" in text(signed_in().post(url(infused, "infusions/plan/"), PLAN))
    assert "Renal insufficiency" in text(signed_in().get(url(infused, "infusions/plan/")))


def test_a_plan_without_a_weight_asks_for_one(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    fact(BodySize, patient, measured_on=ago(91), weight_kg=D(70))
    browser = signed_in(clinician)
    page = text(browser.get(url(patient, "infusions/plan/")))
    assert "A plan needs a weight" in page
    assert "70 kg, older than 90 days." in page
    assert "136 g" in text(browser.post(url(patient, "infusions/plan/"), PLAN))


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"weight_kg": "x"}, "Enter a number."),
        ({"weight_kg": "0"}, "greater than or equal to 1"),
        ({"days": "7"}, "Select a valid choice."),
        ({"sizes": []}, "Tick at least one size."),
        ({"sizes": ["3"]}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_planned_is_said_and_kept(infused, signed_in, typed: dict, message: str) -> None:
    answer = signed_in().post(url(infused, "infusions/plan/"), {**PLAN, **typed})
    assert answer.status_code == 422
    assert message in text(answer)
    if "weight_kg" in typed:
        assert f'value="{typed["weight_kg"]}"' in answer.content.decode()


def test_vials_too_large_for_the_course_are_said(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    typed = {"weight_kg": "12", "days": "5", "sizes": ["30"]}
    assert "do not come near enough" in text(signed_in(clinician).post(url(patient, "infusions/plan/"), typed))


# -------------------------------------------------------------------------------------------------------------- record

GIVEN = {"given_on": "2025-06-15", "amount": "70", "batch": "B9", "max_rate_ml_per_hour": "160", "reaction": "mild"}


def test_an_infusion_as_usual_is_recorded_at_once(infused, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    page = text(browser.get(record_url(infused)))
    for words in (
        "Before this infusion",
        "Begins a new course",
        "Last infusion: 70 g on 17 May 2025",
        "Infusion of Immuno",
    ):
        assert words in page, words
    answer = browser.post(record_url(infused), GIVEN, follow=True)
    assert answer.redirect_chain == [(url(infused), 302)]
    assert "Infusion recorded." in text(answer)
    row = Infusion.objects.get(given_on=AS_OF)
    assert (row.amount, row.batch, row.max_rate_ml_per_hour, row.reaction) == (70, "B9", 160, "mild")
    again = text(browser.get(record_url(infused)))
    assert "70 g on 1 day so far. 70 g left of 2 g/kg." in again


@pytest.mark.parametrize(
    ("typed", "remark"),
    [
        ({"max_rate_ml_per_hour": "169"}, "169 mL/h is above the highest rate, 168 mL/h."),
        ({"amount": "148"}, "148 g, 2.11 g/kg: more than 5 % above 2 g/kg."),
        ({"given_on": "2025-05-25"}, "Over 10 days; usual are 2 to 5."),
        ({"given_on": "2025-05-30"}, "14 days after the course before"),
    ],
)
def test_what_is_unusual_is_said_first_and_recorded_once_confirmed(
    infused, clinician, signed_in, typed: dict, remark: str
) -> None:
    browser = signed_in(clinician)
    answer = browser.post(record_url(infused), {**GIVEN, **typed})
    assert answer.status_code == 422
    assert remark in text(answer)
    assert Infusion.objects.count() == 4
    kept = answer.content.decode()
    assert 'value="B9"' in kept
    assert '<option value="mild" selected>' in kept
    assert 'type="checkbox" name="confirmed"' in kept
    answer = browser.post(record_url(infused), {**GIVEN, **typed, "confirmed": "on"})
    assert answer.status_code == 302
    assert Infusion.objects.count() == 5


def test_what_was_wrong_before_is_not_held_against_the_next(infused, signed_in) -> None:
    """The course of 30 days ago was at its cap; at risk that is too fast, and not for this infusion to answer."""
    fact(RiskFactor, infused, kind="renal", starts_on=ago(300))
    assert signed_in().post(record_url(infused), {**GIVEN, "max_rate_ml_per_hour": "100"}).status_code == 302
    answer = signed_in().post(record_url(infused), {**GIVEN, "batch": "C", "max_rate_ml_per_hour": "127"})
    assert "127 mL/h is above the highest rate at risk, 126 mL/h." in text(answer)


def test_what_cannot_be_is_refused_and_kept(infused, signed_in) -> None:
    for typed, message in (
        ({"amount": "0"}, "An infusion is more than 0."),
        ({"given_on": "2025-06-16"}, "This day lies in the future."),
        ({"amount": "much"}, "Enter a number."),
    ):
        answer = signed_in().post(record_url(infused), {**GIVEN, **typed})
        assert answer.status_code == 422
        assert message in text(answer)
    assert Infusion.objects.count() == 4


def test_a_cycle_of_rituximab_repeated_early(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    course = fact(Course, patient, drug="rituximab", route="intravenous")
    for days in (114, 100):
        fact(Infusion, patient, course=course, given_on=ago(days), amount=D(1000))
    answer = signed_in(clinician).post(record_url(patient, "rituximab"), {**GIVEN, "amount": "500"})
    assert "114 days after the cycle before; not before 168." in text(answer)
    assert "Usual are two infusions of 1000 mg." in text(answer)
    page = text(signed_in(clinician).get(record_url(patient, "rituximab")))
    assert "A cycle is not repeated within 24 weeks; from 8 Aug 2025" in page


def test_another_drug_is_recorded_without_checks(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    fact(Course, patient, drug="methylprednisolone", route="intravenous")
    path = record_url(patient, "methylprednisolone")
    assert "Before this infusion" not in text(signed_in(clinician).get(path))
    answer = signed_in(clinician).post(path, {**GIVEN, "amount": "500"})
    assert answer.url == url(patient, "treatment/")


def test_a_nurse_corrects_what_was_recorded_and_says_why(infused, clinic, signed_in) -> None:
    nurse = signed_in(role=Role.NURSE)
    wrong = Infusion.objects.get(given_on=ago(29))
    page = url(infused, f"entries/infusion/{wrong.pk}/")
    assert "Why the old entry was wrong" in text(nurse.get(page))
    typed = {
        "given_on": str(ago(29)), "amount": "60", "batch": "B29", "max_rate_ml_per_hour": "168", "reaction": "mild",
    }  # fmt: skip
    assert nurse.post(f"{page}correct/", typed).status_code == 422, "without a reason"
    taken = {**typed, "given_on": str(ago(30)), "amount": "70", "batch": "B30"}
    refused = nurse.post(f"{page}correct/", {**taken, "reason": "wrong day"})
    assert refused.status_code == 422
    assert "This infusion is recorded already." in text(refused)
    assert nurse.post(f"{page}correct/", {**typed, "amount": "0", "reason": "misread"}).status_code == 422
    assert nurse.post(f"{page}correct/", {**typed, "reason": "misread the pump"}).status_code == 302
    corrected = Infusion.objects.current().get(given_on=ago(29))
    assert (corrected.amount, corrected.reaction, corrected.change_reason) == (60, "mild", "misread the pump")
    assert corrected.supersedes == wrong
    assert corrected.batch == "B29"
    again = url(infused, f"entries/infusion/{corrected.pk}/withdraw/")
    assert nurse.post(again, {"reason": "another patient's"}).status_code == 302
    assert not Infusion.objects.current().filter(given_on=ago(29)).exists()
    # What a prescriber decides is not theirs.
    course = course_of(infused)
    path = url(infused, f"entries/course/{course.pk}/withdraw/")
    assert nurse.post(path, {"reason": "x"}).status_code == 403
    other = Infusion.objects.get(given_on=ago(30))
    for role in (Role.PHYSIOTHERAPIST, Role.COORDINATOR, Role.ADMINISTRATOR):
        for what in ("correct", "withdraw"):
            path = url(infused, f"entries/infusion/{other.pk}/{what}/")
            assert signed_in(role=role).post(path, {**typed, "reason": "x"}).status_code == 403, role
