"""Courses of drugs: what is taken and was taken; starting, changing, correcting, stopping."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms.treatment import DoseCorrectionForm, DoseForm, DrugForm, StartForm, StopForm
from clinic.selectors import treatment as questions
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, can, patient_or_404, saved
from patients.models import Patient
from therapy import actions
from therapy.dosing import name_of, unit
from therapy.formulary import FORMULARY, Drug
from therapy.models import Course, Dose


def _respond(request: ClinicRequest, template: str, patient: Patient, context: dict[str, Any]) -> HttpResponse:
    form = context.get("form")
    wrong = isinstance(form, forms.Form) and form.is_bound and bool(form.errors)
    context = {"patient": patient, "can": can(request), "nav": "clinic:patients", **context}
    return render(request, template, context, status=422 if wrong else 200)


def _course_or_404(patient: Patient, pk: int) -> Course:
    course: Course = get_object_or_404(Course.objects.current().filter(patient=patient), pk=pk)
    course.patient = patient  # the same row, already read
    return course


def _weight_for(patient: Patient, form: forms.Form, today: dt.date) -> questions.Weight | None:
    """The weight a dose is held against: today's, or for a dose of earlier days the one of its first day."""
    day = form.cleaned_data.get("starts_on") if form.is_bound and form.is_valid() else None
    return questions.weight(patient, min(day, today) if day else today)


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:treatment", patient=patient)
    context = {"page": questions.page(patient, as_of), "as_of": as_of}
    return _respond(request, "clinic/treatment/page.html", patient, context)


@needs(Permission.PRESCRIBE)
def start(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """First the drug, then its dose. The second half depends on the first, and comes as a fragment where it can."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    today = patient.day_at(now)
    code = (request.POST if request.method == "POST" else request.GET).get("drug", "")
    drug = FORMULARY.get(code)
    choice = DrugForm(initial={"drug": code}) if drug else DrugForm({"drug": code} if code else None)
    form = None
    if drug is not None:
        form = StartForm(request.POST or None, drug=drug, initial=StartForm.first_values(drug, today))
        if request.method == "POST":
            weight = _weight_for(patient, form, today)
            done = attempt(
                form,
                lambda: actions.start_course(
                    patient=patient, drug=code, weight_kg=questions.usable_kg(weight), by=request.user, now=now,
                    **form.cleaned_data,
                ),
            )  # fmt: skip
            if done is not None:
                saved(request, patient, _("%(drug)s started.") % {"drug": name_of(code)}, now)
                return redirect("clinic:treatment", patient.public_id)
            form.show_reasons(*form.errors)
    if request.method != "POST" and not request.htmx:
        looked(by=request.user, centre=request.centre, now=now, page="clinic:treatment-start", patient=patient)
    context = {
        "choice": choice,
        "form": form,
        "drug": drug,
        "name": name_of(code),
        "unit": unit(drug) if drug else "",
        "help": _help(patient, form, drug, today) if form is not None and drug is not None else None,
        "as_of": today,
    }
    return _respond(
        request, "clinic/treatment/_start.html" if request.htmx else "clinic/treatment/start.html", patient, context
    )


def _help(patient: Patient, form: DoseForm, drug: Drug, today: dt.date, route: str = "") -> questions.DoseHelp:
    weight = _weight_for(patient, form, today)
    route = route or str(form["route"].value() if "route" in form.fields else drug.routes[0])
    typed: tuple[Decimal | None, int | None, int | None] = form.partly()
    starts_on = form.cleaned_data.get("starts_on") if form.is_bound else None
    around = questions.around(patient, drug, route, starts_on or today, today)
    return questions.dose_help(drug, route, *typed, weight, around)


@needs(Permission.PRESCRIBE)
@require_POST
def dose_help(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """What is known of the dose as typed so far; nothing is saved."""
    patient = patient_or_404(request, public_id)
    today = patient.day_at(timezone.now())
    drug = FORMULARY.get(request.POST.get("drug", ""))
    if drug is None:
        return HttpResponse("")
    form = DoseForm(request.POST, drug=drug)
    route = request.POST.get("route", "")
    context = {
        "help": _help(patient, form, drug, today, route if route in drug.routes else drug.routes[0]),
        "as_of": today,
    }
    return render(request, "clinic/treatment/_dose_help.html", context)


def _dose_page(
    request: ClinicRequest,
    patient: Patient,
    course: Course,
    form: DoseForm,
    *,
    now: dt.datetime,
    title: str,
    save: str,
    done: str,
    route: str,
    do: Callable[[Decimal | None], Any],
) -> HttpResponse:
    """Changing and correcting a dose: the same boxes and the same help."""
    today = patient.day_at(now)
    drug = FORMULARY[course.drug]
    if request.method == "POST":
        weight = questions.usable_kg(_weight_for(patient, form, today))
        if attempt(form, lambda: do(weight)) is not None:
            saved(request, patient, done % {"drug": name_of(course.drug)}, now)
            return redirect("clinic:treatment", patient.public_id)
        form.show_reasons(*form.errors)
    else:
        looked(by=request.user, centre=request.centre, now=now, page=route, patient=patient)
    context = {
        "title": title,
        "save": save,
        "form": form,
        "drug": drug,
        "name": name_of(course.drug),
        "unit": unit(drug),
        "line": questions.course_line(patient, course, today),
        "help": _help(patient, form, drug, today, course.route),
        "as_of": today,
    }
    return _respond(request, "clinic/treatment/dose.html", patient, context)


@needs(Permission.PRESCRIBE)
def change(request: ClinicRequest, public_id: uuid.UUID, course: int) -> HttpResponse:
    """A new dose from a day on."""
    patient = patient_or_404(request, public_id)
    found = _course_or_404(patient, course)
    drug = get_drug_or_404(found)
    now = timezone.now()
    newest = Dose.objects.current().filter(course=found).order_by("-starts_on", "-id").first()
    first: dict[str, Any] = {"starts_on": patient.day_at(now)}
    if newest is not None:
        first |= {"times": newest.times, "every_days": newest.every_days}
    form = DoseForm(request.POST or None, drug=drug, initial=first)

    def do(weight: Decimal | None) -> Dose:
        return actions.change_dose(course=found, weight_kg=weight, by=request.user, now=now, **form.cleaned_data)

    return _dose_page(
        request, patient, found, form, now=now, title=_("Change the dose"), save=_("Save the new dose"),
        done=_("%(drug)s: the dose is changed."), route="clinic:treatment-change", do=do,
    )  # fmt: skip


@needs(Permission.PRESCRIBE)
def correct(request: ClinicRequest, public_id: uuid.UUID, dose: int) -> HttpResponse:
    """Other values for a dose that was recorded wrongly."""
    patient = patient_or_404(request, public_id)
    rows = Dose.objects.current().filter(patient=patient, course__retired_at__isnull=True).select_related("course")
    found: Dose = get_object_or_404(rows, pk=dose)
    drug = get_drug_or_404(found.course)
    now = timezone.now()
    names = ("amount", "times", "every_days", "starts_on", "ends_on", "out_of_range_reason")
    first = {name: getattr(found, name) for name in names}
    form = DoseCorrectionForm(request.POST or None, drug=drug, initial=first)

    def do(weight: Decimal | None) -> Dose:
        return actions.correct_dose(dose=found, weight_kg=weight, by=request.user, now=now, **form.cleaned_data)

    return _dose_page(
        request, patient, found.course, form, now=now, title=_("Correct the dose"), save=_("Save the correction"),
        done=_("%(drug)s: the dose is corrected."), route="clinic:dose-correct", do=do,
    )  # fmt: skip


def get_drug_or_404(course: Course) -> Drug:
    """A course of a drug that has left the formulary can be stopped, and no longer be dosed."""
    if course.drug not in FORMULARY:
        raise Http404
    return FORMULARY[course.drug]


@needs(Permission.PRESCRIBE)
def stop(request: ClinicRequest, public_id: uuid.UUID, course: int) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    found = _course_or_404(patient, course)
    now = timezone.now()
    form = StopForm(request.POST or None, initial={"stopped_on": patient.day_at(now)})
    if request.method == "POST":
        done = attempt(form, lambda: actions.stop_course(course=found, by=request.user, now=now, **form.cleaned_data))
        if done is not None:
            saved(request, patient, _("%(drug)s stopped.") % {"drug": name_of(found.drug)}, now)
            return redirect("clinic:treatment", patient.public_id)
    return _small(
        request, patient, found, form, now=now, title=_("Stop %(drug)s") % {"drug": name_of(found.drug)},
        save=_("Stop the drug"), route="clinic:treatment-stop", unit="",
    )  # fmt: skip


def _small(
    request: ClinicRequest,
    patient: Patient,
    course: Course,
    form: forms.Form,
    *,
    now: dt.datetime,
    route: str,
    **context: Any,
) -> HttpResponse:
    if request.method != "POST":
        looked(by=request.user, centre=request.centre, now=now, page=route, patient=patient)
    today = patient.day_at(now)
    line = questions.course_line(patient, course, today)
    return _respond(
        request, "clinic/treatment/small.html", patient, {"form": form, "line": line, "as_of": today, **context}
    )
