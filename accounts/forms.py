"""Forms of the profile page and of the people of a centre."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import Membership, Role, Scope, User
from accounts.permissions import scopes_of

LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("180", "180 days"), ("366", "One year")]


class NameForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["full_name"]
        labels = {"full_name": "Your name"}


class TokenForm(forms.Form):
    """Offers only the scopes the role has."""

    name = forms.CharField(max_length=80, label="What is it for?", help_text="Such as “Laboratory feed”.")
    scopes = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, label="It may")
    days = forms.ChoiceField(choices=LIFETIMES, initial="90", label="It ends after")

    def __init__(self, *args: Any, role: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [(s, Scope(s).label) for s in scopes_of(role)]


class NewMemberForm(forms.Form):
    email = forms.EmailField(label="E-mail address")
    full_name = forms.CharField(max_length=120, label="Name", help_text="Not used where the person is known already.")
    role = forms.ChoiceField(choices=Role.choices)


class MemberForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ["role", "is_on_call"]
        labels = {"is_on_call": "On call"}
