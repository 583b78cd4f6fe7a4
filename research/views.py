"""The page of releases: what was taken, and how to take one."""

from __future__ import annotations

import datetime as dt

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from accounts.requests import ClinicRequest
from research import selectors
from research.tables import TABLES

PER_PAGE = 50
BROKEN_OFF_AFTER = dt.timedelta(minutes=15)


@require_safe
@needs(Permission.EXPORT_RESEARCH)
def releases(request: ClinicRequest) -> HttpResponse:
    """It names no patient, so looking at it is not recorded; taking a table is."""
    now = timezone.now()
    today = now.astimezone(request.centre.zone).date()
    page = Paginator(selectors.releases(request.centre), PER_PAGE).get_page(request.GET.get("page"))
    # One that began just now is still being sent: the list asks for itself anew until none is.
    under_way = {r.pk for r in page.object_list if r.finished_at is None and now - r.taken_at < BROKEN_OFF_AFTER}
    if request.htmx:
        return render(request, "research/_taken.html", {"page": page, "under_way": under_way})
    return render(
        request,
        "research/releases.html",
        {
            "page": page,
            "under_way": under_way,
            "tables": TABLES.values(),
            "consented": selectors.consented(request.centre, today).count(),
            "patients": request.centre.patients.count(),
            "base": request.build_absolute_uri("/").rstrip("/"),
            "suggested": f"release-{today:%Y-%m}",
        },
    )
