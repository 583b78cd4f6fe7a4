"""The story of one patient: everything the patient chart draws, on one time axis.

Plain Python, no Django. A selector fills a `Story`; the page hands `story.as_dict()` to the browser inside
`<script type="application/json">` (Django's `json_script`), and `monitoring.charts.draw`
draws the same object on paper.

It carries no name, record number or other identifier: only clinical values, and the addresses of alert pages.

The object, as JSON. Days are ISO dates, numbers are numbers, what is unknown is null and never 0:

    version     1
    as_of       day judged: where "today" is drawn
    start, end  first and last day of the axis
    treatments  [{drug, kind, start, end, ongoing, dose}]
                one bar each; rows are made from `drug` in order of first appearance. `kind` is
                "glucocorticoid" | "conventional" | "infusion" | "other" and picks the colour. A bar with
                start = end (an infusion) is drawn as a mark. `end` null and `ongoing` true: runs to `as_of`.
    steroid     [{start, end, mg_per_day}]  prednisone-equivalent, last day inclusive; a gap is 0 by record
    steroid_plan [{day, mg_per_day}]        steps still to come, drawn dashed
    ck          {unit, points: [{day, value, comparator, uln}], bands: [{start, end, low, high, label}]}
                `uln` is what the laboratory printed with that result. Values <= 0 cannot stand on a log axis: they are
                drawn on its lower edge and read out exactly.
    strength    [series]   MMT8 on the left axis, HAQ-DI on the right
    scores      [series]   TIS on the left axis, VAS on the right
    lung        [series]   FVC and DLCO in % predicted, left axis
                series: {key, label, unit, axis, maximum, points: [{day, value, note}]}; axis "left" | "right"
    alerts      [{day, level, title, url, closed_on}]   level URGENT | ACTION | TASK | INFO
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from common.words import N_

VERSION = 1

TREATMENT_KINDS = ("glucocorticoid", "conventional", "infusion", "other")
LEVELS = ("URGENT", "ACTION", "TASK", "INFO")

# Two-sided 95 % reference change of CK at a within-person variation of 19 % and an analytical one of 4 %
# (log-normal): a rise to 1.70 times or a fall to 0.59 times the baseline is still what chance alone does.
CK_USUAL_RISE = Decimal("1.70")
CK_USUAL_FALL = Decimal("0.59")


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    if not value.is_finite():
        raise ValueError("a chart value must be a finite number")
    return int(value) if value == value.to_integral_value() else float(value)


@dataclass(frozen=True, slots=True)
class Treatment:
    """One stretch of one drug. `end` is the last day, inclusive; None while it goes on."""

    drug: str
    start: date
    end: date | None = None
    kind: str = "other"
    dose: str = ""

    def __post_init__(self) -> None:
        if self.kind not in TREATMENT_KINDS:
            raise ValueError(f"kind of treatment must be one of {', '.join(TREATMENT_KINDS)}")
        if self.end is not None and self.end < self.start:
            raise ValueError("a treatment ends on or after the day it starts")

    def as_dict(self) -> dict[str, Any]:
        return {
            "drug": self.drug,
            "kind": self.kind,
            "start": _day(self.start),
            "end": _day(self.end),
            "ongoing": self.end is None,
            "dose": self.dose,
        }


@dataclass(frozen=True, slots=True)
class SteroidDose:
    """Prednisone-equivalent in mg/day from `start` to `end` (inclusive; None while it goes on)."""

    start: date
    end: date | None
    mg_per_day: Decimal

    def as_dict(self) -> dict[str, Any]:
        return {"start": _day(self.start), "end": _day(self.end), "mg_per_day": _number(self.mg_per_day)}


@dataclass(frozen=True, slots=True)
class PlannedDose:
    """A step of a taper plan that is still to come; prednisone-equivalent mg/day."""

    day: date
    mg_per_day: Decimal

    def as_dict(self) -> dict[str, Any]:
        return {"day": _day(self.day), "mg_per_day": _number(self.mg_per_day)}


@dataclass(frozen=True, slots=True)
class CkPoint:
    """One CK in U/L. `uln` as the laboratory printed it with this result, None where unknown."""

    day: date
    value: Decimal
    uln: Decimal | None = None
    comparator: str = ""

    @property
    def times_uln(self) -> Decimal | None:
        """Value / ULN; None where the limit is unknown (a limit of 0 is unknown)."""
        return None if not self.uln else self.value / self.uln

    def as_dict(self) -> dict[str, Any]:
        return {
            "day": _day(self.day),
            "value": _number(self.value),
            "comparator": self.comparator,
            "uln": _number(self.uln) if self.uln else None,
        }


@dataclass(frozen=True, slots=True)
class Band:
    """Where CK lies by chance alone, in U/L, from `start` to `end` (inclusive)."""

    start: date
    end: date
    low: Decimal
    high: Decimal
    label: str = N_("Usual variation")

    def as_dict(self) -> dict[str, Any]:
        return {
            "start": _day(self.start),
            "end": _day(self.end),
            "low": _number(self.low),
            "high": _number(self.high),
            "label": self.label,
        }


@dataclass(frozen=True, slots=True)
class Point:
    day: date
    value: Decimal
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"day": _day(self.day), "value": _number(self.value), "note": self.note}


@dataclass(frozen=True, slots=True)
class Series:
    """A line of one lane. `key` picks colour and marker (see `monitoring.charts.STYLES`)."""

    key: str
    label: str
    unit: str
    maximum: Decimal
    points: tuple[Point, ...] = ()
    axis: str = "left"

    def __post_init__(self) -> None:
        if self.axis not in ("left", "right"):
            raise ValueError("axis must be left or right")

    def as_dict(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "label": self.label,
            "unit": self.unit,
            "axis": self.axis,
            "maximum": _number(self.maximum),
            "points": [point.as_dict() for point in sorted(self.points, key=lambda point: point.day)],
        }


@dataclass(frozen=True, slots=True)
class AlertMark:
    """An alert, on the day of the fact that raised it. `url` is its page (addressed by a random id)."""

    day: date
    level: str
    title: str
    url: str = ""
    closed_on: date | None = None

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"level must be one of {', '.join(LEVELS)}")

    def as_dict(self) -> dict[str, Any]:
        return {
            "day": _day(self.day),
            "level": self.level,
            "title": self.title,
            "url": self.url,
            "closed_on": _day(self.closed_on),
        }


@dataclass(frozen=True, slots=True)
class Story:
    """What the chart draws. Tuples may come in any order; `as_dict` and the drawing sort by day."""

    as_of: date
    start: date
    end: date
    treatments: tuple[Treatment, ...] = ()
    steroid: tuple[SteroidDose, ...] = ()
    steroid_plan: tuple[PlannedDose, ...] = ()
    ck: tuple[CkPoint, ...] = ()
    ck_bands: tuple[Band, ...] = ()
    strength: tuple[Series, ...] = ()
    scores: tuple[Series, ...] = ()
    lung: tuple[Series, ...] = ()
    alerts: tuple[AlertMark, ...] = ()
    ck_unit: str = field(default="U/L")

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("the axis ends on or after the day it starts")

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to draw in any lane."""
        lines = (*self.strength, *self.scores, *self.lung)
        return not (
            self.treatments
            or self.steroid
            or self.steroid_plan
            or self.ck
            or self.alerts
            or any(s.points for s in lines)
        )

    def as_dict(self) -> dict[str, Any]:
        """The object that `clinic/chart.js` reads; its shape is at the head of this file."""
        return {
            "version": VERSION,
            "as_of": _day(self.as_of),
            "start": _day(self.start),
            "end": _day(self.end),
            "treatments": [t.as_dict() for t in sorted(self.treatments, key=lambda t: t.start)],
            "steroid": [s.as_dict() for s in sorted(self.steroid, key=lambda s: s.start)],
            "steroid_plan": [s.as_dict() for s in sorted(self.steroid_plan, key=lambda s: s.day)],
            "ck": {
                "unit": self.ck_unit,
                "points": [p.as_dict() for p in sorted(self.ck, key=lambda p: p.day)],
                "bands": [b.as_dict() for b in sorted(self.ck_bands, key=lambda b: b.start)],
            },
            "strength": [s.as_dict() for s in self.strength],
            "scores": [s.as_dict() for s in self.scores],
            "lung": [s.as_dict() for s in self.lung],
            "alerts": [a.as_dict() for a in sorted(self.alerts, key=lambda a: a.day)],
        }


def variation_band(baseline: Decimal, start: date, end: date) -> Band:
    """Where CK is expected by chance alone round `baseline` (U/L): 0.59 to 1.70 times it."""
    if baseline <= 0:
        raise ValueError("a baseline must be above 0")
    return Band(start, end, baseline * CK_USUAL_FALL, baseline * CK_USUAL_RISE)


def span(days: Iterable[date], as_of: date, *, shortest: int = 90) -> tuple[date, date]:
    """First and last day of the axis: all `days` and `as_of`, at least `shortest` days wide."""
    known = [*days, as_of]
    first, last = min(known), max(known)
    if (last - first).days < shortest:
        first = date.fromordinal(max(1, last.toordinal() - shortest))
    return first, last
