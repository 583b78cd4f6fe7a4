"""What somebody typed is never lost: the session ends, the tab is reloaded, the server cannot be reached."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.cached_db import SessionStore
from playwright.sync_api import expect

from monitoring.models import LungFunction
from patients.models import Patient
from tests import factories
from tests.browser.people import PASSWORD, Person

pytestmark = pytest.mark.browser
SET = "GLI-2012, Tuesday's"


@pytest.fixture
def patient(clinic: Any) -> Patient:
    return factories.patient(clinic, factories.person(clinic), family_name="Abara")


def session_ends(person: Person) -> None:
    """On the server, as it does by itself; the browser does not notice."""
    for cookie in person.page.context.cookies():
        if cookie["name"] == settings.SESSION_COOKIE_NAME:
            SessionStore(cookie["value"]).delete()


def fills_the_form(person: Person, patient: Patient, today: dt.date) -> None:
    person.opens_patient(patient, "enter/lung-function/")
    person.types("Day of the test", today.isoformat())
    person.types("FVC, percent of predicted", "71")
    person.types("Reference set", SET)


def finds_the_form_filled(person: Person, today: dt.date) -> None:
    for label, value in (
        ("Day of the test", today.isoformat()),
        ("FVC, percent of predicted", "71"),
        ("Reference set", SET),
    ):
        expect(person.page.locator("main").get_by_label(label).first).to_have_value(value)


def finds_the_form_empty(person: Person) -> None:
    expect(person.page.locator("main").get_by_label("Reference set")).to_have_value("")


def has_drafts(person: Person, count: int) -> None:
    """Within a moment: they are written shortly after the last key, and cleared when the next page is there."""
    drafts = "Object.keys(sessionStorage).filter((name) => name.startsWith('draft ')).length"
    person.waits()
    for _ in range(150):
        if person.page.evaluate(drafts) == count:
            return
        person.page.wait_for_timeout(100)
    raise AssertionError(person.page.evaluate("Object.keys(sessionStorage)"))


def signs_in_again(person: Person) -> None:
    person.user.set_password(PASSWORD)
    person.user.save()
    person.page.fill("[name=login]", person.user.email)
    person.page.fill("[name=password]", PASSWORD)
    person.page.press("[name=password]", "Enter")


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no javascript"])
def test_the_session_ends_while_somebody_types(
    somebody: Callable[..., Person], patient: Patient, today: dt.date, javascript: bool
) -> None:
    nurse = somebody("nurse", javascript=javascript)
    nurse.is_signed_in()
    fills_the_form(nurse, patient, today)
    session_ends(nurse)
    nurse.presses("Save", within="main")
    nurse.sees("What you typed is kept: it comes back when you sign in.", within="body")
    signs_in_again(nurse)
    nurse.sees("This was not saved yet")
    finds_the_form_filled(nurse, today)
    assert not LungFunction.objects.exists()
    nurse.presses("Save", within="main")
    expect(nurse.page).to_have_url(re.compile(r"/patients/[^/]+/(#.*)?$"))
    assert LungFunction.objects.get().reference_set == SET


def test_the_tab_is_reloaded(somebody: Callable[..., Person], patient: Patient, today: dt.date) -> None:
    nurse = somebody("nurse")
    nurse.is_signed_in()
    fills_the_form(nurse, patient, today)
    has_drafts(nurse, 1)
    nurse.page.reload()
    nurse.sees("What you typed here at", "had not saved is back")
    finds_the_form_filled(nurse, today)
    nurse.presses("Discard it")
    nurse.does_not_see("What you typed here")
    finds_the_form_empty(nurse)
    nurse.page.reload()
    finds_the_form_empty(nurse)
    nurse.does_not_see("What you typed here")


def test_a_saved_form_leaves_no_draft_and_signing_out_none_at_all(
    somebody: Callable[..., Person], patient: Patient, today: dt.date
) -> None:
    nurse = somebody("nurse")
    nurse.is_signed_in()
    fills_the_form(nurse, patient, today)
    nurse.presses("Save", within="main")
    expect(nurse.page).to_have_url(re.compile(r"/patients/[^/]+/(#.*)?$"))
    has_drafts(nurse, 0)
    fills_the_form(nurse, patient, today)
    has_drafts(nurse, 1)
    nurse.page.locator("summary.user-button").click()
    nurse.presses("Sign out")
    expect(nurse.page).to_have_url(re.compile("/login/"))
    has_drafts(nurse, 0)


def test_the_server_cannot_be_reached(somebody: Callable[..., Person], patient: Patient, today: dt.date) -> None:
    nurse = somebody("nurse")
    nurse.is_signed_in()
    fills_the_form(nurse, patient, today)
    nurse.page.context.set_offline(True)
    nurse.presses("Save", within="main")
    nurse.sees("The server cannot be reached, so nothing was saved. What you typed is still here.")
    finds_the_form_filled(nurse, today)
    nurse.presses("Try again")
    nurse.sees("The server cannot be reached")
    nurse.page.context.set_offline(False)
    nurse.presses("Try again")
    expect(nurse.page).to_have_url(re.compile(r"/patients/[^/]+/(#.*)?$"))
    assert LungFunction.objects.count() == 1


def test_the_end_of_the_session_is_announced(somebody: Callable[..., Person], patient: Patient, today: dt.date) -> None:
    nurse = somebody("nurse")
    nurse.is_signed_in()
    nurse.page.clock.install()
    fills_the_form(nurse, patient, today)
    soon, ended = nurse.page.get_by_text("You will be signed out"), nurse.page.get_by_text("You have been signed out")
    nurse.page.clock.fast_forward("20:00")
    expect(soon).to_be_hidden()
    nurse.page.clock.fast_forward("07:00")
    expect(soon).to_be_visible()
    nurse.page.keyboard.press("Enter")  # the button has the focus
    expect(soon).to_be_hidden()
    session_ends(nurse)
    nurse.page.context.set_offline(True)
    nurse.page.clock.fast_forward("31:00")
    expect(ended).to_be_visible()
    nurse.page.keyboard.press("Escape")
    expect(ended).to_be_visible()
    nurse.page.context.set_offline(False)
    nurse.page.clock.fast_forward("00:15")
    nurse.sees("You have been signed out, because nothing happened here for a while.", within="body")
    has_drafts(nurse, 1)
    kept = nurse.page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    assert SET not in kept, "nobody else at this screen can read it"
    nurse.page.go_back()
    assert SET not in nurse.page.content()
    nurse.page.go_forward()
    signs_in_again(nurse)
    nurse.sees("had not saved is back")
    finds_the_form_filled(nurse, today)


def test_the_keys_of_a_page(somebody: Callable[..., Person], patient: Patient) -> None:
    nurse = somebody("nurse")
    nurse.is_signed_in()
    nurse.opens("/patients/")
    nurse.page.keyboard.press("?")
    nurse.sees("Keys of this page", "Worklist", "Find a patient", within="#keys")
    nurse.page.keyboard.press("Escape")
    expect(nurse.page.locator("#keys")).to_be_hidden()
    nurse.page.keyboard.press("/")
    expect(nurse.page.locator("#search")).to_be_focused()
    nurse.page.keyboard.type("g w ?")
    expect(nurse.page.locator("#search")).to_have_value("g w ?")
    nurse.page.keyboard.press("Tab")
    nurse.page.locator("main h1").click()
    nurse.keys("g", "w")
    expect(nurse.page).to_have_url(re.compile("/worklist/"))
    nurse.keys("?")
    nurse.page.get_by_label("Single keys do something").uncheck()
    nurse.keys("Escape")
    expect(nurse.page.locator("#keys")).to_be_hidden()
    nurse.keys("g", "p", "?")
    nurse.sees("Keys of this page", within="#keys")
    expect(nurse.page).to_have_url(re.compile("/worklist/"))
