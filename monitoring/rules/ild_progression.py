"""Interstitial lung disease is progressing."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules import lung_sql, sql
from monitoring.rules.base import Citation, Confidence, Question, Rule
from monitoring.scores import lung_change


@dataclass(frozen=True)
class Parameters(lung_change.Parameters):
    max_age_days: int = 365  # of the newest test
    year_days: int = 365  # in which symptoms began and imaging showed it


# What the evidence holds, and the reasons that name it.
SHOWN = {
    "fvc fvc_best fvc_best_on": "fvc",
    "fvc_now fvc_before fvc_before_on fvc_unit": "fvc-relative",
    "fvc_on": "fvc fvc-relative",
    "dlco dlco_best dlco_best_on dlco_on": "dlco dlco-relative muscle",
    "symptoms symptoms_on": "symptoms",
    "scan_on": "imaging",
}


def findings(q: Question) -> str:
    return f"""
    WITH ild AS ({sql.known_ild(q)}),
    {lung_sql.tests(q, "ild", "%(max_age_days)s + %(look_back_days)s")},
    {lung_sql.fvc("fvc", "%(max_age_days)s", "%(look_back_days)s")},
    {lung_sql.dlco("dlco", "%(max_age_days)s", "%(look_back_days)s")},
    symptom AS (
        -- What was there when the disease was found is not worse.
        SELECT i.patient_id, array_agg(DISTINCT m.kind::text ORDER BY m.kind::text) AS kinds, max(m.onset_on) AS onset_on
        FROM ild i JOIN patients_manifestation m ON m.patient_id = i.patient_id AND {q.known("m")}
        WHERE m.kind IN ('dyspnoea', 'cough', 'oxygen') AND m.onset_on > i.ild_on
          AND m.onset_on BETWEEN %(as_of)s::date - %(year_days)s::int AND %(as_of)s
          AND (m.ended_on IS NULL OR m.ended_on >= %(as_of)s)
        GROUP BY i.patient_id
    ), scan AS (
        SELECT DISTINCT ON (i.patient_id) i.patient_id, g.progression, g.done_on
        FROM ild i JOIN monitoring_imaging g ON g.patient_id = i.patient_id AND {q.known("g")}
        WHERE g.modality IN ('hrct', 'ct_chest') AND g.progression IN ('yes', 'no')
          AND g.done_on BETWEEN %(as_of)s::date - %(year_days)s::int AND %(as_of)s
        ORDER BY i.patient_id, g.done_on DESC, g.id DESC
    ), compared AS (
        SELECT i.patient_id, i.ild_on, y.kinds, y.onset_on, c.done_on AS scan_on,
            f.tested_on AS fvc_on, f.percent AS fvc, f.best_percent AS fvc_best, f.best_percent_on AS fvc_best_on,
            f.relative_now AS fvc_now, f.relative_best AS fvc_before, f.relative_best_on AS fvc_before_on,
            CASE WHEN f.best_litres IS NOT NULL THEN 'litres' ELSE 'percent predicted' END AS fvc_unit,
            d.tested_on AS dlco_on, d.percent AS dlco, d.best_percent AS dlco_best, d.best_percent_on AS dlco_best_on,
            y.patient_id IS NOT NULL AS is_symptoms, c.progression IS NOT DISTINCT FROM 'yes' AS is_imaging,
            f.best_percent - f.percent >= %(fvc_absolute)s AS fvc_fell,
            d.best_percent - d.percent >= %(dlco_absolute)s AS dlco_fell,
            f.relative_best > 0
                AND (f.relative_best - f.relative_now) * 100 >= %(fvc_relative)s * f.relative_best AS fvc_fell_much,
            d.best_percent > 0
                AND (d.best_percent - d.percent) * 100 >= %(dlco_relative)s * d.best_percent AS dlco_fell_much
        FROM ild i
        LEFT JOIN symptom y ON y.patient_id = i.patient_id
        LEFT JOIN scan c ON c.patient_id = i.patient_id
        LEFT JOIN fvc f ON f.patient_id = i.patient_id
        LEFT JOIN dlco d ON d.patient_id = i.patient_id
    ), counted AS (
        SELECT *, is_symptoms::int + is_imaging::int
                + (COALESCE(fvc_fell, false) OR COALESCE(dlco_fell, false))::int AS criteria,
            COALESCE(fvc_fell_much, false) OR COALESCE(dlco_fell_much, false) AS is_alarm,
            NULLIF(ARRAY_REMOVE(ARRAY[
                CASE WHEN fvc_on IS NULL THEN 'a forced vital capacity of the last year'
                     WHEN fvc_before IS NULL THEN 'an earlier forced vital capacity to compare with' END,
                CASE WHEN dlco_on IS NULL THEN 'a diffusion capacity of the last year'
                     WHEN dlco_best IS NULL THEN 'an earlier diffusion capacity to compare with' END
            ], NULL), '{{}}') AS missing
        FROM compared
    ), reasoned AS (
        SELECT *, ARRAY_REMOVE(ARRAY[
                CASE WHEN fvc_fell THEN 'fvc' END, CASE WHEN fvc_fell_much THEN 'fvc-relative' END,
                CASE WHEN dlco_fell THEN 'dlco' END, CASE WHEN dlco_fell_much THEN 'dlco-relative' END,
                CASE WHEN is_symptoms THEN 'symptoms' END, CASE WHEN is_imaging THEN 'imaging' END,
                CASE WHEN (fvc_fell OR fvc_fell_much) AND dlco_best - dlco < %(dlco_absolute)s AND NOT dlco_fell_much
                    THEN 'muscle' END
            ], NULL) AS reasons,
            to_jsonb(replace(kinds::text, 'oxygen', '"need of oxygen"')::text[]) AS symptoms, onset_on AS symptoms_on
        FROM counted
    )
    SELECT patient_id, 'patient'::text AS subject,
        CASE WHEN is_alarm OR criteria >= %(criteria_for_progression)s THEN 'ACTION' WHEN criteria >= 1 THEN 'INFO' END
            AS level,
        NULL::date AS due_on,
        CASE WHEN is_alarm OR criteria >= 1 THEN jsonb_build_object(
            'reasons', reasons, 'criteria', criteria, 'ild_on', ild_on, {sql.named_by(SHOWN)}
        ) END AS evidence,
        -- What is missing matters where a criterion could still turn up.
        CASE WHEN NOT is_alarm AND criteria < %(criteria_for_progression)s THEN missing END AS missing
    FROM reasoned
    WHERE is_alarm OR criteria >= 1 OR missing IS NOT NULL
    """


RULE = Rule(
    id="ild-progression",
    version=1,
    title="Interstitial lung disease may be progressing",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="Progressive pulmonary fibrosis, two of three criteria within a year: Raghu G, et al. ATS/ERS/JRS/ALAT "
            "guideline. Am J Respir Crit Care Med 2022;205:e18-47.",
            doi="10.1164/rccm.202202-0399ST",
            confidence=Confidence.PRIMARY,
        ),
        Citation(
            text="A relative fall of FVC by 10 % or of DLCO by 15 % as an alarm by itself is common practice.",
            confidence=Confidence.GENERAL,
        ),
        Citation(
            text="Which tests are compared, and which symptoms count, is a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "fvc": "FVC {fvc} % predicted on {fvc_on}, {fvc_best} % on {fvc_best_on}: down by {p.fvc_absolute} points or more.",
        "fvc-relative": "FVC {fvc_now} ({fvc_unit}) on {fvc_on}, {fvc_before} on {fvc_before_on}: down by {p.fvc_relative} "
        "% or more of what it was.",
        "dlco": "DLCO {dlco} % predicted on {dlco_on}, {dlco_best} % on {dlco_best_on}: down by {p.dlco_absolute} points or "
        "more.",
        "dlco-relative": "DLCO {dlco} % predicted on {dlco_on}, {dlco_best} % on {dlco_best_on}: down by {p.dlco_relative} % "
        "or more of what it was.",
        "symptoms": "New since the lung disease is known ({ild_on}), latest from {symptoms_on}: {symptoms}.",
        "imaging": "CT of {scan_on}: fibrosis has progressed.",
        "muscle": "The diffusion capacity did not fall with the vital capacity: weakness of the respiratory muscles can "
        "explain it (MIP, MEP or SNIP; FVC lying down).",
    },
    not_considered=(
        "Another explanation: infection, heart failure, embolism, a drug.",
        "Whether the tests were of one laboratory and of what quality.",
        "Percentages of different reference sets, and DLCO corrected for haemoglobin and not: they are not compared.",
        "Symptoms that were there when the lung disease was found and grew worse since.",
    ),
    advice="A low vital capacity with a preserved diffusion capacity suggests weak respiratory muscles in myositis. Repeat "
    "the test where it could be wrong; ask for imaging and for the respiratory clinic where it is not.",
    examples="""
        case                                   | manifestations                 | imaging       | pft                                                              | scans                    | expect
        no lung disease                        |                                |               | -300 fvc=3 fvc%=90 dlco=80, -5 fvc=2 fvc%=60 dlco=50             |                          | quiet
        stable                                 | -900 ild                       |               | -300 fvc=3 fvc%=90 dlco=80, -5 fvc=3 fvc%=90 dlco=80             |                          | quiet
        better                                 | -900 ild                       |               | -300 fvc=3 fvc%=90 dlco=80, -5 fvc=4 fvc%=95 dlco=95             |                          | quiet
        FVC 4.9 points down                    | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=85.1 dlco=70.1                     |                          | quiet
        FVC 5 points down                      | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=85 dlco=70.1                       |                          | INFO [fvc, muscle]
        FVC 5.1 points down                    | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=84.9 dlco=80                       |                          | INFO [fvc, muscle]
        DLCO 9.9 points down                   | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=70.1                       |                          | quiet
        DLCO 10 points down                    | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=70                         |                          | INFO [dlco]
        FVC and DLCO are one criterion         | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=85 dlco=70                         |                          | INFO [fvc, dlco]
        FVC in litres, 9.99 % down             | -900 ild                       |               | -300 fvc=11.01 dlco=80, -5 fvc=9.91 dlco=80                      |                          | quiet
        FVC in litres, 10 % down               | -900 ild                       |               | -300 fvc=3.00 dlco=80, -5 fvc=2.70 dlco=80                       |                          | ACTION [fvc-relative, muscle]
        FVC in litres before percent           | -900 ild                       |               | -300 fvc=3.00 fvc%=90 dlco=80, -5 fvc=2.90 fvc%=80 dlco=80       |                          | INFO [fvc, muscle]
        litres in one of them only             | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc=2.90 fvc%=81 dlco=80                |                          | ACTION [fvc, fvc-relative, muscle]
        FVC in percent, just below 10 %        | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=81.1 dlco=80                       |                          | INFO
        DLCO 14.875 % down                     | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=68.1                       |                          | INFO [dlco]
        DLCO 15 % down                         | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=68                         |                          | ACTION [dlco, dlco-relative]
        DLCO 15 % down, 6 points               | -900 ild                       |               | -300 fvc%=90 dlco=40, -5 fvc%=90 dlco=34                         |                          | ACTION [dlco-relative]
        and FVC 5 points                       | -900 ild                       |               | -300 fvc%=90 dlco=40, -5 fvc%=85 dlco=34                         |                          | ACTION [fvc, dlco-relative]
        DLCO hardly below 15 %                 | -900 ild                       |               | -300 fvc%=90 dlco=100, -5 fvc%=90 dlco=85.1                      |                          | INFO [dlco]
        DLCO of 200, 14.993 % down             | -900 ild                       |               | -300 fvc%=90 dlco=200.1, -5 fvc%=90 dlco=170.1                    |                          | INFO [dlco]
        symptoms                               | -900 ild, -100 dyspnoea        |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         |                          | INFO [symptoms]
        cough                                  | -900 ild, -100 cough           |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         |                          | INFO [symptoms]
        oxygen                                 | -900 ild, -100 oxygen          |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         |                          | INFO [symptoms]
        symptoms 365 days ago                  | -900 ild, -365 dyspnoea        |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         |                          | INFO [symptoms]
        symptoms 366 days ago                  | -900 ild, -366 dyspnoea        |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         |                          | quiet
        symptoms from tomorrow                 | -900 ild, 1 dyspnoea           |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         |                          | quiet
        symptoms that ended yesterday          | -900 ild, -100 dyspnoea -1     |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         |                          | quiet
        symptoms that end today                | -900 ild, -100 dyspnoea 0      |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         |                          | INFO
        symptoms of the day it was found       | -100 ild, -100 dyspnoea        |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         |                          | quiet
        another manifestation                  | -900 ild, -100 arthritis       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         |                          | quiet
        imaging                                | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         | -100 hrct yes            | INFO [imaging]
        imaging 365 days ago                   | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         | -365 ct_chest yes        | INFO [imaging]
        imaging 366 days ago                   | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         | -366 hrct yes            | quiet
        imaging, later none                    | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         | -100 hrct yes, -9 hrct no | quiet
        imaging, later not stated              | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80                         | -100 hrct yes, -9 hrct not_stated | INFO
        two criteria: lung function, symptoms  | -900 ild, -100 dyspnoea        |               | -300 fvc%=90 dlco=80, -5 fvc%=85 dlco=72                         |                          | ACTION [fvc, muscle, symptoms]
        two criteria: symptoms, imaging        | -900 ild, -100 dyspnoea        |               |                                                                  | -100 hrct yes            | ACTION [symptoms, imaging]
        all three                              | -900 ild, -100 dyspnoea        |               | -300 fvc%=90 dlco=80, -5 fvc%=85 dlco=70                         | -100 hrct yes            | ACTION [fvc, dlco, symptoms, imaging]
        seen on HRCT                           |                                | -900 hrct present | -300 fvc%=90 dlco=80, -5 fvc%=85 dlco=80                     |                          | INFO
        seen on HRCT of today                  |                                | 0 hrct present | -300 fvc%=90 dlco=80, -5 fvc%=85 dlco=80                         |                          | INFO [fvc, muscle]
        newest test 365 days old               | -900 ild                       |               | -600 fvc%=90 dlco=80, -365 fvc%=85 dlco=80                       |                          | INFO
        newest test 366 days old               | -900 ild                       |               | -600 fvc%=90 dlco=80, -366 fvc%=85 dlco=80                       |                          | not evaluable
        best 365 days before                   | -900 ild                       |               | -370 fvc%=90 dlco=80, -5 fvc%=85 dlco=80                         |                          | INFO
        best 366 days before                   | -900 ild                       |               | -371 fvc%=90 dlco=80, -5 fvc%=85 dlco=80                         |                          | not evaluable
        the oldest pair there can be           | -900 ild                       |               | -730 fvc%=90 dlco=80, -365 fvc%=85 dlco=80                       |                          | INFO
        the best, not the one before           | -900 ild                       |               | -300 fvc%=90 dlco=80, -100 fvc%=86 dlco=80, -5 fvc%=85 dlco=80   |                          | INFO
        the newest, not the worst              | -900 ild                       |               | -300 fvc%=90 dlco=80, -100 fvc%=80 dlco=80, -5 fvc%=89 dlco=80   |                          | quiet
        the first test ever                    | -900 ild                       |               | -5 fvc%=85 dlco=80                                               |                          | not evaluable
        no test ever                           | -900 ild                       |               |                                                                  |                          | not evaluable
        no test ever, but symptoms             | -900 ild, -100 dyspnoea        |               |                                                                  |                          | INFO [symptoms]
        FVC alone, stable                      | -900 ild                       |               | -300 fvc%=90, -5 fvc%=90                                         |                          | not evaluable
        in two parts                           | -900 ild                       |               | -300 fvc%=90, -295 dlco=80, -9 fvc%=90, -5 dlco=70               |                          | INFO [dlco]
        another reference set                  | -900 ild                       |               | -300 fvc%=90 dlco=80 set=GLI-2012, -5 fvc%=80 dlco=60 set=GLI-2022 |                        | not evaluable
        another reference set, litres          | -900 ild                       |               | -300 fvc=3 fvc%=90 set=GLI-2012, -5 fvc=2.7 fvc%=80 set=GLI-2022 |                          | ACTION [fvc-relative]
        one reference set, another spelling    | -900 ild                       |               | -300 fvc%=90 dlco=80 set=GLI-2012, -5 fvc%=85 dlco=80 set=gli-2012 |                        | INFO
        DLCO corrected and not                 | -900 ild                       |               | -300 fvc%=90 dlco=80 hb=yes, -5 fvc%=90 dlco=60 hb=no            |                          | not evaluable
        from 0                                 | -900 ild                       |               | -300 fvc=0 fvc%=0 dlco=0, -5 fvc=0 fvc%=0 dlco=0                 |                          | quiet
        test tomorrow                          | -900 ild                       |               | -300 fvc%=90 dlco=80, -5 fvc%=90 dlco=80, 1 fvc%=50 dlco=40      |                          | quiet
    """,
)
