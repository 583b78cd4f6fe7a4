"""The disease is worse than it was, by the definition that the trials use."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules import deterioration_sql, steroid
from monitoring.rules.base import Citation, Confidence, Question, Rule
from monitoring.scores import worsening


@dataclass(frozen=True)
class Parameters(steroid.Parameters, worsening.Parameters):
    baseline_before_days: int = 28  # of the first day of the present episode of glucocorticoid
    baseline_after_days: int = 14
    reassess_from_days: int = 14  # after the visit
    reassess_days: int = 28


NAMES = {
    "physician_vas": "physician global activity",
    "patient_vas": "patient global activity",
    "extramuscular_vas": "extramuscular activity",
    "haq_di": "HAQ-DI",
    "mmt8": "MMT8",
}


def findings(q: Question) -> str:
    said = " ".join(f"WHEN '{name}' THEN '{words}'" for name, words in NAMES.items())
    return f"""
    WITH {deterioration_sql.candidates(q)}, {steroid.courses(q, people="worsening", recent=True)}, {steroid.episodes()},
    {deterioration_sql.visits(q, "worsening")}, since AS (
        -- as in second-line-review: the newest visit about the first day of the present episode
        SELECT e.patient_id, max(v.assessed_on) AS since_on
        FROM steroid_episode e
        JOIN visit v ON v.patient_id = e.patient_id AND v.assessed_on
            BETWEEN e.day0 - %(baseline_before_days)s::int AND e.day0 + %(baseline_after_days)s::int
        GROUP BY e.patient_id
    ), {deterioration_sql.ctes()}
    SELECT w.patient_id, 'patient'::text AS subject,
        CASE WHEN d.patient_id IS NULL THEN 'TASK' ELSE 'ACTION' END AS level,
        w.assessed_on + %(reassess_days)s::int AS due_on,
        jsonb_build_object(
            'reasons', CASE WHEN d.patient_id IS NULL THEN 'once' ELSE 'confirmed' END || w.reasons,
            'visit_on', w.assessed_on, 'before_on', d.before_on, 'since_on', s.since_on,
            'reassess_from', w.assessed_on + %(reassess_from_days)s::int,
            'reassess_by', w.assessed_on + %(reassess_days)s::int,
            'changes', (SELECT jsonb_agg(CASE c.key {said} END || ' ' || trim_scale((c.value ->> 0)::numeric)
                        || ' → ' || trim_scale((c.value ->> 1)::numeric) ORDER BY c.key) FROM jsonb_each(w.changes) c)
        ) AS evidence,
        NULL::text[] AS missing
    FROM worsened w
    LEFT JOIN deteriorated d ON d.patient_id = w.patient_id
    LEFT JOIN since s ON s.patient_id = w.patient_id
    WHERE w.nth = 1 AND cardinality(w.reasons) > 0
    """


COMPARED = "The best value of the {p.look_back_days} days before, and now: {changes}."

RULE = Rule(
    id="deterioration",
    version=1,
    title="Worse than before",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="Deterioration and its confirmation at a second visit: the ProDERM trial, after IMACS (Aggarwal R, et al. "
            "Arthritis Res Ther 2023).",
            doi="10.1186/s13075-023-03232-2",
            confidence=Confidence.PRIMARY,
            locator="fig. 1",
        ),
        Citation(
            text="What a visit is compared with, what counts where the best value is 0, and when to look again after one "
            "such visit are in no guideline: a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    # An episode that is over has no baseline any more; the visits are the same.
    aside=("since_on",),
    explanations={
        "once": "The visit of {visit_on} meets the definition of deterioration. It is confirmed only if the next visit "
        "meets it too: re-assess {p.reassess_from_days} to {p.reassess_days} days after it, between {reassess_from} and "
        "{reassess_by}. " + COMPARED,
        "confirmed": "Deterioration is confirmed: the visits of {before_on} and {visit_on} both meet the definition. "
        + COMPARED,
        "global_and_strength": "Physician global activity is worse by {p.vas_worse_cm} cm or more and MMT8 by "
        "{p.strength_worse_percent} % or more.",
        "extramuscular": "Extramuscular activity is worse by {p.vas_worse_cm} cm or more.",
        "three_of_five": "{p.measures_worse} or more of the five clinical measures are worse by "
        "{p.measure_worse_percent} % or more.",
    },
    not_considered=(
        "Muscle enzymes: a creatine kinase alone is not a flare.",
        "Why: an infection, a fall, steroid myopathy, damage, a missed drug or another observer.",
        "In inclusion body myositis a slow decline is the course of the disease and can meet the definition.",
        "How long ago the visit was: it stands until the next one.",
    ),
    advice="Measure again, by the same observer where possible, before calling it a flare.",
    examples="""
        case                                    | subtype        | doses                     | core sets                                                                            | expect
        no visit                                |                |                           |                                                                                      | quiet
        the first visit                         |                |                           | -40 base                                                                             | quiet
        the same again                          |                |                           | -40 base, -5 base                                                                    | quiet
        better                                  |                |                           | -40 base, -5 base md=2 pt=1 ex=0 haq=0.5 mmt=150                                      | quiet
        extramuscular by 1.9 cm                 |                |                           | -40 base, -5 base ex=3.9                                                             | quiet
        extramuscular by 2 cm                   |                |                           | -40 base, -5 base ex=4                                                               | TASK due +23 [once, extramuscular]
        extramuscular by 2.1 cm                 |                |                           | -40 base, -5 base ex=4.1                                                             | TASK due +23 [once, extramuscular]
        at two visits in a row                  |                |                           | -40 base, -20 base ex=4, -5 base ex=4                                                | ACTION due +23 [confirmed, extramuscular]
        each in its own way                     |                |                           | -40 base, -20 base ex=4, -5 base md=8 mmt=96                                         | ACTION [confirmed, global_and_strength]
        then a visit that does not              |                |                           | -40 base, -20 base ex=4, -5 base ex=3.9                                              | quiet
        before it, strength by 19.8 %           |                |                           | -60 base mmt=121, -20 base md=8 mmt=97, -5 base mmt=121 ex=4                         | TASK [once, extramuscular]
        before it, the patient by 29.7 %        |                |                           | -60 base pt=3.7, -20 base md=7.8 pt=4.8 haq=1.95, -5 base pt=3.7 ex=4                | TASK [once, extramuscular]
        before it, the physician by 29.7 %      |                |                           | -60 base md=3.7, -20 base md=4.8 pt=6.5 haq=1.95, -5 base md=3.7 ex=4                | TASK [once, extramuscular]
        two, but not in a row                   |                |                           | -60 base, -40 base ex=4, -20 base, -5 base ex=4                                      | TASK [once, extramuscular]
        then an empty assessment                |                |                           | -40 base, -20 base ex=4, -5 md=-                                                     | TASK due +8
        the physician alone                     |                |                           | -40 base, -5 base md=8                                                               | quiet
        strength alone                          |                |                           | -40 base, -5 base mmt=96                                                             | quiet
        physician by 2 cm, strength by 20 %     |                |                           | -40 base, -5 base md=8 mmt=96                                                        | TASK [once, global_and_strength]
        physician by 1.9 cm                     |                |                           | -40 base, -5 base md=7.9 mmt=96                                                      | quiet
        strength by 19.2 %                      |                |                           | -40 base, -5 base md=8 mmt=97                                                        | quiet
        strength by 20 %, of 150                |                |                           | -40 base mmt=150, -5 base md=8 mmt=120                                               | TASK [once, global_and_strength]
        strength on another scale               |                |                           | -40 base, -5 base md=8 mmt=- mmt80=40                                                | quiet
        strength of one side                    |                |                           | -40 base mmt=- mmt80=80, -5 base md=8 mmt=- mmt80=64                                 | TASK [once, global_and_strength]
        strength on both scales, before on one  |                |                           | -40 base mmt=- mmt80=80, -5 base md=8 mmt=120 mmt80=64                               | TASK [once, global_and_strength]
        three of five by 30 %                   |                |                           | -40 base, -5 base md=7.8 pt=6.5 haq=1.95                                             | TASK [once, three_of_five]
        three, one of them by 28 %              |                |                           | -40 base, -5 base md=7.7 pt=6.5 haq=1.95                                             | quiet
        HAQ-DI by 29.9 %                        |                |                           | -40 base, -5 base md=7.8 pt=6.5 haq=1.949                                            | quiet
        HAQ-DI by 29.994 %                      |                |                           | -40 base haq=1.667, -5 base md=7.8 pt=6.5 haq=2.167                                  | quiet
        two of five                             |                |                           | -40 base, -5 base md=7.8 pt=6.5                                                      | quiet
        strength as the third, by 30 %          |                |                           | -40 base, -5 base md=7.8 pt=6.5 mmt=84                                               | TASK [once, three_of_five]
        strength as the third, by 29.2 %        |                |                           | -40 base, -5 base md=7.8 pt=6.5 mmt=85                                               | quiet
        extramuscular as the third, by 30 %     |                |                           | -40 base, -5 base md=7.8 pt=6.5 ex=2.6                                               | TASK [once, three_of_five]
        strength as the third, from 1 to 0      |                |                           | -40 base mmt=1, -5 base md=7.8 pt=6.5 mmt=0                                          | TASK [once, three_of_five]
        all of it                               |                |                           | -40 base, -5 base md=9 pt=9 ex=6 haq=3 mmt=60                                        | TASK [once, global_and_strength, extramuscular, three_of_five]
        from 0 by 2 cm, HAQ-DI by 0.375         |                |                           | -40 base md=0 pt=0 haq=0, -5 base md=2 pt=2 haq=0.375                                | TASK [once, three_of_five]
        from 0 by 1.9 cm                        |                |                           | -40 base md=0 pt=0 haq=0, -5 base md=1.9 pt=2 haq=0.375                              | quiet
        HAQ-DI from 0 by 0.374                  |                |                           | -40 base md=0 pt=0 haq=0, -5 base md=2 pt=2 haq=0.374                                | quiet
        without a patient                       |                |                           | -40 base, -5 base md=7.8 pt=- haq=1.95                                               | quiet
        the best before, not the one before     |                |                           | -60 base, -40 base ex=3, -5 base ex=4                                                | TASK [once, extramuscular]
        best value 364 days before              |                |                           | -369 base, -30 base ex=3, -5 base ex=4                                               | TASK
        best value 365 days before              |                |                           | -370 base, -30 base ex=3, -5 base ex=4                                               | TASK
        best value 366 days before              |                |                           | -371 base, -30 base ex=3, -5 base ex=4                                               | quiet
        a visit long ago stands                 |                |                           | -740 base, -700 base ex=4                                                            | TASK due -672
        a visit tomorrow                        |                |                           | -40 base, 1 base ex=4                                                                | quiet
        a visit today                           |                |                           | -40 base, 0 base ex=4                                                                | TASK due +28
        two visits of one day, the newer worse   |                |                           | -40 base, -5 base, -5 base ex=4                                                      | TASK [once, extramuscular]
        inclusion body                          | inclusion_body |                           | -40 base, -20 base ex=4, -5 base ex=4                                                | ACTION
        treated, baseline at the start          |                | -40.. prednisone 40       | -80 base ex=0, -40 base ex=2, -5 base ex=3.9                                         | quiet
        baseline 28 days before                 |                | -40.. prednisone 40       | -80 base ex=0, -68 base ex=2, -5 base ex=3.9                                         | quiet
        29 days before is no baseline           |                | -40.. prednisone 40       | -80 base ex=0, -69 base ex=1.9, -5 base ex=3.8                                         | TASK [once, extramuscular]
        baseline 14 days after                  |                | -40.. prednisone 40       | -80 base ex=0, -26 base ex=2, -5 base ex=3.9                                         | quiet
        15 days after is a visit                |                | -40.. prednisone 40       | -80 base ex=0, -25 base ex=2, -5 base ex=3.9                                         | ACTION [confirmed, extramuscular]
        the newest of two at the baseline       |                | -40.. prednisone 40       | -45 base ex=0, -38 base ex=2, -5 base ex=3.9                                         | quiet
        the baseline itself is no deterioration |                | -40.. prednisone 40       | -80 base ex=0, -40 base ex=4                                                         | quiet
        a course 14 days after one is the same  |                | -90..-55 prednisone 40, -40.. prednisone 40 | -100 base ex=0, -90 base ex=2, -40 base ex=2.5, -5 base ex=4.4     | TASK
        an episode 89 days after is the same    |                | -200..-129 prednisone 40, -40.. prednisone 40 | -200 base ex=2, -45 base ex=3.9, -5 base ex=4                    | TASK
        an episode 90 days after is a new one   |                | -200..-130 prednisone 40, -40.. prednisone 40 | -200 base ex=2, -45 base ex=3.9, -5 base ex=4                    | quiet
        90 days after the last dose             |                | -150..-90 prednisone 40   | -200 base ex=0, -150 base ex=2, -5 base ex=3.9                                       | quiet
        91 days after the last dose             |                | -150..-91 prednisone 40   | -200 base ex=0, -150 base ex=1.9, -5 base ex=3.9                                       | TASK
    """,
)
