"""Fifty people at work at once: locust against gunicorn with production settings, over real HTTP on this machine.

Everything shares the machine's processors: the web server, PostgreSQL, Valkey, and those who ask. What is made for it
(people, sessions, long records) is taken away again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from myositis_tracker.engine import PROJECT, place

HOST = "clinic.example.org"
ROLES = {"clinician": 20, "nurse": 20, "physiotherapist": 5, "administrator": 5}
LONG_RECORDS, LONG = 10, 10_000
WARM_SECONDS, AT_ONCE = 25, 8
MARK = "load"  # what is made for the measuring, by its source

# Spread over ten years and the analytes of the same person.
RESULTS = """
INSERT INTO monitoring_result (patient_id, analyte, status, value, comparator, uln, low, value_received, unit_received,
    low_received, uln_received, taken_on, laboratory, source_key, note, change_reason, recorded_at, recorded_by_id)
SELECT r.patient_id, r.analyte, r.status, r.value, '', r.uln, r.low, r.value_received, r.unit_received, r.low_received,
    r.uln_received, %(as_of)s::date - (n * 3650 / %(results)s)::int - 1, %(mark)s, '', '', '', %(now)s, 1
FROM generate_series(0, %(results)s - 1) n
JOIN (SELECT *, row_number() OVER (PARTITION BY patient_id ORDER BY id) - 1 AS nth FROM (
          SELECT DISTINCT ON (patient_id, analyte) * FROM monitoring_result WHERE patient_id = ANY(%(patients)s)
          ORDER BY patient_id, analyte, id) one) r
    ON r.nth = n %% 12
"""
FORGET = """
DELETE FROM monitoring_result WHERE patient_id = ANY(%(patients)s) AND laboratory = %(mark)s;
DELETE FROM audit_access WHERE by_id = ANY(%(people)s);
DELETE FROM django_session;
DELETE FROM mfa_authenticator WHERE user_id = ANY(%(people)s);
DELETE FROM accounts_membership WHERE user_id = ANY(%(people)s);
DELETE FROM accounts_user WHERE id = ANY(%(people)s)
"""


@contextlib.contextmanager
def at_work(now: dt.datetime, as_of: dt.date) -> Iterator[dict[str, Any]]:
    """What the people of locustfile.py need to know, for the block."""
    import time_machine
    from allauth.mfa.models import Authenticator
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from accounts.models import Centre, Membership, User
    from alerts.models import ON_LISTS, Alert
    from patients.models import Patient

    centre = Centre.objects.get()
    dice = random.Random(1)
    with_alerts = list(
        Alert.objects.filter(closed_at=None, level__in=ON_LISTS).order_by("pk").values_list("patient", flat=True)[:5000]
    )
    long = dice.sample(sorted(set(with_alerts)), LONG_RECORDS)
    people: list[dict[str, str]] = []
    ids: list[int] = []
    with connection.cursor() as cursor:
        try:
            with time_machine.travel(now, tick=True):
                for role in [role for role, number in ROLES.items() for _ in range(number)]:
                    name = f"load{len(people)}"
                    person = User.objects.create_user(
                        username=name, email=f"{name}@clinic.example", full_name=name.title()
                    )
                    ids.append(person.pk)
                    Membership.objects.create(user=person, centre=centre, role=role)
                    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
                    client = Client()
                    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
                    people.append({"role": role, "session": client.cookies[settings.SESSION_COOKIE_NAME].value})
            cursor.execute("SET session_replication_role = replica")  # no history, nobody to be judged anew
            made = {"patients": long, "as_of": as_of, "now": now, "mark": MARK, "results": LONG - 336}
            cursor.execute(RESULTS, made)
            cursor.execute("SET session_replication_role = DEFAULT")
            addresses = Patient.objects.in_bulk(long)
            number = Patient.objects.count()
            whom = [dice.randint(1, number) for _ in range(400)]
            yield {
                "people": dice.sample(people, len(people)),
                "long": [str(patient.public_id) for patient in addresses.values()],
                "searches": [f"Family{n}" for n in whom[:200]]
                + [f"given{n}" for n in whom[200:280]]
                + [f"B{n:07}" for n in whom[280:380]]
                + [f"Nobody{n}" for n in whom[380:]],
                "session_cookie": "__Host-session",
                "csrf_cookie": "__Host-csrf",
                "csrf": "c" * 32,
                "host": HOST,
                "origin": f"https://{HOST}",
            }
        finally:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(FORGET, {"patients": long, "people": ids, "mark": MARK})
            cursor.execute("SET session_replication_role = DEFAULT")


def production(now: dt.datetime) -> dict[str, str]:
    """The environment of a production server, with the servers and the secrets of this one."""
    from django.conf import settings

    return {
        **{name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"},
        "MODE": "production",
        "BASE_URL": f"https://{HOST}",
        "TRUSTED_PROXIES": "1",
        "REQUIRE_MFA": "true",
        "SECRET_KEY": settings.SECRET_KEY,
        "RELEASE_KEY": settings.RELEASE_KEY,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_FROM": f"clinic@{HOST}",
        "LOG_LEVEL": "INFO",
        "BENCH_NOW": now.isoformat(),
    }


def processor_seconds(of: str, below: int | None = None) -> float:
    """Processor time used so far by the processes named `of`, or by `below` and its children."""
    import psutil

    processes = (
        [psutil.Process(below), *psutil.Process(below).children(recursive=True)]
        if below
        else [process for process in psutil.process_iter(["name"]) if (process.info["name"] or "").startswith(of)]
    )
    spent = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            spent += times.user + times.system + (times.children_user + times.children_system if below else 0)
    return spent


@contextlib.contextmanager
def served(environment: dict[str, str], workers: int, log: Path) -> Iterator[tuple[int, int]]:
    """gunicorn as in production for the block. Gives (port, process id)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as out:
        web = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)),
                *("--threads", "4"),
                "bench.wsgi",
            ],
            cwd=PROJECT,
            env=environment,
            stdout=out,
            stderr=out,
        )
        try:
            while True:
                if web.poll() is not None:
                    raise RuntimeError(f"gunicorn ended; its log is {log}")
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=20):
                        break
                except OSError:
                    time.sleep(0.2)
            yield port, web.pid
        finally:
            web.terminate()
            web.wait(30)


def ask(plan: dict[str, Any], port: int, users: int, seconds: int, think: bool, folder: Path) -> dict[str, Any]:
    """Let `users` people work for so many seconds, after a while in which all of them have come."""
    (folder / "plan.json").write_text(json.dumps(plan))
    environment = {
        **os.environ,
        "BENCH_LOAD": str(folder / "plan.json"),
        "BENCH_SEEN": str(folder / "seen.json"),
        "BENCH_THINK": "1" if think else "0",
    }
    warm = WARM_SECONDS if think else 2
    command = [
        *(sys.executable, "-m", "locust", "--locustfile", str(Path(__file__).with_name("locustfile.py"))),
        *("--headless", "--only-summary", "--loglevel", "ERROR", "--reset-stats"),
        *("--users", str(users), "--spawn-rate", str(users / warm), "--run-time", f"{seconds + warm}s"),
        *("--host", f"http://127.0.0.1:{port}", "--stop-timeout", "5"),
    ]
    subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True)
    answer: dict[str, Any] = json.loads((folder / "seen.json").read_text())
    return answer


def figures(seen: list[tuple[str, float]]) -> dict[str, dict[str, float]]:
    """Milliseconds by page: half, 95 and 99 in 100 were answered within."""
    by_page: dict[str, list[float]] = {}
    for name, taken in seen:
        by_page.setdefault(name, []).append(taken)
    return {name: {"asked": len(taken), **_within(taken)} for name, taken in sorted(by_page.items())}


def _within(taken: list[float]) -> dict[str, float]:
    if len(taken) < 2:
        return {"p50": round(taken[0], 1), "p95": round(taken[0], 1), "p99": round(taken[0], 1)}
    cuts = statistics.quantiles(taken, n=100, method="inclusive")
    return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "p99": round(cuts[98], 1)}


def measure(now: dt.datetime, as_of: dt.date, *, users: int, seconds: int, workers: int) -> dict[str, Any]:
    """`users` people who read what they opened; then a few who do not, for how much there is at most."""
    environment = production(now)
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        cwd=PROJECT, env=environment, check=True, capture_output=True,
    )  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as name,
        at_work(now, as_of) as plan,
        served(environment, workers, place("bench").home / "web.log") as (port, web),
    ):
        folder = Path(name)
        spent = [processor_seconds("", web), processor_seconds("postgres")]
        reading = ask(plan, port, users, seconds, True, folder)
        spent = [processor_seconds("", web) - spent[0], processor_seconds("postgres") - spent[1]]
        share = (len(reading["seen"]) or 1) * (seconds + WARM_SECONDS / 2) / seconds
        never_reading = ask(plan, port, AT_ONCE, 30, False, folder)
    return {
        "users": users,
        "think_seconds": "5 to 15",
        "measured_seconds": seconds,
        "web_processes": workers,
        "load_average": round(os.getloadavg()[0], 1),
        "requests_a_second": round(len(reading["seen"]) / seconds, 1),
        "failed": len(reading["failed"]),
        "failures": sorted(set(reading["failed"]))[:5],
        "milliseconds": figures(reading["seen"]),
        "processor_milliseconds_a_request": {
            "web": round(spent[0] * 1000 / share, 1),
            "postgresql": round(spent[1] * 1000 / share, 1),
        },
        "at_most": {
            "at_once": AT_ONCE,
            "requests_a_second": round(len(never_reading["seen"]) / 30, 1),
            "failed": len(never_reading["failed"]),
        },
    }
