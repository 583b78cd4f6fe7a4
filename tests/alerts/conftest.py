"""What the tests of alerts share. This file is read before Django is set up, so it imports inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from monitoring.rules.base import Rule
    from tests.alerts.support import Clinic


@pytest.fixture
def clinic(db: None) -> Clinic:
    from tests.alerts.support import make_clinic

    return make_clinic()


@pytest.fixture
def clinic_committed(transactional_db: None) -> Clinic:
    """The same, in committed transactions, for tests with several connections."""
    from tests.alerts.support import make_clinic

    return make_clinic()


@pytest.fixture
def only_test_rules() -> Iterator[dict[str, Rule]]:
    """`RULES` with nothing in it but what the test puts there; afterwards what it held, in its order."""
    from monitoring.rules import RULES

    held = dict(RULES)
    RULES.clear()
    yield RULES
    RULES.clear()
    RULES.update(held)
