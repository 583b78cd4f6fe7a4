"""Doses made of whole tablets: worked examples, and what must hold of every answer."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from therapy.tablets import MOST_MG, StrengthsRefusedError, fewest, nearest

D = Decimal
PREDNISOLONE = [D(1), D("2.5"), D(5), D(20)]

# Strengths tablets really have, and a few that make it hard: 3 and 4 without a 1.
strength = st.sampled_from([D(1), D(2), D("2.5"), D(3), D(4), D(5), D(6), D(10), D("12.5"), D(16), D(20), D(50)])
some_strengths = st.lists(strength, min_size=1, max_size=5, unique=True)
dose = st.integers(0, 200).map(lambda half: D(half) / 2)


@pytest.mark.parametrize(
    ("mg", "strengths", "counts"),
    [
        ("17.5", PREDNISOLONE, [("5", 3), ("2.5", 1)]),
        ("60", PREDNISOLONE, [("20", 3)]),
        ("12", PREDNISOLONE, [("5", 2), ("1", 2)]),
        ("7", PREDNISOLONE, [("5", 1), ("1", 2)]),
        # 6 = 3 + 3, where taking the strongest first would leave 4 + 1 + 1
        ("6", [D(1), D(3), D(4)], [("3", 2)]),
        ("0", PREDNISOLONE, []),
        ("0", [], []),
        # two ways with two tablets: the one with the strongest
        ("10", [D(5), D(8), D(2)], [("8", 1), ("2", 1)]),
    ],
)
def test_worked_examples(mg: str, strengths: list[Decimal], counts: list[tuple[str, int]]) -> None:
    made = fewest(D(mg), strengths)
    assert made is not None
    assert made.counts == tuple((D(s), n) for s, n in counts)


@pytest.mark.parametrize(
    ("mg", "strengths", "below", "above"),
    [
        ("17.5", [D(5), D(20)], "15", "20"),
        ("2.5", [D(5)], "0", "5"),
        ("7", [D(3), D(5)], "6", "8"),
        ("1", [], "0", None),
        ("999.5", [D(20)], "980", "1000"),
        ("999.5", [D(30)], "990", None),
        ("10", [D(5)], "10", "10"),
    ],
)
def test_what_cannot_be_made_is_said_with_its_neighbours(
    mg: str, strengths: list[Decimal], below: str, above: str | None
) -> None:
    assert (fewest(D(mg), strengths) is None) == (D(below) != D(mg))
    assert nearest(D(mg), strengths) == (D(below), None if above is None else D(above))


@given(dose, some_strengths)
def test_it_is_the_exact_dose_of_whole_tablets_that_are_at_hand(mg: Decimal, strengths: list[Decimal]) -> None:
    made = fewest(mg, strengths)
    if made is None:
        return
    assert made.mg == mg
    assert made.number == sum(count for _, count in made.counts)
    assert all(type(count) is int and count > 0 and s in strengths for s, count in made.counts)
    assert [s for s, _ in made.counts] == sorted({s for s, _ in made.counts}, reverse=True)


@given(st.integers(0, 50).map(lambda half: D(half) / 2), st.lists(strength, min_size=1, max_size=3, unique=True))
def test_nothing_smaller_is_found_by_trying_everything(mg: Decimal, strengths: list[Decimal]) -> None:
    counts = itertools.product(*(range(int(mg / s) + 1) for s in strengths))
    ways = [way for way in counts if sum((s * n for s, n in zip(strengths, way, strict=True)), D(0)) == mg]
    made = fewest(mg, strengths)
    if not ways:
        assert made is None
        return
    assert made is not None
    assert made.number == min(map(sum, ways))
    strongest_first = sorted(strengths, reverse=True)
    as_counts = [tuple(way[strengths.index(s)] for s in strongest_first) for way in ways if sum(way) == made.number]
    assert max(as_counts) == tuple(dict(made.counts).get(s, 0) for s in strongest_first)


@given(dose, some_strengths)
def test_the_neighbours_can_be_made_and_nothing_between_them(mg: Decimal, strengths: list[Decimal]) -> None:
    below, above = nearest(mg, strengths)
    assert above is not None
    assert below <= mg <= above
    assert fewest(below, strengths) is not None
    assert fewest(above, strengths) is not None
    step = D("0.5")
    between = below + step
    while between < above:
        assert fewest(between, strengths) is None
        between += step


@pytest.mark.parametrize(("mg", "strengths"), [("-1", PREDNISOLONE), (str(MOST_MG + 1), PREDNISOLONE), ("5", [D(0)]),
                                               ("5", [D(-5), D(5)])])  # fmt: skip
def test_what_is_no_dose_or_no_tablet_is_refused(mg: str, strengths: list[Decimal]) -> None:
    with pytest.raises(StrengthsRefusedError):
        fewest(D(mg), strengths)
