"""What becomes of an alert: by what people do with it, and by itself when nobody looks."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.models import Centre, Role, User
from alerts import selectors
from alerts.actions import outbox
from alerts.models import Alert, AlertEvent, DeliveryKind, EventKind, Reason, State
from audit.attribution import action, job
from common.dates import centre_day
from monitoring.levels import Level
from patients.models import Patient
from therapy import actions as therapy
from therapy.models import EscalationDecision

SNOOZE_DAYS = {Level.ACTION: 14, Level.TASK: 28, Level.INFO: 28}  # never URGENT
UNDO_WITHIN = dt.timedelta(minutes=10)
# Expired snoozes are woken by the sweep, which knows whether the rule still finds it; without one, this much later.
SWEEP_WAKES_WITHIN = dt.timedelta(hours=1)


class Stale(ValidationError):
    """The alert is not as the person saw it. Nothing was changed. Who changed it is said, where it was somebody."""

    def __init__(self, alert: Alert) -> None:
        said = _("This alert has changed in the meantime. Nothing was done; look at it again.")
        newest = AlertEvent.objects.filter(alert=alert).select_related("by").order_by("-id").first()
        if newest is not None and newest.by is not None:
            said = _("%(who)s has changed this alert in the meantime (%(what)s). Nothing was done; look at it again.")
            said %= {"who": newest.by, "what": newest.get_kind_display()}
        super().__init__(said, code="stale")


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
                outbox.tell(DeliveryKind.ESCALATION, keys, centre=centre, people=staffed[role], now=now)
    return passed


def _next_role(role: str, chain: list[str], staffed: dict[str, list[int]]) -> str | None:
    above = chain[chain.index(role) + 1 :] if role in chain else chain
    return next((r for r in above if staffed[r] and r != role), None)


def _pass_on(alert: Alert, role: str, *, now: dt.datetime) -> AlertEvent:
    Alert.objects.filter(pk=alert.pk).update(audience=role, escalated_at=now)
    return AlertEvent.objects.create(
        alert=alert, kind=EventKind.ESCALATED, at=now, by=None, text=f"To: {Role(role).label}", level=alert.level
    )
