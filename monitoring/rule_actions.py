"""Changing a rule at a centre: one person proposes, another confirms. Every proposal is kept, whatever became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import structlog
from celery import current_app
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from accounts.models import Centre, Membership, User
from accounts.permissions import Permission, may
from audit import facts
from audit.attribution import action
from common.dates import centre_day
from monitoring import governance
from monitoring.models import ChangeKind, Mode, RuleBackTest, RuleChange
from monitoring.rules import RULES

log = structlog.get_logger(__name__)

BACK_TEST_WEEKS = 52
BACK_TEST = "alerts.tasks.run_back_test"


def _may(by: User, centre: Centre) -> None:
    """Two people of the centre: here too, since a script has no page that would refuse it."""
    member = Membership.objects.filter(user=by, centre=centre).first()
    if not by.is_active or not may(member, Permission.GOVERN_RULES):
        raise PermissionDenied(f"Your role may not {Permission.GOVERN_RULES.value}.")


def _propose(
    *, centre: Centre, rule: str, kind: str, reason: str, by: User, now: dt.datetime, **what: Any
) -> RuleChange:
    if rule not in RULES:
        raise ValidationError({"rule": _("There is no such rule.")})
    _may(by, centre)
    change = RuleChange(
        centre=centre,
        rule=rule,
        rule_version=RULES[rule].version,
        kind=kind,
        reason=reason.strip(),
        proposed_by=by,
        proposed_at=now,
        **what,
    )
    if not change.reason:
        raise ValidationError({"reason": _("Say why.")})
    facts.hold(centre)
    if RuleChange.objects.filter(
        centre=centre, rule=rule, kind=kind, confirmed_at__isnull=True, withdrawn_at__isnull=True
    ).exists():
        raise ValidationError(_("One such change is proposed already. Confirm or withdraw it first."))
    change.full_clean(exclude=["confirmed_by", "confirmed_at", "withdrawn_by", "withdrawn_at"])
    change.save(force_insert=True)
    return change


@action("monitoring.propose_mode", "mode of a rule proposed")
def propose_mode(*, centre: Centre, rule: str, mode: str, reason: str, by: User, now: dt.datetime) -> RuleChange:
    """That the rule be on, off or in the shadow. A back-test of it begins.

    Raises ValidationError where it is so already or is proposed, PermissionDenied for whoever may not.
    """
    if mode not in Mode.values:
        raise ValidationError({"mode": _("Choose one of the list.")})
    change = _propose(centre=centre, rule=rule, kind=ChangeKind.MODE, mode=mode, reason=reason, by=by, now=now)
    if governance.mode(centre, rule) == mode:
        raise ValidationError({"mode": _("It is so already.")})
    _order_back_test(change, now)
    return change


@action("monitoring.propose_parameters", "numbers of a rule proposed")
def propose_parameters(
    *, centre: Centre, rule: str, values: Mapping[str, Any], reason: str, by: User, now: dt.datetime
) -> RuleChange:
    """That the rule judge by these numbers; those not named stay as they are at the centre. A back-test of it begins.

    Raises ValidationError naming each value that is out of bounds or cannot be read, or where nothing would change.
    """
    if rule not in RULES:
        raise ValidationError({"rule": _("There is no such rule.")})
    now_in_force = governance.parameters(centre)[rule]
    kept = governance.checked(RULES[rule], {**vars(now_in_force), **values})
    change = _propose(
        centre=centre, rule=rule, kind=ChangeKind.PARAMETERS, parameters=kept, reason=reason, by=by, now=now
    )
    if governance.proposed(centre, change, RULES[rule]).parameters == now_in_force:
        raise ValidationError(_("Nothing of it would change."))
    _order_back_test(change, now)
    return change


@action("monitoring.sign_off", "rule signed off by one")
def sign_off(*, centre: Centre, rule: str, reason: str, by: User, now: dt.datetime) -> RuleChange:
    """The first of the two signatures under today's version; `confirm` is the second. `reason` says what was looked at.

    Raises ValidationError where the version is signed off already, or signed by one.
    """
    change = _propose(centre=centre, rule=rule, kind=ChangeKind.SIGN_OFF, reason=reason, by=by, now=now)
    if (rule, change.rule_version) in governance.signed_off(centre):
        raise ValidationError(_("This version is signed off already."))
    return change


def _order_back_test(change: RuleChange, now: dt.datetime) -> None:
    """Its last day is the day before today: the record of that day is complete."""
    last = centre_day(now, change.centre.zone) - dt.timedelta(days=1)
    RuleBackTest.objects.create(
        change=change,
        first_on=last - dt.timedelta(days=7 * (BACK_TEST_WEEKS - 1)),
        last_on=last,
        weeks=BACK_TEST_WEEKS,
        requested_at=now,
        sent_at=now,
    )

    def send() -> None:
        try:
            current_app.send_task(BACK_TEST, args=[change.pk], ignore_result=True, retry=False)
        except (OperationalError, OSError) as error:
            log.warning("broker_away", error=type(error).__name__)  # the tick hands it out again

    transaction.on_commit(send)


def _held(change: RuleChange) -> RuleChange:
    """The row as it is now, and nobody else's until the transaction ends."""
    return RuleChange.objects.select_for_update(of=["self"]).select_related("centre").get(pk=change.pk)


@action("monitoring.confirm_change", "change of a rule confirmed")
def confirm(*, change: RuleChange, by: User, now: dt.datetime) -> RuleChange:
    """Another person agrees: from now on it is in force, and the next check goes by it.

    Raises ValidationError for whoever proposed it, where it is confirmed or withdrawn already, before its back-test has
    finished (numbers, and switching on), and where the rule has changed since. PermissionDenied for whoever may not.
    """
    held = _held(change)
    _may(by, held.centre)
    if not held.is_pending:
        raise ValidationError(_("It has been confirmed or withdrawn in the meantime."))
    if held.proposed_by_id == by.pk:
        raise ValidationError(_("Somebody else has to confirm what you proposed."))
    rule = RULES.get(held.rule)
    if rule is None or rule.version != held.rule_version:
        raise ValidationError(_("The rule has another version now. Withdraw this, and propose it for that version."))
    if needs_back_test(held) and not RuleBackTest.objects.filter(change=held, finished_at__isnull=False).exists():
        raise ValidationError(_("Its back-test has not finished yet."))
    held.confirmed_by, held.confirmed_at = by, now
    held.save(update_fields=["confirmed_by", "confirmed_at"])
    return held


def needs_back_test(change: RuleChange) -> bool:
    """What makes a rule say more, or something else, is not confirmed blindly. Switching off does not wait."""
    return change.kind == ChangeKind.PARAMETERS or change.mode == Mode.ON


@action("monitoring.withdraw_change", "change of a rule withdrawn")
def withdraw(*, change: RuleChange, reason: str, by: User, now: dt.datetime) -> RuleChange:
    """A proposal is not to be; or a signature is taken back, by anybody who may sign. What else is in force is changed
    by another proposal. Raises ValidationError, PermissionDenied.
    """
    held = _held(change)
    _may(by, held.centre)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why.")})
    is_signed = held.kind == ChangeKind.SIGN_OFF and held.withdrawn_at is None
    if not held.is_pending and not is_signed:
        raise ValidationError(_("It has been confirmed or withdrawn in the meantime."))
    held.withdrawn_by, held.withdrawn_at, held.withdrawn_reason = by, now, reason.strip()[:200]
    held.save(update_fields=["withdrawn_by", "withdrawn_at", "withdrawn_reason"])
    return held
