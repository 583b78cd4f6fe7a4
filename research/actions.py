"""A release leaves a row: before its first byte, and after its last."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError

from accounts.models import Centre, User
from audit.attribution import action
from research import selectors
from research.models import Release
from research.tables import TABLES


@action("research.begin_release", "research release begun")
def begin_release(*, centre: Centre, name: str, table: str, as_of: dt.date, by: User, now: dt.datetime) -> Release:
    """Note that `by` takes `table` of the release `name`, before anything leaves. Consents are those of `as_of`."""
    if table not in TABLES:
        raise ValidationError({"table": f"Choose one of: {', '.join(TABLES)}."})
    release = Release(
        centre=centre,
        name=name,
        table=table,
        as_of=as_of,
        patients=selectors.consented(centre, as_of).count(),
        taken_at=now,
        taken_by=by,
    )
    try:
        release.full_clean(exclude=["centre", "taken_by"])
    except ValidationError as error:
        raise ValidationError(
            {("release" if field == "name" else field): texts for field, texts in error.error_dict.items()}
        ) from None
    release.save(force_insert=True)
    return release


@action("research.finish_release", "research release finished")
def finish_release(*, release: Release, rows: int, sha256: str, by: User, now: dt.datetime) -> Release:
    """The last byte has left: `rows` without the header, `sha256` of all bytes."""
    release.rows, release.sha256, release.finished_at = rows, sha256, now
    release.save(update_fields=["rows", "sha256", "finished_at"])
    return release
