"""What can be measured: one row each. Adding an analyte is adding a row.

Codes are LOINC, and a LOINC code means nothing without its code system: 2157-6 is creatine kinase in LOINC and a
population group in another table. What LOINC has no code for is coded in this project's own system, by the row's code.

Canonical units are UCUM. A conversion is exact and belongs to the analyte, because moles and grams of different
substances differ; the others are checked against UCUM in the tests. A unit that is not in a row is not converted.

``plausible`` are hard limits: outside them a value is an error of unit or typing and is refused at entry. ``warn`` are
soft limits: outside them a person confirms. Both are engineering defaults of this project, not reference ranges: what
is normal is what the laboratory printed with the result.

LOINC is copyright Regenstrief Institute, Inc., and available free of charge under the licence at loinc.org.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from common.units import normalise
from common.words import N_

LOINC = "http://loinc.org"
OWN_SYSTEM = "urn:myositis-tracker:cs"


class Kind(StrEnum):
    NUMERIC = "numeric"
    QUALITATIVE = "qualitative"
    # A number whose unit and meaning are the laboratory's own: kept as received, never compared between laboratories.
    PER_LABORATORY = "per_laboratory"
    IMAGING = "imaging"


@dataclass(frozen=True)
class Conversion:
    """canonical = (value + add) x multiply / divide, exact. ``molar``: it rests on an agreed constant."""

    multiply: Decimal = Decimal(1)
    divide: Decimal = Decimal(1)
    add: Decimal = Decimal(0)
    molar: bool = False

    def apply(self, value: Decimal) -> Fraction:
        return (Fraction(value) + Fraction(self.add)) * Fraction(self.multiply) / Fraction(self.divide)


@dataclass(frozen=True)
class Analyte:
    """One thing that can be measured.

    ``conversions`` maps each UCUM unit accepted to the way into ``canonical_unit``, itself included. ``decimals`` are
    those shown. ``values`` are the answers of a qualitative test. ``plausible`` and ``warn`` are (low, high) in the
    canonical unit, both ends allowed.
    """

    code: str
    name: str
    short: str
    kind: Kind
    loinc: tuple[str, ...]
    canonical_unit: str | None
    conversions: Mapping[str, Conversion]
    decimals: int
    plausible: tuple[Decimal, Decimal] | None
    warn: tuple[Decimal, Decimal] | None
    panel: str
    note: str = ""
    values: tuple[str, ...] = field(default=())

    def is_plausible(self, value: Decimal) -> bool:
        """False for a canonical value no patient can have. True where the row has no limits."""
        return self.plausible is None or self.plausible[0] <= value <= self.plausible[1]

    def needs_confirmation(self, value: Decimal) -> bool:
        """True for a canonical value that is possible and so rare that a person should look twice."""
        return self.warn is not None and not self.warn[0] <= value <= self.warn[1]


def _by(multiply: str = "1", divide: str = "1", add: str = "0", *, molar: bool = False) -> Conversion:
    return Conversion(Decimal(multiply), Decimal(divide), Decimal(add), molar)


_SAME = _by()
_ACTIVITY = {"U/L": _SAME, "[IU]/L": _SAME, "kU/L": _by("1000"), "ukat/L": _by("60"), "nkat/L": _by("0.06")}
_CELLS = {"10*9/L": _SAME, "10*3/uL": _SAME, "10*6/L": _by(divide="1000"), "/uL": _by(divide="1000")}
_GRAMS = {"g/L": _SAME, "g/dL": _by("10"), "mg/mL": _SAME, "mg/dL": _by(divide="100"), "mg/L": _by(divide="1000")}
_MICROGRAMS = {"ug/L": _SAME, "ng/mL": _SAME, "ng/dL": _by(divide="100"), "mg/L": _by("1000"),
    "pg/mL": _by(divide="1000"),
               "ng/L": _by(divide="1000")}  # fmt: skip
_NANOGRAMS_ML = {"ng/mL": _SAME, "ug/L": _SAME, "pg/mL": _by(divide="1000"), "ng/L": _by(divide="1000")}
_NANOGRAMS = {"ng/L": _SAME, "pg/mL": _SAME, "ng/mL": _by("1000"), "ug/L": _by("1000")}
_GLUCOSE = {"mmol/L": _SAME, "mg/dL": _by(divide="18.016", molar=True)}
_UNITS_ML = {"U/mL": _SAME, "[IU]/mL": _SAME, "kU/L": _SAME, "U/L": _by(divide="1000")}
_VOLUME = {"L": _SAME, "mL": _by(divide="1000")}
_PERCENT = {"%": _SAME}
_SCORE = {"{score}": _SAME, "1": _SAME}
_SECONDS = {"s": _SAME}
_METRES = {"m": _SAME, "[ft_i]": _by("0.3048")}
_KILOGRAMS = {"kg": _SAME, "g": _by(divide="1000"), "[lb_av]": _by("0.45359237")}

# Digits accepted before and after the point: far beyond any measurement.
_DIGITS = 30

_SEROLOGY = (N_("negative"), N_("indeterminate"), N_("positive"))


def _number(
    code: str,
    name: str,
    short: str,
    loinc: str,
    unit: str,
    conversions: Mapping[str, Conversion],
    decimals: int,
    plausible: str,
    warn: str,
    panel: str,
    note: str = "",
) -> Analyte:
    """A row for a number; several LOINC codes, and the two ends of a range, stand in one text with a space between."""
    hard, soft = ((Decimal(low), Decimal(high)) for low, high in (plausible.split(), warn.split()))
    codes = tuple(loinc.split())
    return Analyte(
        code,
        name,
        short,
        Kind.NUMERIC,
        codes,
        unit,
        MappingProxyType(dict(conversions)),
        decimals,
        hard,
        soft,
        panel,
        note,
    )


def _word(
    code: str, name: str, short: str, loinc: str, panel: str, values: tuple[str, ...] = _SEROLOGY, note: str = ""
) -> Analyte:
    return Analyte(
        code,
        name,
        short,
        Kind.QUALITATIVE,
        tuple(loinc.split()),
        None,
        MappingProxyType({}),
        0,
        None,
        None,
        panel,
        note,
        values,
    )


_ANALYTES: tuple[Analyte, ...] = (
    # Muscle
    _number("ck", N_("Creatine kinase"), N_("CK"), "2157-6", "U/L", _ACTIVITY, 0, "0 2000000", "10 50000", "muscle",
            N_("Upper limits differ by sex, muscle mass and laboratory: the limit printed with the result counts.")),
    _number("aldolase", N_("Aldolase"), N_("Aldolase"), "1761-6", "U/L", _ACTIVITY, 1, "0 2000", "0.5 150", "muscle"),
    _number("ldh", N_("Lactate dehydrogenase"), N_("LDH"), "2532-0 14804-9", "U/L", _ACTIVITY, 0, "0 50000", "50 5000",
            "muscle",
            N_("14804-9 is the other direction of the reaction, about twice as high: compare multiples of the ULN.")),
    _number("ast", N_("Aspartate aminotransferase"), N_("AST"), "1920-8 30239-8", "U/L", _ACTIVITY, 0, "0 50000",
            "3 3000", "muscle", N_("30239-8 is with pyridoxal phosphate. A muscle enzyme too.")),
    _number("alt", N_("Alanine aminotransferase"), N_("ALT"), "1742-6 1743-4 1744-2", "U/L", _ACTIVITY, 0, "0 50000",
            "2 3000", "muscle", N_("1743-4 with, 1744-2 without pyridoxal phosphate. A muscle enzyme too.")),
    _number("myoglobin", N_("Myoglobin"), N_("Myoglobin"), "2639-3", "ug/L", _MICROGRAMS, 0, "0 1000000", "5 50000",
            "muscle"),
    _number("ck-mb", N_("Creatine kinase MB, activity"), N_("CK-MB"), "32673-6", "U/L", _ACTIVITY, 0, "0 100000",
            "0 2000", "cardiac", N_("Raised by regenerating skeletal muscle.")),
    _number("ck-mb-mass", N_("Creatine kinase MB, mass"), N_("CK-MB mass"), "13969-1", "ug/L", _MICROGRAMS, 1,
            "0 10000", "0 500", "cardiac", N_("Raised by regenerating skeletal muscle.")),
    # Liver
    _number("ggt", N_("Gamma-glutamyl transferase"), N_("GGT"), "2324-2", "U/L", _ACTIVITY, 0, "0 20000", "1 2000",
            "liver", N_("Not a muscle enzyme: tells liver from muscle.")),
    _number("bilirubin", N_("Bilirubin, total"), N_("Bilirubin"), "1975-2", "umol/L",
            {"umol/L": _SAME, "mg/dL": _by("17.1", molar=True), "mg/L": _by("1.71", molar=True)}, 0, "0 1500", "1 300",
            "liver"),
    _number("alp", N_("Alkaline phosphatase"), N_("ALP"), "6768-6", "U/L", _ACTIVITY, 0, "0 20000", "10 2000", "liver"),
    _number("albumin", N_("Albumin"), N_("Albumin"), "1751-7 61151-7", "g/L", _GRAMS, 0, "5 100", "15 60", "liver",
            N_("61151-7 is by bromocresol green.")),
    # Kidney
    _number("creatinine", N_("Creatinine"), N_("Creatinine"), "2160-0 14682-9", "umol/L",
            {"umol/L": _SAME, "mmol/L": _by("1000"), "mg/dL": _by("88.4", molar=True), "mg/L": _by("8.84", molar=True)},
            0, "0 5000", "15 1000", "renal", N_("Low where muscle is lost: a rise tells more than the value.")),
    _number("egfr", N_("Estimated GFR, CKD-EPI 2021"), N_("eGFR"), "98979-8", "mL/min/{1.73_m2}",
            {"mL/min/{1.73_m2}": _SAME}, 0, "0 250", "5 150", "renal",
            N_("Formulas are analytes of their own: never one trend across them.")),
    _number("egfr-2009", N_("Estimated GFR, CKD-EPI 2009"), N_("eGFR 2009"), "62238-1", "mL/min/{1.73_m2}",
            {"mL/min/{1.73_m2}": _SAME}, 0, "0 250", "5 150", "renal"),
    _number("egfr-mdrd", N_("Estimated GFR, MDRD"), N_("eGFR MDRD"), "33914-3", "mL/min/{1.73_m2}",
            {"mL/min/{1.73_m2}": _SAME}, 0, "0 250", "5 150", "renal"),
    _number("potassium", N_("Potassium"), N_("K"), "2823-3", "mmol/L", {"mmol/L": _SAME}, 1, "0.5 20", "2 8", "renal",
            N_("Tacrolimus and ciclosporin raise it; so does haemolysis in the tube.")),
    # Blood count
    _number("haemoglobin", N_("Haemoglobin"), N_("Hb"), "718-7", "g/L", _GRAMS, 0, "10 300", "50 200", "blood"),
    _number("wbc", N_("White cells"), N_("WBC"), "6690-2 26464-8", "10*9/L", _CELLS, 1, "0 1000", "1 50", "blood",
            N_("Glucocorticoids raise it.")),
    _number("neutrophils", N_("Neutrophils"), N_("Neut"), "751-8 26499-4", "10*9/L", _CELLS, 2, "0 500", "0.5 40",
            "blood", N_("Percentages have other codes and are not this.")),
    _number("lymphocytes", N_("Lymphocytes"), N_("Lymph"), "731-0 26474-7", "10*9/L", _CELLS, 2, "0 500", "0.1 15",
            "blood"),
    _number("eosinophils", N_("Eosinophils"), N_("Eos"), "711-2 26449-9", "10*9/L", _CELLS, 2, "0 200", "0 5", "blood"),
    _number("platelets", N_("Platelets"), N_("Plt"), "777-3 26515-7", "10*9/L", _CELLS, 0, "0 5000", "20 1000",
            "blood"),
    _number("mcv", N_("Mean corpuscular volume"), N_("MCV"), "787-2 30428-7", "fL", {"fL": _SAME}, 0, "30 200",
            "60 130", "blood", N_("Azathioprine and methotrexate raise it.")),
    # Inflammation
    _number("crp", N_("C-reactive protein"), N_("CRP"), "1988-5 30522-7", "mg/L",
            {"mg/L": _SAME, "mg/dL": _by("10"), "ug/mL": _SAME, "ug/L": _by(divide="1000")}, 1, "0 1500", "0 400",
            "inflammation", N_("30522-7 is high-sensitivity.")),
    _number("esr", N_("Erythrocyte sedimentation rate"), N_("ESR"), "4537-7 30341-2", "mm/h", {"mm/h": _SAME}, 0,
            "0 200", "0 140", "inflammation"),
    _number("ferritin", N_("Ferritin"), N_("Ferritin"), "2276-4 20567-4", "ug/L", _MICROGRAMS, 0, "0 200000", "1 10000",
            "inflammation"),
    _number("kl6", N_("KL-6"), N_("KL-6"), "93369-7", "U/mL", _UNITS_ML, 0, "0 50000", "50 10000", "inflammation"),
    # Heart
    _number("troponin-i", N_("Troponin I"), N_("TnI"), "10839-9 89579-7", "ng/L", _NANOGRAMS, 0, "0 1000000", "0 50000",
            "cardiac", N_("89579-7 is high-sensitivity. The one to use in myositis.")),
    _number("troponin-t", N_("Troponin T"), N_("TnT"), "6598-7 48425-3 67151-1", "ng/L", _NANOGRAMS, 0, "0 1000000",
            "0 20000", "cardiac", N_("67151-1 is high-sensitivity. Rises from regenerating skeletal muscle.")),
    _number("nt-probnp", N_("NT-proBNP"), N_("NT-proBNP"), "33762-6", "ng/L",
            {**_NANOGRAMS, "pmol/L": _by("8.457", molar=True)}, 0, "0 500000", "0 50000", "cardiac"),
    # Metabolism
    _number("tsh", N_("Thyrotropin"), N_("TSH"), "3016-3", "m[IU]/L",
            {"m[IU]/L": _SAME, "mU/L": _SAME, "u[IU]/mL": _SAME, "uU/mL": _SAME}, 2, "0 1500", "0 150", "metabolic"),
    _number("hba1c", N_("Haemoglobin A1c"), N_("HbA1c"), "4548-4 59261-8", "mmol/mol",
            {"mmol/mol": _SAME, "%": _by("10.929", add="-2.15", molar=True)}, 0, "5 250", "15 170", "metabolic",
            N_("4548-4 is NGSP in percent, 59261-8 IFCC; IFCC = (NGSP - 2.15) x 10.929.")),
    _number("glucose", N_("Glucose"), N_("Glucose"), "2345-7 14749-6", "mmol/L", _GLUCOSE, 1, "0 150", "2 40",
            "metabolic", N_("Meters read falsely high after immunoglobulin with maltose.")),
    _number("glucose-fasting", N_("Glucose, fasting"), N_("Glucose f."), "1558-6", "mmol/L", _GLUCOSE, 1, "0 150",
            "2 40", "metabolic", N_("Misses the afternoon rise on glucocorticoids.")),
    _number("vitamin-d", N_("25-hydroxyvitamin D"), N_("Vit D"), "62292-8", "nmol/L",
            {"nmol/L": _SAME, "ng/mL": _by("2.496", molar=True), "ug/L": _by("2.496", molar=True)}, 0, "0 2000",
            "5 400", "metabolic"),
    # Immunology
    _number("igg", N_("Immunoglobulin G"), N_("IgG"), "2465-3", "g/L", _GRAMS, 1, "0 200", "1 60", "immunology",
            N_("High for weeks after IVIG.")),
    _number("iga", N_("Immunoglobulin A"), N_("IgA"), "2458-8", "g/L", _GRAMS, 2, "0 100", "0 20", "immunology"),
    _number("igm", N_("Immunoglobulin M"), N_("IgM"), "2472-9", "g/L", _GRAMS, 2, "0 200", "0 20", "immunology"),
    _number("cd19-percent", N_("CD19 B cells, share of lymphocytes"), N_("CD19 %"), "20593-0", "%", _PERCENT, 1,
            "0 100", "0 50", "immunology"),
    _number("cd19", N_("CD19 B cells"), N_("CD19"), "20592-2", "/uL",
            {"/uL": _SAME, "10*6/L": _SAME, "10*9/L": _by("1000"), "10*3/uL": _by("1000")}, 0, "0 100000", "0 2000",
            "immunology"),
    # Infection
    _word("hbsag", N_("Hepatitis B surface antigen"), N_("HBsAg"), "5195-3", "infection"),
    _word("anti-hbc", N_("Hepatitis B core antibody"), N_("anti-HBc"), "13952-7 16933-4", "infection",
          note=N_("Passively positive after IVIG: test before the first.")),
    _word("anti-hbs", N_("Hepatitis B surface antibody"), N_("anti-HBs"), "22322-2", "infection",
          note=N_("Passively positive after IVIG.")),
    _number("hbv-dna", N_("Hepatitis B virus DNA"), N_("HBV DNA"), "48398-2", "[IU]/mL", {"[IU]/mL": _SAME}, 0,
            "0 1e12", "0 1e10", "infection"),
    _word("hcv-ab", N_("Hepatitis C antibody"), N_("anti-HCV"), "16128-1 13955-0", "infection",
          note=N_("Passively positive after IVIG.")),
    _word("hiv", N_("HIV 1 and 2 antigen and antibody"), N_("HIV"), "56888-1", "infection"),
    _word("igra", N_("Interferon gamma release assay"), N_("IGRA"), "71775-1", "infection",
          note=N_("Indeterminate is a third answer, common on high-dose glucocorticoid: repeat it; it is not negative."
                  )),
    _number("igra-response", N_("Interferon gamma response to TB antigen"), N_("IGRA response"), "71773-6", "[IU]/mL",
            {"[IU]/mL": _SAME}, 2, "-100 1000", "-1 20", "infection"),
    # Drugs
    Analyte("tpmt", N_("Thiopurine methyltransferase activity"), N_("TPMT"), Kind.PER_LABORATORY, ("21563-2",
            "53819-9"), None,
            MappingProxyType({}), 1, None, None, "drug",
            N_("Units and limits are the laboratory's own. Void 120 days after transfusion.")),
    _number("tacrolimus-level", N_("Tacrolimus, whole blood"), N_("Tacrolimus"), "11253-2", "ng/mL", _NANOGRAMS_ML, 1,
            "0 200", "0 30", "drug"),
    _number("ciclosporin-level", N_("Ciclosporin, whole blood"), N_("Ciclosporin"), "3520-4", "ng/mL", _NANOGRAMS_ML, 0,
            "0 5000", "0 1500", "drug"),
    # Tumour screening
    _number("ca-125", N_("CA-125"), N_("CA-125"), "10334-1 83082-8", "U/mL", _UNITS_ML, 0, "0 100000", "0 5000",
            "tumour"),
    _number("psa", N_("Prostate-specific antigen"), N_("PSA"), "2857-1", "ug/L", _MICROGRAMS, 2, "0 20000", "0 500",
            "tumour"),
    _word("fobt", N_("Faecal occult blood"), N_("FOBT"), "29771-3", "tumour"),
    # Lung
    _number("fvc", N_("Forced vital capacity"), N_("FVC"), "19868-9", "L", _VOLUME, 2, "0.1 10", "0.5 8", "lung"),
    _number("fvc-percent-predicted", N_("FVC, percent of predicted"), N_("FVC %"), "19872-1", "%", _PERCENT, 0, "3 250",
            "20 160", "lung", N_("Compare within one reference set only.")),
    _number("dlco", N_("Diffusing capacity for CO"), N_("DLCO"), "19911-7", "mL/min/mm[Hg]",
            {"mL/min/mm[Hg]": _SAME, "mmol/min/kPa": _by("2.987", molar=True)}, 1, "0 100", "2 60", "lung",
            N_("Not a percentage.")),
    _number("dlco-hb", N_("Diffusing capacity for CO, corrected for haemoglobin"), N_("DLCO Hb"), "19913-3",
            "mL/min/mm[Hg]", {"mL/min/mm[Hg]": _SAME, "mmol/min/kPa": _by("2.987", molar=True)}, 1, "0 100", "2 60",
            "lung"),
    _number("dlco-percent-predicted", N_("DLCO, percent of predicted"), N_("DLCO %"), "98130-8", "%", _PERCENT, 0,
            "1 250", "10 160", "lung",
            N_("No code says whether it is corrected for haemoglobin: that is recorded beside it.")),
    _number("fev1", N_("Forced expiratory volume in 1 s"), N_("FEV1"), "20150-9", "L", _VOLUME, 2, "0.1 8", "0.3 6",
            "lung"),
    _number("fev1-fvc", N_("FEV1 / FVC"), N_("FEV1/FVC"), "19926-5", "%", {"%": _SAME, "1": _by("100")}, 0, "5 100",
            "25 100", "lung"),
    _number("spo2", N_("Oxygen saturation"), N_("SpO2"), "59408-5 2708-6", "%", _PERCENT, 0, "30 100", "80 100",
            "vitals", N_("59408-5 is by pulse oximetry.")),
    Analyte("ct-chest", N_("CT of the chest"), N_("CT chest"), Kind.IMAGING, ("24627-2", "29252-4"), None,
            MappingProxyType({}),
            0, None, None, "imaging", N_("No code says high resolution: that is recorded with the image.")),
    # Body
    _number("weight", N_("Body weight"), N_("Weight"), "29463-7", "kg", _KILOGRAMS, 1, "1 500", "30 200", "vitals"),
    _number("height", N_("Body height"), N_("Height"), "8302-2", "cm",
            {"cm": _SAME, "m": _by("100"), "mm": _by(divide="10"), "[in_i]": _by("2.54")}, 0, "30 280", "130 215",
            "vitals"),
    _number("bmi", N_("Body mass index"), N_("BMI"), "39156-5", "kg/m2", {"kg/m2": _SAME}, 1, "5 150", "13 60",
            "vitals"),
    _number("systolic", N_("Systolic blood pressure"), N_("BP sys"), "8480-6", "mm[Hg]", {"mm[Hg]": _SAME}, 0, "30 350",
            "70 230", "vitals"),
    _number("diastolic", N_("Diastolic blood pressure"), N_("BP dia"), "8462-4", "mm[Hg]", {"mm[Hg]": _SAME}, 0,
            "10 250", "35 140", "vitals"),
    # Function and scores
    _number("haq-di", N_("HAQ disability index"), N_("HAQ-DI"), "75874-8", "{score}", _SCORE, 3, "0 3", "0 3",
            "function"),
    _number("patient-vas", N_("Patient global activity"), N_("Patient VAS"), "75844-1 75894-6", "{score}", _SCORE, 1,
            "0 10", "0 10", "function", N_("Worded for arthritis; the nearest code there is. 0 to 10 only.")),
    _number("physician-vas", N_("Physician global activity"), N_("Physician VAS"), "75846-6", "{score}", _SCORE, 1,
            "0 10", "0 10", "function", N_("0 to 10 only.")),
    _number("grip", N_("Grip strength"), N_("Grip"), "83174-3 52508-9", "kg",
            {"kg": _SAME, "[lb_av]": _by("0.45359237")}, 1, "0 120", "0 80", "function"),
    _number("walk-6min", N_("Six-minute walk distance"), N_("6MWD"), "64098-7", "m", _METRES, 0, "0 1200", "20 900",
            "function"),
    _number("walk-2min", N_("Two-minute walk distance"), N_("2MWD"), "", "m", _METRES, 0, "0 450", "10 300",
            "function"),
    _number("mmt8", N_("Manual muscle test, 8 groups, both sides"), N_("MMT8"), "", "{score}", _SCORE, 0, "0 150",
            "0 150", "function", N_("0 to 150.")),
    _number("mmt8-80", N_("Manual muscle test, 8 groups, one side"), N_("MMT8 one side"), "", "{score}", _SCORE, 0,
            "0 80", "0 80", "function", N_("0 to 80.")),
    _number("extramuscular-vas", N_("Extramuscular global activity (MDAAT)"), N_("Extramuscular VAS"), "", "{score}",
            _SCORE, 1, "0 10", "0 10", "function", N_("A judgement of its own, never a mean of the organs.")),
    _number("global-damage-vas", N_("Global damage"), N_("Damage VAS"), "", "{score}", _SCORE, 1, "0 10", "0 10",
            "function"),
    _number("tis", N_("Total Improvement Score"), N_("TIS"), "", "{score}", _SCORE, 1, "0 100", "0 100", "function"),
    _number("ibmfrs", N_("IBM functional rating scale"), N_("IBMFRS"), "", "{score}", _SCORE, 0, "0 40", "0 40",
            "function", N_("10 items of 0 to 4, higher is better.")),
    _number("tug", N_("Timed up and go"), N_("TUG"), "", "s", _SECONDS, 1, "0 600", "3 120", "function"),
    _number("fi-2", N_("Functional index 2"), N_("FI-2"), "", "{score}", _SCORE, 0, "0 120", "0 120", "function",
            N_("Repetitions of one task: at most 60, or 120 for heel and toe lift.")),
)  # fmt: skip


def _check_unique() -> dict[str, Analyte]:
    loinc: dict[str, Analyte] = {}
    for analyte in _ANALYTES:
        for code in analyte.loinc:
            if loinc.setdefault(code, analyte) is not analyte:
                raise AssertionError(f"LOINC {code} belongs to two analytes")
    return loinc


ANALYTES: Mapping[str, Analyte] = MappingProxyType({analyte.code: analyte for analyte in _ANALYTES})
_LOINC: Mapping[str, Analyte] = MappingProxyType(_check_unique())

PANELS: Mapping[str, tuple[Analyte, ...]] = MappingProxyType({
    panel: tuple(a for a in _ANALYTES if a.panel == panel) for panel in dict.fromkeys(a.panel for a in _ANALYTES)
})  # fmt: skip

# The five serum enzymes of the core set, in the order that settles ties.
MUSCLE_ENZYMES = ("ck", "aldolase", "ldh", "ast", "alt")
RENAL = ("creatinine", "egfr", "egfr-2009", "egfr-mdrd")
LIVER = ("alt", "ast")
BLOOD_COUNT = ("haemoglobin", "wbc", "neutrophils", "platelets")


class UnknownAnalyteError(KeyError):
    """No row of the table has this code."""


def get(code: str) -> Analyte:
    """The row with this code; UnknownAnalyteError (a KeyError) where there is none."""
    try:
        return ANALYTES[code]
    except KeyError:
        raise UnknownAnalyteError(code) from None


def by_loinc(system: str, code: str) -> Analyte | None:
    """The analyte of a coding, only where its code system is LOINC. None for any other system or code."""
    return _LOINC.get(code) if system == LOINC else None


def by_coding(system: str, code: str) -> Analyte | None:
    """The analyte of a coding, in LOINC or in this project's own code system."""
    return ANALYTES.get(code) if system == OWN_SYSTEM else by_loinc(system, code)


def convert(analyte_code: str, value: Decimal, unit: str) -> Decimal | None:
    """``value`` in the analyte's canonical unit; None where ``unit`` is unknown or the analyte is not measured in it.

    ``unit`` may be any spelling ``common.units.normalise`` knows. Exact wherever the result has an end; else 28 digits.
    0 converts to 0 (except HbA1c), never to None. Raises UnknownAnalyteError, and ValueError for NaN, infinity and
    numbers of more than about 30 digits either side of the point.
    """
    exact = convert_exact(analyte_code, value, unit)
    return None if exact is None else _as_decimal(exact)


def convert_exact(analyte_code: str, value: Decimal, unit: str) -> Fraction | None:
    """As ``convert``, as a fraction: for comparing with a limit converted from the same unit."""
    analyte = get(analyte_code)
    if not value.is_finite():
        raise ValueError("a result must be a number")
    # A text such as "1E+999999999" is a valid Decimal and would fill the memory as a fraction.
    if value and not (int(value.as_tuple().exponent) >= -_DIGITS and value.adjusted() <= _DIGITS):
        raise ValueError("a result must be a number of ordinary size")
    ucum = normalise(unit)
    conversion = analyte.conversions.get(ucum) if ucum is not None else None
    return None if conversion is None else conversion.apply(value)


def accepted_units(analyte_code: str) -> tuple[str, ...]:
    """UCUM units a value of this analyte may come in, the canonical one first."""
    analyte = get(analyte_code)
    return tuple(sorted(analyte.conversions, key=lambda unit: unit != analyte.canonical_unit))


def _as_decimal(exact: Fraction) -> Decimal:
    if exact.denominator == 1:
        return Decimal(exact.numerator)  # written out: 1000, not 1E+3
    return Decimal(exact.numerator) / Decimal(exact.denominator)
