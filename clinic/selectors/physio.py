"""What the physiotherapy pages show: plans, the sessions of a month as a calendar, those of a day at a centre."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, Min, OuterRef, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Centre
from alerts.models import Alert, Upcoming
from common.dates import latest_within
from patients.models import Patient
from therapy import selectors as therapy
from therapy.models import (
    PhysioDecline,
    PhysioEnd,
    PhysioPause,
    PhysioPlan,
    PhysioSession,
    SessionOutcome,
    SessionWord,
)

PLANS = 6
PAUSES = 100
PAST_PLANS = 20
LOOK_BACK_DAYS = 56
UNRECORDED_DAYS = 14
DAY_ROWS = 200
WEEK_ROWS = 500
REVIEW = "physio-review-due"
REVIEW_SOON_DAYS = 14


@dataclass(frozen=True)
class Word:
    """An outcome as a button and as a badge."""

    word: str
    label: str | Promise
    icon: str
    tone: str
    ahead: bool = False  # whether it can be said of a session that is still to come
    usual: bool = True  # whether its button stands in sight, not among the others


WORDS = (
    Word(SessionWord.ATTENDED, _("Attended"), "check", "good"),
    Word(SessionWord.DID_NOT_ATTEND, _("Did not attend"), "close", "action"),
    Word(SessionWord.CANCELLED_BY_PATIENT, _("Patient cancelled"), "user", "info", ahead=True),
    Word(SessionWord.CANCELLED_BY_CLINIC, _("Clinic cancelled"), "calendar", "info", ahead=True),
    Word(SessionWord.ATTENDED_REMOTE, _("Remote"), "link", "good", usual=False),
    Word(SessionWord.HOME_DONE, _("At home"), "home", "good", usual=False),
    Word(SessionWord.EXCUSED, _("Excused"), "shield", "info", ahead=True, usual=False),
)
BY_WORD = {word.word: word for word in WORDS}
_DONE = frozenset({SessionWord.ATTENDED, SessionWord.ATTENDED_REMOTE, SessionWord.HOME_DONE})


@dataclass(frozen=True)
class SessionLine:
    """A session and what became of it; `outcome` None while nothing is recorded."""

    session: PhysioSession
    outcome: Word | None
    as_of: dt.date
    paused: bool = False
    review_due: bool = False  # strength or function of the patient is to be measured again

    @property
    def is_ahead(self) -> bool:
        return self.session.held_on > self.as_of

    @property
    def is_today(self) -> bool:
        return self.session.held_on == self.as_of

    @property
    def waits(self) -> bool:
        """Whether it is over, or today, and nobody has said what became of it."""
        return self.outcome is None and not self.is_ahead

    @property
    def words(self) -> list[Word]:
        """What can be said of it now, in sight."""
        return [word for word in self._sayable if word.usual]

    @property
    def others(self) -> list[Word]:
        """What can be said of it too, less often."""
        return [word for word in self._sayable if not word.usual]

    @property
    def _sayable(self) -> list[Word]:
        return [w for w in WORDS if (w.ahead or not self.is_ahead) and w is not self.outcome]


@dataclass(frozen=True)
class PlanLine:
    """A plan that is not over; `pause` the one in force, the counts what became of the sessions of the last 8 weeks."""

    plan: PhysioPlan
    pause: PhysioPause | None
    pauses_ahead: Sequence[PhysioPause]
    ends_on: dt.date | None
    next_on: dt.date | None
    done: int
    missed: int
    unrecorded: int


@dataclass(frozen=True)
class PastPlan:
    plan: PhysioPlan
    end: PhysioEnd


@dataclass(frozen=True)
class Day:
    """A day of the calendar."""

    day: dt.date
    lines: Sequence[SessionLine]
    is_today: bool


@dataclass(frozen=True)
class Month:
    """The sessions of a month: weeks from Monday, None where a week's day belongs to another month."""

    first: dt.date
    weeks: Sequence[Sequence[Day | None]]
    sessions: int

    @property
    def weekdays(self) -> list[dt.date]:
        """Seven days from a Monday, to be written as the heads of the columns."""
        monday = self.first - dt.timedelta(days=self.first.weekday())
        return [monday + dt.timedelta(days=n) for n in range(7)]

    @property
    def before(self) -> dt.date:
        return (self.first - dt.timedelta(days=1)).replace(day=1)

    @property
    def after(self) -> dt.date:
        return (self.first + dt.timedelta(days=31)).replace(day=1)


@dataclass(frozen=True)
class Review:
    """When strength or function is to be measured again, as the rule that asks for it found."""

    due_on: dt.date
    is_overdue: bool


@dataclass(frozen=True)
class PhysioPage:
    plans: Sequence[PlanLine]
    month: Month
    unrecorded: Sequence[SessionLine]  # of the last 8 weeks, outside the month shown
    review: Review | None
    past: Sequence[PastPlan]
    declined: PhysioDecline | None
    ask_again_on: dt.date | None


def _outcomes(sessions: Iterable[PhysioSession]) -> dict[int, Word]:
    """One query."""
    rows = SessionOutcome.objects.current().filter(session__in=list(sessions)).values_list("session_id", "word")
    return {session: BY_WORD[word] for session, word in rows}


def page(patient: Patient, as_of: dt.date, shown: dt.date) -> PhysioPage:
    """The month of `shown` and all that is known of the plans. Twelve queries, however many plans and sessions."""
    ended = PhysioEnd.objects.current().filter(plan=OuterRef("pk"), ended_on__lt=as_of)
    running = list(
        PhysioPlan.objects.current().filter(~Exists(ended), patient=patient).order_by("-starts_on", "-id")[:PLANS]
    )
    known = PhysioSession.objects.current().filter(patient=patient, plan__retired_at__isnull=True)
    first = shown.replace(day=1)
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    of_month = Q(held_on__gte=first, held_on__lte=first + dt.timedelta(days=_days_in(first) - 1))
    lately = Q(held_on__gte=as_of - dt.timedelta(days=LOOK_BACK_DAYS), held_on__lte=as_of)
    sessions = list(known.filter(of_month | lately).select_related("plan").order_by("held_on", "id"))
    outcomes = _outcomes(sessions)
    pauses: dict[int, list[PhysioPause]] = {}
    for pause in PhysioPause.objects.current().filter(patient=patient).order_by("-starts_on", "-id")[:PAUSES]:
        pauses.setdefault(pause.plan_id, []).insert(0, pause)
    lines = [SessionLine(s, outcomes.get(s.pk), as_of, _is_paused(s, pauses)) for s in sessions]
    of_plan: dict[int, list[SessionLine]] = {}
    by_day: dict[dt.date, list[SessionLine]] = {}
    for line in lines:
        by_day.setdefault(line.session.held_on, []).append(line)
        if (as_of - line.session.held_on).days in range(LOOK_BACK_DAYS + 1):
            of_plan.setdefault(line.session.plan_id, []).append(line)
    said = SessionOutcome.objects.current().filter(session=OuterRef("pk"))
    ahead = known.filter(~Exists(said), plan__in=running, held_on__gte=as_of).order_by().values_list("plan")
    upcoming = dict(ahead.annotate(Min("held_on")))
    last = {end.plan_id: end.ended_on for end in PhysioEnd.objects.current().filter(plan__in=running)}
    declined = therapy.decline_on(patient, as_of)
    return PhysioPage(
        plans=[
            _plan_line(
                plan,
                of_plan.get(plan.pk, []),
                pauses.get(plan.pk, []),
                last.get(plan.pk),
                upcoming.get(plan.pk),
                as_of,
            )
            for plan in running
        ],
        month=Month(
            first,
            [
                [Day(day, by_day.get(day, []), day == as_of) if day.month == first.month else None for day in week]
                for week in weeks
            ],
            sum(len(found) for day, found in by_day.items() if day.replace(day=1) == first),
        ),
        unrecorded=[
            line
            for line in reversed(lines)
            if line.waits and not line.is_today and line.session.held_on.replace(day=1) != first
        ],
        review=review(patient, as_of),
        past=[
            PastPlan(end.plan, end)
            for end in PhysioEnd.objects.current()
            .filter(patient=patient, ended_on__lt=as_of, plan__retired_at__isnull=True)
            .select_related("plan")
            .order_by("-ended_on", "-id")[:PAST_PLANS]
        ],
        declined=declined,
        ask_again_on=_ask_again(declined),
    )


def _days_in(month: dt.date) -> int:
    return calendar.monthrange(month.year, month.month)[1]


def _is_paused(session: PhysioSession, pauses: Mapping[int, Sequence[PhysioPause]]) -> bool:
    return any(
        pause.starts_on <= session.held_on and (pause.ends_on is None or pause.ends_on >= session.held_on)
        for pause in pauses.get(session.plan_id, ())
    )


def review(patient: Patient, as_of: dt.date) -> Review | None:
    """Two queries: the open alert of the rule that asks for measuring, or what it says will fall due."""
    alerts = Alert.objects.filter(patient=patient, rule=REVIEW, closed_at__isnull=True, due_on__isnull=False)
    coming = Upcoming.objects.filter(patient=patient, rule=REVIEW)
    days = [day for found in (alerts, coming) for day in found.values_list("due_on", flat=True) if day is not None]
    return Review(min(days), min(days) < as_of) if days else None


def _to_review(centre: Centre, patients: Collection[int], as_of: dt.date) -> set[int]:
    """Those of the patients whose strength or function is due within two weeks. Two queries."""
    alerts = Alert.objects.filter(centre=centre, rule=REVIEW, closed_at__isnull=True, patient__in=patients)
    soon = latest_within(as_of, REVIEW_SOON_DAYS)
    coming = Upcoming.objects.filter(centre=centre, rule=REVIEW, due_on__lte=soon, patient__in=patients)
    return {*alerts.values_list("patient", flat=True), *coming.values_list("patient", flat=True)}


def _ask_again(declined: PhysioDecline | None) -> dt.date | None:
    if declined is None:
        return None
    last = declined.ends_on or declined.declined_on + dt.timedelta(days=therapy.DECLINE_LASTS_DAYS)
    return last + dt.timedelta(days=1)


def _plan_line(
    plan: PhysioPlan,
    lately: Sequence[SessionLine],
    pauses: Sequence[PhysioPause],
    ends_on: dt.date | None,
    next_on: dt.date | None,
    as_of: dt.date,
) -> PlanLine:
    words = [line.outcome.word for line in lately if line.outcome is not None]
    known = [pause for pause in pauses if pause.ends_on is None or pause.ends_on >= as_of]
    return PlanLine(
        plan=plan,
        pause=next((pause for pause in known if pause.starts_on <= as_of), None),
        pauses_ahead=[pause for pause in known if pause.starts_on > as_of],
        ends_on=ends_on,
        next_on=next_on,
        done=sum(word in _DONE for word in words),
        missed=words.count(SessionWord.DID_NOT_ATTEND),
        unrecorded=sum(line.waits and not line.is_today for line in lately),
    )


# ---------------------------------------------------------------------------------------------------- over all patients


@dataclass(frozen=True)
class DayPage:
    """The sessions of `day` at a centre, by name, those of the two weeks before that nobody has recorded, and the week
    after it: each day with its sessions."""

    day: dt.date
    lines: Sequence[SessionLine]
    unrecorded: Sequence[SessionLine]
    week: Sequence[tuple[dt.date, Sequence[SessionLine]]]

    @property
    def recorded(self) -> int:
        return sum(line.outcome is not None for line in self.lines)


def of_day(centre: Centre, day: dt.date, as_of: dt.date) -> DayPage:
    """Seven queries."""
    known = PhysioSession.objects.current().filter(patient__centre=centre, plan__retired_at__isnull=True)
    known = known.select_related("patient", "plan")
    by_name = ("patient__family_name", "patient__given_name", "patient_id", "id")
    found = list(known.filter(held_on=day).order_by(*by_name)[:DAY_ROWS])
    said = SessionOutcome.objects.current().filter(session=OuterRef("pk"))
    earlier = known.filter(~Exists(said), held_on__lt=day, held_on__gte=day - dt.timedelta(days=UNRECORDED_DAYS))
    waiting = list(earlier.filter(held_on__lte=as_of).order_by("-held_on", "patient__family_name", "id")[:DAY_ROWS])
    end = day + dt.timedelta(days=7)
    coming = list(known.filter(held_on__gt=day, held_on__lte=end).order_by("held_on", *by_name)[:WEEK_ROWS])
    outcomes = _outcomes([*found, *coming])
    to_review = _to_review(centre, {s.patient_id for s in found}, as_of)
    pauses: dict[int, list[PhysioPause]] = {}
    in_force = Q(ends_on__isnull=True) | Q(ends_on__gte=day)
    plans = {s.plan_id for s in [*found, *coming]}
    for pause in PhysioPause.objects.current().filter(in_force, starts_on__lte=end, plan__in=plans):
        pauses.setdefault(pause.plan_id, []).append(pause)

    def line(session: PhysioSession) -> SessionLine:
        paused = _is_paused(session, pauses)
        return SessionLine(session, outcomes.get(session.pk), as_of, paused, session.patient_id in to_review)

    ahead = [line(session) for session in coming]
    return DayPage(
        day,
        [line(session) for session in found],
        [SessionLine(s, None, as_of) for s in waiting],
        [
            (one, [entry for entry in ahead if entry.session.held_on == one])
            for one in (day + dt.timedelta(days=n) for n in range(1, 8))
        ],
    )


def session_line(session: PhysioSession, as_of: dt.date) -> SessionLine:
    """One session as a list shows it. One query."""
    return SessionLine(session, _outcomes([session]).get(session.pk), as_of)
