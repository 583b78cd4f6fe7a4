"""Using an engine: hold a lock, have a keeper, know the addresses."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from myositis_tracker.engine.places import PROJECT, Place

DATABASE = "myositis"
START_SECONDS = 90  # initdb on a slow shared disk; a start over existing data takes about one second


class EngineError(Exception):
    """The local servers could not be started; the text says why and where the log is."""


@dataclass(frozen=True)
class Servers:
    """Addresses of running servers, as DATABASE_URL and REDIS_URL want them."""

    database_url: str
    redis_url: str


def addresses(where: Place) -> Servers:
    """The addresses that the servers of `where` have while they run."""
    return Servers(
        database_url=f"postgresql://postgres@/{DATABASE}?host={quote(str(where.sockets))}",
        redis_url=f"unix://{where.valkey_socket}?db=0",
    )


@contextlib.contextmanager
def locked(path: Path, how: int) -> Iterator[None]:
    """Hold an flock on `path` (fcntl.LOCK_SH or LOCK_EX) for the block; waits for it."""
    with path.open("a") as handle:
        fcntl.flock(handle, how)
        yield


def keeper_runs(where: Place) -> bool:
    """Whether a keeper is alive, judged by the lock it holds for its life (a pid file can lie)."""
    with where.keeper_lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def use(where: Place) -> Iterator[Servers]:
    """Have both servers of `where` running for the block, starting them if nobody has yet. Raises `EngineError`.

    Waits for a keeper that is just stopping: it holds the users' lock until its servers are down.
    """
    with locked(where.users_lock, fcntl.LOCK_SH):
        with locked(where.start_lock, fcntl.LOCK_EX):
            keeper = None if keeper_runs(where) else start_keeper(where)
            wait_until_ready(where, keeper)
        yield addresses(where)


def start_keeper(where: Place) -> int:
    """Start a keeper and return its process id.

    It has a session of its own, so that Ctrl-C at the terminal does not reach it before its users end, and no Popen
    object: it outlives us on purpose when others still use it.
    """
    where.ready.unlink(missing_ok=True)
    log = os.open(where.keeper_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "myositis_tracker.engine", "keep", where.kind, str(where.project)],
            {**os.environ, "PYTHONPATH": str(PROJECT)},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
    finally:
        os.close(log)


def wait_until_ready(where: Place, keeper: int | None) -> None:
    """Return once the keeper says that both servers answer. Raises `EngineError` if it ends or takes too long.

    `keeper` is the process id of one that we started, None for somebody else's.
    """
    give_up_at = time.monotonic() + START_SECONDS
    while not where.ready.exists():
        ended = not keeper_runs(where) if keeper is None else os.waitpid(keeper, os.WNOHANG)[0] != 0
        if (ended and not where.ready.exists()) or time.monotonic() > give_up_at:
            tail = "\n".join(where.keeper_log.read_text(errors="replace").splitlines()[-15:])
            raise EngineError(f"the local servers did not start; end of {where.keeper_log}:\n{tail}")
        time.sleep(0.05)
