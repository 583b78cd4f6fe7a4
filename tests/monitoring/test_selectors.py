"""What the pages ask, and that a long history costs no more than a short one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Centre
from monitoring import selectors
from monitoring.models import Assessment, BodySize, Imaging, LungFunction, PersonalBaseline, ReferenceRange, Result
from monitoring.scores.tis import Category, Measure
from monitoring.story import Story
from patients.models import Manifestation, Patient, Subtype
from tests import factories
from tests.factories import AS_OF, LONG_AGO
from therapy.models import Course, Dose, Infusion, TaperPlan, TaperStep

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def clinic() -> Centre:
    return factories.centre()


@pytest.fixture
def patient(clinic: Centre) -> Patient:
    return factories.patient(clinic, factories.person(clinic))


def result(patient: Patient, analyte: str, days: int, value: Any, uln: Any = None, **fields: Any) -> Result:
    return factories.fact(
        Result,
        patient,
        **{
            "analyte": analyte,
            "taken_on": AS_OF + days * DAY,
            "value": None if value is None else Decimal(value),
            "uln": None if uln is None else Decimal(uln),
            "value_received": str(value),
            "unit_received": "U/L",
        }
        | fields,
    )


def dose(patient: Patient, days: int, mg: int, until: int | None = None, course: Course | None = None) -> Dose:
    course = course or factories.fact(Course, patient, drug="prednisolone", route="oral")
    return factories.fact(
        Dose,
        patient,
        course=course,
        starts_on=AS_OF + days * DAY,
        ends_on=None if until is None else AS_OF + until * DAY,
        amount=Decimal(mg),
    )


def test_the_previous_value_is_the_latest_by_day_time_and_entry(patient: Patient, clinic: Centre) -> None:
    moment = dt.datetime(2025, 6, 14, 8, tzinfo=dt.UTC)
    result(patient, "ck", -1, 300, taken_at=moment)
    newest = result(patient, "ck", -1, 400, taken_at=moment + dt.timedelta(hours=1))
    result(patient, "ck", -1, 500)  # without a time: before those with one
    result(patient, "ck", 1, 600)  # after the day asked about
    result(patient, "ck", 0, 700, retired_at=LONG_AGO, retired_by=patient.created_by)
    result(patient, "alt", -400, 0, 40)
    result(factories.patient(clinic, patient.created_by), "ck", 0, 900)
    ReferenceRange.objects.create(
        centre=clinic, analyte="ck", sex="female", uln=Decimal(200), starts_on=AS_OF - 9 * DAY
    )
    found = selectors.previous_values(patient, ["ck", "alt", "ldh"], AS_OF)
    assert set(found) == {"ck", "alt"}
    assert (found["ck"].id, found["ck"].value, found["ck"].uln, found["ck"].times_uln) == (newest.pk, 400, 200, 2)
    assert (found["alt"].value, found["alt"].uln, found["alt"].times_uln) == (0, 40, 0)


def test_the_grid_shows_the_newest_days_and_where_older_ones_begin(patient: Patient) -> None:
    for days in (0, -10, -20, -30):
        result(patient, "ck", days, 100 - days, 110)
    result(patient, "alt", -10, 30)
    result(patient, "alt", -10, 31)
    result(patient, "hbsag", -20, None, value_received="negative")
    grid = selectors.results_grid(patient, AS_OF, days=3)
    assert list(grid.days) == [AS_OF, AS_OF - 10 * DAY, AS_OF - 20 * DAY]
    assert grid.older == AS_OF - 20 * DAY
    by_code = {row.code: row for row in grid.rows}
    assert [cell and cell.text for cell in by_code["ck"].cells] == ["100", "110", "120"]
    assert [cell and cell.high for cell in by_code["ck"].cells] == [False, False, True]  # 110 is not above 110
    alt = by_code["alt"].cells
    assert (alt[0], alt[1] and (alt[1].value, alt[1].more, alt[1].high)) == (None, (31, 1, None))
    word = by_code["hbsag"].cells[2]
    assert word is not None
    assert word.text == "negative"
    older = selectors.results_grid(patient, AS_OF, days=3, before=grid.older)
    assert (list(older.days), older.older) == ([AS_OF - 30 * DAY], None)
    assert selectors.results_grid(patient, AS_OF - 31 * DAY).days == ()


def test_a_series_keeps_the_latest_of_each_day(patient: Patient) -> None:
    result(patient, "ck", -2, 100)
    result(patient, "ck", -2, 200)
    result(patient, "ck", -1, 300)
    result(patient, "ck", -1, None)  # the latest of its day cannot be converted: the day has no point
    result(patient, "ck", 0, 400)
    assert [(p.day, p.value) for p in selectors.series(patient, "ck", AS_OF)] == [(AS_OF - 2 * DAY, 200), (AS_OF, 400)]
    assert [p.value for p in selectors.series(patient, "ck", AS_OF, limit=1)] == [400]


def test_a_weight_holds_for_ninety_days(patient: Patient) -> None:
    factories.fact(BodySize, patient, measured_on=AS_OF - 91 * DAY, weight_kg=Decimal(80))
    assert selectors.weight_on(patient, AS_OF) is None
    dose(patient, -5, 30)
    assert [line.per_kg for line in selectors.treatment_now(patient, AS_OF)] == [None]
    factories.fact(BodySize, patient, measured_on=AS_OF - 90 * DAY, weight_kg=Decimal(60))
    factories.fact(BodySize, patient, measured_on=AS_OF, height_cm=Decimal(170))
    (line,) = selectors.treatment_now(patient, AS_OF)
    assert (line.dose, line.per_kg, line.pe_mg, line.since) == (
        "30 mg a day", Decimal("0.50"), Decimal("30.00"), AS_OF - 5 * DAY,
    )  # fmt: skip


FULL = {
    "physician_vas": Decimal(6), "patient_vas": Decimal(6), "extramuscular_vas": Decimal(4), "haq_di": Decimal(2),
    "mmt8_150": 100, "mmt8_80": 55,
}  # fmt: skip
BETTER = FULL | {"physician_vas": Decimal(2), "mmt8_150": 140, "haq_di": Decimal(1)}


def visit(patient: Patient, days: int, **fields: Any) -> Assessment:
    return factories.fact(Assessment, patient, assessed_on=AS_OF + days * DAY, **fields)


def test_improvement_is_judged_against_the_baseline_of_the_episode(patient: Patient) -> None:
    dose(patient, -100, 40)
    visit(patient, -129, **FULL | {"mmt8_150": 10})  # 29 days before the first day: too early
    baseline = visit(patient, -100 + 14, **FULL)
    visit(patient, -1, **BETTER)
    result(patient, "ck", -86, 3000, 200)
    result(patient, "ldh", -86, 900, 200)  # 4.5 times, against 15 times
    result(patient, "ck", -3, 600, 200)
    result(patient, "ck", -1, 500)  # nearer, but without a limit
    newest, base, early = selectors.core_sets(patient, AS_OF)
    assert (base.assessment, base.is_baseline, base.tis, early.tis) == (baseline, True, None, None)
    assert base.core.enzyme is not None
    assert (base.core.enzyme.name, newest.missing) == ("ck", ())
    assert newest.tis is not None
    # physician 40 % -> 17.5, strength 26.7 % -> 27.5, HAQ 33 % -> 7.5, enzyme 80 % -> 7.5
    assert (newest.tis.total, newest.tis.category) == (Decimal("60.0"), Category.MAJOR)


def test_without_an_episode_or_in_inclusion_body_myositis_there_is_no_score(patient: Patient) -> None:
    visit(patient, -100, **FULL)
    visit(patient, -1, **BETTER)
    assert [view.tis for view in selectors.core_sets(patient, AS_OF)] == [None, None]
    dose(patient, -100, 40)
    assert selectors.core_sets(patient, AS_OF)[0].tis is not None
    Patient.objects.filter(pk=patient.pk).update(subtype=Subtype.INCLUSION_BODY)
    patient.refresh_from_db()
    assert selectors.core_sets(patient, AS_OF)[0].tis is None


def test_a_missing_enzyme_leaves_an_interval(patient: Patient) -> None:
    dose(patient, -100, 40)
    visit(patient, -100, **FULL)
    visit(patient, -1, **BETTER)
    score = selectors.core_sets(patient, AS_OF)[0].tis
    assert score is not None
    assert (score.total, score.missing, score.lowest, score.highest) == (
        None, (Measure.ENZYME,), Decimal("52.5"), Decimal("60.0"),
    )  # fmt: skip


@pytest.mark.parametrize(("days", "found"), [(-29, False), (-28, True), (28, True), (29, False)])
def test_an_enzyme_counts_within_twenty_eight_days_either_way(patient: Patient, days: int, found: bool) -> None:
    result(patient, "ck", -50 + days, 100, 200)
    near = selectors.nearest_enzymes(patient, [AS_OF - 50 * DAY], AS_OF)
    assert (AS_OF - 50 * DAY in near) is found


def test_of_two_equally_near_enzymes_the_later_counts(patient: Patient) -> None:
    result(patient, "ck", -53, 100, 200)
    result(patient, "ck", -47, 300, 200)
    enzyme = selectors.nearest_enzymes(patient, [AS_OF - 50 * DAY], AS_OF)[AS_OF - 50 * DAY]["ck"]
    assert enzyme.value == 300


def fill(patient: Patient) -> None:
    course = dose(patient, -100, 40, until=-51).course
    dose(patient, -50, 20, course=course)
    ivig = factories.fact(Course, patient, drug="ivig", route="intravenous")
    factories.fact(Infusion, patient, course=ivig, given_on=AS_OF - 30 * DAY, amount=Decimal(70))
    plan = factories.fact(TaperPlan, patient)
    factories.fact(TaperStep, patient, plan=plan, step_on=AS_OF + 7 * DAY, dose_pe_mg=Decimal(15))
    visit(patient, -100, **FULL)
    visit(patient, -1, **BETTER)
    result(patient, "ck", -100, 3000, 200)
    result(patient, "ck", -1, 500, 200)
    factories.fact(LungFunction, patient, tested_on=AS_OF - 60 * DAY, fvc_percent_predicted=Decimal(80))


def test_the_story_holds_every_lane(patient: Patient) -> None:
    fill(patient)
    story = selectors.story(patient, AS_OF)
    assert isinstance(story, Story)
    assert [(t.drug, t.kind, t.dose) for t in story.treatments] == [
        ("Prednisolone", "glucocorticoid", "40 mg a day"),
        ("Prednisolone", "glucocorticoid", "20 mg a day"),
        ("Immunoglobulin (IVIG)", "infusion", "70 g"),
    ]
    assert [(s.start, s.end, s.mg_per_day) for s in story.steroid] == [
        (AS_OF - 100 * DAY, AS_OF - 51 * DAY, 40), (AS_OF - 50 * DAY, None, 20),
    ]  # fmt: skip
    assert [(s.day, s.mg_per_day) for s in story.steroid_plan] == [(AS_OF + 7 * DAY, 15)]
    assert [(p.day, p.value, p.uln) for p in story.ck] == [(AS_OF - 100 * DAY, 3000, 200), (AS_OF - DAY, 500, 200)]
    assert [(b.start, b.low, b.high) for b in story.ck_bands] == [(AS_OF - 100 * DAY, 1770, 5100)]
    assert {s.key for s in (*story.strength, *story.scores, *story.lung)} == {
        "mmt8", "haq_di", "tis", "physician_vas", "patient_vas", "extramuscular_vas", "fvc",
    }  # fmt: skip
    assert (story.start, story.end) == (AS_OF - 100 * DAY, AS_OF + 7 * DAY)
    factories.fact(PersonalBaseline, patient, analyte="ck", value=Decimal(1000), set_on=AS_OF - 9 * DAY, reason="r")
    assert [(b.start, b.low) for b in selectors.story(patient, AS_OF).ck_bands] == [(AS_OF - 9 * DAY, 590)]
    assert not selectors.story(patient, AS_OF).is_empty


def test_an_empty_record_has_an_empty_story(patient: Patient) -> None:
    assert selectors.story(patient, AS_OF).is_empty
    assert selectors.core_sets(patient, AS_OF) == []


def test_ten_thousand_results_cost_the_same_queries_and_a_bounded_number_of_rows(patient: Patient) -> None:
    fill(patient)

    def read() -> tuple[int, Story]:
        with CaptureQueriesContext(connection) as queries:
            story = selectors.story(patient, AS_OF)
            selectors.results_grid(patient, AS_OF)
            selectors.previous_values(patient, ["ck", "alt"], AS_OF)
        return len(queries), story

    few, _ = read()
    Result.objects.bulk_create(
        Result(
            patient=patient, analyte="ck", taken_on=AS_OF - n % 5000 * DAY, value=Decimal(100 + n % 7),
            uln=Decimal(200), value_received="1", unit_received="U/L", recorded_at=LONG_AGO,
            recorded_by=patient.created_by,
        )
        for n in range(10_000)
    )  # fmt: skip
    many, story = read()
    assert many == few <= 16
    assert len(story.ck) == selectors.POINTS


def test_lung_disease_is_known_from_a_diagnosis_or_a_ct_and_stays_known(patient: Patient) -> None:
    assert selectors.header(patient, AS_OF).ild_known_since is None
    for modality, ild, days in (
        ("hrct", "absent", -90), ("chest_xray", "present", -80), ("hrct", "present", -20), ("hrct", "present", -10),
    ):  # fmt: skip
        factories.fact(Imaging, patient, modality=modality, ild=ild, done_on=AS_OF + days * DAY)
    assert selectors.header(patient, AS_OF).ild_known_since == AS_OF - 20 * DAY
    assert selectors.header(patient, AS_OF - 21 * DAY).ild_known_since is None
    ended = {"onset_on": AS_OF - 60 * DAY, "ended_on": AS_OF - 50 * DAY}
    factories.fact(Manifestation, patient, kind="ild", **ended)
    assert selectors.header(patient, AS_OF).ild_known_since == AS_OF - 60 * DAY
