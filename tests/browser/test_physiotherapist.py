"""A physiotherapist's day: a plan, a series, and what became of each session by one press."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from accounts.models import Centre
    from patients.models import Patient
    from tests.browser.people import Person
    from therapy.models import PhysioPlan

pytestmark = pytest.mark.browser
ONE = dt.timedelta(days=1)


@pytest.fixture
def patient(clinic: Centre) -> Patient:
    from tests import factories

    return factories.patient(clinic, factories.person(clinic), family_name="Vestergaard", given_name="Ida")


@pytest.fixture
def plan(patient: Patient, today: dt.date) -> PhysioPlan:
    """Twice a week since two months; sessions a week ago, yesterday, today and in three days, nothing recorded."""
    from tests.factories import fact
    from therapy.models import PhysioPlan, PhysioSession

    made = fact(PhysioPlan, patient, starts_on=today - 60 * ONE, goal="Stairs without a rail")
    for days in (-7, -1, 0, 3):
        fact(PhysioSession, patient, plan=made, held_on=today + days * ONE)
    return made


def recorded(patient: Patient) -> dict[dt.date, str]:
    from therapy.models import SessionOutcome

    rows = SessionOutcome.objects.current().filter(patient=patient)
    return dict(rows.values_list("session__held_on", "word"))


def of_day(word: str, day: dt.date, name: str = "") -> str:
    """What a button is called aloud."""
    return f"{word}: session of {day.day} {day:%b %Y}" + (f", {name}" if name else "")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_plan_is_made_booked_and_its_sessions_recorded_in_the_calendar(
    width: int, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    from therapy.models import PhysioSession

    physio = somebody("physiotherapist", width=width)
    physio.is_signed_in()
    physio.opens_patient(patient, "physiotherapy/")
    physio.sees("No physiotherapy is planned")
    physio.types("From", (today - 14 * ONE).isoformat())
    physio.types("Goal", "Stairs without a rail")
    physio.presses("Save the plan")
    physio.is_told("Plan saved. Book its sessions next.")
    physio.types("From", (today - 14 * ONE).isoformat())
    physio.types("Sessions in all", "4")
    physio.presses("Book")
    physio.is_told("Booked.")
    days = [today + n * 7 * ONE for n in (-2, -1, 0, 1)]
    assert list(PhysioSession.objects.order_by("held_on").values_list("held_on", flat=True)) == days

    physio.opens_patient(patient, f"physiotherapy/?month={days[0]:%Y-%m}")
    physio.presses(of_day("Attended", days[0]))
    physio.is_told("Attended.")
    physio.sees("1 done")
    physio.opens_patient(patient, f"physiotherapy/?month={days[1]:%Y-%m}")
    physio.presses(of_day("Did not attend", days[1]))
    physio.is_told("Did not attend.")
    physio.sees("1 not attended")
    physio.opens_patient(patient, f"physiotherapy/?month={days[2]:%Y-%m}")
    physio.presses(of_day("Clinic cancelled", days[2]))
    physio.is_told("Clinic cancelled.")
    assert recorded(patient) == {days[0]: "attended", days[1]: "did_not_attend", days[2]: "cancelled_by_clinic"}

    physio.presses("Undo", within="#messages")
    physio.is_told("Undone.")
    physio.sees(f"{days[2]:%B %Y}")
    assert days[2] not in recorded(patient)
    assert physio.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_calendar_is_a_table_of_days_for_whoever_does_not_see_it(
    patient: Patient, plan: PhysioPlan, today: dt.date, somebody: Callable[..., Person]
) -> None:
    physio = somebody("physiotherapist", width=1440)
    physio.is_signed_in()
    physio.opens_patient(patient, "physiotherapy/")
    table = physio.page.get_by_role("table", name="Sessions of")
    heads = table.get_by_role("columnheader").all_inner_texts()
    assert [head.strip() for head in heads] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    now = table.locator("[aria-current=date]")
    expect(now).to_contain_text(str(today.day))
    expect(now).to_contain_text("Attended")
    assert now.evaluate("cell => cell.cellIndex") == today.weekday()


@pytest.mark.parametrize("width", [1440, 390])
def test_todays_list_is_worked_through_with_the_keyboard_alone(
    width: int, patient: Patient, plan: PhysioPlan, today: dt.date, somebody: Callable[..., Person]
) -> None:
    physio = somebody("physiotherapist", width=width)
    physio.is_signed_in()
    physio.opens("/physiotherapy/")
    physio.sees("Today's sessions", "Vestergaard, Ida", "0 of 1 recorded", "The week ahead")
    keys = physio.page.keyboard
    physio.tabs_to(of_day("Attended", today, "Vestergaard, Ida"))
    keys.press("Enter")
    physio.is_told("Attended.")
    physio.sees("1 of 1 recorded")
    # The focus stays in the row: the next press corrects it.
    expect(physio.page.locator("summary:focus")).to_have_text("Change")
    keys.press("Enter")
    physio.tabs_to(of_day("Patient cancelled", today, "Vestergaard, Ida"), most=5)
    keys.press("Enter")
    physio.is_told("Patient cancelled.")
    assert recorded(patient) == {today: "cancelled_by_patient"}
    physio.opens("/physiotherapy/")
    physio.tabs_to(of_day("Did not attend", today - ONE, "Vestergaard, Ida"))
    keys.press("Enter")
    physio.is_told("Did not attend.")
    physio.tabs_to("Undo")
    keys.press("Enter")
    physio.is_told("Undone.")
    expect(physio.page).to_have_url(f"{physio.page.url.split('/physio')[0]}/physiotherapy/?day={today.isoformat()}")
    assert recorded(patient) == {today: "cancelled_by_patient"}


@pytest.mark.parametrize("width", [1440, 390])
def test_every_outcome_is_one_press_without_javascript(
    width: int, patient: Patient, plan: PhysioPlan, today: dt.date, somebody: Callable[..., Any]
) -> None:
    physio = somebody("physiotherapist", width=width, javascript=False)
    physio.is_signed_in()
    physio.opens("/physiotherapy/")
    physio.presses(of_day("Attended", today, "Vestergaard, Ida"))
    physio.is_told("Attended.")
    physio.presses(of_day("Patient cancelled", today - ONE, "Vestergaard, Ida"))
    physio.is_told("Patient cancelled.")
    day = today - 7 * ONE
    physio.opens_patient(patient, f"physiotherapy/?month={day:%Y-%m}")
    physio.presses(of_day("Clinic cancelled", day))
    physio.is_told("Clinic cancelled.")
    expect(physio.page.get_by_role("table", name="Sessions of")).to_be_visible()
    assert recorded(patient) == {
        today: "attended",
        today - ONE: "cancelled_by_patient",
        day: "cancelled_by_clinic",
    }
    ahead = today + 3 * ONE
    physio.opens_patient(patient, f"physiotherapy/?month={ahead:%Y-%m}")
    physio.page.get_by_label(of_day("Cancel", ahead)).click()
    physio.presses(of_day("Patient cancelled", ahead))
    physio.is_told("Patient cancelled.")
    physio.presses("Undo", within="#messages")
    physio.is_told("Undone.")
    assert ahead not in recorded(patient)
