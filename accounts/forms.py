"""Forms of the profile page and of the people of a centre."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Role, Scope, User
from accounts.permissions import scopes_of

LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("180", _("180 days")), ("366", _("One year"))]


class ProfileForm(forms.ModelForm):
    language = forms.ChoiceField(label=_("Language"), required=False)

    class Meta:
        model = User
        fields = ["full_name", "language"]
        labels = {"full_name": _("Your name")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        # By their own names: whoever looks for a language cannot read this one.
        language.choices = [("", _("As the browser says")), *settings.LANGUAGES]


class TokenForm(forms.Form):
    """Offers only the scopes the role has."""

    name = forms.CharField(max_length=80, label=_("What is it for?"), help_text=_("Such as “Laboratory feed”."))
    scopes = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, label=_("It may"))
    days = forms.ChoiceField(choices=LIFETIMES, initial="90", label=_("It ends after"))

    def __init__(self, *args: Any, role: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [(s, Scope(s).label) for s in scopes_of(role)]


class NewMemberForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"))
    full_name = forms.CharField(
        max_length=120, label=_("Name"), help_text=_("Not used where the person is known already.")
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class MemberForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ["role", "is_on_call"]
        labels = {"is_on_call": _("On call")}


class PeopleFilter(forms.Form):
    """Posted, as every search for a person: a name must not stand in an address."""

    q = forms.CharField(
        label=_("Name or e-mail"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label=_("Role"), required=False, choices=[("", _("All")), *Role.choices])
    show = forms.ChoiceField(
        label=_("Who"), required=False, choices=[("", _("Members")), ("former", _("Former members"))]
    )

    def question(self) -> dict[str, Any]:
        """The arguments of selectors.members."""
        self.is_valid()
        data = self.cleaned_data
        return {"text": data.get("q", ""), "role": data.get("role", ""), "former": data.get("show") == "former"}
