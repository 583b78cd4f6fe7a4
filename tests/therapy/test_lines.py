"""Lines of therapy, adequacy of each agent; and that the rule counts the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import random
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import transaction

from monitoring.asking import findings
from monitoring.models import BodySize
from monitoring.rules import RULES, second_line_review
from patients.models import Patient
from tests import factories
from tests.factories import AS_OF, fact
from therapy import lines, selectors
from therapy.dosing import DoseRow
from therapy.lines import NUMBERS, Stop, Weight
from therapy.models import Course, CourseStop, Dose, Infusion

D = Decimal
_id = itertools.count(1)


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def dose(drug: str, first: int, last: int | None, amount: str, every: int = 1, route: str = "oral") -> DoseRow:
    number = next(_id)
    until = None if last is None else ago(last)
    return DoseRow(number, number, drug, route, ago(first), until, D(amount), 1, every)


def infusion(drug: str, day: int, amount: str) -> DoseRow:
    return DoseRow(next(_id), 0, drug, "intravenous", ago(day), ago(day), D(amount), given=True)


def stop(drug: str, day: int, reason: str = "ineffective") -> Stop:
    return Stop(0, drug, ago(day), reason)


def told(rows: list[DoseRow], stops: list[Stop] | None = None, weights: list[Weight] | None = None) -> lines.Lines:
    return lines.work_out(rows, stops or [], weights or [], AS_OF)


def sets(found: lines.Lines) -> list[tuple[int, int | None, set[str]]]:
    return [
        ((AS_OF - line.first_on).days, None if line.last_on is None else (AS_OF - line.last_on).days,
         {use.drug for use in line.uses})
        for line in found.lines
    ]  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- lines


def test_a_change_of_the_set_begins_a_line_and_glucocorticoid_does_not() -> None:
    found = told([
        dose("prednisone", 500, None, "40"),
        dose("methotrexate", 450, None, "15", 7),
        dose("azathioprine", 300, 101, "150"),
        dose("mycophenolate-mofetil", 100, None, "2000"),
    ])  # fmt: skip
    assert sets(found) == [
        (450, 301, {"methotrexate"}),
        (300, 101, {"methotrexate", "azathioprine"}),
        (100, None, {"methotrexate", "mycophenolate-mofetil"}),
    ]
    assert [line.number for line in found.lines] == [1, 2, 3]
    last = found.lines[-1]
    assert [last.is_continued(use) for use in last.uses] == [True, False] or last.uses[0].drug != "methotrexate"
    assert told([dose("prednisone", 500, None, "40")]).lines == []


@pytest.mark.parametrize(("again", "attempts"), [(71, 1), (70, 2)])
def test_a_pause_of_28_days_is_the_same_attempt(again: int, attempts: int) -> None:
    # last dose on day -100: 28 days without before -71, 29 before -70
    found = told([dose("methotrexate", 300, 100, "15", 7), dose("methotrexate", again, None, "15", 7)])
    assert len(found.uses) == len(found.lines) == attempts


@pytest.mark.parametrize(("until", "lines_"), [(74, 2), (73, 3)])
def test_a_short_time_with_both_is_the_way_from_one_to_the_other(until: int, lines_: int) -> None:
    found = told([dose("azathioprine", 300, until, "150"), dose("mycophenolate-mofetil", 100, None, "2000")])
    assert len(found.lines) == lines_
    assert found.lines[1].first_on == ago(100)


def test_a_short_attempt_of_its_own_is_a_line() -> None:
    found = told(
        [dose("methotrexate", 300, 290, "15", 7), dose("azathioprine", 289, None, "150")],
        [stop("methotrexate", 290, "toxicity")],
    )
    assert sets(found) == [(300, 290, {"methotrexate"}), (289, None, {"azathioprine"})]
    assert found.uses[0].stop is not None
    assert found.uses[0].stop.reason == "toxicity"
    assert found.uses[1].stop is None


def test_immunoglobulin_and_rituximab_count_by_their_infusions() -> None:
    found = told(
        [dose("methotrexate", 400, None, "20", 7), dose("ivig", 390, None, "70", 28, "intravenous"),
         *(infusion("ivig", day, "70") for day in (200, 199, 172, 171)),
         infusion("rituximab", 30, "1000"), infusion("rituximab", 16, "1000")],
    )  # fmt: skip
    # the last infusion holds for 35 days; a prescription without one is none
    assert sets(found) == [
        (400, 201, {"methotrexate"}),
        (200, 136, {"methotrexate", "ivig"}),
        (135, 31, {"methotrexate"}),
        (30, None, {"methotrexate", "rituximab"}),
    ]


def test_a_stop_ends_what_an_infusion_holds() -> None:
    found = told([infusion("ivig", 200, "70"), infusion("ivig", 199, "70")], [stop("ivig", 190)])
    assert sets(found) == [(200, 190, {"ivig"})]


# ------------------------------------------------------------------------------------------------------------ adequacy


def agent(rows: list[DoseRow], weights: list[Weight] | None = None) -> lines.Adequacy:
    (use,) = told(rows, None, weights).uses
    return use.adequacy


@pytest.mark.parametrize(("days", "is_enough"), [(55, False), (56, True), (57, True)])
def test_56_days_at_the_lower_end(days: int, is_enough: bool) -> None:
    found = agent([dose("methotrexate", 300, 300 - days + 1, "15", 7)])
    assert (found.days_enough, found.is_adequate) == (days, is_enough)
    assert agent([dose("methotrexate", 300, 300 - days + 1, "14.9", 7)]).is_adequate is False


def test_a_break_begins_the_days_anew_and_the_highest_is_kept() -> None:
    found = agent([
        dose("mycophenolate-mofetil", 300, 251, "2000"), dose("mycophenolate-mofetil", 250, 240, "1000"),
        dose("mycophenolate-mofetil", 239, 190, "3000"),
    ])  # fmt: skip
    assert (found.days_enough, found.highest, found.is_adequate, found.days) == (50, Fraction(3000), False, 111)


def test_a_dose_per_kg_needs_a_weight() -> None:
    rows = [dose("azathioprine", 300, 200, "70")]
    unknown = agent(rows)
    assert (unknown.is_adequate, unknown.why) == (None, lines.NO_WEIGHT)
    assert agent(rows, [Weight(ago(300), D(70))]).is_adequate is True
    assert agent(rows, [Weight(ago(300), D("70.1"))]).is_adequate is False
    assert agent(rows, [Weight(ago(391), D(70))]).is_adequate is None
    assert agent([dose("azathioprine", 300, 290, "70")]).is_adequate is False  # too short, whatever the weight


def test_no_target_to_hold_it_against() -> None:
    found = agent([dose("cyclophosphamide", 300, 100, "100")])
    assert (found.is_adequate, found.why) == (None, lines.NO_TARGET)


@pytest.mark.parametrize(("courses", "grams", "is_enough"), [(3, "140", False), (4, "140", True), (4, "132", False)])
def test_four_courses_of_immunoglobulin(courses: int, grams: str, is_enough: bool) -> None:
    rows = [infusion("ivig", 200 - 28 * number, grams) for number in range(courses)]
    found = agent(rows, [Weight(ago(200), D(70))])
    assert (found.is_adequate, found.by_infusions, found.needed) == (is_enough, True, 4)
    assert agent(rows).is_adequate is (None if courses == 4 else False)


@pytest.mark.parametrize(("first", "amounts", "is_enough"), [(168, 2, True), (167, 2, False), (300, 1, False)])
def test_a_cycle_of_rituximab_needs_168_days(first: int, amounts: int, is_enough: bool) -> None:
    rows = [infusion("rituximab", first - 14 * number, "1000") for number in range(amounts)]
    assert agent(rows).is_adequate is is_enough


# -------------------------------------------------------------------------------------------------- the rule, the page


def _patient(centre: object, by: object, luck: random.Random) -> Patient:
    """Doses around every boundary of what is enough."""
    p = factories.patient(centre, by)  # type: ignore[arg-type]
    day0 = luck.choice([70, 100, 200])
    if luck.random() < 0.3:  # an episode before, or the same one
        course = fact(Course, p, drug="prednisone", route="oral")
        fact(Dose, p, course=course, starts_on=ago(day0 + 250), ends_on=ago(day0 + luck.choice([88, 89, 90, 91])),
             amount=D(40))  # fmt: skip
    if luck.random() < 0.85:
        for _ in range(luck.choice([1, 1, 2])):
            day = day0 + luck.choice([-91, -90, -20, 0, 20, 90, 91])
            fact(BodySize, p, measured_on=min(ago(day), AS_OF), weight_kg=D(luck.choice(["70", "70.1", "90"])))
    steroid = fact(Course, p, drug=luck.choice(["prednisone", "deflazacort"]), route="oral")
    high = luck.choice([27, 28, 29])
    amount = D(luck.choice([35, 42, 45]))
    fact(Dose, p, course=steroid, starts_on=ago(day0), ends_on=ago(day0 - high + 1), amount=amount)
    fact(Dose, p, course=steroid, starts_on=ago(day0 - high), ends_on=luck.choice([None, ago(10)]), amount=D(10))
    if luck.random() < 0.3:
        pulse = fact(Course, p, drug="methylprednisolone", route="intravenous")
        fact(Infusion, p, course=pulse, given_on=ago(day0 - luck.choice([0, 27, 28])), amount=D(500))
    for drug, amounts, every in (
        ("methotrexate", ("14", "15", "20"), 7),
        ("azathioprine", ("69", "70", "71", "90"), 1),
        ("mycophenolate-mofetil", ("1500", "2000", "3000"), 1),
    ):
        if luck.random() < 0.6:
            continue
        course = fact(Course, p, drug=drug, route="oral")
        begun = day0 + luck.choice([-3, 0, 30])
        first = luck.choice([30, 54, 55, 56, 57])
        gap = luck.choice([0, 0, 1])
        if begun - first > 2:
            fact(Dose, p, course=course, starts_on=ago(begun), ends_on=ago(begun - first + 1),
                 amount=D(luck.choice(amounts)), every_days=every)  # fmt: skip
            fact(Dose, p, course=course, starts_on=ago(begun - first - gap), amount=D(luck.choice(amounts)),
                 every_days=every)  # fmt: skip
        else:
            fact(Dose, p, course=course, starts_on=ago(begun), amount=D(luck.choice(amounts)), every_days=every)
        if luck.random() < 0.3:
            fact(CourseStop, p, course=course, stopped_on=ago(luck.choice([5, 20])), reason="toxicity")
    return p


@pytest.mark.django_db
def test_the_page_and_the_rule_count_the_same() -> None:
    centre = factories.centre()
    by = factories.person(centre)
    luck = random.Random(20250615)
    people = [_patient(centre, by, luck) for _ in range(150)]
    rule = dataclasses.replace(RULES["second-line-review"], findings=second_line_review.brief)
    with transaction.atomic():
        said = {f.patient_id: f.evidence for f in findings(rule, as_of=AS_OF, patient_ids=[p.pk for p in people])}
    verdicts = set()
    for patient in people:
        evidence = said.get(patient.pk)
        rows, _ = selectors.line_rows(patient, AS_OF)
        sizes = BodySize.objects.current().filter(patient=patient).order_by("measured_on", "-id")
        first = lines.first_line(rows, [Weight(s.measured_on, s.weight_kg) for s in sizes if s.weight_kg], AS_OF)
        assert evidence is not None
        if first is None:
            assert evidence["day0"] is None
            continue
        verdicts.add(first.is_adequate)
        assert evidence["day0"] == first.day0.isoformat()
        assert evidence["is_adequate"] is first.is_adequate
        assert [
            (a["agent"], a["from"], a["until"], a["days"], a["days_enough"], Fraction(a["highest"]),
             Fraction(a["today"]), a["needed_days"], a["is_sure"] or not a["days_enough"])
            for a in sorted(evidence["agents"], key=lambda a: (a["agent"] != "pe", a["agent"]))
        ] == [
            (a.agent, a.first_on.isoformat(), a.last_on.isoformat(), a.days, a.days_enough, round(a.highest, 3),
             round(a.today, 3), a.days_needed, a.is_sure or not a.days_enough)
            for a in first.agents
        ]  # fmt: skip
    assert verdicts == {True, False, None}


def test_the_rule_has_its_numbers_from_here() -> None:
    parameters = dataclasses.asdict(RULES["second-line-review"].parameters)
    shared = {name: value for name, value in dataclasses.asdict(NUMBERS).items() if name in parameters}
    assert set(shared) == {
        "steroid_mg_kg_day", "steroid_days", "weight_days", "methotrexate_mg_week", "azathioprine_mg_kg_day",
        "mycophenolate_mg_day", "agent_days", "episode_gap_days",
    }  # fmt: skip
    assert {name: parameters[name] for name in shared} == shared
