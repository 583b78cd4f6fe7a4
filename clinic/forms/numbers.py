"""Numbers as people type them, with a point or a comma for the decimal sign.

What can only be read in one way is read: 4,5 and 13,25 are decimals in English too. What could mark thousands is
refused and never guessed: 1,500 in English, and 1.500 in German, where a comma is the decimal sign.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.words import N_
from monitoring.entry import NOT_A_NUMBER, EntryError, read_number
from monitoring.wording import number, said

# <1,5 and 1,5, not 1,234,5 and not 1.234,5.
_COMMA = re.compile(r"([^0-9]*[0-9]+),([0-9]+)", re.ASCII)
# 1,234 and 1,234,567: to whoever writes 1.5 these are thousands, and in German 1.234; 0,234 and 1234,567 are not.
_GROUPED = {mark: re.compile(rf"[^0-9]*[1-9][0-9]{{0,2}}(\{mark}[0-9]{{3}})+", re.ASCII) for mark in ",."}
# In place of Django's own words, which do not speak of a scale.
OFF_THE_SCALE = {"max_value": gettext_lazy("The scale goes from 0 to %(limit_value)s.")}


def writes_comma() -> bool:
    """The reader's language writes 1,5."""
    return formats.get_format("DECIMAL_SEPARATOR") == ","


def with_point(text: str) -> str:
    """What was typed with a point for its decimal sign. Raises EntryError where a point or comma could mark thousands.

    What is no number stays as it is: whoever reads it says so.
    """
    written = text.strip()
    mark, sign = (".", ",") if writes_comma() else (",", ".")
    if _GROUPED[mark].fullmatch(written):
        values = {"whole": written.replace(mark, ""), "decimal": written.replace(mark, sign)}
        if written.count(mark) > 1:
            raise EntryError(N_("Write it without marks for thousands: %(whole)s."), values=values)
        if mark == ",":
            raise EntryError(N_("The comma could mark thousands. Write %(whole)s, or %(decimal)s."), values=values)
        raise EntryError(N_("The point could mark thousands. Write %(whole)s, or %(decimal)s."), values=values)
    match = _COMMA.fullmatch(written)
    return f"{match[1]}.{match[2]}" if match else written


def without_thousands(text: str) -> Decimal | None:
    """1240, where 1.240 or 1,240 was read with a decimal sign; None for anything that cannot be thousands."""
    written = text.strip()
    if not re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", written, re.ASCII):
        return None
    return Decimal(re.sub("[.,]", "", written))


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
