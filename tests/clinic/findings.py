"""Alerts for the tests of lists and of the alert's page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import Centre, Role, User
from alerts.actions import judging
from alerts.models import Alert, AlertEvent, EventKind, NotEvaluable, State, Trigger, Upcoming
from monitoring.levels import Level
from monitoring.models import Result
from monitoring.rules import RULES
from patients.models import Patient
from tests import factories
from tests.factories import AS_OF, NOW, fact

MISSED = {
    "reasons": ["in-a-row-task"], "missed": 2, "dates": ["2025-06-08", "2025-06-01"], "attended_on": "2025-05-20",
    "parameters": {"missed_task": 2, "missed_action": 3, "attended_share": "0.70"},
}  # fmt: skip


def someone(centre: Centre, by: User, **fields: Any) -> Patient:
    return factories.patient(centre, by, **fields)


def alert(patient: Patient, level: str = Level.TASK, **fields: Any) -> Alert:
    """An alert with its first event, opened two days before NOW unless said otherwise."""
    opened_at = fields.pop("opened_at", NOW - dt.timedelta(days=2))
    made = Alert.objects.create(
        **{
            "centre": patient.centre,
            "patient": patient,
            "rule": "physio-missed",
            "rule_version": 1,
            "subject": "patient",
            "level": level,
            "audience": Role.CLINICIAN,
            "evidence": MISSED,
            "as_of": AS_OF,
            "evidence_at": opened_at,
            "opened_at": opened_at,
            "level_since": opened_at,
            **fields,
        }
    )
    AlertEvent.objects.create(alert=made, kind=EventKind.OPENED, at=opened_at, level=level, evidence=made.evidence)
    return made


def rising_ck(patient: Patient, now: int = 600) -> Alert:
    """What the rule itself says of a CK of 200 that is `now` 600 two days later."""
    for value, day in ((200, -30), (now, -2)):
        fact(
            Result, patient, analyte="ck", value=value, uln=200, value_received=str(value), unit_received="U/L",
            taken_on=AS_OF + dt.timedelta(days=day), laboratory="Central",
        )  # fmt: skip
    judging.evaluate(
        rule=RULES["ck-rising"], as_of=AS_OF, now=NOW, centre=patient.centre, patients=[patient.pk],
        trigger=Trigger.TOUCHED,
    )  # fmt: skip
    return Alert.objects.get(patient=patient, rule="ck-rising")


def coming(patient: Patient, days: int) -> Upcoming:
    return Upcoming.objects.create(
        centre=patient.centre, patient=patient, rule="taper-step-due", subject=f"plan:{patient.pk}",
        due_on=AS_OF + dt.timedelta(days=days), evidence={},
    )  # fmt: skip


def unjudged(patient: Patient) -> NotEvaluable:
    return NotEvaluable.objects.create(
        centre=patient.centre, patient=patient, rule="ild-screening-gap", subject="patient",
        missing=["the day of diagnosis"], since=NOW,
    )  # fmt: skip


def snoozed(patient: Patient, **fields: Any) -> Alert:
    return alert(patient, state=State.SNOOZED, snoozed_until=AS_OF + dt.timedelta(days=5), **fields)
