"""Places of the scores that a wrong sign, a wrong default or a wrong order would slip through."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest

from monitoring import limit_sets
from monitoring.scores import bone, cancer_tier, functional_index, ibmfrs
from monitoring.scores.cancer_tier import Panel, Tier
from monitoring.scores.egfr import as_reported
from monitoring.scores.functional_index import MAXIMA, Version
from therapy.dosing import DoseRow, drug_amount_for_pe, pe_stretches
from therapy.formulary import FORMULARY

AS_OF = dt.date(2025, 6, 15)


def day(offset: int) -> dt.date:
    return AS_OF + dt.timedelta(days=offset)


def stretch(first: int, last: int | None, mg: int) -> bone.Stretch:
    return day(first), None if last is None else day(last), Fraction(mg)


def test_a_half_is_rounded_up_to_an_even_number_and_to_an_odd_one() -> None:
    assert [as_reported(Decimal(text)) for text in ("60.5", "61.5", "61.49")] == [61, 62, 61]


# ---------------------------------------------------------------------------------------------------------------- bone


def test_of_two_long_runs_the_longer_is_told_whichever_came_first() -> None:
    runs = [stretch(-300, -240, 40), stretch(-200, -160, 40)]
    for listed in (runs, runs[::-1]):
        assert bone.very_high_dose(listed, AS_OF).long_run == bone.Run(day(-300), day(-240))
    runs = [stretch(-300, -260, 40), stretch(-200, -140, 40)]
    assert bone.very_high_dose(runs, AS_OF).long_run == bone.Run(day(-200), day(-140))


def test_a_lower_dose_between_is_passed_over_and_what_comes_after_counts() -> None:
    runs = bone.runs([stretch(-30, -21, 5), stretch(-20, -11, 1), stretch(-10, None, 5)], Decimal("2.5"), AS_OF)
    assert runs == [bone.Run(day(-30), day(-21)), bone.Run(day(-10), AS_OF)]


def test_three_stretches_that_touch_are_one_run_and_the_next_one_is_another() -> None:
    touching = [stretch(-40, -31, 5), stretch(-30, -21, 7), stretch(-20, -15, 5), stretch(-9, -9, 5)]
    assert bone.runs(touching, Decimal("2.5"), AS_OF) == [bone.Run(day(-40), day(-15)), bone.Run(day(-9), day(-9))]


def test_two_doses_of_the_same_first_day_are_no_matter_of_order() -> None:
    same = [stretch(-10, None, 5), stretch(-10, -5, 5)]
    assert bone.runs(same, Decimal("2.5"), AS_OF) == bone.runs(same[::-1], Decimal("2.5"), AS_OF)


def test_a_run_of_one_day_is_one() -> None:
    (run,) = bone.runs([stretch(0, 0, 5)], Decimal("2.5"), AS_OF)
    assert run.days == 1


def test_the_dose_that_counts_for_bone_is_a_parameter() -> None:
    taken = [stretch(-100, None, 4)]
    assert bone.assessment_due(taken, AS_OF)
    assert not bone.assessment_due(taken, AS_OF, bone.Parameters(dose_mg=Decimal(5)))


# -------------------------------------------------------------------------------------------------------------- others


def test_the_years_of_cancer_screening_are_three_even_where_it_may_go_on() -> None:
    longer = cancer_tier.Parameters(stop_months=60)
    due = cancer_tier.panels(Tier.HIGH, AS_OF, AS_OF, longer)
    assert [(each.panel, each.due_on) for each in due] == [
        (Panel.BASIC, AS_OF),
        (Panel.ENHANCED, AS_OF),
        *((Panel.BASIC, AS_OF.replace(year=2025 + year)) for year in (1, 2, 3)),
    ]
    shorter = cancer_tier.Parameters(stop_months=13)
    assert len(cancer_tier.panels(Tier.HIGH, AS_OF, AS_OF, shorter)) == 3


@pytest.mark.parametrize("version", Version)
def test_a_functional_index_says_which_it_is(version: Version) -> None:
    found = functional_index.score(version, dict.fromkeys(MAXIMA[version], 0))
    assert (found.version, found.complete, found.mean_percent) == (version, True, 0)


def test_a_change_over_a_single_day() -> None:
    change = ibmfrs.change(day(-1), 10, AS_OF, 9)
    assert change is not None
    assert (change.days, change.points, change.points_a_year, change.long_enough) == (1, -1, -Fraction(1461, 4), False)
    assert ibmfrs.change(AS_OF, 10, AS_OF, 9) is None


def test_a_limit_set_that_is_unknown_is_named() -> None:
    with pytest.raises(limit_sets.UnknownLimitSetError, match="2031"):
        limit_sets.get("2031")


def test_half_a_thousandth_of_a_milligram_is_rounded_up() -> None:
    methylprednisolone = FORMULARY["methylprednisolone"]
    assert drug_amount_for_pe(methylprednisolone, Decimal("0.000625")) == Decimal("0.001")


def test_other_drugs_are_no_glucocorticoid() -> None:
    other = DoseRow(1, 1, "methotrexate", "oral", day(-10), None, Decimal(15), 1, 7)
    assert pe_stretches([other], AS_OF) == []
