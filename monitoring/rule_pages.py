"""The page of a rule for people, made from the rule's own file, so that the two cannot disagree.

`manage.py write_docs` writes them to docs/rules/. Markdown; nothing here reads the database or the clock.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType

from monitoring.rules.base import Citation, Confidence, Rule, plain

MADE = "<!-- Made by `make docs` from {source}. Edit that file, not this one. -->"
SURE = {
    Confidence.PRIMARY: "the paper or guideline itself",
    Confidence.SECONDARY: "somebody else's account of it",
    Confidence.GENERAL: "what is commonly known; nobody has looked it up yet",
    Confidence.LOCAL: "chosen here; another clinic may choose otherwise",
}
ABOUT = """\
Each rule is one file of `monitoring/rules/`, asked of the whole clinic at once: every night, and within seconds of a
new fact for the patients it is about. No rule here carries a person's approval; each source says how sure it is."""
TO_READ = """\
## How to read an example table

Every line is one made-up patient; the last column is what the rule must say of them. The tables run as tests against a
real database (`tests/rules/test_examples.py`).

- Days are counted from the day judged: `-14` is a fortnight before it, `3` three days ahead.
- `quiet`: nothing to say. `not evaluable`: the record does not hold what the rule needs; it says what is missing.
  `due +12`: nothing yet, it falls due in 12 days.
- `[ratio-action, confounded]` names the reasons that are given.
- What may stand in a column is written beside the function that reads it, in `tests/rules/columns_*.py`."""


def module_of(rule: Rule) -> ModuleType:
    """The file of the rule."""
    return importlib.import_module(f"monitoring.rules.{rule.id.replace('-', '_')}")


def question(rule: Rule) -> str:
    """What it asks, in the one sentence at the top of its file."""
    return " ".join((module_of(rule).__doc__ or "").split())


def rule_pages(rules: Mapping[str, Rule]) -> dict[str, str]:
    """{file name: Markdown}: a page for each rule, and README.md, the index."""
    return {"README.md": index(rules)} | {f"{rule.id}.md": page(rule, rules) for rule in rules.values()}


def index(rules: Mapping[str, Rule]) -> str:
    head = ["Rule", "Asks", "For", "Version", "Review due"]
    rows = [
        [f"[{r.id}]({r.id}.md)", question(r), str(r.audience.label), str(r.version), plain(r.review_due)]
        for r in rules.values()
    ]
    return "\n".join(
        [
            MADE.format(source="monitoring/rules/"),
            "# The clinical rules",
            "",
            ABOUT,
            "",
            *table(head, rows),
            "",
            TO_READ,
            "",
            "## How sure a source is",
            "",
            *(f"- **{word}**: {SURE[word]}." for word in Confidence),
            "",
        ]
    )


def page(rule: Rule, rules: Mapping[str, Rule]) -> str:
    source = f"monitoring/rules/{module_of(rule).__name__.rpartition('.')[2]}.py"
    lines = [MADE.format(source=source), f"# {rule.title}", "", question(rule), ""]
    lines += table(
        ["Rule", "For", "Version", "Review due", "Can say", "File"],
        [
            [
                f"`{rule.id}`",
                str(rule.audience.label),
                str(rule.version),
                plain(rule.review_due),
                ", ".join(levels(rule)),
                f"[{source}](../../{source})",
            ]
        ],
    )
    if rule.advice:
        lines += ["", f"**What to do.** {filled(rule, rule.advice)}"]
    if rule.asks:
        asked = ", ".join(f"[{other.id}]({other.id}.md)" for other in rule.asks)
        lines += ["", f"It also puts the question of {asked}, with that rule's own numbers."]
    lines += ["", "## Numbers it goes by", "", *parameters(rule)]
    lines += ["", "## What it says", ""]
    lines += ["Words in *italics* are filled in from the patient's record; numbers are those above.", ""]
    said = [[f"`{key}`", filled(rule, text)] for key, text in rule.explanations.items()]
    lines += table(["Reason", "Sentence"], said)
    lines += ["", "## Sources", "", *(f"- {cited(source)}" for source in rule.evidence)]
    lines += ["", "## What it did not consider", "", *(f"- {filled(rule, text)}" for text in rule.not_considered)]
    lines += ["", "## When its alert closes", "", closing(rule)]
    lines += ["", "## Example patients", "", "See [how to read this table](README.md).", "", *examples(rule), ""]
    return "\n".join(lines)


def levels(rule: Rule) -> list[str]:
    """The levels its example patients reach, worst first. A test holds the table to reaching what it can say."""
    said = {row[-1].split()[0] for row in rows_of(rule.examples)[1:]}
    return [level for level in ("URGENT", "ACTION", "TASK", "INFO") if level in said]


def closing(rule: Rule) -> str:
    if rule.closes is None:
        return "As soon as the rule no longer finds it, or when a person closes it."
    why = " ".join((rule.closes.__doc__ or "").split())
    return f"{why} Until then it stays open, unless a person closes it."


def cited(citation: Citation) -> str:
    place = f" ({citation.locator})" if citation.locator else ""
    doi = f" [doi:{citation.doi}](https://doi.org/{citation.doi})" if citation.doi else ""
    return f"{citation.text}{place}{doi} **{citation.confidence.value.capitalize()}.**"


def filled(rule: Rule, text: str) -> str:
    """A sentence with the rule's numbers in it; what comes from the record in italics."""

    def put(name: re.Match[str]) -> str:
        head, _, field = name[1].partition(".")
        return plain(getattr(rule.parameters, field)) if head == "p" else f"*{head.replace('_', ' ')}*"

    # What stands in the sentence itself is plain text; only what `put` adds is markup.
    return re.sub(r"\{([\w.]+)\}", put, escaped(text))


def parameters(rule: Rule) -> list[str]:
    remarks = {name: text for cls in reversed(type(rule.parameters).__mro__) for name, text in remarked(cls)}
    rows = []
    for field in dataclasses.fields(rule.parameters):
        value = getattr(rule.parameters, field.name)
        rows.append([f"`{field.name}`", escaped(plain(value)), escaped(remarks.get(field.name, ""))])
    about = [
        escaped(text)
        for cls in type(rule.parameters).__mro__
        # Of what is inherited, only what explains a number.
        if (text := written(cls)) and (cls is type(rule.parameters) or "`" in text)
    ]
    return [*table(["Parameter", "Value", "Meaning"], rows), *(line for text in about for line in ("", text))]


def written(cls: type) -> str:
    """The docstring somebody wrote; dataclasses make one up where there is none."""
    text = (cls.__dict__.get("__doc__") or "") if dataclasses.is_dataclass(cls) else ""
    return "" if text.startswith(f"{cls.__name__}(") else " ".join(text.split())


@cache
def remarked(cls: type) -> tuple[tuple[str, str], ...]:
    """(field, the comment behind it) of a dataclass, as its file has them."""
    if not dataclasses.is_dataclass(cls):
        return ()
    source = textwrap.dedent(inspect.getsource(cls))
    lines = source.splitlines()
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            rest = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
            found.append((node.target.id, rest.partition("#")[2].strip()))
    return tuple(found)


def rows_of(text: str) -> list[list[str]]:
    """The cells of a table of examples, its heading first."""
    return [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()]


def examples(rule: Rule) -> list[str]:
    heading, *rows = rows_of(rule.examples)
    return table(heading, [[escaped(cell) for cell in row] for row in rows])


def escaped(text: str) -> str:
    return re.sub(r"([*<\\])", r"\\\1", text)


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    def line(cells: list[str]) -> Iterator[str]:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return [text for cells in (head, ["---"] * len(head), *rows) for text in line(cells)]
