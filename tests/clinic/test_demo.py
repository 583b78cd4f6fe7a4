"""The demo clinic shows every rule at work."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Centre, User
from alerts.models import ON_LISTS, Alert, State
from alerts.outcomes import LABELS, with_outcome
from clinic.models import Figures
from clinic.runchart import FEWEST
from clinic.selectors import remission
from clinic.selectors.figures import Burden, Month
from clinic.selectors.patients import followed
from monitoring.rules import RULES
from patients.models import Patient
from patients.selectors import duplicates
from therapy.models import PhysioSession

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
    waiting = Alert.objects.filter(level__in=ON_LISTS, closed_at__isnull=True)
    quiet = Patient.objects.exclude(pk__in=waiting.values("patient")).count()
    assert quiet > patients * 0.3


def test_the_overview_has_a_past_and_a_believable_share_in_remission(demo) -> None:
    centre = Centre.objects.get(name__startswith="Riverside")
    months = [Month(**month) for month in Figures.objects.get(centre=centre).months]
    assert len(months) == 24
    assert all(month.remission + month.active >= FEWEST for month in months)
    assert len({month.remission for month in months}) > 5, "the record as it stood, not as it stands"
    newest = months[-1]
    assert 0.2 <= newest.remission / (newest.remission + newest.active) <= 0.35
    assert sum(month.touched >= FEWEST for month in months) >= 8
    assert remission.of_state(followed(centre, TODAY), centre, remission.UNKNOWN, TODAY).count() >= 3

    burden = [Burden(**line) for line in Figures.objects.get(centre=centre).burden["clinicians"]]
    for clinician in burden:
        assert clinician.acted
        assert clinician.overridden
    became = set(with_outcome(Alert.objects.filter(centre=centre)).values_list("outcome", flat=True))
    assert became == set(LABELS)

    # Somebody is registered twice, and will be found when the two are compared.
    twice = Patient.objects.filter(centre=centre).latest("pk")
    alike = duplicates(centre, given_name=twice.given_name, family_name=twice.family_name, born_on=twice.born_on)
    assert [found.why for found in alike if found.patient != twice] == [["alike"]]


@pytest.mark.parametrize("demo", [3], indirect=True)
def test_the_logins_are_written_for_the_owner_only(demo) -> None:
    path = demo / ".local" / "demo-logins.txt"
    assert "a demo for the test" in path.read_text()
    signs_in_with = set(User.objects.filter(memberships__isnull=False).values_list("email", flat=True))
    assert signs_in_with == {word for word in path.read_text().split() if "@" in word}
    assert path.stat().st_mode & 0o077 == 0
    both = User.objects.get(email=next(line for line in path.read_text().splitlines() if "both" in line).split()[1])
    assert both.memberships.count() == Centre.objects.count() == 2


@pytest.mark.parametrize("demo", [3], indirect=True)
def test_a_database_in_use_is_left_alone(demo) -> None:
    before = User.objects.count()
    with pytest.raises(CommandError):
        call_command("seed_demo", verbosity=0)
    assert User.objects.count() == before


@pytest.mark.parametrize("demo", [40], indirect=True)
def test_physiotherapy_is_spread_over_the_days_people_work(demo) -> None:
    centre = Centre.objects.get(name__startswith="Riverside")
    week = (TODAY - dt.timedelta(days=TODAY.weekday() + 14), TODAY - dt.timedelta(days=TODAY.weekday() + 8))
    held = PhysioSession.objects.filter(patient__centre=centre, held_on__range=week).values_list("held_on", flat=True)
    days = Counter(day.weekday() for day in held)
    assert set(days) == {0, 1, 2, 3, 4}
    assert max(days.values()) <= days.total() * 0.4
