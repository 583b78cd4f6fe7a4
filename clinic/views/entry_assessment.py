"""Typing an assessment: scales, questionnaire and strength, with the improvement beside it once it can be told."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms.entry_assessment import AssessmentForm, haq_categories, muscle_rows, scales
from clinic.selectors import entry
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, patient_or_404, saved
from monitoring import actions
from monitoring.models import Assessment
from patients.models import Patient


@needs(Permission.RECORD_RESULTS)
def enter(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _enter(request, public_id, only_strength=False)


@needs(Permission.RECORD_RESULTS)
def strength(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """The muscle grid alone: tested by one person, while another asks the questions."""
    return _enter(request, public_id, only_strength=True)


def _enter(request: ClinicRequest, public_id: uuid.UUID, *, only_strength: bool) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    today = patient.day_at(now)
    if request.method == "POST":
        form = AssessmentForm(request.POST, only_strength=only_strength)
        there = _adds_to(patient, form)
        day = form.cleaned_data.get("assessed_on")
        done = attempt(form, lambda: _record(request, patient, form, there, now))
        if done is not None:
            saved(request, patient, _("Assessment completed.") if there else _("Assessment saved."), now)
            return redirect("clinic:patient", patient.public_id)
        if any(error.code == "exists" for error in form.errors.as_data().get("assessed_on", ())):
            # What was typed is kept, and the next press adds it to what another person measured that day.
            there = entry.assessment_on(patient, day) if day else None
            sent = request.POST.copy()
            sent["adds_to"] = str(there.pk) if there else ""
            form.data = sent
    else:
        there = entry.assessment_on(patient, today)
        values = AssessmentForm.values_of(there, with_note=False) if there else {"assessed_on": today}
        form = AssessmentForm(initial=values, only_strength=only_strength)
        looked(by=request.user, centre=request.centre, now=now, page=_route(only_strength), patient=patient)
    return _page(request, patient, form, today, there=there, only_strength=only_strength)


def _route(only_strength: bool) -> str:
    return "clinic:enter-mmt8" if only_strength else "clinic:enter-assessment"


def _record(
    request: ClinicRequest, patient: Patient, form: AssessmentForm, there: Assessment | None, now: dt.datetime
) -> Assessment:
    day, measures = form.cleaned_data["assessed_on"], form.measures()
    if there is not None:
        return actions.complete_assessment(assessment=there, measures=measures, by=request.user, now=now)
    return actions.record_assessment(patient=patient, assessed_on=day, measures=measures, by=request.user, now=now)


def _adds_to(patient: Patient, form: AssessmentForm) -> Assessment | None:
    """The assessment that is completed: the one named, while it is current and of the day typed."""
    form.is_valid()
    named, day = form.cleaned_data.get("adds_to"), form.cleaned_data.get("assessed_on")
    there = entry.assessment_on(patient, day) if named and day else None
    return there if there is not None and there.pk == named else None


@needs(Permission.RECORD_RESULTS)
def correct(request: ClinicRequest, public_id: uuid.UUID, pk: int) -> HttpResponse:
    """The whole assessment anew, with a reason. The old one stays in its history."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    found = get_object_or_404(Assessment.objects.current(), patient=patient, pk=pk)
    found.patient = patient
    if request.method == "POST":
        form = AssessmentForm(request.POST, with_reason=True)
        done = attempt(
            form,
            lambda: actions.correct_assessment(
                assessment=found,
                measures=form.measures(),
                reason=form.cleaned_data["reason"],
                assessed_on=form.cleaned_data["assessed_on"],
                by=request.user,
                now=now,
            ),
        )
        if done is not None:
            saved(request, patient, _("Corrected. The old assessment is kept in its history."), now)
            return redirect("clinic:fact", patient.public_id, "assessment", done.pk)
    else:
        form = AssessmentForm(initial=AssessmentForm.values_of(found, with_note=True), with_reason=True)
        looked(by=request.user, centre=request.centre, now=now, page="clinic:assessment-correct", patient=patient)
    return _page(request, patient, form, patient.day_at(now), correcting=found)


@needs(Permission.RECORD_RESULTS)
@require_POST
def preview(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """What the measures typed so far say. Writes nothing, and says nothing of boxes that cannot be read yet."""
    patient = patient_or_404(request, public_id)
    form = AssessmentForm(request.POST)
    there = _adds_to(patient, form)
    context = {
        "preview": _preview(patient, form, patient.day_at(timezone.now()), there),
        "only_strength": "only_strength" in request.POST,
    }
    return render(request, "clinic/entry/_preview.html", context)


def _preview(patient: Patient, form: AssessmentForm, as_of: dt.date, there: Assessment | None) -> entry.Preview:
    return entry.preview(patient, form.measures(), form.cleaned_data.get("assessed_on"), as_of, adds_to=there)


def _page(
    request: ClinicRequest,
    patient: Patient,
    form: AssessmentForm,
    as_of: dt.date,
    *,
    there: Assessment | None = None,
    correcting: Assessment | None = None,
    only_strength: bool = False,
) -> HttpResponse:
    last = entry.last_measures(patient, as_of, but=there or correcting)
    typed = form if form.is_bound else _as_if_sent(form, only_strength)
    if not typed.is_bound or not hasattr(typed, "cleaned_data"):
        typed.is_valid()
    title = (
        _("Muscle strength (MMT8)") if only_strength else _("Correct the assessment") if correcting else _("Assessment")
    )
    context: dict[str, Any] = {
        "patient": patient,
        "as_of": as_of,
        "form": form,
        "title": title,
        "there": there,
        "correcting": correcting,
        "only_strength": only_strength,
        "scales": scales(form, last),
        "muscles": muscle_rows(form, last),
        "categories": list(haq_categories(form)),
        "last_haq": last.values.get("haq_di"),
        "preview": _preview(patient, typed, as_of, there),
        "preview_url": reverse("clinic:preview-assessment", args=[patient.public_id]),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/entry/assessment.html", context, status=422 if form.errors else 200)


def _as_if_sent(form: AssessmentForm, only_strength: bool) -> AssessmentForm:
    """The first values of a fresh page as if they had been typed, so that the preview begins with them."""
    data = {name: value for name, value in form.initial.items() if name in form.fields and value is not None}
    return AssessmentForm(data, only_strength=only_strength)
