"""Inclusion Body Myositis Functional Rating Scale (IBMFRS), 0 to 40, higher is better.

Source: ten items as listed in OJRD 2019, table 3; a mean loss of 6.3 % a year (95 % CI 5.5 to 7.2) is that of a cohort
of 181 patients. A smaller cohort lost 13.8 % a year: the number is there to compare with, it is no limit.

There is no total with an item missing, and none is estimated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from common.words import N_

ITEMS: Mapping[str, str] = MappingProxyType({
    "swallowing": N_("Swallowing"),
    "handwriting": N_("Handwriting"),
    "cutting_food": N_("Cutting food and handling utensils"),
    "fine_motor": N_("Fine motor tasks"),
    "dressing": N_("Dressing"),
    "hygiene": N_("Hygiene"),
    "turning_in_bed": N_("Turning in bed and adjusting covers"),
    "sit_to_stand": N_("Sit to stand"),
    "walking": N_("Walking"),
    "stairs": N_("Climbing stairs"),
})  # fmt: skip
ITEM_MAXIMUM = 4
MAXIMUM = ITEM_MAXIMUM * len(ITEMS)
COHORT_LOSS_PERCENT_A_YEAR = Decimal("6.3")
COHORT_LOSS_INTERVAL = (Decimal("5.5"), Decimal("7.2"))
YEAR_DAYS = Fraction(1461, 4)
SHORTEST_DAYS = 182  # the scale is asked every half year; from less, a rate per year says nothing


@dataclass(frozen=True)
class Ibmfrs:
    """``total`` is None unless all ten items are answered; ``missing`` names the others."""

    total: int | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """Change between two totals. ``points_a_year`` and ``percent_a_year`` are negative for a loss, exact.

    The percentage is of the earlier total, None where that is 0. ``long_enough`` is False below half a year.
    """

    days: int
    points: int
    points_a_year: Fraction
    percent_a_year: Fraction | None
    long_enough: bool

    @property
    def faster_than_cohort(self) -> bool | None:
        """Whether more is lost than the cohort lost on average; None where that cannot be said."""
        if self.percent_a_year is None or not self.long_enough:
            return None
        return -self.percent_a_year > Fraction(COHORT_LOSS_PERCENT_A_YEAR)


def score(answers: Mapping[str, int | None]) -> Ibmfrs:
    """Add the ten items, 0 to 4 each; None or absent was not answered. ValueError for anything else."""
    for code, answer in answers.items():
        if code not in ITEMS:
            raise ValueError("this item is not on the IBMFRS")
        if answer is not None and (
            isinstance(answer, bool) or not isinstance(answer, int) or not 0 <= answer <= ITEM_MAXIMUM
        ):
            raise ValueError(f"an item is a whole number from 0 to {ITEM_MAXIMUM}")
    given = {code: answer for code in ITEMS if (answer := answers.get(code)) is not None}
    missing = tuple(code for code in ITEMS if code not in given)
    return Ibmfrs(total=None if missing else sum(given.values()), missing=missing)


def change(first_day: date, first: int, last_day: date, last: int) -> Change | None:
    """What changed between two totals, per year of 365.25 days; None where they are not of two days in that order."""
    for total in (first, last):
        if not 0 <= total <= MAXIMUM:
            raise ValueError(f"a total is from 0 to {MAXIMUM}")
    days = (last_day - first_day).days
    if days <= 0:
        return None
    a_year = Fraction(last - first) * YEAR_DAYS / days
    return Change(
        days=days,
        points=last - first,
        points_a_year=a_year,
        percent_a_year=a_year * 100 / first if first else None,
        long_enough=days >= SHORTEST_DAYS,
    )
