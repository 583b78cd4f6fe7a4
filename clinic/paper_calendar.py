"""The calendar of a taper on paper, for the patient to take home. Set by Typst, as the summary is."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import typst

from clinic.selectors.taper import Calendar
from clinic.summary import FONTS
from clinic.templatetags.days import written
from monitoring.entry import plain
from patients.models import Patient

TEMPLATE = Path(__file__).resolve().parent.parent / "templates" / "print" / "taper_calendar.typ"


def pdf(calendar: Calendar, *, patient: Patient, now: dt.datetime) -> bytes:
    """The calendar as PDF bytes, printed at `now`."""
    return bytes(
        typst.compile(
            TEMPLATE.read_bytes(),
            format="pdf",
            sys_inputs={"data": json.dumps(data_of(calendar, patient=patient, now=now), ensure_ascii=False)},
            font_paths=typst.Fonts(include_system_fonts=False, font_paths=[FONTS]),
            timestamp=now.replace(microsecond=0),  # Typst refuses fractions of a second
        )
    )


def data_of(calendar: Calendar, *, patient: Patient, now: dt.datetime) -> dict[str, Any]:
    """Everything the template prints, as words."""
    return {
        "name": patient.name,
        "number": patient.record_number,
        "born": written(patient.born_on),
        "centre": patient.centre.name,
        "drug": calendar.drug,
        "printed": written(now.astimezone(patient.centre.zone).date()),
        "steps": [
            [written(on), "until further notice" if until is None else written(until), f"{plain(mg)} mg", pills or "–"]
            for on, until, mg, pills in calendar.steps
        ],
        "months": [
            {
                "name": f"{month:%B %Y}",
                "days": [
                    None
                    if cell is None
                    else {"day": str(cell.day.day), "mg": plain(cell.dose_pe_mg), "first": cell.is_first}
                    for week in weeks
                    for cell in week
                ],
            }
            for month, weeks in calendar.months
        ],
    }
