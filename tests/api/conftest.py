"""A centre, another one, and people with tokens. Models are imported late: Django is set up after this is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def centre(db: None) -> Any:
    from tests import factories

    return factories.centre()


@pytest.fixture
def elsewhere(db: None) -> Any:
    from tests import factories

    return factories.centre()


@pytest.fixture
def client_of(centre: Any) -> Callable[..., Any]:
    """`client_of(role, *scopes)`: someone in that role at `centre`, with a token of these scopes (read)."""

    def make(role: str = "clinician", *scopes: str) -> Any:
        from tests import factories
        from tests.api.clients import with_token

        return with_token(factories.person(centre, role), *scopes)

    return make
