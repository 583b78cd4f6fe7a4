"""Small forms: one measurement, one scan, one booking each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from clinic.forms.numbers import OFF_THE_SCALE, NumberField
from clinic.forms.patient import day_box
from clinic.selectors.patient import unit_words
from monitoring.analytes import ANALYTES, Kind
from monitoring.entry import enterable, plain
from monitoring.models import ConfounderKind, Imaging, Instrument, Modality, Screening, ScreeningKind, TestKind, Waiver
from monitoring.scores import functional_index, ibmfrs

CHOOSE = ("", _("Choose"))
REPETITIONS = _("of %(maximum)s times")


def _day(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    return forms.DateField(label=label, required=required, help_text=help_text, widget=day_box())


def _number(label: Any, digits: int, places: int, help_text: Any = "", *, required: bool = False) -> NumberField:
    return NumberField(
        label=label,
        required=required,
        min_value=0,
        max_digits=digits,
        decimal_places=places,
        help_text=help_text,
        widget=forms.TextInput(attrs={"class": "form-control num"}),
    )


class EntryForm(forms.Form):
    """`units` stand behind their boxes. `today` is the first value of the field named so, where that is likely."""

    units: ClassVar[Mapping[str, str]] = {}
    today: ClassVar[str] = ""
    confirms: ClassVar[tuple[str, ...]] = ()  # numbers of which a very rare one is saved only after a tick

    def unit_of(self, name: str) -> str:
        return self.units.get(name, "")

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

    tested_on = _day(_("Day of the test"))
    fvc_l = _number(_("FVC"), 4, 2, _("In litres"))
    fvc_percent_predicted = _number(_("FVC, percent of predicted"), 5, 1)
    dlco_percent_predicted = _number(_("DLCO, percent of predicted"), 5, 1)
    dlco_hb_corrected = forms.ChoiceField(
        label=_("DLCO corrected for haemoglobin"),
        choices=[("unknown", _("Not stated")), ("yes", _("Yes")), ("no", _("No"))],
    )
    reference_set = forms.CharField(
        label=_("Reference set"),
        max_length=40,
        required=False,
        help_text=_("Such as GLI-2012. Another set gives other percentages"),
    )


class ImagingForm(EntryForm):
    modality = forms.ChoiceField(label=_("Examination"), choices=[CHOOSE, *Modality.choices])
    done_on = _day(_("Done on"))
    ild = forms.ChoiceField(
        label=_("Interstitial lung disease"), choices=Imaging.Ild.choices, initial=Imaging.Ild.NOT_REPORTED
    )
    report = forms.CharField(
        label=_("Report"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 5})
    )


class BodySizeForm(EntryForm):
    units = {"weight_kg": "kg", "height_cm": "cm"}
    today = "measured_on"
    confirms = ("weight_kg", "height_cm")

    measured_on = _day(_("Measured on"))
    weight_kg = _number(_("Weight"), 5, 1)
    height_cm = _number(_("Height"), 5, 1)


class ConfounderForm(EntryForm):
    kind = forms.ChoiceField(label=_("What happened"), choices=[CHOOSE, *ConfounderKind.choices])
    happened_on = _day(pgettext_lazy("a day", "On"), help_text=_("Of a drug: its first day"))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


# What the number of a test is, said where it is chosen: the same as what its items or tasks would give.
_SCORES = {
    Instrument.FI2: _("mean of its tasks, percent"),
    Instrument.FI3: _("mean of its tasks, percent"),
    Instrument.IBMFRS: _("0 to 40 points"),
    Instrument.CHAIR_STAND: _("times"),
}


def _instrument(value: str, name: Any) -> str:
    return f"{name} ({said})" if (said := _SCORES.get(Instrument(value))) else name


class FunctionalTestForm(EntryForm):
    today = "tested_on"
    confirms = ("instrument", "score")

    instrument = forms.ChoiceField(label=_("Test"), choices=[])
    tested_on = _day(_("Tested on"))
    score = _number(
        _("Score"), 7, 2,
        _("In the unit named with the test. Repetitions of a Functional Index are entered by its tasks."),
    )  # fmt: skip
    is_complete = forms.BooleanField(
        label=_("Every task was done"),
        required=False,
        initial=True,
        help_text=_("Take the tick away if it was broken off"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(value, _instrument(value, name)) for value, name in Instrument.choices]
        self.fields["instrument"] = forms.ChoiceField(label=_("Test"), choices=[CHOOSE, *named])


class ItemsForm(EntryForm):
    """A functional test by its items or tasks, each a whole number; the score is worked out. Blank: not done."""

    today = "tested_on"
    instrument: ClassVar[Instrument]
    items: ClassVar[Mapping[str, str]]  # {code: its words in English}
    maxima: ClassVar[Mapping[str, int]]
    of: ClassVar[Any] = _("of %(maximum)s")

    tested_on = _day(_("Tested on"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, label in self.items.items():
            most = self.maxima[code]
            # A digit that can only be a whole answer leads on to the next box.
            digit = {"data-digit": most} if most < 10 else {}
            self.fields[code] = forms.IntegerField(
                label=gettext(label),
                required=False,
                min_value=0,
                max_value=most,
                error_messages=OFF_THE_SCALE,
                widget=forms.TextInput(
                    attrs={"class": "form-control num", "inputmode": "numeric", "autocomplete": "off", **digit}
                ),
            )

    def unit_of(self, name: str) -> str:
        return self.of % {"maximum": self.maxima[name]} if name in self.maxima else ""

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        answers = {code: data.get(code) for code in self.items}
        return {"instrument": self.instrument, "tested_on": data["tested_on"], "answers": answers}


class IbmfrsForm(ItemsForm):
    instrument = Instrument.IBMFRS
    items = ibmfrs.ITEMS
    maxima = dict.fromkeys(ibmfrs.ITEMS, ibmfrs.ITEM_MAXIMUM)


class FunctionalIndex2Form(ItemsForm):
    instrument = Instrument.FI2
    of = REPETITIONS
    maxima = functional_index.MAXIMA[functional_index.Version.FI2]
    items = {code: functional_index.NAMES[code] for code in functional_index.MAXIMA[functional_index.Version.FI2]}


class FunctionalIndex3Form(ItemsForm):
    instrument = Instrument.FI3
    of = REPETITIONS
    maxima = functional_index.MAXIMA[functional_index.Version.FI3]
    items = {code: functional_index.NAMES[code] for code in functional_index.MAXIMA[functional_index.Version.FI3]}


class ScreeningForm(EntryForm):
    today = "done_on"

    kind = forms.ChoiceField(label=_("What was looked for"), choices=[CHOOSE, *ScreeningKind.choices])
    done_on = _day(_("Done on"))
    outcome = forms.ChoiceField(
        label=_("Outcome"), choices=Screening.Outcome.choices, initial=Screening.Outcome.NOT_STATED
    )
    score = NumberField(
        label=_("Number"),
        required=False,
        max_digits=6,
        decimal_places=2,
        help_text=_("Fracture risk in percent, T-score, EAT-10: where it has one"),
        widget=forms.TextInput(attrs={"class": "form-control num"}),
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class BookingForm(EntryForm):
    kind = forms.ChoiceField(label=_("What"), choices=[CHOOSE, *TestKind.choices])
    booked_for = _day(_("For the day"))


class WaiverForm(EntryForm):
    test = forms.ChoiceField(
        label=_("Test"),
        choices=[("pft", _("Full lung function")), ("hrct", _("High-resolution CT"))],
        widget=forms.RadioSelect,
    )
    why = forms.ChoiceField(label=_("Reason"), choices=[CHOOSE, *Waiver.Reason.choices])
    starts_on = _day(_("From"), required=False, help_text=_("Empty: from today"))
    ends_on = _day(_("Until"), help_text=_("Last day, 365 days at most; then it is asked for again"))


class BaselineForm(EntryForm):
    today = "set_on"

    analyte = forms.ChoiceField(label=_("Test"))
    value = _number(_("Value"), 18, 6, required=True, help_text=_("In the unit named with the test"))
    set_on = _day(_("From"), help_text=_("The newest baseline counts"))
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("Why this is normal for this person"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = [a for a in ANALYTES.values() if a.kind is Kind.NUMERIC and enterable(a)]
        self.fields["analyte"] = forms.ChoiceField(
            label=_("Test"), choices=[(a.code, f"{gettext(a.name)} ({unit_words(a.canonical_unit)})") for a in numbers]
        )

    def clean_value(self) -> Decimal:
        value: Decimal = self.cleaned_data["value"]
        return Decimal(plain(value))
