"""Files too large for one request: a worker reads and imports them, and the page says how far it is."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Centre, Membership, Role, User
from audit.models import Entry
from exchange import progress, tasks, views
from exchange.models import ImportBatch, PendingUpload, UploadState
from monitoring.models import Result
from tests import factories
from tests.exchange.files import commit, csv_bytes
from tests.factories import NOW

ROWS = 2500


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=True) as moved:
        yield moved


@pytest.fixture
def browser(client: Client, centre: Centre, nurse: User) -> Client:
    factories.patient(centre, nurse, record_number="P1")
    client.force_login(nurse)
    return client


@pytest.fixture
def upload(browser: Client, monkeypatch: pytest.MonkeyPatch) -> PendingUpload:
    """Sent and handed to a worker, who has not begun."""
    monkeypatch.setattr(views, "AT_ONCE_BYTES", 1000)
    content = csv_bytes(*({"result_id": f"a{n}"} for n in range(ROWS)))
    data = {"kind": "labs", "source": "Lab", "mapping_from": "default", "file": SimpleUploadedFile("labs.csv", content)}
    answer = browser.post(reverse("exchange:upload"), data)
    found = PendingUpload.objects.get()
    assert answer.url == page(found)
    assert found.state == UploadState.READING
    return found


def page(upload: PendingUpload) -> str:
    return reverse("exchange:preview", args=[upload.public_id])


def digest_of(browser: Client, upload: PendingUpload) -> str:
    found = re.search(r'name="digest" value="(\w+)"', browser.get(page(upload)).content.decode())
    assert found
    return found[1]


def send_off(browser: Client, upload: PendingUpload, digest: str) -> None:
    answer = browser.post(reverse("exchange:commit", args=[upload.public_id]), {"digest": digest})
    assert answer.url == page(upload)
    assert not Result.objects.filter(source_key="a1").exists()


def test_from_upload_to_receipt(browser: Client, upload: PendingUpload, nurse: User) -> None:
    waiting = browser.get(page(upload)).content.decode()
    assert "Reading the file" in waiting
    assert f'hx-get="{page(upload)}"' in waiting
    assert "<noscript>" in waiting  # the same page, asked for again by hand
    tasks.read_upload(str(upload.public_id))
    digest = digest_of(browser, upload)
    assert f"Commit all {ROWS} rows" in browser.get(page(upload)).content.decode()
    send_off(browser, upload, digest)
    assert "Importing the file" in browser.get(page(upload)).content.decode()
    tasks.import_upload(str(upload.public_id), digest, nurse.pk)
    batch = ImportBatch.objects.get()
    assert (batch.imported, batch.committed_by) == (ROWS, nurse)
    receipt = reverse("exchange:receipt", args=[batch.public_id])
    assert browser.get(page(upload)).url == receipt
    assert browser.get(page(upload), headers={"HX-Request": "true"})["HX-Redirect"] == receipt
    assert Entry.objects.get(action="exchange.commit_import").origin == "import"
    tasks.import_upload(str(upload.public_id), digest, nurse.pk)  # a worker that was killed just after: given out again
    assert ImportBatch.objects.count() == 1


def test_the_share_that_is_done_is_shown_and_asking_ends(browser: Client, upload: PendingUpload) -> None:
    ajax = {"HX-Request": "true"}
    progress.note(upload.public_id, 1000, 2500)
    part = browser.get(page(upload), headers=ajax).content.decode()
    assert "<html" not in part
    assert 'value="40"' in part
    assert "every 2s" in part
    tasks.read_upload(str(upload.public_id))
    assert progress.percent(upload.public_id) == 80  # the last thousand that was told of
    assert browser.get(page(upload), headers=ajax)["HX-Refresh"] == "true"


def test_nothing_is_worked_on_twice_at_once(browser: Client, upload: PendingUpload) -> None:
    answer = browser.post(reverse("exchange:read-again", args=[upload.public_id]), follow=True)
    assert "This file is being worked on" in answer.content.decode()
    assert Entry.objects.filter(action="exchange.begin_work").count() == 1


def test_a_file_being_imported_is_not_dropped(browser: Client, upload: PendingUpload, nurse: User) -> None:
    """Or somebody would read that nothing was written while a worker writes it."""
    tasks.read_upload(str(upload.public_id))
    digest = digest_of(browser, upload)
    send_off(browser, upload, digest)
    answer = browser.post(reverse("exchange:drop", args=[upload.public_id]), follow=True).content.decode()
    assert "This file is being worked on" in answer
    assert "Nothing was written" not in answer
    tasks.import_upload(str(upload.public_id), digest, nurse.pk)
    assert ImportBatch.objects.get().imported == ROWS


def test_a_worker_that_died_is_noticed_and_can_be_asked_again(
    browser: Client, upload: PendingUpload, clock: Any
) -> None:
    clock.shift(dt.timedelta(minutes=10))
    assert "The work on this file broke off" in browser.get(page(upload)).content.decode()
    browser.post(reverse("exchange:read-again", args=[upload.public_id]))
    assert "Reading the file" in browser.get(page(upload)).content.decode()


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.PHYSIOTHERAPIST}], ids=["left", "another role"])
def test_who_may_not_import_any_more_imports_nothing(
    browser: Client, upload: PendingUpload, nurse: User, centre: Centre, change: dict[str, Any]
) -> None:
    tasks.read_upload(str(upload.public_id))
    digest = digest_of(browser, upload)
    send_off(browser, upload, digest)
    Membership.objects.filter(user=nurse).update(**change)
    Membership.objects.create(
        user=nurse, centre=factories.centre(), role=Role.NURSE
    )  # what one may elsewhere is not asked
    tasks.import_upload(str(upload.public_id), digest, nurse.pk)
    assert not ImportBatch.objects.exists()
    assert not Result.objects.exists()
    browser.force_login(factories.person(centre, Role.NURSE))
    assert "The work on this file broke off" in browser.get(page(upload)).content.decode()


def test_what_breaks_off_is_said(browser: Client, upload: PendingUpload) -> None:
    PendingUpload.objects.update(mapping={"kind": "labs"})  # as if an analyte it names had been taken out of the table
    with pytest.raises(Exception, match="columns"):
        tasks.read_upload(str(upload.public_id))
    page_ = browser.get(page(upload)).content.decode()
    assert "The work on this file broke off" in page_
    assert "Nothing of it was written" in page_
    assert not Result.objects.exists()


def test_what_changed_since_the_preview_is_shown_and_not_committed(
    browser: Client, upload: PendingUpload, centre: Centre, nurse: User
) -> None:
    tasks.read_upload(str(upload.public_id))
    digest = digest_of(browser, upload)
    commit(centre, nurse, {"result_id": "a0", "value": "150"})
    send_off(browser, upload, digest)
    tasks.import_upload(str(upload.public_id), digest, nurse.pk)
    answer = browser.get(page(upload)).content.decode()
    assert "The record has changed since this preview was made" in answer
    assert "1 of them a correction" in answer
    assert digest_of(browser, upload) != digest
    assert ImportBatch.objects.count() == 1  # the one that came in between


def test_an_upload_of_another_centre_does_not_exist(upload: PendingUpload) -> None:
    stranger = Client()
    stranger.force_login(factories.person(factories.centre(), Role.NURSE))
    assert stranger.get(page(upload)).status_code == 404
    assert stranger.post(reverse("exchange:read-again", args=[upload.public_id])).status_code == 404
