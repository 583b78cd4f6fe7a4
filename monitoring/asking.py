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
from monitoring.sharing import A_FEW, COLUMNS, WHOLE_CLINIC, Sharing, followed

FINDING = """
CREATE TEMP TABLE IF NOT EXISTS finding (
    patient_id bigint, subject text, level text, due_on date, evidence jsonb, missing text[]
) ON COMMIT DELETE ROWS;
TRUNCATE finding;
"""
TABLES = f"""
CREATE TEMP TABLE IF NOT EXISTS asked ({COLUMNS}) ON COMMIT DELETE ROWS;
TRUNCATE asked;
{FINDING}
"""

POPULATION = """
INSERT INTO asked {followed}
  AND {not_off}
  AND NOT EXISTS (SELECT 1 FROM patients_ruleexception e WHERE e.patient_id = p.id AND {excepted})
"""
EXCEPTED = "e.rule IN (%(rule)s, '*') AND {known} AND %(as_of)s BETWEEN e.starts_on AND e.ends_on"
# Where answers are shared, the population is prepared, and only whom this rule leaves out is looked for.
LEFT_OUT = """
INSERT INTO excepted
SELECT e.patient_id FROM patients_ruleexception e WHERE {excepted}
UNION
SELECT p.patient_id FROM followed p WHERE NOT ({not_off})
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
    shared: Sharing | None = None,
) -> int:
    """Fill `asked` and `finding`; returns how many patients were asked about. Four statements, whatever the population.

    Must run inside a transaction; both tables are empty again after it. With `patient_ids` only those are asked about
    (who among them belongs to the population is still the population's decision). The numbers are the rule's own unless
    given (`others`: {rule id: parameters} of the rules it asks); a centre's are in monitoring/governance.py. With
    `even_if_off` also patients of centres that have switched it off are asked about. With `shared` all that is followed
    in its centre on its day is asked about, from what is prepared there.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a rule is asked inside a transaction")
    if shared is not None and (shared.as_of, shared.centre_id, None, None) != (as_of, centre_id, patient_ids, known_at):
        raise ValueError("what is shared is about everybody of one centre, on one day, as known today")
    used = parameters or rule.parameters
    question = Question(as_of=as_of, known_at=known_at)
    values = rule.values(question, used, others)
    tables: list[str] = []
    about_whom = ""
    if shared is not None:
        question, tables = shared.question(values)
    query = rule.findings(question)
    judged_by: dict[str, Any] = {"parameters": dataclasses.asdict(used)}
    if others:
        judged_by["parameters_asked"] = {name: dataclasses.asdict(each) for name, each in others.items()}
    conditions = {
        "not_off": "true" if even_if_off else NOT_OFF,
        "excepted": EXCEPTED.format(known=question.known("e")),
    }
    about = {
        "as_of": as_of,
        "known_at": known_at,
        "rule": rule.id,
        "centre_id": centre_id,
        "patient_ids": None if patient_ids is None else list(patient_ids),
    }
    with connection.cursor() as cursor:
        if shared is None:
            cursor.execute(TABLES)
            who = followed(question, centre=centre_id is not None, patients=patient_ids is not None)
            cursor.execute(POPULATION.format(followed=who, **conditions), about)
            asked = cursor.rowcount
            # Else the planner takes three patients for hundreds, and reads whole tables.
            cursor.execute("ANALYZE asked" + (f"; {WHOLE_CLINIC}" if patient_ids is None else ""))
        else:
            cursor.execute(f"{FINDING} TRUNCATE excepted")
            shared.bring_up_to_date(cursor)
            cursor.execute(LEFT_OUT.format(**conditions), about)
            cursor.execute("ANALYZE excepted")
            cursor.execute(
                "SELECT (SELECT count(*) FROM followed), "
                "(SELECT count(*) FROM followed JOIN excepted USING (patient_id))"
            )
            everybody, left_out = cursor.fetchone()
            asked = everybody - left_out
            cursor.execute(WHOLE_CLINIC)
            shared.prepare(cursor, tables)
            if left_out:  # A prepared answer tells of everybody.
                query = f"SELECT g.* FROM ({query}) g JOIN asked USING (patient_id)"
            else:  # spares looking for each patient among nobody
                about_whom = "WITH asked AS NOT MATERIALIZED (SELECT * FROM followed)"
        cursor.execute(
            f"INSERT INTO finding {about_whom} SELECT f.patient_id, f.subject, f.level, f.due_on, "
            f"f.evidence || %(judged_by)s::jsonb, f.missing FROM ({query}) f",
            {**values, "judged_by": json.dumps(judged_by, cls=DjangoJSONEncoder)},
        )
        if patient_ids is None:
            cursor.execute(A_FEW)
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
