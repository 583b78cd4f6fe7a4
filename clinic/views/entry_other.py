"""Small entries: lung function, imaging, screening, body size, and what is booked, waived or known to disturb."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms import entry_other as forms
from clinic.selectors import facts
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, patient_or_404, saved
from monitoring import actions, screening_actions
from monitoring.analytes import ANALYTES
from monitoring.models import Instrument

SAVE = _("Save")
EARLIER = 12  # entries shown beside the form


@dataclass(frozen=True)
class Kind:
    """A page that takes one kind of entry, with the earlier ones beside it, newest (by `day`) first."""

    word: str
    route: str
    title: Any
    lead: Any
    form: type[forms.EntryForm]
    record: Callable[..., Any]
    day: str
    columns: tuple[str, ...]
    empty: Any
    save: Any = SAVE
    others: tuple[tuple[Any, str], ...] = ()  # (words, the last part of the address) of pages beside this one


LUNG = Kind(
    "lung-function", "clinic:enter-lung", _("Lung function"),
    _("Spirometry, diffusion capacity, or both. A full test has both within 7 days."),
    forms.LungFunctionForm, actions.record_lung_function, "tested_on",
    ("tested_on", "fvc_percent_predicted", "fvc_l", "dlco_percent_predicted", "reference_set"),
    _("No lung function is recorded."),
)  # fmt: skip
IMAGING = Kind(
    "imaging", "clinic:enter-imaging", _("Imaging"),
    _("Enter it when it is done; the report may follow as a correction."),
    forms.ImagingForm, actions.record_imaging, "done_on", ("done_on", "modality", "ild"), _("No imaging is recorded."),
)  # fmt: skip
BODY_SIZE = Kind(
    "body-size", "clinic:enter-body-size", _("Weight and height"),
    _("Doses per kilogram are told from a weight of the last 90 days."),
    forms.BodySizeForm, actions.record_body_size, "measured_on", ("measured_on", "weight_kg", "height_cm"),
    _("No weight is recorded."),
)  # fmt: skip
CONFOUNDER = Kind(
    "confounder", "clinic:enter-confounder", _("Other cause of a raised CK"),
    _("Something other than the disease. It stands beside the CK wherever that is judged."),
    forms.ConfounderForm, actions.record_confounder, "happened_on", ("happened_on", "kind", "note"),
    _("Nothing is recorded."),
)  # fmt: skip
FUNCTIONAL = Kind(
    "functional-test", "clinic:enter-functional", _("Functional test"),
    _("One test at a time, in its own unit. The score is enough; by its items or tasks it is worked out."),
    forms.FunctionalTestForm, actions.record_functional_test, "tested_on",
    ("tested_on", "instrument", "score", "is_complete"), _("No functional test is recorded."),
    others=(
        (_("IBM Functional Rating Scale by its items"), Instrument.IBMFRS.value),
        (_("Functional Index 2 by its tasks"), Instrument.FI2.value),
        (_("Functional Index 3 by its tasks"), Instrument.FI3.value),
    ),
)  # fmt: skip


_REPETITIONS = _("Repetitions of each task. Once all are done, the score is the mean of their percentages.")


def _by_items(title: Any, lead: Any, form: type[forms.ItemsForm]) -> Kind:
    return replace(FUNCTIONAL, route="clinic:enter-items", title=title, lead=lead, form=form, others=())


BY_ITEMS = {
    kind.form.instrument.value: kind  # type: ignore[attr-defined]
    for kind in (
        _by_items(
            _("IBM Functional Rating Scale"),
            _("Ten items of 0 to 4, 4 is normal. With an item left blank there is no total, and none is estimated."),
            forms.IbmfrsForm,
        ),
        _by_items(
            _("Functional Index 2"),
            _REPETITIONS,
            forms.FunctionalIndex2Form,
        ),
        _by_items(
            _("Functional Index 3"),
            _REPETITIONS,
            forms.FunctionalIndex3Form,
        ),
    )
}
SCREENING = Kind(
    "screening", "clinic:enter-screening", _("Screening"),
    _("Something that was looked for: bones, eyes, heart, infection, pregnancy, cancer. What a laboratory measured is "
    "entered with its result."),
    forms.ScreeningForm, screening_actions.record_screening, "done_on", ("done_on", "kind", "outcome", "score", "note"),
    _("No screening is recorded."),
)  # fmt: skip
BOOKING = Kind(
    "booking", "clinic:book-test", _("Book a test"), _("What is booked is not asked for meanwhile."),
    forms.BookingForm, actions.book_test, "booked_for", ("booked_for", "kind"), _("Nothing is booked."), _("Book"),
)  # fmt: skip
WAIVER = Kind(
    "waiver", "clinic:waive-test", _("Waive a screening test"),
    _("The test is not asked for until the last day."), forms.WaiverForm, actions.waive_test, "ends_on",
    ("test", "reason", "starts_on", "ends_on"), _("No test is waived."), _("Waive the test"),
)  # fmt: skip
BASELINE = Kind(
    "baseline", "clinic:personal-baseline", _("Personal baseline"),
    _("This person's own normal. It stands in for the lowest value of the last months."),
    forms.BaselineForm, actions.set_personal_baseline, "set_on", ("set_on", "value", "reason"),
    _("No baseline is set."), _("Set the baseline"),
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
            saved(request, patient, gettext("%(what)s saved.") % {"what": gettext(fact.label)}, now)
            return redirect("clinic:patient", patient.public_id)
    else:
        looked(by=request.user, centre=request.centre, now=now, page=kind.route, patient=patient)
    columns = [fact.model._meta.get_field(name) for name in kind.columns]
    earlier = list(fact.of(patient).current().order_by(f"-{kind.day}", "-id")[:EARLIER])
    before = _answers_before(form, earlier)
    context = {
        "patient": patient,
        "as_of": as_of,
        "kind": kind,
        "form": form,
        "boxes": [(form[name], form.unit_of(name), before.get(name, "")) for name in form.fields],
        "others": [
            (words, reverse("clinic:enter-items", args=[patient.public_id, word])) for words, word in kind.others
        ],
        "named": kind is BASELINE,
        "itemised": isinstance(form, forms.ItemsForm),
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


def _answers_before(form: forms.EntryForm, earlier: list[Any]) -> dict[str, str]:
    """The items of the last test of this instrument, in grey beside their boxes."""
    if not isinstance(form, forms.ItemsForm):
        return {}
    last = next((row for row in earlier if row.instrument == form.instrument and row.answers), None)
    if last is None:
        return {}
    day = formats.date_format(last.tested_on)
    return {
        code: gettext("last %(value)s on %(day)s") % {"value": answer, "day": day}
        for code, answer in last.answers.items()
    }


def _analyte(row: Any) -> str:
    code = getattr(row, "analyte", "")
    return gettext(ANALYTES[code].name) if code in ANALYTES else code


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
def by_items(request: ClinicRequest, public_id: uuid.UUID, instrument: str) -> HttpResponse:
    """A functional test by its items or tasks."""
    if instrument not in BY_ITEMS:
        raise Http404
    return _enter(request, public_id, BY_ITEMS[instrument])


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
