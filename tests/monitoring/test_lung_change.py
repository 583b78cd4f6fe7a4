"""Falls of FVC and DLCO, what may be compared with what, and the criteria of progression."""

import datetime as dt
from decimal import Decimal

import pytest

from monitoring.scores.lung_change import Caution, Criterion, Test, compare, progression

D = Decimal
NOW = dt.date(2025, 6, 15)
GLI = "GLI-2012"


def lung(days_ago, litres=None, fvc=None, dlco=None, hb="yes", reference=GLI):
    def number(text):
        return None if text is None else D(text)

    return Test(NOW - dt.timedelta(days=days_ago), number(litres), number(fvc), number(dlco), hb, reference)


@pytest.mark.parametrize(("fvc", "holds"), [("75.1", False), ("75", True), ("74.9", True)])
def test_fvc_by_five_points(fvc, holds):
    change = compare(lung(0, fvc=fvc, dlco="70"), [lung(200, fvc="80", dlco="70")])
    assert change.fvc_percent.absolute == D(80) - D(fvc)
    assert change.physiology is holds


@pytest.mark.parametrize(("dlco", "holds"), [("60.1", False), ("60", True), ("59.9", True)])
def test_dlco_by_ten_points(dlco, holds):
    assert compare(lung(0, fvc="80", dlco=dlco), [lung(200, fvc="80", dlco="70")]).physiology is holds


@pytest.mark.parametrize(("litres", "holds"), [("2.71", False), ("2.70", True), ("2.69", True)])
def test_fvc_by_ten_percent_in_litres(litres, holds):
    change = compare(lung(0, litres, "80", "70"), [lung(200, "3.00", "80", "70")])
    assert change.great_fall is holds


@pytest.mark.parametrize(("dlco", "holds"), [("68.1", False), ("68", True)])
def test_dlco_by_fifteen_percent(dlco, holds):
    assert compare(lung(0, "3.00", dlco=dlco), [lung(200, "3.00", dlco="80")]).great_fall is holds


def test_litres_go_before_percentages_and_need_no_reference_set():
    change = compare(lung(0, "2.60", "70", reference="GLI-2022"), [lung(200, "3.00", "90", reference=GLI)])
    assert change.fvc_percent is None
    assert change.fvc_relative.absolute == D("0.40")
    assert Caution.OTHER_REFERENCE in change.cautions
    by_percent = compare(lung(0, fvc="72"), [lung(200, "3.00", "80")])
    assert by_percent.fvc_relative.relative == 10


@pytest.mark.parametrize(
    ("before", "now", "compared"),
    [
        ("GLI-2012", "gli-2012 ", True),
        ("GLI-2012", "GLI-2022", False),
        ("GLI-2012", "", False),
        ("", "GLI-2012", False),
        ("", "", True),
    ],
)
def test_percentages_are_compared_within_one_reference_set(before, now, compared):
    change = compare(lung(0, fvc="70", reference=now), [lung(200, fvc="80", reference=before)])
    assert (change.fvc_percent is not None) is compared
    assert change.physiology is (True if compared else None)
    assert (Caution.REFERENCE_NOT_STATED in change.cautions) is (compared and not now)


@pytest.mark.parametrize(
    ("before", "now", "compared", "caution"),
    [
        ("yes", "yes", True, None),
        ("no", "no", True, Caution.HB_NOT_CORRECTED),
        ("unknown", "unknown", True, Caution.HB_NOT_STATED),
        ("yes", "no", False, Caution.OTHER_HB),
        ("yes", "unknown", False, Caution.OTHER_HB),
    ],
)
def test_dlco_is_compared_with_the_same_correction(before, now, compared, caution):
    change = compare(lung(0, dlco="50", hb=now), [lung(200, dlco="70", hb=before)])
    assert (change.dlco_percent is not None) is compared
    assert change.cautions == ((caution,) if caution else ())


@pytest.mark.parametrize(("days", "counts"), [(0, False), (1, True), (365, True), (366, False)])
def test_the_best_of_the_year_before(days, counts):
    change = compare(lung(0, fvc="70"), [lung(days, fvc="90")])
    assert (change.fvc_percent is not None) is counts


def test_each_measure_has_its_own_best_day():
    change = compare(
        lung(0, "2.5", "70", "50"), [lung(300, "2.6", "80", "55"), lung(100, "3.0", "75", "66"), lung(50, fvc="72")]
    )
    assert change.fvc_percent.before_day == NOW - dt.timedelta(days=300)
    assert change.fvc_relative.before == D("3.0")
    assert change.dlco_percent.before == D(66)


def test_a_low_fvc_with_a_preserved_dlco_may_be_muscle():
    assert compare(lung(0, fvc="70", dlco="68"), [lung(200, fvc="80", dlco="70")]).muscle_may_explain
    assert not compare(lung(0, fvc="70", dlco="55"), [lung(200, fvc="80", dlco="70")]).muscle_may_explain
    assert not compare(lung(0, fvc="70"), [lung(200, fvc="80")]).muscle_may_explain  # nobody knows the DLCO
    assert not compare(lung(0, fvc="80", dlco="70"), [lung(200, fvc="80", dlco="70")]).muscle_may_explain


def test_nothing_before_is_nothing_to_say():
    change = compare(lung(0, "3", "80", "70"), [])
    assert change.physiology is change.great_fall is None


SAME = compare(lung(0, "3", "80", "70"), [lung(200, "3", "80", "70")])
FALLEN = compare(lung(0, "2.9", "75", "70"), [lung(200, "3", "80", "70")])
FALLEN_A_LOT = compare(lung(0, "2.7", "78", "70"), [lung(200, "3", "80", "70")])


@pytest.mark.parametrize(
    ("change", "symptoms", "imaging", "met", "progressive", "alarm"),
    [
        (SAME, False, False, (), False, False),
        (FALLEN, False, False, (Criterion.PHYSIOLOGY,), False, False),
        (FALLEN, True, False, (Criterion.SYMPTOMS, Criterion.PHYSIOLOGY), True, True),
        (SAME, True, True, (Criterion.SYMPTOMS, Criterion.IMAGING), True, True),
        (FALLEN, None, False, (Criterion.PHYSIOLOGY,), None, False),
        (SAME, None, False, (), False, False),
        (None, None, None, (), None, False),
        (None, True, True, (Criterion.SYMPTOMS, Criterion.IMAGING), True, True),
        (FALLEN_A_LOT, False, False, (), False, True),  # 2 points, but 10 % of the litres
    ],
)
def test_two_of_three_criteria(change, symptoms, imaging, met, progressive, alarm):
    result = progression(change, symptoms, imaging)
    assert result.met == met
    assert result.progressive is progressive
    assert result.alarm is alarm


def test_fvc_and_dlco_together_are_one_criterion():
    both = compare(lung(0, fvc="70", dlco="50"), [lung(200, fvc="80", dlco="70")])
    assert progression(both, False, False).met == (Criterion.PHYSIOLOGY,)
