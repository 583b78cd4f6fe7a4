"""Who is asking, whether they may, and how often. REST framework loads this while it loads its own views, so nothing
here may import those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from accounts.actions import note_token_use
from accounts.models import ApiToken, User
from accounts.permissions import SCOPES, Permission, may
from accounts.tokens import PREFIX, digest

KEYWORD = "bearer"


class TokenAuthentication(BaseAuthentication):
    """The token's member is who asks, and its centre is the only one in reach.

    `request.user`, `request.membership` and `request.centre` are set from it, `request.auth` is the ApiToken. Every
    refusal says the same, so that none tells whether a token was once good.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != KEYWORD.encode():
            return None
        text = words[1].decode("ascii", "replace") if len(words) == 2 else ""
        now = timezone.now()  # noqa: TID251 - a request's moment, as in a view: REST framework calls this before ours
        token = (
            ApiToken.objects.select_related("membership__user", "membership__centre")
            .filter(
                digest=digest(text),
                revoked_at__isnull=True,
                expires_at__gt=now,
                membership__is_active=True,
                membership__user__is_active=True,
            )
            .first()
            if text.startswith(PREFIX)
            else None
        )
        if token is None:
            raise AuthenticationFailed("This token is not valid: unknown, expired or revoked.")
        note_token_use(token=token, now=now)
        membership = token.membership
        # On the request of Django too: what runs below the API reads it there.
        for target in (request, request._request):
            setattr(target, "membership", membership)  # noqa: B010 - no type of theirs has it
            setattr(target, "centre", membership.centre)  # noqa: B010
        return membership.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class Allowed(BasePermission):
    """The role of the member, and the scopes of the token where one is used, must both give the permission.

    Default deny: a view that names no permission for the method lets nobody in.
    """

    message = "Your role, or the scope of this token, does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        method = request.method or ""
        if method not in view.allowed_methods:
            raise MethodNotAllowed(method)
        needed = permission_for(view, method)
        if needed is None or not may(getattr(request, "membership", None), needed):
            return False
        if isinstance(request.auth, ApiToken):
            return any(needed in SCOPES.get(scope, frozenset()) for scope in request.auth.scopes)
        return True


def permission_for(view: Any, method: str) -> Permission | None:
    """The permission that `method` needs on `view`: by action where the view has them, else by method."""
    needs: Mapping[str, Permission] = getattr(view, "needs", {})
    if method == "HEAD":
        method = "GET"
    return needs.get(getattr(view, "action", None) or "") or needs.get(method)


class TokenThrottle(UserRateThrottle):
    """Each token has its own allowance; people at a page have theirs."""

    scope = "user"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if isinstance(request.auth, ApiToken):
            return self.cache_format % {"scope": self.scope, "ident": f"token{request.auth.pk}"}
        return super().get_cache_key(request, view)


class BulkThrottle(TokenThrottle):
    scope = "bulk"


class ExportThrottle(TokenThrottle):
    scope = "export"
