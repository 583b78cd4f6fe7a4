"""What every view of the API shares: who may, from where, how much at once, and how an error reads."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, NotFound
from rest_framework.exceptions import ValidationError as ApiValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from accounts.authentication import Allowed, TokenAuthentication
from accounts.models import Centre, User
from accounts.permissions import Permission
from audit.access import looked
from audit.attribution import coming_from
from audit.models import Origin
from common.errors import SeveralWrong


class CentreMixin:
    """For views of the API. `needs` maps a method (or the action of a view set) to its permission."""

    needs: ClassVar[Mapping[str, Permission]] = {}
    permission_classes: Any = [Allowed]
    request: Any

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with coming_from(Origin.API):
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # the view it is mixed into has it

    @property
    def centre(self) -> Centre:
        """The one centre this request can reach; None while the schema is drawn."""
        return getattr(self.request, "centre", None)  # type: ignore[return-value]  # Allowed has refused those without

    @property
    def by(self) -> User:
        return self.request.user

    def looked(self, page: str, *, patient: Any = None, rows: int | None = None) -> None:
        """Record that this was read. `page` is "api.results" and the like."""
        looked(by=self.by, centre=self.centre, now=timezone.now(), page=page, patient=patient, rows=rows)

    def today(self, now: dt.datetime) -> dt.date:
        return now.astimezone(zoneinfo.ZoneInfo(self.centre.time_zone)).date()


class _MomentField(django_filters.fields.IsoDateTimeField):
    def to_python(self, value: Any) -> Any:
        """In UTC: Python knows offsets that PostgreSQL refuses."""
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(dt.UTC)
        except OverflowError:
            raise ValidationError("This moment is out of range.") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A moment such as 2025-06-15T08:00:00Z; without a zone it is UTC."""

    field_class = _MomentField


class Paging(CursorPagination):
    """Newest first by id: pages stay right while rows are added, and the last page costs what the first does."""

    ordering = "-id"
    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000

    def decode_cursor(self, request: Request) -> Any:
        try:
            return super().decode_cursor(request)
        except NotFound:
            raise ApiValidationError(
                {"cursor": "This is no place in the list. Follow `next` as it was given."}
            ) from None


class LookingListMixin(CentreMixin):
    """A list that records what was read: once, with how many rows."""

    page_name: ClassVar[str] = ""
    filter_queryset: Any
    get_queryset: Any
    paginate_queryset: Any
    get_serializer: Any
    get_paginated_response: Any
    get_object: Any

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        self.looked(self.page_name, rows=len(rows), patient=self._only_patient(rows))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        found = self.get_object()
        self.looked(self.page_name, rows=1, patient=found if is_patient(found) else found.patient)
        return Response(self.get_serializer(found).data)

    def _only_patient(self, rows: Sequence[Any]) -> Any:
        """The patient asked for by filter, so that their own list of who looked is complete."""
        if not self.request.query_params.get("patient") or not rows or is_patient(rows[0]):
            return None
        return rows[0].patient


def is_patient(found: Any) -> bool:
    return found._meta.label == "patients.Patient"


class ProblemSerializer(serializers.Serializer):
    """One thing that is wrong."""

    index = serializers.IntegerField(allow_null=True, help_text="Which of several, from 0; null where one was sent")
    field = serializers.CharField(help_text="Empty: it is about the whole")
    message = serializers.CharField()
    code = serializers.CharField(help_text='"confirm": send it again with the confirmation, if it is right')


class RefusalSerializer(serializers.Serializer):
    """Nothing was written."""

    detail = serializers.CharField()
    errors = ProblemSerializer(many=True)  # type: ignore[assignment]  # a field of that name, not their property


class DetailSerializer(serializers.Serializer):
    detail = serializers.CharField()


REFUSALS = {
    400: RefusalSerializer,
    401: OpenApiResponse(DetailSerializer, "No valid token"),
    403: OpenApiResponse(DetailSerializer, "The role or the token's scope does not allow it"),
    404: OpenApiResponse(DetailSerializer, "Not found at this centre"),
    429: OpenApiResponse(DetailSerializer, "Too many requests; see Retry-After"),
}
READ_REFUSALS = {code: REFUSALS[code] for code in (400, 401, 403, 429)}
NOTHING_WRITTEN = "Nothing was written."


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """One shape for every refusal of what was sent, whichever layer refused it."""
    if isinstance(error, SeveralWrong):
        return _refusal([p for index, each in error.problems for p in problems_of(each, index)])
    if isinstance(error, ValidationError):
        return _refusal(problems_of(error))
    if isinstance(error, ApiValidationError):
        return _refusal(_flatten(error.detail, None, []))
    return exception_handler(error, context)


def _refusal(errors: list[dict[str, Any]]) -> Response:
    conflict = bool(errors) and all(e["code"] in ("conflict", "stale") for e in errors)
    return Response({"detail": NOTHING_WRITTEN, "errors": errors}, status=409 if conflict else 400)


def problems_of(error: ValidationError, index: int | None = None) -> list[dict[str, Any]]:
    """Django's ValidationError as a list of {index, field, message, code}."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    found = []
    for field, errors in by_field.items():
        for each in errors:
            text = each.message % each.params if each.params else each.message
            name = "" if field == "__all__" else field
            found.append({"index": index, "field": name, "message": str(text), "code": each.code or "invalid"})
    return found


def _flatten(detail: Any, index: int | None, path: list[str]) -> list[dict[str, Any]]:
    if isinstance(detail, dict):
        return [
            problem
            for key, value in detail.items()
            for problem in _flatten(value, index, path if key == "non_field_errors" else [*path, str(key)])
        ]
    if isinstance(detail, list):
        found = []
        for number, value in enumerate(detail):
            if isinstance(value, dict):
                found.extend(_flatten(value, number if index is None else index, path))
            else:
                found.extend(_flatten(value, index, path))
        return found
    code = detail.code if isinstance(detail, ErrorDetail) else "invalid"
    return [{"index": index, "field": ".".join(path), "message": str(detail), "code": code}]


def drawing(view: Any) -> bool:
    """The schema is being drawn: nobody asks, so there is no centre."""
    return bool(getattr(view, "swagger_fake_view", False))


class Nothing(APIView):
    """Whatever the API has no address for: said as the API says things, and not as a page."""

    permission_classes = [IsAuthenticated]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token made on your profile page."}
