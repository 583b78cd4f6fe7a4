"""What is open about a patient, what comes up, and what could not be judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alerts.models import Alert, NotEvaluable, State, Upcoming
from clinic.selectors.patient.words import reason_of, title_of
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
    found = Alert.objects.filter(patient=patient, closed_at__isnull=True)
    lines = [
        AlertLine(
            alert,
            title_of(alert.rule),
            reason_of(alert.rule, alert.evidence),
            address("clinic:alert", alert.public_id),
            address("clinic:alert-acknowledge", alert.public_id),
        )
        for alert in found
    ]
    return sorted(lines, key=lambda line: (Level(line.alert.level).rank, not line.is_open, line.alert.opened_at))


def coming_up(patient: Patient) -> list[ComingUp]:
    rows = Upcoming.objects.filter(patient=patient).order_by("due_on", "rule", "id")[:ROWS]
    return [ComingUp(title_of(row.rule), reason_of(row.rule, row.evidence), row.due_on) for row in rows]


def unjudged(patient: Patient) -> list[Unjudged]:
    rows = NotEvaluable.objects.filter(patient=patient).order_by("rule", "id")[:ROWS]
    return [Unjudged(title_of(row.rule), row.missing) for row in rows]
