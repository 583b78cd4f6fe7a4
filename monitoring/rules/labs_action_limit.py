"""A blood test of somebody on a monitored drug is beyond the limit at which the drug is looked at again."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring import limit_sets
from monitoring.analytes import ANALYTES
from monitoring.limit_sets import LIMIT_SETS, LIMITED
from monitoring.rules import lab_schedule, sql, steroid
from monitoring.rules.base import Citation, Confidence, Question, Rule, chosen
from monitoring.scores import liver

TRANSAMINASES = ("alt", "ast")


@dataclass(frozen=True)
class Parameters:
    limit_set: str = chosen(limit_sets.DEFAULT, LIMIT_SETS)  # see monitoring/limit_sets.py
    recent_days: int = 90  # the latest result may be this old
    stopped_days: int = 90  # a drug still counts for so long after it was stopped
    infusion_days: int = lab_schedule.Parameters.infusion_days  # an infusion counts as the drug of so many days
    muscle_tolerance: Decimal = liver.DEFAULTS.tolerance  # times the ALT that goes with the CK
    sample_before_days: int = 90  # how far before it the sample lies whose ALT was lower while CK was higher
    creatinine_times: Decimal = Decimal("1.3")  # above so many times the lowest of the days before it
    creatinine_days: int = 365
    creatinine_severe_times: Decimal = Decimal("1.5")  # the same day
    creatinine_severe_days: int = 7

    def __post_init__(self) -> None:
        limit_sets.get(self.limit_set)


def of_set(numbers: Iterable[Decimal | None]) -> str:
    """SQL: the number of the chosen set, of these in the order of the sets. Constant within a query."""
    arms = " ".join(f"WHEN '{name}' THEN {_literal(each)}" for name, each in zip(LIMIT_SETS, numbers, strict=True))
    return f"CASE %(limit_set)s {arms} END"


def numbers_of(code: str, field: str) -> list[Decimal | None]:
    """This field of the analyte's limit in each of the sets."""
    return [getattr(each.limits[code], field) for each in LIMIT_SETS.values()]


def of_analyte(alias: str, field: str) -> str:
    """SQL: this field of the analyte's limit in the chosen set, NULL where it has none."""
    some = [code for code in LIMITED if any(numbers_of(code, field))]
    arms = " ".join(f"WHEN '{code}' THEN {of_set(numbers_of(code, field))}" for code in some)
    return f"CASE {alias}.analyte {arms} END"


def _literal(value: Decimal | None) -> str:
    return "NULL::numeric" if value is None else f"{value}::numeric"


def names(codes: tuple[str, ...]) -> str:
    """VALUES (analyte, name, inside, unit) as people read them: the name at the beginning of a sentence, and inside it."""
    rows = [
        (code, each.name, _inside(each.name), each.canonical_unit) for code, each in ANALYTES.items() if code in codes
    ]
    return ", ".join("({})".format(", ".join(f"'{word}'" for word in row)) for row in rows)


BILIRUBIN_UNIT = ANALYTES["bilirubin"].canonical_unit or ""


def of_day(said: str, column: str, unit: str) -> str:
    """SQL: what was measured that day and its upper limit, NULL where nothing was."""
    limit = f"COALESCE('limit ' || trim_scale({column}_uln), 'no limit known')"
    return f"'{said} ' || trim_scale({column}) || ' {unit} (' || {limit} || ')'"


def _inside(name: str) -> str:
    """Within a sentence: a capital only where the whole word has them."""
    return name if name[1].isupper() else name[0].lower() + name[1:]


def findings(q: Question) -> str:
    notes = " ".join(
        f"WHEN '{code}' THEN '{limit.note}'" for code, limit in limit_sets.BSR_2017.limits.items() if limit.note
    )
    upper = sql.uln("d", "a")
    severe_times = of_set(each.severe_alt_uln for each in LIMIT_SETS.values())
    return f"""
    WITH {lab_schedule.monitored_spans(q)}, beyond AS (
        -- Any result beyond its limit: few. Whether it is the latest is asked of those alone.
        SELECT DISTINCT a.patient_id, r.analyte
        FROM asked a JOIN monitoring_result r ON r.patient_id = a.patient_id AND {q.known("r")}
        WHERE r.analyte IN ({steroid.words(LIMITED)})
          AND r.taken_on BETWEEN %(as_of)s::date - %(recent_days)s AND %(as_of)s
          AND (r.value IS NULL OR r.value < {of_analyte("r", "below")} OR r.value > {of_analyte("r", "above")}
               OR r.value > {of_analyte("r", "above_uln")} * COALESCE(r.uln, 0))
    ), recent AS (
        SELECT a.patient_id, max(r.value) / LEAST(%(creatinine_times)s, %(creatinine_severe_times)s) * 1.000001 AS most,
            bool_or(r.value IS NULL) AS is_unknown
        FROM asked a JOIN monitoring_result r ON r.patient_id = a.patient_id AND {q.known("r")}
        WHERE r.analyte = 'creatinine' AND r.taken_on BETWEEN %(as_of)s::date - %(recent_days)s AND %(as_of)s
        GROUP BY a.patient_id
    ), risen AS (
        SELECT patient_id FROM recent WHERE is_unknown
        UNION
        SELECT w.patient_id
        FROM recent w JOIN monitoring_result r ON r.patient_id = w.patient_id AND {q.known("r")}
        WHERE r.analyte = 'creatinine' AND r.taken_on <= %(as_of)s AND r.taken_on >= %(as_of)s::date
                  - (%(recent_days)s + GREATEST(%(creatinine_days)s, %(creatinine_severe_days)s))
          AND r.value <= w.most
    ), treated AS (
        SELECT b.patient_id, b.analyte, array_agg(DISTINCT n.name ORDER BY n.name) AS drugs
        FROM (SELECT * FROM beyond UNION ALL SELECT patient_id, 'creatinine' FROM risen) b
        JOIN monitored_span u ON u.patient_id = b.patient_id AND u.until >= %(as_of)s::date - %(stopped_days)s
        JOIN ({lab_schedule.drugs()}) n (drug, name, longest, extras) ON n.drug = u.drug
        GROUP BY b.patient_id, b.analyte
    ), latest AS MATERIALIZED (
        SELECT a.patient_id, a.centre_id, a.sex, l.*, b.drugs
        FROM treated b
        JOIN asked a ON a.patient_id = b.patient_id
        CROSS JOIN LATERAL (
            SELECT r.id, r.analyte, r.taken_on, r.taken_at, r.value, r.uln, r.comparator
            FROM monitoring_result r
            WHERE r.patient_id = b.patient_id AND r.analyte = b.analyte AND {q.known("r")} AND r.taken_on <= %(as_of)s
            ORDER BY {sql.newest_first("r")} LIMIT 1
        ) l
        WHERE l.taken_on >= %(as_of)s::date - %(recent_days)s
    ), limited AS (
        SELECT l.*, {sql.uln("l", "l")} AS upper, {of_analyte("l", "below")} AS low_limit,
            {of_analyte("l", "severe_below")} AS severe_limit,
            COALESCE({of_analyte("l", "above")}, {of_analyte("l", "above_uln")} * {sql.uln("l", "l")}) AS high_limit,
            {of_analyte("l", "above_uln")} IS NOT NULL AS is_of_uln
        FROM latest l
    ), same_day AS (
        -- What was measured on the day of an ALT or AST above its limit; the later one of the day.
        SELECT a.id AS of_id,
            max(s.value) FILTER (WHERE s.analyte = 'alt') AS alt, max(s.upper) FILTER (WHERE s.analyte = 'alt') AS alt_uln,
            max(s.value) FILTER (WHERE s.analyte = 'ck') AS ck, max(s.upper) FILTER (WHERE s.analyte = 'ck') AS ck_uln,
            max(s.value) FILTER (WHERE s.analyte = 'ggt') AS ggt, max(s.upper) FILTER (WHERE s.analyte = 'ggt') AS ggt_uln,
            max(s.value) FILTER (WHERE s.analyte = 'bilirubin') AS bilirubin,
            max(s.upper) FILTER (WHERE s.analyte = 'bilirubin') AS bilirubin_uln
        FROM limited a
        LEFT JOIN LATERAL (
            SELECT d.*, {upper} AS upper
            FROM (SELECT DISTINCT ON (r.analyte) r.analyte, r.taken_on, r.value, r.uln
                  FROM monitoring_result r
                  WHERE r.patient_id = a.patient_id AND r.analyte IN ('alt', 'ck', 'ggt', 'bilirubin')
                    AND r.taken_on = a.taken_on AND {q.known("r")}
                  ORDER BY r.analyte, {sql.newest_first("r")}) d
        ) s ON true
        WHERE a.analyte IN ({steroid.words(TRANSAMINASES)}) AND a.value > a.high_limit
        GROUP BY a.id
    ), enzyme AS (
        -- As monitoring/scores/liver.py judges them.
        SELECT s.*, e.taken_on AS before_on, e.alt AS alt_before, e.ck AS ck_before,
            COALESCE(s.alt > e.alt AND s.ck < e.ck, false) AS is_rising,
            round((s.ck + {liver.INTERCEPT}) / {liver.SLOPE}) AS expected_alt,
            COALESCE(s.ck > s.ck_uln AND s.alt * {liver.SLOPE} <= %(muscle_tolerance)s * (s.ck + {liver.INTERCEPT}), false)
                AND COALESCE(s.ggt <= s.ggt_uln, true) AND COALESCE(s.bilirubin <= s.bilirubin_uln, true) AS is_muscular,
            COALESCE(s.ggt <= s.ggt_uln AND s.bilirubin <= s.bilirubin_uln, false) AS is_cleared,
            COALESCE(s.bilirubin > s.bilirubin_uln, false) AS is_jaundiced
        FROM same_day s
        JOIN limited a ON a.id = s.of_id
        LEFT JOIN LATERAL (
            SELECT r.taken_on,
                (array_agg(r.value ORDER BY {sql.newest_first("r")}) FILTER (WHERE r.analyte = 'alt'))[1] AS alt,
                (array_agg(r.value ORDER BY {sql.newest_first("r")}) FILTER (WHERE r.analyte = 'ck'))[1] AS ck
            FROM monitoring_result r
            WHERE r.patient_id = a.patient_id AND r.analyte IN ('alt', 'ck') AND {q.known("r")} AND r.value IS NOT NULL
              AND r.taken_on < a.taken_on AND r.taken_on >= a.taken_on - %(sample_before_days)s
            GROUP BY r.taken_on HAVING count(DISTINCT r.analyte) = 2
            ORDER BY r.taken_on DESC LIMIT 1
        ) e ON true
    ), judged AS (
        SELECT l.*, e.alt, e.ck, e.ck_uln, e.ggt, e.ggt_uln, e.bilirubin, e.bilirubin_uln, e.expected_alt, e.before_on,
            e.alt_before, e.ck_before, w.value AS lowest, w.taken_on AS lowest_on, w.comparator AS lowest_comparator,
            s.value AS week, s.taken_on AS week_on,
            CASE
                WHEN l.value IS NULL THEN NULL
                WHEN l.analyte = 'creatinine' THEN CASE
                    WHEN s.value > 0 AND l.value >= %(creatinine_severe_times)s * s.value THEN 'creatinine-severe'
                    WHEN w.value > 0 AND l.value > %(creatinine_times)s * w.value THEN 'creatinine' END
                WHEN e.of_id IS NOT NULL THEN CASE
                    WHEN l.analyte = 'alt' AND e.is_jaundiced
                        AND l.value > {severe_times} * l.upper THEN 'liver-severe'
                    WHEN e.is_rising THEN 'rises-while-ck-falls'
                    WHEN NOT e.is_muscular THEN 'liver'
                    WHEN e.is_cleared THEN 'muscle'
                    ELSE 'muscle-or-liver' END
                WHEN l.value < l.severe_limit THEN 'severe'
                WHEN l.value < l.low_limit THEN 'below'
                WHEN l.value > l.high_limit THEN 'above'
            END AS reason,
            ARRAY_REMOVE(ARRAY[
                CASE WHEN l.value IS NULL THEN 'a unit of the latest ' || n.inside || ' that can be converted' END,
                CASE WHEN l.value IS NOT NULL AND l.is_of_uln AND l.high_limit IS NULL
                        OR e.is_jaundiced AND l.analyte = 'alt' AND l.upper IS NULL
                    THEN 'the upper limit of normal of the latest ' || n.inside END,
                CASE WHEN e.ck IS NOT NULL AND e.ck_uln IS NULL
                    THEN 'the upper limit of normal of the creatine kinase of the same day' END,
                CASE WHEN e.ggt IS NOT NULL AND e.ggt_uln IS NULL
                    THEN 'the upper limit of normal of the GGT of the same day' END,
                CASE WHEN e.bilirubin IS NOT NULL AND e.bilirubin_uln IS NULL
                    THEN 'the upper limit of normal of the bilirubin of the same day' END,
                CASE WHEN l.analyte = 'creatinine' AND l.value > 0 AND w.value = 0
                    THEN 'a creatinine above 0 to compare with' END
            ], NULL) AS missing,
            n.name, n.unit
        FROM limited l
        JOIN (VALUES {names((*LIMITED, "creatinine"))}) n (analyte, name, inside, unit) ON n.analyte = l.analyte
        LEFT JOIN enzyme e ON e.of_id = l.id
        LEFT JOIN LATERAL (
            SELECT r.value, r.taken_on, r.comparator
            FROM monitoring_result r
            WHERE l.analyte = 'creatinine' AND r.patient_id = l.patient_id AND r.analyte = 'creatinine' AND {q.known("r")}
              AND r.value IS NOT NULL AND r.taken_on < l.taken_on AND r.taken_on >= l.taken_on - %(creatinine_days)s
            ORDER BY r.value, r.taken_on DESC LIMIT 1
        ) w ON true
        LEFT JOIN LATERAL (
            SELECT r.value, r.taken_on
            FROM monitoring_result r
            WHERE l.analyte = 'creatinine' AND r.patient_id = l.patient_id AND r.analyte = 'creatinine' AND {q.known("r")}
              AND r.value IS NOT NULL AND r.taken_on < l.taken_on AND r.taken_on >= l.taken_on - %(creatinine_severe_days)s
            ORDER BY r.value, r.taken_on DESC LIMIT 1
        ) s ON true
    )
    SELECT patient_id, 'analyte:' || analyte AS subject,
        CASE
            WHEN reason IN ('severe', 'liver-severe', 'creatinine-severe') THEN 'URGENT'
            WHEN reason = 'muscle-or-liver' THEN 'TASK'
            WHEN reason = 'muscle' THEN 'INFO'
            WHEN reason IS NOT NULL THEN 'ACTION'
        END AS level,
        NULL::date AS due_on,
        CASE WHEN reason IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
            'reasons', ARRAY_REMOVE(ARRAY[
                reason,
                CASE WHEN expected_alt IS NOT NULL THEN 'same-day' END,
                CASE WHEN reason IN ('liver', 'muscle-or-liver', 'rises-while-ck-falls', 'liver-severe')
                      AND (ck IS NULL OR alt IS NULL OR ggt IS NULL OR bilirubin IS NULL) THEN 'not-measured' END,
                CASE WHEN CASE analyte {notes} END IS NOT NULL THEN 'note' END
            ], NULL),
            'name', name, 'unit', unit, 'value', trim_scale(value), 'comparator', comparator, 'taken_on', taken_on,
            'result_id', id, 'drugs', drugs, 'note', CASE analyte {notes} END,
            'limit', trim_scale(CASE WHEN value < low_limit THEN low_limit ELSE high_limit END),
            'severe_limit', trim_scale(severe_limit), 'upper', trim_scale(upper)
        )) || CASE
            WHEN analyte = 'creatinine' THEN jsonb_build_object(
                'lowest', trim_scale(CASE reason WHEN 'creatinine' THEN lowest ELSE week END),
                'lowest_on', CASE reason WHEN 'creatinine' THEN lowest_on ELSE week_on END)
            WHEN analyte IN ({steroid.words(TRANSAMINASES)}) THEN jsonb_build_object(
                'alt', trim_scale(alt), 'ck', trim_scale(ck), 'ck_uln', trim_scale(ck_uln), 'ggt', trim_scale(ggt),
                'ggt_uln', trim_scale(ggt_uln), 'bilirubin', trim_scale(bilirubin), 'bilirubin_uln', trim_scale(bilirubin_uln),
                'expected_alt', expected_alt, 'severe_times', {severe_times}, 'before_on', before_on, 'alt_before', trim_scale(alt_before),
                'ck_before', trim_scale(ck_before),
                'measured', ARRAY_REMOVE(ARRAY['ALT ' || trim_scale(alt) || ' U/L',
                    {of_day("CK", "ck", "U/L")}, {of_day("GGT", "ggt", "U/L")},
                    {of_day("bilirubin", "bilirubin", BILIRUBIN_UNIT)}], NULL),
                'not_measured', ARRAY_REMOVE(ARRAY[
                    CASE WHEN ck IS NULL THEN 'CK' END, CASE WHEN alt IS NULL THEN 'ALT' END,
                    CASE WHEN ggt IS NULL THEN 'GGT' END, CASE WHEN bilirubin IS NULL THEN 'bilirubin' END], NULL))
            ELSE '{{}}' END
        END AS evidence,
        NULLIF(missing, '{{}}') AS missing
    FROM judged
    WHERE reason IS NOT NULL OR cardinality(missing) > 0
    """


def closes(q: Question) -> str:
    """When a newer result is within its limit, the result was withdrawn, or no drug that asks for it has been taken for long;
    not because nobody measured again.
    """
    return f"""
    WITH raised AS (
        SELECT o.patient_id, o.subject, (o.evidence ->> 'result_id')::bigint AS raised_by, p.centre_id, p.sex, l.*,
            l.taken_on < %(as_of)s::date - %(recent_days)s AS is_old
        FROM open_alert o
        JOIN patients_patient p ON p.id = o.patient_id
        LEFT JOIN LATERAL (
            SELECT r.id, r.analyte, r.taken_on, r.value, r.uln FROM monitoring_result r
            WHERE r.patient_id = o.patient_id AND r.analyte = split_part(o.subject, ':', 2) AND {q.known("r")}
              AND r.taken_on <= %(as_of)s
            ORDER BY {sql.newest_first("r")} LIMIT 1
        ) l ON true
    ), held AS (
        SELECT DISTINCT patient_id FROM raised WHERE is_old
    ), {steroid.levels(q, lab_schedule.LINES, "held")}, treated AS (
        SELECT DISTINCT patient_id FROM dose_level
        WHERE CASE WHEN steady = 0 THEN last_day + (%(infusion_days)s::int - 1) ELSE last_day END
            >= %(as_of)s::date - %(stopped_days)s
    )
    SELECT w.patient_id, w.subject
    FROM raised w LEFT JOIN treated t ON t.patient_id = w.patient_id
    WHERE w.id IS NULL
       -- looked at today, and not found
       OR NOT w.is_old AND w.value IS NOT NULL
           AND ({of_analyte("w", "above_uln")} IS NULL OR {sql.uln("w", "w")} IS NOT NULL)
       OR w.is_old AND (t.patient_id IS NULL OR NOT EXISTS (
           SELECT 1 FROM monitoring_result r WHERE r.id = w.raised_by AND {q.known("r")}))
    """


FOUND = "{name} {comparator}{value} {unit} on {taken_on} is {where} {limit} {unit}, a limit of the set {p.limit_set}."
BELOW, ABOVE = FOUND.replace("{where}", "below"), FOUND.replace("{where}", "above")
CREATININE = "Creatinine {comparator}{value} {unit} on {taken_on} is {times} {lowest} {unit} of {lowest_on}, the lowest of the {days} days before it."

RULE = Rule(
    id="labs-action-limit",
    version=1,
    title="A blood test is beyond its limit for a drug",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="Limits at which to contact the specialist and think of a pause, the set “BSR 2017”. Ledingham J, et al. "
            "Rheumatology 2017;56:865-8.",
            confidence=Confidence.SECONDARY,
            doi="10.1093/rheumatology/kew479",
            locator="as two hospital sheets quote it",
        ),
        Citation(
            text="The set “2008”: neutrophils below 2.0, platelets below 150, ALT or AST above twice the upper limit, as documents "
            "of trusts still have it; the other limits are those of “BSR 2017”.",
            confidence=Confidence.SECONDARY,
        ),
        Citation(
            text="ALT and AST come from muscle, too: CK = 12.66 x ALT - 136.23 in 93 patients of one centre (PubMed 27312550).",
            confidence=Confidence.PRIMARY,
        ),
        Citation(
            text="The tolerance around it, an ALT that rises while CK falls, what is severe, and how old a result may be, are local "
            "policies.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    closes=closes,
    aside=("drugs",),
    explanations={
        "below": BELOW,
        "above": ABOVE,
        "severe": BELOW + " It is below {severe_limit} {unit}, too: look at it on the same day.",
        "muscle": ABOVE
        + " It probably comes from muscle: CK is raised, ALT is at most {p.muscle_tolerance} times what goes with that CK, "
        "and GGT and bilirubin are normal.",
        "muscle-or-liver": ABOVE
        + " CK and ALT alone look like muscle. GGT and bilirubin would tell: they are missing, or their limits are.",
        "liver": ABOVE
        + " CK, ALT, GGT and bilirubin of that day do not explain it by muscle: the liver may be injured.",
        "rises-while-ck-falls": ABOVE
        + " ALT has risen while CK has fallen since {before_on} (ALT {alt_before}, CK {ck_before} U/L): the liver "
        "may be injured, whatever the CK.",
        "liver-severe": ABOVE
        + " It is above {severe_times} times its upper limit ({upper} {unit}) and bilirubin is raised: look at it on the same day.",
        "same-day": "On that day: {measured}. About {expected_alt} U/L of ALT go with that CK.",
        "not-measured": "Not measured on that day: {not_measured}. The next sample could tell.",
        "creatinine": CREATININE.replace("{times}", "more than {p.creatinine_times} times the").replace(
            "{days}", "{p.creatinine_days}"
        ),
        "creatinine-severe": CREATININE.replace("{times}", "{p.creatinine_severe_times} times or more the").replace(
            "{days}", "{p.creatinine_severe_days}"
        )
        + " Look at it on the same day.",
        "note": "{note}",
    },
    not_considered=(
        "Infection, other drugs, alcohol, vitamins and the disease itself as the cause.",
        "Lymphocytes, which the disease and glucocorticoids lower.",
        "Haemoglobin, urine protein and drug levels.",
        "A value that has been low for long and is known: close the alert with the reason.",
        "Limits of a drug's own, such as those of JAK inhibitors.",
    ),
    advice="Repeat it where it does not fit; then decide about dose or pause.",
    examples="""
        case                                       | doses                              | infusions                 | range | results | expect
        nothing measured                           | -400.. methotrexate 15 /7 |  |  |  | quiet
        all within                                 | -400.. methotrexate 15 /7 |  |  | -5 wbc 6, -5 alt 30, -5 creatinine 70 | quiet
        wbc 3.5                                    | -400.. methotrexate 15 /7 |  |  | -5 wbc 3.5 | quiet
        wbc 3.49                                   | -400.. methotrexate 15 /7 |  |  | -5 wbc 3.49 | ACTION [below, note]
        neutrophils 1.6                            | -400.. methotrexate 15 /7 |  |  | -5 neutrophils 1.6 | quiet
        neutrophils 1.59                           | -400.. methotrexate 15 /7 |  |  | -5 neutrophils 1.59 | ACTION [below, note]
        platelets 140                              | -400.. methotrexate 15 /7 |  |  | -5 platelets 140 | quiet
        platelets 139.99                           | -400.. methotrexate 15 /7 |  |  | -5 platelets 139.99 | ACTION [below]
        albumin 30                                 | -400.. methotrexate 15 /7 |  |  | -5 albumin 30 | quiet
        albumin 29.99                              | -400.. methotrexate 15 /7 |  |  | -5 albumin 29.99 | ACTION [below, note]
        egfr 60                                    | -400.. methotrexate 15 /7 |  |  | -5 egfr 60 | quiet
        egfr 59.99                                 | -400.. methotrexate 15 /7 |  |  | -5 egfr 59.99 | ACTION [below, note]
        egfr-2009 60                               | -400.. methotrexate 15 /7 |  |  | -5 egfr-2009 60 | quiet
        egfr-2009 59.99                            | -400.. methotrexate 15 /7 |  |  | -5 egfr-2009 59.99 | ACTION [below, note]
        egfr-mdrd 60                               | -400.. methotrexate 15 /7 |  |  | -5 egfr-mdrd 60 | quiet
        egfr-mdrd 59.99                            | -400.. methotrexate 15 /7 |  |  | -5 egfr-mdrd 59.99 | ACTION [below, note]
        mcv 105                                    | -400.. methotrexate 15 /7 |  |  | -5 mcv 105 | quiet
        mcv 105.01                                 | -400.. methotrexate 15 /7 |  |  | -5 mcv 105.01 | ACTION [above, note]
        eosinophils 0.5                            | -400.. methotrexate 15 /7 |  |  | -5 eosinophils 0.5 | quiet
        eosinophils 0.501                          | -400.. methotrexate 15 /7 |  |  | -5 eosinophils 0.501 | ACTION [above, note]
        systolic 140                               | -400.. methotrexate 15 /7 |  |  | -5 systolic 140 | quiet
        systolic 140.01                            | -400.. methotrexate 15 /7 |  |  | -5 systolic 140.01 | ACTION [above]
        diastolic 90                               | -400.. methotrexate 15 /7 |  |  | -5 diastolic 90 | quiet
        diastolic 90.01                            | -400.. methotrexate 15 /7 |  |  | -5 diastolic 90.01 | ACTION [above]
        wbc 2: not yet severe                      | -400.. methotrexate 15 /7 |  |  | -5 wbc 2 | ACTION [below, note]
        wbc 1.99: severe                           | -400.. methotrexate 15 /7 |  |  | -5 wbc 1.99 | URGENT [severe, note]
        neutrophils 1: not yet severe              | -400.. methotrexate 15 /7 |  |  | -5 neutrophils 1 | ACTION [below, note]
        neutrophils 0.99: severe                   | -400.. methotrexate 15 /7 |  |  | -5 neutrophils 0.99 | URGENT [severe, note]
        platelets 50: not yet severe               | -400.. methotrexate 15 /7 |  |  | -5 platelets 50 | ACTION [below]
        platelets 49.99: severe                    | -400.. methotrexate 15 /7 |  |  | -5 platelets 49.99 | URGENT [severe]
        what no limit is for                       | -400.. methotrexate 15 /7 |  |  | -5 lymphocytes 0.3, -5 haemoglobin 70, -5 ggt 900 uln=60 | quiet
        the laboratory's flag alone                | -400.. methotrexate 15 /7 |  |  | -5 wbc 12 uln=10 | quiet
        used at its number                         | -400.. methotrexate 15 /7 |  |  | -5 platelets <139 | ACTION
        90 days ago                                | -400.. methotrexate 15 /7 |  |  | -90 wbc 3 | ACTION
        91 days ago                                | -400.. methotrexate 15 /7 |  |  | -91 wbc 3 | quiet
        one still to come                          | -400.. methotrexate 15 /7 |  |  | 1 wbc 3 | quiet
        better since                               | -400.. methotrexate 15 /7 |  |  | -20 wbc 3, -5 wbc 4 | quiet
        worse since                                | -400.. methotrexate 15 /7 |  |  | -20 wbc 4, -5 wbc 3 | ACTION
        later on that day it was better            | -400.. methotrexate 15 /7 |  |  | -5T8 wbc 3, -5T9 wbc 4 | quiet
        the latest cannot be converted             | -400.. methotrexate 15 /7 |  |  | -20 wbc 3, -5 wbc ? | not evaluable
        an earlier one cannot be converted         | -400.. methotrexate 15 /7 |  |  | -20 wbc ?, -5 wbc 4 | quiet
        cannot be converted, 91 days ago           | -400.. methotrexate 15 /7 |  |  | -91 wbc ? | quiet
        two analytes, two findings: the worse      | -400.. methotrexate 15 /7 |  |  | -5 wbc 3, -5 neutrophils 0.9 | URGENT [severe, note]
        no drug                                    |  |  |  | -5 wbc 3 | quiet
        a drug that needs no blood tests           | -400.. hydroxychloroquine 200 |  |  | -5 wbc 3 | quiet
        begins today                               | 0.. methotrexate 15 /7 |  |  | -5 wbc 3 | ACTION
        begins tomorrow                            | 1.. methotrexate 15 /7 |  |  | -5 wbc 3 | quiet
        stopped 90 days ago                        | -400.. methotrexate 15 /7 stop -90 |  |  | -5 wbc 3 | ACTION
        stopped 91 days ago                        | -400.. methotrexate 15 /7 stop -91 |  |  | -5 wbc 3 | quiet
        last dose 90 days ago                      | -400..-90 methotrexate 15 /7 |  |  | -5 wbc 3 | ACTION
        last dose 91 days ago                      | -400..-91 methotrexate 15 /7 |  |  | -5 wbc 3 | quiet
        infused 117 days ago                       |  | -117 cyclophosphamide 750 |  | -5 wbc 3 | ACTION
        infused 118 days ago                       |  | -118 cyclophosphamide 750 |  | -5 wbc 3 | quiet
        on the skin                                | -400.. tacrolimus:topical 1 |  |  | -5 wbc 3 | quiet
        ALT 100                                    | -400.. methotrexate 15 /7 |  |  | -5 alt 100 | quiet
        ALT 100.01, nothing else measured          | -400.. methotrexate 15 /7 |  |  | -5 alt 100.01 | ACTION [liver, not-measured]
        AST 100                                    | -400.. methotrexate 15 /7 |  |  | -5 ast 100 | quiet
        AST 100.01, nothing else measured          | -400.. methotrexate 15 /7 |  |  | -5 ast 100.01 | ACTION [liver, not-measured]
        ALT 140, CK 3000, GGT and bilirubin normal | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO [muscle, same-day]
        the same without GGT                       | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000 uln=200, -5 bilirubin 10 uln=21 | TASK [muscle-or-liver, same-day, not-measured]
        the same without bilirubin                 | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60 | TASK [muscle-or-liver, same-day, not-measured]
        the same with GGT of another day           | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000 uln=200, -6 ggt 20 uln=60, -5 bilirubin 10 uln=21 | TASK
        the same with CK 100                       | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 100 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION [liver, same-day]
        CK at its limit                            | -400.. methotrexate 15 /7 |  |  | -5 alt 101, -5 ck 2000 uln=2000, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION [liver, same-day]
        CK just above it                           | -400.. methotrexate 15 /7 |  |  | -5 alt 101, -5 ck 2000.01 uln=2000, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO
        CK of another day                          | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -6 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION [liver, not-measured]
        the later CK of the day                    | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5T8 ck 3000 uln=200, -5T9 ck 100 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION
        GGT at its limit                           | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000 uln=200, -5 ggt 60 uln=60, -5 bilirubin 10 uln=21 | INFO
        GGT above its limit                        | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000 uln=200, -5 ggt 60.01 uln=60, -5 bilirubin 10 uln=21 | ACTION [liver, same-day]
        GGT above, bilirubin missing               | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000 uln=200, -5 ggt 61 uln=60 | ACTION
        bilirubin at its limit                     | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 21 uln=21 | INFO
        bilirubin above its limit                  | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 21.01 uln=21 | ACTION
        GGT without a limit                        | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20, -5 bilirubin 10 uln=21 | TASK [muscle-or-liver, same-day]
        CK without a limit                         | -400.. methotrexate 15 /7 |  |  | -5 alt 140, -5 ck 3000, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION [liver, same-day]
        the centre's limit of her sex comes first  | -400.. methotrexate 15 /7 |  | any 4000, female 200 | -5 alt 140, -5 ck 3000, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO [muscle, same-day]
        ALT 1.5 times what goes with the CK        | -400.. methotrexate 15 /7 |  |  | -5 alt 150, -5 ck 1129.77 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO
        ALT just above that                        | -400.. methotrexate 15 /7 |  |  | -5 alt 150.01, -5 ck 1129.77 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION
        ALT just above 1.49 times it               | -400.. methotrexate 15 /7 |  |  | -5 alt 149.5, -5 ck 1129.77 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO
        AST, with the ALT of its day               | -400.. methotrexate 15 /7 |  |  | -5 ast 140, -5 alt 90, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO [muscle, same-day]
        AST, and no ALT that day                   | -400.. methotrexate 15 /7 |  |  | -5 ast 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION [liver, same-day, not-measured]
        AST, and an ALT that does not fit the CK   | -400.. methotrexate 15 /7 |  |  | -5 ast 140, -5 alt 99, -5 ck 300 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION
        ALT rises while CK falls                   | -400.. methotrexate 15 /7 |  |  | -30 alt 130, -30 ck 5000 uln=200, -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION [rises-while-ck-falls, same-day]
        90 days between the samples                | -400.. methotrexate 15 /7 |  |  | -95 alt 130, -95 ck 5000 uln=200, -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION
        91 days between them                       | -400.. methotrexate 15 /7 |  |  | -96 alt 130, -96 ck 5000 uln=200, -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO
        both rise                                  | -400.. methotrexate 15 /7 |  |  | -30 alt 130, -30 ck 2000 uln=200, -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO
        CK as before                               | -400.. methotrexate 15 /7 |  |  | -30 alt 130, -30 ck 3000 uln=200, -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO
        ALT as before                              | -400.. methotrexate 15 /7 |  |  | -30 alt 140, -30 ck 5000 uln=200, -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO
        the newest of the samples before           | -400.. methotrexate 15 /7 |  |  | -40 alt 130, -40 ck 5000 uln=200, -30 alt 150, -30 ck 4000 uln=200, -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | INFO
        of two CK of that day the last entered     | -400.. methotrexate 15 /7 |  |  | -30 alt 130, -30 ck 2000 uln=200, -30 ck 5000 uln=200, -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21              | ACTION [rises-while-ck-falls, same-day]
        of the samples before, one with both       | -400.. methotrexate 15 /7 |  |  | -40 alt 130, -40 ck 5000 uln=200, -30 alt 150, -5 alt 140, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | ACTION
        ALT rises while CK falls, within limits    | -400.. methotrexate 15 /7 |  |  | -30 alt 80, -30 ck 5000 uln=200, -5 alt 90, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 10 uln=21 | quiet
        ALT five times its limit, bilirubin raised | -400.. methotrexate 15 /7 |  |  | -5 alt 200 uln=40, -5 bilirubin 30 uln=21 | ACTION [liver, not-measured]
        ALT above five times, bilirubin raised     | -400.. methotrexate 15 /7 |  |  | -5 alt 200.01 uln=40, -5 bilirubin 30 uln=21 | URGENT [liver-severe, not-measured]
        ALT above five times, bilirubin normal     | -400.. methotrexate 15 /7 |  |  | -5 alt 200.01 uln=40, -5 ck 3000 uln=200, -5 ggt 20 uln=60, -5 bilirubin 21 uln=21 | INFO
        ALT without a limit, bilirubin raised      | -400.. methotrexate 15 /7 |  |  | -5 alt 400, -5 bilirubin 30 uln=21 | ACTION
        ALT with a limit of 0, bilirubin raised    | -400.. methotrexate 15 /7 |  |  | -5 alt 400 uln=0, -5 bilirubin 30 uln=21 | ACTION
        AST above five times, bilirubin raised     | -400.. methotrexate 15 /7 |  |  | -5 ast 300 uln=40, -5 bilirubin 30 uln=21 | ACTION
        creatinine, first ever                     | -400.. methotrexate 15 /7 |  |  | -5 creatinine 300 | quiet
        creatinine 1.3 times                       | -400.. methotrexate 15 /7 |  |  | -100 creatinine 100, -5 creatinine 130 | quiet
        creatinine 1.301 times                     | -400.. methotrexate 15 /7 |  |  | -100 creatinine 100, -5 creatinine 130.1 | ACTION [creatinine]
        1.309 times                                | -400.. methotrexate 15 /7 |  |  | -100 creatinine 100, -5 creatinine 130.9 | ACTION
        the lowest, not the newest                 | -400.. methotrexate 15 /7 |  |  | -200 creatinine 100, -100 creatinine 130, -5 creatinine 140 | ACTION
        the lowest 365 days before                 | -400.. methotrexate 15 /7 |  |  | -370 creatinine 100, -5 creatinine 140 | ACTION
        the lowest 366 days before                 | -400.. methotrexate 15 /7 |  |  | -371 creatinine 100, -5 creatinine 140 | quiet
        a creatinine 90 days ago                   | -400.. methotrexate 15 /7 |  |  | -190 creatinine 100, -90 creatinine 140 | ACTION
        a creatinine 91 days ago                   | -400.. methotrexate 15 /7 |  |  | -190 creatinine 100, -91 creatinine 140 | quiet
        a creatinine of 90 days ago, 365 before it | -400.. methotrexate 15 /7 |  |  | -455 creatinine 100, -90 creatinine 140 | ACTION
        same day: no earlier day                   | -400.. methotrexate 15 /7 |  |  | -5T8 creatinine 100, -5T9 creatinine 200 | quiet
        1.5 times within 7 days                    | -400.. methotrexate 15 /7 |  |  | -12 creatinine 100, -5 creatinine 150 | URGENT [creatinine-severe]
        1.499 times within 7 days                  | -400.. methotrexate 15 /7 |  |  | -12 creatinine 100, -5 creatinine 149.9 | ACTION
        1.5 times within 8 days                    | -400.. methotrexate 15 /7 |  |  | -13 creatinine 100, -5 creatinine 150 | ACTION [creatinine]
        1.5 times within 6 days                    | -400.. methotrexate 15 /7 |  |  | -11 creatinine 100, -5 creatinine 150 | URGENT
        1.5 times, from below 1                    | -400.. methotrexate 15 /7 |  |  | -12 creatinine 0.8, -5 creatinine 1.2 | URGENT [creatinine-severe]
        a creatinine of 0 before                   | -400.. methotrexate 15 /7 |  |  | -100 creatinine 0, -5 creatinine 100 | not evaluable
        a creatinine of 0, and one below 1         | -400.. methotrexate 15 /7 |  |  | -100 creatinine 0, -5 creatinine 0.9 | not evaluable
        a creatinine that cannot be converted      | -400.. methotrexate 15 /7 |  |  | -100 creatinine 100, -5 creatinine ? | not evaluable
    """,
)
