"""Blood tests that a drug asks for are overdue."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.analytes import BLOOD_COUNT
from monitoring.rules import lab_schedule, labs_action_limit, steroid
from monitoring.rules.base import Citation, Confidence, Question, Rule
from therapy.formulary import MONITORED
from therapy.prednisone_equivalent import SYSTEMIC_ROUTES


@dataclass(frozen=True)
class Parameters(lab_schedule.Parameters):
    pass


def findings(q: Question) -> str:
    return f"""
    WITH {lab_schedule.schedule(q)}, {lab_schedule.judged()}, by_test AS (
        -- The drugs for which it is overdue; where it is for none, all that ask for it.
        SELECT patient_id, test, nr, max(last_on) AS last_on, bool_or(is_overdue) AS is_overdue, bool_or(is_severe) AS is_severe,
            COALESCE(min(due_on) FILTER (WHERE is_overdue), min(due_on)) AS due_on,
            COALESCE(min(interval) FILTER (WHERE is_overdue), min(interval)) AS interval,
            COALESCE(array_agg(name ORDER BY name) FILTER (WHERE is_overdue), array_agg(name ORDER BY name)) AS names
        FROM test_judged GROUP BY patient_id, test, nr
    ), told AS (
        SELECT patient_id, bool_or(is_overdue) AS is_overdue, bool_or(is_severe) AS is_severe,
            COALESCE(min(due_on) FILTER (WHERE is_overdue), min(due_on)) AS due_on,
            jsonb_agg(jsonb_build_object('test', test, 'last_on', last_on, 'due_on', due_on, 'interval', interval,
                                         'drugs', names) ORDER BY nr) FILTER (WHERE is_overdue) AS schedule,
            array_agg(test || CASE WHEN last_on IS NULL THEN ' (never done, '
                                   ELSE ' (last done ' || to_char(last_on, 'FMDD Mon YYYY') || ', ' END
                      || 'due ' || to_char(due_on, 'FMDD Mon YYYY') || ')' ORDER BY nr) FILTER (WHERE is_overdue) AS overdue,
            array_agg(test ORDER BY nr) FILTER (WHERE NOT is_overdue AND due_on <= %(as_of)s::date + %(horizon)s::int) AS coming
        FROM by_test GROUP BY patient_id
    ), drugs AS (
        SELECT t.patient_id, array_agg(DISTINCT n ORDER BY n) AS names
        FROM by_test t JOIN told USING (patient_id) CROSS JOIN LATERAL unnest(t.names) n
        WHERE t.is_overdue = told.is_overdue GROUP BY t.patient_id
    ), undosed AS (
        -- On the record as a course, but not since when and how much.
        SELECT c.patient_id, array_agg(DISTINCT 'the first dose of ' || lower(d.name)) AS missing
        FROM asked a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")}
            AND c.drug IN ({steroid.words(MONITORED)}) AND c.route IN ({steroid.words(SYSTEMIC_ROUTES)})
        JOIN monitored_drug d ON d.drug = c.drug
        LEFT JOIN monitored_span taken ON taken.patient_id = c.patient_id AND taken.drug = c.drug
        LEFT JOIN LATERAL (
            (SELECT 1 AS known FROM therapy_coursestop s WHERE s.course_id = c.id AND {q.known("s")} LIMIT 1)
            UNION ALL
            (SELECT 1 FROM therapy_dose o WHERE o.course_id = c.id AND {q.known("o")} LIMIT 1)
            UNION ALL
            (SELECT 1 FROM therapy_infusion i WHERE i.course_id = c.id AND {q.known("i")} LIMIT 1)
            LIMIT 1
        ) told ON true
        WHERE taken.drug IS NULL AND told.known IS NULL
        GROUP BY c.patient_id
    )
    SELECT COALESCE(t.patient_id, u.patient_id) AS patient_id, 'patient'::text AS subject,
        CASE WHEN t.is_severe AND t.is_overdue THEN 'ACTION' WHEN t.is_overdue THEN 'TASK' END AS level,
        t.due_on,
        CASE WHEN t.patient_id IS NULL THEN NULL
            WHEN t.is_overdue THEN jsonb_build_object(
                'reasons', ARRAY_REMOVE(ARRAY[
                    CASE WHEN t.is_severe THEN 'long-overdue' ELSE 'overdue' END,
                    CASE WHEN p.patient_id IS NOT NULL THEN 'incomplete-count' END,
                    CASE WHEN b.booked_for IS NOT NULL THEN 'booked' END
                ], NULL),
                'drugs', d.names, 'tests', t.overdue, 'due_on', t.due_on, 'schedule', t.schedule,
                'count_on', p.taken_on, 'count_lacks', p.lacks, 'booked_for', b.booked_for)
            ELSE jsonb_build_object('reasons', ARRAY['coming'], 'drugs', d.names, 'coming', t.coming, 'due_on', t.due_on)
        END AS evidence,
        u.missing
    FROM (SELECT * FROM told WHERE is_overdue OR due_on <= %(as_of)s::date + %(horizon)s::int) t
    FULL JOIN undosed u ON u.patient_id = t.patient_id
    LEFT JOIN drugs d ON d.patient_id = t.patient_id
    -- A blood count that was taken since and does not count, for want of a part of it.
    LEFT JOIN LATERAL (
        SELECT t.patient_id, r.taken_on, ARRAY(
            SELECT inside FROM (VALUES {labs_action_limit.names(BLOOD_COUNT)}) x (part, name, inside, unit)
            WHERE part <> ALL (array_agg(r.analyte)) ORDER BY inside) AS lacks
        FROM jsonb_array_elements(t.schedule) s
        JOIN monitoring_result r ON r.patient_id = t.patient_id AND {q.known("r")}
            AND r.analyte IN ({steroid.words(BLOOD_COUNT)}) AND r.taken_on <= %(as_of)s
            AND r.taken_on > COALESCE((s ->> 'last_on')::date, '-infinity')
        WHERE t.is_overdue AND s ->> 'test' = 'blood count'
        GROUP BY r.taken_on ORDER BY r.taken_on DESC LIMIT 1
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT min(k.booked_for) AS booked_for FROM monitoring_booking k
        WHERE t.is_overdue AND k.patient_id = t.patient_id AND k.kind = 'bloods' AND {q.known("k")} AND k.booked_for >= %(as_of)s
    ) b ON true
    """


RULE = Rule(
    id="labs-overdue",
    version=1,
    title="Blood tests for a drug are overdue",
    audience=Role.NURSE,
    evidence=(
        Citation(
            text="Full blood count, creatinine or eGFR, ALT or AST, and albumin every 2 weeks until the dose has been stable for 6 "
            "weeks, then monthly for 3 months, then at least every 12 weeks; a raised dose starts again. Tacrolimus and "
            "ciclosporin stay monthly, with blood pressure and glucose. Ledingham J, et al. Rheumatology 2017;56:865-8.",
            confidence=Confidence.SECONDARY,
            doi="10.1093/rheumatology/kew479",
        ),
        Citation(
            text="Potassium with tacrolimus and ciclosporin: labels and hospital guidelines.",
            confidence=Confidence.GENERAL,
        ),
        Citation(
            text="The days of grace, two intervals as the mark of a long delay, more than 28 days without a drug as a new start, and "
            "that an infusion asks for blood tests for 28 days are local policies.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    aside=("booked_for", "count_on", "count_lacks"),
    explanations={
        "overdue": "For {drugs}, overdue: {tests}.",
        "long-overdue": "For {drugs}, overdue: {tests}. At least one is overdue by more than {p.severe_intervals} intervals.",
        "coming": "For {drugs}, the next falls due on {due_on}: {coming}.",
        "incomplete-count": "The blood count of {count_on} does not count. It lacks: {count_lacks}.",
        "booked": "Blood tests are booked for {booked_for}.",
    },
    not_considered=(
        "Tests done elsewhere whose results are not in the record.",
        "Magnesium, lipids and drug levels, which tacrolimus and ciclosporin ask for too.",
        "Checks before a first dose.",
        "A specialist's decision to test less often: record it as an exception from this rule.",
    ),
    advice="Ask the patient and the practice for results first; then book the tests. Each drug is tested every {p.start_interval} "
    "days until its dose has not been raised for {p.stable_days} days, every {p.monthly_interval} until {p.monthly_until} days, "
    "then every {p.usual_interval}; the shortest interval of all drugs counts.",
    examples="""
        case                                          | courses | doses | infusions | panels | bookings | expect
        no drug                                       |  |  |  |  |  | quiet
        a drug that needs no blood tests              |  | -300.. hydroxychloroquine 200 |  |  |  | quiet
        glucocorticoid alone                          |  | -300.. prednisone 40 |  |  |  | quiet
        on the skin                                   |  | -300.. tacrolimus:topical 1 |  |  |  | quiet
        stopped yesterday                             |  | -300.. methotrexate 15 /7 stop -1 |  |  |  | quiet
        stops today                                   |  | -300.. methotrexate 15 /7 stop 0 |  |  |  | ACTION
        paused: a dose of 0                           |  | -300..-40 methotrexate 15 /7, -39.. methotrexate 0 /7 |  |  |  | quiet
        begins tomorrow                               |  | 1.. methotrexate 15 /7 |  |  |  | quiet
        a course without a dose                       | methotrexate |  |  |  |  | not evaluable
        a course whose dose begins tomorrow           | methotrexate | 1.. methotrexate 15 /7 |  |  |  | quiet
        a course whose infusion is tomorrow           | cyclophosphamide |                        | 1 cyclophosphamide 750 |  |  | quiet
        began today                                   |  | 0.. methotrexate 15 /7 |  |  |  | due +14
        never done, 14 days after the start           |  | -14.. methotrexate 15 /7 |  |  |  | due +0
        never done, 17 days after                     |  | -17.. methotrexate 15 /7 |  |  |  | due -3
        never done, 18 days after                     |  | -18.. methotrexate 15 /7 |  |  |  | TASK due -4 [overdue]
        never done, two intervals after it was due    |  | -42.. methotrexate 15 /7 |  |  |  | TASK
        never done, longer                            |  | -43.. methotrexate 15 /7 |  |  |  | ACTION due -29 [long-overdue]
        booked                                        |  | -18.. methotrexate 15 /7 |  |  | 5 bloods | TASK [overdue, booked]
        booked for yesterday                          |  | -18.. methotrexate 15 /7 |  |  | -1 bloods | TASK [overdue]
        booked for today                              |  | -18.. methotrexate 15 /7 |  |  | 0 bloods  | TASK [overdue, booked]
        something else booked                         |  | -18.. methotrexate 15 /7 |  |  | 5 visit | TASK [overdue]
        the baseline on the day of the start          |  | -18.. methotrexate 15 /7 |  | -18 |  | TASK due -4
        the day after the start                       |  | -18.. methotrexate 15 /7 |  | -17 |  | due -3
        day 41 since the start: every 14 days         |  | -59.. methotrexate 15 /7 |  | -18 |  | TASK due -4
        day 42: every 28                              |  | -60.. methotrexate 15 /7 |  | -18 |  | due +10
        day 42, with the grace of a month             |  | -75.. methotrexate 15 /7 |  | -33 |  | due -5
        monthly, 35 days ago                          |  | -90.. methotrexate 15 /7 |  | -35 |  | due -7
        monthly, 36 days ago                          |  | -90.. methotrexate 15 /7 |  | -36 |  | TASK due -8
        monthly, 84 days ago                          |  | -140.. methotrexate 15 /7 |  | -84 |  | TASK due -56
        monthly, 85 days ago                          |  | -140.. methotrexate 15 /7 |  | -85 |  | ACTION due -57
        day 125 since the start: every 28             |  | -161.. methotrexate 15 /7 |  | -36 |  | TASK due -8
        day 126: every 84                             |  | -162.. methotrexate 15 /7 |  | -36 |  | quiet
        every 84 days, due in 28                      |  | -400.. methotrexate 15 /7 |  | -56 |  | due +28
        every 84 days, due in 29                      |  | -400.. methotrexate 15 /7 |  | -55 |  | quiet
        every 84 days, 98 days ago                    |  | -400.. methotrexate 15 /7 |  | -98 |  | due -14
        every 84 days, 99 days ago                    |  | -400.. methotrexate 15 /7 |  | -99 |  | TASK due -15
        every 84 days, 252 days ago                   |  | -500.. methotrexate 15 /7 |  | -252 |  | TASK due -168
        every 84 days, 253 days ago                   |  | -500.. methotrexate 15 /7 |  | -253 |  | ACTION due -169
        one still to come is not seen                 |  | -18.. methotrexate 15 /7 |  | 1 |  | TASK
        one of today counts                           |  | -90.. methotrexate 15 /7 |  | -20, 0 |  | due +28
        raised 18 days ago                            |  | -400..-19 methotrexate 15 /7, -18.. methotrexate 20 /7 |  | -20 |  | TASK due -4
        raised by a hair                              |  | -400..-19 methotrexate 15 /7, -18.. methotrexate 15.001 /7 |  | -20 |  | TASK
        lowered 18 days ago                           |  | -400..-19 methotrexate 15 /7, -18.. methotrexate 10 /7 |  | -20 |  | quiet
        the same dose in other words                  |  | -400..-19 methotrexate 15 /7, -18.. methotrexate 30 /14 |  | -20 |  | quiet
        by another route                              |  | -400..-19 methotrexate 15 /7, -18.. methotrexate:subcutaneous 15 /7 |  | -20 |  | quiet
        lowered, then as before                       |  | -400..-29 methotrexate 15 /7, -28..-19 methotrexate 10 /7, -18.. methotrexate 15 /7 |  | -20 |  | TASK
        28 days without it                            |  | -400..-47 methotrexate 15 /7, -18.. methotrexate 15 /7 |  | -20 |  | quiet
        29 days without it: a new start               |  | -400..-48 methotrexate 15 /7, -18.. methotrexate 15 /7 |  | -20 |  | TASK due -4
        another drug begins: the shortest interval    |  | -400.. methotrexate 15 /7, -18.. azathioprine 100 |  | -20 |  | TASK due -4
        two drugs, both overdue: one finding          |  | -400.. methotrexate 15 /7, -400.. azathioprine 100 |  | -99 |  | TASK due -15 [overdue]
        a drug that stays monthly                     |  | -400.. ciclosporin 200 |  | -36 all |  | TASK due -8
        it is not yet overdue after 35 days           |  | -400.. ciclosporin 200 |  | -35 all |  | due -7
        two drugs, one stays monthly                  |  | -400.. methotrexate 15 /7, -400.. tacrolimus 4 |  | -36 all |  | TASK due -8
        the usual tests alone do not do for it        |  | -400.. ciclosporin 200 |  | -5 |  | ACTION
        potassium is missing                          |  | -400.. ciclosporin 200 |  | -5, -36 potassium, -5 glucose, -5 systolic, -5 diastolic |  | TASK due -8
        glucose is missing                            |  | -400.. ciclosporin 200 |  | -5, -5 potassium, -36 glucose, -5 systolic, -5 diastolic |  | TASK
        fasting glucose will do                       |  | -400.. ciclosporin 200 |  | -5, -5 potassium, -5 glucose-fasting, -5 systolic, -5 diastolic |  | due +23
        half a blood pressure                         |  | -400.. ciclosporin 200 |  | -36 all, -5, -5 potassium, -5 glucose, -5 systolic |  | TASK
        other drugs do not ask for them               |  | -400.. methotrexate 15 /7 |  | -56 |  | due +28
        no albumin                                    |  | -400.. methotrexate 15 /7 |  | -99 albumin, -5 haemoglobin, -5 wbc, -5 neutrophils, -5 platelets, -5 creatinine, -5 alt |  | TASK due -15 [overdue]
        no liver enzymes                              |  | -400.. methotrexate 15 /7 |  | -99 alt, -5 haemoglobin, -5 wbc, -5 neutrophils, -5 platelets, -5 creatinine, -5 albumin |  | TASK
        no renal function                             |  | -400.. methotrexate 15 /7 |  | -99 creatinine, -5 haemoglobin, -5 wbc, -5 neutrophils, -5 platelets, -5 alt, -5 albumin |  | TASK
        AST and eGFR will do                          |  | -400.. methotrexate 15 /7 |  | -56 haemoglobin, -56 wbc, -56 neutrophils, -56 platelets, -56 egfr, -56 ast, -56 albumin |  | due +28
        no platelets                                  |  | -400.. methotrexate 15 /7 |  | -99, -5 haemoglobin, -5 wbc, -5 neutrophils, -5 creatinine, -5 alt, -5 albumin |  | TASK [overdue, incomplete-count]
        no haemoglobin, eGFR by MDRD                  |  | -400.. methotrexate 15 /7 |  | -99, -5 wbc, -5 neutrophils, -5 platelets, -5 egfr-mdrd, -5 alt, -5 albumin    |  | TASK due -15 [overdue, incomplete-count]
        no haemoglobin, eGFR of 2009                  |  | -400.. methotrexate 15 /7 |  | -99, -5 wbc, -5 neutrophils, -5 platelets, -5 egfr-2009, -5 alt, -5 albumin    |  | TASK due -15 [overdue, incomplete-count]
        a part of a blood count today                 |  | -400.. methotrexate 15 /7 |  | -99, 0 haemoglobin, 0 creatinine, 0 alt, 0 albumin                             |  | TASK due -15 [overdue, incomplete-count]
        a blood count of two days is none             |  | -400.. methotrexate 15 /7 |  | -99, -5 haemoglobin, -5 wbc, -6 neutrophils, -6 platelets, -5 creatinine, -5 alt, -5 albumin |  | TASK [overdue, incomplete-count]
        a blood count long ago, never a whole one     |  | -400.. methotrexate 15 /7 |  | -150 haemoglobin, -151 platelets, -5 creatinine, -5 alt, -5 albumin |  | ACTION [long-overdue, incomplete-count]
        a unit that cannot be converted: it was done  |  | -400.. methotrexate 15 /7 |  | -56 unit? |  | due +28
        infused 27 days ago                           |  |  | -27 cyclophosphamide 750 |  |  | TASK
        infused 28 days ago                           |  |  | -28 cyclophosphamide 750 |  |  | quiet
        infused every 28 days: one start              |  |  | -112 cyclophosphamide 750, -84 cyclophosphamide 750, -56 cyclophosphamide 750, -28 cyclophosphamide 750, 0 cyclophosphamide 750 | -8 |  | due +20
        prescribed, and infused every 28              |  | -112.. cyclophosphamide 750 /28 | -112 cyclophosphamide 750, -84 cyclophosphamide 750, -56 cyclophosphamide 750, -28 cyclophosphamide 750, 0 cyclophosphamide 750 | -8 |  | due +20
        28 days between two infusions' months         |  |  | -76 cyclophosphamide 750, -20 cyclophosphamide 750 | -30 |  | due -2
        29 days: a new start                          |  |  | -77 cyclophosphamide 750, -20 cyclophosphamide 750 | -30 |  | TASK
    """,
)
