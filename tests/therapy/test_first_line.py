"""The present episode of glucocorticoid and what was taken beside it, without a database."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from fractions import Fraction

import pytest

from therapy import lines
from therapy.dosing import DoseRow
from therapy.lines import PE, Floor, Stretch, Weight

AS_OF = dt.date(2025, 6, 15)
D = Decimal
_id = itertools.count(1)


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def dose(drug: str, first: int, last: int | None, amount: str, every: int = 1, route: str = "oral") -> DoseRow:
    number = next(_id)
    return DoseRow(number, number, drug, route, ago(first), None if last is None else ago(last), D(amount), 1, every)


SEVENTY = [Weight(ago(100), D(70))]
STEROID = dose("prednisone", 100, None, "35")
METHOTREXATE = dose("methotrexate", 100, None, "15", 7)


def first(rows: list[DoseRow], weights: list[Weight] | None = None) -> lines.FirstLine | None:
    return lines.first_line(rows, SEVENTY if weights is None else weights, AS_OF)


def test_an_adequate_first_line_is_told_with_all_it_rests_on() -> None:
    found = first([STEROID, METHOTREXATE])
    assert found is not None
    assert (found.day0, found.weight, found.is_adequate) == (ago(100), SEVENTY[0], True)
    assert found.agents == [
        lines.Adequacy(
            agent=PE, first_on=ago(100), last_on=AS_OF, days=101, is_running=True, highest=Fraction(35),
            today=Fraction(35), floor=Floor(D("0.5"), True, 1, 28), weight=SEVENTY[0], days_enough=101, days_needed=28,
            is_adequate=True,
        ),
        lines.Adequacy(
            agent="methotrexate", first_on=ago(100), last_on=AS_OF, days=101, is_running=True, highest=Fraction(15),
            today=Fraction(15), floor=Floor(D(15), False, 7, 56), weight=None, days_enough=101, days_needed=56,
            is_adequate=True,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "is_adequate"),
    [
        ([STEROID], False),
        ([STEROID, dose("methotrexate", 54, None, "15", 7)], False),
        ([STEROID, dose("methotrexate", 55, None, "15", 7)], True),
        ([dose("prednisone", 100, 73, "35"), dose("prednisone", 72, None, "5"), METHOTREXATE], True),
        ([dose("prednisone", 100, 74, "35"), dose("prednisone", 73, None, "5"), METHOTREXATE], False),
        # another glucocorticoid by its equivalent: 28 mg of methylprednisolone is 35 mg
        ([dose("methylprednisolone", 100, None, "28"), METHOTREXATE], True),
        ([dose("methylprednisolone", 100, None, "27.9"), METHOTREXATE], False),
        # two add up; what is not systemic does not count
        ([dose("prednisone", 100, None, "20"), dose("methylprednisolone", 100, None, "12"), METHOTREXATE], True),
        ([STEROID, dose("azathioprine", 100, None, "140")], True),
        ([STEROID, dose("azathioprine", 100, None, "69")], False),
        ([STEROID, dose("mycophenolate-mofetil", 100, None, "2000")], True),
        ([STEROID, dose("methotrexate", 100, None, "10", 7), dose("azathioprine", 100, None, "140")], True),
    ],
)
def test_enough_of_both(rows: list[DoseRow], is_adequate: bool) -> None:
    found = first(rows)
    assert found is not None
    assert found.is_adequate is is_adequate


def test_without_a_weight_it_is_not_known_unless_something_else_is_too_little() -> None:
    for weights in ([], [Weight(ago(191), D(70))], [Weight(ago(-1), D(70))]):
        found = first([STEROID, METHOTREXATE], weights)
        assert found is not None
        assert (found.weight, found.is_adequate) == (None, None)
        assert [agent.is_sure for agent in found.agents] == [False, True]
        too_little = first([STEROID, dose("methotrexate", 100, None, "10", 7)], weights)
        assert too_little is not None
        assert too_little.is_adequate is False
    both_unknown = first([STEROID, dose("azathioprine", 100, None, "140")], [])
    assert both_unknown is not None
    assert both_unknown.is_adequate is None


def test_the_weight_nearest_to_the_first_day_and_of_two_the_earlier() -> None:
    weights = [Weight(ago(50), D(60)), Weight(ago(130), D(90)), Weight(ago(110), D(80)), Weight(ago(90), D(70))]
    found = first([STEROID, METHOTREXATE], weights)
    assert found is not None
    assert found.weight == Weight(ago(110), D(80))
    assert lines.weight_near([Weight(ago(190), D(70))], ago(100)) == Weight(ago(190), D(70))
    assert lines.weight_near([Weight(ago(10), D(70))], ago(100)) == Weight(ago(10), D(70))


@pytest.mark.parametrize(
    ("ended", "is_present"), [(lines.NUMBERS.episode_gap_days, True), (lines.NUMBERS.episode_gap_days + 1, False)]
)
def test_an_episode_is_over_after_a_time_without(ended: int, is_present: bool) -> None:
    assert (first([dose("prednisone", 300, ended, "35")]) is not None) is is_present
    assert first([]) is None
    assert first([METHOTREXATE]) is None


def test_what_was_taken_before_the_episode_is_not_of_it() -> None:
    gap = lines.NUMBERS.episode_gap_days
    rows = [dose("prednisone", 400, 100 + gap, "35"), STEROID, dose("methotrexate", 300, 60, "15", 7)]
    found = first(rows)
    assert found is not None
    assert (found.day0, found.agents[1].first_on, found.agents[1].days_enough) == (ago(100), ago(100), 41)
    joined = first([dose("prednisone", 400, 100 + gap - 1, "35"), STEROID])
    assert joined is not None
    assert joined.day0 == ago(400)


def test_a_dose_that_ended_is_none_today() -> None:
    found = first([STEROID, dose("methotrexate", 100, 10, "15", 7)])
    assert found is not None
    steroid, other = found.agents
    assert (other.is_running, other.last_on, other.today, other.days) == (False, ago(10), Fraction(0), 91)
    assert steroid.is_running


def test_clipped_keeps_the_days_between_the_first_and_the_last_included() -> None:
    taken = [
        Stretch(ago(20), ago(10), Fraction(1)),
        Stretch(ago(9), ago(5), Fraction(2)),
        Stretch(ago(1), AS_OF, Fraction(3)),
    ]
    assert lines.clipped(taken, ago(10), ago(1)) == [
        Stretch(ago(10), ago(10), Fraction(1)), Stretch(ago(9), ago(5), Fraction(2)),
        Stretch(ago(1), ago(1), Fraction(3)),
    ]  # fmt: skip
    assert lines.clipped(taken, ago(9), ago(2)) == [Stretch(ago(9), ago(5), Fraction(2))]


def test_floors_of_other_drugs_are_those_of_the_formulary() -> None:
    assert lines.floor_of("azathioprine", "") == Floor(lines.lower_end("azathioprine"), True, 1, 56)
    assert lines.floor_of("mycophenolate-mofetil", "") == Floor(D(2000), False, 1, 56)
    assert lines.floor_of("cyclophosphamide", "oral") is None
    assert lines.floor_of("tacrolimus", "oral") == Floor(D("0.05"), True, 1, 56)
    assert lines.floor_of("tacrolimus", "intravenous") is None
    assert lines.floor_of("ciclosporin", "oral") == Floor(D("2.5"), True, 1, 56)


# ------------------------------------------------------------------------------------------------ infusions, in full


def test_courses_of_immunoglobulin_are_told_with_their_weight_and_number() -> None:
    given = [
        DoseRow(next(_id), 0, "ivig", "intravenous", ago(200 - 28 * number), ago(200 - 28 * number), D(140), given=True)
        for number in range(4)
    ]
    (use,) = lines.work_out(given, [], [Weight(ago(200), D(70))], AS_OF).uses
    found = use.adequacy
    assert (found.agent, found.is_running, found.first_on, found.last_on) == ("ivig", False, ago(200), ago(116))
    assert (found.days, found.days_enough, found.days_needed, found.why) == (200, 0, 0, "")
    assert (found.highest, found.today, found.had, found.needed) == (Fraction(140), Fraction(0), 4, 4)
    (unweighed,) = lines.work_out(given, [], [], AS_OF).uses
    assert (unweighed.adequacy.is_adequate, unweighed.adequacy.why) == (None, lines.NO_WEIGHT)


def test_a_cycle_of_rituximab_is_told_with_its_days() -> None:
    given = [
        DoseRow(next(_id), 0, "rituximab", "intravenous", ago(day), ago(day), D(1000), given=True) for day in (100, 86)
    ]
    (use,) = lines.work_out(given, [], [], AS_OF).uses
    found = use.adequacy
    assert (found.agent, found.is_running, found.is_adequate, found.why) == ("rituximab", True, False, "")
    assert (found.days, found.days_enough, found.days_needed, found.had, found.needed) == (100, 100, 168, 1, 1)


def test_two_doses_at_the_lower_end_that_touch_are_one_time() -> None:
    rows = [STEROID, dose("methotrexate", 100, 73, "15", 7), dose("methotrexate", 72, 45, "20", 7)]
    found = first(rows)
    assert found is not None
    assert (found.agents[1].days_enough, found.agents[1].highest, found.is_adequate) == (56, Fraction(20), True)


def test_half_a_milligram_a_day_is_an_episode() -> None:
    assert first([dose("prednisone", 100, None, "0.5")]) is not None
    assert first([dose("prednisone", 100, None, "0")]) is None
