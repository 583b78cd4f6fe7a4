"""The story of a patient with the alerts among it: what the chart draws."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from alerts.models import Alert
from clinic.selectors.patient.attention import Address
from clinic.selectors.patient.words import title_of
from clinic.templatetags.rows import address_of
from common.dates import centre_day
from common.prepared import prepared
from monitoring import selectors as monitoring
from monitoring.story import AlertMark, Story
from patients.models import Patient

ALERTS = 150


def story(
    patient: Patient, as_of: dt.date, address: Address | None = None, read: monitoring.Readings | None = None
) -> Story:
    """The chart. `address` None leaves the links out: on paper they lead nowhere. `read`: what is already read."""
    zone = patient.centre.zone
    marks = [
        AlertMark(
            day=min(day, as_of),
            level=level,
            title=title_of(rule),
            url=address_of("clinic:alert", public_id) if address else "",
            closed_on=centre_day(closed_at, zone) if closed_at else None,
        )
        for day, level, rule, public_id, closed_at in _alerts(patient)
    ]
    return monitoring.story(patient, as_of, alerts=marks, read=read)


@prepared
def _alerts(patient: Patient) -> QuerySet[Alert, tuple[Any, ...]]:
    found = Alert.objects.filter(patient=patient).order_by("-opened_at")
    return found.values_list("as_of", "level", "rule", "public_id", "closed_at")[:ALERTS]
