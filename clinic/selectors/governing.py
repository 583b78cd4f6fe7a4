"""How a rule is governed at a centre, as its page shows it: mode, numbers, signatures, proposals, shadow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Centre, Role, User
from alerts.models import ShadowFinding
from clinic.selectors.alert import in_words, words_of
from clinic.selectors.worklist import ROLE_WORDS, sentences
from monitoring import governance
from monitoring.bounds import Bounds, bounds_of, with_values
from monitoring.levels import Level
from monitoring.models import ChangeKind, Mode, RuleBackTest, RuleChange
from monitoring.rule_actions import needs_back_test
from monitoring.rule_pages import remarked
from monitoring.rules.base import Parameters, Rule, shown

SHADOW_SHOWN = 200
# Modes inside a sentence.
MODES = {Mode.ON: gettext_lazy("on"), Mode.SHADOW: gettext_lazy("in the shadow"), Mode.OFF: gettext_lazy("off")}


@dataclass(frozen=True)
class Number:
    """A parameter of the rule with what it may be; `own` where the centre has another than the rule itself."""

    name: str
    label: str
    value: str
    typed: str  # as it is typed, and kept
    own: str
    bounds: str
    can_change: bool
    remark: str


@dataclass(frozen=True)
class Compared:
    """A line of a back-test: as today, as proposed."""

    label: str
    today: str
    proposed: str


@dataclass(frozen=True)
class Proposal:
    change: RuleChange
    title: str
    changes: Sequence[Compared]
    test: RuleBackTest | None
    is_ready: bool
    is_mine: bool

    @property
    def compared(self) -> list[Compared]:
        return compared(self.test) if self.test is not None and self.test.finished_at else []


@dataclass(frozen=True)
class PastChange:
    change: RuleChange
    title: str
    outcome: str
    is_in_force: bool


@dataclass(frozen=True)
class Governing:
    mode: Mode
    mode_reason: str
    numbers: Sequence[Number]
    not_allowed: Sequence[str]
    signature: RuleChange | None  # confirmed: both have signed today's version
    proposals: Sequence[Proposal]
    past: Sequence[PastChange]
    in_shadow: int  # found at present
    ever_in_shadow: int


def governing(centre: Centre, rule: Rule, reader: User) -> Governing:
    """Six queries."""
    changes = list(governance.history(centre, rule.id))
    in_force = newest_confirmed(changes)
    used = governance.numbers(centre, rule).parameters
    mode = in_force.get(ChangeKind.MODE)
    shadow = ShadowFinding.objects.filter(centre=centre, rule=rule.id)
    signed = [change for change in changes if is_signature(change, rule)]
    return Governing(
        mode=Mode(mode.mode) if mode else Mode.ON,
        mode_reason=mode.reason if mode else "",
        numbers=_numbers(rule, used),
        not_allowed=[words_of(name) for name in governance.not_allowed_any_more(centre, rule)],
        signature=signed[0] if signed else None,
        proposals=[_proposal(change, rule, used, reader) for change in changes if change.is_pending],
        past=[
            PastChange(change, _title(change), _outcome(change), change in in_force.values() or change in signed)
            for change in changes
            if not change.is_pending
        ],
        in_shadow=shadow.filter(gone_on__isnull=True).count(),
        ever_in_shadow=shadow.count(),
    )


def newest_confirmed(changes: Sequence[RuleChange]) -> dict[str, RuleChange]:
    """{kind: change in force} of one rule, sign-offs apart."""
    confirmed = [c for c in changes if c.confirmed_at is not None and c.kind != ChangeKind.SIGN_OFF]
    found: dict[str, RuleChange] = {}
    for change in sorted(confirmed, key=lambda c: (c.confirmed_at, c.pk), reverse=True):
        found.setdefault(change.kind, change)
    return found


def is_signature(change: RuleChange, rule: Rule) -> bool:
    """Both have signed the version of today, and it was not taken back."""
    return (
        change.kind == ChangeKind.SIGN_OFF
        and change.rule_version == rule.version
        and change.confirmed_at is not None
        and change.withdrawn_at is None
    )


def _numbers(rule: Rule, used: Parameters) -> list[Number]:
    remarks = {name: text for cls in reversed(type(rule.parameters).__mro__) for name, text in remarked(cls)}
    found = []
    for name, bounds in bounds_of(rule).items():
        value, own = getattr(used, name), getattr(rule.parameters, name)
        found.append(
            Number(
                name=name,
                label=words_of(name),
                value=_told(value),
                typed=str(value),
                own=_told(own) if value != own else "",
                bounds=_bounds(bounds),
                can_change=bounds.can_change,
                remark=_(remarks[name]) if remarks.get(name) else "",
            )
        )
    return found


def _bounds(bounds: Bounds) -> str:
    if not bounds.can_change:
        return _("not to be changed")
    if bounds.choices:
        return _(" or ").join(shown(choice) for choice in bounds.choices)
    return _("%(low)s to %(high)s") % {"low": shown(bounds.low), "high": shown(bounds.high)}


def _told(value: Any) -> str:
    return in_words(list(value) if isinstance(value, tuple) else value)


def _title(change: RuleChange) -> str:
    if change.kind == ChangeKind.MODE:
        return _("Mode: %(mode)s") % {"mode": MODES[Mode(change.mode)]}
    if change.kind == ChangeKind.SIGN_OFF:
        return _("Sign-off of version %(version)s") % {"version": change.rule_version}
    if not change.parameters:
        return _("Numbers: the rule's own")
    numbers = ", ".join(f"{words_of(name)} {_told(v)}" for name, v in sorted(change.parameters.items()))
    return _("Numbers: %(numbers)s") % {"numbers": numbers}


def _outcome(change: RuleChange) -> str:
    if change.withdrawn_at is not None:
        return _("taken back") if change.confirmed_at else _("withdrawn")
    return _("by one person, before two were asked for") if change.is_carried_over else _("confirmed")


def _proposal(change: RuleChange, rule: Rule, used: Parameters, reader: User) -> Proposal:
    test: RuleBackTest | None = getattr(change, "back_test", None)
    return Proposal(
        change=change,
        title=_title(change) if change.kind != ChangeKind.PARAMETERS else _("Numbers"),
        changes=_changes(change, rule, used),
        test=test,
        is_ready=not needs_back_test(change) or (test is not None and test.finished_at is not None),
        is_mine=change.proposed_by_id == reader.pk,
    )


def proposal_of(change: RuleChange, rule: Rule, reader: User) -> Proposal:
    return _proposal(change, rule, governance.numbers(change.centre, rule).parameters, reader)


def _changes(change: RuleChange, rule: Rule, used: Parameters) -> list[Compared]:
    if change.kind != ChangeKind.PARAMETERS:
        return []
    known = {name: v for name, v in change.parameters.items() if hasattr(rule.parameters, name)}
    after = with_values(rule, known)
    names = [field.name for field in dataclasses.fields(after)]
    return [
        Compared(words_of(name), _told(getattr(used, name)), _told(getattr(after, name)))
        for name in names
        if getattr(used, name) != getattr(after, name)
    ]


def compared(test: RuleBackTest) -> list[Compared]:
    """The finished back-test, line by line."""
    today, proposed = test.today or {}, test.proposed or {}

    def line(label: str, of: Any) -> Compared:
        return Compared(label, of(today), of(proposed))

    return [
        line(_("Alerts opened"), lambda counts: str(counts["opened"])),
        line(_("of these, waiting already on the first day"), lambda counts: str(counts["standing"])),
        *(line(str(Level(level).label), lambda counts, level=level: str(counts["levels"][level])) for level in Level),
        line(_("Patients"), lambda counts: str(counts["patients"])),
        line(_("Level raised while open"), lambda counts: str(counts["raised"])),
        line(_("New on a worklist, a person and week"), _per_person_week),
    ]


def _per_person_week(counts: Mapping[str, Any]) -> str:
    rate = counts["per_person_week"]
    return _("nobody in that role") if rate is None else formats.number_format(Decimal(str(rate)), 1)


def role_of(rule: Rule) -> str:
    return str(ROLE_WORDS[Role(rule.audience)])


# ------------------------------------------------------------------------------------------------------------- shadow


@dataclass(frozen=True)
class ShadowLine:
    finding: ShadowFinding
    sentences: Sequence[str]


def shadow_findings(centre: Centre, rule: Rule) -> tuple[list[ShadowLine], int]:
    """(the newest, how many there are in all): those of today first. Two queries."""
    found: QuerySet[ShadowFinding] = ShadowFinding.objects.filter(centre=centre, rule=rule.id)
    rows = found.select_related("patient").order_by("-last_on", "-first_on", "-id")[:SHADOW_SHOWN]
    return [ShadowLine(row, sentences(row.rule, row.evidence)) for row in rows], found.count()
