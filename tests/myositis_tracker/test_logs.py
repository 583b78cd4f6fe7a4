"""Log lines say what happened and never to whom."""

from __future__ import annotations

import io
import json
import logging
import runpy
from pathlib import Path
from typing import Any

import pytest
import structlog
from celery import Celery
from celery.app.trace import build_tracer
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from gunicorn.config import Config

from myositis_tracker.logs import RequestLogMiddleware, configure, logging_settings

OurLog = runpy.run_path(str(Path(__file__).parents[2] / "gunicorn.conf.py"))["OurLog"]


@pytest.fixture
def lines(settings: Any) -> Any:
    """A function giving every line logged so far as parsed JSON; the logging of the run is restored afterwards."""
    configured = logging_settings(level="INFO", readable=False)
    configure(configured)
    stream = io.StringIO()
    handler = logging.getLogger().handlers[-1]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    configure(settings.LOGGING)


def test_a_request_is_logged_by_its_pattern(lines: Any) -> None:
    def respond(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    request = RequestFactory().get("/login/password/reset/key/9-secretkey/?q=Doe", headers={"X-Request-ID": "abcdefgh"})
    answer = RequestLogMiddleware(respond)(request)
    [line] = lines()
    assert line["route"].startswith("login/password/reset/key/")
    assert line["status"] == 200
    assert line["request_id"] == answer["X-Request-ID"] == "abcdefgh"
    assert "Doe" not in json.dumps(line)
    assert "secretkey" not in json.dumps(line)


def test_a_request_id_cannot_carry_text(lines: Any) -> None:
    request = RequestFactory().get("/nowhere", headers={"X-Request-ID": "Jane Doe, born 1970"})
    answer = RequestLogMiddleware(lambda _: HttpResponse())(request)
    [line] = lines()
    assert "Doe" not in json.dumps(line)
    assert "Doe" not in answer["X-Request-ID"]


@pytest.mark.parametrize("logger", [structlog.get_logger("ours"), logging.getLogger("theirs")])
def test_an_exception_is_logged_without_its_text(lines: Any, logger: Any) -> None:
    try:
        raise ValueError("duplicate key: (name)=(Doe)")
    except ValueError:
        logger.exception("it broke")
    [line] = lines()
    assert line["event"] == "it broke"
    assert line["exception"] == "builtins.ValueError"
    assert any("test_logs.py" in frame for frame in line["frames"])
    assert "Doe" not in json.dumps(line)


def test_a_task_that_fails_is_logged_without_the_text(lines: Any) -> None:
    """As Celery logs it: its tracer writes the text into the line."""
    task = Celery("test", set_as_default=False).task(name="fails")(_fail)
    tracer = build_tracer("fails", task, app=task.app)
    tracer("some-id", ("Doe",), {}, {"id": "some-id", "args": ["Doe"], "kwargs": {}, "delivery_info": {}})
    [line] = lines()
    assert line["event"] == "Task fails[some-id] raised unexpected: IntegrityError"
    assert line["exception"] == "django.db.utils.IntegrityError"
    assert "Doe" not in json.dumps(line)


def _fail(name: str) -> None:
    raise IntegrityError(f"duplicate key\nDETAIL: Key (name)=({name})")


def test_the_server_logs_no_addresses_and_no_texts(lines: Any) -> None:
    """As gunicorn logs what broke after the answer had begun, such as an export."""
    log = OurLog(Config())
    log.error_log.setLevel(logging.WARNING)
    try:
        raise ValueError("invalid: Doe")
    except ValueError as error:
        log.exception("Error handling request %s", "/patients/?q=Doe")
        log.exception(error)
        log.warning("lost: %s", error)
    assert [line["event"] for line in lines()] == [
        "Error handling request (withheld)",
        "ValueError",
        "lost: ValueError",
    ]
    assert "Doe" not in json.dumps(lines())


def test_health_is_not_worth_a_line(lines: Any) -> None:
    RequestLogMiddleware(lambda _: HttpResponse())(RequestFactory().get("/livez"))
    assert lines() == []


@pytest.mark.parametrize(("readable", "times"), [(True, 1), (False, 3)])
def test_on_ones_own_machine_an_absent_mail_server_is_said_once(settings: Any, readable: bool, times: int) -> None:
    configure(logging_settings(level="INFO", readable=readable))
    try:
        stream = io.StringIO()
        handler = logging.getLogger().handlers[-1]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(stream)
        for _ in range(3):
            structlog.get_logger("alerts").warning("mail_server_away", error="OSError")
            structlog.get_logger("alerts").warning("something_else")
        said = stream.getvalue()
        assert said.count("mail_server_away") == times
        assert said.count("something_else") == 3
    finally:
        configure(settings.LOGGING)
