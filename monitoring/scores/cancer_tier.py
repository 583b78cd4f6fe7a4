"""Risk of cancer, panels and their days, of the IMACS guideline of 2023.

Source: Oldroyd AGS, Callen JP, Chinoy H, et al. Nat Rev Rheumatol 2023;19:805-17 (correction 2024;20:315). That it is
for adult onset, within three years of the first symptom, and that the high tier is looked at every year were read; the
full lists of factors and the panels of the lower tiers are from summaries and general knowledge. The middle tier is
called moderate or intermediate.

An unknown factor never counts, and is named: a tier is "at least" as long as something is unknown. Inclusion body
myositis is outside the table: standard, with the national screening for the age. Onset in childhood: not routine.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from common.words import N_


class Tier(StrEnum):
    STANDARD = "standard"
    MODERATE = "moderate"
    HIGH = "high"


class Panel(StrEnum):
    BASIC = "basic"
    ENHANCED = "enhanced"


BASIC_PANEL = (
    N_("history and examination"),
    N_("full blood count"),
    N_("liver tests"),
    N_("ESR and CRP"),
    N_("serum electrophoresis with free light chains"),
    N_("urinalysis"),
    N_("chest X-ray"),
)
# Each only where the organ is there and the national programme has the age.
ENHANCED_PANEL = (
    N_("CT of neck, thorax, abdomen and pelvis"),
    N_("cervical screening"),
    N_("mammography"),
    N_("PSA"),
    N_("CA-125"),
    N_("pelvic or transvaginal ultrasound"),
    N_("faecal occult blood"),
)

HIGH_SUBTYPES = frozenset({"dermatomyositis"})
INTERMEDIATE_SUBTYPES = frozenset({"amyopathic", "polymyositis", "necrotising"})
HIGH_ANTIBODIES = ("tif1-gamma", "nxp2")
INTERMEDIATE_ANTIBODIES = ("sae1", "hmgcr", "mi-2", "mda5")
OUTSIDE = "inclusion_body"
JUVENILE = "juvenile"
UNKNOWN_SUBTYPE = "unknown"
ADULT_FROM = 18
# Look regardless of the tier.
RED_FLAGS = ("weight_loss", "family_cancer", "smoking", "fever", "night_sweats")


@dataclass(frozen=True)
class Parameters:
    """``age_over``: older than that at the first symptom, in completed years. A centre may lift SAE1."""

    age_over: int = 40
    high_for_high: int = 2
    high_for_moderate: int = 1
    intermediate_for_moderate: int = 2
    sae1_is_high: bool = False
    yearly_times: int = 3
    stop_months: int = 36
    window_before_days: int = 30
    window_after_days: int = 60


DEFAULTS = Parameters()


@dataclass(frozen=True)
class Facts:
    """What the tier goes by. None: not known. ``antibodies``: codes that were ever positive (not weak).

    ``subtype``: a word of the patient's record. ``dysphagia``: moderate or severe. ``persistent_activity``: high
    activity despite immunosuppression, a relapse of controlled disease included.
    """

    subtype: str
    antibodies: Collection[str] = ()
    age_at_onset: int | None = None
    sex: str = "unknown"
    persistent_activity: bool | None = None
    dysphagia: bool | None = None
    necrosis: bool | None = None
    red_flags: Collection[str] = ()


@dataclass(frozen=True)
class Tiering:
    """``tier`` by what is known, None where the guideline is not for this person. ``high`` and ``intermediate`` are the
    factors that hold, ``unknown`` those nobody recorded. ``red_flags``: screen regardless of the tier.
    ``pet_ct_alone``: FDG PET-CT may stand for all of it.
    """

    tier: Tier | None
    high: tuple[str, ...]
    intermediate: tuple[str, ...]
    unknown: tuple[str, ...]
    red_flags: tuple[str, ...]
    pet_ct_alone: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.high + self.intermediate


@dataclass(frozen=True)
class Due:
    """A panel and its day; ``opens_on`` and ``closes_on`` are the first and the last day on which it is in time."""

    panel: Panel
    due_on: date
    opens_on: date
    closes_on: date


def tier(facts: Facts, parameters: Parameters = DEFAULTS) -> Tiering:
    """Count the factors: high with two high ones; moderate with one, or two intermediate ones; else standard."""
    flags = tuple(flag for flag in RED_FLAGS if flag in facts.red_flags)
    if facts.subtype == JUVENILE or (facts.age_at_onset is not None and facts.age_at_onset < ADULT_FROM):
        return Tiering(None, (), (), (), flags)
    if facts.subtype == OUTSIDE:
        return Tiering(Tier.STANDARD, (), (), (), flags)
    lifted = ("sae1",) if parameters.sae1_is_high else ()
    clinical = {
        "age_at_onset": None if facts.age_at_onset is None else facts.age_at_onset > parameters.age_over,
        "persistent_activity": facts.persistent_activity,
        "dysphagia": facts.dysphagia,
        "necrosis": facts.necrosis,
    }
    high = [f"subtype:{facts.subtype}"] if facts.subtype in HIGH_SUBTYPES else []
    high += [f"antibody:{code}" for code in (*HIGH_ANTIBODIES, *lifted) if code in facts.antibodies]
    high += [name for name, holds in clinical.items() if holds]
    between = [f"subtype:{facts.subtype}"] if facts.subtype in INTERMEDIATE_SUBTYPES else []
    between += [
        f"antibody:{code}" for code in INTERMEDIATE_ANTIBODIES if code in facts.antibodies and code not in lifted
    ]
    between += ["male"] if facts.sex == "male" else []
    unknown = ["subtype"] if facts.subtype == UNKNOWN_SUBTYPE else []
    unknown += [name for name, holds in clinical.items() if holds is None]
    unknown += ["sex"] if facts.sex not in ("male", "female") else []
    if len(high) >= parameters.high_for_high:
        found = Tier.HIGH
    elif len(high) >= parameters.high_for_moderate or len(between) >= parameters.intermediate_for_moderate:
        found = Tier.MODERATE
    else:
        found = Tier.STANDARD
    alone = (
        facts.subtype in HIGH_SUBTYPES
        and "tif1-gamma" in facts.antibodies
        and clinical["age_at_onset"] is True
        and any(clinical[name] for name in ("persistent_activity", "dysphagia", "necrosis"))
    )
    return Tiering(found, tuple(high), tuple(between), tuple(unknown), flags, alone)


def stops_on(onset_on: date, parameters: Parameters = DEFAULTS) -> date:
    """The last day on which a screening falls due: three years after the first symptom."""
    return add_months(onset_on, parameters.stop_months)


def panels(of: Tier, diagnosed_on: date, onset_on: date, parameters: Parameters = DEFAULTS) -> tuple[Due, ...]:
    """What is due when, oldest first. At diagnosis the basic panel, from moderate on the enhanced one too; in the high
    tier the basic one after 12, 24 and 36 months again. Nothing falls due after `stops_on`, the first panels included:
    a diagnosis more than three years after the first symptom leaves nothing.
    """
    days = [(Panel.BASIC, diagnosed_on)]
    if of is not Tier.STANDARD:
        days.append((Panel.ENHANCED, diagnosed_on))
    if of is Tier.HIGH:
        days += [(Panel.BASIC, add_months(diagnosed_on, 12 * year)) for year in range(1, parameters.yearly_times + 1)]
    last = stops_on(onset_on, parameters)
    return tuple(
        Due(
            panel,
            day,
            day - timedelta(days=parameters.window_before_days),
            day + timedelta(days=parameters.window_after_days),
        )
        for panel, day in days
        if day <= last
    )


def add_months(day: date, months: int) -> date:
    """The same day of a later month; the last of that month where it has no such day. As PostgreSQL adds months."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
