"""What is typed about a taper. Doses are prednisone-equivalent mg a day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from clinic.forms.patient import day_box
from clinic.forms.treatment import number_box
from therapy.formulary import FORMULARY
from therapy.tablets import MOST_MG
from therapy.taper_templates import TEMPLATES, PlannedStep, TemplateRefusedError, planned_steps

# Glucocorticoids that are tapered by mouth: what a pharmacy has of them is asked for.
BY_MOUTH = ("prednisolone", "prednisone", "methylprednisolone", "deflazacort", "hydrocortisone")
FEWEST_ROWS = 6
MORE_ROWS = 4
MOST_ROWS = 80
_ROW = re.compile(r"step_(\d{1,3})_(?:step_on|dose_pe_mg)")


class ScheduleForm(forms.Form):
    """Which schedule fills in the steps. Nothing of it is saved but its name."""

    template = forms.ChoiceField(
        label="Schedule", choices=[(code, template.name) for code, template in TEMPLATES.items()]
    )
    starts_on = forms.DateField(label="First day", widget=day_box())
    start_mg = forms.DecimalField(label="First dose", max_digits=6, decimal_places=2, widget=number_box())
    hold_weeks = forms.IntegerField(
        label="Weeks at the first dose", required=False, widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="Empty: as the schedule says",
    )  # fmt: skip
    last_mg = forms.DecimalField(
        label="Down to", required=False, max_digits=6, decimal_places=2, widget=number_box(),
        help_text="mg a day. Empty: as the schedule says",
    )  # fmt: skip
    slow = forms.BooleanField(
        label="Slow: the longer intervals, the smaller steps",
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def steps(self) -> list[PlannedStep] | None:
        """The steps of the schedule; None, with the error beside its box, where it cannot be followed."""
        if not self.is_valid():
            return None
        data = dict(self.cleaned_data)
        try:
            return planned_steps(data.pop("template"), **data)
        except TemplateRefusedError as error:
            self.add_error(error.field, ValidationError(str(error)))
            return None


class TabletsForm(forms.Form):
    """Strengths by drug, as a list with commas. Empty: none is said to be at hand, and no tablets are worked out."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, stocked: Mapping[str, Sequence[Decimal]], **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.stocked = stocked
        for drug in BY_MOUTH:
            self.fields[drug] = forms.CharField(
                label=FORMULARY[drug].name,
                required=False,
                max_length=200,
                initial=", ".join(f"{strength.normalize():f}" for strength in stocked.get(drug, ())),
                help_text="mg, such as 1, 2.5, 5, 20",
                widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text"}),
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for drug in BY_MOUTH:
            try:
                data[drug] = sorted({_strength(word) for word in re.split(r"[,;]\s*|\s+", data.get(drug, "")) if word})
            except ValueError as error:
                self.add_error(drug, str(error))
        return data

    def changed(self) -> list[tuple[str, list[Decimal]]]:
        return [
            (drug, self.cleaned_data[drug])
            for drug in BY_MOUTH
            if self.cleaned_data[drug] != list(self.stocked.get(drug, ()))
        ]


def _strength(word: str) -> Decimal:
    try:
        value = Decimal(word.removesuffix("mg"))
    except ArithmeticError:
        raise ValueError(f"{word} is not a number of mg. Write strengths with commas, as in 2.5, 5.") from None
    if not (value.is_finite() and 0 < value <= MOST_MG and value == value.quantize(Decimal("0.01"))):
        raise ValueError(f"{word}: a tablet has more than 0 and at most {MOST_MG} mg, with at most two decimals.")
    return value.quantize(Decimal("0.01"))


class StepsForm(forms.Form):
    """The steps of a plan, a row each. Rows left empty do not count."""

    note = forms.CharField(label="Note", max_length=200, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, rows: int = 0, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        numbers = [int(m[1]) for m in map(_ROW.fullmatch, data or ()) if m]
        self.rows = min(max([rows, FEWEST_ROWS, *(number + 1 for number in numbers)]), MOST_ROWS)
        for n in range(self.rows):
            self.fields[f"step_{n}_step_on"] = forms.DateField(
                label=f"Step {n + 1}, first day", required=False, widget=day_box()
            )
            self.fields[f"step_{n}_dose_pe_mg"] = forms.DecimalField(
                label=f"Step {n + 1}, dose", required=False, max_digits=7, decimal_places=2, widget=number_box()
            )
        self.order_fields([name for name in self.fields if name != "note"] + ["note"])

    @classmethod
    def filled(cls, steps: Sequence[PlannedStep], note: str = "") -> StepsForm:
        values: dict[str, Any] = {"note": note}
        for n, step in enumerate(steps):
            values[f"step_{n}_step_on"] = step.on
            dose = step.dose_pe_mg
            values[f"step_{n}_dose_pe_mg"] = None if dose is None else f"{dose.normalize():f}"
        return cls(initial=values, rows=len(steps) + 2)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for n in range(self.rows):
            day, dose = f"step_{n}_step_on", f"step_{n}_dose_pe_mg"
            if day in self.errors or dose in self.errors:
                continue
            if data.get(day) is None and data.get(dose) is not None:
                self.add_error(day, "Enter the first day of this dose.")
            if data.get(day) is not None and data.get(dose) is None:
                self.add_error(dose, "Enter the dose of this step.")
        return data

    def numbered(self) -> list[tuple[int, dt.date, Decimal]]:
        """(row, first day, dose) of the rows that are filled in."""
        data = self.cleaned_data
        pairs = [(n, data.get(f"step_{n}_step_on"), data.get(f"step_{n}_dose_pe_mg")) for n in range(self.rows)]
        return [(n, day, dose) for n, day, dose in pairs if day is not None and dose is not None]

    def lines(self) -> list[tuple[int, Any, Any]]:
        """(number, day, dose) of each row, as bound fields."""
        return [(n + 1, self[f"step_{n}_step_on"], self[f"step_{n}_dose_pe_mg"]) for n in range(self.rows)]

    def add_plan_refusal(self, error: ValidationError) -> None:
        """What the action refused, which counts only the rows that were filled in."""
        filled = [n for n, _, _ in self.numbered()]
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            match = re.fullmatch(r"step_(\d+)_(\w+)", name)
            known = f"step_{filled[int(match[1])]}_{match[2]}" if match and int(match[1]) < len(filled) else name
            self.add_error(known if known in self.fields else None, errors)


class ConfirmForm(forms.Form):
    """A step was taken; the dose of a course may follow it."""

    confirmed_on = forms.DateField(label="Confirmed on", widget=day_box())
    course = forms.TypedChoiceField(label="Change the dose of", required=False, coerce=int, empty_value=None)
    out_of_range_reason = forms.CharField(
        label="Why this dose is meant", max_length=200, required=False, widget=forms.HiddenInput()
    )

    def __init__(self, *args: Any, choices: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["course"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [("", "No dose: it is changed already, or elsewhere"), *choices]
        if self["out_of_range_reason"].value():
            self.ask_reason()

    def ask_reason(self) -> None:
        self.fields["out_of_range_reason"].widget = forms.TextInput(attrs={"maxlength": 200})


class HoldForm(forms.Form):
    starts_on = forms.DateField(label="From", widget=day_box())
    ends_on = forms.DateField(label="Until", required=False, widget=day_box(), help_text="Empty: until released")
    reason = forms.CharField(label="Reason", max_length=200)


class EndForm(forms.Form):
    ended_on = forms.DateField(
        label="Last day", widget=day_box(), help_text="A new plan can begin once this day is over"
    )
    reason = forms.CharField(label="Reason", max_length=200)
