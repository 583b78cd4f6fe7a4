"""Deterioration in SQL, for the whole clinic at once: the definition of monitoring/scores/worsening.py.

A test proves that both say the same. A rule that uses it inherits its numbers:
`class Parameters(worsening.Parameters)`.
"""

from __future__ import annotations

from monitoring.rules.base import Question

MEASURES = ("physician_vas", "patient_vas", "haq_di", "extramuscular_vas", "mmt8_150", "mmt8_80")


def visits(q: Question, people: str = "asked", since: str = "") -> str:
    """CTE `visit` (patient_id, id, assessed_on, and MEASURES): assessments with at least one of the five measures.

    `since` is SQL for the earliest day to read, over a row `a` of `people`.
    """
    columns = ", ".join(f"v.{name}" for name in MEASURES)
    return f"""visit AS (
        SELECT a.patient_id, v.*
        FROM {people} a
        -- LATERAL: the visits of a few patients, by index, out of all there are
        CROSS JOIN LATERAL (
            SELECT v.id, v.assessed_on, {columns}
            FROM monitoring_assessment v
            WHERE v.patient_id = a.patient_id AND {q.known("v")} AND v.assessed_on <= %(as_of)s
              AND COALESCE({columns}) IS NOT NULL{f" AND v.assessed_on >= {since}" if since else ""}
            OFFSET 0) v
    )"""


def candidates(q: Question, people: str = "asked") -> str:
    """CTE `worsening` (patient_id): whose newest visit may meet the definition, whatever the baseline is. A few of
    `people`; for nobody else does `ctes` say that the newest meets it.

    A baseline only takes earlier visits away. That makes the best value before no better, but may raise it from 0, where
    another threshold holds: at 0 any worsening lets a patient through here.
    """
    risen = [name for name in MEASURES if not name.startswith("mmt8")]
    worse = [
        f"(n.{name} > b.{name} AND (n.{name} - b.{name}) * 100 >= %(measure_worse_percent)s * b.{name} IS TRUE)::int"
        for name in risen
    ]
    fallen = " OR ".join(
        f"(b.{name} - n.{name}) * 100 >= {{0}} * b.{name}" for name in ("mmt8_150", "mmt8_80")
    )  # fmt: skip
    worse.append(f"(({fallen.format('%(measure_worse_percent)s')}) IS TRUE)::int")
    return f"""newest_visit AS (
        SELECT a.patient_id, v.*
        FROM {people} a
        -- LATERAL: one visit of each patient, by index, out of all there are
        CROSS JOIN LATERAL (
            SELECT v.id, v.assessed_on, {", ".join(f"v.{name}" for name in MEASURES)}
            FROM monitoring_assessment v
            WHERE v.patient_id = a.patient_id AND {q.known("v")} AND v.assessed_on <= %(as_of)s
              AND COALESCE({", ".join(f"v.{name}" for name in MEASURES)}) IS NOT NULL
            ORDER BY v.assessed_on DESC, v.id DESC LIMIT 1) v
    ), worsening AS MATERIALIZED (
        SELECT n.patient_id
        FROM newest_visit n
        CROSS JOIN LATERAL (
            SELECT {", ".join(f"min(p.{name}) AS {name}" for name in risen)},
                max(p.mmt8_150) AS mmt8_150, max(p.mmt8_80) AS mmt8_80
            FROM monitoring_assessment p
            WHERE p.patient_id = n.patient_id AND {q.known("p")}
              AND p.assessed_on BETWEEN n.assessed_on - %(look_back_days)s::int AND n.assessed_on
              AND (p.assessed_on, p.id) < (n.assessed_on, n.id)) b
        WHERE n.extramuscular_vas - b.extramuscular_vas >= %(vas_worse_cm)s
           OR n.physician_vas - b.physician_vas >= %(vas_worse_cm)s
              AND ({fallen.format("%(strength_worse_percent)s")})
           OR {" + ".join(worse)} >= %(measures_worse)s
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
