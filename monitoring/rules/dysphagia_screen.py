"""Swallowing has not been asked about lately, or the answer asks for more."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring.rules.base import Citation, Confidence, Question, Rule
from monitoring.rules.steroid import words
from patients.antibodies import POSITIVE_RESULTS

OFTEN_SUBTYPES = frozenset({"inclusion_body", "necrotising"})
DERMATOMYOSITIS = frozenset({"dermatomyositis", "juvenile"})


@dataclass(frozen=True)
class Parameters:
    interval_days: int = 183
    often_days: int = 91
    first_days: int = 28  # after the diagnosis
    positive_from: Decimal = Decimal(3)  # EAT-10, 0 to 40
    referral_days: int = 14
    active_vas_cm: Decimal = Decimal(2)  # physician global activity that makes dermatomyositis active
    active_days: int = 183  # how old that may be on the day of the screen
    aspiration_days: int = 90  # how long choking or aspiration is new
    weight_percent: Decimal = Decimal(5)
    weight_days: int = 90  # in which it was lost
    weight_max_age_days: int = 90


def findings(q: Question) -> str:
    return f"""
    WITH nxp2 AS (
        SELECT DISTINCT b.patient_id
        FROM asked a JOIN patients_antibodyresult b ON b.patient_id = a.patient_id AND {q.known("b")}
        WHERE b.antibody = 'nxp2' AND b.result IN ({words(POSITIVE_RESULTS)}) AND b.taken_on <= %(as_of)s
    ), screen AS (
        SELECT DISTINCT ON (a.patient_id) a.patient_id, s.done_on, s.score,
            s.outcome = 'abnormal' OR COALESCE(s.score >= %(positive_from)s, false) AS is_positive
        FROM asked a JOIN monitoring_screening s ON s.patient_id = a.patient_id AND {q.known("s")}
        WHERE s.kind = 'swallow' AND s.done_on <= %(as_of)s
        ORDER BY a.patient_id, s.done_on DESC, s.id DESC
    ), active AS (
        -- on the day of the screen: a due day moves only when one is done
        SELECT s.patient_id, v.physician_vas, v.assessed_on
        FROM screen s
        JOIN asked a ON a.patient_id = s.patient_id AND a.subtype IN ({words(DERMATOMYOSITIS)})
        CROSS JOIN LATERAL (
            SELECT v.physician_vas, v.assessed_on FROM monitoring_assessment v
            WHERE v.patient_id = s.patient_id AND {q.known("v")} AND v.physician_vas IS NOT NULL
              AND v.assessed_on BETWEEN s.done_on - %(active_days)s::int AND s.done_on
            ORDER BY v.assessed_on DESC, v.id DESC LIMIT 1) v
        WHERE v.physician_vas >= %(active_vas_cm)s
    ), sign AS (
        SELECT a.patient_id,
            max(m.onset_on) FILTER (WHERE m.kind = 'aspiration' AND m.onset_on >= %(as_of)s::date - %(aspiration_days)s::int)
                AS aspiration_on,
            min(m.onset_on) FILTER (WHERE m.kind = 'dysphagia') AS dysphagia_on
        FROM asked a JOIN patients_manifestation m ON m.patient_id = a.patient_id AND {q.known("m")}
        WHERE m.kind IN ('aspiration', 'dysphagia') AND m.onset_on <= %(as_of)s
          AND (m.ended_on IS NULL OR m.ended_on >= %(as_of)s)
        GROUP BY a.patient_id
    ), at_risk AS (
        SELECT patient_id FROM screen WHERE is_positive
        UNION SELECT patient_id FROM sign WHERE dysphagia_on IS NOT NULL
    ), weight AS (
        SELECT n.patient_id, n.weight_kg, n.measured_on, max(w.weight_kg) AS before_kg,
            (array_agg(w.measured_on ORDER BY w.weight_kg DESC, w.measured_on DESC))[1] AS before_on
        FROM (
            SELECT DISTINCT ON (r.patient_id) r.patient_id, b.weight_kg, b.measured_on
            FROM at_risk r JOIN monitoring_bodysize b ON b.patient_id = r.patient_id AND {q.known("b")}
            WHERE b.weight_kg IS NOT NULL
              AND b.measured_on BETWEEN %(as_of)s::date - %(weight_max_age_days)s::int AND %(as_of)s
            ORDER BY r.patient_id, b.measured_on DESC, b.id DESC
        ) n
        JOIN monitoring_bodysize w ON w.patient_id = n.patient_id AND {q.known("w")} AND w.weight_kg IS NOT NULL
            AND w.measured_on < n.measured_on AND w.measured_on >= n.measured_on - %(weight_days)s::int
            AND w.measured_on >= %(as_of)s::date - (%(weight_max_age_days)s + %(weight_days)s)::int
        GROUP BY n.patient_id, n.weight_kg, n.measured_on
        HAVING (max(w.weight_kg) - n.weight_kg) * 100 >= %(weight_percent)s * max(w.weight_kg)
    ), often AS (
        SELECT a.patient_id, a.diagnosed_on,
            ARRAY_REMOVE(ARRAY[
                CASE a.subtype WHEN 'inclusion_body' THEN 'inclusion body myositis'
                    WHEN 'necrotising' THEN 'necrotising myopathy' END,
                CASE WHEN n.patient_id IS NOT NULL THEN 'anti-NXP2' END,
                CASE WHEN v.patient_id IS NOT NULL THEN 'active dermatomyositis' END
            ], NULL) AS groups,
            s.done_on, s.score, s.is_positive, v.physician_vas, v.assessed_on, g.aspiration_on, g.dysphagia_on,
            w.weight_kg, w.measured_on AS weight_on, w.before_kg, w.before_on
        FROM asked a
        LEFT JOIN nxp2 n ON n.patient_id = a.patient_id
        LEFT JOIN screen s ON s.patient_id = a.patient_id
        LEFT JOIN active v ON v.patient_id = a.patient_id
        LEFT JOIN sign g ON g.patient_id = a.patient_id
        LEFT JOIN weight w ON w.patient_id = a.patient_id
    ), dated AS (
        SELECT *, CASE WHEN cardinality(groups) > 0 THEN %(often_days)s ELSE %(interval_days)s END AS interval_days,
            -- one of long before the diagnosis does not make the first one overdue
            CASE WHEN done_on IS NULL THEN diagnosed_on + %(first_days)s::int
                 ELSE GREATEST(done_on + CASE WHEN cardinality(groups) > 0 THEN %(often_days)s
                                              ELSE %(interval_days)s END::int,
                     CASE WHEN done_on < diagnosed_on THEN diagnosed_on + %(first_days)s::int END) END AS screen_due_on
        FROM often
    ), judged AS (
        SELECT *, COALESCE(is_positive, false) AS positive, COALESCE(screen_due_on < %(as_of)s, false) AS is_overdue,
            CASE WHEN is_positive THEN done_on + %(referral_days)s::int END AS refer_by
        FROM dated
    )
    SELECT patient_id, 'patient'::text AS subject,
        CASE WHEN aspiration_on IS NOT NULL OR weight_on IS NOT NULL THEN 'URGENT'
            WHEN refer_by < %(as_of)s THEN 'ACTION'
            WHEN positive OR is_overdue THEN 'TASK' END AS level,
        -- With choking or a loss of weight there is no day to wait for.
        CASE WHEN aspiration_on IS NOT NULL OR weight_on IS NOT NULL THEN NULL
            ELSE COALESCE(refer_by, screen_due_on) END AS due_on,
        CASE WHEN diagnosed_on IS NOT NULL OR done_on IS NOT NULL OR aspiration_on IS NOT NULL OR weight_on IS NOT NULL
        THEN jsonb_build_object(
            'reasons', ARRAY_REMOVE(ARRAY[
                CASE WHEN aspiration_on IS NOT NULL THEN 'aspiration' END,
                CASE WHEN weight_on IS NOT NULL THEN 'weight' END,
                CASE WHEN refer_by < %(as_of)s THEN 'positive-late' WHEN positive THEN 'positive' END,
                CASE WHEN positive OR NOT is_overdue AND (aspiration_on IS NOT NULL OR weight_on IS NOT NULL) THEN NULL
                     WHEN done_on IS NULL THEN 'never' ELSE 'overdue' END,
                CASE WHEN is_overdue AND NOT positive AND done_on IS NOT NULL AND cardinality(groups) > 0
                    THEN 'often' END
            ], NULL),
            'done_on', done_on, 'score', score,
                'answer', COALESCE('EAT-10: ' || trim_scale(score), 'without a score'), 'refer_by', refer_by, 'screen_due_on', screen_due_on,
            'interval_days', interval_days, 'groups', to_jsonb(groups), 'aspiration_on', aspiration_on,
            'dysphagia_on', dysphagia_on, 'weight_kg', weight_kg, 'weight_on', weight_on, 'before_kg', before_kg,
            'before_on', before_on, 'diagnosed_on', diagnosed_on, 'activity_on', assessed_on
        ) END AS evidence,
        CASE WHEN screen_due_on IS NULL AND aspiration_on IS NULL AND weight_on IS NULL
            THEN ARRAY['the day of diagnosis'] END AS missing
    FROM judged
    WHERE aspiration_on IS NOT NULL OR weight_on IS NOT NULL OR positive OR screen_due_on IS NULL
       OR screen_due_on <= %(as_of)s::date + %(horizon)s
    """


RULE = Rule(
    id="dysphagia-screen",
    version=1,
    title="Swallowing: screen, refer, or act",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="Everybody with myositis is screened for difficulty in swallowing: BSR guideline 2022 (Oldroyd AGS, et al. "
            "Rheumatology 2022;61:1760-8).",
            doi="10.1093/rheumatology/keac115",
            confidence=Confidence.SECONDARY,
        ),
        Citation(
            text="EAT-10 of 3 or more is abnormal (Belafsky PC, et al. Ann Otol Rhinol Laryngol 2008;117:919-24).",
            confidence=Confidence.GENERAL,
        ),
        Citation(
            text="The intervals, the days to a referral, and what counts as active or as urgent are a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "aspiration": "Choking or aspiration since {aspiration_on}: swallowing has to be looked at now.",
        "weight": "Weight {weight_kg} kg on {weight_on}, {before_kg} kg on {before_on}: {p.weight_percent} % or more lost "
        "within {p.weight_days} days, with difficulty in swallowing.",
        "positive": "The screen of {done_on} is positive ({answer}): a referral to speech and language therapy is due "
        "by {refer_by}.",
        "positive-late": "The screen of {done_on} is positive ({answer}), and no later look at swallowing is recorded. "
        "The referral to speech and language therapy was due by {refer_by}.",
        "never": "No screen of swallowing is recorded since the diagnosis ({diagnosed_on}); due on {screen_due_on}.",
        # In no tense: the same sentence stands on the list of what falls due in the next days.
        "overdue": "The latest screen of swallowing was on {done_on}; due again, after {interval_days} days, on "
        "{screen_due_on}.",
        "often": "It is asked for more often because of: {groups}.",
    },
    not_considered=(
        "Referrals: none is recorded here. What closes this alert is a later look at swallowing, or a person.",
        "Loss of weight on purpose.",
        "Dysphagia noted without a screen.",
        "Weakly positive anti-NXP2.",
    ),
    advice="EAT-10, or three questions: difficulty, choking, food that sticks. A positive screen also bears on the risk of "
    "cancer: record the dysphagia with its severity.",
    examples="""
        case                                | diagnosis | subtype        | antibodies           | organs                  | screenings                            | core sets          | weight           | expect
        no diagnosis, never                 | none      | polymyositis   |                      |                         |                                       |                    |                  | not evaluable
        no diagnosis, done                  | none      | polymyositis   |                      |                         | -184 swallow normal                   |                    |                  | TASK due -1 [overdue]
        never, day 0                        | 0         | polymyositis   |                      |                         |                                       |                    |                  | due +28
        never, day 28                       | -28       | polymyositis   |                      |                         |                                       |                    |                  | due +0
        never, day 29                       | -29       | polymyositis   |                      |                         |                                       |                    |                  | TASK due -1 [never]
        154 days ago                        | -400      | polymyositis   |                      |                         | -154 swallow normal                   |                    |                  | quiet
        182 days ago                        | -400      | polymyositis   |                      |                         | -182 swallow normal                   |                    |                  | due +1
        183 days ago                        | -400      | polymyositis   |                      |                         | -183 swallow normal                   |                    |                  | due +0
        184 days ago                        | -400      | polymyositis   |                      |                         | -184 swallow normal                   |                    |                  | TASK due -1 [overdue]
        outcome not stated                  | -400      | polymyositis   |                      |                         | -10 swallow                           |                    |                  | quiet
        indeterminate                       | -400      | polymyositis   |                      |                         | -10 swallow indeterminate             |                    |                  | quiet
        tomorrow                            | -29       | polymyositis   |                      |                         | 1 swallow normal                      |                    |                  | TASK
        another screening                   | -29       | polymyositis   |                      |                         | -10 eye normal                        |                    |                  | TASK
        long before the diagnosis           | -20       | polymyositis   |                      |                         | -900 swallow normal                   |                    |                  | due +8
        long before, first one overdue      | -29       | polymyositis   |                      |                         | -900 swallow normal                   |                    |                  | TASK due -1 [overdue]
        inclusion body, 91 days             | -400      | inclusion_body |                      |                         | -91 swallow normal                    |                    |                  | due +0
        inclusion body, 92 days             | -400      | inclusion_body |                      |                         | -92 swallow normal                    |                    |                  | TASK due -1 [overdue, often]
        necrotising, 92 days                | -400      | necrotising    |                      |                         | -92 swallow normal                    |                    |                  | TASK due -1 [overdue, often]
        anti-NXP2, 92 days                  | -400      | polymyositis   | -5 nxp2 positive     |                         | -92 swallow normal                    |                    |                  | TASK due -1 [overdue, often]
        anti-NXP2 weak                      | -400      | polymyositis   | -5 nxp2 weak         |                         | -92 swallow normal                    |                    |                  | quiet
        another antibody                    | -400      | polymyositis   | -5 mda5 positive     |                         | -92 swallow normal                    |                    |                  | quiet
        dermatomyositis, activity unknown   | -400      | dermatomyositis |                     |                         | -92 swallow normal                    |                    |                  | quiet
        dermatomyositis, active             | -400      | dermatomyositis |                     |                         | -92 swallow normal                    | -92 md=2           |                  | TASK due -1 [overdue, often]
        dermatomyositis, 1.99 cm            | -400      | dermatomyositis |                     |                         | -92 swallow normal                    | -92 md=1.9         |                  | quiet
        juvenile, active                    | -400      | juvenile       |                      |                         | -92 swallow normal                    | -92 md=2           |                  | TASK
        polymyositis, active                | -400      | polymyositis   |                      |                         | -92 swallow normal                    | -92 md=9           |                  | quiet
        active 183 days before the screen   | -400      | dermatomyositis |                     |                         | -92 swallow normal                    | -275 md=5          |                  | TASK
        active 184 days before the screen   | -400      | dermatomyositis |                     |                         | -92 swallow normal                    | -276 md=5          |                  | quiet
        active only since the screen        | -400      | dermatomyositis |                     |                         | -92 swallow normal                    | -91 md=5           |                  | quiet
        active, then not                    | -400      | dermatomyositis |                     |                         | -92 swallow normal                    | -150 md=5, -100 md=0 |                | quiet
        then an assessment without it       | -400      | dermatomyositis |                     |                         | -92 swallow normal                    | -150 md=5, -100 pt=1 |                | TASK
        two assessments of one day          | -400      | dermatomyositis |                     |                         | -92 swallow normal                    | -92 md=0, -92 md=5 |                  | TASK due -1 [overdue, often]
        positive today                      | -400      | polymyositis   |                      |                         | 0 swallow abnormal                    |                    |                  | TASK due +14 [positive]
        positive 14 days ago                | -400      | polymyositis   |                      |                         | -14 swallow abnormal                  |                    |                  | TASK due +0 [positive]
        positive 15 days ago                | -400      | polymyositis   |                      |                         | -15 swallow abnormal                  |                    |                  | ACTION due -1 [positive-late]
        positive, then normal               | -400      | polymyositis   |                      |                         | -15 swallow abnormal, -5 swallow normal |                  |                  | quiet
        positive, then normal on that day   | -400      | polymyositis   |                      |                         | -5 swallow abnormal, -5 swallow normal |                   |                  | quiet
        EAT-10 2.99                         | -400      | polymyositis   |                      |                         | -5 swallow 2.99                       |                    |                  | quiet
        EAT-10 3                            | -400      | polymyositis   |                      |                         | -5 swallow 3                          |                    |                  | TASK due +9 [positive]
        EAT-10 3, called normal             | -400      | polymyositis   |                      |                         | -5 swallow normal 3                   |                    |                  | TASK [positive]
        EAT-10 0                            | -400      | polymyositis   |                      |                         | -5 swallow normal 0                   |                    |                  | quiet
        positive, and overdue again         | -400      | polymyositis   |                      |                         | -200 swallow abnormal                 |                    |                  | ACTION due -186 [positive-late]
        aspiration today                    | -400      | polymyositis   |                      | 0 aspiration            | -5 swallow normal                     |                    |                  | URGENT [aspiration]
        aspiration 90 days ago              | -400      | polymyositis   |                      | -90 aspiration          | -5 swallow normal                     |                    |                  | URGENT [aspiration]
        aspiration 91 days ago              | -400      | polymyositis   |                      | -91 aspiration          | -5 swallow normal                     |                    |                  | quiet
        aspiration over since yesterday     | -400      | polymyositis   |                      | -20 aspiration -1       | -5 swallow normal                     |                    |                  | quiet
        aspiration until today              | -400      | polymyositis   |                      | -20 aspiration 0        | -5 swallow normal                     |                    |                  | URGENT
        aspiration tomorrow                 | -400      | polymyositis   |                      | 1 aspiration            | -5 swallow normal                     |                    |                  | quiet
        aspiration, no diagnosis            | none      | polymyositis   |                      | -5 aspiration           |                                       |                    |                  | URGENT [aspiration]
        aspiration, screen overdue          | -400      | polymyositis   |                      | -5 aspiration           | -184 swallow normal                   |                    |                  | URGENT [aspiration, overdue]
        aspiration, positive                | -400      | polymyositis   |                      | -5 aspiration           | -5 swallow abnormal                   |                    |                  | URGENT [aspiration, positive]
        dysphagia alone                     | -400      | polymyositis   |                      | -5 dysphagia            | -5 swallow normal                     |                    |                  | quiet
        positive, 4.99 % of weight lost     | -400      | polymyositis   |                      |                         | -5 swallow abnormal                   |                    | -60 100, -5 95.1 | TASK
        positive, 5 % of weight lost        | -400      | polymyositis   |                      |                         | -5 swallow abnormal                   |                    | -60 80, -5 76    | URGENT [weight, positive]
        a little under 5 % of 200 kg        | -400      | polymyositis   |                      |                         | -5 swallow abnormal                   |                    | -60 200.1, -5 190.1 | TASK
        dysphagia, weight lost              | -400      | polymyositis   |                      | -5 dysphagia            | -5 swallow normal                     |                    | -60 80, -5 76    | URGENT [weight]
        dysphagia, weight lost, no diagnosis | none     | polymyositis   |                      | -5 dysphagia            |                                       |                    | -60 80, -5 76    | URGENT [weight]
        weight lost, swallows well          | -400      | polymyositis   |                      |                         | -5 swallow normal                     |                    | -60 80, -5 70    | quiet
        weight lost in 90 days              | -400      | polymyositis   |                      |                         | -5 swallow abnormal                   |                    | -95 80, -5 76    | URGENT
        weight lost in 91 days              | -400      | polymyositis   |                      |                         | -5 swallow abnormal                   |                    | -96 80, -5 76    | TASK
        weighed 90 days ago                 | -400      | polymyositis   |                      |                         | -5 swallow abnormal                   |                    | -150 80, -90 76  | URGENT
        weighed 91 days ago                 | -400      | polymyositis   |                      |                         | -5 swallow abnormal                   |                    | -150 80, -91 76  | TASK
        weight regained                     | -400      | polymyositis   |                      |                         | -5 swallow abnormal                   |                    | -60 80, -20 70, -5 79 | TASK
        lost since the heavier of two       | -400      | polymyositis   |                      |                         | -5 swallow abnormal                   |                    | -60 80, -30 77, -5 76 | URGENT [weight, positive]
    """,
)
