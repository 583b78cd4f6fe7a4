"""Old addresses of patients lead to where their record is now."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from clinic.views.shared import MergedInto


class MergedRecordsMiddleware:
    """The page of a record that was merged is the same page of the one that took it in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, MergedInto):
            return None
        match = request.resolver_match
        if request.method not in ("GET", "HEAD") or match is None or set(match.kwargs) != {"public_id"}:
            messages.warning(request, _("This record was merged into another, which is shown here. Nothing was saved."))
            return redirect("clinic:patient", exception.kept.public_id)
        messages.info(request, _("The record you asked for was merged into this one."))
        return redirect(match.view_name, public_id=exception.kept.public_id)
