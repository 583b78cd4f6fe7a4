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

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms.patient import (
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
    form = RegistrationForm(request.POST or None)
    alike: list[Patient] = []
    if request.method == "POST":
        now = timezone.now()
        patient = attempt(
            form,
            lambda: actions.register_patient(
                centre=request.centre,
                duplicates_seen=form.cleaned_data["duplicates_seen"],
                by=request.user,
                now=now,
                **form.details(),
            ),
        )
        if patient is not None:
            saved(request, patient, "Registered.", now)
            return redirect("clinic:patient", patient.public_id)
        if "duplicates_seen" in form.errors or form.data.get("duplicates_seen"):
            form.ask_about_duplicates()
            typed = form.details() if "born_on" in form.cleaned_data else {}
            names = ("record_number", "family_name", "given_name", "born_on")
            alike = selectors.duplicates(request.centre, **{name: typed[name] for name in names if typed.get(name)})
            looked(by=request.user, centre=request.centre, now=now, page="clinic:patient-new", rows=len(alike))
    context = {"form": form, "alike": alike, "nav": "clinic:patients"}
    return render(request, "clinic/patient/new.html", context, status=422 if form.errors else 200)


@needs(Permission.EDIT_PATIENTS)
def edit(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    version = selectors.version(patient)
    form = DetailsForm(request.POST or None, initial=DetailsForm.values_of(patient, version))
    conflict = False
    if request.method == "POST":
        changed = attempt(
            form,
            lambda: actions.change_patient(
                patient=patient, version=form.cleaned_data["version"], by=request.user, now=now, **form.details()
            ),
        )
        if changed is not None:
            saved(request, patient, "Details changed.", now)
            return redirect("clinic:patient", patient.public_id)
        if any(error.code == "conflict" for error in form.non_field_errors().as_data()):
            # What was typed is kept; what the other person wrote stands beside it, and the next press saves over it.
            conflict = True
            form.data = {**request.POST.dict(), "version": str(version)}
    else:
        looked(by=request.user, centre=request.centre, now=now, page="clinic:patient-edit", patient=patient)
    context = {"form": form, "patient": patient, "conflict": conflict, "nav": "clinic:patients"}
    return render(request, "clinic/patient/edit.html", context, status=422 if form.errors else 200)


# ------------------------------------------------------------------------- lists of entries with a form to add another


@dataclass(frozen=True)
class Area:
    """A page that lists the current entries of one kind, newest first, and takes another."""

    kind: facts.FactKind
    route: str
    title: str
    lead: str
    empty: str
    form: type[forms.Form]
    order: str
    save: str
    columns: Sequence[str]


FOLLOW_UP = Area(
    facts.KINDS["follow-up"], "clinic:patient-status", "Follow-up",
    "Only patients under follow-up are asked about by the rules.",
    "No status recorded: the patient counts as under follow-up.",
    FollowUpForm, "-starts_on", "Set the status", ("word", "starts_on"),
)  # fmt: skip
ANTIBODIES = Area(
    facts.KINDS["antibody"], "clinic:patient-antibody", "Antibodies",
    "An antibody that was ever positive counts from then on, for the lung and cancer risk. A weak result does not.",
    "No antibody result is recorded.",
    AntibodyForm, "-taken_on", "Save the result", ("antibody", "result", "taken_on", "assay", "titre"),
)  # fmt: skip
MANIFESTATIONS = Area(
    facts.KINDS["manifestation"], "clinic:patient-manifestation", "Manifestations",
    "Organs involved, from the onset to the last day.", "No manifestation is recorded.",
    ManifestationForm, "-onset_on", "Save the manifestation", ("kind", "onset_on", "ended_on", "note"),
)  # fmt: skip
RISKS = Area(
    facts.KINDS["risk"], "clinic:patient-risk", "Risk factors",
    "What changes which drug is safe and what is looked for. Whether somebody can become pregnant is asked before some "
    "drugs: what was said last counts.",
    "No risk factor is recorded.",
    RiskForm, "-starts_on", "Save the risk factor", ("kind", "starts_on", "ends_on"),
)  # fmt: skip
CONSENT = Area(
    facts.KINDS["consent"], "clinic:patient-consent", "Consent to research",
    "The decision of the latest day counts. Never asked is not consent.", "The patient has not been asked.",
    ConsentForm, "-decided_on", "Save the decision", ("scope", "decision", "decided_on"),
)  # fmt: skip
EXCEPTIONS = Area(
    facts.KINDS["exception"], "clinic:patient-exception", "Exceptions from rules",
    "A rule is not asked about this patient, for a reason, until a day.",
    "Every rule is asked about this patient.",
    ExceptionForm, "-ends_on", "Make the exception", ("rule", "reason", "starts_on", "ends_on"),
)  # fmt: skip


def _area(request: ClinicRequest, public_id: uuid.UUID, area: Area, record: Callable[..., Any]) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    today = patient.day_at(now)
    form = area.form(request.POST or None, initial=_first_values(area, today))
    if request.method == "POST":
        recorded = attempt(form, lambda: record(patient=patient, by=request.user, now=now, **form.cleaned_data))
        if recorded is not None:
            saved(request, patient, f"{area.kind.label} saved.", now)
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
