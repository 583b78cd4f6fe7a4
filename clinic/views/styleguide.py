"""Every component on one page, in light and in dark, with made-up data. Not in production: see clinic/urls.py."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


class _Dose(forms.Form):
    dose = forms.DecimalField(label="Dose", min_value=Decimal(0), help_text="mg a day")
    starts_on = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}))
    outcome = forms.ChoiceField(
        label="Outcome", choices=[("a", "Attended"), ("b", "Did not attend")], widget=forms.RadioSelect
    )
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    rest = forms.BooleanField(label="After rest", required=False)


class _Filter(forms.Form):
    level = forms.ChoiceField(label="Level", choices=[("", "All"), ("URGENT", "Urgent"), ("ACTION", "Action")])
    clinician = forms.CharField(label="Clinician", required=False)


def _theme(name: str) -> dict[str, Any]:
    day = dt.date(2026, 11, 9)
    return {
        "name": name,
        "form": _Dose({"dose": "-5", "note": "Kept as typed"}, auto_id=f"{name}_%s"),
        "filter": _Filter(auto_id=f"{name}_filter_%s"),
        "page": Paginator(range(412), 50).page(2),
        "head": [{"label": "Test"}, {"label": "U/L", "num": True}],
        "rows": [
            [{"text": "CK", "sub": "Central Laboratory"}, {"text": "1240", "num": True, "high": "H"}],
            [{"text": "ALT", "url": "#"}, {"text": "0", "num": True}],
        ],
        "facts": [
            {"label": "Subtype", "value": "Dermatomyositis"},
            {"label": "Weight", "value": "72 kg", "note": "3 months ago"},
            {"label": "Anti-TIF1γ", "value": None},
        ],
        "timeline": [
            {"title": "Prednisone lowered to 10 mg", "icon": "pill", "on": day, "by": "Dr Okafor"},
            {"title": "CK is rising", "icon": "trend-up", "on": day, "level": "ACTION", "url": "#"},
        ],
    }  # fmt: skip


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    return render(request, "styleguide.html", {"themes": [_theme("light"), _theme("dark")]})
