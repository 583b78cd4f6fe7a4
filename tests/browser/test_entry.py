"""Single comforts of typing in a real browser; the whole morning is in test_nurse_morning.py."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from monitoring.models import Result
from tests import factories
from tests.factories import fact

pytestmark = pytest.mark.browser


@pytest.fixture
def patient(browser_page: Any) -> Any:
    """Somebody's patient, and that somebody signed in."""
    centre = factories.centre()
    user = factories.person(centre)
    client = Client()
    client.force_login(user)
    browser_page.goto("/login/login/")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    browser_page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": browser_page.url}])
    browser_page.on("dialog", lambda dialog: dialog.accept())
    return factories.patient(centre, user)


def open_page(page: Any, patient: Any, rest: str) -> None:
    page.goto(f"/patients/{patient.public_id}/enter/{rest}/")
    page.wait_for_load_state("networkidle")


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.name || ''"))


def test_arrows_reach_unit_and_limits_and_the_line_speaks_at_once(browser_page: Any, patient: Any) -> None:
    day = timezone.now().date() - dt.timedelta(days=20)
    fact(
        Result, patient, analyte="ck", value=Decimal(3600), value_received="3600", unit_received="U/L",
        uln=Decimal(190), uln_received="190", laboratory="Central", taken_on=day,
    )  # fmt: skip
    open_page(browser_page, patient, "results")
    keyboard = browser_page.keyboard
    browser_page.focus("#id_ck")
    keyboard.type("60")
    keyboard.press("ArrowDown")
    assert focused(browser_page) == "aldolase"
    note = browser_page.locator("#note-ck")
    expect(note.locator(".note-look")).to_contain_text("In µkat/L it would be near it")
    keyboard.press("ArrowUp")
    keyboard.press("ArrowRight")
    assert focused(browser_page) == "ck_unit"
    browser_page.select_option("#id_ck_unit", "ukat/L")
    # The limits were those of the other unit.
    assert browser_page.input_value("#id_ck_uln") == ""
    expect(note.locator(".note-converted")).to_contain_text("= 3600 U/L")
    browser_page.select_option("#id_ck_unit", "U/L")
    assert browser_page.input_value("#id_ck_uln") == "190"


def test_a_pasted_column_fills_downwards(browser_page: Any, patient: Any) -> None:
    open_page(browser_page, patient, "results")
    browser_page.focus("#id_ck")
    browser_page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.setData("text/plain", "480\\tU/L\\r\\n\\r\\n310\\r\\n<40\\r\\n");
            document.activeElement.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    typed = {code: browser_page.input_value(f"#id_{code}") for code in ("ck", "aldolase", "ldh", "ast", "alt")}
    assert typed == {"ck": "480", "aldolase": "", "ldh": "310", "ast": "<40", "alt": ""}
