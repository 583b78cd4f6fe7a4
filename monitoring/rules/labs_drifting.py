"""A blood test of somebody on a monitored drug falls from sample to sample, within its limits."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring import limit_sets
from monitoring.limit_sets import LIMIT_SETS, LIMITED
from monitoring.rules import lab_schedule, labs_action_limit, sql
from monitoring.rules.base import Citation, Confidence, Question, Rule, chosen

# Those of which too little is what matters.
FALLING = tuple(code for code in LIMITED if any(labs_action_limit.numbers_of(code, "below")))


@dataclass(frozen=True)
class Parameters:
    limit_set: str = chosen(limit_sets.DEFAULT, LIMIT_SETS)
    falls: int = 3
    least_fall: Decimal = Decimal("0.25")  # of the first of these results
    window_days: int = 365  # all of these results are at most so old
    recent_days: int = 90  # the latest result may be this old
    stopped_days: int = 90  # a drug still counts for so long after it was stopped
    infusion_days: int = lab_schedule.Parameters.infusion_days  # an infusion counts as the drug of so many days

    def __post_init__(self) -> None:
        limit_sets.get(self.limit_set)


def fallen(q: Question) -> str:
    """SELECT patient_id, analyte: who has, in the year before, a result of which a recent one is low enough. Those fallen far
    between any two samples, and few; in a sweep also of patients who are not asked about.
    """
    who = "monitoring_result r" if q.is_sweep else "asked a JOIN monitoring_result r ON r.patient_id = a.patient_id"
    recent = "r.taken_on >= %(as_of)s::date - %(recent_days)s"
    reads = []
    for code in FALLING:
        reads.append(
            f"""SELECT r.patient_id, '{code}'::text AS analyte
            FROM {who}
            WHERE r.analyte = '{code}' AND {q.known("r")}
              AND r.taken_on BETWEEN %(as_of)s::date - %(window_days)s AND %(as_of)s
            GROUP BY r.patient_id
            HAVING max(r.value) >= min(r.value) FILTER (WHERE {recent}) / (1 - %(least_fall)s) * 0.999999
                OR bool_or(r.value IS NULL AND {recent})"""
        )
    return " UNION ALL ".join(reads)


def findings(q: Question) -> str:
    return f"""
    WITH {lab_schedule.monitored_spans(q)}, fallen AS MATERIALIZED (
        {fallen(q)}
    ), treated AS (
        SELECT f.patient_id, f.analyte, array_agg(DISTINCT n.name ORDER BY n.name) AS drugs
        FROM fallen f
        JOIN monitored_span u ON u.patient_id = f.patient_id AND u.until >= %(as_of)s::date - %(stopped_days)s
        JOIN ({lab_schedule.drugs()}) n (drug, name, longest, extras) ON n.drug = u.drug
        GROUP BY f.patient_id, f.analyte
    ), latest AS (
        SELECT t.*, l.id, l.taken_on, l.value
        FROM treated t
        CROSS JOIN LATERAL (
            SELECT r.id, r.taken_on, r.value
            FROM monitoring_result r
            WHERE r.patient_id = t.patient_id AND r.analyte = t.analyte AND {q.known("r")} AND r.taken_on <= %(as_of)s
            ORDER BY {sql.newest_first("r")} LIMIT 1
        ) l
        WHERE l.taken_on >= %(as_of)s::date - %(recent_days)s
    ), followed AS (
        -- The sample days of the run, newest first; of each day the later result.
        SELECT l.*, s.days, s.numbers, s.ids, n.name, n.inside, n.unit
        FROM latest l
        JOIN (VALUES {labs_action_limit.names(FALLING)}) n (analyte, name, inside, unit) ON n.analyte = l.analyte
        LEFT JOIN LATERAL (
            SELECT array_agg(d.taken_on ORDER BY d.taken_on DESC) AS days, array_agg(d.value ORDER BY d.taken_on DESC) AS numbers,
                array_agg(d.id ORDER BY d.taken_on DESC) AS ids
            FROM (SELECT DISTINCT ON (r.taken_on) r.id, r.taken_on, r.value
                  FROM monitoring_result r
                  WHERE l.value IS NOT NULL AND r.patient_id = l.patient_id AND r.analyte = l.analyte AND {q.known("r")}
                    AND r.value IS NOT NULL AND r.taken_on BETWEEN %(as_of)s::date - %(window_days)s AND l.taken_on
                  ORDER BY {sql.newest_first("r")} LIMIT %(falls)s + 1) d
        ) s ON true
    ), judged AS (
        SELECT *, numbers[%(falls)s + 1] AS first, days[%(falls)s + 1] AS first_on,
            COALESCE(
                cardinality(numbers) = %(falls)s + 1
                AND (SELECT bool_and(numbers[i] < numbers[i + 1]) FROM generate_series(1, %(falls)s) i)
                AND numbers[1] <= (1 - %(least_fall)s) * numbers[%(falls)s + 1]
                AND numbers[1] >= {labs_action_limit.of_analyte("followed", "below")}, false) AS is_drifting
        FROM followed
    )
    SELECT patient_id, 'analyte:' || analyte AS subject,
        CASE WHEN is_drifting THEN 'INFO' END AS level,
        NULL::date AS due_on,
        CASE WHEN is_drifting THEN jsonb_build_object(
            'reasons', ARRAY['falling'], 'name', name, 'unit', unit, 'drugs', drugs, 'result_id', id,
            'value', trim_scale(value), 'taken_on', taken_on, 'first', trim_scale(first), 'first_on', first_on,
            -- Cut, not rounded: it must not read as the threshold it does not reach.
            'percent', trunc(100 * (first - value) / first),
            'results', (SELECT jsonb_agg(trim_scale(v) ORDER BY i DESC) FROM unnest(numbers) WITH ORDINALITY x (v, i)),
            'days', (SELECT jsonb_agg(d ORDER BY i DESC) FROM unnest(days) WITH ORDINALITY x (d, i))
        ) END AS evidence,
        CASE WHEN value IS NULL THEN ARRAY['a unit of the latest ' || inside || ' that can be converted'] END AS missing
    FROM judged WHERE is_drifting OR value IS NULL
    """


RULE = Rule(
    id="labs-drifting",
    version=1,
    title="A blood test drifts down within its limits",
    audience=Role.NURSE,
    evidence=(
        Citation(
            text="Be aware of trends, not of limits alone: advice of hospital and pharmacy sheets on these drugs.",
            confidence=Confidence.SECONDARY,
        ),
        Citation(
            text="Three falls in a row, a quarter in all, and the days they may lie apart are a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    aside=("drugs",),
    explanations={
        "falling": "{name}: {p.falls} falls in a row, by {percent} % from {first} {unit} on {first_on} to {value} "
        "{unit} on {taken_on}, within the limits of the set {p.limit_set}: {results} {unit}.",
    },
    not_considered=(
        "A glucocorticoid being lowered, which lets white cells and neutrophils fall.",
        "Another laboratory or method.",
        "Variation from day to day: white cells vary by a fifth without any cause.",
    ),
    advice="Look at it again with the next sample.",
    examples="""
        case                                 | doses | infusions | results | expect
        nothing measured                     | -400.. methotrexate 15 /7 |  |  | quiet
        three falls, 25 % in all             | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | INFO [falling]
        three falls, just less than 25 %     | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6.01 | quiet
        three falls, 24.5 %                  | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6.04 | quiet
        three falls, 26 %                    | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 5.92 | INFO
        two falls                            | -400.. methotrexate 15 /7 |  | -65 wbc 8, -35 wbc 7, -5 wbc 6 | quiet
        two falls after a rise               | -400.. methotrexate 15 /7 |  | -95 wbc 7, -65 wbc 8, -35 wbc 7, -5 wbc 6 | quiet
        two equal among them                 | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 7, -5 wbc 6 | quiet
        four falls: the last three count     | -400.. methotrexate 15 /7 |  | -125 wbc 20, -95 wbc 7.5, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | quiet
        four falls, the last three enough    | -400.. methotrexate 15 /7 |  | -125 wbc 9, -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | INFO
        risen since                          | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6, -1 wbc 6.1 | quiet
        at the limit                         | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 3.5 | INFO
        below the limit: another rule speaks | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 3.49 | quiet
        neutrophils                          | -400.. methotrexate 15 /7 |  | -95 neutrophils 4, -65 neutrophils 3.5, -35 neutrophils 3.2, -5 neutrophils 3 | INFO
        platelets                            | -400.. methotrexate 15 /7 |  | -95 platelets 400, -65 platelets 350, -35 platelets 320, -5 platelets 300 | INFO
        albumin                              | -400.. methotrexate 15 /7 |  | -95 albumin 48, -65 albumin 44, -35 albumin 40, -5 albumin 36 | INFO
        eGFR                                 | -400.. methotrexate 15 /7 |  | -95 egfr 100, -65 egfr 90, -35 egfr 80, -5 egfr 75 | INFO
        eGFR by the formula of 2009          | -400.. methotrexate 15 /7 |  | -95 egfr-2009 240, -65 egfr-2009 220, -35 egfr-2009 200, -5 egfr-2009 180 | INFO [falling]
        eGFR by MDRD                         | -400.. methotrexate 15 /7 |  | -95 egfr-mdrd 240, -65 egfr-mdrd 220, -35 egfr-mdrd 200, -5 egfr-mdrd 180 | INFO [falling]
        eGFR higher than anybody else's      | -400.. methotrexate 15 /7 |  | -95 egfr 240, -65 egfr 220, -35 egfr 200, -5 egfr 180 | INFO
        white cells higher than others'      | -400.. methotrexate 15 /7 |  | -95 wbc 80, -65 wbc 70, -35 wbc 65, -5 wbc 60      | INFO
        platelets higher than others'        | -400.. methotrexate 15 /7 |  | -95 platelets 1200, -65 platelets 1100, -35 platelets 1000, -5 platelets 900 | INFO
        formulas are not mixed               | -400.. methotrexate 15 /7 |  | -95 egfr 100, -65 egfr-2009 90, -35 egfr 80, -5 egfr-2009 75 | quiet
        what no lower limit is for           | -400.. methotrexate 15 /7 |  | -95 alt 90, -65 alt 70, -35 alt 50, -5 alt 20 | quiet
        a rise is no fall                    | -400.. methotrexate 15 /7 |  | -95 wbc 6, -65 wbc 6.5, -35 wbc 7, -5 wbc 8 | quiet
        the later one of a day               | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35T8 wbc 9, -35T9 wbc 6.5, -5 wbc 6 | INFO
        no hours: the one entered last       | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 9, -35 wbc 6.5, -5 wbc 6     | INFO
        twice a day is one sample day        | -400.. methotrexate 15 /7 |  | -65 wbc 8, -35T8 wbc 7, -35T9 wbc 6.5, -5 wbc 6 | quiet
        the first 365 days ago               | -400.. methotrexate 15 /7 |  | -365 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | INFO
        the first 366 days ago               | -400.. methotrexate 15 /7 |  | -366 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | quiet
        the latest 90 days ago               | -400.. methotrexate 15 /7 |  | -180 wbc 8, -150 wbc 7, -120 wbc 6.5, -90 wbc 6 | INFO
        the latest 91 days ago               | -400.. methotrexate 15 /7 |  | -181 wbc 8, -150 wbc 7, -120 wbc 6.5, -91 wbc 6 | quiet
        the latest cannot be converted       | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc ? | not evaluable
        an earlier one cannot be converted   | -400.. methotrexate 15 /7 |  | -95 wbc 8, -65 wbc 7, -50 wbc ?, -35 wbc 6.5, -5 wbc 6 | INFO
        cannot be converted, 91 days ago     | -400.. methotrexate 15 /7 |  | -91 wbc ? | quiet
        no drug                              |  |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | quiet
        a small dose is the drug             | -400.. methotrexate 5 /7 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | INFO
        stopped 90 days ago                  | -400.. methotrexate 15 /7 stop -90 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | INFO
        stopped 91 days ago                  | -400.. methotrexate 15 /7 stop -91 |  | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | quiet
        infused 117 days ago                 |  | -117 cyclophosphamide 750 | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | INFO
        infused 118 days ago                 |  | -118 cyclophosphamide 750 | -95 wbc 8, -65 wbc 7, -35 wbc 6.5, -5 wbc 6 | quiet
    """,
)
