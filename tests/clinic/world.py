"""A clinic with one of everything that has an address, and how each parameter of an address is filled from it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from accounts import actions as accounts
from accounts.models import Centre, Membership, Role, Scope, User
from accounts.permissions import ROLES, Permission
from alerts.models import Alert
from audit.models import Entry
from clinic.selectors.facts import KINDS
from exchange import actions as exchange
from exchange.mapping import LABS
from exchange.models import HeldRow, ImportBatch, PendingUpload
from monitoring.models import Assessment, FunctionalTest, PersonalBaseline, Result, Waiver
from patients import actions as patients
from patients.merge_actions import merge_patients
from patients.models import ClassificationItems, Manifestation, Patient
from patients.selectors import version
from tests import factories
from tests.clinic.one_patient import full
from tests.exchange import files
from tests.factories import AS_OF, NOW, fact
from therapy.models import (
    Course,
    Dose,
    EscalationDecision,
    PhysioDecline,
    PhysioEnd,
    PhysioPause,
    PhysioPlan,
    PhysioSession,
    TaperEnd,
    TaperHold,
    TaperPlan,
    TaperStep,
)

DAY = dt.timedelta(days=1)


class World:
    """Riverside, where everything is; somebody in every role there; and people elsewhere."""

    def __init__(self, centre: Centre | None = None) -> None:
        self.centre: Centre = centre or factories.centre(name="Riverside")
        self.elsewhere: Centre = factories.centre(name="Hillside")
        self.clinician: User = factories.person(self.centre)
        self.patient: Patient = full(self.centre, self.clinician, AS_OF, many=10)
        self.neighbour: Patient = factories.patient(self.centre, self.clinician)
        p = self.patient
        fact(FunctionalTest, p, instrument="grip", tested_on=AS_OF - 9 * DAY, score=Decimal(31), is_complete=True)
        fact(PersonalBaseline, p, analyte="ck", value=Decimal(150), set_on=AS_OF - 9 * DAY, reason="African descent")
        fact(Waiver, p, test="hrct", reason="declined", starts_on=AS_OF - 9 * DAY, ends_on=AS_OF + 90 * DAY)
        fact(ClassificationItems, p, found_on=AS_OF - 9 * DAY, heliotrope=True)
        fact(EscalationDecision, p, decided_on=AS_OF - 9 * DAY, option="no_change", reason="Wait for the next visit")
        self.taper = TaperPlan.objects.get(patient=p)
        self.hold = fact(TaperHold, p, plan=self.taper, starts_on=AS_OF - 3 * DAY, reason="Infection")
        old = fact(TaperPlan, p)
        fact(TaperEnd, p, plan=old, ended_on=AS_OF - 300 * DAY, reason="Flare")
        self.physio = PhysioPlan.objects.get(patient=p)
        self.pause = fact(PhysioPause, p, plan=self.physio, starts_on=AS_OF - 2 * DAY, reason="On holiday")
        earlier = fact(PhysioPlan, p, starts_on=AS_OF - 400 * DAY)
        fact(PhysioEnd, p, plan=earlier, ended_on=AS_OF - 300 * DAY, reason="Goal reached")
        fact(PhysioDecline, p, declined_on=AS_OF - 500 * DAY, ends_on=AS_OF - 410 * DAY)
        self.batch: ImportBatch = files.commit(
            self.centre, self.clinician, {"patient_number": "nobody", "result_id": "a1"}, {"patient_number": ""}
        )
        self.pending: PendingUpload = exchange.keep_upload(
            centre=self.centre, kind=LABS, content=files.csv_bytes({}), file_name="labs.csv", mapping=files.mapping(),
            source_name="Lab", by=self.clinician, now=NOW,
        )  # fmt: skip

        again = factories.patient(self.centre, self.clinician)
        self.merge = merge_patients(
            kept=self.neighbour, absorbed=again, reason="Registered twice", by=self.clinician, now=NOW,
            versions=(version(self.neighbour), version(again)),
        )  # fmt: skip

        # Proposed by the only clinician, so that whoever else may can confirm or withdraw it.
        self.change = factories.rule_change(self.centre, "ck-rising", confirmed=False, mode="off")

    def member(self, role: str) -> User:
        return factories.person(self.centre, role)

    def entry_by(self, person: User) -> Entry:
        """Something this person just did to the patient, and may undo."""
        patients.record_antibody(
            patient=self.patient, antibody="mi-2", result="negative", taken_on=AS_OF, by=person, now=NOW
        )
        return Entry.objects.filter(by=person).latest("id")

    def token_of(self, person: User) -> Any:
        membership = Membership.objects.get(user=person)
        scopes = [Scope.RESEARCH if membership.role == Role.RESEARCHER else Scope.READ]
        return accounts.make_token(
            membership=membership, name="a script", scopes=scopes, expires_at=NOW + 30 * DAY, by=person, now=NOW
        )[0]

    def newest(self, model: Any, **which: Any) -> Any:
        """The current row of the patient that was made last."""
        return model.objects.current().filter(patient=self.patient, **which).latest("id").pk

    def one_of_kind(self, word: str) -> Any:
        return KINDS[word].of(self.patient).current().latest("id")


# --------------------------------------------------------------------------------------------------------- addresses


@dataclass(frozen=True)
class Address:
    """A route such as "rules/<slug:rule_id>/", the name it is reversed by, and the view that answers."""

    route: str
    name: str
    view: Any

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """(the last fixed word before it, name) of each parameter."""
        found, before = [], ""
        for part in self.route.split("/"):
            match = re.fullmatch(r"<(?:\w+:)?(\w+)>", part)
            if match:
                found.append((before, match[1]))
            elif part:
                before = part
        return found


def all_addresses() -> list[Address]:
    def below(resolver: URLResolver, prefix: str, space: str) -> Iterator[Address]:
        for pattern in resolver.url_patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                yield Address(route, f"{space}{pattern.name or ''}", pattern.callback)
            else:
                yield from below(pattern, route, space + (f"{pattern.namespace}:" if pattern.namespace else ""))

    return list(below(get_resolver(), "", ""))


# What stands in a parameter, by the fixed word before it and its name. `whose` is the person who owns what is personal.
FILL: dict[tuple[str, str], Callable[[World, User], Any]] = {
    ("patients", "public_id"): lambda w, whose: w.patient.public_id,
    ("patients", "id"): lambda w, whose: w.patient.public_id,
    ("second-record", "other_id"): lambda w, whose: w.neighbour.public_id,
    ("merges", "merge_id"): lambda w, whose: w.merge.public_id,
    ("alerts", "public_id"): lambda w, whose: Alert.objects.get(patient=w.patient, rule="ck-rising").public_id,
    ("alerts", "id"): lambda w, whose: Alert.objects.get(patient=w.patient, rule="ck-rising").public_id,
    ("entries", "word"): lambda w, whose: "manifestation",
    ("entries", "pk"): lambda w, whose: w.newest(Manifestation, ended_on__isnull=True),
    ("treatment", "course"): lambda w, whose: w.newest(Course, drug="prednisone"),
    ("doses", "dose"): lambda w, whose: w.newest(Dose, ends_on__isnull=True),
    ("courses", "pk"): lambda w, whose: w.newest(Course),
    ("results", "code"): lambda w, whose: "ck",
    ("functional-test", "instrument"): lambda w, whose: "ibmfrs",
    ("results", "pk"): lambda w, whose: w.newest(Result, analyte="ck"),
    ("assessments", "pk"): lambda w, whose: w.newest(Assessment),
    ("taper", "plan"): lambda w, whose: w.taper.pk,
    ("steps", "step"): lambda w, whose: w.newest(TaperStep),
    ("physiotherapy", "plan"): lambda w, whose: w.physio.pk,
    ("sessions", "session"): lambda w, whose: w.newest(PhysioSession),
    ("undo", "entry"): lambda w, whose: w.entry_by(whose).pk,
    ("tokens", "public_id"): lambda w, whose: w.token_of(whose).public_id,
    ("people", "pk"): lambda w, whose: Membership.objects.get(user=w.clinician).pk,
    ("upload", "public_id"): lambda w, whose: w.pending.public_id,
    ("imports", "public_id"): lambda w, whose: w.batch.public_id,
    ("quarantine", "public_id"): lambda w, whose: (
        HeldRow.objects.filter(batch=w.batch, kind="quarantined")[0].public_id
    ),
    ("rules", "rule_id"): lambda w, whose: "ck-rising",
    ("rules", "id"): lambda w, whose: "ck-rising",
    ("changes", "change"): lambda w, whose: w.change.pk,
    ("v1", "rest"): lambda w, whose: "nothing",
    ("keys", "pk"): lambda w, whose: 1,
}
# These name nothing that belongs to a centre: what is the same everywhere, or exists nowhere.
OF_NO_CENTRE = {
    ("rules", "rule_id"), ("rules", "id"), ("entries", "word"), ("results", "code"), ("v1", "rest"), ("keys", "pk"),
    ("functional-test", "instrument"),
}  # fmt: skip


def fill(address: Address, world: World, whose: User) -> dict[str, Any]:
    """Values of the parameters. AssertionError where the world does not know one."""
    values = {}
    for before, name in address.parameters:
        assert (before, name) in FILL, (
            f"{address.route}: teach the world how to fill {name!r} after {before!r} (FILL in tests/clinic/world.py)"
        )
        values[name] = FILL[before, name](world, whose)
    return values


def objects_in(address: Address) -> list[tuple[str, str]]:
    """The parameters that name something of one centre."""
    return [each for each in address.parameters if each not in OF_NO_CENTRE]


def roles_with(permission: Permission) -> list[str]:
    return [str(role) for role, permissions in ROLES.items() if permission in permissions]
