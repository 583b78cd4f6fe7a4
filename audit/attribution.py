"""The frame every write stands in: one transaction, attributed, with an entry in the trail.

`@action("monitoring.record_results", "results recorded")` on every public function of actions.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pghistory
import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from audit.models import Entry, Origin

F = TypeVar("F", bound=Callable[..., Any])
log = structlog.get_logger(__name__)

_origin: contextvars.ContextVar[str] = contextvars.ContextVar("origin", default=Origin.PAGE)
_depth: contextvars.ContextVar[int] = contextvars.ContextVar("action_depth", default=0)

ACTIONS: dict[str, Callable[..., Any]] = {}


@contextlib.contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Says where the writes inside come from: the API, an import, a job, the command line. Default: a page."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def origin() -> str:
    """Where what is written now comes from."""
    return _origin.get()


def ask_rules_again() -> None:
    """Wake the job that judges touched patients. Where the broker is away, the tick of the minute sees the outbox."""
    try:
        current_app.send_task("alerts.tasks.judge_touched", ignore_result=True, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("broker_away", error=type(error).__name__)


def action(name: str, summary: str = "") -> Callable[[F], F]:
    """Run the function in one transaction with `by` and `now` as its author and moment.

    The function takes `by` (a User, or None for the system itself) and `now` (aware datetime) by keyword. The entry's
    patient and centre are those of the first keyword argument that has them. `reason=` is kept with the entry.
    Nested actions share the outer transaction and its context and write their own entries.
    """

    def decorate(function: F) -> F:
        parameters = inspect.signature(function).parameters
        missing = {"by", "now"} - {p.name for p in parameters.values() if p.kind is p.KEYWORD_ONLY}
        if missing:
            raise TypeError(f"{name}: an action takes {sorted(missing)} by keyword")

        @functools.wraps(function)
        def attributed(**kwargs: Any) -> Any:
            by, now = kwargs["by"], kwargs["now"]
            patient_id, centre_id = _about(kwargs)
            token = _depth.set(_depth.get() + 1)
            try:
                with (
                    transaction.atomic(),
                    pghistory.context(action=name, by=by.pk if by else None, origin=str(_origin.get())) as context,
                ):
                    result = function(**kwargs)
                    if patient_id is None:
                        patient_id, found_centre = _about({"result": result})
                        centre_id = centre_id or found_centre
                    Entry.objects.create(
                        at=now,
                        by=by,
                        centre_id=centre_id,
                        patient_id=patient_id,
                        action=name,
                        summary=summary,
                        reason=str(kwargs.get("reason") or "")[:200],
                        origin=_origin.get(),
                        context_id=context.id if context else uuid.uuid4(),
                    )
                    if _depth.get() == 1:
                        transaction.on_commit(ask_rules_again)
                    return result
            finally:
                _depth.reset(token)

        ACTIONS[name] = attributed
        return attributed  # type: ignore[return-value]  # the wrapper has the wrapped function's keywords

    return decorate


def job(name: str) -> Callable[[F], F]:
    """Mark work the system does by itself, such as judging and sending. The function takes `now` by keyword.

    It chooses its own transactions, and its trail are rows of its own (runs, sweeps, events of alerts, deliveries): an
    entry a minute would bury what people did. When a person orders such work, it writes an entry.
    """

    def decorate(function: F) -> F:
        now = inspect.signature(function).parameters.get("now")
        if now is None or now.kind is not now.KEYWORD_ONLY:
            raise TypeError(f"{name}: a job takes `now` by keyword")
        ACTIONS[name] = function
        return function

    return decorate


def _about(kwargs: dict[str, Any]) -> tuple[int | None, int | None]:
    """(patient id, centre id) of the first argument that is, or belongs to, a patient or a centre."""
    for value in kwargs.values():
        label = getattr(getattr(value, "_meta", None), "label", None)
        if label is None:
            continue
        if label == "patients.Patient":
            return value.pk, value.centre_id
        if getattr(value, "patient_id", None):
            return value.patient_id, value.patient.centre_id
    for value in kwargs.values():
        label = getattr(getattr(value, "_meta", None), "label", None)
        if label == "accounts.Centre":
            return None, value.pk
        if label and getattr(value, "centre_id", None):
            return None, value.centre_id
    return None, None
