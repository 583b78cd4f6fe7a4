"""One patient's record as plain values: what the naive rules read, and what the generator makes.

Each fact has the fields of its table under the same names, so that rows become facts and facts become rows without a
translation that could hide a mistake.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

LONG_AGO = dt.datetime(2015, 1, 1, tzinfo=dt.UTC)
POSITIVE = ("positive", "strong")


class Said(NamedTuple):
    """One row of what a rule says. `level` None and no `missing`: it falls due on `due_on`, within the horizon."""

    subject: str
    level: str | None = None
    due_on: dt.date | None = None
    missing: bool = False


@dataclass(frozen=True, kw_only=True)
class Fact:
    id: int = 0
    recorded_at: dt.datetime = LONG_AGO
    retired_at: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class FollowUpStatus(Fact):
    word: str
    starts_on: dt.date


@dataclass(frozen=True, kw_only=True)
class RuleException(Fact):
    rule: str
    starts_on: dt.date
    ends_on: dt.date
    reason: str = "agreed"


@dataclass(frozen=True, kw_only=True)
class AntibodyResult(Fact):
    antibody: str
    result: str
    taken_on: dt.date


@dataclass(frozen=True, kw_only=True)
class Manifestation(Fact):
    kind: str
    onset_on: dt.date
    ended_on: dt.date | None = None
    severity: str = ""


@dataclass(frozen=True, kw_only=True)
class RiskFactor(Fact):
    kind: str
    starts_on: dt.date
    ends_on: dt.date | None = None


@dataclass(frozen=True, kw_only=True)
class Course(Fact):
    drug: str
    route: str


@dataclass(frozen=True, kw_only=True)
class CourseStop(Fact):
    course_id: int
    stopped_on: dt.date
    reason: str


@dataclass(frozen=True, kw_only=True)
class Dose(Fact):
    course_id: int
    starts_on: dt.date
    ends_on: dt.date | None
    amount: Decimal
    times: int = 1
    every_days: int = 1
    out_of_range_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Infusion(Fact):
    course_id: int
    given_on: dt.date
    amount: Decimal
    max_rate_ml_per_hour: Decimal | None = None
    reaction: str = "not_recorded"


@dataclass(frozen=True, kw_only=True)
class EscalationDecision(Fact):
    decided_on: dt.date
    option: str
    reason: str = "weighed"


@dataclass(frozen=True, kw_only=True)
class TaperPlan(Fact):
    pass


@dataclass(frozen=True, kw_only=True)
class TaperStep(Fact):
    plan_id: int
    step_on: dt.date
    dose_pe_mg: Decimal


@dataclass(frozen=True, kw_only=True)
class TaperConfirmation(Fact):
    step_id: int
    confirmed_on: dt.date


@dataclass(frozen=True, kw_only=True)
class TaperHold(Fact):
    plan_id: int
    starts_on: dt.date
    ends_on: dt.date | None
    reason: str = "infection"


@dataclass(frozen=True, kw_only=True)
class TaperEnd(Fact):
    plan_id: int
    ended_on: dt.date
    reason: str = "another plan"


@dataclass(frozen=True, kw_only=True)
class PhysioPlan(Fact):
    starts_on: dt.date


@dataclass(frozen=True, kw_only=True)
class PhysioPause(Fact):
    plan_id: int
    starts_on: dt.date
    ends_on: dt.date | None
    reason: str = "away"


@dataclass(frozen=True, kw_only=True)
class PhysioEnd(Fact):
    plan_id: int
    ended_on: dt.date
    reason: str = "goal reached"


@dataclass(frozen=True, kw_only=True)
class PhysioDecline(Fact):
    declined_on: dt.date
    ends_on: dt.date | None


@dataclass(frozen=True, kw_only=True)
class PhysioSession(Fact):
    plan_id: int
    held_on: dt.date


@dataclass(frozen=True, kw_only=True)
class SessionOutcome(Fact):
    session_id: int
    word: str


@dataclass(frozen=True, kw_only=True)
class Result(Fact):
    analyte: str
    value: Decimal | None
    taken_on: dt.date
    uln: Decimal | None = None
    low: Decimal | None = None
    taken_at: dt.datetime | None = None
    comparator: str = ""
    value_received: str = ""


@dataclass(frozen=True, kw_only=True)
class PersonalBaseline(Fact):
    analyte: str
    value: Decimal
    set_on: dt.date
    reason: str = "in remission"


@dataclass(frozen=True, kw_only=True)
class Confounder(Fact):
    kind: str
    happened_on: dt.date


@dataclass(frozen=True, kw_only=True)
class Assessment(Fact):
    assessed_on: dt.date
    physician_vas: Decimal | None = None
    patient_vas: Decimal | None = None
    extramuscular_vas: Decimal | None = None
    haq_di: Decimal | None = None
    mmt8_150: int | None = None
    mmt8_80: int | None = None


@dataclass(frozen=True, kw_only=True)
class FunctionalTest(Fact):
    instrument: str
    tested_on: dt.date
    is_complete: bool
    score: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class BodySize(Fact):
    measured_on: dt.date
    weight_kg: Decimal | None = None
    height_cm: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class LungFunction(Fact):
    tested_on: dt.date
    fvc_l: Decimal | None = None
    fvc_percent_predicted: Decimal | None = None
    dlco_percent_predicted: Decimal | None = None
    dlco_hb_corrected: str = "unknown"
    reference_set: str = ""


@dataclass(frozen=True, kw_only=True)
class Imaging(Fact):
    modality: str
    done_on: dt.date
    ild: str = "not_reported"
    progression: str = "not_stated"


@dataclass(frozen=True, kw_only=True)
class Screening(Fact):
    kind: str
    done_on: dt.date
    outcome: str = "not_stated"
    score: Decimal | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Booking(Fact):
    kind: str
    booked_for: dt.date


@dataclass(frozen=True, kw_only=True)
class Waiver(Fact):
    test: str
    starts_on: dt.date
    ends_on: dt.date
    reason: str = "not_possible"


@dataclass(frozen=True)
class Range:
    """A centre's limits of an analyte; `sex` empty: for everybody."""

    analyte: str
    starts_on: dt.date
    ends_on: dt.date | None = None
    sex: str = ""
    uln: Decimal | None = None
    low: Decimal | None = None


@dataclass(frozen=True)
class Centre:
    zone: str = "Europe/Berlin"
    ranges: tuple[Range, ...] = ()


F = TypeVar("F", bound=Fact)


@dataclass
class Record:
    """A patient. `facts` of each kind in order of entry; only those a reader of the record sees (see `seen`)."""

    centre: Centre = field(default_factory=Centre)
    sex: str = "female"
    subtype: str = "dermatomyositis"
    born_on: dt.date = dt.date(1970, 5, 17)
    onset_on: dt.date | None = None
    diagnosed_on: dt.date | None = None
    created_at: dt.datetime = LONG_AGO
    facts: dict[type[Fact], list[Any]] = field(default_factory=dict)
    cache: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, kind: type[F]) -> list[F]:
        return self.facts.get(kind, [])

    def seen(self, known_at: dt.datetime | None) -> Record | None:
        """The record as read now (None), or at a moment: without what was retired by then or not yet recorded."""
        if known_at is not None and self.created_at > known_at:
            return None

        def is_seen(fact: Fact) -> bool:
            if known_at is None:
                return fact.retired_at is None
            return fact.recorded_at <= known_at and (fact.retired_at is None or fact.retired_at > known_at)

        facts = {kind: sorted((f for f in rows if is_seen(f)), key=lambda f: f.id) for kind, rows in self.facts.items()}
        return dataclasses.replace(self, facts=facts, cache={})

    def uln(self, result: Result) -> Decimal | None:
        """As the laboratory printed it; else the centre's of that day, that for the sex before that for everybody."""
        return result.uln or self._limit(result, "uln")

    def lower_limit(self, result: Result) -> Decimal | None:
        return result.low if result.low is not None else self._limit(result, "low")

    def _limit(self, result: Result, name: str) -> Decimal | None:
        for sex in (self.sex, ""):
            fitting = [
                r
                for r in self.centre.ranges
                if r.analyte == result.analyte and r.sex == sex and in_force(result.taken_on, r.starts_on, r.ends_on)
            ]
            if fitting:
                return getattr(max(fitting, key=lambda r: r.starts_on), name) or None
        return None

    def results(self, analyte: str, as_of: dt.date) -> list[Result]:
        """Taken up to `as_of`, oldest first: by day, by time (none before any), by order of entry."""
        by_analyte = self.cache.get("results")
        if by_analyte is None:
            by_analyte = self.cache["results"] = {}
            for result in sorted(
                self[Result], key=lambda r: (r.taken_on, r.taken_at is not None, r.taken_at or LONG_AGO, r.id)
            ):
                by_analyte.setdefault(result.analyte, []).append(result)
        return [r for r in by_analyte.get(analyte, []) if r.taken_on <= as_of]

    def positive(self, antibodies: set[str], as_of: dt.date) -> bool:
        """Any of them was once found positive, not weak, whatever came later."""
        return any(
            a.antibody in antibodies and a.result in POSITIVE and a.taken_on <= as_of for a in self[AntibodyResult]
        )


def in_force(day: dt.date, starts_on: dt.date, ends_on: dt.date | None) -> bool:
    return starts_on <= day and (ends_on is None or day <= ends_on)


def days(number: int) -> dt.timedelta:
    return dt.timedelta(days=number)


def compact(record: Record, as_of: dt.date) -> str:
    """A record on a few lines, days counted from `as_of`."""

    def value(v: Any) -> str:
        if isinstance(v, dt.datetime):
            return f"{v:%Y-%m-%dT%H}"
        return f"d{(v - as_of).days:+}" if isinstance(v, dt.date) else str(v)

    person = f"{record.sex} {record.subtype} born {record.born_on} onset {value(record.onset_on)}"
    where = f"{record.centre.zone} with {len(record.centre.ranges)} ranges"
    lines = [f"{person} diagnosed {value(record.diagnosed_on)} in {where}"]
    for kind, rows in record.facts.items():
        for row in rows:
            words = [
                f"{f.name}={value(getattr(row, f.name))}"
                for f in dataclasses.fields(row)
                if getattr(row, f.name) != f.default
            ]
            lines.append(f"  {kind.__name__} {' '.join(words)}")
    return "\n".join(lines)


def shifted(record: Record, by: int) -> Record:
    """A copy whose facts have other ids, and point to each other as before."""
    facts = {
        kind: [
            dataclasses.replace(row, **{n: getattr(row, n) + by for n in row.__dataclass_fields__ if n.endswith("id")})
            for row in rows
        ]
        for kind, rows in record.facts.items()
    }
    return dataclasses.replace(record, facts=facts, cache={})
