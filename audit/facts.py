"""Append, supersede, withdraw, let lapse: what can happen to a fact. And undoing all of it while it is fresh."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models

from common.models import Fact, Status

T = TypeVar("T", bound=Fact)

# What a copy of a fact does not take over.
_OF_THE_ROW = frozenset(
    {"id", "status", "supersedes", "change_reason", "recorded_at", "recorded_by", "retired_at", "retired_by"}
)


@contextlib.contextmanager
def refusals_in_plain_words() -> Iterator[None]:
    """A constraint of the database that two people at once can run into becomes a ValidationError.

    PostgreSQL's own text quotes the offending values (a record number, say). The chain is cut: no log gets them.
    """
    try:
        yield
    except IntegrityError as error:
        state = getattr(error.__cause__, "sqlstate", None)
        if state in ("23505", "23P01"):
            message = "Somebody has recorded something that contradicts this in the meantime. Nothing was changed."
        elif state == "23514":
            message = "The record does not allow these values together. Nothing was changed."
        elif state == "23M01":
            message = "This record was merged into another in the meantime. Open the patient anew. Nothing was changed."
        else:
            raise
        raise ValidationError(message, code="conflict") from None


def record(model: type[T], *, by: Any, now: dt.datetime, **fields: Any) -> T:
    """A new fact. Raises ValidationError naming each wrong field; constraints are checked with it."""
    fact = model(recorded_by=by, recorded_at=now, **fields)
    fact.full_clean(exclude=["recorded_by"])
    with refusals_in_plain_words():
        fact.save(force_insert=True)
    return fact


def hold(row: models.Model) -> None:
    """Until the transaction ends nobody else gets past this line for the same row (a patient, a centre).

    For what must be looked up before it is written and has no constraint of its own.
    """
    type(row)._base_manager.select_for_update(no_key=True).get(pk=row.pk)


def _check_reason(reason: str, ask: str) -> None:
    if not reason.strip():
        raise ValidationError({"reason": ask})
    longest = Fact._meta.get_field("change_reason").max_length or 0
    if len(reason) > longest:
        raise ValidationError({"reason": f"At most {longest} characters."})


def _retire(fact: T, *, by: Any, now: dt.datetime, **fields: Any) -> T:
    locked = type(fact).objects.select_for_update().get(pk=fact.pk)
    if locked.retired_at is not None:
        raise ValidationError("Somebody has corrected or withdrawn this in the meantime. Nothing was changed.")
    locked.retired_at, locked.retired_by = now, by
    for name, value in fields.items():
        setattr(locked, name, value)
    locked.save(update_fields=["retired_at", "retired_by", *fields])
    return locked


def supersede(
    fact: T, *, by: Any, now: dt.datetime, reason: str, values: Mapping[str, Any] | None = None, **changes: Any
) -> T:
    """A corrected copy of `fact` takes its place; the old row stays, retired.

    `reason` is why it changes. What changes is given by keyword, or in `values` where a field is itself a "reason".
    """
    _check_reason(reason, "Say why it is corrected.")
    old = _retire(fact, by=by, now=now)
    copy = values_of(old)
    copy.update(values or {})
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
    _check_reason(reason, "Say why it is withdrawn.")
    return _retire(fact, by=by, now=now, status=Status.ENTERED_IN_ERROR, change_reason=reason)


def lapse(fact: T, *, by: Any, now: dt.datetime, reason: str) -> T:
    """It was rightly recorded and no longer holds: a booking that is cancelled. Retired, not called an error."""
    _check_reason(reason, "Say why.")
    return _retire(fact, by=by, now=now, change_reason=reason)


def dependants(fact: Fact) -> list[Fact]:
    """Current facts that hang on this one (the doses of a course). Not its successor."""
    found: list[Fact] = []
    for relation in fact._meta.related_objects:
        model = relation.related_model
        if isinstance(model, type) and issubclass(model, Fact) and relation.field.name != "supersedes":
            found.extend(model.objects.current().filter(**{relation.field.name: fact.pk}).order_by("pk"))
    return found


def withdraw_all(fact: T, *, by: Any, now: dt.datetime, reason: str) -> T:
    """Withdraw it and everything that hangs on it: a course entered in error has no doses."""
    for child in dependants(fact):
        withdraw_all(child, by=by, now=now, reason=reason)
    return withdraw(fact, by=by, now=now, reason=reason)


def _under(context_id: uuid.UUID, label: str) -> list[Fact]:
    """Facts of any app whose rows were added ("insert") or retired ("update") under one attribution, oldest first."""
    found: list[Fact] = []
    # Which model it is, and with it the model of its history, is known only when this runs.
    models_of_facts: list[Any] = [model for model in apps.get_models() if issubclass(model, Fact)]
    for model in models_of_facts:
        events = next(r.related_model for r in model._meta.related_objects if r.name == "events")
        rows = events._default_manager.filter(pgh_context_id=context_id, pgh_label=label).values("pgh_obj_id")
        found.extend(model._default_manager.filter(pk__in=rows).order_by("pk"))
    return found


def undo(context_id: uuid.UUID, *, by: Any, now: dt.datetime) -> list[tuple[Fact, Fact | None]]:
    """Take back what one action did: what was new is withdrawn, what replaced something gives way to the old values,
    and what was withdrawn or lapsed is recorded again.

    Refused with a ValidationError, and nothing changed, where the action touched no facts, or where something of it has
    been changed or built upon since. Returns each fact taken back, with the copy of the old values that now stands.
    """
    added = _under(context_id, "insert")
    replaced = {(type(fact), fact.supersedes.pk) for fact in added if fact.supersedes is not None}
    retired = [fact for fact in _under(context_id, "update") if (type(fact), fact.pk) not in replaced]
    if not added and not retired:
        raise ValidationError("There is nothing in it that could be undone.")
    mine = {(type(fact), fact.pk) for fact in added}
    for fact in added:
        if not fact.is_current or any((type(child), child.pk) not in mine for child in dependants(fact)):
            raise ValidationError("It has been changed or built upon since. Correct it instead.")
    for fact in retired:
        model: Any = type(fact)
        if model.objects.filter(supersedes=fact).exists():
            raise ValidationError("It has been changed or built upon since. Correct it instead.")
    reason = "Undone by the person who recorded it"
    # What is new goes first: it may stand where the old values return to (the next dose, the one before).
    undone: list[tuple[Fact, Fact | None]] = []
    for fact in sorted(added, key=lambda fact: fact.supersedes is not None):
        if fact.supersedes is None:
            undone.append((withdraw(fact, by=by, now=now, reason=reason), None))
        else:
            undone.append((fact, supersede(fact, by=by, now=now, reason=reason, values=values_of(fact.supersedes))))
    again: dict[tuple[type[Fact], int], Fact] = {}
    for fact in retired:
        undone.append((fact, _record_again(fact, retired, again, by=by, now=now, reason=reason)))
    return undone


def _record_again(
    fact: Fact,
    retired: list[Fact],
    again: dict[tuple[type[Fact], int], Fact],
    *,
    by: Any,
    now: dt.datetime,
    reason: str,
) -> Fact:
    """A copy of a retired fact takes its place, hanging on the copies of what it hung on. `again` holds those made."""
    key = (type(fact), fact.pk)
    if key not in again:
        values = values_of(fact)
        for parent in retired:
            for field in fact._meta.concrete_fields:
                if field.related_model is type(parent) and values.get(field.attname) == parent.pk:
                    copy = _record_again(parent, retired, again, by=by, now=now, reason=reason)
                    values[field.attname] = copy.pk
        values |= {"status": Status.AMENDED, "supersedes": fact, "change_reason": reason}
        again[key] = record(type(fact), by=by, now=now, **values)
    return again[key]


def values_of(fact: Fact) -> dict[str, Any]:
    """What it says, without whose row it is: the attributes a copy takes over."""
    return {f.attname: getattr(fact, f.attname) for f in fact._meta.concrete_fields if f.name not in _OF_THE_ROW}
