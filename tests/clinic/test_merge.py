"""Two records of one person: found, compared, made one, and parted again, without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alerts.models import State
from audit.models import Access, Entry
from monitoring.models import Booking
from patients import actions, merge_actions, selectors
from patients.models import Merge, Patient
from tests import factories
from tests.clinic import findings
from tests.factories import AS_OF, NOW, fact


@pytest.fixture
def two(clinic: Any, clinician: Any) -> tuple[Patient, Patient]:
    born = {"family_name": "Sample", "subtype": "polymyositis"}
    return (
        factories.patient(clinic, clinician, given_name="Ada", record_number="A-1", **born),
        factories.patient(clinic, clinician, given_name="Adda", record_number="A-2", **born),
    )


@pytest.fixture
def coordinator(signed_in: Any) -> Client:
    found: Client = signed_in(role="coordinator")
    return found


def compare(one: Patient, other: Patient) -> str:
    return f"/patients/{one.public_id}/second-record/{other.public_id}/"


def typed(one: Patient, other: Patient, **changes: Any) -> dict[str, Any]:
    versions = {"one_version": selectors.version(one), "other_version": selectors.version(other)}
    return {"keep": "other", "reason": "Registered again", **versions, **changes}


def test_whoever_looks_alike_is_offered_and_anybody_else_is_found(two: Any, clinic: Any, coordinator: Client) -> None:
    one, other = two
    far = factories.patient(clinic, one.created_by, family_name="Becker", record_number="B-1")
    address = f"/patients/{one.public_id}/second-record/"
    page = coordinator.get(address).content.decode()
    assert compare(one, other) in page
    assert compare(one, far) not in page
    page = coordinator.post(address, {"q": "B-1"}).content.decode()
    assert compare(one, far) in page
    assert compare(one, one) not in coordinator.post(address, {"q": "A-1"}).content.decode()


def test_both_are_compared_made_one_and_parted_again(two: Any, clinic: Any, coordinator: Client) -> None:
    one, other = two
    booking = fact(Booking, one, kind="visit", booked_for=AS_OF)
    page = coordinator.get(compare(one, other)).content.decode()
    assert "Adda" in page
    assert "Booking" in page
    assert Access.objects.filter(page="clinic:merge-confirm").count() == 2
    refused = coordinator.post(compare(one, other), typed(one, other, reason=""))
    assert set(refused.context["form"].errors) == {"reason"}
    answer = coordinator.post(compare(one, other), typed(one, other), follow=True)
    merge = Merge.objects.get()
    assert (merge.kept, merge.absorbed) == (other, one)
    assert "Adda" in answer.content.decode()
    assert Entry.objects.latest("id").reason == "Registered again"
    # Its old addresses lead to the other, its number too, and it stands on no list.
    old = coordinator.get(f"/patients/{one.public_id}/results/")
    assert old["Location"] == f"/patients/{other.public_id}/results/"
    assert coordinator.get(f"/patients/{one.public_id}/")["Location"] == f"/patients/{other.public_id}/"
    posted = coordinator.post(
        f"/patients/{one.public_id}/follow-up/", {"word": "discharged", "starts_on": "2025-06-01"}
    )
    assert posted["Location"] == f"/patients/{other.public_id}/"
    assert coordinator.post("/patients/", {"q": "A-1"})["Location"] == f"/patients/{other.public_id}/"
    assert "A-1" not in coordinator.get("/patients/").content.decode()
    assert f"/merges/{merge.public_id}/" in coordinator.get(f"/patients/{other.public_id}/details/").content.decode()
    # And back.
    answer = coordinator.post(f"/merges/{merge.public_id}/", {"reason": ""})
    assert set(answer.context["form"].errors) == {"reason"}
    answer = coordinator.post(f"/merges/{merge.public_id}/", {"reason": "Sisters"}, follow=True)
    assert "They are two records again." in answer.content.decode()
    booking.refresh_from_db()
    assert booking.patient == one
    assert coordinator.get(f"/patients/{one.public_id}/").status_code == 200
    assert coordinator.post(f"/merges/{merge.public_id}/", {"reason": "Sisters"}).status_code == 422


def test_looking_at_several_records_is_recorded_of_each_at_once(two: Any, clinician: Any, coordinator: Client) -> None:
    one, other = two

    def looks(address: str) -> list[int]:
        seen = set(Access.objects.values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as queries:
            assert coordinator.get(address).status_code == 200
        assert sum('INSERT INTO "audit_access"' in query["sql"] for query in queries) == 1
        return sorted(Access.objects.exclude(pk__in=seen).values_list("patient", flat=True))

    both = sorted((one.pk, other.pk))
    assert looks(f"/patients/{one.public_id}/second-record/") == both
    assert looks(compare(one, other)) == both
    coordinator.post(compare(one, other), typed(one, other))
    assert looks(f"/merges/{Merge.objects.get().public_id}/") == both


def test_a_page_opened_before_the_merge_says_what_is_true(two: Any, clinician: Any, signed_in: Any) -> None:
    one, other = two
    alert = findings.alert(one)
    merge_actions.merge_patients(
        kept=other, absorbed=one, versions=(selectors.version(other), selectors.version(one)),
        reason="Registered again", by=clinician, now=NOW,
    )  # fmt: skip
    old, browser = f"/patients/{one.public_id}/", signed_in(clinician)
    part = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{old}"}
    # What is done to an alert is done, whichever page it was done on.
    sent = browser.post(f"/alerts/{alert.public_id}/acknowledge/", {"seen_level": alert.level}, headers=part)
    assert sent["HX-Refresh"] == "true"
    alert.refresh_from_db()
    assert alert.state == State.ACKNOWLEDGED
    text = browser.get(old, follow=True).content.decode()
    assert "Acknowledged." in text
    assert "Nothing was saved" not in text
    # A part of the old page is never filled with the other record: the browser goes there.
    for answer in (
        browser.get(f"{old}history/", headers=part),
        browser.post(f"{old}follow-up/", {"word": "discharged", "starts_on": "2025-06-01"}, headers=part),
    ):
        assert answer["HX-Redirect"] == f"/patients/{other.public_id}/"
        assert not answer.content


def test_what_was_changed_since_the_comparison_is_looked_at_again(
    two: Any, clinician: Any, coordinator: Client
) -> None:
    one, other = two
    seen = typed(one, other)
    actions.change_patient(
        patient=other, version=selectors.version(other), born_on=AS_OF, by=clinician, now=NOW
    )  # fmt: skip
    answer = coordinator.post(compare(one, other), seen)
    assert answer.status_code == 422
    assert "Look at them again" in answer.content.decode()
    assert "The days of birth differ." in answer.content.decode()
    form = answer.context["form"]
    assert coordinator.post(compare(one, other), {name: form[name].value() for name in form.fields}).status_code == 302


def test_who_may_merge_and_whom(two: Any, clinic: Any, signed_in: Any, coordinator: Client) -> None:
    one, other = two
    assert signed_in(role="nurse").get(compare(one, other)).status_code == 403
    elsewhere = factories.centre()
    theirs = factories.patient(elsewhere, factories.person(elsewhere))
    assert coordinator.get(compare(one, theirs)).status_code == 404
    assert coordinator.get(compare(one, one)).status_code == 404
    assert coordinator.post(compare(one, other), typed(one, other)).status_code == 302
    stranger = signed_in(factories.person(elsewhere, "coordinator"))
    assert stranger.get(f"/merges/{Merge.objects.get().public_id}/").status_code == 404
    assert stranger.get(f"/patients/{one.public_id}/").status_code == 404


def test_comparing_asks_as_often_of_much_as_of_little(
    two: Any, clinic: Any, clinician: Any, coordinator: Client, django_assert_max_num_queries: Any
) -> None:
    from tests.clinic.one_patient import full

    many = full(clinic, clinician, AS_OF, many=50)
    with django_assert_max_num_queries(90):
        assert coordinator.get(compare(two[0], many)).status_code == 200


def test_neither_record_is_chosen_beforehand_and_a_choice_is_asked_for(two: Any, coordinator: Client) -> None:
    one, other = two
    page = coordinator.get(compare(one, other)).content.decode()
    assert page.count('name="keep"') == 2
    assert " checked" not in page.split('name="keep"', 1)[1].split("</fieldset>")[0]
    answer = coordinator.post(compare(one, other), typed(one, other, keep=""))
    assert answer.status_code == 422
    beside = answer.content.decode().split('name="keep"', 1)[1].split("</fieldset>")[0]
    assert "Choose which of the two records stays." in beside
    assert not Merge.objects.exists()
