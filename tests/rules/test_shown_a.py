"""Values that a finding shows, reckoned by hand from what is recorded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from monitoring.asking import Finding, findings
from monitoring.rules import RULES
from tests import factories
from tests.factories import AS_OF
from tests.rules import columns
from tests.rules.examples import COLUMNS, day

assert columns  # registers the columns

pytestmark = pytest.mark.django_db


def on(offset: int) -> str:
    return day(offset).isoformat()


def found(rule: str, cells: dict[str, str]) -> Finding:
    clinic = factories.centre()
    patient = factories.patient(clinic, factories.person(clinic))
    for name, cell in cells.items():
        COLUMNS[name](patient, cell)
    (finding,) = findings(RULES[rule], as_of=AS_OF, patient_ids=[patient.pk])
    return finding


def same(got: Any, expected: Any) -> bool:
    """Numbers by their worth: evidence keeps those with decimals as text."""
    if isinstance(expected, int | Decimal) and not isinstance(expected, bool):
        return got is not None and Decimal(str(got)) == expected
    return bool(got == expected)


TREATED = {
    "doses": "-100.. prednisone 40, -100.. methotrexate 15 /7",
    "weight": "-100 70",
    "enzymes": "-100 ck 1000/200, -5 ck 1000/200",
}

# (rule, what is recorded, {name in the evidence: value})
SHOWN: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    # 10 mg, and 2.5 mg today.
    (
        "bone-protection",
        {"doses": "-100..-50 prednisone 10, -49.. prednisone 2.5", "screenings": ""},
        {"began_on": on(-100), "pe_today": Decimal("2.5"), "assessed_on": None},
    ),
    # Two samples are the lowest: the later one is named. 600 is 3 times 200, and 3 times the limit of 200.
    (
        "ck-rising",
        {"diagnosis": "-900", "ck": "-60 200, -40 200, -20 250, -1 <600", "mmt8": "-30 120/150, -20 none"},
        {
            "now": 600, "now_on": on(-1), "now_comparator": "<", "uln": 200, "times_uln": 3, "ratio": 3,
            "baseline": 200, "baseline_on": on(-40), "baseline_kind": "nadir", "baseline_comparator": "",
            "previous": 250, "previous_on": on(-20), "first": 200, "first_on": on(-40), "threshold": 2,
            "mmt8": 120, "mmt8_of": 150, "mmt8_on": on(-30), "strength": "MMT8 120 of 150 on 16 May 2025",
        },
    ),
    # The day before lies outside the window of 180 days; strength of one side.
    (
        "ck-rising",
        {"diagnosis": "-900", "ck": "-400 200, -100 250, -1 600", "mmt8": "-30 120/150, -2 70/80"},
        {
            "baseline_on": on(-100), "previous": 250, "previous_on": on(-100), "first": 200, "first_on": on(-400),
            "mmt8": 70, "mmt8_of": 80, "strength": "MMT8 70 of 80 on 13 Jun 2025",
        },
    ),
    # HAQ-DI by 10 % of its range is 5 points, the physician could give 20 more.
    (
        "core-set-incomplete",
        {**TREATED, "core sets": "-100 base, -5 base md=- haq=1.2"},
        {
            "lowest": 5, "highest": 25, "threshold": 20, "lacks": ["physician global activity"],
            "baseline_lacks": [], "baseline_on": on(-100), "follow_up_on": on(-5), "day0": on(-100), "day": 100,
        },
    ),
    # Nothing changed.
    (
        "core-set-incomplete",
        {**TREATED, "core sets": "-100 base, -5 base md=-"},
        {"lowest": 0, "highest": 20},
    ),
    (
        "data-quality",
        {"diagnosis": "-900", "ck": "-40 200, -5 4000", "results": "-40 ldh 250, -5 ldh 250, -3 wbc ?"},
        {
            "jump_from": 200, "jump_from_on": on(-40), "jump_to": 4000, "jump_on": on(-5),
            "flat": ["lactate dehydrogenase"], "unconverted": ["white cells on 12 Jun 2025"],
        },
    ),
    # A little above 1 mg/kg is not shown as 1.
    (
        "dose-out-of-range",
        {"doses": "-9.. prednisone 60.001", "weight": "-5 60"},
        {
            "limit": 1, "asked_above": 1, "value": Decimal("1.001"), "terms": "mg/kg a day", "cap": 80, "unit": "mg",
            "weight_kg": 60, "weight_on": on(-5), "dose": "60.001 mg a day",
        },
    ),
    # Of two regimens the one that allows more: 1700.001 mg at 170 cm and 61.2 kg, which is 1.7 m².
    (
        "dose-out-of-range",
        {"doses": "-9.. cyclophosphamide 1700.001 /28", "weight": "-5 61.2, -900 height"},
        {"limit": 1000, "value": Decimal("1000.001"), "terms": "mg/m² a dose", "unit": "mg"},
    ),
    (
        "dose-out-of-range",
        {"doses": "-2..0 methylprednisolone 1000.001"},
        {"limit": 1000, "value": Decimal("1000.001"), "terms": "mg a day", "weight_kg": None, "cap": None},
    ),
    (
        "dose-out-of-range",
        {"doses": "-100.. mycophenolate-mofetil:intravenous 1500.001 x2"},
        {"limit": 3000, "value": Decimal("3000.002"), "terms": "mg a day", "unit": "mg", "weight_kg": None},
    ),
    (
        "dose-out-of-range",
        {"doses": "-100.. mycophenolate-mofetil:intravenous 999.999 x2"},
        {"limit": 2000, "value": Decimal("1999.998"), "terms": "mg a day", "weight_kg": None},
    ),
    # Below both regimens, which begin with 500 mg/m² and with 500 mg.
    (
        "dose-out-of-range",
        {"doses": "-99.. cyclophosphamide 499 /14", "weight": "-5 61.2, -900 height"},
        {"limit": 500, "drug": "Cyclophosphamide"},
    ),
    # 1000 mg at 75 kg are 13.33 mg/kg: above 10 by more than a quarter.
    (
        "dose-out-of-range",
        {"doses": "-99.. abatacept:intravenous 1000 /28", "weight": "-5 75"},
        {"limit": 10, "value": Decimal("13.334"), "terms": "mg/kg in 4 weeks", "unit": "mg"},
    ),
    # The newest of the two visits that meet the definition is worse by the physician and in strength.
    (
        "second-line-review",
        {"doses": "-100.. prednisone 5", "core sets": "-40 base, -20 base ex=4, -5 base md=8 mmt=96"},
        {
            "deterioration_reasons": ["global_and_strength"], "deterioration_on": on(-5),
            "deterioration_before_on": on(-20),
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "cells", "expected"), SHOWN, ids=[rule for rule, *_ in SHOWN])
def test_a_finding_shows_what_is_recorded(rule: str, cells: dict[str, str], expected: dict[str, Any]) -> None:
    evidence = found(rule, cells).evidence
    assert evidence is not None
    assert {name: evidence[name] for name, value in expected.items() if not same(evidence[name], value)} == {}


# (rule, what is recorded, what is said to be missing)
MISSING: list[tuple[str, dict[str, str], list[str]]] = [
    ("dose-out-of-range", {"doses": "-100.. azathioprine 140"}, ["a weight of the last 90 days"]),
    ("dose-out-of-range", {"doses": "-100.. ciclosporin 150 x2"}, ["a weight of the last 90 days"]),
    (
        "second-line-review",
        {**TREATED, "core sets": "-100 base md=-, -5 base"},
        ["from the core set at the beginning: physician global activity"],
    ),
]


@pytest.mark.parametrize(("rule", "cells", "missing"), MISSING, ids=[rule for rule, *_ in MISSING])
def test_what_is_missing_is_named_and_nothing_else(rule: str, cells: dict[str, str], missing: list[str]) -> None:
    finding = found(rule, cells)
    assert (finding.level, finding.missing) == (None, missing)


def test_a_jump_is_seen_where_nobody_else_has_results() -> None:
    """The first look at who may have one reads her own results, not those of others."""
    cells = {"diagnosis": "-900", "ck": "-40 200, -5 4000", "results": "-40 ldh 250, -5 ldh 250"}
    finding = found("data-quality", cells)
    assert finding.level == "TASK"
    assert finding.evidence is not None
    assert finding.evidence["reasons"] == ["jump"]
