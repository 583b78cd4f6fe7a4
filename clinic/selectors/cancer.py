"""What the page of cancer screening shows: tier and reasons, panels with their days, and what was looked at.

Tier and panels are asked of the rule `cancer-screening` itself, so that page and alert cannot disagree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from common.dates import age_on
from common.words import N_
from monitoring import governance
from monitoring.asking import findings
from monitoring.models import Imaging, Modality, Result, Screening, ScreeningKind
from monitoring.rules.cancer_screening import RULE, STATE
from monitoring.rules.cancer_sql import PANELS
from monitoring.scores import cancer_tier
from monitoring.scores.cancer_tier import Panel, Tier
from monitoring.words import translated_words
from patients.models import Patient, Subtype

WHY = {
    "diagnosis": N_("at diagnosis"),
    "yearly": N_("yearly, in the high tier"),
    "re-tiered": N_("the tier rose"),
    "red-flag": N_("red flag, whatever the tier"),
}
SCREENINGS = (
    ScreeningKind.CANCER_BASIC,
    ScreeningKind.CANCER_ENHANCED,
    ScreeningKind.PET_CT,
    ScreeningKind.ENDOSCOPY,
    ScreeningKind.NASOENDOSCOPY,
)
CONSIDER = SCREENINGS[2:]
_WHERE = {ScreeningKind.NASOENDOSCOPY: N_("where nasopharyngeal cancer is common")}
RECORDED = 30
# What the record holds of a part of a panel; the others are told only by the panel itself.
_ANALYTES = {
    "full blood count": ("haemoglobin", "wbc", "platelets"),
    "liver tests": ("alt", "ast"),
    "ESR and CRP": ("esr", "crp"),
    "PSA": ("psa",),
    "CA-125": ("ca-125",),
    "faecal occult blood": ("fobt",),
}
_IMAGING = {"chest X-ray": Modality.CHEST_XRAY, "CT of neck, thorax, abdomen and pelvis": Modality.CT_CHEST}
_SCREENED = {"urinalysis": ScreeningKind.URINALYSIS}
_NOTES = {
    "CT of neck, thorax, abdomen and pelvis": N_("the record tells of a CT of the chest"),
    "cervical screening": N_("where there is a cervix, at the age of the national programme"),
    "mammography": N_("at the age of the national programme"),
    "PSA": N_("where there is a prostate"),
    "CA-125": N_("where there are ovaries"),
    "pelvic or transvaginal ultrasound": N_("where there are ovaries"),
}


@dataclass(frozen=True)
class Item:
    """A panel and its day. `closes_on`: until then it is in time; None where a new fact asks for it at once."""

    name: str
    why: str
    due_on: dt.date
    closes_on: dt.date | None
    done_on: dt.date | None
    state: str  # done, late, due, ahead

    @property
    def tone(self) -> str:
        return {"done": "good", "late": "task", "due": "info", "ahead": "info"}[self.state]


@dataclass(frozen=True)
class Part:
    """A part of a panel; `latest` is what the record has of it, None where it has nothing or cannot tell."""

    name: str
    note: str
    latest: dt.date | None


@dataclass(frozen=True)
class Standing:
    tier: Tier
    tier_on: dt.date
    stop_on: dt.date
    high: Sequence[str]
    intermediate: Sequence[str]
    red_flags: Sequence[str]
    pet_alone: bool
    is_outside: bool  # of the guideline's table: inclusion body myositis
    history: Sequence[tuple[dt.date, Tier]]  # newest first
    items: Sequence[Item]

    @property
    def next_item(self) -> Item | None:
        """What to do next, of what is not done: what is wanted at once or late, else the earliest."""
        undone = [item for item in self.items if item.state != "done"]
        return min(undone, key=lambda item: (item.state != "late", item.due_on), default=None)


@dataclass(frozen=True)
class Page:
    """`standing` is None where the rule says nothing of the patient: `missing` or `unasked` says why."""

    standing: Standing | None
    missing: Sequence[str]
    unasked: str
    basic: Sequence[Part]
    enhanced: Sequence[Part]
    consider: Sequence[tuple[str, str, Screening | None]]  # what, where it is wanted, the newest
    recorded: Sequence[Screening]
    parameters: cancer_tier.Parameters


def page(patient: Patient, as_of: dt.date) -> Page:
    """Six queries, and those of asking the rule. `patient.centre` is read already."""
    numbers = governance.numbers(patient.centre, RULE).parameters
    found = findings(STATE, as_of=as_of, patient_ids=[patient.pk], parameters=numbers, even_if_off=True)
    evidence = found[0].evidence if found else None
    standing = _standing(patient, evidence, as_of, numbers) if evidence and evidence["tier"] else None
    missing = (found[0].missing or ()) if found else ()
    screenings = Screening.objects.current().filter(patient=patient, done_on__lte=as_of).order_by("-done_on", "-id")
    recorded = list(screenings.filter(kind__in=SCREENINGS)[:RECORDED])
    latest = _latest(patient, as_of)
    return Page(
        standing=standing,
        missing=[translated_words(word) for word in missing],
        unasked="" if found else _unasked(patient, as_of, numbers),
        basic=_parts(cancer_tier.BASIC_PANEL, latest),
        enhanced=_parts(cancer_tier.ENHANCED_PANEL, latest),
        consider=[
            (
                str(kind.label),
                _(_WHERE[kind]) if kind in _WHERE else "",
                next((s for s in recorded if s.kind == kind), None),
            )
            for kind in CONSIDER
        ],
        recorded=recorded,
        parameters=numbers,
    )


def _panel(panel: Panel) -> str:
    return _(PANELS[panel])


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _standing(
    patient: Patient, evidence: Mapping[str, Any], as_of: dt.date, numbers: cancer_tier.Parameters
) -> Standing:
    tier = Tier(evidence["tier"])
    window = dt.timedelta(days=numbers.window_after_days)
    items: list[Item] = []
    for row in evidence["items"]:
        due_on = _day(row["due_on"])
        closes_on = None if row["at_once"] else due_on + window
        done_on = _day(row["done_on"]) if row["done_on"] else None
        late = due_on <= as_of and (closes_on is None or closes_on < as_of)
        state = "done" if done_on else "late" if late else "due" if due_on <= as_of else "ahead"
        items.append(Item(_panel(Panel(row["panel"])), _(WHY[row["why"]]), due_on, closes_on, done_on, state))
    return Standing(
        tier=tier,
        tier_on=_day(evidence["tier_on"]),
        stop_on=_day(evidence["stop_on"]),
        high=[translated_words(word) for word in evidence["high"]],
        intermediate=[translated_words(word) for word in evidence["intermediate"]],
        red_flags=[translated_words(word) for word in evidence["red_flags"]],
        pet_alone=evidence["pet_alone"],
        is_outside=patient.subtype == Subtype.INCLUSION_BODY,
        history=[(_day(day), tuple(Tier)[int(number)]) for day, number in reversed(evidence["history"])],
        items=sorted(
            [*items, *_ahead(patient, as_of, tier, items, numbers)], key=lambda item: (item.due_on, item.name)
        ),
    )


def _ahead(
    patient: Patient, as_of: dt.date, tier: Tier, items: Sequence[Item], numbers: cancer_tier.Parameters
) -> list[Item]:
    """What will fall due further ahead than the rule looks, as long as the tier stays."""
    if patient.diagnosed_on is None or patient.onset_on is None:
        return []
    known = {(item.name, item.due_on) for item in items}
    return [
        Item(_panel(due.panel), _(WHY["yearly"]), due.due_on, due.closes_on, None, "ahead")
        for due in cancer_tier.panels(tier, patient.diagnosed_on, patient.onset_on, numbers)
        if due.due_on > as_of and (_panel(due.panel), due.due_on) not in known
    ]


def _unasked(patient: Patient, as_of: dt.date, numbers: cancer_tier.Parameters) -> str:
    onset = patient.onset_on
    if patient.subtype == cancer_tier.JUVENILE or (onset and age_on(patient.born_on, onset) < cancer_tier.ADULT_FROM):
        return _("The disease began in childhood: the guideline does not screen for cancer routinely.")
    if onset and cancer_tier.stops_on(onset, numbers) < max(as_of, patient.diagnosed_on or as_of):
        return _("More than three years have passed since the first symptom: the guideline foresees nothing further.")
    if not onset and patient.diagnosed_on and cancer_tier.stops_on(patient.diagnosed_on, numbers) < as_of:
        return _("More than three years have passed since the diagnosis: the guideline foresees nothing further.")
    return _("The patient is not under follow-up, or excepted from this rule: it is not asked.")


def _latest(patient: Patient, as_of: dt.date) -> dict[str, dt.date]:
    """{part of a panel: the latest day the record has of all of it}."""
    codes = [code for each in _ANALYTES.values() for code in each]
    results = dict(
        Result.objects.current()
        .filter(patient=patient, analyte__in=codes, taken_on__lte=as_of)
        .values_list("analyte")
        .annotate(Max("taken_on"))
    )
    seen = Imaging.objects.current().filter(patient=patient, done_on__lte=as_of, modality__in=_IMAGING.values())
    imaged = dict(seen.values_list("modality").annotate(Max("done_on")))
    looked = Screening.objects.current().filter(patient=patient, done_on__lte=as_of, kind__in=_SCREENED.values())
    screened = dict(looked.values_list("kind").annotate(Max("done_on")))
    days: dict[str, dt.date] = {}
    for name, needed in _ANALYTES.items():
        # Of a part with several tests the one longest ago tells how old it is.
        found = [results[code] for code in needed if code in results]
        if len(found) == len(needed) or (name == "liver tests" and found):
            days[name] = max(found) if name == "liver tests" else min(found)
    days |= {name: imaged[kind] for name, kind in _IMAGING.items() if kind in imaged}
    days |= {name: screened[kind] for name, kind in _SCREENED.items() if kind in screened}
    return days


def _parts(names: Iterable[str], latest: Mapping[str, dt.date]) -> list[Part]:
    return [Part(_(name), _(_NOTES[name]) if name in _NOTES else "", latest.get(name)) for name in names]
