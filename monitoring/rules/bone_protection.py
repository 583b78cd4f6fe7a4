"""Glucocorticoid for months, and the risk of fracture has not been assessed."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring.rules import steroid
from monitoring.rules.base import Citation, Confidence, Question, Rule


@dataclass(frozen=True)
class Parameters:
    pe_from_mg: Decimal = Decimal("2.5")
    over_days: int = 90  # a run that is longer
    assessed_days: int = 730


def findings(q: Question) -> str:
    # a little less: thirds of a dose add up only once they are rounded
    return f"""
    WITH {steroid.taking(q, "%(pe_from_mg)s - 1e-9", recent=True)}, unassessed AS (
        SELECT t.patient_id, s.assessed_on
        FROM taking t
        -- LATERAL: one day of each patient, by index
        CROSS JOIN LATERAL (
            SELECT max(s.done_on) AS assessed_on FROM monitoring_screening s
            WHERE s.patient_id = t.patient_id AND s.kind = 'fracture_risk' AND {q.known("s")} AND s.done_on <= %(as_of)s) s
        WHERE s.assessed_on IS NULL
           OR s.assessed_on + %(assessed_days)s::int + 1 <= %(as_of)s::date + %(horizon)s::int
    ), {steroid.levels(q, people="unassessed", recent=True)}, run AS (
        SELECT patient_id, min(first_day) AS began_on, max(last_day) AS last_on,
            max(amount) FILTER (WHERE last_day = %(as_of)s) AS pe_today
        FROM (
            SELECT *, sum(opens) OVER (PARTITION BY patient_id ORDER BY first_day) AS nr FROM (
                SELECT *, CASE WHEN lag(last_day) OVER (PARTITION BY patient_id ORDER BY first_day) = first_day - 1
                    THEN 0 ELSE 1 END AS opens
                FROM dose_level WHERE line = '{steroid.PE}' AND amount >= %(pe_from_mg)s) opened) numbered
        GROUP BY patient_id, nr
        HAVING max(last_day) = %(as_of)s
    ), due AS (
        SELECT r.*, u.assessed_on,
            -- the day on which the run is longer, or the assessment older
            GREATEST(r.began_on + %(over_days)s::int, u.assessed_on + %(assessed_days)s::int + 1) AS due_on
        FROM run r JOIN unassessed u ON u.patient_id = r.patient_id
    )
    SELECT patient_id, 'patient' AS subject, CASE WHEN due_on <= %(as_of)s THEN 'TASK' END AS level, due_on,
        CASE WHEN due_on <= %(as_of)s THEN jsonb_build_object(
            'reasons', ARRAY[CASE WHEN assessed_on IS NULL THEN 'never' ELSE 'long-ago' END],
            'began_on', began_on, 'pe_today', {steroid.shown("pe_today")}, 'assessed_on', assessed_on
        ) END AS evidence,
        NULL::text[] AS missing
    FROM due WHERE due_on <= %(as_of)s::date + %(horizon)s::int
    """


TAKES = (
    "Takes {p.pe_from_mg} mg of prednisone equivalent a day or more since {began_on}, for more than {p.over_days} days "
)
TAKES += "({pe_today} mg today), and "

RULE = Rule(
    id="bone-protection",
    version=1,
    title="The risk of fracture has not been assessed",
    audience=Role.NURSE,
    evidence=(
        Citation(
            text="ACR 2022 (Humphrey MB et al.): with 2.5 mg of prednisone a day or more for more than 3 months the risk of "
            "fracture is assessed as soon as possible, and every 1 to 2 years while it goes on.",
            confidence=Confidence.PRIMARY,
            doi="10.1002/art.42646",
        ),
        Citation(
            text="Three months as 90 days without a gap, and 730 days for an assessment.", confidence=Confidence.LOCAL
        ),
        Citation(text="Equivalent doses of glucocorticoids: textbook table.", confidence=Confidence.GENERAL),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    aside=("pe_today",),
    explanations={
        "never": TAKES + "no assessment of the risk of fracture is recorded.",
        "long-ago": TAKES
        + "the risk of fracture was last assessed on {assessed_on}, more than {p.assessed_days} days ago.",
    },
    not_considered=(
        "What the assessment found, and whether the bones are treated.",
        "Bone density by itself: it is part of an assessment and does not stand for one.",
        "Replacement of the body's own cortisol: hydrocortisone counts like any other dose.",
    ),
    advice="An assessment is bone density with the vertebrae, and FRAX from 40 years on (adjusted at high doses). Calcium "
    "and vitamin D are usual with it; the guideline offers treatment from moderate risk on.",
    examples="""
        case                                    | doses                                           | screenings                              | infusions | expect
        no glucocorticoid                       |                                                 |                                         |           | quiet
        90 days                                 | -89.. prednisone 5                              |                                         |           | due +1
        91 days                                 | -90.. prednisone 5                              |                                         |           | TASK due +0 [never]
        92 days                                 | -91.. prednisone 5                              |                                         |           | TASK due -1
        due in 28 days                          | -62.. prednisone 5                              |                                         |           | due +28
        due in 29 days                          | -61.. prednisone 5                              |                                         |           | quiet
        2.499 mg                                | -100.. prednisone 2.499                         |                                         |           | quiet
        2.5 mg                                  | -100.. prednisone 2.5                           |                                         |           | TASK
        2.501 mg                                | -100.. prednisone 2.501                         |                                         |           | TASK
        10 mg of hydrocortisone is 2.5          | -100.. hydrocortisone 10                        |                                         |           | TASK
        two drugs add                           | -100.. prednisone 1.5, -100.. prednisolone 1    |                                         |           | TASK
        thirds add to 2.5 exactly               | -100.. prednisone 2.5 /3, -100.. prednisolone 5 /3 |                                      |           | TASK
        creams do not count                     | -100.. hydrocortisone:topical 100               |                                         |           | quiet
        the dose fell, and never below 2.5      | -100..-50 prednisone 20, -49.. prednisone 2.5   |                                         |           | TASK due -10
        it was below 2.5 for a day              | -100..-51 prednisone 20, -50..-50 prednisone 2, -49.. prednisone 5 |                      |           | quiet
        a day without                           | -100..-51 prednisone 20, -49.. prednisone 5     |                                         |           | quiet
        below 2.5 since yesterday               | -100..-2 prednisone 20, -1.. prednisone 2       |                                         |           | quiet
        ended yesterday                         | -100..-1 prednisone 5                           |                                         |           | quiet
        ends today                              | -100..0 prednisone 5                            |                                         |           | TASK
        stopped yesterday                       | -100.. prednisone 5 stop -1                     |                                         |           | quiet
        a pulse fills the gap                   | -100..-51 prednisone 20, -49.. prednisone 5     |                                         | -50 methylprednisolone 500 | TASK
        assessed today                          | -100.. prednisone 5                             | 0 fracture_risk                         |           | quiet
        assessed tomorrow                       | -100.. prednisone 5                             | 1 fracture_risk                         |           | TASK
        assessed 702 days ago                   | -100.. prednisone 5                             | -702 fracture_risk normal               |           | quiet
        assessed 703 days ago                   | -100.. prednisone 5                             | -703 fracture_risk normal               |           | due +28
        assessed 730 days ago                   | -100.. prednisone 5                             | -730 fracture_risk normal               |           | due +1
        assessed 731 days ago                   | -100.. prednisone 5                             | -731 fracture_risk normal               |           | TASK due +0 [long-ago]
        assessed before, the run is due later   | -80.. prednisone 5                              | -800 fracture_risk abnormal 22          |           | due +10
        the newest assessment counts            | -100.. prednisone 5                             | -800 fracture_risk, -100 fracture_risk abnormal 22 |  | quiet
        bone density alone                      | -100.. prednisone 5                             | -30 dxa normal                          |           | TASK
    """,
)
