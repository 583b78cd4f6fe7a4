"""The rules of the centre. They hold nothing about any patient."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.permissions import Permission, may
from clinic.forms.patient import add_refusal
from clinic.forms.rules import SwitchForm
from clinic.selectors import rules as questions
from clinic.views.shared import ClinicRequest
from monitoring import actions
from monitoring.rules import RULES
from monitoring.rules.base import Rule


def _rule_or_404(rule_id: str) -> Rule:
    if rule_id not in RULES:
        raise Http404
    return RULES[rule_id]


@needs(Permission.SEE_PATIENTS)
@require_safe
def index(request: ClinicRequest) -> HttpResponse:
    page = questions.rules_page(request.centre, timezone.now())
    return render(request, "clinic/rules/index.html", {"page": page, "nav": "clinic:rules"})


@needs(Permission.SEE_PATIENTS)
@require_safe
def show(request: ClinicRequest, rule_id: str) -> HttpResponse:
    return _page(request, _rule_or_404(rule_id), timezone.now())


def _page(request: ClinicRequest, rule: Rule, now: dt.datetime, form: SwitchForm | None = None) -> HttpResponse:
    page = questions.rule_page(request.centre, rule, now)
    context = {
        "page": page,
        "line": page.line,
        "rule": rule,
        "may_switch": may(request.membership, Permission.MANAGE_CENTRE),
        "form": form or SwitchForm(initial={"is_on": "no" if page.line.is_on else "yes"}),
        "nav": "clinic:rules",
    }
    return render(request, "clinic/rules/rule.html", context, status=422 if form else 200)


@needs(Permission.MANAGE_CENTRE)
@require_POST
def switch(request: ClinicRequest, rule_id: str) -> HttpResponse:
    """Whether this centre's patients are asked about. Switched off, its open alerts close with the next check."""
    rule, now = _rule_or_404(rule_id), timezone.now()
    form = SwitchForm(request.POST)
    if form.is_valid():
        try:
            actions.switch_rule(centre=request.centre, rule=rule.id, by=request.user, now=now, **form.cleaned_data)
        except ValidationError as error:
            add_refusal(form, error)
        else:
            messages.success(
                request,
                "The rule is on. It is asked with the next check."
                if form.cleaned_data["is_on"]
                else "The rule is off. Its alerts close with the next check.",
            )
            return redirect("clinic:rule", rule.id)
    return _page(request, rule, now, form)
