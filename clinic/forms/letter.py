"""A letter as it is finished by hand."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class LetterForm(forms.Form):
    to = forms.CharField(
        label=_("To"),
        required=False,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Name and address, as they stand in the window of the envelope"),
    )
    subject = forms.CharField(label=_("About"), max_length=200)
    body = forms.CharField(
        label=_("Letter"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 28}),
        help_text=_("Change whatever you like. An empty line begins a new paragraph."),
    )
    signed = forms.CharField(label=_("Signed"), max_length=200)
