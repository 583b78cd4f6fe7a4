"""Servers, network and processes for the tests.

Where DATABASE_URL and REDIS_URL are not set, PostgreSQL and Valkey are started from their wheels, with their own data.
Several runs at the same time do not meet: each takes a free number, and with it a database and a Redis database.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import ipaddress
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from email.policy import default as default_policy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from myositis_tracker.engine import PROJECT, engine_for_environment
from tests.browser.figures import (  # noqa: F401 - a fixture and a hook of every run
    _figures_travel_with_the_report,
    pytest_terminal_summary,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request

SLOTS = 32
_until_the_end = contextlib.ExitStack()


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def take_number(name: str) -> int:
    """The first number below SLOTS that no other test process holds under `name`; ours until this process ends."""
    folder = PROJECT / ".local" / "test"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(SLOTS):
        handle = (folder / f"{name}-{number}.lock").open("a")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            continue
        _until_the_end.callback(handle.close)
        return number
    raise RuntimeError(f"more than {SLOTS} test processes at once")


def prepare_environment() -> None:
    """Everything settings read, before they are read. Workers of xdist inherit the addresses from the first process."""
    os.environ["MODE"] = "test"
    os.environ["DJANGO_SETTINGS_MODULE"] = "myositis_tracker.settings"
    os.environ["EMAIL_HOST"], os.environ["EMAIL_PORT"] = "127.0.0.1", str(free_port())
    _until_the_end.enter_context(engine_for_environment("test"))
    if "PYTEST_XDIST_WORKER" not in os.environ and "TEST_DATABASE_NAME" not in os.environ:
        os.environ["TEST_DATABASE_NAME"] = f"test_myositis_{take_number('database')}"
    # Redis has no database names: take the number and write it into the address.
    number = take_number("redis")
    address = os.environ["REDIS_URL"]
    if address.startswith("unix:"):
        os.environ["REDIS_URL"] = re.sub(r"db=\d+", f"db={number}", address)
    else:
        os.environ["REDIS_URL"] = re.sub(r"(//[^/]+)(/\d*)?$", rf"\g<1>/{number}", address)


def refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: a test that would reach beyond this machine fails, wherever the call is made."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host is None or host in ("", "localhost", b"localhost"):
        return
    try:
        if ipaddress.ip_address(host if isinstance(host, str) else host.decode()).is_loopback:
            return
    except ValueError:
        pass
    raise RuntimeError("tests must not use the network")


prepare_environment()
sys.addaudithook(refuse_the_network)
# An example is not wrong because the machine was busy with something else.
hypothesis_settings.register_profile(
    "busy", parent=hypothesis_settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("busy")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """pytest-django would read its settings before this file is loaded, when there are no servers yet."""
    if config.pluginmanager.hasplugin("django"):
        import django
        from django.conf import settings

        if settings.configured:
            raise pytest.UsageError("unset DJANGO_SETTINGS_MODULE: settings must be read after the servers are there")
        django.setup()
        # The processes of xdist inherit our environment and would read settings before they have their own addresses.
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_unconfigure() -> None:
    _until_the_end.close()


@pytest.fixture(autouse=True)
def _clean_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """What one test cached or queued, the next must not find. Only for tests that have a database, which Django has."""
    yield
    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames):
        from django.core.cache import cache

        cache.clear()  # the whole Redis database, so the queue with it


# ------------------------------------------------------------------------------------------------------------- e-mail


@dataclasses.dataclass
class Mailbox:
    """What a real SMTP server received: parsed `messages`, and beside them the `recipients` of their envelopes."""

    messages: list[Message] = dataclasses.field(default_factory=list)
    recipients: list[list[str]] = dataclasses.field(default_factory=list)
    refuse_with: str | None = None  # such as "451 try later": what the server answers instead of taking mail

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        if self.refuse_with:
            return self.refuse_with
        self.messages.append(BytesParser(policy=default_policy).parsebytes(envelope.content))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    def clear(self) -> None:
        self.messages.clear()
        self.recipients.clear()
        self.refuse_with = None

    def wait_for(self, count: int, seconds: float = 60) -> list[Message]:
        """The messages once there are `count`; AssertionError if there are fewer after `seconds`."""
        give_up_at = time.monotonic() + seconds
        while len(self.messages) < count:
            assert time.monotonic() < give_up_at, f"{len(self.messages)} of {count} messages after {seconds} s"
            time.sleep(0.05)
        return self.messages


@pytest.fixture(scope="session")
def _smtp_server() -> Iterator[Mailbox]:
    from aiosmtpd.controller import Controller

    logging.getLogger("mail.log").setLevel(logging.WARNING)  # it reports every connection
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=int(os.environ["EMAIL_PORT"]))
    controller.start()
    yield mailbox
    controller.stop()


@pytest.fixture
def smtp(_smtp_server: Mailbox, settings: Any) -> Iterator[Mailbox]:
    """A real SMTP server at EMAIL_HOST:EMAIL_PORT, for this process and for those it starts."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    _smtp_server.clear()
    yield _smtp_server
    _smtp_server.clear()


# ---------------------------------------------------------------------------------------------------------- processes


def environment_of_this_test() -> dict[str, str]:
    """The environment for a process that shall work on this test's database and queue."""
    from urllib.parse import quote

    from django.db import connection

    used = connection.settings_dict
    login = quote(used["USER"]) + (f":{quote(used['PASSWORD'])}" if used["PASSWORD"] else "")
    query = f"?host={quote(used['HOST'])}" + (f"&port={used['PORT']}" if used["PORT"] else "")
    address = f"postgresql://{login}@/{used['NAME']}{query}"
    return {**os.environ, "DATABASE_URL": address, "PYTHONPATH": str(PROJECT)}


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, with its output in `log`; the whole group is gone afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment_of_this_test(), stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_log(process: subprocess.Popen[bytes], log: Path, text: str, seconds: float = 90) -> None:
    """Return when `text` appears in `log`. AssertionError with the log if the process ends or takes longer."""
    give_up_at = time.monotonic() + seconds
    while text not in log.read_text(errors="replace"):
        fine = process.poll() is None and time.monotonic() < give_up_at
        assert fine, f"never said {text!r}:\n{log.read_text(errors='replace')[-4000:]}"
        time.sleep(0.05)


@dataclasses.dataclass
class Worker:
    """A running Celery worker process; `process.pid` leads a process group that can be killed."""

    process: subprocess.Popen[bytes]
    log: Path


@contextlib.contextmanager
def celery_worker(folder: Path, *, name: str = "worker", concurrency: int = 2) -> Iterator[Worker]:
    """A real Celery worker on this test's database and queue, ready when the block begins. For tests that kill it."""
    log = folder / f"{name}.log"
    command = [
        *(sys.executable, "-m", "celery", "--app", "myositis_tracker", "worker"),
        *("--hostname", f"{name}-{os.getpid()}@localhost", "--concurrency", str(concurrency), "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
    with running(command, log) as process:
        wait_for_log(process, log, "ready.")
        yield Worker(process, log)


@pytest.fixture
def celery_worker_process(transactional_db: None, tmp_path: Path) -> Iterator[Worker]:
    """A real Celery worker subprocess on the test database and Valkey."""
    with celery_worker(tmp_path) as worker:
        yield worker


def answers(address: str) -> bool:
    """Whether a GET of `address` is answered with 200."""
    try:
        with urllib.request.urlopen(address, timeout=30) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def _web_process(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[str]:
    """gunicorn, once for the whole run: it keeps no state that outlives a test's data."""
    port, log = free_port(), tmp_path_factory.mktemp("web") / "web.log"
    bind = ["--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with running([sys.executable, "-m", "gunicorn", *bind, "myositis_tracker.wsgi"], log) as process:
        # The first request loads routes and templates; here, not inside the first journey's time limit.
        give_up_at = time.monotonic() + 90
        while not answers(f"http://127.0.0.1:{port}/livez"):
            fine = process.poll() is None and time.monotonic() < give_up_at
            assert fine, f"the web server does not answer:\n{log.read_text(errors='replace')[-4000:]}"
            time.sleep(0.05)
        yield f"http://localhost:{port}"


def wait_until_others_are_idle(seconds: float = 20) -> None:
    """Until no other process is in the middle of a statement or a transaction on this test's database."""
    from django.db import connection

    query = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
               AND backend_type = 'client backend' AND state <> 'idle'"""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        with connection.cursor() as cursor:
            cursor.execute(query)
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.02)


@pytest.fixture
def live_clinic(transactional_db: None, _web_process: str) -> Iterator[str]:
    """The address of a real web server process on this test's database, such as http://localhost:41234."""
    yield _web_process
    # An answer that no browser waits for any more may still be made: emptying the tables would meet it in a deadlock.
    wait_until_others_are_idle()


# ------------------------------------------------------------------------------------------------------------ browser


def find_chromium() -> str | None:
    """The system's Chromium: CHROMIUM, or the usual names."""
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    return None


@pytest.fixture(scope="session")
def _browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        reason = "no Chromium found; install it (apt-get install chromium) or set CHROMIUM to its path"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=15_000)  # ms: the machine of a test may be busy
    # Playwright's synchronous interface keeps an event loop running in this thread until the last test, which Django
    # takes for asynchronous code. We have none.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",  # the tests may run as root, where Chromium's own sandbox refuses to
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


def unanswered_of(context: BrowserContext) -> set[Request]:
    """What the pages of `context` have asked for and not got yet: a set that changes by itself."""
    waiting: set[Request] = set()
    context.on("request", lambda request: waiting.add(request))
    context.on("requestfinished", lambda request: waiting.discard(request))
    context.on("requestfailed", lambda request: waiting.discard(request))
    return waiting


def close_when_answered(context: BrowserContext, unanswered: set[Request], seconds: float = 5) -> None:
    """What a page still asks for would be answered from the tables of the next test."""
    give_up_at = time.monotonic() + seconds
    while unanswered and context.pages and time.monotonic() < give_up_at:
        context.pages[0].wait_for_timeout(20)
    context.close()


@pytest.fixture
def browser_page(_browser: Browser, live_clinic: str) -> Iterator[Page]:
    """A fresh page at 1280 x 900 whose relative addresses lead to `live_clinic`. A script error fails the test."""
    context = _browser.new_context(
        base_url=live_clinic, viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="Europe/London"
    )
    context.set_default_timeout(15_000)
    unanswered = unanswered_of(context)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield page
    close_when_answered(context, unanswered)
    assert not errors, errors
