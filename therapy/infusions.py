"""Infusions of immunoglobulin and rituximab: plans, courses and cycles, what is wrong and what is next. No Django.

Amounts are grams of immunoglobulin and milligrams of rituximab, weights kg, rates mL/h of a 10 % product. Sources: the
product information of Octagam 10 % in adult dermatomyositis (2 g/kg over 2 to 5 days every 4 weeks, rates), the RIM
trial and NHS guidance of rituximab (two infusions, IgG before each, 24 weeks). What has no source is marked local.

The rules `infusion-due` and `infusion-check` say in SQL what `next_due` and the checks say here; a test compares them.
"""

from __future__ import annotations

import datetime as dt
import enum
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

IVIG = "ivig"
RITUXIMAB = "rituximab"

# What puts at risk of harm to the kidneys or of thrombosis: kinds of patients.models.RiskKind; and being older.
RISK_KINDS = frozenset(
    {"diabetes", "renal", "thrombosis", "paraprotein", "nephrotoxin", "volume_depletion", "sepsis"}
)  # fmt: skip


@dataclass(frozen=True)
class Grouping:
    """Which infusions belong together: one given more days than this after the first of a group begins the next."""

    course_window_days: int = 10  # immunoglobulin; local: longer than any course, shorter than any interval
    cycle_window_days: int = 28  # rituximab


@dataclass(frozen=True)
class DueNumbers(Grouping):
    interval_days: int = 28  # from the first day of a course of immunoglobulin to that of the next
    interval_most_days: int = 35
    second_days: int = 14  # rituximab, from the first infusion to the second
    second_give_days: int = 3  # either way
    booked_days: int = 14  # an infusion booked within these days answers what is due; local


@dataclass(frozen=True)
class CheckNumbers(Grouping):
    course_g_per_kg: Decimal = Decimal(2)
    course_tolerance: Decimal = Decimal("0.05")
    course_days_least: int = 2
    course_days_most: int = 5
    interval_least_days: int = 21
    interval_most_days: int = 35
    rate_ml_kg_min: Decimal = Decimal("0.04")
    rate_at_risk_ml_kg_min: Decimal = Decimal("0.03")
    older_than_years: int = 65
    weight_days: int = 90  # a weight this far from the course's first day counts
    creatinine_days: int = 14  # before the next course; local
    iga_below_g_l: Decimal = Decimal("0.07")  # severe deficiency
    dose_mg: Decimal = Decimal(1000)
    second_days: int = 14
    second_give_days: int = 3
    repeat_days: int = 168
    igg_days: int = 28  # before an infusion of rituximab; local
    igg_later_days: int = 183  # six-monthly afterwards
    igg_low_g_l: Decimal = Decimal(6)
    igg_very_low_g_l: Decimal = Decimal(4)
    booked_days: int = 14
    serology_days: int = 90  # after immunoglobulin, antibodies found may be those of the donors


NUMBERS = CheckNumbers()
DUE_NUMBERS = DueNumbers()


# ------------------------------------------------------------------------------------------------- courses and cycles


@dataclass(frozen=True)
class Given:
    """One infusion: `amount` in g (immunoglobulin) or mg (rituximab)."""

    on: dt.date
    amount: Decimal
    max_rate_ml_per_hour: Decimal | None = None
    id: int = 0


@dataclass(frozen=True)
class Group:
    """A course of immunoglobulin or a cycle of rituximab: at least one infusion, oldest first."""

    infusions: tuple[Given, ...]

    @property
    def began_on(self) -> dt.date:
        return self.infusions[0].on

    @property
    def last_on(self) -> dt.date:
        return self.infusions[-1].on

    @property
    def span_days(self) -> int:
        """First and last day counted."""
        return (self.last_on - self.began_on).days + 1

    @property
    def by_day(self) -> dict[dt.date, Decimal]:
        """What was given on each day, oldest first."""
        days: dict[dt.date, Decimal] = {}
        for given in self.infusions:
            days[given.on] = days.get(given.on, Decimal(0)) + given.amount
        return days

    @property
    def total(self) -> Decimal:
        return sum((given.amount for given in self.infusions), Decimal(0))

    @property
    def max_rate_ml_per_hour(self) -> Decimal | None:
        rates = [g.max_rate_ml_per_hour for g in self.infusions if g.max_rate_ml_per_hour is not None]
        return max(rates, default=None)

    def per_kg(self, weight_kg: Decimal | None) -> Fraction | None:
        """Amount per kg, exact; None without a weight."""
        return Fraction(self.total) / Fraction(weight_kg) if weight_kg else None


def grouped(given: Iterable[Given], window_days: int) -> list[Group]:
    """Oldest first. An infusion more than `window_days` after the first of the group before begins a group."""
    groups: list[list[Given]] = []
    for one in sorted(given, key=lambda g: (g.on, g.id)):
        if groups and (one.on - groups[-1][0].on).days <= window_days:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [Group(tuple(group)) for group in groups]


# ---------------------------------------------------------------------------------------------------------------- rates


class Indication(enum.StrEnum):
    MYOSITIS = "myositis"


@dataclass(frozen=True)
class Caps:
    """Highest rates, mL/kg/min of a 10 % product: `usual`, and `at_risk` of thrombosis or renal failure."""

    usual: Decimal
    at_risk: Decimal


# One table an indication. Immune thrombocytopenia allows three times as much: it must never be read here.
CAPS = {Indication.MYOSITIS: Caps(NUMBERS.rate_ml_kg_min, NUMBERS.rate_at_risk_ml_kg_min)}
FIRST_RATE_ML_KG_MIN = Decimal("0.01")
STEP_MINUTES = 30  # how long the first rate is kept, and (local) each later one before the highest
GRAMS_PER_ML = Decimal("0.1")  # 10 %: the rates of other strengths are others


def cap_ml_kg_min(indication: str, *, at_risk: bool) -> Decimal:
    """Highest rate in mL/kg/min. KeyError for an indication that has no table: no other's may stand in."""
    caps = CAPS[Indication(indication)] if indication in set(Indication) else None
    if caps is None:
        raise KeyError(f"no rates for {indication}")
    return caps.at_risk if at_risk else caps.usual


def ml_per_hour(weight_kg: Decimal, ml_kg_min: Decimal) -> Decimal:
    """kg x mL/kg/min x 60, exact. 70 kg at 0.04: 168; at 0.03: 126."""
    return weight_kg * ml_kg_min * 60


def is_older(born_on: dt.date, day: dt.date, years: int = NUMBERS.older_than_years) -> bool:
    """Whether `day` lies after the birthday on which they are `years` old."""
    try:
        birthday = born_on.replace(year=born_on.year + years)
    except ValueError:  # 29 February
        birthday = born_on.replace(year=born_on.year + years, day=28)
    return birthday < day


@dataclass(frozen=True)
class Step:
    """`minutes` is None for the last: to the end. `ml_per_hour` is rounded down to whole mL, never above the cap."""

    ml_kg_min: Decimal
    ml_per_hour: Decimal
    minutes: int | None


def steps(weight_kg: Decimal, *, at_risk: bool, indication: str = Indication.MYOSITIS) -> tuple[Step, ...]:
    """The first rate doubled every 30 minutes, up to the cap."""
    cap = cap_ml_kg_min(indication, at_risk=at_risk)
    rates = []
    rate = FIRST_RATE_ML_KG_MIN
    while rate < cap:
        rates.append(rate)
        rate *= 2
    rates.append(cap)

    def pump(rate: Decimal) -> Decimal:
        return ml_per_hour(weight_kg, rate).quantize(Decimal(1), ROUND_DOWN)

    return tuple(Step(rate, pump(rate), STEP_MINUTES if rate != cap else None) for rate in rates)


def minutes_for(volume_ml: Decimal, plan: Sequence[Step]) -> int | None:
    """Minutes to give so much, rounded up; None where the last rate is less than 1 mL/h."""
    left, spent = Fraction(volume_ml), Fraction(0)
    for step in plan:
        rate = Fraction(step.ml_per_hour) / 60
        if step.minutes is None or left <= rate * step.minutes:
            return math.ceil(spent + left / rate) if rate else None
        left -= rate * step.minutes
        spent += step.minutes
    return None


# ---------------------------------------------------------------------------------------------------------------- vials

VIAL_SIZES = (Decimal("2.5"), Decimal(5), Decimal(10), Decimal(20), Decimal(30))  # g, as 10 % products have them
_SMALLEST_PART = Decimal("0.1")
MOST_SIZES = 8
LARGEST_VIAL = Decimal(100)


def _units(grams: Decimal) -> int:
    return int((grams / _SMALLEST_PART).to_integral_value(ROUND_HALF_UP))


def _check_sizes(sizes: Sequence[Decimal]) -> None:
    if not 1 <= len(sizes) <= MOST_SIZES:
        raise ValueError(f"From 1 to {MOST_SIZES} sizes of vials.")
    if any(not 0 < size <= LARGEST_VIAL or size % _SMALLEST_PART for size in sizes):
        raise ValueError(f"A vial has more than 0 and at most {LARGEST_VIAL} g, in steps of {_SMALLEST_PART} g.")


class Cabinet:
    """Sums that whole vials of these sizes make, each of the fewest vials."""

    def __init__(self, sizes: Iterable[Decimal]) -> None:
        """ValueError for sizes that are none, or too fine to count in."""
        self.sizes = tuple(sorted(set(sizes), reverse=True))
        _check_sizes(self.sizes)
        self._part = math.gcd(*(_units(size) for size in self.sizes))
        self._whole = [_units(size) // self._part for size in self.sizes]
        self._count: list[int | None] = [0]  # by sum, in parts: fewest vials, None where no vials make it
        self._last: list[int] = [-1]  # index of a vial that such a choice has

    def _reach(self, upto: int) -> None:
        for total in range(len(self._count), upto + 1):
            best, chosen = None, -1
            for index, size in enumerate(self._whole):
                before = self._count[total - size] if size <= total else None
                if before is not None and (best is None or before + 1 < best):
                    best, chosen = before + 1, index
            self._count.append(best)
            self._last.append(chosen)

    def fewest(self, grams: Decimal) -> tuple[tuple[Decimal, int], ...] | None:
        """(size, number) with the largest first, of exactly `grams`; None where no whole vials make it."""
        parts, rest = divmod(_units(grams), self._part)
        if grams <= 0 or rest or grams % _SMALLEST_PART:
            return None
        self._reach(parts)
        if self._count[parts] is None:
            return None
        chosen: dict[Decimal, int] = {}
        while parts:
            index = self._last[parts]
            chosen[self.sizes[index]] = chosen.get(self.sizes[index], 0) + 1
            parts -= self._whole[index]
        return tuple(sorted(chosen.items(), reverse=True))

    def nearest(self, grams: Fraction) -> Decimal:
        """The amount above 0 of whole vials that is nearest to `grams`; of two as near the smaller."""
        wanted = grams / Fraction(_SMALLEST_PART) / self._part
        upto = max(math.ceil(wanted), 0) + max(self._whole)
        self._reach(upto)
        possible = [total for total in range(1, upto + 1) if self._count[total] is not None]
        parts = min(possible, key=lambda total: (abs(total - wanted), total))
        return parts * self._part * _SMALLEST_PART


@dataclass(frozen=True)
class Day:
    """One day of a plan. `minutes` as `minutes_for`."""

    number: int
    grams: Decimal
    vials: tuple[tuple[Decimal, int], ...]
    volume_ml: Decimal
    minutes: int | None

    @property
    def duration(self) -> str:
        """ "2 h 18 min"; empty where it cannot be told."""
        if self.minutes is None:
            return ""
        hours, minutes = divmod(self.minutes, 60)
        return " ".join(part for part in (f"{hours} h" * (hours > 0), f"{minutes} min" * (minutes > 0)) if part)


@dataclass(frozen=True)
class CoursePlan:
    """`target_g` is exact; `total_g` what the vials make; `percent` how far that is from it, one decimal."""

    weight_kg: Decimal
    at_risk: bool
    target_g: Decimal
    total_g: Decimal
    percent: Decimal
    is_within: bool
    days: tuple[Day, ...]
    steps: tuple[Step, ...]
    cap_ml_kg_min: Decimal
    cap_ml_per_hour: Decimal

    @property
    def rounded_g(self) -> Decimal:
        """More (above 0) or less than 2 g/kg, because vials are given whole."""
        return self.total_g - self.target_g

    @property
    def less_g(self) -> Decimal:
        return -self.rounded_g

    @property
    def vials(self) -> tuple[tuple[Decimal, int], ...]:
        """(size, number) of the whole course, largest first."""
        needed: dict[Decimal, int] = {}
        for size, number in itertools.chain.from_iterable(day.vials for day in self.days):
            needed[size] = needed.get(size, 0) + number
        return tuple(sorted(needed.items(), reverse=True))


def plan_course(
    weight_kg: Decimal,
    days: int,
    sizes: Iterable[Decimal] = VIAL_SIZES,
    *,
    at_risk: bool,
    indication: str = Indication.MYOSITIS,
    numbers: CheckNumbers = NUMBERS,
) -> CoursePlan:
    """A course of immunoglobulin of 2 g/kg in whole vials: as even over the days as the vials allow, the course as near
    to 2 g/kg as a day's last vial allows, and of the fewest vials each day.

    ValueError for a weight that is none, a number of days outside 2 to 5, or sizes that are none.
    """
    if weight_kg <= 0:
        raise ValueError("A weight is more than 0.")
    if not numbers.course_days_least <= days <= numbers.course_days_most:
        raise ValueError(f"A course takes {numbers.course_days_least} to {numbers.course_days_most} days.")
    cabinet = Cabinet(sizes)
    target = weight_kg * numbers.course_g_per_kg
    amounts: list[Decimal] = []
    for number in range(1, days + 1):
        # what should have been given by the end of this day, less what the days before it brought
        amounts.append(cabinet.nearest(Fraction(target) * number / days - Fraction(sum(amounts, Decimal(0)))))
    amounts.sort(reverse=True)
    rates = steps(weight_kg, at_risk=at_risk, indication=indication)
    planned = []
    for number, grams in enumerate(amounts, start=1):
        volume = grams / GRAMS_PER_ML
        planned.append(Day(number, grams, cabinet.fewest(grams) or (), volume, minutes_for(volume, rates)))
    total = sum(amounts, Decimal(0))
    cap = cap_ml_kg_min(indication, at_risk=at_risk)
    return CoursePlan(
        weight_kg=weight_kg,
        at_risk=at_risk,
        target_g=target,
        total_g=total,
        percent=((total - target) * 100 / target).quantize(Decimal("0.1"), ROUND_HALF_UP),
        is_within=abs(total - target) <= target * numbers.course_tolerance,
        days=tuple(planned),
        steps=rates,
        cap_ml_kg_min=cap,
        cap_ml_per_hour=ml_per_hour(weight_kg, cap),
    )


# ----------------------------------------------------------------------------------------------------------------- due


@dataclass(frozen=True)
class Due:
    """The next infusion: `level` is None until its day; `until` is the last day of its window."""

    on: dt.date
    until: dt.date
    level: str | None
    reasons: tuple[str, ...]


def _days(number: int) -> dt.timedelta:
    return dt.timedelta(days=number)


def next_due(
    drug: str,
    newest: Group,
    as_of: dt.date,
    *,
    booked_for: dt.date | None = None,
    stopped_on: dt.date | None = None,
    dosed_until: dt.date | None = None,
    numbers: DueNumbers = DUE_NUMBERS,
) -> Due | None:
    """The next course of immunoglobulin, or the second infusion of a rituximab cycle; None where none is to come.

    `booked_for` is an infusion booked for `as_of` or later, `stopped_on` the last day of the drug, `dosed_until` that
    of its last dose period (None: it goes on, or none is recorded).
    """
    if drug == IVIG:
        on, until = newest.began_on + _days(numbers.interval_days), newest.began_on + _days(numbers.interval_most_days)
        # A prescription that ends before needs no next course, unless infusions went on after its end.
        if dosed_until is not None and newest.began_on <= dosed_until < on:
            return None
        word = IVIG
    else:
        closed_on = newest.began_on + _days(numbers.cycle_window_days)
        if len(newest.by_day) > 1 or as_of > closed_on:
            return None
        on = newest.began_on + _days(numbers.second_days)
        until = on + _days(numbers.second_give_days)
        word = "second"
    if stopped_on is not None and stopped_on < on:
        return None
    if as_of < on:
        return Due(on, until, None, ())
    is_late = as_of > until
    reason = f"{word}-late" if is_late else f"{word}-due"
    if booked_for is not None and as_of <= booked_for <= as_of + _days(numbers.booked_days):
        return Due(on, until, "INFO", (reason, "booked"))
    return Due(on, until, "ACTION" if is_late else "TASK", (reason,))


def repeat_from(cycle: Group, numbers: CheckNumbers = NUMBERS) -> dt.date:
    """First day on which a cycle of rituximab may be repeated."""
    return cycle.began_on + _days(numbers.repeat_days)


def passive_from(
    taken_on: dt.date, immunoglobulin: Iterable[dt.date], days: int = NUMBERS.serology_days
) -> dt.date | None:
    """The latest infusion of immunoglobulin whose antibodies a sample of `taken_on` may show; None where none."""
    return max((day for day in immunoglobulin if day <= taken_on <= day + _days(days)), default=None)


# -------------------------------------------------------------------------------------------------------------- checks

# Reasons that are worse than a task.
ACTIONS = frozenset({"rate-at-risk", "iga-low", "repeat-early", "igg-very-low", "hepatitis-b-positive"})


@dataclass(frozen=True)
class BeforeIvig:
    """Latest results known on the day judged: None where there is none."""

    creatinine_on: dt.date | None = None
    iga_g_l: Decimal | None = None
    is_iga_known: bool = False


@dataclass(frozen=True)
class BeforeRituximab:
    """`igg_g_l` and `igg_on` of the latest IgG; `hepatitis_b` is "negative", "positive", or "" where not known."""

    igg_on: dt.date | None = None
    igg_g_l: Decimal | None = None
    hepatitis_b: str = ""
    is_antiviral_noted: bool = False
    booked_for: dt.date | None = None


def check_ivig(
    course: Group,
    as_of: dt.date,
    *,
    before: Group | None = None,
    weight_kg: Decimal | None,
    at_risk: bool,
    known: BeforeIvig,
    numbers: CheckNumbers = NUMBERS,
) -> list[str]:
    """What is wrong with a course of immunoglobulin, or missing before the next. Without a weight, neither total nor
    rate is judged. What is too little is said once a course cannot last longer.
    """
    found = []
    is_over = as_of >= course.began_on + _days(numbers.course_days_most)
    if weight_kg is not None:
        target = numbers.course_g_per_kg * weight_kg
        if course.total > target * (1 + numbers.course_tolerance):
            found.append("total-high")
        if is_over and course.total < target * (1 - numbers.course_tolerance):
            found.append("total-low")
    if course.span_days > numbers.course_days_most or (is_over and course.span_days < numbers.course_days_least):
        found.append("days")
    if before is not None:
        interval = (course.began_on - before.began_on).days
        if not numbers.interval_least_days <= interval <= numbers.interval_most_days:
            found.append("interval")
    rate = course.max_rate_ml_per_hour
    if weight_kg is not None and rate is not None:
        cap = numbers.rate_at_risk_ml_kg_min if at_risk else numbers.rate_ml_kg_min
        if rate > ml_per_hour(weight_kg, cap):
            found.append("rate-at-risk" if at_risk else "rate")
    if as_of >= course.began_on + _days(numbers.interval_least_days):
        if known.creatinine_on is None or known.creatinine_on < as_of - _days(numbers.creatinine_days):
            found.append("creatinine")
        if not known.is_iga_known:
            found.append("iga-unknown")
    if known.iga_g_l is not None and known.iga_g_l < numbers.iga_below_g_l:
        found.append("iga-low")
    return found


def check_rituximab(
    cycle: Group,
    as_of: dt.date,
    *,
    before: Group | None = None,
    known: BeforeRituximab,
    numbers: CheckNumbers = NUMBERS,
) -> list[str]:
    """What is wrong with a cycle of rituximab, or missing before the next infusion."""
    found = []
    days = list(cycle.by_day)
    day = (as_of - cycle.began_on).days
    if len(days) == 1 and day > numbers.cycle_window_days:
        found.append("second-missed")
    if len(days) > 1 and abs((days[1] - days[0]).days - numbers.second_days) > numbers.second_give_days:
        found.append("second-interval")
    if len(days) > 2 or any(amount != numbers.dose_mg for amount in cycle.by_day.values()):
        found.append("amount")
    if before is not None and (cycle.began_on - before.began_on).days < numbers.repeat_days:
        found.append("repeat-early")
    waits = len(days) == 1 and numbers.second_days - numbers.second_give_days <= day <= numbers.cycle_window_days
    booked = known.booked_for is not None and as_of <= known.booked_for <= as_of + _days(numbers.booked_days)
    if waits or booked:
        igg_from: dt.date | None = as_of - _days(numbers.igg_days)
    elif day >= numbers.repeat_days:
        igg_from = as_of - _days(numbers.igg_later_days)
    else:
        igg_from = None
    if igg_from is not None and (known.igg_on is None or known.igg_on < igg_from):
        found.append("igg-missing")
    recent = known.igg_on is not None and known.igg_on >= as_of - _days(numbers.igg_later_days)
    if recent and known.igg_g_l is not None and known.igg_g_l < numbers.igg_low_g_l:
        found.append("igg-very-low" if known.igg_g_l < numbers.igg_very_low_g_l else "igg-low")
    if known.hepatitis_b == "positive":
        if not known.is_antiviral_noted:
            found.append("hepatitis-b-positive")
    elif known.hepatitis_b != "negative":
        found.append("hepatitis-b-unknown")
    return found


def level_of(reasons: Sequence[str]) -> str | None:
    """ACTION, TASK, or None where nothing is wrong."""
    if not reasons:
        return None
    return "ACTION" if ACTIONS.intersection(reasons) else "TASK"
