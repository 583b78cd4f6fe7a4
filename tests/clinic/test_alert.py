"""The page of one alert: what it rests on, and everything that can be done about it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils.html import escape

from accounts.models import Role
from alerts.models import Alert, AlertEvent, EventKind, State
from audit.models import Access, Entry
from clinic.selectors import alert as questions
from monitoring.levels import Level
from monitoring.models import Result
from monitoring.rules import RULES
from patients.models import RuleException
from tests import factories
from tests.clinic import findings
from tests.factories import AS_OF, NOW
from tests.rules import columns  # noqa: F401 - registers the columns
from tests.rules.examples import COLUMNS, parse


def url(alert: Alert, rest: str = "") -> str:
    return f"/alerts/{alert.public_id}/{rest}"


@pytest.fixture
def patient(clinic, clinician):
    return findings.someone(clinic, clinician, diagnosed_on=dt.date(2020, 1, 1))


@pytest.fixture
def page_of(clinician, signed_in):
    def read(alert: Alert) -> str:
        return signed_in(clinician).get(url(alert)).content.decode()

    return read


# -------------------------------------------------------------------------------------------------------- what it shows


def test_a_rising_ck_shows_its_values_threshold_sources_and_what_was_left_out(patient, page_of) -> None:
    alert = findings.rising_ck(patient)
    page = page_of(alert)
    assert "CK 600 U/L on 13 Jun 2025 is 3 times the lowest of the 180 days before it" in page
    newest, before = Result.objects.get(value=600), Result.objects.get(value=200)
    assert f'<a href="/patients/{patient.public_id}/entries/result/{newest.pk}/">600 U/L</a>' in page
    assert f'<a href="/patients/{patient.public_id}/entries/result/{before.pk}/">200 U/L</a>' in page
    for text in ("Primary source read", "General knowledge, to be checked", "Local policy, in no guideline"):
        assert text in page
    assert "10.1007/s10067-005-0075-3" in page
    assert "Macro-CK" in page
    assert escape(RULES["ck-rising"].advice) in page
    assert "Not signed off by this centre" in page
    assert "version 1" in page


def test_every_threshold_the_rule_used_is_listed_and_named_where_it_has_changed(patient) -> None:
    alert = findings.rising_ck(patient)
    now = dataclasses.asdict(RULES["ck-rising"].parameters)
    listed = questions.thresholds(alert.evidence, now)
    assert len(listed) == len(alert.evidence["parameters"])
    assert {threshold.today for threshold in listed} == {""}
    older = {**alert.evidence, "parameters": {**alert.evidence["parameters"], "nadir_days": 90, "gone": 1}}
    changed = {t.label: (t.value, t.today) for t in questions.thresholds(older, now) if t.today or t.label == "Gone"}
    assert changed == {"Nadir days": ("90", "180"), "Gone": ("1", "")}


def test_an_alert_says_whether_two_people_of_its_centre_signed_the_version_that_found_it(
    clinic, patient, page_of
) -> None:
    alert = findings.rising_ck(patient)
    unsigned = "Not signed off by this centre"
    factories.rule_change(factories.centre(), "ck-rising")
    factories.rule_change(clinic, "ck-rising", rule_version=alert.rule_version + 1)
    one = factories.rule_change(clinic, "ck-rising", confirmed=False)
    assert unsigned in page_of(alert)
    one.confirmed_by, one.confirmed_at = factories.person(clinic), NOW
    one.save()
    assert unsigned not in page_of(alert)
    one.withdrawn_by, one.withdrawn_at, one.withdrawn_reason = one.proposed_by, NOW, "Not any more"
    one.save()
    assert unsigned in page_of(alert)


def test_the_thresholds_of_today_are_those_of_the_centre(clinic, patient, page_of) -> None:
    alert = findings.rising_ck(patient)
    assert "today 2.2" not in page_of(alert)
    factories.rule_change(clinic, "ck-rising", parameters={"action_ratio": "2.2"})
    assert "today 2.2" in page_of(alert)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_page_reads_whatever_a_rule_says(rule, clinic, clinician, signed_in) -> None:
    """Every reason that its own examples reach: the evidence is shown, and no value stands there as code."""
    from alerts.actions import judging

    people = []
    for example in parse(rule.examples):
        if any(word in example.expect for word in ("URGENT", "ACTION", "TASK", "INFO")):
            patient = findings.someone(clinic, clinician)
            for name, cell in example.cells.items():
                COLUMNS[name](patient, cell)
            people.append(patient)
    judging.evaluate(rule=rule, as_of=AS_OF, now=NOW, centre=clinic, trigger="command")
    seen: set[str] = set()
    client = signed_in(clinician)
    for alert in Alert.objects.filter(rule=rule.id, patient__in=people):
        if set(alert.evidence["reasons"]) <= seen:
            continue
        seen |= set(alert.evidence["reasons"])
        response = client.get(url(alert))
        assert response.status_code == 200
        page = response.content.decode()
        assert escape(rule.title) in page
        for code in ("None<", "{&#x27;", "[&#x27;", "Decimal", "no longer in use"):
            assert code not in page, code
    assert seen


def test_a_value_is_called_what_it_means_to_its_rule(patient) -> None:
    def rows(rule: str, **found: Any) -> list[tuple[str, str, str]]:
        return [(v.label, v.value, v.unit) for v in questions.evidence_of(found, patient, lambda *_: "", rule).values]

    assert rows("pre-treatment-checks", lacks=["Hepatitis C"]) == [("Not on record", "Hepatitis C", "")]
    assert rows("core-set-incomplete", lacks=["HAQ-DI"]) == [("Missing from the core set", "HAQ-DI", "")]
    assert rows("infusion-check", drug="ivig", rate=128.8) == [
        ("Drug", "Immunoglobulin (IVIG)", ""),
        ("Highest rate given", "128.8", "mL/h"),
    ]


def test_a_weight_that_was_not_asked_for_is_not_said_to_be_missing(patient) -> None:
    def labels(rule: str) -> list[str]:
        found = {"weight_kg": None, "why": ""}
        return [v.label for v in questions.evidence_of(found, patient, lambda *_: "", rule).values]

    assert labels("second-line-review") == ["Weight"]
    assert labels("dysphagia-screen") == labels("dose-out-of-range") == labels("infusion-check") == []


def test_the_days_to_and_since_a_step_are_told_as_days(patient) -> None:
    values = questions.evidence_of({"until": -8, "past": 8}, patient, lambda *_: "").values
    assert [(v.label, v.value, v.unit) for v in values] == [
        ("To the day of the step", "-8", "days"),
        ("Since the day of the step", "8", "days"),
    ]


def test_the_review_of_second_line_therapy_shows_its_gates_and_options(clinic, clinician, signed_in) -> None:
    from alerts.actions import judging

    rule = RULES["second-line-review"]
    example = next(e for e in parse(rule.examples) if e.expect.startswith("ACTION [no-response]"))
    patient = findings.someone(clinic, clinician)
    for name, cell in example.cells.items():
        COLUMNS[name](patient, cell)
    judging.evaluate(rule=rule, as_of=AS_OF, now=NOW, centre=clinic, trigger="command")
    alert = Alert.objects.get(patient=patient)
    gates = questions.gates_of(alert.rule, alert.evidence)
    options = questions.options_of(alert.rule, alert.evidence)
    assert len(gates) == 9
    assert all(gate.question.endswith((".", "?")) for gate in gates)
    assert [bool(option.title) for option in options] == [True] * 4
    page = signed_in(clinician).get(url(alert)).content.decode()
    assert "Are the drugs taken as prescribed?" in page
    assert "Not on record" in page
    assert escape(options[0].title) in page


def test_an_alert_of_a_rule_that_is_gone_can_still_be_read(patient, page_of) -> None:
    alert = findings.alert(patient, rule="no-such-rule", evidence={"reasons": ["x"], "value": 0, "nothing": None})
    page = page_of(alert)
    assert "no longer in use" in page
    assert "<td>Value</td><td>0</td>" in page  # zero is a value


def test_its_life_names_everybody_with_their_reasons(patient, clinician, signed_in) -> None:
    alert = findings.alert(patient)
    client = signed_in(clinician)
    client.post(url(alert, "snooze/"), {"until": "2025-06-20", "reason": "will_monitor", "text": "Bloods on Friday"})
    client.post(url(alert, "comment/"), {"text": "Rang <him>"})
    page = client.get(url(alert)).content.decode()
    life = page[page.index('id="life"') :]
    assert "Snoozed until 20 Jun 2025" in life
    assert "Will monitor. Bloods on Friday" in life
    assert "Dr Okafor" in life
    assert "Rang &lt;him&gt;" in life
    assert "The system" in life
    assert Entry.objects.filter(action="alerts.snooze", by=clinician, patient=patient).exists()


def test_looking_is_recorded(patient, clinician, page_of) -> None:
    page_of(findings.alert(patient))
    seen = Access.objects.get()
    assert (seen.by, seen.patient, seen.page) == (clinician, patient, "clinic:alert")


# --------------------------------------------------------------------------------------------------------- what it does


def test_acknowledge_close_and_undo_without_javascript(patient, clinician, signed_in) -> None:
    alert = findings.alert(patient)
    client = signed_in(clinician)
    assert client.post(url(alert, "acknowledge/"), {"reason": "acted", "text": "Booked"})["Location"] == url(alert)
    alert.refresh_from_db()
    assert alert.state == State.ACKNOWLEDGED
    client.post(url(alert, "close/"), {"reason": "already_known"})
    alert.refresh_from_db()
    assert alert.state == State.CLOSED
    assert "Undo the latest step" in client.get(url(alert)).content.decode()
    client.post(url(alert, "undo/"))
    alert.refresh_from_db()
    assert alert.state == State.OPEN
    kinds = [*alert.life.order_by("id").values_list("kind", flat=True)]
    assert kinds == ["opened", "acknowledged", "closed", "reopened"]


def test_what_was_done_eleven_minutes_ago_is_not_offered_to_be_undone(patient, clinician, page_of) -> None:
    alert = findings.alert(patient, state=State.ACKNOWLEDGED, acknowledged_at=NOW)
    AlertEvent.objects.create(
        alert=alert, kind=EventKind.ACKNOWLEDGED, at=NOW - dt.timedelta(minutes=10), by=clinician, level=alert.level
    )
    assert "Undo the latest step" in page_of(alert)
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        assert "Undo the latest step" not in page_of(alert)


@pytest.mark.parametrize(
    ("what", "data", "said"),
    [
        (
            "snooze",
            {"until": "2025-07-14", "reason": "acted", "text": "Kept"},
            "Choose a day from today to 28 days ahead.",
        ),
        ("snooze", {"until": "", "reason": "", "text": "Kept"}, "Choose a reason."),
        ("close", {"reason": "other", "text": ""}, "Say what the other reason is."),
        ("close", {"reason": "", "text": "Kept"}, "Choose a reason."),
        ("comment", {"text": " "}, "This field is required."),
        ("acknowledge", {"reason": "other", "text": ""}, "Say what the other reason is."),
        ("exception", {"ends_on": "2025-06-14", "reason": "Kept"}, "The last day lies in the past"),
    ],
)
def test_what_is_refused_is_said_beside_its_box_and_nothing_typed_is_lost(
    what, data, said, patient, clinician, signed_in
) -> None:
    alert = findings.alert(patient)
    response = signed_in(clinician).post(url(alert, f"{what}/"), data)
    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    assert f'id="{what}" open' in page
    assert page.count('aria-invalid="true"') >= 1
    if "Kept" in data.values():
        assert "Kept" in page
    alert.refresh_from_db()
    assert alert.state == State.OPEN
    assert alert.life.count() == 1


def test_an_urgent_alert_is_not_snoozed(patient, clinician, signed_in) -> None:
    alert = findings.alert(patient, Level.URGENT)
    client = signed_in(clinician)
    assert "An urgent alert cannot be snoozed." in client.get(url(alert)).content.decode()
    refused = client.post(url(alert, "snooze/"), {"until": "2025-06-16", "reason": "acted"})
    assert refused.status_code == 422
    alert.refresh_from_db()
    assert alert.state == State.OPEN


def test_a_snooze_is_ended_by_hand(patient, clinician, signed_in) -> None:
    alert = findings.snoozed(patient)
    client = signed_in(clinician)
    assert "End the snooze now" in client.get(url(alert)).content.decode()
    client.post(url(alert, "wake/"))
    alert.refresh_from_db()
    assert alert.state == State.OPEN


def test_an_exception_is_made_from_the_alert(patient, clinician, signed_in) -> None:
    alert = findings.alert(patient)
    data = {"ends_on": "2025-09-15", "reason": "Lives abroad until autumn"}
    assert signed_in(clinician).post(url(alert, "exception/"), data).status_code == 302
    made = RuleException.objects.get()
    assert (made.patient, made.rule, made.starts_on, made.ends_on) == (
        patient, "physio-missed", AS_OF, dt.date(2025, 9, 15),
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------------- who may

DO = ("acknowledge/", "snooze/", "wake/", "close/", "comment/", "undo/", "exception/")


def test_an_alert_of_another_centre_does_not_exist(clinic, signed_in) -> None:
    elsewhere = factories.centre()
    theirs = findings.alert(findings.someone(elsewhere, factories.person(elsewhere)))
    client = signed_in()
    assert client.get(url(theirs)).status_code == 404
    for rest in DO:
        assert client.post(url(theirs, rest), {"reason": "acted"}).status_code == 404, rest
    assert not Access.objects.exists()


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (Role.CLINICIAN, set()),
        (Role.NURSE, {"exception/"}),
        (Role.PHYSIOTHERAPIST, {"exception/"}),
        (Role.COORDINATOR, set(DO)),
        (Role.ADMINISTRATOR, set(DO)),
        (Role.RESEARCHER, {"", *DO}),
    ],
)
def test_what_a_role_may_do(role, refused, patient, signed_in) -> None:
    alert = findings.alert(patient)
    client = signed_in(role=role)
    got = {rest for rest in DO if client.post(url(alert, rest)).status_code == 403}
    got |= {""} if client.get(url(alert)).status_code == 403 else set()
    assert got == refused
