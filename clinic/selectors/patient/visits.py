"""Assessments in words, each with its improvement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.templatetags.days import plain
from monitoring import selectors as monitoring
from monitoring.scores.tis import Category, Measure

MEASURES = {
    Measure.PHYSICIAN_VAS: gettext_lazy("physician VAS"),
    Measure.PATIENT_VAS: gettext_lazy("patient VAS"),
    Measure.MMT: gettext_lazy("strength"),
    Measure.HAQ_DI: gettext_lazy("HAQ-DI"),
    Measure.ENZYME: gettext_lazy("muscle enzyme"),
    Measure.EXTRAMUSCULAR_VAS: gettext_lazy("extramuscular VAS"),
}
CATEGORIES = {
    Category.NONE: gettext_lazy("no response"),
    Category.MINIMAL: gettext_lazy("minimal response"),
    Category.MODERATE: gettext_lazy("moderate response"),
    Category.MAJOR: gettext_lazy("major response"),
}


@dataclass(frozen=True)
class Visit:
    """One assessment in words. `tis` is a number, or the span it must lie in while a measure is missing."""

    id: int
    day: dt.date
    physician_vas: Decimal | None
    patient_vas: Decimal | None
    extramuscular_vas: Decimal | None
    haq_di: Decimal | None
    mmt8: str
    enzyme: str
    tis: str
    category: str
    missing: Sequence[str]
    worse: Sequence[str]
    is_baseline: bool


def visit_of(view: monitoring.CoreSetView) -> Visit:
    a, score, enzyme = view.assessment, view.tis, view.core.enzyme
    mmt8 = f"{a.mmt8_150}/150" if a.mmt8_150 is not None else f"{a.mmt8_80}/80" if a.mmt8_80 is not None else ""
    times = enzyme.times_uln if enzyme else None
    text, category = "", ""
    if score is not None:
        text = plain(score.lowest)
        if score.partial:
            text = _("%(least)s to %(most)s") % {"least": text, "most": plain(score.highest)}
        category = str(CATEGORIES[score.category]) if score.category else _("cannot be told")
    enzyme_text = ""
    if enzyme and times is not None:
        number = plain(round(Decimal(times.numerator) / times.denominator, 2))
        enzyme_text = _("%(test)s %(number)s × ULN") % {"test": enzyme.name.upper(), "number": number}
    return Visit(
        id=a.pk,
        day=a.assessed_on,
        physician_vas=a.physician_vas,
        patient_vas=a.patient_vas,
        extramuscular_vas=a.extramuscular_vas,
        haq_di=a.haq_di,
        mmt8=mmt8,
        enzyme=enzyme_text,
        tis=text,
        category=category,
        missing=[str(MEASURES[m]) for m in (score.missing if score else view.missing)],
        worse=[str(MEASURES[m]) for m in (score.worsening if score else ())],
        is_baseline=view.is_baseline,
    )
