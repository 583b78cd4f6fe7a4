"""Every field of every model is classified, and only harmless columns leave."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from django.apps import apps
from django.db.models import Model
from pghistory.models import Event

from research.fields import FIELDS, Kind
from research.pseudonyms import release_key
from research.selectors import query
from research.tables import TABLES, How

OURS = {
    "accounts", "audit", "patients", "therapy", "monitoring", "alerts", "exchange", "research", "clinic", "common",
}  # fmt: skip
# What may be done to which kinds of field. Names, texts and places may not leave in any form, save the one pseudonym.
ALLOWED = {
    How.AS_IS: {Kind.CLINICAL},
    How.SHIFTED: {Kind.DAY},
    How.BAND: {Kind.QUASI},
    How.KEY: {Kind.TECHNICAL},
}


def models() -> dict[str, type[Model]]:
    return {m._meta.label: m for m in apps.get_models() if m._meta.app_label in OURS and not issubclass(m, Event)}


def fields_of(model: type[Model]) -> set[str]:
    return {f.name for f in (*model._meta.concrete_fields, *model._meta.many_to_many)}


def test_every_field_is_classified() -> None:
    unclassified = {
        f"{label}.{name}" for label, model in models().items() for name in fields_of(model) - set(FIELDS.get(label, ()))
    }
    assert not unclassified, f"say in research/fields.py what these are: {sorted(unclassified)}"


def test_nothing_is_classified_that_does_not_exist() -> None:
    gone = {f"{label}.{name}" for label, names in FIELDS.items() for name in set(names)} - {
        f"{label}.{name}" for label, model in models().items() for name in fields_of(model)
    }
    assert not gone


def test_histories_hold_nothing_that_their_model_does_not() -> None:
    for model in apps.get_models():
        if issubclass(model, Event) and model._meta.app_label in OURS:
            tracked = fields_of(model.pgh_tracked_model)
            assert {f for f in fields_of(model) if not f.startswith("pgh_")} <= tracked, model


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_only_harmless_columns_leave(table) -> None:
    names = [c.name for c in table.columns]
    assert len(set(names)) == len(names)
    for column in table.columns:
        if column.how is How.FIXED:
            assert not column.source
            continue
        label, _, field = column.source.rpartition(".")
        kind = FIELDS[label][field]
        if column.how is How.SUBJECT:
            assert column.sql == "s.subject"
            continue
        assert kind in ALLOWED[column.how], f"{table.name}.{column.name} would release {kind}"
        # The expression does what the treatment says, to that field and to no other.
        if column.how is How.SHIFTED:
            assert column.sql == f"t.{field} - s.shift"
        elif column.how is How.AS_IS:
            assert column.sql.split(".")[1] == field
        elif column.how is How.BAND:
            assert column.sql == "s.age_band"
        else:
            assert "sha256" in column.sql


def test_every_table_of_patients_has_its_pseudonym_and_reads_only_current_rows() -> None:
    for table in TABLES.values():
        assert [c.name for c in table.columns if c.how is How.SUBJECT] == ["subject"]
        assert table.name == "patients" or "retired_at IS NULL" in query(table)


def test_pads_are_those_of_hmac() -> None:
    key = release_key("s" * 40, "centre", "one")
    inner, outer = key.pads()
    message = b"row:results:17"
    by_hand = hashlib.sha256(outer + hashlib.sha256(inner + message).digest()).hexdigest()
    assert by_hand == hmac.new(key.key, message, hashlib.sha256).hexdigest()
    assert by_hand.startswith(key.row("results", 17))
    assert key.key.hex() not in repr(key)


def test_shifts_lie_between_a_day_and_a_year() -> None:
    key = release_key("s" * 40, "centre", "one")
    shifts = [key.shift(n) for n in range(5000)]
    assert (min(shifts), max(shifts)) == (1, 365)
    assert len(set(shifts)) == 365
