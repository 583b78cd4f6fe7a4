"""A clinic to judge, and what an evaluation leaves behind."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django.db import connection

from accounts.models import Centre, Role, User
from alerts.actions import judging
from alerts.models import Alert, RuleRun, Trigger
from monitoring.rules.base import Rule
from patients.models import Patient
from tests import factories
from tests.alerts import rules
from tests.factories import AS_OF, NOW

KEPT = (
    "alerts_alert", "alerts_alertevent", "alerts_alerthistory", "alerts_notevaluable", "alerts_upcoming",
    "alerts_delivery",
)  # fmt: skip


@dataclasses.dataclass
class Clinic:
    """A centre with a doctor and a nurse, and short words for judging it."""

    centre: Centre
    doctor: User
    nurse: User
    rule: Rule = dataclasses.field(default_factory=rules.make)

    def patient(self, value: int | str | None = None, on: int = 0) -> Patient:
        patient = factories.patient(self.centre, self.doctor)
        if value is not None:
            rules.ck(patient, value, on)
        return patient

    def judge(self, rule: Rule | None = None, **changes: Any) -> RuleRun:
        return judging.evaluate(
            **{
                "rule": rule or self.rule,
                "as_of": AS_OF,
                "now": NOW,
                "centre": self.centre,
                "trigger": Trigger.SWEEP,
                **changes,
            }
        )

    def alert(self, value: int = 500) -> Alert:
        """An alert of a new patient with this value."""
        patient = self.patient(value)
        self.judge(patients=[patient.pk])
        return Alert.objects.get(patient=patient)


def make_clinic() -> Clinic:
    centre = factories.centre(time_zone="Europe/Berlin")
    return Clinic(centre, factories.person(centre), factories.person(centre, Role.NURSE))


def everything_kept() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table an evaluation writes, but for the runs, with the transaction that wrote it."""
    rows = {}
    with connection.cursor() as cursor:
        for table in KEPT:
            cursor.execute(f"SELECT xmin::text, * FROM {table} ORDER BY 2, 3")
            rows[table] = cursor.fetchall()
    return rows


def later(**by: int) -> dt.datetime:
    return NOW + dt.timedelta(**by)
