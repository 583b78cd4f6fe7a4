"""What the workers run for the exchange."""

from __future__ import annotations

import datetime as dt
import functools
import uuid

import structlog
from celery import shared_task
from django.utils import timezone

from accounts.models import Membership
from accounts.permissions import Permission, may
from audit.attribution import coming_from
from audit.models import Origin
from exchange import actions, planning, progress
from exchange.models import PendingUpload, UploadState

log = structlog.get_logger(__name__)


@shared_task(name="exchange.tasks.forget_uploads")
def forget_uploads() -> None:
    """Remove uploaded files that nobody has committed or dropped for a day."""
    actions.forget_uploads(now=timezone.now())


@shared_task(name="exchange.tasks.read_upload")
def read_upload(public_id: str) -> None:
    """Find out what committing a large file would do, for its preview."""
    upload = _at_work(public_id, UploadState.READING)
    if upload is None:
        return
    now = timezone.now()
    try:
        plan = _plan(upload, now)
    except Exception as error:  # whatever it is: somebody waits, and must not wait for ever
        _broke_off(upload, error)
        raise
    actions.end_work(upload=upload, state=UploadState.READY, preview=plan.as_preview(), now=now)


@shared_task(name="exchange.tasks.import_upload")
def import_upload(public_id: str, digest: str, by: int) -> None:
    """Commit a large file as its preview said, or show anew what it would do. Run again, it finds nothing.

    Between asking and doing somebody may have left the centre, or lost the role that imports there.
    """
    upload = _at_work(public_id, UploadState.IMPORTING)
    if upload is None:
        return
    now = timezone.now()
    member = (
        Membership.objects.select_related("user")
        .filter(user=by, user__is_active=True, centre=upload.centre, is_active=True)
        .first()
    )
    if member is None or not may(member, Permission.IMPORT):
        log.warning("upload_not_allowed_any_more")
        actions.end_work(upload=upload, state=UploadState.BROKEN, now=now)
        return
    tell = functools.partial(progress.note, upload.public_id)
    try:
        with coming_from(Origin.IMPORT):
            actions.commit_import(
                plan=_plan(upload, now), upload=upload, digest=digest, by=member.user, now=now,
                progress=tell,
            )  # fmt: skip
    except actions.PlanChangedError as error:
        preview = {**error.plan.as_preview(), "changed": True}
        actions.end_work(upload=upload, state=UploadState.READY, preview=preview, now=now)
    except Exception as error:
        _broke_off(upload, error)
        raise


def _at_work(public_id: str, state: str) -> PendingUpload | None:
    return PendingUpload.objects.select_related("centre").filter(public_id=uuid.UUID(public_id), state=state).first()


def _plan(upload: PendingUpload, now: dt.datetime) -> planning.Plan:
    return planning.prepare_upload(upload, now, functools.partial(progress.note, upload.public_id))


def _broke_off(upload: PendingUpload, error: Exception) -> None:
    log.warning("upload_broke_off", error=type(error).__name__)
    actions.end_work(upload=upload, state=UploadState.BROKEN, now=timezone.now())
