"""Several people at once, each in a browser of their own, at one clinic on the running services."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from accounts.models import Centre
    from tests.browser.people import Person


@pytest.fixture
def clinic(live_clinic: str) -> Centre:
    from tests import factories

    return factories.centre(name="Riverside")


@pytest.fixture
def today(clinic: Centre) -> dt.date:
    """The running services have the real clock: days of these tests are counted from it, on the centre's calendar.

    A journey that begins in the last minutes of a day would end on another; it waits for the new one.
    """
    from django.utils import timezone

    while (now := timezone.now().astimezone(clinic.zone)).time() >= dt.time(23, 56):
        time.sleep(1)
    return now.date()


@pytest.fixture
def somebody(_browser: Browser, live_clinic: str, clinic: Centre) -> Iterator[Callable[..., Person]]:
    """`somebody(role, full_name=…, javascript=…, width=…)`: a new member in front of a new browser, not signed in yet.

    A script error, and a breach of the content security policy, fail the test.
    """
    from tests import factories
    from tests.browser.people import Person
    from tests.conftest import close_when_answered, unanswered_of

    contexts: list[Any] = []
    errors: list[str] = []

    def watch(page: Any) -> None:
        page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None,
        )

    def make(
        role: str = "clinician", *, javascript: bool = True, dark: bool = False, width: int = 1280, **fields: Any
    ) -> Person:
        context = _browser.new_context(
            base_url=live_clinic,
            viewport={"width": width, "height": 900},
            locale="en-GB",
            timezone_id="Europe/Berlin",
            java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(15_000)
        contexts.append((context, unanswered_of(context)))
        page = context.new_page()
        watch(page)
        return Person(factories.person(clinic, role, **fields), page)

    yield make
    for context, unanswered in contexts:
        close_when_answered(context, unanswered)
    assert not errors, errors
