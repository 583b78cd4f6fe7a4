"""The page of one patient, and the same on paper."""

from __future__ import annotations

import datetime as dt
import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from alerts.selectors import checked
from audit.access import looked
from clinic import summary as paper
from clinic.selectors import patient as questions
from clinic.views.shared import ClinicRequest, address, as_pdf, can, patient_or_404
from monitoring import charts

RESULT_DAYS = 10


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    page = questions.page(patient, patient.day_at(now), address)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:patient", patient=patient)
    context = {
        "page": page,
        "patient": patient,
        "as_of": page.as_of,
        "story": page.story.as_dict(),
        "can": can(request),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/patient/page.html", context)


@needs(Permission.SEE_PATIENTS)
@require_safe
def results(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """Every result, tests by days. `before` a day shows older ones; `scale=uln` multiples of the upper limit."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    grid = questions.results(
        patient,
        as_of,
        days=RESULT_DAYS,
        before=_day(request.GET.get("before", "")),
        times_uln=request.GET.get("scale") == "uln",
    )
    looked(by=request.user, centre=request.centre, now=now, page="clinic:results", patient=patient)
    context = {
        "patient": patient,
        "as_of": as_of,
        "grid": grid,
        "scale": "uln" if grid.times_uln else "",
        "before": request.GET.get("before", ""),
        "can": can(request),
        "nav": "clinic:patients",
    }
    # On its way back through the history htmx wants the whole page.
    part = request.htmx and not request.htmx.history_restore_request
    response = render(request, "clinic/patient/_results.html" if part else "clinic/patient/results.html", context)
    patch_vary_headers(response, ["HX-Request"])  # or the browser shows a part as if it were the page
    return response


def _day(text: str) -> dt.date | None:
    """A day of the address, None where it is none."""
    try:
        return parse_date(text)
    except ValueError:
        return None


@needs(Permission.SEE_PATIENTS)
@require_safe
def chart_svg(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _chart(request, public_id, "clinic:chart-svg", "image/svg+xml")


@needs(Permission.SEE_PATIENTS)
@require_safe
def chart_png(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _chart(request, public_id, "clinic:chart-png", "image/png")


def _chart(request: ClinicRequest, public_id: uuid.UUID, route: str, content_type: str) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    figure = charts.draw(questions.story(patient, patient.day_at(now)))
    drawn = charts.to_png(figure) if content_type == "image/png" else charts.to_svg(figure)
    looked(by=request.user, centre=request.centre, now=now, page=route, patient=patient)
    response = HttpResponse(drawn, content_type=content_type)
    patch_cache_control(response, private=True, no_store=True)
    return response


@needs(Permission.SEE_PATIENTS)
@require_safe
def printable(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """The summary as a page to print."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    page = questions.page(patient, patient.day_at(now), address)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:patient-print", patient=patient)
    context = {"page": page, "patient": patient, "as_of": page.as_of, "printed_at": now, "nav": "clinic:patients"}
    return render(request, "clinic/patient/print.html", context)


@needs(Permission.SEE_PATIENTS)
@require_safe
def summary(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """The summary as a PDF. Recorded as an export of one record."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    page = questions.page(patient, patient.day_at(now), address)
    document = paper.pdf(page, checked=checked(request.centre, now), by=str(request.user), now=now)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:patient-summary", patient=patient, rows=1)
    return as_pdf(document, f"summary-{page.as_of:%Y-%m-%d}")
