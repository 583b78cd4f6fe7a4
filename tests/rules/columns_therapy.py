"""Columns about drugs, taper plans and core sets."""

from __future__ import annotations

import re
from decimal import Decimal

from monitoring.models import Assessment, BodySize, ReferenceRange, Result
from patients.models import Patient
from tests.factories import centre, fact
from tests.rules.examples import column, day, items
from therapy.formulary import FORMULARY
from therapy.models import (
    Course,
    CourseStop,
    Dose,
    Infusion,
    TaperConfirmation,
    TaperEnd,
    TaperHold,
    TaperPlan,
    TaperStep,
)


def course(patient: Patient, name: str) -> Course:
    """`prednisone`, `hydrocortisone:topical`, `prednisone@2` (a second course of the drug): made once, found again."""
    drug, _, route = name.partition("@")[0].partition(":")
    assert drug in FORMULARY, drug
    found = Course.objects.filter(patient=patient, indication=name).first()
    return found or fact(Course, patient, drug=drug, route=route or FORMULARY[drug].routes[0], indication=name)


@column("doses")
def doses(patient: Patient, cell: str) -> None:
    """`-100..-60 prednisone 40`, `-59.. methotrexate 15 /7` (every 7 days), `0.. prednisone 10 x2` (twice), `-9..-2
    prednisone@2 5` (another course of the drug), `-9.. hydrocortisone:topical 5`, `-90.. prednisone 20 stop -1` (the
    course was stopped: completed; `stop -1 toxicity`).
    """
    for days, name, amount, *rest in items(cell):
        starts, _, ends = days.partition("..")
        every = next((word[1:] for word in rest if word[0] == "/"), "1")
        times = next((word[1:] for word in rest if re.fullmatch(r"x\d+", word)), "1")
        of = course(patient, name)
        fact(
            Dose,
            patient,
            course=of,
            starts_on=day(starts),
            ends_on=day(ends) if ends else None,
            amount=Decimal(amount),
            times=int(times),
            every_days=int(every),
        )
        if "stop" in rest:
            stopped, *why = rest[rest.index("stop") + 1 :]
            reason = why[0] if why else "completed"
            fact(CourseStop, patient, course=of, stopped_on=day(stopped), reason=reason)


@column("infusions")
def infusions(patient: Patient, cell: str) -> None:
    """`-30 rituximab 1000, -16 rituximab 1000, -9 methylprednisolone 500`, `-`."""
    for given, name, amount in items(cell.strip("- ") and cell):
        fact(Infusion, patient, course=course(patient, name), given_on=day(given), amount=Decimal(amount))


@column("taper plan")
def taper_plan(patient: Patient, cell: str) -> None:
    """`-40 40 ok@-39, -10 30, held -5..3, ended -1`: steps with their dose, confirmed on a day where `ok` says so."""
    if not cell:
        return
    plan = fact(TaperPlan, patient)
    for word, value, *confirmed in items(cell):
        if word == "held":
            starts, _, ends = value.partition("..")
            until = day(ends) if ends else None
            fact(TaperHold, patient, plan=plan, starts_on=day(starts), ends_on=until, reason="an infection")
        elif word == "ended":
            fact(TaperEnd, patient, plan=plan, ended_on=day(value), reason="another plan")
        else:
            step = fact(TaperStep, patient, plan=plan, step_on=day(word), dose_pe_mg=Decimal(value))
            if confirmed:
                fact(TaperConfirmation, patient, step=step, confirmed_on=day(confirmed[0].removeprefix("ok@")))


@column("weight")
def weight(patient: Patient, cell: str) -> None:
    """`-100 70, -20 72.5`; `height` in place of a weight measures only the height."""
    for measured, kg in items(cell):
        size = {"height_cm": Decimal(170)} if kg == "height" else {"weight_kg": Decimal(kg)}
        fact(BodySize, patient, measured_on=day(measured), **size)


MEASURES = {
    "md": "physician_vas",
    "pt": "patient_vas",
    "ex": "extramuscular_vas",
    "haq": "haq_di",
    "mmt": "mmt8_150",
    "mmt80": "mmt8_80",
}
BASE = ["md=6", "pt=5", "ex=2", "haq=1.5", "mmt=120"]


@column("enzymes")
def enzymes(patient: Patient, cell: str) -> None:
    """`-100 ck 1000/200, -5 ast 40/` (no upper limit), `-5 alt ?/40` (a unit that cannot be converted), and `-5 range
    ck/200`: from that day on the limit of the patient's centre, one of its own.
    """
    for taken, analyte, text in items(cell):
        if analyte == "range":
            name, _, limit = text.partition("/")
            patient.centre = centre()
            patient.save()
            ReferenceRange.objects.create(centre=patient.centre, analyte=name, uln=Decimal(limit), starts_on=day(taken))
            continue
        value, _, uln = text.partition("/")
        fact(
            Result,
            patient,
            analyte=analyte,
            value=None if value == "?" else Decimal(value),
            value_received=value,
            uln=Decimal(uln) if uln else None,
            taken_on=day(taken),
        )


@column("core sets")
def core_sets(patient: Patient, cell: str) -> None:
    """`-100 md=6 pt=5 ex=2 haq=1.5 mmt=120, -10 same md=4 pt=-`: `same` repeats the one before, `base` is BASE, `-`
    takes a measure away.
    """
    values: dict[str, Decimal] = {}
    for assessed, *measured in items(cell):
        values = dict(values) if "same" in measured else {}
        for word in (BASE if "base" in measured else []) + measured:
            name, _, value = word.partition("=")
            if value == "-":
                values.pop(MEASURES[name], None)
            elif value:
                values[MEASURES[name]] = Decimal(value)
        fact(Assessment, patient, assessed_on=day(assessed), **values)
