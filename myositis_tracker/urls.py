"""Every route of the project. Each app brings its own; the prefix is decided here."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from myositis_tracker import health, login, words

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("words/<slug:language>.js", words.catalogue, name="words"),
    path("login/email/", login.no_change_of_address, name="account_email"),  # before the library's own
    path("login/", include("allauth.urls")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="api-schema"),
]

# (prefix, module) of the apps that have routes, most particular first.
ROUTES = [
    ("api/v1/", "clinic.api_urls"),
    ("accounts/", "accounts.urls"),
    ("exchange/", "exchange.urls"),
    ("research/", "research.urls"),
    ("", "clinic.urls"),
]
urlpatterns += [path(prefix, include(module)) for prefix, module in ROUTES if find_spec(module)]
