"""What the views of one patient have in common."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext
from django_htmx.middleware import HtmxDetails

from accounts.models import Centre, Membership, User
from accounts.permissions import Permission, may
from audit.models import Entry
from common.prepared import prepared
from patients.models import Patient


class ClinicRequest(HttpRequest):
    """A request that `needs` has let through: signed in, at a centre."""

    user: User
    centre: Centre
    membership: Membership
    htmx: HtmxDetails


# The words by which templates ask what the reader may do. Hiding a button is courtesy: the views decide.
ABILITIES = {
    "edit": Permission.EDIT_PATIENTS,
    "record": Permission.RECORD_RESULTS,
    "book": Permission.BOOK_TESTS,
    "merge": Permission.MERGE_PATIENTS,
    "export": Permission.EXPORT_LISTS,
    "prescribe": Permission.PRESCRIBE,
    "carry_out": Permission.CARRY_OUT,
    "physio": Permission.RECORD_PHYSIO,
    "act": Permission.ACT_ON_ALERTS,
    "exceptions": Permission.MAKE_EXCEPTIONS,
    "trail": Permission.SEE_TRAIL,
}


class MergedInto(Exception):
    """The record asked for was merged into `kept`. clinic.middleware leads there."""

    def __init__(self, kept: Patient) -> None:
        super().__init__()
        self.kept = kept


def patient_or_404(request: ClinicRequest, public_id: uuid.UUID) -> Patient:
    """A patient of the reader's centre; anybody else's does not exist. A merged record leads to the one that took it
    in (MergedInto).
    """
    found = _of_centre(request.centre, public_id)
    if not found:
        raise Http404
    patient = found[0]
    if patient.merged_into is not None:
        raise MergedInto(patient.merged_into)
    patient.centre = request.centre  # the same row, already read
    return patient


@prepared
def _of_centre(centre: Centre, public_id: uuid.UUID) -> QuerySet[Patient]:
    found: QuerySet[Patient] = Patient.everybody.select_related("merged_into")
    return found.filter(centre=centre, public_id=public_id)


def can(request: ClinicRequest) -> dict[str, bool]:
    return {word: may(request.membership, permission) for word, permission in ABILITIES.items()}


def address(name: str, *args: Any, query: str = "") -> str:
    """The address of a page, empty while there is no such page."""
    try:
        return reverse(name, args=args) + query
    except NoReverseMatch:
        return ""


def as_pdf(document: bytes, name: str) -> HttpResponse:
    """A PDF shown in the browser and kept by nobody on the way. Others see the name of a saved file: `name` says
    nothing about the person.
    """
    response = HttpResponse(document, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def saved(request: ClinicRequest, patient: Patient, text: str, now: dt.datetime, *, back: str = "") -> None:
    """Say whose record it is saved in, with the way to undo what this person did at `now`. Undoing leads to the address
    `back`, or else to the patient's page.

    The outermost action writes its entry last, and undoing it undoes what it called.
    """
    entry = Entry.objects.filter(by=request.user, patient=patient, at=now).order_by("-id").first()
    undo = address("clinic:undo", entry.pk, query=f"?{urlencode({'back': back})}" if back else "") if entry else ""
    messages.success(request, about(patient, text), extra_tags=undo)


def about(patient: Patient, text: str) -> str:
    """A message that says whom it is about: beside an Undo nobody should have to guess. It is kept in the session and
    shown once.
    """
    return gettext("%(name)s: %(said)s") % {"name": patient.name, "said": text}
