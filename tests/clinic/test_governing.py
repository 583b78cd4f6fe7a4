"""The page of a rule, where two people of a centre change it: without JavaScript, by forms and by loading it again."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest

from accounts.models import Role
from alerts import backtest_actions
from alerts.models import ShadowFinding
from audit.models import Access
from monitoring import governance
from monitoring.models import Mode, RuleBackTest, RuleChange
from monitoring.rules import RULES
from tests import factories
from tests.clinic import findings
from tests.factories import AS_OF, NOW

URL = "/rules/ck-rising/"


@pytest.fixture
def other(clinic):
    return factories.person(clinic, full_name="Dr Silva")


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def numbers(**changes: str) -> dict[str, str]:
    """The whole form as the page gives it, with these changed."""
    own = {name: str(value) for name, value in vars(RULES["ck-rising"].parameters).items()}
    return {f"number-{name}": value for name, value in {**own, **changes, "reason": "Our assay"}.items()}


def finished(change: RuleChange) -> None:
    assert backtest_actions.run_back_test(change_id=change.pk, now=NOW, clock=lambda: NOW)


# ------------------------------------------------------------------------------------------------------------ one rule


def test_it_shows_what_is_in_force_with_its_bounds_and_history(clinic, clinician, other, signed_in) -> None:
    factories.rule_change(
        clinic, "ck-rising", parameters={"action_ratio": "2.2", "rest_days_to": "8"}, reason="Our assay <b>"
    )
    page = signed_in(clinician).get(URL).content.decode()
    assert "Our assay &lt;b&gt;" in page
    told = text_of(page)
    assert "Action ratio 2.2 the rule's own: 2 1 to 4" in told
    assert "Not signed off by this centre" in told
    assert "Numbers: Action ratio 2.2, Rest days to 8 In force" in told
    assert "5 to 8 days" in told, "the sentences have the centre's numbers in them"


def test_a_mode_is_proposed_by_one_and_confirmed_by_another(clinic, clinician, other, signed_in) -> None:
    client = signed_in(clinician)
    refused = client.post(f"{URL}mode/", {"mode-mode": "off", "mode-reason": " "})
    assert refused.status_code == 422
    assert not RuleChange.objects.exists()
    assert client.post(f"{URL}mode/", {"mode-mode": "off", "mode-reason": "No CK here"}).status_code == 302
    change = RuleChange.objects.get()
    page = client.get(URL).content.decode()
    assert "Somebody else has to confirm what you proposed." in page
    assert f"changes/{change.pk}/confirm/" not in page
    client.post(f"{URL}changes/{change.pk}/confirm/")
    assert governance.mode(clinic, "ck-rising") == Mode.ON
    assert "Somebody else has to confirm what you proposed." in text_of(client.get(URL).content.decode())
    second = signed_in(other)
    assert f'action="{URL}changes/{change.pk}/confirm/"' in second.get(URL).content.decode()
    second.post(f"{URL}changes/{change.pk}/confirm/")
    assert governance.mode(clinic, "ck-rising") == Mode.OFF
    assert "This centre has switched the rule off." in second.get(URL).content.decode()


def test_numbers_are_refused_beside_their_box_and_keep_what_was_typed(clinic, clinician, signed_in) -> None:
    client = signed_in(clinician)
    refused = client.post(f"{URL}numbers/", numbers(action_ratio="4.5", early_days="soon"))
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "4.5 is out of bounds: 1 to 4." in page
    assert "soon is not a whole number." in page
    assert 'value="4.5"' in page
    assert not RuleChange.objects.exists()


def test_numbers_wait_for_their_back_test(clinic, clinician, other, signed_in) -> None:
    signed_in(clinician).post(f"{URL}numbers/", numbers(action_ratio="2.2"))
    change = RuleChange.objects.get()
    assert change.parameters == {"action_ratio": "2.2"}
    client = signed_in(other)
    page = client.get(URL).content.decode()
    assert "It can be confirmed when the back-test has finished." in page
    assert "Action ratio 2 2.2" in text_of(page)
    RuleBackTest.objects.update(weeks_done=13)
    fragment = f"{URL}changes/{change.pk}/back-test/"
    asked = client.get(fragment, headers={"HX-Request": "true"})
    assert "25 %" in asked.content.decode()
    assert 'hx-trigger="every 2s"' in asked.content.decode()
    assert f'<progress id="back-test-{change.pk}-bar" max="100" value="25">' in asked.content.decode()
    assert "HX-Refresh" not in asked.headers
    assert client.get(fragment).status_code == 302, "without htmx the page itself says how far it is"
    assert "25 %" in client.get(URL).content.decode()
    client.post(f"{URL}changes/{change.pk}/confirm/")
    assert governance.numbers(clinic, RULES["ck-rising"]).parameters == RULES["ck-rising"].parameters
    finished(change)
    asked = client.get(fragment, headers={"HX-Request": "true"})
    assert asked.headers["HX-Refresh"] == "true"
    assert "hx-trigger" not in asked.content.decode()
    told = text_of(client.get(URL).content.decode())
    assert "Alerts opened 0 0" in told
    assert "Patients 0 0" in told
    client.post(f"{URL}changes/{change.pk}/confirm/")
    assert str(governance.numbers(clinic, RULES["ck-rising"]).parameters.action_ratio) == "2.2"


def test_a_proposal_is_withdrawn_with_a_reason_and_stays_in_the_history(clinic, clinician, other, signed_in) -> None:
    change = factories.rule_change(clinic, "ck-rising", mode="off", confirmed=False)
    client = signed_in(other)
    assert client.post(f"{URL}changes/{change.pk}/withdraw/", {"withdraw-reason": ""}).status_code == 422
    client.post(f"{URL}changes/{change.pk}/withdraw/", {"withdraw-reason": "Not now"})
    told = text_of(client.get(URL).content.decode())
    assert "Mode: off agreed Withdrawn Dr Silva, 15 Jun 2025: Not now" in told


def test_two_people_sign_a_version(clinic, clinician, other, signed_in) -> None:
    client = signed_in(clinician)
    client.post(f"{URL}sign/", {"sign-reason": "The sources and the table"})
    change = RuleChange.objects.get()
    second = signed_in(other)
    assert "Sign as the second" in second.get(URL).content.decode()
    assert "not signed off" in row_of(second, "ck-rising")
    second.post(f"{URL}changes/{change.pk}/confirm/")
    told = text_of(second.get(URL).content.decode())
    assert "was signed off by Dr Okafor on 15 Jun 2025 and by Dr Silva on 15 Jun 2025." in told
    assert "Not signed off by this centre" not in told
    assert "not signed off" not in row_of(second, "ck-rising")


def row_of(client: Any, rule: str) -> str:
    page = client.get("/rules/").content.decode()
    return text_of(page.split(f'href="/rules/{rule}/"')[1].split("</tr>")[0])


def test_the_list_says_what_is_in_the_shadow_off_or_proposed(clinic, signed_in) -> None:
    factories.rule_change(clinic, "ck-rising", mode="shadow")
    factories.rule_change(clinic, "physio-missed", mode="off")
    factories.rule_change(clinic, "physio-no-plan", mode="off", confirmed=False)
    client = signed_in(role=Role.NURSE)
    assert "In the shadow" in row_of(client, "ck-rising")
    assert " Off " in row_of(client, "physio-missed")
    assert " On a change is proposed" in row_of(client, "physio-no-plan")


# ------------------------------------------------------------------------------------------------------------- who may


@pytest.mark.parametrize("role", [Role.NURSE, Role.PHYSIOTHERAPIST, Role.COORDINATOR, Role.ADMINISTRATOR])
def test_nobody_else_changes_a_rule_or_sees_the_shadow(role, clinic, signed_in) -> None:
    change = factories.rule_change(clinic, "ck-rising", mode="off", confirmed=False)
    client = signed_in(role=role)
    page = client.get(URL)
    assert page.status_code == 200
    assert "Propose" not in re.sub(r"Proposed", "", page.content.decode())
    for rest in ("mode/", "numbers/", "sign/", f"changes/{change.pk}/confirm/", f"changes/{change.pk}/withdraw/"):
        assert client.post(URL + rest, {}).status_code == 403
    assert client.get(f"{URL}shadow/").status_code == 403


def test_a_change_of_another_centre_or_rule_does_not_exist(clinic, clinician, signed_in) -> None:
    elsewhere = factories.rule_change(factories.centre(), "ck-rising", mode="off", confirmed=False, reason="Hidden")
    of_another = factories.rule_change(clinic, "physio-missed", mode="off", confirmed=False)
    client = signed_in(clinician)
    for change in (elsewhere, of_another):
        assert client.post(f"{URL}changes/{change.pk}/confirm/").status_code == 404
        assert client.post(f"{URL}changes/{change.pk}/withdraw/", {"withdraw-reason": "r"}).status_code == 404
        assert client.get(f"{URL}changes/{change.pk}/back-test/").status_code == 404
    assert "Hidden" not in client.get(URL).content.decode()
    assert client.post("/rules/none/mode/", {}).status_code == 404


# ------------------------------------------------------------------------------------------------------------- shadow


def test_what_is_found_in_the_shadow_is_listed_to_those_who_decide_and_looking_is_recorded(
    clinic, clinician, signed_in
) -> None:
    patient = findings.someone(clinic, clinician, family_name="Moreau")
    row = {
        "patient": patient, "rule": "ck-rising", "rule_version": 1, "first_on": AS_OF - dt.timedelta(days=3),
        "evidence": {"reasons": ["not-a-flare"], "strength": "MMT8 70 of 80"}, "level": "URGENT",
    }  # fmt: skip
    ShadowFinding.objects.create(centre=clinic, last_on=AS_OF, subject="patient", **row)
    ShadowFinding.objects.create(centre=clinic, last_on=AS_OF, gone_on=AS_OF, subject="old", **row)
    ShadowFinding.objects.create(centre=factories.centre(), last_on=AS_OF, subject="elsewhere", **row)
    factories.rule_change(clinic, "ck-rising", mode="shadow")
    client = signed_in(clinician)
    assert "Found in the shadow 1 now; 2 ever" in text_of(client.get(URL).content.decode())
    page = client.get(f"{URL}shadow/").content.decode()
    assert page.count("Moreau") == 2
    seen = Access.objects.get(page="clinic:rule-shadow")
    assert (seen.by, seen.rows) == (clinician, 2)
    # Nowhere else: not on the list, the patient's page, or the alerts.
    for address in ("/worklist/?role=all&state=all", f"/patients/{patient.public_id}/"):
        assert "MMT8 70 of 80" not in client.get(address).content.decode()
        assert "level-urgent" not in client.get(address).content.decode()
    assert "Moreau" not in client.get(URL).content.decode()
