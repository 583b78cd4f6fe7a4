"""A clinician works through the list in a browser: looks for somebody, snoozes, acknowledges, undoes."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from alerts.models import Alert, State
from tests import factories
from tests.clinic import findings

if TYPE_CHECKING:
    from accounts.models import Centre
    from tests.browser.people import Person

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


@pytest.fixture
def four(clinic: Centre) -> list[Alert]:
    """Opened one after the other, so that they stand in this order."""
    by = factories.person(clinic)
    found = []
    for number, family in enumerate(("Moreau", "Haddad", "Morgan", "Bell")):
        opened_at = timezone.now() - dt.timedelta(hours=9 - number)
        patient = factories.patient(clinic, by, family_name=family)
        found.append(findings.alert(patient, opened_at=opened_at, as_of=opened_at.date()))
    return found


def states() -> dict[str, str]:
    return dict(Alert.objects.values_list("patient__family_name", "state"))


def in_focus(person: Person) -> str:
    row = "document.activeElement.closest('[data-row]')"
    return str(person.page.evaluate(f"{row}?.querySelector('.list-who a').textContent || ''"))


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_the_list_is_worked_through_by_keys_alone(width: int, four: list[Alert], somebody) -> None:
    someone = somebody(width=width)
    someone.is_signed_in()
    someone.opens("/worklist/")
    on_list(someone.page, 4)

    # A key that acts does nothing before a row is chosen: it chooses the first.
    someone.keys("a")
    assert in_focus(someone).startswith("Moreau")
    on_list(someone.page, 4)
    someone.keys("j")
    assert in_focus(someone).startswith("Haddad")
    someone.keys("a")
    on_list(someone.page, 3)
    someone.is_told("Acknowledged.")
    expect(someone.page.locator("tr.list-row:focus")).to_contain_text("Morgan")  # the next stands where it was

    # Snoozed in the row: the panel takes the focus, Enter in it sends.
    someone.keys("s")
    panel = someone.page.locator(".list-panel")
    expect(panel.locator("input[type=date]")).to_be_focused()
    panel.locator("select").select_option("will_monitor")
    panel.locator("input[type=date]").press("Enter")
    on_list(someone.page, 2)
    expect(someone.page.locator("tr.list-row:focus")).to_contain_text("Bell")
    someone.keys("k", "k", "o")
    expect(someone.page.get_by_role("heading", level=1)).to_contain_text("Physiotherapy is being missed")
    assert states() == {"Moreau": "open", "Haddad": "acknowledged", "Morgan": "snoozed", "Bell": "open"}


@pytest.mark.browser
@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize(("width", "above"), [(1440, 300), (390, 330)])
def test_the_first_alert_is_in_sight_and_filters_are_folded(
    width: int, above: int, javascript: bool, four: list[Alert], somebody
) -> None:
    someone = somebody(width=width, javascript=javascript)
    someone.is_signed_in()
    someone.opens("/worklist/")
    first = someone.page.locator("tr.list-row").first.bounding_box()
    assert first
    assert first["y"] < above
    # One line: search, boxes and buttons stand beside each other.
    shown = someone.page.locator(".list-search input:visible, .list-tools select:visible, .filters-more > summary")
    tops = {round((shown.nth(n).bounding_box() or {"y": 0})["y"] / 20) for n in range(shown.count())}
    assert len(tops) == 1
    expect(someone.page.get_by_label("Rule", exact=True)).to_be_hidden()
    expect(someone.page.get_by_label("Level", exact=True)).to_be_visible(visible=width == 1440)

    someone.page.locator(".filters-more > summary").click()
    someone.chooses("Due", "No due day")
    if javascript:
        expect(someone.page).to_have_url(re.compile("due=none"))
    else:
        someone.presses("Filter", within=".filters")
    on_list(someone.page, 4)
    summary = someone.page.locator(".filters-more > summary")
    expect(summary.locator(".nav-count:visible")).to_have_text("1 set")
    if width == 390 and not javascript:
        summary.click()
    someone.follows("Clear", within=".filters")
    expect(summary.locator(".nav-count")).to_have_count(0)


@pytest.mark.browser
def test_the_keys_are_listed_and_several_are_ticked_by_key(four: list[Alert], somebody) -> None:
    someone = somebody()
    someone.is_signed_in()
    someone.opens("/worklist/")
    someone.keys("?")
    dialog = someone.page.locator("dialog[open]")
    for text in (
        "Next and previous row",
        "Acknowledge the alert of the row",
        "Snooze the alert of the row",
        "Tick the row",
    ):
        expect(dialog).to_contain_text(text)
    someone.keys("Escape")
    expect(dialog).to_have_count(0)  # until it is gone, keys are its own
    someone.keys("j", "x", "j", "x")
    expect(someone.page.locator(".row-check:checked")).to_have_count(2)
    someone.page.locator("#bulk_reason").select_option("already_known")
    someone.presses("Acknowledge ticked")
    someone.is_told("2 alerts acknowledged.")
    on_list(someone.page, 2)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_without_javascript_alerts_are_acknowledged_one_by_one_and_together(
    width: int, four: list[Alert], somebody
) -> None:
    someone = somebody(javascript=False, width=width)
    someone.is_signed_in()
    someone.opens("/worklist/")
    row = someone.page.locator("tr.list-row", has_text="Bell")
    row.get_by_role("button", name=re.compile("^Acknowledge:")).click()
    someone.is_told("Acknowledged.")
    on_list(someone.page, 3)
    for name in ("Moreau", "Morgan"):
        someone.page.locator("tr.list-row", has_text=name).get_by_role("checkbox").check()
    someone.page.locator("#bulk_reason").select_option("already_known")
    someone.presses("Acknowledge ticked")
    on_list(someone.page, 1)
    someone.page.locator("tr.list-row", has_text="Haddad").get_by_role("link", name=re.compile("^Snooze:")).click()
    someone.chooses("Reason", "Will monitor", within="#snooze")
    someone.presses("Snooze", within="#snooze form")
    someone.is_told("Snoozed.")
    assert states() == {
        "Moreau": "acknowledged", "Haddad": "snoozed", "Morgan": "acknowledged", "Bell": "acknowledged",
    }  # fmt: skip

    # What became of them stands in the history once they are closed.
    someone.opens("/worklist/history/?state=all")
    on_list(someone.page, 4)
    someone.sees("Already known and dealt with.")


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
        "/rules/ck-rising/", "/overview/", "/worklist/history/", "/trail/", "/trail/?what=looks",
    ):  # fmt: skip
        browser_page.goto(path)
        found = Axe().run(browser_page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found] == [], path
