"""Make the rows a test needs, through the models and constraints of everybody. Every day is given, never today's."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any, TypeVar

from accounts.models import Centre, Membership, Role, User
from common.models import Fact
from monitoring.models import ChangeKind, RuleBackTest, RuleChange
from monitoring.rules import RULES
from patients.models import Patient, Sex, Subtype

AS_OF = dt.date(2025, 6, 15)
NOW = dt.datetime(2025, 6, 15, 9, 0, tzinfo=dt.UTC)
LONG_AGO = dt.datetime(2015, 1, 1, tzinfo=dt.UTC)

T = TypeVar("T", bound=Fact)

# What a back-test says of a rule that finds nothing: see alerts/backtest_actions.py.
NOTHING_RAISED = {
    "days": 1, "opened": 0, "standing": 0, "patients": 0, "raised": 0, "listed": 0, "people": 1,
    "per_person_week": None, "levels": {"URGENT": 0, "ACTION": 0, "TASK": 0, "INFO": 0},
}  # fmt: skip

_number = itertools.count(1)


def centre(**fields: Any) -> Centre:
    return Centre.objects.create(**{"name": f"Clinic {next(_number)}", "time_zone": "Europe/Berlin", **fields})


def person(at: Centre | None = None, role: str = Role.CLINICIAN, **fields: Any) -> User:
    """A user, a member of `at` in `role`."""
    n = next(_number)
    user = User.objects.create_user(
        **{"username": f"user{n}", "email": f"user{n}@clinic.example", "full_name": f"Person {n}", **fields}
    )
    if at is not None:
        Membership.objects.create(user=user, centre=at, role=role)
    return user


def patient(at: Centre, by: User, **fields: Any) -> Patient:
    n = next(_number)
    return Patient.objects.create(
        **{
            "centre": at,
            "record_number": f"R{n:06}",
            "given_name": f"Given{n}",
            "family_name": f"Family{n}",
            "born_on": dt.date(1970, 5, 17),
            "sex": Sex.FEMALE,
            "subtype": Subtype.DERMATOMYOSITIS,
            "created_at": LONG_AGO,
            "created_by": by,
            **fields,
        }
    )


def fact(model: type[T], patient: Patient, **fields: Any) -> T:
    """A fact recorded long ago by whoever made the patient, unless said otherwise."""
    return model.objects.create(
        **{"patient": patient, "recorded_at": LONG_AGO, "recorded_by": patient.created_by, **fields}
    )


def rule_change(
    at: Centre, rule: str, *, confirmed: bool = True, moment: dt.datetime = LONG_AGO, **fields: Any
) -> RuleChange:
    """A change of a rule that two people of `at` agreed on at `moment`, its back-test finished: mode="off" or "shadow",
    parameters={…}, or a sign-off of `rule_version`.
    """
    kind = next((word for word in (ChangeKind.MODE, ChangeKind.PARAMETERS) if word in fields), ChangeKind.SIGN_OFF)
    version = fields.pop("rule_version", RULES[rule].version if rule in RULES else 1)
    change = RuleChange.objects.create(
        **{
            "centre": at, "rule": rule, "rule_version": version, "kind": kind, "reason": "agreed",
            "proposed_by": person(at), "proposed_at": moment, **fields,
        }
    )  # fmt: skip
    if kind != ChangeKind.SIGN_OFF:
        RuleBackTest.objects.create(
            change=change, first_on=AS_OF, last_on=AS_OF, weeks=1, weeks_done=1, requested_at=moment, sent_at=moment,
            finished_at=moment, today=NOTHING_RAISED, proposed=NOTHING_RAISED,
        )  # fmt: skip
    if confirmed:
        change.confirmed_by, change.confirmed_at = person(at), moment
        change.save()
    return change
