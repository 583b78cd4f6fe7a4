"""Where one begins, whom a message is about, several bookings taken back, and a number that is taken."""

from __future__ import annotations

import csv
import datetime as dt
import io
from html import unescape

import pytest

from audit.models import Entry
from clinic.views.worklist import start_of
from monitoring.models import Booking
from tests import factories
from tests.clinic import findings
from tests.factories import AS_OF

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "start"),
    [
        ("clinician", "/worklist/"), ("nurse", "/worklist/"), ("physiotherapist", "/worklist/"),
        ("administrator", "/worklist/"), ("coordinator", "/patients/?next_visit=none"),
        ("researcher", "/research/releases/"),
    ],
)  # fmt: skip
def test_everybody_begins_where_their_work_waits(role: str, start: str, clinic, signed_in) -> None:
    browser = signed_in(role=role)
    there = browser.get("/")
    assert (there.status_code, there["Location"]) == (302, start)
    assert browser.get(start).status_code == 200


def test_who_belongs_nowhere_begins_nowhere() -> None:
    assert start_of(None) == ""


def test_a_message_beside_an_undo_says_whom_it_is_about_and_no_cookie_does(clinic, clinician, signed_in) -> None:
    alert = findings.alert(findings.someone(clinic, clinician, family_name="Haddad", given_name="Mina"))
    browser = signed_in(clinician)
    browser.post(f"/alerts/{alert.public_id}/acknowledge/", {"next": "/worklist/"})
    assert "Haddad" not in str(browser.cookies)
    page = browser.get("/worklist/").content.decode()
    assert "Haddad, Mina: Acknowledged." in page.split('id="messages"', 1)[1].split("</form>")[0]


def booked(browser, people, *kinds: str, day: dt.date) -> str:
    """Books, and gives the address of the Undo that is offered."""
    sent = {"patient": [p.public_id for p in people], "kinds": kinds, "booked_for": day.isoformat()}
    page = browser.post("/patients/book/", sent, follow=True).content.decode()
    return page.split('id="messages"', 1)[1].partition('action="')[2].partition('"')[0]


def test_bookings_for_several_are_taken_back_together(clinic, clinician, signed_in) -> None:
    people = [findings.someone(clinic, clinician) for _ in range(2)]
    browser = signed_in(clinician)
    undo = booked(browser, people, "hrct", "infusion", day=AS_OF + dt.timedelta(days=7))
    assert Booking.objects.current().count() == 4
    somebody_else = signed_in()
    assert somebody_else.post(undo).status_code == 404
    answer = browser.post(undo)
    assert answer["Location"] == "/patients/"
    assert not Booking.objects.current().exists()


def test_nothing_is_offered_where_nothing_was_booked(clinic, clinician, signed_in) -> None:
    people = [findings.someone(clinic, clinician) for _ in range(2)]
    browser = signed_in(clinician)
    day = AS_OF + dt.timedelta(days=7)
    assert booked(browser, people, "hrct", day=day).startswith("/undo/")
    assert not booked(browser, people, "hrct", day=day).startswith("/undo/")


def test_only_such_entries_about_several_people_can_be_undone(clinic, clinician, signed_in) -> None:
    other = Entry.objects.create(
        at=factories.NOW, by=clinician, centre=clinic, action="exchange.import_file", origin="page",
        context_id="00000000-0000-0000-0000-000000000001",
    )  # fmt: skip
    assert signed_in(clinician).post(f"/undo/{other.pk}/").status_code == 404


NEW = {
    "record_number": "77", "family_name": "Sato", "given_name": "Ken", "born_on": "1970-01-01", "sex": "male",
    "subtype": "polymyositis",
}  # fmt: skip


def test_a_number_that_is_taken_says_beside_its_box_whose_it_is(clinic, clinician, signed_in) -> None:
    there = findings.someone(
        clinic, clinician, record_number="77", family_name="Haddad", given_name="Mina", born_on=dt.date(1980, 2, 3)
    )
    browser = signed_in(clinician)
    page = unescape(browser.post("/patients/new/", NEW).content.decode())
    beside = page.split('id="id_record_number_error"', 1)[1].split("</ul>")[0]
    assert f'This is the number of <a href="/patients/{there.public_id}/">Haddad, Mina</a>, born 3 Feb 1980.' in beside
    assert "Why this is somebody else" not in page  # no reason makes a taken number free
    alike = browser.post("/patients/new/alike/", NEW).content.decode()
    assert "This record number is taken" in alike
    assert 'name="reason"' not in alike

    twin = {**NEW, "family_name": "Haddad", "given_name": "Mina"}
    assert 'name="reason"' in browser.post("/patients/new/alike/", twin).content.decode()


def test_a_number_of_another_centre_is_free_here(clinic, clinician, signed_in) -> None:
    elsewhere = factories.centre(name="Elsewhere")
    findings.someone(elsewhere, factories.person(elsewhere), record_number="77")
    assert signed_in(clinician).post("/patients/new/", NEW).status_code == 302


def test_a_changed_number_that_is_taken_says_whose_it_is(clinic, clinician, signed_in) -> None:
    findings.someone(clinic, clinician, record_number="77", family_name="Haddad", given_name="Mina")
    mine = findings.someone(clinic, clinician, record_number="78")
    page = signed_in(clinician).get(f"/patients/{mine.public_id}/details/").context["form"]
    sent = {**NEW, "version": page.initial["version"]}
    answer = signed_in(clinician).post(f"/patients/{mine.public_id}/details/", sent)
    assert answer.status_code == 422
    assert "Haddad, Mina" in answer.content.decode().split('id="id_record_number_error"', 1)[1].split("</ul>")[0]


def test_a_list_of_a_past_day_says_that_its_columns_are_of_today(clinic, clinician, signed_in) -> None:
    findings.someone(clinic, clinician, record_number="77")
    browser = signed_in(clinician)
    day = AS_OF - dt.timedelta(days=30)

    def rows(query: str) -> list[list[str]]:
        answer = browser.get(f"/patients/export.csv{query}")
        return list(csv.reader(io.StringIO(b"".join(answer).decode())))

    assert rows("")[0][0] == "record_number"
    assert rows(f"?on={AS_OF.isoformat()}")[0][0] == "record_number"
    head, *people = rows(f"?on={day.isoformat()}")
    assert head[:3] == ["listed_as_on", "columns_as_of", "record_number"]
    assert [line[:3] for line in people] == [[day.isoformat(), AS_OF.isoformat(), "77"]]
