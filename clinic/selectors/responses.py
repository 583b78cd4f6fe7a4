"""The response to treatment of every visit, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.templatetags.days import plain
from monitoring.responses import VisitResponse, WhyNot, is_validated, tis_by_visit
from monitoring.scores import worsening
from monitoring.scores.tis import Category, Measure, MeasureResult, Tis
from monitoring.selectors import population_of
from patients.models import Patient, Subtype

HEADS = {
    Measure.PHYSICIAN_VAS: gettext_lazy("Physician VAS"),
    Measure.PATIENT_VAS: gettext_lazy("Patient VAS"),
    Measure.MMT: gettext_lazy("Strength"),
    Measure.HAQ_DI: "HAQ-DI",
    Measure.ENZYME: gettext_lazy("Enzyme"),
    Measure.EXTRAMUSCULAR_VAS: gettext_lazy("Extramuscular VAS"),
}
CATEGORIES = {
    Category.NONE: gettext_lazy("No response"),
    Category.MINIMAL: gettext_lazy("Minimal"),
    Category.MODERATE: gettext_lazy("Moderate"),
    Category.MAJOR: gettext_lazy("Major"),
}
WHY_NOT = {
    WhyNot.INCLUSION_BODY: gettext_lazy("Not computed in inclusion body myositis"),
    WhyNot.NO_EPISODE: gettext_lazy("No glucocorticoid course at that time"),
    WhyNot.NO_BASELINE: gettext_lazy("The course has no baseline assessment"),
    WhyNot.IS_BASELINE: "",
    WhyNot.BEFORE_BASELINE: gettext_lazy("Before the baseline"),
}
REASONS = {
    worsening.Reason.GLOBAL_AND_STRENGTH: gettext_lazy("physician VAS and strength"),
    worsening.Reason.EXTRAMUSCULAR: gettext_lazy("extramuscular VAS"),
    worsening.Reason.THREE_OF_FIVE: gettext_lazy("three of five measures"),
}
# Short enough for a column; the whole is in the title.
MISSING = {
    "not available at baseline": gettext_lazy("not at baseline"),
    "not available at follow-up": gettext_lazy("not measured"),
    "not available at baseline and follow-up": gettext_lazy("not measured"),
    "strength was tested with different versions": gettext_lazy("other version"),
}


@dataclass(frozen=True)
class Cell:
    """Change of one measure in percent of its range, better is positive; its points; why it is missing."""

    percent: str
    points: str
    worse: bool
    why_missing: str
    missing: str


@dataclass(frozen=True)
class Row:
    id: int
    day: dt.date
    is_baseline: bool
    baseline_on: dt.date | None
    enzyme: str
    total: str
    category: str
    why_not: str
    cells: Sequence[Cell]
    deterioration: str
    confirmed: bool
    because: str


@dataclass(frozen=True)
class Page:
    rows: Sequence[Row]
    heads: Sequence[str]
    limits: str
    validated: bool
    computed: bool


def page(patient: Patient, as_of: dt.date) -> Page:
    """Every visit, newest first. Four queries."""
    juvenile = population_of(patient) == "juvenile"
    return Page(
        rows=[row_of(visit) for visit in tis_by_visit(patient, as_of)],
        heads=[str(head) for head in HEADS.values()],
        limits=_("Minimal from 30, moderate from 45, major from 70 (juvenile)")
        if juvenile
        else _("Minimal from 20, moderate from 40, major from 60"),
        validated=is_validated(patient),
        computed=patient.subtype != Subtype.INCLUSION_BODY,
    )


def score_words(tis: Tis) -> tuple[str, str]:
    """The total, or between what it lies, and the category."""
    total = plain(tis.lowest)
    if tis.partial:
        total = _("%(least)s to %(most)s") % {"least": total, "most": plain(tis.highest)}
    if tis.category is not None:
        return total, str(CATEGORIES[tis.category])
    if tis.at_least is Category.NONE:
        return total, _("Cannot be told")
    return total, _("At least %(category)s") % {"category": str(CATEGORIES[tis.at_least]).lower()}


def row_of(visit: VisitResponse) -> Row:
    tis, judgement = visit.tis, visit.deterioration
    total, category = score_words(tis) if tis is not None else ("", "")
    words = {worsening.Status.NONE: "", worsening.Status.ONCE: _("Once"), worsening.Status.CONFIRMED: _("Confirmed")}
    return Row(
        id=visit.assessment.pk,
        day=visit.assessment.assessed_on,
        is_baseline=visit.is_baseline,
        baseline_on=visit.baseline_on,
        enzyme=visit.enzyme.upper() if visit.enzyme else "",
        total=total,
        category=category,
        why_not=str(WHY_NOT[visit.why_not]) if visit.why_not else "",
        cells=[_cell(measure) for measure in tis.measures] if tis else [],
        deterioration=words[visit.status],
        confirmed=visit.status is worsening.Status.CONFIRMED,
        because=", ".join(str(REASONS[reason]) for reason in judgement.reasons) if judgement else "",
    )


def _cell(measure: MeasureResult) -> Cell:
    percent = measure.improvement_percent
    return Cell(
        percent="" if percent is None else plain(round(percent, 1)).replace("-", "−"),
        points=""
        if measure.points is None
        else _("%(points)s of %(maximum)s") % {"points": plain(measure.points), "maximum": plain(measure.maximum)},
        worse=measure.worse,
        why_missing=_(measure.why_missing) if measure.why_missing else "",
        missing=str(MISSING.get(measure.why_missing) or (_(measure.why_missing) if measure.why_missing else "")),
    )
