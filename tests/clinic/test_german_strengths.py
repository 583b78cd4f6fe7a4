"""A comma is the decimal sign in German: 2,5 is one strength of a tablet, never two."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils.translation import override

from clinic.forms.taper import TabletsForm
from monitoring.rules.base import shown


@pytest.mark.parametrize(
    ("typed", "language", "strengths"),
    [
        ("2,5; 5", "de", ["2.50", "5.00"]),
        ("2,5, 5", "de", ["2.50", "5.00"]),
        ("2,5 mg", "de", None),
        ("2,5mg 20", "de", ["2.50", "20.00"]),
        ("1;2.5;5", "de", ["1.00", "2.50", "5.00"]),
        ("1,2,5", "de", None),
        ("2.5, 5", "en-gb", ["2.50", "5.00"]),
        ("2,5", "en-gb", ["2.00", "5.00"]),
    ],
)
def test_strengths_are_read_as_the_language_writes_them(typed: str, language: str, strengths: list[str] | None) -> None:
    with override(language):
        form = TabletsForm({"prednisolone": typed}, stocked={})
        assert form.is_valid() == (strengths is not None)
    if strengths is not None:
        assert form.cleaned_data["prednisolone"] == [Decimal(each) for each in strengths]


def test_the_box_shows_strengths_as_they_can_be_typed() -> None:
    stocked = {"prednisolone": [Decimal("2.50"), Decimal("5.00")]}
    with override("de"):
        assert TabletsForm(stocked=stocked)["prednisolone"].value() == "2,5; 5"
    with override("en-gb"):
        assert TabletsForm(stocked=stocked)["prednisolone"].value() == "2.5, 5"


def test_numbers_and_levels_of_a_rule_are_said_in_the_language() -> None:
    with override("de"):
        assert shown("7.5") == "7,5"
        assert shown("ACTION") == "Handlungsbedarf"
    with override("en-gb"):
        assert shown("7.5") == "7.5"
        assert shown("ACTION") == "Action"
