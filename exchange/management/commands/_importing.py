"""What the two import commands share: arguments, the one way through, and the receipt on the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.models import Centre, Membership, User
from accounts.permissions import Permission, may
from audit.attribution import coming_from
from audit.models import Origin
from exchange import actions
from exchange.mapping import DEFAULTS, LABS, MappingProblem, load, read_mapping
from exchange.planning import Plan, prepare
from exchange.tables import FileProblem

SHOWN = 50


class ImportCommand(BaseCommand):
    kind = ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="Delimited text in UTF-8 with a heading line")
        parser.add_argument("--centre", metavar="NAME", help="Centre; may be left out where there is only one")
        parser.add_argument("--mapping", type=Path, metavar="FILE", help="What the columns mean, as docs/import.md")
        parser.add_argument("--by", metavar="USERNAME", help="Who imports; without it, an account of its own")
        parser.add_argument("--dry-run", action="store_true", help="Say what would happen and write nothing")
        parser.add_argument("--json", action="store_true", help="The receipt as JSON, every remark included")
        if self.kind == LABS:
            parser.add_argument("--source", required=True, metavar="NAME", help="Where the results come from")

    def handle(self, *args: Any, **options: Any) -> None:
        source = (options.get("source") or "").strip()
        if self.kind == LABS and not 0 < len(source) <= 60:
            raise CommandError("Say where the results come from, with --source and at most 60 characters.")
        now = timezone.now()
        centre = self._centre(options["centre"])
        by = self._by(options["by"], centre)
        try:
            mapping = (
                load(options["mapping"].read_bytes(), self.kind)
                if options["mapping"]
                else read_mapping(DEFAULTS[self.kind], self.kind)
            )
            with transaction.atomic():
                plan = prepare(
                    centre=centre,
                    kind=self.kind,
                    content=options["file"].read_bytes(),
                    file_name=options["file"].name,
                    mapping=mapping,
                    source_name=source,
                    now=now,
                )
                batch = None
                if not options["dry_run"]:
                    with coming_from(Origin.IMPORT):
                        by = by or actions.command_line_user(by=None, now=now)
                        batch = actions.commit_import(plan=plan, by=by, now=now)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from None
        except (FileProblem, MappingProblem, actions.PlanChangedError) as error:
            raise CommandError(str(error)) from None
        self._receipt(plan, str(batch.public_id) if batch else None, as_json=options["json"])

    def _centre(self, name: str | None) -> Centre:
        if name:
            try:
                return Centre.objects.get(name=name)
            except ObjectDoesNotExist:
                raise CommandError("There is no centre of this name.") from None
        centres = list(Centre.objects.all()[:2])
        if len(centres) != 1:
            raise CommandError("Say which centre the file is for, with --centre.")
        return centres[0]

    def _by(self, username: str | None, centre: Centre) -> User | None:
        if username is None:
            return None
        memberships = Membership.objects.filter(user__username=username, centre=centre).select_related("user")
        for membership in memberships:
            if may(membership, Permission.IMPORT):
                return membership.user
        raise CommandError("There is no user of this name who may import files for the centre.")

    def _receipt(self, plan: Plan, batch: str | None, *, as_json: bool) -> None:
        report = plan.report
        if as_json:
            receipt = {"dry_run": batch is None, "batch": batch, "file": plan.file_name, **report.as_json()}
            self.stdout.write(json.dumps(receipt, indent=2))
            return
        for problem in report.problems[:SHOWN]:
            self.stdout.write(f"line {problem['row']}: {problem['outcome']}: {problem['field']}: {problem['message']}")
        if len(report.problems) > SHOWN:
            self.stdout.write(f"... and {len(report.problems) - SHOWN} more; --json lists all")
        self.stdout.write("Nothing was written (dry run)." if batch is None else f"Committed: {batch}")
        self.stdout.write(
            f"{report.rows} rows = {report.imported} imported ({report.corrected} of them corrections)"
            f" + {report.unchanged} unchanged + {report.quarantined} quarantined + {report.rejected} rejected"
        )
