"""Columns about the disease, creatine kinase, and what is weighed with it. Facts are recorded long ago unless said."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from monitoring.models import Assessment, Confounder, PersonalBaseline, ReferenceRange, Result
from patients.models import AntibodyResult, Patient
from tests.factories import AS_OF, NOW, centre, fact
from tests.rules.examples import column, day, items
from therapy.models import TaperConfirmation, TaperEnd, TaperHold, TaperPlan, TaperStep

ULN = 200  # of a CK whose cell says nothing else


@column("diagnosis")
def diagnosis(patient: Patient, cell: str) -> None:
    """`-400`; empty or `none`: not recorded."""
    if cell not in ("", "none"):
        patient.diagnosed_on = day(cell)
        patient.save()


@column("subtype")
def subtype(patient: Patient, cell: str) -> None:
    """A word of `Subtype`; empty: dermatomyositis."""
    if cell:
        patient.subtype = cell
        patient.save()


@column("sex")
def sex(patient: Patient, cell: str) -> None:
    patient.sex = cell
    patient.save()


@column("antibodies")
def antibodies(patient: Patient, cell: str) -> None:
    """`-30 mda5 positive, -10 mda5 negative`."""
    for taken, antibody, result in items(cell):
        fact(AntibodyResult, patient, antibody=antibody, result=result, taken_on=day(taken))


def ck_result(patient: Patient, item: list[str]) -> Result:
    """One item of a `ck` cell, as words."""
    taken, number, *rest = item
    taken, _, hour = taken.partition("T")
    value = number.lstrip("<>")
    comparator = number.removesuffix(value)
    words = dict(word.split("=") for word in rest)
    uln = words.get("uln", str(ULN))
    return fact(
        Result,
        patient,
        analyte="ck",
        value=None if value == "unit?" else Decimal(value),
        comparator=comparator,
        value_received=number,
        uln=None if uln == "none" else Decimal(uln),
        taken_on=day(taken),
        taken_at=dt.datetime.combine(day(taken), dt.time(int(hour), tzinfo=dt.UTC)) if hour else None,
    )


@column("ck")
def ck(patient: Patient, cell: str) -> None:
    """`-40 200, -1T8 >450 uln=100`: day, hour where known, value in U/L (`unit?`: not convertible), limit or `none`."""
    for item in items(cell):
        ck_result(patient, item)


@column("range")
def centre_range(patient: Patient, cell: str) -> None:
    """`male 300`, `any 250`: the CK limit of the patient's centre, in force for years. A centre of its own."""
    if not cell:
        return
    patient.centre = centre()
    patient.save()
    for word, uln, *days in items(cell):
        first, last = [*days, None, None][:2]
        ReferenceRange.objects.create(
            centre=patient.centre,
            analyte="ck",
            sex="" if word == "any" else word,
            uln=Decimal(uln),
            starts_on=day(first) if first else AS_OF - dt.timedelta(days=3000),
            ends_on=day(last) if last else None,
        )


@column("personal")
def personal(patient: Patient, cell: str) -> None:
    """`-100 300`: a personal baseline of CK set on that day; `-100 300 withdrawn`."""
    for set_on, value, *withdrawn in items(cell):
        gone = {"status": "entered_in_error", "retired_at": NOW, "retired_by": patient.created_by} if withdrawn else {}
        fact(
            PersonalBaseline,
            patient,
            analyte="ck",
            value=Decimal(value),
            set_on=day(set_on),
            reason="in remission",
            **gone,
        )


@column("confounders")
def confounders(patient: Patient, cell: str) -> None:
    """`-5 exercise, -20 statin`."""
    for happened, kind in items(cell):
        fact(Confounder, patient, kind=kind, happened_on=day(happened))


@column("taper")
def taper(patient: Patient, cell: str) -> None:
    """A plan: `-30 40 confirmed@-30, -2 20, 10 10`, and as items of their own `hold -5`, `ended -1`. Doses in mg PE."""
    if not cell:
        return
    plan = fact(TaperPlan, patient)
    for first, second, *rest in items(cell):
        if first == "hold":
            fact(TaperHold, patient, plan=plan, starts_on=day(second), reason="infection")
        elif first == "ended":
            fact(TaperEnd, patient, plan=plan, ended_on=day(second), reason="relapse")
        else:
            step = fact(TaperStep, patient, plan=plan, step_on=day(first), dose_pe_mg=Decimal(second))
            for word in rest:
                confirmed_on = day(word.removeprefix("confirmed@"))
                fact(TaperConfirmation, patient, step=step, confirmed_on=confirmed_on)


@column("mmt8")
def mmt8(patient: Patient, cell: str) -> None:
    """`-30 140/150, -2 70/80`; `-5 none`: an assessment without it."""
    for assessed, score in items(cell):
        number, _, out_of = score.partition("/")
        fields = {} if score == "none" else {f"mmt8_{out_of}": int(number)}
        fact(Assessment, patient, assessed_on=day(assessed), **fields)
