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
def demo(request, tmp_path, settings):
    """The demo clinic, of its usual size unless a test needs few."""
    settings.BASE_DIR = tmp_path
    few = {"patients": request.param} if hasattr(request, "param") else {}
    call_command("seed_demo", today=TODAY, password="a demo for the test", verbosity=0, **few)
    return tmp_path


def test_every_rule_has_an_open_alert_and_every_state_can_be_seen(demo) -> None:
    """And not everybody is on every list: that would show nothing."""
    alerts = Alert.objects.filter(centre=Centre.objects.get(name__startswith="Riverside"))
    # The twelve-week milestone gives way to the one at 24 weeks; both need somebody.
    silent = set(RULES) - set(alerts.filter(state=State.OPEN).values_list("rule", flat=True))
    assert not silent
    assert set(alerts.values_list("state", flat=True)) == set(State.values)
    assert alerts.filter(level="URGENT", state=State.OPEN).exists()
    patients = Patient.objects.count()
    quiet = Patient.objects.exclude(alerts__level__in=["URGENT", "ACTION", "TASK"]).count()
    assert quiet > patients * 0.3


@pytest.mark.parametrize("demo", [3], indirect=True)
def test_the_logins_are_written_for_the_owner_only(demo) -> None:
    path = demo / ".local" / "demo-logins.txt"
    assert "a demo for the test" in path.read_text()
    signs_in_with = set(User.objects.filter(memberships__isnull=False).values_list("email", flat=True))
    assert signs_in_with == {word for word in path.read_text().split() if "@" in word}
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("demo", [3], indirect=True)
def test_a_database_in_use_is_left_alone(demo) -> None:
    before = User.objects.count()
    with pytest.raises(CommandError):
        call_command("seed_demo", verbosity=0)
    assert User.objects.count() == before
