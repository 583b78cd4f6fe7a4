"""The demo clinic shows every rule at work."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Centre, User
from alerts.models import Alert, State
from monitoring.rules import RULES
from patients.models import Patient

pytestmark = pytest.mark.django_db

TODAY = dt.date(2025, 6, 16)


@pytest.fixture
def demo(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    call_command("seed_demo", today=TODAY, password="a demo for the test", verbosity=0)
    return tmp_path


def test_every_rule_has_an_open_alert_and_every_state_can_be_seen(demo) -> None:
    alerts = Alert.objects.filter(centre=Centre.objects.get(name__startswith="Riverside"))
    # The twelve-week milestone gives way to the one at 24 weeks; both need somebody.
    silent = set(RULES) - set(alerts.filter(state=State.OPEN).values_list("rule", flat=True))
    assert not silent
    assert set(alerts.values_list("state", flat=True)) == set(State.values)
    assert alerts.filter(level="URGENT", state=State.OPEN).exists()


def test_a_tenth_of_the_clinic_or_more_needs_nothing(demo) -> None:
    """A demo in which everybody is on every list shows nothing."""
    patients = Patient.objects.count()
    quiet = Patient.objects.exclude(alerts__level__in=["URGENT", "ACTION", "TASK"]).count()
    assert quiet > patients * 0.3


def test_the_logins_are_written_for_the_owner_only(demo) -> None:
    path = demo / ".local" / "demo-logins.txt"
    assert "a demo for the test" in path.read_text()
    signs_in_with = set(User.objects.filter(memberships__isnull=False).values_list("email", flat=True))
    assert signs_in_with == {word for word in path.read_text().split() if "@" in word}
    assert path.stat().st_mode & 0o077 == 0


def test_a_database_in_use_is_left_alone(demo) -> None:
    before = User.objects.count()
    with pytest.raises(CommandError):
        call_command("seed_demo", verbosity=0)
    assert User.objects.count() == before
