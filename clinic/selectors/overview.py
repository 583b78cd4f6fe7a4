"""The numbers of the clinic. Each is counted from the list that its link opens: those of today as one looks, those of
the past once a night (clinic.models.Figures), and then the page says when.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import Count, QuerySet
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Centre, Membership, Role, User
from alerts.models import ON_LISTS, Alert, State
from clinic.models import Figures
from clinic.runchart import FEWEST, middle, signals
from clinic.selectors import figures, patients, remission, worklist
from clinic.selectors.figures import BANDS
from clinic.selectors.patients import NONE, PatientFilters
from clinic.selectors.worklist import ANY, Filters, lasting
from common.prepared import prepared
from monitoring.levels import Level
from patients.models import Subtype

MISSED_RULE = "physio-missed"
LARGE = 10_000  # patients under follow-up
STATES = (remission.YES, remission.NO, remission.UNKNOWN)


# --------------------------------------------------------------------------------------------------------------- today


@dataclass(frozen=True)
class SubtypeLine:
    """Patients under follow-up of one subtype: by state of remission, and by dose of glucocorticoid today. `states` has
    None for all where the subtype is not asked about.
    """

    key: str
    label: str
    followed: int
    width: float
    states: Sequence[tuple[str, int | None]]
    bands: Sequence[tuple[str, int]]
    overdue: int


@dataclass(frozen=True)
class RoleLine:
    """Open alerts on the list of one role, by level in the order of `ON_LISTS`."""

    role: str
    label: str
    cells: Sequence[tuple[str, int]]
    total: int


@dataclass(frozen=True)
class Today:
    """`counted_at`: when the patients were counted, where not at this moment."""

    counted_at: dt.datetime | None
    followed: int
    states: Mapping[str, int]
    bands: Mapping[str, int]
    off_treatment: int
    subtypes: Sequence[SubtypeLine]
    roles: Sequence[RoleLine]
    open_total: int
    urgent: int
    overdue: int
    due_soon: int
    unjudged: int
    missed_physio: int
    no_visit: int

    @property
    def remission_percent(self) -> int | None:
        """Of those who were assessed; None where they are too few for a percentage."""
        assessed = self.states[remission.YES] + self.states[remission.NO]
        return round(100 * self.states[remission.YES] / assessed) if assessed >= FEWEST else None


def today(centre: Centre, as_of: dt.date, kept: figures.Kept | None) -> Today:
    """Nine queries, whatever is on record. Patients are counted as one looks; of a large clinic, where that takes
    seconds, `kept` is last night's where there is one.
    """
    counted_at: dt.datetime | None = None
    counts: Mapping[tuple[str, str, str], int]
    overdue_of: Mapping[str, int]
    if kept is not None and patients.followed(centre, as_of).count() > LARGE:
        counted_at, counts, overdue_of = kept.made_at, kept.patients, kept.overdue
    else:
        counts, overdue_of = figures.followed(centre, as_of), figures.overdue(centre, as_of)
    roles = _roles(centre)
    everybody = Filters()
    total = sum(counts.values())

    def number(**asked: str) -> int:
        named = ((dict(zip(("subtype", "state", "band"), key, strict=True)), n) for key, n in counts.items())
        return sum(n for of, n in named if all(of[word] == value for word, value in asked.items()))

    lines = [
        SubtypeLine(
            key=str(code),
            label=str(label),
            followed=followed,
            width=round(100 * followed / total, 1),
            states=[
                (state, None if code == Subtype.INCLUSION_BODY else number(subtype=code, state=state))
                for state in STATES
            ],
            bands=[(band, number(subtype=code, band=band)) for band in BANDS],
            overdue=overdue_of.get(code, 0),
        )
        for code, label in Subtype.choices
        if (followed := number(subtype=code)) or overdue_of.get(code)
    ]
    return Today(
        counted_at=counted_at,
        followed=total,
        states={state: number(state=state) for state in STATES},
        bands={band: number(band=band) for band in BANDS},
        off_treatment=number(state=remission.YES, band=NONE),
        subtypes=sorted(lines, key=lambda line: -line.followed),
        roles=roles,
        open_total=sum(line.total for line in roles),
        urgent=sum(n for line in roles for level, n in line.cells if level == Level.URGENT),
        overdue=worklist.overdue(centre, everybody, as_of).count(),
        due_soon=worklist.due_soon(centre, everybody, as_of).count(),
        unjudged=worklist.unjudged(centre, everybody).count(),
        missed_physio=worklist.states(centre, Filters(rule=MISSED_RULE, state=ANY), as_of)[ANY],
        no_visit=patients.listed(centre, PatientFilters(next_visit=NONE), as_of).count(),
    )


def _roles(centre: Centre) -> list[RoleLine]:
    found = Alert.objects.filter(centre=centre, closed_at__isnull=True, state=State.OPEN, level__in=ON_LISTS)
    numbers = {
        (role, level): n for role, level, n in found.order_by().values_list("audience", "level").annotate(n=Count("pk"))
    }
    lines = []
    for role in Role:
        cells = [(str(level), numbers.get((role.value, level.value), 0)) for level in ON_LISTS]
        if any(number for _level, number in cells):
            lines.append(RoleLine(role.value, str(role.label), cells, sum(number for _level, number in cells)))
    return lines


# ------------------------------------------------------------------------------------------------------------ over time


@dataclass(frozen=True)
class Point:
    """One month of a run chart. `said` is its value in words; `counted` where it is of too few to be a point."""

    month: str
    said: str
    links: Sequence[tuple[str, str]]  # (number, address) it is made from
    x: float
    y: float | None


@dataclass(frozen=True)
class RunChart:
    """Points month by month as SVG wants them; `marks` are (x, y, text) of the scale at the left."""

    id: str
    title: str
    note: str
    head: Sequence[str]
    points: Sequence[Point]
    path: str
    median_y: float | None
    median_said: str
    findings: Sequence[str]
    marks: Sequence[tuple[float, str]]
    labels: Sequence[tuple[float, str]]
    too_few: int
    is_count: bool  # a point is the number its link opens


WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 480, 170, 44, 12, 24


@dataclass(frozen=True)
class BurdenLine:
    clinician: str
    name: str
    followed: int
    opened: int
    a_week: str
    outcomes: Sequence[tuple[str, int, str]]  # (outcome, number, percent)
    time_to_act: str


@dataclass(frozen=True)
class Past:
    made_at: dt.datetime
    as_of: dt.date
    charts: Sequence[RunChart]
    weeks: Sequence[figures.Week]
    burden: Sequence[BurdenLine]
    burden_from: dt.date
    burden_to: dt.date
    sampled_chart: Bars
    alerts_chart: Bars


def past(kept: figures.Kept, address: Callable[..., str]) -> Past:
    """What was counted last night. One query."""
    first, last = figures.weeks_of_burden(kept.as_of)
    return Past(
        made_at=kept.made_at,
        as_of=kept.as_of,
        charts=_charts(kept.months, address),
        weeks=kept.weeks,
        burden=_burden(kept.clinicians),
        burden_from=first,
        burden_to=last,
        sampled_chart=_bars([[week.patients] for week in kept.weeks], kept.weeks),
        alerts_chart=_bars([[week.opened, week.closed] for week in kept.weeks], kept.weeks),
    )


def _charts(months: Sequence[figures.Month], address: Callable[..., str]) -> list[RunChart]:
    def people(month: figures.Month, **query: str) -> str:
        return address("clinic:patients", query=_query(status="active", on=month.on, **query))

    def alerts(month: figures.Month, **query: str) -> str:
        return address("clinic:history", query=_query(state="all", **query))

    def opened(month: figures.Month) -> str:
        return alerts(month, opened_from=month.first, opened_to=month.on)

    return [
        _share_chart(
            "remission", _("In remission"), _("Of those assessed in the twelve months before"), months,
            [_("In remission"), _("Not")],
            lambda m: (m.remission, m.remission + m.active),
            lambda m: [(m.remission, people(m, remission="yes")), (m.active, people(m, remission="no"))],
        ),
        _share_chart(
            "steroid", _("On more than %(mg)s mg") % {"mg": formats.localize(patients.STEROID_TARGET_MG)},
            _("Prednisone-equivalent a day, of those assessed in the twelve months before"), months,
            [_("On more"), _("Assessed")],
            lambda m: (m.above, m.remission + m.active),
            lambda m: [
                (m.above, people(m, remission="assessed", steroid="high")),
                (m.remission + m.active, people(m, remission="assessed")),
            ],
        ),
        _number_chart(
            "overdue", _("Overdue at the end of the month"), _("Open alerts whose due day had passed"), months,
            [_("Overdue")],
            lambda m: Fraction(m.overdue), formats.localize,
            lambda m: [(m.overdue, alerts(m, overdue_on=m.on))],
        ),
        _number_chart(
            "acting", _("Time until somebody acts"), _("Median of the alerts opened in the month"), months,
            [_("Acted on or overridden"), _("Opened")],
            lambda m: None if m.hours is None or m.touched < FEWEST else Fraction(str(m.hours)), _hours_said,
            lambda m: [(m.touched, opened(m) + "&outcome=touched"), (m.opened, opened(m))],
        ),
    ]  # fmt: skip


def _query(**values: str) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in values.items())


def _hours_said(hours: Any) -> str:
    return lasting(dt.timedelta(hours=float(hours)))


Links = Callable[[figures.Month], Sequence[tuple[int, str]]]


def _share_chart(
    id_: str, title: str, note: str, months: Sequence[figures.Month], head: Sequence[str],
    of: Callable[[figures.Month], tuple[int, int]], links: Links,
) -> RunChart:  # fmt: skip
    values = [Fraction(100 * part, whole) if whole >= FEWEST else None for part, whole in map(of, months)]
    return _chart(id_, title, note, months, head, values, lambda v: f"{round(v)} %", links, top=Fraction(100))


def _number_chart(
    id_: str, title: str, note: str, months: Sequence[figures.Month], head: Sequence[str],
    of: Callable[[figures.Month], Fraction | None], said: Callable[[Any], str], links: Links,
) -> RunChart:  # fmt: skip
    values = [of(month) for month in months]
    return _chart(id_, title, note, months, head, values, lambda v: said(round(v)), links, top=None)


def _chart(
    id_: str, title: str, note: str, months: Sequence[figures.Month], head: Sequence[str],
    values: Sequence[Fraction | None], said: Callable[[Fraction], str], links: Links, top: Fraction | None,
) -> RunChart:  # fmt: skip
    most = top or max((value for value in values if value is not None), default=Fraction(0)) * Fraction(11, 10) or 1
    room = HEIGHT - TOP - BOTTOM
    step = Fraction(WIDTH - LEFT - 10, max(1, len(months) - 1))

    def height(value: Fraction) -> float:
        return round(float(TOP + room * (1 - value / most)), 1)

    def name(month: figures.Month) -> str:
        return formats.date_format(dt.date.fromisoformat(month.first), "YEAR_MONTH_FORMAT")

    points = [
        Point(
            month=name(month),
            said=said(value) if value is not None else _("too few"),
            links=[(str(number), url) for number, url in links(month)],
            x=round(float(LEFT + step * place), 1),
            y=None if value is None else height(value),
        )
        for place, (month, value) in enumerate(zip(months, values, strict=True))
    ]
    line = middle(values)
    return RunChart(
        id=id_,
        title=title,
        note=note,
        head=head,
        points=points,
        path=" ".join(f"{point.x},{point.y}" for point in points if point.y is not None),
        median_y=None if line is None else height(line),
        median_said="" if line is None else said(line),
        findings=[_found(signal, points) for signal in signals(values)],
        marks=[(height(most * share), said(most * share)) for share in (Fraction(0), Fraction(1, 2), Fraction(1))],
        labels=[
            (point.x, formats.date_format(dt.date.fromisoformat(month.first), "M y"))
            for place, (point, month) in enumerate(zip(points, months, strict=True))
            if place % 4 == (len(points) - 2) % 4
        ],
        too_few=sum(value is None for value in values),
        is_count=len(head) == 1,
    )


def _found(signal: Any, points: Sequence[Point]) -> str:
    """A signal as a sentence. Whether it is good is for people to say."""
    texts = {
        "above": _("From %(first)s to %(last)s it lies above the median, longer than chance would keep it there."),
        "below": _("From %(first)s to %(last)s it lies below the median, longer than chance would keep it there."),
        "rising": _("From %(first)s to %(last)s it rises month by month, more often than by chance."),
        "falling": _("From %(first)s to %(last)s it falls month by month, more often than by chance."),
    }
    return texts[signal.kind] % {"first": points[signal.first].month, "last": points[signal.last].month}


def _burden(lines: Sequence[figures.Burden]) -> list[BurdenLine]:
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=[line.clinician for line in lines])}
    found = [
        BurdenLine(
            clinician=str(line.clinician or NONE),
            name=names.get(line.clinician or 0, _("Nobody follows them")),
            followed=line.followed,
            opened=line.opened,
            a_week=formats.number_format(line.opened / figures.WEEKS, 1),
            outcomes=[
                (word, getattr(line, word), f"{round(100 * getattr(line, word) / line.opened)} %")
                if line.opened >= FEWEST
                else (word, getattr(line, word), "")
                for word in ("acted", "overridden", "untouched")
            ],
            time_to_act="" if line.hours is None else _hours_said(line.hours),
        )
        for line in lines
        if line.followed or line.opened or line.clinician
    ]
    return sorted(found, key=lambda line: (line.clinician == NONE, -line.opened, line.name))


@prepared
def _opened(centre: Centre) -> QuerySet[Any, Any]:
    return Figures.objects.filter(centre=centre).order_by("pk").values_list("burden__roles", flat=True)[:1]


@prepared
def _at_work(centre: Centre, role: str) -> QuerySet[Any, Any]:
    return Membership.objects.filter(centre=centre, role=role, is_active=True, user__is_active=True).values_list("pk")


def budget(centre: Centre, role: str) -> str:
    """How much is new on the list of a role, and for how many people; empty where that is not known. Two queries."""
    if role == ANY:
        return ""
    opened = next(iter(_opened(centre)), None) or {}
    people = _at_work.count(centre, role)
    if not people:
        return _("Nobody of this role works here: nobody is told of these alerts until they are passed on.")
    if not opened.get(role):
        return ""
    a_week = opened[role] / figures.WEEKS
    return ngettext(
        "New on this list: %(a_week)s a week over the last twelve weeks, for one person.",
        "New on this list: %(a_week)s a week over the last twelve weeks, shared by %(people)s people: %(each)s each.",
        people,
    ) % {
        "a_week": formats.number_format(a_week, 1),
        "people": people,
        "each": formats.number_format(a_week / people, 1),
    }


# ---------------------------------------------------------------------------------------------------------------- bars


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


def _bars(rows: Sequence[Sequence[int]], weeks: Sequence[figures.Week]) -> Bars:
    width, height, head, foot = 480, 150, 16, 20
    room = height - head - foot
    most = max((number for row in rows for number in row), default=0) or 1
    step = width / len(rows)
    bars, values = [], []
    days = [formats.date_format(dt.date.fromisoformat(week.starts_on), "MONTH_DAY_FORMAT") for week in weeks]
    for place, row in enumerate(rows):
        thick = step * 0.64 / len(row)
        for nth, number in enumerate(row):
            tall = round(room * number / most, 1)
            x = place * step + step * 0.18 + nth * thick
            css = "bar" if nth == 0 else "bar-2"
            text = _("Week of %(day)s: %(number)s") % {"day": days[place], "number": number}
            bars.append(Bar(round(x, 1), round(height - foot - tall, 1), round(thick, 1), tall, text, css))
            if number:
                values.append((round(x + thick / 2, 1), round(height - foot - tall - 4, 1), number))
    labels = [
        (round(place * step + step / 2, 1), day) for place, day in enumerate(days) if place % 2 == (len(days) - 1) % 2
    ]
    return Bars(width, height, height - foot, bars, labels, values)
