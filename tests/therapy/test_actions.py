"""What is written about treatment, by whom, and what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from audit.models import Entry
from monitoring.actions import undo_recent
from patients.actions import correct_fact, withdraw_fact
from patients.models import Patient
from tests import factories
from tests.factories import AS_OF, NOW
from tests.writing import refused, wrote
from therapy import actions, selectors
from therapy.models import (
    Course,
    CourseStop,
    Dose,
    Infusion,
    PhysioDecline,
    PhysioPause,
    PhysioPlan,
    PhysioSession,
    SessionOutcome,
    TaperHold,
    TaperPlan,
    TaperStep,
)

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
PREDNISOLONE: dict[str, Any] = {
    "drug": "prednisolone",
    "route": "oral",
    "starts_on": AS_OF - 100 * DAY,
    "amount": Decimal(40),
}
METHOTREXATE: dict[str, Any] = {
    "drug": "methotrexate",
    "route": "oral",
    "starts_on": AS_OF,
    "amount": Decimal(15),
    "every_days": 7,
}


@pytest.fixture
def by() -> User:
    return factories.person(factories.centre())


@pytest.fixture
def patient(by: User) -> Patient:
    return factories.patient(by.memberships.get().centre, by)


@pytest.fixture
def course(patient: Patient, by: User) -> Course:
    return actions.start_course(patient=patient, **PREDNISOLONE, by=by, now=NOW)


def periods(course: Course) -> list[tuple[int, int | None, int]]:
    """(first day, last day, amount) of the current doses, days from AS_OF."""
    return [
        ((d.starts_on - AS_OF).days, None if d.ends_on is None else (d.ends_on - AS_OF).days, int(d.amount))
        for d in Dose.objects.current().filter(course=course).order_by("starts_on")
    ]


def undo(by: User) -> None:
    undo_recent(entry=Entry.objects.latest("id"), by=by, now=NOW)


# ------------------------------------------------------------------------------------------------------ courses, doses


def test_a_course_begins_with_its_first_dose_and_is_undone_with_it(patient: Patient, by: User) -> None:
    with wrote("therapy.start_course", by):
        course = actions.start_course(patient=patient, **METHOTREXATE, indication="arthritis", by=by, now=NOW)
    dose = Dose.objects.get()
    assert (course.drug, course.indication, dose.amount, dose.times, dose.every_days, dose.patient) == (
        "methotrexate", "arthritis", 15, 1, 7, patient,
    )  # fmt: skip
    with wrote("monitoring.undo", by):
        undo(by)
    assert not Course.objects.current().exists()
    assert not Dose.objects.current().exists()


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"every_days": 1}, {"every_days"}),
        ({"every_days": 6}, {"every_days"}),
        ({"times": 2}, {"every_days"}),
        ({"drug": "aspirin"}, {"drug"}),
        ({"route": "intravenous"}, {"route"}),
        ({"amount": Decimal(0), "route": "topical"}, {"amount", "route"}),
        ({"times": 0, "every_days": 400}, {"times", "every_days"}),
        ({"ends_on": AS_OF - DAY}, {"ends_on"}),
        ({"starts_on": dt.date(1950, 1, 1)}, {"starts_on"}),
        ({"starts_on": AS_OF + 3000 * DAY}, {"starts_on"}),
    ],
)
def test_a_course_names_the_wrong_fields(patient: Patient, by: User, change: dict[str, Any], fields: set[str]) -> None:
    with refused(*fields):
        actions.start_course(patient=patient, **{**METHOTREXATE, **change}, by=by, now=NOW)


@pytest.mark.parametrize(
    ("dose", "outside"),
    [
        ({"amount": Decimal(25)}, False),
        ({"amount": Decimal("25.5")}, True),
        ({"amount": Decimal("7.5")}, False),
        ({"amount": Decimal(5)}, True),
        ({"amount": Decimal(30), "every_days": 14}, False),  # 15 mg a week
    ],
)
def test_a_dose_outside_its_range_asks_why(patient: Patient, by: User, dose: dict[str, Any], outside: bool) -> None:
    if outside:
        with refused("out_of_range_reason", code="confirm"):
            actions.start_course(patient=patient, **{**METHOTREXATE, **dose}, by=by, now=NOW)
        dose = {**dose, "out_of_range_reason": "slow escalation"}
    actions.start_course(patient=patient, **{**METHOTREXATE, **dose}, by=by, now=NOW)
    assert Dose.objects.get().out_of_range_reason == dose.get("out_of_range_reason", "")


def test_a_range_per_kg_is_judged_only_with_a_weight(patient: Patient, by: User) -> None:
    azathioprine = {"drug": "azathioprine", "route": "oral", "starts_on": AS_OF, "amount": Decimal(200)}
    with refused("out_of_range_reason", code="confirm"):  # 4 mg/kg
        actions.start_course(patient=patient, **azathioprine, weight_kg=Decimal(50), by=by, now=NOW)
    actions.start_course(patient=patient, **azathioprine, by=by, now=NOW)


def test_a_drug_by_one_route_is_taken_once_at_a_time(patient: Patient, course: Course, by: User) -> None:
    with refused("drug", code="exists"):
        actions.start_course(patient=patient, **PREDNISOLONE, by=by, now=NOW)
    actions.stop_course(course=course, stopped_on=AS_OF, reason="remission", by=by, now=NOW)
    actions.start_course(patient=patient, **PREDNISOLONE | {"starts_on": AS_OF + DAY}, by=by, now=NOW)


def test_a_new_dose_ends_the_running_one_the_day_before_and_is_undone(course: Course, by: User) -> None:
    with wrote("therapy.change_dose", by):
        actions.change_dose(course=course, starts_on=AS_OF - 10 * DAY, amount=Decimal(30), by=by, now=NOW)
    assert periods(course) == [(-100, -11, 40), (-10, None, 30)]
    with wrote("monitoring.undo", by):
        undo(by)
    assert periods(course) == [(-100, None, 40)]


def test_a_dose_that_contradicts_the_others_is_refused(course: Course, by: User) -> None:
    actions.change_dose(course=course, starts_on=AS_OF - 10 * DAY, amount=Decimal(30), by=by, now=NOW)
    with refused("starts_on", code="exists"):
        actions.change_dose(course=course, starts_on=AS_OF - 10 * DAY, amount=Decimal(20), by=by, now=NOW)
    with refused("starts_on", code="exists"):
        actions.change_dose(course=course, starts_on=AS_OF - 20 * DAY, amount=Decimal(20), by=by, now=NOW)
    with refused("amount"):
        actions.change_dose(course=course, starts_on=AS_OF, amount=Decimal(30), by=by, now=NOW)
    with refused("out_of_range_reason", code="confirm"):
        actions.change_dose(course=course, starts_on=AS_OF, amount=Decimal(81), by=by, now=NOW)


def test_methotrexate_is_not_made_daily_by_a_change(patient: Patient, by: User) -> None:
    course = actions.start_course(patient=patient, **METHOTREXATE, by=by, now=NOW)
    with refused("every_days", code="refused"):
        actions.change_dose(course=course, starts_on=AS_OF + DAY, amount=Decimal(15), by=by, now=NOW)
    dose = Dose.objects.get()
    with refused("every_days", code="refused"):
        actions.correct_dose(dose=dose, reason="r", starts_on=AS_OF, ends_on=None, amount=Decimal(15), by=by, now=NOW)
    with pytest.raises(TypeError):
        correct_fact(fact=dose, reason="r", changes={"every_days": 1}, by=by, now=NOW)


def test_a_dose_is_corrected_within_its_course(course: Course, by: User) -> None:
    new = actions.change_dose(course=course, starts_on=AS_OF - 10 * DAY, amount=Decimal(30), by=by, now=NOW)
    kept: dict[str, Any] = {
        "dose": new,
        "reason": "typing",
        "ends_on": None,
        "amount": Decimal(35),
        "by": by,
        "now": NOW,
    }
    with refused("starts_on", code="exists"):
        actions.correct_dose(**kept, starts_on=AS_OF - 11 * DAY)
    with wrote("therapy.correct_dose", by):
        actions.correct_dose(**kept, starts_on=AS_OF - 9 * DAY)
    assert periods(course) == [(-100, -11, 40), (-9, None, 35)]


def test_a_stop_ends_the_dose_drops_later_ones_and_is_undone(course: Course, by: User) -> None:
    actions.change_dose(course=course, starts_on=AS_OF + 5 * DAY, amount=Decimal(30), by=by, now=NOW)
    for change, fields in (
        ({"reason": "bored"}, {"reason"}),
        ({"stopped_on": AS_OF - 101 * DAY}, {"stopped_on"}),
    ):
        with refused(*fields):
            actions.stop_course(
                **{"course": course, "stopped_on": AS_OF, "reason": "toxicity", "by": by, "now": NOW} | change
            )
    with wrote("therapy.stop_course", by):
        actions.stop_course(course=course, stopped_on=AS_OF, reason="toxicity", note="rash", by=by, now=NOW)
    assert periods(course) == [(-100, 0, 40)]
    assert CourseStop.objects.get().note == "rash"
    with refused():
        actions.stop_course(course=course, stopped_on=AS_OF, reason="toxicity", by=by, now=NOW)
    with refused():
        actions.change_dose(course=course, starts_on=AS_OF + DAY, amount=Decimal(30), by=by, now=NOW)
    undo(by)
    assert periods(course) == [(-100, 4, 40), (5, None, 30)]
    assert not CourseStop.objects.current().exists()


def test_a_course_entered_in_error_takes_its_doses_along_and_comes_back_with_them(course: Course, by: User) -> None:
    actions.change_dose(course=course, starts_on=AS_OF, amount=Decimal(30), by=by, now=NOW)
    course.refresh_from_db()
    with refused():
        correct_fact(fact=course, reason="r", changes={"indication": "x"}, by=by, now=NOW)
    withdraw_fact(fact=course, reason="another patient's", by=by, now=NOW)
    assert not Dose.objects.current().exists()
    with refused():
        actions.change_dose(course=course, starts_on=AS_OF + DAY, amount=Decimal(20), by=by, now=NOW)
    undo(by)
    back = Course.objects.current().get()
    assert back.supersedes == course
    assert periods(back) == [(-100, -1, 40), (0, None, 30)]


def test_an_infusion_is_recorded_once(patient: Patient, by: User) -> None:
    ivig = actions.start_course(
        patient=patient, drug="ivig", route="intravenous", starts_on=AS_OF - 40 * DAY, amount=Decimal(140),
        every_days=28, by=by, now=NOW,
    )  # fmt: skip
    good: dict[str, Any] = {
        "course": ivig,
        "given_on": AS_OF,
        "amount": Decimal(70),
        "batch": "B1",
        "by": by,
        "now": NOW,
    }
    for change, field in (
        ({"amount": Decimal(0)}, "amount"),
        ({"given_on": AS_OF + DAY}, "given_on"),
        ({"max_rate_ml_per_hour": Decimal(0)}, "max_rate_ml_per_hour"),
        ({"reaction": "x"}, "reaction"),
    ):
        with refused(field):
            actions.record_infusion(**good | change)
    with wrote("therapy.record_infusion", by):
        actions.record_infusion(**good, reaction="mild", max_rate_ml_per_hour=Decimal(200))
    with refused("given_on", code="exists"):
        actions.record_infusion(**good)
    assert [i.reaction for i in selectors.infusions(patient, AS_OF)] == ["mild"]
    undo_recent(entry=Entry.objects.get(action="therapy.record_infusion"), by=by, now=NOW)
    assert not Infusion.objects.current().exists()


# -------------------------------------------------------------------------------------------------------------- taper

STEPS = [(AS_OF - 7 * DAY, Decimal(20)), (AS_OF, Decimal(15)), (AS_OF + 7 * DAY, Decimal(0))]


@pytest.fixture
def plan(patient: Patient, by: User) -> TaperPlan:
    return actions.plan_taper(patient=patient, steps=STEPS, by=by, now=NOW)


def steps(plan: TaperPlan) -> list[TaperStep]:
    return [view.step for view in selectors.steps_of(plan)]


def test_a_taper_is_planned_one_at_a_time(patient: Patient, by: User) -> None:
    with refused("steps"):
        actions.plan_taper(patient=patient, steps=[], by=by, now=NOW)
    with refused("step_1_step_on", "step_0_dose_pe_mg"):
        actions.plan_taper(patient=patient, steps=[(AS_OF, Decimal(-1)), (AS_OF, Decimal(5))], by=by, now=NOW)
    with wrote("therapy.plan_taper", by):
        made = actions.plan_taper(patient=patient, steps=STEPS, template="usual", note="slow", by=by, now=NOW)
    assert [(s.step_on, s.dose_pe_mg) for s in steps(made)] == STEPS
    with refused("steps", code="exists"):
        actions.plan_taper(patient=patient, steps=STEPS, by=by, now=NOW)
    undo(by)
    assert selectors.active_taper(patient, AS_OF) is None


def test_only_the_earliest_unconfirmed_step_is_confirmed(patient: Patient, plan: TaperPlan, by: User) -> None:
    first, second, last = steps(plan)
    with refused(code="order"):
        actions.confirm_step(step=second, confirmed_on=AS_OF, by=by, now=NOW)
    with refused("confirmed_on"):
        actions.confirm_step(step=first, confirmed_on=AS_OF + DAY, by=by, now=NOW)
    with wrote("therapy.confirm_step", by):
        actions.confirm_step(step=first, confirmed_on=AS_OF, by=by, now=NOW)
    with refused(code="exists") as told:
        actions.confirm_step(step=first, confirmed_on=AS_OF, by=by, now=NOW)
    assert f"{by} confirmed it on 15 Jun 2025, " in str(told.value)
    taper = selectors.active_taper(patient, AS_OF)
    assert taper is not None
    assert taper.next_step == second
    undo(by)
    actions.confirm_step(step=first, confirmed_on=AS_OF, by=by, now=NOW)  # after an undo it can be confirmed again
    for step in (second, last):
        actions.confirm_step(step=step, confirmed_on=AS_OF, by=by, now=NOW)
    assert selectors.active_taper(patient, AS_OF) is None


def test_a_confirmed_step_changes_the_dose_in_the_same_breath(
    patient: Patient, plan: TaperPlan, course: Course, by: User
) -> None:
    first, second, last = steps(plan)
    actions.confirm_step(step=first, confirmed_on=AS_OF, course=course, by=by, now=NOW)
    assert periods(course) == [(-100, -8, 40), (-7, None, 20)]
    undo(by)
    assert periods(course) == [(-100, None, 40)]
    actions.confirm_step(step=first, confirmed_on=AS_OF, course=course, by=by, now=NOW)
    actions.confirm_step(step=second, confirmed_on=AS_OF, course=course, by=by, now=NOW)
    actions.confirm_step(step=last, confirmed_on=AS_OF, course=course, by=by, now=NOW)  # earlier than planned
    assert CourseStop.objects.current().get().stopped_on == AS_OF - DAY


def test_a_step_changes_only_a_glucocorticoid_of_the_same_patient(patient: Patient, plan: TaperPlan, by: User) -> None:
    first = steps(plan)[0]
    methotrexate = actions.start_course(patient=patient, **METHOTREXATE, by=by, now=NOW)
    other = factories.patient(patient.centre, by)
    theirs = actions.start_course(patient=other, **PREDNISOLONE, by=by, now=NOW)
    for wrong in (methotrexate, theirs):
        with refused("course"):
            actions.confirm_step(step=first, confirmed_on=AS_OF, course=wrong, by=by, now=NOW)


def test_a_hold_is_made_and_released_yesterday(patient: Patient, plan: TaperPlan, by: User) -> None:
    with refused("reason"):
        actions.hold_taper(plan=plan, starts_on=AS_OF, reason=" ", by=by, now=NOW)
    with refused("ends_on"):
        actions.hold_taper(plan=plan, starts_on=AS_OF, ends_on=AS_OF - DAY, reason="r", by=by, now=NOW)
    with refused():
        actions.release_taper(plan=plan, by=by, now=NOW)
    with wrote("therapy.hold_taper", by):
        actions.hold_taper(plan=plan, starts_on=AS_OF - 3 * DAY, reason="infection", by=by, now=NOW)
    with refused("starts_on", code="exists"):
        actions.hold_taper(plan=plan, starts_on=AS_OF, reason="r", by=by, now=NOW)
    taper = selectors.active_taper(patient, AS_OF)
    assert taper is not None
    assert taper.hold is not None
    with wrote("therapy.release_taper", by):
        actions.release_taper(plan=plan, by=by, now=NOW)
    held = TaperHold.objects.current().get()
    assert (held.ends_on, held.reason, held.change_reason) == (AS_OF - DAY, "infection", "Released")
    undo(by)
    assert TaperHold.objects.current().get().ends_on is None


def test_a_hold_of_today_that_is_released_today_lapses(plan: TaperPlan, by: User) -> None:
    actions.hold_taper(plan=plan, starts_on=AS_OF, reason="a slip", by=by, now=NOW)
    actions.release_taper(plan=plan, by=by, now=NOW)
    assert not TaperHold.objects.current().exists()


def test_a_taper_ends_and_another_may_begin_the_day_after(patient: Patient, plan: TaperPlan, by: User) -> None:
    with refused("reason"):
        actions.end_taper(plan=plan, ended_on=AS_OF, reason="", by=by, now=NOW)
    with refused("ended_on"):
        actions.end_taper(plan=plan, ended_on=AS_OF + DAY, reason="flare", by=by, now=NOW)
    with wrote("therapy.end_taper", by):
        actions.end_taper(plan=plan, ended_on=AS_OF - DAY, reason="flare", by=by, now=NOW)
    with refused():
        actions.end_taper(plan=plan, ended_on=AS_OF, reason="flare", by=by, now=NOW)
    with refused():
        actions.confirm_step(step=steps(plan)[0], confirmed_on=AS_OF, by=by, now=NOW)
    actions.plan_taper(patient=patient, steps=STEPS, by=by, now=NOW)


# ------------------------------------------------------------------------------------------------------ physiotherapy


@pytest.fixture
def physio(patient: Patient, by: User) -> PhysioPlan:
    return actions.plan_physio(patient=patient, starts_on=AS_OF - 30 * DAY, by=by, now=NOW)


def test_physiotherapy_is_planned(patient: Patient, by: User) -> None:
    with wrote("therapy.plan_physio", by):
        actions.plan_physio(patient=patient, starts_on=AS_OF, sessions_per_week=3, goal="stairs", by=by, now=NOW)
    with refused("starts_on", code="exists"):
        actions.plan_physio(patient=patient, starts_on=AS_OF, by=by, now=NOW)
    with refused("sessions_per_week"):
        actions.plan_physio(patient=patient, starts_on=AS_OF + DAY, sessions_per_week=15, by=by, now=NOW)
    assert [p.goal for p in selectors.active_physio_plans(patient, AS_OF)] == ["stairs"]
    undo(by)
    assert not selectors.active_physio_plans(patient, AS_OF)


def test_sessions_are_booked_weekly_all_or_none(physio: PhysioPlan, by: User) -> None:
    with wrote("therapy.book_sessions", by):
        actions.book_sessions(plan=physio, first_on=AS_OF, count=3, by=by, now=NOW)
    assert [v.session.held_on for v in selectors.sessions(physio)] == [AS_OF + 14 * DAY, AS_OF + 7 * DAY, AS_OF]
    with refused("first_on", code="exists"):
        actions.book_sessions(plan=physio, first_on=AS_OF - 7 * DAY, count=2, by=by, now=NOW)
    with refused("count", "every_days", "first_on"):
        actions.book_sessions(plan=physio, first_on=AS_OF - 31 * DAY, count=0, every_days=0, by=by, now=NOW)
    undo(by)
    assert selectors.sessions(physio) == []


def test_an_outcome_is_recorded_and_recorded_again(physio: PhysioPlan, by: User) -> None:
    today, ahead = actions.book_sessions(plan=physio, first_on=AS_OF, count=2, by=by, now=NOW)
    with refused("word"):
        actions.record_outcome(session=ahead, word="attended", by=by, now=NOW)
    with refused("word"):
        actions.record_outcome(session=today, word="slept", by=by, now=NOW)
    actions.record_outcome(session=ahead, word="cancelled_by_clinic", by=by, now=NOW)
    with wrote("therapy.record_outcome", by):
        actions.record_outcome(session=today, word="did_not_attend", by=by, now=NOW)
    with refused("word"):
        actions.record_outcome(session=today, word="did_not_attend", by=by, now=NOW)
    actions.record_outcome(session=today, word="attended", reason="was there", by=by, now=NOW)
    assert [v.word for v in selectors.sessions(physio)] == ["cancelled_by_clinic", "attended"]
    undo(by)
    assert [v.label for v in selectors.sessions(physio)] == ["Cancelled by the clinic", "Not recorded as attended"]
    assert SessionOutcome.objects.current().count() == 2


def test_a_plan_is_paused_resumed_and_ended(patient: Patient, physio: PhysioPlan, by: User) -> None:
    actions.book_sessions(plan=physio, first_on=AS_OF - 7 * DAY, count=3, by=by, now=NOW)
    with refused():
        actions.resume_physio(plan=physio, by=by, now=NOW)
    with refused("reason"):
        actions.pause_physio(plan=physio, starts_on=AS_OF, reason="", by=by, now=NOW)
    with wrote("therapy.pause_physio", by):
        actions.pause_physio(plan=physio, starts_on=AS_OF - 5 * DAY, reason="fracture", by=by, now=NOW)
    with wrote("therapy.resume_physio", by):
        actions.resume_physio(plan=physio, by=by, now=NOW)
    assert PhysioPause.objects.current().get().ends_on == AS_OF - DAY
    with refused("ended_on"):
        actions.end_physio(plan=physio, ended_on=AS_OF - 31 * DAY, reason="done", by=by, now=NOW)
    with wrote("therapy.end_physio", by):
        actions.end_physio(plan=physio, ended_on=AS_OF - DAY, reason="done", by=by, now=NOW)
    assert [v.session.held_on for v in selectors.sessions(physio)] == [AS_OF - 7 * DAY]
    assert not selectors.active_physio_plans(patient, AS_OF)
    with refused("first_on"):
        actions.book_sessions(plan=physio, first_on=AS_OF, by=by, now=NOW)
    undo(by)
    assert PhysioSession.objects.current().count() == 3
    assert selectors.active_physio_plans(patient, AS_OF)


def test_a_decline_lasts_to_its_end_or_half_a_year(patient: Patient, by: User) -> None:
    with refused("ends_on"):
        actions.decline_physio(patient=patient, declined_on=AS_OF, ends_on=AS_OF - DAY, by=by, now=NOW)
    with refused("declined_on"):
        actions.decline_physio(patient=patient, declined_on=AS_OF + DAY, by=by, now=NOW)
    with wrote("therapy.decline_physio", by):
        actions.decline_physio(patient=patient, declined_on=AS_OF, by=by, now=NOW)
    assert selectors.decline_on(patient, AS_OF + 183 * DAY) is not None
    assert selectors.decline_on(patient, AS_OF + 184 * DAY) is None
    undo(by)
    assert not PhysioDecline.objects.current().exists()
