"""Two days of one patient side by side: an address that can be kept, and a page that can be printed."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms.compare import CompareForm
from clinic.selectors import compare as questions
from clinic.views.shared import ClinicRequest, patient_or_404


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    days, offers = questions.offers(patient, as_of)
    asked = request.GET if {"a", "b"} & set(request.GET) else {"a": offers[0].first, "b": offers[0].second}
    form = CompareForm(asked, as_of=as_of, born_on=patient.born_on)
    page = None
    if form.is_valid():
        page = questions.page(patient, form.cleaned_data["a"], form.cleaned_data["b"], as_of)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:compare", patient=patient)
    context = {
        "patient": patient,
        "as_of": as_of,
        "form": form,
        "page": page,
        "days": days,
        "offers": offers,
        "within": (questions.SHORT, questions.LUNG),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/patient/compare.html", context, status=200 if page else 422)
