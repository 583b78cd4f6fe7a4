"""Health Assessment Questionnaire, Disability Index (HAQ-DI), 0 (no difficulty) to 3 (unable).

Source: the HAQ-DI scoring sheet (Fries; CLINHAQ form) and the definition of LOINC 75874-8. Item counts per category and
the absence of an aid for "activities" are from general knowledge.

A category is its worst answered item. An aid, or help from another person, lifts a category of 0 or 1 to 2. The index
is the mean of the categories answered, and needs at least six of the eight.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from common.words import N_


class Category(StrEnum):
    DRESSING = "dressing"
    ARISING = "arising"
    EATING = "eating"
    WALKING = "walking"
    HYGIENE = "hygiene"
    REACH = "reach"
    GRIP = "grip"
    ACTIVITIES = "activities"

    @property
    def heading(self) -> str:
        """For the page, to be translated."""
        return _TITLES[self]


_TITLES: Mapping[Category, str] = MappingProxyType({
    Category.DRESSING: N_("Dressing"),
    Category.ARISING: N_("Arising"),
    Category.EATING: N_("Eating"),
    Category.WALKING: N_("Walking"),
    Category.HYGIENE: N_("Hygiene"),
    Category.REACH: N_("Reach"),
    Category.GRIP: N_("Grip"),
    Category.ACTIVITIES: N_("Activities"),
})  # fmt: skip

# The 20 items: code and short label. Full item wording is printed by the form, not kept here.
ITEMS: Mapping[Category, tuple[tuple[str, str], ...]] = MappingProxyType({
    Category.DRESSING: (("dress", N_("Dress, with laces and buttons")), ("hair", N_("Shampoo hair"))),
    Category.ARISING: (("stand", N_("Stand up from a straight chair")), ("bed", N_("Get in and out of bed"))),
    Category.EATING: (("cut", N_("Cut meat")), ("lift_cup", N_("Lift a full cup or glass")), ("open_carton",
        N_("Open a new carton"))),
    Category.WALKING: (("walk", N_("Walk outdoors on flat ground")), ("steps", N_("Climb five steps"))),
    Category.HYGIENE: (("wash", N_("Wash and dry the body")), ("bath", N_("Take a bath in a tub")), ("toilet",
        N_("Get on and off the toilet"))),
    Category.REACH: (("reach_up", N_("Reach up and get down a heavy object")), ("bend",
            N_("Bend down to pick up clothing"))),
    Category.GRIP: (("car_door", N_("Open car doors")), ("jars", N_("Open jars opened before")), ("taps",
        N_("Turn taps on and off"))),
    Category.ACTIVITIES: (("errands", N_("Run errands and shop")), ("car", N_("Get in and out of a car")), ("chores",
        N_("Do chores"))),
})  # fmt: skip

CATEGORY_OF_ITEM: Mapping[str, Category] = MappingProxyType(
    {code: category for category, items in ITEMS.items() for code, _ in items}
)

# Aids and devices, each counted for one category. "Other" is not in the list: the form asks which category it is for.
AIDS: Mapping[str, tuple[Category, str]] = MappingProxyType({
    "dressing_devices": (Category.DRESSING, N_("Devices for dressing (button hook, zip pull, shoe horn)")),
    "special_chair": (Category.ARISING, N_("Special or built-up chair")),
    "built_up_utensils": (Category.EATING, N_("Built-up or special utensils")),
    "cane": (Category.WALKING, N_("Cane")),
    "walker": (Category.WALKING, N_("Walker")),
    "crutches": (Category.WALKING, N_("Crutches")),
    "wheelchair": (Category.WALKING, N_("Wheelchair")),
    "raised_toilet_seat": (Category.HYGIENE, N_("Raised toilet seat")),
    "bathtub_seat": (Category.HYGIENE, N_("Bathtub seat")),
    "bathtub_bar": (Category.HYGIENE, N_("Bathtub bar")),
    "bathroom_appliances": (Category.HYGIENE, N_("Long-handled appliances in the bathroom")),
    "reach_appliances": (Category.REACH, N_("Long-handled appliances for reach")),
    "jar_opener": (Category.GRIP, N_("Jar opener (for jars opened before)")),
})  # fmt: skip

MINIMUM_CATEGORIES = 6
ITEM_MAXIMUM = 3
WITH_AID = 2
THREE_DECIMALS = Decimal("0.001")


@dataclass(frozen=True)
class HaqDi:
    """The scored questionnaire.

    ``categories``: 0-3 after aids and help, None where no item was answered. ``total`` and ``answered`` make the exact
    index. ``lifted_unanswered``: an aid or help is ticked for them, but none of their items is answered.
    """

    categories: Mapping[Category, int | None]
    total: int
    answered: int
    lifted_unanswered: tuple[Category, ...] = ()

    @property
    def exact(self) -> Fraction | None:
        """The index unrounded, for the improvement score; None with fewer than six categories."""
        return Fraction(self.total, self.answered) if self.answered >= MINIMUM_CATEGORIES else None

    @property
    def index(self) -> Decimal | None:
        """The index with three decimals, 0.000 to 3.000; None with fewer than six categories answered."""
        if self.exact is None:
            return None
        return (Decimal(self.total) / self.answered).quantize(THREE_DECIMALS, ROUND_HALF_UP)

    @property
    def missing(self) -> tuple[Category, ...]:
        return tuple(category for category, value in self.categories.items() if value is None)


def score(
    items: Mapping[str, int | None],
    aids: Collection[str] = (),
    help_with: Collection[Category] = (),
    other_aids: Collection[Category] = (),
) -> HaqDi:
    """Score the answers: ``items`` by code, 0-3, None or absent where not answered.

    ``aids`` are codes of ``AIDS``; ``other_aids`` are the categories a person named for an aid that is not listed;
    ``help_with`` are the categories in which another person usually helps. "Activities" takes help only.
    Raises ValueError for an item, aid or answer that the questionnaire does not have.
    """
    for code, answer in items.items():
        if code not in CATEGORY_OF_ITEM:
            raise ValueError("this item is not on the HAQ-DI")
        if answer is not None and (
            isinstance(answer, bool) or not isinstance(answer, int) or not 0 <= answer <= ITEM_MAXIMUM
        ):
            raise ValueError(f"an answer is a whole number from 0 to {ITEM_MAXIMUM}")
    if any(aid not in AIDS for aid in aids):
        raise ValueError("this aid is not on the HAQ-DI")
    if Category.ACTIVITIES in other_aids:
        raise ValueError("activities have help from another person, but no aid")
    lifted = {AIDS[aid][0] for aid in aids} | {Category(c) for c in other_aids} | {Category(c) for c in help_with}

    categories: dict[Category, int | None] = {}
    lifted_unanswered: list[Category] = []
    for category, rows in ITEMS.items():
        answered = [answer for code, _ in rows if (answer := items.get(code)) is not None]
        if not answered:
            categories[category] = None
            if category in lifted:
                lifted_unanswered.append(category)
            continue
        worst = max(answered)
        categories[category] = max(worst, WITH_AID) if category in lifted else worst
    values = [value for value in categories.values() if value is not None]
    return HaqDi(
        categories=categories, total=sum(values), answered=len(values), lifted_unanswered=tuple(lifted_unanswered)
    )
