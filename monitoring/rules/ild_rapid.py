"""The lungs may be failing fast."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring.rules import lung_sql, sql
from monitoring.rules.base import Citation, Confidence, Question, Rule
from monitoring.rules.steroid import words
from patients.antibodies import POSITIVE_RESULTS


@dataclass(frozen=True)
class Parameters:
    spo2_below: Decimal = Decimal(90)
    spo2_drop: Decimal = Decimal(4)  # points of percent
    spo2_days: int = 30  # how old the latest may be
    spo2_drop_days: int = 30  # in which it fell
    new_days: int = 90  # how long a symptom, or the need of oxygen, is new
    fvc_relative: Decimal = Decimal(10)
    fvc_days: int = 90  # in which it fell
    fvc_max_age_days: int = 90
    marker_days: int = 90  # how old the latest ferritin and KL-6 may be
    rise_days: int = 90  # in which they rose
    ferritin_from: Decimal = Decimal(500)  # µg/L, the same number in ng/mL
    ferritin_ratio: Decimal = Decimal(2)
    ferritin_rise_from: Decimal = Decimal(200)  # below, a doubling says nothing
    kl6_above: Decimal = Decimal(1000)  # U/mL
    kl6_ratio: Decimal = Decimal("1.5")
    kl6_rise_above: Decimal = Decimal(500)


def _marker(q: Question, people: str, analyte: str, days: str, rise_days: str, best: str) -> str:
    """SELECT patient_id, value, taken_on of the latest result at most `days` old, and `before`, the `best` (min or max)
    of earlier days at most `rise_days` before it. `value` is NULL where its unit cannot be converted.
    """
    return f"""
        SELECT n.patient_id, n.value, n.taken_on, {best}(r.value) AS before,
            (array_agg(r.taken_on ORDER BY r.value {"DESC" if best == "max" else "ASC"}, r.taken_on DESC)
                FILTER (WHERE r.value IS NOT NULL))[1] AS before_on
        FROM (
            SELECT DISTINCT ON (l.patient_id) l.patient_id, l.value, l.taken_on
            FROM {people} a JOIN monitoring_result l ON l.patient_id = a.patient_id AND {q.known("l")}
            WHERE l.analyte = '{analyte}' AND l.taken_on BETWEEN %(as_of)s::date - {days}::int AND %(as_of)s
            ORDER BY l.patient_id, {sql.newest_first("l")}
        ) n
        LEFT JOIN (
            SELECT e.patient_id, e.value, e.taken_on
            FROM {people} a JOIN monitoring_result e ON e.patient_id = a.patient_id AND {q.known("e")}
            WHERE e.analyte = '{analyte}'
              AND e.taken_on BETWEEN %(as_of)s::date - ({days} + {rise_days})::int AND %(as_of)s
        ) r ON r.patient_id = n.patient_id AND r.taken_on < n.taken_on AND r.taken_on >= n.taken_on - {rise_days}::int
        GROUP BY n.patient_id, n.value, n.taken_on"""


# What the evidence holds, and the reasons that name it.
SHOWN = {
    "spo2 spo2_on": "spo2-low spo2-drop",
    "spo2_before spo2_before_on": "spo2-drop",
    "oxygen_on": "oxygen",
    "fvc_now fvc_on fvc_before fvc_before_on dyspnoea_on": "fvc",
    "symptom_on": "mda5-symptom",
    "mda5_on": "mda5-symptom mda5-ferritin mda5-ferritin-rising mda5-kl6 mda5-kl6-rising",
    "ferritin ferritin_on": "mda5-ferritin mda5-ferritin-rising",
    "ferritin_before ferritin_before_on": "mda5-ferritin-rising",
    "kl6 kl6_on": "mda5-kl6 mda5-kl6-rising",
    "kl6_before kl6_before_on": "mda5-kl6-rising",
}


def findings(q: Question) -> str:
    days, rise = "%(marker_days)s", "%(rise_days)s"
    return f"""
    WITH sign AS (
        SELECT a.patient_id,
            min(m.onset_on) FILTER (WHERE m.kind = 'dyspnoea') AS dyspnoea_on,
            max(m.onset_on) FILTER (WHERE m.kind = 'oxygen') AS oxygen_on,
            max(m.onset_on) FILTER (WHERE m.kind IN ('dyspnoea', 'cough')) AS symptom_on
        FROM asked a JOIN patients_manifestation m ON m.patient_id = a.patient_id AND {q.known("m")}
        WHERE m.kind IN ('dyspnoea', 'cough', 'oxygen') AND m.onset_on <= %(as_of)s
          AND (m.ended_on IS NULL OR m.ended_on >= %(as_of)s)
        GROUP BY a.patient_id
    ), mda5 AS (
        SELECT a.patient_id, min(b.taken_on) AS mda5_on
        FROM asked a JOIN patients_antibodyresult b ON b.patient_id = a.patient_id AND {q.known("b")}
        WHERE b.antibody = 'mda5' AND b.result IN ({words(POSITIVE_RESULTS)}) AND b.taken_on <= %(as_of)s
        GROUP BY a.patient_id
    ), breathless AS (
        SELECT patient_id FROM sign WHERE dyspnoea_on IS NOT NULL
    ), {lung_sql.tests(q, "breathless", "%(fvc_max_age_days)s + %(fvc_days)s")},
    {lung_sql.fvc("fvc", "%(fvc_max_age_days)s", "%(fvc_days)s")},
    spo2 AS ({_marker(q, "asked", "spo2", "%(spo2_days)s", "%(spo2_drop_days)s", "max")}),
    ferritin AS ({_marker(q, "mda5", "ferritin", days, rise, "min")}),
    kl6 AS ({_marker(q, "mda5", "kl6", days, rise, "min")}),
    judged AS (
        SELECT patient_id, s.dyspnoea_on, s.oxygen_on, s.symptom_on, m.mda5_on,
            trim_scale(o.value) AS spo2, o.taken_on AS spo2_on, trim_scale(o.before) AS spo2_before, o.before_on AS spo2_before_on,
            f.relative_now AS fvc_now, f.tested_on AS fvc_on, f.relative_best AS fvc_before,
            f.relative_best_on AS fvc_before_on,
            trim_scale(e.value) AS ferritin, e.taken_on AS ferritin_on, trim_scale(e.before) AS ferritin_before, e.before_on AS ferritin_before_on,
            trim_scale(k.value) AS kl6, k.taken_on AS kl6_on, trim_scale(k.before) AS kl6_before, k.before_on AS kl6_before_on,
            ARRAY_REMOVE(ARRAY[
                CASE WHEN o.value < %(spo2_below)s THEN 'spo2-low' END,
                CASE WHEN o.before - o.value >= %(spo2_drop)s THEN 'spo2-drop' END,
                CASE WHEN s.oxygen_on >= %(as_of)s::date - %(new_days)s::int THEN 'oxygen' END,
                CASE WHEN f.relative_best > 0 AND (f.relative_best - f.relative_now) * 100
                    >= %(fvc_relative)s * f.relative_best THEN 'fvc' END,
                CASE WHEN m.patient_id IS NOT NULL AND s.symptom_on >= %(as_of)s::date - %(new_days)s::int
                    THEN 'mda5-symptom' END,
                CASE WHEN e.value >= %(ferritin_from)s THEN 'mda5-ferritin' END,
                CASE WHEN e.before > 0 AND e.value >= %(ferritin_ratio)s * e.before
                    AND e.value >= %(ferritin_rise_from)s THEN 'mda5-ferritin-rising' END,
                CASE WHEN k.value > %(kl6_above)s THEN 'mda5-kl6' END,
                CASE WHEN k.before > 0 AND k.value >= %(kl6_ratio)s * k.before AND k.value > %(kl6_rise_above)s
                    THEN 'mda5-kl6-rising' END
            ], NULL) AS reasons,
            NULLIF(ARRAY_REMOVE(ARRAY[
                CASE WHEN o.taken_on IS NOT NULL AND o.value IS NULL
                    THEN 'the latest oxygen saturation, in a unit that can be converted' END,
                CASE WHEN e.taken_on IS NOT NULL AND e.value IS NULL
                    THEN 'the latest ferritin, in a unit that can be converted' END,
                CASE WHEN k.taken_on IS NOT NULL AND k.value IS NULL
                    THEN 'the latest KL-6, in a unit that can be converted' END
            ], NULL), '{{}}') AS missing
        FROM sign s
        FULL JOIN mda5 m USING (patient_id)
        FULL JOIN spo2 o USING (patient_id)
        LEFT JOIN fvc f USING (patient_id)
        LEFT JOIN ferritin e USING (patient_id)
        LEFT JOIN kl6 k USING (patient_id)
    )
    SELECT patient_id, 'patient'::text AS subject,
        CASE WHEN cardinality(reasons) > 0 THEN 'URGENT' END AS level, NULL::date AS due_on,
        CASE WHEN cardinality(reasons) > 0 THEN jsonb_build_object('reasons', reasons, {sql.named_by(SHOWN)}) END AS evidence,
        missing
    FROM judged WHERE cardinality(reasons) > 0 OR missing IS NOT NULL
    """


def closes(q: Question) -> str:
    """A value that grows old is not enough: it has to be measured again, or withdrawn. A symptom or a need of oxygen that is
    no longer new closes it.
    """
    markers = ", ".join(
        f"('{reason}', '{analyte}', %({days})s, {is_mda5})"
        for analyte, days, is_mda5, reasons in (
            ("spo2", "spo2_days", False, ("spo2-low", "spo2-drop")),
            ("ferritin", "marker_days", True, ("mda5-ferritin", "mda5-ferritin-rising")),
            ("kl6", "marker_days", True, ("mda5-kl6", "mda5-kl6-rising")),
        )
        for reason in reasons
    )
    return f"""
    SELECT o.patient_id, o.subject
    FROM open_alert o
    WHERE NOT EXISTS (
        SELECT 1
        FROM (VALUES {markers}) k (reason, analyte, days, is_mda5)
        CROSS JOIN LATERAL (
            SELECT r.value, r.taken_on FROM monitoring_result r
            WHERE r.patient_id = o.patient_id AND r.analyte = k.analyte AND {q.known("r")} AND r.taken_on <= %(as_of)s
            ORDER BY {sql.newest_first("r")} LIMIT 1
        ) l
        WHERE o.evidence -> 'reasons' ? k.reason
          -- the latest cannot be read; or it is the one that raised this, and too old to be found
          AND (l.value IS NULL
               OR l.taken_on < %(as_of)s::date - k.days AND l.value = (o.evidence ->> k.analyte)::numeric
                  AND l.taken_on = (o.evidence ->> (k.analyte || '_on'))::date)
          AND (NOT k.is_mda5 OR EXISTS (
              SELECT 1 FROM patients_antibodyresult b
              WHERE b.patient_id = o.patient_id AND b.antibody = 'mda5' AND b.result IN ({words(POSITIVE_RESULTS)})
                AND b.taken_on <= %(as_of)s AND {q.known("b")}))
    ) AND NOT EXISTS (
        SELECT 1
        FROM LATERAL (
            SELECT t.tested_on, t.fvc_l, t.fvc_percent_predicted FROM monitoring_lungfunction t
            WHERE t.patient_id = o.patient_id AND {q.known("t")} AND t.tested_on <= %(as_of)s
              AND (t.fvc_l IS NOT NULL OR t.fvc_percent_predicted IS NOT NULL)
            ORDER BY t.tested_on DESC, t.id DESC LIMIT 1
        ) f
        WHERE o.evidence -> 'reasons' ? 'fvc' AND f.tested_on < %(as_of)s::date - %(fvc_max_age_days)s::int
          AND f.tested_on = (o.evidence ->> 'fvc_on')::date
          AND (o.evidence ->> 'fvc_now')::numeric IN (f.fvc_l, f.fvc_percent_predicted)
          AND EXISTS (SELECT 1 FROM patients_manifestation m
                      WHERE m.patient_id = o.patient_id AND m.kind = 'dyspnoea' AND {q.known("m")}
                        AND m.onset_on <= %(as_of)s AND (m.ended_on IS NULL OR m.ended_on >= %(as_of)s))
    )
    """


MDA5 = "Anti-MDA5 positive ({mda5_on}), and "

RULE = Rule(
    id="ild-rapid",
    version=1,
    title="The lungs may be failing fast",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="Rapidly progressive lung disease goes from little to much need of oxygen in days to weeks: 2023 ACR/CHEST "
            "guideline for the treatment of interstitial lung disease, in general knowledge.",
            confidence=Confidence.GENERAL,
            doi="10.1002/art.42861",
        ),
        Citation(
            text="The limits of oxygen saturation, ferritin and KL-6 are those of cohorts, and a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    closes=closes,
    explanations={
        "spo2-low": "Oxygen saturation {spo2} % on {spo2_on}: below {p.spo2_below} %.",
        "spo2-drop": "Oxygen saturation {spo2} % on {spo2_on}, {spo2_before} % on {spo2_before_on}: down by {p.spo2_drop} "
        "points or more within {p.spo2_drop_days} days.",
        "oxygen": "Needs oxygen since {oxygen_on}.",
        "fvc": "FVC {fvc_now} on {fvc_on}, {fvc_before} on {fvc_before_on}: down by {p.fvc_relative} % or more within "
        "{p.fvc_days} days, with dyspnoea (since {dyspnoea_on}).",
        "mda5-symptom": MDA5 + "new dyspnoea or cough since {symptom_on}.",
        "mda5-ferritin": MDA5 + "ferritin {ferritin} µg/L on {ferritin_on}: {p.ferritin_from} or more.",
        "mda5-ferritin-rising": MDA5 + "ferritin {ferritin} µg/L on {ferritin_on}, {ferritin_before} on "
        "{ferritin_before_on}: {p.ferritin_ratio} times as high or more.",
        "mda5-kl6": MDA5 + "KL-6 {kl6} U/mL on {kl6_on}: above {p.kl6_above}.",
        "mda5-kl6-rising": MDA5
        + "KL-6 {kl6} U/mL on {kl6_on}, {kl6_before} on {kl6_before_on}: {p.kl6_ratio} times as high "
        "or more.",
    },
    not_considered=(
        "Another cause: pneumonia, embolism, heart failure, weak respiratory muscles, a cold finger.",
        "Oxygen given while the saturation was measured, and saturation on exertion.",
        "Whether interstitial lung disease is known: it need not be.",
        "Ferritin and KL-6 without anti-MDA5.",
    ),
    advice="The rheumatologist and the respiratory physician on duty need to know at once. This alert cannot be snoozed.",
    examples="""
        case                                  | antibodies             | organs                      | pft                          | values                              | expect
        nothing                               |                        |                             |                              |                                     | quiet
        saturation 90 %                       |                        |                             |                              | -5 spo2 90                          | quiet
        saturation 89.99 %                    |                        |                             |                              | -5 spo2 89.99                       | URGENT [spo2-low]
        saturation 89 %, 30 days ago          |                        |                             |                              | -30 spo2 89                         | URGENT [spo2-low]
        saturation 89 %, 31 days ago          |                        |                             |                              | -31 spo2 89                         | quiet
        saturation 89 %, then 93 %            |                        |                             |                              | -5 spo2 89, -4 spo2 93              | quiet
        saturation 89 %, 95 % later that day  |                        |                             |                              | -5T8 spo2 89, -5T9 spo2 95          | quiet
        saturation 89 % tomorrow              |                        |                             |                              | 1 spo2 89                           | quiet
        saturation in no unit we know         |                        |                             |                              | -5 spo2 ?                           | not evaluable
        saturation in no unit, oxygen         |                        | -5 oxygen                   |                              | -5 spo2 ?                           | URGENT [oxygen]
        an earlier one in no unit we know     |                        |                             |                              | -6 spo2 ?, -5 spo2 95               | quiet
        down by 3.99 points                   |                        |                             |                              | -20 spo2 98, -5 spo2 94.01          | quiet
        down by 4 points                      |                        |                             |                              | -20 spo2 98, -5 spo2 94             | URGENT [spo2-drop]
        down by 4 points in 30 days           |                        |                             |                              | -35 spo2 98, -5 spo2 94             | URGENT [spo2-drop]
        down by 4 points in 31 days           |                        |                             |                              | -36 spo2 98, -5 spo2 94             | quiet
        the oldest pair there can be          |                        |                             |                              | -60 spo2 98, -30 spo2 94            | URGENT [spo2-drop]
        down in steps                         |                        |                             |                              | -25 spo2 98, -15 spo2 96, -5 spo2 94 | URGENT [spo2-drop]
        low and down                          |                        |                             |                              | -20 spo2 98, -5 spo2 85             | URGENT [spo2-low, spo2-drop]
        up by 4 points                        |                        |                             |                              | -20 spo2 94, -5 spo2 98             | quiet
        needs oxygen, 90 days                 |                        | -90 oxygen                  |                              |                                     | URGENT [oxygen]
        needs oxygen, 91 days                 |                        | -91 oxygen                  |                              |                                     | quiet
        needed oxygen until yesterday         |                        | -20 oxygen -1               |                              |                                     | quiet
        needs oxygen until today              |                        | -20 oxygen 0                |                              |                                     | URGENT [oxygen]
        needs oxygen from tomorrow            |                        | 1 oxygen                    |                              |                                     | quiet
        dyspnoea                              |                        | -20 dyspnoea                |                              |                                     | quiet
        FVC down by 9.99 %, dyspnoea          |                        | -20 dyspnoea                | -60 fvc=11.01, -5 fvc=9.91   |                                     | quiet
        FVC down by 10 %, dyspnoea            |                        | -20 dyspnoea                | -60 fvc=10.00, -5 fvc=9.00   |                                     | URGENT [fvc]
        FVC down, dyspnoea for years          |                        | -900 dyspnoea               | -60 fvc=3.00, -5 fvc=2.70    |                                     | URGENT [fvc]
        FVC down by 10 % in percent           |                        | -20 dyspnoea                | -60 fvc%=80, -5 fvc%=72      |                                     | URGENT [fvc]
        FVC down without dyspnoea             |                        |                             | -60 fvc=3.00, -5 fvc=2.00    |                                     | quiet
        FVC down, dyspnoea over               |                        | -20 dyspnoea -1             | -60 fvc=3.00, -5 fvc=2.00    |                                     | quiet
        FVC down, cough                       |                        | -20 cough                   | -60 fvc=3.00, -5 fvc=2.00    |                                     | quiet
        FVC down in 90 days                   |                        | -20 dyspnoea                | -95 fvc=3.00, -5 fvc=2.70    |                                     | URGENT [fvc]
        FVC down in 91 days                   |                        | -20 dyspnoea                | -96 fvc=3.00, -5 fvc=2.70    |                                     | quiet
        FVC 90 days ago                       |                        | -20 dyspnoea                | -180 fvc=3.00, -90 fvc=2.70  |                                     | URGENT [fvc]
        FVC 91 days ago                       |                        | -20 dyspnoea                | -180 fvc=3.00, -91 fvc=2.70  |                                     | quiet
        anti-MDA5 alone                       | -900 mda5 positive     |                             |                              |                                     | quiet
        anti-MDA5 and dyspnoea, 90 days       | -900 mda5 positive     | -90 dyspnoea                |                              |                                     | URGENT [mda5-symptom]
        anti-MDA5 and dyspnoea, 91 days       | -900 mda5 positive     | -91 dyspnoea                |                              |                                     | quiet
        anti-MDA5 and cough                   | -900 mda5 strong       | -5 cough                    |                              |                                     | URGENT [mda5-symptom]
        anti-MDA5, later negative             | -900 mda5 positive, -5 mda5 negative | -5 cough      |                              |                                     | URGENT [mda5-symptom]
        anti-MDA5 weak                        | -900 mda5 weak         | -5 cough                    |                              | -5 ferritin 900                     | quiet
        anti-MDA5 from tomorrow               | 1 mda5 positive        | -5 cough                    |                              | -5 ferritin 900                     | quiet
        another antibody                      | -900 jo-1 positive     | -5 cough                    |                              | -5 ferritin 900, -5 kl6 2000        | quiet
        anti-MDA5, ferritin 499.99            | -900 mda5 positive     |                             |                              | -5 ferritin 499.99                  | quiet
        anti-MDA5, ferritin 500               | -900 mda5 positive     |                             |                              | -5 ferritin 500                     | URGENT [mda5-ferritin]
        anti-MDA5, ferritin 90 days ago       | -900 mda5 positive     |                             |                              | -90 ferritin 900                    | URGENT [mda5-ferritin]
        anti-MDA5, ferritin 91 days ago       | -900 mda5 positive     |                             |                              | -91 ferritin 900                    | quiet
        ferritin doubled                      | -900 mda5 positive     |                             |                              | -60 ferritin 150, -5 ferritin 300   | URGENT [mda5-ferritin-rising]
        ferritin not quite doubled            | -900 mda5 positive     |                             |                              | -60 ferritin 150, -5 ferritin 299   | quiet
        ferritin doubled in 90 days           | -900 mda5 positive     |                             |                              | -95 ferritin 150, -5 ferritin 300   | URGENT [mda5-ferritin-rising]
        ferritin doubled in 91 days           | -900 mda5 positive     |                             |                              | -96 ferritin 150, -5 ferritin 300   | quiet
        ferritin doubled to 199.99            | -900 mda5 positive     |                             |                              | -60 ferritin 50, -5 ferritin 199.99 | quiet
        ferritin doubled to 200               | -900 mda5 positive     |                             |                              | -60 ferritin 50, -5 ferritin 200    | URGENT [mda5-ferritin-rising]
        ferritin from 0                       | -900 mda5 positive     |                             |                              | -60 ferritin 0, -5 ferritin 300     | quiet
        ferritin fell again                   | -900 mda5 positive     |                             |                              | -60 ferritin 100, -20 ferritin 900, -5 ferritin 190 | quiet
        ferritin in no unit we know           | -900 mda5 positive     |                             |                              | -5 ferritin ?                       | not evaluable
        ferritin in no unit, no anti-MDA5     |                        |                             |                              | -5 ferritin ?                       | quiet
        anti-MDA5, KL-6 1000                  | -900 mda5 positive     |                             |                              | -5 kl6 1000                         | quiet
        anti-MDA5, KL-6 1000.01               | -900 mda5 positive     |                             |                              | -5 kl6 1000.01                      | URGENT [mda5-kl6]
        KL-6 half as high again               | -900 mda5 positive     |                             |                              | -60 kl6 400, -5 kl6 600             | URGENT [mda5-kl6-rising]
        KL-6 nearly half as high again        | -900 mda5 positive     |                             |                              | -60 kl6 400, -5 kl6 599             | quiet
        KL-6 rose from the lowest before      | -900 mda5 positive     |                             |                              | -60 kl6 400, -30 kl6 590, -5 kl6 600 | URGENT [mda5-kl6-rising]
        KL-6 rose from one that was withdrawn | -900 mda5 positive     |                             |                              | -60 kl6 400 withdrawn, -30 kl6 590, -5 kl6 600 | quiet
        KL-6 risen to 500                     | -900 mda5 positive     |                             |                              | -60 kl6 200, -5 kl6 500             | quiet
        KL-6 risen to 500.01                  | -900 mda5 positive     |                             |                              | -60 kl6 200, -5 kl6 500.01          | URGENT [mda5-kl6-rising]
        KL-6 in no unit we know               | -900 mda5 positive     |                             |                              | -5 kl6 ?                            | not evaluable
        all of it                             | -900 mda5 positive     | -5 oxygen, -5 dyspnoea      | -60 fvc=3.00, -5 fvc=2.00    | -20 spo2 98, -5 spo2 80, -60 ferritin 300, -5 ferritin 900, -60 kl6 500, -5 kl6 2000 | URGENT [spo2-low, spo2-drop, oxygen, fvc, mda5-symptom, mda5-ferritin, mda5-ferritin-rising, mda5-kl6, mda5-kl6-rising]
    """,
)
