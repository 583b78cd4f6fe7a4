"""What the pages of a large clinic cost on the server: milliseconds and queries, without browser or network."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from typing import Any

# Spread over ten years and the twelve analytes of clinic.sql, like the results of everybody else.
RESULTS = """
INSERT INTO monitoring_result (patient_id, analyte, status, value, comparator, uln, low, value_received, unit_received,
    low_received, uln_received, taken_on, laboratory, source_key, note, change_reason, recorded_at, recorded_by_id)
SELECT %(patient)s, r.analyte, r.status, r.value, '', r.uln, r.low, r.value_received, r.unit_received, r.low_received,
    r.uln_received, %(as_of)s::date - (n * 3650 / %(results)s)::int, 'Central', '', '', '', %(now)s, 1
FROM generate_series(0, %(results)s - 1) n
JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS nth FROM (
          SELECT DISTINCT ON (analyte) * FROM monitoring_result WHERE patient_id = 1 ORDER BY analyte, id) one) r
    ON r.nth = n %% 12
"""
TIMES = 7


def measure(now: dt.datetime, as_of: dt.date) -> dict[str, dict[str, Any]]:
    """The median of some requests for each page, after one that warms up. Everything made for it is rolled back."""
    import time_machine
    from django.conf import settings
    from django.db import connection, transaction
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from accounts.models import Centre, Membership, Role, User
    from patients.models import Patient

    with time_machine.travel(now, tick=True), transaction.atomic(), connection.cursor() as cursor:
        centre = Centre.objects.get()
        person = User.objects.create_user(username="reader", email="reader@clinic.example", full_name="Reader")
        Membership.objects.create(user=person, centre=centre, role=Role.CLINICIAN)
        client = Client(headers={"host": settings.ALLOWED_HOSTS[0].lstrip(".") or "localhost"})
        client.force_login(person)
        pages: dict[str, tuple[str, dict[str, str] | None]] = {
            "worklist": (reverse("clinic:worklist"), None),
            "due": (reverse("clinic:due"), None),
            "overview": (reverse("clinic:overview"), None),
            "list of patients": (reverse("clinic:patients"), None),
            "search by name, nobody": (reverse("clinic:patients"), {"q": "Nobody"}),
            "search by name, one": (reverse("clinic:patients"), {"q": "Family4321"}),
            "search by name, many": (reverse("clinic:patients"), {"q": "Family"}),
            "search by number": (reverse("clinic:patients"), {"q": "B0004321"}),
        }
        for results in (30, 10_000):
            patient = Patient.objects.create(
                centre=centre, record_number=f"P{results}", given_name="A", family_name=f"Page{results}",
                born_on=dt.date(1970, 1, 1), sex="female", subtype="dermatomyositis",
                diagnosed_on=as_of - dt.timedelta(days=3650), created_at=now, created_by=person,
            )  # fmt: skip
            cursor.execute(RESULTS, {"patient": patient.pk, "results": results, "as_of": as_of, "now": now})
            for name in ("patient", "results"):
                pages[f"{name}, {results} results"] = (reverse(f"clinic:{name}", args=[patient.public_id]), None)

        figures: dict[str, dict[str, Any]] = {}
        for name, (url, posted) in pages.items():
            taken = []
            for nth in range(TIMES + 1):
                with CaptureQueriesContext(connection) as queries:
                    started = time.perf_counter()
                    response = client.get(url) if posted is None else client.post(url, posted, follow=True)
                    seconds = time.perf_counter() - started
                if response.status_code != 200:
                    raise RuntimeError(f"{name} answered {response.status_code}")
                if nth:
                    taken.append(seconds)
            figures[name] = {
                "milliseconds": round(statistics.median(taken) * 1000, 1),
                "queries": len(queries),
                "kilobytes": round(len(response.content) / 1000),
            }
        transaction.set_rollback(True)
    return figures
