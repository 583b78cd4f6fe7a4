"""What changes sides when two records of one person become one: found among the models, so that none can be forgotten.

Every column that points to a patient moves, unless it is named in `STAYS` with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q, QuerySet

from common.models import Fact
from patients.models import Patient, Sex, Subtype

STAYS: Mapping[str, str] = {
    "audit.Entry": "what was done to which record, when: a trail is only added to",
    "audit.Access": "who looked at which record, when: a trail is only added to",
    "patients.Merge": "says itself which record took in which",
    "patients.Touched": "an outbox, empty within seconds",
    "alerts.NotEvaluable": "written anew whenever the rules are asked",
    "alerts.Upcoming": "written anew whenever the rules are asked",
    "alerts.ShadowFinding": "what a rule in the shadow found about that record; ends when the rule is asked again",
}


@dataclass(frozen=True)
class Column:
    """A column that points to a patient, of a model whose rows change sides."""

    model: type[models.Model]
    name: str

    @property
    def key(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def rows(self, **which: Any) -> QuerySet[Any]:
        """Whatever the model's own manager leaves out."""
        return self.model._base_manager.filter(**which)

    def of(self, patient: Patient) -> QuerySet[Any]:
        return self.rows(**{self.name: patient.pk})


def points_to_patient(model: type[models.Model]) -> list[str]:
    return [f.name for f in model._meta.concrete_fields if f.is_relation and f.related_model is Patient]


def is_history(model: type[models.Model]) -> bool:
    """Rows that pghistory keeps: what a row was, at whichever side it stood."""
    return hasattr(model, "pgh_tracked_model")


def columns() -> list[Column]:
    """Every column that moves, parents before what hangs on them: the database refuses a child of another patient."""
    found = [
        Column(model, name)
        for model in apps.get_models()
        if not is_history(model) and model._meta.label not in STAYS
        for name in points_to_patient(model)
    ]
    moving = {column.model for column in found}
    ordered: list[Column] = []
    while found:
        waiting = {column.model for column in found}
        ready = [c for c in found if not (parents(c.model, moving) & waiting - {c.model})]
        if not ready:
            raise RuntimeError(f"these hang on one another in a circle: {sorted(c.key for c in found)}")
        ordered += ready
        found = [column for column in found if column not in ready]
    return ordered


def parents(model: type[models.Model], among: set[type[models.Model]]) -> set[type[models.Model]]:
    return {f.related_model for f in _links(model, among)}


def _links(model: type[models.Model], among: set[type[models.Model]]) -> list[Any]:
    return [
        f
        for f in model._meta.concrete_fields
        if f.is_relation and f.related_model in among and f.related_model is not Patient
    ]


def colliding(column: Column, *, kept: Patient, absorbed: Patient) -> QuerySet[Any]:
    """Rows of the absorbed record of which the kept one has its own, and there can be only one: they stay behind."""
    clash = Q(pk__in=[])
    for constraint in column.model._meta.constraints:
        if not isinstance(constraint, models.UniqueConstraint) or column.name not in constraint.fields:
            continue
        others = [name for name in constraint.fields if name != column.name]
        twin = column.of(kept).filter(**{name: OuterRef(name) for name in others})
        condition = constraint.condition or Q()
        clash = clash | (condition & Q(Exists(twin.filter(condition))))
    return column.of(absorbed).filter(clash)


def moving_ids(column: Column, *, kept: Patient, absorbed: Patient) -> list[int]:
    stays = colliding(column, kept=kept, absorbed=absorbed).values("pk")
    return list(column.of(absorbed).exclude(pk__in=stays).order_by("pk").values_list("pk", flat=True))


def going_back(moved: Mapping[str, Sequence[int]], kept: Patient) -> dict[Column, list[int]]:
    """The rows that changed sides, and whatever was built upon them since: corrections of them, doses of a course that
    moved. All of it stands at `kept`.
    """
    order = columns()
    among = {column.model for column in order}
    going: dict[type[models.Model], set[int]] = {}
    back: dict[Column, list[int]] = {}
    for column in order:
        there = column.of(kept)
        ids = set(there.filter(pk__in=moved.get(column.key, [])).values_list("pk", flat=True))
        if issubclass(column.model, Fact):
            for link in _links(column.model, among):
                if link.related_model is not column.model and going.get(link.related_model):
                    ids |= set(
                        there.filter(**{f"{link.name}__in": going[link.related_model]}).values_list("pk", flat=True)
                    )
            newer = ids
            while newer := set(there.filter(supersedes__in=newer).values_list("pk", flat=True)) - ids:
                ids |= newer
        going[column.model] = ids
        back[column] = sorted(ids)
    return back


@dataclass(frozen=True)
class Held:
    """How many rows of a model each of two records holds; `stays` of the second would stay behind."""

    model: type[models.Model]
    kept: int
    absorbed: int
    stays: int


def held(kept: Patient, absorbed: Patient) -> list[Held]:
    """What each record holds now (of facts the current ones), models that hold nothing left out. A handful of queries,
    whatever is on record.
    """
    order = [column for column in columns() if column.model is not Patient]
    pieces, values = [], []
    for number, column in enumerate(order):
        table = connection.ops.quote_name(column.model._meta.db_table)
        field: Any = column.model._meta.get_field(column.name)
        to = connection.ops.quote_name(field.column)
        current = "AND retired_at IS NULL" if issubclass(column.model, Fact) else ""
        pieces.append(
            f"SELECT {number}, count(*) FILTER (WHERE {to} = %s), count(*) FILTER (WHERE {to} = %s) "  # noqa: S608
            f"FROM {table} WHERE {to} IN (%s, %s) {current}"
        )
        values += [kept.pk, absorbed.pk, kept.pk, absorbed.pk]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(pieces) + " ORDER BY 1", values)
        rows = cursor.fetchall()
    return [
        Held(order[number].model, ours, theirs, colliding(order[number], kept=kept, absorbed=absorbed).count())
        for number, ours, theirs in rows
        if ours or theirs
    ]


# Details the kept record takes over where it says nothing, with what "nothing" is.
FILLED: dict[str, Any] = {
    "sex": Sex.UNKNOWN, "subtype": Subtype.UNKNOWN, "onset_on": None, "diagnosed_on": None, "clinician_id": None,
}  # fmt: skip


def to_fill(kept: Patient, absorbed: Patient) -> dict[str, Any]:
    """What the kept record would take over. Days that contradict what it says are left alone."""
    taken = {
        name: getattr(absorbed, name)
        for name, nothing in FILLED.items()
        if getattr(kept, name) == nothing and getattr(absorbed, name) != nothing
    }
    onset, diagnosed = (taken.get(name) or getattr(kept, name) for name in ("onset_on", "diagnosed_on"))
    days = [day for day in (kept.born_on, onset, diagnosed) if day is not None]
    if days != sorted(days):
        taken.pop("onset_on", None)
        taken.pop("diagnosed_on", None)
    return taken
