"""Is this value far from the one before? No Django.

A person is asked to look again, nothing is refused: a creatine kinase may well fall to a sixtieth under treatment.
Where another unit would bring the value back near the last one, that unit is named, because U/L and ukat/L lie 60
apart.

The factors are engineering defaults of this project, wide enough that treatment seldom reaches them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from monitoring.analytes import Analyte, Kind, accepted_units, convert_exact

# How many times more or less than the last value a person is asked about.
FACTOR = Decimal(10)
FACTORS: Mapping[str, Decimal] = MappingProxyType({
    code: Decimal(factor)
    for factor, codes in (
        ("1.3", "mcv"),
        ("1.7", "haemoglobin albumin hba1c"),
        ("3", "creatinine egfr egfr-2009 egfr-mdrd igg systolic diastolic"),
        ("5", "wbc platelets glucose glucose-fasting"),
        ("20", "ck myoglobin crp troponin-i troponin-t nt-probnp hbv-dna"),
    )
    for code in codes.split()
})  # fmt: skip
# A limit printed by a laboratory hardly moves.
LIMIT_FACTOR = Decimal(5)
# Between which an upper limit lies that a laboratory prints for adults, in the canonical unit: wide, so that only
# another unit falls outside.
UPPER_LIMITS: Mapping[str, tuple[Decimal, Decimal]] = MappingProxyType({
    code: (Decimal(least), Decimal(most))
    for code, least, most in (
        ("ck", "40", "1000"), ("aldolase", "2", "25"), ("ldh", "100", "900"), ("ast", "10", "120"),
        ("alt", "10", "120"), ("ggt", "10", "200"), ("creatinine", "40", "250"), ("haemoglobin", "100", "220"),
        ("crp", "0.5", "25"),
    )
})  # fmt: skip
# Another unit explains a jump where it brings the value at least this much nearer.
NEARER = 5


def times_apart(value: Fraction, before: Fraction) -> Fraction | None:
    """How many times one is the other, 1 or more; None where one of them is not above 0."""
    if value <= 0 or before <= 0:
        return None
    return max(value / before, before / value)


@dataclass(frozen=True)
class Far:
    """How a value lies beside the last one. `unit`: another unit in which it would be near it, None where none is."""

    times: Fraction
    more: bool
    unit: str | None

    @property
    def about(self) -> Decimal:
        """How many times, as one says it: 60, 1.9."""
        return Decimal(f"{float(self.times):.1f}") if self.times < 10 else Decimal(round(self.times))


def compare(analyte: Analyte, typed: Decimal, unit: str, before: Decimal, factor: Decimal | None = None) -> Far | None:
    """Where `typed` (in `unit`) is far from `before` (canonical unit), how far; None where it is not.

    `factor` None: the analyte's own. Exactly the factor is not yet far. Values of 0 and unknown units are not compared.
    """
    if analyte.kind is not Kind.NUMERIC:
        return None
    value = convert_exact(analyte.code, typed, unit)
    apart = times_apart(value, Fraction(before)) if value is not None else None
    limit = Fraction(factor or FACTORS.get(analyte.code, FACTOR))
    if value is None or apart is None or apart <= limit:
        return None
    return Far(apart, value > before, _unit_that_explains(analyte, typed, Fraction(before), apart, limit))


def unusual_limit(analyte: Analyte, uln: Decimal, unit: str) -> list[str] | None:
    """The units in which this upper limit would be a usual one; None where it is usual as it stands, or not known."""
    return _outside(analyte, uln, unit, UPPER_LIMITS.get(analyte.code))


def unusual_value(analyte: Analyte, typed: Decimal, unit: str) -> list[str] | None:
    """The units in which a very unusual value would not be one; None where it is none."""
    return _outside(analyte, typed, unit, analyte.warn)


def _outside(analyte: Analyte, typed: Decimal, unit: str, usual: tuple[Decimal, Decimal] | None) -> list[str] | None:
    def fits(in_unit: str) -> bool:
        value = convert_exact(analyte.code, typed, in_unit)
        assert usual is not None
        return value is not None and Fraction(usual[0]) <= value <= Fraction(usual[1])

    if usual is None or fits(unit) or convert_exact(analyte.code, typed, unit) is None:
        return None
    return [other for other in accepted_units(analyte.code) if fits(other)]


def _unit_that_explains(
    analyte: Analyte, typed: Decimal, before: Fraction, apart: Fraction, limit: Fraction
) -> str | None:
    best: tuple[Fraction, str] | None = None
    for unit in accepted_units(analyte.code):
        other = convert_exact(analyte.code, typed, unit)
        nearer = times_apart(other, before) if other is not None else None
        if nearer is None or nearer * NEARER > apart or nearer > limit:
            continue
        if best is None or nearer < best[0]:
            best = (nearer, unit)
    return best[1] if best else None
