"""What narrows the list of past alerts. These names stand in addresses, and are linked to from the overview."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import Centre
from alerts import outcomes
from clinic.forms.worklist import ROLES, ListForm, day_of_list, level_choice, rule_choice
from clinic.selectors.history import CLOSED, TOUCHED, HistoryFilters
from clinic.selectors.patients import clinicians
from clinic.selectors.worklist import ANY, NOBODY


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=choices)


class HistoryForm(ListForm):
    first_boxes = ("state", "role", "outcome")
    state = _choice(_("Which"), [(CLOSED, _("Closed")), (ANY, _("Open and closed"))])
    role = _choice(_("On the list of"), [(ANY, _("All roles")), *ROLES])
    level = level_choice()
    rule = rule_choice()
    outcome = _choice(
        _("What became of it"),
        [("", _("Anything")), *outcomes.LABELS.items(), (TOUCHED, _("Acted on or overridden"))],
    )
    clinician = _choice(_("Followed by"), [])
    opened_from = day_of_list(_("Opened from"))
    opened_to = day_of_list(_("Opened until"))
    closed_from = day_of_list(_("Closed from"))
    closed_to = day_of_list(_("Closed until"))
    overdue_on = day_of_list(_("Overdue on"))

    def __init__(self, query: QueryDict, *, centre: Centre) -> None:
        self.centre = centre
        super().__init__(query, state=CLOSED, role=ANY)

    def offer(self) -> None:
        self.fields["clinician"] = _choice(
            _("Followed by"), [("", _("Anybody")), (NOBODY, _("Nobody")), *clinicians(self.centre)]
        )

    def filters(self) -> HistoryFilters:
        days = ("opened_from", "opened_to", "closed_from", "closed_to", "overdue_on")
        values = {**self.values, **{day: self.values[day] or None for day in days}}
        return HistoryFilters(**values, patients=self.patients)
