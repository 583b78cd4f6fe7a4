"""Answers that several rules ask for, prepared once where a worker asks many rules about a whole centre.

Half of what the rules ask of a clinic every night they ask alike: who is followed, what glucocorticoid was taken when.
A rule names such an answer by `Question.shared`. In a sweep it is then a table of the worker's session, made by the
first rule that wants it. Asked for a few patients, or once, the rule has no such table and asks the record itself, with
the same SQL. Answers that differ in a single number are two tables.

What is prepared must not grow old. While anybody shares answers of a centre, the outbox of touched patients keeps its
rows (alerts/actions/touched.py), and before each rule what was prepared is made anew for the patients that stand
there and did not when the sharing began. See docs/adr/0010.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import connection, transaction

from monitoring.rules.base import Prepared, Question, Rule

# Each sort and hash of a whole clinic stays in memory up to here; more goes to disk, slower. A worker asks one rule.
WORK_MEM = "128MB"
# Behind a chain of steps the planner takes a whole clinic for a handful, and would join it row by row. What is looked
# up for each row on purpose (LATERAL) still is. Workers share the processors: what helps one takes from another.
WHOLE_CLINIC = (
    f"SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '{WORK_MEM}'; SET LOCAL max_parallel_workers_per_gather = 0"
)
ROUGHLY = "SET LOCAL default_statistics_target = 25"  # a table that lives for seconds
A_FEW = "SET LOCAL enable_nestloop = on"

COLUMNS = """patient_id bigint PRIMARY KEY, centre_id bigint, time_zone text, sex text, subtype text,
    born_on date, onset_on date, diagnosed_on date"""

FOLLOWED = """
SELECT p.id, p.centre_id, c.time_zone, p.sex, p.subtype, p.born_on, p.onset_on, p.diagnosed_on
FROM patients_patient p
JOIN accounts_centre c ON c.id = p.centre_id
LEFT JOIN (
    SELECT DISTINCT ON (f.patient_id) f.patient_id, f.word
    FROM patients_followupstatus f
    WHERE {known_status} AND f.starts_on <= %(as_of)s AND {these_status}
    ORDER BY f.patient_id, f.starts_on DESC, f.id DESC
) s ON s.patient_id = p.id
WHERE COALESCE(s.word, 'active') = 'active' AND p.merged_into_id IS NULL
  AND (p.diagnosed_on IS NULL OR p.diagnosed_on <= %(as_of)s)
  AND {known_patient}
  AND {these}
"""


def followed(question: Question, *, centre: bool, patients: bool) -> str:
    """SELECT of the columns of `asked`: who is followed on `as_of`, only of `centre_id` or `patient_ids` if so said."""
    return FOLLOWED.format(
        # Whoever came to be on record later was not asked about then.
        known_patient="true" if question.known_at is None else "p.created_at <= %(known_at)s",
        known_status=question.known("f"),
        these=("p.centre_id = %(centre_id)s" if centre else "true")
        + (" AND p.id = ANY(%(patient_ids)s)" if patients else ""),
        these_status="f.patient_id = ANY(%(patient_ids)s)" if patients else "true",
    )


def _lock(centre_id: int) -> str:
    return f"monitoring.sharing {centre_id}"


def is_shared(centre_id: int) -> bool:
    """Whether a worker holds prepared answers about this centre at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND (classid::bigint << 32) | objid::bigint = hashtextextended(%s, 0))",
            [_lock(centre_id)],
        )
        return bool(cursor.fetchone()[0])


class Sharing:
    """What one worker holds of a centre on a day. Made by `sharing`."""

    def __init__(self, centre_id: int, as_of: dt.date) -> None:
        self.centre_id, self.as_of = centre_id, as_of
        self._known: dict[str, tuple[str, dict[str, Any]]] = {}  # table: its query and values, in order of making

    def question(self, values: Mapping[str, Any]) -> tuple[Question, list[str]]:
        """A question whose rule finds prepared answers, and the list of tables it has named so far."""
        wanted: list[str] = []

        def table(prepared: Prepared, prefix: str) -> str:
            query = prepared.query(dataclasses.replace(question, sharing=lambda inner, _: table(inner, prefix)))
            if prefix:
                query = re.sub(r"%\((\w+)\)s", lambda name: f"%({prefix}{name[1]})s", query)
            used = {name: values[name] for name in sorted(set(re.findall(r"%\((\w+)\)s", query)))}
            # The same question by names of another rule's parameters is the same question.
            asked = re.sub(r"%\((\w+)\)s", lambda name: repr(used[name[1]]), query)
            name = f"prepared_{prepared.name}_{hashlib.sha256(asked.encode()).hexdigest()[:12]}"
            self._known.setdefault(name, (query, used))
            if name not in wanted:
                wanted.append(name)
            return name

        question = Question(as_of=self.as_of, sharing=table)
        return question, wanted

    def begin(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            self._drop(cursor)
            cursor.execute("CREATE TEMP TABLE sharing_seen AS SELECT id FROM patients_touched")
            cursor.execute(
                f"DROP TABLE IF EXISTS asked; CREATE TEMP TABLE followed ({COLUMNS}); "
                "CREATE TEMP TABLE excepted (patient_id bigint PRIMARY KEY) ON COMMIT DELETE ROWS; "
                "CREATE TEMP VIEW asked AS SELECT f.* FROM followed f "
                "WHERE NOT EXISTS (SELECT 1 FROM excepted x WHERE x.patient_id = f.patient_id)"
            )
            cursor.execute(
                f"INSERT INTO followed {followed(Question(self.as_of), centre=True, patients=False)}",
                {"as_of": self.as_of, "centre_id": self.centre_id},
            )
            cursor.execute(f"{ROUGHLY}; ANALYZE followed")

    def end(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            self._drop(cursor)

    def _drop(self, cursor: Any) -> None:
        # By what is there, not by what we remember: what a rule prepared and failed after is gone.
        cursor.execute("SELECT 1 FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relname = 'followed'")
        if cursor.fetchone():
            cursor.execute("DROP VIEW asked; DROP TABLE followed, excepted, sharing_seen")
        for table in self._made(cursor):
            cursor.execute(f"DROP TABLE {table}")

    def _made(self, cursor: Any) -> list[str]:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relname ~ '^prepared_' "
            "AND relkind = 'r' ORDER BY oid"
        )
        return [name for (name,) in cursor.fetchall()]

    def bring_up_to_date(self, cursor: Any) -> int:
        """Make anew what is prepared of patients touched since the sharing began; gives how many. To be called under
        the lock of the rule that is asked next: whoever is touched later is judged by that rule after it.
        """
        cursor.execute(
            "SELECT DISTINCT t.patient_id FROM patients_touched t JOIN patients_patient p ON p.id = t.patient_id "
            "WHERE p.centre_id = %s AND NOT EXISTS (SELECT 1 FROM sharing_seen s WHERE s.id = t.id)",
            [self.centre_id],
        )
        touched = [patient for (patient,) in cursor.fetchall()]
        if not touched:
            return 0
        about = {"as_of": self.as_of, "centre_id": self.centre_id, "patient_ids": touched}
        cursor.execute(A_FEW)
        cursor.execute("DELETE FROM followed WHERE patient_id = ANY(%(patient_ids)s)", about)
        cursor.execute(f"INSERT INTO followed {followed(Question(self.as_of), centre=True, patients=True)}", about)
        for name in self._made(cursor):
            query, values = self._known[name]
            cursor.execute(f"DELETE FROM {name} WHERE patient_id = ANY(%(patient_ids)s)", about)
            cursor.execute(
                f"INSERT INTO {name} WITH asked AS (SELECT * FROM followed WHERE patient_id = ANY(%(patient_ids)s)) "
                f"SELECT x.* FROM ({query}) x WHERE x.patient_id = ANY(%(patient_ids)s)",
                {**values, **about},
            )
        return len(touched)

    def prepare(self, cursor: Any, tables: Iterable[str]) -> None:
        """Make those of `tables` that are not there yet, over everybody followed, whomever a rule excepts."""
        made = set(self._made(cursor))
        for name in tables:
            if name in made:
                continue
            query, values = self._known[name]
            cursor.execute(
                f"CREATE TEMP TABLE {name} AS WITH asked AS (SELECT * FROM followed) SELECT x.* FROM ({query}) x",
                values,
            )
            cursor.execute(f"{ROUGHLY}; ANALYZE {name}")


@contextlib.contextmanager
def sharing(*, centre_id: int, as_of: dt.date) -> Iterator[Sharing]:
    """While it lasts, `ask(..., shared=...)` on this connection asks about everybody followed in the centre that day,
    from answers prepared once. No rule can be asked otherwise on this connection meanwhile.
    """
    with connection.cursor() as cursor:
        # Before anything is read: from here on rows of the outbox stay.
        cursor.execute("SELECT pg_advisory_lock_shared(hashtextextended(%s, 0))", [_lock(centre_id)])
    held = connection.connection
    shared = Sharing(centre_id, as_of)
    try:
        shared.begin()
        yield shared
    finally:
        # A connection that was lost took its tables and its lock along.
        if connection.connection is held and connection.is_usable():
            shared.end()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_shared(hashtextextended(%s, 0))", [_lock(centre_id)])


def names(rule: Rule) -> frozenset[str]:
    """Names of the prepared answers its query reads where they are shared."""
    found: set[str] = set()

    def table(prepared: Prepared, prefix: str) -> str:
        found.add(prepared.name)
        prepared.query(question)
        return prepared.name

    question = Question(as_of=dt.date.min, sharing=table)
    rule.findings(question)
    return frozenset(found)


@dataclasses.dataclass
class _Group:
    rules: list[str]
    names: frozenset[str]
    length: int  # of its SQL


def groups(rules: Mapping[str, Rule]) -> list[list[str]]:
    """Ids of rules that share an answer together, directly or by way of others. What asks for most is begun first, so
    that no worker waits at the end while another has just begun something long.
    """
    together: list[_Group] = []
    for rule in rules.values():
        mine = _Group([rule.id], names(rule), len(rule.findings(Question(as_of=dt.date.min))))
        for other in [group for group in together if group.names & mine.names]:
            together.remove(other)
            mine = _Group([*other.rules, *mine.rules], mine.names | other.names, mine.length + other.length)
        together.append(mine)
    return [group.rules for group in sorted(together, key=lambda group: -group.length)]
