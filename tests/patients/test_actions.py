"""What is written about a person, by whom, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import Centre, User
from patients import actions, selectors
from patients.models import (
    AntibodyResult,
    Consent,
    FollowUpStatus,
    Manifestation,
    ManifestationKind,
    Patient,
    RuleException,
    Sex,
    Subtype,
)
from tests import factories
from tests.factories import AS_OF, NOW
from tests.writing import refused, wrote

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
PERSON: dict[str, Any] = {
    "record_number": "A-100",
    "given_name": "Ada",
    "family_name": "Sample",
    "born_on": dt.date(1970, 1, 2),
    "sex": Sex.FEMALE,
    "subtype": Subtype.DERMATOMYOSITIS,
}


@pytest.fixture
def clinic() -> Centre:
    return factories.centre()


@pytest.fixture
def by(clinic: Centre) -> User:
    return factories.person(clinic)


@pytest.fixture
def patient(clinic: Centre, by: User) -> Patient:
    return factories.patient(clinic, by)


def test_a_patient_is_registered_with_trimmed_details(clinic: Centre, by: User) -> None:
    with wrote("patients.register", by):
        patient = actions.register_patient(
            centre=clinic, **{**PERSON, "record_number": " A-100 ", "family_name": " Sample "}, by=by, now=NOW
        )
    patient.refresh_from_db()
    assert (patient.record_number, patient.family_name, patient.centre, patient.created_by, patient.created_at) == (
        "A-100", "Sample", clinic, by, NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"record_number": ""}, "record_number"),
        ({"family_name": " "}, "family_name"),
        ({"sex": "neither"}, "sex"),
        ({"subtype": "gout"}, "subtype"),
        ({"born_on": AS_OF + DAY}, "born_on"),
        ({"born_on": dt.date(1870, 1, 1)}, "born_on"),
        ({"onset_on": dt.date(1969, 1, 1)}, "onset_on"),
        ({"diagnosed_on": AS_OF + DAY}, "diagnosed_on"),
        ({"onset_on": dt.date(2020, 1, 2), "diagnosed_on": dt.date(2020, 1, 1)}, "onset_on"),
    ],
)
def test_a_registration_names_the_wrong_field(clinic: Centre, by: User, change: dict[str, Any], field: str) -> None:
    with refused(field):
        actions.register_patient(centre=clinic, **{**PERSON, **change}, by=by, now=NOW)


def test_a_number_is_given_once_in_a_centre_and_its_case_does_not_matter(clinic: Centre, by: User) -> None:
    actions.register_patient(centre=clinic, **PERSON, by=by, now=NOW)
    other = {**PERSON, "record_number": "a-100", "family_name": "Other", "given_name": "Otto"}
    with refused("record_number"):
        actions.register_patient(centre=clinic, **other, by=by, now=NOW)
    elsewhere = factories.centre()
    actions.register_patient(centre=elsewhere, **other, by=by, now=NOW)


def test_registering_somebody_again_asks_first(clinic: Centre, by: User) -> None:
    actions.register_patient(centre=clinic, **PERSON, by=by, now=NOW)
    again = {**PERSON, "record_number": "A-101", "given_name": "ADA", "family_name": "sample"}
    with refused("duplicates_seen", code="confirm"):
        actions.register_patient(centre=clinic, **again, by=by, now=NOW)
    actions.register_patient(centre=clinic, **again, duplicates_seen=True, by=by, now=NOW)
    assert clinic.patients.count() == 2


def test_details_change_and_the_history_keeps_what_they_were(patient: Patient, by: User) -> None:
    with wrote("patients.change", by):
        actions.change_patient(
            patient=patient, version=selectors.version(patient), family_name="Renamed", by=by, now=NOW
        )
    patient.refresh_from_db()
    assert patient.family_name == "Renamed"
    assert patient.events.order_by("pgh_id").first().family_name != "Renamed"


def test_a_change_made_on_an_old_view_is_refused(patient: Patient, by: User) -> None:
    seen = selectors.version(patient)
    actions.change_patient(patient=patient, version=seen, given_name="First", by=by, now=NOW)
    with refused(code="conflict"):
        actions.change_patient(patient=patient, version=seen, given_name="Second", by=by, now=NOW)
    patient.refresh_from_db()
    assert patient.given_name == "First"


def test_a_change_names_the_wrong_field_and_knows_its_fields(patient: Patient, by: User) -> None:
    seen = selectors.version(patient)
    with refused("diagnosed_on"):
        actions.change_patient(patient=patient, version=seen, diagnosed_on=AS_OF + DAY, by=by, now=NOW)
    with pytest.raises(TypeError, match="centre"):
        actions.change_patient(patient=patient, version=seen, centre=patient.centre, by=by, now=NOW)


def test_a_follow_up_status_is_set_and_a_second_of_the_day_corrects_it(patient: Patient, by: User) -> None:
    with wrote("patients.set_follow_up", by):
        actions.set_follow_up_status(patient=patient, word="discharged", starts_on=AS_OF, by=by, now=NOW)
    actions.set_follow_up_status(patient=patient, word="transferred", starts_on=AS_OF, by=by, now=NOW)
    assert [s.word for s in FollowUpStatus.objects.current()] == ["transferred"]
    status = selectors.follow_up_on(patient, AS_OF)
    assert status is not None
    assert status.word == "transferred"
    assert selectors.follow_up_on(patient, AS_OF - DAY) is None


def test_nothing_follows_a_death(patient: Patient, by: User) -> None:
    with refused("starts_on"):
        actions.set_follow_up_status(patient=patient, word="dead", starts_on=AS_OF + DAY, by=by, now=NOW)
    died = actions.set_follow_up_status(patient=patient, word="dead", starts_on=AS_OF - DAY, by=by, now=NOW)
    with refused("word"):
        actions.set_follow_up_status(patient=patient, word="active", starts_on=AS_OF, by=by, now=NOW)
    actions.withdraw_fact(fact=died, reason="another person", by=by, now=NOW)
    actions.set_follow_up_status(patient=patient, word="active", starts_on=AS_OF, by=by, now=NOW)
    with refused("word"):
        actions.set_follow_up_status(patient=patient, word="asleep", starts_on=AS_OF + DAY, by=by, now=NOW)


def test_an_antibody_is_recorded(patient: Patient, by: User) -> None:
    with wrote("patients.record_antibody", by):
        actions.record_antibody(
            patient=patient, antibody="mda5", result="strong", taken_on=AS_OF, assay="line blot", by=by, now=NOW
        )
    row = AntibodyResult.objects.get()
    assert (row.antibody, row.result, row.assay, row.recorded_by, row.recorded_at) == (
        "mda5", "strong", "line blot", by, NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"antibody": "anti-everything"}, "antibody"),
        ({"result": "perhaps"}, "result"),
        ({"taken_on": AS_OF + DAY}, "taken_on"),
        ({"taken_on": dt.date(1950, 1, 1)}, "taken_on"),
        ({"titre": "1:" + "0" * 50}, "titre"),
    ],
)
def test_an_antibody_names_the_wrong_field(patient: Patient, by: User, change: dict[str, Any], field: str) -> None:
    good = {"antibody": "jo-1", "result": "positive", "taken_on": AS_OF}
    with refused(field):
        actions.record_antibody(patient=patient, **{**good, **change}, by=by, now=NOW)


def test_a_manifestation_begins_once_and_ends(patient: Patient, by: User) -> None:
    onset = AS_OF - 100 * DAY
    with wrote("patients.record_manifestation", by):
        ild = actions.record_manifestation(
            patient=patient, kind=ManifestationKind.ILD, onset_on=onset, note="HRCT", by=by, now=NOW
        )
    with refused("kind"):
        actions.record_manifestation(patient=patient, kind=ManifestationKind.ILD, onset_on=AS_OF, by=by, now=NOW)
    with refused("ended_on"):
        actions.end_manifestation(manifestation=ild, ended_on=onset - DAY, by=by, now=NOW)
    with refused("ended_on"):
        actions.end_manifestation(manifestation=ild, ended_on=AS_OF + DAY, by=by, now=NOW)
    with wrote("patients.end_manifestation", by):
        actions.end_manifestation(manifestation=ild, ended_on=AS_OF - 10 * DAY, by=by, now=NOW)
    assert Manifestation.objects.current().get().note == "HRCT"
    assert not selectors.manifestations_on(patient, AS_OF).exists()
    assert selectors.manifestations_on(patient, AS_OF - 10 * DAY).exists()
    # It may come back, and an earlier stretch may be added, but none that touches.
    actions.record_manifestation(patient=patient, kind=ManifestationKind.ILD, onset_on=AS_OF, by=by, now=NOW)
    with refused("kind"):
        actions.record_manifestation(
            patient=patient, kind=ManifestationKind.ILD, onset_on=onset - DAY, ended_on=onset, by=by, now=NOW
        )


def test_two_people_cannot_end_the_same_entry(patient: Patient, by: User) -> None:
    rash = actions.record_manifestation(patient=patient, kind="heliotrope", onset_on=AS_OF - DAY, by=by, now=NOW)
    actions.end_manifestation(manifestation=rash, ended_on=AS_OF, by=by, now=NOW)
    with refused():
        actions.end_manifestation(manifestation=rash, ended_on=AS_OF, by=by, now=NOW)


def test_consent_is_a_decision_with_a_day(patient: Patient, by: User) -> None:
    with wrote("patients.record_consent", by):
        actions.record_consent(
            patient=patient, scope="research", decision="given", decided_on=AS_OF - 2 * DAY, by=by, now=NOW
        )
    actions.record_consent(patient=patient, scope="research", decision="withdrawn", decided_on=AS_OF, by=by, now=NOW)
    assert selectors.consents_on(patient, AS_OF - DAY)["research"].decision == Consent.Decision.GIVEN
    assert selectors.consents_on(patient, AS_OF)["research"].decision == Consent.Decision.WITHDRAWN
    assert "research_sharing" not in selectors.consents_on(patient, AS_OF)
    with refused("decided_on"):
        actions.record_consent(
            patient=patient, scope="research", decision="given", decided_on=AS_OF + DAY, by=by, now=NOW
        )
    with refused("scope"):
        actions.record_consent(patient=patient, scope="all", decision="given", decided_on=AS_OF, by=by, now=NOW)


def test_an_exception_has_a_reason_and_an_end(patient: Patient, by: User) -> None:
    good: dict[str, Any] = {"rule": "ck-rising", "reason": "known high CK", "ends_on": AS_OF + 30 * DAY}
    with wrote("patients.make_exception", by):
        made = actions.make_exception(patient=patient, **good, by=by, now=NOW)
    assert (made.starts_on, made.ends_on) == (AS_OF, AS_OF + 30 * DAY)
    for change, field in (
        ({"reason": " "}, "reason"),
        ({"rule": "Not a rule"}, "rule"),
        ({"ends_on": AS_OF - DAY}, "ends_on"),
        ({"ends_on": AS_OF + 3000 * DAY}, "ends_on"),
    ):
        with refused(field):
            actions.make_exception(patient=patient, **{**good, **change}, by=by, now=NOW)


def test_an_exception_ends_early_on_the_day_before(patient: Patient, by: User) -> None:
    old = factories.fact(
        RuleException, patient, rule="*", reason="r", starts_on=AS_OF - 5 * DAY, ends_on=AS_OF + 5 * DAY
    )
    assert [e.pk for e in selectors.exceptions_on(patient, AS_OF)] == [old.pk]
    with wrote("patients.end_exception", by):
        actions.end_exception(exception=old, reason="no longer needed", by=by, now=NOW)
    assert not selectors.exceptions_on(patient, AS_OF)
    assert [e.reason for e in selectors.exceptions_on(patient, AS_OF - DAY)] == ["r"]
    young = actions.make_exception(patient=patient, rule="*", reason="r", ends_on=AS_OF, by=by, now=NOW)
    actions.end_exception(exception=young, reason="a slip", by=by, now=NOW)
    assert not selectors.exceptions_on(patient, AS_OF)


def test_a_fact_is_corrected_and_the_old_one_stays(patient: Patient, by: User) -> None:
    jo1 = actions.record_antibody(
        patient=patient, antibody="jo-1", result="weak", taken_on=AS_OF, assay="ELISA", by=by, now=NOW
    )
    with wrote("patients.correct_fact", by):
        actions.correct_fact(fact=jo1, reason="typing", changes={"result": "positive"}, by=by, now=NOW)
    new = AntibodyResult.objects.current().get()
    assert (new.result, new.assay, new.supersedes, new.status, new.change_reason) == (
        "positive", "ELISA", jo1, "amended", "typing",
    )  # fmt: skip
    jo1.refresh_from_db()
    assert (jo1.result, jo1.retired_at, jo1.retired_by) == ("weak", NOW, by)


def test_a_correction_needs_a_reason_a_change_and_a_field_of_the_fact(patient: Patient, by: User) -> None:
    jo1 = actions.record_antibody(patient=patient, antibody="jo-1", result="weak", taken_on=AS_OF, by=by, now=NOW)
    with refused("reason"):
        actions.correct_fact(fact=jo1, reason="", changes={"result": "positive"}, by=by, now=NOW)
    with refused("reason"):
        actions.correct_fact(fact=jo1, reason="x" * 201, changes={"result": "positive"}, by=by, now=NOW)
    with refused():
        actions.correct_fact(fact=jo1, reason="r", changes={"result": "weak"}, by=by, now=NOW)
    with refused("taken_on"):
        actions.correct_fact(fact=jo1, reason="r", changes={"taken_on": AS_OF + DAY}, by=by, now=NOW)
    for name in ("patient_id", "recorded_by", "status", "id"):
        with pytest.raises(TypeError):
            actions.correct_fact(fact=jo1, reason="r", changes={name: 1}, by=by, now=NOW)


def test_a_fact_is_withdrawn_once(patient: Patient, by: User) -> None:
    jo1 = actions.record_antibody(patient=patient, antibody="jo-1", result="weak", taken_on=AS_OF, by=by, now=NOW)
    with refused("reason"):
        actions.withdraw_fact(fact=jo1, reason="", by=by, now=NOW)
    with wrote("patients.withdraw_fact", by):
        actions.withdraw_fact(fact=jo1, reason="another patient's", by=by, now=NOW)
    jo1.refresh_from_db()
    assert (jo1.status, jo1.retired_by, jo1.change_reason) == ("entered_in_error", by, "another patient's")
    with refused():
        actions.withdraw_fact(fact=jo1, reason="again", by=by, now=NOW)
