"""What the therapy rules work out in SQL for the whole clinic, against the pure modules and a day-by-day reckoning."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from monitoring.asking import TABLES, findings
from monitoring.models import Assessment
from monitoring.rules import RULES, deterioration_sql, steroid, tis_sql
from monitoring.rules.base import Question
from monitoring.rules.second_line_review import gates, options
from monitoring.scores import tis, worsening
from patients.models import Patient
from tests import factories
from tests.factories import AS_OF, LONG_AGO, fact
from tests.rules import columns  # noqa: F401 - registers the columns
from tests.rules.examples import COLUMNS, day
from therapy.models import Course, CourseStop, Dose, Infusion, Route
from therapy.prednisone_equivalent import EQUIVALENT_MG, SYSTEMIC_ROUTES, prednisone_equivalent

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk() -> User:
    return factories.person(factories.centre())


def patient(clerk: User, **fields: Any) -> Patient:
    return factories.patient(clerk.memberships.get().centre, clerk, **fields)


def rows(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Rows of a query that joins `asked`, put about everybody."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        cursor.execute("INSERT INTO asked (patient_id) SELECT id FROM patients_patient")
        cursor.execute(sql, parameters)
        return cursor.fetchall()


# ------------------------------------------------------------------------------------------ Total Improvement Score


def visits(chance: random.Random) -> Iterator[dict[str, Any]]:
    """Two visits at a time; many of their differences lie on the end of a band or beside it."""
    for _ in range(600):
        before = {
            "physician_vas": Decimal(chance.randint(0, 100)) / 10,
            "patient_vas": Decimal(chance.randint(0, 100)) / 10,
            "extramuscular_vas": Decimal(chance.randint(0, 100)) / 10,
            "haq_di": Decimal(chance.randint(0, 24)) / 8,
            "mmt8_150": chance.randint(0, 150),
            "mmt8_80": chance.randint(0, 80),
            "enzyme": chance.choice(list(tis.ENZYME_RANGES)),
            "enzyme_uln": Decimal(chance.choice([30, 200, 250])),
        }
        after = dict(before)
        for name, top, unit in (("physician_vas", 10, 10), ("patient_vas", 10, 10), ("extramuscular_vas", 10, 10),
                                ("haq_di", 3, 1000), ("mmt8_150", 150, 1), ("mmt8_80", 80, 1)):  # fmt: skip
            percent = chance.choice([-10, 0, 2, 5, 10, 15, 20, 25, 30, 40, 50]) * (1 if "mmt" in name else -1)
            moved = before[name] + Decimal(percent * top) / 100 + Decimal(chance.choice([-1, 0, 0, 1])) / unit
            moved = min(max(moved, Decimal(0)), Decimal(top))
            after[name] = int(moved) if "mmt" in name else moved.quantize(Decimal(1) / unit)
        before["enzyme_value"] = before["enzyme_uln"] * chance.randint(0, 40)
        after["enzyme_uln"] = Decimal(chance.choice([30, 200, 250]))
        fall = tis.ENZYME_RANGES[before["enzyme"]] * chance.choice([-5, 0, 5, 15, 25, 40, 60])
        after["enzyme_value"] = max(
            Decimal(0),
            (before["enzyme_value"] / before["enzyme_uln"] - Decimal(fall) / 100) * after["enzyme_uln"]
            + Decimal(chance.choice([-1, 0, 0, 1])) / 1000,
        )
        for visit in (before, after):
            for name in tis_sql.VISIT:
                if chance.random() < 0.12:
                    visit[name] = None
            if chance.random() < 0.1:
                visit["enzyme_uln"] = None
        if chance.random() < 0.1:
            after["enzyme"] = chance.choice(list(tis.ENZYME_RANGES))
        yield before
        yield after


def core_set(visit: dict[str, Any], scale: int) -> tis.CoreSet:
    mmt = visit[f"mmt8_{scale}"]
    return tis.CoreSet(
        **{name: visit[name] for name in ("physician_vas", "patient_vas", "extramuscular_vas", "haq_di")},
        mmt=None if mmt is None else tis.Mmt(Decimal(mmt), scale),
        enzyme=tis.Enzyme(visit["enzyme"], visit["enzyme_value"], visit["enzyme_uln"]),
    )


def test_the_score_in_sql_is_the_score() -> None:
    pairs = list(visits(random.Random(20250615)))
    names = (*tis_sql.VISIT, "enzyme", "enzyme_value", "enzyme_uln")
    kinds = {"enzyme": "text", "mmt8_150": "smallint", "mmt8_80": "smallint"}
    columns_ = ", ".join(f"%s::{kinds.get(name, 'numeric')}" for name in names)
    points = ", ".join(f"{sql} AS {measure.value}" for measure, sql in tis_sql.points("b", "f").items())
    scores = set()
    with connection.cursor() as cursor:
        for before, after in zip(pairs[::2], pairs[1::2], strict=True):
            cursor.execute(
                f"SELECT t.*, {tis_sql.lowest('t')}, {tis_sql.highest('t')} FROM (SELECT {points} "
                f"FROM (SELECT {columns_}) b({', '.join(names)}), (SELECT {columns_}) f({', '.join(names)})) t",
                [before[name] for name in names] + [after[name] for name in names],
            )
            *got, lowest, highest = cursor.fetchone()
            scale = 80 if before["mmt8_150"] is None or after["mmt8_150"] is None else 150
            wanted = tis.total_improvement_score(core_set(before, scale), core_set(after, scale))
            by_measure = {m.measure: m.points for m in wanted.measures}
            assert got == [by_measure[m] for m in tis_sql.points("b", "f")], (before, after)
            assert (lowest, highest) == (wanted.lowest, wanted.highest)
            scores.add(lowest)
    assert len(scores) > 30  # the generator reaches all sorts of scores


# ---------------------------------------------------------------------------------------------------- deterioration


def test_deterioration_in_sql_is_deterioration(clerk: User) -> None:
    chance = random.Random(7)
    made: dict[int, tuple[list[worsening.Visit], dt.date | None]] = {}
    for _ in range(250):
        one = patient(clerk)
        start = {
            "physician_vas": 3,
            "patient_vas": 3,
            "extramuscular_vas": 1,
            "haq_di": 1,
            "mmt8_150": 120,
            "mmt8_80": 64,
        }
        is_zero = chance.random() < 0.2
        days = sorted(chance.sample(range(-800, 1, 40), chance.randint(1, 6)))
        listed = []
        for at in days:
            is_bad = chance.random() < 0.6
            now: dict[str, Any] = {}
            for name, value in start.items():
                if chance.random() < 0.1:
                    now[name] = None
                elif name.startswith("mmt8"):
                    share = chance.choice(["1", "0.8", "0.801", "0.7", "0.701"]) if is_bad else "1"
                    now[name] = int(value * Decimal(share))
                else:
                    worse = chance.choice(["0", "0.3", "0.299", "0.375", "1.9", "2"]) if is_bad else "0"
                    moved = Decimal(worse) if is_zero else value * (1 + Decimal(worse))
                    step, top = ("0.001", 3) if name == "haq_di" else ("0.1", 10)
                    now[name] = min(moved, Decimal(top)).quantize(Decimal(step))
            fact(Assessment, one, assessed_on=day(at), **now)
            listed.append(worsening.Visit(day=day(at), **now))
        made[one.pk] = (listed, day(chance.choice(days)) if chance.random() < 0.7 else None)

    question = Question(AS_OF)
    since = ", ".join(
        f"({pk}, {'NULL::date' if on is None else f'{on.isoformat()!r}::date'})" for pk, (_, on) in made.items()
    )
    parameters = {"as_of": AS_OF, **vars(worsening.DEFAULTS)}
    got = {
        (pk, nth): set(reasons)
        for pk, nth, reasons in rows(
            f"WITH {deterioration_sql.visits(question)}, since (patient_id, since_on) AS (VALUES {since}), "
            f"{deterioration_sql.ctes()} SELECT patient_id, nth, reasons FROM worsened WHERE cardinality(reasons) > 0",
            parameters,
        )
    }
    confirmed = {
        row[0]
        for row in rows(
            f"WITH {deterioration_sql.visits(question)}, since (patient_id, since_on) AS (VALUES {since}), "
            f"{deterioration_sql.ctes()} SELECT patient_id FROM deteriorated",
            parameters,
        )
    }
    wanted, wanted_confirmed = {}, set()
    for pk, (listed, since_on) in made.items():
        judged = worsening.assess(listed, since_on)
        for nth, judgement in enumerate(reversed(judged.judgements[-2:]), 1):
            if judgement.meets:
                wanted[pk, nth] = set(map(str, judgement.reasons))
        if judged.status is worsening.Status.CONFIRMED:
            wanted_confirmed.add(pk)
    assert got == wanted
    assert confirmed == wanted_confirmed
    assert len(wanted_confirmed) >= 5
    assert {reason for reasons in wanted.values() for reason in reasons} == set(map(str, worsening.Reason))


# ------------------------------------------------------------------------------------------------------- steroids


def history(chance: random.Random, one: Patient) -> dict[dt.date, Fraction]:
    """Random courses of `one`, recorded; and what was in force on each day, reckoned one day at a time."""
    periods: list[tuple[str, str, dt.date, dt.date, int, int, Fraction]] = []
    for _ in range(chance.randint(1, 5)):
        drug = chance.choice([*EQUIVALENT_MG, "prednisone", "prednisone"])
        route = chance.choice(["oral", "oral", "oral", "intravenous", "topical", "intramuscular"])
        course = fact(Course, one, drug=drug, route=route)
        stop = chance.choice([None, None, chance.randint(-200, 5)])
        if stop is not None:
            fact(CourseStop, one, course=course, stopped_on=day(stop), reason="completed")
        at = chance.randint(-260, -20)
        for _ in range(chance.randint(0, 4)):
            ends = at + chance.randint(0, 60)
            is_open = chance.random() < 0.15
            amount, times, every = (
                Decimal(chance.choice(["0", "0.75", "5", "10", "20"])),
                chance.randint(1, 2),
                chance.randint(1, 3),
            )
            dose = fact(
                Dose, one, course=course, starts_on=day(at), ends_on=None if is_open else day(ends),
                amount=amount, times=times, every_days=every,
            )  # fmt: skip
            last = min(x for x in (None if is_open else day(ends), None if stop is None else day(stop), AS_OF) if x)
            daily = prednisone_equivalent(drug, amount) * times / every
            periods.append((drug, route, day(at), last, 0, dose.pk, daily))
            if is_open:
                break
            at = ends + 1 + chance.choice([0, 0, 13, 14, 15, 89, 90, 91])
        if route == Route.INTRAVENOUS:
            for _ in range(chance.randint(0, 3)):
                given = day(chance.randint(-200, 0))
                amount = Decimal(chance.choice([250, 500]))
                fact(Infusion, one, course=course, given_on=given, amount=amount)
                periods.append((drug, route, given, given, 1, 0, prednisone_equivalent(drug, amount)))
    found = {}
    for offset in range(-600, 1):
        on = day(offset)
        total = Fraction(0)
        for drug in EQUIVALENT_MG:
            for route in SYSTEMIC_ROUTES:
                here = [p for p in periods if p[:2] == (drug, route) and p[2] <= on <= p[3]]
                if here:
                    newest = max(here, key=lambda p: (p[2], p[4], p[5]))
                    # Several infusions of one drug on one day add.
                    total += sum(p[6] for p in here if p[4]) if newest[4] else newest[6]
        if total:
            found[on] = total
    return found


def test_the_dose_on_each_day_its_courses_and_its_rises_are_those_reckoned_day_by_day(clerk: User) -> None:
    chance = random.Random(11)
    wanted = {one.pk: history(chance, one) for one in (patient(clerk) for _ in range(120))}
    got: dict[int, dict[dt.date, Fraction]] = {pk: {} for pk in wanted}
    numbers: dict[int, dict[dt.date, tuple[int, int]]] = {pk: {} for pk in wanted}
    rises: dict[int, set[dt.date]] = {pk: set() for pk in wanted}
    spans = rows(
        f"WITH {steroid.courses(Question(AS_OF))} "
        "SELECT patient_id, first_day, last_day, pe, course, episode, before_pe FROM steroid_span",
        {"as_of": AS_OF, **vars(steroid.Parameters())},
    )
    for pk, first, last, pe, course, episode, before in spans:
        assert last <= AS_OF
        if before is not None and pe > before:
            rises[pk].add(first)
        for n in range((last - first).days + 1):
            on = first + dt.timedelta(n)
            assert on not in got[pk], "two spans of one day"
            got[pk][on], numbers[pk][on] = Fraction(pe), (course, episode)
    for pk, days in wanted.items():
        assert set(got[pk]) == set(days)
        assert all(abs(got[pk][on] - days[on]) < Fraction(1, 10**11) for on in days)
        course = episode = 0
        before = None
        for on in sorted(days):
            if before is not None:
                course += (on - before).days - 1 > 14
                episode += (on - before).days >= 90
            assert numbers[pk][on] == (course, episode)
            is_rise = before is not None and numbers[pk][before][0] == course and days[on] > days[before]
            assert (on in rises[pk]) == is_rise
            before = on
    assert sum(map(len, rises.values())) > 50


# ------------------------------------------------------------------------------------------------------- back-tests


def noon(offset: int) -> dt.datetime:
    return dt.datetime.combine(day(offset), dt.time(12), tzinfo=dt.UTC)


def retire(one: Any, at: dt.datetime, by: User) -> None:
    type(one).objects.filter(pk=one.pk).update(retired_at=at, retired_by=by, status="entered_in_error")


def test_a_back_test_reads_doses_as_they_stood(clerk: User) -> None:
    """A dose withdrawn later was known then; one recorded later was not."""
    one = patient(clerk)
    course = fact(Course, one, drug="prednisone", route="oral")
    dose = fact(Dose, one, course=course, starts_on=day(-90), amount=Decimal(30))
    retire(dose, noon(5), clerk)
    fact(Dose, one, course=course, starts_on=day(-90), amount=Decimal(10), recorded_at=noon(5))
    rule = RULES["taper-high-at-12-weeks"]
    assert [f.level for f in findings(rule, as_of=AS_OF, known_at=noon(0))] == ["ACTION"]
    assert findings(rule, as_of=AS_OF) == []
    assert findings(rule, as_of=AS_OF, known_at=LONG_AGO - dt.timedelta(days=1)) == []


def test_a_confirmation_counts_from_when_it_was_recorded(clerk: User) -> None:
    one = patient(clerk)
    COLUMNS["taper plan"](one, "-9 20 ok@-9")
    rule = RULES["taper-step-overdue"]
    assert findings(rule, as_of=AS_OF) == []
    model = one.taperconfirmations.get()
    type(model).objects.filter(pk=model.pk).update(recorded_at=noon(2))
    assert findings(rule, as_of=AS_OF) == []  # today everything recorded so far counts
    assert [f.level for f in findings(rule, as_of=AS_OF, known_at=noon(0))] == ["ACTION"]


def test_a_visit_recorded_later_is_missing_in_a_back_test(clerk: User) -> None:
    one = patient(clerk)
    COLUMNS["doses"](one, "-100.. prednisone 40, -100.. methotrexate 15 /7")
    COLUMNS["weight"](one, "-100 70")
    COLUMNS["core sets"](one, "-100 base, -5 base")
    late = Assessment.objects.get(patient=one, assessed_on=day(-5))
    Assessment.objects.filter(pk=late.pk).update(recorded_at=noon(3))
    assert [f.level for f in findings(RULES["second-line-review"], as_of=AS_OF)] == ["ACTION"]
    assert findings(RULES["second-line-review"], as_of=AS_OF, known_at=noon(0)) == []
    (missing,) = findings(RULES["core-set-incomplete"], as_of=AS_OF, known_at=noon(0))
    assert missing.evidence is not None
    assert missing.evidence["reasons"] == ["no-core-set"]


# --------------------------------------------------------------------------------------------------------- evidence


def test_the_finding_carries_what_an_escalation_weighs(clerk: User) -> None:
    one = patient(clerk, subtype="antisynthetase")
    for name, cell in {
        "doses": "-100..-40 prednisone 40, -39.. prednisone 20, -100.. methotrexate 15 /7, -30.. azathioprine 50",
        "weight": "-100 70",
        "core sets": "-100 base, -5 base pt=-",
        "enzymes": "-100 ck 1000/200, -5 ck 900/200, -5 igg 5/, -9 crp 12/5, -5 egfr 45/",
        "antibodies": "-5 jo-1 positive, -5 mi-2 weak",
        "manifestations": "-30 ild, -400 thrombosis -300",
    }.items():
        COLUMNS[name](one, cell)
    rule = RULES["second-line-review"]
    (found,) = findings(rule, as_of=AS_OF)
    evidence = found.evidence
    assert evidence is not None
    assert (evidence["lowest"], evidence["highest"], evidence["tis"]) == (0, 10, "between 0 and 10")
    assert (evidence["baseline"]["enzyme"], Decimal(evidence["follow_up"]["enzyme_value"])) == ("ck", 900)
    agents = {agent["agent"]: agent for agent in evidence["agents"]}
    assert (agents["pe"]["days_enough"], agents["pe"]["days"], agents["pe"]["today"]) == (61, 101, 20)
    assert (agents["methotrexate"]["days_enough"], agents["azathioprine"]["days_enough"]) == (101, 0)
    assert evidence["antibodies"] == ["jo-1"]
    said = {option["option"]: option for option in options(evidence)}
    assert said["option-ivig"]["against"] == [
        "A thrombosis is recorded.",
        "eGFR is below 60: risk to the kidneys, slower rate.",
    ]
    assert "2 g/kg" in said["option-ivig"]["dose"]
    assert said["option-rituximab"]["for"] == [
        "Antisynthetase: responds better than others.",
        "Interstitial lung disease: an option for the lungs too.",
    ]
    assert said["option-rituximab"]["against"] == ["IgG is below 6 g/L."]
    assert said["option-rituximab"]["check"] == ["Hepatitis B (HBsAg, anti-HBc) is not fully recorded."]
    assert {gate["gate"]: gate["seen_on"] for gate in gates(evidence)}["gate-infection"] == day(-9).isoformat()


def test_everything_that_is_missing_is_named_at_once(clerk: User) -> None:
    who = patient(clerk)
    COLUMNS["doses"](who, "-100.. prednisone 40, -100.. methotrexate 15 /7")
    (finding,) = findings(RULES["second-line-review"], as_of=AS_OF)
    assert finding.level is None
    assert finding.missing == [
        "a weight within 90 days of the first dose of glucocorticoid", "a core set at the beginning of treatment",
    ]  # fmt: skip


def test_every_key_of_an_option_and_a_gate_has_a_sentence() -> None:
    from monitoring.rules.second_line_review import GATES, OPTIONS, RULE

    keys = [key for option in OPTIONS.values() for _, key, _, _ in option] + [key for key, _, _ in GATES]
    assert len(keys) == len(set(keys))
    assert {*keys, *(f"option-{option}" for option in OPTIONS)} <= set(RULE.explanations)
