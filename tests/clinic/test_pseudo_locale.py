"""Every text of every page can be translated: in a made-up language, whatever is not in brackets was not marked.

PAGES=taper pytest tests/clinic/test_pseudo_locale.py    only the addresses with this word in them
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import allauth
import django
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.apps import apps
from django.db import models, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import trans_real

from accounts.models import Role, User
from exchange.models import HeldRow
from myositis_tracker import languages
from tests.clinic.test_every_address import ALL, QUERY, is_api
from tests.clinic.world import World, fill, roles_with

PSEUDO = "en-xa"
LIBRARIES = (
    Path(allauth.__file__).parent,
    Path(django.__file__).parent / "conf",
    Path(django.__file__).parent / "forms",
)
BLOCKS = {"p", "li", "td", "th", "dd", "dt", "div", "section", "h1", "h2", "h3", "label", "button", "legend", "caption"}
SPOKEN = ("aria-label", "title", "placeholder", "alt", "data-label", "data-key-label", "label")
# Words that are the same in every language: units, names of the trade, what the world of the tests calls itself.
EVERYWHERE = {
    "Myositis", "Tracker", "kPa", "mmol", "umol", "nmol", "pmol", "µmol", "nkat", "ukat", "µkat", "kat", "mosm", "mmHg",
    "log10", "min", "max", "dma", "mol", "English", "Deutsch", "Pseudo", "csv", "tel", "org", "Esc", "Tab", "Enter",
    "Home", "gamma", "Scl", "doi", "End", "Ctrl", "Shift", "anti", "Anti",
}  # fmt: skip
NOT_FOR_PEOPLE = {"clinic:styleguide"}  # for those who build pages
DAYS = re.compile(
    r"\b(Jan(uary)?|Feb(ruary)?|Mar(ch)?|Apr(il)?|May|June?|July?|Aug(ust)?|Sep(tember|t\.?)?|Oct(ober)?|Nov(ember)?|"
    r"Dec(ember)?|Mon(day)?|Tue(s?day)?|Wed(nesday)?|Thu(rsday)?|Fri(day)?|Sat(urday)?|Sun(day)?|a\.m|p\.m|noon|midnight)\b"
)


class Texts(HTMLParser):
    """What a person reads or is read of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.path: list[tuple[str, bool]] = []
        self.depth = 0  # of brackets that are open: a text may hold links and times

    @property
    def silent(self) -> bool:
        return any(silent for _, silent in self.path)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        silent = tag in {"script", "style", "svg", "code", "pre", "textarea"} or given.get("translate") == "no"
        if not self.silent and not silent:
            self.found += [given[name] or "" for name in SPOKEN if name in given]
            if tag == "input" and given.get("type") in {"submit", "button"}:
                self.found.append(given.get("value") or "")
        if tag not in {"input", "br", "hr", "img", "meta", "link", "wbr", "col", "source"}:
            self.path.append((tag, silent))

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.depth = 0
        while self.path:
            if self.path.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        outside = ""
        for letter in data:
            self.depth = max(0, self.depth + {"⟦": 1, "⟧": -1}.get(letter, 0))
            outside += letter if self.depth == 0 and letter != "⟧" else " "
        if outside.strip():
            self.found.append(outside)


def pseudo(text: str) -> str:
    return f"⟦{text}⟧"


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every text of the code in brackets, as a catalogue of its own; those of the libraries too."""
    made = Catalog(locale="en", charset="utf-8", fuzzy=False)
    found = list(languages.extracted("django"))
    for library in LIBRARIES:
        for path in library.glob("locale/de/LC_MESSAGES/django.po"):
            with path.open("rb") as file:
                found += list(read_po(file, locale="de"))
    for message in found:
        if message.id:
            said = tuple(map(pseudo, message.id)) if isinstance(message.id, tuple | list) else pseudo(str(message.id))
            made.add(message.id, said, context=message.context)
    folder = tmp_path_factory.mktemp("locale")
    path = folder / "en_XA" / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, made)
    return folder


@pytest.fixture
def pseudo_locale(catalogue: Path, settings: Any) -> Iterator[None]:
    settings.LOCALE_PATHS = [str(catalogue)]
    trans_real._translations.pop(PSEUDO, None)
    yield
    trans_real._translations.pop(PSEUDO, None)


def data_of_the_record() -> list[str]:
    """What people and machines wrote into the record, the longest first. Constants of the code are no data."""
    said = {str(value) for row in HeldRow.objects.values_list("data", flat=True) for value in row.values()}
    for model in apps.get_models():
        if model._meta.proxy or not model._meta.managed or model._meta.label.startswith(("audit.", "sessions.")):
            continue
        names = [
            f.attname
            for f in model._meta.concrete_fields
            if isinstance(f, models.CharField | models.TextField | models.EmailField | models.UUIDField)
            and not f.choices
        ]
        for row in model._base_manager.values_list(*names) if names else ():
            said.update(str(value) for value in row if value)
    return sorted((text for text in said if len(text) > 2), key=len, reverse=True)


def unmarked(text: str, data: list[str]) -> str:
    """What is left of `text` without what is in brackets, what is data, and what is the same everywhere."""
    left = text
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", " ", left)) != left:
        left = shorter
    if not re.search(r"[A-Za-z]{3}", left):
        return ""
    for known in data:
        left = left.replace(known, " ")
    left = DAYS.sub(" ", left)
    words = [w for w in re.findall(r"[^\W\d_]{3,}", left) if w not in EVERYWHERE and not w.isupper()]
    return " ".join(text.split()) if words else ""


class Reader:
    """Somebody of the world who reads in the made-up language."""

    def __init__(self, world: World, person: User) -> None:
        self.world, self.person = world, person
        User.objects.filter(pk=person.pk).update(language=PSEUDO)
        self.client = Client(raise_request_exception=False)  # that pages work is another test's
        self.client.force_login(person)
        self.data = data_of_the_record()
        self.found: dict[str, str] = {}

    def read(self, where: str, answer: Any) -> None:
        if answer.status_code == 302 or "html" not in answer.headers.get("Content-Type", ""):
            return
        texts = Texts()
        texts.feed(answer.content.decode())
        for text in texts.found:
            if left := unmarked(text, self.data):
                self.found.setdefault(left, where)

    def ask(self, address: Any) -> None:
        for method in ("GET", "POST"):
            with transaction.atomic():
                url = reverse(address.name, kwargs=fill(address, self.world, self.person)) + QUERY.get(address.name, "")
                self.read(
                    f"{method} {address.route}", self.client.get(url) if method == "GET" else self.client.post(url)
                )
                transaction.set_rollback(True)


@pytest.fixture
def world(db: None, on_the_day: None) -> World:
    return World()


@pytest.mark.parametrize("role", list(Role))
def test_every_text_of_every_page_is_marked(world: World, role: str, pseudo_locale: None) -> None:
    person = world.clinician if role == Role.CLINICIAN else world.member(role)
    reader = Reader(world, person)
    seen = 0
    for address in ALL:
        permission = getattr(address.view, "permission", None)
        if is_api(address) or (permission is not None and role not in roles_with(permission)):
            continue
        if os.environ.get("PAGES", "") in address.route and address.name not in NOT_FOR_PEOPLE:
            reader.ask(address)
            seen += 1
    assert seen, "no page has this word in its address"
    assert not reader.found, "\n".join(f"{where}: {text[:150]}" for text, where in reader.found.items())


def test_what_is_not_marked_is_seen(pseudo_locale: None) -> None:
    with translation.override(PSEUDO):
        assert translation.gettext("today") == "⟦today⟧"
    data = ["Ann Example"]
    assert unmarked("⟦⟦today⟧, 12⟧ mg", data) == unmarked("Ann Example, 3 Jun 2025", data) == unmarked("CK", data) == ""
    assert unmarked("Save ⟦today⟧", data) == "Save ⟦today⟧"
