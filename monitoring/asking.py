"""Put a rule's question to the record.

Two session-private tables carry it: `asked`, whom it is about, and `finding`, what it says. Everything that judges
(nightly sweep, the judgement right after a result, back-test, replay, tests) comes through here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from monitoring.rules.base import Parameters, Question, Rule

TABLES = """
CREATE TEMP TABLE IF NOT EXISTS asked (
    patient_id bigint PRIMARY KEY, centre_id bigint, time_zone text, sex text, subtype text,
    born_on date, onset_on date, diagnosed_on date
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS finding (
    patient_id bigint, subject text, level text, due_on date, evidence jsonb, missing text[]
) ON COMMIT DELETE ROWS;
TRUNCATE asked, finding;
"""

# Each sort and hash of a whole clinic stays in memory up to here; more goes to disk, slower. A worker asks one rule.
WORK_MEM = "128MB"

POPULATION = """
INSERT INTO asked
SELECT p.id, p.centre_id, c.time_zone, p.sex, p.subtype, p.born_on, p.onset_on, p.diagnosed_on
FROM patients_patient p
JOIN accounts_centre c ON c.id = p.centre_id
LEFT JOIN (
    SELECT DISTINCT ON (f.patient_id) f.patient_id, f.word
    FROM patients_followupstatus f
    WHERE {known_status} AND f.starts_on <= %(as_of)s AND {these_status}
    ORDER BY f.patient_id, f.starts_on DESC, f.id DESC
) s ON s.patient_id = p.id
WHERE COALESCE(s.word, 'active') = 'active'
  AND (p.diagnosed_on IS NULL OR p.diagnosed_on <= %(as_of)s)
  AND {known_patient}
  AND {these}
  AND {not_off}
  AND NOT EXISTS (SELECT 1 FROM patients_ruleexception e
                  WHERE e.patient_id = p.id AND e.rule IN (%(rule)s, '*') AND {known_exception}
                    AND %(as_of)s BETWEEN e.starts_on AND e.ends_on)
"""

# Once for all patients: few centres have changed anything.
NOT_OFF = """p.centre_id <> ALL (ARRAY(
      SELECT w.centre_id FROM (SELECT DISTINCT ON (centre_id) centre_id, mode FROM monitoring_rulechange
                               WHERE rule = %(rule)s AND kind = 'mode' AND confirmed_at IS NOT NULL
                               ORDER BY centre_id, confirmed_at DESC, id DESC) w
      WHERE w.mode = 'off'))"""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One row of what a rule says. See monitoring/rules/base.py for the columns."""

    patient_id: int
    subject: str
    level: str | None
    due_on: dt.date | None
    evidence: dict[str, Any] | None
    missing: list[str] | None


def ask(
    rule: Rule,
    *,
    as_of: dt.date,
    centre_id: int | None = None,
    patient_ids: Sequence[int] | None = None,
    known_at: dt.datetime | None = None,
    parameters: Parameters | None = None,
    others: Mapping[str, Parameters] = MappingProxyType({}),
    even_if_off: bool = False,
) -> int:
    """Fill `asked` and `finding`; returns how many patients were asked about. Four statements, whatever the population.

    Must run inside a transaction; both tables are empty again after it. With `patient_ids` only those are asked about
    (who among them belongs to the population is still the population's decision). The numbers are the rule's own unless
    given (`others`: {rule id: parameters} of the rules it asks); a centre's are in monitoring/governance.py. With
    `even_if_off` also patients of centres that have switched it off are asked about.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a rule is asked inside a transaction")
    question = Question(as_of=as_of, known_at=known_at)
    used = parameters or rule.parameters
    values = rule.values(question, used, others)
    judged_by: dict[str, Any] = {"parameters": dataclasses.asdict(used)}
    if others:
        judged_by["parameters_asked"] = {name: dataclasses.asdict(each) for name, each in others.items()}
    these, these_status = "true", "true"
    if centre_id is not None:
        these += " AND p.centre_id = %(centre_id)s"
    if patient_ids is not None:
        these += " AND p.id = ANY(%(patient_ids)s)"
        these_status += " AND f.patient_id = ANY(%(patient_ids)s)"
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        cursor.execute(
            POPULATION.format(
                # Whoever came to be on record later was not asked about then.
                known_patient="true" if known_at is None else "p.created_at <= %(known_at)s",
                known_status=question.known("f"),
                not_off="true" if even_if_off else NOT_OFF,
                known_exception=question.known("e"),
                these=these,
                these_status=these_status,
            ),
            {
                "as_of": as_of,
                "known_at": known_at,
                "rule": rule.id,
                "centre_id": centre_id,
                "patient_ids": None if patient_ids is None else list(patient_ids),
            },
        )
        asked = cursor.rowcount
        # Else the planner takes three patients for hundreds, and reads whole tables.
        prepare = "ANALYZE asked"
        if patient_ids is None:
            # Behind a chain of steps it still takes a whole clinic for a handful, and would join it row by row. What is
            # looked up for each row on purpose (LATERAL) still is.
            prepare += f"; SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '{WORK_MEM}'"
        cursor.execute(prepare)
        cursor.execute(
            "INSERT INTO finding SELECT f.patient_id, f.subject, f.level, f.due_on, "
            "f.evidence || %(judged_by)s::jsonb, f.missing "
            f"FROM ({rule.findings(question)}) f",
            {**values, "judged_by": json.dumps(judged_by, cls=DjangoJSONEncoder)},
        )
        if patient_ids is None:
            cursor.execute("SET LOCAL enable_nestloop = on")
    return asked


@transaction.atomic
def findings(rule: Rule, **question: Any) -> list[Finding]:
    """What `rule` says, as rows in memory: for one patient's page, back-tests and tests. Arguments as `ask`."""
    ask(rule, **question)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT patient_id, subject, level, due_on, evidence::text, missing "
            "FROM finding ORDER BY patient_id, subject"
        )
        return [
            Finding(p, s, level, due, None if e is None else json.loads(e, parse_float=str), missing)
            for p, s, level, due, e, missing in cursor.fetchall()
        ]
