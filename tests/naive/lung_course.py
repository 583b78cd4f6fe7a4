"""`ild-progression` and `ild-rapid`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from fractions import Fraction

from tests.naive import lungs
from tests.naive.record import Imaging, LungFunction, Record, Result, Said
from tests.naive.swallowing import has_now


def tests_of(record: Record, as_of: dt.date) -> list[LungFunction]:
    """Oldest first; of one day in order of entry."""
    return sorted((t for t in record[LungFunction] if t.tested_on <= as_of), key=lambda t: (t.tested_on, t.id))


FVC = ("fvc_l", "fvc_percent_predicted")
DLCO = ("dlco_percent_predicted",)


def pair(
    tests: list[LungFunction],
    quantity: tuple[str, ...],
    name: str,
    as_of: dt.date,
    age: int,
    back: int,
    alike: Callable[[LungFunction, LungFunction], bool] = lambda a, b: True,
) -> tuple[Fraction, Fraction] | None:
    """A measure of the newest test of the quantity, and the best of the days before that may be compared with it."""
    having = [t for t in tests if any(getattr(t, n) is not None for n in quantity)]
    if not having or (as_of - having[-1].tested_on).days > age or getattr(having[-1], name) is None:
        return None
    newest = having[-1]
    before = [
        Fraction(getattr(t, name))
        for t in having
        if getattr(t, name) is not None and 0 < (newest.tested_on - t.tested_on).days <= back and alike(t, newest)
    ]
    return (Fraction(getattr(newest, name)), max(before)) if before else None


def same_set(a: LungFunction, b: LungFunction) -> bool:
    return a.reference_set.strip().lower() == b.reference_set.strip().lower()


def same_hb(a: LungFunction, b: LungFunction) -> bool:
    return same_set(a, b) and a.dlco_hb_corrected == b.dlco_hb_corrected


def fell(values: tuple[Fraction, Fraction] | None, percent: int) -> bool:
    return values is not None and values[1] > 0 and (values[1] - values[0]) * 100 >= percent * values[1]


def progression(record: Record, as_of: dt.date) -> list[Said]:
    known = lungs.known_since(record, as_of)
    if known is None:
        return []
    tests = tests_of(record, as_of)
    percent = pair(tests, FVC, "fvc_percent_predicted", as_of, 365, 365, same_set)
    litres = pair(tests, FVC, "fvc_l", as_of, 365, 365)
    dlco = pair(tests, DLCO, "dlco_percent_predicted", as_of, 365, 365, same_hb)
    criteria = 0
    if (percent and percent[1] - percent[0] >= 5) or (dlco and dlco[1] - dlco[0] >= 10):
        criteria += 1
    if any(
        known < m.onset_on and (as_of - m.onset_on).days <= 365
        for kind in ("dyspnoea", "cough", "oxygen")
        for m in has_now(record, kind, as_of)
    ):
        criteria += 1
    scans = sorted(
        (i.done_on, i.id, i.progression)
        for i in record[Imaging]
        if i.modality in ("hrct", "ct_chest") and i.progression != "not_stated" and i.done_on <= as_of
    )
    if scans and scans[-1][2] == "yes" and (as_of - scans[-1][0]).days <= 365:
        criteria += 1
    missing = dlco is None or (percent is None and litres is None)
    if criteria >= 2 or fell(litres or percent, 10) or fell(dlco, 15):
        return [Said("patient", "ACTION")]  # nothing that is missing could make it worse
    if criteria or missing:
        return [Said("patient", "INFO" if criteria else None, None, missing)]
    return []


def newest_within(record: Record, analyte: str, as_of: dt.date, age: int) -> Result | None:
    results = record.results(analyte, as_of)
    return results[-1] if results and (as_of - results[-1].taken_on).days <= age else None


def before(record: Record, newest: Result, age: int) -> list[Fraction]:
    """Values of earlier days, at most so many before it."""
    return [
        Fraction(r.value)
        for r in record.results(newest.analyte, newest.taken_on)
        if r.value is not None and 0 < (newest.taken_on - r.taken_on).days <= age
    ]


def rapid(record: Record, as_of: dt.date) -> list[Said]:
    urgent = missing = False
    spo2 = newest_within(record, "spo2", as_of, 30)
    if spo2 is not None:
        if spo2.value is None:
            missing = True
        else:
            urgent |= spo2.value < 90 or any(v - Fraction(spo2.value) >= 4 for v in before(record, spo2, 30))
    urgent |= any((as_of - m.onset_on).days <= 90 for m in has_now(record, "oxygen", as_of))
    tests = tests_of(record, as_of)
    litres = pair(tests, FVC, "fvc_l", as_of, 90, 90)
    percent = pair(tests, FVC, "fvc_percent_predicted", as_of, 90, 90, same_set)
    urgent |= bool(has_now(record, "dyspnoea", as_of)) and fell(litres or percent, 10)
    if record.positive({"mda5"}, as_of):
        urgent |= any(
            (as_of - m.onset_on).days <= 90 for kind in ("dyspnoea", "cough") for m in has_now(record, kind, as_of)
        )
        for analyte, is_high, ratio, is_high_enough in (
            ("ferritin", lambda v: v >= 500, 2, lambda v: v >= 200),
            ("kl6", lambda v: v > 1000, Fraction(3, 2), lambda v: v > 500),
        ):
            newest = newest_within(record, analyte, as_of, 90)
            if newest is None:
                continue
            if newest.value is None:
                missing = True
                continue
            earlier = [v for v in before(record, newest, 90) if v > 0]
            rose = bool(earlier) and Fraction(newest.value) >= ratio * min(earlier)
            urgent |= is_high(newest.value) or (rose and is_high_enough(newest.value))
    if urgent or missing:
        return [Said("patient", "URGENT" if urgent else None, None, missing)]
    return []
