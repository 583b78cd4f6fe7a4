"""The trial's laboratory file, imported as reported, against the numbers the trial's own statisticians derived."""

from __future__ import annotations

import csv
import io
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import Centre, User
from exchange import actions, planning
from exchange.mapping import LABS, PATIENTS
from exchange.models import HeldRow, ImportBatch
from exchange.planning import Plan
from monitoring.models import Result
from patients.models import Patient
from tests.factories import NOW


@pytest.fixture
def rows(trial: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(trial["lb"].decode())))


def plan_of(centre: Centre, trial: dict[str, Any]) -> Plan:
    return planning.prepare(
        centre=centre,
        kind=LABS,
        content=trial["lb"],
        file_name="lb.csv",
        mapping=trial["labs"],
        now=NOW,
        source_name="Pilot",
    )


@pytest.fixture
def imported(centre: Centre, nurse: User, trial: dict[str, Any]) -> ImportBatch:
    people = planning.prepare(
        centre=centre, kind=PATIENTS, content=trial["dm"], file_name="dm.csv", mapping=trial["patients"], now=NOW
    )
    actions.commit_import(plan=people, by=nurse, now=NOW)
    return actions.commit_import(plan=plan_of(centre, trial), by=nurse, now=NOW)


def test_every_row_is_imported_and_the_counts_add_up(
    imported: ImportBatch, centre: Centre, rows: list[dict[str, str]]
) -> None:
    assert Patient.objects.filter(centre=centre).count() == 25
    assert (imported.rows, imported.imported, imported.corrected) == (len(rows), len(rows), 0)
    assert (imported.unchanged, imported.quarantined, imported.rejected) == (0, 0, 0)
    assert Result.objects.current().count() == len(rows)
    assert not HeldRow.objects.exists()


def half_a_digit(text: str) -> Decimal:
    """Half a unit of the last digit: 0.5 for "62.0", 0.05 for "3.3"."""
    return Decimal(1).scaleb(min(0, int(Decimal(text).normalize().as_tuple().exponent))) / 2


def test_converted_values_are_those_of_the_trial(imported: ImportBatch, rows: list[dict[str, str]]) -> None:
    by_key = {r.source_key: r for r in Result.objects.all()}
    wrong = []
    for row in rows:
        result = by_key[f"{row['USUBJID']}|{row['LBSEQ']}"]
        # Their values went through binary fractions (176.79999999999998), ours are exact to six decimals. Their limits
        # are rounded to the digits they show, ours are converted like the value they stand beside.
        for ours, theirs, rounding in (
            (result.value, row["LBSTRESN"], Decimal("0.000001")),
            (result.low, row["LBSTNRLO"], half_a_digit(row["LBSTNRLO"])),
            (result.uln, row["LBSTNRHI"], half_a_digit(row["LBSTNRHI"])),
        ):
            if ours is None or abs(ours - Decimal(theirs)) > rounding:
                wrong.append((row["LBTESTCD"], ours, theirs))
    assert wrong == []
    assert {r.value_received for r in by_key.values()} == {row["LBORRES"] for row in rows}
    assert {r.unit_received for r in by_key.values()} == {row["LBORRESU"] for row in rows}


def test_days_are_the_files_days(imported: ImportBatch, rows: list[dict[str, str]]) -> None:
    by_key = {r.source_key: r for r in Result.objects.all()}
    for row in rows:
        result = by_key[f"{row['USUBJID']}|{row['LBSEQ']}"]
        assert str(result.taken_on) == row["LBDTC"][:10]
        assert (result.taken_at is None) == (len(row["LBDTC"]) == 10)


def history() -> list[int]:
    """Number and latest transaction of the rows an import may write, history included: also a row rewritten shows."""
    counts = []
    with connection.cursor() as cursor:
        for table in ("monitoring_result", "monitoring_resultevent", "patients_patient", "patients_patientevent"):
            cursor.execute(f"SELECT count(*), coalesce(max(xmin::text::bigint), 0) FROM {table}")
            counts += cursor.fetchone()
    return counts


@pytest.mark.django_db(transaction=True)
def test_a_second_import_writes_nothing(
    imported: ImportBatch, centre: Centre, nurse: User, trial: dict[str, Any]
) -> None:
    before = history()
    again = actions.commit_import(plan=plan_of(centre, trial), by=nurse, now=NOW)
    assert (again.rows, again.unchanged) == (imported.rows, imported.rows)
    assert history() == before


def test_the_sample_holds_rising_and_quiet_ck(rows: list[dict[str, str]]) -> None:
    """So that a test on the rules has both to find."""
    highest = Counter()
    for row in rows:
        if row["LBTESTCD"] == "CK" and float(row["LBORRES"]) > float(row["LBORNRHI"]):
            highest[row["USUBJID"]] += 1
    assert 10 <= len(highest) < len({row["USUBJID"] for row in rows})
