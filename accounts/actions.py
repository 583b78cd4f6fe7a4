"""Every write about people, memberships and API tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import ApiToken, Centre, Membership, Role, Scope, User
from accounts.permissions import scopes_of
from accounts.tokens import LONGEST_DAYS, digest, new_token
from audit.attribution import action, job
from audit.facts import refusals_in_plain_words

# A busy client would otherwise write a row for every read.
USE_IS_NOTED_EVERY = dt.timedelta(minutes=5)


@action("accounts.make_token", "API token made")
def make_token(
    *,
    membership: Membership,
    name: str,
    scopes: Collection[str],
    expires_at: dt.datetime,
    by: User,
    now: dt.datetime,
) -> tuple[ApiToken, str]:
    """A token of one's own. Returns it with its text, which exists nowhere else: show it once.

    Refused (ValidationError by field): a scope the role does not have, no scope, an end in the past or more than
    366 days ahead, somebody else's membership, an ended one.
    """
    errors: dict[str, str] = {}
    if membership.user_id != by.pk or not membership.is_active:
        raise ValidationError(_("A token is made by its owner, who must be a member."))
    if not name.strip():
        errors["name"] = _("Say what it is for.")
    elif len(name.strip()) > 80:
        errors["name"] = _("At most 80 characters.")
    unknown = set(scopes) - set(Scope.values)
    beyond = set(scopes) - set(scopes_of(membership.role)) - unknown
    if unknown or not scopes:
        errors["scopes"] = _("Choose what it may do.")
    elif beyond:
        errors["scopes"] = _("Your role may not do all of this.")
    if expires_at <= now:
        errors["expires_at"] = _("This lies in the past.")
    elif expires_at > now + dt.timedelta(days=LONGEST_DAYS):
        errors["expires_at"] = _("At most %(days)s days ahead.") % {"days": LONGEST_DAYS}
    if errors:
        raise ValidationError(errors)
    text = new_token()
    token = ApiToken.objects.create(
        membership=membership,
        name=name.strip(),
        digest=digest(text),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=expires_at,
    )
    return token, text


@action("accounts.revoke_token", "API token revoked")
def revoke_token(*, centre: Centre, token: ApiToken, by: User, now: dt.datetime) -> ApiToken:
    """It opens nothing from now on. Revoking twice changes nothing."""
    locked = ApiToken.objects.select_for_update().get(pk=token.pk, membership__centre=centre)
    if locked.revoked_at is None:
        locked.revoked_at = now
        locked.save(update_fields=["revoked_at"])
    return locked


@job("accounts.note_token_use")
def note_token_use(*, token: ApiToken, now: dt.datetime) -> None:
    """When it was used, to within five minutes: an owner sees which tokens nobody needs. A race writes it twice."""
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USE_IS_NOTED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


@action("accounts.open_centre", "centre opened")
def open_centre(
    *, name: str, time_zone: str, email: str, full_name: str, by: User | None, now: dt.datetime
) -> Membership:
    """A new centre and its first administrator, whose membership is given. Everybody else is added by them."""
    centre = Centre(name=name.strip(), time_zone=time_zone)
    centre.full_clean()
    centre.save(force_insert=True)
    return add_member(centre=centre, email=email, full_name=full_name, role=Role.ADMINISTRATOR, by=by, now=now)


@action("accounts.add_member", "person added")
def add_member(
    *, centre: Centre, email: str, full_name: str, role: str, by: User | None, now: dt.datetime
) -> Membership:
    """The person with this e-mail address works at `centre` in `role`.

    Whoever is new gets a user without a password: they set one through "Forgotten password". Who is known keeps their
    name and password; an ended membership comes back to life. Refused: a role that is none, a present member.
    """
    email = email.strip()
    errors: dict[str, str] = {}
    if role not in Role.values:
        errors["role"] = _("Choose a role.")
    user: User | None = User.objects.filter(email__iexact=email).first() if email else None
    if user is None:
        user = User(username=email.lower()[:150], email=email, full_name=full_name.strip())
        user.set_unusable_password()
        try:
            user.full_clean(exclude=["password", "username"])
        except ValidationError as error:
            errors |= {field: texts[0] for field, texts in error.message_dict.items()}
    if errors:
        raise ValidationError(errors)
    if user._state.adding:
        with refusals_in_plain_words():
            user.save(force_insert=True)
    membership = Membership.objects.select_for_update().filter(user=user, centre=centre).first()
    if membership is None:
        with refusals_in_plain_words():
            return Membership.objects.create(user=user, centre=centre, role=role)
    if membership.is_active:
        raise ValidationError({"email": _("This person is already a member of the centre.")})
    membership.role, membership.is_active, membership.is_on_call = role, True, False
    membership.save(update_fields=["role", "is_active", "is_on_call"])
    return membership


@action("accounts.change_member", "role or on-call duty changed")
def change_member(*, membership: Membership, role: str, is_on_call: bool, by: User, now: dt.datetime) -> Membership:
    """Change what a member does. The centre keeps at least one administrator."""
    if role not in Role.values:
        raise ValidationError({"role": _("Choose a role.")})
    locked = _lock_member(membership)
    if locked.role == Role.ADMINISTRATOR and role != Role.ADMINISTRATOR:
        _keep_an_administrator(locked)
    locked.role, locked.is_on_call = role, is_on_call
    locked.save(update_fields=["role", "is_on_call"])
    return locked


@action("accounts.end_membership", "membership ended")
def end_membership(*, membership: Membership, by: User, now: dt.datetime) -> Membership:
    """They see nothing of the centre from now on, and their tokens for it open nothing. What they did stays."""
    locked = _lock_member(membership)
    if locked.role == Role.ADMINISTRATOR:
        _keep_an_administrator(locked)
    locked.is_active, locked.is_on_call = False, False
    locked.save(update_fields=["is_active", "is_on_call"])
    for token in ApiToken.objects.select_for_update().filter(membership=locked, revoked_at__isnull=True):
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
    return locked


@action("accounts.change_profile", "own details changed")
def change_profile(*, membership: Membership | None, full_name: str, language: str, by: User, now: dt.datetime) -> User:
    """One's own name, as it stands beside what one did, and the language one reads: empty as the browser says."""
    user = User.objects.select_for_update().get(pk=by.pk)
    user.full_name, user.language = full_name.strip(), language
    if not user.full_name:
        raise ValidationError({"full_name": _("Write your name.")})
    user.full_clean(exclude=["password"])
    user.save(update_fields=["full_name", "language"])
    return user


@action("accounts.set_digest", "daily e-mail switched")
def set_digest(*, membership: Membership, wants_digest: bool, by: User, now: dt.datetime) -> Membership:
    """Whether the daily e-mail about this centre comes. Urgent mail to those on call is not switched here."""
    locked = Membership.objects.select_for_update().get(pk=membership.pk)
    locked.wants_digest = wants_digest
    locked.save(update_fields=["wants_digest"])
    return locked


def _lock_member(membership: Membership) -> Membership:
    # The centre first: two administrators who demote each other at once must not both succeed.
    Centre.objects.select_for_update(no_key=True).get(pk=membership.centre_id)
    locked = Membership.objects.select_for_update(of=("self",)).select_related("centre", "user").get(pk=membership.pk)
    if not locked.is_active:
        raise ValidationError(_("This membership has ended."))
    return locked


def _keep_an_administrator(membership: Membership) -> None:
    others = Membership.objects.filter(
        centre_id=membership.centre_id, role=Role.ADMINISTRATOR, is_active=True, user__is_active=True
    ).exclude(pk=membership.pk)
    if not others.exists():
        raise ValidationError(_("The centre would be left without an administrator. Make somebody else one first."))
