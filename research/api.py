"""Research releases by the API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import READ_REFUSALS, REFUSALS, CentreMixin, Paging, drawing
from accounts.authentication import ExportThrottle
from accounts.models import User
from accounts.permissions import Permission
from audit.attribution import coming_from
from audit.models import Origin
from research import actions, selectors
from research.models import NAME, Release
from research.pseudonyms import ReleaseKey, release_key
from research.serializers import DictionarySerializer, ReleaseSerializer
from research.tables import TABLES


class AnyAccept(BaseContentNegotiation):
    """The rows are CSV and a refusal is JSON, whatever the client says it would like."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class Export(CentreMixin, APIView):
    """One table of a release: patients who agreed, pseudonymised, days shifted, as CSV."""

    needs: ClassVar = {"GET": Permission.EXPORT_RESEARCH}
    http_method_names = ["get", "options"]  # a HEAD would leave a release nobody took
    throttle_classes = [ExportThrottle]
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="research_export",
        summary="Take one table of a research release",
        parameters=[
            OpenApiParameter("table", str, required=True, enum=list(TABLES)),
            OpenApiParameter(
                "release",
                {"type": "string", "pattern": f"^{NAME}$", "maxLength": 40},
                required=True,
                description="A name of your choice. All tables taken under one name join by `subject` and by their "
                "keys; under another name the same patient has another pseudonym.",
            ),
        ],
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, "UTF-8, with a header; sent while it is read"),
            **REFUSALS,
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        now = timezone.now()
        release = actions.begin_release(
            centre=self.centre,
            name=request.query_params.get("release", ""),
            table=request.query_params.get("table", ""),
            as_of=self.today(now),
            by=self.by,
            now=now,
        )
        self.looked(f"research.export.{release.table}")
        key = release_key(settings.RELEASE_KEY, self.centre.public_id, release.name)
        response = StreamingHttpResponse(_sent(release, key, self.by), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{release.name}-{release.table}.csv"'
        response["Cache-Control"] = "no-store"
        response["X-Release"] = str(release.public_id)
        return response


def _sent(release: Release, key: ReleaseKey, by: User) -> Iterator[bytes]:
    """The bytes; and once the last has been handed over, the row says so. Broken off, it stays unfinished."""
    checksum = hashlib.sha256()
    blocks = selectors.stream(TABLES[release.table], selectors.subjects(release.centre, key, release.as_of), key)
    rows = 0
    while True:
        try:
            block = next(blocks)
        except StopIteration as end:
            rows = end.value
            break
        checksum.update(block)
        yield block
    with coming_from(Origin.API):
        actions.finish_release(release=release, rows=rows, sha256=checksum.hexdigest(), by=by, now=timezone.now())


class Dictionary(CentreMixin, APIView):
    """What every column of a release means."""

    needs: ClassVar = {"GET": Permission.EXPORT_RESEARCH}

    @extend_schema(
        operation_id="research_dictionary",
        summary="Read the dictionary of the releases",
        responses={200: DictionarySerializer, **{k: v for k, v in REFUSALS.items() if k not in (400, 404)}},
    )
    def get(self, request: Request) -> Response:
        return Response(selectors.dictionary())


@extend_schema_view(
    get=extend_schema(
        operation_id="research_releases",
        summary="List what was taken",
        responses={200: ReleaseSerializer(many=True), **READ_REFUSALS},
    )
)
class Releases(CentreMixin, generics.ListAPIView[Release]):
    """What was taken from this centre, newest first, with the checksum of each table."""

    needs: ClassVar = {"GET": Permission.EXPORT_RESEARCH}
    queryset = Release.objects.none()
    serializer_class = ReleaseSerializer
    pagination_class = Paging

    def get_queryset(self) -> QuerySet[Release]:
        return Release.objects.none() if drawing(self) else selectors.releases(self.centre)
