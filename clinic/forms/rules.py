"""Switching a rule on or off."""

from __future__ import annotations

from django import forms


class SwitchForm(forms.Form):
    """`is_on` is what the rule is to be; why is asked for both ways."""

    is_on = forms.TypedChoiceField(
        choices=[("yes", "on"), ("no", "off")], coerce=lambda word: word == "yes", widget=forms.HiddenInput
    )
    reason = forms.CharField(
        label="Reason", max_length=200, help_text="Kept with the switch, and shown to everybody who reads this page"
    )
