"""What is typed about a taper. Doses are prednisone-equivalent mg a day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.forms.numbers import NumberField, as_typed, with_point, writes_comma
from clinic.forms.patient import day_box
from monitoring.entry import EntryError
from therapy.formulary import FORMULARY
from therapy.tablets import MOST_MG
from therapy.taper_templates import TEMPLATES, PlannedStep, TemplateRefusedError, planned_steps

# Glucocorticoids that are tapered by mouth: what a pharmacy has of them is asked for.
BY_MOUTH = ("prednisolone", "prednisone", "methylprednisolone", "deflazacort", "hydrocortisone")
LAST = ("note", "tablets_seen")  # below the rows
FEWEST_ROWS = 6
MORE_ROWS = 4
MOST_ROWS = 80
_ROW = re.compile(r"step_(\d{1,3})_(?:step_on|dose_pe_mg)")


class ScheduleForm(forms.Form):
    """Which schedule fills in the steps. Nothing of it is saved but its name."""

    template = forms.ChoiceField(
        label=_("Schedule"), choices=lambda: [(code, gettext(template.name)) for code, template in TEMPLATES.items()]
    )
    starts_on = forms.DateField(label=_("First day"), widget=day_box())
    start_mg = NumberField(label=_("First dose"), max_digits=6, decimal_places=2)
    hold_weeks = forms.IntegerField(
        label=_("Weeks at the first dose"), required=False, widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text=_("Empty: as the schedule says"),
    )  # fmt: skip
    last_mg = NumberField(
        label=_("Down to"), required=False, max_digits=6, decimal_places=2,
        help_text=_("mg a day. Empty: as the schedule says"),
    )  # fmt: skip
    slow = forms.BooleanField(
        label=_("Slow: the longer intervals, the smaller steps"),
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
            self.add_error(error.field, ValidationError(gettext(error.text) % error.values))
            return None


class TabletsForm(forms.Form):
    """Strengths by drug, as a list: 2.5, 5 with commas, and in German, where a comma is the decimal sign, 2,5; 5.
    Empty: none is said to be at hand, and no tablets are worked out.
    """

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, stocked: Mapping[str, Sequence[Decimal]], **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.stocked = stocked
        for drug in BY_MOUTH:
            self.fields[drug] = forms.CharField(
                label=gettext(FORMULARY[drug].name),
                required=False,
                max_length=200,
                initial=("; " if writes_comma() else ", ").join(
                    as_typed(f"{strength.normalize():f}") for strength in stocked.get(drug, ())
                ),
                help_text=gettext("mg, such as 1, 2.5, 5, 20"),
                widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text"}),
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        between = r";\s*|,?\s+|,$" if writes_comma() else r"[,;]\s*|\s+"  # 2,5 is one strength in German
        for drug in BY_MOUTH:
            try:
                data[drug] = sorted({_strength(word) for word in re.split(between, data.get(drug, "").strip()) if word})
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
        value = Decimal(with_point(word.removesuffix("mg")))
    except (ArithmeticError, EntryError):
        said = gettext("%(word)s is not a number of mg. Write strengths with commas between them, as in 2.5, 5.")
        raise ValueError(said % {"word": word}) from None
    if not (value.is_finite() and 0 < value <= MOST_MG and value == value.quantize(Decimal("0.01"))):
        said = gettext("%(word)s: a tablet has more than 0 and at most %(most)s mg, with at most two decimals.")
        raise ValueError(said % {"word": word, "most": MOST_MG})
    return value.quantize(Decimal("0.01"))


class StepsForm(forms.Form):
    """The steps of a plan, a row each. Rows left empty do not count."""

    note = forms.CharField(label=_("Note"), max_length=200, required=False)
    tablets_seen = forms.BooleanField(
        label=_("Save it all the same"), required=False, widget=forms.HiddenInput,
        help_text=_("Tablets are not halved here, and another strength may have to be ordered"),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None, *, rows: int = 0, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        numbers = [int(m[1]) for m in map(_ROW.fullmatch, data or ()) if m]
        self.rows = min(max([rows, FEWEST_ROWS, *(number + 1 for number in numbers)]), MOST_ROWS)
        for n in range(self.rows):
            self.fields[f"step_{n}_step_on"] = forms.DateField(
                label=gettext("Step %(number)s, first day") % {"number": n + 1}, required=False, widget=day_box()
            )
            self.fields[f"step_{n}_dose_pe_mg"] = NumberField(
                label=gettext("Step %(number)s, dose") % {"number": n + 1},
                required=False,
                max_digits=7,
                decimal_places=2,
            )
        self.order_fields([name for name in self.fields if name not in LAST] + list(LAST))

    @classmethod
    def filled(cls, steps: Sequence[PlannedStep], note: str = "") -> StepsForm:
        values: dict[str, Any] = {"note": note}
        for n, step in enumerate(steps):
            values[f"step_{n}_step_on"] = step.on
            values[f"step_{n}_dose_pe_mg"] = step.dose_pe_mg
        return cls(initial=values, rows=len(steps) + 2)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for n in range(self.rows):
            day, dose = f"step_{n}_step_on", f"step_{n}_dose_pe_mg"
            if day in self.errors or dose in self.errors:
                continue
            if data.get(day) is None and data.get(dose) is not None:
                self.add_error(day, gettext("Enter the first day of this dose."))
            if data.get(day) is not None and data.get(dose) is None:
                self.add_error(dose, gettext("Enter the dose of this step."))
        return data

    def numbered(self) -> list[tuple[int, dt.date, Decimal]]:
        """(row, first day, dose) of the rows that are filled in."""
        data = self.cleaned_data
        pairs = [(n, data.get(f"step_{n}_step_on"), data.get(f"step_{n}_dose_pe_mg")) for n in range(self.rows)]
        return [(n, day, dose) for n, day, dose in pairs if day is not None and dose is not None]

    def lines(self) -> list[tuple[int, Any, Any]]:
        """(number, day, dose) of each row, as bound fields."""
        return [(n + 1, self[f"step_{n}_step_on"], self[f"step_{n}_dose_pe_mg"]) for n in range(self.rows)]

    def asks_about(self, doses: Sequence[str]) -> bool:
        """Whether doses that the tablets at hand do not make (in words) are still to be looked at. Then the box says
        so, and the plan is saved once it is ticked.
        """
        if not doses:
            return False
        self.fields["tablets_seen"].widget = forms.CheckboxInput()
        if self.cleaned_data["tablets_seen"]:
            return False
        said = gettext("The tablets you have do not make these doses: %(doses)s. Change them, or tick the box.")
        self.add_error("tablets_seen", ValidationError(said % {"doses": "; ".join(doses)}, code="confirm"))
        return True

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

    confirmed_on = forms.DateField(label=_("Confirmed on"), widget=day_box())
    course = forms.TypedChoiceField(label=_("Change the dose of"), required=False, coerce=int, empty_value=None)
    out_of_range_reason = forms.CharField(
        label=_("Why this dose is meant"), max_length=200, required=False, widget=forms.HiddenInput()
    )

    # That the taper was on hold stood on the page, or was told since.
    hold_seen = forms.BooleanField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, choices: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["course"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [("", _("No dose: it is changed already, or elsewhere")), *choices]
        if self["out_of_range_reason"].value():
            self.ask_reason()

    def ask_reason(self) -> None:
        self.fields["out_of_range_reason"].widget = forms.TextInput(attrs={"maxlength": 200})


class HoldForm(forms.Form):
    starts_on = forms.DateField(label=_("From"), widget=day_box())
    ends_on = forms.DateField(label=_("Until"), required=False, widget=day_box(), help_text=_("Empty: until released"))
    reason = forms.CharField(label=_("Reason"), max_length=200)


class EndForm(forms.Form):
    ended_on = forms.DateField(
        label=_("Last day"), widget=day_box(), help_text=_("A new plan can begin once this day is over")
    )
    reason = forms.CharField(label=_("Reason"), max_length=200)
