"""Every text of the rules that a person reads, for the catalogues of other languages."""

from __future__ import annotations

from collections.abc import Iterator

from monitoring.bounds import fields
from monitoring.rule_pages import remarked
from monitoring.rules import RULES
from monitoring.words import name_in_words


def texts() -> Iterator[tuple[str, str]]:
    """(id of the rule, text): as its file makes them, some out of several parts; and the names of its numbers, with
    what its file remarks about them.
    """
    for rule in RULES.values():
        remarks = [text for cls in type(rule.parameters).__mro__ for _, text in remarked(cls)]
        names = [name_in_words(field.name) for field in fields(rule)]
        for text in (rule.title, rule.advice, *rule.not_considered, *rule.explanations.values(), *names, *remarks):
            if text:
                yield rule.id, text
