"""The page that explains the API."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.requests import PersonRequest
from clinic.selectors.api_docs import api_docs as docs


@require_safe
def api_docs(request: PersonRequest) -> HttpResponse:
    """For every member: it holds nothing about anybody."""
    if request.membership is None:
        raise PermissionDenied
    base = request.build_absolute_uri("/").rstrip("/")
    return render(request, "clinic/api_docs/page.html", {"docs": docs(), "base": base})
