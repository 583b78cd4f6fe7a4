"""What is typed about physiotherapy."""

from __future__ import annotations

import datetime as dt

from django import forms

from clinic.forms.patient import day_box


def _count_box() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})


class PlanForm(forms.Form):
    starts_on = forms.DateField(label="From", widget=day_box())
    sessions_per_week = forms.IntegerField(label="Sessions a week", initial=2, widget=_count_box())
    goal = forms.CharField(
        label="Goal", max_length=200, required=False, help_text="In the patient's words, such as stairs without a rail"
    )


class BookForm(forms.Form):
    first_on = forms.DateField(label="First session", widget=day_box())
    every_days = forms.TypedChoiceField(
        label="Repeated",
        coerce=int,
        choices=[(7, "every week"), (14, "every 2 weeks"), (28, "every 4 weeks"), (1, "every day")],
        initial=7,
    )
    count = forms.IntegerField(label="Sessions in all", initial=1, widget=_count_box())


class PauseForm(forms.Form):
    starts_on = forms.DateField(label="From", widget=day_box())
    ends_on = forms.DateField(label="Until", required=False, widget=day_box(), help_text="Empty: until resumed")
    reason = forms.CharField(label="Reason", max_length=200)


class EndForm(forms.Form):
    ended_on = forms.DateField(label="Last day", widget=day_box(), help_text="Sessions booked after it lapse")
    reason = forms.CharField(label="Reason", max_length=200)


class DeclineForm(forms.Form):
    declined_on = forms.DateField(label="Declined on", widget=day_box())
    ends_on = forms.DateField(
        label="Ask again after", required=False, widget=day_box(), help_text="Empty: after 6 months"
    )


PARTS: dict[str, type[forms.Form]] = {"book": BookForm, "pause": PauseForm, "end": EndForm}


def plan_forms(plan_id: int, today: dt.date) -> dict[str, forms.Form]:
    """The forms of one plan. Their boxes have ids of their own, because several plans stand on one page."""
    first: dict[str, dict[str, dt.date]] = {"book": {}, "pause": {"starts_on": today}, "end": {"ended_on": today}}
    return {part: form(initial=first[part], auto_id=f"{part}_{plan_id}_%s") for part, form in PARTS.items()}
