"""Patients as the API tells of them."""

from __future__ import annotations

from rest_framework import serializers

from patients.models import FollowUpStatus, Patient, Sex, Subtype


class PatientSerializer(serializers.ModelSerializer[Patient]):
    """A person under the centre's care. `id` is random and says nothing about them: use it in addresses."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    follow_up = serializers.ChoiceField(
        FollowUpStatus.Word.choices,
        read_only=True,
        allow_null=True,
        help_text="Status today; null where none was recorded, which counts as under follow-up",
    )

    class Meta:
        model = Patient
        fields = [
            "id", "record_number", "given_name", "family_name", "born_on", "sex", "subtype", "onset_on",
            "diagnosed_on", "follow_up",
        ]  # fmt: skip
        read_only_fields = fields


class NewPatientSerializer(serializers.Serializer):
    """What is needed to register somebody."""

    record_number = serializers.CharField(max_length=32)
    given_name = serializers.CharField(max_length=80)
    family_name = serializers.CharField(max_length=80)
    born_on = serializers.DateField()
    sex = serializers.ChoiceField(Sex.choices, default=Sex.UNKNOWN)
    subtype = serializers.ChoiceField(Subtype.choices, default=Subtype.UNKNOWN)
    onset_on = serializers.DateField(required=False, allow_null=True, default=None)
    diagnosed_on = serializers.DateField(required=False, allow_null=True, default=None)
    duplicates_seen = serializers.BooleanField(
        default=False, help_text="Somebody has looked: this is another person than the one who looks alike"
    )


class WhichPatientSerializer(serializers.Serializer):
    """A number that identifies somebody: sent in the body, because addresses end up in logs."""

    record_number = serializers.CharField(max_length=32)
