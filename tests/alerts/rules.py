"""Rules for the tests of alerts, so small that what they find is plain: a level for the latest CK of a patient.

CK        1000 and more   500      200     100     50 to 99              below     'unknown'
says      URGENT          ACTION   TASK    INFO    due 14 days later     nothing   not evaluable
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

from accounts.models import Role
from monitoring.models import Result
from monitoring.rules.base import Citation, Confidence, Question, Rule
from patients.models import Patient
from tests.factories import AS_OF, LONG_AGO, fact


@dataclasses.dataclass(frozen=True)
class Parameters:
    urgent: Decimal = Decimal(1000)
    action: int = 500
    task: int = 200


def found(q: Question) -> str:
    return f"""
    SELECT DISTINCT ON (a.patient_id) a.patient_id, 'patient'::text AS subject,
        CASE WHEN r.value >= %(urgent)s THEN 'URGENT' WHEN r.value >= %(action)s THEN 'ACTION'
             WHEN r.value >= %(task)s THEN 'TASK' WHEN r.value >= 100 THEN 'INFO' END AS level,
        CASE WHEN r.value >= 50 AND r.value < 100 THEN r.taken_on + 14 END AS due_on,
        CASE WHEN r.value >= 50 THEN jsonb_build_object('reasons', ARRAY['high'], 'value', r.value) END AS evidence,
        CASE WHEN r.value IS NULL THEN ARRAY['a value'] END AS missing
    FROM asked a JOIN monitoring_result r ON r.patient_id = a.patient_id AND {q.known("r")}
    WHERE r.analyte = 'ck' AND r.taken_on <= %(as_of)s
    ORDER BY a.patient_id, r.taken_on DESC, r.id DESC
    """


def make(rule_id: str = "test-level", **changes: Any) -> Rule:
    return dataclasses.replace(
        Rule(
            id=rule_id,
            version=1,
            title="A level",
            audience=Role.NURSE,
            evidence=(Citation(text="Made up.", confidence=Confidence.LOCAL),),
            review_due=dt.date(2030, 1, 1),
            parameters=Parameters(),
            findings=found,
            explanations={"high": "The value is {value}."},
            not_considered=("Anything.",),
            examples="",
        ),
        **changes,
    )


def breaks(q: Question) -> str:
    """Fails while it runs, as a rule that divides by a value would."""
    return "SELECT * FROM (" + found(q) + ") f WHERE 1 / (f.patient_id - f.patient_id) = 1"


def ck(patient: Patient, value: int | str, on: int = 0, recorded_at: dt.datetime = LONG_AGO) -> Result:
    """A CK on the day `on` days after the one judged; 'unknown' for one whose unit cannot be converted."""
    return fact(
        Result,
        patient,
        analyte="ck",
        value=None if value == "unknown" else Decimal(value),
        value_received=str(value),
        taken_on=AS_OF + dt.timedelta(days=on),
        recorded_at=recorded_at,
    )
