"""Patients whose facts changed are judged anew, by every rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Q

from accounts.models import Centre
from alerts.actions.judging import RuleFailed, evaluate
from alerts.models import Trigger
from audit.attribution import job
from common.dates import centre_day
from monitoring.rules import RULES
from monitoring.sharing import is_shared
from patients.models import Touched

log = structlog.get_logger(__name__)

ASK_AGAIN_AFTER = dt.timedelta(seconds=50)  # a rule that failed on touched patients: at about the next tick
TOUCHED_AT_ONCE = 2000


@job("alerts.judge_touched")
def judge_touched(*, now: dt.datetime) -> int:
    """Ask every rule about the patients whose facts changed; gives how many patients were judged.

    One worker judges a centre at a time, under a lock of its session, which ends with the worker. The rows of the
    outbox are deleted only after the rules were asked: whoever is killed in between leaves them to the next. A rule
    that fails leaves a row of its own, so that it alone is asked again and the others are not. While a sweep asks rules
    from prepared answers, the rows stay: they tell the sweep whose answers are old (monitoring/sharing.py).
    """
    judged = 0
    for centre_id in _centres_touched(now):
        # Whoever finds the lock taken leaves; rows that came too late for its holder are seen in the holder's last
        # look, which comes after it let go.
        while centre_id in _centres_touched(now):
            is_done, count = _judge_touched_centre(centre_id, now=now)
            judged += count
            if not is_done:
                break
    return judged


def _touched(now: dt.datetime) -> Any:
    return Touched.objects.filter(Q(rule="") | Q(touched_at__lte=now - ASK_AGAIN_AFTER))


def _centres_touched(now: dt.datetime) -> list[int]:
    return sorted(_touched(now).order_by().values_list("patient__centre_id", flat=True).distinct())


def _judge_touched_centre(centre_id: int, *, now: dt.datetime) -> tuple[bool, int]:
    """Whether the rows that were there are gone, and how many patients were judged."""
    name = {"name": f"alerts.judge_touched {centre_id}"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0))", name)
        if not cursor.fetchone()[0]:
            return False, 0
        try:
            centre = Centre.objects.get(pk=centre_id)
            rows = list(
                _touched(now)
                .filter(patient__centre_id=centre_id)
                .order_by("id")
                .values_list("id", "patient_id", "rule")[:TOUCHED_AT_ONCE]
            )
            # After the rows were read: who begins to share answers from now on has these patients' facts in them, and
            # who has ended was before us.
            stays = is_shared(centre_id)
            _judge_rows(rows, centre, now=now, stays=stays)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%(name)s, 0))", name)
    return not stays, len({patient for _, patient, _ in rows})


def _judge_rows(rows: list[tuple[int, int, str]], centre: Centre, *, now: dt.datetime, stays: bool) -> None:
    everything = {patient for _, patient, rule in rows if not rule}
    failed: list[Touched] = []
    for rule in RULES.values():
        patients = sorted(everything | {patient for _, patient, only in rows if only == rule.id})
        if not patients:
            continue
        try:
            evaluate(
                rule=rule,
                as_of=centre_day(now, centre.zone),
                now=now,
                centre=centre,
                patients=patients,
                trigger=Trigger.TOUCHED,
            )
        except RuleFailed as failure:
            log.error("rule_failed", rule=rule.id, error=failure.error, centre=centre.pk)
            failed += [Touched(patient_id=patient, touched_at=now, rule=rule.id) for patient in patients]
    if stays:
        return
    with transaction.atomic():
        Touched.objects.bulk_create(failed)
        Touched.objects.filter(pk__in=[pk for pk, _, _ in rows]).delete()
