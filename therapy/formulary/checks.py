"""What is looked at before a drug is begun: one row each. A drug names the codes it needs (drugs.py).

Codes of results are those of monitoring/analytes.py, of screenings and imaging those of monitoring/models.py; the tests
see that they are there. Where a screening stands beside results, either will do: a report may come without its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from common.words import N_
from therapy.formulary.kinds import Check, Valid

_CHECKS = (
    Check(
        "blood-count", N_("Full blood count"), Valid.BLOODS,
        results=(("haemoglobin",), ("wbc",), ("neutrophils",), ("platelets",)),
    ),
    Check(
        "kidney", N_("Creatinine or eGFR"), Valid.BLOODS,
        results=(("creatinine", "egfr", "egfr-2009", "egfr-mdrd"),),
    ),
    Check("liver", N_("ALT or AST"), Valid.BLOODS, results=(("alt", "ast"),)),
    Check("glucose", N_("Glucose or HbA1c"), Valid.BLOODS, results=(("glucose-fasting", "glucose", "hba1c"),)),
    Check("blood-pressure", N_("Blood pressure"), Valid.BLOODS, results=(("systolic",), ("diastolic",))),
    Check("urinalysis", N_("Urinalysis"), Valid.BLOODS, screenings=("urinalysis",)),
    # Deficiency of IgA and the activity of TPMT are for life.
    Check("tpmt", N_("TPMT"), Valid.EVER, results=(("tpmt",),), screenings=("tpmt",)),
    Check("iga", N_("IgA"), Valid.EVER, results=(("iga",),), screenings=("iga",)),
    Check("igg", N_("IgG"), Valid.BLOODS, results=(("igg",),), screenings=("igg",)),
    Check("igm", N_("IgM"), Valid.BLOODS, results=(("igm",),)),
    Check(
        "hepatitis-b", N_("Hepatitis B (HBsAg and anti-HBc)"), Valid.SEROLOGY, results=(("hbsag",), ("anti-hbc",)),
        screenings=("hepatitis_b",),
    ),
    Check("hepatitis-c", N_("Hepatitis C"), Valid.SEROLOGY, results=(("hcv-ab",),), screenings=("hepatitis_c",)),
    Check("hiv", N_("HIV"), Valid.SEROLOGY, results=(("hiv",),), screenings=("hiv",)),
    Check("tuberculosis", N_("Tuberculosis"), Valid.SEROLOGY, results=(("igra",),), screenings=("tuberculosis",)),
    Check("varicella", N_("Varicella immunity"), Valid.EVER, screenings=("varicella",)),
    Check("vaccination", N_("Vaccinations looked through"), Valid.EXAMINATION, screenings=("vaccination",)),
    Check(
        "chest-image", N_("Chest X-ray or CT"), Valid.EXAMINATION, imaging=("chest_xray", "ct_chest", "hrct"),
    ),
    Check("ecg", N_("Electrocardiogram"), Valid.EXAMINATION, screenings=("ecg",)),
    Check("eye", N_("Eye examination"), Valid.EXAMINATION, screenings=("eye",)),
    Check("pregnancy", N_("Pregnancy test"), Valid.PREGNANCY, screenings=("pregnancy_test",), for_childbearing=True),
    Check(
        "pregnancy-twice", N_("Two pregnancy tests"), Valid.PREGNANCY, screenings=("pregnancy_test",),
        for_childbearing=True, twice=True,
    ),
    # Asked, and not kept by this record.
    Check("alcohol", N_("Alcohol"), Valid.EVER),
    Check("fertility", N_("Wish for children, and preserving fertility"), Valid.EVER),
    Check("lipids", N_("Lipids"), Valid.EVER),
    Check("potassium", N_("Potassium and magnesium"), Valid.EVER),
    Check("urate", N_("Urate"), Valid.EVER),
    Check("nudt15", N_("NUDT15, where available"), Valid.EVER),
    Check("events-risk", N_("Risk of thrombosis, heart disease and cancer"), Valid.EVER),
    Check("thrombosis-risk", N_("Risk of thrombosis"), Valid.EVER),
)  # fmt: skip

CHECKS: Mapping[str, Check] = MappingProxyType({check.code: check for check in _CHECKS})
