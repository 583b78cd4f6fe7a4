"""GET patients/{id}/chart.svg and chart.png: the drawing of the patient's page."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from accounts.models import Centre, Role, Scope
from audit.models import Access
from tests import factories
from tests.api.clients import Clients
from tests.clinic.one_patient import full
from tests.factories import AS_OF, NOW

KINDS = [("svg", "image/svg+xml", b"<?xml"), ("png", "image/png", b"\x89PNG")]


@pytest.fixture(autouse=True)
def _on_the_day() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize(("ending", "content_type", "begins"), KINDS)
def test_the_chart_is_the_one_of_the_page(
    ending: str, content_type: str, begins: bytes, centre: Centre, client_of: Clients
) -> None:
    client = client_of(Role.CLINICIAN, Scope.READ)
    patient = full(centre, client.user, AS_OF)
    address = f"/api/v1/patients/{patient.public_id}/chart.{ending}"
    answer = client.get(address, HTTP_ACCEPT=content_type)
    assert (answer.status_code, answer["Content-Type"]) == (200, content_type)
    assert "no-store" in answer["Cache-Control"]
    drawn = answer.getvalue()
    assert drawn.startswith(begins)
    assert client.get(address).getvalue() == drawn
    assert Access.objects.filter(by=client.user, page="api.chart", patient=patient).count() == 2
    from django.test import Client

    browser = Client()
    browser.force_login(factories.person(centre))
    assert browser.get(f"/patients/{patient.public_id}/chart.{ending}").content == drawn


def test_it_is_kept_from_other_centres_researchers_and_strangers(centre: Centre, client_of: Clients) -> None:
    elsewhere = factories.centre()
    theirs = factories.patient(elsewhere, factories.person(elsewhere))
    ours = factories.patient(centre, factories.person(centre))
    assert (
        client_of(Role.CLINICIAN, Scope.READ).get(f"/api/v1/patients/{theirs.public_id}/chart.svg").status_code == 404
    )
    assert (
        client_of(Role.RESEARCHER, Scope.RESEARCH).get(f"/api/v1/patients/{ours.public_id}/chart.svg").status_code
        == 403
    )
    from django.test import Client

    refused = Client().get(f"/api/v1/patients/{ours.public_id}/chart.png")
    assert refused.status_code == 401
    assert refused.json()["detail"]
    assert not Access.objects.exists()
