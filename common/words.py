"""Texts of plain knowledge modules, marked for the catalogues of other languages without Django."""

from __future__ import annotations


def N_(text: str) -> str:  # noqa: N802 - the name by which every gettext tool knows it
    """Marks `text` for the catalogue and returns it unchanged; whoever shows it translates it."""
    return text
