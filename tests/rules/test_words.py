"""What the rules say can be said in any language: nothing of theirs is missing from the catalogue of texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from clinic.selectors import alert
from monitoring.asking import findings
from monitoring.rules import RULES
from monitoring.rules.base import JUDGED_BY, Rule
from monitoring.words import known, name_in_words
from myositis_tracker.languages import extracted
from tests import factories
from tests.factories import AS_OF
from tests.rules import columns  # noqa: F401 - registers the columns
from tests.rules.examples import COLUMNS, parse

# What is the same in every language, or no text of ours: numbers, days, comparators, units, codes of the program.
SAME = re.compile(
    r"-?[\d.]+|\d{4}-\d\d-\d\d|[<>]?|(?=.*[\d/])[\w/*{}\[\].]+|fL|m?g|mm\[Hg\]"
    r"|[a-z]+(_[a-z]+)+|pe|URGENT|ACTION|TASK|INFO|EAT-10: \d+|Anti-[\w/-]+"
)
TYPED = {"why"}  # by a person
CODES = {"reasons", "gate", "option", "for", "against", "check", "deterioration_reasons", *JUDGED_BY}


@pytest.fixture(scope="module")
def marked() -> set[str]:
    ids = [message.id for message in extracted("django")]
    return {text for each in ids for text in ([each] if isinstance(each, str) else each)}


def _texts(value: Any, key: str = "") -> Iterator[str]:
    if key in TYPED | CODES:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, key)


def _unmarked(text: str, marked: set[str]) -> list[str]:
    """What of `text` no catalogue would have."""
    if SAME.fullmatch(text):
        return []
    found = known(text)
    if found is None:
        return [text]
    message, parts = found
    if SAME.fullmatch(message):
        return []
    rest = [part for name, value in parts.items() if name in ("word", "list") for part in value.split(", ")]
    words = "%" not in message or re.sub(r"%\(\w+\)s|\W", "", message)
    return [message] * bool(words and message not in marked) + [w for part in rest for w in _unmarked(part, marked)]


def _names(value: Any) -> Iterator[str]:
    """What is shown by the name the program has for it: keys inside a value of the evidence, and words of choices."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in CODES and not (name == "id" or name.endswith("_id")):
                yield from [name] if name not in alert._COLUMNS else []
                yield from _names(part)
    elif isinstance(value, list):
        for part in value:
            yield from _names(part)
    elif isinstance(value, str) and re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", value):
        yield value


def _names_of_rows(evidence: dict[str, Any], rule: Rule) -> Iterator[str]:
    labels = alert.LABELS | alert.LABELS_OF.get(rule.id, {})
    for name, value in evidence.items():
        if name in alert._NOT_ROWS | CODES or name.endswith(("_id", "_comparator")):
            continue
        if name not in labels and not (name.endswith("_on") and name[:-3] in evidence):
            yield name
        yield from _names(value)


@pytest.mark.django_db
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_word_of_the_evidence_stands_in_the_catalogue(rule: Rule, marked: set[str]) -> None:
    clinic = factories.centre()
    clerk = factories.person(clinic)
    for example in parse(rule.examples):
        patient = factories.patient(clinic, clerk)
        for name, cell in example.cells.items():
            COLUMNS[name](patient, cell)
    said: set[str] = set()
    names: set[str] = set()
    for finding in findings(rule, as_of=AS_OF):
        said |= {*_texts(finding.evidence or {}), *(finding.missing or ())}
        names |= {*_names_of_rows(finding.evidence or {}, rule)}
    assert {text: lost for text in said if (lost := _unmarked(text, marked))} == {}
    assert {name_in_words(name) for name in names} - marked == set()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_text_of_a_rule_stands_in_the_catalogue(rule: Rule, marked: set[str]) -> None:
    texts = {rule.title, rule.advice, *rule.not_considered, *rule.explanations.values()} - {""}
    assert texts - marked == set()
