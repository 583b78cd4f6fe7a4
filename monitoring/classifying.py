"""The classification criteria applied to what is on record about a patient."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from common.dates import age_on
from monitoring import selectors
from monitoring.scores.classification import BIOPSY_POINTS, POINTS, Classification, Items, classify
from patients.antibodies import POSITIVE_RESULTS
from patients.models import AntibodyResult, ClassificationItems, Patient

ENZYMES = ("ck", "ldh", "ast", "alt")
JO1 = "jo-1"
# What a clinician enters; the rest is worked out from other records.
ENTERED = (
    *(name for name in POINTS if name not in ("anti_jo1", "enzyme_high")),
    "has_biopsy", *BIOPSY_POINTS, "finger_flexor_weakness", "improved_on_treatment",
)  # fmt: skip


@dataclass(frozen=True)
class PatientClassification:
    """`entered` are the items of the latest day, None where none were ever entered; `items` all that was used."""

    entered: ClassificationItems | None
    items: Items
    result: Classification


def classification_of(patient: Patient, as_of: dt.date) -> PatientClassification:
    """The criteria applied to the items of the latest day by `as_of`. Three queries.

    Age is that on the day of the first symptom. Anti-Jo-1 counts once it was positive or strong; only negative or weak
    is "no". An enzyme counts once it was above its limit; "no" needs all four with a limit, and none of them high.
    """
    found = ClassificationItems.objects.current().filter(patient=patient, found_on__lte=as_of)
    entered = found.order_by("-found_on", "-id").first()
    jo1 = AntibodyResult.objects.current().filter(patient=patient, antibody=JO1, taken_on__lte=as_of)
    results = set(jo1.values_list("result", flat=True))
    high = selectors.ever_high(patient, ENZYMES, as_of)
    items = Items(
        age_at_onset=None if patient.onset_on is None else age_on(patient.born_on, patient.onset_on),
        anti_jo1=bool(results & POSITIVE_RESULTS) if results else None,
        enzyme_high=True if any(high.values()) else False if set(high) == set(ENZYMES) else None,
        **({name: getattr(entered, name) for name in ENTERED} if entered else {}),
    )
    return PatientClassification(entered, items, classify(items))
