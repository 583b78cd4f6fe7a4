"""Manual muscle test of eight groups (MMT8).

Source: IMACS Form 04 and the MMT8 testing procedures of 18 June 2007. Every cell is a whole number from 0 to 10
(Kendall), 10 is normal. Neck flexors are axial; the other seven groups have a right and a left side. One side is 0-80,
tested generally on the right, on the left where the right cannot be tested; both sides are 0-150.

A full score does not mean normal endurance, and the test follows inclusion body myositis poorly (no finger flexors).
MRC grades cannot be converted to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from common.words import N_


class Side(StrEnum):
    AXIAL = "axial"
    RIGHT = "right"
    LEFT = "left"


class Muscle(StrEnum):
    NECK_FLEXORS = "neck_flexors"
    DELTOID = "deltoid"
    BICEPS = "biceps"
    WRIST_EXTENSORS = "wrist_extensors"
    GLUTEUS_MAXIMUS = "gluteus_maximus"
    GLUTEUS_MEDIUS = "gluteus_medius"
    QUADRICEPS = "quadriceps"
    ANKLE_DORSIFLEXORS = "ankle_dorsiflexors"


@dataclass(frozen=True)
class MuscleGroup:
    """A row of the form: ``position`` is the anti-gravity test position."""

    muscle: Muscle
    name: str
    axial: bool
    position: str


GROUPS: tuple[MuscleGroup, ...] = (
    MuscleGroup(Muscle.NECK_FLEXORS, N_("Neck flexors"), True, N_("supine")),
    MuscleGroup(Muscle.DELTOID, N_("Deltoid, middle"), False, N_("sitting")),
    MuscleGroup(Muscle.BICEPS, N_("Biceps brachii"), False, N_("sitting")),
    MuscleGroup(Muscle.WRIST_EXTENSORS, N_("Wrist extensors"), False, N_("sitting")),
    MuscleGroup(Muscle.GLUTEUS_MAXIMUS, N_("Gluteus maximus"), False, N_("prone")),
    MuscleGroup(Muscle.GLUTEUS_MEDIUS, N_("Gluteus medius"), False, N_("side-lying")),
    MuscleGroup(Muscle.QUADRICEPS, N_("Quadriceps"), False, N_("sitting")),
    MuscleGroup(Muscle.ANKLE_DORSIFLEXORS, N_("Ankle dorsiflexors"), False, N_("sitting")),
)

Cell = tuple[Muscle, Side]

# Every cell of the form in reading order: the neck, then right and left of each group. 15 cells.
CELLS: tuple[Cell, ...] = tuple(
    (group.muscle, side) for group in GROUPS for side in ((Side.AXIAL,) if group.axial else (Side.RIGHT, Side.LEFT))
)
CELL_MAXIMUM = 10
BOTH_SIDES_MAXIMUM = CELL_MAXIMUM * len(CELLS)
ONE_SIDE_MAXIMUM = CELL_MAXIMUM * len(GROUPS)
ONE_DECIMAL = Decimal("0.1")


class TotalMismatchError(ValueError):
    """A total typed by hand is not the sum of its cells: `summed`, None where not every cell was tested."""

    def __init__(self, message: str, summed: int | None = None) -> None:
        super().__init__(message)
        self.summed = summed


@dataclass(frozen=True)
class Mmt8:
    """The scored test.

    ``total_150``: both sides, None unless all 15 cells were tested.
    ``one_sided_80``: None unless every group was tested on at least one side.
    ``sides``: the side each group of the one-sided total was taken from.
    ``prorated_150``, ``prorated_80``: only where exactly one cell is missing, one decimal; never for the TIS.
    ``missing``: untested cells, in the order of the form.
    ``asymmetry``: right minus left of every group tested on both.
    """

    total_150: int | None
    one_sided_80: int | None
    sides: Mapping[Muscle, Side]
    prorated_150: Decimal | None
    prorated_80: Decimal | None
    missing: tuple[Cell, ...]
    asymmetry: Mapping[Muscle, int]

    @property
    def complete(self) -> bool:
        """True where the test gives a total on either scale."""
        return self.total_150 is not None or self.one_sided_80 is not None

    @property
    def side(self) -> str | None:
        """Side of the one-sided total: "right", "left", or "mixed"; None where there is no such total."""
        if self.one_sided_80 is None:
            return None
        used = {side for side in self.sides.values() if side is not Side.AXIAL}
        return used.pop().value if len(used) == 1 else "mixed"

    @property
    def widest_difference(self) -> int | None:
        """Greatest difference between the sides of one group, in points; None where none was tested on both."""
        return max((abs(d) for d in self.asymmetry.values()), default=None)


def score(cells: Mapping[Cell, int | None]) -> Mmt8:
    """Score a form. A cell that is None or absent was not tested; 0 is a grade.

    Raises ValueError for a cell that is not on the form or not a whole number from 0 to 10.
    """
    for cell, grade in cells.items():
        if cell not in CELLS:
            raise ValueError("this muscle and side is not on the MMT8 form")
        if grade is not None and (
            isinstance(grade, bool) or not isinstance(grade, int) or not 0 <= grade <= CELL_MAXIMUM
        ):
            raise ValueError(f"a muscle grade is a whole number from 0 to {CELL_MAXIMUM}")
    tested = {cell: grade for cell, grade in cells.items() if grade is not None}
    missing = tuple(cell for cell in CELLS if cell not in tested)

    sides: dict[Muscle, Side] = {}
    asymmetry: dict[Muscle, int] = {}
    for group in GROUPS:
        order = (Side.AXIAL,) if group.axial else (Side.RIGHT, Side.LEFT)
        used = next((side for side in order if (group.muscle, side) in tested), None)
        if used is not None:
            sides[group.muscle] = used
        right, left = tested.get((group.muscle, Side.RIGHT)), tested.get((group.muscle, Side.LEFT))
        if right is not None and left is not None:
            asymmetry[group.muscle] = right - left
    one_side = sum(tested[(muscle, side)] for muscle, side in sides.items())
    everything = sum(tested.values())

    return Mmt8(
        total_150=everything if not missing else None,
        one_sided_80=one_side if len(sides) == len(GROUPS) else None,
        sides=sides,
        prorated_150=_prorate(everything, len(tested), len(CELLS)),
        prorated_80=_prorate(one_side, len(sides), len(GROUPS)),
        missing=missing,
        asymmetry=asymmetry,
    )


def check_total(result: Mmt8, typed: int, maximum: int) -> None:
    """Raise TotalMismatchError where a total typed by hand is not the one of the cells, on the 80 or the 150 scale."""
    if maximum not in (ONE_SIDE_MAXIMUM, BOTH_SIDES_MAXIMUM):
        raise ValueError(f"an MMT8 total is out of {ONE_SIDE_MAXIMUM} or {BOTH_SIDES_MAXIMUM}")
    summed = result.one_sided_80 if maximum == ONE_SIDE_MAXIMUM else result.total_150
    if summed is None:
        raise TotalMismatchError(f"there is no total out of {maximum}: not every cell was tested")
    if typed != summed:
        raise TotalMismatchError(f"the cells add up to {summed}, not {typed}", summed)


def _prorate(total: int, tested: int, expected: int) -> Decimal | None:
    if tested != expected - 1:
        return None
    return (Decimal(total) * expected / tested).quantize(ONE_DECIMAL, ROUND_HALF_UP)
