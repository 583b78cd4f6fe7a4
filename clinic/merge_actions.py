"""Parting two records that were merged: their rows, and what was found on them together."""

from __future__ import annotations

import datetime as dt

from accounts.models import User
from alerts.merge_actions import close_found_on_both
from audit.attribution import action
from patients.merge_actions import take_back_merge
from patients.models import Merge


@action("clinic.part_records", "two records parted again")
def part_records(*, merge: Merge, reason: str, by: User, now: dt.datetime) -> Merge:
    """As `take_back_merge`, with the alerts that rested on both."""
    parted = take_back_merge(merge=merge, reason=reason, by=by, now=now)
    close_found_on_both(merge=parted, by=by, now=now)
    return parted
