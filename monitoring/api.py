"""Results, assessments and rules by the API."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.api import READ_REFUSALS, REFUSALS, CentreMixin, LookingListMixin, MomentFilter, Paging, drawing
from accounts.authentication import BulkThrottle
from accounts.models import Centre
from accounts.permissions import Permission
from common.errors import SeveralWrong
from monitoring import actions, governance
from monitoring.analytes import ANALYTES
from monitoring.entry import Measures, TypedValue, field_name
from monitoring.models import Assessment, Mode, Result
from monitoring.response_serializers import ResponsesSerializer, told_visit
from monitoring.responses import is_validated, tis_by_visit
from monitoring.rules import RULES
from monitoring.rules.base import Rule, with_numbers
from monitoring.scores import mmt8
from monitoring.selectors import population_of
from monitoring.serializers import (
    AssessmentSerializer,
    CorrectionSerializer,
    NewAssessmentSerializer,
    NewResultSerializer,
    NewResultsSerializer,
    RecordedResultsSerializer,
    ResultSerializer,
    RuleSerializer,
    WithdrawalSerializer,
)
from patients.models import Patient

NOT_HERE = "There is no such patient at this centre."


class ResultFilter(django_filters.FilterSet):
    patient = django_filters.UUIDFilter(field_name="patient__public_id")
    analyte = django_filters.ChoiceFilter(choices=[(code, code) for code in sorted(ANALYTES)])
    taken_from = django_filters.DateFilter(field_name="taken_on", lookup_expr="gte")
    taken_to = django_filters.DateFilter(field_name="taken_on", lookup_expr="lte")
    recorded_from = MomentFilter(
        field_name="recorded_at", lookup_expr="gte", label="What was recorded since: for fetching what is new"
    )

    class Meta:
        model = Result
        fields: ClassVar[list[str]] = []


@extend_schema_view(
    list=extend_schema(summary="List results", responses={200: ResultSerializer(many=True), **READ_REFUSALS}),
    retrieve=extend_schema(summary="Read a result", responses={200: ResultSerializer, **REFUSALS}),
)
class Results(LookingListMixin, viewsets.GenericViewSet[Result]):
    """Current laboratory results of the centre, newest entry first."""

    needs: ClassVar = {"GET": Permission.SEE_PATIENTS, "POST": Permission.RECORD_RESULTS}
    page_name = "api.results"
    queryset = Result.objects.none()
    serializer_class = ResultSerializer
    filterset_class = ResultFilter
    pagination_class = Paging
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Result]:
        if drawing(self):
            return Result.objects.none()
        return Result.objects.current().filter(patient__centre=self.centre).select_related("patient")

    def get_throttles(self) -> list[BaseThrottle]:
        return [BulkThrottle()] if self.action == "create" else super().get_throttles()

    @extend_schema(
        summary="Record results",
        description='One result, a list of them, or `{"results": [...]}`. All are recorded or none; the errors say '
        "which of them is wrong. Values that are there already are refused with the code `exists`, so it is safe to "
        "send everything again.",
        request=PolymorphicProxySerializer(
            component_name="OneOrManyResults",
            serializers=[NewResultSerializer, NewResultsSerializer],
            resource_type_field_name=None,
            many=False,
        ),
        responses={201: RecordedResultsSerializer, **REFUSALS},
    )
    def create(self, request: Request) -> Response:
        data = request.data
        if isinstance(data, list):
            data = {"results": data}
        if isinstance(data, dict) and "results" in data:
            many = NewResultsSerializer(data=data)
            many.is_valid(raise_exception=True)
            rows = many.validated_data["results"]
        else:
            one = NewResultSerializer(data=data)
            one.is_valid(raise_exception=True)
            rows = [one.validated_data]
        wanted = {row["patient"] for row in rows}
        # Not `in_bulk`: it would leave the scope of the centre.
        people = {p.public_id: p for p in self.centre.patients.filter(public_id__in=wanted)}
        strangers = [
            (index, ValidationError({"patient": ValidationError(NOT_HERE, code="not_found")}))
            for index, row in enumerate(rows)
            if row["patient"] not in people
        ]
        if strangers:
            raise SeveralWrong(strangers)
        samples = [
            actions.Sample(
                patient=people[row["patient"]],
                taken_on=row["taken_on"],
                taken_time=row["taken_time"],
                laboratory=row["laboratory"],
                typed=_typed(row["analyte"], row),
            )
            for row in rows
        ]
        made = actions.record_results(centre=self.centre, samples=samples, by=self.by, now=timezone.now())
        return Response({"results": ResultSerializer(made, many=True).data}, status=201)

    @extend_schema(
        summary="Correct a result",
        description="The wrong one stays in the history; the answer is the one that takes its place.",
        request=CorrectionSerializer,
        responses={201: ResultSerializer, **REFUSALS},
    )
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: int) -> Response:
        result = self.get_object()
        sent = CorrectionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        typed = _typed(result.analyte, sent.validated_data)
        with _fields_of(result.analyte):
            made = actions.correct_result(
                result=result, typed=typed, reason=sent.validated_data["reason"], by=self.by, now=timezone.now()
            )
        return Response(self.get_serializer(made).data, status=201)

    @extend_schema(
        summary="Withdraw a result that was entered in error",
        request=WithdrawalSerializer,
        responses={200: ResultSerializer, **REFUSALS},
    )
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        result = self.get_object()
        sent = WithdrawalSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        gone = actions.withdraw_result(
            result=result, reason=sent.validated_data["reason"], by=self.by, now=timezone.now()
        )
        return Response(self.get_serializer(gone).data)


def _typed(analyte: str, row: dict[str, Any]) -> TypedValue:
    return TypedValue(
        analyte=analyte,
        text=row["value"],
        unit=row["unit"],
        low=row["low"],
        uln=row["uln"],
        confirmed=row["confirmed"],
        note=row["note"],
    )


class _fields_of:  # noqa: N801 - read as a statement
    """Errors of a form's boxes ("ck_unit") become errors of the fields that were sent ("unit")."""

    def __init__(self, analyte: str) -> None:
        self.names = {field_name(analyte, part): part for part in ("value", "unit", "low", "uln", "confirmed")}

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            raise ValidationError({self.names.get(f, f): e for f, e in error.error_dict.items()}) from None


class AssessmentFilter(django_filters.FilterSet):
    patient = django_filters.UUIDFilter(field_name="patient__public_id")
    assessed_from = django_filters.DateFilter(field_name="assessed_on", lookup_expr="gte")
    assessed_to = django_filters.DateFilter(field_name="assessed_on", lookup_expr="lte")
    recorded_from = MomentFilter(field_name="recorded_at", lookup_expr="gte")

    class Meta:
        model = Assessment
        fields: ClassVar[list[str]] = []


@extend_schema_view(
    list=extend_schema(summary="List assessments", responses={200: AssessmentSerializer(many=True), **READ_REFUSALS}),
    retrieve=extend_schema(summary="Read an assessment", responses={200: AssessmentSerializer, **REFUSALS}),
)
class Assessments(LookingListMixin, viewsets.GenericViewSet[Assessment]):
    """Core set assessments of the centre, newest entry first."""

    needs: ClassVar = {"GET": Permission.SEE_PATIENTS, "POST": Permission.RECORD_RESULTS}
    page_name = "api.assessments"
    queryset = Assessment.objects.none()
    serializer_class = AssessmentSerializer
    filterset_class = AssessmentFilter
    pagination_class = Paging
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Assessment]:
        if drawing(self):
            return Assessment.objects.none()
        return (
            Assessment.objects.current()
            .filter(patient__centre=self.centre)
            .select_related("patient")
            .prefetch_related("grades")
        )

    @extend_schema(
        summary="Record an assessment",
        request=NewAssessmentSerializer,
        responses={201: AssessmentSerializer, **REFUSALS},
    )
    def create(self, request: Request) -> Response:
        sent = NewAssessmentSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        row = dict(sent.validated_data)
        patient = patient_of(self, row.pop("patient"))
        grades = {(mmt8.Muscle(g["muscle"]), mmt8.Side(g["side"])): g["grade"] for g in row.pop("mmt8", [])}
        made = actions.record_assessment(
            patient=patient,
            assessed_on=row.pop("assessed_on"),
            measures=Measures(mmt8=grades, **row),
            by=self.by,
            now=timezone.now(),
        )
        return Response(self.get_serializer(made).data, status=201)


def patient_of(view: CentreMixin, public_id: Any) -> Patient:
    """The patient of this centre with that id. Raises ValidationError of the field `patient`."""
    found = view.centre.patients.filter(public_id=public_id).first()
    if found is None:
        raise ValidationError({"patient": ValidationError(NOT_HERE, code="not_found")})
    return found


class Responses(CentreMixin, APIView):
    """What came of treatment, visit by visit."""

    needs: ClassVar = {"GET": Permission.SEE_PATIENTS}

    @extend_schema(
        operation_id="patients_responses",
        summary="Read the responses of a patient",
        description="The improvement of every visit against the baseline of its episode of treatment, with what got "
        "worse beside it. Not computed in inclusion body myositis.",
        responses={200: ResponsesSerializer, **REFUSALS},
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:  # noqa: A002 - the name in the address
        patient = get_object_or_404(self.centre.patients, public_id=id)
        patient.centre = self.centre
        visits = tis_by_visit(patient, self.today(timezone.now()))
        self.looked("api.responses", patient=patient, rows=len(visits))
        answer = {
            "patient": patient.public_id,
            "population": population_of(patient),
            "is_validated": is_validated(patient),
            "visits": [told_visit(visit) for visit in visits],
        }
        return Response(ResponsesSerializer(answer).data)


class Rules(CentreMixin, viewsets.ViewSet):
    """The clinical rules that are asked, with their parameters and sources. They say nothing about any patient."""

    needs: ClassVar = {"GET": Permission.SEE_PATIENTS}

    @extend_schema(summary="List the rules", responses={200: RuleSerializer(many=True), **READ_REFUSALS})
    def list(self, request: Request) -> Response:
        return Response([RuleSerializer(told).data for told in _told([*RULES.values()], self.centre)])

    @extend_schema(summary="Read a rule", responses={200: RuleSerializer, **REFUSALS})
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        if id not in RULES:
            raise Http404
        return Response(RuleSerializer(_told([RULES[id]], self.centre)[0]).data)

    lookup_url_kwarg = "id"
    lookup_value_converter = "slug"


def _told(rules: Sequence[Rule], centre: Centre) -> list[dict[str, Any]]:
    """As they are at the centre: three queries, whatever their number."""
    modes, numbers, signed_off = governance.modes(centre), governance.parameters(centre), governance.signed_off(centre)
    return [
        {
            "id": rule.id,
            "version": rule.version,
            "title": rule.title,
            "audience": str(rule.audience),
            "is_on": modes[rule.id] == Mode.ON,
            "mode": str(modes[rule.id]),
            "is_signed_off": (rule.id, rule.version) in signed_off,
            "parameters": dataclasses.asdict(numbers[rule.id]),
            "citations": [dataclasses.asdict(c) for c in rule.evidence],
            "not_considered": [with_numbers(text, vars(numbers[rule.id])) for text in rule.not_considered],
            "advice": with_numbers(rule.advice, vars(numbers[rule.id])),
            "review_due": rule.review_due,
        }
        for rule in rules
    ]
