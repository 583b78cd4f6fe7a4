"""Methotrexate is taken with known interstitial lung disease."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules import doses, sql
from monitoring.rules.base import Citation, Confidence, Question, Rule


@dataclass(frozen=True)
class Parameters:
    """It has no numbers."""


def findings(q: Question) -> str:
    return f"""
    WITH begun AS (
        -- from the first dose to the stop or the last dose: a pause of some days in between asks nothing anew
        SELECT a.patient_id, c.id AS course_id, min(d.starts_on) AS began_on
        FROM asked a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")} AND c.drug = 'methotrexate'
        JOIN therapy_dose d ON d.course_id = c.id AND {q.known("d")} AND d.amount > 0
        WHERE {doses.not_stopped(q, "c")}
        GROUP BY a.patient_id, c.id
        HAVING min(d.starts_on) <= %(as_of)s AND bool_or(d.ends_on IS NULL OR d.ends_on >= %(as_of)s)
    )
    SELECT b.patient_id, 'course:' || b.course_id AS subject, 'INFO' AS level, NULL::date AS due_on,
        jsonb_build_object('reasons', ARRAY['ild'], 'began_on', b.began_on, 'ild_on', i.ild_on) AS evidence,
        NULL::text[] AS missing
    FROM begun b JOIN ({sql.known_ild(q)}) i ON i.patient_id = b.patient_id
    """


RULE = Rule(
    id="ild-methotrexate",
    version=1,
    title="Methotrexate with known interstitial lung disease",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="ACR/CHEST 2023: methotrexate is not recommended as first treatment of interstitial lung disease in "
            "myositis.",
            confidence=Confidence.PRIMARY,
        ),
        Citation(text="Said once for each course of methotrexate.", confidence=Confidence.LOCAL),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    # Once: an earlier day of either, recorded later, is no other finding.
    aside=("began_on", "ild_on"),
    explanations={
        "ild": "Takes methotrexate since {began_on}, and interstitial lung disease is known since {ild_on}.",
    },
    not_considered=(
        "Whether methotrexate is given for the joints or the muscle and something else for the lung.",
        "How far the lung disease has come, and whether it is stable.",
    ),
    advice="Confirm that methotrexate is meant. It is said once; closing it settles it for this course.",
    examples="""
        case                               | doses                                          | manifestations   | imaging            | expect
        no lung disease                    | -100.. methotrexate 15 /7                      |                  |                    | quiet
        no methotrexate                    | -100.. azathioprine 100                        | -200 ild         |                    | quiet
        both                               | -100.. methotrexate 15 /7                      | -200 ild         |                    | INFO [ild]
        seen on HRCT                       | -100.. methotrexate 15 /7                      |                  | -20 hrct present   | INFO
        HRCT without it                    | -100.. methotrexate 15 /7                      |                  | -20 hrct absent    | quiet
        seen on a chest X-ray alone        | -100.. methotrexate 15 /7                      |                  | -20 chest_xray present | quiet
        diagnosed today                    | -100.. methotrexate 15 /7                      | 0 ild            |                    | INFO
        diagnosed tomorrow                 | -100.. methotrexate 15 /7                      | 1 ild            |                    | quiet
        once known, known                  | -100.. methotrexate 15 /7                      | -200 ild -150    |                    | INFO
        begins today                       | 0.. methotrexate 15 /7                         | -200 ild         |                    | INFO
        begins tomorrow                    | 1.. methotrexate 15 /7                         | -200 ild         |                    | quiet
        the last dose today                | -100..0 methotrexate 15 /7                     | -200 ild         |                    | INFO
        the last dose yesterday            | -100..-1 methotrexate 15 /7                    | -200 ild         |                    | quiet
        paused, and planned to go on       | -100..-9 methotrexate 15 /7, 5.. methotrexate 10 /7 | -200 ild    |                    | INFO
        stopped yesterday                  | -100.. methotrexate 15 /7 stop -1 toxicity     | -200 ild         |                    | quiet
        stopped today                      | -100.. methotrexate 15 /7 stop 0 toxicity      | -200 ild         |                    | INFO
        under the skin                     | -9.. methotrexate:subcutaneous 15 /7           | -200 ild         |                    | INFO
    """,
)
