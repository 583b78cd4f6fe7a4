"""What the columns of a file mean: a JSON document, read once and checked whole. No Django.

The format is described in docs/import.md. Every wrong key is named at once, by its place in the document.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.units import UCUM_CODES
from monitoring.analytes import ANALYTES, by_coding

LABS, PATIENTS = "labs", "patients"
ISO = "iso"
CENTRE_CLOCK = "centre"

REQUIRED: dict[str, tuple[str, ...]] = {
    LABS: ("patient_number", "test", "value", "taken", "id"),
    PATIENTS: ("patient_number", "given_name", "family_name", "born", "sex"),
}
OPTIONAL: dict[str, tuple[str, ...]] = {
    LABS: ("unit", "low", "high", "reported", "laboratory"),
    PATIENTS: ("subtype", "onset", "diagnosed"),
}
SEXES = ("female", "male", "other", "unknown")


class MappingProblem(Exception):
    """The mapping cannot be used; `problems` says why, one sentence a wrong key."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Cell:
    """Where a field's text comes from: columns of the file joined by `join`, or a constant; `prefix` stands before."""

    columns: tuple[str, ...] = ()
    constant: str = ""
    join: str = "|"
    prefix: str = ""
    optional: bool = False

    def text(self, data: Mapping[str, str]) -> str:
        """The text, stripped. Empty if the constant and all columns are; a key of several columns needs every part."""
        if not self.columns:
            return self.constant
        parts = [data.get(column, "").strip() for column in self.columns]
        if not all(parts):
            return ""
        return self.prefix + self.join.join(parts)


@dataclass(frozen=True)
class FileMapping:
    """A mapping that has been checked. `raw` is the document it was read from, kept with every import."""

    kind: str
    cells: Mapping[str, Cell]
    raw: dict[str, Any]
    delimiter: str | None = None
    decimal: str = "."
    empty: frozenset[str] = frozenset()
    tests: Mapping[str, str] = field(default_factory=dict)
    test_system: str = ""
    analyte_names: bool = False
    units: Mapping[str, str] = field(default_factory=dict)
    default_units: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = (ISO,)
    zone: zoneinfo.ZoneInfo | None = None  # None: the centre's clock
    sexes: Mapping[str, str] = field(default_factory=dict)
    subtypes: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> frozenset[str]:
        """Headings the file must have."""
        return frozenset(c for cell in self.cells.values() if not cell.optional for c in cell.columns)

    def text(self, name: str, data: Mapping[str, str]) -> str:
        """A field of a row as text, stripped; empty where the file says nothing or one of the words for nothing."""
        cell = self.cells.get(name)
        if cell is None:
            return ""
        text = cell.text(data)
        return "" if text in self.empty else text


# The headings of a plain file. Only those a result cannot do without must be there.
DEFAULT_LABS: dict[str, Any] = {
    "kind": LABS,
    "columns": {
        "patient_number": "patient_number",
        "test": "test",
        "value": "value",
        "unit": {"column": "unit", "optional": True},
        "low": {"column": "low", "optional": True},
        "high": {"column": "high", "optional": True},
        "taken": "taken",
        "reported": {"column": "reported", "optional": True},
        "laboratory": {"column": "laboratory", "optional": True},
        "id": "result_id",
    },
    "analyte_names": True,
}
DEFAULT_PATIENTS: dict[str, Any] = {
    "kind": PATIENTS,
    "columns": {
        "patient_number": "patient_number",
        "given_name": "given_name",
        "family_name": "family_name",
        "born": "born",
        "sex": "sex",
        "subtype": {"column": "subtype", "optional": True},
        "onset": {"column": "onset", "optional": True},
        "diagnosed": {"column": "diagnosed", "optional": True},
    },
    "sexes": {"f": "female", "m": "male", "female": "female", "male": "male", "other": "other", "unknown": "unknown"},
}
DEFAULTS = {LABS: DEFAULT_LABS, PATIENTS: DEFAULT_PATIENTS}


def load(text: str | bytes, kind: str) -> FileMapping:
    """A mapping file. MappingProblem where it is not JSON, is for the other kind of file, or has wrong keys."""
    try:
        raw = json.loads(text, parse_constant=_refuse_constant)
        kept = json.dumps(raw, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # too deep; half of a character (a lone surrogate); not JSON, not UTF-8
        raise MappingProblem(["The mapping is not a JSON document in UTF-8."]) from None
    if rb"\u0000" in kept:
        raise MappingProblem(["The mapping holds characters that are not text."])
    return read_mapping(raw, kind)


def _refuse_constant(word: str) -> Any:
    """Python reads NaN and Infinity, which JSON does not know and the database refuses."""
    raise ValueError(word)


def read_mapping(raw: Any, kind: str) -> FileMapping:
    """`raw` checked against the format; MappingProblem names every wrong key."""
    if not isinstance(raw, dict):
        raise MappingProblem(["The mapping is not a JSON object."])
    problems: list[str] = []
    if raw.get("kind") != kind:
        problems.append(f"kind: must be “{kind}”.")
    allowed = {"kind", "about", "columns", "file", "empty", "dates"}
    allowed |= (
        {"tests", "test_system", "analyte_names", "units", "default_units"} if kind == LABS else {"sexes", "subtypes"}
    )
    problems += [f"{name}: there is no such key." for name in sorted(set(raw) - allowed)]
    cells = _cells(raw.get("columns"), kind, problems)
    file, dates = _object(raw, "file", problems), _object(raw, "dates", problems)
    problems += [f"file.{name}: there is no such key." for name in sorted(set(file) - {"delimiter", "decimal"})]
    problems += [f"dates.{name}: there is no such key." for name in sorted(set(dates) - {"formats", "time_zone"})]
    delimiter, decimal = file.get("delimiter"), file.get("decimal", ".")
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1):
        problems.append("file.delimiter: must be one character.")
        delimiter = None
    if decimal not in (".", ","):
        problems.append("file.decimal: must be “.” or “,”.")
    empty = raw.get("empty", [])
    if not isinstance(empty, list) or not all(isinstance(word, str) for word in empty):
        problems.append("empty: must be a list of texts.")
        empty = []
    tests = _words(raw, "tests", problems)
    problems += [f"tests.{test}: there is no analyte “{code}”." for test, code in tests.items() if code not in ANALYTES]
    units = _words(raw, "units", problems)
    for text, code in units.items():
        if code not in UCUM_CODES:
            problems.append(f"units.{text}: “{code}” is not a UCUM code of the table.")
    default_units = _words(raw, "default_units", problems)
    for code, unit in default_units.items():
        if code not in ANALYTES:
            problems.append(f"default_units.{code}: there is no such analyte.")
        elif unit not in ANALYTES[code].conversions:
            problems.append(f"default_units.{code}: the analyte is not measured in “{unit}”.")
    sexes, subtypes = _words(raw, "sexes", problems), _words(raw, "subtypes", problems)
    problems += [f"sexes.{text}: must be one of {', '.join(SEXES)}." for text, sex in sexes.items() if sex not in SEXES]
    mapping = FileMapping(
        kind=kind,
        cells=cells,
        raw=raw,
        delimiter=delimiter,
        decimal=decimal,
        empty=frozenset(empty),
        tests=tests,
        test_system=str(raw.get("test_system", "")),
        analyte_names=raw.get("analyte_names") is True,
        units=units,
        default_units=default_units,
        formats=_formats(dates, problems),
        zone=_zone(dates, problems),
        sexes=sexes,
        subtypes=subtypes,
    )
    if problems:
        raise MappingProblem(problems)
    return mapping


def find_analyte(mapping: FileMapping, text: str) -> str | None:
    """The analyte a test's text stands for: by the mapping, its coding, or its name where the mapping allows names."""
    if text in mapping.tests:
        return mapping.tests[text]
    if mapping.test_system and (found := by_coding(mapping.test_system, text)):
        return found.code
    if mapping.analyte_names:
        return _NAMES.get(text.casefold())
    return None


def _by_name() -> dict[str, str]:
    names: dict[str, str] = {}
    for analyte in ANALYTES.values():
        for name in (analyte.code, analyte.short, analyte.name):
            if names.setdefault(name.casefold(), analyte.code) != analyte.code:
                raise AssertionError(f"two analytes are called {name}")
    return names


_NAMES = _by_name()


def _object(raw: dict[str, Any], name: str, problems: list[str]) -> dict[str, Any]:
    value = raw.get(name, {})
    if isinstance(value, dict):
        return value
    problems.append(f"{name}: must be an object.")
    return {}


def _words(raw: dict[str, Any], name: str, problems: list[str]) -> dict[str, str]:
    value = _object(raw, name, problems)
    wrong = [key for key, word in value.items() if not isinstance(word, str)]
    problems += [f"{name}.{key}: must be a text." for key in wrong]
    return {key: word for key, word in value.items() if key not in wrong}


def _cells(columns: Any, kind: str, problems: list[str]) -> dict[str, Cell]:
    if not isinstance(columns, dict):
        problems.append("columns: must be an object that says which column holds what.")
        return {}
    problems += [f"columns.{name}: is missing." for name in REQUIRED[kind] if columns.get(name) is None]
    cells = {}
    for name, spec in columns.items():
        if name not in REQUIRED[kind] + OPTIONAL[kind]:
            problems.append(f"columns.{name}: there is no such field.")
        elif spec is not None:
            cell = _cell(spec)
            if cell is None:
                problems.append(f"columns.{name}: must be a heading, or an object with column, columns or constant.")
            elif cell.optional and name in REQUIRED[kind]:
                problems.append(f"columns.{name}: cannot be optional.")
            else:
                cells[name] = cell
    return cells


def _cell(spec: Any) -> Cell | None:
    if isinstance(spec, str):
        return Cell((spec,)) if spec.strip() else None
    if not isinstance(spec, dict) or set(spec) - {"column", "columns", "constant", "join", "prefix", "optional"}:
        return None
    if len({"column", "columns", "constant"} & set(spec)) != 1:
        return None
    columns = spec.get("columns", [spec["column"]] if "column" in spec else [])
    texts = [spec.get("constant", ""), spec.get("join", "|"), spec.get("prefix", "")]
    if not isinstance(columns, list) or not all(isinstance(text, str) for text in [*columns, *texts]):
        return None
    if "constant" not in spec and not (columns and all(column.strip() for column in columns)):
        return None
    constant, join, prefix = texts
    return Cell(tuple(columns), constant, join, prefix, spec.get("optional") is True)


def _formats(dates: dict[str, Any], problems: list[str]) -> tuple[str, ...]:
    formats = dates.get("formats", [ISO])
    if not isinstance(formats, list) or not formats or not all(isinstance(f, str) and f for f in formats):
        problems.append("dates.formats: must be a list such as [“iso”] or [“%d.%m.%Y %H:%M”, “%d.%m.%Y”].")
        return (ISO,)
    for pattern in formats:
        if pattern != ISO and not _has_day(pattern):
            problems.append(f"dates.formats: “{pattern}” does not hold a year of four digits, a month and a day.")
    return tuple(formats)


def _has_day(pattern: str) -> bool:
    sample = dt.datetime(2013, 11, 27, tzinfo=dt.UTC)
    try:
        # Two digits of a year are a guess at the century.
        read = dt.datetime.strptime(sample.strftime(pattern), pattern)  # noqa: DTZ007  # only its day is compared
        return read.date() == sample.date() and "%y" not in pattern and "%D" not in pattern
    except (ValueError, re.error):  # re.error: a code that stands twice
        return False


def _zone(dates: dict[str, Any], problems: list[str]) -> zoneinfo.ZoneInfo | None:
    name = dates.get("time_zone", CENTRE_CLOCK)
    if name == CENTRE_CLOCK:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        problems.append("dates.time_zone: must be “centre” or the name of a time zone, such as Europe/Berlin.")
        return None
