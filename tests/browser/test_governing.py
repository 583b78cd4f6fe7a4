"""Two clinicians change a number of a rule: one proposes, a worker asks the past, the other confirms."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from monitoring import governance
from monitoring.models import RuleChange
from monitoring.rules import RULES
from tests import factories
from tests.browser.people import Person
from tests.conftest import celery_worker

pytestmark = pytest.mark.browser

RULE = RULES["ck-rising"]
URL = f"/rules/{RULE.id}/"


@pytest.mark.parametrize("javascript", [True, False])
def test_one_proposes_the_past_is_asked_and_another_confirms(
    clinic: Any, somebody: Callable[..., Person], tmp_path: Any, javascript: bool
) -> None:
    one = somebody(full_name="Dr Okafor", javascript=javascript)
    other = somebody(full_name="Dr Silva", javascript=javascript)
    for person in (one, other):
        person.is_signed_in()
    one.opens(URL)
    one.page.get_by_text("Propose other numbers").click()
    one.page.get_by_label("Action ratio", exact=True).fill("9")
    numbers = one.page.locator("form", has=one.page.get_by_label("Action ratio", exact=True))
    numbers.get_by_label("Reason").fill("Our assay reads higher")
    numbers.get_by_role("button", name="Propose").click()
    one.sees("9 is out of bounds: 1 to 4.")
    one.page.get_by_label("Action ratio", exact=True).fill("2.2")
    numbers.get_by_role("button", name="Propose").click()
    one.sees("Back-test over the last 12 months", "0 %", "Somebody else has to confirm what you proposed.")
    other.opens(URL)
    expect(other.page.get_by_role("button", name="Confirm")).to_have_count(0)
    wrong = Axe().run(other.page).response["violations"] if javascript else []
    assert [v["id"] for v in wrong] == []

    change = RuleChange.objects.get()
    with celery_worker(tmp_path):
        if javascript:  # the page asks by itself, and is there again once it has finished
            expect(other.page.get_by_role("button", name="Confirm")).to_be_visible(timeout=60_000)
        else:
            for _ in range(60):
                other.page.wait_for_timeout(1000)
                other.opens(URL)
                if other.page.get_by_role("button", name="Confirm").count():
                    break
    expect(other.page.get_by_role("row", name=re.compile("^Alerts opened"))).to_contain_text("0")
    other.page.get_by_role("button", name="Confirm").click()
    other.sees("Confirmed. The next check goes by it.", "Our assay reads higher")
    change.refresh_from_db()
    assert (change.proposed_by, change.confirmed_by) == (one.user, other.user)
    assert governance.numbers(clinic, RULE).parameters.action_ratio == Decimal("2.2")


def test_the_pages_of_a_rule_that_was_changed_are_accessible(clinic: Any, somebody: Callable[..., Person]) -> None:
    factories.rule_change(clinic, RULE.id, mode="shadow")
    factories.rule_change(clinic, RULE.id)
    factories.rule_change(clinic, RULE.id, mode="on", confirmed=False)
    person = somebody(dark=True)
    person.is_signed_in()
    for address in (URL, f"{URL}shadow/", "/rules/"):
        person.opens(address)
        person.page.eval_on_selector_all("main details", "all => all.forEach(each => { each.open = true })")
        found = Axe().run(person.page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:160]) for v in found] == [], address
