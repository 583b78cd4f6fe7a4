"""When a value is far enough from the last one that a person is asked to look again."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.analytes import ANALYTES
from monitoring.delta import FACTOR, FACTORS, LIMIT_FACTOR, compare, times_apart

D = Decimal


@pytest.mark.parametrize(
    ("code", "typed", "unit", "before", "words", "explains"),
    [
        ("ck", "60", "U/L", "3600", "60 times less", "ukat/L"),
        ("ck", "3600", "ukat/L", "3600", "60 times more", "U/L"),
        ("ck", "180", "U/L", "3600", None, None),  # exactly the factor
        ("ck", "179", "U/L", "3600", "20 times less", "ukat/L"),
        ("haemoglobin", "13.1", "g/L", "131", "10 times less", "g/dL"),
        ("haemoglobin", "70", "g/L", "131", "1.9 times less", None),
        ("creatinine", "0.9", "umol/L", "80", "89 times less", "mg/dL"),
        ("crp", "0", "mg/L", "80", None, None),
        ("crp", "80", "mg/L", "0", None, None),
        ("ck", "60", "furlong", "3600", None, None),
        ("hbsag", "1", "", "3600", None, None),
    ],
)  # fmt: skip
def test_far_and_the_unit_that_would_explain_it(code, typed, unit, before, words, explains) -> None:
    far = compare(ANALYTES[code], D(typed), unit, D(before))
    assert (f"{far.about} times {'more' if far.more else 'less'}" if far else None) == words
    assert (far.unit if far else None) == explains


def test_a_limit_is_held_to_a_narrower_factor() -> None:
    ck = ANALYTES["ck"]
    assert compare(ck, D(190 * 5), "U/L", D(190), LIMIT_FACTOR) is None
    far = compare(ck, D("3.2"), "U/L", D(190), LIMIT_FACTOR)
    assert far is not None
    assert far.unit == "ukat/L"


def test_every_factor_is_of_an_analyte_and_above_one() -> None:
    assert set(FACTORS) <= set(ANALYTES)
    assert all(factor > 1 for factor in (FACTOR, LIMIT_FACTOR, *FACTORS.values()))


@given(st.decimals("0.001", "100000", places=3), st.decimals("0.001", "100000", places=3))
def test_far_means_the_same_in_both_directions(one: Decimal, other: Decimal) -> None:
    ck = ANALYTES["ck"]
    there, back = compare(ck, one, "U/L", other), compare(ck, other, "U/L", one)
    assert (there is None) == (back is None)
    apart = times_apart(Fraction(one), Fraction(other))
    assert apart is not None
    assert (there is not None) == (apart > FACTORS["ck"])
    if there and back:
        assert there.more != back.more
