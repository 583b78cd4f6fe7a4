"""The filters above a list: the few asked for most in a line, the rest under "More filters", and how many are set."""

from __future__ import annotations

import re

import pytest

from alerts.models import State
from tests.clinic import findings

pytestmark = pytest.mark.django_db


def boxes(html: str, part: str) -> list[str]:
    """Names of the boxes in the part of the page with this class."""
    inside = html.split(f'class="{part}', 1)[1]
    inside = inside.split("</details>" if part == "filters-panel" else "<details", 1)[0]
    return re.findall(r'<(?:select|input)[^>]* name="(\w+)"', inside)


def counts(html: str) -> dict[str, int]:
    """Filters that are set, as said on a phone (all of them) and at a desk (those that are folded)."""
    inside = html.split('id="filters-set"', 1)[1].split("filters-panel")[0]
    return {width: int(n) for width, n in re.findall(r'nav-count filters-(narrow|wide)">(\d+)<', inside)}


@pytest.mark.parametrize(
    ("path", "in_line", "folded"),
    [
        ("/worklist/", ["role", "level", "clinician"], ["rule", "due"]),
        ("/patients/", ["status", "subtype", "treatment"],
         ["antibody", "steroid", "clinician", "remission", "next_visit"]),
        ("/worklist/history/", ["state", "role", "outcome"],
         ["level", "rule", "clinician", "opened_from", "opened_to", "closed_from", "closed_to", "overdue_on"]),
    ],
)  # fmt: skip
def test_a_few_boxes_stand_in_the_line_and_the_rest_is_folded(path, in_line, folded, clinician, signed_in) -> None:
    page = signed_in(clinician).get(path).content.decode()
    assert boxes(page, "filters-row") == in_line
    assert sorted(boxes(page, "filters-panel")) == sorted(folded)


def test_how_many_are_set_is_said_without_those_the_list_sets_itself(clinic, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    assert counts(browser.get("/worklist/").content.decode()) == {}
    assert counts(browser.get("/worklist/?role=clinician&level=&state=snoozed").content.decode()) == {}
    page = browser.get("/worklist/?level=URGENT&due=overdue&state=snoozed").content.decode()
    assert counts(page) == {"narrow": 2, "wide": 1}
    assert 'href="?state=snoozed">Clear<' in page  # which list it is stays


def test_the_count_comes_with_the_part_that_htmx_asks_for(clinic, clinician, signed_in) -> None:
    part = signed_in(clinician).get("/worklist/?due=soon", headers={"HX-Request": "true"}).content.decode()
    assert 'id="filters-set" hx-swap-oob="true"' in part
    assert counts(part) == {"narrow": 1, "wide": 1}
    assert "count-clinicworklist" not in part  # nothing was done: the menu is as it was


def test_after_an_alert_is_acknowledged_the_menu_counts_one_less(clinic, clinician, signed_in) -> None:
    one, two = (findings.alert(findings.someone(clinic, clinician)) for _ in range(2))
    browser = signed_in(clinician)
    assert menu(browser.get("/worklist/").content.decode()) == 2
    for alert, left in ((one, 1), (two, 0)):
        part = browser.post(
            f"/alerts/{alert.public_id}/acknowledge/",
            headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/worklist/"},
        ).content.decode()
        assert 'hx-swap-oob="true"' in part.split('id="count-clinicworklist"', 1)[1].split(">", 1)[0]
        assert menu(part) == left
        alert.refresh_from_db()
        assert alert.state == State.ACKNOWLEDGED


def menu(html: str) -> int:
    found = re.search(r'id="count-clinicworklist"[^>]*?( hidden)?>\s*(\d+)', html)
    assert found
    assert bool(found[1]) == (found[2] == "0")
    return int(found[2])
