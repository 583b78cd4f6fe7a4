"""The list of patients, and finding one by name or number."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms.patients import PatientsForm
from clinic.selectors import patients as questions
from clinic.views.listing import PER_PAGE, answer, page_of
from clinic.views.shared import ClinicRequest, can
from common.dates import centre_day

IN_MENU = 8


@needs(Permission.SEE_PATIENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: ClinicRequest) -> HttpResponse:
    """A GET lists; a POST looks for `q`, which is a name or a number and must not stand in an address."""
    now = timezone.now()
    as_of = centre_day(now, request.centre.zone)
    if request.method == "POST":
        return _find(request, now, as_of)
    form = PatientsForm(request.GET, centre=request.centre)
    page = page_of(request, questions.listed(request.centre, form.filters(), as_of))
    looked(by=request.user, centre=request.centre, now=now, page="clinic:patients", rows=len(page.object_list))
    context = {
        "form": form,
        "filters": form.filters(),
        "page": page,
        "rows": questions.patient_rows(list(page.object_list), as_of),
        **_frame(request, as_of),
    }
    return answer(request, "clinic/patients/index.html", "clinic/patients/_list.html", context)


def _frame(request: ClinicRequest, as_of: dt.date) -> dict[str, Any]:
    return {"as_of": as_of, "can": can(request), "nav": "clinic:patients"}


def _find(request: ClinicRequest, now: dt.datetime, as_of: dt.date) -> HttpResponse:
    typed = request.POST.get("q", "").strip()[:200]
    in_menu = request.htmx and request.htmx.target == "search-found"
    limit = IN_MENU if in_menu else PER_PAGE
    found = questions.found_by_name(request.centre, typed, as_of, limit + 1) if typed else []
    shown, more = found[:limit], len(found) > limit
    if shown:
        looked(by=request.user, centre=request.centre, now=now, page="clinic:patients", rows=len(shown))
    if in_menu:
        return render(request, "clinic/patients/_menu.html", {"typed": typed, "found": shown, "more": more})
    if not typed:
        return redirect("clinic:patients")
    if len(shown) == 1:
        return redirect("clinic:patient", shown[0].public_id)
    context = {
        "form": PatientsForm(request.GET, centre=request.centre),
        "typed": typed,
        "searched": True,
        "more": more,
        "limit": limit,
        "rows": questions.patient_rows(shown, as_of),
        **_frame(request, as_of),
    }
    return answer(request, "clinic/patients/index.html", "clinic/patients/_list.html", context)
