"""Two records side by side, before they become one; and what a merge has done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.models import Centre
from alerts.models import Alert
from clinic.selectors.facts import BY_MODEL
from patients import merging
from patients.models import Merge, Patient, Sex


@dataclass(frozen=True)
class Detail:
    """A detail of both, in words."""

    label: str
    one: str
    other: str
    differs: bool


@dataclass(frozen=True)
class Kind:
    """How many entries of a kind each record holds. `stays` of the one that goes cannot stand beside the other's."""

    label: str
    one: int
    other: int
    stays: int


@dataclass(frozen=True)
class Comparison:
    one: Patient
    other: Patient
    details: Sequence[Detail]
    kinds: Sequence[Kind]
    warning: str


def compare(one: Patient, other: Patient) -> Comparison:
    """A dozen queries, whatever is on record."""
    details = [
        Detail(label, _in_words(one, name), _in_words(other, name), _value(one, name) != _value(other, name))
        for name, label in (
            ("record_number", _("Record number")), ("family_name", _("Family name")), ("given_name", _("Given name")),
            ("born_on", _("Date of birth")), ("sex", _("Sex")), ("subtype", _("Subtype")),
            ("onset_on", _("First symptom")), ("diagnosed_on", _("Diagnosis")), ("clinician", _("Followed by")),
        )
    ]  # fmt: skip
    kinds = [Kind(label_of(held.model), held.kept, held.absorbed, held.stays) for held in merging.held(one, other)]
    other_birth = one.born_on != other.born_on
    other_sex = one.sex != other.sex and Sex.UNKNOWN not in (one.sex, other.sex)
    warning = (
        _("The days of birth and the sexes differ.")
        if other_birth and other_sex
        else _("The days of birth differ.")
        if other_birth
        else _("The sexes differ.")
        if other_sex
        else ""
    )
    return Comparison(one, other, details, kinds, warning)


def label_of(model: Any) -> str:
    if model in BY_MODEL:
        return _(BY_MODEL[model].label)
    return _("Alerts") if model is Alert else str(model._meta.verbose_name)


def _value(patient: Patient, name: str) -> Any:
    return getattr(patient, "clinician_id" if name == "clinician" else name)


def _in_words(patient: Patient, name: str) -> str:
    value = getattr(patient, name)
    if value is None:
        return _("Not recorded")
    if isinstance(value, dt.date):
        return formats.date_format(value, "DATE_FORMAT")
    if name in ("sex", "subtype"):
        return str(getattr(patient, f"get_{name}_display")())
    return str(value)


def merges_of(patient: Patient) -> QuerySet[Merge]:
    """What this record took in and has not given back, the newest first."""
    return (
        Merge.objects.filter(kept=patient, taken_back_at__isnull=True)
        .select_related("absorbed", "merged_by")
        .order_by("-merged_at", "-id")
    )


def of_centre(centre: Centre) -> QuerySet[Merge]:
    return Merge.objects.filter(Q(kept__centre=centre)).select_related(
        "kept", "absorbed", "kept__merged_into", "merged_by", "taken_back_by"
    )


def moved_kinds(merge: Merge) -> list[tuple[str, int]]:
    """How many rows of each kind changed sides."""
    labels = {column.key: label_of(column.model) for column in merging.columns()}
    return [(labels.get(key, key), len(ids)) for key, ids in merge.moved.items() if key in labels]
