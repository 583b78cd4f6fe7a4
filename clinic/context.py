"""What the frame round every page shows: how fresh the check is, and how much waits.

Both are lazy: a fragment, an e-mail or a page without a frame asks the database nothing.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, Value
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
COUNTED_TO = 999  # beyond it the frame says "999+": the list itself counts, and every page shows the frame


def frame(request: HttpRequest) -> dict[str, Any]:
    """`freshness` (alerts.selectors.Checked) and `nav_counts` ({worklist, due, quarantine}); six bounded queries at
    most.

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


def _counts(centre: Centre, membership: Membership) -> dict[str, int | str]:
    today = centre_day(timezone.now(), centre.zone)
    counts = {
        "worklist": counted(selectors.waiting(centre, membership.role)),
        "due": counted(Upcoming.objects.filter(centre=centre, due_on__lte=latest_within(today, DUE_WITHIN_DAYS))),
    }
    if may(membership, Permission.IMPORT):
        counts["quarantine"] = counted(HeldRow.objects.filter(batch__centre=centre, resolution=""))
    return counts


def counted(found: QuerySet[Any]) -> int | str:
    """How many, or "999+". Nothing of the rows is asked for: an index is enough."""
    number = found.order_by().values_list(Value(1))[: COUNTED_TO + 1].count()
    return number if number <= COUNTED_TO else f"{COUNTED_TO}+"
