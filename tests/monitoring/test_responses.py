"""Every visit against the baseline of its own episode, and what got worse."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring import selectors
from monitoring.models import Assessment, Result
from monitoring.responses import VisitResponse, WhyNot, is_validated, tis_by_visit
from monitoring.scores.tis import Category, Measure
from monitoring.scores.worsening import Reason, Status
from patients.models import Patient, Subtype
from tests import factories
from tests.factories import AS_OF, LONG_AGO
from therapy.models import Course, Dose, Infusion

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
D = Decimal


@pytest.fixture
def patient() -> Patient:
    clinic = factories.centre()
    return factories.patient(clinic, factories.person(clinic))


def result(patient: Patient, days: int, value: str, analyte: str = "ck", uln: str = "200") -> None:
    factories.fact(
        Result, patient, analyte=analyte, taken_on=AS_OF + days * DAY, value=D(value), uln=D(uln), value_received=value,
        unit_received="U/L",
    )  # fmt: skip


def dose(patient: Patient, days: int, until: int | None = None, mg: int = 40) -> None:
    course = factories.fact(Course, patient, drug="prednisolone", route="oral")
    ends_on = None if until is None else AS_OF + until * DAY
    factories.fact(Dose, patient, course=course, starts_on=AS_OF + days * DAY, ends_on=ends_on, amount=D(mg))


def visit(
    patient: Patient,
    days: int,
    vas: str = "6.0 5.0 2.0",
    mmt8: int | None = 120,
    haq: str | None = "1.5",
    **fields: Any,
) -> Assessment:
    """`vas`: physician, patient, extramuscular."""
    numbers = [None if text == "-" else D(text) for text in vas.split()]
    names = ("physician_vas", "patient_vas", "extramuscular_vas")
    return factories.fact(
        Assessment, patient, assessed_on=AS_OF + days * DAY, mmt8_150=mmt8, haq_di=None if haq is None else D(haq),
        **dict(zip(names, numbers, strict=True)), **fields,
    )  # fmt: skip


def by_day(patient: Patient) -> dict[int, VisitResponse]:
    return {(r.assessment.assessed_on - AS_OF).days: r for r in tis_by_visit(patient, AS_OF)}


def test_the_moderate_example_of_the_rule_book_from_the_record(patient: Patient) -> None:
    """Example 2 of 1.7: TIS 50; and with the extramuscular scale missing, 50 to 70."""
    dose(patient, -100)
    visit(patient, -100)
    visit(patient, -20, "4.0 4.0 2.0", 138, "1.125")
    visit(patient, -10, "4.0 4.0 -", 138, "1.125")
    result(patient, -100, "2500")
    result(patient, -21, "1300")
    found = by_day(patient)
    assert found[-100].why_not is WhyNot.IS_BASELINE
    assert found[-100].is_baseline
    assert found[-100].tis is None
    assert found[-20].tis.total == 50
    assert found[-20].tis.category is Category.MODERATE
    assert found[-20].enzyme == "ck"
    assert (found[-20].began_on, found[-20].baseline_on) == (AS_OF - 100 * DAY, AS_OF - 100 * DAY)
    assert (found[-10].tis.lowest, found[-10].tis.highest, found[-10].tis.category) == (50, 70, None)
    assert found[-10].tis.at_least is Category.MODERATE
    assert list(found) == [-10, -20, -100], "newest first"


def test_the_enzyme_of_the_baseline_is_followed_and_never_swapped(patient: Patient) -> None:
    """Example 5: ALT is the most abnormal; three measures are worse and the score is 40 all the same."""
    dose(patient, -100)
    visit(patient, -100, "6.0 4.0 6.0", 140, "0.625")
    visit(patient, -50, "3.0 5.5 2.5", 138, "0.75")
    visit(patient, -5, "3.0 5.5 2.5", 138, "0.75")
    result(patient, -100, "120", "alt", "40")
    result(patient, -100, "400", "ck", "200")
    result(patient, -50, "60", "alt", "40")
    result(patient, -5, "9000", "ck", "200")  # ALT was not measured near this one
    found = by_day(patient)
    assert found[-50].enzyme == "alt"
    assert found[-50].tis.total == 40
    assert found[-50].tis.worsening == (Measure.PATIENT_VAS, Measure.MMT, Measure.HAQ_DI)
    assert found[-5].tis.missing == (Measure.ENZYME,)


def test_each_episode_has_its_own_baseline(patient: Patient) -> None:
    dose(patient, -800, -600)
    visit(patient, -800, "8.0 5.0 2.0")
    visit(patient, -700, "4.0 5.0 2.0")
    visit(patient, -510, "3.0 5.0 2.0")  # 90 days after the last dose
    visit(patient, -509, "3.0 5.0 2.0")  # 91
    dose(patient, -200)
    visit(patient, -228, "7.0 5.0 2.0")  # 28 days before
    visit(patient, -100, "5.0 5.0 2.0")
    found = by_day(patient)
    assert {day: r.baseline_on and (r.baseline_on - AS_OF).days for day, r in found.items()} == {
        -100: -228, -228: -228, -509: None, -510: -800, -700: -800, -800: -800,
    }  # fmt: skip
    assert found[-509].why_not is WhyNot.NO_EPISODE
    improved = {day: r.tis.measures[0].improvement for day, r in found.items() if r.tis}
    assert improved == {-700: 40, -510: 50, -100: 20}


@pytest.mark.parametrize(("day", "is_baseline"), [(-129, False), (-128, True), (-100, True), (-86, True), (-85, False)])
def test_the_window_of_the_baseline(patient: Patient, day: int, is_baseline: bool) -> None:
    dose(patient, -100)
    visit(patient, day)
    assert by_day(patient)[day].is_baseline is is_baseline
    later = {-129: WhyNot.NO_EPISODE, -85: WhyNot.NO_BASELINE}
    assert by_day(patient)[day].why_not is later.get(day, WhyNot.IS_BASELINE)


def test_the_newest_in_the_window_is_the_baseline(patient: Patient) -> None:
    dose(patient, -100)
    visit(patient, -100)
    visit(patient, -90)
    second = visit(patient, -90)
    found = tis_by_visit(patient, AS_OF)
    assert [r.assessment.pk for r in found if r.is_baseline] == [second.pk]
    assert [r.why_not for r in found] == [WhyNot.IS_BASELINE, WhyNot.BEFORE_BASELINE, WhyNot.BEFORE_BASELINE]


def test_a_pulse_given_as_an_infusion_begins_the_episode(patient: Patient) -> None:
    pulse = factories.fact(Course, patient, drug="methylprednisolone", route="intravenous")
    for day in (-150, -149, -148):
        factories.fact(Infusion, patient, course=pulse, given_on=AS_OF + day * DAY, amount=D(1000))
    dose(patient, -100)
    visit(patient, -140)
    visit(patient, -100)
    found = by_day(patient)
    assert found[-100].began_on == AS_OF - 150 * DAY
    assert found[-140].is_baseline
    assert found[-100].tis is not None


def test_not_in_inclusion_body_myositis(patient: Patient) -> None:
    patient.subtype = Subtype.INCLUSION_BODY
    patient.save()
    dose(patient, -100)
    visit(patient, -100)
    visit(patient, -10)
    found = by_day(patient)
    assert {r.why_not for r in found.values()} == {WhyNot.INCLUSION_BODY}
    assert found[-100].is_baseline
    assert not is_validated(patient)


@pytest.mark.parametrize(("subtype", "category"), [("dermatomyositis", "minimal"), ("juvenile", "none")])
def test_children_have_their_own_limits(patient: Patient, subtype: str, category: str) -> None:
    """Example 3 of 1.7 is 27.5: minimal in an adult, none in a child."""
    patient.subtype = subtype
    patient.save()
    dose(patient, -100)
    for day, vas, mmt8, haq, ck in ((-100, "5.0 6.0 3.0", 64, "1.25", "900"), (-10, "4.2 5.5 2.0", 67, "1.25", "700")):
        visit(patient, day, vas, None, haq, mmt8_80=mmt8)
        result(patient, day, ck)
    response = by_day(patient)[-10]
    assert response.tis.total == D("27.5")
    assert response.tis.category == category
    assert is_validated(patient)


@pytest.mark.parametrize(
    ("subtype", "validated"),
    [("polymyositis", True), ("necrotising", False), ("antisynthetase", False), ("amyopathic", False)],
)
def test_where_the_score_was_validated(patient: Patient, subtype: str, validated: bool) -> None:
    patient.subtype = subtype
    assert is_validated(patient) is validated


def test_deterioration_is_told_of_every_visit_and_confirmed_by_the_next(patient: Patient) -> None:
    dose(patient, -400)
    for day, extramuscular in ((-400, "2.0"), (-300, "4.0"), (-200, "4.0"), (-100, "3.9"), (-10, "4.5")):
        visit(patient, day, f"6.0 5.0 {extramuscular}")
    found = by_day(patient)
    assert {day: r.status for day, r in found.items()} == {
        -10: Status.NONE,  # the best is more than a year old; of the newer ones 3.9 is the best
        -100: Status.NONE, -200: Status.CONFIRMED, -300: Status.ONCE, -400: Status.NONE,
    }  # fmt: skip
    assert found[-300].deterioration.reasons == (Reason.EXTRAMUSCULAR,)
    assert not found[-400].deterioration.evaluable


def test_what_came_before_the_baseline_is_not_compared_with(patient: Patient) -> None:
    visit(patient, -150, "1.0 1.0 0.0")
    dose(patient, -100)
    visit(patient, -100, "6.0 5.0 2.0")
    visit(patient, -50, "6.0 5.0 2.0")
    found = by_day(patient)
    assert found[-50].status is Status.NONE
    assert not found[-100].deterioration.evaluable


def test_an_assessment_without_any_measure_is_told_and_not_judged(patient: Patient) -> None:
    dose(patient, -100)
    visit(patient, -100)
    visit(patient, -50, "- - -", None, None)
    response = by_day(patient)[-50]
    assert response.deterioration is None
    assert (response.tis.lowest, response.tis.highest) == (0, 100)
    assert response.tis.measures[0].why_missing == "not available at follow-up"


def test_only_what_counts_and_only_until_the_day(patient: Patient) -> None:
    dose(patient, -100)
    visit(patient, -100)
    visit(patient, -20, retired_at=LONG_AGO, retired_by=patient.created_by)
    visit(patient, 1)
    assert list(by_day(patient)) == [-100]
    assert tis_by_visit(factories.patient(patient.centre, patient.created_by), AS_OF) == []


def test_it_says_what_the_page_of_the_patient_says(patient: Patient) -> None:
    dose(patient, -300)
    pulse = factories.fact(Course, patient, drug="methylprednisolone", route="intravenous")
    for day in (-340, -340, -339):  # the episode begins with it, so that its baseline is the visit of day -330
        factories.fact(Infusion, patient, course=pulse, given_on=AS_OF + day * DAY, amount=D(500))
    for day in range(-330, 0, 30):
        visit(patient, day, f"{6 + day % 3}.0 5.0 2.0", 120 + day % 20)
        result(patient, day, str(2000 + 4 * day))
    page = {view.assessment.pk: view.tis for view in selectors.core_sets(patient, AS_OF)}
    assert {r.assessment.pk: r.tis for r in tis_by_visit(patient, AS_OF)} == page
    assert by_day(patient)[-330].is_baseline
    drawn = next(line for line in selectors.story(patient, AS_OF).scores if line.key == "tis")
    told = {r.assessment.assessed_on: r.tis.total for r in tis_by_visit(patient, AS_OF) if r.tis}
    assert {point.day: point.value for point in drawn.points} == told


def test_a_long_history_costs_the_same_queries(patient: Patient) -> None:
    dose(patient, -900)
    asked = []
    for days in (range(-900, -890, 5), range(-880, 0, 5)):
        for day in days:
            visit(patient, day)
            result(patient, day, "900")
        with CaptureQueriesContext(connection) as queries:
            tis_by_visit(patient, AS_OF)
        asked.append(len(queries))
    assert asked == [4, 4]
