"""What `second-line-review` and `core-set-incomplete` share: each patient's first line, response and clocks, in SQL.

All clocks start at `day0`, the first day of the present episode of glucocorticoid (monitoring/rules/steroid.py). The
response is the Total Improvement Score between the baseline core set and the newest one, as an interval where measures
are missing: below a limit when even its upper end is, not below when its lower end is not, else it cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from monitoring.rules import deterioration_sql, sql, steroid, tis_sql
from monitoring.rules.base import Prepared, Question
from monitoring.scores import worsening
from monitoring.scores.tis import ENZYME_RANGES, Measure
from patients.antibodies import POSITIVE_RESULTS
from therapy.formulary import FIRST_LINE
from therapy.lines import NUMBERS
from therapy.models import StopReason


@dataclass(frozen=True)
class Parameters(steroid.Parameters, worsening.Parameters):
    # What is enough, as the pages count it (therapy/lines.py).
    steroid_mg_kg_day: Decimal = NUMBERS.steroid_mg_kg_day  # of prednisone equivalent
    steroid_days: int = NUMBERS.steroid_days
    weight_days: int = NUMBERS.weight_days
    methotrexate_mg_week: Decimal = NUMBERS.methotrexate_mg_week
    azathioprine_mg_kg_day: Decimal = NUMBERS.azathioprine_mg_kg_day
    mycophenolate_mg_day: Decimal = NUMBERS.mycophenolate_mg_day
    agent_days: int = NUMBERS.agent_days
    response_days: int = 84
    response_days_early: int = 56  # necrotising myopathy, anti-MDA5
    no_response_below: Decimal = Decimal(20)
    partial_days: int = 168
    partial_below: Decimal = Decimal(40)
    baseline_before_days: int = 28
    baseline_after_days: int = 14
    follow_up_from_day: int = 42
    follow_up_max_age_days: int = 84
    enzyme_days: int = 28
    dependent_days: int = 168
    dependent_pe_above_mg: Decimal = Decimal(10)
    rises: int = 2
    rises_window_days: int = 365
    rise_least_mg: Decimal = Decimal("2.5")
    rises_after_day: int = 56
    intolerant_days: int = 180
    rituximab_quiet_days: int = 168
    rituximab_cycle_days: int = 28
    ivig_quiet_days: int = 112


# Of a core set: columns `before_...` and `after_...` of `told`.
CORE_SET = (*tis_sql.VISIT, "enzyme", "enzyme_value", "enzyme_uln", "enzyme_on")

# What a follow-up has to bring to be compared.
AFTER = {
    **tis_sql.NAMES,
    Measure.MMT: "MMT8 on the scale of the baseline",
    Measure.ENZYME: "the muscle enzyme of the baseline, with its upper limit",
}


def _before(alias: str) -> dict[Measure, str]:
    """SQL that is NULL where a row of `before` has no such measure."""
    columns = {measure: f"{alias}.{measure.value}" for measure in Measure}
    columns[Measure.MMT] = f"COALESCE({alias}.mmt8_150, {alias}.mmt8_80)"
    return columns


def _told(q: Question) -> str:
    return f"WITH RECURSIVE {_ctes(q)} SELECT * FROM told"


TOLD = Prepared("second_line", _told)


def ctes(q: Question, people: str = "told") -> str:
    """CTEs up to `told`: one row for each patient asked about who ever had a glucocorticoid and may have the question
    put (never inclusion body myositis, not while quiet). To be used after WITH RECURSIVE.

    It has its reasons: is_no_response, is_partial, is_deteriorated, is_dependent_dose,
    is_dependent_rises, is_intolerant. `is_adequate`, `below_first` and `below_second` are NULL where they cannot be
    told; `is_untold`: the score leaves a reason open; `baseline_lacks` and `follow_up_lacks` name measures, the latter
    only those the baseline has.
    """
    if table := q.shared(TOLD):
        return f"""told AS (
            SELECT * FROM {table}
        ), {steroid.levels(q, people=people, recent=True)}, {_enough(people, people)}"""
    return _ctes(q)


def _enough(people: str, weights: str) -> str:
    """CTEs up to `enough_run`: how long each line was taken in the episode at or above its lower end, without a break."""
    return f"""floor (line, amount, is_per_kg, days) AS (VALUES
        ('{steroid.PE}', %(steroid_mg_kg_day)s, true, %(steroid_days)s),
        ('methotrexate', %(methotrexate_mg_week)s, false, %(agent_days)s),
        ('azathioprine', %(azathioprine_mg_kg_day)s, true, %(agent_days)s),
        ('mycophenolate-mofetil', %(mycophenolate_mg_day)s, false, %(agent_days)s)
    ), enough AS (
        -- The days of the episode at or above the lower end. Without a weight, a dose per kg may be enough: not sure.
        SELECT p.patient_id, l.line, GREATEST(l.first_day, p.day0) AS first_day, l.last_day, l.amount,
            NOT f.is_per_kg OR w.weight_kg IS NOT NULL AS is_sure, f.days AS needed
        FROM {people} p
        JOIN dose_level l ON l.patient_id = p.patient_id AND l.last_day >= p.day0
        JOIN floor f ON f.line = l.line
        LEFT JOIN {weights} w ON w.patient_id = p.patient_id
        WHERE l.amount >= CASE WHEN f.is_per_kg THEN COALESCE(f.amount * w.weight_kg, 0) ELSE f.amount END
    ), enough_run AS (
        SELECT patient_id, line, needed, is_sure, max(last_day) - min(first_day) + 1 AS days FROM (
            SELECT *, sum(opens) OVER (PARTITION BY patient_id, line ORDER BY first_day) AS run FROM (
                SELECT *, CASE WHEN lag(last_day) OVER (PARTITION BY patient_id, line ORDER BY first_day)
                    = first_day - 1 THEN 0 ELSE 1 END AS opens
                FROM enough) opened) numbered
        GROUP BY patient_id, line, needed, is_sure, run
    )"""


def _ctes(q: Question) -> str:
    enzymes = ", ".join(f"'{name}'" for name in ENZYME_RANGES)
    points = tis_sql.points("b", "f")
    visits_alone = [measure for measure in Measure if measure is not Measure.ENZYME]
    columns = ", ".join(f"v.{name}" for name in tis_sql.VISIT)
    has = _before("b")
    lacks_before = ", ".join(f"CASE WHEN {has[m]} IS NULL THEN '{tis_sql.NAMES[m]}' END" for m in Measure)
    lacks_after = ", ".join(
        f"CASE WHEN {has[m]} IS NOT NULL AND t.{m.value} IS NULL THEN '{AFTER[m]}' END" for m in Measure
    )
    return f"""intolerance AS (
        SELECT a.patient_id,
            array_agg(DISTINCT c.drug ORDER BY c.drug) AS drugs, max(s.stopped_on) AS stopped_on
        FROM asked a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")}
            AND c.drug IN ({steroid.words(FIRST_LINE)})
        JOIN therapy_coursestop s ON s.course_id = c.id AND {q.known("s")} AND s.reason = '{StopReason.TOXICITY.value}'
        WHERE s.stopped_on BETWEEN %(as_of)s::date - %(intolerant_days)s::int AND %(as_of)s
        GROUP BY a.patient_id
    ), {steroid.taking(q, days_back="%(episode_gap_days)s", recent=True)}, candidate AS (
        -- in an episode, or with a toxicity to be looked at; for nobody else can a reason hold
        SELECT a.patient_id FROM asked a
        JOIN (SELECT patient_id FROM taking UNION SELECT patient_id FROM intolerance) possible USING (patient_id)
        WHERE a.subtype <> 'inclusion_body'
    ), {steroid.courses(q, steroid.WITH_FIRST_LINE, "candidate", recent=True)}, {steroid.episodes()},
    rituximab AS (
        SELECT a.patient_id, i.given_on,
            lag(i.given_on) OVER (PARTITION BY a.patient_id ORDER BY i.given_on, i.id) AS before_on,
            row_number() OVER (PARTITION BY a.patient_id ORDER BY i.given_on, i.id) AS nth
        FROM asked a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND c.drug = 'rituximab' AND {q.known("c")}
        JOIN therapy_infusion i ON i.course_id = c.id AND {q.known("i")} AND i.given_on <= %(as_of)s
    ), rituximab_run AS (
        -- After so long without one, the next begins a cycle whatever was before: only the last such run matters.
        SELECT patient_id, max(nth) AS nth FROM rituximab
        WHERE before_on IS NULL OR given_on - before_on > %(rituximab_cycle_days)s GROUP BY patient_id
    ), rituximab_step (patient_id, nth, began_on) AS (
        SELECT r.patient_id, r.nth, r.given_on FROM rituximab r JOIN rituximab_run u USING (patient_id, nth)
        UNION ALL
        SELECT r.patient_id, r.nth,
            CASE WHEN r.given_on - s.began_on > %(rituximab_cycle_days)s THEN r.given_on ELSE s.began_on END
        FROM rituximab_step s JOIN rituximab r ON r.patient_id = s.patient_id AND r.nth = s.nth + 1
    ), rituximab_cycle AS (
        SELECT patient_id, max(began_on) AS began_on FROM rituximab_step GROUP BY patient_id
    ), ivig_first AS (
        SELECT e.patient_id, min(i.given_on) AS given_on
        FROM steroid_episode e
        JOIN therapy_course c ON c.patient_id = e.patient_id AND c.drug = 'ivig' AND {q.known("c")}
        JOIN therapy_infusion i ON i.course_id = c.id AND {q.known("i")} AND i.given_on BETWEEN e.day0 AND %(as_of)s
        GROUP BY e.patient_id
    ), mda5 AS (
        SELECT DISTINCT a.patient_id
        FROM asked a
        JOIN patients_antibodyresult x ON x.patient_id = a.patient_id AND {q.known("x")} AND x.antibody = 'mda5'
        WHERE x.result IN ({steroid.words(POSITIVE_RESULTS)}) AND x.taken_on <= %(as_of)s
    ), person AS (
        SELECT a.patient_id, a.centre_id, a.sex, a.subtype, a.born_on, e.day0, e.episode, e.last_on,
            COALESCE(e.pe_today, 0) AS pe_today, %(as_of)s::date - e.day0 AS day, m.patient_id IS NOT NULL AS is_mda5,
            CASE WHEN a.subtype = 'necrotising' OR m.patient_id IS NOT NULL THEN %(response_days_early)s
                ELSE %(response_days)s END AS response_day,
            r.began_on AS rituximab_on, i.given_on AS ivig_on,
            COALESCE(%(as_of)s::date - r.began_on < %(rituximab_quiet_days)s, false)
                OR COALESCE(%(as_of)s::date - i.given_on < %(ivig_quiet_days)s, false) AS is_quiet
        FROM candidate
        JOIN asked a USING (patient_id)
        LEFT JOIN steroid_episode e USING (patient_id)
        LEFT JOIN mda5 m USING (patient_id)
        LEFT JOIN rituximab_cycle r USING (patient_id)
        LEFT JOIN ivig_first i USING (patient_id)
        -- ever had a glucocorticoid
        WHERE e.patient_id IS NOT NULL OR a.patient_id IN (SELECT patient_id FROM steroid_span)
    ), weight AS (
        SELECT DISTINCT ON (p.patient_id) p.patient_id, w.weight_kg, w.measured_on
        FROM person p
        JOIN monitoring_bodysize w ON w.patient_id = p.patient_id AND {q.known("w")} AND w.weight_kg IS NOT NULL
            AND w.measured_on <= %(as_of)s
            AND w.measured_on BETWEEN p.day0 - %(weight_days)s::int AND p.day0 + %(weight_days)s::int
        ORDER BY p.patient_id, abs(w.measured_on - p.day0), w.measured_on, w.id DESC
    ), {_enough("person", "weight")}, adequacy AS (
        SELECT patient_id,
            CASE WHEN bool_or(is_sure AND line = '{steroid.PE}' AND days >= needed) THEN true
                 WHEN bool_or(line = '{steroid.PE}' AND days >= needed) THEN NULL ELSE false END
            AND
            CASE WHEN bool_or(is_sure AND line <> '{steroid.PE}' AND days >= needed) THEN true
                 WHEN bool_or(line <> '{steroid.PE}' AND days >= needed) THEN NULL ELSE false END AS is_adequate
        FROM enough_run GROUP BY patient_id
    ), baseline AS (
        SELECT p.patient_id, v.*
        FROM person p
        CROSS JOIN LATERAL (
            SELECT v.id, v.assessed_on, {", ".join(f"v.{name}" for name in deterioration_sql.MEASURES)}
            FROM monitoring_assessment v
            WHERE v.patient_id = p.patient_id AND {q.known("v")} AND v.assessed_on <= %(as_of)s
              AND COALESCE({", ".join(f"v.{name}" for name in deterioration_sql.MEASURES)}) IS NOT NULL
              AND v.assessed_on BETWEEN p.day0 - %(baseline_before_days)s::int AND p.day0 + %(baseline_after_days)s::int
            ORDER BY v.assessed_on DESC, v.id DESC LIMIT 1) v
    ), {deterioration_sql.candidates(q, "person")}, follow_up AS (
        SELECT v.*
        FROM person p
        JOIN newest_visit v ON v.patient_id = p.patient_id
            AND v.assessed_on >= p.day0 + %(follow_up_from_day)s::int
            AND v.assessed_on >= %(as_of)s::date - %(follow_up_max_age_days)s::int
    ), worse_person AS (
        SELECT p.patient_id, p.day0 - (%(baseline_before_days)s + %(look_back_days)s)::int AS read_from
        FROM person p JOIN worsening USING (patient_id)
    ), {deterioration_sql.visits(q, "worse_person", "a.read_from")}, since AS (
        SELECT patient_id, assessed_on AS since_on FROM baseline
    ), {deterioration_sql.ctes()}, compared AS (
        SELECT p.patient_id, p.centre_id, p.sex, b.assessed_on AS b_on, f.assessed_on AS f_on
        FROM person p
        JOIN adequacy y ON y.patient_id = p.patient_id AND y.is_adequate IS NOT FALSE
        JOIN baseline b ON b.patient_id = p.patient_id
        LEFT JOIN follow_up f ON f.patient_id = p.patient_id
        WHERE p.day >= p.response_day
    ), rise AS (
        SELECT p.patient_id, count(*) AS rises,
            jsonb_agg(jsonb_build_object('on', s.first_day, 'from', {steroid.shown("s.before_steady")},
                                         'to', {steroid.shown("s.steady")})
                      ORDER BY s.first_day) AS rises_json
        FROM person p
        JOIN (SELECT *, lag(steady) OVER (PARTITION BY patient_id, course ORDER BY first_day) AS before_steady
              FROM steroid_span WHERE steady > 0) s ON s.patient_id = p.patient_id AND s.episode = p.episode
        WHERE s.steady - s.before_steady >= %(rise_least_mg)s
          AND s.first_day - p.day0 > %(rises_after_day)s
          AND s.first_day >= %(as_of)s::date - %(rises_window_days)s::int
        GROUP BY p.patient_id
    ), visit_points AS (
        SELECT c.patient_id, {", ".join(f"{points[m]} AS {m.value}" for m in visits_alone)}
        FROM compared c
        JOIN baseline b ON b.patient_id = c.patient_id
        LEFT JOIN follow_up f ON f.patient_id = c.patient_id
    ), unclear AS MATERIALIZED (
        -- Enzymes only add to the score: where it is high enough without them, they matter to what another reason shows.
        SELECT c.* FROM compared c
        JOIN visit_points v ON v.patient_id = c.patient_id
        JOIN person p ON p.patient_id = c.patient_id
        LEFT JOIN deteriorated d ON d.patient_id = c.patient_id
        LEFT JOIN rise r ON r.patient_id = c.patient_id
        LEFT JOIN intolerance x ON x.patient_id = c.patient_id
        WHERE {" + ".join(f"COALESCE(v.{m.value}, 0)" for m in visits_alone)}
                < GREATEST(%(no_response_below)s, %(partial_below)s)
           OR p.day >= %(dependent_days)s AND p.pe_today > %(dependent_pe_above_mg)s
           OR d.patient_id IS NOT NULL OR r.patient_id IS NOT NULL
           OR x.patient_id IS NOT NULL
    ), enzyme_result AS (
        SELECT DISTINCT ON (c.patient_id, w.at, r.analyte) c.patient_id, w.at, r.analyte, r.value, u.uln, r.taken_on
        FROM unclear c
        CROSS JOIN LATERAL (VALUES ('before', c.b_on), ('after', c.f_on)) w (at, day)
        -- LATERAL: a few results of each visit, by index, out of all there are
        CROSS JOIN LATERAL (
            SELECT * FROM monitoring_result r
            WHERE r.patient_id = c.patient_id AND r.analyte IN ({enzymes}) AND {q.known("r")}
              AND r.taken_on BETWEEN w.day - %(enzyme_days)s::int AND w.day + %(enzyme_days)s::int
              AND r.taken_on <= %(as_of)s AND r.value IS NOT NULL
            OFFSET 0) r
        CROSS JOIN LATERAL (SELECT {sql.uln("r", "c")} AS uln) u
        WHERE u.uln IS NOT NULL
        ORDER BY c.patient_id, w.at, r.analyte, abs(r.taken_on - w.day), {sql.newest_first("r")}
    ), enzyme AS (
        -- the most abnormal at baseline, then frozen; rounded only to find that two multiples are equal
        SELECT DISTINCT ON (patient_id) * FROM enzyme_result WHERE at = 'before'
        ORDER BY patient_id, round(value / uln, 12) DESC, {tis_sql.enzyme_order("analyte")}
    ), before AS (
        SELECT c.patient_id, {columns}, e.analyte AS enzyme, e.value AS enzyme_value, e.uln AS enzyme_uln,
            e.taken_on AS enzyme_on
        FROM compared c
        JOIN baseline v ON v.patient_id = c.patient_id
        LEFT JOIN enzyme e ON e.patient_id = c.patient_id
    ), after AS (
        SELECT c.patient_id, {columns}, l.analyte AS enzyme, l.value AS enzyme_value, l.uln AS enzyme_uln,
            l.taken_on AS enzyme_on
        FROM compared c
        JOIN follow_up v ON v.patient_id = c.patient_id
        LEFT JOIN enzyme e ON e.patient_id = c.patient_id
        LEFT JOIN enzyme_result l ON l.patient_id = c.patient_id AND l.at = 'after' AND l.analyte = e.analyte
    ), points AS (
        SELECT v.*, {points[Measure.ENZYME]} AS {Measure.ENZYME.value}
        FROM visit_points v
        JOIN before b ON b.patient_id = v.patient_id
        LEFT JOIN after f ON f.patient_id = v.patient_id
    ), judged AS (
        SELECT p.*, CASE WHEN y.patient_id IS NULL THEN false ELSE y.is_adequate END AS is_adequate,
            w.weight_kg, w.measured_on AS weight_on,
            v.assessed_on AS baseline_on, f.assessed_on AS follow_up_on, i.lowest, i.highest,
            {", ".join(f"t.{measure.value} AS {measure.value}_points" for measure in Measure)},
            CASE WHEN i.highest < %(no_response_below)s THEN true
                 WHEN i.lowest >= %(no_response_below)s THEN false END AS below_first,
            CASE WHEN i.highest < %(partial_below)s THEN true
                 WHEN i.lowest >= %(partial_below)s THEN false END AS below_second,
            CASE WHEN b.patient_id IS NOT NULL THEN ARRAY_REMOVE(ARRAY[{lacks_before}], NULL) END AS baseline_lacks,
            CASE WHEN b.patient_id IS NOT NULL THEN ARRAY_REMOVE(ARRAY[{lacks_after}], NULL) END AS follow_up_lacks,
            d.newest_on AS deterioration_on, d.before_on AS deterioration_before_on, d.changes AS deterioration_changes,
            d.reasons AS deterioration_reasons, COALESCE(r.rises, 0) AS rises, r.rises_json,
            x.drugs AS toxic_drugs, x.stopped_on AS toxic_on,
            b.patient_id IS NOT NULL AS has_before, {", ".join(f"b.{name} AS before_{name}" for name in CORE_SET)},
            n.patient_id IS NOT NULL AS has_after, {", ".join(f"n.{name} AS after_{name}" for name in CORE_SET)}
        FROM person p
        LEFT JOIN adequacy y ON y.patient_id = p.patient_id
        LEFT JOIN weight w ON w.patient_id = p.patient_id
        LEFT JOIN baseline v ON v.patient_id = p.patient_id
        LEFT JOIN follow_up f ON f.patient_id = p.patient_id
        LEFT JOIN before b ON b.patient_id = p.patient_id
        LEFT JOIN after n ON n.patient_id = p.patient_id
        LEFT JOIN points t ON t.patient_id = p.patient_id
        -- Without both visits every measure is missing, and the score can be anything.
        CROSS JOIN LATERAL (SELECT {tis_sql.lowest("t")} AS lowest, {tis_sql.highest("t")} AS highest) i
        LEFT JOIN deteriorated d ON d.patient_id = p.patient_id AND d.before_on >= p.day0
        LEFT JOIN rise r ON r.patient_id = p.patient_id
        LEFT JOIN intolerance x ON x.patient_id = p.patient_id
        WHERE NOT p.is_quiet OR d.patient_id IS NOT NULL
    ), told AS (
        SELECT *,
            COALESCE(is_adequate AND day >= response_day AND below_first, false) AS is_no_response,
            COALESCE(is_adequate AND day >= %(partial_days)s AND below_second, false) AS is_partial,
            -- what is missing matters where it could still make one of the first two reasons hold
            day >= response_day AND below_first IS NOT FALSE
                OR day >= %(partial_days)s AND below_second IS NOT FALSE AS is_possible,
            day >= response_day AND below_first IS NULL
                OR day >= %(partial_days)s AND below_second IS NULL AS is_untold,
            deterioration_on IS NOT NULL AS is_deteriorated,
            COALESCE(day >= %(dependent_days)s AND pe_today > %(dependent_pe_above_mg)s, false) AS is_dependent_dose,
            rises >= %(rises)s AS is_dependent_rises,
            toxic_on IS NOT NULL AS is_intolerant
        FROM judged
    )"""
