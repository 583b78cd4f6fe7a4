"""Drugs, the taper, physiotherapy."""

from __future__ import annotations

from decimal import Decimal

from clinic.demo.cases import Case
from clinic.demo.teller import Teller
from therapy.models import (
    Course,
    CourseStop,
    Dose,
    Infusion,
    PhysioDecline,
    PhysioPlan,
    PhysioSession,
    SessionOutcome,
    TaperConfirmation,
    TaperHold,
    TaperPlan,
    TaperStep,
)

STEPS = (60, 50, 40, 30, 25, 20, 17.5, 15, 12.5, 10, 7.5, 5)


def treatment(t: Teller, case: Case, weight: int) -> None:
    if case.steroid != "none":
        steroid(t, case, weight)
    if case.drug:
        start = case.drug_days or max(case.diagnosed - 14, 7)
        course = t.note(Course, t.day(start), drug=case.drug, route="oral", indication="Myositis")
        amount, times, every = {
            "methotrexate": (Decimal(30 if case.story == "too-much" else 20), 1, 7),
            "azathioprine": (Decimal(round(weight * 1.7 / 25) * 25), 1, 1),
            "mycophenolate-mofetil": (Decimal(1000), 2, 1),
        }[case.drug]
        t.note(Dose, t.day(start), course=course, starts_on=t.day(start), amount=amount, times=times, every_days=every)
        if case.drug == "methotrexate":
            folic = t.note(Course, t.day(start), drug="folic-acid", route="oral")
            t.note(Dose, t.day(start), course=folic, starts_on=t.day(start), amount=Decimal(5), times=1, every_days=7)
    if case.steroid != "none" and case.story != "no-prophylaxis":
        # Until the dose has been low for long. Its folate antagonism adds to that of methotrexate: a third of the dose.
        until = {"high": None, "raised": None}.get(case.steroid, max(case.diagnosed - 150, 0) or None)
        course = t.note(Course, t.day(case.diagnosed), drug="co-trimoxazole", route="oral", indication="Prophylaxis")
        ends = None if until is None else t.day(until)
        t.note(Dose, t.day(case.diagnosed), course=course, starts_on=t.day(case.diagnosed), ends_on=ends,
               amount=Decimal(480))  # fmt: skip
    if case.ivig:
        course = t.note(Course, t.day(330), drug="ivig", route="intravenous", indication="Refractory")
        for cycle in range(6):
            for n in range(2):
                day = t.day(330 - 28 * cycle - n)
                t.note(Infusion, day, course=course, given_on=day, amount=Decimal(weight), reaction="none")
        t.note(CourseStop, t.day(188), course=course, stopped_on=t.day(188), reason="completed")
    if case.rituximab:
        course = t.note(Course, t.day(400), drug="rituximab", route="intravenous", indication="Refractory")
        for ago in (400, 386, 200, 186):
            t.note(Infusion, t.day(ago), course=course, given_on=t.day(ago), amount=Decimal(1000), reaction="none")


def steroid(t: Teller, case: Case, weight: int) -> None:
    """One milligram a kilogram for four weeks, then down; where it stands today depends on the case."""
    first = round(min(weight, 80) / 5) * 5
    lowest = {"high": 4, "raised": 8}.get(case.steroid, len(STEPS) - 1)
    course = t.note(Course, t.day(case.diagnosed), drug="prednisolone", route="oral", indication="Myositis")
    doses = [(case.diagnosed, Decimal(first))]
    ago = case.diagnosed - 28
    for step in STEPS[: lowest + 1]:
        if step < first and ago > 0:
            doses.append((ago, Decimal(str(step))))
            ago -= 14 if step > 10 else 21
    # Whoever is on a plan takes the next step on its day: what is prescribed follows what was confirmed.
    steps = plan_steps(case)
    if steps:
        doses = [(a, d) for a, d in doses if a > steps[0][0]]
        doses += [(a, d) for a, d in steps if a > 0 and taken(case, a)]
    if case.steroid == "raised":
        doses = [(a, d) for a, d in doses if a > 15]
        doses.append((12, doses[-1][1] + 10))
    for (ago, amount), later in zip(doses, [*doses[1:], None], strict=True):
        ends = None if later is None else t.day(later[0] + 1)
        if case.status != "active" and ends is None:
            ends = t.day(185)
        if ends is not None and ends < t.day(ago):
            continue
        begins = t.day(ago)
        t.note(Dose, begins, course=course, starts_on=begins, ends_on=ends, amount=amount, times=1, every_days=1)
    if steps:
        plan = t.note(TaperPlan, t.day(steps[0][0] + 1), template="T-STEP", note="")
        for step_ago, amount in steps:
            row = t.note(TaperStep, t.day(steps[0][0] + 1), plan=plan, step_on=t.day(step_ago), dose_pe_mg=amount)
            if taken(case, step_ago):
                t.note(TaperConfirmation, t.day(step_ago), step=row, confirmed_on=t.day(step_ago))
        if case.taper == "held":
            t.note(TaperHold, t.day(3), plan=plan, starts_on=t.day(3), reason="Cough, waiting for the CT")


def plan_steps(case: Case) -> list[tuple[int, Decimal]]:
    """(days ago, mg) of the taper plan: the step in question is the fourth."""
    if not case.taper:
        return []
    shift = {"due": 1, "overdue": 12, "held": 2, "on-track": -10}[case.taper]
    start = {"high": 30}.get(case.steroid, 20)
    amounts = [Decimal(str(a)) for a in STEPS if a <= start][:8]
    return [(shift + 42 - 14 * n, amount) for n, amount in enumerate(amounts)]


def taken(case: Case, ago: int) -> bool:
    return (
        ago > 14 + {"due": 0, "overdue": 11, "held": 1, "on-track": -14}[case.taper] - 14
        and ago > ({"due": 1, "overdue": 12, "held": 2, "on-track": 0}[case.taper])
    )


def physiotherapy(t: Teller, case: Case) -> None:
    if case.physio == "none":
        return
    if case.physio == "declined":
        t.note(PhysioDecline, t.day(30), declined_on=t.day(30))
        return
    first = min(case.diagnosed - 7, 150)
    # Everybody has a day of the week of their own, from Monday to Friday.
    first -= (int(t.who.record_number) % 5 - t.day(first).weekday()) % 7
    plan = t.note(
        PhysioPlan, t.day(first), starts_on=t.day(first), sessions_per_week=1, goal="Stairs without holding the rail"
    )
    missed = int(case.physio.rpartition("-")[2]) if case.physio.startswith("missed") else 0
    days = list(range(first, -15, -7))
    past = [ago for ago in days if ago > 4]
    for ago in days:
        session = t.note(PhysioSession, t.day(first), plan=plan, held_on=t.day(ago))
        if ago in past:
            word = t.dice.choice(["attended"] * 9 + ["home_done", "attended_remote", "cancelled_by_clinic", "excused"])
            if ago in past[len(past) - missed :]:
                word = "did_not_attend"
            t.note(SessionOutcome, t.day(ago), session=session, word=word)
