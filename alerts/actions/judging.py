"""One rule is asked about one centre or some of its patients, and its alerts are made to agree."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from accounts.models import Centre, User
from alerts import selectors, shadow_statements, statements
from alerts.actions import outbox
from alerts.models import DeliveryKind, RuleRun, Sweep, Trigger
from audit.attribution import job
from audit.models import Entry, Origin
from monitoring import governance
from monitoring.asking import ask
from monitoring.models import Mode
from monitoring.rules.base import JUDGED_BY, Question, Rule
from monitoring.sharing import Sharing
from patients.models import Patient

# A sweep that would close more than half of a rule's open alerts, and at least this many, is not believed.
COLLAPSE_FROM = 10


class RuleFailed(Exception):
    """A rule could not be evaluated. Carries the rule and the class of the error; its text could name a patient."""

    def __init__(self, rule: str, error: str) -> None:
        super().__init__(f"{rule}: {error}")
        self.rule, self.error = rule, error


@job("alerts.evaluate")
def evaluate(
    *,
    rule: Rule,
    as_of: dt.date,
    now: dt.datetime,
    by: User | None = None,
    centre: Centre,
    patients: Sequence[int] | None = None,
    trigger: str,
    sweep: Sweep | None = None,
    accept_closing: bool = False,
    dry_run: bool = False,
    shared: Sharing | None = None,
) -> RuleRun:
    """Ask `rule` about `centre` (or about the patients with these ids) on `as_of`, and make its alerts agree.

    All of it is one transaction. The RuleRun is written before it in a transaction of its own, and finished inside it:
    finished means that all of it happened, and a crash leaves it unfinished. Judging twice changes nothing.

    A sweep or command that finds nobody to ask, or would close most of what is open, closes nothing and says why in
    `held_back`; `accept_closing` is a person's decision that it is right. With `dry_run` nothing is kept and the
    returned RuleRun, which has the counts, is not saved. Within a sweep a rule that has finished is not asked again:
    its run is returned. `shared` holds answers prepared for several rules (monitoring/sharing.py). Raises RuleFailed
    after noting the class of the error in the run.
    """
    run = RuleRun(
        centre=centre,
        sweep=sweep,
        rule=rule.id,
        rule_version=rule.version,
        as_of=as_of,
        trigger=trigger,
        started_at=now,
    )
    if not dry_run:
        run.save(force_insert=True)
    context = uuid.uuid4()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            about = {
                "action": "alerts.evaluate",
                "by": by.pk if by else None,
                "origin": _origin(trigger),
                "run": run.pk,
            }
            cursor.execute(statements.CONTEXT, {"context": str(context), "metadata": json.dumps(about)})
            earlier = _judge(run, rule, by=by, now=now, patients=patients, accept_closing=accept_closing, shared=shared)
            if dry_run:
                transaction.set_rollback(True)
            elif earlier is None:
                run.finished_at = now
                run.save()
                if by is not None:
                    Entry.objects.create(
                        at=now,
                        by=by,
                        centre=centre,
                        action="alerts.evaluate",
                        summary=f"rule {rule.id} asked" + (", closing accepted" if accept_closing else ""),
                        origin=_origin(trigger),
                        context_id=context,
                    )
            else:
                run.delete()
    except Exception as error:
        if not dry_run:
            RuleRun.objects.filter(pk=run.pk).update(error=type(error).__name__[:80])
        raise RuleFailed(rule.id, type(error).__name__) from error
    return earlier or run


def _origin(trigger: str) -> str:
    return str(Origin.COMMAND if trigger == Trigger.COMMAND else Origin.JOB)


def _judge(
    run: RuleRun,
    rule: Rule,
    *,
    by: User | None,
    now: dt.datetime,
    patients: Sequence[int] | None,
    accept_closing: bool,
    shared: Sharing | None,
) -> RuleRun | None:
    """Fill the counts of `run`; or give the run of the same sweep that was finished before."""
    centre = run.centre
    values: dict[str, Any] = {
        "centre": centre.pk,
        "rule": rule.id,
        "version": rule.version,
        "audience": str(rule.audience),
        # A finding is no other because somebody changed a number by which it is still one.
        "aside": [*rule.aside, *JUDGED_BY],
        "as_of": run.as_of,
        "now": now,
        "by": by.pk if by and accept_closing else None,
        "patients": None if patients is None else list(patients),
    }
    with connection.cursor() as cursor:
        # Four at once wait for one another here; every statement after it sees what the one before has committed.
        cursor.execute(statements.LOCK, {"centre": str(centre.pk), "rule": rule.id})
        if run.sweep_id is not None:
            earlier = RuleRun.objects.filter(sweep_id=run.sweep_id, rule=rule.id, finished_at__isnull=False).first()
            if earlier is not None:
                return earlier

        mode, numbers = governance.mode(centre, rule.id), governance.numbers(centre, rule)
        run.asked = ask(
            rule,
            as_of=run.as_of,
            centre_id=centre.pk,
            patient_ids=patients,
            parameters=numbers.parameters,
            others=numbers.others,
            shared=shared,
        )
        found_in_shadow = _keep_shadow(values, in_shadow=mode == Mode.SHADOW)
        cursor.execute(statements.TABLES)
        cursor.execute(statements.OPEN, values)
        if patients is None:
            cursor.execute(statements.ANALYZE)
        if mode == Mode.SHADOW:
            cursor.execute(shadow_statements.CLOSE_ALL)
        else:
            cursor.execute(statements.CLOSE_LEFT)
            if rule.closes is None:
                cursor.execute(statements.CLOSE_GONE)
            else:
                cursor.execute(
                    statements.close_by(rule.closes(Question(as_of=run.as_of))),
                    rule.values(Question(as_of=run.as_of), numbers.parameters, numbers.others),
                )
        cursor.execute(statements.COUNTS)
        run.found, run.not_evaluable, open_before, to_close = cursor.fetchone()
        if mode == Mode.SHADOW:
            run.found, run.not_evaluable = found_in_shadow

        # Off or in the shadow is somebody's decision, with a reason.
        if mode == Mode.ON and patients is None and not accept_closing:
            run.held_back = _why_not_believed(run, rule, open_before, to_close)
        if run.held_back:
            run.closed = 0
        else:
            cursor.execute(statements.CLOSE, values)
            run.closed = cursor.rowcount
        cursor.execute(statements.CHANGE, values)
        run.changed, raised = cursor.fetchone()
        cursor.execute(statements.WAKE, values)
        cursor.execute(statements.OPEN_NEW, values)
        run.opened, opened = cursor.fetchone()
        if not run.held_back:
            cursor.execute(statements.CLEAR, values)
            cursor.execute(statements.NOT_EVALUABLE_GONE, values)
            cursor.execute(statements.UPCOMING_GONE, values)
        cursor.execute(statements.NOT_EVALUABLE, values)
        cursor.execute(statements.UPCOMING, values)

    if raised or opened:
        outbox.tell(
            DeliveryKind.URGENT,
            [f"event:{event}" for event in sorted([*raised, *opened])],
            centre=centre,
            people=selectors.on_call(centre),
            now=now,
        )
    if run.held_back and run.trigger == Trigger.SWEEP:
        outbox.tell_operators(f"held:{centre.pk}:{run.as_of}:{rule.id}", centre=centre, now=now)
    return None


def _keep_shadow(values: dict[str, Any], *, in_shadow: bool) -> tuple[int, int]:
    """Keep what a rule in the shadow found, and let nothing else be made of it. (found, could not be judged)"""
    with connection.cursor() as cursor:
        cursor.execute(shadow_statements.GONE, {**values, "in_shadow": in_shadow})
        if not in_shadow:
            return 0, 0
        cursor.execute(shadow_statements.FOUND, values)
        cursor.execute(shadow_statements.COUNTS)
        found, unjudged = cursor.fetchone()
        cursor.execute(shadow_statements.NOTHING_FOUND)
    return found, unjudged


def _why_not_believed(run: RuleRun, rule: Rule, open_before: int, to_close: int) -> str:
    """Empty, or why a judgement of a whole centre is not let close anything: a broken rule says that all are well."""
    if run.asked == 0 and Patient.objects.filter(centre=run.centre).exists():
        return "Nobody was asked about, although the centre has patients"
    if to_close >= COLLAPSE_FROM and 2 * to_close > open_before and not _numbers_are_new(run, rule):
        return f"{to_close} of {open_before} open alerts would have closed"
    return ""


def _numbers_are_new(run: RuleRun, rule: Rule) -> bool:
    """Whether this is the first judgement of the whole centre by numbers that two people have agreed on."""
    changed_at = governance.numbers_changed_at(run.centre, rule)
    if changed_at is None:
        return False
    whole = RuleRun.objects.filter(centre=run.centre, rule=rule.id, finished_at__isnull=False, held_back="")
    return not whole.exclude(trigger=Trigger.TOUCHED).filter(started_at__gte=changed_at).exists()
