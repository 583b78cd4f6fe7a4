"""Recording what was looked for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from audit.models import Entry
from monitoring.models import Screening
from monitoring.screening_actions import record_screening
from patients.models import Patient
from tests import factories
from tests.factories import AS_OF, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    clinic = factories.centre()
    return factories.patient(clinic, factories.person(clinic))


def record(patient: Patient, **fields: Any) -> Screening:
    return record_screening(
        **{"patient": patient, "kind": "dxa", "done_on": AS_OF, "by": patient.created_by, "now": NOW, **fields}
    )


def test_a_screening_is_recorded_and_attributed(patient: Patient) -> None:
    row = record(patient, outcome="abnormal", score=Decimal("-2.6"), note="Hip")
    assert (row.kind, row.outcome, row.score, row.note) == ("dxa", "abnormal", Decimal("-2.6"), "Hip")
    entry = Entry.objects.get()
    assert (entry.action, entry.by, entry.patient) == ("monitoring.record_screening", patient.created_by, patient)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "palm"}, "kind"),
        ({"kind": "palm", "score": Decimal(1)}, "score"),
        ({"done_on": AS_OF + dt.timedelta(days=1)}, "done_on"),
        ({"outcome": "fine"}, "outcome"),
        ({"score": Decimal("-10.01")}, "score"),
        ({"score": Decimal("10.01")}, "score"),
        ({"kind": "fracture_risk", "score": Decimal("100.01")}, "score"),
        ({"kind": "fracture_risk", "score": Decimal("-0.01")}, "score"),
        ({"kind": "swallow", "score": Decimal("40.01")}, "score"),
        ({"kind": "eye", "score": Decimal(1)}, "score"),
    ],
)
def test_what_cannot_be_is_refused_at_its_box(fields: dict[str, Any], field: str, patient: Patient) -> None:
    with pytest.raises(ValidationError) as refused:
        record(patient, **fields)
    assert field in refused.value.message_dict
    assert not Screening.objects.exists()


@pytest.mark.parametrize(
    ("kind", "score"),
    [("dxa", "-10"), ("dxa", "10"), ("fracture_risk", "0"), ("fracture_risk", "100"), ("swallow", "40")],
)
def test_the_ends_of_a_scale_are_part_of_it(kind: str, score: str, patient: Patient) -> None:
    assert record(patient, kind=kind, score=Decimal(score)).score == Decimal(score)


def test_one_of_a_kind_and_day(patient: Patient) -> None:
    record(patient)
    with pytest.raises(ValidationError) as refused:
        record(patient, outcome="normal")
    assert "done_on" in refused.value.message_dict
    record(patient, kind="eye")
    record(patient, done_on=AS_OF - dt.timedelta(days=1))
