"""Acting on an alert without leaving the page of its patient, with and without JavaScript."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import Role
from alerts.models import Alert, AlertEvent, State
from tests import factories
from tests.clinic import findings
from tests.factories import AS_OF


@pytest.fixture
def alert(clinic: Any, clinician: Any) -> Alert:
    return findings.alert(factories.patient(clinic, clinician))


def page_of(alert: Alert) -> str:
    return f"/patients/{alert.patient.public_id}/"


def by_htmx(alert: Alert, query: str = "") -> dict[str, str]:
    return {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page_of(alert)}{query}"}


def act_url(alert: Alert, what: str) -> str:
    return f"/alerts/{alert.public_id}/{what}/"


def test_acknowledged_without_javascript_one_is_back_on_the_patient(alert: Alert, clinician, signed_in) -> None:
    sent = {"next": page_of(alert), "seen_level": alert.level}
    answer = signed_in(clinician).post(act_url(alert, "acknowledge"), sent)
    assert (answer.status_code, answer.url) == (302, page_of(alert))
    alert.refresh_from_db()
    assert alert.state == State.ACKNOWLEDGED


def test_acknowledged_by_htmx_the_alerts_come_back_with_what_is_said(alert: Alert, clinician, signed_in) -> None:
    answer = signed_in(clinician).post(
        act_url(alert, "acknowledge"), {"seen_level": alert.level}, headers=by_htmx(alert)
    )
    text = answer.content.decode()
    assert answer["HX-Retarget"] == "#patient-alerts"
    assert 'id="patient-alerts"' in text
    assert "Acknowledged." in text
    assert 'hx-swap-oob="true"' in text
    assert "<html" not in text
    # The forms of the answer still lead back to the patient, not to the address that was posted to.
    assert f'value="{page_of(alert)}"' not in act_url(alert, "acknowledge")
    assert f"{page_of(alert)}?act={alert.public_id}" in text


def test_the_panel_opens_in_its_row_and_on_a_page_of_its_own_address(alert: Alert, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    address = f"{page_of(alert)}?act={alert.public_id}"
    panel = browser.get(address, headers=by_htmx(alert)).content.decode()
    assert panel.count("<form") == 3
    assert "<html" not in panel
    whole = browser.get(address).content.decode()
    assert act_url(alert, "snooze") in whole
    assert act_url(alert, "comment") in whole
    assert act_url(alert, "snooze") not in browser.get(page_of(alert)).content.decode()


@pytest.mark.parametrize(
    ("what", "sent", "state"),
    [
        ("snooze", {"until": (AS_OF + dt.timedelta(days=7)).isoformat(), "reason": "will_monitor"}, State.SNOOZED),
        ("close", {"reason": "acted"}, State.CLOSED),
        ("comment", {"text": "Spoke to her on the phone"}, State.OPEN),
    ],
)
def test_each_part_of_the_panel_does_what_it_says(
    what: str, sent: Any, state: str, alert, clinician, signed_in
) -> None:
    answer = signed_in(clinician).post(
        act_url(alert, what), {**sent, "seen_level": alert.level, "next": page_of(alert)}
    )
    assert (answer.status_code, answer.url) == (302, page_of(alert))
    alert.refresh_from_db()
    assert alert.state == state
    if what == "comment":
        assert AlertEvent.objects.filter(alert=alert, text="Spoke to her on the phone").exists()


def test_what_is_refused_comes_back_on_the_patients_page_with_what_was_typed(alert, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    sent = {"text": "Half a thought", "next": page_of(alert), "seen_level": alert.level}
    answer = browser.post(act_url(alert, "close"), sent)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose a reason." in text
    assert "Half a thought" in text
    assert "patient-head" in text
    part = browser.post(act_url(alert, "close"), sent, headers=by_htmx(alert, f"?act={alert.public_id}"))
    assert part.status_code == 422
    assert part["HX-Retarget"] == f"#act-{alert.public_id}"
    assert "Half a thought" in part.content.decode()
    assert "<html" not in part.content.decode()
    alert.refresh_from_db()
    assert alert.state == State.OPEN


def test_another_patients_alert_is_not_acted_on_here(alert: Alert, clinic, clinician, signed_in) -> None:
    other = findings.alert(factories.patient(clinic, clinician))
    assert signed_in(clinician).get(f"{page_of(alert)}?act={other.public_id}").status_code == 404
    for nonsense in ("x", "", "1"):
        assert signed_in(clinician).get(f"{page_of(alert)}?act={nonsense}").status_code == 200


def test_who_may_not_act_sees_no_panel(alert: Alert, signed_in) -> None:
    text = signed_in(role=Role.ADMINISTRATOR).get(f"{page_of(alert)}?act={alert.public_id}").content.decode()
    assert "Physiotherapy is being missed" in text
    assert act_url(alert, "acknowledge") not in text
    assert act_url(alert, "snooze") not in text


def test_an_urgent_alert_offers_no_snooze(clinic, clinician, signed_in) -> None:
    alert = findings.alert(factories.patient(clinic, clinician), level="URGENT")
    text = signed_in(clinician).get(f"{page_of(alert)}?act={alert.public_id}").content.decode()
    assert act_url(alert, "close") in text
    assert act_url(alert, "snooze") not in text
