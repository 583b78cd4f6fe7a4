"""Releases as the API tells of them."""

from __future__ import annotations

from rest_framework import serializers

from research.models import Release


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    """One table taken. `finished_at` is null where it was broken off: what arrived must not be used."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    release = serializers.CharField(source="name", read_only=True)

    class Meta:
        model = Release
        fields = ["id", "release", "table", "as_of", "patients", "rows", "sha256", "taken_at", "finished_at"]
        read_only_fields = fields


class ReleaseColumnSerializer(serializers.Serializer):
    name = serializers.CharField()
    meaning = serializers.CharField()
    unit = serializers.CharField()
    treatment = serializers.CharField(help_text="How it was made harmless")
    words = serializers.DictField(child=serializers.CharField(), help_text="Its words and what they mean")


class ReleaseTableSerializer(serializers.Serializer):
    name = serializers.CharField()
    meaning = serializers.CharField()
    columns = ReleaseColumnSerializer(many=True)


class AnalyteCodeSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    loinc = serializers.ListField(child=serializers.CharField())


class DrugCodeSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    atc = serializers.ListField(child=serializers.CharField())
    rxnorm = serializers.CharField()


class DictionarySerializer(serializers.Serializer):
    """What every column of every table means."""

    tables = ReleaseTableSerializer(many=True)
    analytes = AnalyteCodeSerializer(many=True)
    drugs = DrugCodeSerializer(many=True)
