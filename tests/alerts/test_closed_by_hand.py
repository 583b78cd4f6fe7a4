"""What a person closed stays closed on the days after, while the record says the same: days that pass are no news."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from alerts.actions import life
from alerts.models import Alert, Reason
from monitoring.models import Assessment, Result
from monitoring.rules import RULES
from tests.alerts.support import Clinic, later
from tests.factories import AS_OF, fact
from tests.rules import columns
from tests.rules.examples import COLUMNS, parse

assert columns  # registers the columns

pytestmark = pytest.mark.django_db

# A patient of each rule's own table. Evidence that counts days, doses or sessions is another one every day.
CASES = {
    "assessment-due": "85 days ago, first year",
    "bone-protection": "92 days",
    "cancer-screening": "standard, 61 days",
    "ck-rising": "exercise 6 days before",
    "core-set-incomplete": "without the physician",
    "data-quality": "no day of diagnosis",
    "deterioration": "at two visits in a row",
    "dose-out-of-range": "methotrexate 25.001 mg",
    "dysphagia-screen": "184 days ago",
    "ild-methotrexate": "both",
    "ild-progression": "FVC in litres, 10 % down",
    "ild-rapid": "down by 4 points",
    "ild-screening-gap": "91 days overdue",
    "infusion-check": "1.899 g/kg",
    "infusion-due": "36 days",
    "labs-action-limit": "neutrophils 1.59",
    "labs-drifting": "three falls, 26 %",
    "labs-overdue": "never done, 18 days after",
    "physio-missed": "2 of 4 attended",
    "physio-no-plan": "day 43",
    "physio-review-due": "measured 85 days ago",
    "pneumocystis-prophylaxis": "two doses without a day between",
    "pre-treatment-checks": "no TPMT",
    "second-line-review": "score 17.5",
    "statin-in-necrotising": "statin and antibody",
    "taper-dose-raised": "raised today",
    "taper-high-at-12-weeks": "day 84 at 25 mg",
    "taper-high-at-24-weeks": "day 168 at 8 mg",
    "taper-step-due": "3 days ahead",
    "taper-step-overdue": "8 days past",
}


def closed_in(clinic: Clinic, rule: str) -> Alert:
    patient = clinic.patient()
    (example,) = [e for e in parse(RULES[rule].examples) if e.case == CASES[rule]]
    for name, cell in example.cells.items():
        COLUMNS[name](patient, cell)
    clinic.judge(RULES[rule])
    alert = Alert.objects.get()
    return life.close(alert=alert, by=clinic.doctor, now=later(hours=1), reason=Reason.WILL_MONITOR)


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("rule", CASES)
def test_it_is_not_found_anew_because_a_day_has_passed(clinic: Clinic, rule: str) -> None:
    closed_in(clinic, rule)
    for days in (1, 2, 7):
        on = AS_OF + dt.timedelta(days=days)
        assert clinic.judge(RULES[rule], as_of=on, now=later(days=days)).opened == 0


def test_nor_because_strength_was_measured_which_is_only_shown_beside_it(clinic: Clinic) -> None:
    alert = closed_in(clinic, "ck-rising")
    fact(Assessment, alert.patient, assessed_on=AS_OF, mmt8_150=140)
    assert clinic.judge(RULES["ck-rising"], now=later(hours=2)).opened == 0


def test_nor_because_of_a_blood_test_that_only_chooses_what_is_said_about_an_option(clinic: Clinic) -> None:
    alert = closed_in(clinic, "second-line-review")
    fact(Result, alert.patient, analyte="igg", value=Decimal(5), value_received="5", taken_on=AS_OF)
    assert clinic.judge(RULES["second-line-review"], now=later(hours=2)).opened == 0


def test_another_value_of_what_it_was_found_on_is_a_new_finding(clinic: Clinic) -> None:
    alert = closed_in(clinic, "ck-rising")
    ck = {"analyte": "ck", "value": Decimal(410), "value_received": "410", "uln": Decimal(200)}
    fact(Result, alert.patient, **ck, taken_on=AS_OF)
    assert clinic.judge(RULES["ck-rising"], now=later(hours=2)).opened == 1
