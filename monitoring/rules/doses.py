"""SQL that rules about drugs share: what is in force."""

from __future__ import annotations

from collections.abc import Iterable

from monitoring.rules.base import Question
from monitoring.rules.steroid import words
from therapy.formulary import FORMULARY


def in_force(q: Question, drugs: Iterable[str], people: str = "asked") -> str:
    """SELECT patient_id, course_id, drug, route, dose_id, starts_on, amount, times, every_days, out_of_range_reason of
    the doses in force on `as_of`. Nothing outlasts its course's stop; a dose of 0 is none.
    """
    return f"""SELECT a.patient_id, c.id AS course_id, c.drug, c.route, d.id AS dose_id, d.starts_on, d.amount, d.times,
            d.every_days, d.out_of_range_reason
        FROM {people} a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")} AND c.drug IN ({words(drugs)})
        JOIN therapy_dose d ON d.course_id = c.id AND {q.known("d")} AND d.starts_on <= %(as_of)s
            AND (d.ends_on IS NULL OR d.ends_on >= %(as_of)s) AND d.amount > 0
        WHERE {not_stopped(q, "c")}"""


def not_stopped(q: Question, course: str) -> str:
    """SQL: the course was not stopped before `as_of`."""
    return f"""NOT EXISTS (SELECT 1 FROM therapy_coursestop e WHERE e.course_id = {course}.id AND {q.known("e")}
                          AND e.stopped_on < %(as_of)s)"""


def names(drugs: Iterable[str]) -> str:
    """VALUES (code, name) of drugs, for evidence that names them."""
    return "VALUES " + ", ".join(f"('{code}', '{text(FORMULARY[code].name)}')" for code in sorted(drugs))


def text(said: str) -> str:
    """A text of this project inside SQL quotes and a query with parameters."""
    return said.replace("'", "''").replace("%", "%%")
