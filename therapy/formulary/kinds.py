"""What an entry of the formulary is made of. No Django."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from common.words import N_
from therapy.prednisone_equivalent import EQUIVALENT_MG


class Kind(StrEnum):
    GLUCOCORTICOID = "glucocorticoid"
    CONVENTIONAL = "conventional"
    CALCINEURIN = "calcineurin"
    BIOLOGIC = "biologic"
    IMMUNOGLOBULIN = "immunoglobulin"
    JAK = "jak"
    STATIN = "statin"
    SUPPORTIVE = "supportive"
    OTHER = "other"


class Phase(StrEnum):
    START = "start"
    TARGET = "target"
    PULSE = "pulse"


class Per(StrEnum):
    """What a range is scaled by."""

    ABSOLUTE = "absolute"
    KG = "kg"
    M2 = "m2"


class Every(StrEnum):
    """The time a range speaks of. "course" is the whole of an infusion course, "dose" one administration."""

    DAY = "day"
    WEEK = "week"
    FOUR_WEEKS = "4 weeks"
    DOSE = "dose"
    COURSE = "course"


# Names of the periods a form offers, in days. A dose is stored as so many times in so many days, whatever the name.
PERIOD_DAYS: Mapping[str, int] = MappingProxyType({
    N_("day"): 1,
    N_("2 days"): 2,
    N_("week"): 7,
    N_("2 weeks"): 14,
    N_("4 weeks"): 28,
    N_("6 months"): 182,
})  # fmt: skip

EVERY_DAYS: Mapping[Every, int] = MappingProxyType({Every.DAY: 1, Every.WEEK: 7, Every.FOUR_WEEKS: 28})


@dataclass(frozen=True)
class DoseRange:
    """Usual doses of a phase: ``low`` to ``high`` in the drug's unit, ``per`` kg, m2 or absolute, ``every`` so often.

    ``high`` None is open. ``confirm_above`` is the amount above which a reason is asked for, where it is not ``high``.
    ``cap`` is an absolute amount of the same time that a dose per kg should not pass without a second look.
    ``tolerance`` is the share by which either end may be missed, because what is given comes in whole vials.
    """

    phase: Phase
    low: Decimal
    high: Decimal | None
    per: Per
    every: Every
    confirm_above: Decimal | None = None
    cap: Decimal | None = None
    routes: tuple[str, ...] = ()
    note: str = ""
    tolerance: Decimal = Decimal(0)

    @property
    def lowest(self) -> Decimal:
        """``low`` less what may be missed."""
        return self.low * (1 - self.tolerance)

    @property
    def highest(self) -> Decimal | None:
        """``high`` and what may be missed; None where it is open."""
        return None if self.high is None else self.high * (1 + self.tolerance)

    @property
    def ask_above(self) -> Decimal | None:
        """The amount above which a reason is asked for; None where there is none."""
        return self.highest if self.confirm_above is None else self.confirm_above


class Valid(StrEnum):
    """How old a check may be on the day a drug begins. The days are parameters of the rule `pre-treatment-checks`."""

    EVER = "ever"
    BLOODS = "bloods"
    SEROLOGY = "serology"
    EXAMINATION = "examination"
    PREGNANCY = "pregnancy"


@dataclass(frozen=True)
class Check:
    """Something to be known of a patient before the first dose of a drug.

    It is known once each of ``results`` is answered, a group of analytes of which one is enough; or once one of
    ``screenings`` or ``imaging`` is recorded (codes of monitoring/models.py). Where all three are empty nobody can
    record it here, and it is only said. ``for_childbearing``: only for who can become pregnant. ``twice``: two of them,
    some days apart.
    """

    code: str
    name: str
    valid: Valid
    results: tuple[tuple[str, ...], ...] = ()
    screenings: tuple[str, ...] = ()
    imaging: tuple[str, ...] = ()
    for_childbearing: bool = False
    twice: bool = False

    @property
    def is_recorded_here(self) -> bool:
        return bool(self.results or self.screenings or self.imaging)


class Severity(StrEnum):
    AVOID = "avoid"
    CAUTION = "caution"


@dataclass(frozen=True)
class Interaction:
    """With the drugs ``drugs`` or every drug of ``kinds``; or, where both are empty, with what ``others`` names and
    this record does not keep. Told from either side: it stands in one of the two entries.
    """

    severity: Severity
    text: str
    drugs: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    others: str = ""


@dataclass(frozen=True)
class Limit:
    """A limit of this drug alone, besides those of the limit set: ``analyte`` ``below`` or ``above`` a value in its
    canonical unit, strictly; ``level`` a word of monitoring/levels.py; ``text`` what the source says of it.
    """

    analyte: str
    level: str
    text: str
    below: Decimal | None = None
    above: Decimal | None = None


@dataclass(frozen=True)
class Drug:
    """One drug. ``unit`` is the unit of its doses; the first of ``routes`` and ``periods`` is the usual one.

    ``monitored``: takes part in the standard blood schedule (full count, creatinine, liver, albumin);
    ``monitoring_max_days``: the interval never grows beyond this; None: no limit of its own.
    ``min_interval_days``: a dose more often than this is refused. ``times``: usual administrations in one period.
    ``baseline``: codes of checks.py that are needed before the first dose; ``advised``: those looked at beside them.
    ``monitoring``: what is watched beyond the standard schedule, in words. ``prevents``: what it is a prophylaxis of.
    """

    code: str
    name: str
    kind: Kind
    routes: tuple[str, ...]
    periods: tuple[str, ...]
    unit: str = "mg"
    times: int = 1
    ranges: tuple[DoseRange, ...] = ()
    monitored: bool = False
    monitoring_max_days: int | None = None
    min_interval_days: int | None = None
    rxnorm: str = ""
    atc: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    notes: str = ""
    baseline: tuple[str, ...] = ()
    advised: tuple[str, ...] = ()
    monitoring: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    prevents: tuple[str, ...] = ()

    @property
    def equivalent_mg(self) -> Decimal | None:
        """mg that equal 5 mg of prednisone; None for what is not a glucocorticoid."""
        return EQUIVALENT_MG.get(self.code)

    def ranges_for(self, phase: Phase, route: str | None = None) -> tuple[DoseRange, ...]:
        """Ranges of a phase, by route where they differ by route."""
        return tuple(
            r for r in self.ranges if r.phase is phase and (route is None or not r.routes or route in r.routes)
        )


class PeriodRefusedError(ValueError):
    """The drug must not be given this often, or this is not a period. `text` has gaps that `values` fill."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text % values)
        self.text = text
        self.values = values
