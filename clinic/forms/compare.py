"""Which two days are compared."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.forms.patient import day_box


class CompareForm(forms.Form):
    """A form of the address."""

    a = forms.DateField(label=gettext_lazy("First day"), widget=day_box())
    b = forms.DateField(label=gettext_lazy("Second day"), widget=day_box())

    def __init__(self, data: Any, *, as_of: dt.date, born_on: dt.date) -> None:
        super().__init__(data)
        self.as_of, self.born_on = as_of, born_on
        for field in self.fields.values():
            field.widget.attrs.update(max=as_of.isoformat(), list="assessed-days")

    def _day(self, name: str) -> dt.date:
        day: dt.date = self.cleaned_data[name]
        if day > self.as_of:
            raise forms.ValidationError(_("This day is still to come."))
        if day < self.born_on:
            raise forms.ValidationError(_("This day lies before the birth."))
        return day

    def clean_a(self) -> dt.date:
        return self._day("a")

    def clean_b(self) -> dt.date:
        return self._day("b")
