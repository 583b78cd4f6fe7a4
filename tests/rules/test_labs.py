"""Limits for drugs in SQL and in plain Python, the limit sets, corrections, and what was known."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.actions.judging import evaluate
from alerts.models import Alert, Trigger
from monitoring import limit_sets
from monitoring.analytes import ANALYTES, convert
from monitoring.asking import findings
from monitoring.limit_sets import BSR_2017, LIMIT_SETS, LIMITED, OLD_2008, Breach, breach
from monitoring.models import ReferenceRange, Result
from monitoring.rules import RULES, labs_action_limit
from monitoring.scores import liver
from patients.models import Patient
from tests import factories
from tests.factories import AS_OF, LONG_AGO, NOW, fact
from tests.rules.columns_safety import panels, results
from tests.rules.columns_therapy import doses
from tests.rules.examples import day

D = Decimal
RULE = RULES["labs-action-limit"]


def treated() -> Patient:
    clinic = factories.centre()
    patient = factories.patient(clinic, factories.person(clinic))
    doses(patient, "-400.. methotrexate 15 /7")
    return patient


def said(patient: Patient, rule: str = "labs-action-limit", **question: Any) -> dict[str, tuple[str | None, list[str]]]:
    """{subject: (level, reasons)}."""
    found = findings(RULES[rule], as_of=AS_OF, patient_ids=[patient.pk], **question)
    return {f.subject: (f.level, (f.evidence or {"reasons": []})["reasons"]) for f in found}


# ------------------------------------------------------------------------------------------------------------ the sets


@pytest.mark.parametrize(
    ("limit_set", "analyte", "quiet", "fires", "how"),
    [
        (BSR_2017, "wbc", "3.5", "3.499", Breach.BELOW),
        (BSR_2017, "wbc", "3.5", "1.999", Breach.SEVERE),
        (BSR_2017, "neutrophils", "1.6", "1.59", Breach.BELOW),
        (BSR_2017, "neutrophils", "1.6", "0.999", Breach.SEVERE),
        (BSR_2017, "platelets", "140", "139.9", Breach.BELOW),
        (BSR_2017, "platelets", "140", "49.9", Breach.SEVERE),
        (BSR_2017, "mcv", "105", "105.1", Breach.ABOVE),
        (BSR_2017, "eosinophils", "0.5", "0.501", Breach.ABOVE),
        (BSR_2017, "albumin", "30", "29.9", Breach.BELOW),
        (BSR_2017, "egfr", "60", "59.9", Breach.BELOW),
        (BSR_2017, "alt", "100", "100.1", Breach.ABOVE),
        (BSR_2017, "ast", "100", "100.1", Breach.ABOVE),
        (OLD_2008, "neutrophils", "2.0", "1.999", Breach.BELOW),
        (OLD_2008, "platelets", "150", "149.9", Breach.BELOW),
        (OLD_2008, "alt", "80", "80.1", Breach.ABOVE),
        (OLD_2008, "ast", "80", "80.1", Breach.ABOVE),
        (OLD_2008, "wbc", "3.5", "3.499", Breach.BELOW),
    ],
)
def test_limits_are_strict(limit_set: limit_sets.LimitSet, analyte: str, quiet: str, fires: str, how: Breach) -> None:
    assert breach(limit_set, analyte, D(quiet), uln=D(40)) is Breach.NONE
    assert breach(limit_set, analyte, D(fires), uln=D(40)) is how


@pytest.mark.parametrize("uln", [None, D(0)])
def test_a_multiple_of_an_unknown_limit_is_not_judged(uln: Decimal | None) -> None:
    assert breach(OLD_2008, "alt", D(500), uln) is None
    assert breach(BSR_2017, "alt", D(500), uln) is Breach.ABOVE


def test_every_set_limits_the_same_analytes_and_those_are_known() -> None:
    assert {name: set(each.limits) for name, each in LIMIT_SETS.items()} == {name: set(LIMITED) for name in LIMIT_SETS}
    assert set(LIMITED) <= set(ANALYTES)
    for each in LIMIT_SETS.values():
        for code, limit in each.limits.items():
            assert limit.analyte == code
            assert [limit.below, limit.above, limit.above_uln].count(None) == 2
            assert limit.severe_below is None or (limit.below is not None and limit.severe_below < limit.below)


def test_a_set_nobody_knows_is_refused_and_never_silent() -> None:
    with pytest.raises(limit_sets.UnknownLimitSetError):
        labs_action_limit.Parameters(limit_set="1998")


@given(st.sampled_from(sorted(LIMITED)), st.sampled_from(sorted(LIMIT_SETS)), st.decimals(0, 200, places=2), st.data())
def test_a_worse_value_is_never_judged_better(analyte: str, name: str, value: Decimal, data: st.DataObject) -> None:
    limit_set = LIMIT_SETS[name]
    limit = limit_set.limits[analyte]
    order = [Breach.NONE, Breach.BELOW, Breach.ABOVE, Breach.SEVERE]
    step = data.draw(st.decimals(0, 50, places=2))
    worse = value - step if limit.below is not None else value + step
    before, after = (breach(limit_set, analyte, each, D(40)) for each in (value, worse))
    assert before is not None
    assert after is not None
    assert order.index(after) >= order.index(before)


# ---------------------------------------------------------------------------------------------------- SQL and the sets


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(LIMIT_SETS))
def test_the_query_says_what_the_set_says(name: str) -> None:
    """On values at and around every limit, with and without an upper limit of normal."""
    limit_set = LIMIT_SETS[name]
    clinic = factories.centre()
    clerk = factories.person(clinic)
    expected = {}
    for analyte in LIMITED:
        limit = limit_set.limits[analyte]
        marks = [m for m in (limit.below, limit.above, limit.severe_below) if m is not None] or [D(80), D(100), D(200)]
        for value in sorted({m + step for m in marks for step in (D("-0.01"), D(0), D("0.01"))}):
            for uln in (D(40), None, D(0)):
                patient = factories.patient(clinic, clerk)
                doses(patient, "-400.. methotrexate 15 /7")
                fact(
                    Result, patient, analyte=analyte, value=value, value_received=str(value), uln=uln, taken_on=day(-5)
                )
                expected[patient.pk] = breach(limit_set, analyte, value, uln)
    level = {Breach.NONE: None, Breach.BELOW: "ACTION", Breach.ABOVE: "ACTION", Breach.SEVERE: "URGENT"}
    parameters = dataclasses.replace(RULE.parameters, limit_set=name)
    got = {f.patient_id: f for f in findings(RULE, as_of=AS_OF, parameters=parameters)}
    for pk, how in expected.items():
        if how is None:
            assert got[pk].level is None
            assert got[pk].missing
        else:
            assert (got[pk].level if pk in got else None) == level[how]
            if how is not Breach.NONE:
                assert name in RULE.sentence(got[pk].evidence or {})


@pytest.mark.django_db
@pytest.mark.parametrize(("printed", "of_centre", "level"), [
    (None, 0, None), (0, 0, None), (None, 1, "ACTION"), (1, None, "ACTION"), (0, 40, "ACTION"), (None, 41, None),
    (40, 41, "ACTION"),
])  # fmt: skip
def test_a_multiple_is_of_the_printed_limit_or_that_of_the_centre(
    printed: int | None, of_centre: int | None, level: str | None
) -> None:
    """ALT 81 in the set with twice the upper limit. A limit of 0 is none: then it cannot be judged."""
    patient = treated()
    if of_centre is not None:
        ReferenceRange.objects.create(centre=patient.centre, analyte="alt", uln=of_centre, starts_on=day(-900))
    results(patient, "-5 alt 81" + ("" if printed is None else f" uln={printed}"))
    parameters = dataclasses.replace(RULE.parameters, limit_set="2008")
    found = findings(RULE, as_of=AS_OF, parameters=parameters)
    assert [f.level for f in found if f.level] == ([level] if level else [])
    assert any(f.missing for f in found) == (not printed and not of_centre)


@pytest.mark.django_db
def test_the_query_weighs_alt_and_ast_as_the_plain_function_does() -> None:
    dice = random.Random(20250615)
    clinic = factories.centre()
    clerk = factories.person(clinic)
    level = {liver.Verdict.MUSCLE: "INFO", liver.Verdict.UNCERTAIN: "TASK", liver.Verdict.LIVER: "ACTION"}
    expected: dict[tuple[int, str], str] = {}
    for _ in range(400):
        patient = factories.patient(clinic, clerk)
        doses(patient, "-400.. azathioprine 100")
        values: dict[str, liver.Value] = {}
        for analyte, choices, uln in (
            ("alt", (60, 99, 100, 101, 140, 250, 400), 40),
            ("ast", (60, 100, 101, 140, 250), 40),
            ("ck", (100, 200, 201, 800, 1300, 3000), 200),
            ("ggt", (20, 60, 61), 60),
            ("bilirubin", (10, 21, 22), 21),
        ):
            if dice.random() < 0.85:
                # A raised bilirubin makes a very high ALT severe, which is more than the function tells: no limit here.
                limit = None if analyte == "alt" or dice.random() < 0.1 else D(uln)
                values[analyte] = liver.Value(D(dice.choice(choices)), limit)
                number = values[analyte].value
                fact(
                    Result, patient, analyte=analyte, value=number, value_received=str(number), uln=limit,
                    taken_on=day(-5),
                )  # fmt: skip
        alt, ast = (values[name].value if name in values else None for name in ("alt", "ast"))
        judged = liver.judge(alt, ast, values.get("ck"), values.get("ggt"), values.get("bilirubin"))
        for name, value in (("alt", alt), ("ast", ast)):
            if value is not None and value > 100:
                expected[patient.pk, f"analyte:{name}"] = level[judged.verdict]
    got = {(f.patient_id, f.subject): f.level for f in findings(RULE, as_of=AS_OF) if f.level}
    assert got == expected
    assert set(expected.values()) == {"INFO", "TASK", "ACTION"}


# ------------------------------------------------------------------------------------- the test list of the rule book


def test_microkatals_are_converted_first() -> None:
    assert convert("ck", D("33.3"), "ukat/L") == 1998


@pytest.mark.django_db
def test_the_limit_is_that_of_the_laboratory_that_measured() -> None:
    """CK 300 was raised for one laboratory and is not for the next."""
    normal = "-5 ggt 20 uln=60, -5 bilirubin 10 uln=21"
    one, other = treated(), treated()
    results(one, f"-40 ck 300 uln=400, -5 ck 1300 uln=200, -5 alt 120, {normal}")
    results(other, f"-40 ck 300 uln=200, -5 ck 1300 uln=1400, -5 alt 120, {normal}")
    assert said(one)["analyte:alt"][0] == "INFO"
    assert said(other)["analyte:alt"][0] == "ACTION"


@pytest.mark.django_db
def test_each_analyte_is_a_finding_of_its_own() -> None:
    patient = treated()
    results(patient, "-5 wbc 3, -5 neutrophils 0.9, -5 platelets 200")
    assert {subject: level for subject, (level, _) in said(patient).items()} == {
        "analyte:wbc": "ACTION",
        "analyte:neutrophils": "URGENT",
    }


@pytest.mark.django_db
def test_a_corrected_result_closes_its_alert() -> None:
    patient = treated()
    results(patient, "-5 neutrophils 0.9")
    question: dict[str, Any] = {
        "rule": RULE, "as_of": AS_OF, "by": None, "centre": patient.centre, "trigger": Trigger.COMMAND,
    }  # fmt: skip
    evaluate(now=NOW, **question)
    assert Alert.objects.get().level == "URGENT"
    wrong = Result.objects.get()
    wrong.retired_at, wrong.retired_by = NOW, patient.created_by
    wrong.save()
    fact(
        Result, patient, analyte="neutrophils", value=D("9.0"), value_received="9.0", taken_on=day(-5), recorded_at=NOW,
        supersedes=wrong, status="amended",
    )  # fmt: skip
    evaluate(now=NOW + dt.timedelta(hours=1), **question)
    assert Alert.objects.get().closed_at is not None


# ---------------------------------------------------------------------------------------------------- what was known


@pytest.mark.django_db
def test_a_back_test_judges_by_the_result_as_it_then_stood() -> None:
    patient = treated()
    results(patient, "-20 neutrophils 1.2")
    wrong = Result.objects.get()
    wrong.status, wrong.retired_at, wrong.retired_by = "entered_in_error", NOW, patient.created_by
    wrong.save()
    assert said(patient) == {}
    assert said(patient, known_at=NOW - dt.timedelta(seconds=1))["analyte:neutrophils"][0] == "ACTION"
    assert said(patient, known_at=LONG_AGO - dt.timedelta(seconds=1)) == {}


@pytest.mark.django_db
def test_a_back_test_does_not_see_a_panel_entered_later() -> None:
    patient = treated()
    panels(patient, "-120")
    panels(patient, "-30")
    Result.objects.filter(taken_on=day(-30)).update(recorded_at=NOW)
    assert said(patient, "labs-overdue") == {}
    assert said(patient, "labs-overdue", known_at=NOW - dt.timedelta(seconds=1)) == {"patient": ("TASK", ["overdue"])}
