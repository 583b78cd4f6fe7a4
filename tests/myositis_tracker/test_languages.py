"""Pages in the reader's language, and catalogues that are whole."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import Role, User
from clinic.templatetags import days
from myositis_tracker import languages
from tests import factories

AS_OF = dt.date(2025, 6, 15)


@pytest.mark.parametrize("domain", ["django", "djangojs"])
@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_a_catalogue_is_whole(language: str, domain: str) -> None:
    """Every text of the code is translated, with the places it leaves open."""
    assert languages.wrong(language, domain) == []


@pytest.mark.parametrize("domain", ["django", "djangojs"])
@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_a_catalogue_is_kept_as_it_is_written(language: str, domain: str) -> None:
    """`make languages` was run after the newest change of a text."""
    assert languages.path_of(language, domain).read_bytes() == languages.written(languages.updated(language, domain))


def test_texts_are_found_wherever_people_read_them() -> None:
    found = {name.split("/")[0] for name, *_ in languages.texts("django")}
    assert found >= {"clinic", "monitoring", "therapy", "patients", "alerts", "accounts", "exchange", "templates"}
    said = {message for name, _, message, *_ in languages.texts("django") if name == "monitoring/rules/ck_rising.py"}
    assert "Creatine kinase is rising" in said
    assert any("{now_comparator}{now} U/L" in str(text) for text in said)


def test_what_keeps_a_catalogue_from_being_whole_is_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    missing = languages.wrong("de", "django")
    assert "not translated: today" in missing
    path = languages.path_of("de", "django")
    path.parent.mkdir(parents=True)
    path.write_text('msgid "%(n)s year"\nmsgid_plural "%(n)s years"\nmsgstr[0] "%(x)s Jahr"\nmsgstr[1] "%(n)s Jahre"\n')
    assert "other placeholders: %(n)s year" in languages.wrong("de", "django")


@pytest.mark.parametrize("said", ['Heute" onfocus="x()', "<img src=x>", "<b>Heute", "&lt;Heute"])
def test_a_translation_brings_no_markup_of_its_own(tmp_path, monkeypatch, said: str) -> None:
    """A page writes it as it is, into attributes too."""
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    path = languages.path_of("de", "django")
    path.parent.mkdir(parents=True)
    escaped = said.replace('"', '\\"')
    path.write_text(f'msgid "today"\nmsgstr "{escaped}"\n', encoding="utf-8")
    assert "other markup: today" in languages.wrong("de", "django")


@pytest.fixture
def clinician(db: None) -> User:
    return factories.person(factories.centre(), Role.CLINICIAN)


def read(person: User | None, path: str = "/worklist/", **headers: str) -> str:
    client = Client(headers=headers)
    if person:
        client.force_login(person)
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_page_is_in_the_language_of_the_profile_or_else_of_the_browser(clinician: User) -> None:
    assert '<html lang="en-gb"' in read(clinician)
    german = read(clinician, accept_language="de-AT,de;q=0.9,en;q=0.5")
    assert '<html lang="de"' in german
    assert "Arbeitsliste" in german
    clinician.language = "en-gb"
    clinician.save()
    assert '<html lang="en-gb"' in read(clinician, accept_language="de")
    clinician.language = "de"
    clinician.save()
    assert "Arbeitsliste" in read(clinician, accept_language="fr")


def test_who_is_not_signed_in_reads_the_language_of_the_browser(db: None) -> None:
    assert '<html lang="de"' in read(None, "/login/login/", accept_language="de")
    assert '<html lang="en-gb"' in read(None, "/login/login/", accept_language="fr")


def test_the_api_speaks_as_it_is_documented(clinician: User) -> None:
    clinician.language = "de"
    clinician.save()
    client = Client(headers={"accept_language": "de"})
    client.force_login(clinician)
    answer = client.get("/api/v1/nothing-there")
    assert answer.status_code == 404
    assert "Content-Language" not in answer.headers


def test_texts_of_scripts_are_the_same_for_everybody_and_kept(clinician: User) -> None:
    client = Client()
    client.force_login(clinician)
    answer = client.get("/words/de.js")
    assert "gettext" in answer.content.decode()
    assert "max-age" in answer.headers["Cache-Control"]
    assert "no-store" not in answer.headers["Cache-Control"]
    assert Client().get("/words/de.js").content == answer.content
    assert Client().get("/words/xx.js").status_code == 404


def test_days_and_numbers_are_written_by_locale() -> None:
    day = AS_OF - dt.timedelta(days=40)
    assert (days.written(day), days.ago(day, AS_OF), days.plain(Decimal("0.50"))) == (
        "6 May 2025",
        "6 weeks ago",
        "0.5",
    )
    with translation.override("de"):
        assert days.written(day) == "6. Mai 2025"
        assert days.ago(day, AS_OF) == "vor 6 Wochen"
        assert days.ago(AS_OF + dt.timedelta(days=1), AS_OF) == "morgen"
        assert (days.plain(Decimal("1200.50")), days.exact(Decimal("1200.50"))) == ("1200,5", "1200.5")
        assert days.age(dt.date(1990, 6, 16), AS_OF) == "34 Jahre"
