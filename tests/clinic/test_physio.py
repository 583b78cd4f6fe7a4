"""The physiotherapy pages, used without JavaScript, on a fixed day."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from alerts.models import Upcoming
from audit.models import Access
from tests import factories
from tests.clinic.findings import alert
from tests.clinic.one_patient import full
from tests.clinic.test_treatment import keep_count
from tests.factories import AS_OF, NOW, fact
from therapy.models import PhysioDecline, PhysioEnd, PhysioPause, PhysioPlan, PhysioSession, SessionOutcome

TODAY = "/physiotherapy/"


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def url(patient: Any, rest: str = "") -> str:
    return f"/patients/{patient.public_id}/physiotherapy/{rest}"


@pytest.fixture
def exercising(clinic, clinician) -> Any:
    """Twice a week since 30 days; sessions 10 and 3 days ago, today and in 4 days, nothing recorded."""
    patient = factories.patient(clinic, clinician, family_name="Vestergaard")
    plan = fact(PhysioPlan, patient, starts_on=ago(30), goal="Stairs without a rail")
    for days in (10, 3, 0, -4):
        fact(PhysioSession, patient, plan=plan, held_on=ago(days))
    return patient


@pytest.fixture
def therapist(signed_in) -> Any:
    return signed_in(role=Role.PHYSIOTHERAPIST)


def session(patient: Any, days: int) -> PhysioSession:
    return PhysioSession.objects.current().get(patient=patient, held_on=ago(days))


def on_day(answer: Any, days: int) -> Any:
    """The one session of a day of the calendar."""
    cells = [cell for week in answer.context["month"].weeks for cell in week if cell and cell.day == ago(days)]
    return cells[0].lines[0]


def say(browser: Any, patient: Any, days: int, word: str, **typed: Any) -> Any:
    headers = typed.pop("headers", {})
    path = url(patient, f"sessions/{session(patient, days).pk}/outcome/")
    return browser.post(path, {"word": word, **typed}, headers=headers)


def paths(patient: Any) -> list[str]:
    plan = PhysioPlan.objects.get(patient=patient).pk
    parts = (
        "plan/", "decline/", f"{plan}/book/", f"{plan}/pause/", f"{plan}/resume/", f"{plan}/end/",
        f"sessions/{session(patient, 3).pk}/outcome/",
    )  # fmt: skip
    return [url(patient, part) for part in parts]


def test_who_sees_physiotherapy_and_who_changes_it(exercising, therapist, signed_in) -> None:
    coordinator = signed_in(role=Role.COORDINATOR)
    page = coordinator.get(url(exercising))
    assert page.status_code == 200
    assert "Did not attend" not in page.content.decode()
    for path in paths(exercising):
        assert coordinator.post(path, {"word": "attended"}).status_code == 403
        assert therapist.get(path).url == url(exercising), "the page above the form"
    assert coordinator.get(TODAY).status_code == 403
    assert signed_in(role=Role.RESEARCHER).get(url(exercising)).status_code == 403
    assert not SessionOutcome.objects.exists()


def test_plans_and_sessions_of_others_do_not_exist(exercising, clinic, clinician, signed_in) -> None:
    elsewhere = factories.centre()
    stranger = signed_in(factories.person(elsewhere))
    neighbour = factories.patient(clinic, clinician)
    assert stranger.get(url(exercising)).status_code == 404
    for path in paths(exercising):
        assert stranger.post(path, {"word": "attended", "reason": "x"}).status_code == 404
        other = path.replace(str(exercising.public_id), str(neighbour.public_id))
        if not path.endswith(("plan/", "decline/")):
            assert signed_in(clinician).post(other, {"word": "attended", "reason": "x"}).status_code == 404
    assert exercising.name not in stranger.get(TODAY).content.decode()
    assert not SessionOutcome.objects.exists()


# ---------------------------------------------------------------------------------------------------------- reading


def test_the_page_shows_plan_sessions_and_what_is_missing(exercising, therapist) -> None:
    fact(SessionOutcome, exercising, session=session(exercising, 10), word="attended_remote")
    answer = therapist.get(url(exercising))
    line = answer.context["page"].plans[0]
    assert (line.done, line.missed, line.unrecorded) == (1, 0, 1)  # today's is not missing yet
    assert line.next_on == AS_OF
    page = answer.content.decode()
    for words in ("2 sessions a week", "Goal: Stairs without a rail", "Remote", "Not recorded", "Booked", "June 2025"):
        assert words in page, words
    assert Access.objects.get().page == "clinic:physio"


def test_a_page_without_a_plan_says_what_to_do(clinic, clinician, signed_in) -> None:
    page = signed_in(clinician).get(url(factories.patient(clinic, clinician))).content.decode()
    assert "No physiotherapy is planned" in page
    assert "The patient declines" in page


def test_the_pages_ask_no_more_for_a_long_history(clinic, clinician, signed_in) -> None:
    few, lots = full(clinic, clinician, AS_OF), full(clinic, clinician, AS_OF, many=3000, every_days=3)
    for patient, plans in ((few, 1), (lots, 4)):
        for n in range(plans):
            over = fact(PhysioPlan, patient, starts_on=ago(900 + n))
            fact(PhysioEnd, patient, plan=over, ended_on=ago(700 + n), reason="Moved")
            running = fact(PhysioPlan, patient, starts_on=ago(200 + n))
            for k in range(30):
                held = fact(PhysioSession, patient, plan=running, held_on=ago(k))
                if patient is lots and k % 3:
                    fact(SessionOutcome, patient, session=held, word="attended")
    browser = signed_in(clinician)
    browser.get(url(few))
    asked = []
    for patient in (few, lots):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(url(patient)).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
    keep_count("clinic:physio", asked[0])
    with CaptureQueriesContext(connection) as queries:
        assert len(browser.get(TODAY).context["page"].lines) == 5
    keep_count("clinic:physio-today", len(queries))


# --------------------------------------------------------------------------------------------------------- outcomes


@pytest.mark.parametrize(
    "word",
    [
        "attended", "attended_remote", "home_done", "did_not_attend", "cancelled_by_patient", "cancelled_by_clinic",
        "excused",
    ],
)  # fmt: skip
def test_one_press_says_what_became_of_a_session(word: str, exercising, therapist) -> None:
    page = therapist.get(url(exercising)).content.decode()
    assert f'name="word" value="{word}"' in page
    answer = say(therapist, exercising, 3, word)
    assert (answer.status_code, answer["Location"]) == (302, url(exercising))
    recorded = SessionOutcome.objects.get()
    assert (recorded.word, recorded.session, recorded.recorded_at) == (word, session(exercising, 3), NOW)


def test_a_second_press_corrects_the_first_and_can_be_undone(exercising, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    say(browser, exercising, 3, "did_not_attend")
    answer = browser.get(url(exercising))
    undo = next(iter(answer.context["messages"])).extra_tags
    say(browser, exercising, 3, "excused")
    assert SessionOutcome.objects.current().get().word == "excused"
    browser.post(undo)
    assert SessionOutcome.objects.current().get().word == "excused"  # built upon since


def test_what_is_to_come_can_be_cancelled_and_not_attended(exercising, therapist) -> None:
    ahead = on_day(therapist.get(url(exercising)), -4)
    assert [word.word for word in [*ahead.words, *ahead.others]] == [
        "cancelled_by_patient", "cancelled_by_clinic", "excused",
    ]  # fmt: skip
    refused = therapist.post(
        url(exercising, f"sessions/{ahead.session.pk}/outcome/"), {"word": "attended"}, follow=True
    )
    assert "This session is still to come." in refused.content.decode()
    assert say(therapist, exercising, -4, "cancelled_by_clinic").status_code == 302
    assert SessionOutcome.objects.get().word == "cancelled_by_clinic"


@pytest.mark.parametrize("word", ["", "unknown", "x" * 300])
def test_another_word_is_refused(word: str, exercising, therapist) -> None:
    path = url(exercising, f"sessions/{session(exercising, 3).pk}/outcome/")
    assert "Choose what became of the session." in therapist.post(path, {"word": word}, follow=True).content.decode()
    assert not SessionOutcome.objects.exists()


def test_htmx_gets_the_one_row_and_the_message(exercising, therapist) -> None:
    answer = say(therapist, exercising, 3, "home_done", headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert f'id="session-{session(exercising, 3).pk}"' in page
    assert "At home" in page
    assert "Undo" in page
    assert f'id="counts-{PhysioPlan.objects.get().pk}" hx-swap-oob="true"' in page
    of_day = say(therapist, exercising, 0, "attended", day="2025-06-15", headers={"HX-Request": "true"})
    assert '<span id="day-count" hx-swap-oob="true">1 of 1 recorded' in of_day.content.decode()


# --------------------------------------------------------------------------------------------------- planning, booking


def test_a_plan_is_made_and_its_sessions_booked_weekly(clinic, clinician, therapist) -> None:
    patient = factories.patient(clinic, clinician)
    typed = {"starts_on": "2025-06-15", "sessions_per_week": "3", "goal": "Walk to the shop"}
    assert therapist.post(url(patient, "plan/"), {**typed, "sessions_per_week": "15"}).status_code == 422
    assert therapist.post(url(patient, "plan/"), typed).status_code == 302
    plan = PhysioPlan.objects.get()
    assert (plan.sessions_per_week, plan.goal) == (3, "Walk to the shop")
    book = url(patient, f"{plan.pk}/book/")
    assert therapist.post(book, {"first_on": "2025-06-16", "every_days": "7", "count": "4"}).status_code == 302
    days = list(PhysioSession.objects.order_by("held_on").values_list("held_on", flat=True))
    assert days == [dt.date(2025, 6, 16) + dt.timedelta(weeks=n) for n in range(4)]
    again = therapist.post(book, {"first_on": "2025-06-09", "every_days": "7", "count": "3"})
    assert again.status_code == 422
    again = therapist.post(book, {"first_on": "2025-06-23", "every_days": "7", "count": "3"})
    assert "Booked already: 23 Jun 2025, 30 Jun 2025, 7 Jul 2025." in again.content.decode()
    assert 'value="2025-06-23"' in again.content.decode()
    assert PhysioSession.objects.count() == 4


def test_all_errors_stand_at_the_plan_they_are_about(exercising, therapist) -> None:
    second = fact(PhysioPlan, exercising, starts_on=ago(5))
    answer = therapist.post(
        url(exercising, f"{second.pk}/book/"), {"first_on": "soon", "every_days": "7", "count": "x"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="soon"' in page
    assert 'value="x"' in page
    assert f'href="#book_{second.pk}_first_on"' in page
    assert page.count("Enter a whole number.") == 2  # in the summary and at the box


def test_a_plan_is_paused_and_resumed(exercising, therapist) -> None:
    plan = PhysioPlan.objects.get().pk
    assert therapist.post(url(exercising, f"{plan}/pause/"), {"starts_on": "2025-06-10"}).status_code == 422
    typed = {"starts_on": "2025-06-10", "ends_on": "", "reason": "In hospital"}
    assert therapist.post(url(exercising, f"{plan}/pause/"), typed).status_code == 302
    assert "In hospital" in therapist.get(url(exercising)).content.decode()
    assert "Plan is paused" in therapist.get(TODAY).content.decode()
    assert therapist.post(url(exercising, f"{plan}/resume/")).status_code == 302
    assert PhysioPause.objects.current().get().ends_on == ago(1)
    again = therapist.post(url(exercising, f"{plan}/resume/"), follow=True)
    assert "This plan is not paused." in again.content.decode()


def test_a_plan_ends_and_is_listed_among_the_earlier(exercising, therapist) -> None:
    plan = PhysioPlan.objects.get().pk
    assert therapist.post(url(exercising, f"{plan}/end/"), {"ended_on": "2025-06-14"}).status_code == 422
    ended = therapist.post(url(exercising, f"{plan}/end/"), {"ended_on": "2025-06-14", "reason": "Goal reached"})
    assert ended.status_code == 302
    page = therapist.get(url(exercising)).content.decode()
    assert "Earlier plans" in page
    assert "Goal reached" in page
    assert not PhysioSession.objects.current().filter(held_on__gte=AS_OF).exists()


def test_declining_is_recorded_and_says_when_to_ask_again(clinic, clinician, therapist) -> None:
    patient = factories.patient(clinic, clinician)
    refused = therapist.post(url(patient, "decline/"), {"declined_on": "2025-06-15", "ends_on": "2025-06-01"})
    assert refused.status_code == 422
    assert therapist.post(url(patient, "decline/"), {"declined_on": "2025-06-15"}).status_code == 302
    assert PhysioDecline.objects.get().ends_on is None
    assert "16 Dec 2025" in therapist.get(url(patient)).content.decode()


# ---------------------------------------------------------------------------------------------- the sessions of a day


def test_the_day_lists_every_patient_by_name_and_what_nobody_recorded(exercising, clinic, clinician, therapist) -> None:
    first = factories.patient(clinic, clinician, family_name="Abara")
    plan = fact(PhysioPlan, first, starts_on=ago(60))
    for days in (15, 14, 0):
        fact(PhysioSession, first, plan=plan, held_on=ago(days))
    answer = therapist.get(TODAY)
    page = answer.context["page"]
    assert [line.session.patient.family_name for line in page.lines] == ["Abara", "Vestergaard"]
    assert [line.session.held_on for line in page.unrecorded] == [ago(3), ago(10), ago(14)]
    assert "Today's sessions" in answer.content.decode()
    seen = Access.objects.get()
    assert (seen.page, seen.rows, seen.patient) == ("clinic:physio-today", 6, None)  # one in the week ahead


def test_an_outcome_from_the_list_of_a_day_returns_to_that_day(exercising, therapist) -> None:
    answer = say(therapist, exercising, 0, "attended", day="2025-06-15")
    assert answer["Location"] == "/physiotherapy/?day=2025-06-15"
    assert therapist.get(TODAY).context["page"].recorded == 1
    assert say(therapist, exercising, 3, "attended", day="//evil.example")["Location"] == url(exercising)


@pytest.mark.parametrize(
    ("text", "day"),
    [("2025-06-19", ago(-4)), ("nonsense", AS_OF), ("2025-02-31", AS_OF), ("0001-01-01", AS_OF), ("9999-12-31", AS_OF)],
)
def test_other_days_can_be_looked_at(text: str, day: dt.date, exercising, therapist) -> None:
    answer = therapist.get(f"{TODAY}?day={text}")
    assert answer.context["day"] == day
    assert len(answer.context["page"].lines) == 1


def test_a_withdrawn_plan_has_no_sessions_to_record(exercising, clinician, therapist) -> None:
    from audit import facts

    waiting = session(exercising, 3)
    facts.withdraw_all(PhysioPlan.objects.get(), by=clinician, now=NOW, reason="Other patient")
    assert therapist.get(TODAY).context["page"].lines == []
    answer = therapist.post(url(exercising, f"sessions/{waiting.pk}/outcome/"), {"word": "attended"})
    assert answer.status_code == 404


def test_the_week_ahead_lists_who_comes_on_which_day(exercising, therapist) -> None:
    week = therapist.get(TODAY).context["page"].week
    assert [day for day, _ in week] == [ago(-n) for n in range(1, 8)]
    assert [(day, line.session.patient) for day, lines in week for line in lines] == [(ago(-4), exercising)]


# --------------------------------------------------------------------------------------------------------- calendar


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("2025-05", dt.date(2025, 5, 1)), ("2024-02", dt.date(2024, 2, 1)), ("2025-13", dt.date(2025, 6, 1)),
        ("", dt.date(2025, 6, 1)), ("9999-12", dt.date(2025, 6, 1)), ("nonsense", dt.date(2025, 6, 1)),
    ],
)  # fmt: skip
def test_any_month_can_be_looked_at(text: str, first: dt.date, exercising, therapist) -> None:
    month = therapist.get(url(exercising, f"?month={text}")).context["month"]
    assert month.first == first
    days = [cell.day for week in month.weeks for cell in week if cell]
    assert days == [first + dt.timedelta(days=n) for n in range(len(days))]
    assert (month.after - dt.timedelta(days=1)) == days[-1]
    assert all(len(week) == 7 for week in month.weeks)


def test_what_nobody_recorded_in_another_month_is_not_lost_with_it(exercising, therapist) -> None:
    plan = PhysioPlan.objects.get()
    fact(PhysioSession, exercising, plan=plan, held_on=ago(20))  # in May
    june = therapist.get(url(exercising)).context["page"]
    assert [line.session.held_on for line in june.unrecorded] == [ago(20)]
    may = therapist.get(url(exercising, "?month=2025-05")).context["page"]
    assert [line.session.held_on for line in may.unrecorded] == [ago(3), ago(10)]


def test_undoing_leads_back_to_where_it_was_pressed(exercising, therapist) -> None:
    for typed, place in (
        ({"month": "2025-06"}, url(exercising, "?month=2025-06")),
        ({"day": "2025-06-12"}, f"{TODAY}?day=2025-06-12"),
    ):
        answer = say(therapist, exercising, 3, "attended", **typed)
        assert answer["Location"] == place
        undo = [*therapist.get(place).context["messages"]][-1].extra_tags
        assert SessionOutcome.objects.current().count() == 1
        assert therapist.post(undo)["Location"] == place
        assert not SessionOutcome.objects.current().exists()


def test_undoing_leads_nowhere_else(exercising, therapist) -> None:
    say(therapist, exercising, 3, "attended")
    undo = next(iter(therapist.get(url(exercising)).context["messages"])).extra_tags
    answer = therapist.post(undo.split("?")[0] + "?back=//evil.example/")
    assert answer["Location"] == f"/patients/{exercising.public_id}/"


def test_htmx_gets_the_place_in_the_calendar_where_it_was_pressed_there(exercising, therapist) -> None:
    ajax = {"HX-Request": "true"}
    cell = say(therapist, exercising, 3, "attended", month="2025-06", headers=ajax).content.decode()
    assert 'class="day-session"' in cell
    assert 'name="month" value="2025-06"' in cell
    row = say(therapist, exercising, 3, "excused", month="2025-05", row="yes", headers=ajax).content.decode()
    assert '<li class="session' in row
    assert "<strong>0</strong> done" in row


def test_a_series_on_several_weekdays_is_booked_at_once(exercising, therapist) -> None:
    plan = PhysioPlan.objects.get().pk
    typed = {"first_on": "2025-07-02", "weekdays": ["0", "3"], "every_days": "14", "count": "4"}
    answer = therapist.post(url(exercising, f"{plan}/book/"), typed)
    assert answer["Location"] == url(exercising, "?month=2025-07")
    booked = PhysioSession.objects.filter(held_on__gte=dt.date(2025, 7, 1)).order_by("held_on")
    assert [f"{s.held_on:%a %d.%m}" for s in booked] == ["Thu 03.07", "Mon 14.07", "Thu 17.07", "Mon 28.07"]


@pytest.mark.parametrize(("days", "words"), [(-5, "Re-assessment is overdue"), (20, "Next re-assessment")])
def test_when_to_measure_again_is_shown(days: int, words: str, exercising, clinic, therapist) -> None:
    due = AS_OF + dt.timedelta(days=days)
    if days < 0:
        alert(exercising, rule="physio-review-due", due_on=due)
    else:
        Upcoming.objects.create(
            centre=clinic, patient=exercising, rule="physio-review-due", subject="plan:1", due_on=due, evidence={}
        )
    page = therapist.get(url(exercising)).content.decode()
    assert words in page
    assert f'datetime="{due.isoformat()}"' in page
    assert ("Re-assessment due" in therapist.get(TODAY).content.decode()) is (days < 14)


def test_a_session_in_a_pause_says_so(exercising, therapist) -> None:
    fact(PhysioPause, exercising, plan=PhysioPlan.objects.get(), starts_on=ago(4), ends_on=ago(2), reason="Ill")
    answer = therapist.get(url(exercising))
    assert on_day(answer, 3).paused
    assert not on_day(answer, 0).paused
