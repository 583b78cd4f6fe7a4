"""Who is let in by a token, and how far."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import actions
from accounts.models import ApiToken, Centre, Membership, Role, Scope
from accounts.tokens import digest
from tests import factories
from tests.api.clients import Clients, token_for

NOW = factories.NOW
PATIENTS = "/api/v1/patients"


def bearer(text: str) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {text}"})


def test_only_the_digest_is_kept(centre: Centre) -> None:
    user = factories.person(centre)
    text = token_for(user)
    token = ApiToken.objects.get()
    assert token.digest == digest(text)
    assert text not in {str(value) for value in vars(token).values()}
    assert bearer(text).get(PATIENTS).status_code == 200
    token.refresh_from_db()
    assert token.last_used_at is not None


@pytest.mark.parametrize("text", ["", "myo_", "myo_unknown", "x" * 300, "ü"])
def test_unknown_is_401(centre: Centre, text: str) -> None:
    answer = APIClient(headers={"Authorization": f"Bearer {text}".encode().decode("latin-1")}).get(PATIENTS)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_nobody_is_401(db: None) -> None:
    assert APIClient().get(PATIENTS).status_code == 401


def test_revoked_expired_ended_and_locked_out_are_401(centre: Centre) -> None:
    def status(text: str) -> int:
        return bearer(text).get(PATIENTS).status_code

    user = factories.person(centre)
    text = token_for(user)
    token = ApiToken.objects.get()
    assert status(text) == 200
    now = timezone.now()

    actions.revoke_token(centre=centre, token=token, by=user, now=now)
    assert status(text) == 401

    long_ago = now - dt.timedelta(days=60)
    expired = token_for(user, now=long_ago, expires_at=long_ago + dt.timedelta(days=30))
    assert status(expired) == 401

    text = token_for(user)
    Membership.objects.update(is_active=False)
    assert status(text) == 401
    Membership.objects.update(is_active=True)
    assert status(text) == 200
    user.is_active = False
    user.save()
    assert status(text) == 401


def test_scope_and_role_must_both_allow(centre: Centre, client_of: Clients) -> None:
    reader = client_of(Role.NURSE, Scope.READ)
    assert reader.get(PATIENTS).status_code == 200
    assert reader.post("/api/v1/results", {}).status_code == 403
    writer = client_of(Role.NURSE, Scope.WRITE)
    assert writer.get(PATIENTS).status_code == 403
    assert writer.post("/api/v1/results", {}).status_code == 400
    # The role was narrowed after the token was made.
    membership = writer.user.memberships.get()
    actions.change_member(
        membership=membership, role=Role.RESEARCHER, is_on_call=False, by=writer.user, now=timezone.now()
    )
    assert writer.post("/api/v1/results", {}).status_code == 403
    assert reader.get("/api/v1/research/export").status_code == 403
    assert client_of(Role.RESEARCHER, Scope.RESEARCH).get(PATIENTS).status_code == 403


def test_a_token_reaches_its_own_centre_only(centre: Centre, elsewhere: Centre) -> None:
    user = factories.person(centre)
    Membership.objects.create(user=user, centre=elsewhere, role=Role.CLINICIAN)
    factories.patient(centre, user)
    theirs = factories.patient(elsewhere, user)
    client = bearer(token_for(user, centre=elsewhere))
    assert [p["id"] for p in client.get(PATIENTS).json()["results"]] == [str(theirs.public_id)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": [Scope.RESEARCH]}, "scopes"),
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW + dt.timedelta(days=367)}, "expires_at"),
    ],
)
def test_making_a_token_refuses(centre: Centre, change: dict, field: str) -> None:
    user = factories.person(centre)
    wanted = {"name": "feed", "scopes": [Scope.READ], "expires_at": NOW + dt.timedelta(days=366), **change}
    with pytest.raises(ValidationError) as caught:
        actions.make_token(membership=user.memberships.get(), by=user, now=NOW, **wanted)
    assert list(caught.value.error_dict) == [field]
    assert not ApiToken.objects.exists()


def test_nobody_makes_a_token_in_another_name(centre: Centre) -> None:
    user, other = factories.person(centre), factories.person(centre, Role.ADMINISTRATOR)
    with pytest.raises(ValidationError):
        actions.make_token(
            membership=user.memberships.get(), name="x", scopes=[Scope.READ],
            expires_at=NOW + dt.timedelta(days=1), by=other, now=NOW,
        )  # fmt: skip


def test_each_token_has_its_own_allowance(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    from accounts.authentication import TokenThrottle

    monkeypatch.setitem(TokenThrottle.THROTTLE_RATES, "user", "2/min")
    user = factories.person(centre)
    first, second = bearer(token_for(user)), bearer(token_for(user))
    assert [first.get(PATIENTS).status_code for _ in range(3)] == [200, 200, 429]
    assert second.get(PATIENTS).status_code == 200


def test_a_signed_in_person_needs_the_csrf_token(centre: Centre) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(factories.person(centre, Role.NURSE))
    assert client.get(PATIENTS).status_code == 200
    assert client.post("/api/v1/results", {}).status_code == 403
