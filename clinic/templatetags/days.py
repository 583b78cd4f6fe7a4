"""How days, numbers and rules are written on pages."""

from __future__ import annotations

import datetime as dt
import functools
import math
from decimal import Decimal
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext, ngettext_lazy

from common.dates import age_on
from monitoring.rules import RULES

register = template.Library()
# Below so many days, a distance is counted in units of so many days.
DISTANCES: tuple[tuple[float, float, Any, Any], ...] = (
    (
        21, 1,
        ngettext_lazy("%(n)s day ago", "%(n)s days ago", "n"), ngettext_lazy("in %(n)s day", "in %(n)s days", "n"),
    ),
    (
        92, 7,
        ngettext_lazy("%(n)s week ago", "%(n)s weeks ago", "n"), ngettext_lazy("in %(n)s week", "in %(n)s weeks", "n"),
    ),
    (
        700, 30.44,
        ngettext_lazy("%(n)s month ago", "%(n)s months ago", "n"),
        ngettext_lazy("in %(n)s month", "in %(n)s months", "n"),
    ),
    (
        math.inf, 365.25,
        ngettext_lazy("%(n)s year ago", "%(n)s years ago", "n"), ngettext_lazy("in %(n)s year", "in %(n)s years", "n"),
    ),
)  # fmt: skip


def written(day: dt.date) -> str:
    """15 Jun 2025; 15. Juni 2025."""
    return _written(day, "DATE_FORMAT", get_language())


@functools.lru_cache(4096)  # a page has a hundred days, most of them those of the page before
def _written(when: dt.date, form: str, language: str) -> str:
    return formats.date_format(when, form)


def ago(day: dt.date, as_of: dt.date) -> str:
    """How far `day` is from `as_of` in words: "today", "12 days ago", "in 3 weeks", "5 months ago", "2 years ago"."""
    days = (as_of - day).days
    if days == 0:
        return gettext("today")
    if days in (1, -1):
        return gettext("yesterday") if days == 1 else gettext("tomorrow")
    _, size, past, ahead = next(row for row in DISTANCES if abs(days) < row[0])
    return str((past if days > 0 else ahead) % {"n": round(abs(days) / size)})


@register.filter(name="day")
def day_with_distance(day: dt.date | None, as_of: dt.date | None = None) -> SafeString | str:
    """A day, with its distance from `as_of` on pointing; nothing for None."""
    if not day:
        return ""
    if as_of is None:
        return format_html('<time datetime="{}">{}</time>', day.isoformat(), written(day))
    return format_html('<time datetime="{}" title="{}">{}</time>', day.isoformat(), ago(day, as_of), written(day))


@register.filter(name="ago")
def distance_with_day(day: dt.date | None, as_of: dt.date) -> SafeString | str:
    """The distance, with the day itself on pointing; nothing for None."""
    if not day:
        return ""
    return format_html('<time datetime="{}" title="{}">{}</time>', day.isoformat(), written(day), ago(day, as_of))


@register.filter
def since(moment: dt.datetime, length: str) -> SafeString:
    """How long ago `moment` was, given as words, with the moment itself on pointing, on the clock of the centre."""
    shown = moment.astimezone(timezone.get_current_timezone())
    written_out = _written(shown, "DATETIME_FORMAT", get_language())
    return format_html('<time datetime="{}" title="{}">{}</time>', shown.isoformat(), written_out, length)


@register.filter
def plain(value: Any) -> str:
    """A number as people write it, without idle zeros: 1200, 0.5 (in German 0,5); nothing for None. Zero is a value.

    What a machine reads takes `exact`.
    """
    return exact(value).replace(".", formats.get_format("DECIMAL_SEPARATOR"))


@register.filter
def exact(value: Any) -> str:
    """A number as machines and boxes of type=number read it, without idle zeros: 1200, 0.5; nothing for None."""
    if value is None:
        return ""
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def translated(text: Any) -> str:
    """A text of plain knowledge, a rule or the record's constants, in the reader's language. Nothing stays nothing."""
    return gettext(str(text)) if text else ""


@register.filter
def age(born_on: dt.date, as_of: dt.date) -> str:
    """ "34 years"."""
    years = age_on(born_on, as_of)
    return ngettext("%(n)s year", "%(n)s years", years) % {"n": years}


@register.filter
def rule_title(rule: str) -> str:
    """The title of a rule by its id; "All rules" for *."""
    return gettext("All rules") if rule == "*" else gettext(RULES[rule].title) if rule in RULES else rule
