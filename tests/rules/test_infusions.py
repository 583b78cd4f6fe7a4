"""The infusion rules, set-based, against therapy/infusions.py on generated histories; and what they say of the past."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from audit import facts
from monitoring.asking import Finding, findings
from monitoring.models import BodySize, Booking, Result, Screening
from monitoring.rules import RULES
from patients.models import Manifestation, Patient, RiskFactor
from tests import factories
from tests.factories import AS_OF, LONG_AGO, NOW, fact
from tests.rules import columns  # noqa: F401 - registers the columns
from tests.rules.examples import COLUMNS, day
from therapy import infusions
from therapy.infusions import IVIG, NUMBERS, RITUXIMAB, BeforeIvig, BeforeRituximab, Given, grouped
from therapy.models import Course, CourseStop, Dose, Infusion

pytestmark = pytest.mark.django_db

D = Decimal
DUE, CHECK = RULES["infusion-due"], RULES["infusion-check"]


@pytest.fixture
def clerk() -> User:
    return factories.person(factories.centre())


def new_patient(clerk: User, **fields: Any) -> Patient:
    return factories.patient(clerk.memberships.get().centre, clerk, **fields)


@dataclass
class Drug:
    """One course of a drug, as generated."""

    code: str
    row: Course
    given: list[Given] = field(default_factory=list)
    stopped_on: dt.date | None = None
    dosed_until: dt.date | None = None

    def goes_on(self) -> bool:
        return self.stopped_on is None or self.stopped_on >= AS_OF


@dataclass
class Person:
    row: Patient
    drugs: list[Drug] = field(default_factory=list)
    weights: list[tuple[dt.date, Decimal]] = field(default_factory=list)
    risks: list[tuple[dt.date, dt.date | None]] = field(default_factory=list)
    bookings: list[dt.date] = field(default_factory=list)
    results: list[tuple[dt.date, str, str]] = field(default_factory=list)
    screenings: list[tuple[dt.date, str, str, str]] = field(default_factory=list)

    def latest(self, *analytes: str) -> tuple[dt.date, str] | None:
        found = [(on, value) for on, analyte, value in self.results if analyte in analytes]
        return max(found, default=None, key=lambda pair: pair[0])

    def screened(self, kind: str, *outcomes: str) -> list[dt.date]:
        return [on for on, k, outcome, _ in self.screenings if k == kind and outcome in outcomes]


def make_person(chance: random.Random, clerk: User) -> Person:
    born = dt.date(1960, 6, 15) - dt.timedelta(days=chance.randint(-40, 80)) if chance.random() < 0.3 else None
    person = Person(new_patient(clerk, **({"born_on": born} if born else {})))
    kg = D(chance.randint(400, 1000)) / 10
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        on = day(chance.choice([-120, -100, -90, -60, -20, -3, 0]) - chance.randint(0, 4))
        if on not in [w[0] for w in person.weights]:
            person.weights.append((on, kg + chance.choice([0, 0, 10, -10])))
            fact(BodySize, person.row, measured_on=on, weight_kg=person.weights[-1][1])
    for _ in range(chance.choice([1, 1, 2])):
        code = chance.choice([IVIG, RITUXIMAB])
        drug = Drug(code, fact(Course, person.row, drug=code, route="intravenous"))
        person.drugs.append(drug)
        fill(chance, drug, kg)
        if chance.random() < 0.25:
            drug.stopped_on = day(chance.choice([-30, -1, 0, 1, 10, 20]))
            drug.given = [g for g in drug.given if g.on <= drug.stopped_on]
            fact(CourseStop, person.row, course=drug.row, stopped_on=drug.stopped_on, reason="completed")
        if chance.random() < 0.3:
            drug.dosed_until = day(chance.choice([-60, -30, -3, 0, 20]))
            fact(Dose, person.row, course=drug.row, starts_on=day(-400), ends_on=drug.dosed_until, amount=D(140))
        for one in drug.given:
            fact(
                Infusion, person.row, course=drug.row, given_on=one.on, amount=one.amount,
                max_rate_ml_per_hour=one.max_rate_ml_per_hour,
            )  # fmt: skip
    around(chance, person)
    return person


def fill(chance: random.Random, drug: Drug, kg: Decimal) -> None:
    """Infusions much as they are given, and often on the edge of what is usual."""
    at = -chance.choice([0, 3, 5, 11, 14, 17, 18, 20, 21, 25, 28, 29, 34, 35, 36, 60, 150, 168, 200])
    for _ in range(chance.randint(1, 4)):
        if drug.code == IVIG:
            days = chance.choice([1, 2, 2, 3, 5, 5, 6])
            rate = chance.choice([None, D(40), *(kg * 60 * D(r) / 100 + chance.choice([0, 0, 1]) for r in (3, 4))])
            for number in range(days):
                share = (2 * kg * chance.choice([D("0.94"), D("0.95"), 1, D("1.05"), D("1.06")]) / days).quantize(
                    D("0.001")
                )
                if at + number <= 0:
                    drug.given.append(Given(day(at + number), share, None if rate is None else round(rate, 1)))
            at -= chance.choice([9, 10, 11, 20, 21, 28, 28, 35, 36, 90])
        else:
            for offset in chance.choice(
                [(0,), (0, 14), (0, 14), (0, 10), (0, 11), (0, 17), (0, 18), (0, 28, 29), (0, 14, 20)]
            ):
                if at + offset <= 0:
                    drug.given.append(Given(day(at + offset), D(chance.choice([1000, 1000, 1000, 500]))))
            at -= chance.choice([28, 29, 60, 167, 168, 200])


def around(chance: random.Random, person: Person) -> None:
    """What is known about the person beside the infusions."""
    for _ in range(chance.choice([0, 0, 1, 2])):
        starts, ends = day(-chance.randint(0, 80)), chance.choice([None, None, day(-chance.randint(0, 20))])
        if ends is not None and ends < starts:
            ends = starts
        if chance.random() < 0.2:
            fact(Manifestation, person.row, kind="thrombosis", onset_on=starts, ended_on=ends)
            ends = None  # had is had
        else:
            fact(
                RiskFactor, person.row, kind=chance.choice(sorted(infusions.RISK_KINDS)), starts_on=starts, ends_on=ends
            )
        person.risks.append((starts, ends))
    if chance.random() < 0.3:
        person.bookings.append(day(chance.choice([-1, 0, 5, 14, 15])))
        fact(Booking, person.row, kind="infusion", booked_for=person.bookings[-1])
    choices: list[tuple[str, list[str], list[int]]] = [
        ("creatinine", ["80"], [-1, -13, -14, -15, -40]),
        ("egfr", ["70"], [-14, -15]),
        ("iga", ["0.06", "0.07", "2"], [-300, -9]),
        ("igg", ["3.99", "4", "5.99", "6", "9"], [-2, -28, -29, -183, -184]),
        ("hbsag", ["negative", "negative", "negative", "positive", "indeterminate"], [-300, -30]),
        ("anti-hbc", ["negative", "negative", "negative", "positive", "indeterminate"], [-300, -30]),
    ]
    for analyte, values, days in choices:
        for on in chance.sample(days, chance.choice([0, 1, 1, 2])):
            value = chance.choice(values)
            person.results.append((day(on), analyte, value))
            number = D(value) if value[0].isdigit() else None
            fact(Result, person.row, analyte=analyte, value=number, value_received=value, taken_on=day(on))
    for kind in ("iga", "igg", "hepatitis_b"):
        if chance.random() < 0.25:
            on, outcome = chance.choice([-200, -29, -28, -5]), chance.choice(["normal", "abnormal", "not_stated"])
            screening = (day(on), kind, outcome, chance.choice(["", "tenofovir"]))
            person.screenings.append(screening)
            fact(Screening, person.row, done_on=screening[0], kind=kind, outcome=screening[2], note=screening[3])


# ------------------------------------------------------------------------------- one patient at a time, in plain Python


def streams(person: Person) -> list[tuple[Drug, list[infusions.Group]]]:
    """Every course of immunoglobulin that goes on, and the newest of rituximab with the infusions of all of them."""
    found = []
    for drug in person.drugs:
        if drug.code == IVIG and drug.goes_on() and drug.given:
            found.append((drug, grouped(drug.given, NUMBERS.course_window_days)))
    rituximab = [drug for drug in person.drugs if drug.code == RITUXIMAB]
    going = [drug for drug in rituximab if drug.goes_on()]
    every = [g for drug in rituximab for g in drug.given]
    if going and every:
        found.append((max(going, key=lambda drug: drug.row.pk), grouped(every, NUMBERS.cycle_window_days)))
    return found


def expected_due(person: Person) -> dict[str, tuple[Any, ...]]:
    said: dict[str, tuple[Any, ...]] = {}
    booked = min((on for on in person.bookings if on >= AS_OF), default=None)
    for drug, groups in streams(person):
        due = infusions.next_due(
            drug.code, groups[-1], AS_OF, booked_for=booked, stopped_on=drug.stopped_on,
            dosed_until=drug.dosed_until if drug.code == IVIG else None,
        )  # fmt: skip
        if due is not None:
            said[f"course:{drug.row.pk}"] = (due.level, due.on, set(due.reasons))
    return said


def weight_of(person: Person, on: dt.date) -> Decimal | None:
    near = [(abs((measured - on).days), measured, kg) for measured, kg in person.weights]
    near = [one for one in near if one[0] <= NUMBERS.weight_days and one[1] <= AS_OF]
    return min(near)[2] if near else None


def expected_check(person: Person) -> dict[str, tuple[Any, ...]]:
    said: dict[str, tuple[Any, ...]] = {}
    for drug, groups in streams(person):
        newest, before = groups[-1], groups[-2] if len(groups) > 1 else None
        if drug.code == IVIG:
            kg = weight_of(person, newest.began_on)
            at_risk = infusions.is_older(person.row.born_on, newest.began_on) or any(
                starts <= newest.last_on and (ends is None or ends >= newest.began_on) for starts, ends in person.risks
            )
            renal, iga = person.latest("creatinine", "egfr"), person.latest("iga")
            known = BeforeIvig(
                creatinine_on=renal[0] if renal else None,
                iga_g_l=D(iga[1]) if iga else None,
                is_iga_known=iga is not None or bool(person.screened("iga", "normal")),
            )
            reasons = infusions.check_ivig(newest, AS_OF, before=before, weight_kg=kg, at_risk=at_risk, known=known)
            missing = kg is None
        else:
            reasons = infusions.check_rituximab(newest, AS_OF, before=before, known=before_rituximab(person))
            missing = False
        if reasons or missing:
            said[f"course:{drug.row.pk}"] = (infusions.level_of(reasons), set(reasons), missing)
    return said


def before_rituximab(person: Person) -> BeforeRituximab:
    igg = person.latest("igg")
    igg_days = [igg[0]] if igg and igg[0] >= day(-NUMBERS.igg_later_days) else []
    positive = [on for on, analyte, value in person.results if analyte in ("hbsag", "anti-hbc") and value == "positive"]
    positive += person.screened("hepatitis_b", "abnormal")
    negative = {analyte for _, analyte, value in person.results if value == "negative"}
    is_negative = len(negative) == 2 or bool(person.screened("hepatitis_b", "normal"))
    noted = [on for on, kind, _, note in person.screenings if kind == "hepatitis_b" and note]
    return BeforeRituximab(
        igg_on=max(igg_days + person.screened("igg", "normal"), default=None),
        igg_g_l=D(igg[1]) if igg_days and igg else None,
        hepatitis_b="positive" if positive else "negative" if is_negative else "",
        is_antiviral_noted=bool(positive and any(on >= min(positive) for on in noted)),
        booked_for=min((on for on in person.bookings if on >= AS_OF), default=None),
    )


def as_due(finding: Finding) -> tuple[Any, ...]:
    return finding.level, finding.due_on, set((finding.evidence or {}).get("reasons", ()))


def as_check(finding: Finding) -> tuple[Any, ...]:
    reasons = set((finding.evidence or {}).get("reasons", ())) - {"passive"}
    return finding.level, reasons, bool(finding.missing)


@pytest.mark.parametrize(
    ("rule", "expected", "said"), [(DUE, expected_due, as_due), (CHECK, expected_check, as_check)], ids=["due", "check"]
)
def test_the_rules_say_what_the_module_says(
    rule: Any, expected: Callable[..., Any], said: Callable[..., Any], clerk: User
) -> None:
    chance = random.Random(20250615)
    people = [make_person(chance, clerk) for _ in range(400)]
    got: dict[int, dict[str, tuple[Any, ...]]] = {person.row.pk: {} for person in people}
    for finding in findings(rule, as_of=AS_OF):
        got[finding.patient_id][finding.subject] = said(finding)
    seen = set()
    for person in people:
        wanted = expected(person)
        assert got[person.row.pk] == wanted, (person.drugs, person.results, person.screenings)
        for one in wanted.values():
            seen |= {one[0]} | {reason for part in one if isinstance(part, set) for reason in part}
    # the generator reaches everything there is to say
    assert seen >= set(rule.explanations) - {"passive"}


# ------------------------------------------------------------------------------------------------------------ the past


def told(rule: Any, person: Patient, **question: Any) -> list[tuple[str | None, list[str]]]:
    return [
        (f.level, (f.evidence or {}).get("reasons", []))
        for f in findings(rule, patient_ids=[person.pk], **{"as_of": AS_OF, **question})
    ]


def test_a_correction_reaches_back_and_a_back_test_does_not_know_it(clerk: User) -> None:
    """The second day of the course was first written down with a tenth of what was given."""
    person = new_patient(clerk, created_at=LONG_AGO)
    COLUMNS["weight"](person, "-30 70")
    COLUMNS["before infusions"](person, "-300 iga 2, -3 creatinine 80")
    COLUMNS["given"](person, "-20 ivig 70, -19 ivig 7")
    assert told(CHECK, person) == [("TASK", ["total-low"])]
    wrong = Infusion.objects.get(given_on=day(-19))
    facts.supersede(wrong, by=clerk, now=NOW, reason="A slip", amount=D(70))
    assert told(CHECK, person) == []
    then = NOW - dt.timedelta(minutes=1)
    assert told(CHECK, person, known_at=then) == [("TASK", ["total-low"])]


def test_an_infusion_entered_late_was_not_known(clerk: User) -> None:
    person = new_patient(clerk, created_at=LONG_AGO)
    COLUMNS["given"](person, "-40 ivig 70")
    drug = Course.objects.get(patient=person)
    fact(Infusion, person, course=drug, given_on=day(-12), amount=D(70), recorded_at=NOW)
    assert told(DUE, person) == [(None, [])]
    assert told(DUE, person, known_at=NOW - dt.timedelta(minutes=1)) == [("ACTION", ["ivig-late"])]


def test_a_dose_and_a_stop_count_from_when_they_were_recorded(clerk: User) -> None:
    person = new_patient(clerk, created_at=LONG_AGO)
    COLUMNS["given"](person, "-40 ivig 70")
    drug = Course.objects.get(patient=person)
    fact(CourseStop, person, course=drug, stopped_on=day(-5), reason="remission", recorded_at=NOW)
    assert told(DUE, person) == []
    assert told(DUE, person, known_at=NOW - dt.timedelta(minutes=1)) == [("ACTION", ["ivig-late"])]


@pytest.mark.parametrize("rule", [DUE, CHECK], ids=["due", "check"])
def test_the_same_facts_the_next_day_are_the_same_evidence(rule: Any, clerk: User) -> None:
    """Days, not counts of days: else every open alert would be written anew each night."""
    person = new_patient(clerk)
    COLUMNS["given"](person, "-40..-39 ivig 60 rate=500, -200 rituximab 900")
    COLUMNS["weight"](person, "-30 70")
    one, two = ([f.evidence for f in findings(rule, as_of=day(n))] for n in (0, 1))
    assert one == two
    assert any(one)


# --------------------------------------------------------------------------------------- rituximab and the second line


@pytest.mark.parametrize(
    ("since", "level"), [(84, None), (167, None), (168, "ACTION")], ids=["week 12", "the day before", "week 24"]
)
def test_rituximab_is_no_failure_until_week_24(since: int, level: str | None, clerk: User) -> None:
    """Rule book 11.4, case 17: a score of 15 at week 12 of rituximab."""
    person = new_patient(clerk, diagnosed_on=day(-400))
    COLUMNS["doses"](person, "-300.. prednisone 40, -300.. methotrexate 20 /7")
    COLUMNS["weight"](person, "-300 70")
    COLUMNS["core sets"](person, "-300 base, -1 same md=5.9")
    COLUMNS["enzymes"](person, "-300 ck 1000/200, -1 ck 1000/200")
    COLUMNS["infusions"](person, f"-{since} rituximab 1000, -{since - 14} rituximab 1000")
    said = told(RULES["second-line-review"], person)
    assert [one for one, _ in said if one] == ([level] if level else [])
    if level:
        assert "no-response" in said[0][1]
