"""The three questions from outside, and what they must not tell."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from myositis_tracker import health


def test_alive_without_asking_the_database(client: Client) -> None:
    # No database mark: pytest-django refuses any query here.
    assert client.get("/livez").status_code == 200


@pytest.mark.django_db
def test_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.json() == {"ready": True, "checks": dict.fromkeys(health.CHECKS, "ok")}
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
    assert answer.json()["checks"] == {"database": "ok", "redis": "does not answer", "migrations": "ok"} | {
        name: "ok" for name in health.CHECKS if name not in ("database", "redis", "migrations")
    }


@pytest.mark.django_db
def test_a_check_that_breaks_says_no_more_than_that(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str | None:
        raise ValueError("Doe, Jane")

    monkeypatch.setitem(health.CHECKS, "broken", broken)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broken"] == "check failed"
    assert "Jane" not in answer.content.decode()


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
