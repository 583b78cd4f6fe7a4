"""How far a centre may change the numbers of a rule, and how a value that was typed or kept is read.

Plain Python, nothing of the database. Which values a centre has set is in monitoring/governance.py.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from monitoring.rules.base import Parameters, Rule, plain


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What one parameter may be: a number from `low` to `high`, or one of `choices`."""

    low: Any = None
    high: Any = None
    choices: tuple[Any, ...] = ()

    @property
    def can_change(self) -> bool:
        return len(self.choices) > 1 if self.choices else self.low < self.high

    def allow(self, value: Any) -> bool:
        return value in self.choices if self.choices else bool(self.low <= value <= self.high)

    def __str__(self) -> str:
        if not self.can_change:
            return "not to be changed"
        if self.choices:
            return " or ".join(plain(choice) for choice in self.choices)
        return f"{plain(self.low)} to {plain(self.high)}"


def bounds_of(rule: Rule) -> dict[str, Bounds]:
    """{name: bounds} of every parameter. Where the rule's file gives none: half to double of a number, sign kept, whole
    where it is whole; yes or no; and nothing else for a day, a word or a list.
    """
    return {field.name: _bounds(field, getattr(rule.parameters, field.name)) for field in fields(rule)}


def fields(rule: Rule) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(rule.parameters)


def _bounds(field: dataclasses.Field[Any], value: Any) -> Bounds:
    if "bounds" in field.metadata:
        low, high = field.metadata["bounds"]
        return Bounds(low, high)
    if "choices" in field.metadata:
        return Bounds(choices=field.metadata["choices"])
    if isinstance(value, bool):
        return Bounds(choices=(True, False))
    if isinstance(value, int):
        ends = sorted((math.ceil(abs(value) / 2), 2 * abs(value)))
        return Bounds(*(ends if value >= 0 else (-ends[1], -ends[0])))
    if isinstance(value, Decimal):
        least, most = sorted((value / 2, value * 2))
        return Bounds(least, most)
    return Bounds(choices=(value,))


def with_values(rule: Rule, values: Mapping[str, Any]) -> Parameters:
    """The rule's parameters with some replaced, each given as text or JSON and read as the type of the one it replaces.
    Not held to the bounds.

    Raises LookupError for a name the rule does not have, ValueError for a value of another type.
    """
    changes = {}
    for name, value in values.items():
        if name not in {field.name for field in fields(rule)}:
            raise LookupError(f"{rule.id} has no parameter {name}")
        changes[name] = like(getattr(rule.parameters, name), value)
    return dataclasses.replace(rule.parameters, **changes)


def like(example: Any, value: Any) -> Any:
    """`value` as the type of `example`. Raises ValueError in words for whoever typed it."""
    if value is None or isinstance(example, list | tuple | dict):
        return tuple(value) if isinstance(example, tuple) and isinstance(value, list) else value
    if isinstance(example, bool):
        if str(value).lower() not in ("true", "false"):
            raise ValueError(f"{value} is neither true nor false")
        return str(value).lower() == "true"
    if isinstance(example, Decimal):
        try:
            number = Decimal(str(value))
        except ArithmeticError:
            raise ValueError(f"{value} is not a number") from None
        if not number.is_finite():
            raise ValueError(f"{value} is not a number")
        return number
    if isinstance(example, int):
        try:
            return int(str(value))
        except ValueError:
            raise ValueError(f"{value} is not a whole number") from None
    if isinstance(example, dt.date):
        return dt.date.fromisoformat(str(value))
    return type(example)(value)
