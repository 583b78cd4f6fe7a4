"""What two records found together, when they are two again."""

from __future__ import annotations

import datetime as dt

from accounts.models import User
from alerts.models import Alert, AlertEvent, EventKind, State
from audit.attribution import action
from common.words import N_
from patients.models import Merge

PARTED = N_("Found on two records that have been parted again")


@action("alerts.close_of_merge", "alerts of two parted records closed")
def close_found_on_both(*, merge: Merge, by: User, now: dt.datetime) -> int:
    """Close what was found on the kept record while it held both persons' facts; gives how many. The rules, asked again
    at once, open anew what they find of it on either record.

    Left to the rules alone, an alert would stay open where the facts it rested on have gone to the other record: what
    cannot be judged is never taken to be over.
    """
    found = Alert.objects.select_for_update().filter(
        patient=merge.kept_id, closed_at__isnull=True, evidence_at__gte=merge.merged_at
    )
    alerts = list(found.order_by("pk"))
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(
        state=State.CLOSED, closed_at=now, cleared_at=now, snoozed_until=None
    )
    AlertEvent.objects.bulk_create(
        AlertEvent(alert=alert, kind=EventKind.CLOSED, at=now, by=by, text=PARTED, level=alert.level)
        for alert in alerts
    )
    return len(alerts)
