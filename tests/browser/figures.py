"""Figures that tests measure, shown together when a run ends.

`figure("12 analytes: keys beside the digits", 24)` in a test; the summary in the terminal lists every figure of the
run, also of one over several processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

_of_this_test: list[tuple[str, str]] = []


def figure(name: str, value: object) -> None:
    """Keep what this test measured for the summary of the run."""
    _of_this_test.append((name, str(value)))


@pytest.fixture(autouse=True)
def _figures_travel_with_the_report(request: pytest.FixtureRequest) -> Iterator[None]:
    """A report crosses from a process of xdist to the one that prints; a list of this module would not."""
    _of_this_test.clear()
    yield
    request.node.user_properties.extend(("figure", kept) for kept in _of_this_test)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    found = [
        tuple(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "teardown"
        for key, value in report.user_properties
        if key == "figure"
    ]
    if found:
        terminalreporter.section("figures")
        width = max(len(name) for name, _ in found)
        for name, value in found:
            terminalreporter.write_line(f"{name:<{width}}  {value}")
