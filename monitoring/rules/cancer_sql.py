"""Cancer screening in SQL, for the whole clinic at once: the tier of monitoring/scores/cancer_tier.py on every day since
the diagnosis, the panels that fell due by it, and what was done. A test proves that both say the same of the tier.

What once fell due stays due: a tier that is lower later takes nothing back. The rule and the page read the same `state`.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.rules.base import Question
from monitoring.rules.steroid import words
from monitoring.scores import cancer_tier
from monitoring.scores.cancer_tier import Panel, Tier
from patients.antibodies import ANTIBODIES, POSITIVE_RESULTS
from patients.models import RiskKind, Subtype
from therapy.formulary import FORMULARY, Kind
from therapy.models import Option, StopReason


@dataclass(frozen=True)
class Parameters(cancer_tier.Parameters):
    """Its own: how old what was done may be at diagnosis."""

    diagnosis_before_days: int = 90


TIERS = (Tier.STANDARD, Tier.MODERATE, Tier.HIGH)  # in SQL 0, 1, 2
PANELS = {Panel.BASIC: "basic panel", Panel.ENHANCED: "enhanced panel"}
FACTORS = {
    **{
        f"subtype:{code}": str(Subtype(code).label)
        for code in cancer_tier.HIGH_SUBTYPES | cancer_tier.INTERMEDIATE_SUBTYPES
    },
    **{
        f"antibody:{code}": ANTIBODIES[code].name
        for code in cancer_tier.HIGH_ANTIBODIES + cancer_tier.INTERMEDIATE_ANTIBODIES
    },
    "age_at_onset": "age at the first symptom",
    "persistent_activity": "activity despite immunosuppression",
    "dysphagia": "moderate or severe dysphagia",
    "necrosis": "cutaneous necrosis",
    "male": "male sex",
}
RED_FLAGS = {flag: str(RiskKind(flag).label) for flag in cancer_tier.RED_FLAGS}
IMMUNOSUPPRESSION = frozenset(
    code
    for code, drug in FORMULARY.items()
    if drug.kind
    in {Kind.GLUCOCORTICOID, Kind.CONVENTIONAL, Kind.CALCINEURIN, Kind.BIOLOGIC, Kind.IMMUNOGLOBULIN, Kind.JAK}
)
ESCALATIONS = frozenset(option.value for option in Option) - {Option.NO_CHANGE.value}


def _cases(of: str, named: dict[str, str]) -> str:
    assert not any("'" in text for text in named.values())
    whens = " ".join(f"WHEN '{key}' THEN '{text}'" for key, text in named.items())
    return f"CASE {of} {whens} END"


def state(q: Question) -> str:
    """CTEs up to

    `cancer_item` (patient_id, panel, due_on, enough_from, why, at_once, done_on): what fell or falls due until
    `horizon` days ahead; `done_on` where it was done on or after `enough_from`. `why`: diagnosis, yearly, re-tiered,
    red-flag. `at_once`: a new fact asks for it, there is no window to wait for.
    `cancer_state`, one row for each patient the guideline is about: diagnosed_on, stop_on, tier (0 to 2) and tier_on
    (since when), high, intermediate (factors that hold, as keys), red_flags (of RED_FLAGS), basic_on, enhanced_on,
    pet_on, pet_alone, history (each change of tier since the diagnosis), missing.

    A patient whose first symptom or diagnosis has no day, and whose three years may not be over, has a row with
    `missing` and without a tier. Needs `asked`.
    """
    high = " ".join(f"WHEN '{s}' THEN true" for s in sorted(cancer_tier.HIGH_SUBTYPES))
    between = " ".join(f"WHEN '{s}' THEN false" for s in sorted(cancer_tier.INTERMEDIATE_SUBTYPES))
    flags = ", ".join(f"'{flag}'" for flag in cancer_tier.RED_FLAGS)
    return f"""cancer_asked AS (
        SELECT a.patient_id, a.subtype, a.sex, a.onset_on, a.diagnosed_on,
            (a.onset_on + make_interval(months => %(stop_months)s))::date AS stop_on,
            extract(year FROM age(a.onset_on, a.born_on)) AS age_at_onset
        FROM asked a
        WHERE a.subtype <> '{cancer_tier.JUVENILE}'
          -- whoever was diagnosed so long ago had the first symptom even before
          AND COALESCE(a.onset_on, a.diagnosed_on, 'infinity') + make_interval(months => %(stop_months)s)
              >= %(as_of)s::date
    ), person AS (
        SELECT * FROM cancer_asked
        WHERE onset_on IS NOT NULL AND diagnosed_on <= stop_on AND age_at_onset >= {cancer_tier.ADULT_FROM}
    ), factor (patient_id, key, is_high, from_on, until_on) AS (
        SELECT patient_id, 'subtype:' || subtype, CASE subtype {high} {between} END, diagnosed_on, NULL::date
        FROM person WHERE subtype IN ({words(cancer_tier.HIGH_SUBTYPES | cancer_tier.INTERMEDIATE_SUBTYPES)})
        UNION ALL
        SELECT patient_id, 'male', false, diagnosed_on, NULL FROM person WHERE sex = 'male'
        UNION ALL
        SELECT patient_id, 'age_at_onset', true, diagnosed_on, NULL FROM person WHERE age_at_onset > %(age_over)s
        UNION ALL
        SELECT p.patient_id, 'antibody:' || b.antibody,
            b.antibody IN ({words(cancer_tier.HIGH_ANTIBODIES)}) OR b.antibody = 'sae1' AND %(sae1_is_high)s,
            min(b.taken_on), NULL
        FROM person p JOIN patients_antibodyresult b ON b.patient_id = p.patient_id AND {q.known("b")}
        WHERE b.taken_on <= %(as_of)s AND b.result IN ({words(POSITIVE_RESULTS)})
          AND b.antibody IN ({words(cancer_tier.HIGH_ANTIBODIES + cancer_tier.INTERMEDIATE_ANTIBODIES)})
        GROUP BY p.patient_id, b.antibody
        UNION ALL
        SELECT p.patient_id, m.kind, true, m.onset_on, CASE WHEN m.ended_on < %(as_of)s THEN m.ended_on END
        FROM person p JOIN patients_manifestation m ON m.patient_id = p.patient_id AND {q.known("m")}
        WHERE m.onset_on <= %(as_of)s
          AND (m.kind = 'necrosis' OR m.kind = 'dysphagia' AND m.severity IN ('moderate', 'severe'))
        UNION ALL
        -- treatment has failed from the day somebody says so
        SELECT p.patient_id, 'persistent_activity', true, min(failed.day), NULL
        FROM person p
        JOIN (
            SELECT e.patient_id, e.decided_on AS day FROM therapy_escalationdecision e
            WHERE {q.known("e")} AND e.option IN ({words(ESCALATIONS)})
            UNION ALL
            SELECT c.patient_id, s.stopped_on
            FROM therapy_coursestop s JOIN therapy_course c ON c.id = s.course_id AND {q.known("c")}
            WHERE {q.known("s")} AND s.reason = '{StopReason.INEFFECTIVE.value}'
              AND c.drug IN ({words(IMMUNOSUPPRESSION)})
        ) failed ON failed.patient_id = p.patient_id AND failed.day <= %(as_of)s
        GROUP BY p.patient_id
    ), counted AS (
        SELECT p.patient_id, GREATEST(f.from_on, p.diagnosed_on) AS from_on, f.until_on, f.key, f.is_high
        FROM person p JOIN factor f ON f.patient_id = p.patient_id
        WHERE p.subtype <> '{cancer_tier.OUTSIDE}' AND (f.until_on IS NULL OR f.until_on >= p.diagnosed_on)
    ), moment AS (
        SELECT patient_id, diagnosed_on AS day FROM person
        UNION SELECT patient_id, from_on FROM counted
        UNION SELECT patient_id, until_on + 1 FROM counted WHERE until_on IS NOT NULL
    ), step AS (
        -- the tier on each day since the diagnosis
        SELECT t.*, lead(t.day) OVER (PARTITION BY t.patient_id ORDER BY t.day) - 1 AS until,
            CASE WHEN highs >= %(high_for_high)s THEN 2
                 WHEN highs >= %(high_for_moderate)s OR betweens >= %(intermediate_for_moderate)s THEN 1
                 ELSE 0 END AS tier
        FROM (
            SELECT m.patient_id, m.day, count(DISTINCT c.key) FILTER (WHERE c.is_high) AS highs,
                count(DISTINCT c.key) FILTER (WHERE NOT c.is_high) AS betweens,
                array_agg(DISTINCT c.key::text ORDER BY c.key::text) FILTER (WHERE c.is_high) AS high,
                array_agg(DISTINCT c.key::text ORDER BY c.key::text) FILTER (WHERE NOT c.is_high) AS intermediate
            FROM moment m
            LEFT JOIN counted c ON c.patient_id = m.patient_id AND m.day >= c.from_on
                AND (c.until_on IS NULL OR m.day <= c.until_on)
            GROUP BY m.patient_id, m.day
        ) t
    ), changed AS (
        SELECT *, tier IS DISTINCT FROM lag(tier) OVER (PARTITION BY patient_id ORDER BY day) AS is_change FROM step
    ), tiered AS (
        SELECT patient_id,
            (array_agg(tier ORDER BY day DESC))[1] AS tier, max(day) FILTER (WHERE is_change) AS tier_on,
            (array_agg(highs ORDER BY day DESC))[1] AS highs, (array_agg(betweens ORDER BY day DESC))[1] AS betweens,
            min(day) FILTER (WHERE tier >= 1) AS enhanced_from,
            jsonb_agg(jsonb_build_array(day, tier) ORDER BY day) FILTER (WHERE is_change) AS history
        FROM changed GROUP BY patient_id
    ), latest AS (
        SELECT patient_id, COALESCE(high, '{{}}') AS high, COALESCE(intermediate, '{{}}') AS intermediate
        FROM step WHERE until IS NULL
    ), flag AS (
        SELECT p.patient_id, r.kind, r.starts_on, r.ends_on
        FROM person p JOIN patients_riskfactor r ON r.patient_id = p.patient_id AND {q.known("r")}
        WHERE r.kind IN ({flags}) AND r.starts_on <= %(as_of)s AND (r.ends_on IS NULL OR r.ends_on >= p.diagnosed_on)
    ), looked AS (
        SELECT p.patient_id, max(s.done_on) FILTER (WHERE s.kind = 'cancer_basic') AS basic_on,
            max(s.done_on) FILTER (WHERE s.kind = 'cancer_enhanced') AS enhanced_on,
            max(s.done_on) FILTER (WHERE s.kind = 'pet_ct') AS pet_on
        FROM person p JOIN monitoring_screening s ON s.patient_id = p.patient_id AND {q.known("s")}
        WHERE s.kind IN ('cancer_basic', 'cancer_enhanced', 'pet_ct') AND s.done_on <= %(as_of)s
        GROUP BY p.patient_id
    ), alone AS (
        -- the one test that may stand for all, where a further clinical factor of the high kind was ever there
        SELECT p.patient_id
        FROM person p JOIN counted c ON c.patient_id = p.patient_id
        WHERE p.subtype IN ({words(cancer_tier.HIGH_SUBTYPES)}) AND p.age_at_onset > %(age_over)s
        GROUP BY p.patient_id
        HAVING bool_or(c.key = 'antibody:tif1-gamma')
           AND bool_or(c.key IN ('persistent_activity', 'dysphagia', 'necrosis'))
    ), yearly AS (
        SELECT p.patient_id, d.day, GREATEST(d.day, min(s.day)) AS due_on
        FROM person p
        CROSS JOIN generate_series(1, %(yearly_times)s) year
        CROSS JOIN LATERAL (SELECT (p.diagnosed_on + make_interval(months => 12 * year))::date AS day,
            CASE WHEN year < %(yearly_times)s
                 THEN (p.diagnosed_on + make_interval(months => 12 * (year + 1)))::date - 1 END AS until) d
        JOIN step s ON s.patient_id = p.patient_id AND s.tier = 2
            AND s.day <= COALESCE(d.until, 'infinity') AND COALESCE(s.until, 'infinity') >= d.day
        WHERE d.day <= %(as_of)s::date + %(horizon)s::int
        GROUP BY p.patient_id, d.day
    ), wanted (patient_id, panel, due_on, enough_from, why, at_once) AS (
        SELECT patient_id, 'basic', diagnosed_on, diagnosed_on - %(diagnosis_before_days)s::int, 'diagnosis', false
        FROM person
        UNION ALL
        SELECT p.patient_id, 'enhanced', t.enhanced_from, p.diagnosed_on - %(diagnosis_before_days)s::int,
            CASE WHEN t.enhanced_from > p.diagnosed_on THEN 're-tiered' ELSE 'diagnosis' END,
            t.enhanced_from > p.diagnosed_on
        FROM person p JOIN tiered t ON t.patient_id = p.patient_id AND t.enhanced_from IS NOT NULL
        UNION ALL
        SELECT patient_id, 'basic', due_on, day - %(window_before_days)s::int,
            CASE WHEN due_on > day THEN 're-tiered' ELSE 'yearly' END, due_on > day
        FROM yearly
        UNION ALL
        SELECT p.patient_id, x.panel, GREATEST(f.starts_on, p.diagnosed_on),
            CASE WHEN f.starts_on > p.diagnosed_on THEN f.starts_on - %(window_before_days)s::int
                 ELSE p.diagnosed_on - %(diagnosis_before_days)s::int END,
            'red-flag', f.starts_on > p.diagnosed_on
        FROM person p
        JOIN flag f ON f.patient_id = p.patient_id
        CROSS JOIN (VALUES ('basic'), ('enhanced')) x (panel)
    ), cancer_item AS (
        SELECT w.*, CASE WHEN done.day >= w.enough_from THEN done.day END AS done_on
        FROM wanted w
        JOIN person p ON p.patient_id = w.patient_id AND w.due_on <= p.stop_on
        LEFT JOIN looked l ON l.patient_id = w.patient_id
        LEFT JOIN alone e ON e.patient_id = w.patient_id
        CROSS JOIN LATERAL (SELECT CASE WHEN w.panel = 'basic' THEN l.basic_on
            ELSE GREATEST(l.enhanced_on, CASE WHEN e.patient_id IS NOT NULL THEN l.pet_on END) END AS day) done
    ), cancer_state AS (
        SELECT p.patient_id, p.subtype, p.diagnosed_on, p.onset_on, p.stop_on, t.tier, t.tier_on, t.history, n.high, n.intermediate,
            COALESCE(f.kinds, '{{}}') AS red_flags, l.basic_on, l.enhanced_on, l.pet_on,
            e.patient_id IS NOT NULL AS pet_alone,
            NULLIF(ARRAY_REMOVE(ARRAY[
                CASE WHEN p.subtype = '{cancer_tier.UNKNOWN_SUBTYPE}' AND t.tier < 2 THEN 'the subtype' END,
                CASE WHEN p.sex NOT IN ('male', 'female') AND t.tier = 0 AND p.subtype <> '{cancer_tier.OUTSIDE}'
                    AND t.betweens + 1 >= %(intermediate_for_moderate)s THEN 'the sex' END
            ], NULL), '{{}}') AS missing
        FROM person p
        JOIN tiered t ON t.patient_id = p.patient_id
        JOIN latest n ON n.patient_id = p.patient_id
        LEFT JOIN looked l ON l.patient_id = p.patient_id
        LEFT JOIN alone e ON e.patient_id = p.patient_id
        LEFT JOIN (SELECT patient_id, array_agg(DISTINCT kind::text ORDER BY kind::text) AS kinds
                   FROM flag GROUP BY patient_id) f ON f.patient_id = p.patient_id
        UNION ALL
        SELECT patient_id, subtype, diagnosed_on, onset_on, stop_on, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            ARRAY_REMOVE(ARRAY[CASE WHEN onset_on IS NULL THEN 'the day of the first symptom' END,
                               CASE WHEN diagnosed_on IS NULL THEN 'the day of diagnosis' END], NULL)
        FROM cancer_asked WHERE onset_on IS NULL OR diagnosed_on IS NULL
    )"""


def named(keys: str, names: dict[str, str]) -> str:
    """SQL jsonb: the words of an array of keys."""
    return f"""(SELECT COALESCE(jsonb_agg({_cases("k", names)} ORDER BY k), '[]') FROM unnest({keys}) k)"""
