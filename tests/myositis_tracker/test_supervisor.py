"""`make run` starts web, worker and beat, and leaves none of them behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accounts.models import Centre
from myositis_tracker.engine import PROJECT
from tests.conftest import answers, environment_of_this_test, free_port, wait_for_log

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for leftover processes in /proc"),
]


def marked(mark: str) -> dict[int, str]:
    """The living processes that carry `mark` in their environment: process id to command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"MARK={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_everything_starts_and_everything_ends(tmp_path: Path, how: signal.Signals) -> None:
    Centre.objects.create(name="Not empty, so no demo is made")
    port, log, mark = free_port(), tmp_path / "run.log", f"{os.getpid()}-{how.name}"
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "myositis_tracker.engine", "run"],
            cwd=PROJECT,
            # Where setproctitle is installed, a process names itself over its environment unless told not to.
            env=environment_of_this_test() | {"PORT": str(port), "MARK": mark, "SPT_NOENV": "1"},
            stdout=output,
            stderr=output,
        )
    try:
        wait_for_log(supervisor, log, f"http://localhost:{port}", 120)
        ready_by = time.monotonic() + 60
        while not answers(f"http://localhost:{port}/readyz"):
            assert time.monotonic() < ready_by, log.read_text()
            time.sleep(0.2)
        commands = " ".join(marked(mark).values())
        assert all(part in commands for part in ("gunicorn", "beat", "worker"))
        supervisor.send_signal(how)
        assert supervisor.wait(90) == (0 if how == signal.SIGINT else -signal.SIGKILL)
        give_up_at = time.monotonic() + 90
        while left := marked(mark):
            assert time.monotonic() < give_up_at, left
            time.sleep(0.1)
    finally:
        supervisor.kill()
        supervisor.wait()
        for process in marked(mark):
            os.kill(process, signal.SIGKILL)
