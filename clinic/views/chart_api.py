"""The chart of a patient by the API: the drawing that the page prints, of the same data."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import patch_cache_control
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api import REFUSALS, CentreMixin
from accounts.permissions import Permission
from clinic.selectors import patient as questions
from monitoring import charts

WHAT = (
    "Alerts, treatment, glucocorticoid dose, CK on a log scale with its upper limit, strength, scores and lung "
    "function on one time axis: what the page of the patient shows, drawn for paper. The same data give the same bytes."
)


class AsTheAddressSays(BaseContentNegotiation):
    """The end of the address names the format, so every `Accept` will do."""

    def select_parser(self, request, parsers):  # type: ignore[no-untyped-def]
        return parsers[0]

    def select_renderer(self, request, renderers, format_suffix=None):  # type: ignore[no-untyped-def]
        return renderers[0], renderers[0].media_type


class _Chart(CentreMixin, APIView):
    needs: ClassVar = {"GET": Permission.SEE_PATIENTS}
    content_negotiation_class = AsTheAddressSays
    content_type: ClassVar[str] = ""

    def answer(self, public_id: uuid.UUID) -> HttpResponse:
        patient = get_object_or_404(self.centre.patients, public_id=public_id)
        patient.centre = self.centre
        drawn = charts.drawn(questions.story(patient, self.today(timezone.now())), self.content_type)
        self.looked("api.chart", patient=patient)
        response = HttpResponse(drawn, content_type=self.content_type)
        patch_cache_control(response, private=True, no_store=True)
        return response


class ChartSvg(_Chart):
    """The chart as a drawing."""

    content_type = "image/svg+xml"

    @extend_schema(
        operation_id="patients_chart_svg",
        summary="Draw the chart of a patient (SVG)",
        description=WHAT,
        responses={(200, "image/svg+xml"): OpenApiTypes.STR, **REFUSALS},
    )
    def get(self, request: Request, id: uuid.UUID) -> HttpResponse:  # noqa: A002 - the name in the address
        return self.answer(id)


class ChartPng(_Chart):
    """The chart as an image."""

    content_type = "image/png"

    @extend_schema(
        operation_id="patients_chart_png",
        summary="Draw the chart of a patient (PNG)",
        description=WHAT,
        responses={(200, "image/png"): OpenApiTypes.BINARY, **REFUSALS},
    )
    def get(self, request: Request, id: uuid.UUID) -> HttpResponse:  # noqa: A002 - the name in the address
        return self.answer(id)
