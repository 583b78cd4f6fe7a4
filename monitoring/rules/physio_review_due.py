"""An active physiotherapy plan, and strength or function not measured for some time."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules.base import Citation, Confidence, Question, Rule


@dataclass(frozen=True)
class Parameters:
    review_days: int = 84
    decline_days: int = 183  # how long a decline without an end lasts


def findings(q: Question) -> str:
    return f"""
    WITH plan AS (
        SELECT a.patient_id, p.id, p.starts_on
        FROM asked a JOIN therapy_physioplan p ON p.patient_id = a.patient_id AND {q.known("p")}
        WHERE p.starts_on <= %(as_of)s
          AND NOT EXISTS (SELECT 1 FROM therapy_physioend e
                          WHERE e.plan_id = p.id AND {q.known("e")} AND e.ended_on < %(as_of)s)
          AND NOT EXISTS (SELECT 1 FROM therapy_physiopause h
                          WHERE h.plan_id = p.id AND {q.known("h")} AND h.starts_on <= %(as_of)s
                            AND COALESCE(h.ends_on, %(as_of)s) >= %(as_of)s)
          AND NOT EXISTS (SELECT 1 FROM therapy_physiodecline d
                          WHERE d.patient_id = p.patient_id AND {q.known("d")} AND d.declined_on <= %(as_of)s
                            AND COALESCE(d.ends_on, d.declined_on + %(decline_days)s) >= %(as_of)s)
    ), patient AS (
        SELECT DISTINCT patient_id FROM plan
    ), strength AS (
        SELECT patient.patient_id, v.assessed_on AS measured_on
        FROM patient
        -- LATERAL: one assessment of each patient, by index, out of all there are
        CROSS JOIN LATERAL (
            SELECT v.assessed_on FROM monitoring_assessment v
            WHERE v.patient_id = patient.patient_id AND {q.known("v")} AND v.assessed_on <= %(as_of)s
              AND (v.mmt8_150 IS NOT NULL OR v.mmt8_80 IS NOT NULL)
            ORDER BY v.assessed_on DESC LIMIT 1) v
    ), functional AS (
        SELECT t.patient_id, max(t.tested_on) AS measured_on
        FROM patient JOIN monitoring_functionaltest t ON t.patient_id = patient.patient_id AND {q.known("t")}
        WHERE t.tested_on <= %(as_of)s AND t.instrument IN ('fi2', 'fi3') AND t.is_complete
        GROUP BY t.patient_id
    ), dated AS (
        SELECT plan.*, s.measured_on AS mmt8_on, f.measured_on AS functional_on,
            GREATEST(s.measured_on, f.measured_on) AS measured_on,  -- ignores a NULL
            COALESCE(GREATEST(s.measured_on, f.measured_on), plan.starts_on) + %(review_days)s AS due_on
        FROM plan
        LEFT JOIN strength s ON s.patient_id = plan.patient_id
        LEFT JOIN functional f ON f.patient_id = plan.patient_id
    )
    SELECT patient_id, 'plan:' || id AS subject,
        CASE WHEN due_on < %(as_of)s THEN 'TASK' END AS level,
        due_on,
        jsonb_build_object(
            'reasons', ARRAY[CASE WHEN measured_on IS NULL THEN 'never' ELSE 'long-ago' END],
            'starts_on', starts_on, 'mmt8_on', mmt8_on, 'functional_on', functional_on, 'measured_on', measured_on
        ) AS evidence,
        NULL::text[] AS missing
    FROM dated WHERE due_on <= %(as_of)s::date + %(horizon)s
    """


RULE = Rule(
    id="physio-review-due",
    version=1,
    title="Strength or function is due to be measured",
    audience=Role.PHYSIOTHERAPIST,
    evidence=(
        Citation(
            text="No guideline gives an interval for measuring again during physiotherapy: the number of days is a "
            "local policy, as long as the programmes of the trials (7 to 12 weeks).",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "never": "The physiotherapy plan began on {starts_on}, and neither a complete MMT8 nor a "
        "complete functional index is recorded. One is expected every {p.review_days} days.",
        "long-ago": "The latest complete MMT8 or functional index was on {measured_on}. "
        "One is expected every {p.review_days} days while a physiotherapy plan is active.",
    },
    not_considered=(
        "Incomplete measurements.",
        "Other tests, such as a walk or the grip.",
        "How long a plan has been paused: a paused plan asks for nothing.",
    ),
    examples="""
        case                             | physio plan         | mmt8                   | functional              | declined | expect
        no plan                          | none                | -300 100/150           |                         |          | quiet
        plan began 55 days ago           | -55                 |                        |                         |          | quiet
        plan began 56 days ago           | -56                 |                        |                         |          | due +28
        plan began 83 days ago           | -83                 |                        |                         |          | due +1
        plan began 84 days ago           | -84                 |                        |                         |          | due +0
        plan began 85 days ago           | -85                 |                        |                         |          | TASK due -1 [never]
        measured 83 days ago             | -200                | -83 100/150            |                         |          | due +1
        measured 84 days ago             | -200                | -84 100/150            |                         |          | due +0
        measured 85 days ago             | -200                | -85 100/150            |                         |          | TASK due -1 [long-ago]
        one side is enough               | -200                | -30 70/80              |                         |          | quiet
        a strength of 0 is measured      | -200                | -30 0/150              |                         |          | quiet
        measured before the plan began   | -10                 | -85 100/150            |                         |          | TASK due -1
        an assessment without MMT8       | -200                | -85 100/150, -2 none   |                         |          | TASK due -1
        the later of the two: functional | -200                | -100 100/150           | -30 fi2                 |          | quiet
        the later of the two: strength   | -200                | -30 100/150            | -100 fi3                |          | quiet
        functional index only            | -200                |                        | -85 fi3                 |          | TASK due -1
        functional index, incomplete     | -200                | -85 100/150            | -2 fi3 incomplete       |          | TASK due -1
        another instrument               | -200                | -85 100/150            | -2 walk_6min, -2 ibmfrs |          | TASK due -1
        measured tomorrow                | -200                | -85 100/150, 1 100/150 | 1 fi2                   |          | TASK due -1
        plan begins tomorrow             | 1                   | -85 100/150            |                         |          | quiet
        plan ends today                  | -200 ended 0        |                        |                         |          | TASK
        plan ended yesterday             | -200 ended -1       |                        |                         |          | quiet
        paused                           | -200 paused -10..   |                        |                         |          | quiet
        pause ends today                 | -200 paused -10..0  |                        |                         |          | quiet
        pause ended yesterday            | -200 paused -10..-1 |                        |                         |          | TASK due -116
        declined 183 days ago            | -200                |                        |                         | -183     | quiet
        declined 184 days ago            | -200                |                        |                         | -184     | TASK
        decline ended yesterday          | -200                |                        |                         | -30..-1  | TASK
    """,
)
