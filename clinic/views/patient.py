"""The page of one patient: how they are now, what happened, all results; and acting on an alert without leaving."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import reswap, retarget

from accounts.guards import needs
from accounts.permissions import Permission, may
from alerts.actions.life import SNOOZE_DAYS
from alerts.models import Alert
from audit.access import looked
from clinic.forms.worklist import FIRST_DAY, LAST_DAY, CloseForm, CommentForm, SnoozeForm
from clinic.selectors import patient as questions
from clinic.views.shared import ClinicRequest, MergedInto, address, can, patient_or_404
from monitoring.levels import Level
from patients.models import Patient

RESULT_DAYS = (30, 100, 300)  # how many days the grid of all results may show at once; the first unless asked


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """`act` names an alert: its snooze, close and comment are open. htmx then gets only them."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    acting = _asked_to_act(request, patient, now)
    if acting is not None and _wants_part(request):
        return _varied(render(request, "clinic/patient/_act.html", {"acting": acting}))
    looked(by=request.user, centre=request.centre, now=now, page="clinic:patient", patient=patient)
    return _varied(_page(request, patient, now, acting))


def _page(
    request: ClinicRequest, patient: Patient, now: dt.datetime, acting: Acting | None, status: int = 200
) -> HttpResponse:
    page = questions.now(patient, patient.day_at(now), address)
    context = {
        **_context(request, patient, now),
        "page": page,
        "story": page.story.as_dict(),
        "acting": acting,
    }
    return render(request, "clinic/patient/page.html", context, status=status)


def _context(request: ClinicRequest, patient: Patient, now: dt.datetime) -> dict[str, Any]:
    return {
        "patient": patient,
        "here": reverse("clinic:patient", args=[patient.public_id]),
        "as_of": patient.day_at(now),
        "can": can(request),
        "nav": "clinic:patients",
    }


def _wants_part(request: ClinicRequest) -> bool:
    """On its way back through the history htmx wants the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def _varied(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["HX-Request"])  # or the browser shows a part as if it were the page
    return response


@needs(Permission.SEE_PATIENTS)
@require_safe
def history(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """What stands below the chart: htmx brings it when it comes into sight; without it, a page of its own."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    context = {
        **_context(request, patient, now),
        "page": questions.history(patient, patient.day_at(now), address),
    }
    looked(by=request.user, centre=request.centre, now=now, page="clinic:patient-history", patient=patient)
    name = "_history" if _wants_part(request) else "history"
    return _varied(render(request, f"clinic/patient/{name}.html", context))


@needs(Permission.SEE_PATIENTS)
@require_safe
def results(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """Every result, tests by days. `before` a day shows older ones; `days` how many; `scale=uln` multiples of the
    upper limit.
    """
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    wanted = request.GET.get("days", "")
    days = int(wanted) if wanted in map(str, RESULT_DAYS) else RESULT_DAYS[0]
    grid = questions.results(
        patient,
        patient.day_at(now),
        days=days,
        before=day_of(request.GET.get("before", "")),
        times_uln=request.GET.get("scale") == "uln",
    )
    looked(by=request.user, centre=request.centre, now=now, page="clinic:results", patient=patient)
    context = {
        **_context(request, patient, now),
        "grid": grid,
        "before": request.GET.get("before", ""),
        "shown": days,
        "choices": RESULT_DAYS,
    }
    name = "_results" if _wants_part(request) else "results"
    return _varied(render(request, f"clinic/patient/{name}.html", context))


def day_of(text: str) -> dt.date | None:
    """A day of the address, None where it is none."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day is not None and FIRST_DAY <= day <= LAST_DAY else None


# ---------------------------------------------------------------------------------------------------- acting on alerts


@dataclass(frozen=True)
class Part:
    label: str
    icon: str
    url: str
    form: forms.Form
    open: bool


@dataclass(frozen=True)
class Acting:
    """What can be done to `alert`; `back` is the page to come back to."""

    alert: Alert
    back: str
    parts: Sequence[Part]

    @property
    def for_information(self) -> bool:
        return self.alert.level == Level.INFO


def _asked_to_act(request: ClinicRequest, patient: Patient, now: dt.datetime) -> Acting | None:
    """What the address asks for with `act`; None where that is no alert, is over, or is not the reader's to touch."""
    try:
        wanted = uuid.UUID(request.GET.get("act", ""))
    except ValueError:
        return None
    if not may(request.membership, Permission.ACT_ON_ALERTS):
        return None
    alert = get_object_or_404(Alert, patient=patient, public_id=wanted)
    return None if alert.closed_at is not None else _acting(alert, patient, now)


def _acting(alert: Alert, patient: Patient, now: dt.datetime, refused: str = "", form: Any = None) -> Acting:
    """`form` is the one of the part `refused` that was sent and refused."""
    today = patient.day_at(now)
    offered: list[tuple[str, str, str, forms.Form]] = [
        ("close", _("Close"), "circle-check", CloseForm()),
        ("comment", _("Comment"), "note", CommentForm()),
    ]
    if SNOOZE_DAYS.get(Level(alert.level), 0):
        offered.insert(0, ("snooze", _("Snooze"), "snooze", SnoozeForm(alert=alert, today=today)))
    parts = []
    for name, label, icon, fresh in offered:
        shown = form if name == refused else fresh
        shown.auto_id = f"{name}-{alert.pk}-%s"  # several alerts may be open side by side
        url = reverse(f"clinic:alert-{name}", args=[alert.public_id])
        parts.append(Part(label, icon, url, shown, name == (refused or offered[0][0])))
    return Acting(alert, reverse("clinic:patient", args=[patient.public_id]), parts)


def _sent_from(here: str) -> uuid.UUID | None:
    """The patient whose page is at the address `here`; None where it is another page."""
    try:
        found = resolve(urlsplit(here).path)
    except (ValueError, Resolver404):  # ValueError: "http://[" is no address
        return None
    return found.kwargs["public_id"] if found.view_name == "clinic:patient" else None


def alerts_again(request: ClinicRequest, now: dt.datetime, here: str) -> HttpResponse | None:
    """For htmx: the alerts of the patient on whose page, at the address `here`, something was done to one of them."""
    public_id = _sent_from(here)
    if public_id is None:
        return None
    try:
        patient = patient_or_404(request, public_id)
    except MergedInto:  # since that page was opened: it is asked for anew, and leads to the other record
        return None
    context = {**_context(request, patient, now), "page": questions.attention(patient, address), "acting": None}
    response = render(request, "clinic/patient/_alerts_again.html", context)
    return reswap(retarget(response, "#patient-alerts"), "outerHTML")


def refused_again(
    request: ClinicRequest, alert: Alert, now: dt.datetime, name: str, form: forms.Form
) -> HttpResponse | None:
    """The form that was sent from the patient's page and refused, where it was, with all that was typed."""
    here = request.htmx.current_url_abs_path if request.htmx else request.POST.get("next")
    if _sent_from(here or "") != alert.patient.public_id or name not in ("snooze", "close", "comment"):
        return None
    acting = _acting(alert, alert.patient, now, name, form)
    if not request.htmx:
        return _page(request, alert.patient, now, acting, status=422)
    response = render(request, "clinic/patient/_act.html", {"acting": acting}, status=422)
    return reswap(retarget(response, f"#act-{alert.public_id}"), "innerHTML")
