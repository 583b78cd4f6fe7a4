from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from therapy.prednisone_equivalent import (
    EQUIVALENT_MG,
    NotAGlucocorticoidError,
    as_decimal,
    prednisone_equivalent,
    total_per_day,
)

D = Decimal


@pytest.mark.parametrize(
    ("drug", "mg"),
    [
        ("prednisone", "5"),
        ("prednisolone", "5"),
        ("methylprednisolone", "4"),
        ("triamcinolone", "4"),
        ("hydrocortisone", "20"),
        ("cortisone", "25"),
        ("dexamethasone", "0.75"),
        ("betamethasone", "0.6"),
        ("deflazacort", "6"),
    ],
)
def test_the_table(drug, mg):
    assert prednisone_equivalent(drug, D(mg)) == 5
    assert prednisone_equivalent(drug, D(0)) == 0


def test_the_table_has_no_other_drug():
    assert len(EQUIVALENT_MG) == 9


@pytest.mark.parametrize(
    ("drug", "mg", "pe"),
    [
        ("methylprednisolone", "8", Fraction(10)),
        ("methylprednisolone", "1000", Fraction(1250)),
        ("hydrocortisone", "30", Fraction(15, 2)),
        ("dexamethasone", "3", Fraction(20)),
        ("dexamethasone", "1", Fraction(20, 3)),
        ("betamethasone", "1", Fraction(25, 3)),
        ("deflazacort", "24", Fraction(20)),
        ("deflazacort", "1", Fraction(5, 6)),
    ],
)
def test_equivalents_are_exact(drug, mg, pe):
    assert prednisone_equivalent(drug, D(mg)) == pe


def test_a_rounded_factor_would_cross_the_20_mg_limit():
    pe = prednisone_equivalent("dexamethasone", D(3))
    assert not pe > 20
    assert D(3) * D("6.67") > 20
    assert prednisone_equivalent("deflazacort", D(24)) >= 20
    assert D(24) * D("0.83") < 20


def test_a_pulse_of_1_g_on_3_days_is_3750_mg():
    assert 3 * prednisone_equivalent("methylprednisolone", D(1000)) == 3750


@pytest.mark.parametrize("drug", ["methotrexate", "", "prednison"])
def test_other_drugs_are_refused(drug):
    with pytest.raises(NotAGlucocorticoidError):
        prednisone_equivalent(drug, D(5))
    with pytest.raises(NotAGlucocorticoidError):
        total_per_day([(drug, "oral", D(5))])


@pytest.mark.parametrize("mg", ["-1", "NaN", "Infinity"])
def test_impossible_doses_are_refused(mg):
    with pytest.raises(ValueError, match="negative"):
        prednisone_equivalent("prednisone", D(mg))


def test_a_day_adds_drugs_and_systemic_routes_only():
    doses = [
        ("prednisolone", "oral", D(10)),
        ("methylprednisolone", "intravenous", D(8)),
        ("betamethasone", "topical", D(60)),
        ("triamcinolone", "inhaled", D(40)),
    ]
    assert total_per_day(doses) == 20
    assert total_per_day([]) == 0


@pytest.mark.parametrize(
    ("amount", "places", "shown"),
    [(Fraction(20, 3), 2, "6.67"), (Fraction(1, 8), 2, "0.13"), (Fraction(20), 2, "20.00"), (Fraction(5, 2), 0, "3")],
)
def test_shown_rounded_half_up(amount, places, shown):
    assert str(as_decimal(amount, places)) == shown


@given(st.sampled_from(sorted(EQUIVALENT_MG)), st.decimals("0", "5000", places=2), st.decimals("0", "5000", places=2))
def test_equivalents_add_and_turn_back(drug, a, b):
    assert prednisone_equivalent(drug, a) + prednisone_equivalent(drug, b) == prednisone_equivalent(drug, a + b)
    assert prednisone_equivalent(drug, a) * Fraction(EQUIVALENT_MG[drug]) / 5 == Fraction(a)
