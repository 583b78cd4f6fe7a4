"""Drugs, tapers and sessions in a browser: what the script adds, and that nothing on the pages is out of reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from accounts.models import Centre, Role
from tests import factories
from tests.browser.people import Person
from tests.clinic.one_patient import full
from therapy.models import Dose, PhysioPlan, PhysioSession, SessionOutcome

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_help_follows_the_dose_as_it_is_typed(
    clinic: Centre, today: dt.date, somebody: Callable[..., Person]
) -> None:
    doctor = somebody()
    patient = full(clinic, doctor.user, today)
    doctor.is_signed_in()
    doctor.opens_patient(patient, "treatment/start/")
    page = doctor.page
    page.select_option("#id_drug", "azathioprine")
    help_text = page.locator("#dose-help")
    expect(help_text).to_contain_text("1 to 2 mg/kg a day")
    page.fill("#id_amount", "250")
    expect(help_text).to_contain_text("Outside every usual range")
    page.fill("#id_amount", "100")
    expect(help_text).to_contain_text("1.46 mg/kg a day")
    expect(help_text).not_to_contain_text("Outside every usual range")
    page.get_by_role("button", name="Start Azathioprine").click()
    doctor.is_told("Azathioprine started.")
    assert Dose.objects.current().get(course__drug="azathioprine", ends_on=None).amount == Decimal(100)


def test_a_session_is_recorded_in_place_and_the_focus_stays_in_its_row(
    clinic: Centre, today: dt.date, somebody: Callable[..., Person]
) -> None:
    therapist = somebody(Role.PHYSIOTHERAPIST)
    patient = factories.patient(clinic, therapist.user, family_name="Abara")
    plan = factories.fact(PhysioPlan, patient, starts_on=today - dt.timedelta(days=30))
    session = factories.fact(PhysioSession, patient, plan=plan, held_on=today)
    therapist.is_signed_in()
    therapist.opens("/physiotherapy/")
    page = therapist.page
    row = page.locator(f"#session-{session.pk}")
    row.get_by_role("button", name="Attended").first.click()
    expect(row).to_contain_text("Attended")
    expect(page.locator("#day-count")).to_have_text("1 of 1 recorded")
    expect(row.locator("summary").first).to_be_focused()
    assert SessionOutcome.objects.get().word == "attended"
    therapist.is_told("Attended")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#messages")).to_contain_text("Undone")
    assert not SessionOutcome.objects.current().exists()


def test_the_pages_are_accessible(clinic: Centre, today: dt.date, somebody: Callable[..., Person]) -> None:
    doctor = somebody()
    patient = full(clinic, doctor.user, today)
    doctor.is_signed_in()
    of_patient = f"/patients/{patient.public_id}/"
    rests = ("treatment/", "treatment/start/?drug=prednisone", "taper/", "taper/plan/", "physiotherapy/")
    found = []
    for address in [*(of_patient + rest for rest in rests), "/physiotherapy/"]:
        doctor.opens(address)
        violations = Axe().run(doctor.page).response["violations"]
        found += [(address, v["id"], v["nodes"][0]["html"]) for v in violations]
    assert found == []
