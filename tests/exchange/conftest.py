"""The trial sample as bytes, its mappings, and a centre with somebody who imports.

Django is imported inside the fixtures: pytest loads this file before the settings have their servers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def centre(db: None) -> Any:
    from tests import factories

    return factories.centre()


@pytest.fixture
def nurse(centre: Any) -> Any:
    from accounts.models import Role
    from tests import factories

    return factories.person(centre, Role.NURSE)


@pytest.fixture
def trial() -> dict[str, Any]:
    """Files and mappings of the trial sample."""
    from exchange.mapping import LABS, PATIENTS, load

    return {
        "lb": (DATA / "cdisc-pilot" / "lb.csv").read_bytes(),
        "dm": (DATA / "cdisc-pilot" / "dm.csv").read_bytes(),
        "labs": load((DATA / "cdisc_labs_mapping.json").read_bytes(), LABS),
        "patients": load((DATA / "cdisc_patients_mapping.json").read_bytes(), PATIENTS),
    }
