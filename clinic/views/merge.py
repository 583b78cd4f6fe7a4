"""Two records of one person become one, after a look at both; and are parted again."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.guards import needs
from accounts.permissions import Permission
from audit.access import looked_at_each
from clinic import merge_actions
from clinic.forms.conflict import is_conflict
from clinic.forms.merge import ONE, MergeForm, PartForm
from clinic.selectors import merge as questions
from clinic.views.record import attempt
from clinic.views.shared import ClinicRequest, can, patient_or_404
from patients import merge_actions as actions
from patients import selectors


@needs(Permission.MERGE_PATIENTS)
def choose(request: ClinicRequest, public_id: uuid.UUID) -> HttpResponse:
    """Which other record is the same person: whoever looks alike, or who is looked for. A name is posted."""
    patient = patient_or_404(request, public_id)
    typed = request.POST.get("q", "").strip()[:200]
    alike = selectors.duplicates(
        request.centre, family_name=patient.family_name, given_name=patient.given_name, born_on=patient.born_on
    )
    found = selectors.search(request.centre, typed) if typed else [each.patient for each in alike]
    others = [other for other in found if other.pk != patient.pk]
    looked_at_each(
        by=request.user, centre=request.centre, now=timezone.now(), page="clinic:merge-choose",
        patients=[patient, *others],
    )  # fmt: skip
    context = {"patient": patient, "others": others, "typed": typed, "can": can(request), "nav": "clinic:patients"}
    return render(request, "clinic/merge/choose.html", context)


@needs(Permission.MERGE_PATIENTS)
def confirm(request: ClinicRequest, public_id: uuid.UUID, other_id: uuid.UUID) -> HttpResponse:
    """Both side by side, and what would change sides."""
    one, other = patient_or_404(request, public_id), patient_or_404(request, other_id)
    if one.pk == other.pk:
        raise Http404
    now = timezone.now()
    versions = {"one_version": selectors.version(one), "other_version": selectors.version(other)}
    form = MergeForm(request.POST or None, one=one, other=other, initial=versions)
    if request.method == "POST":

        def merge() -> Any:
            typed = form.cleaned_data
            seen = (typed["one_version"], typed["other_version"])
            kept, absorbed = (one, other) if typed["keep"] == ONE else (other, one)
            return actions.merge_patients(
                kept=kept, absorbed=absorbed, versions=seen if typed["keep"] == ONE else seen[::-1],
                reason=typed["reason"], by=request.user, now=now,
            )  # fmt: skip

        done = attempt(form, merge)
        if done is not None:
            messages.success(request, _("The two records are one now. The rules are asked again."))
            return redirect("clinic:merge", done.public_id)
        if is_conflict(form):  # the comparison shows them as they are now: the next press is about that
            form.data = {**request.POST.dict(), **{name: str(number) for name, number in versions.items()}}
    else:
        looked_at_each(
            by=request.user, centre=request.centre, now=now, page="clinic:merge-confirm", patients=(one, other)
        )
    context = {"form": form, "patient": one, "both": questions.compare(one, other), "nav": "clinic:patients"}
    return render(request, "clinic/merge/confirm.html", context, status=422 if form.errors else 200)


@needs(Permission.MERGE_PATIENTS)
def show(request: ClinicRequest, merge_id: uuid.UUID) -> HttpResponse:
    """What a merge did, who did it and why; a POST takes it back."""
    merge = get_object_or_404(questions.of_centre(request.centre), public_id=merge_id)
    now = timezone.now()
    form = PartForm(request.POST or None)
    if request.method == "POST":
        done = attempt(
            form,
            lambda: merge_actions.part_records(
                merge=merge, reason=form.cleaned_data["reason"], by=request.user, now=now
            ),
        )
        if done is not None:
            messages.success(request, _("They are two records again. The rules are asked again."))
            return redirect("clinic:merge", merge.public_id)
    else:
        shown = (merge.kept, merge.absorbed)
        looked_at_each(by=request.user, centre=request.centre, now=now, page="clinic:merge", patients=shown)
    context = {
        "merge": merge,
        "moved": questions.moved_kinds(merge),
        "further": merge.kept.merged_into,
        "form": form,
        "nav": "clinic:patients",
    }
    return render(request, "clinic/merge/page.html", context, status=422 if form.errors else 200)
