"""Courses of immunoglobulin and cycles of rituximab, in SQL: what `infusion-due` and `infusion-check` share.

As therapy/infusions.py groups them: an infusion more than so many days after the first of the group before begins a
group. Immunoglobulin is grouped within each course of the drug, so that a pause between two courses is no interval;
rituximab over all courses of the drug, since the last cycle matters whichever course it was written under.
"""

from __future__ import annotations

from monitoring.rules.base import Prepared, Question
from therapy.infusions import IVIG, RITUXIMAB


def ctes(q: Question) -> str:
    """CTEs, to be used after WITH RECURSIVE, up to

    `infusion_group` (patient_id, course_id, drug, stopped_on, began_on, last_on, second_on, days, total, rate,
    amounts, before_on, is_newest): the newest course of immunoglobulin of every course of the drug that goes on, and the
    newest cycle of rituximab of everybody whose rituximab goes on (its newest course). `days` counts days with an
    infusion, `amounts` what was given on a day, `before_on` is the first day of the group before.
    And `infusion_booked` (patient_id, booked_for). Needs `asked`.
    """
    table = q.shared(GROUPS)
    return f"""{f"infusion_group AS (SELECT * FROM {table})" if table else _groups(q)}, infusion_booked AS (
        SELECT k.patient_id, min(k.booked_for) AS booked_for
        FROM (SELECT DISTINCT patient_id FROM infusion_group) g
        JOIN monitoring_booking k ON k.patient_id = g.patient_id AND k.kind = 'infusion' AND {q.known("k")}
            AND k.booked_for BETWEEN %(as_of)s AND %(as_of)s::date + %(booked_days)s::int
        GROUP BY k.patient_id
    )"""


def _groups(q: Question) -> str:
    return f"""infusion_course AS (
        -- Stopped: the last day of a course still belongs to it.
        SELECT DISTINCT ON (a.patient_id, c.drug, CASE c.drug WHEN '{IVIG}' THEN c.id END)
            a.patient_id, c.id AS course_id, c.drug, s.stopped_on,
            CASE c.drug WHEN '{IVIG}' THEN %(course_window_days)s ELSE %(cycle_window_days)s END AS window_days
        FROM asked a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")} AND c.drug IN ('{IVIG}', '{RITUXIMAB}')
        LEFT JOIN therapy_coursestop s ON s.course_id = c.id AND {q.known("s")}
        WHERE s.stopped_on IS NULL OR s.stopped_on >= %(as_of)s
        ORDER BY a.patient_id, c.drug, CASE c.drug WHEN '{IVIG}' THEN c.id END, c.id DESC
    ), infusion_day AS MATERIALIZED (
        SELECT g.course_id, i.given_on, sum(i.amount) AS amount, max(i.max_rate_ml_per_hour) AS rate,
            g.window_days, i.given_on - lag(i.given_on) OVER w AS gap, row_number() OVER w AS nth
        FROM infusion_course g
        JOIN therapy_course c ON c.patient_id = g.patient_id AND c.drug = g.drug AND {q.known("c")}
            AND (c.drug = '{RITUXIMAB}' OR c.id = g.course_id)
        JOIN therapy_infusion i ON i.course_id = c.id AND {q.known("i")} AND i.given_on <= %(as_of)s
        GROUP BY g.course_id, g.window_days, i.given_on
        WINDOW w AS (PARTITION BY g.course_id ORDER BY i.given_on)
    ), infusion_run AS (
        -- After so long without one, the next begins a group whatever was before: the newest group lies in the last such
        -- run, and the one before it there or in the run before.
        SELECT course_id, (array_agg(nth ORDER BY nth DESC))[1:2] AS starts
        FROM infusion_day WHERE gap IS NULL OR gap > window_days GROUP BY course_id
    ), infusion_late AS MATERIALIZED (
        SELECT d.*, d.nth = u.starts[cardinality(u.starts)] AS is_first
        FROM infusion_run u JOIN infusion_day d ON d.course_id = u.course_id AND d.nth >= u.starts[cardinality(u.starts)]
    ), infusion_step (course_id, nth, began_on) AS (
        SELECT course_id, nth, given_on FROM infusion_late WHERE is_first
        UNION ALL
        SELECT l.course_id, l.nth,
            CASE WHEN l.given_on - s.began_on > l.window_days THEN l.given_on ELSE s.began_on END
        FROM infusion_step s JOIN infusion_late l ON l.course_id = s.course_id AND l.nth = s.nth + 1
    ), infusion_grouped AS (
        SELECT s.course_id, s.began_on, max(l.given_on) AS last_on, count(*) AS days, sum(l.amount) AS total,
            max(l.rate) AS rate, (array_agg(l.given_on ORDER BY l.given_on))[2] AS second_on,
            array_agg(DISTINCT l.amount) AS amounts,
            lag(s.began_on) OVER w AS before_on, lead(s.began_on) OVER w IS NULL AS is_newest
        FROM infusion_step s JOIN infusion_late l ON l.course_id = s.course_id AND l.nth = s.nth
        GROUP BY s.course_id, s.began_on
        WINDOW w AS (PARTITION BY s.course_id ORDER BY s.began_on)
    ), infusion_group AS MATERIALIZED (
        SELECT c.patient_id, c.drug, c.stopped_on, g.*
        FROM infusion_grouped g JOIN infusion_course c ON c.course_id = g.course_id
        WHERE g.is_newest
    )"""


GROUPS = Prepared("infusion_group", lambda q: f"WITH RECURSIVE {_groups(q)} SELECT * FROM infusion_group")
