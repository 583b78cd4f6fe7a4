"""Writing what was looked for and what came of it. Errors name the box of the form, never the patient."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.core.exceptions import ValidationError

from accounts.models import User
from audit import facts
from audit.attribution import action
from monitoring.models import Screening, ScreeningKind
from patients.models import Patient

# What the number of a screening can be: FRAX in percent, a T-score, EAT-10. The others have none.
SCORES = {
    ScreeningKind.FRACTURE_RISK: (Decimal(0), Decimal(100), "the 10-year risk in percent"),
    ScreeningKind.DXA: (Decimal(-10), Decimal(10), "the lowest T-score"),
    ScreeningKind.SWALLOW: (Decimal(0), Decimal(40), "EAT-10"),
}


@action("monitoring.record_screening", "screening recorded")
def record_screening(
    *,
    patient: Patient,
    kind: str,
    done_on: dt.date,
    outcome: str = Screening.Outcome.NOT_STATED,
    score: Decimal | None = None,
    note: str = "",
    by: User,
    now: dt.datetime,
) -> Screening:
    """Something was looked for on a day. One of a kind and day: a second is refused, the first can be corrected."""
    if score is not None:
        limits = SCORES.get(ScreeningKind(kind)) if kind in ScreeningKind.values else None
        if limits is None:
            raise ValidationError({"score": "This screening has no number."})
        low, high, what = limits
        if not low <= score <= high:
            raise ValidationError({"score": f"The number is {what}: from {low} to {high}."})
    facts.hold(patient)
    if Screening.objects.current().filter(patient=patient, kind=kind, done_on=done_on).exists():
        raise ValidationError({"done_on": ValidationError("This is already recorded for that day.", code="exists")})
    return facts.record(
        Screening, patient=patient, kind=kind, done_on=done_on, outcome=outcome, score=score, note=note, by=by, now=now
    )
