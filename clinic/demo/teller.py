"""Collects the facts of a history, day by day."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from typing import Any

from accounts.models import Centre, User
from common.models import Fact
from monitoring.models import (
    Assessment,
    BodySize,
    Booking,
    Confounder,
    FunctionalTest,
    Imaging,
    LungFunction,
    MuscleGrade,
    PersonalBaseline,
    Result,
    Screening,
    Waiver,
)
from patients.models import AntibodyResult, Consent, FollowUpStatus, Manifestation, Patient, RiskFactor, RuleException
from therapy.models import (
    Course,
    CourseStop,
    Dose,
    Infusion,
    PhysioDecline,
    PhysioPlan,
    PhysioSession,
    SessionOutcome,
    TaperConfirmation,
    TaperHold,
    TaperPlan,
    TaperStep,
)

# Parents before children: a child takes its parent's new id.
ORDER: tuple[type[Any], ...] = (
    FollowUpStatus, AntibodyResult, Manifestation, RiskFactor, Consent, RuleException, Course, CourseStop, Dose,
    Infusion, TaperPlan, TaperStep, TaperConfirmation, TaperHold, PhysioPlan, PhysioDecline, PhysioSession,
    SessionOutcome, Result, Assessment, MuscleGrade, BodySize, LungFunction, Imaging, Screening, FunctionalTest,
    Booking, Waiver, Confounder, PersonalBaseline,
)  # fmt: skip


class Teller:
    """Collects the facts of many patients in `rows`, by kind, to be stored in `ORDER`."""

    def __init__(self, centre: Centre, clerk: User, today: dt.date, dice: random.Random) -> None:
        self.centre, self.clerk, self.today, self.dice = centre, clerk, today, dice
        self.rows: dict[type[Any], list[Any]] = {kind: [] for kind in ORDER}
        self.patient: Patient | None = None

    @property
    def who(self) -> Patient:
        assert self.patient is not None, "a history is told of somebody"
        return self.patient

    def day(self, ago: float) -> dt.date:
        return self.today - dt.timedelta(days=round(ago))

    def moment(self, day: dt.date) -> dt.datetime:
        """When something of `day` was entered: that day's afternoon, never later than now."""
        return dt.datetime.combine(min(day, self.today), dt.time(4, 30), tzinfo=self.centre.zone)

    def note(self, kind: type[Any], on: dt.date, /, **fields: Any) -> Any:
        """A fact of day `on`, entered that day."""
        if issubclass(kind, Fact):
            fields = {
                "patient": self.patient, "recorded_at": self.moment(on), "recorded_by": self.clerk, **fields,
            }  # fmt: skip
        row = kind(**fields)
        self.rows[kind].append(row)
        return row


def visits(first: int, every: int, until: int) -> Iterable[int]:
    """Days ago of visits every `every` days, from `first` days ago to `until` days ago or a little before."""
    ago = first
    while ago >= until:
        yield ago
        ago -= every if ago < first - 120 or every >= 84 else every // 2
