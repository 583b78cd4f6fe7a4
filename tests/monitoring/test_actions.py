"""What is written about results, visits and tests, by whom, and what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Centre, User
from audit.models import Entry
from monitoring import actions
from monitoring.entry import Measures, TypedValue
from monitoring.models import Assessment, BodySize, Booking, MuscleGrade, ReferenceRange, Result, Waiver
from monitoring.scores.mmt8 import CELLS
from patients.models import Patient
from tests import factories
from tests.factories import AS_OF, NOW
from tests.writing import refused, rows, wrote

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
CK = TypedValue("ck", "480", "U/L", low="30", uln="190")


@pytest.fixture
def clinic() -> Centre:
    return factories.centre()


@pytest.fixture
def by(clinic: Centre) -> User:
    return factories.person(clinic)


@pytest.fixture
def patient(clinic: Centre, by: User) -> Patient:
    return factories.patient(clinic, by)


def panel(patient: Patient, by: User, *values: TypedValue, **change: Any) -> list[Result]:
    return actions.record_panel(
        **{"patient": patient, "taken_on": AS_OF, "values": values, "by": by, "now": NOW} | change
    )


def test_a_panel_is_recorded_with_values_and_limits_converted(patient: Patient, by: User) -> None:
    with wrote("monitoring.record_panel", by):
        panel(
            patient,
            by,
            CK,
            TypedValue("haemoglobin", "13.1", "g/dL", low="12", uln="15.5"),
            TypedValue("alt", "  ", "U/L"),
            TypedValue("hbsag", "negative"),
            taken_time=dt.time(8, 30),
            laboratory="Lab One",
        )
    ck, haemoglobin, hbsag = Result.objects.order_by("id")
    assert (ck.value, ck.low, ck.uln, ck.laboratory) == (480, 30, 190, "Lab One")
    assert ck.taken_at == dt.datetime(2025, 6, 15, 6, 30, tzinfo=dt.UTC)  # half past eight in Berlin
    assert (haemoglobin.value, haemoglobin.uln, haemoglobin.value_received, haemoglobin.unit_received) == (
        131, 155, "13.1", "g/dL",
    )  # fmt: skip
    assert (hbsag.value, hbsag.value_received) == (None, "negative")


def test_every_error_of_a_panel_is_said_at_once_and_nothing_is_written(patient: Patient, by: User) -> None:
    with refused("taken_on", "ck_unit", "alt", "ast", "ldh_uln"):
        panel(
            patient,
            by,
            TypedValue("ck", "480"),
            TypedValue("alt", "1,5", "U/L"),
            TypedValue("ast", "4000", "U/L"),
            TypedValue("ldh", "200", "U/L", uln="x"),
            TypedValue("ggt", "20", "U/L"),
            taken_on=AS_OF + DAY,
        )


def test_a_panel_needs_a_value_and_each_analyte_once(patient: Patient, by: User) -> None:
    with refused("values"):
        panel(patient, by, TypedValue("ck", ""))
    with refused("ck"):
        panel(patient, by, CK, CK)
    with refused("taken_time"):
        panel(patient, by, CK, taken_time=dt.time(11, 1))  # NOW is 11:00 in Berlin
    with refused("taken_on"):
        panel(patient, by, CK, taken_on=dt.date(1950, 1, 1))


def test_the_same_form_sent_twice_leaves_one_result(patient: Patient, by: User) -> None:
    panel(patient, by, CK)
    with refused("ck", code="exists"):
        panel(patient, by, CK)
    panel(patient, by, CK, taken_time=dt.time(7))  # a second sample of the day has a time
    assert Result.objects.count() == 2


def test_a_rare_value_waits_for_a_second_look(patient: Patient, by: User) -> None:
    with refused("ck", code="confirm"):
        panel(patient, by, TypedValue("ck", "60000", "U/L"))
    panel(patient, by, TypedValue("ck", "60000", "U/L", confirmed=True))


def test_a_result_is_corrected_through_the_same_reading(patient: Patient, by: User) -> None:
    (ck,) = panel(patient, by, CK)
    with refused("ck_unit"):
        actions.correct_result(result=ck, typed=TypedValue("ck", "8"), reason="r", by=by, now=NOW)
    with refused("analyte"):
        actions.correct_result(result=ck, typed=TypedValue("alt", "8", "U/L"), reason="r", by=by, now=NOW)
    with refused("reason"):
        actions.correct_result(result=ck, typed=CK, reason="", by=by, now=NOW)
    with wrote("monitoring.correct_result", by):
        actions.correct_result(
            result=ck, typed=TypedValue("ck", "9", "ukat/L"), reason="unit", taken_on=AS_OF - DAY, by=by, now=NOW
        )
    new = Result.objects.current().get()
    assert (new.value, new.uln, new.taken_on, new.supersedes) == (540, None, AS_OF - DAY, ck)


def test_a_correction_does_not_land_on_another_value(patient: Patient, by: User) -> None:
    (ck,) = panel(patient, by, CK)
    panel(patient, by, CK, taken_on=AS_OF - DAY)
    with refused("taken_on"):
        actions.correct_result(result=ck, typed=CK, reason="r", taken_on=AS_OF - DAY, by=by, now=NOW)


def test_a_result_is_withdrawn(patient: Patient, by: User) -> None:
    (ck,) = panel(patient, by, CK)
    with wrote("monitoring.withdraw_result", by):
        actions.withdraw_result(result=ck, reason="another patient's", by=by, now=NOW)
    assert not Result.objects.current().exists()


# ---------------------------------------------------------------------------------------------------- core set measures

FULL = dict.fromkeys(CELLS, 9)


def test_an_assessment_works_out_its_totals(patient: Patient, by: User) -> None:
    haq = {"items": dict.fromkeys(("dress", "stand", "cut", "walk", "wash", "bend"), 1), "aids": ["cane"]}
    with wrote("monitoring.record_assessment", by):
        made = actions.record_assessment(
            patient=patient,
            assessed_on=AS_OF,
            measures=Measures(physician_vas=Decimal(0), mmt8=FULL, haq=haq),
            by=by,
            now=NOW,
        )
    made.refresh_from_db()
    assert (made.mmt8_150, made.mmt8_80, made.mmt8_side) == (135, 72, "right")
    assert made.haq_di == Decimal("1.167")  # six categories of 1, walking lifted to 2
    assert (made.physician_vas, made.patient_vas) == (0, None)
    assert made.grades.count() == 15


@pytest.mark.parametrize(
    ("measures", "fields"),
    [
        (Measures(physician_vas=Decimal("10.1"), patient_vas=Decimal(-1)), {"physician_vas", "patient_vas"}),
        (Measures(physician_vas=Decimal("1.25")), {"physician_vas"}),
        (Measures(mmt8={CELLS[0]: 11, CELLS[1]: 5}), {"mmt8_neck_flexors_axial"}),
        (Measures(mmt8=FULL, mmt8_150=134), {"mmt8_150"}),
        (Measures(mmt8={CELLS[0]: 9}, mmt8_80=72), {"mmt8_80"}),
        (Measures(mmt8_150=151), {"mmt8_150"}),
        (Measures(haq={"items": {"fly": 1}}), {"haq"}),
        (Measures(haq={"items": {"dress": 4}}), {"haq"}),
        (Measures(haq={"items": {"dress": 1}, "help_with": ["flying"]}), {"haq"}),
        (Measures(haq_di=Decimal("3.1")), {"haq_di"}),
        (Measures(), set()),
        (Measures(note="only words"), set()),
    ],
)
def test_an_assessment_names_the_wrong_boxes(patient: Patient, by: User, measures: Measures, fields: set[str]) -> None:
    with refused(*fields):
        actions.record_assessment(patient=patient, assessed_on=AS_OF, measures=measures, by=by, now=NOW)


def test_a_second_person_adds_to_the_visit_of_the_day(patient: Patient, by: User) -> None:
    first = actions.record_assessment(patient=patient, assessed_on=AS_OF, measures=Measures(mmt8=FULL), by=by, now=NOW)
    doctor = Measures(physician_vas=Decimal(3), note="tired")
    with refused("assessed_on", code="exists"):
        actions.record_assessment(patient=patient, assessed_on=AS_OF, measures=doctor, by=by, now=NOW)
    with wrote("monitoring.complete_assessment", by):
        actions.complete_assessment(assessment=first, measures=doctor, by=by, now=NOW)
    whole = Assessment.objects.current().get()
    assert (whole.mmt8_150, whole.physician_vas, whole.note, whole.grades.count()) == (135, 3, "tired", 15)
    with refused("physician_vas", "mmt8", "mmt8_150", "mmt8_80", code="exists"):
        other = Measures(physician_vas=Decimal(4), mmt8=dict.fromkeys(CELLS, 8))
        actions.complete_assessment(assessment=whole, measures=other, by=by, now=NOW)


def test_an_assessment_is_corrected_as_a_whole(patient: Patient, by: User) -> None:
    first = actions.record_assessment(
        patient=patient, assessed_on=AS_OF, measures=Measures(mmt8=FULL, physician_vas=Decimal(2)), by=by, now=NOW
    )
    with wrote("monitoring.correct_assessment", by):
        actions.correct_assessment(
            assessment=first, measures=Measures(mmt8=FULL | {CELLS[0]: 4}), reason="neck", by=by, now=NOW
        )
    new = Assessment.objects.current().get()
    assert (new.mmt8_150, new.physician_vas) == (130, None)
    assert MuscleGrade.objects.get(assessment=new, muscle="neck_flexors").grade == 4
    assert MuscleGrade.objects.get(assessment=first, muscle="neck_flexors").grade == 9


# --------------------------------------------------------------------------------------------------- other measurements

Do = Callable[..., Any]


@pytest.mark.parametrize(
    ("name", "do", "good", "wrong"),
    [
        (
            "monitoring.record_lung_function",
            actions.record_lung_function,
            {"tested_on": AS_OF, "fvc_l": Decimal("3.1"), "dlco_percent_predicted": Decimal(60)},
            [
                ({"tested_on": AS_OF + DAY}, {"tested_on"}),
                ({"fvc_l": Decimal(31)}, {"fvc_l"}),
                ({"fvc_l": Decimal(9)}, {"fvc_l"}),
                ({"fvc_l": None, "dlco_percent_predicted": None}, set()),
                ({"dlco_hb_corrected": "perhaps"}, {"dlco_hb_corrected"}),
            ],
        ),
        (
            "monitoring.record_imaging",
            actions.record_imaging,
            {"modality": "hrct", "done_on": AS_OF, "ild": "absent"},
            [({"modality": "photo"}, {"modality"}), ({"done_on": AS_OF + DAY}, {"done_on"}), ({"ild": "x"}, {"ild"})],
        ),
        (
            "monitoring.record_body_size",
            actions.record_body_size,
            {"measured_on": AS_OF, "weight_kg": Decimal("70.5")},
            [
                ({"weight_kg": Decimal(705)}, {"weight_kg"}),
                ({"weight_kg": Decimal(29)}, {"weight_kg"}),
                ({"height_cm": Decimal("1.7")}, {"height_cm"}),
                ({"weight_kg": None}, set()),
                ({"measured_on": AS_OF + DAY}, {"measured_on"}),
            ],
        ),
        (
            "monitoring.record_functional_test",
            actions.record_functional_test,
            {"instrument": "ibmfrs", "tested_on": AS_OF, "score": Decimal(31)},
            [
                ({"score": Decimal(41)}, {"score"}),
                ({"score": None}, {"score"}),
                ({"instrument": "x"}, {"instrument"}),
                ({"instrument": "fi3", "score": Decimal(-1)}, {"score"}),
                ({"tested_on": AS_OF + DAY}, {"tested_on"}),
            ],
        ),
        (
            "monitoring.record_confounder",
            actions.record_confounder,
            {"kind": "statin", "happened_on": AS_OF},
            [({"kind": "x"}, {"kind"}), ({"happened_on": AS_OF + DAY}, {"happened_on"})],
        ),
        (
            "monitoring.set_personal_baseline",
            actions.set_personal_baseline,
            {"analyte": "ck", "value": Decimal(600), "set_on": AS_OF, "reason": "her normal"},
            [
                ({"analyte": "hbsag"}, {"analyte"}),
                ({"value": Decimal(0)}, {"value"}),
                ({"value": Decimal(3000000)}, {"value"}),
                ({"reason": " "}, {"reason"}),
                ({"set_on": AS_OF + DAY}, {"set_on"}),
            ],
        ),
        (
            "monitoring.book_test",
            actions.book_test,
            {"kind": "pft", "booked_for": AS_OF},
            [({"kind": "x"}, {"kind"}), ({"booked_for": AS_OF - DAY}, {"booked_for"})],
        ),
        (
            "monitoring.waive_test",
            actions.waive_test,
            {"test": "hrct", "why": "pregnancy", "ends_on": AS_OF + 364 * DAY},
            [
                ({"ends_on": AS_OF + 365 * DAY}, {"ends_on"}),
                ({"ends_on": AS_OF - DAY}, {"ends_on"}),
                ({"test": "pft"}, {"why"}),
                ({"why": "x"}, {"reason"}),
            ],
        ),
    ],
)
def test_a_measurement_is_written_refused_and_undone(
    patient: Patient, by: User, name: str, do: Do, good: dict[str, Any], wrong: list[tuple[dict[str, Any], set[str]]]
) -> None:
    for change, fields in wrong:
        with refused(*fields):
            do(patient=patient, **{**good, **change}, by=by, now=NOW)
    with wrote(name, by):
        made = do(patient=patient, **good, by=by, now=NOW)
    made.refresh_from_db()
    for field, value in good.items():
        assert getattr(made, "reason" if field == "why" else field) == value
    entry = Entry.objects.get()
    assert (entry.patient, entry.centre) == (patient, patient.centre)
    with wrote("monitoring.undo", by):
        actions.undo_recent(entry=entry, by=by, now=NOW + dt.timedelta(minutes=10))
    made.refresh_from_db()
    assert made.status == "entered_in_error"


def test_a_rare_weight_is_taken_once_confirmed(patient: Patient, by: User) -> None:
    actions.record_body_size(patient=patient, measured_on=AS_OF, weight_kg=Decimal(29), confirmed=True, by=by, now=NOW)
    assert BodySize.objects.get().weight_kg == 29


def test_a_booking_is_made_once_and_cancelled_without_being_an_error(patient: Patient, by: User) -> None:
    booking = actions.book_test(patient=patient, kind="pft", booked_for=AS_OF + DAY, by=by, now=NOW)
    with refused("booked_for", code="exists"):
        actions.book_test(patient=patient, kind="pft", booked_for=AS_OF + DAY, by=by, now=NOW)
    with refused("reason"):
        actions.cancel_booking(booking=booking, reason=" ", by=by, now=NOW)
    with wrote("monitoring.cancel_booking", by):
        actions.cancel_booking(booking=booking, reason="ill", by=by, now=NOW)
    booking.refresh_from_db()
    assert (booking.is_current, booking.status, booking.change_reason) == (False, "final", "ill")
    actions.undo_recent(entry=Entry.objects.latest("id"), by=by, now=NOW)
    again = Booking.objects.current().get()
    assert (again.booked_for, again.supersedes) == (AS_OF + DAY, booking)


def test_a_waiver_holds_to_its_last_day(patient: Patient, by: User) -> None:
    actions.waive_test(patient=patient, test="pft", why="declined", ends_on=AS_OF + DAY, by=by, now=NOW)
    assert Waiver.objects.active_on(AS_OF + DAY).exists()
    assert not Waiver.objects.active_on(AS_OF + 2 * DAY).exists()


# ---------------------------------------------------------------------------------------------------- the centre's own


def test_a_reference_range_follows_the_one_before(clinic: Centre, by: User) -> None:
    def put(day: dt.date, uln: int) -> None:
        actions.set_reference_range(centre=clinic, analyte="ck", starts_on=day, uln=Decimal(uln), by=by, now=NOW)

    with wrote("monitoring.set_reference_range", by):
        put(dt.date(2020, 1, 1), 170)
    put(dt.date(2024, 1, 1), 190)
    put(dt.date(2022, 1, 1), 180)
    put(dt.date(2024, 1, 1), 195)
    assert list(ReferenceRange.objects.order_by("starts_on").values_list("uln", "ends_on")) == [
        (170, dt.date(2021, 12, 31)), (180, dt.date(2023, 12, 31)), (195, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"analyte": "hiv"}, "analyte"),
        ({"uln": None}, "uln"),
        ({"uln": Decimal(0)}, "uln"),
        ({"low": Decimal(200)}, "uln"),
        ({"low": Decimal(-1)}, "low"),
        ({"sex": "x"}, "sex"),
    ],
)
def test_a_reference_range_names_the_wrong_field(clinic: Centre, by: User, change: dict[str, Any], field: str) -> None:
    good = {"analyte": "ck", "starts_on": AS_OF, "uln": Decimal(190)}
    with refused(field):
        actions.set_reference_range(centre=clinic, **{**good, **change}, by=by, now=NOW)


# ---------------------------------------------------------------------------------------------------------------- undo


def test_a_panel_is_undone_by_who_entered_it_and_by_nobody_else(clinic: Centre, patient: Patient, by: User) -> None:
    panel(patient, by, CK, TypedValue("alt", "20", "U/L"))
    entry = Entry.objects.get()
    somebody = factories.person(clinic)
    with refused():
        actions.undo_recent(entry=entry, by=somebody, now=NOW)
    with refused():
        actions.undo_recent(entry=entry, by=by, now=NOW + dt.timedelta(minutes=10, seconds=1))
    with wrote("monitoring.undo", by):
        assert len(actions.undo_recent(entry=entry, by=by, now=NOW + dt.timedelta(minutes=10))) == 2
    assert not Result.objects.current().exists()
    before = rows()
    with refused():
        actions.undo_recent(entry=entry, by=by, now=NOW)
    with refused():
        actions.undo_recent(entry=Entry.objects.latest("id"), by=by, now=NOW)
    assert rows() == before


def test_an_undone_correction_brings_the_old_values_back(patient: Patient, by: User) -> None:
    first = actions.record_assessment(patient=patient, assessed_on=AS_OF, measures=Measures(mmt8=FULL), by=by, now=NOW)
    actions.correct_assessment(
        assessment=first, measures=Measures(mmt8=dict.fromkeys(CELLS, 5)), reason="r", by=by, now=NOW
    )
    actions.undo_recent(entry=Entry.objects.latest("id"), by=by, now=NOW)
    now_there = Assessment.objects.current().get()
    assert (now_there.mmt8_150, {g.grade for g in now_there.grades.all()}) == (135, {9})


def test_what_was_changed_since_is_not_undone(patient: Patient, by: User) -> None:
    (ck,) = panel(patient, by, CK)
    entry = Entry.objects.get()
    actions.correct_result(result=ck, typed=TypedValue("ck", "500", "U/L"), reason="r", by=by, now=NOW)
    with refused():
        actions.undo_recent(entry=entry, by=by, now=NOW)
