"""Who did what, and who looked. Read from the newest backwards, without ever counting the whole."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import Centre, Membership
from alerts.models import Reason
from audit.models import Access, Entry
from common.dates import day_bounds

PER_PAGE = 50
SYSTEM = "system"


@dataclass(frozen=True)
class TrailFilters:
    """`who` is the id of a person, or "system"; `day` a day on the centre's clock."""

    looks: bool = False
    who: str = ""
    day: dt.date | None = None
    patients: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True)
class Leaf:
    """`before` names the oldest line shown, where there are older ones."""

    lines: Sequence[Any]
    before: int | None


def trail(centre: Centre, filters: TrailFilters, before: int | None = None) -> Leaf:
    """Fifty lines older than the line `before`. Two queries, each from an index."""
    model: Any = Access if filters.looks else Entry
    found = model.objects.filter(centre=centre)
    if filters.who == SYSTEM:
        found = found.filter(by__isnull=True)
    elif filters.who:
        found = found.filter(by_id=int(filters.who))
    if filters.day:
        start, end = day_bounds(filters.day, centre.zone)
        found = found.filter(at__gte=start, at__lt=end)
    if filters.patients:
        found = found.filter(patient__public_id__in=filters.patients)
    if before is not None:
        at = model.objects.filter(centre=centre, pk=before).values_list("at", flat=True).first()
        if at is not None:
            found = found.filter(Q(at__lt=at) | Q(at=at, pk__lt=before))
    lines = list(found.select_related("by", "patient").order_by("-at", "-id")[: PER_PAGE + 1])
    return Leaf(lines[:PER_PAGE], lines[PER_PAGE - 1].pk if len(lines) > PER_PAGE else None)


def people(centre: Centre) -> list[tuple[str, str]]:
    """(id, name) of everybody who works or worked here."""
    members = Membership.objects.filter(centre=centre).select_related("user").order_by("user__full_name", "user_id")
    return [(str(member.user_id), str(member.user)) for member in members]


_REASONS = dict(Reason.choices)


def why(entry: Entry) -> str:
    """The reason that was given, in words where it was chosen from a list."""
    return str(_REASONS.get(entry.reason, entry.reason))


# What the name of a page is called on a list of looks.
PAGES = {
    "clinic:worklist": "Worklist", "clinic:due": "Due soon or overdue", "clinic:unjudged": "Cannot be judged",
    "clinic:alert": "An alert", "clinic:patients": "List of patients", "clinic:patient": "Patient page",
    "clinic:results": "Results", "clinic:fact": "One entry", "clinic:trail": "Who did what",
    "clinic:patient-print": "Patient page on paper", "clinic:patient-summary": "Patient summary as PDF",
    "clinic:chart-svg": "Chart", "clinic:chart-png": "Chart",
}  # fmt: skip


def page_name(route: str) -> str:
    """ "clinic:patient-edit" is "Patient edit"."""
    if route in PAGES:
        return PAGES[route]
    text = route.rpartition(":")[2].replace("-", " ").replace(".", " ").replace("_", " ")
    return text[:1].upper() + text[1:]
