"""What a drug needs before its first dose and what is recorded of it, in SQL: for the rule and for the entry of a dose.

The checks are those of the formulary (therapy/formulary/checks.py). One counts from so many days before the first dose
on, at the latest on `as_of`: late is better than never. An indeterminate answer is none, the test is repeated.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from monitoring.rules.base import Question
from monitoring.rules.doses import text
from therapy.formulary import CHECKS, FORMULARY, Valid


@dataclass(frozen=True)
class Parameters:
    bloods_days: int = 90  # how old a check may be at the first dose
    serology_days: int = 365
    examination_days: int = 365
    pregnancy_days: int = 28
    apart_from_days: int = 8  # between two pregnancy tests
    apart_to_days: int = 10
    fertile_from_years: int = 12  # without a word about it, from this age on ...
    fertile_below_years: int = 55  # ... and below this one it is not known whether a woman can become pregnant


_DAYS = {
    Valid.EVER: "NULL",
    Valid.BLOODS: "%(bloods_days)s",
    Valid.SEROLOGY: "%(serology_days)s",
    Valid.EXAMINATION: "%(examination_days)s",
    Valid.PREGNANCY: "%(pregnancy_days)s",
}

# Drugs with a check that the rule asks for.
DRUGS = frozenset(drug.code for drug in FORMULARY.values() if drug.baseline)


def ctes(q: Question, start: str, *, advised: bool = False) -> str:
    """CTEs up to

    `first_check` (patient_id, key, drug, chk, nr, name, is_needed, for_childbearing, done_on, said, is_known): one row
    for each check of each start, in the formulary's order. `is_known` NULL: nobody knows whether it is needed. `done_on`
    is the day of the newest answer (of the oldest part, where it has several), `said` its words.

    `start` names a CTE or table (patient_id, key, drug, starts_on, sex, born_on); `key` tells starts apart. With
    `advised` also the checks that are advised and not needed.
    """
    need, answer = [], []
    for drug in FORMULARY.values():
        for nr, code in enumerate((*drug.baseline, *(drug.advised if advised else ()))):
            check = CHECKS[code]
            if check.is_recorded_here:
                need.append(
                    f"('{drug.code}', {nr}, '{code}', '{text(check.name)}', {code in drug.baseline}, "
                    f"{_DAYS[check.valid]}::int, {check.for_childbearing}, {check.twice}, {max(1, len(check.results))})"
                )
    for check in CHECKS.values():
        for part, group in enumerate(check.results):
            answer += [f"('{check.code}', {part}, 'result', '{analyte}')" for analyte in group]
        answer += [f"('{check.code}', -1, 'screening', '{kind}')" for kind in check.screenings]
        answer += [f"('{check.code}', -1, 'imaging', '{modality}')" for modality in check.imaging]
    return f"""check_need (drug, nr, chk, name, is_needed, days, for_childbearing, twice, parts) AS (
        VALUES {", ".join(need)}
    ), check_answer (chk, part, source, code) AS (VALUES {", ".join(answer)}
    ), childbearing AS (
        -- what was last said of it: no longer being able to is an answer, no longer being unable is none
        SELECT DISTINCT ON (x.patient_id) x.patient_id, CASE
            WHEN x.kind = 'childbearing' THEN COALESCE(x.ends_on >= %(as_of)s, true)
            WHEN COALESCE(x.ends_on >= %(as_of)s, true) THEN false END AS is_able
        FROM (SELECT DISTINCT patient_id FROM {start}) s
        JOIN patients_riskfactor x ON x.patient_id = s.patient_id AND {q.known("x")}
            AND x.kind IN ('childbearing', 'no_childbearing') AND x.starts_on <= %(as_of)s
        ORDER BY x.patient_id, x.starts_on DESC, x.id DESC
    ), check_asked AS (
        SELECT s.patient_id, s.key, s.drug, s.starts_on, n.nr, n.chk, n.name, n.is_needed, n.for_childbearing, n.twice,
            n.parts, COALESCE(s.starts_on - n.days, '-infinity'::date) AS since,
            CASE WHEN NOT n.for_childbearing THEN true
                 WHEN b.is_able IS NOT NULL THEN b.is_able
                 WHEN s.sex = 'male' THEN false
                 WHEN date_part('year', age(%(as_of)s, s.born_on)) >= %(fertile_from_years)s
                  AND date_part('year', age(%(as_of)s, s.born_on)) < %(fertile_below_years)s THEN NULL
                 ELSE false END AS applies
        FROM {start} s
        JOIN check_need n ON n.drug = s.drug
        LEFT JOIN childbearing b ON b.patient_id = s.patient_id
    ), check_found AS (
        SELECT k.patient_id, k.key, k.chk, a.part, x.done_on, x.said
        FROM check_asked k
        JOIN check_answer a ON a.chk = k.chk
        -- LATERAL: the newest of each, by index, out of all there are
        CROSS JOIN LATERAL (
            (SELECT r.taken_on AS done_on, r.value_received AS said FROM monitoring_result r
             WHERE a.source = 'result' AND r.patient_id = k.patient_id AND r.analyte = a.code AND {q.known("r")}
               AND r.taken_on BETWEEN k.since AND %(as_of)s
               -- a number; of words, those that answer
               AND (r.value IS NOT NULL OR r.value_received ~ '[0-9]'
                    OR lower(btrim(r.value_received)) IN ('negative', 'positive'))
             ORDER BY r.taken_on DESC LIMIT 1)
            UNION ALL
            (SELECT c.done_on, c.outcome FROM monitoring_screening c
             WHERE a.source = 'screening' AND c.patient_id = k.patient_id AND c.kind = a.code AND {q.known("c")}
               AND c.done_on BETWEEN k.since AND %(as_of)s AND c.outcome <> 'indeterminate'
               AND (NOT k.twice OR EXISTS (
                   SELECT 1 FROM monitoring_screening f
                   WHERE f.patient_id = k.patient_id AND f.kind = a.code AND {q.known("f")}
                     AND f.outcome <> 'indeterminate' AND f.done_on >= k.since
                     AND c.done_on - f.done_on BETWEEN %(apart_from_days)s AND %(apart_to_days)s))
             ORDER BY c.done_on DESC LIMIT 1)
            UNION ALL
            (SELECT i.done_on, '' FROM monitoring_imaging i
             WHERE a.source = 'imaging' AND i.patient_id = k.patient_id AND i.modality = a.code AND {q.known("i")}
               AND i.done_on BETWEEN k.since AND %(as_of)s
             ORDER BY i.done_on DESC LIMIT 1)
        ) x
        WHERE k.applies IS NOT FALSE
    ), check_part AS (
        -- of each part the newest answer, whichever test gave it
        SELECT DISTINCT ON (patient_id, key, chk, part) * FROM check_found
        ORDER BY patient_id, key, chk, part, done_on DESC
    ), check_done AS (
        SELECT patient_id, key, chk, count(*) FILTER (WHERE part >= 0) AS parts, bool_or(part < 0) AS is_whole,
            COALESCE(max(done_on) FILTER (WHERE part < 0), min(done_on)) AS done_on,
            string_agg(DISTINCT said, ', ') FILTER (WHERE said <> '') AS said
        FROM check_part GROUP BY patient_id, key, chk
    ), first_check AS (
        SELECT k.patient_id, k.key, k.drug, k.chk, k.nr, k.name, k.is_needed, k.for_childbearing, k.twice, d.done_on,
            -- what is done is known, whether or not it was needed
            d.said, CASE WHEN d.is_whole OR d.parts >= k.parts THEN true WHEN k.applies THEN false END AS is_known
        FROM check_asked k
        LEFT JOIN check_done d ON d.patient_id = k.patient_id AND d.key = k.key AND d.chk = k.chk
        WHERE k.applies IS NOT FALSE
    )"""


@dataclass(frozen=True)
class FirstCheck:
    """What is on record of one check of a drug. `is_known` None: nobody has said whether it is needed.

    `done_on` is the day of the answer, `said` its words as recorded; both None where there is none.
    """

    code: str
    name: str
    is_needed: bool
    is_known: bool | None
    done_on: dt.date | None
    said: str | None


def checks(patient_id: int, drug: str, starts_on: dt.date, as_of: dt.date, parameters: Parameters) -> list[FirstCheck]:
    """Every check of a drug that this patient would begin on `starts_on`, as the rule sees them on `as_of`, in the order
    of the formulary; those that are only advised last. One query.
    """
    query = f"""
        WITH start AS (
            SELECT id AS patient_id, 0 AS key, %(drug)s AS drug, %(starts_on)s::date AS starts_on, sex, born_on
            FROM patients_patient WHERE id = %(patient_id)s
        ), {ctes(Question(as_of), "start", advised=True)}
        SELECT chk, name, is_needed, is_known, done_on, said FROM first_check ORDER BY nr"""
    values: dict[str, Any] = {"drug": drug, "starts_on": starts_on, "patient_id": patient_id, "as_of": as_of}
    with connection.cursor() as cursor:
        cursor.execute(query, {**dataclasses.asdict(parameters), **values})
        return [FirstCheck(*row) for row in cursor.fetchall()]
