"""Where an engine keeps its data and its sockets, and as whom PostgreSQL runs.

Two facts of life decide this. A Unix socket's path may not exceed about 100 characters, and PostgreSQL refuses to run
as root: then it runs as another user, who must be able to reach the folder. Nothing here widens the permissions of a
folder that is not ours; a project that the other user cannot reach has its data in /var/lib instead.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
LONGEST_SOCKET_PATH = 100  # sockaddr_un holds 104 bytes on macOS, 108 on Linux, with the closing zero
UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Place:
    """An engine's folders. `user` is None, or (name, uid, gid) of the user PostgreSQL runs as when we are root."""

    kind: str
    project: Path
    home: Path
    pgdata: Path
    sockets: Path
    user: tuple[str, int, int] | None
    fsync: bool

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def valkey_data(self) -> Path:
        return self.home / "valkey"

    @property
    def users_lock(self) -> Path:
        """Shared while somebody needs the servers; the keeper gets it exclusively when nobody does."""
        return self.home / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Exclusive while somebody starts a keeper."""
        return self.home / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        """Exclusive for the life of a keeper."""
        return self.home / "keeper.lock"

    @property
    def keeper_log(self) -> Path:
        return self.home / "engine.log"

    @property
    def ready(self) -> Path:
        """Written by the keeper once both servers answer; removed before they stop."""
        return self.home / "ready"


def reachable_by_others(path: Path) -> bool:
    """Whether a user who is neither owner nor in the group may enter `path` and every folder above it."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def unprivileged_user() -> tuple[str, int, int]:
    """A user to run PostgreSQL as when we are root: (name, uid, gid)."""
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return name, entry.pw_uid, entry.pw_gid
    raise RuntimeError(f"running as root needs one of these users for PostgreSQL: {', '.join(UNPRIVILEGED)}")


def place(kind: str, project: Path = PROJECT) -> Place:
    """The folders of engine `kind` ("clinic", or "test" or "bench" with data of their own) of `project`.

    Creates `home` only.
    """
    home = project / ".local" / kind
    home.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256(f"{home}:{os.geteuid()}".encode()).hexdigest()[:10]
    user = unprivileged_user() if os.geteuid() == 0 else None
    base = home
    if user is not None and not reachable_by_others(home):
        base = Path("/var/lib/myositis-tracker") / key
    sockets = base / "run"
    # ".s.PGSQL.5432" is the longest name that is put there.
    if len(os.fsencode(sockets / ".s.PGSQL.5432")) > LONGEST_SOCKET_PATH:
        sockets = Path(tempfile.gettempdir()) / f"myositis-{key}"
    return Place(
        kind=kind,
        project=project,
        home=home,
        pgdata=base / "postgresql",
        sockets=sockets,
        user=user,
        fsync=kind != "test",  # the data of tests need not survive a power cut; all others are as safe as in production
    )
