"""What was taken out for research: one row per table taken."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

NAME = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"


class Release(models.Model):
    """One table of one release, taken by one person.

    The row is written before the first byte leaves and finished after the last; one that is not finished was broken
    off, and what arrived of it must not be used. Pseudonyms are the same in all tables of one `name` and different in
    another.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    centre = models.ForeignKey("accounts.Centre", models.PROTECT, related_name="releases")
    name = models.CharField(
        max_length=40, validators=[RegexValidator(rf"^{NAME}\Z", "Up to 40 of a-z, 0-9 and hyphens.")]
    )
    table = models.CharField(max_length=32, help_text="A table of research/tables.py")
    as_of = models.DateField(help_text="The day on which consents were judged")
    patients = models.PositiveIntegerField(help_text="How many had consented")
    taken_at = models.DateTimeField()
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)
    rows = models.PositiveBigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the bytes sent, in hexadecimal")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, rows__isnull=True, sha256="")
                | (Q(finished_at__isnull=False, rows__isnull=False) & ~Q(sha256="")),
                name="release_finished_is_whole",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="release_has_name"),
        ]
        indexes = [models.Index(fields=["centre", "-taken_at", "-id"], name="release_by_centre")]

    def __str__(self) -> str:
        return f"{self.name}: {self.table}"
