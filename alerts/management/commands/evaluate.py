"""manage.py evaluate: ask the rules now, for a day."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Centre
from alerts.actions.judging import RuleFailed, evaluate
from alerts.models import Trigger
from common.dates import centre_day
from monitoring.rules import RULES

COUNTS = ("asked", "found", "not_evaluable", "opened", "changed", "closed", "held_back")


class Command(BaseCommand):
    help = "Ask the rules about a day, open and close alerts accordingly, and say how many. Twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as-of", type=dt.date.fromisoformat, metavar="DAY", help="default: today at each centre")
        parser.add_argument("--rule", choices=sorted(RULES), metavar="ID", help="default: all")
        parser.add_argument("--centre", metavar="NAME", help="default: all")
        parser.add_argument("--dry-run", action="store_true", help="change nothing, only count")
        parser.add_argument("--json", action="store_true", help="one JSON list instead of a table")
        parser.add_argument(
            "--accept-closing",
            action="store_true",
            help="close alerts even where that is most of them, or where nobody is asked about any more",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        centres = Centre.objects.order_by("pk")
        if options["centre"]:
            centres = centres.filter(name=options["centre"])
            if not centres:
                raise CommandError("There is no centre of that name.")
        now = timezone.now()
        rules = [RULES[options["rule"]]] if options["rule"] else list(RULES.values())
        rows, failed = [], 0
        for centre in centres:
            as_of = options["as_of"] or centre_day(now, centre.zone)
            for rule in rules:
                row: dict[str, Any] = {"centre": centre.name, "rule": rule.id, "as_of": as_of.isoformat()}
                try:
                    run = evaluate(
                        rule=rule,
                        as_of=as_of,
                        now=now,
                        centre=centre,
                        trigger=Trigger.COMMAND,
                        accept_closing=options["accept_closing"],
                        dry_run=options["dry_run"],
                    )
                except RuleFailed as failure:
                    row["error"] = failure.error
                    failed += 1
                else:
                    row |= {name: getattr(run, name) for name in COUNTS}
                rows.append(row)
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2))
        else:
            self.print_table(rows)
        if failed:
            raise CommandError(f"{failed} of {len(rows)} evaluations failed.")

    def print_table(self, rows: list[dict[str, Any]]) -> None:
        widths = [max([len("rule"), *(len(row["rule"]) for row in rows)]), *(len(name) for name in COUNTS[:-1])]
        cells = [["rule", *COUNTS[:-1]]]
        cells += [[row["rule"], *("-" if row.get(n) is None else str(row[n]) for n in COUNTS[:-1])] for row in rows]
        centre = None
        for row, line in zip([None, *rows], cells, strict=True):
            if row is not None and row["centre"] != centre:
                centre = row["centre"]
                self.stdout.write(f"{centre}, {row['as_of']}")
            text = "  ".join(
                cell.ljust(width) if n == 0 else cell.rjust(width)
                for n, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            note = "" if row is None else row.get("held_back") or row.get("error") or ""
            self.stdout.write(f"{text}  {note}".rstrip())
