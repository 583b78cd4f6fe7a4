"""Some weeks after diagnosis, nobody has planned physiotherapy."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules.base import Citation, Confidence, Question, Rule


@dataclass(frozen=True)
class Parameters:
    plan_days: int = 42  # after diagnosis
    ended_days: int = 365  # a plan that ended this lately was physiotherapy enough
    decline_days: int = 183  # how long a decline without an end lasts


def findings(q: Question) -> str:
    return f"""
    WITH candidate AS (
        SELECT a.patient_id, a.diagnosed_on, a.diagnosed_on + %(plan_days)s AS due_on
        FROM asked a
        WHERE (a.diagnosed_on IS NULL OR a.diagnosed_on + %(plan_days)s <= %(as_of)s::date + %(horizon)s)
          -- A plan that is running, paused or not, or that ended lately. One that begins later is not active yet.
          AND NOT EXISTS (SELECT 1 FROM therapy_physioplan p
                          LEFT JOIN therapy_physioend e ON e.plan_id = p.id AND {q.known("e")}
                          WHERE p.patient_id = a.patient_id AND {q.known("p")} AND p.starts_on <= %(as_of)s
                            AND (e.id IS NULL OR e.ended_on >= %(as_of)s::date - %(ended_days)s))
          AND NOT EXISTS (SELECT 1 FROM therapy_physiodecline d
                          WHERE d.patient_id = a.patient_id AND {q.known("d")} AND d.declined_on <= %(as_of)s
                            AND COALESCE(d.ends_on, d.declined_on + %(decline_days)s) >= %(as_of)s)
    )
    SELECT c.patient_id, 'patient'::text AS subject,
        CASE WHEN c.due_on <= %(as_of)s THEN 'TASK' END AS level,
        c.due_on,
        CASE WHEN c.due_on IS NOT NULL THEN jsonb_build_object(
            'reasons', ARRAY[CASE WHEN h.ended_on IS NULL THEN 'never' ELSE 'not-since' END],
            'diagnosed_on', c.diagnosed_on, 'ended_on', h.ended_on
        ) END AS evidence,
        CASE WHEN c.due_on IS NULL THEN ARRAY['the day of diagnosis'] END AS missing
    FROM candidate c
    LEFT JOIN LATERAL (
        SELECT max(e.ended_on) AS ended_on FROM therapy_physioend e
        JOIN therapy_physioplan p ON p.id = e.plan_id AND {q.known("p")}
        WHERE e.patient_id = c.patient_id AND {q.known("e")} AND e.ended_on <= %(as_of)s
    ) h ON c.due_on IS NOT NULL
    """


RULE = Rule(
    id="physio-no-plan",
    version=1,
    title="No physiotherapy is planned",
    audience=Role.PHYSIOTHERAPIST,
    evidence=(
        Citation(
            text="Exercise is safe at all stages studied. Alexanderson H, 2018 (PMC6299050).",
            confidence=Confidence.PRIMARY,
        ),
        Citation(
            text="Therapist-led exercise can be considered. British Society for Rheumatology guideline, 2022.",
            confidence=Confidence.SECONDARY,
        ),
        Citation(
            text="No guideline says how soon after diagnosis: the number of days is a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "never": "Diagnosed on {diagnosed_on}, and no physiotherapy plan is recorded. "
        "One is expected within {p.plan_days} days of diagnosis.",
        "not-since": "Diagnosed on {diagnosed_on}. No physiotherapy plan is active; the latest ended on {ended_on}, "
        "more than {p.ended_days} days ago.",
    },
    not_considered=(
        "Physiotherapy elsewhere that nobody recorded.",
        "A plan that begins later.",
        "A flare, after which physiotherapy may be needed again sooner.",
        "How long a plan has been paused: a paused plan is a plan.",
    ),
    advice="Ask whether physiotherapy is wanted, and record a plan or a decline.",
    examples="""
        case                            | diagnosis | physio plan      | declined | expect
        no day of diagnosis             | none      |                  |          | not evaluable
        no day of diagnosis, but a plan | none      | -10              |          | quiet
        day 13: too far ahead           | -13       |                  |          | quiet
        day 14                          | -14       |                  |          | due +28
        day 41                          | -41       |                  |          | due +1
        day 42                          | -42       |                  |          | TASK due +0 [never]
        day 43                          | -43       |                  |          | TASK due -1
        a plan since today              | -42       | 0                |          | quiet
        a plan from tomorrow            | -42       | 1                |          | TASK
        a paused plan                   | -100      | -50 paused -40.. |          | quiet
        a plan that ends today          | -100      | -50 ended 0      |          | quiet
        a plan ended 364 days ago       | -900      | -500 ended -364  |          | quiet
        a plan ended 365 days ago       | -900      | -500 ended -365  |          | quiet
        a plan ended 366 days ago       | -900      | -500 ended -366  |          | TASK due -858 [not-since]
        a plan will end later           | -100      | -50 ended 10     |          | quiet
        a plan before the diagnosis     | -42       | -200 ended -100  |          | quiet
        declined 182 days ago           | -900      |                  | -182     | quiet
        declined 183 days ago           | -900      |                  | -183     | quiet
        declined 184 days ago           | -900      |                  | -184     | TASK
        declined today                  | -42       |                  | 0        | quiet
        declined tomorrow               | -42       |                  | 1        | TASK
        decline ends today              | -900      |                  | -30..0   | quiet
        decline ended yesterday         | -900      |                  | -30..-1  | TASK
        a long decline                  | -900      |                  | -400..10 | quiet
        declined, and would fall due    | -30       |                  | -5       | quiet
    """,
)
