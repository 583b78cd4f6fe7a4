import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.analytes import ANALYTES
from monitoring.levels import Level
from monitoring.models import Modality, ScreeningKind
from therapy.formulary import (
    CHECKS,
    FIRST_LINE,
    FORMULARY,
    GLUCOCORTICOIDS,
    MONITORED,
    PERIOD_DAYS,
    STATINS,
    Every,
    Kind,
    Per,
    PeriodRefusedError,
    Phase,
    Severity,
    amount_in_range_terms,
    by_atc,
    by_rxnorm,
    check_period,
    clashes,
    dose_per_day,
    doses_per_day,
)
from therapy.prednisone_equivalent import EQUIVALENT_MG

D = Decimal
MTX = FORMULARY["methotrexate"]


@pytest.mark.parametrize(
    ("code", "phase", "low", "high", "per", "every"),
    [
        ("prednisone", Phase.START, "0.5", "1", Per.KG, Every.DAY),
        ("prednisolone", Phase.START, "0.5", "1", Per.KG, Every.DAY),
        ("methotrexate", Phase.START, "7.5", "15", Per.ABSOLUTE, Every.WEEK),
        ("methotrexate", Phase.TARGET, "15", "25", Per.ABSOLUTE, Every.WEEK),
        ("azathioprine", Phase.TARGET, "1", "2", Per.KG, Every.DAY),
        ("mycophenolate-mofetil", Phase.TARGET, "2000", "3000", Per.ABSOLUTE, Every.DAY),
        ("ivig", Phase.TARGET, "2", "2", Per.KG, Every.COURSE),
        ("rituximab", Phase.TARGET, "1000", "1000", Per.ABSOLUTE, Every.DOSE),
        ("methylprednisolone", Phase.PULSE, "500", "1000", Per.ABSOLUTE, Every.DAY),
        ("tacrolimus", Phase.TARGET, "0.05", "0.1", Per.KG, Every.DAY),
        ("ciclosporin", Phase.TARGET, "2.5", "5", Per.KG, Every.DAY),
        ("scig", Phase.TARGET, "0.5", "0.5", Per.KG, Every.WEEK),
        ("tofacitinib", Phase.TARGET, "10", "11", Per.ABSOLUTE, Every.DAY),
        ("baricitinib", Phase.TARGET, "2", "4", Per.ABSOLUTE, Every.DAY),
        ("hydroxychloroquine", Phase.TARGET, "0", "5", Per.KG, Every.DAY),
        ("plasma-exchange", Phase.TARGET, "5", "7", Per.ABSOLUTE, Every.COURSE),
    ],
)
def test_doses_of_the_rule_book(code, phase, low, high, per, every):
    (found,) = FORMULARY[code].ranges_for(phase)
    assert (found.low, found.high, found.per, found.every) == (D(low), D(high), per, every)


def test_cyclophosphamide_has_two_regimens():
    found = [(r.low, r.high, r.per) for r in FORMULARY["cyclophosphamide"].ranges_for(Phase.TARGET)]
    assert found == [(D(500), D(1000), Per.M2), (D(500), D(500), Per.ABSOLUTE)]


def test_abatacept_has_a_dose_by_route():
    abatacept = FORMULARY["abatacept"]
    assert [(r.low, r.per, r.every) for r in abatacept.ranges_for(Phase.TARGET, "subcutaneous")] == [
        (D(125), Per.ABSOLUTE, Every.WEEK)
    ]
    assert [(r.low, r.per, r.every) for r in abatacept.ranges_for(Phase.TARGET, "intravenous")] == [
        (D(10), Per.KG, Every.FOUR_WEEKS)
    ]


@pytest.mark.parametrize(
    ("code", "rxnorm", "atc"),
    [
        ("prednisone", "8640", ("H02AB07",)),
        ("prednisolone", "8638", ("H02AB06",)),
        ("methylprednisolone", "6902", ("H02AB04",)),
        ("methotrexate", "6851", ("L04AX03", "L01BA01")),
        ("azathioprine", "1256", ("L04AX01",)),
        ("mycophenolate-mofetil", "68149", ("L04AA06",)),
        ("tacrolimus", "42316", ("L04AD02",)),
        ("ciclosporin", "3008", ("L04AD01",)),
        ("cyclophosphamide", "3002", ("L01AA01",)),
        ("rituximab", "121191", ("L01FA01", "L01XC02")),
        ("ivig", "5666", ("J06BA02",)),
        ("scig", "5666", ("J06BA01",)),
        ("tofacitinib", "1357536", ("L04AF01", "L04AA29")),
        ("baricitinib", "2047232", ("L04AF02", "L04AA37")),
        ("abatacept", "614391", ("L04AA24",)),
        ("hydroxychloroquine", "5521", ("P01BA02",)),
        ("folic-acid", "4511", ("B03BB01",)),
        ("co-trimoxazole", "10831", ("J01EE01",)),
    ],
)
def test_codes_of_the_rule_book(code, rxnorm, atc):
    drug = FORMULARY[code]
    assert (drug.rxnorm, drug.atc) == (rxnorm, atc)
    assert drug in by_rxnorm(rxnorm)
    assert all(drug in by_atc(one) for one in atc)


def test_codes_that_nobody_has():
    assert by_rxnorm("") == ()
    assert by_atc("") == ()
    assert {d.code for d in by_rxnorm("5666")} == {"ivig", "scig"}


@pytest.mark.parametrize("drug", FORMULARY.values(), ids=FORMULARY)
def test_every_entry_is_whole(drug):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", drug.code)
    assert drug.name
    assert drug.routes
    assert drug.periods
    assert set(drug.periods) <= set(PERIOD_DAYS)
    assert drug.sources
    assert drug.times >= 1
    assert (drug.kind is Kind.GLUCOCORTICOID) == (drug.equivalent_mg is not None)
    assert all(re.fullmatch(r"[A-Z]\d{2}[A-Z]{2}\d{2}", atc) for atc in drug.atc)
    assert drug.rxnorm.isdigit() or drug.kind is Kind.OTHER
    for found in drug.ranges:
        assert found.high is None or found.low <= found.high
        assert set(found.routes) <= set(drug.routes)
    assert set(drug.baseline) | set(drug.advised) <= set(CHECKS)
    assert not set(drug.baseline) & set(drug.advised)
    assert all(CHECKS[code].is_recorded_here for code in drug.baseline)  # what is asked for can be answered
    for limit in drug.limits:
        assert limit.analyte in ANALYTES
        assert limit.level in Level.values
        assert (limit.below is None) != (limit.above is None)
    for interaction in drug.interactions:
        assert bool(interaction.drugs or interaction.kinds) != bool(interaction.others)
        assert set(interaction.drugs) <= set(FORMULARY) - {drug.code}
    for period in drug.periods:
        check_period(drug, PERIOD_DAYS[period], drug.times)  # what the form offers is never refused


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_check_is_answered_by_what_can_be_recorded(check):
    assert {code for group in check.results for code in group} <= set(ANALYTES)
    assert set(check.screenings) <= set(ScreeningKind.values)
    assert set(check.imaging) <= set(Modality.values)
    assert not check.twice or check.screenings


@pytest.mark.parametrize(
    ("code", "needs"),
    [
        ("methotrexate", {"chest-image", "hepatitis-b", "hepatitis-c", "pregnancy"}),
        ("azathioprine", {"tpmt", "hepatitis-b"}),
        ("mycophenolate-mofetil", {"pregnancy-twice"}),
        ("tacrolimus", {"blood-pressure", "ecg", "glucose"}),
        ("ciclosporin", {"blood-pressure", "kidney"}),
        ("cyclophosphamide", {"blood-count", "urinalysis", "pregnancy", "hepatitis-b"}),
        ("tofacitinib", {"tuberculosis", "hepatitis-b", "hepatitis-c", "blood-count", "liver"}),
        ("baricitinib", {"tuberculosis", "hepatitis-b", "hepatitis-c", "blood-count", "liver"}),
        ("rituximab", {"hepatitis-b", "hepatitis-c", "igg", "iga", "igm", "varicella", "chest-image", "vaccination"}),
        ("ivig", {"iga", "kidney", "blood-count", "hepatitis-b", "hepatitis-c"}),
        ("abatacept", {"tuberculosis", "hepatitis-b", "hepatitis-c"}),
        ("hydroxychloroquine", {"eye"}),
    ],
)
def test_what_a_drug_needs_first(code, needs):
    assert needs <= set(FORMULARY[code].baseline)


@pytest.mark.parametrize(
    ("drug", "other", "severity"),
    [
        ("azathioprine", "allopurinol", Severity.AVOID),
        ("azathioprine", "febuxostat", Severity.AVOID),
        ("methotrexate", "co-trimoxazole", Severity.CAUTION),
        ("ciclosporin", "simvastatin", Severity.AVOID),
        ("tacrolimus", "ciclosporin", Severity.AVOID),
        ("abatacept", "tofacitinib", Severity.AVOID),
    ],
)
def test_an_interaction_is_told_from_either_side(drug, other, severity):
    for one, two in ((drug, other), (other, drug)):
        (found, *_rest) = clashes(FORMULARY[one], [two, "prednisone", one, "nothing"])
        assert (found.interaction.severity, found.other) == (severity, FORMULARY[two])
    assert not [c for c in clashes(FORMULARY[drug], ["prednisone"]) if c.other]


def test_the_worst_interaction_comes_first_and_what_cannot_be_looked_up_last():
    found = clashes(FORMULARY["ciclosporin"], ["baricitinib", "simvastatin"])
    assert [c.other and c.other.code for c in found] == ["simvastatin", "baricitinib", None]


NEW_DRUG = """
import importlib
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "myositis_tracker.settings"
import therapy.formulary.drugs as drugs
from therapy.formulary.kinds import Drug, Kind
drugs.DRUGS += (Drug("newamide", "Newamide", Kind.SUPPORTIVE, ("oral",), ("day",), rxnorm="1", sources=("test",),
                     prevents=("pneumocystis",), baseline=("liver",)),)
importlib.reload(importlib.import_module("therapy.formulary"))
import django
django.setup()
from clinic.forms.treatment import DrugForm
from clinic.selectors.treatment import dose_help
from monitoring.rules import RULES
from monitoring.rules.base import Question
import datetime as dt
assert "newamide" in str(DrugForm())
question = Question(as_of=dt.date(2025, 6, 15))
for rule in ("pneumocystis-prophylaxis", "pre-treatment-checks"):
    assert "'newamide'" in RULES[rule].findings(question), rule
"""


def test_adding_a_drug_is_one_entry():
    """The forms and the rules know a drug from its entry alone."""
    done = subprocess.run([sys.executable, "-c", NEW_DRUG], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


def test_groups():
    assert set(EQUIVALENT_MG) == GLUCOCORTICOIDS
    assert {"atorvastatin", "rosuvastatin", "simvastatin", "pravastatin"} < STATINS
    assert all(FORMULARY[code].atc[0].startswith("C10AA") for code in STATINS)
    assert FIRST_LINE <= MONITORED
    assert {"tacrolimus", "ciclosporin", "tofacitinib", "baricitinib", "cyclophosphamide"} <= MONITORED
    assert MONITORED.isdisjoint({"prednisone", "hydroxychloroquine", "ivig", "folic-acid"})
    assert FORMULARY["tacrolimus"].monitoring_max_days == FORMULARY["ciclosporin"].monitoring_max_days == 28


class TestMethotrexate:
    @pytest.mark.parametrize(
        ("every_days", "times"), [(1, 1), (2, 1), (1, 2), (6, 1), (7, 2), (7, 3), (14, 3), (13, 2)]
    )
    def test_more_often_than_weekly_is_refused(self, every_days, times):
        with pytest.raises(PeriodRefusedError, match="at most once every 7 days"):
            check_period(MTX, every_days, times)

    @pytest.mark.parametrize(("every_days", "times"), [(7, 1), (8, 1), (14, 1), (14, 2), (28, 4)])
    def test_weekly_or_less_is_not(self, every_days, times):
        check_period(MTX, every_days, times)

    def test_the_form_offers_weeks_only(self):
        assert MTX.periods == ("week",)

    def test_refusal_is_a_value_error(self):
        with pytest.raises(ValueError, match="Methotrexate"):
            check_period(MTX, 1)


@pytest.mark.parametrize("code", sorted(set(FORMULARY) - {"methotrexate"}))
def test_other_drugs_may_be_daily(code):
    check_period(FORMULARY[code], 1, 2)


@pytest.mark.parametrize(("every_days", "times"), [(0, 1), (-7, 1), (7, 0), (1, -1), (1, True), (1, 1.5), ("day", 1)])
def test_what_is_no_rhythm_is_refused(every_days, times):
    with pytest.raises(PeriodRefusedError):
        check_period(FORMULARY["prednisone"], every_days, times)
    with pytest.raises(PeriodRefusedError):
        doses_per_day(every_days, times)


@pytest.mark.parametrize(
    ("amount", "every_days", "times", "per_day"),
    [
        ("10", 1, 1, Fraction(10)),
        ("10", 2, 1, Fraction(5)),
        ("1000", 1, 2, Fraction(2000)),
        ("15", 7, 1, Fraction(15, 7)),
        ("960", 7, 3, Fraction(2880, 7)),
        ("0", 1, 1, Fraction(0)),
    ],
)
def test_dose_per_day_is_exact(amount, every_days, times, per_day):
    assert dose_per_day(D(amount), every_days, times) == per_day


class TestRangeTerms:
    def test_methotrexate_by_the_week(self):
        (target,) = MTX.ranges_for(Phase.TARGET)
        assert amount_in_range_terms(target, D(15), 7) == 15 == target.low
        assert amount_in_range_terms(target, D("14.9"), 7) < target.low
        assert amount_in_range_terms(target, D(15), 14) == Fraction(15, 2)

    def test_azathioprine_by_weight(self):
        (target,) = FORMULARY["azathioprine"].ranges_for(Phase.TARGET)
        assert amount_in_range_terms(target, D(70), weight_kg=D(70)) == 1
        assert amount_in_range_terms(target, D(50), 1, 2, weight_kg=D(75)) == Fraction(4, 3)
        assert amount_in_range_terms(target, D(140), weight_kg=None) is None

    def test_mycophenolate_twice_a_day(self):
        (target,) = FORMULARY["mycophenolate-mofetil"].ranges_for(Phase.TARGET)
        assert amount_in_range_terms(target, D(1000), 1, 2) == target.low
        assert amount_in_range_terms(target, D(1500), 1, 2) == target.high

    def test_a_course_of_immunoglobulin(self):
        (target,) = FORMULARY["ivig"].ranges_for(Phase.TARGET)
        assert amount_in_range_terms(target, D(140), 28, weight_kg=D(70)) == 2

    def test_cyclophosphamide_by_surface(self):
        target, _ = FORMULARY["cyclophosphamide"].ranges_for(Phase.TARGET)
        assert amount_in_range_terms(target, D(900), 28, surface_m2=D("1.8")) == 500
        assert amount_in_range_terms(target, D(900), 28) is None


@given(st.integers(1, 366), st.integers(1, 24), st.integers(1, 28))
def test_the_guard_is_the_interval_whatever_the_drug(every_days, times, interval):
    guarded = replace(FORMULARY["prednisone"], min_interval_days=interval)
    if times * interval > every_days:
        with pytest.raises(PeriodRefusedError):
            check_period(guarded, every_days, times)
    else:
        check_period(guarded, every_days, times)
