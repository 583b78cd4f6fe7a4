"""Interstitial lung disease has not been looked for, or not lately."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import Role
from monitoring.rules import sql
from monitoring.rules.base import Citation, Confidence, Question, Rule
from patients.antibodies import ILD_RISK, ILD_URGENT, POSITIVE_RESULTS


@dataclass(frozen=True)
class Parameters:
    before_days: int = 180  # a test this long before diagnosis still is a baseline
    baseline_days: int = 84  # after diagnosis
    baseline_urgent_days: int = 14  # instead, at urgent risk
    pair_days: int = 7  # spirometry and diffusion capacity this far apart are one full test
    often_days: int = 183
    yearly_days: int = 365
    ild_often_days: int = 365  # after the diagnosis of lung disease
    risk_often_days: int = 365  # after the diagnosis of myositis
    risk_ends_days: int = 1461  # four years
    action_days: int = 90  # overdue
    action_urgent_days: int = 14
    booked_days: int = 30


SPIROMETRY = "({0}.fvc_l IS NOT NULL OR {0}.fvc_percent_predicted IS NOT NULL)"
DIFFUSION = "({0}.dlco_percent_predicted IS NOT NULL)"


def words(codes: Iterable[str]) -> str:
    return ", ".join(f"'{code}'" for code in sorted(codes))


def findings(q: Question) -> str:
    return f"""
    WITH antibody AS (
        SELECT b.patient_id, array_agg(DISTINCT b.antibody ORDER BY b.antibody) AS antibodies,
            bool_or(b.antibody IN ({words(ILD_URGENT)})) AS is_urgent
        FROM asked a JOIN patients_antibodyresult b ON b.patient_id = a.patient_id AND {q.known("b")}
        WHERE b.taken_on <= %(as_of)s AND b.antibody IN ({words(ILD_RISK)}) AND b.result IN ({words(POSITIVE_RESULTS)})
        GROUP BY b.patient_id
    ), organ AS (
        -- Once recorded they count on: what healed was there.
        SELECT m.patient_id, array_agg(DISTINCT m.kind ORDER BY m.kind) AS kinds
        FROM asked a JOIN patients_manifestation m ON m.patient_id = a.patient_id AND {q.known("m")}
        WHERE m.onset_on <= %(as_of)s AND m.kind IN ('mechanics_hands', 'arthritis', 'ulceration')
        GROUP BY m.patient_id
    ), ild AS (
        {sql.known_ild(q)}
    ), person AS (
        SELECT a.patient_id, a.diagnosed_on, i.ild_on, b.antibodies, o.kinds,
            b.patient_id IS NOT NULL OR o.patient_id IS NOT NULL OR a.subtype = 'antisynthetase' AS at_risk,
            COALESCE(b.is_urgent, false) OR a.subtype = 'antisynthetase' AS is_urgent,
            a.subtype = 'antisynthetase' AS is_antisynthetase
        FROM asked a
        LEFT JOIN antibody b ON b.patient_id = a.patient_id
        LEFT JOIN organ o ON o.patient_id = a.patient_id
        LEFT JOIN ild i ON i.patient_id = a.patient_id
        WHERE a.subtype <> 'inclusion_body' OR b.patient_id IS NOT NULL OR o.patient_id IS NOT NULL
           OR i.patient_id IS NOT NULL
    ), pft AS (
        -- Most are full by themselves; only for a part is the other one looked for.
        SELECT l.patient_id, max(l.tested_on) AS tested_on
        FROM person JOIN monitoring_lungfunction l ON l.patient_id = person.patient_id AND {q.known("l")}
        WHERE l.tested_on <= %(as_of)s AND ({SPIROMETRY.format("l")} AND {DIFFUSION.format("l")} OR EXISTS (
            SELECT 1 FROM monitoring_lungfunction part
            WHERE part.patient_id = l.patient_id AND {q.known("part")}
              AND part.tested_on BETWEEN l.tested_on - %(pair_days)s AND l.tested_on
              AND CASE WHEN {SPIROMETRY.format("l")} THEN {DIFFUSION.format("part")}
                       ELSE {SPIROMETRY.format("part")} END))
        GROUP BY l.patient_id
    ), hrct AS (
        SELECT g.patient_id, max(g.done_on) AS done_on
        FROM person JOIN monitoring_imaging g ON g.patient_id = person.patient_id AND {q.known("g")}
        WHERE g.modality = 'hrct' AND g.ild IN ('present', 'absent', 'indeterminate') AND g.done_on <= %(as_of)s
        GROUP BY g.patient_id
    ), waived AS (
        SELECT w.patient_id, bool_or(w.test = 'pft') AS pft, bool_or(w.test = 'hrct') AS hrct
        FROM person JOIN monitoring_waiver w ON w.patient_id = person.patient_id AND {q.known("w")}
        WHERE %(as_of)s BETWEEN w.starts_on AND w.ends_on
        GROUP BY w.patient_id
    ), booked AS (
        SELECT k.patient_id, min(k.booked_for) FILTER (WHERE k.kind = 'pft') AS pft,
            min(k.booked_for) FILTER (WHERE k.kind = 'hrct') AS hrct
        FROM person JOIN monitoring_booking k ON k.patient_id = person.patient_id AND {q.known("k")}
        WHERE k.booked_for BETWEEN %(as_of)s AND %(as_of)s::date + %(booked_days)s
        GROUP BY k.patient_id
    ), tested AS (
        SELECT n.*, f.tested_on AS pft_on, h.done_on AS hrct_on, k.pft AS pft_booked_for, k.hrct AS hrct_booked_for,
            COALESCE(w.pft, false) AS pft_waived, COALESCE(w.hrct, false) AS hrct_waived,
            -- Where even the latest is too old, none counts; a NULL is none.
            COALESCE(f.tested_on >= n.diagnosed_on - %(before_days)s, false) AS has_pft,
            COALESCE(h.done_on >= n.diagnosed_on - %(before_days)s, false) AS has_hrct
        FROM person n
        LEFT JOIN pft f ON f.patient_id = n.patient_id
        LEFT JOIN hrct h ON h.patient_id = n.patient_id
        LEFT JOIN waived w ON w.patient_id = n.patient_id
        LEFT JOIN booked k ON k.patient_id = n.patient_id
    ), wanted AS (
        -- What the baseline lacks, but for what is waived; nothing lacking: the follow-up.
        SELECT *, ARRAY_REMOVE(ARRAY[
                CASE WHEN NOT has_pft AND NOT pft_waived THEN 'full lung function' END,
                CASE WHEN NOT has_hrct AND NOT hrct_waived THEN 'HRCT' END
            ], NULL) AS baseline_missing,
            -- The interval in force on the day of the latest test: a due day moves only when a test is done.
            CASE
                WHEN ild_on IS NOT NULL THEN CASE
                    WHEN pft_on <= ild_on + %(ild_often_days)s THEN %(often_days)s ELSE %(yearly_days)s END
                WHEN at_risk AND %(as_of)s <= diagnosed_on + %(risk_ends_days)s THEN CASE
                    WHEN pft_on <= diagnosed_on + %(risk_often_days)s THEN %(often_days)s ELSE %(yearly_days)s END
            END AS interval_days
        FROM tested
    ), dated AS (
        SELECT *, cardinality(baseline_missing) > 0 AS is_baseline,
            CASE
                WHEN cardinality(baseline_missing) > 0
                    THEN diagnosed_on + CASE WHEN is_urgent THEN %(baseline_urgent_days)s ELSE %(baseline_days)s END
                WHEN NOT pft_waived THEN pft_on + interval_days
            END AS due_on,
            CASE
                WHEN cardinality(baseline_missing) > 0
                    THEN (has_pft OR pft_waived OR pft_booked_for IS NOT NULL)
                     AND (has_hrct OR hrct_waived OR hrct_booked_for IS NOT NULL)
                ELSE pft_booked_for IS NOT NULL
            END AS is_booked
        FROM wanted
    )
    SELECT patient_id, 'patient'::text AS subject,
        CASE
            WHEN diagnosed_on IS NULL OR due_on >= %(as_of)s THEN NULL
            WHEN is_booked THEN 'INFO'
            WHEN %(as_of)s::date - due_on
                >= CASE WHEN is_urgent THEN %(action_urgent_days)s ELSE %(action_days)s END THEN 'ACTION'
            ELSE 'TASK'
        END AS level,
        due_on,
        CASE WHEN diagnosed_on IS NOT NULL THEN jsonb_build_object(
            'reasons', ARRAY_REMOVE(ARRAY[
                CASE WHEN is_baseline THEN 'baseline' WHEN ild_on IS NOT NULL THEN 'known' ELSE 'at-risk' END,
                CASE WHEN is_urgent THEN 'urgent-risk' END,
                CASE WHEN is_booked THEN 'booked' END
            ], NULL),
            'wanted', CASE WHEN is_baseline THEN baseline_missing ELSE ARRAY['full lung function'] END,
            'due_on', due_on,
            'diagnosed_on', diagnosed_on, 'ild_on', ild_on, 'pft_on', pft_on, 'hrct_on', hrct_on,
            'interval_days', CASE WHEN NOT is_baseline THEN interval_days END,
            'at_risk', at_risk, 'is_urgent', is_urgent,
            'risk', to_jsonb(COALESCE(antibodies, '{{}}'::varchar[])::text[] || replace(
                COALESCE(kinds, '{{}}'::varchar[])::text, '_', ' ')::text[]
                || CASE WHEN is_antisynthetase THEN ARRAY['antisynthetase syndrome'] ELSE '{{}}'::text[] END),
            'booked_for', to_jsonb(ARRAY_REMOVE(ARRAY[pft_booked_for, hrct_booked_for], NULL)),
            'waived', to_jsonb(ARRAY_REMOVE(ARRAY[CASE WHEN pft_waived THEN 'full lung function' END,
                                                  CASE WHEN hrct_waived THEN 'HRCT' END], NULL))
        ) END AS evidence,
        CASE WHEN diagnosed_on IS NULL THEN ARRAY['the day of diagnosis'] END AS missing
    FROM dated
    WHERE diagnosed_on IS NULL OR (
        due_on <= %(as_of)s::date + %(horizon)s
        -- Without lung disease, follow-up ends: what would fall due later never does.
        AND (is_baseline OR ild_on IS NOT NULL OR due_on <= diagnosed_on + %(risk_ends_days)s))
    """


RULE = Rule(
    id="ild-screening-gap",
    version=1,
    title="Screening for interstitial lung disease is overdue",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="Whom to screen and with what: Johnson SR, Bernstein EJ, Bolster MB, et al. 2023 ACR/CHEST guideline "
            "for screening and monitoring of interstitial lung disease. Arthritis Rheumatol 2024;76:1201-13.",
            confidence=Confidence.SECONDARY,
            doi="10.1002/art.42860",
            locator="Table 2 and Table 4, read in the guideline's pocket edition",
        ),
        Citation(
            text="Known lung disease, first year: lung function every 3 to 6 months, then less often (same guideline).",
            confidence=Confidence.SECONDARY,
            doi="10.1002/art.42860",
            locator="Table 4",
        ),
        Citation(
            text="The baseline window, the intervals without lung disease and the days until action are in no "
            "guideline: a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "baseline": "Still wanted since diagnosis ({diagnosed_on}): {wanted}, due on {due_on}. Risk: {risk}.",
        "known": "Interstitial lung disease is known since {ild_on}. The latest full lung function was on {pft_on}; "
        "the next, after {interval_days} days, is due on {due_on}.",
        "at-risk": "At risk of interstitial lung disease: {risk}. The latest full lung function was on {pft_on}; "
        "the next, after {interval_days} days, is due on {due_on}.",
        "urgent-risk": "The risk is urgent.",
        "booked": "Booked for {booked_for}.",
    },
    not_considered=(
        "Breathlessness, crackles and oxygen saturation: new symptoms need a test now.",
        "Weakly positive antibodies.",
        "Chest X-ray, walk tests and spirometry alone: they do not find interstitial lung disease early.",
        "Tests done elsewhere that nobody recorded.",
        "Whether a skin or joint finding has healed, and whether lung disease was later thought absent.",
        "Repeating HRCT: it has no fixed interval.",
    ),
    advice="A full lung function has spirometry and diffusion capacity. Book it, or record why it is not wanted.",
    examples="""
        case                                   | diagnosis | subtype | antibodies | manifestations | lung | imaging | bookings | waivers | expect
        no day of diagnosis                    | none | | | | | | | | not evaluable
        day 55: too far ahead                  | -55 | | | | | | | | quiet
        day 56                                 | -56 | | | | | | | | due +28
        day 83                                 | -83 | | | | | | | | due +1
        day 84 is not overdue                  | -84 | | | | | | | | due +0
        day 85                                 | -85 | | | | | | | | TASK due -1 [baseline]
        89 days overdue                        | -173 | | | | | | | | TASK due -89
        90 days overdue                        | -174 | | | | | | | | ACTION due -90
        91 days overdue                        | -175 | | | | | | | | ACTION due -91
        the baseline never lapses              | -2000 | | | | | | | | ACTION due -1916
        urgent, day 13                         | -13 | | -5 jo-1 positive | | | | | | due +1
        urgent, day 14                         | -14 | | -5 jo-1 positive | | | | | | due +0
        urgent, day 15                         | -15 | | -5 jo-1 positive | | | | | | TASK due -1 [baseline, urgent-risk]
        urgent, 13 days overdue                | -27 | | -5 jo-1 positive | | | | | | TASK due -13
        urgent, 14 days overdue                | -28 | | -5 jo-1 positive | | | | | | ACTION due -14
        urgent, 15 days overdue                | -29 | | -5 jo-1 positive | | | | | | ACTION due -15
        urgent risk found today                | -80 | | 0 mda5 positive | | | | | | ACTION due -66
        urgent risk found tomorrow             | -80 | | 1 mda5 positive | | | | | | due +4
        at risk, not urgent, day 80            | -80 | | -5 ro52 positive | | | | | | due +4
        complete, no risk                      | -800 | | | | -400 full | -790 hrct absent | | | quiet
        at risk: ku                            | -800 | | -700 ku positive | | -400 full | -790 hrct absent | | | TASK due -35 [at-risk]
        at risk: pm-scl                        | -800 | | -700 pm-scl positive | | -400 full | -790 hrct absent | | | TASK due -35 [at-risk]
        at risk: ro52                          | -800 | | -700 ro52 positive | | -400 full | -790 hrct absent | | | TASK due -35 [at-risk]
        urgent risk: jo-1                      | -800 | | -700 jo-1 positive | | -400 full | -790 hrct absent | | | ACTION due -35 [at-risk, urgent-risk]
        urgent risk: pl-7                      | -800 | | -700 pl-7 positive | | -400 full | -790 hrct absent | | | ACTION due -35 [at-risk, urgent-risk]
        urgent risk: pl-12                     | -800 | | -700 pl-12 positive | | -400 full | -790 hrct absent | | | ACTION due -35 [at-risk, urgent-risk]
        urgent risk: ej                        | -800 | | -700 ej positive | | -400 full | -790 hrct absent | | | ACTION due -35 [at-risk, urgent-risk]
        urgent risk: oj                        | -800 | | -700 oj positive | | -400 full | -790 hrct absent | | | ACTION due -35 [at-risk, urgent-risk]
        urgent risk: ks                        | -800 | | -700 ks positive | | -400 full | -790 hrct absent | | | ACTION due -35 [at-risk, urgent-risk]
        urgent risk: ha                        | -800 | | -700 ha positive | | -400 full | -790 hrct absent | | | ACTION due -35 [at-risk, urgent-risk]
        urgent risk: zo                        | -800 | | -700 zo positive | | -400 full | -790 hrct absent | | | ACTION due -35 [at-risk, urgent-risk]
        urgent risk: mda5                      | -800 | | -700 mda5 positive | | -400 full | -790 hrct absent | | | ACTION due -35 [at-risk, urgent-risk]
        urgent risk: antisynthetase syndrome   | -800 | antisynthetase | | | -400 full | -790 hrct absent | | | ACTION due -35 [at-risk, urgent-risk]
        strongly positive                      | -800 | | -700 ku strong | | -400 full | -790 hrct absent | | | TASK due -35
        weakly positive                        | -800 | | -700 ku weak | | -400 full | -790 hrct absent | | | quiet
        negative                               | -800 | | -700 ku negative | | -400 full | -790 hrct absent | | | quiet
        once positive, later negative          | -800 | | -700 ku positive, -100 ku negative | | -400 full | -790 hrct absent | | | TASK due -35
        an antibody without this risk          | -800 | | -700 mi-2 positive | | -400 full | -790 hrct absent | | | quiet
        antibody taken tomorrow                | -800 | | 1 ku positive | | -400 full | -790 hrct absent | | | quiet
        antibody taken today                   | -800 | | 0 ku positive | | -400 full | -790 hrct absent | | | TASK
        at risk: mechanics hands               | -800 | | | -700 mechanics_hands | -400 full | -790 hrct absent | | | TASK due -35 [at-risk]
        at risk: arthritis                     | -800 | | | -700 arthritis | -400 full | -790 hrct absent | | | TASK due -35 [at-risk]
        at risk: ulceration                    | -800 | | | -700 ulceration | -400 full | -790 hrct absent | | | TASK due -35 [at-risk]
        arthritis that healed                  | -800 | | | -700 arthritis -600 | -400 full | -790 hrct absent | | | TASK due -35
        arthritis tomorrow                     | -800 | | | 1 arthritis | -400 full | -790 hrct absent | | | quiet
        a skin sign without this risk          | -800 | | | -700 gottron | -400 full | -790 hrct absent | | | quiet
        at risk, due in 29 days                | -300 | | -5 ku positive | | -154 full | -290 hrct absent | | | quiet
        at risk, due in 28 days                | -300 | | -5 ku positive | | -155 full | -290 hrct absent | | | due +28
        at risk, 182 days                      | -300 | | -5 ku positive | | -182 full | -290 hrct absent | | | due +1
        at risk, 183 days                      | -300 | | -5 ku positive | | -183 full | -290 hrct absent | | | due +0
        at risk, 184 days                      | -300 | | -5 ku positive | | -184 full | -290 hrct absent | | | TASK due -1
        at risk, 89 days overdue               | -300 | | -5 ku positive | | -272 full | -290 hrct absent | | | TASK due -89
        at risk, 90 days overdue               | -300 | | -5 ku positive | | -273 full | -290 hrct absent | | | ACTION due -90
        urgent, follow-up 13 days overdue      | -300 | | -5 jo-1 positive | | -196 full | -290 hrct absent | | | TASK due -13
        urgent, follow-up 14 days overdue      | -300 | | -5 jo-1 positive | | -197 full | -290 hrct absent | | | ACTION due -14
        at risk, test on day 364               | -600 | | -5 ku positive | | -236 full | -590 hrct absent | | | TASK due -53
        at risk, test on day 365               | -600 | | -5 ku positive | | -235 full | -590 hrct absent | | | TASK due -52
        at risk, test on day 366               | -600 | | -5 ku positive | | -234 full | -590 hrct absent | | | quiet
        at risk, yearly, 364 days              | -1200 | | -5 ku positive | | -364 full | -1190 hrct absent | | | due +1
        at risk, yearly, 365 days              | -1200 | | -5 ku positive | | -365 full | -1190 hrct absent | | | due +0
        at risk, yearly, 366 days              | -1200 | | -5 ku positive | | -366 full | -1190 hrct absent | | | TASK due -1
        at risk, day 1460                      | -1460 | | -5 ku positive | | -400 full | -1400 hrct absent | | | TASK due -35
        at risk, day 1461                      | -1461 | | -5 ku positive | | -400 full | -1400 hrct absent | | | TASK due -35
        at risk, day 1462: ended               | -1462 | | -5 ku positive | | -400 full | -1400 hrct absent | | | quiet
        due on day 1461                        | -1450 | | -5 ku positive | | -354 full | -1400 hrct absent | | | due +11
        would fall due on day 1462             | -1450 | | -5 ku positive | | -353 full | -1400 hrct absent | | | quiet
        ends at urgent risk too                | -1462 | | -5 jo-1 positive | | -400 full | -1400 hrct absent | | | quiet
        known, test on day 364                 | -3000 | | | -600 ild | -236 full | -2990 hrct absent | | | TASK due -53 [known]
        known, test on day 365                 | -3000 | | | -600 ild | -235 full | -2990 hrct absent | | | TASK due -52
        known, test on day 366                 | -3000 | | | -600 ild | -234 full | -2990 hrct absent | | | quiet
        known, yearly without end, 365 days    | -3000 | | | -2900 ild | -365 full | -2990 hrct absent | | | due +0
        known, yearly without end, 366 days    | -3000 | | | -2900 ild | -366 full | -2990 hrct absent | | | TASK due -1 [known]
        known, at risk too                     | -600 | | -5 ku positive | -500 ild | -184 full | -590 hrct absent | | | TASK due -1 [known]
        known after the latest test            | -800 | | | -10 ild | -400 full | -790 hrct absent | | | ACTION due -217 [known]
        known from tomorrow                    | -800 | | | 1 ild | -400 full | -790 hrct absent | | | quiet
        known before the myositis              | -300 | | | -1000 ild | -410 full | -290 hrct absent | | | TASK due -45 [known]
        seen on HRCT                           | -800 | | | | -300 full | -100 hrct present | | | ACTION due -117 [known]
        indeterminate on HRCT                  | -800 | | | | -300 full | -100 hrct indeterminate | | | quiet
        tests 179 days before diagnosis        | -300 | | | | -479 full | -479 hrct absent | | | quiet
        tests 180 days before diagnosis        | -300 | | | | -480 full | -480 hrct absent | | | quiet
        lung function 181 days before          | -300 | | | | -481 full | -480 hrct absent | | | ACTION due -216 [baseline]
        HRCT 181 days before                   | -300 | | | | -480 full | -481 hrct absent | | | ACTION due -216 [baseline]
        tests on the day                       | -85 | | | | 0 full | 0 hrct absent | | | quiet
        tests tomorrow                         | -85 | | | | 1 full | 1 hrct absent | | | TASK
        in two parts, 6 days apart             | -1200 | | -5 ku positive | | -371 spiro, -365 dlco | -1190 hrct absent | | | due +0
        in two parts, 7 days apart             | -1200 | | -5 ku positive | | -372 spiro, -365 dlco | -1190 hrct absent | | | due +0
        in two parts, 8 days apart             | -1200 | | -5 ku positive | | -373 spiro, -365 dlco | -1190 hrct absent | | | ACTION due -1116 [baseline]
        in two parts, the other way round      | -1200 | | -5 ku positive | | -372 dlco, -365 spiro% | -1190 hrct absent | | | due +0
        in two parts, on one day               | -1200 | | -5 ku positive | | -365 dlco, -365 spiro | -1190 hrct absent | | | due +0
        spirometry alone moves nothing         | -1200 | | -5 ku positive | | -366 full, -10 spiro | -1190 hrct absent | | | TASK due -1
        diffusion capacity alone moves nothing | -1200 | | -5 ku positive | | -366 full, -10 dlco | -1190 hrct absent | | | TASK due -1
        no HRCT                                | -85 | | | | -80 full | | | | TASK due -1 [baseline]
        no lung function                       | -85 | | | | | -80 hrct absent | | | TASK due -1 [baseline]
        HRCT without a report                  | -85 | | | | -80 full | -80 hrct not_reported | | | TASK
        HRCT not asked about the lung          | -85 | | | | -80 full | -80 hrct not_applicable | | | TASK
        HRCT indeterminate                     | -85 | | | | -80 full | -80 hrct indeterminate | | | quiet
        chest X-ray                            | -85 | | | | -80 full | -80 chest_xray absent | | | TASK
        ordinary CT                            | -85 | | | | -80 full | -80 ct_chest absent | | | TASK
        follow-up waits for the baseline       | -800 | | -5 ku positive | | -400 full | | | | ACTION due -716 [baseline]
        both booked                            | -100 | | | | | | 10 pft, 12 hrct | | INFO due -16 [baseline, booked]
        one of two booked                      | -100 | | | | | | 10 pft | | TASK due -16 [baseline]
        booked in 29 days                      | -100 | | | | | | 29 pft, 29 hrct | | INFO
        booked in 30 days                      | -100 | | | | | | 30 pft, 30 hrct | | INFO
        booked in 31 days                      | -100 | | | | | | 30 pft, 31 hrct | | TASK
        booked for today                       | -100 | | | | | | 0 pft, 0 hrct | | INFO
        booked for yesterday                   | -100 | | | | | | 0 pft, -1 hrct | | TASK
        the missing one booked                 | -100 | | | | -90 full | | 10 hrct | | INFO
        the other one booked                   | -100 | | | | -90 full | | 10 pft | | TASK
        booked, long overdue                   | -900 | | | | | | 10 pft, 10 hrct | | INFO due -816
        booked, not yet due                    | -80 | | | | | | 2 pft, 2 hrct | | due +4
        another thing booked                   | -100 | | | | | | 10 visit, 10 bloods | | TASK
        follow-up booked                       | -300 | | -5 ku positive | | -184 full | -290 hrct absent | 5 pft | | INFO due -1 [at-risk, booked]
        follow-up, HRCT booked                 | -300 | | -5 ku positive | | -184 full | -290 hrct absent | 5 hrct | | TASK due -1
        both waived                            | -100 | | | | | | | -10..100 pft declined, -10..100 hrct pregnancy | quiet
        one of two waived                      | -100 | | | | | | | -10..100 pft declined | TASK due -16 [baseline]
        one waived, the other done             | -100 | | | | -90 full | | | -10..100 hrct not_possible | quiet
        one waived, the other booked           | -100 | | | | | | 5 hrct | -10..100 pft declined | INFO
        waived, last day today                 | -100 | | | | -90 full | | | -10..0 hrct declined | quiet
        waived until yesterday                 | -100 | | | | -90 full | | | -10..-1 hrct declined | TASK
        waived from tomorrow                   | -100 | | | | -90 full | | | 1..10 hrct declined | TASK
        waived for 365 days                    | -500 | | | | -490 full | | | -364..0 hrct done_elsewhere | quiet
        HRCT waived, follow-up goes on         | -300 | | -5 ku positive | | -184 full | | | -10..100 hrct pregnancy | TASK due -1 [at-risk]
        follow-up waived                       | -300 | | -5 ku positive | | -184 full | -290 hrct absent | | -10..100 pft not_possible | quiet
        inclusion body myositis                | -900 | inclusion_body | | | | | | | quiet
        inclusion body, at risk                | -900 | inclusion_body | -5 ro52 positive | | | | | | ACTION due -816 [baseline]
        inclusion body, weakly positive        | -900 | inclusion_body | -5 ro52 weak | | | | | | quiet
        inclusion body, arthritis              | -900 | inclusion_body | | -9 arthritis | | | | | ACTION due -816
        inclusion body, lung disease           | -900 | inclusion_body | | -9 ild | | | | | ACTION due -816
        inclusion body, no day of diagnosis    | none | inclusion_body | | | | | | | quiet
        inclusion body, at risk, no diagnosis  | none | inclusion_body | -5 ro52 positive | | | | | | not evaluable
    """,
)
