"""What the overview shows of the past, counted for `clinic.models.Figures`. Every number is counted from the list that
its link opens: of patients as the record says of that day, or of alerts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from django.db.models import Case, CharField, Count, Q, Value, When
from django.db.models.functions import TruncWeek

from accounts.models import Centre, Role
from alerts import outcomes
from alerts.models import ON_LISTS, Alert
from clinic.models import Figures
from clinic.selectors import patients, remission, worklist
from clinic.selectors.history import HistoryFilters, history, overdue_on
from clinic.selectors.patients import NONE, PatientFilters
from clinic.selectors.remission import ASSESSED, NO, YES
from clinic.selectors.worklist import ANY, Filters
from common.dates import centre_day, day_bounds
from monitoring.analytes import ANALYTES
from monitoring.models import Result
from patients.models import Subtype

MONTHS, WEEKS = 24, 12
BANDS = (NONE, "low", "middle", "high")


@dataclass(frozen=True)
class Month:
    """`on` is its last day; of the present month the newest one counted. `hours` is the median time to a person's first
    step, of the `touched` among the alerts opened in it; None where there was none.
    """

    first: str
    on: str
    remission: int
    active: int
    above: int  # of those assessed, takes more prednisone-equivalent than the target
    overdue: int
    opened: int
    touched: int
    hours: float | None


@dataclass(frozen=True)
class Week:
    starts_on: str
    patients: int  # with a result taken in it
    opened: int
    closed: int

    @property
    def first(self) -> dt.date:
        return dt.date.fromisoformat(self.starts_on)

    @property
    def ends_on(self) -> str:
        return (self.first + dt.timedelta(days=6)).isoformat()


@dataclass(frozen=True)
class Burden:
    """Alerts on the list of clinicians about the patients one of them follows, opened in the twelve weeks."""

    clinician: int | None
    followed: int
    opened: int
    acted: int
    overridden: int
    untouched: int
    hours: float | None


@dataclass(frozen=True)
class Kept:
    """What was counted last night. `patients` as `followed` gives them; `overdue` by subtype."""

    as_of: dt.date
    made_at: dt.datetime
    months: Sequence[Month]
    weeks: Sequence[Week]
    clinicians: Sequence[Burden]
    patients: Mapping[tuple[str, str, str], int]
    overdue: Mapping[str, int]


def kept(centre: Centre) -> Kept | None:
    """None where nothing was counted yet, or by another version, which kept what this one does not know how to read:
    until it is counted anew (`lacking`). One query.
    """
    row = Figures.objects.filter(centre=centre).first()
    try:
        return _read(row) if row is not None else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _read(row: Figures) -> Kept:
    return Kept(
        as_of=row.as_of,
        made_at=row.made_at,
        months=[Month(**month) for month in row.months],
        weeks=[Week(**week) for week in row.weeks],
        clinicians=[Burden(**line) for line in row.burden["clinicians"]],
        patients={(subtype, state, band): n for subtype, state, band, n in row.burden["patients"]},
        overdue=dict(row.burden["overdue"].items()),
    )


def work_out(centre: Centre, as_of: dt.date) -> dict[str, Any]:
    """{"months", "weeks", "burden"} as the table keeps them. Half a dozen queries for each month."""
    return {
        "months": [asdict(_month(centre, first, on)) for first, on in months_to(as_of)],
        "weeks": [asdict(week) for week in _weeks(centre, as_of)],
        "burden": {
            "clinicians": [asdict(line) for line in _burden(centre, as_of)],
            "roles": _roles(centre, as_of),
            "patients": [[*key, n] for key, n in followed(centre, as_of).items()],
            "overdue": overdue(centre, as_of),
        },
    }


def months_to(as_of: dt.date) -> list[tuple[dt.date, dt.date]]:
    """(first day, last day counted) of the last two years of months, the oldest first; the newest is not over."""
    found = [(as_of.replace(day=1), as_of)]
    while len(found) < MONTHS:
        last = found[0][0] - dt.timedelta(days=1)
        found.insert(0, (last.replace(day=1), last))
    return found


def weeks_of_burden(as_of: dt.date) -> tuple[dt.date, dt.date]:
    """The Monday and the Sunday of the twelve weeks that are over."""
    monday = as_of - dt.timedelta(days=as_of.weekday())
    return monday - dt.timedelta(weeks=WEEKS), monday - dt.timedelta(days=1)


def followed(centre: Centre, as_of: dt.date) -> dict[tuple[str, str, str], int]:
    """{(subtype, state of remission, band of dose): patients under follow-up}. One query: each list is asked for once,
    and is the list itself.
    """
    found = patients.followed(centre, as_of)
    assessed, quiet = remission.conditions(centre, as_of)

    def among(lists: Mapping[str, Any], otherwise: str) -> Case:
        whens = [When(condition, then=Value(word)) for word, condition in lists.items()]
        return Case(*whens, default=Value(otherwise), output_field=CharField())

    rows = (
        found.annotate(
            # In this order, the first that holds: whoever is assessed, and not in remission, is not.
            state=among(
                {"": Q(subtype=Subtype.INCLUSION_BODY), remission.YES: quiet, remission.NO: assessed},
                remission.UNKNOWN,
            ),
            band=among({band: patients.on_steroid(centre, band, as_of) for band in BANDS[1:]}, NONE),
        )
        .order_by()
        .values_list("subtype", "state", "band")
        .annotate(n=Count("pk"))
    )
    return {(subtype, state, band): n for subtype, state, band, n in rows}


def overdue(centre: Centre, as_of: dt.date) -> dict[str, int]:
    """{subtype: alerts whose due day has passed}. One query."""
    found = worklist.overdue(centre, Filters(), as_of).order_by()
    return dict(found.values_list("patient__subtype").annotate(n=Count("pk")))


def _month(centre: Centre, first: dt.date, on: dt.date) -> Month:
    def number(**filters: Any) -> int:
        return patients.listed(centre, PatientFilters(**filters), on).count()

    opened = history(centre, HistoryFilters(state=ANY, opened_from=first, opened_to=on))
    acted = [row.time_to_act for row in outcomes.with_outcome(opened) if row.stepped_at is not None]
    return Month(
        first=first.isoformat(),
        on=on.isoformat(),
        remission=number(remission=YES),
        active=number(remission=NO),
        above=number(remission=ASSESSED, steroid="high"),
        overdue=overdue_on(Alert.objects.filter(centre=centre, level__in=ON_LISTS), centre, on).count(),
        opened=opened.count(),
        touched=len(acted),
        hours=_hours(acted),
    )


def _hours(lengths: Iterable[dt.timedelta]) -> float | None:
    each = list(lengths)
    return round(median(length.total_seconds() for length in each) / 3600, 1) if each else None


def _weeks(centre: Centre, as_of: dt.date) -> Iterator[Week]:
    """The last twelve weeks, oldest first, Monday to Sunday; the present one is not over."""
    monday = as_of - dt.timedelta(days=as_of.weekday())
    first = monday - dt.timedelta(weeks=WEEKS - 1)
    taken = (
        # Named one by one, the analytes let the index by analyte and day answer, whatever the history holds.
        Result.objects.current()
        .filter(patient__centre=centre, analyte__in=[*ANALYTES], taken_on__gte=first, taken_on__lte=as_of)
        .annotate(week=TruncWeek("taken_on"))
        .order_by()
        .values_list("week")
        .annotate(who=Count("patient", distinct=True))
    )
    sampled = dict(taken)
    start, end = day_bounds(first, centre.zone)[0], day_bounds(as_of, centre.zone)[1]
    counts: dict[str, dict[dt.date, int]] = {}
    for column in ("opened_at", "closed_at"):
        within = {f"{column}__gte": start, f"{column}__lt": end}
        alerts = Alert.objects.filter(centre=centre, level__in=ON_LISTS, **within)
        by_week = alerts.annotate(week=TruncWeek(column, tzinfo=centre.zone)).order_by().values_list("week")
        counts[column] = {week.date(): n for week, n in by_week.annotate(n=Count("pk"))}
    for number in range(WEEKS):
        day = first + dt.timedelta(weeks=number)
        yield Week(
            day.isoformat(), sampled.get(day, 0), counts["opened_at"].get(day, 0), counts["closed_at"].get(day, 0)
        )


def _roles(centre: Centre, as_of: dt.date) -> dict[str, int]:
    """{role: alerts opened in the twelve weeks that are on its list}."""
    first, last = weeks_of_burden(as_of)
    found = history(centre, HistoryFilters(state=ANY, opened_from=first, opened_to=last))
    return dict(found.order_by().values_list("audience").annotate(n=Count("pk")))


def _burden(centre: Centre, as_of: dt.date) -> Iterator[Burden]:
    first, last = weeks_of_burden(as_of)
    filters = HistoryFilters(state=ANY, role=Role.CLINICIAN, opened_from=first, opened_to=last)
    lives: dict[str, list[Any]] = {}
    for row in outcomes.with_outcome(history(centre, filters)):
        lives.setdefault(str(row.patient.clinician_id or NONE), []).append(row)
    for who in [*(pk for pk, _ in patients.clinicians(centre)), NONE]:
        own = lives.get(who, [])
        of = {word: sum(row.outcome == word for row in own) for word in outcomes.LABELS}
        yield Burden(
            clinician=None if who == NONE else int(who),
            followed=patients.listed(centre, PatientFilters(clinician=who), as_of).count(),
            opened=len(own),
            hours=_hours(row.time_to_act for row in own if row.stepped_at is not None),
            **of,
        )


def lacking(now: dt.datetime) -> list[Centre]:
    """Centres without figures of today, once the nightly check has had its hour; those without any that can be read at
    once.
    """
    found = []
    for centre in Centre.objects.order_by("pk"):
        made = kept(centre)
        its_hour = now.astimezone(centre.zone).time() >= centre.sweep_at
        if made is None or (made.as_of != centre_day(now, centre.zone) and its_hour):
            found.append(centre)
    return found
