"""Schedules by which a glucocorticoid is tapered. They fill in a plan; a person looks at every step and may change it.

Doses are prednisone-equivalent mg a day. No Django, no clock.

Sources: `BSR` Oldroyd AGS, et al. Rheumatology 2022;61:1760-8 (secondary reading); the steps of `STEP` from a summary
of a guideline (secondary reading, to be confirmed by the centre); `WEEKLY` and `PERCENT` are general knowledge.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_DOWN, Decimal
from types import MappingProxyType

from common.words import N_

HIGHEST_START_MG = Decimal(1000)
TABLET_MG = Decimal("2.5")  # what a reduction by a percentage is rounded to
WEEKLY_CAP_MG = Decimal(80)
WEEK = dt.timedelta(weeks=1)


@dataclass(frozen=True)
class Band:
    """Down to `floor` mg, `by` mg less at a time, `weeks` apart: at the quick pace, at the slow one."""

    floor: Decimal
    by: Decimal
    weeks: tuple[int, int]
    slow_by: Decimal | None = None  # smaller steps at the slow pace, where the schedule has them

    def step(self, slow: bool) -> Decimal:
        return self.slow_by if slow and self.slow_by is not None else self.by


@dataclass(frozen=True)
class Template:
    """`hold_weeks` is the usual time at the first dose, shortest and longest; `last_mg` the dose it ends with, lowest
    and highest; `bands` from high doses to low. Without bands the sizes of the steps are the clinician's.
    """

    code: str
    name: str
    schedule: str
    hold_weeks: tuple[int, int]
    last_mg: tuple[Decimal, Decimal]
    bands: tuple[Band, ...] = ()
    percent: tuple[int, int] | None = None
    percent_weeks: tuple[int, int] = (0, 0)
    source: str = ""


def _band(floor: str, by: str, weeks: tuple[int, int], slow_by: str | None = None) -> Band:
    return Band(Decimal(floor), Decimal(by), weeks, Decimal(slow_by) if slow_by else None)


BSR = Template(
    "t-bsr",
    N_("By response from week 6"),
    N_("The first dose for about 6 weeks, then less according to the response. The steps are yours to fill in."),
    (6, 6),
    (Decimal(0), Decimal(0)),
    source=N_("BSR 2022 (secondary reading)"),
)
STEP = Template(
    "t-step",
    N_("In steps every 2 weeks"),
    N_(
        "The first dose for 2 to 4 weeks; 10 mg less every 2 weeks to 30, 5 mg to 20, then 2.5 mg. "
        "Slow: below 10 mg, 1 mg less every 4 weeks."
    ),
    (2, 4),
    (Decimal(0), Decimal(10)),
    bands=(
        _band("30", "10", (2, 2)),
        _band("20", "5", (2, 2)),
        _band("10", "2.5", (2, 2)),
        _band("0", "2.5", (2, 4), slow_by="1"),
    ),
    source=N_("secondary reading, to be confirmed by the centre"),
)
WEEKLY = Template(
    "t-weekly",
    N_("In steps every week"),
    N_(
        "The first dose, 1 mg/kg and at most 80 mg, for 4 to 6 weeks; 10 mg less every week to 40, 5 mg to 20, "
        "2.5 mg every 1 to 2 weeks to 10, 1 mg every 2 to 4 weeks to 5. In all 9 to 12 months."
    ),
    (4, 6),
    (Decimal(5), Decimal(5)),
    bands=(
        _band("40", "10", (1, 1)),
        _band("20", "5", (1, 1)),
        _band("10", "2.5", (1, 2)),
        _band("5", "1", (2, 4)),
    ),
    source=N_("general knowledge"),
)
PERCENT = Template(
    "t-percent",
    N_("By a share of the dose"),
    N_(
        "The first dose for 4 to 6 weeks, or until CK is near normal; then 25 % less every 3 weeks (slow: 20 % every 4 "
        "weeks) to 5 to 10 mg. Rounded to 2.5 mg."
    ),
    (4, 6),
    (Decimal(5), Decimal(10)),
    percent=(25, 20),
    percent_weeks=(3, 4),
    source=N_("general knowledge"),
)

TEMPLATES: Mapping[str, Template] = MappingProxyType({t.code: t for t in (STEP, WEEKLY, PERCENT, BSR)})


@dataclass(frozen=True)
class PlannedStep:
    """From `on` on, `dose_pe_mg` a day; None where the schedule leaves the dose to the response."""

    on: dt.date
    dose_pe_mg: Decimal | None


class TemplateRefusedError(ValueError):
    """What was asked for is not this schedule. `field` names what is wrong: start_mg, hold_weeks or last_mg; `text` has
    gaps that `values` fill.
    """

    def __init__(self, field: str, text: str, **values: object) -> None:
        super().__init__(text % values)
        self.field = field
        self.text = text
        self.values = values


def planned_steps(
    code: str,
    *,
    starts_on: dt.date,
    start_mg: Decimal,
    hold_weeks: int | None = None,
    last_mg: Decimal | None = None,
    slow: bool = False,
) -> list[PlannedStep]:
    """The steps of a template, oldest first: the first dose on `starts_on`, then strictly less each time.

    `hold_weeks` is the time at the first dose (empty: the longest usual one), `last_mg` the dose it ends with (empty:
    the lowest of the template). A step that would pass below the floor of its band stops there. `slow` takes the longer
    of two intervals, the smaller of two steps. Raises KeyError for an unknown code, TemplateRefusedError otherwise.
    """
    template = TEMPLATES[code]
    weeks = template.hold_weeks[1] if hold_weeks is None else hold_weeks
    last = template.last_mg[0] if last_mg is None else last_mg
    _check(template, start_mg, weeks, last)
    steps = [PlannedStep(starts_on, start_mg)]
    day = starts_on + weeks * WEEK
    if not template.bands and template.percent is None:
        return [*steps, PlannedStep(day, None)]
    dose = start_mg
    while dose > last:
        dose, apart = _next(template, dose, slow)
        dose = max(dose, last)
        steps.append(PlannedStep(day, dose))
        day += apart * WEEK
    return steps


def _check(template: Template, start_mg: Decimal, weeks: int, last: Decimal) -> None:
    if not start_mg.is_finite() or not 0 < start_mg <= HIGHEST_START_MG:
        raise TemplateRefusedError(
            "start_mg", N_("The first dose is more than 0 and at most %(most)s mg."), most=HIGHEST_START_MG
        )
    if template is WEEKLY and start_mg > WEEKLY_CAP_MG:
        raise TemplateRefusedError("start_mg", N_("This schedule begins with at most %(most)s mg."), most=WEEKLY_CAP_MG)
    if not 0 <= weeks <= 52:
        raise TemplateRefusedError("hold_weeks", N_("A whole number of weeks from 0 to 52."))
    if not template.bands and template.percent is None:
        return
    lowest, highest = template.last_mg
    if not last.is_finite() or not lowest <= last <= highest:
        if lowest == highest:
            raise TemplateRefusedError("last_mg", N_("This schedule ends with %(mg)s mg."), mg=lowest)
        raise TemplateRefusedError(
            "last_mg", N_("This schedule ends with %(lowest)s to %(highest)s mg."), lowest=lowest, highest=highest
        )
    if last >= start_mg:
        raise TemplateRefusedError("last_mg", N_("The last dose is less than the first."))


def _next(template: Template, dose: Decimal, slow: bool) -> tuple[Decimal, int]:
    """The dose after `dose`, and for how many weeks it is taken."""
    if template.percent is not None:
        less = dose * (100 - template.percent[slow]) / 100
        rounded = (less / TABLET_MG).quantize(Decimal(1), ROUND_HALF_DOWN) * TABLET_MG
        # Rounding must not stop the taper: at the most it is the next whole tablet below.
        below = (dose / TABLET_MG).quantize(Decimal(1), ROUND_CEILING) * TABLET_MG - TABLET_MG
        return max(min(rounded, below), Decimal(0)), template.percent_weeks[slow]
    lower = max(dose - _band_of(template, dose).step(slow), _band_of(template, dose).floor)
    # "1 mg less every 4 weeks from 10 mg on" keeps the 10 mg for 4 weeks, however fast they were reached.
    return lower, _band_of(template, lower).weeks[slow]


def _band_of(template: Template, dose: Decimal) -> Band:
    """The band that says how `dose` goes on; the lowest one at its own floor and below."""
    return next((band for band in template.bands if dose > band.floor), template.bands[-1])


def cumulative_mg(steps: Sequence[tuple[dt.date, Decimal]], to: dt.date) -> Decimal:
    """mg taken by the plan up to and including `to`. `steps` are (first day, mg a day), oldest first."""
    total = Decimal(0)
    for index, (day, dose) in enumerate(steps):
        last = to if index + 1 == len(steps) else min(to, steps[index + 1][0] - dt.timedelta(days=1))
        total += dose * max(0, (last - day).days + 1)
    return total
