"""Draws a `Story` on paper: for print, PDF and pages without JavaScript.

It draws the same object, in the same lanes and words, as the chart on screen.

Uses matplotlib's object interface, never pyplot: pyplot keeps figures in global state, which leaks in a web process.
The same story always gives the same bytes, so a drawing can be compared, cached and put under test.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import matplotlib
import numpy as np
from django.utils import formats
from django.utils.translation import gettext as _
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num, num2date
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from common.words import N_
from monitoring.story import Series, SteroidDose, Story

INK: Final = "#16202c"
INK_2: Final = "#465363"
INK_3: Final = "#5d6a7a"
GRID: Final = "#e3e7ec"
LIMIT: Final = "#5d6a7a"
BAND: Final = "#dfeee6"
CK: Final = "#b3261e"
STEROID: Final = "#9a5b00"
BARS: Final = {"glucocorticoid": "#f0dfc4", "conventional": "#cfe3e8", "infusion": "#d9d7f1", "other": "#e6e9ee"}
LEVELS: Final = {
    "URGENT": ("D", "#b01e1e"),
    "ACTION": ("^", "#9a4a04"),
    "TASK": ("s", "#1f56b3"),
    "INFO": ("o", "#4a5768"),
}
# (colour, marker): a line is told apart by its marker as well as by its colour. The same table as in chart.js.
STYLES: Final = {
    "mmt8": ("#0c6b7d", "o"),
    "haq_di": ("#6941c6", "D"),
    "tis": ("#17693c", "o"),
    "physician_vas": ("#6941c6", "s"),
    "patient_vas": ("#1f56b3", "^"),
    "extramuscular_vas": ("#a11a6b", "D"),
    "fvc": ("#1f56b3", "o"),
    "dlco": ("#9a4a04", "s"),
}
LANES: Final = (
    N_("Alerts"), N_("Treatment"), N_("Glucocorticoid"), "CK", N_("Strength and function"), N_("Scores"),
    N_("Lung function"),
)  # fmt: skip
NOTHING: Final = N_("Nothing recorded")

# Fonts that come with matplotlib, so that every machine draws the same. `svg.hashsalt` fixes the ids in the SVG.
STYLE: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "svg.hashsalt": "story",
    "svg.fonttype": "none",
    "path.simplify": True,
    "text.parse_math": False,
    "axes.edgecolor": "#cbd2da",
    "axes.linewidth": 0.6,
    "xtick.color": INK_3,
    "ytick.color": INK_3,
}
# matplotlib's settings are one dictionary for the whole process, so threads that draw take turns.
_RC: Final = threading.RLock()
# How many letters of a bar's label fit across the whole lane, roughly.
LETTERS_ACROSS: Final = 112
# More markers than this are a smear; the line alone is then drawn.
MARKERS_UP_TO: Final = 200


def draw(story: Story, *, width_in: float = 7.6) -> Figure:
    """Draw the seven lanes of `story` one above the other on one time axis.

    Returns a matplotlib Figure `width_in` inches wide and as tall as its lanes need. A lane without data says
    "Nothing recorded" rather than being left out, so that missing is not taken for normal.
    """
    drugs = list(dict.fromkeys(t.drug for t in sorted(story.treatments, key=lambda t: t.start)))
    empty = 0.16
    heights = [
        0.26 if story.alerts else empty,
        max(empty, 0.19 * len(drugs)),
        0.72 if story.steroid or story.steroid_plan else empty,
        1.35 if story.ck else empty,
        0.85 if _has_points(story.strength) else empty,
        0.85 if _has_points(story.scores) else empty,
        0.85 if _has_points(story.lung) else empty,
    ]
    gap, top, bottom = 0.27, 0.24, 0.36
    height_in = sum(heights) + gap * (len(heights) - 1) + top + bottom

    with _RC, matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width_in, height_in), facecolor="white")
        edge = top
        lanes: list[Axes] = []
        for title, height in zip(LANES, heights, strict=True):
            lane = figure.add_axes(
                (0.52 / width_in, 1 - (edge + height) / height_in, 1 - 0.98 / width_in, height / height_in), label=title
            )
            _frame(lane, title, story)
            lanes.append(lane)
            edge += height + gap
        alerts, treatment, steroid, ck, strength, scores, lung = lanes
        _alerts(alerts, story)
        _treatments(treatment, story, drugs)
        _steroid(steroid, story)
        _ck(ck, story)
        _lines(strength, story.strength)
        _lines(scores, story.scores)
        _lines(lung, story.lung, note=_("% predicted"), limit=80)
        _days(lung)
    return figure


def to_svg(figure: Figure) -> bytes:
    """The figure as SVG bytes; the same figure always gives the same bytes."""
    out = io.BytesIO()
    with _RC, matplotlib.rc_context(STYLE):
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def to_png(figure: Figure, *, dots_per_inch: int = 160) -> bytes:
    """The figure as PNG bytes; the same figure always gives the same bytes."""
    out = io.BytesIO()
    figure.set_dpi(dots_per_inch)
    with _RC, matplotlib.rc_context(STYLE):
        FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()


def drawn(story: Story, content_type: str) -> bytes:
    """The story as "image/svg+xml" or "image/png"."""
    figure = draw(story)
    return to_png(figure) if content_type == "image/png" else to_svg(figure)


def _has_points(lines: Sequence[Series]) -> bool:
    return any(series.points for series in lines)


def _num(day: date) -> float:
    return float(date2num(day))


def _frame(lane: Axes, title: str, story: Story) -> None:
    lane.set_xlim(_num(story.start), _num(story.end + timedelta(days=1)))
    lane.set_title(_(title), loc="left", fontsize=8.5, fontweight="bold", color=INK, pad=3)
    lane.tick_params(length=0, labelsize=7)
    for side in ("top", "right", "left"):
        lane.spines[side].set_visible(False)
    locator = AutoDateLocator(minticks=4, maxticks=9)
    lane.xaxis.set_major_locator(locator)
    lane.tick_params(axis="x", labelbottom=False)
    lane.grid(True, color=GRID, linewidth=0.5)
    lane.set_axisbelow(True)
    if story.start <= story.as_of <= story.end:
        lane.axvline(_num(story.as_of), color=INK_3, linewidth=0.6, linestyle=(0, (1, 2)))


def _figure(value: float) -> str:
    """A number on an axis, as the language writes it."""
    text = f"{value:,.0f}" if value >= 1 and value == round(value) else f"{value:g}"
    return text.translate(str.maketrans(",.", ".,")) if formats.get_format("DECIMAL_SEPARATOR") == "," else text


class _Days(ConciseDateFormatter):
    """Names months in the language of the reader."""

    def format_ticks(self, values: Any) -> list[str]:
        labels = super().format_ticks(values)
        days = [num2date(value) for value in values]
        return [
            formats.date_format(day, "M") if label == f"{day:%b}" else label
            for label, day in zip(labels, days, strict=True)
        ]


def _days(lane: Axes) -> None:
    lane.tick_params(axis="x", labelbottom=True, length=2)
    lane.xaxis.set_major_formatter(_Days(lane.xaxis.get_major_locator(), show_offset=False))


def _nothing(lane: Axes) -> None:
    lane.yaxis.set_major_locator(NullLocator())
    lane.text(0.0, 0.5, _(NOTHING), transform=lane.transAxes, va="center", fontsize=7.5, color=INK_3, style="italic")


def _note(lane: Axes, text: str) -> None:
    lane.set_title(text, loc="right", fontsize=7, color=INK_3, pad=3)


def _alerts(lane: Axes, story: Story) -> None:
    if not story.alerts:
        return _nothing(lane)
    lane.yaxis.set_major_locator(NullLocator())
    lane.set_ylim(-1, 1)
    shown: list[str] = []
    # The worst last, on top of what happened on the same days.
    for level, (marker, colour) in reversed(LEVELS.items()):
        for is_open in (False, True):
            days = [_num(a.day) for a in story.alerts if a.level == level and (a.closed_on is None) == is_open]
            if days:
                lane.scatter(
                    days,
                    [0.0] * len(days),
                    marker=marker,
                    s=26,
                    linewidths=1.1,
                    edgecolors=colour,
                    facecolors=colour if is_open else "white",
                    zorder=3,
                    clip_on=False,
                )
        if any(a.level == level for a in story.alerts):
            shown.insert(0, _(level.capitalize()))
    _note(lane, _("%(levels)s (hollow: closed)") % {"levels": ", ".join(shown)})
    return None


def _treatments(lane: Axes, story: Story, drugs: list[str]) -> None:
    if not drugs:
        return _nothing(lane)
    lane.set_ylim(len(drugs), 0)
    lane.yaxis.set_major_locator(NullLocator())
    first, last = _num(story.start), _num(story.end) + 1
    width_days = last - first
    named: set[str] = set()
    edges: dict[str, tuple[float, float]] = {}
    for treatment in sorted(story.treatments, key=lambda t: t.start):
        until = max(treatment.end or story.as_of, treatment.start)
        left, right = max(_num(treatment.start), first), min(_num(until) + 1, last)
        if right <= left:
            continue
        row = drugs.index(treatment.drug)
        right = max(right, left + width_days / 160)
        lane.barh(
            row + 0.5,
            right - left,
            left=left,
            height=0.78,
            color=BARS[treatment.kind],
            edgecolor="#a8b3bf",
            linewidth=0.4,
            zorder=2,
        )
        start, stop = edges.get(treatment.drug, (left, right))
        edges[treatment.drug] = (min(start, left), max(stop, right))
        fits = int((right - left) / width_days * LETTERS_ACROSS)
        for label in (f"{treatment.drug} {treatment.dose}".strip(), treatment.drug):
            if len(label) <= fits:
                lane.text(left + width_days / 200, row + 0.53, label, va="center", fontsize=7, color=INK, zorder=3)
                named.add(treatment.drug)
                break
    # A drug with no room inside any of its bars is named beside them, on the side that has room.
    for drug, (left, right) in edges.items():
        if drug in named:
            continue
        before = (left - first) / width_days * LETTERS_ACROSS > len(drug) + 1
        at, side = (left - width_days / 150, "right") if before else (right + width_days / 150, "left")
        lane.text(at, drugs.index(drug) + 0.53, drug, va="center", ha=side, fontsize=7, color=INK)
    return None


def _corners(doses: Sequence[SteroidDose], as_of: date) -> tuple[list[float], list[float]]:
    """Corners of the step line. A stretch ends at the end of its last day; a gap falls to zero."""
    days: list[float] = []
    mgs: list[float] = []
    ordered = sorted(doses, key=lambda dose: dose.start)
    for index, dose in enumerate(ordered):
        start = _num(dose.start)
        stop = _num(max(dose.end or as_of, dose.start)) + 1
        following = ordered[index + 1] if index + 1 < len(ordered) else None
        if not days or start > days[-1]:
            days.append(start)
            mgs.append(0.0)
        days.append(start)
        mgs.append(float(dose.mg_per_day))
        if following:
            stop = min(stop, _num(following.start))
        days.append(stop)
        mgs.append(float(dose.mg_per_day))
        if (following and _num(following.start) > stop) or (following is None and dose.end is not None):
            days.append(stop)
            mgs.append(0.0)
    return days, mgs


def _steroid(lane: Axes, story: Story) -> None:
    if not (story.steroid or story.steroid_plan):
        return _nothing(lane)
    days, mgs = _corners(story.steroid, story.as_of)
    if days:
        lane.fill_between(days, mgs, color=STEROID, alpha=0.14, linewidth=0)
        lane.plot(days, mgs, color=STEROID, linewidth=1.2)
    plan = sorted(story.steroid_plan, key=lambda step: step.day)
    if plan:
        xs, ys = [_num(step.day) for step in plan], [float(step.mg_per_day) for step in plan]
        if mgs and mgs[-1] > 0 and xs[0] > days[-1]:
            xs, ys = [days[-1], *xs], [mgs[-1], *ys]
        lane.step(xs, ys, where="post", color=STEROID, linewidth=1.2, linestyle=(0, (3, 2)))
    lane.set_ylim(bottom=0)
    lane.yaxis.set_major_locator(MaxNLocator(3))
    _note(lane, _("prednisone-equivalent, mg/day"))
    return None


def _ck(lane: Axes, story: Story) -> None:
    points = sorted(story.ck, key=lambda point: point.day)
    if not points:
        return _nothing(lane)
    values = np.array([float(point.value) for point in points])
    limits = [(point.day, float(point.uln)) for point in points if point.uln]
    numbers = [
        *values[values > 0],
        *(limit for _, limit in limits),
        *(float(edge) for band in story.ck_bands for edge in (band.low, band.high) if edge > 0),
    ]
    low, high = (min(numbers) / 1.25, max(numbers) * 1.25) if numbers else (1.0, 10.0)
    lane.set_yscale("log")
    lane.set_ylim(low, high)
    steps = (1.0,) if np.log10(high / low) > 2.2 else (1.0, 2.0, 5.0)
    lane.yaxis.set_major_locator(LogLocator(base=10, subs=steps))
    lane.yaxis.set_minor_locator(NullLocator())
    lane.yaxis.set_major_formatter(FuncFormatter(lambda value, position: _figure(value)))
    for band in story.ck_bands:
        lane.fill_between(
            [_num(band.start), _num(band.end) + 1],
            max(float(band.low), low),
            float(band.high),
            color=BAND,
            linewidth=0,
        )
    if limits:
        lane.step(
            [_num(day) for day, _ in limits],
            [limit for _, limit in limits],
            where="post",
            color=LIMIT,
            linewidth=0.9,
            linestyle=(0, (4, 3)),
        )
    # A value of 0 cannot stand on a log axis: it is drawn on the lower edge, where it is seen rather than lost.
    marker = "o" if len(points) <= MARKERS_UP_TO else None
    lane.plot(
        [_num(p.day) for p in points], np.maximum(values, low), color=CK, linewidth=1.1, marker=marker, markersize=2.6
    )
    words = _("%(unit)s, log scale, dashed: upper limit of normal")
    if story.ck_bands:
        words = _("%(unit)s, log scale, dashed: upper limit of normal, shaded: %(band)s")
    _note(lane, words % {"unit": story.ck_unit, "band": story.ck_bands[0].label.lower() if story.ck_bands else ""})
    return None


def _lines(lane: Axes, lines: Sequence[Series], *, note: str = "", limit: float | None = None) -> None:
    used = [series for series in lines if series.points]
    if not used:
        return _nothing(lane)
    right: Axes | None = None
    handles = []
    for series in used:
        axes = lane
        if series.axis == "right":
            if right is None:
                right = _second_axis(lane)
            axes = right
        colour, marker = STYLES.get(series.key, (INK_2, "o"))
        points = sorted(series.points, key=lambda point: point.day)
        handles += axes.plot(
            [_num(point.day) for point in points],
            [float(point.value) for point in points],
            color=colour,
            linewidth=1.1,
            linestyle=(0, (4, 2)) if series.axis == "right" else "-",
            marker=marker if len(points) <= MARKERS_UP_TO else None,
            markersize=3.2,
            label=_("%(line)s (right)") % {"line": series.label} if series.axis == "right" else series.label,
        )
    for scale, side in ((lane, "left"), (right, "right")):
        sized = [series for series in used if series.axis == side]
        if scale is None:
            continue
        if not sized:
            scale.yaxis.set_major_locator(NullLocator())
            continue
        most = max(max(float(series.maximum), *(float(p.value) for p in series.points)) for series in sized)
        scale.set_ylim(min(0.0, *(float(p.value) for series in sized for p in series.points)), most * 1.03)
        scale.yaxis.set_major_locator(FixedLocator([0, most / 2, most]))
        scale.yaxis.set_major_formatter(FuncFormatter(lambda value, position: _figure(value)))
    if limit is not None:
        lane.axhline(limit, color=LIMIT, linewidth=0.8, linestyle=(0, (4, 3)))
    lane.legend(
        handles=handles,
        loc="lower right",
        bbox_to_anchor=(1.0, 0.97),
        ncol=len(handles),
        frameon=False,
        fontsize=7,
        labelcolor=INK_2,
        borderaxespad=0,
        handlelength=2.2,
        columnspacing=1.2,
    )
    if note:
        lane.set_title(
            f"{lane.get_title(loc='left')}, {note}", loc="left", fontsize=8.5, fontweight="bold", color=INK, pad=3
        )
    return None


def _second_axis(lane: Axes) -> Axes:
    right = lane.twinx()
    right.tick_params(length=0, labelsize=7)
    right.grid(False)
    for side in ("top", "right", "left", "bottom"):
        right.spines[side].set_visible(False)
    return right
