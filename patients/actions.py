"""Every write about the person and the disease. Errors name the field of the form, never the patient."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Centre, Membership, Role, User
from audit import facts
from audit.attribution import action
from common.models import Fact
from patients import selectors
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
    Sex,
    Subtype,
)

# What `change_patient` may change. The centre is not among them: a patient who moves is transferred.
DETAILS = frozenset(
    {
        "record_number", "given_name", "family_name", "born_on", "sex", "subtype", "onset_on", "diagnosed_on",
        "clinician_id",
    }
)  # fmt: skip
OLDEST_AGE_YEARS = 125

NUMBER_TAKEN = "number-taken"  # the code of that refusal


@action("patients.register", "patient registered")
def register_patient(
    *,
    centre: Centre,
    record_number: str,
    given_name: str,
    family_name: str,
    born_on: dt.date,
    sex: str = Sex.UNKNOWN,
    subtype: str = Subtype.UNKNOWN,
    onset_on: dt.date | None = None,
    diagnosed_on: dt.date | None = None,
    clinician_id: int | None = None,
    duplicates_seen: bool = False,
    reason: str = "",
    by: User,
    now: dt.datetime,
) -> Patient:
    """A new patient of `centre`.

    Where somebody there may be the same person (`selectors.duplicates`) it is refused with the error
    `duplicates_seen`, code "confirm", until a person has looked and says so; `reason` is why it is somebody else. A
    number is never given twice.
    """
    patient = Patient(
        centre=centre,
        record_number=record_number.strip(),
        given_name=given_name.strip(),
        family_name=family_name.strip(),
        born_on=born_on,
        sex=sex,
        subtype=subtype,
        onset_on=onset_on,
        diagnosed_on=diagnosed_on,
        clinician_id=clinician_id,
        created_at=now,
        created_by=by,
    )
    _check_details(patient, now)
    if not duplicates_seen and selectors.duplicates(
        centre, family_name=patient.family_name, given_name=patient.given_name, born_on=born_on
    ):
        message = _("Somebody like this is already registered. Look first, then confirm.")
        raise ValidationError({"duplicates_seen": ValidationError(message, code="confirm")})
    with facts.refusals_in_plain_words():
        patient.save(force_insert=True)
    return patient


@action("patients.change", "patient's details changed")
def change_patient(*, patient: Patient, version: int, by: User, now: dt.datetime, **changes: Any) -> Patient:
    """Change details; the row history keeps what they were. `version` is `selectors.version` of what the form showed.

    Where somebody changed the patient since, nothing is changed (code "conflict").
    """
    unknown = set(changes) - DETAILS
    if unknown:
        raise TypeError(f"not a detail of a patient: {sorted(unknown)}")
    locked = Patient.everybody.select_for_update(of=("self",)).select_related("centre").get(pk=patient.pk)
    if selectors.version(locked) != version:
        message = _("Somebody has changed these details in the meantime. Look at the new ones, then change them again.")
        raise ValidationError(message, code="conflict")
    for name, value in changes.items():
        setattr(locked, name, value.strip() if isinstance(value, str) else value)
    _check_details(locked, now, same_clinician=locked.clinician_id == patient.clinician_id)
    with facts.refusals_in_plain_words():
        locked.save(update_fields=[*changes])
    return locked


def _check_details(patient: Patient, now: dt.datetime, *, same_clinician: bool = False) -> None:
    errors: dict[str, str | ValidationError] = {}
    today = patient.day_at(now)
    if isinstance(patient.born_on, dt.date):
        if patient.born_on > today:
            errors["born_on"] = _("This day lies in the future.")
        elif patient.age_on(today) > OLDEST_AGE_YEARS:
            errors["born_on"] = _("That is more than %(years)s years ago. Check the year.") % {
                "years": OLDEST_AGE_YEARS
            }
        for field, before_birth in (
            ("onset_on", _("The first symptom cannot lie before the birth.")),
            ("diagnosed_on", _("The diagnosis cannot lie before the birth.")),
        ):
            day = getattr(patient, field)
            if day is not None and day > today:
                errors[field] = _("This day lies in the future.")
            elif day is not None and day < patient.born_on:
                errors[field] = before_birth
    if patient.onset_on and patient.diagnosed_on and patient.onset_on > patient.diagnosed_on:
        errors.setdefault("onset_on", _("The first symptom cannot come after the diagnosis."))
    others = Patient.everybody.filter(centre_id=patient.centre_id, record_number__same=patient.record_number)
    if patient.record_number and others.exclude(pk=patient.pk).exists():
        errors["record_number"] = ValidationError(
            _("Another patient of this centre has this number."), code=NUMBER_TAKEN
        )
    if patient.clinician_id and not same_clinician:  # one who has left goes on standing there
        clinicians = Membership.objects.filter(centre_id=patient.centre_id, role=Role.CLINICIAN, is_active=True)
        if not clinicians.filter(user_id=patient.clinician_id).exists():
            errors["clinician"] = _("Choose a clinician of this centre.")
    try:
        patient.full_clean(exclude=["created_by", *errors], validate_constraints=not errors)
    except ValidationError as error:
        raise ValidationError({**error.update_error_dict({}), **errors}) from None
    if errors:
        raise ValidationError(errors)


@action("patients.set_follow_up", "follow-up status set")
def set_follow_up_status(
    *, patient: Patient, word: str, starts_on: dt.date, by: User, now: dt.datetime, reason: str = ""
) -> FollowUpStatus:
    """From `starts_on` on the patient is `word` (a FollowUpStatus.Word). A second status of one day corrects the first.

    After a death nothing is set: an entry that says so in error is withdrawn.
    """
    facts.hold(patient)
    if word == FollowUpStatus.Word.DEAD and starts_on > patient.day_at(now):
        raise ValidationError({"starts_on": _("This day lies in the future.")})
    current = FollowUpStatus.objects.current().filter(patient=patient)
    if current.filter(word=FollowUpStatus.Word.DEAD).exclude(starts_on=starts_on).exists():
        raise ValidationError({"word": _("The death is recorded. If that is wrong, withdraw it first.")})
    same_day = current.filter(starts_on=starts_on).first()
    if same_day is not None:
        return facts.supersede(
            same_day, by=by, now=now, reason=reason or "Set again for the same day", word=word, starts_on=starts_on
        )
    return facts.record(FollowUpStatus, patient=patient, word=word, starts_on=starts_on, by=by, now=now)


@action("patients.record_antibody", "antibody result recorded")
def record_antibody(
    *,
    patient: Patient,
    antibody: str,
    result: str,
    taken_on: dt.date,
    assay: str = "",
    titre: str = "",
    by: User,
    now: dt.datetime,
) -> AntibodyResult:
    """`antibody` is a code of patients/antibodies.py, `result` an AntibodyResult.Result."""
    if antibody not in ANTIBODIES:
        raise ValidationError({"antibody": _("This antibody is not in the list.")})
    return facts.record(
        AntibodyResult,
        patient=patient,
        antibody=antibody,
        result=result,
        taken_on=taken_on,
        assay=assay,
        titre=titre,
        by=by,
        now=now,
    )


@action("patients.record_manifestation", "manifestation recorded")
def record_manifestation(
    *,
    patient: Patient,
    kind: str,
    onset_on: dt.date,
    ended_on: dt.date | None = None,
    note: str = "",
    by: User,
    now: dt.datetime,
) -> Manifestation:
    """An organ involved from `onset_on` on. One stretch of a kind at a time: an overlapping one is refused."""
    facts.hold(patient)
    _check_end(patient, "ended_on", onset_on, ended_on, now)
    overlapping = Manifestation.objects.current().filter(
        Q(ended_on__isnull=True) | Q(ended_on__gte=onset_on), patient=patient, kind=kind
    )
    if ended_on is not None:
        overlapping = overlapping.filter(onset_on__lte=ended_on)
    if overlapping.exists():
        raise ValidationError({"kind": _("This is already recorded for that time.")})
    return facts.record(
        Manifestation, patient=patient, kind=kind, onset_on=onset_on, ended_on=ended_on, note=note, by=by, now=now
    )


@action("patients.end_manifestation", "manifestation ended")
def end_manifestation(*, manifestation: Manifestation, ended_on: dt.date, by: User, now: dt.datetime) -> Manifestation:
    """`ended_on` is its last day."""
    _check_end(manifestation.patient, "ended_on", manifestation.onset_on, ended_on, now)
    return facts.supersede(manifestation, by=by, now=now, reason="Ended", ended_on=ended_on)


@action("patients.record_risk_factor", "risk factor recorded")
def record_risk_factor(
    *, patient: Patient, kind: str, starts_on: dt.date, ends_on: dt.date | None = None, by: User, now: dt.datetime
) -> RiskFactor:
    """Something that changes what is safe, from `starts_on` on. An overlapping stretch of the same kind is refused."""
    if starts_on > patient.day_at(now):
        raise ValidationError({"starts_on": _("This day lies in the future.")})
    facts.hold(patient)
    _check_end(patient, "ends_on", starts_on, ends_on, now)
    overlapping = RiskFactor.objects.current().filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on), patient=patient, kind=kind
    )
    if ends_on is not None:
        overlapping = overlapping.filter(starts_on__lte=ends_on)
    if overlapping.exists():
        raise ValidationError({"kind": _("This is already recorded for that time.")})
    return facts.record(RiskFactor, patient=patient, kind=kind, starts_on=starts_on, ends_on=ends_on, by=by, now=now)


@action("patients.end_risk_factor", "risk factor ended")
def end_risk_factor(*, risk: RiskFactor, ended_on: dt.date, by: User, now: dt.datetime) -> RiskFactor:
    """`ended_on` is its last day."""
    _check_end(risk.patient, "ended_on", risk.starts_on, ended_on, now)
    return facts.supersede(risk, by=by, now=now, reason="Ended", ends_on=ended_on)


def _check_end(patient: Patient, field: str, start: dt.date, end: dt.date | None, now: dt.datetime) -> None:
    if end is None:
        return
    if end < start:
        raise ValidationError({field: _("The last day cannot lie before the first.")})
    if end > patient.day_at(now):
        raise ValidationError({field: _("This day lies in the future.")})


BIOPSY_FINDINGS = ("endomysial_infiltrate", "perimysial_infiltrate", "perifascicular_atrophy", "rimmed_vacuoles")
CLASSIFICATION_FINDINGS = (
    "weak_upper_proximal", "weak_lower_proximal", "neck_flexors_weaker", "legs_proximal_weaker", "heliotrope",
    "gottron_papules", "gottron_sign", "dysphagia", *BIOPSY_FINDINGS, "finger_flexor_weakness",
    "improved_on_treatment",
)  # fmt: skip


@action("patients.record_classification_items", "classification items recorded")
def record_classification_items(
    *, patient: Patient, found_on: dt.date, by: User, now: dt.datetime, **items: bool | None
) -> ClassificationItems:
    """What the classification criteria ask, as found on `found_on`; an item left out or None was not looked at.

    The items of the latest day count, all of them: what was found earlier is not added. A second record of one day
    takes the place of the first. Findings of a biopsy without a biopsy are refused.
    """
    unknown = set(items) - {*CLASSIFICATION_FINDINGS, "has_biopsy"}
    if unknown:
        raise TypeError(f"not an item of the criteria: {sorted(unknown)}")
    facts.hold(patient)
    if found_on > patient.day_at(now):
        raise ValidationError({"found_on": _("This day lies in the future.")})
    if not items.get("has_biopsy") and any(items.get(name) is not None for name in BIOPSY_FINDINGS):
        raise ValidationError({"has_biopsy": _("Findings of a biopsy are entered. Say that there was one.")})
    if not items.get("has_biopsy") and all(items.get(name) is None for name in CLASSIFICATION_FINDINGS):
        raise ValidationError(_("Enter at least one item that was looked at."))
    same_day = ClassificationItems.objects.current().filter(patient=patient, found_on=found_on).first()
    if same_day is not None:
        # what is not said now was not looked at, whatever the first record of the day says
        fresh = dict.fromkeys(CLASSIFICATION_FINDINGS) | {"has_biopsy": False}
        return facts.supersede(same_day, by=by, now=now, reason="Recorded again for the same day", values=fresh | items)
    return facts.record(ClassificationItems, patient=patient, found_on=found_on, by=by, now=now, **items)


@action("patients.record_consent", "consent recorded")
def record_consent(
    *, patient: Patient, scope: str, decision: str, decided_on: dt.date, by: User, now: dt.datetime
) -> Consent:
    """What the patient decided about research. The decision of the latest day counts, then the one recorded later."""
    return facts.record(Consent, patient=patient, scope=scope, decision=decision, decided_on=decided_on, by=by, now=now)


@action("patients.make_exception", "exception from a rule made")
def make_exception(
    *,
    patient: Patient,
    rule: str,
    reason: str,
    ends_on: dt.date,
    starts_on: dt.date | None = None,
    by: User,
    now: dt.datetime,
) -> RuleException:
    """`rule` (an id, or * for all) is not asked about this patient from `starts_on` (today) to `ends_on`, inclusive."""
    today = patient.day_at(now)
    starts_on = starts_on or today
    if rule != "*" and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule):
        raise ValidationError({"rule": _("This is not a rule.")})
    if not reason.strip():
        raise ValidationError({"reason": _("Say why this rule is not to be asked.")})
    if ends_on < max(starts_on, today):
        raise ValidationError({"ends_on": _("The last day lies in the past or before the first.")})
    return facts.record(
        RuleException, patient=patient, rule=rule, reason=reason, starts_on=starts_on, ends_on=ends_on, by=by, now=now
    )


@action("patients.end_exception", "exception from a rule ended")
def end_exception(*, exception: RuleException, reason: str, by: User, now: dt.datetime) -> RuleException:
    """The rule is asked again from today. Before its first day it lapses altogether."""
    yesterday = exception.patient.day_at(now) - dt.timedelta(days=1)
    if exception.starts_on > yesterday:
        return facts.lapse(exception, by=by, now=now, reason=reason)
    if exception.ends_on <= yesterday:
        raise ValidationError({"exception": _("It has already ended.")})
    return facts.supersede(
        # `reason` of the exception is why it was made; why it ended is the reason of the change.
        exception, by=by, now=now, reason=reason, ends_on=yesterday,
    )  # fmt: skip


@action("patients.withdraw_fact", "entry withdrawn")
def withdraw_fact(*, fact: Fact, reason: str, by: User, now: dt.datetime) -> Fact:
    """It was entered in error, with everything that hangs on it (the doses of a course, the sessions of a plan)."""
    return facts.withdraw_all(fact, by=by, now=now, reason=reason)


@action("patients.correct_fact", "entry corrected")
def correct_fact(*, fact: Fact, reason: str, changes: dict[str, Any], by: User, now: dt.datetime) -> Fact:
    """A copy of `fact` with `changes` takes its place.

    For facts that say no more than their fields. Those from which something is worked out have an action of their own
    (TypeError); one that others hang on is withdrawn and recorded anew, because they would go on pointing at the old.
    """
    if fact.has_own_correction:
        raise TypeError(f"{type(fact).__name__} has an action of its own for corrections")
    allowed = set(facts.values_of(fact)) - {"patient_id"}
    allowed -= {f.attname for f in fact._meta.concrete_fields if f.is_relation}
    unknown = set(changes) - allowed
    if unknown:
        raise TypeError(f"not to be corrected: {sorted(unknown)}")
    if facts.dependants(fact):
        raise ValidationError(_("Other entries hang on this one. Withdraw it with them, and record it anew."))
    if all(getattr(fact, name) == value for name, value in changes.items()):
        raise ValidationError(_("Nothing was changed."))
    return facts.supersede(fact, by=by, now=now, reason=reason, values=changes)
