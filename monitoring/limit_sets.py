"""Limits at which a drug that asks for blood tests is looked at again: named and versioned sets, chosen by a centre.

They are not the laboratory's normal range: a DMARD is continued within these limits, whatever the laboratory flags.
Every comparison is strict: 3.5 is not below 3.5. A finding names the set it was judged by.

ALT and AST above their limit are no verdict: monitoring/scores/liver.py weighs them with CK, GGT and bilirubin. Rises
of creatinine compare a patient with themselves, and are numbers of the rule.

Sources
    "BSR 2017": Ledingham J, et al. Rheumatology 2017;56:865-8 (BSR/BHPR), read in two hospital sheets that quote it.
    "2008": what documents of trusts still carry from the guideline before it. What they do not say is as in "BSR 2017".
    Severe: proposed by this project, for both sets; in no guideline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from common.words import N_

DEFAULT = "BSR 2017"


class Breach(StrEnum):
    NONE = "none"
    BELOW = "below"
    ABOVE = "above"
    SEVERE = "severe"


class UnknownLimitSetError(ValueError):
    """No set of limits has this name."""


@dataclass(frozen=True)
class Limit:
    """Of one analyte, in its canonical unit. `above` is a value, `above_uln` a multiple of the upper limit of normal.

    `severe_below`: the same day. `note` says what belongs to it.
    """

    analyte: str
    below: Decimal | None = None
    above: Decimal | None = None
    above_uln: Decimal | None = None
    severe_below: Decimal | None = None
    note: str = ""


@dataclass(frozen=True)
class LimitSet:
    """`severe_alt_uln`: an ALT above so many times its upper limit, with a raised bilirubin, is severe."""

    name: str
    limits: Mapping[str, Limit]
    severe_alt_uln: Decimal = Decimal(5)


def _limits(*limits: Limit) -> Mapping[str, Limit]:
    return MappingProxyType({limit.analyte: limit for limit in limits})


def _number(
    analyte: str,
    *,
    below: str | None = None,
    above: str | None = None,
    severe_below: str | None = None,
    note: str = "",
) -> Limit:
    def decimal(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    return Limit(analyte, decimal(below), decimal(above), None, decimal(severe_below), note)


_EGFR = N_(
    "A second one within a week tells if it lasts. Where muscle is lost it reads too high: creatinine tells more."
)

BSR_2017 = LimitSet(
    "BSR 2017",
    _limits(
        _number("wbc", below="3.5", severe_below="2.0", note=N_("Glucocorticoids raise white cells and hide a fall.")),
        _number(
            "neutrophils",
            below="1.6",
            severe_below="1.0",
            note=N_("Glucocorticoids raise neutrophils and hide a fall."),
        ),
        _number("platelets", below="140", severe_below="50"),
        _number(
            "mcv",
            above="105",
            note=N_("So do a want of vitamin B12 or folate, an underactive thyroid, azathioprine and methotrexate."),
        ),
        _number("eosinophils", above="0.5", note=N_("Meant for a rise that nothing else explains.")),
        _number("albumin", below="30", note=N_("Meant for a fall that nothing else explains.")),
        _number("egfr", below="60", note=_EGFR),
        _number("egfr-2009", below="60", note=_EGFR),
        _number("egfr-mdrd", below="60", note=_EGFR),
        _number("systolic", above="140"),
        _number("diastolic", above="90"),
        _number("alt", above="100"),
        _number("ast", above="100"),
    ),
)

_TWICE = Decimal(2)
OLD_2008 = LimitSet(
    "2008",
    MappingProxyType({
        **BSR_2017.limits,
        "neutrophils": replace(BSR_2017.limits["neutrophils"], below=Decimal("2.0")),
        "platelets": replace(BSR_2017.limits["platelets"], below=Decimal(150)),
        "alt": Limit("alt", above_uln=_TWICE),
        "ast": Limit("ast", above_uln=_TWICE),
    }),
)  # fmt: skip

LIMIT_SETS: Mapping[str, LimitSet] = MappingProxyType({each.name: each for each in (BSR_2017, OLD_2008)})
LIMITED = tuple(BSR_2017.limits)  # every set has these


def get(name: str) -> LimitSet:
    """The set of this name; UnknownLimitSetError where there is none."""
    try:
        return LIMIT_SETS[name]
    except KeyError:
        raise UnknownLimitSetError(name) from None


def breach(limit_set: LimitSet, analyte: str, value: Decimal, uln: Decimal | None = None) -> Breach | None:
    """How `value`, in the analyte's canonical unit, stands to its limit; None where the limit is a multiple of an upper
    limit of normal that is unknown (None or 0). KeyError for an analyte without a limit.
    """
    limit = limit_set.limits[analyte]
    if limit.above_uln is not None:
        if not uln:
            return None
        return Breach.ABOVE if value > limit.above_uln * uln else Breach.NONE
    if limit.severe_below is not None and value < limit.severe_below:
        return Breach.SEVERE
    if limit.below is not None and value < limit.below:
        return Breach.BELOW
    return Breach.ABOVE if limit.above is not None and value > limit.above else Breach.NONE
