"""What is typed about drugs. Forms see that it can be read; the actions, whether it can be given."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.forms.numbers import NumberField
from clinic.forms.patient import day_box
from therapy.dosing import name_of, period
from therapy.formulary import FORMULARY, PERIOD_DAYS, Drug, Kind
from therapy.models import Infusion, Route, StopReason

KINDS = {
    Kind.GLUCOCORTICOID: _("Glucocorticoids"),
    Kind.CONVENTIONAL: _("Conventional"),
    Kind.IMMUNOGLOBULIN: _("Immunoglobulin"),
    Kind.BIOLOGIC: _("Biologics"),
    Kind.CALCINEURIN: _("Calcineurin inhibitors"),
    Kind.JAK: _("JAK inhibitors"),
    Kind.OTHER: _("Others"),
    Kind.SUPPORTIVE: _("Given beside them"),
    Kind.STATIN: _("Statins"),
}


class DrugForm(forms.Form):
    """Which drug is started. Asked for in the address: it says nothing of a person."""

    drug = forms.ChoiceField(label=_("Drug"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            ("", _("Choose a drug")),
            *(
                (
                    label,
                    sorted(
                        ((d.code, name_of(d.code)) for d in FORMULARY.values() if d.kind is kind), key=lambda c: c[1]
                    ),
                )
                for kind, label in KINDS.items()
            ),
        ]
        self.fields["drug"] = forms.ChoiceField(label=_("Drug"), choices=choices)


def _period(days: int) -> str:
    """ "a day", "2 weeks", "10 days"."""
    return {1: gettext("a day"), 7: gettext("a week")}.get(days) or period(days)


class DoseForm(forms.Form):
    """A dose of one drug: `amount` in its unit, `times` in every `every_days` days."""

    amount = NumberField(label=_("Dose each time"), max_digits=10, decimal_places=3)
    times = forms.IntegerField(
        label=_("How many times"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "aria-label": _("How many times")}),
    )
    every_days = forms.IntegerField(label=_("Period"))
    starts_on = forms.DateField(label=_("First day"), widget=day_box())
    ends_on = forms.DateField(
        label=_("Last day"), required=False, widget=day_box(), help_text=_("Empty while it is open")
    )
    out_of_range_reason = forms.CharField(
        label=_("Why this dose is meant"), max_length=200, required=False, widget=forms.HiddenInput()
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
        self.show_reasons()

    def show_reasons(self, *refused: str) -> None:
        """Show the boxes for reasons in `refused`, and those in which one was typed."""
        for name in set(self.fields) & {"out_of_range_reason", "clash_reason"}:
            if self[name].value() or name in refused:
                self.fields[name].widget = forms.TextInput(attrs={"maxlength": 200})

    def partly(self) -> tuple[Decimal | None, int | None, int | None]:
        """(amount, times, every_days) as far as they can be read."""
        if not self.is_bound:
            return None, None, None
        self.is_valid()
        data = self.cleaned_data
        return data.get("amount"), data.get("times"), data.get("every_days")


class StartForm(DoseForm):
    """The first dose of a new course."""

    route = forms.ChoiceField(label=_("Route"))
    indication = forms.CharField(label=_("Indication"), max_length=120, required=False)
    clash_reason = forms.CharField(
        label=_("Why they are given together"), max_length=200, required=False, widget=forms.HiddenInput()
    )

    field_order = (
        "route", "amount", "times", "every_days", "starts_on", "ends_on", "indication", "out_of_range_reason",
        "clash_reason",
    )  # fmt: skip

    def __init__(self, *args: Any, drug: Drug, **kwargs: Any) -> None:
        super().__init__(*args, drug=drug, **kwargs)
        self.fields["route"] = forms.ChoiceField(label=_("Route"), choices=[(r, Route(r).label) for r in drug.routes])
        self.order_fields(self.field_order)

    @staticmethod
    def first_values(drug: Drug, today: dt.date) -> dict[str, Any]:
        return {
            "route": drug.routes[0], "times": drug.times, "every_days": PERIOD_DAYS[drug.periods[0]],
            "starts_on": today,
        }  # fmt: skip


class DoseCorrectionForm(DoseForm):
    """What was recorded was not what was given."""

    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("Why the old entry was wrong"))


class StopForm(forms.Form):
    stopped_on = forms.DateField(label=_("Last day"), widget=day_box(), help_text=_("The dose ends with this day"))
    reason = forms.ChoiceField(label=_("Why"), choices=[("", _("Choose")), *StopReason.choices])
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class InfusionForm(forms.Form):
    given_on = forms.DateField(label=_("Given on"), widget=day_box())
    amount = NumberField(label=_("Amount"), max_digits=10, decimal_places=3)
    batch = forms.CharField(
        label=_("Batch"), max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    max_rate_ml_per_hour = NumberField(
        label=_("Highest rate"), max_digits=7, decimal_places=1, required=False,
        help_text=_("mL an hour"),
    )  # fmt: skip
    reaction = forms.ChoiceField(
        label=_("Reaction"), choices=Infusion.Reaction.choices, initial=Infusion.Reaction.NOT_RECORDED
    )
