from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from accounts.models import Centre, Role, User
from exchange.models import ImportBatch
from monitoring.models import Result
from patients.models import Patient
from tests import factories
from tests.exchange.conftest import DATA
from tests.exchange.files import csv_bytes
from tests.factories import NOW


@pytest.fixture(autouse=True)
def _on_a_day_of_the_tests() -> Any:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def labs(tmp_path: Path, centre: Centre, nurse: User) -> Path:
    factories.patient(centre, nurse, record_number="P1")
    file = tmp_path / "labs.csv"
    file.write_bytes(csv_bytes({}, {"result_id": "a2", "unit": "??"}, {"result_id": "a3", "taken": "soon"}))
    return file


def run(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def test_dry_run_and_real_run_give_one_receipt(labs: Path, centre: Centre) -> None:
    dry = json.loads(run("import_labs", labs, source="Lab", json=True, dry_run=True))
    assert not Result.objects.exists()
    assert not User.objects.filter(username="file-import").exists()
    real = json.loads(run("import_labs", labs, source="Lab", json=True))
    assert real.pop("batch") == str(ImportBatch.objects.get().public_id)
    assert (dry.pop("dry_run"), real.pop("dry_run"), dry.pop("batch")) == (True, False, None)
    assert dry == real
    assert (real["rows"], real["imported"], real["quarantined"], real["rejected"]) == (3, 1, 1, 1)


def test_the_receipt_for_people(labs: Path, nurse: User) -> None:
    text = run("import_labs", labs, source="Lab", by=nurse.username)
    assert "line 3: quarantined: unit: The spelling of the unit is not known" in text
    assert "3 rows = 1 imported (0 of them corrections) + 0 unchanged + 1 quarantined + 1 rejected" in text
    assert "P1" not in text
    assert Result.objects.get().recorded_by == nurse


def test_without_a_name_the_import_is_its_own_author_and_cannot_sign_in(labs: Path) -> None:
    run("import_labs", labs, source="Lab")
    author = Result.objects.get().recorded_by
    assert (author.username, author.is_active, author.has_usable_password()) == ("file-import", False, False)


def test_patients_then_labs_with_mapping_files(centre: Centre) -> None:
    run("import_patients", DATA / "cdisc-pilot" / "dm.csv", mapping=DATA / "cdisc_patients_mapping.json")
    assert Patient.objects.filter(centre=centre).count() == 25


def test_what_is_wrong_is_said_without_a_traceback(labs: Path, tmp_path: Path, centre: Centre) -> None:
    other = factories.centre()
    stranger = factories.person(other, Role.NURSE)
    researcher = factories.person(centre, Role.RESEARCHER)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("é\n".encode("latin-1"))
    wrong_mapping = tmp_path / "mapping.json"
    wrong_mapping.write_text("{}")
    at = {"source": "Lab", "centre": centre.name}
    for file, options, message in (
        (labs, {"source": "Lab"}, "Say which centre"),
        (labs, {"source": "Lab", "centre": "Nowhere"}, "no centre of this name"),
        (labs, {**at, "by": "nobody"}, "no user of this name"),
        (labs, {**at, "by": stranger.username}, "no user of this name"),
        (labs, {**at, "by": researcher.username}, "no user of this name"),
        (labs, {**at, "source": " "}, "Say where"),
        (latin, at, "not in UTF-8"),
        (tmp_path / "none.csv", at, "cannot be read"),
        (labs, {**at, "mapping": wrong_mapping}, "kind: must be"),
    ):
        with pytest.raises(CommandError, match=message):
            run("import_labs", file, **options)
    assert not Result.objects.exists()
