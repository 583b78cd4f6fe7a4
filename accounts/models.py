"""People, centres, and who works where in which role."""

from __future__ import annotations

import uuid
import zoneinfo

import pghistory
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.models import one_of


class Role(models.TextChoices):
    CLINICIAN = "clinician", _("Clinician")
    NURSE = "nurse", _("Nurse")
    PHYSIOTHERAPIST = "physiotherapist", _("Physiotherapist")
    COORDINATOR = "coordinator", _("Coordinator")
    RESEARCHER = "researcher", _("Researcher")
    ADMINISTRATOR = "administrator", _("Administrator")


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError("This is not the name of a time zone, such as Europe/Berlin.")


def validate_language(code: str) -> None:
    if code not in dict(settings.LANGUAGES):
        raise ValidationError("The product is not written in this language.")


def default_chain() -> list[str]:
    return [Role.PHYSIOTHERAPIST, Role.NURSE, Role.CLINICIAN, Role.ADMINISTRATOR]


@pghistory.track()
class Centre(models.Model):
    """A clinic. Every patient belongs to one; what one centre holds, no other sees."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120, unique=True)
    time_zone = models.CharField(max_length=64, default="Europe/London", validators=[validate_time_zone])
    sweep_at = models.TimeField(default="06:00", help_text="When the nightly check runs, on this centre's clock")
    digest_at = models.TimeField(
        default="07:00",
        help_text="When the daily e-mail goes out, on this centre's clock",
    )
    escalation_chain = ArrayField(
        models.CharField(max_length=16, choices=Role.choices),
        default=default_chain,
        help_text="An alert nobody acknowledges in time goes to the next role in this list",
    )

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


@pghistory.track(exclude=["password", "last_login"])
class User(AbstractUser):
    """Signs in with an e-mail address. What they may do follows from their memberships, never from flags here."""

    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=120)
    language = models.CharField(
        max_length=8,
        blank=True,
        validators=[validate_language],
        help_text="In which pages and e-mails are written; as the browser says where empty",
    )

    first_name = None  # type: ignore[assignment]  # Django's way to leave out a field of a base class
    last_name = None  # type: ignore[assignment]

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["email", "full_name"]

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.full_name


@pghistory.track()
class Membership(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    centre = models.ForeignKey(Centre, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    is_on_call = models.BooleanField(default=False, help_text="Receives urgent e-mail at once")
    wants_digest = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "centre"], name="membership_once"),
            one_of("role", Role, "membership_role"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} at {self.centre}"


class Scope(models.TextChoices):
    READ = "read", _("Read patients, results, assessments, courses, alerts")
    WRITE = "write", _("Record results and assessments")
    RESEARCH = "research", _("Export pseudonymised data")


@pghistory.track(exclude=["digest", "last_used_at"])
class ApiToken(models.Model):
    """A machine's or a person's key to the API. Only a digest is kept: it is shown once, when made."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")),
                name="token_expires_later",
            ),
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="token_has_scope"),
        ]

    def __str__(self) -> str:
        return self.name
