"""Core sets: which visit, which enzyme, what the score is, whether it got worse."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

from monitoring.scores import tis, worsening
from tests.naive.record import Assessment, Record

FIVE = ("physician_vas", "patient_vas", "extramuscular_vas", "haq_di", "mmt8")


def has(visit: Assessment, measure: str) -> bool:
    if measure == "mmt8":
        return visit.mmt8_150 is not None or visit.mmt8_80 is not None
    return getattr(visit, measure) is not None


def visits(record: Record, as_of: dt.date) -> list[Assessment]:
    """Assessments with at least one of the five clinical measures, oldest first."""
    found = [a for a in record[Assessment] if a.assessed_on <= as_of and any(has(a, m) for m in FIVE)]
    return sorted(found, key=lambda a: (a.assessed_on, a.id))


def newest_between(record: Record, as_of: dt.date, first: dt.date, last: dt.date) -> Assessment | None:
    found = [v for v in visits(record, as_of) if first <= v.assessed_on <= last]
    return found[-1] if found else None


def baseline_of(record: Record, as_of: dt.date, day0: dt.date) -> Assessment | None:
    return newest_between(record, as_of, day0 - dt.timedelta(28), day0 + dt.timedelta(14))


def enzyme_near(record: Record, as_of: dt.date, name: str, day: dt.date) -> tis.Enzyme | None:
    """The result nearest to the visit, within 28 days either way, with a ULN; of two equally near the later."""
    best: tuple[int, int] | None = None
    chosen = None
    for n, result in enumerate(record.results(name, as_of)):  # oldest first
        uln = record.uln(result)
        distance = abs((result.taken_on - day).days)
        if result.value is None or not uln or distance > 28:
            continue
        if best is None or (distance, -n) < best:
            best, chosen = (distance, -n), tis.Enzyme(name, result.value, uln)
    return chosen


def score(record: Record, as_of: dt.date, baseline: Assessment, follow_up: Assessment) -> tis.Tis:
    candidates = [enzyme_near(record, as_of, name, baseline.assessed_on) for name in tis.ENZYME_RANGES]
    enzyme = tis.choose_enzyme(c for c in candidates if c is not None)
    later = None if enzyme is None else enzyme_near(record, as_of, enzyme.name, follow_up.assessed_on)
    before, after = ((_decimal(v.mmt8_150), _decimal(v.mmt8_80)) for v in (baseline, follow_up))
    mmt_before, mmt_after = tis.comparable_mmt8(before, after)
    return tis.total_improvement_score(
        tis.CoreSet(baseline.physician_vas, baseline.patient_vas, baseline.haq_di, mmt_before, enzyme,
                    baseline.extramuscular_vas),
        tis.CoreSet(follow_up.physician_vas, follow_up.patient_vas, follow_up.haq_di, mmt_after, later,
                    follow_up.extramuscular_vas),
    )  # fmt: skip


def _decimal(number: int | None) -> Decimal | None:
    return None if number is None else Decimal(number)


def deterioration(record: Record, as_of: dt.date, since: dt.date | None) -> worsening.Deterioration:
    """Whether the newest visits since `since` (None: all) are worse than the best before them."""
    return worsening.assess(
        [
            worsening.Visit(
                v.assessed_on, v.physician_vas, v.patient_vas, v.haq_di, v.mmt8_150, v.mmt8_80, v.extramuscular_vas
            )
            for v in visits(record, as_of)
        ],
        since,
    )


def below(total: tis.Tis, threshold: int) -> bool | None:
    return total.below(Decimal(threshold))


def fraction(number: Decimal | None) -> Fraction | None:
    return None if number is None else Fraction(number)
