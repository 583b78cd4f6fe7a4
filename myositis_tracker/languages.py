"""Texts in other languages: read out of the code, kept as catalogues, made ready for use.

    python -m myositis_tracker.languages update     every text of the code into locale/<language>/LC_MESSAGES/*.po
    python -m myositis_tracker.languages compile    the catalogues into the form that is read while running
    python -m myositis_tracker.languages check      fails where a text is missing or not translated

The English text is its own key. A text is marked by gettext, by N_ (common/words.py), by the tags of templates; the
texts of a rule are those of its file. Needs no database.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / "myositis_tracker" / "locale"
LANGUAGES = ("de",)
APPS = (
    "accounts", "alerts", "audit", "clinic", "common", "exchange", "monitoring", "myositis_tracker", "patients",
    "research", "therapy",
)  # fmt: skip
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "N_": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "action": (2,),  # what the trail says was done: audit/attribution.py
}

PLACES = re.compile(r"%\(\w+\)\w|\{[\w.]+\}")
MARKUP = re.compile(r"""</?[A-Za-z!][^>]*>|[<>"]|&#?\w+;""")

Found = tuple[str, int, Any, list[str], str | None]  # file, line, message, comments, context


def texts(domain: str) -> Iterator[Found]:
    """Every marked text: domain "django" of Python and templates, "djangojs" of scripts."""
    if domain == "djangojs":
        for path in sorted(PROJECT.glob("clinic/static/clinic/*.js")):
            yield from _read(path, "javascript", path.read_bytes())
        return
    for path in sorted(p for app in APPS for p in (PROJECT / app).rglob("*.py") if "migrations" not in p.parts):
        yield from _read(path, "python", path.read_bytes())
    yield from _of_rules()
    for path in sorted((PROJECT / "templates").rglob("*")):
        if path.is_file():
            yield from _read(path, "python", _python_of(path))


def _read(path: Path, method: str, content: bytes) -> Iterator[Found]:
    name = str(path.relative_to(PROJECT))
    for line, message, comments, context in extract(
        method,
        io.BytesIO(content),
        KEYWORDS,
        comment_tags=("Translators:",),
        options={"encoding": "utf-8", "parse_template_string": True},
    ):
        yield name, line, message, comments, context


def _python_of(path: Path) -> bytes:
    """A template as Python with the same texts on the same lines."""
    # Imported here: compiling needs no Django.
    from django.utils.translation.template import templatize

    made = templatize(path.read_text(encoding="utf-8"), origin=str(path.relative_to(PROJECT)))
    return "\n".join(line.strip() for line in made.splitlines()).encode()  # its indents are those of the template


def _of_rules() -> Iterator[Found]:
    """What the rules say, as their files make it: often out of parts, which no reading of the source would join."""
    import django
    from django.apps import apps

    if not apps.ready:  # asked from a shell: settings are needed, servers are not
        nowhere = {"MODE": "test", "DATABASE_URL": "postgresql://nowhere/none", "REDIS_URL": "redis://nowhere/0"}
        for name, value in (nowhere | {"DJANGO_SETTINGS_MODULE": "myositis_tracker.settings"}).items():
            os.environ.setdefault(name, value)
        django.setup()
    from monitoring.rule_texts import texts as texts_of_rules

    for rule, text in texts_of_rules():
        yield f"monitoring/rules/{rule.replace('-', '_')}.py", 0, text, [], None


@cache
def extracted(domain: str) -> Catalog:
    """All texts of the code, untranslated."""
    catalog = Catalog(project="Myositis tracker", charset="utf-8", fuzzy=False)
    for name, _, message, comments, context in texts(domain):
        catalog.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    return catalog


def path_of(language: str, domain: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{domain}.po"


def kept(language: str, domain: str) -> Catalog:
    """The catalogue as it stands in the repository; empty where there is none."""
    path = path_of(language, domain)
    if not path.exists():
        return Catalog(locale=language, domain=domain)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def updated(language: str, domain: str) -> Catalog:
    """The catalogue with the texts of today; what is translated stays, what is gone goes. Nothing is guessed."""
    old, new = kept(language, domain), Catalog(locale=language, domain=domain, charset="utf-8", fuzzy=False)
    for message in extracted(domain):
        if message.id:
            before = old.get(message.id, message.context)
            new.add(
                message.id,
                before.string if before else None,
                locations=sorted({(name, 0) for name, _ in message.locations}),
                auto_comments=message.auto_comments,
                context=message.context,
                flags=message.flags,
            )
    return new


def written(catalog: Catalog) -> bytes:
    """As it is kept: sorted, without line numbers, so that a change shows what changed."""
    out = io.BytesIO()
    write_po(out, catalog, width=120, sort_output=True, omit_header=True, include_lineno=False)
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    return (
        f'{head}"Language: {catalog.locale}\\n"\n"Plural-Forms: {catalog.plural_forms}\\n"\n\n'.encode()
        + out.getvalue()
    )


def untranslated(catalog: Catalog) -> list[str]:
    def lacks(message: Any) -> bool:
        said = message.string if isinstance(message.string, tuple | list) else (message.string,)
        return not said or not all(said)

    return [str(message.id) for message in catalog if message.id and lacks(message)]


def wrong(language: str, domain: str) -> list[str]:
    """What keeps the catalogue from being whole: a text that is missing, not translated, with other placeholders or
    markup. A page writes its own texts as they are: what is markup in a translation is markup in the page.
    """
    catalog = updated(language, domain)
    found = [f"not translated: {text[:90]}" for text in untranslated(catalog)]
    for message in catalog:
        if isinstance(message.id, str) and isinstance(message.string, str):
            if message.id and message.string and _places([message.id]) != _places([message.string]):
                found.append(f"other placeholders: {message.id[:90]}")
        elif (
            message.id and message.string and all(message.string) and not _places(message.string) <= _places(message.id)
        ):
            found.append(f"other placeholders: {message.id[0][:90]}")  # a singular may say "one" where a plural counts
        if message.id and not _markup(_all(message.string)) <= _markup(_all(message.id)):
            found.append(f"other markup: {_all(message.id)[0][:90]}")
    return found


def _all(said: Any) -> list[str]:
    return [text for text in (said if isinstance(said, list | tuple) else [said]) if text]


def _markup(texts: Iterable[str]) -> set[str]:
    """Whole tags, and whatever else could begin one or end an attribute."""
    return {mark for text in texts for mark in MARKUP.findall(text)}


def _places(texts: Iterable[str]) -> set[str]:
    return {place for text in texts if text for place in PLACES.findall(text)}


def compile_all() -> None:
    for path in FOLDER.glob("*/LC_MESSAGES/*.po"):
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.parts[-3], domain=path.stem)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
    english = FOLDER / "en_GB" / "LC_MESSAGES" / "django.mo"
    english.parent.mkdir(parents=True, exist_ok=True)
    with english.open("wb") as file:
        write_mo(file, _as_they_are(kept(LANGUAGES[0], "django")))


def _as_they_are(catalog: Catalog) -> Catalog:
    """The English of the texts, each its own. Without it every text of a page is looked for in vain in the English
    catalogues of all the packages used, one after the other.
    """
    english = Catalog(locale="en_GB", domain=catalog.domain, charset="utf-8", fuzzy=False)
    for message in catalog:
        if message.id:
            english.add(message.id, message.id, context=message.context, flags=message.flags)
    return english


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m myositis_tracker.languages")
    parser.add_argument("what", choices=("update", "compile", "check"))
    what = parser.parse_args(arguments).what
    if what == "compile":
        compile_all()
        return 0
    status = 0
    for language in LANGUAGES:
        for domain in ("django", "djangojs"):
            if what == "update":
                path = path_of(language, domain)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(written(updated(language, domain)))
            errors = wrong(language, domain)
            status |= what == "check" and bool(errors)
            sys.stdout.write(f"{language} {domain}: {len(errors)} texts to do\n")
            for error in errors if what == "check" else ():
                sys.stdout.write(f"  {error}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
