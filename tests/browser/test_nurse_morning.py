"""A nurse's morning: what is due, a panel, a visit with strength and questionnaire, and taking back what was wrong.

By the keyboard alone, at a desk and on a telephone; and with scripts switched off. Keys are counted. A time is the pace
of a trained typist for every key, and what the browser and the server took, measured.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.figures import figure

if TYPE_CHECKING:
    from accounts.models import Centre
    from patients.models import Patient
    from tests.browser.people import Person

pytestmark = pytest.mark.browser
AT_LAST = 30_000  # ms: the machine of a test may be busy
PACE = 0.2  # seconds a key: a trained typist on a block of digits
PANEL = {
    "ck": "480", "aldolase": "7", "ldh": "310", "ast": "41", "alt": "52", "ggt": "30", "creatinine": "61", "egfr": "95",
    "haemoglobin": "131", "wbc": "7.2", "neutrophils": "5.1", "lymphocytes": "1.3",
}  # fmt: skip
GRADES = "+99++889+++99++"  # + is a 10 of one key
WIDTHS = [1440, 390]


class Hands:
    """Ten fingers on the keyboard of somebody's page, and no mouse."""

    def __init__(self, person: Person) -> None:
        self.page = person.page
        self.digits = self.others = 0
        self.begun = time.monotonic()
        self.page.evaluate(
            """() => { window.clicks = 0;
                 addEventListener("pointerdown", () => { window.clicks += 1; }, true); }"""
        )

    def type(self, text: str) -> None:
        """Digits, with the points between them."""
        self.digits += len(text)
        self.page.keyboard.type(text)

    def press(self, key: str) -> None:
        self.others += 1
        self.page.keyboard.press(key)

    def to(self, name: str, most: int = 40) -> None:
        """By Tab to the box of this name."""
        for _ in range(most):
            if self.where() == name:
                return
            self.press("Tab")
        raise AssertionError(f"Tab does not lead to {name}, but to {self.where()}")

    def where(self) -> str:
        return str(self.page.evaluate("document.activeElement.name || ''"))

    def date(self, day: dt.date) -> None:
        """Into a box for days, in the order of this browser."""
        name = self.where()
        for order in ("%d%m%Y", "%m%d%Y"):
            self.page.keyboard.type(day.strftime(order))
            if self.page.input_value(f"[name={name}]") == day.isoformat():
                break
            self.page.evaluate("document.activeElement.blur()")
            self.page.fill(f"[name={name}]", "")
            self.page.focus(f"[name={name}]")
        assert self.page.input_value(f"[name={name}]") == day.isoformat()
        self.digits += 8

    def seconds(self) -> float:
        """The pace for every key, and what the pages took."""
        return (self.digits + self.others) * PACE + time.monotonic() - self.begun

    def never_clicked(self) -> bool:
        return bool(self.page.evaluate("window.clicks === 0"))


@pytest.fixture
def patient(clinic: Centre, today: dt.date) -> Patient:
    """Treated for half a year, with a baseline to compare with; blood and a visit are due."""
    from alerts.models import Upcoming
    from tests import factories
    from tests.clinic.one_patient import full

    someone = full(clinic, factories.person(clinic), today, many=80, family_name="Vestergaard", given_name="Ida")
    assert Upcoming.objects.filter(patient=someone).exists()
    return someone


def saved_today(patient: Patient) -> dict[str, Any]:
    from monitoring.models import Result

    mine = Result.objects.current().filter(patient=patient, recorded_by__memberships__role="nurse")
    return {row.analyte: row for row in mine}


@pytest.mark.parametrize("width", WIDTHS)
def test_a_panel_of_twelve_is_typed_in_half_a_minute_and_taken_back(
    width: int, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    """At most 26 keys beside the digits, 25 seconds at a trained pace, no click."""
    nurse = somebody("nurse", width=width)
    nurse.is_signed_in()
    nurse.opens("/worklist/due/")
    nurse.sees("Vestergaard")
    nurse.tabs_to("Vestergaard, Ida")
    nurse.page.keyboard.press("Enter")
    nurse.sees("Vestergaard", "Weight")
    nurse.tabs_to("Enter results")
    nurse.page.keyboard.press("Enter")
    expect(nurse.page.locator("#id_taken_on")).to_be_focused(timeout=AT_LAST)
    previous = nurse.page.locator("tr.line:has(#id_ck) .line-previous")
    expect(previous).to_contain_text("U/L")
    nurse.page.wait_for_load_state("networkidle")

    hands = Hands(nurse)
    hands.date(today)
    hands.press("Enter")  # from the day to the first value
    assert hands.where() == "ck"
    for number, (code, value) in enumerate(PANEL.items()):
        assert hands.where() == code
        hands.type(value)
        last = number == len(PANEL) - 1
        assert not last or hands.never_clicked()
        hands.press("Enter" if last else "Tab")
    expect(nurse.page.locator("#messages")).to_contain_text("12 results saved.", timeout=AT_LAST)
    took = hands.seconds()
    assert {code: row.value_received for code, row in saved_today(patient).items()} == PANEL
    assert {row.taken_on for row in saved_today(patient).values()} == {today}
    figure(f"Panel of 12 at {width} px: keys beside the digits", f"{hands.others} (26 at most)")
    figure(f"Panel of 12 at {width} px: digits and points", hands.digits)
    figure(f"Panel of 12 at {width} px: time at {PACE * 1000:.0f} ms a key", f"{took:.1f} s (25 s at most)")
    assert hands.others <= 26
    assert took <= 25

    ck = saved_today(patient)["ck"]
    nurse.tabs_to("Undo")
    nurse.page.keyboard.press("Enter")
    nurse.is_told("Undone. What was recorded is withdrawn.")
    assert saved_today(patient) == {}
    nurse.opens_patient(patient, f"entries/result/{ck.pk}/")
    nurse.sees("Withdrawn", "480")
    clinician = somebody("clinician", width=width)
    clinician.is_signed_in()
    clinician.opens_patient(patient, "trail/")
    clinician.sees("monitoring.record_panel", "monitoring.undo", nurse.user.full_name)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_far_from_before_is_asked_about_on_leaving_the_box(
    width: int, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    nurse = somebody("nurse", width=width)
    nurse.is_signed_in()
    nurse.opens_patient(patient, "enter/results/")
    nurse.page.wait_for_load_state("networkidle")
    hands = Hands(nurse)
    hands.date(today)
    hands.press("Enter")
    hands.type("15")  # the last was 60 times as high
    hands.press("Tab")
    note = nurse.page.locator("#note-ck")
    expect(note).to_contain_text("times less than the last value", timeout=AT_LAST)
    expect(note).to_contain_text("In µkat/L it would be near it: is the unit right?")
    hands.press("ArrowUp")
    hands.press("ArrowRight")
    assert hands.where() == "ck_unit"
    for _ in range(3):
        hands.press("ArrowDown")
    expect(nurse.page.locator("#id_ck_unit")).to_have_value("ukat/L")
    hands.press("Tab")
    expect(note).to_contain_text("= 900 U/L", timeout=AT_LAST)
    expect(note).not_to_contain_text("times less")
    # Never measured before: the lines below follow, the unit is chosen once.
    assert nurse.page.input_value("#id_aldolase_unit") == "ukat/L"
    # A known test keeps its own.
    assert nurse.page.input_value("#id_alt_unit") == "U/L"
    nurse.page.focus("#id_crp")
    hands.type("9999")
    hands.press("Tab")
    expect(nurse.page.locator("#note-crp")).to_contain_text("CRP cannot be 9999 mg/L", timeout=AT_LAST)
    assert hands.never_clicked()


def paste(person: Person, text: str) -> None:
    person.page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            document.activeElement.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        text,
    )


def test_a_table_copied_from_a_spreadsheet_finds_its_lines(patient: Patient, somebody: Callable[..., Person]) -> None:
    nurse = somebody("nurse")
    nurse.is_signed_in()
    nurse.opens_patient(patient, "enter/results/")
    nurse.page.focus("#id_ck")
    paste(
        nurse,
        "Test\tResult\tUnit\r\nGPT (ALAT)\t\t\r\nALAT\t0.9\tµkat/L\r\nCreatine kinase\t480\tU/l\r\nHGB\t13.1\tg/dL\r\n"
        "Sodium\t140\tmmol/L\r\nIgG\t9.2\tg/L\r\nHBsAg\tNegative\t\r\nLDH\t310\tbananas\r\n",
    )
    values = {
        name: nurse.page.input_value(f"#id_{name}") for name in ("ck", "alt", "haemoglobin", "igg", "hbsag", "ldh")
    }
    assert values == {"ck": "480", "alt": "0.9", "haemoglobin": "13.1", "igg": "9.2", "hbsag": "negative", "ldh": "310"}
    units = {name: nurse.page.input_value(f"#id_{name}_unit") for name in ("ck", "alt", "haemoglobin", "igg")}
    assert units == {"ck": "U/L", "alt": "ukat/L", "haemoglobin": "g/dL", "igg": "g/L"}
    nurse.sees("6 values pasted.", "Not taken over, please look: Sodium, LDH (bananas).")
    expect(nurse.page.locator("#id_igg")).to_be_visible()  # in a part that was folded
    expect(nurse.page.locator("#note-haemoglobin")).to_contain_text("= 131 g/L", timeout=AT_LAST)


def test_a_row_of_names_finds_its_lines_and_several_days_are_refused_as_a_whole(
    patient: Patient, somebody: Callable[..., Person]
) -> None:
    nurse = somebody("nurse")
    nurse.is_signed_in()
    nurse.opens_patient(patient, "enter/results/")
    nurse.page.focus("#id_ck")
    wide = "Date\tCK\tALAT\tHGB\tSodium\r\n\tU/l\tµkat/L\tg/dL\tmmol/L\r\n"
    first, second = "2025-06-01\t480\t0,9\t13.1\t140\r\n", "2025-05-01\t500\t1.1\t12.9\t139\r\n"
    paste(nurse, wide + first + second)
    nurse.sees("A table with several days, or with none: nothing was taken over.")
    paste(nurse, "Test\t1.6.2025\t1.5.2025\r\nCK\t480\t500\r\nALAT\t40\t50\r\n")
    nurse.sees("A table with several days: nothing was taken over.")
    boxes = ("ck", "alt", "haemoglobin")
    assert [nurse.page.input_value(f"#id_{code}") for code in boxes] == ["", "", ""]
    paste(nurse, wide + first)
    assert [nurse.page.input_value(f"#id_{code}") for code in boxes] == ["480", "0,9", "13.1"]
    assert [nurse.page.input_value(f"#id_{code}_unit") for code in boxes] == ["U/L", "ukat/L", "g/dL"]
    nurse.sees("3 values pasted.", "Not taken over, please look: Date, Sodium.")


@pytest.mark.parametrize(("rest", "day", "first"), [
    ("results", "taken_on", "ck"), ("assessment", "assessed_on", "physician_vas"),
    ("strength", "assessed_on", "mmt8_neck_flexors_axial"),
])  # fmt: skip
def test_enter_leads_from_the_day_to_the_first_value_and_asks_for_a_day_that_is_missing(
    rest: str, day: str, first: str, patient: Patient, somebody: Callable[..., Person]
) -> None:
    nurse = somebody("nurse", width=390)
    nurse.is_signed_in()
    nurse.opens_patient(patient, f"enter/{rest}/")
    nurse.page.wait_for_load_state("networkidle")
    hands = Hands(nurse)
    assert hands.where() == day
    hands.press("Backspace")  # the month alone: half a day is none
    hands.press("Enter")
    nurse.sees("The day is missing: day, month and year.")
    assert hands.where() == day
    hands.date(dt.date(2025, 6, 1))
    nurse.does_not_see("The day is missing")
    hands.press("Enter")
    assert hands.where() == first
    assert hands.never_clicked()


@pytest.mark.parametrize("width", WIDTHS)
def test_that_the_server_is_away_is_said_where_one_saves(
    width: int, patient: Patient, somebody: Callable[..., Person]
) -> None:
    nurse = somebody("nurse", width=width)
    nurse.is_signed_in()
    nurse.opens_patient(patient, "enter/results/")
    nurse.page.wait_for_load_state("networkidle")
    hands = Hands(nurse)
    hands.press("Enter")
    hands.type("480")
    nurse.page.context.set_offline(True)
    hands.press("Enter")
    told = nurse.page.locator("[data-unreachable]")
    expect(told).to_be_in_viewport(timeout=AT_LAST)
    save = nurse.page.get_by_role("button", name="Save the results")
    expect(save).to_be_in_viewport()
    apart = save.bounding_box()["y"] - told.bounding_box()["y"] - told.bounding_box()["height"]  # type: ignore[index]
    assert 0 <= apart <= 16
    expect(told.get_by_role("button", name="Try again")).to_be_focused()
    nurse.page.context.set_offline(False)
    hands.press("Enter")
    nurse.is_told("1 result saved.")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_visit_by_keys_with_the_improvement_beside_it(
    width: int, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    """Three scales, strength in a minute, twenty answers; what each measure gives the score, or which is missing."""
    from monitoring.models import Assessment, MuscleGrade

    earlier = Assessment.objects.filter(patient=patient).latest("assessed_on")
    MuscleGrade.objects.create(assessment=earlier, muscle="deltoid", side="right", grade=7)
    nurse = somebody("nurse", width=width)
    nurse.is_signed_in()
    nurse.opens_patient(patient, "enter/assessment/")
    nurse.page.wait_for_load_state("networkidle")
    nurse.sees("last 1.8 on")
    preview = nurse.page.locator("#preview")
    hands = Hands(nurse)
    hands.to("physician_vas")
    for value in ("1.5", "2.5", "0.5"):
        hands.type(value)
        hands.press("Tab")
    expect(preview).to_contain_text("Missing:", timeout=AT_LAST)
    expect(preview).to_contain_text("MMT8")

    strength = Hands(nurse)
    strength.to("mmt8_neck_flexors_axial")
    for key in GRADES:
        strength.press(key) if key == "+" else strength.type(key)
    expect(preview).to_contain_text("141/150", timeout=AT_LAST)
    figure(f"MMT8 at {width} px: keys", strength.digits + strength.others)
    figure(f"MMT8 at {width} px: time at {PACE * 1000:.0f} ms a key", f"{strength.seconds():.1f} s (60 s at most)")
    assert strength.seconds() <= 60

    questions = Hands(nurse)
    questions.to("haq_dress")
    questions.type("01" + "0" * 18)
    expect(preview).to_contain_text("0.125", timeout=AT_LAST)
    for measure in ("Physician VAS", "Patient VAS", "MMT8", "HAQ-DI", "Muscle enzyme (CK)", "Extramuscular VAS"):
        expect(preview).to_contain_text(measure)
    expect(preview).to_contain_text("major response")
    assert hands.never_clicked()
    questions.press("Enter")
    expect(nurse.page.locator("#messages")).to_contain_text("Assessment saved.", timeout=AT_LAST)
    figure(f"HAQ-DI at {width} px: keys", questions.digits + questions.others)
    saved = Assessment.objects.current().get(patient=patient, assessed_on=today)
    assert (saved.mmt8_150, saved.physician_vas, saved.haq_di) == (141, Decimal("1.5"), Decimal("0.125"))


def test_the_arrows_lead_over_the_body_and_ten_is_one_key(patient: Patient, somebody: Callable[..., Person]) -> None:
    nurse = somebody("physiotherapist")
    nurse.is_signed_in()
    nurse.opens_patient(patient, "enter/strength/")
    nurse.page.focus("#id_mmt8_neck_flexors_axial")
    hands = Hands(nurse)
    walked = []
    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp"):
        hands.press(key)
        walked.append(hands.where().removeprefix("mmt8_"))
    assert walked == [
        "deltoid_right",
        "deltoid_left",
        "biceps_left",
        "biceps_right",
        "deltoid_right",
        "neck_flexors_axial",
    ]
    # 9, 10 by one key, 10 by two, 1 and then 7, 10 by another key.
    for key in "9+1017x":
        hands.press(key)
    cells = (
        "neck_flexors_axial",
        "deltoid_right",
        "deltoid_left",
        "biceps_right",
        "biceps_left",
        "wrist_extensors_right",
    )
    assert [nurse.page.input_value(f"#id_mmt8_{cell}") for cell in cells] == ["9", "10", "10", "1", "7", "10"]
    assert hands.where() == "mmt8_wrist_extensors_left"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_same_morning_without_scripts(
    width: int, patient: Patient, today: dt.date, somebody: Callable[..., Person]
) -> None:
    """Slower, and nothing is missing: what is unusual is asked about on saving, and everything typed is kept."""
    from monitoring.models import Assessment

    nurse = somebody("nurse", javascript=False, width=width)
    nurse.is_signed_in()
    nurse.opens_patient(patient, "enter/results/")
    nurse.types("Day of the sample", today.isoformat())
    for code, value in (PANEL | {"ck": "15"}).items():
        nurse.page.fill(f"#id_{code}", value)
    nurse.presses("Save the results")
    nurse.sees("Not saved yet: please check", "In µkat/L it would be near it")
    assert nurse.page.input_value("#id_lymphocytes") == "1.3"
    nurse.page.select_option("#id_ck_unit", "ukat/L")
    nurse.page.fill("#id_ck_uln", "3.2")
    nurse.presses("Save the results")
    nurse.is_told("12 results saved.")
    assert saved_today(patient)["ck"].value == 900
    nurse.presses("Undo")
    nurse.is_told("Undone. What was recorded is withdrawn.")
    assert saved_today(patient) == {}

    nurse.opens_patient(patient, "enter/assessment/")
    for label, value in (("Physician global", "1.5"), ("Patient global", "2.5"), ("Extramuscular", "0.5")):
        nurse.types(label, value)
    for box in nurse.page.locator("[data-cell]").all():
        box.fill("9")
    for item in nurse.page.locator("[data-item]").all():
        item.locator("input[value='0']").check()
    nurse.page.get_by_label("Cane").check()
    nurse.presses("Save the assessment")
    nurse.is_told("Assessment saved.")
    saved = Assessment.objects.current().get(patient=patient, assessed_on=today)
    assert (saved.mmt8_150, saved.haq_di) == (135, Decimal("0.250"))  # a cane lifts walking from 0 to 2
    nurse.opens_patient(patient, "enter/assessment/")
    nurse.sees("Improvement (TIS)", "Muscle enzyme (CK)", "major response", within="#preview")
