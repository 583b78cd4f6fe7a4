"""What every action owes: an entry in the trail and a history when it writes; nothing at all when it refuses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection
from pghistory.models import Context

from accounts.models import User
from audit.models import Entry


def rows() -> dict[str, int]:
    """How many rows every table of ours holds, histories included. One query: this is asked around every refusal."""
    ours = {"patients", "therapy", "monitoring", "alerts", "audit", "accounts"}
    tables = sorted(model._meta.db_table for model in apps.get_models() if model._meta.app_label in ours)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables))
        return dict(cursor.fetchall())


@contextlib.contextmanager
def wrote(action: str, by: User) -> Iterator[None]:
    """The block does `action` once: one entry by this person, and row history under the same attribution."""
    before = set(Entry.objects.values_list("pk", flat=True))
    yield
    entry = Entry.objects.exclude(pk__in=before).get()
    assert (entry.action, entry.by) == (action, by)
    assert entry.summary
    context = Context.objects.get(pk=entry.context_id)
    assert (context.metadata["action"], context.metadata["by"]) == (action, by.pk)
    written = [
        model._meta.label
        for model in apps.get_models()
        if hasattr(model, "pgh_tracked_model") and model._default_manager.filter(pgh_context_id=context.pk).exists()
    ]
    assert written, f"{action} left no row history"


@contextlib.contextmanager
def refused(*fields: str, code: str | None = None) -> Iterator[Any]:
    """The block is refused with errors at exactly these fields (none: one about no field), and wrote nothing."""
    before = rows()
    with pytest.raises(ValidationError) as caught:
        yield caught
    error = caught.value
    named = set(error.error_dict) if hasattr(error, "error_dict") else {NON_FIELD_ERRORS}
    assert named == (set(fields) or {NON_FIELD_ERRORS}), error
    if code is not None:
        every = (
            error.error_list
            if not hasattr(error, "error_dict")
            else [e for es in error.error_dict.values() for e in es]
        )
        assert {e.code for e in every} == {code}
    assert rows() == before
