"""The glucocorticoid is still high after 12 weeks."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring.rules import steroid, taper_high_at_24_weeks
from monitoring.rules.base import Citation, Confidence, Question, Rule

LATER = taper_high_at_24_weeks.Parameters()


@dataclass(frozen=True)
class Parameters(steroid.Parameters):
    days: int = 84
    pe_above_mg: Decimal = Decimal(20)
    later_days: int = LATER.days  # from then on taper-high-at-24-weeks speaks, where the dose is above its limit
    later_pe_above_mg: Decimal = LATER.pe_above_mg


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
      AND NOT (%(as_of)s::date - began_on >= %(later_days)s AND pe_today > %(later_pe_above_mg)s)
    """


RULE = Rule(
    id="taper-high-at-12-weeks",
    version=1,
    title="The glucocorticoid is still high after 12 weeks",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="No guideline gives this limit: 20 mg of prednisone equivalent after 12 weeks is a local policy.",
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
        case                                          | doses                                       | infusions   | expect
        no glucocorticoid                             |                                             |             | quiet
        day 83 at 25 mg                               | -83.. prednisone 25                         |             | due +1
        day 84 at 25 mg                               | -84.. prednisone 25                         |             | ACTION due +0 [high]
        day 85 at 25 mg                               | -85.. prednisone 25                         |             | ACTION due -1
        day 56 at 25 mg                               | -56.. prednisone 25                         |             | due +28
        day 55 at 25 mg                               | -55.. prednisone 25                         |             | quiet
        19.999 mg                                     | -84.. prednisone 19.999                     |             | quiet
        20 mg                                         | -84.. prednisone 20                         |             | quiet
        20.001 mg                                     | -84.. prednisone 20.001                     |             | ACTION
        3 mg of dexamethasone is 20                   | -84.. dexamethasone 3                       |             | quiet
        10 mg twice a day is 20                       | -84.. prednisone 10 x2                      |             | quiet
        11 mg twice a day                             | -84.. prednisone 11 x2                      |             | ACTION
        thirds add to 20 exactly                      | -84.. prednisone 20 /3, -84.. prednisolone 40 /3 | -         | quiet
        day 167                                       | -167.. prednisone 25                        |             | ACTION
        day 168: the later milestone speaks           | -168.. prednisone 25                        |             | quiet
        a pulse 14 days before begins the course      | -69.. prednisone 25                         | -84 methylprednisolone 1000 | ACTION due +0
        a pulse 15 days before is a course of its own | -68.. prednisone 25                         | -84 methylprednisolone 1000 | due +16
        a pulse today                                 | -84.. prednisone 10                         | 0 methylprednisolone 500 | ACTION
        a pulse yesterday                             | -84.. prednisone 10                         | -1 methylprednisolone 500 | quiet
        an infusion of something else                 |                                             | -84 ivig 70 | quiet
    """,
)
