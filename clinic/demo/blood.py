"""Results of blood tests over the years."""

from __future__ import annotations

import datetime as dt
import math
import random
from decimal import Decimal

from clinic.demo.cases import ORDINARY, Case, N, P
from clinic.demo.teller import Teller, visits
from monitoring.analytes import ANALYTES
from monitoring.models import Confounder, PersonalBaseline, Result
from patients.models import Sex, Subtype

FALLING = {58: 7.4, 40: 6.4, 22: 5.5, 4: 4.9}  # white cells by days ago
# What has been found beyond a limit once, and was well again in the next sample. Nobody's newest result.
BEYOND: tuple[dict[str, float], ...] = ({"alt": 168, "ast": 131, "ggt": 190}, {"wbc": 3.0, "neutrophils": 1.2})
BEYOND_UNTIL = 30  # days ago


def blood(t: Teller, case: Case, until: int) -> None:
    """A panel every six weeks, closer at first. Creatine kinase by the case, the rest around it."""
    dice = t.dice
    limit = 145 if t.who.sex == Sex.FEMALE else 190
    peak = dice.uniform(9, 30) * limit if case.subtype in (N, P) else dice.uniform(3, 12) * limit
    rest = limit * dice.uniform(0.45, 0.8)
    if case.ck == "high-stable" or case.subtype == Subtype.INCLUSION_BODY:
        peak = rest = limit * dice.uniform(2.5, 4)
    if case.subtype == Subtype.AMYOPATHIC:
        peak = rest
    if case.response == "poor":
        rest = limit * dice.uniform(1.6, 2.4)
    days = sorted(visits(case.diagnosed, 42, until), reverse=True)
    if case.status == "active":
        days = [d for d in days if d > max(60, until)] + [d for d in (58, 40, 22, 4) if until < d < case.diagnosed]
    usual = counts(dice)
    if case.story == ORDINARY:
        days = with_lapses(dice, days)
        if case.ck == "settled":
            later = dice.randint(0, 13)  # not everybody of a clinic comes in the same week
            days = [ago + later for ago in days if ago + later <= case.diagnosed]
    for ago in days:
        fall = math.exp(-(case.diagnosed - ago) / 45)
        value = (rest + (peak - rest) * fall) * dice.lognormvariate(0, 0.07)
        value *= rise(case.ck, ago)
        muscle = max(value / limit, 0.5)
        settled = case.ck in ("rising", "surging") and 22 < ago <= 150
        if settled:
            value = min(value, limit * 0.95)
        found = {"wbc": FALLING[ago]} if case.story == "falling-counts" and ago in FALLING else {}
        if case.story == ORDINARY and ago > BEYOND_UNTIL and dice.random() < 0.11:
            found = dice.choice(BEYOND)
        chemistry(t, ago, value, limit, muscle, usual, **found)
    if case.ck == "confounded":
        t.note(Confounder, t.day(6), kind="exercise", happened_on=t.day(6), note="Mountain hike")
    if case.ck == "high-stable" and dice.random() < 0.5:
        day = t.day(120)
        t.note(
            PersonalBaseline, day, analyte="ck", value=Decimal(round(rest)), set_on=day,
            reason="Stable for years: this is her or his usual value",
        )  # fmt: skip


def with_lapses(dice: random.Random, days: list[int]) -> list[int]:
    """Some samples are missed, two or three in a row. The newest are all taken: nobody is waited for today."""
    kept, missed = [], 0
    for ago in days:
        if ago > 100 and missed == 0 and dice.random() < 0.16:
            missed = dice.randint(2, 3)
        if ago > 100 and missed > 0:
            missed -= 1
        else:
            kept.append(ago)
    return kept


def rise(how: str, ago: int) -> float:
    """By how much the newest creatine kinases exceed what they would have been."""
    factors = {
        "rising": ((5, 3.4), (23, 1.7)),
        "surging": ((5, 14.0), (23, 4.0)),
        "confounded": ((5, 2.9),),
        "creeping": ((5, 1.9), (23, 1.35)),
    }
    for until, factor in factors.get(how, ()):
        if ago <= until:
            return factor
    return 1.0


def counts(dice: random.Random) -> dict[str, float]:
    """What is usual for one person, around which the results of years lie."""
    return {
        "creatinine": dice.uniform(55, 84), "haemoglobin": dice.uniform(122, 150), "wbc": dice.uniform(5.5, 8.8),
        "neutrophils": dice.uniform(3.2, 5.8), "platelets": dice.uniform(200, 330), "albumin": dice.uniform(39, 45),
    }  # fmt: skip


def chemistry(
    t: Teller, ago: int, ck: float, ck_limit: int, muscle: float, usual: dict[str, float], **found: float
) -> None:
    """One panel. `found` replaces what would have been measured."""
    dice = t.dice

    def about(analyte: str, digits: int | None = None) -> float:
        return round(usual[analyte] * dice.uniform(0.95, 1.05), digits)

    values = {
        "ck": (round(ck), ck_limit, 20, "U/L"),
        "alt": (round(22 + 7 * muscle * dice.uniform(0.8, 1.2)), 40, 5, "U/L"),
        "ast": (round(20 + 8 * muscle * dice.uniform(0.8, 1.2)), 40, 5, "U/L"),
        "ldh": (round(180 + 22 * muscle * dice.uniform(0.9, 1.1)), 250, 120, "U/L"),
        "ggt": (dice.randint(14, 48), 60, 5, "U/L"),
        "bilirubin": (dice.randint(5, 14), 21, None, "umol/L"),
        "creatinine": (about("creatinine"), 100, 45, "umol/L"),
        "haemoglobin": (about("haemoglobin"), 165, 115, "g/L"),
        "wbc": (about("wbc", 1), 11, 4, "10*9/L"),
        "neutrophils": (about("neutrophils", 1), 7.5, 1.8, "10*9/L"),
        "platelets": (about("platelets"), 400, 150, "10*9/L"),
        "albumin": (about("albumin"), 50, 35, "g/L"),
        "crp": (round(dice.uniform(0.6, 7), 1), 5, None, "mg/L"),
    }
    day = t.day(ago)
    at = dt.datetime.combine(day, dt.time(8, dice.randint(0, 59)), tzinfo=t.centre.zone)
    for analyte, (usually, uln, low, unit) in values.items():
        value = found.get(analyte, usually)
        assert ANALYTES[analyte].canonical_unit == unit, analyte
        t.note(
            Result, day, analyte=analyte, value=Decimal(str(value)), uln=Decimal(str(uln)),
            low=None if low is None else Decimal(str(low)), value_received=str(value), unit_received=unit,
            uln_received=str(uln), low_received="" if low is None else str(low), taken_on=day,
            taken_at=min(at, t.moment(day)), laboratory="Central Laboratory",
        )  # fmt: skip
