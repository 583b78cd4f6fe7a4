"""What somebody typed outlives the end of their session, and is recorded at no other centre than it was meant for.

Each form carries a signed mark of whom, and at which centre, it was made for. One that arrives after the session has
ended, or after its sender began to work at another centre in another tab, is kept in the browser's session, enciphered
and for a quarter of an hour. Its page comes back with everything in its boxes, for the same person at the same centre,
until it is sent or discarded. Nothing is kept of the pages of signing in, of passwords, of files.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import get_random_string, salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.middleware import SESSION_KEY as CENTRE_KEY
from accounts.models import Membership
from common.filling import OWN, fill

SECONDS = 15 * 60
LARGEST = 64_000  # characters: many times the longest form, and little for a session
_SESSION_KEY = "kept"
_SHOWN_KEY = "kept_shown"
_FIELD = "whose"
_HEADER = "X-Whose"  # what a script asks by itself; only a mark, for nothing is kept by it
# At whatever centre a form for these was made, it means the same.
_OF_NO_CENTRE = frozenset({"accounts:switch-centre", "accounts:stay", "accounts:discard-kept"})
_SECRET = re.compile("password|passwort|secret|token", re.IGNORECASE)
_NEVER = ("/login/", "/api/", "/accounts/tokens/")
_signer = Signer(salt="accounts.kept")


def mark(user_id: int, centre_id: int | None) -> str:
    """Says of two forms that one person sent them at one centre, and neither who nor where."""
    return salted_hmac("accounts.kept", f"{user_id} {centre_id}").hexdigest()[:16]


def signed_mark(user_id: int, centre_id: int | None) -> str:
    """What a form carries; strangers cannot make one, so they cannot fill our sessions."""
    return _signer.sign(mark(user_id, centre_id))


def draft_key_of(user_id: int) -> str:
    """The key of what scripts keep in a tab: the same at every signing in, and in no page of anybody else."""
    digest = salted_hmac("accounts.kept.drafts", str(user_id), algorithm="sha256").digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Kept:
    whose: str
    target: str  # where the form was sent
    page: str  # where it stood
    fields: dict[str, list[str]]
    had_files: bool
    elsewhere: bool  # sent while its sender was at another centre, and not after the session had ended
    token: str  # tells scripts one keeping from the next


def _cipher() -> Fernet:
    key = hashlib.sha256(b"accounts.kept:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def _page_of(request: HttpRequest) -> str:
    """The page on which the form stood: browsers say so to their own site."""
    said = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    page = said.path + (f"?{said.query}" if said.query else "")
    # A path that begins with two slashes would be the address of another site once it stands alone.
    ours = said.netloc == request.get_host() and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return page if ours and not said.path.startswith(_NEVER) else request.get_full_path()


def keep(request: HttpRequest, *, elsewhere: bool = False) -> bool:
    """Keep the form that was sent. False where there is none of ours, or one that must not be kept."""
    if request.method != "POST" or request.path.startswith(_NEVER):
        return False
    try:
        whose = _signer.unsign(request.POST.get(_FIELD, ""))
    except BadSignature:
        return False
    fields = {
        name: [str(value) for value in values]
        for name, values in request.POST.lists()
        if name not in OWN and not _SECRET.search(name)
    }
    kept = Kept(
        whose, request.get_full_path(), _page_of(request), fields, bool(request.FILES), elsewhere, get_random_string(8)
    )
    text = json.dumps(asdict(kept))
    if len(text) > LARGEST:
        return False
    request.session[_SESSION_KEY] = _cipher().encrypt(text.encode()).decode()
    request.session.pop(_SHOWN_KEY, None)
    return True


def discard(request: HttpRequest) -> str:
    """Forget what is kept, and say where it stood; empty where nothing was."""
    kept = _kept(request)
    request.session.pop(_SESSION_KEY, None)
    return kept.page if kept is not None and _is_of(request, kept, _centres(request)[0]) else ""


def waiting_elsewhere(request: HttpRequest) -> tuple[Kept, Membership] | None:
    """What was sent for another of one's centres than the present one, and where one works there."""
    kept = _kept(request)
    if kept is not None and not _is_of(request, kept, _centres(request)[0]):
        for membership in getattr(request, "memberships", []):
            if _is_of(request, kept, membership.centre_id):
                return kept, membership
    return None


def page_waiting_at(request: HttpRequest, membership: Membership) -> str:
    """The page of a form that was made for this centre and refused at another; empty where none waits."""
    kept = _kept(request)
    return kept.page if kept is not None and kept.elsewhere and _is_of(request, kept, membership.centre_id) else ""


def shown(kept: Kept) -> list[dict[str, Any]]:
    """What was typed, for reading."""
    return [{"name": n.replace("_", " "), "values": [v for v in values if v]} for n, values in kept.fields.items()]


def _kept(request: HttpRequest) -> Kept | None:
    """What waits for the person who is signed in. Another person's, and what waited too long, is thrown away."""
    text = request.session.get(_SESSION_KEY)
    if text is None:
        return None
    try:
        plain = _cipher().decrypt(text.encode(), ttl=SECONDS)
        kept = Kept(**json.loads(plain))
    except (InvalidToken, TypeError, ValueError):
        kept = None
    if kept is None or not _is_of(request, kept, *_centres(request)):
        del request.session[_SESSION_KEY]
        return None
    return kept


def _centres(request: HttpRequest) -> list[int | None]:
    """Where the person works; nowhere is a place too, for whoever works at no centre."""
    return [each.centre_id for each in getattr(request, "memberships", [])] or [None]


def _is_of(request: HttpRequest, kept: Kept, *centres: int | None) -> bool:
    return request.user.pk is not None and kept.whose in {mark(request.user.pk, centre) for centre in centres}


class SignInMiddleware(LoginRequiredMiddleware):
    """Sends whoever is not signed in to the sign-in page, and keeps the form they sent."""

    def handle_no_permission(  # type: ignore[override]  # a part of a page is not sent elsewhere
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponse:
        kept = keep(request)
        if kept:
            _tell(request)
        page = _page_of(request) if kept else request.get_full_path()
        # A part of a page: of a form the browser goes to the sign-in page; for anything else the page itself says that
        # the session has ended (keep.js), and keeps what stands in it.
        if _is_part(request) and not kept:
            return HttpResponse(status=401)
        return _go(request, _sign_in(page))


def _is_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _sign_in(page: str) -> str:
    return redirect_to_login(page, resolve_url(settings.LOGIN_URL)).url


def _go(request: HttpRequest, address: str, status: int = 401) -> HttpResponse:
    """The browser goes there: a whole page must not appear in the middle of another."""
    if _is_part(request):
        return HttpResponse(status=status, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _tell(request: HttpRequest) -> None:
    messages.info(
        request,
        _("You had been signed out, so nothing was saved yet. What you typed is kept: it comes back when you sign in."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that is older than the last signing in comes back filled; anything else is refused."""
    if not keep(request):
        return render(request, "403_csrf.html", status=403)
    if not request.user.is_authenticated:
        _tell(request)
        return _go(request, _sign_in(_page_of(request)))
    return _go(request, _page_of(request)) if _kept(request) else render(request, "403_csrf.html", status=403)


class KeptFormMiddleware:
    """Fills the page of a kept form for the person who sent it, and takes no form for another centre."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = request.session.get(_SESSION_KEY) if request.user.is_authenticated else None
        response = self.get_response(request)
        text = request.session.get(_SESSION_KEY)
        # Whoever has just signed in is known to this request, and where they work is not.
        if text is None or not request.user.is_authenticated or (request.method == "POST" and text != before):
            return response
        kept = _kept(request)
        if kept is None:
            return response
        is_here = _is_of(request, kept, _centres(request)[0])
        if request.method == "POST":
            # Taken, or answered with everything in its boxes: what is kept has done its work.
            if is_here and request.get_full_path() == kept.target and response.status_code < 500:
                del request.session[_SESSION_KEY]
            return response
        if request.method != "GET" or request.get_full_path() != kept.page or _is_part(request):
            return response
        if response.status_code in (301, 302):
            return response  # a second factor first, perhaps
        if not is_here:
            is_first = not kept.elsewhere and not request.session.get(_SHOWN_KEY)
            return _at_its_centre(request, kept) if is_first else response
        request.session[_SHOWN_KEY] = True
        return _filled(request, response, kept)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> HttpResponse | None:
        """Refuse what was made for another centre: on a page without a patient nothing else would notice."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        if not request.user.is_authenticated or name in _OF_NO_CENTRE or request.path.startswith(("/login/", "/api/")):
            return None
        said = _said(request)
        if said is None or said == mark(request.user.pk, _centres(request)[0]):
            return None
        if _is_part(request) and request.headers.get("X-Submitted") != "yes":
            return HttpResponse(status=409)
        if said not in {mark(request.user.pk, centre) for centre in _centres(request)}:
            return render(request, "403_csrf.html", status=403)  # another person's, or of a centre one has left
        if not keep(request, elsewhere=True):
            return render(request, "elsewhere.html", status=409)
        return _go(request, reverse("accounts:elsewhere"), status=409)


def _said(request: HttpRequest) -> str | None:
    """Whom, and at which centre, the form or the page was made for; None where nothing says so."""
    signed = request.POST.get(_FIELD) if request.method == "POST" else None
    if signed is None:
        return request.headers.get(_HEADER)
    try:
        return _signer.unsign(signed)
    except BadSignature:
        return ""


def _at_its_centre(request: HttpRequest, kept: Kept) -> HttpResponse:
    """Signed in anew one is at one's first centre. What was typed at another must not be recorded here."""
    for membership in getattr(request, "memberships", []):
        if _is_of(request, kept, membership.centre_id):
            request.session[CENTRE_KEY] = membership.centre_id
            messages.success(request, _("You are now at %(centre)s.") % {"centre": membership.centre})
    return HttpResponseRedirect(kept.page)


def _filled(request: HttpRequest, response: HttpResponse, kept: Kept) -> HttpResponse:
    """The page with the form filled; where it has no such form, a page that shows what was typed and can send it."""
    is_page = response.status_code == 200 and response.get("Content-Type", "").startswith("text/html")
    if is_page and not response.streaming:
        filled = fill(
            response.content.decode(), kept.fields, target=kept.target, page=kept.page, mark=kept.token,
            before=render_to_string("components/kept_discard.html", {}, request), notice=partial(_notice, kept),
        )  # fmt: skip
        if filled is not None:
            response.content = filled.encode()
            return response
    return render(
        request,
        "kept.html",
        {
            "target": kept.target,
            "kept": kept,
            "sent": [(name, value) for name, values in kept.fields.items() for value in values],
            "shown": shown(kept),
        },
    )


def _notice(kept: Kept, lost: list[str]) -> str:
    names = [{"name": name, "values": kept.fields[name]} for name in lost]
    return render_to_string("components/kept_notice.html", {"kept": kept, "lost": names})
