-- A synthetic clinic for measuring: {patients} people, five years of results, 336 each.
-- Numbers vary by hash of the ids, so that every build is the same. Row triggers are off while it loads.
-- Most people are settled, a few in a hundred are not, so that each rule finds about as many as it would in a clinic. Rows
-- lie in the order in which a clinic records them, visit by visit, and not patient by patient.

INSERT INTO accounts_centre (id, public_id, name, time_zone, sweep_at, digest_at, escalation_chain)
VALUES (1, gen_random_uuid(), 'Bench', 'Europe/Berlin', '06:00', '07:00', '{nurse,clinician}');
INSERT INTO accounts_user (id, password, is_superuser, username, is_staff, is_active, date_joined, email, full_name)
VALUES (1, '!', false, 'bench', false, true, '2020-01-01', 'bench@clinic.example', 'Bench');

-- 0 to 999, the same for the same ids
CREATE FUNCTION pg_temp.dice(a bigint, b bigint) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT (abs(hashint8(a * 7919 + b * 104729)::bigint) % 1000)::int $$;

INSERT INTO patients_patient (id, public_id, centre_id, record_number, given_name, family_name, born_on, sex, subtype,
    onset_on, diagnosed_on, created_at, created_by_id)
SELECT i, gen_random_uuid(), 1, 'B' || lpad(i::text, 7, '0'), 'Given' || i, 'Family' || i,
    DATE '1950-01-01' + pg_temp.dice(i, 1) * 18,
    CASE WHEN pg_temp.dice(i, 2) < 650 THEN 'female' ELSE 'male' END,
    (ARRAY['dermatomyositis','dermatomyositis','dermatomyositis','polymyositis','necrotising','antisynthetase',
           'antisynthetase','inclusion_body','overlap','amyopathic'])[1 + pg_temp.dice(i, 3) % 10],
    DATE '{as_of}' - 1826 + (pg_temp.dice(i, 5) * 17 / 10) - 30 - pg_temp.dice(i, 4) / 5,
    CASE WHEN pg_temp.dice(i, 20) >= 10 THEN DATE '{as_of}' - 1826 + (pg_temp.dice(i, 5) * 17 / 10) END,
    '2020-01-01', 1
FROM generate_series(1, {patients}) i;

-- `day0`: the first day of the latest treatment, 100 to 1,700 days ago, as people come to a clinic over five years. `ill`:
-- worse of late (3 in 100).
CREATE TEMP TABLE person AS
SELECT i, DATE '{as_of}' - 100 - pg_temp.dice(i, 7) * 16 / 10 AS day0, pg_temp.dice(i, 21) < 30 AS ill
FROM generate_series(1, {patients}) i;
CREATE UNIQUE INDEX ON person (i);
ANALYZE person;

-- Each analyte keeps to a level of its own in each person, give or take a tenth. CK is five times as high around day0. 3
-- in 100 were not tested lately; in 2 in 100 the white cells and platelets fall, in 2 in 100 the newest ALT is high.
INSERT INTO monitoring_result (patient_id, analyte, status, value, comparator, uln, low, value_received, unit_received,
    low_received, uln_received, taken_on, laboratory, source_key, note, change_reason, recorded_at, recorded_by_id)
SELECT i, t.analyte, 'final', v.value, '', t.uln, t.low, v.value::text, t.unit, t.low::text, t.uln::text, d.day,
    'Central', '', '', '', d.day + interval '10 hours', 1
FROM generate_series(27, 0, -1) n
CROSS JOIN LATERAL (SELECT * FROM person OFFSET n - n) p
CROSS JOIN (VALUES ('ck', 'U/L', 190, 30, 220), ('alt', 'U/L', 40, 5, 50), ('ast', 'U/L', 40, 5, 50),
    ('ldh', 'U/L', 250, 120, 180), ('ggt', 'U/L', 60, 5, 60), ('bilirubin', 'umol/L', 21, 2, 18),
    ('creatinine', 'umol/L', 100, 45, 60), ('albumin', 'g/L', 50, 35, 15), ('haemoglobin', 'g/L', 170, 115, 50),
    ('wbc', '10*9/L', 11, 4, 9), ('neutrophils', '10*9/L', 7.5, 1.8, 6), ('platelets', '10*9/L', 400, 150, 250)
) t (analyte, unit, uln, low, spread)
CROSS JOIN LATERAL (SELECT DATE '{as_of}' - 3 - n * 65 - pg_temp.dice(i, 100 + n) % 30
    - CASE WHEN pg_temp.dice(i, 40) < 30 THEN 97 ELSE 0 END AS day) d
CROSS JOIN LATERAL (SELECT round(((t.low + t.spread * pg_temp.dice(i, ascii(t.analyte) * 7 + length(t.analyte)) / 1000.0)
    * (0.9 + pg_temp.dice(i * 31 + n, ascii(t.analyte) * 7 + length(t.analyte)) / 5000.0)
    * CASE WHEN t.analyte <> 'ck' THEN 1 WHEN d.day BETWEEN day0 - 150 AND day0 + 45 THEN 5
        WHEN ill AND n = 0 THEN 3 ELSE 1 END
    * CASE WHEN t.analyte IN ('wbc', 'platelets') AND n < 3 AND pg_temp.dice(i, 41) < 20 THEN 0.55 + 0.15 * n
        WHEN t.analyte = 'alt' AND n = 0 AND pg_temp.dice(i, 42) < 20 THEN 4 ELSE 1 END)::numeric, 1) AS value) v;

INSERT INTO monitoring_bodysize (patient_id, status, measured_on, weight_kg, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', DATE '{as_of}' - 10 - n * 150, 50 + pg_temp.dice(i, 6) / 20, '', DATE '{as_of}' - 10 - n * 150, 1
FROM generate_series(11, 0, -1) n CROSS JOIN LATERAL (SELECT * FROM person OFFSET n - n) p;

-- A visit every 82 days, one of them at day0 (but for 5 in 100), where they are weak; better from then on (but for 8 in
-- 100), and worse again at the two latest for those who are ill. Now and then a measure is not made.
INSERT INTO monitoring_assessment (patient_id, status, assessed_on, physician_vas, patient_vas, extramuscular_vas, haq_di,
    mmt8_150, mmt8_side, note, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', d.day, 6 - s.step + pg_temp.dice(i, 200 + n) / 1000.0, 5 - s.step + pg_temp.dice(i, 230 + n) / 1000.0,
    CASE WHEN pg_temp.dice(i, 260 + n) < 980 THEN 4 - s.step * 0.75 + pg_temp.dice(i, 290 + n) / 1000.0 END,
    (12 - s.step * 2 + pg_temp.dice(i, 320 + n) % 2) * 0.125, 110 + s.step * 8 + pg_temp.dice(i, 350 + n) % 4, '', '', '',
    d.day, 1
FROM generate_series(19, 0, -1) n
CROSS JOIN LATERAL (SELECT *, (DATE '{as_of}' - 3 - day0) / 82 - n AS visit FROM person OFFSET n - n) p
CROSS JOIN LATERAL (SELECT day0 + visit * 82 + CASE WHEN visit = 0 AND pg_temp.dice(i, 22) < 50 THEN 30 ELSE 0 END AS day) d
CROSS JOIN LATERAL (SELECT CASE WHEN visit = 0 OR ill AND n < 2 OR pg_temp.dice(i, 23) < 80 THEN 0 WHEN visit < 0 THEN 2
    ELSE LEAST(2 + visit, 4) END AS step) s;

-- Prednisolone, a first-line drug; for 10 in 100 immunoglobulin, for 4 in 100 rituximab, for 8 in 100 a statin.
INSERT INTO therapy_course (id, patient_id, status, drug, route, indication, change_reason, recorded_at, recorded_by_id)
SELECT i * 2 + {patients} * d.nr, i, 'final', d.drug, d.route, '', '', DATE '{as_of}' - 400, 1
FROM person
CROSS JOIN LATERAL (VALUES (0, 'prednisolone', 'oral', 1000),
    (3, (ARRAY['methotrexate', 'azathioprine', 'mycophenolate-mofetil'])[1 + pg_temp.dice(i, 8) % 3], 'oral', 1000),
    (6, 'ivig', 'intravenous', 100), (9, 'rituximab', 'intravenous', 40), (12, 'atorvastatin', 'oral', 80)
) d (nr, drug, route, of_1000) WHERE pg_temp.dice(i, 50 + d.nr) < d.of_1000;
-- Twelve courses of two days, every four weeks; the next is late for 1 in 10. Two infusions of rituximab half a year ago.
INSERT INTO therapy_infusion (patient_id, course_id, status, given_on, amount, batch, max_rate_ml_per_hour, reaction,
    change_reason, recorded_at, recorded_by_id)
SELECT c.patient_id, c.id, 'final', g.day, g.amount, '', g.rate, 'none', '', g.day, 1
FROM therapy_course c
CROSS JOIN LATERAL (
    SELECT DATE '{as_of}' - pg_temp.dice(c.patient_id, 63) % 26 - n * 28 + half
            - CASE WHEN pg_temp.dice(c.patient_id, 64) < 100 THEN 12 ELSE 1 END AS day,
        50 + pg_temp.dice(c.patient_id, 6) / 20 AS amount, 100 AS rate
    FROM generate_series(11, 0, -1) n CROSS JOIN generate_series(0, 1) half WHERE c.drug = 'ivig'
    UNION ALL
    SELECT DATE '{as_of}' - 150 - pg_temp.dice(c.patient_id, 65) / 4 + second, 1000, 100
    FROM unnest(ARRAY[0, 14]) second WHERE c.drug = 'rituximab') g;
-- Twelve dose periods of three weeks; for 4 in 10 the last goes on. 4 in 100 stay high, 4 in 100 were raised once.
INSERT INTO therapy_dose (patient_id, course_id, status, starts_on, ends_on, amount, times, every_days,
    out_of_range_reason, change_reason, recorded_at, recorded_by_id)
SELECT i, i * 2, 'final', day0 + n * 21, CASE WHEN n < 11 OR pg_temp.dice(i, 27) >= 400 THEN day0 + n * 21 + 20 END,
    CASE WHEN pg_temp.dice(i, 24) < 40 THEN greatest(60 - n * 3, 25)
         ELSE (ARRAY[50, 40, 30, 20, 17.5, 15, 12.5, 10, 7.5, 7.5, 5, 5])[n + 1]
              + CASE WHEN pg_temp.dice(i, 25) < 40 AND n = 3 + pg_temp.dice(i, 26) % 8 THEN 10 ELSE 0 END END,
    1, 1, '', '', day0, 1
FROM generate_series(0, 11) n CROSS JOIN LATERAL (SELECT * FROM person OFFSET n - n) p
UNION ALL
SELECT i, i * 2 + {patients} * 3, 'final', day0 + 10, NULL,
    CASE pg_temp.dice(i, 8) % 3 WHEN 0 THEN 15 WHEN 1 THEN floor((100 + pg_temp.dice(i, 6) / 10) / 25.0) * 25
        ELSE 1000 END,
    CASE pg_temp.dice(i, 8) % 3 WHEN 2 THEN 2 ELSE 1 END, CASE pg_temp.dice(i, 8) % 3 WHEN 0 THEN 7 ELSE 1 END,
    '', '', day0, 1
FROM person;

INSERT INTO therapy_dose (patient_id, course_id, status, starts_on, amount, times, every_days, out_of_range_reason,
    change_reason, recorded_at, recorded_by_id)
SELECT patient_id, id, 'final', DATE '{as_of}' - 300, 20, 1, 1, '', '', DATE '{as_of}' - 300, 1
FROM therapy_course WHERE drug = 'atorvastatin';

-- Half of them taper by a plan of eleven steps; 6 in 100 of these confirm a month late.
INSERT INTO therapy_taperplan (id, patient_id, status, template, note, change_reason, recorded_at, recorded_by_id)
SELECT i, i, 'final', '', '', '', DATE '{as_of}' - 120, 1 FROM person WHERE pg_temp.dice(i, 9) < 500;
INSERT INTO therapy_taperstep (id, patient_id, plan_id, status, step_on, dose_pe_mg, change_reason, recorded_at, recorded_by_id)
SELECT i * 20 + n, i, i, 'final', DATE '{as_of}' - 100 - pg_temp.dice(i, 10) / 10 + n * 21, 25 - n * 2, '', DATE '{as_of}' - 120, 1
FROM person CROSS JOIN generate_series(0, 10) n WHERE pg_temp.dice(i, 9) < 500;
INSERT INTO therapy_taperconfirmation (patient_id, step_id, status, confirmed_on, change_reason, recorded_at, recorded_by_id)
SELECT patient_id, id, 'final', step_on, '', step_on, 1 FROM therapy_taperstep
WHERE step_on < DATE '{as_of}' - CASE WHEN pg_temp.dice(patient_id, 11) < 60 THEN 30 ELSE 2 END;

-- Twice a week would be more; 44 sessions each is what is promised, one every four days.
INSERT INTO therapy_physioplan (id, patient_id, status, starts_on, sessions_per_week, goal, change_reason, recorded_at, recorded_by_id)
SELECT i, i, 'final', DATE '{as_of}' - 180, 2, '', '', DATE '{as_of}' - 180, 1
FROM person WHERE pg_temp.dice(i, 12) < 930;
INSERT INTO therapy_physiosession (id, patient_id, plan_id, status, held_on, change_reason, recorded_at, recorded_by_id)
SELECT i * 100 + n, i, i, 'final', DATE '{as_of}' - 175 + n * 4, '', DATE '{as_of}' - 180, 1
FROM generate_series(0, 43) n CROSS JOIN LATERAL (SELECT * FROM person OFFSET n - n) p WHERE pg_temp.dice(i, 12) < 930;
INSERT INTO therapy_sessionoutcome (patient_id, session_id, status, word, change_reason, recorded_at, recorded_by_id)
SELECT patient_id, id, 'final', CASE WHEN pg_temp.dice(id, 13) < 900 THEN 'attended' WHEN pg_temp.dice(id, 13) < 960
    THEN 'did_not_attend' ELSE 'cancelled_by_clinic' END, '', held_on, 1
FROM therapy_physiosession WHERE held_on <= DATE '{as_of}' ORDER BY held_on;

INSERT INTO patients_antibodyresult (patient_id, status, antibody, result, assay, titre, taken_on, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', (ARRAY['jo-1', 'mda5', 'ro52', 'mi-2', 'hmgcr', 'srp', 'tif1-gamma', 'pl-7'])[1 + pg_temp.dice(i, 14) % 8],
    (ARRAY['negative', 'weak', 'positive', 'strong'])[1 + pg_temp.dice(i, 15) % 4], 'line blot', '',
    DATE '{as_of}' - 1500, '', DATE '{as_of}' - 1500, 1 FROM person;
INSERT INTO patients_manifestation (patient_id, status, kind, severity, onset_on, note, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', (ARRAY['ild', 'arthritis', 'mechanics_hands', 'dysphagia'])[1 + pg_temp.dice(i, 16) % 4], '',
    DATE '{as_of}' - 900, '', '', DATE '{as_of}' - 900, 1 FROM person WHERE pg_temp.dice(i, 17) < 600;
-- Tested every 200 days, the latest within 170 (6 in 100: within 500); looked at by HRCT soon after diagnosis (but for 3 in
-- 100). In 4 in 100 the newest is worse.
INSERT INTO monitoring_lungfunction (patient_id, status, tested_on, fvc_l, fvc_percent_predicted, dlco_percent_predicted,
    dlco_hb_corrected, reference_set, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', d.day, 3.1, 85 - f.fall + pg_temp.dice(i, 87 + n) % 4, 72 - f.fall + pg_temp.dice(i, 95 + n) % 4, 'yes',
    'GLI-2012', '', d.day, 1
FROM generate_series(7, 0, -1) n CROSS JOIN LATERAL (SELECT * FROM person OFFSET n - n) p
CROSS JOIN LATERAL (SELECT DATE '{as_of}' - n * 200
    - CASE WHEN pg_temp.dice(i, 27) < 60 THEN pg_temp.dice(i, 18) / 2 ELSE pg_temp.dice(i, 18) * 17 / 100 END AS day) d
CROSS JOIN LATERAL (SELECT CASE WHEN n = 0 AND pg_temp.dice(i, 88) < 40 THEN 15 ELSE 0 END AS fall) f;
INSERT INTO monitoring_imaging (patient_id, status, modality, done_on, ild, progression, report, change_reason, recorded_at, recorded_by_id)
SELECT id, 'final', 'hrct', diagnosed_on + 20, 'absent', 'not_stated', '', '', diagnosed_on + 20, 1
FROM patients_patient WHERE pg_temp.dice(id, 19) < 970 AND diagnosed_on IS NOT NULL;

-- What is looked for, each on its day, most of it done: swallowing every 90 days, fractures and cancer once a year and
-- what a drug needs before its first dose. The latest screen of swallowing is long ago for 4 in 100.
INSERT INTO monitoring_screening (patient_id, status, kind, done_on, outcome, note, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', 'swallow', d.day, CASE WHEN n = 0 AND pg_temp.dice(i, 71) < 20 THEN 'abnormal' ELSE 'normal' END, '', '',
    d.day, 1
FROM generate_series(3, 0, -1) n CROSS JOIN LATERAL (SELECT * FROM person OFFSET n - n) p
CROSS JOIN LATERAL (SELECT DATE '{as_of}' - 5 - n * 90 - pg_temp.dice(i, 72) % 80
    - CASE WHEN pg_temp.dice(i, 73) < 40 THEN 150 ELSE 0 END AS day) d
UNION ALL
SELECT id, 'final', k.kind, diagnosed_on + k.after + n * 365, 'normal', '', '', diagnosed_on + k.after + n * 365, 1
FROM patients_patient
CROSS JOIN generate_series(0, 4) n
CROSS JOIN LATERAL (VALUES ('fracture_risk', 30, 900), ('cancer_basic', 20, 970), ('cancer_enhanced', 40, 970)
) k (kind, after, of_1000)
WHERE diagnosed_on + k.after + n * 365 <= DATE '{as_of}' AND pg_temp.dice(id, k.after) < k.of_1000
UNION ALL
SELECT i, 'final', kind, day0 - 15, 'normal', '', '', day0 - 15, 1
FROM unnest(ARRAY['hepatitis_b', 'hepatitis_c', 'hiv', 'tuberculosis', 'varicella', 'tpmt', 'urinalysis', 'vaccination']) kind
CROSS JOIN person WHERE pg_temp.dice(i, 74) < 900;
INSERT INTO patients_riskfactor (patient_id, status, kind, starts_on, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', k.kind, DATE '{as_of}' - 1400, '', DATE '{as_of}' - 1400, 1
FROM person CROSS JOIN (VALUES ('diabetes', 81, 80), ('thrombosis', 82, 30), ('smoking', 83, 150), ('renal', 84, 30)
) k (kind, nr, of_1000) WHERE pg_temp.dice(i, k.nr) < k.of_1000
UNION ALL
SELECT id, 'final', CASE WHEN pg_temp.dice(id, 89) < 300 THEN 'childbearing' ELSE 'no_childbearing' END, DATE '{as_of}' - 1400,
    '', DATE '{as_of}' - 1400, 1 FROM patients_patient WHERE sex = 'female' AND pg_temp.dice(id, 90) < 950;
INSERT INTO monitoring_booking (patient_id, status, kind, booked_for, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', kind, DATE '{as_of}' + 1 + pg_temp.dice(i, 85) % 60, '', DATE '{as_of}' - 20, 1
FROM person CROSS JOIN unnest(ARRAY['bloods', 'visit']) kind WHERE pg_temp.dice(i, length(kind)) < 400;
INSERT INTO monitoring_functionaltest (patient_id, status, instrument, tested_on, score, is_complete, change_reason,
    recorded_at, recorded_by_id)
SELECT id, 'final', 'ibmfrs', d.day, 30, true, '', d.day, 1
FROM generate_series(3, 0, -1) n CROSS JOIN LATERAL (SELECT * FROM patients_patient OFFSET n - n) p
CROSS JOIN LATERAL (SELECT DATE '{as_of}' - 5 - n * 180 - pg_temp.dice(id, 86) % 170 AS day) d
WHERE subtype = 'inclusion_body';

-- The ids given above are taken.
SELECT setval(pg_get_serial_sequence(t, 'id'), {patients} * 100 + 100)
FROM unnest(ARRAY['accounts_centre', 'accounts_user', 'patients_patient', 'therapy_course', 'therapy_taperplan',
    'therapy_taperstep', 'therapy_physioplan', 'therapy_physiosession']) t;
