"""For lists: what a row shows fifty times a page is worked out once."""

from __future__ import annotations

import functools
import uuid

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()
ANYONE = uuid.UUID(int=0)


@register.simple_tag
@functools.cache
def icon(name: str) -> SafeString:
    """components/icon.html without words. Names are written in templates: there are as many as icons."""
    return render_to_string("components/icon.html", {"name": name})


@register.simple_tag
def level(name: str) -> SafeString:
    """components/level.html of URGENT, ACTION, TASK or INFO."""
    return _level(name, get_language())


@functools.cache
def _level(name: str, language: str) -> SafeString:
    return render_to_string("components/level.html", {"level": name})


@register.simple_tag
def address_of(name: str, public_id: uuid.UUID) -> str:
    """The address of the page `name` about one patient or alert, as {% url %} gives it."""
    before, after = _around(name)
    return f"{before}{public_id}{after}"


@functools.cache
def _around(name: str) -> tuple[str, str]:
    before, _, after = reverse(name, args=[ANYONE]).partition(str(ANYONE))
    return before, after
