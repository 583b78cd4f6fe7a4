"""The rules on the course of the disease: they agree with the modules they are written from, and they read the past."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from audit.facts import supersede, withdraw
from common.dates import age_on
from monitoring.asking import TABLES, Finding, findings
from monitoring.models import Assessment, FunctionalTest, Imaging, LungFunction, Result, Screening
from monitoring.rules import RULES, cancer_sql
from monitoring.rules.base import HORIZON, Question
from monitoring.scores import cancer_tier, lung_change, worsening
from monitoring.scores.lung_change import Test
from patients.models import AntibodyResult, FollowUpStatus, Manifestation, Patient, RiskFactor, Subtype
from tests import factories
from tests.factories import AS_OF, NOW, fact
from tests.rules.examples import day
from therapy.models import Course, CourseStop, Dose, EscalationDecision

pytestmark = pytest.mark.django_db

KNOWN_AT = dt.datetime(2025, 6, 15, 22, 0, tzinfo=dt.UTC)
AFTER = NOW + dt.timedelta(days=5)


@pytest.fixture
def clerk() -> User:
    return factories.person(factories.centre())


def made(clerk: User, **fields: Any) -> Patient:
    return factories.patient(clerk.memberships.get().centre, clerk, **fields)


def said(rule: str, patient: Patient | None = None, **question: Any) -> list[Finding]:
    ids = None if patient is None else [patient.pk]
    return findings(RULES[rule], as_of=AS_OF, patient_ids=ids, **question)


def level(rule: str, patient: Patient, known_at: dt.datetime | None = None) -> str | None:
    return next((f.level for f in said(rule, patient, known_at=known_at) if f.level), None)


def rows(select: str) -> list[tuple[Any, ...]]:
    """Rows of a question over the state of cancer screening, put about everybody."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        cursor.execute(
            "INSERT INTO asked SELECT id, centre_id, 'Europe/Berlin', sex, subtype, born_on, onset_on, diagnosed_on "
            "FROM patients_patient"
        )
        question = Question(as_of=AS_OF)
        cursor.execute(f"WITH {cancer_sql.state(question)} {select}", RULES["cancer-screening"].values(question))
        return cursor.fetchall()


# ------------------------------------------------------------------------------------------------- cancer screening


def test_the_tier_and_the_days_in_sql_are_those_of_the_score(clerk: User) -> None:
    chance = random.Random(11)
    wanted: dict[int, tuple[cancer_tier.Tiering, set[tuple[str, dt.date]]]] = {}
    codes = [*cancer_tier.HIGH_ANTIBODIES, *cancer_tier.INTERMEDIATE_ANTIBODIES, "jo-1"]
    for _ in range(400):
        onset = day(-chance.randint(0, 1090))
        diagnosed = min(onset + dt.timedelta(days=chance.choice([0, 0, 30, 200, 700])), AS_OF)
        subtype = chance.choice([*Subtype.values, "dermatomyositis"])
        one = made(
            clerk,
            subtype=subtype,
            sex=chance.choice(["female", "male", "male", "unknown", "other"]),
            born_on=chance.choice([onset - dt.timedelta(days=round(365.25 * years) + chance.randint(-1, 1))
                                   for years in (17, 18, 30, 40, 41, 60)] + [dt.date(1984, 2, 29)]),
            onset_on=onset,
            diagnosed_on=diagnosed,
        )  # fmt: skip
        # All of it is known at the diagnosis, and nothing ends: the tier is one.
        results = {code: chance.choice(["positive", "strong", "weak", "negative"]) for code in chance.sample(codes, 3)}
        for code, result in results.items():
            fact(AntibodyResult, one, antibody=code, result=result, taken_on=onset)
        severity = chance.choice(["", "mild", "moderate", "severe", None, None])
        if severity is not None:
            fact(Manifestation, one, kind="dysphagia", severity=severity, onset_on=onset)
        necrosis, failed = chance.random() < 0.2, chance.random() < 0.2
        if necrosis:
            fact(Manifestation, one, kind="necrosis", onset_on=onset)
        if failed:
            if chance.random() < 0.5:
                fact(EscalationDecision, one, decided_on=diagnosed, option="ivig", reason="no response")
            else:
                course = fact(Course, one, drug="methotrexate", route="oral")
                fact(CourseStop, one, course=course, stopped_on=diagnosed, reason="ineffective")
        tiering = cancer_tier.tier(
            cancer_tier.Facts(
                subtype=subtype,
                antibodies={code for code, result in results.items() if result in ("positive", "strong")},
                age_at_onset=age_on(one.born_on, onset),
                sex=one.sex,
                persistent_activity=failed,
                dysphagia=severity in ("moderate", "severe"),
                necrosis=necrosis,
            )
        )
        if tiering.tier is not None:
            days = {
                (due.panel.value, due.due_on)
                for due in cancer_tier.panels(tiering.tier, diagnosed, onset)
                if due.due_on <= AS_OF + dt.timedelta(days=HORIZON)
            }
            wanted[one.pk] = (tiering, days)

    got = rows("SELECT patient_id, tier, high, intermediate, pet_alone FROM cancer_state WHERE tier IS NOT NULL")
    assert {row[0] for row in got} == set(wanted)
    for pk, tier, high, intermediate, pet_alone in got:
        tiering = wanted[pk][0]
        assert cancer_sql.TIERS[tier] is tiering.tier
        assert (set(high), set(intermediate)) == (set(tiering.high), set(tiering.intermediate))
        assert pet_alone is tiering.pet_ct_alone
    items: dict[int, set[tuple[str, dt.date]]] = {pk: set() for pk in wanted}
    for pk, panel, due_on in rows("SELECT patient_id, panel, due_on FROM cancer_item"):
        items[pk].add((panel, due_on))
    assert items == {pk: days for pk, (_, days) in wanted.items()}
    assert {tiering.tier for tiering, _ in wanted.values()} == set(cancer_tier.Tier)
    assert any(tiering.pet_ct_alone for tiering, _ in wanted.values())


def test_the_history_of_the_tier_is_kept(clerk: User) -> None:
    one = made(clerk, subtype="antisynthetase", born_on=day(-12900), onset_on=day(-400), diagnosed_on=day(-390))
    fact(Manifestation, one, kind="necrosis", onset_on=day(-300), ended_on=day(-200))
    fact(AntibodyResult, one, antibody="nxp2", result="positive", taken_on=day(-250))
    ((tier, tier_on, history),) = rows("SELECT tier, tier_on, history::text FROM cancer_state")
    assert (tier, tier_on) == (1, day(-199))
    expected = [(day(-390), 0), (day(-300), 1), (day(-250), 2), (day(-199), 1)]
    assert history == "[" + ", ".join(f'["{on}", {number}]' for on, number in expected) + "]"


def test_every_factor_and_red_flag_has_words(clerk: User) -> None:
    one = made(clerk, sex="male", born_on=day(-20000), onset_on=day(-100), diagnosed_on=day(-90))
    for code in cancer_tier.HIGH_ANTIBODIES + cancer_tier.INTERMEDIATE_ANTIBODIES:
        fact(AntibodyResult, one, antibody=code, result="positive", taken_on=day(-90))
    fact(Manifestation, one, kind="dysphagia", severity="severe", onset_on=day(-90))
    fact(Manifestation, one, kind="necrosis", onset_on=day(-90))
    fact(EscalationDecision, one, decided_on=day(-20), option="ivig", reason="no response")
    for flag in cancer_tier.RED_FLAGS:
        fact(RiskFactor, one, kind=flag, starts_on=day(-90))
    (finding,) = said("cancer-screening", one)
    evidence = finding.evidence or {}
    assert len(evidence["factors"]) == 12
    assert None not in evidence["factors"]
    assert len(evidence["red_flags"]) == len(cancer_tier.RED_FLAGS)
    assert None not in evidence["red_flags"]


# -------------------------------------------------------------------------------------------------- deterioration


def test_deterioration_says_of_everybody_what_the_definition_says(clerk: User) -> None:
    """Also where a baseline takes earlier visits away: who is looked at first leaves nobody out."""
    chance = random.Random(5)
    wanted: dict[int, str] = {}
    start = {"physician_vas": 3, "patient_vas": 3, "extramuscular_vas": 1, "haq_di": 1, "mmt8_150": 120, "mmt8_80": 64}
    for _ in range(250):
        one = made(clerk)
        visits = []
        for at in sorted(chance.sample(range(-800, 1, 40), chance.randint(1, 6))):
            now: dict[str, Any] = {}
            for name, value in start.items():
                if chance.random() < 0.15:
                    now[name] = None
                elif name.startswith("mmt8"):
                    now[name] = int(value * Decimal(chance.choice(["1", "1", "0.8", "0.7", "0.701"])))
                else:
                    share = Decimal(chance.choice(["0", "0", "1", "1.3", "1.299", "1.9", "3"]))
                    step = "0.001" if name == "haq_di" else "0.1"
                    now[name] = (value * share).quantize(Decimal(step))
            fact(Assessment, one, assessed_on=day(at), **now)
            visits.append(worsening.Visit(day=day(at), **now))
        baseline = None
        if chance.random() < 0.6:
            course = fact(Course, one, drug="prednisone", route="oral")
            day0 = chance.randint(-700, -10)
            fact(Dose, one, course=course, starts_on=day(day0), amount=Decimal(20), times=1, every_days=1)
            about = [v.day for v in visits if v.counts and day(day0 - 28) <= v.day <= day(day0 + 14)]
            baseline = max(about, default=None)
        status = worsening.assess(visits, baseline).status
        if status is not worsening.Status.NONE:
            wanted[one.pk] = "ACTION" if status is worsening.Status.CONFIRMED else "TASK"
    found = {f.patient_id: f.level for f in said("deterioration")}
    assert found == wanted
    assert sorted(wanted.values()).count("ACTION") >= 10
    assert sorted(wanted.values()).count("TASK") >= 10


# -------------------------------------------------------------------------------------------------- lung function


def test_a_fall_of_lung_function_in_sql_is_that_of_the_score(clerk: User) -> None:
    chance = random.Random(3)
    wanted: dict[int, tuple[str | None, bool]] = {}
    for _ in range(250):
        one = made(clerk)
        fact(Manifestation, one, kind="ild", onset_on=day(-1000))
        tests = []
        for at in sorted(chance.sample(range(-700, 1, 20), chance.randint(2, 5))):
            test = Test(
                day=day(at),
                fvc_l=Decimal(chance.choice(["3.00", "2.90", "2.71", "2.70"])),
                fvc_percent=Decimal(chance.choice(["90", "88", "85.1", "85", "81"])),
                dlco_percent=Decimal(chance.choice(["80", "75", "70.1", "70", "68"])),
                reference_set=chance.choice(["GLI-2012", "gli 2012", "GLI-2012", "GLI-2022", ""]),
                hb_corrected=chance.choice(["yes", "yes", "no", "unknown"]),
            )
            fact(
                LungFunction,
                one,
                tested_on=test.day,
                fvc_l=test.fvc_l,
                fvc_percent_predicted=test.fvc_percent,
                dlco_percent_predicted=test.dlco_percent,
                reference_set=test.reference_set,
                dlco_hb_corrected=test.hb_corrected,
            )
            tests.append(test)
        newest = tests[-1]
        change = lung_change.compare(newest, tests[:-1]) if newest.day >= day(-365) else None
        judged = lung_change.progression(change, symptoms=False, imaging=False)
        is_level = "ACTION" if judged.alarm else "INFO" if judged.met else None
        wanted[one.pk] = (is_level, change is not None and is_level is not None and change.muscle_may_explain)
    found = {
        f.patient_id: (f.level, "muscle" in (f.evidence or {}).get("reasons", ())) for f in said("ild-progression")
    }
    assert {pk: found.get(pk, (None, False)) for pk in wanted} == wanted
    assert {is_level for is_level, _ in wanted.values()} == {None, "INFO", "ACTION"}
    assert any(muscle for _, muscle in wanted.values())


# ---------------------------------------------------------------------------------------- as the record once stood


def test_a_corrected_visit_was_a_deterioration(clerk: User) -> None:
    one = made(clerk, diagnosed_on=day(-100))
    fact(Assessment, one, assessed_on=day(-40), extramuscular_vas=2)
    visit = fact(Assessment, one, assessed_on=day(-5), extramuscular_vas=5)
    supersede(visit, by=clerk, now=AFTER, reason="typed wrongly", extramuscular_vas=Decimal(3))
    assert level("deterioration", one) is None
    assert level("deterioration", one, KNOWN_AT) == "TASK"


def test_lung_function_entered_late_was_not_known(clerk: User) -> None:
    one = made(clerk)
    fact(Manifestation, one, kind="ild", onset_on=day(-900))
    fact(LungFunction, one, tested_on=day(-300), fvc_l=3)
    fact(LungFunction, one, tested_on=day(-5), fvc_l=2, recorded_at=AFTER)
    assert level("ild-progression", one) == "ACTION"
    assert level("ild-progression", one, KNOWN_AT) is None


def test_a_scan_withdrawn_later_had_shown_progression(clerk: User) -> None:
    one = made(clerk)
    fact(Manifestation, one, kind="ild", onset_on=day(-900))
    scan = fact(Imaging, one, modality="hrct", done_on=day(-20), ild="present", progression="yes")
    withdraw(scan, by=clerk, now=AFTER, reason="of another person")
    assert level("ild-progression", one) is None
    assert level("ild-progression", one, KNOWN_AT) == "INFO"


def test_a_corrected_saturation_was_urgent(clerk: User) -> None:
    one = made(clerk)
    low = fact(Result, one, analyte="spo2", value=Decimal(79), value_received="79", taken_on=day(-1))
    supersede(low, by=clerk, now=AFTER, reason="97, typed wrongly", value=Decimal(97), value_received="97")
    assert level("ild-rapid", one) is None
    assert level("ild-rapid", one, KNOWN_AT) == "URGENT"


def test_an_antibody_entered_late_changed_the_tier_late(clerk: User) -> None:
    one = made(clerk, subtype="antisynthetase", born_on=day(-12900), onset_on=day(-400), diagnosed_on=day(-390))
    fact(Screening, one, kind="cancer_basic", done_on=day(-380))
    fact(AntibodyResult, one, antibody="nxp2", result="positive", taken_on=day(-50), recorded_at=AFTER)
    assert level("cancer-screening", one) == "TASK"
    assert level("cancer-screening", one, KNOWN_AT) is None


def test_a_screen_withdrawn_later_had_been_positive(clerk: User) -> None:
    one = made(clerk, diagnosed_on=day(-100))
    fact(Screening, one, kind="swallow", outcome="normal", done_on=day(-30))
    screen = fact(Screening, one, kind="swallow", outcome="abnormal", done_on=day(-5))
    withdraw(screen, by=clerk, now=AFTER, reason="of another person")
    assert level("dysphagia-screen", one) is None
    assert level("dysphagia-screen", one, KNOWN_AT) == "TASK"


def test_a_scale_entered_late_was_missing(clerk: User) -> None:
    one = made(clerk, subtype="inclusion_body", diagnosed_on=day(-190))
    for at in (-5,):
        fact(Assessment, one, assessed_on=day(at), physician_vas=1, patient_vas=1, extramuscular_vas=0, haq_di=0,
             mmt8_150=140)  # fmt: skip
    fact(FunctionalTest, one, instrument="ibmfrs", tested_on=day(-5), is_complete=True, recorded_at=AFTER)
    assert level("assessment-due", one) is None
    assert level("assessment-due", one, KNOWN_AT) == "TASK"


# ------------------------------------------------------------------------------------------------------ whom about


@pytest.mark.parametrize("word", ["dead", "transferred", "discharged", "withdrawn"])
def test_nothing_is_said_of_who_is_not_followed_up(clerk: User, word: str) -> None:
    one = made(clerk, subtype="inclusion_body", sex="male", born_on=day(-20000), onset_on=day(-900),
               diagnosed_on=day(-800))  # fmt: skip
    fact(Manifestation, one, kind="ild", onset_on=day(-700))
    for kind in ("oxygen", "aspiration", "dyspnoea"):
        fact(Manifestation, one, kind=kind, onset_on=day(-10))
    fact(Assessment, one, assessed_on=day(-300), extramuscular_vas=2)
    fact(Assessment, one, assessed_on=day(-200), extramuscular_vas=5)
    rules = ("deterioration", "ild-progression", "ild-rapid", "cancer-screening", "dysphagia-screen", "assessment-due")
    assert all(level(rule, one) for rule in rules)
    fact(FollowUpStatus, one, word=word, starts_on=AS_OF)
    assert not any(said(rule, one) for rule in rules)


def test_each_instrument_of_inclusion_body_myositis_is_a_subject_of_its_own(clerk: User) -> None:
    one = made(clerk, subtype="inclusion_body", diagnosed_on=day(-200))
    assert {(f.subject, f.level, f.due_on) for f in said("assessment-due", one)} == {
        ("core-set", "TASK", day(-116)),
        ("ibmfrs", "TASK", day(-18)),
    }
