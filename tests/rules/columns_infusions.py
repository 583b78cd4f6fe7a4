"""Columns about infusions of immunoglobulin and rituximab, and what is looked at before them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation

from monitoring.models import Result, Screening
from patients.models import Patient
from tests.factories import fact
from tests.rules.columns_therapy import course
from tests.rules.examples import column, day, items
from therapy.models import CourseStop, Infusion


@column("given")
def given(patient: Patient, cell: str) -> None:
    """`-30..-26 ivig 28 rate=126` (on each of these days), `-30 rituximab@2 1000` (another course of the drug),
    `stop -1 ivig`.
    """
    for first, *rest in items(cell):
        if first == "stop":
            fact(CourseStop, patient, course=course(patient, rest[1]), stopped_on=day(rest[0]), reason="completed")
            continue
        name, amount, *rate = rest
        start, _, end = first.partition("..")
        for offset in range(int(start), int(end or start) + 1):
            fact(
                Infusion,
                patient,
                course=course(patient, name),
                given_on=day(offset),
                amount=Decimal(amount),
                max_rate_ml_per_hour=Decimal(rate[0].removeprefix("rate=")) if rate else None,
            )


@column("before infusions")
def before_infusions(patient: Patient, cell: str) -> None:
    """Results and screenings: `-3T8 creatinine 80` (the hour), `-9 igg ?` (a unit that cannot be converted), `-9 hbsag
    negative`, `-9 screen:hepatitis_b abnormal entecavir` (with its note).
    """
    for taken, code, value, *note in items(cell):
        if code.startswith("screen:"):
            kind = code.removeprefix("screen:")
            fact(Screening, patient, kind=kind, done_on=day(taken), outcome=value, note=" ".join(note))
            continue
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = None
        taken, _, hour = taken.partition("T")
        fact(
            Result,
            patient,
            analyte=code,
            value=number,
            value_received=value,
            taken_on=day(taken),
            taken_at=dt.datetime.combine(day(taken), dt.time(int(hour), tzinfo=dt.UTC)) if hour else None,
        )


@column("birthday")
def birthday(patient: Patient, cell: str) -> None:
    """`1960-06-15`."""
    if cell:
        patient.born_on = dt.date.fromisoformat(cell)
        patient.save()
