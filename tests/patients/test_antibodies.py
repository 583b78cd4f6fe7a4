import re

import pytest

from patients.antibodies import (
    ANTIBODIES,
    ANTISYNTHETASE,
    CANCER_HIGH,
    CANCER_INTERMEDIATE,
    ILD_RISK,
    ILD_URGENT,
    LOINC,
    POSITIVE_RESULTS,
    Group,
    by_loinc,
)


def test_sets_of_the_guidelines():
    assert {"jo-1", "pl-7", "pl-12", "ej", "oj", "ks", "ha", "zo"} == ANTISYNTHETASE
    assert ANTISYNTHETASE | {"mda5", "ku", "pm-scl", "ro52"} == ILD_RISK
    assert ANTISYNTHETASE | {"mda5"} == ILD_URGENT
    assert {"tif1-gamma", "nxp2"} == CANCER_HIGH
    assert {"sae1", "hmgcr", "mi-2", "mda5"} == CANCER_INTERMEDIATE
    assert set(ANTIBODIES) >= ILD_RISK | CANCER_HIGH | CANCER_INTERMEDIATE


def test_weak_is_not_positive():
    assert {"positive", "strong"} == POSITIVE_RESULTS


@pytest.mark.parametrize(
    ("loinc", "code"),
    [
        ("8076-2", "jo-1"),
        ("35333-4", "jo-1"),
        ("33772-5", "pl-7"),
        ("33771-7", "pl-12"),
        ("45149-2", "ej"),
        ("45152-6", "oj"),
        ("82421-9", "ks"),
        ("82414-4", "ha"),
        ("82453-2", "zo"),
        ("18485-3", "mi-2"),
        ("82448-2", "tif1-gamma"),
        ("82424-3", "mda5"),
        ("82426-8", "nxp2"),
        ("82440-9", "sae1"),
        ("82441-7", "sae2"),
        ("33921-8", "srp"),
        ("82388-0", "hmgcr"),
        ("18484-6", "ku"),
        ("61120-2", "pm-scl"),
        ("53016-2", "ro52"),
        ("33983-8", "u1-rnp"),
    ],
)
def test_loinc_only_with_its_system(loinc, code):
    assert by_loinc(LOINC, loinc) is ANTIBODIES[code]
    assert by_loinc("urn:other", loinc) is None


@pytest.mark.parametrize("antibody", ANTIBODIES.values(), ids=ANTIBODIES)
def test_every_row_is_whole(antibody):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", antibody.code)
    assert len(antibody.code) <= 24
    assert antibody.name.startswith("Anti-")
    assert isinstance(antibody.group, Group)
    assert all(re.fullmatch(r"\d+-\d", code) for code in antibody.loinc)


def test_no_loinc_code_has_two_antibodies():
    codes = [code for antibody in ANTIBODIES.values() for code in antibody.loinc]
    assert len(codes) == len(set(codes))
