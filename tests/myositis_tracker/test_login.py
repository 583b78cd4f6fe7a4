"""Nobody signs up, nobody gets in without signing in, and with REQUIRE_MFA not without a second factor."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.core import mail
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
    assert client.get("/words/de.js").status_code == 200, "or the scripts of that page have no texts"

    TOTP.activate(somebody, generate_totp_secret())
    assert client.get("/api/v1/schema/").status_code == 200


def test_what_everybody_is_sent_alike_is_kept_by_browsers_only(client: Client, somebody: Any) -> None:
    """Every answer carries the cookie of the session: a proxy that kept it would hand the session on."""
    client.force_login(somebody)
    answer = client.get("/words/de.js")
    assert answer.cookies
    assert answer["Cache-Control"] == "private, max-age=3600"
    assert "no-store" in client.get("/login/2fa/")["Cache-Control"]


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


def test_nobody_changes_their_own_address(client: Client, somebody: Any) -> None:
    """Else one could take the address of a person to come, and be given their membership."""
    client.force_login(somebody)
    assert client.get("/login/email/").status_code == 404
    for what in ("action_add", "action_primary"):
        assert client.post("/login/email/", {what: "", "email": "boss@example.org"}).status_code == 404
    somebody.refresh_from_db()
    assert somebody.email == "somebody@example.org"
    assert not EmailAddress.objects.filter(email="boss@example.org").exists()


@pytest.mark.parametrize("address", ["somebody@example.org", "nobody@example.org"])
def test_a_mail_leads_nowhere_but_to_us(client: Client, somebody: Any, settings: Any, address: str) -> None:
    """Whoever asks for the e-mail chooses the Host header."""
    settings.BASE_URL = "https://clinic.example.org"
    client.post("/login/password/reset/", {"email": address}, headers={"host": "127.0.0.1"})
    [sent] = mail.outbox
    assert sent.to == [address]
    assert "127.0.0.1" not in f"{sent.subject} {sent.body}"
    assert all(link.startswith("https://clinic.example.org/") for link in re.findall(r"https?:\S+", sent.body))
    assert ("/login/password/reset/key/" in sent.body) == (address == somebody.email)
    assert "signup" not in sent.body


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/patients/", "/patients/"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("http://localhost/", "/"),
        ("http://testserver/patients/", "/"),
    ],
)
def test_signing_in_leads_to_a_page_of_ours(client: Client, somebody: Any, asked: str, led_to: str) -> None:
    sent = {"login": somebody.email, "password": "a long enough password", "next": asked}
    answer = client.post("/login/login/", sent)
    assert answer.status_code == 302
    assert answer["Location"] == led_to
