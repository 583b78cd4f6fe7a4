"""A panel of the cancer screening is due, or was not done."""

import dataclasses
import datetime as dt

from accounts.models import Role
from monitoring.rules import cancer_sql
from monitoring.rules.base import Citation, Confidence, Question, Rule


def findings(q: Question) -> str:
    panels = " ".join(f"WHEN '{panel}' THEN '{words}'" for panel, words in cancer_sql.PANELS.items())
    tiers = ", ".join(f"'{tier}'" for tier in cancer_sql.TIERS)
    return f"""
    WITH {cancer_sql.state(q)}, undone AS (
        SELECT patient_id,
            COALESCE(min(due_on) FILTER (WHERE due_on <= %(as_of)s), min(due_on)) AS due_on,
            min(due_on + %(window_after_days)s::int) FILTER (WHERE due_on <= %(as_of)s AND NOT at_once) AS closes_on,
            bool_or(due_on <= %(as_of)s) AS is_due,
            COALESCE(bool_or(at_once) FILTER (WHERE due_on <= %(as_of)s), false) AS at_once,
            array_agg(DISTINCT CASE panel {panels} END) FILTER (WHERE due_on <= %(as_of)s) AS panels,
            array_agg(DISTINCT CASE panel {panels} END) AS coming,
            array_agg(DISTINCT why) FILTER (WHERE due_on <= %(as_of)s) AS whys
        FROM cancer_item WHERE done_on IS NULL GROUP BY patient_id
    )
    SELECT s.patient_id, 'patient'::text AS subject,
        CASE WHEN NOT u.is_due THEN NULL WHEN u.at_once OR u.closes_on < %(as_of)s THEN 'TASK'
            WHEN u.is_due THEN 'INFO' END AS level,
        u.due_on,
        CASE WHEN u.patient_id IS NOT NULL THEN jsonb_build_object(
            'reasons', (ARRAY[{tiers}])[s.tier + 1] || COALESCE(u.whys, '{{}}')
                || CASE WHEN u.closes_on < %(as_of)s THEN ARRAY['late']
                        WHEN u.closes_on >= %(as_of)s THEN ARRAY['in-time'] ELSE '{{}}'::text[] END
                || CASE WHEN s.subtype = 'inclusion_body' THEN ARRAY['inclusion-body'] ELSE '{{}}'::text[] END
                || CASE WHEN s.pet_alone THEN ARRAY['pet-alone'] ELSE '{{}}'::text[] END,
            'tier', (ARRAY[{tiers}])[s.tier + 1], 'tier_on', s.tier_on,
            'factors', {cancer_sql.named("s.high || s.intermediate", cancer_sql.FACTORS)},
            'red_flags', {cancer_sql.named("s.red_flags", cancer_sql.RED_FLAGS)},
            'wanted', COALESCE(u.panels, u.coming), 'due_on', u.due_on, 'closes_on', u.closes_on,
            'basic_on', s.basic_on, 'enhanced_on', s.enhanced_on, 'stop_on', s.stop_on,
            'onset_on', s.onset_on, 'diagnosed_on', s.diagnosed_on
        ) END AS evidence,
        -- What is unknown could raise the tier: it matters where nothing is found without it.
        CASE WHEN u.patient_id IS NULL THEN s.missing END AS missing
    FROM cancer_state s
    LEFT JOIN undone u ON u.patient_id = s.patient_id
    WHERE u.patient_id IS NOT NULL OR s.missing IS NOT NULL
    """


TIER = (
    "Wanted: {wanted}, due on {due_on}. Risk of cancer by the IMACS guideline: {tier}, since {tier_on} (factors: {factors}). "
    "Latest basic panel: {basic_on}; latest enhanced panel: {enhanced_on}."
)

RULE = Rule(
    id="cancer-screening",
    version=1,
    title="Cancer screening is due",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="Tiers, panels and how often: Oldroyd AGS, Callen JP, Chinoy H, et al. International guideline for idiopathic "
            "inflammatory myopathy-associated cancer screening (IMACS). Nat Rev Rheumatol 2023;19:805-17.",
            doi="10.1038/s41584-023-01045-w",
            confidence=Confidence.SECONDARY,
            locator="abstract and the recommendations as cited elsewhere",
        ),
        Citation(
            text="The full lists of factors of each tier are from summaries of that guideline.",
            confidence=Confidence.GENERAL,
        ),
        Citation(
            text="The window about a due day, how old a panel may be at diagnosis, and what counts as activity despite "
            "immunosuppression are a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=cancer_sql.Parameters(),
    findings=findings,
    explanations={
        "standard": TIER,
        "moderate": TIER,
        "high": TIER,
        "diagnosis": "It belongs to the diagnosis ({diagnosed_on}).",
        "yearly": "In the high tier the basic panel is repeated every 12 months after the diagnosis ({diagnosed_on}), "
        "{p.yearly_times} times.",
        "re-tiered": "A fact recorded since the diagnosis raised the tier.",
        "red-flag": "Red flags ask for both panels whatever the tier: {red_flags}.",
        "in-time": "It is in time until {closes_on}.",
        "late": "It was in time until {closes_on}.",
        "inclusion-body": "Inclusion body myositis is outside the guideline's table: the standard tier, and the national "
        "screening for the age.",
        "pet-alone": "FDG PET-CT may stand for the enhanced panel: dermatomyositis with anti-TIF1-gamma, first symptom "
        "after {p.age_over} years of age, and a further clinical factor.",
    },
    not_considered=(
        "Which parts of a panel were done: a panel counts once somebody records it.",
        "A CT done for another reason: record it as the enhanced panel if it answers the question.",
        "A cancer that is already known.",
        "Dysphagia recorded without its severity, and weakly positive antibodies.",
        "Activity despite immunosuppression that no stopped drug (not effective) and no second-line decision tells of.",
        "Tests for further red flags, and the national programmes for everybody.",
        "More than {p.stop_months} months after the first symptom nothing is asked for.",
    ),
    advice="The patient's page Cancer screening shows what belongs to each panel. In the high tier without a cancer "
    "found, consider FDG PET-CT, and upper and lower endoscopy.",
    examples="""
        case                                  | born   | onset | diagnosis | sex    | subtype        | antibodies               | organs                     | risks                    | decisions        | doses                                     | screenings                                                          | expect
        no first symptom                      | -16000 |       | -100      | female | polymyositis   |                          |                            |                          |                  |                                           |                                                                     | not evaluable
        no diagnosis                          | -16000 | -100  |           | female | polymyositis   |                          |                            |                          |                  |                                           |                                                                     | not evaluable
        no first symptom, diagnosed long ago  | -16000 |       | -1100     | female | polymyositis   |                          |                            |                          |                  |                                           |                                                                     | quiet
        standard, diagnosed today             | -12000 | 0     | 0         | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | INFO due +0 [standard, diagnosis, in-time]
        standard, 59 days                     | -12000 | -59   | -59       | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | INFO
        standard, 60 days                     | -12000 | -60   | -60       | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | INFO due -60 [standard, diagnosis, in-time]
        standard, 61 days                     | -12000 | -61   | -61       | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | TASK due -61 [standard, diagnosis, late]
        standard, done                        | -12000 | -700  | -700      | female | antisynthetase |                          |                            |                          |                  |                                           | -690 cancer_basic normal                                            | quiet
        done 89 days before                   | -12000 | -300  | -100      | female | antisynthetase |                          |                            |                          |                  |                                           | -189 cancer_basic                                                   | quiet
        done 90 days before                   | -12000 | -300  | -100      | female | antisynthetase |                          |                            |                          |                  |                                           | -190 cancer_basic                                                   | quiet
        done 91 days before                   | -12000 | -300  | -100      | female | antisynthetase |                          |                            |                          |                  |                                           | -191 cancer_basic                                                   | TASK
        done tomorrow                         | -12000 | -300  | -100      | female | antisynthetase |                          |                            |                          |                  |                                           | 1 cancer_basic                                                      | TASK
        another screening                     | -12000 | -300  | -100      | female | antisynthetase |                          |                            |                          |                  |                                           | -90 urinalysis, -90 eye                                             | TASK
        three years after the first symptom   | -12000 | -1096 | -1000     | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | TASK due -1000
        a day more                            | -12000 | -1097 | -1000     | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | quiet
        high tier, month 37                   | -20000 | -1126 | -1090     | female | dermatomyositis |                         |                            |                          |                  |                                           |                                                                     | quiet
        diagnosed three years after           | -16000 | -1096 | 0         | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | INFO due +0
        onset a day before 18                 | -6674  | -100  | -90       | female | dermatomyositis |                         |                            |                          |                  |                                           |                                                                     | quiet
        onset at 18                           | -6675  | -100  | -90       | female | dermatomyositis |                         |                            |                          |                  |                                           |                                                                     | TASK
        juvenile                              | -12000 | -100  | -90       | female | juvenile       |                          |                            |                          |                  |                                           |                                                                     | quiet
        inclusion body                        | -20000 | -100  | -90       | male   | inclusion_body | -80 tif1-gamma positive  | -50 necrosis               |                          |                  |                                           |                                                                     | TASK due -90 [standard, diagnosis, late, inclusion-body]
        inclusion body, done                  | -20000 | -500  | -490      | male   | inclusion_body | -80 tif1-gamma positive  | -50 necrosis               |                          |                  |                                           | -480 cancer_basic                                                   | quiet
        dermatomyositis, 55 years             | -20200 | -100  | -90       | female | dermatomyositis |                         |                            |                          |                  |                                           |                                                                     | TASK [high, diagnosis, late]
        dermatomyositis, 30, anti-Mi-2        | -11000 | -100  | -90       | female | dermatomyositis | -80 mi-2 positive       |                            |                          |                  |                                           |                                                                     | TASK [moderate, diagnosis, late]
        antisynthetase, Jo-1, 50 years        | -18300 | -100  | -90       | female | antisynthetase | -80 jo-1 positive        |                            |                          |                  |                                           |                                                                     | TASK [moderate, diagnosis, late]
        antisynthetase, Jo-1, 35, woman       | -12900 | -100  | -90       | female | antisynthetase | -80 jo-1 positive        |                            |                          |                  |                                           |                                                                     | TASK [standard, diagnosis, late]
        polymyositis, 35, man                 | -12900 | -100  | -90       | male   | polymyositis   |                          |                            |                          |                  |                                           |                                                                     | TASK [moderate, diagnosis, late]
        polymyositis, 35, woman               | -12900 | -100  | -90       | female | polymyositis   |                          |                            |                          |                  |                                           |                                                                     | TASK [standard, diagnosis, late]
        40 years and 364 days                 | -15074 | -100  | -90       | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | TASK [standard, diagnosis, late]
        41 years                              | -15075 | -100  | -90       | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | TASK [moderate, diagnosis, late]
        41 years and 364 days                 | -15440 | -100  | -90       | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | TASK [moderate, diagnosis, late]
        40 years on the day                   | -14710 | -100  | -90       | female | antisynthetase |                          |                            |                          |                  |                                           |                                                                     | TASK [standard, diagnosis, late]
        three intermediate                    | -12900 | -100  | -90       | male   | polymyositis   | -90 mi-2 positive        |                            |                          |                  |                                           | -80 cancer_basic, -80 cancer_enhanced                               | quiet
        moderate, without the enhanced        | -12900 | -100  | -90       | male   | polymyositis   |                          |                            |                          |                  |                                           | -80 cancer_basic                                                    | TASK due -90 [moderate, diagnosis, late]
        moderate, both done, no yearly        | -12900 | -600  | -590      | male   | polymyositis   |                          |                            |                          |                  |                                           | -580 cancer_basic, -580 cancer_enhanced                             | quiet
        a weak antibody                       | -12900 | -100  | -90       | female | antisynthetase | -80 tif1-gamma weak      |                            |                          |                  |                                           | -80 cancer_basic                                                    | quiet
        an antibody, later negative           | -12900 | -100  | -90       | female | antisynthetase | -90 nxp2 strong, -9 nxp2 negative |                   |                          |                  |                                           | -80 cancer_basic                                                    | TASK due -90 [moderate, diagnosis, late]
        anti-SAE1 is intermediate             | -12900 | -100  | -90       | female | antisynthetase | -90 sae1 positive        |                            |                          |                  |                                           | -80 cancer_basic                                                    | quiet
        dysphagia, mild                       | -12900 | -100  | -90       | female | antisynthetase |                          | -95 dysphagia mild         |                          |                  |                                           | -80 cancer_basic                                                    | quiet
        dysphagia, severity unknown           | -12900 | -100  | -90       | female | antisynthetase |                          | -95 dysphagia              |                          |                  |                                           | -80 cancer_basic                                                    | quiet
        dysphagia, moderate                   | -12900 | -100  | -90       | female | antisynthetase |                          | -95 dysphagia moderate     |                          |                  |                                           | -80 cancer_basic                                                    | TASK [moderate, diagnosis, late]
        dysphagia twice is one factor         | -12900 | -100  | -90       | female | antisynthetase |                          | -95 dysphagia moderate, -93 dysphagia severe |        |                  |                                           | -80 cancer_basic                                                    | TASK [moderate, diagnosis, late]
        dysphagia over before the diagnosis   | -12900 | -100  | -90       | female | antisynthetase |                          | -95 dysphagia moderate -91 |                          |                  |                                           | -80 cancer_basic                                                    | quiet
        high, yearly: 27 days ahead           | -20000 | -400  | -338      | female | dermatomyositis |                         |                            |                          |                  |                                           | -330 cancer_basic, -330 cancer_enhanced                             | due +27
        high, yearly: 29 days ahead           | -20000 | -400  | -336      | female | dermatomyositis |                         |                            |                          |                  |                                           | -330 cancer_basic, -330 cancer_enhanced                             | quiet
        high, on the day                      | -20000 | -400  | -365      | female | dermatomyositis |                         |                            |                          |                  |                                           | -360 cancer_basic, -360 cancer_enhanced                             | INFO due +0 [high, yearly, in-time]
        high, 60 days past                    | -20000 | -500  | -425      | female | dermatomyositis |                         |                            |                          |                  |                                           | -420 cancer_basic, -420 cancer_enhanced                             | INFO due -60 [high, yearly, in-time]
        high, 61 days past                    | -20000 | -500  | -426      | female | dermatomyositis |                         |                            |                          |                  |                                           | -420 cancer_basic, -420 cancer_enhanced                             | TASK due -61 [high, yearly, late]
        high, done 29 days early              | -20000 | -500  | -426      | female | dermatomyositis |                         |                            |                          |                  |                                           | -420 cancer_basic, -420 cancer_enhanced, -90 cancer_basic           | quiet
        high, done 30 days early              | -20000 | -500  | -426      | female | dermatomyositis |                         |                            |                          |                  |                                           | -420 cancer_basic, -420 cancer_enhanced, -91 cancer_basic           | quiet
        high, done 31 days early              | -20000 | -500  | -426      | female | dermatomyositis |                         |                            |                          |                  |                                           | -420 cancer_basic, -420 cancer_enhanced, -92 cancer_basic           | TASK due -61 [high, yearly, late]
        high, the second year                 | -20000 | -850  | -800      | female | dermatomyositis |                         |                            |                          |                  |                                           | -790 cancer_basic, -790 cancer_enhanced, -420 cancer_basic          | TASK due -69 [high, yearly, late]
        high, two years missed                | -20000 | -850  | -800      | female | dermatomyositis |                         |                            |                          |                  |                                           | -790 cancer_basic, -790 cancer_enhanced                             | TASK due -434 [high, yearly, late]
        high, one for two years               | -20000 | -850  | -800      | female | dermatomyositis |                         |                            |                          |                  |                                           | -790 cancer_basic, -790 cancer_enhanced, -20 cancer_basic           | quiet
        high, the third year, on its day      | -20000 | -1096 | -1096     | female | dermatomyositis |                         |                            |                          |                  |                                           | -1090 cancer_basic, -1090 cancer_enhanced, -400 cancer_basic, -350 cancer_basic | INFO due +0 [high, yearly, in-time]
        high, the third year after the stop   | -20000 | -1096 | -1090     | female | dermatomyositis |                         |                            |                          |                  |                                           | -1090 cancer_basic, -1090 cancer_enhanced, -350 cancer_basic        | quiet
        high, no fourth year                  | -20000 | -1000 | -1500     | female | dermatomyositis |                         |                            |                          |                  |                                           | -1490 cancer_basic, -1490 cancer_enhanced, -420 cancer_basic        | quiet
        re-tiered today                       | -12900 | -400  | -390      | female | antisynthetase | 0 tif1-gamma positive    |                            |                          |                  |                                           | -380 cancer_basic                                                   | TASK due +0 [moderate, re-tiered]
        re-tiered, enhanced already done      | -12900 | -400  | -390      | female | antisynthetase | 0 tif1-gamma positive    |                            |                          |                  |                                           | -380 cancer_basic, -380 cancer_enhanced                             | quiet
        re-tiered tomorrow                    | -12900 | -400  | -390      | female | antisynthetase | 1 tif1-gamma positive    |                            |                          |                  |                                           | -380 cancer_basic                                                   | quiet
        re-tiered to high, in the second year | -20000 | -400  | -390      | female | antisynthetase | -5 tif1-gamma positive   |                            |                          |                  |                                           | -380 cancer_basic, -380 cancer_enhanced                             | TASK due -5 [high, re-tiered]
        re-tiered on the first year's last day | -20000 | -740 | -730      | female | antisynthetase | 0 tif1-gamma positive    |                            |                          |                  |                                           | -720 cancer_basic, -720 cancer_enhanced                             | TASK due +0 [high, re-tiered]
        re-tiered to high, done meanwhile     | -20000 | -400  | -390      | female | antisynthetase | -5 tif1-gamma positive   |                            |                          |                  |                                           | -380 cancer_basic, -380 cancer_enhanced, -50 cancer_basic           | quiet
        re-tiered to high, in the first year  | -20000 | -200  | -190      | female | antisynthetase | -5 tif1-gamma positive   |                            |                          |                  |                                           | -180 cancer_basic, -180 cancer_enhanced                             | quiet
        necrosis                              | -12900 | -400  | -390      | female | antisynthetase |                          | -20 necrosis               |                          |                  |                                           | -380 cancer_basic                                                   | TASK due -20 [moderate, re-tiered]
        necrosis since today                  | -12900 | -400  | -390      | female | antisynthetase |                          | 0 necrosis                 |                          |                  |                                           | -380 cancer_basic                                                   | TASK due +0 [moderate, re-tiered]
        lowered: what was due stays due       | -12900 | -400  | -390      | female | antisynthetase |                          | -20 necrosis -10           |                          |                  |                                           | -380 cancer_basic                                                   | TASK due -20 [standard, re-tiered]
        lowered after the year's day          | -20000 | -500  | -426      | female | antisynthetase |                          | -426 necrosis -50          |                          |                  |                                           | -420 cancer_basic, -420 cancer_enhanced                             | TASK due -61 [moderate, yearly, late]
        lowered before the year's day         | -20000 | -500  | -426      | female | antisynthetase |                          | -426 necrosis -62          |                          |                  |                                           | -420 cancer_basic, -420 cancer_enhanced                             | quiet
        lowered on the year's day             | -20000 | -500  | -426      | female | antisynthetase |                          | -426 necrosis -61          |                          |                  |                                           | -420 cancer_basic, -420 cancer_enhanced                             | TASK due -61
        a treatment decided                   | -12900 | -400  | -390      | female | antisynthetase |                          |                            |                          | -20 rituximab    |                                           | -380 cancer_basic                                                   | TASK due -20 [moderate, re-tiered]
        nothing changed                       | -12900 | -400  | -390      | female | antisynthetase |                          |                            |                          | -20 no_change    |                                           | -380 cancer_basic                                                   | quiet
        a drug that had no effect             | -12900 | -400  | -390      | female | antisynthetase |                          |                            |                          |                  | -300.. azathioprine 150 stop -30 ineffective | -380 cancer_basic                                                | TASK due -30 [moderate, re-tiered]
        a drug that did harm                  | -12900 | -400  | -390      | female | antisynthetase |                          |                            |                          |                  | -300.. azathioprine 150 stop -30 toxicity | -380 cancer_basic                                                   | quiet
        red flag since the diagnosis          | -12900 | -400  | -390      | female | antisynthetase |                          |                            | -20 weight_loss          |                  |                                           | -380 cancer_basic                                                   | TASK due -20 [standard, red-flag]
        red flag, basic alone done            | -12900 | -400  | -390      | female | antisynthetase |                          |                            | -20 weight_loss          |                  |                                           | -380 cancer_basic, -10 cancer_basic                                 | TASK due -20 [standard, red-flag]
        red flag, both done                   | -12900 | -400  | -390      | female | antisynthetase |                          |                            | -20 weight_loss          |                  |                                           | -10 cancer_basic, -10 cancer_enhanced                               | quiet
        red flag, both done 30 days before    | -12900 | -400  | -390      | female | antisynthetase |                          |                            | -20 night_sweats         |                  |                                           | -50 cancer_basic, -50 cancer_enhanced                               | quiet
        red flag, both done 31 days before    | -12900 | -400  | -390      | female | antisynthetase |                          |                            | -20 fever                |                  |                                           | -51 cancer_basic, -51 cancer_enhanced                               | TASK
        red flag that went away               | -12900 | -400  | -390      | female | antisynthetase |                          |                            | -20 fever -10            |                  |                                           | -380 cancer_basic                                                   | TASK
        red flag long before, in the window   | -12900 | -40   | -30       | female | antisynthetase |                          |                            | -5000 smoking            |                  |                                           | -20 cancer_basic                                                    | INFO due -30 [standard, red-flag, in-time]
        red flag long before, both done       | -12900 | -400  | -390      | female | antisynthetase |                          |                            | -5000 family_cancer      |                  |                                           | -380 cancer_basic, -380 cancer_enhanced                             | quiet
        red flag over before the diagnosis    | -12900 | -400  | -390      | female | antisynthetase |                          |                            | -500 fever -391          |                  |                                           | -380 cancer_basic                                                   | quiet
        another risk                          | -12900 | -400  | -390      | female | antisynthetase |                          |                            | -20 diabetes             |                  |                                           | -380 cancer_basic                                                   | quiet
        PET-CT alone                          | -20000 | -100  | -90       | female | dermatomyositis | -90 tif1-gamma positive | -95 necrosis               |                          |                  |                                           | -80 cancer_basic, -80 pet_ct                                        | quiet
        PET-CT, no further factor             | -20000 | -100  | -90       | female | dermatomyositis | -90 tif1-gamma positive |                            |                          |                  |                                           | -80 cancer_basic, -80 pet_ct                                        | TASK [high, diagnosis, late]
        PET-CT could do                       | -20000 | -100  | -90       | female | dermatomyositis | -90 tif1-gamma positive | -95 necrosis               |                          |                  |                                           | -80 cancer_basic                                                    | TASK [high, diagnosis, late, pet-alone]
        subtype unknown, basic wanted         | -12900 | -100  | -90       | female | unknown        |                          |                            |                          |                  |                                           |                                                                     | TASK [standard, diagnosis, late]
        subtype unknown, basic done           | -12900 | -100  | -90       | female | unknown        |                          |                            |                          |                  |                                           | -80 cancer_basic                                                    | not evaluable
        subtype unknown, high anyway          | -20000 | -100  | -90       | female | unknown        | -90 nxp2 positive        |                            |                          |                  |                                           | -80 cancer_basic, -80 cancer_enhanced                               | quiet
        sex unknown, it would matter          | -12900 | -100  | -90       | unknown | polymyositis  |                          |                            |                          |                  |                                           | -80 cancer_basic                                                    | not evaluable
        sex unknown, it would not             | -12900 | -100  | -90       | unknown | antisynthetase |                         |                            |                          |                  |                                           | -80 cancer_basic                                                    | quiet
        sex unknown, it matters since         | -12900 | -100  | -90       | unknown | antisynthetase | -80 mi-2 positive       |                            |                          |                  |                                           | -80 cancer_basic                                                    | not evaluable
    """,
)


def state(q: Question) -> str:
    """As `findings`, with one row for everybody the guideline is about, whether anything is due or not: where they stand."""
    tiers = ", ".join(f"'{tier}'" for tier in cancer_sql.TIERS)
    return f"""
    WITH {cancer_sql.state(q)}
    SELECT s.patient_id, 'patient'::text AS subject, NULL::text AS level, NULL::date AS due_on,
        jsonb_build_object(
            'tier', (ARRAY[{tiers}])[s.tier + 1], 'tier_on', s.tier_on, 'stop_on', s.stop_on, 'pet_alone', s.pet_alone,
            'high', {cancer_sql.named("s.high", cancer_sql.FACTORS)},
            'intermediate', {cancer_sql.named("s.intermediate", cancer_sql.FACTORS)},
            'red_flags', {cancer_sql.named("s.red_flags", cancer_sql.RED_FLAGS)}, 'history', s.history,
            'items', (SELECT COALESCE(jsonb_agg(jsonb_build_object('panel', i.panel, 'due_on', i.due_on, 'why', i.why,
                    'at_once', i.at_once, 'done_on', i.done_on) ORDER BY i.due_on, i.panel), '[]')
                FROM cancer_item i WHERE i.patient_id = s.patient_id)
        ) AS evidence,
        s.missing
    FROM cancer_state s
    """


# Asks of one patient for their page what the rule asks of the clinic.
STATE = dataclasses.replace(RULE, findings=state)
