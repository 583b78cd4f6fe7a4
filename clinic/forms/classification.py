"""The items of the classification criteria: each yes, no, or not looked at."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms.patient import day_box
from clinic.selectors.classification import LABELS
from patients.models import ClassificationItems

# The order of the page: heading, note, items.
GROUPS: tuple[tuple[Any, Any, tuple[str, ...]], ...] = (
    (
        _("Strength"), _("Objective, symmetric, usually progressive"),
        ("weak_upper_proximal", "weak_lower_proximal", "neck_flexors_weaker", "legs_proximal_weaker"),
    ),
    (_("Skin and swallowing"), "", ("heliotrope", "gottron_papules", "gottron_sign", "dysphagia")),
    (
        _("Biopsy"), _("Read only where there was one"),
        ("endomysial_infiltrate", "perimysial_infiltrate", "perifascicular_atrophy", "rimmed_vacuoles"),
    ),
    (_("Tells inclusion body myositis"), _("No points"), ("finger_flexor_weakness", "improved_on_treatment")),
)  # fmt: skip
UNSEEN = "unseen"
CHOICES = ((UNSEEN, _("Not looked at")), ("yes", _("Yes")), ("no", _("No")))
_VALUES = {"yes": True, "no": False, UNSEEN: None}


class Finding(forms.ChoiceField):
    """Always answered: what says nothing says that nobody looked."""

    def clean(self, value: Any) -> Any:
        return super().clean(value or UNSEEN)


class ClassificationForm(forms.Form):
    found_on = forms.DateField(
        label=_("Found on"), widget=day_box(), help_text=_("The items of the latest day count, all of them")
    )
    has_biopsy = forms.BooleanField(label=_("There was a muscle biopsy"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in LABELS.items():
            self.fields[name] = Finding(
                label=label, choices=CHOICES, initial=UNSEEN, widget=forms.Select(attrs={"class": "form-select"})
            )

    @staticmethod
    def first(items: ClassificationItems | None) -> dict[str, Any]:
        """What was found last, to be looked at again."""
        if items is None:
            return {}
        words = {value: word for word, value in _VALUES.items()}
        return {"has_biopsy": items.has_biopsy} | {name: words[getattr(items, name)] for name in LABELS}

    def groups(self) -> list[tuple[Any, Any, list[Any]]]:
        """(heading, note, boxes); the biopsy has its tick first."""
        return [
            (
                title,
                note,
                [*([self["has_biopsy"]] if "endomysial_infiltrate" in names else []), *(self[name] for name in names)],
            )
            for title, note, names in GROUPS
        ]

    def values(self) -> dict[str, Any]:
        """The keyword arguments of the action."""
        data = self.cleaned_data
        found = {name: _VALUES[data[name]] for name in LABELS}
        return {"found_on": data["found_on"], "has_biopsy": data["has_biopsy"], **found}
