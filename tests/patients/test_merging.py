"""Two records made one, and two again: the same rows at the same places, whatever was recorded in between."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.utils import IntegrityError
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Centre, User
from alerts.actions.touched import judge_touched
from alerts.models import Alert
from audit import facts
from audit.models import Entry
from clinic.merge_actions import part_records
from monitoring import actions as monitoring
from monitoring.asking import findings
from monitoring.models import Booking, Result
from monitoring.rules import RULES
from patients import actions, merging, selectors
from patients.merge_actions import merge_patients, take_back_merge
from patients.models import FollowUpStatus, Manifestation, Merge, Patient, Touched
from tests import factories
from tests.clinic.one_patient import full
from tests.factories import AS_OF, NOW, fact
from tests.writing import refused, wrote
from therapy.models import Course, Dose

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def clinic() -> Centre:
    return factories.centre()


@pytest.fixture
def by(clinic: Centre) -> User:
    return factories.person(clinic)


def merge(kept: Patient, absorbed: Patient, by: User) -> Merge:
    versions = (selectors.version(kept), selectors.version(absorbed))
    return merge_patients(kept=kept, absorbed=absorbed, versions=versions, reason="One person", by=by, now=NOW)


def take_back(done: Merge, by: User) -> Merge:
    return take_back_merge(merge=done, reason="Two after all", by=by, now=NOW)


def places() -> dict[str, dict[int, int]]:
    """Whose each row of each table is, and who the patients are."""
    found = {column.key: dict(column.rows().values_list("pk", column.name)) for column in merging.columns()}
    for row in Patient.everybody.values():
        found[f"patient {row['id']}"] = row
    return found


# ------------------------------------------------------------------------------------------------- what changes sides


def test_every_table_that_points_to_a_patient_is_decided() -> None:
    moving = {column.model for column in merging.columns()}
    labels = {model._meta.label for model in apps.get_models()}
    assert set(merging.STAYS) <= labels, "a table that is gone is still named"
    for model in apps.get_models():
        if merging.points_to_patient(model) and not merging.is_history(model):
            assert (model in moving) != (model._meta.label in merging.STAYS), model._meta.label
    # Rows that hang on rows that move come after them.
    order = [column.model for column in merging.columns()]
    for model in order:
        assert all(order.index(parent) < order.index(model) for parent in merging.parents(model, moving) - {model})
    assert {Result, Course, Dose, Alert, FollowUpStatus, Patient} <= moving


def test_everything_changes_sides_and_goes_back(clinic: Centre, by: User) -> None:
    absorbed, kept = full(clinic, by, AS_OF, many=20), full(clinic, by, AS_OF, many=10)
    before = places()
    with wrote("patients.merge", by):
        done = merge(kept, absorbed, by)
    behind = {column.key for column in merging.columns() if column.of(absorbed).exists()}
    # Each has alerts of the same rules and subjects that are open, and a status from the same day.
    assert behind == {"alerts.Alert.patient", "patients.FollowUpStatus.patient"}
    assert sum(len(ids) for ids in done.moved.values()) > 60
    with wrote("patients.take_back_merge", by):
        take_back(done, by)
    assert places() == before


def test_what_can_stand_once_only_stays_behind(clinic: Centre, by: User) -> None:
    kept, absorbed = factories.patient(clinic, by), factories.patient(clinic, by)
    fact(FollowUpStatus, kept, word="active", starts_on=AS_OF)
    same_day = fact(FollowUpStatus, absorbed, word="discharged", starts_on=AS_OF)
    earlier = fact(FollowUpStatus, absorbed, word="active", starts_on=AS_OF - DAY)
    (held,) = [each for each in merging.held(kept, absorbed) if each.model is FollowUpStatus]
    assert (held.kept, held.absorbed, held.stays) == (1, 2, 1)
    done = merge(kept, absorbed, by)
    assert done.moved == {"patients.FollowUpStatus.patient": [earlier.pk]}
    same_day.refresh_from_db()
    assert same_day.patient == absorbed


def test_the_kept_record_takes_over_what_it_did_not_say(clinic: Centre, by: User) -> None:
    kept = factories.patient(clinic, by, sex="unknown", subtype="unknown", diagnosed_on=dt.date(2020, 1, 1))
    absorbed = factories.patient(
        clinic, by, sex="female", subtype="overlap", onset_on=dt.date(2019, 5, 1), diagnosed_on=dt.date(2021, 1, 1),
        clinician=by,
    )  # fmt: skip
    done = merge(kept, absorbed, by)
    kept.refresh_from_db()
    details = (kept.sex, kept.subtype, kept.onset_on, kept.diagnosed_on, kept.clinician)
    assert details == ("female", "overlap", dt.date(2019, 5, 1), dt.date(2020, 1, 1), by)
    kept.subtype = "juvenile"  # somebody knows better meanwhile
    kept.save()
    take_back(done, by)
    kept.refresh_from_db()
    details = (kept.sex, kept.subtype, kept.onset_on, kept.diagnosed_on, kept.clinician)
    assert details == ("unknown", "juvenile", None, dt.date(2020, 1, 1), None)


def test_a_day_that_would_contradict_is_not_taken_over(clinic: Centre, by: User) -> None:
    kept = factories.patient(clinic, by, diagnosed_on=dt.date(2018, 1, 1))
    absorbed = factories.patient(clinic, by, onset_on=dt.date(2019, 5, 1))
    assert merge(kept, absorbed, by).filled == {}


# --------------------------------------------------------------------------------------------- recorded in between


def test_what_was_built_upon_a_moved_row_goes_back_with_it(clinic: Centre, by: User) -> None:
    kept, absorbed = factories.patient(clinic, by), factories.patient(clinic, by)
    course = fact(Course, absorbed, drug="prednisone", route="oral")
    first = fact(Dose, absorbed, course=course, amount=Decimal(10), starts_on=AS_OF - 9 * DAY, ends_on=AS_OF - DAY)
    wrong = fact(Manifestation, absorbed, kind="ild", onset_on=AS_OF - 9 * DAY)
    own = fact(Manifestation, kept, kind="arthritis", onset_on=AS_OF - 9 * DAY)
    done = merge(kept, absorbed, by)
    for each in (course, first, wrong):
        each.refresh_from_db()
        assert each.patient == kept
    second = facts.record(Dose, patient=kept, course=course, amount=Decimal(5), starts_on=AS_OF, by=by, now=NOW)
    right = facts.supersede(wrong, by=by, now=NOW, reason="typed", onset_on=AS_OF - 8 * DAY)
    righter = facts.supersede(right, by=by, now=NOW, reason="typed", onset_on=AS_OF - 7 * DAY)
    own_again = facts.supersede(own, by=by, now=NOW, reason="typed", onset_on=AS_OF - 8 * DAY)
    new = fact(Manifestation, kept, kind="raynaud", onset_on=AS_OF)
    take_back(done, by)
    for each in (course, first, wrong, second, right, righter):
        each.refresh_from_db()
        assert each.patient == absorbed, each
    for each in (own, own_again, new):
        each.refresh_from_db()
        assert each.patient == kept, each


@pytest.fixture
def two(clinic: Centre, by: User) -> tuple[Patient, Patient]:
    return factories.patient(clinic, by), factories.patient(clinic, by)


def _some_of(draw: Any, patient: Patient, many: int) -> None:
    """A few facts of several kinds, some of them corrected."""
    for _ in range(draw(st.integers(0, many))):
        day = AS_OF - draw(st.integers(1, 5)) * DAY
        kind = draw(st.sampled_from(["status", "result", "course", "booking"]))
        if kind == "status":
            if not FollowUpStatus.objects.current().filter(patient=patient, starts_on=day).exists():
                made: Any = fact(
                    FollowUpStatus, patient, word=draw(st.sampled_from(["active", "discharged"])), starts_on=day
                )
            continue
        if kind == "course":
            made = fact(Course, patient, drug="prednisone", route="oral")
            fact(Dose, patient, course=made, amount=Decimal(draw(st.integers(1, 60))), starts_on=day)
            continue
        if kind == "booking":
            made = fact(Booking, patient, kind="visit", booked_for=day)
        else:
            made = fact(
                Result, patient, analyte="ck", value=100, value_received="100", unit_received="U/L", taken_on=day
            )
        if draw(st.booleans()):
            facts.withdraw(made, by=patient.created_by, now=NOW, reason="wrong")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_merge_then_take_back_is_as_if_nothing_had_been(data: Any) -> None:
    with transaction.atomic():
        clinic = factories.centre()
        by = factories.person(clinic)
        kept, absorbed = (
            factories.patient(
                clinic, by, sex=data.draw(st.sampled_from(["unknown", "female"])),
                onset_on=data.draw(st.sampled_from([None, dt.date(2019, 1, 1)])),
            )
            for _ in range(2)
        )  # fmt: skip
        _some_of(data.draw, kept, 6)
        _some_of(data.draw, absorbed, 6)
        before = places()
        done = merge(kept, absorbed, by)
        there = {(key, pk) for key, rows in places().items() if "." in key for pk in rows}
        _some_of(data.draw, kept, 3)
        now_there = places()
        new = {(key, pk) for key, rows in now_there.items() if "." in key for pk in rows} - there
        take_back(done, by)
        after = places()
        for key, pk in new:  # what was recorded in between stays
            assert after[key].pop(pk) == kept.pk
        assert after == before
        transaction.set_rollback(True)


# ------------------------------------------------------------------------------------------------- what is refused


def test_a_merge_wants_a_reason_two_records_of_one_centre_and_what_was_seen(clinic: Centre, by: User, two: Any) -> None:
    kept, absorbed = two
    theirs = factories.patient(factories.centre(), by)
    seen = (selectors.version(kept), selectors.version(absorbed))

    def tried(**changes: Any) -> Callable[[], Merge]:
        return lambda: merge_patients(
            **{"kept": kept, "absorbed": absorbed, "versions": seen, "reason": "One", "by": by, "now": NOW, **changes}
        )

    with refused("reason"):
        tried(reason=" ")()
    with refused():
        tried(absorbed=kept)()
    with refused():
        tried(absorbed=theirs, versions=(seen[0], selectors.version(theirs)))()
    actions.change_patient(patient=absorbed, version=seen[1], given_name="New", by=by, now=NOW)
    with refused(code="conflict"):
        tried()()


def test_a_merged_record_takes_no_more_facts(two: Any, by: User) -> None:
    kept, absorbed = two
    done = merge(kept, absorbed, by)
    with pytest.raises(IntegrityError), transaction.atomic():
        fact(Booking, absorbed, kind="visit", booked_for=AS_OF)
    with refused():
        monitoring.book_test(patient=absorbed, kind="visit", booked_for=AS_OF, by=by, now=NOW)
    with refused():
        merge(absorbed, kept, by)
    take_back(done, by)
    monitoring.book_test(patient=absorbed, kind="visit", booked_for=AS_OF, by=by, now=NOW)
    with refused():
        take_back(done, by)


def test_merges_of_one_record_are_taken_back_in_their_order(clinic: Centre, by: User) -> None:
    a, b, c = (factories.patient(clinic, by) for _ in range(3))
    booking = fact(Booking, a, kind="visit", booked_for=AS_OF)
    before = places()
    first = merge(b, a, by)
    second = merge(c, b, by)
    a.refresh_from_db()
    booking.refresh_from_db()
    assert (a.merged_into, booking.patient) == (c, c)
    with refused():
        take_back(first, by)
    take_back(second, by)
    take_back(first, by)
    assert places() == before


# ------------------------------------------------------------------------------- lists, search, rules


def test_the_old_number_and_name_lead_to_the_kept_record(clinic: Centre, by: User) -> None:
    kept = factories.patient(clinic, by, record_number="K-1", family_name="Married")
    absorbed = factories.patient(clinic, by, record_number="OLD-7", family_name="Maiden")
    done = merge(kept, absorbed, by)
    assert list(clinic.patients.all()) == [kept]
    for text in ("OLD-7", "old", "maid", "K-1"):
        assert selectors.search(clinic, text) == [kept]
    assert selectors.by_number(clinic, "OLD-7") == kept
    with pytest.raises(ValidationError) as taken:
        actions.register_patient(
            centre=clinic, record_number="old-7", given_name="A", family_name="B", born_on=AS_OF, by=by, now=NOW
        )
    assert set(taken.value.error_dict) == {"record_number"}
    take_back(done, by)
    assert selectors.search(clinic, "OLD-7") == [absorbed]


def test_the_rules_ask_about_the_kept_record_only(clinic: Centre, by: User) -> None:
    kept, absorbed = factories.patient(clinic, by), full(clinic, by, AS_OF, many=10)
    Touched.objects.all().delete()
    done = merge(kept, absorbed, by)
    assert {row.patient_id for row in Touched.objects.all()} == {kept.pk, absorbed.pk}
    judge_touched(now=NOW)
    open_now = Alert.objects.filter(closed_at__isnull=True)
    assert {alert.patient_id for alert in open_now} == {kept.pk}
    assert open_now.count() > 1
    for rule in RULES.values():
        assert absorbed.pk not in {f.patient_id for f in findings(rule, as_of=AS_OF, centre_id=clinic.pk)}
    part_records(merge=done, reason="Two after all", by=by, now=NOW)
    assert not Alert.objects.filter(closed_at__isnull=True, patient=kept).exists()
    judge_touched(now=NOW)
    assert Alert.objects.filter(closed_at__isnull=True, patient=absorbed).count() > 1
    left = set(Alert.objects.filter(closed_at__isnull=True, patient=kept).values_list("rule", flat=True))
    assert left == {
        rule.id for rule in RULES.values() if any(f.level for f in findings(rule, as_of=AS_OF, patient_ids=[kept.pk]))
    }


def test_a_merge_is_parted_on_its_own_page_and_not_by_undo(two: Any, by: User) -> None:
    merge(*two, by)
    with pytest.raises(ValidationError):
        monitoring.undo_recent(entry=Entry.objects.get(action="patients.merge"), by=by, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_what_is_being_written_is_waited_for_and_moved(clinic: Centre, by: User) -> None:
    """A result is saved at the very moment two records become one: it is there afterwards, at the one that stays."""
    kept, absorbed = factories.patient(clinic, by), factories.patient(clinic, by)
    written, merging_began = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                fact(Booking, absorbed, kind="visit", booked_for=AS_OF)
                written.set()
                merging_began.wait(10)
                time.sleep(0.3)  # the other is at the lock by now
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(10)
    merging_began.set()
    done = merge(kept, absorbed, by)
    writer.join()
    booking = Booking.objects.get()
    assert booking.patient == kept
    assert done.moved == {"monitoring.Booking.patient": [booking.pk]}
