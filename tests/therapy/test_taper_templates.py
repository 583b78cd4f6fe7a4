"""Schedules of a taper: the worked example, the edges of the bands, and what holds for every plan."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from therapy.taper_templates import (
    TABLET_MG,
    TEMPLATES,
    TemplateRefusedError,
    cumulative_mg,
    planned_steps,
)

D = Decimal
FIRST = dt.date(2025, 6, 15)


def table(code: str, **asked: object) -> list[tuple[int, Decimal | None]]:
    """(weeks from the first day, dose) of each step."""
    steps = planned_steps(code, starts_on=FIRST, **asked)
    return [((step.on - FIRST).days // 7, step.dose_pe_mg) for step in steps]


def test_the_worked_example_is_28_weeks_and_4970_mg() -> None:
    steps = planned_steps("t-step", starts_on=FIRST, start_mg=D(60), hold_weeks=4)
    doses = ["60", "50", "40", "30", "25", "20", "17.5", "15", "12.5", "10", "7.5", "5", "2.5", "0"]
    assert [step.dose_pe_mg for step in steps] == [D(dose) for dose in doses]
    weeks = [0, *range(4, 30, 2)]
    assert [step.on for step in steps] == [FIRST + dt.timedelta(weeks=week) for week in weeks]
    rows = [(step.on, step.dose_pe_mg) for step in steps]
    assert cumulative_mg(rows, FIRST + dt.timedelta(weeks=52)) == D(4970)
    assert cumulative_mg(rows, FIRST) == D(60)
    assert cumulative_mg(rows, FIRST - dt.timedelta(days=1)) == 0


def test_a_step_stops_at_the_floor_of_its_band() -> None:
    assert table("t-step", start_mg=D(45), hold_weeks=2)[:4] == [(0, 45), (2, 35), (4, 30), (6, 25)]


def test_below_10_mg_the_slow_pace_is_1_mg_every_4_weeks() -> None:
    asked = {"start_mg": D("12.5"), "hold_weeks": 2}
    assert table("t-step", **asked, last_mg=D(7), slow=True) == [(0, D("12.5")), (2, 10), (6, 9), (10, 8), (14, 7)]
    assert table("t-step", **asked, last_mg=D(5)) == [(0, D("12.5")), (2, 10), (4, D("7.5")), (6, 5)]


@pytest.mark.parametrize(("slow", "weeks"), [(False, 23), (True, 37)])
def test_the_weekly_schedule(slow: bool, weeks: int) -> None:
    steps = table("t-weekly", start_mg=D(60), hold_weeks=4, slow=slow)
    doses = [dose for _, dose in steps]
    assert doses == [60, 50, 40, 35, 30, 25, 20, D("17.5"), 15, D("12.5"), 10, 9, 8, 7, 6, 5]
    assert [week for week, _ in steps][:7] == [0, 4, 5, 6, 7, 8, 9]
    assert steps[-1][0] == weeks


def test_the_weekly_schedule_begins_with_80_mg_at_most() -> None:
    assert table("t-weekly", start_mg=D(80))[0] == (0, 80)
    with pytest.raises(TemplateRefusedError) as refused:
        planned_steps("t-weekly", starts_on=FIRST, start_mg=D("80.5"))
    assert refused.value.field == "start_mg"


def test_a_share_is_rounded_to_half_tablets_and_goes_on_falling() -> None:
    doses = [dose for _, dose in table("t-percent", start_mg=D(60))]
    assert doses == [60, 45, D("32.5"), 25, D("17.5"), D("12.5"), 10, D("7.5"), 5]
    slow = table("t-percent", start_mg=D(20), last_mg=D(10), slow=True)
    assert slow == [(0, 20), (6, 15), (10, D("12.5")), (14, 10)]


def test_a_schedule_by_response_leaves_the_dose_open() -> None:
    steps = planned_steps("t-bsr", starts_on=FIRST, start_mg=D(60))
    assert [(step.on, step.dose_pe_mg) for step in steps] == [(FIRST, D(60)), (dt.date(2025, 7, 27), None)]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"start_mg": D(0)}, "start_mg"),
        ({"start_mg": D("NaN")}, "start_mg"),
        ({"start_mg": D(1001)}, "start_mg"),
        ({"start_mg": D(60), "hold_weeks": 53}, "hold_weeks"),
        ({"start_mg": D(60), "hold_weeks": -1}, "hold_weeks"),
        ({"start_mg": D(60), "last_mg": D(11)}, "last_mg"),
        ({"start_mg": D(60), "last_mg": D(-1)}, "last_mg"),
        ({"start_mg": D(5), "last_mg": D(5)}, "last_mg"),
    ],
)
def test_what_is_not_this_schedule_is_refused_by_field(asked: dict[str, Decimal], field: str) -> None:
    with pytest.raises(TemplateRefusedError) as refused:
        planned_steps("t-step", starts_on=FIRST, **asked)
    assert refused.value.field == field


FALLING = sorted(code for code, template in TEMPLATES.items() if template.bands or template.percent)


@given(
    code=st.sampled_from(FALLING),
    start=st.decimals(min_value="10.5", max_value="80", places=1),
    weeks=st.integers(1, 52),
    slow=st.booleans(),
)
def test_every_plan_falls_step_by_step_to_its_last_dose(code: str, start: Decimal, weeks: int, slow: bool) -> None:
    template = TEMPLATES[code]
    steps = planned_steps(code, starts_on=FIRST, start_mg=start, hold_weeks=weeks, slow=slow)
    doses = [step.dose_pe_mg for step in steps]
    days = [step.on for step in steps]
    assert (doses[0], doses[-1]) == (start, template.last_mg[0])
    assert all(later < earlier for earlier, later in itertools.pairwise(doses))
    assert all(later > earlier for earlier, later in itertools.pairwise(days))
    assert days[:2] == [FIRST, FIRST + dt.timedelta(weeks=weeks)]
    if template.percent:
        assert all(dose % TABLET_MG == 0 for dose in doses[1:])
