"""Change of lung function in known interstitial lung disease, and the criteria of progressive pulmonary fibrosis.

Source: Raghu G, et al. ATS/ERS/JRS/ALAT 2022, Am J Respir Crit Care Med 2022;205:e18-47, table 4: two of three within a
year without another explanation (symptoms; FVC down by 5 points of percent predicted or more, or haemoglobin-corrected
DLCO by 10 or more; imaging). The relative falls (FVC 10 %, DLCO 15 %) are common alarms, from general knowledge.

Percentages of predicted are compared only within one reference set, and DLCO only where both tests say the same of the
correction for haemoglobin. Two tests that both say nothing are compared, and ``cautions`` says so. Litres need no
reference set, so the relative fall of FVC goes by litres where both tests have them.

In myositis a low FVC with a preserved DLCO can be weakness of the respiratory muscles: ``muscle_may_explain``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction


class HbCorrected(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Criterion(StrEnum):
    SYMPTOMS = "symptoms"
    PHYSIOLOGY = "physiology"
    IMAGING = "imaging"


class Caution(StrEnum):
    REFERENCE_NOT_STATED = "reference_not_stated"
    OTHER_REFERENCE = "other_reference"
    HB_NOT_STATED = "hb_not_stated"
    HB_NOT_CORRECTED = "hb_not_corrected"
    OTHER_HB = "other_hb"


@dataclass(frozen=True)
class Parameters:
    fvc_absolute: Decimal = Decimal(5)
    dlco_absolute: Decimal = Decimal(10)
    fvc_relative: Decimal = Decimal(10)
    dlco_relative: Decimal = Decimal(15)
    look_back_days: int = 365
    criteria_for_progression: int = 2


DEFAULTS = Parameters()


@dataclass(frozen=True)
class Test:
    """One test: FVC in litres and in percent of predicted, DLCO in percent of predicted. None is missing."""

    __test__ = False  # not a test of pytest's

    day: date
    fvc_l: Decimal | None = None
    fvc_percent: Decimal | None = None
    dlco_percent: Decimal | None = None
    hb_corrected: str = HbCorrected.UNKNOWN
    reference_set: str = ""

    @property
    def reference(self) -> str:
        return "".join(self.reference_set.casefold().split())


@dataclass(frozen=True)
class Fall:
    """From ``before`` to ``now``: positive is worse. Points of percent predicted, litres or percent, exact."""

    before_day: date
    before: Decimal
    now: Decimal

    @property
    def absolute(self) -> Decimal:
        return self.before - self.now

    @property
    def relative(self) -> Fraction | None:
        """Percent of the earlier value; None where that is 0."""
        return Fraction(self.absolute) * 100 / Fraction(self.before) if self.before else None


@dataclass(frozen=True)
class LungChange:
    """A test beside the best of the tests before it, measure by measure; None where there is nothing to compare with.

    ``fvc_percent`` and ``dlco_percent`` are points of percent predicted; ``fvc_relative`` is by litres where both
    tests have them, else by percent predicted.
    """

    fvc_percent: Fall | None
    fvc_relative: Fall | None
    dlco_percent: Fall | None
    cautions: tuple[Caution, ...]
    parameters: Parameters

    @property
    def physiology(self) -> bool | None:
        """The criterion of lung function; None where what could be compared does not settle it."""
        p = self.parameters
        found = [
            None if fall is None else fall.absolute >= limit
            for fall, limit in ((self.fvc_percent, p.fvc_absolute), (self.dlco_percent, p.dlco_absolute))
        ]
        return True if True in found else None if None in found else False

    @property
    def great_fall(self) -> bool | None:
        """A relative fall that alone is an alarm: FVC by 10 % or DLCO by 15 %, or more."""
        p = self.parameters
        found = [
            None if fall is None or fall.relative is None else fall.relative >= Fraction(limit)
            for fall, limit in ((self.fvc_relative, p.fvc_relative), (self.dlco_percent, p.dlco_relative))
        ]
        return True if True in found else None if None in found else False

    @property
    def muscle_may_explain(self) -> bool:
        """FVC fell, DLCO was measured and did not: think of the respiratory muscles."""
        p = self.parameters
        fvc = (self.fvc_percent is not None and self.fvc_percent.absolute >= p.fvc_absolute) or (
            self.fvc_relative is not None
            and self.fvc_relative.relative is not None
            and self.fvc_relative.relative >= Fraction(p.fvc_relative)
        )
        return fvc and self.dlco_percent is not None and self.dlco_percent.absolute < p.dlco_absolute


@dataclass(frozen=True)
class Progression:
    """The criteria that hold within the year, those that do not, and those nobody can tell."""

    change: LungChange | None
    met: tuple[Criterion, ...]
    unknown: tuple[Criterion, ...]

    @property
    def progressive(self) -> bool | None:
        """Two of the three; None where the unknown ones decide."""
        needed = (self.change.parameters if self.change else DEFAULTS).criteria_for_progression
        if len(self.met) >= needed:
            return True
        return None if len(self.met) + len(self.unknown) >= needed else False

    @property
    def alarm(self) -> bool:
        """Worth acting on: two criteria, or a great relative fall."""
        return self.progressive is True or (self.change is not None and self.change.great_fall is True)


def compare(newest: Test, earlier: Sequence[Test], parameters: Parameters = DEFAULTS) -> LungChange:
    """The newest test against the best comparable value of each measure in the 365 days before it.

    Tests of the same or a later day, and older ones, are left out. Of equally good values the newest counts.
    """
    pool = [t for t in earlier if 0 < (newest.day - t.day).days <= parameters.look_back_days]
    same_set = [t for t in pool if t.reference == newest.reference]
    same_hb = [t for t in same_set if t.hb_corrected == newest.hb_corrected]
    fvc = _fall(newest, same_set, "fvc_percent")
    litres = _fall(newest, pool, "fvc_l")
    dlco = _fall(newest, same_hb, "dlco_percent")
    cautions = []
    if (fvc or dlco) and not newest.reference:
        cautions.append(Caution.REFERENCE_NOT_STATED)
    if (fvc is None and _fall(newest, pool, "fvc_percent")) or (
        _fall(newest, same_set, "dlco_percent") is None and _fall(newest, pool, "dlco_percent")
    ):
        cautions.append(Caution.OTHER_REFERENCE)
    if dlco and newest.hb_corrected == HbCorrected.UNKNOWN:
        cautions.append(Caution.HB_NOT_STATED)
    if dlco and newest.hb_corrected == HbCorrected.NO:
        cautions.append(Caution.HB_NOT_CORRECTED)
    if dlco is None and _fall(newest, same_set, "dlco_percent"):
        cautions.append(Caution.OTHER_HB)
    return LungChange(
        fvc_percent=fvc,
        fvc_relative=litres or fvc,
        dlco_percent=dlco,
        cautions=tuple(cautions),
        parameters=parameters,
    )


def progression(change: LungChange | None, symptoms: bool | None, imaging: bool | None) -> Progression:
    """Count the criteria. FVC and DLCO together are one. None: not known, and not "no"."""
    found = {
        Criterion.SYMPTOMS: symptoms,
        Criterion.PHYSIOLOGY: None if change is None else change.physiology,
        Criterion.IMAGING: imaging,
    }
    return Progression(
        change=change,
        met=tuple(c for c, holds in found.items() if holds is True),
        unknown=tuple(c for c, holds in found.items() if holds is None),
    )


def _fall(newest: Test, pool: Sequence[Test], name: str) -> Fall | None:
    now = getattr(newest, name)
    before = [(value, t.day) for t in pool if (value := getattr(t, name)) is not None]
    if now is None or not before:
        return None
    best, day = max(before)
    return Fall(day, best, now)
