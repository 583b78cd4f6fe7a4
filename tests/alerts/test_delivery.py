"""E-mails: once, in time, and without anything about a patient. Against a real SMTP server."""

from __future__ import annotations

import datetime as dt
import re
import threading
from typing import Any

import pytest
from django.db import connection

from accounts.models import Role
from alerts import selectors
from alerts.actions import life, outbox, sweeps
from alerts.models import Alert, Delivery, DeliveryKind
from monitoring.rules import RULES
from patients.models import Patient
from tests import factories
from tests.alerts import rules
from tests.alerts.support import Clinic, later
from tests.factories import NOW

pytestmark = pytest.mark.django_db

DIGEST_TIME = dt.datetime(2025, 6, 15, 5, 0, tzinfo=dt.UTC)  # 07:00 in Berlin


def test_urgent_goes_out_at_once_and_once(clinic: Clinic, smtp: Any) -> None:
    clinic.alert(1500)
    assert outbox.send_deliveries(now=NOW) == 1
    assert outbox.send_deliveries(now=later(days=1)) == 0
    [message] = smtp.messages
    assert message["Subject"] == "1 urgent alert is waiting"
    assert smtp.recipients == [[clinic.doctor.email]]
    assert "http://localhost:8000/" in message.get_content()
    assert Delivery.objects.get().sent_at == NOW


def test_what_came_together_is_one_mail(clinic: Clinic, smtp: Any) -> None:
    for _ in range(5):
        clinic.alert(1500)
    assert outbox.send_deliveries(now=NOW) == 1
    assert smtp.messages[0]["Subject"] == "5 urgent alerts are waiting"
    assert Delivery.objects.filter(sent_at=NOW).count() == 5


def test_no_mail_says_anything_about_a_patient(clinic: Clinic, smtp: Any) -> None:
    factories.person(clinic.centre, Role.ADMINISTRATOR)
    clinic.centre.name = "Rare Muscle Clinic"
    clinic.centre.save()
    clinic.nurse.memberships.update(is_on_call=True)
    alert = clinic.alert(1234)
    clinic.alert(500)
    outbox.queue_digests(now=later(hours=8))
    life.escalate(now=later(hours=8))
    sweeps.report_stale(now=later(hours=8))
    outbox.tell_operators("failed:1", centre=clinic.centre, now=NOW)
    outbox.send_deliveries(now=later(hours=8))
    assert set(Delivery.objects.exclude(sent_at=None).values_list("kind", flat=True)) == set(DeliveryKind.values)
    patient = Patient.objects.get(pk=alert.patient_id)
    secrets = [
        *(patient.given_name, patient.family_name, patient.record_number, str(patient.public_id), "1970", "1234"),
        *(str(alert.public_id), "Rare Muscle", "myositis", "creatine", "kinase", "ck", "physio", alert.rule),
        *(word for rule in RULES.values() for word in (rule.id, rule.title)),
        *Alert.objects.values_list("rule", flat=True),
    ]
    for message in smtp.messages:
        everything = message.as_string() + message.get_content()
        for secret in secrets:
            assert not re.search(rf"\b{re.escape(secret)}\b", everything, re.IGNORECASE), (secret, everything)


def test_a_digest_goes_to_everyone_who_wants_it_once_a_day(clinic: Clinic, smtp: Any) -> None:
    coordinator = factories.person(clinic.centre, Role.COORDINATOR)
    clinic.doctor.memberships.update(wants_digest=False)
    for value in (300, 300, 500, 150):
        clinic.alert(value)
    assert outbox.queue_digests(now=DIGEST_TIME - dt.timedelta(minutes=1)) == 0
    assert outbox.queue_digests(now=DIGEST_TIME) == 1
    assert outbox.queue_digests(now=DIGEST_TIME + dt.timedelta(hours=3)) == 0
    assert outbox.send_deliveries(now=DIGEST_TIME) == 1
    assert smtp.recipients == [[clinic.nurse.email]]
    message = smtp.messages[0]
    assert message["Subject"] == "3 open on your worklist"
    text = message.get_content()
    assert re.search(r"Urgent +0\s+Action +1\s+Task +2", text)
    assert "has never finished" in text
    assert outbox.queue_digests(now=DIGEST_TIME + dt.timedelta(days=1)) == 1
    assert not Delivery.objects.filter(person=coordinator).exists()


def test_mail_that_fails_is_tried_again_later_each_time_and_says_only_what_class_of_error(
    clinic: Clinic, smtp: Any
) -> None:
    clinic.alert(1500)
    smtp.refuse_with = "451 mailbox of Family1 is away"
    assert outbox.send_deliveries(now=NOW) == 0
    row = Delivery.objects.get()
    assert (row.attempts, row.error, row.sent_at) == (1, "SMTPDataError", None)
    assert row.next_try_at == later(minutes=1)
    assert outbox.send_deliveries(now=later(seconds=59)) == 0
    assert outbox.send_deliveries(now=later(minutes=1)) == 0
    row.refresh_from_db()
    assert (row.attempts, row.next_try_at) == (2, later(minutes=3))
    assert selectors.oldest_undelivered(later(minutes=3)) == dt.timedelta(minutes=3)
    smtp.refuse_with = None
    assert outbox.send_deliveries(now=later(minutes=3)) == 1
    row.refresh_from_db()
    assert (row.attempts, row.error, row.sent_at) == (3, "", later(minutes=3))
    assert selectors.oldest_undelivered(NOW) is None


def test_a_server_that_is_away_loses_nothing(clinic: Clinic, smtp: Any, settings: Any) -> None:
    clinic.alert(1500)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    assert outbox.send_deliveries(now=NOW) == 0
    settings.EMAIL_PORT = port
    assert outbox.send_deliveries(now=later(hours=1)) == 1


def test_who_has_left_gets_nothing(clinic: Clinic, smtp: Any) -> None:
    clinic.alert(1500)
    clinic.doctor.is_active = False
    clinic.doctor.save()
    assert outbox.send_deliveries(now=NOW) == 0
    assert not smtp.messages
    assert not Delivery.objects.exists()


def test_operators_hear_it_once_whatever_the_number_of_administrators(clinic: Clinic, smtp: Any, settings: Any) -> None:
    settings.OPERATORS = ["operator@clinic.example"]
    for _ in range(2):
        factories.person(clinic.centre, Role.ADMINISTRATOR)
    outbox.tell_operators("failed:1", centre=clinic.centre, now=NOW)
    outbox.send_deliveries(now=NOW)
    assert sum("operator@clinic.example" in to for to in smtp.recipients) == 1
    assert len(smtp.recipients) == 2


def test_sent_twice_has_the_same_message_id(clinic: Clinic, smtp: Any) -> None:
    """Killed after the server took it and before the commit, it is sent again: then the mark is missing, as here."""
    clinic.alert(1500)
    outbox.send_deliveries(now=NOW)
    Delivery.objects.update(sent_at=None)
    outbox.send_deliveries(now=later(minutes=1))
    first, second = smtp.messages
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.django_db(transaction=True)
def test_four_senders_at_once_send_each_mail_once(clinic_committed: Clinic, smtp: Any) -> None:
    clinic = clinic_committed
    readers = [factories.person(clinic.centre) for _ in range(6)]
    outbox.queue_digests(now=DIGEST_TIME)
    barrier = threading.Barrier(4)

    def send() -> None:
        barrier.wait()
        try:
            outbox.send_deliveries(now=DIGEST_TIME)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(to for [to] in smtp.recipients) == sorted(
        person.email for person in [clinic.doctor, clinic.nurse, *readers]
    )


def test_counts_are_of_ones_own_worklist(clinic: Clinic) -> None:
    clinic.alert(1500)
    rule = rules.make("other", audience=Role.PHYSIOTHERAPIST)
    clinic.judge(rule)
    assert selectors.waiting_counts(clinic.centre, Role.NURSE) == {"URGENT": 1, "ACTION": 0, "TASK": 0, "total": 1}
    assert selectors.waiting_counts(clinic.centre, Role.CLINICIAN)["total"] == 0
