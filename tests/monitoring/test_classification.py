"""EULAR/ACR 2017: the examples of the rule book, every limit, and what nobody looked at."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.scores.classification import (
    BIOPSY_POINTS,
    POINTS,
    SKIN,
    Class,
    Items,
    SubClass,
    age_points,
    class_of,
    classify,
    probability_of,
)

D = Decimal
# Everything looked at, nothing found; each example says what was.
NOTHING = Items(
    **dict.fromkeys(POINTS, False), age_at_onset=10, finger_flexor_weakness=False, improved_on_treatment=True
)
NOTHING_IN_BIOPSY = replace(NOTHING, has_biopsy=True, **dict.fromkeys(BIOPSY_POINTS, False))


def found(*names, on=NOTHING, **more):
    return replace(on, **dict.fromkeys(names, True), **more)


WEAK_AT_50 = found("weak_upper_proximal", "weak_lower_proximal", "neck_flexors_weaker", "enzyme_high", age_at_onset=50)
EXAMPLES = {
    "polymyositis": (WEAK_AT_50, "6.8", Class.PROBABLE, SubClass.POLYMYOSITIS, True),
    "with heliotrope": (found("heliotrope", on=WEAK_AT_50), "9.9", Class.DEFINITE, SubClass.DERMATOMYOSITIS, False),
    "vacuoles": (
        found(
            "rimmed_vacuoles", "endomysial_infiltrate", "enzyme_high", "legs_proximal_weaker",
            on=NOTHING_IN_BIOPSY, age_at_onset=62,
        ),
        "9.6", Class.DEFINITE, SubClass.INCLUSION_BODY, False,
    ),
    "a child": (
        found("heliotrope", "gottron_sign", "enzyme_high"),
        "7.7", Class.DEFINITE, SubClass.JUVENILE_DERMATOMYOSITIS, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_rule_book(name):
    items, score, class_, subclass, biopsy = EXAMPLES[name]
    result = classify(items)
    assert result.score == D(score)
    assert result.class_ is class_
    assert result.classified is True
    assert result.subclass is subclass
    assert result.biopsy_recommended is biopsy
    assert result.missing == result.subclass_missing == ()


@pytest.mark.parametrize(
    ("score", "biopsy", "class_"),
    [
        ("5.2", False, Class.NOT_IIM),
        ("5.3", False, Class.POSSIBLE),
        ("5.4", False, Class.POSSIBLE),
        ("5.5", False, Class.PROBABLE),
        ("7.4", False, Class.PROBABLE),
        ("7.5", False, Class.DEFINITE),
        ("6.4", True, Class.NOT_IIM),
        ("6.5", True, Class.POSSIBLE),
        ("6.6", True, Class.POSSIBLE),
        ("6.7", True, Class.PROBABLE),
        ("8.6", True, Class.PROBABLE),
        ("8.7", True, Class.DEFINITE),
    ],
)
def test_a_score_on_a_limit_belongs_to_the_class(score, biopsy, class_):
    assert class_of(D(score), biopsy) is class_


@pytest.mark.parametrize(
    ("items", "score", "class_"),
    [
        (
            found("weak_upper_proximal", "neck_flexors_weaker", "legs_proximal_weaker", "dysphagia", "enzyme_high"),
            "5.5", Class.PROBABLE,
        ),
        (
            found("weak_upper_proximal", "legs_proximal_weaker", "dysphagia", "anti_jo1", "enzyme_high"),
            "7.5", Class.DEFINITE,
        ),
        (found("neck_flexors_weaker", "gottron_papules", "enzyme_high"), "5.3", Class.POSSIBLE),
    ],
)  # fmt: skip
def test_findings_that_add_up_to_a_limit(items, score, class_):
    """In binary floats the first is 5.499999999999999 and the second 7.499999999999999."""
    assert classify(items).score == D(score)
    assert classify(items).class_ is class_


@pytest.mark.parametrize(
    ("score", "biopsy", "p"),
    [("5.3", False, "0.493"), ("5.5", False, "0.542"), ("7.5", False, "0.898"),
     ("6.5", True, "0.502"), ("6.7", True, "0.552"), ("8.7", True, "0.901")],
)  # fmt: skip
def test_the_probability_is_information_and_disagrees_at_the_limits(score, biopsy, p):
    assert probability_of(D(score), biopsy) == D(p)


@pytest.mark.parametrize(
    ("age", "without", "with_biopsy"),
    [(0, "0", "0"), (17, "0", "0"), (18, "1.3", "1.5"), (39, "1.3", "1.5"), (40, "2.1", "2.2"), (90, "2.1", "2.2")],
)
def test_points_of_the_age(age, without, with_biopsy):
    assert (age_points(age, False), age_points(age, True)) == (D(without), D(with_biopsy))


@pytest.mark.parametrize(
    ("items", "subclass", "open_items"),
    [
        # the tree, branch by branch; Jo-1 with a rash or an enzyme makes it definite
        (found("anti_jo1", "gottron_sign", "enzyme_high", age_at_onset=17), SubClass.JUVENILE_DERMATOMYOSITIS, ()),
        (found("anti_jo1", "neck_flexors_weaker", age_at_onset=17), SubClass.OTHER_JUVENILE, ()),
        (found("anti_jo1", "gottron_sign", age_at_onset=18), SubClass.AMYOPATHIC, ()),
        (found("heliotrope", "gottron_papules", "weak_upper_proximal", age_at_onset=18), SubClass.DERMATOMYOSITIS, ()),
        (
            found("gottron_papules", "gottron_sign", "legs_proximal_weaker", age_at_onset=40),
            SubClass.DERMATOMYOSITIS, (),
        ),
        (
            found("finger_flexor_weakness", on=WEAK_AT_50, improved_on_treatment=False), SubClass.INCLUSION_BODY, (),
        ),
        (found("finger_flexor_weakness", on=WEAK_AT_50, improved_on_treatment=True), SubClass.POLYMYOSITIS, ()),
        (found(on=WEAK_AT_50, improved_on_treatment=False), SubClass.POLYMYOSITIS, ()),
        # not looked at is not "no"
        (
            found(on=WEAK_AT_50, finger_flexor_weakness=None, improved_on_treatment=None),
            None, ("finger_flexor_weakness", "improved_on_treatment"),
        ),
        (
            found("finger_flexor_weakness", on=WEAK_AT_50, improved_on_treatment=None),
            None, ("improved_on_treatment",),
        ),
        (found(on=WEAK_AT_50, heliotrope=None), None, ("heliotrope",)),
        (found("gottron_sign", on=WEAK_AT_50, heliotrope=None), SubClass.DERMATOMYOSITIS, ()),
        (
            found("anti_jo1", "gottron_sign", age_at_onset=18, weak_upper_proximal=None),
            None, ("weak_upper_proximal",),
        ),
        (found("heliotrope", "gottron_sign", "enzyme_high", age_at_onset=None), None, ("age_at_onset",)),
        (
            found("anti_jo1", "enzyme_high", "endomysial_infiltrate", on=NOTHING_IN_BIOPSY, age_at_onset=30,
                  rimmed_vacuoles=None),
            None, ("rimmed_vacuoles",),
        ),
    ],
)  # fmt: skip
def test_the_tree(items, subclass, open_items):
    result = classify(items)
    assert result.classified is True
    assert result.subclass is subclass
    assert result.subclass_missing == open_items


def test_below_probable_there_is_no_sub_class():
    possible = classify(found("neck_flexors_weaker", "gottron_papules", "enzyme_high"))
    assert (possible.class_, possible.subclass, possible.classified) == (Class.POSSIBLE, None, False)


def test_what_was_not_looked_at_is_named_and_makes_an_interval():
    nobody_looked = classify(Items())
    assert nobody_looked.lowest == 0
    assert nobody_looked.highest == D("2.1") + sum(pair[0] for pair in POINTS.values())
    assert nobody_looked.missing == ("age_at_onset", *POINTS)
    assert nobody_looked.class_ is nobody_looked.score is nobody_looked.classified is None
    assert nobody_looked.biopsy_recommended is None
    part = classify(replace(WEAK_AT_50, dysphagia=None))
    assert (part.lowest, part.highest, part.score) == (D("6.8"), D("7.5"), None)
    assert (part.at_least, part.at_most, part.class_) == (Class.PROBABLE, Class.DEFINITE, None)
    assert part.missing == ("dysphagia",)
    assert part.classified is True
    assert part.probability == (D("0.813"), D("0.898"))


def test_what_is_missing_and_changes_nothing_leaves_the_class_standing():
    certain = classify(replace(EXAMPLES["with heliotrope"][0], dysphagia=None))
    assert certain.class_ is Class.DEFINITE
    assert certain.missing == ("dysphagia",)


def test_biopsy_findings_count_only_with_a_biopsy_and_change_the_other_points():
    without = classify(found("rimmed_vacuoles", on=replace(NOTHING, rimmed_vacuoles=None)))
    assert without.lowest == 0
    assert without.missing == ()
    with_it = classify(found("gottron_sign", on=replace(NOTHING_IN_BIOPSY, perifascicular_atrophy=None)))
    assert (with_it.lowest, with_it.highest) == (D("3.7"), D("5.6"))
    assert with_it.missing == ("perifascicular_atrophy",)


def test_a_biopsy_is_recommended_without_a_typical_rash_only():
    assert classify(WEAK_AT_50).biopsy_recommended is True
    assert classify(replace(WEAK_AT_50, gottron_sign=None)).biopsy_recommended is None
    for name in SKIN:
        assert classify(replace(WEAK_AT_50, **{name: True})).biopsy_recommended is False


def test_an_impossible_age_is_refused():
    with pytest.raises(ValueError, match="age"):
        Items(age_at_onset=-1)


flags = st.sampled_from([None, False, True])
anything = st.builds(
    Items,
    age_at_onset=st.none() | st.integers(0, 100),
    has_biopsy=st.booleans(),
    **dict.fromkeys((*POINTS, *BIOPSY_POINTS, "finger_flexor_weakness", "improved_on_treatment"), flags),
)


@given(anything, anything)
def test_whatever_turns_out_lands_in_the_interval_and_keeps_what_was_settled(items, filler):
    before = classify(items)
    names = [*POINTS, *BIOPSY_POINTS, "finger_flexor_weakness", "improved_on_treatment", "age_at_onset"]
    after = classify(replace(items, **{n: getattr(filler, n) for n in names if getattr(items, n) is None}))
    assert before.lowest <= after.lowest <= after.highest <= before.highest
    if before.class_ is not None:
        assert after.class_ is before.class_
    if before.subclass is not None:
        assert after.subclass is before.subclass
    if before.biopsy_recommended is not None:
        assert after.biopsy_recommended is before.biopsy_recommended
