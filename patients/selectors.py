"""Named questions about people: finding them, telling them apart, and what stands at the head of their page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from accounts.models import Centre
from patients.antibodies import ANTIBODIES, POSITIVE_RESULTS
from patients.models import (
    AntibodyResult,
    Consent,
    FollowUpStatus,
    Manifestation,
    ManifestationKind,
    Patient,
    RuleException,
)

FOUND_AT_MOST = 20


def _begins_with(text: str) -> Q:
    # istartswith compares UPPER(column), which is what the indexes of the search hold.
    return Q(family_name__istartswith=text) | Q(given_name__istartswith=text) | Q(record_number__istartswith=text)


def matching(centre: Centre, text: str) -> QuerySet[Patient]:
    """The centre's patients whose family name, given name or number begins with `text`, in order of name.

    Of several words each must begin one of them, so "Family, Given" and "Given Family" both find; a name of several
    words is found by its own beginning too. An empty text finds nobody.
    """
    text = text.replace("\x00", "")  # PostgreSQL refuses it, and no name holds it
    words = text.replace(",", " ").split()
    if not words:
        return Patient.objects.none()
    every_word = Q()
    for word in words:
        every_word &= _begins_with(word)
    return centre.patients.filter(every_word | _begins_with(" ".join(words))).order_by(
        "family_name", "given_name", "id"
    )


def search(centre: Centre, text: str, limit: int = FOUND_AT_MOST) -> list[Patient]:
    """At most `limit` of `matching`, for a box that searches as one types."""
    return list(matching(centre, text)[:limit])


def duplicates(
    centre: Centre,
    *,
    record_number: str = "",
    family_name: str = "",
    given_name: str = "",
    born_on: dt.date | None = None,
    limit: int = FOUND_AT_MOST,
) -> list[Patient]:
    """Who may already be the person being registered: the same number, the same whole name, or the same family or
    given name and day of birth. Names are compared without regard to case; what is empty is not compared.
    """
    same = Q()
    number, family, given = record_number.strip(), family_name.strip(), given_name.strip()
    if number:
        same |= Q(record_number__iexact=number)
    if family and given:
        same |= Q(family_name__iexact=family, given_name__iexact=given)
    if born_on is not None:
        if family:
            same |= Q(family_name__iexact=family, born_on=born_on)
        if given:
            same |= Q(given_name__iexact=given, born_on=born_on)
    if not same:
        return []
    return list(centre.patients.filter(same).order_by("family_name", "given_name", "id")[:limit])


def version(patient: Patient) -> int:
    """A number that changes whenever the patient's details do: what a form was filled from, `change_patient` compares.

    0 where the row has no history (it has from its first moment).
    """
    row: Any = patient  # row history adds `events` when the app starts
    newest = row.events.order_by("-pgh_id").values_list("pgh_id", flat=True).first()
    return newest or 0


def follow_up_on(patient: Patient, day: dt.date) -> FollowUpStatus | None:
    """The status in force on `day`. None: none was ever recorded, which counts as under follow-up."""
    return (
        FollowUpStatus.objects.current()
        .filter(patient=patient, starts_on__lte=day)
        .order_by("-starts_on", "-id")
        .first()
    )


def with_follow_up(patients: QuerySet[Patient], day: dt.date) -> QuerySet[Patient]:
    """Adds `follow_up` to each: the word of the status in force on `day`, NULL where none was recorded."""
    newest = (
        FollowUpStatus.objects.current()
        .filter(patient=OuterRef("pk"), starts_on__lte=day)
        .order_by("-starts_on", "-id")
        .values("word")[:1]
    )
    return patients.annotate(follow_up=Subquery(newest))


@dataclass(frozen=True)
class PositiveAntibody:
    """An antibody that was ever positive. `first_on` is its first positive day; `latest` the newest result's word."""

    code: str
    name: str
    first_on: dt.date
    latest: str
    latest_on: dt.date


def antibodies_ever_positive(patient: Patient, as_of: dt.date) -> list[PositiveAntibody]:
    """Those with any current positive or strong result. A weak one does not count; a later negative takes none away."""
    rows = (
        AntibodyResult.objects.current()
        .filter(patient=patient, taken_on__lte=as_of)
        .order_by("taken_on", "id")
        .values_list("antibody", "result", "taken_on")
    )
    first: dict[str, dt.date] = {}
    latest: dict[str, tuple[str, dt.date]] = {}
    for code, result, day in rows:
        latest[code] = (result, day)
        if result in POSITIVE_RESULTS:
            first.setdefault(code, day)
    return [
        PositiveAntibody(code, ANTIBODIES[code].name if code in ANTIBODIES else code, day, *latest[code])
        for code, day in first.items()
    ]


def manifestations_on(patient: Patient, day: dt.date) -> QuerySet[Manifestation]:
    """Organs involved on `day`: begun and not yet ended."""
    return (
        Manifestation.objects.current()
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gte=day), patient=patient, onset_on__lte=day)
        .order_by("onset_on", "id")
    )


def consents_on(patient: Patient, day: dt.date) -> dict[str, Consent]:
    """The decision in force on `day`, by scope. A scope never asked about is absent: unknown is not consent."""
    rows = Consent.objects.current().filter(patient=patient, decided_on__lte=day).order_by("decided_on", "id")
    return {consent.scope: consent for consent in rows}


def exceptions_on(patient: Patient, day: dt.date) -> QuerySet[RuleException]:
    """Rules that are not asked about the patient on `day`, and until when."""
    return RuleException.objects.active_on(day).filter(patient=patient).order_by("rule", F("ends_on").desc())


@dataclass(frozen=True)
class Header:
    """What heads every page of a patient. The weight and the treatment come from the apps that hold them."""

    patient: Patient
    age: int
    follow_up: FollowUpStatus | None
    antibodies: Sequence[PositiveAntibody]
    manifestations: Sequence[Manifestation]
    exceptions: Sequence[RuleException]
    ild_known_since: dt.date | None

    @property
    def followed(self) -> bool:
        return self.follow_up is None or self.follow_up.word == FollowUpStatus.Word.ACTIVE


def header(patient: Patient, as_of: dt.date) -> Header:
    """Four queries, whatever the length of the history.

    `ild_known_since` is the first diagnosis recorded, also one that has ended: once known, known. What a CT showed is
    added by `monitoring.selectors.header`.
    """
    begun = list(
        Manifestation.objects.current().filter(patient=patient, onset_on__lte=as_of).order_by("onset_on", "id")
    )
    return Header(
        patient=patient,
        age=patient.age_on(as_of),
        follow_up=follow_up_on(patient, as_of),
        antibodies=antibodies_ever_positive(patient, as_of),
        manifestations=[m for m in begun if m.ended_on is None or m.ended_on >= as_of],
        exceptions=list(exceptions_on(patient, as_of)),
        ild_known_since=min((m.onset_on for m in begun if m.kind == ManifestationKind.ILD), default=None),
    )
