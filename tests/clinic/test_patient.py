"""The page of one patient, its results and its paper, on a fixed day."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from alerts.models import Sweep
from alerts.selectors import Checked
from audit.models import Access
from clinic import summary
from clinic.selectors import patient as questions
from clinic.selectors.patient import unit_words
from clinic.templatetags.days import ago
from monitoring.models import Result
from tests import factories
from tests.clinic.one_patient import full, results
from tests.factories import AS_OF, NOW, fact
from therapy.models import Course, Dose, TaperPlan, TaperStep

UNASKED = Checked(at=None, rules=0, patients=0, is_stale=True, failing=[], held_back=[])
COUNTS = Path(__file__).parent / "query_counts.json"
READ = (
    "", "history/", "results/", "results/?scale=uln", "compare/", "letter/", "print/", "chart.svg", "chart.png",
    "summary.pdf",
)  # fmt: skip
CHANGE = ("details/", "follow-up/", "antibodies/", "manifestations/", "consent/", "exceptions/")


def url(patient: Any, rest: str = "") -> str:
    return f"/patients/{patient.public_id}/{rest}"


def nowhere(*_: Any) -> str:
    return ""


# --------------------------------------------------------------------------------------------------------- who may


@pytest.mark.parametrize("rest", READ)
def test_a_patient_of_another_centre_does_not_exist(rest: str, clinic, signed_in) -> None:
    elsewhere = factories.centre()
    theirs = factories.patient(elsewhere, factories.person(elsewhere))
    assert signed_in().get(url(theirs, rest)).status_code == 404
    assert not Access.objects.exists()


@pytest.mark.parametrize("rest", [*READ, *CHANGE])
def test_a_researcher_sees_no_patient(rest: str, clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    assert signed_in(role=Role.RESEARCHER).get(url(patient, rest)).status_code == 403


@pytest.mark.parametrize("rest", CHANGE)
def test_what_a_role_may_not_change_it_does_not_see_the_form_of(rest: str, clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    assert signed_in(role=Role.ADMINISTRATOR).get(url(patient, rest)).status_code == 403
    assert signed_in(clinician).get(url(patient, rest)).status_code == 200


@pytest.mark.parametrize(("role", "offered"), [(Role.PHYSIOTHERAPIST, False), (Role.NURSE, True)])
def test_details_are_offered_to_whoever_may_change_them(role, offered, clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    page = signed_in(role=role).get(url(patient)).content.decode()
    assert (url(patient, "details/") in page) is offered


# -------------------------------------------------------------------------------------------------------- the page


@pytest.mark.parametrize("rest", READ)
def test_looking_is_recorded_with_the_page_and_the_patient(rest: str, clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    assert signed_in(clinician).get(url(patient, rest)).status_code == 200
    seen = Access.objects.get()
    assert (seen.by, seen.patient, seen.at) == (clinician, patient, NOW)
    assert str(patient.public_id) not in seen.page
    assert patient.record_number not in seen.page
    assert seen.rows == (1 if rest == "summary.pdf" else None)


def test_the_head_says_who_it_is_and_how_they_are(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF, family_name="Vestergaard", given_name="Ingrid")
    page = signed_in(clinician).get(url(patient)).content.decode()
    page += signed_in(clinician).get(url(patient, "history/")).content.decode()
    for words in (
        "Vestergaard, Ingrid", patient.record_number, "55 years", "Dermatomyositis", "Anti-Jo-1", "ILD",
        "68.5 <small>kg", "12 <small>mg a day", "141/150", "0.18 mg/kg a day", "15 mg once a week",
        "Full lung function", "Physiotherapy is being missed", "Creatine kinase is rising", "(overdue)",
        "a core set at the beginning of treatment", "A step of the steroid taper is due",
        "Toxicity or intolerance: Liver enzymes",
        "137 g on 7 Mar 2025",
    ):  # fmt: skip
        assert words in page, words
    # A weekly dose per kg a day would be read as a daily dose.
    assert "0.03 mg/kg" not in page
    title = page.split("<title>")[1].split("</title>")[0]
    assert "Vestergaard" not in title  # it would stay in the history of a shared computer


def test_the_chart_and_the_tables_show_the_same_numbers(clinic, clinician) -> None:
    patient = full(clinic, clinician, AS_OF)
    page = questions.page(patient, AS_OF, nowhere)
    newest = {point.day: point.value for point in page.story.ck}
    line = next(row for _, lines in page.results.panels for row in lines if row.code == "ck")
    for day, cell in zip(page.results.days, line.cells, strict=True):
        assert cell is not None
        assert Decimal(cell.text) == round(newest[day])
    assert [visit.day for visit in page.visits if visit.is_baseline] == [AS_OF - dt.timedelta(days=172)]
    assert {p.day for s in page.story.strength for p in s.points} == {visit.day for visit in page.visits}


def test_a_dose_that_lies_ahead_is_not_taken_yet(clinic, clinician) -> None:
    patient = factories.patient(clinic, clinician)
    course = fact(Course, patient, drug="prednisone", route="oral")
    fact(Dose, patient, course=course, starts_on=AS_OF - dt.timedelta(days=9), ends_on=AS_OF, amount=Decimal(20))
    fact(Dose, patient, course=course, starts_on=AS_OF + dt.timedelta(days=1), amount=Decimal(15))
    (line,) = questions.courses(patient, AS_OF, [])
    assert line.dose == "20 mg a day"
    assert line.is_current(AS_OF)
    page = questions.page(patient, AS_OF, nowhere)
    assert page.top.pe_mg == 20
    assert [moment.text for moment in page.timeline] == ["20 mg a day"]


def test_every_entry_on_the_page_leads_to_its_history(clinic, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    patient = full(clinic, clinician, AS_OF)
    text = browser.get(url(patient)).content.decode() + browser.get(url(patient, "history/")).content.decode()
    found = set(re.findall(rf'href="({url(patient)}entries/[^"]+)"', text))
    words = {address.split("/entries/")[1].split("/")[0] for address in found}
    assert words >= {
        "result", "assessment", "course", "dose", "infusion", "lung-function", "imaging", "booking", "body-size",
        "manifestation", "follow-up", "confounder", "taper-confirmation", "consent", "exception", "physio-session",
        "physio-outcome",
    }  # fmt: skip
    for address in found:
        answer = browser.get(address)
        assert answer.status_code == 200
        assert answer.context["changeable"], address


def test_zero_is_a_value_and_missing_is_said(clinic, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    with_zero = full(clinic, clinician, AS_OF)
    text = browser.get(url(with_zero, "history/")).content.decode()
    assert "HAQ-DI 0," in text
    bare = factories.patient(clinic, clinician)
    text = browser.get(url(bare)).content.decode() + browser.get(url(bare, "history/")).content.decode()
    assert "Not recorded" in text
    assert "Not tested" in text
    assert "No results yet" in text
    # Zero glucocorticoid is said where one was recorded and has ended; where none ever was, nobody knows.
    assert "no glucocorticoid recorded so far" in text
    assert "no glucocorticoid recorded for today" not in text
    once = fact(Course, bare, drug="prednisone", route="oral")
    taken = {"starts_on": AS_OF - dt.timedelta(days=90), "ends_on": AS_OF - dt.timedelta(days=60)}
    fact(Dose, bare, course=once, amount=Decimal(10), **taken)
    text = browser.get(url(bare)).content.decode()
    assert "no glucocorticoid recorded for today" in text
    assert '<span class="stat-value">0 <small>mg a day' in text


def test_no_open_alert_is_not_all_well_while_nothing_was_checked(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    browser = signed_in(clinician)
    assert "nothing has been checked lately" in browser.get(url(patient)).content.decode()
    hour = dt.timedelta(hours=1)
    sweep = Sweep.objects.create(
        centre=clinic, as_of=AS_OF, started_at=NOW - 2 * hour, dispatched_at=NOW - hour, finished_at=NOW - hour
    )
    assert "nothing has been checked lately" not in browser.get(url(patient)).content.decode()
    sweep.finished_at = NOW - 27 * hour
    sweep.started_at = sweep.dispatched_at = NOW - 28 * hour
    sweep.save()
    assert "nothing has been checked lately" in browser.get(url(patient)).content.decode()


def test_names_are_text_and_never_markup(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF, family_name="<b>Bold</b>", given_name='#set *x* $1$ \\ "')
    page = signed_in(clinician).get(url(patient)).content.decode()
    assert "<b>Bold</b>" not in page
    assert "&lt;b&gt;Bold" in page
    shown = questions.page(patient, AS_OF, nowhere)
    assert summary.pdf(shown, checked=UNASKED, by="Dr #[x]", now=NOW).startswith(b"%PDF")


def test_a_discharged_patient_is_marked(clinic, clinician, signed_in) -> None:
    from patients.models import FollowUpStatus

    patient = factories.patient(clinic, clinician)
    fact(FollowUpStatus, patient, word="discharged", starts_on=AS_OF - dt.timedelta(days=3))
    assert "Discharged" in signed_in(clinician).get(url(patient)).content.decode()


# ------------------------------------------------------------------------------------------------- what it costs


PAGES = {
    "clinic:patient": "",
    "clinic:patient-history": "history/",
    "clinic:results": "results/",
    "clinic:compare": "compare/",
    "clinic:letter": "letter/",
    "clinic:patient-print": "print/",
    "clinic:chart-svg": "chart.svg",
}


@pytest.mark.parametrize("route", PAGES)
def test_a_page_asks_no_more_for_a_long_history_than_for_a_short_one(route: str, clinic, clinician, signed_in) -> None:
    """The number is a ratchet: WRITE_QUERY_COUNTS=1 writes it anew."""
    few = full(clinic, clinician, AS_OF, many=30)
    lots = full(clinic, clinician, AS_OF, many=3000, every_days=3)
    for number in range(5):  # plans of earlier years, neither ended nor confirmed
        old = fact(TaperPlan, lots)
        fact(TaperStep, lots, plan=old, step_on=AS_OF - dt.timedelta(days=900 + number), dose_pe_mg=Decimal(5))
    browser = signed_in(clinician)
    browser.get(url(few, PAGES[route]))  # what is asked once for a session
    asked = []
    for patient in (few, lots):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(url(patient, PAGES[route])).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
    known = json.loads(COUNTS.read_text())
    if os.environ.get("WRITE_QUERY_COUNTS"):
        known[route] = asked[0]
        COUNTS.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")
    assert asked[0] <= known[route], f"{route} asks {asked[0]} times"


# --------------------------------------------------------------------------------------------------------- results


def test_results_are_paged_by_days_until_the_first(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    results(patient, AS_OF, 5 * 70)
    browser = signed_in(clinician)
    seen: list[dt.date] = []
    address: str | None = "results/"
    pages = 0
    while address is not None:
        answer = browser.get(url(patient, address))
        grid = answer.context["grid"]
        seen += grid.days
        pages += 1
        address = f"results/?before={grid.older}" if grid.older else None
    expected = [AS_OF - dt.timedelta(days=3 + 14 * visit) for visit in range(70)]
    assert seen == expected
    assert pages == 3  # 70 days, 30 a page


def test_a_multiple_of_an_unknown_limit_is_not_guessed(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    day = AS_OF - dt.timedelta(days=1)
    fact(Result, patient, analyte="ck", value=Decimal(950), uln=Decimal(190), value_received="950", taken_on=day)
    fact(Result, patient, analyte="alt", value=Decimal(70), value_received="70", taken_on=day)
    grid = signed_in(clinician).get(url(patient, "results/?scale=uln")).context["grid"]
    cells = {line.code: line.cells[0] for _, lines in grid.panels for line in lines}
    assert (cells["ck"].text, cells["ck"].flag) == ("5", "H")
    assert (cells["alt"].text, cells["alt"].flag) == ("?", "")


def test_the_limit_itself_is_not_above_it(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    for days, value in ((1, "189"), (2, "190"), (3, "191"), (4, "24"), (5, "25")):
        fact(
            Result, patient, analyte="ck", value=Decimal(value), low=Decimal(25), uln=Decimal(190),
            value_received=value, taken_on=AS_OF - dt.timedelta(days=days),
        )  # fmt: skip
    grid = signed_in(clinician).get(url(patient, "results/")).context["grid"]
    assert [cell.flag for cell in grid.panels[0][1][0].cells] == ["", "", "H", "L", ""]


def test_htmx_gets_the_fragment(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    answer = signed_in(clinician).get(url(patient, "results/"), headers={"HX-Request": "true"})
    assert answer.content.decode().lstrip().startswith('<div id="results">')
    assert "HX-Request" in answer["Vary"]
    assert "<html" not in answer.content.decode()


def test_a_nonsense_day_in_the_address_shows_the_newest(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    for text in ("x", "2025-02-31", ""):
        assert signed_in(clinician).get(url(patient, f"results/?before={text}")).context["grid"].days


# ----------------------------------------------------------------------------------------------------------- paper


def test_the_same_record_gives_the_same_pages(clinic, clinician) -> None:
    patient = full(clinic, clinician, AS_OF)

    def printed(now: dt.datetime) -> bytes:
        return summary.pdf(questions.page(patient, AS_OF, nowhere), checked=UNASKED, by="Dr Okafor", now=now)

    first, second, later = printed(NOW), printed(NOW), printed(NOW + dt.timedelta(minutes=5))
    assert first == second
    assert first.startswith(b"%PDF")
    assert later != first


def test_the_summary_says_what_the_page_says(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    said = summary.data_of(questions.page(patient, AS_OF, nowhere), checked=UNASKED, by="Dr Okafor", now=NOW)
    assert said["printed"].startswith("Printed 15 Jun 2025, 11:00 by Dr Okafor.")  # the clinic is in Berlin
    assert ["Prednisone-equivalent today", "12 mg a day"] in said["facts"]
    assert said["treatment"][0][:4] == ["Prednisone", "By mouth", "12 mg a day", "0.18 mg/kg a day"]
    assert said["treatment"][1][3] == ""
    assert [row[1] for row in said["coming"]] == ["A step of the steroid taper is due", "Full lung function (booked)"]
    answer = signed_in(clinician).get(url(patient, "summary.pdf"))
    assert answer["Content-Type"] == "application/pdf"
    assert patient.family_name not in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]


def test_paper_too_says_how_fresh_the_check_is(clinic, clinician) -> None:
    page = questions.page(factories.patient(clinic, clinician), AS_OF, nowhere)

    def said(checked: Checked) -> str:
        return summary.data_of(page, checked=checked, by="x", now=NOW)["checked"]

    fresh = Checked(NOW - dt.timedelta(hours=3), 12, 40, is_stale=False, failing=[], held_back=[])
    assert said(fresh) == "The rules were last asked on 15 Jun 2025, 08:00."
    assert said(dataclasses.replace(fresh, is_stale=True)).endswith("too long ago to rely on.")
    assert "never been asked" in said(UNASKED)


def test_a_bare_record_prints_too(clinic, clinician) -> None:
    patient = factories.patient(clinic, clinician)
    page = questions.page(patient, AS_OF, nowhere)
    assert summary.pdf(page, checked=UNASKED, by="Dr Okafor", now=NOW).startswith(b"%PDF")
    assert ["Weight", "Not recorded"] in summary.data_of(page, checked=UNASKED, by="x", now=NOW)["facts"]


# ----------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "today"), (1, "yesterday"), (-1, "tomorrow"), (20, "20 days ago"), (21, "3 weeks ago"),
        (-14, "in 14 days"), (91, "13 weeks ago"), (92, "3 months ago"), (699, "23 months ago"), (730, "2 years ago"),
    ],
)  # fmt: skip
def test_distances_in_words(days: int, words: str) -> None:
    assert ago(AS_OF - dt.timedelta(days=days), AS_OF) == words


@pytest.mark.parametrize(
    ("ucum", "words"),
    [
        ("10*9/L", "×10⁹/L"), ("umol/L", "µmol/L"), ("ug/L", "µg/L"), ("U/L", "U/L"), ("{score}", ""), ("1", ""),
        ("mL/min/{1.73_m2}", "mL/min/1.73 m²"), ("[IU]/mL", "IU/mL"), (None, ""), ("mm/h", "mm/h"), ("fL", "fL"),
        ("mmol/mol", "mmol/mol"),
    ],
)  # fmt: skip
def test_units_in_words(ucum: str | None, words: str) -> None:
    assert unit_words(ucum) == words


def test_moments_are_shown_on_the_clock_of_the_centre(db: None) -> None:
    """A check of 22:30 in London is of the next day in Auckland."""
    far = factories.centre(time_zone="Pacific/Auckland")
    someone = factories.person(far)
    evening = dt.datetime(2025, 6, 15, 22, 30, tzinfo=dt.UTC)
    with time_machine.travel(evening, tick=False):
        from django.test import Client

        browser = Client()
        browser.force_login(someone)
        patient = factories.patient(far, someone)
        answer = browser.get(url(patient, "print/"))
    assert "printed 16 Jun 2025, 10:30" in answer.content.decode()
    assert answer.context["as_of"] == dt.date(2025, 6, 16)
