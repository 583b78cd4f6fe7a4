"""The worklist, what falls due, and what could not be judged."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guards import needs
from accounts.models import Membership, Role
from accounts.permissions import Permission, may
from alerts.models import State
from audit.access import looked
from clinic.forms.worklist import BulkForm, DueForm, UnjudgedForm, WorklistForm
from clinic.selectors import worklist as questions
from clinic.selectors.overview import budget
from clinic.views.listing import answer, narrow_to_patients, narrowed_to, page_of
from clinic.views.shared import ClinicRequest, address, can
from common.dates import centre_day

ALERTS_A_PAGE = 25  # each says why, and can be acted on: more than anybody takes in at once


@require_safe
def home(request: ClinicRequest) -> HttpResponse:
    """Where somebody lands after signing in."""
    start = start_of(request.membership)
    if not start:
        raise PermissionDenied(_("You belong to no clinic yet."))
    return redirect(start)


def start_of(membership: Membership | None) -> str:
    """The address of the first page of a role: where its work waits. Empty for who may see nothing.

    No rule speaks to coordinators, so their worklist is empty: they begin with whom nobody expects.
    """
    if may(membership, Permission.SEE_PATIENTS):
        assert membership is not None
        if membership.role == Role.COORDINATOR:
            return address("clinic:patients", query="?next_visit=none")
        return address("clinic:worklist")
    return address("research:releases") if may(membership, Permission.EXPORT_RESEARCH) else ""


def list_tabs(
    request: ClinicRequest, as_of: dt.date, here: str, counts: dict[str, int] | None = None
) -> list[dict[str, Any]]:
    """The bar over every list: the states of the worklist, keeping its filters, and the lists beside it."""
    beside = questions.tab_counts(request.centre, as_of)
    query = request.GET.copy()
    for name in ("page", "when"):
        query.pop(name, None)
    tabs = []
    words = {
        State.OPEN: _("Open"), State.ACKNOWLEDGED: _("Acknowledged"), State.SNOOZED: _("Snoozed"),
        questions.ANY: _("All"),
    }  # fmt: skip
    for state, label in words.items():
        if counts is None and state != State.OPEN:
            continue
        query["state"] = str(state)
        url = address("clinic:worklist") + (f"?{query.urlencode()}" if counts is not None else "")
        label = label if counts is not None else _("Worklist")
        tabs.append(
            {"url": url, "label": label, "count": counts[str(state)] if counts else None, "here": here == state}
        )
    due = address("clinic:due")
    return [
        *tabs,
        {"url": due, "label": _("Due soon"), "count": beside["due"], "here": here == "soon"},
        {"url": f"{due}?when=overdue", "label": _("Overdue"), "count": beside["overdue"], "here": here == "overdue"},
        {
            "url": address("clinic:unjudged"), "label": _("Cannot be judged"), "count": beside["unjudged"],
            "here": here == "unjudged",
        },
        {"url": address("clinic:history"), "label": _("History"), "count": None, "here": here == "history"},
    ]  # fmt: skip


def _list(
    request: ClinicRequest, form: Any, template: str, route: str, now: dt.datetime, **context: Any
) -> HttpResponse:
    status = context.pop("status", 200)
    shown = context["page"]
    looked(by=request.user, centre=request.centre, now=now, page=route, rows=len(shown.object_list))
    context |= {
        "form": form,
        "list_url": address(route) + (f"?{request.GET.urlencode()}" if request.GET else ""),
        "now": now,
        "as_of": centre_day(now, request.centre.zone),
        "narrowed": narrowed_to(request, form.patients),
        "can": can(request),
        "nav": route,
    }
    return answer(request, f"clinic/worklist/{template}.html", f"clinic/worklist/_{template}.html", context, status)


@needs(Permission.SEE_PATIENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def worklist(request: ClinicRequest) -> HttpResponse:
    """Alerts on the list of the reader's role. A POST looks for patients by name."""
    searched: dict[str, Any] = {}
    if request.method == "POST":
        found = narrow_to_patients(request, "clinic:worklist")
        if isinstance(found, HttpResponse):
            return found
        searched = found
    return show_worklist(request, timezone.now(), **searched)


def show_worklist(request: ClinicRequest, now: dt.datetime, bulk: BulkForm | None = None, **extra: Any) -> HttpResponse:
    """The list that the address asks for; `bulk` is a form of several alerts that was refused."""
    as_of = centre_day(now, request.centre.zone)
    form = WorklistForm(request.GET, request.membership)
    filters = form.filters()
    counts = questions.states(request.centre, filters, as_of)
    page = page_of(request, questions.worklist(request.centre, filters, as_of), ALERTS_A_PAGE, counts[filters.state])
    return _list(
        request, form, "worklist", "clinic:worklist", now,
        page=page,
        rows=questions.rows(page.object_list, request.centre.zone, now),
        filters=filters,
        definition=questions.definition(filters, as_of),
        budget=budget(request.centre, filters.role),
        tabs=list_tabs(request, as_of, filters.state, counts),
        bulk=bulk or BulkForm(),
        status=422 if bulk is not None else 200,
        **extra,
    )  # fmt: skip


@needs(Permission.SEE_PATIENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def due(request: ClinicRequest) -> HttpResponse:
    """What will fall due in the next 14 days, and what is overdue."""
    searched: dict[str, Any] = {}
    if request.method == "POST":
        found = narrow_to_patients(request, "clinic:due")
        if isinstance(found, HttpResponse):
            return found
        searched = found
    return show_due(request, timezone.now(), **searched)


def show_due(request: ClinicRequest, now: dt.datetime, **extra: Any) -> HttpResponse:
    as_of = centre_day(now, request.centre.zone)
    form = DueForm(request.GET)
    filters, when = form.filters(), form.values["when"]
    if when == "overdue":
        page = page_of(request, questions.overdue(request.centre, filters, as_of), ALERTS_A_PAGE)
        shown: Any = questions.rows(page.object_list, request.centre.zone, now)
    else:
        page = page_of(request, questions.due_soon(request.centre, filters, as_of))
        shown = questions.coming_rows(page.object_list)
    return _list(
        request, form, "due", "clinic:due", now, page=page, rows=shown, when=when, filters=filters,
        tabs=list_tabs(request, as_of, when), **extra,
    )  # fmt: skip


@needs(Permission.SEE_PATIENTS)
@require_safe
def unjudged(request: ClinicRequest) -> HttpResponse:
    """Where a rule was silent only because a fact is missing."""
    now = timezone.now()
    as_of = centre_day(now, request.centre.zone)
    form = UnjudgedForm(request.GET)
    page = page_of(request, questions.unjudged(request.centre, form.filters()))
    return _list(
        request, form, "unjudged", "clinic:unjudged", now, page=page,
        rows=questions.unjudged_rows(page.object_list), tabs=list_tabs(request, as_of, "unjudged"),
    )  # fmt: skip
