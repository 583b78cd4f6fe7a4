"""What is typed about infusions: one that was given, and the plan of a course of immunoglobulin."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clinic.forms.numbers import NumberField
from clinic.forms.treatment import InfusionForm
from monitoring.entry import plain
from monitoring.wording import number
from therapy.infusions import NUMBERS, VIAL_SIZES


class RecordForm(InfusionForm):
    """One infusion. `confirmed` is asked for where something about it is unusual: what was given can be recorded."""

    confirmed = forms.BooleanField(
        label=_("This is what was given"), required=False, widget=forms.HiddenInput,
        help_text=_("It is recorded as it is, and the alerts say the same"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["max_rate_ml_per_hour"].help_text = ""  # the unit stands beside the box

    def ask_to_confirm(self) -> None:
        self.fields["confirmed"].widget = forms.CheckboxInput()

    def entered(self) -> dict[str, Any]:
        """What the action takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "confirmed"}


def _days() -> list[tuple[int, str]]:
    numbers = range(NUMBERS.course_days_least, NUMBERS.course_days_most + 1)
    return [(n, ngettext("%(n)s day", "%(n)s days", n) % {"n": n}) for n in numbers]


class PlanForm(forms.Form):
    """What a plan depends on. Nothing of it is saved."""

    weight_kg = NumberField(
        label=_("Weight"),
        min_value=Decimal(1),
        max_value=Decimal(500),
        max_digits=5,
        decimal_places=1,
    )
    days = forms.TypedChoiceField(
        label=_("Over"),
        coerce=int,
        choices=_days,
    )
    sizes = forms.TypedMultipleChoiceField(
        label=_("Vials in stock"),
        coerce=Decimal,
        choices=lambda: [(plain(size), f"{number(size)} g") for size in VIAL_SIZES],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one size.")},
    )
    at_risk = forms.BooleanField(
        label=_("Keep below the rate for patients at risk"),
        required=False,
        help_text=_("Of thrombosis or harm to the kidneys. What is on record counts, ticked or not"),
    )

    @staticmethod
    def first_values(weight_kg: Decimal | None, *, at_risk: bool) -> dict[str, Any]:
        return {
            "weight_kg": "" if weight_kg is None else weight_kg,
            "days": NUMBERS.course_days_most,
            "sizes": [plain(size) for size in VIAL_SIZES],
            "at_risk": at_risk,
        }
