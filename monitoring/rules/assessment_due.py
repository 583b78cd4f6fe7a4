"""A core set, or the functional scale of inclusion body myositis, is due."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Role
from monitoring.rules import steroid
from monitoring.rules.base import Citation, Confidence, Question, Rule


@dataclass(frozen=True)
class Parameters:
    often_days: int = 84
    interval_days: int = 182
    first_days: int = 365  # after the diagnosis: the first year
    pe_above_mg: Decimal = Decimal("7.5")
    ibmfrs_days: int = 182


COMPLETE = " AND ".join(
    f"v.{name} IS NOT NULL" for name in ("physician_vas", "patient_vas", "extramuscular_vas", "haq_di")
) + " AND (v.mmt8_150 IS NOT NULL OR v.mmt8_80 IS NOT NULL)"  # fmt: skip


def findings(q: Question) -> str:
    return f"""
    WITH core AS (
        SELECT a.patient_id, a.diagnosed_on, v.assessed_on AS last_on
        FROM asked a
        -- LATERAL: one assessment of each patient, by index, out of all there are
        LEFT JOIN LATERAL (
            SELECT v.assessed_on FROM monitoring_assessment v
            WHERE v.patient_id = a.patient_id AND {q.known("v")} AND v.assessed_on <= %(as_of)s AND {COMPLETE}
            ORDER BY v.assessed_on DESC LIMIT 1) v ON true
    ), near AS MATERIALIZED (
        -- For the others nothing can fall due within the horizon, whatever their interval is.
        SELECT *, last_on <= diagnosed_on + %(first_days)s::int AS is_first_year FROM core
        WHERE diagnosed_on IS NULL OR COALESCE(last_on, diagnosed_on) + LEAST(%(often_days)s, %(interval_days)s)::int
            <= %(as_of)s::date + %(horizon)s
    ), later AS (
        SELECT patient_id, last_on FROM near WHERE NOT is_first_year
    ), {steroid.levels(q, people="later", since="a.last_on")}, dose AS (
        SELECT l.patient_id, d.amount
        FROM later l
        JOIN dose_level d ON d.patient_id = l.patient_id AND d.line = '{steroid.PE}'
            AND l.last_on BETWEEN d.first_day AND d.last_day
    ), instrument AS (
        SELECT n.patient_id, 'core-set' AS subject, n.diagnosed_on, n.last_on, d.amount AS pe,
            -- The interval in force on the day of the latest one: a due day moves only when one is done.
            CASE WHEN n.last_on IS NULL OR n.is_first_year OR d.amount > %(pe_above_mg)s THEN %(often_days)s
                ELSE %(interval_days)s END::int AS interval_days,
            CASE WHEN n.last_on IS NULL THEN 'core-set-never' WHEN n.is_first_year THEN 'core-set-first-year'
                WHEN d.amount > %(pe_above_mg)s THEN 'core-set-dose' ELSE 'core-set' END AS reason
        FROM near n LEFT JOIN dose d ON d.patient_id = n.patient_id
        UNION ALL
        SELECT a.patient_id, 'ibmfrs', a.diagnosed_on, max(t.tested_on), NULL, %(ibmfrs_days)s,
            CASE WHEN count(t.id) = 0 THEN 'ibmfrs-never' ELSE 'ibmfrs' END
        FROM asked a
        LEFT JOIN monitoring_functionaltest t ON t.patient_id = a.patient_id AND {q.known("t")}
            AND t.instrument = 'ibmfrs' AND t.is_complete AND t.tested_on <= %(as_of)s
        WHERE a.subtype = 'inclusion_body'
        GROUP BY a.patient_id, a.diagnosed_on
    ), dated AS (
        SELECT *, COALESCE(last_on, diagnosed_on) + interval_days AS due_on,
            diagnosed_on IS NULL AND (subject = 'core-set' OR last_on IS NULL) AS is_unknown
        FROM instrument
    )
    SELECT patient_id, subject,
        CASE WHEN NOT is_unknown AND due_on < %(as_of)s THEN 'TASK' END AS level,
        CASE WHEN NOT is_unknown THEN due_on END AS due_on,
        CASE WHEN NOT is_unknown THEN jsonb_build_object(
            'reasons', ARRAY[reason], 'last_on', last_on, 'due_on', due_on, 'interval_days', interval_days,
            'diagnosed_on', diagnosed_on, 'pe', {steroid.shown("pe")}
        ) END AS evidence,
        CASE WHEN is_unknown THEN ARRAY['the day of diagnosis'] END AS missing
    FROM dated WHERE is_unknown OR due_on <= %(as_of)s::date + %(horizon)s
    """


LATEST = "The latest complete core set was on {last_on}; the next, after {interval_days} days, is due on {due_on}"

RULE = Rule(
    id="assessment-due",
    version=1,
    title="An assessment is due",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="What the core set is: IMACS (Miller FW, et al. Rheumatology 2001;40:1262-73). How often it is measured is a "
            "local policy.",
            confidence=Confidence.LOCAL,
        ),
        Citation(
            text="The IBM Functional Rating Scale is used every six months in inclusion body myositis: mean loss of 6.3 % a "
            "year in a cohort.",
            confidence=Confidence.SECONDARY,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=Parameters(),
    findings=findings,
    explanations={
        "core-set-never": "No complete core set is recorded. The first, {interval_days} days after the diagnosis "
        "({diagnosed_on}), is due on {due_on}.",
        "core-set-first-year": LATEST
        + ": that was in the first {p.first_days} days after the diagnosis ({diagnosed_on}).",
        "core-set-dose": LATEST + ": {pe} mg of prednisone equivalent were taken that day, above {p.pe_above_mg} mg.",
        "core-set": LATEST + ".",
        "ibmfrs-never": "No complete IBMFRS is recorded. The first, {interval_days} days after the diagnosis "
        "({diagnosed_on}), is due on {due_on}.",
        "ibmfrs": "The latest complete IBMFRS was on {last_on}; the next, after {interval_days} days, is due on {due_on}.",
    },
    not_considered=(
        "Core sets with a measure missing: physician, patient and extramuscular activity, HAQ-DI and MMT8 belong to it.",
        "A visit that is booked.",
        "A dose raised since the latest core set: a due day moves only when one is done.",
    ),
    examples="""
        case                                | diagnosis | subtype        | core sets              | doses                                         | functional                      | expect
        no diagnosis                        | none      |                | -5 base                |                                               |                                 | not evaluable
        never, day 55                       | -55       |                |                        |                                               |                                 | quiet
        never, day 56                       | -56       |                |                        |                                               |                                 | due +28
        never, day 84                       | -84       |                |                        |                                               |                                 | due +0
        never, day 85                       | -85       |                |                        |                                               |                                 | TASK due -1 [core-set-never]
        never, years on                     | -900      |                |                        |                                               |                                 | TASK due -816 [core-set-never]
        83 days ago, first year             | -200      |                | -83 base               |                                               |                                 | due +1
        84 days ago, first year             | -200      |                | -84 base               |                                               |                                 | due +0
        85 days ago, first year             | -200      |                | -85 base               |                                               |                                 | TASK due -1 [core-set-first-year]
        incomplete since                    | -200      |                | -85 base, -5 base md=- |                                               |                                 | TASK due -1
        without the patient                 | -200      |                | -85 base, -5 base pt=- |                                               |                                 | TASK due -1
        without extramuscular activity      | -200      |                | -85 base, -5 base ex=- |                                               |                                 | TASK due -1
        without HAQ-DI                      | -200      |                | -85 base, -5 base haq=- |                                              |                                 | TASK due -1
        without strength                    | -200      |                | -85 base, -5 base mmt=- |                                              |                                 | TASK due -1
        strength of one side                | -200      |                | -85 base, -5 base mmt=- mmt80=60 |                                     |                                 | quiet
        all of it 0                         | -200      |                | -5 md=0 pt=0 ex=0 haq=0 mmt=0 |                                        |                                 | quiet
        tomorrow                            | -200      |                | -85 base, 1 base       |                                               |                                 | TASK
        on day 364                          | -449      |                | -85 base               |                                               |                                 | TASK due -1 [core-set-first-year]
        on day 365                          | -450      |                | -85 base               |                                               |                                 | TASK due -1 [core-set-first-year]
        on day 366                          | -451      |                | -85 base               |                                               |                                 | quiet
        later, 181 days ago                 | -900      |                | -181 base              |                                               |                                 | due +1
        later, 182 days ago                 | -900      |                | -182 base              |                                               |                                 | due +0
        later, 183 days ago                 | -900      |                | -183 base              |                                               |                                 | TASK due -1 [core-set]
        later, 7.5 mg that day              | -900      |                | -85 base               | -300.. prednisone 7.5                         |                                 | quiet
        later, 7.51 mg that day             | -900      |                | -85 base               | -300.. prednisone 7.51                        |                                 | TASK due -1 [core-set-dose]
        later, of another glucocorticoid    | -900      |                | -85 base               | -300.. methylprednisolone 8                   |                                 | TASK due -1 [core-set-dose]
        later, of two drugs                 | -900      |                | -85 base               | -300.. prednisone 5, -300.. prednisolone 5    |                                 | TASK due -1 [core-set-dose]
        later, lowered since                | -900      |                | -85 base               | -300..-85 prednisone 10, -84.. prednisone 5   |                                 | TASK due -1 [core-set-dose]
        later, lowered the day before       | -900      |                | -85 base               | -300..-86 prednisone 10, -85.. prednisone 5   |                                 | quiet
        later, raised since                 | -900      |                | -85 base               | -300..-85 prednisone 5, -84.. prednisone 20   |                                 | quiet
        later, on 10 mg, 84 days ago        | -900      |                | -84 base               | -300.. prednisone 10                          |                                 | due +0
        inclusion body, both due            | -900      | inclusion_body | -183 base              |                                               | -183 ibmfrs                     | TASK due -1 [core-set]
        inclusion body, IBMFRS 181 days ago | -900      | inclusion_body | -10 base               |                                               | -181 ibmfrs                     | due +1
        inclusion body, IBMFRS 182 days ago | -900      | inclusion_body | -10 base               |                                               | -182 ibmfrs                     | due +0
        inclusion body, IBMFRS 183 days ago | -900      | inclusion_body | -10 base               |                                               | -183 ibmfrs                     | TASK due -1 [ibmfrs]
        inclusion body, IBMFRS incomplete   | -900      | inclusion_body | -10 base               |                                               | -183 ibmfrs, -9 ibmfrs incomplete | TASK due -1
        inclusion body, IBMFRS tomorrow     | -900      | inclusion_body | -10 base               |                                               | -183 ibmfrs, 1 ibmfrs           | TASK
        inclusion body, IBMFRS today        | -900      | inclusion_body | -10 base               |                                               | -183 ibmfrs, 0 ibmfrs           | quiet
        inclusion body, another test        | -900      | inclusion_body | -10 base               |                                               | -183 ibmfrs, -9 fi3             | TASK
        inclusion body, never               | -183      | inclusion_body | -10 base               |                                               |                                 | TASK due -1 [ibmfrs-never]
        inclusion body, never, day 182      | -182      | inclusion_body | -10 base               |                                               |                                 | due +0
        inclusion body, IBMFRS, no diagnosis | none     | inclusion_body | -10 base               |                                               | -183 ibmfrs                     | TASK [ibmfrs]
        polymyositis needs no IBMFRS        | -900      | polymyositis   | -10 base               |                                               |                                 | quiet
    """,
)
