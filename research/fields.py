"""What every field of every model is, for research. A field that is not named here is found by a test.

Adding a field to a model means deciding here what it is. Only what research/tables.py names is ever released.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType


class Kind(enum.StrEnum):
    IDENTIFYING = "identifying"  # names a person, or leads to one: never released
    TEXT = "free text"  # may name anybody: never released
    PLACE = "place"  # which laboratory, batch, file: never released
    QUASI = "quasi-identifying"  # narrows down to few: released in bands only
    DAY = "day"  # released shifted
    CLINICAL = "clinical"  # released as it is
    TECHNICAL = "technical"  # keys, moments of entry, bookkeeping: never released as it is


K = Kind

# What every fact has.
FACT: Mapping[str, Kind] = {
    "id": K.TECHNICAL,
    "patient": K.TECHNICAL,
    "status": K.TECHNICAL,
    "supersedes": K.TECHNICAL,
    "change_reason": K.TEXT,
    "recorded_at": K.TECHNICAL,
    "recorded_by": K.IDENTIFYING,
    "retired_at": K.TECHNICAL,
    "retired_by": K.IDENTIFYING,
}


def _fact(**fields: Kind) -> dict[str, Kind]:
    return {**FACT, **fields}


def _technical(names: str, **fields: Kind) -> dict[str, Kind]:
    return {**dict.fromkeys(names.split(), K.TECHNICAL), **fields}


# fmt: off
FIELDS: Mapping[str, Mapping[str, Kind]] = MappingProxyType({
    "accounts.Centre": _technical(
        "id public_id time_zone sweep_at digest_at escalation_chain", name=K.PLACE),
    "accounts.User": _technical(
        "id last_login is_superuser is_staff is_active date_joined language groups user_permissions",
        password=K.IDENTIFYING, username=K.IDENTIFYING, email=K.IDENTIFYING, full_name=K.IDENTIFYING),
    "accounts.Membership": _technical(
        "id centre role is_active is_on_call wants_digest", user=K.IDENTIFYING),
    "accounts.ApiToken": _technical(
        "id public_id membership scopes created_at expires_at revoked_at last_used_at", name=K.TEXT,
        digest=K.IDENTIFYING),

    "audit.Entry": _technical(
        "id at centre patient action summary origin context_id", by=K.IDENTIFYING, reason=K.TEXT),
    "audit.Access": _technical(
        "id at centre patient page rows", by=K.IDENTIFYING),

    "patients.Patient": _technical(
        "id centre created_at", public_id=K.IDENTIFYING, record_number=K.IDENTIFYING, given_name=K.IDENTIFYING,
        family_name=K.IDENTIFYING, born_on=K.QUASI, sex=K.CLINICAL, subtype=K.CLINICAL, onset_on=K.DAY,
        diagnosed_on=K.DAY, clinician=K.IDENTIFYING, created_by=K.IDENTIFYING, merged_into=K.TECHNICAL),
    "patients.Merge": _technical(
        "id public_id kept absorbed moved merged_at taken_back_at", filled=K.IDENTIFYING, reason=K.TEXT,
        merged_by=K.IDENTIFYING, taken_back_by=K.IDENTIFYING, taken_back_reason=K.TEXT),
    "patients.Touched": _technical("id patient touched_at rule"),
    "patients.FollowUpStatus": _fact(word=K.CLINICAL, starts_on=K.DAY),
    "patients.AntibodyResult": _fact(
        antibody=K.CLINICAL, result=K.CLINICAL, assay=K.TEXT, titre=K.TEXT, taken_on=K.DAY),
    "patients.RiskFactor": _fact(kind=K.CLINICAL, starts_on=K.DAY, ends_on=K.DAY),
    "patients.ClassificationItems": _fact(
        found_on=K.DAY, weak_upper_proximal=K.CLINICAL, weak_lower_proximal=K.CLINICAL, neck_flexors_weaker=K.CLINICAL,
        legs_proximal_weaker=K.CLINICAL, heliotrope=K.CLINICAL, gottron_papules=K.CLINICAL, gottron_sign=K.CLINICAL,
        dysphagia=K.CLINICAL, has_biopsy=K.CLINICAL, endomysial_infiltrate=K.CLINICAL,
        perimysial_infiltrate=K.CLINICAL, perifascicular_atrophy=K.CLINICAL, rimmed_vacuoles=K.CLINICAL,
        finger_flexor_weakness=K.CLINICAL, improved_on_treatment=K.CLINICAL),
    "patients.Manifestation": _fact(kind=K.CLINICAL, severity=K.CLINICAL, onset_on=K.DAY, ended_on=K.DAY, note=K.TEXT),
    "patients.Consent": _fact(scope=K.TECHNICAL, decision=K.TECHNICAL, decided_on=K.DAY),
    "patients.RuleException": _fact(rule=K.CLINICAL, reason=K.TEXT, starts_on=K.DAY, ends_on=K.DAY),

    "therapy.Course": _fact(drug=K.CLINICAL, route=K.CLINICAL, indication=K.TEXT, clash_reason=K.TEXT),
    "therapy.CourseStop": _fact(course=K.TECHNICAL, stopped_on=K.DAY, reason=K.CLINICAL, note=K.TEXT),
    "therapy.Dose": _fact(
        course=K.TECHNICAL, starts_on=K.DAY, ends_on=K.DAY, amount=K.CLINICAL, times=K.CLINICAL,
        every_days=K.CLINICAL, out_of_range_reason=K.TEXT),
    "therapy.Infusion": _fact(
        course=K.TECHNICAL, given_on=K.DAY, amount=K.CLINICAL, batch=K.PLACE, max_rate_ml_per_hour=K.CLINICAL,
        reaction=K.CLINICAL),
    "therapy.EscalationDecision": _fact(decided_on=K.DAY, option=K.CLINICAL, reason=K.TEXT, look_again_on=K.DAY),
    "therapy.StockedTablet": _technical("id centre", drug=K.CLINICAL, strength_mg=K.CLINICAL),
    "therapy.TaperPlan": _fact(template=K.TEXT, note=K.TEXT),
    "therapy.TaperStep": _fact(plan=K.TECHNICAL, step_on=K.DAY, dose_pe_mg=K.CLINICAL),
    "therapy.TaperConfirmation": _fact(step=K.TECHNICAL, confirmed_on=K.DAY),
    "therapy.TaperHold": _fact(plan=K.TECHNICAL, starts_on=K.DAY, ends_on=K.DAY, reason=K.TEXT),
    "therapy.TaperEnd": _fact(plan=K.TECHNICAL, ended_on=K.DAY, reason=K.TEXT),
    "therapy.PhysioPlan": _fact(starts_on=K.DAY, sessions_per_week=K.CLINICAL, goal=K.TEXT),
    "therapy.PhysioPause": _fact(plan=K.TECHNICAL, starts_on=K.DAY, ends_on=K.DAY, reason=K.TEXT),
    "therapy.PhysioEnd": _fact(plan=K.TECHNICAL, ended_on=K.DAY, reason=K.TEXT),
    "therapy.PhysioDecline": _fact(declined_on=K.DAY, ends_on=K.DAY),
    "therapy.PhysioSession": _fact(plan=K.TECHNICAL, held_on=K.DAY),
    "therapy.SessionOutcome": _fact(session=K.TECHNICAL, word=K.CLINICAL),

    "monitoring.Source": _technical("id centre", name=K.PLACE),
    "monitoring.Result": _fact(
        analyte=K.CLINICAL, value=K.CLINICAL, comparator=K.CLINICAL, low=K.CLINICAL, uln=K.CLINICAL,
        # Where no number could be made of it, what was received can be a sentence.
        value_received=K.TEXT, unit_received=K.TEXT, low_received=K.TEXT, uln_received=K.TEXT, taken_on=K.DAY,
        taken_at=K.TECHNICAL, reported_at=K.TECHNICAL, laboratory=K.PLACE, source=K.PLACE, source_key=K.IDENTIFYING,
        note=K.TEXT),
    "monitoring.ReferenceRange": _technical(
        "id centre", analyte=K.CLINICAL, sex=K.CLINICAL, low=K.CLINICAL, uln=K.CLINICAL, starts_on=K.TECHNICAL,
        ends_on=K.TECHNICAL),
    "monitoring.PersonalBaseline": _fact(analyte=K.CLINICAL, value=K.CLINICAL, set_on=K.DAY, reason=K.TEXT),
    "monitoring.Confounder": _fact(kind=K.CLINICAL, happened_on=K.DAY, note=K.TEXT),
    "monitoring.Assessment": _fact(
        assessed_on=K.DAY, physician_vas=K.CLINICAL, patient_vas=K.CLINICAL, extramuscular_vas=K.CLINICAL,
        # A document whose shape a constraint does not hold.
        haq_di=K.CLINICAL, haq_answers=K.TEXT, mmt8_150=K.CLINICAL, mmt8_80=K.CLINICAL, mmt8_side=K.CLINICAL,
        note=K.TEXT),
    "monitoring.MuscleGrade": _technical("id assessment", muscle=K.CLINICAL, side=K.CLINICAL, grade=K.CLINICAL),
    "monitoring.FunctionalTest": _fact(
        instrument=K.CLINICAL, tested_on=K.DAY, score=K.CLINICAL, is_complete=K.CLINICAL,
        # A document whose shape a constraint does not hold.
        answers=K.TEXT),
    "monitoring.BodySize": _fact(measured_on=K.DAY, weight_kg=K.CLINICAL, height_cm=K.CLINICAL),
    "monitoring.LungFunction": _fact(
        tested_on=K.DAY, fvc_l=K.CLINICAL, fvc_percent_predicted=K.CLINICAL, dlco_percent_predicted=K.CLINICAL,
        dlco_hb_corrected=K.CLINICAL, reference_set=K.TEXT),
    "monitoring.Imaging": _fact(
        modality=K.CLINICAL, done_on=K.DAY, ild=K.CLINICAL, progression=K.CLINICAL, report=K.TEXT),
    "monitoring.Screening": _fact(
        kind=K.CLINICAL, done_on=K.DAY, outcome=K.CLINICAL, score=K.CLINICAL, note=K.TEXT),
    "monitoring.Booking": _fact(kind=K.CLINICAL, booked_for=K.DAY),
    "monitoring.Waiver": _fact(test=K.CLINICAL, reason=K.CLINICAL, starts_on=K.DAY, ends_on=K.DAY),
    "monitoring.RuleChange": _technical(
        "id centre rule rule_version kind mode proposed_at confirmed_at withdrawn_at is_carried_over",
        # A document whose shape a constraint does not hold.
        parameters=K.TEXT, reason=K.TEXT, withdrawn_reason=K.TEXT, proposed_by=K.IDENTIFYING,
        confirmed_by=K.IDENTIFYING, withdrawn_by=K.IDENTIFYING),
    "monitoring.RuleBackTest": _technical(
        "id change first_on last_on weeks weeks_done requested_at sent_at finished_at error",
        today=K.TEXT, proposed=K.TEXT),

    "alerts.Alert": _technical(
        "id public_id centre patient rule_version subject audience as_of evidence_at opened_at level_since "
        "acknowledged_at escalated_at closed_at cleared_at state", rule=K.CLINICAL, level=K.CLINICAL, due_on=K.DAY,
        evidence=K.TEXT, snoozed_until=K.DAY),
    "alerts.AlertEvent": _technical(
        "id alert kind at level", by=K.IDENTIFYING, reason=K.CLINICAL, text=K.TEXT, until=K.DAY, evidence=K.TEXT),
    "alerts.NotEvaluable": _technical("id centre patient rule subject since", missing=K.TEXT),
    "alerts.Upcoming": _technical("id centre patient rule subject", due_on=K.DAY, evidence=K.TEXT),
    "alerts.ShadowFinding": _technical(
        "id centre patient rule rule_version subject first_on last_on gone_on", level=K.CLINICAL, evidence=K.TEXT),
    "alerts.Sweep": _technical("id centre as_of started_at dispatched_at finished_at"),
    "alerts.RuleRun": _technical(
        "id centre sweep rule rule_version as_of trigger started_at finished_at asked found not_evaluable opened "
        "changed closed held_back error"),
    "alerts.Delivery": _technical(
        "id centre kind key created_at next_try_at attempts sent_at error", person=K.IDENTIFYING),

    "exchange.ImportBatch": _technical(
        "id public_id centre kind source committed_at rows imported corrected unchanged quarantined rejected",
        file_name=K.IDENTIFYING, sha256=K.IDENTIFYING, mapping=K.TEXT, committed_by=K.IDENTIFYING, notes=K.TEXT),
    "exchange.HeldRow": _technical(
        "id public_id batch kind row_number resolution resolved_at result", problems=K.TEXT, data=K.IDENTIFYING,
        fingerprint=K.IDENTIFYING, resolved_by=K.IDENTIFYING, resolution_reason=K.TEXT),
    "exchange.PendingUpload": _technical(
        "id public_id centre kind uploaded_at state begun_at", source_name=K.PLACE, file_name=K.IDENTIFYING,
        content=K.IDENTIFYING, preview=K.IDENTIFYING, mapping=K.TEXT, uploaded_by=K.IDENTIFYING),

    "clinic.Figures": _technical("id centre as_of made_at months weeks burden"),

    "research.Release": _technical(
        "id public_id centre table as_of patients taken_at finished_at rows", name=K.TEXT, taken_by=K.IDENTIFYING,
        sha256=K.TECHNICAL),
})
# fmt: on
