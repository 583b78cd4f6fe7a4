"""Whoever leads the clinic: how many are in remission, on how much steroid, what is overdue, and who bears the alerts.
Every number opens the list behind it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

if TYPE_CHECKING:
    from accounts.models import Centre
    from patients.models import Patient
    from tests.browser.people import Person

pytestmark = pytest.mark.browser
ONE = dt.timedelta(days=1)
WIDTHS = pytest.mark.parametrize("width", [1440, 390])


@pytest.fixture
def people(clinic: Centre, today: dt.date) -> list[Patient]:
    """Twelve whom Dr Osei follows, looked at every quarter: the odd ones are quiet, the even ones take 20 mg."""
    from monitoring.models import Assessment
    from patients.models import Patient, Subtype
    from tests import factories
    from tests.clinic import findings
    from tests.factories import fact
    from therapy.models import Course, Dose

    osei = factories.person(clinic, full_name="Dr Osei")
    found = []
    for number in range(12):
        subtype = Subtype.NECROTISING if number < 4 else Subtype.DERMATOMYOSITIS
        patient = factories.patient(clinic, osei, family_name=f"Patient {number}", subtype=subtype)
        Patient.objects.filter(pk=patient.pk).update(clinician=osei)
        for days in range(20, 700, 90):
            cm = Decimal("0.3" if number % 2 else "4")
            fact(Assessment, patient, assessed_on=today - days * ONE, physician_vas=cm)
        if not number % 2:
            course = fact(Course, patient, drug="prednisone", route="oral")
            fact(Dose, patient, course=course, amount=Decimal(20), starts_on=today - 300 * ONE)
        opened_at = dt.datetime.combine(today - 20 * ONE, dt.time(8), dt.UTC)
        findings.alert(
            patient, "ACTION", due_on=today - (10 - number) * ONE, opened_at=opened_at, as_of=today - 20 * ONE
        )
        found.append(patient)
    return found


@pytest.fixture
def counted(people: list[Patient], clinic: Centre) -> None:
    """As the night does it."""
    from django.utils import timezone

    from clinic import actions

    actions.work_out_figures(centre=clinic, now=timezone.now())


def number_of(lead: Person, label: str) -> int:
    stat = lead.page.locator("a.stat", has=lead.page.get_by_text(label, exact=True))
    return int(stat.locator(".stat-value").inner_text())


def counts(lead: Person) -> int:
    return int(lead.page.locator(".list-definition strong").first.inner_text())


@WIDTHS
def test_the_lead_reads_the_clinic_and_opens_the_lists_by_keyboard(
    width: int, counted: None, somebody: Callable[..., Person]
) -> None:
    lead = somebody(width=width)
    lead.is_signed_in()
    lead.opens("/overview/")
    assert Axe().run(lead.page).violations_count == 0
    assert lead.page.evaluate("document.documentElement.scrollWidth") <= width

    # Half of them are in remission; the definition stands with the number.
    assert number_of(lead, "In remission") == 6
    lead.sees("50 % of those assessed", "the physician saw an activity of at most 0.5 of 10 cm")

    # Each number leads to its list, by Tab and Enter, and back.
    for label in ("In remission", "On more than 7.5 mg", "Overdue"):
        number = number_of(lead, label)
        lead.page.keyboard.press("Home")
        focus = "(label) => (document.activeElement.querySelector?.('.stat-label')?.textContent || '') === label"
        for _ in range(60):
            lead.keys("Tab")
            if lead.page.evaluate(focus, label):
                break
        lead.keys("Enter")
        expect(lead.page.locator(".list-definition")).to_be_visible()
        assert counts(lead) == number, label
        lead.page.go_back()
        expect(lead.page.get_by_role("heading", level=1)).to_have_text("Clinic overview")


@WIDTHS
def test_the_lead_reads_a_run_chart_and_its_table(width: int, counted: None, somebody: Callable[..., Person]) -> None:
    lead = somebody(width=width)
    lead.is_signed_in()
    lead.opens("/overview/")
    card = lead.page.locator("section[aria-labelledby=remission]")
    expect(card.get_by_role("img")).to_have_accessible_name(
        re.compile("In remission. The same numbers are in the table")
    )
    expect(card).to_contain_text("Median 50 %")
    expect(card).to_contain_text("Nothing in it is more than chance would bring.")

    # The table twin opens without a mouse, and each of its numbers is the list of that month.
    card.locator("summary").focus()
    lead.keys("Enter")
    row = card.locator("tbody tr").nth(2)
    expect(row).to_be_visible()
    number = row.locator("a").first.inner_text()
    assert number == "6"
    row.locator("a").first.focus()
    lead.keys("Enter")
    expect(lead.page.locator(".list-definition strong")).to_have_text(number)
    lead.sees("as the record says of", within=".list-definition")


@WIDTHS
def test_the_lead_sees_who_bears_the_alerts_and_what_became_of_them(
    width: int, counted: None, somebody: Callable[..., Person]
) -> None:
    lead = somebody(width=width)
    lead.is_signed_in()
    lead.opens("/overview/")
    row = lead.page.locator("section[aria-labelledby=burden] tbody tr", has_text="Dr Osei")
    numbers = row.locator("a").all_inner_texts()
    assert numbers == ["12", "12", "0", "0", "12"]  # patients; opened; acted on, overridden, not touched
    row.locator("a").nth(4).focus()
    lead.keys("Enter")
    expect(lead.page.get_by_role("heading", level=1)).to_have_text("Past alerts")
    assert counts(lead) == 12
    expect(lead.page.locator("tbody tr")).to_have_count(12)
    lead.sees("Not touched")
    assert Axe().run(lead.page).violations_count == 0


def test_without_javascript_the_overview_says_the_same(counted: None, somebody: Callable[..., Person]) -> None:
    lead = somebody(javascript=False)
    lead.is_signed_in()
    lead.opens("/overview/")
    assert number_of(lead, "In remission") == 6
    card = lead.page.locator("section[aria-labelledby=steroid]")
    card.locator("summary").click()
    card.locator("tbody tr").first.locator("a").first.click()
    assert counts(lead) == 6
