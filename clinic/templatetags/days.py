"""How days, numbers and rules are written on pages."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.dates import age_on
from monitoring.rules import RULES

register = template.Library()


def written(day: dt.date) -> str:
    """15 Jun 2025."""
    return f"{day.day} {day:%b %Y}"


def ago(day: dt.date, as_of: dt.date) -> str:
    """How far `day` is from `as_of` in words: "today", "12 days ago", "in 3 weeks", "5 months ago", "2 years ago"."""
    days = (as_of - day).days
    if days == 0:
        return "today"
    if days in (1, -1):
        return "yesterday" if days == 1 else "tomorrow"
    distance = abs(days)
    if distance < 21:
        number, unit = distance, "day"
    elif distance < 92:
        number, unit = round(distance / 7), "week"
    elif distance < 700:
        number, unit = round(distance / 30.44), "month"
    else:
        number, unit = round(distance / 365.25), "year"
    text = f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{text} ago" if days > 0 else f"in {text}"


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
def plain(value: Any) -> str:
    """A number without idle zeros: 1200, 0.5; nothing for None. Zero is a value."""
    if value is None:
        return ""
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def age(born_on: dt.date, as_of: dt.date) -> str:
    """ "34 years"."""
    years = age_on(born_on, as_of)
    return f"{years} year{'' if years == 1 else 's'}"


@register.filter
def rule_title(rule: str) -> str:
    """The title of a rule by its id; "All rules" for *."""
    return "All rules" if rule == "*" else RULES[rule].title if rule in RULES else rule
