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
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.permissions import Permission, may
from alerts.models import Alert
from audit.access import looked
from clinic import paper_calendar
from clinic.forms.taper import MORE_ROWS, ConfirmForm, EndForm, HoldForm, ScheduleForm, StepsForm, TabletsForm
from clinic.selectors import taper as questions
from clinic.selectors.treatment import usable_kg
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, address, as_pdf, can, patient_or_404, saved
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
    context = {
        "patient": patient,
        "as_of": as_of,
        "page": page,
        "taper": step_context(page, as_of, wrong),
        "can": can(request),
        "back": request.POST.get("back", ""),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/taper/page.html", context, status=422 if wrong else 200)


def step_context(
    page: questions.TaperPage, as_of: dt.date, wrong: dict[str, forms.Form] | None = None
) -> dict[str, Any]:
    """What clinic/taper/_step.html shows: the step that waits, and the forms that confirm it, hold and end the plan."""
    running = page.running
    daily = [(choice.course_id, choice.words) for choice in page.choices if choice.follows]
    made: dict[str, forms.Form] = {
        # With one glucocorticoid there is no doubt which dose the step is about; with two, a person decides.
        "confirm": ConfirmForm(
            choices=daily,
            initial={
                "confirmed_on": as_of,
                "course": daily[0][0] if len(page.choices) == len(daily) == 1 else "",
                "hold_seen": "on" if running and running.hold else "",
            },
            auto_id="confirm_%s",
        ),
        "hold": HoldForm(initial={"starts_on": as_of}, auto_id="hold_%s"),
        "end": EndForm(initial={"ended_on": as_of - ONE_DAY}, auto_id="end_%s"),
    }
    return {
        "running": running,
        "step": running.next if running else None,
        "signs": page.signs,
        "has_steroid": bool(page.choices),
        "forms": made | (wrong or {}),
        "wrong": next(iter(wrong), "") if wrong else "",
        # Where the plan is over by now, the form that was sent stands nowhere: what it was refused for is said above.
        "refused": [error for form in wrong.values() for error in form.non_field_errors()]
        if wrong and running is None
        else [],
    }


def on_alert(alert: Alert, now: dt.datetime) -> dict[str, Any] | None:
    """The step that an alert is about, to be confirmed or held where the alert stands; None where it waits no longer,
    or the alert is about something else. Asks only where the alert names a step.
    """
    step = alert.evidence.get("step_id") if alert.closed_at is None else None
    if step is None:
        return None
    as_of = alert.patient.day_at(now)
    context = step_context(questions.page(alert.patient, as_of, address), as_of)
    return context if context["step"] and context["step"].step.pk == step else None


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
    first = {"starts_on": as_of, "start_mg": page.pe_mg or ""}
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
            if _save_plan(request, patient, steps, page.tablets, now):
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
        "one_mg_per_kg": min(round(kg, 1), WEEKLY_CAP_MG) if kg else None,
        "total": _total(steps),
        "calendar": _preview(steps, page.tablets, as_of),
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


def _save_plan(
    request: ClinicRequest, patient: Patient, form: StepsForm, pills: questions.TabletPlan, now: dt.datetime
) -> bool:
    if not form.is_valid() or form.asks_about(pills.not_made(dose for __, ___, dose in form.numbered())):
        return False
    code = request.POST.get("template", "")
    try:
        actions.plan_taper(
            patient=patient,
            steps=[(day, dose) for number, day, dose in form.numbered()],
            template=code if code in TEMPLATES and request.POST.get("worked_out") else "",
            note=form.cleaned_data["note"],
            by=request.user,
            now=now,
        )
    except ValidationError as error:
        form.add_plan_refusal(error)
        return False
    saved(request, patient, _("Taper planned. Each step waits for somebody to confirm it."), now)
    return True


def _total(form: StepsForm) -> tuple[Decimal, dt.date] | None:
    """mg in all until the last step begins, and that day; None while fewer than two rows are filled in."""
    rows = _filled(form)
    return (cumulative_mg(rows, rows[-1][0] - ONE_DAY), rows[-1][0]) if len(rows) > 1 else None


def _preview(form: StepsForm, pills: questions.TabletPlan, as_of: dt.date) -> questions.Calendar | None:
    """The steps as they stand in the rows, by month; None while fewer than two are filled in."""
    rows = _filled(form)
    return questions.calendar_of(rows, pills, as_of) if len(rows) > 1 else None


def _filled(form: StepsForm) -> list[tuple[dt.date, Decimal]]:
    """The rows that can be read and follow each other; none where one does not."""
    found: list[tuple[dt.date, Decimal]] = []
    for __, day, dose in form.lines():
        try:
            on, mg = day.field.clean(day.value()), dose.field.clean(dose.value())
        except ValidationError:
            return []  # said beside the box when the plan is saved
        if on is None or mg is None:
            continue
        if found and on <= found[-1][0]:
            return []
        found.append((on, mg))
    return found


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
        messages.success(request, _("Saved. Doses of tapers are made of these tablets."))
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
    return _back(request, patient)


def _back(request: ClinicRequest, patient: Patient) -> HttpResponse:
    """To the alert the form stood on, else to the taper."""
    try:
        named = uuid.UUID(request.POST.get("back", ""))
    except ValueError:
        return redirect("clinic:taper", patient.public_id)
    if Alert.objects.filter(patient=patient, public_id=named).exists():
        return redirect("clinic:alert", named)
    return redirect("clinic:taper", patient.public_id)


@needs(Permission.CARRY_OUT)
@require_POST
def confirm(request: ClinicRequest, public_id: uuid.UUID, step: int) -> HttpResponse:
    """Who carries out what others prescribe confirms a step that is due, at its planned dose."""
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
        seen, hold = data.pop("hold_seen"), page.running.hold if page.running else None
        if hold is not None and not seen:
            form.data = {**request.POST.dict(), "hold_seen": "on"}
            said = _("Meanwhile %(who)s put the taper on hold (%(reason)s). Confirm again if the step was taken.")
            raise ValidationError(said % {"who": hold.recorded_by, "reason": hold.reason})
        if not may(request.membership, Permission.PRESCRIBE):
            if found.step_on > patient.day_at(now):
                raise ValidationError(_("This step is not due yet. A clinician can confirm it early."))
            data["out_of_range_reason"] = ""
        course = questions.course_of(patient, data.pop("course"))
        try:
            return actions.confirm_step(step=found, course=course, by=request.user, now=now, **data)
        except ValidationError as error:
            asked = "out_of_range_reason" in getattr(error, "error_dict", {})
            if not asked or may(request.membership, Permission.PRESCRIBE):
                raise
            said = _("This dose is outside every usual range. A clinician confirms it, with a reason.")
            raise ValidationError(said) from None

    return _done(request, patient, now, "confirm", form, _("Step confirmed."), do)


@needs(Permission.PRESCRIBE)
@require_POST
def hold(request: ClinicRequest, public_id: uuid.UUID, plan: int) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    found = _plan_or_404(patient, plan)
    now = timezone.now()
    form = HoldForm(request.POST, auto_id="hold_%s")
    return _done(
        request, patient, now, "hold", form, _("The taper is on hold. Its days do not move."),
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
        request, patient, now, "end", form, _("The plan has ended. Doses stay as they are."),
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
        saved(request, patient, _("Released. The plan counts again from today."), now)
    return _back(request, patient)
