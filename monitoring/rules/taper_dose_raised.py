"""The glucocorticoid was raised during a taper."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules import steroid
from monitoring.rules.base import Citation, Confidence, Question, Rule, bounded


@dataclass(frozen=True)
class Parameters(steroid.Parameters):
    window_days: int = bounded(30, 15, 90)


# Read from the days that are shared: who took nothing in so long has no rise.
assert steroid.RECENT_DAYS >= 90


# A rise is told by the day with a dose before it in the same course: that far back doses matter.
SINCE = "%(as_of)s::date - (%(window_days)s + %(course_gap_days)s + 1)::int"


def findings(q: Question) -> str:
    return f"""
    WITH {steroid.tapers(q)}, tapered AS (
        SELECT DISTINCT patient_id FROM taper_run
        WHERE runs_from <= %(as_of)s AND (runs_until IS NULL OR runs_until >= %(as_of)s::date - %(window_days)s::int)
    ), {steroid.courses(q, people="tapered", since=SINCE, recent=True)}, raised AS (
        SELECT DISTINCT ON (s.patient_id) s.patient_id, s.first_day, s.pe, s.before_pe, t.plan_id
        FROM steroid_span s
        JOIN taper_run t ON t.patient_id = s.patient_id AND s.first_day >= t.runs_from
            AND (t.runs_until IS NULL OR s.first_day <= t.runs_until)
        WHERE s.pe > s.before_pe AND s.first_day >= %(as_of)s::date - %(window_days)s::int
        ORDER BY s.patient_id, s.first_day DESC, t.plan_id DESC
    )
    SELECT patient_id, 'rise:' || first_day AS subject, 'INFO' AS level, NULL::date AS due_on,
        jsonb_build_object('reasons', ARRAY['raised'], 'raised_on', first_day, 'pe', {steroid.shown("pe")},
                           'before_pe', {steroid.shown("before_pe")}, 'plan_id', plan_id) AS evidence,
        NULL::text[] AS missing
    FROM raised
    """


RULE = Rule(
    id="taper-dose-raised",
    version=1,
    title="The glucocorticoid was raised during a taper",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="A dose that goes up during a taper may mean a flare; that it is told for 30 days is a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "raised": "During a taper the dose rose from {before_pe} to {pe} mg of prednisone equivalent a day on {raised_on}, "
        "within the last {p.window_days} days.",
    },
    not_considered=(
        "Why the dose was raised: a flare, an infection, surgery, or a pulse that was planned.",
        "Doses taken and not recorded.",
    ),
    examples="""
        case                                   | doses                                                            | infusions                          | taper plan          | expect
        lowered                                | -60..-21 prednisone 40, -20.. prednisone 30                      |                                    | -60 40, -20 30      | quiet
        raised 29 days ago                     | -60..-30 prednisone 20, -29.. prednisone 30                      |                                    | -60 40, 30 10       | INFO [raised]
        raised 30 days ago                     | -60..-31 prednisone 20, -30.. prednisone 30                      |                                    | -60 40, 30 10       | INFO [raised]
        raised 31 days ago                     | -60..-32 prednisone 20, -31.. prednisone 30                      |                                    | -60 40, 30 10       | quiet
        raised today                           | -60..-1 prednisone 20, 0.. prednisone 21                         |                                    | -60 40, 30 10       | INFO
        to be raised tomorrow                  | -60..0 prednisone 20, 1.. prednisone 30                          |                                    | -60 40, 30 10       | quiet
        the same dose again                    | -60..-11 prednisone 20, -10.. prednisone 20                      |                                    | -60 40, 30 10       | quiet
        the same in another drug               | -60..-11 prednisone 5, -10.. dexamethasone 0.75                  |                                    | -60 40, 30 10       | quiet
        raised by another drug                 | -60.. prednisone 20, -10.. hydrocortisone 10                     |                                    | -60 40, 30 10       | INFO
        both have the day: the newer counts    | -60..-10 prednisone 20, -10.. prednisone@2 10                    |                                    | -60 40, 30 10       | quiet
        no taper                               | -60..-11 prednisone 20, -10.. prednisone 30                      |                                    |                     | quiet
        the taper began after the rise         | -60..-11 prednisone 20, -10.. prednisone 30                      |                                    | -9 30, 30 10        | quiet
        the taper began on the day             | -60..-11 prednisone 20, -10.. prednisone 30                      |                                    | -10 30, 30 10       | INFO
        raised today, the taper began today    | -60..-1 prednisone 20, 0.. prednisone 30                         |                                    | 0 30, 30 10         | INFO
        the last step confirmed that day       | -60..-11 prednisone 20, -10.. prednisone 30                      |                                    | -60 40, -30 20 ok@-10 | quiet
        the last step confirmed the day after  | -60..-11 prednisone 20, -10.. prednisone 30                      |                                    | -60 40, -30 20 ok@-9 | INFO
        raised today, the last step confirmed  | -60..-1 prednisone 20, 0.. prednisone 30                         |                                    | -60 40, -30 20 ok@0 | quiet
        the plan ended that day                | -60..-11 prednisone 20, -10.. prednisone 30                      |                                    | -60 40, ended -10   | INFO
        the plan ended the day before          | -60..-11 prednisone 20, -10.. prednisone 30                      |                                    | -60 40, ended -11   | quiet
        on hold it is still a taper            | -60..-11 prednisone 20, -10.. prednisone 30                      |                                    | -60 40, held -20..  | INFO
        after 14 days without                  | -60..-25 prednisone 20, -10.. prednisone 30                      |                                    | -60 40, 30 10       | INFO
        after 14 days without, 30 days ago     | -60..-45 prednisone 20, -30.. prednisone 30                      |                                    | -60 40, 30 10       | INFO
        14 days after an infusion              | -30.. prednisone 30                                              | -45 hydrocortisone:intravenous 100 | -60 40, 30 10       | INFO
        after 15 days without: another course  | -60..-26 prednisone 20, -10.. prednisone 30                      |                                    | -60 40, 30 10       | quiet
        the first dose is no rise              | -10.. prednisone 30                                              |                                    | -10 30, 30 10       | quiet
    """,
)
