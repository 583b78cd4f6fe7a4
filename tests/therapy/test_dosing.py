"""What doses come to on a day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest

from therapy.dosing import (
    DoseRow,
    drug_amount_for_pe,
    episode_start,
    in_words,
    outside_usual,
    pe_on,
    pe_stretches,
)
from therapy.formulary import FORMULARY
from therapy.totals import average_pe, cumulative_pe, total_pe, year_total_pe

AS_OF = dt.date(2025, 6, 15)


def day(offset: int) -> dt.date:
    return AS_OF + dt.timedelta(days=offset)


def row(
    first: int,
    last: int | None,
    amount: str,
    drug: str = "prednisolone",
    route: str = "oral",
    *,
    pk: int = 1,
    every: int = 1,
) -> DoseRow:
    return DoseRow(pk, 1, drug, route, day(first), None if last is None else day(last), Decimal(amount), 1, every)


def test_of_each_drug_and_route_the_newest_period_counts_and_drugs_add() -> None:
    rows = [row(-50, None, "40"), row(-10, None, "20", pk=2), row(-5, None, "0.75", "dexamethasone", pk=3)]
    assert pe_on(rows, AS_OF) == 25
    assert pe_on(rows, day(-11)) == 40
    assert pe_on(rows, day(-51)) == 0
    assert pe_on([row(-5, None, "9", route="topical"), row(-5, None, "15", "methotrexate", every=7)], AS_OF) == 0
    assert pe_on([row(-5, None, "10", every=2)], AS_OF) == 5


def test_stretches_join_equal_doses_and_leave_gaps_out() -> None:
    rows = [row(-30, -21, "10"), row(-20, -11, "10", pk=2), row(-5, None, "5", pk=3), row(3, None, "1", pk=4)]
    stretches = pe_stretches(rows, AS_OF)
    assert stretches == [(day(-30), day(-11), Fraction(10)), (day(-5), None, Fraction(5))]
    assert cumulative_pe(stretches, AS_OF) == 20 * 10 + 6 * 5


@pytest.mark.parametrize(
    ("rows", "start"),
    [
        ([], None),
        ([row(-10, None, "10")], -10),
        ([row(-10, None, "0")], None),
        ([row(-300, -200, "10"), row(-111, None, "10")], -300),  # 89 days from the last day to the first
        ([row(-300, -200, "10"), row(-110, None, "10")], -110),  # 90
        ([row(-300, -90, "10")], -300),  # lasts until 90 days after
        ([row(-300, -91, "10")], None),
        ([row(-300, -1, "10"), row(-200, -150, "5", pk=2)], -300),
        ([row(1, None, "10")], None),
    ],
)
def test_an_episode_begins_after_ninety_days_without(rows: list[DoseRow], start: int | None) -> None:
    assert episode_start(rows, AS_OF) == (None if start is None else day(start))


@pytest.mark.parametrize(
    ("drug", "amount", "times", "every", "words"),
    [
        ("prednisolone", "7.500", 1, 1, "7.5 mg a day"),
        ("mycophenolate-mofetil", "1000", 2, 1, "1000 mg twice a day"),
        ("methotrexate", "15", 1, 7, "15 mg once a week"),
        ("ivig", "70", 2, 28, "70 g twice in 4 weeks"),
        ("rituximab", "1000", 1, 182, "1000 mg every 6 months"),
        ("prednisolone", "5", 1, 3, "5 mg every 3 days"),
        ("plasma-exchange", "1", 1, 2, "1 exchange every 2 days"),
    ],
)
def test_a_dose_in_words(drug: str, amount: str, times: int, every: int, words: str) -> None:
    assert in_words(FORMULARY[drug], Decimal(amount), times, every) == words


@pytest.mark.parametrize(
    ("drug", "route", "amount", "times", "every", "weight", "outside"),
    [
        ("prednisolone", "oral", "80", 1, 1, None, False),
        ("prednisolone", "oral", "80.001", 1, 1, None, True),
        ("prednisolone", "oral", "60", 1, 1, "60", False),
        ("prednisolone", "oral", "60.5", 1, 1, "60", True),
        ("prednisolone", "oral", "2.5", 1, 1, "60", False),  # tapered
        ("methylprednisolone", "intravenous", "1000", 1, 1, "60", False),
        ("methylprednisolone", "oral", "1000", 1, 1, "60", False),  # no range of this route: not judged
        ("azathioprine", "oral", "180", 1, 1, "60", False),  # confirmed only above 3 mg/kg
        ("azathioprine", "oral", "181", 1, 1, "60", True),
        ("ivig", "intravenous", "60", 2, 28, "60", False),
        ("ivig", "intravenous", "60", 3, 28, "60", True),
        ("ivig", "intravenous", "63", 2, 28, "60", False),  # whole vials: 5 % either way
        ("ivig", "intravenous", "63.001", 2, 28, "60", True),
        ("ivig", "intravenous", "57", 2, 28, "60", False),
        ("ivig", "intravenous", "56.999", 2, 28, "60", True),
        ("cyclophosphamide", "intravenous", "500", 1, 14, None, False),
        ("cyclophosphamide", "intravenous", "900", 1, 28, None, False),  # by surface, which is unknown
        ("rituximab", "intravenous", "500", 1, 182, None, True),
        ("co-trimoxazole", "oral", "1", 1, 1, None, False),
    ],
)
def test_a_dose_is_judged_against_the_ranges_of_its_route(
    drug: str, route: str, amount: str, times: int, every: int, weight: str | None, outside: bool
) -> None:
    weight_kg = None if weight is None else Decimal(weight)
    said = outside_usual(FORMULARY[drug], route, Decimal(amount), times, every, weight_kg=weight_kg)
    assert (said is not None) is outside


def test_the_amount_that_makes_an_equivalent() -> None:
    assert drug_amount_for_pe(FORMULARY["prednisolone"], Decimal("7.5")) == Decimal("7.500")
    assert drug_amount_for_pe(FORMULARY["methylprednisolone"], Decimal(5)) == Decimal("4.000")
    assert drug_amount_for_pe(FORMULARY["methotrexate"], Decimal(5)) is None


PULSE = row(-20, -18, "1000", "methylprednisolone", "intravenous", pk=9)


def test_a_pulse_of_three_grams_is_3750_mg() -> None:
    stretches = pe_stretches([PULSE], AS_OF)
    assert cumulative_pe(stretches, AS_OF) == total_pe(stretches, day(-20), day(-18)) == 3750
    with_tablets = pe_stretches([PULSE, row(-20, None, "60", pk=10)], AS_OF)
    assert cumulative_pe(with_tablets, AS_OF) == 3750 + 60 * 21


def test_what_was_given_stands_for_the_dose_written_down_for_the_day() -> None:
    given = DoseRow(1, 1, "methylprednisolone", "intravenous", day(-20), day(-20), Decimal(500), given=True)
    assert pe_on([PULSE, given], day(-20)) == 625
    assert pe_on([PULSE, given], day(-19)) == 1250


def test_a_total_and_an_average_over_a_window() -> None:
    stretches = pe_stretches([row(-30, -21, "10"), row(-5, None, "5", pk=3)], AS_OF)
    assert total_pe(stretches, day(-25), day(-1)) == 5 * 10 + 5 * 5
    assert total_pe(stretches, day(-20), day(-6)) == 0
    assert average_pe(stretches, day(-25), day(-1)) == 3  # days without a dose are days
    assert average_pe(stretches, AS_OF, AS_OF) == 5
    with pytest.raises(ValueError, match="last day"):
        total_pe(stretches, AS_OF, day(-1))


def test_a_year_is_365_days_the_last_included() -> None:
    stretches = pe_stretches([row(-400, None, "10")], AS_OF)
    assert year_total_pe(stretches, AS_OF) == 3650
    assert year_total_pe(pe_stretches([row(-365, -364, "10")], AS_OF), AS_OF) == 10
    # 60 kg at 1 mg/kg for four weeks, then 50, 40, 30, 25, 20, 17.5 ... 2.5 for two weeks each: 4970 mg
    steps = ["50", "40", "30", "25", "20", "17.5", "15", "12.5", "10", "7.5", "5", "2.5"]
    rows = [row(-196, -169, "60")]
    rows += [row(-168 + 14 * n, -155 + 14 * n, mg, pk=n + 2) for n, mg in enumerate(steps)]
    assert year_total_pe(pe_stretches(rows, AS_OF), AS_OF) == 4970
