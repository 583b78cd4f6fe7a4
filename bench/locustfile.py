"""People at work, for locust. Started by load.py, which says in BENCH_LOAD where the logins and the patients are.

Each of them does what a person does, over and over: looks at the worklist and opens somebody on it; or types a name,
waits for the menu and opens who was found; now and then looks at what falls due, at the list of patients, at all
results of somebody, at another page of the list; a lead about every two minutes at the overview. Between two pages they
read, for 5 to 15 seconds (BENCH_THINK=0: not at all). What a browser keeps (styles, scripts, icons) is not asked for.
"""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, between, constant, events, task

PLAN: dict[str, Any] = json.loads(Path(os.environ["BENCH_LOAD"]).read_text())
THINK = os.environ.get("BENCH_THINK", "1") != "0"
BETWEEN_KEYS = 0.35  # a box that searches as one types asks at each pause
PATIENT = re.compile(rb'href="(/patients/[0-9a-f-]{36}/)"')

seen: list[tuple[str, float]] = []
failed: list[str] = []
people = iter(PLAN["people"])


@events.request.add_listener
def remember(name: str, response_time: float, exception: Exception | None, **_: Any) -> None:
    """Exact times: locust itself rounds those above 100 ms."""
    if exception is None:
        seen.append((name, response_time))
    else:
        failed.append(f"{name}: {exception}")


@events.spawning_complete.add_listener
def forget(**_: Any) -> None:
    """What came before everybody was there is the warming up."""
    seen.clear()
    failed.clear()


@events.quitting.add_listener
def write(**_: Any) -> None:
    Path(os.environ["BENCH_SEEN"]).write_text(json.dumps({"seen": seen, "failed": failed}))


class Person(FastHttpUser):
    """Signed in, behind a proxy that speaks TLS, as in production."""

    wait_time = between(5, 15) if THINK else constant(0)

    def on_start(self) -> None:
        own = next(people)
        self.role = own["role"]
        self.dice = random.Random(own["session"])
        self.headers = {
            "Cookie": f"{PLAN['session_cookie']}={own['session']}; {PLAN['csrf_cookie']}={PLAN['csrf']}",
            "Host": PLAN["host"],
            "Origin": PLAN["origin"],
            "Referer": PLAN["origin"] + "/",
            "X-CSRFToken": PLAN["csrf"],
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "192.0.2.1",
        }

    def page(self, address: str, name: str) -> bytes:
        with self.client.get(
            address, name=name, headers=self.headers, allow_redirects=False, catch_response=True
        ) as answer:
            if answer.status_code != 200:
                answer.failure(f"answered {answer.status_code}")
            return answer.content or b""

    def look(self, found: bytes) -> None:
        """Open one of the patients of a list, after reading it."""
        links = PATIENT.findall(found)
        if links:
            self.wait()
            self.page(self.dice.choice(links).decode(), "patient")

    @task(6)
    def work_off_the_list(self) -> None:
        self.look(self.page("/worklist/", "worklist"))

    @task(2)
    def narrow_the_list(self) -> None:
        query = self.dice.choice(["?page=2", "?level=TASK", "?due=overdue", "?role=nurse", "?role=all"])
        self.look(self.page(f"/worklist/{query}", "worklist, another page or filter"))

    @task(4)
    def somebody_with_a_long_record(self) -> None:
        self.page(f"/patients/{self.dice.choice(PLAN['long'])}/", "patient, 10,000 results")

    @task(1)
    def all_results(self) -> None:
        self.page(f"/patients/{self.dice.choice(PLAN['long'])}/results/", "results, 10,000 results")

    @task(6)
    def find_somebody(self) -> None:
        whole = self.dice.choice(PLAN["searches"])
        found = b""
        for length in sorted({3, (len(whole) + 3) // 2, len(whole)}):  # as far as one has typed
            headers = {**self.headers, "HX-Request": "true", "HX-Target": "search-found"}
            with self.client.post(
                "/patients/", data={"q": whole[:length]}, name="search", headers=headers, catch_response=True
            ) as answer:
                if answer.status_code != 200:
                    answer.failure(f"answered {answer.status_code}")
                found = answer.content or b""
            if THINK:
                gevent.sleep(BETWEEN_KEYS)
        self.look(found)

    @task(1)
    def what_falls_due(self) -> None:
        self.page("/worklist/due/", "due")

    @task(1)
    def everybody(self) -> None:
        self.look(self.page("/patients/", "list of patients"))

    @task(1)
    def how_the_clinic_does(self) -> None:
        """The one page that counts the whole clinic. Few look at it, and seldom."""
        if self.role == "administrator" and self.dice.random() < 0.4:
            self.page("/overview/", "overview")
