"""Pictures of every page of a running clinic, for the README and docs/pages.md, which is written with them.

    make run                                     in one terminal
    make screenshots                             in another
    .venv/bin/python docs/screenshots.py --base http://localhost:9000 --only worklist --only alert

Signs in with the demo logins (.local/demo-logins.txt), or with --user and --password, and saves every page twice into
docs/screenshots/: <page>-desk.png at 1440x900 and <page>-phone.png at 390x844. Needs the system's Chromium.

Only of a demo clinic: the pictures go into the repository. A test names the pages that have none.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import TimeoutError as TookTooLong

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
LOGINS = ROOT / ".local" / "demo-logins.txt"
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
PAGES = ROOT / "docs" / "pages.md"
COLOURS = 64  # of a picture: pages are flat, and more only make files larger


class NotFound(Exception):
    """A page could not be reached; the text says where the way ended."""


@dataclass(frozen=True)
class Shot:
    name: str
    role: str  # as in the demo logins
    route: str  # the name of the page, by which a test knows that every page has its picture
    title: str
    says: str  # what the page is for, to somebody who has never seen it
    go: Callable[[Page], None]
    dark: bool = False


def visit(page: Page, address: str) -> None:
    response = page.goto(address)
    if response is None or not response.ok:
        raise NotFound(f"{address} answers {response.status if response else 'nothing'}")


def follow(page: Page, selector: str, words: str = "") -> None:
    """Go where the first link with exactly these words leads (a count may follow), be it in a closed menu or not."""
    exact = re.compile(rf"^\s*{re.escape(words)}\s*\d*\s*$")
    links = page.locator(selector, has_text=exact) if words else page.locator(selector)
    if links.count() == 0:
        raise NotFound(f"no link {words or selector!r} on {page.title()!r}")
    visit(page, links.first.get_attribute("href") or "")


def at(address: str) -> Callable[[Page], None]:
    return lambda page: visit(page, address)


def list_of(rule: str) -> Callable[[Page], None]:
    return lambda page: visit(page, f"/worklist/?role=all&state=open&rule={rule}")


def alert_of(rule: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        list_of(rule)(page)
        follow(page, "table a[href*='/alerts/']")

    return go


def patient(rest: str = "", rule: str = "ck-rising", link: str = "") -> Callable[[Page], None]:
    """A page of somebody whom this rule has found: its address below the patient's, or a link of that page."""

    def go(page: Page) -> None:
        list_of(rule)(page)
        links = page.locator("main a[href*='/patients/']")
        if links.count() == 0:
            raise NotFound(f"nobody on the list of {rule}")
        found = re.match(r"(/patients/[0-9a-f-]{36}/)", links.first.get_attribute("href") or "")
        if found is None:
            raise NotFound(f"no patient on the list of {rule}")
        visit(page, found[1] + rest)
        if link:
            follow(page, link)

    return go


def link_on(address: str, selector: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        visit(page, address)
        follow(page, selector)

    return go


def searched(page: Page) -> None:
    visit(page, "/worklist/")
    page.locator("#search").press_sequentially("an")
    page.locator("#search-found a").first.wait_for()


def keys(page: Page) -> None:
    visit(page, "/worklist/")
    page.keyboard.press("?")


STEP = "main a[href*='/doses/'], main a[href$='/dose/']"
# (heading, pictures); in the order in which somebody new would want to meet them.
GROUPS: tuple[tuple[str, tuple[Shot, ...]], ...] = (
    (
        "Coming in",
        (
            Shot("login", "", "account_login", "Signing in", "With e-mail and password, or with a passkey.", at("/login/login/")),
            Shot("password", "", "account_reset_password", "A forgotten password", "Asks for a link to set a new one.", at("/login/password/reset/")),
        ),
    ),
    (
        "What waits",
        (
            Shot("worklist", "Clinician", "clinic:worklist", "Worklist", "Who needs attention today, the most urgent first, each with one line of reason; acknowledged here, one by one or several at once.", at("/worklist/")),
            Shot("worklist-dark", "Clinician", "clinic:worklist", "Worklist in the dark", "The same page where the room is dark.", at("/worklist/"), dark=True),
            Shot("keys", "Clinician", "clinic:worklist", "Keys", "What `?` shows on every page: the keys that do something here.", keys),
            Shot("search", "Clinician", "clinic:patients", "Search", "Anybody is found from any page by the beginning of a name or number.", searched),
            Shot("alert", "Clinician", "clinic:alert", "One alert", "What was found, by which numbers and sources, what was not considered, and what was done about it.", alert_of("ck-rising")),
            Shot("due", "Clinician", "clinic:due", "Due soon", "Tests, doses and visits of the next two weeks, before they are late.", at("/worklist/due/")),
            Shot("unjudged", "Clinician", "clinic:unjudged", "Cannot be judged", "For whom a rule could not answer, and which fact is missing.", at("/worklist/unjudged/")),
            Shot("history", "Clinician", "clinic:history", "Closed alerts", "What was found before, how it ended, and who said so.", at("/worklist/history/")),
            Shot("overview", "Clinician", "clinic:overview", "Clinic overview", "The clinic in numbers: remission, steroid, overdue, by subtype and by month; every number opens the list behind it.", at("/overview/")),
        ),
    ),
    (
        "One patient",
        (
            Shot("patient", "Clinician", "clinic:patient", "Patient", "Who this is, what matters, what waits, and the course of disease and treatment on one time axis.", patient()),
            Shot("patient-dark", "Clinician", "clinic:patient", "Patient in the dark", "The same page where the room is dark.", patient(), dark=True),
            Shot("story", "Clinician", "clinic:patient-history", "What happened", "Visits, changes and decisions of one patient, the newest first.", patient("history/")),
            Shot("results", "Clinician", "clinic:results", "All results", "Every result by test and date, with what is out of range and by how much.", patient("results/")),
            Shot("compare", "Clinician", "clinic:compare", "Two dates compared", "What changed between two visits, side by side.", patient("compare/")),
            Shot("responses", "Clinician", "clinic:responses", "Response to treatment", "The improvement score of each visit, with what each of the six measures gave.", patient("responses/", "core-set-incomplete")),
            Shot("classification", "Clinician", "clinic:classification", "Classification", "The probability of myositis by the items found, and what each item adds.", patient("classification/")),
            Shot("cancer", "Clinician", "clinic:cancer", "Cancer screening", "Which screening this patient's risk asks for, what was done, and what is due.", patient("cancer-screening/")),
            Shot("letter", "Clinician", "clinic:letter", "Letter", "A letter to the family doctor, written from the record and edited before it is printed.", patient("letter/")),
            Shot("print", "Clinician", "clinic:patient-print", "On paper", "The record of one patient, made for printing.", patient("print/")),
            Shot("patient-trail", "Clinician", "clinic:patient-trail", "Who did what, for one patient", "Everybody who looked at this record or changed it.", patient("trail/")),
            Shot("entry", "Clinician", "clinic:fact", "One entry", "One fact of the record with its whole history; corrected or taken back here, never overwritten.", patient("", "ck-rising", "main a[href*='/entries/']")),
        ),
    ),
    (
        "Recording",
        (
            Shot("panel", "Nurse", "clinic:enter-panel", "Laboratory panel", "Typed or pasted in one go, beside the previous values; odd values and mistaken units are asked about at once.", patient("enter/results/")),
            Shot("assessment", "Nurse", "clinic:enter-assessment", "Core set assessment", "Strength, function and the global scales of one visit, with the improvement score as one types.", patient("enter/assessment/", "core-set-incomplete")),
            Shot("strength", "Nurse", "clinic:enter-mmt8", "Muscle strength", "MMT8 on a grid of both sides, by digits and arrows.", patient("enter/strength/")),
            Shot("lung-function", "Nurse", "clinic:enter-lung", "Lung function", "FVC and DLCO with their reference set.", patient("enter/lung-function/")),
            Shot("imaging", "Nurse", "clinic:enter-imaging", "Imaging", "What a scan of the lungs or the muscles showed.", patient("enter/imaging/")),
            Shot("body-size", "Nurse", "clinic:enter-body-size", "Weight and height", "By which doses are worked out.", patient("enter/body-size/")),
            Shot("confounder", "Nurse", "clinic:enter-confounder", "What explains a value", "An injection, exercise or an infection that would mislead the judgement of a result.", patient("enter/confounder/")),
            Shot("functional-test", "Nurse", "clinic:enter-functional", "Functional tests", "Tests of function beside the core set.", patient("enter/functional-test/")),
            Shot("functional-items", "Nurse", "clinic:enter-items", "A functional test by its items", "Each item is answered; the sum is worked out.", patient("enter/functional-test/ibmfrs/")),
            Shot("screening", "Nurse", "clinic:enter-screening", "Screening", "A test that was looked for, and its result.", patient("enter/screening/")),
            Shot("booking", "Nurse", "clinic:book-test", "A test that is booked", "So that nobody is reminded of what is arranged.", patient("enter/booking/")),
            Shot("waiver", "Nurse", "clinic:waive-test", "A test that is left out", "Why, and until when; the rules keep still for as long.", patient("enter/waiver/")),
            Shot("baseline", "Clinician", "clinic:personal-baseline", "A limit of one's own", "What is normal for this patient, where the laboratory's limit is not.", patient("enter/baseline/")),
            Shot("enter-classification", "Clinician", "clinic:enter-classification", "Items of the classification", "Which signs were found.", patient("enter/classification/")),
        ),
    ),
    (
        "Treatment",
        (
            Shot("treatment", "Clinician", "clinic:treatment", "Treatment", "What the patient takes, how much by weight, since when, and what it needs to be watched for.", patient("treatment/")),
            Shot("treatment-start", "Clinician", "clinic:treatment-start", "A new drug", "The usual range, what must be known before the first dose, and what it does not go with.", patient("treatment/start/?drug=methotrexate")),
            Shot("dose", "Clinician", "clinic:treatment-change", "Another dose", "From a day on; the old one stays in the record.", patient("treatment/", "ck-rising", "main a[href$='/dose/']")),
            Shot("taper", "Clinician", "clinic:taper", "Steroid taper", "The plan step by step, beside what is really taken; each step is confirmed or held.", patient("taper/", "taper-step-due")),
            Shot("taper-plan", "Clinician", "clinic:taper-plan", "Planning a taper", "From a usual scheme, with its tablets and its end in sight.", patient("taper/plan/")),
            Shot("taper-calendar", "Clinician", "clinic:taper-calendar", "Calendar of a taper", "For the patient to take home: which tablets on which day.", patient("taper/calendar/", "taper-step-due")),
            Shot("tablets", "Clinician", "clinic:tablets", "Tablets of the centre", "Which strengths are to be had; tapers are made of them.", at("/tablets/")),
            Shot("infusions", "Clinician", "clinic:infusions", "Infusions", "Cycles that were given and that are planned, with their dose by weight.", patient("infusions/")),
            Shot("infusion-plan", "Clinician", "clinic:infusion-plan", "Planning infusions", "Dose, rate and days, worked out from the weight.", patient("infusions/plan/")),
            Shot("escalation", "Clinician", "clinic:escalation", "Escalation brief", "On one page what was tried, what it did, and what the options are; the decision is recorded with its reason.", patient("escalation/", "second-line-review")),
        ),
    ),
    (
        "Physiotherapy",
        (
            Shot("physio-today", "Physiotherapist", "clinic:physio-today", "Today's sessions", "Who comes today and this week; attended or not with one click.", at("/physiotherapy/")),
            Shot("physio", "Physiotherapist", "clinic:physio", "Physiotherapy of one patient", "The plan, the sessions as a calendar, and when the next assessment is due.", patient("physiotherapy/", "physio-missed")),
        ),
    ),
    (
        "Coordination",
        (
            Shot("patients", "Coordinator", "clinic:patients", "Patients", "Everybody under follow-up, filtered, and exported as it is filtered.", at("/patients/")),
            Shot("patient-new", "Coordinator", "clinic:patient-new", "A new patient", "Registered in under two minutes; who may be the same person appears while one types.", at("/patients/new/")),
            Shot("patient-details", "Coordinator", "clinic:patient-edit", "Details of a patient", "Name, number, diagnosis and follow-up.", patient("details/")),
            Shot("antibodies", "Clinician", "clinic:patient-antibody", "Antibodies", "Which were found, by which laboratory, and when.", patient("antibodies/")),
            Shot("manifestations", "Clinician", "clinic:patient-manifestation", "Manifestations", "Which organs are affected, since when.", patient("manifestations/")),
            Shot("risks", "Clinician", "clinic:patient-risk", "Risks", "What else makes a drug or a course more dangerous.", patient("risks/")),
            Shot("consent", "Coordinator", "clinic:patient-consent", "Consent", "What the patient agreed to, from when until when.", patient("consent/")),
            Shot("exceptions", "Clinician", "clinic:patient-exception", "Exceptions", "Which rule keeps still about this patient, why, and until when.", patient("exceptions/")),
            Shot("book-tests", "Coordinator", "clinic:book-tests", "Booking for several", "Tests for those who were ticked in the list.", at("/patients/book/")),
            Shot("second-record", "Coordinator", "clinic:merge-choose", "A second record", "Finds the other record of the same person; both are shown side by side before they are merged, and it can be taken back.", patient("second-record/")),
        ),
    ),
    (
        "How the clinic judges",
        (
            Shot("rules", "Clinician", "clinic:rules", "Rules", "What is watched for, since when, and who has approved it.", at("/rules/")),
            Shot("rule", "Clinician", "clinic:rule", "One rule", "Its question, its numbers, its sources, and how changing a number would have turned out.", at("/rules/ck-rising/")),
            Shot("shadow", "Clinician", "clinic:rule-shadow", "A rule in the shadow", "What a new rule would have found, before anybody is told.", at("/rules/ck-rising/shadow/")),
            Shot("trail", "Clinician", "clinic:trail", "Who did what", "Everything that was changed or looked at in this centre.", at("/trail/")),
        ),
    ),
    (
        "Data in and out",
        (
            Shot("uploads", "Nurse", "exchange:uploads", "Uploads", "Files of results that came in, and what became of them.", at("/exchange/")),
            Shot("upload", "Nurse", "exchange:upload", "A new upload", "A file from a laboratory; nothing is taken over before it was looked at.", at("/exchange/upload/")),
            Shot("quarantine", "Nurse", "exchange:quarantine", "Quarantine", "Rows nobody could be sure of, waiting for a decision.", at("/exchange/quarantine/")),
            Shot("releases", "Researcher", "research:releases", "Releases", "Pseudonymised data for research, under which consent.", at("/research/releases/")),
            Shot("api", "Clinician", "api-docs", "API", "What programs may ask and send.", at("/api/v1/docs")),
        ),
    ),
    (
        "People and oneself",
        (
            Shot("people", "Administrator", "accounts:people", "People", "Who works here, in which role, and who is on call.", at("/accounts/people/")),
            Shot("profile", "Clinician", "accounts:profile", "Your profile", "Name, language, daily e-mail and keys for programs.", at("/accounts/profile/")),
            Shot("second-factor", "Clinician", "mfa_index", "Second factor", "An authenticator, a passkey, recovery codes.", at("/login/2fa/")),
            Shot("sessions", "Clinician", "usersessions_list", "Where you are signed in", "And ending it elsewhere.", at("/login/sessions/")),
        ),
    ),
)  # fmt: skip
SHOTS = tuple(shot for _, shots in GROUPS for shot in shots)


def the_page(there: set[str]) -> str:
    """docs/pages.md: every page at a desk and on a phone, and what it is for."""
    lines = [
        "# Every page, and what it is for",
        "",
        "Made by `make screenshots` from a running demo clinic; the people in the pictures are made up. How the pages hang together is in",
        "[clinicians.md](clinicians.md), what they are made of in [design-language.md](design-language.md).",
    ]
    for heading, shots in GROUPS:
        lines += ["", f"## {heading}"]
        for shot in shots:
            if shot.name in there:
                lines += [
                    "",
                    f"### {shot.title}",
                    "",
                    shot.says,
                    "",
                    " ".join(
                        f'<img src="screenshots/{shot.name}-{size}.png" width="{width}" alt="{shot.title}, {where}">'
                        for size, width, where in (("desk", 620, "at a desk"), ("phone", 180, "on a phone"))
                    ),
                ]
    return "\n".join(lines) + "\n"


def logins(path: Path) -> dict[str, tuple[str, str]]:
    """{role: (e-mail, password)} of the demo logins. Raises OSError, ValueError."""
    text = path.read_text(encoding="utf-8")
    password = re.search(r"^Password.*?:\s*(\S+)\s*$", text, re.MULTILINE)
    if password is None:
        raise ValueError(f"{path} names no password")
    found: dict[str, tuple[str, str]] = {}
    for role, name in re.findall(r"^\s+(\S.*?)\s{2,}(\S+)\s*$", text, re.MULTILINE):
        found.setdefault(role, (name, password[1]))
    return found


def sign_in(browser: Browser, base: str, user: str, password: str, dark: bool = False) -> BrowserContext:
    context = browser.new_context(
        base_url=base,
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    visit(page, "/login/login/")
    if user:
        page.fill("input[name=login]", user)
        page.fill("input[name=password]", password)
        with page.expect_navigation():
            page.press("input[name=password]", "Enter")
        if "/login/" in page.url:
            raise NotFound(f"{user} could not sign in")
    return context


def take(context: BrowserContext, shot: Shot) -> int:
    """Save both pictures; returns their bytes."""
    page, total = context.new_page(), 0
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        shot.go(page)
        try:
            page.wait_for_load_state("networkidle", timeout=5000)
        except TookTooLong:
            print(f"{shot.name}: still loading after 5 seconds; taken as it was", file=sys.stderr)
        page.evaluate(
            "document.fonts.ready.then(() => document.activeElement.closest('.search, dialog') || document.activeElement.blur())"
        )
        picture = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
        path = FOLDER / f"{shot.name}-{size}.png"
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        total += path.stat().st_size
    page.close()
    return total


def chromium() -> str:
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    raise FileNotFoundError("no Chromium found; install it (apt-get install chromium) or set CHROMIUM to its path")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("--base", default=os.environ.get("BASE", "http://localhost:8000"))
    parser.add_argument("--user", help="e-mail address; default: the demo logins")
    parser.add_argument("--password", default=os.environ.get("PASSWORD", ""))
    parser.add_argument(
        "--only", action="append", choices=[shot.name for shot in SHOTS], help="may be given many times"
    )
    arguments = parser.parse_args()
    given = (arguments.user, arguments.password) if arguments.user else None
    try:
        who = {} if given else logins(LOGINS)
        executable = chromium()
    except (OSError, ValueError) as error:
        print(f"Cannot start: {error}. Is a demo clinic running (make run)?", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    missing, total = [], 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        contexts: dict[tuple[str, bool], BrowserContext] = {}
        shut: set[tuple[str, bool]] = set()
        for shot in SHOTS:
            if arguments.only and shot.name not in arguments.only:
                continue
            try:
                window = (shot.role, shot.dark)
                if window in shut:
                    raise NotFound(f"{shot.role} could not sign in")
                if window not in contexts:
                    shut.add(window)  # until it is open: asking again and again would lock the account
                    user, password = ("", "") if not shot.role else given or who.get(shot.role, ("", ""))
                    contexts[window] = sign_in(browser, arguments.base, user, password, shot.dark)
                    shut.discard(window)
                total += take(contexts[window], shot)
                print(shot.name)
            except (NotFound, TookTooLong) as error:
                missing.append(shot.name)
                print(f"{shot.name}: {str(error).splitlines()[0]}", file=sys.stderr)
        browser.close()
    there = {shot.name for shot in SHOTS if (FOLDER / f"{shot.name}-desk.png").exists()}
    PAGES.write_text(the_page(there), encoding="utf-8")
    print(f"{total / 1024:.0f} KB in {FOLDER}")
    if missing:
        print(f"No picture of: {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
