"""A clinician works through the list in a browser: looks for somebody, snoozes, acknowledges, undoes."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from alerts.models import Alert, State
from tests import factories
from tests.clinic import findings

PASSWORD = "not a real one 9"


def sign_in(page: Page, email: str) -> None:
    page.goto("/login/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.locator("form:has(input[name=password]) button").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Worklist")


def on_list(page: Page, number: int) -> None:
    expect(page.locator(".list-definition strong")).to_have_text(str(number))


@pytest.mark.django_db(transaction=True)
def test_a_clinician_works_through_the_list(browser_page: Page) -> None:
    centre = factories.centre()
    person = factories.person(centre, full_name="Dr Okafor", password=PASSWORD)
    for number, family in enumerate(("Moreau", "Haddad", "Morgan", "Bell")):
        patient = factories.patient(centre, person, family_name=family)
        opened_at = timezone.now() - dt.timedelta(hours=9 - number)
        findings.alert(patient, opened_at=opened_at, as_of=opened_at.date())
    page = browser_page
    sign_in(page, person.email)
    on_list(page, 4)
    assert Axe().run(page).violations_count == 0

    # Found as one types; the name never stands in the address.
    page.locator("#search").press_sequentially("Mor")
    found = page.locator("#search-found a")
    expect(found).to_have_count(2)
    page.keyboard.press("Escape")
    expect(found).to_have_count(0)
    assert "mor" not in page.url.lower()

    # Snoozed in its row: a reason is asked for, beside its box, and then the row is gone.
    row = page.locator("tr.list-row", has_text="Haddad")
    row.get_by_label(re.compile("^Snooze")).click()
    panel = page.locator(".list-panel")
    panel.get_by_role("button", name="Snooze").click()
    expect(panel.locator("select")).to_have_attribute("aria-invalid", "true")
    expect(panel.locator("select")).to_be_focused()
    panel.locator("select").select_option("will_monitor")
    panel.get_by_role("button", name="Snooze").click()
    on_list(page, 3)
    expect(page.locator("#messages")).to_contain_text("Snoozed.")

    # Two at once need a reason, and stay ticked until it is given.
    page.locator("tr.list-row", has_text="Moreau").get_by_role("checkbox").check()
    page.locator("tr.list-row", has_text="Morgan").get_by_role("checkbox").check()
    page.get_by_role("button", name="Acknowledge ticked").click()
    expect(page.locator(".list-bulk-errors")).to_have_text("Choose a reason for all of them.")
    expect(page.locator(".row-check:checked")).to_have_count(2)
    page.locator("#bulk_reason").select_option("already_known")
    page.get_by_role("button", name="Acknowledge ticked").click()
    on_list(page, 1)

    # One with a click, and back again.
    page.locator("tr.list-row").get_by_role("button", name=re.compile("^Acknowledge:")).click()
    expect(page.get_by_text("Nothing waits for your role")).to_be_visible()
    page.locator("#messages").get_by_role("button", name="Undo").click()
    on_list(page, 1)
    states = Alert.objects.order_by("patient__family_name").values_list("patient__family_name", "state")
    assert dict(states) == {
        "Bell": State.OPEN, "Haddad": State.SNOOZED, "Moreau": State.ACKNOWLEDGED, "Morgan": State.ACKNOWLEDGED,
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_the_pages_hold_to_the_rules_of_accessibility(browser_page: Page) -> None:
    centre = factories.centre()
    person = factories.person(centre, password=PASSWORD)
    patient = factories.patient(centre, person)
    alert = findings.alert(patient, due_on=dt.date(2025, 1, 1))
    findings.unjudged(patient)
    sign_in(browser_page, person.email)
    for path in (
        f"/alerts/{alert.public_id}/", "/worklist/due/?when=overdue", "/worklist/unjudged/", "/patients/", "/rules/",
        "/rules/ck-rising/", "/overview/", "/trail/", "/trail/?what=looks",
    ):  # fmt: skip
        browser_page.goto(path)
        found = Axe().run(browser_page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found] == [], path
