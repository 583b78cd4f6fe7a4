"""What committing a file would do, row by row. Reads the record and writes nothing.

The preview, the dry run, the real run and the placing of a held row are all `decide` and nothing else: the real run
decides again under a lock and refuses to go on if the answer is no longer the one that was shown.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar, cast

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, F, Func, TextField, Value
from django.db.models.functions import Coalesce

from accounts.models import Centre
from exchange.mapping import LABS, PATIENTS, FileMapping, read_mapping
from exchange.models import HeldRow, PendingUpload
from exchange.reading import (
    AS_THE_ROW_SAYS,
    Decision,
    LabReading,
    Outcome,
    PatientReading,
    Problem,
    read_lab_row,
    read_patient_row,
)
from exchange.tables import Row, read_table
from monitoring.analytes import ANALYTES
from monitoring.models import Result, Source
from patients.models import Patient, Subtype

CORRECTED_BY_SOURCE = "Corrected by the source"
HELD = (Outcome.QUARANTINED, Outcome.REJECTED)
NEW = (Outcome.IMPORTED, Outcome.CORRECTED)
SAMPLE = 10
MOST_SHOWN = 2000
T = TypeVar("T")


# Whose record it is: what comes under the number of a record that was merged belongs to the one that took it in.
_KEPT = Coalesce("merged_into_id", "pk")


@dataclass
class Verdict:
    """What becomes of one row. `replaces` is the result it corrects, `existing` the one it already is."""

    reading: LabReading | PatientReading
    outcome: Outcome
    fingerprint: str
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    patient_id: int | None = None
    replaces: int | None = None
    existing: int | None = None
    waits_already: bool = False  # the same row of an earlier file is still in quarantine; it is not held twice

    @property
    def row(self) -> Row:
        return self.reading.row


@dataclass(frozen=True)
class Report:
    """Counts and remarks; the same for a dry run and the real run. Holds nothing that identifies a patient."""

    rows: int
    imported: int
    corrected: int
    unchanged: int
    quarantined: int
    rejected: int
    problems: tuple[dict[str, Any], ...]
    notes: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "imported": self.imported,
            "corrected": self.corrected,
            "unchanged": self.unchanged,
            "quarantined": self.quarantined,
            "rejected": self.rejected,
            "problems": list(self.problems),
            "notes": list(self.notes),
        }


@dataclass
class Plan:
    """A file that has been read and judged against the record as it is now."""

    centre: Centre
    kind: str
    source_name: str
    file_name: str
    sha256: str
    mapping: FileMapping
    readings: Sequence[LabReading | PatientReading]
    verdicts: list[Verdict]

    @property
    def report(self) -> Report:
        counts = Counter(verdict.outcome for verdict in self.verdicts)
        return Report(
            rows=len(self.verdicts),
            imported=counts[Outcome.IMPORTED] + counts[Outcome.CORRECTED],
            corrected=counts[Outcome.CORRECTED],
            unchanged=counts[Outcome.UNCHANGED],
            quarantined=counts[Outcome.QUARANTINED],
            rejected=counts[Outcome.REJECTED],
            problems=tuple(
                {"row": v.row.number, "outcome": str(v.outcome), **p.as_json()}
                for v in self.verdicts
                for p in v.problems
            ),
            notes=tuple({"row": v.row.number, **p.as_json()} for v in self.verdicts for p in v.notes),
        )

    def as_preview(self) -> dict[str, Any]:
        """What a person looks at before they commit, as JSON: of very many problems and remarks the first."""
        report = self.report.as_json()
        problems, notes = report.pop("problems"), report.pop("notes")
        readable = (v for v in self.verdicts if v.outcome in NEW and self.kind == LABS)
        return {
            "digest": self.digest,
            "report": report,
            "problems": problems[:MOST_SHOWN],
            "notes": notes[:MOST_SHOWN],
            "more_notes": max(0, len(notes) - MOST_SHOWN),
            "more_problems": max(0, len(problems) - MOST_SHOWN),
            "sample": [_sample(verdict) for verdict in islice(readable, SAMPLE)],
        }

    @property
    def digest(self) -> str:
        """Changes whenever a row would fare differently."""
        text = json.dumps([[v.row.number, v.outcome, v.replaces, v.fingerprint] for v in self.verdicts])
        return hashlib.sha256(text.encode()).hexdigest()


Progress = Callable[[int, int], None]  # how many rows are done, of how many
STEP = 1000


def nobody_asks(done: int, rows: int) -> None:
    """Where nobody waits to be told how far it is."""


def counted(rows: Sequence[T], progress: Progress) -> Iterator[T]:
    """The rows, told of every so many."""
    for n, row in enumerate(rows):
        if n % STEP == 0:
            progress(n, len(rows))
        yield row


def _sample(verdict: Verdict) -> dict[str, Any]:
    """How a row will look once it is a result; without the patient, whom nobody needs for checking units."""
    reading = verdict.reading
    assert isinstance(reading, LabReading)
    assert reading.taken_on is not None
    analyte = ANALYTES[reading.analyte]
    return {
        "line": reading.row.number,
        "outcome": str(verdict.outcome),
        "analyte": analyte.name,
        "received": f"{reading.value_received} {reading.unit_received}".strip(),
        "value": _plain(reading.value),
        "comparator": reading.comparator,
        "low": _plain(reading.low),
        "uln": _plain(reading.uln),
        "unit": analyte.canonical_unit or "",
        "taken_on": reading.taken_on.isoformat(),
    }


def _plain(value: Decimal | None) -> str | None:
    """Without the zeros that six decimals bring."""
    return None if value is None else f"{value.normalize():f}"


def prepare_upload(upload: PendingUpload, now: dt.datetime, progress: Progress = nobody_asks) -> Plan:
    """`prepare` for a file that waits in an upload."""
    return prepare(
        centre=upload.centre,
        kind=upload.kind,
        content=bytes(upload.content),
        file_name=upload.file_name,
        mapping=read_mapping(upload.mapping, upload.kind),
        source_name=upload.source_name,
        now=now,
        progress=progress,
    )


def prepare(
    *,
    centre: Centre,
    kind: str,
    content: bytes,
    file_name: str,
    mapping: FileMapping,
    now: dt.datetime,
    source_name: str = "",
    progress: Progress = nobody_asks,
) -> Plan:
    """Read a file and say what each of its rows would do. FileProblem where it cannot be read as a whole."""
    table = read_table(content, wanted=mapping.wanted, delimiter=mapping.delimiter)
    readings: list[Any]
    if kind == LABS:
        readings = [read_lab_row(row, mapping, zone=centre.zone, now=now) for row in counted(table.rows, progress)]
    else:
        subtypes = tuple(Subtype.values)
        readings = [
            read_patient_row(row, mapping, zone=centre.zone, now=now, subtypes=subtypes)
            for row in counted(table.rows, progress)
        ]
    plan = Plan(centre, kind, source_name, file_name[:120], hashlib.sha256(content).hexdigest(), mapping, readings, [])
    return decide(plan)


def decide(plan: Plan) -> Plan:
    """The same file judged against the record as it is at this moment. Seven queries at most, whatever its length."""
    if plan.kind == LABS:
        verdicts = decide_labs(
            cast("Sequence[LabReading]", plan.readings), centre=plan.centre, source_name=plan.source_name
        )
    else:
        verdicts = decide_patients(cast("Sequence[PatientReading]", plan.readings), centre=plan.centre)
    return Plan(
        plan.centre, plan.kind, plan.source_name, plan.file_name, plan.sha256, plan.mapping, plan.readings, verdicts
    )


# ------------------------------------------------------------------------------------------------------- laboratories


@dataclass(frozen=True)
class _Recorded:
    """One version of a result, as recorded."""

    id: int
    patient_id: int
    analyte: str
    content: tuple[Any, ...]
    reported_at: dt.datetime | None
    by_source: bool


def decide_labs(
    readings: Sequence[LabReading],
    *,
    centre: Centre,
    source_name: str,
    decision: Decision = AS_THE_ROW_SAYS,
    held: bool = False,
) -> list[Verdict]:
    """`held`: these rows come out of quarantine, so what a person decided about them before is not asked."""
    source = Source.objects.filter(centre=centre, name=source_name).first()
    _fingerprint(readings, centre=centre, kind=LABS, source_name=source_name)
    decided = {} if held else _decided_before(readings)
    patients = {
        number: (pk, born)
        for pk, number, born in Patient.everybody.filter(
            is_any_of("record_number", {r.patient_number for r in readings}), centre=centre
        ).values_list(_KEPT, "record_number", "born_on")
    }
    keys = {r.source_key for r in readings if r.source_key}
    current, earlier = _recorded(source, keys)
    first, conflicting = _repeats(readings, [r.source_key for r in readings])
    verdicts = []
    for n, reading in enumerate(readings):
        verdict = Verdict(reading, Outcome.IMPORTED, reading.fingerprint, list(reading.problems))
        patient_id, born_on = patients.get(reading.patient_number, (None, None))
        verdict.patient_id = patient_id
        before = decided.get(verdict.fingerprint)
        if before == HeldRow.Resolution.DISCARDED:
            _leave(verdict, "discarded-before", "A person discarded this row when it came before.")
        elif n in first:
            _leave(verdict, "row-twice", f"The same row stands in line {readings[first[n]].row.number}.")
        else:
            if reading.patient_number and patient_id is None:
                verdict.problems.append(
                    Problem("patient_number", "patient-unknown", "No patient of the centre has this number.")
                )
            if born_on and reading.taken_on and reading.taken_on < born_on:
                verdict.problems.append(
                    Problem("taken", "taken-before-birth", "The sample was taken before the patient was born.")
                )
            if n in conflicting:
                verdict.problems.append(
                    Problem("id", "key-twice", "Another row of the file has the same id and says something else.")
                )
            if not verdict.problems:
                _compare(verdict, reading, current.get(reading.source_key), earlier[reading.source_key], decision)
            _close(verdict, before)
        verdicts.append(verdict)
    return verdicts


def _compare(
    verdict: Verdict, reading: LabReading, now: _Recorded | None, earlier: list[_Recorded], decision: Decision
) -> None:
    """Set the outcome of a row without faults by what is recorded under its key."""
    if now is None:
        if earlier and not decision.accept_key:
            verdict.existing = earlier[-1].id
            _leave(verdict, "withdrawn", "A person withdrew this result as entered in error; it stays withdrawn.")
        return
    content = (verdict.patient_id, *reading.content()[1:])
    if content == now.content:
        verdict.outcome, verdict.existing = Outcome.UNCHANGED, now.id
        return
    is_newer = bool(reading.reported_at and now.reported_at and reading.reported_at > now.reported_at)
    if not decision.accept_key:
        if now.patient_id != verdict.patient_id:
            verdict.problems.append(
                Problem("id", "key-of-another-patient", "The source sent this id before for another patient.")
            )
            return
        if now.analyte != reading.analyte:
            verdict.problems.append(
                Problem("id", "key-of-another-test", "The source sent this id before for another test.")
            )
            return
        if reading.reported_at and now.reported_at and reading.reported_at < now.reported_at:
            verdict.existing = now.id
            _leave(verdict, "older-report", "A later report of this result is recorded.")
            return
        if not is_newer and any(content == version.content for version in earlier):
            if now.by_source:
                # An old file sent again, or a correction taken back: only a person can tell.
                verdict.problems.append(
                    Problem("id", "older-version", "This is what the source said before it corrected it.")
                )
            else:
                verdict.existing = now.id
                _leave(verdict, "corrected-by-hand", "A person corrected this result since; the correction stays.")
            return
    verdict.outcome, verdict.replaces = Outcome.CORRECTED, now.id


def _recorded(source: Source | None, keys: set[str]) -> tuple[dict[str, _Recorded], defaultdict[str, list[_Recorded]]]:
    """(current version by key, versions no longer current by key, oldest first)."""
    current: dict[str, _Recorded] = {}
    earlier: defaultdict[str, list[_Recorded]] = defaultdict(list)
    if source is None or not keys:
        return current, earlier
    columns = (
        *("id", "source_key", "patient_id", "analyte", "value", "comparator", "low", "uln", "taken_on", "taken_at"),
        *("laboratory", "value_received", "unit_received", "reported_at", "change_reason"),
    )
    # Two questions: each has a partial index of its own.
    rows = Result.objects.filter(is_any_of("source_key", keys), source=source).order_by("id").values_list(*columns)
    for is_current in (True, False):
        for row in rows.filter(retired_at__isnull=is_current):
            values = dict(zip(columns, row, strict=True))
            words = () if values["value"] is not None else (values["value_received"], values["unit_received"])
            content = tuple(values[name] for name in ("patient_id", *columns[3:11])) + words
            version = _Recorded(
                values["id"],
                values["patient_id"],
                values["analyte"],
                content,
                values["reported_at"],
                values["change_reason"] in ("", CORRECTED_BY_SOURCE),
            )
            if is_current:
                current[values["source_key"]] = version
            else:
                earlier[values["source_key"]].append(version)
    return current, earlier


# ----------------------------------------------------------------------------------------------------------- patients

_PATIENT_FIELDS = (
    ("given_name", "given_name", "given name"),
    ("family_name", "family_name", "family name"),
    ("born_on", "born", "date of birth"),
    ("sex", "sex", "sex"),
    ("subtype", "subtype", "subtype"),
    ("onset_on", "onset", "day of the first symptom"),
    ("diagnosed_on", "diagnosed", "day of the diagnosis"),
)


def decide_patients(readings: Sequence[PatientReading], *, centre: Centre) -> list[Verdict]:
    """New numbers are registered. A file never changes who a registered patient is: what differs waits for a person."""
    _fingerprint(readings, centre=centre, kind=PATIENTS, source_name="")
    decided = _decided_before(readings)
    columns = ["record_number", *(name for name, _, _ in _PATIENT_FIELDS)]
    known = {
        row["record_number"]: row
        for row in Patient.everybody.filter(
            centre=centre, record_number__in={r.patient_number for r in readings}
        ).values(*columns, kept=_KEPT)
    }
    first, conflicting = _repeats(readings, [r.patient_number for r in readings])
    people: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)
    namesakes = Patient.objects.filter(centre=centre, born_on__in={r.born_on for r in readings if r.born_on})
    for number, family, given, born in namesakes.values_list("record_number", "family_name", "given_name", "born_on"):
        people[_person(family, given, born)].add(number)
    for reading in readings:
        people[_person(reading.family_name, reading.given_name, reading.born_on)].add(reading.patient_number)
    verdicts = []
    for n, reading in enumerate(readings):
        verdict = Verdict(reading, Outcome.IMPORTED, reading.fingerprint, list(reading.problems))
        before = decided.get(verdict.fingerprint)
        recorded = known.get(reading.patient_number)
        if before == HeldRow.Resolution.DISCARDED:
            _leave(verdict, "discarded-before", "A person discarded this row when it came before.")
        elif n in first:
            _leave(verdict, "row-twice", f"The same row stands in line {readings[first[n]].row.number}.")
        else:
            if n in conflicting:
                message = "Another row of the file has the same number and says something else."
                verdict.problems.append(Problem("patient_number", "number-twice", message))
            if recorded is not None:
                verdict.patient_id = recorded["kept"]
                verdict.problems += [
                    Problem(name, "differs-from-record", f"The {label} differs from the registered one.")
                    for attribute, name, label in _PATIENT_FIELDS
                    if (said := getattr(reading, attribute)) not in (None, "", "unknown")
                    and said != recorded[attribute]
                ]
                if not verdict.problems:
                    verdict.outcome = Outcome.UNCHANGED
            elif len(people[_person(reading.family_name, reading.given_name, reading.born_on)]) > 1 and reading.born_on:
                message = "Somebody with this name and date of birth has another number."
                verdict.problems.append(Problem("patient_number", "possible-duplicate", message))
            _close(verdict, before)
        verdicts.append(verdict)
    return verdicts


def _person(family_name: str, given_name: str, born_on: dt.date | None) -> tuple[Any, ...]:
    return family_name.casefold(), given_name.casefold(), born_on


# ------------------------------------------------------------------------------------------------------------- shared


def is_any_of(name: str, values: Iterable[str]) -> Func:
    """`name` = ANY(values): one parameter however many values, where IN would be one each."""
    array = Value(sorted(values), output_field=ArrayField(TextField()))
    return Func(F(name), array, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField())


def _fingerprint(
    readings: Iterable[LabReading | PatientReading], *, centre: Centre, kind: str, source_name: str
) -> None:
    """Mark readings: the same for the same row of the same source, in whatever file and order of columns it comes."""
    for reading in readings:
        if not reading.fingerprint:
            text = json.dumps([str(centre.public_id), kind, source_name, sorted(reading.row.data.items())])
            reading.fingerprint = hashlib.sha256(text.encode()).hexdigest()


def _decided_before(readings: Iterable[LabReading | PatientReading]) -> dict[str, str]:
    """Fingerprint to what became of the same row when it was held before ("" where it still waits)."""
    rows = HeldRow.objects.filter(is_any_of("fingerprint", {r.fingerprint for r in readings})).order_by("id")
    return dict(rows.values_list("fingerprint", "resolution"))


def _repeats(readings: Sequence[Any], keys: Sequence[str]) -> tuple[dict[int, int], set[int]]:
    """(rows that repeat an earlier one, with the earlier; rows that share a key and disagree), all by position.

    A row whose cells are all those of an earlier one is a repeat whatever else the file says. Rows without a key are
    only compared in this way.
    """
    seen: dict[str, int] = {}
    first: dict[int, int] = {}
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for n, (reading, key) in enumerate(zip(readings, keys, strict=True)):
        if (earlier := seen.setdefault(reading.fingerprint, n)) != n:
            first[n] = earlier
        elif key:
            groups[key].append(n)
    conflicting: set[int] = set()
    for members in groups.values():
        said = {readings[n].row.number if readings[n].problems else readings[n].content() for n in members}
        if len(said) > 1:
            conflicting.update(members)
        else:
            first.update(dict.fromkeys(members[1:], members[0]))
    return first, conflicting


def _leave(verdict: Verdict, code: str, message: str) -> None:
    verdict.outcome, verdict.problems = Outcome.UNCHANGED, []
    verdict.notes.append(Problem("row", code, message))


def _close(verdict: Verdict, before: str | None) -> None:
    """Rows with problems are held, unless a person has placed this very row before."""
    if not verdict.problems:
        return
    if before == HeldRow.Resolution.PLACED:
        _leave(verdict, "placed-before", "A person placed this row when it came before.")
        return
    verdict.outcome = Outcome.REJECTED if any(p.rejects for p in verdict.problems) else Outcome.QUARANTINED
    if before is not None:
        verdict.waits_already = True
        verdict.notes.append(
            Problem("row", "waits-already", "The same row of an earlier file still waits in quarantine.")
        )
