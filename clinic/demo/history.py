"""The whole history of one patient, and what a case's story adds to it."""

from __future__ import annotations

from decimal import Decimal

from clinic.demo.blood import blood, chemistry, counts
from clinic.demo.cases import TWICE, Case
from clinic.demo.examinations import looked_for, lungs, strength
from clinic.demo.people import identity, sizes
from clinic.demo.teller import Teller
from clinic.demo.treatment import physiotherapy, treatment
from monitoring.models import Assessment, BodySize, LungFunction, Result, Screening
from patients.models import FollowUpStatus, Manifestation, Patient, RiskFactor, Sex
from therapy.models import Course, Dose, Infusion

LAST_BLOODS = {"bloods-lapsed": 125, "bloods-long-lapsed": 290}  # days ago


def tell(t: Teller, patient: Patient, case: Case) -> None:
    """The whole history of one patient."""
    t.patient = patient
    weight = t.dice.randint(52, 96)
    last = 40 if case.status == "active" else 200  # whoever left has nothing newer
    if case.story == TWICE:
        registered_again(t, case, weight)
        return
    identity(t, case)
    sizes(t, case, weight, until=130 if case.story == "old-weight" else last - 25)
    blood(t, case, until=LAST_BLOODS.get(case.story, 3) if case.status == "active" else 200)
    lately = 12 if case.physio != "unreviewed" else 100
    strength(t, case, until=lately if case.status == "active" else 200)
    treatment(t, case, weight)
    lungs(t, case)
    physiotherapy(t, case)
    looked_for(t, case)
    also(t, case, weight)


def registered_again(t: Teller, case: Case, weight: int) -> None:
    """What was entered under the second number before anybody noticed the first."""
    first = t.day(case.diagnosed)
    t.note(FollowUpStatus, first, word="active", starts_on=first)
    t.note(BodySize, first, measured_on=first, weight_kg=Decimal(weight))
    blood(t, case, until=3)


def also(t: Teller, case: Case, weight: int) -> None:
    """What a case's story adds."""
    story = case.story
    limit = 145 if t.who.sex == Sex.FEMALE else 190

    def panel(ago: int, ck: float = 100, **found: float) -> None:
        chemistry(t, ago, ck, limit, 1, counts(t.dice), **found)

    def gives(drug: str, since: int, amount: float, every: int = 1, route: str = "oral") -> Course:
        course: Course = t.note(Course, t.day(since), drug=drug, route=route)
        t.note(Dose, t.day(since), course=course, starts_on=t.day(since), amount=Decimal(str(amount)), every_days=every)
        return course

    if story == "neutropenia":
        panel(2, neutrophils=1.2, wbc=3.1)
    elif story == "muscle-alt":
        panel(2, ck=20 * limit, alt=260, ast=250)
    elif story == "liver":
        panel(2, alt=180, ast=140, ggt=210)
    elif story == "statin":
        gives("atorvastatin", 300, 20)
    elif story == "lungs-worse":
        for ago, litres, percent in ((200, "3.00", 82), (8, "2.60", 71)):
            t.note(LungFunction, t.day(ago), tested_on=t.day(ago), fvc_l=Decimal(litres), reference_set="GLI-2012",
                   fvc_percent_predicted=Decimal(percent), dlco_percent_predicted=Decimal(percent - 15),
                   dlco_hb_corrected="yes")  # fmt: skip
        t.note(Manifestation, t.day(20), kind="dyspnoea", onset_on=t.day(20))
    elif story == "lungs-fast":
        t.note(Manifestation, t.day(6), kind="dyspnoea", onset_on=t.day(6))
        t.note(Result, t.day(1), analyte="spo2", value=Decimal(88), value_received="88", unit_received="%",
               taken_on=t.day(1))  # fmt: skip
    elif story in ("worse", "worse-twice"):
        for ago in (38, 9) if story == "worse-twice" else (9,):
            t.note(Assessment, t.day(ago), assessed_on=t.day(ago), physician_vas=Decimal("5.5"),
                   patient_vas=Decimal("6.0"), extramuscular_vas=Decimal("4.9"), haq_di=Decimal("1.25"),
                   mmt8_150=112)  # fmt: skip
    elif story == "infusion-due":
        course = t.note(Course, t.day(86), drug="ivig", route="intravenous", indication="Skin and swallowing")
        for ago in (86, 85, 58, 57, 30, 29):
            t.note(Infusion, t.day(ago), course=course, given_on=t.day(ago), amount=Decimal(weight), reaction="none",
                   max_rate_ml_per_hour=Decimal(weight) * 2)  # fmt: skip
    elif story == "infusion-unusual":
        t.note(RiskFactor, t.day(300), kind="diabetes", starts_on=t.day(300))
        course = t.note(Course, t.day(12), drug="ivig", route="intravenous", indication="Refractory")
        for ago in (12, 11):
            t.note(Infusion, t.day(ago), course=course, given_on=t.day(ago), amount=Decimal(weight), reaction="mild",
                   max_rate_ml_per_hour=Decimal(weight) * Decimal("2.3"))  # fmt: skip
    elif story == "swallowing":
        t.note(Screening, t.day(5), kind="swallow", done_on=t.day(5), outcome="abnormal", score=Decimal(9))
