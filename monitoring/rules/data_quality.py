"""Something in the record keeps rules from judging, and a person can put it right."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring import limit_sets
from monitoring.analytes import BLOOD_COUNT, MUSCLE_ENZYMES, RENAL
from monitoring.rules import labs_action_limit, sql, steroid
from monitoring.rules.base import Citation, Confidence, Question, Rule
from therapy.formulary import FORMULARY, Per, Phase
from therapy.prednisone_equivalent import SYSTEMIC_ROUTES

# Numbers that rules judge.
JUDGED = tuple(sorted({*MUSCLE_ENZYMES, *BLOOD_COUNT, *RENAL, *limit_sets.LIMITED, "ggt", "bilirubin", "crp"}))
# What rises and falls with a CK, or with the disease, where the change of the CK is a true one.
BESIDE_CK = ("aldolase", "alt", "ast", "crp", "ldh")
# (drug, route) whose dose goes by weight for as long as it is taken. A starting dose alone does not count.
PER_KG = tuple(
    sorted(
        (drug.code, route)
        for drug in FORMULARY.values()
        for route in drug.routes
        if route in SYSTEMIC_ROUTES and any(r.per is Per.KG for r in drug.ranges_for(Phase.TARGET, route))
    )
)


@dataclass(frozen=True)
class Parameters:
    recent_days: int = 90  # results this old are still looked at
    weight_days: int = 90
    infusion_days: int = 35  # a drug given by infusion is in use for so many days
    jump_times: Decimal = Decimal(20)  # of a CK, up or down
    jump_days: int = 180  # how far before it the CK lies that it is compared with
    flat_times: Decimal = Decimal("1.5")  # what everything else beside the CK stays below


def findings(q: Question) -> str:
    drugs = ", ".join(f"('{code}', '{route}', '{FORMULARY[code].name}')" for code, route in PER_KG)
    return f"""
    WITH recent_ck AS (
        SELECT a.patient_id, min(r.value) AS least, max(r.value) AS most,
            bool_or(COALESCE(r.uln, 0) = 0) AS lacks_limit
        FROM asked a JOIN monitoring_result r ON r.patient_id = a.patient_id AND {q.known("r")}
        WHERE r.analyte = 'ck' AND r.taken_on BETWEEN %(as_of)s::date - %(recent_days)s AND %(as_of)s
        GROUP BY a.patient_id
    ), latest_ck AS (
        SELECT a.patient_id, a.centre_id, a.sex, l.*
        FROM (
            SELECT patient_id FROM recent_ck WHERE lacks_limit
            UNION
            SELECT w.patient_id
            FROM recent_ck w JOIN monitoring_result r ON r.patient_id = w.patient_id AND {q.known("r")}
            WHERE r.analyte = 'ck' AND r.taken_on <= %(as_of)s
              AND r.taken_on >= %(as_of)s::date - (%(recent_days)s + %(jump_days)s)
              AND (w.most >= %(jump_times)s * r.value OR r.value >= %(jump_times)s * w.least)
        ) c
        JOIN asked a ON a.patient_id = c.patient_id
        CROSS JOIN LATERAL (
            SELECT r.id, r.analyte, r.taken_on, r.taken_at, r.value, r.uln
            FROM monitoring_result r
            WHERE r.patient_id = c.patient_id AND r.analyte = 'ck' AND {q.known("r")} AND r.taken_on <= %(as_of)s
            ORDER BY {sql.newest_first("r")} LIMIT 1
        ) l
    ), unlimited AS (
        SELECT patient_id, taken_on FROM latest_ck l WHERE value IS NOT NULL AND {sql.uln("l", "l")} IS NULL
    ), jumped AS (
        SELECT l.patient_id, l.value, l.taken_on, e.value AS before, e.taken_on AS before_on, b.names
        FROM latest_ck l
        CROSS JOIN LATERAL (
            SELECT r.value, r.taken_on
            FROM monitoring_result r
            WHERE r.patient_id = l.patient_id AND r.analyte = 'ck' AND {q.known("r")} AND r.value IS NOT NULL
              AND r.taken_on < l.taken_on AND r.taken_on >= l.taken_on - %(jump_days)s
            ORDER BY {sql.newest_first("r")} LIMIT 1
        ) e
        CROSS JOIN LATERAL (
            -- What was measured beside both.
            SELECT array_agg(n.inside ORDER BY n.inside) AS names,
                bool_and(GREATEST(s.now, s.before) < %(flat_times)s * LEAST(s.now, s.before)) AS is_flat
            FROM (
                SELECT r.analyte,
                    (array_agg(r.value ORDER BY {sql.newest_first("r")}) FILTER (WHERE r.taken_on = l.taken_on))[1] AS now,
                    (array_agg(r.value ORDER BY {sql.newest_first("r")}) FILTER (WHERE r.taken_on = e.taken_on))[1] AS before
                FROM monitoring_result r
                WHERE r.patient_id = l.patient_id AND r.analyte IN ({steroid.words(BESIDE_CK)}) AND {q.known("r")}
                  AND r.taken_on IN (l.taken_on, e.taken_on) AND r.value IS NOT NULL
                GROUP BY r.analyte
            ) s
            JOIN (VALUES {labs_action_limit.names(BESIDE_CK)}) n (analyte, name, inside, unit) ON n.analyte = s.analyte
            WHERE s.now IS NOT NULL AND s.before IS NOT NULL
        ) b
        WHERE l.value > 0 AND e.value > 0 AND b.is_flat
          AND (l.value >= %(jump_times)s * e.value OR e.value >= %(jump_times)s * l.value)
    ), unconverted AS (
        SELECT u.patient_id, array_agg(n.inside || ' on ' || to_char(u.taken_on, 'FMDD Mon YYYY') ORDER BY u.taken_on, n.inside) AS results
        FROM (
            SELECT DISTINCT a.patient_id, r.analyte, r.taken_on
            FROM asked a JOIN monitoring_result r ON r.patient_id = a.patient_id AND {q.known("r")}
            WHERE r.analyte IN ({steroid.words(JUDGED)}) AND r.value IS NULL
              AND r.taken_on BETWEEN %(as_of)s::date - %(recent_days)s AND %(as_of)s
        ) u JOIN (VALUES {labs_action_limit.names(JUDGED)}) n (analyte, name, inside, unit) ON n.analyte = u.analyte
        GROUP BY u.patient_id
    ), weighed AS (
        SELECT DISTINCT a.patient_id
        FROM asked a JOIN monitoring_bodysize w ON w.patient_id = a.patient_id AND {q.known("w")}
        WHERE w.weight_kg IS NOT NULL AND w.measured_on BETWEEN %(as_of)s::date - %(weight_days)s AND %(as_of)s
    ), unweighed AS (
        SELECT c.patient_id, array_agg(DISTINCT n.name ORDER BY n.name) AS drugs
        FROM asked a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")}
            AND c.drug IN ({steroid.words({code for code, _ in PER_KG})})
        JOIN (VALUES {drugs}) n (drug, route, name) ON n.drug = c.drug AND n.route = c.route
        LEFT JOIN weighed w ON w.patient_id = c.patient_id
        CROSS JOIN LATERAL (
            (SELECT 1 FROM therapy_dose d
             WHERE d.course_id = c.id AND {q.known("d")} AND d.amount > 0
               AND d.starts_on <= %(as_of)s AND (d.ends_on IS NULL OR d.ends_on >= %(as_of)s) LIMIT 1)
            UNION ALL
            (SELECT 1 FROM therapy_infusion i
             WHERE i.course_id = c.id AND {q.known("i")} AND i.amount > 0
               AND i.given_on <= %(as_of)s AND i.given_on > %(as_of)s::date - %(infusion_days)s LIMIT 1)
            LIMIT 1
        ) in_use
        WHERE w.patient_id IS NULL
          AND NOT EXISTS (SELECT 1 FROM therapy_coursestop s
                          WHERE s.course_id = c.id AND {q.known("s")} AND s.stopped_on < %(as_of)s)
        GROUP BY c.patient_id
    ), last_weight AS (
        SELECT u.patient_id, u.drugs, w.measured_on
        FROM unweighed u
        LEFT JOIN LATERAL (
            SELECT max(w.measured_on) AS measured_on FROM monitoring_bodysize w
            WHERE w.patient_id = u.patient_id AND {q.known("w")} AND w.weight_kg IS NOT NULL AND w.measured_on <= %(as_of)s
        ) w ON true
    ), concerned AS (
        SELECT patient_id FROM asked WHERE diagnosed_on IS NULL
        UNION SELECT patient_id FROM unlimited
        UNION SELECT patient_id FROM jumped
        UNION SELECT patient_id FROM unconverted
        UNION SELECT patient_id FROM unweighed
    )
    SELECT c.patient_id, 'patient'::text AS subject, 'TASK' AS level, NULL::date AS due_on,
        jsonb_build_object(
            'reasons', ARRAY_REMOVE(ARRAY[
                CASE WHEN a.diagnosed_on IS NULL THEN 'no-diagnosis-day' END,
                CASE WHEN u.patient_id IS NOT NULL THEN 'no-limit' END,
                CASE WHEN k.patient_id IS NOT NULL THEN 'unit' END,
                CASE WHEN j.patient_id IS NOT NULL THEN 'jump' END,
                CASE WHEN w.patient_id IS NOT NULL THEN CASE WHEN w.measured_on IS NULL THEN 'never-weighed' ELSE 'weight' END END
            ], NULL),
            'ck_on', u.taken_on, 'unconverted', k.results, 'jump_to', trim_scale(j.value), 'jump_on', j.taken_on,
            'jump_from', trim_scale(j.before), 'jump_from_on', j.before_on, 'flat', j.names,
            'drugs', w.drugs, 'weight_on', w.measured_on
        ) AS evidence,
        NULL::text[] AS missing
    FROM concerned c
    JOIN asked a ON a.patient_id = c.patient_id
    LEFT JOIN unlimited u ON u.patient_id = c.patient_id
    LEFT JOIN jumped j ON j.patient_id = c.patient_id
    LEFT JOIN unconverted k ON k.patient_id = c.patient_id
    LEFT JOIN last_weight w ON w.patient_id = c.patient_id
    """


RULE = Rule(
    id="data-quality",
    version=1,
    title="The record lacks what rules need",
    audience=Role.NURSE,
    evidence=(
        Citation(
            text="No guideline says this. What is asked for, and every number, is a local policy: what a person can put right in the "
            "record so that the other rules can judge.",
            confidence=Confidence.LOCAL,
        ),
        Citation(
            text="A dose per kg goes by a weight of the last 90 days: the policy of this project for all its dose checks.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "no-diagnosis-day": "The day of diagnosis is not recorded. Most rules count from it.",
        "no-limit": "The newest creatine kinase, of {ck_on}, has no upper limit of normal: neither from the laboratory nor as the "
        "centre's range for that day.",
        "unit": "Not converted, because the unit is not known for that test: {unconverted}.",
        "jump": "Creatine kinase went from {jump_from} U/L on {jump_from_on} to {jump_to} U/L on {jump_on}, {p.jump_times} times or "
        "more, while what was measured beside it hardly changed ({flat}): check value and unit.",
        "weight": "Takes {drugs}, dosed by weight; the newest weight is of {weight_on}, more than {p.weight_days} days ago.",
        "never-weighed": "Takes {drugs}, dosed by weight, and no weight is recorded.",
    },
    not_considered=(
        "What nobody can put right now, such as a baseline that was never measured: the list of what could not be judged has it.",
        "Results older than {p.recent_days} days.",
        "Values that are wrong and look right.",
    ),
    advice="Correct the entry, or record what is missing. The list of what could not be judged says which rules wait for it.",
    examples="""
        case                                          | diagnosis | ck | range | doses | infusions | weight | results | expect
        all is there                                  | -900 | -5 400 |  | -400.. azathioprine 100 |  | -5 70 |  | quiet
        no day of diagnosis                           | none |  |  |  |  |  |  | TASK [no-diagnosis-day]
        a CK without a limit                          | -900 | -5 400 uln=none |  |  |  |  |  | TASK [no-limit]
        a limit of 0 is none                          | -900 | -5 400 uln=0 |  |  |  |  |  | TASK [no-limit]
        the centre has a range                        | -900 | -5 400 uln=none | any 200 |  |  |  |  | quiet
        the centre's range ended before               | -900 | -5 400 uln=none | any 200 -500 -6 |  |  |  |  | TASK [no-limit]
        the centre's range begins that day            | -900 | -5 400 uln=none | any 200 -5 |  |  |  |  | quiet
        the newer of the centre's ranges              | -900 | -5 400 uln=none | any 0, any 200 -100 |  |  |  |  | quiet
        a CK without a limit 90 days ago              | -900 | -90 400 uln=none |  |  |  |  |  | TASK
        a CK without a limit 91 days ago              | -900 | -91 400 uln=none |  |  |  |  |  | quiet
        the newest CK has a limit                     | -900 | -20 400 uln=none, -5 400 |  |  |  |  |  | quiet
        a unit that cannot be converted               | -900 | -5 unit? |  |  |  |  |  | TASK [unit]
        the same 90 days ago                          | -900 |  |  |  |  |  | -90 wbc ? | TASK [unit]
        the same 91 days ago                          | -900 |  |  |  |  |  | -91 wbc ? | quiet
        of what no rule judges                        | -900 |  |  |  |  |  | -5 ferritin ? | quiet
        words are no numbers                          | -900 |  |  |  |  |  | -5 hbsag ? | quiet
        weight 90 days ago                            | -900 |  |  | -400.. azathioprine 100 |  | -90 70 |  | quiet
        weight 91 days ago                            | -900 |  |  | -400.. azathioprine 100 |  | -91 70 |  | TASK [weight]
        never weighed                                 | -900 |  |  | -400.. azathioprine 100 |  |  |  | TASK [never-weighed]
        only the height                               | -900 |  |  | -400.. azathioprine 100 |  | -5 height |  | TASK [never-weighed]
        a dose that does not go by weight             | -900 |  |  | -400.. methotrexate 15 /7 |  |  |  | quiet
        a glucocorticoid goes by weight only at first | -900 |  |  | -400.. prednisone 40 |  |  |  | quiet
        hydroxychloroquine                            | -900 |  |  | -400.. hydroxychloroquine 200 |  |  |  | TASK
        tacrolimus                                    | -900 |  |  | -400.. tacrolimus 4 |  |  |  | TASK
        tacrolimus on the skin                        | -900 |  |  | -400.. tacrolimus:topical 1 |  |  |  | quiet
        abatacept under the skin                      | -900 |  |  | -400.. abatacept:subcutaneous 125 /7 |  |  |  | quiet
        stopped today                                 | -900 |  |  | -400.. azathioprine 100 stop 0 |  |  |  | TASK
        stopped yesterday                             | -900 |  |  | -400.. azathioprine 100 stop -1 |  |  |  | quiet
        the last dose yesterday                       | -900 |  |  | -400..-1 azathioprine 100 |  |  |  | quiet
        begins tomorrow                               | -900 |  |  | 1.. azathioprine 100 |  |  |  | quiet
        infused 34 days ago                           | -900 |  |  |  | -34 ivig 140 |  |  | TASK [never-weighed]
        infused 35 days ago                           | -900 |  |  |  | -35 ivig 140 |  |  | quiet
        CK 20 times, LDH flat                         | -900 | -40 200, -5 4000 |  |  |  |  | -40 ldh 250, -5 ldh 374 | TASK [jump]
        CK just below 20 times                        | -900 | -40 200, -5 3999.99 |  |  |  |  | -40 ldh 250, -5 ldh 250 | quiet
        CK just above 20 times                        | -900 | -40 200, -5 4000.01 |  |  |  |  | -40 ldh 250, -5 ldh 250 | TASK
        CK a twentieth, LDH flat                      | -900 | -40 4000, -5 200 |  |  |  |  | -40 ldh 250, -5 ldh 250 | TASK [jump]
        CK from 1                                     | -900 | -40 1, -5 4000 |  |  |  |  | -40 ldh 250, -5 ldh 250 | TASK [jump]
        LDH 1.5 times                                 | -900 | -40 200, -5 4000 |  |  |  |  | -40 ldh 250, -5 ldh 375 | quiet
        LDH a bit less than 1.5 times                 | -900 | -40 200, -5 4000 |  |  |  |  | -40 ldh 250, -5 ldh 373 | TASK
        LDH just above 1.49 times                     | -900 | -40 200, -5 4000 |  |  |  |  | -40 ldh 250, -5 ldh 374.5 | TASK
        LDH lower by as much                          | -900 | -40 200, -5 4000 |  |  |  |  | -40 ldh 375, -5 ldh 250 | quiet
        nothing measured beside it                    | -900 | -40 200, -5 4000 |  |  |  |  |  | quiet
        beside only one of them                       | -900 | -40 200, -5 4000 |  |  |  |  | -5 ldh 250 | quiet
        ALT rose with it, LDH did not                 | -900 | -40 200, -5 4000 |  |  |  |  | -40 ldh 250, -5 ldh 250, -40 alt 40, -5 alt 300 | quiet
        CRP is flat                                   | -900 | -40 200, -5 4000 |  |  |  |  | -40 crp 5, -5 crp 5 | TASK
        180 days between them                         | -900 | -185 200, -5 4000 |  |  |  |  | -185 ldh 250, -5 ldh 250 | TASK
        181 days between them                         | -900 | -186 200, -5 4000 |  |  |  |  | -186 ldh 250, -5 ldh 250 | quiet
        the newest of those before                    | -900 | -40 200, -20 3000, -5 4000 |  |  |  |  | -40 ldh 250, -5 ldh 250, -20 ldh 250 | quiet
        the later CK of the newest day                | -900 | -120 200, -5T8 300, -5T16 4000 |  |  |  |  | -120 ldh 250, -5 ldh 250 | TASK [jump]
        the newer LDH, both without a time            | -900 | -40 200, -5 4000 |  |  |  |  | -40 ldh 900, -40 ldh 250, -5 ldh 250 | TASK [jump]
        the later CK of the earlier day               | -900 | -40T8 4000, -40T9 200, -5 4000 |  |  |  |  | -40 ldh 250, -5 ldh 250              | TASK [jump]
        the later LDH of that day                     | -900 | -40 200, -5 4000           |  |  |  |  | -40T8 ldh 900, -40T9 ldh 250, -5 ldh 250 | TASK [jump]
        a jump 90 days ago                            | -900 | -120 200, -90 4000 |  |  |  |  | -120 ldh 250, -90 ldh 250 | TASK
        a jump 91 days ago                            | -900 | -120 200, -91 4000 |  |  |  |  | -120 ldh 250, -91 ldh 250 | quiet
        a jump from 270 days ago                      | -900 | -270 200, -90 4000 |  |  |  |  | -270 ldh 250, -90 ldh 250 | TASK
        from 0: no ratio                              | -900 | -40 0, -5 4000 |  |  |  |  | -40 ldh 250, -5 ldh 250 | quiet
        all at once: one finding                      | none | -5 400 uln=none |  | -400.. azathioprine 100 |  |  | -5 wbc ? | TASK [no-diagnosis-day, no-limit, unit, never-weighed]
    """,
)
