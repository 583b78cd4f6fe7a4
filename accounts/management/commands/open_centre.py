"""manage.py open_centre: a centre and its first administrator, on a new server."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.actions import open_centre
from audit.attribution import coming_from
from audit.models import Origin


class Command(BaseCommand):
    help = "Open a centre with its first administrator, who then sets a password from the sign-in page."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="CENTRE")
        parser.add_argument("--time-zone", required=True, metavar="ZONE", help="such as Europe/Berlin")
        parser.add_argument("--email", required=True, help="of the administrator")
        parser.add_argument("--full-name", required=True, help="of the administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with coming_from(Origin.COMMAND):
                made = open_centre(
                    name=options["name"],
                    time_zone=options["time_zone"],
                    email=options["email"],
                    full_name=options["full_name"],
                    by=None,
                    now=timezone.now(),
                )
        except ValidationError as error:
            lines = [f"  {field}: {' '.join(texts)}" for field, texts in error.message_dict.items()]
            raise CommandError("\n".join(["Nothing was made:", *lines])) from None
        self.stdout.write(f"{made.centre} is open. Its administrator signs in with {made.user.email}.")
