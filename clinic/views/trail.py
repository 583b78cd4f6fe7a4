"""Who did what, and who looked: of the centre, or of one patient."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms.trail import TrailForm
from clinic.selectors import trail as questions
from clinic.views.listing import answer, narrow_to_patients, narrowed_to
from clinic.views.shared import ClinicRequest, patient_or_404
from common.dates import centre_day
from patients.models import Patient


@needs(Permission.SEE_TRAIL)
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: ClinicRequest) -> HttpResponse:
    searched: dict[str, Any] = {}
    if request.method == "POST":
        found = narrow_to_patients(request, "clinic:trail")
        if isinstance(found, HttpResponse):
            return found
        searched = found
    return _show(request, None, **searched)


@needs(Permission.SEE_TRAIL)
@require_safe
def of_patient(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    return _show(request, patient_or_404(request, public_id))


def _show(request: ClinicRequest, patient: Patient | None, **extra: Any) -> HttpResponse:
    now = timezone.now()
    form = TrailForm(request.GET, questions.people(request.centre))
    filters = form.filters()
    if patient is not None:
        filters = dataclasses.replace(filters, patients=(patient.public_id,))
    before = request.GET.get("before", "")
    leaf = questions.trail(request.centre, filters, int(before) if before.isdecimal() and len(before) < 19 else None)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:trail", patient=patient, rows=len(leaf.lines))
    tabs = []
    query = request.GET.copy()
    query.pop("before", None)
    for what, label in (("changes", _("Who did what")), ("looks", _("Who looked"))):
        query["what"] = what
        tabs.append(
            {"url": f"?{query.urlencode()}", "label": label, "count": None, "here": filters.looks == (what == "looks")}
        )
    context = {
        "patient": patient,
        "form": form,
        "filters": filters,
        "leaf": leaf,
        "lines": [
            (line, questions.page_name(line.page), "")
            if filters.looks
            else (line, questions.what(line), questions.why(line))
            for line in leaf.lines
        ],
        "later": bool(before),
        "narrowed": [] if patient else narrowed_to(request, form.patients),
        "tabs": tabs,
        "as_of": centre_day(now, request.centre.zone),
        "nav": "clinic:trail",
        **extra,
    }
    return answer(request, "clinic/trail/page.html", "clinic/trail/_lines.html", context)
