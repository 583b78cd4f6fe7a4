"""Mutation testing of the rules: do the tests notice when the SQL of a rule is wrong in one place?

    make mutants                            the scores, and all rules
    pytest tests/rules/mutants.py -n 2      the rules alone; RULES=ck-rising,physio-missed for some

Not part of the suite (its name is not test_*): it takes a long while. Every comparison, AND, OR, sign, number, sort
order, join and NULL test of the rules' queries is changed, one at a time, and the changed query is put to what the
tests put it to: the patients of the rule's own table, together and one alone; some of the generated histories on which
tests/naive finds query and plain loop to agree; and, where a test compares SQL that rules share with plain code, that
test. A mutant is killed when some answer is not the expected one any more. SQL that several rules share is changed
once, and it is enough that the tests of one of them notice. A mutant that PostgreSQL refuses is not counted.

Left alone is what only the evidence shows (it is not whether, but in which words something is said); lists of VALUES
and limits, for they are written by the formulary and the limit sets, which are Python; and what cannot matter by
construction: the 1 of EXISTS (SELECT 1 ...), and whether min or max is taken of the one row that is nth = 1.

Survivors are written to .local/mutants/; why each may survive stands in docs/mutants.md.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from monitoring import rules
from monitoring.asking import Finding, ask
from monitoring.rules import RULES
from monitoring.rules.base import Question, Rule
from monitoring.sharing import WHOLE_CLINIC
from tests import factories
from tests.factories import AS_OF
from tests.naive.histories import many
from tests.naive.store import store
from tests.naive.test_agreement import JUDGES
from tests.rules import columns, test_course, test_shown_a, test_shown_b, test_shown_c, test_therapy_sql
from tests.rules.examples import COLUMNS, Example, agrees, one_of_each, parse, said

assert columns  # registers the columns

KILLED_AT_LEAST = 0.9
REPORTS = Path(__file__).resolve().parents[2] / ".local" / "mutants"
HISTORIES = 1500
DAYS = (AS_OF, AS_OF + dt.timedelta(days=30))
SHARE = float(os.environ.get("MUTANTS_SHARE", "1"))  # of all mutants, always the same ones
PARTS = int(os.environ.get("MUTANTS_PARTS", "2"))  # one for each processor
ALONE = 6  # there are not more kinds of answers
RULES_TRIED = 6  # of those that share a place
SLOWEST_MS = 20_000
PATIENCE_MS = 500  # a mutant that joins everybody with everybody is a mutant found

# (what to find, what stands there instead). Words of SQL are written in capitals in every rule.
SWAPS: tuple[tuple[str, str], ...] = (
    (r">=", ">"),
    (r"<=", "<"),
    (r"(?<![-<>=])>(?![=>])", ">="),
    (r"(?<![-<>=])<(?![=>])", "<="),
    (r"<>", "="),
    (r"(?<![<>=:!])=(?![>])", "<>"),
    (r"(?<= )\+(?= )", "-"),
    (r"(?<= )-(?= )", "+"),
    (r"(?<= )\*(?= )", "/"),
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT (?=TRUE|FALSE)", "IS "),
    (r"\bNOT EXISTS\b", "EXISTS"),
    (r"\bNOT (?!NULL|EXISTS|IN|MATERIALIZED)", ""),
    (r"\bNOT IN\b", "IN"),
    (r" DESC\b", ""),
    (r"\bLEFT JOIN\b", "JOIN"),
    (r"\bmin\(", "max("),
    (r"\bmax\(", "min("),
    (r"\bGREATEST\(", "LEAST("),
    (r"\bLEAST\(", "GREATEST("),
    (r"\blag\(", "lead("),
    (r"\blead\(", "lag("),
    (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"),
    # A number of its own: one more. What is written as 30::numeric comes from a table in Python with tests of its own.
    (r"(?<![\w.%\[:'-])(?<!SELECT )\d+(?![\w.']|::numeric)", "+1"),
)


SINGLE_ROW = re.compile(r"\b(min|max)\([\w.]+\) FILTER \(WHERE (\w+\.)?nth = \d+\)")
NEARBY = 25


def of_each(test: Callable[..., None], cases: Iterable[tuple[Any, ...]]) -> Callable[[], None]:
    """A test that takes parameters, as one that takes none."""

    def tried() -> None:
        for case in cases:
            test(*case)

    tried.__name__ = test.__name__
    return tried


# Tests that put a piece of SQL shared by rules and the plain code it stands for to the same invented patients; and
# those of what a finding shows, reckoned by hand.
COMPARED = (
    test_therapy_sql.test_the_score_in_sql_is_the_score,
    test_therapy_sql.test_deterioration_in_sql_is_deterioration,
    test_therapy_sql.test_the_dose_on_each_day_its_courses_and_its_rises_are_those_reckoned_day_by_day,
    test_course.test_the_tier_and_the_days_in_sql_are_those_of_the_score,
    test_course.test_a_fall_of_lung_function_in_sql_is_that_of_the_score,
    of_each(test_shown_a.test_a_finding_shows_what_is_recorded, test_shown_a.SHOWN),
    of_each(test_shown_a.test_what_is_missing_is_named_and_nothing_else, test_shown_a.MISSING),
    test_shown_a.test_a_jump_is_seen_where_nobody_else_has_results,
    of_each(test_shown_b.test_a_finding_shows_what_is_recorded, test_shown_b.SHOWN),
    test_shown_b.test_an_infusion_that_nothing_is_wrong_with_has_no_evidence,
    test_shown_b.test_of_a_course_without_a_dose_it_is_said_which,
    test_shown_b.test_a_check_of_several_parts_is_as_old_as_its_oldest,
    test_shown_c.test_what_second_line_review_shows,
    test_shown_c.test_second_line_review_shows_the_whole_score_whatever_else_is_its_reason,
    test_shown_c.test_second_line_review_shows_rises_by_another_drug,
    test_shown_c.test_what_core_set_incomplete_shows,
    test_shown_c.test_what_pre_treatment_checks_lists_and_in_which_order,
    test_shown_c.test_what_the_rules_about_glucocorticoid_show,
    test_shown_c.test_what_is_high_after_24_weeks_shows,
    test_shown_c.test_what_statin_in_necrotising_shows,
)
AROUND = 60  # characters on either side that tell one place from another


@dataclasses.dataclass(frozen=True)
class Mutant:
    rule: str
    at: int
    was: str
    now: str
    sql: str
    raw: str  # what `now` stands for, with its spaces

    @property
    def place(self) -> tuple[str, str, str, str]:
        """The same in every rule that shares the SQL around it. Names of parameters may have a prefix."""
        plain = (
            re.sub(r"%\((?:\w+__)?(\w+)\)s", r"%(\1)s", self.sql[: self.at]),
            re.sub(r"%\((?:\w+__)?(\w+)\)s", r"%(\1)s", self.sql[self.at + len(self.now) :]),
        )
        return " ".join(plain[0].split())[-AROUND:], self.was, self.now, " ".join(plain[1].split())[:AROUND]

    @property
    def nearby(self) -> tuple[str, str]:
        """The text before and after the change, with a little of what is on both sides."""
        before, after = self.sql[max(self.at - NEARBY, 0) : self.at], self.sql[self.at + len(self.now) :][:NEARBY]
        return before + self.raw + after, before + self.now + after

    def __str__(self) -> str:
        before, was, now, after = self.place
        return f"{self.rule}: …{before} [{was} → {now or 'nothing'}] {after}…"


def left_alone(sql: str) -> list[tuple[int, int]]:
    """Where nothing is changed: strings, comments, names of parameters, casts, and what only the evidence shows."""
    spans = [m.span() for m in re.finditer(r"'[^']*'|--[^\n]*|%\(\w+\)s|::\w+(\[\])?(\(\d+(, *\d+)?\))?", sql)]
    spans += [m.span() for m in SINGLE_ROW.finditer(sql)]
    for opening in re.finditer(r"(jsonb_(build_object|agg|build_array|strip_nulls)|trim_scale)\(|\((?=VALUES\b)", sql):
        depth, end = 1, opening.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        spans.append((opening.start(), end))
    return spans


def mutants(rule: Rule) -> Iterator[Mutant]:
    """Every one-place change of the rule's query, from its beginning to its end."""
    sql = rule.findings(Question(as_of=AS_OF))
    kept = left_alone(sql)
    found = []
    for pattern, instead in SWAPS:
        for match in re.finditer(pattern, sql):
            start, end = match.span()
            if any(a < end and start < b for a, b in kept):
                continue
            if match[0] == "AND" and re.search(r"\bBETWEEN\b(?:(?!\bAND\b|\bBETWEEN\b).)*$", sql[:start], re.DOTALL):
                continue  # of a BETWEEN
            now = str(int(match[0]) + 1) if instead == "+1" else instead
            found.append(Mutant(rule.id, start, match[0].strip(), now, sql[:start] + now + sql[end:], match[0]))
    yield from sorted(found, key=lambda mutant: mutant.at)


Answers = dict[int, list[Finding]]
Said = list[tuple[Any, ...]]


def answers(rule: Rule, sql: str, as_of: dt.date) -> Answers:
    """What a query says of those in `asked`, without the evidence it does not judge by."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT patient_id, subject, level, due_on, evidence -> 'reasons', missing "
            f"FROM ({sql}) f ORDER BY patient_id, subject",
            rule.values(Question(as_of=as_of)),
        )
        found: Answers = {}
        for patient, subject, level, due_on, reasons, missing in cursor:
            evidence = None if reasons is None else {"reasons": json.loads(reasons)}
            found.setdefault(patient, []).append(Finding(patient, subject, level, due_on, evidence, missing))
        return found


def without_evidence(found: Answers) -> Said:
    return sorted(
        (patient, finding.subject, str(finding.level), str(finding.due_on), bool(finding.missing))
        for patient, rows in found.items()
        for finding in rows
    )


@dataclasses.dataclass
class Clinic:
    """Everybody the rules are put to: `people` of each rule's table, and the generated histories."""

    people: dict[str, dict[int, Example]]
    histories: list[int]

    def alone(self, rule: Rule, turn: int) -> list[int]:
        """The patient of the rule's table who is asked about alone in this turn, or nobody."""
        chosen = one_of_each(self.people[rule.id].values())
        return [pk for pk, example in self.people[rule.id].items() if example in chosen[turn : turn + 1]]

    def as_expected(self, rule: Rule, found: Answers, who: Sequence[int]) -> bool:
        """Whether it is what the rule's table says (tests/rules/test_examples.py)."""
        if not found.keys() <= set(who):
            return False
        for finding in (f for rows in found.values() for f in rows if f.level):
            if finding.evidence is None or not finding.evidence["reasons"] or not all(finding.evidence["reasons"]):
                return False  # no sentence can be made of it
        return all(agrees(self.people[rule.id][patient].expect, said(found.get(patient, []))) for patient in who)

    def is_killed(
        self, rule: Rule, listed: Sequence[Mutant], who: Sequence[int], day: dt.date | None
    ) -> list[bool | None]:
        """Of each whether it is killed when `who` is asked about: by the rule's table, or by histories on `day`. None
        where PostgreSQL does not take it for a query.
        """
        with transaction.atomic():
            wait_for(0)
            ask(rule, as_of=day or AS_OF, patient_ids=who)
            with connection.cursor() as cursor:
                cursor.execute(WHOLE_CLINIC)
            began = time.monotonic()
            right = answers(rule, rule.findings(Question(as_of=day or AS_OF)), day or AS_OF)
            patience = round(PATIENCE_MS + 5_000 * (time.monotonic() - began))
            assert day or self.as_expected(rule, right, who), rule.id
            expected = without_evidence(right)
            return [self._is_killed(rule, mutant, who, day, expected, patience) for mutant in listed]

    def _is_killed(
        self, rule: Rule, mutant: Mutant, who: Sequence[int], day: dt.date | None, expected: Said, patience: int
    ) -> bool | None:
        try:
            with transaction.atomic():
                wait_for(patience)
                found = answers(rule, mutant.sql, day or AS_OF)
        except DatabaseError as error:
            code = getattr(error.__cause__, "sqlstate", "") or ""
            # 42: it is no SQL, or of no type. Division by zero, two rows for one: an error somebody would see.
            return None if code.startswith("42") else True
        return without_evidence(found) != expected if day else not self.as_expected(rule, found, who)


@dataclasses.dataclass
class Comparison:
    """A test of COMPARED, and the SQL it asks."""

    test: Callable[..., None]
    asked: str = ""

    def fails(self, mutant: Mutant | None = None) -> bool:
        was, now = mutant.nearby if mutant else ("", "")

        def changed(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            if mutant is None:
                self.asked += sql
                return execute(sql, params, many, context)
            return execute(sql.replace(was, now), params, many, context)

        clerk = [factories.person(factories.centre())] if self.test.__code__.co_argcount else []
        try:
            with transaction.atomic(), connection.execute_wrapper(changed):
                wait_for(SLOWEST_MS)
                self.test(*clerk)
                transaction.set_rollback(True)
        except (AssertionError, ArithmeticError, DatabaseError, LookupError, TypeError, ValueError):
            return True
        return False


def wait_for(milliseconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}")  # 0: for ever


def ids_from(number: int) -> None:
    with connection.cursor() as cursor:
        for app in ("patients", "therapy", "monitoring"):
            for model in apps.get_app_config(app).get_models():
                if isinstance(model._meta.pk, models.AutoField):
                    table = [model._meta.db_table, number]
                    cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", table)


@pytest.fixture
def clinic(django_db_setup: None, django_db_blocker: Any) -> Iterator[Clinic]:
    with django_db_blocker.unblock(), transaction.atomic():
        made = Clinic({}, sorted(store(many(HISTORIES, seed=2))))  # with ids of their own, from 1
        ids_from(10**9)
        for rule in asked():
            centre = factories.centre()
            clerk = factories.person(centre)
            people = made.people.setdefault(rule.id, {})
            for example in parse(rule.examples):
                patient = factories.patient(centre, clerk)
                people[patient.pk] = example
                for name, cell in example.cells.items():
                    COLUMNS[name](patient, cell)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield made
        transaction.set_rollback(True)


def asked() -> list[Rule]:
    names = [name for name in os.environ.get("RULES", "").split(",") if name]
    return [RULES[name] for name in names or sorted(RULES)]


def places() -> list[list[Mutant]]:
    """Every place once, with the mutants of the rules that share it; the shortest query first: it is asked fastest."""
    found: dict[tuple[str, str, str, str], list[Mutant]] = {}
    for rule in asked():
        for mutant in mutants(rule):
            same = found.setdefault(mutant.place, [])
            if all(other.rule != rule.id for other in same):
                same.append(mutant)
    for same in found.values():
        same.sort(key=lambda mutant: len(mutant.sql))
    listed = list(found.values())
    return random.Random(1).sample(listed, round(SHARE * len(listed))) if SHARE < 1 else listed


@functools.cache
def sources() -> dict[str, str]:
    folder = Path(rules.__file__).parent
    return {path.stem: " ".join(path.read_text().split()) for path in sorted(folder.glob("*.py"))}


def written_in(mutant: Mutant) -> str:
    """The file whose text it most looks like: the rule's own, or a helper's that several rules share."""
    before, was, _, after = mutant.place
    own = mutant.rule.replace("-", "_")
    for around in (AROUND, 40, 30, 20, 12):
        text = " ".join(f"{before[-around:]} {was} {after[:around]}".split())
        found = [name for name, source in sources().items() if text in source]
        if found:
            return own if own in found else found[0]
    return own


def stages(clinic: Clinic) -> Iterator[tuple[str, dt.date | None, Callable[[Rule], Sequence[int]]]]:
    """What the mutants are put to, one after the other: its name, the day, and who is asked about.

    First each rule's table, for it is asked fastest; then some of it alone; then histories, where there is a plain loop
    they agree with.
    """
    yield "table", None, lambda rule: list(clinic.people[rule.id])
    for turn in range(ALONE):
        yield f"alone {turn + 1}", None, lambda rule, turn=turn: clinic.alone(rule, turn)
    for day in DAYS:
        yield f"histories on {day}", day, lambda rule: clinic.histories if rule.id in JUDGES else []


def report(part: int, places: list[list[Mutant]], verdicts: list[bool | None], seconds: float) -> list[str]:
    """The survivors; written down for tests/mutants.py, with {file: how many killed, survived}."""
    counts: dict[str, Counter[str]] = {}
    survivors = []
    for same, verdict in zip(places, verdicts, strict=True):
        if verdict is None:
            continue
        name = written_in(same[0])
        counts.setdefault(name, Counter())["killed" if verdict else "survived"] += 1
        if not verdict:
            survivors.append(f"{name}: {same[0]}")
    REPORTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"counts": counts, "survivors": sorted(survivors), "seconds": round(seconds)}, indent=1)
    (REPORTS / f"rules-{part}.json").write_text(text)
    return sorted(survivors)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_wrong_query_is_noticed(part: int, clinic: Clinic) -> None:
    mine = places()[part::PARTS]
    verdicts: list[bool | None] = [None] * len(mine)
    began = time.monotonic()
    for name, day, who in stages(clinic):
        for turn in range(RULES_TRIED):
            for rule in asked():
                if not (people := who(rule)):
                    continue
                these = [
                    n
                    for n, same in enumerate(mine)
                    if turn < len(same) and same[turn].rule == rule.id
                    and (verdicts[n] is False or (name == "table" and verdicts[n] is None))
                ]  # fmt: skip
                if not these:
                    continue
                found = clinic.is_killed(rule, [mine[n][turn] for n in these], people, day)
                for n, verdict in zip(these, found, strict=True):
                    verdicts[n] = verdict if verdict is not None else verdicts[n]
        survivors = report(part, mine, verdicts, time.monotonic() - began)
        sys.stderr.write(f"{name}: {len(survivors)} of {len(mine)} left, {time.monotonic() - began:.0f} s\n")


@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
def test_or_a_comparison_with_plain_code_notices(part: int) -> None:
    """What the part before left, put to the tests of COMPARED, which want a clinic of their own."""
    written = json.loads((REPORTS / f"rules-{part}.json").read_text())
    names = set(written["survivors"])
    mine = [same for same in places()[part::PARTS] if f"{written_in(same[0])}: {same[0]}" in names]
    began = time.monotonic()
    for comparison in map(Comparison, COMPARED):
        assert not comparison.fails(), comparison.test
        for same in mine:
            name, survivor = written_in(same[0]), f"{written_in(same[0])}: {same[0]}"
            if survivor in names and same[0].nearby[0] in comparison.asked and comparison.fails(same[0]):
                names.remove(survivor)
                written["counts"][name]["survived"] -= 1
                written["counts"][name]["killed"] = written["counts"][name].get("killed", 0) + 1
        sys.stderr.write(f"{comparison.test.__name__}: {len(names)} left, {time.monotonic() - began:.0f} s\n")
        written["survivors"] = sorted(names)
        (REPORTS / f"rules-{part}.json").write_text(json.dumps(written, indent=1))
    killed, survived = (sum(c.get(word, 0) for c in written["counts"].values()) for word in ("killed", "survived"))
    assert killed >= KILLED_AT_LEAST * (killed + survived), "\n".join(sorted(names))
