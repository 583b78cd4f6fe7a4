"""What one person had switched before two were asked for is carried over: each time it was, by whom, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from monitoring import governance
from monitoring.models import Mode, RuleChange
from tests import factories
from tests.factories import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

BEFORE = ("monitoring", "0005_governed_rules")


@pytest.fixture
def migrate() -> Iterator[Callable[..., Any]]:
    """Takes the app to a migration, or to the newest, and gives its models as they were then."""

    def to(*targets: tuple[str, str]) -> Any:
        executor = MigrationExecutor(connection)
        newest = [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] == "monitoring"]
        executor.migrate(list(targets) or newest)
        return MigrationExecutor(connection).loader.project_state(list(targets) or newest).apps

    yield to
    to()


def test_every_switch_is_carried_over_with_who_and_why(migrate: Callable[..., Any]) -> None:
    clinic = factories.centre()
    person = factories.person(clinic)
    then = migrate(BEFORE)
    context = then.get_model("pghistory", "Context").objects.create(
        id="6f3bb0a5-8d53-4a4d-9d64-0d8a5f6b7a11", metadata={"action": "monitoring.switch_rule", "by": person.pk}
    )
    switch = then.get_model("monitoring", "RuleSwitch").objects.create(
        centre_id=clinic.pk, rule="physio-missed", is_on=True, reason="back"
    )
    kept = then.get_model("monitoring", "RuleSwitchEvent").objects
    kept.all().delete()
    for is_on, reason, by in ((False, "no physio", context), (True, "back", None), (False, " ", context)):
        kept.create(
            id=switch.pk, pgh_obj_id=switch.pk, pgh_label="update", centre_id=clinic.pk, rule="physio-missed",
            is_on=is_on, reason=reason, pgh_context=by,
        )  # fmt: skip
    for days, event in enumerate(kept.order_by("pgh_id")):
        kept.filter(pk=event.pk).update(pgh_created_at=NOW + dt.timedelta(days=days))
    migrate()
    changes = RuleChange.objects.order_by("id")
    assert [(c.mode, c.reason, c.proposed_by, c.confirmed_by, c.confirmed_at) for c in changes] == [
        ("off", "no physio", person, None, NOW),
        ("on", "back", None, None, NOW + dt.timedelta(days=1)),
        ("off", "No reason was kept", person, None, NOW + dt.timedelta(days=2)),
    ]
    assert all(change.is_carried_over for change in changes)
    assert governance.mode(clinic, "physio-missed") == Mode.OFF
