"""Strength, core sets, lungs, and what is looked for before and during treatment."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import Any

from clinic.demo.cases import Case
from clinic.demo.teller import Teller, visits
from monitoring.models import Assessment, Booking, FunctionalTest, Imaging, LungFunction, MuscleGrade, Screening, Waiver
from monitoring.scores import mmt8
from patients.models import RiskFactor, Sex, Subtype


def strength(t: Teller, case: Case, until: int) -> None:
    """A core set every twelve weeks from the diagnosis on."""
    dice = t.dice
    start = dice.randint(92, 118)
    if case.subtype == Subtype.AMYOPATHIC:
        start = 146
    best = min(150, start + dice.randint(22, 38))
    if case.story == "no-core-set":
        until = 110
    days = list(visits(case.diagnosed, 84, until))
    if (
        days[-1] > 60
        and case.status == "active"
        and not case.story.startswith(("no-core", "worse"))
        and case.physio != "unreviewed"
    ):
        days.append(13)
    if not case.seen:
        days = [ago for ago in days if ago > 380]
    newest = days[-1] if days else 0
    for ago in days:
        progress = 1 - math.exp(-(case.diagnosed - ago) / 110)
        if case.response == "poor":
            progress *= 0.06
        if case.subtype == Subtype.INCLUSION_BODY:
            progress = -0.12 * (case.diagnosed - ago) / 365
        if case.response == "incomplete" and ago == newest:
            t.note(Assessment, t.day(ago), assessed_on=t.day(ago), physician_vas=Decimal("3.1"))
            continue
        activity = 6.2 * (1 - 0.85 * progress)
        if case.calm:
            activity = 6.2 * math.exp(-(case.diagnosed - ago) / 80) + (1.3 if dice.random() < 0.05 else 0)
        core_set(t, ago, start + (best - start) * progress, progress, activity)
    if case.physio not in ("none", "unreviewed") and case.diagnosed > 60:
        t.note(FunctionalTest, t.day(30), instrument="fi2", tested_on=t.day(30), score=Decimal(dice.randint(40, 90)),
               is_complete=True)  # fmt: skip


def core_set(t: Teller, ago: int, mmt: float, progress: float, activity: float) -> None:
    """`activity`: what the physician sees, on a line of 10 cm."""
    dice = t.dice
    day = t.day(ago)

    def vas(centimetres: float) -> Decimal:
        return Decimal(str(round(min(10, max(0.2, centimetres + dice.uniform(-0.2, 0.2))), 1)))

    left = 1 - 0.85 * progress

    grades = spread(dice, round(mmt))
    scored = mmt8.score(grades)
    assessment = t.note(
        Assessment, day, assessed_on=day, physician_vas=vas(activity), patient_vas=vas(6.0 * left),
        extramuscular_vas=vas(3.4 * left),
        haq_di=Decimal(max(0, min(24, round((1.6 - 1.2 * progress) * 8)))) / 8,
        mmt8_150=scored.total_150, mmt8_80=scored.one_sided_80, mmt8_side="right",
    )  # fmt: skip
    for (muscle, side), grade in grades.items():
        t.note(MuscleGrade, day, assessment=assessment, muscle=str(muscle), side=str(side), grade=grade)


def spread(dice: random.Random, total: int) -> dict[Any, int]:
    """Fifteen grades of 0 to 10 that add up to `total`, weaker near the trunk."""
    cells = list(mmt8.CELLS)
    grades = dict.fromkeys(cells, 10)
    near = [c for c in cells if any(w in str(c[0]) for w in ("neck", "deltoid", "glute"))]
    missing = 150 - max(40, min(150, total))
    while missing > 0:
        cell = dice.choice(near * 3 + cells)
        if grades[cell] > 2:
            grades[cell] -= 1
            missing -= 1
    return grades


def lungs(t: Teller, case: Case) -> None:
    dice = t.dice
    at_risk = case.ild or case.subtype == Subtype.ANTISYNTHETASE or bool(case.signs) or case.antibody in (
        "mda5", "ro52", "ku", "pm-scl", "jo-1", "pl-7", "pl-12", "ej",
    )  # fmt: skip
    if case.lungs != "never" and not (case.lungs == "booked" and case.diagnosed < 90):
        first = max(case.diagnosed - 9, 1)
        fvc = dice.randint(62, 78) if case.ild else dice.randint(84, 108)
        days = [first]
        if at_risk:
            until = 260 if case.lungs == "overdue" else (190 if case.lungs in ("booked", "waived") else 20)
            days = [ago for ago in visits(first, 150, until) if ago <= first] or [first]
        for ago in days:
            day = t.day(ago)
            fvc += dice.randint(-2, 3)
            t.note(
                LungFunction, day, tested_on=day, fvc_l=Decimal(str(round(fvc * 0.036, 2))),
                fvc_percent_predicted=Decimal(fvc), dlco_percent_predicted=Decimal(fvc - dice.randint(8, 18)),
                dlco_hb_corrected="yes", reference_set="GLI-2012",
            )  # fmt: skip
        seen = "present" if case.ild else "absent"
        t.note(Imaging, t.day(first), modality="hrct", done_on=t.day(first), ild=seen, report="")
    if case.lungs == "booked":
        for kind in ("pft", "hrct"):
            t.note(Booking, t.day(5), kind=kind, booked_for=t.day(-12))
    if case.lungs == "waived":
        t.note(Waiver, t.day(90), test="pft", reason="not_possible", starts_on=t.day(90), ends_on=t.day(-200))
    if case.status == "active" and dice.random() < 0.8:
        t.note(Booking, t.day(10), kind="visit", booked_for=t.day(-dice.randint(5, 70)))


# What is looked for before treatment and at diagnosis, in most.
AT_DIAGNOSIS = ("hepatitis_b", "hepatitis_c", "hiv", "tuberculosis", "varicella", "tpmt", "iga", "igg", "vaccination",
                "ecg", "eye")  # fmt: skip


def looked_for(t: Teller, case: Case) -> None:
    """Screenings: everything at the diagnosis, and again as it falls due. A story leaves one of them out."""
    first = case.diagnosed - 1
    last = 10 if case.status == "active" else 200

    def done(kind: str, ago: int, outcome: str = "normal") -> None:
        if ago > 0:
            t.note(Screening, t.day(ago), kind=kind, done_on=t.day(ago), outcome=outcome)

    if case.story not in ("not-checked", "infusion-unusual"):
        for kind in AT_DIAGNOSIS:
            done(kind, first)
    t.note(Imaging, t.day(first), modality="chest_xray", done_on=t.day(first), ild="not_applicable", report="")
    woman = t.who.sex == Sex.FEMALE
    if woman:
        fertile = t.who.age_on(t.today) < 50
        kind = "childbearing" if fertile else "no_childbearing"
        t.note(RiskFactor, t.day(first), kind=kind, starts_on=t.day(case.diagnosed))
        start = case.drug_days or max(case.diagnosed - 14, 7)
        if fertile:
            done("pregnancy_test", start + 10)
            done("pregnancy_test", start + 1)
    if case.story != "no-bone":
        for ago in range(first, last, -600):
            done("fracture_risk", ago)
    if case.story != "swallowing":
        for ago in range(first, last, -80):
            done("swallow", ago)
    if case.story != "no-cancer-screening":
        done("cancer_enhanced", first)
        for ago in range(first, last, -350):
            done("cancer_basic", ago)
    if case.subtype == Subtype.INCLUSION_BODY:
        for ago in range(first, 230 if case.story == "no-ibmfrs" else last, -160):
            score = Decimal(max(12, 36 - (first - ago) // 150))
            t.note(FunctionalTest, t.day(ago), instrument="ibmfrs", tested_on=t.day(ago), score=score, is_complete=True)
