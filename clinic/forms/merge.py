"""Which of two records stays, and why they are one person."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from patients.models import Patient

ONE, OTHER = "one", "other"


class MergeForm(forms.Form):
    """`one_version` and `other_version` are those of the comparison that was read."""

    keep = forms.ChoiceField(
        label=_("Which record stays"), widget=forms.RadioSelect,
        help_text=_(
            "Its number, name and address stay; the other’s lead to it. Usually the older, or the hospital’s own."
        ),
        error_messages={"required": _("Choose which of the two records stays.")},
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why these two are one person"), max_length=200, help_text=_("Such as: registered again after marriage")
    )
    one_version = forms.IntegerField(widget=forms.HiddenInput)
    other_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, one: Patient, other: Patient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["keep"].choices = [  # type: ignore[attr-defined]
            (word, f"{patient.name} · {patient.record_number}") for word, patient in ((ONE, one), (OTHER, other))
        ]


class PartForm(forms.Form):
    reason = forms.CharField(label=_("Why these are two people"), max_length=200)
