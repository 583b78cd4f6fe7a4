"""Courses of treatment in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from clinic.templatetags.days import plain, written
from common.dates import in_force
from patients.models import Patient
from therapy import dosing
from therapy import selectors as therapy
from therapy.formulary import FORMULARY
from therapy.models import Infusion


@dataclass(frozen=True)
class DoseLine:
    id: int
    starts_on: dt.date
    ends_on: dt.date | None
    words: str

    def in_force(self, day: dt.date) -> bool:
        return in_force(day, self.starts_on, self.ends_on)


@dataclass(frozen=True)
class CourseLine:
    """One course: the dose in force (else the newest) in words, and all doses, newest first."""

    id: int
    name: str
    route: str
    dose: str
    since: dt.date | None
    until: dt.date | None
    why_stopped: str
    doses: Sequence[DoseLine]

    def is_current(self, day: dt.date) -> bool:
        return self.until is None or self.until >= day


def courses(patient: Patient, as_of: dt.date, infusions: Sequence[Infusion]) -> list[CourseLine]:
    """Three queries. `infusions` are those of the patient, newest first: what a course without doses consists of."""
    lines = []
    given: dict[int, list[Infusion]] = {}
    for infusion in infusions:
        given.setdefault(infusion.course_id, []).append(infusion)
    for view in therapy.courses(patient):
        drug = FORMULARY.get(view.course.drug)
        doses = [
            DoseLine(
                dose.pk,
                dose.starts_on,
                dose.ends_on,
                dosing.in_words(drug, dose.amount, dose.times, dose.every_days) if drug else plain(dose.amount),
            )
            for dose in view.doses
        ]
        taken = [dose for dose in doses if dose.in_force(as_of)] or doses  # one that lies ahead is not taken yet
        infused = given.get(view.course.pk, [])
        words = taken[-1].words if taken else ""
        if infused and not doses:
            amount = f"{plain(infused[0].amount)} {drug.unit if drug else ''}".strip()
            words = _("%(amount)s on %(day)s") % {"amount": amount, "day": written(infused[0].given_on)}
        since = view.starts_on or (infused[-1].given_on if infused else None)
        until = view.stop.stopped_on if view.stop else doses[-1].ends_on if doses else None
        why = str(view.stop.get_reason_display()) if view.stop else ""
        if view.stop and view.stop.note:
            why = f"{why}: {view.stop.note}"
        lines.append(
            CourseLine(
                view.course.pk, _(view.name), view.course.get_route_display(), words, since, until, why, doses[::-1],
            )
        )  # fmt: skip
    return lines
