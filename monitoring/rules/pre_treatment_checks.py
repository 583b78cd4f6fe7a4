"""A drug was begun, or is about to be, and what it needs before its first dose is not on record."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules import doses, first_dose
from monitoring.rules.base import Citation, Confidence, Question, Rule
from monitoring.rules.steroid import words
from therapy.prednisone_equivalent import SYSTEMIC_ROUTES


@dataclass(frozen=True)
class Parameters(first_dose.Parameters):
    ahead_days: int = 14  # a start so near is a task
    after_days: int = 180  # how long after the start it is asked for
    restart_days: int = 28  # a new course so soon after one of the same drug is no new start


def findings(q: Question) -> str:
    drugs = words(first_dose.DRUGS)
    return f"""
    WITH given AS (
        -- doses and infusions that could be the first of a course
        SELECT c.id AS course_id, c.patient_id, c.drug
        FROM asked a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")} AND c.drug IN ({drugs})
            AND c.route IN ({words(SYSTEMIC_ROUTES)})
        JOIN therapy_dose d ON d.course_id = c.id AND {q.known("d")} AND d.amount > 0 AND d.starts_on
            BETWEEN %(as_of)s::date - %(after_days)s::int AND %(as_of)s::date + %(horizon)s::int
        UNION
        SELECT c.id, c.patient_id, c.drug
        FROM asked a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")} AND c.drug IN ({drugs})
            AND c.route IN ({words(SYSTEMIC_ROUTES)})
        JOIN therapy_infusion i ON i.course_id = c.id AND {q.known("i")}
            AND i.given_on BETWEEN %(as_of)s::date - %(after_days)s::int AND %(as_of)s
    ), beside AS (
        -- those courses, and the others of the same drug
        SELECT c.patient_id, c.drug, c.id AS course_id, e.stopped_on
        FROM (SELECT DISTINCT patient_id, drug FROM given) g
        JOIN therapy_course c ON c.patient_id = g.patient_id AND c.drug = g.drug AND {q.known("c")}
            AND c.route IN ({words(SYSTEMIC_ROUTES)})
        LEFT JOIN therapy_coursestop e ON e.course_id = c.id AND {q.known("e")}
    ), extent AS (
        SELECT patient_id, drug, course_id, stopped_on, min(first_on) AS first_on,
            LEAST(max(last_on), stopped_on) AS last_on
        FROM (
            SELECT b.*, d.starts_on AS first_on, COALESCE(d.ends_on, 'infinity') AS last_on
            FROM beside b JOIN therapy_dose d ON d.course_id = b.course_id AND {q.known("d")} AND d.amount > 0
            UNION ALL
            SELECT b.*, i.given_on, i.given_on
            FROM beside b
            JOIN therapy_infusion i ON i.course_id = b.course_id AND {q.known("i")} AND i.given_on <= %(as_of)s
        ) days GROUP BY patient_id, drug, course_id, stopped_on
    ), start AS (
        SELECT a.patient_id, x.course_id AS key, x.drug, x.first_on AS starts_on, a.sex, a.born_on
        FROM extent x JOIN asked a ON a.patient_id = x.patient_id
        WHERE x.first_on BETWEEN %(as_of)s::date - %(after_days)s::int AND %(as_of)s::date + %(horizon)s::int
          AND (x.stopped_on IS NULL OR x.stopped_on >= GREATEST(x.first_on, %(as_of)s::date))
          AND NOT EXISTS (SELECT 1 FROM extent o WHERE o.patient_id = x.patient_id AND o.drug = x.drug
                          AND (o.first_on, o.course_id) < (x.first_on, x.course_id)
                          AND o.last_on >= x.first_on - %(restart_days)s::int)
    ), {first_dose.ctes(q, "start")}, lacking AS (
        SELECT patient_id, key,
            jsonb_agg(CASE WHEN twice THEN name || ' ' || %(apart_from_days)s || ' to ' || %(apart_to_days)s
                || ' days apart' ELSE name END ORDER BY nr) FILTER (WHERE NOT is_known) AS lacks,
            bool_or(is_known IS NULL) AS is_unsure
        FROM first_check
        WHERE is_known IS NOT TRUE
        GROUP BY patient_id, key
    )
    SELECT s.patient_id, 'course:' || s.key AS subject,
        CASE WHEN l.lacks IS NOT NULL AND s.starts_on <= %(as_of)s::date + %(ahead_days)s::int THEN 'TASK' END AS level,
        CASE WHEN l.lacks IS NOT NULL THEN s.starts_on END AS due_on,
        CASE WHEN l.lacks IS NOT NULL AND s.starts_on <= %(as_of)s::date + %(ahead_days)s::int THEN jsonb_build_object(
            'reasons', ARRAY[CASE WHEN s.starts_on <= %(as_of)s THEN 'begun' ELSE 'planned' END],
            'drug', n.name, 'starts_on', s.starts_on, 'lacks', l.lacks
        ) END AS evidence,
        CASE WHEN l.is_unsure AND (l.lacks IS NULL OR s.starts_on <= %(as_of)s::date + %(ahead_days)s::int) THEN ARRAY['whether she can become pregnant'] END AS missing
    FROM start s
    JOIN lacking l ON l.patient_id = s.patient_id AND l.key = s.key
    JOIN ({doses.names(first_dose.DRUGS)}) n (code, name) ON n.code = s.drug
    """


RULE = Rule(
    id="pre-treatment-checks",
    version=1,
    title="Something is missing that a drug needs before its first dose",
    audience=Role.NURSE,
    evidence=(
        Citation(
            text="BSR/BHPR 2017 (Ledingham J, et al.): blood count, kidney, liver and lung before a disease-modifying drug.",
            confidence=Confidence.SECONDARY,
            doi="10.1093/rheumatology/kew479",
        ),
        Citation(
            text="EULAR 2022 (Fragoulis GE, et al.): tuberculosis before biologic and targeted drugs, hepatitis B and C, "
            "varicella.",
            confidence=Confidence.PRIMARY,
            doi="10.1136/ard-2022-223335",
        ),
        Citation(
            text="Two pregnancy tests 8 to 10 days apart before mycophenolate; TPMT before azathioprine.",
            confidence=Confidence.SECONDARY,
        ),
        Citation(
            text="What each drug needs stands in the formulary. How old a check may be, and how long it is asked for after "
            "the start, is local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "begun": "{drug} began on {starts_on}. Not on record: {lacks}.",
        "planned": "{drug} is to begin on {starts_on}. Not on record: {lacks}.",
    },
    not_considered=(
        "What the checks found: a positive one is recorded, too.",
        "Checks done elsewhere and not recorded here.",
        "TPMT after a transfusion in the last 120 days, and serology after immunoglobulin: neither can be relied on.",
        "What is advised beside: it is shown where the drug is entered.",
    ),
    advice="Ask for what is missing before the first dose; after it, as soon as can be. Enter what was done elsewhere.",
    examples="""
        case                                     | doses | infusions                                | before | screenings | imaging                       | sex     | age | risks                                   | expect
        nothing begun                            |  |                                          | -20 panel, -20 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | quiet
        everything is recorded                   | -10.. azathioprine 100 |                                          | -20 panel, -20 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | quiet
        nothing is recorded                      | -10.. azathioprine 100 |                                          |  |  |                               | female  |     |                                         | TASK due -10 [begun]
        no TPMT                                  | -10.. azathioprine 100 |                                          | -20 panel, -20 hbv |  |                               | female  |     |                                         | TASK due -10 [begun]
        TPMT, years ago                          | -10.. azathioprine 100 |                                          | -20 panel, -20 hbv, -4000 tpmt 14 |  |                               | female  |     |                                         | quiet
        TPMT from elsewhere                      | -10.. azathioprine 100 |                                          | -20 panel, -20 hbv | -20 tpmt normal |                               | female  |     |                                         | quiet
        TPMT indeterminate                       | -10.. azathioprine 100 |                                          | -20 panel, -20 hbv | -20 tpmt indeterminate |                               | female  |     |                                         | TASK
        only HBsAg                               | -10.. azathioprine 100 |                                          | -20 panel, -20 hbsag negative, -20 tpmt 14 |  |                               | female  |     |                                         | TASK
        anti-HBc indeterminate                   | -10.. azathioprine 100 |                                          | -20 panel, -20 hbsag negative, -20 anti-hbc indeterminate, -20 tpmt 14 |  |                               | female  |     |                                         | TASK
        anti-HBc, an answer nobody knows         | -10.. azathioprine 100 |                                          | -20 panel, -20 hbsag negative, -20 anti-hbc equivocal, -20 tpmt 14 |  |                               | female  |     |                                         | TASK
        hepatitis B positive is recorded, too    | -10.. azathioprine 100 |                                          | -20 panel, -20 hbsag positive, -20 anti-hbc positive, -20 tpmt 14 |  |                               | female  |     |                                         | quiet
        hepatitis B from elsewhere               | -10.. azathioprine 100 |                                          | -20 panel, -20 tpmt 14 | -20 hepatitis_b |                               | female  |     |                                         | quiet
        serology 364 days before                 | -10.. azathioprine 100 |                                          | -20 panel, -374 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | quiet
        serology 365 days before                 | -10.. azathioprine 100 |                                          | -20 panel, -375 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | quiet
        serology 366 days before                 | -10.. azathioprine 100 |                                          | -20 panel, -376 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | TASK
        blood tests 90 days before               | -10.. azathioprine 100 |                                          | -100 panel, -20 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | quiet
        blood tests 91 days before               | -10.. azathioprine 100 |                                          | -101 panel, -20 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | TASK
        eGFR and AST do as well                  | -10.. azathioprine 100 |                                          | -20 count, -20 egfr 90, -20 ast 20, -20 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | quiet
        no liver test                            | -10.. azathioprine 100 |                                          | -20 count, -20 egfr 90, -20 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | TASK
        no platelets                             | -10.. azathioprine 100 |                                          | -20 haemoglobin 140, -20 wbc 5, -20 neutrophils 3, -20 alt 9, -20 creatinine 60, -20 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | TASK
        the count in two samples                 | -10.. azathioprine 100 |                                          | -20 haemoglobin 140, -30 wbc 5, -20 neutrophils 3, -20 platelets 200, -20 alt 9, -20 creatinine 60, -20 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | quiet
        late, but done                           | -10.. azathioprine 100 |                                          | 0 panel, -5 hbv, -1 tpmt 14 |  |                               | female  |     |                                         | quiet
        tomorrow is not yet                      | -10.. azathioprine 100 |                                          | 1 panel, -5 hbv, -1 tpmt 14 |  |                               | female  |     |                                         | TASK
        begun 180 days ago                       | -180.. azathioprine 100 |                                          |  |  |                               | female  |     |                                         | TASK due -180
        begun 181 days ago                       | -181.. azathioprine 100 |                                          |  |  |                               | female  |     |                                         | quiet
        begun today                              | 0.. azathioprine 100 |                                          |  |  |                               | female  |     |                                         | TASK due +0 [begun]
        to begin tomorrow                        | 1.. azathioprine 100 |                                          |  |  |                               | female  |     |                                         | TASK due +1 [planned]
        to begin in 14 days                      | 14.. azathioprine 100 |                                          |  |  |                               | female  |     |                                         | TASK due +14 [planned]
        to begin in 15 days                      | 15.. azathioprine 100 |                                          |  |  |                               | female  |     |                                         | due +15
        to begin in 28 days                      | 28.. azathioprine 100 |                                          |  |  |                               | female  |     |                                         | due +28
        to begin in 29 days                      | 29.. azathioprine 100 |                                          |  |  |                               | female  |     |                                         | quiet
        to begin, and everything is there        | 14.. azathioprine 100 |                                          | -20 panel, -20 hbv, -20 tpmt 14 |  |                               | female  |     |                                         | quiet
        stopped yesterday                        | -10.. azathioprine 100 stop -1 |                                          |  |  |                               | female  |     |                                         | quiet
        stopped today                            | -10.. azathioprine 100 stop 0 |                                          |  |  |                               | female  |     |                                         | TASK
        no dose now, and not stopped             | -10..-5 azathioprine 100 |                                          |  |  |                               | female  |     |                                         | TASK
        a new dose is no new start               | -300..-11 azathioprine 50, -10.. azathioprine 100 |                                          |  |  |                               | female  |     |                                         | quiet
        again after 27 days without              | -300..-38 azathioprine 100, -10.. azathioprine@2 100 |                                          |  |  |                               | female  |     |                                         | quiet
        again after 28 days without              | -300..-39 azathioprine 100, -10.. azathioprine@2 100 |                                          |  |  |                               | female  |     |                                         | TASK due -10
        again, still later                       | -300..-40 azathioprine 100, -10.. azathioprine@2 100 |                                          |  |  |                               | female  |     |                                         | TASK due -10
        stopped, and soon again                  | -300..-38 azathioprine 100 stop -38, -10.. azathioprine@2 100 |                                          |  |  |                               | female  |     |                                         | quiet
        by another route                         | -300..-11 methotrexate 15 /7, -10.. methotrexate:subcutaneous 15 /7 |                                          |  |  |                               | female  |     |                                         | quiet
        methotrexate                             | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 chest_xray not_applicable | female  |     |                                         | quiet
        no chest X-ray                           | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  |                               | female  |     |                                         | TASK
        an HRCT does as well                     | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  |     |                                         | quiet
        a CT of the chest, too                   | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 ct_chest not_applicable   | female  |     |                                         | quiet
        another image                            | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 mri_muscle not_applicable | female  |     |                                         | TASK
        an X-ray 365 days before                 | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -375 chest_xray absent        | female  |     |                                         | quiet
        an X-ray 366 days before                 | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -376 chest_xray absent        | female  |     |                                         | TASK
        no hepatitis C                           | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv |  | -20 hrct absent               | female  |     |                                         | TASK
        can become pregnant, no test             | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  | -400 childbearing                       | TASK due -10
        tested 28 days before                    | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative | -38 pregnancy_test normal | -20 hrct absent               | female  | 30  | -400 childbearing                       | quiet
        tested 29 days before                    | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative | -39 pregnancy_test normal | -20 hrct absent               | female  | 30  | -400 childbearing                       | TASK
        tested, indeterminate                    | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative | -12 pregnancy_test indeterminate | -20 hrct absent               | female  | 30  | -400 childbearing                       | TASK
        cannot become pregnant                   | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  | -400 no_childbearing                    | quiet
        no longer can since yesterday            | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  | -400 childbearing -1                    | quiet
        can until today                          | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  | -400 childbearing 0                     | TASK
        no longer unable since yesterday         | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  | -400 no_childbearing -1                 | not evaluable
        unable until today                       | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  | -400 no_childbearing 0                  | quiet
        what was said last counts                | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  | -400 no_childbearing, -200 childbearing | TASK
        what was said last counts, the other way | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  | -400 childbearing, -200 no_childbearing | quiet
        said of tomorrow                         | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  | 1 no_childbearing                       | not evaluable
        said today                               | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  | 0 no_childbearing                       | quiet
        nobody said, 30 years                    | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 30  |                                         | not evaluable
        nobody said, 12 years                    | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 12  |                                         | not evaluable
        nobody said, 11 years                    | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 11  |                                         | quiet
        nobody said, 54 years                    | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 54  |                                         | not evaluable
        nobody said, 55 years                    | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | female  | 55  |                                         | quiet
        nobody said, sex not recorded            | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | unknown | 30  |                                         | not evaluable
        a man                                    | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | male    | 30  |                                         | quiet
        said of a man                            | -10.. methotrexate 15 /7 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  | -20 hrct absent               | male    | 30  | -400 childbearing                       | TASK
        nobody said, and more is missing         | -10.. methotrexate 15 /7 |                                          | -20 panel |  | -20 hrct absent               | female  | 30  |                                         | TASK
        not asked before azathioprine            | -10.. azathioprine 100 |                                          | -20 panel, -20 hbv, -20 tpmt 14 |  | -20 hrct absent               | female  | 30  |                                         | quiet
        mycophenolate: one test                  | -10.. mycophenolate-mofetil 1000 x2 |                                          | -20 panel, -20 hbv | -12 pregnancy_test normal |                               | female  | 30  | -400 childbearing                       | TASK
        two tests, 7 days apart                  | -10.. mycophenolate-mofetil 1000 x2 |                                          | -20 panel, -20 hbv | -19 pregnancy_test normal, -12 pregnancy_test normal |                               | female  | 30  | -400 childbearing                       | TASK
        two tests, 8 days apart                  | -10.. mycophenolate-mofetil 1000 x2 |                                          | -20 panel, -20 hbv | -20 pregnancy_test normal, -12 pregnancy_test normal |                               | female  | 30  | -400 childbearing                       | quiet
        two tests, 10 days apart                 | -10.. mycophenolate-mofetil 1000 x2 |                                          | -20 panel, -20 hbv | -22 pregnancy_test normal, -12 pregnancy_test normal |                               | female  | 30  | -400 childbearing                       | quiet
        two tests, 11 days apart                 | -10.. mycophenolate-mofetil 1000 x2 |                                          | -20 panel, -20 hbv | -23 pregnancy_test normal, -12 pregnancy_test normal |                               | female  | 30  | -400 childbearing                       | TASK
        the first one 28 days before             | -10.. mycophenolate-mofetil 1000 x2 |                                          | -20 panel, -20 hbv | -38 pregnancy_test normal, -29 pregnancy_test normal |                               | female  | 30  | -400 childbearing                       | quiet
        the first one 29 days before             | -10.. mycophenolate-mofetil 1000 x2 |                                          | -20 panel, -20 hbv | -39 pregnancy_test normal, -30 pregnancy_test normal |                               | female  | 30  | -400 childbearing                       | TASK
        a third one later                        | -10.. mycophenolate-mofetil 1000 x2 |                                          | -20 panel, -20 hbv | -22 pregnancy_test normal, -12 pregnancy_test normal, -11 pregnancy_test normal |                               | female  | 30  | -400 childbearing                       | quiet
        rituximab by its first infusion          |  | -10 rituximab 1000                       |  |  |                               | female  |     |                                         | TASK due -10 [begun]
        rituximab, all recorded                  |  | -10 rituximab 1000                       | -20 hbv, -20 hcv-ab negative, -20 igg 9, -20 iga 2, -20 igm 1 | -900 varicella normal, -30 vaccination | -20 hrct absent               | female  |     |                                         | quiet
        rituximab, no IgG                        |  | -10 rituximab 1000                       | -20 hbv, -20 hcv-ab negative, -20 iga 2, -20 igm 1 | -900 varicella normal, -30 vaccination | -20 hrct absent               | female  |     |                                         | TASK
        rituximab, no look at vaccinations       |  | -10 rituximab 1000                       | -20 hbv, -20 hcv-ab negative, -20 igg 9, -20 iga 2, -20 igm 1 | -900 varicella normal | -20 hrct absent               | female  |     |                                         | TASK
        the second infusion is no start          |  | -190 rituximab 1000, -176 rituximab 1000 |  |  |                               | female  |     |                                         | quiet
        immunoglobulin                           |  | -10 ivig 70                              | -20 count, -20 creatinine 60, -4000 iga 2, -20 hbv, -20 hcv-ab negative |  |                               | female  |     |                                         | quiet
        immunoglobulin, no IgA                   |  | -10 ivig 70                              | -20 count, -20 creatinine 60, -20 hbv, -20 hcv-ab negative |  |                               | female  |     |                                         | TASK
        abatacept, all recorded                  | -10.. abatacept:subcutaneous 125 /7 |                                          | -20 hbv, -20 hcv-ab negative, -20 igra negative            |  |                               | female  |     |                                         | quiet
        ciclosporin, all recorded                | -10.. ciclosporin 100 x2 |                                          | -20 panel, -20 systolic 120, -20 diastolic 80, -20 hbv     |  |                               | female  |     |                                         | quiet
        tofacitinib, no look for tuberculosis    | -10.. tofacitinib 5 x2 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative |  |                               | female  |     |                                         | TASK
        tofacitinib, IGRA indeterminate          | -10.. tofacitinib 5 x2 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative, -20 igra indeterminate |  |                               | female  |     |                                         | TASK
        tofacitinib, IGRA                        | -10.. tofacitinib 5 x2 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative, -20 igra negative |  |                               | female  |     |                                         | quiet
        baricitinib, all recorded                | -10.. baricitinib 4 |                                          | -20 panel, -20 hbv, -20 hcv-ab negative, -20 igra negative |            |                               | female  |     |                                         | quiet
        cyclophosphamide, all recorded           | -10.. cyclophosphamide:oral 100 |                                          | -20 panel, -20 hbv | -20 urinalysis normal |                               | female  |     |                                         | quiet
        tacrolimus ointment                      | -10.. tacrolimus:topical 1 |                                          |  |  |                               | female  |     |                                         | quiet
        a drug that needs nothing                | -10.. prednisone 40, -10.. folic-acid 5 /7 |                                          |  |  |                               | female  |     |                                         | quiet
        a dose of nothing                        | -10.. azathioprine 0 |                                          |  |  |                               | female  |     |                                         | quiet
        a dose of 1 mg                           | -10.. tacrolimus 1 x2 |                                          |        |            |                               | female  |     |                                         | TASK due -10 [begun]
    """,
)
