"""The calendar of a taper on paper, for the patient to take home. Set by Typst, as the summary is."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import typst
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic.selectors.taper import Calendar
from clinic.summary import FONTS
from clinic.templatetags.days import plain, written
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
        "centre": patient.centre.name,
        "language": (get_language() or "en").split("-")[0],
        "words": _words(calendar, patient=patient, now=now),
        "hold": _("On hold since %(day)s. Until your clinic tells you to go on, do not go down by this calendar.")
        % {"day": written(calendar.hold.starts_on)}
        if calendar.hold
        else "",
        "weekdays": calendar.weekdays,
        "steps": [
            [
                written(on),
                _("until further notice") if until is None else written(until),
                f"{plain(mg)} mg",
                pills or "–",
            ]
            for on, until, mg, pills in calendar.steps
        ],
        "months": [
            {
                "name": date_format(month, "YEAR_MONTH_FORMAT"),
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


def _words(calendar: Calendar, *, patient: Patient, now: dt.datetime) -> dict[str, str]:
    """The headings and sentences of the template."""
    printed = written(now.astimezone(patient.centre.zone).date())
    return {
        "title": _("Steroid calendar"),
        "born": _("born %(day)s") % {"day": written(patient.born_on)},
        "footer": _("Planned doses, printed %(day)s. Your clinic may change them: the newest plan counts.")
        % {"day": printed},
        "lead": _("The doses are mg of prednisone or its equivalent a day. The tablets are %(drug)s.")
        % {"drug": calendar.drug},
        "from": _("From"),
        "until": _("Until"),
        "a_day": _("A day"),
        "tablets": _("Tablets"),
        "never": _("Never stop a steroid suddenly."),
        "call": _(
            "If you feel weaker, have a fever, vomit or cannot take the tablets, call your clinic before you change "
            "the dose. Carry your steroid card."
        ),
    }
