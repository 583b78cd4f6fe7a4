"""What becomes of rows: new, the same, corrected, withdrawn, in doubt."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Centre, User
from audit.facts import supersede, withdraw
from audit.models import Entry
from exchange import actions, planning
from exchange.mapping import PATIENTS
from exchange.models import HeldRow, ImportBatch, PendingUpload
from exchange.reading import LabReading
from monitoring.models import Result, Source
from patients.merge_actions import merge_patients
from patients.models import Patient
from patients.selectors import version
from tests import factories
from tests.exchange.files import ROW, codes, commit, mapping, outcomes, plan
from tests.factories import NOW

LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
def patient(centre: Centre, nurse: User) -> Patient:
    return factories.patient(centre, nurse, record_number="P1")


@pytest.fixture
def other(centre: Centre, nurse: User) -> Patient:
    return factories.patient(centre, nurse, record_number="P2")


def test_a_result_comes_in_with_everything_it_came_with(centre: Centre, nurse: User, patient: Patient) -> None:
    batch = commit(centre, nurse, {"value": "<200", "reported": "2025-06-02T10:00Z"})
    result = Result.objects.get()
    assert (result.patient, result.analyte, result.value, result.comparator) == (patient, "ck", 200, "<")
    assert (result.low, result.uln, result.value_received, result.uln_received) == (30, 170, "<200", "170")
    assert result.taken_at == dt.datetime(2025, 6, 1, 6, 30, tzinfo=dt.UTC)  # half past eight in Berlin
    assert (result.source, result.source_key, result.status) == (batch.source, "a1", "final")
    assert (result.recorded_by, result.recorded_at) == (nurse, NOW)
    entry = Entry.objects.get(action="exchange.commit_import")
    assert (entry.by, entry.centre) == (nurse, centre)


def test_the_same_row_again_is_unchanged_however_it_is_spelled(centre: Centre, nurse: User, patient: Patient) -> None:
    commit(centre, nurse, {})
    again = commit(
        centre, nurse, {"value": "200.0", "unit": "IU/L", "taken": "2025-06-01T06:30Z", "reported": "2025-06-03"}
    )
    assert (again.unchanged, again.imported) == (1, 0)
    assert Result.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"value": "201"},
        {"value": "<200"},
        {"high": "180"},
        {"low": ""},
        {"taken": "2025-06-02"},
        {"unit": "kU/L", "value": "0.3"},
    ],
)
def test_other_content_under_the_same_key_corrects(
    centre: Centre, nurse: User, patient: Patient, change: dict[str, str]
) -> None:
    commit(centre, nurse, {})
    batch = commit(centre, nurse, change)
    assert (batch.imported, batch.corrected) == (1, 1)
    old, new = Result.objects.order_by("id")
    assert (old.retired_by, old.status, new.status, new.supersedes) == (nurse, "final", "amended", old)
    assert list(Result.objects.current()) == [new]


def test_the_same_key_of_another_source_or_centre_is_another_result(
    centre: Centre, nurse: User, patient: Patient
) -> None:
    elsewhere = factories.centre()
    factories.patient(elsewhere, nurse, record_number="P1")
    commit(centre, nurse, {})
    commit(centre, nurse, {"value": "300"}, source="Other lab")
    commit(elsewhere, nurse, {"value": "400"})
    assert sorted(Result.objects.current().values_list("value", flat=True)) == [200, 300, 400]


def test_another_centres_patient_is_unknown(centre: Centre, nurse: User) -> None:
    factories.patient(factories.centre(), nurse, record_number="P1")
    assert codes(plan(centre, {})) == [["patient-unknown"]]


def test_what_comes_for_a_merged_record_belongs_to_the_one_that_took_it_in(
    centre: Centre, nurse: User, patient: Patient
) -> None:
    again = factories.patient(centre, nurse, record_number="P2")
    versions = (version(patient), version(again))
    merge_patients(kept=patient, absorbed=again, versions=versions, reason="One", by=nurse, now=NOW)
    commit(centre, nurse, {"patient_number": "P2"})
    assert Result.objects.get().patient == patient


def test_entered_in_error_stays_withdrawn(centre: Centre, nurse: User, patient: Patient) -> None:
    commit(centre, nurse, {})
    withdraw(Result.objects.get(), by=nurse, now=NOW, reason="Mixed up at the bench")
    batch = commit(centre, nurse, {"value": "999"})
    assert (batch.unchanged, batch.notes[0]["code"]) == (1, "withdrawn")
    assert not Result.objects.current().exists()


def test_a_persons_correction_is_not_undone_by_the_file_sent_again(
    centre: Centre, nurse: User, patient: Patient
) -> None:
    commit(centre, nurse, {})
    supersede(Result.objects.get(), by=nurse, now=NOW, reason="Read off the paper", value=250, value_received="250")
    batch = commit(centre, nurse, {})
    assert (batch.unchanged, batch.notes[0]["code"]) == (1, "corrected-by-hand")
    assert Result.objects.current().get().value == 250


def test_an_old_file_sent_again_does_not_undo_a_correction(centre: Centre, nurse: User, patient: Patient) -> None:
    commit(centre, nurse, {})
    commit(centre, nurse, {"value": "250"})
    assert codes(plan(centre, {})) == [["older-version"]]
    commit(centre, nurse, {})
    assert Result.objects.current().get().value == 250


def test_reports_know_which_of_two_is_newer(centre: Centre, nurse: User, patient: Patient) -> None:
    commit(centre, nurse, {"reported": "2025-06-02T10:00Z"})
    commit(centre, nurse, {"value": "250", "reported": "2025-06-03T10:00Z"})
    older = plan(centre, {"value": "240", "reported": "2025-06-02T11:00Z"})
    assert (outcomes(older), older.report.notes[0]["code"]) == (["unchanged"], "older-report")
    assert outcomes(plan(centre, {"reported": "2025-06-04T10:00Z"})) == ["corrected"]  # back to 200, and newer


@pytest.mark.parametrize(
    ("change", "code"),
    [({"patient_number": "P2"}, "key-of-another-patient"), ({"test": "ldh"}, "key-of-another-test")],
)
def test_a_key_never_moves_by_itself(
    centre: Centre, nurse: User, patient: Patient, other: Patient, change: dict[str, str], code: str
) -> None:
    commit(centre, nurse, {})
    assert codes(plan(centre, change)) == [[code]]


def test_two_rows_with_one_key(centre: Centre, patient: Patient) -> None:
    agreeing = plan(centre, {}, {}, {"result_id": "a2"})
    assert outcomes(agreeing) == ["imported", "unchanged", "imported"]
    disagreeing = plan(centre, {}, {"value": "201"}, {"value": "x"}, {"taken": "x"}, {"result_id": "a2"})
    assert outcomes(disagreeing) == ["quarantined"] * 3 + ["rejected", "imported"]
    assert all("key-twice" in found for found in codes(disagreeing)[:4])


def test_a_repeated_row_is_a_repeat_also_where_a_third_disagrees(centre: Centre, nurse: User, patient: Patient) -> None:
    batch = commit(centre, nurse, {"unit": "??"}, {"value": "201"}, {"unit": "??"})
    assert (batch.quarantined, batch.unchanged) == (2, 1)


def test_a_sample_from_before_the_birth_is_somebody_elses(centre: Centre, patient: Patient) -> None:
    assert codes(plan(centre, {"taken": "1970-05-16"}, {"result_id": "a2", "taken": "1970-05-17"})) == [
        ["taken-before-birth"],
        [],
    ]


def test_held_rows_are_kept_whole_and_not_twice(centre: Centre, nurse: User, patient: Patient) -> None:
    rows = ({"unit": "furlongs"}, {"result_id": "a2", "taken": "soon"}, {"result_id": "a3"})
    first = commit(centre, nurse, *rows)
    assert (first.rows, first.imported, first.quarantined, first.rejected) == (3, 1, 1, 1)
    held = HeldRow.objects.get(kind="quarantined")
    assert held.data == {**ROW, "unit": "furlongs"}
    assert [(p["field"], p["code"]) for p in held.problems] == [("unit", "unit-unknown")]
    assert held.row_number == 2
    again = commit(centre, nurse, *rows)
    assert (again.unchanged, again.quarantined, again.rejected) == (1, 1, 1)
    assert {note["code"] for note in again.notes} == {"waits-already"}
    assert HeldRow.objects.count() == 2


def test_a_better_mapping_empties_the_quarantine(centre: Centre, nurse: User, patient: Patient) -> None:
    commit(centre, nurse, {"unit": "Einheiten"})
    commit(centre, nurse, {"unit": "Einheiten"}, used=mapping(units={"Einheiten": "U/L"}))
    held = HeldRow.objects.get()
    assert (held.resolution, held.resolved_by) == ("placed", nurse)
    assert Result.objects.get().value == 200


def test_nothing_is_written_if_anything_fails(centre: Centre, nurse: User, patient: Patient) -> None:
    """The receipt and the held row fit, the last result does not: none of them stays."""
    prepared = plan(centre, {"result_id": "a2", "unit": "furlongs"}, {}, {"result_id": "a3"})
    reading = prepared.readings[2]
    assert isinstance(reading, LabReading)
    reading.uln, reading.low = Decimal(1), Decimal(2)  # as a fault of the reader would have it
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.commit_import(plan=prepared, by=nurse, now=NOW)
    assert not Result.objects.exists()
    assert not HeldRow.objects.exists()
    assert not ImportBatch.objects.exists()
    assert not Source.objects.exists()


def test_what_was_not_previewed_is_not_committed(centre: Centre, nurse: User, patient: Patient) -> None:
    prepared = plan(centre, {})
    commit(centre, nurse, {"value": "150"})
    with pytest.raises(actions.PlanChangedError) as caught:
        actions.commit_import(plan=prepared, by=nurse, now=NOW)
    assert outcomes(caught.value.plan) == ["corrected"]
    assert Result.objects.get().value == 150


def test_the_database_refuses_counts_that_do_not_add_up(centre: Centre, nurse: User, patient: Patient) -> None:
    batch = commit(centre, nurse, {})
    with pytest.raises(IntegrityError), transaction.atomic():
        ImportBatch.objects.filter(pk=batch.pk).update(unchanged=1)


def test_the_number_of_queries_does_not_grow_with_the_file(
    centre: Centre, nurse: User, patient: Patient, django_assert_max_num_queries: Any
) -> None:
    rows = [{"result_id": f"k{n}", "unit": "U/L" if n % 3 else "furlongs"} for n in range(300)]
    with django_assert_max_num_queries(30):
        commit(centre, nurse, *rows)
    with django_assert_max_num_queries(30):
        commit(centre, nurse, *rows)


cells = st.fixed_dictionaries(
    {
        "result_id": st.sampled_from(["k1", "k2", "k3", "k4", ""]),
        "patient_number": st.sampled_from(["P1", "P2", "P9", ""]),
        "test": st.sampled_from(["ck", "ldh", "??", ""]),
        "value": st.sampled_from(["0", "100", "<40", "NotDone", ""]),
        "unit": st.sampled_from(["U/L", "g/L", "??", ""]),
        "high": st.sampled_from(["170", "", "high"]),
        "taken": st.sampled_from(["2025-06-01", "2025-06-02T10:00", "2031-01-01", "soon"]),
        "reported": st.sampled_from(["", "2025-06-03", "2025-06-04T10:00"]),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.lists(cells, max_size=12), second=st.lists(cells, max_size=12))
def test_a_dry_run_says_what_the_real_run_does(
    centre: Centre,
    nurse: User,
    patient: Patient,
    other: Patient,
    first: list[dict[str, str]],
    second: list[dict[str, str]],
) -> None:
    """Random files on a record that an earlier random file has already shaped."""
    with transaction.atomic():
        for rows in (first, second):
            dry = plan(centre, *rows).report
            prepared = plan(centre, *rows)
            facts = Result.objects.count()
            batch = actions.commit_import(plan=prepared, by=nurse, now=NOW)
            assert prepared.report == dry
            for count in ("rows", "imported", "corrected", "unchanged", "quarantined", "rejected"):
                assert getattr(batch, count) == getattr(dry, count)
            assert batch.rows == len(rows) == batch.imported + batch.unchanged + batch.quarantined + batch.rejected
            assert Result.objects.count() == facts + batch.imported
            waits_already = sum(note["code"] == "waits-already" for note in dry.notes)
            assert batch.held_rows.count() == batch.quarantined + batch.rejected - waits_already
            again = plan(centre, *rows)
            assert again.report.imported == 0  # what is in is in
            assert not {"P1", "P2", "P9"} & {word for p in dry.problems for word in p["message"].split()}
        transaction.set_rollback(True)


# --------------------------------------------------------------------------------------------------------- quarantine


def held_in(centre: Centre, nurse: User, *rows: dict[str, str]) -> list[HeldRow]:
    batch = commit(centre, nurse, *rows)
    return list(batch.held_rows.order_by("row_number"))


def test_a_person_places_a_row(centre: Centre, nurse: User, patient: Patient) -> None:
    (held,) = held_in(
        centre, nurse, {"patient_number": "P-1", "unit": "??", "test": "??", "value": "LESS THAN 10", "low": ""}
    )
    placed = actions.place_held_row(
        held=held, patient=patient, analyte="ck", unit="U/L", value="<10", by=nurse, now=LATER
    )
    assert placed == 1
    result = Result.objects.get()
    assert (result.patient, result.value, result.comparator, result.value_received) == (
        patient,
        10,
        "<",
        "LESS THAN 10",
    )
    assert (result.source_key, result.uln) == ("a1", 170)
    held.refresh_from_db()
    assert (held.resolution, held.resolved_by, held.result) == ("placed", nurse, result)
    again = commit(
        centre, nurse, {"patient_number": "P-1", "unit": "??", "test": "??", "value": "LESS THAN 10", "low": ""}
    )
    assert (again.unchanged, again.notes[0]["code"]) == (1, "placed-before")


def test_what_is_still_wrong_is_refused_by_field(centre: Centre, nurse: User, patient: Patient) -> None:
    (held,) = held_in(centre, nurse, {"unit": "??", "value": "x"})
    with pytest.raises(ValidationError) as caught:
        actions.place_held_row(held=held, unit="g/L", by=nurse, now=LATER)
    assert set(caught.value.message_dict) == {"unit", "value"}
    assert not Result.objects.exists()
    held.refresh_from_db()
    assert held.resolution == ""


def test_kept_as_received_it_is_never_judged(centre: Centre, nurse: User, patient: Patient) -> None:
    (held,) = held_in(centre, nurse, {"value": "haemolysed"})
    actions.place_held_row(held=held, as_received=True, by=nurse, now=LATER)
    result = Result.objects.get()
    assert (result.value, result.value_received) == (None, "haemolysed")


def test_a_key_moves_only_when_a_person_says_so(centre: Centre, nurse: User, patient: Patient, other: Patient) -> None:
    commit(centre, nurse, {})
    (held,) = held_in(centre, nurse, {"patient_number": "P2"})
    with pytest.raises(ValidationError):
        actions.place_held_row(held=held, by=nurse, now=LATER)
    actions.place_held_row(held=held, accept_key=True, by=nurse, now=LATER)
    assert Result.objects.current().get().patient == other


def test_the_same_answer_for_rows_with_the_same_question(
    centre: Centre, nurse: User, patient: Patient, other: Patient
) -> None:
    rows = [
        {"result_id": "k1", "unit": "??"},
        {"result_id": "k2", "unit": "??", "patient_number": "P2"},
        {"result_id": "k3", "unit": "other"},
        {"result_id": "k4", "unit": "??", "value": "NotDone"},
        {"result_id": "k5", "unit": "??", "test": "ldh"},
    ]
    held = held_in(centre, nurse, *rows)
    assert actions.place_held_row(held=held[0], unit="U/L", alike=True, by=nurse, now=LATER) == 2
    assert set(Result.objects.values_list("source_key", "patient_id")) == {("k1", patient.pk), ("k2", other.pk)}
    assert set(HeldRow.objects.filter(resolution="").values_list("row_number", flat=True)) == {4, 5, 6}
    assert set(HeldRow.objects.filter(resolution="placed").values_list("result__source_key", flat=True)) == {"k1", "k2"}


def test_a_patients_answer_is_carried_only_to_the_same_number(
    centre: Centre, nurse: User, patient: Patient, other: Patient
) -> None:
    held = held_in(
        centre,
        nurse,
        {"result_id": "k1", "patient_number": "x1"},
        {"result_id": "k2", "patient_number": "x1"},
        {"result_id": "k3", "patient_number": "x2"},
    )
    assert actions.place_held_row(held=held[0], patient=patient, alike=True, by=nurse, now=LATER) == 2
    assert set(Result.objects.values_list("source_key", "patient_id")) == {("k1", patient.pk), ("k2", patient.pk)}


def test_a_row_is_settled_once(centre: Centre, nurse: User, patient: Patient) -> None:
    (held,) = held_in(centre, nurse, {"unit": "??"})
    actions.discard_held_row(held=held, reason="A test run", by=nurse, now=LATER)
    for settle in (
        lambda: actions.place_held_row(held=held, unit="U/L", by=nurse, now=LATER),
        lambda: actions.discard_held_row(held=held, reason="Again", by=nurse, now=LATER),
    ):
        with pytest.raises(ValidationError, match="in the meantime"):
            settle()
    again = commit(centre, nurse, {"unit": "??"})
    assert (again.unchanged, again.notes[0]["code"]) == (1, "discarded-before")


def test_discarding_needs_a_reason_and_takes_the_alike(centre: Centre, nurse: User, patient: Patient) -> None:
    held = held_in(
        centre,
        nurse,
        {"result_id": "k1", "test": "Sodium"},
        {"result_id": "k2", "test": "Sodium"},
        {"result_id": "k3", "test": "Potassium"},
        {"result_id": "k4", "test": "Sodium", "patient_number": "x"},
    )
    with pytest.raises(ValidationError):
        actions.discard_held_row(held=held[0], reason=" ", by=nurse, now=LATER)
    assert actions.discard_held_row(held=held[0], reason="Not followed", alike=True, by=nurse, now=LATER) == 2
    assert HeldRow.objects.filter(resolution="").count() == 2


def test_what_could_not_be_read_is_not_placed(centre: Centre, nurse: User, patient: Patient) -> None:
    (held,) = held_in(centre, nurse, {"taken": "soon"})
    with pytest.raises(ValidationError, match="sent again"):
        actions.place_held_row(held=held, by=nurse, now=LATER)


def test_another_centres_patient_cannot_be_given(centre: Centre, nurse: User) -> None:
    stranger = factories.patient(factories.centre(), nurse, record_number="P1")
    (held,) = held_in(centre, nurse, {})
    with pytest.raises(ValidationError):
        actions.place_held_row(held=held, patient=stranger, by=nurse, now=LATER)


# ------------------------------------------------------------------------------------------------------------ uploads


def test_an_upload_is_gone_a_day_later_at_the_latest(centre: Centre, nurse: User) -> None:
    def keep(now: dt.datetime) -> PendingUpload:
        return actions.keep_upload(
            centre=centre,
            kind="labs",
            content=b"x",
            file_name="f",
            mapping=mapping(),
            source_name="Lab",
            by=nurse,
            now=now,
        )

    old = keep(NOW)
    keep(NOW + dt.timedelta(days=1))
    assert PendingUpload.objects.filter(pk=old.pk).exists()
    keep(NOW + dt.timedelta(days=1, seconds=1))
    assert not PendingUpload.objects.filter(pk=old.pk).exists()


# ----------------------------------------------------------------------------------------------------------- patients

PERSON = {"patient_number": "N1", "given_name": "Ada", "family_name": "Example", "born": "1970-01-01", "sex": "F"}
PEOPLE = ["patient_number", "given_name", "family_name", "born", "sex", "subtype", "onset", "diagnosed"]


def people(centre: Centre, *rows: dict[str, str]) -> planning.Plan:
    lines = [",".join({**PERSON, **row}.get(heading, "") for heading in PEOPLE) for row in rows]
    content = "\n".join([",".join(PEOPLE), *lines]).encode()
    return planning.prepare(
        centre=centre, kind=PATIENTS, content=content, file_name="p.csv", mapping=mapping(PATIENTS), now=NOW
    )


def test_patients_are_registered_and_never_changed_by_a_file(centre: Centre, nurse: User) -> None:
    row = {"subtype": "dermatomyositis", "onset": "2020-01-01", "diagnosed": "2020-03-01"}
    actions.commit_import(plan=people(centre, row), by=nurse, now=NOW)
    patient = Patient.objects.get()
    assert (patient.name, patient.sex, patient.subtype) == ("Example, Ada", "female", "dermatomyositis")
    assert outcomes(people(centre, row)) == ["unchanged"]
    assert outcomes(people(centre, {})) == ["unchanged"]  # what a file does not say does not differ
    differing = people(centre, {**row, "family_name": "Changed", "born": "1971-01-01"})
    assert [(p["field"], p["code"]) for p in differing.report.problems] == [
        ("family_name", "differs-from-record"),
        ("born", "differs-from-record"),
    ]
    actions.commit_import(plan=differing, by=nurse, now=NOW)
    assert Patient.objects.get().family_name == "Example"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"sex": "x"}, "sex-unknown"),
        ({"sex": ""}, "sex-missing"),
        ({"family_name": ""}, "family-name-missing"),
        ({"born": "1970-13-01"}, "born-unreadable"),
        ({"born": "2025-06-16"}, "born-in-future"),
        ({"subtype": "unheard of"}, "subtype-unknown"),
        ({"onset": "1969-12-31"}, "onset-before-birth"),
        ({"diagnosed": "1969-12-31"}, "diagnosed-before-birth"),
        ({"patient_number": ""}, "patient-number-missing"),
    ],
)
def test_faults_of_a_patients_row(centre: Centre, row: dict[str, str], code: str) -> None:
    assert codes(people(centre, row)) == [[code]]


def test_one_person_under_two_numbers_waits_for_a_person(centre: Centre, nurse: User) -> None:
    within = people(centre, {}, {"patient_number": "N2", "given_name": "ADA"})
    assert codes(within) == [["possible-duplicate"]] * 2
    actions.commit_import(plan=people(centre, {}), by=nurse, now=NOW)
    assert codes(people(centre, {"patient_number": "N2"})) == [["possible-duplicate"]]
    assert outcomes(people(centre, {"patient_number": "N2", "born": "1970-01-02"})) == ["imported"]


def test_a_held_patients_row_can_only_be_discarded(centre: Centre, nurse: User) -> None:
    batch = actions.commit_import(plan=people(centre, {"sex": "x"}), by=nurse, now=NOW)
    held = batch.held_rows.get()
    with pytest.raises(ValidationError):
        actions.place_held_row(held=held, by=nurse, now=LATER)
    actions.discard_held_row(held=held, reason="Registered by hand", by=nurse, now=LATER)
    held.refresh_from_db()
    assert held.resolution == "discarded"
