"""The list of patients, and finding one by name or number."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked
from audit.models import Entry
from clinic import paper_list
from clinic.forms.booking import BookForm, ticked
from clinic.forms.patients import PatientsForm
from clinic.selectors import patients as questions
from clinic.selectors import remission
from clinic.views.listing import PER_PAGE, answer, page_of
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, can, saved
from clinic.views.undo import UNDONE_TOGETHER
from common.dates import centre_day
from monitoring.booking_actions import book_tests
from monitoring.models import Booking
from patients.models import Patient

IN_MENU = 8


@needs(Permission.SEE_PATIENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: ClinicRequest) -> HttpResponse:
    """A GET lists; a POST looks for `q`, which is a name or a number and must not stand in an address."""
    now = timezone.now()
    as_of = centre_day(now, request.centre.zone)
    if request.method == "POST":
        return _find(request, now, as_of)
    form = PatientsForm(request.GET, centre=request.centre)
    page = page_of(request, questions.listed(request.centre, form.filters(), as_of))
    looked(by=request.user, centre=request.centre, now=now, page="clinic:patients", rows=len(page.object_list))
    context = {
        "form": form,
        "filters": form.filters(),
        "definition": questions.definition(form.filters(), request.centre),
        "about_remission": remission.definition() if form.filters().remission else "",
        "query": request.GET.urlencode(),
        "page": page,
        "rows": questions.patient_rows(list(page.object_list), as_of),
        **_frame(request, as_of),
    }
    return answer(request, "clinic/patients/index.html", "clinic/patients/_list.html", context)


def _frame(request: ClinicRequest, as_of: dt.date) -> dict[str, Any]:
    return {"as_of": as_of, "can": can(request), "nav": "clinic:patients"}


@needs(Permission.EXPORT_LISTS)  # type: ignore[arg-type]  # an answer that is streamed is an answer
@require_safe
def export(request: ClinicRequest) -> StreamingHttpResponse:
    """The list as filtered, all pages of it, as a file; `for=excel` in the dialect of the reader's spreadsheet."""
    now = timezone.now()
    as_of = centre_day(now, request.centre.zone)
    filters = PatientsForm(request.GET, centre=request.centre).filters()
    found = questions.listed(request.centre, filters, as_of)
    looked(by=request.user, centre=request.centre, now=now, page="clinic:patients-export", rows=found.count())
    for_excel = request.GET.get("for") == "excel"
    file = paper_list.lines(found, as_of, for_excel=for_excel, by=paper_list.separator(), listed_on=filters.on)
    response = StreamingHttpResponse(file, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="patients-{as_of.isoformat()}.csv"'
    patch_cache_control(response, private=True, no_store=True)
    return response


@needs(Permission.BOOK_TESTS)
def book(request: ClinicRequest) -> HttpResponse:
    """Tests and visits for everybody who was ticked, several at once."""
    now = timezone.now()
    as_of = centre_day(now, request.centre.zone)
    query = request.POST if request.method == "POST" else request.GET
    people = list(
        request.centre.patients.filter(public_id__in=ticked(query)).order_by("family_name", "given_name", "id")
    )
    form = BookForm(request.POST or None)
    if request.method == "POST" and people:
        made = attempt(
            form,
            lambda: book_tests(centre=request.centre, patients=people, by=request.user, now=now, **form.cleaned_data),
        )
        if made is not None:
            return _booked(request, people, made, len(people) * len(form.cleaned_data["kinds"]), now)
    elif people:
        looked(
            by=request.user, centre=request.centre, now=now, page="clinic:book-tests", rows=len(people),
            patient=people[0] if len(people) == 1 else None,
        )  # fmt: skip
    ahead = questions.booked_ahead(people, as_of)
    context = {
        "form": form,
        "people": [(patient, ahead.get(patient.pk, [])) for patient in people],
        **_frame(request, as_of),
    }
    return render(request, "clinic/patients/book.html", context, status=422 if form.errors else 200)


def _booked(
    request: ClinicRequest, people: list[Patient], made: list[Booking], wanted: int, now: dt.datetime
) -> HttpResponse:
    said = ngettext("%(n)s booking made.", "%(n)s bookings made.", len(made)) % {"n": len(made)}
    if len(made) < wanted:
        there = wanted - len(made)
        said += " " + ngettext("%(n)s was booked already.", "%(n)s were booked already.", there) % {"n": there}
    if len(people) == 1:
        saved(request, people[0], said, now)
        return redirect("clinic:patient", people[0].public_id)
    entry = Entry.objects.filter(by=request.user, centre=request.centre, action=UNDONE_TOGETHER, at=now).last()
    messages.success(request, said, extra_tags=reverse("clinic:undo", args=[entry.pk]) if entry and made else "")
    return redirect("clinic:patients")


def _find(request: ClinicRequest, now: dt.datetime, as_of: dt.date) -> HttpResponse:
    typed = request.POST.get("q", "").strip()[:200]
    in_menu = request.htmx and request.htmx.target == "search-found"
    limit = IN_MENU if in_menu else PER_PAGE
    found = questions.found_by_name(request.centre, typed, as_of, limit + 1) if typed else []
    shown, more = found[:limit], len(found) > limit
    if shown:
        looked(by=request.user, centre=request.centre, now=now, page="clinic:patients", rows=len(shown))
    if in_menu:
        return render(request, "clinic/patients/_menu.html", {"typed": typed, "found": shown, "more": more})
    if not typed:
        return redirect("clinic:patients")
    if len(shown) == 1:
        return redirect("clinic:patient", shown[0].public_id)
    context = {
        "form": PatientsForm(request.GET, centre=request.centre),
        "typed": typed,
        "searched": True,
        "more": more,
        "limit": limit,
        "rows": questions.patient_rows(shown, as_of),
        **_frame(request, as_of),
    }
    return answer(request, "clinic/patients/index.html", "clinic/patients/_list.html", context)
