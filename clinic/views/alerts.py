"""One alert with what it rests on, and everything a person can do about it.

An action posted from a list by htmx is answered with that list; without JavaScript one is sent back to where one was.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh, reswap, retarget

from accounts.guards import needs
from accounts.permissions import Permission
from alerts.actions import life
from alerts.models import Alert
from audit.access import looked
from clinic.forms.patient import add_refusal
from clinic.forms.worklist import AcknowledgeForm, BulkForm, CloseForm, CommentForm, ExceptionForm, SnoozeForm
from clinic.selectors import alert as questions
from clinic.views import taper
from clinic.views.patient import alerts_again, refused_again
from clinic.views.shared import ClinicRequest, about, address, can, saved
from clinic.views.worklist import show_due, show_worklist
from common.dates import centre_day
from monitoring.levels import Level
from patients import actions as patients

LISTS = {"clinic:worklist": show_worklist, "clinic:due": show_due}


def _alert_or_404(request: ClinicRequest, public_id: uuid.UUID) -> Alert:
    alert: Alert = get_object_or_404(
        Alert.objects.filter(centre=request.centre).select_related("patient"), public_id=public_id
    )
    alert.centre = alert.patient.centre = request.centre  # the same row, already read
    return alert


# ------------------------------------------------------------------------------------------------------------- one page


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    alert = _alert_or_404(request, public_id)
    now = timezone.now()
    looked(by=request.user, centre=request.centre, now=now, page="clinic:alert", patient=alert.patient)
    return _page(request, alert, now)


def _page(request: ClinicRequest, alert: Alert, now: dt.datetime, **refused: forms.Form) -> HttpResponse:
    """The page; `refused` holds the form that was sent and refused, by what it does. That form, or the one the address
    asks for, is unfolded.
    """
    today = centre_day(now, request.centre.zone)
    context = {
        "alert": alert,
        "patient": alert.patient,
        "page": questions.page(alert, now, address),
        "as_of": today,
        "can": can(request),
        "taper": taper.on_alert(alert, now),
        "acknowledge_form": AcknowledgeForm(auto_id="acknowledge_%s"),
        "snooze_form": SnoozeForm(alert=alert, today=today, auto_id="snooze_%s"),
        "close_form": CloseForm(auto_id="close_%s"),
        "comment_form": CommentForm(auto_id="comment_%s"),
        "exception_form": ExceptionForm(auto_id="exception_%s"),
        "unfolded": next(iter(refused), request.GET.get("do", "")),
        "nav": "clinic:worklist",
        **{f"{name}_form": form for name, form in refused.items()},
    }
    return render(request, "clinic/alerts/page.html", context, status=422 if refused else 200)


# -------------------------------------------------------------------------------------------------------------- actions


def _list_behind(request: ClinicRequest, here: str) -> Any:
    """(the function that shows it, its query) of the list at the address `here`; None where it is no list."""
    try:
        parts = urlsplit(here)
        name = resolve(parts.path).view_name
    except (ValueError, Resolver404):  # ValueError: "http://[" is no address
        return None
    return (LISTS[name], parts.query) if name in LISTS else None


def _list_again(request: ClinicRequest, now: dt.datetime, here: str, **extra: Any) -> HttpResponse | None:
    behind = _list_behind(request, here)
    if behind is None:
        return None
    show_list, query = behind
    request.GET = QueryDict(query)  # the list as the reader had it: its filters, its page
    response: HttpResponse = show_list(request, now, with_messages=True, **extra)
    return reswap(retarget(response, "#worklist"), "innerHTML")


def _back(request: ClinicRequest, now: dt.datetime, fallback: str) -> HttpResponse:
    """To where the person was: the list itself for htmx, else by a redirect."""
    if request.htmx:
        here = request.htmx.current_url_abs_path or ""
        again = _list_again(request, now, here) or alerts_again(request, now, here)
        return again or HttpResponseClientRefresh()
    there = request.POST.get("next", "") or _came_from(request)
    if not url_has_allowed_host_and_scheme(there, allowed_hosts=None):
        there = fallback
    return redirect(there)


def _came_from(request: ClinicRequest) -> str:
    """The page of ours that held the form, where the browser says so: the button in a message names no way back."""
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""
    if parts.netloc != request.get_host():
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _said(request: ClinicRequest, alert: Alert, text: str, *, undo: bool) -> None:
    url = reverse("clinic:alert-undo", args=[alert.public_id])
    messages.success(request, about(alert.patient, text), extra_tags=url if undo else "")


def _act(
    request: ClinicRequest,
    alert: Alert,
    name: str,
    form: forms.Form | None,
    text: str,
    *,
    now: dt.datetime,
    undo: bool = True,
    **fixed: Any,
) -> HttpResponse:
    """Do `life.<name>`; a form that is refused is shown again with all that was typed."""
    own_page = reverse("clinic:alert", args=[alert.public_id])
    if form is None or form.is_valid():
        typed = form.cleaned_data if form else {}
        try:
            getattr(life, name)(alert=alert, by=request.user, now=now, **typed, **fixed)
        except life.Stale as stale:
            messages.warning(request, " ".join(stale.messages))
            return _back(request, now, own_page)
        except ValidationError as error:
            if form is None:
                messages.error(request, " ".join(error.messages))
                return _back(request, now, own_page)
            add_refusal(form, error)
        else:
            _said(request, alert, text, undo=undo)
            return _back(request, now, own_page)
    refused = refused_again(request, alert, now, name, form) if form is not None else None
    if refused is not None:
        return refused
    if request.htmx and name == "snooze" and _list_behind(request, request.htmx.current_url_abs_path or ""):
        return _snooze_panel(request, alert, form, status=422)
    if request.htmx:
        messages.error(request, "; ".join(str(error) for errors in form.errors.values() for error in errors))
        return _back(request, now, own_page)
    return _page(request, alert, now, **{name: form})


def _seen(request: ClinicRequest) -> str | None:
    """The level on the page the person looked at."""
    level = request.POST.get("seen_level", "")
    return level if level in Level.values else None


@needs(Permission.ACT_ON_ALERTS)
@require_POST
def acknowledge(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    alert = _alert_or_404(request, public_id)
    form = AcknowledgeForm(request.POST, auto_id="acknowledge_%s")
    return _act(request, alert, "acknowledge", form, _("Acknowledged."), now=timezone.now(), seen_level=_seen(request))


def _snooze_panel(request: ClinicRequest, alert: Alert, form: Any, status: int = 200) -> HttpResponse:
    context = {"alert": alert, "form": form}
    response = render(request, "clinic/worklist/_snooze.html", context, status=status)
    return reswap(retarget(response, f"#act-{alert.public_id}"), "innerHTML")


@needs(Permission.ACT_ON_ALERTS)
def snooze(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """A GET brings the panel into the row of a list; without JavaScript it stands on the alert's page."""
    alert = _alert_or_404(request, public_id)
    now = timezone.now()
    today = centre_day(now, request.centre.zone)
    if request.method != "POST":
        if not request.htmx:
            return redirect(reverse("clinic:alert", args=[public_id]) + "?do=snooze#snooze")
        return _snooze_panel(request, alert, SnoozeForm(alert=alert, today=today, auto_id=f"s{alert.pk}_%s"))
    form = SnoozeForm(
        request.POST, alert=alert, today=today, auto_id=f"s{alert.pk}_%s" if request.htmx else "snooze_%s"
    )
    return _act(request, alert, "snooze", form, _("Snoozed."), now=now, seen_level=_seen(request))


@needs(Permission.ACT_ON_ALERTS)
@require_POST
def close(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    alert = _alert_or_404(request, public_id)
    form = CloseForm(request.POST, auto_id="close_%s")
    return _act(request, alert, "close", form, _("Closed."), now=timezone.now(), seen_level=_seen(request))


@needs(Permission.ACT_ON_ALERTS)
@require_POST
def comment(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    alert = _alert_or_404(request, public_id)
    form = CommentForm(request.POST, auto_id="comment_%s")
    return _act(request, alert, "comment", form, _("Comment saved."), now=timezone.now(), undo=False)


@needs(Permission.ACT_ON_ALERTS)
@require_POST
def wake(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    alert = _alert_or_404(request, public_id)
    return _act(request, alert, "wake", None, _("Awake: it is open again."), now=timezone.now(), undo=False)


@needs(Permission.ACT_ON_ALERTS)
@require_POST
def undo(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    alert = _alert_or_404(request, public_id)
    return _act(request, alert, "reopen", None, _("Undone: the alert is open again."), now=timezone.now(), undo=False)


@needs(Permission.MAKE_EXCEPTIONS)
@require_POST
def make_exception(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """Its rule is not asked about this patient for a while; the alert closes with the next check."""
    alert = _alert_or_404(request, public_id)
    now = timezone.now()
    form = ExceptionForm(request.POST, auto_id="exception_%s")
    if form.is_valid():
        try:
            patients.make_exception(
                patient=alert.patient, rule=alert.rule, by=request.user, now=now, **form.cleaned_data
            )
        except ValidationError as error:
            add_refusal(form, error)
        else:
            saved(request, alert.patient, _("Exception made. The alert closes with the next check."), now)
            return redirect("clinic:alert", alert.public_id)
    return _page(request, alert, now, exception=form)


@needs(Permission.ACT_ON_ALERTS)
@require_POST
def acknowledge_many(request: ClinicRequest) -> HttpResponse:
    """All that are ticked, with one reason. An alert whose level rose since the person looked is left alone."""
    now = timezone.now()
    form = BulkForm(request.POST)
    here = (request.htmx.current_url_abs_path if request.htmx else request.POST.get("next")) or reverse(
        "clinic:worklist"
    )
    done: list[Alert] = []
    left: list[Alert] = []
    if form.is_valid():
        found = list(Alert.objects.filter(centre=request.centre, public_id__in=form.ticked).select_related("patient"))
        for alert in found:
            alert.centre = alert.patient.centre = request.centre
            alert.level = form.ticked[alert.public_id] or alert.level
        try:
            done, left = life.bulk_acknowledge(alerts=found, by=request.user, now=now, **form.cleaned_data)
        except ValidationError as error:
            add_refusal(form, error)
    if form.errors:
        again = _list_again(request, now, here, bulk=form)
        if again is None:
            raise Http404
        return again
    if done:
        said = ngettext("%(n)s alert acknowledged.", "%(n)s alerts acknowledged.", len(done))
        messages.success(request, said % {"n": len(done)})
    if left:
        said = ngettext(
            "%(n)s left alone: it had changed since you looked. Look at it again.",
            "%(n)s left alone: they had changed since you looked. Look at them again.",
            len(left),
        )
        messages.warning(request, said % {"n": len(left)})
    return _back(request, now, reverse("clinic:worklist"))
