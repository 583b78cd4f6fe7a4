"""Structured logs without identifiers.

A line says which route was asked for (its pattern, not its path or query), by which user id, with what outcome. It
never carries a form, a query string, a local variable or the text of an exception, any of which can hold a
patient's name.
"""

from __future__ import annotations

import logging
import logging.config
import re
import time
import traceback
import uuid
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

EventDict = MutableMapping[str, Any]
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET_ROUTES = {"livez", "readyz", "metrics"}


def without_exception_text(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and the lines of code it passed; its text may quote a row or a form."""
    info = event.pop("exc_info", None)
    if info is True:
        import sys

        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[0] is not None:
        event["exception"] = f"{info[0].__module__}.{info[0].__qualname__}"
        event["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(info[2])]
    return event


class NoExceptionTexts(logging.Filter):
    """Celery and gunicorn write the text of an exception, the arguments of a task and the address of a request into
    the line itself. What kind of exception it was, and where it came from, stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _kind(record.msg)
        if isinstance(record.args, Mapping):
            if record.name.startswith("celery."):
                record.args = {name: _of_task(name, value) for name, value in record.args.items()}
        elif record.args:
            of_request = record.name.startswith("gunicorn.") and record.exc_info
            record.args = tuple(
                "(withheld)" if of_request and isinstance(value, str) else _kind(value) for value in record.args
            )
        return True


def _kind(value: Any) -> Any:
    return type(value).__name__ if isinstance(value, BaseException) else value


def _of_task(name: str, value: Any) -> Any:
    """A word of the line Celery writes about a task that ended; `exc` is an exception as repr() shows it."""
    if name not in ("exc", "traceback", "args", "kwargs", "return_value"):
        return value
    kind = re.match(r"[A-Za-z_][A-Za-z_.]*", str(value)) if name == "exc" else None
    return kind[0] if kind else "(withheld)"


class SaidOnce(logging.Filter):
    """On somebody's own machine nobody minds that there is no mail server: once in a process it is said."""

    EVENTS = frozenset({"mail_server_away"})

    def __init__(self) -> None:
        super().__init__()
        self.said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        event = record.msg.get("event") if isinstance(record.msg, dict) else None
        if event not in self.EVENTS:
            return True
        is_new = event not in self.said
        self.said.add(event)
        return is_new


def logging_settings(*, level: str, readable: bool) -> dict[str, Any]:
    """Settings for `logging.config.dictConfig`: one JSON object a line on stderr; coloured text where `readable`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_exception_text,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer(colors=False) if readable else structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "filters": {"no_exception_texts": {"()": NoExceptionTexts}, "said_once": {"()": SaidOnce}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "structured",
                "filters": ["no_exception_texts", *(["said_once"] if readable else [])],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own lines carry full paths, and those of SQL their parameters. The middleware below says the same
            # without them.
            "django.request": {"level": "CRITICAL"},
            "django.server": {"level": "WARNING"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "django.db.backends": {"level": "WARNING"},
        },
    }


def configure(settings: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: configures `logging` and structlog alike."""
    logging.config.dictConfig(settings)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_exception_text,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


log = structlog.get_logger("request")


def route_of(request: HttpRequest) -> str:
    """The pattern of the route, such as `patients/<uuid:public_id>/`; "(none)" where nothing matches."""
    match = request.resolver_match
    if match is None:
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return "(none)"
    return match.route


class RequestLogMiddleware:
    """One line per request, and a request id that ties the lines of one request together."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        # Only a plain token is taken over: anything else could forge lines, or carry a name.
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            route = route_of(request)
            if route not in QUIET_ROUTES:
                user = getattr(request, "user", None)
                write = log.error if response.status_code >= 500 else log.info
                write(
                    "request",
                    method=request.method,
                    route=route,
                    status=response.status_code,
                    milliseconds=round((time.perf_counter() - started) * 1000, 1),
                    user=getattr(user, "pk", None),
                )
        response["X-Request-ID"] = request_id
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Say where an unhandled exception came from; Django answers it with the page for 500."""
        if isinstance(exception, Http404 | PermissionDenied | SuspiciousOperation):
            return  # an answer, and not an accident: 404, 403, 400
        log.error("unhandled exception", route=route_of(request), exc_info=exception)
