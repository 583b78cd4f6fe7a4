"""What the workers run. A task reads the clock, calls one job below, and logs what failed by its class.

Arguments are ids of sweeps, rules and their changes, never of patients: they lie readable in the queue.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from celery import shared_task
from django.utils import timezone

from alerts import backtest_actions
from alerts.actions import judging, life, outbox, sweeps, touched
from patients.models import Touched

log = structlog.get_logger(__name__)


@shared_task(name="alerts.tasks.tick")
def tick() -> None:
    """Every minute: do, or hand on, what is due. One step that fails does not keep the others from being done."""
    now = timezone.now()
    steps: dict[str, Callable[[], object]] = {
        "claim sweeps": lambda: sweeps.claim_sweeps(now=now),
        "dispatch sweeps": lambda: sweeps.dispatch_sweeps(now=now, send=sweep.delay),
        "finish sweeps": lambda: sweeps.finish_sweeps(now=now),
        "judge touched": lambda: Touched.objects.exists() and judge_touched.delay(),
        "wake": lambda: life.wake_expired(now=now),
        "escalate": lambda: life.escalate(now=now),
        "queue digests": lambda: outbox.queue_digests(now=now),
        "back-tests": lambda: backtest_actions.dispatch_back_tests(now=now, send=run_back_test.delay),
        "report stale": lambda: sweeps.report_stale(now=now),
        "send": send_deliveries.delay,
    }
    if now.minute == 0:  # a pruning that is missed is made up for by the next
        steps["prune"] = lambda: sweeps.prune(now=now)
    for name, step in steps.items():
        try:
            step()
        except Exception:
            log.exception("tick_step_failed", step=name)


# A share is many rules. Redis gives its message out again before the last of these seconds: whoever gets it finds the
# work taken, and leaves.
@shared_task(name="alerts.tasks.sweep", soft_time_limit=1080, time_limit=1140)
def sweep(sweep_id: int) -> None:
    """One worker's share of a sweep. A failure is noted in the rule's run; the tick calls workers again."""
    with sweeps.share_of_sweep(sweep_id=sweep_id, now=timezone.now()) as rules:
        for rule_id, shared in rules:
            try:
                sweeps.evaluate_in_sweep(sweep_id=sweep_id, rule_id=rule_id, now=timezone.now(), shared=shared)
            except judging.RuleFailed as failure:
                log.error("rule_failed", rule=failure.rule, error=failure.error, sweep=sweep_id)


@shared_task(name="alerts.tasks.judge_touched")
def judge_touched() -> None:
    """Ask again about the patients whose facts changed."""
    touched.judge_touched(now=timezone.now())


# A year of a large centre takes minutes. Redis gives a message that is not acknowledged out again meanwhile: whoever
# gets it finds the work taken, and leaves.
@shared_task(name="alerts.tasks.run_back_test", soft_time_limit=3000, time_limit=3300)
def run_back_test(change_id: int) -> None:
    """A year of the past with a proposed change of a rule. A failure is noted; the tick hands it out again."""
    try:
        backtest_actions.run_back_test(change_id=change_id, now=timezone.now(), clock=timezone.now)
    except backtest_actions.BackTestFailed as failure:
        log.error("back_test_failed", rule=failure.rule, error=failure.error)


@shared_task(name="alerts.tasks.send_deliveries")
def send_deliveries() -> None:
    """Send the e-mails that are due."""
    outbox.send_deliveries(now=timezone.now())
