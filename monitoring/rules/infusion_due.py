"""The next infusion is due."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules import infusion_sql
from monitoring.rules.base import Citation, Confidence, Question, Rule
from therapy.infusions import DueNumbers


@dataclass(frozen=True)
class Parameters(DueNumbers):
    """As therapy/infusions.py names them."""


def findings(q: Question) -> str:
    return f"""
    WITH RECURSIVE {infusion_sql.ctes(q)}, dated AS (
        SELECT *, drug = 'ivig' AS is_ivig,
            began_on + CASE drug WHEN 'ivig' THEN %(interval_days)s ELSE %(second_days)s END::int AS due_on,
            began_on + CASE drug WHEN 'ivig' THEN %(interval_most_days)s
                ELSE %(second_days)s + %(second_give_days)s END::int AS until_on
        FROM infusion_group
        WHERE drug = 'ivig' OR days = 1 AND %(as_of)s <= began_on + %(cycle_window_days)s::int
    ), prescribed AS (
        SELECT d.course_id, max(COALESCE(o.ends_on, 'infinity')) AS until_on
        FROM dated d JOIN therapy_dose o ON o.course_id = d.course_id AND {q.known("o")}
        WHERE d.is_ivig GROUP BY d.course_id
    ), judged AS (
        SELECT d.*, b.booked_for, %(as_of)s > d.until_on AS is_late
        FROM dated d
        LEFT JOIN prescribed p ON p.course_id = d.course_id
        LEFT JOIN infusion_booked b ON b.patient_id = d.patient_id
        WHERE (d.stopped_on IS NULL OR d.stopped_on >= d.due_on)
          -- A prescription that ends before needs no next course, unless infusions went on after its end.
          AND (p.until_on IS NULL OR p.until_on >= d.due_on OR p.until_on < d.began_on)
    )
    SELECT patient_id, 'course:' || course_id AS subject,
        CASE
            WHEN %(as_of)s < due_on THEN NULL
            WHEN booked_for IS NOT NULL THEN 'INFO'
            WHEN is_late THEN 'ACTION'
            ELSE 'TASK'
        END AS level,
        due_on,
        CASE WHEN %(as_of)s >= due_on THEN jsonb_build_object(
            'reasons', ARRAY_REMOVE(ARRAY[
                CASE WHEN is_ivig THEN 'ivig' ELSE 'second' END || CASE WHEN is_late THEN '-late' ELSE '-due' END,
                CASE WHEN booked_for IS NOT NULL THEN 'booked' END
            ], NULL),
            'drug', drug, 'course_id', course_id, 'began_on', began_on, 'last_on', last_on, 'due_on', due_on,
            'until_on', until_on, 'booked_for', booked_for
        ) END AS evidence,
        NULL::text[] AS missing
    FROM judged WHERE due_on <= %(as_of)s::date + %(horizon)s::int
    """


RULE = Rule(
    id="infusion-due",
    version=1,
    title="The next infusion is due",
    audience=Role.NURSE,
    evidence=(
        Citation(
            text="Immunoglobulin 2 g/kg every 4 weeks in adult dermatomyositis: product information of Octagam 10 % and the "
            "ProDERM trial (Aggarwal R, et al. N Engl J Med 2022;387:1264-78).",
            confidence=Confidence.SECONDARY,
            doi="10.1056/NEJMoa2117912",
        ),
        Citation(
            text="Rituximab as two infusions of 1000 mg, 14 days apart: the treatment this clinic agreed on. The RIM trial "
            "gave its two infusions one week apart (Oddis CV, et al. Arthritis Rheum 2013;65:314-24).",
            confidence=Confidence.LOCAL,
            doi="10.1002/art.37754",
        ),
        Citation(
            text="The windows (21 to 35 days, 14 with 3 either way), which infusions make one course, and the 14 days of a "
            "booking are a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "ivig-due": "The latest course of immunoglobulin began on {began_on}. The next, after {p.interval_days} days, is due "
        "on {due_on}, and no later than {until_on}.",
        "ivig-late": "The latest course of immunoglobulin began on {began_on}. The next was due on {due_on}, and no later "
        "than {until_on} ({p.interval_most_days} days).",
        "second-due": "The cycle of rituximab began on {began_on}. Its second infusion is due on {due_on} ({p.second_days} "
        "days, {p.second_give_days} either way).",
        "second-late": "The cycle of rituximab began on {began_on}. Its second infusion was due on {due_on}, and no later "
        "than {until_on}.",
        "booked": "An infusion is booked for {booked_for}.",
    },
    not_considered=(
        "Which drug an infusion is booked for: a booking does not say.",
        "Infusions given elsewhere that nobody recorded.",
        "A longer interval that was agreed and not written down: end the dose, or stop the drug.",
        "Immunoglobulin under the skin, and other drugs given by infusion.",
        "Whether a finished cycle of rituximab should be repeated: that is decided, not due.",
    ),
    advice="Book the infusion, record the one that was given, or stop the drug.",
    examples="""
        case                                        | given                                            | doses                        | bookings             | expect
        nothing given                               |                                                  | -9.. ivig 140 /28            |                      | quiet
        immunoglobulin, today                       | 0 ivig 70                                        |                              |                      | due +28
        27 days after its first day                 | -27..-26 ivig 70                                 |                              |                      | due +1
        28 days                                     | -28..-27 ivig 70                                 |                              |                      | TASK due +0 [ivig-due]
        35 days                                     | -35..-34 ivig 70                                 |                              |                      | TASK due -7 [ivig-due]
        36 days                                     | -36..-35 ivig 70                                 |                              |                      | ACTION due -8 [ivig-late]
        a year                                      | -365 ivig 70                                     |                              |                      | ACTION due -337
        10 days after the first is the same course  | -30 ivig 70, -20 ivig 70                         |                              |                      | TASK due -2
        11 days after it is the next                | -30 ivig 70, -19 ivig 70                         |                              |                      | due +9
        counted from the first of each, not the gap | -40 ivig 9, -31 ivig 9, -29 ivig 9, -20 ivig 9   |                              |                      | TASK due -1
        booked today                                | -28 ivig 70                                      |                              | 0 infusion           | INFO due +0 [ivig-due, booked]
        booked in 14 days                           | -40 ivig 70                                      |                              | 14 infusion          | INFO due -12 [ivig-late, booked]
        booked in 15 days                           | -40 ivig 70                                      |                              | 15 infusion          | ACTION [ivig-late]
        booked for yesterday                        | -28 ivig 70                                      |                              | -1 infusion          | TASK [ivig-due]
        something else booked                       | -28 ivig 70                                      |                              | 3 visit              | TASK
        stopped yesterday                           | -28 ivig 70, stop -1 ivig                        |                              |                      | quiet
        stopped today                               | -28 ivig 70, stop 0 ivig                         |                              |                      | TASK
        to be stopped before the next               | -20 ivig 70, stop 7 ivig                         |                              |                      | quiet
        to be stopped on its day                    | -20 ivig 70, stop 8 ivig                         |                              |                      | due +8
        the dose ends the day before                | -30 ivig 70                                      | -90..-3 ivig 140 /28         |                      | quiet
        the dose ends on its day                    | -30 ivig 70                                      | -90..-2 ivig 140 /28         |                      | TASK due -2
        the dose goes on                            | -30 ivig 70                                      | -90..-60 ivig 9 /28, -59.. ivig 140 /28 |           | TASK
        infusions went on after the dose            | -30 ivig 70                                      | -90..-31 ivig 140 /28        |                      | TASK
        the dose ended on the first day             | -30 ivig 70                                      | -90..-30 ivig 140 /28        |                      | quiet
        each course of the drug by itself           | -40 ivig 70, stop -30 ivig, -9 ivig@2 70         |                              |                      | due +19
        rituximab, today                            | 0 rituximab 1000                                 |                              |                      | due +14
        rituximab, 13 days                          | -13 rituximab 1000                               |                              |                      | due +1
        rituximab, 14 days                          | -14 rituximab 1000                               |                              |                      | TASK due +0 [second-due]
        rituximab, 17 days                          | -17 rituximab 1000                               |                              |                      | TASK due -3 [second-due]
        rituximab, 18 days                          | -18 rituximab 1000                               |                              |                      | ACTION due -4 [second-late]
        rituximab, 28 days                          | -28 rituximab 1000                               |                              |                      | ACTION due -14 [second-late]
        rituximab, 29 days: too late                | -29 rituximab 1000                               |                              |                      | quiet
        both given                                  | -20 rituximab 1000, -6 rituximab 1000            |                              |                      | quiet
        the second on day 28 is of the cycle        | -42 rituximab 1000, -14 rituximab 1000           |                              |                      | quiet
        on day 29 it begins the next                | -43 rituximab 1000, -14 rituximab 1000           |                              |                      | TASK due +0
        a cycle after a long one                    | -58 rituximab 1, -44 rituximab 1, -31 rituximab 1, -16 rituximab 1 | |                          | TASK due -2
        two on one day are one                      | -14 rituximab 500, -14 rituximab 501             |                              |                      | TASK
        under another course of the drug            | -14 rituximab 1000, stop -10 rituximab, -1 rituximab@2 1000 | |                                   | quiet
        the first under a stopped course            | -14 rituximab 1000, stop -10 rituximab           | -9.. rituximab@2 1000 /14    |                      | TASK due +0
        the second booked                           | -20 rituximab 1000                               |                              | 1 infusion           | INFO [second-late, booked]
        stopped before the second                   | -13 rituximab 1000, stop 0 rituximab             |                              |                      | quiet
        another drug                                | -40 methylprednisolone 1000                      |                              |                      | quiet
    """,
)
