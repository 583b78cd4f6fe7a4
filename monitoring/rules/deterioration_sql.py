"""Deterioration in SQL, for the whole clinic at once: the definition of monitoring/scores/worsening.py.

A test proves that both say the same. A rule that uses it inherits its numbers:
`class Parameters(worsening.Parameters)`.
"""

from __future__ import annotations

from monitoring.rules.base import Question

MEASURES = ("physician_vas", "patient_vas", "haq_di", "extramuscular_vas", "mmt8_150", "mmt8_80")


def visits(q: Question, people: str = "asked", since: str = "NULL::date") -> str:
    """CTE `visit` (patient_id, id, assessed_on, and MEASURES): assessments with at least one of the five measures.

    `since` is SQL for the earliest day to read, over a row `a` of `people`.
    """
    return f"""visit AS (
        SELECT a.patient_id, v.id, v.assessed_on, {", ".join(f"v.{name}" for name in MEASURES)}
        FROM {people} a
        JOIN monitoring_assessment v ON v.patient_id = a.patient_id AND {q.known("v")} AND v.assessed_on <= %(as_of)s
        WHERE COALESCE({", ".join(f"v.{name}" for name in MEASURES)}) IS NOT NULL
          AND ({since} IS NULL OR v.assessed_on >= {since})
    )"""


def ctes() -> str:
    """CTEs up to

    `worsened` (patient_id, nth, assessed_on, reasons, changes): what the definition says of the newest (nth 1) and the
    second newest visit (2) since the baseline; `reasons` is empty where it is not met, `changes` has the measures that
    could be compared as {measure: [best before, now]}. A visit with nothing to be compared with has no row.
    `deteriorated` (patient_id, newest_on, before_on, reasons, changes): both meet it.

    Needs `visit`, and `since` (patient_id, since_on): the day of the baseline; no row or NULL: all visits.
    """
    falls = {
        "physician_vas": "physician_vas - best_physician_vas",
        "patient_vas": "patient_vas - best_patient_vas",
        "extramuscular_vas": "extramuscular_vas - best_extramuscular_vas",
        "haq_di": "haq_di - best_haq_di",
        "mmt8": "best_mmt8 - mmt8",
    }
    from_zero = {"haq_di": "%(haq_worse_from_zero)s", "mmt8": "NULL"}
    worse = " + ".join(
        f"""(CASE WHEN best_{name} <> 0 THEN ({fall}) * 100 >= %(measure_worse_percent)s * best_{name}
            ELSE {fall} >= {from_zero.get(name, "%(vas_worse_cm)s")} END IS TRUE)::int"""
        for name, fall in falls.items()
    )
    pairs = ", ".join(f"'{name}', CASE WHEN {fall} IS NOT NULL THEN jsonb_build_array(best_{name}, {name}) END"
                      for name, fall in falls.items())  # fmt: skip
    lowest = ", ".join(f"min(p.{name}) AS best_{name}" for name in MEASURES if not name.startswith("mmt8"))
    return f"""
    visit_ranked AS (
        SELECT v.*, row_number() OVER (PARTITION BY v.patient_id ORDER BY v.assessed_on DESC, v.id DESC) AS nth
        FROM visit v LEFT JOIN since s ON s.patient_id = v.patient_id
        WHERE s.since_on IS NULL OR v.assessed_on >= s.since_on
    ), visit_best AS (
        SELECT v.*, {", ".join(f"b.best_{name}" for name in MEASURES)}
        FROM visit_ranked v
        JOIN (
            SELECT n.patient_id, n.nth, {lowest}, max(p.mmt8_150) AS best_mmt8_150, max(p.mmt8_80) AS best_mmt8_80
            FROM visit_ranked n
            JOIN visit_ranked p ON p.patient_id = n.patient_id AND p.nth > n.nth
                AND p.assessed_on >= n.assessed_on - %(look_back_days)s::int
            WHERE n.nth <= 2
            GROUP BY n.patient_id, n.nth
        ) b ON b.patient_id = v.patient_id AND b.nth = v.nth
    ), visit_scaled AS (
        -- strength on 0-150 where this visit and an earlier one have it, else on 0-80: never mixed
        SELECT *, CASE WHEN mmt8_150 + best_mmt8_150 IS NOT NULL THEN mmt8_150 ELSE mmt8_80 END AS mmt8,
            CASE WHEN mmt8_150 + best_mmt8_150 IS NOT NULL THEN best_mmt8_150 ELSE best_mmt8_80 END AS best_mmt8
        FROM visit_best
    ), worsened AS (
        SELECT patient_id, nth, assessed_on, ARRAY_REMOVE(ARRAY[
            CASE WHEN {falls["physician_vas"]} >= %(vas_worse_cm)s AND best_mmt8 <> 0
                AND ({falls["mmt8"]}) * 100 >= %(strength_worse_percent)s * best_mmt8 THEN 'global_and_strength' END,
            CASE WHEN {falls["extramuscular_vas"]} >= %(vas_worse_cm)s THEN 'extramuscular' END,
            CASE WHEN {worse} >= %(measures_worse)s THEN 'three_of_five' END
        ], NULL) AS reasons, jsonb_strip_nulls(jsonb_build_object({pairs})) AS changes
        FROM visit_scaled
    ), deteriorated AS (
        SELECT patient_id, max(assessed_on) FILTER (WHERE nth = 1) AS newest_on,
            max(assessed_on) FILTER (WHERE nth = 2) AS before_on,
            jsonb_agg(reasons ORDER BY nth) -> 0 AS reasons, jsonb_agg(changes ORDER BY nth) -> 0 AS changes
        FROM worsened WHERE cardinality(reasons) > 0 GROUP BY patient_id HAVING count(*) = 2
    )"""
