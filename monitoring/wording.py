"""What the plain modules say, in the reader's language."""

from __future__ import annotations

from decimal import Decimal

from django.utils import formats
from django.utils.translation import gettext

from monitoring.entry import EntryError, plain


def number(value: Decimal) -> str:
    """A number as people write it: 1200; 0.5, and in German 0,5."""
    return plain(value).replace(".", formats.get_format("DECIMAL_SEPARATOR"))


def said(error: EntryError) -> str:
    """Why something typed was not taken. Names of tests and words to choose from are translated too."""
    if not error.values:
        return gettext(error.message)
    return gettext(error.message) % {
        name: number(value) if isinstance(value, Decimal) else _translated(name, value)
        for name, value in error.values.items()
    }


def _translated(name: str, value: str) -> str:
    if name == "words":
        return ", ".join(gettext(word) for word in value.split(", "))
    return gettext(value) if name == "test" else value
