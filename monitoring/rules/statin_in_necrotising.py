"""A statin is taken in anti-HMGCR disease."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules import doses
from monitoring.rules.base import Citation, Confidence, Question, Rule
from monitoring.rules.steroid import words
from patients.antibodies import POSITIVE_RESULTS
from therapy.formulary import STATINS


@dataclass(frozen=True)
class Parameters:
    """It has no numbers."""


def findings(q: Question) -> str:
    return f"""
    WITH statin AS (
        SELECT t.patient_id, jsonb_agg(DISTINCT n.name) AS drugs
        FROM ({doses.in_force(q, STATINS)}) t JOIN ({doses.names(STATINS)}) n (code, name) ON n.code = t.drug
        GROUP BY t.patient_id
    ), antibody AS (
        SELECT s.patient_id, min(x.taken_on) FILTER (WHERE x.result IN ({words(POSITIVE_RESULTS)})) AS positive_on
        FROM statin s
        JOIN patients_antibodyresult x ON x.patient_id = s.patient_id AND {q.known("x")} AND x.antibody = 'hmgcr'
            AND x.taken_on <= %(as_of)s
        GROUP BY s.patient_id
    )
    SELECT s.patient_id, 'patient' AS subject,
        CASE WHEN x.positive_on IS NOT NULL THEN 'ACTION' END AS level,
        NULL::date AS due_on,
        CASE WHEN x.positive_on IS NOT NULL THEN jsonb_build_object(
            'reasons', ARRAY['statin'], 'drugs', s.drugs, 'positive_on', x.positive_on) END AS evidence,
        -- never tested, in the disease where it matters: unknown is not negative
        CASE WHEN x.patient_id IS NULL THEN ARRAY['anti-HMGCR antibody'] END AS missing
    FROM statin s
    JOIN asked a ON a.patient_id = s.patient_id
    LEFT JOIN antibody x ON x.patient_id = s.patient_id
    WHERE x.positive_on IS NOT NULL OR x.patient_id IS NULL AND a.subtype = 'necrotising'
    """


RULE = Rule(
    id="statin-in-necrotising",
    version=1,
    title="A statin is taken in anti-HMGCR disease",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="In immune-mediated necrotising myopathy with anti-HMGCR antibodies statins are stopped and not given "
            "again.",
            confidence=Confidence.SECONDARY,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "statin": "Takes {drugs}, and anti-HMGCR was positive on {positive_on}.",
    },
    not_considered=(
        "Statins, red yeast rice and oyster mushrooms taken and not recorded.",
        "How high the risk of heart disease is without a statin.",
        "A weak positive antibody: it does not count as positive.",
    ),
    advice="Reviews advise to stop the statin for good and to note that it is not to be given again; lipids can be "
    "lowered otherwise, by a PCSK9 inhibitor for instance.",
    examples="""
        case                                  | subtype         | doses                                   | antibodies                             | expect
        no statin                             | necrotising     | -100.. prednisone 20                    | -30 hmgcr positive                     | quiet
        statin and antibody                   | necrotising     | -100.. atorvastatin 20                  | -30 hmgcr positive                     | ACTION [statin]
        strongly positive                     | necrotising     | -100.. pravastatin 20                   | -30 hmgcr strong                       | ACTION
        weakly positive                       | necrotising     | -100.. atorvastatin 20                  | -30 hmgcr weak                         | quiet
        negative                              | necrotising     | -100.. atorvastatin 20                  | -30 hmgcr negative                     | quiet
        once positive, later negative         | necrotising     | -100.. atorvastatin 20                  | -30 hmgcr positive, -10 hmgcr negative | ACTION
        another antibody                      | necrotising     | -100.. atorvastatin 20                  | -30 hmgcr negative, -30 srp positive   | quiet
        never tested, necrotising             | necrotising     | -100.. atorvastatin 20                  | -30 srp positive                       | not evaluable
        never tested, dermatomyositis         | dermatomyositis | -100.. atorvastatin 20                  |                                        | quiet
        not classified, antibody positive     | unknown         | -100.. rosuvastatin 5                   | -30 hmgcr positive                     | ACTION
        inclusion body myositis, positive     | inclusion_body  | -100.. simvastatin 20                   | -30 hmgcr positive                     | ACTION
        positive today, statin since today    | necrotising     | 0.. atorvastatin 20                     | 0 hmgcr positive                       | ACTION
        sample of tomorrow                    | dermatomyositis | -100.. atorvastatin 20                  | 1 hmgcr positive                       | quiet
        statin from tomorrow                  | necrotising     | 1.. atorvastatin 20                     | -30 hmgcr positive                     | quiet
        the last dose yesterday               | necrotising     | -100..-1 atorvastatin 20                | -30 hmgcr positive                     | quiet
        the last dose today                   | necrotising     | -100..0 atorvastatin 20                 | -30 hmgcr positive                     | ACTION
        stopped yesterday                     | necrotising     | -100.. atorvastatin 20 stop -1 toxicity | -30 hmgcr positive                     | quiet
        stopped today                         | necrotising     | -100.. atorvastatin 20 stop 0           | -30 hmgcr positive                     | ACTION
        two statins, one finding              | necrotising     | -9.. fluvastatin 40, -5.. lovastatin 20 | -30 hmgcr positive                     | ACTION
        a dose of nothing                     | necrotising     | -9.. pitavastatin 0                     | -30 hmgcr positive                     | quiet
        a dose of 1 mg                        | necrotising     | -9.. pitavastatin 1                     | -30 hmgcr positive                     | ACTION
    """,
)
