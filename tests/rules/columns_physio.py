"""Columns about physiotherapy."""

from __future__ import annotations

import datetime as dt
import re

from patients.models import Patient
from tests.factories import LONG_AGO, fact
from tests.rules.examples import column, day, items
from therapy.models import PhysioEnd, PhysioPause, PhysioPlan, PhysioSession, SessionOutcome

WORDS = {
    "attended": "attended",
    "remote": "attended_remote",
    "home": "home_done",
    "dna": "did_not_attend",
    "patient": "cancelled_by_patient",
    "clinic": "cancelled_by_clinic",
    "excused": "excused",
}


@column("physio plan")
def physio_plan(patient: Patient, cell: str) -> None:
    """`-40`, `-40 paused -5..5`, `-40 ended -1`; `none`."""
    found = re.fullmatch(r"(-?\d+)(?: paused (-?\d+)\.\.(-?\d*))?(?: ended (-?\d+))?", cell)
    if cell in ("", "none"):
        return
    assert found, cell
    start, pause_from, pause_to, end = found.groups()
    plan = fact(PhysioPlan, patient, starts_on=day(start))
    if pause_from:
        until = day(pause_to) if pause_to else None
        fact(PhysioPause, patient, plan=plan, starts_on=day(pause_from), ends_on=until, reason="away")
    if end:
        fact(PhysioEnd, patient, plan=plan, ended_on=day(end), reason="goal reached")


@column("sessions")
def sessions(patient: Patient, cell: str) -> None:
    """`-14 dna`, `-12 attended@-13` (booked on day -13), `-3 none` (no outcome yet), `-20 patient told@-4`.

    An outcome is recorded on the day of its session, or on the one told.
    """
    plan = PhysioPlan.objects.get(patient=patient)
    for held, word, *told in items(cell):
        word, _, booked = word.partition("@")
        noon = dt.time(12, tzinfo=dt.UTC)
        booked_at = dt.datetime.combine(day(booked), noon) if booked else LONG_AGO
        session = fact(PhysioSession, patient, plan=plan, held_on=day(held), recorded_at=booked_at)
        if word != "none":
            recorded_at = dt.datetime.combine(day(told[0].removeprefix("told@") if told else held), noon)
            fact(SessionOutcome, patient, session=session, word=WORDS[word], recorded_at=recorded_at)
