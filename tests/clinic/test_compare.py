"""Two days of one patient side by side."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Role
from clinic.selectors import compare as questions
from monitoring import comparing
from monitoring.models import Assessment, LungFunction, Result
from tests import factories
from tests.clinic.one_patient import full
from tests.factories import AS_OF, fact
from therapy.models import Course, Dose

FIRST, SECOND = AS_OF - dt.timedelta(days=100), AS_OF - dt.timedelta(days=10)


@pytest.fixture
def patient(clinic: Any, clinician: Any) -> Any:
    return factories.patient(clinic, clinician)


def ck(patient: Any, day: dt.date, value: str, **fields: Any) -> Result:
    return fact(
        Result, patient, analyte="ck", taken_on=day, value=Decimal(value), uln=Decimal(190), value_received=value,
        unit_received="U/L", **fields,
    )  # fmt: skip


def pair(patient: Any, code: str, first: dt.date = FIRST, second: dt.date = SECOND) -> comparing.Pair | None:
    found = comparing.compare(patient, first, second, AS_OF)
    return next((p for p in found.pairs if p.code == code), None)


def days_after(day: dt.date, days: int) -> dt.date:
    return day + dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("distances", "nearest"),
    [
        ([-3, 2], 2), ([-2, 3], -2), ([-2, 2], 2), ([0, 1], 0), ([-28], -28), ([28], 28), ([-29, 29], None), ([], None),
    ],
)  # fmt: skip
def test_the_nearest_value_within_28_days_counts(patient, distances: list[int], nearest: int | None) -> None:
    """A result and an assessment are looked for in the same way."""
    for distance in distances:
        ck(patient, days_after(FIRST, distance), "400")
        fact(Assessment, patient, assessed_on=days_after(FIRST, distance), mmt8_150=120)
    for code in ("ck", "mmt8_150"):
        found = pair(patient, code)
        if nearest is None:
            assert found is None
        else:
            assert found is not None
            assert found.first is not None
            assert found.first.day == days_after(FIRST, nearest)
            assert found.second is None
            assert found.difference is None


def test_lung_function_holds_longer(patient) -> None:
    fact(LungFunction, patient, tested_on=days_after(FIRST, -90), fvc_percent_predicted=Decimal("71.5"))
    found = pair(patient, "fvc_percent_predicted")
    assert found is not None
    assert found.first is not None
    assert found.first.value == Decimal("71.5")


def test_a_day_to_come_is_not_looked_into(patient) -> None:
    ck(patient, days_after(AS_OF, 1), "400")
    assert pair(patient, "ck", FIRST, AS_OF) is None


def test_of_one_day_the_latest_entry_and_never_a_retired_one(patient) -> None:
    ck(patient, FIRST, "400")
    ck(patient, FIRST, "500")
    old = ck(patient, days_after(FIRST, 0), "900")
    Result.objects.filter(pk=old.pk).update(
        retired_at=factories.NOW, retired_by=patient.created_by, status="entered_in_error"
    )
    found = pair(patient, "ck")
    assert found is not None
    assert found.first is not None
    assert found.first.value == 500


@pytest.mark.parametrize(
    ("before", "after", "difference", "usual"),
    [
        ("1000", "590", -410, True),
        ("1000", "589", -411, False),
        ("1000", "1700", 700, True),
        ("1000", "1701", 701, False),
    ],
)
def test_how_far_ck_moves_by_chance(patient, before: str, after: str, difference: int, usual: bool) -> None:
    ck(patient, FIRST, before)
    ck(patient, SECOND, after)
    found = pair(patient, "ck")
    assert found is not None
    assert (found.difference, found.is_usual) == (difference, usual)
    assert found.percent == Decimal(difference) / 10


def test_a_bound_is_no_number_and_zero_is_one(patient) -> None:
    ck(patient, FIRST, "20", comparator="<")
    ck(patient, SECOND, "0")
    found = pair(patient, "ck")
    assert found is not None
    assert found.difference is None
    shown = questions.page(patient, FIRST, SECOND, AS_OF)
    ((_, rows),) = shown.groups
    assert rows[0].first is not None
    assert rows[0].second is not None
    assert (rows[0].first.text, rows[0].second.text, rows[0].difference) == ("<20", "0", "")
    assert rows[0].note == "only bounded"


def test_one_value_near_both_days_is_no_change(patient) -> None:
    ck(patient, days_after(FIRST, 5), "400")
    ((_, rows),) = questions.page(patient, FIRST, days_after(FIRST, 10), AS_OF).groups
    assert rows[0].difference == ""
    assert rows[0].note == "the same value is nearest to both days"


def test_what_was_taken_on_each_day(patient) -> None:
    course = fact(Course, patient, drug="prednisone", route="oral")
    fact(Dose, patient, course=course, starts_on=FIRST, ends_on=days_after(SECOND, -1), amount=Decimal(40))
    fact(Dose, patient, course=course, starts_on=SECOND, amount=Decimal(10))
    taken = comparing.compare(patient, FIRST, SECOND, AS_OF).taken
    assert [each.pe_mg for each in taken] == [40, 10]
    assert [[line.dose for line in each.lines] for each in taken] == [["40 mg a day"], ["10 mg a day"]]
    assert questions.page(patient, FIRST, SECOND, AS_OF).pe_difference == "−30"


def test_the_page_can_be_linked_to_and_puts_the_earlier_day_first(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    browser = signed_in(clinician)
    address = f"/patients/{patient.public_id}/compare/"
    text = browser.get(
        f"{address}?a={AS_OF - dt.timedelta(days=7)}&b={AS_OF - dt.timedelta(days=172)}"
    ).content.decode()
    assert "25 Dec 2024" in text.split("<thead>")[1].split("8 Jun 2025")[0]
    for words in ("165 days apart", "+23", "−1.75", "141", "118", "Strength, MMT8 of 150", "none recorded"):
        assert words in text, words
    offered = browser.get(address)
    assert offered.context["page"].days_apart == 165  # the newest visit against the baseline


def test_a_day_that_is_none_is_said_beside_its_box(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    browser = signed_in(clinician)
    address = f"/patients/{patient.public_id}/compare/"
    for a, b, words in (
        ("2025-02-31", "2025-01-01", "Enter a valid date."), ("2025-01-01", "2025-06-16", "still to come"),
        ("1900-01-01", "2025-01-01", "before the birth"), ("", "2025-01-01", "required"),
    ):  # fmt: skip
        answer = browser.get(address, {"a": a, "b": b})
        assert answer.status_code == 422
        assert words in answer.content.decode(), words
    assert "Nothing was measured near these days" in browser.get(address).content.decode()


def test_researchers_compare_nobody(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    answer = signed_in(role=Role.RESEARCHER).get(f"/patients/{patient.public_id}/compare/")
    assert answer.status_code == 403
