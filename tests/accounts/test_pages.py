"""The profile, the tokens made there, and the people of a centre."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import ApiToken, Centre, Membership, Role, Scope, User
from audit.models import Entry
from tests import factories
from tests.conftest import Mailbox

PROFILE = "/accounts/profile/"
PEOPLE = "/accounts/people/"


@pytest.fixture
def centre(db: None) -> Centre:
    return factories.centre()


def signed_in(at: Centre | None, role: str = Role.CLINICIAN, **fields: object) -> Client:
    client = Client()
    client.user = factories.person(at, role, **fields)
    client.force_login(client.user)
    return client


# --------------------------------------------------------------------------------------------------------- the profile


@pytest.mark.parametrize("role", Role.values)
def test_everybody_has_a_profile(centre: Centre, role: str) -> None:
    client = signed_in(centre, role)
    page = client.get(PROFILE)
    assert page.status_code == 200
    text = page.content.decode()
    assert client.user.email in text
    assert str(centre) in text
    assert "Make token" in text


def test_a_member_of_no_centre_has_one_too(db: None) -> None:
    client = signed_in(None)
    assert "No centre yet" in client.get(PROFILE).content.decode()
    assert client.post("/accounts/tokens/", {}).status_code == 302
    assert client.post("/accounts/digest/", {}).status_code == 302
    assert client.get(PEOPLE).status_code == 403


def test_nobody_is_sent_to_the_login_page(db: None) -> None:
    for address in (PROFILE, PEOPLE):
        assert Client().get(address).url.startswith("/login/")


def test_change_the_name(centre: Centre) -> None:
    client = signed_in(centre)
    assert client.post(PROFILE, {"full_name": "Dr Ada Okoro", "language": ""}).status_code == 302
    assert User.objects.get().full_name == "Dr Ada Okoro"
    refused = client.post(PROFILE, {"full_name": ""})
    assert refused.status_code == 422
    assert "This field is required" in refused.content.decode()
    assert User.objects.get().full_name == "Dr Ada Okoro"
    assert Entry.objects.filter(action="accounts.change_profile", by=client.user, centre=centre).count() == 1


def test_choose_the_language(centre: Centre) -> None:
    client = signed_in(centre)
    page = client.get(PROFILE, headers={"Accept-Language": "de"}).content.decode()
    assert '<option value="de">Deutsch</option>' in page  # by its own name, whatever the page is written in
    assert '<html lang="de"' in page
    answer = client.post(PROFILE, {"full_name": "Ada", "language": "en-gb"}, headers={"Accept-Language": "de"})
    assert answer.status_code == 302
    assert User.objects.get().language == "en-gb"
    page = client.get(PROFILE, headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="en-gb"' in page
    assert "Your details were changed." in page
    assert client.post(PROFILE, {"full_name": "Ada", "language": "tlh"}).status_code == 422
    assert client.post(PROFILE, {"full_name": "Ada", "language": ""}).status_code == 302
    assert '<html lang="de"' in client.get(PROFILE, headers={"Accept-Language": "de"}).content.decode()


def test_a_token_is_shown_once_and_works(centre: Centre) -> None:
    client = signed_in(centre, Role.NURSE)
    form = {"token-name": "Laboratory feed", "token-scopes": [Scope.READ], "token-days": "90"}
    page = client.post("/accounts/tokens/", form)
    assert page.status_code == 200
    [text] = re.findall(r'value="(myo_[^"]+)"', page.content.decode())
    assert "no-store" in page["Cache-Control"]
    token = ApiToken.objects.get()
    assert token.expires_at - token.created_at == dt.timedelta(days=90)
    again = client.get(PROFILE).content.decode()
    assert text not in again
    assert "Laboratory feed" in again
    program = APIClient(headers={"Authorization": f"Bearer {text}"})
    assert program.get("/api/v1/patients").status_code == 200

    colleague = signed_in(centre, Role.ADMINISTRATOR)
    revoke = f"/accounts/tokens/{token.public_id}/revoke/"
    assert colleague.post(revoke).status_code == 404
    assert program.get("/api/v1/patients").status_code == 200
    assert client.get(revoke, follow=True).redirect_chain[-1] == (PROFILE, 302)
    assert client.post(revoke).status_code == 302
    assert program.get("/api/v1/patients").status_code == 401
    assert "Revoked" in client.get(PROFILE).content.decode()


def test_a_token_keeps_what_was_typed_and_offers_what_the_role_has(centre: Centre) -> None:
    client = signed_in(centre, Role.RESEARCHER)
    page = client.get(PROFILE).content.decode()
    assert 'value="research"' in page
    assert 'value="write"' not in page
    form = {"token-name": "Night job", "token-scopes": ["write"], "token-days": "90"}
    refused = client.post("/accounts/tokens/", form)
    assert refused.status_code == 422
    assert "Night job" in refused.content.decode()
    assert not ApiToken.objects.exists()


def test_daily_email_on_and_off(centre: Centre) -> None:
    client = signed_in(centre)
    client.post("/accounts/digest/", {"wants_digest": "no"})
    assert not Membership.objects.get().wants_digest
    assert "Send it again" in client.get(PROFILE).content.decode()
    client.post("/accounts/digest/", {"wants_digest": "yes"})
    assert Membership.objects.get().wants_digest


def test_switch_centre(centre: Centre) -> None:
    other, foreign = factories.centre(), factories.centre()
    client = signed_in(centre)
    Membership.objects.create(user=client.user, centre=other, role=Role.NURSE)
    Membership.objects.create(user=client.user, centre=foreign, role=Role.NURSE, is_active=False)
    switch = reverse("accounts:switch-centre")
    assert client.get(PROFILE).context["request"].centre == centre
    assert client.post(switch, {"centre": other.public_id}).status_code == 302
    assert client.get(PROFILE).context["request"].centre == other
    for wrong in (foreign.public_id, factories.centre().public_id, "x", ""):
        assert client.post(switch, {"centre": wrong}).status_code == 404
    assert client.get(PROFILE).context["request"].centre == other


# ---------------------------------------------------------------------------------------------------------- the people


@pytest.mark.parametrize("role", [r for r in Role.values if r != Role.ADMINISTRATOR])
def test_only_administrators_manage_people(centre: Centre, role: str) -> None:
    client = signed_in(centre, role)
    member = Membership.objects.get()
    assert client.get(PEOPLE).status_code == 403
    for address in (f"{PEOPLE}add/", f"{PEOPLE}{member.pk}/", f"{PEOPLE}{member.pk}/end/"):
        assert client.post(address, {}).status_code == 403
    assert Membership.objects.get().role == role


def new(email: str, **fields: str) -> dict[str, str]:
    return {"new-email": email, "new-full_name": "Noor Haddad", "new-role": Role.NURSE, **fields}


def test_add_somebody_new(centre: Centre, smtp: Mailbox) -> None:
    client = signed_in(centre, Role.ADMINISTRATOR)
    assert client.post(f"{PEOPLE}add/", new("noor@clinic.example")).status_code == 302
    member = Membership.objects.get(user__email="noor@clinic.example")
    assert (member.centre, member.role, member.is_active) == (centre, Role.NURSE, True)
    assert not member.user.has_usable_password()
    [message] = smtp.wait_for(1)
    link = re.search(r"https?://[^/]+(/login/password/reset/key/\S+)", message.get_content())
    assert link, message.get_content()
    visitor = Client()
    form = visitor.get(link[1], follow=True)
    visitor.post(form.redirect_chain[-1][0], {"password1": "a long pass phrase 7", "password2": "a long pass phrase 7"})
    member.user.refresh_from_db()
    assert member.user.check_password("a long pass phrase 7")
    assert Entry.objects.filter(action="accounts.add_member", centre=centre, by=client.user).exists()


def test_add_with_the_mail_server_away(centre: Centre, smtp: Mailbox) -> None:
    smtp.refuse_with = "451 try later"
    client = signed_in(centre, Role.ADMINISTRATOR)
    page = client.post(f"{PEOPLE}add/", new("noor@clinic.example"), follow=True)
    assert "could not be sent" in page.content.decode()
    assert Membership.objects.filter(user__email="noor@clinic.example").exists()


def test_add_somebody_known_elsewhere(centre: Centre, smtp: Mailbox) -> None:
    known = factories.person(factories.centre(), email="Known@clinic.example", full_name="Known Already", password="x")
    client = signed_in(centre, Role.ADMINISTRATOR)
    client.post(f"{PEOPLE}add/", new("known@CLINIC.example"))
    assert known.memberships.get(centre=centre).role == Role.NURSE
    known.refresh_from_db()
    assert known.full_name == "Known Already"
    assert not smtp.messages
    twice = client.post(f"{PEOPLE}add/", new("known@clinic.example"))
    assert twice.status_code == 422
    assert "already a member" in twice.content.decode()
    # Somebody who left comes back, without the duty they once had.
    Membership.objects.filter(user=known, centre=centre).update(is_active=False, is_on_call=True)
    client.post(f"{PEOPLE}add/", new("known@clinic.example", **{"new-role": Role.PHYSIOTHERAPIST}))
    member = known.memberships.get(centre=centre)
    assert (member.role, member.is_active, member.is_on_call) == (Role.PHYSIOTHERAPIST, True, False)


def test_adding_keeps_what_was_typed(centre: Centre) -> None:
    client = signed_in(centre, Role.ADMINISTRATOR)
    page = client.post(f"{PEOPLE}add/", new("not an address", **{"new-full_name": "Noor Haddad"}))
    assert page.status_code == 422
    assert "Noor Haddad" in page.content.decode()
    assert User.objects.count() == 1


def test_change_and_end(centre: Centre) -> None:
    client = signed_in(centre, Role.ADMINISTRATOR)
    nurse = factories.person(centre, Role.NURSE)
    member = nurse.memberships.get()
    prefix = f"m{member.pk}"
    client.post(f"{PEOPLE}{member.pk}/", {f"{prefix}-role": Role.CLINICIAN, f"{prefix}-is_on_call": "on"})
    member.refresh_from_db()
    assert (member.role, member.is_on_call) == (Role.CLINICIAN, True)
    assert client.post(f"{PEOPLE}{member.pk}/", {f"{prefix}-role": "king"}).status_code == 422
    their = Client()
    their.force_login(nurse)
    assert their.get("/api/v1/patients").status_code == 200
    client.post(f"{PEOPLE}{member.pk}/end/")
    member.refresh_from_db()
    assert (member.is_active, member.is_on_call) == (False, False)
    assert their.get("/api/v1/patients").status_code == 403
    client.get(PEOPLE)  # where the message names them
    assert str(nurse) not in client.get(PEOPLE).content.decode()
    assert str(nurse) in client.post(PEOPLE, {"people": "find", "show": "former"}).content.decode()
    assert client.post(f"{PEOPLE}{member.pk}/", {f"{prefix}-role": Role.NURSE}).status_code == 404


def test_many_people_are_paged_and_found(centre: Centre) -> None:
    client = signed_in(centre, Role.ADMINISTRATOR, full_name="Zoe Admin")
    for n in range(60):
        factories.person(centre, Role.NURSE, full_name=f"Nurse {n:02}", email=f"nurse{n}@clinic.example")
    factories.person(centre, Role.CLINICIAN, full_name="Ada Okoro", email="ada@clinic.example")

    def found(**asked: str) -> list[str]:
        return [str(member.user) for member, _ in client.post(PEOPLE, {"people": "find", **asked}).context["rows"]]

    first = client.get(PEOPLE)
    assert len(first.context["rows"]) == 50
    assert "1–50 of 62" in first.content.decode()
    assert found(page="2")[-1] == "Zoe Admin"
    assert found(q="oko ADA") == ["Ada Okoro"]
    assert found(q="ada@clinic") == ["Ada Okoro"]
    assert found(q="nurse", page="2") == [f"Nurse {n}" for n in range(50, 60)]
    assert found(role=Role.CLINICIAN) == ["Ada Okoro"]
    assert "Nobody was found" in client.post(PEOPLE, {"people": "find", "q": "nobody"}).content.decode()
    last = Membership.objects.get(user__full_name="Nurse 59")
    refused = client.post(f"{PEOPLE}{last.pk}/", {f"m{last.pk}-role": "king"})
    assert [str(member.user) for member, _ in refused.context["rows"]] == ["Nurse 59"]


def test_another_centres_members_do_not_exist(centre: Centre) -> None:
    client = signed_in(centre, Role.ADMINISTRATOR)
    theirs = factories.person(factories.centre(), full_name="Somebody Elsewhere").memberships.get()
    assert "Somebody Elsewhere" not in client.get(PEOPLE).content.decode()
    assert client.post(f"{PEOPLE}{theirs.pk}/", {}).status_code == 404
    assert client.post(f"{PEOPLE}{theirs.pk}/end/").status_code == 404


def test_the_centre_keeps_an_administrator(centre: Centre) -> None:
    client = signed_in(centre, Role.ADMINISTRATOR)
    me = client.user.memberships.get()
    refused = client.post(f"{PEOPLE}{me.pk}/", {f"m{me.pk}-role": Role.NURSE})
    assert refused.status_code == 422
    assert "without an administrator" in refused.content.decode()
    page = client.post(f"{PEOPLE}{me.pk}/end/", follow=True)
    assert "without an administrator" in page.content.decode()
    me.refresh_from_db()
    assert (me.role, me.is_active) == (Role.ADMINISTRATOR, True)
    second = factories.person(centre, Role.ADMINISTRATOR)
    assert client.post(f"{PEOPLE}{me.pk}/", {f"m{me.pk}-role": Role.NURSE}).status_code == 302
    assert second.memberships.get().role == Role.ADMINISTRATOR


@pytest.mark.parametrize("page", ["/worklist/", "/patients/", "/patients/{}/", "/api/v1/patients/{}", "/api/v1/alerts"])
def test_nothing_shown_to_a_person_is_kept(centre: Centre, page: str) -> None:
    """Workstations are shared: after signing out, the Back button must not show the last patient."""
    client = signed_in(centre)
    patient = factories.patient(centre, client.user)
    answer = client.get(page.format(patient.public_id))
    assert answer.status_code == 200
    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))
