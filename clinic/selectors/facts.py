"""Every kind of entry about a patient, by the word of its address: its name, who may change it, its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, models
from django.utils import formats
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission
from clinic.templatetags.days import plain, rule_title, written
from common.models import Fact, FactQuerySet
from monitoring.models import (
    Assessment,
    BodySize,
    Booking,
    Confounder,
    FunctionalTest,
    Imaging,
    LungFunction,
    PersonalBaseline,
    Result,
    Screening,
    Waiver,
)
from monitoring.scores import functional_index, ibmfrs
from patients.antibodies import ANTIBODIES
from patients.models import (
    AntibodyResult,
    ClassificationItems,
    Consent,
    FollowUpStatus,
    Manifestation,
    Patient,
    RiskFactor,
    RuleException,
)
from therapy.dosing import name_of
from therapy.models import (
    Course,
    CourseStop,
    Dose,
    EscalationDecision,
    Infusion,
    PhysioDecline,
    PhysioEnd,
    PhysioPause,
    PhysioPlan,
    PhysioSession,
    SessionOutcome,
    TaperConfirmation,
    TaperEnd,
    TaperHold,
    TaperPlan,
    TaperStep,
)


@dataclass(frozen=True)
class FactKind:
    """`correctable` are the fields a form may correct; empty where the kind has a way of its own, or none."""

    word: str
    model: type[Fact]
    label: Any
    permission: Permission
    correctable: tuple[str, ...] = ()

    def of(self, patient: Patient) -> FactQuerySet:
        return self.model.objects.filter(patient=patient)


_P = Permission
_KINDS = (
    FactKind("result", Result, _("Laboratory result"), _P.RECORD_RESULTS),
    FactKind("assessment", Assessment, _("Assessment"), _P.RECORD_RESULTS),
    FactKind("functional-test", FunctionalTest, _("Functional test"), _P.RECORD_RESULTS),
    FactKind(
        "body-size", BodySize, _("Weight and height"), _P.RECORD_RESULTS, ("measured_on", "weight_kg", "height_cm")
    ),
    FactKind(
        "lung-function", LungFunction, _("Lung function"), _P.RECORD_RESULTS,
        ("tested_on", "fvc_l", "fvc_percent_predicted", "dlco_percent_predicted", "dlco_hb_corrected", "reference_set"),
    ),
    FactKind("imaging", Imaging, _("Imaging"), _P.RECORD_RESULTS, ("modality", "done_on", "ild", "report")),
    FactKind("confounder", Confounder, _("Cause of a raised CK"), _P.RECORD_RESULTS, ("kind", "happened_on", "note")),
    FactKind("baseline", PersonalBaseline, _("Personal baseline"), _P.MAKE_EXCEPTIONS),
    FactKind(
        "screening", Screening, _("Screening"), _P.RECORD_RESULTS, ("kind", "done_on", "outcome", "score", "note")
    ),
    FactKind("booking", Booking, _("Booking"), _P.BOOK_TESTS, ("kind", "booked_for")),
    FactKind("waiver", Waiver, _("Test waived"), _P.RECORD_RESULTS),
    FactKind(
        "antibody", AntibodyResult, _("Antibody result"), _P.RECORD_RESULTS,
        ("antibody", "result", "taken_on", "assay", "titre"),
    ),
    FactKind(
        "manifestation", Manifestation, _("Manifestation"), _P.RECORD_RESULTS, ("kind", "onset_on", "ended_on", "note")
    ),
    FactKind("risk", RiskFactor, _("Risk factor"), _P.RECORD_RESULTS, ("kind", "starts_on", "ends_on")),
    # Entered anew for the same day it takes the place of the first: biopsy findings need the biopsy beside them.
    FactKind("classification", ClassificationItems, _("Classification items"), _P.RECORD_RESULTS),
    FactKind("consent", Consent, _("Consent"), _P.EDIT_PATIENTS),
    FactKind("exception", RuleException, _("Exception from a rule"), _P.MAKE_EXCEPTIONS),
    FactKind("follow-up", FollowUpStatus, _("Follow-up status"), _P.EDIT_PATIENTS),
    FactKind("course", Course, _("Course of treatment"), _P.PRESCRIBE),
    FactKind("dose", Dose, _("Dose"), _P.PRESCRIBE),
    FactKind("stop", CourseStop, _("Stop of a course"), _P.PRESCRIBE),
    FactKind(
        "infusion", Infusion, _("Infusion"), _P.CARRY_OUT,
        ("given_on", "amount", "batch", "max_rate_ml_per_hour", "reaction"),
    ),
    FactKind("decision", EscalationDecision, _("Decision on second-line treatment"), _P.PRESCRIBE, ("reason",)),
    FactKind("taper", TaperPlan, _("Taper plan"), _P.PRESCRIBE),
    FactKind("taper-step", TaperStep, _("Taper step"), _P.PRESCRIBE),
    FactKind("taper-confirmation", TaperConfirmation, _("Confirmation of a taper step"), _P.CARRY_OUT),
    FactKind("taper-hold", TaperHold, _("Hold of a taper"), _P.PRESCRIBE),
    FactKind("taper-end", TaperEnd, _("End of a taper"), _P.PRESCRIBE),
    FactKind("physio-plan", PhysioPlan, _("Physiotherapy plan"), _P.RECORD_PHYSIO),
    FactKind("physio-session", PhysioSession, _("Physiotherapy session"), _P.RECORD_PHYSIO),
    FactKind("physio-outcome", SessionOutcome, _("Outcome of a session"), _P.RECORD_PHYSIO),
    FactKind("physio-pause", PhysioPause, _("Pause of physiotherapy"), _P.RECORD_PHYSIO),
    FactKind("physio-end", PhysioEnd, _("End of physiotherapy"), _P.RECORD_PHYSIO),
    FactKind("physio-decline", PhysioDecline, _("Physiotherapy declined"), _P.RECORD_PHYSIO),
)  # fmt: skip

KINDS: Mapping[str, FactKind] = {kind.word: kind for kind in _KINDS}
BY_MODEL: Mapping[type[Fact], FactKind] = {kind.model: kind for kind in _KINDS}

# What the row keeps about itself, and what a reader has no use for.
_NOT_SAID = frozenset(
    {
        "id", "patient", "status", "supersedes", "change_reason", "recorded_at", "recorded_by", "retired_at",
        "retired_by", "source", "source_key", "haq_answers", "analyte",
    }
)  # fmt: skip
_LABELS = {
    "value_received": _("As received"),
    "unit_received": _("Unit received"),
    "low_received": _("Lower limit received"),
    "uln_received": _("Upper limit received"),
    "uln": _("Upper limit"),
    "low": _("Lower limit"),
    "taken_on": _("Day of the sample"),
    "taken_at": _("Moment of the sample"),
    "haq_di": _("HAQ-DI"),
    "mmt8_150": _("MMT8 of 150"),
    "mmt8_80": _("MMT8 of 80"),
    "fvc_l": _("FVC (L)"),
    "fvc_percent_predicted": _("FVC (% predicted)"),
    "dlco_percent_predicted": _("DLCO (% predicted)"),
    "dlco_hb_corrected": _("DLCO corrected for haemoglobin"),
    "ild": _("Interstitial lung disease"),
    "word": _("Status"),
    "weight_kg": _("Weight (kg)"),
    "height_cm": _("Height (cm)"),
    "dose_pe_mg": _("Dose (mg prednisone-equivalent a day)"),
    "amount": _("Amount"),
    "answers": _("Answers"),
    "antibody": _("Antibody"),
    "assay": _("Assay"),
    "assessed_on": _("Assessed on"),
    "batch": _("Batch"),
    "booked_for": _("Booked for"),
    "clash_reason": _("Why beside the other drug"),
    "comparator": _("Comparator"),
    "confirmed_on": _("Confirmed on"),
    "course": pgettext_lazy("of a drug", "Course"),
    "decided_on": _("Decided on"),
    "decision": _("Decision"),
    "declined_on": _("Declined on"),
    "done_on": _("Done on"),
    "drug": _("Drug"),
    "dysphagia": _("Dysphagia"),
    "ended_on": _("Ended on"),
    "endomysial_infiltrate": _("Endomysial infiltrate"),
    "ends_on": _("Ends on"),
    "every_days": _("Every so many days"),
    "extramuscular_vas": _("Extramuscular VAS"),
    "finger_flexor_weakness": _("Weak finger flexors"),
    "found_on": _("Found on"),
    "given_on": _("Given on"),
    "goal": _("Goal"),
    "gottron_papules": _("Gottron's papules"),
    "gottron_sign": _("Gottron's sign"),
    "happened_on": _("Happened on"),
    "has_biopsy": _("Muscle biopsy"),
    "held_on": _("Held on"),
    "heliotrope": _("Heliotrope"),
    "improved_on_treatment": _("Improved on treatment"),
    "indication": _("Indication"),
    "instrument": _("Instrument"),
    "is_complete": _("Complete"),
    "kind": _("Kind"),
    "laboratory": _("Laboratory"),
    "legs_proximal_weaker": _("Legs: proximal weaker than distal"),
    "look_again_on": _("Look again on"),
    "max_rate_ml_per_hour": _("Highest rate (mL an hour)"),
    "measured_on": _("Measured on"),
    "mmt8_side": _("Side of the MMT8"),
    "modality": _("Modality"),
    "neck_flexors_weaker": _("Neck flexors weaker than extensors"),
    "note": _("Note"),
    "onset_on": _("Onset on"),
    "option": _("Option"),
    "out_of_range_reason": _("Why out of its range"),
    "outcome": _("Outcome"),
    "patient_vas": _("Patient VAS"),
    "perifascicular_atrophy": _("Perifascicular atrophy"),
    "perimysial_infiltrate": _("Perimysial infiltrate"),
    "physician_vas": _("Physician VAS"),
    "plan": _("Plan"),
    "progression": _("Progression"),
    "reaction": _("Reaction"),
    "reason": _("Reason"),
    "reference_set": _("Reference set"),
    "report": _("Report"),
    "reported_at": _("Reported at"),
    "result": _("Result"),
    "rimmed_vacuoles": _("Rimmed vacuoles"),
    "route": _("Route"),
    "rule": _("Rule"),
    "scope": _("Scope"),
    "score": _("Score"),
    "session": _("Session"),
    "sessions_per_week": _("Sessions per week"),
    "set_on": _("Set on"),
    "severity": _("Severity"),
    "starts_on": _("Starts on"),
    "step": _("Step"),
    "step_on": _("Step on"),
    "stopped_on": _("Stopped on"),
    "template": _("Template"),
    "test": _("Test"),
    "tested_on": _("Tested on"),
    "times": _("Times"),
    "titre": _("Titre"),
    "value": _("Value"),
    "weak_lower_proximal": _("Weak proximal legs"),
    "weak_upper_proximal": _("Weak proximal arms"),
}


def label_of(field: Any) -> str:
    """The heading of a model's field."""
    return str(_LABELS[field.name])


def said(fact: Fact, zone: dt.tzinfo) -> list[tuple[str, str]]:
    """What an entry says: (label, value in words) of each of its fields, empty where nothing was said."""
    return [(label_of(field), _in_words(fact, field, zone)) for field in _fields(type(fact))]


def _fields(model: type[Fact]) -> list[models.Field[Any, Any]]:
    return [f for f in model._meta.concrete_fields if f.name not in _NOT_SAID]


def _in_words(fact: Fact, field: models.Field[Any, Any], zone: dt.tzinfo) -> str:
    value = getattr(fact, field.attname)
    if value is None or value == "":
        return ""
    if field.choices:
        return str(getattr(fact, f"get_{field.name}_display")())
    if field.name == "drug":
        return gettext(name_of(value))
    if field.name == "antibody":
        return ANTIBODIES[value].name if value in ANTIBODIES else value
    if field.name == "rule":
        return rule_title(value)
    if isinstance(field, models.ForeignKey):
        return ""
    if isinstance(value, dt.datetime):
        return formats.date_format(value.astimezone(zone), "DATETIME_FORMAT")
    if isinstance(value, dt.date):
        return written(value)
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, Decimal):
        return plain(value)
    if field.name == "answers":
        names = {**ibmfrs.ITEMS, **functional_index.NAMES}
        return "; ".join(f"{gettext(names.get(code, code))} {answer}" for code, answer in value.items())
    return str(value)


@dataclass(frozen=True)
class Version:
    """One row of an entry's history. `values` stand in the order of the history's labels."""

    fact: Fact
    values: Sequence[str]
    changed: Sequence[bool]

    @property
    def cells(self) -> list[tuple[str, bool]]:
        return list(zip(self.values, self.changed, strict=True))

    @property
    def state(self) -> str:
        if self.fact.is_current:
            return "Current"
        return "Withdrawn" if self.fact.status == "entered_in_error" else "Replaced"


@dataclass(frozen=True)
class History:
    """Every version of one entry, newest first; fields that never held anything are left out."""

    labels: Sequence[str]
    versions: Sequence[Version]

    @property
    def newest(self) -> Fact:
        return self.versions[0].fact


def history(fact: Fact, zone: dt.tzinfo) -> History:
    """Two queries, however often it was corrected."""
    model = type(fact)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE older AS (
                SELECT id, supersedes_id FROM {table} WHERE id = %(id)s
                UNION SELECT f.id, f.supersedes_id FROM {table} f JOIN older o ON f.id = o.supersedes_id
            ), newer AS (
                SELECT id FROM {table} WHERE id = %(id)s
                UNION SELECT f.id FROM {table} f JOIN newer n ON f.supersedes_id = n.id
            ) SELECT id FROM older UNION SELECT id FROM newer
            """,  # noqa: S608 - the table's name comes from the model
            {"id": fact.pk},
        )
        ids = [row[0] for row in cursor.fetchall()]
    rows = list(model._default_manager.filter(pk__in=ids).select_related("recorded_by", "retired_by").order_by("-id"))
    fields = _fields(model)
    words = [[_in_words(row, field, zone) for field in fields] for row in rows]
    used = [index for index in range(len(fields)) if any(line[index] for line in words)]
    versions = []
    for number, row in enumerate(rows):
        values = [words[number][index] for index in used]
        before = [words[number + 1][index] for index in used] if number + 1 < len(rows) else values
        versions.append(Version(row, values, [new != old for new, old in zip(values, before, strict=True)]))
    return History([label_of(fields[index]) for index in used], versions)
