"""Something is wrong with the newest infusions, or missing before the next."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.analytes import RENAL
from monitoring.rules import infusion_sql, sql
from monitoring.rules.base import Citation, Confidence, Question, Rule
from monitoring.rules.steroid import shown, words
from therapy.infusions import ACTIONS, RISK_KINDS, CheckNumbers


@dataclass(frozen=True)
class Parameters(CheckNumbers):
    """As therapy/infusions.py names them."""


# Reason: SQL over `f` that holds where it is one. In the order in which they are said.
REASONS: dict[str, str] = {
    "rate-at-risk": "is_at_risk AND rate > cap_ml_h",
    "rate": "NOT is_at_risk AND rate > cap_ml_h",
    "total-high": "is_ivig AND total > target_g * (1 + %(course_tolerance)s)",
    "total-low": "is_ivig AND is_over AND total < target_g * (1 - %(course_tolerance)s)",
    "days": "is_ivig AND (span > %(course_days_most)s OR is_over AND span < %(course_days_least)s)",
    "interval": "is_ivig AND began_on - before_on NOT BETWEEN %(interval_least_days)s AND %(interval_most_days)s",
    "creatinine": "is_ivig AND is_near AND creatinine_on IS NULL",
    "iga-low": "is_ivig AND iga < %(iga_below_g_l)s",
    "iga-unknown": "is_ivig AND is_near AND NOT is_iga_known",
    "repeat-early": "NOT is_ivig AND began_on - before_on < %(repeat_days)s",
    "second-missed": "NOT is_ivig AND days = 1 AND day > %(cycle_window_days)s",
    "second-interval": "NOT is_ivig AND abs(second_on - began_on - %(second_days)s) > %(second_give_days)s",
    "amount": "NOT is_ivig AND (days > 2 OR amounts <> ARRAY[%(dose_mg)s::numeric])",
    "igg-very-low": "NOT is_ivig AND igg < %(igg_very_low_g_l)s",
    "igg-low": "NOT is_ivig AND igg >= %(igg_very_low_g_l)s AND igg < %(igg_low_g_l)s",
    "igg-missing": "NOT is_ivig AND COALESCE(igg_seen_on, '-infinity') < igg_from",
    "hepatitis-b-positive": "NOT is_ivig AND hepatitis_on IS NOT NULL AND NOT is_noted",
    "hepatitis-b-unknown": "NOT is_ivig AND hepatitis_on IS NULL AND NOT is_negative",
}


# What the evidence holds only where a reason names it, so that an alert closed for another does not open again.
SHOWN = {"iga iga_on": "iga-low", "igg igg_on": "igg-low igg-very-low"}


def findings(q: Question) -> str:
    reasons = ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in REASONS.items())
    return f"""
    WITH RECURSIVE {infusion_sql.ctes(q)}, newest AS MATERIALIZED (
        SELECT g.*, g.drug = 'ivig' AS is_ivig, a.born_on, %(as_of)s::date - g.began_on AS day,
            g.last_on - g.began_on + 1 AS span,
            %(as_of)s::date - g.began_on >= %(course_days_most)s AS is_over,
            %(as_of)s::date - g.began_on >= %(interval_least_days)s AS is_near,
            b.booked_for
        FROM infusion_group g
        JOIN asked a ON a.patient_id = g.patient_id
        LEFT JOIN infusion_booked b ON b.patient_id = g.patient_id
    ), weight AS (
        SELECT DISTINCT ON (n.course_id) n.course_id, w.weight_kg, w.measured_on
        FROM newest n
        JOIN monitoring_bodysize w ON w.patient_id = n.patient_id AND {q.known("w")} AND w.weight_kg IS NOT NULL
            AND w.measured_on <= %(as_of)s AND abs(w.measured_on - n.began_on) <= %(weight_days)s
        WHERE n.is_ivig
        ORDER BY n.course_id, abs(w.measured_on - n.began_on), w.measured_on, w.id DESC
    ), risk AS (
        SELECT course_id, array_agg(DISTINCT replace(kind, '_', ' ') ORDER BY replace(kind, '_', ' ')) AS kinds FROM (
            SELECT n.course_id, k.kind::text AS kind
            FROM newest n
            JOIN patients_riskfactor k ON k.patient_id = n.patient_id AND {q.known("k")}
                AND k.kind IN ({words(RISK_KINDS)})
                AND k.starts_on <= n.last_on AND (k.ends_on IS NULL OR k.ends_on >= n.began_on)
            WHERE n.is_ivig
            UNION ALL
            SELECT n.course_id, 'thrombosis'
            FROM newest n
            JOIN patients_manifestation m ON m.patient_id = n.patient_id AND {q.known("m")}
                AND m.kind = 'thrombosis' AND m.onset_on <= n.last_on
            WHERE n.is_ivig
            UNION ALL
            SELECT n.course_id, 'older than ' || %(older_than_years)s || ' years'
            FROM newest n
            WHERE n.is_ivig AND n.born_on + make_interval(years => %(older_than_years)s) < n.began_on
        ) every_one GROUP BY course_id
    ), f AS MATERIALIZED (
        -- LATERAL: a few results of each, by index, out of all there are
        SELECT n.*, w.weight_kg, w.measured_on AS weight_on, w.weight_kg * %(course_g_per_kg)s AS target_g,
            k.kinds AS risks, k.course_id IS NOT NULL AS is_at_risk,
            w.weight_kg * 60 * CASE WHEN k.course_id IS NULL THEN %(rate_ml_kg_min)s
                ELSE %(rate_at_risk_ml_kg_min)s END AS cap_ml_h,
            renal.creatinine_on, a.iga, a.iga_on,
            a.iga IS NOT NULL OR COALESCE(looked.iga, false) AS is_iga_known,
            g.igg, g.igg_on, g.is_igg_unread, GREATEST(g.igg_on, looked.igg_on) AS igg_seen_on,
            CASE
                WHEN n.booked_for IS NOT NULL
                    OR n.days = 1 AND n.day BETWEEN %(second_days)s - %(second_give_days)s AND %(cycle_window_days)s
                    THEN %(as_of)s::date - %(igg_days)s::int
                WHEN n.day >= %(repeat_days)s THEN %(as_of)s::date - %(igg_later_days)s::int
            END AS igg_from,
            LEAST(h.positive_on, looked.positive_on) AS hepatitis_on,
            COALESCE(h.is_negative, false) OR COALESCE(looked.is_negative, false) AS is_negative,
            COALESCE(looked.noted_on >= LEAST(h.positive_on, looked.positive_on), false) AS is_noted
        FROM newest n
        LEFT JOIN weight w ON w.course_id = n.course_id
        LEFT JOIN risk k ON k.course_id = n.course_id
        LEFT JOIN LATERAL (
            SELECT max(r.taken_on) AS creatinine_on FROM monitoring_result r
            WHERE n.is_ivig AND r.patient_id = n.patient_id AND r.analyte IN ({words(RENAL)}) AND {q.known("r")}
              AND r.taken_on BETWEEN %(as_of)s::date - %(creatinine_days)s::int AND %(as_of)s AND r.value IS NOT NULL
        ) renal ON true
        LEFT JOIN LATERAL (
            SELECT trim_scale(r.value) AS iga, r.taken_on AS iga_on FROM monitoring_result r
            WHERE n.is_ivig AND r.patient_id = n.patient_id AND r.analyte = 'iga' AND {q.known("r")}
              AND r.taken_on <= %(as_of)s AND r.value IS NOT NULL
            ORDER BY r.taken_on DESC, r.taken_at DESC NULLS LAST, r.id DESC LIMIT 1
        ) a ON true
        LEFT JOIN LATERAL (
            SELECT trim_scale(r.value) AS igg, CASE WHEN r.value IS NOT NULL THEN r.taken_on END AS igg_on,
                r.value IS NULL AS is_igg_unread
            FROM monitoring_result r
            WHERE NOT n.is_ivig AND r.patient_id = n.patient_id AND r.analyte = 'igg' AND {q.known("r")}
              AND r.taken_on BETWEEN %(as_of)s::date - %(igg_later_days)s::int AND %(as_of)s
            ORDER BY r.taken_on DESC, r.taken_at DESC NULLS LAST, r.id DESC LIMIT 1
        ) g ON true
        LEFT JOIN LATERAL (
            SELECT min(r.taken_on) FILTER (WHERE lower(btrim(r.value_received)) = 'positive') AS positive_on,
                count(DISTINCT r.analyte) FILTER (WHERE lower(btrim(r.value_received)) = 'negative') = 2 AS is_negative
            FROM monitoring_result r
            WHERE NOT n.is_ivig AND r.patient_id = n.patient_id AND r.analyte IN ('hbsag', 'anti-hbc')
              AND {q.known("r")} AND r.taken_on <= %(as_of)s
        ) h ON true
        LEFT JOIN LATERAL (
            SELECT bool_or(s.kind = 'iga' AND s.outcome = 'normal') AS iga,
                max(s.done_on) FILTER (WHERE s.kind = 'igg' AND s.outcome = 'normal') AS igg_on,
                min(s.done_on) FILTER (WHERE s.kind = 'hepatitis_b' AND s.outcome = 'abnormal') AS positive_on,
                bool_or(s.kind = 'hepatitis_b' AND s.outcome = 'normal') AS is_negative,
                max(s.done_on) FILTER (WHERE s.kind = 'hepatitis_b' AND s.note <> '') AS noted_on
            FROM monitoring_screening s
            WHERE s.patient_id = n.patient_id AND s.kind IN ('iga', 'igg', 'hepatitis_b') AND {q.known("s")}
              AND s.done_on <= %(as_of)s
        ) looked ON true
    ), told AS (
        SELECT *, ARRAY_REMOVE(ARRAY[{reasons}], NULL) AS reasons, ARRAY_REMOVE(ARRAY[
            CASE WHEN is_ivig AND weight_kg IS NULL
                THEN 'a weight within ' || %(weight_days)s || ' days of the newest course of immunoglobulin' END,
            CASE WHEN is_igg_unread THEN 'the latest IgG in a unit that can be converted' END
        ], NULL) AS missing
        FROM f
    )
    SELECT t.patient_id, 'course:' || t.course_id AS subject,
        CASE
            WHEN t.reasons && ARRAY[{words(ACTIONS)}] THEN 'ACTION'
            WHEN cardinality(t.reasons) > 0 THEN 'TASK'
        END AS level,
        NULL::date AS due_on,
        CASE WHEN cardinality(t.reasons) > 0 THEN jsonb_build_object(
            'reasons', t.reasons || CASE WHEN 'hepatitis-b-positive' = ANY(t.reasons) AND passive.given_on IS NOT NULL
                THEN ARRAY['passive'] ELSE '{{}}' END,
            'drug', t.drug, 'course_id', t.course_id, 'began_on', t.began_on, 'last_on', t.last_on, 'days', t.days,
            'total', trim_scale(t.total), 'before_on', t.before_on, 'second_on', t.second_on,
            'amounts', (SELECT to_jsonb(array_agg(trim_scale(x))) FROM unnest(t.amounts) x),
            'weight_kg', t.weight_kg, 'weight_on', t.weight_on, 'per_kg', {shown("t.total / t.weight_kg")},
            'rate', t.rate, 'cap_ml_h', {shown("t.cap_ml_h")}, 'risks', COALESCE(to_jsonb(t.risks), '[]'),
            'span', t.span, {sql.named_by(SHOWN)},
            'igg_seen_on', t.igg_seen_on,
            'igg_latest', COALESCE('the latest is of ' || to_char(t.igg_seen_on, 'FMDD Mon YYYY'),
                'none is recorded of the last ' || %(igg_later_days)s || ' days'), 'booked_for', t.booked_for, 'hepatitis_on', t.hepatitis_on,
            'ivig_on', passive.given_on
        ) END AS evidence,
        CASE WHEN cardinality(t.missing) > 0 THEN t.missing END AS missing
    FROM told t
    LEFT JOIN LATERAL (
        SELECT max(i.given_on) AS given_on
        FROM therapy_course c JOIN therapy_infusion i ON i.course_id = c.id AND {q.known("i")}
        WHERE 'hepatitis-b-positive' = ANY(t.reasons) AND c.patient_id = t.patient_id AND c.drug = 'ivig' AND {q.known("c")}
          AND i.given_on BETWEEN t.hepatitis_on - %(serology_days)s::int AND t.hepatitis_on
    ) passive ON true
    WHERE cardinality(t.reasons) > 0 OR cardinality(t.missing) > 0
    """


RULE = Rule(
    id="infusion-check",
    version=1,
    title="Infusions: something is wrong or missing",
    audience=Role.NURSE,
    evidence=(
        Citation(
            text="Immunoglobulin 2 g/kg over 2 to 5 days, highest rates with and without risk, creatinine before each course: "
            "product information of Octagam 10 % in adult dermatomyositis.",
            confidence=Confidence.SECONDARY,
        ),
        Citation(
            text="Rituximab: hepatitis B and IgG before each infusion, six-monthly IgG afterwards, no repeat before 24 weeks "
            "(NHS Scotland, Right Decisions).",
            confidence=Confidence.SECONDARY,
        ),
        Citation(
            text="IgG below 6 g/L to be discussed, below 4 g/L not repeated without an immunologist; severe deficiency of IgA "
            "below 0.07 g/L; antibodies of donors found for about 90 days.",
            confidence=Confidence.GENERAL,
        ),
        Citation(
            text="The 5 % around the total, the days for which a creatinine, an IgG or a weight holds, and which infusions "
            "make one course are a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    aside=("weight_on", "igg_seen_on", "igg_latest", "booked_for"),
    explanations={
        "rate-at-risk": "The course of immunoglobulin of {began_on} was given at up to {rate} mL/h. At risk ({risks}), the "
        "highest rate is {p.rate_at_risk_ml_kg_min} mL/kg/min: {cap_ml_h} mL/h at {weight_kg} kg.",
        "rate": "The course of immunoglobulin of {began_on} was given at up to {rate} mL/h. The highest rate is "
        "{p.rate_ml_kg_min} mL/kg/min: {cap_ml_h} mL/h at {weight_kg} kg.",
        "total-high": "The course of immunoglobulin of {began_on} comes to {total} g, {per_kg} g/kg at {weight_kg} kg: above "
        "{p.course_g_per_kg} g/kg by more than a share of {p.course_tolerance}.",
        "total-low": "The course of immunoglobulin of {began_on} comes to {total} g, {per_kg} g/kg at {weight_kg} kg: below "
        "{p.course_g_per_kg} g/kg by more than a share of {p.course_tolerance}.",
        "days": "Days of the course of immunoglobulin of {began_on}: {span}; usual are {p.course_days_least} to "
        "{p.course_days_most}.",
        "interval": "The course of immunoglobulin of {began_on} follows that of {before_on}: not {p.interval_least_days} to "
        "{p.interval_most_days} days later.",
        "creatinine": "No creatinine or eGFR in the last {p.creatinine_days} days, before the course of immunoglobulin that "
        "follows that of {began_on}.",
        "iga-low": "IgA was {iga} g/L on {iga_on}, below {p.iga_below_g_l} g/L: severe deficiency, immunoglobulin may be "
        "contraindicated.",
        "iga-unknown": "No IgA is recorded, before the course of immunoglobulin that follows that of {began_on}.",
        "repeat-early": "The cycle of rituximab of {began_on} began less than {p.repeat_days} days after that of {before_on}.",
        "second-missed": "The cycle of rituximab of {began_on} has had one infusion; the second is not recorded.",
        "second-interval": "The second infusion of the cycle of rituximab of {began_on} was given on {second_on}: not "
        "{p.second_days} days later, {p.second_give_days} either way.",
        "amount": "Infusion days of the cycle of rituximab of {began_on}: {days}, in mg: {amounts}. Usual are two of "
        "{p.dose_mg} mg.",
        "igg-very-low": "IgG was {igg} g/L on {igg_on}, below {p.igg_very_low_g_l} g/L: rituximab is not repeated without an "
        "immunologist.",
        "igg-low": "IgG was {igg} g/L on {igg_on}, below {p.igg_low_g_l} g/L: discuss before rituximab is given again.",
        "igg-missing": "IgG is wanted before each infusion of rituximab and every {p.igg_later_days} days afterwards; "
        "{igg_latest}.",
        "hepatitis-b-positive": "A marker of hepatitis B has been positive since {hepatitis_on}, and no note says what was "
        "decided about antiviral prophylaxis.",
        "hepatitis-b-unknown": "Hepatitis B (HBsAg and anti-HBc) is not recorded as negative, in a patient on rituximab.",
        "passive": "Immunoglobulin was given on {ivig_on}, at most {p.serology_days} days before: the antibody may be a "
        "donor's.",
    },
    not_considered=(
        "Products of other strengths than 10 %, whose rates are others.",
        "How fast the rate was raised, and whether the infusion was slowed or stopped.",
        "Reactions: they are shown with each infusion.",
        "Anti-IgA antibodies, blood group and haemolysis.",
        "What is needed before the very first infusion: another rule asks for it.",
        "Hepatitis B virus DNA, and whether an antiviral is taken: a note on the hepatitis B screening answers it.",
        "Which drug an infusion is booked for: a booking does not say.",
    ),
    advice="Look at it before the next infusion; correct the record where it is wrong.",
    examples="""
        case                                      | given                                          | weight                 | risks                | manifestations       | birthday   | doses             | bookings    | before infusions                             | expect
        nothing given                             |                                                |                        |                      |                      |            | -9.. ivig 140 /28 |             |                                              | quiet
        a course as it should be                  | -20..-19 ivig 70 rate=168                      | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        1.899 g/kg                                | -20..-19 ivig 66.499                           | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [total-low]
        1.9 g/kg                                  | -20..-19 ivig 66.5                             | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        2.1 g/kg                                  | -20..-19 ivig 73.5                             | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        2.101 g/kg                                | -20..-19 ivig 73.501                           | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [total-high]
        too much is said at once                  | 0 ivig 148                                     | 0 70                   |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [total-high]
        day 4: it may still go on                 | -4 ivig 70                                     | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        day 5: it is over                         | -5 ivig 70                                     | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [total-low, days]
        two infusions on one day are one day      | -20 ivig 70, -20 ivig 70.5                     | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [days]
        over 2 days                               | -20..-19 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        over 5 days                               | -20 ivig 70, -16 ivig 70                       | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        over 6 days                               | -20 ivig 70, -15 ivig 70                       | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [days]
        10 days later is the same course          | -20 ivig 70, -10 ivig 70                       | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [days]
        11 days later is the next                 | -20 ivig 70, -9 ivig 70                        | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [interval, total-low, days]
        20 days after the one before              | -40 ivig 140, -20..-19 ivig 70                 | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [interval]
        21 days                                   | -41 ivig 140, -20..-19 ivig 70                 | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        35 days                                   | -55 ivig 140, -20..-19 ivig 70                 | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        36 days                                   | -56 ivig 140, -20..-19 ivig 70                 | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [interval]
        another course of the drug is no interval | -60 ivig@2 140, stop -50 ivig@2, -20..-19 ivig 70 | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        faster than the cap                       | -20 ivig 70, -19 ivig 70 rate=168.1            | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [rate]
        at risk, at its cap                       | -20..-19 ivig 70 rate=126                      | -30 70                 | -90 renal            |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        at risk, faster than its cap              | -20..-19 ivig 70 rate=126.1                    | -30 70                 | -90 renal            |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        at risk and far too fast                  | -20..-19 ivig 70 rate=169                      | -30 70                 | -90 thrombosis       |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        at risk: diabetes                         | -20..-19 ivig 70 rate=140                      | -30 70                 | -90 diabetes         |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        at risk: paraprotein                      | -20..-19 ivig 70 rate=140                      | -30 70                 | -90 paraprotein      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        at risk: nephrotoxin                      | -20..-19 ivig 70 rate=140                      | -30 70                 | -90 nephrotoxin      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        at risk: volume_depletion                 | -20..-19 ivig 70 rate=140                      | -30 70                 | -90 volume_depletion |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        at risk: sepsis                           | -20..-19 ivig 70 rate=140                      | -30 70                 | -90 sepsis           |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        smoking is no such risk                   | -20..-19 ivig 70 rate=140                      | -30 70                 | -90 smoking          |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        a risk ended the day before               | -20..-19 ivig 70 rate=140                      | -30 70                 | -90 diabetes -21     |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        a risk ended on the first day             | -20..-19 ivig 70 rate=140                      | -30 70                 | -90 diabetes -20     |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        a risk began on the last day              | -20..-19 ivig 70 rate=140                      | -30 70                 | -19 sepsis           |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        a risk began the day after                | -20..-19 ivig 70 rate=140                      | -30 70                 | -18 sepsis           |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        a thrombosis, long healed                 | -20..-19 ivig 70 rate=140                      | -30 70                 |                      | -900 thrombosis -800 |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        a thrombosis since                        | -20..-19 ivig 70 rate=140                      | -30 70                 |                      | -18 thrombosis       |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        a thrombosis on the last day              | -20..-19 ivig 70 rate=140                      | -30 70                 |                      | -19 thrombosis       |            |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        lung disease is no such risk              | -20..-19 ivig 70 rate=140                      | -30 70                 |                      | -900 ild             |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        65 today                                  | -20..-19 ivig 70 rate=140                      | -30 70                 |                      |                      | 1960-05-26 |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        older than 65 since the day before        | -20..-19 ivig 70 rate=140                      | -30 70                 |                      |                      | 1960-05-25 |                   |             | -5 creatinine 80, -300 iga 2                 | ACTION [rate-at-risk]
        no weight                                 | -20..-19 ivig 70 rate=500                      |                        |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | not evaluable
        a weight 90 days before                   | -20..-19 ivig 70                               | -110 70                |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        a weight 91 days before                   | -20..-19 ivig 70                               | -111 70                |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | not evaluable
        only the height                           | -20..-19 ivig 70                               | -30 height             |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | not evaluable
        a weight 90 days after                    | -91..-90 ivig 70                               | -1 70                  |                      |                      |            |                   |             | -300 iga 2                                   | TASK [creatinine]
        the nearest weight                        | -20..-19 ivig 70                               | -80 90, -22 70, -5 100 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        a nearer one after it                     | -20..-19 ivig 70                               | -30 70, -18 100        |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [total-low]
        of two as near the earlier                | -20..-19 ivig 70                               | -25 70, -15 100        |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        of two of one day the last entered        | -20..-19 ivig 70                               | -30 90, -30 70         |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        a weight of tomorrow                      | 0 ivig 70                                      | 1 70                   |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | not evaluable
        without a weight the days are judged      | -20 ivig 70, -15 ivig 70                       |                        |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [days]
        of two IgA of one day the later           | -20..-19 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300T8 iga 0.05, -300T9 iga 2 | quiet
        day 20: too early to ask                  | -20..-19 ivig 70                               | -30 70                 |                      |                      |            |                   |             |                                              | quiet
        day 21: what is missing                   | -21..-20 ivig 70                               | -30 70                 |                      |                      |            |                   |             |                                              | TASK [creatinine, iga-unknown]
        a creatinine 14 days ago                  | -21..-20 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -14 creatinine 80, -300 iga 2                | quiet
        a creatinine 15 days ago                  | -21..-20 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -15 creatinine 80, -300 iga 2                | TASK [creatinine]
        an eGFR counts                            | -21..-20 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -14 egfr 80, -300 iga 2                      | quiet
        a creatinine in no known unit             | -21..-20 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -1 creatinine ?, -300 iga 2                  | TASK [creatinine]
        a creatinine of tomorrow                  | -21..-20 ivig 70                               | -30 70                 |                      |                      |            |                   |             | 1 creatinine 80, -300 iga 2                  | TASK [creatinine]
        IgA at the limit                          | -20..-19 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -300 iga 0.07                                | quiet
        IgA below it                              | -20..-19 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -300 iga 0.069                               | ACTION [iga-low]
        a later IgA                               | -20..-19 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -300 iga 0.05, -30 iga 0.1                   | quiet
        IgA screened as normal                    | -21..-20 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 screen:iga normal     | quiet
        IgA screened as abnormal has no number    | -21..-20 ivig 70                               | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 screen:iga abnormal   | TASK [iga-unknown]
        stopped yesterday                         | -20 ivig 300, stop -1 ivig                     | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | quiet
        stopped today                             | -20 ivig 300, stop 0 ivig                      | -30 70                 |                      |                      |            |                   |             | -5 creatinine 80, -300 iga 2                 | TASK [total-high, days]
        a cycle as it should be                   | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | quiet
        hepatitis B looked for today              | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | 0 hbsag negative, 0 anti-hbc negative, -20 igg 9       | quiet
        with capitals, as received                | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag Negative, -200 anti-hbc NEGATIVE, -20 igg 9 | quiet
        second after 10 days                      | -30 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | TASK [second-interval]
        second after 11 days                      | -31 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | quiet
        second after 17 days                      | -37 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | quiet
        second after 18 days                      | -38 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | TASK [second-interval]
        day 28: the second may still come         | -28 rituximab 1000                             |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | quiet
        day 29: missed                            | -29 rituximab 1000                             |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | TASK [second-missed]
        second on day 28                          | -48 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | TASK [second-interval]
        on day 29 it begins a cycle, too early    | -35 rituximab 1000, -6 rituximab 1000          |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | ACTION [repeat-early]
        999.99 mg                                 | -34 rituximab 1000, -20 rituximab 999.99       |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | TASK [amount]
        1000.01 mg                                | -34 rituximab 1000.01, -20 rituximab 1000      |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | TASK [amount]
        both of another amount                    | -34 rituximab 500, -20 rituximab 500           |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | TASK [amount]
        1000 mg in two parts                      | -34 rituximab 500, -34 rituximab 500.000, -20 rituximab 1000 |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | quiet
        three infusions                           | -34 rituximab 1000, -20 rituximab 1000, -9 rituximab 1000 |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | TASK [amount]
        repeated after 167 days                   | -201 rituximab 1000, -187 rituximab 1000, -34 rituximab 1000, -20 rituximab 1000 |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | ACTION [repeat-early]
        repeated after 168 days                   | -202 rituximab 1000, -188 rituximab 1000, -34 rituximab 1000, -20 rituximab 1000 |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | quiet
        the cycle before under a stopped course   | -201 rituximab 1000, stop -180 rituximab, -34 rituximab@2 1000, -20 rituximab@2 1000 |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc negative, -20 igg 9 | ACTION [repeat-early]
        day 10: no IgG asked for                  | -10 rituximab 1000                             |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal               | quiet
        day 11: IgG before the second             | -11 rituximab 1000                             |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal               | TASK [igg-missing]
        day 28: still                             | -28 rituximab 1000                             |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal               | TASK [igg-missing]
        day 29: not any more                      | -29 rituximab 1000                             |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal               | TASK [second-missed]
        an IgG 28 days ago                        | -11 rituximab 1000                             |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -28 igg 9    | quiet
        an IgG 29 days ago                        | -11 rituximab 1000                             |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -29 igg 9    | TASK [igg-missing]
        IgG screened as normal                    | -11 rituximab 1000                             |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -28 screen:igg normal | quiet
        IgG screened as abnormal                  | -11 rituximab 1000                             |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -28 screen:igg abnormal | TASK [igg-missing]
        booked in 14 days                         | -114 rituximab 1000, -100 rituximab 1000       |                        |                      |                      |            |                   | 14 infusion | -200 screen:hepatitis_b normal, -29 igg 9    | TASK [igg-missing]
        booked in 15 days                         | -114 rituximab 1000, -100 rituximab 1000       |                        |                      |                      |            |                   | 15 infusion | -200 screen:hepatitis_b normal, -29 igg 9    | quiet
        day 167: no IgG asked for                 | -167 rituximab 1000, -153 rituximab 1000       |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal               | quiet
        day 168                                   | -168 rituximab 1000, -154 rituximab 1000       |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal               | TASK [igg-missing]
        IgG 183 days ago                          | -188 rituximab 1000, -174 rituximab 1000       |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -183 igg 9   | quiet
        IgG 184 days ago                          | -188 rituximab 1000, -174 rituximab 1000       |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -184 igg 9   | TASK [igg-missing]
        IgG of 6                                  | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -20 igg 6    | quiet
        IgG of 5.99                               | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -20 igg 5.99 | TASK [igg-low]
        IgG of 4                                  | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -20 igg 4    | TASK [igg-low]
        IgG of 3.99                               | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -20 igg 3.99 | ACTION [igg-very-low]
        the latest IgG counts                     | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -20 igg 3, -5 igg 7 | quiet
        of two of one day the IgG entered last    | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -5 igg 3, -5 igg 7  | quiet
        a low IgG of 183 days ago                 | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -183 igg 3   | ACTION [igg-very-low]
        a low IgG of 184 days ago                 | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -184 igg 3   | quiet
        the latest IgG in no known unit           | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b normal, -20 igg 3, -5 igg ? | not evaluable
        hepatitis B not looked for                | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             |                                              | TASK [hepatitis-b-unknown]
        only the surface antigen                  | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag negative                          | TASK [hepatitis-b-unknown]
        core antibody indeterminate               | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc indeterminate | TASK [hepatitis-b-unknown]
        core antibody positive                    | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag negative, -200 anti-hbc positive  | ACTION [hepatitis-b-positive]
        a later negative does not take it away    | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 anti-hbc positive, -30 anti-hbc negative, -30 hbsag negative | ACTION [hepatitis-b-positive]
        surface antigen positive                  | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag positive, -200 anti-hbc negative  | ACTION [hepatitis-b-positive]
        screened as positive                      | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b abnormal             | ACTION [hepatitis-b-positive]
        screened as positive, with a note         | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b abnormal entecavir   | quiet
        a note the day it was found               | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 anti-hbc positive, -200 screen:hepatitis_b abnormal entecavir | quiet
        a note of before it was found             | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 anti-hbc positive, -201 screen:hepatitis_b normal negative | ACTION [hepatitis-b-positive]
        a note since it was found, positive again | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 hbsag positive, -100 screen:hepatitis_b not_stated entecavir, -50 anti-hbc positive | quiet
        a note since, screened as positive again  | -34 rituximab 1000, -20 rituximab 1000         |                        |                      |                      |            |                   |             | -200 screen:hepatitis_b abnormal, -100 screen:hepatitis_b not_stated entecavir, -50 screen:hepatitis_b abnormal | quiet
        positive 90 days after immunoglobulin     | -300 ivig 70, stop -250 ivig, -34 rituximab 1000, -20 rituximab 1000 |                        |                      |                      |            |                   |             | -210 anti-hbc positive                       | ACTION [hepatitis-b-positive, passive]
        positive 91 days after it                 | -300 ivig 70, stop -250 ivig, -34 rituximab 1000, -20 rituximab 1000 |                        |                      |                      |            |                   |             | -209 anti-hbc positive                       | ACTION [hepatitis-b-positive]
        rituximab stopped yesterday               | -34 rituximab 500, stop -1 rituximab           |                        |                      |                      |            |                   |             |                                              | quiet
        another drug                              | -34 cyclophosphamide 1000                      |                        |                      |                      |            |                   |             |                                              | quiet
    """,
)
