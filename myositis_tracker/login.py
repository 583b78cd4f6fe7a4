"""What login means here: no one signs up, and where the clinic says so, nobody goes without a second factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

# Reachable without a second factor, or nobody could set one up; beside them, every page whose name begins with "mfa_".
OPEN_PAGES = {"account_login", "account_logout", "account_reauthenticate", "livez", "readyz", "metrics", "words"}


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator of a centre."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """After signing in one goes to a page of ours. The names of loopback are among the allowed hosts, too."""
        return bool(url_has_allowed_host_and_scheme(url, allowed_hosts=None))

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Made from BASE_URL: whoever asks for the e-mail chooses the Host header, and would get the key."""
        return settings.BASE_URL + urlsplit(super().get_reset_password_from_key_url(key)).path

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """The texts name the site by BASE_URL, for the same reason."""
        host = urlsplit(settings.BASE_URL).netloc
        super().send_mail(template_prefix, email, {"current_site": {"name": host, "domain": host}, **context})


def no_change_of_address(request: HttpRequest) -> HttpResponse:
    """Nobody changes their own e-mail address.

    People are known by it: whoever took the address of a person to come would be given their membership, and mail
    about a centre would go to an address that nobody has checked.
    """
    raise Http404


class SecondFactorMiddleware:
    """With REQUIRE_MFA, sends everybody who has no second factor to the page where one is set up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> HttpResponse | None:
        if not settings.REQUIRE_MFA or not request.user.is_authenticated:
            return None
        name = (request.resolver_match.url_name or "") if request.resolver_match else ""
        # By name, not by the view's `login_required`: the views of the API carry that mark too, since they check for
        # themselves, and they would accept a session that has no second factor.
        if name in OPEN_PAGES or name.startswith("mfa_"):
            return None
        user = request.user
        if isinstance(user, AbstractBaseUser) and is_mfa_enabled(user):
            return None
        return HttpResponseRedirect(reverse("mfa_index"))
