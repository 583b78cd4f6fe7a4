"""Infusions: courses of immunoglobulin and cycles of rituximab so far, what is next; planning one; recording one."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms.infusions import PlanForm, RecordForm
from clinic.selectors import infusions as questions
from clinic.selectors import treatment
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, can, patient_or_404, saved
from patients.models import Patient
from therapy import actions
from therapy.dosing import name_of, unit
from therapy.formulary import FORMULARY
from therapy.infusions import IVIG, CoursePlan, Given, plan_course
from therapy.models import Course


def _respond(
    request: ClinicRequest, template: str, patient: Patient, context: dict[str, Any], *, is_wrong: bool = False
) -> HttpResponse:
    context = {"patient": patient, "can": can(request), "nav": "clinic:patients", **context}
    return render(request, template, context, status=422 if is_wrong else 200)


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:infusions", patient=patient)
    context = {"page": questions.page(patient, as_of), "as_of": as_of}
    return _respond(request, "clinic/infusions/page.html", patient, context)


@needs(Permission.SEE_PATIENTS)
def plan(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """A course of immunoglobulin worked out. Nothing is saved; what is typed does not stand in the address."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    of = questions.record(patient, as_of)
    weight_kg, risks = questions.plan_defaults(of)
    first = PlanForm.first_values(weight_kg, at_risk=bool(risks))
    is_typed = request.method == "POST"
    form = PlanForm(request.POST) if is_typed else PlanForm(initial=first)
    # Without anything typed, the plan for the weight on record stands there already.
    asked = form if is_typed else PlanForm(first)
    course: CoursePlan | None = None
    if asked.is_valid():
        typed = asked.cleaned_data
        course = plan_course(typed["weight_kg"], typed["days"], typed["sizes"], at_risk=bool(risks) or typed["at_risk"])
    if not is_typed:
        looked(by=request.user, centre=request.centre, now=now, page="clinic:infusion-plan", patient=patient)
    context = {
        "form": form,
        "plan": course,
        "risks": risks,
        "weight": of.weight,
        "is_other_weight": course is not None and weight_kg is not None and course.weight_kg != weight_kg,
        "gates": questions.gates(of, "ivig"),
        "as_of": as_of,
    }
    return _respond(request, "clinic/infusions/plan.html", patient, context, is_wrong=is_typed and bool(form.errors))


def _course_or_404(patient: Patient, pk: int) -> Course:
    course: Course = get_object_or_404(Course.objects.current().filter(patient=patient), pk=pk)
    course.patient = patient  # the same row, already read
    return course


@needs(Permission.CARRY_OUT)
def record(request: ClinicRequest, public_id: uuid.UUID, course: int) -> HttpResponse:
    """One infusion that was given. What is unusual about it is said before it is saved, and saved once confirmed."""
    patient = patient_or_404(request, public_id)
    found = _course_or_404(patient, course)
    now = timezone.now()
    today = patient.day_at(now)
    is_checked = found.drug in questions.DRUGS
    of = questions.record(patient, today) if is_checked else None
    form = RecordForm(request.POST or None, initial={"given_on": today})
    remarks: list[questions.Remark] = []
    if request.method == "POST" and form.is_valid():
        remarks = _remarks(of, found, form)
        if not remarks or form.cleaned_data["confirmed"]:
            done = attempt(
                form, lambda: actions.record_infusion(course=found, by=request.user, now=now, **form.entered())
            )
            if done is not None:
                saved(request, patient, _("Infusion recorded."), now)
                return redirect("clinic:infusions" if is_checked else "clinic:treatment", patient.public_id)
        if remarks:
            form.ask_to_confirm()
    elif request.method != "POST":
        looked(by=request.user, centre=request.centre, now=now, page="clinic:treatment-infusion", patient=patient)
    before = treatment.last_infusion(found)
    drug = FORMULARY.get(found.drug)
    day = form.cleaned_data.get("given_on", today) if form.is_bound and hasattr(form, "cleaned_data") else today
    context = {
        "form": form,
        "drug": name_of(found.drug),
        "unit": unit(drug) if drug else "",
        "is_ivig": found.drug == IVIG,
        "line": treatment.course_line(patient, found, today),
        "remarks": remarks,
        "before": treatment.amount_words(found.drug, before.amount) if before else "",
        "before_on": before.given_on if before else None,
        "so_far": questions.so_far(of, found, day) if of is not None else None,
        "gates": questions.gates(of, found.drug) if of is not None else [],
        "is_checked": is_checked,
        "as_of": today,
    }
    is_wrong = request.method == "POST"
    return _respond(request, "clinic/infusions/record.html", patient, context, is_wrong=is_wrong)


def _remarks(of: questions.Record | None, course: Course, form: RecordForm) -> list[questions.Remark]:
    typed = form.cleaned_data
    amount: Decimal = typed["amount"]
    if of is None or amount <= 0 or typed["given_on"] > of.as_of:
        return []  # the action refuses what cannot be
    return questions.typed_remarks(of, course, Given(typed["given_on"], amount, typed["max_rate_ml_per_hour"]))
