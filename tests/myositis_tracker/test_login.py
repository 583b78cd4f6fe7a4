"""Nobody signs up, nobody gets in without signing in, and with REQUIRE_MFA not without a second factor."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def somebody() -> Any:
    return get_user_model().objects.create_user(
        username="somebody", email="somebody@example.org", password="a long enough password", full_name="Some Body"
    )


def test_sign_up_is_closed(client: Client) -> None:
    answer = client.post(
        "/login/signup/",
        {"email": "new@example.org", "password1": "a long enough password", "password2": "a long enough password"},
    )
    assert not get_user_model().objects.exists()
    assert answer.status_code == 200


def test_a_page_wants_a_login(client: Client) -> None:
    answer = client.get("/login/password/change/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/login/")


def test_the_api_schema_wants_a_login(client: Client) -> None:
    assert client.get("/api/v1/schema/").status_code in (401, 403)


def test_a_second_factor_is_asked_for_where_required(client: Client, somebody: Any, settings: Any) -> None:
    client.force_login(somebody)
    settings.REQUIRE_MFA = True
    answer = client.get("/api/v1/schema/", follow=False)
    assert answer.status_code == 302
    assert answer["Location"] == "/login/2fa/"
    assert client.get("/login/2fa/").status_code == 200, "or nobody could set one up"
    assert client.get("/livez").status_code == 200

    TOTP.activate(somebody, generate_totp_secret())
    assert client.get("/api/v1/schema/").status_code == 200


def test_no_second_factor_where_not_required(client: Client, somebody: Any) -> None:
    client.force_login(somebody)
    assert client.get("/api/v1/schema/").status_code == 200


def test_headers(client: Client) -> None:
    answer = client.get("/login/login/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_session_ends_when_idle(client: Client, somebody: Any, settings: Any) -> None:
    client.force_login(somebody)
    answer = client.get("/login/2fa/")
    cookie = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert settings.SESSION_COOKIE_AGE == settings.SESSION_IDLE_MINUTES * 60
