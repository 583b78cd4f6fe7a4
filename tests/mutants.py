"""What `make mutants` found, from the reports of its two parts; fails where fewer are killed than should be.

python -m tests.mutants           killed of all, by file
python -m tests.mutants list      and every survivor
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
KILLED_AT_LEAST = 0.9
SURVIVED, NOT_ASKED, WITHOUT_TEST = 0, None, (5, 33)  # exit codes mutmut writes down; every other is a kill
# They make constants while their file is read, before any mutant is switched on: that nobody notices says nothing.
WHILE_READ = ("monitoring.limit_sets.x__limits", "monitoring.limit_sets.x__number")

Counts = dict[str, Counter[str]]


def of_plain_code() -> tuple[Counts, list[str]]:
    counts: Counts = {}
    survivors = []
    for path in sorted((PROJECT / "mutants").rglob("*.meta")):
        name = str(path.relative_to(PROJECT / "mutants")).removesuffix(".meta")
        for mutant, code in json.loads(path.read_text())["exit_code_by_key"].items():
            if mutant.rpartition("__mutmut_")[0] in WHILE_READ:
                continue
            word = "not asked" if code is NOT_ASKED else "survived" if code in (SURVIVED, *WITHOUT_TEST) else "killed"
            counts.setdefault(name, Counter())[word] += 1
            if word == "survived":
                survivors.append(mutant + (" (no test comes here)" if code in WITHOUT_TEST else ""))
    return counts, survivors


def of_rules() -> tuple[Counts, list[str]]:
    counts: Counts = {}
    survivors: list[str] = []
    for path in sorted((PROJECT / ".local" / "mutants").glob("rules-*.json")):
        report = json.loads(path.read_text())
        for name, found in report["counts"].items():
            counts.setdefault(f"monitoring/rules/{name}.py", Counter()).update(found)
        survivors += report["survivors"]
    return counts, survivors


def table(counts: Counts) -> Iterator[str]:
    for name, found in sorted(counts.items()):
        asked = found["killed"] + found["survived"]
        more = f", {found['not asked']} not asked" if found["not asked"] else ""
        yield f"{name:48} {found['killed']:5} of {asked:5} {100 * found['killed'] / max(asked, 1):6.1f} %{more}"


def main() -> int:
    failed = False
    for title, (counts, survivors) in (("Plain code", of_plain_code()), ("Rules", of_rules())):
        together = sum(counts.values(), Counter[str]())
        asked = together["killed"] + together["survived"]
        failed |= not asked or together["killed"] < KILLED_AT_LEAST * asked or bool(together["not asked"])
        lines = [title, *table(counts), *table({"together": together})]
        if "list" in sys.argv[1:]:
            lines += ["", *survivors]
        sys.stdout.write("\n".join(lines) + "\n\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
