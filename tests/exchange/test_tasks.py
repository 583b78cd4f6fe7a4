"""What is removed by itself."""

from __future__ import annotations

import datetime as dt

import time_machine
from django.conf import settings

from accounts.models import Centre, User
from exchange import actions, tasks
from exchange.models import PendingUpload
from tests.exchange.files import mapping
from tests.factories import NOW


def test_an_upload_is_gone_where_nobody_uploads_again(centre: Centre, nurse: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        actions.keep_upload(
            centre=centre, kind="labs", content=b"x", file_name="f", mapping=mapping(), source_name="Lab", by=nurse,
            now=NOW,
        )  # fmt: skip
        clock.shift(dt.timedelta(days=1))
        tasks.forget_uploads()
        assert PendingUpload.objects.exists()
        clock.shift(dt.timedelta(seconds=1))
        tasks.forget_uploads()
        assert not PendingUpload.objects.exists()
    assert any(entry["task"] == "exchange.tasks.forget_uploads" for entry in settings.CELERY_BEAT_SCHEDULE.values())
