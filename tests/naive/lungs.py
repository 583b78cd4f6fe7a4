"""The rules about the lungs."""

from __future__ import annotations

import datetime as dt

from tests.naive.record import (
    Booking,
    Imaging,
    LungFunction,
    Manifestation,
    Record,
    Said,
    Waiver,
    days,
    in_force,
)

HORIZON = 28
ANTISYNTHETASE = {"jo-1", "pl-7", "pl-12", "ej", "oj", "ks", "ha", "zo"}


def known_since(record: Record, as_of: dt.date) -> dt.date | None:
    """The day interstitial lung disease was diagnosed or first seen on HRCT."""
    found = [m.onset_on for m in record[Manifestation] if m.kind == "ild"]
    found += [i.done_on for i in record[Imaging] if i.modality == "hrct" and i.ild == "present"]
    return min((day for day in found if day <= as_of), default=None)


def urgent_risk(record: Record, as_of: dt.date) -> bool:
    return record.subtype == "antisynthetase" or record.positive(ANTISYNTHETASE | {"mda5"}, as_of)


def at_risk(record: Record, as_of: dt.date) -> bool:
    signs = ("mechanics_hands", "arthritis", "ulceration")
    return (
        urgent_risk(record, as_of)
        or record.positive({"ku", "pm-scl", "ro52"}, as_of)
        or any(m.kind in signs and m.onset_on <= as_of for m in record[Manifestation])
    )


def full_tests(record: Record, as_of: dt.date) -> list[dt.date]:
    """Days of a full lung function: spirometry and DLCO within 7 days of each other, on the later day."""
    tests = [t for t in record[LungFunction] if t.tested_on <= as_of]
    spirometry = [t.tested_on for t in tests if t.fvc_l is not None or t.fvc_percent_predicted is not None]
    diffusion = [t.tested_on for t in tests if t.dlco_percent_predicted is not None]
    return [max(a, b) for a in spirometry for b in diffusion if abs((a - b).days) <= 7]


def screening_gap(record: Record, as_of: dt.date) -> list[Said]:
    known, risk, urgent = known_since(record, as_of), at_risk(record, as_of), urgent_risk(record, as_of)
    if record.subtype == "inclusion_body" and known is None and not risk:
        return []
    if record.diagnosed_on is None:
        return [Said("patient", missing=True)]
    diagnosed = record.diagnosed_on
    waived = {w.test for w in record[Waiver] if in_force(as_of, w.starts_on, w.ends_on)}
    booked = {b.kind for b in record[Booking] if as_of <= b.booked_for <= as_of + days(30)}
    since = diagnosed - days(180)
    pfts = full_tests(record, as_of)
    hrcts = [
        i.done_on
        for i in record[Imaging]
        if i.modality == "hrct" and i.ild in ("present", "absent", "indeterminate") and i.done_on <= as_of
    ]
    wanted = set()
    if not any(day >= since for day in pfts):
        wanted.add("pft")
    if not any(day >= since for day in hrcts):
        wanted.add("hrct")
    wanted -= waived
    if wanted:
        due = diagnosed + days(14 if urgent else 84)
    elif "pft" in waived or not pfts:
        return []
    else:
        wanted = {"pft"}
        latest = max(pfts)
        if known is not None:
            due = latest + days(183 if (latest - known).days <= 365 else 365)
        elif risk:
            due = latest + days(183 if (latest - diagnosed).days <= 365 else 365)
            end = diagnosed + days(1461)
            if as_of > end or due > end:
                return []
        else:
            return []
    late = (as_of - due).days
    if late <= 0:
        return [Said("patient", None, due)] if due <= as_of + days(HORIZON) else []
    if wanted <= booked:
        return [Said("patient", "INFO", due)]
    return [Said("patient", "ACTION" if late >= (14 if urgent else 90) else "TASK", due)]
