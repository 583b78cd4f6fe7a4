"""The processes the other tests lean on are real, and work on the database of the test."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from pathlib import Path

import pytest
from django.core.mail import send_mail

from myositis_tracker.celery import app
from tests.conftest import Mailbox, Worker, celery_worker


def one_answers() -> bool:
    """Whether exactly one worker answers within a minute: the first answer may take more than a moment."""
    give_up_at = time.monotonic() + 60
    while not (found := app.control.ping(timeout=3)) and time.monotonic() < give_up_at:
        pass
    return len(found) == 1


def test_worker_answers(celery_worker_process: Worker) -> None:
    assert one_answers()


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_one_is_killed(tmp_path: Path) -> None:
    with celery_worker(tmp_path, name="one") as one, celery_worker(tmp_path, name="two"):
        os.killpg(one.process.pid, signal.SIGKILL)
        one.process.wait()
        assert one_answers()


def test_mail_arrives(smtp: Mailbox) -> None:
    send_mail("Subject", "Body", None, ["to@example.org"])
    [message] = smtp.wait_for(1)
    assert message["Subject"] == "Subject"
    assert smtp.recipients == [["to@example.org"]]


def test_the_network_is_refused() -> None:
    with pytest.raises(RuntimeError, match="must not use the network"):
        urllib.request.urlopen("http://192.0.2.1/", timeout=1)
