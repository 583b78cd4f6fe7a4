"""Reading and writing by the API: scope, trail, refusals, bounded queries."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Centre, Role, Scope
from alerts.models import Alert, AlertEvent
from audit.models import Access, Entry, Origin
from monitoring.models import Assessment, Result
from patients.merge_actions import merge_patients
from patients.models import FollowUpStatus, Patient
from patients.selectors import version
from tests import factories
from tests.api.clients import Clients
from therapy.models import Course, CourseStop, Dose

DAY = dt.date(2024, 3, 1)


def a_result(patient: Patient, **fields: Any) -> Result:
    return factories.fact(
        Result, patient, **{"analyte": "ck", "value": "1240", "value_received": "1240", "unit_received": "U/L",
                            "taken_on": DAY, **fields},
    )  # fmt: skip


def an_alert(patient: Patient, **fields: Any) -> Alert:
    alert = Alert.objects.create(
        **{
            "centre": patient.centre, "patient": patient, "rule": "physio-missed", "rule_version": 1,
            "subject": "patient", "level": "TASK", "audience": Role.PHYSIOTHERAPIST, "evidence": {"reasons": []},
            "as_of": factories.AS_OF, "evidence_at": factories.NOW, "opened_at": factories.NOW,
            "level_since": factories.NOW, **fields,
        }
    )  # fmt: skip
    AlertEvent.objects.create(alert=alert, kind="opened", at=factories.NOW, level=alert.level)
    return alert


def everything(patient: Patient) -> dict[str, Any]:
    course = factories.fact(Course, patient, drug="prednisone", route="oral")
    factories.fact(Dose, patient, course=course, starts_on=DAY, amount="20")
    return {
        "patients": patient.public_id,
        "results": a_result(patient).pk,
        "assessments": factories.fact(Assessment, patient, assessed_on=DAY, physician_vas="3.5").pk,
        "courses": course.pk,
        "alerts": an_alert(patient).public_id,
    }


def test_everything_can_be_read_and_reading_is_recorded(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.CLINICIAN, Scope.READ)
    patient = factories.patient(centre, client.user)
    for area, key in everything(patient).items():
        listed = client.get(f"/api/v1/{area}").json()["results"]
        assert [row["id"] for row in listed] == [key if isinstance(key, int) else str(key)]
        access = Access.objects.latest("pk")
        assert (access.page, access.rows, access.by, access.centre) == (f"api.{area}", 1, client.user, centre)
        one = client.get(f"/api/v1/{area}/{key}")
        assert one.status_code == 200
        assert {k: one.json()[k] for k in listed[0]} == listed[0]
        assert Access.objects.latest("pk").patient == patient


def test_another_centre_has_nothing(centre: Centre, elsewhere: Centre, client_of: Clients) -> None:
    client = client_of(Role.CLINICIAN, Scope.READ, Scope.WRITE)
    theirs = factories.patient(elsewhere, client.user)
    for area, key in everything(theirs).items():
        assert client.get(f"/api/v1/{area}").json()["results"] == []
        assert client.get(f"/api/v1/{area}/{key}").status_code == 404
        if area != "patients":
            assert client.get(f"/api/v1/{area}", {"patient": theirs.public_id}).json()["results"] == []
    alert = Alert.objects.get()
    assert client.post(f"/api/v1/alerts/{alert.public_id}/acknowledge", {}).status_code == 404
    result = Result.objects.get()
    assert client.post(f"/api/v1/results/{result.pk}/withdraw", {"reason": "x"}).status_code == 404
    answer = client.post("/api/v1/results", ck(theirs))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "patient")
    answer = client.post("/api/v1/assessments", {"patient": theirs.public_id, "assessed_on": DAY, "haq_di": "1"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "patient")
    found = client.post("/api/v1/patients/find", {"record_number": theirs.record_number})
    assert found.status_code == 404
    assert Result.objects.count() == 1


def test_find_by_record_number_keeps_it_out_of_the_address(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.NURSE)
    patient = factories.patient(centre, client.user)
    # It asks and writes nothing, so a reading token may.
    found = client.post("/api/v1/patients/find", {"record_number": patient.record_number})
    assert found.json()["id"] == str(patient.public_id)


def test_the_number_and_the_id_of_a_merged_record_lead_to_the_one_that_took_it_in(
    centre: Centre, client_of: Clients
) -> None:
    client = client_of(Role.NURSE)
    kept, absorbed = factories.patient(centre, client.user), factories.patient(centre, client.user)
    versions = (version(kept), version(absorbed))
    merge_patients(kept=kept, absorbed=absorbed, versions=versions, reason="One", by=client.user, now=factories.NOW)
    found = client.post("/api/v1/patients/find", {"record_number": absorbed.record_number})
    assert found.json()["id"] == str(kept.public_id)
    assert client.get(f"/api/v1/patients/{absorbed.public_id}").json()["id"] == str(kept.public_id)
    assert [row["id"] for row in client.get("/api/v1/patients").json()["results"]] == [str(kept.public_id)]


def test_register_a_patient(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.NURSE, Scope.WRITE)
    new = {"record_number": "N1", "given_name": "Ada", "family_name": "Okoro", "born_on": "1980-01-02"}
    answer = client.post("/api/v1/patients", new)
    assert answer.status_code == 201, answer.json()
    assert Patient.objects.get().public_id == uuid.UUID(answer.json()["id"])
    again = client.post("/api/v1/patients", new)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (400, "record_number")
    assert Patient.objects.count() == 1
    assert client_of(Role.PHYSIOTHERAPIST, Scope.WRITE).post("/api/v1/patients", new).status_code == 403


def test_follow_up_filter(centre: Centre, client_of: Clients) -> None:
    client = client_of()
    dead = factories.patient(centre, client.user)
    factories.fact(FollowUpStatus, dead, word="dead", starts_on=DAY)
    other = factories.patient(centre, client.user)
    rows = client.get("/api/v1/patients", {"follow_up": "dead"}).json()["results"]
    assert [(r["id"], r["follow_up"]) for r in rows] == [(str(dead.public_id), "dead")]
    assert client.get(f"/api/v1/patients/{other.public_id}").json()["follow_up"] is None
    assert client.get("/api/v1/patients", {"follow_up": "lost"}).status_code == 400


# ------------------------------------------------------------------------------------------------------------- results


def ck(patient: Patient, **fields: Any) -> dict[str, Any]:
    return {
        "patient": str(patient.public_id), "analyte": "ck", "value": "1240", "unit": "IU/l", "uln": "200",
        "taken_on": "2024-03-01", **fields,
    }  # fmt: skip


def test_one_result(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.NURSE, Scope.WRITE)
    patient = factories.patient(centre, client.user)
    answer = client.post("/api/v1/results", ck(patient, value="<40", taken_time="08:30"))
    assert answer.status_code == 201, answer.json()
    result = Result.objects.get()
    assert (result.value, result.comparator, result.uln, result.unit_received) == (40, "<", 200, "IU/l")
    assert result.taken_at == dt.datetime(2024, 3, 1, 7, 30, tzinfo=dt.UTC)  # Berlin
    assert answer.json()["results"][0]["id"] == result.pk
    entries = Entry.objects.filter(action="monitoring.record_results")
    assert {(e.origin, e.by, e.patient) for e in entries} == {
        (Origin.API, client.user, None), (Origin.API, client.user, patient),
    }  # fmt: skip
    assert result.events.get().pgh_context_id == entries[0].context_id


@pytest.mark.parametrize("wrapped", [True, False])
def test_many_at_once_all_or_nothing(centre: Centre, client_of: Clients, wrapped: bool) -> None:
    client = client_of(Role.NURSE, Scope.WRITE)
    first, second = factories.patient(centre, client.user), factories.patient(centre, client.user)
    rows = [
        ck(first),
        ck(second, value="1,240"),
        ck(second, analyte="ldh", unit="parsec"),
        ck(second, analyte="alt", value="20", taken_on="1950-01-01"),
        ck(second, analyte="ast", value="20", taken_on="2999-01-01"),
        ck(first),
        {**ck(second), "patient": str(uuid.uuid4())},
    ]

    def send(rows: list[dict[str, Any]]) -> Any:
        return client.post("/api/v1/results", {"results": rows} if wrapped else rows)

    answer = send(rows)
    assert answer.status_code == 400
    assert [(e["index"], e["field"], e["code"]) for e in answer.json()["errors"]] == [(6, "patient", "not_found")]
    answer = send(rows[:6])
    assert [(e["index"], e["field"], e["code"]) for e in answer.json()["errors"]] == [
        (1, "value", "invalid"), (2, "unit", "invalid"), (3, "taken_on", "invalid"), (4, "taken_on", "invalid"),
        (5, "value", "exists"),
    ]  # fmt: skip
    assert Result.objects.count() == 0
    good = [ck(first), ck(second), ck(second, analyte="ldh", value="300")]
    assert send(good).status_code == 201
    assert Result.objects.count() == 3
    again = send(good)
    assert {e["code"] for e in again.json()["errors"]} == {"exists"}
    assert Result.objects.count() == 3


def test_a_very_unusual_value_asks(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.NURSE, Scope.WRITE)
    patient = factories.patient(centre, client.user)
    odd = ck(patient, value="90000")
    answer = client.post("/api/v1/results", odd)
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("value", "confirm")]
    assert client.post("/api/v1/results", {**odd, "confirmed": True}).status_code == 201


@pytest.mark.parametrize("body", [[], {"results": []}, {}, {"results": "x"}, [1], {"results": [[]]}, "x", 3, None])
def test_malformed_is_refused(centre: Centre, client_of: Clients, body: Any) -> None:
    answer = client_of(Role.NURSE, Scope.WRITE).post("/api/v1/results", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Nothing was written."
    assert answer.json()["errors"]


def test_many_at_once_takes_as_many_queries_as_few(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.NURSE, Scope.WRITE)
    people = [factories.patient(centre, client.user) for _ in range(30)]

    def queries(analyte: str, count: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            rows = [ck(p, analyte=analyte, value="30", unit="U/L") for p in people[:count]]
            assert client.post("/api/v1/results", rows).status_code == 201
        return len(seen)

    queries("ggt", 1)
    assert queries("alt", 2) == queries("ast", 30) <= 25


def test_correct_and_withdraw(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.NURSE, Scope.WRITE)
    patient = factories.patient(centre, client.user)
    result = a_result(patient)
    address = f"/api/v1/results/{result.pk}"
    wrong = client.post(f"{address}/correct", {"value": "1,2", "unit": "U/L", "reason": "typing"})
    assert [e["field"] for e in wrong.json()["errors"]] == ["value"]
    answer = client.post(f"{address}/correct", {"value": "124", "unit": "U/L", "reason": "typing"})
    assert answer.status_code == 201, answer.json()
    assert (answer.json()["supersedes"], answer.json()["status"]) == (result.pk, "amended")
    assert client.post(f"{address}/withdraw", {"reason": "again"}).status_code == 404  # no longer current
    new = answer.json()["id"]
    assert client.post(f"/api/v1/results/{new}/withdraw", {}).status_code == 400
    assert client.post(f"/api/v1/results/{new}/withdraw", {"reason": "other patient"}).status_code == 200
    assert not Result.objects.current().exists()


def test_filters_and_paging(centre: Centre, client_of: Clients) -> None:
    client = client_of()
    first, second = factories.patient(centre, client.user), factories.patient(centre, client.user)
    for n in range(7):
        a_result(first, taken_on=DAY + dt.timedelta(days=n))
    a_result(second, analyte="ldh")
    seen: list[int] = []
    address: str | None = f"/api/v1/results?patient={first.public_id}&limit=3"
    while address:
        page = client.get(address).json()
        seen += [r["id"] for r in page["results"]]
        address = page["next"]
    assert seen == sorted((r.pk for r in Result.objects.filter(patient=first)), reverse=True)
    assert Access.objects.filter(page="api.results", patient=first, rows=3).count() == 2
    assert len(client.get("/api/v1/results", {"analyte": "ldh"}).json()["results"]) == 1
    assert (
        len(client.get("/api/v1/results", {"taken_from": "2024-03-02", "taken_to": "2024-03-03"}).json()["results"])
        == 2
    )
    assert client.get("/api/v1/results", {"taken_from": "yesterday"}).status_code == 400
    assert client.get("/api/v1/results", {"cursor": "nonsense"}).status_code == 400


@pytest.mark.parametrize("area", ["patients", "results", "assessments", "courses", "alerts"])
def test_lists_take_as_many_queries_for_many_rows_as_for_few(centre: Centre, client_of: Clients, area: str) -> None:
    client = client_of()

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/api/v1/{area}").status_code == 200
        return len(seen)

    everything(factories.patient(centre, client.user))
    queries()  # the use of the token is noted once
    few = queries()
    for _ in range(12):
        everything(factories.patient(centre, client.user))
    assert queries() == few <= 8


# --------------------------------------------------------------------------------------------------- the other areas


def test_record_an_assessment(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.PHYSIOTHERAPIST, Scope.WRITE)
    patient = factories.patient(centre, client.user)
    grades = [{"muscle": "neck_flexors", "side": "axial", "grade": 8}]
    grades += [
        {"muscle": m, "side": s, "grade": 9}
        for m in ("deltoid", "biceps", "wrist_extensors", "gluteus_maximus", "gluteus_medius", "quadriceps",
                  "ankle_dorsiflexors")
        for s in ("right", "left")
    ]  # fmt: skip
    body = {"patient": patient.public_id, "assessed_on": "2024-03-01", "physician_vas": "0", "mmt8": grades}
    answer = client.post("/api/v1/assessments", body)
    assert answer.status_code == 201, answer.json()
    assert (answer.json()["mmt8_150"], answer.json()["physician_vas"], answer.json()["patient_vas"]) == (
        134,
        "0.0",
        None,
    )
    assert len(answer.json()["mmt8"]) == 15
    again = client.post("/api/v1/assessments", body)
    assert [(e["field"], e["code"]) for e in again.json()["errors"]] == [("assessed_on", "exists")]
    for bad, field in (
        ({"physician_vas": "10.5"}, "physician_vas"),
        ({"mmt8": [{"muscle": "neck_flexors", "side": "left", "grade": 3}]}, "mmt8"),
        ({"mmt8": [*grades, grades[0]]}, "mmt8"),
        ({"mmt8_150": 20}, "mmt8_150"),
        ({"haq": {"items": {"nothing": 2}}}, "haq"),
    ):
        refusal = client.post("/api/v1/assessments", {**body, "assessed_on": "2024-03-02", **bad})
        assert refusal.status_code == 400
        assert [e["field"] for e in refusal.json()["errors"]] == [field]
    assert Assessment.objects.count() == 1


def test_courses_with_their_doses(centre: Centre, client_of: Clients) -> None:
    client = client_of()
    patient = factories.patient(centre, client.user)
    course = factories.fact(Course, patient, drug="methotrexate", route="oral")
    factories.fact(
        Dose, patient, course=course, starts_on=DAY, ends_on=DAY + dt.timedelta(days=27), amount="10", every_days=7
    )
    later = factories.fact(
        Dose, patient, course=course, starts_on=DAY + dt.timedelta(days=28), amount="15", every_days=7
    )
    [told] = client.get("/api/v1/courses").json()["results"]
    assert [d["amount"] for d in told["doses"]] == ["10.000", "15.000"]
    assert (told["unit"], told["stop"]) == ("mg", None)
    assert len(client.get("/api/v1/courses", {"active_on": "2025-01-01"}).json()["results"]) == 1
    assert client.get("/api/v1/courses", {"active_on": "2024-02-01"}).json()["results"] == []
    factories.fact(CourseStop, patient, course=course, stopped_on=later.starts_on, reason="toxicity")
    assert client.get(f"/api/v1/courses/{course.pk}").json()["stop"]["reason"] == "toxicity"


def test_act_on_an_alert(centre: Centre, client_of: Clients) -> None:
    client = client_of(Role.CLINICIAN, Scope.READ, Scope.WRITE)
    alert = an_alert(factories.patient(centre, client.user))
    address = f"/api/v1/alerts/{alert.public_id}"
    assert client.post(f"{address}/snooze", {"reason": "will_monitor"}).json()["errors"][0]["field"] == "until"
    too_long = client.post(f"{address}/snooze", {"reason": "will_monitor", "until": "2999-01-01"})
    assert too_long.status_code == 400
    acknowledged = client.post(f"{address}/acknowledge", {})
    assert acknowledged.status_code == 200, acknowledged.json()
    assert acknowledged.json()["state"] == "acknowledged"
    assert [e["kind"] for e in acknowledged.json()["events"]] == ["opened", "acknowledged"]
    twice = client.post(f"{address}/acknowledge", {})
    assert (twice.status_code, twice.json()["errors"][0]["code"]) == (409, "stale")
    closed = client.post(f"{address}/close", {"reason": "acted", "text": "seen today"})
    assert closed.json()["state"] == "closed"
    assert Entry.objects.filter(action="alerts.close", origin=Origin.API, by=client.user).exists()
    for role in (Role.COORDINATOR, Role.ADMINISTRATOR):
        assert client_of(role).post(f"{address}/acknowledge", {}).status_code == 403


def test_rules_say_their_sources(client_of: Clients) -> None:
    client = client_of()
    rules = {rule["id"]: rule for rule in client.get("/api/v1/rules").json()}
    assert rules["physio-missed"]["is_on"] is True
    assert rules["physio-missed"]["citations"]
    assert rules["physio-missed"]["parameters"]
    assert client.get("/api/v1/rules/physio-missed").json() == rules["physio-missed"]
    assert client.get("/api/v1/rules/no-such-rule").status_code == 404


def test_rules_are_told_as_they_are_at_the_centre(centre: Centre, client_of: Clients) -> None:
    factories.rule_change(centre, "ck-rising", mode="shadow")
    factories.rule_change(centre, "ck-rising", parameters={"action_ratio": "2.2"})
    factories.rule_change(centre, "physio-missed")
    factories.rule_change(factories.centre(), "physio-missed", mode="off")
    rules = {rule["id"]: rule for rule in client_of().get("/api/v1/rules").json()}
    ck, physio = rules["ck-rising"], rules["physio-missed"]
    assert (ck["mode"], ck["is_on"], ck["is_signed_off"]) == ("shadow", False, False)
    assert (physio["mode"], physio["is_on"], physio["is_signed_off"]) == ("on", True, True)
    assert float(ck["parameters"]["action_ratio"]) == 2.2


def test_an_alert_says_whether_its_rule_is_signed_off(centre: Centre, client_of: Clients) -> None:
    alert = an_alert(factories.patient(centre, factories.person(centre)))
    client = client_of()
    address = f"/api/v1/alerts/{alert.public_id}"
    assert client.get(address).json()["is_signed_off"] is False
    factories.rule_change(centre, alert.rule, rule_version=alert.rule_version + 1)
    assert client.get("/api/v1/alerts").json()["results"][0]["is_signed_off"] is False
    factories.rule_change(centre, alert.rule, rule_version=alert.rule_version)
    assert client.get(address).json()["is_signed_off"] is True
    assert client.get("/api/v1/alerts").json()["results"][0]["is_signed_off"] is True


def test_no_such_address(client_of: Clients) -> None:
    answer = client_of().get("/api/v1/prescriptions")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert APIClient().get("/api/v1/prescriptions").status_code == 401


def test_the_page_that_explains_it(centre: Centre, client: Any) -> None:
    client.force_login(factories.person(centre, Role.RESEARCHER))
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    for said in ("/api/v1/results/{id}/correct", "Record results", "/api/v1/research/export", "NewResult"):
        assert said in text
    client.force_login(factories.person())
    assert client.get("/api/v1/docs").status_code == 403


def test_every_view_of_the_api_names_a_permission() -> None:
    from drf_spectacular.generators import EndpointEnumerator

    from accounts.authentication import permission_for

    nameless = []
    for path, _, method, callback in EndpointEnumerator().get_api_endpoints():
        if path.startswith("/api/v1/schema"):
            continue  # for everybody who is signed in
        view = callback.cls(**callback.initkwargs)
        view.action = (getattr(callback, "actions", None) or {}).get(method.lower(), "")
        if permission_for(view, method) is None:
            nameless.append((method, path))
    assert nameless == []
