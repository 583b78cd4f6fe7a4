"""The first centre of a new server, from the command line."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Centre, Membership, Role, User
from audit.models import Entry, Origin

pytestmark = pytest.mark.django_db
WHO = ("--email=ada@clinic.example", "--full-name=Ada Keller")


def test_a_centre_and_its_administrator(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("open_centre", "Riverside", "--time-zone=Europe/Berlin", *WHO)

    member = Membership.objects.get(centre__name="Riverside")
    assert (member.role, member.user.email) == (Role.ADMINISTRATOR, "ada@clinic.example")
    assert member.centre.time_zone == "Europe/Berlin"
    assert not member.user.has_usable_password()
    assert "ada@clinic.example" in capsys.readouterr().out
    entry = Entry.objects.get(action="accounts.open_centre")
    assert (entry.centre, entry.origin, entry.by) == (member.centre, Origin.COMMAND, None)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("Riverside", "--time-zone=Middle/Earth", *WHO), "time_zone"),
        (("", "--time-zone=Europe/Berlin", *WHO), "name"),
        (("Riverside", "--time-zone=Europe/Berlin", "--email=ada", "--full-name=Ada Keller"), "email"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(arguments: tuple[str, ...], field: str) -> None:
    with pytest.raises(CommandError, match=f"{field}:"):
        call_command("open_centre", *arguments)
    assert not Centre.objects.exists()
    assert not User.objects.exists()


def test_a_name_is_given_once() -> None:
    call_command("open_centre", "Riverside", "--time-zone=Europe/Berlin", *WHO)
    with pytest.raises(CommandError, match="name:"):
        call_command("open_centre", "Riverside", "--time-zone=Europe/Berlin", *WHO)
    assert Centre.objects.count() == 1
