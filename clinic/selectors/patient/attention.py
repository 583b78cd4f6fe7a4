"""What is open about a patient, what comes up, and what could not be judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from alerts.models import Alert, NotEvaluable, State, Upcoming
from clinic.selectors.patient.words import reason_of, title_of
from common.prepared import prepared
from monitoring.levels import Level
from patients.models import Patient

Address = Callable[..., str]  # (name of a page, its arguments): its address, empty where there is no such page
ROWS = 12


@dataclass(frozen=True)
class AlertLine:
    alert: Alert
    title: str
    reason: str
    url: str
    acknowledge_url: str = ""

    @property
    def is_open(self) -> bool:
        return self.alert.state == State.OPEN


@dataclass(frozen=True)
class ComingUp:
    title: str
    reason: str
    due_on: dt.date


@dataclass(frozen=True)
class Unjudged:
    title: str
    missing: Sequence[str]


@dataclass(frozen=True)
class Attention:
    """The alerts of a patient that are not closed, and what could not be judged."""

    alerts: Sequence[AlertLine]
    unjudged: Sequence[Unjudged]

    @property
    def needs_attention(self) -> list[AlertLine]:
        return [line for line in self.alerts if line.alert.level != Level.INFO]

    @property
    def for_information(self) -> list[AlertLine]:
        return [line for line in self.alerts if line.alert.level == Level.INFO]


def attention(patient: Patient, address: Address) -> Attention:
    """Two queries."""
    return Attention(open_alerts(patient, address), unjudged(patient))


def open_alerts(patient: Patient, address: Address) -> list[AlertLine]:
    """Not closed, worst first, those for information last. One query."""
    lines = [
        AlertLine(
            alert,
            title_of(alert.rule),
            reason_of(alert.rule, alert.evidence),
            address("clinic:alert", alert.public_id),
            address("clinic:alert-acknowledge", alert.public_id),
        )
        for alert in _not_closed(patient)
    ]
    return sorted(lines, key=lambda line: (Level(line.alert.level).rank, not line.is_open, line.alert.opened_at))


def coming_up(patient: Patient) -> list[ComingUp]:
    return [ComingUp(title_of(row.rule), reason_of(row.rule, row.evidence), row.due_on) for row in _upcoming(patient)]


def unjudged(patient: Patient) -> list[Unjudged]:
    return [Unjudged(title_of(row.rule), row.missing) for row in _not_evaluable(patient)]


@prepared
def _not_closed(patient: Patient) -> QuerySet[Alert]:
    return Alert.objects.filter(patient=patient, closed_at__isnull=True)


@prepared
def _upcoming(patient: Patient) -> QuerySet[Upcoming]:
    return Upcoming.objects.filter(patient=patient).order_by("due_on", "rule", "id")[:ROWS]


@prepared
def _not_evaluable(patient: Patient) -> QuerySet[NotEvaluable]:
    return NotEvaluable.objects.filter(patient=patient).order_by("rule", "id")[:ROWS]
