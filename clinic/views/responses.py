"""The response to treatment, visit by visit."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.selectors import responses as questions
from clinic.views.shared import ClinicRequest, can, patient_or_404


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    page = questions.page(patient, as_of)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:responses", patient=patient)
    context = {"patient": patient, "as_of": as_of, "page": page, "can": can(request), "nav": "clinic:patients"}
    return render(request, "clinic/patient/responses.html", context)
