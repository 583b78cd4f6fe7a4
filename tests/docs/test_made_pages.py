"""Pages of docs/ that are made from the code say what the code says."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings

from clinic.management.commands.write_docs import pages
from monitoring.checks import reviews_due
from monitoring.rule_pages import filled, rows_of
from monitoring.rules import RULES
from monitoring.rules.base import Rule
from tests.rules.examples import parse

DOCS = Path(settings.BASE_DIR) / "docs"


def test_the_pages_are_fresh() -> None:
    """`make docs` was run after the newest change of a rule or of the schedule."""
    made = pages()
    there = {str(path.relative_to(DOCS)) for path in DOCS.glob("rules/*")} | {"schedule.md"}
    assert there == set(made)
    stale = [name for name, text in made.items() if (DOCS / name).read_text(encoding="utf-8") != text]
    assert not stale, "run `make docs`"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_page_of_a_rule_leaves_nothing_out(rule: Rule) -> None:
    text = pages()[f"rules/{rule.id}.md"]
    for field in dataclasses.fields(rule.parameters):
        assert f"| `{field.name}` |" in text
    for reason in rule.explanations:
        assert f"| `{reason}` |" in text
    for citation in rule.evidence:
        assert citation.confidence.value.lower() in text.lower()
        assert citation.doi in text
    for remark in rule.not_considered:
        assert filled(rule, remark) in text
    heading, *rows = rows_of(rule.examples)
    assert len(rows) == len(parse(rule.examples))
    assert text.count("\n| ") > len(rows)
    assert f"| {' | '.join(heading)} |" in text
    for line in text.split("## Example patients")[1].splitlines():
        if line.startswith("|"):
            assert len(re.split(r"(?<!\\)\|", line)) == len(heading) + 2, line


def test_everything_that_is_scheduled_is_documented() -> None:
    text = (DOCS / "schedule.md").read_text(encoding="utf-8")
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` ")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1] == f"`{entry['task']}`"
        assert all(cells), "a cell is empty: the task has no docstring"


def test_every_step_of_the_tick_is_documented() -> None:
    source = (Path(settings.BASE_DIR) / "alerts" / "tasks.py").read_text(encoding="utf-8")
    body = source.split("def tick()")[1].split("@shared_task")[0]
    named = re.findall(r'^\s+"([a-z -]+)":', body, re.MULTILINE) + re.findall(r'steps\["([a-z -]+)"\]', body)
    assert len(named) >= 10
    text = (DOCS / "schedule.md").read_text(encoding="utf-8").split("## What a tick does")[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "|" in line][2:]
    assert [row[0].removesuffix(", at the full hour") for row in rows] == named
    assert all(all(row) for row in rows)


def test_a_rule_whose_review_is_due_is_warned_of_from_the_day_after() -> None:
    rule = next(iter(RULES.values()))
    assert reviews_due([rule], rule.review_due) == []
    (warning,) = reviews_due([rule], rule.review_due + dt.timedelta(days=1))
    assert rule.id in warning.msg
    assert warning.id == "monitoring.W001"
    assert not warning.is_serious()
