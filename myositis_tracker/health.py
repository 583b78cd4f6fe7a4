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
from django.db.models import Exists, Min, OuterRef
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from redis.exceptions import RedisError

from accounts.models import Centre
from alerts.models import Delivery, Sweep
from patients.models import Patient

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


# A centre is checked once a night; two hours more leave room for a long sweep and for the change of the clocks.
OLDEST_SWEEP = dt.timedelta(hours=26)
# Mail is tried again and again; half an hour is beyond what a mail server's usual "try later" takes.
OLDEST_UNSENT_MAIL = dt.timedelta(minutes=30)


def sweeps_finish() -> str | None:
    """None while every centre with patients has had a sweep finish within OLDEST_SWEEP; else how many have not.

    A centre whose first patient is newer than that and that was never swept is not late.
    """
    now = timezone.now()
    finished = Sweep.objects.filter(centre=OuterRef("pk"), finished_at__gt=now - OLDEST_SWEEP)
    waiting = Patient.objects.filter(centre=OuterRef("pk"), created_at__lte=now - OLDEST_SWEEP)
    late = Centre.objects.filter(Exists(waiting), ~Exists(finished)).count()
    hours = OLDEST_SWEEP.total_seconds() / 3600
    return f"{late} centre(s) without a finished sweep for {hours:.0f} hours" if late else None


def mail_goes_out() -> str | None:
    """None while no mail has been waiting for longer than OLDEST_UNSENT_MAIL, else the age of the oldest in minutes."""
    oldest = Delivery.objects.filter(sent_at__isnull=True).aggregate(at=Min("created_at"))["at"]
    if oldest is None:
        return None
    waited = timezone.now() - oldest
    minutes = waited.total_seconds() / 60
    return f"oldest unsent mail is {minutes:.0f} minutes old" if waited > OLDEST_UNSENT_MAIL else None


# Each check gives None when all is well, else a short text without data. A check must come back within seconds.
ESSENTIAL: dict[str, Callable[[], str | None]] = {
    "database": database_answers,
    "redis": redis_answers,
    "migrations": migrations_applied,
}
# Somebody must look, but the pages work: taking the web servers away would only make it worse.
WATCHED: dict[str, Callable[[], str | None]] = {
    "sweeps": sweeps_finish,
    "mail": mail_goes_out,
}


def ask(checks: dict[str, Callable[[], str | None]]) -> dict[str, str]:
    """{name: "ok" or what is wrong} for each check."""
    found: dict[str, str] = {}
    for name, check in checks.items():
        try:
            found[name] = check() or "ok"
        except Exception:
            log.exception("health check broke", check=name)
            found[name] = "check failed"
    return found


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
    """200 when this server can serve, else 503. With `?strict`, for monitoring, 503 also when somebody must look.

    Shape: {"ready": bool, "degraded": bool, "checks": {name: "ok" or what is wrong}}.
    """
    essential, watched = ask(ESSENTIAL), ask(WATCHED)
    ready = all(answer == "ok" for answer in essential.values())
    degraded = any(answer != "ok" for answer in watched.values())
    status = 200 if ready and not (degraded and "strict" in request.GET) else 503
    return JsonResponse({"ready": ready, "degraded": degraded, "checks": essential | watched}, status=status)


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
