"""The values a finding shows, reckoned by hand from the facts: what a clinician reads before deciding.

Which level is given, and whether, stands in the tables of the rules. Days are given as there: -14 is 14 days before.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest

from accounts.models import User
from monitoring.asking import Finding, findings
from monitoring.rules import RULES
from tests import factories
from tests.factories import AS_OF
from tests.rules import columns  # noqa: F401 - registers the columns
from tests.rules.examples import COLUMNS, day

pytestmark = pytest.mark.django_db

Cells = dict[str, str]


@pytest.fixture
def clerk() -> User:
    return factories.person(factories.centre())


def on(offset: int) -> str:
    """A day as evidence keeps it."""
    return day(offset).isoformat()


def plainly(value: Any) -> Any:
    """Numbers as numbers, however many decimals they are kept with."""
    if isinstance(value, dict):
        return {name: plainly(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plainly(each) for each in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    try:
        return value if value is None or isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return value


def told(clerk: User, rule: str, people: dict[str, Cells]) -> dict[str, Finding]:
    """What the rule says of each of `people`, by name. It says the same of whoever is asked about alone."""
    names: dict[int, str] = {}
    for name, cells in people.items():
        one = factories.patient(clerk.memberships.get().centre, clerk)
        names[one.pk] = name
        for column, cell in cells.items():
            COLUMNS[column](one, cell)
    together = findings(RULES[rule], as_of=AS_OF)
    assert sorted(names[f.patient_id] for f in together) == sorted(people)
    for finding in together:
        alone = findings(RULES[rule], as_of=AS_OF, patient_ids=[finding.patient_id])
        assert alone == [finding], names[finding.patient_id]
    return {names[f.patient_id]: f for f in together}


def shows(finding: Finding, expected: dict[str, Any]) -> None:
    assert finding.evidence is not None
    assert {key: plainly(finding.evidence[key]) for key in expected} == plainly(expected)


# ----------------------------------------------------------------------------------------------- second-line-review

# No response, and everything there is to weigh.
FULL: Cells = {
    "subtype": "antisynthetase",
    "weight": "-100 70",
    "doses": "-100..-61 prednisone 40, -60..-31 prednisone 20, -30.. prednisone 36,"
    " -115..-71 methotrexate 15 /7, -70.. methotrexate 20 /7 stop -20 ineffective,"
    " -30.. azathioprine 50, -200..-100 mycophenolate-mofetil 500 x2",
    "infusions": "-400 rituximab 1000, -386 rituximab 1000",
    "core sets": "-100 base, -5 base md=4",
    "enzymes": "-100 ck 1000/200, -5 ck 900/200, -60 egfr 80/, -5 egfr 45/, -9 crp 12/5",
    "before": "-8 hbsag negative, -8 anti-hbc positive, 1 igg 5",
    "antibodies": "-50 jo-1 positive, -40 pm-scl strong, -5 mi-2 weak, -5 srp negative, 1 hmgcr positive",
    "manifestations": "-60 dysphagia, -30 ild, -400 thrombosis -300",
    "imaging": "-40 mri_muscle not_applicable, -20 hrct present, -3 chest_xray absent",
    "lung": "-50 full, 0 full",
    "physio plan": "-90",
    "sessions": "-30 attended, -20 home, -10 dna, -5 patient",
}
# Another patient, with other facts of every kind.
OTHER: Cells = {
    "doses": "-200.. prednisone 15, -300..-150 tacrolimus 1 x2, -149.. tacrolimus 2 x2 stop -100 toxicity",
    "enzymes": "-1 crp 99/5",
    "antibodies": "-3 mda5 positive",
    "manifestations": "-90 arthritis",
    "imaging": "-2 mri_muscle not_applicable",
    "lung": "-10 full",
}


def agent(line: str, since: int, until: int, days: int, highest: str, today: str, enough: int) -> dict[str, Any]:
    return {
        "agent": line,
        "from": on(since),
        "until": on(until),
        "days": days,
        "highest": highest,
        "today": today,
        "days_enough": enough,
        "is_sure": True,
    }


def course(
    drug: str, route: str, since: int, stopped: int | None = None, why: str | None = None, infusions: int = 0
) -> dict[str, Any]:
    return {
        "drug": drug,
        "route": route,
        "from": on(since),
        "stopped_on": None if stopped is None else on(stopped),
        "stop_reason": why,
        "infusions": infusions,
    }


def agents_of(finding: Finding) -> list[dict[str, Any]]:
    assert finding.evidence is not None
    of_the_dose = ("lower_end", "is_per_kg", "needed_days")
    return [{key: a[key] for key in a if key not in of_the_dose} for a in finding.evidence["agents"]]


def test_what_second_line_review_shows(clerk: User) -> None:
    said = told(clerk, "second-line-review", {"full": FULL, "other": OTHER})

    one, other = said["full"], said["other"]
    assert (one.level, one.missing, other.level, other.missing) == ("ACTION", None, "ACTION", None)
    # 35 mg is half a milligram for each of 70 kg: 40 days, then 31; of the 40, 20 and 36 mg only the last is taken now
    assert plainly(agents_of(one)) == plainly([
        agent("azathioprine", -30, 0, 31, "50", "50", 0),
        # 96 days, of which 81 in the episode
        agent("methotrexate", -100, -20, 81, "20", "0", 81),
        agent("mycophenolate-mofetil", -100, -100, 1, "1000", "0", 0),
        agent("pe", -100, 0, 101, "40", "36", 40),
    ])  # fmt: skip
    shows(one, {
        "reasons": ["no-response"],
        "day0": on(-100), "day": 100, "response_day": 84, "pe_today": 36, "weight_kg": 70, "weight_on": on(-100),
        "is_adequate": True, "subtype": "antisynthetase",
        "courses": [
            course("rituximab", "intravenous", -400, infusions=2),
            course("mycophenolate-mofetil", "oral", -200),
            course("methotrexate", "oral", -115, -20, "ineffective"),
            course("azathioprine", "oral", -30),
        ],
        "rituximab_on": on(-400), "ivig_on": None,
        # the physician's by 2 cm of 10: 15 points
        "tis": "15", "lowest": 15, "highest": 15,
        "points": {"physician_vas": 15, "patient_vas": 0, "mmt": 0, "haq_di": 0, "enzyme": 0, "extramuscular_vas": 0},
        "baseline_on": on(-100), "follow_up_on": on(-5),
        "baseline": {
            "physician_vas": 6, "patient_vas": 5, "extramuscular_vas": 2, "haq_di": "1.5", "mmt8_150": 120,
            "mmt8_80": None, "enzyme": "ck", "enzyme_value": 1000, "enzyme_uln": 200, "enzyme_on": on(-100),
        },
        "follow_up": {
            "physician_vas": 4, "patient_vas": 5, "extramuscular_vas": 2, "haq_di": "1.5", "mmt8_150": 120,
            "mmt8_80": None, "enzyme": "ck", "enzyme_value": 900, "enzyme_uln": 200, "enzyme_on": on(-5),
        },
        "deterioration_on": None, "toxic_drugs": None, "toxic_on": None,
        "rises": 1, "rise_list": [{"on": on(-30), "from": 20, "to": 36}],
        "antibodies": ["jo-1", "pm-scl"], "has_ild": True, "manifestations": ["dysphagia", "ild"],
        "tests": {
            "egfr": {"value": 45, "text": "45", "on": on(-5)},
            "crp": {"value": 12, "text": "12", "on": on(-9)},
            "hbsag": {"value": None, "text": "negative", "on": on(-8)},
            "anti-hbc": {"value": None, "text": "positive", "on": on(-8)},
        },
        "gates": [
            {"gate": "gate-adherence", "seen_on": None},
            {"gate": "gate-dose", "seen_on": None},
            {"gate": "gate-diagnosis", "seen_on": None},
            {"gate": "gate-activity", "seen_on": on(-40)},
            {"gate": "gate-steroid-myopathy", "seen_on": None},
            {"gate": "gate-infection", "seen_on": on(-9)},
            {"gate": "gate-malignancy", "seen_on": None},
            {"gate": "gate-ild", "seen_on": on(0)},
            {"gate": "gate-physiotherapy", "seen_on": on(-20)},
        ],
        "options": [
            {
                "option": "option-ivig", "for": ["ivig-dysphagia"], "against": ["ivig-thrombosis", "ivig-renal"],
                "check": ["ivig-iga"],
            },
            {
                "option": "option-rituximab", "for": ["rituximab-antisynthetase", "rituximab-ild"],
                "against": ["rituximab-hepatitis"], "check": ["rituximab-igg-unknown", "rituximab-had"],
            },
            {
                "option": "option-tacrolimus", "for": ["tacrolimus-ild", "tacrolimus-antisynthetase"],
                "against": ["tacrolimus-renal"], "check": [],
            },
            {"option": "option-methylprednisolone", "for": [], "against": [], "check": []},
        ],
    })  # fmt: skip

    # nobody knows the weight: 201 days that may be enough
    assert plainly(agents_of(other)) == plainly([{**agent("pe", -200, 0, 201, "15", "15", 201), "is_sure": False}])
    shows(other, {
        "reasons": ["dependent-dose"], "day": 200, "pe_today": 15, "weight_kg": None, "is_adequate": False,
        "courses": [course("tacrolimus", "oral", -300, -100, "toxicity")],
        "tis": "between 0 and 100", "baseline": None, "follow_up": None, "baseline_on": None, "follow_up_on": None,
        "antibodies": ["mda5"], "has_ild": False, "manifestations": ["arthritis"],
        "tests": {"crp": {"value": 99, "text": "99", "on": on(-1)}},
    })  # fmt: skip
    assert other.evidence is not None
    seen = {gate["gate"]: gate["seen_on"] for gate in other.evidence["gates"] if gate["seen_on"]}
    assert seen == {"gate-activity": on(-2), "gate-infection": on(-1), "gate-ild": on(-10)}


# From the baseline BASE: 5 of 10 cm are 20 points, 4 are 7.5; 20 of 150 are 20; 1 of 3 are 7.5; 2 of 10 cm are 12.5.
# That is 67.5; and creatine kinase, from 5 times the limit to once, of 15: 7.5.
BETTER = "base md=1 pt=1 ex=0 haq=0.5 mmt=140"
POINTS = {
    "physician_vas": 20, "patient_vas": "7.5", "mmt": 20, "haq_di": "7.5", "enzyme": "7.5", "extramuscular_vas": "12.5",
}  # fmt: skip


def test_second_line_review_shows_the_whole_score_whatever_else_is_its_reason(clerk: User) -> None:
    """The enzyme adds to a score that is high enough without it: it is shown all the same."""
    common = {"weight": "-100 70", "core sets": f"-100 base, -5 {BETTER}", "enzymes": "-100 ck 1000/200, -5 ck 200/200"}
    said = told(clerk, "second-line-review", {
        "dose": {
            "weight": "-168 70",
            "doses": "-168.. prednisone 40, -168.. methotrexate 15 /7",
            "core sets": f"-168 base, -5 {BETTER}",
            "enzymes": "-168 ck 1000/200, -5 ck 200/200",
        },
        "rises": {
            **common,
            "doses": "-100..-61 prednisone 40, -60..-41 prednisone 2, -40..-21 prednisone 5, -20.. prednisone 8,"
            " -100.. methotrexate 15 /7",
        },
        "toxicity": {
            **common,
            "doses": "-100..-61 prednisone 40, -60.. prednisone 5, -100.. methotrexate 15 /7 stop -9 toxicity",
        },
        "worse again": {
            **common,
            "doses": "-100..-61 prednisone 40, -60.. prednisone 5, -100.. methotrexate 15 /7",
            "core sets": "-100 md=9 pt=9 ex=5 haq=2.5 mmt=100, -60 md=1 pt=1 ex=0 haq=0.5 mmt=145,"
            " -20 same ex=2, -5 same",
        },
    })  # fmt: skip
    whole = {"tis": "75", "lowest": 75, "highest": 75, "points": POINTS}
    shows(said["dose"], {"reasons": ["dependent-dose"], "day": 168, "pe_today": 40, **whole})
    shows(said["rises"], {
        "reasons": ["dependent-rises"], "rises": 2, **whole,
        "rise_list": [{"on": on(-40), "from": 2, "to": 5}, {"on": on(-20), "from": 5, "to": 8}],
    })  # fmt: skip
    shows(said["toxicity"], {
        "reasons": ["intolerant"], "toxic_drugs": ["methotrexate"], "toxic_on": on(-9), **whole,
    })  # fmt: skip
    # 8 of 10 cm are 20 and 10 points, 3 are 15; 45 of 150, no more than 30 %, are 27.5; 2 of 3 are 10; and the enzyme
    shows(said["worse again"], {
        "reasons": ["deterioration"], "deterioration_on": on(-5), "deterioration_before_on": on(-20),
        "deterioration_reasons": ["extramuscular"], "tis": "90",
        "points": {
            "physician_vas": 20, "patient_vas": 10, "mmt": "27.5", "haq_di": 10, "enzyme": "7.5",
            "extramuscular_vas": 15,
        },
        "deterioration_changes": {
            "physician_vas": [1, 1], "patient_vas": [1, 1], "extramuscular_vas": [0, 2], "haq_di": ["0.5", "0.5"],
            "mmt8": [145, 145],
        },
    })  # fmt: skip


def test_second_line_review_shows_rises_by_another_drug(clerk: User) -> None:
    said = told(clerk, "second-line-review", {
        # 10 of hydrocortisone and 2 of methylprednisolone are 2.5 each; a pulse is no rise
        "beside": {
            "doses": "-200.. prednisone 5, -129.. hydrocortisone 10, -99.. methylprednisolone:oral 2",
            "infusions": "-50 methylprednisolone 500",
        },
        # 0.5 of dexamethasone is 3 and a third
        "thirds": {
            "doses": "-200..-130 dexamethasone 0.5, -129.. dexamethasone@2 0.5, -129.. hydrocortisone 10,"
            " -99.. methylprednisolone:oral 2",
        },
    })  # fmt: skip
    shows(said["beside"], {
        "reasons": ["dependent-rises"], "pe_today": 10, "rises": 2,
        "rise_list": [{"on": on(-129), "from": 5, "to": "7.5"}, {"on": on(-99), "from": "7.5", "to": 10}],
    })  # fmt: skip
    shows(said["thirds"], {
        "reasons": ["dependent-rises"], "pe_today": "8.333", "rises": 2,
        "rise_list": [
            {"on": on(-129), "from": "3.333", "to": "5.833"}, {"on": on(-99), "from": "5.833", "to": "8.333"},
        ],
    })  # fmt: skip


def test_what_core_set_incomplete_shows(clerk: User) -> None:
    common = {"doses": "-100.. prednisone 40, -100.. methotrexate 15 /7", "weight": "-100 70"}
    said = told(clerk, "core-set-incomplete", {
        "incomplete": {
            **common, "core sets": "-100 base, -5 base md=- haq=0.5", "enzymes": "-100 ck 1000/200, -5 ck 1000/200",
        },
        "none": {**common, "core sets": "-90 base haq=-", "enzymes": "-90 ck 1000/200"},
    })  # fmt: skip
    # HAQ-DI by 1 of 3: 7.5; the physician's can add 20
    shows(said["incomplete"], {
        "reasons": ["incomplete"], "lacks": ["physician global activity"], "baseline_lacks": [],
        "baseline_on": on(-100), "follow_up_on": on(-5), "day0": on(-100), "day": 100, "lowest": "7.5",
        "highest": "27.5", "threshold": 20,
    })  # fmt: skip
    assert said["none"].evidence is not None
    assert sorted(said["none"].evidence["lacks"]) == [
        "MMT8 on the scale of the baseline", "extramuscular activity", "patient global activity",
        "physician global activity", "the muscle enzyme of the baseline, with its upper limit",
    ]  # fmt: skip
    shows(said["none"], {
        "reasons": ["no-core-set"], "baseline_lacks": ["HAQ-DI"], "baseline_on": on(-90), "follow_up_on": None,
        "lowest": 0, "highest": 100,
    })  # fmt: skip


# --------------------------------------------------------------------------------------------- pre-treatment-checks

PANEL = "Full blood count; Creatinine or eGFR; ALT or AST"
HEPATITIS_B = "Hepatitis B (HBsAg and anti-HBc)"
# What each drug asks for before its first dose, in the order it is read.
CHECKS = {
    "methotrexate 15 /7": f"{PANEL}; Chest X-ray or CT; {HEPATITIS_B}; Hepatitis C; Pregnancy test",
    "azathioprine 100": f"{PANEL}; TPMT; {HEPATITIS_B}",
    "mycophenolate-mofetil 1000 x2": f"{PANEL}; Two pregnancy tests 8 to 10 days apart; {HEPATITIS_B}",
    "abatacept 125 /7": f"Tuberculosis; {HEPATITIS_B}; Hepatitis C",
    "tacrolimus 1 x2": f"{PANEL}; Blood pressure; Glucose or HbA1c; Electrocardiogram; {HEPATITIS_B}",
    "ciclosporin 100 x2": f"{PANEL}; Blood pressure; {HEPATITIS_B}",
    "cyclophosphamide:oral 100": f"{PANEL}; Urinalysis; Pregnancy test; {HEPATITIS_B}",
    "tofacitinib 5 x2": f"{PANEL}; Tuberculosis; {HEPATITIS_B}; Hepatitis C",
    "baricitinib 4": f"{PANEL}; Tuberculosis; {HEPATITIS_B}; Hepatitis C",
    "hydroxychloroquine 400": "Eye examination",
}
CHECKS_OF_INFUSIONS = {
    "ivig 70": f"IgA; Creatinine or eGFR; Full blood count; {HEPATITIS_B}; Hepatitis C",
    "rituximab 1000": f"{HEPATITIS_B}; Hepatitis C; IgG; IgA; IgM; Varicella immunity; Chest X-ray or CT;"
    " Vaccinations looked through",
}


def test_what_pre_treatment_checks_lists_and_in_which_order(clerk: User) -> None:
    who = {"sex": "female", "age": "30", "risks": "-400 childbearing"}
    said = told(clerk, "pre-treatment-checks", {
        **{drug: {**who, "doses": f"-10.. {drug}"} for drug in CHECKS},
        **{drug: {**who, "infusions": f"-10 {drug}"} for drug in CHECKS_OF_INFUSIONS},
    })  # fmt: skip
    for drug, checks in {**CHECKS, **CHECKS_OF_INFUSIONS}.items():
        shows(said[drug], {"lacks": checks.split("; "), "starts_on": on(-10), "reasons": ["begun"]})
    shows(said["methotrexate 15 /7"], {"drug": "Methotrexate"})
    shows(said["ivig 70"], {"drug": "Immunoglobulin (IVIG)"})


# ------------------------------------------------------------------------------------------- glucocorticoid, statins


def test_what_the_rules_about_glucocorticoid_show(clerk: User) -> None:
    plan = {"taper plan": "-60 40, 30 10"}
    raised = told(clerk, "taper-dose-raised", {
        "raised twice": {**plan, "doses": "-60..-21 prednisone 20, -20..-11 prednisone 25, -10.. prednisone 27.5"},
        "by another drug": {**plan, "doses": "-60.. prednisone 20, -10.. dexamethasone 0.5"},
    })  # fmt: skip
    shows(raised["raised twice"], {"raised_on": on(-10), "before_pe": 25, "pe": "27.5"})
    shows(raised["by another drug"], {"raised_on": on(-10), "before_pe": 20, "pe": "23.333"})


def test_what_is_high_after_24_weeks_shows(clerk: User) -> None:
    high = told(clerk, "taper-high-at-24-weeks", {
        "high": {"doses": "-200..-100 prednisone 60, -99.. prednisone 5, -50.. hydrocortisone 12"},
        "coming": {"doses": "-150..-100 prednisone 60, -99.. prednisone 8"},
    })  # fmt: skip
    shows(high["high"], {"reasons": ["high"], "pe_today": 8, "began_on": on(-200), "day": 200})
    # nothing is told of what is only coming
    assert (high["coming"].level, high["coming"].due_on, high["coming"].missing) == (None, day(18), None)
    assert high["coming"].evidence is None


def test_what_statin_in_necrotising_shows(clerk: User) -> None:
    said = told(clerk, "statin-in-necrotising", {
        "two": {
            "doses": "-9.. fluvastatin 40, -5.. lovastatin 20, -9..-6 simvastatin 20",
            "antibodies": "-40 hmgcr weak, -30 hmgcr positive, -20 hmgcr strong, -10 hmgcr negative",
        },
        "one": {"doses": "-9.. pitavastatin 1", "antibodies": "0 hmgcr positive"},
    })  # fmt: skip
    shows(said["two"], {"drugs": ["Fluvastatin", "Lovastatin"], "positive_on": on(-30)})
    shows(said["one"], {"drugs": ["Pitavastatin"], "positive_on": on(0)})
