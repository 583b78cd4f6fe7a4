"""A clinician's clinic: the patient in front of them, what is open, what changed between two days, and a letter home.

At a desk and on a telephone, by the keyboard alone, and with scripts switched off for what acknowledges.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from tests.browser.figures import figure

if TYPE_CHECKING:
    from accounts.models import Centre
    from alerts.models import Alert
    from patients.models import Patient
    from tests.browser.people import Person

pytestmark = pytest.mark.browser
AT_LAST = 30_000  # ms: the machine of a test may be busy


@pytest.fixture
def patient(clinic: Centre, today: dt.date) -> Patient:
    """Treated for two years, with lung disease; two alerts are open, and results of two hundred days."""
    from tests import factories
    from tests.clinic.one_patient import full

    return full(
        clinic, factories.person(clinic), today, many=1000, every_days=7, family_name="Vestergaard", given_name="Ida"
    )


def alert_of(patient: Patient, rule: str) -> Alert:
    from alerts.models import Alert

    return Alert.objects.get(patient=patient, rule=rule, closed_at=None)


def states(patient: Patient) -> dict[str, str]:
    from alerts.models import Alert

    return dict(Alert.objects.filter(patient=patient).values_list("rule", "state"))


class Chart:
    """The chart on somebody's page."""

    def __init__(self, person: Person) -> None:
        self.page = person.page
        self.canvas = person.page.locator("[data-story-canvas]")
        expect(self.canvas.locator("canvas").first).to_be_visible(timeout=AT_LAST)
        self.canvas.scroll_into_view_if_needed()

    def hovers_over_the_middle(self) -> None:
        self.canvas.hover()  # brings it into view
        box = self.canvas.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + 300
        for down in range(0, 60, 10):  # between two lanes there is nothing to say
            self.page.mouse.move(x, y + down)
            try:
                self.page.locator(".story-tip").first.wait_for(timeout=2000)
            except PlaywrightTimeout:
                continue
            break

    def zoom(self) -> tuple[float, float]:
        start, end = self.page.evaluate(
            """() => { const zoom = document.querySelector("[data-story]").storyChart.zoom;
                 return [zoom.start, zoom.end]; }"""
        )
        return start, end

    def read_out(self) -> Any:
        return self.page.locator("[data-story-readout]")


def breaches(person: Person) -> list[str]:
    found = Axe().run(person.page).response["violations"]
    return [f"{person.page.url}: {v['id']}: {node['html'][:120]}" for v in found for node in v["nodes"][:3]]


@pytest.mark.parametrize("width", [1440, 390])
def test_a_clinician_sees_one_patient(
    width: int, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    clinician = somebody(full_name="Dr Okafor", width=width)
    clinician.is_signed_in()
    clinician.opens("/worklist/")
    begun = time.monotonic()
    clinician.follows("Vestergaard, Ida")
    expect(clinician.page.locator(".patient-head h1")).to_have_text("Vestergaard, Ida", timeout=AT_LAST)
    figure(f"patient page with 1000 results, click to head, {width} px", f"{time.monotonic() - begun:.2f} s")

    # The head: what matters, at once.
    clinician.sees(
        "Dermatomyositis", "Anti-Jo-1", "ILD", "Diabetes", "12 mg a day", "0.18 mg/kg a day", within=".patient-head"
    )
    clinician.sees("68.5", "20 days ago", "Next due", "Blood count", "(overdue)", within=".stats")
    clinician.sees("Creatine kinase is rising", "Physiotherapy is being missed", within="#patient-alerts")
    wrong = breaches(clinician)

    # The chart: exact values under the pointer, zoom, multiples of the upper limit.
    chart = Chart(clinician)
    chart.hovers_over_the_middle()
    expect(clinician.page.locator(".story-tip")).to_contain_text("CK", timeout=AT_LAST)
    clinician.presses("1 year")
    assert chart.zoom()[0] > 0
    clinician.presses("× ULN")
    expect(clinician.page.get_by_role("button", name="× ULN")).to_have_attribute("aria-pressed", "true")

    # What is open is dealt with here, and the page stays.
    here = clinician.page.url
    clinician.presses("Acknowledge: Creatine kinase is rising")
    clinician.is_told("Acknowledged.")
    clinician.follows("Snooze, close or comment: Physiotherapy is being missed")
    panel = clinician.page.locator(".patient-act")
    panel.get_by_role("button", name="Snooze").click()
    expect(panel.locator("select[name=reason]").first).to_have_attribute("aria-invalid", "true", timeout=AT_LAST)
    panel.locator("select[name=reason]").first.select_option("will_monitor")
    panel.get_by_role("button", name="Snooze").click()
    clinician.is_told("Snoozed.")
    clinician.sees("Acknowledged", "Snoozed", within="#patient-alerts")
    assert clinician.page.url == here
    assert states(patient)["ck-rising"] == "acknowledged"
    assert states(patient)["physio-missed"] == "snoozed"

    # The story, below: it comes when it is wanted.
    clinician.page.locator(".page-tabs").get_by_role("link", name="Timeline").click()
    clinician.sees("Azathioprine stopped", "Taper step confirmed", "Physiotherapy is being missed: snoozed")
    expect(clinician.page.locator("#timeline")).to_be_in_viewport(timeout=AT_LAST)
    wrong += breaches(clinician)

    # Every result: two hundred days at once, as multiples, with heads that stay.
    begun = time.monotonic()
    clinician.opens_patient(patient, "results/?days=300&scale=uln")
    figure(f"grid of 200 days, {width} px", f"{time.monotonic() - begun:.2f} s")
    expect(clinician.page.locator(".results-grid thead th")).to_have_count(201)
    clinician.page.locator(".results-wrap").evaluate("wrap => wrap.scrollTo(4000, 200)")
    expect(clinician.page.get_by_role("rowheader", name=re.compile("Creatine kinase"))).to_be_in_viewport()
    wrong += breaches(clinician)
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("width", [1440, 390])
def test_two_days_and_a_letter(width: int, patient: Patient, today: dt.date, somebody: Callable[..., Person]) -> None:
    clinician = somebody(full_name="Dr Okafor", width=width)
    clinician.is_signed_in()
    clinician.opens_patient(patient, "compare/")
    clinician.sees("165 days apart", "Strength, MMT8 of 150", "+23", "none recorded", "Prednisone 12 mg a day")
    clinician.types("First day", (today - dt.timedelta(days=60)).isoformat())
    clinician.presses("Compare")
    clinician.sees("53 days apart", "+3")
    assert "a=" in clinician.page.url, "the comparison can be linked to"
    wrong = breaches(clinician)

    clinician.opens_patient(patient, "letter/")
    body = clinician.page.locator("textarea[name=body]")
    assert "Anti-Jo-1" in body.input_value()
    body.fill("Dear Dr Grey,\n\nIda is better. Please go on with methotrexate.")
    wrong += breaches(clinician)
    clinician.presses("Page to print")
    clinician.sees("Dear Dr Grey,", "Ida is better.", "Dr Okafor", within=".letter")
    clinician.does_not_see("Anti-Jo-1")
    wrong += breaches(clinician)
    clinician.page.emulate_media(media="print")
    expect(clinician.page.locator(".side")).to_be_hidden()
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("width", [1440, 390])
def test_by_the_keyboard_alone(width: int, patient: Patient, today: dt.date, somebody: Callable[..., Person]) -> None:
    """No click: acknowledge, read the chart, compare two days in it, walk through the results."""
    clinician = somebody(full_name="Dr Okafor", width=width)
    clinician.is_signed_in()
    clinician.opens_patient(patient)
    page = clinician.page
    page.evaluate("addEventListener('pointerdown', () => { document.documentElement.dataset.clicked = 'yes'; }, true)")
    chart = Chart(clinician)
    clinician.tabs_to("Acknowledge: Creatine kinase is rising")
    page.keyboard.press("Enter")
    clinician.is_told("Acknowledged.")
    clinician.tabs_to("Chart of treatment, CK, strength, scores, lung function and alerts over time")
    page.keyboard.press("ArrowLeft")
    expect(chart.read_out()).to_contain_text("CK", timeout=AT_LAST)
    page.keyboard.press("+")
    assert chart.zoom()[1] - chart.zoom()[0] == pytest.approx(50, abs=1)
    page.keyboard.press("Home")
    page.keyboard.press("c")
    expect(chart.read_out()).to_contain_text("is marked")
    page.keyboard.press("PageUp")
    assert page.evaluate("document.documentElement.dataset.clicked") is None
    page.keyboard.press("c")
    page.wait_for_url(re.compile(r"/compare/\?a="), timeout=AT_LAST)
    clinician.sees("days apart", "Creatine kinase")

    clinician.opens_patient(patient, "results/")
    first = page.locator(".results-grid td a").first
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    focused = page.locator(".results-grid a:focus")
    expect(focused).to_have_attribute("aria-label", re.compile("Alanine aminotransferase"))
    page.keyboard.press("u")
    expect(page.locator(".results-grid .unit").first).to_have_text("× ULN", timeout=AT_LAST)


@pytest.mark.parametrize("width", [1440, 390])
def test_without_scripts_alerts_are_dealt_with_all_the_same(
    width: int, patient: Patient, somebody: Callable[..., Person]
) -> None:
    clinician = somebody(full_name="Dr Okafor", javascript=False, width=width)
    clinician.is_signed_in()
    clinician.opens_patient(patient)
    here = clinician.page.url
    expect(clinician.page.locator("img.story-print")).to_have_attribute("src", re.compile("chart.svg"))
    clinician.presses("Acknowledge: Creatine kinase is rising")
    clinician.is_told("Acknowledged.")
    assert clinician.page.url == here
    clinician.follows("Snooze, close or comment: Physiotherapy is being missed")
    panel = clinician.page.locator(".patient-act")
    panel.locator("summary", has_text="Close").click()
    panel.locator("details[open] textarea[name=text]").last.fill("Her own physiotherapist")
    panel.get_by_role("button", name="Close").click()
    clinician.sees("Choose a reason.", "Her own physiotherapist", within=".patient-act")
    panel.locator("details[open] select[name=reason]").select_option("acted")
    panel.get_by_role("button", name="Close").click()
    clinician.is_told("Closed.")
    assert clinician.page.url == here
    assert states(patient)["physio-missed"] == "closed"
    clinician.follows("Results, assessments, treatment and timeline")
    clinician.sees("Her own physiotherapist", "Azathioprine stopped")
