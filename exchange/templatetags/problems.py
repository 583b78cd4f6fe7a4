"""How problems of files and rows are written on pages."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

from exchange import wording

register = template.Library()


@register.filter
def problem_shown(problem: Mapping[str, str]) -> str:
    """What is wrong, in the reader's language."""
    return wording.shown(problem["message"])
