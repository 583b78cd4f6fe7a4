"""Questions whose SQL is written once: the answers are those of the query set, whoever asks at the same moment."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q, QuerySet

from common.prepared import prepared
from patients.models import FollowUpStatus, Patient
from tests.factories import centre, fact, patient, person

pytestmark = pytest.mark.django_db


@prepared
def statuses(whose: Patient, day: dt.date) -> QuerySet[FollowUpStatus]:
    found = FollowUpStatus.objects.current().filter(Q(word="active") | Q(word="discharged"), patient=whose)
    return found.filter(starts_on__lte=day).select_related("patient").order_by("-starts_on")[:2]


@prepared
def numbers(of: int) -> QuerySet[Any, Any]:
    return Patient.objects.filter(centre=of).order_by("pk").values_list("record_number", "born_on")


@prepared
def numbers_alone(of: int) -> QuerySet[Any, Any]:
    return Patient.objects.filter(centre=of).order_by("pk").values_list("record_number", flat=True)


@prepared
def last_week(whose: Patient, day: dt.date) -> QuerySet[FollowUpStatus]:
    return FollowUpStatus.objects.filter(patient=whose, starts_on__range=(day - dt.timedelta(days=7), day))


@prepared
def unless_old(whose: Patient, day: dt.date) -> QuerySet[FollowUpStatus]:
    found = FollowUpStatus.objects.filter(patient=whose)
    return found.filter(starts_on__lte=day) if day.year > 1072 else found


MAY = dt.date(2025, 5, 1)


@pytest.fixture
def two() -> tuple[Patient, Patient]:
    at = centre()
    by = person(at)
    first, second = patient(at, by, record_number="A1"), patient(at, by, record_number="A2")
    for month, word in ((1, "active"), (3, "discharged"), (5, "active"), (7, "transferred")):
        fact(FollowUpStatus, first, word=word, starts_on=dt.date(2025, month, 1))
    fact(FollowUpStatus, second, word="discharged", starts_on=dt.date(2025, 2, 1))
    return first, second


def test_a_prepared_question_gives_each_time_what_the_query_set_gives(two: tuple[Patient, Patient]) -> None:
    first, second = two
    for whose in (first, second, first):
        for day in (MAY, MAY - dt.timedelta(days=1), dt.date(2024, 1, 1)):
            plain = statuses.ask(whose, day)
            assert statuses(whose, day) == list(plain)
    assert [str(row) for row in statuses(first, day=MAY)] == ["active from 2025-05-01", "discharged from 2025-03-01"]


def test_related_rows_come_along(two: tuple[Patient, Patient], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert [row.patient.record_number for row in statuses(two[0], MAY)] == ["A1", "A1"]


def test_it_gives_tuples_and_single_values_too(two: tuple[Patient, Patient]) -> None:
    at = two[0].centre_id
    assert numbers(at) == [("A1", two[0].born_on), ("A2", two[1].born_on)]
    assert numbers_alone(at) == ["A1", "A2"]


def test_a_value_that_is_worked_with_or_decides_is_refused_at_the_first_asking(two: tuple[Patient, Patient]) -> None:
    for question in (last_week, unless_old):
        with pytest.raises(TypeError, match="does not stand in the question as it comes"):
            question(two[0], MAY)


@pytest.mark.django_db(transaction=True)
def test_two_may_ask_at_the_same_moment(two: tuple[Patient, Patient]) -> None:
    wrong: list[Any] = []
    at = [list(statuses.ask(each, MAY)) for each in two]

    def ask(n: int) -> None:
        try:
            for _ in range(200):
                if statuses(two[n], MAY) != at[n]:
                    wrong.append(n)
        finally:
            connection.close()

    both = [threading.Thread(target=ask, args=(n,)) for n in (0, 1)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert not wrong
