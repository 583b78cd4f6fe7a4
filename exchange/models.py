"""Files that came in, and the rows of them that could not be placed."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.models import one_of

LOST_AFTER = dt.timedelta(minutes=10)  # twice what a task may take


class ImportKind(models.TextChoices):
    LABS = "labs", _("Laboratory results")
    PATIENTS = "patients", _("Patients")


class ImportBatch(models.Model):
    """One file, committed in one transaction. Its counts always add up to its rows."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    centre = models.ForeignKey("accounts.Centre", models.PROTECT, related_name="imports")
    kind = models.CharField(max_length=8, choices=ImportKind.choices)
    source = models.ForeignKey("monitoring.Source", models.PROTECT, null=True, related_name="imports")
    file_name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    mapping = models.JSONField()
    committed_at = models.DateTimeField()
    committed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    rows = models.PositiveIntegerField()
    imported = models.PositiveIntegerField(help_text="New facts, corrections included")
    corrected = models.PositiveIntegerField(help_text="Of those imported: corrections of an earlier fact")
    unchanged = models.PositiveIntegerField()
    quarantined = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()
    notes = models.JSONField(
        default=list,
        help_text="List of {row, field, code, message}: why rows were left as they are, and other remarks",
    )

    class Meta:
        constraints = [
            one_of("kind", ImportKind, "import_kind"),
            models.CheckConstraint(
                condition=Q(rows=F("imported") + F("unchanged") + F("quarantined") + F("rejected")),
                name="import_counts_add_up",
            ),
            models.CheckConstraint(
                condition=Q(corrected__lte=F("imported")),
                name="import_corrected_of_imported",
            ),
        ]
        indexes = [models.Index(fields=["centre", "-committed_at"], name="import_by_centre")]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class HeldRow(models.Model):
    """A row of a file that is not a fact yet, kept whole until a person places or discards it."""

    class Kind(models.TextChoices):
        QUARANTINED = (
            "quarantined",
            _("Waits for a person: its patient, test or unit is not known"),
        )
        REJECTED = "rejected", _("Cannot be read: its date or value is malformed")

    class Resolution(models.TextChoices):
        NONE = "", _("Waiting")
        PLACED = "placed", _("Placed")
        DISCARDED = "discarded", _("Discarded")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="held_rows")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    row_number = models.PositiveIntegerField(help_text="Line of the file, the heading being 1")
    problems = models.JSONField(
        help_text="List of {field, code, message}; messages never repeat what identifies a patient"
    )
    data = models.JSONField(help_text="The row as received")
    fingerprint = models.CharField(
        max_length=64,
        help_text="Digest of centre, kind, source and row: the same row in a later file is not held twice",
    )
    resolution = models.CharField(max_length=12, choices=Resolution.choices, default="", blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    resolution_reason = models.CharField(max_length=200, blank=True)
    result = models.ForeignKey("monitoring.Result", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "row_number"], name="held_row_once"),
            models.CheckConstraint(condition=Q(kind__in=["quarantined", "rejected"]), name="held_row_kind"),
            models.CheckConstraint(
                condition=Q(resolution="", resolved_at__isnull=True, resolved_by__isnull=True)
                | Q(
                    resolution__in=["placed", "discarded"],
                    resolved_at__isnull=False,
                    resolved_by__isnull=False,
                ),
                name="held_row_resolved_by_someone",
            ),
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=Q(resolution=""),
                name="held_row_waits_once",
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "resolution"], name="held_row_waiting"),
            models.Index(fields=["fingerprint"], name="held_row_fingerprint"),
        ]

    def __str__(self) -> str:
        return f"row {self.row_number}: {self.kind}"


class UploadState(models.TextChoices):
    READY = "ready", _("Ready to be looked at")
    READING = "reading", _("Being read")
    IMPORTING = "importing", _("Being imported")
    BROKEN = "broken", _("Broken off")


class PendingUpload(models.Model):
    """A file between its preview and its commit. Gone after either, and a day later at the latest.

    In a table and not in the session: a session is copied with every request and may live in a cache that forgets.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    centre = models.ForeignKey("accounts.Centre", models.CASCADE, related_name="pending_uploads")
    kind = models.CharField(max_length=8, choices=ImportKind.choices)
    source_name = models.CharField(max_length=60, blank=True)
    file_name = models.CharField(max_length=120)
    content = models.BinaryField()
    mapping = models.JSONField()
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=UploadState.choices, default=UploadState.READY)
    begun_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was asked for what `state` says")
    preview = models.JSONField(null=True, blank=True, help_text="What a worker found committing would do")

    class Meta:
        constraints = [
            one_of("kind", ImportKind, "pending_upload_kind"),
            one_of("state", UploadState, "pending_upload_state"),
            models.CheckConstraint(
                condition=Q(kind="patients", source_name="") | (Q(kind="labs") & ~Q(source_name="")),
                name="pending_upload_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    def is_at_work(self, now: dt.datetime) -> bool:
        """Whether a worker has it. One that has not answered for longer than any task may take has lost it."""
        asked = self.state in (UploadState.READING, UploadState.IMPORTING)
        return asked and self.begun_at is not None and now - self.begun_at < LOST_AFTER
