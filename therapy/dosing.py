"""What doses come to on a day: in words, against the usual ranges, as prednisone equivalents.

Of Django it has the language of the reader, nothing else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from django.utils.formats import get_format
from django.utils.translation import gettext as _

from common.dates import in_force
from common.words import N_
from therapy.formulary import (
    FORMULARY,
    GLUCOCORTICOIDS,
    PERIOD_DAYS,
    DoseRange,
    Drug,
    Every,
    Interaction,
    Kind,
    Per,
    PeriodRefusedError,
    amount_in_range_terms,
    dose_per_day,
)
from therapy.prednisone_equivalent import SYSTEMIC_ROUTES, as_decimal, total_per_day

EPISODE_GAP_DAYS = 90  # glucocorticoid that begins so long after the last ended starts a new episode


@dataclass(frozen=True)
class DoseRow:
    """One dose period: `amount` in the drug's unit, `times` in every `every_days` days, both days included."""

    id: int
    course_id: int
    drug: str
    route: str
    starts_on: dt.date
    ends_on: dt.date | None
    amount: Decimal
    times: int = 1
    every_days: int = 1
    given: bool = False  # an infusion: what was given that day stands for a dose written down for it

    @property
    def per_day(self) -> Fraction:
        return dose_per_day(self.amount, self.every_days, self.times)

    @property
    def is_systemic_glucocorticoid(self) -> bool:
        return self.drug in GLUCOCORTICOIDS and self.route in SYSTEMIC_ROUTES

    def in_force(self, day: dt.date) -> bool:
        return in_force(day, self.starts_on, self.ends_on)


def newest_of_each(rows: Iterable[DoseRow], day: dt.date) -> list[DoseRow]:
    """The doses in force on `day`: of each drug and route the period that began last."""
    chosen: dict[tuple[str, str], DoseRow] = {}
    for row in sorted(rows, key=lambda row: (row.starts_on, row.given, row.id)):
        if row.in_force(day):
            chosen[(row.drug, row.route)] = row
    return list(chosen.values())


def pe_on(rows: Iterable[DoseRow], day: dt.date) -> Fraction:
    """Prednisone-equivalent mg/day on `day`, exact; 0 without a systemic glucocorticoid."""
    steroid = [row for row in rows if row.is_systemic_glucocorticoid]
    return total_per_day((row.drug, row.route, row.per_day) for row in newest_of_each(steroid, day))


def pe_stretches(rows: Iterable[DoseRow], as_of: dt.date) -> list[tuple[dt.date, dt.date | None, Fraction]]:
    """(first day, last day, PE) of every stretch with one prednisone equivalent, oldest first, up to `as_of`.

    Days without glucocorticoid are left out. The last stretch ends None where it goes on after `as_of`.
    """
    steroid = [row for row in rows if row.is_systemic_glucocorticoid and row.starts_on <= as_of]
    one = dt.timedelta(days=1)
    edges = {row.starts_on for row in steroid} | {row.ends_on + one for row in steroid if row.ends_on is not None}
    days = sorted(day for day in edges if day <= as_of)
    stretches: list[tuple[dt.date, dt.date | None, Fraction]] = []
    for index, day in enumerate(days):
        dose = pe_on(steroid, day)
        last = days[index + 1] - one if index + 1 < len(days) else None
        if dose == 0:
            continue
        if stretches and stretches[-1][2] == dose and stretches[-1][1] == day - one:
            stretches[-1] = (stretches[-1][0], last, dose)
        else:
            stretches.append((day, last, dose))
    return stretches


def episodes(rows: Iterable[DoseRow], as_of: dt.date) -> list[tuple[dt.date, dt.date]]:
    """(first day, last day with a dose) of every episode of glucocorticoid begun by `as_of`, oldest first.

    Doses less than 90 days apart, last day to first day, are one episode. No last day lies after `as_of`.
    """
    found: list[tuple[dt.date, dt.date]] = []
    steroid = [r for r in rows if r.is_systemic_glucocorticoid and r.amount > 0 and r.starts_on <= as_of]
    for row in sorted(steroid, key=lambda row: row.starts_on):
        last = min(row.ends_on or as_of, as_of)
        if not found or (row.starts_on - found[-1][1]).days >= EPISODE_GAP_DAYS:
            found.append((row.starts_on, last))
        else:
            found[-1] = (found[-1][0], max(found[-1][1], last))
    return found


def episode_start(rows: Iterable[DoseRow], as_of: dt.date) -> dt.date | None:
    """First day of the present episode of glucocorticoid; None where there is none on `as_of`.

    It lasts until 90 days after its last dose.
    """
    found = episodes(rows, as_of)
    if not found or (as_of - found[-1][1]).days > EPISODE_GAP_DAYS:
        return None
    return found[-1][0]


def in_words(drug: Drug, amount: Decimal, times: int, every_days: int) -> str:
    """ "10 mg a day", "500 mg twice a day", "15 mg once a week", "2 g 3 times in 28 days"."""
    often = _OFTEN.get(every_days, _OFTEN_ELSE)
    return _(often[min(times, len(often)) - 1]) % {
        "quantity": quantity(drug, amount), "times": times, "period": period(every_days)
    }  # fmt: skip


# How often in a day, in a week, in another period: once, twice, three times, more often.
_OFTEN = {
    1: (
        N_("%(quantity)s a day"), N_("%(quantity)s twice a day"), N_("%(quantity)s three times a day"),
        N_("%(quantity)s %(times)s times a day"),
    ),
    7: (
        N_("%(quantity)s once a week"), N_("%(quantity)s twice a week"), N_("%(quantity)s three times a week"),
        N_("%(quantity)s %(times)s times a week"),
    ),
}  # fmt: skip
_OFTEN_ELSE = (
    N_("%(quantity)s every %(period)s"), N_("%(quantity)s twice in %(period)s"),
    N_("%(quantity)s three times in %(period)s"), N_("%(quantity)s %(times)s times in %(period)s"),
)  # fmt: skip


def quantity(drug: Drug, amount: Decimal) -> str:
    """ "10 mg", "1 exchange"."""
    return f"{number(amount)} {unit(drug)}"


def unit(drug: Drug) -> str:
    """The unit of its doses as it is written after a number."""
    return _("exchange") if drug.unit == "{exchange}" else drug.unit


def period(days: int) -> str:
    """A number of days as a period is called: "2 weeks", "10 days"."""
    name = next((name for name, length in PERIOD_DAYS.items() if length == days), "")
    return _(name) if name else _("%(days)s days") % {"days": days}


def per_kg(row: DoseRow, weight_kg: Decimal | None) -> Decimal | None:
    """mg (or g) per kg a day, two decimals; None where the weight is unknown."""
    if not weight_kg:
        return None
    return as_decimal(row.per_day / Fraction(weight_kg))


def outside_usual(
    drug: Drug,
    route: str,
    amount: Decimal,
    times: int,
    every_days: int,
    *,
    weight_kg: Decimal | None = None,
    surface_m2: Decimal | None = None,
) -> str | None:
    """Why a dose is outside every usual range of its drug, in words; None where it is inside one or cannot be judged,
    as where one of them is per kg and the weight is unknown.

    Below the range nothing is said of glucocorticoids and supportive drugs, which are tapered and dosed as needed.
    """
    ranges = [r for r in drug.ranges if not r.routes or route in r.routes]
    judged: list[tuple[DoseRange, Fraction]] = []
    for row in ranges:
        if row.cap is not None and dose_per_day(amount, every_days, times) > Fraction(row.cap):
            return _("That is more than %(most)s %(unit)s a day.") % {"most": number(row.cap), "unit": drug.unit}
        # A range of a whole course is met by all that is given in one period.
        given = amount * times if row.every is Every.COURSE else amount
        value = amount_in_range_terms(row, given, every_days, times, weight_kg=weight_kg, surface_m2=surface_m2)
        if value is not None:
            judged.append((row, value))
    if not judged or len(judged) < len(ranges):
        return None
    tops = [(row, value, row.ask_above) for row, value in judged]
    if all(top is not None and value > Fraction(top) for _, value, top in tops):
        row, value, top = max(tops, key=lambda entry: entry[2] or 0)
        return _("That is %(dose)s; usual are at most %(most)s.") % {
            "dose": _terms(row, value, drug), "most": number(top or Decimal(0))
        }  # fmt: skip
    if drug.kind not in (Kind.GLUCOCORTICOID, Kind.SUPPORTIVE) and all(
        value < Fraction(row.lowest) for row, value in judged
    ):
        row, value = min(judged, key=lambda pair: pair[0].low)
        return _("That is %(dose)s; usual are at least %(least)s.") % {
            "dose": _terms(row, value, drug), "least": number(row.low)
        }  # fmt: skip
    return None


def _terms(row: DoseRange, value: Fraction, drug: Drug) -> str:
    return _(_IN_EVERY[row.every]) % {"amount": f"{number(as_decimal(value))} {drug.unit}{PER[row.per]}"}


PER = {Per.ABSOLUTE: "", Per.KG: "/kg", Per.M2: "/m²"}
_IN_EVERY = {
    Every.DAY: N_("%(amount)s a day"), Every.WEEK: N_("%(amount)s a week"),
    Every.FOUR_WEEKS: N_("%(amount)s in 4 weeks"), Every.DOSE: N_("%(amount)s a dose"),
    Every.COURSE: N_("%(amount)s a course"),
}  # fmt: skip


def number(value: Decimal) -> str:
    """As people write it: without idle zeros, with the separator of the reader's language."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace(".", get_format("DECIMAL_SEPARATOR"))


def drug_amount_for_pe(drug: Drug, pe_mg: Decimal) -> Decimal | None:
    """mg of `drug` that make `pe_mg` of prednisone equivalent, three decimals; None for what is no glucocorticoid."""
    if drug.equivalent_mg is None:
        return None
    return (pe_mg * drug.equivalent_mg / 5).quantize(Decimal("0.001"), ROUND_HALF_UP)


def name_of(code: str) -> str:
    """A drug's name; its code where the formulary does not have it."""
    return _(FORMULARY[code].name) if code in FORMULARY else code


def clash_in_words(drug: Drug, other: Drug, interaction: Interaction) -> str:
    """What a pair of drugs does together, the names in their order."""
    first, second = sorted((_(drug.name), _(other.name)))
    return _("%(first)s with %(second)s: %(what)s") % {"first": first, "second": second, "what": _(interaction.text)}


def why_refused(error: PeriodRefusedError) -> str:
    """What the formulary says of a rhythm it refuses."""
    return _(error.text) % {name: _(value) if isinstance(value, str) else value for name, value in error.values.items()}
