"""What holds for every template and stylesheet, and that the pages round signing in come out in our own frame."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.forms import BooleanField, CharField, ChoiceField, DecimalField, Form, RadioSelect
from django.template.loader import render_to_string
from django.test import Client

PROJECT = Path(__file__).parents[2]
TEMPLATES = sorted(PROJECT.glob("templates/**/*.html"))
STYLES = sorted(PROJECT.glob("clinic/static/clinic/*.css"))
# A script with an address, or data that the browser does not run.
INLINE_SCRIPT = re.compile(r"<script(?![^>]*(\bsrc=|application/json))", re.IGNORECASE)
INLINE_STYLE = re.compile(r"<style\b|\sstyle=[\"']", re.IGNORECASE)
INLINE_HANDLER = re.compile(r"<[^>]*\s(on[a-z]+|hx-on[:a-z-]*)=[\"']", re.IGNORECASE)


def test_templates_were_found() -> None:
    assert len(TEMPLATES) > 40
    assert {"tokens.css", "base.css", "components.css", "chart.css", "print.css"} <= {path.name for path in STYLES}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_template_has_nothing_that_the_content_policy_would_block(path: Path) -> None:
    text = re.sub(r"{%.*?%}|{{.*?}}", "", path.read_text(), flags=re.DOTALL)
    for pattern in (INLINE_SCRIPT, INLINE_STYLE, INLINE_HANDLER):
        assert not pattern.search(text)


def test_every_icon_that_a_template_names_is_built() -> None:
    built = json.loads((PROJECT / "frontend/icons.json").read_text())["icons"]
    named = {
        name
        for path in TEMPLATES
        for tag in re.findall(r'{%\s*include "components/(?:icon|nav_item|empty)\.html".*?%}', path.read_text())
        for name in re.findall(r'icon="([\w-]+)"', tag)
        + (re.findall(r'name="([\w-]+)"', tag) if "icon.html" in tag else [])
    }
    assert len(named) > 20
    assert named <= set(built)


def test_a_colour_is_decided_in_one_place() -> None:
    for path in STYLES:
        if path.name not in {"tokens.css", "print.css"}:
            found = re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(", path.read_text().replace("#ffffff; border: 1px", ""))
            assert found == [], path.name


def test_the_lock_names_no_registry_and_checks_every_package() -> None:
    packages = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
    assert len(packages) > 5
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or package.get("integrity", "").startswith("sha512-"), name


class Example(Form):
    dose = DecimalField(label="Dose", min_value=0, help_text="mg a day")
    outcome = ChoiceField(label="Outcome", choices=[("a", "Attended"), ("b", "Missed")], widget=RadioSelect)
    note = CharField(label="Note", required=False)
    rest = BooleanField(label="After rest", required=False)


def test_a_form_says_every_error_at_once_beside_its_box_and_in_a_summary() -> None:
    page = str(Example({"dose": "-1", "note": "kept <typed>"}))
    assert page.count('class="errorlist"') == 2
    assert re.search(r'<input[^>]*name="dose"[^>]*aria-invalid="true"', page)
    described = re.search(r'<input[^>]*name="dose"[^>]*aria-describedby="([^"]+)"', page)
    assert described is not None
    for target in described.group(1).split():
        assert f'id="{target}"' in page
    summary = page[page.index("error-summary") : page.index("</ul>")]
    assert 'href="#id_dose"' in summary
    assert "Outcome" in summary
    assert 'value="kept &lt;typed&gt;"' in page
    assert 'value="-1"' in page


def test_a_form_without_errors_says_what_may_stay_empty() -> None:
    page = str(Example())
    assert "error-summary" not in page
    assert page.count("(optional)") == 1
    assert 'class="form-control"' in page
    assert 'class="form-check-input"' in page


@pytest.mark.parametrize(
    ("level", "word", "icon"),
    [
        ("URGENT", "Urgent", "alert-urgent"),
        ("ACTION", "Action", "alert"),
        ("TASK", "Task", "task"),
        ("INFO", "Info", "info"),
    ],
)
def test_a_level_is_a_word_and_an_icon_and_not_only_a_colour(level: str, word: str, icon: str) -> None:
    badge = render_to_string("components/level.html", {"level": level})
    assert word in badge
    assert f"icons.svg#{icon}" in badge


def test_zero_is_a_value_and_nothing_is_said_to_be_missing() -> None:
    facts = {"items": [{"label": "A", "value": 0}, {"label": "B", "value": None}, {"label": "C", "value": ""}]}
    page = render_to_string("components/facts.html", facts)
    assert page.count("Not recorded") == 2
    assert "<dd>0</dd>" in page
    assert "Not recorded" not in render_to_string("components/stat.html", {"label": "Open", "value": 0})
    assert "Not recorded" in render_to_string("components/stat.html", {"label": "Open", "value": None})


def test_the_freshness_strip_never_says_checked_before_a_check_has_finished() -> None:
    page = render_to_string("components/freshness.html", {"freshness": {"at": None, "rules": 5, "patients": 9}})
    assert "Never checked" in page
    assert "is-stale" in page
    assert 'role="alert"' in page


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "500"])
def test_an_error_page_needs_nothing_and_shows_nothing_of_the_request(code: str) -> None:
    page = render_to_string(f"{code}.html")
    assert "<h1>" in page
    assert render_to_string(f"{code}.html", {"request_path": "/x", "exception": "Jane Doe"}) == page


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/login/login/", "/login/password/reset/", "/login/password/reset/done/", "/login/inactive/"]
)
def test_pages_for_people_who_are_not_signed_in(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    page = response.content.decode()
    assert "entrance-card" in page
    assert not INLINE_STYLE.search(page)
    assert not INLINE_SCRIPT.search(page)


@pytest.mark.django_db
def test_a_wrong_password_is_said_and_the_address_is_kept(client: Client) -> None:
    response = client.post("/login/login/", {"login": "nobody@example.org", "password": "wrong"})
    page = response.content.decode()
    assert 'value="nobody@example.org"' in page
    assert "notice-error" in page or "errorlist" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/login/password/change/", "/login/2fa/", "/login/2fa/totp/activate/", "/login/sessions/", "/login/logout/"],
)
def test_pages_of_ones_own_account(client: Client, path: str) -> None:
    user = get_user_model().objects.create_user(
        username="amara", email="amara@example.org", password="not a real one 9"
    )
    client.force_login(user)
    response = client.get(path, follow=True)
    assert response.status_code == 200
    page = response.content.decode()
    assert "<h1>" in page
    assert "clinic/components.css" in page
    assert not INLINE_STYLE.search(page)
    assert not INLINE_SCRIPT.search(page)
