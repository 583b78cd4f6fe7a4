"""`ck-rising` on real laboratory rows, against a plain loop over the file itself.

The loop reads the trial's file as text: it shares neither tables, nor conversions, nor numbers with the rule.
"""

from __future__ import annotations

import csv
import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest
from django.db import transaction

from accounts.models import Centre, Role
from alerts.actions.judging import evaluate
from alerts.models import Alert, Trigger
from exchange import actions, planning
from exchange.mapping import LABS, PATIENTS, load
from monitoring.rules import RULES
from tests import factories
from tests.factories import NOW

DATA = Path(__file__).resolve().parent.parent / "data"
DAYS = [dt.date(2012, 10, 1) + dt.timedelta(days=30 * n) for n in range(26)]


def told_by_the_file(as_of: dt.date) -> dict[str, str]:
    """{subject: level} by a plain loop over the rows. No diagnosis day and no taper is on record in the trial."""
    series: dict[str, list[tuple[str, int, Fraction, Fraction]]] = {}
    with (DATA / "cdisc-pilot" / "lb.csv").open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if row["LBTESTCD"] == "CK" and row["LBDTC"][:10] <= as_of.isoformat():
                sample = (row["LBDTC"], number, Fraction(row["LBORRES"]), Fraction(row["LBORNRHI"]))
                series.setdefault(row["USUBJID"], []).append(sample)
    levels = {}
    for subject, samples in series.items():
        samples.sort()  # "2013-01-05" before "2013-01-05T08:00": a sample without a time comes first
        by_day = {sample[0][:10]: sample for sample in samples}
        taken, _, now, limit = samples[-1]
        day = dt.date.fromisoformat(taken[:10])
        before = [(dt.date.fromisoformat(d), by_day[d][2]) for d in sorted(by_day) if d < taken[:10]]
        recent = [value for when, value in before if (day - when).days <= 180]
        if (as_of - day).days > 90 or not recent:
            continue
        lowest = min(recent)
        if now <= limit or now - lowest < limit / 2:
            continue
        three = [value for _, value in before[-2:]] + [now]
        climbs = len(three) == 3 and three[0] < three[1] < three[2] and three[2] * 2 >= three[0] * 3
        if (now >= 10 * limit and now >= 2 * lowest) or now > 5000 >= before[-1][1]:
            levels[subject] = "URGENT"
        elif now >= 2 * lowest or (climbs and now * 2 > limit * 3):
            levels[subject] = "ACTION"
        elif now * 2 >= lowest * 3:
            levels[subject] = "INFO"
    return levels


@pytest.fixture
def trial(db: None) -> Centre:
    clinic = factories.centre()
    clerk = factories.person(clinic, Role.NURSE)
    for kind, name, mapping, source in (
        (PATIENTS, "dm.csv", "cdisc_patients_mapping.json", ""),
        (LABS, "lb.csv", "cdisc_labs_mapping.json", "Pilot"),
    ):
        plan = planning.prepare(
            centre=clinic,
            kind=kind,
            content=(DATA / "cdisc-pilot" / name).read_bytes(),
            file_name=name,
            mapping=load((DATA / mapping).read_bytes(), kind),
            now=NOW,
            source_name=source,
        )
        actions.commit_import(plan=plan, by=clerk, now=NOW)
    return clinic


def test_the_rule_raises_exactly_the_patients_a_plain_loop_finds(trial: Centre) -> None:
    found = set()
    for day in DAYS:
        with transaction.atomic():
            evaluate(rule=RULES["ck-rising"], as_of=day, now=NOW, centre=trial, trigger=Trigger.COMMAND)
            raised = dict(Alert.objects.values_list("patient__record_number", "level"))
            transaction.set_rollback(True)  # every day on its own
        assert raised == told_by_the_file(day), day
        found |= set(raised.items())
    # The comparison is worth something: over the trial there is more than one patient and more than one level.
    assert len({subject for subject, _ in found}) >= 3
    assert {level for _, level in found} >= {"ACTION", "INFO"}
