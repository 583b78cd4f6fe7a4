"""E-mails to people: put into the outbox within what is to be told, and sent from it."""

from __future__ import annotations

import datetime as dt
import smtplib
from typing import Any

import structlog
from celery import current_app
from django.core.mail import get_connection
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from accounts.models import Centre, Membership, Role
from alerts import mail, selectors, statements
from alerts.models import Delivery, DeliveryKind
from audit.attribution import job

log = structlog.get_logger(__name__)

LONGEST_BACKOFF = dt.timedelta(hours=1)


def send_soon(task: str) -> None:
    """Wake a job once this transaction is committed. With the broker away nothing is lost: the next tick does it."""

    def send() -> None:
        try:
            current_app.send_task(task, ignore_result=True, retry=False)
        except (OperationalError, OSError) as error:
            log.warning("broker_away", error=type(error).__name__)

    transaction.on_commit(send)


def tell(kind: str, keys: list[str], *, centre: Centre, people: list[int], now: dt.datetime) -> None:
    """Put an e-mail for each of these people and keys into the outbox, once."""
    with connection.cursor() as cursor:
        cursor.execute(
            statements.TELL,
            {"centre": centre.pk, "kind": str(kind), "keys": keys, "people": people, "now": now},
        )
        if cursor.rowcount:
            send_soon("alerts.tasks.send_deliveries")


def tell_operators(key: str, *, centre: Centre, now: dt.datetime) -> None:
    log.error("check_needs_attention", centre=centre.pk, key=key.partition(":")[0])
    people = selectors.people(centre, Role.ADMINISTRATOR) or selectors.people(centre, Role.CLINICIAN)
    tell(DeliveryKind.OPERATOR, [key[:80]], centre=centre, people=people, now=now)


@job("alerts.queue_digests")
def queue_digests(*, now: dt.datetime) -> int:
    """Put today's digest into the outbox of everybody who wants one, once their centre's clock has passed `digest_at`.

    One a person, centre and day, whatever is open: a digest that says that nothing waits, and when that was checked, is
    told apart from one that did not come. Gives how many were new.
    """
    queued = 0
    for centre in Centre.objects.order_by("pk"):
        local = now.astimezone(centre.zone)
        if local.time() < centre.digest_at:
            continue
        key = f"{centre.pk}:{local.date()}"
        readers = selectors.digest_readers(centre)
        have = set(
            Delivery.objects.filter(kind=DeliveryKind.DIGEST, key=key, person__in=readers).values_list(
                "person_id", flat=True
            )
        )
        new = [person for person in readers if person not in have]
        if new:
            with transaction.atomic():
                tell(DeliveryKind.DIGEST, [key], centre=centre, people=new, now=now)
            queued += len(new)
    return queued


@job("alerts.send_deliveries")
def send_deliveries(*, now: dt.datetime) -> int:
    """Send what is due; gives how many e-mails went out. What a person is to be told of one kind is one e-mail.

    The rows are locked while the e-mail is handed over, and marked in the same transaction: two workers cannot send the
    same. Killed after the server took it and before the commit, it is sent once more; its Message-ID, made from the
    rows, is the same, by which mail systems drop the second.
    """
    sent = 0
    if not Delivery.objects.filter(sent_at__isnull=True, next_try_at__lte=now).exists():
        return sent
    server = get_connection()
    try:
        server.open()
        while (outcome := _send_next(server, now=now)) is not None:
            sent += outcome
    except (smtplib.SMTPException, OSError) as error:
        # Away before anything was tried. Nothing is marked: the next tick tries again; health tells of mail that waits.
        log.warning("mail_server_away", error=type(error).__name__)
    finally:
        server.close()
    return sent


def _send_next(server: Any, *, now: dt.datetime) -> int | None:
    """1 sent, 0 failed or not wanted any more, None when there is nothing left to do or the server is away."""
    due = Delivery.objects.select_for_update(skip_locked=True).filter(sent_at__isnull=True, next_try_at__lte=now)
    with transaction.atomic():
        first = due.order_by("next_try_at", "pk").first()
        if first is None:
            return None
        group = list(due.filter(person_id=first.person_id, centre_id=first.centre_id, kind=first.kind).order_by("pk"))
        rows = Delivery.objects.filter(pk__in=[row.pk for row in group])
        member = (
            Membership.objects.select_related("user", "centre")
            .filter(user_id=first.person_id, centre_id=first.centre_id, is_active=True, user__is_active=True)
            .first()
        )
        if member is None:
            rows.delete()  # left since it was queued; what happens here is not theirs to know any more
            return 0
        message = mail.compose(first.kind, group, member, selectors.checked(member.centre, now), server)
        tries = max(row.attempts for row in group) + 1
        try:
            message.send()
        except (smtplib.SMTPException, OSError) as error:
            # The text of the error may hold the address; its class says enough.
            wait = min(LONGEST_BACKOFF, dt.timedelta(minutes=1) * 2 ** min(tries - 1, 10))
            rows.update(attempts=tries, error=type(error).__name__[:80], next_try_at=now + wait)
            log.warning("mail_not_sent", kind=first.kind, error=type(error).__name__, tries=tries)
            refused = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
            if not refused:  # the server, not this e-mail: the others can wait for it too
                return None
            return 0
        rows.update(attempts=tries, error="", sent_at=now)
        return 1
