"""Two days of one patient side by side, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.selectors.patient import PANEL_NAMES, unit_words
from clinic.templatetags.days import plain
from monitoring import comparing
from monitoring import selectors as monitoring
from monitoring.analytes import ANALYTES
from monitoring.comparing import Near, Pair, Taken
from patients.models import Patient

SHORT, LUNG = comparing.WITHIN_DAYS, comparing.LUNG_WITHIN_DAYS
PANELS_TIMES_ULN = ("muscle", "cardiac", "liver")  # read as multiples of their upper limit
# Group, name, unit and decimals of what is no analyte.
MEASURES = {
    "mmt8_150": (gettext_lazy("Strength and function"), gettext_lazy("Strength, MMT8 of 150"), "", 0),
    "mmt8_80": (gettext_lazy("Strength and function"), gettext_lazy("Strength, MMT8 of 80"), "", 0),
    "haq_di": (gettext_lazy("Strength and function"), "HAQ-DI", "", 3),
    "physician_vas": (gettext_lazy("Scores"), gettext_lazy("Physician VAS"), "cm", 1),
    "patient_vas": (gettext_lazy("Scores"), gettext_lazy("Patient VAS"), "cm", 1),
    "extramuscular_vas": (gettext_lazy("Scores"), gettext_lazy("Extramuscular VAS"), "cm", 1),
    "tis": (gettext_lazy("Scores"), gettext_lazy("Improvement, TIS"), "", 1),
    "fvc_percent_predicted": (gettext_lazy("Lung function"), "FVC", gettext_lazy("% predicted"), 1),
    "fvc_l": (gettext_lazy("Lung function"), "FVC", "L", 2),
    "dlco_percent_predicted": (gettext_lazy("Lung function"), "DLCO", gettext_lazy("% predicted"), 1),
    "weight_kg": (gettext_lazy("Body"), gettext_lazy("Weight"), "kg", 1),
}  # fmt: skip


@dataclass(frozen=True)
class Side:
    """The value nearest to a day; `times_uln` where the upper limit is known; `high` where it lies above."""

    text: str
    day: dt.date
    kind: str
    id: int
    times_uln: str
    high: bool


@dataclass(frozen=True)
class Row:
    name: str
    unit: str
    first: Side | None
    second: Side | None
    difference: str
    percent: str
    note: str


@dataclass(frozen=True)
class Page:
    first: dt.date
    second: dt.date
    groups: Sequence[tuple[str, Sequence[Row]]]
    taken: tuple[Taken, Taken]

    @property
    def pe_difference(self) -> str:
        return _signed(self.taken[1].pe_mg - self.taken[0].pe_mg, 2)

    @property
    def days_apart(self) -> int:
        return (self.second - self.first).days


def page(patient: Patient, first: dt.date, second: dt.date, as_of: dt.date) -> Page:
    """The earlier day first, whichever was named first."""
    found = comparing.compare(patient, min(first, second), max(first, second), as_of)
    groups: dict[str, list[Row]] = {}
    for pair in found.pairs:
        group, row = _row(pair)
        groups.setdefault(group, []).append(row)
    return Page(found.first, found.second, list(groups.items()), found.taken)


def _row(pair: Pair) -> tuple[str, Row]:
    group: Any
    if pair.code in MEASURES:
        group, name, unit, decimals = MEASURES[pair.code]
    else:
        analyte = ANALYTES[pair.code]
        group = PANEL_NAMES.get(analyte.panel) or analyte.panel.replace("_", " ").capitalize()
        name, unit, decimals = _(analyte.name), unit_words(analyte.canonical_unit), analyte.decimals
    note = ""
    if pair.first is not None and pair.second is not None and pair.difference is None:
        same = (pair.first.kind, pair.first.id) == (pair.second.kind, pair.second.id)
        note = _("the same value is nearest to both days") if same else _("only bounded")
    elif pair.is_usual is not None:
        note = _("within usual variation") if pair.is_usual else _("beyond usual variation")
    return str(group), Row(
        name=str(name),
        unit=str(unit),
        first=_side(pair, pair.first, decimals),
        second=_side(pair, pair.second, decimals),
        difference=_signed(pair.difference, decimals),
        percent="" if pair.percent is None else f"{_signed(pair.percent, 0)} %",
        note=note,
    )


def _side(pair: Pair, near: Near | None, decimals: int) -> Side | None:
    if near is None:
        return None
    in_multiples = pair.code in ANALYTES and ANALYTES[pair.code].panel in PANELS_TIMES_ULN
    times = plain(round(near.value / near.uln, 2)) if near.uln and in_multiples else ""
    high = bool(near.uln) and near.value > (near.uln or 0)
    return Side(f"{near.comparator}{plain(round(near.value, decimals))}", near.day, near.kind, near.id, times, high)


def _signed(value: Decimal | None, decimals: int) -> str:
    if value is None:
        return ""
    rounded = round(value, decimals)
    return "0" if rounded == 0 else f"{'+' if rounded > 0 else '−'}{plain(abs(rounded))}"


@dataclass(frozen=True)
class Offer:
    """Two days worth comparing."""

    text: str
    first: dt.date
    second: dt.date


def offers(patient: Patient, as_of: dt.date) -> tuple[list[dt.date], list[Offer]]:
    """The days something was assessed, newest first, and pairs worth a look, the first of them offered unasked."""
    views = monitoring.core_sets(patient, as_of, limit=60)
    days = list(dict.fromkeys(view.assessment.assessed_on for view in views))
    found = []
    baseline = next((view.assessment.assessed_on for view in views if view.is_baseline), None)
    if baseline is not None and days[0] != baseline:
        found.append(Offer(_("The newest visit against the baseline"), baseline, days[0]))
    if len(days) > 1:
        found.append(Offer(_("The newest visit against the one before"), days[1], days[0]))
    newest = days[0] if days else as_of
    found.append(Offer(_("A year apart"), newest - dt.timedelta(days=365), newest))
    return days, found
