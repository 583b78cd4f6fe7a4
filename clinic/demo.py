"""A made-up clinic to try the product with: every person in it is fictitious.

A history is told by `tell(teller, case)` in plain steps, relative to the day the demo is made. `Case` says what is
particular about a patient; `CASES` is the clinic. Everything follows from the seed, so that a day gives one clinic.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import random
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from accounts.models import Centre, User
from common.models import Fact
from monitoring.analytes import ANALYTES
from monitoring.models import (
    Assessment,
    BodySize,
    Booking,
    Confounder,
    FunctionalTest,
    Imaging,
    LungFunction,
    MuscleGrade,
    PersonalBaseline,
    Result,
    Screening,
    Waiver,
)
from monitoring.scores import mmt8
from patients.models import (
    AntibodyResult,
    Consent,
    FollowUpStatus,
    Manifestation,
    Patient,
    RiskFactor,
    RuleException,
    Sex,
    Subtype,
)
from therapy.models import (
    Course,
    CourseStop,
    Dose,
    Infusion,
    PhysioDecline,
    PhysioPlan,
    PhysioSession,
    SessionOutcome,
    TaperConfirmation,
    TaperHold,
    TaperPlan,
    TaperStep,
)

# Parents before children: a child takes its parent's new id.
ORDER: tuple[type[Any], ...] = (
    FollowUpStatus, AntibodyResult, Manifestation, RiskFactor, Consent, RuleException, Course, CourseStop, Dose,
    Infusion, TaperPlan, TaperStep, TaperConfirmation, TaperHold, PhysioPlan, PhysioDecline, PhysioSession,
    SessionOutcome, Result, Assessment, MuscleGrade, BodySize, LungFunction, Imaging, Screening, FunctionalTest,
    Booking, Waiver, Confounder, PersonalBaseline,
)  # fmt: skip

FAMILY_NAMES = (
    "Abara", "Albrecht", "Almeida", "Andersson", "Banerjee", "Bauer", "Becker", "Bianchi", "Brandt",
    "Castellanos", "Chen", "Costa", "Dąbrowski", "Demir", "Diallo", "Dubois", "Eriksen", "Fischer", "Fontaine",
    "Förster", "Garcia", "Gruber", "Haddad", "Hansen", "Hoang", "Horvat", "Ibrahim", "Ivanova", "Jansen",
    "Kaya", "Keller", "Kowalski", "Krüger", "Lang", "Lehmann", "Lindqvist", "Lopez", "Marino", "Mensah",
    "Meyer", "Moreau", "Müller", "Nakamura", "Novak", "Nowak", "Okafor", "Olsen", "Osei", "Özdemir", "Park",
    "Patel", "Pereira", "Petrov", "Popescu", "Qureshi", "Richter", "Rossi", "Sahin", "Santos", "Schmitt",
    "Schneider", "Sharma", "Silva", "Sokolova", "Sørensen", "Suzuki", "Tanaka", "Tran", "Vargas", "Virtanen",
    "Vogel", "Wagner", "Weber", "Winkler", "Wolff", "Yilmaz", "Zhang", "Ziegler", "Zimmermann", "Zoric",
)  # fmt: skip
WOMEN = (
    "Ada", "Aisha", "Amelie", "Anna", "Beatriz", "Carla", "Chiara", "Dilek", "Elena", "Elif", "Emma", "Fatima",
    "Frieda", "Greta", "Hanna", "Ines", "Ingrid", "Johanna", "Julia", "Katarzyna", "Lea", "Lena", "Leyla",
    "Linh", "Maja", "Maria", "Marta", "Mei", "Mira", "Nadia", "Nora", "Olga", "Paula", "Priya", "Rosa", "Ruth",
    "Sara", "Sofia", "Thea", "Yuki",
)  # fmt: skip
MEN = (
    "Aaron", "Ahmed", "Ali", "Anton", "Bela", "Carlos", "Daniel", "David", "Emil", "Erik", "Felix", "Hassan",
    "Henrik", "Hiroshi", "Ivan", "Jakob", "Jan", "Jonas", "Kwame", "Lars", "Leon", "Luca", "Marek", "Mateo",
    "Mehmet", "Milan", "Noah", "Omar", "Oskar", "Paul", "Pavel", "Rafael", "Rajesh", "Simon", "Stefan", "Theo",
    "Thomas", "Tomás", "Viktor", "Yusuf",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Case:
    """What is particular about a patient. Days are counted back from the day of the demo."""

    subtype: str
    diagnosed: int
    antibody: str = ""
    ck: str = "settled"  # settled, rising, surging, creeping, confounded, high-stable
    response: str = "good"  # good, poor, incomplete
    taper: str = ""  # due, overdue, held, on-track
    steroid: str = "tapered"  # tapered, high, raised, none
    drug: str = "methotrexate"
    drug_days: int = 0  # 0: since two weeks after the diagnosis
    physio: str = "good"  # good, missed-1, missed-2, missed-3, unreviewed, none, declined
    lungs: str = "good"  # good, never, overdue, booked, waived
    ild: bool = False
    ivig: bool = False
    rituximab: bool = False
    status: str = "active"
    signs: tuple[str, ...] = ()
    story: str = ""  # what was missed, found or given besides; see `also`
    calm: bool = False  # activity goes down to nothing, and seldom comes back
    seen: bool = True  # False: nobody has written down an assessment for more than a year


D, P, N, A, I, O, M = (  # noqa: E741 - the initials clinics use
    Subtype.DERMATOMYOSITIS,
    Subtype.POLYMYOSITIS,
    Subtype.NECROTISING,
    Subtype.ANTISYNTHETASE,
    Subtype.INCLUSION_BODY,
    Subtype.OVERLAP,
    Subtype.AMYOPATHIC,
)

TOLD = (
    Case(D, 420, "mi-2", ck="rising", taper="due"),
    Case(N, 510, "hmgcr", ck="rising", drug="mycophenolate-mofetil"),
    Case(N, 380, "srp", ck="surging", ivig=True, response="poor"),
    Case(P, 640, ck="creeping", physio="missed-1"),
    Case(D, 300, "tif1-gamma", ck="confounded", taper="on-track"),
    Case(A, 560, "jo-1", ck="rising", ild=True, drug="azathioprine"),
    Case(D, 200, "mi-2", response="poor", steroid="high", taper="overdue"),
    Case(P, 190, response="poor", steroid="high"),
    Case(N, 130, "hmgcr", response="poor", drug_days=110),
    Case(D, 205, "nxp2", response="incomplete", steroid="high"),
    Case(P, 196, response="incomplete"),
    Case(D, 110, "mi-2", taper="due", steroid="high"),
    Case(O, 150, "pm-scl", taper="due"),
    Case(D, 160, "sae1", taper="due", physio="missed-2"),
    Case(D, 140, "mi-2", taper="overdue"),
    Case(P, 170, taper="overdue", physio="missed-3"),
    Case(A, 150, "pl-7", taper="held", ild=True, drug="mycophenolate-mofetil"),
    Case(D, 240, "nxp2", steroid="raised", taper="on-track"),
    Case(P, 260, steroid="raised"),
    Case(D, 420, "mi-2", steroid="high"),
    Case(A, 700, "pl-12", lungs="overdue", ild=True, drug="mycophenolate-mofetil"),
    Case(M, 170, "mda5", lungs="never", drug="azathioprine"),
    Case(A, 330, "jo-1", lungs="overdue", signs=("mechanics_hands", "arthritis")),
    Case(D, 150, "ro52", lungs="never", physio="missed-2"),
    Case(A, 420, "ej", lungs="booked", ild=True, drug="azathioprine"),
    Case(O, 800, "ku", lungs="waived"),
    Case(D, 60, "mi-2", physio="none", lungs="booked"),
    Case(P, 75, physio="none", lungs="never"),
    Case(D, 90, physio="declined"),
    Case(D, 900, physio="missed-3"),
    Case(D, 480, "mi-2", physio="unreviewed"),
    Case(P, 610, physio="unreviewed", drug="azathioprine"),
    Case(I, 1500, "cn-1a", ck="high-stable", steroid="none", drug="", physio="missed-2"),
    Case(I, 1100, ck="high-stable", steroid="none", drug=""),
    Case(I, 800, ck="creeping", steroid="none", drug="", physio="none"),
    Case(N, 900, "srp", rituximab=True, drug="azathioprine"),
    Case(D, 700, "tif1-gamma", ivig=True, signs=("dysphagia", "heliotrope", "gottron")),
    # One of each thing that goes unnoticed elsewhere.
    Case(D, 420, "mi-2", story="bloods-lapsed"),
    Case(P, 700, story="bloods-long-lapsed", drug="azathioprine"),
    Case(D, 520, "mi-2", story="neutropenia", drug="azathioprine"),
    Case(N, 610, "hmgcr", story="muscle-alt"),
    Case(P, 560, story="liver"),
    Case(D, 640, story="falling-counts"),
    Case(P, 480, story="old-weight", drug="azathioprine"),
    Case(D, 330, "sae1", story="too-much"),
    Case(D, 100, "mi-2", story="not-checked", drug="azathioprine", drug_days=10),
    Case(P, 95, story="no-prophylaxis", steroid="high"),
    Case(D, 400, story="no-bone"),
    Case(N, 450, "hmgcr", story="statin", drug="mycophenolate-mofetil"),
    Case(A, 500, "jo-1", story="methotrexate-lungs", ild=True),
    Case(A, 620, "pl-12", story="lungs-worse", ild=True, drug="mycophenolate-mofetil"),
    Case(M, 130, "mda5", story="lungs-fast", drug="mycophenolate-mofetil"),
    Case(D, 350, "mi-2", story="worse"),
    Case(P, 540, story="worse-twice"),
    Case(D, 480, "mi-2", story="infusion-due", drug="mycophenolate-mofetil"),
    Case(N, 520, "srp", story="infusion-unusual", drug="azathioprine"),
    Case(D, 260, "nxp2", story="swallowing"),
    Case(D, 190, "tif1-gamma", story="no-cancer-screening"),
    Case(I, 900, "cn-1a", ck="high-stable", steroid="none", drug="", story="no-ibmfrs"),
    Case(D, 230, "mi-2", story="no-core-set"),
    Case(D, 1200, status="discharged"),
    Case(P, 1400, status="transferred", ck="rising"),
    Case(I, 2000, ck="high-stable", steroid="none", drug="", status="dead"),
)


ORDINARY = "ordinary"  # now and then a sample is missed, or found beyond a limit
TWICE = "twice"  # the first of the ordinary ones again, under another number


def cases(dice: random.Random, how_many: int) -> Iterator[Case]:
    """The told cases, then ordinary ones of every kind; the last is somebody who was registered before."""
    yield from TOLD[:how_many]
    kinds = ((D, "mi-2"), (D, ""), (P, ""), (N, "hmgcr"), (A, "jo-1"), (O, "pm-scl"), (D, "sae1"), (M, ""), (I, ""),
             (N, "srp"))  # fmt: skip
    ordinary = how_many - len(TOLD)
    for n in range(ordinary):
        subtype, antibody = kinds[n % len(kinds)]
        if n > 0 and n == ordinary - 1:
            yield Case(kinds[0][0], 34, story=TWICE)
            return
        untreated = subtype == Subtype.INCLUSION_BODY
        yield Case(
            subtype,
            dice.randint(250, 1700),
            antibody,
            ck="high-stable" if untreated else dice.choice(["settled"] * 9 + ["creeping"]),
            steroid="none" if untreated else "tapered",
            drug="" if untreated else dice.choice(["methotrexate", "azathioprine", "mycophenolate-mofetil"]),
            physio=dice.choice(["good"] * 8 + ["missed-1", "missed-2"]),
            lungs=dice.choice(["good"] * 12 + ["overdue"]),
            ild=subtype == Subtype.ANTISYNTHETASE and dice.random() < 0.6,
            story=ORDINARY,
            calm=n % 3 > 0,
            seen=n % 14 != 1,
        )


class Teller:
    """Collects the facts of many patients in `rows`, by kind, to be stored in `ORDER`."""

    def __init__(self, centre: Centre, clerk: User, today: dt.date, dice: random.Random) -> None:
        self.centre, self.clerk, self.today, self.dice = centre, clerk, today, dice
        self.rows: dict[type[Any], list[Any]] = {kind: [] for kind in ORDER}
        self.patient: Patient | None = None

    @property
    def who(self) -> Patient:
        assert self.patient is not None, "a history is told of somebody"
        return self.patient

    def day(self, ago: float) -> dt.date:
        return self.today - dt.timedelta(days=round(ago))

    def moment(self, day: dt.date) -> dt.datetime:
        """When something of `day` was entered: that day's afternoon, never later than now."""
        return dt.datetime.combine(min(day, self.today), dt.time(4, 30), tzinfo=self.centre.zone)

    def note(self, kind: type[Any], on: dt.date, /, **fields: Any) -> Any:
        """A fact of day `on`, entered that day."""
        if issubclass(kind, Fact):
            fields = {
                "patient": self.patient, "recorded_at": self.moment(on), "recorded_by": self.clerk, **fields,
            }  # fmt: skip
        row = kind(**fields)
        self.rows[kind].append(row)
        return row


def people(teller: Teller, how_many: int, first_number: int) -> list[tuple[Patient, Case]]:
    """The patients themselves, not yet stored."""
    dice = teller.dice
    told: list[tuple[Patient, Case]] = []
    names = [(f, g) for f in FAMILY_NAMES for g in (0, 1)]
    dice.shuffle(names)
    for n, case in enumerate(cases(dice, how_many)):
        woman = dice.random() < (0.35 if case.subtype == Subtype.INCLUSION_BODY else 0.68)
        age = dice.randint(55, 82) if case.subtype == Subtype.INCLUSION_BODY else dice.randint(21, 78)
        family, turn = names[n % len(names)]
        given = (WOMEN if woman else MEN)[(n * 7 + turn) % 40]
        diagnosed: dt.date | None = teller.day(case.diagnosed)
        onset: dt.date | None = teller.day(case.diagnosed) - dt.timedelta(days=dice.randint(40, 300))
        born = teller.day(age * 365.25 + dice.randint(0, 364))
        if case.story == TWICE:
            same, _ = told[len(TOLD)]
            woman, born, onset, diagnosed = same.sex == Sex.FEMALE, same.born_on, same.onset_on, same.diagnosed_on
            family, given = same.family_name, f"{same.given_name} {'Maria' if woman else 'Peter'}"
        told.append((
            Patient(
                centre=teller.centre,
                record_number=f"{first_number + n}",
                given_name=given,
                family_name=family,
                born_on=born,
                sex=Sex.FEMALE if woman else Sex.MALE,
                subtype=case.subtype,
                onset_on=onset,
                diagnosed_on=diagnosed,
                created_at=teller.moment(teller.day(case.diagnosed)),
                created_by=teller.clerk,
            ),
            case,
        ))  # fmt: skip
    return told


# ------------------------------------------------------------------------------------------------------- a history


FALLING = {58: 7.4, 40: 6.4, 22: 5.5, 4: 4.9}  # white cells by days ago
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


def identity(t: Teller, case: Case) -> None:
    diagnosed = t.day(case.diagnosed)
    t.note(FollowUpStatus, diagnosed, word="active", starts_on=diagnosed)
    if case.status != "active":
        t.note(FollowUpStatus, t.day(180), word=case.status, starts_on=t.day(180))
    for antibody in ("jo-1", "mi-2", "mda5", "ro52"):
        if antibody != case.antibody:
            t.note(
                AntibodyResult, diagnosed, antibody=antibody, result="negative", assay="line blot", taken_on=diagnosed
            )
    if case.antibody:
        result = t.dice.choice(["positive", "strong"])
        t.note(AntibodyResult, diagnosed, antibody=case.antibody, result=result, assay="line blot", taken_on=diagnosed)
    signs = set(case.signs) | ({"ild"} if case.ild else set())
    if case.subtype == Subtype.DERMATOMYOSITIS and not case.signs and t.dice.random() < 0.5:
        signs |= {"heliotrope", "gottron"}
    for sign in sorted(signs):
        t.note(Manifestation, diagnosed, kind=sign, onset_on=diagnosed)
    if t.dice.random() < 0.7:
        t.note(Consent, diagnosed, scope="research", decision="given", decided_on=diagnosed)


def sizes(t: Teller, case: Case, weight: int, until: int) -> None:
    for ago in visits(case.diagnosed, 84, until):
        kilograms = Decimal(weight) + Decimal(t.dice.randint(-15, 15)) / 10
        height = Decimal(158 + weight % 30) if ago == case.diagnosed else None
        t.note(BodySize, t.day(ago), measured_on=t.day(ago), weight_kg=kilograms, height_cm=height)
    if case.status == "active" and case.story != "old-weight":
        t.note(BodySize, t.day(12), measured_on=t.day(12), weight_kg=Decimal(weight))


def visits(first: int, every: int, until: int) -> Iterable[int]:
    """Days ago of visits every `every` days, from `first` days ago to `until` days ago or a little before."""
    ago = first
    while ago >= until:
        yield ago
        ago -= every if ago < first - 120 or every >= 84 else every // 2


def blood(t: Teller, case: Case, until: int) -> None:
    """A panel every six weeks, closer at first. Creatine kinase by the case, the rest around it."""
    dice = t.dice
    limit = 145 if t.who.sex == Sex.FEMALE else 190
    peak = dice.uniform(9, 30) * limit if case.subtype in (N, P) else dice.uniform(3, 12) * limit
    rest = limit * dice.uniform(0.45, 0.8)
    if case.ck == "high-stable" or case.subtype == Subtype.INCLUSION_BODY:
        peak = rest = limit * dice.uniform(2.5, 4)
    if case.subtype == Subtype.AMYOPATHIC:
        peak = rest
    if case.response == "poor":
        rest = limit * dice.uniform(1.6, 2.4)
    days = sorted(visits(case.diagnosed, 42, until), reverse=True)
    if case.status == "active":
        days = [d for d in days if d > max(60, until)] + [d for d in (58, 40, 22, 4) if until < d < case.diagnosed]
    usual = counts(dice)
    if case.story == ORDINARY:
        days = with_lapses(dice, days)
        if case.ck == "settled":
            later = dice.randint(0, 13)  # not everybody of a clinic comes in the same week
            days = [ago + later for ago in days if ago + later <= case.diagnosed]
    for ago in days:
        fall = math.exp(-(case.diagnosed - ago) / 45)
        value = (rest + (peak - rest) * fall) * dice.lognormvariate(0, 0.07)
        value *= rise(case.ck, ago)
        muscle = max(value / limit, 0.5)
        settled = case.ck in ("rising", "surging") and 22 < ago <= 150
        if settled:
            value = min(value, limit * 0.95)
        found = {"wbc": FALLING[ago]} if case.story == "falling-counts" and ago in FALLING else {}
        if case.story == ORDINARY and ago > BEYOND_UNTIL and dice.random() < 0.11:
            found = dice.choice(BEYOND)
        chemistry(t, ago, value, limit, muscle, usual, **found)
    if case.ck == "confounded":
        t.note(Confounder, t.day(6), kind="exercise", happened_on=t.day(6), note="Mountain hike")
    if case.ck == "high-stable" and dice.random() < 0.5:
        day = t.day(120)
        t.note(
            PersonalBaseline, day, analyte="ck", value=Decimal(round(rest)), set_on=day,
            reason="Stable for years: this is her or his usual value",
        )  # fmt: skip


# What has been found beyond a limit once, and was well again in the next sample. Nobody's newest result.
BEYOND: tuple[dict[str, float], ...] = ({"alt": 168, "ast": 131, "ggt": 190}, {"wbc": 3.0, "neutrophils": 1.2})
BEYOND_UNTIL = 30  # days ago


def with_lapses(dice: random.Random, days: list[int]) -> list[int]:
    """Some samples are missed, two or three in a row. The newest are all taken: nobody is waited for today."""
    kept, missed = [], 0
    for ago in days:
        if ago > 100 and missed == 0 and dice.random() < 0.16:
            missed = dice.randint(2, 3)
        if ago > 100 and missed > 0:
            missed -= 1
        else:
            kept.append(ago)
    return kept


def rise(how: str, ago: int) -> float:
    """By how much the newest creatine kinases exceed what they would have been."""
    factors = {
        "rising": ((5, 3.4), (23, 1.7)),
        "surging": ((5, 14.0), (23, 4.0)),
        "confounded": ((5, 2.9),),
        "creeping": ((5, 1.9), (23, 1.35)),
    }
    for until, factor in factors.get(how, ()):
        if ago <= until:
            return factor
    return 1.0


def counts(dice: random.Random) -> dict[str, float]:
    """What is usual for one person, around which the results of years lie."""
    return {
        "creatinine": dice.uniform(55, 84), "haemoglobin": dice.uniform(122, 150), "wbc": dice.uniform(5.5, 8.8),
        "neutrophils": dice.uniform(3.2, 5.8), "platelets": dice.uniform(200, 330), "albumin": dice.uniform(39, 45),
    }  # fmt: skip


def chemistry(
    t: Teller, ago: int, ck: float, ck_limit: int, muscle: float, usual: dict[str, float], **found: float
) -> None:
    """One panel. `found` replaces what would have been measured."""
    dice = t.dice

    def about(analyte: str, digits: int | None = None) -> float:
        return round(usual[analyte] * dice.uniform(0.95, 1.05), digits)

    values = {
        "ck": (round(ck), ck_limit, 20, "U/L"),
        "alt": (round(22 + 7 * muscle * dice.uniform(0.8, 1.2)), 40, 5, "U/L"),
        "ast": (round(20 + 8 * muscle * dice.uniform(0.8, 1.2)), 40, 5, "U/L"),
        "ldh": (round(180 + 22 * muscle * dice.uniform(0.9, 1.1)), 250, 120, "U/L"),
        "ggt": (dice.randint(14, 48), 60, 5, "U/L"),
        "bilirubin": (dice.randint(5, 14), 21, None, "umol/L"),
        "creatinine": (about("creatinine"), 100, 45, "umol/L"),
        "haemoglobin": (about("haemoglobin"), 165, 115, "g/L"),
        "wbc": (about("wbc", 1), 11, 4, "10*9/L"),
        "neutrophils": (about("neutrophils", 1), 7.5, 1.8, "10*9/L"),
        "platelets": (about("platelets"), 400, 150, "10*9/L"),
        "albumin": (about("albumin"), 50, 35, "g/L"),
        "crp": (round(dice.uniform(0.6, 7), 1), 5, None, "mg/L"),
    }
    day = t.day(ago)
    at = dt.datetime.combine(day, dt.time(8, dice.randint(0, 59)), tzinfo=t.centre.zone)
    for analyte, (usually, uln, low, unit) in values.items():
        value = found.get(analyte, usually)
        assert ANALYTES[analyte].canonical_unit == unit, analyte
        t.note(
            Result, day, analyte=analyte, value=Decimal(str(value)), uln=Decimal(str(uln)),
            low=None if low is None else Decimal(str(low)), value_received=str(value), unit_received=unit,
            uln_received=str(uln), low_received="" if low is None else str(low), taken_on=day,
            taken_at=min(at, t.moment(day)), laboratory="Central Laboratory",
        )  # fmt: skip


def strength(t: Teller, case: Case, until: int) -> None:
    """A core set every twelve weeks from the diagnosis on."""
    dice = t.dice
    start = dice.randint(92, 118)
    if case.subtype == Subtype.AMYOPATHIC:
        start = 146
    best = min(150, start + dice.randint(22, 38))
    if case.story == "no-core-set":
        until = 110
    days = list(visits(case.diagnosed, 84, until))
    if (
        days[-1] > 60
        and case.status == "active"
        and not case.story.startswith(("no-core", "worse"))
        and case.physio != "unreviewed"
    ):
        days.append(13)
    if not case.seen:
        days = [ago for ago in days if ago > 380]
    newest = days[-1] if days else 0
    for ago in days:
        progress = 1 - math.exp(-(case.diagnosed - ago) / 110)
        if case.response == "poor":
            progress *= 0.06
        if case.subtype == Subtype.INCLUSION_BODY:
            progress = -0.12 * (case.diagnosed - ago) / 365
        if case.response == "incomplete" and ago == newest:
            t.note(Assessment, t.day(ago), assessed_on=t.day(ago), physician_vas=Decimal("3.1"))
            continue
        activity = 6.2 * (1 - 0.85 * progress)
        if case.calm:
            activity = 6.2 * math.exp(-(case.diagnosed - ago) / 80) + (1.3 if dice.random() < 0.05 else 0)
        core_set(t, ago, start + (best - start) * progress, progress, activity)
    if case.physio not in ("none", "unreviewed") and case.diagnosed > 60:
        t.note(FunctionalTest, t.day(30), instrument="fi2", tested_on=t.day(30), score=Decimal(dice.randint(40, 90)),
               is_complete=True)  # fmt: skip


def core_set(t: Teller, ago: int, mmt: float, progress: float, activity: float) -> None:
    """`activity`: what the physician sees, on a line of 10 cm."""
    dice = t.dice
    day = t.day(ago)

    def vas(centimetres: float) -> Decimal:
        return Decimal(str(round(min(10, max(0.2, centimetres + dice.uniform(-0.2, 0.2))), 1)))

    left = 1 - 0.85 * progress

    grades = spread(dice, round(mmt))
    scored = mmt8.score(grades)
    assessment = t.note(
        Assessment, day, assessed_on=day, physician_vas=vas(activity), patient_vas=vas(6.0 * left),
        extramuscular_vas=vas(3.4 * left),
        haq_di=Decimal(max(0, min(24, round((1.6 - 1.2 * progress) * 8)))) / 8,
        mmt8_150=scored.total_150, mmt8_80=scored.one_sided_80, mmt8_side="right",
    )  # fmt: skip
    for (muscle, side), grade in grades.items():
        t.note(MuscleGrade, day, assessment=assessment, muscle=str(muscle), side=str(side), grade=grade)


def spread(dice: random.Random, total: int) -> dict[Any, int]:
    """Fifteen grades of 0 to 10 that add up to `total`, weaker near the trunk."""
    cells = list(mmt8.CELLS)
    grades = dict.fromkeys(cells, 10)
    near = [c for c in cells if any(w in str(c[0]) for w in ("neck", "deltoid", "glute"))]
    missing = 150 - max(40, min(150, total))
    while missing > 0:
        cell = dice.choice(near * 3 + cells)
        if grades[cell] > 2:
            grades[cell] -= 1
            missing -= 1
    return grades


STEPS = (60, 50, 40, 30, 25, 20, 17.5, 15, 12.5, 10, 7.5, 5)


def treatment(t: Teller, case: Case, weight: int) -> None:
    if case.steroid != "none":
        steroid(t, case, weight)
    if case.drug:
        start = case.drug_days or max(case.diagnosed - 14, 7)
        course = t.note(Course, t.day(start), drug=case.drug, route="oral", indication="Myositis")
        amount, times, every = {
            "methotrexate": (Decimal(30 if case.story == "too-much" else 20), 1, 7),
            "azathioprine": (Decimal(round(weight * 1.7 / 25) * 25), 1, 1),
            "mycophenolate-mofetil": (Decimal(1000), 2, 1),
        }[case.drug]
        t.note(Dose, t.day(start), course=course, starts_on=t.day(start), amount=amount, times=times, every_days=every)
        if case.drug == "methotrexate":
            folic = t.note(Course, t.day(start), drug="folic-acid", route="oral")
            t.note(Dose, t.day(start), course=folic, starts_on=t.day(start), amount=Decimal(5), times=1, every_days=7)
    if case.steroid != "none" and case.story != "no-prophylaxis":
        # Until the dose has been low for long. Its folate antagonism adds to that of methotrexate: a third of the dose.
        until = {"high": None, "raised": None}.get(case.steroid, max(case.diagnosed - 150, 0) or None)
        course = t.note(Course, t.day(case.diagnosed), drug="co-trimoxazole", route="oral", indication="Prophylaxis")
        ends = None if until is None else t.day(until)
        t.note(Dose, t.day(case.diagnosed), course=course, starts_on=t.day(case.diagnosed), ends_on=ends,
               amount=Decimal(480))  # fmt: skip
    if case.ivig:
        course = t.note(Course, t.day(330), drug="ivig", route="intravenous", indication="Refractory")
        for cycle in range(6):
            for n in range(2):
                day = t.day(330 - 28 * cycle - n)
                t.note(Infusion, day, course=course, given_on=day, amount=Decimal(weight), reaction="none")
        t.note(CourseStop, t.day(188), course=course, stopped_on=t.day(188), reason="completed")
    if case.rituximab:
        course = t.note(Course, t.day(400), drug="rituximab", route="intravenous", indication="Refractory")
        for ago in (400, 386, 200, 186):
            t.note(Infusion, t.day(ago), course=course, given_on=t.day(ago), amount=Decimal(1000), reaction="none")


def steroid(t: Teller, case: Case, weight: int) -> None:
    """One milligram a kilogram for four weeks, then down; where it stands today depends on the case."""
    first = round(min(weight, 80) / 5) * 5
    lowest = {"high": 4, "raised": 8}.get(case.steroid, len(STEPS) - 1)
    course = t.note(Course, t.day(case.diagnosed), drug="prednisolone", route="oral", indication="Myositis")
    doses = [(case.diagnosed, Decimal(first))]
    ago = case.diagnosed - 28
    for step in STEPS[: lowest + 1]:
        if step < first and ago > 0:
            doses.append((ago, Decimal(str(step))))
            ago -= 14 if step > 10 else 21
    # Whoever is on a plan takes the next step on its day: what is prescribed follows what was confirmed.
    steps = plan_steps(case)
    if steps:
        doses = [(a, d) for a, d in doses if a > steps[0][0]]
        doses += [(a, d) for a, d in steps if a > 0 and taken(case, a)]
    if case.steroid == "raised":
        doses = [(a, d) for a, d in doses if a > 15]
        doses.append((12, doses[-1][1] + 10))
    for (ago, amount), later in zip(doses, [*doses[1:], None], strict=True):
        ends = None if later is None else t.day(later[0] + 1)
        if case.status != "active" and ends is None:
            ends = t.day(185)
        if ends is not None and ends < t.day(ago):
            continue
        begins = t.day(ago)
        t.note(Dose, begins, course=course, starts_on=begins, ends_on=ends, amount=amount, times=1, every_days=1)
    if steps:
        plan = t.note(TaperPlan, t.day(steps[0][0] + 1), template="T-STEP", note="")
        for step_ago, amount in steps:
            row = t.note(TaperStep, t.day(steps[0][0] + 1), plan=plan, step_on=t.day(step_ago), dose_pe_mg=amount)
            if taken(case, step_ago):
                t.note(TaperConfirmation, t.day(step_ago), step=row, confirmed_on=t.day(step_ago))
        if case.taper == "held":
            t.note(TaperHold, t.day(3), plan=plan, starts_on=t.day(3), reason="Cough, waiting for the CT")


def plan_steps(case: Case) -> list[tuple[int, Decimal]]:
    """(days ago, mg) of the taper plan: the step in question is the fourth."""
    if not case.taper:
        return []
    shift = {"due": 1, "overdue": 12, "held": 2, "on-track": -10}[case.taper]
    start = {"high": 30}.get(case.steroid, 20)
    amounts = [Decimal(str(a)) for a in STEPS if a <= start][:8]
    return [(shift + 42 - 14 * n, amount) for n, amount in enumerate(amounts)]


def taken(case: Case, ago: int) -> bool:
    return (
        ago > 14 + {"due": 0, "overdue": 11, "held": 1, "on-track": -14}[case.taper] - 14
        and ago > ({"due": 1, "overdue": 12, "held": 2, "on-track": 0}[case.taper])
    )


def lungs(t: Teller, case: Case) -> None:
    dice = t.dice
    at_risk = case.ild or case.subtype == Subtype.ANTISYNTHETASE or bool(case.signs) or case.antibody in (
        "mda5", "ro52", "ku", "pm-scl", "jo-1", "pl-7", "pl-12", "ej",
    )  # fmt: skip
    if case.lungs != "never" and not (case.lungs == "booked" and case.diagnosed < 90):
        first = max(case.diagnosed - 9, 1)
        fvc = dice.randint(62, 78) if case.ild else dice.randint(84, 108)
        days = [first]
        if at_risk:
            until = 260 if case.lungs == "overdue" else (190 if case.lungs in ("booked", "waived") else 20)
            days = [ago for ago in visits(first, 150, until) if ago <= first] or [first]
        for ago in days:
            day = t.day(ago)
            fvc += dice.randint(-2, 3)
            t.note(
                LungFunction, day, tested_on=day, fvc_l=Decimal(str(round(fvc * 0.036, 2))),
                fvc_percent_predicted=Decimal(fvc), dlco_percent_predicted=Decimal(fvc - dice.randint(8, 18)),
                dlco_hb_corrected="yes", reference_set="GLI-2012",
            )  # fmt: skip
        seen = "present" if case.ild else "absent"
        t.note(Imaging, t.day(first), modality="hrct", done_on=t.day(first), ild=seen, report="")
    if case.lungs == "booked":
        for kind in ("pft", "hrct"):
            t.note(Booking, t.day(5), kind=kind, booked_for=t.day(-12))
    if case.lungs == "waived":
        t.note(Waiver, t.day(90), test="pft", reason="not_possible", starts_on=t.day(90), ends_on=t.day(-200))
    if case.status == "active" and dice.random() < 0.8:
        t.note(Booking, t.day(10), kind="visit", booked_for=t.day(-dice.randint(5, 70)))


# What is looked for before treatment and at diagnosis, in most.
AT_DIAGNOSIS = ("hepatitis_b", "hepatitis_c", "hiv", "tuberculosis", "varicella", "tpmt", "iga", "igg", "vaccination",
                "ecg", "eye")  # fmt: skip


def looked_for(t: Teller, case: Case) -> None:
    """Screenings: everything at the diagnosis, and again as it falls due. A story leaves one of them out."""
    first = case.diagnosed - 1
    last = 10 if case.status == "active" else 200

    def done(kind: str, ago: int, outcome: str = "normal") -> None:
        if ago > 0:
            t.note(Screening, t.day(ago), kind=kind, done_on=t.day(ago), outcome=outcome)

    if case.story not in ("not-checked", "infusion-unusual"):
        for kind in AT_DIAGNOSIS:
            done(kind, first)
    t.note(Imaging, t.day(first), modality="chest_xray", done_on=t.day(first), ild="not_applicable", report="")
    woman = t.who.sex == Sex.FEMALE
    if woman:
        fertile = t.who.age_on(t.today) < 50
        kind = "childbearing" if fertile else "no_childbearing"
        t.note(RiskFactor, t.day(first), kind=kind, starts_on=t.day(case.diagnosed))
        start = case.drug_days or max(case.diagnosed - 14, 7)
        if fertile:
            done("pregnancy_test", start + 10)
            done("pregnancy_test", start + 1)
    if case.story != "no-bone":
        for ago in range(first, last, -600):
            done("fracture_risk", ago)
    if case.story != "swallowing":
        for ago in range(first, last, -80):
            done("swallow", ago)
    if case.story != "no-cancer-screening":
        done("cancer_enhanced", first)
        for ago in range(first, last, -350):
            done("cancer_basic", ago)
    if case.subtype == Subtype.INCLUSION_BODY:
        for ago in range(first, 230 if case.story == "no-ibmfrs" else last, -160):
            score = Decimal(max(12, 36 - (first - ago) // 150))
            t.note(FunctionalTest, t.day(ago), instrument="ibmfrs", tested_on=t.day(ago), score=score, is_complete=True)


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


def physiotherapy(t: Teller, case: Case) -> None:
    if case.physio == "none":
        return
    if case.physio == "declined":
        t.note(PhysioDecline, t.day(30), declined_on=t.day(30))
        return
    first = min(case.diagnosed - 7, 150)
    plan = t.note(
        PhysioPlan, t.day(first), starts_on=t.day(first), sessions_per_week=1, goal="Stairs without holding the rail"
    )
    missed = int(case.physio.rpartition("-")[2]) if case.physio.startswith("missed") else 0
    days = list(range(first, -15, -7))
    past = [ago for ago in days if ago > 4]
    for ago in days:
        session = t.note(PhysioSession, t.day(first), plan=plan, held_on=t.day(ago))
        if ago in past:
            word = t.dice.choice(["attended"] * 9 + ["home_done", "attended_remote", "cancelled_by_clinic", "excused"])
            if ago in past[len(past) - missed :]:
                word = "did_not_attend"
            t.note(SessionOutcome, t.day(ago), session=session, word=word)
