"""A form that was opened at one centre is never recorded at another, whatever happened in another tab."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from patients.models import Patient
from tests.browser.people import Person

if TYPE_CHECKING:
    from accounts.models import Centre

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no javascript"])
def test_the_centre_changes_in_another_tab(clinic: Centre, somebody: Callable[..., Person], javascript: bool) -> None:
    from accounts.models import Membership
    from tests import factories

    harbour = factories.centre(name="Harbour")
    clerk = somebody("coordinator", javascript=javascript)
    Membership.objects.create(user=clerk.user, centre=harbour, role="coordinator")
    clerk.is_signed_in()
    clerk.opens("/patients/new/")
    clerk.types("Family name", "Vestergaard")
    clerk.types("Record number", "V-1")
    other = Person(clerk.user, clerk.page.context.new_page())
    other.opens("/worklist/due/")
    other.page.get_by_label("You work at Riverside. Change the centre").click()
    other.presses("Work at Harbour")
    other.is_told("You are now at Harbour.")
    clerk.presses("Register", within="main")
    clerk.sees("This form was made at Riverside. You now work at Harbour", "Vestergaard", "V-1")
    clerk.page.reload()
    clerk.presses("Go on at Riverside", within="main")
    expect(clerk.page).to_have_url(re.compile("/patients/new/$"))
    for _ in range(2):
        clerk.sees("This was not saved yet", "You worked at another centre when you sent it.")
        expect(clerk.page.get_by_label("Family name")).to_have_value("Vestergaard")
        clerk.page.reload()
    clerk.presses("Discard it", within="main")
    clerk.does_not_see("This was not saved yet", "had not saved is back")
    expect(clerk.page.get_by_label("Family name")).to_have_value("")
    assert not Patient.objects.filter(family_name="Vestergaard").exists()
