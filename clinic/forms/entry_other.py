"""Small forms: one measurement, one scan, one booking each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms

from clinic.forms.patient import day_box
from clinic.selectors.patient import unit_words
from monitoring.analytes import ANALYTES, Kind
from monitoring.entry import enterable, plain
from monitoring.models import ConfounderKind, Imaging, Instrument, Modality, Screening, ScreeningKind, TestKind, Waiver

CHOOSE = ("", "Choose")


def _day(label: str, *, required: bool = True, help_text: str = "") -> forms.DateField:
    return forms.DateField(label=label, required=required, help_text=help_text, widget=day_box())


def _number(label: str, digits: int, places: int, help_text: str = "", *, required: bool = False) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        min_value=0,
        max_digits=digits,
        decimal_places=places,
        help_text=help_text,
        widget=forms.NumberInput(attrs={"class": "form-control num", "step": "any", "autocomplete": "off"}),
    )


class EntryForm(forms.Form):
    """`units` stand behind their boxes. `today` is the first value of the field named so, where that is likely."""

    units: ClassVar[Mapping[str, str]] = {}
    today: ClassVar[str] = ""
    confirms: ClassVar[tuple[str, ...]] = ()  # numbers of which a very rare one is saved only after a tick

    @classmethod
    def first(cls, as_of: dt.date) -> dict[str, Any]:
        return {cls.today: as_of} if cls.today else {}

    def fingerprint(self) -> str:
        """What a tick confirms: these numbers and no others."""
        return "|".join((self.data.get(name) or "").strip() for name in self.confirms)

    @property
    def asks(self) -> bool:
        """A number is possible and very rare: somebody is to look again."""
        return any(error.code == "confirm" for errors in self.errors.as_data().values() for error in errors)

    def values(self) -> dict[str, Any]:
        """The keyword arguments of the action."""
        values = dict(self.cleaned_data)
        if self.confirms:
            values["confirmed"] = bool(self.fingerprint()) and self.data.get("confirmed") == self.fingerprint()
        return values


class LungFunctionForm(EntryForm):
    units = {"fvc_l": "L", "fvc_percent_predicted": "%", "dlco_percent_predicted": "%"}
    confirms = ("fvc_l", "fvc_percent_predicted", "dlco_percent_predicted")

    tested_on = _day("Day of the test")
    fvc_l = _number("FVC", 4, 2, "In litres")
    fvc_percent_predicted = _number("FVC, percent of predicted", 5, 1)
    dlco_percent_predicted = _number("DLCO, percent of predicted", 5, 1)
    dlco_hb_corrected = forms.ChoiceField(
        label="DLCO corrected for haemoglobin",
        choices=[("unknown", "Not stated"), ("yes", "Yes"), ("no", "No")],
    )
    reference_set = forms.CharField(
        label="Reference set",
        max_length=40,
        required=False,
        help_text="Such as GLI-2012. Another set gives other percentages",
    )


class ImagingForm(EntryForm):
    modality = forms.ChoiceField(label="Examination", choices=[CHOOSE, *Modality.choices])
    done_on = _day("Done on")
    ild = forms.ChoiceField(
        label="Interstitial lung disease", choices=Imaging.Ild.choices, initial=Imaging.Ild.NOT_REPORTED
    )
    report = forms.CharField(label="Report", max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 5}))


class BodySizeForm(EntryForm):
    units = {"weight_kg": "kg", "height_cm": "cm"}
    today = "measured_on"
    confirms = ("weight_kg", "height_cm")

    measured_on = _day("Measured on")
    weight_kg = _number("Weight", 5, 1)
    height_cm = _number("Height", 5, 1)


class ConfounderForm(EntryForm):
    kind = forms.ChoiceField(label="What happened", choices=[CHOOSE, *ConfounderKind.choices])
    happened_on = _day("On", help_text="Of a drug: its first day")
    note = forms.CharField(label="Note", max_length=200, required=False)


class FunctionalTestForm(EntryForm):
    today = "tested_on"
    confirms = ("instrument", "score")

    instrument = forms.ChoiceField(label="Test", choices=[CHOOSE, *Instrument.choices])
    tested_on = _day("Tested on")
    score = _number("Score", 7, 2, "In the test's own unit: metres, seconds, kilograms or points")
    is_complete = forms.BooleanField(
        label="Every task was done", required=False, initial=True, help_text="Take the tick away if it was broken off"
    )


class ScreeningForm(EntryForm):
    today = "done_on"

    kind = forms.ChoiceField(label="What was looked for", choices=[CHOOSE, *ScreeningKind.choices])
    done_on = _day("Done on")
    outcome = forms.ChoiceField(
        label="Outcome", choices=Screening.Outcome.choices, initial=Screening.Outcome.NOT_STATED
    )
    score = forms.DecimalField(
        label="Number",
        required=False,
        max_digits=6,
        decimal_places=2,
        help_text="Fracture risk in percent, T-score, EAT-10: where it has one",
        widget=forms.TextInput(attrs={"class": "form-control num", "inputmode": "decimal", "autocomplete": "off"}),
    )
    note = forms.CharField(label="Note", max_length=200, required=False)


class BookingForm(EntryForm):
    kind = forms.ChoiceField(label="What", choices=[CHOOSE, *TestKind.choices])
    booked_for = _day("For the day")


class WaiverForm(EntryForm):
    test = forms.ChoiceField(
        label="Test", choices=[("pft", "Full lung function"), ("hrct", "High-resolution CT")], widget=forms.RadioSelect
    )
    why = forms.ChoiceField(label="Reason", choices=[CHOOSE, *Waiver.Reason.choices])
    starts_on = _day("From", required=False, help_text="Empty: from today")
    ends_on = _day("Until", help_text="Last day, 365 days at most; then it is asked for again")


class BaselineForm(EntryForm):
    today = "set_on"

    analyte = forms.ChoiceField(label="Test")
    value = _number("Value", 18, 6, required=True, help_text="In the unit named with the test")
    set_on = _day("From", help_text="The newest baseline counts")
    reason = forms.CharField(label="Reason", max_length=200, help_text="Why this is normal for this person")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = [a for a in ANALYTES.values() if a.kind is Kind.NUMERIC and enterable(a)]
        self.fields["analyte"] = forms.ChoiceField(
            label="Test", choices=[(a.code, f"{a.name} ({unit_words(a.canonical_unit)})") for a in numbers]
        )

    def clean_value(self) -> Decimal:
        value: Decimal = self.cleaned_data["value"]
        return Decimal(plain(value))
