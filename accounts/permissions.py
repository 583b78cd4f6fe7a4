"""Who may do what: this file and nothing else.

A permission says what a *person* may do in a role. Whether a thing may happen *now* (an urgent alert may not be
snoozed) is a policy, and lives with the action that does it.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied

from accounts.models import Role, Scope

if TYPE_CHECKING:
    from accounts.models import Membership


class Permission(enum.StrEnum):
    SEE_PATIENTS = "see patients"
    EDIT_PATIENTS = "register patients and change their details"
    MERGE_PATIENTS = "make two records of one person one, and take that back"
    EXPORT_LISTS = "take lists of patients out as files"
    RECORD_RESULTS = "record results, assessments, tests"
    BOOK_TESTS = "book tests and visits, and cancel them"
    PRESCRIBE = "start, change and stop drugs; plan, confirm and hold tapers"
    # Of what somebody else has prescribed. Which drug and which dose stays with those who prescribe.
    CARRY_OUT = "record infusions given, confirm due steps of a taper, and correct those records"
    RECORD_PHYSIO = "plan physiotherapy and record sessions"
    ACT_ON_ALERTS = "acknowledge, snooze and close alerts"
    MAKE_EXCEPTIONS = "set personal baselines and exceptions from a rule"
    IMPORT = "import files and resolve the quarantine"
    EXPORT_RESEARCH = "take pseudonymised releases"
    SEE_OVERVIEW = "see the clinic overview"
    SEE_TRAIL = "see who did what"
    GOVERN_RULES = "propose, confirm and sign off how rules work at the centre"
    MANAGE_CENTRE = "manage people and ranges of the centre"


P = Permission
ROLES: dict[str, frozenset[Permission]] = {
    Role.CLINICIAN: frozenset(
        {
            P.SEE_PATIENTS, P.EDIT_PATIENTS, P.MERGE_PATIENTS, P.EXPORT_LISTS, P.RECORD_RESULTS, P.BOOK_TESTS,
            P.PRESCRIBE, P.CARRY_OUT, P.RECORD_PHYSIO, P.ACT_ON_ALERTS, P.MAKE_EXCEPTIONS, P.IMPORT, P.SEE_OVERVIEW,
            P.SEE_TRAIL, P.GOVERN_RULES,
        }
    ),
    Role.NURSE: frozenset(
        {
            P.SEE_PATIENTS, P.EDIT_PATIENTS, P.RECORD_RESULTS, P.BOOK_TESTS, P.CARRY_OUT, P.RECORD_PHYSIO,
            P.ACT_ON_ALERTS, P.IMPORT, P.SEE_OVERVIEW,
        }
    ),
    Role.PHYSIOTHERAPIST: frozenset(
        {P.SEE_PATIENTS, P.RECORD_RESULTS, P.BOOK_TESTS, P.RECORD_PHYSIO, P.ACT_ON_ALERTS}
    ),
    Role.COORDINATOR: frozenset(
        {
            P.SEE_PATIENTS, P.EDIT_PATIENTS, P.MERGE_PATIENTS, P.EXPORT_LISTS, P.BOOK_TESTS, P.IMPORT, P.SEE_OVERVIEW,
        }
    ),
    Role.RESEARCHER: frozenset({P.EXPORT_RESEARCH}),
    Role.ADMINISTRATOR: frozenset({P.MANAGE_CENTRE, P.SEE_TRAIL, P.SEE_OVERVIEW, P.IMPORT, P.SEE_PATIENTS}),
}  # fmt: skip


def may(membership: Membership | None, permission: Permission) -> bool:
    """Default deny: no membership, an ended one, or a role not listed may nothing."""
    if membership is None or not membership.is_active:
        return False
    return permission in ROLES.get(membership.role, frozenset())


# What an API token may do at most: the scope opens nothing that the role of its owner does not.
SCOPES: dict[str, frozenset[Permission]] = {
    Scope.READ: frozenset({P.SEE_PATIENTS}),
    Scope.WRITE: frozenset(
        {
            P.RECORD_RESULTS,
            P.BOOK_TESTS,
            P.EDIT_PATIENTS,
            P.PRESCRIBE,
            P.RECORD_PHYSIO,
            P.ACT_ON_ALERTS,
            P.MAKE_EXCEPTIONS,
        }
    ),
    Scope.RESEARCH: frozenset({P.EXPORT_RESEARCH}),
}


def scopes_of(role: str) -> list[str]:
    """The scopes that open anything at all for `role`."""
    return [scope for scope in Scope.values if SCOPES[scope] & ROLES.get(role, frozenset())]


def require(membership: Membership | None, permission: Permission) -> None:
    if not may(membership, permission):
        raise PermissionDenied(f"Your role may not {permission.value}.")
