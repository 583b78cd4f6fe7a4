"""How far the work on an upload is, for whoever waits: kept in the cache, outside the transaction of the work."""

from __future__ import annotations

import uuid

from django.core.cache import cache

KEPT_SECONDS = 600


def _key(upload: uuid.UUID) -> str:
    return f"exchange.progress.{upload}"


def note(upload: uuid.UUID, done: int, rows: int) -> None:
    cache.set(_key(upload), (done, rows), KEPT_SECONDS)


def percent(upload: uuid.UUID) -> int | None:
    """From 0 to 100; None where nothing is known yet."""
    done, rows = cache.get(_key(upload)) or (0, 0)
    return done * 100 // rows if rows else None
