"""Deterioration between visits, and its confirmation at a second one.

Source: ProDERM (Aggarwal R, et al. Arthritis Res Ther 2023, 10.1186/s13075-023-03232-2, fig. 1), the IMACS definition
of worsening. Met by a visit where

- physician global activity is worse by 2 cm or more and MMT8 by 20 % or more, or
- extramuscular global activity is worse by 2 cm or more, or
- any three of the five clinical measures are worse by 30 % or more. Enzymes are left out: CK alone is not a flare.

Confirmed where the two newest visits both meet it. What a visit is compared with is this project's own reading: the
best value of each measure at earlier visits since the baseline, at most 365 days old. Centimetres are absolute; a
percentage is of that best value. A best value of 0 has no percentage: there, 2 cm of a VAS or 0.375 of the HAQ-DI
counts as worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction


class Measure(StrEnum):
    PHYSICIAN_VAS = "physician_vas"
    PATIENT_VAS = "patient_vas"
    HAQ_DI = "haq_di"
    MMT8 = "mmt8"
    EXTRAMUSCULAR_VAS = "extramuscular_vas"


class Reason(StrEnum):
    GLOBAL_AND_STRENGTH = "global_and_strength"
    EXTRAMUSCULAR = "extramuscular"
    THREE_OF_FIVE = "three_of_five"


class Status(StrEnum):
    NONE = "none"
    ONCE = "once"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Parameters:
    vas_worse_cm: Decimal = Decimal(2)
    strength_worse_percent: Decimal = Decimal(20)
    measure_worse_percent: Decimal = Decimal(30)
    measures_worse: int = 3
    haq_worse_from_zero: Decimal = Decimal("0.375")
    look_back_days: int = 365


DEFAULTS = Parameters()


@dataclass(frozen=True)
class Visit:
    """One assessment: VAS in cm (0-10), HAQ-DI 0-3, MMT8 out of 150 and out of 80. None is missing, 0 is a value."""

    day: date
    physician_vas: Decimal | None = None
    patient_vas: Decimal | None = None
    haq_di: Decimal | None = None
    mmt8_150: Decimal | int | None = None
    mmt8_80: Decimal | int | None = None
    extramuscular_vas: Decimal | None = None

    @property
    def counts(self) -> bool:
        """A visit has at least one of the five clinical measures."""
        values = (
            self.physician_vas,
            self.patient_vas,
            self.haq_di,
            self.mmt8_150,
            self.mmt8_80,
            self.extramuscular_vas,
        )
        return any(value is not None for value in values)


@dataclass(frozen=True)
class Change:
    """One measure of a visit beside the best before it. ``maximum`` names the scale of MMT8 (150 or 80), else None.

    ``worse_by`` is in the measure's own unit, positive is worse. ``percent`` is ``worse_by`` in percent of ``best``,
    None where that is 0. ``worse`` is the 30 % test of this measure.
    """

    measure: Measure
    best: Decimal
    value: Decimal
    worse_by: Decimal
    percent: Fraction | None
    worse: bool
    maximum: int | None = None


@dataclass(frozen=True)
class Judgement:
    """What the definition says of one visit. ``changes`` holds the measures that could be compared, and only those."""

    visit: Visit
    changes: tuple[Change, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def meets(self) -> bool:
        return bool(self.reasons)

    @property
    def worse(self) -> tuple[Measure, ...]:
        return tuple(change.measure for change in self.changes if change.worse)

    @property
    def evaluable(self) -> bool:
        """False where no measure had anything to be compared with: then "not met" says nothing."""
        return bool(self.changes)


@dataclass(frozen=True)
class Deterioration:
    """``judgements`` of every visit since the baseline, oldest first; ``status`` looks at the newest two."""

    status: Status
    judgements: tuple[Judgement, ...] = field(default=())

    @property
    def newest(self) -> Judgement | None:
        return self.judgements[-1] if self.judgements else None


def judge(visit: Visit, earlier: Sequence[Visit], parameters: Parameters = DEFAULTS) -> Judgement:
    """Judge one visit against ``earlier`` visits since the baseline; those older than the look-back are left out."""
    pool = [v for v in earlier if v.counts and 0 <= (visit.day - v.day).days <= parameters.look_back_days]
    changes: dict[Measure, Change] = {}
    for measure in Measure:
        change = _compare(measure, visit, pool, parameters)
        if change is not None:
            changes[measure] = change
    reasons: list[Reason] = []
    physician, strength = changes.get(Measure.PHYSICIAN_VAS), changes.get(Measure.MMT8)
    if (
        physician is not None
        and strength is not None
        and physician.worse_by >= parameters.vas_worse_cm
        and strength.percent is not None
        and strength.percent >= Fraction(parameters.strength_worse_percent)
    ):
        reasons.append(Reason.GLOBAL_AND_STRENGTH)
    extramuscular = changes.get(Measure.EXTRAMUSCULAR_VAS)
    if extramuscular is not None and extramuscular.worse_by >= parameters.vas_worse_cm:
        reasons.append(Reason.EXTRAMUSCULAR)
    if sum(change.worse for change in changes.values()) >= parameters.measures_worse:
        reasons.append(Reason.THREE_OF_FIVE)
    return Judgement(visit=visit, changes=tuple(changes.values()), reasons=tuple(reasons))


def assess(
    visits: Sequence[Visit], baseline_day: date | None = None, parameters: Parameters = DEFAULTS
) -> Deterioration:
    """Judge all visits on or after ``baseline_day`` (None: all of them) and say whether deterioration stands.

    ``visits`` may come in any order of day; of one day they keep the order given. Visits without any of the five
    measures are passed over. One visit that meets it, if the newest: once. The two newest: confirmed.
    """
    counted = sorted(
        (v for v in visits if v.counts and (baseline_day is None or v.day >= baseline_day)), key=lambda v: v.day
    )
    judgements = tuple(judge(visit, counted[:i], parameters) for i, visit in enumerate(counted))
    if not judgements or not judgements[-1].meets:
        status = Status.NONE
    elif len(judgements) > 1 and judgements[-2].meets:
        status = Status.CONFIRMED
    else:
        status = Status.ONCE
    return Deterioration(status=status, judgements=judgements)


def _compare(measure: Measure, visit: Visit, pool: Sequence[Visit], parameters: Parameters) -> Change | None:
    if measure is Measure.MMT8:
        # On 0-150 where this visit and an earlier one have it, else on 0-80. The scales are never mixed.
        for attribute, maximum in (("mmt8_150", 150), ("mmt8_80", 80)):
            now, before = _values(attribute, visit, pool)
            if now is not None and before:
                best = max(before)
                return _change(measure, best, now, best - now, parameters, maximum)
        return None
    now, before = _values(measure.value, visit, pool)
    if now is None or not before:
        return None
    best = min(before)
    return _change(measure, best, now, now - best, parameters)


def _values(attribute: str, visit: Visit, pool: Sequence[Visit]) -> tuple[Decimal | None, list[Decimal]]:
    now = getattr(visit, attribute)
    before = [Decimal(value) for v in pool if (value := getattr(v, attribute)) is not None]
    return (None if now is None else Decimal(now)), before


def _change(
    measure: Measure,
    best: Decimal,
    value: Decimal,
    worse_by: Decimal,
    parameters: Parameters,
    maximum: int | None = None,
) -> Change:
    percent: Fraction | None = None
    if best != 0:
        percent = Fraction(worse_by) * 100 / Fraction(best)
        worse = percent >= Fraction(parameters.measure_worse_percent)
    elif measure is Measure.MMT8:
        worse = False  # strength cannot fall below 0
    elif measure is Measure.HAQ_DI:
        worse = worse_by >= parameters.haq_worse_from_zero
    else:
        worse = worse_by >= parameters.vas_worse_cm
    return Change(measure, best, value, worse_by, percent, worse, maximum)
