"""Physiotherapy: plans, sessions and what became of them; the sessions of a day over all patients."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms.physio import BookForm, DeclineForm, EndForm, PauseForm, PlanForm, plan_forms
from clinic.selectors import physio as questions
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, can, patient_or_404, saved
from common.dates import centre_day
from patients.models import Patient
from therapy import actions
from therapy.models import PhysioPlan, PhysioSession

FURTHEST = dt.timedelta(days=5 * 366)  # a day beyond is a slip in typing the year


def _page(
    request: ClinicRequest, patient: Patient, now: dt.datetime, wrong: tuple[str, int, forms.Form] | None = None
) -> HttpResponse:
    """The page; `wrong` is the one form that was refused: its part, its plan (0 for none), the form."""
    as_of = patient.day_at(now)
    page = questions.page(patient, as_of, _month(request.GET.get("month", ""), as_of))
    of_patient: dict[str, forms.Form] = {
        "plan": PlanForm(initial={"starts_on": as_of}, auto_id="plan_%s"),
        "decline": DeclineForm(initial={"declined_on": as_of}, auto_id="decline_%s"),
    }
    plans = [(line, plan_forms(line.plan.pk, as_of)) for line in page.plans]
    part, plan_id = (wrong[0], wrong[1]) if wrong else ("", 0)
    if wrong is not None:
        for line, of_plan in plans:
            if line.plan.pk == plan_id:
                of_plan[part] = wrong[2]
        if not plan_id:
            of_patient[part] = wrong[2]
    context = {
        "patient": patient,
        "as_of": as_of,
        "page": page,
        "month": page.month,
        "plans": plans,
        "forms": of_patient,
        "wrong": part,
        "wrong_plan": plan_id,
        "can": can(request),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/physio/page.html", context, status=422 if wrong else 200)


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    looked(by=request.user, centre=request.centre, now=now, page="clinic:physio", patient=patient)
    return _page(request, patient, now)


def _done(
    request: ClinicRequest,
    patient: Patient,
    now: dt.datetime,
    part: str,
    plan_id: int,
    form: forms.Form,
    text: str,
    do: Callable[[], Any],
) -> HttpResponse:
    if attempt(form, do) is None:
        return _page(request, patient, now, (part, plan_id, form))
    shown = form.cleaned_data["first_on"] if part == "book" else None
    back = _address(patient, shown)
    saved(request, patient, text, now, back=back)
    return redirect(back)


def _address(patient: Patient, month: dt.date | None) -> str:
    """The page of the patient, with the month of this day."""
    return reverse("clinic:physio", args=[patient.public_id]) + (f"?month={month:%Y-%m}" if month else "")


@needs(Permission.RECORD_PHYSIO)
@require_POST
def plan(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    form = PlanForm(request.POST, auto_id="plan_%s")
    return _done(
        request, patient, now, "plan", 0, form, _("Plan saved. Book its sessions next."),
        lambda: actions.plan_physio(patient=patient, by=request.user, now=now, **form.cleaned_data),
    )  # fmt: skip


@needs(Permission.RECORD_PHYSIO)
@require_POST
def decline(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    form = DeclineForm(request.POST, auto_id="decline_%s")
    return _done(
        request, patient, now, "decline", 0, form, _("Recorded: physiotherapy is declined for now."),
        lambda: actions.decline_physio(patient=patient, by=request.user, now=now, **form.cleaned_data),
    )  # fmt: skip


def _plan_or_404(patient: Patient, pk: int) -> PhysioPlan:
    found: PhysioPlan = get_object_or_404(PhysioPlan.objects.current().filter(patient=patient), pk=pk)
    found.patient = patient
    return found


@needs(Permission.RECORD_PHYSIO)
@require_POST
def book(request: ClinicRequest, public_id: uuid.UUID, plan: int) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    found = _plan_or_404(patient, plan)
    now = timezone.now()
    form = BookForm(request.POST, auto_id=f"book_{plan}_%s")
    return _done(
        request, patient, now, "book", plan, form, _("Booked."),
        lambda: actions.book_sessions(plan=found, by=request.user, now=now, **form.cleaned_data),
    )  # fmt: skip


@needs(Permission.RECORD_PHYSIO)
@require_POST
def pause(request: ClinicRequest, public_id: uuid.UUID, plan: int) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    found = _plan_or_404(patient, plan)
    now = timezone.now()
    form = PauseForm(request.POST, auto_id=f"pause_{plan}_%s")
    return _done(
        request, patient, now, "pause", plan, form, _("Paused. Nobody asks about missed sessions meanwhile."),
        lambda: actions.pause_physio(plan=found, by=request.user, now=now, **form.cleaned_data),
    )  # fmt: skip


@needs(Permission.RECORD_PHYSIO)
@require_POST
def end(request: ClinicRequest, public_id: uuid.UUID, plan: int) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    found = _plan_or_404(patient, plan)
    now = timezone.now()
    form = EndForm(request.POST, auto_id=f"end_{plan}_%s")
    return _done(
        request, patient, now, "end", plan, form, _("The plan has ended."),
        lambda: actions.end_physio(plan=found, by=request.user, now=now, **form.cleaned_data),
    )  # fmt: skip


@needs(Permission.RECORD_PHYSIO)
@require_POST
def resume(request: ClinicRequest, public_id: uuid.UUID, plan: int) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    found = _plan_or_404(patient, plan)
    now = timezone.now()
    back = _address(patient, None)
    try:
        actions.resume_physio(plan=found, by=request.user, now=now)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        saved(request, patient, _("Resumed from today."), now, back=back)
    return redirect(back)


@needs(Permission.RECORD_PHYSIO)
@require_POST
def outcome(request: ClinicRequest, public_id: uuid.UUID, session: int) -> HttpResponse:
    """What became of a session, by one button; from the page of the patient or from the list of a day."""
    patient = patient_or_404(request, public_id)
    rows = PhysioSession.objects.current().filter(patient=patient, plan__retired_at__isnull=True)
    found: PhysioSession = get_object_or_404(rows.select_related("plan"), pk=session)
    found.patient = patient
    now = timezone.now()
    as_of = patient.day_at(now)
    day = _near(request.POST.get("day", ""), as_of)
    shown = _month(request.POST.get("month", ""), as_of) if "month" in request.POST else None
    list_of_day = reverse("clinic:physio-today") + (f"?day={day.isoformat()}" if day else "")
    back = list_of_day if day else _address(patient, shown)
    word = request.POST.get("word", "")
    try:
        if word not in questions.BY_WORD:
            raise ValidationError(_("Choose what became of the session."))
        actions.record_outcome(session=found, word=word, by=request.user, now=now)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        said = _("%(day)s: %(outcome)s.") % {
            "day": date_format(found.held_on, "MONTH_DAY_FORMAT"),
            "outcome": questions.BY_WORD[word].label,
        }
        saved(request, patient, said, now, back=back)
    if not request.htmx:
        return redirect(back)
    line = questions.session_line(found, as_of)
    context = {"line": line, "patient": patient, "as_of": as_of, "can": can(request), "day": day, "fresh": True}
    if day is not None:
        context["page"] = questions.of_day(request.centre, day, as_of)
    else:
        page = questions.page(patient, as_of, shown or as_of)
        context["month"] = page.month
        context["as_row"] = "row" in request.POST
        # The counts of its plan would go stale beside it.
        context["plan_line"] = next((each for each in page.plans if each.plan.pk == found.plan_id), None)
    return render(request, "clinic/physio/_recorded.html", context)


def _near(text: str, as_of: dt.date) -> dt.date | None:
    """A day as an address writes it; None where it is none, or one that no session can be on."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day is not None and abs(day - as_of) <= FURTHEST else None


def _month(text: str, as_of: dt.date) -> dt.date:
    """The first day of a month as an address writes it; of the present one where it is none."""
    return (_near(f"{text}-01", as_of) or as_of).replace(day=1)


@needs(Permission.RECORD_PHYSIO)
@require_safe
def today(request: ClinicRequest) -> HttpResponse:
    """The sessions of a day over all patients of the centre, and those nobody has recorded yet."""
    now = timezone.now()
    as_of = centre_day(now, request.centre.zone)
    day = _near(request.GET.get("day", ""), as_of) or as_of
    page = questions.of_day(request.centre, day, as_of)
    shown = len(page.lines) + len(page.unrecorded) + sum(len(lines) for _, lines in page.week)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:physio-today", rows=shown)
    one = dt.timedelta(days=1)
    context = {
        "page": page,
        "as_of": as_of,
        "day": day,
        "before": day - one,
        "after": day + one,
        "can": can(request),
    }
    return render(request, "clinic/physio/today.html", context)
