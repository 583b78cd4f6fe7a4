"""Every address of the project, asked for by everybody: strangers, another centre's people, every role.

A new page is walked as soon as it has an address. Where it has a parameter the world cannot fill, the test says so.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.authentication import permission_for
from accounts.models import Membership, Role, User
from accounts.permissions import ROLES, Permission
from alerts.models import Alert, State
from audit.models import Entry
from clinic.selectors.facts import KINDS
from monitoring.models import Assessment
from tests import factories
from tests.clinic.world import Address, World, all_addresses, fill, objects_in, roles_with

# Answered without signing in: what a probe asks, and the way in.
PUBLIC = {
    "livez", "readyz", "metrics", "account_login", "account_logout", "account_inactive", "account_signup",
    "account_confirm_email", "account_email_verification_sent", "account_confirm_login_code", "account_reset_password",
    "account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done",
    "mfa_authenticate", "mfa_login_webauthn", "words",
}  # fmt: skip
# For whoever is signed in, whatever the role: oneself, one's centre, and what holds nothing about anybody.
FOR_EVERYBODY = {
    "accounts:profile", "accounts:make-token", "accounts:revoke-token", "accounts:set-digest", "accounts:stay",
    "accounts:switch-centre", "accounts:start", "accounts:elsewhere", "accounts:discard-kept",
    "clinic:home", "clinic:styleguide", "api-docs", "api-schema", "api-schema-bare",
    "api-nothing",
}  # fmt: skip
# The sign-in library's own pages: whatever role, and about oneself alone.
LIBRARY = ("account_", "mfa_", "usersessions_")
# Views that ask for more than they declare: what the kind of entry needs.
AS_ITS_KIND = {"clinic:fact-correct", "clinic:fact-withdraw", "clinic:fact-end"}
# A GET that can be answered only with something asked for.
QUERY = {"api-research-export": "?table=patients&release=walk"}

# Parameters of what belongs to nobody.
KEYS = {
    "account_confirm_email": {"key": "x"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "x"},
    "words": {"language": "de"},
}

METHODS = ("GET", "POST")
ALL = [a for a in all_addresses() if a.name not in PUBLIC and not a.name.startswith(LIBRARY)]


def test_the_walk_sees_the_project() -> None:
    names = {a.name for a in all_addresses()}
    assert names >= {"clinic:worklist", "exchange:quarantine", "research:releases", "accounts:people", "api-rules-list"}
    assert names >= PUBLIC | FOR_EVERYBODY | AS_ITS_KIND, "lists here name addresses that are gone"
    assert all(a.name and not a.name.endswith(":") for a in all_addresses()), "every address has a name"


def is_api(address: Address) -> bool:
    return address.route.startswith("api/")


def permission_of(address: Address, method: str) -> Permission | None:
    """The permission that the view declares for the method; None where it declares none."""
    view = getattr(address.view, "cls", None) or getattr(address.view, "view_class", None)
    if view is None:
        permission: Permission | None = getattr(address.view, "permission", None)
        return permission
    actions = getattr(address.view, "actions", None) or {}
    asked = view()
    asked.action = actions.get(method.lower(), "")
    return permission_for(asked, method)


def methods_of(address: Address) -> list[str]:
    """GET and POST, as far as a view of the API takes them; a page says so only when it is asked."""
    actions = getattr(address.view, "actions", None)
    if actions:
        return [m for m in METHODS if m.lower() in actions]
    view = getattr(address.view, "cls", None)
    return [m for m in METHODS if view is None or hasattr(view, m.lower())]


@pytest.mark.parametrize("address", [a for a in ALL if a.name not in FOR_EVERYBODY], ids=lambda a: a.name)
def test_every_view_declares_what_it_needs(address: Address) -> None:
    for method in methods_of(address):
        assert isinstance(permission_of(address, method), Permission), f"{address.route}: @needs(Permission.…)"


def is_refused(method: str, answer: Any) -> bool:
    """The method and not the person: 405, or for whoever opens the address of a form, the page above it."""
    if method == "GET" and answer.status_code == 302:
        above = answer.url
        return bool(answer.wsgi_request.path.startswith(above) and answer.wsgi_request.path != above)
    return bool(answer.status_code == 405)


# ----------------------------------------------------------------------------------------------------------- the world


@pytest.fixture
def world(db: None, on_the_day: None) -> World:
    return World()


def client_of(person: User | None) -> Client:
    client = Client(raise_request_exception=False)  # an error is an answer of 500, and the walk goes on to the others
    if person is not None:
        client.force_login(person)
    return client


class Walk:
    """Asks for addresses and collects what was answered otherwise than expected."""

    def __init__(self, world: World, person: User | None, whose: User | None = None) -> None:
        self.world, self.person = world, person
        self.whose = whose or person or world.clinician
        self.client = client_of(person)
        self.wrong: list[str] = []
        self.asked = 0

    def ask(self, address: Address, method: str, **changed: Any) -> Any:
        """The answer; what the request wrote is taken back, so that the next finds the world as it was."""
        cookie = self.client.cookies.get(settings.SESSION_COOKIE_NAME)
        session = cookie.value if cookie else ""
        with transaction.atomic():
            values = fill(address, self.world, self.whose) | changed
            url = reverse(address.name, kwargs=values) + QUERY.get(address.name, "")
            kind = {"content_type": "application/json"} if is_api(address) else {}
            data = {"centre": self.world.centre.public_id} if address.name == "accounts:switch-centre" else {}
            answer = self.client.post(url, data, **kind) if method == "POST" else self.client.get(url)
            if answer.streaming:
                b"".join(answer.streaming_content)  # what breaks while it is sent breaks here
            transaction.set_rollback(True)
        begun = answer.cookies.get(settings.SESSION_COOKIE_NAME)
        if begun is not None and begun.value != session:
            self.client = client_of(self.person)  # who was signed out, or in anew: that session was taken back, too
        self.asked += 1
        return answer

    def expect(self, address: Address, method: str, answer: Any, expected: set[int]) -> None:
        if answer.status_code not in expected:
            self.wrong.append(f"{method} {address.route}: {answer.status_code}, not one of {sorted(expected)}")

    def finish(self, at_least: int = 100) -> None:
        assert self.wrong == [], "\n".join(["", *self.wrong])
        assert self.asked >= at_least


# ------------------------------------------------------------------------------------------------------------ the walk


def test_nobody_is_let_in_without_signing_in(world: World) -> None:
    walk = Walk(world, None)
    for address in ALL:
        for method in methods_of(address):
            answer = walk.ask(address, method)
            if is_api(address) and address.name != "api-docs":
                walk.expect(address, method, answer, {401})
            else:
                walk.expect(address, method, answer, {302})
                if answer.status_code == 302 and not answer.url.startswith("/login/login/?next=/"):
                    walk.wrong.append(f"{method} {address.route}: sent to {answer.url}")
    walk.finish()


@pytest.mark.parametrize("role", Role.values)
def test_another_centres_people_find_nothing(world: World, role: str) -> None:
    """Their role gives them the right at their own centre; what is here does not exist for them."""
    walk = Walk(world, factories.person(world.elsewhere, role), whose=world.clinician)
    member = Walk(world, world.member(role))
    for address in filter(objects_in, ALL):
        for method in methods_of(address):
            needed = permission_of(address, method)
            if needed is not None and needed not in ROLES[role]:
                continue
            answer = walk.ask(address, method)
            # The method may be refused before anything is looked for, and then it is for everybody.
            refused = is_refused(method, answer) and is_refused(method, member.ask(address, method))
            if not refused:
                walk.expect(address, method, answer, {404})
    walk.finish(at_least=2)


@pytest.mark.parametrize("role", Role.values)
def test_every_role_sees_what_it_may_and_nothing_else(world: World, role: str) -> None:
    walk = Walk(world, world.member(role))
    for address in ALL:
        for method in methods_of(address):
            needed = permission_of(address, method)
            answer = walk.ask(address, method)
            if needed is not None and needed not in ROLES[role]:
                # A page may refuse the method first, to everybody.
                walk.expect(address, method, answer, {answer.status_code} if is_refused(method, answer) else {403})
            elif address.name == "api-nothing":
                walk.expect(address, method, answer, {404})
            elif address.name in AS_ITS_KIND and Permission.RECORD_RESULTS not in ROLES[role]:
                walk.expect(address, method, answer, {403} if method == "POST" else {302})
            elif method == "GET":
                walk.expect(address, method, answer, {200, 302} | ({405} if is_api(address) else set()))
            else:
                # Nothing was filled in: refused (400, 422), taken (200, 201, 204, 302), or changed meanwhile (409).
                walk.expect(address, method, answer, {200, 201, 204, 302, 400, 405, 409, 422})
    walk.finish()


@pytest.mark.parametrize("kind", ["member of no centre", "former member"])
def test_who_belongs_to_no_centre_may_nothing(world: World, kind: str) -> None:
    person = factories.person()
    if kind == "former member":
        Membership.objects.create(user=person, centre=world.centre, role=Role.CLINICIAN, is_active=False)
    walk = Walk(world, person, whose=world.clinician)
    for address in ALL:
        if address.name in FOR_EVERYBODY:
            continue
        for method in methods_of(address):
            answer = walk.ask(address, method)
            walk.expect(address, method, answer, {answer.status_code} if is_refused(method, answer) else {403})
    walk.finish()


def test_what_is_one_patients_is_not_found_under_another(world: World) -> None:
    """The entry exists, the patient exists, both at this centre: and still the address is wrong."""
    walk = Walk(world, world.clinician)
    for address in ALL:
        if ("patients", "public_id") in address.parameters and len(objects_in(address)) > 1:
            for method in METHODS:
                answer = walk.ask(address, method, public_id=world.neighbour.public_id)
                if not is_refused(method, answer):
                    walk.expect(address, method, answer, {404})
    walk.finish(at_least=10)


def test_every_kind_of_entry(world: World) -> None:
    """Its page, and who may change it: what a role may do to an entry depends on the kind."""
    by_name = {a.name: a for a in ALL}
    clinician, stranger = Walk(world, world.clinician), Walk(world, factories.person(world.elsewhere))
    people = {role: Walk(world, world.member(role)) for role in roles_with(Permission.SEE_PATIENTS)}
    for word, kind in KINDS.items():
        where = {"word": word, "pk": world.one_of_kind(word).pk}
        assert clinician.ask(by_name["clinic:fact"], "GET", **where).status_code == 200, word
        assert clinician.ask(by_name["clinic:fact-withdraw"], "POST", **where).status_code == 422, "asks for a reason"
        for name in AS_ITS_KIND:
            assert stranger.ask(by_name[name], "POST", **where).status_code == 404, word
        for role in set(people) - set(roles_with(kind.permission)):
            assert people[role].ask(by_name["clinic:fact-withdraw"], "POST", **where).status_code == 403, (word, role)
    assert people["administrator"].asked == len(KINDS), "administrators change nothing"


def test_an_entry_of_another_person_is_not_theirs_to_undo(world: World) -> None:
    by_name = {a.name: a for a in ALL}
    walk = Walk(world, world.member(Role.NURSE), whose=world.clinician)
    for name in ("clinic:undo", "accounts:revoke-token"):
        assert walk.ask(by_name[name], "POST").status_code == 404
    assert not Entry.objects.filter(by=walk.person).exists()


def test_what_is_named_in_the_body_of_a_request_is_held_to_the_centre_too(world: World) -> None:
    """An address is not the only place for an id."""
    stranger, ours = factories.person(world.elsewhere), Alert.objects.get(patient=world.patient, rule="ck-rising")
    client = client_of(stranger)
    ticked = {"alert": f"{ours.public_id}:{ours.level}", "reason": "acted"}
    client.post(reverse("clinic:alerts-acknowledge"), ticked)
    ours.refresh_from_db()
    assert ours.state == State.OPEN
    assert client.post(reverse("accounts:switch-centre"), {"centre": world.centre.public_id}).status_code == 404
    theirs = factories.patient(world.elsewhere, stranger)
    before = Assessment.objects.get(patient=world.patient, mmt8_150=141)
    client.post(
        reverse("clinic:enter-assessment", args=[theirs.public_id]),
        {"assessed_on": before.assessed_on, "adds_to": before.pk, "physician_vas": "9"},
    )
    before.refresh_from_db()
    assert before.retired_at is None
    row = {"patient": str(world.patient.public_id), "analyte": "ck", "value": "200", "unit": "U/L"}
    answer = client.post("/api/v1/results", {**row, "taken_on": "2025-06-01"}, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "not_found"
    looks = client.get(reverse("clinic:worklist"), {"role": "all", "patient": world.patient.public_id})
    assert world.patient.family_name not in looks.content.decode()
    found = client.post(reverse("clinic:patients"), {"q": world.patient.family_name})
    assert world.patient.record_number not in found.content.decode()
    for touched in ({"centre": world.centre}, {"patient": world.patient}):
        assert not Entry.objects.filter(by=stranger, **touched).exists()


@pytest.mark.parametrize("role", Role.values)
def test_an_address_that_takes_only_a_form_leads_to_a_page(world: World, role: str) -> None:
    """Reloaded or bookmarked: never the bare 405 of the browser, and no circle of redirects."""
    walk = Walk(world, world.member(role))
    led = told = 0
    for address in all_addresses():
        if is_api(address):
            continue
        with transaction.atomic():
            url = reverse(address.name, kwargs=KEYS.get(address.name) or fill(address, world, walk.whose))
            answer = walk.client.get(url)
            text = b"".join(answer.streaming_content) if answer.streaming else answer.content
            for form in re.findall(rb'<form\b[^>]*method="post".*?</form>', text, re.DOTALL):
                if b'name="whose"' not in form:
                    walk.wrong.append(f"{address.route}: a form that does not say whom it was made for")
            if answer.status_code == 405:  # no page of ours
                walk.wrong.append(f"{address.route}: 405")
            elif is_refused("GET", answer):
                led += 1
                page = walk.client.get(url, follow=True)
                if page.status_code not in (200, 403) or b"<html" not in page.content:
                    walk.wrong.append(f"{address.route}: led to {page.status_code}")
                said = page.content.count(b"only takes what a form sends")
                told += said
                if said > 1:
                    walk.wrong.append(f"{address.route}: says it {said} times")
            transaction.set_rollback(True)
    assert led > 15
    assert told > 5
    walk.finish(at_least=0)


# --------------------------------------------------------------------------------------------- the library's own pages


@pytest.mark.parametrize("who", ["nobody", *Role.values])
def test_the_way_in_breaks_for_nobody(world: World, who: str) -> None:
    walk = Walk(world, None if who == "nobody" else world.member(who))
    for address in all_addresses():
        if not address.name.startswith(LIBRARY):
            continue
        for method in METHODS:
            answer = walk.ask(address, method, **KEYS.get(address.name, {}))
            if who == "nobody" and address.name not in PUBLIC:
                walk.expect(address, method, answer, {302})
                if answer.status_code == 302 and not answer.url.startswith("/login/"):
                    walk.wrong.append(f"{method} {address.route}: sent to {answer.url}")
            else:
                walk.expect(address, method, answer, {200, 302, 403, 404, 405} | ({400} if method == "POST" else set()))
    walk.finish(at_least=40)
