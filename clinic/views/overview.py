"""The numbers of the clinic, each opening the list behind it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from clinic.selectors.overview import MISSED_RULE, overview
from clinic.views.shared import ClinicRequest


@needs(Permission.SEE_OVERVIEW)
@require_safe
def show(request: ClinicRequest) -> HttpResponse:
    """Counts only: nobody can be recognised, so looking is not recorded."""
    context = {"page": overview(request.centre, timezone.now()), "missed_rule": MISSED_RULE, "nav": "clinic:overview"}
    return render(request, "clinic/overview/page.html", context)
