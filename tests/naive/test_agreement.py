"""Each rule's answer for the whole clinic at once is the one that a plain loop gives of each patient."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

from monitoring.asking import findings
from monitoring.rules import RULES
from tests.naive import (
    cancer,
    ck_rising,
    course,
    doses,
    drugs,
    infusions,
    labs,
    lung_course,
    lungs,
    physio,
    quality,
    second_line,
    swallowing,
    taper,
)
from tests.naive.histories import AS_OF, KNOWN_AT, many
from tests.naive.population import is_asked
from tests.naive.record import Fact, Record, Said, compact, shifted
from tests.naive.store import store

pytestmark = pytest.mark.django_db

Judge = Callable[[Record, dt.date], list[Said]]

JUDGES: dict[str, Judge] = {
    "assessment-due": course.assessment_due,
    "bone-protection": drugs.bone,
    "cancer-screening": cancer.screening,
    "ck-rising": ck_rising.judge_record,
    "core-set-incomplete": second_line.core_set_incomplete,
    "data-quality": quality.quality,
    "deterioration": course.deterioration,
    "dose-out-of-range": doses.out_of_range,
    "dysphagia-screen": swallowing.screen,
    "ild-methotrexate": drugs.methotrexate_with_lung_disease,
    "ild-progression": lung_course.progression,
    "ild-rapid": lung_course.rapid,
    "ild-screening-gap": lungs.screening_gap,
    "labs-action-limit": labs.action_limit,
    "labs-drifting": labs.drifting,
    "labs-overdue": labs.overdue,
    "pneumocystis-prophylaxis": drugs.pneumocystis,
    "infusion-check": infusions.check,
    "infusion-due": infusions.due,
    "pre-treatment-checks": doses.pre_treatment,
    "statin-in-necrotising": drugs.statin,
    "physio-missed": physio.missed,
    "physio-no-plan": physio.no_plan,
    "physio-review-due": physio.review_due,
    "second-line-review": second_line.review,
    "taper-dose-raised": taper.dose_raised,
    "taper-high-at-12-weeks": taper.high_at_12_weeks,
    "taper-high-at-24-weeks": taper.high_at_24_weeks,
    "taper-step-due": taper.step_due,
    "taper-step-overdue": taper.step_overdue,
}
COUNT = 5000
DAYS = (AS_OF - dt.timedelta(days=1), AS_OF, AS_OF + dt.timedelta(days=30))
QUESTIONS = [(day, None) for day in DAYS] + [(AS_OF, KNOWN_AT)]


def expected(rule: str, record: Record | None, as_of: dt.date) -> list[Said]:
    if record is None or not is_asked(record, rule, as_of):
        return []
    return sorted(JUDGES[rule](record, as_of), key=lambda s: s.subject)


def answers(
    rule: str, as_of: dt.date, known_at: dt.datetime | None, patient: int | None = None
) -> dict[int, list[Said]]:
    said: dict[int, list[Said]] = {}
    these = None if patient is None else [patient]
    for f in findings(RULES[rule], as_of=as_of, known_at=known_at, patient_ids=these):
        said.setdefault(f.patient_id, []).append(Said(f.subject, f.level, f.due_on, bool(f.missing)))
    return {patient: sorted(rows, key=lambda s: s.subject) for patient, rows in said.items()}


# Rules whose twin is still being written. Empty when all are.
AWAITED: frozenset[str] = frozenset()
LEVELS = {
    "ck-rising": "URGENT ACTION TASK INFO missing",
    "cancer-screening": "TASK INFO missing soon",
    "core-set-incomplete": "TASK",
    "data-quality": "TASK",
    "assessment-due": "TASK missing soon",
    "bone-protection": "TASK soon",
    "deterioration": "ACTION TASK",
    "dysphagia-screen": "URGENT ACTION TASK missing soon",
    "dose-out-of-range": "TASK INFO missing",
    "infusion-check": "ACTION TASK missing",
    "infusion-due": "ACTION TASK INFO soon",
    "pre-treatment-checks": "TASK missing soon",
    "ild-methotrexate": "INFO",
    "ild-progression": "ACTION INFO missing",
    "ild-rapid": "URGENT missing",
    "labs-action-limit": "URGENT ACTION TASK INFO missing",
    "labs-drifting": "INFO missing",
    "labs-overdue": "ACTION TASK missing soon",
    "pneumocystis-prophylaxis": "TASK soon",
    "statin-in-necrotising": "ACTION missing",
    "ild-screening-gap": "ACTION TASK INFO missing soon",
    "physio-missed": "ACTION TASK INFO",
    "physio-no-plan": "TASK missing soon",
    "physio-review-due": "TASK soon",
    "second-line-review": "ACTION missing",
    "taper-dose-raised": "INFO",
    "taper-high-at-12-weeks": "ACTION soon",
    "taper-high-at-24-weeks": "ACTION soon",
    "taper-step-due": "TASK soon",
    "taper-step-overdue": "ACTION",
}
LEAST = 0.001  # share of the answers at each level, below which an agreement says little


def word(said: Said | None) -> str:
    if said is None:
        return "quiet"
    return said.level or ("missing" if said.missing else "soon")


def test_every_rule_has_a_plain_twin() -> None:
    assert set(JUDGES) | AWAITED >= set(RULES)
    assert not AWAITED & set(JUDGES)


@pytest.fixture(scope="module")
def clinic(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[int, Record]]:
    """Everybody, loaded once for all rules, and gone afterwards."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield store(many(COUNT, seed=1))
        transaction.set_rollback(True)


SHIFT = 10**9  # beyond every id of the clinic


def unshifted(subject: str) -> str:
    """The subject of a shifted record's finding, as that of the record."""
    word, _, number = subject.partition(":")
    return f"{word}:{int(number) - SHIFT}" if number.isdigit() and int(number) > SHIFT else subject


def smallest(rule: str, record: Record, as_of: dt.date, known_at: dt.datetime | None) -> str:
    """The disagreement with as few facts as still show it."""

    def both(facts: dict[type[Fact], list[Any]]) -> tuple[list[Said], list[Said], Record]:
        other = dataclasses.replace(record, facts=facts, cache={})
        with transaction.atomic():
            (patient,) = store([shifted(other, SHIFT)], first=COUNT + 1)
            got = answers(rule, as_of, known_at, patient)
            transaction.set_rollback(True)
        got = [said._replace(subject=unshifted(said.subject)) for said in got.get(patient, [])]
        return got, expected(rule, other.seen(known_at), as_of), other

    facts = record.facts
    shrinking = True
    while shrinking:
        shrinking = False
        for kind, rows in facts.items():
            for row in rows:
                fewer = facts | {kind: [r for r in facts[kind] if r is not row]}
                got, wanted, _ = both(fewer)
                if got != wanted:
                    facts, shrinking = fewer, True
    got, wanted, other = both(facts)
    return f"On {as_of}, known at {known_at}:\nthe query says {got}\nplain     says {wanted}\n{compact(other, as_of)}"


@pytest.mark.parametrize("rule", sorted(set(JUDGES) & set(RULES)))
def test_the_whole_clinic_at_once_and_each_patient_alone(rule: str, clinic: dict[int, Record]) -> None:
    reached: Counter[str] = Counter()
    wrong = []
    for as_of, known_at in QUESTIONS:
        got = answers(rule, as_of, known_at)
        for patient, record in clinic.items():
            key = ("seen", known_at)
            if key not in record.cache:
                record.cache[key] = record.seen(known_at)
            wanted = expected(rule, record.cache[key], as_of)
            if got.get(patient, []) != wanted:
                wrong.append((sum(map(len, record.facts.values())), patient, as_of, known_at))
            reached.update(word(said) for said in wanted or [None])
    sys.stdout.write(f"{rule} {dict(reached)}\n")  # shown with -s, or where it fails
    if wrong:
        _, patient, as_of, known_at = min(wrong, key=lambda w: w[:2])
        pytest.fail(
            f"{rule}: {len(wrong)} disagreements, {len({w[1] for w in wrong})} patients. "
            + smallest(rule, clinic[patient], as_of, known_at),
            pytrace=False,
        )
    # Where chance met nothing but quiet patients, agreeing would say nothing.
    least = LEAST * COUNT * len(QUESTIONS)
    assert not {w: reached[w] for w in ("quiet", *LEVELS[rule].split()) if reached[w] < least}
