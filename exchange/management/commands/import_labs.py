"""Laboratory results from a delimited file."""

from __future__ import annotations

from exchange.management.commands._importing import ImportCommand
from exchange.mapping import LABS


class Command(ImportCommand):
    help = "Import laboratory results from a file: all of it in one transaction, with a receipt that adds up."
    kind = LABS
