"""Prednisone equivalents of glucocorticoids.

PE = dose x 5 / equivalent, with the equivalents below and never a rounded factor: 0.75 mg of dexamethasone is 5 mg of
prednisone, so the factor is 6.666..., and 6.67 would put doses on the wrong side of a limit.

Source: textbook table of equal anti-inflammatory doses. Deflazacort is given as 6 (6 to 7.5 in the literature).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

# mg that equal 5 mg of prednisone, by formulary code.
EQUIVALENT_MG: Mapping[str, Decimal] = MappingProxyType({
    "prednisone": Decimal(5),
    "prednisolone": Decimal(5),
    "methylprednisolone": Decimal(4),
    "triamcinolone": Decimal(4),
    "hydrocortisone": Decimal(20),
    "cortisone": Decimal(25),
    "dexamethasone": Decimal("0.75"),
    "betamethasone": Decimal("0.6"),
    "deflazacort": Decimal(6),
})  # fmt: skip
REFERENCE_MG = Decimal(5)

# Routes by which a dose reaches the whole body. Topical, inhaled and the like do not count.
SYSTEMIC_ROUTES = frozenset({"oral", "intravenous", "intramuscular", "subcutaneous"})


class NotAGlucocorticoidError(ValueError):
    """The drug has no prednisone equivalent."""


def prednisone_equivalent(drug: str, dose_mg: Decimal) -> Fraction:
    """Prednisone equivalent in mg of ``dose_mg`` of ``drug`` (a formulary code), exact.

    Raises NotAGlucocorticoidError for another drug and ValueError for a negative dose. 0 mg is 0.
    """
    if drug not in EQUIVALENT_MG:
        raise NotAGlucocorticoidError(f"{drug} has no prednisone equivalent")
    if not dose_mg.is_finite() or dose_mg < 0:
        raise ValueError("a dose cannot be negative")
    return Fraction(dose_mg) * Fraction(REFERENCE_MG) / Fraction(EQUIVALENT_MG[drug])


def total_per_day(doses: Iterable[tuple[str, str, Decimal | Fraction]]) -> Fraction:
    """Prednisone equivalent in mg/day of the doses in force on one day: (drug, route, mg per day) each.

    Different drugs and routes add; routes that are not systemic count nothing. Drugs without an equivalent are refused.
    Choosing the newest period of each drug and route is the caller's part.
    """
    total = Fraction(0)
    for drug, route, mg_per_day in doses:
        if drug not in EQUIVALENT_MG:
            raise NotAGlucocorticoidError(f"{drug} has no prednisone equivalent")
        if mg_per_day < 0:
            raise ValueError("a dose cannot be negative")
        if route in SYSTEMIC_ROUTES:
            total += Fraction(mg_per_day) * Fraction(REFERENCE_MG) / Fraction(EQUIVALENT_MG[drug])
    return total


def as_decimal(amount: Fraction, places: int = 2) -> Decimal:
    """``amount`` for display or storage, rounded half up to ``places`` decimals. Compare fractions, not this."""
    scale = 10**places
    scaled = amount * scale
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-places)
