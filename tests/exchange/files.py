"""Little files for the tests, in the plain headings."""

from __future__ import annotations

import csv
import io
from typing import Any

from accounts.models import Centre, User
from exchange import actions, planning
from exchange.mapping import DEFAULTS, LABS, FileMapping, read_mapping
from exchange.models import ImportBatch
from exchange.planning import Plan
from tests.factories import NOW

HEADINGS = ["result_id", "patient_number", "test", "value", "unit", "low", "high", "taken", "reported"]
ROW = {
    "result_id": "a1",
    "patient_number": "P1",
    "test": "ck",
    "value": "200",
    "unit": "U/L",
    "low": "30",
    "high": "170",
    "taken": "2025-06-01T08:30",
    "reported": "",
}


def csv_bytes(*rows: dict[str, str], headings: list[str] = HEADINGS) -> bytes:
    """Rows as a file; what a row leaves out is as in ROW."""
    out = io.StringIO()
    writer = csv.DictWriter(out, headings)
    writer.writeheader()
    writer.writerows({**ROW, **row} for row in rows)
    return out.getvalue().encode()


def mapping(kind: str = LABS, **changes: Any) -> FileMapping:
    return read_mapping({**DEFAULTS[kind], **changes}, kind)


def plan(centre: Centre, *rows: dict[str, str], used: FileMapping | None = None, source: str = "Lab") -> Plan:
    return planning.prepare(
        centre=centre,
        kind=LABS,
        content=csv_bytes(*rows),
        file_name="labs.csv",
        mapping=used or mapping(),
        source_name=source,
        now=NOW,
    )


def commit(centre: Centre, by: User, *rows: dict[str, str], **options: Any) -> ImportBatch:
    return actions.commit_import(plan=plan(centre, *rows, **options), by=by, now=NOW)


def outcomes(plan: Plan) -> list[str]:
    return [str(v.outcome) for v in plan.verdicts]


def codes(plan: Plan) -> list[list[str]]:
    return [[p.code for p in v.problems] for v in plan.verdicts]
