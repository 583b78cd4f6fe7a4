"""Everything that enters or acknowledges, each by the keyboard alone at a desk and on a telephone, and without scripts.

The journeys are elsewhere, in their own words; here is every form they may need, filled box by box.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

    from accounts.models import Centre
    from patients.models import Patient
    from tests.browser.people import Person

pytestmark = pytest.mark.browser
ONE = dt.timedelta(days=1)
D = Decimal
WAYS = [
    pytest.param(1440, True, id="keys-1440"),
    pytest.param(390, True, id="keys-390"),
    pytest.param(390, False, id="no-javascript"),
]


class Clerk:
    """Somebody who fills forms: with scripts by keys alone, without them by whatever a browser has."""

    def __init__(self, person: Person, *, by_keys: bool) -> None:
        self.person, self.page, self.by_keys = person, person.page, by_keys
        self.breaches: list[str] = []
        if by_keys:
            self.page.context.add_init_script(
                "addEventListener('pointerdown', () => sessionStorage.setItem('clicked', location.pathname), true)"
            )
        person.is_signed_in()

    def opens(self, address: str) -> None:
        self.person.opens(address)
        self.page.wait_for_load_state()
        if self.by_keys:
            self.breaches += [
                f"{address}: {found['id']}: {found['nodes'][0]['html'][:120]}"
                for found in Axe().run(self.page).response["violations"]
            ]

    def tabs(self, there: str, argument: Any, most: int = 250) -> None:
        """On by Tab until the script `there` says that the focus is where it should be."""
        for _ in range(most):
            if self.page.evaluate(there, argument):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {argument} on {self.page.url}")

    def puts(self, name: str, value: Any, within: str) -> None:
        place = f'{within} [name="{name}"]'
        if not self.by_keys:
            box = self.page.locator(place).first
            kind = box.evaluate("box => box.type")
            if kind == "select-one":
                box.select_option(value)
            elif kind in ("radio", "checkbox"):
                self.page.locator(f'{place}[value="{value}"]' if isinstance(value, str) else place).first.check()
            elif kind == "file":
                box.set_input_files(value)
            else:
                box.fill(value.isoformat() if isinstance(value, dt.date) else value)
            return
        self.tabs("(place) => document.activeElement.matches(place)", place)
        kind, keys = self.page.evaluate("document.activeElement.type"), self.page.keyboard
        if kind == "select-one":
            keys.press("Home")
        if kind in ("select-one", "radio"):
            held = (
                "() => { const e = document.activeElement; return e.type === 'radio' && !e.checked ? null : e.value; }"
            )
            if kind == "radio" and self.page.evaluate(held) is None:
                keys.press("Space")
            for _ in range(60):
                if self.page.evaluate(held) == value:
                    break
                keys.press("ArrowDown")
            assert self.page.evaluate(held) == value, name
        elif kind == "checkbox":
            if isinstance(value, str):
                self.tabs("(value) => document.activeElement.value === value", value)
            keys.press("Space")
        elif kind == "file":
            with self.page.expect_file_chooser() as chooser:
                keys.press("Space")
            chooser.value.set_files(value)
        elif kind == "date":
            for order in ("%m%d%Y", "%d%m%Y"):  # as this browser writes them
                keys.type(value.strftime(order))
                if self.page.evaluate("document.activeElement.value") == value.isoformat():
                    break
                keys.press("ArrowLeft")
                keys.press("ArrowLeft")
            assert self.page.evaluate("document.activeElement.value") == value.isoformat()
        else:
            keys.press("Control+A")
            keys.type(value)

    def presses(self, name: str, within: str = "main") -> None:
        if not self.by_keys:
            self.page.locator(within).get_by_role("button", name=name, exact=True).first.click()
            return
        there = """([within, name]) => { const e = document.activeElement;
            return e.matches(`${within} button`) && (e.ariaLabel || e.innerText).trim() === name; }"""
        self.tabs(there, [within, name])
        self.page.keyboard.press("Enter")

    def unfolds(self, part: str) -> None:
        if self.page.locator(part).get_attribute("open") is not None:
            return
        if self.by_keys:
            self.tabs("(part) => document.activeElement.matches(`${part} > summary`)", part)
            self.page.keyboard.press("Enter")
        else:
            self.page.locator(f"{part} > summary").click()

    def fills(self, boxes: Mapping[str, Any], button: str, within: str = "main") -> None:
        for name, value in boxes.items():
            self.puts(name, value, within)
        # What was said of the form before is not taken for the answer to this one.
        self.page.locator("#messages").evaluate("messages => messages.replaceChildren()")
        self.presses(button, within)
        expect(self.page.locator("#messages .notice-success")).to_be_visible()

    def enters(self, address: str, boxes: Mapping[str, Any], button: str, within: str = "main") -> None:
        self.opens(address)
        self.fills(boxes, button, within)

    def undoes(self) -> None:
        self.presses("Undo", within="#messages")
        expect(self.page.locator("#messages")).to_contain_text("Undone")

    def done(self) -> None:
        assert self.breaches == []
        assert not self.by_keys or self.page.evaluate("sessionStorage.getItem('clicked')") is None


@pytest.fixture
def patient(clinic: Centre) -> Patient:
    from tests import factories

    return factories.patient(clinic, factories.person(clinic), family_name="Vestergaard", given_name="Ida")


def current(model: type[Model], patient: Patient) -> QuerySet[Any]:
    return model.objects.current().filter(patient=patient)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("width", "javascript"), WAYS)
def test_what_is_measured_and_looked_for(
    width: int, javascript: bool, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    from monitoring.models import (
        BodySize,
        Booking,
        Confounder,
        FunctionalTest,
        Imaging,
        LungFunction,
        PersonalBaseline,
        Result,
        Screening,
        Waiver,
    )

    clerk = Clerk(somebody(width=width, javascript=javascript), by_keys=javascript)
    at = f"/patients/{patient.public_id}/enter/"
    day = today - 3 * ONE
    for rest, boxes, button, model in (
        ("body-size/", {"measured_on": day, "weight_kg": "68,5", "height_cm": "171"}, "Save", BodySize),
        (
            "lung-function/",
            {"tested_on": day, "fvc_percent_predicted": "81", "dlco_hb_corrected": "yes"}, "Save", LungFunction,
        ),
        ("imaging/", {"modality": "hrct", "done_on": day, "ild": "absent"}, "Save", Imaging),
        ("screening/", {"kind": "eye", "done_on": day, "outcome": "normal"}, "Save", Screening),
        ("confounder/", {"kind": "fall", "happened_on": day}, "Save", Confounder),
        ("booking/", {"kind": "pft", "booked_for": today + 9 * ONE}, "Book", Booking),
        (
            "waiver/",
            {"test": "hrct", "why": "declined", "ends_on": today + 90 * ONE}, "Waive the test", Waiver,
        ),
        ("baseline/", {"analyte": "ck", "value": "600", "reason": "Always"}, "Set the baseline", PersonalBaseline),
    ):  # fmt: skip
        clerk.enters(at + rest, boxes, button)
        assert current(model, patient).count() == 1, rest
    assert BodySize.objects.get().weight_kg == D("68.5")

    from monitoring.scores import functional_index, ibmfrs

    clerk.enters(f"{at}functional-test/ibmfrs/", {"tested_on": day, **dict.fromkeys(ibmfrs.ITEMS, "3")}, "Save")
    tasks = functional_index.MAXIMA[functional_index.Version.FI3]
    clerk.enters(f"{at}functional-test/fi3/", dict.fromkeys(tasks, "30"), "Save")
    clerk.enters(f"{at}functional-test/", {"instrument": "walk_6min", "score": "412"}, "Save")
    scores = {row.instrument: row.score for row in current(FunctionalTest, patient)}
    assert scores == {"ibmfrs": 30, "fi3": 50, "walk_6min": 412}

    clerk.enters(f"{at}results/", {"taken_on": day, "ck": "480"}, "Save the results")
    result = current(Result, patient).get()
    entry = f"/patients/{patient.public_id}/entries/result/{result.pk}/"
    corrected = {"ck": "84", "reason": "Two digits changed places"}
    clerk.enters(entry, corrected, "Save the correction", "section[aria-labelledby=correct]")
    result = current(Result, patient).get()
    assert (result.value, result.taken_on) == (84, day)
    entry = f"/patients/{patient.public_id}/entries/result/{result.pk}/"
    clerk.enters(entry, {"reason": "Of somebody else"}, "Withdraw", "section[aria-labelledby=withdraw]")
    assert not current(Result, patient).exists()
    clerk.done()


@pytest.mark.parametrize(("width", "javascript"), WAYS)
def test_what_is_known_of_a_person(
    width: int, javascript: bool, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    from patients.models import (
        AntibodyResult,
        ClassificationItems,
        Consent,
        FollowUpStatus,
        Manifestation,
        RiskFactor,
        RuleException,
    )

    clerk = Clerk(somebody(width=width, javascript=javascript), by_keys=javascript)
    at = f"/patients/{patient.public_id}/"
    day = today - 3 * ONE
    details = {"given_name": "Ida Maria", "subtype": "antisynthetase", "diagnosed_on": today - 90 * ONE}
    clerk.enters(f"{at}details/", details, "Save")
    patient.refresh_from_db()
    assert (patient.given_name, patient.subtype) == ("Ida Maria", "antisynthetase")
    for rest, boxes, button, model in (
        ("antibodies/", {"antibody": "jo-1", "result": "positive", "taken_on": day}, "Save the result", AntibodyResult),
        ("manifestations/", {"kind": "arthritis", "onset_on": day}, "Save the manifestation", Manifestation),
        ("risks/", {"kind": "diabetes", "starts_on": day}, "Save the risk factor", RiskFactor),
        (
            "exceptions/",
            {"rule": "ck-rising", "reason": "Her own normal", "ends_on": today + 30 * ONE}, "Make the exception",
            RuleException,
        ),
        (
            "enter/classification/",
            {"found_on": day, "weak_upper_proximal": "yes", "heliotrope": "no"}, "Save the items", ClassificationItems,
        ),
        ("consent/", {"scope": "research", "decision": "given", "decided_on": day}, "Save the decision", Consent),
        ("follow-up/", {"word": "discharged", "starts_on": day}, "Set the status", FollowUpStatus),
    ):  # fmt: skip
        clerk.enters(at + rest, boxes, button)
        assert current(model, patient).count() == 1, rest
    clerk.undoes()
    assert not current(FollowUpStatus, patient).exists()
    manifestation = current(Manifestation, patient).get()
    over = f"{at}entries/manifestation/{manifestation.pk}/"
    clerk.enters(over, {"ended_on": today}, "It is over", "section[aria-labelledby=end]")
    assert current(Manifestation, patient).get().ended_on == today
    clerk.done()


@pytest.mark.parametrize(("width", "javascript"), WAYS)
def test_what_is_given(
    width: int, javascript: bool, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    from monitoring.models import BodySize
    from tests.factories import fact
    from therapy.models import Course, CourseStop, Dose, Infusion, StockedTablet, TaperPlan

    fact(BodySize, patient, measured_on=today - 5 * ONE, weight_kg=D(70))
    clerk = Clerk(somebody(width=width, javascript=javascript), by_keys=javascript)
    at = f"/patients/{patient.public_id}/"
    if javascript:
        clerk.opens(f"{at}treatment/start/")
        clerk.tabs("() => document.activeElement.name === 'drug'", None)
        clerk.page.keyboard.type("prednisone")
        expect(clerk.page.get_by_role("button", name="Start Prednisone")).to_be_visible()
    else:
        clerk.opens(f"{at}treatment/start/?drug=prednisone")
    clerk.fills({"amount": "20", "starts_on": today - 30 * ONE}, "Start Prednisone")
    course = current(Course, patient).get()
    clerk.enters(
        f"{at}treatment/{course.pk}/dose/", {"amount": "17,5", "starts_on": today - 9 * ONE}, "Save the new dose"
    )
    assert current(Dose, patient).get(ends_on=None).amount == D("17.5")

    clerk.enters("/tablets/", {"prednisone": "1, 2.5, 5"}, "Save")
    assert StockedTablet.objects.filter(drug="prednisone").count() == 3
    steps = {"step_0_step_on": today, "step_0_dose_pe_mg": "15", "step_1_step_on": today + 14 * ONE}
    clerk.enters(f"{at}taper/plan/", {**steps, "step_1_dose_pe_mg": "12,5"}, "Save the plan")
    assert current(TaperPlan, patient).count() == 1
    clerk.enters(f"{at}treatment/{course.pk}/stop/", {"stopped_on": today, "reason": "toxicity"}, "Stop the drug")
    assert current(CourseStop, patient).count() == 1

    drip = fact(Course, patient, drug="rituximab", route="intravenous")
    given = {"given_on": today, "amount": "1000", "reaction": "none"}
    clerk.enters(f"{at}treatment/{drip.pk}/infusion/", given, "Record the infusion")
    assert current(Infusion, patient).get().amount == 1000
    clerk.done()


@pytest.mark.parametrize(("width", "javascript"), WAYS)
def test_exercise(
    width: int, javascript: bool, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    from therapy.models import PhysioPlan, PhysioSession

    clerk = Clerk(somebody("physiotherapist", width=width, javascript=javascript), by_keys=javascript)
    at = f"/patients/{patient.public_id}/physiotherapy/"
    clerk.enters(at, {"starts_on": today, "goal": "Stairs"}, "Save the plan")
    plan = current(PhysioPlan, patient).get()
    clerk.fills({"first_on": today, "every_days": "14", "count": "3"}, "Book", f"#book-{plan.pk}")
    days = list(current(PhysioSession, patient).order_by("held_on").values_list("held_on", flat=True))
    assert days == [today, today + 14 * ONE, today + 28 * ONE]
    clerk.presses(f"Attended: session of {today.day} {today:%b %Y}")
    expect(clerk.page.locator("#messages .notice-success")).to_contain_text("Attended")
    clerk.undoes()
    clerk.done()


@pytest.mark.parametrize(("width", "javascript"), WAYS)
def test_an_alert_through_its_life(
    width: int, javascript: bool, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    from alerts.models import Alert
    from tests.clinic.one_patient import alert as alert_of

    alert = alert_of(patient, "ck-rising", "ACTION", today)
    clerk = Clerk(somebody(width=width, javascript=javascript), by_keys=javascript)

    def state() -> str:
        return str(Alert.objects.get().state)

    clerk.enters(f"/alerts/{alert.public_id}/", {}, "Acknowledge", "#acknowledge")
    assert state() == "acknowledged"
    clerk.undoes()
    assert state() == "open"
    clerk.unfolds("#snooze")
    snooze = {"reason": "will_monitor", "until": today + 5 * ONE, "text": "Repeat it"}
    clerk.fills(snooze, "Snooze", "#snooze")
    assert state() == "snoozed"
    clerk.presses("End the snooze now")
    expect(clerk.page.get_by_role("button", name="End the snooze now")).to_have_count(0)
    assert state() == "open"
    clerk.unfolds("#comment")
    clerk.fills({"text": "Seen on the ward"}, "Save the comment", "#comment")
    clerk.unfolds("#close")
    clerk.fills({"reason": "acted", "text": "Dose raised"}, "Close", "#close")
    assert state() == "closed"
    clerk.done()


@pytest.mark.parametrize(("width", "javascript"), WAYS)
def test_a_file_and_the_row_it_could_not_place(
    width: int, javascript: bool, patient: Patient, tmp_path: Path, somebody: Callable[..., Person]
) -> None:
    from exchange.models import HeldRow
    from monitoring.models import Result
    from tests.exchange.files import csv_bytes

    file = tmp_path / "labs.csv"
    number = patient.record_number
    file.write_bytes(
        csv_bytes(
            {"result_id": "a1", "patient_number": number, "value": "200"},
            {"result_id": "a2", "patient_number": "unknown", "value": "210"},
            {"result_id": "a3", "patient_number": number, "value": "220", "taken": "someday"},
        )
    )
    clerk = Clerk(somebody(width=width, javascript=javascript), by_keys=javascript)
    clerk.opens("/exchange/upload/")
    clerk.puts("source", "Central laboratory", "main")
    clerk.puts("file", str(file), "main")
    clerk.presses("Preview")
    clerk.person.sees("Nothing has been written")
    clerk.presses("Commit all 3 rows")
    clerk.person.sees("Receipt")
    unknown, rejected = HeldRow.objects.order_by("row_number")
    clerk.enters(f"/exchange/quarantine/{unknown.public_id}/", {"patient_number": number}, "Place the row")
    held = f"/exchange/quarantine/{rejected.public_id}/"
    clerk.enters(held, {"discard-reason": "Sent again"}, "Discard the row", "section[aria-labelledby=discard]")
    assert sorted(Result.objects.values_list("value_received", flat=True)) == ["200", "210"]
    assert not HeldRow.objects.filter(resolution="").exists()
    clerk.done()


@pytest.mark.parametrize(("width", "javascript"), WAYS)
def test_two_records_of_one_person_and_bookings_for_several(
    width: int, javascript: bool, clinic: Centre, today: dt.date, somebody: Callable[..., Person]
) -> None:
    from monitoring.models import Booking
    from tests import factories

    clerk = Clerk(somebody("coordinator", width=width, javascript=javascript), by_keys=javascript)
    by = clerk.person.user
    one, other = (factories.patient(clinic, by, family_name="Sample", record_number=number) for number in ("A1", "A2"))
    ids = [str(each.public_id) for each in (one, other)]
    address = f"/patients/book/?patient={ids[0]}&patient={ids[1]}"
    clerk.enters(address, {"kinds": "visit", "booked_for": today + 30 * ONE}, "Book")
    assert Booking.objects.current().count() == 2
    address = f"/patients/{ids[0]}/second-record/{ids[1]}/"
    clerk.enters(address, {"keep": "other", "reason": "Registered again"}, "Make them one record")
    one.refresh_from_db()
    assert one.merged_into_id == other.pk
    clerk.fills({"reason": "Sisters"}, "Take it back: two records again")
    one.refresh_from_db()
    assert one.merged_into_id is None
    clerk.done()
