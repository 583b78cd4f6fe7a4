"""Finding people, telling them apart, and what heads their page."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Centre, User
from patients import selectors
from patients.folding import Fold, fold
from patients.models import AntibodyResult, FollowUpStatus, Manifestation, Patient, RuleException
from tests import factories
from tests.factories import AS_OF

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def clinic() -> Centre:
    return factories.centre()


@pytest.fixture
def clerk(clinic: Centre) -> User:
    return factories.person(clinic)


def named(clinic: Centre, clerk: User, family: str, given: str, number: str, born: int = 1970) -> Patient:
    return factories.patient(
        clinic, clerk, family_name=family, given_name=given, record_number=number, born_on=dt.date(born, 1, 1)
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" , ", []),
        ("mu", ["Muster", "Müller"]),
        ("MU", ["Muster", "Müller"]),
        ("max", ["Muster"]),
        ("muster, max", ["Muster"]),
        ("max must", ["Muster"]),
        ("max mül", []),
        ("van der", ["van der Berg"]),
        ("berg", []),
        ("X-2", ["Müller"]),
        ("%", []),
        ("_u", []),
        ("Mül\x00ler", ["Müller"]),
        ("\x00", []),
    ],
)
def test_people_are_found_by_the_beginning_of_a_name_or_number(
    clinic: Centre, clerk: User, text: str, found: list[str]
) -> None:
    named(clinic, clerk, "Muster", "Max", "X-1")
    named(clinic, clerk, "Müller", "Eva", "X-2")
    named(clinic, clerk, "van der Berg", "Ann", "X-3")
    elsewhere = factories.centre()
    named(elsewhere, factories.person(elsewhere), "Muster", "Max", "X-2")
    assert [p.family_name for p in selectors.search(clinic, text)] == found


def test_a_search_of_many_uses_its_indexes_and_stops(clinic: Centre, clerk: User) -> None:
    Patient.objects.bulk_create(
        Patient(
            centre=clinic, record_number=f"N{n}", given_name=f"G{n}", family_name=f"F{n}", born_on=dt.date(1970, 1, 1),
            sex="female", created_at=factories.LONG_AGO, created_by=clerk,
        )
        for n in range(3000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE patients_patient")
    with CaptureQueriesContext(connection) as queries:
        assert len(selectors.search(clinic, "f")) == selectors.FOUND_AT_MOST
    [first] = [query["sql"] for query in queries if "UNION ALL" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + first.replace("%", "%%"))
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert {"patient_search_family", "patient_search_given", "patient_search_number"} <= set(plan.split())
    assert "Sort" not in plan  # read in order, and no further than needed


def test_who_may_already_be_registered(clinic: Centre, clerk: User) -> None:
    ada = named(clinic, clerk, "Sample", "Ada", "A-1")

    def same(**details: Any) -> list[str]:
        found = selectors.duplicates(clinic, **details)
        assert [each.patient for each in found] in ([], [ada])
        return [word for each in found for word in each.why]

    born = dt.date(1970, 1, 1)
    assert same(record_number="a-1") == ["number"]
    assert same(family_name="SÄMPLE", given_name="ada", born_on=born + DAY) == ["name"]
    assert same(family_name="Ada", given_name="Sample", born_on=born + DAY) == ["name"]
    assert same(family_name="Ada", given_name="Sample", born_on=born) == ["person"]
    assert same(family_name="Sample", given_name="Adele", born_on=born) == ["alike"]
    assert same(family_name="Married", given_name="Ada", born_on=born) == ["alike"]
    assert same(family_name="Sampel", given_name="Zoe", born_on=born) == ["alike"]
    assert same(family_name="Becker", given_name="Zoe", born_on=born) == []
    assert same(family_name="Sample", given_name="Eve", born_on=born + DAY) == []
    assert same(born_on=born) == []
    assert same() == []
    assert selectors.duplicates(factories.centre(), record_number="A-1") == []


@pytest.mark.parametrize("text", ["Müller", "Øster Łoś", "Strauß", "Æble", "O’Brien", "Иванов", "Ğ"])
def test_names_fold_in_python_as_in_the_database(clinic: Centre, clerk: User, text: str) -> None:
    patient = named(clinic, clerk, text, "Eva", "X-1")
    assert Patient.objects.annotate(folded=Fold("family_name")).get(pk=patient.pk).folded == fold(text)
    assert selectors.search(clinic, text[:3].upper()) == [patient]


@pytest.mark.parametrize("text", ["1970-01-01", "1.1.1970", "01/01/1970", "sample 1.1.1970"])
def test_a_day_finds_who_was_born_on_it(clinic: Centre, clerk: User, text: str) -> None:
    ada = named(clinic, clerk, "Sample", "Ada", "A-1")
    factories.patient(clinic, clerk, born_on=dt.date(1970, 1, 2))
    assert selectors.search(clinic, text) == [ada]


def test_an_antibody_stays_positive_and_a_weak_one_never_was(clinic: Centre, clerk: User) -> None:
    patient = factories.patient(clinic, clerk)

    def tested(code: str, result: str, days: int) -> None:
        factories.fact(AntibodyResult, patient, antibody=code, result=result, taken_on=AS_OF + days * DAY)

    tested("mda5", "strong", -100)
    tested("mda5", "negative", -1)
    tested("jo-1", "weak", -5)
    tested("ro52", "positive", 1)
    (mda5,) = selectors.antibodies_ever_positive(patient, AS_OF)
    assert (mda5.code, mda5.name, mda5.first_on, mda5.latest, mda5.latest_on) == (
        "mda5", "Anti-MDA5", AS_OF - 100 * DAY, "negative", AS_OF - DAY,
    )  # fmt: skip


def test_the_header_says_what_holds_on_the_day_in_four_queries(clinic: Centre, clerk: User) -> None:
    patient = factories.patient(clinic, clerk)
    assert selectors.header(patient, AS_OF).followed
    factories.fact(Manifestation, patient, kind="ild", onset_on=AS_OF)
    factories.fact(Manifestation, patient, kind="arthritis", onset_on=AS_OF - 9 * DAY, ended_on=AS_OF - DAY)
    factories.fact(RuleException, patient, rule="ck-rising", reason="r", starts_on=AS_OF, ends_on=AS_OF)
    factories.fact(FollowUpStatus, patient, word="discharged", starts_on=AS_OF)
    with CaptureQueriesContext(connection) as queries:
        header = selectors.header(patient, AS_OF)
    assert len(queries) == 4
    assert (header.age, header.followed, header.ild_known_since) == (55, False, AS_OF)
    assert [m.kind for m in header.manifestations] == ["ild"]
    assert [e.rule for e in header.exceptions] == ["ck-rising"]
    before = selectors.header(patient, AS_OF - DAY)
    assert (before.followed, before.ild_known_since, list(before.exceptions)) == (True, None, [])


def test_the_follow_up_of_many_is_one_query(clinic: Centre, clerk: User) -> None:
    one, two = factories.patient(clinic, clerk), factories.patient(clinic, clerk)
    factories.fact(FollowUpStatus, one, word="dead", starts_on=AS_OF)
    found = {p.pk: p.follow_up for p in selectors.with_follow_up(clinic.patients.all(), AS_OF)}
    assert found == {one.pk: "dead", two.pk: None}
