"""From a result to a decision, by the running services: web server, worker, mail server."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from accounts.models import Role
from alerts.models import Alert, State
from alerts.tasks import tick
from monitoring.models import Result
from monitoring.rules import RULES
from patients.models import Patient, Subtype
from tests import factories
from tests.browser.people import Person
from tests.factories import fact

pytestmark = pytest.mark.browser

SECONDS = 30


def rows_of(person: Person, patient: Patient) -> Locator:
    """The rows of the list in front of the person that say this patient's CK rises."""
    rows = person.page.locator(".list-row").filter(has_text=RULES["ck-rising"].title)
    return rows.filter(has_text=patient.record_number)


def comes_onto_the_worklist_within_30_seconds(person: Person, patient: Patient) -> None:
    """Reload the page as a person would who waits for something."""
    give_up_at = time.monotonic() + SECONDS
    while True:
        person.opens("/worklist/")
        if rows_of(person, patient).count() == 1:
            return
        assert time.monotonic() < give_up_at, f"not on the worklist within {SECONDS} seconds"
        time.sleep(0.5)


def a_patient_with_a_nadir_of_500(centre: Any, by: Any, today: dt.date) -> Patient:
    patient = factories.patient(
        centre, by, record_number="MX-7731-Q", given_name="Ingrid", family_name="Vestergaard",
        diagnosed_on=today - dt.timedelta(days=900), subtype=Subtype.NECROTISING,
    )  # fmt: skip
    for days, value in ((120, 800), (60, 500)):
        fact(
            Result, patient, analyte="ck", value=Decimal(value), value_received=str(value), unit_received="U/L",
            uln=Decimal(190), uln_received="190", taken_on=today - dt.timedelta(days=days),
        )  # fmt: skip
    return patient


def says_nothing_about(patient: Patient, message: Any, *values: str) -> None:
    whole = message.as_string() + "".join(part.get_content() for part in message.walk() if not part.is_multipart())
    secrets = [
        patient.given_name, patient.family_name, patient.record_number, str(patient.born_on), str(patient.public_id),
        "myositis", "necroti", "kinase", "ck-rising", *values,
    ]  # fmt: skip
    whole = whole.replace("Myositis tracker", "")  # what the product is called is no diagnosis of anybody
    for secret in secrets:
        assert secret.lower() not in whole.lower(), secret
    assert not re.search(r"\bCK\b", whole, re.IGNORECASE)  # as a word: a mail speaks of the nightly check


def test_a_rising_ck_reaches_the_clinician_and_is_dealt_with(
    clinic: Any, today: dt.date, somebody: Callable[..., Person], celery_worker_process: Any, smtp: Any
) -> None:
    nurse = somebody(Role.NURSE, full_name="Nora Quist")
    clinician = somebody(Role.CLINICIAN, full_name="Dr Amina Okafor")
    patient = a_patient_with_a_nadir_of_500(clinic, clinician.user, today)

    nurse.signs_in()
    clinician.signs_in()
    expect(rows_of(clinician, patient)).to_have_count(0)

    # A CK at twice the nadir: the clinician's worklist has it within 30 seconds, and its page says why.
    nurse.enters_ck(patient, "1000", on=today - dt.timedelta(days=1))
    comes_onto_the_worklist_within_30_seconds(clinician, patient)
    alert = Alert.objects.get(patient=patient, rule="ck-rising")
    assert (alert.level, alert.audience) == ("ACTION", Role.CLINICIAN)
    row = rows_of(clinician, patient)
    expect(row).to_contain_text("Vestergaard, Ingrid")
    row.locator(".list-why a").click()
    expect(clinician.page).to_have_url(re.compile(f"/alerts/{alert.public_id}/$"))
    clinician.sees("500", "1000", within="section:has(#evidence)")
    clinician.sees("What it did not consider", "Sources")

    # The daily e-mail goes out; it names nobody.
    tick.delay()
    smtp.wait_for(2)
    assert {tuple(to) for to in smtp.recipients} == {(nurse.user.email,), (clinician.user.email,)}
    for message in smtp.messages:
        says_nothing_about(patient, message, "1000", "500")
    smtp.clear()

    # The clinician snoozes it, with a reason.
    clinician.snoozes(alert, reason="Will monitor", remark="Repeat in a week.")
    clinician.opens("/worklist/")
    expect(rows_of(clinician, patient)).to_have_count(0)
    clinician.opens("/worklist/?state=snoozed")
    expect(rows_of(clinician, patient)).to_have_count(1)

    # A worse result wakes it. It is urgent now, and mail says so without saying about whom.
    nurse.enters_ck(patient, "2100", on=today)
    comes_onto_the_worklist_within_30_seconds(clinician, patient)
    alert.refresh_from_db()
    assert (alert.state, alert.level) == (State.OPEN, "URGENT")
    smtp.wait_for(1)
    assert "urgent" in smtp.messages[0]["Subject"]
    assert smtp.recipients == [[clinician.user.email]]
    says_nothing_about(patient, smtp.messages[0], "2100", "1000", "500")
    clinician.opens_alert(alert)
    clinician.sees("2100", within="section:has(#evidence)")
    clinician.sees("An urgent alert cannot be snoozed.")

    # The trail names both.
    clinician.opens("/trail/")
    nurses = clinician.page.get_by_role("row").filter(has_text="Nora Quist")
    assert nurses.filter(has_text="Vestergaard").count() == 2
    hers = clinician.page.get_by_role("row").filter(has_text="Dr Amina Okafor").filter(has_text="Vestergaard")
    expect(hers).to_contain_text("nooze")
    expect(hers).to_contain_text("Will monitor")
