"""What a row of a list takes from memory is what the page would have worked out."""

from __future__ import annotations

import uuid

import pytest
from django.template import Context, Template
from django.urls import reverse

SOMEBODY = uuid.uuid4()


@pytest.mark.parametrize("name", ["clinic:patient", "clinic:alert", "clinic:alert-acknowledge", "clinic:alert-snooze"])
def test_an_address_is_the_one_of_the_route(name: str) -> None:
    said = Template("{% load rows %}{% address_of name who %}").render(Context({"name": name, "who": SOMEBODY}))
    assert said == reverse(name, args=[SOMEBODY])


def test_an_icon_is_the_component() -> None:
    short = Template('{% load rows %}{% icon "alert" %}{% icon "alert" %}').render(Context())
    whole = Template('{% include "components/icon.html" with name="alert" only %}').render(Context())
    assert short == whole + whole
    assert "<svg" in short
