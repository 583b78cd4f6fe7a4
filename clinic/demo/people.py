"""Who the patients are: names, antibodies, organs, size."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from clinic.demo.cases import TOLD, TWICE, Case, cases
from clinic.demo.teller import Teller, visits
from monitoring.models import BodySize
from patients.models import AntibodyResult, Consent, FollowUpStatus, Manifestation, Patient, Sex, Subtype

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
