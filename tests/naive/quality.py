"""`data-quality`: what keeps rules from judging."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from tests.naive import steroid
from tests.naive.drugs import in_force
from tests.naive.record import BodySize, Course, Infusion, Record, Said
from therapy.formulary import FORMULARY, Per, Phase

JUDGED = (
    "ck", "aldolase", "ldh", "ast", "alt", "haemoglobin", "wbc", "neutrophils", "platelets", "creatinine", "egfr",
    "egfr-2009", "egfr-mdrd", "mcv", "eosinophils", "albumin", "systolic", "diastolic", "ggt", "bilirubin", "crp",
)  # fmt: skip
BESIDE = ("aldolase", "alt", "ast", "crp", "ldh")


def quality(record: Record, as_of: dt.date) -> list[Said]:
    lacks = (
        record.diagnosed_on is None
        or has_no_limit(record, as_of)
        or any(is_unread(record, analyte, as_of) for analyte in JUDGED)
        or lacks_weight(record, as_of)
        or jumps(record, as_of)
    )
    return [Said("patient", "TASK")] if lacks else []


def has_no_limit(record: Record, as_of: dt.date) -> bool:
    cks = record.results("ck", as_of)
    return bool(cks) and (as_of - cks[-1].taken_on).days <= 90 and cks[-1].value is not None and not record.uln(cks[-1])


def is_unread(record: Record, analyte: str, as_of: dt.date) -> bool:
    return any(r.value is None and (as_of - r.taken_on).days <= 90 for r in record.results(analyte, as_of))


def by_weight(drug: str, route: str) -> bool:
    return route not in steroid.NOT_SYSTEMIC and any(
        r.per is Per.KG and r.phase is Phase.TARGET and route in (r.routes or FORMULARY[drug].routes)
        for r in FORMULARY[drug].ranges
    )


def lacks_weight(record: Record, as_of: dt.date) -> bool:
    stopped = steroid.last_days(record)
    taken = {(c.drug, c.route) for c, _ in in_force(record, set(FORMULARY), as_of)}
    courses = {c.id: c for c in record[Course] if c.id not in stopped or stopped[c.id] >= as_of}
    taken |= {
        (courses[i.course_id].drug, courses[i.course_id].route)
        for i in record[Infusion]
        if i.course_id in courses and 0 <= (as_of - i.given_on).days < 35
    }
    if not any(by_weight(drug, route) for drug, route in taken):
        return False
    return not any(b.weight_kg is not None and 0 <= (as_of - b.measured_on).days <= 90 for b in record[BodySize])


def jumps(record: Record, as_of: dt.date) -> bool:
    """The newest CK is 20 times the one of the sample day before, or a twentieth, and nothing beside it changed."""
    days = sorted({r.taken_on for r in record.results("ck", as_of) if r.value is not None})
    if len(days) < 2 or (as_of - days[-1]).days > 90 or (days[-1] - days[-2]).days > 180:
        return False
    values = {a: [of_day(record, a, day) for day in days[-2:]] for a in ("ck", *BESIDE)}
    if changed(values["ck"]) is None or changed(values["ck"]) < 20:
        return False
    beside = [changed(values[a]) for a in BESIDE if None not in values[a]]
    return bool(beside) and all(c is not None and c < Fraction(3, 2) for c in beside)


def of_day(record: Record, analyte: str, day: dt.date) -> Fraction | None:
    found = [r.value for r in record.results(analyte, day) if r.taken_on == day and r.value is not None]
    return Fraction(found[-1]) if found else None


def changed(pair: list[Fraction | None]) -> Fraction | None:
    low, high = sorted(v for v in pair if v is not None)
    return high / low if low else None
