"""Alerts of any age: what was closed, what became of what was opened, and what was overdue on a day of the past."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Centre, Role
from alerts import outcomes
from alerts.models import ON_LISTS, Alert, AlertEvent, EventKind, Reason
from clinic.selectors.patient.words import title_of
from clinic.selectors.worklist import ANY, NOBODY, brief, lasting
from common.dates import day_bounds

CLOSED = "closed"
TOUCHED = "touched"  # acted on or overridden


@dataclass(frozen=True)
class HistoryFilters:
    """Empty means any.

    state      closed, all
    role       whose list it is or was on; "all"
    clinician  id of the user who follows the patient; "none"
    outcome    a word of alerts/outcomes.py; "touched": acted on or overridden
    opened_from, opened_to, closed_from, closed_to   days on the centre's clock, both belong to it
    overdue_on a day: its due day had passed, and it was open at the end of that day
    """

    state: str = CLOSED
    role: str = ANY
    level: str = ""
    rule: str = ""
    clinician: str = ""
    outcome: str = ""
    opened_from: dt.date | None = None
    opened_to: dt.date | None = None
    closed_from: dt.date | None = None
    closed_to: dt.date | None = None
    overdue_on: dt.date | None = None
    patients: tuple[uuid.UUID, ...] = ()


def history(centre: Centre, filters: HistoryFilters) -> Any:
    """The newest first: by the moment of closing where only closed ones are asked for, else by that of opening. Each
    with its outcome.
    """
    found: QuerySet[Alert] = Alert.objects.filter(centre=centre, level__in=ON_LISTS)
    if filters.state == CLOSED:
        found = found.filter(closed_at__isnull=False)
    if filters.role != ANY:
        found = found.filter(audience=filters.role)
    for column in ("level", "rule"):
        if getattr(filters, column):
            found = found.filter(**{column: getattr(filters, column)})
    if filters.clinician:
        chosen = None if filters.clinician == NOBODY else int(filters.clinician)
        found = found.filter(patient__clinician=chosen)
    if filters.patients:
        found = found.filter(patient__public_id__in=filters.patients)
    for column in ("opened", "closed"):
        first, last = getattr(filters, f"{column}_from"), getattr(filters, f"{column}_to")
        if first:
            found = found.filter(**{f"{column}_at__gte": day_bounds(first, centre.zone)[0]})
        if last:
            found = found.filter(**{f"{column}_at__lt": day_bounds(last, centre.zone)[1]})
    if filters.overdue_on:
        found = overdue_on(found, centre, filters.overdue_on)
    if filters.outcome:
        named = outcomes.with_outcome(found)
        of = {"stepped_at__isnull": False} if filters.outcome == TOUCHED else {"outcome": filters.outcome}
        found = named.filter(**of)
    newest = "closed_at" if filters.state == CLOSED else "opened_at"
    return found.select_related("patient").order_by(F(newest).desc(), "-pk")


def overdue_on(found: QuerySet[Alert], centre: Centre, day: dt.date) -> QuerySet[Alert]:
    """Whose due day had passed on `day`, and who were open at its end."""
    end = day_bounds(day, centre.zone)[1]
    return found.filter(Q(closed_at__isnull=True) | Q(closed_at__gte=end), due_on__lt=day, opened_at__lt=end)


@dataclass(frozen=True)
class PastAlert:
    """`became` is its outcome in words; `closed_by` is empty where the rule no longer found it."""

    alert: Alert
    title: str
    reason: str
    role: str
    became: str
    reason_given: str
    time_to_act: str
    lasted: str
    closed_by: str


def rows(page: Iterable[Alert], now: dt.datetime) -> list[PastAlert]:
    """What stands on one page. Two queries: what became of them, and who closed them."""
    shown = list(page)
    ids = [alert.pk for alert in shown]
    became = {row.pk: row for row in outcomes.with_outcome(Alert.objects.filter(pk__in=ids))}
    closings = AlertEvent.objects.filter(alert__in=ids, kind=EventKind.CLOSED, by__isnull=False)
    closed_by = {event.alert_id: str(event.by) for event in closings.select_related("by").order_by("at", "pk")}
    reasons = dict(Reason.choices)
    return [
        PastAlert(
            alert=alert,
            title=title_of(alert.rule),
            reason=brief(alert.rule, alert.evidence),
            role=str(Role(alert.audience).label),
            became=str(outcomes.LABELS[became[alert.pk].outcome]),
            reason_given=str(reasons.get(became[alert.pk].said, "")),
            time_to_act=lasting(became[alert.pk].time_to_act) if became[alert.pk].stepped_at else "",
            lasted=lasting((alert.closed_at or now) - alert.opened_at),
            closed_by=closed_by.get(alert.pk, "") if alert.closed_at else "",
        )
        for alert in shown
    ]


def definition(filters: HistoryFilters) -> str:
    """What stands on the list, as a sentence."""
    if filters.state == CLOSED:
        return _("Alerts that were closed, by a person or because the rule no longer finds them. The newest first.")
    return _("Alerts of level Task or worse, open or closed. The newest first.")
