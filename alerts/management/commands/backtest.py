"""manage.py backtest: what a rule would have raised in the past, with today's numbers and with others."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import Centre
from alerts.backtesting import BackTest, backtest
from monitoring.bounds import with_values
from monitoring.rules import RULES


class Command(BaseCommand):
    help = (
        "Ask a rule on days of the past, each with what had been recorded by the end of that day, and count the alerts "
        "it would have opened. With --set also with other numbers, side by side. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rule", choices=sorted(RULES), metavar="RULE")
        parser.add_argument("--from", dest="first", type=dt.date.fromisoformat, required=True, metavar="DAY")
        parser.add_argument("--to", dest="last", type=dt.date.fromisoformat, required=True, metavar="DAY")
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="may be given many times")
        parser.add_argument("--every", type=int, default=7, metavar="DAYS", help="days between askings (default: 7)")
        parser.add_argument("--centre", metavar="NAME", help="default: all")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        rule = RULES[options["rule"]]
        first, last, every = options["first"], options["last"], options["every"]
        if last < first or every < 1:
            raise CommandError("--from must not be after --to, and --every must be 1 or more.")
        pairs = [text.partition("=") for text in options["set"]]
        try:
            proposed = with_values(rule, {name: value for name, _, value in pairs}) if pairs else None
        except (LookupError, ValueError) as error:
            raise CommandError(f"--set: {error.args[0]}") from None
        centres = Centre.objects.order_by("pk")
        if options["centre"]:
            centres = centres.filter(name=options["centre"])
            if not centres:
                raise CommandError("There is no centre of that name.")
        days = [first + dt.timedelta(days=n) for n in range(0, (last - first).days + 1, every)]
        answer: dict[str, Any] = {
            "rule": rule.id,
            "version": rule.version,
            "from": first,
            "to": last,
            "every": every,
            "today": {"parameters": dataclasses.asdict(rule.parameters)}
            | total([backtest(rule, centre, days) for centre in centres]),
        }
        if proposed is not None:
            answer["proposed"] = {"parameters": dataclasses.asdict(proposed)} | total(
                [backtest(rule, centre, days, proposed) for centre in centres]
            )
        if options["json"]:
            self.stdout.write(json.dumps(answer, indent=2, cls=DjangoJSONEncoder))
            return
        self.stdout.write(f"{rule.id} from {first} to {last}, asked every {every} days ({len(days)} times)")
        for name in ("today", "proposed"):
            if name in answer:
                found = answer[name]
                levels = ", ".join(f"{level} {n}" for level, n in found["levels"].items())
                self.stdout.write(
                    f"{name}: {found['opened']} alerts opened ({levels}), {found['raised']} raised, "
                    f"{found['patients']} patients"
                )
        for name, _, _ in pairs:
            was, now = answer["today"]["parameters"][name], answer["proposed"]["parameters"][name]
            self.stdout.write(f"  {name}: {was} -> {now}")


def total(tests: list[BackTest]) -> dict[str, Any]:
    """The counts of several centres together. Patients belong to one centre each, so they add up."""
    counts: dict[str, Any] = {
        name: sum(getattr(test, name) for test in tests) for name in ("opened", "patients", "raised")
    }
    levels: dict[str, int] = {}
    for test in tests:
        for level, n in test.levels.items():
            levels[level] = levels.get(level, 0) + n
    return counts | {"levels": levels}
