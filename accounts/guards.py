"""Put on every view: which permission it needs. A view without one is found by a test."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse

from accounts.permissions import Permission, require
from accounts.requests import ClinicRequest


def needs(
    permission: Permission,
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Refuse (403) a member whose role lacks `permission`; also one who belongs to no centre."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def guarded(request: ClinicRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            require(request.membership, permission)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by the test that walks all routes
        return guarded

    return decorate
