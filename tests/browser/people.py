"""What people do in front of a browser, by the words on the page."""

from __future__ import annotations

import datetime as dt
import re

from django.conf import settings
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from alerts.models import Alert
from patients.models import Patient

PASSWORD = "correct horse battery staple"


class Person:
    """Somebody of a centre and the page in front of them."""

    def __init__(self, user: User, page: Page) -> None:
        self.user, self.page = user, page
        page.on("dialog", lambda dialog: dialog.accept())

    # ------------------------------------------------------------------------------------------------ coming and going

    def signs_in(self) -> None:
        """By the sign-in page, as everybody does."""
        self.user.set_password(PASSWORD)
        self.user.save()
        self.page.goto("/")
        self.page.fill("[name=login]", self.user.email)
        self.page.fill("[name=password]", PASSWORD)
        self.presses("Sign in")
        expect(self.page).to_have_url(re.compile("/worklist/|/2fa/"))
        self.waits()

    def is_signed_in(self) -> None:
        """Without the page, where signing in is not what is tried."""
        client = Client()
        client.force_login(self.user)
        self.page.goto("/livez")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.page.url}])

    def opens(self, address: str) -> None:
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}"

    def opens_patient(self, patient: Patient, rest: str = "") -> None:
        self.opens(f"/patients/{patient.public_id}/{rest}")

    def opens_alert(self, alert: Alert) -> None:
        self.opens(f"/alerts/{alert.public_id}/")

    # ---------------------------------------------------------------------------------------------- seeing and doing

    def waits(self) -> None:
        """Until the page is there with its scripts: whoever presses a key sooner is not heard."""
        self.page.wait_for_load_state()

    def sees(self, *texts: str, within: str = "main") -> None:
        for text in texts:
            expect(self.page.locator(within).first).to_contain_text(text)
        self.waits()

    def does_not_see(self, *texts: str, within: str = "main") -> None:
        for text in texts:
            expect(self.page.locator(within).first).not_to_contain_text(text)

    def is_told(self, text: str) -> None:
        self.sees(text, within="#messages")

    def types(self, label: str, text: str, within: str = "main") -> None:
        self.waits()
        self.page.locator(within).get_by_label(label).first.fill(text)

    def chooses(self, label: str, option: str, within: str = "main") -> None:
        self.waits()
        self.page.locator(within).get_by_label(label).first.select_option(label=option)

    def presses(self, name: str, within: str = "body") -> None:
        self.waits()
        self.page.locator(within).get_by_role("button", name=name, exact=True).first.click()

    def follows(self, name: str, within: str = "main") -> None:
        self.waits()
        self.page.locator(within).get_by_role("link", name=name).first.click()

    def tabs_to(self, name: str, most: int = 150) -> None:
        """With the keyboard alone: on by Tab until the focus is on what bears this name."""
        self.waits()
        for _ in range(most):
            self.page.keyboard.press("Tab")
            focused = self.page.evaluate(
                "() => (document.activeElement.ariaLabel || document.activeElement.innerText || '').trim()"
            )
            if focused == name:
                return
        raise AssertionError(f"Tab does not lead to {name}")

    def tabs_to_box(self, label: str, most: int = 150) -> None:
        """With the keyboard alone: on by Tab until the focus is in the box that bears this label."""
        self.waits()
        for _ in range(most):
            self.page.keyboard.press("Tab")
            label_of = "() => (document.activeElement.labels?.[0]?.innerText || '').trim()"
            if str(self.page.evaluate(label_of)).startswith(label):
                return
        raise AssertionError(f"Tab does not lead to {label}")

    def keys(self, *pressed: str) -> None:
        self.waits()
        for key in pressed:
            self.page.keyboard.press(key)

    def unfolds(self, id_: str) -> Locator:
        """Opens the folded part of the page with this id."""
        part = self.page.locator(id_)
        if part.get_attribute("open") is None:
            part.locator("summary").first.click()
        return part

    # ---------------------------------------------------------------------------------------------------- whole errands

    def enters_ck(self, patient: Patient, value: str, on: dt.date) -> None:
        """By the panel page."""
        self.opens_patient(patient, "enter/results/")
        self.types("Day of the sample", on.isoformat())
        self.page.fill("#id_ck", value)
        self.page.fill("#id_ck_uln", "190")
        self.presses("Save the results")
        self.is_told("1 result saved.")

    def snoozes(self, alert: Alert, reason: str, remark: str) -> None:
        """On the alert's own page, for the time it offers."""
        self.opens_alert(alert)
        self.unfolds("#snooze")
        self.chooses("Reason", reason, within="#snooze")
        self.types("Remark", remark, within="#snooze")
        self.presses("Snooze", within="#snooze form")
        self.is_told("Snoozed.")
