"""Alerts as the API tells of them, and what can be done with one."""

from __future__ import annotations

from rest_framework import serializers

from alerts.models import Alert, AlertEvent, Reason
from monitoring.levels import Level
from monitoring.rules import RULES


class EventSerializer(serializers.ModelSerializer[AlertEvent]):
    """Something that happened to it; `by` is null where the rules did it."""

    by = serializers.CharField(source="by.full_name", default=None, read_only=True, allow_null=True)

    class Meta:
        model = AlertEvent
        fields = ["kind", "at", "by", "reason", "text", "until", "level"]
        read_only_fields = fields


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """A finding about a patient, with the evidence it rests on."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    patient = serializers.UUIDField(source="patient.public_id", read_only=True)
    title = serializers.SerializerMethodField()
    explanation = serializers.SerializerMethodField(help_text="The finding in plain English, made from its evidence")
    is_signed_off = serializers.SerializerMethodField(
        help_text="Whether two people of this centre have signed off the version of the rule that found it"
    )

    class Meta:
        model = Alert
        fields = [
            "id", "patient", "rule", "rule_version", "is_signed_off", "subject", "title", "explanation", "level",
            "audience", "state", "due_on", "as_of", "opened_at", "level_since", "acknowledged_at", "snoozed_until",
            "escalated_at", "closed_at", "evidence",
        ]  # fmt: skip
        read_only_fields = fields

    def get_title(self, alert: Alert) -> str:
        return RULES[alert.rule].title if alert.rule in RULES else alert.rule

    def get_is_signed_off(self, alert: Alert) -> bool:
        return (alert.rule, alert.rule_version) in self.context["signed_off"]

    def get_explanation(self, alert: Alert) -> str:
        rule = RULES.get(alert.rule)
        try:
            return rule.sentence(alert.evidence) if rule else ""
        except (KeyError, AttributeError):
            # An alert of an earlier version of the rule, whose evidence has other names.
            return ""


class AlertWithLifeSerializer(AlertSerializer):
    """An alert and everything that happened to it, oldest first."""

    events = EventSerializer(source="events_in_order", many=True, read_only=True)

    class Meta(AlertSerializer.Meta):
        fields = [*AlertSerializer.Meta.fields, "events"]
        read_only_fields = fields


class _Doing(serializers.Serializer):
    text = serializers.CharField(max_length=500, allow_blank=True, default="")
    seen_level = serializers.ChoiceField(
        Level.choices,
        required=False,
        allow_null=True,
        default=None,
        help_text="The level that was seen: refused where it has changed since",
    )


class AcknowledgeSerializer(_Doing):
    """Somebody takes care of it."""

    reason = serializers.ChoiceField(Reason.choices, required=False, allow_blank=True, default="")


class CloseSerializer(_Doing):
    """It is dealt with."""

    reason = serializers.ChoiceField(Reason.choices)


class SnoozeSerializer(_Doing):
    """Not before this day has passed, or it gets worse."""

    reason = serializers.ChoiceField(Reason.choices)
    until = serializers.DateField(help_text="Last day of the snooze")
