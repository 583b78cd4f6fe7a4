"""Registering a patient, changing details, and the entries about the person and the disease."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.guards import needs
from accounts.permissions import Permission, may
from audit.access import looked
from clinic.forms.conflict import is_conflict, reconcile
from clinic.forms.patient import (
    AlikeForm,
    AntibodyForm,
    ConsentForm,
    DetailsForm,
    ExceptionForm,
    FollowUpForm,
    ManifestationForm,
    RegistrationForm,
    RiskForm,
    add_refusal,
)
from clinic.selectors import facts
from clinic.selectors.merge import merges_of
from clinic.views.shared import ClinicRequest, can, patient_or_404, saved
from patients import actions, selectors
from patients.models import Patient


def attempt(form: forms.Form, do: Callable[[], Any]) -> Any:
    """What the action gave; None where the form cannot be read or the action refused, and then the form says why."""
    if not form.is_valid():
        return None
    try:
        return do()
    except ValidationError as error:
        add_refusal(form, error)
        return None


@needs(Permission.EDIT_PATIENTS)
def new(request: ClinicRequest) -> HttpResponse:
    """Who may be the same person is shown while one types (`alike`), and without scripts once the form is sent."""
    form = RegistrationForm(request.POST or None, centre=request.centre)
    found: list[Alike] = []
    if request.method == "POST":
        now = timezone.now()
        patient = attempt(
            form,
            lambda: actions.register_patient(
                centre=request.centre,
                duplicates_seen=bool(form.cleaned_data["reason"].strip()),
                reason=form.cleaned_data["reason"].strip(),
                by=request.user,
                now=now,
                **form.details(),
            ),
        )
        if patient is not None:
            saved(request, patient, gettext("Registered."), now)
            return redirect("clinic:patient", patient.public_id)
        found = _alike(request, now)
        form.say_whose_number(request.centre)  # who that is has been looked at above
        form.ask_about_duplicates()
    asks = any(each.asks for each in found)
    context = {"form": form, "alike": found, "asks": asks, "nav": "clinic:patients"}
    return render(request, "clinic/patient/new.html", context, status=422 if form.errors else 200)


@needs(Permission.EDIT_PATIENTS)
@require_POST
def alike(request: ClinicRequest) -> HttpResponse:
    """Who may be the person whose registration is being typed. What is not finished is not called wrong yet."""
    form = RegistrationForm(request.POST, centre=request.centre)
    form.ask_about_duplicates()
    found = _alike(request, timezone.now())
    asks = any(each.asks for each in found)
    context = {"form": form, "alike": found, "asks": asks, "typed": AlikeForm(request.POST).typed()}
    return render(request, "clinic/patient/_alike.html", context)


@dataclass(frozen=True)
class Alike:
    """Somebody who may be the same person, and what is the same, in words."""

    patient: Patient
    why: Sequence[str]
    asks: bool  # whether it could be said why this is somebody else: a number alone is simply taken


def _alike(request: ClinicRequest, now: dt.datetime) -> list[Alike]:
    words = {
        "number": gettext("the same number"),
        "person": gettext("the same name and day of birth"),
        "alike": gettext("the same day of birth and a similar name"),
        "name": gettext("the same name, another day of birth"),
    }
    typed = AlikeForm(request.POST).typed()
    found = [
        Alike(each.patient, [words[code] for code in each.why], each.why != ["number"])
        for each in selectors.duplicates(request.centre, **typed)
    ]
    if found:
        looked(by=request.user, centre=request.centre, now=now, page="clinic:patient-new", rows=len(found))
    return found


@needs(Permission.EDIT_PATIENTS)
def edit(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    version = selectors.version(patient)
    present = DetailsForm.values_of(patient)
    form = DetailsForm(
        request.POST or None, initial={**present, "version": version}, centre=request.centre,
        at_present=present["clinician"],
    )  # fmt: skip
    conflict = None
    if request.method == "POST":
        changed = attempt(
            form,
            lambda: actions.change_patient(
                patient=patient, version=form.cleaned_data["version"], by=request.user, now=now, **form.details()
            ),
        )
        if changed is not None:
            saved(request, patient, gettext("Details changed."), now)
            return redirect("clinic:patient", patient.public_id)
        namesake = form.say_whose_number(request.centre)
        if namesake is not None:
            looked(by=request.user, centre=request.centre, now=now, page="clinic:patient-edit", patient=namesake)
        change = selectors.changed_since(patient, form.cleaned_data.get("version") or 0) if is_conflict(form) else None
        if change is not None:
            conflict = reconcile(
                form, before=DetailsForm.values_of(change.before), theirs=present, version=version,
                by=str(change.by or gettext("Somebody")), at=change.at,
            )  # fmt: skip
    else:
        looked(by=request.user, centre=request.centre, now=now, page="clinic:patient-edit", patient=patient)
    context = {
        "form": form,
        "patient": patient,
        "conflict": conflict,
        "merges": list(merges_of(patient)) if may(request.membership, Permission.MERGE_PATIENTS) else (),
        "can": can(request),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/patient/edit.html", context, status=422 if form.errors or conflict else 200)


# ------------------------------------------------------------------------- lists of entries with a form to add another


@dataclass(frozen=True)
class Area:
    """A page that lists the current entries of one kind, newest first, and takes another."""

    kind: facts.FactKind
    route: str
    title: Any
    lead: Any
    empty: Any
    form: type[forms.Form]
    order: str
    save: Any
    columns: Sequence[str]


FOLLOW_UP = Area(
    facts.KINDS["follow-up"], "clinic:patient-status", _("Follow-up"),
    _("Only patients under follow-up are asked about by the rules."),
    _("No status recorded: the patient counts as under follow-up."),
    FollowUpForm, "-starts_on", _("Set the status"), ("word", "starts_on"),
)  # fmt: skip
ANTIBODIES = Area(
    facts.KINDS["antibody"], "clinic:patient-antibody", _("Antibodies"),
    _("An antibody that was ever positive counts from then on, for the lung and cancer risk. A weak result does not."),
    _("No antibody result is recorded."),
    AntibodyForm, "-taken_on", _("Save the result"), ("antibody", "result", "taken_on", "assay", "titre"),
)  # fmt: skip
MANIFESTATIONS = Area(
    facts.KINDS["manifestation"], "clinic:patient-manifestation", _("Manifestations"),
    _("Organs involved, from the onset to the last day."), _("No manifestation is recorded."),
    ManifestationForm, "-onset_on", _("Save the manifestation"), ("kind", "onset_on", "ended_on", "note"),
)  # fmt: skip
RISKS = Area(
    facts.KINDS["risk"], "clinic:patient-risk", _("Risk factors"),
    _(
        "What changes which drug is safe and what is looked for. Whether somebody can become pregnant is asked before "
        "some drugs: what was said last counts."
    ),
    _("No risk factor is recorded."),
    RiskForm, "-starts_on", _("Save the risk factor"), ("kind", "starts_on", "ends_on"),
)  # fmt: skip
CONSENT = Area(
    facts.KINDS["consent"], "clinic:patient-consent", _("Consent to research"),
    _("The decision of the latest day counts. Never asked is not consent."), _("The patient has not been asked."),
    ConsentForm, "-decided_on", _("Save the decision"), ("scope", "decision", "decided_on"),
)  # fmt: skip
EXCEPTIONS = Area(
    facts.KINDS["exception"], "clinic:patient-exception", _("Exceptions from rules"),
    _("A rule is not asked about this patient, for a reason, until a day."),
    _("Every rule is asked about this patient."),
    ExceptionForm, "-ends_on", _("Make the exception"), ("rule", "reason", "starts_on", "ends_on"),
)  # fmt: skip


def _area(request: ClinicRequest, public_id: uuid.UUID, area: Area, record: Callable[..., Any]) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    today = patient.day_at(now)
    form = area.form(request.POST or None, initial=_first_values(area, today))
    if request.method == "POST":
        recorded = attempt(form, lambda: record(patient=patient, by=request.user, now=now, **form.cleaned_data))
        if recorded is not None:
            saved(request, patient, gettext("%(what)s saved.") % {"what": gettext(area.kind.label)}, now)
            return redirect(area.route, patient.public_id)
    else:
        looked(by=request.user, centre=request.centre, now=now, page=area.route, patient=patient)
    fields = [area.kind.model._meta.get_field(name) for name in area.columns]
    rows = [
        {
            "cells": [dict(facts.said(fact, request.centre.zone))[facts.label_of(field)] for field in fields],
            "url": reverse("clinic:fact", args=[patient.public_id, area.kind.word, fact.pk]),
        }
        for fact in area.kind.of(patient).current().order_by(area.order, "-id")[:100]
    ]
    context = {
        "patient": patient,
        "area": area,
        "form": form,
        "head": [facts.label_of(field) for field in fields],
        "rows": rows,
        "can": can(request),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/patient/entries.html", context, status=422 if form.errors else 200)


def _first_values(area: Area, today: dt.date) -> dict[str, Any]:
    """Decisions and statuses are mostly of today; days of samples and onsets mostly are not."""
    return {"starts_on": today} if area is FOLLOW_UP else {"decided_on": today} if area is CONSENT else {}


@needs(Permission.EDIT_PATIENTS)
def status(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _area(request, public_id, FOLLOW_UP, actions.set_follow_up_status)


@needs(Permission.RECORD_RESULTS)
def antibodies(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _area(request, public_id, ANTIBODIES, actions.record_antibody)


@needs(Permission.RECORD_RESULTS)
def manifestations(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _area(request, public_id, MANIFESTATIONS, actions.record_manifestation)


@needs(Permission.RECORD_RESULTS)
def risks(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _area(request, public_id, RISKS, actions.record_risk_factor)


@needs(Permission.EDIT_PATIENTS)
def consent(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _area(request, public_id, CONSENT, actions.record_consent)


@needs(Permission.MAKE_EXCEPTIONS)
def exceptions(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _area(request, public_id, EXCEPTIONS, actions.make_exception)
