"""Courses as the API tells of them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from therapy.formulary import FORMULARY
from therapy.models import Course, CourseStop, Dose


class DoseSerializer(serializers.ModelSerializer[Dose]):
    """`amount` in the drug's unit, `times` in every `every_days` days; `ends_on` null while it goes on."""

    class Meta:
        model = Dose
        fields = ["id", "starts_on", "ends_on", "amount", "times", "every_days", "out_of_range_reason"]
        read_only_fields = fields


class StopSerializer(serializers.ModelSerializer[CourseStop]):
    class Meta:
        model = CourseStop
        fields = ["stopped_on", "reason", "note"]
        read_only_fields = fields


class CourseSerializer(serializers.ModelSerializer[Course]):
    """One drug by one route, with its dose periods in order; `stop` null while it goes on."""

    patient = serializers.UUIDField(source="patient.public_id", read_only=True)
    unit = serializers.SerializerMethodField(help_text="Unit of the amounts")
    doses = DoseSerializer(source="current_doses", many=True, read_only=True)
    stop = serializers.SerializerMethodField()

    class Meta:
        model = Course
        fields = ["id", "patient", "status", "recorded_at", "drug", "route", "indication", "unit", "doses", "stop"]
        read_only_fields = fields

    def get_unit(self, course: Course) -> str:
        return FORMULARY[course.drug].unit if course.drug in FORMULARY else ""

    @extend_schema_field(StopSerializer(allow_null=True))
    def get_stop(self, course: Course) -> Any:
        stops: list[CourseStop] = getattr(course, "current_stops")  # noqa: B009 - put there by the queryset
        return StopSerializer(stops[0]).data if stops else None
