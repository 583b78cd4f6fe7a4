"""Columns about what is known before a drug, and why a dose is meant."""

from __future__ import annotations

from decimal import Decimal

from monitoring.analytes import ANALYTES, BLOOD_COUNT, Kind
from monitoring.models import Result
from patients.models import Patient
from tests.factories import AS_OF, fact
from tests.rules.examples import column, day, items
from therapy.models import Dose

# Words that stand for several results of one day.
TOGETHER = {
    "panel": (*((code, "10") for code in BLOOD_COUNT), ("creatinine", "70"), ("alt", "30")),
    "count": tuple((code, "10") for code in BLOOD_COUNT),
    "hbv": (("hbsag", "negative"), ("anti-hbc", "negative")),
}


@column("before")
def before(patient: Patient, cell: str) -> None:
    """Results: `-30 hbsag negative, -10 egfr 90, -10 tpmt 14`; TOGETHER: `-10 panel, -10 count, -10 hbv`."""
    for taken, name, *value in items(cell):
        for analyte, said in TOGETHER.get(name) or ((name, value[0]),):
            number = ANALYTES[analyte].kind is Kind.NUMERIC
            fact(
                Result,
                patient,
                analyte=analyte,
                value=Decimal(said) if number else None,
                value_received=said,
                taken_on=day(taken),
            )


@column("age")
def age(patient: Patient, cell: str) -> None:
    """Years, the birthday today; empty: 55."""
    if cell:
        patient.born_on = AS_OF.replace(year=AS_OF.year - int(cell))
        patient.save()


@column("why")
def why(patient: Patient, cell: str) -> None:
    """The reason recorded with every dose, for its being out of range."""
    Dose.objects.filter(patient=patient).update(out_of_range_reason=cell)
