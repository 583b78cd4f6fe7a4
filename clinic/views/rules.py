"""The rules of the centre, and how it governs them. Only the list of what is found in the shadow names a patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.permissions import Permission, may
from audit.access import looked
from clinic.forms.patient import add_refusal
from clinic.forms.rules import ModeForm, NumbersForm, ReasonForm, SignForm
from clinic.selectors import governing as governed
from clinic.selectors import rules as questions
from clinic.views.shared import ClinicRequest
from monitoring import rule_actions as actions
from monitoring.models import RuleChange
from monitoring.rules import RULES
from monitoring.rules.base import Rule


def _rule_or_404(rule_id: str) -> Rule:
    if rule_id not in RULES:
        raise Http404
    return RULES[rule_id]


def _change_or_404(request: ClinicRequest, rule: Rule, pk: int) -> RuleChange:
    """A change of this rule at the reader's centre; anybody else's does not exist."""
    changes = RuleChange.objects.filter(centre=request.centre, rule=rule.id).select_related("back_test", "proposed_by")
    change: RuleChange = get_object_or_404(changes, pk=pk)
    return change


@needs(Permission.SEE_PATIENTS)
@require_safe
def index(request: ClinicRequest) -> HttpResponse:
    page = questions.rules_page(request.centre, timezone.now())
    return render(request, "clinic/rules/index.html", {"page": page, "nav": "clinic:rules"})


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, rule_id: str) -> HttpResponse:
    return _page(request, _rule_or_404(rule_id), timezone.now())


def _page(
    request: ClinicRequest, rule: Rule, now: dt.datetime, *, refused: str = "", form: forms.Form | None = None
) -> HttpResponse:
    """The whole page; where a proposal was `refused` ("mode", "numbers", …), with its form as it was sent."""
    page = questions.rule_page(request.centre, rule, now)
    governing = governed.governing(request.centre, rule, request.user)
    its_forms: dict[str, forms.Form] = {
        "mode": ModeForm(mode=governing.mode, prefix="mode"),
        "numbers": NumbersForm(numbers=governing.numbers),
        "sign": SignForm(prefix="sign"),
        "withdraw": ReasonForm(prefix="withdraw"),
    }
    if form is not None:
        its_forms[refused] = form
    context = {
        "page": page,
        "line": page.line,
        "rule": rule,
        "governing": governing,
        "role": governed.role_of(rule),
        "may_govern": may(request.membership, Permission.GOVERN_RULES),
        "forms": its_forms,
        "refused": refused,
        "nav": "clinic:rules",
    }
    return render(request, "clinic/rules/rule.html", context, status=422 if refused else 200)


def _send(
    request: ClinicRequest, of: Rule, name: str, form: forms.Form, act: Callable[..., Any], done: str, /, **about: Any
) -> HttpResponse:
    """Do it, and back to the page of the rule; or the page with what was typed and what is wrong with it."""
    now = timezone.now()
    if form.is_valid():
        try:
            act(by=request.user, now=now, **about, **form.cleaned_data)
        except ValidationError as error:
            add_refusal(form, error)
        else:
            messages.success(request, done)
            return redirect("clinic:rule", of.id)
    return _page(request, of, now, refused=name, form=form)


def _mode_now(request: ClinicRequest, rule: Rule) -> str:
    return str(governed.governing(request.centre, rule, request.user).mode)


@needs(Permission.GOVERN_RULES)
@require_POST
def propose_mode(request: ClinicRequest, rule_id: str) -> HttpResponse:
    """That the rule be on, off or in the shadow. Another person confirms it."""
    rule = _rule_or_404(rule_id)
    form = ModeForm(request.POST, mode=_mode_now(request, rule), prefix="mode")
    done = _("Proposed. Somebody else has to confirm it.")
    return _send(request, rule, "mode", form, actions.propose_mode, done, centre=request.centre, rule=rule.id)


@needs(Permission.GOVERN_RULES)
@require_POST
def propose_numbers(request: ClinicRequest, rule_id: str) -> HttpResponse:
    """That the rule judge by other numbers. Their back-test begins, and then another person confirms them."""
    rule = _rule_or_404(rule_id)
    form = NumbersForm(request.POST, numbers=governed.governing(request.centre, rule, request.user).numbers)

    def act(*, reason: str, by: Any, now: dt.datetime, **values: str) -> Any:
        return actions.propose_parameters(
            centre=request.centre, rule=rule.id, values=values, reason=reason, by=by, now=now
        )

    done = _("Proposed. The back-test has begun; when it has finished, somebody else can confirm it.")
    return _send(request, rule, "numbers", form, act, done)


@needs(Permission.GOVERN_RULES)
@require_POST
def sign(request: ClinicRequest, rule_id: str) -> HttpResponse:
    """The first of two signatures under today's version."""
    rule = _rule_or_404(rule_id)
    form = SignForm(request.POST, prefix="sign")
    done = _("Signed. A second person has to sign it, too.")
    return _send(request, rule, "sign", form, actions.sign_off, done, centre=request.centre, rule=rule.id)


@needs(Permission.GOVERN_RULES)
@require_POST
def confirm(request: ClinicRequest, rule_id: str, change: int) -> HttpResponse:
    """The second person agrees."""
    rule = _rule_or_404(rule_id)
    held = _change_or_404(request, rule, change)
    try:
        actions.confirm(change=held, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Confirmed. The next check goes by it."))
    return redirect("clinic:rule", rule.id)


@needs(Permission.GOVERN_RULES)
@require_POST
def withdraw(request: ClinicRequest, rule_id: str, change: int) -> HttpResponse:
    """A proposal is not to be, or a signature is taken back."""
    rule = _rule_or_404(rule_id)
    held = _change_or_404(request, rule, change)
    form = ReasonForm(request.POST, prefix="withdraw")
    return _send(
        request, rule, "withdraw", form, actions.withdraw, _("Withdrawn. It is kept in the history."), change=held
    )


@needs(Permission.SEE_PATIENTS)
@require_safe
def back_test(request: ClinicRequest, rule_id: str, change: int) -> HttpResponse:
    """How far the back-test of a proposal is: a fragment that the page asks for again until it has finished."""
    rule = _rule_or_404(rule_id)
    held = _change_or_404(request, rule, change)
    if not request.htmx:
        return redirect("clinic:rule", rule.id)
    proposal = governed.proposal_of(held, rule, request.user)
    response = render(
        request,
        "clinic/rules/_back_test.html",
        {"proposal": proposal, "rule": rule, "role": governed.role_of(rule)},
    )
    if proposal.test is None or proposal.test.finished_at:
        # Who may confirm, and the button for it, are of the whole page.
        response["HX-Refresh"] = "true"
    return response


@needs(Permission.GOVERN_RULES)
@require_safe
def shadow(request: ClinicRequest, rule_id: str) -> HttpResponse:
    """What the rule found in the shadow, about whom."""
    rule = _rule_or_404(rule_id)
    lines, total = governed.shadow_findings(request.centre, rule)
    looked(by=request.user, centre=request.centre, now=timezone.now(), page="clinic:rule-shadow", rows=len(lines))
    context = {"rule": rule, "lines": lines, "total": total, "nav": "clinic:rules"}
    return render(request, "clinic/rules/shadow.html", context)
