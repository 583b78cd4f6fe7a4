"""Who needs attention: the questions behind the worklist, what falls due, and what could not be judged.

Every list is one query set, and the number beside it is counted from the same one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from accounts.models import Centre, Role
from alerts import selectors as alerts
from alerts.actions.life import SNOOZE_DAYS
from alerts.models import ON_LISTS, RANK, Alert, NotEvaluable, State, Upcoming
from clinic import context
from clinic.context import DUE_WITHIN_DAYS, capped, coming, without_rows
from clinic.selectors.patient.words import reason_of, title_of
from common.dates import centre_day, latest_within
from common.prepared import prepared
from monitoring.levels import Level
from monitoring.rules import RULES
from monitoring.words import translated_words

ANY = "all"
NOBODY = "none"
# Roles inside a sentence.
ROLE_WORDS = {
    Role.CLINICIAN: gettext_lazy("clinician"), Role.NURSE: gettext_lazy("nurse"),
    Role.PHYSIOTHERAPIST: gettext_lazy("physiotherapist"), Role.COORDINATOR: gettext_lazy("coordinator"),
    Role.RESEARCHER: gettext_lazy("researcher"), Role.ADMINISTRATOR: gettext_lazy("administrator"),
}  # fmt: skip
BRIEF = 230  # characters of a row's reason; the whole sentence stands on the alert's page


@dataclass(frozen=True)
class Filters:
    """What a reader asked for. Empty means any; `state` and `role` know the word "all"."""

    role: str = ANY
    state: str = State.OPEN
    level: str = ""
    rule: str = ""
    due: str = ""
    subtype: str = ""
    clinician: str = ""
    patients: tuple[uuid.UUID, ...] = ()


# --------------------------------------------------------------------------------------------------------------- lists


def _on_lists(centre: Centre, filters: Filters) -> QuerySet[Alert]:
    found = Alert.objects.filter(centre=centre, closed_at__isnull=True, level__in=ON_LISTS)
    if filters.role != ANY:
        found = found.filter(audience=filters.role)
    if filters.level:
        found = found.alias(rank=RANK).filter(rank=Level(filters.level).rank)  # as the indexes hold it
    if filters.rule:
        found = found.filter(rule=filters.rule)
    if filters.subtype:
        found = found.filter(patient__subtype=filters.subtype)
    if filters.clinician:
        found = found.filter(patient__clinician=None if filters.clinician == NOBODY else int(filters.clinician))
    if filters.patients:
        found = found.filter(patient__public_id__in=filters.patients)
    return found


def _due(found: QuerySet[Alert], due: str, as_of: dt.date) -> QuerySet[Alert]:
    if due == "overdue":
        return found.filter(due_on__lt=as_of)
    if due == "soon":
        return found.filter(due_on__gte=as_of, due_on__lte=latest_within(as_of, DUE_WITHIN_DAYS))
    if due == "none":
        return found.filter(due_on__isnull=True)
    return found


def worklist(centre: Centre, filters: Filters, as_of: dt.date) -> QuerySet[Alert]:
    """Alerts that are not closed and matter: the worst first, then by due day, then the oldest."""
    found = _due(_on_lists(centre, filters), filters.due, as_of)
    if filters.state != ANY:
        found = found.filter(state=filters.state)
    return found.select_related("patient__clinician").order_by(
        RANK, F("due_on").asc(nulls_last=True), "opened_at", "pk"
    )


def states(centre: Centre, filters: Filters, as_of: dt.date) -> dict[str, int]:
    """How many rows `worklist` has in each state, and in "all". One query."""
    only_role = filters == Filters(role=filters.role, state=filters.state) and filters.role != ANY
    counts = dict(_states_of(centre, filters.role) if only_role else _states(centre, filters, as_of))
    named = {str(state): counts.get(state, 0) for state in (State.OPEN, State.ACKNOWLEDGED, State.SNOOZED)}
    return {**named, ANY: sum(named.values())}


def _states(centre: Centre, filters: Filters, as_of: dt.date) -> QuerySet[Any, Any]:
    found = _due(_on_lists(centre, filters), filters.due, as_of)
    return found.order_by().values_list("state").annotate(n=Count("pk"))


@prepared
def _states_of(centre: Centre, role: str) -> QuerySet[Any, Any]:
    """The worklist as it opens; the day does not matter where nothing asks for what is due."""
    return _states(centre, Filters(role=role), dt.date.min)


def overdue(centre: Centre, filters: Filters, as_of: dt.date) -> QuerySet[Alert]:
    """Alerts whose due day has passed, longest first, whoever's they are and whether acknowledged or not."""
    found = _due(_on_lists(centre, filters), "overdue", as_of)
    return found.select_related("patient__clinician").order_by("due_on", RANK, "pk")


def due_soon(centre: Centre, filters: Filters, as_of: dt.date) -> QuerySet[Upcoming]:
    """What rules say will fall due within 14 days and is no alert yet, nearest first."""
    found = coming(centre, latest_within(as_of, DUE_WITHIN_DAYS))
    if filters.rule:
        found = found.filter(rule=filters.rule)
    elif filters.role != ANY:
        found = found.filter(rule__in=[rule.id for rule in RULES.values() if rule.audience == filters.role])
    if filters.subtype:
        found = found.filter(patient__subtype=filters.subtype)
    if filters.patients:
        found = found.filter(patient__public_id__in=filters.patients)
    return found.select_related("patient").order_by("due_on", "patient__family_name", "rule", "pk")


def unjudged(centre: Centre, filters: Filters) -> QuerySet[NotEvaluable]:
    """Where a rule could not tell for want of a fact, newest first."""
    found = NotEvaluable.objects.filter(centre=centre)
    if filters.rule:
        found = found.filter(rule=filters.rule)
    if filters.patients:
        found = found.filter(patient__public_id__in=filters.patients)
    return found.select_related("patient").order_by("-since", "pk")


def tab_counts(centre: Centre, as_of: dt.date) -> dict[str, int | str]:
    """The numbers of the lists beside the worklist, without filters; "999+" beyond. Three queries."""
    return {
        "due": context.due_soon(centre, as_of),
        "overdue": capped(_overdue.count(centre, as_of, to=context.COUNTED_TO + 1)),
        "unjudged": capped(_unjudged.count(centre, to=context.COUNTED_TO + 1)),
    }


@prepared
def _overdue(centre: Centre, as_of: dt.date, *, to: int) -> QuerySet[Any, Any]:
    return without_rows(overdue(centre, Filters(), as_of), to)


@prepared
def _unjudged(centre: Centre, *, to: int) -> QuerySet[Any, Any]:
    return without_rows(unjudged(centre, Filters()), to)


# ---------------------------------------------------------------------------------------------------------------- rows


@dataclass(frozen=True)
class Row:
    """An alert on a list. `owner` follows the patient, and is empty where nobody does; `age` is how long it has been
    open; `late` that nobody has acknowledged it in its time; `overdue` how long its due day has passed, empty where it
    has not.
    """

    alert: Alert
    title: str
    reason: str
    age: str
    role: str
    late: bool
    overdue: str
    snoozable: bool
    owner: str


def rows(found: Iterable[Alert], zone: ZoneInfo, now: dt.datetime) -> list[Row]:
    as_of = centre_day(now, zone)
    return [
        Row(
            alert=alert,
            title=title_of(alert.rule),
            reason=brief(alert.rule, alert.evidence),
            age=lasting(now - alert.opened_at),
            role=str(Role(alert.audience).label),
            late=alert.state == State.OPEN and alert.level in ON_LISTS and alerts.acknowledge_by(alert, zone) < now,
            overdue=lasting(as_of - alert.due_on) if alert.due_on and alert.due_on < as_of else "",
            snoozable=Level(alert.level) in SNOOZE_DAYS,
            owner=str(alert.patient.clinician or ""),
        )
        for alert in found
    ]


@dataclass(frozen=True)
class Coming:
    item: Upcoming
    title: str
    reason: str
    role: str


def coming_rows(found: Iterable[Upcoming]) -> list[Coming]:
    return [
        Coming(
            item,
            title_of(item.rule),
            brief(item.rule, item.evidence),
            str(Role(RULES[item.rule].audience).label) if item.rule in RULES else "",
        )
        for item in found
    ]


@dataclass(frozen=True)
class Missing:
    item: NotEvaluable
    title: str
    missing: Sequence[str]


def unjudged_rows(found: Iterable[NotEvaluable]) -> list[Missing]:
    return [Missing(item, title_of(item.rule), [translated_words(what) for what in item.missing]) for item in found]


def brief(rule: str, evidence: dict[str, Any]) -> str:
    """The finding's first sentences, as many as fit on a row; at least one."""
    said: list[str] = []
    for sentence in sentences(rule, evidence):
        if said and len(" ".join([*said, sentence])) > BRIEF:
            break
        said.append(sentence)
    return " ".join(said)


def sentences(rule: str, evidence: dict[str, Any]) -> list[str]:
    """One sentence for each reason; without those that today's words of the rule cannot say."""
    each = (reason_of(rule, {**evidence, "reasons": [reason]}) for reason in evidence.get("reasons") or ())
    return [sentence for sentence in each if sentence]


def lasting(length: dt.timedelta) -> str:
    """A stretch of time in its largest unit: "5 min", "3 h", "12 days", "8 weeks", "5 months"."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    if minutes < 24 * 60:
        return _("%(n)s h") % {"n": minutes // 60}
    days = minutes // (24 * 60)
    for least, size, words in _STRETCHES:
        if days >= least:
            return words % {"n": days // size}
    raise AssertionError("the last stretch holds for every number of days")


_STRETCHES = (
    (365, 365, ngettext_lazy("%(n)s year", "%(n)s years", "n")),
    (61, 30, ngettext_lazy("%(n)s month", "%(n)s months", "n")),
    (21, 7, ngettext_lazy("%(n)s week", "%(n)s weeks", "n")),
    (0, 1, ngettext_lazy("%(n)s day", "%(n)s days", "n")),
)


# ------------------------------------------------------------------------------------------------------- in plain words


def definition(filters: Filters, as_of: dt.date) -> str:
    """What stands on the worklist, as a sentence."""
    which = {
        State.OPEN: _("Open alerts"), State.ACKNOWLEDGED: _("Acknowledged alerts"),
        State.SNOOZED: _("Snoozed alerts"), ANY: _("Alerts that are not closed"),
    }[filters.state]  # fmt: skip
    parts = {
        "which": which,
        "level": _("of level %(level)s") % {"level": Level(filters.level).label}
        if filters.level
        else _("of level Task, Action or Urgent"),
        "role": _("for every role")
        if filters.role == ANY
        else _("for the role %(role)s") % {"role": ROLE_WORDS[Role(filters.role)]},
    }
    more = [_("from the rule “%(rule)s”") % {"rule": title_of(filters.rule)}] if filters.rule else []
    if filters.due:
        more.append(
            {
                "overdue": _("whose due day has passed"),
                "soon": _("due within %(days)s days") % {"days": DUE_WITHIN_DAYS},
                "none": _("without a due day"),
            }[filters.due]
        )
    if filters.clinician:
        more.append(
            _("about patients whom nobody follows")
            if filters.clinician == NOBODY
            else _("about the patients of one clinician")
        )
    if filters.patients:
        more.append(_("of the patients you looked for"))
    said = _("%(which)s %(level)s %(role)s") % parts
    for condition in more:
        said = _("%(alerts)s %(condition)s") % {"alerts": said, "condition": condition}
    return _("%(alerts)s. The worst first, then by due day, then the oldest.") % {"alerts": said}


def rules_in_order() -> Sequence[tuple[str, str]]:
    """(id, title) of every rule, by title."""
    return sorted(((rule.id, rule.title_shown) for rule in RULES.values()), key=lambda pair: pair[1])
