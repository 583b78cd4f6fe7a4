"""Creatine kinase is rising."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring.rules import sql
from monitoring.rules.base import Citation, Confidence, Prepared, Question, Rule


@dataclass(frozen=True)
class Parameters:
    now_days: int = 90  # the latest CK may be this old
    nadir_days: int = 180  # how far before it the lowest is looked for
    least_rise: Decimal = Decimal("0.5")  # of the ULN, below which a rise is noise
    urgent_times_uln: Decimal = Decimal(10)
    urgent_ratio: Decimal = Decimal("2.0")
    urgent_value: Decimal = Decimal(5000)  # U/L, new
    action_ratio: Decimal = Decimal("2.0")
    action_ratio_sensitive: Decimal = Decimal("1.7")  # during a taper and early in the disease
    early_days: int = 730
    three_ratio: Decimal = Decimal("1.5")  # three rising results: last against first
    three_times_uln: Decimal = Decimal("1.5")
    info_ratio: Decimal = Decimal("1.5")
    exercise_days: int = 7
    procedure_days: int = 14
    drug_days: int = 90
    closing_ratio: Decimal = Decimal("1.3")  # of the baseline, below which an alert closes
    rest_days_from: int = 5
    rest_days_to: int = 7


def findings(q: Question) -> str:
    table = q.shared(FOUND)
    return f"SELECT * FROM {table}" if table else _query(q)


def _query(q: Question) -> str:
    # Comparisons multiply and never divide: numeric products are exact.
    return f"""
    WITH sample AS (
        SELECT a.patient_id, r.id, r.taken_on, r.taken_at, r.value, r.uln, r.comparator,
            row_number() OVER (PARTITION BY a.patient_id ORDER BY {sql.newest_first("r")}) AS nth
        FROM asked a JOIN monitoring_result r ON r.patient_id = a.patient_id AND {q.known("r")}
        WHERE r.analyte = 'ck'
          AND r.taken_on BETWEEN %(as_of)s::date - (%(now_days)s + %(nadir_days)s) AND %(as_of)s
    ), sample_day AS (
        -- The latest may be one that cannot be converted: then nothing is said of an older one in its place.
        SELECT *, first_value(taken_on) OVER newest AS latest_on, lag(taken_on) OVER newest AS newer_on
        FROM sample WHERE nth = 1 OR value IS NOT NULL
        WINDOW newest AS (PARTITION BY patient_id ORDER BY {sql.newest_first("sample")})
    ), latest AS (
        -- Arrays hold the sample days of the window, newest first: [1] is the latest.
        SELECT patient_id, max(latest_on) AS taken_on,
            max(value) FILTER (WHERE nth = 1) AS value, max(uln) FILTER (WHERE nth = 1) AS uln,
            min(value) FILTER (WHERE taken_on < latest_on) AS nadir,
            array_agg(value ORDER BY taken_on DESC) AS in_window, array_agg(taken_on ORDER BY taken_on DESC) AS days,
            array_agg(id ORDER BY taken_on DESC) AS ids, array_agg(comparator ORDER BY taken_on DESC) AS comparators
        FROM sample_day
        WHERE newer_on IS DISTINCT FROM taken_on  -- the later one of its day
          AND latest_on >= %(as_of)s::date - %(now_days)s AND taken_on >= latest_on - %(nadir_days)s
        GROUP BY patient_id
    ), personal AS (
        SELECT DISTINCT ON (b.patient_id) b.patient_id, b.id, b.value, b.set_on
        FROM asked a JOIN monitoring_personalbaseline b ON b.patient_id = a.patient_id AND {q.known("b")}
        WHERE b.analyte = 'ck' AND b.set_on <= %(as_of)s
        ORDER BY b.patient_id, b.set_on DESC, b.id DESC
    ), compared AS MATERIALIZED (
        SELECT l.*, a.subtype, a.diagnosed_on, {sql.uln("l", "a")} AS upper_limit,
            b.id AS personal_id, b.set_on AS personal_on, COALESCE(b.value, l.nadir) AS baseline
        FROM (SELECT *, 'ck'::text AS analyte FROM latest) l
        JOIN asked a ON a.patient_id = l.patient_id
        LEFT JOIN personal b ON b.patient_id = l.patient_id
        WHERE l.value IS NULL OR b.id IS NOT NULL OR l.nadir IS NOT NULL
    ), suspect AS MATERIALIZED (
        -- Those for whom no reason below can hold are left behind here. Where both earlier days of three rising results
        -- lie in the window, the nadir is as low as the first of them, so that their ratio shows in that of the nadir.
        SELECT * FROM compared
        WHERE value IS NULL OR upper_limit IS NULL OR (
            value > upper_limit AND value - baseline >= %(least_rise)s * upper_limit
            AND (value >= LEAST(%(info_ratio)s, %(three_ratio)s, %(urgent_ratio)s, %(action_ratio)s,
                                %(action_ratio_sensitive)s) * baseline
                 OR value > %(urgent_value)s OR personal_id IS NOT NULL OR cardinality(days) < 3))
    ), tapering AS (
        {sql.running_tapers(q, "suspect")}
    ), weighed AS (
        SELECT s.*, t.patient_id IS NOT NULL AS is_tapering,
            -- NULL where neither taper nor day of diagnosis tells
            t.patient_id IS NOT NULL OR %(as_of)s::date - s.diagnosed_on <= %(early_days)s AS is_sensitive,
            COALESCE(e.results, s.in_window[2:3]) AS earlier, COALESCE(e.results_on, s.days[2:3]) AS earlier_on,
            COALESCE(e.flags, s.comparators[2:3]) AS earlier_flags
        FROM suspect s
        LEFT JOIN tapering t ON t.patient_id = s.patient_id
        -- The two sample days before the latest, however long ago, where the window does not hold them.
        LEFT JOIN LATERAL (
            SELECT array_agg(d.value ORDER BY d.taken_on DESC) AS results,
                array_agg(d.taken_on ORDER BY d.taken_on DESC) AS results_on,
                array_agg(d.comparator ORDER BY d.taken_on DESC) AS flags
            FROM (SELECT DISTINCT ON (r.taken_on) r.taken_on, r.value, r.comparator
                  FROM monitoring_result r
                  WHERE cardinality(s.days) < 3 AND r.patient_id = s.patient_id AND r.analyte = 'ck' AND {q.known("r")}
                    AND r.value IS NOT NULL AND r.taken_on < s.taken_on
                  ORDER BY {sql.newest_first("r")} LIMIT 2) d
        ) e ON true
    ), reasoned AS (
        SELECT *, COALESCE(value > %(urgent_value)s AND earlier[1] <= %(urgent_value)s, false) AS is_new_above,
            baseline > 0 AND value >= %(urgent_times_uln)s * upper_limit
                AND value >= %(urgent_ratio)s * baseline AS is_urgent_ratio,
            CASE
                WHEN upper_limit IS NULL OR baseline = 0 THEN false
                WHEN is_sensitive THEN value >= %(action_ratio_sensitive)s * baseline
                WHEN NOT is_sensitive THEN value >= %(action_ratio)s * baseline
                WHEN value >= GREATEST(%(action_ratio)s, %(action_ratio_sensitive)s) * baseline THEN true
                WHEN value < LEAST(%(action_ratio)s, %(action_ratio_sensitive)s) * baseline THEN false
            END AS is_action_ratio,
            COALESCE(earlier[2] > 0 AND value > earlier[1] AND earlier[1] > earlier[2]
                     AND value >= %(three_ratio)s * earlier[2] AND value > %(three_times_uln)s * upper_limit,
                     false) AS is_three,
            upper_limit IS NOT NULL AND baseline > 0 AND value >= %(info_ratio)s * baseline AS is_info_ratio
        FROM weighed
    ), found AS MATERIALIZED (
        SELECT *,
            CASE
                WHEN is_urgent_ratio OR is_new_above THEN 1
                WHEN is_action_ratio OR is_three THEN 2
                WHEN is_info_ratio THEN 4
            END AS rank,
            subtype = 'inclusion_body' AS is_inclusion_body
        FROM reasoned
    ), told AS (
        SELECT f.*, c.confounders, c.confounders IS NOT NULL AS is_confounded,
            ARRAY_REMOVE(ARRAY[
                CASE WHEN value IS NULL THEN 'a unit of the latest creatine kinase that can be converted' END,
                CASE WHEN value IS NOT NULL AND upper_limit IS NULL AND NOT is_new_above
                    THEN 'the upper limit of normal of the latest creatine kinase' END,
                CASE WHEN value IS NOT NULL AND upper_limit IS NOT NULL AND baseline = 0 AND rank IS DISTINCT FROM 1
                    THEN 'a creatine kinase above 0 to compare with' END,
                CASE WHEN is_action_ratio IS NULL AND rank = 4 AND NOT is_inclusion_body
                    THEN 'the day of diagnosis' END
            ], NULL) AS missing
        FROM found f
        LEFT JOIN LATERAL (
            SELECT array_agg(replace(x.kind, '_', ' ') || ' on ' || to_char(x.happened_on, 'FMDD Mon YYYY')
                             ORDER BY x.happened_on DESC, x.kind) AS confounders
            FROM monitoring_confounder x
            WHERE f.rank IS NOT NULL AND x.patient_id = f.patient_id AND {q.known("x")} AND x.happened_on <= f.taken_on
              AND x.happened_on >= f.taken_on - CASE
                  WHEN x.kind = 'exercise' THEN %(exercise_days)s
                  WHEN x.kind IN ('injection', 'emg', 'biopsy', 'seizure', 'fall', 'surgery') THEN %(procedure_days)s
                  ELSE %(drug_days)s END
        ) c ON true
        WHERE f.rank IS NOT NULL OR f.value IS NULL OR f.upper_limit IS NULL OR f.baseline = 0
    )
    SELECT t.patient_id, 'patient'::text AS subject,
        CASE
            WHEN rank IS NULL THEN NULL
            WHEN is_inclusion_body THEN 'INFO'
            ELSE (ARRAY['URGENT', 'ACTION', 'TASK', 'INFO'])[LEAST(rank + CASE WHEN is_confounded THEN 1 ELSE 0 END, 4)]
        END AS level,
        NULL::date AS due_on,
        CASE WHEN rank IS NOT NULL THEN jsonb_build_object(
            'reasons', ARRAY_REMOVE(ARRAY[
                CASE WHEN is_urgent_ratio THEN 'ratio-urgent' WHEN is_action_ratio THEN 'ratio-action'
                     WHEN is_info_ratio THEN 'ratio-info' END,
                CASE WHEN is_new_above THEN 'new-above' END,
                CASE WHEN is_three THEN 'three-rising' END,
                CASE WHEN 'the day of diagnosis' = ANY(missing) THEN 'threshold-unknown' END,
                CASE WHEN is_confounded THEN 'confounded' END,
                CASE WHEN is_inclusion_body THEN 'inclusion-body' END,
                'not-a-flare'
            ], NULL),
            'now', trim_scale(t.value), 'now_on', t.taken_on, 'now_id', ids[1], 'now_comparator', comparators[1],
            'uln', trim_scale(upper_limit),
            -- Cut, not rounded: 1.999 must not read as the 2.0 that it does not reach.
            'times_uln', trim_scale(trunc(t.value / upper_limit, 2)),
            'ratio', trim_scale(trunc(t.value / NULLIF(baseline, 0), 2)),
            'baseline', trim_scale(baseline), 'baseline_on', COALESCE(personal_on, n.taken_on),
            'baseline_id', COALESCE(personal_id, n.id), 'baseline_comparator', COALESCE(n.comparator, ''),
            'baseline_kind', CASE WHEN personal_id IS NULL THEN 'nadir' ELSE 'personal' END,
            'compared_with', CASE
                WHEN personal_id IS NULL THEN 'the lowest of the ' || %(nadir_days)s || ' days before it'
                ELSE 'the personal baseline' END,
            'threshold', CASE
                WHEN is_sensitive THEN %(action_ratio_sensitive)s
                WHEN NOT is_sensitive THEN %(action_ratio)s
                ELSE GREATEST(%(action_ratio)s, %(action_ratio_sensitive)s) END,
            'threshold_because', CASE
                WHEN is_tapering THEN 'a steroid taper runs'
                WHEN is_sensitive THEN 'the disease was diagnosed within ' || %(early_days)s || ' days'
                WHEN NOT is_sensitive
                    THEN 'no steroid taper runs and diagnosis is more than ' || %(early_days)s || ' days ago'
                ELSE 'the day of diagnosis is not recorded' END,
            'previous', trim_scale(earlier[1]), 'previous_on', earlier_on[1], 'previous_comparator', earlier_flags[1],
            'first', trim_scale(earlier[2]), 'first_on', earlier_on[2], 'first_comparator', earlier_flags[2],
            'results', h.results,
            'confounders', COALESCE(to_jsonb(confounders), '[]'::jsonb),
            'mmt8', m.score, 'mmt8_of', m.out_of, 'mmt8_on', m.assessed_on,
            'strength', 'MMT8 ' || m.score || ' of ' || m.out_of || ' on ' || to_char(m.assessed_on, 'FMDD Mon YYYY')
        ) END AS evidence,
        NULLIF(missing, '{{}}') AS missing
    FROM told t
    LEFT JOIN LATERAL (
        SELECT w.id, w.taken_on, w.comparator
        FROM unnest(t.ids, t.days, t.in_window, t.comparators) AS w (id, taken_on, value, comparator)
        WHERE t.personal_id IS NULL AND w.taken_on < t.taken_on
        ORDER BY w.value, w.taken_on DESC LIMIT 1
    ) n ON true
    LEFT JOIN LATERAL (
        SELECT COALESCE(jsonb_agg(jsonb_build_object('id', w.id, 'on', w.taken_on, 'value', trim_scale(w.value),
                                                     'comparator', w.comparator) ORDER BY w.taken_on DESC),
                        '[]'::jsonb) AS results
        FROM unnest(t.ids, t.days, t.in_window, t.comparators) AS w (id, taken_on, value, comparator)
        WHERE w.taken_on < t.taken_on
    ) h ON true
    LEFT JOIN LATERAL (
        SELECT COALESCE(v.mmt8_150, v.mmt8_80) AS score, CASE WHEN v.mmt8_150 IS NULL THEN 80 ELSE 150 END AS out_of,
            v.assessed_on
        FROM monitoring_assessment v
        WHERE t.rank IS NOT NULL AND v.patient_id = t.patient_id AND {q.known("v")} AND v.assessed_on <= %(as_of)s
          AND (v.mmt8_150 IS NOT NULL OR v.mmt8_80 IS NOT NULL)
        ORDER BY v.assessed_on DESC, v.id DESC LIMIT 1
    ) m ON true
    WHERE rank IS NOT NULL OR cardinality(missing) > 0
    """


FOUND = Prepared("ck_rising", _query)  # the rules about tapers ask it too


def closes(q: Question) -> str:
    """Gone quiet is not enough: a later CK has come down, or the CK in the evidence is no longer on the record."""
    return f"""
    WITH raised AS (
        SELECT o.patient_id, o.subject, p.centre_id, p.sex, (o.evidence ->> 'baseline')::numeric AS baseline,
            r.id, r.taken_on, r.taken_at
        FROM open_alert o
        JOIN patients_patient p ON p.id = o.patient_id
        LEFT JOIN monitoring_result r ON r.id = (o.evidence ->> 'now_id')::bigint AND {q.known("r")}
    ), sample AS (
        SELECT DISTINCT ON (w.patient_id, w.subject, r.taken_on)
            w.patient_id, w.subject, r.analyte, r.id, r.taken_on, r.taken_at, r.value, r.uln
        FROM raised w
        JOIN monitoring_result r ON r.patient_id = w.patient_id AND r.analyte = 'ck' AND {q.known("r")}
        WHERE r.value IS NOT NULL AND r.taken_on BETWEEN w.taken_on AND %(as_of)s
        ORDER BY w.patient_id, w.subject, {sql.newest_first("r")}
    )
    SELECT patient_id, subject FROM raised WHERE id IS NULL
    UNION
    SELECT s.patient_id, s.subject
    FROM sample s JOIN raised w ON w.patient_id = s.patient_id AND w.subject = s.subject
    WHERE (s.taken_on, COALESCE(s.taken_at, '-infinity'), s.id) > (w.taken_on, COALESCE(w.taken_at, '-infinity'), w.id)
      AND (s.value <= {sql.uln("s", "w")} OR s.value < %(closing_ratio)s * w.baseline)
    """


RATIO = (
    "CK {now_comparator}{now} U/L on {now_on} is {ratio} times {compared_with} "
    "({baseline_comparator}{baseline} U/L on {baseline_on}) and {times_uln} times its upper limit of normal "
    "({uln} U/L)."
)

RULE = Rule(
    id="ck-rising",
    version=1,
    title="Creatine kinase is rising",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="Within-person variation of CK is 19 % at rest: by chance alone a rise stays below 1.56 times "
            "(one-sided 95 %) and 1.88 times (99 %). Nicholson GA, et al. J Neurol Sci 1985.",
            confidence=Confidence.PRIMARY,
            locator="abstract; the ratios are worked out from it with an analytical variation of 4 %",
        ),
        Citation(
            text="Relapse is a sustained rise without another cause, mostly in the first two years and during "
            "tapering. Agarwal SK, et al. Clin Rheumatol 2006.",
            confidence=Confidence.PRIMARY,
            doi="10.1007/s10067-005-0075-3",
        ),
        Citation(
            text="5000 U/L and 10 times the upper limit are common marks of rhabdomyolysis.",
            confidence=Confidence.GENERAL,
        ),
        Citation(
            text="No consensus names a CK at which a flare begins: the thresholds of this rule are a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    aside=("mmt8", "mmt8_of", "mmt8_on", "strength"),
    closes=closes,
    explanations={
        "ratio-urgent": RATIO + " Both reach the urgent thresholds: {p.urgent_ratio} times the comparison, "
        "{p.urgent_times_uln} times the limit.",
        "ratio-action": RATIO + " The threshold is {threshold} times: {threshold_because}.",
        "ratio-info": RATIO,
        "new-above": "CK {now_comparator}{now} U/L on {now_on} is above {p.urgent_value} U/L and the result before "
        "it was not ({previous_comparator}{previous} U/L on {previous_on}).",
        "three-rising": "Three results rise one after the other: {first_comparator}{first} U/L on {first_on}, "
        "{previous_comparator}{previous} U/L on {previous_on}, {now_comparator}{now} U/L on {now_on}, at least "
        "{p.three_ratio} times from first to last.",
        "threshold-unknown": "Whether this needs action could not be judged: the day of diagnosis is not recorded.",
        "confounded": "Recorded shortly before the sample: {confounders}. "
        "Repeat after {p.rest_days_from} to {p.rest_days_to} days of rest.",
        "inclusion-body": "In inclusion body myositis CK does not guide treatment.",
        "not-a-flare": "CK alone is not a flare. Latest strength: {strength}.",
    },
    not_considered=(
        "Exercise, injections, procedures and new drugs that nobody recorded as something that can raise CK.",
        "A drug started as a course of treatment, unless it was recorded as something that can raise CK, too.",
        "Macro-CK, thyroid disease and haemolysed samples.",
        "Samples compared across laboratories, whose methods may differ.",
        "Weakness with a normal CK: a normal CK excludes nothing.",
    ),
    advice="Judge it with strength, symptoms and what changed before the sample. Two samples are better than one.",
    examples="""
        case                                  | diagnosis | subtype | ck | range | personal | confounders | taper | expect
        never measured                        | -900 | | | | | | | quiet
        latest 90 days ago                    | -900 | | -120 200, -90 600 | | | | | ACTION [ratio-action, not-a-flare]
        latest 91 days ago                    | -900 | | -120 200, -91 600 | | | | | quiet
        one still to come is not seen         | -900 | | -40 200, -1 250, 1 900 | | | | | quiet
        first ever                            | -900 | | -1 3000 | | | | | quiet
        nadir 179 days before                 | -900 | | -180 200, -1 600 | | | | | ACTION
        nadir 180 days before                 | -900 | | -181 200, -1 600 | | | | | ACTION
        nadir 181 days before                 | -900 | | -182 200, -1 600 | | | | | quiet
        nadir 180 days before, now 90 ago     | -900 | | -270 200, -90 600 | | | | | ACTION
        the lowest, not the newest            | -900 | | -100 200, -50 500, -1 480 | | | | | ACTION
        a lower one too old to count          | -900 | | -182 100, -50 500, -1 480 | | | | | quiet
        same day, no earlier day              | -900 | | -1T8 200, -1T16 600 | | | | | quiet
        same day: the later time counts       | -900 | | -40 200, -1T8 600, -1T16 250 | | | | | quiet
        same day: with a time after without   | -900 | | -40 200, -1T8 600, -1 250 | | | | | ACTION
        same day: of two without, the newer   | -900 | | -40 200, -1 250, -1 600 | | | | | ACTION
        earlier day: the later one counts     | -900 | | -40T8 100, -40T16 500, -1 600 | | | | | quiet
        u = 1                                 | -900 | | -40 50, -1 200 | | | | | quiet
        u just above 1                        | -900 | | -40 50, -1 200.01 | | | | | ACTION
        risen by just less than half the ULN  | -900 | | -40 120, -1 219.99 | | | | | quiet
        risen by half the ULN                 | -900 | | -40 120, -1 220 | | | | | INFO [ratio-info, not-a-flare]
        risen by just more than half the ULN  | -900 | | -40 120, -1 220.01 | | | | | INFO
        u just below 10, r 2                  | -900 | | -40 999.995, -1 1999.99 | | | | | ACTION
        u 10, r 2                             | -900 | | -40 1000, -1 2000 | | | | | URGENT [ratio-urgent, not-a-flare]
        u above 10, r 2                       | -900 | | -40 1000, -1 2000.01 | | | | | URGENT
        u 10, r just below 2                  | -900 | | -40 1000.01, -1 2000 | | | | | INFO
        u 10, r above 2                       | -900 | | -40 999.99, -1 2000 | | | | | URGENT
        a nadir of 1                          | -900 | | -40 1, -1 2000 | | | | | URGENT [ratio-urgent, not-a-flare]
        r compared exactly                    | -900 | | -40 333.333334, -1 666.666667 | | | | | INFO
        5000 is not above 5000                | -900 | | -40 4000 uln=1000, -1 5000 uln=1000 | | | | | quiet
        5001, 5000 before                     | -900 | | -90 4000 uln=1000, -40 5000 uln=1000, -1 5001 uln=1000 | | | | | URGENT [new-above, not-a-flare]
        5000.01, 5000 before                  | -900 | | -90 4000 uln=1000, -40 5000 uln=1000, -1 5000.01 uln=1000 | | | | | URGENT
        4999, 4000 before                     | -900 | | -90 3990 uln=1000, -40 4000 uln=1000, -1 4999 uln=1000 | | | | | quiet
        5001, 5001 before                     | -900 | | -90 4000 uln=1000, -40 5001 uln=1000, -1 5001 uln=1000 | | | | | quiet
        5001, but it rose by too little       | -900 | | -40 4600 uln=1000, -1 5001 uln=1000 | | | | | quiet
        5001, the newer of the day before      | -900 | | -40 6000 uln=1000, -40 4000 uln=1000, -1 5001 uln=1000 | | | | | URGENT [new-above, not-a-flare]
        new above 5000, twice on one day      | -900 | | -40 4000 uln=1000, -1T8 6000 uln=1000, -1T9 5500 uln=1000 | | | | | URGENT
        5001, no result before, own baseline  | -900 | | -1 5001 uln=1000 | | -100 4000 | | | quiet
        the one before is years ago           | -900 | | -1500 4000 uln=1000, -1 5001 uln=1000 | | -100 4000 | | | URGENT
        r just below 2                        | -900 | | -40 200, -1 399.99 | | | | | INFO
        r 2                                   | -900 | | -40 200, -1 400 | | | | | ACTION
        r above 2                             | -900 | | -40 200, -1 400.01 | | | | | ACTION
        diagnosed 729 days ago, r 1.7         | -729 | | -40 200, -1 340 | | | | | ACTION
        diagnosed 730 days ago, r 1.7         | -730 | | -40 200, -1 340 | | | | | ACTION
        diagnosed 731 days ago, r 1.7         | -731 | | -40 200, -1 340 | | | | | INFO
        diagnosed 730 days ago, r below 1.7   | -730 | | -40 200, -1 339.99 | | | | | INFO
        diagnosed 730 days ago, r above 1.7   | -730 | | -40 200, -1 340.01 | | | | | ACTION
        T is judged today, not at the sample  | -731 | | -60 200, -20 340 | | | | | INFO
        taper, r 1.7                          | -900 | | -40 200, -1 340 | | | | -30 40, 10 20 | ACTION
        taper, r below 1.7                    | -900 | | -40 200, -1 339.99 | | | | -30 40, 10 20 | INFO
        taper begins today                    | -900 | | -40 200, -1 340 | | | | 0 40, 10 20 | ACTION
        taper begins tomorrow                 | -900 | | -40 200, -1 340 | | | | 1 40, 10 20 | INFO
        taper on hold                         | -900 | | -40 200, -1 340 | | | | -30 40, -20 20, hold -5 | ACTION
        taper ends today                      | -900 | | -40 200, -1 340 | | | | -30 40, ended 0 | ACTION
        taper ended yesterday                 | -900 | | -40 200, -1 340 | | | | -30 40, ended -1 | INFO
        last step confirmed today             | -900 | | -40 200, -1 340 | | | | -30 40 confirmed@-30, -20 20 confirmed@0 | INFO
        last step confirmed tomorrow          | -900 | | -40 200, -1 340 | | | | -30 40 confirmed@-30, -20 20 confirmed@1 | ACTION
        only the first step confirmed         | -900 | | -40 200, -1 340 | | | | -30 40 confirmed@-30, -20 20 | ACTION
        only the last step confirmed          | -900 | | -40 200, -1 340 | | | | -30 40, -20 20 confirmed@-20 | INFO
        no day of diagnosis, r 1.69           | none | | -40 200, -1 338 | | | | | INFO [ratio-info, not-a-flare]
        no day of diagnosis, r 1.7            | none | | -40 200, -1 340 | | | | | INFO [ratio-info, threshold-unknown, not-a-flare]
        no day of diagnosis, r 2              | none | | -40 200, -1 400 | | | | | ACTION [ratio-action, not-a-flare]
        no day of diagnosis, taper            | none | | -40 200, -1 340 | | | | -30 40 | ACTION
        three rising, 1.5 in all              | -900 | | -300 220, -200 300, -1 330 | | -100 230 | | | ACTION [three-rising, not-a-flare]
        three rising, below 1.5 in all        | -900 | | -300 220.01, -200 300, -1 330 | | -100 230 | | | quiet
        three rising, above 1.5 in all        | -900 | | -300 220, -200 300, -1 330.01 | | -100 230 | | | ACTION
        three rising, r 1.5 as well           | -900 | | -90 220, -40 300, -1 330 | | | | | ACTION [ratio-info, three-rising, not-a-flare]
        three rising, u 1.5                   | -900 | | -90 199, -40 250, -1 300 | | | | | INFO
        three rising, u just above 1.5        | -900 | | -90 199, -40 250, -1 300.01 | | | | | ACTION
        three rising, u just below 1.5        | -900 | | -90 199, -40 250, -1 299.99 | | | | | INFO
        two of three equal                    | -900 | | -90 220, -40 220, -1 330 | | | | | INFO
        the last of three equal               | -900 | | -90 210, -40 330, -1 330 | | | | | INFO
        fell in between                       | -900 | | -90 230, -40 220, -1 345 | | | | | INFO
        only two sample days                  | -900 | | -40T8 200, -40T9 220, -1 330 | | | | | INFO
        r just below 1.5                      | -900 | | -40 240, -1 359.99 | | | | | quiet
        r 1.5                                 | -900 | | -40 240, -1 360 | | | | | INFO
        r above 1.5                           | -900 | | -40 240, -1 360.01 | | | | | INFO
        r 1.75 of a nadir of 1                | -900 | | -40 1 uln=1, -1 1.75 uln=1 | | | | | INFO [ratio-info, not-a-flare]
        own baseline stands in for the nadir  | -900 | | -40 100, -1 390 | | -100 300 | | | quiet
        own baseline and no earlier CK        | -900 | | -1 600 | | -100 300 | | | ACTION
        own baseline set today                | -900 | | -40 100, -1 390 | | 0 300 | | | quiet
        own baseline set tomorrow             | -900 | | -40 100, -1 390 | | 1 300 | | | ACTION
        own baseline withdrawn                | -900 | | -40 100, -1 390 | | -100 300 withdrawn | | | ACTION
        the newest own baseline               | -900 | | -40 100, -1 390 | | -200 100, -100 300 | | | quiet
        own baseline of 0                     | -900 | | -40 100, -1 390 | | -100 0 | | | not evaluable
        nadir of 0, now normal                | -900 | | -40 0, -1 190 | | | | | quiet
        nadir of 0                            | -900 | | -40 0, -1 390 | | | | | not evaluable
        nadir of 0, new above 5000            | -900 | | -40 0, -1 5001 | | | | | URGENT [new-above, not-a-flare]
        nadir of 0, three rising from 150     | -900 | | -100 0, -50 150, -40 250, -1 390 | | | | | ACTION [three-rising, not-a-flare]
        three rising from 0                   | -900 | | -100 0, -50 150, -1 390 | | | | | not evaluable
        no limit                              | -900 | | -40 200, -1 600 uln=none | | | | | not evaluable
        a limit of 0 is no limit              | -900 | | -40 200, -1 600 uln=0 | | | | | not evaluable
        no limit, nothing to compare with     | -900 | | -1 600 uln=none | | | | | quiet
        no limit, new above 5000              | -900 | | -40 200, -1 5001 uln=none | | | | | URGENT [new-above, not-a-flare]
        no limit, 5000                        | -900 | | -40 200, -1 5000 uln=none | | | | | not evaluable
        the centre's limit                    | -900 | | -40 200, -1 600 uln=none | any 200 | | | | ACTION
        the centre's limit for her sex        | -900 | | -40 200, -1 600 uln=none | any 200, female 700 | | | | quiet
        the centre's limit of 0 is no limit   | -900 | | -40 200, -1 600 uln=none | any 0 | | | | not evaluable
        not the limit for men                 | -900 | | -40 200, -1 600 uln=none | male 200 | | | | not evaluable
        the laboratory's limit comes first    | -900 | | -40 200, -1 600 | any 700 | | | | ACTION
        a range that ended before the sample  | -900 | | -40 200, -1 600 uln=none | any 200 -500 -2 | | | | not evaluable
        a range that ended with the sample    | -900 | | -40 200, -1 600 uln=none | any 200 -500 -1 | | | | ACTION
        a range that begins with the sample   | -900 | | -40 200, -1 600 uln=none | any 200 -1 | | | | ACTION
        latest cannot be converted            | -900 | | -40 200, -20 600, -1 unit? | | | | | not evaluable
        an earlier one cannot be converted    | -900 | | -40 200, -20 unit?, -1 600 | | | | | ACTION
        the later of its day not converted    | -900 | | -40T8 200, -40T9 unit?, -1 600 | | | | | ACTION
        cannot be converted, 91 days ago      | -900 | | -120 200, -91 unit? | | | | | quiet
        a comparator is used at its number    | -900 | | -40 <200, -1 >400 | | | | | ACTION
        exercise on the day of the sample     | -900 | | -40 200, -10 400 | | | -10 exercise | | TASK [ratio-action, confounded, not-a-flare]
        exercise 7 days before                | -900 | | -40 200, -10 400 | | | -17 exercise | | TASK
        exercise 8 days before                | -900 | | -40 200, -10 400 | | | -18 exercise | | ACTION
        exercise after the sample             | -900 | | -40 200, -10 400 | | | -9 exercise | | ACTION
        exercise 6 days before                | -900 | | -40 200, -10 400 | | | -16 exercise | | TASK
        injection 13 days before              | -900 | | -40 200, -10 400 | | | -23 injection | | TASK
        injection 14 days before              | -900 | | -40 200, -10 400 | | | -24 injection | | TASK
        injection 15 days before              | -900 | | -40 200, -10 400 | | | -25 injection | | ACTION
        electromyography 14 days before       | -900 | | -40 200, -10 400 | | | -24 emg | | TASK
        biopsy 14 days before                 | -900 | | -40 200, -10 400 | | | -24 biopsy | | TASK
        seizure 14 days before                | -900 | | -40 200, -10 400 | | | -24 seizure | | TASK
        fall 14 days before                   | -900 | | -40 200, -10 400 | | | -24 fall | | TASK
        surgery 14 days before                | -900 | | -40 200, -10 400 | | | -24 surgery | | TASK
        surgery 15 days before                | -900 | | -40 200, -10 400 | | | -25 surgery | | ACTION
        statin 89 days before                 | -900 | | -40 200, -10 400 | | | -99 statin | | TASK
        statin 90 days before                 | -900 | | -40 200, -10 400 | | | -100 statin | | TASK
        statin 91 days before                 | -900 | | -40 200, -10 400 | | | -101 statin | | ACTION
        fibrate 90 days before                | -900 | | -40 200, -10 400 | | | -100 fibrate | | TASK
        colchicine 90 days before             | -900 | | -40 200, -10 400 | | | -100 colchicine | | TASK
        hydroxychloroquine 90 days before     | -900 | | -40 200, -10 400 | | | -100 hydroxychloroquine | | TASK
        checkpoint inhibitor 90 days before   | -900 | | -40 200, -10 400 | | | -100 checkpoint_inhibitor | | TASK
        two confounders are one step          | -900 | | -40 200, -10 400 | | | -12 exercise, -11 fall | | TASK
        URGENT becomes ACTION                 | -900 | | -40 1000, -10 2000 | | | -12 exercise | | ACTION
        INFO stays INFO                       | -900 | | -40 200, -10 320 | | | -12 exercise | | INFO
        a confounder and nothing to say       | -900 | | -40 200, -10 220 | | | -12 exercise | | quiet
        inclusion body myositis, r 2          | -900 | inclusion_body | -40 200, -1 400 | | | | | INFO [ratio-action, inclusion-body, not-a-flare]
        inclusion body myositis, urgent       | -900 | inclusion_body | -40 1000, -1 6000 | | | | | INFO
        inclusion body myositis, confounded   | -900 | inclusion_body | -40 200, -1 400 | | | -2 fall | | INFO
        inclusion body myositis, r below 1.5  | -900 | inclusion_body | -40 240, -1 359.99 | | | | | quiet
        inclusion body, no day of diagnosis   | none | inclusion_body | -40 200, -1 340 | | | | | INFO [ratio-info, inclusion-body, not-a-flare]
    """,
)
