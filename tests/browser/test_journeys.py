"""What people of a clinic do in a day, each from the page they would begin at."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import expect

from accounts.models import Role
from alerts.models import Alert, State
from exchange.models import HeldRow, ImportBatch
from monitoring.models import Assessment, BodySize, Result
from patients.models import Patient
from tests import factories
from tests.browser.people import Person
from tests.clinic.one_patient import alert as alert_of
from tests.exchange.files import csv_bytes
from tests.factories import fact
from therapy.models import (
    Course,
    Dose,
    PhysioPlan,
    PhysioSession,
    SessionOutcome,
    TaperConfirmation,
    TaperPlan,
    TaperStep,
)

pytestmark = pytest.mark.browser

D = Decimal
Somebody = Callable[..., Person]


@pytest.fixture
def clinician(somebody: Somebody) -> Person:
    person = somebody(Role.CLINICIAN, full_name="Dr Amina Okafor")
    person.is_signed_in()
    return person


def code_of_the_app(secret: str) -> str:
    """What an authenticator app shows now. A person who sees that it is about to change waits for the next."""
    while time.time() % 30 > 20:
        time.sleep(0.5)
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def test_setting_up_a_second_factor_and_signing_in_with_it(somebody: Somebody) -> None:
    person = somebody(Role.NURSE)
    page = person.page
    person.signs_in()
    person.opens("/accounts/profile/")
    person.opens("/login/2fa/totp/activate/")
    if "reauthenticate" in page.url:
        page.fill("[name=password]", "correct horse battery staple")
        page.locator("main button").first.click()
    secret = page.locator("#authenticator_secret").input_value()
    page.fill("[name=code]", code_of_the_app(secret))
    page.locator("form:has([name=code]) button").first.click()
    expect(page).to_have_url(re.compile("/login/2fa/(recovery-codes/)?$"))
    page.context.clear_cookies()

    page.goto("/")
    page.fill("[name=login]", person.user.email)
    page.fill("[name=password]", "correct horse battery staple")
    person.presses("Sign in")
    expect(page).to_have_url(re.compile("/2fa/authenticate/"))
    page.goto("/worklist/")
    expect(page, "the password alone opens nothing").to_have_url(re.compile("/login/"))


def test_a_patient_who_may_be_registered_already(clinic: Any, clinician: Person) -> None:
    factories.patient(
        clinic, clinician.user, family_name="Moreau", given_name="Élise", born_on=dt.date(1968, 3, 9),
        record_number="A-100",
    )  # fmt: skip
    clinician.opens("/patients/")
    clinician.follows("Register")
    for label, text in (
        ("Record number", "A-200"), ("Family name", "Moreau"), ("Given name", "Élise"), ("Date of birth", "1968-03-09"),
    ):  # fmt: skip
        clinician.types(label, text)
    clinician.chooses("Subtype", "Dermatomyositis")
    clinician.presses("Register", within="main")
    clinician.sees("Is it this person?", "A-100")
    assert Patient.objects.count() == 1
    clinician.types("Why this is somebody else", "A cousin of the same name")
    clinician.presses("Register", within="main")
    clinician.is_told("Registered.")
    assert Patient.objects.get(record_number="A-200").subtype == "dermatomyositis"


def test_a_core_set_shows_the_improvement_before_it_is_saved(clinic: Any, clinician: Person, today: dt.date) -> None:
    patient = factories.patient(clinic, clinician.user, diagnosed_on=today - dt.timedelta(days=200))
    start = today - dt.timedelta(days=180)
    course = fact(Course, patient, drug="prednisone", route="oral")
    fact(Dose, patient, course=course, starts_on=start, amount=D(40))
    fact(
        Assessment, patient, assessed_on=start, physician_vas=D(6), patient_vas=D(6), extramuscular_vas=D(3),
        haq_di=D("1.5"), mmt8_150=100,
    )  # fmt: skip
    for day, value in ((start, 2000), (today, 400)):
        fact(
            Result, patient, analyte="ck", value=D(value), uln=D(190), value_received=str(value), unit_received="U/L",
            taken_on=day,
        )  # fmt: skip
    clinician.opens_patient(patient, "enter/assessment/")
    side = clinician.page.locator("#preview")
    expect(side).to_contain_text("Improvement (TIS)")
    for name, value in (("physician_vas", "2"), ("patient_vas", "2.5"), ("extramuscular_vas", "1")):
        clinician.page.fill(f"[name={name}]", value)
    for summary in ("Only a total is known", "Only the index is known"):
        clinician.page.get_by_text(summary).click()
    clinician.page.fill("[name=mmt8_150]", "140")
    clinician.page.fill("[name=haq_di]", "0.5")
    total = side.locator(".score-total .stat-value")
    expect(total).to_have_text(re.compile(r"^[\d.]+$"))  # an interval while a measure is missing
    said = total.inner_text()
    assert float(said) > 40
    clinician.presses("Save the assessment")
    clinician.is_told("Assessment saved.")
    clinician.sees(said)
    assert Assessment.objects.get(assessed_on=today).mmt8_150 == 140


def test_confirming_a_step_of_a_taper_and_its_dose(clinic: Any, clinician: Person, today: dt.date) -> None:
    patient = factories.patient(clinic, clinician.user)
    course = fact(Course, patient, drug="prednisone", route="oral")
    fact(Dose, patient, course=course, starts_on=today - dt.timedelta(days=40), amount=D(20))
    plan = fact(TaperPlan, patient)
    first = fact(TaperStep, patient, plan=plan, step_on=today - dt.timedelta(days=40), dose_pe_mg=D(20))
    fact(TaperConfirmation, patient, step=first, confirmed_on=first.step_on)
    step = fact(TaperStep, patient, plan=plan, step_on=today, dose_pe_mg=D(15))
    clinician.opens_patient(patient, "taper/")
    clinician.sees("15 mg a day")
    clinician.page.get_by_label("Change the dose of").select_option(index=1)
    clinician.presses("Confirm the step", within="main")
    expect(clinician.page.locator("#messages .notice-success")).to_be_visible()
    assert TaperConfirmation.objects.current().get(step=step).confirmed_on == today
    assert Dose.objects.current().get(course=course, ends_on__isnull=True).amount == 15


def test_a_physiotherapist_logs_todays_session(clinic: Any, somebody: Somebody, today: dt.date) -> None:
    person = somebody(Role.PHYSIOTHERAPIST, full_name="Paul Nowak")
    person.is_signed_in()
    patient = factories.patient(clinic, person.user, family_name="Haddad", given_name="Rania")
    plan = fact(PhysioPlan, patient, starts_on=today - dt.timedelta(days=30), sessions_per_week=2)
    session = fact(PhysioSession, patient, plan=plan, held_on=today)
    person.opens("/physiotherapy/")
    line = person.page.locator(f"#session-{session.pk}")
    expect(line).to_contain_text("Haddad, Rania")
    line.get_by_role("button", name=re.compile("^Attended: ")).click()
    expect(person.page.locator("#messages")).to_contain_text("Undo")
    expect(line).to_contain_text("Attended")
    outcome = SessionOutcome.objects.current().get(session=session)
    assert (outcome.word, outcome.recorded_by) == ("attended", person.user)


def test_methotrexate_more_often_than_weekly_is_refused(clinic: Any, clinician: Person, today: dt.date) -> None:
    patient = factories.patient(clinic, clinician.user)
    fact(BodySize, patient, measured_on=today - dt.timedelta(days=5), weight_kg=D(70))
    clinician.opens_patient(patient, "treatment/")
    clinician.follows("Start a drug")
    expect(clinician.page).to_have_url(re.compile("/treatment/start/"))
    clinician.waits()  # the form brings the boxes of a drug by its script
    clinician.page.get_by_label("Drug", exact=True).select_option("methotrexate")
    clinician.page.wait_for_selector("[name=amount]")
    periods = clinician.page.locator("[name=every_days] option").evaluate_all("all => all.map(o => o.value)")
    assert "1" not in periods, "a day is not even offered"
    clinician.page.fill("[name=amount]", "15")
    clinician.page.fill("[name=times]", "7")
    clinician.presses("Start Methotrexate")
    expect(clinician.page.locator("[data-error-summary]")).to_be_visible()
    clinician.sees("once")
    assert not Course.objects.exists()
    assert clinician.page.input_value("[name=amount]") == "15", "what was typed is kept"
    clinician.page.fill("[name=times]", "1")
    clinician.presses("Start Methotrexate")
    clinician.is_told("Methotrexate started.")
    dose = Dose.objects.get()
    assert (dose.amount, dose.times, dose.every_days) == (15, 1, 7)


def test_a_file_is_previewed_committed_and_its_unknown_patient_placed(clinic: Any, clinician: Person) -> None:
    factories.patient(clinic, clinician.user, record_number="P1")
    page = clinician.page
    clinician.opens("/exchange/")
    clinician.follows("Upload a file")
    clinician.types("Source", "Central laboratory")
    content = csv_bytes(
        {"result_id": "a1", "patient_number": "P1", "value": "200"},
        {"result_id": "a2", "patient_number": "P-unknown", "value": "210"},
        {"result_id": "a3", "patient_number": "P1", "value": "220", "taken": "someday"},
    )
    page.set_input_files("[name=file]", {"name": "labs.csv", "mimeType": "text/csv", "buffer": content})
    clinician.presses("Preview")
    clinician.sees("Nothing has been written", "Quarantined", "Rejected")
    assert not Result.objects.exists()
    clinician.presses("Commit all 3 rows")
    clinician.sees("Receipt")
    batch = ImportBatch.objects.get()
    assert (batch.rows, batch.imported, batch.quarantined, batch.rejected) == (3, 1, 1, 1)

    clinician.opens("/exchange/quarantine/")
    clinician.follows("Line 3")
    clinician.types("Patient", "P1")
    clinician.presses("Place the row")
    clinician.is_told("The row was placed.")
    assert sorted(Result.objects.values_list("value_received", flat=True)) == ["200", "210"]
    assert list(HeldRow.objects.filter(resolution="").values_list("kind", flat=True)) == ["rejected"]


def test_results_are_entered_and_an_alert_acknowledged_without_javascript(
    clinic: Any, somebody: Somebody, today: dt.date
) -> None:
    person = somebody(Role.CLINICIAN, javascript=False)
    patient = factories.patient(clinic, person.user, family_name="Adeyemi")
    person.signs_in()
    person.enters_ck(patient, "812", on=today)
    assert Result.objects.get().value == 812

    found = alert_of(patient, "ck-rising", "ACTION", today)
    person.opens("/worklist/")
    row = person.page.locator(f"#alert-{found.public_id}")
    row.get_by_role("button", name=re.compile("^Acknowledge")).click()
    person.is_told("Acknowledged.")
    expect(person.page).to_have_url(re.compile("/worklist/"))
    found.refresh_from_db()
    assert found.state == State.ACKNOWLEDGED
    person.presses("Undo")
    person.is_told("Undone")
    assert Alert.objects.get().state == State.OPEN
    person.opens_alert(found)
    person.unfolds("#snooze")
    person.presses("Snooze", within="#snooze form")
    person.sees("Choose a reason.")
    person.chooses("Reason", "Will monitor", within="#snooze")
    person.presses("Snooze", within="#snooze form")
    person.is_told("Snoozed.")
