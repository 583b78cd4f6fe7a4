"""The agreement for one patient drawn at a time: where it fails, it shrinks to the smallest history that disagrees."""

from __future__ import annotations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.naive.histories import histories
from tests.naive.record import Record, compact
from tests.naive.store import store
from tests.naive.test_agreement import JUDGES, QUESTIONS, answers, expected

pytestmark = pytest.mark.django_db


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(record=histories(), rule=st.sampled_from(sorted(JUDGES)), question=st.sampled_from(QUESTIONS))
def test_one_patient(record: Record, rule: str, question: tuple) -> None:
    as_of, known_at = question
    with transaction.atomic():
        store([record])
        got = answers(rule, as_of, known_at).get(1, [])
        transaction.set_rollback(True)
    assert got == expected(rule, record.seen(known_at), as_of), compact(record, as_of)
