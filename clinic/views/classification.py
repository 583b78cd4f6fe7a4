"""Classification of EULAR/ACR 2017: the result, and the items it needs."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms.classification import ClassificationForm
from clinic.selectors import classification as questions
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, can, patient_or_404, saved
from monitoring.classifying import classification_of
from patients import actions


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    page = questions.page(patient, as_of)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:classification", patient=patient)
    context = {"patient": patient, "as_of": as_of, "page": page, "can": can(request), "nav": "clinic:patients"}
    return render(request, "clinic/patient/classification.html", context)


@needs(Permission.RECORD_RESULTS)
def enter(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    before = classification_of(patient, as_of).entered
    form = ClassificationForm(request.POST or None, initial=ClassificationForm.first(before) | {"found_on": as_of})
    if request.method == "POST":
        done = attempt(
            form,
            lambda: actions.record_classification_items(patient=patient, by=request.user, now=now, **form.values()),
        )
        if done is not None:
            saved(request, patient, _("Classification items saved."), now)
            return redirect("clinic:classification", patient.public_id)
    else:
        looked(by=request.user, centre=request.centre, now=now, page="clinic:enter-classification", patient=patient)
    context = {"patient": patient, "as_of": as_of, "form": form, "before": before, "nav": "clinic:patients"}
    return render(request, "clinic/entry/classification.html", context, status=422 if form.errors else 200)
