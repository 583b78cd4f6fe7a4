"""The head of a patient's page: who it is, how they are, and what they take today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clinic.templatetags.days import plain
from common.prepared import prepared
from monitoring import selectors as monitoring
from monitoring.models import BodySize, Booking
from patients import selectors as patients
from patients.models import Patient, RiskFactor
from therapy import dosing
from therapy import selectors as therapy
from therapy.dosing import DoseRow
from therapy.formulary import FORMULARY, Every, Per
from therapy.prednisone_equivalent import as_decimal


@dataclass(frozen=True)
class NowLine:
    """A drug as it is taken today. `per_kg` is said only of drugs dosed by weight a day: 0.2 mg/kg a day of a weekly
    drug would be read as a daily dose.
    """

    line: therapy.TreatmentLine
    per_kg: str


@dataclass(frozen=True)
class Top:
    """`weight` is the newest ever; `per_kg_known` says whether it is recent enough for a dose. `pe_mg` is None where no
    glucocorticoid was ever recorded: that nobody takes one is not known, and 0 would say so.
    """

    header: patients.Header
    risks: Sequence[RiskFactor]
    weight: BodySize | None
    per_kg_known: bool
    lines: Sequence[NowLine]
    pe_mg: Decimal | None
    bookings: Sequence[Booking]

    @property
    def next_booked(self) -> Booking | None:
        return self.bookings[0] if self.bookings else None


def top(patient: Patient, as_of: dt.date, doses: Sequence[DoseRow]) -> Top:
    """Eight queries. `doses` are those of `therapy.selectors.dose_rows`."""
    weight = next(iter(_weights(patient, as_of)), None)
    recent = weight is not None and (as_of - weight.measured_on).days <= monitoring.WEIGHT_HOLDS_DAYS
    return Top(
        header=monitoring.header(patient, as_of),
        risks=_risks(patient, as_of),
        weight=weight,
        per_kg_known=recent,
        lines=[
            NowLine(line, _per_kg(line))
            for line in therapy.treatment_lines(
                doses, as_of, weight.weight_kg if weight is not None and recent else None
            )
        ],
        pe_mg=as_decimal(dosing.pe_on(doses, as_of))
        if any(row.is_systemic_glucocorticoid and row.starts_on <= as_of for row in doses)
        else None,
        bookings=_bookings(patient, as_of),
    )


@prepared
def _weights(patient: Patient, as_of: dt.date) -> QuerySet[BodySize]:
    found = BodySize.objects.current().filter(patient=patient, weight_kg__isnull=False, measured_on__lte=as_of)
    return found.order_by("-measured_on", "-id")[:1]


@prepared
def _risks(patient: Patient, as_of: dt.date) -> QuerySet[RiskFactor]:
    return RiskFactor.objects.active_on(as_of).filter(patient=patient).order_by("starts_on", "id")


@prepared
def _bookings(patient: Patient, as_of: dt.date) -> QuerySet[Booking]:
    found = Booking.objects.current().filter(patient=patient, booked_for__gte=as_of)
    return found.order_by("booked_for", "id")[:6]


def _per_kg(line: therapy.TreatmentLine) -> str:
    drug = FORMULARY.get(line.drug)
    by_weight = drug is not None and any(r.per is Per.KG and r.every is Every.DAY for r in drug.ranges)
    if line.per_kg is None or not by_weight:
        return ""
    return _("%(amount)s %(unit)s/kg a day") % {"amount": plain(line.per_kg), "unit": line.unit}
