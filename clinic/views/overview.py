"""The numbers of the clinic, each opening the list behind it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from clinic.selectors import figures, remission
from clinic.selectors import overview as questions
from clinic.views.shared import ClinicRequest, address
from common.dates import centre_day


@needs(Permission.SEE_OVERVIEW)
@require_safe
def show(request: ClinicRequest) -> HttpResponse:
    """Counts only: nobody can be recognised, so looking is not recorded."""
    as_of = centre_day(timezone.now(), request.centre.zone)
    kept = figures.kept(request.centre)
    context = {
        "today": questions.today(request.centre, as_of, kept),
        "past": questions.past(kept, address) if kept is not None else None,
        "remission": remission.definition(),
        "missed_rule": questions.MISSED_RULE,
        "nav": "clinic:overview",
    }
    return render(request, "clinic/overview/page.html", context)
