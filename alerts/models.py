"""Findings with a life, the runs that found them, and their delivery."""

from __future__ import annotations

import uuid

import pghistory
import pgtrigger
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from common.models import not_before, one_of, only_added_to
from monitoring.levels import Level


class State(models.TextChoices):
    OPEN = "open", _("Open")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    SNOOZED = "snoozed", _("Snoozed")
    CLOSED = "closed", _("Closed")


class Reason(models.TextChoices):
    """Why an alert was acknowledged, snoozed or closed by a person. Counted per rule."""

    ACTED = "acted", _("Acted on")
    WILL_MONITOR = "will_monitor", _("Will monitor")
    TOLERATED_BEFORE = "tolerated_before", _("Tolerated before")
    ALREADY_KNOWN = "already_known", _("Already known and dealt with")
    NOT_APPLICABLE = "not_applicable", _("Does not apply to this patient")
    DATA_WRONG = "data_wrong", _("The data are wrong")
    PATIENT_DECLINED = "patient_declined", _("The patient declined")
    OTHER = "other", _("Other")


ON_LISTS = (Level.URGENT, Level.ACTION, Level.TASK)  # INFO lives on the patient page only
# By how much it matters, the worst first; as text the levels sort otherwise. The indexes of the lists hold it.
RANK = models.Case(
    *(models.When(level=level, then=models.Value(level.rank)) for level in Level),
    output_field=models.SmallIntegerField(),
)
_LISTED = Q(closed_at__isnull=True, level__in=ON_LISTS)


# Tens of thousands of alerts may open in one statement: their history is written in one, too.
@pghistory.track(pghistory.InsertEvent(level=pgtrigger.Statement), pghistory.UpdateEvent(), model_name="AlertHistory")
class Alert(models.Model):
    """One open alert per rule and subject, whatever happens. `state` and its columns repeat the newest event."""

    public_id = models.UUIDField(
        default=uuid.uuid4,
        unique=True,
        editable=False,
        db_default=models.Func(function="gen_random_uuid"),
    )
    # Indexes below begin with each of them; one more of each alone would only make a night longer.
    centre = models.ForeignKey("accounts.Centre", models.PROTECT, related_name="alerts", db_index=False)
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="alerts", db_index=False)
    rule = models.CharField(max_length=48)
    rule_version = models.PositiveSmallIntegerField()
    subject = models.CharField(
        max_length=64,
        help_text="What it is about: patient, plan:12, course:5, analyte:alt",
    )
    level = models.CharField(max_length=6, choices=Level.choices)
    audience = models.CharField(max_length=16, choices=Role.choices, help_text="Whose worklist it is on now")
    due_on = models.DateField(null=True, blank=True)
    evidence = models.JSONField(
        encoder=DjangoJSONEncoder,
        help_text="Facts, values and thresholds it was found on",
    )
    as_of = models.DateField(help_text="The day judged when the evidence was found")
    evidence_at = models.DateTimeField(
        help_text="The moment the evidence was found: what had been recorded by then is what it rests on"
    )
    state = models.CharField(
        max_length=12,
        choices=State.choices,
        default=State.OPEN,
        db_default=State.OPEN.value,
    )
    opened_at = models.DateTimeField()
    level_since = models.DateTimeField(
        help_text="When the present level was reached, or it woke or was opened again: its time to acknowledge runs "
        "from here"
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateField(null=True, blank=True, help_text="Last day of the snooze")
    escalated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the rule no longer found it. Until then what a person closed is not found anew, unless it "
        "changed",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "patient", "subject"],
                condition=Q(closed_at__isnull=True),
                name="alert_open_once",
            ),
            one_of("level", Level, "alert_level"),
            one_of("state", State, "alert_state"),
            one_of("audience", Role, "alert_audience"),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) | (~Q(state="closed") & Q(closed_at__isnull=True)),
                name="alert_closed_has_moment",
            ),
            models.CheckConstraint(
                condition=Q(state="snoozed", snoozed_until__isnull=False)
                | (~Q(state="snoozed") & Q(snoozed_until__isnull=True)),
                name="alert_snooze_has_day",
            ),
            models.CheckConstraint(
                condition=Q(cleared_at__isnull=True) | Q(closed_at__isnull=False),
                name="alert_cleared_is_closed",
            ),
            models.CheckConstraint(
                condition=~Q(state="snoozed", level="URGENT"),
                name="alert_urgent_never_snoozed",
            ),
        ]
        indexes = [
            # A list is read from its index in its order, and counted without the rows: of one role, of all, by due day.
            models.Index(
                "centre",
                "audience",
                "state",
                RANK,
                "due_on",
                "opened_at",
                "id",
                name="alert_worklist",
                condition=_LISTED,
            ),
            models.Index(
                "centre",
                "state",
                RANK,
                "due_on",
                "opened_at",
                "id",
                name="alert_worklist_all",
                condition=_LISTED,
            ),
            models.Index("centre", "due_on", RANK, "id", name="alert_overdue", condition=_LISTED),
            models.Index(fields=["patient", "-opened_at"], name="alert_by_patient"),
            models.Index(fields=["centre", "rule", "-closed_at"], name="alert_by_rule"),
            models.Index(fields=["centre", "-opened_at"], name="alert_by_opening"),
            models.Index(
                fields=["centre", "-closed_at"], name="alert_by_closing", condition=Q(closed_at__isnull=False)
            ),
            models.Index(
                fields=["centre", "rule", "patient"],
                name="alert_closed_by_hand",
                condition=Q(closed_at__isnull=False, cleared_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.level} {self.public_id}"


class EventKind(models.TextChoices):
    OPENED = "opened", _("Opened")
    RAISED = "raised", _("Level raised")
    LOWERED = "lowered", _("Level lowered")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    SNOOZED = "snoozed", _("Snoozed")
    WOKE = "woke", _("Woke from snooze")
    ESCALATED = "escalated", _("Passed up the chain")
    REOPENED = "reopened", _("Opened again")
    COMMENTED = "commented", _("Comment")
    CLOSED = "closed", _("Closed")


class AlertEvent(models.Model):
    """Who, when, why at every arrow. Rows are only ever added."""

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="life")
    kind = models.CharField(max_length=12, choices=EventKind.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=20, blank=True, choices=Reason.choices)
    text = models.CharField(max_length=500, blank=True)
    until = models.DateField(null=True, blank=True)
    level = models.CharField(max_length=6, choices=Level.choices, help_text="Level after the event")
    evidence = models.JSONField(
        null=True,
        encoder=DjangoJSONEncoder,
        help_text="As it stood at opened, raised, lowered",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="alert_event_kind"),
            models.CheckConstraint(
                condition=Q(reason="") | Q(reason__in=Reason.values),
                name="alert_event_reason",
            ),
        ]
        indexes = [models.Index(fields=["alert", "at", "id"], name="alert_event_by_alert")]
        triggers = only_added_to()

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class NotEvaluable(models.Model):
    """A rule could not judge a subject, and what was missing. Rewritten at every evaluation of the rule."""

    centre = models.ForeignKey("accounts.Centre", models.CASCADE, related_name="+")
    patient = models.ForeignKey("patients.Patient", models.CASCADE, related_name="not_evaluables")
    rule = models.CharField(max_length=48)
    subject = models.CharField(max_length=64)
    missing = models.JSONField(help_text="What is missing, as a list of plain sentences")
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "patient", "subject"], name="not_evaluable_once"),
        ]
        indexes = [models.Index(fields=["centre", "rule"], name="not_evaluable_by_rule")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.missing}"


class Upcoming(models.Model):
    """What a rule says will fall due. Rewritten at every evaluation of the rule."""

    centre = models.ForeignKey("accounts.Centre", models.CASCADE, related_name="+")
    patient = models.ForeignKey("patients.Patient", models.CASCADE, related_name="upcoming")
    rule = models.CharField(max_length=48)
    subject = models.CharField(max_length=64)
    due_on = models.DateField()
    evidence = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "patient", "subject"], name="upcoming_once")]
        indexes = [models.Index(fields=["centre", "due_on"], name="upcoming_by_day")]

    def __str__(self) -> str:
        return f"{self.rule} due {self.due_on}"


class ShadowFinding(models.Model):
    """What a rule in the shadow finds: no alert, on no list, in no e-mail. One row from first found to gone."""

    centre = models.ForeignKey("accounts.Centre", models.CASCADE, related_name="+")
    patient = models.ForeignKey("patients.Patient", models.CASCADE, related_name="+")
    rule = models.CharField(max_length=48)
    rule_version = models.PositiveSmallIntegerField()
    subject = models.CharField(max_length=64)
    level = models.CharField(max_length=6, choices=Level.choices, help_text="As newest found")
    evidence = models.JSONField(encoder=DjangoJSONEncoder, help_text="As newest found")
    first_on = models.DateField()
    last_on = models.DateField(help_text="The newest day on which it was found")
    gone_on = models.DateField(
        null=True, help_text="The day it was first not found any more, or the rule left the shadow"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "patient", "subject"], condition=Q(gone_on__isnull=True), name="shadow_finding_once"
            ),
            one_of("level", Level, "shadow_finding_level"),
            not_before("last_on", "first_on", "shadow_finding_days"),
        ]
        indexes = [models.Index(fields=["centre", "rule", "-first_on"], name="shadow_finding_by_rule")]

    def __str__(self) -> str:
        return f"{self.rule} {self.level} since {self.first_on}"


class Trigger(models.TextChoices):
    SWEEP = "sweep", _("Nightly sweep")
    TOUCHED = "touched", _("New facts")
    COMMAND = "command", _("By hand")


class Sweep(models.Model):
    """The nightly check of one centre on one day: claimed by this row, so that it happens once."""

    centre = models.ForeignKey("accounts.Centre", models.CASCADE, related_name="sweeps")
    as_of = models.DateField()
    started_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(
        null=True, blank=True, help_text="When its rules were newest handed to the workers"
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["centre", "as_of"], name="sweep_once_a_day")]

    def __str__(self) -> str:
        return f"sweep of {self.as_of}"


class RuleRun(models.Model):
    """One rule asked once. Written first in a transaction of its own, finished last: an unfinished row is a failure."""

    centre = models.ForeignKey("accounts.Centre", models.CASCADE, related_name="rule_runs")
    sweep = models.ForeignKey(Sweep, models.CASCADE, null=True, related_name="runs")
    rule = models.CharField(max_length=48)
    rule_version = models.PositiveSmallIntegerField()
    as_of = models.DateField()
    trigger = models.CharField(max_length=8, choices=Trigger.choices)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    asked = models.PositiveIntegerField(null=True)
    found = models.PositiveIntegerField(null=True)
    not_evaluable = models.PositiveIntegerField(null=True)
    opened = models.PositiveIntegerField(null=True)
    changed = models.PositiveIntegerField(null=True, help_text="Level or evidence changed in place")
    closed = models.PositiveIntegerField(null=True)
    held_back = models.CharField(max_length=200, blank=True, help_text="Why open alerts were not closed")
    error = models.CharField(
        max_length=80,
        blank=True,
        help_text="Class of the error; its text could name a patient",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sweep", "rule"],
                condition=Q(finished_at__isnull=False),
                name="rule_run_finished_once_a_sweep",
            )
        ]
        indexes = [
            models.Index(fields=["centre", "rule", "-started_at"], name="rule_run_by_rule"),
            models.Index(fields=["centre", "rule", "trigger", "-started_at", "-id"], name="rule_run_newest"),
            models.Index(fields=["centre", "-finished_at"], name="rule_run_by_finish"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.as_of}"


class DeliveryKind(models.TextChoices):
    URGENT = "urgent", _("Urgent alert")
    ESCALATION = "escalation", _("Nobody acknowledged")
    DIGEST = "digest", _("Daily digest")
    OPERATOR = "operator", _("The check itself needs attention")


class Delivery(models.Model):
    """An e-mail to be sent. The row comes first, unique per alert, person and kind; then the send; retried."""

    centre = models.ForeignKey("accounts.Centre", models.CASCADE, related_name="deliveries")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=12, choices=DeliveryKind.choices)
    key = models.CharField(max_length=80, help_text="What makes it one: an alert's event, or a day")
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=80, blank=True, help_text="Class of the newest error")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "kind", "key"], name="delivery_once"),
            one_of("kind", DeliveryKind, "delivery_kind"),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="delivery_to_send",
                condition=Q(sent_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
