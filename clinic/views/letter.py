"""A letter about one patient: drafted from the record, finished by hand, printed. Nothing of it is kept."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic import letter as paper
from clinic.forms.letter import LetterForm
from clinic.selectors import patient as questions
from clinic.views.shared import ClinicRequest, address, as_pdf, patient_or_404
from monitoring import selectors as monitoring


@needs(Permission.SEE_PATIENTS)
@require_http_methods(["GET", "POST"])
def write(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """A POST answers with the letter on paper: as PDF, or as a page. Recorded as an export of one record."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    context = {"patient": patient, "as_of": as_of, "nav": "clinic:patients"}
    if request.method == "POST":
        form = LetterForm(request.POST)
        if form.is_valid():
            looked(by=request.user, centre=request.centre, now=now, page="clinic:letter", patient=patient, rows=1)
            if request.POST.get("as") == "page":
                context |= {"letter": form.cleaned_data, "paragraphs": paper.paragraphs(form.cleaned_data["body"])}
                response = render(request, "clinic/patient/letter_print.html", context)
                patch_cache_control(response, private=True, no_store=True)
                return response
            local = now.astimezone(patient.centre.zone)
            return as_pdf(paper.pdf(**form.cleaned_data, centre=patient.centre.name, now=local), f"letter-{as_of}")
    else:
        read = monitoring.readings(patient, as_of)
        page = questions.now(patient, as_of, address, read)
        looked(by=request.user, centre=request.centre, now=now, page="clinic:letter", patient=patient)
        form = LetterForm(
            initial={
                "subject": paper.subject_of(page),
                "body": paper.draft(page, next(iter(read.lung), None)),
                "signed": str(request.user),
            }
        )
    status = 422 if form.is_bound else 200
    return render(request, "clinic/patient/letter.html", context | {"form": form}, status=status)
