"""Named questions about files that came in and rows that wait. Everything starts from a centre."""

from __future__ import annotations

import uuid

from django.db import connection
from django.db.models import Count, Q, QuerySet

from accounts.models import Centre
from exchange.models import HeldRow, ImportBatch, PendingUpload
from monitoring.models import Source

WAITING, SETTLED = "waiting", "settled"


def batches(centre: Centre) -> QuerySet[ImportBatch]:
    """Imports of the centre, newest first, each with `waiting`: how many of its rows still wait for a person."""
    return (
        ImportBatch.objects.filter(centre=centre)
        .select_related("source", "committed_by")
        .annotate(waiting=Count("held_rows", filter=Q(held_rows__resolution="")))
        .order_by("-committed_at", "-id")
    )


def pending_uploads(centre: Centre) -> QuerySet[PendingUpload]:
    """Uploads of the centre that are neither committed nor dropped, newest first, without their content."""
    return (
        PendingUpload.objects.filter(centre=centre)
        .defer("content")
        .select_related("uploaded_by")
        .order_by("-uploaded_at", "-id")
    )


def sources(centre: Centre) -> QuerySet[Source]:
    return Source.objects.filter(centre=centre).order_by("name")


def latest_mapping(centre: Centre, *, kind: str, source_name: str) -> dict[str, object] | None:
    """The mapping of the latest import of this kind and source; None where there was none."""
    imports = ImportBatch.objects.filter(centre=centre, kind=kind)
    if source_name:
        imports = imports.filter(source__name=source_name)
    return imports.order_by("-committed_at", "-id").values_list("mapping", flat=True).first()


def held_rows(
    centre: Centre, *, state: str = WAITING, kind: str = "", code: str = "", batch: uuid.UUID | None = None
) -> QuerySet[HeldRow]:
    """Rows of the centre that were held, newest file first, in the order of the file."""
    rows = HeldRow.objects.filter(batch__centre=centre).select_related("batch", "batch__source", "resolved_by")
    if state == WAITING:
        rows = rows.filter(resolution="")
    elif state == SETTLED:
        rows = rows.exclude(resolution="")
    if kind:
        rows = rows.filter(kind=kind)
    if code:
        rows = rows.filter(problems__contains=[{"code": code}])
    if batch:
        rows = rows.filter(batch__public_id=batch)
    return rows.order_by("-batch__committed_at", "-batch_id", "row_number")


def waiting_count(centre: Centre) -> int:
    """How many rows wait for a person."""
    return HeldRow.objects.filter(batch__centre=centre, resolution="").count()


def waiting_codes(centre: Centre) -> list[tuple[str, int]]:
    """(code of a problem, how many waiting rows have it), the most frequent first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT problem ->> 'code' AS code, count(DISTINCT h.id)
            FROM exchange_heldrow h
            JOIN exchange_importbatch b ON b.id = h.batch_id
            CROSS JOIN jsonb_array_elements(h.problems) AS problem
            WHERE b.centre_id = %s AND h.resolution = ''
            GROUP BY 1 ORDER BY 2 DESC, 1
            """,
            [centre.pk],
        )
        return list(cursor.fetchall())
