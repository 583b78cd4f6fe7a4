"""What narrows a list, and what a person says when acting on an alert."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Role
from alerts.actions.life import SNOOZE_DAYS
from alerts.models import ON_LISTS, Alert, Reason, State
from clinic.context import DUE_WITHIN_DAYS
from clinic.forms.patient import day_box
from clinic.selectors.patients import clinicians
from clinic.selectors.worklist import ANY, NOBODY, Filters, rules_in_order
from monitoring.levels import Level
from patients.models import Subtype

PATIENTS_AT_MOST = 20
WHICH_LIST = (
    "state",
    "when",
    "what",
)  # where they are hidden they say which of several lists it is, and narrow nothing
# Days an address may name: next to the ends of the calendar nothing can be reckoned.
FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1), dt.date(2199, 12, 31)
REASONS = [("", _("Choose a reason")), *Reason.choices]


def patients_in(query: QueryDict) -> tuple[uuid.UUID, ...]:
    """The patients an address names, as `patient=`; what is no such name is left out."""
    found = []
    for text in query.getlist("patient")[:PATIENTS_AT_MOST]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return tuple(found)


def day_of_list(label: Any, widget: Any = None) -> forms.DateField:
    """A day that narrows a list."""
    bounds = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
    return forms.DateField(label=label, required=False, widget=widget or day_box(), validators=bounds)


class ListForm(forms.Form):
    """A form of the address. A box that holds nonsense says so, and counts as if it had not been filled."""

    first_boxes: tuple[str, ...] = ()  # those asked for most: they stand in the line above the list; none: all do
    # Carried along, so that narrowing a list further keeps the patients it was narrowed to.
    patient = forms.Field(required=False, widget=forms.MultipleHiddenInput)

    def __init__(self, query: QueryDict, **first: Any) -> None:
        data = query.copy()
        for name, value in first.items():
            if not data.get(name):
                data[name] = value
        super().__init__(data)
        self.first = first
        self.patients = patients_in(query)
        self.offer()
        self.is_valid()
        self.values = {
            name: self.cleaned_data.get(name, first.get(name, "")) for name in self.fields if name != "patient"
        }

    def offer(self) -> None:
        """Choices that depend on who reads are filled in here, before the boxes are read."""

    @property
    def first_row(self) -> list[forms.BoundField]:
        return [box for box in self.visible_fields() if not self.first_boxes or box.name in self.first_boxes]

    @property
    def more(self) -> list[forms.BoundField]:
        return [box for box in self.visible_fields() if self.first_boxes and box.name not in self.first_boxes]

    def _set(self, boxes: list[forms.BoundField]) -> int:
        return sum((self.values[box.name] or "") != self.first.get(box.name, "") for box in boxes)

    @property
    def set_count(self) -> int:
        """How many boxes say something else than the list says by itself."""
        return self._set([box for box in self if box.name != "patient" and not self._names_list(box)])

    @staticmethod
    def _names_list(box: forms.BoundField) -> bool:
        return box.is_hidden and box.name in WHICH_LIST

    @property
    def more_set_count(self) -> int:
        return self._set(self.more)

    @property
    def unfiltered(self) -> str:
        """The query of the same list with no box filled: which list it is, and about whom, stays."""
        which = [(box.name, self.values[box.name]) for box in self if self._names_list(box) and self.values[box.name]]
        return urlencode([*which, *(("patient", each) for each in self.patients)])


def _choice(label: Any, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=choices, **options)


def rule_choice() -> forms.ChoiceField:
    return _choice(_("Rule"), lambda: [("", gettext("Any rule")), *rules_in_order()])


def level_choice() -> forms.ChoiceField:
    return _choice(_("Level"), [("", _("Any level")), *((level, Level(level).label) for level in ON_LISTS)])


ROLES = [(role.value, role.label) for role in Role if role != Role.RESEARCHER]


class WorklistForm(ListForm):
    first_boxes = ("role", "level", "clinician")
    state = _choice(
        _("State"), [(s, s) for s in (State.OPEN, State.ACKNOWLEDGED, State.SNOOZED, ANY)], widget=forms.HiddenInput
    )
    role = _choice(_("On the list of"), [*ROLES, (ANY, _("All roles"))])
    level = level_choice()
    rule = rule_choice()
    due = _choice(
        _("Due"),
        [
            ("", _("Any day")),
            ("overdue", _("Overdue")),
            ("soon", format_lazy(_("Within {days} days"), days=DUE_WITHIN_DAYS)),
            ("none", _("No due day")),
        ],
    )

    clinician = _choice(_("Followed by"), [])

    def __init__(self, query: QueryDict, reader: Membership) -> None:
        self.reader = reader
        super().__init__(query, state=State.OPEN, role=reader.role if reader.role in dict(ROLES) else ANY)

    def offer(self) -> None:
        others = clinicians(self.reader.centre)
        me = [(pk, gettext("You")) for pk, _name in others if pk == str(self.reader.user_id)]
        rest = [pair for pair in others if pair[0] != str(self.reader.user_id)]
        self.fields["clinician"] = _choice(_("Followed by"), [("", _("Anybody")), *me, (NOBODY, _("Nobody")), *rest])

    def filters(self) -> Filters:
        return Filters(**self.values, patients=self.patients)


class DueForm(ListForm):
    when = _choice(_("When"), [("soon", "soon"), ("overdue", "overdue")], widget=forms.HiddenInput)
    role = _choice(_("For"), [(ANY, _("All roles")), *ROLES])
    rule = rule_choice()
    subtype = _choice(_("Subtype"), [("", _("Any subtype")), *Subtype.choices])

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query, when="soon", role=ANY)

    def filters(self) -> Filters:
        values = {name: value for name, value in self.values.items() if name != "when"}
        return Filters(**values, patients=self.patients)


class UnjudgedForm(ListForm):
    rule = rule_choice()

    def filters(self) -> Filters:
        return Filters(rule=self.values["rule"], patients=self.patients)


# ----------------------------------------------------------------------------------------------------- acting on alerts


REMARK = _("Remark")


def _text(label: Any = REMARK, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )


class AcknowledgeForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=REASONS, required=False)
    text = _text()


class CloseForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=REASONS, error_messages={"required": _("Choose a reason.")})
    text = _text()


class SnoozeForm(CloseForm):
    """`until` is offered as one week from today, and reaches as far as the level allows."""

    field_order = ("until", "reason", "text")
    until = forms.DateField(
        label=_("Until"), widget=day_box(), help_text=_("It wakes the day after, or when its level rises.")
    )

    def __init__(self, data: Any = None, *, alert: Alert, today: dt.date, **options: Any) -> None:
        super().__init__(data, initial={"until": today + dt.timedelta(days=7)}, **options)
        longest = SNOOZE_DAYS.get(Level(alert.level), 0)
        self.fields["until"].widget.attrs.update(
            min=today.isoformat(), max=(today + dt.timedelta(days=longest)).isoformat()
        )
        self.fields["until"].help_text = gettext(
            "At most %(days)s days for this level. It wakes the day after, or at once when its level rises."
        ) % {"days": longest}


class ExceptionForm(forms.Form):
    """The alert's rule is not asked about the patient any more, from today until a day."""

    ends_on = forms.DateField(
        label=_("Until"), widget=day_box(), help_text=_("Last day. Then the rule is asked again.")
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("Shown wherever the rule would have spoken")
    )


class CommentForm(forms.Form):
    text = _text(_("Comment"), required=True)


class BulkForm(forms.Form):
    """Several alerts at once. A box holds "id:level" as the reader saw it: one that rose meanwhile is left alone."""

    reason = forms.ChoiceField(
        label=_("Reason"), choices=REASONS, error_messages={"required": _("Choose a reason for all of them.")}
    )
    text = forms.CharField(
        label=_("Remark"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"placeholder": _("Remark (optional)")}),
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="bulk_%s")
        self.ticked: dict[uuid.UUID, str] = {}
        for box in data.getlist("alert")[:200] if data else ():
            name, _, level = box.partition(":")
            try:
                self.ticked[uuid.UUID(name)] = level
            except ValueError:
                continue

    def clean(self) -> dict[str, Any]:
        if not self.ticked:
            raise forms.ValidationError(gettext("Tick the alerts first."))
        return super().clean() or {}

    def ticked_names(self) -> set[str]:
        return {str(name) for name in self.ticked}
