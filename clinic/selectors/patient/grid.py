"""Laboratory results, tests by days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from clinic.selectors.patient.words import PANEL_NAMES, unit_words
from clinic.templatetags.days import plain
from monitoring import selectors as monitoring
from monitoring.analytes import ANALYTES
from monitoring.models import Comparator
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class GridCell:
    """`text` is the value in the canonical unit (or its multiple of the ULN); `flag` H or L."""

    id: int
    text: str
    flag: str = ""
    title: str = ""
    amended: bool = False
    more: int = 0


@dataclass(frozen=True)
class GridLine:
    code: str
    name: str
    unit: str
    panel: str
    cells: Sequence[GridCell | None]


@dataclass(frozen=True)
class ResultsGrid:
    days: Sequence[dt.date]
    panels: Sequence[tuple[str, Sequence[GridLine]]]
    older: dt.date | None
    times_uln: bool

    @property
    def columns(self) -> int:
        return len(self.days) + 1


def results(
    patient: Patient, as_of: dt.date, *, days: int, before: dt.date | None = None, times_uln: bool = False
) -> ResultsGrid:
    """Tests by days, newest day first. Two queries."""
    grid = monitoring.results_grid(patient, as_of, days=days, before=before)
    words = (_("Normal %(low)s–%(high)s."), _("Limits unknown."), _("As received: %(value)s %(unit)s"))
    panels: dict[str, list[GridLine]] = {}
    for row in grid.rows:
        decimals = ANALYTES[row.code].decimals
        cells = [None if cell is None else _cell(decimals, cell, times_uln, words) for cell in row.cells]
        line = GridLine(row.code, _(row.name), unit_words(row.unit), row.panel, cells)
        panel = PANEL_NAMES.get(row.panel) or row.panel.replace("_", " ").capitalize()
        panels.setdefault(str(panel), []).append(line)
    return ResultsGrid(grid.days, list(panels.items()), grid.older, times_uln)


def _cell(decimals: int, cell: monitoring.Cell, times_uln: bool, words: tuple[str, str, str]) -> GridCell:
    sign = Comparator(cell.comparator).label if cell.comparator else ""
    text = cell.received if cell.value is None else f"{sign}{plain(round(cell.value, decimals))}"
    if times_uln:
        text = "?" if cell.value is None or not cell.uln else f"{sign}{plain(round(cell.value / cell.uln, 2))}"
    normal, unknown, received = words
    low, high = plain(cell.low), plain(cell.uln)
    limits = normal % {"low": low, "high": high} if low or high else unknown
    title = f"{limits} {received % {'value': cell.received, 'unit': cell.unit}}".rstrip()
    return GridCell(cell.id, text, "H" if cell.high else "L" if cell.is_low else "", title, cell.amended, cell.more)
