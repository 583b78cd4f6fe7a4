"""What the physiotherapy pages show: plans with their sessions, and the sessions of a day over all patients."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from accounts.models import Centre
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

ON_PAGE = 120  # sessions of the running plans
PLANS = 6
PAST_PLANS = 20
LOOK_BACK_DAYS = 56
UNRECORDED_DAYS = 14
DAY_ROWS = 200


@dataclass(frozen=True)
class Word:
    """An outcome as a button and as a badge."""

    word: str
    label: str
    icon: str
    tone: str
    ahead: bool = False  # whether it can be said of a session that is still to come


WORDS = (
    Word(SessionWord.ATTENDED, "Attended", "check", "good"),
    Word(SessionWord.ATTENDED_REMOTE, "Remote", "link", "good"),
    Word(SessionWord.HOME_DONE, "At home", "home", "good"),
    Word(SessionWord.DID_NOT_ATTEND, "Did not attend", "close", "task"),
    Word(SessionWord.CANCELLED_BY_PATIENT, "Cancelled by patient", "user", "info", ahead=True),
    Word(SessionWord.CANCELLED_BY_CLINIC, "Cancelled by clinic", "calendar", "info", ahead=True),
    Word(SessionWord.EXCUSED, "Excused", "shield", "info", ahead=True),
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
        """What can be said of it now."""
        return [w for w in WORDS if (w.ahead or not self.is_ahead) and w is not self.outcome]


@dataclass(frozen=True)
class PlanLine:
    """A plan that is not over; `pause` the one in force, `counts` what became of the sessions of the last 8 weeks."""

    plan: PhysioPlan
    ahead: Sequence[SessionLine]
    past: Sequence[SessionLine]
    pause: PhysioPause | None
    pauses_ahead: Sequence[PhysioPause]
    ends_on: dt.date | None
    done: int
    missed: int
    unrecorded: int

    @property
    def has_begun(self) -> bool:
        return not self.ahead or bool(self.past) or self.plan.starts_on <= self.ahead[0].as_of


@dataclass(frozen=True)
class PastPlan:
    plan: PhysioPlan
    end: PhysioEnd


@dataclass(frozen=True)
class PhysioPage:
    plans: Sequence[PlanLine]
    past: Sequence[PastPlan]
    declined: PhysioDecline | None
    ask_again_on: dt.date | None


def _outcomes(sessions: Iterable[PhysioSession]) -> dict[int, Word]:
    """One query."""
    rows = SessionOutcome.objects.current().filter(session__in=list(sessions)).values_list("session_id", "word")
    return {session: BY_WORD[word] for session, word in rows}


def page(patient: Patient, as_of: dt.date) -> PhysioPage:
    """Eight queries, however many plans and sessions there are."""
    ended = PhysioEnd.objects.current().filter(plan=OuterRef("pk"), ended_on__lt=as_of)
    running = list(
        PhysioPlan.objects.current().filter(~Exists(ended), patient=patient).order_by("-starts_on", "-id")[:PLANS]
    )
    sessions: dict[int, list[PhysioSession]] = {}
    newest = PhysioSession.objects.current().filter(plan__in=running).order_by("-held_on", "-id")[:ON_PAGE]
    for session in newest:
        sessions.setdefault(session.plan_id, []).append(session)
    outcomes = _outcomes(session for group in sessions.values() for session in group)
    pauses: dict[int, list[PhysioPause]] = {}
    in_force = Q(ends_on__isnull=True) | Q(ends_on__gte=as_of)
    for pause in PhysioPause.objects.current().filter(in_force, plan__in=running).order_by("starts_on", "id"):
        pauses.setdefault(pause.plan_id, []).append(pause)
    last = {end.plan_id: end.ended_on for end in PhysioEnd.objects.current().filter(plan__in=running)}
    declined = therapy.decline_on(patient, as_of)
    return PhysioPage(
        plans=[
            _plan_line(
                plan,
                [SessionLine(s, outcomes.get(s.pk), as_of) for s in sessions.get(plan.pk, [])],
                pauses.get(plan.pk, []),
                last.get(plan.pk),
                as_of,
            )
            for plan in running
        ],
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


def _ask_again(declined: PhysioDecline | None) -> dt.date | None:
    if declined is None:
        return None
    last = declined.ends_on or declined.declined_on + dt.timedelta(days=therapy.DECLINE_LASTS_DAYS)
    return last + dt.timedelta(days=1)


def _plan_line(
    plan: PhysioPlan,
    lines: Sequence[SessionLine],
    pauses: Sequence[PhysioPause],
    ends_on: dt.date | None,
    as_of: dt.date,
) -> PlanLine:
    past = [line for line in lines if not line.is_ahead]
    lately = [line for line in past if (as_of - line.session.held_on).days <= LOOK_BACK_DAYS]
    words = [line.outcome.word for line in lately if line.outcome is not None]
    return PlanLine(
        plan=plan,
        ahead=[line for line in lines if line.is_ahead][::-1],
        past=past,
        pause=next((pause for pause in pauses if pause.starts_on <= as_of), None),
        pauses_ahead=[pause for pause in pauses if pause.starts_on > as_of],
        ends_on=ends_on,
        done=sum(word in _DONE for word in words),
        missed=words.count(SessionWord.DID_NOT_ATTEND),
        unrecorded=sum(line.waits and not line.is_today for line in lately),
    )


# ---------------------------------------------------------------------------------------------------- over all patients


@dataclass(frozen=True)
class DayPage:
    """The sessions of `day` at a centre, by name, and those of the two weeks before that nobody has recorded."""

    day: dt.date
    lines: Sequence[SessionLine]
    unrecorded: Sequence[SessionLine]

    @property
    def recorded(self) -> int:
        return sum(line.outcome is not None for line in self.lines)


def of_day(centre: Centre, day: dt.date, as_of: dt.date) -> DayPage:
    """Four queries."""
    known = PhysioSession.objects.current().filter(patient__centre=centre, plan__retired_at__isnull=True)
    known = known.select_related("patient", "plan")
    found = list(
        known.filter(held_on=day).order_by("patient__family_name", "patient__given_name", "patient_id", "id")[:DAY_ROWS]
    )
    said = SessionOutcome.objects.current().filter(session=OuterRef("pk"))
    earlier = known.filter(~Exists(said), held_on__lt=day, held_on__gte=day - dt.timedelta(days=UNRECORDED_DAYS))
    waiting = list(earlier.filter(held_on__lte=as_of).order_by("-held_on", "patient__family_name", "id")[:DAY_ROWS])
    outcomes = _outcomes(found)
    paused = set(
        PhysioPause.objects.active_on(day).filter(plan__in={s.plan_id for s in found}).values_list("plan_id", flat=True)
    )
    return DayPage(
        day,
        [SessionLine(s, outcomes.get(s.pk), as_of, s.plan_id in paused) for s in found],
        [SessionLine(s, None, as_of) for s in waiting],
    )


def session_line(session: PhysioSession, as_of: dt.date) -> SessionLine:
    """One session as a list shows it. One query."""
    return SessionLine(session, _outcomes([session]).get(session.pk), as_of)
