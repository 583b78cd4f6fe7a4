"""Entering results, assessments and small things: what is typed is kept, looked at twice, and written once."""

from __future__ import annotations

import datetime as dt
import html
import json
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from audit.models import Access, Entry
from clinic.selectors import facts
from monitoring.models import (
    Assessment,
    BodySize,
    Booking,
    Confounder,
    FunctionalTest,
    Imaging,
    LungFunction,
    MuscleGrade,
    PersonalBaseline,
    Result,
    Screening,
    Waiver,
)
from monitoring.scores import ibmfrs
from monitoring.scores.haq_di import ITEMS
from monitoring.scores.mmt8 import CELLS
from tests import factories
from tests.clinic.one_patient import full
from tests.factories import AS_OF, NOW, fact

D = Decimal
COUNTS = Path(__file__).parent / "query_counts.json"
PAGES = (
    "enter/results/", "enter/assessment/", "enter/strength/", "enter/lung-function/", "enter/imaging/",
    "enter/body-size/", "enter/confounder/", "enter/functional-test/", "enter/booking/", "enter/waiver/",
    "enter/baseline/", "enter/screening/", "enter/functional-test/ibmfrs/", "enter/functional-test/fi2/",
)  # fmt: skip


def url(patient: Any, rest: str) -> str:
    return f"/patients/{patient.public_id}/{rest}"


@pytest.fixture
def patient(clinic, clinician):
    return factories.patient(clinic, clinician)


@pytest.fixture
def browser(clinician, signed_in):
    return signed_in(clinician)


def earlier(patient: Any, analyte: str, value: str, **fields: Any) -> Result:
    return fact(
        Result, patient,
        **{
            "analyte": analyte, "value": D(value), "value_received": value, "unit_received": "U/L",
            "taken_on": AS_OF - dt.timedelta(days=14), **fields,
        },
    )  # fmt: skip


def box(page: str, name: str) -> str:
    """The tag of a box of a page."""
    found = re.search(rf'<(?:input|select|textarea)[^>]*name="{name}"[^>]*>', page)
    assert found, name
    return found.group(0)


# ------------------------------------------------------------------------------------------------------------ who may


@pytest.mark.parametrize("rest", PAGES)
def test_a_patient_of_another_centre_does_not_exist(rest, browser) -> None:
    elsewhere = factories.centre()
    theirs = factories.patient(elsewhere, factories.person(elsewhere))
    assert browser.get(url(theirs, rest)).status_code == 404
    assert browser.post(url(theirs, rest), {"kind": "fall", "happened_on": "2025-06-01"}).status_code == 404
    assert not Access.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize("rest", [*PAGES, "enter/results/ck/look/", "enter/assessment/preview/"])
def test_who_records_no_results_has_no_form(rest, patient, signed_in) -> None:
    booking = rest == "enter/booking/"  # a coordinator books tests
    for role in (Role.ADMINISTRATOR, Role.RESEARCHER, *(() if booking else (Role.COORDINATOR,))):
        assert signed_in(role=role).post(url(patient, rest)).status_code == 403


def test_a_nurse_sets_no_personal_baseline(patient, signed_in) -> None:
    assert signed_in(role=Role.NURSE).get(url(patient, "enter/baseline/")).status_code == 403


@pytest.mark.parametrize("rest", PAGES)
def test_looking_at_a_form_of_a_patient_is_recorded(rest, patient, browser) -> None:
    assert browser.get(url(patient, rest)).status_code == 200
    assert Access.objects.get().patient == patient


# ---------------------------------------------------------------------------------------------------------- the panel


def panel(browser, patient, **typed: str) -> Any:
    sent = {"taken_on": "2025-06-14", "laboratory": "Central", "made_for": "Central", **typed}
    return browser.post(url(patient, "enter/results/"), sent)


def test_a_panel_is_saved_with_undo(patient, browser) -> None:
    answer = panel(
        browser, patient, taken_time="08:30", ck="480", ck_unit="U/L", ck_low="30", ck_uln="190", alt="<40",
        alt_unit="U/L", crp="0", crp_unit="mg/L", hbsag="negative",
    )  # fmt: skip
    assert answer.status_code == 302
    assert answer.url == url(patient, "")
    rows = {row.analyte: row for row in Result.objects.all()}
    assert set(rows) == {"ck", "alt", "crp", "hbsag"}
    assert (rows["ck"].value, rows["ck"].uln, rows["ck"].laboratory) == (D(480), D(190), "Central")
    assert (rows["alt"].comparator, rows["alt"].value) == ("<", D(40))
    assert rows["crp"].value == 0
    assert rows["ck"].taken_at == dt.datetime(2025, 6, 14, 6, 30, tzinfo=dt.UTC)  # the clinic is in Berlin
    shown = browser.get(answer.url).content.decode()
    assert "4 results saved." in shown
    undo = re.search(r'action="(/undo/\d+/)"', shown)
    assert undo
    browser.post(undo.group(1))
    assert not Result.objects.current().exists()


def test_the_last_value_its_unit_and_the_limits_of_the_laboratory_stand_beside_the_box(patient, browser) -> None:
    earlier(
        patient, "ck", "600", value_received="10", unit_received="µkat/L", uln=D(180), uln_received="3",
        low_received="0.5", laboratory="Central",
    )  # fmt: skip
    earlier(patient, "ck", "700", laboratory="Elsewhere", uln_received="200", taken_on=AS_OF - dt.timedelta(days=50))
    page = browser.get(url(patient, "enter/results/")).content.decode()
    assert "10 µkat/L" in page
    assert '<option value="ukat/L" selected>µkat/L' in page
    assert 'value="3"' in box(page, "ck_uln")
    assert 'value="0.5"' in box(page, "ck_low")
    assert 'value="Central"' in box(page, "laboratory")
    assert '"Elsewhere": {' in page


def test_everything_typed_is_kept_when_something_is_wrong(patient, browser) -> None:
    answer = panel(
        browser, patient, taken_on="", ck="1,234", ck_unit="ukat/L", ck_uln="3.2", alt="41", alt_unit="U/L", psa="1.5",
        psa_unit="ug/L",
    )  # fmt: skip
    page = answer.content.decode()
    assert answer.status_code == 422
    assert not Result.objects.exists()
    assert 'value="1,234"' in box(page, "ck")
    assert 'aria-invalid="true"' in box(page, "ck")
    assert 'value="3.2"' in box(page, "ck_uln")
    assert 'value="41"' in box(page, "alt")
    assert '<option value="ukat/L" selected' in page
    assert "The comma could mark thousands. Write 1234, or 1.234." in page
    assert "This field is required" in page
    opened = page[: page.index('name="psa"')].rindex("<details")
    assert page[opened:].startswith('<details class="more-lines" open>')


@pytest.mark.parametrize(
    ("rest", "day"), [("results", "taken_on"), ("assessment", "assessed_on"), ("strength", "assessed_on")]
)
def test_panel_and_assessment_begin_alike_with_today_in_the_box_that_has_the_focus(rest, day, patient, browser) -> None:
    first = box(browser.get(url(patient, f"enter/{rest}/")).content.decode(), day)
    assert f'value="{AS_OF.isoformat()}"' in first
    assert "autofocus" in first
    refused = browser.post(url(patient, f"enter/{rest}/"), {day: ""}).content.decode()
    assert "autofocus" not in box(refused, day)  # what is wrong has it


def test_a_point_that_may_have_marked_thousands_is_asked_about_as_that(patient, browser) -> None:
    earlier(patient, "ck", "1300")
    page = panel(browser, patient, ck="1.240", ck_unit="U/L").content.decode()
    assert "It was read with three decimals. If thousands are meant, write 1240." in page
    assert "is the unit right?" not in page
    # Where 1240 would be as far off, nobody is led there.
    assert "thousands" not in panel(browser, patient, ck="0.240", ck_unit="U/L").content.decode()
    assert panel(browser, patient, ck="1240,5", ck_unit="U/L").status_code == 302
    assert Result.objects.get(taken_on="2025-06-14").value_received == "1240.5"


def test_what_asks_for_a_second_look_is_told_apart_from_what_is_wrong(patient, browser) -> None:
    page = panel(browser, patient, ck="60000", ck_unit="U/L", alt="x", alt_unit="U/L").content.decode()
    assert '<li class="asks"><a href="#id_ck">' in page
    assert '<li><a href="#id_alt">' in page
    rare = {"measured_on": "2025-06-15", "weight_kg": "250"}
    page = browser.post(url(patient, "enter/body-size/"), rare).content.decode()
    assert page.count('<li class="asks">') == 2  # in the summary and beside the box
    page = browser.post(url(patient, "enter/body-size/"), rare | {"weight_kg": "x"}).content.decode()
    assert 'class="asks"' not in page


def test_a_day_in_the_future_and_an_empty_panel_are_refused(patient, browser) -> None:
    ahead = panel(browser, patient, taken_on="2025-06-16", ck="1", ck_unit="U/L").content.decode()
    assert "lies in the future" in ahead
    assert "very unusual" in ahead  # everything is said at once
    assert "Enter at least one value" in panel(browser, patient).content.decode()
    assert not Result.objects.exists()


def test_a_rare_value_needs_a_tick_that_holds_for_this_value_alone(patient, browser) -> None:
    first = panel(browser, patient, ck="60000", ck_unit="U/L")
    assert first.status_code == 422
    assert "very unusual" in first.content.decode()
    tick = re.search(r'name="ck_confirmed" value="([^"]*)"', first.content.decode())
    assert tick
    other = panel(browser, patient, ck="70000", ck_unit="U/L", ck_confirmed=tick.group(1))
    assert other.status_code == 422
    assert not Result.objects.exists()
    assert panel(browser, patient, ck="60000", ck_unit="U/L", ck_confirmed=tick.group(1)).status_code == 302
    assert Result.objects.get().value == 60000


def test_microkatal_typed_as_units_is_asked_about(patient, browser) -> None:
    earlier(patient, "ck", "3600")
    answer = panel(browser, patient, ck="60", ck_unit="U/L")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "About 60 times less than the last value (3600 U/L)." in page
    assert "In µkat/L it would be near it" in page
    assert panel(browser, patient, ck="60", ck_unit="ukat/L").status_code == 302
    assert Result.objects.current().get(taken_on="2025-06-14").value == 3600


def test_the_unit_is_asked_about_at_the_first_value_too(patient, browser) -> None:
    """Nobody to compare with: a value nobody has in this unit, and a limit no laboratory prints in it, tell."""

    def said(**typed: str) -> str:
        answer = panel(browser, patient, **typed)
        assert answer.status_code == 422
        return html.unescape(answer.content.decode())

    assert (
        "2.5 U/L is very unusual. Check the number and the unit, then confirm. In kU/L or µkat/L it would not be"
        in (said(ck="2.5", ck_unit="U/L"))
    )
    assert "An upper limit of 3.2 U/L is unusual, in µkat/L it would not be" in said(
        ck="60", ck_unit="U/L", ck_uln="3.2"
    )
    assert "An upper limit of 190 µkat/L is unusual, in U/L it would not be" in (
        said(ck="480", ck_unit="ukat/L", ck_uln="190")
    )
    assert panel(browser, patient, ck="8", ck_unit="ukat/L", ck_uln="3.2").status_code == 302


def test_the_units_of_a_laboratory_are_chosen_once(clinic, clinician, patient, browser) -> None:
    assert panel(browser, patient, ck="8", ck_unit="ukat/L", alt="0.5", alt_unit="ukat/L").status_code == 302
    another = factories.patient(clinic, clinician)
    page = browser.get(url(another, "enter/results/")).content.decode()
    assert 'value="Central"' in box(page, "laboratory")
    units = re.findall(r'name="(\w+)_unit"[^>]*>(?:<option[^>]*>[^<]*</option>)*?<option value="ukat/L" selected', page)
    assert units == ["ck", "alt"]  # those typed; the others are as they were
    earlier(another, "ck", "600", laboratory="Central")
    page = browser.get(url(another, "enter/results/")).content.decode()
    assert re.search(r'name="ck_unit"[^>]*>(?:<option[^>]*>[^<]*</option>)*?<option value="U/L" selected', page)


def test_a_comma_is_read_where_the_language_writes_it(patient, browser, settings) -> None:
    earlier(
        patient,
        "alt",
        "252",
        value_received="4.200",
        unit_received="ukat/L",
        uln_received="1.250",
        laboratory="Central",
    )
    browser.cookies["language"] = "de"
    page = browser.get(url(patient, "enter/results/")).content.decode()
    assert '<html lang="de"' in page
    assert "4,200 µkat/L" in page
    assert 'value="1,250"' in box(page, "alt_uln")
    answer = panel(browser, patient, alt="4,5", alt_unit="ukat/L", alt_uln="1,250", ck="1.234", ck_unit="U/L")
    assert "1234" in answer.content.decode()  # which of the two is meant
    assert answer.status_code == 422
    sent = panel(browser, patient, alt="4,5", alt_unit="ukat/L", alt_uln="1,250", ck="1234", ck_unit="U/L")
    assert sent.status_code == 302
    saved = {row.analyte: row for row in Result.objects.filter(taken_on="2025-06-14")}
    assert (saved["alt"].value, saved["alt"].value_received, saved["alt"].uln) == (D(270), "4.5", D(75))
    assert saved["ck"].value == 1234


def test_the_limits_of_another_unit_or_laboratory_do_not_slip_in(patient, browser) -> None:
    earlier(patient, "ck", "600", uln=D(190), uln_received="190", laboratory="Central")
    typed = {"ck": "10", "ck_unit": "ukat/L", "ck_uln": "190"}
    first = panel(browser, patient, **typed)
    assert first.status_code == 422
    assert "These limits are in U/L" in first.content.decode()
    moved = {"taken_on": "2025-06-13", "ck": "650", "ck_unit": "U/L", "ck_uln": "190", "laboratory": "North"}
    second = panel(browser, patient, **moved)
    assert "These limits are those of Central" in second.content.decode()
    checked = re.search(r'name="checked" value="([^"]*)"', second.content.decode())
    assert checked
    assert panel(browser, patient, checked=checked.group(1), **moved).status_code == 302
    assert panel(browser, patient, **(typed | {"ck_uln": "3.2"})).status_code == 302


def test_what_is_there_already_is_not_entered_twice(patient, browser) -> None:
    assert panel(browser, patient, ck="480", ck_unit="U/L").status_code == 302
    again = panel(browser, patient, ck="480", ck_unit="U/L", alt="30", alt_unit="U/L")
    assert again.status_code == 422
    assert "There is a value for this moment already" in again.content.decode()
    assert Result.objects.count() == 1


def test_the_line_says_the_same_while_typing_and_writes_nothing(patient, browser) -> None:
    earlier(patient, "ck", "3600")

    def look(**typed: str) -> str:
        return str(browser.post(url(patient, "enter/results/ck/look/"), typed).content.decode())

    assert "About 60 times less" in look(ck="60", ck_unit="U/L")
    assert "= 3900 U/L" in look(ck="65", ck_unit="ukat/L")
    assert "comma" in look(ck="1,500", ck_unit="U/L")
    assert "= 3900 U/L" in look(ck="65,0", ck_unit="ukat/L")
    assert look(ck="", ck_unit="U/L").strip() == ""
    assert browser.post(url(patient, "enter/results/weight/look/")).status_code == 404
    assert Result.objects.count() == 1


# ------------------------------------------------------------------------------------------------------ the assessment


def cells(grade: int = 10) -> dict[str, str]:
    return {f"mmt8_{muscle}_{side}": str(grade) for muscle, side in CELLS}


def answers(answer: int = 0) -> dict[str, str]:
    return {f"haq_{code}": str(answer) for items in ITEMS.values() for code, _ in items}


VISIT = {"assessed_on": "2025-06-15", "physician_vas": "0", "patient_vas": "1.5", "extramuscular_vas": "2"}


def test_an_assessment_is_saved_with_its_totals(patient, browser) -> None:
    sent = VISIT | cells(9) | answers(1) | {"haq_aids": ["cane"], "mmt8_deltoid_left": "7", "note": "Tired"}
    assert browser.post(url(patient, "enter/assessment/"), sent).status_code == 302
    saved = Assessment.objects.get()
    assert (saved.mmt8_150, saved.mmt8_80, saved.physician_vas) == (133, 72, 0)
    assert saved.haq_di == D("1.125")  # a cane lifts walking from 1 to 2
    assert MuscleGrade.objects.count() == 15


def test_a_wrong_grade_keeps_every_other_box(patient, browser) -> None:
    sent = VISIT | cells(8) | answers(2) | {"mmt8_biceps_left": "11", "haq_help": ["eating"]}
    answer = browser.post(url(patient, "enter/assessment/"), sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert not Assessment.objects.exists()
    assert 'value="11"' in box(page, "mmt8_biceps_left")
    assert 'aria-invalid="true"' in box(page, "mmt8_biceps_left")
    assert 'value="8"' in box(page, "mmt8_biceps_right")
    assert 'value="1.5"' in box(page, "patient_vas")
    assert page.count('value="2" checked') + page.count("checked") >= 20
    assert re.search(r'name="haq_help" value="eating" checked', page)
    assert "Biceps brachii, left" in page


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("physician_vas", "45", "The scale goes from 0 to 10 cm. If 45 are millimetres, write 4.5."),
        ("physician_vas", "455", "The scale goes from 0 to 10 cm."),
        ("patient_vas", "-1", "The scale goes from 0 to 10 cm."),
        ("mmt8_biceps_left", "11", "The scale goes from 0 to 10."),
        ("mmt8_150", "151", "The scale goes from 0 to 150."),
        ("haq_di", "3.5", "The scale goes from 0 to 3."),
    ],
)
def test_what_lies_off_its_scale_is_told_the_scale_and_never_converted(name, typed, said, patient, browser) -> None:
    page = browser.post(url(patient, "enter/assessment/"), VISIT | {name: typed}).content.decode()
    assert f"<li><span>{said}</span></li>" in page
    assert f'value="{typed}"' in box(page, name)
    assert not Assessment.objects.exists()


def test_ten_centimetres_are_on_the_scale(patient, browser) -> None:
    sent = VISIT | {"physician_vas": "10", "patient_vas": "4,5"}
    assert browser.post(url(patient, "enter/assessment/"), sent).status_code == 302
    saved = Assessment.objects.get()
    assert (saved.physician_vas, saved.patient_vas) == (10, D("4.5"))


def test_nothing_measured_is_not_an_assessment(patient, browser) -> None:
    answer = browser.post(url(patient, "enter/assessment/"), {"assessed_on": "2025-06-15"})
    assert answer.status_code == 422
    assert "Record at least one measure" in answer.content.decode()


def test_strength_by_one_and_scales_by_another_make_one_assessment(patient, browser, signed_in) -> None:
    physio = signed_in(role=Role.PHYSIOTHERAPIST)
    assert physio.post(url(patient, "enter/strength/"), {"assessed_on": "2025-06-15"} | cells(9)).status_code == 302
    page = browser.get(url(patient, "enter/assessment/")).content.decode()
    assert "This day has an assessment" in page
    assert 'value="9"' in box(page, "mmt8_biceps_left")
    # Somebody who opened the page before that is told, and the next press adds.
    first = browser.post(url(patient, "enter/assessment/"), VISIT)
    assert first.status_code == 422
    named = re.search(r'name="adds_to" value="(\d+)"', first.content.decode())
    assert named
    assert browser.post(url(patient, "enter/assessment/"), VISIT | {"adds_to": named.group(1)}).status_code == 302
    one = Assessment.objects.current().get()
    assert (one.mmt8_150, one.patient_vas) == (135, D("1.5"))
    assert one.grades.count() == 15


def test_the_last_values_stand_in_grey(patient, browser) -> None:
    old = fact(
        Assessment, patient, assessed_on=AS_OF - dt.timedelta(days=30), physician_vas=D("4.5"), patient_vas=D(0),
        haq_di=D("1.375"),
    )  # fmt: skip
    MuscleGrade.objects.create(assessment=old, muscle="deltoid", side="right", grade=0)
    page = browser.get(url(patient, "enter/assessment/")).content.decode()
    assert "last 4.5 on 16 May 2025" in page
    assert "last 0 on 16 May 2025" in page
    assert "last 1.375 on" in page
    assert re.search(r"last time </span>0</span>", page)


def test_the_preview_says_what_the_saved_assessment_says(clinic, clinician, browser) -> None:
    someone = full(clinic, clinician, AS_OF)
    sent = VISIT | cells(10) | answers(0) | {"patient_vas": "7.0"}
    shown = browser.post(url(someone, "enter/assessment/preview/"), sent)
    page = shown.content.decode()
    assert "150<small" in page
    assert "Worse than at baseline: Patient VAS" in page
    before = shown.context["preview"]
    assert Assessment.objects.filter(assessed_on=AS_OF).count() == 0
    assert browser.post(url(someone, "enter/assessment/"), sent).status_code == 302
    from monitoring.selectors import core_sets

    saved = core_sets(someone, AS_OF)[0]
    assert saved.tis is not None
    assert before.tis is not None
    assert saved.tis == before.tis
    assert before.total == "57.5 to 65"
    assert before.category == "moderate response to major response"


def test_the_preview_counts_what_is_missing_and_guesses_nothing(clinic, clinician, browser) -> None:
    someone = full(clinic, clinician, AS_OF)
    sent = {"assessed_on": "2025-06-15", "physician_vas": "1"} | cells(10)
    del sent["mmt8_biceps_left"]
    page = browser.post(url(someone, "enter/assessment/preview/"), sent).content.decode()
    assert "Not tested: Biceps brachii, left." in page
    assert "estimated 150.0 of 150" in page
    assert "80<small" in page
    assert " to " in browser.post(url(someone, "enter/assessment/preview/"), sent).context["preview"].total
    assert "not available at follow-up" in page


def test_the_preview_bears_half_a_form(patient, browser) -> None:
    for sent in ({}, {"assessed_on": "x", "physician_vas": "abc"}, {"assessed_on": "2031-01-01"} | cells(3)):
        assert browser.post(url(patient, "enter/assessment/preview/"), sent).status_code == 200
    body = {"assessed_on": "2025-06-15", "physician_vas": "4"}
    assert "no visit to compare with" in browser.post(url(patient, "enter/assessment/preview/"), body).content.decode()


def test_inclusion_body_myositis_has_no_such_score(clinic, clinician, browser) -> None:
    someone = full(clinic, clinician, AS_OF, subtype="inclusion_body")
    page = browser.post(url(someone, "enter/assessment/preview/"), VISIT).content.decode()
    assert "not made for inclusion body myositis" in page


def test_an_assessment_is_corrected_with_a_reason(patient, browser) -> None:
    browser.post(url(patient, "enter/assessment/"), VISIT | cells(9) | answers(1))
    old = Assessment.objects.get()
    address = url(patient, f"assessments/{old.pk}/correct/")
    assert address in browser.get(url(patient, f"entries/assessment/{old.pk}/")).content.decode()
    assert 'value="9"' in box(browser.get(address).content.decode(), "mmt8_biceps_left")
    sent = VISIT | cells(9) | {"mmt8_biceps_left": "4"}
    assert "This field is required" in browser.post(address, sent).content.decode()
    assert browser.post(address, sent | {"reason": "Read from the wrong line"}).status_code == 302
    now = Assessment.objects.current().get()
    assert (now.mmt8_150, now.haq_di, now.supersedes) == (130, None, old)
    assert browser.get(address).status_code == 404


# ---------------------------------------------------------------------------------------------------------- small ones


@pytest.mark.parametrize(
    ("rest", "model", "typed", "expected"),
    [
        (
            "lung-function", LungFunction,
            {"tested_on": "2025-06-10", "fvc_l": "2.9", "fvc_percent_predicted": "81", "dlco_hb_corrected": "yes"},
            {"fvc_percent_predicted": D(81), "dlco_percent_predicted": None, "dlco_hb_corrected": "yes"},
        ),
        (
            "imaging", Imaging, {"modality": "hrct", "done_on": "2025-06-10", "ild": "absent"},
            {"modality": "hrct", "ild": "absent"},
        ),
        ("body-size", BodySize, {"measured_on": "2025-06-10", "weight_kg": "68.5"}, {"weight_kg": D("68.5")}),
        (
            "confounder", Confounder, {"kind": "fall", "happened_on": "2025-06-10", "note": "Stairs"},
            {"kind": "fall", "note": "Stairs"},
        ),
        (
            "functional-test", FunctionalTest,
            {"instrument": "walk_6min", "tested_on": "2025-06-10", "score": "412", "is_complete": "on"},
            {"score": D(412), "is_complete": True},
        ),
        (
            "screening", Screening,
            {"kind": "fracture_risk", "done_on": "2025-06-10", "outcome": "abnormal", "score": "22.5", "note": "FRAX"},
            {"kind": "fracture_risk", "outcome": "abnormal", "score": D("22.5")},
        ),
        ("booking", Booking, {"kind": "pft", "booked_for": "2025-07-01"}, {"kind": "pft"}),
        (
            "waiver", Waiver, {"test": "hrct", "why": "pregnancy", "ends_on": "2025-12-01"},
            {"reason": "pregnancy", "starts_on": AS_OF},
        ),
        (
            "baseline", PersonalBaseline,
            {"analyte": "ck", "value": "420", "set_on": "2025-06-10", "reason": "Large muscles"}, {"value": D(420)},
        ),
    ],
)  # fmt: skip
def test_a_small_form_writes_one_entry(rest, model, typed, expected, patient, browser, clinician) -> None:
    address = url(patient, f"enter/{rest}/")
    answer = browser.post(address, typed)
    assert answer.status_code == 302, answer.content.decode()
    row = model.objects.get()
    assert {name: getattr(row, name) for name in expected} == expected
    assert (row.recorded_by, row.recorded_at) == (clinician, NOW)
    assert "entries/" in browser.get(address).content.decode()
    day = next(name for name in typed if name.endswith(("_on", "_for")))
    wrong = browser.post(address, typed | {day: "2025-13-45"})
    assert wrong.status_code == 422
    assert 'value="2025-13-45"' in wrong.content.decode()
    assert model.objects.count() == 1


def test_a_functional_test_is_worked_out_from_its_items(patient, browser) -> None:
    address = url(patient, "enter/functional-test/ibmfrs/")
    items = dict.fromkeys(ibmfrs.ITEMS, "3") | {"stairs": "0", "tested_on": "2025-06-10"}
    assert "Record at least one item" in browser.post(address, {"tested_on": "2025-06-10"}).content.decode()
    assert browser.post(address, items | {"stairs": "5"}).status_code == 422
    assert browser.post(address, items).status_code == 302
    assert browser.post(address, items | {"stairs": "", "tested_on": "2025-06-11"}).status_code == 302
    whole, part = FunctionalTest.objects.order_by("tested_on")
    assert (whole.score, whole.is_complete, whole.answers["stairs"]) == (27, True, 0)
    assert (part.score, part.is_complete) == (None, False)  # no total with an item missing, and none is estimated
    page = browser.get(address).content.decode()
    assert page.count("last 3 on 11 Jun 2025") == 9
    entry = browser.get(url(patient, f"entries/functional-test/{whole.pk}/")).content.decode()
    assert "Swallowing 3" in entry
    assert "Climbing stairs 0" in entry
    assert browser.get(url(patient, "enter/functional-test/grip/")).status_code == 404


def test_a_functional_index_typed_as_a_number_is_the_same_percent(patient, browser) -> None:
    address = url(patient, "enter/functional-test/")
    page = browser.get(address).content.decode()
    assert "Functional Index 2 (mean of its tasks, percent)" in page
    assert "Repetitions of a Functional Index are entered by its tasks." in page
    assert "of 120 times" in browser.get(url(patient, "enter/functional-test/fi2/")).content.decode()
    sent = {"instrument": "fi2", "tested_on": "2025-06-15", "is_complete": "on"}
    refused = browser.post(address, sent | {"score": "101"})
    assert refused.status_code == 422
    assert "the mean of its tasks in percent: 0 to 100" in refused.content.decode()
    assert browser.post(address, sent | {"score": "100"}).status_code == 302
    assert FunctionalTest.objects.get().score == 100


def test_the_functional_index_is_the_mean_of_its_tasks(patient, browser) -> None:
    tasks = {"shoulder_flexion": "30", "neck_flexion": "60", "hip_flexion": "0", "tested_on": "2025-06-10"}
    assert browser.post(url(patient, "enter/functional-test/fi3/"), tasks).status_code == 302
    one = FunctionalTest.objects.get()
    assert (one.instrument, one.score, one.is_complete) == ("fi3", 50, True)


def test_a_rare_weight_is_confirmed_for_this_number_alone(patient, browser) -> None:
    address = url(patient, "enter/body-size/")
    typed = {"measured_on": "2025-06-10", "weight_kg": "250"}
    first = browser.post(address, typed)
    assert "very unusual" in first.content.decode()
    tick = re.search(r'name="confirmed" value="([^"]*)"', first.content.decode())
    assert tick
    assert browser.post(address, typed | {"weight_kg": "260", "confirmed": tick.group(1)}).status_code == 422
    assert browser.post(address, typed | {"confirmed": tick.group(1)}).status_code == 302
    assert BodySize.objects.get().weight_kg == 250


def test_what_an_action_refuses_stands_beside_its_box(patient, browser) -> None:
    late = browser.post(url(patient, "enter/waiver/"), {"test": "pft", "why": "pregnancy", "ends_on": "2025-12-01"})
    assert "Pregnancy is a reason against a CT" in late.content.decode()
    past = browser.post(url(patient, "enter/booking/"), {"kind": "pft", "booked_for": "2025-06-14"})
    assert "This day has passed" in past.content.decode()
    empty = browser.post(url(patient, "enter/lung-function/"), {"tested_on": "2025-06-10", "dlco_hb_corrected": "no"})
    assert "Record at least one measure" in empty.content.decode()
    assert not (Waiver.objects.exists())
    assert not (Booking.objects.exists())
    assert not (LungFunction.objects.exists())


def test_every_field_of_every_kind_of_entry_has_its_heading() -> None:
    for kind in facts.KINDS.values():
        for field in facts._fields(kind.model):
            assert facts.label_of(field), f"{kind.word}: {field.name}"


# ------------------------------------------------------------------------------------------------------- what it costs


@pytest.mark.parametrize(
    ("route", "rest"),
    [
        ("clinic:enter-panel", "enter/results/"),
        ("clinic:enter-assessment", "enter/assessment/"),
        ("clinic:enter-lung", "enter/lung-function/"),
    ],
)
def test_a_form_asks_no_more_for_a_long_history_than_for_a_short_one(route, rest, clinic, clinician, browser) -> None:
    few = full(clinic, clinician, AS_OF, many=30)
    lots = full(clinic, clinician, AS_OF, many=3000, every_days=3)
    browser.get(url(few, rest))  # what is asked once for a session
    asked = []
    for someone in (few, lots):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(url(someone, rest)).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
    known = json.loads(COUNTS.read_text())
    if os.environ.get("WRITE_QUERY_COUNTS"):
        known[route] = asked[0]
        COUNTS.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")
    assert asked[0] <= known[route], f"{route} asks {asked[0]} times"
