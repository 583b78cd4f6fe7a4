"""Looking is recorded too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from audit.models import Access


def looked(
    *,
    by: Any,
    centre: Any,
    now: Any,
    page: str,
    patient: Any = None,
    rows: int | None = None,
) -> None:
    """`by` saw an identifiable page or took `rows` records out. `page` is the route's name, never its address."""
    Access.objects.create(at=now, by=by, centre=centre, patient=patient, page=page, rows=rows)


def looked_at_each(*, by: Any, centre: Any, now: Any, page: str, patients: Iterable[Any]) -> None:
    """`by` saw a page that identifies each of `patients`. One statement, however many they are."""
    Access.objects.bulk_create(Access(at=now, by=by, centre=centre, patient=patient, page=page) for patient in patients)
