"""Small entries: lung function, imaging, screening, body size, and what is booked, waived or known to disturb."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms import entry_other as forms
from clinic.selectors import facts
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, patient_or_404, saved
from monitoring import actions, screening_actions
from monitoring.analytes import ANALYTES

EARLIER = 12  # entries shown beside the form


@dataclass(frozen=True)
class Kind:
    """A page that takes one kind of entry, with the earlier ones beside it, newest (by `day`) first."""

    word: str
    route: str
    title: str
    lead: str
    form: type[forms.EntryForm]
    record: Callable[..., Any]
    day: str
    columns: tuple[str, ...]
    empty: str
    save: str = "Save"


LUNG = Kind(
    "lung-function", "clinic:enter-lung", "Lung function",
    "Spirometry, diffusion capacity, or both. A full test has both within 7 days.",
    forms.LungFunctionForm, actions.record_lung_function, "tested_on",
    ("tested_on", "fvc_percent_predicted", "fvc_l", "dlco_percent_predicted", "reference_set"),
    "No lung function is recorded.",
)  # fmt: skip
IMAGING = Kind(
    "imaging", "clinic:enter-imaging", "Imaging",
    "Enter it when it is done; the report may follow as a correction.",
    forms.ImagingForm, actions.record_imaging, "done_on", ("done_on", "modality", "ild"), "No imaging is recorded.",
)  # fmt: skip
BODY_SIZE = Kind(
    "body-size", "clinic:enter-body-size", "Weight and height",
    "Doses per kilogram are told from a weight of the last 90 days.",
    forms.BodySizeForm, actions.record_body_size, "measured_on", ("measured_on", "weight_kg", "height_cm"),
    "No weight is recorded.",
)  # fmt: skip
CONFOUNDER = Kind(
    "confounder", "clinic:enter-confounder", "Other cause of a raised CK",
    "Something other than the disease. It stands beside the CK wherever that is judged.",
    forms.ConfounderForm, actions.record_confounder, "happened_on", ("happened_on", "kind", "note"),
    "Nothing is recorded.",
)  # fmt: skip
FUNCTIONAL = Kind(
    "functional-test", "clinic:enter-functional", "Functional test",
    "One test at a time, in its own unit.",
    forms.FunctionalTestForm, actions.record_functional_test, "tested_on",
    ("tested_on", "instrument", "score", "is_complete"), "No functional test is recorded.",
)  # fmt: skip
SCREENING = Kind(
    "screening", "clinic:enter-screening", "Screening",
    "Something that was looked for: bones, eyes, heart, infection, pregnancy, cancer. What a laboratory measured is "
    "entered with its result.",
    forms.ScreeningForm, screening_actions.record_screening, "done_on", ("done_on", "kind", "outcome", "score", "note"),
    "No screening is recorded.",
)  # fmt: skip
BOOKING = Kind(
    "booking", "clinic:book-test", "Book a test", "What is booked is not asked for meanwhile.",
    forms.BookingForm, actions.book_test, "booked_for", ("booked_for", "kind"), "Nothing is booked.", "Book",
)  # fmt: skip
WAIVER = Kind(
    "waiver", "clinic:waive-test", "Waive a screening test",
    "The test is not asked for until the last day.", forms.WaiverForm, actions.waive_test, "ends_on",
    ("test", "reason", "starts_on", "ends_on"), "No test is waived.", "Waive the test",
)  # fmt: skip
BASELINE = Kind(
    "baseline", "clinic:personal-baseline", "Personal baseline",
    "This person's own normal. It stands in for the lowest value of the last months.",
    forms.BaselineForm, actions.set_personal_baseline, "set_on", ("set_on", "value", "reason"),
    "No baseline is set.", "Set the baseline",
)  # fmt: skip


def _enter(request: ClinicRequest, public_id: uuid.UUID, kind: Kind) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    as_of = patient.day_at(now)
    form = kind.form(request.POST or None, initial=kind.form.first(as_of))
    fact = facts.KINDS[kind.word]
    if request.method == "POST":
        done = attempt(form, lambda: kind.record(patient=patient, by=request.user, now=now, **form.values()))
        if done is not None:
            saved(request, patient, f"{fact.label} saved.", now)
            return redirect("clinic:patient", patient.public_id)
    else:
        looked(by=request.user, centre=request.centre, now=now, page=kind.route, patient=patient)
    columns = [fact.model._meta.get_field(name) for name in kind.columns]
    earlier = list(fact.of(patient).current().order_by(f"-{kind.day}", "-id")[:EARLIER])
    context = {
        "patient": patient,
        "as_of": as_of,
        "kind": kind,
        "form": form,
        "boxes": [(form[name], form.units.get(name, "")) for name in form.fields],
        "named": kind is BASELINE,
        "head": [facts.label_of(column) for column in columns],
        "rows": [
            {
                "cells": [dict(facts.said(row, request.centre.zone))[facts.label_of(column)] for column in columns],
                # An analyte is not among the words of a fact: it is its title.
                "name": _analyte(row),
                "url": reverse("clinic:fact", args=[patient.public_id, kind.word, row.pk]),
            }
            for row in earlier
        ],
        "nav": "clinic:patients",
    }
    return render(request, "clinic/entry/form.html", context, status=422 if form.errors else 200)


def _analyte(row: Any) -> str:
    code = getattr(row, "analyte", "")
    return ANALYTES[code].name if code in ANALYTES else code


@needs(Permission.RECORD_RESULTS)
def lung_function(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _enter(request, public_id, LUNG)


@needs(Permission.RECORD_RESULTS)
def imaging(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _enter(request, public_id, IMAGING)


@needs(Permission.RECORD_RESULTS)
def body_size(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _enter(request, public_id, BODY_SIZE)


@needs(Permission.RECORD_RESULTS)
def confounder(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _enter(request, public_id, CONFOUNDER)


@needs(Permission.RECORD_RESULTS)
def functional_test(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _enter(request, public_id, FUNCTIONAL)


@needs(Permission.RECORD_RESULTS)
def screening(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _enter(request, public_id, SCREENING)


@needs(Permission.BOOK_TESTS)
def booking(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _enter(request, public_id, BOOKING)


@needs(Permission.RECORD_RESULTS)
def waiver(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _enter(request, public_id, WAIVER)


@needs(Permission.MAKE_EXCEPTIONS)
def baseline(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _enter(request, public_id, BASELINE)
