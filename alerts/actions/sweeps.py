"""Once a day every rule is asked about every patient of a centre, by several workers; and what is kept of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from collections.abc import Callable, Generator, Iterator

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from accounts.models import Centre
from alerts import selectors
from alerts.actions import outbox
from alerts.actions.judging import RuleFailed, evaluate
from alerts.models import Delivery, RuleRun, Sweep, Trigger
from audit.attribution import job
from common.dates import centre_day
from monitoring.rules import RULES
from monitoring.sharing import Sharing, groups, sharing
from patients.models import Patient, Touched

# Longer than a task of a sweep may run (alerts/tasks.py) and than Redis keeps one that was not acknowledged.
DISPATCH_AGAIN_AFTER = dt.timedelta(minutes=20)
WORKERS_OF_A_SWEEP = 4
KEEP_TOUCHED_RUNS = dt.timedelta(days=14)
KEEP_RUNS = dt.timedelta(days=400)
KEEP_DELIVERIES = dt.timedelta(days=180)


@job("alerts.claim_sweeps")
def claim_sweeps(*, now: dt.datetime) -> list[Sweep]:
    """The sweeps that this call has claimed: one a centre and local day, once its clock has passed `sweep_at`.

    Days that were missed are not made up for: today's judgement says everything they would have said.
    """
    claimed = []
    for centre in Centre.objects.order_by("pk"):
        local = now.astimezone(centre.zone)
        if local.time() < centre.sweep_at:
            continue
        sweep, is_new = Sweep.objects.get_or_create(centre=centre, as_of=local.date(), defaults={"started_at": now})
        if is_new:
            claimed.append(sweep)
    return claimed


@job("alerts.dispatch_sweeps")
def dispatch_sweeps(*, now: dt.datetime, send: Callable[[int], object]) -> int:
    """Call workers to unfinished sweeps by `send(sweep id)`, again after a while; gives how many.

    More are called than most machines run at once: whoever finds nothing left to do goes. Killed between sending and
    noting that it was sent, it sends twice, which is harmless.
    """
    sent = 0
    newer = Sweep.objects.filter(centre=OuterRef("centre"), as_of__gt=OuterRef("as_of"))
    waiting = Sweep.objects.filter(
        ~Exists(newer),
        Q(dispatched_at__isnull=True) | Q(dispatched_at__lte=now - DISPATCH_AGAIN_AFTER),
        finished_at__isnull=True,
    )
    for sweep in waiting.order_by("pk"):
        for _nth in range(min(WORKERS_OF_A_SWEEP, len(set(RULES) - selectors.rules_finished(sweep)))):
            send(sweep.pk)
            sent += 1
        Sweep.objects.filter(pk=sweep.pk).update(dispatched_at=now)
    return sent


@contextlib.contextmanager
def share_of_sweep(*, sweep_id: int, now: dt.datetime) -> Iterator[Iterator[tuple[str, Sharing]]]:
    """A worker's share of a sweep: the ids of rules it is to ask next, by `evaluate_in_sweep`, and what it shares for
    them. Rules that share an answer go to one worker, one such group after the other, until none is left that has not
    been taken. A rule that failed lately is left for the next time workers are called.
    """
    sweep = Sweep.objects.select_related("centre").get(pk=sweep_id)
    with contextlib.closing(_rules_to_ask(sweep, now)) as rules:
        first = next(rules, None)
        if first is None:  # as for most of those who are called
            yield iter(())
            return
        with sharing(centre_id=sweep.centre_id, as_of=sweep.as_of) as shared:
            yield ((rule, shared) for rule in itertools.chain([first], rules))
    if Touched.objects.exists():  # their rows had to stay
        outbox.send_soon("alerts.tasks.judge_touched")


def _rules_to_ask(sweep: Sweep, now: dt.datetime) -> Generator[str, None, None]:
    failed_lately = RuleRun.objects.filter(sweep=sweep, started_at__gt=now - DISPATCH_AGAIN_AFTER / 2).exclude(error="")
    for group in groups(RULES):
        name = {"name": f"alerts.sweep {sweep.pk} {group[0]}"}
        with connection.cursor() as cursor:
            # Ends with the worker: what a killed one had taken is free for whoever is given its task again.
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0))", name)
            if not cursor.fetchone()[0]:
                continue
            try:
                for rule in group:
                    if rule in selectors.rules_finished(sweep) or failed_lately.filter(rule=rule).exists():
                        continue
                    yield rule
            finally:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%(name)s, 0))", name)


@job("alerts.evaluate_in_sweep")
def evaluate_in_sweep(
    *, sweep_id: int, rule_id: str, now: dt.datetime, shared: Sharing | None = None
) -> RuleRun | None:
    """One rule of a sweep. None where a newer sweep has begun or the rule is gone: yesterday must not undo today."""
    sweep = Sweep.objects.select_related("centre").get(pk=sweep_id)
    rule = RULES.get(rule_id)
    if rule is None or Sweep.objects.filter(centre=sweep.centre, as_of__gt=sweep.as_of).exists():
        return None
    try:
        run = evaluate(
            rule=rule,
            as_of=sweep.as_of,
            now=now,
            centre=sweep.centre,
            trigger=Trigger.SWEEP,
            sweep=sweep,
            shared=shared,
        )
    except RuleFailed:
        outbox.tell_operators(f"failed:{sweep.centre_id}:{sweep.as_of}:{rule.id}", centre=sweep.centre, now=now)
        raise
    finish_sweeps(now=now)
    return run


@job("alerts.finish_sweeps")
def finish_sweeps(*, now: dt.datetime) -> int:
    """Finish the sweeps in which every rule has finished; gives how many. One broken rule leaves it unfinished."""
    finished = 0
    for sweep in Sweep.objects.filter(finished_at__isnull=True):
        if set(RULES) <= selectors.rules_finished(sweep):
            finished += Sweep.objects.filter(pk=sweep.pk, finished_at__isnull=True).update(finished_at=now)
    return finished


@job("alerts.report_stale")
def report_stale(*, now: dt.datetime) -> int:
    """Tell the operators, once a day, of centres that have not been checked for 26 hours; gives how many are stale."""
    stale = 0
    for centre in Centre.objects.filter(Exists(Patient.objects.filter(centre=OuterRef("pk")))):
        checked = selectors.checked(centre, now)
        # A centre that was set up today has no sweep before its first `sweep_at`.
        never = checked.at is None and not Sweep.objects.filter(
            centre=centre, started_at__lte=now - selectors.STALE_AFTER
        )
        if checked.is_stale and not never:
            stale += 1
            outbox.tell_operators(f"stale:{centre.pk}:{centre_day(now, centre.zone)}", centre=centre, now=now)
    return stale


@job("alerts.prune")
def prune(*, now: dt.datetime) -> None:
    """Forget runs and e-mails that nobody will ask about again. Alerts and their events stay."""
    RuleRun.objects.filter(trigger=Trigger.TOUCHED, started_at__lt=now - KEEP_TOUCHED_RUNS).delete()
    RuleRun.objects.filter(started_at__lt=now - KEEP_RUNS).delete()
    Delivery.objects.filter(sent_at__lt=now - KEEP_DELIVERIES).delete()
