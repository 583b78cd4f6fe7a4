"""The summary of one patient on paper: Typst sets it, matplotlib draws the chart inside it.

What people typed goes to Typst as data (JSON), never as part of the document's source, so none of it is read as markup.
The font is the one that comes with matplotlib, for the text as for the chart, and no system font is used: every machine
sets the same pages. The same data and moment give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import matplotlib
import typst
from django.utils import formats
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from alerts.selectors import Checked
from clinic.selectors.patient import PatientPage, lung_words
from clinic.templatetags.days import age, ago, plain, written
from common.words import N_
from monitoring import charts

TEMPLATE = Path(__file__).resolve().parent.parent / "templates" / "print" / "patient_summary.typ"
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
CHART_WIDTH_IN = 7.2
CHART_WORDS = N_(
    "Chart of treatment, CK, strength, scores, lung function and alerts over time. The same numbers are in the tables."
)


def pdf(page: PatientPage, *, checked: Checked, by: str, now: dt.datetime) -> bytes:
    """The summary of `page` as PDF bytes, printed by `by` at `now`; `checked` says when the rules were last asked."""
    source = TEMPLATE.read_bytes()
    drawing = charts.to_svg(charts.draw(page.story, width_in=CHART_WIDTH_IN)).decode()
    inputs = {"data": json.dumps(data_of(page, checked=checked, by=by, now=now), ensure_ascii=False), "chart": drawing}
    return bytes(
        typst.compile(
            source,
            format="pdf",
            sys_inputs=inputs,
            font_paths=typst.Fonts(include_system_fonts=False, font_paths=[FONTS]),
            timestamp=now.replace(microsecond=0),  # Typst refuses fractions of a second
        )
    )


def data_of(page: PatientPage, *, checked: Checked, by: str, now: dt.datetime) -> dict[str, Any]:
    """Everything the template prints, as words."""
    patient, top, as_of = page.patient, page.top, page.as_of
    local = now.astimezone(patient.centre.zone)
    return {
        "centre": patient.centre.name,
        "name": patient.name,
        "number": patient.record_number,
        "born": _("born %(day)s (%(age)s)") % {"day": written(patient.born_on), "age": age(patient.born_on, as_of)},
        "sex": str(patient.get_sex_display()),
        "printed": _("Printed %(moment)s by %(name)s. State of the record on %(day)s. Confidential.")
        % {"moment": formats.date_format(local, "DATETIME_FORMAT"), "name": by, "day": written(as_of)},
        "language": (get_language() or "en")[:2],
        "words": _words(),
        "facts": [[label, value or _("Not recorded")] for label, value in facts_of(page)],
        "checked": _checked(checked, patient.centre.zone),
        "alerts": [
            [str(line.alert.get_level_display()), line.title, line.reason, str(line.alert.get_state_display())]
            for line in page.alerts
        ],
        "coming": [[written(item.due_on), item.title] for item in page.coming_up]
        + [[written(b.booked_for), _("%(test)s (booked)") % {"test": b.get_kind_display()}] for b in top.bookings],
        "treatment": [
            [
                _(now_line.line.name),
                str(now_line.line.route),
                now_line.line.dose,
                now_line.per_kg,
                written(now_line.line.since),
            ]
            for now_line in top.lines
        ],
        "past": [
            [course.name, course.dose, _span(course.since, course.until), course.why_stopped]
            for course in page.past_courses[:12]
        ],
        "result_days": [written(day) for day in page.results.days],
        "results": [
            [
                line.name,
                line.unit,
                [[cell.text, cell.flag] if cell else ["", ""] for cell in line.cells],
            ]
            for _, lines in page.results.panels
            for line in lines
        ],
        "visits": [
            [
                written(visit.day),
                visit.mmt8,
                *(_number(v) for v in (visit.haq_di, visit.physician_vas, visit.patient_vas, visit.extramuscular_vas)),
                visit.enzyme,
                f"{visit.tis} ({visit.category})" if visit.tis else _("baseline") if visit.is_baseline else "",
            ]
            for visit in page.visits[:8]
        ],
        "tests": [[written(test.tested_on), lung_words(test)] for test in page.lung[:8]],
        "imaging": [
            [written(image.done_on), str(image.get_modality_display()), str(image.get_ild_display())]
            for image in page.imaging[:8]
        ],
    }


def facts_of(page: PatientPage) -> list[tuple[str, str]]:
    """The head of the page: (label, value), the value empty where nothing is recorded."""
    patient, top, as_of = page.patient, page.top, page.as_of
    header = top.header
    diagnosed = patient.diagnosed_on
    ild = header.ild_known_since
    weight = top.weight
    if header.antibodies:
        names = ", ".join(
            _("%(name)s (positive %(day)s)") % {"name": a.name, "day": written(a.first_on)} for a in header.antibodies
        )
    elif page.antibodies_tested:
        names = _("None positive of %(n)s tested") % {"n": page.antibodies_tested}
    else:
        names = _("Not tested")
    others = ", ".join(str(m.get_kind_display()) for m in header.manifestations if m.kind != "ild")
    return [
        (_("Subtype"), str(patient.get_subtype_display())),
        (_("Diagnosed"), f"{written(diagnosed)} ({ago(diagnosed, as_of)})" if diagnosed else ""),
        (_("First symptom"), written(patient.onset_on) if patient.onset_on else ""),
        (_("Antibodies"), names),
        (
            _("Interstitial lung disease"),
            _("Known since %(day)s") % {"day": written(ild)} if ild else _("Not recorded as present"),
        ),
        (_("Manifestations"), others or _("None recorded")),
        (_("Follow-up"), str(header.follow_up.get_word_display()) if header.follow_up else _("Under follow-up")),
        (
            _("Weight"),
            _("%(number)s kg on %(day)s") % {"number": plain(weight.weight_kg), "day": written(weight.measured_on)}
            if weight
            else "",
        ),
        (
            _("Prednisone-equivalent today"),
            _("Not recorded") if top.pe_mg is None else _("%(amount)s mg a day") % {"amount": plain(top.pe_mg)},
        ),
    ]


def _words() -> dict[str, Any]:
    """What the template says of itself."""
    return {
        "title": _("Patient summary"),
        "alerts": _("Open alerts"),
        "no_alerts": _("No alert is open."),
        "alert_heads": [_("Level"), _("What"), _("Why"), _("State")],
        "treatment": _("Treatment now"),
        "no_treatment": _("No drug is recorded for today."),
        "treatment_heads": [_("Drug"), _("Route"), _("Dose"), _("Per kg"), _("Since")],
        "coming": _("Coming up"),
        "nothing_coming": _("Nothing is due or booked in the next weeks."),
        "coming_heads": [_("Day"), _("What")],
        "core_set": _("Core set"),
        "no_visits": _("No assessment is recorded."),
        "visit_heads": [
            _("Day"), "MMT8", "HAQ-DI", _("Physician VAS"), _("Patient VAS"), _("Extramuscular VAS"), _("Enzyme"),
            "TIS",
        ],
        "results": _("Laboratory results"),
        "no_results": _("No result is recorded."),
        "result_heads": [_("Test"), _("Unit")],
        "flags": _("H above, L below the limit that the laboratory printed with the result."),
        "course": _("Course"),
        "chart": _(CHART_WORDS),
        "lungs": _("Lungs"),
        "no_lungs": _("No lung function and no imaging is recorded."),
        "lung_heads": [_("Day"), _("Test"), _("Result")],
        "lung_function": _("Lung function"),
        "past": _("Earlier treatment"),
        "past_heads": [_("Drug"), _("Newest dose"), _("From – to"), _("Why it was stopped")],
    }  # fmt: skip


def _number(value: Any) -> str:
    return "" if value is None else plain(value)


def _span(since: dt.date | None, until: dt.date | None) -> str:
    return " – ".join(written(day) if day else "?" for day in (since, until))


def _checked(checked: Checked, zone: dt.tzinfo) -> str:
    """On paper, too, no alert means little while nobody has asked."""
    if checked.at is None:
        return _("The rules have never been asked: that no alert stands here says nothing.")
    at = formats.date_format(checked.at.astimezone(zone), "DATETIME_FORMAT")
    words = _("The rules were last asked on %(moment)s.") % {"moment": at}
    stale = _("That is too long ago to rely on.")
    return f"{words} {stale}" if checked.stale else words
