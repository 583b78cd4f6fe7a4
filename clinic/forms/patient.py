"""What is typed about the person and the disease. Forms see that it can be read; the actions, whether it can be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.models import fields_for_model
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Centre, Membership, Role
from clinic.forms.numbers import ReceivedField, as_typed, typed_number
from clinic.selectors.facts import label_of
from common.models import Fact
from monitoring.analytes import Analyte, Kind, accepted_units
from monitoring.entry import TypedValue, field_name, plain
from monitoring.models import Result
from monitoring.rules import RULES
from patients.actions import NUMBER_TAKEN
from patients.antibodies import ANTIBODIES, Group
from patients.models import AntibodyResult, Consent, FollowUpStatus, ManifestationKind, Patient, RiskKind, Sex, Subtype

GROUPS = {
    Group.ANTISYNTHETASE: _("Antisynthetase"),
    Group.DERMATOMYOSITIS: _("Dermatomyositis"),
    Group.NECROTISING: _("Necrotising myopathy"),
    Group.OVERLAP: _("Associated"),
    Group.INCLUSION_BODY: _("Inclusion body myositis"),
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


def _day(label: Any, *, required: bool = True, help_text: Any = "", initial: dt.date | None = None) -> forms.DateField:
    return forms.DateField(label=label, required=required, help_text=help_text, initial=initial, widget=day_box())


def _reason(help_text: Any = "") -> forms.CharField:
    return forms.CharField(label=_("Reason"), max_length=200, help_text=help_text)


class PatientForm(forms.Form):
    """Registration, and changing details."""

    record_number = forms.CharField(
        label=_("Record number"), max_length=32, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    family_name = forms.CharField(
        label=_("Family name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    given_name = forms.CharField(
        label=_("Given name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    born_on = _day(_("Date of birth"))
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices, initial=Sex.UNKNOWN)
    subtype = forms.ChoiceField(label=_("Subtype"), choices=Subtype.choices, initial=Subtype.UNKNOWN)
    onset_on = _day(_("First symptom"), required=False)
    diagnosed_on = _day(_("Diagnosis"), required=False)
    clinician = forms.ChoiceField(label=_("Followed by"), required=False)

    def __init__(self, *args: Any, centre: Centre, at_present: str = "", **kwargs: Any) -> None:
        """`at_present` is who follows the patient now: shown also where they have left the centre."""
        super().__init__(*args, **kwargs)
        members = Membership.objects.filter(centre=centre, role=Role.CLINICIAN).select_related("user")
        present = sorted(
            ((str(m.user_id), str(m.user)) for m in members if m.is_active or str(m.user_id) == at_present),
            key=lambda each: each[1],
        )
        self.fields["clinician"].choices = [("", _("Nobody yet")), *present]  # type: ignore[attr-defined]

    def say_whose_number(self, centre: Centre) -> Patient | None:
        """Where the number is taken: beside its box, whose it is, with the way there. Who may write here may see that
        record; the refusal itself names nobody.
        """
        errors = self.errors.get("record_number")
        if errors is None or all(error.code != NUMBER_TAKEN for error in errors.as_data()):
            return None
        taken = Patient.everybody.select_related("merged_into").filter(centre=centre)
        there = taken.filter(record_number__same=(self["record_number"].value() or "").strip()).first()
        if there is None:
            return None
        shown = there.merged_into or there
        said = gettext(
            "This is the number of {name}, born {day}. Each number is given once: check it, or open that record."
        )
        name = format_html('<a href="{}">{}</a>', reverse("clinic:patient", args=[shown.public_id]), shown.name)
        whose = ValidationError(format_html(said, name=name, day=date_format(shown.born_on, "DATE_FORMAT")))
        errors.data = [whose if error.code == NUMBER_TAKEN else error for error in errors.as_data()]
        return shown

    def details(self) -> dict[str, Any]:
        """The patient's own fields as typed."""
        typed = {name: self.cleaned_data[name] for name in PatientForm.base_fields if name != "clinician"}
        return {
            **typed,
            "clinician_id": int(self.cleaned_data["clinician"]) if self.cleaned_data["clinician"] else None,
        }


class RegistrationForm(PatientForm):
    """`reason` is asked for only where somebody may be the same person: why it is somebody else."""

    reason = forms.CharField(
        label=_("Why this is somebody else"), required=False, max_length=200,
        help_text=_("Such as: twins; another address and telephone number. It is kept with the registration."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.fields["record_number"].widget.attrs["autofocus"] = True

    def ask_about_duplicates(self) -> None:
        """Nobody alike is registered without a reason; the refusal belongs beside the box that answers it."""
        errors = self.errors.get("__all__")
        self.fields["reason"].required = True  # by now everything is read: this is for who looks at the box
        if errors is not None and any(error.code == "confirm" for error in errors.as_data()):
            del self.errors["__all__"]
            message = _("Open the record that is there, or say why this is somebody else.")
            self.add_error("reason", forms.ValidationError(message, code="confirm"))

    def who(self) -> list[forms.BoundField]:
        """The boxes by which somebody alike is found. They are shown below these."""
        return [self[name] for name in AlikeForm.base_fields]

    def about_them(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name not in AlikeForm.base_fields and name != "reason"]


class AlikeForm(forms.Form):
    """What of a registration is typed so far. Whatever cannot be read yet is left out."""

    record_number = forms.CharField(required=False, max_length=32)
    family_name = forms.CharField(required=False, max_length=80)
    given_name = forms.CharField(required=False, max_length=80)
    born_on = forms.DateField(required=False)

    def typed(self) -> dict[str, Any]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class DetailsForm(PatientForm):
    version = forms.IntegerField(widget=forms.HiddenInput())

    @staticmethod
    def values_of(patient: Patient) -> dict[str, Any]:
        """The details as the boxes hold them."""
        values = {name: getattr(patient, name) for name in PatientForm.base_fields if name != "clinician"}
        return {**values, "clinician": str(patient.clinician_id or "")}


class FollowUpForm(forms.Form):
    word = forms.ChoiceField(label=_("Follow-up"), choices=[("", _("Choose")), *FollowUpStatus.Word.choices])
    starts_on = _day(_("From"), help_text=_("First day of this status"))


class AntibodyForm(forms.Form):
    antibody = forms.ChoiceField(label=_("Antibody"))
    result = forms.ChoiceField(
        label=_("Result"),
        choices=[("", _("Choose")), *AntibodyResult.Result.choices],
        help_text=_("A weak positive is not counted as positive"),
    )
    taken_on = _day(_("Day of the sample"))
    assay = forms.CharField(label=_("Assay"), max_length=60, required=False, help_text=_("Such as line blot, ELISA"))
    titre = forms.CharField(label=_("Titre"), max_length=40, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["antibody"] = forms.ChoiceField(label=_("Antibody"), choices=antibody_choices())


def antibody_choices() -> list[tuple[Any, Any]]:
    return [
        ("", _("Choose")),
        *(
            (name, [(a.code, a.name) for a in ANTIBODIES.values() if a.group is group])
            for group, name in GROUPS.items()
        ),
    ]


class ManifestationForm(forms.Form):
    kind = forms.ChoiceField(label=_("Manifestation"), choices=[("", _("Choose")), *ManifestationKind.choices])
    onset_on = _day(_("Since"), help_text=_("For interstitial lung disease: the day of its diagnosis"))
    ended_on = _day(_("Until"), required=False, help_text=_("Last day, where it is over"))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class RiskForm(forms.Form):
    kind = forms.ChoiceField(label=_("What"), choices=[("", _("Choose")), *RiskKind.choices])
    starts_on = _day(_("Since"))
    ends_on = _day(_("Until"), required=False, help_text=_("Last day, where it is over"))


class EndForm(forms.Form):
    ended_on = _day(_("Last day"))


class ConsentForm(forms.Form):
    scope = forms.ChoiceField(label=_("To what"), choices=Consent.Scope.choices, widget=forms.RadioSelect)
    decision = forms.ChoiceField(label=_("Decision"), choices=Consent.Decision.choices, widget=forms.RadioSelect)
    decided_on = _day(_("Decided on"))


class ExceptionForm(forms.Form):
    rule = forms.ChoiceField(label=_("Rule"))
    reason = _reason(_("Shown wherever the rule would have spoken"))
    starts_on = _day(_("From"), required=False, help_text=_("Empty: from today"))
    ends_on = _day(_("Until"), help_text=_("Last day; then the rule is asked again"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("Choose")), *sorted(((r.id, gettext(r.title)) for r in RULES.values()), key=lambda c: c[1])]
        self.fields["rule"] = forms.ChoiceField(label=_("Rule"), choices=[*choices, ("*", _("All rules"))])


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
            field.label = label_of(fact._meta.get_field(name))
            field.help_text = _("Last day") if name in ("ended_on", "ends_on") else ""
            self.fields[name] = typed_number(field) if isinstance(field, forms.DecimalField) else field
        if "antibody" in self.fields:
            self.fields["antibody"] = forms.ChoiceField(label=_("Antibody"), choices=antibody_choices()[1:])
        self.fields["reason"] = _reason(_("Why the old entry was wrong"))

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
            answers = [(word, gettext(word.capitalize())) for word in analyte.values]
            self.fields[self.box] = forms.ChoiceField(
                label=gettext(analyte.name), choices=answers, initial=result.value_received
            )
        else:
            self.fields[self.box] = ReceivedField(
                label=gettext(analyte.name),
                max_length=64,
                initial=as_typed(result.value_received),
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )
            units = list(accepted_units(code))
            if result.unit_received and result.unit_received not in units:
                units.insert(0, result.unit_received)
            self.fields[self.unit_box] = (
                forms.ChoiceField(label=_("Unit"), choices=[(u, u) for u in units], initial=result.unit_received)
                if units and analyte.kind is Kind.NUMERIC
                else forms.CharField(label=_("Unit"), max_length=32, initial=result.unit_received)
            )
            for box, label, text, limit in (
                (self.low_box, _("Lower limit of normal"), result.low_received, result.low),
                (self.uln_box, _("Upper limit of normal"), result.uln_received, result.uln),
            ):
                # A limit that came without its own words is kept, where the box means the same unit.
                if not text and limit is not None and result.unit_received == analyte.canonical_unit:
                    text = plain(limit)
                self.fields[box] = ReceivedField(label=label, max_length=32, required=False, initial=as_typed(text))
        self.fields["taken_on"] = _day(_("Day of the sample"), initial=result.taken_on)
        local = result.taken_at.astimezone(result.patient.centre.zone) if result.taken_at else None
        self.fields["taken_time"] = forms.TimeField(
            label=_("Time of the sample"),
            required=False,
            initial=local.time().replace(second=0, microsecond=0) if local else None,
            widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        )
        self.fields["reason"] = _reason(_("Why the old value was wrong"))
        self.fields[self.confirmed_box] = forms.BooleanField(
            label=_("I have looked again: the value is right"), required=False, widget=forms.HiddenInput()
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
