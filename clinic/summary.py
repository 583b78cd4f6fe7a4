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

from alerts.selectors import Checked
from clinic.selectors.patient import PatientPage, lung_words
from clinic.templatetags.days import ago, written
from monitoring import charts
from monitoring.entry import plain

TEMPLATE = Path(__file__).resolve().parent.parent / "templates" / "print" / "patient_summary.typ"
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
CHART_WIDTH_IN = 7.2


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
    header = top.header
    return {
        "centre": patient.centre.name,
        "name": patient.name,
        "number": patient.record_number,
        "born": f"{written(patient.born_on)} ({header.age} years)",
        "sex": patient.get_sex_display(),
        "printed": f"{written(local.date())}, {local:%H:%M}",
        "by": by,
        "as_of": written(as_of),
        "facts": [[label, value or "Not recorded"] for label, value in facts_of(page)],
        "checked": _checked(checked, patient.centre.zone),
        "alerts": [
            [line.alert.get_level_display(), line.title, line.reason, line.alert.get_state_display()]
            for line in page.alerts
        ],
        "coming": [[written(item.due_on), item.title] for item in page.coming_up]
        + [[written(b.booked_for), f"{b.get_kind_display()} (booked)"] for b in top.bookings],
        "treatment": [
            [
                now_line.line.name,
                now_line.line.route,
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
                f"{visit.tis} ({visit.category})" if visit.tis else "baseline" if visit.is_baseline else "",
            ]
            for visit in page.visits[:8]
        ],
        "tests": [[written(test.tested_on), lung_words(test)] for test in page.lung[:8]],
        "imaging": [
            [written(image.done_on), image.get_modality_display(), image.get_ild_display()]
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
    return [
        ("Subtype", patient.get_subtype_display()),
        ("Diagnosed", f"{written(diagnosed)} ({ago(diagnosed, as_of)})" if diagnosed else ""),
        ("First symptom", written(patient.onset_on) if patient.onset_on else ""),
        (
            "Antibodies",
            ", ".join(f"{a.name} (positive {written(a.first_on)})" for a in header.antibodies)
            or (f"None positive of {page.antibodies_tested} tested" if page.antibodies_tested else "Not tested"),
        ),
        ("Interstitial lung disease", f"Known since {written(ild)}" if ild else "Not recorded as present"),
        (
            "Manifestations",
            ", ".join(m.get_kind_display() for m in header.manifestations if m.kind != "ild") or "None recorded",
        ),
        ("Follow-up", header.follow_up.get_word_display() if header.follow_up else "Under follow-up"),
        ("Weight", f"{_number(weight.weight_kg)} kg on {written(weight.measured_on)}" if weight else ""),
        ("Prednisone-equivalent today", f"{plain(top.pe_mg)} mg a day"),
    ]


def _number(value: Any) -> str:
    return "" if value is None else plain(value)


def _span(since: dt.date | None, until: dt.date | None) -> str:
    return " – ".join(written(day) if day else "?" for day in (since, until))


def _checked(checked: Checked, zone: dt.tzinfo) -> str:
    """On paper, too, no alert means little while nobody has asked."""
    if checked.at is None:
        return "The rules have never been asked: that no alert stands here says nothing."
    at = checked.at.astimezone(zone)
    words = f"The rules were last asked on {written(at.date())}, {at:%H:%M}."
    return f"{words} That is too long ago to rely on." if checked.stale else words
