"""The cells of the table of results. A template would take a hundred times as long for three hundred days."""

from __future__ import annotations

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.selectors.patient.grid import GridCell, GridLine

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
