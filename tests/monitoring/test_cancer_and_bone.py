"""Cancer tiers and their days; bone and the dose of glucocorticoid."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest

from monitoring.scores import bone, cancer_tier
from monitoring.scores.cancer_tier import DEFAULTS, Facts, Panel, Parameters, Tier, add_months, panels, stops_on, tier
from patients.antibodies import ANTIBODIES, CANCER_HIGH, CANCER_INTERMEDIATE
from patients.models import RiskKind, Subtype

NOW = dt.date(2025, 6, 15)


def facts(subtype="dermatomyositis", antibodies=(), age=30, sex="female", **more):
    known = {"persistent_activity": False, "dysphagia": False, "necrosis": False} | more
    return Facts(subtype, antibodies, age, sex, **known)


@pytest.mark.parametrize(
    ("known", "expected", "reasons"),
    [
        # the examples of the rule book
        (facts(age=55), Tier.HIGH, ("subtype:dermatomyositis", "age_at_onset")),
        (facts(antibodies=["mi-2"]), Tier.MODERATE, ("subtype:dermatomyositis", "antibody:mi-2")),
        (facts("antisynthetase", ["jo-1"], 50), Tier.MODERATE, ("age_at_onset",)),
        (facts("antisynthetase", ["jo-1"], 35), Tier.STANDARD, ()),
        (facts("polymyositis", age=35, sex="male"), Tier.MODERATE, ("subtype:polymyositis", "male")),
        # every factor
        (facts(antibodies=["tif1-gamma"]), Tier.HIGH, ("subtype:dermatomyositis", "antibody:tif1-gamma")),
        (facts(antibodies=["nxp2"]), Tier.HIGH, ("subtype:dermatomyositis", "antibody:nxp2")),
        (facts(persistent_activity=True), Tier.HIGH, ("subtype:dermatomyositis", "persistent_activity")),
        (facts(dysphagia=True), Tier.HIGH, ("subtype:dermatomyositis", "dysphagia")),
        (facts(necrosis=True), Tier.HIGH, ("subtype:dermatomyositis", "necrosis")),
        (facts("overlap", ["tif1-gamma", "nxp2"]), Tier.HIGH, ("antibody:tif1-gamma", "antibody:nxp2")),
        (facts("amyopathic"), Tier.STANDARD, ("subtype:amyopathic",)),
        (facts("amyopathic", ["mda5"]), Tier.MODERATE, ("subtype:amyopathic", "antibody:mda5")),
        (facts("necrotising", ["hmgcr"]), Tier.MODERATE, ("subtype:necrotising", "antibody:hmgcr")),
        (facts("necrotising", ["srp"]), Tier.STANDARD, ("subtype:necrotising",)),
        (facts("overlap", ["sae1"], sex="male"), Tier.MODERATE, ("antibody:sae1", "male")),
        (facts("overlap", sex="male"), Tier.STANDARD, ("male",)),
        # three intermediate factors are still moderate
        (facts("polymyositis", ["sae1"], sex="male"), Tier.MODERATE, ("subtype:polymyositis", "antibody:sae1", "male")),
        # outside the table
        (facts("inclusion_body", ["tif1-gamma"], 70, "male", dysphagia=True), Tier.STANDARD, ()),
        (facts("juvenile", ["nxp2"], 12), None, ()),
        (facts(antibodies=["nxp2"], age=17), None, ()),
        (facts(antibodies=["nxp2"], age=18), Tier.HIGH, ("subtype:dermatomyositis", "antibody:nxp2")),
    ],
)
def test_the_tier_and_its_reasons(known, expected, reasons):
    result = tier(known)
    assert result.tier is expected
    assert result.reasons == reasons


@pytest.mark.parametrize(("age", "expected"), [(39, Tier.MODERATE), (40, Tier.MODERATE), (41, Tier.HIGH)])
def test_older_than_forty(age, expected):
    assert tier(facts(age=age)).tier is expected


def test_what_is_unknown_never_counts_and_is_named():
    result = tier(Facts("dermatomyositis"))
    assert result.tier is Tier.MODERATE
    assert result.unknown == ("age_at_onset", "persistent_activity", "dysphagia", "necrosis", "sex")
    assert tier(facts("unknown")).unknown == ("subtype",)
    assert tier(facts()).unknown == ()


def test_a_centre_may_lift_sae1():
    known = facts(antibodies=["sae1"])
    assert tier(known).tier is Tier.MODERATE
    assert tier(known, Parameters(sae1_is_high=True)).tier is Tier.HIGH
    assert tier(known, Parameters(sae1_is_high=True)).intermediate == ()


def test_red_flags_are_named_whatever_the_tier():
    result = tier(facts("antisynthetase", red_flags=["night_sweats", "smoking", "something"]))
    assert result.tier is Tier.STANDARD
    assert result.red_flags == ("smoking", "night_sweats")


@pytest.mark.parametrize(
    ("known", "alone"),
    [
        (facts(antibodies=["tif1-gamma"], age=41, dysphagia=True), True),
        (facts(antibodies=["tif1-gamma"], age=41, necrosis=True), True),
        (facts(antibodies=["tif1-gamma"], age=41), False),
        (facts(antibodies=["tif1-gamma"], age=40, dysphagia=True), False),
        (facts(antibodies=["nxp2"], age=41, dysphagia=True), False),
        (facts("polymyositis", ["tif1-gamma"], 41, dysphagia=True), False),
    ],
)
def test_pet_ct_as_the_only_test(known, alone):
    assert tier(known).pet_ct_alone is alone


def test_the_words_are_those_of_the_record():
    assert set(cancer_tier.HIGH_ANTIBODIES) == CANCER_HIGH <= set(ANTIBODIES)
    assert set(cancer_tier.INTERMEDIATE_ANTIBODIES) == CANCER_INTERMEDIATE <= set(ANTIBODIES)
    words = cancer_tier.HIGH_SUBTYPES | cancer_tier.INTERMEDIATE_SUBTYPES
    assert words | {cancer_tier.OUTSIDE, cancer_tier.JUVENILE, cancer_tier.UNKNOWN_SUBTYPE} <= set(Subtype.values)
    assert set(cancer_tier.RED_FLAGS) <= set(RiskKind.values)


ONSET, DIAGNOSIS = dt.date(2024, 1, 31), dt.date(2024, 2, 29)


def test_panels_and_their_days():
    assert [(d.panel, d.due_on) for d in panels(Tier.STANDARD, DIAGNOSIS, ONSET)] == [(Panel.BASIC, DIAGNOSIS)]
    at_once = [(Panel.BASIC, DIAGNOSIS), (Panel.ENHANCED, DIAGNOSIS)]
    assert [(d.panel, d.due_on) for d in panels(Tier.MODERATE, DIAGNOSIS, ONSET)] == at_once
    assert [(d.panel, d.due_on) for d in panels(Tier.HIGH, DIAGNOSIS, DIAGNOSIS)] == [
        *at_once,
        (Panel.BASIC, dt.date(2025, 2, 28)),
        (Panel.BASIC, dt.date(2026, 2, 28)),
        (Panel.BASIC, dt.date(2027, 2, 28)),
    ]


def test_the_window():
    (due,) = panels(Tier.STANDARD, DIAGNOSIS, ONSET)
    assert (DIAGNOSIS - due.opens_on).days == 30
    assert (due.closes_on - DIAGNOSIS).days == 60


def test_it_stops_three_years_after_the_first_symptom():
    """Month 36 is in, month 37 is out."""
    assert stops_on(ONSET) == dt.date(2027, 1, 31)
    on_the_day = panels(Tier.HIGH, ONSET, ONSET)
    assert on_the_day[-1].due_on == dt.date(2027, 1, 31)
    a_month_later = panels(Tier.HIGH, DIAGNOSIS, ONSET)
    assert a_month_later[-1].due_on == dt.date(2026, 2, 28)
    a_day_later = panels(Tier.HIGH, ONSET + dt.timedelta(days=1), ONSET)
    assert a_day_later[-1].due_on == dt.date(2026, 2, 1)
    assert panels(Tier.HIGH, dt.date(2027, 2, 1), ONSET) == ()
    assert DEFAULTS.stop_months == 36


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (dt.date(2024, 1, 31), 1, dt.date(2024, 2, 29)),
        (dt.date(2024, 2, 29), 12, dt.date(2025, 2, 28)),
        (dt.date(2024, 12, 15), 1, dt.date(2025, 1, 15)),
        (dt.date(2024, 11, 30), 3, dt.date(2025, 2, 28)),
    ],
)
def test_months(day, months, later):
    assert add_months(day, months) == later


# ------------------------------------------------------------------------------------------------------------ bone


def ago(days):
    return NOW - dt.timedelta(days=days)


def stretch(first, last, mg):
    return ago(first), None if last is None else ago(last), Fraction(Decimal(mg))


@pytest.mark.parametrize(
    ("stretches", "due"),
    [
        ([stretch(89, None, "2.5")], False),  # day 90
        ([stretch(90, None, "2.5")], True),  # day 91
        ([stretch(90, 0, "2.5")], True),
        ([stretch(90, 1, "2.5")], False),  # nothing today
        ([stretch(200, None, "2.49")], False),
        ([stretch(200, 51, "20"), stretch(50, None, "5")], True),  # two doses, one run
        ([stretch(200, 51, "20"), stretch(49, None, "5")], False),  # a day without breaks it
        ([stretch(200, 51, "20"), stretch(50, 50, "2"), stretch(49, None, "5")], False),
        ([], False),
    ],
)
def test_more_than_ninety_days_of_two_and_a_half_milligrams(stretches, due):
    assert bone.assessment_due(stretches, NOW) is due


def test_the_run_that_includes_the_day():
    run = bone.present_run([stretch(200, 51, "20"), stretch(50, None, "5")], NOW)
    assert (run.first_day, run.last_day, run.days) == (ago(200), NOW, 201)
    assert bone.present_run([stretch(200, 51, "20")], NOW) is None


@pytest.mark.parametrize(
    ("stretches", "long", "total"),
    [
        ([stretch(30, 1, "30")], False, 900),  # 30 days
        ([stretch(30, 0, "30")], True, 930),  # 31
        ([stretch(30, 0, "29.9")], False, Fraction("926.9")),
        ([stretch(364, 334, "30")], True, 930),
        ([stretch(365, 335, "30")], False, 900),  # its first day is more than a year ago
        ([stretch(900, 800, "60")], False, 0),
    ],
)
def test_thirty_milligrams_for_more_than_thirty_days(stretches, long, total):
    result = bone.very_high_dose(stretches, NOW)
    assert (result.long_run is not None) is long
    assert result.year_total_mg == total
    assert result.holds is long


@pytest.mark.parametrize(("pulse_mg", "over"), [("3749", False), ("3750", True), ("3751", True)])
def test_five_grams_in_a_year(pulse_mg, over):
    """1250 mg by mouth and a pulse of methylprednisolone, 3 g on 3 days."""
    stretches = [stretch(300, 298, str(Decimal(pulse_mg) / 3)), stretch(124, 0, "10")]
    stretches[0] = (*stretches[0][:2], Fraction(int(pulse_mg), 3))
    result = bone.very_high_dose(stretches, NOW)
    assert result.year_total_mg == int(pulse_mg) + 1250
    assert result.over_total is over
    assert result.holds is over
