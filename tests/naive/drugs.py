"""Rules that ask what is taken, and what belongs to it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from fractions import Fraction

from tests.naive import lungs, steroid
from tests.naive.record import (
    AntibodyResult,
    Course,
    Dose,
    Infusion,
    Record,
    Said,
    Screening,
    TaperPlan,
    TaperStep,
    days,
)

HORIZON = 28
STATINS = {
    "atorvastatin",
    "rosuvastatin",
    "simvastatin",
    "pravastatin",
    "fluvastatin",
    "pitavastatin",
    "lovastatin",
}


def in_force(record: Record, drugs: set[str], day: dt.date) -> list:
    """(course, dose) of the doses above 0 in force on the day."""
    return [
        (course, dose)
        for course, dose, last in steroid.periods(record, drugs)
        if dose.amount > 0 and dose.starts_on <= day and (last is None or day <= last)
    ]


def methotrexate_with_lung_disease(record: Record, as_of: dt.date) -> list[Said]:
    if lungs.known_since(record, as_of) is None:
        return []
    said = []
    for course in record[Course]:
        if course.drug != "methotrexate":
            continue
        taken = [
            (dose.starts_on, last)
            for c, dose, last in steroid.periods(record, {"methotrexate"})
            if c.id == course.id and dose.amount > 0 and (last is None or last >= dose.starts_on)
        ]
        # A course goes on while a dose of it is in force or still to come.
        if any(first <= as_of for first, _ in taken) and any(last is None or last >= as_of for _, last in taken):
            said.append(Said(f"course:{course.id}", "INFO"))
    return said


def statin(record: Record, as_of: dt.date) -> list[Said]:
    if not in_force(record, STATINS, as_of):
        return []
    if record.positive({"hmgcr"}, as_of):
        return [Said("patient", "ACTION")]
    tested = any(a.antibody == "hmgcr" and a.taken_on <= as_of for a in record[AntibodyResult])
    if record.subtype == "necrotising" and not tested:
        return [Said("patient", missing=True)]
    return []


def bone(record: Record, as_of: dt.date) -> list[Said]:
    pe = steroid.by_day(record, as_of)
    first = as_of
    if pe.get(first, 0) < Fraction(5, 2):
        return []
    while pe.get(first - days(1), 0) >= Fraction(5, 2):
        first -= days(1)
    due = first + days(90)  # the 91st day
    assessed = [s.done_on for s in record[Screening] if s.kind == "fracture_risk" and s.done_on <= as_of]
    if assessed:
        due = max(due, max(assessed) + days(731))
    if due <= as_of:
        return [Said("patient", "TASK", due)]
    return [Said("patient", None, due)] if due <= as_of + days(HORIZON) else []


def may_reach(record: Record, as_of: dt.date) -> bool:
    """A plan says something of the weeks ahead while one of its steps to 20 mg or more is not older than 28 days.

    Without one it takes prescribed doses of so much. What is older, and taken by nobody, is no plan any more.
    """
    if any(s.dose_pe_mg >= 20 and -28 <= (s.step_on - as_of).days <= HORIZON for s in record[TaperStep]):
        return True
    courses = {c.id: c for c in record[Course] if c.drug in steroid.EQUIVALENT and c.route not in steroid.NOT_SYSTEMIC}
    prescribed = [
        Fraction(d.amount) * d.times * 5 / d.every_days / steroid.EQUIVALENT[courses[d.course_id].drug]
        for d in record[Dose]
        if d.course_id in courses and d.starts_on <= as_of + days(HORIZON) and (d.ends_on is None or d.ends_on >= as_of)
    ]
    return sum(prescribed) >= 20


def pneumocystis(record: Record, as_of: dt.date) -> list[Said]:
    for _, dose, last in steroid.periods(record, {"co-trimoxazole"}):
        to_come = dose.amount > 0 and dose.starts_on <= as_of + days(HORIZON)
        if to_come and (last is None or last >= max(as_of, dose.starts_on)):
            return []
    if not may_reach(record, as_of):
        return []
    # Taken up to today; from tomorrow on the steps of a running plan, else what is prescribed.
    pe = dict(steroid.by_day(record, as_of))
    end = as_of + days(HORIZON + 28)
    running = [p.id for p in record[TaperPlan] if steroid.plan_runs(record, p.id, as_of)]
    if running:
        steps = sorted((s.step_on, Fraction(s.dose_pe_mg)) for s in record[TaperStep] if s.plan_id == max(running))
        ahead = {}
        for n in range(1, (end - as_of).days + 1):
            day = as_of + days(n)
            ahead[day] = [dose for on, dose in steps if on <= day][-1]
    else:
        given = [i for i in record[Infusion] if i.given_on <= as_of]
        planned = dataclasses.replace(record, facts=record.facts | {Infusion: given}, cache={})
        ahead = {day: mg for day, mg in steroid.by_day(planned, end).items() if day > as_of}
    pe.update(ahead)

    def run_from(first: dt.date) -> int:
        day = first
        while pe.get(day, 0) >= 20:
            day += days(1)
        return (day - first).days

    if pe.get(as_of, 0) >= 20:
        first = as_of
        while pe.get(first - days(1), 0) >= 20:
            first -= days(1)
        if run_from(first) >= 28:
            return [Said("patient", "TASK", first)]
    for n in range(1, HORIZON + 1):
        first = as_of + days(n)
        if pe.get(first - days(1), 0) < 20 and run_from(first) >= 28:
            return [Said("patient", None, first)]
    return []
