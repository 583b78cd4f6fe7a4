import pytest
from hypothesis import given
from hypothesis import strategies as st
from ucumvert import PintUcumRegistry

from common.units import AMBIGUOUS, UCUM_CODES, normalise, spellings


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("THOU/uL", "10*3/uL"),
        ("K/uL", "10*3/uL"),
        ("k/µL", "10*3/uL"),
        ("10*3/uL", "10*3/uL"),
        ("10³/µL", "10*3/uL"),
        ("x10^3/mcL", "10*3/uL"),
        ("10^9/L", "10*9/L"),
        ("10⁹/L", "10*9/L"),
        ("x 10^9/l", "10*9/L"),
        ("× 10⁹/L", "10*9/L"),
        ("10E9/L", "10*9/L"),
        ("GI/L", "10*9/L"),
        ("µkat/L", "ukat/L"),  # U+00B5 micro sign
        ("μkat/L", "ukat/L"),  # U+03BC Greek mu
        ("ukat/L", "ukat/L"),
        ("UKAT/L", "ukat/L"),
        ("U/L", "U/L"),
        ("IU/L", "U/L"),
        ("u/l", "U/L"),
        ("iu/l", "U/L"),
        ("U / L", "U/L"),
        ("g/dL", "g/dL"),
        ("G/DL", "g/dL"),
        ("gm/dl", "g/dL"),
        ("g/L", "g/L"),
        ("g/l", "g/L"),
        ("mm/hr", "mm/h"),
        ("MM/HR", "mm/h"),
        ("mm/h", "mm/h"),
        ("mg/dL", "mg/dL"),
        ("MG/DL", "mg/dL"),
        ("µmol/L", "umol/L"),
        ("UMOL/L", "umol/L"),
        ("mIU/L", "m[IU]/L"),
        ("µIU/mL", "u[IU]/mL"),
        ("mL/min/1.73m²", "mL/min/{1.73_m2}"),
        ("mL/min/1.73 m2", "mL/min/{1.73_m2}"),
        ("mmHg", "mm[Hg]"),
        ("ml/min/mmHg", "mL/min/mm[Hg]"),
        ("mcg/L", "ug/L"),
        ("cells/µL", "/uL"),
        ("%", "%"),
    ],
)
def test_spelling(written, code):
    assert normalise(written) == code


@pytest.mark.parametrize("written", ["", "   ", "U", "units", "Mg/dL", "widgets/L", "x", "10/L", "109/L", "1O*9/L"])
def test_unknown_stays_unknown(written):
    # "Mg/dL" would be megagrams: mixed case that is not in the table is not corrected. "109/L" has lost its power.
    assert normalise(written) is None


@pytest.mark.parametrize("written", sorted(AMBIGUOUS))
def test_two_readings_are_refused(written):
    assert normalise(written) is None


def test_small_and_capital_letters_are_not_confused():
    assert normalise("M/uL") == "10*6/uL"
    assert normalise("m/uL") is None
    assert normalise("mU/L") == "mU/L"
    assert normalise("MU/L") is None
    assert normalise("g/L") == "g/L"
    assert normalise("G/L") is None


def test_every_code_is_ucum():
    ucum = PintUcumRegistry()
    for code in UCUM_CODES:
        ucum.from_ucum(code)  # raises where the code is not UCUM


def test_every_spelling_reaches_its_code_and_stays_there():
    for written, code in spellings().items():
        if written not in AMBIGUOUS:
            assert normalise(written) == code
    for code in UCUM_CODES:
        assert normalise(code) == code


@given(st.text(max_size=20))
def test_answers_are_codes_and_stable(text):
    code = normalise(text)
    assert code is None or (code in UCUM_CODES and normalise(code) == code)


@given(st.sampled_from(sorted(spellings())), st.sampled_from(["", " ", "\t", "\u00a0"]))
def test_space_around_never_matters(written, space):
    assert normalise(f"{space}{written}{space}") == normalise(written)
