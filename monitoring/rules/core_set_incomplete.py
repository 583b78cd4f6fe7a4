"""A core set is missing that would tell whether the first line works."""

import datetime as dt

from accounts.models import Role
from monitoring.rules import second_line
from monitoring.rules.base import Citation, Confidence, Question, Rule


def findings(q: Question) -> str:
    # Measures the baseline lacks cannot be made good now: those are told by second-line-review, as not evaluable.
    return f"""
    WITH RECURSIVE {second_line.ctes(q)}
    SELECT patient_id, 'patient'::text AS subject, 'TASK'::text AS level, NULL::date AS due_on,
        jsonb_build_object(
            'reasons', ARRAY[CASE WHEN follow_up_on IS NULL THEN 'no-core-set' ELSE 'incomplete' END],
            'lacks', follow_up_lacks, 'baseline_lacks', baseline_lacks, 'baseline_on', baseline_on,
            'follow_up_on', follow_up_on, 'day0', day0, 'day', day, 'lowest', lowest, 'highest', highest,
            'threshold', CASE WHEN day >= %(partial_days)s THEN %(partial_below)s ELSE %(no_response_below)s END
        ) AS evidence,
        NULL::text[] AS missing
    FROM told
    WHERE is_adequate AND is_untold AND NOT is_no_response AND NOT is_partial AND cardinality(follow_up_lacks) > 0
    """


RULE = Rule(
    id="core-set-incomplete",
    version=1,
    title="The response to the first line cannot be told: core set incomplete",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="The Total Improvement Score has six measures; what is missing is neither imputed nor rescaled (Aggarwal R, "
            "et al. 2016 ACR/EULAR criteria, Ann Rheum Dis 2017;76:792-801). The windows around a visit are a local policy.",
            doi="10.1136/annrheumdis-2017-211400",
            confidence=Confidence.SECONDARY,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=second_line.Parameters(),
    findings=findings,
    aside=("day",),
    explanations={
        "no-core-set": "Day {day} of glucocorticoid (since {day0}), with an adequate first line, and no core set from day "
        "{p.follow_up_from_day} on in the last {p.follow_up_max_age_days} days. Needed, as at the baseline of "
        "{baseline_on}: {lacks}.",
        "incomplete": "Day {day} of glucocorticoid (since {day0}), with an adequate first line. The core set of "
        "{follow_up_on} lacks: {lacks}. Without it the Total Improvement Score is between {lowest} and {highest}, and "
        "whether it is below {threshold} cannot be told.",
    },
    not_considered=(
        "Measures made and not recorded here.",
        "Scales other than 0-10 cm, MMT8 and HAQ-DI.",
    ),
    advice="Complete the core set at the next visit.",
    examples="""
        case                                    | subtype        | antibodies | doses                                                                     | weight  | core sets                            | enzymes                           | infusions           | expect
        complete                                |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -5 base                   | -100 ck 1000/200, -5 ck 1000/200  |                     | quiet
        no follow-up                            |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base                            | -100 ck 1000/200, -5 ck 1000/200  |                     | TASK [no-core-set]
        no follow-up, day 83                    |                |            | -83.. prednisone 40, -83.. methotrexate 15 /7                             | -83 70  | -83 base                             | -83 ck 1000/200, -5 ck 1000/200   |                     | quiet
        no follow-up, day 84                    |                |            | -84.. prednisone 40, -84.. methotrexate 15 /7                             | -84 70  | -84 base                             | -84 ck 1000/200, -5 ck 1000/200   |                     | TASK [no-core-set]
        necrotising, no follow-up, day 55       | necrotising    |            | -55.. prednisone 40, -55.. methotrexate 15 /7                             | -55 70  | -55 base                             | -55 ck 1000/200, -5 ck 1000/200   |                     | quiet
        necrotising, no follow-up, day 56       | necrotising    |            | -56.. prednisone 40, -56.. methotrexate 15 /7                             | -56 70  | -56 base                             | -56 ck 1000/200, -5 ck 1000/200   |                     | TASK [no-core-set]
        follow-up on day 41                     |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -59 base                  | -100 ck 1000/200, -59 ck 1000/200 |                     | TASK [no-core-set]
        follow-up on day 42                     |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -58 base                  | -100 ck 1000/200, -58 ck 1000/200 |                     | quiet
        follow-up 84 days old                   |                |            | -140..-100 prednisone 40, -99.. prednisone 10, -140.. methotrexate 15 /7  | -140 70 | -140 base, -84 base                  | -140 ck 1000/200, -84 ck 1000/200 |                     | quiet
        follow-up 85 days old                   |                |            | -140..-100 prednisone 40, -99.. prednisone 10, -140.. methotrexate 15 /7  | -140 70 | -140 base, -85 base                  | -140 ck 1000/200, -85 ck 1000/200 |                     | TASK [no-core-set]
        without the physician                   |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -5 base md=-              | -100 ck 1000/200, -5 ck 1000/200  |                     | TASK [incomplete]
        without the physician, but it responds  |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -5 base md=- mmt=138      | -100 ck 1000/200, -5 ck 1000/200  |                     | quiet
        without the patient, no response anyway |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -5 base pt=-              | -100 ck 1000/200, -5 ck 1000/200  |                     | quiet
        strength on another scale               |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -5 base mmt=- mmt80=60    | -100 ck 1000/200, -5 ck 1000/200  |                     | TASK [incomplete]
        no enzyme, which could make up for it   |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -5 base md=3              | -100 ck 1000/200                  |                     | TASK [incomplete]
        another enzyme than at baseline         |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -5 base md=3              | -100 ck 1000/200, -5 ldh 900/250  |                     | TASK [incomplete]
        an enzyme without an upper limit        |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -5 base md=3              | -100 ck 1000/200, -5 ck 900/      |                     | TASK [incomplete]
        an enzyme with the centre's limit       |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -5 base md=3              | -100 ck 1000/200, -5 ck 1000/, -5 range ck/200 |        | quiet
        an upper limit below 1                  |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base, -5 base pt=- haq=1.2      | -100 ck 2/0.5, -5 ck 2/0.5        |                     | quiet
        day 167, 20 reached, 40 not told        |                |            | -167..-127 prednisone 40, -126.. prednisone 10, -167.. methotrexate 15 /7 | -167 70 | -167 base, -5 base md=1 pt=- mmt=135 | -167 ck 1000/200, -5 ck 1000/200  |                     | quiet
        day 168, 20 reached, 40 not told        |                |            | -168..-128 prednisone 40, -127.. prednisone 10, -168.. methotrexate 15 /7 | -168 70 | -168 base, -5 base md=- mmt=138      | -168 ck 1000/200, -5 ck 1000/200  |                     | TASK [incomplete]
        day 168, below 40 whatever is missing   |                |            | -168..-128 prednisone 40, -127.. prednisone 10, -168.. methotrexate 15 /7 | -168 70 | -168 base, -5 base md=-              | -168 ck 1000/200, -5 ck 1000/200  |                     | quiet
        missing at baseline: not this rule      |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base md=-, -5 base              | -100 ck 1000/200, -5 ck 1000/200  |                     | quiet
        missing at both: not this rule          |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base md=-, -5 base md=-         | -100 ck 1000/200, -5 ck 1000/200  |                     | quiet
        no baseline: not this rule              |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -5 base md=-                         | -100 ck 1000/200, -5 ck 1000/200  |                     | quiet
        not adequate                            |                |            | -100.. prednisone 40                                                      | -100 70 | -100 base                            | -100 ck 1000/200, -5 ck 1000/200  |                     | quiet
        not known to be adequate                |                |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           |         | -100 base                            | -100 ck 1000/200, -5 ck 1000/200  |                     | quiet
        inclusion body                          | inclusion_body |            | -100.. prednisone 40, -100.. methotrexate 15 /7                           | -100 70 | -100 base                            | -100 ck 1000/200, -5 ck 1000/200  |                     | quiet
        rituximab 167 days ago                  |                |            | -200..-160 prednisone 40, -159.. prednisone 10, -200.. methotrexate 15 /7 | -200 70 | -200 base                            | -200 ck 1000/200, -5 ck 1000/200  | -167 rituximab 1000 | quiet
        rituximab 168 days ago                  |                |            | -200..-160 prednisone 40, -159.. prednisone 10, -200.. methotrexate 15 /7 | -200 70 | -200 base                            | -200 ck 1000/200, -5 ck 1000/200  | -168 rituximab 1000 | TASK
        immunoglobulin 111 days ago             |                |            | -200..-160 prednisone 40, -159.. prednisone 10, -200.. methotrexate 15 /7 | -200 70 | -200 base                            | -200 ck 1000/200, -5 ck 1000/200  | -111 ivig 70        | quiet
        immunoglobulin 112 days ago             |                |            | -200..-160 prednisone 40, -159.. prednisone 10, -200.. methotrexate 15 /7 | -200 70 | -200 base                            | -200 ck 1000/200, -5 ck 1000/200  | -112 ivig 70        | TASK
        also where another reason holds         |                |            | -200.. prednisone 40, -200.. methotrexate 15 /7                           | -200 70 | -200 base                            | -200 ck 1000/200, -5 ck 1000/200  |                     | TASK
        a pulse alone in the last 90 days       |                |            | -200..-130 prednisone 40, -200.. methotrexate 15 /7                       | -200 70 | -200 base                            | -200 ck 1000/200, -5 ck 1000/200  | -60 methylprednisolone 500 | TASK [no-core-set]
    """,
)
