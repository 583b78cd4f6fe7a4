"""Columns about organs, tests of the lung, and functional tests."""

from __future__ import annotations

from decimal import Decimal

from monitoring.models import Booking, FunctionalTest, Imaging, LungFunction, Screening, Waiver
from patients.models import Manifestation, Patient, RiskFactor
from tests.factories import fact
from tests.rules.examples import column, day, items
from therapy.models import PhysioDecline

LUNG = {
    "full": {"fvc_l": Decimal("3.10"), "dlco_percent_predicted": Decimal("80.0")},
    "spiro": {"fvc_l": Decimal("3.10")},
    "spiro%": {"fvc_percent_predicted": Decimal("82.0")},
    "dlco": {"dlco_percent_predicted": Decimal("80.0")},
}


@column("manifestations")
def manifestations(patient: Patient, cell: str) -> None:
    """`-100 ild, -90 arthritis -20` (the last number: its last day)."""
    for onset, kind, *end in items(cell):
        fact(Manifestation, patient, kind=kind, onset_on=day(onset), ended_on=day(end[0]) if end else None)


@column("lung")
def lung(patient: Patient, cell: str) -> None:
    """`-30 full, -20 spiro, -13 dlco`; `spiro%`: the percentage alone."""
    for tested, words in items(cell):
        fact(LungFunction, patient, tested_on=day(tested), **LUNG[words])


@column("imaging")
def imaging(patient: Patient, cell: str) -> None:
    """`-30 hrct absent, -20 chest_xray present`."""
    for done, modality, ild in items(cell):
        fact(Imaging, patient, modality=modality, done_on=day(done), ild=ild)


@column("bookings")
def bookings(patient: Patient, cell: str) -> None:
    """`10 pft, 12 hrct`."""
    for booked, kind in items(cell):
        fact(Booking, patient, kind=kind, booked_for=day(booked))


@column("waivers")
def waivers(patient: Patient, cell: str) -> None:
    """`-30..100 pft declined, 0..30 hrct pregnancy`."""
    for days, test, reason in items(cell):
        first, last = days.split("..")
        fact(Waiver, patient, test=test, reason=reason, starts_on=day(first), ends_on=day(last))


@column("functional")
def functional(patient: Patient, cell: str) -> None:
    """`-30 fi3, -10 fi2 incomplete, -5 walk_6min`."""
    for tested, instrument, *incomplete in items(cell):
        fact(FunctionalTest, patient, tested_on=day(tested), instrument=instrument, is_complete=not incomplete)


@column("declined")
def declined(patient: Patient, cell: str) -> None:
    """`-30`, `-30..10` (its last day): physiotherapy is not wanted."""
    for (days,) in items(cell):
        first, _, last = days.partition("..")
        fact(PhysioDecline, patient, declined_on=day(first), ends_on=day(last) if last else None)


@column("screenings")
def screenings(patient: Patient, cell: str) -> None:
    """`-30 fracture_risk, -10 swallow abnormal, -10 swallow normal 2` (its number)."""
    for done, kind, *rest in items(cell):
        score = next((Decimal(word) for word in rest if word[0].isdigit()), None)
        outcome = next((word for word in rest if not word[0].isdigit()), "not_stated")
        fact(Screening, patient, kind=kind, done_on=day(done), outcome=outcome, score=score)


@column("risks")
def risks(patient: Patient, cell: str) -> None:
    """`-100 childbearing, -90 diabetes -20` (the last number: its last day)."""
    for starts, kind, *end in items(cell):
        fact(RiskFactor, patient, kind=kind, starts_on=day(starts), ends_on=day(end[0]) if end else None)
