from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.scores.haq_di import AIDS, CATEGORY_OF_ITEM, ITEMS, Category, score

ORDER = list(Category)


def answers(*values):
    """The first item of each category answered, in the order of the form; None leaves the category out."""
    return {ITEMS[category][0][0]: value for category, value in zip(ORDER, values, strict=False) if value is not None}


EXAMPLE = answers(1, 1, 2, 0, 3, 1, 0, 2)


def test_the_form():
    assert len(CATEGORY_OF_ITEM) == 20
    assert [len(items) for items in ITEMS.values()] == [2, 2, 3, 2, 3, 2, 3, 3]
    assert not any(category is Category.ACTIVITIES for category, _ in AIDS.values())


def test_without_aids():
    assert score(EXAMPLE).index == Decimal("1.250")


def test_cane_and_help_with_grip():
    result = score(EXAMPLE, aids=["cane"], help_with=[Category.GRIP])
    assert result.categories[Category.WALKING] == 2
    assert result.categories[Category.GRIP] == 2
    assert result.index == Decimal("1.750")
    assert result.lifted_unanswered == ()


def test_two_categories_missing():
    result = score(answers(1, 1, 2, 0, 3, 1))
    assert result.index == Decimal("1.333")
    assert result.exact == Fraction(8, 6)
    assert result.missing == (Category.GRIP, Category.ACTIVITIES)


def test_three_categories_missing():
    result = score(answers(1, 1, 2, 0, 3))
    assert result.index is None
    assert result.exact is None


def test_seven_categories_keep_sevenths():
    result = score(answers(1, 1, 2, 0, 3, 1, 0))
    assert result.index == Decimal("1.143")
    assert result.exact == Fraction(8, 7)


@pytest.mark.parametrize(("before", "after"), [(0, 2), (1, 2), (2, 2), (3, 3)])
def test_an_aid_lifts_only_what_is_below_two(before, after):
    items = answers(before, 0, 0, 0, 0, 0, 0, 0)
    assert score(items, aids=["dressing_devices"]).categories[Category.DRESSING] == after
    assert score(items, help_with=[Category.DRESSING]).categories[Category.DRESSING] == after
    assert score(items, other_aids=[Category.DRESSING]).categories[Category.DRESSING] == after


def test_an_aid_for_an_unanswered_category_leaves_it_missing_and_warns():
    result = score(answers(1, 1, 2, None, 3, 1, 0, 2), aids=["wheelchair"])
    assert result.categories[Category.WALKING] is None
    assert result.answered == 7
    assert result.lifted_unanswered == (Category.WALKING,)


@pytest.mark.parametrize(
    ("aid", "category"),
    [
        ("dressing_devices", Category.DRESSING),
        ("special_chair", Category.ARISING),
        ("built_up_utensils", Category.EATING),
        ("cane", Category.WALKING),
        ("walker", Category.WALKING),
        ("crutches", Category.WALKING),
        ("wheelchair", Category.WALKING),
        ("raised_toilet_seat", Category.HYGIENE),
        ("bathtub_seat", Category.HYGIENE),
        ("bathtub_bar", Category.HYGIENE),
        ("bathroom_appliances", Category.HYGIENE),
        ("reach_appliances", Category.REACH),
        ("jar_opener", Category.GRIP),
    ],
)
def test_each_aid_counts_for_its_category(aid, category):
    result = score(answers(*[0] * 8), aids=[aid])
    assert [c for c, value in result.categories.items() if value == 2] == [category]


def test_the_worst_item_counts():
    assert score({**answers(*[0] * 8), "wash": 1, "bath": 3, "toilet": 2}).categories[Category.HYGIENE] == 3


def test_zero_is_an_answer():
    result = score(answers(*[0] * 8))
    assert result.index == Decimal("0.000")
    assert result.missing == ()


def test_help_with_activities_counts_but_there_is_no_aid_for_them():
    assert score(answers(*[0] * 8), help_with=[Category.ACTIVITIES]).index == Decimal("0.250")
    with pytest.raises(ValueError, match="no aid"):
        score(answers(*[0] * 8), other_aids=[Category.ACTIVITIES])


@pytest.mark.parametrize(
    ("items", "aids"),
    [
        ({"dress": 4}, ()),
        ({"dress": -1}, ()),
        ({"dress": True}, ()),
        ({"dress": 1.5}, ()),
        ({"swim": 1}, ()),
        ({}, ("other",)),
    ],
)
def test_what_the_form_does_not_have_is_refused(items, aids):
    with pytest.raises(ValueError, match=r"HAQ-DI|whole number"):
        score(items, aids)


@given(
    st.dictionaries(st.sampled_from(sorted(CATEGORY_OF_ITEM)), st.none() | st.integers(0, 3)),
    st.sets(st.sampled_from(sorted(AIDS))),
    st.sets(st.sampled_from(ORDER)),
)
def test_index_is_in_range_and_aids_never_lower_it(items, aids, help_with):
    plain, aided = score(items), score(items, aids, help_with)
    assert (plain.index is None) == (aided.index is None) == (plain.answered < 6)
    if plain.index is not None:
        assert 0 <= plain.index <= aided.index <= 3
        if plain.answered == 8:
            assert aided.exact * 8 == aided.index * 8  # steps of 0.125 need no rounding
