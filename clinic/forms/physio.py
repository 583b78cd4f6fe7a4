"""What is typed about physiotherapy."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from clinic.forms.patient import day_box


def _count_box() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})


class PlanForm(forms.Form):
    starts_on = forms.DateField(label=_("From"), widget=day_box())
    sessions_per_week = forms.IntegerField(label=_("Sessions a week"), initial=2, widget=_count_box())
    goal = forms.CharField(
        label=_("Goal"),
        max_length=200,
        required=False,
        help_text=_("In the patient's words, such as stairs without a rail"),
    )


class BookForm(forms.Form):
    first_on = forms.DateField(label=_("From"), widget=day_box())
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"),
        coerce=int,
        choices=list(WEEKDAYS_ABBR.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: the weekday of the first session"),
    )
    every_days = forms.TypedChoiceField(
        label=_("Repeated"),
        coerce=int,
        choices=[(7, _("every week")), (14, _("every 2 weeks")), (28, _("every 4 weeks"))],
        initial=7,
    )
    count = forms.IntegerField(label=_("Sessions in all"), initial=1, widget=_count_box())


class PauseForm(forms.Form):
    starts_on = forms.DateField(label=_("From"), widget=day_box())
    ends_on = forms.DateField(label=_("Until"), required=False, widget=day_box(), help_text=_("Empty: until resumed"))
    reason = forms.CharField(label=_("Reason"), max_length=200)


class EndForm(forms.Form):
    ended_on = forms.DateField(label=_("Last day"), widget=day_box(), help_text=_("Sessions booked after it lapse"))
    reason = forms.CharField(label=_("Reason"), max_length=200)


class DeclineForm(forms.Form):
    declined_on = forms.DateField(label=_("Declined on"), widget=day_box())
    ends_on = forms.DateField(
        label=_("Ask again after"), required=False, widget=day_box(), help_text=_("Empty: after 6 months")
    )


PARTS: dict[str, type[forms.Form]] = {"book": BookForm, "pause": PauseForm, "end": EndForm}


def plan_forms(plan_id: int, today: dt.date) -> dict[str, forms.Form]:
    """The forms of one plan. Their boxes have ids of their own, because several plans stand on one page."""
    first: dict[str, dict[str, dt.date]] = {"book": {}, "pause": {"starts_on": today}, "end": {"ended_on": today}}
    return {part: form(initial=first[part], auto_id=f"{part}_{plan_id}_%s") for part, form in PARTS.items()}
