"""What narrows the list of patients."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from clinic.forms.worklist import ListForm
from clinic.selectors.patients import ACTIVE, STEROID_TARGET_MG, PatientFilters
from clinic.selectors.worklist import ANY
from patients.models import FollowUpStatus, Subtype


class PatientsForm(ListForm):
    status = forms.ChoiceField(
        label="Follow-up", required=False, choices=[*FollowUpStatus.Word.choices, (ANY, "Everybody registered")]
    )
    subtype = forms.ChoiceField(label="Subtype", required=False, choices=[("", "Any subtype"), *Subtype.choices])
    steroid = forms.ChoiceField(
        label="Glucocorticoid today",
        required=False,
        choices=[("", "Any dose"), ("high", f"Above {STEROID_TARGET_MG} mg a day")],
    )
    sampled = forms.DateField(label="Sampled in the week from", required=False, widget=forms.HiddenInput)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query, status=ACTIVE)

    def filters(self) -> PatientFilters:
        return PatientFilters(
            subtype=self.values["subtype"],
            status=self.values["status"],
            steroid=self.values["steroid"] == "high",
            sampled=self.values["sampled"] or None,
        )
