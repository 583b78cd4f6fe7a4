"""What the frame of every page says, and what it costs."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Role
from alerts.models import Sweep, Upcoming
from clinic.context import frame
from tests import factories
from tests.clinic.one_patient import alert
from tests.factories import AS_OF, NOW


def asked_by(membership: Membership | None):
    request = RequestFactory().get("/")
    request.membership = membership
    return request


def test_the_frame_counts_what_waits_for_this_role_in_this_centre(clinic, clinician) -> None:
    patient = factories.patient(clinic, clinician)
    alert(patient, "ck-rising", "ACTION", AS_OF)
    alert(patient, "physio-missed", "TASK", AS_OF, audience="physiotherapist")
    alert(patient, "taper-dose-raised", "INFO", AS_OF)
    elsewhere = factories.centre()
    alert(factories.patient(elsewhere, factories.person(elsewhere)), "ck-rising", "ACTION", AS_OF)
    for days in (14, 15):
        Upcoming.objects.create(
            centre=clinic, patient=patient, rule="taper-step-due", subject=f"plan:{days}", evidence={},
            due_on=AS_OF + dt.timedelta(days=days),
        )  # fmt: skip
    counts = frame(asked_by(clinician.memberships.get()))["nav_counts"]
    assert counts == {"worklist": 1, "due": 1, "quarantine": 0}
    physio = factories.person(clinic, Role.PHYSIOTHERAPIST).memberships.get()
    assert frame(asked_by(physio))["nav_counts"] == {"worklist": 1, "due": 1}


def test_the_frame_counts_no_further_than_it_says(clinic, clinician, monkeypatch) -> None:
    """Every page shows these numbers: counting ninety thousand alerts for each would make all of them slow."""
    monkeypatch.setattr("clinic.context.COUNTED_TO", 2)
    membership = clinician.memberships.get()
    for number, said in ((1, 1), (2, 2), (3, "2+"), (4, "2+")):
        alert(factories.patient(clinic, clinician), "ck-rising", "ACTION", AS_OF)
        assert frame(asked_by(membership))["nav_counts"]["worklist"] == said, number


def test_nobody_is_told_of_a_centre_that_is_not_theirs(clinic) -> None:
    assert frame(asked_by(None)) == {}
    assert frame(RequestFactory().get("/")) == {}
    assert frame(asked_by(factories.person(clinic, Role.RESEARCHER).memberships.get())) == {}


def test_a_fragment_asks_nothing_and_a_page_asks_little(clinic, clinician) -> None:
    membership = Membership.objects.select_related("centre").get(user=clinician)
    with CaptureQueriesContext(connection) as queries:
        context = frame(asked_by(membership))
        Template("a part without a frame").render(Context(context))
    assert len(queries) == 0
    with CaptureQueriesContext(connection) as queries:
        for _ in range(3):  # asked once, shown wherever a template wants it
            Template("{{ freshness.at }}{{ nav_counts.worklist }}{{ nav_counts.due }}").render(Context(context))
    assert 0 < len(queries) <= 6


def test_the_frame_turns_red_by_itself_after_26_hours(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    browser = signed_in(clinician)
    address = f"/patients/{patient.public_id}/"
    assert "Never checked" in browser.get(address).content.decode()
    at = NOW - dt.timedelta(hours=26)
    sweep = Sweep.objects.create(centre=clinic, as_of=AS_OF, started_at=at, dispatched_at=at, finished_at=at)
    assert "Checked 09:00" in browser.get(address).content.decode()  # of yesterday, on the clock of Berlin
    Sweep.objects.filter(pk=sweep.pk).update(finished_at=at - dt.timedelta(seconds=1))
    text = browser.get(address).content.decode()
    assert "Not checked since 14 Jun, 08:59" in text
    assert 'role="alert"' in text.split('id="freshness"')[1].split(">")[0]
