"""Questions about members and tokens."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import ApiToken, Centre, Membership, User


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """All of one's tokens, at every centre, newest first."""
    return (
        ApiToken.objects.filter(membership__user=user)
        .select_related("membership__centre")
        .order_by("-created_at", "-id")
    )


def members(centre: Centre) -> QuerySet[Membership]:
    """Everybody who works or worked at `centre`: present members first, by name."""
    return centre.memberships.select_related("user").order_by("-is_active", "user__full_name", "id")
