"""Every number of a rule is pinned by its table: moved by the smallest step, some example comes out otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from monitoring.asking import findings
from monitoring.rules import RULES
from monitoring.rules.base import Rule
from tests import factories
from tests.factories import AS_OF
from tests.rules import columns
from tests.rules.examples import COLUMNS, agrees, parse, said

assert columns  # registers the columns

pytestmark = pytest.mark.django_db

# Not part of a verdict: the text only, or when an alert closes (tested with the closing).
ELSEWHERE = {
    "pneumocystis-prophylaxis": {"closing_pe_below_mg", "closing_days"},
    "ck-rising": {"closing_ratio", "rest_days_from", "rest_days_to"},
    "deterioration": {"course_gap_days", "reassess_from_days"},
}
# The smallest step that what is recorded can tell: a VAS and percent predicted have one decimal, MMT8 has none.
COARSE = {
    ("deterioration", "vas_worse_cm"): Decimal("0.1"),
    ("deterioration", "strength_worse_percent"): Decimal(1),
    ("ild-progression", "fvc_absolute"): Decimal("0.1"),
    ("ild-progression", "dlco_absolute"): Decimal("0.1"),
    ("dysphagia-screen", "active_vas_cm"): Decimal("0.1"),
}
PINNED = (
    "assessment-due",
    "bone-protection",
    "cancer-screening",
    "ck-rising",
    "data-quality",
    "deterioration",
    "dose-out-of-range",
    "dysphagia-screen",
    "ild-progression",
    "ild-rapid",
    "ild-screening-gap",
    "infusion-check",
    "infusion-due",
    "labs-action-limit",
    "labs-drifting",
    "labs-overdue",
    "physio-missed",
    "physio-no-plan",
    "physio-review-due",
    "pneumocystis-prophylaxis",
    "pre-treatment-checks",
)


def moved(rule: Rule) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(rule.parameters):
        value = getattr(rule.parameters, field.name)
        if field.name in ELSEWHERE.get(rule.id, ()) or isinstance(value, bool | str):
            continue
        least = 1 if isinstance(value, int) else COARSE.get((rule.id, field.name), Decimal("0.01"))
        for step in (least, -least):
            yield f"{field.name} {step:+}", dataclasses.replace(rule.parameters, **{field.name: value + step})


@pytest.mark.parametrize("rule", [RULES[name] for name in PINNED], ids=PINNED)
def test_no_number_can_move_without_an_example_coming_out_otherwise(rule: Rule) -> None:
    clinic = factories.centre()
    clerk = factories.person(clinic)
    people = {}
    for example in parse(rule.examples):
        patient = factories.patient(clinic, clerk)
        people[patient.pk] = example
        for name, cell in example.cells.items():
            COLUMNS[name](patient, cell)

    loose = []
    for name, parameters in moved(rule):
        found: dict[int, list] = {pk: [] for pk in people}
        for finding in findings(rule, as_of=AS_OF, parameters=parameters):
            found[finding.patient_id].append(finding)
        if all(agrees(example.expect, said(found[pk])) for pk, example in people.items()):
            loose.append(name)
    assert not loose
