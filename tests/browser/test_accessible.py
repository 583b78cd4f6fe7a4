"""No page breaks the rules of accessibility that a machine can check, in light and in dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from accounts.models import Role
from exchange import actions as exchange
from exchange.mapping import LABS
from tests.browser.people import Person
from tests.clinic.one_patient import full
from tests.exchange import files

pytestmark = pytest.mark.browser

# Beside the worklist and the lists next to it, which test_worklist.py looks at.
OF_PATIENT = (
    "", "results/", "print/", "details/", "antibodies/", "consent/", "exceptions/", "trail/", "enter/results/",
    "enter/assessment/", "enter/strength/", "enter/lung-function/", "enter/waiver/", "treatment/", "treatment/start/",
    "treatment/start/?drug=methotrexate", "taper/", "taper/plan/", "physiotherapy/", "cancer-screening/",
)  # fmt: skip
PAGES = (
    "/worklist/", "/overview/", "/trail/", "/rules/", "/rules/ck-rising/", "/patients/", "/patients/new/",
    "/physiotherapy/", "/exchange/", "/exchange/upload/", "/exchange/quarantine/", "/accounts/profile/",
    "/api/v1/docs", "/login/2fa/",
)  # fmt: skip


def violations(person: Person, address: str) -> list[str]:
    person.opens(address)
    found = Axe().run(person.page).response["violations"]
    return [f"{address}: {v['id']}: {node['html'][:160]}" for v in found for node in v["nodes"][:3]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_violations(clinic: Any, somebody: Callable[..., Person], today: Any, scheme: str) -> None:
    person = somebody(Role.CLINICIAN, dark=scheme == "dark")
    wrong = violations(person, "/login/login/")
    person.signs_in()
    patient = full(clinic, person.user, today)
    alert = patient.alerts.get(rule="ck-rising")
    files.commit(clinic, person.user, {"patient_number": "nobody"})
    held = clinic.imports.get().held_rows.get()
    pending = exchange.keep_upload(
        centre=clinic, kind=LABS, content=files.csv_bytes({"patient_number": "nobody"}, {}), file_name="labs.csv",
        mapping=files.mapping(), source_name="Lab", by=person.user, now=timezone.now(),
    )  # fmt: skip
    for address in (
        *PAGES,
        *(f"/patients/{patient.public_id}/{rest}" for rest in OF_PATIENT),
        f"/alerts/{alert.public_id}/",
        f"/exchange/quarantine/{held.public_id}/",
        f"/exchange/imports/{held.batch.public_id}/",
        f"/exchange/upload/{pending.public_id}/",
    ):
        wrong += violations(person, address)
    theme = person.page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert scheme in theme, "the page is shown in the scheme that was asked for"
    assert wrong == [], "\n".join(["", *wrong])


@pytest.mark.parametrize(
    ("role", "address"), [("administrator", "/accounts/people/"), ("researcher", "/research/releases/")]
)
def test_no_violations_for_other_roles(somebody: Callable[..., Person], role: str, address: str) -> None:
    person = somebody(role)
    person.is_signed_in()
    assert violations(person, address) == []
