"""`ck-rising` once more: one patient at a time, in plain Python, from the text of the rule and not from its query.

Shares no number and no code with monitoring/rules/ck_rising.py, so that the two can disagree.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from tests.naive.record import (
    Confounder,
    PersonalBaseline,
    Record,
    Said,
    TaperConfirmation,
    TaperEnd,
    TaperPlan,
    TaperStep,
)


@dataclass(frozen=True)
class Sample:
    """One CK in U/L; `value` None: its unit cannot be converted. `uln` None or 0: not known."""

    id: int
    taken_on: dt.date
    value: Decimal | None
    uln: Decimal | None = None
    taken_at: dt.datetime | None = None


@dataclass
class Taper:
    """Steps as (first day, day confirmed or None)."""

    steps: list[tuple[dt.date, dt.date | None]]
    ended_on: dt.date | None = None


@dataclass
class History:
    samples: list[Sample] = field(default_factory=list)
    baselines: list[tuple[dt.date, int, Decimal]] = field(default_factory=list)  # (set on, id, value)
    tapers: list[Taper] = field(default_factory=list)
    confounders: list[tuple[str, dt.date]] = field(default_factory=list)
    subtype: str = "dermatomyositis"
    diagnosed_on: dt.date | None = None


@dataclass(frozen=True)
class Verdict:
    level: str | None = None
    missing: bool = False


LEVELS = ["URGENT", "ACTION", "TASK", "INFO"]
EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)
WINDOWS = {"exercise": 7, "injection": 14, "emg": 14, "biopsy": 14, "seizure": 14, "fall": 14, "surgery": 14}


def in_order(samples: list[Sample]) -> list[Sample]:
    """Oldest first: by day, then time (none before any), then id."""
    return sorted(samples, key=lambda s: (s.taken_on, s.taken_at is not None, s.taken_at or EARLIEST, s.id))


def is_running(taper: Taper, as_of: dt.date) -> bool:
    if not taper.steps or min(day for day, _ in taper.steps) > as_of:
        return False
    confirmed_on = max(taper.steps)[1]
    if confirmed_on is not None and confirmed_on <= as_of:
        return False
    return taper.ended_on is None or taper.ended_on >= as_of


def judge(history: History, as_of: dt.date) -> Verdict:
    ordered = in_order([s for s in history.samples if s.taken_on <= as_of])
    if not ordered:
        return Verdict()
    now = ordered[-1]
    if (as_of - now.taken_on).days > 90:
        return Verdict()
    if now.value is None:
        return Verdict(missing=True)

    by_day: dict[dt.date, Sample] = {}
    for sample in ordered:
        if sample.value is not None:
            by_day[sample.taken_on] = sample  # the later one of its day
    earlier = [by_day[day] for day in sorted(by_day) if day < now.taken_on]

    own = [b for b in history.baselines if b[0] <= as_of]
    if own:
        nadir = max(own)[2]
    else:
        window = [s.value for s in earlier if (now.taken_on - s.taken_on).days <= 180]
        if not window:
            return Verdict()
        nadir = min(window)

    is_new_above = bool(earlier) and now.value > 5000 and earlier[-1].value <= 5000
    if not now.uln:
        if is_new_above:
            return Verdict(finish("URGENT", history, now))
        return Verdict(missing=True)

    u = Fraction(now.value) / Fraction(now.uln)
    if u <= 1 or Fraction(now.value) - Fraction(nadir) < Fraction(now.uln) / 2:
        return Verdict()
    r = None if nadir == 0 else Fraction(now.value) / Fraction(nadir)

    if (r is not None and u >= 10 and r >= 2) or is_new_above:
        return Verdict(finish("URGENT", history, now))

    three = [s.value for s in [*earlier, now][-3:]]
    is_three = (
        len(three) == 3
        and three[0] < three[1] < three[2]
        and three[0] > 0
        and Fraction(three[2]) / Fraction(three[0]) >= Fraction(3, 2)
        and u > Fraction(3, 2)
    )
    if any(is_running(taper, as_of) for taper in history.tapers):
        thresholds = [Fraction(17, 10)]
    elif history.diagnosed_on is None:
        thresholds = [Fraction(17, 10), Fraction(2)]  # one of them
    elif (as_of - history.diagnosed_on).days <= 730:
        thresholds = [Fraction(17, 10)]
    else:
        thresholds = [Fraction(2)]
    reached = {r is not None and r >= threshold for threshold in thresholds}

    level = None
    if reached == {True} or is_three:
        level = "ACTION"
    elif r is not None and r >= Fraction(3, 2):
        level = "INFO"
    undecided = r is None or (len(reached) == 2 and level == "INFO" and history.subtype != "inclusion_body")
    return Verdict(finish(level, history, now), undecided)


def finish(level: str | None, history: History, now: Sample) -> str | None:
    """Confounders first, then the cap of inclusion body myositis."""
    if level is None:
        return None
    for kind, day in history.confounders:
        if 0 <= (now.taken_on - day).days <= WINDOWS.get(kind, 90):
            level = LEVELS[min(LEVELS.index(level) + 1, 3)]
            break
    return "INFO" if history.subtype == "inclusion_body" else level


def judge_record(record: Record, as_of: dt.date) -> list[Said]:
    """The same, of a whole record."""
    history = History(subtype=record.subtype, diagnosed_on=record.diagnosed_on)
    for r in record.results("ck", as_of):
        history.samples.append(Sample(r.id, r.taken_on, r.value, record.uln(r), r.taken_at))
    history.baselines = [(b.set_on, b.id, b.value) for b in record[PersonalBaseline] if b.analyte == "ck"]
    history.confounders = [(c.kind, c.happened_on) for c in record[Confounder]]
    confirmed = {c.step_id: c.confirmed_on for c in record[TaperConfirmation]}
    ended = {e.plan_id: e.ended_on for e in record[TaperEnd]}
    for plan in record[TaperPlan]:
        steps = [(s.step_on, confirmed.get(s.id)) for s in record[TaperStep] if s.plan_id == plan.id]
        history.tapers.append(Taper(steps, ended.get(plan.id)))
    verdict = judge(history, as_of)
    if verdict == Verdict():
        return []
    return [Said("patient", verdict.level, None, verdict.missing)]
