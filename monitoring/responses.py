"""Every visit of a patient against the baseline of its own episode of treatment: improvement (TIS), and worsening.

The baseline of an episode of glucocorticoid is the newest assessment from 28 days before to 14 days after its first
day, never the visit before. Its most abnormal enzyme is chosen once and followed to the end of the episode.
Deterioration is judged beside it, because the TIS has no negative points.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitoring import selectors
from monitoring.models import Assessment
from monitoring.scores import tis as scoring
from monitoring.scores import worsening
from patients.models import Patient, Subtype
from therapy import dosing
from therapy import selectors as treatment

VISITS = 600  # the newest; more than anybody has
# Where the score was validated. Elsewhere it is used in practice, and is told with that remark.
VALIDATED = frozenset({Subtype.DERMATOMYOSITIS, Subtype.POLYMYOSITIS, Subtype.JUVENILE})


class WhyNot(StrEnum):
    """Why a visit has no TIS."""

    INCLUSION_BODY = "inclusion_body"
    NO_EPISODE = "no_episode"
    NO_BASELINE = "no_baseline"
    IS_BASELINE = "is_baseline"
    BEFORE_BASELINE = "before_baseline"


@dataclass(frozen=True)
class VisitResponse:
    """One visit. `began_on` is the first day of its episode, `baseline_on` the day of the baseline it is held against;
    `enzyme` the code of the enzyme followed from there.

    `tis` is None where `why_not` says why. `deterioration` is what the definition says of this visit alone, None for a
    visit without any of the five clinical measures; `status` is "confirmed" where the visit before meets it too.
    """

    assessment: Assessment
    core: scoring.CoreSet
    began_on: dt.date | None
    baseline_on: dt.date | None
    enzyme: str | None
    tis: scoring.Tis | None
    why_not: WhyNot | None
    deterioration: worsening.Judgement | None
    status: worsening.Status

    @property
    def is_baseline(self) -> bool:
        return self.why_not is WhyNot.IS_BASELINE or (
            self.why_not is WhyNot.INCLUSION_BODY and self.baseline_on == self.assessment.assessed_on
        )


@dataclass(frozen=True)
class _Episode:
    began_on: dt.date
    last_on: dt.date
    baseline: Assessment | None

    def holds(self, day: dt.date) -> bool:
        return self.began_on <= day and (day - self.last_on).days <= dosing.EPISODE_GAP_DAYS


def is_validated(patient: Patient) -> bool:
    """Whether the TIS was validated for the patient's subtype."""
    return patient.subtype in VALIDATED


def tis_by_visit(
    patient: Patient, as_of: dt.date, parameters: worsening.Parameters = worsening.DEFAULTS
) -> list[VisitResponse]:
    """Every visit by `as_of` with its response, newest first. Four queries, however many visits there are."""
    visits = selectors.assessments(patient, as_of, limit=VISITS)
    if not visits:
        return []
    episodes = _episodes(visits, dosing.episodes(treatment.glucocorticoid_rows(patient, as_of), as_of))
    enzymes = selectors.nearest_enzymes(patient, {visit.assessed_on for visit in visits}, as_of)
    population = selectors.population_of(patient)
    chosen = {
        e.baseline.pk: scoring.choose_enzyme(enzymes.get(e.baseline.assessed_on, {}).values())
        for e in episodes
        if e.baseline is not None
    }
    judged = _Judged(visits, parameters)
    found = []
    for visit in visits:
        episode = _episode_of(visit, episodes)
        baseline = None if episode is None else episode.baseline
        first = chosen[baseline.pk] if baseline is not None else None
        of_day = enzymes.get(visit.assessed_on, {})
        enzyme = of_day.get(first.name) if first else None if baseline else scoring.choose_enzyme(of_day.values())
        why_not = _why_not(patient, visit, episode)
        since = baseline.assessed_on if baseline and visit.assessed_on >= baseline.assessed_on else None
        judgement, status = judged.of(visit, since)
        found.append(
            VisitResponse(
                assessment=visit,
                core=selectors.core_set(visit, enzyme),
                began_on=None if episode is None else episode.began_on,
                baseline_on=None if baseline is None else baseline.assessed_on,
                enzyme=None if first is None else first.name,
                tis=None
                if why_not is not None or baseline is None
                else selectors.improvement(baseline, first, visit, enzyme, population),
                why_not=why_not,
                deterioration=judgement,
                status=status,
            )
        )
    return found


def _episodes(visits: Sequence[Assessment], spans: Sequence[tuple[dt.date, dt.date]]) -> list[_Episode]:
    before, after = selectors.BASELINE_BEFORE_DAYS, selectors.BASELINE_AFTER_DAYS
    return [
        _Episode(
            first,
            last,
            # newest first, so the first in the window is the baseline
            next((v for v in visits if -before <= (v.assessed_on - first).days <= after), None),
        )
        for first, last in spans
    ]


def _episode_of(visit: Assessment, episodes: Sequence[_Episode]) -> _Episode | None:
    """The episode whose baseline the visit is, else the one in force on its day."""
    for episode in episodes:
        if episode.baseline is visit:
            return episode
    return next((episode for episode in reversed(episodes) if episode.holds(visit.assessed_on)), None)


def _why_not(patient: Patient, visit: Assessment, episode: _Episode | None) -> WhyNot | None:
    if patient.subtype == Subtype.INCLUSION_BODY:
        return WhyNot.INCLUSION_BODY
    if episode is None:
        return WhyNot.NO_EPISODE
    if episode.baseline is None:
        return WhyNot.NO_BASELINE
    if episode.baseline is visit:
        return WhyNot.IS_BASELINE
    return WhyNot.BEFORE_BASELINE if visit.assessed_on <= episode.baseline.assessed_on else None


class _Judged:
    """What the definition of deterioration says of each visit, once for every baseline."""

    def __init__(self, visits: Sequence[Assessment], parameters: worsening.Parameters) -> None:
        self.parameters = parameters
        self.visits = {
            a.pk: worsening.Visit(
                day=a.assessed_on,
                physician_vas=a.physician_vas,
                patient_vas=a.patient_vas,
                haq_di=a.haq_di,
                mmt8_150=a.mmt8_150,
                mmt8_80=a.mmt8_80,
                extramuscular_vas=a.extramuscular_vas,
            )
            for a in reversed(visits)  # of one day in the order of entry
        }
        self.by_baseline: dict[dt.date | None, Mapping[int, tuple[worsening.Judgement, worsening.Status]]] = {}

    def of(self, visit: Assessment, baseline_on: dt.date | None) -> tuple[worsening.Judgement | None, worsening.Status]:
        if baseline_on not in self.by_baseline:
            self.by_baseline[baseline_on] = self._since(baseline_on)
        return self.by_baseline[baseline_on].get(id(self.visits[visit.pk]), (None, worsening.Status.NONE))

    def _since(self, baseline_on: dt.date | None) -> dict[int, tuple[worsening.Judgement, worsening.Status]]:
        judgements = worsening.assess(list(self.visits.values()), baseline_on, self.parameters).judgements
        found, before = {}, False
        for judgement in judgements:
            status = worsening.Status.NONE
            if judgement.meets:
                status = worsening.Status.CONFIRMED if before else worsening.Status.ONCE
            found[id(judgement.visit)] = (judgement, status)
            before = judgement.meets
        return found
