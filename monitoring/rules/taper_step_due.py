"""A step of a steroid taper is due."""

import datetime as dt

from accounts.models import Role
from monitoring.rules import taper_step
from monitoring.rules.base import Citation, Confidence, Question, Rule


def findings(q: Question) -> str:
    return taper_step.waiting(
        q,
        level="TASK",
        condition="until BETWEEN -%(days_past)s AND %(days_ahead)s",
        coming="until BETWEEN %(days_ahead)s + 1 AND %(horizon)s",
        name="due",
    )


RULE = Rule(
    id="taper-step-due",
    version=1,
    title="A step of the steroid taper is due",
    audience=Role.NURSE,
    evidence=(
        Citation(
            text="No guideline says when to prompt for a step: 3 days ahead to 7 days past is a local policy. Tapers begin "
            "at about 6 weeks according to response (BSR 2022, Oldroyd AGS, et al. Rheumatology 2022;61:1760-8).",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=taper_step.Parameters(),
    findings=findings,
    aside=("until", "past", "ck_evidence"),  # the first two in what was found until they were left out
    asks=taper_step.ASKS,
    explanations={
        **taper_step.SIGNS,
        "due": "The step to {dose_pe_mg} mg of prednisone a day, or its equivalent, is planned for {step_on} and is not "
        "confirmed.",
    },
    not_considered=(
        "Whether the patient already takes the planned dose: a person confirms each step.",
        "Symptoms between visits.",
        "Signs of activity other than a rising creatine kinase and a confirmed deterioration.",
    ),
    advice="Look for signs of activity before the dose goes down.",
    examples="""
        case                                        | taper plan                 | ck                              | core sets                                                       | expect
        no plan                                     |                            |                                 |                                                                 | quiet
        4 days ahead                                | 4 20                       |                                 |                                                                 | due +4
        3 days ahead                                | 3 20                       |                                 |                                                                 | TASK due +3 [due]
        today                                       | 0 20                       |                                 |                                                                 | TASK due +0 [due]
        7 days past                                 | -7 20                      |                                 |                                                                 | TASK due -7 [due]
        8 days past                                 | -8 20                      |                                 |                                                                 | quiet
        28 days ahead                               | 28 20                      |                                 |                                                                 | due +28
        29 days ahead                               | 29 20                      |                                 |                                                                 | quiet
        confirmed                                   | 0 20 ok@0                  |                                 |                                                                 | quiet
        confirmed today, the next in 3 days         | -3 30 ok@0, 3 20           |                                 |                                                                 | TASK due +3
        confirmed tomorrow is not confirmed yet     | 0 20 ok@1                  |                                 |                                                                 | TASK
        only the earliest unconfirmed step          | -40 40 ok@-40, -3 30, 2 20 |                                 |                                                                 | TASK due -3
        a later one confirmed, an earlier not       | -3 30, -1 20 ok@-1         |                                 |                                                                 | TASK due -3
        the first needs confirming too              | -9 40, 0 30                |                                 |                                                                 | quiet
        on hold                                     | 0 20, held -5..5           |                                 |                                                                 | quiet
        on hold without end                         | 0 20, held -5..            |                                 |                                                                 | quiet
        the last day of a hold                      | 0 20, held -5..0           |                                 |                                                                 | quiet
        a hold ended yesterday, days do not move    | -6 20, held -5..-1         |                                 |                                                                 | TASK due -6
        a hold that begins tomorrow                 | 0 20, held 1..             |                                 |                                                                 | TASK
        plan ended yesterday                        | 0 20, ended -1             |                                 |                                                                 | quiet
        plan ends today                             | 0 20, ended 0              |                                 |                                                                 | TASK
        creatine kinase rises                       | -7 40                      | -60 200, 0 400 uln=200          |                                                                 | TASK [signs-open, sign-ck, due]
        creatine kinase rises, not on the day asked | -7 40                      | -60 200, -40 400 uln=200, 0 190 |                                                                 | TASK [due]
        creatine kinase for information only        | 3 40                       | -60 200, 0 320 uln=200          |                                                                 | TASK [due]
        deterioration confirmed                     | -7 40                      |                                 | -60 md=2 pt=2 ex=0 haq=0.5 mmt=140, -30 same ex=3, -2 same ex=3 | TASK [signs-open, sign-deterioration, due]
        deterioration at the newest visit alone     | -7 40                      |                                 | -60 md=2 pt=2 ex=0 haq=0.5 mmt=140, -30 same ex=1, -2 same ex=3 | TASK [due]
        deterioration, then better                  | -7 40                      |                                 | -60 md=2 pt=2 ex=0 haq=0.5 mmt=140, -30 same ex=3, -2 same ex=1 | TASK [due]
        both signs                                  | -7 40                      | -60 200, 0 400 uln=200          | -60 md=2 pt=2 ex=0 haq=0.5 mmt=140, -30 same ex=3, -2 same ex=3 | TASK [signs-open, sign-ck, sign-deterioration, due]
        signs open, and the step is not due yet     | 4 40                       | -60 200, 0 2000 uln=200         | -60 md=2 pt=2 ex=0 haq=0.5 mmt=140, -30 same ex=3, -2 same ex=3 | due +4
    """,
)
