"""Named questions about people: finding them, telling them apart, and what stands at the head of their page."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from accounts.models import Centre, User
from common.prepared import prepared
from patients.antibodies import ANTIBODIES, POSITIVE_RESULTS
from patients.folding import Fold, fold
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


_WRITTEN = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"),
    re.compile(r"(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>\d{4})"),
)


def _day_in(word: str) -> dt.date | None:
    """The day a word is: 1969-04-02, 2.4.1969, 02/04/1969."""
    for pattern in _WRITTEN:
        if found := pattern.fullmatch(word):
            with contextlib.suppress(ValueError):
                return dt.date(*(int(found[part]) for part in ("year", "month", "day")))
    return None


def _begins_with(text: str) -> Q:
    day = _day_in(text)
    if day is not None:
        return Q(born_on=day) | Q(record_number__begins=text)
    return Q(family_name__begins=text) | Q(given_name__begins=text) | Q(record_number__begins=text)


def _first(found: QuerySet[Patient], text: str, limit: int) -> list[QuerySet[Patient, int]]:
    """The first of `found` whose family name begins with `text`, of the given names and of the numbers (or of those
    born on the day that it is): each out of an index, in its order.
    """
    day, family, given = _day_in(text), Fold("family_name"), Fold("given_name")
    ways: dict[Q, list[Any]] = {
        Q(record_number__begins=text): [Fold("record_number")],
        **(
            {Q(born_on=day): ["born_on"]}
            if day is not None
            else {Q(family_name__begins=text): [family, given], Q(given_name__begins=text): [given, family]}
        ),
    }
    return [
        found.filter(way).order_by(*order, "id").values_list("pk", flat=True)[:limit] for way, order in ways.items()
    ]


def matching(centre: Centre, text: str, limit: int = FOUND_AT_MOST) -> QuerySet[Patient]:
    """The centre's patients whose family name, given name or number begins with `text`, in order of name. Case and
    accents do not matter; a day finds who was born on it.

    Of several words each must begin one of them, so "Family, Given" and "Given Family" both find; a name of several
    words is found by its own beginning too. A record that was merged into another is found as that other. An empty text
    finds nobody. Where more than `limit` begin alike, not all are among them, but more than `limit`.
    """
    words = text.replace("\x00", "").replace(",", " ").split()  # PostgreSQL refuses a NUL, and no name holds it
    if not words:
        return Patient.objects.none()
    # The word that few begin with is looked up, the others are compared with whom it finds.
    first, *others = sorted(words, key=lambda word: (_day_in(word) is None, -len(word)))
    every_word = Q()
    for word in others:
        every_word &= _begins_with(word)
    ways = _first(centre.patients.filter(every_word), first, limit + 1)
    if others:
        ways += _first(centre.patients.all(), " ".join(words), limit + 1)
    found = set(ways[0].union(*ways[1:], all=True))
    # Few were ever merged: asked for apart, so that the search of everybody else keeps its indexes.
    every_word &= _begins_with(first)
    merged = Patient.everybody.filter(
        every_word | _begins_with(" ".join(words)), centre=centre, merged_into__isnull=False
    )
    found.update(pk for pk in merged.values_list("merged_into", flat=True)[:limit] if pk)
    return centre.patients.filter(pk__in=found).order_by("family_name", "given_name", "id")


def search(centre: Centre, text: str, limit: int = FOUND_AT_MOST) -> list[Patient]:
    """At most `limit` of `matching`, for a box that searches as one types."""
    return list(matching(centre, text, limit)[:limit])


def by_number(centre: Centre, number: str) -> Patient | None:
    """Whose record has exactly this number, or took in the one that had it."""
    found = Patient.everybody.select_related("merged_into").filter(centre=centre, record_number=number.strip()).first()
    return found and (found.merged_into or found)


ALIKE = 0.75  # of two folded names, as difflib measures: Meyer and Maier are alike, Meyer and Becker are not


@dataclass(frozen=True)
class Duplicate:
    """Somebody who may be the person being registered. `why` are the codes of what is the same, the surest first."""

    patient: Patient
    why: Sequence[str]


def _alike(one: str, other: str) -> bool:
    if not one or not other:
        return False
    shorter, longer = sorted((one, other), key=len)
    return (len(shorter) > 2 and longer.startswith(shorter)) or SequenceMatcher(None, one, other).ratio() >= ALIKE


def duplicates(
    centre: Centre,
    *,
    record_number: str = "",
    family_name: str = "",
    given_name: str = "",
    born_on: dt.date | None = None,
    limit: int = FOUND_AT_MOST,
) -> list[Duplicate]:
    """Who may already be the person being registered, the surest first:

    number   the same number
    person   the same day of birth, and both names the same or swapped
    alike    the same day of birth, and a name that is the same or similar, in its place or in the other's
    name     the same whole name, or its two parts swapped, with another day of birth

    Case and accents do not matter; what is empty is not compared. The records of merged patients count as the one that
    took them in. Two or three queries.
    """
    number, family, given = record_number.strip(), fold(family_name.strip()), fold(given_name.strip())
    same = Q(record_number__same=number) if number else Q()
    if family and given:
        same |= Q(family_name__same=family, given_name__same=given)
        same |= Q(family_name__same=given, given_name__same=family)
    if born_on is not None and (family or given):
        same |= Q(born_on=born_on)
    if not same:
        return []
    found: dict[int, tuple[int, Duplicate]] = {}
    candidates = Patient.everybody.select_related("merged_into").filter(same, centre=centre)
    # Twins of a day are few; namesakes of a common name could be many, and the first of them suffice.
    for there in candidates.order_by("family_name", "given_name", "id")[: 10 * limit]:
        why = _why_alike(there, number, family, given, born_on)
        if why:
            shown = there.merged_into or there
            each = (min(_SUREST.index(code) for code in why), Duplicate(shown, why))
            found[shown.pk] = min(found.get(shown.pk, each), each, key=lambda one: one[0])
    ranked = sorted(found.values(), key=lambda each: (each[0], each[1].patient.name))
    return [duplicate for _, duplicate in ranked[:limit]]


_SUREST = ("number", "person", "alike", "name")


def _why_alike(there: Patient, number: str, family: str, given: str, born_on: dt.date | None) -> list[str]:
    its_family, its_given = fold(there.family_name), fold(there.given_name)
    whole = bool(family and given) and {(its_family, its_given)} <= {(family, given), (given, family)}
    why = ["number"] if number and there.record_number.lower() == number.lower() else []
    if born_on is not None and there.born_on == born_on:
        if whole:
            why.append("person")
        elif any(_alike(one, other) for one in (family, given) for other in (its_family, its_given)):
            why.append("alike")
    elif whole:
        why.append("name")
    return why


def version(patient: Patient) -> int:
    """A number that changes whenever the patient's details do: what a form was filled from, `change_patient` compares.

    0 where the row has no history (it has from its first moment).
    """
    row: Any = patient  # row history adds `events` when the app starts
    newest = row.events.order_by("-pgh_id").values_list("pgh_id", flat=True).first()
    return newest or 0


@dataclass(frozen=True)
class Change:
    """What the details of a patient were at a version, and who has changed them since."""

    before: Patient
    by: User | None
    at: dt.datetime


def changed_since(patient: Patient, version: int) -> Change | None:
    """None where no such version of this patient is kept."""
    row: Any = patient
    before = row.events.filter(pgh_id=version).first()
    newest = row.events.select_related("pgh_context").order_by("-pgh_id").first()
    if before is None or newest is None:
        return None
    context = newest.pgh_context
    user = User.objects.filter(pk=context.metadata.get("by")).first() if context else None
    return Change(before, user, newest.pgh_created_at)


def follow_up_on(patient: Patient, day: dt.date) -> FollowUpStatus | None:
    """The status in force on `day`. None: none was ever recorded, which counts as under follow-up."""
    return next(iter(_newest_status(patient, day)), None)


@prepared
def _newest_status(patient: Patient, day: dt.date) -> QuerySet[FollowUpStatus]:
    found = FollowUpStatus.objects.current().filter(patient=patient, starts_on__lte=day)
    return found.order_by("-starts_on", "-id")[:1]


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

    @property
    def latest_word(self) -> str:
        return str(AntibodyResult.Result(self.latest).label).lower()


def antibodies_ever_positive(patient: Patient, as_of: dt.date) -> list[PositiveAntibody]:
    """Those with any current positive or strong result. A weak one does not count; a later negative takes none away."""
    first: dict[str, dt.date] = {}
    latest: dict[str, tuple[str, dt.date]] = {}
    for code, result, day in _antibodies(patient, as_of):
        latest[code] = (result, day)
        if result in POSITIVE_RESULTS:
            first.setdefault(code, day)
    return [
        PositiveAntibody(code, ANTIBODIES[code].name if code in ANTIBODIES else code, day, *latest[code])
        for code, day in first.items()
    ]


@prepared
def _antibodies(patient: Patient, as_of: dt.date) -> QuerySet[AntibodyResult, tuple[str, str, dt.date]]:
    found = AntibodyResult.objects.current().filter(patient=patient, taken_on__lte=as_of)
    return found.order_by("taken_on", "id").values_list("antibody", "result", "taken_on")


def manifestations_on(patient: Patient, day: dt.date) -> QuerySet[Manifestation]:
    """Organs involved on `day`: begun and not yet ended."""
    return (
        Manifestation.objects.current()
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gte=day), patient=patient, onset_on__lte=day)
        .order_by("onset_on", "id")
    )


def consents_on(patient: Patient, day: dt.date) -> dict[str, Consent]:
    """The decision in force on `day`, by scope. A scope never asked about is absent: unknown is not consent."""
    return {consent.scope: consent for consent in _consents(patient, day)}


@prepared
def _consents(patient: Patient, day: dt.date) -> QuerySet[Consent]:
    return Consent.objects.current().filter(patient=patient, decided_on__lte=day).order_by("decided_on", "id")


@prepared
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
    begun = _begun(patient, as_of)
    return Header(
        patient=patient,
        age=patient.age_on(as_of),
        follow_up=follow_up_on(patient, as_of),
        antibodies=antibodies_ever_positive(patient, as_of),
        manifestations=[m for m in begun if m.ended_on is None or m.ended_on >= as_of],
        exceptions=exceptions_on(patient, as_of),
        ild_known_since=min((m.onset_on for m in begun if m.kind == ManifestationKind.ILD), default=None),
    )


@prepared
def _begun(patient: Patient, as_of: dt.date) -> QuerySet[Manifestation]:
    return Manifestation.objects.current().filter(patient=patient, onset_on__lte=as_of).order_by("onset_on", "id")
