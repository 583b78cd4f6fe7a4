"""Two people change one record: the second is told what the first changed, and loses nothing of what was typed.

A form that changes an existing record carries a `version` of it. Where the action refuses because the record has
another version by now (code "conflict"), the view calls `reconcile`:

* a box the first person changed and the second did not touch takes the new value, so that saving does not undo it;
* a box both changed keeps what was typed, and says beside it what the other wrote;
* what the page says about it (`Conflict.lines`) names every field that changed, with the value before, theirs and mine;
* the form carries the new version, so that the next press of the button saves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Line:
    """One field the other person changed, in words. `is_clash`: the reader changed it too, to something else."""

    name: str
    label: str
    before: str
    theirs: str
    mine: str
    is_clash: bool


@dataclass(frozen=True)
class Conflict:
    by: str
    at: dt.datetime
    lines: Sequence[Line]

    @property
    def clashes(self) -> int:
        return sum(line.is_clash for line in self.lines)


def is_conflict(form: forms.Form) -> bool:
    """Whether an action refused what the form held because of another version."""
    return any(error.code == "conflict" for error in form.non_field_errors().as_data())


def reconcile(
    form: forms.Form, *, before: Mapping[str, Any], theirs: Mapping[str, Any], version: int, by: str, at: dt.datetime
) -> Conflict:
    """Bring what was typed together with what was saved meanwhile. `before` is the record as the form was filled from
    it. The form is bound and valid but for the conflict.
    """
    data: Any = form.data.copy()  # type: ignore[attr-defined]  # of a request: a QueryDict
    lines = []
    for name, value in theirs.items():
        field, mine = form.fields[name], form.cleaned_data.get(name)
        if value == before.get(name):
            continue
        untouched = mine == before.get(name)
        if untouched:
            data[form.add_prefix(name)] = _as_typed(field, value)
        lines.append(
            Line(
                name=name, label=str(field.label), before=in_words(field, before.get(name)),
                theirs=in_words(field, value), mine=in_words(field, value if untouched else mine),
                is_clash=not untouched and mine != value,
            )
        )  # fmt: skip
    data[form.add_prefix("version")] = str(version)
    form.data = data
    # The form as a whole is not wrong: the page says what happened, and each box that clashes says it beside itself.
    form.errors.pop("__all__", None)
    for line in lines:
        if line.is_clash:
            message = _("%(name)s wrote: %(value)s. Yours is in the box.") % {"name": by, "value": line.theirs}
            form.add_error(line.name, ValidationError(message, code="conflict"))
    return Conflict(by, at, lines)


def _as_typed(field: forms.Field, value: Any) -> str:
    prepared = field.prepare_value(value)
    if isinstance(prepared, dt.date):
        return prepared.isoformat()
    return "" if prepared is None else str(prepared)


def in_words(field: forms.Field, value: Any) -> str:
    """A value of the field as people read it."""
    if value is None or value == "":
        return _("Not recorded")
    if isinstance(value, dt.date):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]  # no groups in these
    return str(value)
