"""The escalation brief on paper, for the meeting. Set by Typst, as the summary is."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import typst
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

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
    adequate = {
        True: _("Yes"), False: _("No, or not yet"), None: _("Cannot be told: a weight near the beginning is missing"),
    }  # fmt: skip
    return {
        "language": (get_language() or "en").split("-")[0],
        "words": _words(brief, by=by, local=local),
        "centre": patient.centre.name,
        "name": patient.name,
        "number": patient.record_number,
        "subtype": patient.get_subtype_display(),
        "is_ibm": brief.is_ibm,
        "has_alert": brief.alert is not None,
        "reasons": list(brief.reasons),
        "signed_off": brief.is_signed_off,
        "visits": [
            [
                written(v.row.day),
                _response(v.row),
                v.mmt8 or "–", v.ck or "–", v.pe, v.row.deterioration or "–",
            ]
            for v in brief.visits
        ],
        "adequate": adequate[treatment.is_adequate],
        "day0": _("Counted from %(day)s, the first day of the present episode of glucocorticoid.")
        % {"day": written(treatment.day0)}
        if treatment.day0
        else "",
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
                    *([_("For"), text] for text in option.speaks_for),
                    *([_("Against"), text] for text in option.speaks_against),
                    *([_("Check first"), text] for text in option.to_check),
                ],
            }
            for option in brief.options
        ],
        "missing": list(brief.missing),
        "not_considered": [_(text) for text in brief.rule.not_considered],
        "sources": [[source.text, _(str(source.confidence))] for source in brief.rule.evidence],
        "decisions": [
            [
                written(d.fact.decided_on),
                f"{d.fact.get_option_display()}: {d.fact.reason}",
                d.pe_then,
                *(
                    _("%(response)s; steroid: %(dose)s") % {
                        "response": f"{_('TIS')} {o.tis} {o.category}" if o.tis else o.said,
                        "dose": o.pe or _("not yet"),
                    }
                    for o in d.outcomes
                ),
            ]
            for d in brief.decisions
        ],
    }  # fmt: skip


def _response(row: Row) -> str:
    return _("Baseline") if row.is_baseline else f"{row.total} {row.category}" if row.total else row.why_not


def _agent(agent: AgentRow) -> list[str]:
    return [
        f"{agent.name} {_('(continued)')}" if agent.continued else agent.name,
        f"{written(agent.first_on)} – {written(agent.last_on) if agent.last_on else _('now')}",
        agent.highest,
        f"{agent.enough}; {agent.target}" if agent.target else agent.enough or "–",
        agent.verdict_words + (f": {agent.why}" if agent.why else ""),
    ]


def _words(brief: Brief, *, by: str, local: dt.datetime) -> dict[str, str]:
    """The headings and sentences of the template."""
    printed = {
        "when": f"{written(local.date())}, {local:%H:%M}", "by": by, "as_of": written(brief.as_of),
        "born": written(brief.patient.born_on), "pe": brief.pe_today,
    }  # fmt: skip
    said = {
        "title": _("Escalation brief"),
        "born": _("born %(born)s"),
        "footer": _(
            "Printed %(when)s by %(by)s. State of the record on %(as_of)s. Confidential. "
            "Offered for a decision; it orders nothing."
        ),
        "is_ibm": _("Inclusion body myositis: escalation is never prompted."),
        "why_now": _("Why now"),
        "no_alert": _("No alert is open."),
        "older": _("Judged by an older version of the rule."),
        "not_signed": _("No two people of this centre have signed this version of the rule off."),
        "trajectory": _("Trajectory"),
        "no_visits": _("No assessment is recorded."),
        "visit": _("Visit"),
        "tis": _("TIS"),
        "mmt8": _("MMT8"),
        "ck": _("CK"),
        "steroid_a_day": _("Steroid a day"),
        "deterioration": _("Deterioration"),
        "steroid": _(
            "Steroid is prednisone-equivalent; today %(pe)s a day. "
            "The score is held against the baseline of its course of glucocorticoid."
        ),
        "chart": _(
            "Alerts, treatment, glucocorticoid, CK, strength, scores and lung function on one time axis; the numbers "
            "are in the tables."
        ),
        "adequacy": _("Was the first line adequate?"),
        "no_episode": _("No episode of glucocorticoid is running."),
        "drug": _("Drug"),
        "taken": _("Taken"),
        "highest": _("Highest dose"),
        "at_target": _("At its target"),
        "adequate": _("Adequate"),
        "lines": _("Lines of therapy"),
        "no_lines": _("No immunosuppressant beside glucocorticoid is recorded."),
        "line": pgettext("of therapy", "Line"),
        "stopped": _("Why stopped"),
        "gates": _("Before escalating"),
        "gates_note": _("What to ask. A day says when it was last looked at, not what the answer is."),
        "not_asked": _("The rule was not asked about this patient: nothing is looked up for its questions."),
        "question": _("Question"),
        "looked_at": _("Last looked at"),
        "options": _("Options"),
        "no_order": _("In no order of preference."),
        "missing": _("What is missing"),
        "nothing_missing": _("Nothing that would change what stands here."),
        "decisions": _("Earlier decisions"),
        "day": _("Day"),
        "decision": _("Decision"),
        "steroid_then": _("Steroid then"),
        "after_3": _("After 3 months"),
        "after_6": _("After 6 months"),
        "not_considered": _("What the rule did not consider"),
        "sources": _("Sources"),
        "source": _("Source"),
        "confidence": _("Confidence"),
    }
    return {name: text % printed for name, text in said.items()}
