"""Questions about members and tokens."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import ApiToken, Centre, Membership, User


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """All of one's tokens, at every centre, newest first."""
    return (
        ApiToken.objects.filter(membership__user=user)
        .select_related("membership__centre")
        .order_by("-created_at", "-id")
    )


def members(centre: Centre, *, text: str = "", role: str = "", former: bool = False) -> QuerySet[Membership]:
    """Who works at `centre`, or worked there, by name: all of them, or those whose name or address holds every word."""
    found = centre.memberships.filter(is_active=not former).select_related("user")
    for word in text.split():
        found = found.filter(Q(user__full_name__icontains=word) | Q(user__email__icontains=word))
    if role:
        found = found.filter(role=role)
    return found.order_by("user__full_name", "id")
