"""The three questions from outside, and what they must not tell."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from accounts.models import Centre, User
from alerts.models import Delivery, Sweep
from myositis_tracker import health
from patients.models import Patient


def test_alive_without_asking_the_database(client: Client) -> None:
    # No database mark: pytest-django refuses any query here.
    assert client.get("/livez").status_code == 200


@pytest.mark.django_db
def test_ready(client: Client) -> None:
    answer = client.get("/readyz")
    names = [*health.ESSENTIAL, *health.WATCHED]
    assert answer.json() == {"ready": True, "degraded": False, "checks": dict.fromkeys(names, "ok")}
    assert answer.status_code == 200


@pytest.mark.django_db
def test_a_missing_migration_is_not_ready(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'usersessions'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "not applied" in answer.json()["checks"]["migrations"]


@pytest.mark.django_db
def test_redis_away_is_not_ready(client: Client, settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    answer = client.get("/readyz")
    assert answer.status_code == 503
    wrong = {name: text for name, text in answer.json()["checks"].items() if text != "ok"}
    assert wrong == {"redis": "does not answer"}


@pytest.mark.django_db
def test_a_check_that_breaks_says_no_more_than_that(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str | None:
        raise ValueError("Doe, Jane")

    monkeypatch.setitem(health.ESSENTIAL, "broken", broken)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broken"] == "check failed"
    assert "Jane" not in answer.content.decode()


NOW = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)


@pytest.fixture
def centre_with_a_patient() -> Centre:
    """A centre whose one patient was registered a month before NOW."""
    person = User.objects.create_user(username="p", email="p@example.org", full_name="Person")
    centre = Centre.objects.create(name="Centre")
    Patient.objects.create(
        centre=centre,
        record_number="1",
        given_name="A",
        family_name="B",
        born_on=dt.date(1970, 1, 1),
        sex=Patient._meta.get_field("sex").choices[0][0],
        subtype=Patient._meta.get_field("subtype").choices[0][0],
        created_at=NOW - dt.timedelta(days=30),
        created_by=person,
    )
    return centre


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("finished", "fine"),
    [
        (dt.timedelta(hours=25, minutes=59), True),
        (dt.timedelta(hours=26, minutes=1), False),
        (None, False),
    ],
)
def test_a_sweep_that_did_not_finish_is_said(
    client: Client, centre_with_a_patient: Centre, finished: dt.timedelta | None, fine: bool
) -> None:
    Sweep.objects.create(
        centre=centre_with_a_patient,
        as_of=dt.date(2026, 3, 1),
        started_at=NOW - dt.timedelta(hours=27),
        finished_at=NOW - finished if finished else None,
    )
    with time_machine.travel(NOW, tick=False):
        answer, strict = client.get("/readyz"), client.get("/readyz?strict")
    assert answer.status_code == 200, "the pages work all the same"
    assert answer.json()["degraded"] is not fine
    assert (answer.json()["checks"]["sweeps"] == "ok") is fine
    assert strict.status_code == (200 if fine else 503)


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "fine"), [(30, True), (31, False)])
def test_mail_that_does_not_go_out_is_said(
    client: Client, centre_with_a_patient: Centre, minutes: int, fine: bool
) -> None:
    Delivery.objects.create(
        centre=centre_with_a_patient,
        person=User.objects.get(),
        kind=Delivery._meta.get_field("kind").choices[0][0],
        key="one",
        created_at=NOW - dt.timedelta(minutes=minutes),
        next_try_at=NOW,
    )
    with time_machine.travel(NOW, tick=False):
        checks = client.get("/readyz").json()["checks"]
    assert (checks["mail"] == "ok") is fine


@pytest.mark.django_db
def test_a_centre_without_patients_is_not_waited_for(client: Client) -> None:
    Centre.objects.create(name="New")
    assert client.get("/readyz").json()["checks"]["sweeps"] == "ok"


def test_metrics_only_from_this_machine(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 404


def test_metrics_behind_a_proxy_want_a_token(client: Client, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 404


def test_metrics_by_token(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-token-of-the-operators"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    answer = client.get("/metrics", headers={"Authorization": "Bearer a-token-of-the-operators"})
    assert answer.status_code == 200
    assert b"django_http_requests" in answer.content
