"""Alerts by the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import READ_REFUSALS, REFUSALS, LookingListMixin, MomentFilter, Paging, RefusalSerializer, drawing
from accounts.models import Role
from accounts.permissions import Permission
from alerts.actions import life
from alerts.models import Alert, AlertEvent, State
from alerts.serializers import (
    AcknowledgeSerializer,
    AlertSerializer,
    AlertWithLifeSerializer,
    CloseSerializer,
    SnoozeSerializer,
)
from monitoring import governance
from monitoring.levels import Level

DONE = {200: AlertWithLifeSerializer, **REFUSALS, 409: RefusalSerializer}


class AlertFilter(django_filters.FilterSet):
    patient = django_filters.UUIDFilter(field_name="patient__public_id")
    rule = django_filters.CharFilter(max_length=48)
    level = django_filters.MultipleChoiceFilter(choices=Level.choices)
    state = django_filters.MultipleChoiceFilter(choices=State.choices)
    audience = django_filters.ChoiceFilter(choices=Role.choices)
    opened_from = MomentFilter(field_name="opened_at", lookup_expr="gte")

    class Meta:
        model = Alert
        fields: ClassVar[list[str]] = []


@extend_schema_view(
    list=extend_schema(summary="List alerts", responses={200: AlertSerializer(many=True), **READ_REFUSALS}),
    retrieve=extend_schema(
        summary="Read an alert with everything that happened to it",
        responses={200: AlertWithLifeSerializer, **REFUSALS},
    ),
)
class Alerts(LookingListMixin, viewsets.GenericViewSet[Alert]):
    """Alerts of the centre, newest first."""

    needs: ClassVar = {"GET": Permission.SEE_PATIENTS, "POST": Permission.ACT_ON_ALERTS}
    page_name = "api.alerts"
    queryset = Alert.objects.none()
    filterset_class = AlertFilter
    pagination_class = Paging
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Alert]]:
        return AlertSerializer if self.action == "list" else AlertWithLifeSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        signed_off = set() if drawing(self) else governance.signed_off(self.centre)
        return {**super().get_serializer_context(), "signed_off": signed_off}

    def get_queryset(self) -> QuerySet[Alert]:
        if drawing(self):
            return Alert.objects.none()
        alerts = Alert.objects.filter(centre=self.centre).select_related("patient")
        if self.action == "list":
            return alerts
        life = AlertEvent.objects.select_related("by").order_by("at", "id")
        return alerts.prefetch_related(Prefetch("life", life, to_attr="events_in_order"))

    def _do(self, request: Request, act: Callable[..., Any], serializer: type[serializers.Serializer]) -> Response:
        alert = self.get_object()
        sent = serializer(data=request.data)
        sent.is_valid(raise_exception=True)
        act(alert=alert, by=self.by, now=timezone.now(), **sent.validated_data)
        return Response(self.get_serializer(self.get_queryset().get(pk=alert.pk)).data)

    @extend_schema(summary="Acknowledge an alert", request=AcknowledgeSerializer, responses=DONE)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, id: object) -> Response:  # noqa: A002 - the name in the address
        return self._do(request, life.acknowledge, AcknowledgeSerializer)

    @extend_schema(summary="Snooze an alert", request=SnoozeSerializer, responses=DONE)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, id: object) -> Response:  # noqa: A002
        return self._do(request, life.snooze, SnoozeSerializer)

    @extend_schema(summary="Close an alert", request=CloseSerializer, responses=DONE)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, id: object) -> Response:  # noqa: A002
        return self._do(request, life.close, CloseSerializer)
