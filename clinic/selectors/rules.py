"""The rules as a centre sees them: what each asks, whether it is on, and what became of what it said."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext

from accounts.models import Centre, Role
from alerts import selectors as alerts
from alerts.models import ON_LISTS, Alert, NotEvaluable, Reason, RuleRun
from alerts.selectors import RuleStatistics
from clinic.selectors.worklist import lasting
from common.dates import centre_day
from monitoring import governance
from monitoring.models import Mode
from monitoring.rules import RULES
from monitoring.rules.base import Rule, shown, with_numbers

STATISTICS_OVER = alerts.REVIEW_AFTER
RUNS_SHOWN = 12


@dataclass(frozen=True)
class RuleLine:
    rule: Rule
    role: str
    mode: Mode
    is_signed_off: bool
    is_pending: bool
    review_passed: bool
    statistics: RuleStatistics
    waiting: int

    @property
    def acted_percent(self) -> int | None:
        return _percent(self.statistics.acted_share)

    @property
    def overridden_percent(self) -> int | None:
        return _percent(self.statistics.overridden_share)

    @property
    def time_to_act(self) -> str:
        middle = self.statistics.median_time_to_act
        return lasting(middle) if middle is not None else ""

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """(why it was overridden, how often), the most frequent first."""
        named = [(str(Reason(reason).label), n) for reason, n in self.statistics.reasons.items()]
        return sorted(named, key=lambda pair: (-pair[1], pair[0]))


def _percent(share: Decimal | None) -> int | None:
    return None if share is None else int((share * 100).to_integral_value())


@dataclass(frozen=True)
class RulesPage:
    lines: Sequence[RuleLine]
    review_passed: Sequence[RuleLine]
    to_review: Sequence[RuleLine]
    days: int


def rules_page(centre: Centre, now: dt.datetime) -> RulesPage:
    """Every rule. Seven queries, whatever their number."""
    lines = _lines(centre, now)
    proposed = {numbers.rule for numbers in alerts.rules_to_review(centre, now)}
    return RulesPage(
        lines=lines,
        review_passed=[line for line in lines if line.review_passed],
        to_review=[line for line in lines if line.rule.id in proposed],
        days=STATISTICS_OVER.days,
    )


def _lines(centre: Centre, now: dt.datetime) -> list[RuleLine]:
    today = centre_day(now, centre.zone)
    modes, signed_off, pending = governance.modes(centre), governance.signed_off(centre), governance.pending(centre)
    numbers = {each.rule: each for each in alerts.rule_statistics(centre, now - STATISTICS_OVER)}
    not_closed = Alert.objects.filter(centre=centre, closed_at__isnull=True, level__in=ON_LISTS)
    waiting = dict(not_closed.order_by().values_list("rule").annotate(n=Count("pk")))
    lines = []
    for rule in sorted(RULES.values(), key=lambda rule: rule.title_shown):
        lines.append(
            RuleLine(
                rule=rule,
                role=str(Role(rule.audience).label),
                mode=modes[rule.id],
                is_signed_off=(rule.id, rule.version) in signed_off,
                is_pending=rule.id in pending,
                review_passed=today > rule.review_due,
                statistics=numbers[rule.id],
                waiting=waiting.get(rule.id, 0),
            )
        )
    return lines


# ------------------------------------------------------------------------------------------------------------- one rule


@dataclass(frozen=True)
class Example:
    """A line of the rule's table of example patients: what is recorded, and what the rule is to say."""

    case: str
    cells: Sequence[str]
    expect: str


@dataclass(frozen=True)
class RulePage:
    line: RuleLine
    sentences: Sequence[tuple[str, str]]
    advice: str
    not_considered: Sequence[str]
    columns: Sequence[str]
    examples: Sequence[Example]
    runs: Sequence[RuleRun]
    unjudged: int
    days: int


def rule_page(centre: Centre, rule: Rule, now: dt.datetime) -> RulePage:
    columns, examples = _examples(rule.examples)
    numbers = dataclasses.asdict(governance.numbers(centre, rule).parameters)
    return RulePage(
        line=next(line for line in _lines(centre, now) if line.rule.id == rule.id),
        sentences=[(key, _filled(text, numbers)) for key, text in rule.explanations.items()],
        advice=rule.advice_shown(numbers),
        not_considered=rule.not_considered_shown(numbers),
        columns=columns,
        examples=examples,
        runs=list(RuleRun.objects.filter(centre=centre, rule=rule.id).order_by("-started_at", "-pk")[:RUNS_SHOWN]),
        unjudged=NotEvaluable.objects.filter(centre=centre, rule=rule.id).count(),
        days=STATISTICS_OVER.days,
    )


def _filled(text: str, numbers: Mapping[str, Any]) -> str:
    """A sentence with the centre's numbers in it; what comes from the patient stays as "…"."""
    parts = with_numbers(gettext(text), numbers, shown).split("{")
    said = parts[0] + "".join("…" + part.partition("}")[2] for part in parts[1:])
    return re.sub("…+", "…", said)


def _examples(table: str) -> tuple[list[str], list[Example]]:
    lines = [[cell.strip() for cell in line.split("|")] for line in table.splitlines() if line.strip()]
    if not lines:
        return [], []
    head, *rest = lines
    return head[1:-1], [Example(cells[0], cells[1:-1], cells[-1]) for cells in rest if len(cells) == len(head)]
