"""Every page has its picture in docs/pages.md, with a sentence on what it is for."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.permissions import ROLES
from tests import factories
from tests.clinic.test_every_address import LIBRARY, PUBLIC, is_api, permission_of
from tests.clinic.world import World, all_addresses, fill

DOCS = Path(settings.BASE_DIR) / "docs"
# Pages that say less than a sentence: a step of another, a form of another entry, an error; and this guide's own.
WITHOUT = {
    "account_logout", "account_change_password", "account_reauthenticate", "account_inactive", "account_signup",
    "account_reset_password_done", "account_reset_password_from_key_done", "account_reset_password_from_key",
    "account_confirm_email", "account_email_verification_sent", "account_confirm_login_code", "account_set_password",
    "mfa_authenticate", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes", "mfa_list_webauthn", "mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn",
    "mfa_reauthenticate_webauthn", "mfa_trust", "clinic:styleguide", "clinic:merge-confirm", "clinic:merge",
    "clinic:dose-correct", "clinic:assessment-correct", "clinic:patient-status",
    "clinic:treatment-stop", "clinic:treatment-infusion", "clinic:physio-plan",
    "clinic:physio-book", "clinic:escalation-decide", "exchange:preview", "exchange:receipt", "exchange:held-row",
}  # fmt: skip


def pictures() -> Any:
    spec = importlib.util.spec_from_file_location("screenshots", DOCS / "screenshots.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["screenshots"] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_what_was_taken() -> None:
    made = pictures()
    taken = {path.name for path in (DOCS / "screenshots").glob("*.png")}
    named = {f"{shot.name}-{size}.png" for shot in made.SHOTS for size in made.SIZES}
    assert taken == named, "run `make screenshots`"
    assert made.the_page({shot.name for shot in made.SHOTS}) == (DOCS / "pages.md").read_text(encoding="utf-8")
    assert all(shot.says.endswith(".") for shot in made.SHOTS)
    assert sum(path.stat().st_size for path in (DOCS / "screenshots").iterdir()) < 7_000_000


def test_the_readme_shows_pictures_that_are_there() -> None:
    named = re.findall(r"docs/screenshots/([\w-]+\.png)", (DOCS.parent / "README.md").read_text(encoding="utf-8"))
    assert named
    assert all((DOCS / "screenshots" / name).exists() for name in named)


@pytest.mark.django_db
def test_every_page_has_a_picture() -> None:
    shown = {shot.route for shot in pictures().SHOTS}
    names = {address.name for address in all_addresses()}
    assert shown <= names, "pictures of pages that are gone"
    pages = set()
    with time_machine.travel(factories.NOW, tick=False):
        world = World()
        clients = {}
        for role in ("clinician", "administrator", "researcher"):
            clients[role] = world.member(role), Client(raise_request_exception=False)
            clients[role][1].force_login(clients[role][0])
        for address in all_addresses():
            if is_api(address) or address.name in PUBLIC | shown | WITHOUT or re.search(r"\.\w+$", address.route):
                continue
            needed = None if address.name.startswith(LIBRARY) else permission_of(address, "GET")
            role = next((role for role in clients if needed is None or needed in ROLES[role]), "clinician")
            person, client = clients[role]
            answer = client.get(reverse(address.name, kwargs=fill(address, world, person)))
            is_page = answer.status_code == 200 and answer.get("Content-Type", "").startswith("text/html")
            if is_page and not answer.streaming and b"<html" in answer.content:
                pages.add(address.name)
    assert pages == set(), "take a picture (docs/screenshots.py), or say here why it needs none"
