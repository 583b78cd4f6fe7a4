"""How findings, units and tests are worded on the pages of a patient."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.templatetags.days import plain
from monitoring.models import LungFunction
from monitoring.rules import RULES

PANEL_NAMES = {
    "muscle": gettext_lazy("Muscle enzymes"), "cardiac": gettext_lazy("Heart"), "liver": gettext_lazy("Liver"),
    "renal": gettext_lazy("Kidney"), "blood": gettext_lazy("Blood count"),
    "inflammation": gettext_lazy("Inflammation"), "lung": gettext_lazy("Lung function"),
    "function": gettext_lazy("Function"), "imaging": gettext_lazy("Imaging"),
}  # fmt: skip


def title_of(rule: str) -> str:
    return _(RULES[rule].title) if rule in RULES else rule


def reason_of(rule: str, evidence: dict[str, Any]) -> str:
    """The finding in a sentence; empty where an older version kept other evidence than today's words ask for."""
    if rule not in RULES or not evidence.get("reasons"):
        return ""
    try:
        return RULES[rule].sentence_shown(evidence)
    except (KeyError, AttributeError):
        return ""


def unit_words(ucum: str | None) -> str:
    """A UCUM unit as a person writes it: ×10⁹/L, µmol/L."""
    text = re.sub(r"\{score\}|\{ratio\}|^1$", "", ucum or "")
    text = re.sub(r"10\*(\d+)", lambda m: "×10" + m[1].translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")), text)
    text = (
        text.replace("{1.73_m2}", "1.73 m²").replace("kg/m2", "kg/m²").replace("[IU]", "IU").replace("mm[Hg]", "mmHg")
    )
    return re.sub(r"(?<![A-Za-z])u(?=[A-Za-z])", "µ", re.sub(r"[{}\[\]]", "", text))


def lung_words(test: LungFunction) -> str:
    fvc, dlco, litres = test.fvc_percent_predicted, test.dlco_percent_predicted, test.fvc_l
    parts = [
        _("FVC %(percent)s %%") % {"percent": plain(fvc)} if fvc is not None else "",
        f"{plain(litres)} L" if litres is not None else "",
        _("DLCO %(percent)s %%") % {"percent": plain(dlco)} if dlco is not None else "",
    ]
    return ", ".join(filter(None, parts))
