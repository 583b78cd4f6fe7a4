"""Functional Index 2 and 3 (FI-2, FI-3): endurance in dermatomyositis and polymyositis.

Source: Alexanderson H, et al. The seven tasks of FI-2 are listed in NCT01813617; the pace (40 beats a minute), the
maxima (60 repetitions, 120 for heel and toe lift) and the three tasks of FI-3 are from general knowledge.

Every task is told by itself, in repetitions and in percent of its maximum; the mean of the percentages is this
project's summary of a complete test, since a sum of repetitions would count heel and toe lift twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from common.words import N_


class Version(StrEnum):
    FI2 = "fi2"
    FI3 = "fi3"


NAMES: Mapping[str, str] = MappingProxyType({
    "shoulder_flexion": N_("Shoulder flexion"),
    "shoulder_abduction": N_("Shoulder abduction"),
    "neck_flexion": N_("Neck flexion"),
    "hip_flexion": N_("Hip flexion"),
    "step_test": N_("Step test"),
    "heel_lift": N_("Heel lift"),
    "toe_lift": N_("Toe lift"),
})  # fmt: skip
# Most repetitions of each task, in the order of the test.
MAXIMA: Mapping[Version, Mapping[str, int]] = MappingProxyType({
    Version.FI2: MappingProxyType({
        "shoulder_flexion": 60, "shoulder_abduction": 60, "neck_flexion": 60, "hip_flexion": 60, "step_test": 60,
        "heel_lift": 120, "toe_lift": 120,
    }),
    Version.FI3: MappingProxyType({"shoulder_flexion": 60, "neck_flexion": 60, "hip_flexion": 60}),
})  # fmt: skip


@dataclass(frozen=True)
class FunctionalIndex:
    """``percent`` of the maximum of each task done, exact; ``mean_percent`` is None unless every task was done."""

    version: Version
    repetitions: Mapping[str, int]
    percent: Mapping[str, Fraction]
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def mean_percent(self) -> Fraction | None:
        return sum(self.percent.values(), Fraction(0)) / len(self.percent) if self.complete else None

    @property
    def mean(self) -> Decimal | None:
        """The mean of the percentages as it is kept, two decimals."""
        exact = self.mean_percent
        if exact is None:
            return None
        return (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)


def score(version: Version, tasks: Mapping[str, int | None]) -> FunctionalIndex:
    """Score the repetitions of each task; None or absent was not done, 0 was tried. ValueError for anything else."""
    maxima = MAXIMA[version]
    for code, done in tasks.items():
        if code not in maxima:
            raise ValueError(f"this task is not part of the {version.upper()}")
        if done is not None and (isinstance(done, bool) or not isinstance(done, int) or not 0 <= done <= maxima[code]):
            raise ValueError(f"this task has 0 to {maxima[code]} repetitions")
    done_tasks = {code: done for code in maxima if (done := tasks.get(code)) is not None}
    return FunctionalIndex(
        version=version,
        repetitions=done_tasks,
        percent={code: Fraction(done * 100, maxima[code]) for code, done in done_tasks.items()},
        missing=tuple(code for code in maxima if code not in done_tasks),
    )
