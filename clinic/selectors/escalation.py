"""What a meeting needs to decide about second-line treatment in one patient; and what became of earlier decisions."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from alerts.models import Alert, NotEvaluable
from clinic.selectors import alert as alerts
from clinic.selectors import lines as of_lines
from clinic.selectors.alert import Option
from clinic.selectors.lines import LinesPage
from clinic.selectors.patient import story
from clinic.selectors.responses import Row, row_of, score_words
from clinic.selectors.worklist import sentences
from clinic.templatetags.days import plain
from common.words import N_
from monitoring import governance
from monitoring.asking import findings
from monitoring.models import Assessment
from monitoring.responses import is_validated, tis_by_visit
from monitoring.rules import RULES, second_line_review
from monitoring.rules.base import Rule
from monitoring.scores import tis as scoring
from monitoring.selectors import improvement, nearest_enzymes, population_of
from monitoring.story import Story
from monitoring.words import translated_words
from patients.models import Patient, Subtype
from therapy import selectors as therapy
from therapy.lines import PE, Stretch, of_agent
from therapy.models import EscalationDecision
from therapy.prednisone_equivalent import as_decimal

RULE = of_lines.RULE
VISITS = 12  # in the table; the page of responses has all
# Local: what is compared around a decision.
BEFORE_DAYS = 28  # the visit before it
OUTCOMES = ((3, 91), (6, 182))  # months, days
AROUND_DAYS = 28  # the visit nearest to the day, so far either way

Address = alerts.Address


@dataclass(frozen=True)
class Visit:
    """A visit with its response. `ck` and `pe` are those of its day."""

    row: Row
    mmt8: str
    ck: str
    pe: str


@dataclass(frozen=True)
class Outcome:
    """What became of a decision after so many months. `said` stands where there is no score, `pe` is empty before."""

    months: int
    on: dt.date
    visit_on: dt.date | None
    tis: str
    category: str
    said: str
    pe: str


@dataclass(frozen=True)
class Decision:
    fact: EscalationDecision
    before_on: dt.date | None
    pe_then: str
    outcomes: Sequence[Outcome]


@dataclass(frozen=True)
class GateLine:
    """`said` stands where there is no day: nothing is on record, or nothing is looked up and people have to answer."""

    question: str
    seen_on: dt.date | None
    said: str


@dataclass(frozen=True)
class Brief:
    """`evidence` tells whether gates and options are about this patient, or no more than the rule's own list."""

    patient: Patient
    as_of: dt.date
    rule: Rule
    alert: Alert | None
    reasons: Sequence[str]
    is_ibm: bool
    is_validated: bool
    is_signed_off: bool
    visits: Sequence[Visit]
    more_visits: int
    pe_today: str
    story: Story
    treatment: LinesPage
    has_evidence: bool
    gates: Sequence[GateLine]
    options: Sequence[Option]
    missing: Sequence[str]
    decisions: Sequence[Decision]

    @property
    def newest_decision(self) -> int:
        """The id of the decision recorded last; 0 where there is none."""
        return max((decision.fact.pk for decision in self.decisions), default=0)


def open_alert(patient: Patient) -> Alert | None:
    """The alert of the rule that is not closed. One query."""
    found = Alert.objects.filter(patient=patient, rule=RULE, closed_at__isnull=True).order_by("-opened_at").first()
    if found is not None:
        found.patient, found.centre = patient, patient.centre  # the same rows, already read
    return found


def newest_decision(patient: Patient) -> int:
    """The id of the decision recorded last; 0 where there is none."""
    ids = EscalationDecision.objects.current().filter(patient=patient).order_by("-id").values_list("id", flat=True)
    return ids.first() or 0


def page(patient: Patient, as_of: dt.date, address: Address | None = None) -> Brief:
    """A bounded number of queries. `address` None leaves the links of the chart out: on paper."""
    rule = RULES[RULE]
    alert = open_alert(patient)
    is_ibm = patient.subtype == Subtype.INCLUSION_BODY
    evidence = _evidence(patient, as_of, rule, alert, is_ibm=is_ibm)
    treatment = of_lines.page(patient, as_of)
    pe = of_agent(treatment.rows, PE, as_of)
    visits = tis_by_visit(patient, as_of)
    days = {v.assessment.assessed_on for v in visits}
    enzymes = nearest_enzymes(patient, days, as_of) if days else {}
    shown = [
        Visit(
            row=row_of(visit),
            mmt8=_strength(visit.assessment),
            ck=_ck(enzymes.get(visit.assessment.assessed_on, {})),
            pe=_pe_on(pe, visit.assessment.assessed_on),
        )
        for visit in visits[:VISITS]
    ]
    return Brief(
        patient=patient,
        as_of=as_of,
        rule=rule,
        alert=alert,
        reasons=sentences(RULE, alert.evidence) if alert else [],
        is_ibm=is_ibm,
        is_validated=is_validated(patient),
        is_signed_off=(RULE, rule.version) in governance.signed_off(patient.centre),
        visits=shown,
        more_visits=max(0, len(visits) - VISITS),
        pe_today=_pe_on(pe, as_of),
        story=story(patient, as_of, address),
        treatment=treatment,
        has_evidence=bool(evidence),
        gates=_gates(evidence or _bare(rule), treatment, has_evidence=bool(evidence)),
        options=[] if is_ibm else alerts.options_of(RULE, evidence or _bare(rule)),
        missing=_missing(patient, evidence, treatment),
        decisions=_decisions(patient, as_of, [v.assessment for v in visits], enzymes, pe),
    )


def _evidence(patient: Patient, as_of: dt.date, rule: Rule, alert: Alert | None, *, is_ibm: bool) -> dict[str, Any]:
    """The alert's own; else what the rule would look up today. Empty where it may not be asked about the patient."""
    if alert is not None:
        return dict(alert.evidence)
    if is_ibm:
        return {}
    # The times in which the rule is quiet do not matter to a person who asks.
    used = governance.numbers(patient.centre, rule).parameters
    assert isinstance(used, second_line_review.Parameters)
    found = findings(
        dataclasses.replace(rule, findings=second_line_review.brief),
        as_of=as_of,
        patient_ids=[patient.pk],
        parameters=dataclasses.replace(used, rituximab_quiet_days=0, ivig_quiet_days=0),
        even_if_off=True,
    )
    return next((f.evidence for f in found if f.evidence), {})


# Questions to which the rule looks nothing up. One of them this page answers itself, from the doses.
_ASKED = {key for key, seen, __ in second_line_review.GATES if seen.startswith("NULL")}
_DOSE = "gate-dose"
_ADEQUACY = {
    True: N_("By the doses on record: yes, see above"),
    False: N_("By the doses on record: no, or not yet, see above"),
    None: N_("Cannot be told from the doses on record, see above"),
}


def _gates(evidence: Mapping[str, Any], treatment: LinesPage, *, has_evidence: bool) -> list[GateLine]:
    found = []
    for key, gate in _keyed_gates(evidence):
        said = _("Not on record") if has_evidence else _("Not looked up")
        if key == _DOSE and treatment.episode:
            said = _(_ADEQUACY[treatment.is_adequate])
        elif key in _ASKED:
            said = _("For you to answer")
        found.append(GateLine(gate.question, gate.seen_on, "" if gate.seen_on else said))
    return found


def _keyed_gates(evidence: Mapping[str, Any]) -> list[tuple[str, alerts.Gate]]:
    keys = [gate["gate"] for gate in evidence.get("gates") or ()]
    return list(zip(keys, alerts.gates_of(RULE, evidence), strict=True))


def _bare(rule: Rule) -> dict[str, Any]:
    """What to go through, and the options, without anything about a patient."""
    return {
        "gates": [{"gate": key} for key, *_ in second_line_review.GATES],
        "options": [{"option": key} for key in second_line_review.DOSES],
        "parameters": dataclasses.asdict(rule.parameters),
    }


def _missing(patient: Patient, evidence: Mapping[str, Any], treatment: LinesPage) -> list[str]:
    """What is not on record and would change what is said above."""
    rows = NotEvaluable.objects.filter(patient=patient, rule=RULE).values_list("missing", flat=True)
    found = [
        _("To judge the response: %(what)s") % {"what": translated_words(each)} for missing in rows for each in missing
    ]
    found += [
        words % {"what": translated_words(each)}
        for key, words in (
            ("baseline_lacks", _("From the core set at the beginning: %(what)s")),
            ("follow_up_lacks", _("From the newest core set: %(what)s")),
        )
        for each in evidence.get(key) or ()
    ]
    agents = [*treatment.episode, *(agent for line in treatment.lines for agent in line.agents if not agent.continued)]
    found += [f"{agent.name}: {agent.why}" for agent in agents if agent.verdict == "unknown" and agent.why]
    if evidence:
        found += [
            _("%(question)s Nothing on record.") % {"question": gate.question}
            for key, gate in _keyed_gates(evidence)
            if gate.seen_on is None and key not in _ASKED
        ]
    return list(dict.fromkeys(found))


def _strength(visit: Assessment) -> str:
    if visit.mmt8_150 is not None:
        return _("%(points)s of 150") % {"points": visit.mmt8_150}
    return "" if visit.mmt8_80 is None else _("%(points)s of 80") % {"points": visit.mmt8_80}


def _ck(enzymes: Mapping[str, scoring.Enzyme]) -> str:
    ck = enzymes.get("ck")
    if ck is None or not ck.uln:
        return ""
    return f"{plain(ck.value)} U/L ({plain(round(ck.value / ck.uln, 1))} × ULN)"


def _pe_on(pe: Sequence[Stretch], day: dt.date) -> str:
    amount = next((one.amount for one in pe if one.first_on <= day <= one.last_on), None)
    return f"{plain(as_decimal(amount))} mg" if amount is not None else "0 mg"


# ----------------------------------------------------------------------------------------------------------- decisions


def _decisions(
    patient: Patient,
    as_of: dt.date,
    visits: Sequence[Assessment],
    enzymes: Mapping[dt.date, Mapping[str, scoring.Enzyme]],
    pe: Sequence[Stretch],
) -> list[Decision]:
    found = []
    for fact in therapy.escalation_decisions(patient, as_of):
        fact.patient = patient
        earliest = fact.decided_on - dt.timedelta(days=BEFORE_DAYS)
        # newest first
        before = next((v for v in visits if earliest <= v.assessed_on <= fact.decided_on), None)
        found.append(
            Decision(
                fact=fact,
                before_on=before.assessed_on if before else None,
                pe_then=_pe_on(pe, fact.decided_on),
                outcomes=[
                    _outcome(patient, as_of, fact, before, months, days, visits, enzymes, pe)
                    for months, days in OUTCOMES
                ],
            )
        )
    return found


def _outcome(
    patient: Patient,
    as_of: dt.date,
    fact: EscalationDecision,
    before: Assessment | None,
    months: int,
    days: int,
    visits: Sequence[Assessment],
    enzymes: Mapping[dt.date, Mapping[str, scoring.Enzyme]],
    pe: Sequence[Stretch],
) -> Outcome:
    on = fact.decided_on + dt.timedelta(days=days)
    near = [v for v in visits if abs((v.assessed_on - on).days) <= AROUND_DAYS]
    after = min(near, key=lambda v: (abs((v.assessed_on - on).days), -v.assessed_on.toordinal()), default=None)
    tis = category = said = ""
    if after is None:
        said = _("Not yet") if as_of <= on + dt.timedelta(days=AROUND_DAYS) else _("No visit")
    elif patient.subtype == Subtype.INCLUSION_BODY:
        said = _("Not computed in inclusion body myositis")
    elif before is None:
        said = _("No visit in the %(days)s days before the decision to compare with") % {"days": BEFORE_DAYS}
    else:
        first = scoring.choose_enzyme(enzymes.get(before.assessed_on, {}).values())
        then = enzymes.get(after.assessed_on, {}).get(first.name) if first else None
        tis, category = score_words(improvement(before, first, after, then, population_of(patient)))
    return Outcome(
        months=months,
        on=on,
        visit_on=after.assessed_on if after else None,
        tis=tis,
        category=category,
        said=said,
        pe=_pe_on(pe, on) if on <= as_of else "",
    )
