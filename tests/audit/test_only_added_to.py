"""What was done, and who looked, cannot be made undone: not even by code that would."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from alerts.models import AlertEvent
from audit.access import looked
from audit.models import Access, Entry
from patients import actions
from tests import factories
from tests.clinic import findings
from tests.factories import NOW


@pytest.fixture
def rows(db: None) -> dict[type[Model], Any]:
    centre = factories.centre()
    nurse = factories.person(centre)
    patient = factories.patient(centre, nurse)
    actions.set_follow_up_status(patient=patient, word="active", starts_on=NOW.date(), by=nurse, now=NOW)
    looked(by=nurse, centre=centre, now=NOW, page="clinic:patient", patient=patient)
    findings.alert(patient)
    return {model: model.objects.get() for model in (Entry, Access, AlertEvent)}


@pytest.mark.parametrize("model", [Entry, Access, AlertEvent])
def test_a_row_of_a_trail_is_only_ever_added(rows: dict[type[Model], Any], model: Any) -> None:
    row = rows[model]
    table = model._meta.db_table
    for change in (f"UPDATE {table} SET at = at", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()
    row.refresh_from_db()
