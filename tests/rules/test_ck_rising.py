"""`ck-rising` beyond its table: against a naive twin, in the past, its evidence, and when an alert closes."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from audit.facts import supersede, withdraw
from monitoring.asking import Finding, findings
from monitoring.models import Assessment, Confounder, PersonalBaseline, ReferenceRange, Result
from monitoring.rules import RULES
from monitoring.rules.base import Question
from patients.models import Patient
from tests import factories
from tests.factories import AS_OF, NOW, fact
from tests.naive.ck_rising import History, Sample, Taper, Verdict, judge
from tests.rules.columns_labs import ck, ck_result
from tests.rules.examples import day
from therapy.models import TaperConfirmation, TaperEnd, TaperPlan, TaperStep

pytestmark = pytest.mark.django_db

RULE = RULES["ck-rising"]
KNOWN_AT = dt.datetime(2025, 6, 15, 22, 0, tzinfo=dt.UTC)  # the end of the day judged, in Berlin
BEFORE, AFTER = NOW - dt.timedelta(days=5), NOW + dt.timedelta(days=5)


def one(patient: Patient, as_of: dt.date = AS_OF, known_at: dt.datetime | None = None) -> Finding | None:
    found = findings(RULE, as_of=as_of, patient_ids=[patient.pk], known_at=known_at)
    assert len(found) <= 1
    return found[0] if found else None


@pytest.fixture
def patient() -> Patient:
    clinic = factories.centre()
    return factories.patient(clinic, factories.person(clinic), diagnosed_on=day(-900))


# ------------------------------------------------------------------------------------------------ against a naive twin

# Few values and days, chosen round the thresholds, so that chance meets every boundary often.
VALUES = [0, 100, 150, 200, 220, 250, 300, 330, 340, 375, 400, 500, 600, 1000, 2000, 3000, 4000, 5000, 5001, 6000]
ULNS = [200, 200, 200, 150, 300, 600, 0, None]
DAYS = [0, -1, -1, -2, -10, -20, -40, -60, -89, -90, -91, -120, -179, -180, -181, -200, -269, -270, -271, -400, -900]
MOMENTS = [factories.LONG_AGO, factories.LONG_AGO, factories.LONG_AGO, BEFORE, KNOWN_AT, AFTER]


def invent(rng: random.Random, patients: list[Patient]) -> None:
    """Record a random history for each of `patients`, with corrections and facts that came to light later."""
    rows: dict[type, list[Any]] = {m: [] for m in (Result, PersonalBaseline, Confounder, TaperPlan)}
    by = patients[0].created_by

    def common(patient: Patient) -> dict[str, Any]:
        recorded_at = rng.choice(MOMENTS)
        fields = {"patient": patient, "recorded_at": recorded_at, "recorded_by": by}
        if rng.random() < 0.1:
            later = [m for m in MOMENTS if m >= recorded_at]
            fields |= {"retired_at": rng.choice(later), "retired_by": by}
        return fields

    steps, confirmations, ends = [], [], []
    for patient in patients:
        for _ in range(rng.randrange(9)):
            taken_on = day(rng.choice(DAYS) + (1 if rng.random() < 0.1 else 0))
            hour = rng.choice([None, None, 8, 16])
            number = None if rng.random() < 0.06 else Decimal(rng.choice(VALUES))
            uln = rng.choice(ULNS)
            rows[Result].append(
                Result(
                    analyte="ck" if rng.random() < 0.95 else "ldh",
                    value=number,
                    value_received=str(number),
                    uln=None if uln is None else Decimal(uln),
                    taken_on=taken_on,
                    taken_at=None if hour is None else dt.datetime.combine(taken_on, dt.time(hour, tzinfo=dt.UTC)),
                    **common(patient),
                )
            )
        for _ in range(rng.choice([0, 0, 0, 1, 2])):
            rows[PersonalBaseline].append(
                PersonalBaseline(
                    analyte="ck",
                    value=Decimal(rng.choice(VALUES[:9])),
                    set_on=day(rng.choice(DAYS)),
                    reason="x",
                    **common(patient),
                )
            )
        for _ in range(rng.choice([0, 1, 2])):
            kind = rng.choice(["exercise", "injection", "surgery", "statin", "colchicine"])
            happened_on = day(rng.choice(DAYS[:8]) - rng.choice([0, 1, 6, 7, 8, 14, 15, 90, 91]))
            rows[Confounder].append(Confounder(kind=kind, happened_on=happened_on, **common(patient)))
        if rng.random() < 0.3:
            plan = TaperPlan(**common(patient))
            rows[TaperPlan].append(plan)
            for n, step_on in enumerate(sorted(rng.sample([-60, -30, -1, 0, 1, 30], rng.randint(1, 3)))):
                steps.append(TaperStep(plan=plan, step_on=day(step_on), dose_pe_mg=Decimal(40 - n), **common(patient)))
                if rng.random() < 0.4:
                    confirmed_on = day(rng.choice([-1, 0, 1]))
                    confirmations.append(
                        TaperConfirmation(step=steps[-1], confirmed_on=confirmed_on, **common(patient))
                    )
            if rng.random() < 0.3:
                ends.append(TaperEnd(plan=plan, ended_on=day(rng.choice([-1, 0, 1])), reason="x", **common(patient)))
    for model, objects in rows.items():
        model.objects.bulk_create(objects)
    TaperStep.objects.bulk_create(steps)
    TaperConfirmation.objects.bulk_create(confirmations)
    TaperEnd.objects.bulk_create(ends)


def histories_of(patients: list[Patient], ranged: int, known_at: dt.datetime | None) -> dict[int, History]:
    """The record as plain values; `ranged` is the centre that has a limit of its own."""

    def seen(model: Any) -> list[Any]:
        rows = model.objects.order_by("pk")
        return list(rows.current() if known_at is None else rows.known_at(known_at))

    histories = {p.pk: History(subtype=p.subtype, diagnosed_on=p.diagnosed_on) for p in patients}
    centres = {p.pk: p.centre_id for p in patients}
    for r in seen(Result):
        if r.analyte == "ck":
            uln = r.uln or (Decimal(250) if centres[r.patient_id] == ranged else None)
            histories[r.patient_id].samples.append(Sample(r.pk, r.taken_on, r.value, uln, r.taken_at))
    for b in seen(PersonalBaseline):
        histories[b.patient_id].baselines.append((b.set_on, b.pk, b.value))
    for c in seen(Confounder):
        histories[c.patient_id].confounders.append((c.kind, c.happened_on))
    steps = seen(TaperStep)
    confirmed = {c.step_id: c.confirmed_on for c in seen(TaperConfirmation)}
    ended = {e.plan_id: e.ended_on for e in seen(TaperEnd)}
    for plan in seen(TaperPlan):
        days = [(s.step_on, confirmed.get(s.pk)) for s in steps if s.plan_id == plan.pk]
        histories[plan.patient_id].tapers.append(Taper(days, ended.get(plan.pk)))
    return histories


@pytest.mark.parametrize("seed", [1, 2])
def test_the_query_says_of_random_histories_what_a_plain_loop_says(seed: int) -> None:
    rng = random.Random(seed)
    plain, ranged = factories.centre(), factories.centre()
    ReferenceRange.objects.create(centre=ranged, analyte="ck", sex="", uln=Decimal(250), starts_on=dt.date(2010, 1, 1))
    clerk = factories.person(plain)
    patients = [
        factories.patient(
            rng.choice([plain, plain, plain, ranged]),
            clerk,
            subtype=rng.choice(["dermatomyositis"] * 6 + ["inclusion_body"]),
            diagnosed_on=rng.choice([None, day(-2000), day(-731), day(-730), day(-100)]),
        )
        for _ in range(400)
    ]
    invent(rng, patients)

    reached: Counter[Verdict] = Counter()
    for known_at in (None, KNOWN_AT):
        said = {f.patient_id: Verdict(f.level, bool(f.missing)) for f in findings(RULE, as_of=AS_OF, known_at=known_at)}
        for pk, history in histories_of(patients, ranged.pk, known_at).items():
            expected = judge(history, AS_OF)
            assert said.get(pk, Verdict()) == expected, (known_at, history)
            reached[expected] += 1
    # Had chance met nothing but quiet patients, the agreement would say nothing.
    assert {v.level for v in reached} == {"URGENT", "ACTION", "TASK", "INFO", None}
    assert Verdict(None, True) in reached
    assert all(reached[Verdict(level)] >= 3 for level in ("URGENT", "ACTION", "TASK", "INFO")), reached


# --------------------------------------------------------------------------------------------------------- the evidence


def test_the_evidence_holds_what_the_verdict_rests_on(patient: Patient) -> None:
    patient.diagnosed_on = day(-300)
    patient.save()
    ck(patient, "-150 210, -100 <200, -50 260")
    latest = ck_result(patient, ["-3", "350.5"])
    fact(Confounder, patient, kind="fall", happened_on=day(-6))
    fact(Assessment, patient, assessed_on=day(-80), mmt8_150=138)
    fact(Assessment, patient, assessed_on=day(-10), mmt8_150=131)
    finding = one(patient)
    assert finding is not None
    assert finding.level == "TASK"
    e = finding.evidence
    assert e is not None
    assert (e["now"], e["now_on"], e["now_id"], e["uln"]) == ("350.5", str(day(-3)), latest.pk, 200)
    assert (e["baseline"], e["baseline_on"], e["baseline_kind"], e["baseline_comparator"]) == (
        200,
        str(day(-100)),
        "nadir",
        "<",
    )
    assert (e["ratio"], e["times_uln"], e["threshold"]) == ("1.75", "1.75", "1.7")
    assert "730" in e["threshold_because"]
    assert e["confounders"] == [f"fall on {day(-6).day} Jun 2025"]
    assert (e["mmt8"], e["mmt8_of"], e["mmt8_on"]) == (131, 150, str(day(-10)))
    assert [r["value"] for r in e["results"]] == [260, 200, 210]
    text = RULE.sentence(e)
    for part in ("350.5 U/L", "12 Jun 2025", "<200 U/L", "CK alone is not a flare", "MMT8 131 of 150 on 5 Jun 2025"):
        assert part in text
    assert "Repeat after 5 to 7 days of rest" in text


@pytest.mark.parametrize(
    ("cell", "times_uln"),
    [
        ("-40 400 uln=600, -1 400 uln=200", None),  # the same value, twice the limit of the new laboratory
        ("-40 200 uln=200, -1 600 uln=600", None),  # three times the value, at the limit of the new laboratory
        ("-40 200 uln=200, -1 601 uln=600", "1"),
        ("-40 200 uln=600, -1 600 uln=200", "3"),
    ],
)
def test_each_value_is_held_against_the_limit_of_its_own_laboratory(
    patient: Patient, cell: str, times_uln: str | None
) -> None:
    """The upper limit changes between laboratories: the latest one counts, and a new limit alone is no rise."""
    ck(patient, cell)
    finding = one(patient)
    assert (finding and finding.evidence and str(int(finding.evidence["times_uln"]))) == times_uln


def test_a_ratio_just_below_a_threshold_never_reads_as_having_reached_it(patient: Patient) -> None:
    ck(patient, "-40 200, -1 399.99")
    finding = one(patient)
    assert finding is not None
    assert finding.evidence is not None
    assert (finding.level, finding.evidence["ratio"]) == ("INFO", "1.99")
    assert "2 times" not in RULE.sentence(finding.evidence)


@pytest.mark.parametrize(
    ("history", "part"),
    [
        ("-90 4000 uln=1000, -40 >4500 uln=1000, -1 6000 uln=1000", "it was not (>4500 U/L on"),
        ("-1500 >4500 uln=1000, -90 4000 uln=1000, -1 6000 uln=1000", "it was not (4000 U/L on"),
        ("-90 <220, -40 >300, -1 330", "after the other: <220 U/L on 17 Mar 2025, >300 U/L on 6 May 2025, 330 U/L on"),
        ("-400 <220, -40 200, -10 210, -1 330", "after the other: 200 U/L on"),
        ("-400 <100, -40 >200, -1 500", "after the other: <100 U/L on 11 May 2024, >200 U/L on"),
    ],
)
def test_a_value_that_is_only_a_limit_is_shown_as_one_wherever_it_stands(
    patient: Patient, history: str, part: str
) -> None:
    ck(patient, history)
    finding = one(patient)
    assert finding is not None
    assert part in RULE.sentence(finding.evidence or {})


def test_without_strength_the_text_says_so(patient: Patient) -> None:
    ck(patient, "-40 200, -1 600")
    finding = one(patient)
    assert finding is not None
    assert "Latest strength: not recorded." in RULE.sentence(finding.evidence or {})


# ------------------------------------------------------------------------------------------------------------- the past


def test_a_back_test_sees_the_value_before_its_correction(patient: Patient) -> None:
    ck(patient, "-40 200")
    wrong = ck_result(patient, ["-1", "600"])
    supersede(wrong, by=patient.created_by, now=AFTER, reason="typing", value=Decimal(210), value_received="210")
    assert one(patient) is None  # today's judgement applies the correction backwards
    then = one(patient, known_at=KNOWN_AT)
    assert then is not None
    assert (then.level, (then.evidence or {})["now"]) == ("ACTION", 600)


def test_a_back_test_sees_a_correction_once_it_was_made(patient: Patient) -> None:
    ck(patient, "-40 200")
    wrong = ck_result(patient, ["-6", "210"])
    supersede(wrong, by=patient.created_by, now=BEFORE, reason="typing", value=Decimal(600), value_received="600")
    then = one(patient, known_at=KNOWN_AT)
    assert then is not None
    assert then.level == "ACTION"


def test_a_back_test_does_not_see_what_was_recorded_later(patient: Patient) -> None:
    ck(patient, "-40 200")
    Result.objects.filter(patient=patient).update(recorded_at=BEFORE)
    late = ck_result(patient, ["-1", "600"])
    Result.objects.filter(pk=late.pk).update(recorded_at=AFTER)
    assert one(patient) is not None
    assert one(patient, known_at=KNOWN_AT) is None


def test_a_withdrawn_correction_does_not_bring_back_what_it_corrected(patient: Patient) -> None:
    ck(patient, "-40 200")
    first = ck_result(patient, ["-6", "600"])
    second = supersede(first, by=patient.created_by, now=BEFORE, reason="typing", value=Decimal(620))
    withdraw(second, by=patient.created_by, now=NOW, reason="other person's sample")
    assert one(patient) is None


# ------------------------------------------------------------------------------------------------------- when it closes


def closed(patient: Patient, evidence: dict[str, Any], known_at: dt.datetime | None = None) -> bool:
    """Whether an open alert with this evidence closes by itself on `AS_OF`."""
    assert RULE.closes is not None
    question = Question(as_of=AS_OF, known_at=known_at)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE open_alert (patient_id bigint, subject text, level text, evidence jsonb, as_of date)"
        )
        cursor.execute(
            "INSERT INTO open_alert VALUES (%s, 'patient', 'ACTION', %s::jsonb, %s)",
            [patient.pk, json.dumps(evidence), AS_OF],
        )
        cursor.execute(RULE.closes(question), RULE.values(question))
        rows = cursor.fetchall()
        cursor.execute("DROP TABLE open_alert")
    assert rows in ([], [(patient.pk, "patient")])
    return bool(rows)


def raised(patient: Patient, cell: str = "-100 300, -60 600") -> dict[str, Any]:
    """An alert raised 50 days before the day judged, at 600 U/L over a baseline of 300."""
    ck(patient, cell)
    finding = one(patient, as_of=day(-50))
    assert finding is not None
    assert finding.evidence is not None
    return finding.evidence


@pytest.mark.parametrize(
    ("later", "closes"),
    [
        ("", False),
        ("-1 200", True),  # at its limit
        ("-1 199.99", True),
        ("-1 200.01", True),  # below 1.3 times the baseline, 390
        ("-1 389.99", True),
        ("-1 390", False),
        ("-1 390.01", False),
        ("-1 390 uln=390", True),
        ("-1 390 uln=389", False),
        ("-1 389.99 uln=none", True),
        ("-1 100 uln=none", True),
        ("-1 390 uln=none", False),
        ("-1 unit?", False),
        ("1 100", False),  # still to come
        ("-61 100", False),  # before the one that raised it
        ("-60 100", True),  # the same day, and newer
        ("-60T8 100, -60T9 600", False),  # of that day the later one counts
        ("-30 100, -1 800", True),  # it came down in between: what rose since is a finding of its own
        ("-1T8 100, -1T9 700", False),
    ],
)
def test_only_a_later_ck_that_came_down_closes_it(patient: Patient, later: str, closes: bool) -> None:
    evidence = raised(patient)
    ck(patient, later)
    assert closed(patient, evidence) is closes


def test_growing_stale_does_not_close_it(patient: Patient) -> None:
    evidence = raised(patient)
    Result.objects.filter(patient=patient).update(taken_on=day(-400))
    assert one(patient) is None
    assert not closed(patient, evidence)


def test_the_baseline_of_the_evidence_counts_and_not_a_lower_one_since(patient: Patient) -> None:
    evidence = raised(patient, "-280 100, -239 300, -60 600")
    assert evidence["baseline"] == 300
    ck(patient, "-1 389")
    assert closed(patient, evidence)


def test_a_correction_that_removes_it_closes_it(patient: Patient) -> None:
    evidence = raised(patient)
    latest = Result.objects.get(pk=evidence["now_id"])
    corrected = supersede(latest, by=patient.created_by, now=AFTER, reason="typing", value=Decimal(420))
    assert closed(patient, evidence)
    assert not closed(patient, evidence, known_at=KNOWN_AT)
    withdraw(corrected, by=patient.created_by, now=AFTER, reason="other person's sample")
    assert closed(patient, evidence)


def test_a_correction_of_another_result_does_not_close_it(patient: Patient) -> None:
    evidence = raised(patient)
    nadir = Result.objects.get(pk=evidence["baseline_id"])
    withdraw(nadir, by=patient.created_by, now=NOW, reason="other person's sample")
    assert one(patient) is None
    assert not closed(patient, evidence)


def test_the_limit_of_the_centre_closes_it_too(patient: Patient) -> None:
    evidence = raised(patient)
    ReferenceRange.objects.create(
        centre=patient.centre, analyte="ck", sex="", uln=Decimal(450), starts_on=dt.date(2010, 1, 1)
    )
    ck(patient, "-1 440 uln=none")
    assert closed(patient, evidence)


def test_nobody_elses_later_ck_closes_it(patient: Patient) -> None:
    evidence = raised(patient)
    other = factories.patient(patient.centre, patient.created_by)
    ck(other, "-1 100")
    assert not closed(patient, evidence)
