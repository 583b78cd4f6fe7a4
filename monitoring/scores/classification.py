"""EULAR/ACR classification criteria for idiopathic inflammatory myopathies, 2017.

Source: Lundberg IE, Tjarnlund A, Bottai M, et al. Ann Rheum Dis 2017;76:1955-64. The points and cut-offs were read in
published tables; the sub-classification tree (fig. 2 of the paper) and the probabilities are from general knowledge.
That biopsy features are needed without a typical rash is a note of the Karolinska calculator.

For grouping in research, where nothing explains the findings better. It is no diagnosis, and it does not know
necrotising myopathy or antisynthetase syndrome: the subtype a clinician recorded is another thing and stays as it is.

An item that nobody looked at is not "no". Every item adds points and none takes any away, so the score is an interval:
the lowest counts what is unknown as absent, the highest as present.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from types import MappingProxyType


class Class(StrEnum):
    NOT_IIM = "not_iim"
    POSSIBLE = "possible"
    PROBABLE = "probable"
    DEFINITE = "definite"


class SubClass(StrEnum):
    JUVENILE_DERMATOMYOSITIS = "juvenile_dermatomyositis"
    OTHER_JUVENILE = "other_juvenile"
    DERMATOMYOSITIS = "dermatomyositis"
    AMYOPATHIC = "amyopathic"
    INCLUSION_BODY = "inclusion_body"
    POLYMYOSITIS = "polymyositis"


# Points without and with a muscle biopsy. Age is counted apart.
POINTS: Mapping[str, tuple[Decimal, Decimal]] = MappingProxyType({
    "weak_upper_proximal": (Decimal("0.7"), Decimal("0.7")),
    "weak_lower_proximal": (Decimal("0.8"), Decimal("0.5")),
    "neck_flexors_weaker": (Decimal("1.9"), Decimal("1.6")),
    "legs_proximal_weaker": (Decimal("0.9"), Decimal("1.2")),
    "heliotrope": (Decimal("3.1"), Decimal("3.2")),
    "gottron_papules": (Decimal("2.1"), Decimal("2.7")),
    "gottron_sign": (Decimal("3.3"), Decimal("3.7")),
    "dysphagia": (Decimal("0.7"), Decimal("0.6")),
    "anti_jo1": (Decimal("3.9"), Decimal("3.8")),
    "enzyme_high": (Decimal("1.3"), Decimal("1.4")),
})  # fmt: skip
BIOPSY_POINTS: Mapping[str, Decimal] = MappingProxyType({
    "endomysial_infiltrate": Decimal("1.7"),
    "perimysial_infiltrate": Decimal("1.2"),
    "perifascicular_atrophy": Decimal("1.9"),
    "rimmed_vacuoles": Decimal("3.1"),
})  # fmt: skip
# (first age, points without, with a biopsy) in completed years at the first symptom; below the first of them nothing.
AGE_POINTS = (
    (40, Decimal("2.1"), Decimal("2.2")),
    (18, Decimal("1.3"), Decimal("1.5")),
)
ADULT_FROM = 18

# Lower limits, highest class first. A score on the limit belongs to the class.
CUT_OFFS: Mapping[bool, tuple[tuple[Class, Decimal], ...]] = MappingProxyType({
    False: (
        (Class.DEFINITE, Decimal("7.5")), (Class.PROBABLE, Decimal("5.5")), (Class.POSSIBLE, Decimal("5.3")),
    ),
    True: (
        (Class.DEFINITE, Decimal("8.7")), (Class.PROBABLE, Decimal("6.7")), (Class.POSSIBLE, Decimal("6.5")),
    ),
})  # fmt: skip
MIDPOINT: Mapping[bool, Decimal] = MappingProxyType({False: Decimal("5.33"), True: Decimal("6.49")})

SKIN = ("heliotrope", "gottron_papules", "gottron_sign")
WEAKNESS = ("weak_upper_proximal", "weak_lower_proximal", "neck_flexors_weaker", "legs_proximal_weaker")
AGE = "age_at_onset"
ORDER = tuple(Class)


@dataclass(frozen=True)
class Items:
    """What the criteria ask. None: not looked at, which is not "no". Age in completed years at the first symptom.

    ``enzyme_high``: CK, LDH, AST or ALT above its upper limit at least once. ``improved_on_treatment`` and
    ``finger_flexor_weakness`` add no points: they tell inclusion body myositis. Biopsy findings are read only where
    ``has_biopsy``.
    """

    age_at_onset: int | None = None
    weak_upper_proximal: bool | None = None
    weak_lower_proximal: bool | None = None
    neck_flexors_weaker: bool | None = None
    legs_proximal_weaker: bool | None = None
    heliotrope: bool | None = None
    gottron_papules: bool | None = None
    gottron_sign: bool | None = None
    dysphagia: bool | None = None
    anti_jo1: bool | None = None
    enzyme_high: bool | None = None
    has_biopsy: bool = False
    endomysial_infiltrate: bool | None = None
    perimysial_infiltrate: bool | None = None
    perifascicular_atrophy: bool | None = None
    rimmed_vacuoles: bool | None = None
    finger_flexor_weakness: bool | None = None
    improved_on_treatment: bool | None = None

    def __post_init__(self) -> None:
        if self.age_at_onset is not None and self.age_at_onset < 0:
            raise ValueError("an age cannot be negative")


@dataclass(frozen=True)
class Classification:
    """The criteria applied. ``missing``: items without a finding that could add points, in the order of the criteria.

    ``subclass`` is None below "probable", and where it depends on ``subclass_missing``. ``biopsy_recommended`` is a
    caution: no typical rash and no biopsy; None where the rash was not looked for. It blocks nothing.
    """

    with_biopsy: bool
    lowest: Decimal
    highest: Decimal
    missing: tuple[str, ...]
    subclass: SubClass | None
    subclass_missing: tuple[str, ...]
    biopsy_recommended: bool | None

    @property
    def score(self) -> Decimal | None:
        """The score, None while an item is missing."""
        return self.lowest if not self.missing else None

    @property
    def at_least(self) -> Class:
        return class_of(self.lowest, self.with_biopsy)

    @property
    def at_most(self) -> Class:
        return class_of(self.highest, self.with_biopsy)

    @property
    def class_(self) -> Class | None:
        """None where what is missing could change it."""
        return self.at_least if self.at_least is self.at_most else None

    @property
    def classified(self) -> bool | None:
        """At least probable, the least that classifies; None where that depends on what is missing."""
        if ORDER.index(self.at_least) >= ORDER.index(Class.PROBABLE):
            return True
        return False if ORDER.index(self.at_most) < ORDER.index(Class.PROBABLE) else None

    @property
    def probability(self) -> tuple[Decimal, Decimal]:
        """Of the lowest and the highest score. Information: the class goes by the score alone."""
        return probability_of(self.lowest, self.with_biopsy), probability_of(self.highest, self.with_biopsy)


def class_of(score: Decimal, with_biopsy: bool) -> Class:
    """The class of a score, by the table of scores. 5.5 without a biopsy is probable, though its p is 0.542."""
    for found, limit in CUT_OFFS[with_biopsy]:
        if score >= limit:
            return found
    return Class.NOT_IIM


def probability_of(score: Decimal, with_biopsy: bool) -> Decimal:
    """Probability of the disease, 0 to 1, three decimals. For information."""
    chance = 1 / (1 + (MIDPOINT[with_biopsy] - score).exp())
    return chance.quantize(Decimal("0.001"), ROUND_HALF_UP)


def age_points(age: int, with_biopsy: bool) -> Decimal:
    for first, without, with_it in AGE_POINTS:
        if age >= first:
            return with_it if with_biopsy else without
    return Decimal(0)


def classify(items: Items) -> Classification:
    """Apply the criteria to what was found."""
    biopsied = items.has_biopsy
    points = {name: pair[biopsied] for name, pair in POINTS.items()} | (dict(BIOPSY_POINTS) if biopsied else {})
    lowest = sum((p for name, p in points.items() if getattr(items, name)), Decimal(0))
    missing = [name for name in points if getattr(items, name) is None]
    highest = lowest + sum((points[name] for name in missing), Decimal(0))
    if items.age_at_onset is None:
        missing.insert(0, AGE)
        highest += max(age_points(first, biopsied) for first, *_ in AGE_POINTS)
    else:
        of_age = age_points(items.age_at_onset, biopsied)
        lowest, highest = lowest + of_age, highest + of_age
    subclass: SubClass | None = None
    asked: tuple[str, ...] = ()
    if ORDER.index(class_of(lowest, biopsied)) >= ORDER.index(Class.PROBABLE):
        subclass, asked = _subclass(items)
    rash = _any(items, SKIN)
    return Classification(
        with_biopsy=biopsied,
        lowest=lowest,
        highest=highest,
        missing=tuple(missing),
        subclass=subclass,
        subclass_missing=asked,
        biopsy_recommended=False if biopsied or rash else None if rash is None else True,
    )


def _subclass(items: Items) -> tuple[SubClass | None, tuple[str, ...]]:
    """The tree of the paper, and the items without which it cannot be followed to its end."""
    rash = _any(items, SKIN)
    if items.age_at_onset is None:
        return None, (AGE, *(_unknown(items, SKIN) if rash is None else ()))
    if rash is None:
        return None, _unknown(items, SKIN)
    if items.age_at_onset < ADULT_FROM:
        return (SubClass.JUVENILE_DERMATOMYOSITIS if rash else SubClass.OTHER_JUVENILE), ()
    if rash:
        weak = _any(items, WEAKNESS)
        if weak is None:
            return None, _unknown(items, WEAKNESS)
        return (SubClass.DERMATOMYOSITIS if weak else SubClass.AMYOPATHIC), ()
    # Without a biopsy there are no vacuoles to be found: the paper then goes by the fingers alone.
    vacuoles = items.rimmed_vacuoles if items.has_biopsy else False
    if vacuoles:
        return SubClass.INCLUSION_BODY, ()
    fingers, improved = items.finger_flexor_weakness, items.improved_on_treatment
    by_fingers: bool | None = True
    if fingers is False or improved is True:
        by_fingers = False
    elif fingers is None or improved is None:
        by_fingers = None
    if by_fingers:
        return SubClass.INCLUSION_BODY, ()
    if vacuoles is False and by_fingers is False:
        return SubClass.POLYMYOSITIS, ()
    open_items = [] if by_fingers is False else ["finger_flexor_weakness", "improved_on_treatment"]
    if vacuoles is None:
        open_items.append("rimmed_vacuoles")
    return None, _unknown(items, open_items)


def _any(items: Items, names: Iterable[str]) -> bool | None:
    """True where one is there, False where all were looked at and none is, else None."""
    found = [getattr(items, name) for name in names]
    return True if any(found) else None if None in found else False


def _unknown(items: Items, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if getattr(items, name) is None)
