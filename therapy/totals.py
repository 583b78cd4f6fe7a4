"""What stretches of one prednisone equivalent come to. A stretch is (first day, last day, mg a day). No Django."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction

YEAR_DAYS = 365


def cumulative_pe(stretches: Sequence[tuple[dt.date, dt.date | None, Fraction]], as_of: dt.date) -> Fraction:
    """mg of prednisone equivalent taken in all, to the end of `as_of`."""
    return sum(
        (dose * ((min(end or as_of, as_of) - start).days + 1) for start, end, dose in stretches), start=Fraction(0)
    )


def total_pe(
    stretches: Sequence[tuple[dt.date, dt.date | None, Fraction]], first_day: dt.date, last_day: dt.date
) -> Fraction:
    """mg of prednisone equivalent taken from `first_day` to `last_day`, both included; pulses count.

    3 g of methylprednisolone are 3750 mg. ValueError where the days are the wrong way round.
    """
    if last_day < first_day:
        raise ValueError("the last day cannot lie before the first")
    total = Fraction(0)
    for start, end, dose in stretches:
        days = (min(end or last_day, last_day) - max(start, first_day)).days + 1
        total += dose * max(0, days)
    return total


def average_pe(
    stretches: Sequence[tuple[dt.date, dt.date | None, Fraction]], first_day: dt.date, last_day: dt.date
) -> Fraction:
    """mg of prednisone equivalent a day on average from `first_day` to `last_day`; days without a dose count as 0."""
    return total_pe(stretches, first_day, last_day) / ((last_day - first_day).days + 1)


def year_total_pe(stretches: Sequence[tuple[dt.date, dt.date | None, Fraction]], as_of: dt.date) -> Fraction:
    """mg of prednisone equivalent of the 365 days up to `as_of`, that day included."""
    return total_pe(stretches, as_of - dt.timedelta(days=YEAR_DAYS - 1), as_of)
