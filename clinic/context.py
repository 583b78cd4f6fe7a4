"""What the frame round every page shows: how fresh the check is, and how much waits.

Both are lazy: a fragment, an e-mail or a page without a frame asks the database nothing.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.models import Centre, Membership
from accounts.permissions import Permission, may
from alerts import selectors
from alerts.models import Upcoming
from common.dates import centre_day, latest_within
from exchange.models import HeldRow

DUE_WITHIN_DAYS = 14


def frame(request: HttpRequest) -> dict[str, Any]:
    """`freshness` (alerts.selectors.Checked) and `nav_counts` ({worklist, due, quarantine}); five queries at most.

    Empty for the signed-out, for members of no centre, and for those who see no patients.
    """
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None or not may(membership, Permission.SEE_PATIENTS):
        return {}
    centre = membership.centre
    return {
        "freshness": SimpleLazyObject(lambda: selectors.checked(centre, timezone.now())),
        "nav_counts": SimpleLazyObject(lambda: _counts(centre, membership)),
    }


def _counts(centre: Centre, membership: Membership) -> dict[str, int]:
    today = centre_day(timezone.now(), centre.zone)
    counts = {
        "worklist": selectors.waiting_counts(centre, membership.role)["total"],
        "due": Upcoming.objects.filter(centre=centre, due_on__lte=latest_within(today, DUE_WITHIN_DAYS)).count(),
    }
    if may(membership, Permission.IMPORT):
        counts["quarantine"] = HeldRow.objects.filter(batch__centre=centre, resolution="").count()
    return counts
