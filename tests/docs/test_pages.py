"""Pages written by hand name only what is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from monitoring.rules import RULES
from tests.rules.examples import parse

ROOT = Path(settings.BASE_DIR)
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_hazard_has_a_proof_that_exists() -> None:
    """That it has one; the next test looks for it."""
    text = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
    hazards = [
        line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| hazard", "| ---"))
    ]
    assert len(hazards) > 30
    unproved = [line.split("|")[1].strip() for line in hazards if not TEST.search(line.split("|")[4])]
    assert not unproved


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_named_on_a_page_exist(page: Path) -> None:
    named = TEST.findall(page.read_text(encoding="utf-8"))
    assert not [f"{path}::{name}" for path, name in named if not (ROOT / path).exists() or name not in functions(path)]


def test_examples_named_on_a_page_are_in_the_table_of_their_rule() -> None:
    """Cases are quoted behind `the table of `rule-id`:`."""
    text = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    named = re.findall(r"the table of `([\w-]+)`: (.*?) \|", text)
    assert named
    for rule, cases in named:
        assert set(re.findall(r'"([^"]+)"', cases)) <= {example.case for example in parse(RULES[rule].examples)}, rule


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Pictures are made by `make screenshots`, which needs a running clinic; the next test knows their names."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = [
        target
        for target in LINK.findall(text)
        if "://" not in target and "docs/screenshots/" not in target and not (page.parent / target).exists()
    ]
    assert not broken


def test_pictures_are_those_that_the_script_makes() -> None:
    tree = ast.parse((ROOT / "docs" / "screenshots.py").read_text(encoding="utf-8"))
    names = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Shot"
        and isinstance(node.args[0], ast.Constant)
    }
    made = {f"{name}-{size}.png" for name in names for size in ("desk", "phone")}
    shown = re.findall(r"docs/screenshots/([\w-]+\.png)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown
    assert set(shown) <= made


def test_every_rule_change_is_told_apart() -> None:
    """What a rule says is a clinical matter: it has a heading of its own in every release."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert releases
    assert all("### Rules" in release for release in releases)
