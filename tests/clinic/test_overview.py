"""The overview: every number of it is the list that its link opens, of today and of the past."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from fractions import Fraction
from html import unescape

import pytest

from accounts.models import Role
from alerts.actions import life
from alerts.models import AlertEvent, EventKind, Reason
from alerts.selectors import rule_statistics
from clinic import actions, runchart
from clinic.models import Figures
from clinic.selectors import history, remission
from clinic.selectors.figures import lacking, months_to, weeks_of_burden
from monitoring.models import Assessment
from patients.models import Patient, Subtype
from tests import factories
from tests.clinic import findings
from tests.clinic.test_lists import result, status, steroid
from tests.clinic.test_worklist import count
from tests.factories import AS_OF, NOW, fact

DAY = dt.timedelta(days=1)


def assessed(patient: Patient, days: int, cm: str) -> None:
    fact(Assessment, patient, assessed_on=AS_OF + days * DAY, physician_vas=Decimal(cm))


@pytest.fixture
def people(clinic, clinician):
    """Two years of a small clinic: some quiet, some not, one who left, and alerts that people dealt with."""
    colleague = factories.person(clinic, full_name="Dr Abara")
    made = []
    for number in range(12):
        patient = findings.someone(
            clinic,
            clinician,
            subtype=[Subtype.DERMATOMYOSITIS, Subtype.NECROTISING, Subtype.INCLUSION_BODY][number % 3],
        )
        Patient.objects.filter(pk=patient.pk).update(clinician=[clinician, colleague, None][number % 3 - (number == 3)])
        for days in range(-700, 0, 90):
            assessed(patient, days, "0.4" if number % 2 else "4")
        steroid(patient, ["20", "7.5", "5", "2.5"][number % 4], days=-400, until=None if number % 5 else -60)
        made.append(patient)
    status(made[11], "discharged", days=-100)
    assessed(made[1], -3, "6")  # quiet no longer
    findings.someone(clinic, clinician, subtype=Subtype.DERMATOMYOSITIS)  # nobody has assessed
    for number, patient in enumerate(made):
        for days in (-20, -300 - number):
            opened_at = NOW + days * DAY
            alert = findings.alert(
                patient, "ACTION", subject=f"plan:{-days}", due_on=(opened_at + 5 * DAY).date(), opened_at=opened_at
            )
            later = {"by": clinician, "now": opened_at + 6 * DAY}
            if number % 3 == 0:
                life.close(alert=alert, reason=Reason.ALREADY_KNOWN, text="", **later)
            elif number % 3 == 1:
                life.acknowledge(alert=alert, reason="", text="", **later)
    findings.alert(made[0], "URGENT", opened_at=NOW - dt.timedelta(hours=2))
    findings.alert(made[2], "TASK", audience=Role.NURSE, due_on=AS_OF - 2 * DAY)
    findings.coming(made[3], 3)
    findings.unjudged(made[4])
    for days in (0, -6, -7, -80, -100):
        result(made[5], AS_OF + days * DAY)
    result(made[6], AS_OF)
    return made


def test_every_number_of_the_overview_is_the_count_of_the_list_it_opens(people, clinic, clinician, signed_in) -> None:
    actions.work_out_figures(centre=clinic, now=NOW)
    client = signed_in(clinician)
    page = client.get("/overview/").content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    links = [(href, number) for href, number in re.findall(r'<a href="([^"]+)">(\d+)</a>', main)]
    for href, block in re.findall(r'<a class="stat" href="([^"]+)">(.*?)</a>', main):
        links.append((href, re.search(r'stat-value">(\d+)<', block)[1]))
    assert len(links) > 200  # stats, subtypes, roles, 24 months of four charts, clinicians, weeks
    assert sum(number != "0" for _, number in links) > 100
    wrong = {
        unescape(href): (number, found)
        for href, number in dict.fromkeys(links)
        if (found := count(client.get(unescape(href)).content.decode())) != int(number)
    }
    assert wrong == {}
    # No number stands there without its list: what else has digits are shares, days, the median and the words of bands.
    loose = re.sub(r"<svg.*?</svg>|<a .*?</a>|<summary.*?</summary>|<time.*?</time>", "", main, flags=re.DOTALL)
    bare = re.findall(r'<td class="num"[^>]*>\s*(\d+)\s*<', loose)
    assert bare == []


def test_the_numbers_of_today_by_hand(people, clinic, clinician, signed_in) -> None:
    page = signed_in(clinician).get("/overview/").content.decode()
    stats = {
        label: int(value)
        for label, value in re.findall(r'stat-label">([^<]+)</span><span class="stat-value">(\d+)', page)
    }
    assert stats == {
        "Under follow-up": 12,
        # The odd ones but for the one who left (11), the one who is not quiet any more (1), and inclusion body (5).
        "In remission": 3,
        "Of these, without glucocorticoid": 0,
        "On more than 7.5 mg": 2,  # 4 and 8; 0 stopped
        "Urgent, open": 1, "Alerts open": 10, "Overdue": 17, "Due in 14 days": 1, "No next visit booked": 12,
        "Not assessed in 12 months": 1, "Missing physiotherapy": 18, "Cannot be judged": 1,
    }  # fmt: skip
    assert "Inclusion body myositis is not counted." in page
    assert "too few were assessed for a percentage" in page


def test_a_large_clinic_is_counted_once_a_night_and_the_page_says_so(
    people, clinic, clinician, signed_in, monkeypatch
) -> None:
    live = signed_in(clinician).get("/overview/").content.decode()
    monkeypatch.setattr("clinic.selectors.overview.LARGE", 5)
    assert "So many patients" not in signed_in(clinician).get("/overview/").content.decode()  # not yet
    actions.work_out_figures(centre=clinic, now=NOW)
    page = signed_in(clinician).get("/overview/").content.decode()
    assert "remission, doses and what of each subtype is overdue are as of 15 Jun 2025" in page
    stats = r'stat-label">([^<]+)</span><span class="stat-value">(\d+)'
    assert re.findall(stats, page) == re.findall(stats, live)


@pytest.mark.parametrize(
    "other",
    [
        {"months": [{"on": "2025-06-15"}]},
        {"weeks": [{"starts_on": "2025-06-09", "patients": 1, "opened": 1, "closed": 1, "reopened": 1}]},
        {"burden": {"clinicians": [], "roles": {}, "patients": []}},
        {"burden": []},
    ],
)
def test_figures_that_another_version_kept_are_not_there_until_they_are_counted_anew(
    clinic, clinician, signed_in, other
) -> None:
    actions.work_out_figures(centre=clinic, now=NOW)
    assert clinic not in lacking(NOW)
    Figures.objects.filter(centre=clinic).update(**other)
    page = signed_in(clinician).get("/overview/")
    assert page.status_code == 200
    assert "Numbers over time come with the next night." in page.content.decode()
    assert clinic in lacking(NOW)
    actions.work_out_figures(centre=clinic, now=NOW)
    assert "Alerts by who follows the patient" in signed_in(clinician).get("/overview/").content.decode()


def test_without_figures_the_page_says_when_they_come(clinic, clinician, signed_in) -> None:
    page = signed_in(clinician).get("/overview/").content.decode()
    assert "Numbers over time come with the next night." in page
    assert "Nobody is under follow-up" in page


def test_figures_are_worked_out_once_a_day_after_the_check(clinic) -> None:
    early = NOW.astimezone(clinic.zone).replace(hour=0, minute=30)
    assert clinic in lacking(early)  # a centre without any does not wait for its night
    actions.work_out_figures(centre=clinic, now=early - DAY)
    assert clinic not in lacking(early)
    assert clinic in lacking(NOW)
    actions.work_out_figures(centre=clinic, now=NOW)
    assert clinic not in lacking(NOW)
    assert Figures.objects.get(centre=clinic).as_of == AS_OF


def test_the_months_end_where_the_calendar_ends_them() -> None:
    months = months_to(dt.date(2024, 3, 15))
    assert len(months) == 24
    assert months[-2:] == [(dt.date(2024, 2, 1), dt.date(2024, 2, 29)), (dt.date(2024, 3, 1), dt.date(2024, 3, 15))]
    assert months[0] == (dt.date(2022, 4, 1), dt.date(2022, 4, 30))
    assert weeks_of_burden(dt.date(2025, 6, 15)) == (dt.date(2025, 3, 17), dt.date(2025, 6, 8))  # a Sunday not over
    assert weeks_of_burden(dt.date(2025, 6, 16)) == (dt.date(2025, 3, 24), dt.date(2025, 6, 15))


def test_a_month_of_the_past_is_judged_by_what_was_so_then(people, clinic) -> None:
    status(people[3], "dead", days=-40)  # until then they count
    months = {month["on"]: month for month in actions.work_out_figures(centre=clinic, now=NOW).months}
    assert months["2025-04-30"]["remission"] == months["2025-06-15"]["remission"] + 2  # 3 had not died, 1 was quiet
    assert months["2025-03-31"]["above"] == months["2025-04-30"]["above"] + 1  # 0 had not stopped
    assert months["2025-05-31"]["overdue"] == 8
    assert months["2025-06-15"]["overdue"] == 17


def test_the_same_outcome_as_the_statistics_of_the_rules(people, clinic, clinician) -> None:
    """One definition in SQL for lists, one in Python for rules: they agree, undone steps included."""
    undone = findings.alert(people[0], subject="plan:9", opened_at=NOW - DAY)
    life.close(alert=undone, reason=Reason.DATA_WRONG, text="", by=clinician, now=NOW)
    undone.refresh_from_db()
    life.reopen(alert=undone, by=clinician, now=NOW)
    since = NOW - 400 * DAY
    numbers = next(n for n in rule_statistics(clinic, since) if n.rule == "physio-missed")
    found = {
        outcome: history.history(
            clinic, history.HistoryFilters(state="all", outcome=outcome, opened_from=since.date())
        ).count()
        for outcome in ("acted", "overridden", "untouched", "touched")
    }
    assert (found["acted"], found["overridden"]) == (numbers.acted, numbers.overridden)
    assert found["touched"] == numbers.acted + numbers.overridden
    assert sum(found.values()) - found["touched"] == numbers.fired


# -------------------------------------------------------------------------------------------------------------- history


def test_what_was_closed_is_listed_with_what_became_of_it(clinic, clinician, signed_in) -> None:
    by_hand, by_itself, still = (
        findings.alert(findings.someone(clinic, clinician, family_name=name)) for name in "ABC"
    )
    life.close(alert=by_hand, reason=Reason.PATIENT_DECLINED, text="", by=clinician, now=NOW)
    by_itself.__class__.objects.filter(pk=by_itself.pk).update(state="closed", closed_at=NOW - DAY)
    AlertEvent.objects.create(alert=by_itself, kind=EventKind.CLOSED, at=NOW - DAY, level="TASK")
    client = signed_in(clinician)
    page = client.get("/worklist/history/").content.decode()
    rows = re.findall(r'<tr class="list-row">.*?</tr>', page, re.DOTALL)
    assert [re.search(r'row-title" href="/patients[^>]+>(\w)', row)[1] for row in rows] == ["A", "B"]
    for part in ("Overridden", "The patient declined.", "First step after 2 days", "Closed by Dr Okafor"):
        assert part in rows[0]
    for part in ("Not touched", "No longer found"):
        assert part in rows[1]
    assert count(client.get("/worklist/history/?state=all").content.decode()) == 3
    assert count(client.get(f"/worklist/history/?closed_to={AS_OF - DAY}").content.decode()) == 1
    assert str(still.public_id) not in page


def test_the_history_of_another_centre_is_not_there(clinic, clinician, signed_in) -> None:
    elsewhere = factories.centre()
    theirs = findings.someone(elsewhere, factories.person(elsewhere), family_name="Elsewhere")
    findings.alert(theirs, state="closed", closed_at=NOW)
    page = signed_in(clinician).get("/worklist/history/").content.decode()
    assert count(page) == 0
    assert "Elsewhere" not in page


# ----------------------------------------------------------------------------------------------------------- run charts


def points(text: str) -> list[Fraction | None]:
    return [None if word == "-" else Fraction(word) for word in text.split()]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("5 5 5 5 5 5 5 5 5 5 5 5", []),
        ("9 1 9 1 9 1 9 1 9 1 9 1", []),
        ("1 2 1 2 1 9 8 9 8 9", []),  # five on one side
        ("1 2 1 2 1 2 9 8 9 8 9 8", ["below 0-5", "above 6-11"]),
        ("1 1 1 1 1 5 9 9 9 9 9", []),  # five on each side
        ("1 2 1 - 2 1 2 9 8 9 8 9 8", ["below 0-6", "above 7-12"]),  # a month without a value ends nothing
        ("5 1 2 3 4 9 1 9 1 9", ["rising 1-5"]),
        ("5 1 2 3 9 1 9 1 9 1", []),  # four rise
        ("9 8 8 7 6 5 9 5 9 5 9", ["falling 0-5"]),  # an equal point is passed over
        ("1 2 3 4 5 6 7 8 9", []),  # nine points are not judged
    ],
)
def test_signals_of_a_run_chart(values, expected) -> None:
    found = [f"{s.kind} {s.first}-{s.last}" for s in runchart.signals(points(values))]
    assert found == expected


def test_the_median_leaves_out_what_is_not_known() -> None:
    assert runchart.middle(points("1 - 3 10")) == 3
    assert runchart.middle(points("- -")) is None


def test_the_definition_of_remission_is_said_with_its_numbers() -> None:
    assert "at most 0.5 of 10 cm" in remission.definition()
