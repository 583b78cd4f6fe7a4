"""What narrows the trail."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from clinic.forms.patient import day_box
from clinic.forms.worklist import ListForm
from clinic.selectors.trail import SYSTEM, TrailFilters


class TrailForm(ListForm):
    what = forms.ChoiceField(
        required=False, choices=[("changes", "changes"), ("looks", "looks")], widget=forms.HiddenInput
    )
    who = forms.ChoiceField(label="Who", required=False)
    day = forms.DateField(label="Day", required=False, widget=day_box())

    def __init__(self, query: QueryDict, people: list[tuple[str, str]]) -> None:
        self.people = people
        super().__init__(query, what="changes")

    def full_clean(self) -> None:
        who = self.fields["who"]
        assert isinstance(who, forms.ChoiceField)
        who.choices = [("", "Anybody"), *self.people, (SYSTEM, "The system itself")]
        super().full_clean()

    def filters(self) -> TrailFilters:
        return TrailFilters(
            looks=self.values["what"] == "looks",
            who=self.values["who"],
            day=self.values["day"] or None,
            patients=self.patients,
        )
