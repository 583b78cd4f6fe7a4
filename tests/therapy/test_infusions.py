"""Infusions: the numbers of the rule book, and what holds for every weight, vial and history."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from therapy import infusions
from therapy.infusions import (
    NUMBERS,
    BeforeIvig,
    BeforeRituximab,
    Cabinet,
    Given,
    check_ivig,
    check_rituximab,
    grouped,
    level_of,
    ml_per_hour,
    next_due,
    passive_from,
    plan_course,
    repeat_from,
)

D = Decimal
DAY0 = dt.date(2025, 3, 3)
SIZES = st.lists(st.sampled_from([D("2.5"), D(5), D(6), D(10), D(20), D(30)]), min_size=1, max_size=4, unique=True)
WEIGHTS = st.decimals(min_value=8, max_value=180, places=1)


def day(number: int) -> dt.date:
    return DAY0 + dt.timedelta(days=number)


def doses(*days: int, amount: str = "70", rate: str | None = None) -> list[Given]:
    return [Given(day(n), D(amount), D(rate) if rate else None, n) for n in days]


def course(*days: int, amount: str = "70", rate: str | None = None) -> infusions.Group:
    (group,) = grouped(doses(*days, amount=amount, rate=rate), NUMBERS.course_window_days)
    return group


def cycle(*days: int, amount: str = "1000") -> infusions.Group:
    (group,) = grouped(doses(*days, amount=amount), NUMBERS.cycle_window_days)
    return group


# ---------------------------------------------------------------------------------------------------------------- rates


def test_the_rates_of_the_rule_book() -> None:
    assert ml_per_hour(D(70), D("0.04")) == 168
    assert ml_per_hour(D(70), D("0.03")) == 126
    assert plan_course(D(70), 2, at_risk=False).cap_ml_per_hour == 168
    assert plan_course(D(70), 2, at_risk=True).cap_ml_per_hour == 126
    assert [s.ml_per_hour for s in infusions.steps(D(70), at_risk=False)] == [42, 84, 168]
    assert [s.ml_per_hour for s in infusions.steps(D(70), at_risk=True)] == [42, 84, 126]
    assert [s.minutes for s in infusions.steps(D(70), at_risk=True)] == [30, 30, None]


@pytest.mark.parametrize("indication", ["itp", "immune thrombocytopenia", "", "Myositis"])
def test_no_rate_is_borrowed_from_another_indication(indication: str) -> None:
    with pytest.raises(KeyError):
        infusions.cap_ml_kg_min(indication, at_risk=False)
    assert max(caps.usual for caps in infusions.CAPS.values()) == D("0.04")


@given(WEIGHTS, st.booleans())
def test_no_step_is_above_the_cap_and_each_is_above_the_one_before(weight: Decimal, at_risk: bool) -> None:
    cap = D("0.03") if at_risk else D("0.04")
    steps = infusions.steps(weight, at_risk=at_risk)
    assert all(s.ml_per_hour <= weight * cap * 60 for s in steps)
    assert weight * cap * 60 - steps[-1].ml_per_hour < 1
    assert [s.ml_kg_min for s in steps] == sorted({s.ml_kg_min for s in steps})
    assert steps[0].ml_kg_min == D("0.01")


def test_how_long_it_takes() -> None:
    steps = infusions.steps(D(70), at_risk=False)
    assert infusions.minutes_for(D(21), steps) == 30
    assert infusions.minutes_for(D(63), steps) == 60  # 21 mL and 42 mL
    assert infusions.minutes_for(D(700), steps) == 60 + 228  # 637 mL at 168 mL/h are 227.5 minutes
    assert infusions.minutes_for(D(1), infusions.steps(D("0.1"), at_risk=False)) is None


@pytest.mark.parametrize(
    ("born", "on", "older"),
    [
        ("1960-03-03", "2025-03-03", False),
        ("1960-03-03", "2025-03-04", True),
        ("1960-02-29", "2025-02-28", False),
        ("1960-02-29", "2025-03-01", True),
    ],
)
def test_older_than_65_begins_the_day_after_the_birthday(born: str, on: str, older: bool) -> None:
    assert infusions.is_older(dt.date.fromisoformat(born), dt.date.fromisoformat(on)) is older


# ----------------------------------------------------------------------------------------------------------- the plan


def test_a_course_for_70_kg() -> None:
    plan = plan_course(D(70), 5, at_risk=False)
    assert plan.target_g == 140
    assert [d.grams for d in plan.days] == [D("30"), D("27.5"), D("27.5"), D("27.5"), D("27.5")]
    assert (plan.total_g, plan.rounded_g, plan.percent, plan.is_within) == (140, 0, 0, True)
    assert plan.days[0].vials == ((D(30), 1),)
    assert plan.days[1].vials == ((D(20), 1), (D(5), 1), (D("2.5"), 1))
    assert plan.days[1].volume_ml == 275
    two = plan_course(D(70), 2, [D(10), D(20)], at_risk=False)
    assert [d.grams for d in two.days] == [70, 70]
    assert two.vials == ((D(20), 6), (D(10), 2))


def test_rounding_to_whole_vials_is_said() -> None:
    plan = plan_course(D(68), 5, [D(10)], at_risk=False)
    assert (plan.target_g, plan.total_g, plan.rounded_g, plan.percent) == (136, 140, 4, D("2.9"))
    assert plan.is_within
    small = plan_course(D(12), 5, [D(10)], at_risk=False)
    assert (small.target_g, small.total_g, small.is_within) == (24, 50, False)


@pytest.mark.parametrize("days", [1, 6])
def test_a_course_takes_two_to_five_days(days: int) -> None:
    with pytest.raises(ValueError, match="2 to 5 days"):
        plan_course(D(70), days, at_risk=False)


@pytest.mark.parametrize("sizes", [[], [D(0)], [D(-5)], [D("0.05")], [D(101)], [D(n) for n in range(1, 10)]])
def test_sizes_of_vials_that_are_none(sizes: list[Decimal]) -> None:
    with pytest.raises(ValueError, match="vial"):
        plan_course(D(70), 2, sizes, at_risk=False)
    with pytest.raises(ValueError, match="weight"):
        plan_course(D(0), 2, at_risk=False)


@given(WEIGHTS, st.integers(2, 5), SIZES, st.booleans())
def test_a_plan_adds_up(weight: Decimal, days: int, sizes: list[Decimal], at_risk: bool) -> None:
    plan = plan_course(weight, days, sizes, at_risk=at_risk)
    assert len(plan.days) == days
    for one in plan.days:
        assert one.grams > 0
        assert sum(size * number for size, number in one.vials) == one.grams
        assert one.volume_ml == one.grams * 10
        assert {size for size, _ in one.vials} <= set(sizes)
    assert plan.total_g == sum(size * number for size, number in plan.vials) == sum(d.grams for d in plan.days)
    assert plan.rounded_g == plan.total_g - 2 * weight
    assert plan.is_within is (D("1.9") * weight <= plan.total_g <= D("2.1") * weight)


@given(st.decimals(min_value=25, max_value=180, places=1), st.integers(2, 5))
def test_with_the_usual_vials_a_course_is_even_and_within_the_tolerance(weight: Decimal, days: int) -> None:
    plan = plan_course(weight, days, at_risk=False)
    assert plan.is_within
    assert abs(plan.rounded_g) <= D("1.25")
    assert max(d.grams for d in plan.days) - min(d.grams for d in plan.days) <= D(5)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True), st.integers(1, 24))
@settings(max_examples=60)
def test_no_choice_of_vials_is_smaller(sizes: list[int], grams: int) -> None:
    """By trying them all."""
    chosen = Cabinet(map(D, sizes)).fewest(D(grams))
    ranges = [range(grams // size + 1) for size in sizes]
    made = [sum(c) for c in itertools.product(*ranges) if sum(n * s for n, s in zip(c, sizes, strict=True)) == grams]
    assert (chosen is None) is (not made)
    if chosen is not None:
        assert sum(number for _, number in chosen) == min(made)
        assert sum(size * number for size, number in chosen) == grams


@given(SIZES, st.fractions(min_value=0, max_value=90))
def test_the_nearest_amount_is_the_nearest(sizes: list[Decimal], grams: Fraction) -> None:
    cabinet = Cabinet(sizes)
    found = cabinet.nearest(grams)
    assert cabinet.fewest(found) is not None
    for units in range(1, 250):
        other = D(units) / 2
        if cabinet.fewest(other) is not None:
            assert abs(Fraction(found) - grams) <= abs(Fraction(other) - grams)


def test_amounts_no_vials_make() -> None:
    assert Cabinet([D(10)]).fewest(D(15)) is None
    assert Cabinet([D(10)]).fewest(D(0)) is None
    assert Cabinet([D("2.5")]).fewest(D("2.55")) is None


# ------------------------------------------------------------------------------------------------- courses and cycles


def test_an_infusion_more_than_28_days_after_the_start_of_a_cycle_begins_one() -> None:
    groups = grouped(doses(0, 14, 28, 29, 57, 58), NUMBERS.cycle_window_days)
    assert [[g.on for g in group.infusions] for group in groups] == [
        [day(0), day(14), day(28)], [day(29), day(57)], [day(58)],
    ]  # fmt: skip


@given(st.lists(st.integers(0, 400), min_size=1, max_size=30), st.integers(1, 40))
def test_groups_keep_every_infusion_in_order(days: list[int], window: int) -> None:
    given_ = [Given(day(n), D(1), None, nr) for nr, n in enumerate(days)]
    groups = grouped(given_, window)
    assert [g for group in groups for g in group.infusions] == sorted(given_, key=lambda g: (g.on, g.id))
    for group in groups:
        assert group.span_days <= window + 1
        assert sum(group.by_day.values()) == group.total == len(group.infusions)
    for one, after in itertools.pairwise(groups):
        assert (after.began_on - one.began_on).days > window


def test_amount_per_kg_is_exact() -> None:
    assert course(0, 1).per_kg(D(70)) == 2
    assert course(0, 1, amount="70.1").per_kg(D(70)) == Fraction(1402, 700)
    assert course(0).per_kg(None) is None


# ----------------------------------------------------------------------------------------------------------------- due


@pytest.mark.parametrize(
    ("on", "level", "reasons"),
    [
        (27, None, ()),
        (28, "TASK", ("ivig-due",)),
        (35, "TASK", ("ivig-due",)),
        (36, "ACTION", ("ivig-late",)),
        (400, "ACTION", ("ivig-late",)),
    ],
)
def test_immunoglobulin_every_28_days(on: int, level: str | None, reasons: tuple[str, ...]) -> None:
    due = next_due("ivig", course(0, 1), day(on))
    assert due is not None
    assert (due.on, due.until, due.level, due.reasons) == (day(28), day(35), level, reasons)


@pytest.mark.parametrize(
    ("on", "level"), [(13, None), (14, "TASK"), (17, "TASK"), (18, "ACTION"), (28, "ACTION"), (29, "none")]
)
def test_the_second_infusion_of_rituximab(on: int, level: str | None) -> None:
    due = next_due("rituximab", cycle(0), day(on))
    assert (due.level if due else "none") == level
    assert next_due("rituximab", cycle(0, 14), day(on)) is None


def test_a_booking_makes_it_information() -> None:
    for ahead, level in ((0, "INFO"), (14, "INFO"), (15, "TASK")):
        due = next_due("ivig", course(0), day(30), booked_for=day(30 + ahead))
        assert due is not None
        assert due.level == level


def test_what_ends_before_needs_no_next_course() -> None:
    assert next_due("ivig", course(0), day(30), stopped_on=day(27)) is None
    assert next_due("ivig", course(0), day(30), stopped_on=day(28)) is not None
    assert next_due("ivig", course(0), day(30), dosed_until=day(27)) is None
    assert next_due("ivig", course(0), day(30), dosed_until=day(28)) is not None
    assert next_due("ivig", course(0), day(30), dosed_until=day(-1)) is not None  # infusions went on without a dose
    assert next_due("rituximab", cycle(0), day(14), stopped_on=day(13)) is None


def test_rituximab_is_not_repeated_before_24_weeks() -> None:
    assert repeat_from(cycle(0, 14)) == day(168)


@pytest.mark.parametrize(("taken", "shows"), [(-1, None), (0, 0), (2, 1), (91, 1), (92, None)])
def test_antibodies_of_donors_are_found_for_90_days(taken: int, shows: int | None) -> None:
    assert passive_from(day(taken), [day(0), day(1)]) == (None if shows is None else day(shows))


# -------------------------------------------------------------------------------------------------------------- checks

READY = BeforeIvig(creatinine_on=day(20), iga_g_l=D(2), is_iga_known=True)


def ivig(group: infusions.Group, on: int = 22, **changed: object) -> list[str]:
    values: dict = {"weight_kg": D(70), "at_risk": False, "known": READY} | changed
    return check_ivig(group, day(on), **values)


def test_a_course_as_it_should_be() -> None:
    assert ivig(course(0, 1, rate="168"), before=course(-28, -27)) == []
    assert ivig(course(0, 1, 2, 3, 4, amount="28", rate="126"), at_risk=True) == []
    assert level_of([]) is None


@pytest.mark.parametrize(
    ("amount", "found"),
    [("66.499", ["total-low"]), ("66.5", []), ("73.5", []), ("73.501", ["total-high"])],
)
def test_the_total_is_2_g_per_kg_within_5_percent(amount: str, found: list[str]) -> None:
    assert ivig(course(0, 1, amount=amount)) == found
    assert ivig(course(0, 1, amount=amount), weight_kg=None) == []


def test_what_is_too_little_is_said_once_the_course_is_over() -> None:
    begun = course(0)
    assert check_ivig(begun, day(4), weight_kg=D(70), at_risk=False, known=READY) == []
    assert check_ivig(begun, day(5), weight_kg=D(70), at_risk=False, known=READY) == ["total-low", "days"]
    assert ivig(course(0, 5)) == ["days"]


@pytest.mark.parametrize(("before", "found"), [(-20, ["interval"]), (-21, []), (-35, []), (-36, ["interval"])])
def test_the_interval(before: int, found: list[str]) -> None:
    assert ivig(course(0, 1), before=course(before)) == found


def test_the_rate_is_held_against_the_cap_of_the_patient() -> None:
    assert ivig(course(0, 1, rate="168.1")) == ["rate"]
    assert ivig(course(0, 1, rate="126.1"), at_risk=True) == ["rate-at-risk"]
    assert ivig(course(0, 1, rate="126"), at_risk=True) == []
    assert ivig(course(0, 1, rate="500"), weight_kg=None) == []
    assert level_of(["rate"]) == "TASK"
    assert level_of(["days", "rate-at-risk"]) == "ACTION"


def test_before_the_next_course() -> None:
    nothing = BeforeIvig()
    assert ivig(course(0, 1), on=20, known=nothing) == []
    assert ivig(course(0, 1), on=21, known=nothing) == ["creatinine", "iga-unknown"]
    assert ivig(course(0, 1), on=34, known=READY) == []
    assert ivig(course(0, 1), on=35, known=READY) == ["creatinine"]
    assert ivig(course(0, 1), on=6, known=BeforeIvig(iga_g_l=D("0.06"), is_iga_known=True)) == ["iga-low"]
    assert ivig(course(0, 1), on=6, known=BeforeIvig(iga_g_l=D("0.07"), is_iga_known=True)) == []


SAFE = BeforeRituximab(igg_on=day(10), igg_g_l=D(9), hepatitis_b="negative")


def ritux(group: infusions.Group, on: int = 30, known: BeforeRituximab = SAFE, **changed: object) -> list[str]:
    return check_rituximab(group, day(on), known=known, **changed)


def test_a_cycle_as_it_should_be() -> None:
    for second in (11, 14, 17):
        assert ritux(cycle(0, second), before=cycle(-168, -154)) == []


def test_what_is_wrong_with_a_cycle() -> None:
    assert ritux(cycle(0, 10)) == ritux(cycle(0, 18)) == ["second-interval"]
    assert ritux(cycle(0), on=28) == []
    assert ritux(cycle(0), on=29) == ["second-missed"]
    assert ritux(cycle(0, 14, amount="999.9")) == ["amount"]
    assert ritux(cycle(0, 14, 28)) == ["amount"]
    assert ritux(cycle(0, 14), before=cycle(-167)) == ["repeat-early"]


def test_igg_before_rituximab() -> None:
    none = BeforeRituximab(hepatitis_b="negative")
    assert ritux(cycle(0), on=10, known=none) == []
    assert ritux(cycle(0), on=11, known=none) == ["igg-missing"]
    assert ritux(cycle(0, 14), on=167, known=none) == []
    assert ritux(cycle(0, 14), on=168, known=none) == ["igg-missing"]
    assert ritux(cycle(0, 14), on=193) == []
    assert ritux(cycle(0, 14), on=194) == ["igg-missing"]
    booked = BeforeRituximab(igg_on=day(10), igg_g_l=D(9), hepatitis_b="negative", booked_for=day(50))
    assert ritux(cycle(0, 14), on=39, known=booked) == ["igg-missing"]
    assert ritux(cycle(0, 14), on=35, known=booked) == []
    for value, found in (("6", []), ("5.99", ["igg-low"]), ("4", ["igg-low"]), ("3.99", ["igg-very-low"])):
        low = BeforeRituximab(igg_on=day(10), igg_g_l=D(value), hepatitis_b="negative")
        assert ritux(cycle(0, 14), known=low) == found


def test_hepatitis_b_before_rituximab() -> None:
    def with_(word: str, noted: bool = False) -> BeforeRituximab:
        return BeforeRituximab(igg_on=day(10), igg_g_l=D(9), hepatitis_b=word, is_antiviral_noted=noted)

    assert ritux(cycle(0, 14), known=with_("")) == ["hepatitis-b-unknown"]
    assert ritux(cycle(0, 14), known=with_("positive")) == ["hepatitis-b-positive"]
    assert ritux(cycle(0, 14), known=with_("positive", noted=True)) == []
