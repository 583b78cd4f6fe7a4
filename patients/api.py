"""Patients by the API."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import READ_REFUSALS, REFUSALS, LookingListMixin, Paging, drawing
from accounts.permissions import Permission
from patients import actions, selectors
from patients.models import FollowUpStatus, Patient, Subtype
from patients.serializers import NewPatientSerializer, PatientSerializer, WhichPatientSerializer


class PatientFilter(django_filters.FilterSet):
    subtype = django_filters.ChoiceFilter(choices=Subtype.choices)
    follow_up = django_filters.ChoiceFilter(choices=FollowUpStatus.Word.choices, label="Status today")
    diagnosed_from = django_filters.DateFilter(field_name="diagnosed_on", lookup_expr="gte")
    diagnosed_to = django_filters.DateFilter(field_name="diagnosed_on", lookup_expr="lte")

    class Meta:
        model = Patient
        fields: ClassVar[list[str]] = []


@extend_schema_view(
    list=extend_schema(summary="List patients", responses={200: PatientSerializer(many=True), **READ_REFUSALS}),
    retrieve=extend_schema(summary="Read a patient", responses={200: PatientSerializer, **REFUSALS}),
)
class Patients(LookingListMixin, viewsets.GenericViewSet[Patient]):
    """Patients of the centre, newest first."""

    needs: ClassVar = {
        "GET": Permission.SEE_PATIENTS,
        "create": Permission.EDIT_PATIENTS,
        "find": Permission.SEE_PATIENTS,
    }
    page_name = "api.patients"
    queryset = Patient.objects.none()
    serializer_class = PatientSerializer
    filterset_class = PatientFilter
    pagination_class = Paging
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Patient]:
        if drawing(self):
            return Patient.objects.none()
        return selectors.with_follow_up(self.centre.patients.all(), self.today(timezone.now()))

    def get_object(self) -> Patient:
        """The id of a record that was merged leads to the one that took it in, which has its own id."""
        merged = Patient.everybody.filter(
            centre=self.centre, public_id=self.kwargs["id"], merged_into__isnull=False
        ).values_list("merged_into__public_id", flat=True)
        self.kwargs["id"] = merged.first() or self.kwargs["id"]
        found: Patient = super().get_object()
        return found

    @extend_schema(
        summary="Register a patient",
        request=NewPatientSerializer,
        responses={201: PatientSerializer, **REFUSALS},
    )
    def create(self, request: Request) -> Response:
        sent = NewPatientSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        made = actions.register_patient(centre=self.centre, by=self.by, now=timezone.now(), **sent.validated_data)
        return Response(self._one(public_id=made.public_id), status=201)

    @extend_schema(
        summary="Find a patient by record number",
        request=WhichPatientSerializer,
        responses={200: PatientSerializer, **REFUSALS},
    )
    @action(detail=False, methods=["post"])
    def find(self, request: Request) -> Response:
        sent = WhichPatientSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        whose = selectors.by_number(self.centre, sent.validated_data["record_number"])
        found = whose and self.get_queryset().filter(pk=whose.pk).first()
        self.looked("api.patients.find", patient=found, rows=int(found is not None))
        if found is None:
            raise Http404
        return Response(self.get_serializer(found).data)

    def _one(self, **which: Any) -> Any:
        return self.get_serializer(self.get_queryset().get(**which)).data
