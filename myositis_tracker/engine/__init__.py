"""PostgreSQL and Valkey from their Python wheels, for running and testing where no servers are configured.

One keeper process (keeper.py) per engine folder owns both servers. Whoever needs them holds a shared file lock; when
the last lock is gone, however its holder ended, the keeper stops them. The kernel releases a dead process's locks, so
not even `kill -9` leaves a server behind, and two commands at the same time share one database.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from myositis_tracker.engine.places import PROJECT, Place, place
from myositis_tracker.engine.servers import EngineError, Servers, use

__all__ = ["PROJECT", "EngineError", "Place", "Servers", "engine_for_environment", "place", "use"]


@contextlib.contextmanager
def engine_for_environment(kind: str = "clinic") -> Iterator[Servers | None]:
    """Set DATABASE_URL and REDIS_URL to local servers for the block, for whichever of the two is not set.

    Yields the servers, or None when both variables point elsewhere and nothing was started. Raises `EngineError`.
    """
    wanted = [
        key for key in ("DATABASE_URL", "REDIS_URL") if not (os.environ.get(key) or os.environ.get(f"{key}_FILE"))
    ]
    if not wanted:
        yield None
        return
    with use(place(kind)) as servers:
        addresses = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        os.environ.update({key: addresses[key] for key in wanted})
        try:
            yield servers
        finally:
            for key in wanted:
                os.environ.pop(key, None)
