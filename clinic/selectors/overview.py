"""The numbers of the clinic. Each is counted from the list that its link opens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.db.models.functions import TruncWeek

from accounts.models import Centre, Role
from alerts.models import Alert, State
from clinic.selectors import patients, worklist
from clinic.selectors.worklist import ANY, ON_LISTS, Filters
from common.dates import centre_day, day_bounds
from monitoring.analytes import ANALYTES
from monitoring.levels import Level
from monitoring.models import Result
from patients.models import Subtype

WEEKS = 12
MISSED_RULE = "physio-missed"


@dataclass(frozen=True)
class Share:
    """A part of a whole; `width` is its share in percent, for a bar."""

    key: str
    label: str
    number: int
    width: float


@dataclass(frozen=True)
class RoleLine:
    """Open alerts on the list of one role, by level in the order of `ON_LISTS`."""

    role: str
    label: str
    cells: Sequence[tuple[str, int]]
    total: int


@dataclass(frozen=True)
class Week:
    starts_on: dt.date
    results: int
    patients: int
    opened: int
    closed: int


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    text: str
    css: str


@dataclass(frozen=True)
class Bars:
    """Bars over weeks as SVG wants them. The numbers stand in the table below it."""

    width: int
    height: int
    floor: float
    bars: Sequence[Bar]
    labels: Sequence[tuple[float, str]]
    values: Sequence[tuple[float, float, int]]


@dataclass(frozen=True)
class Overview:
    followed: int
    subtypes: Sequence[Share]
    roles: Sequence[RoleLine]
    open_total: int
    urgent: int
    overdue: int
    due_soon: int
    unjudged: int
    above_steroid_target: int
    missed_physio: int
    weeks: Sequence[Week]
    results_chart: Bars
    alerts_chart: Bars


def overview(centre: Centre, now: dt.datetime) -> Overview:
    """A dozen queries, whatever is on record."""
    today = centre_day(now, centre.zone)
    followed = patients.followed(centre, today)
    by_subtype = dict(followed.order_by().values_list("subtype").annotate(n=Count("pk")))
    total = sum(by_subtype.values())
    subtypes = [
        Share(str(code), str(label), by_subtype[code], round(100 * by_subtype[code] / total, 1))
        for code, label in Subtype.choices
        if by_subtype.get(code)
    ]
    roles = _roles(centre)
    counts = worklist.tab_counts(centre, today)
    missed = worklist.states(centre, Filters(rule=MISSED_RULE, state=ANY), today)[ANY]
    steroid = patients.listed(centre, patients.PatientFilters(steroid="high"), today).count()
    weeks = _weeks(centre, today)
    return Overview(
        followed=total,
        subtypes=sorted(subtypes, key=lambda share: -share.number),
        roles=roles,
        open_total=sum(line.total for line in roles),
        urgent=sum(number for line in roles for level, number in line.cells if level == Level.URGENT),
        overdue=counts["overdue"],
        due_soon=counts["due"],
        unjudged=counts["unjudged"],
        above_steroid_target=steroid,
        missed_physio=missed,
        weeks=weeks,
        results_chart=_bars([[week.results] for week in weeks], weeks),
        alerts_chart=_bars([[week.opened, week.closed] for week in weeks], weeks),
    )


def _roles(centre: Centre) -> list[RoleLine]:
    found = Alert.objects.filter(centre=centre, closed_at__isnull=True, state=State.OPEN, level__in=ON_LISTS)
    numbers = {
        (role, level): n for role, level, n in found.order_by().values_list("audience", "level").annotate(n=Count("pk"))
    }
    lines = []
    for role in Role:
        cells = [(str(level), numbers.get((role.value, level.value), 0)) for level in ON_LISTS]
        if any(number for _, number in cells):
            lines.append(RoleLine(role.value, str(role.label), cells, sum(number for _, number in cells)))
    return lines


def _weeks(centre: Centre, today: dt.date) -> list[Week]:
    """The last twelve weeks, oldest first, Monday to Sunday; the present one is not over."""
    monday = today - dt.timedelta(days=today.weekday())
    first = monday - dt.timedelta(weeks=WEEKS - 1)
    taken = (
        # Named one by one, the analytes let the index by analyte and day answer, whatever the history holds.
        Result.objects.current()
        .filter(patient__centre=centre, analyte__in=[*ANALYTES], taken_on__gte=first, taken_on__lte=today)
        .annotate(week=TruncWeek("taken_on"))
        .order_by()
        .values_list("week")
        .annotate(n=Count("pk"), who=Count("patient", distinct=True))
    )
    results = {week: (n, who) for week, n, who in taken}
    start = day_bounds(first, centre.zone)[0]
    counts: dict[str, dict[dt.date, int]] = {}
    for column in ("opened_at", "closed_at"):
        alerts = Alert.objects.filter(centre=centre, level__in=ON_LISTS, **{f"{column}__gte": start})
        by_week = alerts.annotate(week=TruncWeek(column, tzinfo=centre.zone)).order_by().values_list("week")
        counts[column] = {week.date(): n for week, n in by_week.annotate(n=Count("pk"))}
    weeks = []
    for number in range(WEEKS):
        day = first + dt.timedelta(weeks=number)
        n, who = results.get(day, (0, 0))
        weeks.append(Week(day, n, who, counts["opened_at"].get(day, 0), counts["closed_at"].get(day, 0)))
    return weeks


def _bars(rows: Sequence[Sequence[int]], weeks: Sequence[Week]) -> Bars:
    width, height, head, foot = 480, 150, 16, 20
    room = height - head - foot
    most = max((number for row in rows for number in row), default=0) or 1
    step = width / len(rows)
    bars, values = [], []
    for place, row in enumerate(rows):
        thick = step * 0.64 / len(row)
        for nth, number in enumerate(row):
            tall = round(room * number / most, 1)
            x = place * step + step * 0.18 + nth * thick
            css = "bar" if nth == 0 else "bar-2"
            text = f"Week of {weeks[place].starts_on.day} {weeks[place].starts_on:%b}: {number}"
            bars.append(Bar(round(x, 1), round(height - foot - tall, 1), round(thick, 1), tall, text, css))
            if number:
                values.append((round(x + thick / 2, 1), round(height - foot - tall - 4, 1), number))
    labels = [
        (round(place * step + step / 2, 1), f"{week.starts_on.day} {week.starts_on:%b}")
        for place, week in enumerate(weeks)
        if place % 2 == (len(weeks) - 1) % 2
    ]
    return Bars(width, height, height - foot, bars, labels, values)
