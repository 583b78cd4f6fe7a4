"""Two days of one patient side by side: of every measure the value nearest to each day, with its own day.

What was measured further from a day than its kind holds says nothing about that day, and stays out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from monitoring.analytes import ANALYTES
from monitoring.models import Assessment, BodySize, LungFunction
from monitoring.responses import tis_by_visit
from monitoring.sql import newest_first, uln
from monitoring.story import CK_USUAL_FALL, CK_USUAL_RISE
from patients.models import Patient
from therapy import dosing
from therapy import selectors as treatment
from therapy.prednisone_equivalent import as_decimal

WITHIN_DAYS: Final = 28
LUNG_WITHIN_DAYS: Final = 90
ASSESSED = ("physician_vas", "patient_vas", "extramuscular_vas", "haq_di", "mmt8_150", "mmt8_80")
BREATHED = ("fvc_percent_predicted", "fvc_l", "dlco_percent_predicted")


@dataclass(frozen=True)
class Near:
    """A value with its own day. `kind` and `id` name its entry; `comparator` is "<" or ">" of a mere bound."""

    day: dt.date
    value: Decimal
    kind: str
    id: int
    comparator: str = ""
    uln: Decimal | None = None


@dataclass(frozen=True)
class Pair:
    """One measure on both days; `code` is that of an analyte or the name of a field."""

    code: str
    first: Near | None
    second: Near | None

    @property
    def difference(self) -> Decimal | None:
        """Second less first. None where one is missing or only bounded, and where both are the very same entry."""
        a, b = self.first, self.second
        if a is None or b is None or a.comparator or b.comparator or (a.kind, a.id) == (b.kind, b.id):
            return None
        return b.value - a.value

    @property
    def percent(self) -> Decimal | None:
        """The difference in percent of the first value; None where that is not above 0."""
        if self.difference is None or self.first is None or self.first.value <= 0:
            return None
        return self.difference / self.first.value * 100

    @property
    def is_usual(self) -> bool | None:
        """Whether a CK moved no further than chance alone moves it; None of anything else."""
        if self.code != "ck" or self.percent is None or self.first is None or self.second is None:
            return None
        return CK_USUAL_FALL <= self.second.value / self.first.value <= CK_USUAL_RISE


@dataclass(frozen=True)
class Taken:
    """What was taken on one day."""

    pe_mg: Decimal
    lines: Sequence[treatment.TreatmentLine]


@dataclass(frozen=True)
class Comparison:
    first: dt.date
    second: dt.date
    pairs: Sequence[Pair]
    taken: tuple[Taken, Taken]


def compare(patient: Patient, first: dt.date, second: dt.date, as_of: dt.date) -> Comparison:
    """`first` and `second` as known on `as_of`. Nine queries, whatever the length of the history."""
    days = (first, second)
    found: dict[str, dict[dt.date, Near]] = {}
    _add(found, _results(patient, days, as_of))
    visits = Assessment.objects.current().filter(_around("assessed_on", days, WITHIN_DAYS, as_of), patient=patient)
    visits = visits.order_by("assessed_on", "id")
    _add(found, _nearest(visits, "assessed_on", "assessment", ASSESSED, days, WITHIN_DAYS))
    tests = LungFunction.objects.current().filter(_around("tested_on", days, LUNG_WITHIN_DAYS, as_of), patient=patient)
    tests = tests.order_by("tested_on", "id")
    _add(found, _nearest(tests, "tested_on", "lung-function", BREATHED, days, LUNG_WITHIN_DAYS))
    sizes = BodySize.objects.current().filter(_around("measured_on", days, WITHIN_DAYS, as_of), patient=patient)
    sizes = sizes.order_by("measured_on", "id")
    _add(found, _nearest(sizes, "measured_on", "body-size", ("weight_kg",), days, WITHIN_DAYS))
    scored = [
        Near(visit.assessment.assessed_on, visit.tis.total, "assessment", visit.assessment.pk)
        for visit in reversed(tis_by_visit(patient, as_of))
        if visit.tis is not None and visit.tis.total is not None
    ]
    _add(found, {("tis", day): near for day in days if (near := _closest(scored, day, WITHIN_DAYS)) is not None})
    rows = treatment.dose_rows(patient, as_of)
    taken = [Taken(as_decimal(dosing.pe_on(rows, day)), treatment.treatment_lines(rows, day)) for day in days]
    order = dict.fromkeys([*ASSESSED, "tis", *BREATHED, "weight_kg", *ANALYTES])
    pairs = [Pair(code, found[code].get(first), found[code].get(second)) for code in order if code in found]
    return Comparison(first, second, pairs, (taken[0], taken[1]))


def _add(found: dict[str, dict[dt.date, Near]], more: Mapping[tuple[str, dt.date], Near]) -> None:
    for (code, day), near in more.items():
        found.setdefault(code, {})[day] = near


def _around(field: str, days: Sequence[dt.date], within: int, as_of: dt.date) -> Q:
    reach = dt.timedelta(days=within)
    found = Q()
    for day in days:
        found |= Q(**{f"{field}__range": (day - reach, min(day + reach, as_of))})
    return found


def _nearest(
    rows: Iterable[Any], day_field: str, kind: str, fields: Sequence[str], days: Sequence[dt.date], within: int
) -> dict[tuple[str, dt.date], Near]:
    found = {}
    known = list(rows)
    for field in fields:
        values = [
            Near(getattr(row, day_field), Decimal(getattr(row, field)), kind, row.pk)
            for row in known
            if getattr(row, field) is not None
        ]
        for day in days:
            near = _closest(values, day, within)
            if near is not None:
                found[field, day] = near
    return found


def _closest(values: Sequence[Near], day: dt.date, within: int) -> Near | None:
    """The nearest, of two equally near the later, of two of one day the newer; `values` are oldest first."""
    near = [value for value in values if abs((value.day - day).days) <= within]
    return min(reversed(near), key=lambda value: abs((value.day - day).days), default=None)


def _results(patient: Patient, days: Sequence[dt.date], as_of: dt.date) -> dict[tuple[str, dt.date], Near]:
    one_side = """
        SELECT r.* FROM monitoring_result r
        WHERE r.patient_id = a.patient_id AND r.analyte = wanted.code AND r.retired_at IS NULL AND r.value IS NOT NULL
          AND r.taken_on BETWEEN {between} ORDER BY {order} LIMIT 1"""
    before = one_side.format(between="asked.day - %(within)s AND asked.day", order=newest_first("r"))
    after = one_side.format(
        between="asked.day + 1 AND LEAST(asked.day + %(within)s, %(as_of)s)",
        order="r.taken_on, r.taken_at DESC NULLS LAST, r.id DESC",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT asked.day, wanted.code, r.taken_on, r.value, r.id, r.comparator, {uln("r")}
            FROM unnest(%(days)s::date[]) asked (day)
            CROSS JOIN unnest(%(codes)s::text[]) wanted (code)
            JOIN (SELECT id AS patient_id, centre_id, sex FROM patients_patient WHERE id = %(patient)s) a ON true
            CROSS JOIN LATERAL (
                SELECT * FROM (({before}) UNION ALL ({after})) r
                ORDER BY abs(r.taken_on - asked.day), r.taken_on DESC LIMIT 1
            ) r
            """,  # noqa: S608 - put together from constants
            {
                "patient": patient.pk, "days": list(days), "codes": list(ANALYTES), "within": WITHIN_DAYS,
                "as_of": as_of,
            },
        )  # fmt: skip
        return {
            (code, day): Near(taken_on, value, "result", pk, comparator, limit)
            for day, code, taken_on, value, pk, comparator, limit in cursor.fetchall()
        }
