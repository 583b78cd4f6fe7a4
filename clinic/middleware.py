"""Addresses that are no page lead to one: of records that were merged, and of forms."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from clinic.views.shared import MergedInto


class FormAddressMiddleware:
    """Whoever opens an address that takes only what a form sends (reloaded, bookmarked) is led to the page above it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = request.method in ("GET", "HEAD") and request.headers.get("HX-Request") != "true"
        if response.status_code != 405 or not is_page or request.path.startswith("/api/"):
            return response
        text = _("This address only takes what a form sends. Here is the page it belongs to. Nothing was changed.")
        waiting = messages.get_messages(request)
        if text not in {str(message) for message in waiting}:  # the page above may be such an address, too
            messages.info(request, text)
        if not isinstance(waiting, list):
            waiting.used = False  # they were read here, and not by anybody
        return redirect(_page_above(request.path))


def _page_above(path: str) -> str:
    parts = path.strip("/").split("/")
    while parts := parts[:-1]:
        above = f"/{'/'.join(parts)}/"
        try:
            resolve(above)
        except Resolver404:
            continue
        return above
    return "/"


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
