"""Three questions from outside: is the process alive, can it do its work, what do its numbers say."""

from __future__ import annotations

import datetime as dt
import hmac
import ipaddress
from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from redis.exceptions import RedisError

log = structlog.get_logger("health")


def database_answers() -> str | None:
    """None when PostgreSQL answers, else what is wrong."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return None


def redis_answers() -> str | None:
    """None when Redis takes and returns a value, else what is wrong."""
    try:
        cache.set("health", 1, timeout=10)
        if cache.get("health") != 1:
            return "does not keep values"
    except (RedisError, OSError):
        return "does not answer"
    return None


def migrations_applied() -> str | None:
    """None when every migration of this release is applied, else how many are missing."""
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return "cannot be read"
    return f"{missing} not applied" if missing else None


# Each check gives None when all is well, else a short text without data. A check must come back within seconds.
CHECKS: dict[str, Callable[[], str | None]] = {
    "database": database_answers,
    "redis": redis_answers,
    "migrations": migrations_applied,
}


@login_not_required
@never_cache
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """200 while the process serves requests. Asks nobody else: a restart would not repair a database."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every check passes, else 503. Shape: {"ready": bool, "checks": {name: "ok" | what is wrong}}."""
    found: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            found[name] = check() or "ok"
        except Exception:
            # A check that breaks must not take the answer about all the others with it.
            log.exception("health check broke", check=name)
            found[name] = "check failed"
    ready = all(answer == "ok" for answer in found.values())
    return JsonResponse({"ready": ready, "checks": found}, status=200 if ready else 503)


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for a bearer of METRICS_TOKEN or, where none is set, for the loopback interface. Else 404."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        allowed = hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    else:
        # Behind a proxy everybody seems to come from the loopback interface; then only a token will do.
        allowed = settings.TRUSTED_PROXIES == 0 and is_loopback(request.META.get("REMOTE_ADDR", ""))
    if not allowed:
        return HttpResponse(status=404)
    return ExportToDjangoView(request)


def is_loopback(address: str) -> bool:
    """Whether a client address is this machine's; a Unix socket has none and counts as outside."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def age(moment: dt.datetime | None) -> dt.timedelta | None:
    """How long ago `moment` was; None stays None."""
    return None if moment is None else timezone.now() - moment
