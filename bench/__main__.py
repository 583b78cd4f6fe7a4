"""`make bench`: the sweep of all rules over a large clinic, against merely copying its results out; and its pages.

    python -m bench [--patients 100000] [--keep] [--no-pages] [--backtest RULE ...]
    python -m bench --load [--users 50] [--seconds 180]

Builds (or, with --keep, reuses) a scratch database, prints one JSON object. Seconds are wall clock. The
pages of the clinic are measured too: each by itself (pages.py), and with many people at work (load.py). With --load
only the latter, in the database and with the alerts of an earlier run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

AS_OF = dt.date(2025, 6, 15)
NOW = dt.datetime(2025, 6, 15, 5, 0, tzinfo=dt.UTC)
RESULTS_EACH = 336


def build(patients: int) -> float:
    """Fill the scratch database; returns seconds. Triggers are off and indexes are made after, as any loader would."""
    from django.db import connection

    started = time.perf_counter()
    script = (Path(__file__).parent / "clinic.sql").read_text()
    for name, value in (("{patients}", str(patients)), ("{as_of}", AS_OF.isoformat())):
        script = script.replace(name, value)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'monitoring_result' AND indexname NOT IN "
            "(SELECT conname FROM pg_constraint WHERE conrelid = 'monitoring_result'::regclass)"
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute(script)
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
    return time.perf_counter() - started


class PeakMemory(threading.Thread):
    """The largest resident set of the PostgreSQL backends that work for us, sampled. MB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self.stop = threading.Event()

    def run(self) -> None:
        import psutil

        while not self.stop.wait(0.2):
            private = 0.0
            for process in psutil.process_iter(["name"]):
                if (process.info["name"] or "").startswith("postgres"):
                    try:
                        memory = process.memory_info()
                    except psutil.Error:
                        continue
                    private += (memory.rss - memory.shared) / 1e6
            self.peak = max(self.peak, private)


def backend_seconds() -> float:
    """Processor time the PostgreSQL backend of this thread has used: what work costs where others compete
    for the machine. Needs the server on this machine.
    """
    import psutil
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        used = psutil.Process(cursor.fetchone()[0]).cpu_times()
    return used.user + used.system


def sweep(now: dt.datetime, as_of: dt.date) -> tuple[float, dict[str, dict[str, float | int]]]:
    """Every rule over the whole clinic, as the nightly job does it, by as many workers as the machine has cores. Gives
    (wall clock seconds, figures by rule). What rules share is counted for the first that asks for it; who is followed,
    and what every worker does before and after its rules, as 'begin and end'.
    """
    from django.db import connection

    from accounts.models import Centre
    from alerts.actions.sweeps import evaluate_in_sweep, share_of_sweep
    from alerts.models import Sweep

    night = Sweep.objects.create(centre=Centre.objects.get(), as_of=as_of, started_at=now)
    figures: dict[str, dict[str, float | int]] = {}

    def worker(_: int) -> float:
        began, spent = backend_seconds(), 0.0
        with share_of_sweep(sweep_id=night.pk, now=now) as rules:
            for rule_id, shared in rules:
                started, used = time.perf_counter(), backend_seconds()
                run = evaluate_in_sweep(sweep_id=night.pk, rule_id=rule_id, now=now, shared=shared)
                seconds = round(time.perf_counter() - started, 2)
                cpu = backend_seconds() - used
                spent += cpu
                counts = {name: getattr(run, name) or 0 for name in ("asked", "found", "opened", "changed", "closed")}
                figures[rule_id] = {"seconds": seconds, "cpu_seconds": round(cpu, 2), **counts}
        spent = backend_seconds() - began - spent
        connection.close()
        return spent

    started = time.perf_counter()
    with ThreadPoolExecutor() as workers:
        besides = sum(workers.map(worker, range(os.cpu_count() or 1)))
    seconds = time.perf_counter() - started
    figures["begin and end"] = {"cpu_seconds": round(besides, 2)}
    return seconds, figures


def backtest_a_year(rules: list[str], as_of: dt.date) -> dict[str, dict[str, float | int]]:
    """Each rule asked on 52 days, a week apart, of what was known at the end of each: what a proposal costs, once for
    today's numbers and once for the proposed.
    """
    from accounts.models import Centre
    from alerts.backtesting import backtest
    from monitoring.rules import RULES

    days = [as_of - dt.timedelta(weeks=n) for n in range(51, -1, -1)]
    figures = {}
    for name in rules:
        started, used = time.perf_counter(), backend_seconds()
        found = backtest(RULES[name], Centre.objects.get(), days)
        figures[name] = {
            "seconds": round(time.perf_counter() - started, 1),
            "cpu_seconds": round(backend_seconds() - used, 1),
            "opened": found.opened,
        }
    return figures


def copy_out() -> tuple[float, float]:
    """PostgreSQL writing every result as text to nowhere, in its own process: nothing of ours in the way. Gives
    seconds of wall clock and of processor time.
    """
    from django.db import connection

    started, used = time.perf_counter(), backend_seconds()
    with connection.cursor() as cursor:
        cursor.execute("COPY monitoring_result TO '/dev/null'")
    return time.perf_counter() - started, backend_seconds() - used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--keep", action="store_true", help="reuse the scratch database of an earlier run")
    parser.add_argument("--backtest", nargs="*", default=["ck-rising", "labs-overdue"], metavar="RULE")
    parser.add_argument("--no-pages", action="store_true", help="do not measure the pages")
    parser.add_argument("--load", action="store_true", help="only people at work, on what an earlier run has left")
    parser.add_argument("--users", type=int, default=50, help="how many people are at work")
    parser.add_argument("--seconds", type=int, default=180, help="for how long")
    parser.add_argument("--web-processes", type=int, default=2, help="of gunicorn")
    arguments = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myositis_tracker.settings")
    os.environ["MODE"] = "local"
    from myositis_tracker.engine import engine_for_environment

    with engine_for_environment("bench"):
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from accounts.models import Centre
        from alerts.models import Alert
        from bench import load
        from bench.pages import measure
        from clinic.actions import work_out_figures
        from clinic.selectors import figures
        from monitoring.models import Result
        from patients.models import Patient

        built = None
        call_command("migrate", verbosity=0)

        def count_figures() -> None:
            """What the overview shows of the past, as the worker counts it after the nightly check."""
            centre, now = Centre.objects.get(), NOW + dt.timedelta(days=1)
            if figures.kept(centre) is None:
                work_out_figures(centre=centre, now=now)

        def people_at_work() -> dict[str, Any]:
            count_figures()
            return load.measure(
                NOW + dt.timedelta(days=1), AS_OF + dt.timedelta(days=1),
                users=arguments.users, seconds=arguments.seconds, workers=arguments.web_processes,
            )  # fmt: skip

        if arguments.load:
            if not Alert.objects.exists():
                parser.error("there is nothing to look at yet: run it once without --load")
            print(json.dumps({"patients": Patient.objects.count(), "load": people_at_work()}, indent=2))
            return
        kept = arguments.keep and Result.objects.exists()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(format('%%I', tablename), ', ') FROM pg_tables WHERE schemaname = 'public' "
                "AND tablename NOT IN ('django_migrations', 'django_content_type') AND tablename LIKE %s",
                ["alerts\\_%" if kept else "%"],  # what an earlier run opened is not there on the first day
            )
            cursor.execute(f"TRUNCATE {cursor.fetchone()[0]} RESTART IDENTITY CASCADE")
        if not kept:
            built = build(arguments.patients)
        load_before = os.getloadavg()[0]
        memory = PeakMemory()
        memory.start()
        copies = [copy_out()]
        first = sweep(NOW, AS_OF)
        next_day = sweep(NOW + dt.timedelta(days=1), AS_OF + dt.timedelta(days=1))
        copies.append(copy_out())
        memory.stop.set()
        year = backtest_a_year(arguments.backtest, AS_OF)
        asked_of_pages = {}
        if not arguments.no_pages:
            count_figures()
            asked_of_pages = measure(NOW + dt.timedelta(days=1), AS_OF + dt.timedelta(days=1))
        loaded = {} if arguments.no_pages else people_at_work()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM monitoring_result")
            rows = cursor.fetchone()[0]
            cursor.execute("SELECT pg_database_size(current_database())")
            size = cursor.fetchone()[0]
            cursor.execute("SHOW server_version")
            server = cursor.fetchone()[0]
        sweeps = {"first": first[0], "next_day": next_day[0]}
        print(
            json.dumps(
                {
                    "patients": rows // RESULTS_EACH,
                    "results": rows,
                    "build_seconds": built and round(built, 1),
                    "database_gb": round(size / 1e9, 1),
                    "copy_out_seconds": [round(wall, 1) for wall, _ in copies],
                    "sweep_seconds": {name: round(seconds, 1) for name, seconds in sweeps.items()},
                    "ratio": {name: round(seconds / min(copies)[0], 3) for name, seconds in sweeps.items()},
                    "cpu_seconds": {
                        "copy_out": [round(cpu, 1) for _, cpu in copies],
                        "first": round(sum(f["cpu_seconds"] for f in first[1].values()), 1),
                        "next_day": round(sum(f["cpu_seconds"] for f in next_day[1].values()), 1),
                    },
                    "peak_memory_mb": {
                        "python": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
                        "postgresql_private": round(memory.peak),
                    },
                    "rules_first": first[1],
                    "rules_next_day": next_day[1],
                    "backtest_52_weeks": year,
                    "pages": asked_of_pages,
                    "load": loaded,
                    "machine": {
                        "cpus": os.cpu_count(),
                        "load_before": round(load_before, 1),  # others at work beside us
                        "python": platform.python_version(),
                        "postgresql": server,
                        "platform": platform.platform(),
                    },
                },
                indent=2,
            )
        )


if __name__ == "__main__":
    main()
