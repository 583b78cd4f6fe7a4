"""Total Improvement Score of the 2016 ACR/EULAR response criteria.

Source: Aggarwal R, Rider LG, Ruperto N, et al. Ann Rheum Dis 2017;76:792-801 (adult dermatomyositis and polymyositis);
Rider LG, Aggarwal R, Pistorio A, et al. Ann Rheum Dis 2017;76:782-791 (juvenile dermatomyositis). The points were read
in the published table (PMC5577002, T3); the enzyme multipliers (15, 6, 3, 3, 3) are from general knowledge.

Validated for dermatomyositis and polymyositis. Not for inclusion body myositis: do not compute it there. The score has
no negative points and no skin measure, so the measures that got worse are named beside it.

Arithmetic is exact (fractions): the bands are open below and closed above, and in binary floats a fall of the VAS from
2.2 to 1.7 would be more than 5 %.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from common.words import N_


class Population(StrEnum):
    ADULT = "adult"
    JUVENILE = "juvenile"


class Category(StrEnum):
    NONE = "none"
    MINIMAL = "minimal"
    MODERATE = "moderate"
    MAJOR = "major"


class Measure(StrEnum):
    PHYSICIAN_VAS = "physician_vas"
    PATIENT_VAS = "patient_vas"
    MMT = "mmt"
    HAQ_DI = "haq_di"
    ENZYME = "enzyme"
    EXTRAMUSCULAR_VAS = "extramuscular_vas"


# Lower limits, worst category last reached first. Points on the limit belong to the category.
CUT_OFFS: Mapping[Population, tuple[tuple[Category, Decimal], ...]] = MappingProxyType({
    Population.ADULT: (
        (Category.MAJOR, Decimal(60)),
        (Category.MODERATE, Decimal(40)),
        (Category.MINIMAL, Decimal(20)),
    ),
    Population.JUVENILE: (
        (Category.MAJOR, Decimal(70)),
        (Category.MODERATE, Decimal(45)),
        (Category.MINIMAL, Decimal(30)),
    ),
})  # fmt: skip

# Upper ends of bands 0 to 3, in percent of the range, closed: exactly 5 % is still band 0.
BANDS = (Decimal(5), Decimal(15), Decimal(25), Decimal(40))
MMT_BANDS = (Decimal(2), Decimal(10), Decimal(20), Decimal(30))

# Two plateaus are as published: bands 2 and 3 of HAQ-DI, bands 3 and 4 of the enzyme.
POINTS: Mapping[Measure, tuple[Decimal, ...]] = MappingProxyType({
    Measure.PHYSICIAN_VAS: tuple(map(Decimal, ("0", "7.5", "15", "17.5", "20"))),
    Measure.PATIENT_VAS: tuple(map(Decimal, ("0", "2.5", "5", "7.5", "10"))),
    Measure.MMT: tuple(map(Decimal, ("0", "10", "20", "27.5", "32.5"))),
    Measure.HAQ_DI: tuple(map(Decimal, ("0", "5", "7.5", "7.5", "10"))),
    Measure.ENZYME: tuple(map(Decimal, ("0", "2.5", "5", "7.5", "7.5"))),
    Measure.EXTRAMUSCULAR_VAS: tuple(map(Decimal, ("0", "7.5", "12.5", "15", "20"))),
})  # fmt: skip

# Why a measure is missing. Stored nowhere; translated where it is shown.
NOT_AT_BASELINE = N_("not available at baseline")
NOT_AT_FOLLOW_UP = N_("not available at follow-up")
NOT_AT_BOTH = N_("not available at baseline and follow-up")
OTHER_VERSION = N_("strength was tested with different versions")
OTHER_ENZYME = N_("another enzyme than at baseline")

VAS_RANGE = 10
HAQ_RANGE = 3
# The greatest possible score names the version of the test: CMAS 52 (children), MMT8 80 or 150, MMT24 260.
MMT_MAXIMA = frozenset({52, 80, 150, 260})
# Range of each enzyme in multiples of the ULN. The order settles ties in ``choose_enzyme``.
ENZYME_RANGES: Mapping[str, int] = MappingProxyType({"ck": 15, "aldolase": 6, "ldh": 3, "ast": 3, "alt": 3})


@dataclass(frozen=True)
class Mmt:
    """Manual muscle test: ``score`` out of ``maximum`` (52, 80, 150 or 260). Higher is better."""

    score: Decimal
    maximum: int

    def __post_init__(self) -> None:
        if self.maximum not in MMT_MAXIMA:
            raise ValueError(f"a muscle test has a maximum of {sorted(MMT_MAXIMA)}, not {self.maximum}")
        _check("muscle strength", self.score, self.maximum)


@dataclass(frozen=True)
class Enzyme:
    """A muscle enzyme: ``name`` is a code of ``ENZYME_RANGES``; ``value`` and ``uln`` are in one unit, whichever it is.

    ``uln`` is the upper limit the laboratory printed with this result; None or 0 means that it is unknown.
    """

    name: str
    value: Decimal
    uln: Decimal | None

    def __post_init__(self) -> None:
        if self.name not in ENZYME_RANGES:
            raise ValueError(f"{self.name!r} is not one of the muscle enzymes {list(ENZYME_RANGES)}")
        if not self.value.is_finite() or self.value < 0 or (self.uln is not None and not self.uln >= 0):
            raise ValueError("an enzyme and its upper limit cannot be negative")

    @functools.cached_property
    def times_uln(self) -> Fraction | None:
        """Value as an exact multiple of the ULN, None where the ULN is unknown."""
        return Fraction(self.value) / Fraction(self.uln) if self.uln else None


@dataclass(frozen=True)
class CoreSet:
    """The six core set measures of one visit; None is missing, 0 is a value.

    VAS are 0-10 cm (0 inactive), HAQ-DI or CHAQ 0-3. Likert scales and 0-100 mm are not accepted here: convert or leave
    out, never mix. ``haq_di`` may be a Fraction, so that sevenths are not rounded before the score.
    """

    physician_vas: Decimal | None = None
    patient_vas: Decimal | None = None
    haq_di: Decimal | Fraction | None = None
    mmt: Mmt | None = None
    enzyme: Enzyme | None = None
    extramuscular_vas: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("physician_vas", "patient_vas", "extramuscular_vas"):
            _check(name, getattr(self, name), VAS_RANGE)
        _check("haq_di", self.haq_di, HAQ_RANGE)

    @functools.cached_property
    def missing(self) -> tuple[Measure, ...]:
        """Measures without a value; an enzyme without a ULN counts as missing."""
        absent = {measure for measure in Measure if getattr(self, measure.value) is None}
        if self.enzyme is not None and self.enzyme.times_uln is None:
            absent.add(Measure.ENZYME)
        return tuple(measure for measure in Measure if measure in absent)


@dataclass(frozen=True)
class MeasureResult:
    """One measure between two visits.

    ``improvement`` is percent of the measure's range, positive is better, exact; None where it is missing, and then
    ``why_missing`` says why. ``points`` is None when missing, out of ``maximum``.
    """

    measure: Measure
    maximum: Decimal
    improvement: Fraction | None = None
    points: Decimal | None = None
    why_missing: str = ""

    @property
    def worse(self) -> bool:
        return self.improvement is not None and self.improvement < 0

    @property
    def improvement_percent(self) -> Decimal | None:
        """Improvement as a Decimal for display (28 digits); bands are judged on the fraction."""
        if self.improvement is None:
            return None
        return Decimal(self.improvement.numerator) / Decimal(self.improvement.denominator)


@dataclass(frozen=True)
class Tis:
    """The score as an interval: ``lowest`` counts missing measures as 0 points, ``highest`` as all their points.

    With nothing missing both are the total. ``category`` is None where the interval spans several.
    """

    population: Population
    measures: tuple[MeasureResult, ...]
    lowest: Decimal
    highest: Decimal

    @property
    def total(self) -> Decimal | None:
        """The score, None while a measure is missing."""
        return self.lowest if not self.missing else None

    @property
    def category(self) -> Category | None:
        return self.at_least if self.at_least == self.at_most else None

    @property
    def at_least(self) -> Category:
        return category_of(self.lowest, self.population)

    @property
    def at_most(self) -> Category:
        return category_of(self.highest, self.population)

    @property
    def determinable(self) -> bool:
        return self.category is not None

    @property
    def partial(self) -> bool:
        return bool(self.missing)

    @property
    def missing(self) -> tuple[Measure, ...]:
        return tuple(m.measure for m in self.measures if m.points is None)

    @property
    def worsening(self) -> tuple[Measure, ...]:
        """Measures that got worse by any amount. The total cannot show them."""
        return tuple(m.measure for m in self.measures if m.worse)

    def below(self, threshold: Decimal) -> bool | None:
        """Whether the score is below ``threshold``: None where that depends on what is missing."""
        if self.highest < threshold:
            return True
        return False if self.lowest >= threshold else None


def category_of(total: Decimal, population: Population) -> Category:
    """The response category of a total score."""
    for category, limit in CUT_OFFS[population]:
        if total >= limit:
            return category
    return Category.NONE


def choose_enzyme(candidates: Iterable[Enzyme]) -> Enzyme | None:
    """The enzyme to follow from this baseline on: the highest multiple of its ULN.

    Equal multiples: CK, aldolase, LDH, AST, ALT. Those without a ULN cannot be compared and are left out; None if
    nothing is left. The choice is frozen by its owner: later visits bring this enzyme or none.
    """
    order = list(ENZYME_RANGES)
    best: Enzyme | None = None
    for candidate in sorted(candidates, key=lambda e: order.index(e.name)):
        times = candidate.times_uln
        if times is None:
            continue
        if best is None or best.times_uln is None or times > best.times_uln:
            best = candidate
    return best


def comparable_mmt8(
    baseline: tuple[Decimal | None, Decimal | None], follow_up: tuple[Decimal | None, Decimal | None]
) -> tuple[Mmt | None, Mmt | None]:
    """The strength of two visits on one scale, from their totals as (out of 150, out of 80).

    Both sides where both visits have them, else one side at both. Where no scale has both, what a visit has is given
    on the first scale it has, so that the score can say which visit lacks it.
    """
    for index, maximum in enumerate((150, 80)):
        before, after = baseline[index], follow_up[index]
        if before is not None and after is not None:
            return Mmt(before, maximum), Mmt(after, maximum)
    return _first_scale(baseline), _first_scale(follow_up)


def _first_scale(totals: tuple[Decimal | None, Decimal | None]) -> Mmt | None:
    both, one = totals
    if both is not None:
        return Mmt(both, 150)
    return None if one is None else Mmt(one, 80)


def total_improvement_score(baseline: CoreSet, follow_up: CoreSet, population: Population = Population.ADULT) -> Tis:
    """Compare a visit with the baseline of the treatment judged, never with the visit before.

    The enzyme is the one of ``baseline``, compared as multiples of each day's own ULN; another enzyme at follow-up
    counts as missing, and so does a strength test of another version. Nothing is imputed or rescaled.
    """
    measures = tuple(_judge(measure, baseline, follow_up) for measure in Measure)
    lowest = sum((m.points for m in measures if m.points is not None), Decimal(0))
    highest = lowest + sum((m.maximum for m in measures if m.points is None), Decimal(0))
    return Tis(population=population, measures=measures, lowest=lowest, highest=highest)


def points_for(measure: Measure, improvement: Fraction) -> Decimal:
    """Points for an improvement in percent of the measure's range."""
    bands = MMT_BANDS if measure is Measure.MMT else BANDS
    band = sum(improvement > Fraction(upper) for upper in bands)
    return POINTS[measure][band]


def _judge(measure: Measure, baseline: CoreSet, follow_up: CoreSet) -> MeasureResult:
    maximum = POINTS[measure][-1]
    absent = [when for when, core in (("baseline", baseline), ("follow-up", follow_up)) if measure in core.missing]
    if absent:
        why = NOT_AT_BOTH if len(absent) == 2 else NOT_AT_BASELINE if absent == ["baseline"] else NOT_AT_FOLLOW_UP
        return MeasureResult(measure, maximum, why_missing=why)
    improvement: Fraction
    if measure is Measure.MMT:
        assert baseline.mmt is not None
        assert follow_up.mmt is not None
        if baseline.mmt.maximum != follow_up.mmt.maximum:
            return MeasureResult(measure, maximum, why_missing=OTHER_VERSION)
        improvement = _percent(follow_up.mmt.score, baseline.mmt.score, baseline.mmt.maximum)
    elif measure is Measure.ENZYME:
        assert baseline.enzyme is not None
        assert follow_up.enzyme is not None
        if baseline.enzyme.name != follow_up.enzyme.name:
            return MeasureResult(measure, maximum, why_missing=OTHER_ENZYME)
        before, after = baseline.enzyme.times_uln, follow_up.enzyme.times_uln
        assert before is not None
        assert after is not None
        improvement = _percent(before, after, ENZYME_RANGES[baseline.enzyme.name])
    else:
        scale = HAQ_RANGE if measure is Measure.HAQ_DI else VAS_RANGE
        improvement = _percent(getattr(baseline, measure.value), getattr(follow_up, measure.value), scale)
    return MeasureResult(measure, maximum, improvement=improvement, points=points_for(measure, improvement))


def _percent(higher: Decimal | Fraction, lower: Decimal | Fraction, scale: int) -> Fraction:
    return (Fraction(higher) - Fraction(lower)) * 100 / scale


def _check(name: str, value: Decimal | Fraction | None, maximum: int) -> None:
    if value is None:
        return
    if not isinstance(value, Decimal | Fraction):
        raise TypeError(f"{name} must be a Decimal, so that values on a boundary keep their band")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{name} must be a number")
    if not 0 <= value <= maximum:
        raise ValueError(f"{name} must be between 0 and {maximum}")
