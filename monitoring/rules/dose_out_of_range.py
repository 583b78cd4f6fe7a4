"""A dose lies outside the usual range of its drug."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules import doses
from monitoring.rules.base import Citation, Confidence, Question, Rule
from therapy.formulary import EVERY_DAYS, FORMULARY, DoseRange, Drug, Every, Kind, Per, Phase


@dataclass(frozen=True)
class Parameters:
    weight_days: int = 90  # how old a weight may be
    titration_days: int = 56  # from the first dose on, in which less than the target is no less


DRUGS = frozenset(d.code for d in FORMULARY.values() if d.ranges and d.kind is not Kind.SUPPORTIVE)
_SCALE = {Per.ABSOLUTE: "", Per.KG: "/kg", Per.M2: "/m²"}
_TIME = {Every.DOSE: "a dose", Every.COURSE: "a course", Every.FOUR_WEEKS: "in 4 weeks"}


def _terms(drug: Drug, row: DoseRange) -> str:
    return f"{drug.unit.strip('{}')}{_SCALE[row.per]} {_TIME.get(row.every, f'a {row.every}')}"


def _ranges() -> str:
    """VALUES, one row for each range and route: low and high with what may be missed, and the numbers as they are said."""
    rows: list[str] = []
    for code in sorted(DRUGS):
        drug = FORMULARY[code]
        for row in drug.ranges:
            for route in row.routes or drug.routes:
                is_floor = row.phase is Phase.TARGET and drug.kind is not Kind.GLUCOCORTICOID
                numbers = (row.lowest, row.highest, row.ask_above, row.cap, row.low, row.high)
                said = ", ".join("NULL::numeric" if n is None else f"{n}::numeric" for n in numbers)
                rows.append(
                    f"({len(rows)}, '{code}', '{route}', {said}, {is_floor}, '{row.per}', '{row.every}', "
                    f"{EVERY_DAYS.get(row.every, 1)}, '{doses.text(_terms(drug, row))}', '{drug.unit.strip('{}')}')"
                )
    return "VALUES " + ", ".join(rows)


def _all(condition: str, where: str = "true") -> str:
    """SQL aggregate: true where it is true of every row, false where it is false of one, else NULL."""
    return f"""CASE WHEN bool_or(NOT ({condition})) FILTER (WHERE {where}) THEN false
            WHEN bool_or(({condition}) IS NULL) FILTER (WHERE {where}) THEN NULL
            ELSE bool_or({where}) END"""


def findings(q: Question) -> str:
    return f"""
    WITH taken AS ({doses.in_force(q, DRUGS)}),
    range (nr, drug, route, lowest, highest, ask_above, cap, low, high, is_floor, per, every, days, terms, unit) AS (
        {_ranges()}
    ), weight AS (
        SELECT DISTINCT ON (t.patient_id) t.patient_id, w.weight_kg, w.measured_on
        FROM (SELECT DISTINCT t.patient_id FROM taken t JOIN range r USING (drug, route) WHERE r.per <> 'absolute') t
        JOIN monitoring_bodysize w ON w.patient_id = t.patient_id AND {q.known("w")} AND w.weight_kg IS NOT NULL
            AND w.measured_on BETWEEN %(as_of)s::date - %(weight_days)s::int AND %(as_of)s
        ORDER BY t.patient_id, w.measured_on DESC, w.id DESC
    ), height AS (
        SELECT DISTINCT ON (t.patient_id) t.patient_id, h.height_cm
        FROM (SELECT DISTINCT t.patient_id FROM taken t JOIN range r USING (drug, route) WHERE r.per = 'm2') t
        JOIN monitoring_bodysize h ON h.patient_id = t.patient_id AND {q.known("h")} AND h.height_cm IS NOT NULL
            AND h.measured_on <= %(as_of)s
        ORDER BY t.patient_id, h.measured_on DESC, h.id DESC
    ), compared AS (
        -- the dose is `given` / `scale` in the terms of the range; it is multiplied, not divided, to compare exactly
        SELECT t.dose_id, r.nr, r.lowest, r.highest, r.ask_above, r.is_floor,
            t.amount * t.times > r.cap * t.every_days AS is_over_cap,
            CASE r.every WHEN 'dose' THEN t.amount ELSE t.amount * t.times * r.days END AS given,
            CASE WHEN r.every IN ('dose', 'course') THEN 1 ELSE t.every_days END
                * CASE r.per WHEN 'kg' THEN w.weight_kg
                             WHEN 'm2' THEN sqrt(h.height_cm * w.weight_kg / 3600) ELSE 1 END AS scale
        FROM taken t
        JOIN range r ON r.drug = t.drug AND r.route = t.route
        LEFT JOIN weight w ON w.patient_id = t.patient_id
        LEFT JOIN height h ON h.patient_id = t.patient_id
    ), judged AS (
        SELECT dose_id, COALESCE(bool_or(is_over_cap), false) AS is_over_cap,
            {_all("highest IS NOT NULL AND given > highest * scale")} AS is_above,
            {_all("ask_above IS NOT NULL AND given > ask_above * scale")} AS is_asked,
            {_all("given < lowest * scale", "is_floor")} AS is_below
        FROM compared GROUP BY dose_id
    ), phased AS (
        SELECT t.*, j.is_over_cap, j.is_above, j.is_asked, j.is_below,
            -- only where it matters: the first dose of the course, however long ago
            CASE WHEN j.is_below IS NOT FALSE AND t.starts_on > %(as_of)s::date - %(titration_days)s::int THEN
                EXISTS (SELECT 1 FROM therapy_dose b WHERE b.course_id = t.course_id AND {q.known("b")} AND b.amount > 0
                        AND b.starts_on <= %(as_of)s::date - %(titration_days)s::int)
                ELSE true END AS is_target
        FROM judged j JOIN taken t ON t.dose_id = j.dose_id
        -- most doses are as they should be: what is said of the others is worked out for them alone
        WHERE j.is_over_cap OR j.is_above IS NOT FALSE OR j.is_below IS NOT FALSE
    ), worded AS (
        SELECT *, CASE
            WHEN is_over_cap THEN 'over-cap'
            WHEN is_above AND is_asked THEN 'above'
            WHEN is_above THEN 'above-noted'
            WHEN is_below AND is_target THEN 'below'
            WHEN is_above IS NULL OR is_below IS NULL AND is_target THEN 'untold' END AS word
        FROM phased
    ), detail AS (
        SELECT p.dose_id, max(r.cap) AS cap, max(r.unit) AS unit, bool_or(r.per = 'm2') AS by_surface,
            bool_or(r.per <> 'absolute') AS by_weight,
            -- rounded away from the limit, so that it never reads as the limit it misses
            (array_agg(jsonb_build_array(r.high, r.ask_above, trim_scale(ceil(c.given * 1000 / c.scale) / 1000), r.terms)
                ORDER BY r.high DESC NULLS LAST))[1] AS upper,
            (array_agg(jsonb_build_array(r.low, NULL, trim_scale(trunc(c.given / c.scale, 3)), r.terms)
                ORDER BY r.low) FILTER (WHERE r.is_floor))[1] AS lower
        FROM worded p JOIN compared c ON c.dose_id = p.dose_id JOIN range r ON r.nr = c.nr
        WHERE p.word IS NOT NULL
        GROUP BY p.dose_id
    ), told AS (
        SELECT p.*, x.cap, x.unit, x.by_surface, x.by_weight, x.upper, x.lower
        FROM worded p JOIN detail x ON x.dose_id = p.dose_id
    )
    SELECT t.patient_id, 'course:' || t.course_id AS subject,
        CASE WHEN t.word = 'untold' THEN NULL
             WHEN t.word IN ('over-cap', 'above') AND t.out_of_range_reason = '' THEN 'TASK' ELSE 'INFO' END AS level,
        NULL::date AS due_on,
        CASE WHEN t.word <> 'untold' THEN jsonb_build_object(
            'reasons', ARRAY_REMOVE(ARRAY[t.word,
                CASE WHEN t.by_weight AND w.weight_kg IS NOT NULL AND t.word <> 'over-cap' THEN 'at-weight' END,
                CASE WHEN t.word IN ('over-cap', 'above') AND t.out_of_range_reason = '' THEN 'unexplained'
                     WHEN t.out_of_range_reason <> '' THEN 'explained' END], NULL),
            'drug', n.name, 'since', t.starts_on, 'why', t.out_of_range_reason, 'cap', t.cap, 'unit', t.unit,
            'dose', trim_scale(t.amount) || ' ' || t.unit
                || CASE t.times WHEN 1 THEN '' WHEN 2 THEN ' twice' ELSE ' ' || t.times || ' times' END
                || CASE t.every_days WHEN 1 THEN ' a day' WHEN 7 THEN ' a week' ELSE ' in ' || t.every_days || ' days' END,
            'limit', CASE t.word WHEN 'below' THEN t.lower ELSE t.upper END -> 0,
            'asked_above', t.upper -> 1,
            'value', CASE t.word WHEN 'below' THEN t.lower ELSE t.upper END -> 2,
            'terms', CASE t.word WHEN 'below' THEN t.lower ELSE t.upper END -> 3,
            'weight_kg', CASE WHEN t.by_weight THEN trim_scale(w.weight_kg) END,
            'weight_on', CASE WHEN t.by_weight THEN w.measured_on END
        ) END AS evidence,
        CASE WHEN t.word = 'untold' THEN ARRAY_REMOVE(ARRAY[
            CASE WHEN w.patient_id IS NULL THEN 'a weight of the last ' || %(weight_days)s || ' days' END,
            CASE WHEN t.by_surface AND h.patient_id IS NULL THEN 'a height' END], NULL) END AS missing
    FROM told t
    JOIN ({doses.names(DRUGS)}) n (code, name) ON n.code = t.drug
    LEFT JOIN weight w ON w.patient_id = t.patient_id
    LEFT JOIN height h ON h.patient_id = t.patient_id
    """


THAT = "{drug}, {dose} since {since}: that is {value} {terms}, "

RULE = Rule(
    id="dose-out-of-range",
    version=1,
    title="A dose is outside its usual range",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="Ranges of prednisone, methotrexate, azathioprine, mycophenolate, immunoglobulin and rituximab: the guideline "
            "text of the project.",
            confidence=Confidence.PRIMARY,
        ),
        Citation(text="Ranges of the other drugs, and the cap of prednisone.", confidence=Confidence.GENERAL),
        Citation(text="A weight holds for 90 days, and a dose is built up over 8 weeks.", confidence=Confidence.LOCAL),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    aside=("value", "weight_kg", "weight_on"),
    explanations={
        "above": THAT + "above the usual {limit}.",
        "above-noted": THAT + "above the usual {limit}. A reason is asked for only above {asked_above}.",
        "over-cap": "{drug}, {dose} since {since}: that is more than {cap} {unit} a day.",
        "below": THAT + "below the usual {limit} once a dose is built up.",
        "unexplained": "No reason is recorded.",
        "explained": "Recorded reason: {why}",
        "at-weight": "At {weight_kg} kg, measured on {weight_on}.",
    },
    not_considered=(
        "Kidney and liver function, TPMT, age and levels in the blood, each of which can ask for less.",
        "The same drug by two routes at once: each course is judged by itself.",
        "Infusions given: they are judged by themselves.",
        "Obesity: doses per kg are reckoned with the actual weight.",
    ),
    advice="Check the dose and its unit. Where it is meant, correct the entry and give the reason.",
    examples="""
        case                                | doses                                    | weight              | why           | expect
        nothing taken                       |                                          | -5 60               |               | quiet
        methotrexate 14.999 mg              | -100.. methotrexate 14.999 /7            |                     |               | INFO [below]
        methotrexate 15 mg                  | -100.. methotrexate 15 /7                |                     |               | quiet
        methotrexate 25 mg                  | -100.. methotrexate 25 /7                |                     |               | quiet
        methotrexate 25.001 mg              | -100.. methotrexate 25.001 /7            |                     |               | TASK [above, unexplained]
        above, and why                      | -100.. methotrexate 30 /7                |                     | skin disease  | INFO [above, explained]
        below, and why                      | -100.. methotrexate 10 /7                |                     | kidneys       | INFO [below, explained]
        above in the first weeks            | -3.. methotrexate 25.001 /7              |                     |               | TASK [above, unexplained]
        10 mg on day 55                     | -55.. methotrexate 10 /7                 |                     |               | quiet
        10 mg on day 56                     | -56.. methotrexate 10 /7                 |                     |               | INFO [below]
        10 mg on day 57                     | -57.. methotrexate 10 /7                 |                     |               | INFO [below]
        a step up on day 55 of the course   | -55..-11 methotrexate 7.5 /7, -10.. methotrexate 10 /7 |       |               | quiet
        a step up on day 56 of the course   | -56..-11 methotrexate 7.5 /7, -10.. methotrexate 10 /7 |       |               | INFO [below]
        every two weeks, twice              | -100.. methotrexate 15 x2 /14            |                     |               | quiet
        every two weeks                     | -100.. methotrexate 25 /14               |                     |               | INFO [below]
        azathioprine 0.99999 mg/kg          | -100.. azathioprine 69.999               | -5 70               |               | INFO [below, at-weight]
        azathioprine 1 mg/kg                | -100.. azathioprine 70                   | -5 70               |               | quiet
        azathioprine 2 mg/kg                | -100.. azathioprine 140                  | -5 70               |               | quiet
        a little more                       | -100.. azathioprine 140.001              | -5 70               |               | INFO [above-noted, at-weight]
        azathioprine 3 mg/kg                | -100.. azathioprine 210                  | -5 70               |               | INFO [above-noted, at-weight]
        more than 3 mg/kg                   | -100.. azathioprine 210.001              | -5 70               |               | TASK [above, unexplained, at-weight]
        more than 3 mg/kg, and why          | -100.. azathioprine 210.001              | -5 70               | as agreed     | INFO [above, explained, at-weight]
        azathioprine 50 mg, first weeks     | -9.. azathioprine 50                     | -5 70               |               | quiet
        no weight                           | -100.. azathioprine 140                  |                     |               | not evaluable
        a weight of 90 days ago             | -100.. azathioprine 140                  | -90 70              |               | quiet
        a weight of 91 days ago             | -100.. azathioprine 140                  | -91 70              |               | not evaluable
        a weight of tomorrow                | -100.. azathioprine 140                  | 1 70                |               | not evaluable
        the newest weight counts            | -100.. azathioprine 140                  | -40 70, -5 45       |               | TASK [above, unexplained, at-weight]
        a height alone                      | -100.. azathioprine 140                  | -5 height           |               | not evaluable
        mycophenolate 1999.998 mg           | -100.. mycophenolate-mofetil 999.999 x2  |                     |               | INFO [below]
        mycophenolate 2000 mg               | -100.. mycophenolate-mofetil 1000 x2     |                     |               | quiet
        mycophenolate 3000 mg               | -100.. mycophenolate-mofetil 1500 x2     |                     |               | quiet
        mycophenolate 3000.002 mg           | -100.. mycophenolate-mofetil 1500.001 x2 |                     |               | TASK
        prednisone 1 mg/kg                  | -9.. prednisone 60                       | -5 60               |               | quiet
        prednisolone 1 mg/kg                | -9.. prednisolone 60                     | -5 60               |               | quiet
        more than 1 mg/kg                   | -9.. prednisone 60.001                   | -5 60               |               | TASK [above, unexplained, at-weight]
        1 mg/kg, every other day            | -9.. prednisone 120 /2                   | -5 60               |               | quiet
        tapered: never too little           | -300.. prednisone 2.5                    | -5 60               |               | quiet
        prednisone 80 mg, no weight         | -9.. prednisone 80                       |                     |               | not evaluable
        prednisone 80.001 mg, no weight     | -9.. prednisone 80.001                   |                     |               | TASK [over-cap, unexplained]
        prednisone 81 mg, and why           | -9.. prednisone 81                       | -5 100              | vasculitis    | INFO [over-cap, explained]
        prednisone 80 mg at 100 kg          | -9.. prednisone 80                       | -5 100              |               | quiet
        a pulse of 1000 mg                  | -2..0 methylprednisolone 1000            |                     |               | quiet
        a pulse of 1000.001 mg              | -2..0 methylprednisolone 1000.001        |                     |               | TASK
        no range by this route              | -2..0 methylprednisolone:oral 1000       |                     |               | quiet
        immunoglobulin, 5 % less            | -100.. ivig 57 x2 /28                    | -5 60               |               | quiet
        still less                          | -100.. ivig 56.999 x2 /28                | -5 60               |               | INFO [below, at-weight]
        immunoglobulin, 5 % more            | -100.. ivig 63 x2 /28                    | -5 60               |               | quiet
        still more                          | -100.. ivig 63.001 x2 /28                | -5 60               |               | TASK
        rituximab 1000 mg                   | -100.. rituximab 1000 /14                |                     |               | quiet
        rituximab 500 mg                    | -100.. rituximab 500 /14                 |                     |               | INFO [below]
        cyclophosphamide 1000 mg/m²         | -9.. cyclophosphamide 1700 /28           | -5 61.2, -900 height |              | quiet
        more than 1000 mg/m²                | -9.. cyclophosphamide 1700.001 /28       | -5 61.2, -900 height |              | TASK
        500 mg, whatever the size           | -99.. cyclophosphamide 500 /14           |                     |               | quiet
        501 mg and no size                  | -99.. cyclophosphamide 501 /14           |                     |               | not evaluable
        501 mg and no height                | -99.. cyclophosphamide 501 /14           | -5 61.2             |               | not evaluable
        below both regimens                 | -99.. cyclophosphamide 499 /14           | -5 61.2, -900 height |              | INFO [below, at-weight]
        abatacept by mouth of a vein        | -99.. abatacept:intravenous 750 /28      | -5 75               |               | quiet
        an ointment                         | -99.. tacrolimus:topical 100             |                     |               | quiet
        folic acid                          | -99.. folic-acid 5                       |                     |               | quiet
        a statin has no range               | -99.. atorvastatin 400                   |                     |               | quiet
        ended yesterday                     | -99..-1 methotrexate 30 /7               |                     |               | quiet
        ends today                          | -99..0 methotrexate 30 /7                |                     |               | TASK
        begins tomorrow                     | 1.. methotrexate 30 /7                   |                     |               | quiet
        stopped yesterday                   | -99.. methotrexate 30 /7 stop -1         |                     |               | quiet
        stopped today                       | -99.. methotrexate 30 /7 stop 0          |                     |               | TASK
        two courses, one too high           | -99.. methotrexate 30 /7, -99.. mycophenolate-mofetil 1000 x2 |     |          | TASK
    """,
)
