"""The cells of the table of results, and the addresses of entries: a template takes many times as long for hundreds."""

from __future__ import annotations

import functools
import uuid

from django import template
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.selectors.patient.grid import GridCell, GridLine
from clinic.templatetags.rows import ANYONE

register = template.Library()


@register.filter
def cells(line: GridLine, entry: str) -> SafeString:
    """The cells of one test. `entry` is the address of any result of the patient: each value leads to its own."""
    before = entry.rstrip("/").rpartition("/")[0]
    words = {"H": _("above the upper limit"), "L": _("below the lower limit")}
    return SafeString("".join("<td></td>" if cell is None else _cell(cell, before, words) for cell in line.cells))


def _cell(cell: GridCell, before: str, words: dict[str, str]) -> str:
    high = " high" if cell.flag else ""
    value = f'<a href="{before}/{cell.id}/" title="{escape(cell.title)}">{escape(cell.text)}</a>'
    marks = _flag(cell.flag, words[cell.flag]) if cell.flag else ""
    if cell.amended:
        marks += _flag("c", _("corrected"))
    if cell.more:
        more = ngettext("%(n)s more on this day", "%(n)s more on this day", cell.more) % {"n": cell.more}
        marks += f'<span class="flag muted" title="{escape(more)}">+{cell.more}</span>'
    return f'<td class="num{high}">{value}{marks}</td>'


def _flag(letter: str, words: str) -> str:
    said = escape(words)
    return f'<span class="flag" title="{said}">{letter}<span class="visually-hidden"> {said}</span></span>'


@register.simple_tag
def entry_of(public_id: uuid.UUID, word: str, pk: int) -> str:
    """The address of one entry in the record of a patient, as {% url 'clinic:fact' … %} gives it."""
    before, between, after = _around(word)
    return f"{before}{public_id}{between}{pk}{after}"


@functools.cache
def _around(word: str) -> tuple[str, str, str]:
    before, _, rest = reverse("clinic:fact", args=[ANYONE, word, 0]).partition(str(ANYONE))
    between, _, after = rest.rpartition("0")
    return before, between, after
