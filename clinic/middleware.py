"""Old addresses of patients lead to where their record is now."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

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
        reading = request.method in ("GET", "HEAD")
        if reading:
            messages.info(request, _("The record you asked for was merged into this one."))
        else:
            messages.warning(request, _("This record was merged into another, which is shown here. Nothing was saved."))
        kept = exception.kept.public_id
        if request.headers.get("HX-Request") == "true":  # a part of a page: the page itself is another's by now
            return HttpResponseClientRedirect(reverse("clinic:patient", args=[kept]))
        if not reading or match is None or set(match.kwargs) != {"public_id"}:
            return redirect("clinic:patient", kept)
        return redirect(match.view_name, public_id=kept)
