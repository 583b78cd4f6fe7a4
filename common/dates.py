"""Days and windows, counted in one way everywhere.

A day is a calendar date in the centre's time zone. "Within N days", "in the last N days" and "in the next N days"
include the day exactly N days away and the day judged itself. The last day of anything (a dose, a hold, a waiver)
belongs to it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

SATURDAY = 5


def days_since(day: date, as_of: date) -> int:
    """Whole days from ``day`` to ``as_of``: a difference of dates, negative where ``day`` lies ahead."""
    return (as_of - day).days


def earliest_within(as_of: date, days: int) -> date:
    """First day that is "in the last ``days`` days" of ``as_of``: the day exactly ``days`` earlier."""
    return as_of - timedelta(days=_not_negative(days))


def latest_within(as_of: date, days: int) -> date:
    """Last day that is "in the next ``days`` days" of ``as_of``: the day exactly ``days`` later."""
    return as_of + timedelta(days=_not_negative(days))


def within_last(day: date, as_of: date, days: int) -> bool:
    """True where ``day`` is ``as_of`` or at most ``days`` days before it."""
    return earliest_within(as_of, days) <= day <= as_of


def within_next(day: date, as_of: date, days: int) -> bool:
    """True where ``day`` is ``as_of`` or at most ``days`` days after it."""
    return as_of <= day <= latest_within(as_of, days)


def within(day: date, other: date, days: int) -> bool:
    """True where the two days are at most ``days`` days apart, in either direction."""
    return abs((day - other).days) <= _not_negative(days)


def none_for(last: date, as_of: date, days: int) -> bool:
    """ "Nothing for N days" after ``last``: false on day N itself, true from day N + 1."""
    return days_since(last, as_of) > _not_negative(days)


def is_quiet(start: date, as_of: date, days: int) -> bool:
    """ "Quiet for N days after ``start``": that day and the N - 1 days after it."""
    return 0 <= days_since(start, as_of) < _not_negative(days)


def run_length(first: date, last: date) -> int:
    """Days of an unbroken run, first and last day counted; 0 where it ends before it begins."""
    return max(0, (last - first).days + 1)


def in_force(as_of: date, start: date, end: date | None) -> bool:
    """True from ``start`` to ``end``, both included; ``end`` None goes on."""
    return start <= as_of and (end is None or as_of <= end)


def gap_days(end: date, next_start: date) -> int:
    """Days without, between the last day of one period and the first day of the next; 0 where they touch or overlap."""
    return max(0, (next_start - end).days - 1)


def add_working_days(day: date, days: int, holidays: Collection[date] = ()) -> date:
    """The ``days``-th working day after ``day``. Saturdays, Sundays and ``holidays`` do not count.

    ``day`` itself never counts, so Friday plus 3 working days is Wednesday, and so is Saturday plus 3.
    With 0 days the answer is ``day``.
    """
    left = _not_negative(days)
    while left:
        day += timedelta(days=1)
        if day.weekday() < SATURDAY and day not in holidays:
            left -= 1
    return day


def add_working_time(moment: datetime, days: int, zone: str | tzinfo, holidays: Collection[date] = ()) -> datetime:
    """The same time of day, ``days`` working days later, on the clock of ``zone``; answered in UTC.

    ``moment`` must be aware (ValueError). The wall clock is kept across a change to or from summer time.
    """
    local = _aware(moment).astimezone(_zone(zone))
    target = add_working_days(local.date(), days, holidays)
    return datetime.combine(target, local.time(), tzinfo=local.tzinfo).astimezone(UTC)


def centre_day(moment: datetime, zone: str | tzinfo) -> date:
    """The calendar day of ``moment`` at a centre in ``zone`` (a name such as "Europe/London", or a tzinfo).

    Raises ValueError for a moment without a zone and ZoneInfoNotFoundError for an unknown name.
    """
    return _aware(moment).astimezone(_zone(zone)).date()


def day_bounds(day: date, zone: str | tzinfo) -> tuple[datetime, datetime]:
    """First moment of ``day`` at the centre and first moment of the next, in UTC: use as ``start <= moment < end``.

    A day is 23 or 25 hours long when the clocks change.
    """
    tz = _zone(zone)
    start = datetime.combine(day, time.min, tzinfo=tz)
    end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=tz)
    return start.astimezone(UTC), end.astimezone(UTC)


def age_on(born: date, as_of: date) -> int:
    """Completed years on ``as_of``. Someone born on 29 February turns a year older on 1 March in a common year."""
    before_birthday = (as_of.month, as_of.day) < (born.month, born.day)
    return as_of.year - born.year - before_birthday


def _zone(zone: str | tzinfo) -> tzinfo:
    return ZoneInfo(zone) if isinstance(zone, str) else zone


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone")
    return moment


def _not_negative(days: int) -> int:
    if days < 0:
        raise ValueError("a number of days cannot be negative")
    return days
