"""One entry of a patient: its history, and correcting, ending or withdrawing it. Each needs a reason."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guards import needs
from accounts.permissions import Permission, may, require
from audit.access import looked
from audit.facts import dependants
from clinic.forms.patient import EndForm, FactForm, ReasonForm, ResultForm
from clinic.selectors.facts import KINDS, FactKind, history
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, patient_or_404, saved
from common.models import Fact
from monitoring import actions as monitoring
from monitoring.analytes import ANALYTES
from monitoring.entry import enterable
from monitoring.models import Booking, PersonalBaseline, Result
from patients import actions as patients
from patients.models import Manifestation, Patient, RiskFactor, RuleException
from therapy import actions as therapy
from therapy.dosing import name_of
from therapy.models import Course, Infusion


def _find(request: ClinicRequest, public_id: uuid.UUID, word: str, pk: int) -> tuple[Patient, FactKind, Any]:
    patient = patient_or_404(request, public_id)
    if word not in KINDS:
        raise Http404
    fact = get_object_or_404(KINDS[word].of(patient), pk=pk)
    fact.patient = patient
    return patient, KINDS[word], fact


def _correction(data: Any, kind: FactKind, fact: Fact) -> forms.Form | None:
    """The form that corrects `fact`, where there is one here."""
    if isinstance(fact, Result):
        analyte = ANALYTES.get(fact.analyte)
        return ResultForm(data, result=fact, analyte=analyte) if analyte and enterable(analyte) else None
    return FactForm(data, fact=fact, names=kind.correctable) if kind.correctable else None


def _ending(data: Any, fact: Fact) -> tuple[str, forms.Form] | None:
    """(what the button says, its form) for an entry that rightly was and holds no longer."""
    if isinstance(fact, Manifestation) and fact.ended_on is None:
        return _("It is over"), EndForm(data)
    if isinstance(fact, RiskFactor) and fact.ends_on is None:
        return _("It is over"), EndForm(data)
    if isinstance(fact, RuleException):
        return _("End the exception"), ReasonForm(data)
    if isinstance(fact, Booking):
        return _("Cancel the booking"), ReasonForm(data)
    return None


def _title(kind: FactKind, fact: Fact) -> str:
    if isinstance(fact, Result | PersonalBaseline):
        name = _(ANALYTES[fact.analyte].name) if fact.analyte in ANALYTES else fact.analyte
        return name if isinstance(fact, Result) else f"{kind.label}: {name}"
    return f"{kind.label}: {_(name_of(fact.drug))}" if isinstance(fact, Course) else str(kind.label)


def _page(
    request: ClinicRequest,
    patient: Patient,
    kind: FactKind,
    fact: Fact,
    *,
    now: dt.datetime,
    wrong: forms.Form | None = None,
    part: str = "",
) -> HttpResponse:
    """The entry with its forms; `wrong` is the form of `part` that was sent and refused."""
    story = history(fact, request.centre.zone)
    changeable = fact.is_current and may(request.membership, kind.permission)
    ending = _ending(None, fact) if changeable else None
    context = {
        "patient": patient,
        "kind": kind,
        "fact": fact,
        "title": _title(kind, fact),
        "history": story,
        "newest_url": reverse("clinic:fact", args=[patient.public_id, kind.word, story.newest.pk]),
        "changeable": changeable,
        "correct_form": (wrong if part == "correct" else _correction(None, kind, fact)) if changeable else None,
        "end_label": ending[0] if ending else "",
        "end_form": (wrong if part == "end" else ending[1]) if ending else None,
        "withdraw_form": (wrong if part == "withdraw" else ReasonForm(auto_id="withdraw_%s")) if changeable else None,
        "hanging": len(dependants(fact)) if changeable else 0,
        "part": part,
        "as_of": patient.day_at(now),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/patient/fact.html", context, status=422 if wrong is not None else 200)


@needs(Permission.SEE_PATIENTS)
def show(request: ClinicRequest, public_id: uuid.UUID, word: str, pk: int) -> HttpResponse:
    patient, kind, fact = _find(request, public_id, word, pk)
    now = timezone.now()
    looked(by=request.user, centre=request.centre, now=now, page="clinic:fact", patient=patient)
    return _page(request, patient, kind, fact, now=now)


def _change(
    request: ClinicRequest,
    found: tuple[Patient, FactKind, Any],
    form: forms.Form | None,
    part: str,
    text: str,
    do: Callable[[Any, dt.datetime], Any],
) -> HttpResponse:
    patient, kind, fact = found
    require(request.membership, kind.permission)
    if form is None:
        raise Http404
    now = timezone.now()
    done = attempt(form, lambda: do(form, now))
    if done is None:
        if isinstance(form, ResultForm) and any(e.code == "confirm" for e in form.errors.as_data().get(form.box, ())):
            form.ask_to_confirm()
        return _page(request, patient, kind, fact, now=now, wrong=form, part=part)
    saved(request, patient, text, now)
    return redirect("clinic:fact", patient.public_id, kind.word, done.pk)


@needs(Permission.SEE_PATIENTS)
@require_http_methods(["GET", "POST"])
def correct(request: ClinicRequest, public_id: uuid.UUID, word: str, pk: int) -> HttpResponse:
    """The right values in place of the wrong ones, which stay in the history."""
    found = _find(request, public_id, word, pk)
    if request.method == "GET":
        return redirect("clinic:fact", public_id, word, pk)
    form = _correction(request.POST, found[1], found[2])
    text = _("Corrected. The old entry is kept in its history.")
    return _change(request, found, form, "correct", text, _correct(request, found[2]))


def _correct(request: ClinicRequest, fact: Any) -> Callable[[Any, dt.datetime], Any]:
    def result(form: ResultForm, now: dt.datetime) -> Fact:
        data = form.cleaned_data
        same = not ({"taken_on", "taken_time"} & set(form.changed_data))
        return monitoring.correct_result(
            result=fact,
            typed=form.typed(),
            reason=data["reason"],
            taken_on=None if same else data["taken_on"],
            taken_time=None if same else data["taken_time"],
            by=request.user,
            now=now,
        )

    def other(form: FactForm, now: dt.datetime) -> Fact:
        return patients.correct_fact(
            fact=fact, reason=form.cleaned_data["reason"], changes=form.changes(), by=request.user, now=now
        )

    def infusion(form: FactForm, now: dt.datetime) -> Fact:
        reason = form.cleaned_data["reason"]
        return therapy.correct_infusion(infusion=fact, reason=reason, **form.changes(), by=request.user, now=now)

    if isinstance(fact, Infusion):
        return infusion
    return result if isinstance(fact, Result) else other


@needs(Permission.SEE_PATIENTS)
@require_POST
def withdraw(request: ClinicRequest, public_id: uuid.UUID, word: str, pk: int) -> HttpResponse:
    """It was entered in error. It stays in the history, and nothing is worked out from it any more."""
    found = _find(request, public_id, word, pk)

    def do(form: ReasonForm, now: dt.datetime) -> Fact:
        fact, reason = found[2], form.cleaned_data["reason"]
        if isinstance(fact, Result):
            return monitoring.withdraw_result(result=fact, reason=reason, by=request.user, now=now)
        return patients.withdraw_fact(fact=fact, reason=reason, by=request.user, now=now)

    form = ReasonForm(request.POST, auto_id="withdraw_%s")
    return _change(request, found, form, "withdraw", _("Withdrawn. It is kept in the history."), do)


@needs(Permission.SEE_PATIENTS)
@require_POST
def end(request: ClinicRequest, public_id: uuid.UUID, word: str, pk: int) -> HttpResponse:
    """It rightly was, and holds no longer: a manifestation or risk, an exception, a booking that is cancelled."""
    found = _find(request, public_id, word, pk)
    fact = found[2]
    ending = _ending(request.POST, fact)

    def do(form: forms.Form, now: dt.datetime) -> Fact:
        data: dict[str, Any] = {**form.cleaned_data, "by": request.user, "now": now}
        if isinstance(fact, Manifestation):
            return patients.end_manifestation(manifestation=fact, **data)
        if isinstance(fact, RiskFactor):
            return patients.end_risk_factor(risk=fact, **data)
        if isinstance(fact, RuleException):
            return patients.end_exception(exception=fact, **data)
        return monitoring.cancel_booking(booking=fact, **data)

    return _change(request, found, ending[1] if ending else None, "end", _("Ended."), do)
