"""What a first visit costs: bytes as they travel, requests, and how soon the page is there.

The pages are the server's own. Files are compressed as WhiteNoise serves them in production: once, when they are
collected (brotli where the library is there, else gzip), and pages by the middleware.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.figures import figure
from tests.browser.people import Person
from tests.clinic.one_patient import full

pytestmark = pytest.mark.browser

MOST = 300_000
# Compressing at the level of the middleware and of WhiteNoise.
SQUEEZED = {"text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml", "application/json"}
KINDS = {
    "document": "page", "stylesheet": "styles", "script": "scripts", "font": "fonts", "image": "pictures",
    "fetch": "more", "xhr": "more",
}  # fmt: skip
PAINT = """() => new Promise((done) => {
    const seen = {lcp: 0, cls: 0, tbt: 0};
    new PerformanceObserver((l) => { for (const e of l.getEntries()) seen.lcp = e.startTime; })
        .observe({type: 'largest-contentful-paint', buffered: true});
    new PerformanceObserver((l) => { for (const e of l.getEntries()) if (!e.hadRecentInput) seen.cls += e.value; })
        .observe({type: 'layout-shift', buffered: true});
    new PerformanceObserver((l) => { for (const e of l.getEntries()) seen.tbt += Math.max(0, e.duration - 50); })
        .observe({type: 'longtask', buffered: true});
    setTimeout(() => done(seen), 300);
})"""


class Visit:
    """The first visit to an address, with nothing kept from before."""

    def __init__(self, person: Person, address: str) -> None:
        self.bytes: dict[str, int] = {}
        self.requests = 0
        self.has_chart_library = False
        answers: list[Any] = []
        # What the browser keeps of an earlier page would cost nothing here.
        session = person.page.context.new_cdp_session(person.page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        person.page.on("response", lambda answer: answers.append(answer))
        person.opens(address)
        person.page.wait_for_load_state("networkidle")
        self.paint = person.page.evaluate(PAINT)
        for answer in list(answers):
            if answer.status != 200 or answer.url.startswith("data:"):
                continue
            kind = KINDS.get(answer.request.resource_type, "more")
            size = self._travels(answer)
            if "/vendor/echarts" in answer.url:
                self.has_chart_library = True
                kind = "chart library"
            self.bytes[kind] = self.bytes.get(kind, 0) + size
            self.requests += 1
        session.detach()

    @staticmethod
    def _travels(answer: Any) -> int:
        body = answer.body()
        kind = answer.headers.get("content-type", "").split(";")[0]
        squeezed = len(gzip.compress(body, 6)) if kind in SQUEEZED else len(body)
        if answer.request.resource_type == "document":
            assert answer.headers.get("content-encoding") == "gzip", f"{answer.url} is sent as it is"
        return squeezed + 300  # its headers, roughly

    @property
    def without_chart(self) -> int:
        return sum(size for kind, size in self.bytes.items() if kind != "chart library")


@pytest.mark.parametrize(
    ("name", "address", "chart"),
    [
        ("sign in", "/login/login/", False),
        ("worklist", "/worklist/", False),
        ("patient", "/patients/{id}/", True),
        ("panel entry", "/patients/{id}/enter/results/", False),
        ("patients", "/patients/", False),
        ("overview", "/overview/", False),
    ],
    ids=lambda value: value.strip("/").replace("/", "-") if isinstance(value, str) else str(value),
)
def test_a_first_visit(
    clinic: Any, somebody: Callable[..., Person], today: Any, name: str, address: str, chart: bool
) -> None:
    person = somebody("clinician")
    patient = full(clinic, person.user, today)
    if name != "sign in":
        person.is_signed_in()
    visit = Visit(person, address.replace("{id}", str(patient.public_id)))
    parts = ", ".join(
        f"{kind} {size / 1000:.0f}" for kind, size in sorted(visit.bytes.items(), key=lambda part: -part[1])
    )
    figure(
        f"first visit, {name}",
        f"{visit.without_chart / 1000:.0f} KB without the chart library in {visit.requests} requests ({parts}); "
        f"LCP {visit.paint['lcp']:.0f} ms, CLS {visit.paint['cls']:.3f}, blocked {visit.paint['tbt']:.0f} ms",
    )
    assert 20_000 < visit.without_chart < MOST
    assert visit.has_chart_library is chart, "the chart library comes with a chart, and only then"
    assert visit.paint["cls"] < 0.1, "what one reads must not move"
