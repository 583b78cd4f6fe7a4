"""Who agreed, and their rows without what names them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import Centre
from common.dates import age_on
from monitoring.analytes import ANALYTES
from patients.models import Consent, Patient
from research.models import Release
from research.pseudonyms import ReleaseKey
from research.tables import TABLES, How, Table
from therapy.formulary import FORMULARY

OLDEST = 89
BAND_YEARS = 5
OVER = f"over {OLDEST}"


def consented(centre: Centre, as_of: dt.date) -> QuerySet[Patient]:
    """Patients of `centre` whose newest decision about research on or before `as_of` is that they agree.

    Who was never asked has not agreed.
    """
    newest = (
        Consent.objects.current()
        .filter(patient=OuterRef("pk"), scope=Consent.Scope.RESEARCH, decided_on__lte=as_of)
        .order_by("-decided_on", "-id")
        .values("decision")[:1]
    )
    return centre.patients.annotate(decision=Subquery(newest)).filter(decision=Consent.Decision.GIVEN)


def age_band(born_on: dt.date, diagnosed_on: dt.date | None, as_of: dt.date) -> str:
    """Age at diagnosis as "45-49". Who is over 89 by now is in one band, whatever the age at diagnosis was: the length
    of the record would give the age away.
    """
    if age_on(born_on, as_of) > OLDEST:
        return OVER
    if diagnosed_on is None:
        return ""
    low = age_on(born_on, diagnosed_on) // BAND_YEARS * BAND_YEARS
    return f"{low}-{low + BAND_YEARS - 1}"


@dataclasses.dataclass(frozen=True)
class Subject:
    """A patient as a release knows them."""

    patient_id: int
    subject: str
    shift: int
    age_band: str


def subjects(centre: Centre, key: ReleaseKey, as_of: dt.date) -> list[Subject]:
    """Everybody who agreed, in the order of their pseudonyms, which says nothing about when they came."""
    people = consented(centre, as_of).values_list("pk", "public_id", "born_on", "diagnosed_on")
    found = [
        Subject(pk, key.subject(public_id), key.shift(public_id), age_band(born_on, diagnosed_on, as_of))
        for pk, public_id, born_on, diagnosed_on in people.iterator()
    ]
    return sorted(found, key=lambda s: s.subject)


_SUBJECTS = """
CREATE TEMP TABLE IF NOT EXISTS release_subject (
    place int PRIMARY KEY, patient_id bigint UNIQUE, subject text, shift int, age_band text
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS release_pads (inner_pad bytea, outer_pad bytea) ON COMMIT DELETE ROWS;
TRUNCATE release_subject, release_pads;
"""


def query(table: Table) -> str:
    """The rows of `table` for those in release_subject, keyed by release_pads."""
    columns = ", ".join(f'{c.sql} AS "{c.name}"' for c in table.columns)
    # By pseudonym and key, never as entered: rows that were entered one after the other belong to nearly the same day,
    # and would give away by how much one patient's days are shifted against another's. Where a row has no key of its
    # own, its columns decide.
    keys = [c.name for c in table.columns if c.how is How.KEY] or [c.name for c in table.columns]
    words = [c.name for c in table.columns if c.how is How.AS_IS] if keys[0] != "key" else []
    order = ", ".join(["s.place", *(f'"{name}"' for name in [*keys, *words])])
    return (
        f"SELECT {columns} FROM {table.relation} t {table.join} "  # noqa: S608 - tables.py says all of it
        f"JOIN release_subject s ON s.patient_id = {table.patient} WHERE {table.where} ORDER BY {order}"
    )


def stream(table: Table, people: list[Subject], key: ReleaseKey) -> Iterator[bytes]:
    """CSV with a header, straight from PostgreSQL: memory does not grow with the rows, only with the patients.

    The rows number what the generator returns. Dates are ISO, empty is unknown.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SUBJECTS)
        with cursor.copy("COPY release_subject FROM STDIN") as incoming:
            for place, person in enumerate(people):
                incoming.write_row((place, *dataclasses.astuple(person)))
        with cursor.copy("COPY release_pads FROM STDIN") as incoming:
            incoming.write_row(key.pads())
        cursor.execute("ANALYZE release_subject; SET LOCAL work_mem = '64MB'; SET LOCAL datestyle = 'ISO'")
        with cursor.copy(f"COPY ({query(table)}) TO STDOUT (FORMAT csv, HEADER true, ENCODING 'UTF8')") as outgoing:
            for block in outgoing:
                yield bytes(block)
        return cursor.rowcount


def dictionary() -> dict[str, Any]:
    """What every column of every table means: for people and for programs that read a release."""
    return {
        "tables": [
            {
                "name": table.name,
                "meaning": table.meaning,
                "columns": [
                    {
                        "name": column.name,
                        "meaning": column.meaning,
                        "unit": column.unit,
                        "treatment": column.how.value,
                        "words": _words(column.source) if column.how is How.AS_IS else {},
                    }
                    for column in table.columns
                ],
            }
            for table in TABLES.values()
        ],
        "analytes": [
            {"code": a.code, "name": a.name, "unit": a.canonical_unit or "", "loinc": list(a.loinc)}
            for a in ANALYTES.values()
        ],
        "drugs": [
            {"code": d.code, "name": d.name, "unit": d.unit, "atc": list(d.atc), "rxnorm": d.rxnorm}
            for d in FORMULARY.values()
        ],
    }


def _words(source: str) -> dict[str, str]:
    app, model, field = source.split(".")
    choices = apps.get_model(app, model)._meta.get_field(field).choices or []
    return {str(word): str(label) for word, label in choices if word != ""}


def releases(centre: Centre) -> QuerySet[Release]:
    """What was taken, newest first."""
    return Release.objects.filter(centre=centre).select_related("taken_by").order_by("-taken_at", "-id")
