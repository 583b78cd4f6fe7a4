"""What a person types, read strictly. No Django.

A laboratory value is never guessed: "1,234" is 1.234 in one country and 1234 in the next, so it is refused with the
question which of the two is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from common.words import N_
from monitoring.analytes import ANALYTES, Analyte, Kind, convert_exact
from monitoring.scores.mmt8 import Cell

# Stored with six decimals and twelve digits before the point.
STORED = Decimal("0.000001")
TOO_LARGE = Decimal(10) ** 12
LONGEST_TEXT = 32

NOT_A_NUMBER = N_("This is not a number. Write it as 12, 12.5 or <12.")

_COMPARATORS = {"<": "<", "<=": "<=", "≤": "<=", "=<": "<=", ">": ">", ">=": ">=", "≥": ">=", "=>": ">="}
_NUMBER = re.compile(r"(?P<comparator><=|>=|=<|=>|<|>|≤|≥)?\s*(?P<number>[+-]?[0-9]+(?:\.[0-9]+)?)", re.ASCII)
_COMMA = re.compile(r"[+-]?[0-9][0-9.]*(,[0-9]+)+(\.[0-9]+)?", re.ASCII)

# Measured by this clinic itself, with forms and tables of their own.
_OWN_FORM_PANELS = frozenset({"lung", "imaging", "function"})
_OWN_FORM = frozenset({"weight", "height", "bmi"})


class EntryError(ValueError):
    """What was typed cannot be taken as it stands. `part` is the box it is about, `code` "confirm" where a person may
    insist. The text is for that person: `message` with `values` in its places, in English; `wording.said` translates.
    """

    def __init__(
        self,
        message: str,
        part: str = "value",
        code: str = "invalid",
        values: Mapping[str, str | Decimal] | None = None,
    ) -> None:
        self.message = message
        self.values = values or {}
        shown = {name: plain(value) if isinstance(value, Decimal) else value for name, value in self.values.items()}
        super().__init__(message % shown if shown else message)
        self.part = part
        self.code = code


@dataclass(frozen=True)
class TypedValue:
    """One line of a laboratory form, as typed. `low` and `uln` are the limits the laboratory printed, in the same unit.

    `confirmed`: a person has looked again at a value that is possible and very rare.
    """

    analyte: str
    text: str
    unit: str = ""
    low: str = ""
    uln: str = ""
    confirmed: bool = False
    note: str = ""

    @property
    def is_blank(self) -> bool:
        """Nothing was typed. A zero is something."""
        return not self.text.strip()


@dataclass(frozen=True)
class Number:
    comparator: str
    value: Decimal


@dataclass(frozen=True)
class ReadValue:
    """A line that was understood. `value`, `low` and `uln` are in the analyte's canonical unit, six decimals; `value`
    is None for a word ("positive") and for a number that is the laboratory's own.
    """

    analyte: Analyte
    comparator: str
    value: Decimal | None
    low: Decimal | None
    uln: Decimal | None
    text: str
    unit: str
    low_text: str
    uln_text: str
    note: str


def field_name(analyte: str, part: str = "value") -> str:
    """The name of a box of the form, which is also the key of its errors: "ck", "ck_unit", "ck_low", "ck_uln",
    "ck_confirmed".
    """
    return analyte if part == "value" else f"{analyte}_{part}"


def enterable(analyte: Analyte) -> bool:
    """It comes from a laboratory (or a bedside meter) and is typed into a panel."""
    return analyte.panel not in _OWN_FORM_PANELS and analyte.code not in _OWN_FORM and analyte.kind is not Kind.IMAGING


def read_number(text: str) -> Number:
    """ "<40" -> below 40. Raises EntryError for anything that is not one number with at most one decimal point."""
    written = text.strip()
    match = _NUMBER.fullmatch(written)
    if match is None:
        bare = written.lstrip("<>=≤≥ ")
        if _COMMA.fullmatch(bare):
            raise EntryError(N_("A comma can be a decimal sign or mark thousands. Write 1.5 or 1500, without a comma."))
        if re.search(r"[0-9]\s+[0-9]", bare):
            raise EntryError(N_("There is a space inside the number."))
        raise EntryError(NOT_A_NUMBER)
    if len(written) > LONGEST_TEXT:
        raise EntryError(N_("This number is too long."))
    return Number(_COMPARATORS.get(match["comparator"] or "", ""), Decimal(match["number"]))


def read(typed: TypedValue) -> ReadValue:
    """A typed line in the terms of its analyte. Raises EntryError, naming the box, where it cannot be taken.

    Refused: an unknown analyte, number or unit, a value no patient can have, a limit with a comparator or the wrong way
    round. A very rare value is refused with code "confirm" until `typed.confirmed`.
    """
    analyte = ANALYTES.get(typed.analyte)
    if analyte is None or not enterable(analyte):
        raise EntryError(N_("This is not entered as a laboratory value."))
    if analyte.kind is Kind.QUALITATIVE:
        return _read_word(analyte, typed)
    number = read_number(typed.text)
    if analyte.kind is Kind.PER_LABORATORY:
        if not typed.unit.strip():
            raise EntryError(N_("Write the unit, as the laboratory prints it."), "unit")
        return _as_received(analyte, typed, number)
    value = _canonical(analyte, number.value, typed.unit)
    if not analyte.is_plausible(value):
        assert analyte.plausible is not None
        least, most = analyte.plausible
        raise EntryError(
            N_("%(test)s cannot be %(value)s %(unit)s: possible are %(least)s to %(most)s. Check number and unit."),
            values=_named(analyte) | {"value": value, "least": least, "most": most},
        )
    low, uln = _limit(analyte, typed.low, typed.unit, "low"), _limit(analyte, typed.uln, typed.unit, "uln")
    if low is not None and uln is not None and low > uln:
        raise EntryError(N_("The upper limit is below the lower."), "uln")
    if uln == 0:
        raise EntryError(N_("An upper limit of 0 says nothing. Leave it empty where it is unknown."), "uln")
    if analyte.needs_confirmation(value) and not typed.confirmed:
        raise EntryError(
            N_("%(value)s %(unit)s is very unusual. Check the number and the unit, then confirm."),
            code="confirm",
            values={"value": value} | _named(analyte),
        )
    return ReadValue(
        analyte, number.comparator, value, low, uln, typed.text.strip(), typed.unit.strip(),
        typed.low.strip(), typed.uln.strip(), typed.note.strip(),
    )  # fmt: skip


def _named(analyte: Analyte) -> dict[str, str | Decimal]:
    return {"test": analyte.short, "unit": analyte.canonical_unit or ""}


def _read_word(analyte: Analyte, typed: TypedValue) -> ReadValue:
    word = typed.text.strip().lower()
    if word not in analyte.values:
        raise EntryError(N_("Choose one of: %(words)s."), values={"words": ", ".join(analyte.values)})
    return ReadValue(analyte, "", None, None, None, word, "", "", "", typed.note.strip())


def _as_received(analyte: Analyte, typed: TypedValue, number: Number) -> ReadValue:
    for part in ("low", "uln"):
        text = getattr(typed, part)
        if text.strip():
            _plain_number(text, part)
    return ReadValue(
        analyte, number.comparator, None, None, None, typed.text.strip(), typed.unit.strip(),
        typed.low.strip(), typed.uln.strip(), typed.note.strip(),
    )  # fmt: skip


def _canonical(analyte: Analyte, value: Decimal, unit: str, part: str = "value") -> Decimal:
    if not unit.strip():
        raise EntryError(N_("Choose the unit."), "unit")
    exact = convert_exact(analyte.code, value, unit)
    if exact is None:
        known = ", ".join(sorted(analyte.conversions, key=lambda u: u != analyte.canonical_unit))
        raise EntryError(
            N_("This unit is not known for %(test)s. Known are: %(known)s."), "unit",
            values={"test": analyte.short, "known": known},
        )  # fmt: skip
    if abs(exact) >= TOO_LARGE:
        raise EntryError(N_("This number is too large."), part)
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(STORED, ROUND_HALF_EVEN)


def _limit(analyte: Analyte, text: str, unit: str, part: str) -> Decimal | None:
    if not text.strip():
        return None
    return _canonical(analyte, _plain_number(text, part), unit, part)


def _plain_number(text: str, part: str) -> Decimal:
    try:
        number = read_number(text)
    except EntryError as error:
        raise EntryError(error.message, part, values=error.values) from None
    if number.comparator:
        raise EntryError(N_("Write the limit as a number, without < or >."), part)
    return number.value


def plain(value: Decimal) -> str:
    """A number as a person writes it: 1200, not 1.2E+3; 0.5, not 0.500000."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class Measures:
    """The measures of one visit; None is not measured, 0 is a value.

    VAS in cm, 0 to 10, one decimal. `mmt8` are graded cells, by (muscle, side); `mmt8_150` and `mmt8_80` are totals
    typed from paper and must agree with the cells where both are given. `haq` is {"items": {code: 0-3}, "aids": [code],
    "help_with": [category], "other_aids": [category]}; `haq_di` an index typed from paper.
    """

    physician_vas: Decimal | None = None
    patient_vas: Decimal | None = None
    extramuscular_vas: Decimal | None = None
    mmt8: Mapping[Cell, int | None] = field(default_factory=dict)
    mmt8_150: int | None = None
    mmt8_80: int | None = None
    mmt8_side: str = ""
    haq: Mapping[str, Any] | None = None
    haq_di: Decimal | None = None
    note: str = ""


def cell_name(muscle: str, side: str) -> str:
    """The name of a box of the muscle grid, which is also the key of its errors: "mmt8_deltoid_right"."""
    return f"mmt8_{muscle}_{side}"
