"""The API does what its schema says: requests made up from the schema, right and wrong ones, against all of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings

from accounts.models import Role, Scope
from patients.models import Consent
from tests import factories
from tests.api.clients import token_for

EXAMPLES = 8  # for each of two dozen operations


@pytest.mark.django_db(transaction=True)  # each request ends for itself, and with it its connection
def test_every_operation_keeps_to_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    from accounts.authentication import TokenThrottle

    monkeypatch.setattr(TokenThrottle, "THROTTLE_RATES", {"user": None, "bulk": None, "export": None})
    centre = factories.centre()
    clinician, researcher = factories.person(centre), factories.person(centre, Role.RESEARCHER)
    patient = factories.patient(centre, clinician)
    factories.fact(Consent, patient, scope="research", decision="given", decided_on=dt.date(2020, 1, 1))
    tokens = {
        "clinician": token_for(clinician, Scope.READ, Scope.WRITE),
        "researcher": token_for(researcher, Scope.RESEARCH),
    }
    application = get_wsgi_application()
    schema = schemathesis.openapi.from_wsgi(
        "/api/v1/schema/?format=json",
        application,
        headers={"Authorization": f"Bearer {tokens['clinician']}"},
    )
    tried: set[str] = set()
    checks = [
        schemathesis.checks.not_a_server_error,
        schemathesis.checks.status_code_conformance,
        schemathesis.checks.content_type_conformance,
        schemathesis.checks.response_schema_conformance,
    ]

    def attempt(case: Any) -> None:
        who = "researcher" if case.operation.path.startswith("/api/v1/research") else "clinician"
        # What is asked for here is read as it comes, without unpacking.
        headers = {"Authorization": f"Bearer {tokens[who]}", "Accept-Encoding": "identity"}
        case.call_and_validate(headers=headers, checks=checks)
        tried.add(case.operation.label)

    operations = [found.ok() for found in schema.get_all_operations()]
    operations = [operation for operation in operations if operation.path != "/api/v1/schema/"]
    run = settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for operation in operations:
        run(given(operation.as_strategy())(attempt))()
    assert tried == {operation.label for operation in operations}
    assert len(tried) > 20
