"""What is typed about the person and the disease. Forms see that it can be read; the actions, whether it can be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.models import fields_for_model

from common.models import Fact
from monitoring.analytes import Analyte, Kind, accepted_units
from monitoring.entry import TypedValue, field_name, plain
from monitoring.models import Result
from monitoring.rules import RULES
from patients.antibodies import ANTIBODIES, Group
from patients.models import AntibodyResult, Consent, FollowUpStatus, ManifestationKind, Patient, RiskKind, Sex, Subtype

GROUPS = {
    Group.ANTISYNTHETASE: "Antisynthetase",
    Group.DERMATOMYOSITIS: "Dermatomyositis",
    Group.NECROTISING: "Necrotising myopathy",
    Group.OVERLAP: "Associated",
    Group.INCLUSION_BODY: "Inclusion body myositis",
}


def add_refusal(form: forms.Form, error: ValidationError) -> None:
    """Put what an action refused beside the boxes it names; what has no box here goes to the top of the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields and name != NON_FIELD_ERRORS else None, errors)


def day_box() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _day(label: str, *, required: bool = True, help_text: str = "", initial: dt.date | None = None) -> forms.DateField:
    return forms.DateField(label=label, required=required, help_text=help_text, initial=initial, widget=day_box())


def _reason(help_text: str = "") -> forms.CharField:
    return forms.CharField(label="Reason", max_length=200, help_text=help_text)


class PatientForm(forms.Form):
    """Registration, and changing details. `duplicates_seen` is asked for only where somebody may be the same person."""

    record_number = forms.CharField(
        label="Record number", max_length=32, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    family_name = forms.CharField(
        label="Family name", max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    given_name = forms.CharField(
        label="Given name", max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    born_on = _day("Date of birth")
    sex = forms.ChoiceField(label="Sex", choices=Sex.choices, initial=Sex.UNKNOWN)
    subtype = forms.ChoiceField(label="Subtype", choices=Subtype.choices, initial=Subtype.UNKNOWN)
    onset_on = _day("First symptom", required=False)
    diagnosed_on = _day("Diagnosis", required=False)

    def details(self) -> dict[str, Any]:
        """The patient's own fields as typed."""
        return {name: self.cleaned_data[name] for name in PatientForm.base_fields}


class RegistrationForm(PatientForm):
    duplicates_seen = forms.BooleanField(
        label="I have looked: this is somebody else", required=False, widget=forms.HiddenInput()
    )

    def ask_about_duplicates(self) -> None:
        """Show the box that says somebody has looked."""
        self.fields["duplicates_seen"].widget = forms.CheckboxInput(attrs={"class": "form-check-input"})


class DetailsForm(PatientForm):
    version = forms.IntegerField(widget=forms.HiddenInput())

    @staticmethod
    def values_of(patient: Patient, version: int) -> dict[str, Any]:
        return {"version": version, **{name: getattr(patient, name) for name in PatientForm.base_fields}}


class FollowUpForm(forms.Form):
    word = forms.ChoiceField(label="Follow-up", choices=[("", "Choose"), *FollowUpStatus.Word.choices])
    starts_on = _day("From", help_text="First day of this status")


class AntibodyForm(forms.Form):
    antibody = forms.ChoiceField(label="Antibody")
    result = forms.ChoiceField(
        label="Result",
        choices=[("", "Choose"), *AntibodyResult.Result.choices],
        help_text="A weak positive is not counted as positive",
    )
    taken_on = _day("Day of the sample")
    assay = forms.CharField(label="Assay", max_length=60, required=False, help_text="Such as line blot, ELISA")
    titre = forms.CharField(label="Titre", max_length=40, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["antibody"] = forms.ChoiceField(label="Antibody", choices=antibody_choices())


def antibody_choices() -> list[tuple[str, Any]]:
    return [
        ("", "Choose"),
        *(
            (name, [(a.code, a.name) for a in ANTIBODIES.values() if a.group is group])
            for group, name in GROUPS.items()
        ),
    ]


class ManifestationForm(forms.Form):
    kind = forms.ChoiceField(label="Manifestation", choices=[("", "Choose"), *ManifestationKind.choices])
    onset_on = _day("Since", help_text="For interstitial lung disease: the day of its diagnosis")
    ended_on = _day("Until", required=False, help_text="Last day, where it is over")
    note = forms.CharField(label="Note", max_length=200, required=False)


class RiskForm(forms.Form):
    kind = forms.ChoiceField(label="What", choices=[("", "Choose"), *RiskKind.choices])
    starts_on = _day("Since")
    ends_on = _day("Until", required=False, help_text="Last day, where it is over")


class EndForm(forms.Form):
    ended_on = _day("Last day")


class ConsentForm(forms.Form):
    scope = forms.ChoiceField(label="To what", choices=Consent.Scope.choices, widget=forms.RadioSelect)
    decision = forms.ChoiceField(label="Decision", choices=Consent.Decision.choices, widget=forms.RadioSelect)
    decided_on = _day("Decided on")


class ExceptionForm(forms.Form):
    rule = forms.ChoiceField(label="Rule")
    reason = _reason("Shown wherever the rule would have spoken")
    starts_on = _day("From", required=False, help_text="Empty: from today")
    ends_on = _day("Until", help_text="Last day; then the rule is asked again")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Choose"), *sorted(((r.id, r.title) for r in RULES.values()), key=lambda c: c[1])]
        self.fields["rule"] = forms.ChoiceField(label="Rule", choices=[*choices, ("*", "All rules")])


class ReasonForm(forms.Form):
    """Why something is withdrawn or ended."""

    reason = _reason()


class FactForm(forms.Form):
    """The fields of a fact that says no more than its fields, and why they are corrected."""

    def __init__(self, data: Any, *, fact: Fact, names: Sequence[str]) -> None:
        super().__init__(data, initial={name: getattr(fact, name) for name in names})
        self.names = list(names)
        for name, field in fields_for_model(type(fact), fields=names).items():
            if isinstance(field, forms.DateField):
                field.widget = day_box()
            self.fields[name] = field
        if "antibody" in self.fields:
            self.fields["antibody"] = forms.ChoiceField(label="Antibody", choices=antibody_choices()[1:])
        self.fields["reason"] = _reason("Why the old entry was wrong")

    def changes(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.names}


class ResultForm(forms.Form):
    """One laboratory result, typed anew. The boxes have the names by which monitoring.entry reports what is wrong."""

    def __init__(self, data: Any, *, result: Result, analyte: Analyte) -> None:
        super().__init__(data)
        self.analyte = analyte
        code = analyte.code
        self.box, self.unit_box = field_name(code), field_name(code, "unit")
        self.low_box, self.uln_box = field_name(code, "low"), field_name(code, "uln")
        self.confirmed_box = field_name(code, "confirmed")
        if analyte.kind is Kind.QUALITATIVE:
            answers = [(word, word.capitalize()) for word in analyte.values]
            self.fields[self.box] = forms.ChoiceField(
                label=analyte.name, choices=answers, initial=result.value_received
            )
        else:
            self.fields[self.box] = forms.CharField(
                label=analyte.name,
                max_length=64,
                initial=result.value_received,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )
            units = list(accepted_units(code))
            if result.unit_received and result.unit_received not in units:
                units.insert(0, result.unit_received)
            self.fields[self.unit_box] = (
                forms.ChoiceField(label="Unit", choices=[(u, u) for u in units], initial=result.unit_received)
                if units and analyte.kind is Kind.NUMERIC
                else forms.CharField(label="Unit", max_length=32, initial=result.unit_received)
            )
            for box, label, text, limit in (
                (self.low_box, "Lower limit of normal", result.low_received, result.low),
                (self.uln_box, "Upper limit of normal", result.uln_received, result.uln),
            ):
                # A limit that came without its own words is kept, where the box means the same unit.
                if not text and limit is not None and result.unit_received == analyte.canonical_unit:
                    text = plain(limit)
                self.fields[box] = forms.CharField(label=label, max_length=32, required=False, initial=text)
        self.fields["taken_on"] = _day("Day of the sample", initial=result.taken_on)
        local = result.taken_at.astimezone(result.patient.centre.zone) if result.taken_at else None
        self.fields["taken_time"] = forms.TimeField(
            label="Time of the sample",
            required=False,
            initial=local.time().replace(second=0, microsecond=0) if local else None,
            widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        )
        self.fields["reason"] = _reason("Why the old value was wrong")
        self.fields[self.confirmed_box] = forms.BooleanField(
            label="I have looked again: the value is right", required=False, widget=forms.HiddenInput()
        )

    def ask_to_confirm(self) -> None:
        self.fields[self.confirmed_box].widget = forms.CheckboxInput(attrs={"class": "form-check-input"})

    def typed(self) -> TypedValue:
        data = self.cleaned_data
        return TypedValue(
            analyte=self.analyte.code,
            text=data[self.box],
            unit=data.get(self.unit_box, ""),
            low=data.get(self.low_box, ""),
            uln=data.get(self.uln_box, ""),
            confirmed=data[self.confirmed_box],
        )
