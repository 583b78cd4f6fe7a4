"""Typing the results of one sample, by keyboard."""

from __future__ import annotations

import datetime as dt
import uuid

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms import entry_labs as panel
from clinic.views.shared import ClinicRequest, patient_or_404, saved
from monitoring import actions, selectors
from monitoring.selectors import PrintedLimits
from patients.models import Patient

# Of this person in this session: the next patient's blood went to the same laboratory, which prints the same units.
LAST_LABORATORY = "laboratory"
UNITS = "laboratory_units"  # {laboratory: {analyte: unit}}, where it is not the one first offered
LABORATORIES_KEPT = 5


@needs(Permission.RECORD_RESULTS)
def enter(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    patient = patient_or_404(request, public_id)
    now = timezone.now()
    today = patient.day_at(now)
    previous = selectors.previous_values(patient, panel.ENTERED, today)
    printed = selectors.printed_limits(patient, panel.ENTERED, today)
    checked = ""
    if request.method == "POST":
        form = panel.SampleForm(request.POST, today=today)
        made_for = request.POST.get("made_for", "")
        lines = panel.typed_lines(request.POST, previous, printed.get(made_for, {}))
        if _save(request, patient, form, lines, made_for, now):
            return redirect("clinic:patient", patient.public_id)
        laboratory = made_for
        checked = panel.what_was_asked(lines, request.POST.get("laboratory", "").strip())
    else:
        laboratory = next(iter(printed), "") or request.session.get(LAST_LABORATORY, "")
        form = panel.SampleForm(initial={"taken_on": today, "laboratory": laboratory}, today=today)
        lines = panel.blank_lines(previous, printed.get(laboratory, {}), units=_units(request).get(laboratory))
        looked(by=request.user, centre=request.centre, now=now, page="clinic:enter-panel", patient=patient)
    standard, others = panel.groups(lines)
    wrong = bool(form.errors) or panel.has_something_to_say(lines)
    context = {
        "patient": patient,
        "as_of": today,
        "form": form,
        "lines": lines,
        "standard": standard,
        "others": others,
        "asking": [line for line in lines if line.asks],
        "wrong": wrong,
        "made_for": laboratory,
        "checked": checked,
        "laboratories": [name for name in dict.fromkeys([*printed, *_units(request)]) if name],
        "printed": _as_data(printed, _units(request)),
        "nav": "clinic:patients",
    }
    return render(request, "clinic/entry/panel.html", context, status=422 if wrong else 200)


def _save(
    request: ClinicRequest,
    patient: Patient,
    form: panel.SampleForm,
    lines: list[panel.Line],
    made_for: str,
    now: dt.datetime,
) -> bool:
    """Whether it was saved; else form and lines say why not."""
    for line in lines:
        line.look()
    valid = form.is_valid()
    panel.question_stale_limits(
        lines,
        made_for=made_for,
        laboratory=request.POST.get("laboratory", "").strip(),
        checked=request.POST.get("checked", ""),
    )
    if not valid or panel.has_something_to_say(lines):
        return False
    typed = [line.typed for line in lines if not line.is_blank]
    try:
        actions.record_panel(patient=patient, values=typed, by=request.user, now=now, **form.cleaned_data)
    except ValidationError as error:
        panel.add_refusal(form, lines, error)
        return False
    _remember(request, form.cleaned_data["laboratory"], lines)
    text = ngettext("%(n)s result saved.", "%(n)s results saved.", len(typed)) % {"n": len(typed)}
    saved(request, patient, text, now)
    return True


def _units(request: ClinicRequest) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = request.session.get(UNITS, {})
    return found


def _remember(request: ClinicRequest, laboratory: str, lines: list[panel.Line]) -> None:
    """The laboratory, and its units of the tests typed: chosen once, they are there for the next patient."""
    request.session[LAST_LABORATORY] = laboratory
    kept = _units(request)
    chosen = kept.pop(laboratory, {}) | {line.code: line.unit for line in lines if not line.is_blank and line.units}
    request.session[UNITS] = dict([*kept.items(), (laboratory, chosen)][-LABORATORIES_KEPT:])


@needs(Permission.RECORD_RESULTS)
@require_POST
def look(request: ClinicRequest, public_id: uuid.UUID, code: str) -> HttpResponse:
    """What is to be said about one line while the others are typed. Writes nothing."""
    if code not in panel.ENTERED:
        raise Http404
    patient = patient_or_404(request, public_id)
    today = patient.day_at(timezone.now())
    previous = selectors.previous_values(patient, [code], today)
    line = panel.typed_lines(request.POST, previous, {}, [code])[0]
    line.look()
    return render(request, "clinic/entry/_line_note.html", {"line": line})


def _as_data(
    printed: dict[str, dict[str, PrintedLimits]], units: dict[str, dict[str, str]]
) -> dict[str, dict[str, list[str]]]:
    """What is known of every laboratory for the script: {laboratory: {analyte: [unit, low, upper]}}."""
    known: dict[str, dict[str, list[str]]] = {}
    for name in dict.fromkeys([*printed, *units]):
        of_name, chosen = printed.get(name, {}), units.get(name, {})
        lines = panel.blank_lines({}, of_name, dict.fromkeys([*of_name, *chosen]), chosen)
        known[name] = {line.code: [line.unit, line.low, line.uln] for line in lines}
    return known
