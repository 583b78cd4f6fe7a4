"""A rule is changed by two people, within bounds, and every change is kept: by the actions, and by PostgreSQL."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import Centre, Membership, Role, User
from audit.models import Entry
from monitoring import governance
from monitoring import rule_actions as actions
from monitoring.bounds import Bounds, bounds_of, like, with_values
from monitoring.models import ChangeKind, Mode, RuleBackTest, RuleChange
from monitoring.rules import RULES
from monitoring.rules.base import Rule, bounded, chosen
from tests import factories
from tests.alerts import rules as made_up
from tests.factories import AS_OF, LONG_AGO, NOW

RULE = "ck-rising"


@pytest.fixture
def clinic(db: None) -> Centre:
    return factories.centre()


@pytest.fixture
def one(clinic: Centre) -> User:
    return factories.person(clinic)


@pytest.fixture
def other(clinic: Centre) -> User:
    return factories.person(clinic)


def numbers(clinic: Centre, by: User, **values: Any) -> RuleChange:
    return actions.propose_parameters(centre=clinic, rule=RULE, values=values, reason="ours", by=by, now=NOW)


def mode(clinic: Centre, by: User, word: str = "off") -> RuleChange:
    return actions.propose_mode(centre=clinic, rule=RULE, mode=word, reason="ours", by=by, now=NOW)


def back_test_finishes(change: RuleChange) -> None:
    RuleBackTest.objects.filter(change=change).update(weeks_done=52, finished_at=NOW, today={}, proposed={})


# -------------------------------------------------------------------------------------------------------- two people


def test_nothing_recorded_is_on_with_its_own_numbers_and_not_signed_off(clinic: Centre) -> None:
    assert governance.mode(clinic, RULE) == Mode.ON
    assert governance.modes(clinic) == dict.fromkeys(RULES, Mode.ON)
    assert governance.numbers(clinic, RULES[RULE]) == governance.Numbers(RULES[RULE].parameters, {})
    assert governance.parameters(clinic) == {rule.id: rule.parameters for rule in RULES.values()}
    assert governance.signed_off(clinic) == set()


def test_one_proposes_and_another_confirms(clinic: Centre, one: User, other: User) -> None:
    change = mode(clinic, one)
    assert governance.mode(clinic, RULE) == Mode.ON
    assert governance.pending(clinic) == {RULE}
    actions.confirm(change=change, by=other, now=NOW)
    assert governance.mode(clinic, RULE) == Mode.OFF
    assert governance.mode(factories.centre(), RULE) == Mode.ON
    assert governance.mode(clinic, "physio-missed") == Mode.ON
    assert governance.pending(clinic) == set()
    kept = RuleChange.objects.get()
    assert (kept.proposed_by, kept.confirmed_by, kept.reason, kept.rule_version) == (one, other, "ours", 1)
    assert list(Entry.objects.order_by("id").values_list("action", "by", "centre")) == [
        ("monitoring.propose_mode", one.pk, clinic.pk),
        ("monitoring.confirm_change", other.pk, clinic.pk),
    ]


def test_nobody_confirms_what_they_proposed(clinic: Centre, one: User) -> None:
    change = mode(clinic, one)
    with pytest.raises(ValidationError, match="Somebody else"):
        actions.confirm(change=change, by=one, now=NOW)
    assert governance.mode(clinic, RULE) == Mode.ON


def test_the_database_refuses_one_person_in_both_places(clinic: Centre, one: User) -> None:
    change = mode(clinic, one)
    with pytest.raises(IntegrityError, match="rule_change_by_two_people"), transaction.atomic():
        RuleChange.objects.filter(pk=change.pk).update(confirmed_by=one, confirmed_at=NOW)


@pytest.mark.parametrize("role", [r for r in Role.values if r != Role.CLINICIAN])
def test_only_clinicians_of_the_centre_propose_confirm_and_withdraw(clinic: Centre, one: User, role: str) -> None:
    change = mode(clinic, one)
    elsewhere = factories.person(factories.centre())
    left = factories.person(clinic)
    Membership.objects.filter(user=left).update(is_active=False)
    for somebody in (factories.person(clinic, role), elsewhere, left):
        with pytest.raises(PermissionDenied):
            actions.propose_mode(centre=clinic, rule="physio-missed", mode="off", reason="r", by=somebody, now=NOW)
        with pytest.raises(PermissionDenied):
            actions.confirm(change=change, by=somebody, now=NOW)
        with pytest.raises(PermissionDenied):
            actions.withdraw(change=change, reason="r", by=somebody, now=NOW)
        with pytest.raises(PermissionDenied):
            actions.sign_off(centre=clinic, rule=RULE, reason="r", by=somebody, now=NOW)


def test_one_proposal_of_a_kind_at_a_time(clinic: Centre, one: User, other: User) -> None:
    first = mode(clinic, one)
    numbers(clinic, one, action_ratio="2.1")
    with pytest.raises(ValidationError, match="proposed already"):
        mode(clinic, other, "shadow")
    actions.withdraw(change=first, reason="no", by=other, now=NOW)
    mode(clinic, other, "shadow")
    with pytest.raises(IntegrityError, match="rule_change_pending_once"), transaction.atomic():
        factories.rule_change(clinic, RULE, mode="off", confirmed=False)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ({"mode": "on"}, "so already"),
        ({"mode": "loud"}, "Choose one"),
        ({"reason": "  "}, "Say why"),
        ({"rule": "no-such-rule"}, "no such rule"),
    ],
)
def test_what_cannot_be_proposed(clinic: Centre, one: User, what: dict[str, str], error: str) -> None:
    with pytest.raises(ValidationError, match=error):
        actions.propose_mode(**{"centre": clinic, "rule": RULE, "mode": "off", "reason": "r", **what}, by=one, now=NOW)
    assert not RuleChange.objects.exists()


def test_what_became_of_a_proposal_is_not_changed_by_an_action(clinic: Centre, one: User, other: User) -> None:
    change = mode(clinic, one)
    actions.withdraw(change=change, reason="too soon", by=one, now=NOW)
    with pytest.raises(ValidationError, match="in the meantime"):
        actions.confirm(change=change, by=other, now=NOW)
    with pytest.raises(ValidationError, match="in the meantime"):
        actions.withdraw(change=change, reason="again", by=other, now=NOW)
    second = actions.confirm(change=mode(clinic, one), by=other, now=NOW)
    with pytest.raises(ValidationError, match="in the meantime"):
        actions.withdraw(change=second, reason="r", by=other, now=NOW)
    assert governance.mode(clinic, RULE) == Mode.OFF


TABLE = "monitoring_rulechange"
COPIED = (
    "centre_id, rule, rule_version, kind, mode, parameters, reason, proposed_by_id, proposed_at, confirmed_by_id, "
    "confirmed_at, withdrawn_reason"
)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE monitoring_rulechange SET mode = 'shadow'",
        "UPDATE monitoring_rulechange SET reason = 'another'",
        "UPDATE monitoring_rulechange SET proposed_by_id = confirmed_by_id, confirmed_by_id = proposed_by_id",
        "UPDATE monitoring_rulechange SET confirmed_at = NULL, confirmed_by_id = NULL",
        "UPDATE monitoring_rulechange SET confirmed_at = confirmed_at - interval '1 day'",
        "UPDATE monitoring_rulechange SET withdrawn_at = now(), withdrawn_by_id = 1, withdrawn_reason = 'r'",
        "DELETE FROM monitoring_rulechange",
        f"INSERT INTO {TABLE} ({COPIED}, is_carried_over) SELECT {COPIED}, false FROM {TABLE}",
        f"INSERT INTO {TABLE} ({COPIED}, is_carried_over) SELECT {COPIED}, true FROM {TABLE}",
    ],
)
def test_the_database_keeps_what_two_people_agreed_on(clinic: Centre, change: str) -> None:
    factories.rule_change(clinic, RULE, mode="off")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert governance.mode(clinic, RULE) == Mode.OFF


def test_a_proposal_of_another_version_is_not_confirmed(clinic: Centre, one: User, other: User) -> None:
    change = factories.rule_change(clinic, RULE, mode="off", rule_version=RULES[RULE].version + 1, confirmed=False)
    with pytest.raises(ValidationError, match="another version"):
        actions.confirm(change=change, by=other, now=NOW)


# ------------------------------------------------------------------------------------------------------- sign-off


def test_two_people_sign_a_version_off_and_each_can_take_it_back(clinic: Centre, one: User, other: User) -> None:
    first = actions.sign_off(centre=clinic, rule=RULE, reason="read it", by=one, now=NOW)
    assert governance.signed_off(clinic) == set()
    with pytest.raises(ValidationError, match="Somebody else"):
        actions.confirm(change=first, by=one, now=NOW)
    actions.confirm(change=first, by=other, now=NOW)
    assert governance.signed_off(clinic) == {(RULE, RULES[RULE].version)}
    with pytest.raises(ValidationError, match="already"):
        actions.sign_off(centre=clinic, rule=RULE, reason="again", by=one, now=NOW)
    actions.withdraw(change=first, reason="the source was withdrawn", by=factories.person(clinic), now=NOW)
    assert governance.signed_off(clinic) == set()
    actions.sign_off(centre=clinic, rule=RULE, reason="read it again", by=one, now=NOW)


# ---------------------------------------------------------------------------------------------------------- numbers


def test_numbers_in_force_are_the_rules_own_with_what_was_agreed_on(clinic: Centre, one: User, other: User) -> None:
    first = numbers(clinic, one, action_ratio="2.1", early_days="700")
    back_test_finishes(first)
    actions.confirm(change=first, by=other, now=NOW)
    in_force = governance.numbers(clinic, RULES[RULE]).parameters
    assert in_force == dataclasses.replace(RULES[RULE].parameters, action_ratio=Decimal("2.1"), early_days=700)
    # What is not named stays as it is here, not as the rule has it; what is the rule's own again is so.
    second = numbers(clinic, one, action_ratio="2.0", info_ratio="1.6")
    assert second.parameters == {"early_days": "700", "info_ratio": "1.6"}
    back_test_finishes(second)
    actions.confirm(change=second, by=other, now=NOW + dt.timedelta(days=1))
    in_force = governance.numbers(clinic, RULES[RULE]).parameters
    assert in_force == dataclasses.replace(RULES[RULE].parameters, info_ratio=Decimal("1.6"), early_days=700)
    assert governance.parameters(clinic)[RULE] == in_force
    assert governance.numbers(factories.centre(), RULES[RULE]).parameters == RULES[RULE].parameters


def test_numbers_reach_the_rules_that_ask_it(clinic: Centre) -> None:
    asking = RULES["taper-step-due"]
    assert governance.numbers(clinic, asking).others == {}
    factories.rule_change(clinic, RULE, parameters={"action_ratio": "2.1"})
    others = governance.numbers(clinic, asking).others
    assert others == {RULE: dataclasses.replace(RULES[RULE].parameters, action_ratio=Decimal("2.1"))}


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"action_ratio": "4.01"}, "action_ratio", "4.01 is out of bounds: 1 to 4."),
        ({"action_ratio": "0.99"}, "action_ratio", "0.99 is out of bounds: 1 to 4."),
        ({"action_ratio": "NaN"}, "action_ratio", "NaN is not a number."),
        ({"action_ratio": "two"}, "action_ratio", "two is not a number."),
        ({"early_days": "700.5"}, "early_days", "700.5 is not a whole number."),
        ({"early_days": "1461"}, "early_days", "1461 is out of bounds: 365 to 1460."),
        ({"nothing": "1"}, "nothing", "The rule has no parameter nothing."),
    ],
)
def test_out_of_bounds_is_refused_by_name(
    clinic: Centre, one: User, values: dict[str, str], field: str, message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        numbers(clinic, one, **values)
    assert refused.value.message_dict == {field: [message]}
    assert not RuleChange.objects.exists()


@pytest.mark.parametrize("value", ["1", "4", "1.00"])
def test_bounds_are_within(clinic: Centre, one: User, value: str) -> None:
    assert Decimal(numbers(clinic, one, action_ratio=value).parameters["action_ratio"]) == Decimal(value)


def test_what_would_change_nothing_is_not_proposed(clinic: Centre, one: User) -> None:
    with pytest.raises(ValidationError, match="Nothing of it"):
        numbers(clinic, one, action_ratio="2.00")


def test_what_a_later_version_does_not_allow_is_the_rules_own_again(clinic: Centre) -> None:
    factories.rule_change(
        clinic, RULE, parameters={"action_ratio": "9", "gone": "1", "early_days": "x", "info_ratio": "1.6"}
    )
    in_force = governance.numbers(clinic, RULES[RULE]).parameters
    assert in_force == dataclasses.replace(RULES[RULE].parameters, info_ratio=Decimal("1.6"))
    assert governance.not_allowed_any_more(clinic, RULES[RULE]) == ["action_ratio", "early_days", "gone"]


# ----------------------------------------------------------------------------------------------------------- bounds


@dataclasses.dataclass(frozen=True)
class Several:
    ratio: Decimal = Decimal("1.7")
    days: int = 7
    one: int = 1
    nought: int = 0
    before: int = -14
    below: Decimal = Decimal("-0.5")
    strict: bool = False
    word: str = "as it is"
    kinds: tuple[str, ...] = ("a", "b")
    since: dt.date = dt.date(2020, 1, 1)
    narrow: Decimal = bounded(Decimal("1.7"), 1, 2)
    limit_set: str = chosen("BSR 2017", ["BSR 2017", "2008"])


def several() -> Rule:
    return made_up.make(parameters=Several())


def test_bounds_are_half_to_double_unless_the_rule_says_otherwise() -> None:
    assert bounds_of(several()) == {
        "ratio": Bounds(Decimal("0.85"), Decimal("3.4")),
        "days": Bounds(4, 14),
        "one": Bounds(1, 2),
        "nought": Bounds(0, 0),
        "before": Bounds(-28, -7),
        "below": Bounds(Decimal("-1.0"), Decimal("-0.25")),
        "strict": Bounds(choices=(True, False)),
        "word": Bounds(choices=("as it is",)),
        "kinds": Bounds(choices=(("a", "b"),)),
        "since": Bounds(choices=(dt.date(2020, 1, 1),)),
        "narrow": Bounds(Decimal(1), Decimal(2)),
        "limit_set": Bounds(choices=("BSR 2017", "2008")),
    }
    texts = {name: str(bounds) for name, bounds in bounds_of(several()).items()}
    assert (texts["days"], texts["limit_set"], texts["strict"]) == ("4 to 14", "BSR 2017 or 2008", "yes or no")
    assert texts["nought"] == texts["word"] == texts["kinds"] == "not to be changed"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"days": "14", "strict": "true", "limit_set": "2008"}, {"days": "14", "strict": True, "limit_set": "2008"}),
        ({"kinds": ("a", "b"), "since": "2020-01-01", "word": "as it is", "nought": "0", "ratio": "1.70"}, {}),
        ({"before": "-7"}, {"before": "-7"}),
    ],
)
def test_a_value_is_read_as_what_it_replaces(typed: dict[str, Any], kept: dict[str, Any]) -> None:
    assert governance.checked(several(), typed) == kept
    assert with_values(several(), kept) == with_values(several(), typed)


@pytest.mark.parametrize(
    "typed",
    [{"days": "15"}, {"before": "7"}, {"limit_set": "1999"}, {"word": "other"}, {"kinds": ["a"]}, {"strict": "no"}],
)
def test_a_value_outside_is_refused(typed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        governance.checked(several(), typed)


@pytest.mark.parametrize(("value", "low", "high"), [(1, 2, 3), (4, 2, 3)])
def test_bounds_that_leave_the_rules_own_number_out_are_a_mistake(value: int, low: int, high: int) -> None:
    with pytest.raises(ValueError, match="not between"):
        bounded(value, low, high)
    with pytest.raises(ValueError, match="none of"):
        chosen("a", ["b"])


def test_every_number_of_every_rule_lies_within_its_bounds_and_is_read_back() -> None:
    for rule in RULES.values():
        for name, bounds in bounds_of(rule).items():
            value = getattr(rule.parameters, name)
            assert bounds.allow(value), f"{rule.id} {name}"
            text = value if isinstance(value, bool | list | tuple) else str(value)
            assert like(value, text) == value, f"{rule.id} {name}"


# -------------------------------------------------------------------------------------------------------- back-test


def test_numbers_are_not_confirmed_before_their_back_test_has_finished(clinic: Centre, one: User, other: User) -> None:
    change = numbers(clinic, one, action_ratio="2.1")
    test = change.back_test
    assert (test.last_on, test.weeks) == (AS_OF - dt.timedelta(days=1), 52)
    assert test.first_on == test.last_on - dt.timedelta(weeks=51)
    with pytest.raises(ValidationError, match="not finished"):
        actions.confirm(change=change, by=other, now=NOW)
    with pytest.raises(DatabaseError, match="has not finished"), transaction.atomic():
        RuleChange.objects.filter(pk=change.pk).update(confirmed_by=other, confirmed_at=NOW)
    with pytest.raises(IntegrityError, match="rule_back_test_finished_has_counts"), transaction.atomic():
        RuleBackTest.objects.update(finished_at=NOW)
    back_test_finishes(change)
    actions.confirm(change=change, by=other, now=NOW)
    for change_it in ({"today": {"opened": 1}}, {"finished_at": None}):
        with pytest.raises(DatabaseError), transaction.atomic():
            RuleBackTest.objects.update(**change_it)


def test_switching_on_waits_for_its_back_test_and_switching_off_does_not(
    clinic: Centre, one: User, other: User
) -> None:
    actions.confirm(change=mode(clinic, one, "shadow"), by=other, now=NOW)
    actions.confirm(change=mode(clinic, one, "off"), by=other, now=NOW)
    change = mode(clinic, one, "on")
    with pytest.raises(ValidationError, match="not finished"):
        actions.confirm(change=change, by=other, now=NOW)
    back_test_finishes(change)
    actions.confirm(change=change, by=other, now=NOW)
    assert governance.mode(clinic, RULE) == Mode.ON


def test_the_history_is_newest_first_and_whole(clinic: Centre, one: User, other: User) -> None:
    factories.rule_change(clinic, RULE, mode="shadow", moment=LONG_AGO)
    second = actions.withdraw(change=mode(clinic, one, "on"), reason="no", by=other, now=NOW)
    assert [(c.kind, c.mode, c.withdrawn_reason) for c in governance.history(clinic, RULE)] == [
        (ChangeKind.MODE, "on", "no"),
        (ChangeKind.MODE, "shadow", ""),
    ]
    assert second.withdrawn_by == other
