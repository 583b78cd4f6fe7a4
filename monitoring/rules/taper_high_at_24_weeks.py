"""The glucocorticoid is still high after 24 weeks."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring.rules import steroid
from monitoring.rules.base import Citation, Confidence, Question, Rule


@dataclass(frozen=True)
class Parameters(steroid.Parameters):
    days: int = 168
    pe_above_mg: Decimal = Decimal("7.5")


def findings(q: Question) -> str:
    return f"""
    WITH {steroid.taking(q, "%(pe_above_mg)s", recent=True)}, {steroid.courses(q, people="taking", recent=True)}
    SELECT patient_id, 'course:' || began_on AS subject,
        CASE WHEN began_on + %(days)s::int <= %(as_of)s THEN 'ACTION' END AS level,
        began_on + %(days)s::int AS due_on,
        CASE WHEN began_on + %(days)s::int <= %(as_of)s THEN jsonb_build_object(
            'reasons', ARRAY['high'], 'pe_today', {steroid.shown("pe_today")}, 'began_on', began_on, 'day', %(as_of)s::date - began_on
        ) END AS evidence,
        NULL::text[] AS missing
    FROM steroid_course
    WHERE pe_today > %(pe_above_mg)s AND began_on + %(days)s::int <= %(as_of)s::date + %(horizon)s::int
    """


RULE = Rule(
    id="taper-high-at-24-weeks",
    version=1,
    title="The glucocorticoid is still high after 24 weeks",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="No guideline gives this limit: 7.5 mg of prednisone equivalent after 24 weeks is a local policy, in line "
            "with the aim of a low dose within half a year.",
            confidence=Confidence.LOCAL,
        ),
        Citation(
            text="Equivalent doses of glucocorticoids: textbook table.",
            confidence=Confidence.GENERAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    aside=("day",),
    explanations={
        "high": "Takes {pe_today} mg of prednisone equivalent a day on day {day} of a course of glucocorticoid that began "
        "on {began_on}: above {p.pe_above_mg} mg after {p.days} days or more.",
    },
    not_considered=(
        "Doses missed or taken and not recorded.",
        "Whether another disease needs the glucocorticoid.",
        "A plan on hold: this milestone does not wait.",
    ),
    advice="Ask what keeps the dose up, and whether another drug should be reviewed.",
    examples="""
        case                                          | doses                                              | infusions                        | expect
        no glucocorticoid                             |                                                    |                                  | quiet
        day 167 at 8 mg                               | -167..-100 prednisone 60, -99.. prednisone 8       |                                  | due +1
        day 168 at 8 mg                               | -168..-100 prednisone 60, -99.. prednisone 8       |                                  | ACTION due +0 [high]
        day 169 at 8 mg                               | -169..-100 prednisone 60, -99.. prednisone 8       |                                  | ACTION due -1
        day 140 at 8 mg                               | -140.. prednisone 8                                |                                  | due +28
        day 139 at 8 mg                               | -139.. prednisone 8                                |                                  | quiet
        7.5 mg                                        | -168.. prednisone 7.5                              |                                  | quiet
        7.499 mg                                      | -168.. prednisone 7.499                            |                                  | quiet
        7.501 mg                                      | -168.. prednisone 7.501                            |                                  | ACTION
        15 mg every other day is 7.5                  | -200.. prednisone 15 /2                            |                                  | quiet
        16 mg every other day                         | -200.. prednisone 16 /2                            |                                  | ACTION
        6 mg of methylprednisolone is 7.5             | -200.. methylprednisolone:oral 6                   |                                  | quiet
        1.125 mg of dexamethasone is 7.5              | -200.. dexamethasone 1.125                         |                                  | quiet
        1.126 mg of dexamethasone                     | -200.. dexamethasone 1.126                         |                                  | ACTION
        9 mg of deflazacort is 7.5                    | -200.. deflazacort 9                               |                                  | quiet
        30 mg of hydrocortisone is 7.5                | -200.. hydrocortisone 30                           |                                  | quiet
        0.9 mg of betamethasone is 7.5                | -200.. betamethasone 0.9                           |                                  | quiet
        inhaled and topical do not count              | -200.. hydrocortisone:topical 400, -200.. betamethasone:inhaled 9 |                                  | quiet
        two drugs add                                 | -200.. prednisone 5, -200.. hydrocortisone 20      |                                  | ACTION
        2 routes of one drug add                      | -200.. methylprednisolone:oral 4, -200.. methylprednisolone:intramuscular 4 |                                  | ACTION
        by mouth and under the skin add               | -200.. methylprednisolone:oral 4, -200.. methylprednisolone:subcutaneous 4 |                                  | ACTION
        a gap of 14 days is one course                | -200..-101 prednisone 20, -86.. prednisone 8       |                                  | ACTION due -32
        a gap of 15 days is a new course              | -200..-101 prednisone 20, -85.. prednisone 8       |                                  | quiet
        stopped yesterday                             | -200..-1 prednisone 20                             |                                  | quiet
        the last day is today                         | -200..0 prednisone 20                              |                                  | ACTION
        the course was stopped                        | -200.. prednisone 20 stop -1                       |                                  | quiet
        the newest period of a drug counts            | -200.. prednisone 20, -30.. prednisone@2 5         |                                  | quiet
        a newer period ended: the older one again     | -200.. prednisone 20, -30..-3 prednisone@2 5       |                                  | ACTION
        begun the same day: the one entered last      | -200.. prednisone 20, -200.. prednisone@2 5        |                                  | quiet
        begun the same day, the other way             | -200.. prednisone 5, -200.. prednisone@2 20        |                                  | ACTION
        a dose of 0 is no dose                        | -200..-101 prednisone 20, -100..-80 prednisone 0, -79.. prednisone 8 |                                  | quiet
        something else                                | -200.. methotrexate 15 /7                          |                                  | quiet
        an infusion of today adds                     | -200.. prednisone 5                                | 0 hydrocortisone:intravenous 100 | ACTION
        an infusion stands above a dose by its route  | -200.. prednisone 5, 0.. hydrocortisone:intravenous 40 | 0 hydrocortisone:intravenous 8   | quiet
    """,
)
