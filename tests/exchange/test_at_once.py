"""Two people commit the same file at the same moment."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from accounts.models import Role
from exchange import actions
from exchange.models import ImportBatch
from monitoring.models import Result
from tests import factories
from tests.exchange.files import plan
from tests.factories import NOW


@pytest.mark.django_db(transaction=True)
def test_of_two_commits_at_once_one_is_told_to_look_again() -> None:
    centre = factories.centre()
    nurse = factories.person(centre, Role.NURSE)
    factories.patient(centre, nurse, record_number="P1")
    prepared = [plan(centre, *({"result_id": f"k{n}"} for n in range(200))) for _ in range(3)]
    start = threading.Barrier(3)
    outcomes: list[str] = []

    def commit(number: int) -> None:
        try:
            start.wait(60)
            actions.commit_import(plan=prepared[number], by=nurse, now=NOW)
            outcomes.append("committed")
        except actions.PlanChangedError:
            outcomes.append("look again")
        finally:
            connection.close()

    threads = [threading.Thread(target=commit, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["committed", "look again", "look again"]
    assert Result.objects.count() == 200
    assert ImportBatch.objects.count() == 1
