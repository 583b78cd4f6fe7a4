"""What leaves, byte by byte."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Centre, Role, Scope
from audit.models import Access, Entry
from common.models import Fact
from monitoring.models import Assessment, Imaging, LungFunction, MuscleGrade, Result
from patients.models import AntibodyResult, Consent, Manifestation, Patient
from research import actions, selectors
from research.models import Release
from research.tables import TABLES
from tests import factories
from tests.api.clients import with_token
from tests.factories import NOW
from therapy.models import Course, CourseStop, Dose, Infusion, PhysioPlan, PhysioSession, SessionOutcome

DAY = dt.date(2023, 3, 1)
EXPORT = "/api/v1/research/export"


@pytest.fixture
def centre(db: None) -> Centre:
    return factories.centre(name="Marburg Myositis Unit")


@pytest.fixture
def researcher(centre: Centre) -> APIClient:
    return with_token(factories.person(centre, Role.RESEARCHER), Scope.RESEARCH)


def agreed(centre: Centre, n: int, **fields: Any) -> Patient:
    """A patient who agreed, with a row in every table and a telling text in every free field."""
    by = factories.person(full_name=f"Doctor Zweig{n}", username=f"zweig{n}")
    days = {"born_on": dt.date(1971, 2, 3), "diagnosed_on": dt.date(2020, 5, 6), "onset_on": dt.date(2019, 12, 1)}
    names = {"record_number": f"MRN-{n}-SECRET", "given_name": f"Wilhelmina{n}", "family_name": f"Ostrander{n}"}
    patient = factories.patient(centre, by, **(days | names | fields))
    consent(patient, "given", dt.date(2021, 1, 1))
    told = f"told by Ostrander{n}"

    def fact(model: type[Fact], **fields: Any) -> Any:
        return factories.fact(model, patient, **fields)

    for k in range(3):
        fact(
            Result, analyte="ck", value=f"{1000 + k}", uln="200", value_received=told, unit_received="U/L",
            taken_on=DAY + dt.timedelta(days=10 * k), laboratory=f"Lab Ostrander{n}", note=told,
        )  # fmt: skip
    fact(Result, analyte="ck", value=None, value_received=told, unit_received="furlong", taken_on=DAY)
    visit = fact(Assessment, assessed_on=DAY, physician_vas="0", mmt8_150=140, note=told)
    MuscleGrade.objects.create(assessment=visit, muscle="deltoid", side="left", grade=9)
    fact(AntibodyResult, antibody="jo-1", result="strong", taken_on=DAY, assay=told, titre=told)
    fact(Manifestation, kind="ild", onset_on=DAY, note=told)
    fact(LungFunction, tested_on=DAY, fvc_l="2.5", reference_set=told)
    fact(Imaging, modality="hrct", done_on=DAY, ild="present", report=told)
    course = fact(Course, drug="prednisone", route="oral", indication=told)
    fact(Dose, course=course, starts_on=DAY, ends_on=DAY + dt.timedelta(days=6), amount="40", out_of_range_reason=told)
    fact(CourseStop, course=course, stopped_on=DAY + dt.timedelta(days=6), reason="other", note=told)
    fact(Infusion, course=course, given_on=DAY, amount="1", batch=told[:40])
    plan = fact(PhysioPlan, starts_on=DAY, goal=told)
    session = fact(PhysioSession, plan=plan, held_on=DAY)
    fact(SessionOutcome, session=session, word="attended")
    return patient


def consent(patient: Patient, decision: str, day: dt.date, **fields: Any) -> Consent:
    return factories.fact(Consent, patient, **{"scope": "research", "decision": decision, "decided_on": day, **fields})


def take(client: APIClient, table: str, release: str = "one") -> bytes:
    answer = client.get(EXPORT, {"table": table, "release": release}, headers={"Accept": "text/csv"})
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_nothing_that_names_anybody_leaves(centre: Centre, researcher: APIClient) -> None:
    patients = [agreed(centre, n) for n in range(4)]
    everything = b"".join(take(researcher, table) for table in TABLES)
    assert len(rows(take(researcher, "results"))) == 16
    words = {"Ostrander", "Wilhelmina", "Zweig", "SECRET", "told by", "Marburg", "clinic.example", "furlong"}
    for patient in patients:
        words |= {str(patient.public_id), patient.record_number, patient.born_on.isoformat()}
        words |= {patient.diagnosed_on.isoformat(), patient.onset_on.isoformat()}
    for word in words:
        assert word.encode() not in everything, word
    assert DAY.isoformat().encode() not in take(researcher, "assessments")


def test_every_table_has_its_rows_and_its_words(centre: Centre, researcher: APIClient) -> None:
    agreed(centre, 1)
    found = {table: rows(take(researcher, table)) for table in TABLES}
    empty = {table for table, content in found.items() if not content}
    assert empty == {"follow_up", "functional_tests", "body_sizes", "taper_steps"}
    assert list(found["doses"][0]) == [c.name for c in TABLES["doses"].columns]
    dose = found["doses"][0]
    assert (dose["drug"], dose["amount"], dose["unit"], dose["times"]) == ("prednisone", "40.000", "mg", "1")
    # Zero is a value; what was not measured is empty.
    visit = found["assessments"][0]
    assert (visit["physician_vas"], visit["patient_vas"], visit["mmt8_150"]) == ("0.0", "", "140")
    assert found["physio_sessions"][0]["outcome"] == "attended"
    assert {r["unit"] for r in found["results"]} == {"U/L"}
    assert sorted(r["value"] for r in found["results"]) == ["", "1000.000000", "1001.000000", "1002.000000"]


def test_a_word_is_released_only_where_the_analyte_has_it(centre: Centre, researcher: APIClient) -> None:
    patient = agreed(centre, 1)
    common = {"analyte": "hbsag", "value": None, "taken_on": DAY}
    factories.fact(Result, patient, value_received="Positive", **common)
    factories.fact(Result, patient, value_received="positive, ask Dr Zweig", **common)
    assert sorted(r["answer"] for r in rows(take(researcher, "results")) if r["analyte"] == "hbsag") == ["", "positive"]


def test_tables_of_a_release_join_and_those_of_another_do_not(centre: Centre, researcher: APIClient) -> None:
    for n in range(3):
        agreed(centre, n)
    one = {r["subject"] for r in rows(take(researcher, "patients", "one"))}
    assert len(one) == 3
    for table in ("results", "courses", "doses", "muscle_grades"):
        assert {r["subject"] for r in rows(take(researcher, table, "one"))} == one
    assert not one & {r["subject"] for r in rows(take(researcher, "patients", "two"))}
    courses = {r["key"]: r["subject"] for r in rows(take(researcher, "courses"))}
    assert {r["course"]: r["subject"] for r in rows(take(researcher, "doses"))} == courses
    visits = {r["key"]: r["subject"] for r in rows(take(researcher, "assessments"))}
    assert {r["assessment"]: r["subject"] for r in rows(take(researcher, "muscle_grades"))} == visits
    assert not set(courses) & {r["key"] for r in rows(take(researcher, "courses", "two"))}


def test_taken_again_it_is_the_same_file(centre: Centre, researcher: APIClient) -> None:
    for n in range(3):
        agreed(centre, n)
    for table in TABLES:
        assert take(researcher, table) == take(researcher, table)


def test_the_same_release_at_another_centre_has_other_pseudonyms(centre: Centre) -> None:
    from research.pseudonyms import release_key

    other = factories.centre()
    keys = [release_key("k" * 40, at.public_id, "one") for at in (centre, other)]
    assert keys[0].subject("x") != keys[1].subject("x")
    assert release_key("k" * 40, centre.public_id, "one").subject("x") == keys[0].subject("x")
    assert release_key("l" * 40, centre.public_id, "one").subject("x") != keys[0].subject("x")


def test_intervals_are_kept_and_days_are_not(centre: Centre, researcher: APIClient) -> None:
    patient = agreed(centre, 1)
    days = sorted(dt.date.fromisoformat(r["taken_on"]) for r in rows(take(researcher, "results")))
    assert [(day - days[0]).days for day in days] == [0, 0, 10, 20]
    moved = (DAY - days[0]).days
    assert 1 <= moved <= 365
    person = rows(take(researcher, "patients"))[0]
    assert dt.date.fromisoformat(person["diagnosed_on"]) == patient.diagnosed_on - dt.timedelta(days=moved)
    elsewhere = min(r["taken_on"] for r in rows(take(researcher, "results", "two")))
    assert elsewhere != days[0].isoformat()


def test_only_those_who_agree_and_only_while_they_do(centre: Centre, researcher: APIClient) -> None:
    def subjects() -> int:
        return len({r["subject"] for r in rows(take(researcher, "results"))})

    patient = agreed(centre, 1)
    never = agreed(centre, 2)
    Consent.objects.filter(patient=never).delete()
    sharing = agreed(centre, 3)
    Consent.objects.filter(patient=sharing).update(scope="research_sharing")
    future = agreed(centre, 4)
    Consent.objects.filter(patient=future).update(decided_on=dt.date(2999, 1, 1))
    entered_in_error = agreed(centre, 5)
    Consent.objects.filter(patient=entered_in_error).update(
        status="entered_in_error", retired_at=factories.NOW, retired_by=entered_in_error.created_by
    )
    agreed(factories.centre(), 6)
    assert subjects() == 1
    # Of two decisions of one day the one recorded later counts; of several days, the latest day.
    consent(patient, "withdrawn", dt.date(2020, 1, 1))
    assert subjects() == 1
    consent(patient, "withdrawn", dt.date(2021, 1, 1))
    assert subjects() == 0
    consent(patient, "given", dt.date(2022, 1, 1))
    assert subjects() == 1
    consent(patient, "withdrawn", dt.date(2023, 1, 1))
    for table in TABLES:
        assert rows(take(researcher, table)) == []


def test_retired_rows_stay(centre: Centre, researcher: APIClient) -> None:
    patient = agreed(centre, 1)
    gone = {"retired_at": factories.NOW, "retired_by": patient.created_by}
    Result.objects.filter(value="1000").update(**gone)
    SessionOutcome.objects.update(**gone)
    Assessment.objects.update(**gone)
    assert len(rows(take(researcher, "results"))) == 3
    assert rows(take(researcher, "physio_sessions"))[0]["outcome"] == ""
    assert rows(take(researcher, "muscle_grades")) == []


@pytest.mark.parametrize(
    ("born", "diagnosed", "band"),
    [
        (dt.date(1971, 2, 3), dt.date(2020, 5, 6), "45-49"),
        (dt.date(1971, 2, 3), dt.date(2021, 2, 2), "45-49"),
        (dt.date(1971, 2, 3), dt.date(2021, 2, 3), "50-54"),
        (dt.date(2016, 2, 3), dt.date(2020, 5, 6), "0-4"),
        (dt.date(1971, 2, 3), None, ""),
        (dt.date(1935, 6, 15), dt.date(2010, 1, 1), "over 89"),
        (dt.date(1935, 6, 16), dt.date(2010, 1, 1), "70-74"),
    ],
)
def test_age_bands(born: dt.date, diagnosed: dt.date | None, band: str) -> None:
    assert selectors.age_band(born, diagnosed, factories.AS_OF) == band


def test_a_release_leaves_a_row_with_its_checksum(centre: Centre, researcher: APIClient) -> None:
    agreed(centre, 1)
    content = take(researcher, "results", "myonet-2025")
    release = Release.objects.get()
    assert (release.name, release.table, release.rows, release.patients) == ("myonet-2025", "results", 4, 1)
    assert release.sha256 == hashlib.sha256(content).hexdigest()
    assert release.taken_by == researcher.user
    assert release.finished_at is not None
    assert Access.objects.get().page == "research.export.results"
    assert {e.action for e in Entry.objects.filter(centre=centre, by=researcher.user)} >= {
        "research.begin_release", "research.finish_release",
    }  # fmt: skip
    listed = researcher.get("/api/v1/research/releases").json()["results"]
    assert [(r["release"], r["rows"], r["sha256"]) for r in listed] == [("myonet-2025", 4, release.sha256)]


@pytest.mark.django_db(transaction=True)  # closing the answer ends the request, and with it the connection
def test_broken_off_it_is_never_finished(centre: Centre, researcher: APIClient) -> None:
    agreed(centre, 1)
    answer = researcher.get(EXPORT, {"table": "results", "release": "one"})
    content = iter(answer.streaming_content)
    next(content)
    answer.close()
    assert Release.objects.get().finished_at is None
    assert len(rows(take(researcher, "results"))) == 4  # the connection is as good as before


def test_hundred_patients_take_as_many_queries_as_one(centre: Centre, researcher: APIClient) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            take(researcher, "results")
        return len(seen)

    agreed(centre, 1)
    queries()
    few = queries()
    for n in range(2, 12):
        agreed(centre, n)
    assert queries() == few


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"table": "results"}, "release"),
        ({"table": "results", "release": "Not A Name"}, "release"),
        ({"table": "results", "release": "x" * 41}, "release"),
        ({"table": "results", "release": "x\n"}, "release"),
        ({"table": "patients_patient", "release": "one"}, "table"),
        ({"release": "one"}, "table"),
    ],
)
def test_refusals_leave_no_row(researcher: APIClient, sent: dict[str, str], field: str) -> None:
    answer = researcher.get(EXPORT, sent)
    assert answer.status_code == 400
    assert {e["field"] for e in answer.json()["errors"]} == {field}
    assert not Release.objects.exists()


def test_only_researchers_and_only_with_the_scope(centre: Centre) -> None:
    for role in Role.values:
        client = Client()
        client.force_login(factories.person(centre, role))
        answer = client.get(EXPORT, {"table": "patients", "release": "one"})
        assert answer.status_code == (200 if role == Role.RESEARCHER else 403)
        assert client.get("/research/releases/").status_code == (200 if role == Role.RESEARCHER else 403)
    assert Client().get("/research/releases/").status_code == 302
    assert Client().get(EXPORT).status_code == 401


def test_dictionary_says_every_column(researcher: APIClient) -> None:
    told = researcher.get("/api/v1/research/dictionary").json()
    assert {t["name"]: [c["name"] for c in t["columns"]] for t in told["tables"]} == {
        t.name: [c.name for c in t.columns] for t in TABLES.values()
    }
    sex = next(c for t in told["tables"] for c in t["columns"] if c["name"] == "sex")
    assert sex["words"]["female"] == "Female"
    assert all(c["meaning"] for t in told["tables"] for c in t["columns"])


def test_the_page(centre: Centre, researcher: APIClient) -> None:
    agreed(centre, 1)
    client = Client()
    client.force_login(researcher.user)
    empty = client.get("/research/releases/").content.decode()
    assert "Nothing was taken yet" in empty
    take(researcher, "results", "myonet")
    page = client.get("/research/releases/").content.decode()
    assert "myonet" in page
    assert Release.objects.get().sha256 in page


def test_the_page_tells_what_is_still_being_sent_from_what_broke_off(centre: Centre, researcher: APIClient) -> None:
    person = researcher.user
    browser = Client()
    with time_machine.travel(NOW, tick=False) as clock:
        browser.force_login(person)
        release = actions.begin_release(
            centre=centre, name="one", table="patients", as_of=NOW.date(), by=person, now=NOW
        )
        page = browser.get("/research/releases/").content.decode()
        assert "Being sent" in page
        assert 'hx-trigger="every 3s"' in page
        actions.finish_release(release=release, rows=0, sha256="0" * 64, by=person, now=NOW)
        part = browser.get("/research/releases/", headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in part
        assert "every 3s" not in part  # nothing to wait for any more
        actions.begin_release(centre=centre, name="two", table="patients", as_of=NOW.date(), by=person, now=NOW)
        clock.shift(dt.timedelta(minutes=15))
        page = browser.get("/research/releases/").content.decode()
        assert "Broken off" in page
        assert "every 3s" not in page
