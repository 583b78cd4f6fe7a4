"""Who changed, who looked.

Row history is kept by triggers (django-pghistory); an `Entry` says which action made those rows, and both carry the
same `context_id`.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import one_of, only_added_to


class Origin(models.TextChoices):
    PAGE = "page", _("Page")
    API = "api", _("API")
    IMPORT = "import", _("Import")
    JOB = "job", _("Job")
    COMMAND = "command", _("Command line")


class Entry(models.Model):
    """One action: who did what to whose record, when, why, from where. Written in the action's own transaction."""

    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    centre = models.ForeignKey("accounts.Centre", models.PROTECT, null=True, related_name="+")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=80, help_text="app.verb, such as monitoring.record_results")
    summary = models.CharField(
        max_length=200,
        blank=True,
        help_text="What was done, without naming the patient",
    )
    reason = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=8, choices=Origin.choices)
    context_id = models.UUIDField(db_index=True, help_text="Joins the row history written in the same transaction")

    class Meta:
        constraints = [one_of("origin", Origin, "audit_entry_origin")]
        triggers = only_added_to()
        indexes = [
            models.Index(fields=["centre", "-at", "-id"], name="audit_entry_centre"),
            models.Index(fields=["patient", "-at", "-id"], name="audit_entry_patient"),
        ]

    def __str__(self) -> str:
        return f"{self.action} at {self.at:%Y-%m-%d %H:%M}"


class Access(models.Model):
    """Somebody looked at an identifiable page, or took an export. Rows are only ever added."""

    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    centre = models.ForeignKey("accounts.Centre", models.PROTECT, related_name="+")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, null=True, related_name="+")
    page = models.CharField(max_length=80, help_text="The name of the page or export, never its address")
    rows = models.PositiveIntegerField(null=True, help_text="How many records an export or list held")

    class Meta:
        triggers = only_added_to()
        indexes = [
            models.Index(fields=["centre", "-at", "-id"], name="audit_access_centre"),
            models.Index(fields=["patient", "-at", "-id"], name="audit_access_patient"),
        ]

    def __str__(self) -> str:
        return f"{self.page} at {self.at:%Y-%m-%d %H:%M}"
