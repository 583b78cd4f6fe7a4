"""Run charts: a measure month by month about its median, and what in it is unlikely to be chance. Plain Python.

The rules are those of the Institute for Healthcare Improvement (Perla RJ et al., BMJ Qual Saf 2011;20:46-51; general
knowledge, to be checked): a shift is six or more points in a row on one side of the median, where points on it are
passed over; a trend is five or more points in a row that all rise or all fall. Fewer than ten points are not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

SHIFT, TREND, AT_LEAST = 6, 5, 10
# A share of fewer than so many is no point of a chart: one person more or less would move it by more than it says.
FEWEST = 10


@dataclass(frozen=True)
class Signal:
    """`kind`: above, below (a shift), rising, falling (a trend); the places of its first and last point."""

    kind: str
    first: int
    last: int


def middle(values: Sequence[Fraction | None]) -> Fraction | None:
    known = [value for value in values if value is not None]
    return Fraction(median(known)) if known else None


def signals(values: Sequence[Fraction | None]) -> list[Signal]:
    """Shifts and trends. A month without a value ends neither: it is passed over."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    line = middle(values)
    if len(known) < AT_LEAST or line is None:
        return []
    return [*_shifts(known, line), *_trends(known)]


def _shifts(known: Sequence[tuple[int, Fraction]], line: Fraction) -> list[Signal]:
    found: list[Signal] = []
    run: list[int] = []
    side = 0
    for place, value in [*known, (-1, None)]:
        here = 0 if value is None else (value > line) - (value < line)
        if value is not None and here == 0:
            continue
        if here != side:
            if len(run) >= SHIFT:
                found.append(Signal("above" if side > 0 else "below", run[0], run[-1]))
            run, side = [], here
        run.append(place)
    return found


def _trends(known: Sequence[tuple[int, Fraction]]) -> list[Signal]:
    found: list[Signal] = []
    run = [known[0]]
    way = 0
    for point in known[1:]:
        step = (point[1] > run[-1][1]) - (point[1] < run[-1][1])
        if step == 0:  # an equal point is passed over
            continue
        if step != way:
            found += _trend(run, way)
            run = run[-1:] if way else run
            way = step
        run.append(point)
    return [*found, *_trend(run, way)]


def _trend(run: Sequence[tuple[int, Fraction]], way: int) -> list[Signal]:
    return [Signal("rising" if way > 0 else "falling", run[0][0], run[-1][0])] if len(run) >= TREND else []
