"""The letter: drafted from the record, finished by hand, kept nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import Access, Entry
from clinic import letter
from tests import factories
from tests.clinic.one_patient import full
from tests.factories import AS_OF, NOW

TYPED = {
    "to": "Dr Grey\nHigh Street 1",
    "subject": "Ingrid Vestergaard",
    "body": "Dear Dr Grey,\n\nAll well.",
    "signed": "Dr Okafor",
}


@pytest.fixture
def patient(clinic: Any, clinician: Any) -> Any:
    return full(clinic, clinician, AS_OF, family_name="Vestergaard", given_name="Ingrid")


def address(patient: Any) -> str:
    return f"/patients/{patient.public_id}/letter/"


def test_the_draft_says_what_is_on_record(patient, clinician, signed_in) -> None:
    form = signed_in(clinician).get(address(patient)).context["form"]
    body = form["body"].value()
    for words in (
        "We follow Ingrid Vestergaard for dermatomyositis.", "Antibodies: Anti-Jo-1", "Risk factors: Diabetes",
        "Interstitial lung disease, known since",
        "Prednisone 12 mg a day (0.18 mg/kg a day), by mouth, since 27 Dec 2024",
        "Methotrexate 15 mg once a week", "Prednisone-equivalent in all: 12 mg a day", "MMT8 141/150, HAQ-DI 0,",
        "Lung function on 17 Mar 2025: FVC 84 %, 2.91 L, DLCO 71 %", "Weight 68.5 kg on 26 May 2025",
        "Full lung function: booked for 27 Jun 2025", "Assessment and plan",
    ):  # fmt: skip
        assert words in body, words
    assert form["signed"].value() == "Dr Okafor"
    assert form["subject"].value().startswith("Vestergaard, Ingrid, born ")


def test_a_bare_record_is_no_reason_to_guess(clinic, clinician, signed_in) -> None:
    bare = factories.patient(clinic, clinician)
    body = signed_in(clinician).get(address(bare)).context["form"]["body"].value()
    for words in ("No drug is recorded for today.", "Nothing is recorded.", "Nothing is due or booked"):
        assert words in body
    assert "Antibodies" not in body


@pytest.mark.parametrize(("as_", "kind"), [("pdf", "application/pdf"), ("page", "text/html; charset=utf-8")])
def test_it_is_printed_as_it_was_finished_and_nothing_is_kept(
    as_: str, kind: str, patient, clinician, signed_in
) -> None:
    before = Entry.objects.count()
    answer = signed_in(clinician).post(address(patient), {**TYPED, "as": as_})
    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    assert "no-store" in answer["Cache-Control"]
    if as_ == "page":
        text = answer.content.decode()
        assert "Dr Grey<br>High Street 1" in text
        assert "All well." in text
        assert "Anti-Jo-1" not in text
    else:
        assert answer.content.startswith(b"%PDF")
        assert "Vestergaard" not in answer["Content-Disposition"]
    seen = Access.objects.get()
    assert (seen.page, seen.rows, seen.patient) == ("clinic:letter", 1, patient)
    assert Entry.objects.count() == before


def test_what_was_typed_is_text_in_either_form(patient, clinician, signed_in) -> None:
    wild = {
        "to": "<b>x</b>",
        "subject": "#set $1$ *a*",
        "body": '<script>1</script>\n\n#let x = 1 \\ "q"',
        "signed": "@x",
    }
    text = signed_in(clinician).post(address(patient), {**wild, "as": "page"}).content.decode()
    assert "<b>x</b>" not in text
    assert "&lt;script&gt;" in text
    assert letter.pdf(**wild, centre="Riverside", now=NOW).startswith(b"%PDF")


def test_the_same_letter_gives_the_same_pages() -> None:
    first, second = (letter.pdf(**TYPED, centre="Riverside", now=NOW) for _ in range(2))
    assert first == second
    assert letter.pdf(**{**TYPED, "body": "Other"}, centre="Riverside", now=NOW) != first


def test_an_empty_letter_is_refused_and_keeps_the_rest(patient, clinician, signed_in) -> None:
    answer = signed_in(clinician).post(address(patient), {**TYPED, "body": " "})
    assert answer.status_code == 422
    assert "High Street 1" in answer.content.decode()
    assert answer.context["form"].errors["body"]


def test_an_empty_line_begins_a_paragraph() -> None:
    assert letter.paragraphs("\n\na\nb \n\n \nc\n") == [["a", "b"], ["c"]]
