"""The classification of a patient in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from monitoring import classifying
from monitoring.scores.classification import AGE, BIOPSY_POINTS, POINTS, Class, Items, SubClass, age_points
from monitoring.wording import number
from patients.models import ClassificationItems, Patient

# What is entered, and its label.
LABELS: Mapping[str, StrOrPromise] = {
    "weak_upper_proximal": _("Weak proximal arms"),
    "weak_lower_proximal": _("Weak proximal legs"),
    "neck_flexors_weaker": _("Neck flexors weaker than extensors"),
    "legs_proximal_weaker": _("Legs: proximal weaker than distal"),
    "heliotrope": _("Heliotrope rash"),
    "gottron_papules": _("Gottron's papules"),
    "gottron_sign": _("Gottron's sign"),
    "dysphagia": _("Dysphagia or oesophageal dysmotility"),
    "endomysial_infiltrate": _("Endomysial mononuclear cells around fibres"),
    "perimysial_infiltrate": _("Perimysial or perivascular mononuclear cells"),
    "perifascicular_atrophy": _("Perifascicular atrophy"),
    "rimmed_vacuoles": _("Rimmed vacuoles"),
    "finger_flexor_weakness": _("Weak finger flexors"),
    "improved_on_treatment": _("Improved on treatment"),
}
CLASSES = {
    Class.NOT_IIM: _("Not a case"),
    Class.POSSIBLE: _("Possible"),
    Class.PROBABLE: _("Probable"),
    Class.DEFINITE: _("Definite"),
}
SUBCLASSES = {
    SubClass.JUVENILE_DERMATOMYOSITIS: _("Juvenile dermatomyositis"),
    SubClass.OTHER_JUVENILE: _("Juvenile myositis other than dermatomyositis"),
    SubClass.DERMATOMYOSITIS: _("Dermatomyositis"),
    SubClass.AMYOPATHIC: _("Amyopathic dermatomyositis"),
    SubClass.INCLUSION_BODY: _("Inclusion body myositis"),
    SubClass.POLYMYOSITIS: _("Polymyositis (includes necrotising myopathy)"),
}
NAMES = {
    **LABELS, AGE: _("Age at the first symptom"), "anti_jo1": _("Anti-Jo-1"),
    "enzyme_high": _("CK, LDH, AST or ALT above its limit"),
}  # fmt: skip
FROM_RECORDS = {AGE: _("the day of the first symptom"), "anti_jo1": _("antibodies"), "enzyme_high": _("results")}


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
        score=number(result.lowest) if not result.missing else _span(number(result.lowest), number(result.highest)),
        class_=str(CLASSES[result.at_least]) if settled else "",
        between="" if settled else _span(str(CLASSES[result.at_least]), str(CLASSES[result.at_most]).lower()),
        classified=result.classified,
        subclass=str(SUBCLASSES[result.subclass]) if result.subclass else "",
        subclass_missing=[str(NAMES[name]) for name in result.subclass_missing],
        probability=_percent(low) if low == high else _span(_percent(low), _percent(high)),
        biopsy_recommended=result.biopsy_recommended is True,
        missing=[str(NAMES[name]) for name in result.missing],
        lines=_lines(items, result.with_biopsy),
    )


def _span(least: str, most: str) -> str:
    return gettext("%(least)s to %(most)s") % {"least": least, "most": most}


def _percent(chance: Decimal) -> str:
    return f"{number(round(chance * 100, 1))} %"


def _lines(items: Items, with_biopsy: bool) -> list[Line]:
    age = items.age_at_onset
    lines = [
        Line(
            str(NAMES[AGE]),
            gettext("Not recorded") if age is None else ngettext("%(n)s year", "%(n)s years", age) % {"n": age},
            "" if age is None else number(age_points(age, with_biopsy)),
            str(FROM_RECORDS[AGE]),
            age is None,
        )
    ]
    points = {name: pair[with_biopsy] for name, pair in POINTS.items()} | (dict(BIOPSY_POINTS) if with_biopsy else {})
    for name in (*points, "finger_flexor_weakness", "improved_on_treatment"):
        found = getattr(items, name)
        unseen = gettext("Not known") if name in FROM_RECORDS else gettext("Not looked at")
        worth = points.get(name)
        said = "" if worth is None or found is None else number(worth if found else Decimal(0))
        lines.append(
            Line(
                str(NAMES[name]), unseen if found is None else gettext("Yes") if found else gettext("No"), said,
                str(FROM_RECORDS.get(name, "")), found is None,
            )
        )  # fmt: skip
    return lines
