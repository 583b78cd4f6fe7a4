"""The classification of a patient in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitoring import classifying
from monitoring.entry import plain
from monitoring.scores.classification import AGE, BIOPSY_POINTS, POINTS, Class, Items, SubClass, age_points
from patients.models import ClassificationItems, Patient

# What is entered, and its label.
LABELS: Mapping[str, str] = {
    "weak_upper_proximal": "Weak proximal arms",
    "weak_lower_proximal": "Weak proximal legs",
    "neck_flexors_weaker": "Neck flexors weaker than extensors",
    "legs_proximal_weaker": "Legs: proximal weaker than distal",
    "heliotrope": "Heliotrope rash",
    "gottron_papules": "Gottron's papules",
    "gottron_sign": "Gottron's sign",
    "dysphagia": "Dysphagia or oesophageal dysmotility",
    "endomysial_infiltrate": "Endomysial mononuclear cells around fibres",
    "perimysial_infiltrate": "Perimysial or perivascular mononuclear cells",
    "perifascicular_atrophy": "Perifascicular atrophy",
    "rimmed_vacuoles": "Rimmed vacuoles",
    "finger_flexor_weakness": "Weak finger flexors",
    "improved_on_treatment": "Improved on treatment",
}
CLASSES = {
    Class.NOT_IIM: "Not a case",
    Class.POSSIBLE: "Possible",
    Class.PROBABLE: "Probable",
    Class.DEFINITE: "Definite",
}
SUBCLASSES = {
    SubClass.JUVENILE_DERMATOMYOSITIS: "Juvenile dermatomyositis",
    SubClass.OTHER_JUVENILE: "Juvenile myositis other than dermatomyositis",
    SubClass.DERMATOMYOSITIS: "Dermatomyositis",
    SubClass.AMYOPATHIC: "Amyopathic dermatomyositis",
    SubClass.INCLUSION_BODY: "Inclusion body myositis",
    SubClass.POLYMYOSITIS: "Polymyositis (includes necrotising myopathy)",
}
NAMES = {
    **LABELS, AGE: "Age at the first symptom", "anti_jo1": "Anti-Jo-1",
    "enzyme_high": "CK, LDH, AST or ALT above its limit",
}  # fmt: skip
FROM_RECORDS = {AGE: "the day of the first symptom", "anti_jo1": "antibodies", "enzyme_high": "results"}


@dataclass(frozen=True)
class Line:
    """One item: what was found, and its points. `source` where it is worked out from other records."""

    name: str
    found: str
    points: str
    source: str
    unknown: bool


@dataclass(frozen=True)
class Page:
    """`score` is a number, or the span it must lie in while something was not looked at. `class_` is empty where that
    could change it, and then `between` says from which to which.
    """

    entered: ClassificationItems | None
    with_biopsy: bool
    score: str
    class_: str
    between: str
    classified: bool | None
    subclass: str
    subclass_missing: Sequence[str]
    probability: str
    biopsy_recommended: bool
    missing: Sequence[str]
    lines: Sequence[Line]


def page(patient: Patient, as_of: dt.date) -> Page:
    """Three queries."""
    known = classifying.classification_of(patient, as_of)
    items, result = known.items, known.result
    low, high = result.probability
    settled = result.class_ is not None
    return Page(
        entered=known.entered,
        with_biopsy=result.with_biopsy,
        score=plain(result.lowest) if not result.missing else f"{plain(result.lowest)} to {plain(result.highest)}",
        class_=CLASSES[result.at_least] if settled else "",
        between="" if settled else f"{CLASSES[result.at_least]} to {CLASSES[result.at_most].lower()}",
        classified=result.classified,
        subclass=SUBCLASSES[result.subclass] if result.subclass else "",
        subclass_missing=[NAMES[name] for name in result.subclass_missing],
        probability=_percent(low) if low == high else f"{_percent(low)} to {_percent(high)}",
        biopsy_recommended=result.biopsy_recommended is True,
        missing=[NAMES[name] for name in result.missing],
        lines=_lines(items, result.with_biopsy),
    )


def _percent(chance: Decimal) -> str:
    return f"{plain(round(chance * 100, 1))} %"


def _lines(items: Items, with_biopsy: bool) -> list[Line]:
    age = items.age_at_onset
    lines = [
        Line(
            NAMES[AGE],
            "Not recorded" if age is None else f"{age} year{'' if age == 1 else 's'}",
            "" if age is None else plain(age_points(age, with_biopsy)),
            FROM_RECORDS[AGE],
            age is None,
        )
    ]
    points = {name: pair[with_biopsy] for name, pair in POINTS.items()} | (dict(BIOPSY_POINTS) if with_biopsy else {})
    for name in (*points, "finger_flexor_weakness", "improved_on_treatment"):
        found = getattr(items, name)
        unseen = "Not known" if name in FROM_RECORDS else "Not looked at"
        worth = points.get(name)
        said = "" if worth is None or found is None else plain(worth if found else Decimal(0))
        lines.append(
            Line(
                NAMES[name], unseen if found is None else "Yes" if found else "No", said, FROM_RECORDS.get(name, ""),
                found is None,
            )
        )  # fmt: skip
    return lines
