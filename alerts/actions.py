"""From finding to person: judge, act on alerts, pass up the chain, deliver.

What a person does is an `action`, what the system does by itself a `job` (see audit/attribution.py). Every job may be
run twice, late, or by several workers at once: what must happen once is claimed by a unique row or under a lock.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import smtplib
import uuid
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

import structlog
from celery import current_app
from django.core.exceptions import ValidationError
from django.core.mail import get_connection
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import formats
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from accounts.models import Centre, Membership, Role, User
from alerts import mail, selectors, shadow_statements, statements
from alerts.models import (
    Alert,
    AlertEvent,
    Delivery,
    DeliveryKind,
    EventKind,
    Reason,
    RuleRun,
    State,
    Sweep,
    Trigger,
)
from audit.attribution import action, job
from audit.models import Entry, Origin
from common.dates import centre_day
from monitoring import governance
from monitoring.asking import ask
from monitoring.levels import Level
from monitoring.models import Mode
from monitoring.rules import RULES
from monitoring.rules.base import JUDGED_BY, Question, Rule
from monitoring.sharing import Sharing, groups, is_shared, sharing
from patients.models import Patient, Touched
from therapy import actions as therapy
from therapy.models import EscalationDecision

log = structlog.get_logger(__name__)

# A sweep that would close more than half of a rule's open alerts, and at least this many, is not believed.
COLLAPSE_FROM = 10
SNOOZE_DAYS = {Level.ACTION: 14, Level.TASK: 28, Level.INFO: 28}  # never URGENT
UNDO_WITHIN = dt.timedelta(minutes=10)
# Longer than a task of a sweep may run (alerts/tasks.py) and than Redis keeps one that was not acknowledged.
DISPATCH_AGAIN_AFTER = dt.timedelta(minutes=20)
WORKERS_OF_A_SWEEP = 4
ASK_AGAIN_AFTER = dt.timedelta(seconds=50)  # a rule that failed on touched patients: at about the next tick
# Expired snoozes are woken by the sweep, which knows whether the rule still finds it; without one, this much later.
SWEEP_WAKES_WITHIN = dt.timedelta(hours=1)
TOUCHED_AT_ONCE = 2000
LONGEST_BACKOFF = dt.timedelta(hours=1)
KEEP_TOUCHED_RUNS = dt.timedelta(days=14)
KEEP_RUNS = dt.timedelta(days=400)
KEEP_DELIVERIES = dt.timedelta(days=180)


class RuleFailed(Exception):
    """A rule could not be evaluated. Carries the rule and the class of the error; its text could name a patient."""

    def __init__(self, rule: str, error: str) -> None:
        super().__init__(f"{rule}: {error}")
        self.rule, self.error = rule, error


class Stale(ValidationError):
    """The alert is not as the person saw it. Nothing was changed. Who changed it is said, where it was somebody."""

    def __init__(self, alert: Alert) -> None:
        said = _("This alert has changed in the meantime. Nothing was done; look at it again.")
        newest = AlertEvent.objects.filter(alert=alert).select_related("by").order_by("-id").first()
        if newest is not None and newest.by is not None:
            said = _("%(who)s has changed this alert in the meantime (%(what)s). Nothing was done; look at it again.")
            said %= {"who": newest.by, "what": newest.get_kind_display()}
        super().__init__(said, code="stale")


def send_soon(task: str) -> None:
    """Wake a job once this transaction is committed. With the broker away nothing is lost: the next tick does it."""

    def send() -> None:
        try:
            current_app.send_task(task, ignore_result=True, retry=False)
        except (OperationalError, OSError) as error:
            log.warning("broker_away", error=type(error).__name__)

    transaction.on_commit(send)


# ------------------------------------------------------------------------------------------------------------ judging


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
        _tell(
            DeliveryKind.URGENT,
            [f"event:{event}" for event in sorted([*raised, *opened])],
            centre=centre,
            people=selectors.on_call(centre),
            now=now,
        )
    if run.held_back and run.trigger == Trigger.SWEEP:
        _tell_operators(f"held:{centre.pk}:{run.as_of}:{rule.id}", centre=centre, now=now)
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


def _tell(kind: str, keys: list[str], *, centre: Centre, people: list[int], now: dt.datetime) -> None:
    """Put an e-mail for each of these people and keys into the outbox, once."""
    with connection.cursor() as cursor:
        cursor.execute(
            statements.TELL,
            {"centre": centre.pk, "kind": str(kind), "keys": keys, "people": people, "now": now},
        )
        if cursor.rowcount:
            send_soon("alerts.tasks.send_deliveries")


def _tell_operators(key: str, *, centre: Centre, now: dt.datetime) -> None:
    log.error("check_needs_attention", centre=centre.pk, key=key.partition(":")[0])
    people = selectors.people(centre, Role.ADMINISTRATOR) or selectors.people(centre, Role.CLINICIAN)
    _tell(DeliveryKind.OPERATOR, [key[:80]], centre=centre, people=people, now=now)


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


# ------------------------------------------------------------------------------------------------------------- sweeps


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
        send_soon("alerts.tasks.judge_touched")


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
        _tell_operators(f"failed:{sweep.centre_id}:{sweep.as_of}:{rule.id}", centre=sweep.centre, now=now)
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
            _tell_operators(f"stale:{centre.pk}:{centre_day(now, centre.zone)}", centre=centre, now=now)
    return stale


@job("alerts.prune")
def prune(*, now: dt.datetime) -> None:
    """Forget runs and e-mails that nobody will ask about again. Alerts and their events stay."""
    RuleRun.objects.filter(trigger=Trigger.TOUCHED, started_at__lt=now - KEEP_TOUCHED_RUNS).delete()
    RuleRun.objects.filter(started_at__lt=now - KEEP_RUNS).delete()
    Delivery.objects.filter(sent_at__lt=now - KEEP_DELIVERIES).delete()


# ---------------------------------------------------------------------------------------------------- acting on alerts


def _move(
    alert: Alert,
    kind: str,
    *,
    by: User | None,
    now: dt.datetime,
    seen_level: str | None = None,
    reason: str = "",
    text: str = "",
    until: dt.date | None = None,
    **columns: Any,
) -> Alert:
    """Compare and set: only if the alert still has the state, level and audience it had when the person looked."""
    level = seen_level or alert.level
    changed = Alert.objects.filter(pk=alert.pk, state=alert.state, level=level, audience=alert.audience).update(
        **columns
    )
    if not changed:
        raise Stale(alert)
    AlertEvent.objects.create(
        alert=alert, kind=kind, at=now, by=by, reason=reason, text=text.strip(), until=until, level=level
    )
    alert.refresh_from_db()
    return alert


def _check(reason: str, text: str, *, required: bool = True) -> None:
    wrong = {}
    if required and not reason:
        wrong["reason"] = _("Choose a reason.")
    elif reason and reason not in Reason.values:
        wrong["reason"] = _("Choose one of the reasons.")
    elif reason == Reason.OTHER and not text.strip():
        wrong["text"] = _("Say what the other reason is.")
    if len(text.strip()) > 500:
        wrong["text"] = _("At most 500 characters.")
    if wrong:
        raise ValidationError(wrong)


@action("alerts.acknowledge", "alert acknowledged")
def acknowledge(
    *, alert: Alert, by: User, now: dt.datetime, reason: str = "", text: str = "", seen_level: str | None = None
) -> Alert:
    """Somebody has seen it and takes care of it. A rise of its level makes it unacknowledged again.

    `alert` is as the person saw it, `seen_level` the level on the page where that is older. Raises Stale where it is
    not so any more, and ValidationError for a wrong reason or text.
    """
    _check(reason, text, required=False)
    if alert.state not in (State.OPEN, State.SNOOZED):
        raise Stale(alert)
    return _move(
        alert,
        EventKind.ACKNOWLEDGED,
        by=by,
        now=now,
        seen_level=seen_level,
        reason=reason,
        text=text,
        state=State.ACKNOWLEDGED,
        acknowledged_at=now,
        snoozed_until=None,
    )


@action("alerts.bulk_acknowledge", "alerts acknowledged together")
def bulk_acknowledge(
    *, alerts: Iterable[Alert], by: User, now: dt.datetime, reason: str = "", text: str = ""
) -> tuple[list[Alert], list[Alert]]:
    """(acknowledged, left alone because they had changed in the meantime). One transaction, an entry for each."""
    done, stale = [], []
    # In one order for everybody: two people who acknowledge overlapping lists must not wait for each other in a circle.
    for alert in sorted(alerts, key=lambda a: a.pk):
        try:
            done.append(acknowledge(alert=alert, by=by, now=now, reason=reason, text=text))
        except Stale:
            stale.append(alert)
    return done, stale


@action("alerts.snooze", "alert snoozed")
def snooze(
    *,
    alert: Alert,
    by: User,
    now: dt.datetime,
    until: dt.date,
    reason: str,
    text: str = "",
    seen_level: str | None = None,
) -> Alert:
    """Out of sight until the end of `until` ("look again on" is the day after), or until its level rises.

    At most 28 days for TASK, 14 for ACTION, never for URGENT, counted from today at the centre. Raises ValidationError,
    and Stale.
    """
    _check(reason, text)
    if alert.level == Level.URGENT:
        raise ValidationError(_("An urgent alert cannot be snoozed."))
    today = centre_day(now, alert.centre.zone)
    longest = SNOOZE_DAYS[Level(alert.level)]
    if not today <= until <= today + dt.timedelta(days=longest):
        raise ValidationError({"until": _("Choose a day from today to %(days)s days ahead.") % {"days": longest}})
    if alert.state == State.CLOSED:
        raise Stale(alert)
    return _move(
        alert,
        EventKind.SNOOZED,
        by=by,
        now=now,
        seen_level=seen_level,
        reason=reason,
        text=text,
        until=until,
        state=State.SNOOZED,
        snoozed_until=until,
        acknowledged_at=alert.acknowledged_at or now,
    )


@action("alerts.wake", "snooze ended")
def wake(*, alert: Alert, by: User, now: dt.datetime, text: str = "") -> Alert:
    """A person ends the snooze before its time. Raises Stale where it is not snoozed any more."""
    _check("", text, required=False)
    if alert.state != State.SNOOZED:
        raise Stale(alert)
    return _move(alert, EventKind.WOKE, by=by, now=now, text=text, **_opened_again(now))


def _opened_again(now: dt.datetime) -> dict[str, Any]:
    return {
        "state": State.OPEN,
        "snoozed_until": None,
        "acknowledged_at": None,
        "escalated_at": None,
        "level_since": now,
    }


@action("alerts.close", "alert closed by hand")
def close(
    *, alert: Alert, by: User, now: dt.datetime, reason: str, text: str = "", seen_level: str | None = None
) -> Alert:
    """Dealt with. What the rule goes on finding unchanged stays closed; worse, or on other evidence, it is new."""
    _check(reason, text)
    if alert.state == State.CLOSED:
        raise Stale(alert)
    return _move(
        alert,
        EventKind.CLOSED,
        by=by,
        now=now,
        seen_level=seen_level,
        reason=reason,
        text=text,
        state=State.CLOSED,
        closed_at=now,
        snoozed_until=None,
    )


@action("alerts.decide_escalation", "second-line treatment decided")
def decide_escalation(
    *,
    patient: Patient,
    alert: Alert | None = None,
    option: str,
    reason: str,
    decided_on: dt.date,
    look_again_on: dt.date | None = None,
    seen_level: str | None = None,
    seen_decision: int | None = None,
    by: User,
    now: dt.datetime,
) -> EscalationDecision:
    """The decision, and what becomes of the `alert` that asked for it: out of sight until the day before
    `look_again_on`, within the days its level may be snoozed; without such a day it is acknowledged as acted on.

    Raises ValidationError naming each field, and Stale; then nothing is kept.
    """
    errors: dict[str, Any] = {}
    until = None
    if alert is not None and alert.state != State.CLOSED and look_again_on is not None:
        today = centre_day(now, alert.centre.zone)
        longest = SNOOZE_DAYS.get(Level(alert.level), 0)
        last = today + dt.timedelta(days=longest)
        if not today < look_again_on <= last:
            errors["look_again_on"] = _(
                "The open alert can be put off for %(days)s days at most: choose a day from tomorrow to %(day)s, "
                "or none."
            ) % {"days": longest, "day": formats.date_format(last, "DATE_FORMAT")}
        until = look_again_on - dt.timedelta(days=1)
    try:
        with transaction.atomic():
            decision = therapy.decide_escalation(
                patient=patient, option=option, reason=reason, decided_on=decided_on, look_again_on=look_again_on,
                seen_decision=seen_decision, by=by, now=now,
            )  # fmt: skip
    except ValidationError as error:
        raise ValidationError({**error.update_error_dict({}), **errors}) from None
    if errors:
        raise ValidationError(errors)
    if alert is None or alert.state == State.CLOSED:
        return decision
    text = f"Decided: {decision.get_option_display()}"
    said: dict[str, Any] = {
        "alert": alert,
        "by": by,
        "now": now,
        "reason": Reason.ACTED,
        "text": text,
        "seen_level": seen_level,
    }
    if until is not None:
        snooze(until=until, **said)
    elif alert.state != State.ACKNOWLEDGED:
        acknowledge(**said)
    return decision


@action("alerts.reopen", "undone: alert open again")
def reopen(*, alert: Alert, by: User, now: dt.datetime, text: str = "") -> Alert:
    """Undo the newest acknowledging, snoozing or closing by a person, within ten minutes of it."""
    _check("", text, required=False)
    newest = alert.life.exclude(kind=EventKind.COMMENTED).order_by("-at", "-id").first()
    undoable = (EventKind.ACKNOWLEDGED, EventKind.SNOOZED, EventKind.CLOSED)
    if newest is None or newest.kind not in undoable or newest.by_id is None or alert.state == State.OPEN:
        raise ValidationError(_("There is nothing to undo."))
    if now - newest.at > UNDO_WITHIN:
        raise ValidationError(_("It can be undone for ten minutes only."))
    try:
        with transaction.atomic():
            return _move(
                alert,
                EventKind.REOPENED,
                by=by,
                now=now,
                text=text,
                closed_at=None,
                cleared_at=None,
                **_opened_again(now),
            )
    except IntegrityError as error:
        raise ValidationError(_("The rule has found it again in the meantime; see the new alert.")) from error


@action("alerts.comment", "comment on an alert")
def comment(*, alert: Alert, by: User, now: dt.datetime, text: str) -> AlertEvent:
    """A remark. It changes nothing, and can be made on a closed alert as well."""
    if not text.strip():
        raise ValidationError({"text": _("Write the comment.")})
    _check("", text, required=False)
    return AlertEvent.objects.create(
        alert=alert, kind=EventKind.COMMENTED, at=now, by=by, text=text.strip(), level=alert.level
    )


# ------------------------------------------------------------------------------------------------ when nobody looks


@job("alerts.wake_expired")
def wake_expired(*, now: dt.datetime) -> int:
    """Open again what was snoozed until a day that has passed; gives how many.

    The sweep does so too, after closing what its rule no longer finds. This is for the day on which no sweep came.
    """
    woken = 0
    for centre in Centre.objects.filter(alerts__state=State.SNOOZED).distinct():
        today = (now - SWEEP_WAKES_WITHIN).astimezone(centre.zone)
        day = today.date() if today.time() >= centre.sweep_at else today.date() - dt.timedelta(days=1)
        with transaction.atomic():
            expired = Alert.objects.select_for_update().filter(
                centre=centre, state=State.SNOOZED, snoozed_until__lt=day
            )
            for alert in expired.order_by("pk"):
                _move(alert, EventKind.WOKE, by=None, now=now, text="The snooze has ended", **_opened_again(now))
                woken += 1
    return woken


@job("alerts.escalate")
def escalate(*, now: dt.datetime) -> int:
    """Pass alerts that nobody acknowledged in time one step up their centre's chain, and tell those there; how many.

    Its time runs from when the level was reached, or from when it was last passed on. Roles in which the centre has
    nobody are left out; at the end of the chain it stays.
    """
    passed = 0
    for centre in Centre.objects.filter(alerts__state=State.OPEN).distinct():
        staffed = {role: selectors.people(centre, role) for role in centre.escalation_chain}
        with transaction.atomic():
            # Whoever acts on one of these at this moment has it locked; it is looked at again in a minute.
            late = [
                alert
                for alert in Alert.objects.select_for_update(skip_locked=True)
                .filter(centre=centre, state=State.OPEN)
                .exclude(level=Level.INFO)
                .filter(level_since__lte=now - selectors.SHORTEST_TIME)
                .order_by("pk")
                if selectors.acknowledge_by(alert, centre.zone) < now
            ]
            told = defaultdict(list)
            for alert in late:
                role = _next_role(alert.audience, centre.escalation_chain, staffed)
                if role is None:
                    continue
                event = _pass_on(alert, role, now=now)
                told[role].append(f"event:{event.pk}")
                passed += 1
            for role, keys in told.items():
                _tell(DeliveryKind.ESCALATION, keys, centre=centre, people=staffed[role], now=now)
    return passed


def _next_role(role: str, chain: list[str], staffed: dict[str, list[int]]) -> str | None:
    above = chain[chain.index(role) + 1 :] if role in chain else chain
    return next((r for r in above if staffed[r] and r != role), None)


def _pass_on(alert: Alert, role: str, *, now: dt.datetime) -> AlertEvent:
    Alert.objects.filter(pk=alert.pk).update(audience=role, escalated_at=now)
    return AlertEvent.objects.create(
        alert=alert, kind=EventKind.ESCALATED, at=now, by=None, text=f"To: {Role(role).label}", level=alert.level
    )


# ----------------------------------------------------------------------------------------------------------- delivery


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
                _tell(DeliveryKind.DIGEST, [key], centre=centre, people=new, now=now)
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
