"""Every sentence of the exchange can be said in another language."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import trans_real

from exchange import wording

EXCHANGE = Path(__file__).parents[2] / "exchange"


def sentences(module: str) -> list[str]:
    """The sentences of a module's code, each place filled with a word."""
    tree = ast.parse((EXCHANGE / f"{module}.py").read_text())
    aside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            aside.add(id(node.body[0].value))
        if isinstance(node, ast.JoinedStr):
            aside.update(id(value) for value in node.values)
    found = []
    for node in ast.walk(tree):
        if id(node) in aside:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(v.value) if isinstance(v, ast.Constant) else "word" for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if text.endswith(".") and " " in text:
            found.append(text)
    return found


@pytest.mark.parametrize("module", ["reading", "planning", "tables", "mapping"])
def test_every_sentence_is_known_to_the_catalogue(module: str) -> None:
    said = sentences(module)
    assert len(said) > 5
    assert [text for text in said if wording.recognised(text) is None] == []


def test_a_sentence_that_was_kept_is_said_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken = {"The row has no %(label)s.": "In der Zeile fehlt: %(label)s.", "date of birth": "Geburtsdatum"}
    german = trans_real.translation("de")
    monkeypatch.setattr(german, "gettext", lambda text: spoken.get(text, text))
    with translation.override("de"):
        assert wording.shown("The row has no date of birth.") == "In der Zeile fehlt: Geburtsdatum."
        assert wording.shown("Something of long ago") == "Something of long ago"
    assert wording.shown("The row has no date of birth.") == "The row has no date of birth."


@pytest.mark.parametrize(
    ("message", "places"),
    [
        ("The row has no unit.", {}),
        ("The value is not a number, with or without <, ≤, > or ≥.", {}),
        ("The upper limit is not a number.", {"label": "upper limit"}),
        ("tests.K+ (serum): there is no analyte “k”.", {"key": "tests.K+ (serum)", "code": "k"}),
    ],
)
def test_the_most_particular_sentence_is_recognised(message: str, places: dict[str, str]) -> None:
    known = wording.recognised(message)
    assert known is not None
    assert known[1] == places
