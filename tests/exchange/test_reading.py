from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.reading import Decision, LabReading, read_lab_row, read_moment, read_number
from exchange.tables import Row
from tests.exchange.files import ROW, mapping
from tests.factories import NOW

BERLIN = ZoneInfo("Europe/Berlin")


def read(used: Any = None, decision: Decision | None = None, **cells: str) -> LabReading:
    row = Row(2, {**ROW, **cells})
    return read_lab_row(row, used or mapping(), zone=BERLIN, now=NOW, decision=decision or Decision())


def wrong(reading: LabReading) -> list[tuple[str, str, bool]]:
    return [(p.field, p.code, p.rejects) for p in reading.problems]


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("12", ("", "12")),
        ("0", ("", "0")),
        ("0.0", ("", "0.0")),
        ("-1.5", ("", "-1.5")),
        ("<40", ("<", "40")),
        ("< 40", ("<", "40")),
        ("≤40", ("<=", "40")),
        (">=5.5", (">=", "5.5")),
        ("1.2E3", ("", "1.2E3")),
        ("1,234.5", None),
        ("1,5", None),
        ("LESS THAN 10", None),
        ("NotDone", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e999", None),
        ("٣", None),
        ("<", None),
        ("", None),
        ("1 2", None),
    ],
)
def test_numbers(text: str, read_as: tuple[str, str] | None) -> None:
    found = read_number(text)
    assert found == (None if read_as is None else (read_as[0], Decimal(read_as[1])))


def test_the_decimal_comma_only_where_the_mapping_says_so() -> None:
    assert read_number("1,5", ",") == ("", Decimal("1.5"))
    assert read_number("1.5", ",") is None


@given(st.text(max_size=70))
def test_no_value_makes_the_reader_fail_and_zero_is_never_made_up(text: str) -> None:
    reading = read(value=text)
    assert reading.problems or reading.value is not None


@given(st.dictionaries(st.sampled_from(sorted(ROW)), st.text(max_size=140)))
def test_no_message_repeats_the_row(cells: dict[str, str]) -> None:
    secret = "Zz9-secret"
    reading = read(**{name: secret + text for name, text in cells.items()})
    assert all(secret not in p.message for p in reading.problems)


def test_converts_to_the_canonical_unit_and_keeps_what_came() -> None:
    reading = read(test="creatinine", value="<1.0", unit="mg/dL", low="0.5", high="1.2")
    assert (reading.value, reading.comparator) == (Decimal("88.4"), "<")
    assert (reading.low, reading.uln) == (Decimal("44.2"), Decimal("106.08"))
    assert (reading.value_received, reading.unit_received, reading.uln_received) == ("<1.0", "mg/dL", "1.2")
    assert not reading.problems


def test_zero_is_a_value_and_limits_may_be_missing() -> None:
    reading = read(value="0", low="", high="")
    assert (reading.value, reading.low, reading.uln, reading.problems) == (0, None, None, [])


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"test": "sodium-x"}, ("test", "test-unknown", False)),
        ({"test": ""}, ("test", "test-missing", False)),
        ({"test": "ct-chest"}, ("test", "test-not-a-result", False)),
        ({"value": ""}, ("value", "value-missing", False)),
        ({"value": "NotDone"}, ("value", "value-not-a-number", False)),
        ({"value": "LESS THAN 10"}, ("value", "value-not-a-number", False)),
        ({"value": "2000001"}, ("value", "value-implausible", False)),
        ({"value": "-1"}, ("value", "value-implausible", False)),
        ({"value": "9" * 65}, ("value", "too-long", False)),
        ({"unit": "furlongs"}, ("unit", "unit-unknown", False)),
        ({"unit": ""}, ("unit", "unit-missing", False)),
        ({"unit": "g/L"}, ("unit", "unit-not-accepted", False)),
        ({"low": "low"}, ("low", "limit-not-a-number", False)),
        ({"high": "<170"}, ("high", "limit-not-a-number", False)),
        ({"low": "171"}, ("low", "limits-swapped", False)),
        ({"patient_number": " "}, ("patient_number", "patient-number-missing", True)),
        ({"patient_number": "9" * 33}, ("patient_number", "too-long", True)),
        ({"result_id": ""}, ("id", "id-missing", True)),
        ({"taken": ""}, ("taken", "taken-missing", True)),
        ({"taken": "01/06/2025"}, ("taken", "taken-unreadable", True)),
        ({"taken": "2025-02-30"}, ("taken", "taken-unreadable", True)),
        ({"taken": "2025-06-16"}, ("taken", "taken-in-future", True)),
        ({"taken": "2025-06-15T11:01"}, ("taken", "taken-in-future", True)),  # now is 11:00 in Berlin
        ({"taken": "0025-06-15"}, ("taken", "taken-too-early", True)),
        ({"reported": "soon"}, ("reported", "reported-unreadable", True)),
        ({"reported": "2025-07-01"}, ("reported", "reported-in-future", True)),
    ],
)
def test_one_fault_one_problem(cells: dict[str, str], problem: tuple[str, str, bool]) -> None:
    assert wrong(read(**cells)) == [problem]


@pytest.mark.parametrize("taken", ["2025-06-15", "2025-06-15T11:00", "2025-06-15T09:00Z"])
def test_the_present_is_not_the_future(taken: str) -> None:
    assert wrong(read(taken=taken)) == []


def test_every_fault_of_a_row_is_said_at_once() -> None:
    found = wrong(read(value="x", unit="y", low="z", taken="w", result_id=""))
    assert {name for name, _, _ in found} == {"value", "unit", "low", "taken", "id"}


def test_words_where_the_answer_is_a_word() -> None:
    reading = read(test="hbsag", value="Negative", unit="", low="", high="")
    assert (reading.value, reading.value_received, reading.problems) == (None, "negative", [])
    assert wrong(read(test="hbsag", value="neg", unit="")) == [("value", "value-unknown", False)]


def test_a_laboratorys_own_unit_is_kept_and_not_converted() -> None:
    reading = read(test="tpmt", value="31", unit="pmol/h/mgHb")
    assert (reading.value, reading.value_received, reading.unit_received) == (None, "31", "pmol/h/mgHb")
    assert not reading.problems


def test_extra_spellings_and_the_unit_of_a_column_without_one() -> None:
    used = mapping(units={"Einheiten": "U/L"}, default_units={"ck": "U/L"})
    assert read(used, unit="Einheiten").value == 200
    assert read(used, unit="").value == 200
    assert wrong(read(used, test="ldh", unit="")) == [("unit", "unit-missing", False)]


@pytest.mark.parametrize(
    ("text", "dates", "day", "moment"),
    [
        ("2025-06-01", {}, "2025-06-01", None),
        ("2025-06-01T00:30", {}, "2025-06-01", "2025-05-31T22:30"),
        ("2025-06-01T23:30Z", {}, "2025-06-02", "2025-06-01T23:30"),
        ("2025-05-31T20:30", {"time_zone": "America/New_York"}, "2025-06-01", "2025-06-01T00:30"),
        ("01.06.2025", {"formats": ["%d.%m.%Y %H:%M", "%d.%m.%Y"]}, "2025-06-01", None),
        ("01.06.2025 08:30", {"formats": ["%d.%m.%Y %H:%M", "%d.%m.%Y"]}, "2025-06-01", "2025-06-01T06:30"),
    ],
)
def test_days_are_those_of_the_centre(text: str, dates: dict[str, Any], day: str, moment: str | None) -> None:
    found = read_moment(text, mapping(dates=dates), BERLIN)
    expected = None if moment is None else dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)
    assert found == (dt.date.fromisoformat(day), expected)


def test_a_time_the_clocks_jumped_over_is_no_time() -> None:
    assert read_moment("2025-03-30T02:30", mapping(), BERLIN) is None
    assert read_moment("2025-03-30T03:30", mapping(), BERLIN) is not None


def test_what_a_person_decided_counts_and_what_came_is_kept() -> None:
    decided = Decision(analyte="ck", unit="U/L", value="<10")
    reading = read(decision=decided, test="??", unit="??", value="LESS THAN 10", low="", high="")
    assert (reading.analyte, reading.value, reading.comparator, reading.problems) == ("ck", 10, "<", [])
    assert (reading.value_received, reading.unit_received) == ("LESS THAN 10", "??")
    kept = read(decision=Decision(as_received=True), value="haemolysed", unit="??")
    assert (kept.value, kept.value_received, kept.problems) == (None, "haemolysed", [])


def test_a_row_with_a_cell_missing_is_read_no_further() -> None:
    row = Row(2, dict(ROW), is_whole=False)
    assert wrong(read_lab_row(row, mapping(), zone=BERLIN, now=NOW)) == [("row", "cells", True)]
