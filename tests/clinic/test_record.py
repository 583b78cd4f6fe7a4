"""Registering, changing details, entries about the disease; correcting, withdrawing, undoing them, without scripts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts.models import Role
from audit.models import Access, Entry
from common.models import Status
from monitoring.models import Booking, LungFunction, Result
from patients.models import AntibodyResult, Consent, FollowUpStatus, Manifestation, Patient, RiskFactor, RuleException
from tests import factories
from tests.factories import AS_OF, NOW, fact
from therapy.models import Course, Dose

YESTERDAY = AS_OF - dt.timedelta(days=1)
PERSON = {
    "record_number": "A-1", "family_name": "Vestergaard", "given_name": "Ingrid", "born_on": "1969-04-02",
    "sex": "female", "subtype": "antisynthetase", "onset_on": "2024-01-10", "diagnosed_on": "2024-03-01",
}  # fmt: skip


def url(patient: Any, rest: str = "") -> str:
    return f"/patients/{patient.public_id}/{rest}"


def entry(row: Any, word: str, rest: str = "") -> str:
    return url(row.patient, f"entries/{word}/{row.pk}/{rest}")


def undo_of(answer: Any) -> str:
    """The address behind the Undo of the message on the page that followed."""
    return answer.content.decode().split('action="/undo/')[1].split('"')[0].join(["/undo/", ""])


# ---------------------------------------------------------------------------------------------------- registration


def test_a_patient_is_registered_and_the_registration_has_a_page(clinic, clinician, signed_in) -> None:
    answer = signed_in(clinician).post("/patients/new/", PERSON, follow=True)
    patient = Patient.objects.get()
    assert answer.redirect_chain == [(url(patient), 302)]
    assert (patient.centre, patient.born_on, patient.subtype) == (clinic, dt.date(1969, 4, 2), "antisynthetase")
    assert Entry.objects.get().action == "patients.register"
    assert "Registered." in answer.content.decode()


def test_everything_wrong_is_said_at_once_and_what_was_typed_is_kept(clinic, clinician, signed_in) -> None:
    wrong = {
        **PERSON,
        "record_number": "",
        "born_on": "2030-01-01",
        "diagnosed_on": "1950-01-01",
        "given_name": "Keep Me",
    }
    answer = signed_in(clinician).post("/patients/new/", {**wrong, "record_number": "A-1"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "This day lies in the future." in text
    assert 'value="Keep Me"' in text
    assert 'value="2030-01-01"' in text
    answer = signed_in(clinician).post("/patients/new/", wrong)
    assert set(answer.context["form"].errors) == {"record_number"}
    assert not Patient.objects.exists()
    assert not Entry.objects.exists()


def test_somebody_alike_is_shown_and_registered_only_after_looking(clinic, clinician, signed_in) -> None:
    there = factories.patient(
        clinic, clinician, family_name="vestergaard", given_name="I.", born_on=dt.date(1969, 4, 2)
    )
    elsewhere = factories.centre()
    theirs = factories.patient(
        elsewhere, factories.person(elsewhere), family_name="Vestergaard", born_on=dt.date(1969, 4, 2)
    )
    browser = signed_in(clinician)
    answer = browser.post("/patients/new/", PERSON)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert there.record_number in text
    assert theirs.record_number not in text
    assert "the same day of birth and a similar name" in text
    assert set(answer.context["form"].errors) == {"reason"}
    assert Patient.objects.filter(centre=clinic).count() == 1
    assert browser.post("/patients/new/", {**PERSON, "reason": "Twins"}).status_code == 302
    assert Patient.objects.filter(centre=clinic).count() == 2
    assert Entry.objects.latest("id").reason == "Twins"


def test_whoever_may_be_the_same_is_shown_while_one_types(clinic, clinician, signed_in) -> None:
    factories.patient(
        clinic, clinician, family_name="Ingrid", given_name="Vestergård", born_on=dt.date(1969, 4, 2),
        record_number="B-7",
    )  # fmt: skip
    browser = signed_in(role="coordinator")
    typed = {"record_number": "", "family_name": "Vestergaard", "given_name": "ingrid"}
    assert "B-7" not in browser.post("/patients/new/alike/", typed).content.decode()
    answer = browser.post("/patients/new/alike/", {**typed, "born_on": "1969-04-02"})
    assert "B-7" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert "is-invalid" not in answer.content.decode()
    assert "Nobody like this" in browser.post(
        "/patients/new/alike/", {**typed, "family_name": "Becker", "given_name": "Zoe", "born_on": "1969-04-02"}
    ).content.decode()  # fmt: skip
    assert browser.post("/patients/new/alike/", {"born_on": "19", "family_name": "\x00"}).status_code == 200
    seen = Access.objects.get(page="clinic:patient-new")
    assert (seen.rows, seen.patient) == (1, None)


def test_a_number_of_this_centre_is_given_once(clinic, clinician, signed_in) -> None:
    factories.patient(clinic, clinician, record_number="a-1")
    answer = signed_in(clinician).post("/patients/new/", PERSON)
    assert "record_number" in answer.context["form"].errors


def test_the_second_of_two_is_told_what_the_first_changed_and_loses_nothing(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician, given_name="Old", subtype="polymyositis")
    first, second = signed_in(clinician), signed_in()
    seen = first.get(url(patient, "details/")).context["form"]
    typed = {name: seen[name].value() or "" for name in seen.fields}
    theirs = {"given_name": "Second", "subtype": "overlap", "clinician": str(clinician.pk)}
    assert second.post(url(patient, "details/"), {**typed, **theirs}).status_code == 302
    answer = first.post(url(patient, "details/"), {**typed, "given_name": "First", "family_name": "Mine"})
    assert answer.status_code == 422
    lines = {line.name: line for line in answer.context["conflict"].lines}
    assert {name: (line.before, line.theirs, line.mine, line.is_clash) for name, line in lines.items()} == {
        "given_name": ("Old", "Second", "First", True),
        "subtype": ("Polymyositis", "Overlap myositis", "Overlap myositis", False),
        "clinician": ("Not recorded", "Dr Okafor", "Dr Okafor", False),
    }
    assert answer.context["conflict"].by == str(Entry.objects.latest("id").by)
    form = answer.context["form"]
    assert set(form.errors) == {"given_name"}
    again = {name: form[name].value() or "" for name in seen.fields}
    assert (again["given_name"], again["family_name"], again["subtype"]) == ("First", "Mine", "overlap")
    patient.refresh_from_db()
    assert patient.given_name == "Second"
    assert first.post(url(patient, "details/"), again).status_code == 302
    patient.refresh_from_db()
    assert (patient.given_name, patient.family_name, patient.subtype, patient.clinician) == (
        "First", "Mine", "overlap", clinician,
    )  # fmt: skip


def test_whoever_follows_a_patient_is_a_clinician_of_the_centre(clinic, clinician, signed_in) -> None:
    nurse = factories.person(clinic, Role.NURSE)
    answer = signed_in(clinician).post("/patients/new/", {**PERSON, "clinician": str(nurse.pk)})
    assert set(answer.context["form"].errors) == {"clinician"}


# ------------------------------------------------------------------------------------------- entries of the disease

AREAS = [
    ("follow-up/", {"word": "discharged", "starts_on": "2025-06-01"}, FollowUpStatus, {"word": ""}, "word"),
    (
        "antibodies/",
        {"antibody": "mda5", "result": "strong", "taken_on": "2025-05-01", "assay": "ELISA"},
        AntibodyResult,
        {"taken_on": "2025-06-16"},
        "taken_on",
    ),
    (
        "manifestations/",
        {"kind": "ild", "onset_on": "2025-05-01"},
        Manifestation,
        {"ended_on": "2025-04-01"},
        "ended_on",
    ),
    (
        "risks/",
        {"kind": "childbearing", "starts_on": "2025-05-01"},
        RiskFactor,
        {"starts_on": "2025-06-16"},
        "starts_on",
    ),
    (
        "consent/",
        {"scope": "research", "decision": "given", "decided_on": "2025-06-15"},
        Consent,
        {"decision": ""},
        "decision",
    ),
    (
        "exceptions/",
        {"rule": "ck-rising", "reason": "Known macro-CK", "ends_on": "2025-12-31"},
        RuleException,
        {"ends_on": "2025-06-14"},
        "ends_on",
    ),
]


@pytest.mark.parametrize(("rest", "typed", "model", "wrong", "field"), AREAS)
def test_an_entry_is_recorded_listed_and_undone(rest, typed, model, wrong, field, clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    browser = signed_in(clinician)
    refused = browser.post(url(patient, rest), {**typed, **wrong})
    assert refused.status_code == 422
    assert field in refused.context["form"].errors
    assert not model.objects.exists()
    for name, value in {**typed, **wrong}.items():
        assert refused.context["form"][name].value() == value

    answer = browser.post(url(patient, rest), typed, follow=True)
    row = model.objects.get()
    assert (row.patient, row.recorded_by, row.recorded_at, row.is_current) == (patient, clinician, NOW, True)
    assert len(answer.context["rows"]) == 1
    browser.post(undo_of(answer))
    row.refresh_from_db()
    assert not row.is_current
    assert row.status == Status.ENTERED_IN_ERROR
    assert browser.get(url(patient, rest)).context["rows"] == []


@pytest.mark.parametrize("rest", [area[0] for area in AREAS])
def test_nothing_is_written_about_a_patient_of_another_centre(rest: str, clinic, signed_in) -> None:
    elsewhere = factories.centre()
    theirs = factories.patient(elsewhere, factories.person(elsewhere))
    typed = next(area[1] for area in AREAS if area[0] == rest)
    assert signed_in().post(url(theirs, rest), typed).status_code == 404
    assert not Entry.objects.exists()


# ------------------------------------------------------------------------------------- correct, end, withdraw, undo


@pytest.fixture
def ck(clinic, clinician) -> Result:
    patient = factories.patient(clinic, clinician)
    return fact(
        Result, patient, analyte="ck", value=Decimal(4200), uln=Decimal(190), value_received="4200",
        unit_received="U/L", uln_received="190", taken_on=YESTERDAY, laboratory="Central",
    )  # fmt: skip


def test_a_result_is_corrected_with_a_reason_and_the_old_value_is_struck_through(ck, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    form = browser.get(entry(ck, "result")).context["correct_form"]
    typed = {name: form[name].value() or "" for name in form.fields}
    assert typed["ck"] == "4200"
    assert typed["ck_uln"] == "190"
    refused = browser.post(entry(ck, "result", "correct/"), {**typed, "ck": "420"})
    assert refused.status_code == 422
    assert "reason" in refused.context["correct_form"].errors
    assert refused.context["correct_form"]["ck"].value() == "420"
    answer = browser.post(
        entry(ck, "result", "correct/"), {**typed, "ck": "420", "reason": "Read from the wrong line"}, follow=True
    )
    new = Result.objects.current().get()
    assert (new.value, new.supersedes, new.taken_on, new.laboratory) == (Decimal(420), ck, YESTERDAY, "Central")
    text = answer.content.decode()
    assert "<del>4200</del>" in text
    assert "<strong>420</strong>" in text
    assert "Read from the wrong line" in text
    assert "Go to what stands now" in browser.get(entry(ck, "result")).content.decode()
    # An address of a replaced entry takes no second correction.
    again = browser.post(entry(ck, "result", "correct/"), {**typed, "ck": "421", "reason": "x"})
    assert again.status_code == 422
    assert Result.objects.current().get() == new


def test_a_correction_keeps_a_limit_that_came_without_its_words(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    row = fact(
        Result, patient, analyte="ck", value=Decimal(300), uln=Decimal(190), value_received="5", unit_received="ukat/L",
        taken_on=YESTERDAY,
    )  # fmt: skip
    browser = signed_in(clinician)
    assert browser.get(entry(row, "result")).context["correct_form"]["ck_uln"].value() == ""  # 190 of another unit
    row = fact(
        Result, patient, analyte="ck", value=Decimal(300), uln=Decimal(190), value_received="300", unit_received="U/L",
        taken_on=AS_OF,
    )  # fmt: skip
    assert browser.get(entry(row, "result")).context["correct_form"]["ck_uln"].value() == "190"


def test_a_very_rare_value_is_looked_at_twice(ck, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    typed = {"ck": "90000", "ck_unit": "U/L", "ck_uln": "190", "taken_on": str(YESTERDAY), "reason": "Typing"}
    answer = browser.post(entry(ck, "result", "correct/"), typed)
    assert answer.status_code == 422
    assert "very unusual" in answer.content.decode()
    assert 'type="checkbox" name="ck_confirmed"' in answer.content.decode()
    assert browser.post(entry(ck, "result", "correct/"), {**typed, "ck_confirmed": "on"}).status_code == 302
    assert Result.objects.current().get().value == Decimal(90000)


def test_a_withdrawn_result_is_gone_from_the_page_and_kept_in_its_history(ck, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    refused = browser.post(entry(ck, "result", "withdraw/"), {"reason": ""})
    assert refused.status_code == 422
    assert Result.objects.current().exists()
    browser.post(entry(ck, "result", "withdraw/"), {"reason": "Another patient's"})
    assert not Result.objects.current().exists()
    page = browser.get(entry(ck, "result"))
    assert "This entry is withdrawn." in page.content.decode()
    assert page.context["correct_form"] is None
    assert not browser.get(url(ck.patient, "results/")).context["grid"].days


def test_a_plain_fact_is_corrected_by_its_fields(clinic, clinician, signed_in) -> None:
    test = fact(
        LungFunction, factories.patient(clinic, clinician), tested_on=YESTERDAY, fvc_percent_predicted=Decimal("18.0")
    )
    typed = {
        "tested_on": str(YESTERDAY),
        "fvc_percent_predicted": "81.0",
        "dlco_hb_corrected": "unknown",
        "reason": "Digits",
    }
    browser = signed_in(clinician)
    answer = browser.post(entry(test, "lung-function", "correct/"), {**typed, "fvc_percent_predicted": "18.0"})
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.content.decode()
    assert browser.post(entry(test, "lung-function", "correct/"), typed).status_code == 302
    assert LungFunction.objects.current().get().fvc_percent_predicted == Decimal("81.0")


def test_a_course_is_withdrawn_with_its_doses_and_says_so_first(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    course = fact(Course, patient, drug="prednisone", route="oral")
    fact(Dose, patient, course=course, starts_on=YESTERDAY, amount=Decimal(10))
    browser = signed_in(clinician)
    assert "With it 1 entry that hangs on it is withdrawn." in browser.get(entry(course, "course")).content.decode()
    browser.post(entry(course, "course", "withdraw/"), {"reason": "Another patient's"})
    assert not Course.objects.current().exists()
    assert not Dose.objects.current().exists()


def test_a_risk_that_is_over_is_ended(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    risk = fact(RiskFactor, patient, kind="childbearing", starts_on=dt.date(2024, 1, 1))
    browser = signed_in(clinician)
    assert browser.post(entry(risk, "risk", "end/"), {"ended_on": "2023-01-01"}).status_code == 422
    assert browser.post(entry(risk, "risk", "end/"), {"ended_on": str(YESTERDAY)}).status_code == 302
    assert RiskFactor.objects.current().get().ends_on == YESTERDAY


def test_a_risk_is_recorded_once_at_a_time(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    fact(RiskFactor, patient, kind="childbearing", starts_on=dt.date(2024, 1, 1), ends_on=dt.date(2024, 12, 31))
    browser = signed_in(clinician)
    again = {"kind": "childbearing", "starts_on": "2024-12-31"}
    assert browser.post(url(patient, "risks/"), again).status_code == 422
    assert browser.post(url(patient, "risks/"), {**again, "kind": "diabetes"}).status_code == 302
    assert browser.post(url(patient, "risks/"), {**again, "starts_on": "2025-01-01"}).status_code == 302
    assert RiskFactor.objects.count() == 3


def test_what_is_over_is_ended_and_not_called_an_error(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    rash = fact(Manifestation, patient, kind="heliotrope", onset_on=dt.date(2024, 1, 1))
    booked = fact(Booking, patient, kind="pft", booked_for=AS_OF + dt.timedelta(days=5))
    never = fact(
        RuleException,
        patient,
        rule="ck-rising",
        reason="x",
        starts_on=dt.date(2025, 1, 1),
        ends_on=dt.date(2025, 12, 31),
    )
    browser = signed_in(clinician)
    assert browser.post(entry(rash, "manifestation", "end/"), {"ended_on": "2023-01-01"}).status_code == 422
    browser.post(entry(rash, "manifestation", "end/"), {"ended_on": str(YESTERDAY)})
    assert Manifestation.objects.current().get().ended_on == YESTERDAY
    browser.post(entry(booked, "booking", "end/"), {"reason": "Machine broken"})
    booked.refresh_from_db()
    assert not booked.is_current
    assert booked.status == Status.FINAL
    browser.post(entry(never, "exception", "end/"), {"reason": "No longer needed"})
    assert RuleException.objects.current().get().ends_on == YESTERDAY


def test_a_role_corrects_and_withdraws_what_it_may_record_and_nothing_else(ck, clinic, signed_in) -> None:
    nurse, physio = signed_in(role=Role.NURSE), signed_in(role=Role.PHYSIOTHERAPIST)
    coordinator = signed_in(role=Role.COORDINATOR)
    course = fact(Course, ck.patient, drug="prednisone", route="oral")
    for browser, row, word, allowed in (
        (nurse, ck, "result", True), (physio, ck, "result", True), (coordinator, ck, "result", False),
        (nurse, course, "course", False), (physio, course, "course", False),
    ):  # fmt: skip
        page = browser.get(entry(row, word))
        assert page.status_code == 200
        assert page.context["changeable"] is allowed
        answer = browser.post(entry(row, word, "withdraw/"), {"reason": ""})
        assert answer.status_code == (422 if allowed else 403)


def test_an_entry_is_found_only_by_its_own_patient_and_kind(ck, clinic, clinician, signed_in) -> None:
    other = factories.patient(clinic, clinician)
    browser = signed_in(clinician)
    assert browser.get(url(other, f"entries/result/{ck.pk}/")).status_code == 404
    assert browser.get(url(ck.patient, f"entries/dose/{ck.pk}/")).status_code == 404
    assert browser.get(url(ck.patient, f"entries/nonsense/{ck.pk}/")).status_code == 404
    assert browser.post(entry(ck, "result", "end/"), {"reason": "x"}).status_code == 404
    stranger = signed_in(factories.person(factories.centre()))
    for rest in ("", "correct/", "withdraw/", "end/"):
        assert stranger.post(entry(ck, "result", rest), {"reason": "x"}).status_code in (404, 405)
    assert Result.objects.current().get() == ck


def test_the_history_of_an_entry_does_not_ask_more_for_more_corrections(
    ck, clinician, signed_in, django_assert_max_num_queries
) -> None:
    from clinic.selectors.facts import history
    from monitoring.actions import correct_result
    from monitoring.entry import TypedValue

    row = ck
    for number in range(8):
        row = correct_result(
            result=row, typed=TypedValue("ck", str(400 + number), "U/L"), reason="Again", by=clinician,
            now=NOW + dt.timedelta(minutes=number),
        )  # fmt: skip
    with django_assert_max_num_queries(2):
        found = history(ck, dt.UTC)
        assert len(found.versions) == 9
        assert found.newest == row
    assert [version.state for version in found.versions] == ["Current", *["Replaced"] * 8]
    with django_assert_max_num_queries(2):
        assert [v.fact.pk for v in history(row, dt.UTC).versions] == [v.fact.pk for v in found.versions]


def test_undo_is_for_the_same_person_and_for_ten_minutes(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    browser = signed_in(clinician)
    browser.post(url(patient, "antibodies/"), AREAS[1][1])
    made = Entry.objects.get()
    assert signed_in().post(f"/undo/{made.pk}/").status_code == 404
    assert browser.get(f"/undo/{made.pk}/").url == "/", "opening the address undoes nothing"
    with time_machine.travel(NOW + dt.timedelta(minutes=10, seconds=1), tick=False):
        answer = browser.post(f"/undo/{made.pk}/", follow=True)
        assert "ten minutes" in answer.content.decode()
        assert AntibodyResult.objects.current().exists()
    with time_machine.travel(NOW + dt.timedelta(minutes=10), tick=False):
        browser.post(f"/undo/{made.pk}/")
    assert not AntibodyResult.objects.current().exists()
