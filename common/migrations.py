"""Applies a migration of many plain additions in a few steps instead of hundreds.

Django rebuilds its picture of a model, and of all models near it, after every operation. With a trigger, an event table
and several constraints on each of our tables that costs a minute for an empty database. Operations that only add can
share one picture: see `Grouped.apply`.
"""

from __future__ import annotations

from itertools import groupby

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint, AddField, AddIndex, CreateModel, Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger

ADDITIONS = (AddField, AddConstraint, AddIndex, AddTrigger)


def kind(operation: Operation) -> str:
    """Operations of one kind that follow each other can be applied with the state after the last of them.

    Creating a table reads the whole model, so nothing that is added to a model later may be in that state: tables are a
    kind of their own. An addition reads only what it adds.
    """
    if type(operation) is CreateModel:
        return "tables"
    if type(operation) in ADDITIONS:
        return "additions"
    return f"alone {id(operation)}"


class Grouped(Migration):
    """For migrations of many additions, such as the first of an app: `class Migration(Grouped)`. Backwards as usual."""

    def apply(
        self, project_state: ProjectState, schema_editor: BaseDatabaseSchemaEditor, collect_sql: bool = False
    ) -> ProjectState:
        """Like Django's, with one rendered state per run of operations of a kind. With `collect_sql`, just Django's."""
        if collect_sql:
            return super().apply(project_state, schema_editor, collect_sql)
        for _, run in groupby(self.operations, kind):
            operations = list(run)
            # Without rendered models the state is only a description and changes at no cost; the database steps below
            # render it again, once.
            rendered = project_state.__dict__.pop("apps", None)
            before = project_state.clone()
            if rendered is not None:
                before.__dict__["apps"] = rendered
            for operation in operations:
                operation.state_forwards(self.app_label, project_state)
            for operation in operations:
                operation.database_forwards(self.app_label, schema_editor, before, project_state)
        return project_state
