"""The pages, as a browser without JavaScript uses them."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Centre, Role, User
from audit.models import Access, Entry
from exchange import actions
from exchange.mapping import DEFAULT_LABS
from exchange.models import HeldRow, ImportBatch, PendingUpload
from monitoring.models import Result
from patients.models import Patient
from tests import factories
from tests.exchange.files import commit, csv_bytes, mapping
from tests.factories import NOW

MAY = {Role.CLINICIAN, Role.NURSE, Role.COORDINATOR, Role.ADMINISTRATOR}


@pytest.fixture(autouse=True)
def _on_a_day_of_the_tests() -> Any:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def patient(centre: Centre, nurse: User) -> Patient:
    return factories.patient(centre, nurse, record_number="P1")


@pytest.fixture
def browser(client: Client, nurse: User) -> Client:
    client.force_login(nurse)
    return client


def send(browser: Client, content: bytes, **fields: Any) -> Any:
    data = {"kind": "labs", "source": "Lab", "mapping_from": "default", "file": SimpleUploadedFile("labs.csv", content)}
    return browser.post(reverse("exchange:upload"), {**data, **fields})


def held_rows(centre: Centre, nurse: User) -> list[HeldRow]:
    commit(centre, nurse, {"unit": "??"}, {"result_id": "a2", "taken": "soon"}, {"result_id": "a3", "unit": "??"})
    return list(HeldRow.objects.order_by("row_number"))


def test_from_upload_to_receipt(browser: Client, centre: Centre, nurse: User, patient: Patient) -> None:
    assert browser.get(reverse("exchange:upload")).status_code == 200
    content = csv_bytes({}, {"result_id": "a2", "unit": "??"}, {"result_id": "a3", "taken": "soon"})
    upload = PendingUpload.objects.get(public_id=send(browser, content).url.split("/")[-2])
    address = reverse("exchange:preview", args=[upload.public_id])
    page = browser.get(address)
    text = page.content.decode()
    assert page.status_code == 200
    assert "The spelling of the unit is not known" in text
    assert "not in the format of the mapping" in text
    assert "P1" not in text  # nobody needs the patient for checking a file
    assert not Result.objects.exists()
    assert not ImportBatch.objects.exists()
    digest = re.search(r'name="digest" value="(\w+)"', text)
    assert digest
    answer = browser.post(reverse("exchange:commit", args=[upload.public_id]), {"digest": digest[1]})
    batch = ImportBatch.objects.get()
    assert answer.url == reverse("exchange:receipt", args=[batch.public_id])
    assert (batch.rows, batch.imported, batch.quarantined, batch.rejected) == (3, 1, 1, 1)
    assert "1 imported + 0 unchanged + 1 quarantined + 1 rejected = 3 rows" in browser.get(answer.url).content.decode()
    assert not PendingUpload.objects.exists()
    assert browser.get(address).url == answer.url
    assert Entry.objects.get(action="exchange.commit_import").origin == "import"
    assert "labs.csv" in browser.get(reverse("exchange:uploads")).content.decode()


def test_what_changed_since_the_preview_is_shown_and_not_committed(
    browser: Client, centre: Centre, nurse: User, patient: Patient
) -> None:
    public_id = send(browser, csv_bytes({})).url.split("/")[-2]
    shown = browser.get(reverse("exchange:preview", args=[public_id])).content.decode()
    digest = re.search(r'name="digest" value="(\w+)"', shown)
    assert digest
    commit(centre, nurse, {"value": "150"})
    for posted in ({"digest": digest[1]}, {}):
        answer = browser.post(reverse("exchange:commit", args=[public_id]), posted)
        assert answer.status_code == 409
        assert "1 of them a correction" in answer.content.decode()
    assert Result.objects.get().value == 150


def test_an_upload_can_be_dropped(browser: Client, patient: Patient) -> None:
    public_id = send(browser, csv_bytes({})).url.split("/")[-2]
    browser.post(reverse("exchange:drop", args=[public_id]))
    assert not PendingUpload.objects.exists()
    assert not ImportBatch.objects.exists()


@pytest.mark.parametrize(
    ("content", "fields", "message"),
    [
        (b"", {}, "empty"),
        ("é,b\n".encode("latin-1"), {}, "not in UTF-8"),
        (b"a,b\n1,2\n", {}, "no column named"),
        (csv_bytes({}), {"source": " "}, "Say where the results come from"),
        (csv_bytes({}), {"mapping_from": "latest"}, "Nothing has been imported from this source yet"),
        (csv_bytes({}), {"mapping_from": "file"}, "Choose a mapping file"),
        (
            csv_bytes({}),
            {"mapping_from": "file", "mapping": SimpleUploadedFile("m.json", b'{"kind": "labs"}')},
            "columns: must be an object",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_at_once(
    browser: Client, content: bytes, fields: dict[str, Any], message: str
) -> None:
    answer = send(browser, content, **fields)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert not PendingUpload.objects.exists()


def test_a_mapping_is_found_again(browser: Client, centre: Centre, nurse: User, patient: Patient) -> None:
    columns = {**DEFAULT_LABS["columns"], "value": "Ergebnis"}
    raw = json.dumps({**DEFAULT_LABS, "columns": columns}).encode()
    content = csv_bytes({}).replace(b"value", b"Ergebnis")
    first = send(browser, content, mapping_from="file", mapping=SimpleUploadedFile("m.json", raw))
    upload = PendingUpload.objects.get(public_id=first.url.split("/")[-2])
    text = browser.get(first.url).content.decode()
    digest = re.search(r'name="digest" value="(\w+)"', text)
    assert digest
    browser.post(reverse("exchange:commit", args=[upload.public_id]), {"digest": digest[1]})
    assert send(browser, content, mapping_from="latest").status_code == 302


def test_looking_at_rows_of_a_file_is_recorded(browser: Client, centre: Centre, nurse: User, patient: Patient) -> None:
    upload = send(browser, csv_bytes({}, {"result_id": "a2", "unit": "??"})).url
    assert not Access.objects.exists()
    browser.get(upload)
    assert list(Access.objects.values_list("page", "rows", "by")) == [("exchange:preview", 2, nurse.pk)]
    held_rows(centre, nurse)
    receipt = reverse("exchange:receipt", args=[ImportBatch.objects.get().public_id])
    for page, address in (("receipt", receipt), ("quarantine", reverse("exchange:quarantine"))):
        browser.get(address)
        assert Access.objects.get(page=f"exchange:{page}").rows == 3


def test_the_quarantine_filters_and_pages(browser: Client, centre: Centre, nurse: User, patient: Patient) -> None:
    held_rows(centre, nurse)
    address = reverse("exchange:quarantine")

    def lines(query: str) -> list[str]:
        return re.findall(r">Line&nbsp;(\d+)<", browser.get(address + query).content.decode())

    assert lines("") == ["2", "3", "4"]
    assert lines("?kind=rejected") == ["3"]
    assert lines("?code=unit-unknown") == ["2", "4"]
    assert lines("?state=settled") == []
    assert lines(f"?batch={uuid.uuid4()}") == []
    assert lines("?code=nonsense&batch=x") == ["2", "3", "4"]  # what does not fit is not asked
    with CaptureQueriesContext(connection) as with_few:
        lines("")
    commit(centre, nurse, *({"result_id": f"b{n}", "unit": "??"} for n in range(60)))
    with CaptureQueriesContext(connection) as with_many:
        assert len(lines("")) == 50
    assert len(with_many) == len(with_few)
    assert len(lines("?page=2")) == 13


def test_a_row_is_placed_with_its_alike(browser: Client, centre: Centre, nurse: User, patient: Patient) -> None:
    first, rejected, _ = held_rows(centre, nurse)
    address = reverse("exchange:held-row", args=[first.public_id])
    text = browser.get(address).content.decode()
    assert "The spelling of the unit is not known" in text
    assert Access.objects.get(page="exchange:held-row").by == nurse
    refused = browser.post(address, {"unit": "g/L"})
    assert refused.status_code == 422
    assert "is not measured in this unit" in refused.content.decode()
    assert browser.post(address, {"patient_number": "P9"}).status_code == 422
    assert browser.post(address, {"unit": "U/L", "alike": "on"}).status_code == 302
    assert Result.objects.count() == 2
    assert HeldRow.objects.filter(resolution="").get() == rejected
    assert browser.post(address, {"unit": "U/L"}).status_code == 422  # settled meanwhile


def test_a_row_is_discarded_with_a_reason(browser: Client, centre: Centre, nurse: User, patient: Patient) -> None:
    _, rejected, _ = held_rows(centre, nurse)
    address = reverse("exchange:discard", args=[rejected.public_id])
    assert browser.post(address, {}).status_code == 422
    assert browser.post(address, {"discard-reason": "Sent again"}).status_code == 302
    rejected.refresh_from_db()
    assert (rejected.resolution, rejected.resolution_reason, rejected.resolved_by) == ("discarded", "Sent again", nurse)
    assert "Sent again" in browser.get(reverse("exchange:held-row", args=[rejected.public_id])).content.decode()


def test_held_rows_as_a_file_hold_no_formula(browser: Client, centre: Centre, nurse: User, patient: Patient) -> None:
    batch = commit(centre, nurse, {"unit": '=HYPERLINK("x")', "value": "-5"})
    answer = browser.get(reverse("exchange:held-csv", args=[batch.public_id]))
    text = answer.content.decode()
    assert "'=HYPERLINK" in text
    assert ",-5," in text
    assert Access.objects.get(page="exchange:held-csv").rows == 1
    assert "P1" not in answer["Content-Disposition"]


def addresses(centre: Centre, nurse: User) -> dict[str, str]:
    held = held_rows(centre, nurse)[0]
    upload = actions.keep_upload(
        centre=centre,
        kind="labs",
        content=csv_bytes({}),
        file_name="f",
        mapping=mapping(),
        source_name="Lab",
        by=nurse,
        now=NOW,
    )
    found = {name: reverse(f"exchange:{name}") for name in ("uploads", "upload", "quarantine")}
    for name in ("preview", "commit", "drop"):
        found[name] = reverse(f"exchange:{name}", args=[upload.public_id])
    for name in ("receipt", "held-csv"):
        found[name] = reverse(f"exchange:{name}", args=[held.batch.public_id])
    for name in ("held-row", "discard"):
        found[name] = reverse(f"exchange:{name}", args=[held.public_id])
    return found


POSTED = ("commit", "drop", "discard")


def test_another_centres_objects_are_not_there(client: Client, centre: Centre, nurse: User, patient: Patient) -> None:
    elsewhere = factories.centre()
    client.force_login(factories.person(elsewhere, Role.NURSE))
    for name, address in addresses(centre, nurse).items():
        ask = client.post if name in POSTED else client.get
        answer = ask(address)
        if name in ("uploads", "upload", "quarantine"):
            assert answer.status_code == 200, name
            assert "labs.csv" not in answer.content.decode(), name
        else:
            assert answer.status_code == 404, name
            if name not in POSTED:
                assert client.get(address).status_code == 404
    held = HeldRow.objects.first()
    assert held
    assert client.post(reverse("exchange:held-row", args=[held.public_id]), {"unit": "U/L"}).status_code == 404
    assert not Result.objects.exists()
    assert PendingUpload.objects.exists()


@pytest.mark.parametrize("role", list(Role))
def test_roles(client: Client, centre: Centre, nurse: User, patient: Patient, role: Role) -> None:
    client.force_login(factories.person(centre, role))
    for name, address in addresses(centre, nurse).items():
        if name in POSTED and role in MAY:
            continue  # what they do is tested above
        answer = (client.post if name in POSTED else client.get)(address)
        assert answer.status_code == (200 if role in MAY else 403), name


def test_visitors_are_sent_to_the_login_page(client: Client, centre: Centre, nurse: User, patient: Patient) -> None:
    for name, address in addresses(centre, nurse).items():
        answer = (client.post if name in POSTED else client.get)(address)
        assert answer.status_code == 302, name
        assert "/login/" in answer.url
