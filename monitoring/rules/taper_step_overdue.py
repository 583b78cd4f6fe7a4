"""A step of a steroid taper is overdue."""

import datetime as dt

from accounts.models import Role
from monitoring.rules import taper_step
from monitoring.rules.base import Citation, Confidence, Question, Rule


def findings(q: Question) -> str:
    # What is coming is told by taper-step-due, whose day it is.
    return taper_step.waiting(q, level="ACTION", condition="until < -%(days_past)s", coming="false", name="overdue")


RULE = Rule(
    id="taper-step-overdue",
    version=2,
    title="A step of the steroid taper is overdue",
    audience=Role.CLINICIAN,
    evidence=(
        Citation(
            text="No guideline says when a step is overdue: more than 7 days is a local policy.",
            confidence=Confidence.LOCAL,
        ),
    ),
    review_due=dt.date(2027, 6, 30),
    parameters=taper_step.Parameters(),
    findings=findings,
    aside=("until", "past", "ck_evidence"),  # the first two in what was found by version 1
    asks=taper_step.ASKS,
    explanations={
        **taper_step.SIGNS,
        "overdue": "The step to {dose_pe_mg} mg of prednisone a day, or its equivalent, was planned for {step_on} "
        "and is not confirmed. More than {p.days_past} days past its day is overdue.",
    },
    not_considered=(
        "Whether the patient already takes the planned dose: a person confirms each step.",
        "Symptoms between visits.",
        "Signs of activity other than a rising creatine kinase and a confirmed deterioration.",
    ),
    advice="Confirm the step, hold the plan with a reason, or end it.",
    examples="""
        case                                     | taper plan            | ck                      | core sets                                                       | expect
        no plan                                  |                       |                         |                                                                 | quiet
        today                                    | 0 20                  |                         |                                                                 | quiet
        6 days past                              | -6 20                 |                         |                                                                 | quiet
        7 days past                              | -7 20                 |                         |                                                                 | quiet
        8 days past                              | -8 20                 |                         |                                                                 | ACTION due -8 [overdue]
        a year past                              | -365 20               |                         |                                                                 | ACTION due -365
        confirmed late                           | -40 20 ok@-1          |                         |                                                                 | quiet
        the first needs confirming too           | -30 40, -9 30 ok@-9   |                         |                                                                 | ACTION due -30
        only the earliest, one finding a plan    | -30 40, -20 30, -9 20 |                         |                                                                 | ACTION due -30
        on hold                                  | -9 20, held -5..      |                         |                                                                 | quiet
        a hold ended yesterday, days do not move | -9 20, held -5..-1    |                         |                                                                 | ACTION due -9
        plan ended yesterday                     | -9 20, ended -1       |                         |                                                                 | quiet
        plan ends today                          | -9 20, ended 0        |                         |                                                                 | ACTION
        both signs                               | -9 40                 | -60 200, 0 400 uln=200  | -60 md=2 pt=2 ex=0 haq=0.5 mmt=140, -30 same ex=3, -2 same ex=3 | ACTION [signs-open, sign-ck, sign-deterioration, overdue]
        creatine kinase urgent                   | -9 40                 | -60 200, 0 2000 uln=200 |                                                                 | ACTION [signs-open, sign-ck, overdue]
    """,
)
