"""What is in force at a centre: which rules are on, by which numbers they judge, and which two people have signed off.

Nothing recorded: a rule is on, with its own numbers, and not signed off. It is changed in monitoring/rule_actions.py.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Centre
from common.prepared import prepared
from monitoring.bounds import bounds_of, like
from monitoring.models import ChangeKind, Mode, RuleChange
from monitoring.rules import RULES
from monitoring.rules.base import Parameters, Rule, shown


@dataclasses.dataclass(frozen=True)
class Numbers:
    """By which numbers a rule judges, as `ask` of monitoring/asking.py takes them. `others`: {rule id: parameters} of
    the rules it asks, where they are not their own.
    """

    parameters: Parameters
    others: Mapping[str, Parameters]


def _in_force(centre: Centre, kind: str) -> QuerySet[RuleChange]:
    """The newest confirmed change of each rule."""
    confirmed = RuleChange.objects.filter(centre=centre, kind=kind, confirmed_at__isnull=False)
    return confirmed.order_by("rule", "-confirmed_at", "-id").distinct("rule")


def modes(centre: Centre) -> dict[str, Mode]:
    """{rule id: mode} of every rule."""
    changed = dict(_in_force(centre, ChangeKind.MODE).values_list("rule", "mode"))
    return {rule: Mode(changed.get(rule, Mode.ON)) for rule in RULES}


def mode(centre: Centre, rule_id: str) -> Mode:
    newest = _in_force(centre, ChangeKind.MODE).filter(rule=rule_id).values_list("mode", flat=True).first()
    return Mode(newest or Mode.ON)


def numbers(centre: Centre, rule: Rule) -> Numbers:
    """The rule's numbers at the centre, and those of the rules it asks. One query."""
    changed = _changed_parameters(centre, [rule, *_asked(rule)])
    others = {
        each.id: _parameters(each, changed[each.id])
        for each in _asked(rule)
        if changed.get(each.id) and _parameters(each, changed[each.id]) != each.parameters
    }
    return Numbers(_parameters(rule, changed.get(rule.id, {})), others)


def parameters(centre: Centre) -> dict[str, Parameters]:
    """{rule id: parameters in force} of every rule. One query."""
    changed = _changed_parameters(centre, list(RULES.values()))
    return {rule.id: _parameters(rule, changed.get(rule.id, {})) for rule in RULES.values()}


def proposed(centre: Centre, change: RuleChange, rule: Rule) -> Numbers:
    """The numbers as they will be once `change`, of this rule, is confirmed."""
    now = numbers(centre, rule)
    if change.kind != ChangeKind.PARAMETERS:
        return now
    return dataclasses.replace(now, parameters=_parameters(rule, change.parameters))


def _asked(rule: Rule) -> list[Rule]:
    """The rules whose query its query holds, and those that theirs hold."""
    found: dict[str, Rule] = {}
    for each in rule.asks:
        found |= {each.id: each} | {other.id: other for other in _asked(each)}
    return list(found.values())


def _changed_parameters(centre: Centre, rules: list[Rule]) -> dict[str, dict[str, Any]]:
    wanted = {rule.id for rule in rules}
    return {rule: changed for rule, changed in _set_parameters(centre) if rule in wanted}


@prepared
def _set_parameters(centre: Centre) -> QuerySet[RuleChange, tuple[str, dict[str, Any]]]:
    return _in_force(centre, ChangeKind.PARAMETERS).values_list("rule", "parameters")


def _parameters(rule: Rule, changed: Mapping[str, Any]) -> Parameters:
    return dataclasses.replace(rule.parameters, **_still_allowed(rule, changed))


def _still_allowed(rule: Rule, changed: Mapping[str, Any]) -> dict[str, Any]:
    """What was set within the bounds of one version may lie outside those of a later one, or be gone from it: then the
    rule's own number counts again. The page of the rule says so.
    """
    allowed = {}
    for name, bounds in bounds_of(rule).items():
        if name in changed:
            try:
                value = like(getattr(rule.parameters, name), changed[name])
            except ValueError:
                continue
            if bounds.allow(value):
                allowed[name] = value
    return allowed


def not_allowed_any_more(centre: Centre, rule: Rule) -> list[str]:
    """Names of parameters the centre has set to what today's version does not allow."""
    changed = _changed_parameters(centre, [rule]).get(rule.id, {})
    return sorted(set(changed) - set(_still_allowed(rule, changed)))


def checked(rule: Rule, values: Mapping[str, Any]) -> dict[str, str | bool]:
    """Of the values proposed for some parameters, those that differ from the rule's own, as a proposal keeps them.

    Raises ValidationError naming each parameter that does not exist, cannot be read, or is out of bounds.
    """
    errors, kept = {}, {}
    all_bounds = bounds_of(rule)
    for name, typed in values.items():
        bounds = all_bounds.get(name)
        if bounds is None:
            errors[name] = _("The rule has no parameter %(name)s.") % {"name": name}
            continue
        own = getattr(rule.parameters, name)
        try:
            value = like(own, typed)
        except ValueError as error:
            errors[name] = f"{error}."
            continue
        if not bounds.allow(value):
            errors[name] = _("%(value)s is out of bounds: %(bounds)s.") % {"value": shown(value), "bounds": bounds}
        elif value != own:
            kept[name] = value if isinstance(value, bool) else str(value)
    if errors:
        raise ValidationError(errors)
    return kept


# -------------------------------------------------------------------------------------------------------- sign-off


def signed_off(centre: Centre) -> set[tuple[str, int]]:
    """(rule id, version) that two people of the centre have signed off, and nobody has taken back."""
    signed = RuleChange.objects.filter(
        centre=centre, kind=ChangeKind.SIGN_OFF, confirmed_at__isnull=False, withdrawn_at__isnull=True
    )
    # A signature has its version, by a constraint: only what one person had switched has none.
    return {(rule, version) for rule, version in signed.values_list("rule", "rule_version") if version is not None}


# --------------------------------------------------------------------------------------------------------- history


def history(centre: Centre, rule_id: str) -> QuerySet[RuleChange]:
    """Every change ever proposed of a rule, newest first."""
    changes = RuleChange.objects.filter(centre=centre, rule=rule_id)
    people = ("proposed_by", "confirmed_by", "withdrawn_by", "back_test")
    return changes.select_related(*people).order_by("-proposed_at", "-id")


def pending(centre: Centre) -> set[str]:
    """Ids of the rules of which something is proposed."""
    changes = RuleChange.objects.filter(centre=centre, confirmed_at__isnull=True, withdrawn_at__isnull=True)
    return set(changes.values_list("rule", flat=True))


def numbers_changed_at(centre: Centre, rule: Rule) -> dt.datetime | None:
    """When a change of its numbers, or of those of a rule it asks, was newest confirmed."""
    ids = [rule.id, *(each.id for each in _asked(rule))]
    changes = RuleChange.objects.filter(centre=centre, rule__in=ids, kind=ChangeKind.PARAMETERS)
    return (
        changes.filter(confirmed_at__isnull=False)
        .order_by("-confirmed_at")
        .values_list("confirmed_at", flat=True)
        .first()
    )
