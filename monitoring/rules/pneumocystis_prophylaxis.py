"""So much glucocorticoid that pneumocystis prophylaxis is considered, and none is prescribed."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring.rules import sql, steroid
from monitoring.rules.base import Citation, Confidence, Question, Rule
from therapy.formulary import PNEUMOCYSTIS_PROPHYLAXIS
from therapy.prednisone_equivalent import EQUIVALENT_MG, REFERENCE_MG, SYSTEMIC_ROUTES


@dataclass(frozen=True)
class Parameters:
    pe_from_mg: Decimal = Decimal(20)
    run_days: int = 28
    closing_pe_below_mg: Decimal = Decimal(15)
    closing_days: int = 28


# The last day looked at: that on which a run that begins at the end of the horizon is long enough.
UNTIL = "(%(as_of)s::date + %(horizon)s::int + %(run_days)s::int - 1)"


def _prescribed(q: Question, people: str) -> str:
    """SELECT patient_id of `people` with a prophylaxis in force on `as_of`, or to begin in the next weeks."""
    return f"""SELECT a.patient_id
        FROM {people} a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")}
            AND c.drug IN ({steroid.words(PNEUMOCYSTIS_PROPHYLAXIS)})
        JOIN therapy_dose d ON d.course_id = c.id AND {q.known("d")} AND d.amount > 0
            AND d.starts_on <= %(as_of)s::date + %(horizon)s::int AND (d.ends_on IS NULL OR d.ends_on >= %(as_of)s)
        WHERE NOT EXISTS (SELECT 1 FROM therapy_coursestop e WHERE e.course_id = c.id AND {q.known("e")}
                          AND e.stopped_on < GREATEST(d.starts_on, %(as_of)s::date))"""


def _ahead(q: Question) -> str:
    """CTEs up to `ahead` (patient_id, first_day, last_day, amount): the PE of the days after `as_of` as planned. That is
    by the steps of the newest running plan, else by the doses as prescribed, open-ended ones going on. Needs `possible`.
    """
    equivalents = ", ".join(f"('{drug}', {mg})" for drug, mg in EQUIVALENT_MG.items())
    return f"""equivalent (drug, mg) AS (VALUES {equivalents}),
    running AS (
        SELECT patient_id, max(plan_id) AS plan_id FROM ({sql.running_plans(q, "possible")}) p GROUP BY patient_id
    ), step AS (
        SELECT s.patient_id, s.step_on, s.dose_pe_mg,
            lead(s.step_on) OVER (PARTITION BY s.patient_id ORDER BY s.step_on) - 1 AS until
        FROM running r JOIN therapy_taperstep s ON s.plan_id = r.plan_id AND {q.known("s")}
    ), prescribed AS (
        SELECT a.patient_id, c.drug, c.route, d.id, d.starts_on,
            GREATEST(d.starts_on, %(as_of)s::date + 1) AS first_day, LEAST(d.ends_on, e.stopped_on, {UNTIL}) AS last_day,
            (d.amount * d.times * {REFERENCE_MG})::numeric(40, 20) / (d.every_days * m.mg) AS amount
        FROM possible a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")}
            AND c.route IN ({steroid.words(SYSTEMIC_ROUTES)})
        JOIN equivalent m ON m.drug = c.drug
        JOIN therapy_dose d ON d.course_id = c.id AND {q.known("d")} AND d.starts_on <= {UNTIL}
            AND (d.ends_on IS NULL OR d.ends_on > %(as_of)s)
        LEFT JOIN therapy_coursestop e ON e.course_id = c.id AND {q.known("e")}
        WHERE (e.stopped_on IS NULL OR e.stopped_on > %(as_of)s)
          AND NOT EXISTS (SELECT 1 FROM running r WHERE r.patient_id = a.patient_id)
    ), edge AS (
        SELECT patient_id, day, lead(day) OVER (PARTITION BY patient_id ORDER BY day) - 1 AS until FROM (
            SELECT patient_id, first_day AS day FROM prescribed
            UNION SELECT patient_id, last_day + 1 FROM prescribed) days
    ), newest AS (
        -- of each drug and route the period that began last
        SELECT DISTINCT ON (e.patient_id, e.day, p.drug, p.route) e.patient_id, e.day, e.until, p.amount
        FROM edge e
        JOIN prescribed p ON p.patient_id = e.patient_id AND e.day BETWEEN p.first_day AND p.last_day
        ORDER BY e.patient_id, e.day, p.drug, p.route, p.starts_on DESC, p.id DESC
    ), ahead AS (
        SELECT patient_id, day AS first_day, until AS last_day, round(sum(amount), 12) AS amount
        FROM newest GROUP BY patient_id, day, until
        UNION ALL
        SELECT patient_id, GREATEST(step_on, %(as_of)s::date + 1), COALESCE(until, {UNTIL}), dose_pe_mg
        FROM step WHERE COALESCE(until, {UNTIL}) > %(as_of)s AND step_on <= {UNTIL}
    )"""


def findings(q: Question) -> str:
    return f"""
    WITH may_take AS (
        -- whose doses of the next weeks, or steps of a plan, could make a high day
        SELECT a.patient_id
        FROM asked a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")}
            AND c.drug IN ({steroid.words(EQUIVALENT_MG)}) AND c.route IN ({steroid.words(SYSTEMIC_ROUTES)})
        JOIN therapy_dose d ON d.course_id = c.id AND {q.known("d")} AND d.amount > 0
            AND d.starts_on <= %(as_of)s::date + %(horizon)s::int AND (d.ends_on IS NULL OR d.ends_on >= %(as_of)s)
        JOIN (VALUES {", ".join(f"('{drug}', {mg})" for drug, mg in EQUIVALENT_MG.items())}) m (drug, mg)
            ON m.drug = c.drug
        GROUP BY a.patient_id
        HAVING round(sum((d.amount * d.times * {REFERENCE_MG})::numeric(40, 20) / (d.every_days * m.mg)), 12)
            >= %(pe_from_mg)s
        UNION
        SELECT a.patient_id
        FROM asked a JOIN therapy_taperstep s ON s.patient_id = a.patient_id AND {q.known("s")}
        WHERE s.dose_pe_mg >= %(pe_from_mg)s
          AND s.step_on BETWEEN %(as_of)s::date - %(run_days)s::int AND %(as_of)s::date + %(horizon)s::int
    ), possible AS (
        SELECT patient_id FROM may_take
        EXCEPT
        SELECT patient_id FROM ({_prescribed(q, "may_take")}) p
    ), {steroid.levels(q, people="possible", recent=True)}, {_ahead(q)}, high AS (
        SELECT patient_id, first_day, last_day FROM dose_level
        WHERE line = '{steroid.PE}' AND amount >= %(pe_from_mg)s
        UNION ALL
        SELECT patient_id, first_day, last_day FROM ahead WHERE amount >= %(pe_from_mg)s
    ), run AS (
        SELECT patient_id, min(first_day) AS began_on, max(last_day) AS last_on FROM (
            SELECT *, sum(opens) OVER (PARTITION BY patient_id ORDER BY first_day) AS nr FROM (
                SELECT *, CASE WHEN lag(last_day) OVER (PARTITION BY patient_id ORDER BY first_day) = first_day - 1
                    THEN 0 ELSE 1 END AS opens
                FROM high) opened) numbered
        GROUP BY patient_id, nr
    ), due AS (
        SELECT DISTINCT ON (patient_id) * FROM run
        WHERE last_on - began_on + 1 >= %(run_days)s
          AND last_on >= %(as_of)s AND began_on <= %(as_of)s::date + %(horizon)s::int
        ORDER BY patient_id, began_on
    ), today AS (
        SELECT patient_id, amount AS pe FROM dose_level WHERE line = '{steroid.PE}' AND last_day = %(as_of)s
    )
    SELECT d.patient_id, 'patient' AS subject, CASE WHEN d.began_on <= %(as_of)s THEN 'TASK' END AS level,
        d.began_on AS due_on,
        CASE WHEN d.began_on <= %(as_of)s THEN jsonb_build_object(
            'reasons', ARRAY[CASE WHEN %(as_of)s::date - d.began_on + 1 >= %(run_days)s THEN 'taken' ELSE 'planned' END],
            'began_on', d.began_on, 'pe_today', {steroid.shown("t.pe")}
        ) END AS evidence,
        NULL::text[] AS missing
    FROM due d LEFT JOIN today t ON t.patient_id = d.patient_id
    """


def closes(q: Question) -> str:
    """Gone quiet is not enough: the dose has been low for long, a prophylaxis is prescribed, or no day of the run that
    raised it is high any more, because what was recorded was corrected.
    """
    return f"""
    WITH held AS (SELECT DISTINCT patient_id FROM open_alert), {steroid.levels(q, people="held")}
    SELECT patient_id, 'patient' AS subject FROM ({_prescribed(q, "held")}) p
    UNION
    SELECT o.patient_id, o.subject
    FROM open_alert o
    LEFT JOIN dose_level l ON l.patient_id = o.patient_id AND l.line = '{steroid.PE}'
    GROUP BY o.patient_id, o.subject, o.evidence
    HAVING COALESCE(bool_and(l.amount < %(closing_pe_below_mg)s)
                FILTER (WHERE l.last_day > %(as_of)s::date - %(closing_days)s::int), true)
        OR COALESCE(bool_and(l.amount < %(pe_from_mg)s)
                FILTER (WHERE l.last_day >= (o.evidence ->> 'began_on')::date), true)
    """


RULE = Rule(
    id="pneumocystis-prophylaxis",
    version=1,
    title="Glucocorticoid at a dose for pneumocystis prophylaxis",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="EULAR 2022 (Fragoulis GE et al.): prophylaxis is of benefit with more than 15 to 30 mg of prednisolone a "
            "day for more than 2 to 4 weeks.",
            confidence=Confidence.PRIMARY,
            doi="10.1136/ard-2022-223335",
        ),
        Citation(
            text="20 mg for 28 days, and 15 mg to stop, are the usual single numbers within that range.",
            confidence=Confidence.LOCAL,
        ),
        Citation(text="Equivalent doses of glucocorticoids: textbook table.", confidence=Confidence.GENERAL),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    closes=closes,
    # Said once of a run: that what was planned has been taken is no other finding.
    aside=("pe_today", "reasons"),
    explanations={
        "taken": "Has taken {p.pe_from_mg} mg of prednisone equivalent a day or more since {began_on}, for {p.run_days} "
        "days or more ({pe_today} mg today), and no prophylaxis against pneumocystis is prescribed.",
        "planned": "Takes {p.pe_from_mg} mg of prednisone equivalent a day or more since {began_on} ({pe_today} mg today), "
        "planned for {p.run_days} days or more, and no prophylaxis against pneumocystis is prescribed.",
    },
    not_considered=(
        "A second immunosuppressant, rituximab, few lymphocytes, lung disease, anti-MDA5: reasons for it at lower doses.",
        "Prophylaxis with a drug that the formulary does not have, such as atovaquone: make an exception with that reason.",
        "Allergy to sulfonamides, glucose-6-phosphate dehydrogenase.",
        "A hold of the taper: its steps count as planned.",
    ),
    advice="Consider co-trimoxazole. With methotrexate it adds to marrow toxicity. It closes once prophylaxis is prescribed "
    "or the dose has been low for long enough.",
    examples="""
        case                                       | doses                                                    | taper plan             | infusions | expect
        no glucocorticoid                          |                                                          |                        |           | quiet
        19.999 mg, open-ended                      | -40.. prednisone 19.999                                  |                        |           | quiet
        20 mg, open-ended, since today             | 0.. prednisone 20                                        |                        |           | TASK due +0 [planned]
        20.001 mg                                  | -40.. prednisone 20.001                                  |                        |           | TASK [taken]
        taken for 27 days, ends today              | -26..0 prednisone 20                                     |                        |           | quiet
        taken for 28 days, ends today              | -27..0 prednisone 20                                     |                        |           | TASK due -27 [taken]
        taken for 29 days, ends today              | -28..0 prednisone 20                                     |                        |           | TASK due -28 [taken]
        taken for 28 days, ended yesterday         | -28..-1 prednisone 20                                    |                        |           | quiet
        in all 27 days, taken and prescribed       | -10..16 prednisone 40                                    |                        |           | quiet
        in all 28 days                             | -10..17 prednisone 40                                    |                        |           | TASK due -10 [planned]
        in all 29 days                             | -10..18 prednisone 40                                    |                        |           | TASK [planned]
        a day without in between                   | -20..-5 prednisone 40, -3..17 prednisone 40              |                        |           | quiet
        two doses without a day between            | -20..-5 prednisone 40, -4..7 prednisone 20               |                        |           | TASK due -20 [planned]
        falls below 20 in between                  | -20..-5 prednisone 40, -4..-4 prednisone 19, -3..17 prednisone 40 |               |           | quiet
        the next dose is prescribed                | -10..2 prednisone 40, 3..17 prednisone 20                |                        |           | TASK
        the next dose is below                     | -10..2 prednisone 40, 3.. prednisone 19                  |                        |           | quiet
        begins tomorrow                            | 1.. prednisone 40                                        |                        |           | due +1
        begins in 28 days                          | 28.. prednisone 40                                       |                        |           | due +28
        begins in 29 days                          | 29.. prednisone 40                                       |                        |           | quiet
        begins in 28 days, for 27                  | 28..54 prednisone 40                                     |                        |           | quiet
        begins in 28 days, for 28                  | 28..55 prednisone 40                                     |                        |           | due +28
        begins in 28 days, for 27 and one more     | 28..54 prednisone 40, 55.. prednisone 40                 |                        |           | due +28
        3 mg of dexamethasone is 20                | -9.. dexamethasone 3                                     |                        |           | TASK
        two drugs add                              | -9.. prednisone 10, -9.. methylprednisolone 8            |                        |           | TASK
        thirds add to 20 exactly                   | -9.. prednisone 20 /3, -9.. prednisolone 40 /3           |                        |           | TASK
        two drugs, one of them ends                | -9.. prednisone 10, -9..10 methylprednisolone 8          |                        |           | quiet
        40 mg every other day is 20                | -9.. prednisone 40 /2                                    |                        |           | TASK
        creams do not count                        | -40.. hydrocortisone:topical 200                         |                        |           | quiet
        two courses of one drug: the newest counts | -40.. prednisone 40, -2.. prednisone@2 10                |                        |           | quiet
        and so among those prescribed              | -10.. prednisone 40, 5.. prednisone@2 10                 |                        |           | quiet
        a pulse does not make a run                | -20..-1 prednisone 5                                     |                        | 0 methylprednisolone 1000 | quiet
        a pulse before makes it longer             | -9..17 prednisone 40                                     |                        | -10 methylprednisolone 1000 | TASK due -10
        stopped today                              | -10.. prednisone 40 stop 0                               |                        |           | quiet
        to be stopped after 28 days                | -10.. prednisone 40 stop 17                              |                        |           | TASK
        to be stopped after 27 days                | -10.. prednisone 40 stop 16                              |                        |           | quiet
        the plan goes below in time                | -10.. prednisone 40                                      | -10 40 ok@-10, 17 19.5 |           | quiet
        the plan goes below a day later            | -10.. prednisone 40                                      | -10 40 ok@-10, 18 19.5 |           | TASK due -10 [planned]
        the plan stays at 20                       | -10.. prednisone 40                                      | -10 40 ok@-10, 5 20    |           | TASK
        the plan says more than the prescription   | -10..5 prednisone 40                                     | -10 40 ok@-10, 5 30, 18 10 |       | TASK
        the plan had a step not confirmed          | -10.. prednisone 40                                      | -20 60 ok@-20, -2 10   |           | quiet
        on hold, the steps count all the same      | -10.. prednisone 40                                      | -10 40 ok@-10, 5 10, held -5.. |   | quiet
        the plan begins tomorrow: not running      | -10.. prednisone 40                                      | 1 10                   |           | TASK
        the plan ended yesterday                   | -10.. prednisone 40                                      | -20 40, 5 10, ended -1 |           | TASK
        the plan ends today                        | -10.. prednisone 40                                      | -20 40, 5 10, ended 0  |           | quiet
        the last step is confirmed                 | -10.. prednisone 40                                      | -20 40 ok@-20, -9 10 ok@-9 |       | TASK
        the plan goes up in 5 days                 | -10.. prednisone 10                                      | -10 10 ok@-10, 5 20    |           | due +5
        the plan goes up in 28 days                | -10.. prednisone 10                                      | -10 10 ok@-10, 28 20   |           | due +28
        the plan has steps tomorrow and later      | -10.. prednisone 40                                      | -10 40 ok@-10, 1 30, 5 25, 12 20 |           | TASK due -10 [planned]
        prophylaxis                                | -40.. prednisone 40, -30.. co-trimoxazole 480            |                        |           | quiet
        prophylaxis since today                    | -40.. prednisone 40, 0.. co-trimoxazole 480              |                        |           | quiet
        prophylaxis is prescribed for later        | -40.. prednisone 40, 28.. co-trimoxazole 480             |                        |           | quiet
        prophylaxis much later                     | -40.. prednisone 40, 29.. co-trimoxazole 480             |                        |           | TASK
        prophylaxis until today                    | -40.. prednisone 40, -30..0 co-trimoxazole 480           |                        |           | quiet
        prophylaxis until yesterday                | -40.. prednisone 40, -30..-1 co-trimoxazole 480          |                        |           | TASK
        prophylaxis stopped yesterday              | -40.. prednisone 40, -30.. co-trimoxazole 480 stop -1 toxicity |                  |           | TASK
    """,
)
