"""The worklist and the lists beside it: what stands on them, in which order, counted how, and acting from them."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils.html import escape

from accounts.models import Role
from alerts.models import Alert, AlertEvent, State
from audit.models import Access
from monitoring.levels import Level
from tests import factories
from tests.clinic import findings
from tests.factories import AS_OF, NOW

LIST = "/worklist/"


def shown(page: str) -> list[str]:
    """The public ids of the alerts on a list, in its order."""
    return re.findall(r'<tr id="alert-([0-9a-f-]{36})"', page)


def ids(*alerts: Alert) -> list[str]:
    return [str(alert.public_id) for alert in alerts]


def count(page: str) -> int:
    found = re.search(r'list-definition"><strong class="num">(\d+)', page)
    assert found is not None
    return int(found[1])


def tabs(page: str) -> dict[str, int]:
    bar = page[page.index('<nav class="tabs"') :]
    return {
        label: int(number)
        for label, number in re.findall(r">([A-Z][a-z ]+)<span class=\"nav-count\">(\d+)", bar[: bar.index("</nav>")])
    }


@pytest.fixture
def patient(clinic, clinician):
    return findings.someone(clinic, clinician, family_name="Moreau", given_name="Élise")


@pytest.fixture
def other(clinic, clinician):
    return findings.someone(clinic, clinician, family_name="Haddad", given_name="Rania")


# ------------------------------------------------------------------------------------------------------- what is listed


def test_the_worst_come_first_then_the_due_day_then_the_oldest(clinic, clinician, signed_in) -> None:
    def one(level: str, due: int | None = None, age: int = 1) -> Alert:
        due_on = None if due is None else AS_OF + dt.timedelta(days=due)
        return findings.alert(
            findings.someone(clinic, clinician), level, due_on=due_on, opened_at=NOW - dt.timedelta(hours=age)
        )

    task_young, task_old = one(Level.TASK, None, 1), one(Level.TASK, None, 9)
    action, urgent = one(Level.ACTION), one(Level.URGENT)
    task_due_later, task_due = one(Level.TASK, 3), one(Level.TASK, -3)
    one(Level.INFO)
    page = signed_in(clinician).get(LIST).content.decode()
    assert shown(page) == ids(urgent, action, task_due, task_due_later, task_old, task_young)
    assert count(page) == 6


def test_a_reader_sees_the_list_of_the_own_role_first_and_may_see_all(
    clinic, clinician, patient, other, signed_in
) -> None:
    mine, theirs = findings.alert(patient), findings.alert(other, audience=Role.NURSE)
    client = signed_in(clinician)
    assert shown(client.get(LIST).content.decode()) == ids(mine)
    assert shown(client.get(LIST, {"role": "nurse"}).content.decode()) == ids(theirs)
    everything = client.get(LIST, {"role": "all"}).content.decode()
    assert set(shown(everything)) == set(ids(mine, theirs))
    assert "for every role" in everything


def test_the_numbers_on_the_tabs_are_the_rows_behind_them(clinic, clinician, signed_in) -> None:
    def someone():
        return findings.someone(clinic, clinician)

    for _ in range(3):
        findings.alert(someone())
    findings.alert(someone(), due_on=AS_OF - dt.timedelta(days=1))
    for _ in range(2):
        findings.alert(someone(), state=State.ACKNOWLEDGED, acknowledged_at=NOW)
    findings.snoozed(someone())
    findings.alert(someone(), state=State.CLOSED, closed_at=NOW)
    findings.coming(someone(), 14)
    findings.coming(someone(), 15)
    findings.unjudged(someone())
    client = signed_in(clinician)
    page = client.get(LIST).content.decode()
    numbers = tabs(page)
    assert numbers == {
        "Open": 4, "Acknowledged": 2, "Snoozed": 1, "All": 7, "Due soon": 1, "Overdue": 1, "Cannot be judged": 1,
    }  # fmt: skip
    for state in ("open", "acknowledged", "snoozed", "all"):
        page = client.get(LIST, {"state": state}).content.decode()
        assert len(shown(page)) == count(page) == numbers[state.capitalize()]
    assert count(client.get("/worklist/due/").content.decode()) == numbers["Due soon"]
    assert count(client.get("/worklist/due/?when=overdue").content.decode()) == numbers["Overdue"]
    unjudged = client.get("/worklist/unjudged/").content.decode()
    assert count(unjudged) == numbers["Cannot be judged"]
    assert "the day of diagnosis" in unjudged


@pytest.mark.parametrize(
    ("due", "days"),
    [("overdue", [-1]), ("soon", [0, 14]), ("none", [None]), ("", [-1, 0, 14, 15, None])],
)
def test_the_filter_by_due_day_keeps_its_boundaries(due, days, clinic, clinician, signed_in) -> None:
    made = {}
    for offset in (-1, 0, 14, 15, None):
        on = None if offset is None else AS_OF + dt.timedelta(days=offset)
        made[offset] = findings.alert(findings.someone(clinic, clinician), due_on=on)
    page = signed_in(clinician).get(LIST, {"due": due}).content.decode()
    assert set(shown(page)) == {str(made[day].public_id) for day in days}


def test_filters_by_level_and_rule(clinic, clinician, patient, other, signed_in) -> None:
    findings.alert(patient)
    wanted = findings.alert(other, Level.ACTION, rule="physio-no-plan")
    client = signed_in(clinician)
    assert shown(client.get(LIST, {"level": "ACTION"}).content.decode()) == ids(wanted)
    assert shown(client.get(LIST, {"rule": "physio-no-plan"}).content.decode()) == ids(wanted)
    nonsense = client.get(LIST, {"level": "PANIC", "rule": "x", "page": "a", "patient": "me"})
    assert nonsense.status_code == 200
    assert len(shown(nonsense.content.decode())) == 2


def test_a_row_says_why_and_since_when(clinic, clinician, patient, signed_in) -> None:
    findings.alert(patient, opened_at=NOW - dt.timedelta(days=8))
    page = signed_in(clinician).get(LIST).content.decode()
    assert "Latest 2 sessions not recorded as attended (8 Jun 2025, 1 Jun 2025)." in page
    assert "8 days" in page
    assert "not acknowledged in time" in page  # a task has seven days


def test_pages_of_twenty_five(clinic, clinician, signed_in) -> None:
    for _ in range(26):
        findings.alert(findings.someone(clinic, clinician))
    client = signed_in(clinician)
    first, second = client.get(LIST).content.decode(), client.get(LIST, {"page": 2}).content.decode()
    assert (len(shown(first)), len(shown(second))) == (25, 1)
    assert count(first) == 26
    assert "26–26 of 26" in second


def test_htmx_gets_only_the_list_and_caches_keep_them_apart(clinic, clinician, patient, signed_in) -> None:
    findings.alert(patient)
    response = signed_in(clinician).get(LIST, headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response.headers["Vary"]
    assert len(shown(response.content.decode())) == 1


def test_an_empty_list_says_what_to_do(clinic, clinician, patient, signed_in) -> None:
    findings.alert(patient, audience=Role.NURSE)
    client = signed_in(clinician)
    assert "Nothing waits for your role" in client.get(LIST).content.decode()
    assert "Nothing here with these filters" in client.get(LIST, {"level": "URGENT"}).content.decode()


# ------------------------------------------------------------------------------------------------- finding by a name


def test_a_name_is_posted_and_never_stands_in_an_address(clinic, clinician, patient, other, signed_in) -> None:
    wanted = findings.alert(patient)
    findings.alert(other)
    client = signed_in(clinician)
    found = client.post(LIST + "?role=all", {"q": "mor"})
    assert found.status_code == 302
    assert "mor" not in found["Location"].lower().replace(str(patient.public_id), "")
    page = client.get(found["Location"]).content.decode()
    assert shown(page) == ids(wanted)
    assert "Only these patients: <strong>Moreau, Élise</strong>" in page
    nobody = client.post(LIST, {"q": "<Zed>"}).content.decode()
    assert escape("<Zed>") in nobody
    assert "<Zed>" not in nobody
    assert "No patient of the clinic" in nobody


def test_a_list_is_not_narrowed_to_somebody_elses_patient(clinic, clinician, signed_in) -> None:
    elsewhere = factories.centre()
    theirs = findings.someone(elsewhere, factories.person(elsewhere), family_name="Secret")
    findings.alert(theirs)
    client = signed_in(clinician)
    assert "No patient of the clinic" in client.post(LIST, {"q": "Secret"}).content.decode()
    page = client.get(LIST, {"patient": str(theirs.public_id), "role": "all"}).content.decode()
    assert shown(page) == []
    assert "Secret" not in page


def test_looking_at_a_list_is_recorded_with_how_many_it_held(clinic, clinician, patient, signed_in) -> None:
    findings.alert(patient)
    signed_in(clinician).get(LIST)
    seen = Access.objects.get()
    assert (seen.by, seen.page, seen.rows, seen.centre) == (clinician, "clinic:worklist", 1, clinic)


# ------------------------------------------------------------------------------------------------- acting from a list


def test_acknowledging_from_the_list_returns_to_it_with_a_way_to_undo(clinic, clinician, patient, signed_in) -> None:
    alert = findings.alert(patient, Level.ACTION)
    client = signed_in(clinician)
    back = LIST + "?role=all"
    done = client.post(f"/alerts/{alert.public_id}/acknowledge/", {"next": back, "seen_level": "ACTION"})
    assert (done.status_code, done["Location"]) == (302, back)
    alert.refresh_from_db()
    assert alert.state == State.ACKNOWLEDGED
    page = client.get(back).content.decode()
    undo = re.search(r'<form method="post" action="(/alerts/[^"]+/undo/)"', page)
    assert undo is not None
    referer = {"Referer": f"http://testserver{back}"}
    assert client.post(undo[1], headers=referer)["Location"] == back
    alert.refresh_from_db()
    assert alert.state == State.OPEN


def test_with_htmx_the_list_comes_back_as_it_was_filtered(clinic, clinician, patient, other, signed_in) -> None:
    first, second = findings.alert(patient, Level.ACTION), findings.alert(other, Level.ACTION)
    findings.alert(findings.someone(clinic, clinician), Level.TASK)
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{LIST}?level=ACTION"}
    response = signed_in(clinician).post(f"/alerts/{first.public_id}/acknowledge/", headers=headers)
    page = response.content.decode()
    assert response["HX-Retarget"] == "#worklist"
    assert shown(page) == ids(second)
    assert count(page) == tabs(page)["Open"] == 1
    assert 'hx-swap-oob="true"' in page
    assert "Acknowledged." in page


def test_an_alert_whose_level_rose_since_is_left_alone(clinic, clinician, patient, signed_in) -> None:
    alert = findings.alert(patient, Level.URGENT)
    client = signed_in(clinician)
    client.post(f"/alerts/{alert.public_id}/acknowledge/", {"next": LIST, "seen_level": "TASK"})
    alert.refresh_from_db()
    assert alert.state == State.OPEN
    assert "has changed in the meantime" in client.get(LIST).content.decode()


def test_several_at_once_with_one_reason(clinic, clinician, patient, other, signed_in) -> None:
    one, rose = findings.alert(patient), findings.alert(other, Level.ACTION)
    untouched = findings.alert(findings.someone(clinic, clinician))
    client = signed_in(clinician)
    boxes = [f"{one.public_id}:TASK", f"{rose.public_id}:TASK"]
    data = {"alert": boxes, "reason": "already_known", "text": "Seen at the meeting", "next": LIST}
    assert client.post("/alerts/acknowledge/", data)["Location"] == LIST
    page = client.get(LIST).content.decode()
    assert "1 alert acknowledged." in page
    assert "1 left alone" in page
    assert set(shown(page)) == set(ids(rose, untouched))
    event = AlertEvent.objects.get(alert=one, kind="acknowledged")
    assert (event.by, event.reason, event.text) == (clinician, "already_known", "Seen at the meeting")


@pytest.mark.parametrize(
    ("reason", "boxes", "said"),
    [
        ("", 2, "Choose a reason for all of them."),
        ("acted", 0, "Tick the alerts first."),
        ("other", 2, "Say what the other"),
    ],
)
def test_several_at_once_keep_what_was_ticked_when_refused(
    reason, boxes, said, clinic, clinician, patient, other, signed_in
) -> None:
    made = [findings.alert(patient), findings.alert(other)]
    data = {"alert": [f"{a.public_id}:TASK" for a in made[:boxes]], "reason": reason, "next": LIST}
    response = signed_in(clinician).post("/alerts/acknowledge/", data)
    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    assert len(re.findall(r'name="alert"[^>]* checked', page)) == boxes
    assert Alert.objects.filter(state=State.OPEN).count() == 2


def test_several_at_once_reach_no_other_centre(clinic, clinician, signed_in) -> None:
    elsewhere = factories.centre()
    theirs = findings.alert(findings.someone(elsewhere, factories.person(elsewhere)))
    data = {"alert": [f"{theirs.public_id}:TASK"], "reason": "acted"}
    signed_in(clinician).post("/alerts/acknowledge/", data)
    theirs.refresh_from_db()
    assert theirs.state == State.OPEN


def test_the_snooze_panel_comes_into_the_row_and_keeps_what_was_typed(clinic, clinician, patient, signed_in) -> None:
    alert = findings.alert(patient)
    client = signed_in(clinician)
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{LIST}"}
    url = f"/alerts/{alert.public_id}/snooze/"
    panel = client.get(url, headers=headers)
    assert panel["HX-Retarget"] == f"#act-{alert.public_id}"
    assert 'max="2025-07-13"' in panel.content.decode()  # 28 days for a task
    data = {"until": "2025-07-14", "reason": "will_monitor", "text": "Kept words"}
    refused = client.post(url, data, headers=headers)
    assert refused.status_code == 422
    assert "Kept words" in refused.content.decode()
    assert "Choose a day from today to 28 days ahead." in refused.content.decode()
    done = client.post(url, {**data, "until": "2025-07-13"}, headers=headers)
    assert done["HX-Retarget"] == "#worklist"
    alert.refresh_from_db()
    assert (alert.state, alert.snoozed_until) == (State.SNOOZED, dt.date(2025, 7, 13))


def test_where_to_go_back_is_never_another_site(clinic, clinician, patient, signed_in) -> None:
    alert = findings.alert(patient)
    done = signed_in(clinician).post(f"/alerts/{alert.public_id}/acknowledge/", {"next": "https://evil.example/"})
    assert done["Location"] == f"/alerts/{alert.public_id}/"


def test_what_is_no_address_leads_to_the_alert(clinic, clinician, patient, signed_in) -> None:
    alert = findings.alert(patient)
    client = signed_in(clinician)
    done = client.post(f"/alerts/{alert.public_id}/comment/", {"text": "Seen"}, headers={"Referer": "http://["})
    assert done["Location"] == f"/alerts/{alert.public_id}/"
    assert client.post("/alerts/acknowledge/", {"next": "http://["}).status_code == 404


# ------------------------------------------------------------------------------------------------------------ who may


@pytest.mark.parametrize("path", [LIST, "/worklist/due/", "/worklist/unjudged/"])
def test_who_may_see_the_lists(path, clinic, signed_in) -> None:
    assert signed_in(role=Role.RESEARCHER).get(path).status_code == 403
    assert Client().get(path).status_code == 302
    for role in (Role.NURSE, Role.PHYSIOTHERAPIST, Role.COORDINATOR, Role.ADMINISTRATOR):
        assert signed_in(role=role).get(path).status_code == 200


def test_who_only_reads_is_offered_nothing_to_do_and_may_do_nothing(clinic, clinician, patient, signed_in) -> None:
    alert = findings.alert(patient, audience=Role.COORDINATOR)
    client = signed_in(role=Role.COORDINATOR)
    page = client.get(LIST).content.decode()
    assert shown(page) == ids(alert)
    assert "Acknowledge" not in page.replace("Acknowledged", "")
    assert client.post(f"/alerts/{alert.public_id}/acknowledge/").status_code == 403
    assert (
        client.post("/alerts/acknowledge/", {"alert": f"{alert.public_id}:TASK", "reason": "acted"}).status_code == 403
    )


def test_the_front_door_leads_to_the_list_of_the_role(clinic, signed_in) -> None:
    assert signed_in(role=Role.NURSE).get("/")["Location"] == LIST
    assert signed_in(factories.person()).get("/").status_code == 403
