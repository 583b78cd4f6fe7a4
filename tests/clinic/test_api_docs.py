"""The page about the API."""

from __future__ import annotations

from django.utils.translation import override

from clinic.selectors.api_docs import api_docs


def test_it_is_the_same_whoever_reads_it_first() -> None:
    api_docs.cache_clear()
    with override("de"):
        first = api_docs()
    api_docs.cache_clear()
    assert first == api_docs()
    assert any("page" in p.text for section in first.sections for o in section.operations for p in o.parameters)
