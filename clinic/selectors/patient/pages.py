"""The page of a patient in its two parts: how they are now, and what happened. Paper asks for both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.models import Entry
from clinic.selectors.patient.attention import ROWS, Address, Attention, ComingUp, attention, coming_up
from clinic.selectors.patient.chart import story
from clinic.selectors.patient.courses import CourseLine, courses
from clinic.selectors.patient.grid import ResultsGrid, results
from clinic.selectors.patient.head import Top, top
from clinic.selectors.patient.moments import Moment, timeline
from clinic.selectors.patient.visits import Visit, visit_of
from common.prepared import prepared
from monitoring import lab_schedule
from monitoring import selectors as monitoring
from monitoring.lab_schedule import DueTest
from monitoring.models import Imaging, LungFunction, PersonalBaseline
from monitoring.selectors import Readings
from monitoring.story import CkPoint, Story
from patients import selectors as patients
from patients.models import AntibodyResult, Consent, Patient
from therapy import selectors as therapy


@dataclass(frozen=True)
class DueNext:
    """`more` counts what is due on the same day besides."""

    on: dt.date
    what: str
    more: int = 0


@dataclass(frozen=True)
class TestsTogether:
    first: DueTest
    names: str


@dataclass(frozen=True)
class Now(Attention):
    """What stands above the fold: who it is, what is open and due, what is taken, and the chart."""

    patient: Patient
    as_of: dt.date
    top: Top
    coming_up: Sequence[ComingUp]
    tests_due: Sequence[DueTest]
    story: Story
    visits: Sequence[Visit]

    @property
    def tests_due_together(self) -> list[TestsTogether]:
        """Tests due on one day for one reason stand in one line."""
        groups: dict[tuple[Any, ...], list[DueTest]] = {}
        for test in self.tests_due:
            groups.setdefault((test.due_on, test.last_on, test.standing, test.names, test.why), []).append(test)
        return [TestsTogether(tests[0], ", ".join(_(test.test) for test in tests)) for tests in groups.values()]

    @property
    def next_due(self) -> DueNext | None:
        """What comes first of all that is due or booked; what is overdue stands before what is ahead."""
        due = [
            *(DueNext(a.alert.due_on, a.title) for a in self.alerts if a.alert.due_on and a.alert.due_on >= self.as_of),
            *(DueNext(item.due_on, item.title) for item in self.coming_up),
            *(DueNext(test.due_on, _(test.test)) for test in self.tests_due),
            *(DueNext(booking.booked_for, str(booking.get_kind_display())) for booking in self.top.bookings),
        ]
        if not due:
            return None
        first = min(due, key=lambda item: item.on)
        same = [item for item in due if item.on == first.on]
        return DueNext(first.on, first.what, len(same) - 1)

    @property
    def latest_ck(self) -> CkPoint | None:
        return self.story.ck[-1] if self.story.ck else None

    @property
    def latest_strength(self) -> Visit | None:
        return next((visit for visit in self.visits if visit.mmt8), None)

    @property
    def latest_tis(self) -> Visit | None:
        return next((visit for visit in self.visits if visit.tis), None)


@dataclass(frozen=True)
class Physio:
    plan: Any
    sessions: Sequence[therapy.SessionView]
    declined: Any


@dataclass(frozen=True)
class History:
    """What stands below: every kind of entry, and the story in words."""

    patient: Patient
    as_of: dt.date
    header: patients.Header
    consents: Sequence[Consent]
    baselines: Sequence[PersonalBaseline]
    antibodies_tested: int
    results: ResultsGrid
    visits: Sequence[Visit]
    courses: Sequence[CourseLine]
    lung: Sequence[LungFunction]
    imaging: Sequence[Imaging]
    physio: Physio
    timeline: Sequence[Moment]
    changed: Entry | None

    @property
    def current_courses(self) -> list[CourseLine]:
        return [course for course in self.courses if course.is_current(self.as_of)]

    @property
    def past_courses(self) -> list[CourseLine]:
        return [course for course in self.courses if not course.is_current(self.as_of)]


@dataclass(frozen=True)
class PatientPage(Now, History):
    """Both."""


def now(patient: Patient, as_of: dt.date, address: Address, read: Readings | None = None) -> Now:
    read = read or monitoring.readings(patient, as_of)
    return Now(
        patient=patient,
        as_of=as_of,
        top=top(patient, as_of, read.doses),
        **vars(attention(patient, address)),
        coming_up=coming_up(patient),
        tests_due=lab_schedule.due_of(patient.centre, patient.pk, as_of),
        story=story(patient, as_of, address, read),
        visits=[visit_of(view) for view in read.visits[:ROWS]],
    )


def history(
    patient: Patient,
    as_of: dt.date,
    address: Address,
    *,
    days: int = 6,
    read: Readings | None = None,
    header: patients.Header | None = None,
) -> History:
    read = read or monitoring.readings(patient, as_of, visits=ROWS)
    seen, taken = [visit_of(view) for view in read.visits[:ROWS]], courses(patient, as_of, read.infusions)
    images = _imaging(patient, as_of)
    tests = read.lung[:ROWS]
    return History(
        patient=patient,
        as_of=as_of,
        header=header or monitoring.header(patient, as_of),
        consents=list(patients.consents_on(patient, as_of).values()),
        baselines=_baselines(patient, as_of),
        antibodies_tested=len(_tested(patient, as_of)),
        results=results(patient, as_of, days=days),
        visits=seen,
        courses=taken,
        lung=tests,
        imaging=images,
        physio=physio(patient, as_of),
        timeline=timeline(
            patient, as_of, address, seen=seen, taken=taken, tests=tests, images=images, infusions=read.infusions[:50]
        ),
        changed=next(iter(_entries(patient)), None),
    )


@prepared
def _imaging(patient: Patient, as_of: dt.date) -> QuerySet[Imaging]:
    return Imaging.objects.current().filter(patient=patient, done_on__lte=as_of).order_by("-done_on", "-id")[:ROWS]


@prepared
def _baselines(patient: Patient, as_of: dt.date) -> QuerySet[PersonalBaseline]:
    found = PersonalBaseline.objects.current().filter(patient=patient, set_on__lte=as_of)
    return found.order_by("analyte", "-set_on", "-id").distinct("analyte")


@prepared
def _tested(patient: Patient, as_of: dt.date) -> QuerySet[AntibodyResult, str]:
    found = AntibodyResult.objects.current().filter(patient=patient, taken_on__lte=as_of)
    return found.order_by().values_list("antibody", flat=True).distinct()


@prepared
def _entries(patient: Patient) -> QuerySet[Entry]:
    return Entry.objects.filter(patient=patient).select_related("by").order_by("-at", "-id")[:1]


def page(patient: Patient, as_of: dt.date, address: Address, *, days: int = 6) -> PatientPage:
    """Everything at once."""
    read = monitoring.readings(patient, as_of)
    present = now(patient, as_of, address, read)
    past = history(patient, as_of, address, days=days, read=read, header=present.top.header)
    return PatientPage(**{**vars(present), **vars(past)})


def physio(patient: Patient, as_of: dt.date) -> Physio:
    """The newest plan in force with its newest sessions; else whether the patient declined. Three queries at most."""
    for plan in therapy.active_physio_plans(patient, as_of)[:1]:
        return Physio(plan, therapy.sessions(plan, 8), None)
    return Physio(None, (), therapy.decline_on(patient, as_of))
