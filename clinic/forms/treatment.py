"""What is typed about drugs. Forms see that it can be read; the actions, whether it can be given."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms

from clinic.forms.patient import day_box
from therapy.formulary import FORMULARY, PERIOD_DAYS, Drug, Kind
from therapy.models import Infusion, Route, StopReason

KINDS = {
    Kind.GLUCOCORTICOID: "Glucocorticoids",
    Kind.CONVENTIONAL: "Conventional",
    Kind.IMMUNOGLOBULIN: "Immunoglobulin",
    Kind.BIOLOGIC: "Biologics",
    Kind.CALCINEURIN: "Calcineurin inhibitors",
    Kind.JAK: "JAK inhibitors",
    Kind.OTHER: "Procedures",
    Kind.SUPPORTIVE: "Given beside them",
    Kind.STATIN: "Statins",
}


def number_box() -> forms.TextInput:
    """A text box: a number box would throw away what cannot be read."""
    return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})


class DrugForm(forms.Form):
    """Which drug is started. Asked for in the address: it says nothing of a person."""

    drug = forms.ChoiceField(label="Drug")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            ("", "Choose a drug"),
            *(
                (label, sorted(((d.code, d.name) for d in FORMULARY.values() if d.kind is kind), key=lambda c: c[1]))
                for kind, label in KINDS.items()
            ),
        ]
        self.fields["drug"] = forms.ChoiceField(label="Drug", choices=choices)


def _period(days: int) -> str:
    """ "a day", "2 weeks", "10 days"."""
    name = next((name for name, length in PERIOD_DAYS.items() if length == days), f"{days} days")
    return name if name[0].isdecimal() else f"a {name}"


class DoseForm(forms.Form):
    """A dose of one drug: `amount` in its unit, `times` in every `every_days` days."""

    amount = forms.DecimalField(label="Dose each time", max_digits=10, decimal_places=3, widget=number_box())
    times = forms.IntegerField(
        label="How many times", widget=forms.TextInput(attrs={"inputmode": "numeric", "aria-label": "How many times"})
    )
    every_days = forms.IntegerField(label="Period")
    starts_on = forms.DateField(label="First day", widget=day_box())
    ends_on = forms.DateField(label="Last day", required=False, widget=day_box(), help_text="Empty while it is open")
    out_of_range_reason = forms.CharField(
        label="Why this dose is meant", max_length=200, required=False, widget=forms.HiddenInput()
    )

    def __init__(self, *args: Any, drug: Drug, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.drug = drug
        periods = [(days, _period(days)) for days in PERIOD_DAYS.values()]
        usual = [PERIOD_DAYS[name] for name in drug.periods]
        # A rhythm the drug must not be given in is not offered; who asks for it all the same is told why not.
        offered = [(d, n) for d, n in periods if drug.min_interval_days is None or d >= drug.min_interval_days]
        typed = str(self["every_days"].value() or "")
        if typed.isdecimal() and int(typed) not in [days for days, _ in offered]:
            offered.append((int(typed), _period(int(typed))))
        offered.sort(key=lambda pair: (pair[0] not in usual, usual.index(pair[0]) if pair[0] in usual else 0, pair[0]))
        self.fields["every_days"].widget = forms.Select(choices=offered)
        if self["out_of_range_reason"].value():
            self.ask_reason()

    def ask_reason(self) -> None:
        self.fields["out_of_range_reason"].widget = forms.TextInput(attrs={"maxlength": 200})

    def asks_reason(self) -> bool:
        """Whether the action refused the dose until a reason is given; then the box for it is shown."""
        errors = self.errors.as_data().get("out_of_range_reason", ())
        if any(error.code == "confirm" for error in errors):
            self.ask_reason()
            return True
        return False

    def partly(self) -> tuple[Decimal | None, int | None, int | None]:
        """(amount, times, every_days) as far as they can be read."""
        if not self.is_bound:
            return None, None, None
        self.is_valid()
        data = self.cleaned_data
        return data.get("amount"), data.get("times"), data.get("every_days")


class StartForm(DoseForm):
    """The first dose of a new course."""

    route = forms.ChoiceField(label="Route")
    indication = forms.CharField(label="Indication", max_length=120, required=False)

    field_order = (
        "route", "amount", "times", "every_days", "starts_on", "ends_on", "indication", "out_of_range_reason",
    )  # fmt: skip

    def __init__(self, *args: Any, drug: Drug, **kwargs: Any) -> None:
        super().__init__(*args, drug=drug, **kwargs)
        self.fields["route"] = forms.ChoiceField(label="Route", choices=[(r, Route(r).label) for r in drug.routes])
        self.order_fields(self.field_order)

    @staticmethod
    def first_values(drug: Drug, today: dt.date) -> dict[str, Any]:
        return {
            "route": drug.routes[0], "times": drug.times, "every_days": PERIOD_DAYS[drug.periods[0]],
            "starts_on": today,
        }  # fmt: skip


class DoseCorrectionForm(DoseForm):
    """What was recorded was not what was given."""

    reason = forms.CharField(label="Reason", max_length=200, help_text="Why the old entry was wrong")


class StopForm(forms.Form):
    stopped_on = forms.DateField(label="Last day", widget=day_box(), help_text="The dose ends with this day")
    reason = forms.ChoiceField(label="Why", choices=[("", "Choose"), *StopReason.choices])
    note = forms.CharField(label="Note", max_length=200, required=False)


class InfusionForm(forms.Form):
    given_on = forms.DateField(label="Given on", widget=day_box())
    amount = forms.DecimalField(label="Amount", max_digits=10, decimal_places=3, widget=number_box())
    batch = forms.CharField(
        label="Batch", max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    max_rate_ml_per_hour = forms.DecimalField(
        label="Highest rate", max_digits=7, decimal_places=1, required=False, widget=number_box(),
        help_text="mL an hour",
    )  # fmt: skip
    reaction = forms.ChoiceField(
        label="Reaction", choices=Infusion.Reaction.choices, initial=Infusion.Reaction.NOT_RECORDED
    )
