"""Several tests for several people at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Centre, User
from audit.attribution import action
from monitoring.actions import book_test
from monitoring.models import Booking
from patients.models import Patient


@action("monitoring.book_tests", "tests booked")
def book_tests(
    *,
    centre: Centre,
    patients: Sequence[Patient],
    kinds: Sequence[str],
    booked_for: dt.date,
    by: User,
    now: dt.datetime,
) -> list[Booking]:
    """Every one of `kinds` for every one of `patients` on one day; what is booked for that day is left as it is.

    All of it or, where one is refused, nothing.
    """
    if any(patient.centre_id != centre.pk for patient in patients):
        raise ValidationError(_("Somebody of another centre is among them."))
    there = set(
        Booking.objects.current()
        .filter(patient__in=patients, kind__in=kinds, booked_for=booked_for)
        .values_list("patient_id", "kind")
    )
    # In one order for everybody, so that two who book never wait for each other in a circle.
    return [
        book_test(patient=patient, kind=kind, booked_for=booked_for, by=by, now=now)
        for patient in sorted(patients, key=lambda patient: patient.pk)
        for kind in kinds
        if (patient.pk, kind) not in there
    ]
