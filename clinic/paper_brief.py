"""The escalation brief on paper, for the meeting. Set by Typst, as the summary is."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import typst

from clinic.selectors.escalation import Brief
from clinic.selectors.lines import AgentRow
from clinic.selectors.responses import Row
from clinic.summary import CHART_WIDTH_IN, FONTS
from clinic.templatetags.days import written
from monitoring import charts

TEMPLATE = Path(__file__).resolve().parent.parent / "templates" / "print" / "escalation_brief.typ"


def pdf(brief: Brief, *, by: str, now: dt.datetime) -> bytes:
    """The brief as PDF bytes, printed by `by` at `now`."""
    drawing = charts.to_svg(charts.draw(brief.story, width_in=CHART_WIDTH_IN)).decode()
    inputs = {"data": json.dumps(data_of(brief, by=by, now=now), ensure_ascii=False), "chart": drawing}
    return bytes(
        typst.compile(
            TEMPLATE.read_bytes(),
            format="pdf",
            sys_inputs=inputs,
            font_paths=typst.Fonts(include_system_fonts=False, font_paths=[FONTS]),
            timestamp=now.replace(microsecond=0),  # Typst refuses fractions of a second
        )
    )


def data_of(brief: Brief, *, by: str, now: dt.datetime) -> dict[str, Any]:
    """Everything the template prints, as words."""
    patient, treatment = brief.patient, brief.treatment
    local = now.astimezone(patient.centre.zone)
    adequate = {True: "Yes", False: "No, or not yet", None: "Cannot be told: a weight near the beginning is missing"}
    return {
        "centre": patient.centre.name,
        "name": patient.name,
        "number": patient.record_number,
        "born": written(patient.born_on),
        "subtype": patient.get_subtype_display(),
        "printed": f"{written(local.date())}, {local:%H:%M}",
        "by": by,
        "as_of": written(brief.as_of),
        "is_ibm": brief.is_ibm,
        "has_alert": brief.alert is not None,
        "reasons": list(brief.reasons),
        "signed_off": brief.is_signed_off,
        "pe_today": brief.pe_today,
        "visits": [
            [
                written(v.row.day),
                _response(v.row),
                v.mmt8 or "–", v.ck or "–", v.pe, v.row.deterioration or "–",
            ]
            for v in brief.visits
        ],
        "adequate": adequate[treatment.is_adequate],
        "day0": written(treatment.day0) if treatment.day0 else "",
        "episode": [_agent(agent) for agent in treatment.episode],
        "lines": [
            [f"{line.number}", *_agent(agent), agent.stopped or "–"]
            for line in treatment.newest_first
            for agent in line.agents
        ],
        "has_evidence": brief.has_evidence,
        "gates": [[gate.question, written(gate.seen_on) if gate.seen_on else gate.said] for gate in brief.gates],
        "options": [
            {
                "title": option.title,
                "said": [
                    *(["For", text] for text in option.speaks_for),
                    *(["Against", text] for text in option.speaks_against),
                    *(["Check first", text] for text in option.to_check),
                ],
            }
            for option in brief.options
        ],
        "missing": list(brief.missing),
        "not_considered": list(brief.rule.not_considered),
        "sources": [[source.text, str(source.confidence)] for source in brief.rule.evidence],
        "decisions": [
            [
                written(d.fact.decided_on),
                f"{d.fact.get_option_display()}: {d.fact.reason}",
                d.pe_then,
                *(
                    f"{f'TIS {o.tis} {o.category}' if o.tis else o.said}; steroid: {o.pe}"
                    for o in d.outcomes
                ),
            ]
            for d in brief.decisions
        ],
    }  # fmt: skip


def _response(row: Row) -> str:
    return "Baseline" if row.is_baseline else f"{row.total} {row.category}" if row.total else row.why_not


def _agent(agent: AgentRow) -> list[str]:
    return [
        agent.name + (" (continued)" if agent.continued else ""),
        f"{written(agent.first_on)} – {written(agent.last_on) if agent.last_on else 'now'}",
        agent.highest,
        f"{agent.enough}; {agent.target}" if agent.target else agent.enough or "–",
        agent.verdict_words + (f": {agent.why}" if agent.why else ""),
    ]
