"""Somebody with a token."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from accounts import actions
from accounts.models import Centre, Membership, Scope, User

Clients = Callable[..., APIClient]


def token_for(user: User, *scopes: str, centre: Centre | None = None, **fields: Any) -> str:
    now = timezone.now()
    memberships = Membership.objects.filter(user=user)
    membership = memberships.get(centre=centre) if centre else memberships.get()
    return actions.make_token(
        membership=membership,
        name="a script",
        scopes=scopes or [Scope.READ],
        by=user,
        **{"expires_at": now + dt.timedelta(days=30), "now": now, **fields},
    )[1]


def with_token(user: User, *scopes: str) -> APIClient:
    client = APIClient(headers={"Authorization": f"Bearer {token_for(user, *scopes)}"})
    client.user = user
    return client
