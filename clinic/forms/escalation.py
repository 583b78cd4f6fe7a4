"""What was decided about second-line treatment."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from alerts.actions.life import SNOOZE_DAYS
from alerts.models import Alert
from clinic.forms.patient import day_box
from monitoring.levels import Level
from therapy.models import Option


class DecisionForm(forms.Form):
    """`alert` is the one that is open. No day is bounded by the browser alone: the action says what it refuses."""

    option = forms.ChoiceField(
        label=_("Decision"),
        choices=[("", _("Choose")), *Option.choices],
        error_messages={"required": _("Choose what was decided.")},
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Why this, or why none. It stays beside the outcome."), error_messages={"required": _("Say why.")},
    )  # fmt: skip
    decided_on = forms.DateField(label=_("Decided on"), widget=day_box())
    look_again_on = forms.DateField(label=_("Look again on"), required=False, widget=day_box())
    seen_alert = forms.UUIDField(required=False, widget=forms.HiddenInput())
    seen_level = forms.CharField(required=False, widget=forms.HiddenInput())

    # The newest decision that stood on the page: of a newer one whoever decides is told first.
    seen_decision = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def __init__(self, data: Any = None, *, alert: Alert | None, newest: int, today: dt.date, **options: Any) -> None:
        first: dict[str, Any] = {"decided_on": today, "seen_decision": newest}
        if alert is not None:
            first |= {"seen_alert": alert.public_id, "seen_level": alert.level}
        super().__init__(data, initial=first, **options)
        help_text = gettext("No alert is open: the day is kept with the decision.")
        if alert is not None:
            days = SNOOZE_DAYS.get(Level(alert.level), 0)
            help_text = ngettext(
                "The alert comes back on this day, at most %(days)s day ahead. "
                "Left empty, it is acknowledged as acted on.",
                "The alert comes back on this day, at most %(days)s days ahead. "
                "Left empty, it is acknowledged as acted on.",
                days,
            ) % {"days": days}
        self.fields["look_again_on"].help_text = help_text

    def saw(self, newest: int) -> None:
        """The decision of somebody else stands on the page now: sent again, this one stands beside it."""
        self.data = {**{name: self.data.get(name) for name in self.data}, "seen_decision": str(newest)}
