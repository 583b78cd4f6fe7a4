"""Numbers as people type them: never guessed, in any language."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.utils import translation

from clinic.forms.numbers import NumberField, as_typed, with_point
from monitoring.entry import EntryError


class Weight(forms.Form):
    kg = NumberField(min_value=1, max_value=500, max_digits=5, decimal_places=2, required=False)


def read(text: str, language: str) -> Any:
    """The number, or the words of the refusal."""
    with translation.override(language):
        form = Weight({"kg": text})
        return form.cleaned_data["kg"] if form.is_valid() else str(form.errors["kg"][0])


@pytest.mark.parametrize("language", ["en-gb", "de"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [("68.5", "68.5"), (" 68.50 ", "68.50"), ("70", "70"), ("1.25", "1.25")],
)
def test_a_point_is_always_the_decimal_sign(text, expected, language) -> None:
    assert read(text, language) == Decimal(expected)


@pytest.mark.parametrize("language", ["en-gb", "de"])
@pytest.mark.parametrize(
    ("text", "expected"), [("4,5", "4.5"), ("13,25", "13.25"), ("<4,5", None), ("1,0625", None), ("1,5000", "1.5")]
)
def test_a_comma_is_one_where_it_can_mark_no_thousands(text, expected, language) -> None:
    """1,0625 and 1,5000 are read, and then have more decimals than this weight may."""
    with translation.override(language):
        assert with_point(text) == text.replace(",", ".")
    if expected and len(expected) == len(text):
        assert read(text, language) == Decimal(expected)


@pytest.mark.parametrize("text", ["1.234", "12.345", "<1.234", "1.234.567"])
def test_in_a_language_with_a_comma_a_point_before_three_digits_could_mark_thousands(text) -> None:
    with translation.override("de"), pytest.raises(EntryError, match=r"thousands|Tausend"):
        with_point(text)
    with translation.override("en-gb"):
        assert with_point(text) == text


@pytest.mark.parametrize("text", ["1,234", "12,345", "<1,234", "1,234,567"])
def test_in_a_language_with_a_point_a_comma_before_three_digits_could_mark_thousands(text) -> None:
    with translation.override("en-gb"), pytest.raises(EntryError, match="thousands"):
        with_point(text)


def test_a_refusal_offers_every_reading_and_no_other() -> None:
    assert read("1,240", "en-gb") == "The comma could mark thousands. Write 1240, or 1.240."
    assert read("1,234,567", "en-gb") == "Write it without marks for thousands: 1234567."
    assert "1240" in read("1.240", "de")
    assert "1,240" in read("1.240", "de")
    assert "1234567" in read("1.234.567", "de")
    assert "1,234" not in read("1.234.567", "de")


@pytest.mark.parametrize("text", ["0,234", "1234,567"])
def test_what_no_comma_for_thousands_could_make_is_a_decimal_in_english_too(text) -> None:
    with translation.override("en-gb"):
        assert with_point(text) == text.replace(",", ".")


@pytest.mark.parametrize("text", ["0.234", "1.23", "1.2345", "1234.567", "1234"])
def test_what_cannot_be_thousands_is_read(text) -> None:
    with translation.override("de"):
        assert with_point(text) == text


@pytest.mark.parametrize(
    "text", ["1.234,5", "1,234,567", "1,234.5", "1,", ",5", "1 234", "1'234", "1e3", "1_0", "NaN", "<5"]
)
@pytest.mark.parametrize("language", ["en-gb", "de"])
def test_what_has_two_readings_or_none_is_refused_with_words(text, language) -> None:
    assert isinstance(read(text, language), str)


def test_nothing_typed_is_none_and_zero_is_a_number() -> None:
    assert read("", "de") is None
    assert read("0", "en-gb") == "Ensure this value is greater than or equal to 1."


def test_what_the_page_puts_in_can_be_sent_back() -> None:
    for language, shown in (("en-gb", "68.25"), ("de", "68,25")):
        with translation.override(language):
            assert f'value="{shown}"' in str(Weight(initial={"kg": Decimal("68.25")})["kg"])
            assert read(shown, language) == Decimal("68.25")
            assert with_point(as_typed("4.200")) == "4.200"


def test_what_was_typed_stays_in_its_box() -> None:
    form = Weight({"kg": "1,234.5"})
    assert not form.is_valid()
    assert 'value="1,234.5"' in str(form["kg"])
    assert 'type="text"' in str(form["kg"])
