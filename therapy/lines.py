"""Lines of therapy, and whether each drug was given at a dose and for a time that could have worked. No Django.

A line is a set of immunosuppressants taken together, glucocorticoid apart: a change of the set begins the next. What a
dose is held against is the lower end of its target (the formulary), for the days that the rule `second-line-review`
asks for; the rule has its numbers from here. Immunoglobulin and rituximab count by their infusions.

An agent is judged over the whole of its taking, whatever was added meanwhile; for the rule, within the present episode
of glucocorticoid alone (`first_line`).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from common.words import N_
from therapy.dosing import EPISODE_GAP_DAYS, DoseRow, newest_of_each
from therapy.formulary import EVERY_DAYS, FIRST_LINE, FORMULARY, Kind, Per, Phase
from therapy.infusions import DUE_NUMBERS, IVIG, RITUXIMAB, Given, Group, grouped
from therapy.infusions import NUMBERS as INFUSION
from therapy.prednisone_equivalent import EQUIVALENT_MG, REFERENCE_MG, SYSTEMIC_ROUTES

PE = "pe"
# What a line is made of.
AGENTS = frozenset(
    code
    for code, drug in FORMULARY.items()
    if drug.kind in {Kind.CONVENTIONAL, Kind.CALCINEURIN, Kind.BIOLOGIC, Kind.IMMUNOGLOBULIN, Kind.JAK}
)
_ONE = dt.timedelta(days=1)
_DIGITS = 12  # as exact as the rules are


def lower_end(drug: str) -> Decimal:
    """Lower end of the one target dose of a drug, in the unit of the formulary."""
    (target,) = FORMULARY[drug].ranges_for(Phase.TARGET)
    return target.low


METHOTREXATE = lower_end("methotrexate")
AZATHIOPRINE = lower_end("azathioprine")
MYCOPHENOLATE = lower_end("mycophenolate-mofetil")


@dataclass(frozen=True)
class Numbers:
    """The upper part are parameters of the rule `second-line-review`, by the same names."""

    steroid_mg_kg_day: Decimal = Decimal("0.5")  # of prednisone equivalent
    steroid_days: int = 28
    weight_days: int = 90  # a weight this far from the first day counts
    methotrexate_mg_week: Decimal = METHOTREXATE
    azathioprine_mg_kg_day: Decimal = AZATHIOPRINE
    mycophenolate_mg_day: Decimal = MYCOPHENOLATE
    agent_days: int = 56
    episode_gap_days: int = EPISODE_GAP_DAYS
    # All below are local.
    pause_days: int = 28  # so long without a dose a drug is still the same attempt
    passage_days: int = 28  # two drugs together for less than this, on the way from one to the other, are no line
    ivig_courses: int = 4  # days 0, 28, 56, 84: the rule waits 112 days for their effect
    rituximab_days: int = 168  # after a complete cycle
    infusion_holds_days: int = DUE_NUMBERS.interval_most_days  # an infusion counts as treatment until the next is late


NUMBERS = Numbers()


@dataclass(frozen=True)
class Floor:
    """The lower end of a target: `amount` in the drug's unit every `every_days` days, for `days` without a break."""

    amount: Decimal
    is_per_kg: bool
    every_days: int
    days: int


def floor_of(agent: str, route: str, numbers: Numbers = NUMBERS) -> Floor | None:
    """None where the formulary has no target that a dose over time can be held against."""
    own = {
        PE: Floor(numbers.steroid_mg_kg_day, True, 1, numbers.steroid_days),
        "methotrexate": Floor(numbers.methotrexate_mg_week, False, 7, numbers.agent_days),
        "azathioprine": Floor(numbers.azathioprine_mg_kg_day, True, 1, numbers.agent_days),
        "mycophenolate-mofetil": Floor(numbers.mycophenolate_mg_day, False, 1, numbers.agent_days),
    }
    if agent in own:
        return own[agent]
    targets = [
        r for r in FORMULARY[agent].ranges_for(Phase.TARGET, route) if r.every in EVERY_DAYS and r.per is not Per.M2
    ]
    if len(targets) != 1:
        return None
    return Floor(targets[0].low, targets[0].per is Per.KG, EVERY_DAYS[targets[0].every], numbers.agent_days)


# --------------------------------------------------------------------------------------------------- what was in force


@dataclass(frozen=True)
class Stretch:
    """Days with one amount; no last day lies after the day asked about."""

    first_on: dt.date
    last_on: dt.date
    amount: Fraction


@dataclass(frozen=True)
class Stop:
    course_id: int
    drug: str
    on: dt.date
    reason: str
    note: str = ""


@dataclass(frozen=True)
class Weight:
    on: dt.date
    kg: Decimal


def stretches(rows: Iterable[DoseRow], as_of: dt.date, amount_of: Callable[[DoseRow], Fraction]) -> list[Stretch]:
    """What was in force when, oldest first: the newest dose of each drug and route, added up. None of no dose."""
    begun = [row for row in rows if row.route in SYSTEMIC_ROUTES and row.starts_on <= as_of]
    edges = {row.starts_on for row in begun} | {row.ends_on + _ONE for row in begun if row.ends_on is not None}
    days = sorted(day for day in edges if day <= as_of)
    found: list[Stretch] = []
    for day, following in itertools.pairwise([*days, as_of + _ONE]):
        amount = round(sum((amount_of(row) for row in newest_of_each(begun, day)), Fraction(0)), _DIGITS)
        if amount > 0:
            found.append(Stretch(day, following - _ONE, amount))
    return found


def _pe(row: DoseRow) -> Fraction:
    return row.per_day * Fraction(REFERENCE_MG) / Fraction(EQUIVALENT_MG[row.drug])


def of_agent(rows: Iterable[DoseRow], agent: str, as_of: dt.date, every_days: int = 1) -> list[Stretch]:
    """`stretches` of one drug in its unit every `every_days` days, or (PE) of all glucocorticoid in mg a day."""
    if agent == PE:
        return stretches((row for row in rows if row.is_systemic_glucocorticoid), as_of, _pe)
    return stretches((row for row in rows if row.drug == agent), as_of, lambda row: row.per_day * every_days)


def episodes(pe: Sequence[Stretch], numbers: Numbers = NUMBERS) -> list[tuple[dt.date, dt.date]]:
    """(first day, last day with a dose) of every episode of glucocorticoid, oldest first."""
    found: list[tuple[dt.date, dt.date]] = []
    for one in pe:
        if found and (one.first_on - found[-1][1]).days < numbers.episode_gap_days:
            found[-1] = (found[-1][0], one.last_on)
        else:
            found.append((one.first_on, one.last_on))
    return found


def weight_near(weights: Iterable[Weight], day: dt.date, numbers: Numbers = NUMBERS) -> Weight | None:
    """Nearest to `day`, of two equally near the earlier; of one day the first that is given here."""
    near = [w for w in weights if abs((w.on - day).days) <= numbers.weight_days]
    return min(near, key=lambda w: (abs((w.on - day).days), w.on), default=None)


# ------------------------------------------------------------------------------------------------------------ adequacy


@dataclass(frozen=True)
class Adequacy:
    """How an agent was given from `first_on` to `last_on`, the last day with a dose by the day asked about.

    `days_enough` is the longest time without a break at or above the lower end. Of infusions, `had` courses or cycles
    of `needed` were complete, and `days` are those since the first began; nothing is said of a lower end.
    `is_adequate` is None where it cannot be told, and `why` says why.
    """

    agent: str
    first_on: dt.date
    last_on: dt.date
    days: int
    is_running: bool
    highest: Fraction
    today: Fraction
    floor: Floor | None
    weight: Weight | None
    days_enough: int
    days_needed: int
    is_adequate: bool | None
    why: str = ""
    by_infusions: bool = False
    had: int = 0
    needed: int = 0

    @property
    def is_sure(self) -> bool:
        """Whether a weight that matters is known."""
        return self.floor is None or not self.floor.is_per_kg or self.weight is not None


NO_WEIGHT = N_("no weight is recorded near its beginning")
NO_TARGET = N_("no target dose to hold it against")
NO_NUMBER = N_("how many infusions are enough is not set down")


def judge(
    agent: str, taken: Sequence[Stretch], floor: Floor | None, weight: Weight | None, as_of: dt.date
) -> Adequacy | None:
    """None where nothing was taken."""
    if not taken:
        return None
    longest = run = 0
    before: dt.date | None = None
    least = None
    if floor is not None:
        scale = Fraction(weight.kg if weight else 0) if floor.is_per_kg else Fraction(1)
        least = Fraction(floor.amount) * scale
        for one in taken:
            if one.amount < least:
                continue
            days = (one.last_on - one.first_on).days + 1
            run = run + days if before == one.first_on - _ONE else days
            before = one.last_on
            longest = max(longest, run)
    is_adequate: bool | None = None
    why = NO_TARGET
    if floor is not None:
        is_unsure = floor.is_per_kg and weight is None
        is_enough = longest >= floor.days
        is_adequate = None if is_enough and is_unsure else is_enough
        why = NO_WEIGHT if is_unsure else ""
    return Adequacy(
        agent=agent,
        first_on=taken[0].first_on,
        last_on=taken[-1].last_on,
        days=sum((one.last_on - one.first_on).days + 1 for one in taken),
        is_running=taken[-1].last_on == as_of,
        highest=max(one.amount for one in taken),
        today=taken[-1].amount if taken[-1].last_on == as_of else Fraction(0),
        floor=floor,
        weight=weight if floor is not None and floor.is_per_kg else None,
        days_enough=longest,
        days_needed=floor.days if floor is not None else 0,
        is_adequate=is_adequate,
        why=why,
    )


def clipped(taken: Iterable[Stretch], since: dt.date, until: dt.date) -> list[Stretch]:
    return [
        Stretch(max(one.first_on, since), min(one.last_on, until), one.amount)
        for one in taken
        if one.last_on >= since and one.first_on <= until
    ]


@dataclass(frozen=True)
class FirstLine:
    """The present episode of glucocorticoid, as the rule judges it. `agents`: glucocorticoid first, then the others."""

    day0: dt.date
    weight: Weight | None
    agents: Sequence[Adequacy]

    @property
    def is_adequate(self) -> bool | None:
        """Glucocorticoid, and one of the three beside it, were enough; None where it cannot be told."""
        steroid = _any(a for a in self.agents if a.agent == PE)
        other = _any(a for a in self.agents if a.agent != PE)
        if steroid is False or other is False:
            return False
        return None if steroid is None or other is None else True


def _any(agents: Iterable[Adequacy]) -> bool | None:
    said = {agent.is_adequate for agent in agents}
    return True if True in said else None if None in said else False


def first_line(
    rows: Sequence[DoseRow], weights: Sequence[Weight], as_of: dt.date, numbers: Numbers = NUMBERS
) -> FirstLine | None:
    """None where there is no present episode of glucocorticoid."""
    pe = of_agent(rows, PE, as_of)
    found = episodes(pe, numbers)
    if not found or (as_of - found[-1][1]).days > numbers.episode_gap_days:
        return None
    day0 = found[-1][0]
    weight = weight_near([w for w in weights if w.on <= as_of], day0, numbers)
    judged = []
    for agent in (PE, *sorted(FIRST_LINE)):
        floor = floor_of(agent, "", numbers)
        assert floor is not None
        taken = pe if agent == PE else of_agent(rows, agent, as_of, floor.every_days)
        judged.append(judge(agent, clipped(taken, day0, as_of), floor, weight, as_of))
    return FirstLine(day0, weight, [agent for agent in judged if agent is not None])


# --------------------------------------------------------------------------------------------------------------- lines


@dataclass(frozen=True)
class Use:
    """One attempt with one drug. `last_on` is None while it goes on; `stop` is why it ended, where somebody said."""

    drug: str
    first_on: dt.date
    last_on: dt.date | None
    adequacy: Adequacy
    stop: Stop | None

    @property
    def is_running(self) -> bool:
        return self.last_on is None


@dataclass(frozen=True)
class Line:
    """`uses` of the drugs of the set; those begun before the line were continued."""

    number: int
    first_on: dt.date
    last_on: dt.date | None
    uses: Sequence[Use]

    def is_continued(self, use: Use) -> bool:
        return use.first_on < self.first_on


@dataclass(frozen=True)
class Lines:
    """Oldest first. `uses` is every attempt once, by its first day."""

    lines: Sequence[Line]
    uses: Sequence[Use]


def _joined(spans: Iterable[tuple[dt.date, dt.date]], gap_days: int) -> list[tuple[dt.date, dt.date]]:
    found: list[tuple[dt.date, dt.date]] = []
    for first, last in sorted(spans):
        if found and (first - found[-1][1]).days - 1 <= gap_days:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def _held(drug: str, rows: Sequence[DoseRow], stops: Sequence[Stop], numbers: Numbers) -> list[tuple[dt.date, dt.date]]:
    """How long each infusion counts as treatment: until the stop of its course at the latest."""
    days = numbers.rituximab_days if drug == RITUXIMAB else numbers.infusion_holds_days
    found = []
    for row in rows:
        if row.given:
            until = row.starts_on + dt.timedelta(days=days)
            ended = [s.on for s in stops if s.drug == drug and row.starts_on <= s.on <= until]
            found.append((row.starts_on, min([until, *ended])))
    return found


def _by_infusions(
    drug: str, given: Sequence[Given], weights: Sequence[Weight], as_of: dt.date, is_running: bool, numbers: Numbers
) -> Adequacy:
    if drug == IVIG:
        groups = grouped(given, INFUSION.course_window_days)
    else:
        groups = grouped(given, INFUSION.cycle_window_days)
    whole, unsure, weight = 0, 0, None
    for group in groups:
        near = weight_near(weights, group.began_on, numbers)
        weight = weight or near
        said = _is_whole(drug, group, near)
        whole += said is True
        unsure += said is None
    needed, days_needed, why = (numbers.ivig_courses, 0, "") if drug == IVIG else (1, numbers.rituximab_days, "")
    is_adequate: bool | None
    if drug == IVIG:
        is_adequate = True if whole >= needed else None if whole + unsure >= needed else False
        why = NO_WEIGHT if is_adequate is None else ""
    elif drug == RITUXIMAB:
        is_adequate = any(
            _is_whole(drug, group, None) and (as_of - group.began_on).days >= numbers.rituximab_days for group in groups
        )
    else:
        is_adequate, why, needed = None, NO_NUMBER, 0
    return Adequacy(
        agent=drug,
        first_on=groups[0].began_on,
        last_on=groups[-1].last_on,
        days=(as_of - groups[0].began_on).days,
        is_running=is_running,
        highest=Fraction(max(group.total for group in groups)),
        today=Fraction(0),
        floor=None,
        weight=weight,
        days_enough=(as_of - groups[0].began_on).days if drug == RITUXIMAB else 0,
        days_needed=days_needed,
        is_adequate=is_adequate,
        why=why,
        by_infusions=True,
        had=whole,
        needed=needed,
    )


def _is_whole(drug: str, group: Group, weight: Weight | None) -> bool | None:
    """Whether all of a course or cycle was given; None without the weight it is counted by."""
    if drug == RITUXIMAB:
        return len(group.by_day) > 1 and group.total >= 2 * INFUSION.dose_mg
    if drug != IVIG:
        return True
    per_kg = group.per_kg(weight.kg if weight else None)
    return None if per_kg is None else per_kg >= Fraction(INFUSION.course_g_per_kg * (1 - INFUSION.course_tolerance))


def _uses(
    drug: str,
    rows: Sequence[DoseRow],
    stops: Sequence[Stop],
    weights: Sequence[Weight],
    begins: Sequence[tuple[dt.date, dt.date]],
    as_of: dt.date,
    numbers: Numbers,
) -> list[Use]:
    """Attempts with one drug. `begins` are the episodes of glucocorticoid: a dose per kg is by the weight of theirs."""
    own = [row for row in rows if row.drug == drug and row.route in SYSTEMIC_ROUTES and row.starts_on <= as_of]
    given = [row for row in own if row.given]
    only_infused = drug in (IVIG, RITUXIMAB)
    by_doses = [] if only_infused else [row for row in own if not row.given]
    spans = [(one.first_on, one.last_on) for one in of_agent(by_doses, drug, as_of)]
    found = []
    for first, last in _joined([*spans, *_held(drug, given, stops, numbers)], numbers.pause_days):
        in_use = [row for row in given if first <= row.starts_on <= last]
        doses = [row for row in by_doses if row.starts_on <= last and (row.ends_on is None or row.ends_on >= first)]
        is_running = last >= as_of
        begun = next((day0 for day0, end in reversed(begins) if day0 <= first <= end), first)
        if doses:
            route = max(doses, key=lambda row: (row.starts_on, row.id)).route
            floor = floor_of(drug, route, numbers)
            taken = clipped(of_agent(own, drug, as_of, floor.every_days if floor else 1), first, min(last, as_of))
            judged = judge(drug, taken, floor, weight_near(weights, begun, numbers), as_of)
            if judged is None:
                continue
            adequacy = judged
        else:
            amounts = [Given(row.starts_on, row.amount, id=row.id) for row in in_use]
            adequacy = _by_infusions(drug, amounts, weights, as_of, is_running, numbers)
        late = dt.timedelta(days=numbers.pause_days)
        ended = [s for s in stops if s.drug == drug and first <= s.on <= last + late and s.on <= as_of]
        found.append(
            Use(
                drug=drug,
                first_on=first,
                last_on=None if is_running else last,
                adequacy=adequacy,
                stop=None if is_running else max(ended, key=lambda s: s.on, default=None),
            )
        )
    return found


@dataclass
class _Set:
    first_on: dt.date
    last_on: dt.date | None
    drugs: frozenset[str]


def work_out(
    rows: Sequence[DoseRow],
    stops: Sequence[Stop],
    weights: Sequence[Weight],
    as_of: dt.date,
    numbers: Numbers = NUMBERS,
) -> Lines:
    """The lines by `as_of`. `rows` are doses that end with the stop of their course, and infusions (`given`)."""
    begins = episodes(of_agent(rows, PE, as_of), numbers)
    known = [w for w in weights if w.on <= as_of]
    uses = [
        use
        for drug in sorted({row.drug for row in rows} & AGENTS)
        for use in _uses(drug, rows, [s for s in stops if s.on <= as_of], known, begins, as_of, numbers)
    ]
    days = sorted({u.first_on for u in uses} | {u.last_on + _ONE for u in uses if u.last_on is not None})
    sets: list[_Set] = []
    for day, following in itertools.pairwise([*days, None]):
        assert day is not None
        drugs = frozenset(u.drug for u in uses if u.first_on <= day and (u.last_on is None or u.last_on >= day))
        if sets and sets[-1].drugs == drugs:
            sets[-1].last_on = following and following - _ONE
        else:
            sets.append(_Set(day, following and following - _ONE, drugs))
    kept: list[_Set] = []
    for index, one in enumerate(sets):
        if _is_passage(sets, index, numbers):
            sets[index + 1].first_on = one.first_on
        elif one.drugs:
            kept.append(one)
    lines = [
        Line(
            number,
            one.first_on,
            one.last_on,
            [
                u
                for u in uses
                if u.drug in one.drugs
                and u.first_on <= (one.last_on or as_of)
                and (u.last_on is None or u.last_on >= one.first_on)
            ],
        )
        for number, one in enumerate(kept, start=1)
    ]
    return Lines(lines, sorted(uses, key=lambda u: (u.first_on, u.drug)))


def _is_passage(sets: Sequence[_Set], index: int, numbers: Numbers) -> bool:
    """A short time with both, on the way from one set to another."""
    one = sets[index]
    if not 0 < index < len(sets) - 1 or one.last_on is None:
        return False
    before, after = sets[index - 1].drugs, sets[index + 1].drugs
    is_short = (one.last_on - one.first_on).days + 1 < numbers.passage_days
    return is_short and bool(before) and bool(after) and one.drugs == before | after
