"""A clinician and a nurse take a glucocorticoid down together, and a meeting decides on the next line of treatment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.figures import figure

if TYPE_CHECKING:
    from accounts.models import Centre
    from patients.models import Patient
    from tests.browser.people import Person
    from therapy.models import TaperPlan

pytestmark = pytest.mark.browser
ONE = dt.timedelta(days=1)
D = Decimal


@pytest.fixture
def patient(clinic: Centre, today: dt.date) -> Patient:
    """On 20 mg of prednisone since six weeks; the pharmacy has tablets of 1, 5 and 20 mg."""
    from tests import factories
    from tests.factories import fact
    from therapy.models import Course, Dose, StockedTablet

    made = factories.patient(clinic, factories.person(clinic), family_name="Okonjo", given_name="Ada")
    course = fact(Course, made, drug="prednisone", route="oral")
    fact(Dose, made, course=course, starts_on=today - 42 * ONE, amount=D(20))
    for strength in (1, 5, 20):
        StockedTablet.objects.create(centre=clinic, drug="prednisone", strength_mg=strength)
    return made


@pytest.fixture
def plan(patient: Patient, today: dt.date) -> TaperPlan:
    """20 mg confirmed, 15 mg due since yesterday, 10 mg in two weeks."""
    from tests.factories import fact
    from therapy.models import TaperConfirmation, TaperPlan, TaperStep

    made = fact(TaperPlan, patient, template="t-step")
    for days, mg in ((-42, 20), (-1, 15), (13, 10)):
        step = fact(TaperStep, patient, plan=made, step_on=today + days * ONE, dose_pe_mg=D(mg))
        if mg == 20:
            fact(TaperConfirmation, patient, step=step, confirmed_on=step.step_on)
    return made


def alert_of(patient: Patient, plan: TaperPlan, today: dt.date) -> Any:
    """The alert that the step to 15 mg is due."""
    from tests.clinic.one_patient import alert
    from therapy.models import TaperStep

    step = TaperStep.objects.get(plan=plan, dose_pe_mg=15)
    evidence = {"step_id": step.pk, "plan_id": plan.pk, "reasons": []}
    return alert(
        patient, "taper-step-due", "TASK", today, audience="nurse", subject=f"plan:{plan.pk}", evidence=evidence
    )


def dose_today(patient: Patient) -> Decimal:
    from therapy.models import Dose

    return Dose.objects.current().get(patient=patient, ends_on=None).amount


def confirmed(plan: TaperPlan) -> list[int]:
    from therapy.models import TaperConfirmation

    rows = TaperConfirmation.objects.current().filter(step__plan=plan).order_by("step__step_on")
    return [int(mg) for mg in rows.values_list("step__dose_pe_mg", flat=True)]


# -------------------------------------------------------------------------------------------------------------- taper


@pytest.mark.parametrize("width", [1440, 390])
def test_a_taper_is_planned_seen_confirmed_and_held_with_the_keyboard_alone(
    width: int, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    from therapy.models import TaperHold, TaperPlan, TaperStep

    doctor = somebody(width=width)
    doctor.is_signed_in()
    doctor.opens_patient(patient, "taper/")
    doctor.tabs_to("Plan a taper")
    doctor.keys("Enter")
    doctor.sees("Taken today: 20 mg.")
    # The schedule says the rest: in steps every two weeks, from today on, from 20 mg.
    doctor.tabs_to("Fill in the steps")
    doctor.keys("Enter")
    doctor.sees("These steps as a calendar", "In all", "1 × 20 mg", "not possible with whole tablets")
    doctor.tabs_to("Save the plan")
    doctor.keys("Enter")
    doctor.sees("The tablets you have do not make these doses: 17.5 mg, nearest 17 mg or 18 mg")
    assert not TaperPlan.objects.exists()
    doctor.tabs_to_box("Save it all the same")
    doctor.keys("Space")
    doctor.tabs_to("Save the plan")
    doctor.keys("Enter")
    doctor.is_told("Taper planned. Each step waits for somebody to confirm it.")
    doctor.sees("Planned and taken", "Due")

    doctor.tabs_to("Calendar for the patient")
    doctor.keys("Enter")
    doctor.sees("Steroid calendar", f"{today:%B %Y}")
    expect(doctor.page.locator(".month-today")).to_contain_text("20")
    assert doctor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    printed = doctor.page.request.get(doctor.page.url.replace("calendar/", "calendar.pdf"))
    assert printed.ok
    assert printed.body().startswith(b"%PDF")

    doctor.opens_patient(patient, "taper/")
    doctor.tabs_to("Confirm the step")
    doctor.keys("Enter")
    doctor.is_told("Step confirmed.")
    assert confirmed(TaperPlan.objects.get()) == [20]

    doctor.tabs_to("Put on hold")
    doctor.keys("Enter")
    doctor.tabs_to_box("Reason")
    doctor.page.keyboard.type("Creatine kinase rises")
    doctor.tabs_to("Hold the taper")
    doctor.keys("Enter")
    doctor.is_told("The taper is on hold.")
    doctor.sees("Creatine kinase rises")
    assert TaperHold.objects.get().reason == "Creatine kinase rises"
    doctor.tabs_to("Release from today")
    doctor.keys("Enter")
    doctor.is_told("Released.")
    assert not TaperHold.objects.current().exists()
    figure(f"Taper planned by keyboard at {width} px: steps", TaperStep.objects.count())


@pytest.mark.parametrize("width", [1440, 390])
def test_a_nurse_confirms_a_step_on_its_alert_without_scripts(
    width: int, patient: Patient, plan: TaperPlan, today: dt.date, somebody: Callable[..., Person]
) -> None:
    alert = alert_of(patient, plan, today)
    nurse = somebody("nurse", javascript=False, width=width)
    nurse.is_signed_in()
    nurse.opens_alert(alert)
    nurse.sees("15 mg a day of prednisone-equivalent")
    nurse.does_not_see("Put on hold", "End the plan")
    nurse.presses("Confirm the step")
    nurse.is_told("Step confirmed.")
    nurse.sees("A step of the steroid taper")  # still at the alert
    assert confirmed(plan) == [20, 15]
    assert dose_today(patient) == 15
    # The next step is not due: what it is stays with those who prescribe.
    nurse.opens_patient(patient, "taper/")
    nurse.sees("The next step, to 10 mg a day, can be confirmed from")


def test_a_taper_is_held_on_its_alert_and_from_its_page_without_scripts(
    patient: Patient, plan: TaperPlan, today: dt.date, somebody: Callable[..., Person]
) -> None:
    alert = alert_of(patient, plan, today)
    doctor = somebody(javascript=False, width=390)
    doctor.is_signed_in()
    doctor.opens_alert(alert)
    doctor.unfolds("#hold")
    doctor.presses("Hold the taper")
    doctor.sees("This field is required.")  # beside the box, and the way back to the alert is kept
    doctor.types("Reason", "Infection", within="#hold")
    doctor.presses("Hold the taper")
    doctor.is_told("The taper is on hold.")
    doctor.sees("A step of the steroid taper", "Infection")
    doctor.presses("Release from today")
    doctor.is_told("Released.")
    doctor.opens_patient(patient, "taper/")
    doctor.presses("Confirm the step")
    doctor.is_told("Step confirmed.")
    assert confirmed(plan) == [20, 15]


def test_who_plans_second_is_told_and_keeps_what_was_typed(
    patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    first, second = somebody(full_name="Dr Ines Brandt"), somebody()
    for doctor in (first, second):
        doctor.is_signed_in()
        doctor.opens_patient(patient, "taper/plan/")
        doctor.types("Step 1, first day", today.isoformat())
        doctor.types("Step 1, dose", "15")
        doctor.types("Note", "After the clinic of today")
    first.presses("Save the plan")
    first.is_told("Taper planned.")
    second.presses("Save the plan")
    second.sees("A plan is running: Dr Ines Brandt planned it on")
    expect(second.page.get_by_label("Note")).to_have_value("After the clinic of today")
    expect(second.page.get_by_label("Step 1, dose")).to_have_value("15")


# ---------------------------------------------------------------------------------------------------------- escalation


@pytest.mark.parametrize(("width", "javascript"), [(1440, True), (390, True), (390, False)])
def test_a_meeting_decides_and_both_papers_are_printed(
    width: int, javascript: bool, patient: Patient, plan: TaperPlan, today: dt.date, somebody: Callable[..., Person]
) -> None:
    from therapy.models import EscalationDecision

    doctor = somebody(width=width, javascript=javascript)
    doctor.is_signed_in()
    doctor.opens_patient(patient, "escalation/")
    doctor.sees("Was the first line adequate?", "Before escalating", "For you to answer", "Options")
    if javascript:  # with the keyboard alone
        doctor.tabs_to_box("Decision")
        doctor.keys("ArrowDown", "ArrowDown")  # Choose, immunoglobulin, rituximab
        doctor.tabs_to("Record the decision")
        doctor.keys("Enter")
        doctor.sees("Say why.")
        expect(doctor.page.get_by_label("Reason")).to_be_focused()
        doctor.page.keyboard.type("No response in six months")
        doctor.tabs_to("Record the decision")
        doctor.keys("Enter")
    else:
        doctor.chooses("Decision", "Rituximab", within="form[action$='/decide/']")
        doctor.types("Reason", "No response in six months")
        doctor.presses("Record the decision")
    doctor.is_told("Decision recorded.")
    doctor.sees("Rituximab", "No response in six months", "After 3 months")
    assert doctor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    decision = EscalationDecision.objects.get()
    assert (decision.option, decision.recorded_by) == ("rituximab", doctor.user)
    for rest in ("escalation/brief.pdf", "taper/calendar.pdf"):
        printed = doctor.page.request.get(f"/patients/{patient.public_id}/{rest}")
        assert printed.ok, rest
        assert printed.body().startswith(b"%PDF")


def test_a_pair_to_avoid_is_started_for_a_reason_only(
    patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    from tests.factories import fact
    from therapy.models import Course, Dose

    course = fact(Course, patient, drug="allopurinol", route="oral")
    fact(Dose, patient, course=course, starts_on=today - 9 * ONE, amount=D(100))
    doctor = somebody(javascript=False)
    doctor.is_signed_in()
    doctor.opens_patient(patient, "treatment/start/?drug=azathioprine")
    doctor.types("Dose each time", "25")
    doctor.presses("Start Azathioprine")
    doctor.sees("Allopurinol with Azathioprine", "Say why they are given together.")
    doctor.types("Why they are given together", "A quarter of the dose, counts every week")
    doctor.presses("Start Azathioprine")
    doctor.is_told("Azathioprine started.")
    doctor.sees("Taken together, and better not", "Reason given: A quarter of the dose, counts every week")
