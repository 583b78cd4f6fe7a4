"""The rules about blood tests of drugs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

from tests.naive import steroid
from tests.naive.record import Course, CourseStop, Dose, Infusion, Record, Result, Said, days

HORIZON = 28
MONITORED = {
    "methotrexate", "azathioprine", "mycophenolate-mofetil", "tacrolimus", "ciclosporin", "cyclophosphamide",
    "tofacitinib", "baricitinib",
}  # fmt: skip
AT_MOST = {"tacrolimus": 28, "ciclosporin": 28}
COUNT = ("haemoglobin", "wbc", "neutrophils", "platelets")
RENAL = ("creatinine", "egfr", "egfr-2009", "egfr-mdrd")
# A test is done on a day on which one of each group was measured.
TESTS = {"count": [(a,) for a in COUNT], "renal": [RENAL], "liver": [("alt", "ast")], "albumin": [("albumin",)]}
ALSO = {
    "potassium": [("potassium",)],
    "glucose": [("glucose", "glucose-fasting")],
    "pressure": [("systolic",), ("diastolic",)],
}
INFUSION_DAYS = 28


def spans(record: Record, as_of: dt.date, drug: str) -> tuple[dt.date, dt.date] | None:
    """The day the present dose began, and the last day on which the drug counts as taken; None where it never was.

    It began on the first day, on a day of a rise, or on the first after more than 28 days without. What is given into
    a vein counts for 28 days; infusions are compared with infusions, and lasting doses with lasting doses. An infusion
    above what is prescribed for the days around it is compared with the infusion before.
    """
    key = ("spans", drug, as_of)
    if key not in record.cache:
        record.cache[key] = None
        if any(c.drug == drug for c in record[Course]):
            lasting = steroid.daily(record, as_of, {drug: Fraction(1)}, pulses=False)
            everything = steroid.daily(record, as_of, {drug: Fraction(1)})
            infused = {day: amount for day, amount in everything.items() if day not in lasting}
            lasting = {day: everything[day] for day in lasting}
            began, until = [], []
            for taken, stays in ((lasting, 0), (infused, INFUSION_DAYS - 1)):
                before = last_alone = None
                for day in sorted(taken):
                    alone = stays > 0 and taken[day] not in (taken.get(day - days(1)), taken.get(day + days(1)))
                    if alone:
                        before, last_alone = last_alone, day
                    gap = 0 if before is None else (day - before).days - 1 - stays
                    if before is None or gap > 28 or taken[day] > taken[before]:
                        began.append(day)
                    before = day
                if before is not None:
                    until.append(before + days(stays))
            if began:
                record.cache[key] = max(began), max(until)
    return record.cache[key]


def last_done(record: Record, as_of: dt.date, groups: list[tuple[str, ...]]) -> dt.date | None:
    done = [{r.taken_on for analyte in group for r in record.results(analyte, as_of)} for group in groups]
    return max(set.intersection(*done), default=None)


def overdue(record: Record, as_of: dt.date) -> list[Said]:
    dues: list[tuple[bool, bool, dt.date]] = []
    for drug in MONITORED:
        span = spans(record, as_of, drug)
        if span is None or span[1] < as_of:
            continue
        began = span[0]
        for groups in [*TESTS.values(), *(ALSO.values() if drug in AT_MOST else [])]:
            last = last_done(record, as_of, groups)
            if last is None or last <= began:
                interval, due = 14, began + days(14)
            else:
                age = (last - began).days
                interval = min(14 if age < 42 else 28 if age < 126 else 84, AT_MOST.get(drug, 84))
                due = last + days(interval)
            grace = 3 if interval <= 14 else 7 if interval <= 28 else 14
            late = (as_of - due).days
            dues.append((late > grace, late > 2 * interval, due))
    late_ones = [d for d in dues if d[0]]
    undosed = any(is_undosed(record, course) and spans(record, as_of, course.drug) is None for course in record[Course])
    if late_ones:
        level = "ACTION" if any(severe for _, severe, _ in late_ones) else "TASK"
        return [Said("patient", level, min(due for _, _, due in late_ones), undosed)]
    soon = min((due for _, _, due in dues), default=None)
    if soon is not None and soon <= as_of + days(HORIZON):
        return [Said("patient", None, soon, undosed)]
    return [Said("patient", missing=True)] if undosed else []


def is_undosed(record: Record, course: Course) -> bool:
    """On the record as a course, and not since when and how much."""
    return (
        course.drug in MONITORED
        and course.route not in steroid.NOT_SYSTEMIC
        and not any(x.course_id == course.id for kind in (Dose, Infusion, CourseStop) for x in record[kind])
    )


# -------------------------------------------------------------------------------------------------------- limits

BELOW = {
    "wbc": ("3.5", "2.0"), "neutrophils": ("1.6", "1.0"), "platelets": ("140", "50"), "albumin": ("30", None),
    "egfr": ("60", None), "egfr-2009": ("60", None), "egfr-mdrd": ("60", None),
}  # fmt: skip
ABOVE = {"mcv": "105", "eosinophils": "0.5", "systolic": "140", "diastolic": "90", "alt": "100", "ast": "100"}


def is_watched(record: Record, as_of: dt.date) -> bool:
    """On a monitored drug, or it was stopped in the last 90 days."""
    return any(
        span is not None and (as_of - span[1]).days <= 90 for span in (spans(record, as_of, d) for d in MONITORED)
    )


def action_limit(record: Record, as_of: dt.date) -> list[Said]:
    if not is_watched(record, as_of):
        return []
    said = []
    for analyte in [*BELOW, *ABOVE, "creatinine"]:
        results = record.results(analyte, as_of)
        if not results or (as_of - results[-1].taken_on).days > 90:
            continue
        now = results[-1]
        if now.value is None:
            said.append(Said(f"analyte:{analyte}", missing=True))
            continue
        if analyte == "creatinine":
            level, missing = creatinine(results)
            if level or missing:
                said.append(Said("analyte:creatinine", level, None, missing))
            continue
        level = None
        if analyte in BELOW:
            limit, severe = BELOW[analyte]
            if now.value < Decimal(limit):
                level = "URGENT" if severe and now.value < Decimal(severe) else "ACTION"
        elif now.value > Decimal(ABOVE[analyte]):
            level = transaminase(record, now) if analyte in ("alt", "ast") else "ACTION"
        if level:
            said.append(Said(f"analyte:{analyte}", level, None, analyte in ("alt", "ast") and lacks_limit(record, now)))
    return said


def lacks_limit(record: Record, now: Result) -> bool:
    """A value that the judgement of an ALT or AST compares with its limit has none."""
    ck, ggt, bilirubin = (of_day(record, a, now.taken_on) for a in ("ck", "ggt", "bilirubin"))
    if any(r is not None and not record.uln(r) for r in (ck, ggt, bilirubin)):
        return True
    is_jaundiced = bilirubin is not None and bilirubin.value > (record.uln(bilirubin) or bilirubin.value)
    return now.analyte == "alt" and is_jaundiced and not record.uln(now)


def creatinine(results: list[Result]) -> tuple[str | None, bool]:
    now = results[-1]
    earlier = [
        ((now.taken_on - r.taken_on).days, Fraction(r.value))
        for r in results
        if r.value is not None and r.taken_on < now.taken_on
    ]
    week = [v for age, v in earlier if age <= 7]
    year = [v for age, v in earlier if age <= 365]
    value = Fraction(now.value)
    if week and min(week) > 0 and value >= min(week) * Fraction(3, 2):
        return "URGENT", min(year) == 0
    if year and min(year) == 0:
        return None, value > 0
    if year and value > min(year) * Fraction(13, 10):
        return "ACTION", False
    return None, False


def of_day(record: Record, analyte: str, day: dt.date) -> Result | None:
    """The latest of that day, where it is a number."""
    found = [r for r in record.results(analyte, day) if r.taken_on == day]
    return found[-1] if found and found[-1].value is not None else None


def transaminase(record: Record, now: Result) -> str:
    day = now.taken_on
    alt, ck, ggt, bilirubin = (of_day(record, a, day) for a in ("alt", "ck", "ggt", "bilirubin"))

    def raised(result: Result | None) -> bool | None:
        uln = None if result is None else record.uln(result)
        return None if not uln else result.value > uln

    if now.analyte == "alt" and raised(bilirubin):
        uln = record.uln(now)
        if uln and now.value > 5 * uln:
            return "URGENT"
    if alt is not None and ck is not None:
        for n in range(1, 91):
            before_alt, before_ck = (of_day(record, a, day - days(n)) for a in ("alt", "ck"))
            if before_alt is not None and before_ck is not None:
                if alt.value > before_alt.value and ck.value < before_ck.value:
                    return "ACTION"
                break
    looks_like_muscle = (
        alt is not None
        and ck is not None
        and raised(ck) is True
        and Fraction(alt.value) <= Fraction(3, 2) * (Fraction(ck.value) + Fraction("136.23")) / Fraction("12.66")
    )
    if not looks_like_muscle or raised(ggt) or raised(bilirubin):
        return "ACTION"
    return "TASK" if raised(ggt) is None or raised(bilirubin) is None else "INFO"


def drifting(record: Record, as_of: dt.date) -> list[Said]:
    """Three falls in a row of four sample days, a quarter in all, still within the limit."""
    if not is_watched(record, as_of):
        return []
    said = []
    for analyte, (limit, _) in BELOW.items():
        results = record.results(analyte, as_of)
        if not results or (as_of - results[-1].taken_on).days > 90:
            continue
        if results[-1].value is None:
            said.append(Said(f"analyte:{analyte}", missing=True))
            continue
        by_day = {r.taken_on: r.value for r in results if r.value is not None and (as_of - r.taken_on).days <= 365}
        four = [by_day[day] for day in sorted(by_day)][-4:]
        falls = len(four) == 4 and four[0] > four[1] > four[2] > four[3]
        if falls and (four[0] - four[3]) * 4 >= four[0] and four[3] >= Decimal(limit):
            said.append(Said(f"analyte:{analyte}", "INFO"))
    return said
