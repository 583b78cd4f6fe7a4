"""The escalation brief of one patient, the same for the meeting on paper, and the decision."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from alerts.actions import life
from audit.access import looked
from clinic import paper_brief
from clinic.forms.escalation import DecisionForm
from clinic.selectors import escalation as questions
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, address, as_pdf, can, patient_or_404, saved
from monitoring.levels import Level
from patients.models import Patient


def _page(request: ClinicRequest, patient: Patient, now: dt.datetime, form: DecisionForm | None = None) -> HttpResponse:
    as_of = patient.day_at(now)
    brief = questions.page(patient, as_of, address)
    context = {
        "patient": patient,
        "as_of": as_of,
        "brief": brief,
        "story": brief.story.as_dict(),
        "form": form or DecisionForm(alert=brief.alert, newest=brief.newest_decision, today=as_of),
        "can": can(request),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/escalation/page.html", context, status=422 if form is not None else 200)


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    looked(by=request.user, centre=request.centre, now=now, page="clinic:escalation", patient=patient)
    return _page(request, patient, now)


@needs(Permission.SEE_PATIENTS)
@require_safe
def pdf(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """For the meeting. Recorded as an export of one record."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    brief = questions.page(patient, patient.day_at(now))
    document = paper_brief.pdf(brief, by=str(request.user), now=now)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:escalation-pdf", patient=patient, rows=1)
    return as_pdf(document, f"brief-{brief.as_of:%Y-%m-%d}")


@needs(Permission.PRESCRIBE)
@require_POST
def decide(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """Only the alert that stood on the page is acted on: one that opened meanwhile was not decided about."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    alert = questions.open_alert(patient)
    form = DecisionForm(request.POST, alert=alert, newest=0, today=patient.day_at(now))

    def do() -> object:
        data = dict(form.cleaned_data)
        seen, level = data.pop("seen_alert"), data.pop("seen_level")
        acted = alert if alert is not None and alert.public_id == seen else None
        life.decide_escalation(
            patient=patient, alert=acted, seen_level=level if level in Level.values else None, by=request.user, now=now,
            **data,
        )  # fmt: skip
        return acted or patient

    done = attempt(form, do)
    if done is None:
        if any(error.code == "conflict" for error in form.non_field_errors().as_data()):
            form.saw(questions.newest_decision(patient))
        return _page(request, patient, now, form)
    if done is patient:
        saved(request, patient, _("Decision recorded."), now)
    elif form.cleaned_data["look_again_on"]:
        messages.success(request, _("Decision recorded. The alert comes back on the day you chose."))
    else:
        messages.success(request, _("Decision recorded. The alert is acknowledged."))
    return redirect("clinic:escalation", patient.public_id)
