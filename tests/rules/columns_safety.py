"""Columns about the blood tests that drugs ask for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from monitoring.analytes import BLOOD_COUNT
from monitoring.models import Result
from patients.models import Patient
from tests.factories import fact
from tests.rules.columns_therapy import course
from tests.rules.examples import column, day, items

PANEL = (*BLOOD_COUNT, "creatinine", "alt", "albumin")
OF_SOME_DRUGS = ("potassium", "glucose", "systolic", "diastolic")


@column("courses")
def courses(patient: Patient, cell: str) -> None:
    """`methotrexate`: a course, whose doses may stand in another column."""
    for name, *_ in items(cell):
        course(patient, name)


@column("panels")
def panels(patient: Patient, cell: str) -> None:
    """`-18` (the whole panel), `-18 all` (and what only some drugs ask for), `-5 albumin`, `-5 unit?` (the panel, in
    units that cannot be converted).
    """
    for taken, *rest in items(cell):
        word = rest[0] if rest else ""
        some = {"": PANEL, "unit?": PANEL, "all": PANEL + OF_SOME_DRUGS}.get(word, (word,))
        for analyte in some:
            value = None if word == "unit?" else Decimal(10)
            fact(Result, patient, analyte=analyte, value=value, value_received="10", taken_on=day(taken))


@column("results")
def results(patient: Patient, cell: str) -> None:
    """`-5 wbc 3.4, -5T8 alt 140 uln=50, -5 ggt ?`: day, hour where known, analyte, value (`?`: cannot be converted),
    upper limit; none is printed where none is said.
    """
    for taken, analyte, number, *rest in items(cell):
        taken, _, hour = taken.partition("T")
        words = dict(word.split("=") for word in rest)
        value = number.lstrip("<>")
        fact(
            Result,
            patient,
            analyte=analyte,
            value=None if number == "?" else Decimal(value),
            comparator=number.removesuffix(value),
            value_received=number,
            uln=Decimal(words["uln"]) if "uln" in words else None,
            taken_on=day(taken),
            taken_at=dt.datetime.combine(day(taken), dt.time(int(hour), tzinfo=dt.UTC)) if hour else None,
        )
