"""The treatment pages, used without JavaScript, on a fixed day."""

from __future__ import annotations

import datetime as dt
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from audit.models import Access
from clinic.selectors.treatment import Weight, dose_help
from monitoring.asking import findings
from monitoring.models import BodySize, Imaging, Screening
from monitoring.rules import RULES
from patients.models import AntibodyResult, RiskFactor
from tests import factories
from tests.clinic.one_patient import full
from tests.factories import AS_OF, NOW, fact
from therapy.formulary import FORMULARY
from therapy.models import Course, CourseStop, Dose, Infusion

D = Decimal
COUNTS = Path(__file__).parent / "query_counts.json"


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def url(patient: Any, rest: str = "") -> str:
    return f"/patients/{patient.public_id}/treatment/{rest}"


@pytest.fixture
def treated(clinic, clinician) -> Any:
    """68 kg, on 12 mg of prednisone and 15 mg of methotrexate a week."""
    patient = factories.patient(clinic, clinician)
    fact(BodySize, patient, measured_on=ago(20), weight_kg=D(68))
    for drug, route, amount, every in (("prednisone", "oral", 12, 1), ("methotrexate", "subcutaneous", 15, 7)):
        course = fact(Course, patient, drug=drug, route=route)
        fact(Dose, patient, course=course, starts_on=ago(100), amount=D(amount), every_days=every)
    return patient


def course_of(patient: Any, drug: str) -> Course:
    return Course.objects.current().get(patient=patient, drug=drug)


START = {
    "drug": "azathioprine", "route": "oral", "amount": "100", "times": "1", "every_days": "1",
    "starts_on": "2025-06-15", "indication": "Myositis",
}  # fmt: skip


# --------------------------------------------------------------------------------------------------------- who may


def paths(patient: Any) -> list[str]:
    course = course_of(patient, "prednisone")
    return [
        url(patient, "start/"), url(patient, f"{course.pk}/dose/"), url(patient, f"{course.pk}/stop/"),
        url(patient, f"{course.pk}/infusion/"), f"/patients/{patient.public_id}/doses/{course.doses.get().pk}/correct/",
    ]  # fmt: skip


def test_who_sees_treatment_and_who_changes_it(treated, signed_in) -> None:
    nurse, prescriber = signed_in(role=Role.NURSE), signed_in()
    page = nurse.get(url(treated))
    assert page.status_code == 200
    assert "Start a drug" not in page.content.decode()
    for path in paths(treated):
        if path.endswith("/infusion/"):
            continue  # nurses record what was given
        assert nurse.get(path).status_code == 403
        assert nurse.post(path, START).status_code == 403
        assert prescriber.get(path).status_code == 200
    assert signed_in(role=Role.RESEARCHER).get(url(treated)).status_code == 403
    assert nurse.post(url(treated, "dose-help/"), START).status_code == 403


def test_patients_and_courses_of_others_do_not_exist(treated, clinic, clinician, signed_in) -> None:
    elsewhere = factories.centre()
    stranger = signed_in(factories.person(elsewhere))
    neighbour = factories.patient(clinic, clinician)
    for path in [url(treated), url(treated, "dose-help/"), *paths(treated)]:
        assert stranger.post(path, START).status_code in (404, 405)
        assert stranger.get(path, follow=True).status_code == 404
        other = path.replace(str(treated.public_id), str(neighbour.public_id))
        if "start" not in path and "help" not in path and path != url(treated):
            assert signed_in(clinician).get(other).status_code == 404
    assert Course.objects.count() == 2


# ---------------------------------------------------------------------------------------------------------- reading


def test_the_page_says_what_is_taken_and_was(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    page = signed_in(clinician).get(url(patient)).content.decode()
    for words in (
        "12 mg a day", "0.18 mg/kg a day", "12 mg prednisone-equivalent", "15 mg once a week", "Azathioprine",
        "Toxicity or intolerance: Liver enzymes", "137 g", "7 Mar 2025", "68.5 <small>kg", "10 mg from",
    ):  # fmt: skip
        assert words in page, words
    assert Access.objects.get().page == "clinic:treatment"


def test_a_course_whose_dose_ran_out_waits_for_a_decision(treated, signed_in) -> None:
    course = fact(Course, treated, drug="rituximab", route="intravenous")
    fact(Dose, treated, course=course, starts_on=ago(60), ends_on=ago(40), amount=D(1000), times=2, every_days=14)
    page = signed_in().get(url(treated)).content.decode()
    assert "No dose now" in page
    assert url(treated, f"{course.pk}/infusion/") in page


@pytest.mark.parametrize("many", [30])
def test_the_page_asks_no_more_for_a_long_history(many: int, clinic, clinician, signed_in) -> None:
    few, lots = full(clinic, clinician, AS_OF), full(clinic, clinician, AS_OF, many=3000, every_days=3)
    for n in range(many):
        course = fact(Course, lots, drug="ivig", route="intravenous")
        fact(Dose, lots, course=course, starts_on=ago(900 + n), ends_on=ago(900 + n), amount=D(20))
        fact(CourseStop, lots, course=course, stopped_on=ago(900 + n), reason="completed")
        fact(Infusion, lots, course=course, given_on=ago(900 + n), amount=D(20))
    browser = signed_in(clinician)
    browser.get(url(few))
    asked = []
    for patient in (few, lots):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(url(patient)).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
    keep_count("clinic:treatment", asked[0])


def keep_count(route: str, asked: int) -> None:
    """The number is a ratchet: WRITE_QUERY_COUNTS=1 writes it anew."""
    known = json.loads(COUNTS.read_text())
    if os.environ.get("WRITE_QUERY_COUNTS"):
        known[route] = asked
        COUNTS.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")
    assert asked <= known[route], f"{route} asks {asked} times"


# ---------------------------------------------------------------------------------------------------------- starting


def test_a_drug_is_started_in_two_steps_without_javascript(treated, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    assert "First dose" not in browser.get(url(treated, "start/")).content.decode()
    page = browser.get(url(treated, "start/?drug=mycophenolate-mofetil")).content.decode()
    assert "2000 to 3000 mg a day" in page
    assert 'name="times" value="2"' in page
    answer = browser.post(url(treated, "start/"), START, follow=True)
    assert answer.redirect_chain == [(url(treated), 302)]
    assert "Azathioprine started." in answer.content.decode()
    dose = Dose.objects.get(course__drug="azathioprine")
    assert (dose.amount, dose.times, dose.every_days, dose.starts_on) == (100, 1, 1, AS_OF)
    assert (dose.recorded_by, dose.recorded_at, dose.course.indication) == (clinician, NOW, "Myositis")


def test_what_was_just_recorded_can_be_undone(treated, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    answer = browser.post(url(treated, "start/"), START, follow=True)
    message = next(iter(answer.context["messages"]))
    browser.post(message.extra_tags)
    assert not Course.objects.current().filter(drug="azathioprine").exists()


def test_methotrexate_a_day_is_refused_clearly_and_nothing_typed_is_lost(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    typed = {**START, "drug": "methotrexate", "amount": "17.5", "indication": "Weakness"}
    answer = signed_in(clinician).post(url(patient, "start/"), typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Given more often it can kill" in page
    for kept in ('value="17.5"', 'value="Weakness"', '<option value="1" selected>'):
        assert kept in page, kept
    assert not Course.objects.exists()
    # Seven doses a week are the same slip.
    assert (
        signed_in(clinician).post(url(patient, "start/"), {**typed, "every_days": "7", "times": "7"}).status_code == 422
    )
    assert (
        '<option value="1"' not in signed_in(clinician).get(url(patient, "start/?drug=methotrexate")).content.decode()
    )


def test_a_dose_out_of_range_asks_for_a_reason_and_keeps_it(treated, signed_in) -> None:
    browser = signed_in()
    typed = {**START, "amount": "250"}
    first = browser.post(url(treated, "start/"), typed)
    assert first.status_code == 422
    assert "3.68 mg/kg a day; usual are at most 3" in first.content.decode()
    assert '<input type="text" name="out_of_range_reason"' in first.content.decode()
    assert not Course.objects.filter(drug="azathioprine").exists()
    browser.post(url(treated, "start/"), {**typed, "out_of_range_reason": "High TPMT"})
    assert Dose.objects.get(course__drug="azathioprine").out_of_range_reason == "High TPMT"


def test_a_pair_to_avoid_asks_for_a_reason_and_keeps_it_in_sight(treated, signed_in) -> None:
    course = fact(Course, treated, drug="allopurinol", route="oral")
    fact(Dose, treated, course=course, starts_on=ago(30), amount=D(100))
    browser = signed_in()
    first = browser.post(url(treated, "start/"), {**START, "amount": "250"})
    page = first.content.decode()
    assert first.status_code == 422
    assert "Allopurinol with Azathioprine: They keep azathioprine from being broken down" in page
    assert "Say why they are given together." in page
    assert '<input type="text" name="clash_reason"' in page
    assert "Say why this dose is meant." in page  # all that is asked, at once
    assert not Course.objects.filter(drug="azathioprine").exists()
    said = {"clash_reason": "A quarter of the dose, counted weekly", "out_of_range_reason": "Weighed again"}
    assert browser.post(url(treated, "start/"), {**START, **said}).status_code == 302
    assert Course.objects.get(drug="azathioprine").clash_reason == "A quarter of the dose, counted weekly"
    assert "Reason given: A quarter of the dose, counted weekly" in browser.get(url(treated)).content.decode()


@pytest.mark.parametrize(
    ("other", "is_asked"),
    [
        ({"starts_on": ago(30), "ends_on": ago(1)}, False),
        ({"starts_on": ago(30), "ends_on": AS_OF}, True),
        ({"starts_on": ago(-20)}, True),
    ],
)
def test_a_pair_counts_where_its_days_meet(other, is_asked: bool, treated, signed_in) -> None:
    course = fact(Course, treated, drug="febuxostat", route="oral")
    fact(Dose, treated, course=course, amount=D(80), **other)
    answer = signed_in().post(url(treated, "start/"), START)
    assert answer.status_code == (422 if is_asked else 302)
    if not is_asked:
        assert Course.objects.get(drug="azathioprine").clash_reason == ""


def test_doses_per_kg_say_by_which_weight_and_day(treated, signed_in) -> None:
    assert "0.18 mg/kg a day at 68 kg of 26 May 2025" in signed_in().get(url(treated)).content.decode()


def test_an_old_weight_judges_no_dose(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    fact(BodySize, patient, measured_on=ago(91), weight_kg=D(50))
    page = signed_in(clinician).get(url(patient, "start/?drug=azathioprine")).content.decode()
    assert "too old for doses per kg" in page
    assert signed_in(clinician).post(url(patient, "start/"), {**START, "amount": "250"}).status_code == 302


def test_all_errors_at_once_and_a_drug_taken_already(treated, signed_in) -> None:
    browser = signed_in()
    page = browser.post(url(treated, "start/"), {**START, "amount": "lots", "starts_on": "32 May"}).content.decode()
    assert "Enter a number." in page
    assert "Enter a valid date." in page
    assert 'value="lots"' in page
    assert 'value="32 May"' in page
    again = browser.post(url(treated, "start/"), {**START, "drug": "prednisone", "amount": "20"})
    assert "This drug is taken already. Change its dose instead." in again.content.decode()
    assert browser.post(url(treated, "start/"), {**START, "drug": "snake-oil"}).status_code in (200, 422)
    assert Course.objects.count() == 2


# ------------------------------------------------------------------------------------------- changing and stopping


def test_a_dose_changes_from_a_day_on(treated, signed_in) -> None:
    course = course_of(treated, "prednisone")
    typed = {"amount": "10", "times": "1", "every_days": "1", "starts_on": "2025-06-15"}
    assert signed_in().post(url(treated, f"{course.pk}/dose/"), typed).status_code == 302
    doses = Dose.objects.current().filter(course=course).order_by("starts_on")
    assert [(d.starts_on, d.ends_on, d.amount) for d in doses] == [(ago(100), ago(1), 12), (AS_OF, None, 10)]


def test_a_wrong_dose_is_corrected_with_its_reason(treated, signed_in) -> None:
    course = course_of(treated, "prednisone")
    path = f"/patients/{treated.public_id}/doses/{course.doses.get().pk}/correct/"
    page = signed_in().get(path).content.decode()
    assert 'value="12"' in page
    typed = {"amount": "15", "times": "1", "every_days": "1", "starts_on": str(ago(100)), "reason": ""}
    assert signed_in().post(path, typed).status_code == 422
    assert signed_in().post(path, {**typed, "reason": "Misread"}).status_code == 302
    dose = Dose.objects.current().get(course=course)
    assert (dose.amount, dose.change_reason) == (15, "Misread")


def test_a_drug_is_stopped_with_a_reason(treated, signed_in) -> None:
    course = course_of(treated, "methotrexate")
    path = url(treated, f"{course.pk}/stop/")
    assert "Choose" in signed_in().get(path).content.decode()
    assert signed_in().post(path, {"stopped_on": "2025-06-15", "reason": ""}).status_code == 422
    early = signed_in().post(path, {"stopped_on": str(ago(200)), "reason": "toxicity", "note": "Mouth ulcers"})
    assert early.status_code == 422
    assert "had not begun by then" in early.content.decode()
    assert "Mouth ulcers" in early.content.decode()
    assert signed_in().post(path, {"stopped_on": "2025-06-15", "reason": "toxicity"}).status_code == 302
    assert CourseStop.objects.get().stopped_on == AS_OF


def test_an_infusion_is_recorded_once(treated, signed_in) -> None:
    course = fact(Course, treated, drug="ivig", route="intravenous")
    path = url(treated, f"{course.pk}/infusion/")
    typed = {"given_on": "2025-06-15", "amount": "68", "batch": "B7", "reaction": "none", "max_rate_ml_per_hour": "120"}
    assert signed_in().post(path, typed).status_code == 302
    row = Infusion.objects.get()
    assert (row.amount, row.batch, row.max_rate_ml_per_hour, row.reaction) == (68, "B7", 120, "none")
    again = signed_in().post(path, typed)
    assert again.status_code == 422
    assert "This infusion is recorded already." in again.content.decode()
    assert "Last infusion: 68 g" in again.content.decode()


# ---------------------------------------------------------------------------------------------------------- dose help


def test_the_help_beside_a_dose_comes_as_a_fragment(treated, signed_in) -> None:
    page = signed_in().post(url(treated, "dose-help/"), {**START, "amount": "300"}).content.decode()
    assert "<html" not in page
    assert "4.41 mg/kg a day" in page
    assert "Outside every usual range" in page
    refused = signed_in().post(url(treated, "dose-help/"), {**START, "drug": "methotrexate"}).content.decode()
    assert "This cannot be saved" in refused
    assert signed_in().post(url(treated, "dose-help/"), {"drug": "azathioprine"}).status_code == 200
    assert Course.objects.count() == 2


def test_what_a_drug_needs_first_is_said_as_the_rule_says_it(treated, signed_in) -> None:
    browser = signed_in()
    page = browser.get(url(treated, "start/?drug=azathioprine")).content.decode()
    assert "Before the first dose" in page
    help_ = browser.get(url(treated, "start/?drug=azathioprine")).context["help"].around
    missing = [line.name for line in help_.needed if line.is_missing]
    assert "TPMT" in missing
    assert help_.to_ask == ["NUDT15, where available"]
    fact(Screening, treated, kind="tpmt", done_on=ago(900), outcome="normal")
    fact(Screening, treated, kind="hepatitis_b", done_on=ago(366), outcome="normal")
    later = browser.get(url(treated, "start/?drug=azathioprine")).context["help"].around
    assert [line.name for line in later.needed if line.is_missing] == [name for name in missing if name != "TPMT"]
    (tpmt,) = [line for line in later.needed if line.name == "TPMT"]
    assert (tpmt.done_on, tpmt.said) == (ago(900), "Normal, or negative")

    browser.post(url(treated, "start/"), START)
    (found,) = [
        f for f in findings(RULES["pre-treatment-checks"], as_of=AS_OF, patient_ids=[treated.pk])
        if (f.evidence or {}).get("drug") == "Azathioprine"
    ]  # fmt: skip
    assert found.evidence is not None
    assert found.evidence["lacks"] == [line.name for line in later.needed if line.is_missing]


def test_whether_a_pregnancy_test_is_needed_may_not_be_known(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician, born_on=dt.date(1995, 1, 1))
    browser = signed_in(clinician)
    start = url(patient, "start/?drug=mycophenolate-mofetil")
    assert "Whether she can become pregnant is not recorded." in browser.get(start).content.decode()
    fact(RiskFactor, patient, kind="no_childbearing", starts_on=ago(10))
    assert "regnan" not in browser.get(start).content.decode().split('id="dose-help"')[1].split("Also looked at")[0]


def test_interactions_with_what_is_taken_are_said(treated, signed_in) -> None:
    browser = signed_in()
    page = browser.post(url(treated, "dose-help/"), {"drug": "co-trimoxazole", "route": "oral"}).content.decode()
    assert "Both hold back folate: marrow toxicity." in page
    assert "take care" in page
    fact(
        Dose, treated, course=fact(Course, treated, drug="allopurinol", route="oral"), starts_on=ago(50), amount=D(300)
    )
    page = browser.post(url(treated, "dose-help/"), START).content.decode()
    assert "Only at a quarter of the dose." in page
    assert "avoid" in page
    ended = Dose.objects.filter(course__drug="allopurinol")
    ended.update(ends_on=ago(1))
    assert "Only at a quarter" not in browser.post(url(treated, "dose-help/"), START).content.decode()


def test_a_pair_to_avoid_stays_in_sight_while_both_are_taken(treated, signed_in) -> None:
    browser, title = signed_in(), "Taken together, and better not"
    for drug, amount in (("allopurinol", 300), ("azathioprine", 100)):
        assert title not in browser.get(url(treated)).content.decode()
        fact(Dose, treated, course=fact(Course, treated, drug=drug, route="oral"), starts_on=ago(50), amount=D(amount))
    page = browser.get(url(treated)).content.decode()
    assert page.count(title) == 1
    assert "Allopurinol with Azathioprine: They keep azathioprine from being broken down" in page
    Dose.objects.filter(course__drug="allopurinol").update(ends_on=ago(1))
    assert title not in browser.get(url(treated)).content.decode()


def test_a_drug_that_is_taken_already_is_not_begun(treated, signed_in) -> None:
    course = course_of(treated, "methotrexate")
    page = signed_in().get(url(treated, f"{course.pk}/dose/")).content.decode()
    assert "Before the first dose" not in page
    assert "NSAIDs" in page


def test_what_is_against_a_drug_in_this_patient_is_said(treated, signed_in) -> None:
    browser = signed_in()
    statin = url(treated, "start/?drug=atorvastatin")
    assert "Against it" not in browser.get(statin).content.decode()
    fact(AntibodyResult, treated, antibody="hmgcr", result="weak", taken_on=ago(5))
    assert "Against it" not in browser.get(statin).content.decode()
    fact(AntibodyResult, treated, antibody="hmgcr", result="positive", taken_on=ago(4))
    assert "Anti-HMGCR is positive" in browser.get(statin).content.decode()
    weekly = {**START, "drug": "methotrexate", "every_days": "7"}
    assert "Interstitial lung disease is known" not in browser.post(url(treated, "dose-help/"), weekly).content.decode()
    fact(Imaging, treated, modality="hrct", ild="present", done_on=ago(4))
    assert "Interstitial lung disease is known" in browser.post(url(treated, "dose-help/"), weekly).content.decode()


def test_the_words_of_the_help() -> None:
    kg = Weight(D(60), AS_OF, True)
    steroid = dose_help(FORMULARY["prednisone"], "oral", D(60), 1, 1, kg)
    assert steroid.ranges[0].words == "0.5 to 1 mg/kg a day, at most 80 mg a day"
    assert steroid.ranges[0].at_weight == "30 to 60 mg a day at 60 kg"
    assert (steroid.per_kg, steroid.pe) == (
        "1 mg/kg a day at 60 kg of 15 Jun 2025", "60 mg a day of prednisone-equivalent",
    )  # fmt: skip
    assert (steroid.ranges[0].verdict, steroid.outside) == ("inside", "")
    dexamethasone = dose_help(FORMULARY["dexamethasone"], "oral", D("0.75"), 1, 1, None)
    assert (dexamethasone.pe, dexamethasone.ranges) == ("5 mg a day of prednisone-equivalent", [])
    # A range that needs a weight which is not known is not judged, neither inside nor outside.
    unknown = dose_help(FORMULARY["azathioprine"], "oral", D(500), 1, 1, Weight(D(60), AS_OF, False))
    assert (unknown.outside, [row.verdict for row in unknown.ranges]) == ("", ["", ""])
    ivig = dose_help(FORMULARY["ivig"], "intravenous", D(60), 2, 28, kg)
    assert (ivig.ranges[0].words, ivig.ranges[0].verdict) == ("2 g/kg a course", "inside")
    weekly = dose_help(FORMULARY["methotrexate"], "oral", D(15), 1, 7, kg)
    assert [row.verdict for row in weekly.ranges] == ["inside", "inside"]
    assert weekly.per_kg == ""  # a weekly dose per kg a day would be read as a daily one
