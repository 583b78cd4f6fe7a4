"""Myositis-specific and -associated autoantibodies: one row each. No Django.

LOINC codes are those of the rule book of the project (component names read in the LOINC table). LOINC calls NXP2 "Mj".
Line blots give false weak positives: rules that escalate ask for a positive result, not a weak one.

Risk sets: Johnson SR, et al. 2023 ACR/CHEST guideline for screening of interstitial lung disease, Arthritis Rheumatol
2024;76:1201-13, Table 2; Oldroyd AGS, et al. Nat Rev Rheumatol 2023;19:805-17 for cancer (lists from
general knowledge).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

LOINC = "http://loinc.org"


class Group(StrEnum):
    ANTISYNTHETASE = "antisynthetase"
    DERMATOMYOSITIS = "dermatomyositis"
    NECROTISING = "necrotising"
    OVERLAP = "overlap"
    INCLUSION_BODY = "inclusion_body"


@dataclass(frozen=True)
class Antibody:
    code: str
    name: str
    group: Group
    loinc: tuple[str, ...]
    note: str = ""


def _row(code: str, name: str, group: Group, loinc: str = "", note: str = "") -> Antibody:
    return Antibody(code, name, group, tuple(loinc.split()), note)


_ANTIBODIES: tuple[Antibody, ...] = (
    _row("jo-1", "Anti-Jo-1", Group.ANTISYNTHETASE, "8076-2 5234-0 56731-3 11565-9 35333-4"),
    _row("pl-7", "Anti-PL-7", Group.ANTISYNTHETASE, "33772-5 56744-6 82924-2"),
    _row("pl-12", "Anti-PL-12", Group.ANTISYNTHETASE, "33771-7 56745-3"),
    _row("ej", "Anti-EJ", Group.ANTISYNTHETASE, "45149-2 82392-2 48647-2"),
    _row("oj", "Anti-OJ", Group.ANTISYNTHETASE, "45152-6 69557-7 48649-8 83137-0"),
    _row("ks", "Anti-KS", Group.ANTISYNTHETASE, "82421-9 82422-7"),
    _row("ha", "Anti-Ha", Group.ANTISYNTHETASE, "82414-4 82415-1"),
    _row("zo", "Anti-Zo", Group.ANTISYNTHETASE, "82453-2"),
    _row("mi-2", "Anti-Mi-2", Group.DERMATOMYOSITIS, "18485-3 56743-8 56637-2 82997-8 82996-0", "Alpha and beta."),
    _row("tif1-gamma", "Anti-TIF1-gamma", Group.DERMATOMYOSITIS, "82448-2 88739-8 82995-2 96501-2"),
    _row("mda5", "Anti-MDA5", Group.DERMATOMYOSITIS, "82424-3 88725-7 82994-5", "Rapidly progressive lung disease."),
    _row("nxp2", "Anti-NXP2", Group.DERMATOMYOSITIS, "82426-8 82425-0 82993-7", 'LOINC calls it "Mj".'),
    _row("sae1", "Anti-SAE1", Group.DERMATOMYOSITIS, "82440-9 82439-1 82992-9 101220-2"),
    _row("sae2", "Anti-SAE2", Group.DERMATOMYOSITIS, "82441-7 82442-5"),
    _row("srp", "Anti-SRP", Group.NECROTISING, "33921-8 53010-5 53011-3 53031-1 63559-9 82936-6"),
    _row("hmgcr", "Anti-HMGCR", Group.NECROTISING, "82388-0 82389-8 82990-3 93493-5", "Statin-related; avoid statins."),
    _row("ku", "Anti-Ku", Group.OVERLAP, "18484-6 59403-6 63269-5 69556-9 82919-2"),
    _row("pm-scl", "Anti-PM/Scl", Group.OVERLAP, "13097-1 31562-2 31563-0 56721-4 61120-2", "61120-2 is PM-Scl-100."),
    _row("ro52", "Anti-Ro52", Group.OVERLAP, "53016-2 53017-0 56549-9 63339-6", 'LOINC calls it "SS-A 52kD".'),
    _row("u1-rnp", "Anti-U1-RNP", Group.OVERLAP, "33983-8 53022-0 57662-9"),
    _row("cn-1a", "Anti-cN-1A", Group.INCLUSION_BODY, note="No LOINC code."),
)

ANTIBODIES: Mapping[str, Antibody] = MappingProxyType({antibody.code: antibody for antibody in _ANTIBODIES})

ANTISYNTHETASE = frozenset(a.code for a in _ANTIBODIES if a.group is Group.ANTISYNTHETASE)
# Risk of interstitial lung disease, and the part of it that makes the first search urgent.
ILD_RISK = ANTISYNTHETASE | {"mda5", "ku", "pm-scl", "ro52"}
ILD_URGENT = ANTISYNTHETASE | {"mda5"}
# Cancer screening tiers.
CANCER_HIGH = frozenset({"tif1-gamma", "nxp2"})
CANCER_INTERMEDIATE = frozenset({"sae1", "hmgcr", "mi-2", "mda5"})

# Results that count as positive for a rule. "weak" is not one of them.
POSITIVE_RESULTS = frozenset({"positive", "strong"})

_LOINC: dict[str, Antibody] = {code: antibody for antibody in _ANTIBODIES for code in antibody.loinc}


def by_loinc(system: str, code: str) -> Antibody | None:
    """The antibody of a coding, only where its code system is LOINC; None for any other system or code."""
    return _LOINC.get(code) if system == LOINC else None
