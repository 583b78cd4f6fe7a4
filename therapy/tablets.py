"""How a dose is made of whole tablets. No Django.

A patient who is to take 17.5 mg needs to know which tablets. Tablets are never halved here: a dose that the strengths
at hand cannot make exactly is said to be impossible, with the nearest ones that are not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

MOST_MG = Decimal(1000)  # a dose by mouth beyond this is a slip in typing


class StrengthsRefusedError(ValueError):
    """Not strengths of tablets, or not a dose to be made of them."""


@dataclass(frozen=True)
class Tablets:
    """`counts`: (strength in mg, how many), strongest first, none of them 0."""

    counts: tuple[tuple[Decimal, int], ...]

    @property
    def number(self) -> int:
        return sum(count for _, count in self.counts)

    @property
    def mg(self) -> Decimal:
        return sum((strength * count for strength, count in self.counts), start=Decimal(0))


def fewest(dose_mg: Decimal, strengths_mg: Iterable[Decimal]) -> Tablets | None:
    """The fewest whole tablets that make exactly `dose_mg`; of equally few those with the most of the strongest, then
    of the next. None where no number of tablets makes it. Nothing is taken for a dose of 0.

    Raises StrengthsRefusedError for a strength that is not above 0 and for a dose below 0 or above `MOST_MG`.
    """
    strengths, units, goal = _in_units(strengths_mg, dose_mg)
    if goal is None:
        return None
    least = _least(units, goal)
    if least[goal] is None:
        return None
    counts = dict.fromkeys(strengths, 0)
    left = goal
    while left:
        for strength, unit in zip(strengths, units, strict=True):
            if unit <= left and _follows(least[left - unit], least[left]):
                counts[strength] += 1
                left -= unit
                break
    return Tablets(tuple((strength, count) for strength, count in counts.items() if count))


def nearest(dose_mg: Decimal, strengths_mg: Iterable[Decimal]) -> tuple[Decimal, Decimal | None]:
    """The largest dose at or below `dose_mg` and the smallest at or above it that whole tablets make, in mg.

    0 can always be made. The one above is None without any strength, or where it would be above `MOST_MG`.
    """
    strengths = sorted(set(strengths_mg), reverse=True)
    if not strengths:
        _check(dose_mg, strengths)
        return Decimal(0), None
    ceiling = min(MOST_MG, dose_mg + strengths[-1])  # one more of the weakest is always enough
    _, units, _ = _in_units(strengths, dose_mg)
    unit_mg = Fraction(strengths[0]) / units[0]
    least = _least(units, math.floor(Fraction(ceiling) / unit_mg))
    goal = Fraction(dose_mg) / unit_mg
    made = [amount for amount, count in enumerate(least) if count is not None]
    below = max(amount for amount in made if amount <= goal)
    above = min((amount for amount in made if amount >= goal), default=None)
    return _mg(below * unit_mg), None if above is None else _mg(above * unit_mg)


def _mg(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _follows(before: int | None, now: int | None) -> bool:
    return before is not None and now is not None and before == now - 1


def _check(dose_mg: Decimal, strengths: Sequence[Decimal]) -> None:
    if any(strength <= 0 for strength in strengths):
        raise StrengthsRefusedError("The strength of a tablet is above 0 mg.")
    if not 0 <= dose_mg <= MOST_MG:
        raise StrengthsRefusedError(f"A dose of tablets lies between 0 and {MOST_MG} mg.")


def _in_units(strengths_mg: Iterable[Decimal], dose_mg: Decimal) -> tuple[list[Decimal], list[int], int | None]:
    """(strengths, strongest first; the same as whole multiples of their largest common part; the dose likewise, None
    where it is no multiple of it or nothing is at hand to make it of).
    """
    strengths = sorted(set(strengths_mg), reverse=True)
    _check(dose_mg, strengths)
    if not strengths:
        return [], [], 0 if dose_mg == 0 else None
    fractions = [Fraction(strength) for strength in strengths]
    denominator = math.lcm(*(f.denominator for f in fractions))
    whole = [int(f * denominator) for f in fractions]
    part = math.gcd(*whole)
    goal = Fraction(dose_mg) * denominator / part
    return strengths, [number // part for number in whole], int(goal) if goal.denominator == 1 else None


def _least(units: Sequence[int], goal: int) -> list[int | None]:
    """The fewest tablets for every amount from 0 to `goal` units; None where there is no way."""
    least: list[int | None] = [0] + [None] * goal
    for amount in range(1, goal + 1):
        ways = [before for unit in units if unit <= amount and (before := least[amount - unit]) is not None]
        least[amount] = min(ways) + 1 if ways else None
    return least
