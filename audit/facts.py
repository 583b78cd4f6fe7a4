"""Append, supersede, withdraw: the three things that can happen to a fact."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

from django.core.exceptions import ValidationError

from common.models import Fact, Status

T = TypeVar("T", bound=Fact)


def record(model: type[T], *, by: Any, now: dt.datetime, **fields: Any) -> T:
    """A new fact. Raises ValidationError naming each wrong field; constraints are checked with it."""
    fact = model(recorded_by=by, recorded_at=now, **fields)
    fact.full_clean(exclude=["recorded_by"])
    fact.save(force_insert=True)
    return fact


def _retire(fact: T, *, by: Any, now: dt.datetime, **fields: Any) -> T:
    locked = type(fact).objects.select_for_update().get(pk=fact.pk)
    if locked.retired_at is not None:
        raise ValidationError(
            "Somebody has corrected or withdrawn this in the meantime. Nothing was changed."
        )
    locked.retired_at, locked.retired_by = now, by
    for name, value in fields.items():
        setattr(locked, name, value)
    locked.save(update_fields=["retired_at", "retired_by", *fields])
    return locked


def supersede(fact: T, *, by: Any, now: dt.datetime, reason: str, **changes: Any) -> T:
    """A corrected copy of `fact` takes its place; the old row stays, retired."""
    if not reason:
        raise ValidationError({"reason": "Say why it is corrected."})
    old = _retire(fact, by=by, now=now)
    skip = {
        "id",
        "status",
        "supersedes",
        "change_reason",
        "recorded_at",
        "recorded_by",
        "retired_at",
        "retired_by",
    }
    copy = {
        f.attname: getattr(old, f.attname)
        for f in old._meta.concrete_fields
        if f.name not in skip
    }
    copy.update(changes)
    return record(
        type(fact),
        by=by,
        now=now,
        status=Status.AMENDED,
        supersedes=old,
        change_reason=reason,
        **copy,
    )


def withdraw(fact: T, *, by: Any, now: dt.datetime, reason: str) -> T:
    """It should never have been recorded. What it superseded stays superseded."""
    if not reason:
        raise ValidationError({"reason": "Say why it is withdrawn."})
    return _retire(
        fact, by=by, now=now, status=Status.ENTERED_IN_ERROR, change_reason=reason
    )
