"""Tests to book for those who were ticked."""

from __future__ import annotations

import uuid

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinic.forms.patient import day_box
from monitoring.models import TestKind

AT_MOST = 100


def ticked(query: QueryDict) -> list[uuid.UUID]:
    """The patients that `patient=` names; what is no such name is left out."""
    found = []
    for text in query.getlist("patient")[:AT_MOST]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


class BookForm(forms.Form):
    kinds = forms.MultipleChoiceField(
        label=_("What"), choices=TestKind.choices, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one.")},
    )  # fmt: skip
    booked_for = forms.DateField(label=_("Day"), widget=day_box(), help_text=_("The same day for all of them"))
