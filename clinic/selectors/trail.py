"""Who did what, and who looked. Read from the newest backwards, without ever counting the whole."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Centre, Membership
from alerts.models import Reason
from audit.models import Access, Entry
from common.dates import day_bounds
from patients.models import Patient

PER_PAGE = 50
SYSTEM = "system"
# The first word of an action's name.
AREAS = {
    "alerts": _("Alerts"), "monitoring": _("Results and assessments"), "therapy": _("Treatment"),
    "patients": _("Patients"), "clinic": _("Lists and letters"), "exchange": _("Uploads"),
    "research": _("Research releases"), "accounts": _("People and access"),
}  # fmt: skip


@dataclass(frozen=True)
class TrailFilters:
    """`who` is the id of a person, or "system"; `area` what it concerns, a word of `AREAS`; `day` and `until` days on
    the centre's clock, the one day where `until` is empty.
    """

    looks: bool = False
    who: str = ""
    area: str = ""
    day: dt.date | None = None
    until: dt.date | None = None
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
    if filters.area and not filters.looks:
        found = found.filter(action__startswith=f"{filters.area}.")
    if filters.day:
        found = found.filter(at__gte=day_bounds(filters.day, centre.zone)[0])
    if last := filters.until or filters.day:
        found = found.filter(at__lt=day_bounds(last, centre.zone)[1])
    if filters.patients:
        # What was done to a record that was merged into theirs was done to them.
        theirs = Q(public_id__in=filters.patients) | Q(merged_into__public_id__in=filters.patients)
        found = found.filter(patient__in=Patient.everybody.filter(theirs).values("pk"))
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


def what(entry: Entry) -> str:
    """What was done, in the reader's language: the summary is kept in English."""
    text = gettext(entry.summary) if entry.summary else entry.action
    return text[:1].upper() + text[1:]


# What the name of a page is called on a list of looks.
PAGES = {
    "clinic:worklist": _("Worklist"), "clinic:due": _("Due soon or overdue"),
    "clinic:unjudged": _("Cannot be judged"), "clinic:history": _("Past alerts"), "clinic:alert": _("An alert"),
    "clinic:patients": _("List of patients"), "clinic:patients-export": _("List of patients as a file"),
    "clinic:book-tests": _("Booking tests"), "clinic:patient": _("Patient page"), "clinic:results": _("Results"),
    "clinic:compare": _("Two dates compared"), "clinic:fact": _("One entry"), "clinic:trail": _("Who did what"),
    "clinic:patient-print": _("Patient page on paper"), "clinic:patient-summary": _("Patient summary as PDF"),
    "clinic:letter": _("Letter"), "clinic:chart-svg": _("Chart"), "clinic:chart-png": _("Chart"),
    "clinic:patient-new": _("Registering a patient"), "clinic:patient-edit": _("Patient details"),
    "clinic:patient-history": _("History of the record"), "clinic:merge": _("Merging two records"),
    "clinic:merge-choose": _("Merging two records"), "clinic:merge-confirm": _("Merging two records"),
    "clinic:cancer": _("Cancer screening"), "clinic:classification": _("Classification"),
    "clinic:enter-classification": _("Classification"), "clinic:escalation": _("Escalation brief"),
    "clinic:escalation-pdf": _("Escalation brief as PDF"), "clinic:infusions": _("Infusions"),
    "clinic:infusion-plan": _("Plan of an infusion"), "clinic:physio": _("Physiotherapy"),
    "clinic:physio-today": _("Physiotherapy today"), "clinic:responses": _("Response to treatment"),
    "clinic:rule-shadow": _("Found in the shadow"), "clinic:taper": _("Taper"), "clinic:taper-plan": _("Taper"),
    "clinic:taper-calendar": _("Taper calendar"), "clinic:taper-calendar-pdf": _("Taper calendar as PDF"),
    "clinic:treatment": _("Treatment"), "clinic:treatment-start": _("Treatment"),
    "clinic:treatment-infusion": _("Treatment"), "clinic:enter-panel": _("Entering results"),
    "clinic:assessment-correct": _("Correcting an assessment"), "exchange:held-row": _("A row held back"),
    "exchange:held-csv": _("Rows held back, as a file"),
    "exchange:preview": _("Preview"), "exchange:receipt": _("Receipt"), "exchange:quarantine": _("Quarantine"),
}  # fmt: skip


def page_name(route: str) -> str:
    """ "clinic:enter-functional" is "Enter functional" where no better name is known."""
    if route in PAGES:
        return str(PAGES[route])
    text = route.rpartition(":")[2].replace("-", " ").replace(".", " ").replace("_", " ")
    return gettext(text[:1].upper() + text[1:])
