"""Words that the queries of the rules put into evidence, and into what is missing. Stored in English, whatever the
language of whom it concerns; shown in the language of whoever reads it.

A word is one of `WORDS`, the name of a test, drug, antibody or choice, or one of `PATTERNS` with such words in it. What
is none of these, such as what a person has typed, is shown as it is. `tests/rules/test_words.py` asks the example
patients of every rule for words that stand nowhere.
"""

from __future__ import annotations

import datetime as dt
import functools
import re

from django.conf import settings
from django.utils import formats
from django.utils.translation import get_language, gettext, override

from common.words import N_
from monitoring.analytes import ANALYTES
from monitoring.limit_sets import LIMIT_SETS
from monitoring.models import ConfounderKind
from patients.antibodies import ANTIBODIES
from patients.models import ManifestationKind, RiskKind, Subtype
from therapy.formulary import FORMULARY
from therapy.formulary.checks import CHECKS
from therapy.models import Route, StopReason

WORDS = (
    N_("not recorded"), N_("none"), N_("yes"), N_("no"),
    # what is missing
    N_("the day of diagnosis"), N_("the day of the first symptom"), N_("the sex"), N_("the subtype"), N_("a height"),
    N_("a creatine kinase above 0 to compare with"), N_("a creatinine above 0 to compare with"),
    N_("a forced vital capacity of the last year"), N_("an earlier forced vital capacity to compare with"),
    N_("a diffusion capacity of the last year"), N_("an earlier diffusion capacity to compare with"),
    N_("the latest IgG in a unit that can be converted"), N_("whether she can become pregnant"),
    N_("anti-HMGCR antibody"), N_("a core set at the beginning of treatment"),
    # measures of a visit
    N_("physician global activity"), N_("patient global activity"), N_("extramuscular activity"), N_("muscle enzyme"),
    N_("MMT8 on the scale of the baseline"), N_("the muscle enzyme of the baseline, with its upper limit"),
    # creatine kinase
    N_("the personal baseline"), N_("a steroid taper runs"), N_("the day of diagnosis is not recorded"),
    N_("personal"), N_("nadir"), N_("fibrate"),
    # cancer, swallowing, lungs
    N_("high"), N_("moderate"), N_("standard"), N_("basic panel"), N_("enhanced panel"), N_("age at the first symptom"),
    N_("activity despite immunosuppression"), N_("moderate or severe dysphagia"), N_("cutaneous necrosis"),
    N_("male sex"),
    N_("active dermatomyositis"), N_("inclusion body myositis"), N_("necrotising myopathy"), N_("without a score"),
    N_("antisynthetase syndrome"), N_("full lung function"), N_("HRCT"), N_("litres"), N_("percent predicted"),
    N_("cough"), N_("dyspnoea"), N_("need of oxygen"), N_("arthritis"), N_("mechanics hands"), N_("ulceration"),
    # infusions, blood tests
    N_("diabetes"), N_("nephrotoxin"), N_("paraprotein"), N_("renal"), N_("sepsis"), N_("thrombosis"),
    N_("volume depletion"), N_("albumin"), N_("blood count"), N_("blood pressure"), N_("glucose"), N_("liver enzymes"),
    N_("potassium"), N_("renal function"), N_("haemoglobin"), N_("neutrophils"), N_("platelets"), N_("white cells"),
    N_("bilirubin"),
)  # fmt: skip
# Placeholders: day and due are days; number, low_n and high_n numbers; word and list are words again.
PATTERNS = (
    N_("a unit of the latest %(word)s that can be converted"),
    N_("the latest %(word)s, in a unit that can be converted"),
    N_("the upper limit of normal of the latest %(word)s"),
    N_("the upper limit of normal of the %(word)s of the same day"),
    N_("the first dose of %(word)s"),
    N_("a weight of the last %(number)s days"),
    N_("a weight within %(number)s days of the newest course of immunoglobulin"),
    N_("a weight within %(number)s days of the first dose of glucocorticoid"),
    N_("from the core set at the beginning: %(list)s"),
    N_("older than %(number)s years"),
    N_("the lowest of the %(number)s days before it"),
    N_("the disease was diagnosed within %(number)s days"),
    N_("no steroid taper runs and diagnosis is more than %(number)s days ago"),
    N_("none is recorded of the last %(number)s days"),
    N_("the latest is of %(day)s"),
    N_("between %(low_n)s and %(high_n)s"),
    N_("%(word)s %(low_n)s to %(high_n)s days apart"),
    N_("%(word)s (last done %(day)s, due %(due)s)"),
    N_("%(word)s (never done, due %(due)s)"),
    N_("%(word)s %(number)s %(unit)s (limit %(high_n)s)"),
    N_("%(word)s %(number)s %(unit)s (no limit known)"),
    N_("MMT8 %(number)s of %(high_n)s on %(day)s"),
    N_("%(number)s %(unit)s twice a day"),
    N_("%(number)s %(unit)s twice a week"),
    N_("%(number)s %(unit)s twice in %(high_n)s days"),
    N_("%(number)s %(unit)s %(low_n)s times a day"),
    N_("%(number)s %(unit)s %(low_n)s times a week"),
    N_("%(number)s %(unit)s %(low_n)s times in %(high_n)s days"),
    N_("%(number)s %(unit)s a day"),
    N_("%(number)s %(unit)s a week"),
    N_("%(number)s %(unit)s in %(high_n)s days"),
    N_("%(unit)s a day"),
    N_("%(unit)s a week"),
    N_("%(unit)s a dose"),
    N_("%(unit)s a course"),
    "%(word)s %(number)s → %(high_n)s",
    "%(word)s %(number)s %(unit)s",
    N_("%(word)s on %(day)s"),
)
# Names in the evidence as `name_in_words` makes them, where no page has a better label.
NAMES = (
    N_("Activity on"), N_("Agent"), N_("Answer"), N_("Aspiration on"), N_("Baseline below or above (< or >)"),
    N_("Baseline on"), N_("Basic on"), N_("Bilirubin ULN"), N_("Cap"), N_("Changes"), N_("CK on"), N_("CK ULN"),
    N_("Closes on"), N_("Coming"), N_("Confounders"), N_("Count lacks"), N_("Count on"), N_("Criteria"),
    N_("Did not change beside it"), N_("Due on"), N_("Dysphagia on"), N_("Dyspnoea on"), N_("Earlier value on"),
    N_("Enhanced on"), N_("Enzyme on"), N_("Enzyme ULN"), N_("Enzyme value"), N_("Factors"), N_("Ferritin before"),
    N_("First value below or above (< or >)"), N_("First value on"), N_("FVC before"), N_("FVC now"), N_("FVC on"),
    N_("FVC unit"), N_("GGT ULN"), N_("Groups"), N_("HAQ DI"), N_("Hepatitis on"), N_("IVIG on"),
    N_("Kind of baseline"), N_("KL-6 before"), N_("KL-6"), N_("Last on"), N_("Latest value below or above (< or >)"),
    N_("Latest value on"), N_("Latest value"), N_("Limit"), N_("MMT"), N_("MMT8 150"), N_("MMT8 80"), N_("MMT8 on"),
    N_("MMT8 out of"), N_("Not measured"), N_("Oxygen on"), N_("Percent"), N_("Positive on"),
    N_("Previous value below or above (< or >)"), N_("Previous value on"), N_("Ratio"), N_("Reassess by"),
    N_("Reassess from"), N_("Refer by"), N_("Rituximab on"), N_("Scan on"), N_("Screen due on"), N_("Severe limit"),
    N_("Since on"), N_("SpO2 before"), N_("Stop on"), N_("Stop reason"), N_("Sudden change from"),
    N_("Sudden change on"), N_("Sudden change to"), N_("Symptoms on"), N_("Symptoms"), N_("Taken on"),
    N_("Threshold because"), N_("Tier"), N_("Times ULN"), N_("Toxic on"), N_("ULN"), N_("Unconverted"), N_("Visit on"),
    N_("Waived"),
)  # fmt: skip
_NUMBER, _DAY = r"-?\d+(?:\.\d+)?", r"\d{1,2} [A-Z][a-z]{2} \d{4}"
_KINDS = {"number": _NUMBER, "day": _DAY, "due": _DAY, "unit": r"\S+", "word": ".+", "list": ".+"}


_ABBREVIATIONS = {
    "uln": "ULN", "ck": "CK", "mmt8": "MMT8", "tis": "TIS", "ild": "ILD", "pft": "lung function", "hrct": "HRCT",
    "pe": "prednisone-equivalent", "mg": "(mg)", "igg": "IgG", "iga": "IgA", "egfr": "eGFR", "kg": "(kg)",
    "haq": "HAQ", "di": "DI", "mmt": "MMT", "vas": "VAS", "ivig": "IVIG", "fvc": "FVC", "dlco": "DLCO", "crp": "CRP",
    "g": "(g", "l": "/L)", "alt": "ALT", "ast": "AST", "ggt": "GGT", "spo2": "SpO2", "mda5": "MDA5",
}  # fmt: skip


# What a clinician calls what the code calls otherwise.
_BETTER = {
    "baseline_comparator": "Baseline below or above (< or >)",
    "first_comparator": "First value below or above (< or >)",
    "now_comparator": "Latest value below or above (< or >)",
    "previous_comparator": "Previous value below or above (< or >)",
    "baseline_kind": "Kind of baseline", "now": "Latest value", "now_on": "Latest value on",
    "before_on": "Earlier value on", "first_on": "First value on", "previous_on": "Previous value on",
    "mmt8_of": "MMT8 out of", "flat": "Did not change beside it", "jump_on": "Sudden change on",
    "jump_from": "Sudden change from", "jump_to": "Sudden change to", "kl6": "KL-6", "kl6_before": "KL-6 before",
}  # fmt: skip


def name_in_words(key: str) -> str:
    """A name of the code as English words: "first_seen_on" is "First seen on"."""
    if key in _BETTER:
        return _BETTER[key]
    text = " ".join(_ABBREVIATIONS.get(part, part) for part in re.split(r"[_-]", key))
    return text[:1].upper() + text[1:]


def translated_words(text: str) -> str:
    """A word of the evidence in the reader's language; what is no word of ours stays as it is."""
    if text in ANTIBODIES:
        return gettext(ANTIBODIES[text].name)
    if not text or get_language() in (None, "en", settings.LANGUAGE_CODE):  # the language of the record
        return text
    found = known(text)
    if found is None:
        return text
    message, parts = found
    return gettext(message) % {name: _part(name, part) for name, part in parts.items()} if parts else gettext(message)


def known(text: str) -> tuple[str, dict[str, str]] | None:
    """(the message of the catalogue that `text` is made from, its parts); None where it is no word of ours."""
    if text in _names():
        return _names()[text], {}
    if text.lower() in _names():
        return _names()[text.lower()], {}
    for pattern, message in _compiled():
        if match := pattern.fullmatch(text):
            return message, match.groupdict()
    return None


@functools.cache
def _names() -> dict[str, str]:
    """{word as evidence has it: the message of the catalogue}. Queries write names of tests and drugs small inside a
    sentence, and the words of choices with spaces.
    """
    named = [analyte.name for analyte in ANALYTES.values()] + [analyte.short for analyte in ANALYTES.values()]
    named += [drug.name for drug in FORMULARY.values()] + [each.name for each in ANTIBODIES.values()]
    named += [check.name for check in CHECKS.values()]
    named += [limit.note for limits in LIMIT_SETS.values() for limit in limits.limits.values()]
    found = {name.lower(): name for name in reversed(named)} | {name: name for name in named}
    found |= {code: drug.name for code, drug in FORMULARY.items()}
    found |= {code: antibody.name for code, antibody in ANTIBODIES.items()}
    with override("en"):
        for choices in (Subtype, RiskKind, ManifestationKind, ConfounderKind, Route, StopReason):
            for word, label in choices.choices:
                found.setdefault(str(word).replace("_", " "), str(label))
                found.setdefault(str(label), str(label))
    return {name: message for name, message in found.items() if name} | {word: word for word in WORDS}


@functools.cache
def _compiled() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(_expression(message)), message) for message in PATTERNS]


def _expression(message: str) -> str:
    parts = re.split(r"%\((\w+)\)s", message)
    return "".join(
        f"(?P<{part}>{_KINDS.get(part, _NUMBER)})" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )


def _part(name: str, text: str) -> str:
    if name in ("day", "due"):
        return formats.date_format(dt.datetime.strptime(text, "%d %b %Y").date(), "DATE_FORMAT")  # noqa: DTZ007
    if name == "word":
        return translated_words(text)
    if name == "list":
        return ", ".join(translated_words(each) for each in text.split(", "))
    return text.replace(".", formats.get_format("DECIMAL_SEPARATOR")) if name != "unit" else text
