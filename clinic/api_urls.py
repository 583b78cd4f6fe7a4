"""The API, version 1. Each app answers for its own; addresses end without a slash."""

from __future__ import annotations

from django.urls import include, path, register_converter
from django.urls.converters import PathConverter
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from accounts.api import Nothing
from alerts.api import Alerts
from clinic.views.api_docs import api_docs
from clinic.views.chart_api import ChartPng, ChartSvg
from monitoring.api import Assessments, Responses, Results, Rules
from patients.api import Patients
from research.api import Dictionary, Export, Releases
from therapy.api import Courses


class Anything(PathConverter):
    """Every address, line breaks in it included: what the API does not know, it says in JSON."""

    regex = "(?s:.+)"


register_converter(Anything, "anything")

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("patients", Patients, basename="api-patients")
router.register("results", Results, basename="api-results")
router.register("assessments", Assessments, basename="api-assessments")
router.register("courses", Courses, basename="api-courses")
router.register("alerts", Alerts, basename="api-alerts")
router.register("rules", Rules, basename="api-rules")

urlpatterns = [
    path("docs", api_docs, name="api-docs"),
    path("patients/<uuid:id>/responses", Responses.as_view(), name="api-patient-responses"),
    path("patients/<uuid:id>/chart.svg", ChartSvg.as_view(), name="api-patient-chart-svg"),
    path("patients/<uuid:id>/chart.png", ChartPng.as_view(), name="api-patient-chart-png"),
    path("research/export", Export.as_view(), name="api-research-export"),
    path("research/dictionary", Dictionary.as_view(), name="api-research-dictionary"),
    path("research/releases", Releases.as_view(), name="api-research-releases"),
    path("schema", SpectacularAPIView.as_view(), name="api-schema-bare"),
    path("", include(router.urls)),
    path("<anything:rest>", Nothing.as_view(), name="api-nothing"),
]
