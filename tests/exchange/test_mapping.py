from __future__ import annotations

import json
from typing import Any

import pytest

from exchange.mapping import (
    DEFAULT_LABS,
    DEFAULT_PATIENTS,
    LABS,
    PATIENTS,
    MappingProblem,
    find_analyte,
    load,
    read_mapping,
)
from monitoring.analytes import LOINC


def problems(**changes: Any) -> list[str]:
    with pytest.raises(MappingProblem) as caught:
        read_mapping({**DEFAULT_LABS, **changes}, LABS)
    return caught.value.problems


def test_the_defaults_are_valid() -> None:
    assert read_mapping(DEFAULT_LABS, LABS).wanted == {"patient_number", "test", "value", "taken", "result_id"}
    assert "sex" in read_mapping(DEFAULT_PATIENTS, PATIENTS).wanted


def test_every_wrong_key_is_named_at_once() -> None:
    found = problems(
        kind="patients",
        colums={},
        columns={**DEFAULT_LABS["columns"], "value": None, "colour": "x", "unit": 7},
        tests={"CK": "creatine"},
        units={"x": "bananas"},
        default_units={"ck": "g/L"},
        file={"decimal": ";", "encoding": "latin-1"},
        dates={"formats": ["%d.%m"], "time_zone": "Mars/Base"},
    )
    text = "\n".join(found)
    for place in (
        *(
            "kind",
            "colums",
            "columns.value",
            "columns.colour",
            "columns.unit",
            "tests.CK",
            "units.x",
            "default_units.ck",
        ),
        *("file.decimal", "file.encoding", "dates.formats", "dates.time_zone"),
    ):
        assert place in text
    assert len(found) == 12


@pytest.mark.parametrize("pattern", ["%d.%m.%y", "%H:%M", "%Y-%m", "nothing", "%d %d %m %Y"])
def test_a_date_format_without_a_whole_day_is_refused(pattern: str) -> None:
    assert "dates.formats" in problems(dates={"formats": [pattern]})[0]


def test_a_required_column_cannot_be_optional() -> None:
    columns = {**DEFAULT_LABS["columns"], "value": {"column": "value", "optional": True}}
    assert problems(columns=columns) == ["columns.value: cannot be optional."]


@pytest.mark.parametrize("text", [b"{", b"\xff\xfe", b"[]", b'"x"', b"[" * 100_000])
def test_not_a_mapping(text: bytes) -> None:
    with pytest.raises(MappingProblem):
        load(text, LABS)


@pytest.mark.parametrize("about", [r'"\u0000"', r'"\ud800"', r'{"a\u0000": 1}', "NaN", "-Infinity"])
def test_what_the_database_would_not_keep_is_refused(about: str) -> None:
    text = json.dumps({**DEFAULT_LABS, "about": "here"}).replace('"here"', about)
    with pytest.raises(MappingProblem, match=r"not a JSON document|not text"):
        load(text, LABS)


def test_columns_joined_constants_and_words_for_nothing() -> None:
    mapping = read_mapping(
        {
            **DEFAULT_LABS,
            "columns": {
                **DEFAULT_LABS["columns"],
                "id": {"columns": ["a", "b"], "join": "-"},
                "laboratory": {"constant": "L"},
            },
            "empty": ["NA"],
        },
        LABS,
    )
    assert mapping.text("id", {"a": " 1 ", "b": "2"}) == "1-2"
    assert mapping.text("id", {"a": "1", "b": ""}) == ""  # half a key is no key
    assert mapping.text("laboratory", {}) == "L"
    assert mapping.text("unit", {"unit": "NA"}) == ""


def test_tests_by_map_by_loinc_and_by_name() -> None:
    by_map = read_mapping({**DEFAULT_LABS, "tests": {"X1": "ck"}, "analyte_names": False}, LABS)
    assert find_analyte(by_map, "X1") == "ck"
    assert find_analyte(by_map, "ck") is None
    by_code = read_mapping({**DEFAULT_LABS, "test_system": LOINC, "analyte_names": False}, LABS)
    assert find_analyte(by_code, "2157-6") == "ck"
    assert find_analyte(by_map, "2157-6") is None  # a code without its system means nothing
    by_name = read_mapping(json.loads(json.dumps(DEFAULT_LABS)), LABS)
    assert {find_analyte(by_name, text) for text in ("CK", "ck", "Creatine Kinase")} == {"ck"}
