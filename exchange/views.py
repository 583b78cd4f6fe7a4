"""Pages of files coming in: upload, preview, commit, receipt; and the quarantine."""

from __future__ import annotations

import csv
import datetime as dt
import json
import uuid
from typing import Any

from celery import current_app
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh
from django_htmx.middleware import HtmxDetails
from kombu.exceptions import OperationalError

from accounts.guards import needs
from accounts.models import Centre, User
from accounts.permissions import Permission
from audit.access import looked
from audit.attribution import coming_from
from audit.models import Origin
from exchange import actions, progress, selectors, wording
from exchange.forms import DiscardForm, PlaceForm, QuarantineFilter, UploadForm
from exchange.mapping import LABS, MappingProblem, read_mapping
from exchange.models import HeldRow, PendingUpload, UploadState
from exchange.planning import prepare_upload
from exchange.tables import safe_cell


class ClinicRequest(HttpRequest):
    """A request that `needs` has let through: signed in, at a centre."""

    user: User
    centre: Centre
    htmx: HtmxDetails


PAGE = 50
AT_ONCE_BYTES = 256 * 1024  # a larger file is read and imported by a worker
# What the row itself answers, by the name of the field in the mapping.
LABELS = {
    "patient_number": _("Patient number"),
    "test": _("Test"),
    "value": _("Value"),
    "unit": _("Unit"),
    "low": _("Lower limit"),
    "high": _("Upper limit"),
    "taken": _("Sample taken"),
    "reported": _("Reported"),
    "laboratory": _("Laboratory"),
    "id": _("Id at the source"),
    "given_name": _("Given name"),
    "family_name": _("Family name"),
    "born": _("Born"),
    "sex": _("Sex"),
    "subtype": _("Subtype"),
    "onset": _("First symptom"),
    "diagnosed": _("Diagnosed"),
    "row": _("Row"),
}


@require_GET
@needs(Permission.IMPORT)
def uploads(request: ClinicRequest) -> HttpResponse:
    page = Paginator(selectors.batches(request.centre), PAGE).get_page(request.GET.get("page"))
    pending = selectors.pending_uploads(request.centre)
    return render(request, "exchange/uploads.html", {"page": page, "pending": pending})


@require_http_methods(["GET", "POST"])
@needs(Permission.IMPORT)
def upload(request: ClinicRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None, centre=request.centre)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        waiting = actions.keep_upload(
            centre=request.centre,
            kind=data["kind"],
            content=data["content"],
            file_name=data["file"].name or "file",
            mapping=data["checked_mapping"],
            source_name=data["source"],
            by=request.user,
            now=timezone.now(),
        )
        if len(data["content"]) > AT_ONCE_BYTES:
            return _ask_a_worker(request, waiting, UploadState.READING)
        return redirect("exchange:preview", public_id=waiting.public_id)
    status = 422 if request.method == "POST" else 200
    return render(request, "exchange/upload.html", {"form": form, "nav": "exchange:uploads"}, status=status)


def _pending(request: ClinicRequest, public_id: uuid.UUID) -> PendingUpload:
    return get_object_or_404(PendingUpload, centre=request.centre, public_id=public_id)


def _show_preview(
    request: ClinicRequest, waiting: PendingUpload, found: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    problems = [{**p, "label": LABELS.get(p["field"], p["field"])} for p in found["problems"]]
    _looked(request, "exchange:preview", found["report"]["rows"])
    context = {
        "nav": "exchange:uploads",
        "upload": waiting,
        "report": found["report"],
        "digest": found["digest"],
        "changed": found.get("changed", False),
        "problems": Paginator(problems, PAGE).get_page(request.GET.get("page")),
        "more_problems": found["more_problems"],
        "notes": found["notes"][:PAGE],
        "more_notes": found["more_notes"] + max(0, len(found["notes"]) - PAGE),
        "sample": [{**row, "taken_on": dt.date.fromisoformat(row["taken_on"])} for row in found["sample"]],
    }
    return render(request, "exchange/preview.html", context, status=status)


def _looked(request: ClinicRequest, page: str, rows: int) -> None:
    """Rows of a file are results of people, whether or not the page names them."""
    if rows:
        looked(by=request.user, centre=request.centre, now=timezone.now(), page=page, rows=rows)


def _ask_a_worker(request: ClinicRequest, waiting: PendingUpload, state: str, *rest: object) -> HttpResponse:
    """Begin work that takes too long for one request. Where the broker is away, the page says that it broke off."""
    now = timezone.now()
    try:
        actions.begin_work(upload=waiting, state=state, by=request.user, now=now)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    else:
        work = "read_upload" if state == UploadState.READING else "import_upload"
        try:
            current_app.send_task(f"exchange.tasks.{work}", args=[str(waiting.public_id), *rest], retry=False)
        except (OperationalError, OSError):
            actions.end_work(upload=waiting, state=UploadState.BROKEN, now=now)
    return redirect("exchange:preview", public_id=waiting.public_id)


@require_GET
@needs(Permission.IMPORT)
def preview(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """What committing would do; while a worker reads or imports the file, how far it is; afterwards the receipt."""
    waiting = PendingUpload.objects.filter(centre=request.centre, public_id=public_id).first()
    if waiting is None:
        get_object_or_404(selectors.batches(request.centre), public_id=public_id)
        if request.htmx:
            return HttpResponseClientRedirect(reverse("exchange:receipt", args=[public_id]))
        return redirect("exchange:receipt", public_id=public_id)
    now = timezone.now()
    at_work = waiting.is_at_work(now)
    if at_work or waiting.state != UploadState.READY:
        context = {
            "nav": "exchange:uploads",
            "upload": waiting,
            "at_work": at_work,
            "percent": progress.percent(public_id),
        }
        whole = not request.htmx
        if not whole and not at_work:
            return HttpResponseClientRefresh()
        return render(request, "exchange/working.html" if whole else "exchange/_working.html", context)
    if request.htmx:
        return HttpResponseClientRefresh()
    if waiting.preview is not None:
        return _show_preview(request, waiting, waiting.preview)
    return _show_preview(request, waiting, prepare_upload(waiting, now).as_preview())


@require_POST
@needs(Permission.IMPORT)
def read_again(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """After it broke off."""
    return _ask_a_worker(request, _pending(request, public_id), UploadState.READING)


@require_POST
@needs(Permission.IMPORT)
def commit(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    waiting = _pending(request, public_id)
    # Without the digest of a preview nothing is committed that nobody has seen.
    digest = request.POST.get("digest") or "not previewed"
    if len(waiting.content) > AT_ONCE_BYTES:
        return _ask_a_worker(request, waiting, UploadState.IMPORTING, digest, request.user.pk)
    now = timezone.now()
    try:
        with coming_from(Origin.IMPORT):
            plan = prepare_upload(waiting, now)
            batch = actions.commit_import(plan=plan, upload=waiting, digest=digest, by=request.user, now=now)
    except actions.PlanChangedError as error:
        return _show_preview(request, waiting, {**error.plan.as_preview(), "changed": True}, status=409)
    return redirect("exchange:receipt", public_id=batch.public_id)


@require_POST
@needs(Permission.IMPORT)
def drop(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    try:
        actions.drop_upload(upload=_pending(request, public_id), by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("exchange:preview", public_id=public_id)
    messages.success(request, gettext("The file was dropped. Nothing was written."))
    return redirect("exchange:uploads")


@require_GET
@needs(Permission.IMPORT)
def receipt(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    batch = get_object_or_404(selectors.batches(request.centre), public_id=public_id)
    rows = selectors.held_rows(request.centre, state="all", batch=batch.public_id)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    _looked(request, "exchange:receipt", len(page.object_list))
    context = {
        "nav": "exchange:uploads",
        "batch": batch,
        "mapping": json.dumps(batch.mapping, indent=2, ensure_ascii=False),
        "page": page,
        "notes": batch.notes[:PAGE],
        "more_notes": max(0, len(batch.notes) - PAGE),
    }
    return render(request, "exchange/receipt.html", context)


@require_GET
@needs(Permission.IMPORT)
def held_csv(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """The held rows of an import as they came, with what is wrong: to be sent back to the laboratory."""
    batch = get_object_or_404(selectors.batches(request.centre), public_id=public_id)
    rows = list(selectors.held_rows(request.centre, state="all", batch=batch.public_id))
    looked(by=request.user, centre=request.centre, now=timezone.now(), page="exchange:held-csv", rows=len(rows))
    headings = list(dict.fromkeys(name for row in rows for name in row.data))
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="held-{batch.public_id}.csv"'
    writer = csv.writer(response)
    writer.writerow(safe_cell(cell) for cell in ["line", "held as", "state", "problems", *headings])
    for row in rows:
        problems = "; ".join(f"{p['field']}: {p['message']}" for p in row.problems)
        cells = [str(row.row_number), row.kind, row.resolution or "waiting", problems]
        writer.writerow(safe_cell(cell) for cell in [*cells, *(row.data.get(name, "") for name in headings)])
    return response


@require_GET
@needs(Permission.IMPORT)
def quarantine(request: ClinicRequest) -> HttpResponse:
    form = QuarantineFilter(request.GET, codes=selectors.waiting_codes(request.centre))
    rows = selectors.held_rows(request.centre, **form.question())
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    _looked(request, "exchange:quarantine", len(page.object_list))
    return render(request, "exchange/quarantine.html", {"form": form, "page": page})


def _held(request: ClinicRequest, public_id: uuid.UUID) -> HeldRow:
    return get_object_or_404(selectors.held_rows(request.centre, state="all"), public_id=public_id)


def _held_page(
    request: ClinicRequest, held: HeldRow, *, place: PlaceForm | None = None, discard: DiscardForm | None = None
) -> HttpResponse:
    try:
        mapping = read_mapping(held.batch.mapping, held.batch.kind)
        said = [
            {"label": LABELS[name], "value": mapping.text(name, held.data)} for name in LABELS if name in mapping.cells
        ]
    except MappingProblem:  # an analyte it names has been taken out of the table since
        said = []
    looked(by=request.user, centre=request.centre, now=timezone.now(), page="exchange:held-row")
    can_place = held.kind == HeldRow.Kind.QUARANTINED and held.batch.kind == LABS
    context = {
        "nav": "exchange:quarantine",
        "held": held,
        "problems": [{**p, "label": LABELS.get(p["field"], p["field"])} for p in held.problems],
        "said": said,
        "crumbs": [{"label": gettext("Quarantine"), "url": reverse("exchange:quarantine")}],
        "cell_head": [{"label": gettext("Column")}, {"label": gettext("Text")}],
        "cells": [[{"text": heading}, {"text": text}] for heading, text in held.data.items()],
        "place": place or (PlaceForm(centre=request.centre) if can_place else None),
        "discard": discard or DiscardForm(prefix="discard"),
    }
    refused = place is not None or discard is not None
    return render(request, "exchange/held_row.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "POST"])
@needs(Permission.IMPORT)
def held_row(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    held = _held(request, public_id)
    if request.method == "GET":
        return _held_page(request, held)
    form = PlaceForm(request.POST, centre=request.centre)
    if not form.is_valid():
        return _held_page(request, held, place=form)
    data = form.cleaned_data
    try:
        placed = actions.place_held_row(
            held=held,
            patient=form.patient,
            analyte=data["test"],
            unit=data["unit"],
            value=data["value"].strip(),
            as_received=data["as_received"],
            accept_key=data["accept_key"],
            alike=data["alike"],
            reason=data["reason"],
            by=request.user,
            now=timezone.now(),
        )
    except ValidationError as error:
        _refuse(form, error)
        return _held_page(request, held, place=form)
    messages.success(request, ngettext("The row was placed.", "%(n)s rows were placed.", placed) % {"n": placed})
    return redirect("exchange:quarantine")


@require_POST
@needs(Permission.IMPORT)
def discard(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    held = _held(request, public_id)
    form = DiscardForm(request.POST, prefix="discard")
    if not form.is_valid():
        return _held_page(request, held, discard=form)
    try:
        count = actions.discard_held_row(held=held, by=request.user, now=timezone.now(), **form.cleaned_data)
    except ValidationError as error:
        _refuse(form, error)
        return _held_page(request, held, discard=form)
    messages.success(request, ngettext("The row was discarded.", "%(n)s rows were discarded.", count) % {"n": count})
    return redirect("exchange:quarantine")


def _refuse(form: Any, error: ValidationError) -> None:
    """What the action refused, beside the box it belongs to, or above all where the form has none."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, texts in error.message_dict.items():
        box = {"id": "accept_key"}.get(name, name)
        for text in texts:
            if box in form.fields:
                form.add_error(box, wording.shown(text))
            else:
                form.add_error(None, f"{LABELS.get(name, name)}: {wording.shown(text)}")
