"""`infusion-due` and `infusion-check`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tests.naive import steroid
from tests.naive.record import (
    BodySize,
    Booking,
    Course,
    Dose,
    Infusion,
    Manifestation,
    Record,
    RiskFactor,
    Said,
    Screening,
    days,
)

HORIZON = 28


@dataclass
class Group:
    """Infusions that belong together: a course of immunoglobulin, a cycle of rituximab."""

    infusions: list[Infusion]

    @property
    def on(self) -> list[dt.date]:
        return sorted({i.given_on for i in self.infusions})

    def given(self, day: dt.date) -> Decimal:
        return sum((i.amount for i in self.infusions if i.given_on == day), Decimal(0))


def groups(infusions: list[Infusion], within: int) -> list[Group]:
    found: list[Group] = []
    for infusion in sorted(infusions, key=lambda i: (i.given_on, i.id)):
        if found and (infusion.given_on - found[-1].on[0]).days <= within:
            found[-1].infusions.append(infusion)
        else:
            found.append(Group([infusion]))
    return found


def going_on(record: Record, as_of: dt.date) -> list[tuple[Course, list[Group]]]:
    """Each course of immunoglobulin that goes on; the newest of rituximab, with the infusions of all of them."""
    stopped = steroid.last_days(record)
    on = [c for c in record[Course] if c.id not in stopped or stopped[c.id] >= as_of]
    given = [i for i in record[Infusion] if i.given_on <= as_of]
    found = [(c, groups([i for i in given if i.course_id == c.id], 10)) for c in on if c.drug == "ivig"]
    rituximab = [c for c in on if c.drug == "rituximab"]
    if rituximab:
        all_of_it = {c.id for c in record[Course] if c.drug == "rituximab"}
        found.append((rituximab[-1], groups([i for i in given if i.course_id in all_of_it], 28)))
    return [(c, g) for c, g in found if g]


def due(record: Record, as_of: dt.date) -> list[Said]:
    stopped = steroid.last_days(record)
    booked = any(b.kind == "infusion" and as_of <= b.booked_for <= as_of + days(14) for b in record[Booking])
    said = []
    for course, listed in going_on(record, as_of):
        newest = listed[-1]
        began = newest.on[0]
        if course.drug == "ivig":
            day, until, lapses = began + days(28), began + days(35), None
        else:
            if len(newest.on) > 1:
                continue
            day, until, lapses = began + days(14), began + days(17), began + days(28)
        if lapses is not None and as_of > lapses:
            continue
        if course.id in stopped and stopped[course.id] < day:
            continue
        doses = [d for d in record[Dose] if d.course_id == course.id]
        if (
            course.drug == "ivig"
            and doses
            and all(d.ends_on is not None for d in doses)
            and began <= max(d.ends_on for d in doses) < day
        ):
            continue
        subject = f"course:{course.id}"
        if as_of < day:
            if day <= as_of + days(HORIZON):
                said.append(Said(subject, None, day))
        else:
            said.append(Said(subject, "INFO" if booked else "TASK" if as_of <= until else "ACTION", day))
    return said


# --------------------------------------------------------------------------------------------------------- checks

RISKS = ("renal", "thrombosis", "diabetes", "paraprotein", "nephrotoxin", "volume_depletion", "sepsis")


def check(record: Record, as_of: dt.date) -> list[Said]:
    said = []
    for course, listed in going_on(record, as_of):
        levels, missing = (immunoglobulin if course.drug == "ivig" else rituximab)(record, as_of, listed)
        if levels or missing:
            level = "ACTION" if "ACTION" in levels else "TASK" if levels else None
            said.append(Said(f"course:{course.id}", level, None, missing))
    return said


def weight_near(record: Record, as_of: dt.date, day: dt.date) -> Fraction | None:
    found = [
        (abs((b.measured_on - day).days), b.measured_on, -b.id, b.weight_kg)
        for b in record[BodySize]
        if b.weight_kg is not None and b.measured_on <= as_of and abs((b.measured_on - day).days) <= 90
    ]
    return Fraction(min(found)[3]) if found else None


def is_at_risk(record: Record, began: dt.date, ended: dt.date) -> bool:
    if any(
        r.kind in RISKS and r.starts_on <= ended and (r.ends_on is None or r.ends_on >= began)
        for r in record[RiskFactor]
    ):
        return True
    if any(m.kind == "thrombosis" and m.onset_on <= ended for m in record[Manifestation]):
        return True
    born = record.born_on
    return (began.year - 65, began.month, began.day) > (born.year, born.month, born.day)


def seen(record: Record, analytes: tuple[str, ...], as_of: dt.date, within: int) -> bool:
    return any(
        r.value is not None and (as_of - r.taken_on).days <= within for a in analytes for r in record.results(a, as_of)
    )


def screened(record: Record, kind: str, as_of: dt.date, within: int | None = None) -> list[Screening]:
    return [
        s
        for s in record[Screening]
        if s.kind == kind and s.done_on <= as_of and (within is None or (as_of - s.done_on).days <= within)
    ]


def immunoglobulin(record: Record, as_of: dt.date, listed: list[Group]) -> tuple[list[str], bool]:
    newest = listed[-1]
    began, last = newest.on[0], newest.on[-1]
    over = (as_of - began).days >= 5
    levels = []
    weight = weight_near(record, as_of, began)
    missing = weight is None
    if weight is not None:
        rate = max(
            (i.max_rate_ml_per_hour for i in newest.infusions if i.max_rate_ml_per_hour is not None), default=None
        )
        if rate is not None:
            if is_at_risk(record, began, last) and rate > weight * 60 * Fraction(3, 100):
                levels.append("ACTION")
            elif rate > weight * 60 * Fraction(4, 100):
                levels.append("TASK")
        per_kg = Fraction(sum((i.amount for i in newest.infusions), Decimal(0))) / weight
        if per_kg > 2 * Fraction(105, 100) or (over and per_kg < 2 * Fraction(95, 100)):
            levels.append("TASK")
    if over and not 2 <= (last - began).days + 1 <= 5:
        levels.append("TASK")
    if len(listed) > 1 and not 21 <= (began - listed[-2].on[0]).days <= 35:
        levels.append("TASK")
    # Deficiency of IgA is for life: one that cannot be read does not hide the one before.
    iga = [r for r in record.results("iga", as_of) if r.value is not None]
    if iga and iga[-1].value < Decimal("0.07"):
        levels.append("ACTION")
    if (as_of - began).days >= 21:
        if not seen(record, ("creatinine", "egfr", "egfr-2009", "egfr-mdrd"), as_of, 14):
            levels.append("TASK")
        if not iga and not any(s.outcome == "normal" for s in screened(record, "iga", as_of)):
            levels.append("TASK")
    return levels, missing


def rituximab(record: Record, as_of: dt.date, listed: list[Group]) -> tuple[list[str], bool]:
    newest = listed[-1]
    began = newest.on[0]
    age = (as_of - began).days
    levels = []
    if len(listed) > 1 and (began - listed[-2].on[0]).days < 168:
        levels.append("ACTION")
    if len(newest.on) == 1:
        if age > 28:
            levels.append("TASK")
    elif not 11 <= (newest.on[1] - began).days <= 17:
        levels.append("TASK")
    if len(newest.on) > 2 or any(newest.given(day) != 1000 for day in newest.on):
        levels.append("TASK")

    results = record.results("igg", as_of)
    missing = False
    if results and (as_of - results[-1].taken_on).days <= 183:
        if results[-1].value is None:
            missing = True
        elif results[-1].value < 4:
            levels.append("ACTION")
        elif results[-1].value < 6:
            levels.append("TASK")

    def has_igg(within: int) -> bool:
        normal = any(s.outcome == "normal" for s in screened(record, "igg", as_of, within))
        return normal or seen(record, ("igg",), as_of, within)

    booked = any(b.kind == "infusion" and as_of <= b.booked_for <= as_of + days(14) for b in record[Booking])
    if (((len(newest.on) == 1 and 11 <= age <= 28) or booked) and not has_igg(28)) or (age >= 168 and not has_igg(183)):
        levels.append("TASK")

    markers = [r for a in ("hbsag", "anti-hbc") for r in record.results(a, as_of)]
    screens = screened(record, "hepatitis_b", as_of)
    positive = [r.taken_on for r in markers if r.value_received == "positive"]
    positive += [s.done_on for s in screens if s.outcome == "abnormal"]
    if positive:
        if not any(s.note and s.done_on >= min(positive) for s in screens):
            levels.append("ACTION")
    else:
        both = all(any(r.value_received == "negative" for r in record.results(a, as_of)) for a in ("hbsag", "anti-hbc"))
        if not both and not any(s.outcome == "normal" for s in screens):
            levels.append("TASK")
    return levels, missing
