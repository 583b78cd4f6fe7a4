"""One's own profile, and the people of a centre."""

from __future__ import annotations

import datetime as dt
import smtplib
import uuid

import structlog
from allauth.account.forms import ResetPasswordForm
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions, kept, selectors
from accounts.forms import MemberForm, NewMemberForm, PeopleFilter, ProfileForm, TokenForm
from accounts.guards import needs
from accounts.middleware import SESSION_KEY
from accounts.models import ApiToken, Membership, User
from accounts.permissions import Permission, scopes_of
from accounts.requests import ClinicRequest, PersonRequest

log = structlog.get_logger(__name__)

PER_PAGE = 50


def _show_errors(form: BaseForm, error: ValidationError) -> None:
    """Beside the fields of the form, or above it."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, errors in error.error_dict.items():
        form.add_error(field if field in form.fields else None, errors)


@require_safe
def start(request: PersonRequest) -> HttpResponse:
    """Above the addresses of one's own: the profile."""
    return redirect("accounts:profile")


@require_POST
def stay(request: PersonRequest) -> HttpResponse:
    """Moves the end of the session, as any request does; for somebody who reads without asking for anything."""
    request.session.modified = True
    return HttpResponse(status=204)


# ------------------------------------------------------------------------------------------------------- one's profile


def _profile(
    request: PersonRequest,
    *,
    details: BaseForm | None = None,
    token: BaseForm | None = None,
    new_token: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    role = request.membership.role if request.membership else ""
    return render(
        request,
        "accounts/profile.html",
        {
            "details_form": details or ProfileForm(instance=request.user),
            "token_form": token or TokenForm(role=role, prefix="token"),
            "may_have_tokens": bool(scopes_of(role)),
            "memberships": getattr(request, "memberships", []),
            "tokens": list(selectors.tokens_of(request.user)),
            "new_token": new_token,
            "has_second_factor": is_mfa_enabled(request.user),
            "now": now,
        },
        status=status,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def profile(request: PersonRequest) -> HttpResponse:
    """Every signed-in person has one, a member of no centre too. Posting changes name and language."""
    if request.method != "POST":
        return _profile(request)
    form = ProfileForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if form.is_valid():
        actions.change_profile(
            membership=request.membership,
            **form.cleaned_data,
            by=request.user,
            now=timezone.now(),
        )
        with translation.override(form.cleaned_data["language"] or translation.get_language_from_request(request)):
            messages.success(request, _("Your details were changed."))
        return redirect("accounts:profile")
    return _profile(request, details=form, status=422)


@require_POST
@never_cache
def make_token(request: PersonRequest) -> HttpResponse:
    """The answer shows the token, once. It is no redirect: the token would have to be kept somewhere on the way."""
    if request.membership is None:
        return redirect("accounts:profile")
    form = TokenForm(request.POST, role=request.membership.role, prefix="token")
    if form.is_valid():
        now = timezone.now()
        try:
            _, text = actions.make_token(
                membership=request.membership,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=now + dt.timedelta(days=int(form.cleaned_data["days"])),
                by=request.user,
                now=now,
            )
        except ValidationError as error:
            _show_errors(form, error)
        else:
            return _profile(request, new_token=text)
    return _profile(request, token=form, status=422)


@require_POST
def revoke_token(request: PersonRequest, public_id: uuid.UUID) -> HttpResponse:
    """One's own tokens only, at whatever centre."""
    token = get_object_or_404(ApiToken, public_id=public_id, membership__user=request.user)
    actions.revoke_token(centre=token.membership.centre, token=token, by=request.user, now=timezone.now())
    messages.success(request, _("The token “%(name)s” was revoked.") % {"name": token.name})
    return redirect("accounts:profile")


@require_POST
def set_digest(request: PersonRequest) -> HttpResponse:
    if request.membership is not None:
        wants = request.POST.get("wants_digest") == "yes"
        actions.set_digest(membership=request.membership, wants_digest=wants, by=request.user, now=timezone.now())
        messages.success(
            request, _("The daily e-mail will come.") if wants else _("The daily e-mail will not come any more.")
        )
    return redirect("accounts:profile")


@require_POST
def switch_centre(request: PersonRequest) -> HttpResponse:
    """Work at another of one's centres from now on, in this session."""
    membership = get_object_or_404(
        Membership, user=request.user, is_active=True, centre__public_id=_uuid(request.POST.get("centre", ""))
    )
    request.session[SESSION_KEY] = membership.centre_id
    messages.success(request, _("You are now at %(centre)s.") % {"centre": membership.centre})
    return redirect(kept.page_waiting_at(request, membership) or "/")


@require_safe
@never_cache
def elsewhere(request: PersonRequest) -> HttpResponse:
    """A form came from the page of another centre than the present one: what was typed, and the way there."""
    waiting = kept.waiting_elsewhere(request)
    if waiting is None:
        return redirect("/")
    form, membership = waiting
    return render(request, "elsewhere.html", {"kept": form, "shown": kept.shown(form), "there": membership.centre})


@require_POST
def discard_kept(request: PersonRequest) -> HttpResponse:
    """What was kept is not wanted."""
    return redirect(kept.discard(request) or "/")


def _uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


# ---------------------------------------------------------------------------------------------- the people of a centre


def _people(
    request: ClinicRequest, *, new: BaseForm | None = None, member: MemberForm | None = None, status: int = 200
) -> HttpResponse:
    asked = request.POST if "people" in request.POST else request.GET
    form = PeopleFilter(asked)
    question = form.question()
    found = selectors.members(request.centre, **question)
    if member is not None:  # what was refused is in sight, on whatever page of the list it was
        found = found.filter(pk=member.instance.pk)
    page = Paginator(found, PER_PAGE).get_page(asked.get("page"))
    rows = [
        (each, member if member is not None else MemberForm(instance=each, prefix=f"m{each.pk}"))
        for each in page.object_list
    ]
    context = {
        "new_form": new or NewMemberForm(prefix="new"),
        "form": form,
        "page": page,
        "rows": rows,
        "former": question["former"],
        "narrowed": bool(question["text"] or question["role"]),
    }
    return render(request, "accounts/people.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.MANAGE_CENTRE)
def people(request: ClinicRequest) -> HttpResponse:
    """The list; posting searches it."""
    return _people(request)


@require_POST
@needs(Permission.MANAGE_CENTRE)
def add_member(request: ClinicRequest) -> HttpResponse:
    form = NewMemberForm(request.POST, prefix="new")
    if form.is_valid():
        try:
            added = actions.add_member(centre=request.centre, by=request.user, now=timezone.now(), **form.cleaned_data)
        except ValidationError as error:
            _show_errors(form, error)
        else:
            messages.success(request, _("%(name)s was added.") % {"name": added.user})
            if not added.user.has_usable_password():
                _invite(request, added)
            return redirect("accounts:people")
    return _people(request, new=form, status=422)


def _invite(request: ClinicRequest, added: Membership) -> None:
    """Send the link that sets a first password. The person is added, whether or not the mail server answers."""
    form = ResetPasswordForm({"email": added.user.email})
    try:
        if form.is_valid():
            form.save(request)
        messages.info(request, _("A link to set a password was sent."))
    except (OSError, smtplib.SMTPException) as error:
        log.warning("invitation_not_sent", error=type(error).__name__)
        messages.warning(
            request, _("The e-mail could not be sent. “Forgotten password” on the sign-in page sends it again.")
        )


@require_POST
@needs(Permission.MANAGE_CENTRE)
def change_member(request: ClinicRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(request.centre.memberships.filter(is_active=True), pk=pk)
    form = MemberForm(request.POST, instance=member, prefix=f"m{member.pk}")
    if form.is_valid():
        try:
            actions.change_member(membership=member, by=request.user, now=timezone.now(), **form.cleaned_data)
        except ValidationError as error:
            _show_errors(form, error)
        else:
            messages.success(request, _("Changed."))
            return redirect("accounts:people")
    return _people(request, member=form, status=422)


@require_POST
@needs(Permission.MANAGE_CENTRE)
def end_membership(request: ClinicRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(request.centre.memberships.filter(is_active=True), pk=pk)
    try:
        actions.end_membership(membership=member, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(name)s is no longer a member.") % {"name": member.user})
    return redirect("accounts:people")
