"""Falls of lung function in SQL, for many patients at once: the comparison of monitoring/scores/lung_change.py.

A test proves that both say the same. Percentages of predicted are compared only within one reference set, and DLCO only
where both tests say the same of the correction for haemoglobin.
"""

from __future__ import annotations

from monitoring.rules.base import Question


def _set(alias: str) -> str:
    return f"lower(regexp_replace({alias}.reference_set, '\\s', '', 'g'))"


def tests(q: Question, people: str, days: str) -> str:
    """CTE `lung_test`: what was measured of `people` in the last `days` (SQL) days."""
    return f"""lung_test AS (
        SELECT l.patient_id, l.id, l.tested_on, l.fvc_l, l.fvc_percent_predicted AS fvc_percent,
            l.dlco_percent_predicted AS dlco_percent, l.dlco_hb_corrected, {_set("l")} AS reference
        FROM {people} who JOIN monitoring_lungfunction l ON l.patient_id = who.patient_id AND {q.known("l")}
        WHERE l.tested_on BETWEEN %(as_of)s::date - ({days})::int AND %(as_of)s
    )"""


def fvc(name: str, max_age_days: str, look_back_days: str) -> str:
    """CTE `name` (patient_id, tested_on, percent, best_percent, best_percent_on, litres, best_litres, best_litres_on):
    the newest test with a forced vital capacity, and the best comparable ones of the days before it. `relative_now` and
    `relative_best` are litres where both have them, else percent predicted. Needs `lung_test`.
    """
    return f"""{name} AS (
        SELECT *, CASE WHEN best_litres IS NOT NULL THEN litres ELSE percent END AS relative_now,
            COALESCE(best_litres, best_percent) AS relative_best,
            CASE WHEN best_litres IS NOT NULL THEN best_litres_on ELSE best_percent_on END AS relative_best_on
        FROM (
            SELECT n.patient_id, n.tested_on, n.fvc_percent AS percent, n.fvc_l AS litres,
                {_best("percent", "t.fvc_percent", "n.fvc_percent", "t.reference = n.reference")},
                {_best("litres", "t.fvc_l", "n.fvc_l", "true")}
            {_newest("(fvc_l IS NOT NULL OR fvc_percent IS NOT NULL)", max_age_days, look_back_days)}
            GROUP BY n.patient_id, n.tested_on, n.fvc_percent, n.fvc_l
        ) compared
    )"""


def dlco(name: str, max_age_days: str, look_back_days: str) -> str:
    """CTE `name` (patient_id, tested_on, percent, best_percent, best_percent_on): as `fvc`, of the diffusion capacity."""
    same = "t.reference = n.reference AND t.dlco_hb_corrected = n.dlco_hb_corrected"
    return f"""{name} AS (
        SELECT n.patient_id, n.tested_on, n.dlco_percent AS percent,
            {_best("percent", "t.dlco_percent", "n.dlco_percent", same)}
        {_newest("dlco_percent IS NOT NULL", max_age_days, look_back_days)}
        GROUP BY n.patient_id, n.tested_on, n.dlco_percent
    )"""


def _best(name: str, value: str, now: str, same: str) -> str:
    counts = f"FILTER (WHERE {same} AND {value} IS NOT NULL AND {now} IS NOT NULL)"
    return f"""max({value}) {counts} AS best_{name},
                (array_agg(t.tested_on ORDER BY {value} DESC, t.tested_on DESC) {counts})[1] AS best_{name}_on"""


def _newest(has: str, max_age_days: str, look_back_days: str) -> str:
    return f"""FROM (
                SELECT DISTINCT ON (patient_id) * FROM lung_test
                WHERE {has} AND tested_on >= %(as_of)s::date - ({max_age_days})::int
                ORDER BY patient_id, tested_on DESC, id DESC
            ) n
            LEFT JOIN lung_test t ON t.patient_id = n.patient_id AND t.tested_on < n.tested_on
                AND t.tested_on >= n.tested_on - ({look_back_days})::int"""
