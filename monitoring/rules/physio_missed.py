"""Physiotherapy sessions are being missed."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring.rules.base import Citation, Confidence, Question, Rule


@dataclass(frozen=True)
class Parameters:
    missed_action: int = 3  # in a row
    missed_task: int = 2
    running_days: int = 28  # a plan this old, with nothing attended in as many days
    window_days: int = 56
    window_sessions: int = 4
    attended_share: Decimal = Decimal("0.70")
    outcome_days: int = 3  # a session may wait this long for its outcome
    rebook_days: int = 14  # a session the patient cancelled may wait this long for another booking
    decline_days: int = 183  # how long a decline without an end lasts


RECENT_FROM = "%(as_of)s::date - GREATEST(%(window_days)s, %(running_days)s)"


def _counted(q: Question) -> str:
    """SQL: as what the session `s` of `plan` with the outcome `o` counts."""
    return f"""CASE
                WHEN o.word IN ('attended', 'attended_remote', 'home_done') THEN 'attended'
                WHEN o.word = 'did_not_attend' THEN 'missed'
                WHEN o.word IS NULL AND %(as_of)s::date - s.held_on > %(outcome_days)s THEN 'missed'
                WHEN o.word = 'cancelled_by_patient' AND %(as_of)s::date - s.held_on > %(rebook_days)s
                    AND NOT EXISTS (
                        SELECT 1 FROM therapy_physiosession n
                        WHERE n.plan_id = s.plan_id AND n.id <> s.id AND {q.known("n")}
                          AND (n.recorded_at AT TIME ZONE plan.time_zone)::date
                              -- since it was cancelled: told at the latest on its day, whenever that was entered
                              BETWEEN LEAST(s.held_on, (o.recorded_at AT TIME ZONE plan.time_zone)::date)
                                  AND s.held_on + %(rebook_days)s
                    ) THEN 'missed'
            END"""  # NULL: cancelled by the clinic, excused, or too early to say


def _recent(q: Question) -> str:
    """CTE `recent` (plan_id, held_on, age, counted): the late sessions of every `plan`."""
    # A sweep reads about a million: by merging, in the order in which the index of outcomes lies. Sessions are entered as
    # time goes by, and so are their ids: what became of earlier ones is not read. A few patients are looked up.
    outcomes = f"""(
            SELECT o.session_id, o.word, o.recorded_at FROM therapy_sessionoutcome o
            WHERE {q.known("o")} AND o.session_id >= (SELECT min(id) FROM late)
            ORDER BY o.session_id OFFSET 0)"""
    return f"""late AS (
        SELECT plan.time_zone, s.plan_id, s.id, s.held_on
        FROM plan JOIN therapy_physiosession s ON s.plan_id = plan.id AND {q.known("s")}
        WHERE s.held_on BETWEEN {RECENT_FROM} AND %(as_of)s{" ORDER BY s.id" if q.is_sweep else ""}
    ), recent AS (
        SELECT s.plan_id, s.held_on, %(as_of)s::date - s.held_on AS age, {_counted(q)} AS counted
        FROM late s
        CROSS JOIN LATERAL (SELECT s.time_zone) plan
        LEFT JOIN {outcomes if q.is_sweep else "therapy_sessionoutcome"} o
            ON o.session_id = s.id{"" if q.is_sweep else f" AND {q.known('o')}"}
        OFFSET 0  -- so that it is said once of each what it counts as
    )"""


def findings(q: Question) -> str:
    return f"""
    WITH plan AS (
        SELECT a.patient_id, a.time_zone, p.id, p.starts_on
        FROM asked a JOIN therapy_physioplan p ON p.patient_id = a.patient_id AND {q.known("p")}
        WHERE p.starts_on <= %(as_of)s
          AND NOT EXISTS (SELECT 1 FROM therapy_physioend e
                          WHERE e.plan_id = p.id AND {q.known("e")} AND e.ended_on < %(as_of)s)
          AND NOT EXISTS (SELECT 1 FROM therapy_physiopause h
                          WHERE h.plan_id = p.id AND {q.known("h")} AND h.starts_on <= %(as_of)s
                            AND COALESCE(h.ends_on, %(as_of)s) >= %(as_of)s)
          AND NOT EXISTS (SELECT 1 FROM therapy_physiodecline d
                          WHERE d.patient_id = p.patient_id AND {q.known("d")} AND d.declined_on <= %(as_of)s
                            AND COALESCE(d.ends_on, d.declined_on + %(decline_days)s) >= %(as_of)s)
    ), {_recent(q)}, counts AS (
        SELECT plan_id, max(held_on) FILTER (WHERE counted = 'attended') AS attended_on,
            max(held_on) FILTER (WHERE counted = 'missed') AS missed_on,
            count(*) FILTER (WHERE counted = 'attended' AND age <= %(window_days)s) AS attended_in_window,
            count(*) FILTER (WHERE age <= %(window_days)s) AS counted_in_window
        FROM recent WHERE counted IS NOT NULL GROUP BY plan_id
    ), suspect AS MATERIALIZED (
        -- For whom no reason below can hold is left behind here: most have attended the latest, and enough of them.
        SELECT plan.*, c.attended_on IS NULL AS is_unattended
        FROM plan LEFT JOIN counts c ON c.plan_id = plan.id
        WHERE c.attended_on IS NULL OR c.missed_on >= c.attended_on
           OR %(as_of)s::date - c.attended_on > %(running_days)s
           OR c.attended_in_window < %(attended_share)s * c.counted_in_window
    ), session AS (
        -- Whoever attended lately has missed in a row only since then; for the others all there ever were are read.
        SELECT plan.patient_id, plan.id AS plan_id, plan.starts_on, s.id AS session_id, s.held_on,
            %(as_of)s::date - s.held_on AS age, {_counted(q)} AS counted
        FROM suspect plan
        -- LATERAL: those of a few plans, by index, out of all there are
        CROSS JOIN LATERAL (
            SELECT s.id, s.plan_id, s.held_on FROM therapy_physiosession s
            WHERE s.plan_id = plan.id AND {q.known("s")} AND s.held_on <= %(as_of)s
              AND s.held_on >= CASE WHEN plan.is_unattended THEN '-infinity' ELSE {RECENT_FROM} END
            OFFSET 0) s
        LEFT JOIN LATERAL (
            SELECT o.word, o.recorded_at FROM therapy_sessionoutcome o
            WHERE o.session_id = s.id AND {q.known("o")} OFFSET 0) o ON true
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY plan_id ORDER BY held_on DESC, session_id DESC) AS nth
        FROM session WHERE counted IS NOT NULL
    ), summed AS (
        SELECT patient_id, plan_id, starts_on,
            COALESCE(min(nth) FILTER (WHERE counted = 'attended'), count(*) + 1) - 1 AS missed,
            max(held_on) FILTER (WHERE counted = 'attended') AS attended_on,
            count(*) FILTER (WHERE age <= %(running_days)s) AS recent,
            count(*) FILTER (WHERE age <= %(running_days)s AND counted = 'attended') AS recent_attended,
            count(*) FILTER (WHERE age <= %(window_days)s) AS counted_in_window,
            count(*) FILTER (WHERE age <= %(window_days)s AND counted = 'attended') AS attended_in_window,
            array_agg(held_on ORDER BY nth) AS days
        FROM ranked GROUP BY patient_id, plan_id, starts_on
    ), judged AS (
        SELECT *, ARRAY_REMOVE(ARRAY[
            CASE WHEN missed >= %(missed_action)s THEN 'in-a-row-action' END,
            CASE WHEN %(as_of)s::date - starts_on >= %(running_days)s AND recent > 0 AND recent_attended = 0
                THEN 'none-lately' END,
            CASE WHEN missed >= %(missed_task)s AND missed < %(missed_action)s THEN 'in-a-row-task' END,
            CASE WHEN counted_in_window >= %(window_sessions)s
                AND attended_in_window < %(attended_share)s * counted_in_window THEN 'few' END,
            CASE WHEN missed >= 1 AND missed < %(missed_task)s THEN 'latest' END
        ], NULL) AS reasons
        FROM summed
    )
    SELECT patient_id, 'plan:' || plan_id AS subject,
        CASE
            WHEN reasons && ARRAY['in-a-row-action', 'none-lately'] THEN 'ACTION'
            WHEN reasons && ARRAY['in-a-row-task', 'few'] THEN 'TASK'
            ELSE 'INFO'
        END AS level,
        NULL::date AS due_on,
        jsonb_build_object(
            'reasons', reasons, 'missed', missed, 'dates', to_jsonb(days[1:missed::int]), 'attended_on', attended_on,
            'counted_in_window', counted_in_window, 'attended_in_window', attended_in_window
        ) AS evidence,
        NULL::text[] AS missing
    FROM judged WHERE cardinality(reasons) > 0
    """


IN_A_ROW = "Latest {missed} sessions not recorded as attended ({dates}). Latest attended: {attended_on}."

RULE = Rule(
    id="physio-missed",
    version=1,
    title="Physiotherapy is being missed",
    audience=Role.PHYSIOTHERAPIST,
    evidence=(
        Citation(
            text="No guideline defines missed physiotherapy: the numbers are a local policy. Exercise is safe at all "
            "stages studied (Alexanderson H, 2018) and therapist-led exercise can be considered (BSR 2022).",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    aside=("counted_in_window", "attended_in_window"),
    explanations={
        "in-a-row-action": IN_A_ROW,
        "in-a-row-task": IN_A_ROW,
        "latest": "The latest session is not recorded as attended ({dates}).",
        "none-lately": "Nothing is recorded as attended in the last {p.running_days} days. "
        "Latest attended: {attended_on}.",
        "few": "{attended_in_window} of {counted_in_window} sessions in the last {p.window_days} days are recorded as "
        "attended, below a share of {p.attended_share}.",
    },
    not_considered=(
        "Why the patient did not come.",
        "Exercise done and not reported.",
        "Days on which the plan was paused are not taken off its 28 and 56 day windows.",
    ),
    advice="Ask what stands in the way before asking for more.",
    examples="""
        case                                   | physio plan       | sessions                                         | declined | expect
        one missed                             | -20               | -14 attended, -7 dna                             |          | INFO
        two missed in a row                    | -20               | -14 dna, -7 dna                                  |          | TASK [in-a-row-task]
        three missed in a row                  | -25               | -21 dna, -14 dna, -7 dna                         |          | ACTION [in-a-row-action]
        four attended, the fifth missed        | -40               | -35 attended, -28 attended, -21 attended, -14 attended, -7 dna |          | INFO [latest]
        enough attended, but long ago          | -60               | -54 attended, -50 attended, -46 attended, -42 attended, -38 attended, -10 clinic, -7 dna |          | ACTION [none-lately, latest]
        cancelled by the clinic does not count | -20               | -14 dna, -7 clinic                               |          | INFO
        excused does not count                 | -20               | -14 dna, -7 excused                              |          | INFO
        the latest attended                    | -20               | -14 dna, -7 attended                             |          | quiet
        home exercise and remote count         | -20               | -14 dna, -10 remote, -7 home                     |          | quiet
        no outcome after 3 days                | -20               | -3 none                                          |          | quiet
        no outcome after 4 days                | -20               | -4 none                                          |          | INFO
        cancelled by the patient, day 14       | -20               | -14 patient                                      |          | quiet
        cancelled by the patient, day 15       | -20               | -15 patient                                      |          | INFO
        cancelled and booked again in time     | -20               | -15 patient, -12 attended@-13, -7 dna            |          | INFO
        cancelled, booked again too late       | -27               | -20 patient, -1 dna@-5                           |          | TASK
        booked again before that was entered   | -27               | -20 patient told@-4, -7 dna@-10                  |          | INFO
        booked again on its day                | -27               | -20 patient told@-10, -7 dna@-20                 |          | INFO
        booked long before, no new booking     | -27               | -20 patient told@-10, -7 dna@-21                 |          | TASK
        still to come                          | -20               | -14 dna, 3 none                                  |          | INFO
        27 days old, nothing attended          | -27               | -20 dna                                          |          | INFO
        28 days old, nothing attended          | -28               | -20 dna                                          |          | ACTION
        28 days, one attended on day 28        | -40               | -28 attended, -20 dna                            |          | INFO
        28 days, one attended on day 29        | -40               | -29 attended, -20 dna                            |          | ACTION
        28 days, nothing counted               | -28               | -20 clinic                                       |          | quiet
        3 of 4 attended                        | -60               | -50 dna, -40 attended, -20 attended, -2 attended |          | quiet
        2 of 4 attended                        | -60               | -50 dna, -40 dna, -20 attended, -2 attended      |          | TASK
        the first one 56 days ago              | -60               | -56 dna, -40 dna, -20 attended, -2 attended      |          | TASK [few]
        the first one 57 days ago              | -60               | -57 dna, -40 dna, -20 attended, -2 attended      |          | quiet
        7 of 10 attended is 70 %               | -60               | -50 dna, -48 dna, -46 dna, -44 attended, -40 attended, -36 attended, -30 attended, -20 attended, -10 attended, -2 attended |          | quiet
        7 of 10 attended, the latest missed    | -60               | -50 dna, -48 dna, -44 attended, -40 attended, -36 attended, -30 attended, -24 attended, -16 attended, -10 attended, -5 dna |          | INFO [latest]
        one missed at first, and the latest    | -60               | -50 dna, -46 attended, -42 attended, -38 attended, -34 attended, -30 attended, -26 attended, -22 attended, -18 attended, -7 dna |          | INFO [latest]
        9 of 13 attended is 69.2 %             | -60               | -50 dna, -48 dna, -46 dna, -44 dna, -40 attended, -36 attended, -32 attended, -28 attended, -24 attended, -20 attended, -16 attended, -12 attended, -8 attended |          | TASK [few]
        paused                                 | -40 paused -5..5  | -14 dna, -7 dna, -3 dna                          |          | quiet
        pause ended yesterday                  | -20 paused -5..-1 | -14 dna, -7 dna                                  |          | TASK
        plan ended yesterday                   | -40 ended -1      | -14 dna, -7 dna                                  |          | quiet
        plan ends today                        | -20 ended 0       | -14 dna, -7 dna                                  |          | TASK
        declined 183 days ago                  | -300              | -14 dna, -7 dna                                  | -183     | quiet
        declined 184 days ago                  | -300              | -14 dna, -7 dna                                  | -184     | ACTION
        decline ends today                     | -20               | -14 dna, -7 dna                                  | -5..0    | quiet
        decline ended yesterday                | -20               | -14 dna, -7 dna                                  | -5..-1   | TASK
        declined tomorrow                      | -20               | -14 dna, -7 dna                                  | 1        | TASK
    """,
)
