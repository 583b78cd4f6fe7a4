"""What was decided about second-line treatment."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from alerts.actions import SNOOZE_DAYS
from alerts.models import Alert
from clinic.forms.patient import day_box
from monitoring.levels import Level
from therapy.models import Option


class DecisionForm(forms.Form):
    """`alert` is the one that is open. No day is bounded by the browser alone: the action says what it refuses."""

    option = forms.ChoiceField(
        label="Decision",
        choices=[("", "Choose"), *Option.choices],
        error_messages={"required": "Choose what was decided."},
    )
    reason = forms.CharField(
        label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Why this, or why none. It stays beside the outcome.", error_messages={"required": "Say why."},
    )  # fmt: skip
    decided_on = forms.DateField(label="Decided on", widget=day_box())
    look_again_on = forms.DateField(label="Look again on", required=False, widget=day_box())
    seen_alert = forms.UUIDField(required=False, widget=forms.HiddenInput())
    seen_level = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, data: Any = None, *, alert: Alert | None, today: dt.date, **options: Any) -> None:
        first: dict[str, Any] = {"decided_on": today}
        if alert is not None:
            first |= {"seen_alert": alert.public_id, "seen_level": alert.level}
        super().__init__(data, initial=first, **options)
        help_text = "No alert is open: the day is kept with the decision."
        if alert is not None:
            days = SNOOZE_DAYS.get(Level(alert.level), 0)
            help_text = (
                f"The alert comes back on this day, at most {days} days ahead. "
                "Left empty, it is acknowledged as acted on."
            )
        self.fields["look_again_on"].help_text = help_text
