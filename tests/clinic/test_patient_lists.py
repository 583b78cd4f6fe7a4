"""The list of patients: what narrows it, who has no next visit, booking for several, and the list as a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from accounts.models import Role
from audit.models import Access, Entry
from clinic.forms.patients import PatientsForm
from clinic.selectors.patients import PatientFilters, listed
from monitoring.models import Assessment, Booking
from patients.models import AntibodyResult, FollowUpStatus
from tests import factories
from tests.factories import AS_OF, fact
from therapy.models import Course, Dose

DAY = dt.timedelta(days=1)


@pytest.fixture
def people(clinic: Any, clinician: Any) -> dict[str, Any]:
    return {
        name: factories.patient(clinic, clinician, family_name=name, given_name="Given", record_number=f"R-{name}")
        for name in ("Ash", "Birch", "Cedar")
    }


def dose(patient: Any, drug: str, amount: str, route: str = "oral", days: int = -10, **fields: Any) -> None:
    course = fact(Course, patient, drug=drug, route=route)
    fact(Dose, patient, course=course, amount=Decimal(amount), starts_on=AS_OF + days * DAY, **fields)


def visited(patient: Any, days: int, vas: str | None) -> None:
    fact(Assessment, patient, assessed_on=AS_OF - days * DAY, physician_vas=None if vas is None else Decimal(vas))


@pytest.fixture
def names(clinic: Any) -> Any:
    def found(**filters: Any) -> str:
        return " ".join(p.family_name for p in listed(clinic, PatientFilters(**filters), AS_OF))

    return found


def test_by_antibody(people: Any, names: Any) -> None:
    fact(AntibodyResult, people["Ash"], antibody="jo-1", result="positive", taken_on=AS_OF - 900 * DAY)
    fact(AntibodyResult, people["Ash"], antibody="jo-1", result="negative", taken_on=AS_OF)
    fact(AntibodyResult, people["Birch"], antibody="jo-1", result="weak", taken_on=AS_OF)
    assert names(antibody="jo-1") == "Ash"
    assert names(antibody="mda5") == ""
    assert names(antibody="none") == "Birch Cedar"


def test_by_treatment(people: Any, names: Any) -> None:
    dose(people["Ash"], "methotrexate", "15", every_days=7)
    dose(people["Birch"], "methotrexate", "15", days=-90, every_days=7, ends_on=AS_OF - DAY)
    assert names(treatment="methotrexate") == "Ash"
    assert names(treatment="none") == "Birch Cedar"


def test_by_glucocorticoid_as_the_dose_of_the_day_adds_up(people: Any, names: Any) -> None:
    dose(people["Ash"], "prednisone", "5")
    dose(people["Ash"], "methylprednisolone", "2")  # 2.5 mg: 7.5 in all
    dose(people["Birch"], "prednisone", "20", days=-20)
    dose(people["Birch"], "prednisone", "5")  # the newer of one drug and route counts
    assert (names(steroid="none"), names(steroid="low"), names(steroid="middle"), names(steroid="high")) == (
        "Cedar", "Birch", "Ash", "",
    )  # fmt: skip
    dose(people["Birch"], "methylprednisolone", "2.001")
    assert names(steroid="high") == "Birch"


def test_by_who_follows(people: Any, names: Any, clinician: Any) -> None:
    people["Ash"].clinician = clinician
    people["Ash"].save()
    assert names(clinician=str(clinician.pk)) == "Ash"
    assert names(clinician="none") == "Birch Cedar"


@pytest.mark.parametrize(
    ("case", "visits", "state"),
    [
        ("never assessed", [], "unknown"),
        ("without the physician's activity", [(10, None)], "unknown"),
        ("a year ago", [(365, "0.5")], "yes"),
        ("longer ago", [(366, "0.5")], "unknown"),
        ("just above", [(10, "0.6")], "no"),
        ("active within six months before it", [(10, "0.2"), (193, "0.6")], "no"),
        ("active before that", [(10, "0.2"), (194, "6")], "yes"),
        ("a flare since", [(200, "0.1"), (10, "4")], "no"),
    ],
)
def test_remission(case: str, visits: Any, state: str, people: Any, names: Any) -> None:
    for days, vas in visits:
        visited(people["Ash"], days, vas)
    assert [word for word in ("yes", "no", "unknown") if "Ash" in names(remission=word)] == [state], case


def test_inclusion_body_myositis_has_no_remission(people: Any, names: Any, clinic: Any) -> None:
    people["Ash"].subtype = "inclusion_body"
    people["Ash"].save()
    visited(people["Ash"], 10, "0.1")
    assert all("Ash" not in names(remission=word) for word in ("yes", "no", "unknown"))


def test_who_has_no_next_visit(people: Any, names: Any, clinician: Any, signed_in: Any) -> None:
    fact(Booking, people["Ash"], kind="visit", booked_for=AS_OF)
    fact(Booking, people["Birch"], kind="hrct", booked_for=AS_OF + DAY)  # nobody sees the patient at a scan
    fact(Booking, people["Birch"], kind="visit", booked_for=AS_OF - DAY)
    fact(FollowUpStatus, people["Cedar"], word="discharged", starts_on=AS_OF)
    assert (names(next_visit="none"), names(next_visit="booked")) == ("Birch", "Ash")
    page = signed_in(role="coordinator").get("/patients/?next_visit=none").content.decode()
    assert "without a visit, assessment or infusion booked for today or later" in page
    assert "R-Birch" in page
    assert "R-Ash" not in page


def test_every_filter_has_words_and_nonsense_counts_as_nothing(people: Any, clinic: Any, signed_in: Any) -> None:
    browser = signed_in(role="coordinator")
    form = browser.get("/patients/").context["form"]
    for name, field in form.fields.items():
        for choice in getattr(field, "choices", ()):
            values = [inner for inner, _ in choice[1]] if isinstance(choice[1], list) else [choice[0]]
            for value in values:
                answer = browser.get("/patients/", {name: value})
                assert answer.status_code == 200
                assert not answer.context["form"].errors, (name, value)
                assert len(answer.context["definition"]) == (2 if value and name != "status" else 1)
        assert browser.get("/patients/", {name: "<nonsense>"}).status_code == 200
    assert set(PatientsForm.base_fields) >= {
        "status", "subtype", "antibody", "treatment", "steroid", "clinician", "remission", "next_visit", "sampled",
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- booking


def test_several_tests_are_booked_for_several_people_at_once(people: Any, signed_in: Any) -> None:
    browser = signed_in(role="coordinator")
    fact(Booking, people["Ash"], kind="visit", booked_for=AS_OF + 7 * DAY)
    ids = [str(people[name].public_id) for name in ("Ash", "Birch")]
    assert "Tick the patients" in browser.get("/patients/book/").content.decode()
    page = browser.get("/patients/book/", {"patient": [*ids, "nonsense"]}).content.decode()
    assert "Ash, Given" in page
    assert "Clinic visit" in page
    nothing = browser.post("/patients/book/", {"patient": ids, "booked_for": "2025-06-14"})
    assert set(nothing.context["form"].errors) == {"kinds"}
    past = browser.post("/patients/book/", {"patient": ids, "kinds": ["visit", "pft"], "booked_for": "2025-06-14"})
    assert set(past.context["form"].errors) == {"booked_for"}
    assert Booking.objects.count() == 1
    answer = browser.post(
        "/patients/book/", {"patient": ids, "kinds": ["visit", "pft"], "booked_for": "2025-06-22"}, follow=True
    )
    assert "3 bookings made. 1 was booked already." in answer.content.decode()
    assert Booking.objects.count() == 4
    assert Entry.objects.filter(action="monitoring.book_tests").count() == 1


def test_bookings_of_one_patient_can_be_undone_together(people: Any, signed_in: Any) -> None:
    browser = signed_in(role="coordinator")
    typed = {"patient": [str(people["Ash"].public_id)], "kinds": ["bloods", "visit"], "booked_for": "2025-06-22"}
    page = browser.post("/patients/book/", typed, follow=True).content.decode()
    undo = page.split('action="/undo/')[1].split('"')[0]
    browser.post(f"/undo/{undo}")
    assert not Booking.objects.current().exists()


def test_nobody_of_another_centre_is_booked_for(clinic: Any, signed_in: Any) -> None:
    elsewhere = factories.centre()
    theirs = factories.patient(elsewhere, factories.person(elsewhere))
    typed = {"patient": [str(theirs.public_id)], "kinds": ["visit"], "booked_for": "2025-06-22"}
    signed_in().post("/patients/book/", typed)
    assert not Booking.objects.exists()


# ---------------------------------------------------------------------------------------------------------- as a file


def rows_of(answer: Any, by: str = ",") -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=by))


def test_the_list_as_filtered_is_taken_as_a_file_and_that_is_recorded(
    people: Any, clinician: Any, signed_in: Any
) -> None:
    fact(AntibodyResult, people["Ash"], antibody="jo-1", result="positive", taken_on=AS_OF)
    dose(people["Ash"], "methotrexate", "15", every_days=7)
    fact(Booking, people["Ash"], kind="visit", booked_for=AS_OF + DAY)
    answer = signed_in(clinician).get("/patients/export.csv?antibody=jo-1")
    assert answer["Content-Disposition"] == 'attachment; filename="patients-2025-06-15.csv"'
    assert "no-store" in answer["Cache-Control"]
    (row,) = rows_of(answer)
    assert (row["record_number"], row["born_on"], row["treatment_today"], row["next_visit"]) == (
        "R-Ash", "1970-05-17", "Methotrexate", "2025-06-16",
    )  # fmt: skip
    assert row["antibodies_ever_positive"] == "Anti-Jo-1"
    seen = Access.objects.get(page="clinic:patients-export")
    assert (seen.by, seen.rows) == (clinician, 1)


def test_no_cell_is_a_formula_and_excel_knows_letters_and_columns(clinic: Any, clinician: Any, signed_in: Any) -> None:
    for number, name in enumerate(("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\tx", 'Ödén; "x", y')):
        factories.patient(clinic, clinician, family_name=name, record_number=f"N{number}")
    browser = signed_in(clinician)
    answer = browser.get("/patients/export.csv?for=excel")
    found = {row["record_number"]: row["family_name"] for row in rows_of(answer)}
    assert [found[f"N{n}"] for n in range(6)] == [
        "'=cmd|' /C calc'!A0", "+1", "-1", "'@SUM(1)", "'\tx", 'Ödén; "x", y',
    ]  # fmt: skip
    assert b"".join(browser.get("/patients/export.csv?for=excel").streaming_content).startswith(b"\xef\xbb\xbf")
    assert not b"".join(browser.get("/patients/export.csv").streaming_content).startswith(b"\xef\xbb\xbf")


def test_a_german_spreadsheet_takes_semicolons_for_columns() -> None:
    from clinic.paper_list import separator

    assert separator() == ","
    with translation.override("de"):
        assert separator() == ";"


@pytest.mark.parametrize(("role", "code"), [(Role.COORDINATOR, 200), (Role.NURSE, 403), (Role.PHYSIOTHERAPIST, 403)])
def test_who_may_take_a_list_out(role: str, code: int, clinic: Any, signed_in: Any) -> None:
    browser = signed_in(role=role)
    assert browser.get("/patients/export.csv").status_code == code
