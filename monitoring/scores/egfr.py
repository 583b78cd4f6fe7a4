"""Estimated glomerular filtration rate from creatinine, CKD-EPI 2021 (without race), for adults.

Source: Inker LA, Eneanya ND, Coresh J, et al. N Engl J Med 2021;385:1737-49; coefficients as printed by the National
Kidney Foundation: 142 x min(Scr/k, 1)^a x max(Scr/k, 1)^-1.200 x 0.9938^age (x 1.012 in women), Scr in mg/dL.

Where muscle is lost creatinine is low and the estimate too high: in myositis a rise tells more than the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

UMOL_PER_MG_DL = Decimal("88.4")
ADULT_FROM = 18


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"


@dataclass(frozen=True)
class Coefficients:
    kappa: Decimal
    alpha: Decimal
    factor: Decimal


COEFFICIENTS = {
    Sex.FEMALE: Coefficients(Decimal("0.7"), Decimal("-0.241"), Decimal("1.012")),
    Sex.MALE: Coefficients(Decimal("0.9"), Decimal("-0.302"), Decimal(1)),
}
CONSTANT = Decimal(142)
ABOVE_KAPPA = Decimal("-1.200")
PER_YEAR = Decimal("0.9938")


def egfr_from_mg_dl(creatinine: Decimal, age: int, sex: str) -> Decimal | None:
    """mL/min/1.73 m2, unrounded. None where the formula has no answer: sex not recorded as female or male, age below
    18, creatinine 0. ValueError for a negative creatinine.
    """
    if not creatinine.is_finite() or creatinine < 0:
        raise ValueError("creatinine cannot be negative")
    if sex not in COEFFICIENTS or age < ADULT_FROM or creatinine == 0:
        return None
    of_sex = COEFFICIENTS[Sex(sex)]
    ratio = creatinine / of_sex.kappa
    return CONSTANT * ratio ** (of_sex.alpha if ratio < 1 else ABOVE_KAPPA) * PER_YEAR**age * of_sex.factor


def egfr_from_umol_l(creatinine: Decimal, age: int, sex: str) -> Decimal | None:
    """As `egfr_from_mg_dl`, from micromol/L (88.4 to a mg/dL)."""
    return egfr_from_mg_dl(creatinine / UMOL_PER_MG_DL, age, sex)


def as_reported(egfr: Decimal) -> int:
    """As laboratories report it: a whole number. Compare the unrounded value."""
    return int(egfr.quantize(Decimal(1), ROUND_HALF_UP))
