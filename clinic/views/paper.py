"""One patient on paper: the chart, the summary, the letter."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from alerts.selectors import checked
from audit.access import looked
from clinic import summary as paper
from clinic.selectors import patient as questions
from clinic.views.shared import ClinicRequest, address, as_pdf, patient_or_404
from monitoring import charts


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
    drawn = charts.drawn(questions.story(patient, patient.day_at(now)), content_type)
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
