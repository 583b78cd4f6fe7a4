"""Sessions in the cache and the database, of which the database is not told at every request.

Every request moves the end of a session. In the cache that is exact. The row in the database, which serves when the
cache was lost, is written when the session changes and otherwise once a minute: there a session may end a minute early.
"""

from __future__ import annotations

import time

from django.contrib.sessions.backends import cached_db
from django.core.cache import BaseCache

WRITE_EVERY_SECONDS = 60
WRITTEN = "written"  # in the session: when its row was newest written


class SessionStore(cached_db.SessionStore):
    def save(self, must_create: bool = False) -> None:
        now = int(time.time())
        since = now - self.get(WRITTEN, 0)
        if not must_create and not self.modified and 0 <= since < WRITE_EVERY_SECONDS and self._moved():
            return
        self[WRITTEN] = now
        super().save(must_create)

    def _moved(self) -> bool:
        """Move the end of what the cache holds. Whoever has signed out meanwhile is not there any more: nothing is put
        back that was taken away, nor is what another request has just written.
        """
        cache: BaseCache = self._cache  # type: ignore[attr-defined]  # the stubs have forgotten it
        return cache.touch(self.cache_key, self.get_expiry_age())
