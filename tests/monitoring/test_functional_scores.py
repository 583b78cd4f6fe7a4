"""IBMFRS and the Functional Index."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest

from monitoring.scores import functional_index, ibmfrs
from monitoring.scores.functional_index import MAXIMA, Version

DAY = dt.date(2024, 1, 1)


class TestIbmfrs:
    def test_ten_items_of_four(self):
        assert len(ibmfrs.ITEMS) == 10
        assert ibmfrs.MAXIMUM == 40
        assert ibmfrs.score(dict.fromkeys(ibmfrs.ITEMS, 4)).total == 40
        assert ibmfrs.score(dict.fromkeys(ibmfrs.ITEMS, 0)).total == 0
        answers = dict(zip(ibmfrs.ITEMS, (4, 3, 2, 1, 0, 4, 3, 2, 1, 0), strict=True))
        assert ibmfrs.score(answers).total == 20

    def test_an_item_missing_leaves_no_total(self):
        result = ibmfrs.score(dict.fromkeys(ibmfrs.ITEMS, 4) | {"stairs": None})
        assert result.total is None
        assert result.missing == ("stairs",)
        assert ibmfrs.score({}).missing == tuple(ibmfrs.ITEMS)

    @pytest.mark.parametrize("answers", [{"running": 1}, {"walking": 5}, {"walking": -1}, {"walking": True}])
    def test_impossible_answers_are_refused(self, answers):
        with pytest.raises(ValueError, match="item"):
            ibmfrs.score(answers)

    def test_change_a_year_in_percent_of_the_earlier_total(self):
        change = ibmfrs.change(DAY, 32, DAY + dt.timedelta(days=1461), 24)  # four years
        assert change.points == -8
        assert change.points_a_year == -2
        assert change.percent_a_year == Fraction(-25, 4)
        assert change.faster_than_cohort is False  # 6.25 %, the cohort lost 6.3
        assert ibmfrs.change(DAY, 32, DAY + dt.timedelta(days=1460), 23).faster_than_cohort is True

    def test_no_loss_is_not_faster_than_the_cohort(self):
        change = ibmfrs.change(DAY, 40, DAY + dt.timedelta(days=365), 40)
        assert change.percent_a_year == 0
        assert change.faster_than_cohort is False
        assert Decimal("6.3") == ibmfrs.COHORT_LOSS_PERCENT_A_YEAR

    @pytest.mark.parametrize(("days", "long_enough"), [(181, False), (182, True), (183, True)])
    def test_a_rate_from_less_than_half_a_year_says_nothing(self, days, long_enough):
        change = ibmfrs.change(DAY, 30, DAY + dt.timedelta(days=days), 20)
        assert change.long_enough is long_enough
        assert change.faster_than_cohort is (True if long_enough else None)

    def test_no_percentage_of_nothing_and_no_change_within_a_day(self):
        change = ibmfrs.change(DAY, 0, DAY + dt.timedelta(days=365), 2)
        assert change.percent_a_year is None
        assert change.faster_than_cohort is None
        assert ibmfrs.change(DAY, 30, DAY, 20) is None
        with pytest.raises(ValueError, match="total"):
            ibmfrs.change(DAY, 41, DAY + dt.timedelta(days=365), 20)


class TestFunctionalIndex:
    def test_tasks_and_maxima(self):
        assert len(MAXIMA[Version.FI2]) == 7
        assert {code for code, most in MAXIMA[Version.FI2].items() if most == 120} == {"heel_lift", "toe_lift"}
        assert dict(MAXIMA[Version.FI3]) == {"shoulder_flexion": 60, "neck_flexion": 60, "hip_flexion": 60}
        assert set(functional_index.NAMES) == set(MAXIMA[Version.FI2])

    def test_each_task_in_percent_of_its_own_maximum(self):
        result = functional_index.score(
            Version.FI2, dict.fromkeys(MAXIMA[Version.FI2], 60) | {"heel_lift": 90, "neck_flexion": 0}
        )
        assert result.percent["shoulder_flexion"] == 100
        assert result.percent["toe_lift"] == 50
        assert result.percent["heel_lift"] == 75
        assert result.percent["neck_flexion"] == 0
        assert result.complete
        assert result.mean_percent == Fraction(525, 7)

    def test_a_task_missing_leaves_no_mean(self):
        result = functional_index.score(Version.FI3, {"shoulder_flexion": 30, "hip_flexion": None})
        assert result.missing == ("neck_flexion", "hip_flexion")
        assert result.mean_percent is None
        assert result.repetitions == {"shoulder_flexion": 30}

    @pytest.mark.parametrize(
        ("version", "tasks"),
        [
            (Version.FI3, {"heel_lift": 10}),
            (Version.FI2, {"heel_lift": 121}),
            (Version.FI2, {"step_test": 61}),
            (Version.FI2, {"step_test": -1}),
            (Version.FI2, {"step_test": True}),
        ],
    )
    def test_impossible_repetitions_are_refused(self, version, tasks):
        with pytest.raises(ValueError, match="task"):
            functional_index.score(version, tasks)
