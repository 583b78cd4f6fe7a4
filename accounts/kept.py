"""What somebody typed outlives the end of their session.

A form that arrives after the session has ended is kept in the browser's next session, enciphered and for a quarter of
an hour, while its sender signs in; then its page comes back with everything in its boxes. Only to the same person: each
form carries a signed mark of whom it was made for. Nothing is kept of the pages of signing in, of passwords, of files.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
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
from django.utils.crypto import salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.middleware import SESSION_KEY as CENTRE_KEY
from common.filling import OWN, fill

SECONDS = 15 * 60
LARGEST = 64_000  # characters: many times the longest form, and little for a session
_SESSION_KEY = "kept"
_FIELD = "whose"
_SECRET = re.compile("password|passwort|secret|token", re.IGNORECASE)
_NEVER = ("/login/", "/api/", "/accounts/tokens/")
_signer = Signer(salt="accounts.kept")


def mark(user_id: int, centre_id: int | None) -> str:
    """Says of two forms that one person sent them at one centre, and neither who nor where."""
    return salted_hmac("accounts.kept", f"{user_id} {centre_id}").hexdigest()[:16]


def signed_mark(user_id: int, centre_id: int | None) -> str:
    """What a form carries; strangers cannot make one, so they cannot fill our sessions."""
    return _signer.sign(mark(user_id, centre_id))


@dataclass(frozen=True)
class Kept:
    whose: str
    target: str  # where the form was sent
    page: str  # where it stood
    fields: dict[str, list[str]]
    had_files: bool


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


def keep(request: HttpRequest) -> bool:
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
    kept = Kept(whose, request.get_full_path(), _page_of(request), fields, bool(request.FILES))
    text = json.dumps(asdict(kept))
    if len(text) > LARGEST:
        return False
    request.session[_SESSION_KEY] = _cipher().encrypt(text.encode()).decode()
    return True


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


def _go(request: HttpRequest, address: str) -> HttpResponse:
    """The browser goes there: a whole page must not appear in the middle of another."""
    if _is_part(request):
        return HttpResponse(status=401, headers={"HX-Redirect": address})
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
    """Fills the page of a kept form, once, for the person who sent it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method != "GET" or _SESSION_KEY not in request.session or not request.user.is_authenticated:
            return response
        kept = _kept(request)
        if kept is None or request.get_full_path() != kept.page or _is_part(request):
            return response
        if response.status_code in (301, 302):
            return response  # a second factor first, perhaps
        if not _is_of(request, kept, _centres(request)[0]):
            return _at_its_centre(request, kept)
        del request.session[_SESSION_KEY]
        return _filled(request, response, kept)


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
            response.content.decode(), kept.fields, target=kept.target, page=kept.page, notice=partial(_notice, kept)
        )
        if filled is not None:
            response.content = filled.encode()
            return response
    return render(
        request,
        "kept.html",
        {
            "target": kept.target,
            "had_files": kept.had_files,
            "sent": [(name, value) for name, values in kept.fields.items() for value in values],
            "shown": [{"name": name, "values": [v for v in values if v]} for name, values in kept.fields.items()],
        },
    )


def _notice(kept: Kept, lost: list[str]) -> str:
    names = [{"name": name, "values": kept.fields[name]} for name in lost]
    return render_to_string("components/kept_notice.html", {"had_files": kept.had_files, "lost": names})
