"""Numbers as people type them in their language: 1.5 everywhere, and 1,5 where the language writes it so.

A point is always the decimal sign. What could mark thousands is refused and never guessed: 1,500 in English, and 1.500
in German, where a comma is the decimal sign.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _

from common.words import N_
from monitoring.entry import NOT_A_NUMBER, EntryError, read_number
from monitoring.wording import number, said

# <1,5 and 1,5, not 1,234,5 and not 1.234,5.
_COMMA = re.compile(r"([^0-9]*[0-9]+),([0-9]+)", re.ASCII)
# 1.234 and 1.234.567: thousands to whoever writes 1,5; 0.234 is not.
_GROUPED = re.compile(r"[^0-9]*[1-9][0-9]{0,2}(\.[0-9]{3})+", re.ASCII)


def writes_comma() -> bool:
    """The reader's language writes 1,5."""
    return formats.get_format("DECIMAL_SEPARATOR") == ","


def with_point(text: str) -> str:
    """What was typed with a point for its decimal sign. Raises EntryError where the point could mark thousands.

    What is no number stays as it is: whoever reads it says so.
    """
    written = text.strip()
    if not writes_comma():
        return written
    if _GROUPED.fullmatch(written):
        bare = written.lstrip("<>=≤≥ ")
        raise EntryError(
            N_("The point could mark thousands. Write %(whole)s, or %(decimal)s."),
            values={"whole": bare.replace(".", ""), "decimal": bare.replace(".", ",", 1)},
        )
    match = _COMMA.fullmatch(written)
    return f"{match[1]}.{match[2]}" if match else written


def as_typed(text: str) -> str:
    """A stored number as this language would type it: what the page puts into a box can be sent back unchanged."""
    return text.replace(".", ",") if writes_comma() else text


class NumberField(forms.DecimalField):
    """A decimal number in a text box: a box of type=number throws away what it cannot read, and what a person typed is
    kept until it is right.
    """

    widget = forms.TextInput

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "decimal", "autocomplete": "off", **super().widget_attrs(widget)}

    def to_python(self, value: Any) -> Any:  # a Decimal; Django's types have this a field of whole numbers
        if isinstance(value, str) and value.strip():
            try:
                read = read_number(with_point(value))
            except EntryError as error:
                text = self.error_messages["invalid"] if error.message == NOT_A_NUMBER else said(error)
                raise ValidationError(text, code="invalid") from None
            if read.comparator:
                raise ValidationError(_("Write a number, without < or >."), code="invalid")
            return read.value
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        return number(value) if isinstance(value, Decimal) else value


class ReceivedField(forms.CharField):
    """A number as a laboratory prints it, with its comparator, as text with a point. `monitoring.entry` reads it."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "")
        try:
            return with_point(text)
        except EntryError as error:
            raise ValidationError(said(error), code="invalid") from None


def typed_number(field: forms.DecimalField) -> NumberField:
    """A field of a model's own form as one that reads numbers as they are typed."""
    kept = ("label", "help_text", "required", "min_value", "max_value", "max_digits", "decimal_places")
    return NumberField(**{name: getattr(field, name) for name in kept})
