"""Pages are tested on a fixed day, by people of a fixed clinic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import time_machine

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import Centre, User

# Models are imported inside the fixtures: this file is loaded before Django is set up.


@pytest.fixture
def on_the_day() -> Iterator[None]:
    """The clock stands at factories.NOW."""
    from tests import factories

    with time_machine.travel(factories.NOW, tick=False):
        yield


@pytest.fixture
def clinic(db: None, on_the_day: None) -> Centre:
    from tests import factories

    return factories.centre(name="Riverside")


@pytest.fixture
def clinician(clinic: Centre) -> User:
    from tests import factories

    return factories.person(clinic, full_name="Dr Okafor")


@pytest.fixture
def signed_in(clinic: Centre) -> Callable[..., Client]:
    """A browser of `person`, or of somebody new in `role`."""

    from django.test import Client

    from tests import factories

    def sign_in(person: User | None = None, role: str = "clinician") -> Client:
        client = Client()
        client.force_login(person or factories.person(clinic, role))
        return client

    return sign_in
