"""Bone and glucocorticoids: when a fracture-risk assessment is due, and what counts as a very high dose.

Source: Humphrey MB, et al. ACR guideline, Arthritis Rheumatol 2023;75:2088-2102: 2.5 mg of prednisone equivalent a day
or more for more than three months. The very high dose (30 mg a day or more for more than 30 days, or 5 g or more in a
year) is from general knowledge.

Doses come as stretches of one dose: (first day, last day or None while it goes on, mg of prednisone equivalent a day),
oldest first, as `therapy.dosing.pe_stretches` gives them. The first and the last day count. A day without a dose, or
with a lower one, breaks a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from therapy.totals import total_pe

Stretch = tuple[date, date | None, Fraction]


@dataclass(frozen=True)
class Parameters:
    dose_mg: Decimal = Decimal("2.5")
    longer_than_days: int = 90
    high_dose_mg: Decimal = Decimal(30)
    high_longer_than_days: int = 30
    year_total_mg: Decimal = Decimal(5000)
    year_days: int = 365


DEFAULTS = Parameters()


@dataclass(frozen=True)
class Run:
    """An unbroken run of days with a dose at or above a limit."""

    first_day: date
    last_day: date

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True)
class VeryHigh:
    """``long_run``: the longest run of 30 mg or more in the last year that is long enough, if any.
    ``year_total_mg``: all of the last year, exact; pulses count.
    """

    long_run: Run | None
    year_total_mg: Fraction
    over_total: bool

    @property
    def holds(self) -> bool:
        return self.over_total or self.long_run is not None


def runs(stretches: Sequence[Stretch], at_least_mg: Decimal, as_of: date, since: date | None = None) -> list[Run]:
    """The runs up to `as_of`, oldest first; with `since` only their days from then on."""
    return list(_runs(stretches, Fraction(at_least_mg), as_of, since))


def present_run(stretches: Sequence[Stretch], as_of: date, parameters: Parameters = DEFAULTS) -> Run | None:
    """The run of 2.5 mg or more that includes `as_of`; None where the dose of that day is lower."""
    found = runs(stretches, parameters.dose_mg, as_of)
    return found[-1] if found and found[-1].last_day == as_of else None


def assessment_due(stretches: Sequence[Stretch], as_of: date, parameters: Parameters = DEFAULTS) -> bool:
    """2.5 mg a day or more for more than 90 days, up to `as_of`: the fracture risk is to be assessed."""
    run = present_run(stretches, as_of, parameters)
    return run is not None and run.days > parameters.longer_than_days


def very_high_dose(stretches: Sequence[Stretch], as_of: date, parameters: Parameters = DEFAULTS) -> VeryHigh:
    """Judge the 365 days up to `as_of`, that day included."""
    since = as_of - timedelta(days=parameters.year_days - 1)
    long = [
        run
        for run in runs(stretches, parameters.high_dose_mg, as_of, since)
        if run.days > parameters.high_longer_than_days
    ]
    total = total_pe(stretches, since, as_of)
    return VeryHigh(
        long_run=max(long, key=lambda run: run.days, default=None),
        year_total_mg=total,
        over_total=total >= Fraction(parameters.year_total_mg),
    )


def _runs(stretches: Sequence[Stretch], at_least: Fraction, as_of: date, since: date | None) -> Iterator[Run]:
    start: date | None = None
    end: date | None = None
    for first, last, dose in sorted(stretches, key=lambda stretch: stretch[0]):
        begins = first if since is None else max(first, since)
        ends = as_of if last is None else min(last, as_of)
        if dose < at_least or begins > ends:
            continue
        if start is not None and end is not None and begins <= end + timedelta(days=1):
            end = max(end, ends)
            continue
        if start is not None and end is not None:
            yield Run(start, end)
        start, end = begins, ends
    if start is not None and end is not None:
        yield Run(start, end)
