"""`second-line-review` and `core-set-incomplete`."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from monitoring.scores.worsening import Status
from tests.naive import steroid, visits
from tests.naive.record import Assessment, BodySize, Course, CourseStop, Infusion, Record, Said, days

FIRST_LINE = {"methotrexate", "azathioprine", "mycophenolate-mofetil"}


def weight_near(record: Record, as_of: dt.date, day: dt.date) -> Fraction | None:
    """Nearest to the day, within 90 days; of two equally near the earlier; of one day the later entry."""
    found = [
        (abs((b.measured_on - day).days), b.measured_on, -b.id, b.weight_kg)
        for b in record[BodySize]
        if b.weight_kg is not None and b.measured_on <= as_of and abs((b.measured_on - day).days) <= 90
    ]
    return Fraction(min(found)[3]) if found else None


def adequate(record: Record, as_of: dt.date, day0: dt.date) -> bool | None:
    """None where it needs a weight that nobody measured."""
    weight = weight_near(record, as_of, day0)
    pe = steroid.by_day(record, as_of)
    steroid_enough: bool | None
    if weight is None:
        steroid_enough = None if steroid.runs_at_least(pe, Fraction(1, 10**9), day0) >= 28 else False
    else:
        steroid_enough = steroid.runs_at_least(pe, weight / 2, day0) >= 28
    if steroid_enough is False:
        return False

    def long_enough(drug: str, least: Fraction) -> bool:
        return steroid.runs_at_least(steroid.daily(record, as_of, {drug: Fraction(1)}), least, day0) >= 56

    agent: bool | None = long_enough("methotrexate", Fraction(15, 7)) or long_enough(
        "mycophenolate-mofetil", Fraction(2000)
    )
    if not agent:
        if weight is None:
            agent = None if long_enough("azathioprine", Fraction(1, 10**9)) else False
        else:
            agent = long_enough("azathioprine", weight)
    if agent is False:
        return False
    return True if agent and steroid_enough else None


def response_day(record: Record, as_of: dt.date) -> int:
    return 56 if record.subtype == "necrotising" or record.positive({"mda5"}, as_of) else 84


def is_quiet(record: Record, as_of: dt.date, day0: dt.date | None) -> bool:
    """After a rituximab cycle began, and after the first immunoglobulin of the episode."""
    drug = {c.id: c.drug for c in record[Course]}
    given = sorted(i.given_on for i in record[Infusion] if i.given_on <= as_of and drug.get(i.course_id) == "rituximab")
    cycle = None
    for day in given:
        if cycle is None or (day - cycle).days > 28:
            cycle = day
    if cycle is not None and (as_of - cycle).days < 168:
        return True
    if day0 is None:
        return False
    ivig = [i.given_on for i in record[Infusion] if day0 <= i.given_on <= as_of and drug.get(i.course_id) == "ivig"]
    return bool(ivig) and (as_of - min(ivig)).days < 112


def confirmed_deterioration(record: Record, as_of: dt.date, day0: dt.date) -> bool:
    baseline = visits.baseline_of(record, as_of, day0)
    judged = visits.deterioration(record, as_of, baseline.assessed_on if baseline is not None else None)
    if judged.status is not Status.CONFIRMED:
        return False
    return all(j.visit.day >= day0 for j in judged.judgements[-2:])


def review(record: Record, as_of: dt.date) -> list[Said]:
    return _both(record, as_of)[0]


def core_set_incomplete(record: Record, as_of: dt.date) -> list[Said]:
    return _both(record, as_of)[1]


def _both(record: Record, as_of: dt.date) -> tuple[list[Said], list[Said]]:
    key = ("second line", as_of)
    if key not in record.cache:
        record.cache[key] = _judge(record, as_of)
    return record.cache[key]


def _judge(record: Record, as_of: dt.date) -> tuple[list[Said], list[Said]]:
    pe = steroid.by_day(record, as_of)
    if record.subtype == "inclusion_body" or not pe:
        return [], []
    present = steroid.episode(record, as_of)
    day0 = present[0] if present else None
    reasons = set()
    missing = False
    incomplete = False
    drug = {c.id: c.drug for c in record[Course]}
    if any(
        s.reason == "toxicity" and drug.get(s.course_id) in FIRST_LINE and 0 <= (as_of - s.stopped_on).days <= 180
        for s in record[CourseStop]
    ):
        reasons.add("intolerant")
    if day0 is not None:
        age = (as_of - day0).days
        if confirmed_deterioration(record, as_of, day0):
            reasons.add("deterioration")
        if age >= 168 and pe.get(as_of, 0) > 10:
            reasons.add("dependent")
        rises = [
            day
            for day, by in steroid.rises(pe, steroid.by_day(record, as_of, pulses=False))
            if by >= Fraction(5, 2) and (day - day0).days > 56 and (as_of - day).days <= 365
        ]
        if len(rises) >= 2:
            reasons.add("dependent")
        asked = [(at, limit) for at, limit in ((response_day(record, as_of), 20), (168, 40)) if age >= at]
        if asked:
            enough = adequate(record, as_of, day0)
            if enough is not False:
                baseline = visits.baseline_of(record, as_of, day0)
                follow_up = visits.newest_between(record, as_of, max(day0 + days(42), as_of - days(84)), as_of)
                if baseline is None:
                    missing = True
                elif follow_up is None:
                    incomplete, missing = enough is True, enough is None
                else:
                    total = visits.score(record, as_of, baseline, follow_up)
                    below = [visits.below(total, limit) for _, limit in asked]
                    if enough and any(below):
                        reasons.add("response")  # one of the two is enough to speak, the other need not be known
                    elif enough is None:
                        missing = any(b is not False for b in below)
                    elif None in below:
                        incomplete, missing = _lacking(record, as_of, baseline, follow_up)
    if is_quiet(record, as_of, day0) and "deterioration" not in reasons:
        return [], []
    said = []
    if reasons or missing:
        said.append(Said("patient", "ACTION" if reasons else None, None, missing))
    return said, [Said("patient", "TASK")] if incomplete else []


def _lacking(record: Record, as_of: dt.date, baseline: Assessment, follow_up: Assessment) -> tuple[bool, bool]:
    """Whether the follow-up lacks a measure that the baseline has, and whether the baseline lacks one."""
    why = [m.why_missing for m in visits.score(record, as_of, baseline, follow_up).measures if m.points is None]
    then = any("baseline" in text and text.startswith("not") for text in why)
    now = any("baseline" not in text or not text.startswith("not") for text in why)
    return now, then and not now  # what can be completed is asked for; what cannot is a gap of the record
