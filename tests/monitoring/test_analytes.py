import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ucumvert import PintUcumRegistry

from common.units import UCUM_CODES
from monitoring.analytes import (
    ANALYTES,
    BLOOD_COUNT,
    LIVER,
    LOINC,
    MUSCLE_ENZYMES,
    OWN_SYSTEM,
    PANELS,
    RENAL,
    Kind,
    UnknownAnalyteError,
    accepted_units,
    by_coding,
    by_loinc,
    convert,
    convert_exact,
)
from monitoring.scores.tis import ENZYME_RANGES

D = Decimal

LOINC_TABLE = {
    "ck": "2157-6",
    "aldolase": "1761-6",
    "ldh": "2532-0 14804-9",
    "ast": "1920-8 30239-8",
    "alt": "1742-6 1743-4 1744-2",
    "ggt": "2324-2",
    "bilirubin": "1975-2",
    "alp": "6768-6",
    "ck-mb": "32673-6",
    "ck-mb-mass": "13969-1",
    "myoglobin": "2639-3",
    "creatinine": "2160-0 14682-9",
    "egfr": "98979-8",
    "egfr-2009": "62238-1",
    "egfr-mdrd": "33914-3",
    "potassium": "2823-3",
    "wbc": "6690-2 26464-8",
    "neutrophils": "751-8 26499-4",
    "lymphocytes": "731-0 26474-7",
    "eosinophils": "711-2 26449-9",
    "platelets": "777-3 26515-7",
    "haemoglobin": "718-7",
    "mcv": "787-2 30428-7",
    "albumin": "1751-7 61151-7",
    "crp": "1988-5 30522-7",
    "esr": "4537-7 30341-2",
    "ferritin": "2276-4 20567-4",
    "kl6": "93369-7",
    "troponin-i": "10839-9 89579-7",
    "troponin-t": "6598-7 48425-3 67151-1",
    "nt-probnp": "33762-6",
    "tsh": "3016-3",
    "fvc": "19868-9",
    "fvc-percent-predicted": "19872-1",
    "dlco": "19911-7",
    "dlco-hb": "19913-3",
    "dlco-percent-predicted": "98130-8",
    "fev1": "20150-9",
    "fev1-fvc": "19926-5",
    "spo2": "59408-5 2708-6",
    "ct-chest": "24627-2 29252-4",
    "weight": "29463-7",
    "height": "8302-2",
    "bmi": "39156-5",
    "systolic": "8480-6",
    "diastolic": "8462-4",
    "hba1c": "4548-4 59261-8",
    "glucose": "2345-7 14749-6",
    "glucose-fasting": "1558-6",
    "igg": "2465-3",
    "iga": "2458-8",
    "igm": "2472-9",
    "hbsag": "5195-3",
    "anti-hbc": "13952-7 16933-4",
    "anti-hbs": "22322-2",
    "hbv-dna": "48398-2",
    "hcv-ab": "16128-1 13955-0",
    "hiv": "56888-1",
    "igra": "71775-1",
    "igra-response": "71773-6",
    "tpmt": "21563-2 53819-9",
    "tacrolimus-level": "11253-2",
    "ciclosporin-level": "3520-4",
    "cd19-percent": "20593-0",
    "cd19": "20592-2",
    "vitamin-d": "62292-8",
    "ca-125": "10334-1 83082-8",
    "psa": "2857-1",
    "fobt": "29771-3",
    "haq-di": "75874-8",
    "patient-vas": "75844-1 75894-6",
    "physician-vas": "75846-6",
    "grip": "83174-3 52508-9",
    "walk-6min": "64098-7",
}
OWN_CODES = {"mmt8", "mmt8-80", "extramuscular-vas", "global-damage-vas", "tis", "ibmfrs", "tug", "fi-2", "walk-2min"}


def test_the_table_is_complete():
    assert set(ANALYTES) == set(LOINC_TABLE) | OWN_CODES


@pytest.mark.parametrize("code", LOINC_TABLE)
def test_loinc(code):
    for loinc in LOINC_TABLE[code].split():
        assert by_loinc(LOINC, loinc) is ANALYTES[code]
        assert by_coding(LOINC, loinc) is ANALYTES[code]
    assert len(ANALYTES[code].loinc) == len(LOINC_TABLE[code].split())


@pytest.mark.parametrize("code", sorted(OWN_CODES))
def test_what_loinc_does_not_have_is_in_our_own_system(code):
    assert ANALYTES[code].loinc == ()
    assert by_coding(OWN_SYSTEM, code) is ANALYTES[code]
    assert by_coding(LOINC, code) is None


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("urn:oid:2.16.840.1.113883.6.238", "2157-6"),  # a population group
        ("urn:oid:2.16.840.1.113883.6.238", "1761-6"),
        ("urn:oid:2.16.840.1.113883.6.238", "2160-0"),
        ("", "2157-6"),
        ("http://snomed.info/sct", "2157-6"),
        (OWN_SYSTEM, "2157-6"),
        (LOINC, "770-8"),  # neutrophils in percent
        (LOINC, ""),
        (LOINC, "2157"),
    ],
)
def test_a_code_without_its_system_is_nothing(system, code):
    assert by_loinc(system, code) is None
    assert by_coding(system, code) is None


@pytest.mark.parametrize(
    ("code", "value", "unit", "canonical"),
    [
        ("ck", "33.3", "ukat/L", "1998"),
        ("ck", "33.3", "µkat/L", "1998"),  # micro sign
        ("ck", "33.3", "μkat/L", "1998"),  # Greek mu
        ("ck", "125", "ukat/L", "7500"),
        ("ck", "200", "IU/L", "200"),
        ("ck", "200", "u/l", "200"),
        ("ck", "500", "nkat/L", "30"),
        ("ck", "0", "U/L", "0"),
        ("creatinine", "1", "mg/dL", "88.4"),
        ("creatinine", "0.9", "mg/dl", "79.56"),
        ("creatinine", "80", "µmol/L", "80"),
        ("bilirubin", "1", "mg/dL", "17.1"),
        ("albumin", "3.8", "g/dL", "38"),
        ("albumin", "3800", "mg/dL", "38"),
        ("haemoglobin", "13.5", "g/dL", "135"),
        ("wbc", "4.5", "THOU/uL", "4.5"),
        ("wbc", "4.5", "GI/L", "4.5"),
        ("wbc", "4500", "cells/uL", "4.5"),
        ("platelets", "150", "10*3/uL", "150"),
        ("neutrophils", "1590", "/uL", "1.59"),
        ("crp", "1.2", "mg/dL", "12"),
        ("esr", "30", "mm/hr", "30"),
        ("ferritin", "500", "ng/mL", "500"),
        ("troponin-i", "0.04", "ng/mL", "40"),
        ("troponin-t", "14", "ng/L", "14"),
        ("nt-probnp", "10", "pmol/L", "84.57"),
        ("tsh", "2.5", "µIU/mL", "2.5"),
        ("tsh", "2.5", "mIU/L", "2.5"),
        ("glucose", "18.016", "mg/dL", "1"),
        ("hba1c", "6.5", "%", "47.54115"),
        ("hba1c", "48", "mmol/mol", "48"),
        ("igg", "1200", "mg/dL", "12"),
        ("vitamin-d", "20", "ng/mL", "49.92"),
        ("dlco", "8", "mmol/min/kPa", "23.896"),
        ("fvc", "3200", "mL", "3.2"),
        ("fev1-fvc", "0.78", "ratio", "78"),
        ("cd19", "0.15", "10*9/L", "150"),
        ("weight", "150", "lb", "68.0388555"),
        ("height", "1.7", "m", "170"),
        ("kl6", "500", "U/mL", "500"),
        ("myoglobin", "70", "ng/mL", "70"),
    ],
)
def test_conversion_is_exact(code, value, unit, canonical):
    assert convert(code, D(value), unit) == D(canonical)
    assert convert_exact(code, D(value), unit) == Fraction(canonical)


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("ck", ""),
        ("ck", "mg/dL"),
        ("ck", "widgets"),
        ("wbc", "G/L"),  # giga or grams
        ("haemoglobin", "G/L"),
        ("haemoglobin", "mmol/L"),
        ("neutrophils", "%"),
        ("dlco", "%"),
        ("dlco-percent-predicted", "mL/min/mmHg"),
        ("egfr", "mL/min"),
        ("creatinine", "g/L"),
        ("hbsag", "{score}"),
        ("tpmt", "U/mL"),
        ("patient-vas", "mm"),
    ],
)
def test_what_cannot_be_converted_is_none(code, unit):
    assert convert(code, D(5), unit) is None


def test_wrong_use_is_an_error():
    with pytest.raises(UnknownAnalyteError):
        convert("unobtainium", D(1), "U/L")
    with pytest.raises(ValueError, match="number"):
        convert("ck", D("NaN"), "U/L")
    with pytest.raises(ValueError, match="number"):
        convert("ck", D("Infinity"), "U/L")
    with pytest.raises(ValueError, match="ordinary size"):
        convert("ck", D("1E+999999999"), "U/L")
    with pytest.raises(ValueError, match="ordinary size"):
        convert("ck", D("1E-999999999"), "U/L")


def test_whole_results_are_written_plainly():
    assert str(convert("ck", D("33.3"), "ukat/L")) == "1998"
    assert str(convert("ck", D("1E+3"), "U/L")) == "1000"
    assert str(convert("hbv-dna", D("123456789012345678901234567890"), "IU/mL")) == "123456789012345678901234567890"


def test_a_value_on_its_limit_stays_on_it_in_every_unit():
    # 90 mg/dL of glucose has no end as a decimal: as a fraction it still equals its own limit.
    assert convert_exact("glucose", D("90.0"), "mg/dL") == convert_exact("glucose", D(90), "MG/DL")


CONVERSIONS = [(a.code, unit, c) for a in ANALYTES.values() for unit, c in a.conversions.items()]


@pytest.fixture(scope="module")
def ucum():
    return PintUcumRegistry()


def test_factors_agree_with_ucum(ucum):
    def quantity(unit):
        # UCUM keeps enzyme units and international units apart; for these tests laboratories use them as one.
        return ucum.from_ucum(unit.replace("[IU]", "U"))

    checked = 0
    for code, unit, conversion in CONVERSIONS:
        canonical = ANALYTES[code].canonical_unit
        if conversion.molar or "{" in unit or (unit, canonical) == ("1", "{score}"):
            continue
        factor = (1 * quantity(unit)).to(1 * quantity(canonical)).magnitude
        assert float(conversion.apply(D(1))) == pytest.approx(factor, rel=1e-9), (code, unit)
        assert conversion.apply(D(0)) == 0
        checked += 1
    assert checked > 150


def test_constants_that_ucum_cannot_know_are_few_and_named():
    assert {(code, unit) for code, unit, conversion in CONVERSIONS if conversion.molar} == {
        ("bilirubin", "mg/dL"),
        ("bilirubin", "mg/L"),
        ("creatinine", "mg/dL"),
        ("creatinine", "mg/L"),
        ("nt-probnp", "pmol/L"),
        ("hba1c", "%"),
        ("glucose", "mg/dL"),
        ("glucose-fasting", "mg/dL"),
        ("vitamin-d", "ng/mL"),
        ("vitamin-d", "ug/L"),
        ("dlco", "mmol/min/kPa"),
        ("dlco-hb", "mmol/min/kPa"),
    }


@pytest.mark.parametrize("analyte", ANALYTES.values(), ids=ANALYTES)
def test_every_row_is_whole(analyte):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", analyte.code)
    assert len(analyte.code) <= 32
    assert analyte in PANELS[analyte.panel]
    if analyte.kind is Kind.NUMERIC:
        assert analyte.conversions[analyte.canonical_unit].apply(D(7)) == 7
        assert set(analyte.conversions) <= set(UCUM_CODES)
        assert accepted_units(analyte.code)[0] == analyte.canonical_unit
        assert analyte.plausible[0] <= analyte.warn[0] < analyte.warn[1] <= analyte.plausible[1]
        assert analyte.is_plausible(analyte.plausible[1])
        assert not analyte.is_plausible(analyte.plausible[1] + 1)
        assert not analyte.is_plausible(analyte.plausible[0] - 1)
        assert not analyte.needs_confirmation(analyte.warn[0])
        assert analyte.needs_confirmation(analyte.warn[1] + 1)
    else:
        assert analyte.canonical_unit is None
        assert not analyte.conversions
        assert analyte.is_plausible(D(-1))
    assert (analyte.kind is Kind.QUALITATIVE) == bool(analyte.values)


def test_indeterminate_is_an_answer_of_its_own():
    assert ANALYTES["igra"].values == ("negative", "indeterminate", "positive")


def test_named_groups():
    assert tuple(ENZYME_RANGES) == MUSCLE_ENZYMES
    for code in (*MUSCLE_ENZYMES, *RENAL, *LIVER, *BLOOD_COUNT):
        assert code in ANALYTES


@given(st.sampled_from([(c, u) for c, u, _ in CONVERSIONS]), st.decimals("0.001", "100000", places=3))
def test_order_is_kept(pair, value):
    code, unit = pair
    assert convert(code, value, unit) < convert(code, value + D("0.001"), unit)
