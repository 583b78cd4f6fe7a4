"""The list of patients as a file for spreadsheets. Headings and words are English, days as 2025-06-15."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import formats, translation

from clinic.selectors import patients as questions
from exchange.tables import safe_cell
from patients.models import Patient

CHUNK = 1000
HEAD = (
    "record_number", "family_name", "given_name", "born_on", "sex", "subtype", "onset_on", "diagnosed_on",
    "antibodies_ever_positive", "treatment_today", "followed_by", "follow_up", "open_alerts", "worst_level", "next_due",
    "next_visit",
)  # fmt: skip
# On a past day it is the people of that day who are listed: what is said of them is what is known today.
HEAD_OF_PAST = ("listed_as_on", "columns_as_of")


def _text(value: Any) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, dt.date) else str(value)


class _Echo:
    def write(self, line: str) -> str:
        return line


def separator() -> str:
    """What the reader's spreadsheet takes for a new column: a semicolon where a comma begins the decimals."""
    return ";" if formats.get_format("DECIMAL_SEPARATOR") == "," else ","


def lines(
    found: QuerySet[Patient], as_of: dt.date, *, for_excel: bool, by: str = ",", listed_on: dt.date | None = None
) -> Iterator[bytes]:
    """The file, a thousand patients at a time. For Excel with the mark by which it knows the encoding.

    `listed_on` is the day of the past by which `found` was chosen.
    """
    past = [listed_on, as_of] if listed_on and listed_on != as_of else []
    writer = csv.writer(_Echo(), delimiter=by if for_excel else ",", lineterminator="\r\n")
    if for_excel:
        yield "\ufeff".encode()
    yield writer.writerow([*(HEAD_OF_PAST if past else ()), *HEAD]).encode()
    # In pages by key, so that neither a cursor nor the whole clinic is kept while the file is fetched slowly.
    ids = list(found.values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        page = list(found.filter(pk__in=ids[start : start + CHUNK]))
        with translation.override(settings.LANGUAGE_CODE):
            rows = ([safe_cell(_text(cell)) for cell in (*past, *row)] for row in _rows(page, as_of))
            yield "".join(writer.writerow(row) for row in rows).encode()


def _rows(page: list[Patient], as_of: dt.date) -> Iterator[list[Any]]:
    antibodies = questions.antibodies_of(page, as_of)
    treatment = questions.treatment_of(page, as_of)
    for row in questions.patient_rows(page, as_of):
        p = row.patient
        yield [
            p.record_number, p.family_name, p.given_name, p.born_on, p.get_sex_display(), p.get_subtype_display(),
            p.onset_on, p.diagnosed_on, "; ".join(antibodies.get(p.pk, ())), "; ".join(treatment.get(p.pk, ())),
            p.clinician or "", row.status, row.alerts, row.level, row.due_on, row.visit_on,
        ]  # fmt: skip
