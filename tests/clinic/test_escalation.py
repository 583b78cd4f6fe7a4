"""The escalation brief, the decision, and what becomes of the alert that asked for it."""

from __future__ import annotations

import datetime as dt
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alerts.models import Alert, State
from audit.models import Access
from monitoring.models import Assessment
from monitoring.rules import RULES
from patients.models import Patient
from tests import factories
from tests.clinic.one_patient import alert, full
from tests.factories import AS_OF, NOW, fact
from therapy.models import Course, Dose, EscalationDecision

pytestmark = pytest.mark.django_db
COUNTS = Path(__file__).parent / "query_counts.json"


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def url(patient: Patient, name: str = "escalation") -> str:
    return reverse(f"clinic:{name}", args=[patient.public_id])


def asked(patient: Patient) -> Alert:
    """The rule asks for a review."""
    evidence = {
        "reasons": ["intolerant"], "toxic_on": ago(20).isoformat(), "toxic_drugs": ["azathioprine"],
        "parameters": {**{k: str(v) for k, v in vars(RULES["second-line-review"].parameters).items()}},
        "gates": [{"gate": "gate-infection", "seen_on": ago(9).isoformat()}, {"gate": "gate-ild", "seen_on": None}],
        "options": [{"option": "option-ivig", "for": ["ivig-dysphagia"], "against": ["ivig-thrombosis"],
                     "check": ["ivig-iga"]}],
    }  # fmt: skip
    return alert(patient, "second-line-review", "ACTION", AS_OF, evidence=evidence)


def typed(open_: Alert | None = None, **changed: Any) -> dict[str, Any]:
    data = {"option": "ivig", "reason": "Dysphagia, nothing else worked", "decided_on": AS_OF.isoformat()}
    if open_ is not None:
        data |= {"seen_alert": str(open_.public_id), "seen_level": open_.level}
    return {**data, **changed}


# ---------------------------------------------------------------------------------------------------------------- page


def test_the_brief_of_an_open_alert(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    open_ = asked(patient)
    browser = signed_in(clinician)
    page = browser.get(url(patient)).content.decode()
    assert "Stopped for toxicity" in page
    assert "No alert is open" not in page
    for said in ("A thrombosis is recorded.", "IgA is not recorded.", "Is there an infection?", "Not on record"):
        assert said in page
    assert "Line 2" in page
    assert "Toxicity or intolerance: Liver enzymes" in page
    assert "Severe disease that must not wait" in page
    assert "Local policy" in page
    assert url(patient) in browser.get(reverse("clinic:alert", args=[open_.public_id])).content.decode()
    for name in ("patient", "treatment"):
        assert url(patient) in browser.get(url(patient, name)).content.decode()
    assert Access.objects.filter(page="clinic:escalation", patient=patient, by=clinician).exists()


def test_without_an_alert_the_rule_is_asked_for_its_gates(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    answer = signed_in(clinician).get(url(patient))
    brief = answer.context["brief"]
    assert "No alert is open" in answer.content.decode()
    assert brief.has_evidence
    assert any(gate.seen_on for gate in brief.gates)
    assert any("lung disease" in text for option in brief.options for text in option.speaks_for)
    newest = brief.visits[0]
    assert (newest.mmt8, newest.pe) == ("141 of 150", "12 mg")
    assert newest.ck.endswith("× ULN)")
    assert brief.visits[-1].row.is_baseline


def test_who_never_had_a_glucocorticoid(clinic, clinician, signed_in) -> None:
    answer = signed_in(clinician).get(url(factories.patient(clinic, clinician)))
    page = answer.content.decode()
    assert "The rule could not be asked about this patient" in page
    assert "Not looked up" in page
    assert "Not on record" not in page
    assert len(answer.context["brief"].gates) == 9


def test_inclusion_body_myositis_is_never_prompted(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF, subtype="inclusion_body")
    answer = signed_in(clinician).get(url(patient))
    assert "escalation is never prompted" in answer.content.decode()
    assert answer.context["brief"].options == []


def test_the_lines_of_the_treatment_page(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    lines = signed_in(clinician).get(url(patient, "treatment")).context["page"].lines
    assert [sorted(agent.name for agent in line.agents) for line in lines.lines] == [
        ["Azathioprine"], ["Methotrexate"], ["Immunoglobulin (IVIG)", "Methotrexate"], ["Methotrexate"]
    ]  # fmt: skip
    methotrexate = lines.lines[-1].agents[0]
    assert (methotrexate.verdict, methotrexate.enough, methotrexate.continued) == ("yes", "151 days", True)


def test_who_may(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    for name in ("escalation", "escalation-pdf"):
        assert signed_in(role="physiotherapist").get(url(patient, name)).status_code == 200
        assert signed_in(role="researcher").get(url(patient, name)).status_code == 403
    nurse = signed_in(role="nurse")
    assert "Record the decision" not in nurse.get(url(patient)).content.decode()
    assert nurse.post(url(patient, "escalation-decide"), typed()).status_code == 403
    elsewhere = factories.centre()
    stranger = factories.patient(elsewhere, factories.person(elsewhere))
    for name in ("escalation", "escalation-pdf"):
        assert signed_in().get(url(stranger, name)).status_code == 404
    assert signed_in().post(url(stranger, "escalation-decide"), typed()).status_code == 404
    assert not EscalationDecision.objects.exists()


def test_the_pdf_says_nothing_in_its_name(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    asked(patient)
    fact(EscalationDecision, patient, decided_on=ago(120), option="ivig", reason="*not* #markup")
    answer = signed_in(clinician).get(url(patient, "escalation-pdf"))
    assert answer.content.startswith(b"%PDF")
    assert answer["Content-Disposition"] == 'inline; filename="brief-2025-06-15.pdf"'
    assert "no-store" in answer["Cache-Control"]
    assert Access.objects.get(page="clinic:escalation-pdf", patient=patient).rows == 1
    bare = signed_in(clinician).get(url(factories.patient(clinic, clinician), "escalation-pdf"))
    assert bare.content.startswith(b"%PDF")


@pytest.mark.parametrize("name", ["escalation-pdf", "patient-summary", "taper-calendar-pdf"])
def test_paper_is_printed_at_any_moment(name: str, clinic, clinician, signed_in) -> None:
    """A real clock has fractions of a second, which Typst refuses."""
    patient = full(clinic, clinician, AS_OF)
    browser = signed_in(clinician)
    with time_machine.travel(NOW.replace(microsecond=123456), tick=False):
        assert browser.get(url(patient, name)).content.startswith(b"%PDF")


# ------------------------------------------------------------------------------------------------------------ decision


def test_a_decision_without_a_day_acknowledges_the_alert(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    open_ = asked(patient)
    browser = signed_in(clinician)
    answer = browser.post(url(patient, "escalation-decide"), typed(open_))
    assert (answer.status_code, answer["Location"]) == (302, url(patient))
    (decision,) = EscalationDecision.objects.all()
    assert (decision.option, decision.decided_on, decision.recorded_by) == ("ivig", AS_OF, clinician)
    open_.refresh_from_db()
    assert open_.state == State.ACKNOWLEDGED
    event = open_.life.latest("id")
    assert (event.reason, event.text) == ("acted", "Decided: Intravenous immunoglobulin")
    page = browser.get(url(patient)).content.decode()
    assert "Dysphagia, nothing else worked" in page
    assert "The alert is acknowledged." in page
    assert "Second-line treatment decided" in browser.get(url(patient, "patient-history")).content.decode()


def test_who_decides_second_is_told_of_the_first_and_then_stands_beside_it(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    other = signed_in()
    page = other.get(url(patient)).content.decode()
    assert 'name="seen_decision" value="0"' in page
    assert signed_in(clinician).post(url(patient, "escalation-decide"), typed(seen_decision=0)).status_code == 302
    first = EscalationDecision.objects.get()
    told = other.post(url(patient, "escalation-decide"), typed(option="rituximab", seen_decision=0))
    page = told.content.decode()
    assert told.status_code == 422
    assert f"Meanwhile {clinician} recorded a decision on 15 Jun 2025, " in page
    assert "Intravenous immunoglobulin" in page
    assert '<option value="rituximab" selected>' in page
    assert f'name="seen_decision" value="{first.pk}"' in page
    answer = other.post(url(patient, "escalation-decide"), typed(option="rituximab", seen_decision=first.pk))
    assert answer.status_code == 302
    assert EscalationDecision.objects.count() == 2


def test_the_question_about_doses_is_answered_where_the_page_can(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    brief = signed_in(clinician).get(url(patient)).context["brief"]
    said = {gate.question: gate.said for gate in brief.gates}
    assert brief.treatment.is_adequate is None
    dose = said["Was each drug at its target dose for long enough?"]
    assert dose == "Cannot be told from the doses on record, see above"
    assert said["Are the drugs taken as prescribed?"] == "For you to answer"


def test_look_again_is_the_snooze(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    open_ = asked(patient)
    answer = signed_in(clinician).post(
        url(patient, "escalation-decide"), typed(open_, option="no_change", look_again_on="2025-06-29")
    )
    assert answer.status_code == 302
    open_.refresh_from_db()
    # seen again on the day itself
    assert (open_.state, open_.snoozed_until) == (State.SNOOZED, dt.date(2025, 6, 28))


@pytest.mark.parametrize("day", ["2025-06-30", "2025-06-15"])
def test_a_refused_day_loses_nothing(day: str, clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    open_ = asked(patient)
    answer = signed_in(clinician).post(url(patient, "escalation-decide"), typed(open_, look_again_on=day))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "put off for 14 days at most: choose a day from tomorrow to 29 Jun 2025" in page
    assert "Dysphagia, nothing else worked" in page
    assert f'value="{day}"' in page
    assert answer.context["form"].errors.keys() == {"look_again_on"}
    assert not EscalationDecision.objects.exists()
    open_.refresh_from_db()
    assert open_.state == State.OPEN


def test_every_error_at_once(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    open_ = asked(patient)
    answer = signed_in(clinician).post(
        url(patient, "escalation-decide"), typed(open_, decided_on="2025-06-16", look_again_on="2025-07-30")
    )
    assert answer.context["form"].errors.keys() == {"decided_on", "look_again_on"}
    answer = signed_in(clinician).post(url(patient, "escalation-decide"), {"decided_on": "soon"})
    assert answer.context["form"].errors.keys() == {"option", "reason", "decided_on"}


def test_without_an_alert_any_later_day_is_kept_and_it_can_be_undone(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    browser = signed_in(clinician)
    answer = browser.post(url(patient, "escalation-decide"), typed(look_again_on="2025-09-15"), follow=True)
    assert "Decision recorded." in answer.content.decode()
    assert EscalationDecision.objects.get().look_again_on == dt.date(2025, 9, 15)
    assert reverse("clinic:undo", args=[0]).rsplit("/", 2)[0] in answer.content.decode()
    early = browser.post(url(patient, "escalation-decide"), typed(look_again_on="2025-06-14"))
    assert early.context["form"].errors.keys() == {"look_again_on"}


def test_an_alert_that_was_not_on_the_page_is_left_alone(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    open_ = asked(patient)
    assert signed_in(clinician).post(url(patient, "escalation-decide"), typed()).status_code == 302
    open_.refresh_from_db()
    assert open_.state == State.OPEN
    # nor one that rose since
    Alert.objects.filter(pk=open_.pk).update(level="URGENT")
    answer = signed_in(clinician).post(url(patient, "escalation-decide"), typed(open_))
    assert answer.status_code == 422
    assert "changed in the meantime" in answer.content.decode()
    assert EscalationDecision.objects.count() == 1


def test_a_decision_can_be_withdrawn_on_its_page(clinic, clinician, signed_in) -> None:
    patient = full(clinic, clinician, AS_OF)
    decision = fact(EscalationDecision, patient, decided_on=ago(10), option="pulse", reason="Fast")
    browser = signed_in(clinician)
    args = [patient.public_id, "decision", decision.pk]
    assert "Pulse methylprednisolone" in browser.get(reverse("clinic:fact", args=args)).content.decode()
    assert browser.post(reverse("clinic:fact-withdraw", args=args), {"reason": "Wrong person"}).status_code == 302
    assert "None is recorded." in browser.get(url(patient)).content.decode()


# ------------------------------------------------------------------------------------------------------------- outcome


def visit(patient: Patient, day: dt.date, mmt8: int, vas: str) -> None:
    fact(
        Assessment, patient, assessed_on=day, mmt8_150=mmt8, haq_di=Decimal("1.000"), physician_vas=Decimal(vas),
        patient_vas=Decimal(vas), extramuscular_vas=Decimal(vas),
    )  # fmt: skip


def outcomes(browser: Any, patient: Patient) -> list[tuple[int, str, str, str]]:
    (decision,) = browser.get(url(patient)).context["brief"].decisions
    return [(o.months, o.tis, o.said, o.pe) for o in decision.outcomes]


def test_outcome_after_three_and_six_months(clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    browser = signed_in(clinician)
    fact(EscalationDecision, patient, decided_on=ago(200), option="ivig", reason="Weak")
    course = fact(Course, patient, drug="prednisone", route="oral")
    fact(Dose, patient, course=course, starts_on=ago(210), ends_on=ago(110), amount=Decimal(30))
    fact(Dose, patient, course=course, starts_on=ago(109), ends_on=ago(50), amount=Decimal(10))
    # day 91 is 109 days ago, day 182 is 18 days ago
    assert outcomes(browser, patient) == [(3, "", "No visit", "10 mg"), (6, "", "Not yet", "0 mg")]
    visit(patient, ago(109), 140, "2.0")
    assert outcomes(browser, patient)[0][2].startswith("No visit in the 28 days before the decision")
    visit(patient, ago(229), 100, "8.0")
    assert outcomes(browser, patient)[0][1] == ""
    visit(patient, ago(228), 110, "6.0")
    visit(patient, ago(46), 150, "1.0")
    after3, after6 = outcomes(browser, patient)
    assert after3[1]
    assert after6[1]
    assert after3[1] != after6[1]
    assert not after3[2]


@pytest.mark.parametrize(("days", "said"), [(119, "Not yet"), (120, "No visit")])
def test_not_yet_until_the_time_for_the_visit_is_over(days: int, said: str, clinic, clinician, signed_in) -> None:
    patient = factories.patient(clinic, clinician)
    fact(EscalationDecision, patient, decided_on=ago(days), option="ivig", reason="Weak")
    assert outcomes(signed_in(clinician), patient)[0][2] == said
    assert outcomes(signed_in(clinician), patient)[1] == (6, "", "Not yet", "")


@pytest.mark.parametrize("route", ["clinic:escalation"])
def test_a_page_asks_no_more_for_a_long_history_than_for_a_short_one(route, clinic, clinician, signed_in) -> None:
    """The number is a ratchet: WRITE_QUERY_COUNTS=1 writes it anew."""
    few = full(clinic, clinician, AS_OF, many=30)
    lots = full(clinic, clinician, AS_OF, many=3000, every_days=3)
    for number in range(40):
        visit(lots, ago(300 + 10 * number), 110, "5.0")
        fact(EscalationDecision, lots, decided_on=ago(300 + number), option="ivig", reason="Weak")
    fact(EscalationDecision, few, decided_on=ago(300), option="ivig", reason="Weak")
    browser = signed_in(clinician)
    counted = []
    browser.get(reverse(route, args=[few.public_id]))  # what is asked once for a session
    for patient in (few, lots):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(reverse(route, args=[patient.public_id])).status_code == 200
        counted.append(len(queries))
    assert counted[0] == counted[1]
    known = json.loads(COUNTS.read_text())
    if os.environ.get("WRITE_QUERY_COUNTS"):
        known[route] = counted[0]
        COUNTS.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")
    assert counted[0] <= known[route], f"{route} asks {counted[0]} times"
    assert NOW.date() == AS_OF
