"""A demo clinic in an empty database: people of every role, fictitious patients, two years of checks, and figures."""

from __future__ import annotations

import datetime as dt
import os
import random
import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Centre, Membership, Role, User
from alerts.actions.judging import evaluate
from alerts.actions.life import acknowledge, close, snooze
from alerts.models import Alert, Reason, State, Sweep, Trigger
from clinic.actions import work_out_figures
from clinic.demo.cases import ORDINARY
from clinic.demo.history import tell
from clinic.demo.people import people
from clinic.demo.teller import ORDER, Teller
from monitoring.rules import RULES
from patients.models import Patient, Touched

STAFF = (
    ("clinician", "Dr Helena Brandt", Role.CLINICIAN, True),
    ("clinician2", "Dr Samuel Osei", Role.CLINICIAN, False),
    ("nurse", "Nora Lindqvist", Role.NURSE, False),
    ("physio", "Pavel Horvat", Role.PHYSIOTHERAPIST, False),
    ("coordinator", "Carla Mendes", Role.COORDINATOR, False),
    ("researcher", "Dr Rui Tanaka", Role.RESEARCHER, False),
    ("admin", "Astrid Keller", Role.ADMINISTRATOR, False),
)
DOMAIN = "clinic.example"
ELSEWHERE = (("other", "Dr Otto Winkler", Role.CLINICIAN, True),)
IN_BOTH = "clinician2"  # sees the menu of centres
# Of these rules every patient's record of two years says something. The others speak of today.
ASKED_IN_THE_PAST = ("labs-overdue", "labs-action-limit")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--patients", type=int, default=120, help="how many at the first centre")
        parser.add_argument("--today", type=dt.date.fromisoformat, help="tell the histories up to this day")
        parser.add_argument("--password", help="of every login; made up where not given")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE == "production":
            raise CommandError("A demo clinic has well-known logins: it is not made in production.")
        if Centre.objects.exists() or User.objects.exists():
            raise CommandError("The database is not empty. A demo clinic is only made in an empty one.")
        now = timezone.now()
        if options["today"]:
            now = dt.datetime.combine(options["today"], dt.time(9), tzinfo=dt.UTC)
        password = options["password"] or secrets.token_urlsafe(9)
        with transaction.atomic():
            first = self.centre("Riverside Myositis Clinic", STAFF, password)
            second = self.centre("Hilltop Neuromuscular Centre", ELSEWHERE, password)
            both = User.objects.get(username=IN_BOTH)
            Membership.objects.create(user=both, centre=second, role=Role.CLINICIAN, wants_digest=False)
            ordinary = self.fill(first, options["patients"], now, number=410_001)
            self.fill(second, 8, now, number=880_001)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # nothing else has told the planner what is in these tables
        with transaction.atomic():
            self.past(first, ordinary, now)
        for centre in (first, second):
            self.judge(centre, now)
        Touched.objects.all().delete()  # everybody has just been asked about
        self.live(first, now)
        for centre in (first, second):
            work_out_figures(centre=centre, now=now)
        self.write_down(password)
        self.stdout.write(f"{Patient.objects.count()} fictitious patients, {Alert.objects.count()} alerts.")

    def centre(self, name: str, staff: tuple[tuple[str, str, str, bool], ...], password: str) -> Centre:
        centre = Centre.objects.create(name=name, time_zone="Europe/Berlin")
        for username, full_name, role, on_call in staff:
            user = User.objects.create_user(
                username=username, email=f"{username}@{DOMAIN}", password=password, full_name=full_name
            )
            Membership.objects.create(user=user, centre=centre, role=role, is_on_call=on_call)
        return centre

    def fill(self, centre: Centre, how_many: int, now: dt.datetime, number: int) -> list[Patient]:
        """Gives the ordinary ones, who are in no particular state today."""
        clerk = centre.memberships.earliest("pk").user
        today = now.astimezone(centre.zone).date()
        teller = Teller(centre, clerk, today, random.Random(number))  # noqa: S311 - histories, not secrets
        told = people(teller, how_many, number)
        followers = [
            m.user for m in centre.memberships.filter(role=Role.CLINICIAN).select_related("user").order_by("pk")
        ]
        for place, (patient, _) in enumerate(told):
            patient.clinician = [*followers, None][place % (len(followers) + 1)]
        Patient.objects.bulk_create([patient for patient, _ in told])
        for patient, case in told:
            tell(teller, patient, case)
        for kind in ORDER:
            kind.objects.bulk_create(teller.rows[kind], batch_size=2000)
        return [patient for patient, case in told if case.story == ORDINARY]

    def past(self, centre: Centre, ordinary: list[Patient], now: dt.datetime) -> None:
        """Two years of checks, one a fortnight, of whoever was a patient by then; and what the staff made of them."""
        dice = random.Random(len(ordinary))  # noqa: S311 - histories, not secrets
        who = {m.role: m.user for m in centre.memberships.order_by("-pk")}
        for ago in range(728, 2, -14):
            at = now - dt.timedelta(days=ago)
            known = [patient.pk for patient in ordinary if patient.created_at <= at]
            if not known:
                continue
            for rule in ASKED_IN_THE_PAST:
                evaluate(
                    rule=RULES[rule], as_of=at.astimezone(centre.zone).date(), now=at, centre=centre, patients=known,
                    trigger=Trigger.COMMAND,
                )  # fmt: skip
            new = Alert.objects.filter(centre=centre, opened_at=at).select_related("centre", "patient__clinician")
            for alert in new.order_by("pk"):
                chance = dice.random()
                by = who[alert.audience]
                if alert.audience == Role.CLINICIAN and alert.patient.clinician:
                    by = alert.patient.clinician
                later = at + dt.timedelta(hours=min(dice.lognormvariate(3, 0.9), 200))
                if later >= now or chance < 0.12:
                    continue
                if chance < 0.8:
                    acknowledge(alert=alert, by=by, now=later, reason=Reason.ACTED, text="")
                else:
                    reason = dice.choice([Reason.ALREADY_KNOWN, Reason.WILL_MONITOR])
                    close(alert=alert, by=by, now=later, reason=reason, text="")

    def judge(self, centre: Centre, now: dt.datetime) -> None:
        """Today's check; two days ago the clinic was checked as well, so that some alerts have a past."""
        today = now.astimezone(centre.zone).date()
        earlier = dt.timedelta(days=2)
        for as_of, at in ((today - earlier, now - earlier), (today, now)):
            sweep = Sweep.objects.create(centre=centre, as_of=as_of, started_at=at)
            for rule in RULES.values():
                # An urgent alert of two days ago would long since have gone up the chain and off the clinician's list.
                if rule.id == "ck-rising" and as_of != today:
                    continue
                evaluate(rule=rule, as_of=as_of, now=at, centre=centre, trigger=Trigger.SWEEP, sweep=sweep,
                         accept_closing=True)  # fmt: skip
            Sweep.objects.filter(pk=sweep.pk).update(finished_at=at)

    def live(self, centre: Centre, now: dt.datetime) -> None:
        """What the staff did with some of the alerts, so that every state can be seen. Of each rule one stays open."""
        today = now.astimezone(centre.zone).date()
        dice = random.Random(len(RULES))  # noqa: S311 - histories, not secrets
        who = {m.role: m.user for m in centre.memberships.order_by("-pk")}
        for rule in RULES:
            alerts = list(Alert.objects.filter(centre=centre, rule=rule, state=State.OPEN).order_by("pk")[1:5])
            for turn, alert in enumerate(alerts):
                by = who.get(alert.audience, who[Role.CLINICIAN])
                if alert.level in ("URGENT", "INFO"):
                    continue
                at = now - dt.timedelta(hours=dice.uniform(1, 45))
                if alert.level_since > at or alert.evidence_at > at:
                    at = now
                if turn == 0:
                    acknowledge(alert=alert, by=by, now=at, reason=Reason.ACTED, text="")
                elif turn == 1:
                    until = today + dt.timedelta(days=10)
                    snooze(alert=alert, by=by, now=at, until=until, reason=Reason.WILL_MONITOR, text="Seen on Monday")
                elif turn == 2:
                    close(alert=alert, by=by, now=at, reason=Reason.ALREADY_KNOWN, text="")

    def write_down(self, password: str) -> None:
        """For `make run` to print. The file is readable by its owner only and stays out of the repository."""
        path = settings.BASE_DIR / ".local" / "demo-logins.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            f"  {role.label:<16} {name}@{DOMAIN}" + (" (works in both clinics)" if name == IN_BOTH else "")
            for name, _, role, _ in STAFF
        ]
        lines += [f"  {'Another clinic':<16} {name}@{DOMAIN}" for name, _, _, _ in ELSEWHERE]
        text = "\n".join(["Demo logins (any of these):", *lines, f"Password of all: {password}", ""])
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
            handle.write(text)
