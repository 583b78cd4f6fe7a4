"""The texts of scripts in one language, as a script."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog

KEPT_SECONDS = 3600


@login_not_required
@require_safe
def catalogue(request: HttpRequest, language: str) -> HttpResponseBase:
    """gettext, ngettext, interpolate and the texts they need. The same for everybody, so browsers may keep it."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        response = JavaScriptCatalog.as_view()(request)
    # By browsers and not by proxies: as every answer this one carries the reader's cookie.
    patch_cache_control(response, private=True, max_age=KEPT_SECONDS)
    response.about_nobody = True  # type: ignore[attr-defined]  # for NotKeptMiddleware
    return response
