"""What narrows the trail."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from clinic.forms.worklist import ListForm, day_of_list
from clinic.selectors.trail import AREAS, SYSTEM, TrailFilters


class TrailForm(ListForm):
    first_boxes = ("who", "area")
    what = forms.ChoiceField(
        required=False, choices=[("changes", "changes"), ("looks", "looks")], widget=forms.HiddenInput
    )
    who = forms.ChoiceField(label=_("Who"), required=False)
    area = forms.ChoiceField(
        label=pgettext_lazy("part of the record", "About"),
        required=False,
        choices=[("", _("Anything")), *AREAS.items()],
    )
    day = day_of_list(_("From the day"))
    until = day_of_list(_("Until"))

    def __init__(self, query: QueryDict, people: list[tuple[str, str]]) -> None:
        self.people = people
        super().__init__(query, what="changes")
        if self.values["what"] == "looks":
            del self.fields["area"]  # looks have none

    def full_clean(self) -> None:
        who = self.fields["who"]
        assert isinstance(who, forms.ChoiceField)
        who.choices = [("", gettext("Anybody")), *self.people, (SYSTEM, gettext("The system itself"))]
        super().full_clean()

    def filters(self) -> TrailFilters:
        return TrailFilters(
            looks=self.values["what"] == "looks",
            who=self.values["who"],
            area=self.values["area"],
            day=self.values["day"] or None,
            until=self.values["until"] or None,
            patients=self.patients,
        )
