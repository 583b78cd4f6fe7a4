"""Settings, all of them from the environment (see .env.example), checked here at start.

MODE is "production" unless said otherwise. "local" (make run, manage.py in a clone) and "test" speak plain http on
the loopback interface and make up their secrets; everything else is the same in all three, so that what
is tried is what runs.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from myositis_tracker.environment import Environment, WrongEnvironment
from myositis_tracker.logs import logging_settings
from myositis_tracker.schedule import SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment(os.environ)
MODE = env.text("MODE", "production", choices=("production", "local", "test"))
PRODUCTION = MODE == "production"


def made_up(name: str) -> str | None:
    """Outside production: a secret made once per clone and kept in .local/, so that sessions survive a restart."""
    if PRODUCTION:
        return None
    path = BASE_DIR / ".local" / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Exclusive creation: of two processes that start together, the second reads what the first wrote.
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w") as handle:
                handle.write(secrets.token_urlsafe(64))
    return path.read_text()


# ---------------------------------------------------------------------------------------------------------- the basics

SECRET_KEY = env.secret("SECRET_KEY", made_up("secret_key"), at_least=50)
RELEASE_KEY = env.secret("RELEASE_KEY", made_up("release_key"), at_least=32)  # keys the pseudonyms of research releases
METRICS_TOKEN = env.secret("METRICS_TOKEN", "")  # empty: /metrics answers on the loopback interface only
DEBUG = env.boolean("DEBUG", False)
if DEBUG and PRODUCTION:
    env.wrong("DEBUG", "must stay off in production: error pages would show patient data")

BASE_URL = env.origin(
    "BASE_URL",
    None if PRODUCTION else "http://localhost:8000",
    schemes=("https",) if PRODUCTION else ("http", "https"),
)
# The loopback names are for health checks from inside the container; links in e-mails are made from BASE_URL, never
# from the Host header.
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", [urlsplit(BASE_URL).hostname or ""] if BASE_URL else [])
if "*" in ALLOWED_HOSTS:
    env.wrong("ALLOWED_HOSTS", "must name the hosts; * would accept any")
ALLOWED_HOSTS = [*dict.fromkeys([*ALLOWED_HOSTS, *LOOPBACK_HOSTS])]
if MODE == "test":
    ALLOWED_HOSTS.append("testserver")
CSRF_TRUSTED_ORIGINS = [BASE_URL] if BASE_URL else []

REQUIRE_MFA = env.boolean("REQUIRE_MFA", False)  # a second factor for everybody, not only for those who want one
SESSION_IDLE_MINUTES = env.integer("SESSION_IDLE_MINUTES", 30, low=1, high=24 * 60)
TRUSTED_PROXIES = env.integer(
    "TRUSTED_PROXIES", 0, low=0, high=10
)  # reverse proxies in front of us, for client addresses

# Checks by id that need not be shown again: the day on which a rule is due for review must not fail a build.
SILENCED_SYSTEM_CHECKS = env.words("SILENCED_CHECKS", [])

ROOT_URLCONF = "myositis_tracker.urls"
WSGI_APPLICATION = "myositis_tracker.wsgi.application"

INSTALLED_APPS = [
    "accounts",
    "audit",
    "patients",
    "therapy",
    "monitoring",
    "alerts",
    "exchange",
    "research",
    "clinic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "drf_spectacular",
    "pghistory",
    "pgtrigger",
    "rest_framework",
]

MIDDLEWARE = [
    "myositis_tracker.logs.RequestLogMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pages are compressed though they carry a token: it is masked anew in each, and Django adds a random length.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.kept.SignInMiddleware",
    "accounts.middleware.NotKeptMiddleware",
    "accounts.middleware.CentreMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "myositis_tracker.login.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "clinic.middleware.FormAddressMiddleware",
    "accounts.kept.KeptFormMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "clinic.middleware.MergedRecordsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "clinic.context.frame",
            ],
            "builtins": ["accounts.templatetags.whose", "clinic.templatetags.rows"],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# ------------------------------------------------------------------------------------------------------------ servers

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": env.database("DATABASE_URL")
    | {
        # One connection per thread is kept and checked before use, so a restarted server costs one retry, not an error.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": env.text("TEST_DATABASE_NAME", "test_myositis")},
    }
}
# A transaction that somebody forgot keeps rows locked and stops vacuum; five minutes is far beyond any of ours.
# pgtrigger reads its setting in every row's trigger; where it was never set, each of these reads raises, catches and
# rolls back a subtransaction: nine tenths of what a bulk insert cost.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault(
    "options", "-c idle_in_transaction_session_timeout=300000 -c pgtrigger.ignore={}"
)

CACHE_URL, BROKER_URL = env.redis("REDIS_URL")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}}

# ------------------------------------------------------------------------------------------------------------- celery

CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Nobody waits for a result: what a task did is in PostgreSQL.
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
# A task is taken off the queue when it is done, so one whose worker was killed runs again. Tasks are therefore written
# to be run twice without harm.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
# Redis gives an unacknowledged task to somebody else after this many seconds: it must exceed the hard time limit, or a
# slow task would run twice at the same time.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900}
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = SCHEDULE

# ------------------------------------------------------------------------------------------------------------- e-mail

EMAIL_HOST = env.text("EMAIL_HOST", None if PRODUCTION else "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 587 if PRODUCTION else 1025, low=1, high=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.secret("EMAIL_HOST_PASSWORD", "")
EMAIL_SECURITY = env.text("EMAIL_SECURITY", "starttls" if PRODUCTION else "none", choices=("starttls", "tls", "none"))
EMAIL_USE_TLS = EMAIL_SECURITY == "starttls"
EMAIL_USE_SSL = EMAIL_SECURITY == "tls"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", None if PRODUCTION else "clinic@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Who hears that a rule broke or a sweep did not run. Never ADMINS: Django's error mails carry request data.
OPERATORS = env.words("OPERATORS", [])
ADMINS: list[tuple[str, str]] = []

# -------------------------------------------------------------------------------------------------------------- login

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "myositis_tracker.login.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by an administrator, who knows the address
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(BASE_URL).scheme or "https"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Myositis tracker"
# Browsers allow passkeys on plain http for localhost only, and then the library must be told so.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
USERSESSIONS_TRACK_ACTIVITY = False

SESSION_ENGINE = "accounts.sessions"
# What is said of a patient is kept with the session on the server, never in a cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_AGE = SESSION_IDLE_MINUTES * 60
SESSION_SAVE_EVERY_REQUEST = True  # every request moves the end: the age above is idle time
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # Strict would log people out who follow the link of an alert mail
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "accounts.kept.csrf_failure"
LANGUAGE_COOKIE_SAMESITE = "Lax"

# ------------------------------------------------------------------------------------------------- transport, headers

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION
# Asked from inside, over plain http, by the thing that keeps us running.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
if PRODUCTION:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# A panel has a few dozen fields; a bulk form some hundreds. Uploads have their own limit where they are read.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# ---------------------------------------------------------------------------------------------------------------- api

REST_FRAMEWORK = {
    # Default deny: a view of the API that names no permission lets nobody in.
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.Allowed"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "EXCEPTION_HANDLER": "accounts.api.handle",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.authentication.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "600/min", "export": "100/hour", "bulk": "60/min"},
    "DEFAULT_VERSIONING_CLASS": None,
    "NUM_PROXIES": TRUSTED_PROXIES,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Myositis tracker",
    "DESCRIPTION": "Follows people with autoimmune myositis: results, assessments, treatment, alerts.",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "LevelEnum": "monitoring.levels.Level",
        "AlertReasonEnum": "alerts.models.Reason",
        "StopReasonEnum": "therapy.models.StopReason",
        "CoreSetMeasureEnum": "monitoring.response_serializers.MEASURES",
        "ResponseCategoryEnum": "monitoring.response_serializers.CATEGORIES",
        "WorseMeasureEnum": "monitoring.response_serializers.WORSE_MEASURES",
        "FactStatusEnum": "common.models.Status",
        "DeteriorationStatusEnum": "monitoring.response_serializers.STATUSES",
    },
}

# -------------------------------------------------------------------------------------------- language, time

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
if MODE == "test":
    LANGUAGES.append(("en-xa", "Pseudo"))  # every text of the catalogue in brackets: what has none was not marked
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "myositis_tracker" / "locale"]
FORMAT_MODULE_PATH = "myositis_tracker.formats"
LANGUAGE_COOKIE_NAME = "language"
USE_TZ = True
TIME_ZONE = "UTC"  # the server's; every centre has its own, in which its days are counted

# ------------------------------------------------------------------------------------------------------- static files

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".local" / "static"
# Front-end libraries, put there by `make assets` from package-lock.json; never in the repository.
VENDOR_DIR = BASE_DIR / "static"
STATICFILES_DIRS = [VENDOR_DIR] if VENDOR_DIR.is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Outside production files are served from where they are written: nothing to collect, and a change shows at once.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(BASE_DIR / ".local" / "media")))  # uploads; never served

# ------------------------------------------------------------------------------------------------------------ logging

LOG_LEVEL = env.text("LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING_CONFIG = "myositis_tracker.logs.configure"
LOGGING = logging_settings(level=LOG_LEVEL, readable=MODE == "local")
PROMETHEUS_EXPORT_MIGRATIONS = False  # would query the database while the application is loaded

try:
    env.check()
except WrongEnvironment as error:
    raise ImproperlyConfigured(str(error)) from None
