"""Spellings of units, mapped to UCUM codes.

Laboratories write one unit in many ways ("THOU/uL", "K/uL", "10^3/uL"). This module knows only spellings: it never
changes a number, and it knows nothing of analytes. Conversion needs the analyte (a mole of creatinine is not a mole of
glucose) and lives in ``monitoring.analytes``.

A spelling that is not in the table is unknown, and unknown is never guessed. Upper and lower case carry meaning in
UCUM, so a spelling is matched as written, and after that only where it is wholly upper or wholly lower case, as some
laboratory systems send everything. A few spellings have two readings in use and are refused on purpose:
``AMBIGUOUS``.

UCUM: https://ucum.org/ucum
"""

from __future__ import annotations

from types import MappingProxyType

# One line per UCUM code: the code, then the other spellings met in feeds. Micro is always written "u" here, because
# both micro characters are folded to it before the look-up; superscripts become "^n"; spaces are dropped.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    # catalytic activity
    "U/L": ("IU/L", "iu/L", "u/L", "units/L", "unit/L", "Units/L", "[U]/L", "E/L"),
    "[IU]/L": (),
    "kU/L": ("kIU/L",),
    "mU/L": (),
    "m[IU]/L": ("mIU/L", "miu/L"),
    "u[IU]/mL": ("uIU/mL", "mcIU/mL", "mcIU/ml"),
    "uU/mL": ("mcU/mL",),
    "m[IU]/mL": ("mIU/mL",),
    "U/mL": ("units/mL", "unit/mL", "u/mL"),
    "kU/mL": (),
    "[IU]/mL": ("IU/mL", "iu/mL"),
    "ukat/L": ("ukatal/L", "mckat/L", "microkat/L", "microkatal/L"),
    "nkat/L": ("nanokat/L",),
    # cells
    "10*9/L": (
        "10^9/L",
        "10**9/L",
        "x10^9/L",
        "x10*9/L",
        "10E9/L",
        "10e9/L",
        "x10E9/L",
        "x10e9/L",
        "E9/L",
        "GI/L",
        "Gi/L",
        "10'9/L",
        "10E+9/L",
        "1E9/L",
        "10~9/L",
        "bill/L",
    ),
    "10*3/uL": (
        "10^3/uL",
        "10**3/uL",
        "x10^3/uL",
        "x10*3/uL",
        "10E3/uL",
        "10e3/uL",
        "x10E3/uL",
        "x10e3/uL",
        "K/uL",
        "k/uL",
        "THOU/uL",
        "Thou/uL",
        "thou/uL",
        "thousand/uL",
        "Thousand/uL",
        "TH/uL",
        "K/cumm",
        "k/cumm",
        "K/mcL",
        "k/mcL",
        "10^3/mcL",
        "x10^3/mcL",
        "thou/mcL",
        "Thousand/mcL",
        "10*3/mm3",
        "10^3/mm3",
        "10^3/mm^3",
        "x10^3/mm^3",
        "K/mm3",
        "K/mm^3",
        "1000/uL",
        "10~3/uL",
        "10E+3/uL",
    ),
    "10*6/L": (
        "10^6/L",
        "10**6/L",
        "x10^6/L",
        "x10*6/L",
        "10E6/L",
        "10e6/L",
        "x10E6/L",
        "MI/L",
    ),
    "10*6/uL": (
        "10^6/uL",
        "x10^6/uL",
        "10E6/uL",
        "10e6/uL",
        "M/uL",
        "mill/uL",
        "MILL/uL",
        "million/uL",
        "M/mcL",
    ),
    "10*12/L": ("10^12/L", "x10^12/L", "x10*12/L", "10E12/L", "10e12/L", "TI/L", "T/L"),
    "/uL": (
        "cells/uL",
        "cell/uL",
        "cells/mcL",
        "{cells}/uL",
        "#/uL",
        "/mm3",
        "/mm^3",
        "cells/mm3",
        "cells/mm^3",
        "cells/cumm",
        "/cumm",
        "1/uL",
    ),
    # mass concentration
    "g/L": ("gm/L", "gr/L"),
    "g/dL": ("gm/dL", "g/100mL", "g%", "gr/dL"),
    "mg/L": (),
    "mg/dL": ("mg%", "mg/100mL"),
    "mg/mL": (),
    "ug/L": ("mcg/L",),
    "ug/mL": ("mcg/mL",),
    "ug/dL": ("mcg/dL",),
    "ng/mL": (),
    "ng/dL": (),
    "ng/L": (),
    "pg/mL": (),
    # substance concentration
    "mmol/L": ("mM/L", "mMol/L"),
    "umol/L": ("mcmol/L", "micromol/L", "uMol/L", "umole/L"),
    "nmol/L": ("nMol/L",),
    "pmol/L": ("pMol/L",),
    "mmol/mol": ("mmol/mol{Hb}", "mmol/molHb"),
    # rates, volumes, fractions
    "mm/h": ("mm/hr", "mm/1hr", "mm/1h", "mm/hour", "mm(hr)", "mmhr"),
    "fL": ("fl.", "femtoL", "um3", "um^3", "cub.um"),
    "pg": (),
    "%": ("percent", "pct", "%{total}"),
    "L": ("litre", "liter", "litres", "liters", "ltr"),
    "mL": ("cc", "millilitre", "milliliter"),
    "mL/min/{1.73_m2}": (
        "mL/min/1.73m2",
        "mL/min/1.73m^2",
        "mL/min/1.73sqm",
        "mL/min/1.73",
        "mL/min/1.73_m2",
        "mL/min/1,73m2",
        "mL/min/1,73m^2",
        "mL/min/{1.73m2}",
        "mL/min/173m2",
        "mL/min/1.73M2",
        "mL/min/1.73M^2",
        "mL/min/[1.73m2]",
        "mL/min/{1.73_m2}",
    ),
    "mL/min": (),
    "mL/min/mm[Hg]": ("mL/min/mmHg", "mL/mmHg/min", "mL/(min.mm[Hg])", "mL/min/Torr"),
    "mmol/min/kPa": ("mmol/kPa/min", "mmol/(min.kPa)", "mmol/(min*kPa)"),
    # body and function
    "kg": ("kgs", "kilogram", "kilograms"),
    "g": ("gram", "grams", "gm"),
    "mg": ("milligram", "milligrams"),
    "ug": ("mcg", "microgram", "micrograms"),
    "[lb_av]": ("lb", "lbs", "pound", "pounds"),
    "cm": ("centimetre", "centimeter"),
    "m": ("metre", "meter", "metres", "meters"),
    "mm": ("millimetre", "millimeter"),
    "[in_i]": ("inch", "inches", "in"),
    "[ft_i]": ("ft", "foot", "feet"),
    "kg/m2": ("kg/m^2", "kg/sqm", "kg/m*2"),
    "mm[Hg]": ("mmHg", "mm(Hg)", "Torr"),
    "kPa": (),
    "s": ("sec", "second", "seconds", "secs"),
    "{score}": ("score", "points", "{points}", "{#}"),
    "1": ("{ratio}", "ratio"),
}

AMBIGUOUS = frozenset({
    "G/L", "G/l",  # giga (cells) in some countries, grams typed in capitals in others: a factor of a thousand million
    "MU/L",  # milli-units in capitals, or mega-units
    "m/uL", "m/ul",  # "M/uL" is million; the small letter would be milli
    "T/l",
    "MM/L",  # millimoles or millimetres an hour cut short
})  # fmt: skip

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SUPERSCRIPT_CHARACTERS = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_OTHER = str.maketrans({"µ": "u", "μ": "u", "×": "x", "∕": "/", "⁄": "/", "·": ".", "％": "%", "−": "-"})


def _clean(text: str) -> str:
    """One way to write micro, powers and signs; no spaces. Case is kept."""
    out: list[str] = []
    raised = False
    for character in text:
        if character in _SUPERSCRIPT_CHARACTERS:
            # Unicode's own folding would turn 10⁹ into 109, so a power is marked before its digits.
            out.append(("" if raised else "^") + character.translate(_SUPERSCRIPTS))
            raised = True
        else:
            raised = False
            if not character.isspace():
                out.append(character.translate(_OTHER))
    return "".join(out)


def _tables() -> tuple[dict[str, str], dict[str, str]]:
    exact: dict[str, str] = {}
    for code, others in _SPELLINGS.items():
        for spelling in (code, *others):
            # UCUM accepts both letters for the litre, and laboratories use both.
            for written in {spelling, spelling.replace("/L", "/l").replace("dL", "dl").replace("mL", "ml")
                            .replace("uL", "ul").replace("mcL", "mcl").replace("fL", "fl")}:  # fmt: skip
                if exact.setdefault(written, code) != code:
                    raise AssertionError(f"unit spelling {written!r} stands for two units")
    folded: dict[str, str | None] = {}
    for written, code in exact.items():
        if len(written) == 1:
            continue  # one letter says nothing without its case: m and M, s and S, g and G
        key = written.casefold()
        folded[key] = code if folded.get(key, code) == code else None
    return exact, {key: code for key, code in folded.items() if code is not None}


_exact, _folded = _tables()
_EXACT = MappingProxyType(_exact)
_FOLDED = MappingProxyType(_folded)

UCUM_CODES: tuple[str, ...] = tuple(_SPELLINGS)


def normalise(text: str) -> str | None:
    """The UCUM code for a unit as a laboratory wrote it, or None where the spelling is unknown or has two readings.

    Only the spelling changes, so the number beside it stays as it is: "K/uL" gives "10*3/uL", never "10*9/L".
    An empty text is unknown. Applying it to its own answer changes nothing.
    """
    cleaned = _clean(text)
    if not cleaned or cleaned in AMBIGUOUS:
        return None
    if cleaned in _EXACT:
        return _EXACT[cleaned]
    if cleaned == cleaned.upper() or cleaned == cleaned.lower():
        return _FOLDED.get(cleaned.casefold())
    return None


def spellings() -> dict[str, str]:
    """Every spelling in the table with its UCUM code, for documentation and tests."""
    return dict(_EXACT)
