"""`make run`: servers where none are configured, migrations, a demo clinic if empty, then web, worker and beat.

Ends when asked to (Ctrl-C, SIGTERM), and when one of the three processes ends: half a clinic is worse than none. If the
supervisor itself is killed, the kernel tells its processes to stop, and the servers go with their last user.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from types import FrameType

from myositis_tracker.engine import EngineError, engine_for_environment
from myositis_tracker.engine.keeper import ends_with_parent
from myositis_tracker.engine.places import PROJECT

FIRST_PORT = 8000
PORTS_TO_TRY = 50
STOP_SECONDS = 15


class Asked(Exception):
    """Somebody asked us to stop."""


def ask(number: int, _frame: FrameType | None) -> None:
    raise Asked(signal.Signals(number).name)


def choose_port(wanted: int) -> int:
    """`wanted`, or the next port after it that nobody listens on. Raises OSError if none of fifty is free."""
    for port in range(wanted, wanted + PORTS_TO_TRY):
        with socket.socket() as probe:
            # Without it a port that was closed a moment ago would count as taken, and a restart would move on by one.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0" if bind_everywhere() else "127.0.0.1", port))  # noqa: S104 - only if asked for
            except OSError:
                continue
        return port
    raise OSError(f"no free port from {wanted} to {wanted + PORTS_TO_TRY - 1}")


def bind_everywhere() -> bool:
    """BIND=0.0.0.0 serves other machines too, for trying it in a container; else only this one."""
    return os.environ.get("BIND", "") == "0.0.0.0"  # noqa: S104 - compared, not bound


def manage(*arguments: str) -> None:
    """Run a management command in a process of its own. Raises CalledProcessError."""
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=PROJECT, check=True)


def is_empty() -> bool:
    """Whether no centre has been set up yet."""
    import django

    django.setup()
    from accounts.models import Centre

    return not Centre.objects.exists()


def start(*arguments: str) -> subprocess.Popen[bytes]:
    """Start one of our Python programs in a group of its own, told by the kernel to stop when we end."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT,
        # A terminal's Ctrl-C goes to the whole group in the foreground. We pass it on ourselves, in order and once.
        start_new_session=True,
        preexec_fn=ends_with_parent(signal.SIGTERM),
    )


def stop(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask every process to end, the ones that take new work first; kill the groups of those that do not."""
    for process in processes.values():
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    give_up_at = time.monotonic() + STOP_SECONDS
    for process in processes.values():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, give_up_at - time.monotonic()))
        # What a process leaves behind in its group (a worker's children) must not outlive it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run() -> int:
    """Run the clinic until asked to stop. Returns an exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)
    os.environ.setdefault("MODE", "local")
    os.environ["DJANGO_SETTINGS_MODULE"] = "myositis_tracker.settings"
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        wanted = int(os.environ.get("PORT") or FIRST_PORT)
        port = choose_port(wanted)
        if port != wanted:
            print(f"Port {wanted} is taken; using {port}.", flush=True)
        os.environ.setdefault("BASE_URL", f"http://localhost:{port}")
        say("Starting PostgreSQL and Valkey, or finding the ones that are configured")
        with engine_for_environment():
            try:
                serve(port, processes)
            finally:
                # A second Ctrl-C while stopping must not leave half of them behind.
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN)
                stop(processes)
    except Asked as asked:
        print(f"\nStopped ({asked}).", flush=True)
        return 0
    except (EngineError, OSError, ValueError) as error:
        print(f"Cannot start: {error}", file=sys.stderr, flush=True)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"Cannot start: {' '.join(map(str, error.cmd[1:]))} failed.", file=sys.stderr, flush=True)
        return 1
    return 1


def serve(port: int, processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Prepare the database, start the three processes into `processes`, and return when one of them ends."""
    say("Bringing the database to the newest shape (the first time that takes half a minute)")
    manage("migrate", "--verbosity", "0")
    if is_empty():
        say("Empty database: making a demo clinic with two years behind it (a minute or two)")
        manage("seed_demo")
    say("Starting the pages, the worker and the clock")
    bind = f"{'0.0.0.0' if bind_everywhere() else '127.0.0.1'}:{port}"  # noqa: S104 - only if asked for
    processes["web"] = start("gunicorn", "--bind", bind, "--workers", "2", "--threads", "4", "myositis_tracker.wsgi")
    processes["beat"] = start(
        *("celery", "--app", "myositis_tracker", "beat", "--loglevel", "WARNING", "--pidfile="),
        *("--schedule", str(PROJECT / ".local" / "celerybeat-schedule")),
    )
    processes["worker"] = start(
        "celery", "--app", "myositis_tracker", "worker", "--concurrency", "2", "--loglevel", "WARNING"
    )
    wait_until_it_answers(port, processes["web"])
    print(welcome(port), flush=True)
    while all(process.poll() is None for process in processes.values()):
        time.sleep(0.5)
    for name, process in processes.items():
        if process.poll() is not None:
            print(f"The {name} process ended with code {process.returncode}; stopping.", file=sys.stderr, flush=True)


def wait_until_it_answers(port: int, web: subprocess.Popen[bytes]) -> None:
    """Return once the web server answers a request, or has ended. It listens before its workers can answer."""
    while web.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5):
                return
        except OSError:
            time.sleep(0.1)


def say(step: str) -> None:
    """What happens now: the first start takes minutes, and silence looks like an end."""
    print(f"- {step}", flush=True)


def welcome(port: int) -> str:
    """Where the clinic is, and what `seed_demo` wrote down about its logins; none for a database that it did not
    make.
    """
    logins = PROJECT / ".local" / "demo-logins.txt"
    known = f"\n\n{logins.read_text(encoding='utf-8').rstrip()}" if logins.exists() else ""
    line = "=" * 72
    where = f"The clinic is at http://localhost:{port}  (Ctrl-C stops it)"
    below = "Below stands what its processes log. E-mails wait until a mail server is there."
    return f"\n{line}\n{where}{known}\n{line}\n{below}\n"
