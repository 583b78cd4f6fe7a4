"""`request.centre` and `request.membership`: what a view can reach at all."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

from accounts.models import Membership, User
from accounts.requests import PersonRequest
from common.prepared import prepared

SESSION_KEY = "centre"


@prepared
def _memberships(person: User) -> QuerySet[Membership]:
    return Membership.objects.filter(user=person, is_active=True).select_related("centre", "user")


class CentreMiddleware:
    """Sets `request.membership` and `request.centre` to the signed-in person's chosen (or only) centre, or None.

    A view scopes by `request.centre.patients`; one that forgets has nothing to call.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PersonRequest) -> HttpResponse:
        request.membership = None
        request.centre = None
        if request.user.is_authenticated:
            chosen = request.session.get(SESSION_KEY)
            mine = sorted(_memberships(request.user), key=lambda m: (m.centre_id != chosen, m.pk))
            request.memberships = mine
            if mine:
                request.membership = mine[0]
                request.centre = mine[0].centre
        if request.centre is None:
            return self.get_response(request)
        # Moments are shown, and read from forms, on the clock of the centre.
        with timezone.override(request.centre.zone):
            return self.get_response(request)


class LanguageMiddleware:
    """Pages in the language of the reader's profile, or else of the browser. The API is for machines: its texts stay as
    they are documented.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PersonRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            return self.get_response(request)
        own = request.user.language if request.user.is_authenticated else ""
        with translation.override(own or translation.get_language_from_request(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language())
        return response


class NotKeptMiddleware:
    """What a signed-in person or a token was shown is not kept by browsers or proxies.

    Workstations are shared: after signing out, the Back button must not show the last patient.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # A view may say of its answer that it holds nothing about anybody.
        if request.user.is_authenticated and not getattr(response, "about_nobody", False):
            patch_cache_control(response, private=True, no_store=True)
        return response
