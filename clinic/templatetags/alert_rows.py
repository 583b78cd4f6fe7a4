"""The rows of a list of alerts. Twenty-five of them are most of the page that is opened most often: as a template they
took a quarter of its time, so they are put together here. Texts and values are escaped where they go in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from alerts.models import Alert, State
from clinic.selectors.worklist import Row
from clinic.templatetags.days import day_with_distance, distance_with_day, since
from clinic.templatetags.rows import address_of, icon, level
from monitoring.levels import Level

register = template.Library()


@register.simple_tag(takes_context=True)
def alert_rows(context: dict[str, Any], rows: Sequence[Row], ticked: Collection[Any] | None = None) -> SafeString:
    """`rows` as table rows, on the day `as_of`, with what the reader may do (`can`).

    With `ticked`, the ids of those chosen so far, several can be chosen. The buttons send the form of _acts.html; the
    keys are named in _keys.html.
    """
    as_of, acts = context["as_of"], context["can"]["act"]
    chosen = ticked if acts else None
    return mark_safe("".join(_row(row, as_of, acts, chosen) for row in rows))  # noqa: S308 - escaped below


def _row(row: Row, as_of: dt.date, acts: bool, ticked: Collection[Any] | None) -> str:
    alert, patient = row.alert, row.alert.patient
    who, title = escape(patient.name), escape(row.title)
    about = f"{title}, {who}"
    # Outside of the strings below: the catalogue is not told of what is said inside of them.
    choose, due, open_for, for_whom = escape(_("Choose")), escape(_("Due")), escape(_("Open for")), escape(_("For"))
    owner = escape(row.owner or _("nobody follows"))
    tick = ""
    if ticked is not None:
        checked = " checked" if alert.public_id in ticked else ""
        tick = (
            '<td class="list-tick"><input class="form-check-input row-check" type="checkbox" form="bulk" name="alert" '
            f'value="{alert.public_id}:{alert.level}" aria-label="{choose}: {about}"{checked}></td>'
        )
    reason = f'<span class="sub list-reason">{escape(row.reason)}</span>' if row.reason else ""
    doing = f'<span class="list-actions">{_doing(row, about)}</span>' if acts else ""
    room = f'<tr class="list-act"><td colspan="8" id="act-{alert.public_id}"></td></tr>' if acts else ""
    return (
        f'<tr id="alert-{alert.public_id}" class="list-row{" is-late" if row.late else ""}" data-row>{tick}'
        f"<td>{level(alert.level)}</td>"
        f'<td class="list-who"><a class="row-title" href="{address_of("clinic:patient", patient.public_id)}" '
        f'data-key="p">{who}</a><span class="sub num">{escape(patient.record_number)}</span></td>'
        f'<td class="list-why"><a class="row-title" href="{address_of("clinic:alert", alert.public_id)}" '
        f'data-key="o">{title}</a>{reason}</td>'
        f'<td data-label="{due}" class="list-due">{_due(row, as_of)}</td>'
        f'<td data-label="{open_for}" class="list-age">{since(alert.opened_at, row.age)}'
        f'{_state(row, as_of)}</td><td data-label="{for_whom}">{escape(row.role)}'
        f'<span class="sub">{owner}</span></td>'
        f'<td class="actions">{doing}</td></tr>{room}\n'
    )


def _due(row: Row, as_of: dt.date) -> str:
    due_on = row.alert.due_on
    if due_on is None:
        nothing = escape(_("No due day"))
        return f'<span class="muted" aria-label="{nothing}">–</span>'
    if row.overdue:
        late = escape(_("%(length)s overdue") % {"length": row.overdue})
        return f'{day_with_distance(due_on, as_of)}<span class="sub list-late nowrap">{late}</span>'
    return f'{day_with_distance(due_on, as_of)}<span class="sub">{distance_with_day(due_on, as_of)}</span>'


def _state(row: Row, as_of: dt.date) -> str:
    alert = row.alert
    if row.late:
        late = escape(_("not acknowledged in time"))
        return f'<span class="sub list-late">{late}</span>'
    if alert.state == State.SNOOZED:
        day = day_with_distance(alert.snoozed_until, as_of)
        snoozed = escape(_("snoozed until %(day)s")) % {"day": day}
        return f'<span class="sub">{snoozed}</span>'
    if alert.state == State.ACKNOWLEDGED:
        return f'<span class="sub">{escape(_acknowledged(alert))}</span>'
    return ""


def _acknowledged(alert: Alert) -> str:
    if alert.acknowledged_at is None:
        return _("acknowledged")
    at = alert.acknowledged_at.astimezone(timezone.get_current_timezone())
    return _("acknowledged %(at)s") % {"at": formats.date_format(at, "SHORT_DATETIME_FORMAT")}


def _doing(row: Row, about: str) -> str:
    alert, said = row.alert, ""
    if alert.state == State.OPEN:
        url, word = address_of("clinic:alert-acknowledge", alert.public_id), escape(_("Acknowledge"))
        said = (
            f'<button class="btn btn-sm" form="act" name="seen_level" value="{alert.level}" formaction="{url}" '
            f'hx-post="{url}" hx-target="#worklist" data-key="a" aria-label="{word}: {about}">{icon("check")}{word}'
            "</button> "
        )
    if alert.state == State.SNOOZED:
        url, word = address_of("clinic:alert-wake", alert.public_id), escape(_("Wake"))
        title = escape(_("End the snooze now"))
        return (
            f'<button class="btn btn-sm" form="act" formaction="{url}" hx-post="{url}" hx-target="#worklist" '
            f'title="{title}" aria-label="{word}: {about}">{icon("bell")}{word}</button>'
        )
    if row.snoozable and alert.level != Level.URGENT:
        url, word = address_of("clinic:alert-snooze", alert.public_id), escape(_("Snooze"))
        said += (
            f'<a class="btn btn-quiet btn-sm btn-icon" href="{address_of("clinic:alert", alert.public_id)}?do=snooze'
            f'#snooze" hx-get="{url}" hx-target="#act-{alert.public_id}" data-key="s" title="{word}" '
            f'aria-label="{word}: {about}">{icon("snooze")}</a>'
        )
    return said
