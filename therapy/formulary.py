"""The drugs this clinic follows: one entry each, readable from top to bottom. Adding a drug is adding an entry.

Doses marked SEED are the ones the guideline of this project gives, and win over other sources for validation ranges.
GENERAL marks general knowledge that a centre should check. Codes: RxNorm ingredient; ATC old and new.
A range is what a dose is compared with; it never changes or refuses one. The one refusal is ``check_period``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

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
    "day": 1,
    "2 days": 2,
    "week": 7,
    "2 weeks": 14,
    "4 weeks": 28,
    "6 months": 182,
})  # fmt: skip

_EVERY_DAYS: Mapping[Every, int] = MappingProxyType({Every.DAY: 1, Every.WEEK: 7, Every.FOUR_WEEKS: 28})

SEED = "guideline text of the project"
GENERAL = "general knowledge"
BSR_2022 = "Oldroyd AGS, et al. Rheumatology 2022;61:1760-8 (secondary reading)"
BSR_2017 = "Ledingham J, et al. Rheumatology 2017;56:865-8 (secondary reading)"
PRODERM = "ProDERM and label of Octagam 10 %"
RIM = "Oddis CV, et al. Arthritis Rheum 2013;65:314-24"


@dataclass(frozen=True)
class DoseRange:
    """Usual doses of a phase: ``low`` to ``high`` in the drug's unit, ``per`` kg, m2 or absolute, ``every`` so often.

    ``high`` None is open. ``confirm_above`` is the amount above which a reason is asked for, where it is not ``high``.
    ``cap`` is an absolute amount of the same time that a dose per kg should not pass without a second look.
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


@dataclass(frozen=True)
class Drug:
    """One drug. ``unit`` is the unit of its doses; the first of ``routes`` and ``periods`` is the usual one.

    ``monitored``: takes part in the standard blood schedule (full count, creatinine, liver, albumin);
    ``monitoring_max_days``: the interval never grows beyond this; None: no limit of its own.
    ``min_interval_days``: a dose more often than this is refused. ``times``: usual administrations in one period.
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
    """The drug must not be given this often, or this is not a period."""


def _range(
    phase: Phase,
    low: str,
    high: str | None,
    per: Per,
    every: Every,
    *,
    confirm_above: str | None = None,
    cap: str | None = None,
    routes: tuple[str, ...] = (),
    note: str = "",
) -> DoseRange:
    def decimal(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    return DoseRange(phase, Decimal(low), decimal(high), per, every, decimal(confirm_above), decimal(cap), routes, note)


_STEROID_START = _range(
    Phase.START, "0.5", "1", Per.KG, Every.DAY, cap="80", note="usually 40 to 60 mg a day; the cap is general knowledge"
)
_DAILY = ("day", "2 days")

_DRUGS: tuple[Drug, ...] = (
    # Glucocorticoids
    Drug(
        "prednisone", "Prednisone", Kind.GLUCOCORTICOID, ("oral",), _DAILY,
        ranges=(_STEROID_START,), rxnorm="8640", atc=("H02AB07",), sources=(SEED, BSR_2022),
    ),
    Drug(
        "prednisolone", "Prednisolone", Kind.GLUCOCORTICOID, ("oral",), _DAILY,
        ranges=(_STEROID_START,), rxnorm="8638", atc=("H02AB06",), sources=(SEED, BSR_2022),
    ),
    Drug(
        "methylprednisolone", "Methylprednisolone", Kind.GLUCOCORTICOID,
        ("intravenous", "oral", "intramuscular"), _DAILY,
        ranges=(
            _range(Phase.PULSE, "500", "1000", Per.ABSOLUTE, Every.DAY, routes=("intravenous",),
                   note="3 to 5 days; 1 g on 3 days is 3750 mg of prednisone"),
        ),
        rxnorm="6902", atc=("H02AB04",), sources=(GENERAL,),
    ),
    Drug(
        "hydrocortisone", "Hydrocortisone", Kind.GLUCOCORTICOID, ("oral", "intravenous", "topical"), _DAILY,
        rxnorm="5492", atc=("H02AB09",), sources=(GENERAL,), notes="Often replacement, not treatment.",
    ),
    Drug(
        "cortisone", "Cortisone", Kind.GLUCOCORTICOID, ("oral",), _DAILY,
        rxnorm="2878", atc=("H02AB10",), sources=(GENERAL,),
    ),
    Drug(
        "dexamethasone", "Dexamethasone", Kind.GLUCOCORTICOID, ("oral", "intravenous"), _DAILY,
        rxnorm="3264", atc=("H02AB02",), sources=(GENERAL,),
    ),
    Drug(
        "betamethasone", "Betamethasone", Kind.GLUCOCORTICOID, ("oral", "intramuscular", "topical"), _DAILY,
        rxnorm="1514", atc=("H02AB01",), sources=(GENERAL,),
    ),
    Drug(
        "deflazacort", "Deflazacort", Kind.GLUCOCORTICOID, ("oral",), _DAILY,
        rxnorm="22396", atc=("H02AB13",), sources=(GENERAL,),
    ),
    Drug(
        "triamcinolone", "Triamcinolone", Kind.GLUCOCORTICOID, ("intramuscular", "oral", "topical"),
        ("4 weeks", "day"), rxnorm="10759", atc=("H02AB08",), sources=(GENERAL,),
    ),
    # Conventional, first line
    Drug(
        "methotrexate", "Methotrexate", Kind.CONVENTIONAL, ("oral", "subcutaneous", "intramuscular"), ("week",),
        ranges=(
            _range(Phase.START, "7.5", "15", Per.ABSOLUTE, Every.WEEK, note="steps of 2.5 to 5 mg"),
            _range(Phase.TARGET, "15", "25", Per.ABSOLUTE, Every.WEEK),
        ),
        monitored=True, min_interval_days=7, rxnorm="6851", atc=("L04AX03", "L01BA01"), sources=(SEED, BSR_2017),
        notes="Once a week. Folic acid 5 mg a week or 1 mg a day. Not recommended first line for lung disease.",
    ),
    Drug(
        "azathioprine", "Azathioprine", Kind.CONVENTIONAL, ("oral",), ("day",),
        ranges=(
            _range(Phase.START, "0", "1", Per.KG, Every.DAY, note="raised by steps to the target"),
            _range(Phase.TARGET, "1", "2", Per.KG, Every.DAY, confirm_above="3", note="others use up to 2.5 mg/kg"),
        ),
        monitored=True, rxnorm="1256", atc=("L04AX01",), sources=(SEED, BSR_2017),
        notes="TPMT first. Allopurinol and febuxostat interact.",
    ),
    Drug(
        "mycophenolate-mofetil", "Mycophenolate mofetil", Kind.CONVENTIONAL, ("oral", "intravenous"), ("day",), times=2,
        ranges=(
            _range(Phase.START, "500", "2000", Per.ABSOLUTE, Every.DAY, note="from 500 mg twice a day, weekly steps"),
            _range(Phase.TARGET, "2000", "3000", Per.ABSOLUTE, Every.DAY, note="1000 to 1500 mg twice a day"),
        ),
        monitored=True, rxnorm="68149", atc=("L04AA06",), sources=(SEED, BSR_2017),
        notes="Two pregnancy tests before the start where pregnancy is possible.",
    ),
    # Second line and refractory disease
    Drug(
        "ivig", "Immunoglobulin, intravenous", Kind.IMMUNOGLOBULIN, ("intravenous",), ("4 weeks",), unit="g",
        ranges=(_range(Phase.TARGET, "2", "2", Per.KG, Every.COURSE, note="over 2 to 5 days, every 4 weeks"),),
        rxnorm="5666", atc=("J06BA02",), sources=(SEED, PRODERM), notes="Thrombosis and renal warnings; IgA first.",
    ),
    Drug(
        "scig", "Immunoglobulin, subcutaneous", Kind.IMMUNOGLOBULIN, ("subcutaneous",), ("week",), unit="g",
        ranges=(_range(Phase.TARGET, "0.5", "0.5", Per.KG, Every.WEEK, note="2 g/kg in 4 weeks, in weekly parts"),),
        rxnorm="5666", atc=("J06BA01",), sources=(GENERAL,),
    ),
    Drug(
        "rituximab", "Rituximab", Kind.BIOLOGIC, ("intravenous",), ("2 weeks", "6 months"),
        ranges=(_range(Phase.TARGET, "1000", "1000", Per.ABSOLUTE, Every.DOSE, note="twice, 14 days apart (+- 3)"),),
        rxnorm="121191", atc=("L01FA01", "L01XC02"), sources=(SEED, RIM), notes="IgG before every infusion.",
    ),
    Drug(
        "abatacept", "Abatacept", Kind.BIOLOGIC, ("subcutaneous", "intravenous"), ("week", "4 weeks"),
        ranges=(
            _range(Phase.TARGET, "125", "125", Per.ABSOLUTE, Every.WEEK, routes=("subcutaneous",)),
            _range(Phase.TARGET, "10", "10", Per.KG, Every.FOUR_WEEKS, routes=("intravenous",)),
        ),
        rxnorm="614391", atc=("L04AA24",), sources=(GENERAL,),
    ),
    Drug(
        "tacrolimus", "Tacrolimus", Kind.CALCINEURIN, ("oral", "topical"), ("day",), times=2,
        ranges=(_range(Phase.TARGET, "0.05", "0.1", Per.KG, Every.DAY, routes=("oral",), note="trough 5 to 10 ng/mL"),),
        monitored=True, monitoring_max_days=28, rxnorm="42316", atc=("L04AD02",), sources=(GENERAL,),
    ),
    Drug(
        "ciclosporin", "Ciclosporin", Kind.CALCINEURIN, ("oral",), ("day",), times=2,
        ranges=(_range(Phase.TARGET, "2.5", "5", Per.KG, Every.DAY, note="trough 100 to 200 ng/mL"),),
        monitored=True, monitoring_max_days=28, rxnorm="3008", atc=("L04AD01",), sources=(GENERAL,),
    ),
    Drug(
        "cyclophosphamide", "Cyclophosphamide", Kind.CONVENTIONAL, ("intravenous", "oral"),
        ("4 weeks", "2 weeks", "day"),
        ranges=(
            _range(Phase.TARGET, "500", "1000", Per.M2, Every.DOSE, routes=("intravenous",),
                   note="every 4 weeks, 6 times; or 500 mg every 2 weeks, 6 times"),
        ),
        monitored=True, rxnorm="3002", atc=("L01AA01",), sources=(GENERAL,),
    ),
    Drug(
        "tofacitinib", "Tofacitinib", Kind.JAK, ("oral",), ("day",), times=2,
        ranges=(_range(Phase.TARGET, "10", "11", Per.ABSOLUTE, Every.DAY,
            note="5 mg twice a day or 11 mg slow release"),),
        monitored=True, rxnorm="1357536", atc=("L04AF01", "L04AA29"), sources=(GENERAL,),
    ),
    Drug(
        "baricitinib", "Baricitinib", Kind.JAK, ("oral",), ("day",),
        ranges=(_range(Phase.TARGET, "2", "4", Per.ABSOLUTE, Every.DAY),),
        monitored=True, rxnorm="2047232", atc=("L04AF02", "L04AA37"), sources=(GENERAL,),
    ),
    Drug(
        "hydroxychloroquine", "Hydroxychloroquine", Kind.CONVENTIONAL, ("oral",), ("day",),
        ranges=(_range(Phase.TARGET, "0", "5", Per.KG, Every.DAY, note="actual weight"),),
        rxnorm="5521", atc=("P01BA02",), sources=(GENERAL,), notes="No blood tests; eyes yearly from year 5.",
    ),
    Drug(
        "plasma-exchange", "Plasma exchange", Kind.OTHER, ("extracorporeal",), ("2 days",), unit="{exchange}",
        ranges=(_range(Phase.TARGET, "5", "7", Per.ABSOLUTE, Every.COURSE),), sources=(GENERAL,),
        notes="A procedure: no drug code.",
    ),
    # Given beside them
    Drug(
        "folic-acid", "Folic acid", Kind.SUPPORTIVE, ("oral",), ("week", "day"),
        ranges=(_range(Phase.TARGET, "5", "7", Per.ABSOLUTE, Every.WEEK, note="5 mg a week or 1 mg a day"),),
        rxnorm="4511", atc=("B03BB01",), sources=(GENERAL,),
    ),
    Drug(
        "co-trimoxazole", "Co-trimoxazole", Kind.SUPPORTIVE, ("oral", "intravenous"), ("day", "2 days", "week"),
        rxnorm="10831", atc=("J01EE01",), sources=(GENERAL,),
        notes="Prophylaxis of pneumocystis pneumonia. With methotrexate it adds to marrow toxicity.",
    ),
    # Statins: not our treatment, but dangerous in anti-HMGCR disease, so all are known
    Drug(
        "atorvastatin", "Atorvastatin", Kind.STATIN, ("oral",), ("day",),
        rxnorm="83367", atc=("C10AA05",), sources=(GENERAL,),
    ),
    Drug(
        "rosuvastatin", "Rosuvastatin", Kind.STATIN, ("oral",), ("day",),
        rxnorm="301542", atc=("C10AA07",), sources=(GENERAL,),
    ),
    Drug(
        "simvastatin", "Simvastatin", Kind.STATIN, ("oral",), ("day",),
        rxnorm="36567", atc=("C10AA01",), sources=(GENERAL,),
    ),
    Drug(
        "pravastatin", "Pravastatin", Kind.STATIN, ("oral",), ("day",),
        rxnorm="42463", atc=("C10AA03",), sources=(GENERAL,),
    ),
    Drug(
        "fluvastatin", "Fluvastatin", Kind.STATIN, ("oral",), ("day",),
        rxnorm="41127", atc=("C10AA04",), sources=(GENERAL,),
    ),
    Drug(
        "pitavastatin", "Pitavastatin", Kind.STATIN, ("oral",), ("day",),
        rxnorm="861634", atc=("C10AA08",), sources=(GENERAL,),
    ),
    Drug(
        "lovastatin", "Lovastatin", Kind.STATIN, ("oral",), ("day",),
        rxnorm="6472", atc=("C10AA02",), sources=(GENERAL,),
    ),
)  # fmt: skip

FORMULARY: Mapping[str, Drug] = MappingProxyType({drug.code: drug for drug in _DRUGS})

GLUCOCORTICOIDS = frozenset(d.code for d in _DRUGS if d.kind is Kind.GLUCOCORTICOID)
STATINS = frozenset(d.code for d in _DRUGS if d.kind is Kind.STATIN)
MONITORED = frozenset(d.code for d in _DRUGS if d.monitored)
# The three that make a first line together with a glucocorticoid.
FIRST_LINE = frozenset({"methotrexate", "azathioprine", "mycophenolate-mofetil"})


def by_atc(code: str) -> tuple[Drug, ...]:
    """Drugs with this ATC code, old or new. Filter by route as well: creams and eye drops share ingredients."""
    return tuple(drug for drug in _DRUGS if code in drug.atc)


def by_rxnorm(code: str) -> tuple[Drug, ...]:
    """Drugs with this RxNorm ingredient. Two for immunoglobulin G, which the route tells apart."""
    return tuple(drug for drug in _DRUGS if drug.rxnorm and drug.rxnorm == code)


def doses_per_day(every_days: int, times: int = 1) -> Fraction:
    """Administrations a day of "``times`` in every ``every_days`` days", exact: once a week is 1/7."""
    for number in (every_days, times):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise PeriodRefusedError("a drug is given a whole number of times, one or more, in one or more whole days")
    return Fraction(times, every_days)


def dose_per_day(amount: Decimal, every_days: int, times: int = 1) -> Fraction:
    """``amount`` given ``times`` in every ``every_days`` days, as an exact amount a day; alternate days: the mean."""
    return Fraction(amount) * doses_per_day(every_days, times)


def check_period(drug: Drug, every_days: int, times: int = 1) -> None:
    """Refuse a rhythm in which ``drug`` would be given more often than is safe (methotrexate: once in 7 days).

    Raises PeriodRefusedError with a text for the person entering it. 2 doses in 14 days pass: that is once in 7 days.
    """
    rate = doses_per_day(every_days, times)
    if drug.min_interval_days is not None and rate > Fraction(1, drug.min_interval_days):
        raise PeriodRefusedError(
            f"{drug.name} is given at most once every {drug.min_interval_days} days. "
            "Given more often it can kill: write the weekly dose, once a week."
        )


def amount_in_range_terms(
    dose_range: DoseRange,
    amount: Decimal,
    every_days: int = 1,
    times: int = 1,
    *,
    weight_kg: Decimal | None = None,
    surface_m2: Decimal | None = None,
) -> Fraction | None:
    """A dose in the terms of ``dose_range`` (for instance mg/kg/day), exact, to be compared with its limits.

    None where the weight or body surface it needs is unknown. For "dose" and "course" ranges ``amount`` is that of the
    one dose or of the whole course, and the rhythm does not matter.
    """
    value = Fraction(amount)
    if dose_range.every in _EVERY_DAYS:
        value *= doses_per_day(every_days, times) * _EVERY_DAYS[dose_range.every]
    scale = {Per.KG: weight_kg, Per.M2: surface_m2, Per.ABSOLUTE: Decimal(1)}[dose_range.per]
    return value / Fraction(scale) if scale else None
