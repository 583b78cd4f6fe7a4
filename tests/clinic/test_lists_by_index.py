"""The lists of a large clinic are read from their indexes: in order, without sorting every alert."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import Role
from alerts.models import ON_LISTS
from clinic.selectors import worklist
from clinic.selectors.worklist import Filters
from tests.factories import AS_OF

pytestmark = pytest.mark.django_db


def plan(query) -> str:
    """The plan of the first page, as if there were too many alerts to sort."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    return query.explain()


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (lambda c: worklist.worklist(c, Filters(role=Role.NURSE), AS_OF)[:50], "alert_worklist"),
        (lambda c: worklist.worklist(c, Filters(role=Role.NURSE, level="TASK"), AS_OF)[:50], "alert_worklist"),
        (lambda c: worklist.worklist(c, Filters(), AS_OF)[:50], "alert_worklist_all"),
        (lambda c: worklist.overdue(c, Filters(), AS_OF)[:50], "alert_overdue"),
    ],
)
def test_the_first_rows_of_a_list_come_from_its_index_in_their_order(clinic, question, index) -> None:
    said = plan(question(clinic))
    assert f"using {index}" in said
    assert "Sort" not in said


def test_the_lists_hold_every_level_but_what_is_for_information() -> None:
    assert [str(level) for level in ON_LISTS] == ["URGENT", "ACTION", "TASK"]
