"""What the frame round every page shows: how fresh the check is, and how much waits.

Both are lazy: a fragment, an e-mail or a page without a frame asks the database nothing.
"""

from __future__ import annotations

import datetime as dt
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
from common.prepared import prepared
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
    counts = {
        "worklist": capped(_waiting.count(centre, membership.role, to=COUNTED_TO + 1)),
        "due": due_soon(centre, centre_day(timezone.now(), centre.zone)),
    }
    if may(membership, Permission.IMPORT):
        counts["quarantine"] = capped(_held.count(centre, to=COUNTED_TO + 1))
    return counts


def due_soon(centre: Centre, today: dt.date) -> int | str:
    """How much falls due within two weeks."""
    return capped(_coming.count(centre, latest_within(today, DUE_WITHIN_DAYS), to=COUNTED_TO + 1))


def capped(number: int) -> int | str:
    """How many, or "999+": of what was counted one further than is said."""
    return number if number <= COUNTED_TO else f"{COUNTED_TO}+"


def without_rows(found: QuerySet[Any], to: int) -> QuerySet[Any, Any]:
    """For counting no further than `to`. Nothing of the rows is asked for: an index is enough."""
    return found.order_by().values_list(Value(1))[:to]


@prepared
def _waiting(centre: Centre, role: str, *, to: int) -> QuerySet[Any, Any]:
    return without_rows(selectors.waiting(centre, role), to)


@prepared
def _coming(centre: Centre, until: dt.date, *, to: int) -> QuerySet[Any, Any]:
    return without_rows(coming(centre, until), to)


@prepared
def _held(centre: Centre, *, to: int) -> QuerySet[Any, Any]:
    return without_rows(HeldRow.objects.filter(batch__centre=centre, resolution=""), to)


def coming(centre: Centre, until: dt.date) -> QuerySet[Upcoming]:
    """What rules say will fall due, and is no alert yet."""
    return Upcoming.objects.filter(centre=centre, due_on__lte=until)
