"""No write without its author: every action is attributed, nothing is written anywhere else, and no way round the code
escapes the row history.
"""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import User
from audit.attribution import ACTIONS, action, coming_from
from audit.models import Entry, Origin
from common.models import Fact
from monitoring.actions import record_body_size
from monitoring.models import BodySize
from patients.models import Patient, Touched
from tests import factories
from tests.factories import AS_OF, NOW

ROOT = Path(__file__).parents[2]
APPS = (
    "accounts", "alerts", "audit", "clinic", "common", "exchange", "monitoring", "myositis_tracker", "patients",
    "research", "therapy",
)  # fmt: skip

# ------------------------------------------------------------------------------------------------- by reading the code


# Public, in an actions.py, and writes nothing by itself.
NOT_WRITING = {
    "alerts.actions.outbox.send_soon": "wakes the job that sends mail",
    "alerts.actions.outbox.tell": "puts e-mails into the outbox for the action or job that calls it",
    "alerts.actions.outbox.tell_operators": "the same, to whoever runs the service",
    "alerts.actions.sweeps.share_of_sweep": "takes rules to be asked, under a lock of its session",
    "monitoring.rule_actions.needs_back_test": "a question",
}


def is_of_actions(path: Path) -> bool:
    """actions.py; or where an app has many, actions/<area>.py or <area>_actions.py."""
    return path.name == "actions.py" or path.name.endswith("_actions.py") or path.parent.name == "actions"


def test_every_public_function_that_acts_is_attributed() -> None:
    found, bare, misnamed = 0, [], []
    for app in APPS:
        for path in sorted(filter(is_of_actions, (ROOT / app).rglob("*.py"))):
            module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for name, function in inspect.getmembers(module, inspect.isfunction):
                if name.startswith("_") or function.__module__ != module.__name__:
                    continue
                found += 1
                if function not in ACTIONS.values() and f"{module.__name__}.{name}" not in NOT_WRITING:
                    bare.append(f"{module.__name__}.{name}")
    misnamed = [name for name, function in ACTIONS.items() if name.split(".")[0] != function.__module__.split(".")[0]]
    assert found > 30
    assert not bare, f"not attributed: {bare}"
    assert not misnamed, f"an action carries the name of its app: {misnamed}"


# Where rows are written besides actions: the machinery every action goes through, and the forms of the sign-in library.
MACHINERY = {
    "audit/facts.py": "append, supersede, withdraw",
    "audit/access.py": "that somebody looked",
    "audit/attribution.py": "the entry of an action",
    "accounts/sessions.py": "the row of a session, which holds no patient data",
    "accounts/views.py": "the second factor's own form, which writes no patient data",
    "common/models.py": "the trigger that notes whose facts changed",
    "alerts/statements.py": "the SQL text that alerts/actions/judging.py runs",
    "alerts/shadow_statements.py": "the same, for rules in the shadow",
}
WRITES = {"save", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "delete", "update"}
QUERYSET = {"objects", "_default_manager", "_base_manager", "filter", "exclude", "all", "current", "select_for_update"}
FACT_WRITES = {"record", "supersede", "withdraw", "withdraw_all", "lapse", "undo"}
SQL = re.compile(
    rf"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE|COPY)\s+({'|'.join(APPS)})_\w+\b(?!.*\bTO\s+STDOUT)",
    re.IGNORECASE,
)


def names_in(node: ast.AST) -> set[str]:
    return {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)} | {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name)
    }


def writes_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, what) of everything that looks like a write to the database."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            if SQL.search(node.value):
                yield node.lineno, "SQL that writes"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            method, receiver = node.func.attr, names_in(node.func.value)
            if method in FACT_WRITES and receiver == {"facts"}:
                yield node.lineno, f"facts.{method}"
            elif method in ("update", "delete", "create"):
                # dict.update(mapping) and cache.delete(key) look alike: a queryset names itself in what it hangs on.
                if receiver & QUERYSET:
                    yield node.lineno, f".{method}()"
                elif method == "delete" and not node.args and not node.keywords:
                    yield node.lineno, ".delete()"
            elif method in WRITES:
                yield node.lineno, f".{method}()"


def test_rows_are_written_in_actions_and_nowhere_else() -> None:
    found, looked_at = [], 0
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if is_of_actions(path) or "migrations" in path.parts or place in MACHINERY:
                continue
            if path.parent.name == "commands" and path.name == "seed_demo.py":
                continue  # makes an invented clinic, with a past that no action could have
            looked_at += 1
            found += [f"{place}:{line} {what}" for line, what in writes_in(ast.parse(path.read_text()))]
    assert looked_at > 40
    assert not found, "written outside an action:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "patient.save()",
        "Result.objects.create(value=1)",
        "Result.objects.filter(pk=1).update(value=1)",
        "Result.objects.bulk_create(rows)",
        "result.delete()",
        "facts.withdraw(result, by=by, now=now, reason='r')",
        "cursor.execute('UPDATE monitoring_result SET value = 1')",
        "cursor.execute(f'DELETE FROM patients_patient WHERE id = {pk}')",
        "cursor.copy('COPY monitoring_result (value) FROM STDIN')",
    ],
)
def test_the_search_for_writes_finds_them(code: str) -> None:
    assert list(writes_in(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "words.update(other)",
        "cache.delete(key)",
        "cursor.execute('INSERT INTO finding SELECT 1')",
        "cursor.copy('COPY monitoring_result TO STDOUT')",
        '"""UPDATE monitoring_result is never written here."""',
    ],
)
def test_the_search_for_writes_lets_reading_pass(code: str) -> None:
    assert not list(writes_in(ast.parse(code)))


def test_an_action_takes_its_author_and_moment_by_keyword() -> None:
    def careless(patient: object, by: object, now: object) -> None: ...

    with pytest.raises(TypeError, match="keyword"):
        action("audit.careless")(careless)


# ------------------------------------------------------------------------------------------- by going round the code


@pytest.fixture
def clerk() -> User:
    return factories.person(factories.centre())


@pytest.fixture
def patient(clerk: User) -> Patient:
    made = factories.patient(clerk.memberships.get().centre, clerk)
    Touched.objects.all().delete()
    return made


COLUMNS = "patient_id, status, change_reason, recorded_at, recorded_by_id, measured_on, weight_kg"


def by_orm(patient: Patient) -> None:
    factories.fact(BodySize, patient, measured_on=AS_OF, weight_kg=Decimal(70))


def by_bulk(patient: Patient) -> None:
    BodySize.objects.bulk_create(
        [
            BodySize(
                patient=patient,
                recorded_at=NOW,
                recorded_by=patient.created_by,
                measured_on=AS_OF,
                weight_kg=Decimal(70),
            )
        ]
    )


def by_sql(patient: Patient) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO monitoring_bodysize ({COLUMNS}) VALUES (%s, 'final', '', %s, %s, %s, 70)",
            [patient.pk, NOW, patient.created_by_id, AS_OF],
        )


def by_copy(patient: Patient) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY monitoring_bodysize ({COLUMNS}) FROM STDIN") as rows:
        rows.write_row([patient.pk, "final", "", NOW, patient.created_by_id, AS_OF, 70])


@pytest.mark.django_db
@pytest.mark.parametrize("write", [by_orm, by_bulk, by_sql, by_copy])
def test_a_row_added_any_way_is_in_the_history_and_wakes_the_rules(
    patient: Patient, write: Callable[[Patient], None]
) -> None:
    write(patient)
    row = BodySize.objects.get()
    assert [(e.pgh_label, e.weight_kg, e.patient_id) for e in row.events.all()] == [("insert", 70, patient.pk)]
    assert [t.patient_id for t in Touched.objects.all()] == [patient.pk]


@pytest.mark.django_db
@pytest.mark.parametrize("by_queryset", [True, False])
def test_a_row_changed_any_way_leaves_what_it_was(patient: Patient, by_queryset: bool) -> None:
    by_orm(patient)
    Touched.objects.all().delete()
    if by_queryset:
        BodySize.objects.update(weight_kg=71)
    else:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE monitoring_bodysize SET weight_kg = 71")
    row = BodySize.objects.get()
    assert [(e.pgh_label, e.weight_kg) for e in row.events.order_by("pgh_id")] == [("insert", 70), ("update", 71)]
    assert [t.patient_id for t in Touched.objects.all()] == [patient.pk]


@pytest.mark.django_db
def test_an_entry_and_the_row_history_say_the_same_of_who_and_whence(patient: Patient, clerk: User) -> None:
    with coming_from(Origin.API):
        row = record_body_size(patient=patient, measured_on=AS_OF, weight_kg=Decimal(70), by=clerk, now=NOW)
    entry = Entry.objects.get()
    event = row.events.get()
    assert (entry.by, entry.at, entry.patient, entry.centre, entry.origin) == (
        clerk, NOW, patient, patient.centre, Origin.API,
    )  # fmt: skip
    assert event.pgh_context_id == entry.context_id
    assert event.pgh_context.metadata == {"action": "monitoring.record_body_size", "by": clerk.pk, "origin": "api"}


@pytest.mark.django_db
def test_a_refused_action_leaves_neither_entry_nor_history(patient: Patient, clerk: User) -> None:
    with pytest.raises(Exception, match="future"):
        record_body_size(
            patient=patient, measured_on=AS_OF + dt.timedelta(days=1), weight_kg=Decimal(70), by=clerk, now=NOW
        )
    assert not Entry.objects.exists()
    assert not BodySize._meta.get_field("events").related_model.objects.exists()


@pytest.mark.django_db
def test_every_fact_has_a_history_and_wakes_the_rules() -> None:
    from django.apps import apps

    facts = [model for model in apps.get_models() if issubclass(model, Fact)]
    assert len(facts) > 20
    for model in facts:
        assert any(r.name == "events" for r in model._meta.related_objects), f"{model.__name__} has no row history"
        names = {trigger.name for trigger in model._meta.triggers}
        assert {"touch_insert", "touch_update"} <= names, f"{model.__name__} does not wake the rules"
