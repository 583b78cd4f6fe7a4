"""Whoever asks for a page signs in and then sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASSWORD = "a long enough password"


@pytest.mark.browser
def test_signing_in_leads_to_the_page_asked_for(browser_page: Page, transactional_db: None) -> None:
    somebody = get_user_model().objects.create_user(
        username="somebody", email="somebody@example.org", password=PASSWORD, full_name="Some Body"
    )
    browser_page.goto("/login/password/change/")
    assert "/login/login/" in browser_page.url
    browser_page.fill("input[name=login]", somebody.email)
    browser_page.fill("input[name=password]", PASSWORD)
    browser_page.press("input[name=password]", "Enter")
    browser_page.wait_for_url("**/login/password/change/")
    assert browser_page.locator("input[name=oldpassword]").count() == 1
