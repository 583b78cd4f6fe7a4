"""What `taper-step-due` and `taper-step-overdue` share: the step a plan waits for, and signs of activity beside it."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.rules import ck_rising, deterioration_sql, steroid
from monitoring.rules.base import Prepared, Question, Rule
from monitoring.scores import worsening

ASKS: tuple[Rule, ...] = (ck_rising.RULE,)


@dataclass(frozen=True)
class Parameters(steroid.Parameters, worsening.Parameters):
    """`baseline_before_days`, `baseline_after_days`: where the baseline of a deterioration is looked for, around the first
    day of the present glucocorticoid episode.
    """

    days_ahead: int = 3
    days_past: int = 7
    baseline_before_days: int = 28
    baseline_after_days: int = 14


def waiting(q: Question, level: str, condition: str, coming: str, name: str) -> str:
    """The query of a rule: `level` for the earliest unconfirmed step of a plan where `condition` holds, with reason
    `name`; a row without level where `coming` does. `until` is the days until the step.
    """
    return f"""
    WITH {_step(q)}, judged AS MATERIALIZED (
        SELECT *, {condition} AS is_found FROM step WHERE {condition} OR {coming}
    ), sign AS MATERIALIZED (
        {_signs(q)}
    )
    SELECT j.patient_id, 'plan:' || j.plan_id AS subject, CASE WHEN j.is_found THEN '{level}' END AS level,
        j.step_on AS due_on,
        CASE WHEN j.is_found THEN jsonb_build_object(
            'reasons', ARRAY_REMOVE(ARRAY[
                CASE WHEN s.patient_id IS NOT NULL THEN 'signs-open' END,
                CASE WHEN s.ck_level IS NOT NULL THEN 'sign-ck' END,
                CASE WHEN s.newest_on IS NOT NULL THEN 'sign-deterioration' END,
                '{name}'], NULL),
            'step_on', j.step_on, 'step_id', j.step_id, 'dose_pe_mg', trim_scale(j.dose_pe_mg), 'ck_level', s.ck_level,
            'ck_evidence', s.ck_evidence, 'deterioration_on', s.newest_on,
            'deterioration_before_on', s.before_on, 'deterioration_changes', s.changes
        ) END AS evidence,
        NULL::text[] AS missing
    FROM judged j LEFT JOIN sign s ON s.patient_id = j.patient_id AND j.is_found
    """


def _open_steps(q: Question) -> str:
    return f"""
        SELECT DISTINCT ON (s.plan_id) a.patient_id, s.plan_id, s.id AS step_id, s.step_on, s.dose_pe_mg,
            s.step_on - %(as_of)s::date AS until
        FROM asked a
        JOIN therapy_taperstep s ON s.patient_id = a.patient_id AND {q.known("s")}
        JOIN therapy_taperplan p ON p.id = s.plan_id AND {q.known("p")}
        LEFT JOIN therapy_taperconfirmation o ON o.step_id = s.id AND {q.known("o")} AND o.confirmed_on <= %(as_of)s
        WHERE o.id IS NULL
          AND NOT EXISTS (SELECT 1 FROM therapy_taperend e
                          WHERE e.plan_id = s.plan_id AND {q.known("e")} AND e.ended_on < %(as_of)s)
          AND NOT EXISTS (SELECT 1 FROM therapy_taperhold h
                          WHERE h.plan_id = s.plan_id AND {q.known("h")} AND h.starts_on <= %(as_of)s
                            AND COALESCE(h.ends_on, %(as_of)s) >= %(as_of)s)
        ORDER BY s.plan_id, s.step_on, s.id"""


STEPS = Prepared("taper_step", _open_steps)


def _step(q: Question) -> str:
    """CTE `step`: of each plan the earliest step that is not confirmed; `until`: the days until it."""
    table = q.shared(STEPS)
    return f"step AS ({f'SELECT * FROM {table}' if table else _open_steps(q)})"


def _signs(q: Question) -> str:
    """SELECT patient_id, ck_level, ck_evidence, newest_on, before_on, changes of those of `judged` who show activity. Its
    own `asked` hides the table of that name, so that the questions inside are put for these few and not the whole clinic.
    """
    return f"""
        WITH everybody AS MATERIALIZED (
            -- IS TRUE keeps the planner from taking these for a handful, and joining whole tables row by row
            SELECT a.* FROM asked a
            WHERE (a.patient_id IN (SELECT j.patient_id FROM judged j WHERE j.is_found)) IS TRUE
        ), found AS MATERIALIZED (
            WITH asked AS (SELECT * FROM everybody)
            SELECT f.patient_id, f.level, f.evidence FROM ({ASKS[0].embedded(q)}) f WHERE f.level IN ('URGENT', 'ACTION')
        ), worse AS MATERIALIZED (
            {f"SELECT * FROM {table}" if (table := q.shared(WORSE)) else _worse(q)}
        )
        SELECT COALESCE(f.patient_id, w.patient_id) AS patient_id, f.level AS ck_level, f.evidence AS ck_evidence,
            w.newest_on, w.before_on, w.changes
        FROM found f FULL JOIN worse w ON w.patient_id = f.patient_id
    """


def _worse(q: Question) -> str:
    """SELECT of those of `everybody` who have deteriorated in the present episode."""
    return f"""
            WITH asked AS (SELECT * FROM everybody), {deterioration_sql.candidates(q)},
            {steroid.courses(q, people="worsening")}, {steroid.episodes()}, {deterioration_sql.visits(q, "worsening")}, since AS (
                SELECT e.patient_id, max(v.assessed_on) AS since_on
                FROM steroid_episode e
                JOIN visit v ON v.patient_id = e.patient_id
                    AND v.assessed_on BETWEEN e.day0 - %(baseline_before_days)s::int
                        AND e.day0 + %(baseline_after_days)s::int
                GROUP BY e.patient_id
            ), {deterioration_sql.ctes()}
            SELECT * FROM deteriorated"""


def _worse_in_tapers(q: Question) -> str:
    # Due or overdue: both rules read it.
    return f"""
        WITH {_step(q)}, everybody AS MATERIALIZED (
            SELECT a.* FROM asked a
            WHERE (a.patient_id IN (SELECT j.patient_id FROM step j WHERE j.until <= %(days_ahead)s)) IS TRUE
        )
        SELECT * FROM ({_worse(q)}) worse"""


WORSE = Prepared("worse_in_taper", _worse_in_tapers)

SIGNS = {
    "signs-open": "Step due, but signs of activity are open.",
    "sign-ck": "Creatine kinase is rising ({ck_level}).",
    "sign-deterioration": "Deterioration is confirmed: the visits of {deterioration_before_on} and {deterioration_on} "
    "both meet its definition.",
}
