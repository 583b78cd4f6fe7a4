"""What the lists have in common: pages, fragments, and finding patients without a name in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from clinic.forms.worklist import PATIENTS_AT_MOST
from clinic.views.shared import ClinicRequest
from patients import selectors as patients
from patients.models import Patient

PER_PAGE = 50


def wants_fragment(request: ClinicRequest) -> bool:
    """htmx asks for a part; on its way back through the history it wants the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def page_of(request: ClinicRequest, found: QuerySet[Any], size: int = PER_PAGE, count: int | None = None) -> Page[Any]:
    """The page the address names; the first or the last where it names none there is. `count` spares counting `found`
    where the same question has been counted already.
    """
    paginator = Paginator(found, size)
    if count is not None:
        paginator.count = count
    return paginator.get_page(request.GET.get("page"))


def answer(
    request: ClinicRequest, whole: str, fragment: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The whole page, or the part of it that htmx replaces."""
    response = render(request, fragment if wants_fragment(request) else whole, context, status=status)
    if wants_fragment(request):
        response.write(render_to_string("clinic/worklist/_around.html", context, request))
    patch_vary_headers(response, ["HX-Request"])  # or the browser shows a part as if it were the page
    return response


def narrow_to_patients(request: ClinicRequest, route: str, *args: Any) -> HttpResponse | dict[str, Any]:
    """Answer a posted search: go to the same list about the patients found. Names are posted, and never in an address.

    Where nobody is found, what to show instead: {"typed", "searched"}.
    """
    typed = request.POST.get("q", "").strip()[:200]
    query = request.GET.copy()
    for name in ("patient", "page", "before"):
        query.pop(name, None)
    found = patients.search(request.centre, typed, PATIENTS_AT_MOST) if typed else []
    if found or not typed:
        query.setlist("patient", [str(patient.public_id) for patient in found])
        address = reverse(route, args=args) + (f"?{query.urlencode()}" if query else "")
        return redirect(address)
    return {"typed": typed, "nobody": True}


def narrowed_to(request: ClinicRequest, ids: Sequence[Any]) -> list[Patient]:
    """The patients a list is narrowed to. Those of another centre are not among them."""
    if not ids:
        return []
    return list(request.centre.patients.filter(public_id__in=ids).order_by("family_name", "given_name", "id"))


def address_with(route: str, **query: Any) -> str:
    return f"{reverse(route)}?{urlencode(query)}"
