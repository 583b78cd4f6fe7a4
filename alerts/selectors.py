"""Questions about alerts, runs and e-mails that span models. Read only."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Count, Max, Min, QuerySet

from accounts.models import Centre, Membership, Role
from accounts.permissions import ROLES, Permission
from alerts.models import ON_LISTS, Alert, AlertEvent, Delivery, EventKind, Reason, RuleRun, State, Sweep, Trigger
from common.dates import add_working_time
from monitoring.asking import ask
from monitoring.bounds import with_values
from monitoring.levels import Level
from monitoring.rules import RULES
from monitoring.rules.base import Rule

STALE_AFTER = dt.timedelta(hours=26)
RUNS_AT_MOST = dt.timedelta(minutes=15)  # a run that is unfinished after this has failed

# Time to acknowledge. ACTION has three working days, on the centre's clock.
URGENT_WITHIN = dt.timedelta(hours=4)
ACTION_WITHIN_WORKING_DAYS = 3
TASK_WITHIN = dt.timedelta(days=7)
SHORTEST_TIME = URGENT_WITHIN

REVIEW_AFTER = dt.timedelta(days=61)
REVIEW_BELOW = Decimal("0.20")


# ------------------------------------------------------------------------------------------------------------- people


def people(centre: Centre, *roles: str) -> list[int]:
    """Ids of the active members of `centre` in these roles, in a steady order."""
    return list(_members(centre).filter(role__in=roles).order_by("user_id").values_list("user_id", flat=True))


def _members(centre: Centre) -> QuerySet[Membership]:
    return Membership.objects.filter(centre=centre, is_active=True, user__is_active=True)


def on_call(centre: Centre) -> list[int]:
    """Whom an urgent alert is mailed to: those on call; else all clinicians; else the administrators."""
    on_duty = _members(centre).filter(is_on_call=True).order_by("user_id").values_list("user_id", flat=True)
    return list(on_duty) or people(centre, Role.CLINICIAN) or people(centre, Role.ADMINISTRATOR)


def digest_readers(centre: Centre) -> list[int]:
    """Ids of those who act on alerts and want a daily digest."""
    acting = [role for role, permissions in ROLES.items() if Permission.ACT_ON_ALERTS in permissions]
    wanting = _members(centre).filter(role__in=acting, wants_digest=True)
    return list(wanting.order_by("user_id").values_list("user_id", flat=True))


# ----------------------------------------------------------------------------------------------------------- worklist


def waiting(centre: Centre, role: str) -> QuerySet[Alert]:
    """Open alerts for `role` that nobody has acknowledged. INFO is on no worklist."""
    return Alert.objects.filter(
        centre=centre, audience=role, state=State.OPEN, closed_at__isnull=True, level__in=ON_LISTS
    )


def waiting_counts(centre: Centre, role: str) -> dict[str, int]:
    """{"URGENT": n, "ACTION": n, "TASK": n, "total": n} of `waiting`."""
    found = dict(waiting(centre, role).order_by().values_list("level").annotate(n=Count("pk")))
    counts = {str(level): found.get(level, 0) for level in ON_LISTS}
    return {**counts, "total": sum(counts.values())}


def acknowledge_by(alert: Alert, zone: ZoneInfo) -> dt.datetime:
    """Until when somebody has to acknowledge it before it is passed up the chain. Not for INFO (ValueError).

    Counted from when its level was reached, or it was last passed on.
    """
    since = max(alert.level_since, alert.escalated_at or alert.level_since)
    if alert.level == Level.URGENT:
        return since + URGENT_WITHIN
    if alert.level == Level.ACTION:
        return add_working_time(since, ACTION_WITHIN_WORKING_DAYS, zone)
    if alert.level == Level.TASK:
        return since + TASK_WITHIN
    raise ValueError("nobody has to acknowledge what is for information only")


# ---------------------------------------------------------------------------------------------------------- freshness


@dataclasses.dataclass(frozen=True)
class Checked:
    """The newest finished check of a centre: when, how many rules and patients; and what is wrong with checking."""

    at: dt.datetime | None
    rules: int
    patients: int
    is_stale: bool
    failing: list[str]  # ids of rules whose newest run failed or hangs
    held_back: list[str]  # ids of rules whose newest sweep would have closed too much

    @property
    def stale(self) -> bool:
        return self.is_stale


# Every page shows it, hence one question. The newest runs are looked up one by one: on a busy day new facts make
# thousands of them.
_CHECKED = """
WITH sweep AS (
    SELECT id, finished_at FROM alerts_sweep WHERE centre_id = %(centre)s AND finished_at IS NOT NULL
    ORDER BY finished_at DESC LIMIT 1
), newest AS (
    SELECT run.* FROM unnest(%(rules)s::text[]) asked (rule) CROSS JOIN unnest(%(triggers)s::text[]) made (trigger)
    CROSS JOIN LATERAL (
        SELECT * FROM alerts_rulerun r
        WHERE r.centre_id = %(centre)s AND r.rule = asked.rule AND r.trigger = made.trigger AND r.started_at > %(since)s
        ORDER BY r.started_at DESC, r.id DESC LIMIT 1) run
)
SELECT (SELECT finished_at FROM sweep), count(DISTINCT r.rule), COALESCE(max(r.asked), 0),
    ARRAY(SELECT DISTINCT rule FROM newest
          WHERE finished_at IS NULL AND (error <> '' OR started_at < %(runs_since)s) ORDER BY rule),
    ARRAY(SELECT DISTINCT rule FROM newest WHERE held_back <> '' ORDER BY rule)
FROM alerts_rulerun r WHERE r.sweep_id = (SELECT id FROM sweep) AND r.finished_at IS NOT NULL
"""


def checked(centre: Centre, now: dt.datetime) -> Checked:
    """For "Checked 06:00, 24 rules, 412 patients". Stale: no check has finished in the last 26 hours."""
    asked: dict[str, Any] = {
        "centre": centre.pk, "rules": [*RULES], "triggers": [*Trigger], "since": now - 2 * STALE_AFTER,
        "runs_since": now - RUNS_AT_MOST,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CHECKED, asked)
        at, rules, patients, failing, held_back = cursor.fetchone()  # always one row
    is_stale = at is None or now - at > STALE_AFTER
    return Checked(at=at, rules=rules, patients=patients, is_stale=is_stale, failing=failing, held_back=held_back)


def rules_finished(sweep: Sweep) -> set[str]:
    """Ids of the rules that have finished in `sweep`."""
    return set(RuleRun.objects.filter(sweep=sweep, finished_at__isnull=False).values_list("rule", flat=True))


def last_finished_sweep() -> dt.datetime | None:
    """When the centre that was checked longest ago was last checked; None where none ever was. For /readyz."""
    newest = Centre.objects.annotate(at=Max("sweeps__finished_at")).filter(at__isnull=False)
    return newest.aggregate(oldest=Min("at"))["oldest"]


def oldest_undelivered(now: dt.datetime) -> dt.timedelta | None:
    """How long the oldest e-mail that was not sent has been waiting; None where none waits. For /readyz."""
    oldest = Delivery.objects.filter(sent_at__isnull=True).aggregate(at=Min("created_at"))["at"]
    return None if oldest is None else now - oldest


# --------------------------------------------------------------------------------------------------- how rules behave


@dataclasses.dataclass(frozen=True)
class RuleStatistics:
    """What became of a rule's alerts. Shares are of `fired`; None where it never fired."""

    rule: str
    fired: int
    acted: int
    overridden: int
    reasons: dict[str, int]  # how many alerts were overridden, by reason
    acted_share: Decimal | None
    overridden_share: Decimal | None
    median_time_to_act: dt.timedelta | None


def rule_statistics(centre: Centre, since: dt.datetime) -> list[RuleStatistics]:
    """For every rule: its alerts opened at or after `since` that ever stood above INFO.

    Overridden: the newest reason a person gave is another than "acted on". Acted on: a person acknowledged, snoozed or
    closed it without such a reason. What nobody touched is neither. Time to act runs from its opening to a person's
    first step.
    """
    steps = [EventKind.ACKNOWLEDGED, EventKind.SNOOZED, EventKind.CLOSED]
    events = (
        AlertEvent.objects.filter(alert__centre=centre, alert__opened_at__gte=since)
        .order_by("at", "pk")
        .values_list("alert_id", "alert__rule", "alert__opened_at", "kind", "at", "by_id", "reason", "level")
    )
    seen: dict[int, dict[str, Any]] = {}
    for alert, rule, opened_at, kind, at, by, reason, level in events:
        life = seen.setdefault(alert, {"rule": rule, "matters": False, "after": None, "reason": ""})
        life["matters"] |= level != Level.INFO
        if kind == EventKind.REOPENED:  # undone
            life["after"], life["reason"] = None, ""
        elif kind in steps and by is not None:
            if life["after"] is None:
                life["after"] = at - opened_at
            life["reason"] = reason or life["reason"]
    return [_statistics(rule, [life for life in seen.values() if life["rule"] == rule]) for rule in RULES]


def _statistics(rule: str, lives: list[dict[str, Any]]) -> RuleStatistics:
    fired = [life for life in lives if life["matters"]]
    touched = [life for life in fired if life["after"] is not None]
    overridden = [life for life in touched if life["reason"] not in ("", Reason.ACTED)]
    reasons: dict[str, int] = {}
    for life in overridden:
        reasons[life["reason"]] = reasons.get(life["reason"], 0) + 1
    acted = len(touched) - len(overridden)
    return RuleStatistics(
        rule=rule,
        fired=len(fired),
        acted=acted,
        overridden=len(overridden),
        reasons=reasons,
        acted_share=Decimal(acted) / len(fired) if fired else None,
        overridden_share=Decimal(len(overridden)) / len(fired) if fired else None,
        median_time_to_act=median(life["after"] for life in touched) if touched else None,
    )


def rules_to_review(centre: Centre, now: dt.datetime) -> list[RuleStatistics]:
    """Rules under 20 % acted on for two months, to be proposed for review. One that is newer here is not judged yet."""
    first = dict(Alert.objects.filter(centre=centre).order_by().values_list("rule").annotate(at=Min("opened_at")))
    return [
        numbers
        for numbers in rule_statistics(centre, now - REVIEW_AFTER)
        if numbers.acted_share is not None
        and numbers.acted_share < REVIEW_BELOW
        and first[numbers.rule] <= now - REVIEW_AFTER
    ]


# ------------------------------------------------------------------------------------------------------------- replay


@dataclasses.dataclass(frozen=True)
class Replay:
    """What the rule says today of the day an alert rests on, from the record as it stood then."""

    same: bool  # level and evidence are exactly those of the alert
    level: str | None  # None: it finds nothing
    evidence: dict[str, Any] | None
    version_then: int
    version_now: int


def replay(alert: Alert) -> Replay:
    """Ask the rule again as of the alert's day, with what was known when its evidence was found and the numbers it was
    judged by then. Raises LookupError where there is no such rule any more.

    Limits of ranges are those of today; whether the rule is on does not matter. A difference with equal versions is a
    defect, or a fact that was written with a moment before the judgement and committed after it.
    """
    rule = RULES[alert.rule]
    with transaction.atomic():
        ask(
            rule,
            as_of=alert.as_of,
            centre_id=alert.centre_id,
            patient_ids=[alert.patient_id],
            known_at=alert.evidence_at,
            parameters=parameters_of(rule, alert.evidence),
            others=others_of(rule, alert.evidence),
            even_if_off=True,
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT f.level, f.evidence, f.level = a.level AND f.evidence = a.evidence "
                "FROM finding f JOIN alerts_alert a ON a.patient_id = f.patient_id AND a.subject = f.subject "
                "WHERE a.id = %s AND f.level IS NOT NULL",
                [alert.pk],
            )
            found = cursor.fetchone()
    level, evidence, same = found or (None, None, False)
    return Replay(
        same=same,
        level=level,
        evidence=alert.evidence if same else as_json(evidence),
        version_then=alert.rule_version,
        version_now=rule.version,
    )


def as_json(value: Any) -> Any:
    """A jsonb value as Django's cursor gives it (text) or as already decoded."""
    return json.loads(value) if isinstance(value, str) else value


def parameters_of(rule: Rule, evidence: dict[str, Any]) -> Any:
    """The parameters kept with evidence, as the rule's own; those it does not know any more are left out."""
    return _kept(rule, evidence.get("parameters", {}))


def others_of(rule: Rule, evidence: dict[str, Any]) -> dict[str, Any]:
    """{rule id: parameters} of the rules it asks that were not their own when the evidence was found."""
    kept = evidence.get("parameters_asked", {})
    return {name: _kept(RULES[name], values) for name, values in kept.items() if name in RULES}


def _kept(rule: Rule, values: dict[str, Any]) -> Any:
    return with_values(rule, {name: value for name, value in values.items() if hasattr(rule.parameters, name)})
