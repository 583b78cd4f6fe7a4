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
    DATE '{as_of}' - 2000 - pg_temp.dice(i, 4),
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

-- Each analyte keeps to a level of its own in each person, give or take a tenth. CK is five times as high around day0.
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
CROSS JOIN LATERAL (SELECT DATE '{as_of}' - 3 - n * 65 - pg_temp.dice(i, 100 + n) % 30 AS day) d
CROSS JOIN LATERAL (SELECT round(((t.low + t.spread * pg_temp.dice(i, ascii(t.analyte) * 7 + length(t.analyte)) / 1000.0)
    * (0.9 + pg_temp.dice(i * 31 + n, ascii(t.analyte) * 7 + length(t.analyte)) / 5000.0)
    * CASE WHEN t.analyte <> 'ck' THEN 1 WHEN d.day BETWEEN day0 - 150 AND day0 + 45 THEN 5
        WHEN ill AND n = 0 THEN 3 ELSE 1 END)::numeric, 1) AS value) v;

INSERT INTO monitoring_bodysize (patient_id, status, measured_on, weight_kg, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', DATE '{as_of}' - 10 - n * 150, 50 + pg_temp.dice(i, 6) / 20, '', DATE '{as_of}' - 10 - n * 150, 1
FROM generate_series(11, 0, -1) n CROSS JOIN LATERAL (SELECT * FROM person OFFSET n - n) p;

-- A visit every 90 days, one of them at day0 (but for 5 in 100), where they are weak; better from then on (but for 8 in
-- 100), and worse again at the two latest for those who are ill. Now and then a measure is not made.
INSERT INTO monitoring_assessment (patient_id, status, assessed_on, physician_vas, patient_vas, extramuscular_vas, haq_di,
    mmt8_150, mmt8_side, note, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', d.day, 6 - s.step + pg_temp.dice(i, 200 + n) / 1000.0, 5 - s.step + pg_temp.dice(i, 230 + n) / 1000.0,
    CASE WHEN pg_temp.dice(i, 260 + n) < 980 THEN 4 - s.step * 0.75 + pg_temp.dice(i, 290 + n) / 1000.0 END,
    (12 - s.step * 2 + pg_temp.dice(i, 320 + n) % 2) * 0.125, 110 + s.step * 8 + pg_temp.dice(i, 350 + n) % 4, '', '', '',
    d.day, 1
FROM generate_series(19, 0, -1) n
CROSS JOIN LATERAL (SELECT *, (DATE '{as_of}' - 3 - day0) / 90 - n AS visit FROM person OFFSET n - n) p
CROSS JOIN LATERAL (SELECT day0 + visit * 90 + CASE WHEN visit = 0 AND pg_temp.dice(i, 22) < 50 THEN 30 ELSE 0 END AS day) d
CROSS JOIN LATERAL (SELECT CASE WHEN visit = 0 OR ill AND n < 2 OR pg_temp.dice(i, 23) < 80 THEN 0 WHEN visit < 0 THEN 2
    ELSE LEAST(2 + visit, 4) END AS step) s;

INSERT INTO therapy_course (id, patient_id, status, drug, route, indication, change_reason, recorded_at, recorded_by_id)
SELECT i * 2, i, 'final', 'prednisolone', 'oral', '', '', DATE '{as_of}' - 400, 1 FROM person
UNION ALL
SELECT i * 2 + 1, i, 'final', (ARRAY['methotrexate', 'azathioprine', 'mycophenolate-mofetil'])[1 + pg_temp.dice(i, 8) % 3],
    'oral', '', '', DATE '{as_of}' - 400, 1 FROM person;
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
SELECT i, i * 2 + 1, 'final', day0 + 10, NULL,
    CASE pg_temp.dice(i, 8) % 3 WHEN 0 THEN 15 WHEN 1 THEN 150 ELSE 1000 END,
    CASE pg_temp.dice(i, 8) % 3 WHEN 2 THEN 2 ELSE 1 END, CASE pg_temp.dice(i, 8) % 3 WHEN 0 THEN 7 ELSE 1 END,
    '', '', day0, 1
FROM person;

-- Half of them taper by a plan of eleven steps; 6 in 100 of these confirm a month late.
INSERT INTO therapy_taperplan (id, patient_id, status, template, note, change_reason, recorded_at, recorded_by_id)
SELECT i, i, 'final', '', '', '', DATE '{as_of}' - 120, 1 FROM person WHERE pg_temp.dice(i, 9) < 500;
INSERT INTO therapy_taperstep (id, patient_id, plan_id, status, step_on, dose_pe_mg, change_reason, recorded_at, recorded_by_id)
SELECT i * 20 + n, i, i, 'final', DATE '{as_of}' - 100 - pg_temp.dice(i, 10) / 10 + n * 21, 60 - n * 5, '', DATE '{as_of}' - 120, 1
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
INSERT INTO patients_manifestation (patient_id, status, kind, onset_on, note, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', (ARRAY['ild', 'arthritis', 'mechanics_hands', 'dysphagia'])[1 + pg_temp.dice(i, 16) % 4],
    DATE '{as_of}' - 900, '', '', DATE '{as_of}' - 900, 1 FROM person WHERE pg_temp.dice(i, 17) < 600;
-- Tested every 200 days, the latest within 170 (6 in 100: within 500); looked at by HRCT soon after diagnosis (but for 3 in 100).
INSERT INTO monitoring_lungfunction (patient_id, status, tested_on, fvc_l, fvc_percent_predicted, dlco_percent_predicted,
    dlco_hb_corrected, reference_set, change_reason, recorded_at, recorded_by_id)
SELECT i, 'final', d.day, 3.1, 85, 72, 'yes', 'GLI-2012', '', d.day, 1
FROM generate_series(7, 0, -1) n CROSS JOIN LATERAL (SELECT * FROM person OFFSET n - n) p
CROSS JOIN LATERAL (SELECT DATE '{as_of}' - n * 200
    - CASE WHEN pg_temp.dice(i, 27) < 60 THEN pg_temp.dice(i, 18) / 2 ELSE pg_temp.dice(i, 18) * 17 / 100 END AS day) d;
INSERT INTO monitoring_imaging (patient_id, status, modality, done_on, ild, report, change_reason, recorded_at, recorded_by_id)
SELECT id, 'final', 'hrct', diagnosed_on + 20, 'absent', '', '', diagnosed_on + 20, 1
FROM patients_patient WHERE pg_temp.dice(id, 19) < 970 AND diagnosed_on IS NOT NULL;

-- The ids given above are taken.
SELECT setval(pg_get_serial_sequence(t, 'id'), {patients} * 100 + 100)
FROM unnest(ARRAY['accounts_centre', 'accounts_user', 'patients_patient', 'therapy_course', 'therapy_taperplan',
    'therapy_taperstep', 'therapy_physioplan', 'therapy_physiosession']) t;
