"""Patients, rules, the overview and the trail: what they list, and that every number opens its own list."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from decimal import Decimal
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from alerts.actions import life
from alerts.models import RuleRun, Trigger
from audit.models import Access, Entry
from clinic import actions as figures
from monitoring.models import Result
from monitoring.rules import RULES
from patients.models import FollowUpStatus, Patient, Subtype
from tests import factories
from tests.clinic import findings
from tests.clinic.one_patient import results as many
from tests.clinic.test_worklist import count
from tests.factories import AS_OF, NOW, fact
from therapy.models import Course, Dose

PATIENTS = "/patients/"


def names(page: str) -> list[str]:
    return [unescape(name) for name in re.findall(r'class="row-title" href="/patients/[^"]+">([^<]+)<', page)]


def status(patient: Patient, word: str, days: int = -10) -> None:
    fact(FollowUpStatus, patient, word=word, starts_on=AS_OF + dt.timedelta(days=days))


def steroid(patient: Patient, mg: str, days: int = -30, until: int | None = None) -> None:
    course = fact(Course, patient, drug="prednisone", route="oral")
    ends_on = None if until is None else AS_OF + dt.timedelta(days=until)
    fact(Dose, patient, course=course, amount=Decimal(mg), starts_on=AS_OF + dt.timedelta(days=days), ends_on=ends_on)


def result(patient: Patient, day: dt.date, value: int = 100) -> None:
    fact(
        Result, patient, analyte="ck", value=value, uln=200, value_received=str(value), unit_received="U/L",
        taken_on=day, laboratory="Central",
    )  # fmt: skip


@pytest.fixture
def people(clinic, clinician):
    def one(family: str, given: str, **fields):
        return findings.someone(clinic, clinician, family_name=family, given_name=given, **fields)

    return SimpleNamespace(
        moreau=one("Moreau", "Élise", record_number="A-100"),
        morgan=one("Morgan", "Kim", record_number="A-200", subtype=Subtype.NECROTISING),
        obrien=one("O’Brien", "Siobhán", record_number="B-100"),
    )


# ------------------------------------------------------------------------------------------------------------- patients


def test_patients_are_listed_by_name_and_only_those_under_follow_up(people, clinician, signed_in) -> None:
    status(people.morgan, "active")
    status(people.obrien, "discharged")
    client = signed_in(clinician)
    page = client.get(PATIENTS).content.decode()
    assert names(page) == ["Moreau, Élise", "Morgan, Kim"]
    assert count(page) == 2
    assert names(client.get(PATIENTS, {"status": "discharged"}).content.decode()) == ["O’Brien, Siobhán"]
    assert len(names(client.get(PATIENTS, {"status": "all"}).content.decode())) == 3
    assert names(client.get(PATIENTS, {"subtype": "necrotising"}).content.decode()) == ["Morgan, Kim"]


def test_the_glucocorticoid_filter_means_more_than_seven_and_a_half_today(people, clinician, signed_in) -> None:
    steroid(people.moreau, "7.5")
    steroid(people.morgan, "7.6")
    steroid(people.obrien, "60", until=-1)
    page = signed_in(clinician).get(PATIENTS, {"steroid": "high"}).content.decode()
    assert names(page) == ["Morgan, Kim"]


def test_a_row_shows_the_worst_level_and_the_next_due_day(people, clinician, signed_in) -> None:
    findings.alert(people.moreau, "TASK")
    findings.alert(people.moreau, "ACTION", subject="plan:1")
    findings.coming(people.moreau, 20)
    row = signed_in(clinician).get(PATIENTS).content.decode().split(">Moreau, Élise<")[1].split("</tr>")[0]
    assert "level-action" in row
    assert "2 alerts" in row
    assert "5 Jul 2025" in row


def test_a_patient_is_found_by_the_beginning_of_name_or_number(people, clinician, signed_in) -> None:
    status(people.obrien, "dead")
    client = signed_in(clinician)
    assert names(client.post(PATIENTS, {"q": "mor"}).content.decode()) == ["Moreau, Élise", "Morgan, Kim"]
    assert names(client.post(PATIENTS, {"q": "A-"}).content.decode()) == ["Moreau, Élise", "Morgan, Kim"]
    alone = client.post(PATIENTS, {"q": "o’b"})  # whatever the status
    assert alone["Location"] == f"/patients/{people.obrien.public_id}/"
    nobody = client.post(PATIENTS, {"q": "<zz>"}).content.decode()
    assert "Nobody found" in nobody
    assert "&lt;zz&gt;" in nobody


def test_the_search_of_the_top_bar_answers_while_one_types(people, clinician, signed_in) -> None:
    client = signed_in(clinician)
    headers = {"HX-Request": "true", "HX-Target": "search-found"}
    menu = client.post(PATIENTS, {"q": "Mor"}, headers=headers).content.decode()
    assert "<html" not in menu
    assert f"/patients/{people.moreau.public_id}/" in menu
    assert "O’Brien" not in menu
    assert client.post(PATIENTS, {"q": ""}, headers=headers).content.decode().strip() == ""
    seen = Access.objects.get()
    assert (seen.page, seen.rows) == ("clinic:patients", 2)


def test_no_patient_of_another_centre_is_listed_or_found(clinic, signed_in) -> None:
    elsewhere = factories.centre()
    findings.someone(elsewhere, factories.person(elsewhere), family_name="Secret")
    client = signed_in()
    assert "Secret" not in client.get(PATIENTS, {"status": "all"}).content.decode()
    assert names(client.post(PATIENTS, {"q": "Secret"}).content.decode()) == []


# ---------------------------------------------------------------------------------------------------------------- rules


def test_every_rule_is_listed_with_what_became_of_it(clinic, clinician, signed_in) -> None:
    patient = findings.someone(clinic, clinician)
    alert = findings.alert(patient, opened_at=NOW - dt.timedelta(hours=5))
    life.acknowledge(alert=alert, by=clinician, now=NOW, reason="already_known")
    page = signed_in(clinician).get("/rules/").content.decode()
    for rule in RULES.values():
        assert f'href="/rules/{rule.id}/"' in page
    row = page.split('href="/rules/physio-missed/"')[1].split("</tr>")[0]
    cells = [re.sub(r"<[^>]+>", " ", cell).split() for cell in re.findall(r"<td[^>]*num[^>]*>(.*?)</td>", row)]
    assert cells == [["1"], ["1"], ["0", "0", "%"], ["1", "100", "%"], ["5", "h"]]


def test_a_review_day_that_has_passed_is_a_banner(clinic, clinician, signed_in, monkeypatch) -> None:
    client = signed_in(clinician)
    planned = RULES["ck-rising"].review_due
    assert "should have been reviewed" not in client.get("/rules/").content.decode()
    object.__setattr__(RULES["ck-rising"], "review_due", AS_OF)
    try:
        assert "should have been reviewed" not in client.get("/rules/").content.decode()
        object.__setattr__(RULES["ck-rising"], "review_due", AS_OF - dt.timedelta(days=1))
        assert "1 rule should have been reviewed" in client.get("/rules/").content.decode()
        assert "was to be reviewed has passed" in client.get("/rules/ck-rising/").content.decode()
    finally:
        object.__setattr__(RULES["ck-rising"], "review_due", planned)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_shown_with_its_numbers_in_its_sentences(rule, clinic, signed_in) -> None:
    page = signed_in(role=Role.NURSE).get(f"/rules/{rule}/").content.decode()
    assert "{p." not in page
    assert "Example patients" in page
    assert "Sources" in page


def test_a_rule_that_fails_or_was_not_believed_is_said_on_the_worklist(clinic, clinician, signed_in) -> None:
    findings.someone(clinic, clinician)
    run = {"centre": clinic, "rule_version": 1, "as_of": AS_OF, "trigger": Trigger.SWEEP, "started_at": NOW}
    RuleRun.objects.create(**run, rule="ck-rising", error="DataError")
    RuleRun.objects.create(
        **run, rule="physio-missed", finished_at=NOW, asked=1, held_back="20 of 30 would have closed"
    )
    page = signed_in(clinician).get("/worklist/").content.decode()
    assert "1 rule could not be asked." in page
    assert "It was not believed" in page
    rule = signed_in(clinician).get("/rules/physio-missed/").content.decode()
    assert "20 of 30 would have closed" in rule


# ------------------------------------------------------------------------------------------------------------- overview


def test_the_weeks_begin_on_monday_and_the_chart_has_the_numbers_of_the_table(
    people, clinic, clinician, signed_in
) -> None:
    monday = AS_OF - dt.timedelta(days=AS_OF.weekday())
    for day in (monday, AS_OF, monday - dt.timedelta(days=1)):
        result(people.moreau, day)
    result(people.morgan, AS_OF)
    figures.work_out_figures(centre=clinic, now=NOW)
    page = signed_in(clinician).get("/overview/").content.decode()
    table = page[page.index('id="weeks"') :]
    rows = [
        re.findall(r"<t[dh][^>]*>(?:<[^>]+>)*([^<]+)", row)
        for row in re.findall(r"<tr>(<th scope=.row.*?)</tr>", table)
    ]
    assert [row[:3] for row in rows[:3]] == [
        ["9 Jun 2025", "2", "0"],
        ["2 Jun 2025", "1", "0"],
        ["26 May 2025", "0", "0"],
    ]
    assert len(rows) == 12
    assert "<title>Week of 9 Jun: 2</title>" in page
    assert "<title>Week of 2 Jun: 1</title>" in page


@pytest.mark.parametrize(("role", "code"), [(Role.PHYSIOTHERAPIST, 403), (Role.RESEARCHER, 403), (Role.NURSE, 200)])
def test_who_sees_the_overview(role, code, clinic, signed_in) -> None:
    assert signed_in(role=role).get("/overview/").status_code == code


# ---------------------------------------------------------------------------------------------------------------- trail


@pytest.fixture
def done(people, clinic, clinician):
    nurse = factories.person(clinic, Role.NURSE, full_name="Ngozi Bell")
    first = findings.alert(people.moreau)
    second = findings.alert(people.morgan)
    life.acknowledge(alert=first, by=clinician, now=NOW - dt.timedelta(days=1), reason="will_monitor")
    life.comment(alert=second, by=nurse, now=NOW, text="x")
    return nurse


def trail_rows(page: str) -> list[str]:
    return [re.sub(r"<[^>]+>", " ", row) for row in re.findall(r"<tr>(<td.*?)</tr>", page)]


def test_the_trail_says_who_did_what_to_whom_and_why_newest_first(done, clinician, signed_in) -> None:
    rows = trail_rows(signed_in(clinician).get("/trail/").content.decode())
    assert len(rows) == 2
    assert "Ngozi Bell" in rows[0]
    assert "Comment on an alert" in rows[0]
    assert "Morgan, Kim" in rows[0]
    assert "Dr Okafor" in rows[1]
    assert "Alert acknowledged" in rows[1]
    assert "Will monitor" in rows[1]


def test_the_trail_is_narrowed_by_person_patient_and_day(done, people, clinician, signed_in) -> None:
    client = signed_in(clinician)

    def rows(**query: str) -> list[str]:
        return trail_rows(client.get("/trail/", query).content.decode())

    assert ["Ngozi" in row for row in rows(who=str(done.pk))] == [True]
    assert ["Dr Okafor" in row for row in rows(day="2025-06-14")] == [True]
    assert rows(day="2025-06-13") == []
    assert rows(who="system") == []
    assert ["Moreau" in row for row in rows(patient=str(people.moreau.public_id))] == [True]
    assert len(rows(who="999999", day="yesterday")) == 2  # nonsense narrows nothing, and is said
    found = client.post("/trail/", {"q": "Moreau"})
    assert found["Location"] == f"/trail/?patient={people.moreau.public_id}"
    of_one = client.get(f"/patients/{people.moreau.public_id}/trail/").content.decode()
    assert len(trail_rows(of_one)) == 1


def test_the_trail_says_who_looked(done, people, clinician, signed_in) -> None:
    client = signed_in(clinician)
    client.get(f"/patients/{people.moreau.public_id}/")
    page = client.get(f"/patients/{people.moreau.public_id}/trail/", {"what": "looks"}).content.decode()
    assert [("Dr Okafor" in row, "Patient page" in row) for row in trail_rows(page)] == [(True, True)]


def test_the_trail_goes_back_without_gaps(clinic, clinician, people, signed_in) -> None:
    at = [NOW - dt.timedelta(minutes=number // 3) for number in range(120)]
    Entry.objects.bulk_create(
        Entry(at=moment, by=clinician, centre=clinic, action="x.y", summary=f"number {number}.", origin="page",
              context_id="00000000-0000-0000-0000-000000000000")
        for number, moment in enumerate(at)
    )  # fmt: skip
    client = signed_in(clinician)
    seen, url = [], "/trail/"
    while url:
        page = client.get(url).content.decode()
        seen += re.findall(r"Number \d+\.", page)
        older = re.search(r'<a class="btn btn-sm" rel="next" href="([^"]+)"', page)
        url = f"/trail/{unescape(older[1])}" if older else ""
    assert len(seen) == len(set(seen)) == 120


def test_who_sees_the_trail_and_of_which_centre(done, people, clinic, signed_in) -> None:
    for role, code in ((Role.ADMINISTRATOR, 200), (Role.NURSE, 403), (Role.COORDINATOR, 403), (Role.RESEARCHER, 403)):
        assert signed_in(role=role).get("/trail/").status_code == code
    elsewhere = factories.centre()
    stranger = signed_in(factories.person(elsewhere))
    assert trail_rows(stranger.get("/trail/").content.decode()) == []
    assert stranger.get(f"/patients/{people.moreau.public_id}/trail/").status_code == 404


# --------------------------------------------------------------------------------------------------- how much is asked

COUNTS = Path(__file__).parent / "query_counts.json"
PAGES = {
    "clinic:worklist": "/worklist/", "clinic:due": "/worklist/due/", "clinic:unjudged": "/worklist/unjudged/",
    "clinic:patients": PATIENTS, "clinic:rules": "/rules/", "clinic:rule": "/rules/ck-rising/",
    "clinic:overview": "/overview/", "clinic:history": "/worklist/history/?state=all",
    "clinic:trail": "/trail/", "clinic:alert": "/alerts/{}/",
}  # fmt: skip


def filled(clinic, clinician, people: int, results_each: int) -> str:
    """A clinic with a bit on every list; gives the id of one of its alerts."""
    for number in range(people):
        patient = findings.someone(clinic, clinician)
        alert = findings.alert(patient, due_on=AS_OF - dt.timedelta(days=number))
        findings.coming(patient, 5)
        findings.unjudged(patient)
        steroid(patient, "20")
        life.acknowledge(alert=findings.alert(patient, subject="plan:1"), by=clinician, now=NOW)
        many(patient, AS_OF, results_each)
    return str(alert.public_id)


def test_a_page_asks_as_often_of_a_long_history_as_of_a_short_one(clinic, clinician, signed_in) -> None:
    """2 patients with 30 results, and 30 with 3,000. A ratchet: WRITE_QUERY_COUNTS=1 writes it anew."""
    larger = factories.centre()
    asked: dict[str, list[int]] = {route: [] for route in PAGES}
    for centre, person, people, results_each in (
        (clinic, clinician, 2, 15),
        (larger, factories.person(larger), 30, 100),
    ):
        alert = filled(centre, person, people, results_each)
        browser = signed_in(person)
        browser.get("/worklist/")  # what is asked once for a session
        for route, url in PAGES.items():
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(url.format(alert)).status_code == 200
            asked[route].append(len(queries))
    known = json.loads(COUNTS.read_text())
    if os.environ.get("WRITE_QUERY_COUNTS"):
        known |= {route: few for route, (few, _) in asked.items()}
        COUNTS.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")
    for route, (few, lots) in asked.items():
        assert few == lots, route
        assert few <= known[route], f"{route} asks {few} times"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_no_days_of_a_list(clinic, clinician, signed_in, day: str) -> None:
    patient, browser = factories.patient(clinic, clinician), signed_in(clinician)
    for address in (
        f"/patients/?sampled={day}",
        f"/patients/?status=all&remission=unknown&on={day}",
        f"/patients/{patient.public_id}/results/?before={day}",
        f"/worklist/history/?opened_from={day}",
        f"/worklist/history/?closed_to={day}",
        f"/worklist/history/?overdue_on={day}",
        f"/trail/?until={day}",
    ):
        assert browser.get(address).status_code == 200, address
