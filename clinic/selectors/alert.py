"""One alert as a person reads it: why, on which values, by which thresholds, and what became of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import gettext

from alerts import selectors as alerts
from alerts.actions.life import SNOOZE_DAYS, UNDO_WITHIN
from alerts.models import Alert, AlertEvent, EventKind, State
from clinic.selectors.patient import reason_of, title_of
from clinic.selectors.worklist import lasting, sentences
from common.words import N_
from monitoring import governance
from monitoring.levels import Level
from monitoring.rules import RULES
from monitoring.rules.base import Rule, day_in, shown
from monitoring.words import name_in_words
from patients.models import Patient
from therapy.dosing import name_of

Address = Callable[..., str]

# How a value of the evidence is called, with its unit, in the order in which they are read. What is not named here is
# called by its own name and comes after.
LABELS: dict[str, tuple[str, str]] = {
    "now": (N_("CK"), "U/L"), "times_uln": (N_("CK, multiple of the upper limit"), "×"),
    "uln": (N_("Upper limit"), "U/L"),
    "ratio": (N_("Ratio to what it is compared with"), "×"), "threshold": (N_("Threshold that applied"), ""),
    "threshold_because": (N_("Why this threshold"), ""), "baseline": (N_("Compared with"), "U/L"),
    "baseline_kind": (N_("Kind of comparison"), ""), "previous": (N_("The CK before"), "U/L"),
    "first": (N_("The CK before that"), "U/L"), "results": (N_("Results it looked at"), ""),
    "confounders": (N_("Other causes recorded"), ""), "mmt8": (N_("MMT8"), ""),
    "day0": (N_("First day of the present glucocorticoid"), ""), "day": (N_("Day of treatment"), ""),
    "response_day": (N_("Response is asked for from day"), ""), "began_on": (N_("Began on"), ""),
    "pe_today": (N_("Prednisone-equivalent today"), N_("mg a day")),
    "pe": (N_("Prednisone-equivalent"), N_("mg a day")),
    "before_pe": (N_("Prednisone-equivalent before"), N_("mg a day")), "raised_on": (N_("Raised on"), ""),
    "step_on": (N_("Day of the step"), ""),
    "dose_pe_mg": (N_("Dose of the step"), N_("mg prednisone-equivalent a day")),
    "until": (N_("To the day of the step"), N_("days")), "past": (N_("Since the day of the step"), N_("days")),
    "ck_level": (N_("Level of the open CK alert"), ""), "ck_evidence": (N_("The open CK alert"), ""),
    "weight_kg": (N_("Weight"), "kg"), "is_adequate": (N_("First line adequate"), ""),
    "tis": (N_("Total Improvement Score"), ""), "lowest": (N_("Lowest it can be"), ""),
    "highest": (N_("Highest it can be"), ""),
    "points": (N_("Points of each measure"), ""), "baseline_on": (N_("Baseline"), ""),
    "follow_up_on": (N_("Follow-up"), ""),
    "follow_up": (N_("Core set at follow-up"), ""), "lacks": (N_("Missing from the core set"), ""),
    "baseline_lacks": (N_("Missing at the beginning"), ""), "deterioration_on": (N_("Deterioration on"), ""),
    "deterioration_before_on": (N_("and before that on"), ""), "rises": (N_("Times the dose was raised"), ""),
    "rise_list": (N_("When the dose was raised"), ""), "toxic_drugs": (N_("Stopped for toxicity"), ""),
    "agents": (N_("First line: dose and time"), ""), "courses": (N_("Other courses"), ""), "tests": (N_("Tests"), ""),
    "antibodies": (N_("Antibodies ever positive"), ""), "has_ild": (N_("Interstitial lung disease"), ""),
    "manifestations": (N_("Manifestations"), ""), "subtype": (N_("Subtype"), ""),
    "wanted": (N_("Test wanted"), ""), "due_on": (N_("Due"), ""), "days_overdue": (N_("Overdue"), N_("days")),
    "diagnosed_on": (N_("Diagnosed"), ""), "ild_on": (N_("Lung disease known since"), ""),
    "pft_on": (N_("Latest lung function"), ""),
    "hrct_on": (N_("Latest HRCT"), ""), "interval_days": (N_("Interval"), N_("days")), "at_risk": (N_("At risk"), ""),
    "is_urgent": (N_("Sooner because of its risk"), ""), "risk": (N_("Why at risk"), ""),
    "booked_for": (N_("Booked for"), ""),
    "missed": (N_("Missed in a row"), N_("sessions")), "dates": (N_("Sessions missed"), ""),
    "attended_on": (N_("Latest attended"), ""),
    "counted_in_window": (N_("Sessions that count"), ""), "attended_in_window": (N_("of which attended"), ""),
    "starts_on": (N_("Plan began"), ""), "ended_on": (N_("Plan ended"), ""), "days": (N_("Days"), ""),
    "mmt8_on": (N_("Latest MMT8"), ""), "functional_on": (N_("Latest functional test"), ""),
    "measured_on": (N_("Latest measured"), ""), "weight_on": (N_("Day of the weight"), ""),
}  # fmt: skip
# What the same name means to one rule.
LABELS_OF: dict[str, dict[str, tuple[str, str]]] = {
    "dose-out-of-range": {
        "terms": (N_("Counted in"), ""), "asked_above": (N_("A reason is asked for above"), ""),
        "why": (N_("Reason given"), ""),
    },
    "dysphagia-screen": {"before_kg": (N_("Weight before"), "kg")},
    "ild-progression": {
        "fvc": (N_("FVC"), N_("% predicted")), "fvc_best": (N_("Best FVC before"), N_("% predicted")),
        "fvc_now": (N_("FVC measured"), ""),
        "dlco": (N_("DLCO"), N_("% predicted")), "dlco_best": (N_("Best DLCO before"), N_("% predicted")),
    },
    "ild-rapid": {
        "mda5_on": (N_("Anti-MDA5 positive on"), ""), "spo2": (N_("Oxygen saturation"), "%"),
        "symptom_on": (N_("Dyspnoea or cough since"), ""),
    },
    "infusion-check": {
        "amounts": (N_("Amounts of the infusions"), ""), "before_on": (N_("Course or cycle before"), ""),
        "began_on": (N_("Course or cycle began on"), ""), "cap_ml_h": (N_("Highest rate by weight and risk"), "mL/h"),
        "days": (N_("Infusions in it"), ""), "igg_seen_on": (N_("Latest IgG"), ""),
        "last_on": (N_("Latest infusion"), ""), "per_kg": (N_("Amount per kg"), "g/kg"),
        "rate": (N_("Highest rate given"), "mL/h"),
        "risks": (N_("At risk because of"), ""), "second_on": (N_("Second infusion"), ""),
        "span": (N_("From the first day to the last"), N_("days")), "total": (N_("Amount in all"), ""),
    },
    "infusion-due": {"last_on": (N_("Latest infusion"), ""), "until_on": (N_("No later than"), "")},
    "labs-action-limit": {
        "alt": (N_("ALT of that day"), "U/L"), "alt_before": (N_("ALT before"), "U/L"),
        "before_on": (N_("Day of ALT and CK before"), ""), "bilirubin": (N_("Bilirubin of that day"), ""),
        "ck": (N_("CK of that day"), "U/L"), "ck_before": (N_("CK before"), "U/L"), "ggt": (N_("GGT of that day"),
        "U/L"),
        "expected_alt": (N_("ALT that goes with that CK"), "U/L"), "measured": (N_("Measured that day"), ""),
        "name": (N_("Test"), ""), "severe_times": (N_("Severe above"), N_("× the upper limit")),
        "upper": (N_("Upper limit of normal"), ""),
    },
    "pre-treatment-checks": {"lacks": (N_("Not on record"), ""), "starts_on": (N_("Drug began on"), "")},
}  # fmt: skip
_ORDER = {key: position for position, key in enumerate(LABELS)}
# Evidence that is shown in a way of its own, or is part of another value.
_NOT_ROWS = {
    "reasons", "parameters", "parameters_asked", "gates", "options", "strength", "compared_with", "mmt8_of",
    "deterioration_reasons", "deterioration_changes", "lowest", "highest", "igg_latest",
}  # fmt: skip
# What is said to be missing, and not left out, where it is not on record.
_MISSING_MATTERS = {
    "attended_on", "mmt8", "pft_on", "hrct_on", "booked_for", "weight_kg", "functional_on", "measured_on", "mmt8_on",
    "previous",
}  # fmt: skip
# Rules whose evidence has no weight where they did not ask for one: that does not mean that none is recorded.
_WEIGHT_NOT_ASKED = {"dose-out-of-range", "dysphagia-screen", "infusion-check"}
# Columns of the tables, where their own name says too little.
_COLUMNS = {
    "is_sure": N_("Weight known"), "is_per_kg": N_("Per kg"), "lower_end": N_("Lower end of its target"),
    "days_enough": N_("Days at or above it"), "needed_days": N_("Days it needs"), "highest": N_("Highest a day"),
    "today": N_("Today"), "until": N_("Until"), "pe": N_("Prednisone-equivalent"), "what": "",
}  # fmt: skip
# Which entry an id of the evidence names, by the word of its address.
_ENTRIES = {"now_id": "result", "baseline_id": "result", "step_id": "taper-step", "plan_id": "taper", "id": "result"}


@dataclass(frozen=True)
class Value:
    label: str
    value: str
    unit: str = ""
    on: dt.date | None = None
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    label: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Evidence:
    values: Sequence[Value]
    tables: Sequence[Table]


def words_of(key: str) -> str:
    """A name of the code as words in the reader's language: "first_seen_on" is "First seen on"."""
    return gettext(name_in_words(key))


def _day(value: Any) -> dt.date | None:
    return day_in(value) if isinstance(value, str) else None


def in_words(value: Any) -> str:
    """A value of the evidence; nested ones in one line."""
    if isinstance(value, Mapping):
        return ", ".join(
            f"{words_of(key).lower()} {in_words(v)}" for key, v in value.items() if v not in (None, "", [])
        )
    if isinstance(value, list) and any(isinstance(v, Mapping | list) for v in value):
        return "; ".join(in_words(v) for v in value)
    if isinstance(value, str) and re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", value):
        return words_of(value)
    return shown(value)


def evidence_of(found: Mapping[str, Any], patient: Patient, address: Address, rule: str = "") -> Evidence:
    """Every value a finding of `rule` was made on. A day stands beside its value, a list of rows in its own table."""
    labels = LABELS | LABELS_OF.get(rule, {})
    missing_matters = _MISSING_MATTERS - ({"weight_kg"} if rule in _WEIGHT_NOT_ASKED else set())
    values: list[Value] = []
    tables: list[Table] = []
    keys = sorted((k for k in found if k not in _NOT_ROWS), key=lambda k: (_ORDER.get(k, len(_ORDER)), k))
    for key in keys:
        value = found[key]
        if value is None and key not in missing_matters:
            continue
        if key in _ENTRIES or key.endswith(("_id", "_comparator")) or value in ([], {}, ""):
            continue
        if key.endswith("_on") and key[:-3] in found and not isinstance(found[key[:-3]], Mapping | list):
            continue  # said beside its value
        label, unit = (gettext(text) if text else "" for text in labels.get(key) or (name_in_words(key), ""))
        if key in ("baseline", "follow_up") and isinstance(value, Mapping):
            if key == "baseline":
                tables.append(_core_sets(value, found.get("follow_up") or {}))
            continue
        if isinstance(value, list) and all(isinstance(v, Mapping) for v in value):
            tables.append(_table(label, value))
        elif isinstance(value, Mapping):
            tables.append(_table_of_one(label, value))
        else:
            values.append(_value(found, key, label, unit, patient, address))
    return Evidence(values, tables)


def _value(found: Mapping[str, Any], key: str, label: str, unit: str, patient: Patient, address: Address) -> Value:
    value, entry = found[key], found.get(f"{key}_id")
    word = _ENTRIES.get(f"{key}_id", "")
    if key == "baseline" and found.get("baseline_kind") == "personal":
        word = "baseline"
    text = gettext(name_of(value)) if key == "drug" and isinstance(value, str) else in_words(value)
    if key == "mmt8" and value is not None and found.get("mmt8_of"):
        text = gettext("%(points)s of %(most)s") % {"points": text, "most": shown(found["mmt8_of"])}
    return Value(
        label=label,
        value=f"{found.get(f'{key}_comparator') or ''}{text}",
        unit=unit if value is not None else "",
        on=_day(found.get(f"{key}_on")),
        url=address("clinic:fact", patient.public_id, word, entry) if entry and word else "",
        note=shown(str(found.get("compared_with", ""))) if key == "baseline" else "",
    )


def _table(label: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    keys = [key for key in dict.fromkeys(key for row in rows for key in row) if key != "id"]
    keys.sort(key=lambda key: (key not in ("on", "from", "drug", "agent"), key not in ("on", "from")))
    return Table(label, [_heading(key) for key in keys], [[_cell(row.get(key)) for key in keys] for row in rows])


def _core_sets(before: Mapping[str, Any], after: Mapping[str, Any]) -> Table:
    measures = sorted(set(before) | set(after), key=lambda name: (not name.startswith("enzyme"), name))
    rows = [[words_of(name), _cell(before.get(name)), _cell(after.get(name))] for name in measures]
    return Table(gettext("Core set"), [gettext("Measure"), gettext("At the beginning"), gettext("At follow-up")], rows)


def _heading(key: str) -> str:
    if key in _COLUMNS:
        return gettext(_COLUMNS[key]) if _COLUMNS[key] else ""
    return words_of(key)


def _cell(value: Any) -> str:
    return "–" if value in (None, "") else words_of(value) if value == "pe" else in_words(value)


def _table_of_one(label: str, value: Mapping[str, Any]) -> Table:
    if value and all(isinstance(v, Mapping) for v in value.values()):
        rows = [{"what": key, **v} for key, v in value.items()]
        keys = list(dict.fromkeys(key for row in rows for key in row))
        return Table(
            label,
            [_heading(key) for key in keys],
            [[words_of(str(row["what"])), *(_cell(row.get(key)) for key in keys[1:])] for row in rows],
        )
    found = {key: v for key, v in value.items() if key not in ("reasons", "parameters") and not key.endswith("_id")}
    lines = [
        [gettext(LABELS[key][0]) if key in LABELS else words_of(key), in_words(each)] for key, each in found.items()
    ]
    return Table(label, ["", ""], lines)


# ---------------------------------------------------------------------------------------------------------- thresholds


@dataclass(frozen=True)
class Threshold:
    """A parameter of the rule as it was when the alert was judged; `today` where it is another by now."""

    label: str
    value: str
    today: str = ""


def thresholds(evidence: Mapping[str, Any], now: Mapping[str, Any]) -> list[Threshold]:
    """By which numbers it was judged; `now` are those in force at its centre."""
    used = dict(evidence.get("parameters") or {})
    found = []
    for name in [*(name for name in now if name in used), *(name for name in used if name not in now)]:
        value = _number(used[name])
        today = in_words(list(now[name]) if isinstance(now.get(name), tuple) else now[name]) if name in now else ""
        found.append(Threshold(words_of(name), in_words(value), today if today != in_words(value) else ""))
    return found


def _number(value: Any) -> Any:
    """A decimal number, which JSON keeps as text, as one."""
    return Decimal(value) if isinstance(value, str) and re.fullmatch(r"-?\d+\.\d+", value) else value


# --------------------------------------------------------------------------------------------------- second-line review


@dataclass(frozen=True)
class Gate:
    question: str
    seen_on: dt.date | None


@dataclass(frozen=True)
class Option:
    title: str
    speaks_for: Sequence[str]
    speaks_against: Sequence[str]
    to_check: Sequence[str]


def gates_of(rule: str, evidence: Mapping[str, Any]) -> list[Gate]:
    """What to go through before escalating, each with the day it was last looked at."""
    return [
        Gate(reason_of(rule, {**evidence, "reasons": [gate["gate"]]}), _day(gate.get("seen_on")))
        for gate in evidence.get("gates") or ()
    ]


def options_of(rule: str, evidence: Mapping[str, Any]) -> list[Option]:
    """The options with what speaks for and against each in this patient. Offered, never chosen."""

    def said(keys: Iterable[str]) -> list[str]:
        return [reason_of(rule, {**evidence, "reasons": [key]}) for key in keys]

    return [
        Option(
            reason_of(rule, {**evidence, "reasons": [option["option"]]}),
            said(option.get("for") or ()),
            said(option.get("against") or ()),
            said(option.get("check") or ()),
        )
        for option in evidence.get("options") or ()
    ]


# ------------------------------------------------------------------------------------------------------------- its life

_ICONS = {
    EventKind.OPENED: "bell", EventKind.RAISED: "trend-up", EventKind.LOWERED: "trend-down",
    EventKind.ACKNOWLEDGED: "check", EventKind.SNOOZED: "snooze", EventKind.WOKE: "bell",
    EventKind.ESCALATED: "arrow-up",
    EventKind.REOPENED: "undo", EventKind.COMMENTED: "note", EventKind.CLOSED: "circle-check",
}  # fmt: skip


@dataclass(frozen=True)
class Moment:
    title: str
    icon: str
    at: dt.datetime
    by: str
    text: str
    level: str


def life(events: Iterable[AlertEvent]) -> list[Moment]:
    """Newest first: who, when, why."""
    return [
        Moment(
            title=gettext("%(what)s until %(day)s")
            % {"what": event.get_kind_display(), "day": formats.date_format(event.until, "DATE_FORMAT")}
            if event.until
            else str(event.get_kind_display()),
            icon=_ICONS.get(EventKind(event.kind), "clock"),
            at=event.at,
            by=str(event.by) if event.by else gettext("The system"),
            text=". ".join(filter(None, [event.get_reason_display() if event.reason else "", event.text])),
            level=event.level if event.kind in (EventKind.OPENED, EventKind.RAISED, EventKind.LOWERED) else "",
        )
        for event in events
    ]


# ------------------------------------------------------------------------------------------------------------- the page


@dataclass(frozen=True)
class AlertPage:
    alert: Alert
    rule: Rule | None
    title: str
    sentences: Sequence[str]
    evidence: Evidence
    thresholds: Sequence[Threshold]
    gates: Sequence[Gate]
    options: Sequence[Option]
    life: Sequence[Moment]
    age: str
    acknowledge_by: dt.datetime | None
    late: bool
    undoable: bool
    snooze_days: int
    newer_version: bool
    is_signed_off: bool
    advice: str
    not_considered: Sequence[str]


def page(alert: Alert, now: dt.datetime, address: Address) -> AlertPage:
    """Three queries: its life, and what its centre has changed about the rule and signed. Everything else stands in the
    alert's own row and in the rule's file.
    """
    rule = RULES.get(alert.rule)
    events = list(alert.life.select_related("by").order_by("-at", "-id"))
    steps = [event for event in events if event.kind != EventKind.COMMENTED]
    newest = steps[0] if steps else None
    takes_back = (EventKind.ACKNOWLEDGED, EventKind.SNOOZED, EventKind.CLOSED)
    judged_by = {**(vars(rule.parameters) if rule else {}), **(alert.evidence.get("parameters") or {})}
    waits = alert.state == State.OPEN and alert.level != Level.INFO
    until = alerts.acknowledge_by(alert, alert.centre.zone) if waits else None
    return AlertPage(
        alert=alert,
        rule=rule,
        title=title_of(alert.rule),
        sentences=sentences(alert.rule, alert.evidence),
        evidence=evidence_of(alert.evidence, alert.patient, address, alert.rule),
        thresholds=thresholds(
            alert.evidence,
            dataclasses.asdict(governance.numbers(alert.centre, rule).parameters) if rule else {},
        ),
        gates=gates_of(alert.rule, alert.evidence),
        options=options_of(alert.rule, alert.evidence),
        life=life(events),
        age=lasting(now - alert.opened_at),
        acknowledge_by=until,
        late=until is not None and until < now,
        undoable=newest is not None
        and newest.kind in takes_back
        and newest.by_id is not None
        and alert.state != State.OPEN
        and now - newest.at <= UNDO_WITHIN,
        snooze_days=SNOOZE_DAYS.get(Level(alert.level), 0),
        newer_version=rule is not None and rule.version != alert.rule_version,
        is_signed_off=(alert.rule, alert.rule_version) in governance.signed_off(alert.centre),
        advice=rule.advice_shown(judged_by) if rule else "",
        not_considered=rule.not_considered_shown(judged_by) if rule else [],
    )
