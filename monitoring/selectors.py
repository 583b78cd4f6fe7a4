"""Named questions about what was measured. None of them costs more for a longer history: each reads the newest of each
thing through an index, whether 30 or 10,000 results lie behind it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.prepared import prepared
from monitoring.analytes import ANALYTES, MUSCLE_ENZYMES
from monitoring.entry import plain
from monitoring.models import Assessment, BodySize, Imaging, LungFunction, Modality, PersonalBaseline
from monitoring.scores import tis as scoring
from monitoring.sql import newest_first, uln
from monitoring.story import (
    AlertMark,
    Band,
    CkPoint,
    PlannedDose,
    Point,
    Series,
    SteroidDose,
    Story,
    Treatment,
    span,
    variation_band,
)
from patients import selectors as people
from patients.models import Patient, Subtype
from therapy import dosing
from therapy import selectors as treatment
from therapy.dosing import DoseRow
from therapy.formulary import FORMULARY, Kind
from therapy.models import Infusion
from therapy.prednisone_equivalent import as_decimal

WEIGHT_HOLDS_DAYS = 90  # a weight older than this says nothing of a dose per kg
ENZYME_WITHIN_DAYS = 28
BASELINE_BEFORE_DAYS, BASELINE_AFTER_DAYS = 28, 14
# What the chart draws at most of each series: the newest.
POINTS = 400

# A page must not ask for the centre's range of each row, so the patient stands in the query beside the result.
_PERSON = "JOIN (SELECT id AS patient_id, centre_id, sex FROM patients_patient WHERE id = %(patient)s) a ON true"


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


# ------------------------------------------------------------------------------------------------- laboratory results


@dataclass(frozen=True)
class PreviousValue:
    """The latest result of an analyte. `value` and `uln` are in the canonical unit; `received`, `unit` as reported."""

    id: int
    analyte: str
    taken_on: dt.date
    value: Decimal | None
    comparator: str
    uln: Decimal | None
    received: str
    unit: str
    low_received: str
    uln_received: str

    @property
    def times_uln(self) -> Decimal | None:
        return self.value / self.uln if self.value is not None and self.uln else None


def previous_values(patient: Patient, analytes: Sequence[str], as_of: dt.date) -> dict[str, PreviousValue]:
    """The latest result of each analyte on or before `as_of`, for the grey numbers beside the boxes. One query."""
    rows = _rows(
        f"""
        SELECT r.id, r.analyte, r.taken_on, r.value, r.comparator, {uln("r")},
               r.value_received, r.unit_received, r.low_received, r.uln_received
        FROM unnest(%(analytes)s::text[]) wanted (code)
        {_PERSON}
        CROSS JOIN LATERAL (
            SELECT * FROM monitoring_result r
            WHERE r.patient_id = a.patient_id AND r.analyte = wanted.code AND r.retired_at IS NULL
              AND r.taken_on <= %(as_of)s
            ORDER BY {newest_first("r")} LIMIT 1
        ) r
        """,  # noqa: S608 - put together from constants
        {"patient": patient.pk, "analytes": list(analytes), "as_of": as_of},
    )
    return {row[1]: PreviousValue(*row) for row in rows}


@dataclass(frozen=True)
class PrintedLimits:
    """The limits a laboratory printed with the latest result of an analyte, as received, in `unit`."""

    unit: str
    low: str
    uln: str


LIMITS_FROM = 12  # newest results of an analyte in which a laboratory's limits are looked for


def printed_limits(patient: Patient, analytes: Sequence[str], as_of: dt.date) -> dict[str, dict[str, PrintedLimits]]:
    """By laboratory and analyte, the limits of that laboratory's newest result by `as_of`. One query.

    The laboratory of the newest result comes first. Only this person's: limits differ by sex and age.
    """
    rows = _rows(
        f"""
        SELECT DISTINCT ON (r.laboratory, r.analyte) r.laboratory, r.analyte, r.unit_received, r.low_received,
               r.uln_received, r.taken_on
        FROM unnest(%(analytes)s::text[]) wanted (code)
        CROSS JOIN LATERAL (
            SELECT * FROM monitoring_result r
            WHERE r.patient_id = %(patient)s AND r.analyte = wanted.code AND r.retired_at IS NULL
              AND r.taken_on <= %(as_of)s
            ORDER BY {newest_first("r")} LIMIT %(newest)s
        ) r
        ORDER BY r.laboratory, r.analyte, {newest_first("r")}
        """,  # noqa: S608 - put together from constants
        {"patient": patient.pk, "analytes": list(analytes), "as_of": as_of, "newest": LIMITS_FROM},
    )
    found: dict[str, dict[str, PrintedLimits]] = {}
    for laboratory, code, unit, low, limit, _day in sorted(rows, key=lambda row: row[5], reverse=True):
        found.setdefault(laboratory, {})[code] = PrintedLimits(unit, low, limit)
    return found


@dataclass(frozen=True)
class Cell:
    """The latest result of an analyte on one day. `more` counts the others of that day."""

    id: int
    value: Decimal | None
    comparator: str
    low: Decimal | None
    uln: Decimal | None
    received: str
    unit: str
    amended: bool
    more: int

    @property
    def high(self) -> bool | None:
        """Above the upper limit; None where that cannot be said."""
        return None if self.value is None or not self.uln else self.value > self.uln

    @property
    def is_low(self) -> bool | None:
        return None if self.value is None or self.low is None else self.value < self.low

    @property
    def text(self) -> str:
        """In the canonical unit; as received where it could not be converted."""
        return self.received if self.value is None else f"{self.comparator}{plain(self.value)}"


@dataclass(frozen=True)
class GridRow:
    code: str
    name: str
    unit: str
    panel: str
    cells: Sequence[Cell | None]


@dataclass(frozen=True)
class Grid:
    """Analytes by days, newest day first; each row has one cell a day. `older` is the `before` of the next page."""

    days: Sequence[dt.date]
    rows: Sequence[GridRow]
    older: dt.date | None


def results_grid(patient: Patient, as_of: dt.date, *, days: int = 8, before: dt.date | None = None) -> Grid:
    """The results of the newest `days` sample days by `as_of`, and earlier than `before` where given. Two queries.

    The sample days are found analyte by analyte from the index, so the length of the history does not matter.
    """
    latest = min(as_of, before - dt.timedelta(days=1)) if before else as_of
    values: dict[str, Any] = {"patient": patient.pk, "latest": latest, "codes": list(ANALYTES), "wanted": days + 1}
    found = [
        day
        for (day,) in _rows(
            """
            SELECT DISTINCT d.taken_on FROM unnest(%(codes)s::text[]) wanted (code)
            CROSS JOIN LATERAL (
                SELECT DISTINCT r.taken_on FROM monitoring_result r
                WHERE r.patient_id = %(patient)s AND r.analyte = wanted.code AND r.retired_at IS NULL
                  AND r.taken_on <= %(latest)s
                ORDER BY r.taken_on DESC LIMIT %(wanted)s
            ) d
            ORDER BY d.taken_on DESC LIMIT %(wanted)s
            """,
            values,
        )
    ]
    shown = found[:days]
    if not shown:
        return Grid((), (), None)
    rows = _rows(
        f"""
        SELECT r.analyte, r.taken_on, r.id, r.value, r.comparator, r.low, {uln("r")}, r.value_received,
               r.unit_received, r.status = 'amended', r.others
        FROM (
            SELECT DISTINCT ON (r.analyte, r.taken_on) r.*,
                   count(*) OVER (PARTITION BY r.analyte, r.taken_on) - 1 AS others
            FROM monitoring_result r
            WHERE r.patient_id = %(patient)s AND r.analyte = ANY(%(codes)s) AND r.retired_at IS NULL
              AND r.taken_on BETWEEN %(first)s AND %(last)s
            ORDER BY r.analyte, {newest_first("r")}
        ) r {_PERSON}
        """,  # noqa: S608 - put together from constants
        values | {"first": shown[-1], "last": shown[0]},
    )
    cells: dict[str, dict[dt.date, Cell]] = {}
    for code, day, *rest in rows:
        cells.setdefault(code, {})[day] = Cell(*rest)
    lines = [
        GridRow(code, row.name, row.canonical_unit or "", row.panel, [cells[code].get(day) for day in shown])
        for code, row in ANALYTES.items()
        if code in cells
    ]
    return Grid(shown, lines, shown[-1] if len(found) > days else None)


@dataclass(frozen=True)
class SeriesPoint:
    id: int
    day: dt.date
    value: Decimal
    uln: Decimal | None
    comparator: str


def series(patient: Patient, analyte: str, as_of: dt.date, limit: int = POINTS) -> list[SeriesPoint]:
    """The newest `limit` sample days of one analyte, the latest value of each day, oldest first. One query."""
    rows = _rows(
        f"""
        SELECT r.id, r.taken_on, r.value, {uln("r")}, r.comparator
        FROM (
            SELECT DISTINCT ON (r.taken_on) r.* FROM monitoring_result r
            WHERE r.patient_id = %(patient)s AND r.analyte = %(analyte)s AND r.retired_at IS NULL
              AND r.taken_on <= %(as_of)s
            ORDER BY {newest_first("r")} LIMIT %(limit)s
        ) r {_PERSON}
        WHERE r.value IS NOT NULL
        ORDER BY r.taken_on
        """,  # noqa: S608 - put together from constants
        {"patient": patient.pk, "analyte": analyte, "as_of": as_of, "limit": limit},
    )
    return [SeriesPoint(*row) for row in rows]


def ever_high(patient: Patient, analytes: Sequence[str], as_of: dt.date) -> dict[str, bool]:
    """By analyte, whether any result by `as_of` was above its upper limit. One never measured, or never with a limit,
    is absent. One query.
    """
    rows = _rows(
        f"""
        SELECT r.analyte, bool_or(r.value > {uln("r")}) FROM monitoring_result r {_PERSON}
        WHERE r.patient_id = %(patient)s AND r.analyte = ANY(%(analytes)s) AND r.retired_at IS NULL
          AND r.taken_on <= %(as_of)s AND r.value IS NOT NULL AND {uln("r")} IS NOT NULL
        GROUP BY r.analyte
        """,  # noqa: S608 - put together from constants
        {"patient": patient.pk, "analytes": list(analytes), "as_of": as_of},
    )
    return dict(rows)


# ------------------------------------------------------------------------------------------------------------- bodies


def weight_on(patient: Patient, as_of: dt.date) -> BodySize | None:
    """The latest weight of the 90 days up to `as_of`; older ones say nothing of a dose per kg."""
    return (
        BodySize.objects.current()
        .filter(
            patient=patient,
            weight_kg__isnull=False,
            measured_on__range=(as_of - dt.timedelta(days=WEIGHT_HOLDS_DAYS), as_of),
        )
        .order_by("-measured_on", "-id")
        .first()
    )


def treatment_now(patient: Patient, as_of: dt.date) -> list[treatment.TreatmentLine]:
    """What is taken on `as_of`, per kg where a recent weight is known. Two queries."""
    weight = weight_on(patient, as_of)
    return treatment.treatment_lines(
        treatment.dose_rows(patient, as_of), as_of, weight.weight_kg if weight is not None else None
    )


def header(patient: Patient, as_of: dt.date) -> people.Header:
    """The header of a patient's pages, with lung disease known from a CT too: the rules know it from either."""
    found = people.header(patient, as_of)
    known = [*_ild_seen(patient, as_of), *filter(None, [found.ild_known_since])]
    return dataclasses.replace(found, ild_known_since=min(known, default=None))


@prepared
def _ild_seen(patient: Patient, as_of: dt.date) -> QuerySet[Imaging, dt.date]:
    found = Imaging.objects.current().filter(
        patient=patient, modality=Modality.HRCT, ild=Imaging.Ild.PRESENT, done_on__lte=as_of
    )
    return found.order_by("done_on").values_list("done_on", flat=True)[:1]


@prepared
def lung_function(patient: Patient, as_of: dt.date, *, limit: int = POINTS) -> QuerySet[LungFunction]:
    """The newest `limit` tests, newest first."""
    tests = LungFunction.objects.current().filter(patient=patient, tested_on__lte=as_of)
    return tests.order_by("-tested_on", "-id")[:limit]


# ---------------------------------------------------------------------------------------------------------- core sets


@dataclass(frozen=True)
class CoreSetView:
    """One visit: what was measured, and its improvement against the baseline of the present treatment.

    `enzyme` is the result nearest to the visit (baseline: the one with the highest multiple of its ULN). `tis` is None
    before or without a baseline, on the baseline itself (`is_baseline`), and in inclusion body myositis.
    """

    assessment: Assessment
    core: scoring.CoreSet
    is_baseline: bool
    tis: scoring.Tis | None

    @property
    def missing(self) -> tuple[scoring.Measure, ...]:
        return self.core.missing


@prepared
def assessments(patient: Patient, as_of: dt.date, *, limit: int = 24) -> QuerySet[Assessment]:
    """The newest `limit` assessments by `as_of`, newest first."""
    found = Assessment.objects.current().filter(patient=patient, assessed_on__lte=as_of)
    return found.order_by("-assessed_on", "-id")[:limit]


def core_sets(
    patient: Patient, as_of: dt.date, *, limit: int = 24, doses: Sequence[DoseRow] | None = None
) -> list[CoreSetView]:
    """The newest `limit` visits with their improvement, newest first. At most five queries.

    The baseline is the newest assessment from 28 days before to 14 days after the first day of the present episode of
    glucocorticoid. Its enzyme is chosen once and followed from then on.
    """
    return _compared(patient, assessments(patient, as_of, limit=limit), as_of, doses)


def core_set_preview(patient: Patient, visit: Assessment, as_of: dt.date) -> CoreSetView:
    """What an assessment that is not saved would say. It stands in for a saved one of its day. Five queries."""
    saved = [other for other in assessments(patient, as_of) if other.assessed_on != visit.assessed_on]
    visits = sorted([visit, *saved], key=lambda other: other.assessed_on, reverse=True)
    return next(view for view in _compared(patient, visits, as_of) if view.assessment is visit)


def _compared(
    patient: Patient, visits: Sequence[Assessment], as_of: dt.date, doses: Sequence[DoseRow] | None = None
) -> list[CoreSetView]:
    if not visits:
        return []
    rows = treatment.glucocorticoid_rows(patient, as_of) if doses is None else doses
    baseline = _baseline(patient, visits, dosing.episode_start(rows, as_of))
    days = {visit.assessed_on for visit in visits} | ({baseline.assessed_on} if baseline else set())
    enzymes = nearest_enzymes(patient, days, as_of)
    judged = patient.subtype != Subtype.INCLUSION_BODY
    population = population_of(patient)
    chosen = scoring.choose_enzyme(enzymes.get(baseline.assessed_on, {}).values()) if baseline else None
    views = []
    for visit in visits:
        of_day = enzymes.get(visit.assessed_on, {})
        enzyme = of_day.get(chosen.name) if chosen else scoring.choose_enzyme(of_day.values())
        is_baseline = visit is baseline
        compared = None
        if baseline is not None and judged and visit.assessed_on > baseline.assessed_on:
            compared = improvement(baseline, chosen, visit, enzyme, population)
        views.append(CoreSetView(visit, core_set(visit, enzyme), is_baseline, compared))
    return views


def _baseline(patient: Patient, visits: Sequence[Assessment], day0: dt.date | None) -> Assessment | None:
    if day0 is None:
        return None
    first = day0 - dt.timedelta(days=BASELINE_BEFORE_DAYS)
    last = day0 + dt.timedelta(days=BASELINE_AFTER_DAYS)
    inside = [visit for visit in visits if first <= visit.assessed_on <= last]
    if inside:
        return inside[0]
    if visits[-1].assessed_on < first:
        return None  # every later visit is in hand, so there is none
    found = Assessment.objects.current().filter(patient=patient, assessed_on__range=(first, last))
    return found.order_by("-assessed_on", "-id").first()


def population_of(patient: Patient) -> scoring.Population:
    """Whose limits of response count: the subtype says it."""
    return scoring.Population.JUVENILE if patient.subtype == Subtype.JUVENILE else scoring.Population.ADULT


def improvement(
    baseline: Assessment,
    chosen: scoring.Enzyme | None,
    visit: Assessment,
    enzyme: scoring.Enzyme | None,
    population: scoring.Population,
) -> scoring.Tis:
    """The TIS of a visit. `chosen` is the enzyme of the baseline, `enzyme` the same one at the visit."""
    # A visit without any total is missing there, not at the baseline.
    untested = visit.mmt8_150 is None and visit.mmt8_80 is None
    both_150 = baseline.mmt8_150 is not None and (visit.mmt8_150 is not None or untested)
    return scoring.total_improvement_score(
        core_set(baseline, chosen, both_150), core_set(visit, enzyme, both_150), population
    )


def core_set(visit: Assessment, enzyme: scoring.Enzyme | None, out_of_150: bool | None = None) -> scoring.CoreSet:
    """The measures of a visit; its strength out of 150 where it has that, unless a scale is given."""
    if out_of_150 is None:
        out_of_150 = visit.mmt8_150 is not None
    score = visit.mmt8_150 if out_of_150 else visit.mmt8_80
    return scoring.CoreSet(
        physician_vas=visit.physician_vas,
        patient_vas=visit.patient_vas,
        haq_di=visit.haq_di,
        mmt=None if score is None else scoring.Mmt(Decimal(score), 150 if out_of_150 else 80),
        enzyme=enzyme,
        extramuscular_vas=visit.extramuscular_vas,
    )


def nearest_enzymes(
    patient: Patient, days: Iterable[dt.date], as_of: dt.date
) -> dict[dt.date, dict[str, scoring.Enzyme]]:
    """For each day, of each muscle enzyme the result with a ULN nearest to it, within 28 days either way and taken by
    `as_of`; of two equally near the later. One query.
    """
    near = f"""
        SELECT r.value, {uln("r")} AS uln, r.taken_on, r.taken_at, r.id FROM monitoring_result r
        WHERE r.patient_id = a.patient_id AND r.analyte = wanted.code AND r.retired_at IS NULL AND r.value >= 0
          AND r.taken_on BETWEEN {{between}} AND {uln("r")} IS NOT NULL
        ORDER BY {{order}} LIMIT 1"""  # noqa: S608 - put together from constants
    rows = _rows(
        f"""
        SELECT visit.day, wanted.code, r.value, r.uln
        FROM unnest(%(days)s::date[]) visit (day)
        CROSS JOIN unnest(%(codes)s::text[]) wanted (code)
        {_PERSON}
        CROSS JOIN LATERAL (
            SELECT * FROM (
                ({near.format(between="visit.day - %(within)s AND visit.day", order=newest_first("r"))})
                UNION ALL
                ({
            near.format(
                between="visit.day + 1 AND LEAST(visit.day + %(within)s, %(as_of)s)",
                order="r.taken_on, r.taken_at DESC NULLS LAST, r.id DESC",
            )
        })
            ) r ORDER BY abs(r.taken_on - visit.day), r.taken_on DESC LIMIT 1
        ) r
        """,  # noqa: S608 - put together from constants
        {
            "patient": patient.pk,
            "days": sorted(days),
            "codes": list(MUSCLE_ENZYMES),
            "within": ENZYME_WITHIN_DAYS,
            "as_of": as_of,
        },
    )
    found: dict[dt.date, dict[str, scoring.Enzyme]] = {}
    for day, code, value, limit in rows:
        found.setdefault(day, {})[code] = scoring.Enzyme(code, value, limit)
    return found


# ------------------------------------------------------------------------------------------------------------- story


def baseline_of(patient: Patient, analyte: str, as_of: dt.date) -> PersonalBaseline | None:
    """The newest personal baseline set by `as_of`."""
    return next(iter(_baselines(patient, analyte, as_of)), None)


@prepared
def _baselines(patient: Patient, analyte: str, as_of: dt.date) -> QuerySet[PersonalBaseline]:
    found = PersonalBaseline.objects.current().filter(patient=patient, analyte=analyte, set_on__lte=as_of)
    return found.order_by("-set_on", "-id")[:1]


@dataclass(frozen=True)
class Readings:
    """What the chart and the tables of a patient both show: read once. Doses oldest first, the rest newest first."""

    doses: Sequence[DoseRow]
    infusions: Sequence[Infusion]
    visits: Sequence[CoreSetView]
    lung: Sequence[LungFunction]


def readings(patient: Patient, as_of: dt.date, *, visits: int = 60) -> Readings:
    """At most six queries. `visits`: how many of the newest."""
    doses = treatment.dose_rows(patient, as_of)
    infusions = treatment.infusions(patient, as_of, limit=200)
    seen = core_sets(patient, as_of, limit=visits, doses=[*doses, *treatment.pulses_of(infusions)])
    return Readings(doses, infusions, seen, lung_function(patient, as_of, limit=60))


def story(patient: Patient, as_of: dt.date, *, alerts: Iterable[AlertMark] = (), read: Readings | None = None) -> Story:
    """Everything the patient chart draws. At most eleven queries and a few hundred rows, whatever the history.

    `alerts` come from the app that holds them; `read` is what the page has already read.
    """
    read = read or readings(patient, as_of)
    doses, infusions, visits, lung = read.doses, read.infusions, read.visits, read.lung
    taper = treatment.active_taper(patient, as_of)
    ck = series(patient, "ck", as_of)
    marks = tuple(alerts)
    planned = tuple(
        PlannedDose(view.step.step_on, view.step.dose_pe_mg)
        for view in (taper.steps if taper else ())
        if view.step.step_on > as_of
    )
    stretches = dosing.pe_stretches(doses, as_of)
    days = [
        *(dose.starts_on for dose in doses),
        *(point.day for point in ck),
        *(view.assessment.assessed_on for view in visits),
        *(test.tested_on for test in lung),
        *(infusion.given_on for infusion in infusions),
        *(mark.day for mark in marks),
        *(step.day for step in planned),
    ]
    start, end = span(days, as_of)
    return Story(
        as_of=as_of,
        start=start,
        end=end,
        treatments=(*_bars(doses), *(_mark(i.course.drug, i.given_on, i.amount) for i in infusions)),
        steroid=tuple(SteroidDose(first, last, as_decimal(dose)) for first, last, dose in stretches),
        steroid_plan=planned,
        ck=tuple(CkPoint(point.day, point.value, point.uln, point.comparator) for point in ck),
        ck_bands=_ck_band(patient, ck, start, as_of),
        strength=_strength(visits),
        scores=_scores(visits),
        lung=_lung(lung),
        alerts=marks,
    )


def _kind(drug: str) -> str:
    kind = FORMULARY[drug].kind if drug in FORMULARY else None
    if kind is Kind.GLUCOCORTICOID:
        return "glucocorticoid"
    if kind in (Kind.IMMUNOGLOBULIN, Kind.BIOLOGIC):
        return "infusion"
    return "conventional" if kind in (Kind.CONVENTIONAL, Kind.CALCINEURIN, Kind.JAK) else "other"


def _bars(doses: Sequence[DoseRow]) -> Iterable[Treatment]:
    for row in doses:
        drug = FORMULARY.get(row.drug)
        words = dosing.in_words(drug, row.amount, row.times, row.every_days) if drug else plain(row.amount)
        yield Treatment(_(dosing.name_of(row.drug)), row.starts_on, row.ends_on, _kind(row.drug), words)


def _mark(code: str, day: dt.date, amount: Decimal) -> Treatment:
    unit = FORMULARY[code].unit if code in FORMULARY else ""
    return Treatment(_(dosing.name_of(code)), day, day, "infusion", f"{plain(amount)} {unit}".strip())


def _ck_band(patient: Patient, ck: Sequence[SeriesPoint], start: dt.date, as_of: dt.date) -> tuple[Band, ...]:
    """Usual variation round the personal baseline, else round the lowest CK of the 180 days before the latest."""
    own = baseline_of(patient, "ck", as_of)
    if own is not None and own.value > 0:
        return (_band(own.value, max(own.set_on, start), as_of),)
    if not ck:
        return ()
    window = ck[-1].day - dt.timedelta(days=180)
    before = [point for point in ck[:-1] if point.day >= window and point.value > 0]
    if not before:
        return ()
    nadir = min(before, key=lambda point: (point.value, -point.day.toordinal()))
    return (_band(nadir.value, nadir.day, as_of),)


def _band(baseline: Decimal, start: dt.date, end: dt.date) -> Band:
    band = variation_band(baseline, start, end)
    return dataclasses.replace(band, label=_(band.label))


def _line(
    key: str, label: str, unit: str, maximum: str, points: Iterable[tuple[dt.date, Any]], axis: str = "left"
) -> Series:
    found = tuple(Point(day, Decimal(value)) for day, value in points if value is not None)
    return Series(key, label, unit, Decimal(maximum), found, axis)


def _strength(visits: Sequence[CoreSetView]) -> tuple[Series, ...]:
    rows = [view.assessment for view in visits]
    lines = [_line("mmt8", "MMT8", _("of 150"), "150", ((a.assessed_on, a.mmt8_150) for a in rows))]
    if not lines[0].points:
        # One scale to a chart: the one-sided total only where no visit has both sides.
        lines = [_line("mmt8", _("MMT8, one side"), _("of 80"), "80", ((a.assessed_on, a.mmt8_80) for a in rows))]
    lines.append(_line("haq_di", "HAQ-DI", "", "3", ((a.assessed_on, a.haq_di) for a in rows), "right"))
    return tuple(line for line in lines if line.points)


def _scores(visits: Sequence[CoreSetView]) -> tuple[Series, ...]:
    totals = ((view.assessment.assessed_on, view.tis.total if view.tis else None) for view in visits)
    lines = [_line("tis", "TIS", _("of 100"), "100", totals)]
    for field, label in (
        ("physician_vas", _("Physician VAS")),
        ("patient_vas", _("Patient VAS")),
        ("extramuscular_vas", _("Extramuscular VAS")),
    ):
        values = ((view.assessment.assessed_on, getattr(view.assessment, field)) for view in visits)
        lines.append(_line(field, label, "cm", "10", values, "right"))
    return tuple(line for line in lines if line.points)


def _lung(tests: Sequence[LungFunction]) -> tuple[Series, ...]:
    lines = (
        _line("fvc", "FVC", _("% predicted"), "150", ((t.tested_on, t.fvc_percent_predicted) for t in tests)),
        _line("dlco", "DLCO", _("% predicted"), "150", ((t.tested_on, t.dlco_percent_predicted) for t in tests)),
    )
    return tuple(line for line in lines if line.points)
