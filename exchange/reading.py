"""One row of a file as typed values, with everything that is wrong with it. Pure: no Django, no database, no clock.

A row is *rejected* where it cannot be read at all (no patient number, no key, no day) and *quarantined* where a person
can still place it (an unknown test, unit or patient; words where a number belongs). Nothing is guessed, nothing is
dropped. A message never repeats a text of the row: a row in the wrong order may have a name in any cell.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from common.dates import centre_day
from common.units import normalise
from exchange.mapping import ISO, FileMapping, find_analyte
from exchange.tables import Row
from monitoring.analytes import Analyte, Kind, convert, get


class Outcome(StrEnum):
    IMPORTED = "imported"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Problem:
    """`field` is a name of the mapping ("unit"), `code` a word for machines."""

    field: str
    code: str
    message: str
    rejects: bool = False

    def as_json(self) -> dict[str, str]:
        return {"field": self.field, "code": self.code, "message": self.message}


@dataclass(frozen=True)
class Decision:
    """What a person decided for a row in quarantine; empty: as the row says.

    `as_received`: keep the text without a number; it is shown and never judged. `accept_key`: the source's id is right
    although it came before with another patient or test, or with this very content.
    """

    patient_number: str = ""
    analyte: str = ""
    unit: str = ""
    value: str = ""
    as_received: bool = False
    accept_key: bool = False


AS_THE_ROW_SAYS = Decision()


@dataclass
class LabReading:
    """A row of a laboratory's file. `value`, `low` and `uln` are in the analyte's canonical unit, to six decimals."""

    row: Row
    problems: list[Problem] = field(default_factory=list)
    fingerprint: str = ""
    patient_number: str = ""
    source_key: str = ""
    analyte: str = ""
    value: Decimal | None = None
    comparator: str = ""
    low: Decimal | None = None
    uln: Decimal | None = None
    value_received: str = ""
    unit_received: str = ""
    low_received: str = ""
    uln_received: str = ""
    taken_on: dt.date | None = None
    taken_at: dt.datetime | None = None
    reported_at: dt.datetime | None = None
    laboratory: str = ""

    def content(self) -> tuple[Any, ...]:
        """What makes two readings of one key the same. The text only counts where it could not be made a number:
        "3.8" and "3.80" are one value. When it was reported is not part of what was found."""
        words = () if self.value is not None else (self.value_received, self.unit_received)
        return (
            *(self.patient_number, self.analyte, self.value, self.comparator, self.low, self.uln),
            *(self.taken_on, self.taken_at, self.laboratory, *words),
        )


@dataclass
class PatientReading:
    row: Row
    problems: list[Problem] = field(default_factory=list)
    fingerprint: str = ""
    patient_number: str = ""
    given_name: str = ""
    family_name: str = ""
    born_on: dt.date | None = None
    sex: str = ""
    subtype: str = ""
    onset_on: dt.date | None = None
    diagnosed_on: dt.date | None = None

    def content(self) -> tuple[Any, ...]:
        return (
            *(self.patient_number, self.given_name, self.family_name, self.born_on, self.sex),
            *(self.subtype, self.onset_on, self.diagnosed_on),
        )


SIX_DECIMALS = Decimal("0.000001")
LARGEST = Decimal(10) ** 12
_NUMBER = re.compile(r"(<=|>=|<|>|≤|≥)?\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?)")
_COMPARATORS = {"≤": "<=", "≥": ">=", None: ""}


def read_number(text: str, decimal: str = ".") -> tuple[str, Decimal] | None:
    """(comparator, number) of "12", "< 40", "≥5" or "1.2E3"; None for anything else, thousands separators included."""
    if decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    match = _NUMBER.fullmatch(text.strip())
    if match is None or not match[2].isascii():
        return None
    return _COMPARATORS.get(match[1], match[1] or ""), Decimal(match[2])


def read_moment(text: str, mapping: FileMapping, centre_zone: ZoneInfo) -> tuple[dt.date, dt.datetime | None] | None:
    """(day at the centre, moment or None where only the day is given) of a date in one of the mapping's formats.

    A moment without an offset is on the clock of the mapping's zone. None where no format fits, or where clocks went
    forward and there was no such time.
    """
    for pattern in mapping.formats:
        try:
            if pattern == ISO:
                day_only = "T" not in text and " " not in text.strip()
                moment = dt.datetime.fromisoformat(text)
            else:
                day_only = not any(code in pattern for code in ("%H", "%I", "%X", "%c"))
                moment = dt.datetime.strptime(text, pattern)  # noqa: DTZ007  # its zone is added below
        except ValueError:
            continue
        if day_only:
            return moment.date(), None
        if moment.tzinfo is None:
            zone = mapping.zone or centre_zone
            local = moment.replace(tzinfo=zone)
            if local.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) != moment:
                return None
            moment = local
        try:
            moment = moment.astimezone(dt.UTC)
            return centre_day(moment, centre_zone), moment
        except (OverflowError, ValueError):
            return None
    return None


class _Fields:
    """Takes fields out of one row and collects what is wrong."""

    def __init__(
        self, row: Row, mapping: FileMapping, zone: ZoneInfo, now: dt.datetime, problems: list[Problem]
    ) -> None:
        self.row, self.mapping, self.zone, self.now, self.problems = row, mapping, zone, now, problems

    def wrong(self, name: str, code: str, message: str, *, rejects: bool = False) -> None:
        self.problems.append(Problem(name, code, message, rejects))

    def text(self, name: str, longest: int, *, label: str, needed: bool = False, rejects: bool = False) -> str:
        text = self.mapping.text(name, self.row.data)
        if not text and needed:
            self.wrong(name, f"{name.replace('_', '-')}-missing", f"The row has no {label}.", rejects=rejects)
        if len(text) > longest:
            self.wrong(name, "too-long", f"The {label} is longer than {longest} characters.", rejects=rejects)
            return ""
        return text

    def moment(self, name: str, label: str, *, needed: bool) -> tuple[dt.date | None, dt.datetime | None]:
        text = self.mapping.text(name, self.row.data)
        if not text:
            if needed:
                self.wrong(name, f"{name}-missing", f"The row has no {label}.", rejects=True)
            return None, None
        found = read_moment(text, self.mapping, self.zone)
        if found is None:
            message = f"The {label} is not in the format of the mapping, or no such day or time exists."
            self.wrong(name, f"{name}-unreadable", message, rejects=True)
            return None, None
        day, moment = found
        if (moment > self.now) if moment else (day > centre_day(self.now, self.zone)):
            self.wrong(name, f"{name}-in-future", f"The {label} lies in the future.", rejects=True)
        if day.year < 1900:
            self.wrong(name, f"{name}-too-early", f"The {label} lies before 1900.", rejects=True)
        return day, moment


def read_lab_row(
    row: Row, mapping: FileMapping, *, zone: ZoneInfo, now: dt.datetime, decision: Decision = AS_THE_ROW_SAYS
) -> LabReading:
    """A row as a result. `zone` is the centre's; days after `now` are refused."""
    reading = LabReading(row)
    take = _Fields(row, mapping, zone, now, reading.problems)
    if not row.is_whole:
        take.wrong("row", "cells", "The row does not have as many cells as the heading.", rejects=True)
        return reading
    number = take.text("patient_number", 32, label="patient number", needed=not decision.patient_number, rejects=True)
    reading.patient_number = decision.patient_number or number
    reading.source_key = take.text("id", 120, label="id of the source", needed=True, rejects=True)
    reading.laboratory = take.text("laboratory", 60, label="laboratory")
    reading.taken_on, reading.taken_at = take.moment("taken", "date of the sample", needed=True)
    reported_on, reading.reported_at = take.moment("reported", "date of the report", needed=False)
    if reported_on is not None and reading.reported_at is None:
        # A day alone is taken at its first moment: it must never look newer than a report with a time on that day.
        reading.reported_at = dt.datetime.combine(reported_on, dt.time(), mapping.zone or zone).astimezone(dt.UTC)
    test = take.text("test", 200, label="test", needed=not decision.analyte)
    reading.analyte = decision.analyte or (find_analyte(mapping, test) if test else None) or ""
    if test and not reading.analyte:
        take.wrong("test", "test-unknown", "The mapping does not say which analyte this test is.")
    reading.value_received = take.text("value", 64, label="value", needed=True)
    reading.unit_received = take.text("unit", 32, label="unit")
    reading.low_received = take.text("low", 32, label="lower limit")
    reading.uln_received = take.text("high", 32, label="upper limit")
    if reading.analyte and reading.value_received:
        _read_value(reading, take, get(reading.analyte), decision)
    return reading


def _read_value(reading: LabReading, take: _Fields, analyte: Analyte, decision: Decision) -> None:
    if analyte.kind is Kind.IMAGING:
        take.wrong("test", "test-not-a-result", "An image is not a laboratory result; record it on the patient's page.")
        return
    if decision.as_received or analyte.kind is Kind.PER_LABORATORY:
        return
    if analyte.kind is Kind.QUALITATIVE:
        word = (decision.value or reading.value_received).casefold()
        if word not in analyte.values:
            take.wrong("value", "value-unknown", f"The answer must be one of {', '.join(analyte.values)}.")
        else:
            reading.value_received = word
        return
    unit = _read_unit(reading, take, analyte, decision)
    number = read_number(decision.value or reading.value_received, take.mapping.decimal)
    if number is None:
        take.wrong("value", "value-not-a-number", "The value is not a number, with or without <, ≤, > or ≥.")
    low = _read_limit(reading.low_received, "low", "lower limit", take)
    uln = _read_limit(reading.uln_received, "high", "upper limit", take)
    if low is not None and uln is not None and low > uln:
        take.wrong("low", "limits-swapped", "The lower limit is above the upper limit.")
    if unit is None or number is None:
        return
    reading.comparator, value = number
    reading.value = _canonical(analyte, value, unit, "value", take)
    reading.low = _canonical(analyte, low, unit, "low", take)
    reading.uln = _canonical(analyte, uln, unit, "high", take)
    if reading.value is not None and not analyte.is_plausible(reading.value):
        message = f"No patient can have this value of {analyte.name}: check unit and decimal sign."
        take.wrong("value", "value-implausible", message)


def _read_unit(reading: LabReading, take: _Fields, analyte: Analyte, decision: Decision) -> str | None:
    if decision.unit:
        unit: str | None = decision.unit
    elif not reading.unit_received:
        unit = take.mapping.default_units.get(analyte.code)
        if unit is None:
            take.wrong("unit", "unit-missing", "The row has no unit.")
            return None
    else:
        unit = take.mapping.units.get(reading.unit_received) or normalise(reading.unit_received)
        if unit is None:
            take.wrong("unit", "unit-unknown", "The spelling of the unit is not known, or has two readings.")
            return None
    if unit not in analyte.conversions:
        take.wrong("unit", "unit-not-accepted", f"{analyte.name} is not measured in this unit.")
        return None
    return unit


def _read_limit(text: str, name: str, label: str, take: _Fields) -> Decimal | None:
    if not text:
        return None
    number = read_number(text, take.mapping.decimal)
    if number is None or number[0]:
        take.wrong(name, "limit-not-a-number", f"The {label} is not a number.")
        return None
    return number[1]


def _canonical(analyte: Analyte, number: Decimal | None, unit: str, name: str, take: _Fields) -> Decimal | None:
    if number is None:
        return None
    value = _converted(analyte.code, number, unit)
    if value is None:
        take.wrong(name, "too-large", "The number is too large to be kept.")
    return value


@lru_cache(maxsize=50_000)  # the limits of a laboratory are the same few numbers in row after row
def _converted(analyte: str, number: Decimal, unit: str) -> Decimal | None:
    value = convert(analyte, number, unit)
    if value is None or abs(value) >= LARGEST:
        return None
    return value.quantize(SIX_DECIMALS, ROUND_HALF_EVEN)


def read_patient_row(
    row: Row, mapping: FileMapping, *, zone: ZoneInfo, now: dt.datetime, subtypes: tuple[str, ...]
) -> PatientReading:
    """A row as a person to register. `subtypes` are the words a subtype may be."""
    reading = PatientReading(row)
    take = _Fields(row, mapping, zone, now, reading.problems)
    if not row.is_whole:
        take.wrong("row", "cells", "The row does not have as many cells as the heading.", rejects=True)
        return reading
    reading.patient_number = take.text("patient_number", 32, label="patient number", needed=True, rejects=True)
    reading.given_name = take.text("given_name", 80, label="given name", needed=True)
    reading.family_name = take.text("family_name", 80, label="family name", needed=True)
    reading.born_on, _ = take.moment("born", "date of birth", needed=True)
    sex = take.text("sex", 40, label="sex", needed=True)
    reading.sex = mapping.sexes.get(sex) or mapping.sexes.get(sex.casefold()) or ""
    if sex and not reading.sex:
        take.wrong("sex", "sex-unknown", "The mapping does not say what this word for the sex means.")
    subtype = take.text("subtype", 80, label="subtype")
    reading.subtype = mapping.subtypes.get(subtype, subtype.casefold()) or "unknown"
    if reading.subtype not in subtypes:
        take.wrong("subtype", "subtype-unknown", "The mapping does not say which subtype this is.")
    reading.onset_on, _ = take.moment("onset", "day of the first symptom", needed=False)
    reading.diagnosed_on, _ = take.moment("diagnosed", "day of the diagnosis", needed=False)
    for name, label, day in (
        ("onset", "first symptom", reading.onset_on),
        ("diagnosed", "diagnosis", reading.diagnosed_on),
    ):
        if day and reading.born_on and day < reading.born_on:
            take.wrong(name, f"{name}-before-birth", f"The day of the {label} lies before the birth.")
    return reading
