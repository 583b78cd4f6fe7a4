"""Whoever asks for a page signs in, with a password or a passkey, and works at one centre at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from tests.browser import people

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

    from accounts.models import Centre
    from tests.browser.people import Person

PASSWORD = "a long enough password"


@pytest.mark.browser
def test_signing_in_leads_to_the_page_asked_for(browser_page: Page, transactional_db: None) -> None:
    somebody = get_user_model().objects.create_user(
        username="somebody", email="somebody@example.org", password=PASSWORD, full_name="Some Body"
    )
    browser_page.goto("/login/password/change/")
    assert "/login/login/" in browser_page.url
    browser_page.fill("input[name=login]", somebody.email)
    browser_page.fill("input[name=password]", PASSWORD)
    browser_page.press("input[name=password]", "Enter")
    browser_page.wait_for_url("**/login/password/change/")
    assert browser_page.locator("input[name=oldpassword]").count() == 1


# ------------------------------------------------------------------------------------------------------------ passkeys


def has_a_passkey_device(person: Person) -> tuple[CDPSession, str]:
    """The browser has what a telephone or a laptop has: something that keeps passkeys, unlocked by a finger."""
    device = person.page.context.new_cdp_session(person.page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    return device, device.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def adds_a_passkey(person: Person) -> list[str]:
    """From the profile; gives the recovery codes it came with."""
    person.opens("/accounts/profile/")
    person.follows("Passkeys and second factor")
    person.follows("Add a passkey")
    person.types("Password", people.PASSWORD)  # nobody adds one on a workstation left alone
    person.presses("Confirm")
    person.types("Name of the passkey", "Laptop in room 3")
    person.presses("Make the passkey")
    person.page.wait_for_url("**/recovery-codes/")
    codes = person.page.locator("#recovery_codes").input_value().split()
    person.opens("/login/2fa/webauthn/")
    person.sees("Laptop in room 3", "without a password")
    return codes


def signs_out(person: Person) -> None:
    person.opens("/login/logout/")
    person.presses("Sign out", within="main")
    person.page.wait_for_url("**/login/login/**")


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_a_passkey_signs_in_without_a_password(width: int, somebody: Callable[..., Person]) -> None:
    nurse = somebody("nurse", full_name="Ida Vestergaard", width=width)
    nurse.signs_in()
    has_a_passkey_device(nurse)
    adds_a_passkey(nurse)
    signs_out(nurse)
    nurse.tabs_to("Sign in with a passkey", most=12)  # reached, and pressed, with the keyboard alone
    nurse.page.keyboard.press("Enter")
    nurse.page.wait_for_url("**/worklist/")
    expect(nurse.page.locator(".user-button")).to_have_attribute("aria-label", "Signed in as Ida Vestergaard")
    nurse.opens("/login/2fa/webauthn/")
    nurse.does_not_see("Not yet")


@pytest.mark.browser
def test_without_the_device_the_password_and_a_recovery_code_are_the_way_in(somebody: Callable[..., Person]) -> None:
    nurse = somebody("nurse")
    nurse.signs_in()
    device, id_ = has_a_passkey_device(nurse)
    codes = adds_a_passkey(nurse)
    assert len(codes) >= 5
    signs_out(nurse)
    device.send("WebAuthn.setUserVerified", {"authenticatorId": id_, "isUserVerified": False})  # the wrong finger
    nurse.presses("Sign in with a passkey")
    nurse.sees("No passkey was accepted. Try again, or sign in with your password.")
    expect(nurse.page.locator("#passkey-trouble")).to_be_focused()
    nurse.signs_in()
    nurse.page.wait_for_url("**/2fa/**")
    nurse.page.fill("input[name=code]", codes[0])
    nurse.page.keyboard.press("Enter")
    nurse.page.wait_for_url("**/worklist/")


@pytest.mark.browser
@pytest.mark.parametrize("by", ["passkey", "recovery code"])
def test_what_was_typed_is_back_at_its_own_address_however_one_signs_in_again(
    clinic: Centre, somebody: Callable[..., Person], by: str
) -> None:
    from tests import factories

    nurse = somebody("nurse")
    patient = factories.patient(clinic, nurse.user, family_name="Abara")
    nurse.signs_in()
    has_a_passkey_device(nurse)
    codes = adds_a_passkey(nurse)
    nurse.opens_patient(patient, "enter/lung-function/")
    nurse.types("Reference set", "GLI-2012, Tuesday's")
    nurse.page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    nurse.presses("Save", within="main")
    nurse.sees("What you typed is kept: it comes back when you sign in.", within="body")
    if by == "passkey":
        nurse.presses("Sign in with a passkey", within="body")
    else:
        nurse.page.fill("[name=login]", nurse.user.email)
        nurse.page.fill("[name=password]", people.PASSWORD)
        nurse.page.press("[name=password]", "Enter")
        nurse.page.wait_for_url("**/2fa/**")
        nurse.page.fill("input[name=code]", codes[0])
        nurse.page.keyboard.press("Enter")
    nurse.page.wait_for_url("**/enter/lung-function/")
    for _ in range(2):
        nurse.sees("This was not saved yet")
        expect(nurse.page.get_by_label("Reference set")).to_have_value("GLI-2012, Tuesday's")
        nurse.page.reload()


@pytest.mark.browser
def test_without_javascript_the_entrance_offers_no_passkey(somebody: Callable[..., Person]) -> None:
    nurse = somebody("nurse", javascript=False)
    nurse.page.goto("/")
    expect(nurse.page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    nurse.signs_in()


# ------------------------------------------------------------------------------------------------------ several centres


@pytest.mark.browser
@pytest.mark.parametrize(("width", "javascript"), [(1440, True), (390, True), (1440, False)])
def test_who_belongs_to_two_centres_changes_between_them(
    width: int, javascript: bool, clinic: Centre, somebody: Callable[..., Person]
) -> None:
    from accounts.models import Membership
    from tests import factories

    harbour = factories.centre(name="Harbour")
    visiting = somebody("clinician", width=width, javascript=javascript)
    Membership.objects.create(user=visiting.user, centre=harbour, role="clinician")
    here = factories.patient(clinic, visiting.user, family_name="Vestergaard")
    there = factories.patient(harbour, visiting.user, family_name="Abara")
    visiting.is_signed_in()
    visiting.opens("/patients/")
    visiting.sees("Vestergaard")
    visiting.does_not_see("Abara")
    visiting.sees("Riverside", within=".brand")
    if javascript:  # with the keyboard alone
        for name in ("You work at Riverside. Change the centre", "Work at Harbour"):
            visiting.tabs_to(name)
            visiting.keys("Enter")
    else:
        visiting.page.get_by_label("You work at Riverside. Change the centre").click()
        visiting.presses("Work at Harbour")
    visiting.is_told("You are now at Harbour.")
    visiting.sees("Harbour", within=".brand")
    visiting.opens("/patients/")
    visiting.sees("Abara")
    visiting.does_not_see("Vestergaard")
    answer = visiting.page.goto(f"/patients/{here.public_id}/")
    assert answer is not None
    assert answer.status == 404
    visiting.opens_patient(there)
    visiting.page.go_back()
    assert visiting.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
