"""Pictures of the main pages of a running clinic, for the README and the documentation.

    make run                                     in one terminal
    make screenshots                             in another
    .venv/bin/python docs/screenshots.py --base http://localhost:9000 --only worklist --only alert

Signs in with the demo logins (.local/demo-logins.txt), or with --user and --password, and saves every page twice into
docs/screenshots/: <page>-desk.png at 1440x900 and <page>-phone.png at 390x844. Needs the system's Chromium.

Only of a demo clinic: the pictures go into the repository. A page is found as a person finds it, by the words of links,
so that a moved address breaks nothing.
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
COLOURS = 128  # of a picture: pages are flat, and more only make files larger


class NotFound(Exception):
    """A page could not be reached; the text says where the way ended."""


@dataclass(frozen=True)
class Shot:
    name: str
    role: str  # as in the demo logins
    go: Callable[[Page], None]


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


def from_the_menu(words: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        visit(page, "/")
        follow(page, "nav a", words)

    return go


def list_of(rule: str) -> Callable[[Page], None]:
    return lambda page: visit(page, f"/worklist/?role=all&state=open&rule={rule}")


def alert_of(rule: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        list_of(rule)(page)
        follow(page, "table a[href*='/alerts/']")

    return go


def patient_of(rule: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        list_of(rule)(page)
        follow(page, "table a[href*='/patients/']")

    return go


def form_of(rule: str, words: str) -> Callable[[Page], None]:
    """A page that the patient's page leads to, of somebody whom this rule has found."""

    def go(page: Page) -> None:
        patient_of(rule)(page)
        follow(page, "main a", words)

    return go


SHOTS = (
    Shot("login", "", lambda page: visit(page, "/login/login/")),
    Shot("worklist", "Clinician", lambda page: visit(page, "/worklist/")),
    Shot("due", "Clinician", from_the_menu("Due soon")),
    Shot("alert", "Clinician", alert_of("ck-rising")),
    Shot("patient", "Clinician", patient_of("ck-rising")),
    Shot("panel", "Nurse", form_of("ck-rising", "Enter results")),
    Shot("assessment", "Clinician", form_of("core-set-incomplete", "Assessment")),
    Shot("taper", "Clinician", form_of("taper-step-due", "Steroid taper")),
    Shot("physio", "Physiotherapist", form_of("physio-missed", "Physiotherapy")),
    Shot("overview", "Clinician", from_the_menu("Clinic overview")),
    Shot("trail", "Clinician", from_the_menu("Who did what")),
    Shot("rules", "Clinician", from_the_menu("Rules")),
    Shot("uploads", "Nurse", from_the_menu("Uploads")),
    Shot("quarantine", "Nurse", from_the_menu("Quarantine")),
    Shot("releases", "Researcher", from_the_menu("Releases")),
)


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


def sign_in(browser: Browser, base: str, user: str, password: str) -> BrowserContext:
    context = browser.new_context(
        base_url=base, locale="en-GB", timezone_id="Europe/Berlin", reduced_motion="reduce", color_scheme="light"
    )
    page = context.new_page()
    visit(page, "/login/login/")
    if user:
        page.fill("input[name=login]", user)
        page.fill("input[name=password]", password)
        page.press("input[name=password]", "Enter")
        page.wait_for_load_state("load")
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
        page.evaluate("document.fonts.ready.then(() => document.activeElement.blur())")
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
        contexts: dict[str, BrowserContext] = {}
        for shot in SHOTS:
            if arguments.only and shot.name not in arguments.only:
                continue
            try:
                if shot.role not in contexts:
                    user, password = ("", "") if not shot.role else given or who.get(shot.role, ("", ""))
                    contexts[shot.role] = sign_in(browser, arguments.base, user, password)
                total += take(contexts[shot.role], shot)
                print(shot.name)
            except (NotFound, TookTooLong) as error:
                missing.append(shot.name)
                print(f"{shot.name}: {str(error).splitlines()[0]}", file=sys.stderr)
        browser.close()
    print(f"{total / 1024:.0f} KB in {FOLDER}")
    if missing:
        print(f"No picture of: {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
