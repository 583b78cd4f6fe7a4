"""The taper of a glucocorticoid: planning it, confirming its steps, holding and ending it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic import paper_calendar
from clinic.forms.taper import MORE_ROWS, ConfirmForm, EndForm, HoldForm, ScheduleForm, StepsForm, TabletsForm
from clinic.selectors import taper as questions
from clinic.selectors.treatment import usable_kg
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, address, as_pdf, can, patient_or_404, saved
from monitoring.entry import plain
from patients.models import Patient
from therapy import actions
from therapy.models import TaperPlan, TaperStep
from therapy.taper_templates import TEMPLATES, WEEKLY_CAP_MG, cumulative_mg

ONE_DAY = dt.timedelta(days=1)


def _page(
    request: ClinicRequest, patient: Patient, now: dt.datetime, wrong: dict[str, forms.Form] | None = None
) -> HttpResponse:
    """The page; `wrong` holds the one form that was refused, by the name of its part."""
    as_of = patient.day_at(now)
    page = questions.page(patient, as_of, address)
    step = page.running.next if page.running else None
    daily = [(choice.course_id, choice.words) for choice in page.choices if choice.follows]
    made: dict[str, forms.Form] = {
        # With one glucocorticoid there is no doubt which dose the step is about; with two, a person decides.
        "confirm": ConfirmForm(
            choices=daily,
            initial={"confirmed_on": as_of, "course": daily[0][0] if len(page.choices) == len(daily) == 1 else ""},
            auto_id="confirm_%s",
        ),
        "hold": HoldForm(initial={"starts_on": as_of}, auto_id="hold_%s"),
        "end": EndForm(initial={"ended_on": as_of - ONE_DAY}, auto_id="end_%s"),
    }
    made |= wrong or {}
    context = {
        "patient": patient,
        "as_of": as_of,
        "page": page,
        "step": step,
        "forms": made,
        "wrong": next(iter(wrong), "") if wrong else "",
        "can": can(request),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/taper/page.html", context, status=422 if wrong else 200)


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    looked(by=request.user, centre=request.centre, now=now, page="clinic:taper", patient=patient)
    return _page(request, patient, now)


@needs(Permission.PRESCRIBE)
def plan(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """A schedule fills in steps, a person changes them as needed, and saves them."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    page = questions.page(patient, as_of, address)
    do = request.POST.get("do", "")
    first = {"starts_on": as_of, "start_mg": plain(page.pe_mg) if page.pe_mg else ""}
    schedule = ScheduleForm(initial=first)
    steps = StepsForm(rows=MORE_ROWS)
    status = 200
    worked_out = bool(request.POST.get("worked_out"))
    if request.method == "POST" and do == "work_out":
        schedule = ScheduleForm(request.POST)
        filled = schedule.steps()
        if filled is None:
            status = 422
        else:
            steps, worked_out = StepsForm.filled(filled), True
    elif request.method == "POST":
        # What was asked of the schedule rides along, so that nothing of it is lost either.
        asked = {name: request.POST.get(name, "") for name in ScheduleForm.base_fields}
        schedule = ScheduleForm(initial={**first, **{name: value for name, value in asked.items() if value}})
        if do == "more":
            typed = StepsForm(request.POST)
            steps = StepsForm(initial={name: typed[name].value() for name in typed.fields}, rows=typed.rows + MORE_ROWS)
        else:
            steps = StepsForm(request.POST)
            if _save_plan(request, patient, steps, now):
                return redirect("clinic:taper", patient.public_id)
            status = 422
    else:
        looked(by=request.user, centre=request.centre, now=now, page="clinic:taper-plan", patient=patient)
    kg = usable_kg(page.weight)
    context = {
        "patient": patient,
        "as_of": as_of,
        "page": page,
        "schedule": schedule,
        "steps": steps,
        "lines": _lines(steps, page.tablets),
        "templates": TEMPLATES.values(),
        "carried": [(name, _text(schedule[name].value())) for name in schedule.fields],
        "worked_out": worked_out,
        "one_mg_per_kg": plain(min(round(kg, 1), WEEKLY_CAP_MG)) if kg else "",
        "total": _total(steps),
        "nav": "clinic:patients",
    }
    template = "clinic/taper/_plan.html" if request.htmx else "clinic/taper/plan.html"
    return render(request, template, context, status=status)


def _lines(form: StepsForm, pills: questions.TabletPlan) -> list[tuple[int, Any, Any, str]]:
    """(number, day, dose, tablets) of each row: the tablets of a dose that is filled in, else nothing."""
    found = []
    for number, day, dose in form.lines():
        try:
            value = dose.field.clean(dose.value())
        except ValidationError:
            value = None  # said beside the box when the plan is saved
        found.append((number, day, dose, "" if value is None else pills.words(value)))
    return found


def _text(value: Any) -> str:
    """The value of a box as a hidden box carries it."""
    if value is None or value is False:
        return ""
    return "on" if value is True else value.isoformat() if isinstance(value, dt.date) else str(value)


def _save_plan(request: ClinicRequest, patient: Patient, form: StepsForm, now: dt.datetime) -> bool:
    if not form.is_valid():
        return False
    code = request.POST.get("template", "")
    try:
        actions.plan_taper(
            patient=patient,
            steps=[(day, dose) for _, day, dose in form.numbered()],
            template=code if code in TEMPLATES and request.POST.get("worked_out") else "",
            note=form.cleaned_data["note"],
            by=request.user,
            now=now,
        )
    except ValidationError as error:
        form.add_plan_refusal(error)
        return False
    saved(request, patient, "Taper planned. Each step waits for somebody to confirm it.", now)
    return True


def _total(form: StepsForm) -> tuple[Decimal, dt.date] | None:
    """mg in all until the last step begins, and that day; None while a row is not filled in."""
    if form.is_bound:
        return None
    rows: list[tuple[dt.date, Decimal]] = []
    for _, day, dose in form.lines():
        on, mg = day.value(), dose.value()
        if isinstance(on, dt.date) and mg is not None:
            rows.append((on, Decimal(mg)))
    if len(rows) < 2:
        return None
    return cumulative_mg(rows, rows[-1][0] - ONE_DAY), rows[-1][0]


@needs(Permission.SEE_PATIENTS)
@require_safe
def calendar(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """The doses of the running plan, day by day."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    context = {
        "patient": patient,
        "as_of": as_of,
        "calendar": questions.running_calendar(patient, as_of),
        "nav": "clinic:patients",
    }
    looked(by=request.user, centre=request.centre, now=now, page="clinic:taper-calendar", patient=patient)
    return render(request, "clinic/taper/calendar.html", context)


@needs(Permission.SEE_PATIENTS)
@require_safe
def calendar_pdf(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """The same on paper, for the patient."""
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    found = questions.running_calendar(patient, as_of)
    if found is None:
        raise Http404("No taper is planned.")
    document = paper_calendar.pdf(found, patient=patient, now=now)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:taper-calendar-pdf", patient=patient, rows=1)
    return as_pdf(document, f"taper-{as_of:%Y-%m-%d}")


@needs(Permission.PRESCRIBE)
def tablets(request: ClinicRequest) -> HttpResponse:
    """Which strengths of tablets the centre has: what doses can be made of."""
    now = timezone.now()
    form = TabletsForm(request.POST or None, stocked=questions.stocked(request.centre))
    if request.method == "POST" and form.is_valid():
        for drug, strengths in form.changed():
            actions.stock_tablets(centre=request.centre, drug=drug, strengths_mg=strengths, by=request.user, now=now)
        messages.success(request, "Saved. Doses of tapers are made of these tablets.")
        return redirect("clinic:tablets")
    context = {"form": form, "nav": "clinic:patients"}
    return render(request, "clinic/taper/tablets.html", context, status=422 if form.errors else 200)


def _plan_or_404(patient: Patient, pk: int) -> TaperPlan:
    found: TaperPlan = get_object_or_404(TaperPlan.objects.current().filter(patient=patient), pk=pk)
    found.patient = patient
    return found


def _done(
    request: ClinicRequest,
    patient: Patient,
    now: dt.datetime,
    part: str,
    form: forms.Form,
    text: str,
    do: Callable[[], Any],
) -> HttpResponse:
    if attempt(form, do) is None:
        if isinstance(form, ConfirmForm) and form.errors.as_data().get("out_of_range_reason"):
            form.ask_reason()
        return _page(request, patient, now, {part: form})
    saved(request, patient, text, now)
    return redirect("clinic:taper", patient.public_id)


@needs(Permission.PRESCRIBE)
@require_POST
def confirm(request: ClinicRequest, public_id: uuid.UUID, step: int) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    rows = TaperStep.objects.current().filter(patient=patient, plan__retired_at__isnull=True).select_related("plan")
    found: TaperStep = get_object_or_404(rows, pk=step)
    found.plan.patient = patient
    now = timezone.now()
    page = questions.page(patient, patient.day_at(now), address)
    form = ConfirmForm(
        request.POST,
        choices=[(choice.course_id, choice.words) for choice in page.choices if choice.follows],
        auto_id="confirm_%s",
    )

    def do() -> Any:
        data = dict(form.cleaned_data)
        course = questions.course_of(patient, data.pop("course"))
        return actions.confirm_step(step=found, course=course, by=request.user, now=now, **data)

    return _done(request, patient, now, "confirm", form, "Step confirmed.", do)


@needs(Permission.PRESCRIBE)
@require_POST
def hold(request: ClinicRequest, public_id: uuid.UUID, plan: int) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    found = _plan_or_404(patient, plan)
    now = timezone.now()
    form = HoldForm(request.POST, auto_id="hold_%s")
    return _done(
        request, patient, now, "hold", form, "The taper is on hold. Its days do not move.",
        lambda: actions.hold_taper(plan=found, by=request.user, now=now, **form.cleaned_data),
    )  # fmt: skip


@needs(Permission.PRESCRIBE)
@require_POST
def end(request: ClinicRequest, public_id: uuid.UUID, plan: int) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    found = _plan_or_404(patient, plan)
    now = timezone.now()
    form = EndForm(request.POST, auto_id="end_%s")
    return _done(
        request, patient, now, "end", form, "The plan has ended. Doses stay as they are.",
        lambda: actions.end_taper(plan=found, by=request.user, now=now, **form.cleaned_data),
    )  # fmt: skip


@needs(Permission.PRESCRIBE)
@require_POST
def release(request: ClinicRequest, public_id: uuid.UUID, plan: int) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    found = _plan_or_404(patient, plan)
    now = timezone.now()
    try:
        actions.release_taper(plan=found, by=request.user, now=now)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        saved(request, patient, "Released. The plan counts again from today.", now)
    return redirect("clinic:taper", patient.public_id)
