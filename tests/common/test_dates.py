from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import dates

DAY = date(2024, 2, 29)
days = st.dates(date(1950, 1, 1), date(2100, 1, 1))
counts = st.integers(0, 3000)


def back(n):
    return DAY - timedelta(days=n)


def ahead(n):
    return DAY + timedelta(days=n)


@pytest.mark.parametrize(("day", "expected"), [(back(91), False), (back(90), True), (DAY, True), (ahead(1), False)])
def test_within_the_last_90_days(day, expected):
    assert dates.within_last(day, DAY, 90) is expected


@pytest.mark.parametrize(("day", "expected"), [(ahead(31), False), (ahead(30), True), (DAY, True), (back(1), False)])
def test_within_the_next_30_days(day, expected):
    assert dates.within_next(day, DAY, 30) is expected


@pytest.mark.parametrize(("n", "expected"), [(29, False), (28, True), (0, True), (-28, True), (-29, False)])
def test_within_either_way(n, expected):
    assert dates.within(DAY + timedelta(days=n), DAY, 28) is expected


@pytest.mark.parametrize(("n", "expected"), [(27, False), (28, False), (29, True)])
def test_nothing_for_28_days_is_true_from_day_29(n, expected):
    assert dates.none_for(back(n), DAY, 28) is expected


@pytest.mark.parametrize(("n", "expected"), [(-1, False), (0, True), (167, True), (168, False)])
def test_quiet_for_168_days_is_that_day_and_167_more(n, expected):
    assert dates.is_quiet(back(n), DAY, 168) is expected


def test_a_run_counts_both_ends():
    assert dates.run_length(DAY, DAY) == 1
    assert dates.run_length(date(2024, 2, 1), date(2024, 2, 28)) == 28
    assert dates.run_length(DAY, back(1)) == 0


def test_the_last_day_belongs_to_it():
    assert dates.in_force(DAY, back(3), DAY)
    assert not dates.in_force(DAY, back(3), back(1))
    assert dates.in_force(DAY, DAY, None)
    assert not dates.in_force(DAY, ahead(1), None)


def test_a_gap_is_the_days_without():
    assert dates.gap_days(date(2024, 1, 1), date(2024, 1, 2)) == 0
    assert dates.gap_days(date(2024, 1, 1), date(2024, 1, 16)) == 14
    assert dates.gap_days(date(2024, 1, 5), date(2024, 1, 2)) == 0


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [
        (date(2024, 3, 1), 3, date(2024, 3, 6)),  # Friday
        (date(2024, 3, 2), 3, date(2024, 3, 6)),  # Saturday
        (date(2024, 3, 3), 3, date(2024, 3, 6)),  # Sunday
        (date(2024, 3, 4), 3, date(2024, 3, 7)),  # Monday
        (date(2024, 3, 2), 0, date(2024, 3, 2)),
    ],
)
def test_working_days(start, n, expected):
    assert dates.add_working_days(start, n) == expected


def test_working_days_pass_over_holidays():
    assert dates.add_working_days(date(2024, 12, 24), 3, {date(2024, 12, 25), date(2024, 12, 26)}) == date(2024, 12, 31)


def test_working_time_keeps_the_wall_clock_when_the_clocks_change():
    friday = datetime(2024, 3, 29, 9, 0, tzinfo=UTC)  # 09:00 in London, an hour ahead of UTC from Sunday
    assert dates.add_working_time(friday, 3, "Europe/London") == datetime(2024, 4, 3, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        (datetime(2024, 7, 1, 23, 30, tzinfo=UTC), "Europe/London", date(2024, 7, 2)),
        (datetime(2024, 1, 1, 23, 30, tzinfo=UTC), "Europe/London", date(2024, 1, 1)),
        (datetime(2024, 1, 1, 3, 0, tzinfo=UTC), "America/New_York", date(2023, 12, 31)),
        (datetime(2024, 2, 28, 20, 0, tzinfo=UTC), "Asia/Kolkata", date(2024, 2, 29)),
    ],
)
def test_day_at_the_centre(moment, zone, expected):
    assert dates.centre_day(moment, zone) == expected


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        dates.centre_day(datetime.combine(DAY, time()), "Europe/London")
    with pytest.raises(ZoneInfoNotFoundError):
        dates.centre_day(datetime(2024, 1, 1, tzinfo=UTC), "Europe/Atlantis")


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (DAY, 24)])
def test_length_of_a_day(day, hours):
    start, end = dates.day_bounds(day, "Europe/London")
    assert end - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("as_of", "age"),
    [(date(2023, 2, 28), 22), (date(2023, 3, 1), 23), (date(2024, 2, 28), 23), (date(2024, 2, 29), 24)],
)
def test_age_of_someone_born_on_a_leap_day(as_of, age):
    assert dates.age_on(date(2000, 2, 29), as_of) == age


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="negative"):
        dates.within_last(DAY, DAY, -1)


@given(days, counts)
def test_window_edges(day, n):
    assert dates.within_last(dates.earliest_within(day, n), day, n)
    assert not dates.within_last(dates.earliest_within(day, n) - timedelta(days=1), day, n)
    assert dates.within_next(dates.latest_within(day, n), day, n)
    assert not dates.within_next(dates.latest_within(day, n) + timedelta(days=1), day, n)


@given(days, st.integers(1, 60))
def test_working_days_end_on_a_working_day_and_count_them(day, n):
    end = dates.add_working_days(day, n)
    between = [day + timedelta(days=i) for i in range(1, (end - day).days + 1)]
    assert end.weekday() < 5
    assert sum(d.weekday() < 5 for d in between) == n


@given(st.integers(0, 30 * 365 * 86400), st.sampled_from(["Europe/London", "Asia/Tokyo", "UTC"]))
def test_a_moment_lies_in_its_own_day(seconds, zone):
    moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    start, end = dates.day_bounds(dates.centre_day(moment, zone), zone)
    assert start <= moment < end
