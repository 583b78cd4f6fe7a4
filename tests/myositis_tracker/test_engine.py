"""The local servers: they start once, keep their data, are shared, and never outlive their last user."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from myositis_tracker.engine.places import LONGEST_SOCKET_PATH, Place, place
from myositis_tracker.engine.servers import EngineError, keeper_runs, use
from myositis_tracker.engine.supervisor import choose_port


@pytest.fixture
def somewhere() -> Iterator[Place]:
    """An engine of its own in a short folder that any user can reach; stopped and removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="engine-", dir="/tmp"))
    folder.chmod(0o755)
    where = place("test", folder)
    yield where
    wait_until(lambda: not keeper_runs(where), "the keeper ends")
    shutil.rmtree(folder)
    shutil.rmtree(where.sockets, ignore_errors=True)


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    give_up_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up_at, f"waited in vain until {what}"
        time.sleep(0.05)


def test_start_stop_and_a_second_start_keeps_the_data(somewhere: Place) -> None:
    with use(somewhere) as servers:
        with psycopg.connect(servers.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        redis.Redis.from_url(servers.redis_url).ping()
        assert keeper_runs(somewhere)
    wait_until(lambda: not keeper_runs(somewhere), "the servers stop with their last user")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(servers.database_url)

    with use(somewhere) as servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_two_users_share_and_the_first_to_leave_does_not_stop_it(somewhere: Place) -> None:
    with use(somewhere) as first:
        with use(somewhere) as second:
            assert first == second
        time.sleep(1)  # four looks of the keeper
        with psycopg.connect(first.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_user_leaves_no_server_behind(somewhere: Place) -> None:
    program = (
        "import sys, time; from pathlib import Path; from myositis_tracker.engine import place, use\n"
        f"with use(place('test', Path({str(somewhere.home.parent.parent)!r}))):\n"
        "    print('up', flush=True); time.sleep(600)\n"
    )
    user = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert user.stdout is not None
    assert user.stdout.readline() == b"up\n"
    postmaster = int((somewhere.pgdata / "postmaster.pid").read_text().split()[0])
    user.send_signal(signal.SIGKILL)
    user.wait()
    user.stdout.close()
    wait_until(lambda: not keeper_runs(somewhere), "the keeper ends")
    with pytest.raises(ProcessLookupError):
        os.kill(postmaster, 0)


def test_a_start_that_fails_says_why(somewhere: Place) -> None:
    somewhere.pgdata.mkdir(mode=0o700)
    (somewhere.pgdata / "PG_VERSION").write_text("7\n")  # data of another age
    with pytest.raises(EngineError, match="PostgreSQL ended while starting"), use(somewhere):
        pass


def test_a_deep_folder_gets_its_sockets_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("a-folder-with-a-long-name-" * 4) / "clone"
    deep.mkdir(parents=True)
    where = place("test", deep)
    assert len(str(where.sockets / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH
    assert where.sockets != place("clinic", deep).sockets


def test_the_next_port_when_one_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert choose_port(port) > port
    assert choose_port(port) == port
