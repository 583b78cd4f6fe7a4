"""Whether a raised ALT or AST looks like muscle.

Source of the expected ALT: CK = 12.66 x ALT - 136.23 (n = 93, one centre; PubMed 27312550). The tolerance of 1.5 and
the levels are this project's; the limit of 100 U/L is that of BSR/BHPR 2017 (Ledingham J, et al. Rheumatology
2017;56:865-8).

All values are of one sample day, in U/L (bilirubin in the unit of its limit). What was not measured that day is missing
and never counts as normal: only CK, ALT, GGT and bilirubin together make "muscle".
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

SLOPE = Decimal("12.66")
INTERCEPT = Decimal("136.23")


class Verdict(StrEnum):
    QUIET = "quiet"  # neither is above the limit
    MUSCLE = "muscle"  # INFO: probably of muscle
    UNCERTAIN = "uncertain"  # TASK: CK and ALT look like muscle; GGT and bilirubin are to be measured
    LIVER = "liver"  # ACTION: possible injury of the liver


@dataclass(frozen=True)
class Parameters:
    limit: Decimal = Decimal(100)
    tolerance: Decimal = Decimal("1.5")


DEFAULTS = Parameters()


@dataclass(frozen=True)
class Value:
    """A result and its upper limit; a limit of None or 0 is unknown."""

    value: Decimal
    uln: Decimal | None = None

    @property
    def high(self) -> bool | None:
        """Above its limit; None where the limit is unknown."""
        return self.value > self.uln if self.uln else None


@dataclass(frozen=True)
class Judgement:
    """``missing``: what would have to be known (ck, ck_uln, alt, ggt, ggt_uln, bilirubin, bilirubin_uln)."""

    verdict: Verdict
    expected_alt: Decimal | None
    missing: tuple[str, ...]


def expected_alt(ck: Decimal) -> Decimal:
    """The ALT in U/L that goes with a CK in U/L where both come from muscle."""
    return (ck + INTERCEPT) / SLOPE


def looks_muscular(ck: Value | None, alt: Decimal | None, parameters: Parameters = DEFAULTS) -> bool | None:
    """By CK and ALT alone: CK above its limit, and ALT at most 1.5 times what goes with it. None where one is missing.

    Not a verdict: GGT and bilirubin are still to be looked at.
    """
    if ck is None or alt is None:
        return None
    # Multiplied out, so that a value on the line is on it.
    fits = alt * SLOPE <= parameters.tolerance * (ck.value + INTERCEPT)
    return False if not fits or ck.high is False else None if ck.high is None else True


def judge(
    alt: Decimal | None,
    ast: Decimal | None,
    ck: Value | None = None,
    ggt: Value | None = None,
    bilirubin: Value | None = None,
    parameters: Parameters = DEFAULTS,
) -> Judgement:
    """Judge the ALT and AST of a day by what else was measured that day."""
    expected = None if ck is None else expected_alt(ck.value)
    if not any(value is not None and value > parameters.limit for value in (alt, ast)):
        return Judgement(Verdict.QUIET, expected, ())
    missing = [] if alt is not None else ["alt"]
    for name, found in (("ck", ck), ("ggt", ggt), ("bilirubin", bilirubin)):
        if found is None or found.high is None:
            missing.append(name if found is None else f"{name}_uln")
    others = [None if found is None else found.high for found in (ggt, bilirubin)]
    if looks_muscular(ck, alt, parameters) is not True or True in others:
        verdict = Verdict.LIVER
    else:
        verdict = Verdict.UNCERTAIN if None in others else Verdict.MUSCLE
    return Judgement(verdict, expected, tuple(missing))
