"""The pages of a taper, used without JavaScript, on a fixed day."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from audit.models import Access
from clinic import paper_calendar
from clinic.selectors.taper import running_calendar
from tests import factories
from tests.clinic.one_patient import alert, full
from tests.clinic.test_treatment import keep_count
from tests.factories import AS_OF, NOW, fact
from therapy.models import (
    Course,
    CourseStop,
    Dose,
    StockedTablet,
    TaperConfirmation,
    TaperEnd,
    TaperHold,
    TaperPlan,
    TaperStep,
)

D = Decimal


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def url(patient: Any, rest: str = "") -> str:
    return f"/patients/{patient.public_id}/taper/{rest}"


@pytest.fixture
def on_steroid(clinic, clinician) -> Any:
    patient = factories.patient(clinic, clinician)
    course = fact(Course, patient, drug="prednisone", route="oral")
    fact(Dose, patient, course=course, starts_on=ago(40), amount=D(20))
    return patient


@pytest.fixture
def tapering(on_steroid) -> Any:
    """20 mg confirmed, 15 mg due since 2 days, then 10 mg and none."""
    plan = fact(TaperPlan, on_steroid, template="t-step")
    for days, mg in ((40, 20), (2, 15), (-14, 10), (-28, 0)):
        step = fact(TaperStep, on_steroid, plan=plan, step_on=ago(days), dose_pe_mg=D(mg))
        if mg == 20:
            fact(TaperConfirmation, on_steroid, step=step, confirmed_on=ago(40))
    return on_steroid


def step_of(patient: Any, mg: int) -> TaperStep:
    return TaperStep.objects.current().get(patient=patient, dose_pe_mg=mg)


def paths(patient: Any) -> list[str]:
    plan, step = TaperPlan.objects.get(patient=patient), step_of(patient, 15)
    parts = (f"steps/{step.pk}/confirm/", f"{plan.pk}/hold/", f"{plan.pk}/release/", f"{plan.pk}/end/")
    return [url(patient, part) for part in parts]


def test_only_prescribers_change_a_taper(tapering, signed_in) -> None:
    nurse = signed_in(role=Role.NURSE)
    page = nurse.get(url(tapering))
    assert page.status_code == 200
    assert "Put on hold" not in page.content.decode()
    for path in [*paths(tapering)[1:], url(tapering, "plan/"), "/tablets/"]:
        assert nurse.post(path, {"reason": "x"}).status_code == 403
    assert signed_in(role=Role.PHYSIOTHERAPIST).post(paths(tapering)[0], {}).status_code == 403
    assert signed_in(role=Role.RESEARCHER).get(url(tapering)).status_code == 403


def test_a_nurse_confirms_a_step_that_is_due_at_its_planned_dose(tapering, signed_in) -> None:
    person = factories.person(tapering.centre, Role.NURSE)
    nurse = signed_in(person)
    assert "Confirm the step" in nurse.get(url(tapering)).content.decode()
    course = Course.objects.get(patient=tapering)
    sent = {"confirmed_on": "2025-06-15", "course": course.pk}
    assert nurse.post(paths(tapering)[0], sent).status_code == 302
    assert TaperConfirmation.objects.get(step=step_of(tapering, 15)).recorded_by == person
    assert Dose.objects.current().get(ends_on=None).amount == 15
    early = nurse.post(url(tapering, f"steps/{step_of(tapering, 10).pk}/confirm/"), sent)
    assert early.status_code == 422
    assert "A clinician can confirm it early." in early.content.decode()
    assert not TaperConfirmation.objects.filter(step=step_of(tapering, 10)).exists()
    assert "can be confirmed from" in nurse.get(url(tapering)).content.decode()


def test_a_nurse_gives_no_reason_for_a_dose_out_of_range(on_steroid, signed_in) -> None:
    plan = fact(TaperPlan, on_steroid)
    step = fact(TaperStep, on_steroid, plan=plan, step_on=AS_OF, dose_pe_mg=D(120))
    fact(TaperStep, on_steroid, plan=plan, step_on=ago(-14), dose_pe_mg=D(20))
    sent = {
        "confirmed_on": "2025-06-15", "course": Course.objects.get().pk, "out_of_range_reason": "Because",
    }  # fmt: skip
    path = url(on_steroid, f"steps/{step.pk}/confirm/")
    refused = signed_in(role=Role.NURSE).post(path, sent)
    assert refused.status_code == 422
    assert "A clinician confirms it, with a reason." in refused.content.decode()
    assert not TaperConfirmation.objects.exists()
    assert signed_in().post(path, sent).status_code == 302


# ----------------------------------------------------------------------------------------------------- two at once


def test_who_confirms_second_is_told_who_was_first(tapering, clinician, signed_in) -> None:
    first, second = signed_in(clinician), signed_in()
    sent = {"confirmed_on": "2025-06-15"}
    assert first.post(paths(tapering)[0], sent).status_code == 302
    told = second.post(url(tapering, f"steps/{step_of(tapering, 15).pk}/confirm/"), sent)
    assert told.status_code == 422
    assert f"{clinician} confirmed it on 15 Jun 2025, " in told.content.decode()


def test_who_confirms_the_last_step_second_is_told_although_the_plan_is_over(on_steroid, clinician, signed_in) -> None:
    plan = fact(TaperPlan, on_steroid)
    step = fact(TaperStep, on_steroid, plan=plan, step_on=AS_OF, dose_pe_mg=D(15))
    path = url(on_steroid, f"steps/{step.pk}/confirm/")
    assert signed_in(clinician).post(path, {"confirmed_on": "2025-06-15"}).status_code == 302
    told = signed_in().post(path, {"confirmed_on": "2025-06-15"})
    assert told.status_code == 422
    assert f"{clinician} confirmed it on 15 Jun 2025, " in told.content.decode()


def test_who_holds_second_is_told_who_was_first(tapering, clinician, signed_in) -> None:
    sent = {"starts_on": "2025-06-15", "reason": "Infection"}
    assert signed_in(clinician).post(paths(tapering)[1], sent).status_code == 302
    told = signed_in().post(paths(tapering)[1], {**sent, "reason": "CK rises"})
    assert f"That time is covered already: {clinician} recorded it on 15 Jun 2025, " in told.content.decode()
    assert 'value="CK rises"' in told.content.decode()
    assert TaperHold.objects.current().get().reason == "Infection"


def test_a_hold_of_the_meantime_is_told_before_a_step_is_confirmed(tapering, clinician, signed_in) -> None:
    fact(TaperHold, tapering, plan=TaperPlan.objects.get(), starts_on=ago(1), reason="CK rises", recorded_by=clinician)
    browser = signed_in()
    assert 'name="hold_seen" value="on"' in browser.get(url(tapering)).content.decode()
    told = browser.post(paths(tapering)[0], {"confirmed_on": "2025-06-15"})
    assert told.status_code == 422
    page = told.content.decode()
    assert f"Meanwhile {clinician} put the taper on hold (CK rises)." in page
    assert 'name="hold_seen" value="on"' in page
    assert TaperConfirmation.objects.count() == 1
    assert browser.post(paths(tapering)[0], {"confirmed_on": "2025-06-15", "hold_seen": "on"}).status_code == 302


# ------------------------------------------------------------------------------------------------------ on the alert


def due_alert(patient: Any, **fields: Any) -> Any:
    evidence = {"step_id": step_of(patient, 15).pk, "plan_id": TaperPlan.objects.get().pk, "reasons": []}
    return alert(patient, "taper-step-due", "TASK", AS_OF, evidence=evidence, **fields)


def test_a_step_is_confirmed_on_its_alert_and_one_stays_there(tapering, signed_in) -> None:
    browser = signed_in()
    waiting = due_alert(tapering)
    page = browser.get(f"/alerts/{waiting.public_id}/").content.decode()
    assert "Confirm the step" in page
    assert "Hold the taper" in page
    assert "End the plan" not in page
    sent = {"confirmed_on": "2025-06-15", "back": str(waiting.public_id)}
    answer = browser.post(paths(tapering)[0], sent)
    assert answer["Location"] == f"/alerts/{waiting.public_id}/"
    page = browser.get(answer["Location"]).content.decode()
    assert "Step confirmed." in page
    assert "Hold the taper" not in page  # the next step is not what this alert is about


def test_a_taper_is_held_on_its_alert(tapering, signed_in) -> None:
    waiting = due_alert(tapering)
    sent = {"starts_on": "2025-06-15", "reason": "", "back": str(waiting.public_id)}
    browser = signed_in()
    refused = browser.post(paths(tapering)[1], sent)
    assert refused.status_code == 422
    assert f'name="back" value="{waiting.public_id}"' in refused.content.decode()
    answer = browser.post(paths(tapering)[1], {**sent, "reason": "CK rises"})
    assert answer["Location"] == f"/alerts/{waiting.public_id}/"
    assert TaperHold.objects.get().reason == "CK rises"


def test_the_way_back_leads_to_alerts_of_this_patient_only(tapering, clinic, clinician, signed_in) -> None:
    elsewhere = alert(factories.patient(clinic, clinician), "ck-rising", "TASK", AS_OF)
    for back in (str(elsewhere.public_id), "https://elsewhere.example/", "x"):
        sent = {"starts_on": "2025-06-15", "reason": "CK rises", "back": back}
        assert signed_in(clinician).post(paths(tapering)[1], sent)["Location"] == url(tapering)
        TaperHold.objects.all().delete()


def test_a_closed_alert_confirms_nothing(tapering, signed_in) -> None:
    closed = due_alert(tapering, closed_at=NOW, state="closed")
    assert "Confirm the step" not in signed_in().get(f"/alerts/{closed.public_id}/").content.decode()


def test_plans_of_others_do_not_exist(tapering, clinic, clinician, signed_in) -> None:
    elsewhere = factories.centre()
    stranger = signed_in(factories.person(elsewhere))
    neighbour = factories.patient(clinic, clinician)
    assert stranger.get(url(tapering)).status_code == 404
    assert stranger.get(url(tapering, "plan/")).status_code == 404
    for path in paths(tapering):
        assert stranger.post(path, {"reason": "x"}).status_code == 404
        other = path.replace(str(tapering.public_id), str(neighbour.public_id))
        assert signed_in(clinician).post(other, {"reason": "x"}).status_code == 404
        assert signed_in(clinician).get(path).url == url(tapering), "the page above the form"
    assert not TaperHold.objects.exists()


# ---------------------------------------------------------------------------------------------------------- reading


def test_planned_stands_beside_taken(tapering, signed_in) -> None:
    answer = signed_in().get(url(tapering))
    lines = answer.context["page"].running.lines
    assert [(line.step.dose_pe_mg, line.taken, line.state, line.differs) for line in lines] == [
        (20, D(20), "confirmed", ""), (15, D(20), "due", "more"), (10, None, "ahead", ""), (0, None, "ahead", ""),
    ]  # fmt: skip
    page = answer.content.decode()
    assert "▲ more than planned" in page
    running = answer.context["page"].running
    # 38 days at 20 mg and 3 at 15 planned, 41 at 20 taken
    assert (running.planned_mg, running.taken_mg) == (D(805), D(820))
    assert Access.objects.get().page == "clinic:taper"


def test_a_step_is_overdue_after_a_week_and_not_before(on_steroid, signed_in) -> None:
    plan = fact(TaperPlan, on_steroid)
    step = fact(TaperStep, on_steroid, plan=plan, step_on=ago(7), dose_pe_mg=D(15))
    later = fact(TaperStep, on_steroid, plan=plan, step_on=ago(-7), dose_pe_mg=D(10))
    assert signed_in().get(url(on_steroid)).context["page"].running.lines[0].state == "due"
    TaperStep.objects.filter(pk=step.pk).update(step_on=ago(8))
    assert signed_in().get(url(on_steroid)).context["page"].running.lines[0].state == "overdue"
    assert later.step_on > AS_OF


def test_signs_of_activity_come_first(tapering, signed_in) -> None:
    alert(tapering, "ck-rising", "TASK", ago(3))
    assert "Signs of activity" not in signed_in().get(url(tapering)).content.decode()
    alert(tapering, "ck-rising", "ACTION", ago(2), subject="second")
    page = signed_in().get(url(tapering)).content.decode()
    assert page.index("Signs of activity are open") < page.index("Planned and taken")
    assert "Confirm only if the step is still right" in page
    assert "Signs of activity are open" in signed_in().get(url(tapering, "plan/")).content.decode()


def test_a_page_without_a_plan_says_what_to_do(on_steroid, signed_in) -> None:
    assert "Plan a taper" in signed_in().get(url(on_steroid)).content.decode()
    assert "Plan a taper" not in signed_in(role=Role.NURSE).get(url(on_steroid)).content.decode()


def test_the_page_asks_no_more_for_a_long_history(clinic, clinician, signed_in) -> None:
    few, lots = full(clinic, clinician, AS_OF), full(clinic, clinician, AS_OF, many=3000, every_days=3)
    for patient, plans, steps in ((few, 1, 1), (lots, 15, 30)):
        for n in range(plans):
            plan = fact(TaperPlan, patient)
            fact(TaperEnd, patient, plan=plan, ended_on=ago(300 + n), reason="Flare")
            for k in range(steps):
                fact(TaperStep, patient, plan=plan, step_on=ago(900 - k), dose_pe_mg=D(40 - k))
    running = TaperPlan.objects.filter(patient=lots).earliest("id")
    for k in range(30):
        fact(TaperStep, lots, plan=running, step_on=ago(-100 - k), dose_pe_mg=D(6))
    browser = signed_in(clinician)
    browser.get(url(few))
    asked = []
    for patient in (few, lots):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(url(patient)).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
    keep_count("clinic:taper", asked[0])


# --------------------------------------------------------------------------------------------------------- planning


def boxes(page: str) -> dict[str, str]:
    """Every named box of the second form and what stands in it."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1].startswith("step_"):
            found[name[1]] = value[1] if value else ""
    return found


SCHEDULE = {
    "do": "work_out", "template": "t-step", "starts_on": "2025-06-15", "start_mg": "60", "hold_weeks": "4",
}  # fmt: skip


def test_a_schedule_fills_in_the_steps_which_are_then_saved(on_steroid, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    assert 'value="20"' in browser.get(url(on_steroid, "plan/")).content.decode()
    page = browser.post(url(on_steroid, "plan/"), SCHEDULE).content.decode()
    typed = boxes(page)
    assert typed["step_0_step_on"] == "2025-06-15"
    assert (typed["step_1_step_on"], typed["step_1_dose_pe_mg"]) == ("2025-07-13", "50")
    assert typed["step_6_dose_pe_mg"] == "17.5"
    assert "<strong>4970 mg</strong>" in page
    assert not TaperPlan.objects.exists()
    typed["step_1_dose_pe_mg"] = "45"
    sent = {**typed, "do": "save", "note": "Slowly", "template": "t-step", "worked_out": "yes"}
    answer = browser.post(url(on_steroid, "plan/"), sent, follow=True)
    assert answer.redirect_chain == [(url(on_steroid), 302)]
    plan = TaperPlan.objects.get()
    assert (plan.template, plan.note) == ("t-step", "Slowly")
    steps = list(TaperStep.objects.filter(plan=plan).order_by("step_on").values_list("dose_pe_mg", flat=True))
    assert steps == [60, 45, 40, 30, 25, 20, D("17.5"), 15, D("12.5"), 10, D("7.5"), 5, D("2.5"), 0]


def test_steps_can_be_typed_without_a_schedule_and_rows_left_empty(on_steroid, signed_in) -> None:
    sent = {
        "do": "save", "step_0_step_on": "2025-06-15", "step_0_dose_pe_mg": "20", "step_1_step_on": "",
        "step_1_dose_pe_mg": "", "step_4_step_on": "2025-07-15", "step_4_dose_pe_mg": "0", "template": "t-step",
    }  # fmt: skip
    assert signed_in().post(url(on_steroid, "plan/"), sent).status_code == 302
    assert TaperPlan.objects.get().template == ""
    assert list(TaperStep.objects.order_by("step_on").values_list("dose_pe_mg", flat=True)) == [20, 0]


def test_an_error_stands_in_the_row_it_is_about_and_everything_is_kept(on_steroid, signed_in) -> None:
    sent = {
        "do": "save", "step_0_step_on": "2025-06-15", "step_0_dose_pe_mg": "20", "step_3_step_on": "2025-06-01",
        "step_3_dose_pe_mg": "15", "step_5_step_on": "2025-09-01", "step_5_dose_pe_mg": "12,500", "note": "Keep me",
    }  # fmt: skip
    answer = signed_in().post(url(on_steroid, "plan/"), sent)
    form = answer.context["steps"]
    assert answer.status_code == 422
    assert set(form.errors) == {"step_5_dose_pe_mg"}
    assert 'value="12,500"' in answer.content.decode()
    assert 'value="Keep me"' in answer.content.decode()
    answer = signed_in().post(url(on_steroid, "plan/"), {**sent, "step_5_dose_pe_mg": "12.5"})
    assert set(answer.context["steps"].errors) == {"step_3_step_on"}
    answer = signed_in().post(url(on_steroid, "plan/"), {**sent, "step_5_dose_pe_mg": "", "step_0_step_on": ""})
    assert {"step_0_step_on", "step_5_dose_pe_mg"} <= set(answer.context["steps"].errors)
    assert not TaperPlan.objects.exists()


def test_more_rows_keep_what_was_typed(on_steroid, signed_in) -> None:
    sent = {"do": "more", "step_0_step_on": "2025-06-15", "step_0_dose_pe_mg": "2o", "note": "Keep me"}
    page = signed_in().post(url(on_steroid, "plan/"), sent).content.decode()
    typed = boxes(page)
    assert (typed["step_0_step_on"], typed["step_0_dose_pe_mg"]) == ("2025-06-15", "2o")
    assert 'value="Keep me"' in page
    assert len(typed) == 2 * (6 + 4)


def test_a_schedule_that_cannot_be_followed_says_so_at_its_box(on_steroid, signed_in) -> None:
    sent = {**SCHEDULE, "template": "t-weekly", "start_mg": "90"}
    answer = signed_in().post(url(on_steroid, "plan/"), sent)
    assert answer.status_code == 422
    assert "begins with at most 80 mg" in answer.content.decode()
    assert 'value="90"' in answer.content.decode()
    open_dose = boxes(signed_in().post(url(on_steroid, "plan/"), {**SCHEDULE, "template": "t-bsr"}).content.decode())
    assert (open_dose["step_1_step_on"], open_dose["step_1_dose_pe_mg"]) == ("2025-07-13", "")


def test_a_second_plan_is_refused_while_one_runs(tapering, signed_in) -> None:
    sent = {"do": "save", "step_0_step_on": "2025-06-15", "step_0_dose_pe_mg": "20"}
    answer = signed_in().post(url(tapering, "plan/"), sent)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "planned it on" in page
    assert "End it before another begins." in page
    assert 'value="20"' in page  # what was typed stays
    assert TaperPlan.objects.count() == 1


def test_doses_the_tablets_do_not_make_are_asked_about(on_steroid, signed_in) -> None:
    StockedTablet.objects.create(centre=on_steroid.centre, drug="prednisone", strength_mg=D(5))
    sent = {"do": "save", "step_0_step_on": "2025-06-16", "step_0_dose_pe_mg": "17.5"}
    sent |= {"step_1_step_on": "2025-06-30", "step_1_dose_pe_mg": "15"}
    browser = signed_in()
    page = browser.post(url(on_steroid, "plan/"), sent).content.decode()
    assert "do not make these doses: 17.5 mg, nearest 15 mg or 20 mg. Change them, or tick the box." in page
    assert '<input type="checkbox" name="tablets_seen"' in page
    assert 'value="17.5"' in page
    assert not TaperPlan.objects.exists()
    assert browser.post(url(on_steroid, "plan/"), {**sent, "tablets_seen": "on"}).status_code == 302
    assert TaperStep.objects.count() == 2


def test_the_steps_stand_in_a_calendar_before_they_are_saved(on_steroid, signed_in) -> None:
    page = signed_in().post(url(on_steroid, "plan/"), SCHEDULE).content.decode()
    assert "These steps as a calendar" in page
    assert "Dose of each day of June 2025, mg" in page
    backwards = {"do": "more", "step_0_step_on": "2025-06-16", "step_0_dose_pe_mg": "20"}
    backwards |= {"step_1_step_on": "2025-06-10", "step_1_dose_pe_mg": "15"}
    page = signed_in().post(url(on_steroid, "plan/"), backwards).content.decode()
    assert "These steps as a calendar" not in page


def test_htmx_gets_the_fragment_of_the_plan(on_steroid, signed_in) -> None:
    answer = signed_in().post(url(on_steroid, "plan/"), SCHEDULE, headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert 'id="plan"' in answer.content.decode()


# ---------------------------------------------------------------------------------- confirming, holding, ending


def confirm(browser: Any, patient: Any, mg: int, **typed: Any) -> Any:
    path = url(patient, f"steps/{step_of(patient, mg).pk}/confirm/")
    return browser.post(path, {"confirmed_on": "2025-06-15", "course": "", **typed})


def test_a_step_is_confirmed_and_the_dose_follows(tapering, clinician, signed_in) -> None:
    course = Course.objects.get()
    page = signed_in(clinician).get(url(tapering)).content.decode()
    assert f'<option value="{course.pk}" selected>Prednisone, by mouth: now 20 mg a day</option>' in page
    assert confirm(signed_in(clinician), tapering, 15, course=course.pk).status_code == 302
    doses = Dose.objects.current().order_by("starts_on").values_list("starts_on", "ends_on", "amount")
    assert list(doses) == [(ago(40), ago(3), D(20)), (ago(2), None, D(15))]
    assert signed_in(clinician).get(url(tapering)).context["page"].running.lines[1].differs == ""


def test_a_step_is_confirmed_without_a_dose(tapering, signed_in) -> None:
    assert confirm(signed_in(), tapering, 15).status_code == 302
    assert TaperConfirmation.objects.count() == 2
    assert Dose.objects.count() == 1


def test_steps_are_confirmed_in_their_order_and_not_ahead_of_time(tapering, signed_in) -> None:
    answer = confirm(signed_in(), tapering, 10)
    assert answer.status_code == 422
    assert "Only the earliest unconfirmed step" in answer.content.decode()
    ahead = confirm(signed_in(), tapering, 15, confirmed_on="2025-06-16")
    assert ahead.status_code == 422
    assert 'value="2025-06-16"' in ahead.content.decode()
    assert TaperConfirmation.objects.count() == 1


def test_another_patients_course_cannot_follow(tapering, clinic, clinician, signed_in) -> None:
    other = factories.patient(clinic, clinician)
    theirs = fact(Course, other, drug="prednisone", route="oral")
    fact(Dose, other, course=theirs, starts_on=ago(40), amount=D(20))
    assert confirm(signed_in(clinician), tapering, 15, course=theirs.pk).status_code == 422
    assert Dose.objects.filter(patient=other).count() == 1


def test_what_is_taken_on_alternate_days_or_stopped_cannot_follow(tapering, signed_in) -> None:
    course = fact(Course, tapering, drug="methylprednisolone", route="oral")
    fact(Dose, tapering, course=course, starts_on=ago(5), amount=D(4), every_days=2)
    page = signed_in().get(url(tapering))
    assert [choice.follows for choice in page.context["page"].choices] == [True, False]
    assert page.context["forms"]["confirm"]["course"].value() == ""  # two of them: a person decides
    fact(CourseStop, tapering, course=course, stopped_on=AS_OF, reason="other")
    assert len(signed_in().get(url(tapering)).context["page"].choices) == 1


def test_a_taper_is_held_and_released(tapering, signed_in) -> None:
    plan = TaperPlan.objects.get()
    hold = url(tapering, f"{plan.pk}/hold/")
    refused = signed_in().post(hold, {"starts_on": "2025-06-15", "ends_on": "2025-06-20", "reason": ""})
    assert refused.status_code == 422
    assert 'value="2025-06-20"' in refused.content.decode()
    assert signed_in().post(hold, {"starts_on": "2025-06-10", "reason": "Infection"}).status_code == 302
    page = signed_in().get(url(tapering)).content.decode()
    assert "Infection" in page
    assert "Release from today" in page
    release = url(tapering, f"{plan.pk}/release/")
    assert "Released." in signed_in().post(release, follow=True).content.decode()
    assert TaperHold.objects.current().get().ends_on == ago(1)
    assert "This plan is not on hold." in signed_in().post(release, follow=True).content.decode()


def test_a_plan_ends_and_another_can_be_planned(tapering, signed_in) -> None:
    end = url(tapering, f"{TaperPlan.objects.get().pk}/end/")
    assert signed_in().post(end, {"ended_on": "2025-06-14", "reason": ""}).status_code == 422
    assert signed_in().post(end, {"ended_on": "2025-06-16", "reason": "Flare"}).status_code == 422
    assert signed_in().post(end, {"ended_on": "2025-06-14", "reason": "Flare"}).status_code == 302
    page = signed_in().get(url(tapering)).content.decode()
    assert "Earlier plans" in page
    assert "20 → 15 → 10 → 0" in page
    assert "1 of 4" in page
    sent = {"do": "save", "step_0_step_on": "2025-06-15", "step_0_dose_pe_mg": "30"}
    assert signed_in().post(url(tapering, "plan/"), sent).status_code == 302


def test_an_end_today_is_said(tapering, signed_in) -> None:
    end = url(tapering, f"{TaperPlan.objects.get().pk}/end/")
    assert signed_in().post(end, {"ended_on": "2025-06-15", "reason": "Flare"}).status_code == 302
    assert "This plan ends after today." in signed_in().get(url(tapering)).content.decode()


# ------------------------------------------------------------------------------------------------- tablets, calendar


def test_a_centre_says_which_tablets_it_has(tapering, signed_in) -> None:
    doctor = signed_in()
    assert "which strengths you have" in doctor.get(url(tapering, "plan/")).content.decode()
    answer = doctor.post("/tablets/", {"prednisone": "5, 2.5 20mg", "deflazacort": ""})
    assert answer.status_code == 302
    kept = StockedTablet.objects.filter(centre=tapering.centre)
    assert set(kept.values_list("drug", "strength_mg")) == {("prednisone", D("2.5")), ("prednisone", D(5)),
                                                            ("prednisone", D(20))}  # fmt: skip
    doctor.post("/tablets/", {"prednisone": "5"})
    assert [str(s) for s in kept.values_list("strength_mg", flat=True)] == ["5.00"]
    assert signed_in(role=Role.NURSE).get("/tablets/").status_code == 403


@pytest.mark.parametrize("typed", ["five", "0", "-5", "1.234", "5000", "NaN", "1e9"])
def test_what_is_no_strength_is_refused_and_kept_as_typed(tapering, signed_in, typed: str) -> None:
    answer = signed_in().post("/tablets/", {"prednisone": f"5, {typed}", "prednisolone": "1"})
    assert answer.status_code == 422
    assert f"5, {typed}" in answer.content.decode()
    assert not StockedTablet.objects.exists()


def test_the_taper_names_the_tablets_of_each_step(tapering, signed_in) -> None:
    for strength in ("5", "20"):
        StockedTablet.objects.create(centre=tapering.centre, drug="prednisone", strength_mg=D(strength))
    text = signed_in().get(url(tapering)).content.decode()
    assert "3 × 5 mg" in text  # 15 mg
    assert "2 × 5 mg" in text
    assert "1 × 20 mg" in text


def test_a_dose_that_cannot_be_made_says_what_can(on_steroid, signed_in) -> None:
    StockedTablet.objects.create(centre=on_steroid.centre, drug="prednisone", strength_mg=D(5))
    data = {"do": "more", "step_0_step_on": "2025-06-20", "step_0_dose_pe_mg": "17.5"}
    text = signed_in().post(url(on_steroid, "plan/"), data).content.decode()
    assert "not possible with whole tablets; nearest 15 mg or 20 mg" in text


def test_the_calendar_shows_the_dose_of_each_day(tapering, signed_in) -> None:
    doctor = signed_in()
    text = doctor.get(url(tapering, "calendar/")).content.decode()
    assert "June 2025" in text
    assert "July 2025" in text
    assert "May 2025" not in text  # what is past is not planned any more
    found = running_calendar(tapering, AS_OF)
    assert found is not None
    doses = {cell.day: cell.dose_pe_mg for _, weeks in found.months for week in weeks for cell in week if cell}
    assert doses[ago(3)] == 20
    assert doses[ago(2)] == doses[ago(-13)] == 15
    assert doses[ago(-14)] == 10
    assert doses[ago(-28)] == 0
    assert max(doses) == ago(-28 - 27)


def test_the_calendar_is_a_plan_and_records_nothing(tapering, signed_in) -> None:
    """It says that it is a plan, and of which day; a step stays unconfirmed and the dose what it was."""
    doctor = signed_in()
    assert "as planned" in doctor.get(url(tapering, "calendar/")).content.decode()
    assert doctor.get(url(tapering, "calendar.pdf")).status_code == 200
    found = running_calendar(tapering, AS_OF)
    assert found is not None
    printed = paper_calendar.data_of(found, patient=tapering, now=NOW)["words"]["footer"]
    assert printed == "Planned doses, printed 15 Jun 2025. Your clinic may change them: the newest plan counts."
    assert TaperConfirmation.objects.count() == 1
    assert Dose.objects.get().amount == 20


def test_the_calendar_is_a_pdf_whose_name_says_nothing(tapering, signed_in) -> None:
    answer = signed_in().get(url(tapering, "calendar.pdf"))
    assert answer.content.startswith(b"%PDF")
    assert answer["Content-Disposition"] == 'inline; filename="taper-2025-06-15.pdf"'
    assert "no-store" in answer["Cache-Control"]
    assert Access.objects.filter(page="clinic:taper-calendar-pdf", patient=tapering).count() == 1


def test_no_week_of_the_calendar_is_empty(tapering) -> None:
    found = running_calendar(tapering, AS_OF)
    assert found is not None
    assert all(any(week) for _, weeks in found.months for week in weeks)
    # the last step begins on 13 July: four weeks of it end on 9 August
    assert [(month.month, len(weeks)) for month, weeks in found.months] == [(6, 6), (7, 5), (8, 2)]


def test_a_calendar_of_a_taper_on_hold_says_so(tapering, signed_in) -> None:
    fact(TaperHold, tapering, plan=TaperPlan.objects.get(), starts_on=ago(1), reason="Infection")
    assert "The taper is on hold" in signed_in().get(url(tapering, "calendar/")).content.decode()
    found = running_calendar(tapering, AS_OF)
    assert found is not None
    assert "On hold since 14 Jun 2025." in paper_calendar.data_of(found, patient=tapering, now=NOW)["hold"]
    assert signed_in().get(url(tapering, "calendar.pdf")).content.startswith(b"%PDF")


def test_without_a_plan_there_is_no_calendar(on_steroid, signed_in) -> None:
    doctor = signed_in()
    assert "No taper is planned" in doctor.get(url(on_steroid, "calendar/")).content.decode()
    assert doctor.get(url(on_steroid, "calendar.pdf")).status_code == 404


def test_a_flare_is_linked_to_the_step_before_it(tapering, signed_in) -> None:
    alert(tapering, "ck-rising", "ACTION", ago(2))
    page = signed_in().get(url(tapering)).content.decode()
    row = re.search(r'<tr class="taper-flare">.*?</tr>', page, re.DOTALL)
    assert row
    words = " ".join(re.sub(r"<[^>]+>", " ", row[0]).split())
    # found on the day of the step to 15 mg: it speaks of the 20 mg before
    assert words == "Creatine kinase is rising (Action), 13 Jun 2025 : 38 days after the step to 20 mg"
