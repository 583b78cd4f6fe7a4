"""What a person types, and what is made of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.entry import EntryError, Number, TypedValue, plain, read, read_number


@pytest.mark.parametrize(
    ("text", "comparator", "value"),
    [
        ("12", "", "12"), (" 12.50 ", "", "12.50"), ("0", "", "0"), ("<40", "<", "40"), ("< 40", "<", "40"),
        ("≤40", "<=", "40"), ("<=40", "<=", "40"), (">5000", ">", "5000"), (">= 1.5", ">=", "1.5"),
        ("-0.2", "", "-0.2"),
    ],
)  # fmt: skip
def test_a_number_is_read(text: str, comparator: str, value: str) -> None:
    assert read_number(text) == Number(comparator, Decimal(value))


@pytest.mark.parametrize("text", ["1,234", "1,5", "<1,5", "1.234,5", "1,234.5"])
def test_a_comma_has_two_readings_and_is_refused(text: str) -> None:
    with pytest.raises(EntryError, match="comma"):
        read_number(text)


@pytest.mark.parametrize(
    "text", ["", "-", "12a", "1e3", "NaN", "inf", ".", "5.", ".5", "1.2.3", "<>3", "12 U/L", "١٢", "1" * 40]
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(EntryError):
        read_number(text)


def test_a_space_inside_a_number_is_named() -> None:
    with pytest.raises(EntryError, match="space"):
        read_number("1 234")


@given(st.decimals(min_value=0, max_value=10**6, places=3, allow_nan=False))
def test_what_is_written_plainly_is_read_as_it_was(value: Decimal) -> None:
    assert read_number(plain(value)).value == value


def test_a_value_and_its_limits_come_out_in_the_canonical_unit() -> None:
    value = read(TypedValue("ck", "<10.5", "µkat/L", low="0.5", uln="3.2"))
    assert (value.comparator, value.value, value.low, value.uln) == (
        "<", Decimal(630), Decimal(30), Decimal(192),
    )  # fmt: skip
    assert (value.text, value.unit, value.uln_text) == ("<10.5", "µkat/L", "3.2")


def test_a_zero_is_a_value() -> None:
    assert not TypedValue("eosinophils", "0").is_blank
    assert read(TypedValue("eosinophils", "0", "10*9/L")).value == 0


@pytest.mark.parametrize(
    ("typed", "part", "code"),
    [
        (TypedValue("ck", "100"), "unit", "invalid"),
        (TypedValue("ck", "100", "mmol/L"), "unit", "invalid"),
        (TypedValue("ck", "100", "bananas"), "unit", "invalid"),
        (TypedValue("ck", "2000001", "U/L"), "value", "invalid"),
        (TypedValue("ck", "-1", "U/L"), "value", "invalid"),
        (TypedValue("haemoglobin", "13.5", "g/L", confirmed=True), "value", "confirm-not"),
        (TypedValue("ck", "50001", "U/L"), "value", "confirm"),
        (TypedValue("ck", "100", "U/L", uln="<190"), "uln", "invalid"),
        (TypedValue("ck", "100", "U/L", uln="1,9"), "uln", "invalid"),
        (TypedValue("ck", "100", "U/L", uln="0"), "uln", "invalid"),
        (TypedValue("ck", "100", "U/L", low="200", uln="190"), "uln", "invalid"),
        (TypedValue("nothing", "1", "U/L"), "value", "invalid"),
        (TypedValue("mmt8", "100", "{score}"), "value", "invalid"),
        (TypedValue("weight", "70", "kg"), "value", "invalid"),
        (TypedValue("hbsag", "5"), "value", "invalid"),
        (TypedValue("tpmt", "5"), "unit", "invalid"),
    ],
)
def test_what_cannot_be_taken_names_its_box(typed: TypedValue, part: str, code: str) -> None:
    if code == "confirm-not":  # a haemoglobin in g/dL typed as g/L: possible at the very edge, and confirmed
        assert read(typed).value == Decimal("13.5")
        return
    with pytest.raises(EntryError) as caught:
        read(typed)
    assert (caught.value.part, caught.value.code) == (part, code)


def test_a_rare_value_is_taken_once_confirmed() -> None:
    assert read(TypedValue("ck", "50001", "U/L", confirmed=True)).value == 50001
    assert read(TypedValue("ck", "50000", "U/L")).value == 50000


def test_a_word_is_taken_only_from_its_list() -> None:
    value = read(TypedValue("igra", " Indeterminate "))
    assert (value.text, value.value) == ("indeterminate", None)


def test_what_is_the_laboratorys_own_is_kept_as_received() -> None:
    value = read(TypedValue("tpmt", "<10", "mU/L", uln="120"))
    assert (value.value, value.text, value.unit, value.uln, value.uln_text) == (None, "<10", "mU/L", None, "120")
