"""Errors of many things that were sent together."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError


class SeveralWrong(Exception):
    """Some of several are wrong, so none was written. `problems` are (index from 0, its ValidationError)."""

    def __init__(self, problems: Sequence[tuple[int, ValidationError]]) -> None:
        super().__init__(f"{len(problems)} are wrong. Nothing was written.")
        self.problems = list(problems)
