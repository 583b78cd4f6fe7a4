"""What people do with alerts, and what happens when nobody does anything."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Role
from alerts import selectors
from alerts.actions import life
from alerts.models import Alert, Delivery, DeliveryKind, EventKind, Reason, State
from audit.models import Entry
from monitoring.levels import Level
from tests import factories
from tests.alerts import rules
from tests.alerts.support import Clinic, later, make_clinic
from tests.factories import AS_OF, NOW

pytestmark = pytest.mark.django_db


def days(n: int) -> dt.date:
    return AS_OF + dt.timedelta(days=n)


def test_every_step_says_who_when_and_why(clinic: Clinic) -> None:
    alert = clinic.alert(300)
    life.acknowledge(alert=alert, by=clinic.nurse, now=later(hours=1))
    life.snooze(
        alert=alert, by=clinic.nurse, now=later(hours=2), until=days(7), reason=Reason.OTHER, text=" rings back "
    )
    life.wake(alert=alert, by=clinic.doctor, now=later(hours=3))
    life.comment(alert=alert, by=clinic.doctor, now=later(hours=4), text="seen together")
    life.close(alert=alert, by=clinic.doctor, now=later(hours=5), reason=Reason.ACTED)
    told = alert.life.order_by("pk").values_list("kind", "by", "reason", "text", "until")[1:]
    assert list(told) == [
        ("acknowledged", clinic.nurse.pk, "", "", None),
        ("snoozed", clinic.nurse.pk, "other", "rings back", days(7)),
        ("woke", clinic.doctor.pk, "", "", None),
        ("commented", clinic.doctor.pk, "", "seen together", None),
        ("closed", clinic.doctor.pk, "acted", "", None),
    ]
    assert (alert.state, alert.closed_at, alert.cleared_at) == (State.CLOSED, later(hours=5), None)
    entries = Entry.objects.filter(patient=alert.patient).order_by("pk")
    assert list(entries.values_list("action", "by"))[-1] == ("alerts.close", clinic.doctor.pk)
    assert entries.count() == 5


@pytest.mark.parametrize(("value", "longest"), [(300, 28), (500, 14), (150, 28)])
def test_a_snooze_has_a_longest_day_by_level(clinic: Clinic, value: int, longest: int) -> None:
    alert = clinic.alert(value)
    for n in (-1, longest + 1):
        with pytest.raises(ValidationError, match="from today"):
            life.snooze(alert=alert, by=clinic.nurse, now=NOW, until=days(n), reason=Reason.WILL_MONITOR)
    life.snooze(alert=alert, by=clinic.nurse, now=NOW, until=days(longest), reason=Reason.WILL_MONITOR)
    assert alert.snoozed_until == days(longest)


def test_the_days_of_a_snooze_are_those_of_the_centre(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    late = dt.datetime(2025, 6, 15, 22, 30, tzinfo=dt.UTC)  # half past midnight of the 16th in Berlin
    life.snooze(alert=alert, by=clinic.nurse, now=late, until=days(15), reason=Reason.WILL_MONITOR)
    assert alert.snoozed_until == days(15)


def test_urgent_is_never_snoozed(clinic: Clinic) -> None:
    alert = clinic.alert(1500)
    with pytest.raises(ValidationError, match="urgent"):
        life.snooze(alert=alert, by=clinic.nurse, now=NOW, until=days(1), reason=Reason.WILL_MONITOR)


@pytest.mark.parametrize(
    ("reason", "text", "field"), [("", "", "reason"), ("nonsense", "", "reason"), ("other", " ", "text")]
)
def test_snoozing_and_closing_need_a_reason(clinic: Clinic, reason: str, text: str, field: str) -> None:
    alert = clinic.alert(300)
    with pytest.raises(ValidationError) as error:
        life.snooze(alert=alert, by=clinic.nurse, now=NOW, until=days(1), reason=reason, text=text)
    assert field in error.value.message_dict
    with pytest.raises(ValidationError):
        life.close(alert=alert, by=clinic.nurse, now=NOW, reason=reason, text=text)
    assert alert.life.count() == 1


def test_who_acts_on_an_old_picture_is_told_and_changes_nothing(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    old = Alert.objects.get(pk=alert.pk)
    life.close(alert=alert, by=clinic.doctor, now=NOW, reason=Reason.ACTED)
    for step in (
        lambda: life.acknowledge(alert=old, by=clinic.nurse, now=NOW),
        lambda: life.close(alert=old, by=clinic.nurse, now=NOW, reason=Reason.ACTED),
        lambda: life.snooze(alert=old, by=clinic.nurse, now=NOW, until=days(1), reason=Reason.ACTED),
    ):
        with pytest.raises(life.Stale, match=rf"{clinic.doctor} has changed this alert in the meantime \(Closed\)"):
            step()
    assert alert.life.count() == 2


def test_a_level_that_rose_after_the_page_was_made_is_not_acknowledged(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    rules.ck(alert.patient, 1500)
    clinic.judge()
    now_urgent = Alert.objects.get(pk=alert.pk)
    with pytest.raises(life.Stale, match="This alert has changed in the meantime"):  # by the check, and nobody
        life.acknowledge(alert=now_urgent, by=clinic.nurse, now=NOW, seen_level="ACTION")
    life.acknowledge(alert=now_urgent, by=clinic.nurse, now=NOW, seen_level="URGENT")


@pytest.mark.parametrize("kind", ["acknowledge", "snooze", "close"])
def test_a_step_can_be_undone_for_ten_minutes(clinic: Clinic, kind: str) -> None:
    alert = clinic.alert(500)
    step = {
        "acknowledge": lambda: life.acknowledge(alert=alert, by=clinic.nurse, now=NOW),
        "snooze": lambda: life.snooze(alert=alert, by=clinic.nurse, now=NOW, until=days(1), reason=Reason.WILL_MONITOR),
        "close": lambda: life.close(alert=alert, by=clinic.nurse, now=NOW, reason=Reason.ACTED),
    }[kind]
    step()
    with pytest.raises(ValidationError, match="ten minutes"):
        life.reopen(alert=alert, by=clinic.nurse, now=later(minutes=10, seconds=1))
    life.reopen(alert=alert, by=clinic.nurse, now=later(minutes=10))
    assert (alert.state, alert.closed_at, alert.acknowledged_at, alert.snoozed_until) == (State.OPEN, None, None, None)
    with pytest.raises(ValidationError, match="nothing to undo"):
        life.reopen(alert=alert, by=clinic.nurse, now=later(minutes=10))


def test_what_the_rule_closed_or_found_again_cannot_be_undone(clinic: Clinic) -> None:
    alert = clinic.alert(500)
    life.close(alert=alert, by=clinic.nurse, now=NOW, reason=Reason.ACTED)
    rules.ck(alert.patient, 600)
    clinic.judge()
    with pytest.raises(ValidationError, match="found it again"):
        life.reopen(alert=alert, by=clinic.nurse, now=NOW)
    other = Alert.objects.get(closed_at=None)
    rules.ck(alert.patient, 20)
    clinic.judge()
    other.refresh_from_db()
    with pytest.raises(ValidationError, match="nothing to undo"):
        life.reopen(alert=other, by=clinic.nurse, now=NOW)


def test_many_are_acknowledged_together_and_changed_ones_are_named(clinic: Clinic) -> None:
    alerts = [clinic.alert(500) for _ in range(3)]
    life.close(alert=Alert.objects.get(pk=alerts[1].pk), by=clinic.doctor, now=NOW, reason=Reason.ACTED)
    done, stale = life.bulk_acknowledge(alerts=alerts[::-1], by=clinic.nurse, now=NOW)
    assert (done, stale) == ([alerts[0], alerts[2]], [alerts[1]])
    assert set(Alert.objects.values_list("state", flat=True)) == {State.ACKNOWLEDGED, State.CLOSED}


# ------------------------------------------------------------------------------------------------------ escalation


@pytest.mark.parametrize(
    ("value", "opened", "in_time", "late"),
    [
        (1500, "2025-06-15 09:00", "2025-06-15 13:00", "2025-06-15 13:01"),
        (500, "2025-06-13 09:00", "2025-06-18 09:00", "2025-06-18 09:01"),  # Friday + 3 working days is Wednesday
        (300, "2025-06-15 09:00", "2025-06-22 09:00", "2025-06-22 09:01"),
    ],
)
def test_what_nobody_acknowledges_in_time_goes_one_step_up(
    clinic: Clinic, value: int, opened: str, in_time: str, late: str
) -> None:
    def moment(text: str) -> dt.datetime:
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)

    patient = clinic.patient(value)
    clinic.judge(now=moment(opened), patients=[patient.pk])
    alert = Alert.objects.get()
    assert life.escalate(now=moment(in_time)) == 0
    assert life.escalate(now=moment(late)) == 1
    assert life.escalate(now=moment(late)) == 0
    alert.refresh_from_db()
    assert (alert.audience, alert.state) == (Role.CLINICIAN, State.OPEN)
    event = alert.life.get(kind=EventKind.ESCALATED)
    mail = Delivery.objects.get(kind=DeliveryKind.ESCALATION)
    assert (mail.person, mail.key) == (clinic.doctor, f"event:{event.pk}")


def test_escalation_skips_roles_without_people_and_ends_with_the_chain(clinic: Clinic) -> None:
    clinic.doctor.memberships.update(is_active=False)
    alert = clinic.alert(1500)
    assert life.escalate(now=later(hours=5)) == 0
    factories.person(clinic.centre, Role.ADMINISTRATOR)
    assert life.escalate(now=later(hours=5)) == 1
    alert.refresh_from_db()
    assert alert.audience == Role.ADMINISTRATOR
    assert life.escalate(now=later(days=5)) == 0


def test_acknowledged_snoozed_and_informing_alerts_are_not_passed_on(clinic: Clinic) -> None:
    life.acknowledge(alert=clinic.alert(1500), by=clinic.nurse, now=NOW)
    life.snooze(alert=clinic.alert(300), by=clinic.nurse, now=NOW, until=days(28), reason=Reason.ACTED)
    clinic.alert(150)
    assert life.escalate(now=later(days=27)) == 0


def test_a_woken_alert_has_its_time_again(clinic: Clinic) -> None:
    alert = clinic.alert(300)
    life.snooze(alert=alert, by=clinic.nurse, now=NOW, until=days(2), reason=Reason.WILL_MONITOR)
    woke_at = dt.datetime(2025, 6, 18, 5, 0, tzinfo=dt.UTC)  # 07:00 in Berlin, an hour after the sweep
    assert life.wake_expired(now=woke_at - dt.timedelta(minutes=1)) == 0
    assert life.wake_expired(now=woke_at) == 1
    alert.refresh_from_db()
    assert (alert.state, selectors.acknowledge_by(alert, clinic.centre.zone)) == (
        State.OPEN,
        woke_at + dt.timedelta(days=7),
    )


# ----------------------------------------------------------------------------------------------- every path, by model


class Life(RuleBasedStateMachine):
    """One patient, one rule; any order of steps. The model beside it is the page on the lifecycle, word by word."""

    LEVELS = ((1000, "URGENT"), (500, "ACTION"), (200, "TASK"), (100, "INFO"))

    @initialize()
    def begin(self) -> None:
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.clinic = make_clinic()
        self.patient = self.clinic.patient()
        self.now = NOW
        self.value: int | str = 20
        self.state: str | None = None  # of the open alert
        self.level = ""
        self.until: dt.date | None = None
        self.closed_by_hand: tuple[str, int | str] | None = None
        self.undo: dt.datetime | None = None  # when the step was made that could be undone
        self.steps = itertools.count()
        rules.ck(self.patient, self.value)

    def teardown(self) -> None:
        if hasattr(self, "transaction"):
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(self.clinic.centre.zone).date()

    def level_of(self, value: int | str) -> str | None:
        if value == "unknown":
            return None
        return next((level for least, level in self.LEVELS if int(value) >= least), None)

    def alert(self) -> Alert:
        return Alert.objects.filter(patient=self.patient).latest("opened_at", "pk")

    @rule(value=st.sampled_from([20, 60, 150, 160, 300, 310, 700, 710, 1500, 1510, "unknown"]))
    def new_result(self, value: int | str) -> None:
        rules.ck(self.patient, value, on=(self.today - AS_OF).days)
        self.value = value
        self.judge()

    @rule()
    def judge(self) -> None:
        self.clinic.judge(as_of=self.today, now=self.now)
        level = self.level_of(self.value)
        if self.state:
            if level is None and self.value != "unknown":
                self.state = self.until = self.undo = None
                return
            if level and Level(level).rank < Level(self.level).rank:
                self.state, self.until, self.undo = State.OPEN, None, None
            elif level and level != self.level:
                self.undo = None
            self.level = level or self.level
            if self.until and self.until < self.today:
                self.state, self.until, self.undo = State.OPEN, None, None
        elif level:
            same = self.closed_by_hand and self.closed_by_hand[1] == self.value
            if not same:
                self.state, self.level, self.closed_by_hand, self.undo = State.OPEN, level, None, None
        elif self.value != "unknown":
            self.closed_by_hand = None

    @rule(minutes=st.sampled_from([1, 9, 11, 60 * 24, 60 * 24 * 5, 60 * 24 * 20]))
    def wait(self, minutes: int) -> None:
        self.now += dt.timedelta(minutes=minutes)

    @precondition(lambda self: self.state in (State.OPEN, State.SNOOZED))
    @rule()
    def acknowledge(self) -> None:
        life.acknowledge(alert=self.alert(), by=self.clinic.nurse, now=self.now)
        self.state, self.until, self.undo = State.ACKNOWLEDGED, None, self.now

    @precondition(lambda self: self.state)
    @rule(n=st.integers(0, 30))
    def snooze(self, n: int) -> None:
        until = self.today + dt.timedelta(days=n)
        allowed = {"URGENT": -1, "ACTION": 14, "TASK": 28, "INFO": 28}[self.level]
        try:
            life.snooze(alert=self.alert(), by=self.clinic.nurse, now=self.now, until=until, reason=Reason.WILL_MONITOR)
        except ValidationError:
            assert n > allowed
            return
        assert n <= allowed
        self.state, self.until, self.undo = State.SNOOZED, until, self.now

    @precondition(lambda self: self.state == State.SNOOZED)
    @rule()
    def wake(self) -> None:
        life.wake(alert=self.alert(), by=self.clinic.nurse, now=self.now)
        self.state, self.until, self.undo = State.OPEN, None, None

    @precondition(lambda self: self.state)
    @rule()
    def close(self) -> None:
        evidence = self.alert().evidence["value"]
        life.close(alert=self.alert(), by=self.clinic.doctor, now=self.now, reason=Reason.ACTED)
        self.closed_by_hand = (self.level, evidence)
        self.state, self.until, self.undo = None, None, self.now

    @precondition(lambda self: Alert.objects.filter(patient=self.patient).exists())
    @rule()
    def take_back(self) -> None:
        try:
            life.reopen(alert=self.alert(), by=self.clinic.nurse, now=self.now)
        except ValidationError:
            assert self.undo is None or self.now - self.undo > life.UNDO_WITHIN
            return
        assert self.undo is not None
        assert self.now - self.undo <= life.UNDO_WITHIN
        alert = self.alert()
        self.state, self.level, self.until, self.undo = State.OPEN, alert.level, None, None
        self.closed_by_hand = None

    @precondition(lambda self: Alert.objects.filter(patient=self.patient).exists())
    @rule()
    def remark(self) -> None:
        life.comment(alert=self.alert(), by=self.clinic.nurse, now=self.now, text="a remark")

    @invariant()
    def is_as_the_model_says(self) -> None:
        if not hasattr(self, "patient"):
            return
        found = list(
            Alert.objects.filter(patient=self.patient, closed_at=None).values_list("state", "level", "snoozed_until")
        )
        assert found == ([(self.state, self.level, self.until)] if self.state else [])

    @invariant()
    def state_repeats_the_newest_event(self) -> None:
        states = {
            "opened": "open",
            "raised": "open",
            "woke": "open",
            "reopened": "open",
            "acknowledged": "acknowledged",
            "snoozed": "snoozed",
            "closed": "closed",
        }
        for alert in Alert.objects.all():
            told = [kind for kind in alert.life.order_by("pk").values_list("kind", flat=True) if kind in states]
            assert states[told[-1]] == alert.state
            assert told.count("opened") == 1


def test_any_order_of_steps_leads_where_the_model_says() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
