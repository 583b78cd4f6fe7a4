"""Sessions end when idle, and cost the database one write a minute."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.sessions import SessionStore
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2025, 6, 15, 8, 0, tzinfo=dt.UTC)
IDLE = settings.SESSION_IDLE_MINUTES * 60


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(factories.person(factories.centre()))
    return client


def look(browser: Client) -> None:
    assert browser.get(reverse("accounts:profile")).status_code == 200


def writes(browser: Client) -> int:
    with CaptureQueriesContext(connection) as queries:
        look(browser)
    return sum("django_session" in query["sql"] and "UPDATE" in query["sql"] for query in queries)


def test_the_row_is_written_once_a_minute(browser: Client) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        assert writes(browser) == 1
        assert writes(browser) == 0
        clock.shift(59)
        assert writes(browser) == 0
        clock.shift(1)
        assert writes(browser) == 1


def test_the_row_ends_at_most_a_minute_before_the_session(browser: Client) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        look(browser)
        clock.shift(59)
        look(browser)
        assert Session.objects.get().expire_date == NOW + dt.timedelta(seconds=IDLE)


def test_a_request_moves_the_end_of_the_session(browser: Client) -> None:
    store = SessionStore(browser.cookies[settings.SESSION_COOKIE_NAME].value)
    look(browser)
    store._cache.touch(store.cache_key, 100)  # as if most of its time had passed
    look(browser)
    left = store._cache._cache.get_client(store.cache_key).ttl(store._cache.make_key(store.cache_key))
    assert IDLE - 5 < left <= IDLE


def test_a_session_that_nobody_used_is_over(browser: Client) -> None:
    store = SessionStore(browser.cookies[settings.SESSION_COOKIE_NAME].value)
    with time_machine.travel(NOW, tick=False) as clock:
        look(browser)
        store._cache.delete(store.cache_key)  # as the cache does by itself when the time is up
        clock.shift(IDLE - 1)
        assert browser.get("/worklist/").status_code == 200
        store._cache.delete(store.cache_key)
        clock.shift(IDLE)
        assert browser.get("/worklist/").status_code == 302


def test_what_was_signed_out_is_not_put_back(browser: Client) -> None:
    """A page that is still being answered while somebody signs out in another window."""
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    look(browser)
    answering = SessionStore(key)
    assert answering.get("_auth_user_id")
    SessionStore(key).delete()
    with pytest.raises(UpdateError):
        answering.save()
    assert SessionStore(key).get("_auth_user_id") is None


def test_a_change_is_written_at_once(browser: Client) -> None:
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    look(browser)
    store = SessionStore(key)
    store["centre"] = 7
    store.save()
    SessionStore(key)._cache.delete(SessionStore(key).cache_key)
    assert SessionStore(key).get("centre") == 7
