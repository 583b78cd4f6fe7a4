"""The tasks, run by a real worker from a real queue. Its clock is today's, so nothing here depends on the day."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from alerts import tasks
from alerts.models import Alert, Delivery, DeliveryKind, Sweep
from monitoring.rules import RULES
from patients.models import Touched
from tests.alerts.support import Clinic
from tests.factories import AS_OF, fact
from therapy.models import PhysioPlan, PhysioSession, SessionOutcome

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def eventually(holds: Callable[[], object], seconds: float = 60) -> None:
    give_up_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.1)


def three_sessions_missed(clinic: Clinic) -> None:
    """However long ago: a running plan of which the latest three sessions were missed."""
    patient = clinic.patient()
    plan = fact(PhysioPlan, patient, starts_on=AS_OF)
    for n in range(3):
        session = fact(PhysioSession, patient, plan=plan, held_on=AS_OF + dt.timedelta(days=7 * n))
        fact(SessionOutcome, patient, session=session, word="did_not_attend")


def test_a_worker_judges_sweeps_and_sends(clinic_committed: Clinic, celery_worker_process: Any, smtp: Any) -> None:
    clinic = clinic_committed
    # Whatever the hour is now, it has passed these.
    clinic.centre.sweep_at = clinic.centre.digest_at = dt.time(0, 0)
    clinic.centre.save()
    three_sessions_missed(clinic)

    tasks.judge_touched.delay()
    eventually(lambda: Alert.objects.filter(rule="physio-missed", level="ACTION").exists(), seconds=30)
    eventually(lambda: not Touched.objects.exists())

    tasks.tick.delay()
    eventually(lambda: Sweep.objects.filter(centre=clinic.centre, finished_at__isnull=False).exists())
    sweep = Sweep.objects.earliest("pk")
    assert set(sweep.runs.values_list("rule", flat=True)) == set(RULES)
    assert Alert.objects.filter(rule="physio-missed").count() == 1

    smtp.wait_for(2)  # the digests of the doctor and of the nurse
    eventually(lambda: Delivery.objects.filter(kind=DeliveryKind.DIGEST, sent_at__isnull=False).count() >= 2)
    assert {to for [to] in smtp.recipients} == {clinic.doctor.email, clinic.nurse.email}


def test_a_tick_with_nothing_to_do_does_nothing(clinic_committed: Clinic, smtp: Any) -> None:
    clinic = clinic_committed
    Touched.objects.all().delete()
    local = timezone.now().astimezone(clinic.centre.zone)
    if local.time() > dt.time(23, 50):
        pytest.skip("the centre's hour cannot be put later today")
    clinic.centre.sweep_at = clinic.centre.digest_at = dt.time(23, 59)
    clinic.centre.save()
    tasks.tick()
    assert not Sweep.objects.exists()
    assert not Delivery.objects.exists()
