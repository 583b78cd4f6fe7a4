"""Proposing a change of a rule, confirming and withdrawing it. Whether a number may be so is the action's to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.selectors.governing import Number
from monitoring.models import Mode

WHY = _("Kept with the change, and shown to everybody who reads this page")


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=WHY)


class ModeForm(ReasonForm):
    field_order = ("mode", "reason")

    def __init__(self, *args: Any, mode: str, **kwargs: Any) -> None:
        """`mode` is what it is now: one of the others is proposed."""
        super().__init__(*args, **kwargs)
        told = {
            Mode.ON: _("on: it raises alerts"),
            Mode.SHADOW: _("in the shadow: asked and counted, shown only here"),
            Mode.OFF: _("off: not asked"),
        }
        others = [(str(word), text) for word, text in told.items() if word != mode]
        self.fields["mode"] = forms.ChoiceField(label=_("The rule is to be"), widget=forms.RadioSelect, choices=others)
        self.order_fields(self.field_order)


class SignForm(ReasonForm):
    reason = forms.CharField(label=_("What you have looked at"), max_length=200, help_text=WHY)


class NumbersForm(forms.Form):
    """A box for every number that may be changed, with what it is now. Text: the action reads it as what it is."""

    def __init__(self, *args: Any, numbers: Sequence[Number], **kwargs: Any) -> None:
        kwargs.setdefault("prefix", "number")
        super().__init__(*args, **kwargs)
        for number in numbers:
            if number.can_change:
                help_text = number.bounds + (f". {number.remark}" if number.remark else "")
                self.fields[number.name] = forms.CharField(
                    label=number.label, max_length=60, initial=number.typed, help_text=help_text
                )
        self.fields["reason"] = forms.CharField(label=_("Reason"), max_length=200, help_text=WHY)
