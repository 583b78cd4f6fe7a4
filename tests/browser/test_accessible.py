"""No page breaks the rules of accessibility that a machine can check, in light and dark, at a desk and on a phone.

Each page is looked at by the first role that may see it; those that look different by role, by all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files

import pytest
from django.urls import reverse

from accounts.models import Centre, Role
from accounts.permissions import ROLES
from tests.browser.people import Person
from tests.clinic.test_every_address import FOR_EVERYBODY, LIBRARY, PUBLIC, is_api, permission_of
from tests.clinic.world import Address, World, all_addresses, fill

pytestmark = pytest.mark.browser

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
# In the order in which they are asked who looks at a page.
PEOPLE = ("clinician", "nurse", "coordinator", "physiotherapist", "administrator", "researcher")
DIFFER_BY_ROLE = {"clinic:worklist", "clinic:due", "clinic:patient", "clinic:overview", "clinic:alert"}
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Signs out, or needs a key from an e-mail.
NOT_WALKED = {"account_confirm_email", "account_reset_password_from_key"}
RUN = """async (only) => (await axe.run(document, {resultTypes: ['violations'], ...only})).violations
    .flatMap((v) => v.nodes.slice(0, 3).map((n) => `${v.id}: ${n.html.slice(0, 160)}`))"""
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def test_the_walk_sees_the_pages() -> None:
    assert set(PEOPLE) == set(Role.values)
    of_clinician = {address.name for address in pages_of("clinician")}
    assert len(of_clinician) > 60
    assert of_clinician >= DIFFER_BY_ROLE | {"clinic:enter-panel", "clinic:treatment", "clinic:styleguide"}


def pages_of(who: str) -> list[Address]:
    """What `who` looks at: "nobody", or a role."""
    found = []
    for address in all_addresses():
        if (is_api(address) and address.name != "api-docs") or address.name in NOT_WALKED:
            continue
        if who == "nobody":
            if address.name in PUBLIC and address.name.startswith(LIBRARY):
                found.append(address)
            continue
        if address.name in PUBLIC:
            continue
        needed = None
        if address.name not in FOR_EVERYBODY and not address.name.startswith(LIBRARY):
            needed = permission_of(address, "GET")
        who_may = [role for role in PEOPLE if needed is None or needed in ROLES[role]]
        if who in who_may and (who == who_may[0] or address.name in DIFFER_BY_ROLE):
            found.append(address)
    return found


def looks(person: Person, name: str) -> Iterator[str]:
    """What is wrong with the page in front of the person, in both themes and on both screens."""
    page = person.page
    page.evaluate(AXE)
    for screen, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        # Structure is the same in both themes; colours are not, and they hardly depend on the screen.
        for theme, rules in (("light", {}), ("dark", COLOURS)) if screen == "desk" else (("dark", {}),):
            page.evaluate("(theme) => setTheme(theme)", theme)
            yield from (f"{name}, {screen}, {theme}: {each}" for each in page.evaluate(RUN, rules))
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > size["width"]:
            yield f"{name}, {screen}: {width} px wide, so that the page scrolls to the side"


@pytest.mark.parametrize(
    ("who", "part", "parts"),
    [("clinician", part, 4) for part in range(4)] + [(who, 0, 1) for who in ("nobody", *PEOPLE[1:])],
)
def test_no_violations(clinic: Centre, somebody: Callable[..., Person], who: str, part: int, parts: int) -> None:
    world = World(clinic)
    person = somebody(who if who != "nobody" else "clinician")
    if who != "nobody":
        person.user = world.member(who)
        person.is_signed_in()
    person.page.set_viewport_size(DESK)  # type: ignore[arg-type]
    wrong: list[str] = []
    looked_at = set()
    for address in pages_of(who)[part::parts]:
        url = reverse(address.name, kwargs=fill(address, world, person.user))
        # What is only sent to, leads elsewhere, is a file, or is a part of a page.
        answer = person.page.request.get(url, max_redirects=0)
        assert answer.status < 500, f"{address.name}: {answer.status}"
        is_html = answer.headers.get("content-type", "").startswith("text/html")
        if answer.status != 200 or not is_html or "<html" not in answer.text():
            continue
        person.opens(url)
        wrong += looks(person, address.name)
        looked_at.add(address.name)
    assert wrong == [], "\n".join(["", *wrong])
    assert len(looked_at) >= (12 if who == "clinician" else 1), looked_at
