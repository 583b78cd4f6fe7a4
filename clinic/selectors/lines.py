"""Lines of therapy, and what each drug was given for, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.templatetags.days import plain, written
from common.words import N_
from monitoring import governance
from monitoring.models import BodySize
from monitoring.rules import RULES
from patients.models import Patient
from therapy import lines, selectors
from therapy.dosing import DoseRow, name_of
from therapy.formulary import FORMULARY
from therapy.infusions import IVIG, RITUXIMAB
from therapy.lines import PE, Adequacy, Numbers, Use, Weight
from therapy.models import StopReason
from therapy.prednisone_equivalent import as_decimal

RULE = "second-line-review"
# Of our own numbers, those that a centre governs with the rule.
_GOVERNED = (
    "steroid_mg_kg_day", "steroid_days", "weight_days", "methotrexate_mg_week", "azathioprine_mg_kg_day",
    "mycophenolate_mg_day", "agent_days", "episode_gap_days",
)  # fmt: skip


VERDICTS = {
    "yes": N_("Adequate"), "not yet": N_("Not yet"), "no": N_("Not adequate"), "unknown": N_("Cannot be told"),
}  # fmt: skip


@dataclass(frozen=True)
class AgentRow:
    """An agent in words. `verdict` is yes, not yet, no or unknown; `stopped` why it was stopped."""

    name: str
    first_on: dt.date
    last_on: dt.date | None
    highest: str
    target: str
    enough: str
    verdict: str
    why: str
    stopped: str
    continued: bool = False

    @property
    def verdict_words(self) -> str:
        return _(VERDICTS[self.verdict])


@dataclass(frozen=True)
class LineRow:
    number: int
    first_on: dt.date
    last_on: dt.date | None
    agents: Sequence[AgentRow]

    @property
    def names(self) -> str:
        return " + ".join(agent.name for agent in self.agents)


@dataclass(frozen=True)
class LinesPage:
    """`episode` are the agents of the present episode of glucocorticoid, as the rule counts them from `day0`.

    `is_adequate` is what the rule says of them; None where it cannot be told, or there is no episode.
    """

    lines: Sequence[LineRow]
    day0: dt.date | None
    is_adequate: bool | None
    episode: Sequence[AgentRow]
    rows: Sequence[DoseRow]
    weight: Weight | None = None

    @property
    def newest_first(self) -> list[LineRow]:
        return list(self.lines)[::-1]


def numbers_of(patient: Patient) -> Numbers:
    """Those in force at the patient's centre. One query."""
    used = governance.numbers(patient.centre, RULES[RULE]).parameters
    return Numbers(**{name: getattr(used, name) for name in _GOVERNED})


def page(patient: Patient, as_of: dt.date) -> LinesPage:
    """Five queries."""
    numbers = numbers_of(patient)
    rows, stops = selectors.line_rows(patient, as_of)
    sizes = (
        BodySize.objects.current()
        .filter(patient=patient, weight_kg__isnull=False, measured_on__lte=as_of)
        .order_by("measured_on", "-id")
        .values_list("measured_on", "weight_kg")
    )
    weights = [Weight(on, kg) for on, kg in sizes if kg is not None]
    found = lines.work_out(rows, stops, weights, as_of, numbers)
    first = lines.first_line(rows, weights, as_of, numbers)
    return LinesPage(
        lines=[
            LineRow(
                line.number, line.first_on, line.last_on,
                [_use_row(use, continued=line.is_continued(use)) for use in line.uses],
            )
            for line in found.lines
        ],
        day0=first.day0 if first else None,
        is_adequate=first.is_adequate if first else None,
        episode=[_row(agent) for agent in first.agents] if first else [],
        rows=rows,
        weight=first.weight if first else None,
    )  # fmt: skip


def _use_row(use: Use, *, continued: bool) -> AgentRow:
    stopped = ""
    if use.stop is not None:
        stopped = str(StopReason(use.stop.reason).label) + (f": {use.stop.note}" if use.stop.note else "")
    elif not use.is_running:
        stopped = _("Not recorded")
    return _row(use.adequacy, first_on=use.first_on, last_on=use.last_on, stopped=stopped, continued=continued)


def _row(
    agent: Adequacy,
    *,
    first_on: dt.date | None = None,
    last_on: dt.date | None = None,
    stopped: str = "",
    continued: bool = False,
) -> AgentRow:
    running = agent.is_running if first_on is None else last_on is None
    verdict = "unknown" if agent.is_adequate is None else "yes" if agent.is_adequate else "not yet" if running else "no"
    return AgentRow(
        name=_("Glucocorticoid") if agent.agent == PE else name_of(agent.agent),
        first_on=first_on or agent.first_on,
        last_on=None if running else last_on or agent.last_on,
        highest=_highest(agent),
        target=_target(agent),
        enough=_enough(agent),
        verdict=verdict,
        why=_(agent.why) if agent.why else "",
        stopped=stopped,
        continued=continued,
    )


def _unit(agent: str) -> str:
    return "mg" if agent == PE else FORMULARY[agent].unit


_EVERY = {1: N_("%(amount)s a day"), 7: N_("%(amount)s a week"), 28: N_("%(amount)s in 4 weeks")}


def _highest(agent: Adequacy) -> str:
    amount = {"amount": f"{plain(as_decimal(agent.highest))} {_unit(agent.agent)}"}
    if agent.by_infusions:
        if agent.agent == RITUXIMAB:
            return _("%(amount)s a cycle") % amount
        return (_("%(amount)s a course") if agent.agent == IVIG else _("%(amount)s at once")) % amount
    words = _(_EVERY[agent.floor.every_days if agent.floor else 1]) % amount
    if agent.floor is not None and agent.floor.is_per_kg and agent.weight is not None:
        return _("%(dose)s (%(per_kg)s %(unit)s/kg at %(kg)s kg of %(day)s)") % {
            "dose": words,
            "per_kg": plain(as_decimal(agent.highest / Fraction(agent.weight.kg))),
            "unit": _unit(agent.agent),
            "kg": plain(agent.weight.kg),
            "day": written(agent.weight.on),
        }
    return words


def _target(agent: Adequacy) -> str:
    if agent.by_infusions:
        if agent.agent == IVIG:
            return _("needs %(n)s courses of 2 g/kg") % {"n": agent.needed}
        return _("needs 2 × 1000 mg and %(n)s days") % {"n": agent.days_needed} if agent.agent == RITUXIMAB else ""
    if agent.floor is None:
        return ""
    per = "/kg" if agent.floor.is_per_kg else ""
    least = _(_EVERY[agent.floor.every_days]) % {"amount": f"{plain(agent.floor.amount)} {_unit(agent.agent)}{per}"}
    return _("needs %(n)s days of %(least)s or more") % {"n": agent.floor.days, "least": least}


def _enough(agent: Adequacy) -> str:
    if agent.by_infusions:
        if agent.agent == RITUXIMAB:
            cycles = ngettext("%(n)s complete cycle", "%(n)s complete cycles", agent.had) % {"n": agent.had}
            ago = ngettext("first infusion %(n)s day ago", "first infusion %(n)s days ago", agent.days)
            return f"{cycles}, {ago % {'n': agent.days}}"
        courses = ngettext("%(n)s complete course", "%(n)s complete courses", agent.had) % {"n": agent.had}
        return courses if agent.agent == IVIG else ""
    if agent.floor is None:
        return ngettext("taken on %(n)s day", "taken on %(n)s days", agent.days) % {"n": agent.days}
    enough = {"n": agent.days_enough}
    if agent.is_sure:
        return ngettext("%(n)s day", "%(n)s days", agent.days_enough) % enough
    return ngettext("at most %(n)s day", "at most %(n)s days", agent.days_enough) % enough
