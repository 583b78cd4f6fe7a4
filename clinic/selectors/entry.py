"""What stands beside the boxes of an entry page: earlier values, and what the typed ones would say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from monitoring import selectors
from monitoring.analytes import ANALYTES
from monitoring.entry import Measures
from monitoring.models import Assessment, MuscleGrade
from monitoring.scores import haq_di, mmt8
from monitoring.scores import tis as scoring
from monitoring.wording import number
from patients.models import Patient, Subtype

MEASURES = {
    scoring.Measure.PHYSICIAN_VAS: _("Physician VAS"),
    scoring.Measure.PATIENT_VAS: _("Patient VAS"),
    scoring.Measure.MMT: _("MMT8"),
    scoring.Measure.HAQ_DI: _("HAQ-DI"),
    scoring.Measure.ENZYME: _("Muscle enzyme"),
    scoring.Measure.EXTRAMUSCULAR_VAS: _("Extramuscular VAS"),
}
_VALUES = ("physician_vas", "patient_vas", "extramuscular_vas", "haq_di", "mmt8_150", "mmt8_80")
RESPONSES = {
    scoring.Category.NONE: _("no response"),
    scoring.Category.MINIMAL: _("minimal response"),
    scoring.Category.MODERATE: _("moderate response"),
    scoring.Category.MAJOR: _("major response"),
}
VALIDATED = {Subtype.DERMATOMYOSITIS, Subtype.POLYMYOSITIS, Subtype.JUVENILE}
# A difference of a point between the sides is within what two examiners differ.
SIDES_DIFFER = 2


@dataclass(frozen=True)
class Last:
    """The last value of something and its day."""

    value: Any
    day: dt.date

    @property
    def words(self) -> str:
        value = number(self.value) if isinstance(self.value, Decimal) else str(self.value)
        return gettext("last %(value)s on %(day)s") % {"value": value, "day": formats.date_format(self.day)}


@dataclass(frozen=True)
class LastMeasures:
    values: Mapping[str, Last]
    grades: Mapping[mmt8.Cell, Last]


def last_measures(patient: Patient, as_of: dt.date, *, but: Assessment | None = None) -> LastMeasures:
    """The last value of every measure by `as_of`, each from the newest visit that has it. Two queries."""
    visits = [visit for visit in selectors.assessments(patient, as_of) if but is None or visit.pk != but.pk]
    values: dict[str, Last] = {}
    for visit in visits:
        for name in _VALUES:
            value = getattr(visit, name)
            if value is not None:
                values.setdefault(name, Last(value, visit.assessed_on))
    days = {visit.pk: visit.assessed_on for visit in visits}
    newest: dict[mmt8.Cell, Last] = {}
    grades = MuscleGrade.objects.filter(assessment__in=list(days))
    for grade in sorted(grades, key=lambda g: days[g.assessment_id], reverse=True):
        cell = (mmt8.Muscle(grade.muscle), mmt8.Side(grade.side))
        newest.setdefault(cell, Last(grade.grade, days[grade.assessment_id]))
    return LastMeasures(values, newest)


def assessment_on(patient: Patient, day: dt.date) -> Assessment | None:
    """The current assessment of a day; a day has one."""
    return Assessment.objects.current().filter(patient=patient, assessed_on=day).order_by("-id").first()


@dataclass(frozen=True)
class Preview:
    """What the measures typed so far say. `tis` is None where there is nothing to compare with; `why_not` says why."""

    strength: mmt8.Mmt8 | None
    haq: haq_di.HaqDi | None
    view: selectors.CoreSetView | None
    why_not: str
    validated: bool = True  # the score was validated for this person's disease

    @property
    def tis(self) -> scoring.Tis | None:
        return self.view.tis if self.view else None

    @property
    def total(self) -> str:
        """A number, or from what to what it can be while measures are missing."""
        score = self.tis
        if score is None:
            return ""
        if not score.partial:
            return number(score.lowest)
        return gettext("%(least)s to %(most)s") % {"least": number(score.lowest), "most": number(score.highest)}

    @property
    def category(self) -> str:
        score = self.tis
        if score is None:
            return ""
        if score.category is None:
            between = {"least": RESPONSES[score.at_least], "most": RESPONSES[score.at_most]}
            return gettext("%(least)s to %(most)s") % between
        return str(RESPONSES[score.category])

    @property
    def lines(self) -> list[dict[str, Any]]:
        """One line a measure of the score."""
        return [
            {
                "label": self._label(result.measure),
                "change": None if result.improvement is None else f"{float(result.improvement):+.0f} %",
                "points": result.points,
                "maximum": result.maximum,
                "why_missing": gettext(result.why_missing) if result.why_missing else "",
                "worse": result.worse,
            }
            for result in (self.tis.measures if self.tis else ())
        ]

    def _label(self, measure: scoring.Measure) -> str:
        enzyme = self.view.core.enzyme if self.view else None
        if measure is not scoring.Measure.ENZYME or enzyme is None:
            return str(MEASURES[measure])
        return gettext("Muscle enzyme (%(test)s)") % {"test": gettext(ANALYTES[enzyme.name].short)}

    @property
    def missing(self) -> list[str]:
        found = self.tis.missing if self.tis else self.view.missing if self.view else ()
        return [str(MEASURES[measure]) for measure in found]

    @property
    def worse(self) -> list[str]:
        return [str(MEASURES[measure]) for measure in (self.tis.worsening if self.tis else ())]

    @property
    def untested(self) -> list[str]:
        """Cells without a grade, in words."""
        if self.strength is None:
            return []
        return [cell_words(muscle, side) for muscle, side in self.strength.missing]

    @property
    def unequal(self) -> list[str]:
        """Groups whose sides differ by two points or more, the weaker side named."""
        if self.strength is None:
            return []
        names = {group.muscle: gettext(group.name) for group in mmt8.GROUPS}
        return [
            (
                ngettext(
                    "%(muscle)s: %(n)s point weaker on the left", "%(muscle)s: %(n)s points weaker on the left", by
                )
                if by > 0
                else ngettext(
                    "%(muscle)s: %(n)s point weaker on the right", "%(muscle)s: %(n)s points weaker on the right", -by
                )
            )
            % {"muscle": names[muscle], "n": abs(by)}
            for muscle, by in self.strength.asymmetry.items()
            if abs(by) >= SIDES_DIFFER
        ]

    @property
    def haq_notes(self) -> list[str]:
        """What keeps the questionnaire from its index, or an aid from counting."""
        if self.haq is None:
            return []
        text = gettext("%(category)s: an aid or help is ticked, but none of its items is answered.")
        notes = [text % {"category": gettext(category.heading)} for category in self.haq.lifted_unanswered]
        if self.haq.index is None:
            said = gettext("%(n)s of %(all)s categories are answered; the index needs %(least)s.")
            counts = {"n": self.haq.answered, "all": len(haq_di.ITEMS), "least": haq_di.MINIMUM_CATEGORIES}
            notes.append(said % counts)
        return notes

    @property
    def haq_index(self) -> str:
        return "" if self.haq is None or self.haq.index is None else f"{self.haq.index}".replace(".", _point())


def _point() -> str:
    return str(formats.get_format("DECIMAL_SEPARATOR"))


def cell_words(muscle: mmt8.Muscle, side: mmt8.Side) -> str:
    """ "Biceps brachii, left"; "Neck flexors"."""
    name = gettext(next(group.name for group in mmt8.GROUPS if group.muscle is muscle))
    if side is mmt8.Side.AXIAL:
        return name
    text = gettext("%(muscle)s, right") if side is mmt8.Side.RIGHT else gettext("%(muscle)s, left")
    return text % {"muscle": name}


def preview(
    patient: Patient, measures: Measures, day: dt.date | None, as_of: dt.date, *, adds_to: Assessment | None = None
) -> Preview:
    """What an assessment of `day` with these measures would say; those missing come from `adds_to`. Writes nothing.

    Raises nothing: what cannot be scored is left out.
    """
    cells = {cell: grade for cell, grade in measures.mmt8.items() if grade is not None}
    if not cells and adds_to is not None:
        rows = adds_to.grades.values_list("muscle", "side", "grade")
        cells = {(mmt8.Muscle(muscle), mmt8.Side(side)): grade for muscle, side, grade in rows}
    strength = mmt8.score(cells) if cells else None
    haq = _haq(measures)
    visit = Assessment(patient=patient)
    for name in ("physician_vas", "patient_vas", "extramuscular_vas", "haq_di", "mmt8_150", "mmt8_80"):
        value = getattr(measures, name)
        setattr(visit, name, getattr(adds_to, name) if value is None and adds_to is not None else value)
    if haq is not None and haq.answered:
        visit.haq_di = haq.index
    if strength is not None:
        visit.mmt8_150, visit.mmt8_80 = strength.total_150, strength.one_sided_80
    measured = any(getattr(visit, name) is not None for name in _VALUES)
    if day is None or day > as_of:
        return Preview(strength, haq, None, gettext("Give the day of the visit, today or earlier."))
    if not measured:
        return Preview(strength, haq, None, gettext("Nothing to compare yet."))
    visit.assessed_on = day
    view = selectors.core_set_preview(patient, visit, as_of)
    why_not = ""
    if view.tis is None:
        if patient.subtype == Subtype.INCLUSION_BODY:
            why_not = gettext("The score is not made for inclusion body myositis.")
        elif view.is_baseline:
            why_not = gettext("This visit is the baseline of the present treatment: later visits are compared with it.")
        else:
            why_not = gettext(
                "There is no visit to compare with: none lies near the start of the present glucocorticoid."
            )
    return Preview(strength, haq, view, why_not, patient.subtype in VALIDATED)


def _haq(measures: Measures) -> haq_di.HaqDi | None:
    typed = measures.haq or {}
    items = {code: answer for code, answer in typed.get("items", {}).items() if answer is not None}
    marks = [typed.get(part, ()) for part in ("aids", "help_with", "other_aids")]
    if not items and not any(marks):
        return None
    try:
        return haq_di.score(
            items,
            marks[0],
            [haq_di.Category(category) for category in marks[1]],
            [haq_di.Category(category) for category in marks[2]],
        )
    except ValueError:
        return None
