from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.scores.worsening import Measure, Reason, Status, Visit, assess, judge

D = Decimal
DAY = date(2024, 3, 1)


def visit(days, **values):
    kept = {k: D(v) if isinstance(v, str) else v for k, v in values.items()}
    return Visit(DAY + timedelta(days=days), **kept)


def status(*visits, baseline=None):
    return assess(visits, baseline).status


class TestOneVisit:
    @pytest.mark.parametrize(
        ("physician", "mmt", "expected"),
        [("4.0", 120, True), ("3.9", 120, False), ("4.0", 121, False), ("4.0", 150, False), ("2.0", 100, False)],
    )
    def test_global_by_2_cm_and_strength_by_20_percent(self, physician, mmt, expected):
        before = visit(0, physician_vas="2.0", mmt8_150=150)
        result = judge(visit(30, physician_vas=physician, mmt8_150=mmt), [before])
        assert (Reason.GLOBAL_AND_STRENGTH in result.reasons) is expected

    @pytest.mark.parametrize(("value", "expected"), [("2.9", False), ("3.0", True), ("3.1", True)])
    def test_extramuscular_by_2_cm(self, value, expected):
        result = judge(visit(30, extramuscular_vas=value), [visit(0, extramuscular_vas="1.0")])
        assert result.meets is expected
        assert result.reasons == ((Reason.EXTRAMUSCULAR,) if expected else ())

    def test_centimetres_are_exact(self):
        # As binary floats 3.3 - 1.3 is less than 2.
        assert judge(visit(30, extramuscular_vas="3.3"), [visit(0, extramuscular_vas="1.3")]).meets

    @pytest.mark.parametrize(
        ("patient", "haq", "mmt", "expected"),
        [
            ("1.3", "1.3", 105, True),
            ("1.29", "1.3", 105, False),
            ("1.3", "1.29", 105, False),
            ("1.3", "1.3", 106, False),
        ],
    )
    def test_three_of_five_by_30_percent(self, patient, haq, mmt, expected):
        before = visit(0, patient_vas="1.0", haq_di="1.0", mmt8_150=150)
        result = judge(visit(30, patient_vas=patient, haq_di=haq, mmt8_150=mmt), [before])
        assert (result.reasons == (Reason.THREE_OF_FIVE,)) is expected

    def test_names_the_measures_that_are_worse(self):
        before = visit(0, patient_vas="1.0", haq_di="1.0", physician_vas="5.0", mmt8_150=150)
        after = visit(30, patient_vas="2.0", haq_di="1.5", physician_vas="5.0", mmt8_150=100)
        assert judge(after, [before]).worse == (Measure.PATIENT_VAS, Measure.HAQ_DI, Measure.MMT8)

    @pytest.mark.parametrize(("value", "worse"), [("1.9", False), ("2.0", True)])
    def test_from_a_vas_of_zero(self, value, worse):
        result = judge(visit(30, patient_vas=value), [visit(0, patient_vas="0")])
        assert result.changes[0].percent is None
        assert result.changes[0].worse is worse

    @pytest.mark.parametrize(("value", "worse"), [("0.374", False), ("0.375", True)])
    def test_from_a_haq_of_zero(self, value, worse):
        assert judge(visit(30, haq_di=value), [visit(0, haq_di="0")]).changes[0].worse is worse

    def test_strength_of_zero_cannot_get_worse(self):
        assert not judge(visit(30, mmt8_150=0), [visit(0, mmt8_150=0)]).changes[0].worse

    def test_each_measure_has_its_own_best_visit(self):
        earlier = [visit(0, physician_vas="2.0", mmt8_150=100), visit(30, physician_vas="6.0", mmt8_150=150)]
        assert judge(visit(60, physician_vas="4.0", mmt8_150=120), earlier).reasons == (Reason.GLOBAL_AND_STRENGTH,)

    @pytest.mark.parametrize(("days", "expected"), [(365, True), (366, False)])
    def test_best_values_are_at_most_365_days_old(self, days, expected):
        assert judge(visit(days, extramuscular_vas="3"), [visit(0, extramuscular_vas="1")]).meets is expected

    def test_too_old_is_not_evaluable(self):
        assert not judge(visit(366, extramuscular_vas="3"), [visit(0, extramuscular_vas="1")]).evaluable

    def test_strength_on_150_when_both_have_it(self):
        before = visit(0, mmt8_150=150, mmt8_80=80)
        change = judge(visit(30, mmt8_150=120, mmt8_80=80), [before]).changes[0]
        assert (change.maximum, change.best, change.percent) == (150, 150, 20)

    def test_strength_on_80_when_one_lacks_150(self):
        change = judge(visit(30, mmt8_80=60), [visit(0, mmt8_150=150, mmt8_80=80)]).changes[0]
        assert (change.maximum, change.percent) == (80, 25)

    def test_scales_are_never_mixed(self):
        assert judge(visit(30, mmt8_80=60), [visit(0, mmt8_150=150)]).changes == ()

    def test_a_missing_measure_silences_only_what_needs_it(self):
        before = visit(0, physician_vas="2.0", mmt8_150=150, extramuscular_vas="1.0")
        result = judge(visit(30, physician_vas="9.0", extramuscular_vas="3.0"), [before])
        assert result.reasons == (Reason.EXTRAMUSCULAR,)


class TestConfirmation:
    base = visit(0, extramuscular_vas="1")
    bad = visit(30, extramuscular_vas="4")

    def test_never(self):
        assert status() is Status.NONE
        assert status(self.base) is Status.NONE
        assert status(self.base, visit(30, extramuscular_vas="2")) is Status.NONE

    def test_once(self):
        assert status(self.base, self.bad) is Status.ONCE

    def test_two_in_a_row(self):
        assert status(self.base, self.bad, visit(60, extramuscular_vas="3")) is Status.CONFIRMED

    def test_recovered_at_the_newest(self):
        assert status(self.base, self.bad, visit(60, extramuscular_vas="2.9")) is Status.NONE

    def test_a_good_visit_between_starts_again(self):
        assert (
            status(self.base, self.bad, visit(60, extramuscular_vas="1"), visit(90, extramuscular_vas="4"))
            is Status.ONCE
        )

    def test_the_second_may_meet_it_in_another_way(self):
        base = visit(0, extramuscular_vas="1", physician_vas="1", mmt8_150=150)
        second = visit(60, extramuscular_vas="1", physician_vas="4", mmt8_150=100)
        assert status(base, visit(30, extramuscular_vas="4"), second) is Status.CONFIRMED

    def test_a_visit_without_measures_is_no_visit(self):
        assert status(self.base, self.bad, visit(45), visit(60, extramuscular_vas="4")) is Status.CONFIRMED

    def test_order_of_recording_does_not_matter(self):
        assert status(visit(60, extramuscular_vas="3"), self.bad, self.base) is Status.CONFIRMED

    def test_the_baseline_visit_itself_counts(self):
        assert status(self.base, self.bad, baseline=DAY) is Status.ONCE

    def test_visits_before_the_baseline_do_not_count(self):
        good_old_days = visit(-10, extramuscular_vas="0")
        base = visit(0, extramuscular_vas="3")
        assert status(good_old_days, base, visit(30, extramuscular_vas="4"), baseline=DAY) is Status.NONE
        assert status(good_old_days, base, visit(30, extramuscular_vas="4")) is Status.CONFIRMED


vas = st.none() | st.integers(0, 100).map(lambda v: D(v) / 10)
visits = st.lists(
    st.builds(
        Visit,
        day=st.integers(0, 800).map(lambda n: DAY + timedelta(days=n)),
        physician_vas=vas,
        patient_vas=vas,
        extramuscular_vas=vas,
        haq_di=st.none() | st.integers(0, 24).map(lambda v: D(v) / 8),
        mmt8_150=st.none() | st.integers(0, 150),
        mmt8_80=st.none() | st.integers(0, 80),
    ),
    max_size=6,
)


@given(visits)
def test_the_first_visit_never_meets_it_and_the_status_is_the_newest_two(history):
    result = assess(history)
    if result.judgements:
        assert not result.judgements[0].meets
        assert not result.judgements[0].evaluable
    newest = [j.meets for j in result.judgements[-2:]]
    expected = Status.CONFIRMED if newest == [True, True] else Status.ONCE if newest[-1:] == [True] else Status.NONE
    assert result.status is expected
