"""The patient's page says which blood tests are due, since when, and for which drugs."""

from __future__ import annotations

import re

import time_machine

from tests import factories
from tests.factories import NOW
from tests.rules.columns_safety import panels
from tests.rules.columns_therapy import doses


def read(browser, address: str) -> str:
    with time_machine.travel(NOW, tick=False):
        response = browser.get(address)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_it_names_the_test_the_drug_the_phase_and_the_days(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    doses(patient, "-400.. methotrexate 15 /7")
    panels(patient, "-99 albumin, -10 alt, -10 creatinine")
    browser = signed_in(clinician)
    page = read(browser, f"/patients/{patient.public_id}/")
    panel = page[page.index("Blood tests: what is due") :]
    assert re.search(r"Albumin Overdue Methotrexate: every 84 days, dose not raised since 11 May 2024", panel)
    assert re.search(r"Blood count Long overdue Methotrexate: every 14 days.*?never done", panel)
    assert re.search(r"Renal function, liver enzymes Methotrexate: every 84 days", panel)
    paper = read(browser, f"/patients/{patient.public_id}/print/")
    assert "Blood tests: what is due" in paper


def test_it_is_not_there_where_no_drug_asks_for_tests(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    doses(patient, "-400.. prednisone 40")
    assert "Blood tests: what is due" not in read(signed_in(clinician), f"/patients/{patient.public_id}/")
