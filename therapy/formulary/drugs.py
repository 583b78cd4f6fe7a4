"""The drugs this clinic follows: one entry each, readable from top to bottom. Adding a drug is adding an entry.

Doses marked SEED are the ones the guideline of this project gives, and win over other sources for validation ranges.
GENERAL marks general knowledge that a centre should check. Codes: RxNorm ingredient; ATC old and new.
What may and must be said of a drug stands in kinds.py, what its checks are in checks.py.
"""

from __future__ import annotations

from decimal import Decimal

from common.words import N_
from therapy.formulary.kinds import (
    DoseRange,
    Drug,
    Every,
    Interaction,
    Kind,
    Limit,
    Per,
    Phase,
    Severity,
)

SEED = "guideline text of the project"
GENERAL = "general knowledge"
BSR_2022 = "Oldroyd AGS, et al. Rheumatology 2022;61:1760-8 (secondary reading)"
BSR_2017 = "Ledingham J, et al. Rheumatology 2017;56:865-8 (secondary reading)"
PRODERM = "ProDERM and label of Octagam 10 %"
RIM = "Oddis CV, et al. Arthritis Rheum 2013;65:314-24"
SPS = "Specialist Pharmacy Service, monitoring of ciclosporin and tacrolimus (secondary reading)"
JAK_LABEL = "Labels of tofacitinib and baricitinib"


def _range(
    phase: Phase,
    low: str,
    high: str | None,
    per: Per,
    every: Every,
    *,
    confirm_above: str | None = None,
    cap: str | None = None,
    routes: tuple[str, ...] = (),
    note: str = "",
    tolerance: str = "0",
) -> DoseRange:
    def decimal(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    return DoseRange(
        phase, Decimal(low), decimal(high), per, every, decimal(confirm_above), decimal(cap), routes, note,
        Decimal(tolerance),
    )  # fmt: skip


def _limit(analyte: str, level: str, text: str, *, below: str | None = None, above: str | None = None) -> Limit:
    return Limit(
        analyte,
        level,
        text,
        None if below is None else Decimal(below),
        None if above is None else Decimal(above),
    )


_STEROID_START = _range(
    Phase.START,
    "0.5",
    "1",
    Per.KG,
    Every.DAY,
    cap="80",
    note=N_("usually 40 to 60 mg a day; the cap is general knowledge"),
)
_DAILY = ("day", "2 days")

TASK, ACTION = "TASK", "ACTION"  # words of monitoring/levels.py
AVOID, CAUTION = Severity.AVOID, Severity.CAUTION
PNEUMOCYSTIS = "pneumocystis"

# Before every drug of the standard blood schedule.
_PANEL = ("blood-count", "kidney", "liver")
_JAK_LIMITS = (
    _limit("neutrophils", ACTION, N_("below 1.0 interrupt"), below="1"),
    _limit("lymphocytes", ACTION, N_("below 0.5 interrupt"), below="0.5"),
    _limit("haemoglobin", ACTION, N_("below 80 g/L interrupt"), below="80"),
)
_WITH_CYP3A4 = Interaction(
    CAUTION, N_("They change its level: measure the trough."),
    others=N_("CYP3A4 inhibitors and inducers: macrolides, azoles, diltiazem, verapamil, grapefruit; rifampicin, "
    "carbamazepine, phenytoin, St John's wort"),
)  # fmt: skip
_WITH_JAK = Interaction(
    CAUTION, N_("Not combined with other strong immunosuppressants in the trials."),
    ("azathioprine", "tacrolimus", "ciclosporin"),
)  # fmt: skip

DRUGS: tuple[Drug, ...] = (
    # Glucocorticoids
    Drug(
        "prednisone", N_("Prednisone"), Kind.GLUCOCORTICOID, ("oral",), _DAILY,
        ranges=(_STEROID_START,), rxnorm="8640", atc=("H02AB07",), sources=(SEED, BSR_2022),
    ),
    Drug(
        "prednisolone", N_("Prednisolone"), Kind.GLUCOCORTICOID, ("oral",), _DAILY,
        ranges=(_STEROID_START,), rxnorm="8638", atc=("H02AB06",), sources=(SEED, BSR_2022),
    ),
    Drug(
        "methylprednisolone", N_("Methylprednisolone"), Kind.GLUCOCORTICOID,
        ("intravenous", "oral", "intramuscular"), _DAILY,
        ranges=(
            _range(Phase.PULSE, "500", "1000", Per.ABSOLUTE, Every.DAY, routes=("intravenous",),
                   note=N_("3 to 5 days; 1 g on 3 days is 3750 mg of prednisone")),
        ),
        rxnorm="6902", atc=("H02AB04",), sources=(GENERAL,),
    ),
    Drug(
        "hydrocortisone", N_("Hydrocortisone"), Kind.GLUCOCORTICOID, ("oral", "intravenous", "topical"), _DAILY,
        rxnorm="5492", atc=("H02AB09",), sources=(GENERAL,), notes=N_("Often replacement, not treatment."),
    ),
    Drug(
        "cortisone", N_("Cortisone"), Kind.GLUCOCORTICOID, ("oral",), _DAILY,
        rxnorm="2878", atc=("H02AB10",), sources=(GENERAL,),
    ),
    Drug(
        "dexamethasone", N_("Dexamethasone"), Kind.GLUCOCORTICOID, ("oral", "intravenous"), _DAILY,
        rxnorm="3264", atc=("H02AB02",), sources=(GENERAL,),
    ),
    Drug(
        "betamethasone", N_("Betamethasone"), Kind.GLUCOCORTICOID, ("oral", "intramuscular", "topical"), _DAILY,
        rxnorm="1514", atc=("H02AB01",), sources=(GENERAL,),
    ),
    Drug(
        "deflazacort", N_("Deflazacort"), Kind.GLUCOCORTICOID, ("oral",), _DAILY,
        rxnorm="22396", atc=("H02AB13",), sources=(GENERAL,),
    ),
    Drug(
        "triamcinolone", N_("Triamcinolone"), Kind.GLUCOCORTICOID, ("intramuscular", "oral", "topical"),
        ("4 weeks", "day"), rxnorm="10759", atc=("H02AB08",), sources=(GENERAL,),
    ),
    # Conventional, first line
    Drug(
        "methotrexate", N_("Methotrexate"), Kind.CONVENTIONAL, ("oral", "subcutaneous", "intramuscular"), ("week",),
        ranges=(
            _range(Phase.START, "7.5", "15", Per.ABSOLUTE, Every.WEEK, note=N_("steps of 2.5 to 5 mg")),
            _range(Phase.TARGET, "15", "25", Per.ABSOLUTE, Every.WEEK),
        ),
        monitored=True, min_interval_days=7, rxnorm="6851", atc=("L04AX03", "L01BA01"), sources=(SEED, BSR_2017),
        notes=N_("Once a week. Folic acid 5 mg a week or 1 mg a day. Not recommended first line for lung disease."),
        baseline=(*_PANEL, "chest-image", "hepatitis-b", "hepatitis-c", "pregnancy"),
        advised=("hiv", "varicella", "vaccination", "alcohol"),
        monitoring=(N_("New cough or breathlessness: stop, and look at once."), N_("Mouth ulcers.")),
        limits=(
            _limit("egfr", TASK, N_("below 60 reduce the dose"), below="60"),
            _limit("egfr", ACTION, N_("below 30 avoid methotrexate"), below="30"),
        ),
        interactions=(
            Interaction(CAUTION, N_("Both hold back folate: marrow toxicity."), ("co-trimoxazole",)),
            Interaction(
                CAUTION, N_("They slow its way out by the kidney."), others=N_("NSAIDs, proton pump inhibitors")
            ),
        ),
    ),
    Drug(
        "azathioprine", N_("Azathioprine"), Kind.CONVENTIONAL, ("oral",), ("day",),
        ranges=(
            _range(Phase.START, "0", "1", Per.KG, Every.DAY, note=N_("raised by steps to the target")),
            _range(Phase.TARGET, "1", "2", Per.KG, Every.DAY, confirm_above="3", note=N_("others use up to 2.5 mg/kg")),
        ),
        monitored=True, rxnorm="1256", atc=("L04AX01",), sources=(SEED, BSR_2017),
        notes=N_(
            "TPMT first: absent, do not give; low, 1 mg/kg; normal, 2 mg/kg. Allopurinol and febuxostat interact."
        ),
        baseline=(*_PANEL, "tpmt", "hepatitis-b"),
        advised=("hepatitis-c", "hiv", "varicella", "vaccination", "nudt15"),
        monitoring=(N_("Pancreatitis."), N_("MCV rises by design.")),
        interactions=(
            Interaction(
                AVOID,
                N_("They keep azathioprine from being broken down: marrow failure. Only at a quarter of the dose."),
                ("allopurinol", "febuxostat"),
            ),
            Interaction(CAUTION, N_("Two drugs that hold back the same cells."), ("mycophenolate-mofetil",)),
            Interaction(CAUTION, N_("More leucopenia together."), ("co-trimoxazole",)),
        ),
    ),
    Drug(
        "mycophenolate-mofetil", N_("Mycophenolate mofetil"), Kind.CONVENTIONAL, ("oral", "intravenous"), ("day",),
        times=2,
        ranges=(
            _range(
                Phase.START, "500", "2000", Per.ABSOLUTE, Every.DAY, note=N_("from 500 mg twice a day, weekly steps")
            ),
            _range(Phase.TARGET, "2000", "3000", Per.ABSOLUTE, Every.DAY, note=N_("1000 to 1500 mg twice a day")),
        ),
        monitored=True, rxnorm="68149", atc=("L04AA06",), sources=(SEED, BSR_2017),
        notes=N_(
            "Two pregnancy tests before the start where pregnancy is possible; contraception until 6 weeks after."
        ),
        baseline=(*_PANEL, "pregnancy-twice", "hepatitis-b"),
        advised=("hepatitis-c", "hiv", "varicella", "vaccination"),
    ),
    # Second line and refractory disease
    Drug(
        "ivig", N_("Immunoglobulin (IVIG)"), Kind.IMMUNOGLOBULIN, ("intravenous",), ("4 weeks",), unit="g",
        ranges=(_range(
            Phase.TARGET, "2", "2", Per.KG, Every.COURSE, tolerance="0.05", note=N_("over 2 to 5 days, every 4 weeks"),
        ),),
        rxnorm="5666", atc=("J06BA02",), sources=(SEED, PRODERM), notes=N_("Thrombosis and renal warnings; IgA first."),
        baseline=("iga", "kidney", "blood-count", "hepatitis-b", "hepatitis-c"),
        advised=("hiv", "thrombosis-risk"),
        monitoring=(
            N_("Creatinine before each course; haemoglobin after 36 to 96 h at a high risk of haemolysis."),
            N_("Serology is falsely positive for weeks; meters read glucose falsely high after products with maltose."),
        ),
        interactions=(
            Interaction(CAUTION, N_("Live vaccines do not take for 11 months."), others=N_("Live vaccines")),
        ),
    ),
    Drug(
        "scig", N_("Immunoglobulin (SCIG)"), Kind.IMMUNOGLOBULIN, ("subcutaneous",), ("week",), unit="g",
        ranges=(_range(
            Phase.TARGET, "0.5", "0.5", Per.KG, Every.WEEK, tolerance="0.05",
            note=N_("2 g/kg in 4 weeks, in weekly parts"),
        ),),
        rxnorm="5666", atc=("J06BA01",), sources=(GENERAL,), advised=("iga", "kidney", "thrombosis-risk"),
    ),
    Drug(
        "rituximab", N_("Rituximab"), Kind.BIOLOGIC, ("intravenous",), ("2 weeks", "6 months"),
        ranges=(_range(Phase.TARGET, "1000", "1000", Per.ABSOLUTE, Every.DOSE, note=N_("twice, 14 days apart (± 3)")),),
        rxnorm="121191", atc=("L01FA01", "L01XC02"), sources=(SEED, RIM), notes=N_("IgG before every infusion."),
        baseline=("hepatitis-b", "hepatitis-c", "igg", "iga", "igm", "varicella", "chest-image", "vaccination"),
        advised=("hiv", "tuberculosis"),
        monitoring=(
            N_("Blood count, kidney and liver after 4 weeks; IgG before every infusion, then every 6 months."),
            N_("Late neutropenia after 1 to 5 months. Confusion, weakness of one side: think of PML."),
            N_("Anti-HBc positive: antiviral prophylaxis until 12 to 18 months after the last dose."),
        ),
        limits=(
            _limit("igg", TASK, N_("below 6 g/L discuss the next infusion"), below="6"),
            _limit("igg", ACTION, N_("below 4 g/L do not repeat without immunology"), below="4"),
        ),
    ),
    Drug(
        "abatacept", N_("Abatacept"), Kind.BIOLOGIC, ("subcutaneous", "intravenous"), ("week", "4 weeks"),
        ranges=(
            _range(Phase.TARGET, "125", "125", Per.ABSOLUTE, Every.WEEK, routes=("subcutaneous",)),
            _range(
                Phase.TARGET, "10", "10", Per.KG, Every.FOUR_WEEKS, routes=("intravenous",), tolerance="0.25",
                note=N_("whole vials: 500 mg below 60 kg, 750 mg, 1000 mg above 100 kg"),
            ),
        ),
        rxnorm="614391", atc=("L04AA24",), sources=(GENERAL,),
        baseline=("tuberculosis", "hepatitis-b", "hepatitis-c"), advised=("vaccination",),
        monitoring=(
            N_("Blood count, kidney and liver every 6 months."), N_("Infection; chronic obstructive lung disease."),
        ),
        interactions=(Interaction(AVOID, N_("More infections, no more effect."), kinds=(Kind.JAK,)),),
    ),
    Drug(
        "tacrolimus", N_("Tacrolimus"), Kind.CALCINEURIN, ("oral", "topical"), ("day",), times=2,
        ranges=(_range(
            Phase.TARGET, "0.05", "0.1", Per.KG, Every.DAY, routes=("oral",), note=N_("trough 5 to 10 ng/mL"),
        ),),
        monitored=True, monitoring_max_days=28, rxnorm="42316", atc=("L04AD02",), sources=(GENERAL, SPS),
        baseline=(*_PANEL, "blood-pressure", "glucose", "ecg", "hepatitis-b"),
        advised=("hepatitis-c", "hiv", "varicella", "vaccination", "potassium", "lipids"),
        monitoring=(
            N_("Potassium, magnesium, glucose and blood pressure every 2 weeks, then monthly."),
            N_("Trough after 3 to 7 days and after each change: 5 to 10 ng/mL."), N_("Tremor; new diabetes."),
        ),
        limits=(
            _limit("tacrolimus-level", ACTION, N_("the trough is above 10 ng/mL"), above="10"),
            _limit("systolic", TASK, N_("blood pressure above 140/90"), above="140"),
            _limit("diastolic", TASK, N_("blood pressure above 140/90"), above="90"),
        ),
        interactions=(
            Interaction(AVOID, N_("Two calcineurin inhibitors: kidney damage."), ("ciclosporin",)),
            _WITH_CYP3A4,
        ),
    ),
    Drug(
        "ciclosporin", N_("Ciclosporin"), Kind.CALCINEURIN, ("oral",), ("day",), times=2,
        ranges=(_range(Phase.TARGET, "2.5", "5", Per.KG, Every.DAY, note=N_("trough 100 to 200 ng/mL")),),
        monitored=True, monitoring_max_days=28, rxnorm="3008", atc=("L04AD01",), sources=(GENERAL, SPS),
        baseline=(*_PANEL, "blood-pressure", "hepatitis-b"),
        advised=("hepatitis-c", "hiv", "varicella", "vaccination", "lipids", "urate"),
        monitoring=(
            N_("Blood pressure and creatinine twice before the start."),
            N_("Creatinine every 2 weeks for 3 months, then monthly; lipids after a month."),
        ),
        limits=(
            _limit("systolic", ACTION, N_("blood pressure above 140/90"), above="140"),
            _limit("diastolic", ACTION, N_("blood pressure above 140/90"), above="90"),
        ),
        interactions=(
            Interaction(AVOID, N_("It raises the level of the statin: muscle damage."), kinds=(Kind.STATIN,)),
            _WITH_CYP3A4,
        ),
    ),
    Drug(
        "cyclophosphamide", N_("Cyclophosphamide"), Kind.CONVENTIONAL, ("intravenous", "oral"),
        ("4 weeks", "2 weeks", "day"),
        ranges=(
            _range(Phase.TARGET, "500", "1000", Per.M2, Every.DOSE, routes=("intravenous",),
                   note=N_("every 4 weeks, 6 times, with mesna and fluid")),
            _range(Phase.TARGET, "500", "500", Per.ABSOLUTE, Every.DOSE, routes=("intravenous",),
                   note=N_("every 2 weeks, 6 times")),
        ),
        monitored=True, rxnorm="3002", atc=("L01AA01",), sources=(GENERAL,),
        baseline=(*_PANEL, "urinalysis", "pregnancy", "hepatitis-b"),
        advised=("hepatitis-c", "hiv", "varicella", "vaccination", "fertility"),
        monitoring=(N_("Blood count on day 7 to 14 and before each dose."), N_("Urinalysis: haematuria.")),
        limits=(
            _limit("wbc", ACTION, N_("below 3.5 before a dose: delay, or reduce by a quarter"), below="3.5"),
            _limit("neutrophils", ACTION, N_("below 1.5 before a dose: delay, or reduce by a quarter"), below="1.5"),
        ),
        interactions=(
            Interaction(AVOID, N_("More cyclophosphamide is activated: marrow toxicity."), ("allopurinol",)),
        ),
    ),
    Drug(
        "tofacitinib", N_("Tofacitinib"), Kind.JAK, ("oral",), ("day",), times=2,
        ranges=(_range(Phase.TARGET, "10", "11", Per.ABSOLUTE, Every.DAY,
            note=N_("5 mg twice a day or 11 mg slow release")),),
        monitored=True, rxnorm="1357536", atc=("L04AF01", "L04AA29"), sources=(GENERAL, JAK_LABEL),
        baseline=(*_PANEL, "tuberculosis", "hepatitis-b", "hepatitis-c"),
        advised=("hiv", "varicella", "vaccination", "lipids", "events-risk"),
        monitoring=(
            N_("Blood count and liver after 4 to 8 weeks, then every 12; lipids after 4 to 8 weeks."),
            N_("Shingles; thrombosis."),
        ),
        limits=_JAK_LIMITS,
        interactions=(
            _WITH_JAK,
            Interaction(CAUTION, N_("They change its level."), others=N_("CYP3A4 and CYP2C19 inhibitors and inducers")),
        ),
    ),
    Drug(
        "baricitinib", N_("Baricitinib"), Kind.JAK, ("oral",), ("day",),
        ranges=(_range(Phase.TARGET, "2", "4", Per.ABSOLUTE, Every.DAY),),
        monitored=True, rxnorm="2047232", atc=("L04AF02", "L04AA37"), sources=(GENERAL, JAK_LABEL),
        baseline=(*_PANEL, "tuberculosis", "hepatitis-b", "hepatitis-c"),
        advised=("hiv", "varicella", "vaccination", "lipids", "events-risk"),
        monitoring=(
            N_("Blood count and liver after 4 to 8 weeks, then every 12; lipids after 12 weeks."),
            N_("Shingles; thrombosis."),
        ),
        limits=_JAK_LIMITS,
        interactions=(_WITH_JAK,),
    ),
    Drug(
        "hydroxychloroquine", N_("Hydroxychloroquine"), Kind.CONVENTIONAL, ("oral",), ("day",),
        ranges=(_range(Phase.TARGET, "0", "5", Per.KG, Every.DAY, note=N_("actual weight")),),
        rxnorm="5521", atc=("P01BA02",), sources=(GENERAL,), notes=N_("No blood tests; eyes yearly from year 5."),
        baseline=("eye",), advised=("ecg",),
        monitoring=(
            N_("Retina yearly from year 5; from year 1 above 5 mg/kg, below an eGFR of 60, or with tamoxifen."),
        ),
        interactions=(Interaction(CAUTION, N_("QT interval."), others=N_("Other drugs that prolong QT")),),
    ),
    Drug(
        "plasma-exchange", N_("Plasma exchange"), Kind.OTHER, ("extracorporeal",), ("2 days",), unit="{exchange}",
        ranges=(_range(Phase.TARGET, "5", "7", Per.ABSOLUTE, Every.COURSE),), sources=(GENERAL,),
        notes=N_("A procedure: no drug code."),
    ),
    # Given beside them
    Drug(
        "folic-acid", N_("Folic acid"), Kind.SUPPORTIVE, ("oral",), ("week", "day"),
        ranges=(_range(Phase.TARGET, "5", "7", Per.ABSOLUTE, Every.WEEK, note=N_("5 mg a week or 1 mg a day")),),
        rxnorm="4511", atc=("B03BB01",), sources=(GENERAL,),
    ),
    Drug(
        "co-trimoxazole", N_("Co-trimoxazole"), Kind.SUPPORTIVE, ("oral", "intravenous"), ("day", "2 days", "week"),
        rxnorm="10831", atc=("J01EE01",), sources=(GENERAL,),
        notes=N_("Prophylaxis of pneumocystis pneumonia. With methotrexate it adds to marrow toxicity."),
        prevents=(PNEUMOCYSTIS,),
    ),
    # Not our treatment, but dangerous beside it
    Drug(
        "allopurinol", N_("Allopurinol"), Kind.OTHER, ("oral",), ("day",),
        rxnorm="519", atc=("M04AA01",), sources=(GENERAL,), notes=N_("With azathioprine: marrow failure."),
    ),
    Drug(
        "febuxostat", N_("Febuxostat"), Kind.OTHER, ("oral",), ("day",),
        rxnorm="73689", atc=("M04AA03",), sources=(GENERAL,), notes=N_("With azathioprine: marrow failure."),
    ),
    # Statins: not our treatment, but dangerous in anti-HMGCR disease, so all are known
    Drug(
        "atorvastatin", N_("Atorvastatin"), Kind.STATIN, ("oral",), ("day",),
        rxnorm="83367", atc=("C10AA05",), sources=(GENERAL,),
    ),
    Drug(
        "rosuvastatin", N_("Rosuvastatin"), Kind.STATIN, ("oral",), ("day",),
        rxnorm="301542", atc=("C10AA07",), sources=(GENERAL,),
    ),
    Drug(
        "simvastatin", N_("Simvastatin"), Kind.STATIN, ("oral",), ("day",),
        rxnorm="36567", atc=("C10AA01",), sources=(GENERAL,),
    ),
    Drug(
        "pravastatin", N_("Pravastatin"), Kind.STATIN, ("oral",), ("day",),
        rxnorm="42463", atc=("C10AA03",), sources=(GENERAL,),
    ),
    Drug(
        "fluvastatin", N_("Fluvastatin"), Kind.STATIN, ("oral",), ("day",),
        rxnorm="41127", atc=("C10AA04",), sources=(GENERAL,),
    ),
    Drug(
        "pitavastatin", N_("Pitavastatin"), Kind.STATIN, ("oral",), ("day",),
        rxnorm="861634", atc=("C10AA08",), sources=(GENERAL,),
    ),
    Drug(
        "lovastatin", N_("Lovastatin"), Kind.STATIN, ("oral",), ("day",),
        rxnorm="6472", atc=("C10AA02",), sources=(GENERAL,),
    ),
)  # fmt: skip
