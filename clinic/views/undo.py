"""Undo, for ten minutes, what one has just recorded."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.guards import needs
from accounts.permissions import Permission
from audit.models import Entry
from clinic.views.shared import ClinicRequest, about
from monitoring import actions

# What is recorded about several people at once and can be undone as one.
UNDONE_TOGETHER = "monitoring.book_tests"


@needs(Permission.SEE_PATIENTS)
@require_POST
def undo(request: ClinicRequest, entry: int) -> HttpResponse:
    """Takes back everything the action of this entry recorded. Somebody else's entry does not exist here."""
    mine = Entry.objects.filter(Q(patient__isnull=False) | Q(action=UNDONE_TOGETHER), centre=request.centre)
    found = get_object_or_404(mine.select_related("patient__centre"), pk=entry, by=request.user)
    try:
        actions.undo_recent(entry=found, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        said = _("Undone. What was recorded is withdrawn.")
        messages.success(request, about(found.patient, said) if found.patient else said)
    back = request.GET.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("clinic:patient", found.patient.public_id) if found.patient else redirect("clinic:patients")
