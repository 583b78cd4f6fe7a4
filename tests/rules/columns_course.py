"""Columns about the course of the disease: days of the person, organs with their severity, lung tests with numbers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from monitoring.models import Imaging, LungFunction, Result
from patients.models import FollowUpStatus, Manifestation, Patient
from tests.factories import NOW, fact
from tests.rules.examples import column, day, items
from therapy.models import EscalationDecision


@column("born")
def born(patient: Patient, cell: str) -> None:
    patient.born_on = day(cell)
    patient.save()


@column("onset")
def onset(patient: Patient, cell: str) -> None:
    """`-400`: the first symptom; empty: not recorded."""
    if cell:
        patient.onset_on = day(cell)
        patient.save()


@column("organs")
def organs(patient: Patient, cell: str) -> None:
    """`-100 dysphagia severe, -90 oxygen -20` (a number: its last day)."""
    for begun, kind, *rest in items(cell):
        ended = next((word for word in rest if word.lstrip("-").isdigit()), None)
        severity = next((word for word in rest if word.isalpha()), "")
        fact(
            Manifestation,
            patient,
            kind=kind,
            severity=severity,
            onset_on=day(begun),
            ended_on=day(ended) if ended else None,
        )


@column("decisions")
def decisions(patient: Patient, cell: str) -> None:
    """`-30 rituximab, -10 no_change`."""
    for decided, option in items(cell):
        fact(EscalationDecision, patient, decided_on=day(decided), option=option, reason="discussed")


LUNG = {"fvc": "fvc_l", "fvc%": "fvc_percent_predicted", "dlco": "dlco_percent_predicted"}


@column("pft")
def pft(patient: Patient, cell: str) -> None:
    """`-100 fvc=3.10 fvc%=80 dlco=70, -5 fvc%=75 set=GLI-2012 hb=yes`: litres, percent predicted, percent predicted."""
    for tested, *words in items(cell):
        named = dict(word.split("=") for word in words)
        extra = {"reference_set": named.pop("set", ""), "dlco_hb_corrected": named.pop("hb", "unknown")}
        values = {LUNG[name]: Decimal(value) for name, value in named.items()}
        fact(LungFunction, patient, tested_on=day(tested), **extra, **values)


@column("scans")
def scans(patient: Patient, cell: str) -> None:
    """`-30 hrct yes, -5 ct_chest not_stated`: whether fibrosis has progressed."""
    for done, modality, progression in items(cell):
        fact(Imaging, patient, modality=modality, done_on=day(done), ild="not_applicable", progression=progression)


@column("values")
def values(patient: Patient, cell: str) -> None:
    """`-30 spo2 97, -5T8 ferritin 600` (the hour); `?`: in a unit that cannot be converted; `-30 kl6 400 withdrawn`."""
    for taken, analyte, value, *withdrawn in items(cell):
        taken, _, hour = taken.partition("T")
        gone = {"status": "entered_in_error", "retired_at": NOW, "retired_by": patient.created_by} if withdrawn else {}
        fact(
            Result,
            patient,
            analyte=analyte,
            value=None if value == "?" else Decimal(value),
            value_received=value,
            taken_on=day(taken),
            taken_at=dt.datetime.combine(day(taken), dt.time(int(hour), tzinfo=dt.UTC)) if hour else None,
            **gone,
        )


@column("status")
def status(patient: Patient, cell: str) -> None:
    """`0 dead`, `1 transferred`."""
    for starts, word in items(cell):
        fact(FollowUpStatus, patient, word=word, starts_on=day(starts))
