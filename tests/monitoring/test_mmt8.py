from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.scores.mmt8 import CELLS, GROUPS, Muscle, Side, TotalMismatchError, check_total, score

FULL = dict.fromkeys(CELLS, 10)
RIGHT = {cell: 10 for cell in CELLS if cell[1] is not Side.LEFT}


def test_the_form_has_15_cells_of_8_groups():
    assert len(CELLS) == 15
    assert len(GROUPS) == 8
    assert CELLS[:3] == ((Muscle.NECK_FLEXORS, Side.AXIAL), (Muscle.DELTOID, Side.RIGHT), (Muscle.DELTOID, Side.LEFT))


def test_normal_strength():
    result = score(FULL)
    assert (result.total_150, result.one_sided_80) == (150, 80)
    assert result.side == "right"
    assert result.missing == ()
    assert result.prorated_150 is None
    assert result.prorated_80 is None
    assert result.widest_difference == 0


def test_no_strength_is_a_score_and_not_missing():
    result = score(dict.fromkeys(CELLS, 0))
    assert (result.total_150, result.one_sided_80, result.missing) == (0, 0, ())
    assert result.complete


def test_one_side_is_the_right():
    cells = {cell: (4 if cell[1] is Side.LEFT else 9) for cell in CELLS}
    result = score(cells)
    assert result.one_sided_80 == 72
    assert result.total_150 == 72 + 7 * 4
    assert result.asymmetry[Muscle.QUADRICEPS] == 5
    assert result.widest_difference == 5


def test_only_the_right_was_tested():
    result = score(RIGHT)
    assert (result.one_sided_80, result.total_150) == (80, None)
    assert result.side == "right"
    assert len(result.missing) == 7
    assert result.prorated_150 is None
    assert result.widest_difference is None


def test_left_stands_in_where_the_right_cannot_be_tested():
    cells = dict(RIGHT)
    cells[(Muscle.DELTOID, Side.RIGHT)] = None
    cells[(Muscle.DELTOID, Side.LEFT)] = 6
    result = score(cells)
    assert result.one_sided_80 == 76
    assert result.sides[Muscle.DELTOID] is Side.LEFT
    assert result.sides[Muscle.BICEPS] is Side.RIGHT
    assert result.side == "mixed"


def test_only_the_left_was_tested():
    result = score({cell: 8 for cell in CELLS if cell[1] is not Side.RIGHT})
    assert result.one_sided_80 == 64
    assert result.side == "left"


def test_one_missing_cell_is_prorated_and_gives_no_total():
    cells = {**dict.fromkeys(CELLS, 9), (Muscle.BICEPS, Side.LEFT): None}
    result = score(cells)
    assert result.total_150 is None
    assert result.prorated_150 == Decimal("135.0")
    assert result.one_sided_80 == 72
    assert result.missing == ((Muscle.BICEPS, Side.LEFT),)


def test_missing_neck_spoils_both_totals():
    cells = {**dict.fromkeys(CELLS, 7), (Muscle.NECK_FLEXORS, Side.AXIAL): None}
    result = score(cells)
    assert (result.total_150, result.one_sided_80, result.side) == (None, None, None)
    assert (result.prorated_150, result.prorated_80) == (Decimal("105.0"), Decimal("56.0"))
    assert not result.complete


def test_two_missing_cells_are_not_prorated():
    cells = {**dict.fromkeys(CELLS, 9), (Muscle.BICEPS, Side.LEFT): None, (Muscle.DELTOID, Side.LEFT): None}
    assert score(cells).prorated_150 is None


def test_prorated_is_rounded_half_up_to_one_decimal():
    cells = {**FULL, (Muscle.BICEPS, Side.LEFT): None, (Muscle.DELTOID, Side.LEFT): 9}
    assert score(cells).prorated_150 == Decimal("148.9")  # 139 / 140 * 150 = 148.93


def test_nothing_tested():
    result = score({})
    assert (result.total_150, result.one_sided_80) == (None, None)
    assert result.missing == CELLS


@pytest.mark.parametrize("grade", [-1, 11, 5.5, "5", True, Decimal(5)])
def test_grades_are_whole_numbers_to_ten(grade):
    with pytest.raises(ValueError, match="whole number"):
        score({(Muscle.DELTOID, Side.RIGHT): grade})


@pytest.mark.parametrize(
    "cell", [(Muscle.NECK_FLEXORS, Side.RIGHT), (Muscle.DELTOID, Side.AXIAL), ("triceps", Side.LEFT)]
)
def test_cells_that_are_not_on_the_form(cell):
    with pytest.raises(ValueError, match="not on the MMT8 form"):
        score({cell: 5})


def test_typed_totals_must_be_the_sum():
    result = score(FULL)
    check_total(result, 150, 150)
    check_total(result, 80, 80)
    with pytest.raises(TotalMismatchError, match="add up to 150"):
        check_total(result, 149, 150)
    with pytest.raises(TotalMismatchError, match="not every cell"):
        check_total(score(RIGHT), 150, 150)
    with pytest.raises(ValueError, match="out of 80 or 150"):
        check_total(result, 150, 260)


@given(st.dictionaries(st.sampled_from(CELLS), st.none() | st.integers(0, 10)))
def test_totals_exist_exactly_when_everything_they_need_was_tested(cells):
    result = score(cells)
    tested = {cell for cell, grade in cells.items() if grade is not None}
    assert (result.total_150 is not None) == (tested == set(CELLS))
    assert (result.one_sided_80 is not None) == ({cell[0] for cell in tested} == set(Muscle))
    assert set(result.missing) == set(CELLS) - tested
    if result.one_sided_80 is not None:
        assert 0 <= result.one_sided_80 <= 80
