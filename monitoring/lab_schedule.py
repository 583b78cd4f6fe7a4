"""What blood tests are due when, and for which drugs: for a patient's page, and for the calendar of a centre.

The schedule itself is SQL of monitoring/rules/lab_schedule.py, the one that the rule labs-overdue asks, with the same
numbers. Nothing here looks at whether the rule is on: what is due is due.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Iterable, Sequence

from django.db import connection
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.models import Centre
from monitoring import governance
from monitoring.rules import RULES, lab_schedule
from monitoring.rules.base import Question
from monitoring.sharing import followed

RULE = RULES["labs-overdue"]


class Standing(enum.StrEnum):
    PLANNED = "planned"
    DUE = "due"  # its day has come, the days of grace are not over
    OVERDUE = "overdue"
    LONG_OVERDUE = "long-overdue"


@dataclasses.dataclass(frozen=True)
class Asking:
    """One drug that asks for a test, and since when its dose has not been raised."""

    name: str
    steady_since: dt.date
    interval: int
    due_on: dt.date


@dataclasses.dataclass(frozen=True)
class DueTest:
    """One test of one patient. `due_on` and `interval` are those of the drug that asks for it first; `last_on` is None
    where it was never done. `drugs`: all that ask for it, the first first.
    """

    patient_id: int
    test: str
    last_on: dt.date | None
    due_on: dt.date
    interval: int
    standing: Standing
    drugs: Sequence[Asking]

    @property
    def why(self) -> str:
        """The phase the drug that asks first is in."""
        first = self.drugs[0]
        since = formats.date_format(first.steady_since, "DATE_FORMAT")
        return _("every %(days)s days, dose not raised since %(day)s") % {"days": first.interval, "day": since}

    @property
    def names(self) -> str:
        return ", ".join(dict.fromkeys(_(drug.name) for drug in self.drugs))


def _read(centre: Centre, as_of: dt.date, until: dt.date | None, patients: Sequence[int] | None) -> list[DueTest]:
    question = Question(as_of=as_of)
    values = {
        **RULE.values(question, governance.numbers(centre, RULE).parameters),
        "centre_id": centre.pk,
        "patient_ids": None if patients is None else list(patients),
        "until": until,
    }
    people = followed(question, centre=True, patients=patients is not None)
    with connection.cursor() as cursor:
        cursor.execute(
            lab_schedule.listed(question, people, "'infinity'::date" if until is None else "%(until)s::date"), values
        )
        rows = cursor.fetchall()
    found: dict[tuple[int, str], DueTest] = {}
    for patient, test, last_on, due_on, interval, is_overdue, is_severe, name, anchor in rows:
        asking = Asking(name, anchor, interval, due_on)
        standing = Standing.DUE if due_on <= as_of else Standing.PLANNED
        if is_overdue:
            standing = Standing.LONG_OVERDUE if is_severe else Standing.OVERDUE
        first = found.get((patient, test))
        if first is None:
            found[patient, test] = DueTest(patient, test, last_on, due_on, interval, standing, [asking])
        else:
            worst = max(first.standing, standing, key=list(Standing).index)
            found[patient, test] = dataclasses.replace(first, standing=worst, drugs=[*first.drugs, asking])
    return list(found.values())


def due_of(centre: Centre, patient_id: int, as_of: dt.date) -> list[DueTest]:
    """Every test that the drugs of this patient of `centre` ask for, in the order of the schedule; none for who is not
    followed on `as_of`. Two queries.
    """
    return _read(centre, as_of, None, [patient_id])


def due_between(centre: Centre, first: dt.date, last: dt.date, as_of: dt.date) -> list[DueTest]:
    """The tests of all followed patients of `centre` that fall due from `first` to `last`, both included, by day."""
    found: Iterable[DueTest] = _read(centre, as_of, last, None)
    return sorted((t for t in found if first <= t.due_on <= last), key=lambda t: (t.due_on, t.patient_id))
