"""ALT beside CK, and the estimated GFR."""

from decimal import Decimal

import pytest

from monitoring.scores.egfr import as_reported, egfr_from_mg_dl, egfr_from_umol_l
from monitoring.scores.liver import Value, Verdict, expected_alt, judge, looks_muscular

D = Decimal


def value(text):
    """`3000/190`: a value and its limit."""
    if text is None:
        return None
    number, _, limit = text.partition("/")
    return Value(D(number), D(limit) if limit else None)


@pytest.mark.parametrize(("ck", "alt"), [(1000, 90), (3000, 248), (5000, 406)])
def test_expected_alt(ck, alt):
    assert round(expected_alt(D(ck))) == alt


GGT, BILIRUBIN = "20/60", "10/21"


@pytest.mark.parametrize(
    ("alt", "ast", "ck", "ggt", "bilirubin", "verdict", "missing"),
    [
        # the cases of the rule book
        ("140", None, "3000/190", GGT, BILIRUBIN, Verdict.MUSCLE, ()),
        ("140", None, "3000/190", None, BILIRUBIN, Verdict.UNCERTAIN, ("ggt",)),
        ("140", None, "100/190", GGT, BILIRUBIN, Verdict.LIVER, ()),
        # the limit
        ("100", "100", "3000/190", GGT, BILIRUBIN, Verdict.QUIET, ()),
        ("100.1", "100", "3000/190", GGT, BILIRUBIN, Verdict.MUSCLE, ()),
        ("100", "100.1", "3000/190", GGT, BILIRUBIN, Verdict.MUSCLE, ()),
        (None, None, "3000/190", GGT, BILIRUBIN, Verdict.QUIET, ()),
        # 1.5 times what is expected: CK 1129.77 goes with an ALT of exactly 100
        ("150", None, "1129.77/190", GGT, BILIRUBIN, Verdict.MUSCLE, ()),
        ("150.1", None, "1129.77/190", GGT, BILIRUBIN, Verdict.LIVER, ()),
        # CK above its limit, strictly
        ("140", None, "3000/3000", GGT, BILIRUBIN, Verdict.LIVER, ()),
        ("140", None, "3000/2999", GGT, BILIRUBIN, Verdict.MUSCLE, ()),
        # GGT and bilirubin on and above their limits
        ("140", None, "3000/190", "60/60", "21/21", Verdict.MUSCLE, ()),
        ("140", None, "3000/190", "61/60", BILIRUBIN, Verdict.LIVER, ()),
        ("140", None, "3000/190", GGT, "22/21", Verdict.LIVER, ()),
        # what is missing never counts as normal
        ("140", None, "3000/190", GGT, None, Verdict.UNCERTAIN, ("bilirubin",)),
        ("140", None, "3000/190", None, None, Verdict.UNCERTAIN, ("ggt", "bilirubin")),
        ("140", None, "3000/190", "20", BILIRUBIN, Verdict.UNCERTAIN, ("ggt_uln",)),
        ("140", None, "3000/190", None, "22/21", Verdict.LIVER, ("ggt",)),
        ("140", None, None, GGT, BILIRUBIN, Verdict.LIVER, ("ck",)),
        ("140", None, "3000", GGT, BILIRUBIN, Verdict.LIVER, ("ck_uln",)),
        (None, "140", "3000/190", GGT, BILIRUBIN, Verdict.LIVER, ("alt",)),
    ],
)
def test_a_raised_alt_or_ast_beside_the_rest_of_the_day(alt, ast, ck, ggt, bilirubin, verdict, missing):
    result = judge(
        None if alt is None else D(alt), None if ast is None else D(ast), value(ck), value(ggt), value(bilirubin)
    )
    assert result.verdict is verdict
    assert result.missing == missing
    assert (result.expected_alt is None) is (ck is None)


def test_muscle_by_ck_and_alt_alone():
    assert looks_muscular(value("3000/190"), D(140)) is True
    assert looks_muscular(value("3000/190"), D(400)) is False
    assert looks_muscular(value("3000"), D(400)) is False  # too high for it, whatever the limit
    assert looks_muscular(value("3000"), D(140)) is None
    assert looks_muscular(None, D(140)) is None
    assert looks_muscular(value("3000/0"), D(140)) is None  # a limit of 0 is unknown


@pytest.mark.parametrize(
    ("mg_dl", "age", "sex", "egfr"),
    [
        ("1.2", 55, "male", 71),  # the National Kidney Foundation's calculator
        ("1.0", 50, "male", 92),
        ("1.0", 50, "female", 69),
        ("0.7", 40, "female", 112),  # at kappa both powers are 1: 142 x 0.9938^40 x 1.012
        ("0.9", 40, "male", 111),
        ("0.5", 30, "female", 129),
        ("0.5", 30, "male", 141),
        ("4.0", 70, "male", 15),
    ],
)
def test_ckd_epi_2021(mg_dl, age, sex, egfr):
    assert as_reported(egfr_from_mg_dl(D(mg_dl), age, sex)) == egfr


def test_term_by_term():
    """A woman of 55 with 0.9 mg/dL, as worked by hand: 1.2857^-1.2 is 0.7397, 0.9938^55 is 0.7103."""
    by_hand = 142 * D("0.73967") * D("0.71032") * D("1.012")
    assert abs(egfr_from_mg_dl(D("0.9"), 55, "female") - by_hand) < D("0.05")
    assert abs(egfr_from_mg_dl(D("0.9"), 55, "female") - D("75.5")) < D("0.01")


def test_micromoles_are_the_same_as_milligrams():
    assert egfr_from_umol_l(D("88.4"), 50, "male") == egfr_from_mg_dl(D(1), 50, "male")
    assert as_reported(egfr_from_umol_l(D(62), 55, "female")) == as_reported(
        egfr_from_mg_dl(D(62) / D("88.4"), 55, "female")
    )


def test_no_answer_where_the_formula_has_none():
    assert egfr_from_mg_dl(D(1), 17, "male") is None
    assert egfr_from_mg_dl(D(1), 18, "male") is not None
    assert egfr_from_mg_dl(D(1), 50, "other") is None
    assert egfr_from_mg_dl(D(1), 50, "unknown") is None
    assert egfr_from_mg_dl(D(0), 50, "male") is None
    with pytest.raises(ValueError, match="negative"):
        egfr_from_mg_dl(D(-1), 50, "male")


@pytest.mark.parametrize("sex", ["female", "male"])
def test_it_falls_with_creatinine_and_with_age(sex):
    rates = [egfr_from_mg_dl(D(tenth) / 10, 50, sex) for tenth in range(3, 60)]
    assert rates == sorted(rates, reverse=True)
    assert egfr_from_mg_dl(D(1), 51, sex) < egfr_from_mg_dl(D(1), 50, sex)
