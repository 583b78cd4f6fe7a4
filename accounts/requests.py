"""What the middleware makes of a request, for those who read types."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Centre, Membership, User


class PersonRequest(HttpRequest):
    """Somebody is signed in, perhaps a member of no centre."""

    user: User
    centre: Centre | None
    membership: Membership | None
    memberships: list[Membership]


class ClinicRequest(HttpRequest):
    """A request that `needs` has let through: signed in, at a centre."""

    htmx: HtmxDetails
    user: User
    centre: Centre
    membership: Membership
    memberships: list[Membership]
