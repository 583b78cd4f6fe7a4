"""Courses of drugs by the API: read only. Prescribing is done on the pages, where doses are checked with a person."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import django_filters
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import viewsets

from accounts.api import READ_REFUSALS, REFUSALS, LookingListMixin, Paging, drawing
from accounts.permissions import Permission
from therapy.formulary import FORMULARY
from therapy.models import Course, CourseStop, Dose
from therapy.serializers import CourseSerializer


class CourseFilter(django_filters.FilterSet):
    patient = django_filters.UUIDFilter(field_name="patient__public_id")
    drug = django_filters.ChoiceFilter(choices=[(code, code) for code in sorted(FORMULARY)])
    active_on = django_filters.DateFilter(method="filter_active_on", label="With a dose in force on this day")

    class Meta:
        model = Course
        fields: ClassVar[list[str]] = []

    def filter_active_on(self, courses: QuerySet[Course], name: str, day: dt.date) -> QuerySet[Course]:
        doses = Dose.objects.current().filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=day), course=OuterRef("pk"), starts_on__lte=day
        )
        return courses.filter(Exists(doses))


@extend_schema_view(
    list=extend_schema(summary="List courses", responses={200: CourseSerializer(many=True), **READ_REFUSALS}),
    retrieve=extend_schema(summary="Read a course", responses={200: CourseSerializer, **REFUSALS}),
)
class Courses(LookingListMixin, viewsets.GenericViewSet[Course]):
    """Courses of drugs with their doses, newest entry first."""

    needs: ClassVar = {"GET": Permission.SEE_PATIENTS}
    page_name = "api.courses"
    queryset = Course.objects.none()
    serializer_class = CourseSerializer
    filterset_class = CourseFilter
    pagination_class = Paging
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Course]:
        if drawing(self):
            return Course.objects.none()
        return (
            Course.objects.current()
            .filter(patient__centre=self.centre)
            .select_related("patient")
            .prefetch_related(
                Prefetch("doses", Dose.objects.current().order_by("starts_on", "id"), to_attr="current_doses"),
                Prefetch("stops", CourseStop.objects.current(), to_attr="current_stops"),
            )
        )
