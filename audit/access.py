"""Looking is recorded too."""

from __future__ import annotations

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
