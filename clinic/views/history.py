"""Alerts of any age: who closed them, why, and what became of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from clinic.forms.history import HistoryForm
from clinic.selectors import history as questions
from clinic.views.listing import answer, narrow_to_patients, narrowed_to, page_of
from clinic.views.shared import ClinicRequest
from clinic.views.worklist import list_tabs
from common.dates import centre_day


@needs(Permission.SEE_PATIENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: ClinicRequest) -> HttpResponse:
    """A GET lists; a POST looks for patients by name."""
    searched: dict[str, Any] = {}
    if request.method == "POST":
        found = narrow_to_patients(request, "clinic:history")
        if isinstance(found, HttpResponse):
            return found
        searched = found
    now = timezone.now()
    as_of = centre_day(now, request.centre.zone)
    form = HistoryForm(request.GET, centre=request.centre)
    filters = form.filters()
    page = page_of(request, questions.history(request.centre, filters))
    rows = questions.rows(page.object_list, now)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:history", rows=len(rows))
    context = {
        "form": form,
        "filters": filters,
        "page": page,
        "rows": rows,
        "definition": questions.definition(filters),
        "narrowed": narrowed_to(request, form.patients),
        "tabs": list_tabs(request, as_of, "history"),
        "as_of": as_of,
        "nav": "clinic:worklist",
        **searched,
    }
    return answer(request, "clinic/worklist/history.html", "clinic/worklist/_history.html", context)
