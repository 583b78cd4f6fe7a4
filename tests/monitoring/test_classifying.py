"""The classification criteria applied to the record."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from monitoring.classifying import ENTERED, classification_of
from monitoring.models import ReferenceRange, Result
from monitoring.scores.classification import Class, SubClass
from patients import actions
from patients.models import AntibodyResult, ClassificationItems, Patient
from tests import factories
from tests.factories import AS_OF, LONG_AGO, NOW, fact

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def patient() -> Patient:
    """50 years old at the first symptom."""
    clinic = factories.centre()
    return factories.patient(clinic, factories.person(clinic), onset_on=dt.date(2020, 5, 17))


def result(
    patient: Patient, analyte: str, value: str, uln: str | None = "40", days: int = -10, **fields: object
) -> None:
    fact(
        Result, patient, analyte=analyte, taken_on=AS_OF + days * DAY, value=Decimal(value),
        uln=None if uln is None else Decimal(uln), value_received=value, unit_received="U/L", **fields,
    )  # fmt: skip


NO = {
    name: False for name in ENTERED if name not in ("has_biopsy", "endomysial_infiltrate", "perimysial_infiltrate",
                                                    "perifascicular_atrophy", "rimmed_vacuoles")
}  # fmt: skip


def test_the_first_example_of_the_rule_book_from_the_record(patient: Patient) -> None:
    weak = ("weak_upper_proximal", "weak_lower_proximal", "neck_flexors_weaker")
    fact(ClassificationItems, patient, found_on=AS_OF, **(NO | dict.fromkeys(weak, True)))
    result(patient, "ck", "900", "190")
    fact(AntibodyResult, patient, antibody="jo-1", result="negative", taken_on=AS_OF)
    found = classification_of(patient, AS_OF)
    assert found.result.score == Decimal("6.8")
    assert found.result.class_ is Class.PROBABLE
    assert found.result.subclass is SubClass.POLYMYOSITIS
    assert found.result.biopsy_recommended


def test_nothing_on_record_is_nothing_known(patient: Patient) -> None:
    patient.onset_on = None
    found = classification_of(patient, AS_OF)
    assert found.entered is None
    assert found.items.age_at_onset is found.items.anti_jo1 is found.items.enzyme_high is None
    assert found.result.class_ is None


@pytest.mark.parametrize(
    ("onset", "age"), [(dt.date(1988, 5, 16), 17), (dt.date(1988, 5, 17), 18), (dt.date(2010, 5, 17), 40)]
)
def test_the_age_is_that_at_the_first_symptom(patient: Patient, onset: dt.date, age: int) -> None:
    patient.onset_on = onset
    assert classification_of(patient, AS_OF).items.age_at_onset == age


@pytest.mark.parametrize(
    ("results", "known"),
    [
        ([], None),
        (["negative"], False),
        (["weak"], False),
        (["positive"], True),
        (["strong", "negative"], True),  # a later negative does not take it away
    ],
)
def test_anti_jo1(patient: Patient, results: list[str], known: bool | None) -> None:
    for number, word in enumerate(results):
        fact(AntibodyResult, patient, antibody="jo-1", result=word, taken_on=AS_OF + (number - 9) * DAY)
    fact(AntibodyResult, patient, antibody="jo-1", result="positive", taken_on=AS_OF + DAY)
    fact(AntibodyResult, patient, antibody="mi-2", result="positive", taken_on=AS_OF)
    assert classification_of(patient, AS_OF).items.anti_jo1 is known


def test_an_enzyme_above_its_limit_once(patient: Patient) -> None:
    result(patient, "ck", "190", "190")
    result(patient, "ldh", "999", None)
    result(patient, "aldolase", "99", "7")  # not in the list
    result(patient, "alt", "99", "40", 1)  # after the day
    result(patient, "ast", "99", "40", retired_at=LONG_AGO, retired_by=patient.created_by)
    assert classification_of(patient, AS_OF).items.enzyme_high is None
    for analyte in ("ldh", "ast", "alt"):
        result(patient, analyte, "40")
    assert classification_of(patient, AS_OF).items.enzyme_high is False
    result(patient, "alt", "40.1", "40", -900)
    assert classification_of(patient, AS_OF).items.enzyme_high is True


def test_a_limit_of_the_centre_counts_where_the_laboratory_printed_none(patient: Patient) -> None:
    ReferenceRange.objects.create(centre=patient.centre, analyte="ck", uln=Decimal(170), starts_on=dt.date(2020, 1, 1))
    result(patient, "ck", "171", None)
    assert classification_of(patient, AS_OF).items.enzyme_high is True


def test_the_items_of_the_latest_day_count_and_only_they(patient: Patient) -> None:
    fact(ClassificationItems, patient, found_on=AS_OF - 20 * DAY, heliotrope=True, dysphagia=True)
    fact(ClassificationItems, patient, found_on=AS_OF - 10 * DAY, heliotrope=False)
    fact(ClassificationItems, patient, found_on=AS_OF + DAY, heliotrope=True)
    items = classification_of(patient, AS_OF).items
    assert (items.heliotrope, items.dysphagia) == (False, None)


def test_it_costs_three_queries(patient: Patient) -> None:
    for number in range(40):
        result(patient, "ck", "100", "190", -number)
    with CaptureQueriesContext(connection) as queries:
        classification_of(patient, AS_OF)
    assert len(queries) == 3


# ------------------------------------------------------------------------------------------------------------ writing


def record(patient: Patient, **items: object) -> ClassificationItems:
    kept = {"patient": patient, "found_on": AS_OF, "by": patient.created_by, "now": NOW}
    return actions.record_classification_items(**(kept | items))


def test_items_are_recorded_and_stand_in_the_trail(patient: Patient) -> None:
    made = record(patient, heliotrope=True, dysphagia=False, has_biopsy=True, rimmed_vacuoles=False)
    assert (made.heliotrope, made.dysphagia, made.gottron_sign, made.rimmed_vacuoles) == (True, False, None, False)
    assert Entry.objects.filter(patient=patient, action="patients.record_classification_items").count() == 1


def test_a_second_record_of_a_day_takes_the_place_of_the_first(patient: Patient) -> None:
    first = record(patient, heliotrope=True, has_biopsy=True, rimmed_vacuoles=True)
    second = record(patient, gottron_sign=True)
    first.refresh_from_db()
    assert first.retired_at == NOW
    assert second.supersedes_id == first.pk
    assert (second.heliotrope, second.has_biopsy, second.rimmed_vacuoles) == (None, False, None)
    assert classification_of(patient, AS_OF).entered == second


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ({"rimmed_vacuoles": False}, "has_biopsy"),
        ({"found_on": AS_OF + DAY, "heliotrope": True}, "found_on"),
        ({}, "__all__"),
        ({"heliotrope": None}, "__all__"),
    ],
)
def test_what_cannot_be_is_refused(patient: Patient, items: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        record(patient, **items)
    assert field in refused.value.update_error_dict({})
    assert not ClassificationItems.objects.exists()


def test_an_item_the_criteria_do_not_have_is_a_mistake_of_the_caller(patient: Patient) -> None:
    with pytest.raises(TypeError, match="arthritis"):
        record(patient, arthritis=True)
