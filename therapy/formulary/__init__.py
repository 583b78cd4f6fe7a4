"""The formulary: drugs.py has the entries, kinds.py says what an entry is made of, checks.py what comes before a drug.

A range is what a dose is compared with; it never changes or refuses one. The one refusal is ``check_period``. An
interaction is shown, never forbidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from common.words import N_
from therapy.formulary.checks import CHECKS
from therapy.formulary.drugs import DRUGS, PNEUMOCYSTIS
from therapy.formulary.kinds import (
    EVERY_DAYS,
    PERIOD_DAYS,
    Check,
    DoseRange,
    Drug,
    Every,
    Interaction,
    Kind,
    Limit,
    Per,
    PeriodRefusedError,
    Phase,
    Severity,
    Valid,
)

__all__ = [
    "CHECKS", "EVERY_DAYS", "FIRST_LINE", "FORMULARY", "GLUCOCORTICOIDS", "MONITORED", "PERIOD_DAYS",
    "PNEUMOCYSTIS_PROPHYLAXIS", "STATINS", "Check", "Clash", "DoseRange", "Drug", "Every", "Interaction", "Kind",
    "Limit", "Per", "PeriodRefusedError", "Phase", "Severity", "Valid", "amount_in_range_terms", "by_atc", "by_rxnorm",
    "check_period", "clashes", "dose_per_day", "doses_per_day",
]  # fmt: skip

FORMULARY: Mapping[str, Drug] = MappingProxyType({drug.code: drug for drug in DRUGS})

GLUCOCORTICOIDS = frozenset(d.code for d in DRUGS if d.kind is Kind.GLUCOCORTICOID)
STATINS = frozenset(d.code for d in DRUGS if d.kind is Kind.STATIN)
MONITORED = frozenset(d.code for d in DRUGS if d.monitored)
PNEUMOCYSTIS_PROPHYLAXIS = frozenset(d.code for d in DRUGS if PNEUMOCYSTIS in d.prevents)
# The three that make a first line together with a glucocorticoid.
FIRST_LINE = frozenset({"methotrexate", "azathioprine", "mycophenolate-mofetil"})


def by_atc(code: str) -> tuple[Drug, ...]:
    """Drugs with this ATC code, old or new. Filter by route as well: creams and eye drops share ingredients."""
    return tuple(drug for drug in DRUGS if code in drug.atc)


def by_rxnorm(code: str) -> tuple[Drug, ...]:
    """Drugs with this RxNorm ingredient. Two for immunoglobulin G, which the route tells apart."""
    return tuple(drug for drug in DRUGS if drug.rxnorm and drug.rxnorm == code)


@dataclass(frozen=True)
class Clash:
    """An interaction as it is met: with ``other``, a drug taken now; None where this record does not keep what it is
    with.
    """

    interaction: Interaction
    other: Drug | None


def clashes(drug: Drug, taken: Iterable[str]) -> tuple[Clash, ...]:
    """What ``drug`` does with the drugs of these codes, the worst first; then what cannot be looked up here."""
    found = []
    for other in sorted({FORMULARY[code] for code in taken if code in FORMULARY and code != drug.code}, key=_by_name):
        for mine, theirs in ((drug, other), (other, drug)):
            found += [
                Clash(entry, other)
                for entry in mine.interactions
                if theirs.code in entry.drugs or theirs.kind in entry.kinds
            ]
    found.sort(key=lambda clash: clash.interaction.severity is not Severity.AVOID)
    return (*found, *(Clash(entry, None) for entry in drug.interactions if entry.others))


def _by_name(drug: Drug) -> str:
    return drug.name


def doses_per_day(every_days: int, times: int = 1) -> Fraction:
    """Administrations a day of "``times`` in every ``every_days`` days", exact: once a week is 1/7."""
    for number in (every_days, times):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise PeriodRefusedError(
                N_("A drug is given a whole number of times, one or more, in one or more whole days.")
            )
    return Fraction(times, every_days)


def dose_per_day(amount: Decimal, every_days: int, times: int = 1) -> Fraction:
    """``amount`` given ``times`` in every ``every_days`` days, as an exact amount a day; alternate days: the mean."""
    return Fraction(amount) * doses_per_day(every_days, times)


def check_period(drug: Drug, every_days: int, times: int = 1) -> None:
    """Refuse a rhythm in which ``drug`` would be given more often than is safe (methotrexate: once in 7 days).

    Raises PeriodRefusedError with a text for the person entering it. 2 doses in 14 days pass: that is once in 7 days.
    """
    rate = doses_per_day(every_days, times)
    if drug.min_interval_days is not None and rate > Fraction(1, drug.min_interval_days):
        raise PeriodRefusedError(
            N_(
                "%(drug)s is given at most once every %(days)s days. "
                "Given more often it can kill: write the weekly dose, once a week."
            ),
            drug=drug.name,
            days=drug.min_interval_days,
        )


def amount_in_range_terms(
    dose_range: DoseRange,
    amount: Decimal,
    every_days: int = 1,
    times: int = 1,
    *,
    weight_kg: Decimal | None = None,
    surface_m2: Decimal | None = None,
) -> Fraction | None:
    """A dose in the terms of ``dose_range`` (for instance mg/kg/day), exact, to be compared with its limits.

    None where the weight or body surface it needs is unknown. For "dose" and "course" ranges ``amount`` is that of the
    one dose or of the whole course, and the rhythm does not matter.
    """
    value = Fraction(amount)
    if dose_range.every in EVERY_DAYS:
        value *= doses_per_day(every_days, times) * EVERY_DAYS[dose_range.every]
    scale = {Per.KG: weight_kg, Per.M2: surface_m2, Per.ABSOLUTE: Decimal(1)}[dose_range.per]
    return value / Fraction(scale) if scale else None
