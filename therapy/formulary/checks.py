"""What is looked at before a drug is begun: one row each. A drug names the codes it needs (drugs.py).

Codes of results are those of monitoring/analytes.py, of screenings and imaging those of monitoring/models.py; the tests
see that they are there. Where a screening stands beside results, either will do: a report may come without its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from therapy.formulary.kinds import Check, Valid

_CHECKS = (
    Check(
        "blood-count", "Full blood count", Valid.BLOODS,
        results=(("haemoglobin",), ("wbc",), ("neutrophils",), ("platelets",)),
    ),
    Check("kidney", "Creatinine or eGFR", Valid.BLOODS, results=(("creatinine", "egfr", "egfr-2009", "egfr-mdrd"),)),
    Check("liver", "ALT or AST", Valid.BLOODS, results=(("alt", "ast"),)),
    Check("glucose", "Glucose or HbA1c", Valid.BLOODS, results=(("glucose-fasting", "glucose", "hba1c"),)),
    Check("blood-pressure", "Blood pressure", Valid.BLOODS, results=(("systolic",), ("diastolic",))),
    Check("urinalysis", "Urinalysis", Valid.BLOODS, screenings=("urinalysis",)),
    # Deficiency of IgA and the activity of TPMT are for life.
    Check("tpmt", "TPMT", Valid.EVER, results=(("tpmt",),), screenings=("tpmt",)),
    Check("iga", "IgA", Valid.EVER, results=(("iga",),), screenings=("iga",)),
    Check("igg", "IgG", Valid.BLOODS, results=(("igg",),), screenings=("igg",)),
    Check("igm", "IgM", Valid.BLOODS, results=(("igm",),)),
    Check(
        "hepatitis-b", "Hepatitis B (HBsAg and anti-HBc)", Valid.SEROLOGY, results=(("hbsag",), ("anti-hbc",)),
        screenings=("hepatitis_b",),
    ),
    Check("hepatitis-c", "Hepatitis C", Valid.SEROLOGY, results=(("hcv-ab",),), screenings=("hepatitis_c",)),
    Check("hiv", "HIV", Valid.SEROLOGY, results=(("hiv",),), screenings=("hiv",)),
    Check("tuberculosis", "Tuberculosis", Valid.SEROLOGY, results=(("igra",),), screenings=("tuberculosis",)),
    Check("varicella", "Varicella immunity", Valid.EVER, screenings=("varicella",)),
    Check("vaccination", "Vaccinations looked through", Valid.EXAMINATION, screenings=("vaccination",)),
    Check(
        "chest-image", "Chest X-ray or CT", Valid.EXAMINATION, imaging=("chest_xray", "ct_chest", "hrct"),
    ),
    Check("ecg", "Electrocardiogram", Valid.EXAMINATION, screenings=("ecg",)),
    Check("eye", "Eye examination", Valid.EXAMINATION, screenings=("eye",)),
    Check("pregnancy", "Pregnancy test", Valid.PREGNANCY, screenings=("pregnancy_test",), for_childbearing=True),
    Check(
        "pregnancy-twice", "Two pregnancy tests", Valid.PREGNANCY, screenings=("pregnancy_test",),
        for_childbearing=True, twice=True,
    ),
    # Asked, and not kept by this record.
    Check("alcohol", "Alcohol", Valid.EVER),
    Check("fertility", "Wish for children, and preserving fertility", Valid.EVER),
    Check("lipids", "Lipids", Valid.EVER),
    Check("potassium", "Potassium and magnesium", Valid.EVER),
    Check("urate", "Urate", Valid.EVER),
    Check("nudt15", "NUDT15, where available", Valid.EVER),
    Check("events-risk", "Risk of thrombosis, heart disease and cancer", Valid.EVER),
    Check("thrombosis-risk", "Risk of thrombosis", Valid.EVER),
)  # fmt: skip

CHECKS: Mapping[str, Check] = MappingProxyType({check.code: check for check in _CHECKS})
