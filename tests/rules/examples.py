"""A rule's table of example patients, made real.

A table is lines of cells split by `|`; its first line names the columns. `case` and `expect` are read here; every other
column is read by a function registered with `@column("name")` in a columns_*.py beside this file, which records the
cell's facts for the patient. Days are given relative to the day judged: `-14` is 14 days before it.

`expect` is a level, `quiet`, `not evaluable`, or `due +12` (nothing yet, due in 12 days). Behind it may stand
`due -3` (the due day of a finding) and `[reason, reason]`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterable

from monitoring.asking import Finding
from patients.models import Patient
from tests.factories import AS_OF

COLUMNS: dict[str, Callable[[Patient, str], None]] = {}


def column(name: str) -> Callable[[Callable[[Patient, str], None]], Callable[[Patient, str], None]]:
    def register(function: Callable[[Patient, str], None]) -> Callable[[Patient, str], None]:
        assert name not in COLUMNS, name
        COLUMNS[name] = function
        return function

    return register


def day(offset: str | int) -> dt.date:
    """`-14` -> 14 days before the day judged."""
    return AS_OF + dt.timedelta(days=int(offset))


def items(cell: str) -> list[list[str]]:
    """`-14 dna, -7 dna` -> [['-14', 'dna'], ['-7', 'dna']]."""
    return [item.split() for item in cell.split(",") if item.strip()]


@dataclasses.dataclass(frozen=True)
class Example:
    case: str
    cells: dict[str, str]
    expect: str


def parse(table: str) -> list[Example]:
    lines = [line for line in table.splitlines() if line.strip()]
    heading = [cell.strip() for cell in lines[0].split("|")]
    assert (heading[0], heading[-1]) == ("case", "expect"), heading
    examples = []
    for line in lines[1:]:
        cells = [cell.strip() for cell in line.split("|")]
        assert len(cells) == len(heading), f"{len(heading)} columns, but: {line.strip()}"
        named = dict(zip(heading, cells, strict=True))
        examples.append(Example(named.pop("case"), named, named.pop("expect")))
    assert len({e.case for e in examples}) == len(examples), "two cases have one name"
    return examples


def one_of_each(examples: Iterable[Example]) -> list[Example]:
    """The first example of each level, of quiet, and of not evaluable, as far as there are such."""
    found: dict[str, Example] = {}
    for example in examples:
        found.setdefault(example.expect.split()[0], example)
    return list(found.values())


def said(findings: list[Finding]) -> str:
    """What the rule said of one patient, as an `expect` cell would say it in full; the worst finding where several."""
    levels = [f for f in findings if f.level]
    if levels:
        worst = min(levels, key=lambda f: ["URGENT", "ACTION", "TASK", "INFO"].index(f.level or ""))
        due = "" if worst.due_on is None else f" due {(worst.due_on - AS_OF).days:+d}"
        return f"{worst.level}{due} [{', '.join((worst.evidence or {})['reasons'])}]"
    if any(f.missing for f in findings):
        return "not evaluable"
    if findings and findings[0].due_on:
        return f"due {(findings[0].due_on - AS_OF).days:+d}"
    return "quiet"


def agrees(expect: str, got: str) -> bool:
    """Every part named in `expect` is in `got`: level, due day, reasons (as a set)."""
    pattern = r"(?P<word>not evaluable|quiet|[A-Z]+)?\s*(?P<due>due [+-]?\d+)?\s*(?P<reasons>\[.*\])?"
    wanted, found = re.fullmatch(pattern, expect), re.fullmatch(pattern, got)
    assert wanted, expect
    assert found, got
    if wanted["word"] != found["word"]:
        return False
    if wanted["due"] and int(wanted["due"][4:]) != int((found["due"] or "due 99999")[4:]):
        return False
    if not wanted["reasons"]:
        return True
    return set(wanted["reasons"][1:-1].split(", ")) == set((found["reasons"] or "[]")[1:-1].split(", "))
